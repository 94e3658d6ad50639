#!/usr/bin/env bash
# larger.sh -- tables larger than the memory there is: with a limit that neither the dataset nor its encoded
# rows fit in, a table is ingested, cleaned, trained on by a net and by trees, scored and compared, and the
# runs are those of a machine with memory to spare, bit for bit. Then a kill, which leaves no file behind.
set -u
lathe=$1
limit=220000 # KB of memory that a process may have for itself (ulimit -d)
resident=345000 # KB it may have in memory, mapped files and all
rows=600000  # in each of two months
ldd "$lathe" | grep -qE 'asan|tsan|ubsan' && { echo "a sanitizer's memory is its own"; exit 77; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export OPENBLAS_NUM_THREADS=1
failures=0
fail() { printf 'FAIL: %.400s\n' "$*"; failures=$((failures + 1)); }

timed=()
[ -x /usr/bin/time ] && timed=(/usr/bin/time -q -o rss -f '%M')
small() { # small ARGS...: under the limit
    (ulimit -d "$limit" && "${timed[@]}" "$lathe" -w ws --plain "$@" >out 2>stderr) ||
        fail "under $limit KB: lathe $*: $(tail -n 1 stderr)"
    [ ${#timed[@]} = 0 ] || [ "$(cat rss)" -lt "$resident" ] || fail "lathe $*: $(cat rss) KB resident"
}
curves() { # of run N, all but what the clock says
    "$lathe" -w ws --json sql "select key, step, value from metrics where run = $1 and
        key <> 'samples_per_second' order by key, step" limit=0 >"$2"
}

"$lathe" sample months rows=$rows >/dev/null || fail "sample"
cat >rules <<'RULES'
drop missing FAREAMOUNT, MILEAGE, DURATION
keep FAREAMOUNT between 3 and 200
derive hour = hour(ORIGINDATETIME_TR)
clip MILEAGE 0 60
impute DURATION median
dedupe
RULES
small ingest 'months/*.csv' as=trips
small clean trips recipe=rules as=good
"$lathe" -w ws --plain clean trips recipe=rules as=roomy >/dev/null 2>stderr || fail "clean: $(cat stderr)"
[ "$("$lathe" -w ws --json sql 'select count(distinct hash) as n from datasets where name in ("good", "roomy")' | grep -c '"n": 1')" = 1 ] ||
    fail "what is left under the limit is another table"
small train mlp data=good target=FAREAMOUNT epochs=1 batch=1024 hidden=32 memory=16 seed=3
grep -q 'kept in files: [0-9]* MB' out || fail "nothing was kept in files: $(grep prepare out)"
files=$(sed -n 's/.*kept in files: \([0-9]*\) MB.*/\1/p' out)
bytes=$(stat -c %s ws/datasets/*.arrow | sort -n | tail -n 1)
[ $((files * 1000 + bytes / 1000)) -gt $((2 * limit)) ] ||
    fail "$files MB of encoded rows and a dataset of $bytes bytes: no test of $limit KB"
small train gbdt data=good target=FAREAMOUNT epochs=3 memory=16 seed=3
small train gbdt data=good target=FAREAMOUNT epochs=4 lr=.5 goss=yes loss=absolute memory=16 seed=3
small predict 1 months/taxi_2019_02.csv out=mlp.csv
small predict 2 trips out=gbdt.csv
small drift trips good
[ "$(wc -l <gbdt.csv)" -gt $rows ] || fail "predictions: $(wc -l <gbdt.csv) lines"

"$lathe" -w ws --plain train mlp data=good target=FAREAMOUNT epochs=1 batch=1024 hidden=32 seed=3 \
    >out 2>stderr || fail "mlp in memory: $(cat stderr)"
grep -q 'kept in files' out && fail "with memory to spare rows were kept in files"
"$lathe" -w ws --plain train gbdt data=good target=FAREAMOUNT epochs=3 seed=3 >out 2>stderr ||
    fail "gbdt in memory: $(cat stderr)"
"$lathe" -w ws --plain train gbdt data=good target=FAREAMOUNT epochs=4 lr=.5 goss=yes loss=absolute seed=3 \
    >out 2>stderr || fail "goss in memory: $(cat stderr)"
for pair in "1 4" "2 5" "3 6"; do
    # shellcheck disable=SC2086
    set -- $pair
    curves "$1" one
    curves "$2" two
    grep -q val_loss one || fail "run $1 has no curves"
    cmp -s one two || fail "run $1 under the limit is not run $2: $(diff one two | head -n 3)"
    cmp -s "ws/runs/$1/bundle/model.safetensors" "ws/runs/$2/bundle/model.safetensors" ||
        fail "the weights of run $1 and run $2 differ"
done

# killed while the rows stand in files: they had no name, so nothing is left of them
before=$(find ws -type f ! -name '*.db*' | wc -l)
"$lathe" -w ws --plain train mlp data=good target=FAREAMOUNT epochs=100 memory=1 >out 2>stderr &
child=$!
for _ in $(seq 600); do
    grep -q 'step 0  start' out && break
    sleep 0.1
done
grep -q 'kept in files' out || fail "before the kill: $(cat out stderr)"
kill -9 $child
wait $child 2>/dev/null
[ -z "$(find ws -name '.scratch*')" ] || fail "a kill left scratch files"
# of the run itself: its statistics, and perhaps a checkpoint
after=$(find ws -type f ! -name '*.db*' ! -path 'ws/runs/7/*' | wc -l)
[ "$before" = "$after" ] || fail "a kill left $((after - before)) files"
"$lathe" -w ws runs >/dev/null # sees that its process is gone
"$lathe" -w ws --json doctor >out 2>stderr && grep -q '"health": "whole"' out ||
    fail "doctor: $(sed -n '/workspace/,$p' out) $(cat stderr)"
[ "$failures" = 0 ] && echo "larger than memory: all as expected ($files MB in files, ${bytes} bytes of dataset, $limit KB)"
exit $((failures > 0))
