#!/usr/bin/env bash
# push_pull.sh -- two workspaces share datasets, a model and their lineage over a folder: what arrives is
# what was sent, only what is missing moves, names are not clobbered, damage is refused in one line, and a
# kill -9 at any moment leaves both sides whole.
set -eu
lathe=$(realpath "$1")
sample=$(realpath sample-data)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

fail() { echo "push_pull: $*" >&2; exit 1; }
a() { "$lathe" -w a --json "$@"; }
b() { "$lathe" -w b --json "$@"; }
# value FILE KEY: the first value of a key in a JSON result
value() { sed -n 's/^ *"'"$2"'": "\{0,1\}\([^",]*\)"\{0,1\},\{0,1\}$/\1/p' "$1" | head -n 1; }
expect() { # expect FILE KEY VALUE
    [ "$(value "$1" "$2")" = "$3" ] || fail "$2 is '$(value "$1" "$2")', not '$3': $(cat "$1")"
}
refused() { # refused WORDS COMMAND...: fails with one line that has the words
    local words=$1
    shift
    if "$@" >out 2>err; then fail "was not refused: $*"; fi
    [ "$(wc -l <err)" = 1 ] || fail "more than a line: $(cat err)"
    grep -qF "$words" err || fail "expected '$words', found: $(cat err)"
}

a ingest "$sample/taxi_2019_01.csv" as=trips >/dev/null
a clean trips recipe="$sample/taxi.recipe" as=clean >/dev/null
a train linear data=clean target=FAREAMOUNT epochs=1 >/dev/null 2>&1
run=linear-1
a runs fork 1 epochs=2 detach=no >/dev/null 2>&1 || fail "no fork"

# ---- what arrives is what was sent
a push remote >sent
expect sent there_already 0
find remote -name '.*' | grep . && fail "half-written files are left"
b pull remote >got
[ "$(value got objects)" -ge "$(value sent objects)" ] || fail "objects: $(cat sent got)" # models share files
a predict "$run" "$sample/taxi_2019_02.csv" out=pa.csv >/dev/null
b predict "$run" "$sample/taxi_2019_02.csv" out=pb.csv >/dev/null
cmp pa.csv pb.csv || fail "the model predicts otherwise elsewhere"
for q in "select hash, name, source, parent, recipe, plan, sniffed, rows, bytes, created from datasets order by name" \
    "select * from columns order by dataset, position" "select line, reason, text from rejects order by line" \
    "select name, family, dataset, target, status, created, started, ended, best, message from runs order by created" \
    "select key, value from params order by key, value" \
    "select key, step, wall, value from metrics order by key, step, wall" \
    "select e.step, e.time, e.kind, e.text, r.name from events e join runs r on r.id = e.run order by r.created, e.id" \
    "select r.name, p.name as forked_from, r.parent_step from runs r left join runs p on p.id = r.parent order by 1" \
    "select name, version, hash, alias, created from models order by created"; do
    a sql "$q" >qa
    b sql "$q" >qb
    cmp qa qb || fail "rows differ: $q"
done
b sql "select p.name as origin from runs r join runs p on p.id = r.parent where r.parent_step > 0" >qb
grep -q '"origin": "linear-1"' qb || fail "what a run was forked from did not come along: $(cat qb)"
b sql "select count(*) as n from events" >qb
grep -q '"n": 0' qb && fail "no events came along"
"$lathe" -w f --json pull remote linear-1-fork >got
"$lathe" -w f --json sql "select name from models order by 1" >qb
grep -q '"linear-1"' qb || fail "a fork came without what it was forked from: $(cat got)"
"$lathe" -w b doctor >/dev/null || fail "doctor finds fault with what was pulled"

# ---- only what is missing moves
a push remote >again && expect again objects 0
b pull remote >again && expect again objects 0
first=$(b sql 'select count(*) as n from runs' | tr -d ' \n')
b pull remote "$run" >/dev/null
[ "$(b sql 'select count(*) as n from runs' | tr -d ' \n')" = "$first" ] || fail "a model came twice"
"$lathe" -w one --json pull remote trips >got && expect got objects 1
"$lathe" -w two --json pull remote clean >got && expect got objects 2 # with the parent

