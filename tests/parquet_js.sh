#!/usr/bin/env bash
# parquet_js.sh -- other implementations read the Parquet and Arrow files we export, value by value, and we read
# those they write: the npm packages hyparquet, hyparquet-writer, parquet-wasm, apache-arrow and, where it
# can be had, DuckDB. Skipped where node, npm or the packages cannot be had; LATHE_NODE_MODULES: a folder
# that has them already.
set -eu
lathe=$(realpath -m "$1")
tool=$(realpath -m "$(dirname "$1")/tests/unit_data_dataset")
house=$PWD
command -v node >/dev/null && command -v npm >/dev/null && [ -x "$tool" ] || exit 77
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
echo '{"private": true, "type": "module"}' >package.json
if [ -d "${LATHE_NODE_MODULES:-}" ]; then
    ln -s "$LATHE_NODE_MODULES" node_modules
else
    timeout 200 npm install --silent --no-audit --no-fund hyparquet@1.31 hyparquet-writer@0.17 parquet-wasm@0.7 \
        apache-arrow@21 >/dev/null 2>&1 || exit 77
fi
[ -d node_modules/hyparquet ] && [ -d node_modules/parquet-wasm ] && [ -d node_modules/hyparquet-writer ] || exit 77
fail() { echo "FAIL: $*"; exit 1; }
hash() { "$lathe" -w ws --json ingest "$@" 2>said | sed -n 's/.*"hash": "\([0-9a-f]*\)".*/\1/p'; }
dump() { "$tool" dump "ws/datasets/$1.arrow"; }

cat >common.mjs <<'JS'
import { Type } from 'apache-arrow';
// "name TAB row TAB value" lines: times in microseconds, dates in days
export function lines(text) {
    const by = new Map();
    for (const line of text.split('\n').filter(l => l)) {
        const [name, row, ...rest] = line.split('\t');
        by.set(name + '\t' + row, rest.join('\t'));
    }
    return by;
}
export function compare(by, values, who) {
    let i = 0;
    for (const [name, row, said, step] of values) {
        const ours = by.get(name + '\t' + row);
        const same = said === null || said === undefined ? ours === '<missing>'
            : step ? Math.abs(Number(ours) - Number(said)) < step
            : typeof said === 'number' ? (Number.isNaN(said) ? ours === 'nan' : Number(ours) === said || ours === (said > 0 ? 'inf' : '-inf') && !Number.isFinite(said))
            : String(said) === ours;
        if (!same) throw new Error(`${name}, row ${row}: ${who} has ${said}, lathe has ${ours}`);
        i++;
    }
    if (i !== by.size || i === 0) throw new Error(`${who} has ${i} values, lathe has ${by.size}`);
    console.log(`${who}: ${i} values agree`);
}
export function* fromArrow(table) {
    for (const [i, f] of table.schema.fields.entries()) {
        let row = 0;
        for (const v of table.getChildAt(i)) {
            const id = f.type.typeId;
            const step = v !== null && id === Type.Timestamp ? 1000 : 0; // it has milliseconds
            yield [f.name, row++, v === null ? null : step ? v * 1000 : id === Type.Date ? Math.floor(v / 86400000) : v, step];
        }
    }
}
export function* fromRows(rows, dates) {
    for (const name of Object.keys(rows[0]))
        for (const [row, o] of rows.entries()) {
            let v = o[name], step = 0;
            if (v instanceof Date && dates.includes(name)) v = Math.floor(v.getTime() / 86400000);
            else if (v instanceof Date) (v = v.getTime() * 1000), (step = 1000);
            yield [name, row, v, step];
        }
}
JS
cat >read.mjs <<'JS'
import fs from 'fs';
import { tableFromIPC } from 'apache-arrow';
import { parquetReadObjects } from 'hyparquet';
import * as wasm from 'parquet-wasm';
import { compare, lines, fromArrow, fromRows } from './common.mjs';
const by = lines(fs.readFileSync(0, 'utf8'));
for (const path of process.argv.slice(2)) {
    const bytes = fs.readFileSync(path);
    const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    if (/parquet$/.test(path)) {
        compare(by, fromArrow(tableFromIPC(wasm.readParquet(new Uint8Array(bytes)).intoIPCStream())), 'parquet-wasm, ' + path);
        if (!/zstd|gzip|lz4/.test(path)) // it has no other codecs of its own
            compare(by, fromRows(await parquetReadObjects({ file: buffer }), ['day']), 'hyparquet, ' + path);
    } else {
        compare(by, fromArrow(tableFromIPC(bytes)), 'apache-arrow, ' + path);
    }
}
JS

