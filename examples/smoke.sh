#!/bin/sh
# A callback server with its stand-in platform, twenty new followers, one look at an event: examples/smoke.sh [BINARY]
set -eu
wxops=$(realpath "$(command -v "${1:-wxops}")")
dir=$(mktemp -d)
cd "$dir"
run() { "$wxops" --config wxops-sandbox/wxops.toml "$@"; }
wait_for() { for _ in $(seq 100); do "$@" && return; sleep 0.1; done; echo "waited in vain: $*" >&2; cat log >&2; exit 1; }
listed() { [ "$(run followers list --followed --json | wc -l)" -eq 20 ]; }

: >log
"$wxops" serve --sandbox >log 2>&1 &
trap 'kill $!; wait; rm -rf "$dir"' EXIT
wait_for grep -q 'listening on' log
run sandbox push subscribe --count 20
wait_for listed
event=$(run events list --json | sed -n '1s/.*"id": *"\([0-9]*\)".*/\1/p')
run events show "$event" | grep -q subscribe
echo "20 followers, event $event looked at: it works"
