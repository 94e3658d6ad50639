#!/usr/bin/env bash
# onnx_js.sh -- exported models, run by somebody else (the npm package onnxruntime-web), say what ours
# say on a thousand raw rows: every family, every task, numbers by every encoder, words, times, missing
# values. Skipped where node, npm or the package cannot be had, or the build has no ONNX.
set -eu
lathe=$(realpath -m "$1")
command -v node >/dev/null && command -v npm >/dev/null && [ -x "$lathe" ] || exit 77
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
echo '{"private": true, "type": "module"}' >package.json
timeout 240 npm install --silent --no-audit --no-fund onnxruntime-web@1.30 >/dev/null 2>&1 || exit 77

cat >score.mjs <<'JS'
// node score.mjs MODEL PREDICTIONS: each row's inputs stand beside our prediction in the CSV file
import * as ort from 'onnxruntime-web';
import fs from 'fs';
ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';
function parse(text) {
    const rows = [];
    let row = [], cell = '', quoted = false;
    for (let i = 0; i < text.length; i++) {
        const c = text[i];
        if (quoted) {
            if (c !== '"') cell += c;
            else if (text[i + 1] === '"') { cell += c; i++; }
            else quoted = false;
        } else if (c === '"') quoted = true;
        else if (c === ',' || c === '\n') {
            row.push(cell); cell = '';
            if (c === '\n') { rows.push(row); row = []; }
        } else cell += c;
    }
    return rows;
}
const number = s => s === '' ? NaN : s === 'true' ? 1 : s === 'false' ? 0
    : /^\d{4}-\d\d-\d\d[ T]\d/.test(s) ? Date.parse(s.replace(' ', 'T').replace(/Z?$/, 'Z')) / 1000
    : /^\d{4}-\d\d-\d\d$/.test(s) ? Date.parse(s + 'T00:00:00Z') / 86400000 : Number(s);
const [head, ...rows] = parse(fs.readFileSync(process.argv[3], 'utf8'));
const session = await ort.InferenceSession.create(process.argv[2]);
const most = 1000, part = rows.filter(r => r[1] !== '').slice(0, most);
if (part.length < 900) throw new Error(`only ${part.length} rows`);
const feeds = {};
for (const meta of session.inputMetadata) {
    const at = head.lastIndexOf(meta.name), cells = part.map(r => r[at]);
    if (at < 0) throw new Error(`no column ${meta.name}`);
    feeds[meta.name] = meta.type === 'string' ? new ort.Tensor('string', cells, [part.length, 1])
        : new ort.Tensor('float64', Float64Array.from(cells, number), [part.length, 1]);
}
const out = await session.run(feeds);
let worst = 0, labels = 0;
part.forEach((row, i) => {
    const check = (ours, theirs) => {
        const apart = Math.abs(ours - theirs) / Math.max(1, Math.abs(ours));
        if (!(apart <= worst)) worst = Number.isNaN(apart) ? Infinity : apart; // one NaN is enough
    };
    if (out.prediction) return check(Number(row[1]), out.prediction.data[i]);
    const classes = out.probability.dims[1];
    if (classes === 2) check(Number(row[2]), out.probability.data[2 * i + 1]);
    else for (let k = 0; k < classes; k++) check(Number(row[2 + k]), out.probability.data[i * classes + k]);
    labels += out.label.data[i] === row[1];
});
if (!(worst <= 1e-4)) throw new Error(`${process.argv[2]}: ${worst} apart`);
if (out.label && labels < part.length - 2) throw new Error(`${process.argv[2]}: ${part.length - labels} labels differ`);
console.log(`${process.argv[2]}: ${part.length} rows, at most ${worst.toExponential(1)} apart`);
JS

"$lathe" -w ws sample months rows=3000 seed=5 >/dev/null
"$lathe" -w ws ingest months/taxi_2019_01.csv as=jan >/dev/null
"$lathe" -w ws ingest months/taxi_2019_02.csv as=feb >/dev/null
columns=MILEAGE,DURATION,TOLLAMOUNT,ORIGIN_BLOCK_LATITUDE,ORIGINDATETIME_TR,PROVIDERNAME,ORIGINZIP

