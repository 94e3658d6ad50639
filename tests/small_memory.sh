#!/usr/bin/env bash
# small_memory.sh -- the memory that an ingest takes does not grow with the rows: a table and one four
# times as long pass under the same limit, with text that never repeats, text that stops repeating,
# large dictionaries, numbers that turn to text late, rows that are rejected.
set -u
lathe=$1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0
fail() { printf 'FAIL: %.400s\n' "$*"; failures=$((failures + 1)); }

make() { # make ROWS FILE
    awk -v rows="$1" 'BEGIN {
        print "id,key,late,city,code,price,when"
        for (i = 1; i <= rows; i++) {
            if (i % 5000 == 0) { print i ",broken"; continue }
            printf "%d,key %010d of %d,%s,city %d,%s,%.4f,2021-%02d-%02d 10:%02d:%02d\n",
                i, i * 7919 % 1000000007, i, i < 100000 ? "w" i % 7 : "word " i, i * 31 % 60000,
                i % 99991 == 70000 ? "none-" i : i % 1000000, i / 7,
                i % 12 + 1, i % 28 + 1, i % 60, i % 59
        }
    }' >"$2"
}
peak() { # peak LIMIT_KB FILE: ingests under that limit of private memory
    (
        ulimit -d "$1"
        export OPENBLAS_NUM_THREADS=1
        "$lathe" -w ws ingest "$2" as=t reject_limit=0.01 >out 2>err
    )
}

make 500000 small.csv
make 2000000 large.csv
# what the program itself takes depends on the machine: the least limit that is enough for the small one
for limit in 96000 128000 160000 192000 256000 320000 400000; do
    rm -rf ws
    peak "$limit" small.csv && break
done
[ "$limit" = 400000 ] && fail "the small table needs 400 MB: $(cat err)"
rm -rf ws
allowed=$((limit + 32000)) # a dictionary and the sketches are full only later
peak "$allowed" large.csv || fail "$(du -m large.csv | cut -f1) MB under $allowed KB: $(tail -n 1 err)"
[ "$failures" = 0 ] && echo "$(du -m large.csv | cut -f1) MB ingested in $((allowed / 1000)) MB of private memory"
exit $((failures > 0))
