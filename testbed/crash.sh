#!/bin/sh
# Tries to lose a page: kills gateways, databases and connections under real calls on loopback. Exit status: the stories'.
# TELGATE_SEED repeats a run. TELGATE_KILLS: how often gateways are killed on each engine; TELGATE_POSTS: just as they post a
# card; TELGATE_THANKS_KILLS: just after a key. TELGATE_REQUIRE_POSTGRES=1: it is a failure that PostgreSQL is not installed;
# TELGATE_REQUIRE_DISK=1: or that no small disk can be mounted.
set -eu
cd "$(dirname "$0")/.."
binary=$(mktemp -d)
trap 'rm -rf "$binary"' EXIT
CGO_ENABLED=0 go build -trimpath -o "$binary/telgate" ./cmd/telgate
CGO_ENABLED=0 go build -trimpath -tags shifted -o "$binary/shifted" ./cmd/telgate # its clock is wrong, as TELGATE_SHIFT says

# The version before: the newest tag, or what was there before the newest migration. A checkout without its history has none.
before() {
  newest=$(ls store/migrations/sqlite | tail -1)
  tag=$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null) && echo "$tag" && return
  git log --diff-filter=A --format=%H~1 -1 -- "store/migrations/sqlite/$newest"
}
old=$(before 2>/dev/null) || old=
if [ -n "$old" ] && mkdir "$binary/src" && git archive "$old" 2>/dev/null | tar x -C "$binary/src" &&
  (cd "$binary/src" && CGO_ENABLED=0 go build -trimpath -o "$binary/before" ./cmd/telgate); then
  export TELGATE_BEFORE="$binary/before"
  echo "crash: the version before is $(git log -1 --format='%h, %s' "$old")"
else
  echo "crash: the version before cannot be built here: upgrades are from this one to this one"
fi
TELGATE=$binary/telgate TELGATE_SHIFTED=$binary/shifted go test -count=1 -tags crash -v -parallel 16 -timeout 30m "$@" ./testbed/crash
