#!/usr/bin/env bash
# watch.sh -- lathe watch as a process: one a workspace, lines or JSON lines, ends when told to, may be killed; lathe alerts.
set -u
lathe=$1
work=$(mktemp -d) || exit 1
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0
fail() { printf 'FAIL: %.500s\n' "$*"; failures=$((failures + 1)); }
until_said() { # until_said WORDS FILE
    for _ in $(seq 300); do grep -q "$1" "$2" 2>/dev/null && return 0; sleep 0.1; done
    fail "no '$1' in $2: $(cat "$2")"
}

{ echo MILES,FARE; for i in $(seq 300); do echo "$((i % 20)).5,$((i % 20 * 2 + 3)).25"; done; } >fares.csv
"$lathe" -w ws ingest fares.csv as=fares >/dev/null 2>&1 || fail "ingest"
"$lathe" -w ws train gbdt data=fares target=FARE epochs=3 name=fares >/dev/null 2>&1 || fail "train"
"$lathe" -w ws deploy fares model=fares >/dev/null 2>said || fail "deploy: $(cat said)"

"$lathe" -w ws watch every=0.1 >out 2>&1 & first=$!
until_said watching out
"$lathe" -w ws watch rounds=1 >second 2>&1 && fail "two watch one workspace"
grep -q "watched already, by process $first" second || fail "who watches: $(cat second)"
kill -TERM $first
wait $first || fail "SIGTERM should end it well: $?"

"$lathe" -w ws watch every=0.1 >out 2>&1 & third=$!
until_said watching out
kill -KILL $third
wait $third 2>/dev/null
"$lathe" -w ws watch rounds=2 every=0.1 >out 2>&1 || fail "after a kill: $(cat out)"
"$lathe" -w ws --json watch rounds=2 every=0.1 >out 2>err || fail "as JSON: $(cat err)"
while read -r line; do case $line in '{'*'}') ;; *) fail "no line of JSON: $line" ;; esac; done <out

"$lathe" -w ws alerts >out 2>&1 || fail "alerts: $(cat out)"
grep -q 'no open alerts' out || fail "alerts of none: $(cat out)"
"$lathe" -w ws alerts ack 7 >out 2>&1 && fail "an alert that is not there"
grep -q 'no alert 7' out || fail "why not: $(cat out)"
"$lathe" -w ws alerts ack seven >out 2>&1
[ $? = 2 ] || fail "a word that is no number"
[ "$failures" = 0 ] && echo "one watcher, told to end, killed, and on again"
exit "$failures"
