#!/usr/bin/env bash
# journey.sh -- one table's way from ingest to drift, by the commands alone, each result asked for its
# values; then wrong input in every place, which must give one line and leave the workspace whole.
set -u
lathe=$1
house=$PWD
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0

fail() { printf 'FAIL: %.600s\n' "$*"; failures=$((failures + 1)); }

# first KEY: the first "KEY": value of the JSON on standard input
first() { grep -o "\"$1\": *[^,}]*" | head -n 1 | sed 's/^[^:]*: *//; s/"//g'; }
less() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a != "" && a + 0 < b + 0) }'; }

run() { # run ARGS...: must succeed; its JSON is in $out
    if ! out=$("$lathe" -w ws --json "$@" 2>"$work/stderr"); then
        fail "lathe $*: $(cat "$work/stderr")"
        return 1
    fi
}

# refuse STATUS PART ARGS...: must fail so, with one line that holds PART
refuse() {
    local status=$1 part=$2 got lines
    shift 2
    "$lathe" -w ws "$@" >"$work/stdout" 2>"$work/stderr" </dev/null
    got=$?
    lines=$(wc -l <"$work/stderr")
    [ "$got" = "$status" ] || fail "lathe $*: exit $got, expected $status: $(cat "$work/stderr")"
    [ "$lines" = 1 ] || fail "lathe $*: $lines lines on standard error, expected 1"
    grep -qiF -- "$part" "$work/stderr" || fail "lathe $*: '$(cat "$work/stderr")' lacks '$part'"
}

