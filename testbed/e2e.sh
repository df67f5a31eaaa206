#!/bin/sh
# Builds and runs the stories of docker-compose.yml, and takes everything down again. Exit status: the stories'.
set -u
cd "$(dirname "$0")/.."
compose=docker-compose
command -v docker-compose >/dev/null || compose="docker compose"
project="telgate-e2e-$$"
down() { $compose -p "$project" --profile stories down -v --remove-orphans --rmi local >/dev/null 2>&1; }
trap down EXIT INT TERM

for image in debian:sid-slim golang:1.26; do
  docker image inspect "$image" >/dev/null 2>&1 || docker pull -q "$image" >/dev/null ||
    { echo "e2e: the base image $image is missing and cannot be pulled"; exit 1; }
done
log=$(mktemp)
$compose -p "$project" build asterisk postgres stories >"$log" 2>&1 || { tail -40 "$log"; echo "e2e: the images cannot be built"; exit 1; }
$compose -p "$project" up -d asterisk postgres >"$log" 2>&1 || { tail -40 "$log"; echo "e2e: Asterisk or PostgreSQL does not start"; exit 1; }
$compose -p "$project" run --rm stories
status=$?
left=$($compose -p "$project" exec -T asterisk asterisk -rx 'core show channels count' | head -1 | tr -d '\r')
echo "e2e: Asterisk has $left"
case "$left" in 0*) ;; *) status=1 ;; esac
contacts=$($compose -p "$project" exec -T asterisk asterisk -rx 'pjsip show contacts' | grep -c 'desk/')
echo "e2e: Asterisk has $contacts contacts of the trunk that registered and stopped"
[ "$contacts" = 0 ] || status=1
exit $status
