#!/usr/bin/env bash
# arrow_js.sh -- another implementation reads what we write, value by value, and we read what it
# writes: the npm package apache-arrow. Skipped where node, npm or the package cannot be had.
set -eu
lathe=$(realpath -m "$1")
tool=$(realpath -m "$(dirname "$1")/tests/unit_data_dataset")
command -v node >/dev/null && command -v npm >/dev/null && [ -x "$tool" ] || exit 77
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
echo '{"private": true, "type": "module"}' >package.json
timeout 120 npm install --silent --no-audit --no-fund apache-arrow@21 >/dev/null 2>&1 || exit 77

cat >common.mjs <<'JS'
import { Type } from 'apache-arrow';
// as the other side prints it: raw numbers, times in microseconds, dates in days
const real = v => Number.isNaN(v) ? 'nan' : v === Infinity ? 'inf' : v === -Infinity ? '-inf' : v;
export function* values(table) {
    for (const [name, column] of table.schema.fields.map((f, i) => [f.name, table.getChildAt(i)])) {
        const id = column.type.typeId;
        let row = 0;
        for (const v of column) {
            let said = v;
            if (v === null) said = '<missing>';
            else if (id === Type.Timestamp) said = BigInt(Math.round(v * 1000));
            else if (id === Type.Date) said = Math.floor(v / 86400000);
            else if (id === Type.Float) said = real(v);
            yield [name, row++, said];
        }
    }
}
export function compare(table, lines) {
    let i = 0;
    const by = new Map();
    for (const line of lines) {
        const [name, row, ...rest] = line.split('\t');
        by.set(name + '\t' + row, rest.join('\t'));
    }
    for (const [name, row, said] of values(table)) {
        const ours = by.get(name + '\t' + row);
        const same = typeof said === 'number' ? Number(ours) === said : String(said) === ours;
        if (!same)
            throw new Error(`${name}, row ${row}: apache-arrow has ${said}, lathe has ${ours}`);
        i++;
    }
    if (i !== by.size || i === 0)
        throw new Error(`apache-arrow has ${i} values, lathe has ${by.size}`);
    console.log(`${i} values agree`);
}
JS
cat >read.mjs <<'JS'
import { tableFromIPC } from 'apache-arrow';
import fs from 'fs';
import { compare } from './common.mjs';
compare(tableFromIPC(fs.readFileSync(process.argv[2])), fs.readFileSync(0, 'utf8').split('\n').filter(l => l));
JS
cat >write.mjs <<'JS'
import * as A from 'apache-arrow';
import fs from 'fs';
const v = (list, type) => A.vectorFromArray(list, type);
const day = 86400000;
const table = new A.Table({
    i8: v([1, null, -3], new A.Int8), u8: v([1, 2, 255], new A.Uint8), i16: v([1, null, -3], new A.Int16),
    u16: v([1, 2, 65535], new A.Uint16), i32: v([5, null, -7], new A.Int32),
    u32: v([4294967295, null, 7], new A.Uint32), i64: v([5n, null, -7n], new A.Int64), u64: v([5n, null, 7n], new A.Uint64),
    f16: v([1.5, null, -0.25], new A.Float16), none: v([null, null, null], new A.Null),
    f32: v([1.5, null, NaN], new A.Float32), f64: v([0.1, null, -Infinity], new A.Float64),
    b: v([true, null, false], new A.Bool), s: v(['a', null, 'ccc'], new A.Utf8), ls: v(['x', 'yy', null], new A.LargeUtf8),
    dict: v(['u', 'v', 'u'], new A.Dictionary(new A.Utf8, new A.Int32)),
    dict8: v(['p', null, 'q'], new A.Dictionary(new A.Utf8, new A.Int8)),
    ts_s: v([1000, null, -1000], new A.TimestampSecond), ts_ms: v([1500, null, -1], new A.TimestampMillisecond),
    ts_us: v([1.5, null, -1], new A.TimestampMicrosecond), ts_ns: v([1.5, null, -1], new A.TimestampNanosecond),
    d32: v([new Date(day), null, new Date(-day)], new A.DateDay),
    d64: v([new Date(day), null, new Date(-day)], new A.DateMillisecond),
});
fs.writeFileSync(process.argv[2], A.tableToIPC(table.concat(table.slice(1)), 'file'));
// the same as a stream, and one whose dictionary is replaced half way
fs.writeFileSync('js.arrows', A.tableToIPC(table.concat(table.slice(1)), 'stream'));
const words = list => new A.Table({ d: v(list, new A.Dictionary(new A.Utf8, new A.Int32, 7)) });
const stream = new A.RecordBatchStreamWriter();
stream.writeAll([...words(['a', 'b', 'a']).batches, ...words(['x', null, 'b']).batches]);
fs.writeFileSync('replaced.arrows', stream.toUint8Array(true));
const big = new A.Table({ u: v([1n, 18446744073709551615n], new A.Uint64) });
fs.writeFileSync('big.arrow', A.tableToIPC(big, 'file'));
fs.writeFileSync(process.argv[3], A.tableToIPC(new A.Table({ d: v([[1], [2]], new A.List(new A.Field('x', new A.Int32))) }), 'file'));
JS
file=$("$tool" write "$dir")
"$tool" dump "$file" | node read.mjs "$file"
node write.mjs js.arrow list.arrow
"$tool" dump js.arrow | node read.mjs js.arrow
if "$tool" dump list.arrow 2>said; then
    echo "a list column was not refused"
    exit 1
fi
grep -q "list.arrow: column d: Arrow type list is not supported" said || { cat said; exit 1; }

# as sources: a file, a stream, a stream packed and piped are one dataset
hash() { "$lathe" -w ws --json ingest "$@" 2>said | sed -n 's/.*"hash": "\([0-9a-f]*\)".*/\1/p'; }
first=$(hash js.arrow as=file)
[ -n "$first" ] || { cat said; exit 1; }
[ "$first" = "$(hash js.arrows as=stream)" ] || { echo "the stream is another dataset"; exit 1; }
[ "$first" = "$(gzip -c js.arrows | hash - as=piped)" ] || { echo "the piped stream is another dataset"; exit 1; }
hash replaced.arrows as=replaced >/dev/null
"$lathe" -w ws sql "select group_concat(coalesce(d, '-'), '') as said from replaced" | grep -q 'abax-b' ||
    { echo "a replaced dictionary is read wrong"; exit 1; }
# what does not fit is named with the way out, which works
[ -z "$(hash big.arrow as=big)" ] || { echo "a uint64 beyond int64 was not refused"; exit 1; }
grep -q "big.arrow: column u: .*types=u:float64" said || { cat said; exit 1; }
[ -n "$(hash big.arrow as=big types=u:float64)" ] || { cat said; exit 1; }
# cut anywhere, it is said in one line
for n in 9 100 800 1500; do
    head -c $n js.arrows >cut.arrows
    [ -z "$(hash cut.arrows as=cut)" ] || { echo "a stream of $n bytes was taken"; exit 1; }
    [ "$(wc -l <said)" = 1 ] || { cat said; exit 1; }
done
echo "files, streams and pipes agree"
