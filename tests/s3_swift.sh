#!/usr/bin/env bash
# s3_swift.sh -- our signatures before a server that checks them: OpenStack Swift's S3 interface on loopback
# (Debian: swift-proxy, swift-account, swift-container, swift-object). Odd keys, lists, parts, a wrong
# secret, an unknown key, a missing bucket, another region. Skipped where Swift is not installed.
set -eu
lathe=$(realpath "$1")
tool=$(realpath -m "$(dirname "$1")/tests/unit_remote_place")
sample=$(realpath sample-data/taxi_2019_01.csv)
for program in swift-ring-builder swift-{proxy,account,container,object}-server; do
    command -v $program >/dev/null || exit 77
done
[ -x "$tool" ] && grep -qs swift_hash_path /etc/swift/swift.conf || exit 77
dir=$(mktemp -d)
servers=
trap 'for p in $servers; do kill "$p" 2>/dev/null || true; done; wait; rm -rf "$dir"' EXIT
cd "$dir"
mkdir -p devices/d1
setfattr -n user.swift -v 1 devices 2>/dev/null ||
    /usr/bin/python3 -c "import os; os.setxattr('devices', 'user.swift', b'1')" 2>/dev/null || exit 77
read -r proxy account container object < <(/usr/bin/python3 -c '
import socket
s = [socket.socket() for _ in range(4)]
for x in s: x.bind(("127.0.0.1", 0))
print(*[x.getsockname()[1] for x in s])')

for kind in account container object; do
    port=${!kind}
    swift-ring-builder $kind.builder create 2 1 0 >/dev/null
    swift-ring-builder $kind.builder add "r1z1-127.0.0.1:$port/d1" 1 >/dev/null
    swift-ring-builder $kind.builder rebalance >/dev/null
    cat >$kind.conf <<CONF
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $port
workers = 0
user = $(id -un)
swift_dir = $dir
devices = $dir/devices
mount_check = false
log_level = ERROR
[pipeline:main]
pipeline = $kind-server
[app:$kind-server]
use = egg:swift#$kind
CONF
done
cat >proxy.conf <<CONF
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $proxy
workers = 0
user = $(id -un)
swift_dir = $dir
log_level = ERROR
[pipeline:main]
pipeline = catch_errors cache listing_formats bulk s3api tempauth copy slo proxy-server
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
location = eu-west-1
min_segment_size = 1
[filter:tempauth]
use = egg:swift#tempauth
user_team_lathe = s3cr3t0key .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
CONF
for kind in account container object proxy; do
    swift-$kind-server $kind.conf >$kind.log 2>&1 &
    servers="$servers $!"
done

fail() { echo "s3_swift: $*" >&2; exit 1; }
refused() {
    local words=$1
    shift
    if "$@" >out 2>err; then fail "was not refused: $*"; fi
    [ "$(wc -l <err)" = 1 ] || fail "more than a line: $(cat err)"
    grep -qF -- "$words" err || fail "expected '$words', found: $(cat err)"
    ! grep -q s3cr3t0key out err || fail "a secret is shown: $(cat out err)"
}
export HOME=$dir AWS_ACCESS_KEY_ID=team:lathe AWS_SECRET_ACCESS_KEY=s3cr3t0key AWS_REGION=eu-west-1
export AWS_ENDPOINT_URL=http://127.0.0.1:$proxy no_proxy=127.0.0.1
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_DEFAULT_REGION AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE
for _ in $(seq 150); do
    (exec 3<>"/dev/tcp/127.0.0.1/$proxy") 2>/dev/null && break
    sleep 0.2
done
"$tool" make data || { cat ./*.log; exit 1; }

head -c 2000000 /dev/urandom >big
for key in plain 'a b' 'a+b' 'p%20q%' $'\xc3\xa4\xe6\x97\xa5' "x'(y)*!~" 'q?a=b&c#d' '@:$,;=' 'deep/er/e f' 'quote"' \
    'back\slash' '<xml>&amp;'; do
    "$tool" put s3://data/odd "$key" big || fail "put $key"
    "$tool" get s3://data/odd "$key" back && cmp -s back big || fail "get $key"
    [ "$("$tool" stat s3://data/odd "$key")" = 2000000 ] || fail "stat $key"
    [ "$("$tool" list s3://data/odd "$key" | cut -f 3)" = "$key" ] || fail "list $key: $("$tool" list s3://data/odd)"
done
[ "$("$tool" list s3://data/odd | wc -l)" = 12 ] || fail "a list"
"$tool" put s3://data/parts three big 700000 || fail "in parts"
"$tool" get s3://data parts/three back && cmp back big || fail "parts came otherwise"
"$tool" list s3://data/parts | grep -q -- '-3"' || fail "nothing went up in 3 parts: $("$tool" list s3://data/parts)"

# parts that a killed one left: those of the same object are taken away, once they are old, and no others
left() { "$tool" uploads s3://data | grep -o '<UploadId>[^<]*' | cut -d '>' -f 2; }
"$tool" leave s3://data parts/killed >killed && "$tool" leave s3://data parts/killed-not >young || fail leave
[ "$(left | sort)" = "$(sort killed young)" ] || fail "uploads: $(left)"
"$tool" put s3://data/parts killed big 700000 || fail "after a kill"
[ "$(left | sort)" = "$(sort killed young)" ] || fail "a young upload is somebody's: $(left)"
sleep 2
"$tool" put s3://data/parts killed big 700000 1 || fail "after a kill, later"
[ "$(left)" = "$(cat young)" ] || fail "left after the next push: $(left)"
"$tool" get s3://data parts/killed back && cmp back big || fail "what was sent after a kill"
# stopped in the middle: its own parts go with it
"$tool" leave s3://data parts/killed-not >/dev/null
had=$(left | wc -l)
head -c 60000000 /dev/zero >huge
"$tool" stopped s3://data/parts huge huge 200000 >stopped || fail "a stopped upload: $(cat stopped)"
[ "$(left | wc -l)" = "$had" ] || fail "a stopped upload left parts: $(left)"
rm -f huge

AWS_SECRET_ACCESS_KEY=wrong refused "secret key is not the right one" "$tool" list s3://data
AWS_SECRET_ACCESS_KEY=wrong refused "secret key is not the right one" "$tool" get s3://data odd/plain back
AWS_SECRET_ACCESS_KEY=wrong refused "secret key is not the right one" "$tool" put s3://data wrong big
AWS_ACCESS_KEY_ID=nobody:here refused "" "$tool" list s3://data
refused "no such bucket" "$tool" list s3://nothing
refused "no such object" "$tool" get s3://data none back
for region in us-east-1 ap-south-1; do # it says which is right, and is asked again
    AWS_REGION=$region "$tool" get s3://data odd/plain back && cmp back big || fail "region $region"
done

"$tool" put s3://data/trips jan.csv "$sample"
"$lathe" -w ws ingest s3://data/trips/ as=trips >/dev/null || fail ingest
"$lathe" -w ws push s3://data/team part=5 >/dev/null || fail push
"$lathe" -w other pull s3://data/team >/dev/null || fail pull
"$lathe" -w other data trips >/dev/null || fail "what was pulled"
echo "s3_swift: all held"
