#!/usr/bin/env bash
# s3.sh -- s3:// against a real S3 server on loopback, the npm package s3rver: sources, prefixes, globs, odd
# keys, lists of several pages, uploads in parts, push and pull; through proxies that cut, stall, delay,
# refuse and redirect. s3rver does not check version-4 signatures: s3_sign.sh holds ours against botocore.
# Skipped where node, npm or the package cannot be had.
set -eu
lathe=$(realpath "$1")
tool=$(realpath -m "$(dirname "$1")/tests/unit_remote_place")
sample=$(realpath sample-data)
command -v node >/dev/null && command -v npm >/dev/null && [ -x "$tool" ] || exit 77
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$dir"' EXIT
cd "$dir"
echo '{"private": true}' >package.json
timeout 200 npm install --silent --no-audit --no-fund s3rver@3 >/dev/null 2>&1 || exit 77

cat >server.cjs <<'JS'
const net = require('net'), http = require('http');
const S3rver = require('s3rver');
const say = (name, server) => console.log(name, server.address().port);
const listen = (name, server) => new Promise(r => server.listen(0, '127.0.0.1', () => { say(name, server); r(); }));

// bytes from the server (or to it) are cut off after so many, on the first `times` connections
const cutter = (to, bytes, times, upward) => net.createServer(client => {
    const far = net.connect(to, '127.0.0.1');
    let left = times-- > 0 ? bytes : Infinity;
    const end = () => { client.destroy(); far.destroy(); };
    const pass = (from, into, counted) => from.on('data', d => {
        if (counted && d.length >= left) { into.write(d.subarray(0, left), end); left = 0; return; }
        if (counted) left -= d.length;
        into.write(d);
    }).on('error', end).on('close', end);
    pass(far, client, !upward);
    pass(client, far, upward);
});
// an HTTP proxy that may answer by itself: answer(request, response) true
const proxy = (to, answer) => http.createServer((q, s) => {
    if (answer(q, s)) return q.resume();
    q.pipe(http.request({ port: to, method: q.method, path: q.url, headers: q.headers }, r => {
        s.writeHead(r.statusCode, r.headers);
        r.pipe(s);
    }));
});
const refuse = (s, status, code, headers = {}) => {
    s.writeHead(status, { 'content-type': 'application/xml', ...headers });
    s.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>said by the test</Message></Error>`);
    return true;
};
new S3rver({ port: 0, address: '127.0.0.1', silent: true, directory: process.argv[2],
             configureBuckets: [{ name: 'data' }, { name: 'dotted.name' }] }).run(async (err, at) => {
    if (err) throw err;
    const s3 = at.port;
    console.log('s3', s3);
    await listen('cut', cutter(s3, 700000, 3, false));
    await listen('cut_always', cutter(s3, 700000, 1e9, false));
    await listen('cut_upload', cutter(s3, 400000, 2, true));
    await listen('silent', net.createServer(() => {}));
    await listen('stall', net.createServer(c => {
        const far = net.connect(s3, '127.0.0.1');
        let n = 0;
        c.pipe(far).on('error', () => {});
        c.on('error', () => far.destroy());
        far.on('data', d => { if (n < 300000) c.write(d); n += d.length; });
    }));
    await listen('region', proxy(s3, (q, s) => !q.headers.authorization?.includes('/eu-west-9/') &&
        refuse(s, 301, 'PermanentRedirect', { 'x-amz-bucket-region': 'eu-west-9' })));
    await listen('malformed', proxy(s3, (q, s) => {
        if (q.headers.authorization?.includes('/ap-south-2/')) return false;
        s.writeHead(400);
        s.end('<Error><Code>AuthorizationHeaderMalformed</Code><Region>ap-south-2</Region></Error>');
        return true;
    }));
    await listen('elsewhere', proxy(s3, (q, s) =>
        refuse(s, 307, 'TemporaryRedirect', { location: `http://127.0.0.1:${s3}${q.url}` })));
    const circle = proxy(s3, (q, s) => refuse(s, 307, 'TemporaryRedirect',
        { location: `http://127.0.0.1:${circle.address().port}${q.url}` }));
    await listen('circle', circle);
    let busy = 2;
    await listen('busy', proxy(s3, (q, s) => busy-- > 0 && refuse(s, 503, 'SlowDown')));
    await listen('far', http.createServer((q, s) => { // 60 ms away
        setTimeout(() => q.pipe(http.request({ port: s3, method: q.method, path: q.url, headers: q.headers }, r => {
            s.writeHead(r.statusCode, r.headers);
            r.pipe(s);
        })), 60);
    }));
    await listen('ranges', proxy(s3, (q, s) => (q.headers.range && console.log('range', q.headers.range, q.url), false)));
    await listen('denied', proxy(s3, (q, s) => refuse(s, 403, 'AccessDenied')));
    await listen('bad_part', proxy(s3, (q, s) => {
        if (q.method === 'DELETE' && q.url.includes('uploadId=')) { // s3rver knows no abort
            console.log('aborted', q.url);
            s.writeHead(204);
            return s.end(), true;
        }
        return q.url.includes('partNumber=3') && refuse(s, 500, 'InternalError');
    }));
    let etag = 0;
    await listen('changing', proxy(s3, (q, s) => { // another version each time, and it breaks off
        if (q.method !== 'GET' || q.url.includes('list-type')) return false;
        s.writeHead(q.headers.range ? 412 : 200, { etag: `"${etag++}"`, 'content-length': 5000000 });
        s.write('a,b\n' + '1,2\n'.repeat(50000), () => s.destroy());
        return true;
    }));
    const put = (key, body) => fetch(`http://127.0.0.1:${s3}/data/${key}`, { method: 'PUT', body });
    for (let i = 0; i < 2345; i += 15)
        await Promise.all([...Array(15).keys()].map(k => i + k < 2345 && put(`many/f${i + k}.csv`, `n,name\n${i + k},x\n`)));
    console.log('ready', 0);
});
JS
NODE_OPTIONS=--openssl-legacy-provider node server.cjs store >ports 2>server.err &
server=$!
for _ in $(seq 600); do
    grep -q ready ports && break
    kill -0 $server 2>/dev/null || { cat server.err; exit 1; }
    sleep 0.1
