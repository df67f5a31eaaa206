#!/bin/sh
# Builds and runs the stories against foreign PBXs (foreign/docker-compose.yml), and takes everything down again. Exit status: the
# stories'. By hand: it takes three minutes, and Debian bullseye's base image beside sid's.
set -u
cd "$(dirname "$0")/.."
compose=docker-compose
command -v docker-compose >/dev/null || compose="docker compose"
project="telgate-foreign-$$"
run() { $compose -f testbed/foreign/docker-compose.yml -p "$project" "$@"; }
trap 'run --profile stories down -v --remove-orphans --rmi local >/dev/null 2>&1' EXIT
trap 'exit 130' INT TERM

for image in debian:sid-slim debian:bullseye-slim golang:1.26; do
  docker image inspect "$image" >/dev/null 2>&1 || docker pull -q "$image" >/dev/null 2>&1 ||
    { echo "foreign: the base image $image is missing and cannot be pulled"; exit 1; }
done
log=$(mktemp)
run build >"$log" 2>&1 || { tail -40 "$log"; echo "foreign: the images cannot be built"; exit 1; }
run up -d asterisk22 asterisk16 >"$log" 2>&1 || { tail -40 "$log"; echo "foreign: the PBXs do not start"; exit 1; }
run run --rm stories
status=$?
for pbx in asterisk22 asterisk16; do
  left=$(run exec -T "$pbx" asterisk -rx 'core show channels count' | head -1 | tr -d '\r')
  echo "foreign: $pbx has $left"
  case "$left" in 0*) ;; *) status=1 ;; esac
done
rm -f "$log"
exit $status
