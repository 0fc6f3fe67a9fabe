#!/usr/bin/env bash
# An HTTP proxy for the method CONNECT (RFC 9110 section 9.3.6), which browsers and curl use for https.
#
#   examples/proxy.sh PORT [MOUNTPOINT]        then: curl --proxytunnel --proxy 10.7.0.2:PORT http://10.7.0.1:9000/
set -euo pipefail
cd "${2:-net}/tcp"

pump() {
  cat "$1/data" > "$2/data" || true
  echo wr > "$2/shutdown"
}

serve() {
  local method target line
  {
    read -r method target _
    while IFS= read -r line && [ "$line" != $'\r' ]; do :; done
  } < "$1/data"
  mkdir "$1-out"
  if [ "$method" = CONNECT ] && echo "$target" > "$1-out/connect"; then
    printf 'HTTP/1.1 200 OK\r\n\r\n' > "$1/data"
    pump "$1" "$1-out" &
    pump "$1-out" "$1" &
    wait
  else
    printf 'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n' > "$1/data"
  fi
  rmdir "$1" "$1-out"
}

mkdir -p proxy
[ "$(cat proxy/state)" = LISTEN ] || echo ":$1" > proxy/listen
trap 'kill $(jobs -p)' EXIT
while read -r name < proxy/accept; do serve "$name" & done
