#!/usr/bin/env bash
# full_disk.sh -- a disk that fills up, a quota, a folder that may not be written: each verb that writes
# says so in one line, nothing half-written is named, and the workspace is whole afterwards.
set -u
lathe=$1
house=$PWD
work=$(mktemp -d) || exit 1
trap 'umount "$work/disk" 2>/dev/null; chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0
fail() { printf 'FAIL: %.400s\n' "$*"; failures=$((failures + 1)); }

# must_fail WHAT: the last command's status is in $got; one line on standard error
must_fail() {
    [ "$got" = 1 ] || fail "$1: exit $got, expected 1: $(cat stderr)"
    [ "$(wc -l <stderr)" = 1 ] || fail "$1: $(cat stderr)"
}
whole() { # whole WORKSPACE WHAT
    "$lathe" -w "$1" --json doctor verify=yes >out 2>stderr && grep -q '"health": "whole"' out ||
        fail "$2: not whole: $(cat out stderr)"
}
rows() { "$lathe" -w "$1" --json sql "select count(*) as n from datasets" | grep -o '"n": [0-9]*' | tr -dc 0-9; }

csv=$house/sample-data/taxi_2019_01.csv
"$lathe" -w ws ingest "$csv" as=jan >/dev/null 2>stderr || fail "ingest: $(cat stderr)"

# a quota: no file may grow beyond 1 MB
(ulimit -f 1024; "$lathe" -w ws ingest "$house/sample-data/taxi_2019_02.csv" as=feb >out 2>stderr)
got=$?
must_fail "ingest under a quota"
whole ws "ingest under a quota"
[ "$(rows ws)" = 1 ] || fail "a dataset was named that is not whole"
# a checkpoint is over 1 MB, the database is not: it is the checkpoint that meets the quota
(ulimit -f 900; "$lathe" -w ws train mlp data=jan target=FAREAMOUNT features=MILEAGE epochs=1 hidden=512,512 >out 2>stderr)
got=$?
must_fail "train under a quota"
whole ws "train under a quota"
(ulimit -f 8; "$lathe" -w ws sample months rows=3000 >out 2>stderr)
got=$?
must_fail "sample under a quota"
[ -z "$(ls months/*.csv 2>/dev/null)" ] || fail "sample left half a month"

for out in jan.csv jan.parquet jan.arrow; do
    (ulimit -f 64; "$lathe" -w ws export jan out=$out >out 2>stderr)
    got=$?
    must_fail "export to $out under a quota"
    [ -z "$(ls "$out"* 2>/dev/null)" ] || fail "export left half of $out"
done

# a disk that is full
mkdir disk
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=5m none disk 2>/dev/null; then
    "$lathe" -w disk/ws ingest "$csv" as=jan >out 2>stderr || fail "ingest on 5 MB: $(cat stderr)"
    "$lathe" -w disk/ws ingest "$house/sample-data/taxi_2019_02.csv" as=feb >out 2>stderr
    got=$?
    must_fail "ingest on a full disk"
    grep -qi 'space' stderr || fail "ingest on a full disk: $(cat stderr)"
    whole disk/ws "ingest on a full disk"
    [ "$(rows disk/ws)" = 1 ] || fail "a dataset was named that is not whole"
    printf 'drop missing FAREAMOUNT\n' >rules
    "$lathe" -w disk/ws clean jan recipe=rules as=good >out 2>stderr
    got=$?
    must_fail "clean on a full disk"
    "$lathe" -w disk/ws train linear data=jan target=FAREAMOUNT epochs=1 memory=1 >out 2>stderr
    got=$?
    must_fail "train with its rows in files on a full disk"
    grep -q 'no room for .* of rows' stderr || fail "train on a full disk: $(cat stderr)"
    [ -z "$(find disk/ws -name '.scratch*' -o -name '.dataset*')" ] || fail "scratch files were left"
    whole disk/ws "train on a full disk"
    umount disk
fi

# a workspace that may only be read: looking works, writing says why not
if [ "$(id -u)" != 0 ]; then
    chmod -R a-w ws
    "$lathe" -w ws data >out 2>stderr || fail "data of a read-only workspace: $(cat stderr)"
    "$lathe" -w ws ingest "$csv" as=again >out 2>stderr
    got=$?
    must_fail "ingest into a read-only workspace"
    chmod -R u+w ws
elif mount --bind ws ws 2>/dev/null && mount -o remount,bind,ro ws 2>/dev/null; then
    "$lathe" -w ws data >out 2>stderr || fail "data of a read-only workspace: $(cat stderr)"
    "$lathe" -w ws ingest "$csv" as=again >out 2>stderr
    got=$?
    must_fail "ingest into a read-only workspace"
    umount ws
fi
[ "$failures" = 0 ] && echo "full disk: all as expected"
exit $((failures > 0))
