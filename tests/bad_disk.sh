#!/usr/bin/env bash
# bad_disk.sh -- a disk or mount that answers with EIO while a source is read and while a workspace is
# written: one line that says what and where, nothing half-written is named, and the workspace is whole
# once the disk is there again. By calls that fail (faults/preload), and, where one may, by a file system
# whose device really loses its blocks.
set -u
lathe=$(realpath "$1")
preload=$(dirname "$lathe")/tests/libbad_disk.so
ldd "$lathe" | grep -qE 'asan|tsan|ubsan' && { echo "a sanitizer wants to be loaded first"; exit 77; }
[ -e "$preload" ] || { echo "no $preload"; exit 77; }
work=$(mktemp -d) || exit 1
trap 'umount "$work/disk" 2>/dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0 failed=0
fail() { printf 'FAIL: %.400s\n' "$*"; failures=$((failures + 1)); }

said() { # said WHAT STATUS: done before it met the fault, or one line
    [ "$2" = 0 ] && return
    failed=$((failed + 1))
    [ "$2" = 1 ] || fail "$1: exit $2: $(cat stderr)"
    [ "$(grep -c . stderr)" = 1 ] || fail "$1: $(cat stderr)"
    grep -qiE 'input/output error|cannot|disk' stderr || fail "$1: $(cat stderr)"
}
bad() { # bad CALL AFTER PATH COMMAND...: the disk under PATH fails after so many calls of that kind
    local call=$1 after=$2 path=$3
    shift 3
    LD_PRELOAD=$preload BAD_DISK_CALL=$call BAD_DISK_AFTER=$after BAD_DISK_PATH=$work/$path "$@" >out 2>stderr
    said "$* ($call $after of $path)" $?
}
whole() { # whole WORKSPACE WHAT: nothing is found but runs that could not say that they ended
    "$lathe" -w "$1" --json doctor verify=yes >out 2>stderr || fail "$2: doctor: $(cat stderr)"
    grep -q '"health": "whole"' out || ! grep '"text":' out | grep -qv 'its process is gone' ||
        fail "$2: not whole: $(grep -A9 workspace out) $(cat stderr)"
    find "$1" -name '.dataset*' -o -name '.scratch*' | grep . && fail "$2: left half-written files"
}
names() { "$lathe" -w ws --json sql "select count(*) as n from datasets" | tr -dc 0-9; }

"$lathe" sample months rows=60000 >/dev/null 2>stderr || fail "$(cat stderr)"
"$lathe" -w ws ingest months/taxi_2019_01.csv as=jan >/dev/null 2>stderr || fail "$(cat stderr)"
mkdir far
cp months/taxi_2019_02.csv far/feb.csv
gzip -k far/feb.csv
"$lathe" -w ws export jan out=far/jan.parquet >/dev/null 2>stderr || fail "$(cat stderr)"

# a source
for after in 0 1 2 5; do
    for file in feb.csv feb.csv.gz jan.parquet; do
        bad read $after far "$lathe" -w ws ingest far/$file as=feb reject_limit=1
    done
done
"$lathe" -w other ingest months/taxi_2019_02.csv as=feb >/dev/null 2>stderr || fail "$(cat stderr)"
hashes() { "$lathe" -w "$1" --json sql "select distinct hash from datasets" | grep -o '[0-9a-f]\{64\}'; }
{ hashes other; "$lathe" -w ws --json data jan | grep -o '"hash": "[0-9a-f]*"' | grep -o '[0-9a-f]\{64\}'; } >known
hashes ws | grep -vFf known && fail "a part of a source became a dataset"
whole ws "sources that cannot be read"

# the workspace: its database and its files
for call in read write sync; do
    for after in 0 1 2 3 5 8 13 21 34; do
        had=$(names)
        bad $call $after ws "$lathe" -w ws ingest months/taxi_2019_02.csv as="m_${call}_$after"
        whole ws "ingest, $call fails after $after"
        if grep -q . stderr 2>/dev/null && [ "$(names)" -lt "$had" ]; then fail "a dataset is gone"; fi
    done
done
printf 'drop missing FAREAMOUNT\nclip MILEAGE 0 60\n' >rules
for call in write sync; do
    for after in 1 4 9; do
        bad $call $after ws/datasets "$lathe" -w ws clean jan recipe=rules as="c_${call}_$after"
        bad $call $after ws "$lathe" -w ws train linear data=jan target=FAREAMOUNT epochs=1
        whole ws "clean and train, $call fails after $after"
        bad $call $after copy "$lathe" -w ws export jan out=copy.parquet
        bad $call $after copy "$lathe" -w ws export jan out=copy.csv
        bad $call $after remote "$lathe" -w ws push remote jan
    done
done
[ $failed -gt 20 ] || fail "only $failed commands met the fault"

# doctor says what is the matter
LD_PRELOAD=$preload BAD_DISK_CALL=write BAD_DISK_AFTER=0 BAD_DISK_PATH=$work/ws "$lathe" -w ws --plain doctor >out 2>stderr
tr -s ' \n' ' ' <out | grep -q 'nothing can be written: Input/output error.*fsck' || fail "doctor of a bad disk: $(cat out stderr)"
"$lathe" -w ws --plain doctor >out 2>stderr && ! grep -q 'nothing can be written' out || fail "doctor: $(cat out stderr)"
ls -A ws | grep -q '^.doctor' && fail "doctor left a file"

# for real: blocks of a device are gone
mkdir disk
truncate -s 64M device
if [ "$(id -u)" = 0 ] && mkfs.ext4 -q device 2>/dev/null && mount -o loop device disk 2>/dev/null; then
    cp months/taxi_2019_01.csv disk/jan.csv
    "$lathe" -w ws export jan out=disk/jan.parquet >/dev/null 2>stderr || fail "$(cat stderr)"
    "$lathe" -w ws export jan out=disk/jan.arrow >/dev/null 2>stderr || fail "$(cat stderr)"
    "$lathe" -w disk/ws ingest months/taxi_2019_01.csv as=jan >/dev/null 2>stderr || fail "$(cat stderr)"
    mount -o remount,ro disk
    "$lathe" -w disk/ws --plain doctor >out 2>stderr
    tr -s ' \n' ' ' <out | grep -q 'is read-only.*fsck' || fail "doctor of a read-only file system: $(cat out stderr)"
    mount -o remount,rw disk
    umount disk
    cp device device.whole
    mount -o loop device disk && ls -R disk >/dev/null && truncate -s 9M device # and no cache to read from
    met=0
    for file in jan.csv jan.parquet jan.arrow; do
        "$lathe" -w ws ingest disk/$file as=lost >out 2>stderr
        status=$?
        said "ingest of $file from a device that is gone" $status
        met=$((met + status))
    done
    "$lathe" -w disk/ws data describe jan where="FAREAMOUNT > 0" >out 2>stderr
    said "describe from a device that is gone" $?
    [ $met -gt 0 ] || fail "the device was not missed"
    umount disk
    whole ws "sources on a device that is gone"
    cp device.whole device
    mount -o loop device disk && whole disk/ws "a workspace whose device came back"
    umount disk
fi
[ "$failures" = 0 ] && echo "bad disk: all as expected, $failed commands met it"
exit $((failures > 0))