# what we write, they read: the sample trips, and the tests' own table of every type with missing values
"$lathe" -w ws ingest "$house/sample-data/taxi_2019_01.csv" as=jan >/dev/null 2>said || fail "$(cat said)"
cp "$("$tool" write "$dir")" all.arrow
hash all.arrow as=all >/dev/null
"$lathe" -w ws data show all >/dev/null || fail "the table of all types was not taken"
name() { "$lathe" -w ws --json sql "select hash from datasets where name = '$1'" | sed -n 's/.*"hash": "\([0-9a-f]*\)".*/\1/p' | head -1; }
for data in jan all; do
    for how in .none .snappy .zstd .gzip .lz4; do
        "$lathe" -w ws export $data out=$data$how.parquet compress=${how#.} >/dev/null 2>said || fail "$(cat said)"
    done
    "$lathe" -w ws export $data out=$data.file.arrow >/dev/null 2>said || fail "$(cat said)"
    "$lathe" -w ws export $data out=$data.arrows >/dev/null 2>said || fail "$(cat said)"
    dump "$(name $data)" | node --max-old-space-size=3000 read.mjs $data.none.parquet $data.snappy.parquet $data.zstd.parquet $data.gzip.parquet \
        $data.lz4.parquet $data.file.arrow $data.arrows
    for again in $data.zstd.parquet $data.file.arrow $data.arrows; do
        [ "$(name $data)" = "$(hash $again as=again)" ] || fail "$again comes back as another dataset: $(cat said)"
    done
done
# some columns of some rows
"$lathe" -w ws export jan out=some.parquet columns="MILEAGE, PAYMENTTYPE" where="FAREAMOUNT > 50" >/dev/null 2>said || fail "$(cat said)"
hash some.parquet as=some >/dev/null
"$lathe" -w ws sql "select count(*) - (select count(*) from jan where FAREAMOUNT > 50) as d, sum(MILEAGE) - (select sum(MILEAGE) from jan where FAREAMOUNT > 50) as e from some" |
    tail -n +2 | head -1 | grep -Eq '^ *0 +0' || fail "some columns of some rows are not those"

# what they write, we read
cat >write.mjs <<'JS'
import fs from 'fs';
import * as A from 'apache-arrow';
import * as wasm from 'parquet-wasm';
import { parquetWriteBuffer } from 'hyparquet-writer';
const n = 5000, list = f => Array.from({ length: n }, (_, i) => f(i));
const v = (l, t) => A.vectorFromArray(l, t);
const table = new A.Table({
    i: v(list(i => i % 7 ? i - 50 : null), new A.Int32), l: v(list(i => BigInt(i) * 1000000007n), new A.Int64), u: v(list(i => i % 256), new A.Uint8),
    f: v(list(i => i % 5 ? i / 3 : null), new A.Float64), g: v(list(i => i / 4), new A.Float32), b: v(list(i => i % 3 ? i % 2 === 0 : null), new A.Bool),
    s: v(list(i => i % 4 ? 'row ü ' + i : null), new A.Utf8), w: v(list(i => ['red', 'green', '', 'blue'][i % 4]), new A.Dictionary(new A.Utf8, new A.Int32)),
    day: v(list(i => new Date(86400000 * (i - 100))), new A.DateDay), t: v(list(i => i * 1234.5), new A.TimestampMicrosecond),
});
const plain = new A.Table({ ...Object.fromEntries(table.schema.fields.filter(f => f.name !== 'w').map(f => [f.name, table.getChild(f.name)])) });
fs.writeFileSync('wasm.arrows', A.tableToIPC(table, 'stream'));
const C = wasm.Compression, V = wasm.WriterVersion;
const make = (name, c, version) => {
    const p = new wasm.WriterPropertiesBuilder().setCompression(c).setWriterVersion(version).setMaxRowGroupSize(2000).setDataPageSizeLimit(1024).build();
    fs.writeFileSync(name, wasm.writeParquet(wasm.Table.fromIPCStream(A.tableToIPC(plain, 'stream')), p));
};
make('w.snappy.parquet', C.SNAPPY, V.V1);
make('w.zstd.parquet', C.ZSTD, V.V2);
make('w.gzip.parquet', C.GZIP, V.V2);
make('w.lz4.parquet', C.LZ4_RAW, V.V1);
make('w.none.parquet', C.UNCOMPRESSED, V.V2);
fs.writeFileSync('plain.arrow', A.tableToIPC(plain, 'file'));
const hy = (name, codec) => fs.writeFileSync(name, Buffer.from(parquetWriteBuffer({ codec, rowGroupSize: 2000, columnData: [
    { name: 'i', data: list(i => i % 7 ? i - 50 : null), type: 'INT32', nullable: true },
    { name: 'f', data: list(i => i % 5 ? i / 3 : null), type: 'DOUBLE', nullable: true },
    { name: 's', data: list(i => i % 4 ? 'row ü ' + i : null), type: 'STRING', nullable: true },
    { name: 'w', data: list(i => ['red', 'green', '', 'blue'][i % 4]), type: 'STRING' },
    { name: 'b', data: list(i => i % 2 === 0), type: 'BOOLEAN' }] })));
hy('hy.none.parquet', 'UNCOMPRESSED');
hy('hy.snappy.parquet', 'SNAPPY');
const few = new A.Table(Object.fromEntries(['i', 'f', 's', 'w'].map(k => [k, table.getChild(k)])));
fs.writeFileSync('few.arrow', A.tableToIPC(few.assign(new A.Table({ b: v(list(i => i % 2 === 0), new A.Bool) })), 'file'));
JS
node write.mjs
wanted=$(hash plain.arrow as=plain)
[ -n "$wanted" ] || fail "$(cat said)"
for f in w.*.parquet; do
    [ "$wanted" = "$(hash "$f" as=other)" ] || fail "$f of parquet-wasm is another dataset: $(cat said)"
done
wanted=$(hash few.arrow as=few)
for f in hy.*.parquet; do
    [ "$wanted" = "$(hash "$f" as=other)" ] || fail "$f of hyparquet-writer is another dataset: $(cat said)"
done
echo "files of parquet-wasm and hyparquet-writer are the datasets they should be"

# DuckDB: delta encodings and its codecs; what it finds in our statistics
[ -d node_modules/@duckdb ] || { echo "without DuckDB: set LATHE_NODE_MODULES to a folder that has @duckdb/node-api"; exit 0; }
cat >duck.mjs <<'JS'
import { DuckDBInstance } from '@duckdb/node-api';
const c = await (await DuckDBInstance.create(':memory:')).connect();
await c.run('set threads = 2');
for (const q of process.argv.slice(2)) {
    const r = await c.runAndReadAll(q);
    for (const row of r.getRowsJson()) console.log(row.join('|'));
}
JS
node duck.mjs "create table k as select range i, (range % 100)::tinyint t8, range::uinteger u32, range::ubigint u64, (range * 7 % 999)::float f,
    (range * 31 % 100000)::decimal(9,2) d9, (range * 17)::decimal(18,4) d18, (range % 5000)::decimal(30,6) d38, 'x' || range s,
    case when range % 3 = 0 then null else 'y' || (range % 7) end w, range % 2 = 0 b, date '2020-01-01' + (range % 1000)::int d,
    timestamp '2020-01-01' + to_microseconds(range * 1000001) t from range(200000)" \
    "copy k to 'd.snappy.parquet'" "copy k to 'd.zstd.parquet' (compression zstd)" "copy k to 'd.v2.parquet' (parquet_version V2, compression gzip)" \
    "copy (select i, t8, u32, u64, f::double f, d9::double d9, d18::double d18, d38::double d38, s, w, b, d, t from k) to 'd.csv'" >/dev/null
wanted=$(hash d.snappy.parquet as=d)
[ -n "$wanted" ] || fail "$(cat said)"
for f in d.zstd.parquet d.v2.parquet d.csv; do
    [ "$wanted" = "$(hash $f as=other)" ] || fail "$f of DuckDB is another dataset: $(cat said)"
done
for c in MILEAGE FAREAMOUNT PAYMENTTYPE ORIGINDATETIME_TR; do
    [ "$(node duck.mjs "select count(*) from (select stats_min_value::varchar a, stats_max_value::varchar b, stats_null_count n from parquet_metadata('jan.snappy.parquet')
        where path_in_schema = '$c') where a is not null and b is not null and n is not null")" != 0 ] || fail "$c has no statistics for DuckDB"
done
[ "$(node duck.mjs "select (select sum(n) from (select stats_null_count n from parquet_metadata('all.zstd.parquet') where path_in_schema = 'amount')) =
    (select count(*) filter (amount is null) from 'all.zstd.parquet')")" = true ] || fail "null_count is not the number of nulls"
[ "$(node duck.mjs "select (select count(*) from 'all.zstd.parquet' where count = 17) = (select count(*) from 'all.none.parquet' where count + 0 = 17)")" = true ] ||
    fail "DuckDB finds other rows by our statistics"
echo "DuckDB reads ours and we read its"
