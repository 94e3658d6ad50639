#!/usr/bin/env bash
# tidy.sh -- what differs between datasets, where one comes from, dropping one, and freeing what nothing
# refers to: shown first, safe beside running jobs, and a whole workspace whenever it is cut short.
set -u
lathe=$1
work=$(mktemp -d) || exit 1
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0
fail() { printf 'FAIL: %.500s\n' "$*"; failures=$((failures + 1)); }
run() { out=$("$lathe" -w ws --json "$@" 2>stderr) || { fail "lathe $*: $(cat stderr)"; return 1; }; }
has() { printf '%s' "$out" | tr -d '\n' | sed 's/  */ /g' | grep -qF -- "$1" || fail "$2: no '$1' in $(printf '%s' "$out" | head -c 600)"; }
refuse() { # refuse PART ARGS...
    local part=$1
    shift
    "$lathe" -w ws "$@" >stdout 2>stderr && fail "lathe $* should be refused"
    [ "$(wc -l <stderr)" = 1 ] && grep -qF -- "$part" stderr || fail "lathe $*: '$(cat stderr)' lacks '$part'"
}
whole() { run doctor verify=yes && has '"health": "whole"' "$1"; }
number() { printf '%s' "$out" | grep -o "\"$1\": [0-9]*" | head -n 1 | tr -dc 0-9; }

# ---- diff -------------------------------------------------------------------------------------------
{ echo 'id,fare,kind,note'; for i in $(seq 300); do echo "$i,$((i % 40 + 3)).5,$((i % 3 + 1)) way,n$((i % 7))"; done; } >a.csv
# the same rows backwards; row 5 is gone, 301 and 302 are new, fares of 7 and 8 differ, kind of 8 is missing
{ echo 'id,fare,kind,extra'
  echo '301,9.5,1 way,1'
  for i in $(seq 300 -1 1); do
      fare=$((i % 40 + 3)).5 kind="$((i % 3 + 1)) way"
      [ "$i" = 5 ] && continue
      [ "$i" = 7 ] && fare=99.25
      [ "$i" = 8 ] && fare=77 kind=
      echo "$i,$fare,$kind,0"
  done
  echo '302,9.5,2 way,1'; } >b.csv
run ingest a.csv as=a && run ingest b.csv as=b
run data role a id id
run data diff a b key=id && {
    has '"same": false' "diff"
    has '{ "column": "note", "change": "removed", "from": "text", "to": null }' "diff: schema"
    has '{ "column": "extra", "change": "added"' "diff: schema"
    has '{ "column": "id", "change": "role", "from": "id", "to": "feature" }' "diff: roles"
    has '"same": 297, "removed": 1, "added": 2, "changed": 2, "key": "id", "key_repeats_a": 0' "diff: rows"
    has '"changed_columns": [ { "column": "fare", "rows": 2 }, { "column": "kind", "rows": 1 } ]' "diff: columns"
    has '"what": "fare: 10.5 -> 99.25"' "diff: example"
    has '"what": "fare: 11.5 -> 77; kind: 3 way -> (missing)"' "diff: example"
    has '"change": "removed", "row": 4, "id": "5"' "diff: example"
    has '"column": "fare", "missing_a": 0.0, "missing_b": 0.0, "mean_a"' "diff: distributions"
}
run data diff a b && has '"same": 297, "removed": 3, "added": 4' "diff without a key"
run data diff a b examples=0 && ! grep -q examples <<<"$out" || fail "examples were not asked for"
run data diff a a && has '"same": true' "diff with itself"
refuse 'no column nokey' data diff a b key=nokey
refuse 'no dataset c' data diff a c
{ cat a.csv; sed -n 2,4p a.csv; } >twice.csv
run ingest twice.csv as=twice && run data diff a twice && has '"same": 300, "removed": 0, "added": 3' "rows as often as they occur"
run data diff a twice key=id && has '"key_repeats_b": 3' "keys that repeat"
sed 's/,\([0-9]*\)\.5,/,\1.50,/' a.csv | awk -F, 'NR == 1 { print } NR > 1 { print $1 ".0," $2 "," $3 "," $4 }' >typed.csv
run ingest typed.csv as=typed types=id:float64 && run data diff a typed &&
    has '"column": "id", "change": "type", "from": "int64", "to": "float64"' "types" && has '"same": 300' "1 and 1.0"

# ---- lineage, drop -----------------------------------------------------------------------------------
printf 'keep fare > 4\n' >one.recipe
printf 'derive double = fare * 2\n' >two.recipe
run clean a recipe=one.recipe as=a1 && run clean a1 recipe=two.recipe as=a2
run data a2 && {
    [ "$(printf '%s' "$out" | grep -c '"made_by"')" = 3 ] || fail "lineage: $out"
    has '"made_by": "ingest", "from": "'"$PWD/a.csv" "lineage"
    has '"from": "keep fare > 4\n"' "lineage"
}
refuse 'a2 was made from it' data drop a1
run train linear data=a2 target=fare epochs=2
refuse 'learnt from it' data drop a2
refuse 'no dataset nothing' data drop nothing
run data drop b && has '"dropped": "b"' "drop"
refuse 'no dataset b' data b
run ingest a.csv as=again && run data drop again # another name of the same table: nothing is lost
run data a && has '"rows": 300' "the other name"
whole "drop"

