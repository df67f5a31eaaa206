#!/bin/sh
# Runs the stories with peers from Debian's packages (sip-tester, kamailio, kamailio-tls-modules, baresip) on loopback. What is not
# installed is skipped with a word, unless INTEROP_STRICT=1. Exit status: the stories'.
set -eu
cd "$(dirname "$0")/.."
missing=""
for program in sipp kamailio baresip; do
  command -v "$program" >/dev/null || missing="$missing $program"
done
[ -z "$missing" ] || echo "interop: not installed:$missing"
[ -z "$missing" ] || [ "${INTEROP_STRICT:-0}" != 1 ] || exit 1
binary=$(mktemp -d)
trap 'rm -rf "$binary"' EXIT
CGO_ENABLED=0 go build -trimpath -o "$binary/telgate" ./cmd/telgate
TELGATE_SIEGE=${TELGATE_SIEGE:-60s} go test -count=1 -run Siege ./cmd/telgate
TELGATE=$binary/telgate go test -count=1 -tags interop -parallel 12 -timeout 15m "$@" ./testbed/interop
