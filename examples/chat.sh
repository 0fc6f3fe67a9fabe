#!/usr/bin/env bash
# A chat room: what a caller says, all the others read. End this program and start it again: nobody has left.
#
#   examples/chat.sh PORT [MOUNTPOINT]        then, from anywhere: nc -N 10.7.0.2 PORT
set -euo pipefail
port=$1
cd "${2:-net}/tcp"

# Who has come in by the port, and has not gone.
members() {
  awk -v port=":$port$" '$1 != "-" && $2 ~ port && $4 == "ESTABLISHED" { print $1 }' connections
}

tell_others() {
  for member in $(members); do
    [ "$member" = "$1" ] || echo "$1: $2" > "$member/data" || continue
  done
}

attend() {
  while IFS= read -r line; do tell_others "$1" "$line"; done < "$1/data"
  rmdir "$1"
}

mkdir -p room
[ "$(cat room/state)" = LISTEN ] || echo ":$port" > room/listen
trap 'kill $(jobs -p)' EXIT
for name in $(members); do attend "$name" & done
while read -r name < room/accept; do attend "$name" & done
