#!/usr/bin/env bash
# predict_lines.sh -- rows as JSON lines through a pipe: the same predictions as from a CSV file, each answered
# when it comes, and every line that cannot be read answered with its number and the reason.
set -u
lathe=$1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0
fail() { printf 'FAIL: %.500s\n' "$*"; failures=$((failures + 1)); }
{ echo 'miles,minutes,time,when,fare'
  for i in $(seq 400); do
      echo "$((i % 17)).5,$((i % 23)),$([ $((i % 2)) = 0 ] && echo day || echo night),2019-01-0$((i % 9 + 1)) 10:00:00,$((i % 17 * 2 + i % 23 + 4)).25"
  done; } >trips.csv
"$lathe" -w ws ingest trips.csv as=trips >/dev/null 2>stderr || fail "$(cat stderr)"
"$lathe" -w ws train linear data=trips target=fare epochs=30 >/dev/null 2>stderr || fail "$(cat stderr)"
awk -F, 'NR > 1 { printf "{\"miles\": %s, \"minutes\": %s, \"time\": \"%s\", \"when\": \"%s\", \"fare\": %s, \"more\": 1}\n", $1, $2, $3, $4, $5 }' \
    trips.csv | sed 's/\(2019-01-0.\) /\1T/' >trips.jsonl

"$lathe" -w ws --json predict last trips.csv out=a.csv >a.json 2>stderr || fail "csv: $(cat stderr)"
"$lathe" -w ws --json predict last trips.jsonl out=b.csv >b.json 2>stderr || fail "jsonl: $(cat stderr)"
cmp -s a.csv b.csv || fail "lines give other predictions: $(diff a.csv b.csv | head -n 4)"
for key in rows rmse mae; do
    [ "$(grep "\"$key\"" a.json)" = "$(grep "\"$key\"" b.json)" ] || fail "$key: $(grep "\"$key\"" a.json b.json)"
done
"$lathe" -w ws predict last in=- format=jsonl out=- <trips.jsonl >c.jsonl 2>c.err || fail "pipe: $(cat c.err)"
[ "$(wc -l <c.jsonl)" = 400 ] || fail "$(wc -l <c.jsonl) lines of 400"
[ "$(sed -n 's/.*"prediction":\([-0-9.e]*\).*/\1/p' c.jsonl | head -n 3 | tr '\n' ' ')" = \
    "$(sed -n 2,4p a.csv | cut -d, -f2 | tr '\n' ' ')" ] || fail "pipe: $(head -n 3 c.jsonl)"
grep -q 'rmse' c.err || fail "what it adds up to is not on standard error: $(cat c.err)"
"$lathe" -w ws predict last trips.csv out=- 2>/dev/null | cmp -s - a.csv || fail "CSV on standard output"

# bad lines in their places; a good one between them
{ echo '{"miles": 1}'; echo 'nonsense'; head -n 1 trips.jsonl; echo '{"miles": "far", "minutes": 1, "time": "day", "when": null}'; echo '[1, 2]'; echo
  echo '{"miles": 1, "minuts": 2, "time": "day", "when": null}'; printf '{"miles": 1, "minutes": null, "time": "dusk", "when": null}'; } |
    "$lathe" -w ws --json predict last - format=jsonl out=- >d.jsonl 2>d.err || fail "bad lines: $(cat d.err)"
sed 's/.*"line":\([0-9]*\).*/\1/; s/.*"row":\([0-9]*\).*/row \1/' d.jsonl | tr '\n' ' ' >order
[ "$(cat order)" = "1 2 row 0 4 5 7 row 1 " ] || fail "order: $(cat order)"
grep -q 'did you mean\|was that meant' d.jsonl || fail "no hint: $(cat d.jsonl)"
grep -q 'column miles: expected a number' d.jsonl || fail "no reason: $(cat d.jsonl)"
grep -q '"rejects": 5' d.err || fail "count: $(cat d.err)"
head -c 17000000 /dev/zero | tr '\0' x | "$lathe" -w ws predict last - format=jsonl out=- 2>/dev/null | grep -q 'longer than 16 MB' || fail "a line without end"

# who waits for the answer gets it
mkfifo ask
"$lathe" -w ws predict last - format=jsonl out=- <ask >answer 2>/dev/null &
exec 3>ask
for i in 1 2 3; do
    sed -n "${i}p" trips.jsonl >&3
    for _ in $(seq 300); do [ "$(wc -l <answer)" = "$i" ] && break; sleep 0.05; done
    [ "$(wc -l <answer)" = "$i" ] || fail "line $i is not answered before the next is asked"
done
exec 3>&-
wait
"$lathe" -w ws predict last 2>stderr && fail "without rows"
grep -q 'which rows' stderr || fail "$(cat stderr)"
"$lathe" -w ws predict last trips.csv in=- 2>stderr && fail "both"
"$lathe" -w ws predict last missing.jsonl 2>stderr && fail "no such file"
grep -q 'missing.jsonl: cannot open' stderr || fail "$(cat stderr)"
# as many threads as there are make no difference, nor do lines that cannot be read
{ cat trips.csv; for i in $(seq 400); do tail -n +2 trips.csv; done; } |
    awk 'NR % 977 == 0 { print "broken,line,with,far,too,many,fields,for,this,table" } { print }' >many.csv
for out in p.csv p.jsonl; do
    "$lathe" -w ws --json predict last many.csv out=two-$out >two.json 2>stderr || fail "two threads: $(cat stderr)"
    taskset -c "$(taskset -cp $$ | sed 's/.*: \([0-9]*\).*/\1/')" "$lathe" -w ws --json predict last many.csv out=one-$out >one.json 2>stderr ||
        fail "one thread: $(cat stderr)"
    cmp two-$out one-$out || fail "$out differs with the threads"
    [ "$(wc -l <two-$out)" -gt 50000 ] || fail "$out has $(wc -l <two-$out) lines"
done
grep -q reason two-p.jsonl || fail "no line was refused"

[ "$failures" = 0 ] && echo "predict lines: all as expected"
exit $((failures > 0))
