#!/usr/bin/env bash
# Makes this checkout ready to run: the system programs, the npm packages, the build. Says nothing when all is there.
#
#   mount/setup.sh start    what the daemon needs
#   mount/setup.sh test     what the tests need as well
#   mount/setup.sh bench    and the bench
#   mount/setup.sh analyse  and the analysis of captures, which is larger than all the rest
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin

# program, and the Debian package that has it
for_start='ip:iproute2 mount:mount'
for_test='socat:socat nc:netcat-openbsd curl:curl nft:nftables unshare:util-linux setpriv:util-linux
  ps:procps mandoc:mandoc man:man-db python3:python3 perl:perl-base dash:dash busybox:busybox jq:jq wget:wget
  ssh:openssh-client dropbear:dropbear-bin fio:fio stress-ng:stress-ng cc:gcc gencat:libc6-dev'
for_bench='gcc:gcc'
for_analyse='tshark:tshark tcpdump:tcpdump'

fail() {
  printf 'holdfast: %s\n' "$@" >&2
  exit 1
}

# Runs a command, and shows what it printed only if it fails.
quietly() {
  local output
  output=$("$@" 2>&1 </dev/null) || fail "$* failed:" "$output"
}

# The OpenBSD nc is meant: the traditional one has other options.
has() {
  command -v "$1" >/dev/null && { [ "$1" != nc ] || [[ $(nc -h 2>&1) == OpenBSD* ]]; }
}

# Sets `programs` to those of "program:package ..." that are missing, and `packages` to where they are.
find_missing() {
  local entry
  programs=() packages=()
  for entry in $1; do
    has "${entry%%:*}" || { programs+=("${entry%%:*}") packages+=("${entry#*:}"); }
  done
  mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)
}

system_programs() {
  local programs packages
  find_missing "$1"
  [ ${#programs[@]} -eq 0 ] && return
  [ -e /etc/debian_version ] && command -v apt-get >/dev/null ||
    fail "missing programs: ${programs[*]}. On Debian they are in the packages: ${packages[*]}"
  [ "$(id -u)" -eq 0 ] ||
    fail "missing programs: ${programs[*]}. To get them: sudo apt-get install ${packages[*]}"
  echo "holdfast: installing ${packages[*]}" >&2
  export DEBIAN_FRONTEND=noninteractive
  quietly apt-get update -q
  quietly apt-get install -q -y --no-install-recommends "${packages[@]}"
  find_missing "$1"
  [ ${#programs[@]} -eq 0 ] || fail "still missing: ${programs[*]}"
}

openable() {
  { : <>"$1"; } 2>/dev/null
}

devices() {
  openable /dev/fuse || fail '/dev/fuse cannot be opened: it takes root, and the module "fuse" (modprobe fuse)'
  openable /dev/net/tun || fail '/dev/net/tun cannot be opened: it takes root, and the module "tun" (modprobe tun)'
}

node_version() {
  node -e 'const [major, minor] = process.versions.node.split(".").map(Number);
           process.exit(major > 20 || (major === 20 && minor >= 15) ? 0 : 1)' ||
    fail "Node 20.15 or newer is needed; this is $(node --version)"
}

# Every package brings what it has built. The scripts look for reasons to build it anew, with a compiler: fuse-native's finds one
# where no libfuse is installed, though it has one with it.
npm_packages() {
  [ node_modules/.package-lock.json -nt package-lock.json ] && return
  echo 'holdfast: installing npm packages' >&2
  quietly npm ci --ignore-scripts
  touch node_modules/.package-lock.json
}

# tap puts its plug-ins together when .taprc changes, and the run that finds that out fails.
tap_plugins() {
  [ .tap/plugins -nt .taprc ] && [ .tap/plugins -nt node_modules/.package-lock.json ] && return
  quietly node_modules/.bin/tap build
  touch .tap/plugins
}

command -v node >/dev/null || fail 'Node 20.15 or newer is needed: https://nodejs.org'
case ${1-} in
  start) system_programs "$for_start" ;;
  test) system_programs "$for_start $for_test" && devices ;;
  bench) system_programs "$for_start $for_test $for_bench" && devices ;;
  analyse) system_programs "$for_start $for_test $for_analyse" && devices ;;
  *) fail 'usage: mount/setup.sh start|test|bench|analyse' ;;
esac
node_version
npm_packages
[ "$1" = start ] || tap_plugins
quietly mount/build.sh
