#!/usr/bin/env bash
# sql_stream.sh -- `lathe sql` writes rows as they come: as a table, as JSON and as CSV its memory does not grow
# with them, a reader that stops reading ends it, and so does a signal.
set -u
lathe=$1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0
fail() { printf 'FAIL: %.400s\n' "$*"; failures=$((failures + 1)); }
export OPENBLAS_NUM_THREADS=1

awk 'BEGIN { print "id,name,price"; for (i = 1; i <= 2000; i++) printf "%d,%s,%.2f\n", i, i == 7 ? "\"a \"\"b\"\", c\"" : "name " i % 9, i / 8 }' >t.csv
"$lathe" -w ws ingest t.csv as=t >/dev/null || fail ingest
many="with recursive k(n) as (select 1 union all select n + 1 from k where n < ROWS) select n, 'a row of text ' || n as words, n / 7.0 as part from k"

asks() { # asks LIMIT_KB ROWS ARGS...: under that limit of private memory
    local limit=$1 rows=$2
    shift 2
    (ulimit -d "$limit"; "$lathe" -w ws sql "${many/ROWS/$rows}" "$@")
}

# what the program itself takes depends on the machine: the least limit that is enough for a few rows
for limit in 32000 48000 64000 96000 128000 192000 256000; do
    asks "$limit" 2000 limit=0 >small 2>err && break
done
[ "$limit" = 256000 ] && fail "2,000 rows need 256 MB: $(cat err)"
rows=2000000 # as a result in memory, some gigabytes
lines=$(asks $((limit + 16000)) $rows limit=0 2>err | wc -l)
[ "$lines" = $((rows + 2)) ] || fail "table: $lines lines: $(cat err)"
lines=$(asks $((limit + 16000)) $rows limit=0 --json 2>err | wc -l)
[ "$lines" = $((5 * rows + 9)) ] || fail "json: $lines lines: $(cat err)"
lines=$(asks $((limit + 16000)) $rows out=- 2>err | wc -l)
[ "$lines" = $((rows + 1)) ] || fail "csv: $lines lines: $(cat err)"

# rows beyond those that say how wide the columns are
"$lathe" -w ws sql "select id, name, price from t" limit=0 >table || fail table
[ "$(sed -n 1p table | tr -s ' ')" = " id name price" ] || fail "names: $(sed -n 1p table)"
[ "$(tail -1 table)" = "(2000 rows)" ] || fail "end: $(tail -1 table)"
[ "$(awk 'NR > 1 && NF == 4 && $1 == NR - 1 && $3 == $1 % 9' table | wc -l)" = 1999 ] || fail "rows of the table"
"$lathe" -w ws sql "select id from t" limit=1500 | tail -1 | grep -q '(1500 rows, more left out; limit=0 gives all)' || fail limit

# the document is what the verb gives; CSV reads back as the same table
"$lathe" -w ws sql "select id, name, price, null as none from t where id < 9" --json >doc || fail json
awk '{ print }' doc | grep -q '"name": "a \\"b\\", c"' || fail "quotes in JSON"
if command -v python3 >/dev/null; then
    python3 - <<'P' || fail "the document"
import json
d = json.load(open("doc"))
assert d["columns"] == ["id", "name", "price", "none"] and len(d["rows"]) == 8 and "truncated" not in d
assert d["rows"][6] == {"id": 7, "name": 'a "b", c', "price": 0.88, "none": None}
P
fi
"$lathe" -w ws sql "select * from t" out=- >back.csv 2>report || fail "out=-"
grep -q 2000 report || fail "the report of out=-: $(cat report)"
"$lathe" -w ws ingest back.csv as=back >/dev/null || fail "ingest of out=-"
[ "$("$lathe" -w ws sql "select count(*) n from (select * from t except select * from back)" --json | grep '"n":')" = '      "n": 0' ] || fail "rows that came back differ"
"$lathe" -w ws sql "select 1 as one where 0" --json | tr -d ' \n' | grep -q '{"columns":\["one"\],"rows":\[\]}' || fail "no rows, JSON"
[ "$("$lathe" -w ws sql "select null as a union all select 2" out=- 2>/dev/null | tr '\n' ';')" = 'a;"";2;' ] || fail "a row of one NULL"

# the first rows are there long before the last
"$lathe" -w ws sql "${many/ROWS/1000000000}" limit=0 2>err | head -3 >some
[ "$(wc -l <some)" = 3 ] || fail "head: $(cat some err)"
"$lathe" -w ws sql "${many/ROWS/1000000000}" limit=0 >endless 2>err &
pid=$!
for _ in $(seq 100); do [ -s endless ] && break; sleep 0.1; done
kill -INT $pid # background jobs of a script ignore SIGINT unless the program asks for it
wait $pid && fail "a stopped statement succeeded"
grep -q 'stopped on request' err || fail "after SIGINT: $(cat err)"
[ "$(tail -c +1 endless | head -2 | wc -l)" = 2 ] || fail "rows before SIGINT"

[ "$failures" = 0 ] && echo "sql_stream: all as it should be"
exit "$((failures > 0))"