# ---- names
printf 'x,y\n1,2\n' >other.csv
"$lathe" -w c --json ingest other.csv as=trips >/dev/null
refused "has another version of trips" "$lathe" -w c push remote trips
"$lathe" -w c --json pull remote trips >got
grep -q 'fetched as trips_' got || fail "the name was clobbered: $(cat got)"
"$lathe" -w c sql 'select y from trips' | grep -q 2 || fail "trips means another table now"
printf 'x,y\n1,2\n3,4\n' >newer.csv
a ingest newer.csv as=trips >/dev/null # a newer version of the name, where it came from
a push remote trips >/dev/null
b pull remote trips >got
grep -q 'a newer version' got || fail "no newer version: $(cat got)"
b sql 'select y from trips' | grep -q 4 || fail "the name stayed with the older version"
refused "did you mean trips" "$lathe" -w b pull remote tripz
refused "no dataset" "$lathe" -w a push remote nothing
refused "holds no datasets" "$lathe" -w b pull empty
refused "expected a folder" "$lathe" -w b pull gopher://x/y

# ---- damage
damage() { # damage FILE: one bit in its middle, or shorter by half
    if [ "$2" = bit ]; then
        at=$(($(stat -c %s "$1") / 2))
        byte=$(od -An -tu1 -j "$at" -N 1 "$1")
        printf "\\$(printf %o $((byte ^ 1)))" | dd of="$1" bs=1 seek="$at" conv=notrunc status=none
    else
        truncate -s $(($(stat -c %s "$1") / 2)) "$1"
    fi
}
for how in bit half; do
    for file in $(cd remote && find . -type f | sort); do
        rm -rf bad d
        cp -r remote bad
        damage "bad/$file" "$how"
        if "$lathe" -w d --json pull bad >out 2>err; then
            fail "damage ($how) of $file was not seen"
        else
            [ "$(wc -l <err)" = 1 ] || fail "more than a line about $file: $(cat err)"
            grep -qE "damaged|expected|is missing" err || fail "$file: $(cat err)"
        fi
        if [ -e d/lathe.db ]; then
            "$lathe" -w d doctor >/dev/null || fail "doctor after damage of $file"
            find d/datasets d/runs -name '*.pull*' 2>/dev/null | grep -v '^d/runs/.pull' | grep . &&
                fail "what is damaged was kept"
        fi
    done
done
file=$(find remote/objects/datasets -type f | head -n 1)
rm -rf bad d
cp -r remote bad
rm "bad/${file#remote/}"
refused "no such object" "$lathe" -w d pull bad

# ---- kill -9
RANDOM=7
killed=0
kill_at() { # kill_at COMMAND...: after 0 to 0.12 s
    "$@" >/dev/null 2>&1 &
    local pid=$!
    sleep "0.$(printf %03d $((RANDOM % 120)))"
    if kill -9 $pid 2>/dev/null; then killed=$((killed + 1)); fi
    wait $pid 2>/dev/null || true
}
rm -rf half d
for _ in $(seq 12); do
    kill_at "$lathe" -w a push half
    rm -rf d
    "$lathe" -w d --json pull half >out 2>err || grep -qE "holds no datasets|cannot list|No such" err ||
        fail "a killed push left: $(cat err)"
done
a push half >/dev/null
rm -rf d
"$lathe" -w d pull half >/dev/null || fail "a push after killed ones is not whole"
for round in 1 2; do
    rm -rf k
    for _ in $(seq 8); do
        kill_at "$lathe" -w k pull half
        # a workspace that was killed while it was made is whole once somebody writes
        "$lathe" -w k pull half show=yes >/dev/null || fail "a killed pull left no workspace to write to"
        "$lathe" -w k doctor >out 2>err || fail "doctor after a killed pull, round $round: $(cat err) $(tail -n 3 out)"
        rm -rf check
        "$lathe" -w k push check >/dev/null 2>err || grep -q "is empty" err ||
            fail "what a killed pull named is not whole: $(cat err)"
    done
    "$lathe" -w k --json pull half >/dev/null || fail "a pull after killed ones"
    for q in "select hash, name from datasets order by name, hash" "select name, status, ended from runs order by name" \
        "select key, step, value from metrics order by key, step, value" "select name, hash from models order by name"; do
        "$lathe" -w d --json sql "$q" >qa
        "$lathe" -w k --json sql "$q" >qb
        cmp qa qb || fail "killed pulls end otherwise: $q"
    done
done
echo "push_pull: all held; $killed processes were killed at work"
