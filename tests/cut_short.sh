#!/usr/bin/env bash
# cut_short.sh -- a source, and a dataset, that is truncated while a command reads it: one line that says so,
# no signal, and a workspace that doctor finds whole (or says which dataset is not).
set -u
lathe=$1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0 caught=0
fail() { printf 'FAIL: %.400s\n' "$*"; failures=$((failures + 1)); }
said() { # said WHAT STATUS: 0, or 1 and one line
    [ "$2" = 0 ] && return
    caught=$((caught + 1))
    [ "$2" = 1 ] || fail "$1: exit $2: $(cat stderr)"
    [ "$(grep -c . stderr)" = 1 ] || fail "$1: $(cat stderr)"
}

"$lathe" sample months rows=300000 >/dev/null || fail sample
"$lathe" -w ws ingest months/taxi_2019_01.csv as=jan >/dev/null 2>stderr || fail "$(cat stderr)"
for form in csv parquet arrow; do
    "$lathe" -w ws export jan out=whole.$form >/dev/null 2>stderr || fail "$(cat stderr)"
done
for round in 1 2 3 4 5 6; do
    for form in csv parquet arrow; do
        cp whole.$form cut.$form
        size=$(stat -c %s cut.$form)
        "$lathe" -w ws ingest cut.$form as=cut_$round >out 2>stderr &
        process=$!
        sleep 0.0$((round * 13))
        truncate -s $((size * round / 8)) cut.$form
        wait $process
        said "ingest $form, round $round" $?
    done
done
"$lathe" -w ws --json doctor verify=yes >out 2>stderr && grep -q '"health": "whole"' out ||
    fail "after cut sources: $(cat out stderr)"
[ "$(find ws/datasets -name '.*' -type f | wc -l)" = 0 ] || fail "left over: $(ls -A ws/datasets)"

hash=$("$lathe" -w ws --json data jan | sed -n 's/.*"hash": "\([0-9a-f]*\)".*/\1/p' | head -n 1)
file=ws/datasets/$hash.arrow
cp "$file" kept.arrow
printf 'drop missing FAREAMOUNT\nderive hour = hour(ORIGINDATETIME_TR)\nclip MILEAGE 0 60\ndedupe\n' >rules
commands=("clean jan recipe=rules as=good" "data describe jan" "export jan out=x.parquet" "data freq jan PAYMENTTYPE"
    "sql 'select PAYMENTTYPE, avg(FAREAMOUNT) from jan group by 1'")
for round in 1 2 3; do
    for line in "${commands[@]}"; do
        cp kept.arrow "$file"
        size=$(stat -c %s "$file")
        eval "set -- $line"
        "$lathe" -w ws "$@" >out 2>stderr &
        process=$!
        sleep 0.0$((round * 17))
        truncate -s $((size * round / 5)) "$file"
        wait $process
        said "$line, round $round" $?
    done
done
[ $caught -gt 3 ] || fail "only $caught commands met a cut file: no test"
"$lathe" -w ws --json doctor verify=yes >out 2>stderr
grep -q "${hash:0:8}" out stderr || fail "doctor does not name the dataset that was cut: $(cat out stderr)"
cp kept.arrow "$file"
"$lathe" -w ws --json doctor verify=yes >out 2>stderr && grep -q '"health": "whole"' out ||
    fail "after cut datasets: $(cat out stderr)"
[ "$failures" = 0 ] && echo "cut short: $caught commands met a file that was cut, and said so"
exit $((failures > 0))
