// formats_duckdb.mjs -- what formats.c is measured against: formats_duckdb.mjs TASK IN OUT THREADS
// One line: seconds and processor seconds of the task, without those of the start.
// PEER_NODE_MODULES: the folder that holds @duckdb/node-api.
import { createRequire } from 'module';
const { DuckDBInstance } = createRequire((process.env.PEER_NODE_MODULES ?? '.') + '/x.js')('@duckdb/node-api');
const [task, from, to, threads] = process.argv.slice(2);
const c = await (await DuckDBInstance.create(':memory:')).connect();
await c.run(`set threads = ${threads}`);
await c.run('set preserve_insertion_order = true');
const load = { prepare: `read_csv('${from}', nullstr=['', 'NULL'])` }[task] ?? `read_parquet('${from}')`;
if (task !== 'read') await c.run(`create table t as select * from ${load}`);
const begun = process.hrtime.bigint(), cpu = process.cpuUsage();
if (task === 'read') await c.run(`create table t as select * from ${load}`);
else await c.run(`copy t to '${to}' (format ${task === 'csv' ? 'csv' : 'parquet'})`);
const used = process.cpuUsage(cpu);
console.log(Number(process.hrtime.bigint() - begun) / 1e9, (used.user + used.system) / 1e6);
