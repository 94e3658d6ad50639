// scan_duckdb.mjs -- what scan.c's groups are measured against: scan_duckdb.mjs CSV THREADS
// Loads the table, says "ready", then runs each statement that comes as a line and answers with its seconds,
// its processor seconds and the number of its groups.
// PEER_NODE_MODULES: the folder that holds @duckdb/node-api.
import { createInterface } from 'readline';
import { createRequire } from 'module';
const { DuckDBInstance } = createRequire((process.env.PEER_NODE_MODULES ?? '.') + '/x.js')('@duckdb/node-api');
const [csv, threads] = process.argv.slice(2);
const c = await (await DuckDBInstance.create(':memory:')).connect();
await c.run(`set threads = ${threads}`);
await c.run(`create table trips as select * from read_csv('${csv}', nullstr=['', 'NULL'])`);
console.log('ready');
for await (const sql of createInterface({ input: process.stdin })) {
    const begun = process.hrtime.bigint(), cpu = process.cpuUsage();
    const rows = (await c.runAndReadAll(sql)).getRows().length;
    const used = process.cpuUsage(cpu);
    console.log(Number(process.hrtime.bigint() - begun) / 1e9, (used.user + used.system) / 1e6, rows);
}