# ---- gc ------------------------------------------------------------------------------------------------
run train mlp data=a2 target=fare epochs=30 hidden=8 checkpoint_seconds=0
last=$(number run)
mkdir -p ws/runs/777/bundle "ws/runs/$last/new-ckpt-5"
echo x >ws/runs/777/bundle/bundle.json
echo half >ws/datasets/.dataset-abcdef
echo half >ws/runs/1/.scratch-abcdef
echo half >"ws/runs/$last/new-ckpt-5/model.safetensors"
checkpoints=$(ls -d ws/runs/"$last"/ckpt-* | wc -l)
[ "$checkpoints" -ge 3 ] || fail "only $checkpoints checkpoints"
files() { find ws -type f ! -name 'lathe.*' | sort; }
before=$(files)
run gc && [ "$(number to_free)" = 0 ] && [ "$(number too_young)" -ge 6 ] || fail "gc of what is young: $out"
run gc age=0 && {
    has 'nothing was freed' "gc"
    has '"path": "datasets/.dataset-abcdef"' "gc"
    has '"path": "runs/777"' "gc"
    has '"path": "runs/1/.scratch-abcdef"' "gc"
    has "\"path\": \"runs/$last/new-ckpt-5\"" "gc"
    has 'no dataset has this hash' "gc"
    has 'it is neither the best nor the last' "gc"
}
[ "$(files)" = "$before" ] || fail "gc without yes freed something"
find ws -exec touch -d '2 hours ago' {} +
# a job that writes meanwhile: what it writes is young
echo more >>ws/datasets/.dataset-ghijkl
run gc yes=yes && [ "$(number freed)" -gt 0 ] || fail "gc: $out"
whole "gc"
[ -e ws/datasets/.dataset-ghijkl ] || fail "gc took what a job writes to"
[ ! -e ws/datasets/.dataset-abcdef ] && [ ! -e ws/runs/777 ] && [ ! -e ws/runs/1/.scratch-abcdef ] || fail "gc left files"
left=$(ls -d ws/runs/"$last"/ckpt-* | wc -l)
[ "$left" -ge 1 ] && [ "$left" -le 2 ] || fail "$left checkpoints are left of $checkpoints"
run runs fork "$last" epochs=31 || fail "the last checkpoint is gone"
run gc age=0 && has '"to_free": ' "gc again"
for name in a a1 a2 twice typed; do run data "$name"; done
run predict "$last" a2

# a run that trains keeps all of its checkpoints; drop of its dataset waits
"$lathe" -w ws --plain train mlp data=a2 target=fare epochs=100000 hidden=8 patience=0 checkpoint_seconds=0.1 >live 2>&1 &
live=$!
for _ in $(seq 300); do grep -q 'step 0  start' live && break; sleep 0.1; done
sleep 1
for _ in 1 2 3 4 5; do run gc yes=yes age=0; done
refuse 'trains on it' data drop a2 force=yes
kill -0 $live 2>/dev/null || fail "gc broke a run: $(tail -n 2 live)"
kill -9 $live
wait $live 2>/dev/null
run runs
whole "gc beside a run"

# cut short at any moment: what is left is whole, and the next gc frees the rest
for round in 1 2 3 4 5 6; do
    for i in $(seq 40); do mkdir -p "ws/runs/9$i"; echo x >"ws/runs/9$i/file"; done
    run train linear data=a2 target=fare epochs=12 checkpoint_seconds=0
    "$lathe" -w ws gc yes=yes age=0 >/dev/null 2>&1 &
    child=$!
    sleep "0.0$round"
    kill -9 $child 2>/dev/null
    wait $child 2>/dev/null
    run doctor && has '"health": "whole"' "gc killed in round $round"
done
run gc yes=yes age=0 && run gc age=0 && [ "$(number to_free)" = 0 ] || fail "gc does not end: $out"
run data drop a force=yes && run data a2 && has 'no longer in the workspace' "lineage of what was dropped"

# a clean or an ingest killed at any moment names nothing that is half-written, and gc frees what it left
"$lathe" sample months rows=30000 >/dev/null || fail sample
run ingest months/taxi_2019_01.csv as=trips
printf 'drop missing MILEAGE\nderive one = MILEAGE + DURATION\n' >clean.recipe
for round in 1 2 3 4 5 6 7 8; do
    "$lathe" -w ws clean trips recipe=clean.recipe as=killed >/dev/null 2>&1 &
    child=$!
    sleep "0.0$((round * 3 % 10))"
    kill -9 $child 2>/dev/null
    wait $child 2>/dev/null
    whole "clean killed in round $round"
done
run gc yes=yes age=0
[ -z "$(find ws/datasets -name '.dataset*')" ] || fail "gc left half a dataset"
whole "clean killed, and gc"
run clean trips recipe=clean.recipe as=killed && run data killed
[ "$failures" = 0 ] && echo "tidy: all as expected"
exit $((failures > 0))
