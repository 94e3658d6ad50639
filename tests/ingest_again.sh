#!/usr/bin/env bash
# ingest_again.sh -- a source that was read and has not changed is not read again: files, globs, and over
# HTTP, where only a HEAD is asked (by python3's own server on loopback, if there is one).
set -eu
lathe=$(realpath "$1")
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$dir"' EXIT
cd "$dir"
fail() { echo "ingest_again: $*" >&2; exit 1; }
new() { # new ARGS...: reads
    "$lathe" -w ws --json ingest "$@" >out || fail "ingest $*"
    ! grep -q '"unchanged"' out || fail "was not read: ingest $*"
}
known() { # known ARGS...: finds what it has
    "$lathe" -w ws --json ingest "$@" >out || fail "ingest $*"
    grep -q '"unchanged": true' out || fail "was read again: ingest $*"
}
rows() { grep -q "\"rows\": $1,\{0,1\}\$" out || fail "expected $1 rows: $(cat out)"; }

printf 'a,b\n1,2\n' >x.csv
printf 'a,b\n3,4\n' >y.csv
new x.csv && known x.csv && known "$dir/x.csv"
known x.csv as=other
"$lathe" -w ws sql 'select b from other' | grep -q 2 || fail "the other name has no rows"
new x.csv header=no reject_limit=1 && known x.csv header=no reject_limit=1 && known x.csv
new x.csv again=yes
new '*.csv' as=both && rows 2 && known '*.csv' as=both
printf 'a,b\n1,2\n5,6\n' >x.csv # of the first file, not the last
new '*.csv' as=both && rows 3
new x.csv && rows 2 && known x.csv
printf 'a,b\n9,9\n' >z.csv
new '*.csv' as=both && rows 4
# the name was given to another table meanwhile: it means this one again
new y.csv as=x && known x.csv && "$lathe" -w ws sql 'select b from x' | grep -q 6 || fail "x is another table"
hash=$(sed -n 's/.*"hash": "\(.*\)".*/\1/p' out)
rm "ws/datasets/$hash.arrow"
new x.csv # its file is gone

if command -v python3 >/dev/null; then
    python3 -u -c '
import http.server, sys
class H(http.server.SimpleHTTPRequestHandler):
    def log_request(self, *a): print(self.command, self.path, flush=True)
s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
print("port", s.server_port, flush=True)
s.serve_forever()' >requests 2>/dev/null &
    server=$!
    for _ in $(seq 100); do grep -q port requests && break || sleep 0.1; done
    url=http://127.0.0.1:$(sed -n 's/^port //p' requests)/y.csv
    export no_proxy=127.0.0.1
    new "$url" as=web && known "$url" as=web
    known "${url/127/me:s3cr3t0key@127}" as=web # the same, and whoever asks is nobody's business
    ! grep -rqa s3cr3t0key ws out || fail "a secret is kept"
    [ "$(grep -c '^GET /y.csv' requests)" = 1 ] || fail "it was fetched more than once: $(cat requests)"
    sleep 1 # Last-Modified counts seconds
    printf 'a,b\n3,4\n5,6\n' >y.csv
    new "$url" as=web && rows 2
fi
echo "ingest_again: all held"
