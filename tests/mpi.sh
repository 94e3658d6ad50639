#!/usr/bin/env bash
# mpi.sh -- runs that several processes carry out through MPI: the same model as one process makes, to the
# bit for boosted trees and for nets in two processes; commands reach all; one that dies ends the run with
# a clear error, and it goes on from where it was. For builds with LATHE_MPI; skipped in others.
set -u
lathe=$1
house=$PWD
ldd "$lathe" | grep -q libmpi || { echo "skipped: built without LATHE_MPI"; exit 77; }
command -v mpirun >/dev/null || { echo "skipped: no mpirun"; exit 77; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0
export OMPI_MCA_btl_vader_single_copy_mechanism=none OMPI_MCA_rmaps_base_oversubscribe=1 TMPDIR=$work
command -v ssh >/dev/null || export OMPI_MCA_plm=isolated
[ "$(id -u)" != 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

fail() { printf 'FAIL: %.900s\n' "$*"; failures=$((failures + 1)); }
team() { # team N WORKSPACE ARGS...
    local n=$1 ws=$2
    shift 2
    timeout 200 mpirun --bind-to none -n "$n" "$lathe" -w "$ws" "$@"
}
weights() { cat "$1/runs/$2/bundle/model.safetensors"; }
first() { grep -o "\"$1\": *[^,}]*" | head -n 1 | sed 's/^[^:]*: *//; s/"//g'; }
number() { "$lathe" -w "$1" --json runs show "$2" 2>/dev/null | first "$3"; }
below() { # the processes that this one has started, and they
    local child
    for child in $(pgrep -P "$1"); do
        echo "$child"
        below "$child"
    done
}
soon() { # soon COMMAND...: within a minute it succeeds
    for _ in $(seq 600); do
        "$@" && return 0
        sleep 0.1
    done
    return 1
}

"$lathe" sample months rows=9000 seed=3 >/dev/null || exit 1
mkdir ws
for ws in one team; do "$lathe" -w $ws ingest months/taxi_2019_01.csv >/dev/null 2>&1 || exit 1; done
common="data=taxi_2019_01 recipe=$house/sample-data/taxi.recipe threads=1"

# ---- the same model ---------------------------------------------------------------------------------
at=0
same() { # same N ARGS...: as one process and as N, the same bits
    local n=$1
    shift
    at=$((at + 1))
    # shellcheck disable=SC2086 # words
    "$lathe" -w one train "$@" $common >out1 2>&1 || { fail "train $*: $(tail -n 3 out1)"; return; }
    # shellcheck disable=SC2086
    team "$n" team train "$@" $common >out2 2>&1 || { fail "$n: train $*: $(tail -n 5 out2)"; return; }
    cmp -s <(weights one $at) <(weights team $at) || fail "$n processes: train $*: another model than of one"
}
same 2 gbdt target=FAREAMOUNT epochs=8
same 3 gbdt target=FAREAMOUNT epochs=4 loss=quantile row_share=.6 seed=2
same 2 gbdt target=PAYMENTTYPE epochs=4 goss=yes lr=.5 class_weight=balanced
same 2 mlp target=FAREAMOUNT epochs=2 hidden=32,32 dropout=.2 clip=1
same 2 mlp target=PAYMENTTYPE epochs=2 hidden=32 batch=100 class_weight=balanced batchnorm=yes
same 2 ft_transformer target=FAREAMOUNT epochs=1 width=16 blocks=2 heads=2

# enough rows that boosting puts them in another order, and curvatures that are rounded by chance
"$lathe" sample more rows=100000 seed=4 >/dev/null || exit 1
for ws in one team; do "$lathe" -w $ws ingest more/taxi_2019_02.csv >/dev/null 2>&1 || exit 1; done
common=${common/_01/_02}
same 2 gbdt target=PAYMENTTYPE epochs=2
common=${common/_02/_01}

# three: sums in another order, the same to rounding
# shellcheck disable=SC2086
team 3 team train mlp target=FAREAMOUNT epochs=2 hidden=32,32 dropout=.2 clip=1 $common >out2 2>&1 ||
    fail "3: train mlp: $(tail -n 5 out2)"
a=$(number one 4 test_rmse) b=$(number team 8 test_rmse)
awk -v a="$a" -v b="$b" 'BEGIN { d = a - b; if (d < 0) d = -d; exit !(a > 0 && d < 1e-3 * a) }' ||
    fail "3 processes: test_rmse $b, of one $a"

# ---- commands, and a process that dies -----------------------------------------------------------------
long="train mlp target=FAREAMOUNT epochs=40 hidden=16 patience=0 $common"
at=8
# shellcheck disable=SC2086
"$lathe" -w one $long lr=2e-3 >out1 2>&1 || fail "$(tail -n 3 out1)"
run=9 # in team
at_least() { [ "$(number team $run step)" -ge "$1" ] 2>/dev/null; }
has_status() { [ "$(number team $run status)" = "$1" ]; }
# shellcheck disable=SC2086
team 2 team ${long/epochs=40/epochs=100000} >out2 2>&1 &
launcher=$!
soon at_least 3 || fail "it does not begin: $(tail -n 5 out2)"
"$lathe" -w team runs pause $run >/dev/null && soon has_status PAUSED || fail "no pause"
"$lathe" -w team runs set $run lr=0.0001 >/dev/null || fail "set"
"$lathe" -w team runs resume $run >/dev/null && soon has_status RUNNING || fail "does not go on"
changed() { "$lathe" -w team --json runs show $run | grep -q '"lr [^"]* -> 0.0001"'; }
soon changed || fail "no change of lr"
"$lathe" -w team runs stop $run >/dev/null || fail "stop"
wait $launcher || fail "a stop is no success: $(tail -n 5 out2)"
has_status FINISHED || fail "stopped, but $(number team $run status)"

run=10
# shellcheck disable=SC2086
team 2 team $long lr=2e-3 >out2 2>&1 &
launcher=$!
soon at_least 20 || fail "it does not begin: $(tail -n 5 out2)"
"$lathe" -w team runs pause $run >/dev/null && soon has_status PAUSED || fail "no pause"
for process in $(below $launcher); do
    tr '\0' '\n' <"/proc/$process/environ" 2>/dev/null | grep -qx OMPI_COMM_WORLD_RANK=1 && second=$process
done
"$lathe" -w team runs resume $run >/dev/null
kill -9 "${second:?}"
wait $launcher && fail "one died, and all is well?"
has_status KILLED || fail "one died: status $(number team $run status): $(tail -n 5 out2)"
grep -q 'lathe: .*process 1 of 2 .* is gone; step [0-9]* is kept: lathe runs resume 10' out2 ||
    fail "one died: no clear error: $(cat out2)"
[ -n "$(find team/runs/$run -name 'ckpt-*')" ] || fail "one died: no checkpoint"
team 2 team work $run >out2 2>&1 || fail "it does not go on: $(tail -n 5 out2)"
cmp -s <(weights one $at) <(weights team $run) || fail "gone on: another model than uninterrupted"

# the leader itself: who is left says so, and the run goes on with whoever takes it up
run=11
# shellcheck disable=SC2086
team 2 team $long lr=2e-3 seed=2 >out2 2>&1 &
launcher=$!
soon at_least 20 || fail "it does not begin: $(tail -n 5 out2)"
first=
for process in $(below $launcher); do
    tr '\0' '\n' <"/proc/$process/environ" 2>/dev/null | grep -qx OMPI_COMM_WORLD_RANK=0 && first=$process
done
kill -9 "${first:?}"
wait $launcher && fail "the leader died, and all is well?"
[ "$(grep '^lathe: ' out2 | grep -c 'process 0 of 2 .* is gone; lathe runs resume 11 goes on with its run')" = 1 ] ||
    fail "the leader died: no clear error: $(cat out2)"
team 2 team work $run >out2 2>&1 || fail "without its leader it does not go on: $(tail -n 5 out2)"
# shellcheck disable=SC2086
"$lathe" -w one $long lr=2e-3 seed=2 >out1 2>&1 || fail "$(tail -n 3 out1)"
cmp -s <(weights one $((at + 1))) <(weights team $run) || fail "gone on without its leader: another model"

# ---- mistakes ---------------------------------------------------------------------------------------------
team 2 team train mlp data=nothing target=X >out2 2>&1 && fail "no dataset, no error"
[ "$(grep -c '^lathe: ' out2)" = 1 ] || fail "a mistake is told once: $(cat out2)"

# what is wrong for all of them is told once, by the leader
head -n 12 months/taxi_2019_01.csv >few.csv
"$lathe" -w team ingest few.csv as=few >/dev/null 2>&1 || fail "ingest of few rows"
once() { # once WORDS N ARGS...
    local words=$1 n=$2
    shift 2
    team "$n" team "$@" >out2 2>&1 && fail "$*: no error"
    grep -q "^lathe: $words" out2 && [ "$(grep -c '^lathe: ' out2)" = 1 ] || fail "$*: told once: $(cat out2)"
}
once '7 training rows in 8 processes' 8 train mlp data=few target=FAREAMOUNT
once '7 training rows in 8 processes' 8 train gbdt data=few target=FAREAMOUNT
once 'a tft trains in one process' 2 train tft data=taxi_2019_01 target=FAREAMOUNT time=ORIGINDATETIME_TR
once 'pretrain: several processes' 2 train tabnet data=taxi_2019_01 target=FAREAMOUNT pretrain=2

[ "$failures" = 0 ] || { echo "$failures failures"; exit 1; }
