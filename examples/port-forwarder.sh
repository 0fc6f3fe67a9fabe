#!/usr/bin/env bash
# A port forwarder: whoever connects to the port talks to the target. For each caller N there is a connection N-out.
#
#   examples/port-forwarder.sh PORT HOST:PORT [MOUNTPOINT]        then: curl http://10.7.0.2:PORT/
set -euo pipefail
target=$2
cd "${3:-net}/tcp"

# What the one sends, the other gets, and its end.
pump() {
  cat "$1/data" > "$2/data" || true
  echo wr > "$2/shutdown"
}

forward() {
  if mkdir "$1-out" && echo "$target" > "$1-out/connect"; then
    pump "$1" "$1-out" &
    pump "$1-out" "$1" &
    wait
  fi
  rmdir "$1" "$1-out"
}

mkdir -p "forward-$1"
[ "$(cat "forward-$1/state")" = LISTEN ] || echo ":$1" > "forward-$1/listen"
trap 'kill $(jobs -p)' EXIT
while read -r name < "forward-$1/accept"; do forward "$name" & done
