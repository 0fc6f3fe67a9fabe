#!/usr/bin/env bash
# Builds dist/: JavaScript that node starts fast. An engine of one file loads in half the time of one of 300 (measured: 0.34 s of
# processor instead of 0.62), and an upgrade in place never finds half of the old program and half of the new.
set -euo pipefail
cd "$(dirname "$0")/.."
new=dist.new
rm -rf "$new"

bundle() {
  node_modules/.bin/esbuild "$@" --bundle --packages=external --format=esm --platform=node --target=node20 --sourcemap \
    --outbase=. --outdir="$new" --chunk-names=mount/[name]-[hash] --log-level=warning
}

# What runs as a process of its own is one file.
bundle mount/engine-main.ts mount/keeper-main.ts mount/stand-in-main.ts persist/check-main.ts
# A command loads only what it needs.
bundle mount/cli.ts --splitting

rm -rf dist
mv "$new" dist
