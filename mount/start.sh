#!/usr/bin/env bash
# Mounts at ./net, in the foreground, with three commands to try. Without root, in namespaces of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin

mount/setup.sh start

openable() {
  { : <>"$1"; } 2>/dev/null
}

enter=
if [ "$(id -u)" -ne 0 ]; then
  if ! openable /dev/fuse || ! openable /dev/net/tun ||
    ! unshare --user --map-root-user --mount --net true 2>/dev/null; then
    cat >&2 <<'END'
holdfast: to mount, run this as root (sudo npm start).
Without root it takes /dev/fuse and /dev/net/tun that you may open, and unprivileged user namespaces.
END
    exit 1
  fi
  # unshare(1) does not fork here: the process keeps this id.
  # A working directory from outside would not see the mount, so the change comes after.
  enter="  nsenter --target $$ --user --preserve-credentials --mount --net
  cd '$PWD'"
fi

cat <<END
Every TCP connection is a directory under ./net/tcp. To try it, from another shell in this directory:
${enter:+
$enter
}
  node -e 'require("net").createServer((s) => s.pipe(s)).listen(9000)' &
  mkdir net/tcp/chat && echo 10.7.0.1:9000 > net/tcp/chat/connect
  echo hello > net/tcp/chat/data; read -r answer < net/tcp/chat/data; echo "\$answer"

END

mkdir -p net
if [ -n "$enter" ]; then
  exec unshare --user --map-root-user --mount --net bash -c \
    'ip link set lo up && exec node dist/mount/cli.js mount "$@"' holdfast ./net "$@"
fi
exec node dist/mount/cli.js mount ./net "$@"
