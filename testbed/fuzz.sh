#!/bin/sh
# Runs every fuzz target of the module, one after another, each for FUZZTIME (default 10s).
set -eu
cd "$(dirname "$0")/.."
for package in $(go list ./...); do
  for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
    echo "$package $target"
    go test "$package" -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-10s}" | tail -1
  done
done
