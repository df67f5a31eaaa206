#!/bin/sh
# Tries to lose a page: kills gateways, databases and connections under real calls on loopback. Exit status: the stories'.
# TELGATE_KILLS: how often gateways are killed in each story, TELGATE_REQUIRE_POSTGRES=1: PostgreSQL must be installed.
set -eu
cd "$(dirname "$0")/.."
binary=$(mktemp -d)
trap 'rm -rf "$binary"' EXIT
CGO_ENABLED=0 go build -trimpath -o "$binary/telgate" ./cmd/telgate
TELGATE=$binary/telgate go test -count=1 -tags crash -v -parallel 4 -timeout 30m "$@" ./testbed/crash
