#!/usr/bin/env bash
# Ships what is appended to a log to a server. The connection knows how many bytes it has taken (SEND_END), so
# kill this program or the engine at any moment and start it again: no byte is left out, and none is sent twice.
#
#   examples/log-shipper.sh LOG HOST:PORT [MOUNTPOINT]
set -euo pipefail
log=$(realpath "$1")
cd "${3:-net}/tcp"

mkdir -p ship
[ "$(cat ship/connect)" = connected ] || echo "$2" > ship/connect
shipped=$(awk '$1 == "SEND_END" { print $2 }' ship/status)
exec tail -c "+$((shipped + 1))" -f "$log" > ship/data
