#!/usr/bin/env bash
# demo.sh -- lathe demo production in a short form: that each thing happened, as the store has it.
set -u
lathe=$1
"$lathe" serve --help 2>&1 | grep -q deployment= || { echo "this lathe serves no deployments"; exit 77; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0
fail() { printf 'FAIL: %.500s\n' "$*"; failures=$((failures + 1)); }
number() { "$lathe" -w year --json sql "$1" | tr -dc '0-9 \n' | tr ' ' '\n' | grep -m 1 .; }
some() { # some WHAT SQL: a count above 0
    local n
    n=$(number "$2")
    [ "${n:-0}" -gt 0 ] || fail "$1: '$n' by $2"
}

timeout 300 "$lathe" demo production seconds=15 in=year >said 2>&1 || fail "the demo: $(tail -n 3 said)"
some "drift was raised" "select count(*) as n from alerts where kind = 'drift'"
some "drift was measured before it was there" "select count(*) as n from monitor_points where kind = 'drift' and \"column\" = '' and alarm = 0"
some "a loss was estimated" "select count(*) as n from monitor_points where kind = 'estimate' and alarm"
some "estimates met their truth" "select count(*) as n from monitor_points where kind = 'estimate' and truth is not null"
some "performance by feedback" "select count(*) as n from monitor_points where kind = 'performance' and test = 'mae'"
some "a new value was told" "select count(*) as n from alerts where kind = 'quality' and text like '%Telephone%'"
some "a model was trained anew" "select count(*) as n from runs where id > 2 and status = 'FINISHED'"
some "on rows of the log" "select count(*) as n from datasets where name = 'january_fares' and source like '%predictions of deployment fares%'"
some "tried as a shadow" "select count(*) as n from audit where what = 'shadow' and actor = 'watch'"
some "judged by its gate" "select count(*) as n from gate_checks where rule like 'mae%'"
some "promoted" "select count(*) as n from deployments join models on models.id = deployments.model where run > 2"
some "the bad one rolled back" "select count(*) as n from audit where what = 'back' and actor = 'watch' and id > (select max(id) from audit where what = 'canary' and actor = 'demo')"
"$lathe" demo production seconds=15 in=year >said 2>&1 && fail "a workspace that is there already should be refused"
grep -q 'is a workspace already' said || fail "no reason: $(cat said)"
[ "$failures" = 0 ] && echo "a year in fifteen seconds: seen, estimated, trained anew, shadowed, promoted, rolled back"
exit "$failures"
