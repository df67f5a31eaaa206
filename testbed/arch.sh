#!/bin/sh
# Checks the import rule of the rooms (depguard in .golangci.yml), and that a planted breach of it is found.
set -eu
cd "$(dirname "$0")/.."
lint=${1:-golangci-lint}
"$lint" run --enable-only depguard ./... >/dev/null || { "$lint" run --enable-only depguard ./...; exit 1; }
breach() {
  printf 'package %s\n\nimport _ "%s"\n' "$1" "$2" >"$1/planted_breach.go"
  found=0
  "$lint" run --enable-only depguard "./$1" 2>&1 | grep -q 'planted_breach.go.*(depguard)' && found=1
  rm -f "$1/planted_breach.go"
  [ $found = 1 ] || { echo "arch: $1 importing $2 was not found"; exit 1; }
}
breach sip telgate/media
breach plan github.com/emiago/sipgo
breach pager telgate/voice
breach voice telgate/pager
echo "arch: the import rule holds; 4 planted breaches were found"