done
grep -q ready ports || exit 1

fail() { echo "s3: $*" >&2; exit 1; }
at() { echo "http://127.0.0.1:$(sed -n "s/^$1 //p" ports)"; }
through() { # through PROXY COMMAND...
    local endpoint
    endpoint=$(at "$1")
    shift
    AWS_ENDPOINT_URL=$endpoint "$@"
}
refused() { # refused WORDS COMMAND...: fails with one line that has the words, and no secret
    local words=$1
    shift
    if "$@" >out 2>err; then fail "was not refused: $*"; fi
    [ "$(wc -l <err)" = 1 ] || fail "more than a line: $(cat err)"
    grep -qF -- "$words" err || fail "expected '$words', found: $(cat err)"
    ! grep -q s3cr3t0key out err || fail "a secret is shown: $(cat out err)"
}
export HOME=$dir AWS_ACCESS_KEY_ID=S3RVER AWS_SECRET_ACCESS_KEY=s3cr3t0key AWS_ENDPOINT_URL=$(at s3)
export no_proxy=127.0.0.1
unset AWS_PROFILE AWS_REGION AWS_DEFAULT_REGION AWS_SESSION_TOKEN AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE
l() { "$lathe" -w ws --json "$@"; }
value() { sed -n 's/^ *"'"$2"'": "\{0,1\}\([^",]*\)"\{0,1\},\{0,1\}$/\1/p' "$1" | head -n 1; }
jan=$sample/taxi_2019_01.csv
"$lathe" -w ws --json ingest "$jan" as=file again=yes >file.json
hash=$(value file.json hash)

# ---- odd keys, there and back
i=0
for key in plain.csv 'a b.csv' 'a+b.csv' 'p%20q%.csv' $'\xc3\xa4\xe6\x97\xa5.csv' "x'(y)*!~.csv" 'q?a=b&c#d.csv' \
    '@:$,;=.csv' 'deep/er/é f.csv' 'quote".csv' 'back\slash.csv' '<xml>&amp;.csv'; do
    "$tool" put s3://data/odd "$key" "$jan" || fail "put $key"
    "$tool" get s3://data/odd "$key" back || fail "get $key"
    cmp -s back "$jan" || fail "$key came back otherwise"
    [ "$("$tool" stat s3://data/odd "$key")" = "$(stat -c %s "$jan")" ] || fail "stat $key"
    [ "$("$tool" list s3://data/odd "$key" | cut -f 3)" = "$key" ] || fail "list $key: $("$tool" list s3://data/odd "$key")"
    l ingest "s3://data/odd/$key" as=odd >odd.json || fail "ingest $key"
    [ "$(value odd.json hash)" = "$hash" ] || fail "$key became another dataset"
    i=$((i + 1))
done
[ "$("$tool" list s3://data/odd | wc -l)" = $i ] || fail "a list of odd keys"
"$tool" put s3://dotted.name/x y "$jan" && "$tool" get s3://dotted.name x/y back && cmp back "$jan" || fail "dotted.name"
AWS_ACCESS_KEY_ID='' AWS_SECRET_ACCESS_KEY='' "$tool" get s3://data odd/plain.csv back || fail "unsigned"
gzip -c "$jan" >jan.gz
"$tool" put s3://data/packed jan.csv jan.gz # packed, whatever it is called
l ingest s3://data/packed/jan.csv as=packed >odd.json && [ "$(value odd.json hash)" = "$hash" ] || fail "gzip"

# ---- profiles
mkdir -p .aws
printf '[team]\naws_access_key_id = S3RVER\naws_secret_access_key = s3cr3t0key\n' >.aws/credentials
printf '[profile team]\nregion = eu-west-9\nendpoint_url = %s\n' "$(at region)" >.aws/config
(
    unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_ENDPOINT_URL
    AWS_PROFILE=team "$tool" get s3://data odd/plain.csv back || exit 1
    AWS_PROFILE=nobody refused "no such profile" "$tool" stat s3://data odd/plain.csv
) || fail "profiles"
rm -r .aws

# ---- prefixes, globs, pages
[ "$("$tool" many s3://data/many/ | wc -l)" = 2345 ] || fail "2,345 objects are not listed"
l ingest s3://data/many/ >many.json || fail "ingest of a prefix"
[ "$(value many.json rows)" = 2345 ] && [ "$(value many.json dataset)" = many ] || fail "$(cat many.json)"
l sql 'select sum(n) as total, count(distinct n) as each from many' >sum.json
grep -q 2748340 sum.json && grep -q 2345 sum.json || fail "rows of many: $(cat sum.json)"
l ingest 's3://data/many/f10?.csv' as=ten >ten.json && [ "$(value ten.json rows)" = 10 ] || fail "a glob of keys"
begun=$(date +%s%N) # 556 objects of 60 ms each, not one after another
through far "$lathe" -w ws --json ingest 's3://data/many/f1*.csv' as=far >far.json || fail "objects far away"
took=$((($(date +%s%N) - begun) / 1000000))
n=$(value far.json rows)
[ "$n" -gt 400 ] && [ $took -lt $((n * 60 * 6 / 10)) ] || fail "$n objects of 60 ms each took $took ms"
refused "no object matches" "$lathe" -w ws ingest 's3://data/many/g*.csv'
refused "no object there" "$lathe" -w ws ingest s3://data/nothing/
printf 'n,more\n1,2.5\n' >extra.csv
"$tool" put s3://data/differ b.csv extra.csv
printf 'n,name\n7,x\n' >plain.csv
"$tool" put s3://data/differ a.csv plain.csv
: >_SUCCESS
"$tool" put s3://data/differ _SUCCESS _SUCCESS
l ingest s3://data/differ/ >differ.json || fail "objects that differ in columns"
[ "$(value differ.json columns)" = 3 ] && grep -q '"not_in": "s3://data/differ/a.csv"' differ.json || fail "$(cat differ.json)"

# ---- what has not changed is not fetched
l ingest s3://data/differ/ as=same >again.json && grep -q '"unchanged": true' again.json || fail "fetched again"
l ingest s3://data/odd/plain.csv >again.json
l ingest s3://data/odd/plain.csv >again.json && grep -q '"unchanged": true' again.json || fail "an object was fetched again"
[ "$(value again.json hash)" = "$hash" ] || fail "another dataset was given: $(cat again.json)"
l ingest s3://data/odd/plain.csv header=yes >again.json
! grep -q '"unchanged"' again.json || fail "other settings are another reading"
l ingest s3://data/odd/plain.csv again=yes >again.json
! grep -q '"unchanged"' again.json || fail "again=yes"
printf 'n,more\n1,2.5\n3,4\n' >extra.csv
"$tool" put s3://data/differ b.csv extra.csv
l ingest s3://data/differ/ as=same >again.json
! grep -q '"unchanged"' again.json && [ "$(value again.json rows)" = 3 ] || fail "a change was not seen"

# ---- in parts
head -c 3000000 /dev/urandom >big
for part in 1000000 999999 3000000; do
    "$tool" put s3://data/parts "p$part" big $part && "$tool" get s3://data "parts/p$part" back || fail "parts of $part"
    cmp big back || fail "parts of $part came back otherwise"
done
refused "500 InternalError" through bad_part "$tool" put s3://data/parts broken big 500000
[ "$("$tool" stat s3://data parts/broken)" = none ] || fail "an upload that failed left an object"
grep -q "^aborted /data/parts/broken?uploadId=" ports || fail "an upload that failed was not aborted"

# ---- a network as networks are
through cut "$tool" cat s3://data/odd/plain.csv >back || fail "cut three times"
cmp back "$jan" || fail "what was cut came otherwise"
through cut_always "$tool" get s3://data odd/plain.csv back || fail "cut every 700 kB"
cmp back "$jan" || fail "what was always cut came otherwise"
through cut_upload "$tool" put s3://data/parts cut big 1000000 || fail "an upload that was cut twice"
"$tool" get s3://data parts/cut back && cmp big back || fail "a cut upload came otherwise"
refused "does not answer (timed out)" through silent "$tool" cat s3://data/odd/plain.csv 1 2
refused "timed out" through stall "$tool" cat s3://data/odd/plain.csv 1 1
refused "changed on the server" through changing "$tool" cat s3://data/x.csv 2 3
AWS_ENDPOINT_URL=http://127.0.0.1:1 refused "refuses the connection" "$lathe" -w ws ingest s3://data/odd/plain.csv again=yes
through busy "$tool" get s3://data odd/plain.csv back && cmp back "$jan" || fail "busy twice"
for way in region malformed elsewhere; do
    through $way "$tool" cat s3://data/odd/plain.csv >back || fail "redirect: $way"
    cmp back "$jan" || fail "redirect $way came otherwise"
    [ "$(through $way "$tool" many s3://data/many/ | wc -l)" = 2345 ] || fail "list through redirect: $way"
    through $way "$tool" put s3://data/parts $way big 1000000 || fail "put through redirect: $way"
    "$tool" get s3://data parts/$way back && cmp back big || fail "put through redirect $way came otherwise"
done
refused "another region" through circle "$tool" cat s3://data/odd/plain.csv

# ---- refusals
refused "no such bucket" "$lathe" -w ws ingest s3://nobucket/x.csv
refused "no such bucket" "$lathe" -w ws ingest s3://nobucket/
refused "no such object" "$lathe" -w ws ingest s3://data/none.csv
refused "no permission (credentials of the environment)" through denied "$lathe" -w ws ingest s3://data/odd/plain.csv again=yes
refused "no permission" through denied "$lathe" -w ws push s3://data/team
AWS_ACCESS_KEY_ID=someone refused "does not know the access key" "$lathe" -w ws ingest s3://data/odd/
AWS_SECRET_ACCESS_KEY='' refused "AWS_SECRET_ACCESS_KEY is not" "$lathe" -w ws ingest s3://data/odd/
refused "expected s3://BUCKET/KEY" "$lathe" -w ws ingest 's3://b@d/x'

# ---- push and pull
l train linear data=file target=FAREAMOUNT epochs=1 >/dev/null 2>&1
l push s3://data/team file linear-1 part=5 >sent.json || fail push
"$lathe" -w other --json pull s3://data/team >got.json || fail pull
[ "$(value sent.json objects)" = "$(value got.json objects)" ] || fail "$(cat sent.json got.json)"
l push s3://data/team file linear-1 >sent.json && [ "$(value sent.json objects)" = 0 ] || fail "sent twice"
for w in ws other; do "$lathe" -w $w predict linear-1 "$sample/taxi_2019_02.csv" out=$w.csv >/dev/null || fail "predict in $w"; done
cmp ws.csv other.csv || fail "the model predicts otherwise"
"$tool" put s3://data/raw feb.csv "$sample/taxi_2019_02.csv"
"$lathe" -w ws predict linear-1 s3://data/raw/feb.csv out=s3://data/scored/feb.csv >/dev/null || fail "predict to S3"
"$tool" get s3://data scored/feb.csv back && cmp back ws.csv || fail "predictions on S3 are others"
refused "no such bucket" "$lathe" -w ws predict linear-1 s3://data/raw/feb.csv out=s3://nobucket/x.csv
[ -z "$(find ws -name '.predict*')" ] || fail "a file of predictions is left in the workspace"
through cut "$lathe" -w third pull s3://data/team file >/dev/null || fail "a pull that was cut"
AWS_ENDPOINT_URL=$(at stall) "$lathe" -w fourth pull s3://data/team file >/dev/null 2>&1 & # killed in the middle of the object
pid=$!
for _ in $(seq 100); do
    part=$(find fourth/datasets -name '.pull-*' -size +100k 2>/dev/null || true)
    [ -z "$part" ] || break
    sleep 0.1
done
kill -9 $pid
wait $pid 2>/dev/null || true
[ -n "$part" ] || fail "nothing of the object was kept"
has=$(stat -c %s "$part")
[ -z "$(find fourth/datasets -name '*.arrow')" ] || fail "half an object has a name"
through ranges "$lathe" -w fourth pull s3://data/team file >/dev/null || fail "a pull that goes on"
grep -q "^range bytes=$has- /data/team/objects/datasets/$hash.arrow" ports || fail "it did not go on at $has: $(grep range ports)"
mkdir -p fifth/datasets # the beginning of something else
head -c 5000 big >fifth/datasets/.pull-$hash
"$lathe" -w fifth pull s3://data/team file >/dev/null || fail "a wrong beginning"
! grep -rqa s3cr3t0key ws other || fail "a secret is kept in a workspace"
echo "s3: all held; $n objects of 60 ms each took $took ms"