# ---- the journey --------------------------------------------------------------------------------
run sample months rows=6000 seed=5 drift=0.6
jan=$(ls months/*.csv | sed -n 1p) feb=$(ls months/*.csv | sed -n 2p)
[ -s "$jan" ] && [ -s "$feb" ] || { fail "no sample months"; exit 1; }
cat >clean.recipe <<'RULES'
# taxi trips
drop missing FAREAMOUNT, MILEAGE, DURATION
keep FAREAMOUNT between 3 and 200
derive hour = hour(ORIGINDATETIME_TR)
clip MILEAGE 0 60
RULES

run ingest "$jan" as=jan && {
    [ "$(first columns <<<"$out")" = 27 ] || fail "27 columns expected: $out"
    less 0 "$(first rejects <<<"$out")" || fail "some rows are broken on purpose: $out"
    less 5000 "$(first rows <<<"$out")" || fail "too few rows: $out"
}
run ingest "$feb" as=feb
run data jan && grep -q '"column": "FAREAMOUNT"' <<<"$out" || fail "no schema"
run sql "select count(*) as n from jan" && less 5000 "$(first n <<<"$out")" || fail "sql: $out"
run clean jan recipe=clean.recipe dry=yes && grep -q '"rows_out"' <<<"$out" || fail "dry: $out"
run clean jan recipe=clean.recipe as=jan_clean
features=MILEAGE,DURATION,AIRPORT,ORIGINDATETIME_TR
run train linear data=jan target=FAREAMOUNT recipe=clean.recipe features=$features epochs=5 seed=3 && {
    linear=$(first run <<<"$out")
    [ "$(first status <<<"$out")" = FINISHED ] || fail "linear: $out"
}
run train mlp data=jan target=FAREAMOUNT recipe=clean.recipe features=$features epochs=6 hidden=32,32 seed=3 && {
    mlp=$(first run <<<"$out")
    rmse=$(first test_rmse <<<"$out")
    less "$rmse" 20 || fail "mlp: test_rmse $rmse"
    # the same seed gives the same bits
    run train mlp data=jan target=FAREAMOUNT recipe=clean.recipe features=$features epochs=6 hidden=32,32 seed=3
    [ "$(first test_rmse <<<"$out")" = "$rmse" ] || fail "same seed, other result: $(first test_rmse <<<"$out") and $rmse"
}
run runs list && [ "$(grep -c '"run":' <<<"$out")" = 3 ] || fail "three runs expected: $out"
run runs show "$mlp" && grep -q '"hidden": "32,32"' <<<"$out" || fail "show: $out"
run runs diff "$linear" "$mlp" && grep -q '"what": "family"' <<<"$out" || fail "diff: $out"
run runs diff "$linear" "$mlp" $((mlp + 1)) && grep -q "\"c\": $((mlp + 1))" <<<"$out" &&
    grep -q '"c": "32,32"' <<<"$out" && grep -q '"metric": "test_rmse"' <<<"$out" || fail "diff of three: $out"
refuse 2 "compares at most 6" runs diff 1 2 3 1 2 3 1
run runs tag "$mlp" good && run runs note "$mlp" "first try" && run runs rename "$mlp" first-mlp
run runs show first-mlp && grep -q '"note": "first try"' <<<"$out" || fail "note: $out"
run sql "select count(*) as n from metrics where run = $mlp and key = 'val_loss'" &&
    [ "$(first n <<<"$out")" = 6 ] || fail "six validation losses expected: $out"
run predict "$mlp" "$feb" out=predictions.csv && {
    lines=$(wc -l <predictions.csv)
    less 0 "$(first rejects <<<"$out")" || fail "broken lines are counted: $out"
    [ "$lines" = $(($(first rows <<<"$out") + 1)) ] || fail "predictions: $lines lines, $out"
}
head -n 3 "$feb" | "$lathe" -w ws --json predict "$mlp" - >two.json 2>/dev/null
[ "$(grep -c '"prediction"' two.json)" = 2 ] || fail "two rows from standard input: $(cat two.json)"
run drift jan feb target=FAREAMOUNT run="$mlp" && {
    less 1 "$(first drifted_columns <<<"$out")" || fail "the second month has drifted: $out"
    grep -q '"column": "PAYMENTTYPE"' <<<"$out" || fail "drift: $out"
}
run drift jan feb chunk=1w && [ "$(grep -c '"most_drifted"' <<<"$out")" -ge 4 ] || fail "drift by week: $out"
run drift jan jan chunk=week && grep -q '"against": "the first chunk"' <<<"$out" || fail "drift within a month: $out"
run drift jan feb time=MILEAGE && [ "$(first chunk_count <<<"$out")" = 10 ] && grep -q '"column": "PAYMENTTYPE"' <<<"$out" ||
    fail "drift by tenths in the order of a column: $out"
run drift jan feb chunk=500 thresholds=nannyml || fail "drift by NannyML's thresholds: $out"
run drift jan feb test=pca_reconstruction && grep -q '"role": "table"' <<<"$out" || fail "drift of whole rows: $out"
run drift jan jan && ! grep -q '"drifted": true' <<<"$out" || fail "a month drifted from itself"
run explain "$mlp" rows=500 repeats=2 out=why.svg && [ -s why.svg ] && grep -q '"worse"' <<<"$out" || fail "explain: $out"
run explain "$mlp" what=dependence column=MILEAGE points=5 rows=500 out=miles.png && [ -s miles.png ] || fail "dependence: $out"
refuse 2 "needs a column" explain "$mlp" what=dependence
run export "$mlp" out=model && [ -s model/model.safetensors ] || fail "export"
if command -v gnuplot >/dev/null; then
    run plot "$mlp" "$linear" out=loss.png && [ "$(head -c 4 loss.png | tail -c 3)" = PNG ] || fail "plot"
fi
# on the sample month the mlp comes within a tenth of the noise that the generator put in (1.00 dollars)
run ingest "$house/sample-data/taxi_2019_01.csv" as=sample && {
    run train mlp data=sample target=FAREAMOUNT recipe="$house/sample-data/taxi.recipe" \
        features=MILEAGE,DURATION,AIRPORT,PAYMENTTYPE,hour,weekday epochs=20
    less "$(first test_rmse <<<"$out")" 1.1 || fail "sample month: test_rmse $(first test_rmse <<<"$out")"
}
# a run as a process of its own, steered while it trains
run train mlp data=jan target=FAREAMOUNT features=$features epochs=100000 patience=0 detach=yes && {
    live=$(first run <<<"$out")
    for _ in $(seq 100); do
        run runs show "$live"
        [ "$(first status <<<"$out")" = RUNNING ] && less 0 "$(first step <<<"$out")" && break
        sleep 0.1
    done
    [ "$(first status <<<"$out")" = RUNNING ] || fail "detached: $out"
    run runs set "$live" lr=0.0001
    for _ in $(seq 100); do
        run runs show "$live"
        grep -q '"kind": "change"' <<<"$out" && break
        sleep 0.1
    done
    grep -q '"kind": "change"' <<<"$out" || fail "the change of lr was not recorded"
    run runs stop "$live"
    for _ in $(seq 200); do
        run runs show "$live"
        [ "$(first status <<<"$out")" = FINISHED ] && break
        sleep 0.1
    done
    [ "$(first status <<<"$out")" = FINISHED ] || fail "stopped: $out"
    grep -q '"test_rmse"' <<<"$out" || fail "a stopped run has test metrics"
}
# a run whose process was killed is seen to be gone (that it resumes to the bit: tests/faults)
run train linear data=jan target=FAREAMOUNT features=$features epochs=100000 patience=0 detach=yes && {
    live=$(first run <<<"$out")
    for _ in $(seq 100); do
        run sql "select pid, step from runs where id = $live"
        less 0 "$(first step <<<"$out")" && break
        sleep 0.1
    done
    kill -9 "$(first pid <<<"$out")"
    for _ in $(seq 50); do
        run runs show "$live"
        [ "$(first status <<<"$out")" = KILLED ] && break
        sleep 0.1
    done
    [ "$(first status <<<"$out")" = KILLED ] || fail "a killed run: $(head -c 200 <<<"$out")"
    run runs delete "$live"
}
run runs delete "$linear"

# ---- wrong input ---------------------------------------------------------------------------------
: >empty.csv
head -c 5000 /dev/urandom >binary.csv
hash=$("$lathe" -w ws --json data jan | first hash)
head -c 20000 "ws/datasets/$hash.arrow" >truncated.arrow
printf 'a,b\n1,2\n1,3\n1,4\n1,5\n1,6\n1,7\n1,8\n1,9\n1,10\n1,11\n' >constant.csv
printf 'keep FAREAMOUNT between 3 &\n' >bad.recipe
printf 'clip MILAGE 0 60\n' >column.recipe
refuse 1 "empty.csv" ingest empty.csv
refuse 1 "months" ingest months
refuse 1 "binary.csv" ingest binary.csv
refuse 1 "nothing.csv" ingest nothing.csv
refuse 1 "arrow" ingest truncated.arrow
refuse 2 "did you mean ingest" ingset "$jan"
refuse 2 "recipe" clean jan
refuse 1 "bad.recipe" clean jan recipe=bad.recipe as=x
refuse 1 "column.recipe: line 1" clean jan recipe=column.recipe as=x
refuse 1 "did you mean MILEAGE" clean jan recipe=column.recipe as=x
refuse 2 "fast" train mlp data=jan target=FAREAMOUNT lr=fast
refuse 2 "did you mean" train mlp data=jan target=FAREAMOUNT epoch=3
refuse 2 "FAREAMOUNT" train mlp data=jan target=FARAMOUNT
refuse 2 "janu" train mlp data=janu target=FAREAMOUNT
run ingest constant.csv as=constant
refuse 1 "a" train mlp data=constant target=a
refuse 2 "linear, mlp" train mpl data=jan target=FAREAMOUNT
refuse 2 "99" runs show 99
refuse 1 "nothing" predict "$mlp" nothing.csv
refuse 2 "nothing_b" drift jan nothing_b
refuse 2 "1y" drift jan feb chunk=1y
refuse 2 "by= is now time=" drift jan feb by=MILEAGE
refuse 2 "rows= is now chunk=" drift jan feb rows=500
refuse 2 "png" plot "$mlp" out=x.gif
refuse 2 "sql" sql "select 1; drop table runs"
refuse 1 "sql" sql "select nothing from nowhere"
mkdir newer && "$lathe" -w newer --json data >/dev/null 2>&1
printf 'not a database, really not' >newer/lathe.db
"$lathe" -w newer data >/dev/null 2>stderr && fail "a foreign lathe.db was opened"
[ "$(wc -l <stderr)" = 1 ] || fail "a foreign lathe.db: $(cat stderr)"
"$lathe" -w "$jan" data >/dev/null 2>stderr && fail "a file as workspace"
[ "$(wc -l <stderr)" = 1 ] || fail "a file as workspace: $(cat stderr)"
[ "$("$lathe" -w ws data 2>/dev/full >/dev/full; echo $?)" = 1 ] || fail "a full standard output"
# rules that change nothing: the same table under another name, and its model carries them
echo 'expect MILEAGE >= 0' >expect.recipe
run clean jan recipe=expect.recipe as=jan_expected
run train linear data=jan_expected target=FAREAMOUNT features=$features epochs=2
run predict last "$jan" out=expected.csv
run doctor verify=yes && [ "$(first health <<<"$out")" = whole ] || fail "doctor: $out"

[ "$failures" = 0 ] && echo "journey: all as expected"
exit $((failures > 0))
