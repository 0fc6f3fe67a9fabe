#!/usr/bin/env bash
# A web server for the files of a directory.
#
#   examples/web-server.sh PORT DIRECTORY [MOUNTPOINT]        then: curl http://10.7.0.2:PORT/some-file
set -euo pipefail
directory=$(realpath "$2")
cd "${3:-net}/tcp"

# The request comes by the standard input, the answer goes to the standard output.
answer() {
  local method path line file
  read -r method path _ || return
  while IFS= read -r line && [ "$line" != $'\r' ]; do :; done
  file=$(realpath -q "$directory/${path%%\?*}") || file=
  if [ "$method" = GET ] && [ -f "$file" ] && [[ $file == "$directory"/* ]]; then
    printf 'HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n' "$(stat -c %s "$file")"
    cat "$file"
  else
    printf 'HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n'
  fi
}

mkdir -p web
[ "$(cat web/state)" = LISTEN ] || echo ":$1" > web/listen
trap 'kill $(jobs -p)' EXIT
while read -r name < web/accept; do
  { answer < "$name/data" > "$name/data" || true; rmdir "$name"; } &
done
