#!/bin/sh
# Tries to lose a page: kills gateways, databases and connections under real calls on loopback. Exit status: the stories'.
# TELGATE_SEED repeats a run. TELGATE_KILLS: how often gateways are killed on each engine. TELGATE_REQUIRE_POSTGRES=1: it is a
# failure that PostgreSQL is not installed; TELGATE_REQUIRE_DISK=1: or that no small disk can be mounted.
set -eu
cd "$(dirname "$0")/.."
binary=$(mktemp -d)
trap 'rm -rf "$binary"' EXIT
CGO_ENABLED=0 go build -trimpath -o "$binary/telgate" ./cmd/telgate
CGO_ENABLED=0 go build -trimpath -tags shifted -o "$binary/shifted" ./cmd/telgate # its clock is wrong, as TELGATE_SHIFT says
TELGATE=$binary/telgate TELGATE_SHIFTED=$binary/shifted go test -count=1 -tags crash -v -parallel 16 -timeout 30m "$@" ./testbed/crash
