#!/usr/bin/env bash
# Builds dist/: JavaScript that node starts fast. An engine of one file loads in half the time of one of 300 (measured: 0.34 s of
# processor instead of 0.62), and an upgrade in place never finds half of the old program and half of the new.
set -euo pipefail
cd "$(dirname "$0")/.."
new=$(mktemp -d dist.XXXXXX)
trap 'rm -rf "$new"' EXIT

bundle() {
  node_modules/.bin/esbuild "$@" --bundle --packages=external --format=esm --platform=node --target=node20 --sourcemap \
    --outbase=. --outdir="$new" --chunk-names=mount/[name]-[hash] --log-level=warning
}

# What runs as a process of its own is one file.
bundle mount/engine-main.ts mount/keeper-main.ts mount/stand-in-main.ts persist/check-main.ts
# A command loads only what it needs.
bundle mount/cli.ts --splitting

# File by file, so that whoever is starting meanwhile finds one or the other; what loads the chunks comes after them.
files() {
  (cd "$1" && find . -type f | sort)
}
built=$(files "$new")
for file in $(grep -v cli.js <<<"$built") $(grep cli.js <<<"$built"); do
  mkdir -p "dist/$(dirname "$file")"
  mv "$new/$file" "dist/$file"
done
comm -23 <(files dist) - <<<"$built" | sed 's|^|dist/|' | xargs -r rm
