#!/usr/bin/env bash
# train_mpi.sh -- two processes against one, each on one thread, on the same data: the time of the whole run by the
# clock, and by processor the largest of a process (waiting for the other is part of it: MPI looks again and again).
# The clock says something only where nothing else runs and each process has a core of its own.
set -u
lathe=$1
ldd "$lathe" | grep -q libmpi || { echo "train_mpi: built without LATHE_MPI, nothing is measured"; exit 0; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export OMPI_MCA_btl_vader_single_copy_mechanism=none OMPI_MCA_rmaps_base_oversubscribe=1 TMPDIR=$work
command -v ssh >/dev/null || export OMPI_MCA_plm=isolated
[ "$(id -u)" != 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

"$lathe" sample months rows="${LATHE_BENCH_ROWS:-200000}" seed=3 >/dev/null || exit 1
for ws in 1 2; do "$lathe" -w $ws ingest months/taxi_2019_01.csv >/dev/null 2>&1 || exit 1; done

# measured N ARGS...: "seconds by the clock, most by processor" of N processes
measured() {
    local n=$1
    shift
    rm -f cpu.*
    # shellcheck disable=SC2016 # for the inner shell
    mpirun --bind-to none -n "$n" bash -c '
        TIMEFORMAT="%R %U %S"
        { time "$@" >log.$OMPI_COMM_WORLD_RANK 2>&1; } 2>cpu.$OMPI_COMM_WORLD_RANK' \
        _ "$lathe" -w "$n" train "$@" data=taxi_2019_01 target=FAREAMOUNT threads=1 || { cat log.*; return 1; }
    awk '{ if ($1 > clock) clock = $1; if ($2 + $3 > most) most = $2 + $3 }
        END { print clock, most }' cpu.*
}

compare() { # compare NAME ARGS...
    local name=$1 one two
    shift
    one=$(measured 1 "$@") && two=$(measured 2 "$@") || { echo "train_mpi: $name failed"; exit 1; }
    echo "$name $one $two" | awk '{ printf "%-16s one %6.2f s (%6.2f s cpu)   two %6.2f s (%6.2f s cpu)   ratio %.2f by the clock, %.2f by cpu\n",
        $1, $2, $3, $4, $5, $2 / $4, $3 / $5 }'
}
compare gbdt gbdt epochs=100 leaves=63
compare mlp mlp epochs=2 hidden=512,512 batch=4096
compare ft_transformer ft_transformer epochs=1 width=64 batch=1024 features=MILEAGE,DURATION,GRATUITYAMOUNT,PAYMENTTYPE,PROVIDERNAME