cat >ours.recipe <<'R'
drop missing FAREAMOUNT, MILEAGE
keep FAREAMOUNT between 3 and 200
rename DURATION to seconds
impute seconds median
clip seconds 0 5000
replace PROVIDERNAME "Transco Inc" "T", "Hitch" "H"
impute PROVIDERNAME mode
cast ORIGINZIP text
derive km = round(MILEAGE * 1.609344, 2)
derive speed = case when seconds > 60 and not km is null then km / (seconds / 3600) else null end
derive away = haversine(ORIGIN_BLOCK_LATITUDE, ORIGIN_BLOCK_LONGITUDE, DESTINATION_BLOCK_LATITUDE, DESTINATION_BLOCK_LONGITUDE)
derive hour = hour(ORIGINDATETIME_TR)
derive weekday = weekday(ORIGINDATETIME_TR)
derive rush = hour between 7 and 9 or hour in (16, 17, 18)
derive bent = coalesce(log(away + 1) + sqrt(km) + pow(2, min(km, 3)) - max(km, 2) % 3 + abs(sin(km) - cos(km)), -1)
R
cat >beyond.recipe <<'R'
derive day = day(ORIGINDATETIME_TR)
clip MILEAGE 0 60
R

# try NAME FAMILY TARGET SETTING...: trains, exports, scores the other month by both
try() {
    local name=$1 family=$2 target=$3
    shift 3
    "$lathe" -w ws train "$family" data=jan target="$target" name="$name" seed=3 "$@" >log 2>&1 || { cat log; exit 1; }
    "$lathe" -w ws export "$name" out="$name.onnx" >log 2>&1 || {
        grep -q "built without ONNX" log && exit 77
        cat log
        exit 1
    }
    "$lathe" -w ws predict "$name" months/taxi_2019_02.csv out="$name.csv" with="$columns,AIRPORT,FAREAMOUNT" >/dev/null
    node score.mjs "$name.onnx" "$name.csv"
}

try linear linear FAREAMOUNT epochs=3 features=$columns,AIRPORT
try quantile mlp DURATION epochs=3 features=MILEAGE,FAREAMOUNT,ORIGIN_BLOCK_LATITUDE,ORIGINDATETIME_TR numbers=quantile hidden=32 transform_target=log
for act in gelu silu elu leaky-relu tanh sigmoid; do
    try "mlp_$act" mlp FAREAMOUNT epochs=1 features=MILEAGE,DURATION,AIRPORT hidden=16,16 activation=$act batchnorm=yes
done
try resnet resnet AIRPORT epochs=2 features=$columns width=32
try wide wide_deep PAYMENTTYPE epochs=2 features=$columns,AIRPORT hidden=32
try onehot mlp PAYMENTTYPE epochs=2 features=$columns categories=onehot hidden=16
try ft ft_transformer FAREAMOUNT epochs=1 features=$columns,AIRPORT width=32 blocks=2
try ft_class ft_transformer PAYMENTTYPE epochs=1 features=MILEAGE,PROVIDERNAME width=16 blocks=1 activation=gelu
try tab tab_transformer PAYMENTTYPE epochs=1 features=$columns,AIRPORT blocks=2
try tabnet tabnet FAREAMOUNT epochs=2 features=$columns,AIRPORT
try trees gbdt FAREAMOUNT epochs=40 features=$columns,AIRPORT min_rows=5
try trees_yes gbdt AIRPORT epochs=20 features=$columns min_rows=5
try trees_class gbdt PAYMENTTYPE epochs=10 features=$columns,AIRPORT min_rows=5

# what recipes make of raw columns
places=ORIGIN_BLOCK_LATITUDE,ORIGIN_BLOCK_LONGITUDE,DESTINATION_BLOCK_LATITUDE,DESTINATION_BLOCK_LONGITUDE
raw=$columns,$places
columns=$raw
made=seconds,PROVIDERNAME,ORIGINZIP,km,speed,away,hour,weekday,rush,bent
try cleaned mlp FAREAMOUNT epochs=3 hidden=16 recipe=ours.recipe features=$made
try cleaned_trees gbdt FAREAMOUNT epochs=20 recipe=ours.recipe features=$made min_rows=5
grep -q "part of it" log && { echo "a recipe that can be said is not part of the model"; exit 1; }
"$lathe" -w ws train linear data=jan target=FAREAMOUNT name=beyond epochs=1 recipe=beyond.recipe features=MILEAGE,day >log 2>&1
"$lathe" -w ws export beyond out=beyond.onnx >log 2>&1
grep -q "no words for: derive day = day(ORIGINDATETIME_TR)" log || { cat log; exit 1; }
