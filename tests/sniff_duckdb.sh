#!/usr/bin/env bash
# sniff_duckdb.sh -- DuckDB's sniffer beside ours on the tables of unit_data_dialects: names, types and
# the number of rows. Where the two differ it is written down below, and why; any other difference
# is a failure, and so is one that is gone. Needs node and @duckdb/node-api in PEER_NODE_MODULES.
set -u
tool=$(realpath -m "$(dirname "$1")/tests/unit_data_dialects")
modules=${PEER_NODE_MODULES:-node_modules}
command -v node >/dev/null && [ -x "$tool" ] && [ -d "$modules/@duckdb/node-api" ] || exit 77
modules=$(realpath "$modules")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
"$tool" files "$work" || exit 1

cat >"$work/compare.cjs" <<'JS'
const { createRequire } = require('node:module'), path = require('node:path'), fs = require('node:fs');
const { DuckDBInstance } = createRequire(path.join(process.argv[2], 'x.js'))('@duckdb/node-api');
const types = { bool: 'BOOLEAN', int64: 'BIGINT', float64: 'DOUBLE', timestamp: 'TIMESTAMP',
                date: 'DATE', text: 'VARCHAR' };
// what differs, and why ours is meant
const known = {
  beyond_64_bits: 'a number too large for 64 bits is a name; as a double it loses digits',
  currency: 'amounts are numbers to learn from',
  thousands: 'amounts are numbers to learn from',
  percent: 'amounts are numbers to learn from',
  decimal_comma: 'the comma is decimal, the point divides thousands',
  latin1: 'Latin-1 is guessed, not asked for',
  utf16: 'UTF-16 is guessed, not asked for',
  month_names: 'a month in words leaves no doubt',
  nulls: 'NA is missing where the others are numbers',
  ragged: 'rows of another width are rejected by line, not a table of one column',
  zones: 'times are UTC; the zone is taken off',
  same_names: 'names differ by case; the second a is a_2',
  empty_names: 'columns count from 1',
  no_header: 'columns count from 1',
  trailing: 'an empty last column without a name is left out',
  'trailing and used': 'columns count from 1',
};
(async () => {
  const db = await DuckDBInstance.create(':memory:'), con = await db.connect();
  let wrong = 0;
  const dir = process.argv[3];
  for (const file of fs.readdirSync(dir).filter(f => f.endsWith('.csv')).sort()) {
    const name = file.slice(0, -4), full = path.join(dir, file);
    const [head] = fs.readFileSync(path.join(dir, name + '.ours'), 'utf8').split('\n');
    const ours = head.split(' ').map(c => { const [n, t] = c.split(':'); return n + ':' + types[t]; });
    let theirs;
    try {
      const rows = await con.runAndReadAll(`DESCRIBE SELECT * FROM read_csv('${full}')`);
      theirs = rows.getRows().map(r => r[0] + ':' + r[1]).join(' ');
    } catch (e) {
      theirs = 'error';
    }
    const same = theirs === ours.join(' ');
    if (same === name in known) {
      wrong++;
      console.log(`${name}: ${same ? 'no difference any more' : 'ours ' + ours.join(' ') + ', DuckDB ' + theirs}`);
    } else if (!same) {
      console.log(`${name}: DuckDB ${theirs}; ours: ${known[name]}`);
    }
  }
  process.exit(wrong ? 1 : 0);
})();
JS
node "$work/compare.cjs" "$modules" "$work"
