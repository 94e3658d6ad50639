/* ingest.c -- how fast a CSV becomes a typed, profiled, hashed dataset on disk, beside DuckDB's read_csv
 * into a table in memory without statistics (in turns, in one run), and the share of what one core
 * can do on these bytes: find delimiters, parse numbers one by one, run libcsv.
 *
 *     bench_ingest [FILE.csv]     else PEER_DATA/taxi_5m.csv, else a made-up table
 *
 * DuckDB runs through node and its package @duckdb/node-api in PEER_NODE_MODULES (a folder
 * node_modules); left out with a word where they are missing. What counts is processor time, user
 * and system, of all threads: others share the machine. */
#include <lathe/data.h>

#include <csv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MADE_ROWS 300000
#define ROUNDS    3
#define THREADS   2

typedef struct Cost {
    double wall, processor;
} Cost;

static Cost now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (Cost){clock_now(), (double)t.tv_sec + (double)t.tv_nsec * 1e-9};
}

static Cost since(Cost began)
{
    Cost c = now();
    return (Cost){c.wall - began.wall, c.processor - began.processor};
}

/* The cost at that place among all turns, wall clock and processor each for itself: 0 is the best. */
static Cost ranked(const Cost *turn, size_t place)
{
    Cost out = {0};
    for (size_t i = 0; i < ROUNDS; i++) {
        size_t quicker = 0, cheaper = 0;
        for (size_t k = 0; k < ROUNDS; k++) {
            quicker += turn[k].wall < turn[i].wall || (turn[k].wall == turn[i].wall && k < i);
            cheaper += turn[k].processor < turn[i].processor ||
                       (turn[k].processor == turn[i].processor && k < i);
        }
        out.wall = quicker == place ? turn[i].wall : out.wall;
        out.processor = cheaper == place ? turn[i].processor : out.processor;
    }
    return out;
}

/* ---- what a core can do ---- */

typedef uint8_t Bytes __attribute__((vector_size(64), aligned(1), may_alias));

/* Delimiters, quotes and line ends, counted and nothing else. */
static uint64_t count_delimiters(const FileMap *m)
{
    uint64_t found = 0;
    for (size_t at = 0; at + 64 <= m->size;) {
        Bytes sum = {0};
        for (int i = 0; i < 255 && at + 64 <= m->size; i++, at += 64) {
            Bytes v = *(const Bytes *)(const void *)(m->at + at);
            sum -= (Bytes)(v == ',') | (Bytes)(v == '\n') | (Bytes)(v == '"');
        }
        for (size_t k = 0; k < sizeof sum; k++)
            found += sum[k];
    }
    return found;
}

/* Every field as a decimal number, character by character. */
static double sum_numbers(const FileMap *m)
{
    static const double scale[] = {1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7};
    double total = 0;
    for (const char *p = (const char *)m->at, *end = p + m->size; p < end; p++) {
        uint64_t value = 0;
        unsigned behind = 0, seen = 0;
        bool minus = *p == '-';
        for (p += minus; p < end && *p != ',' && *p != '\n'; p++) {
            unsigned digit = (unsigned)(*p - '0');
            if (digit < 10)
                value = value * 10 + digit, behind += seen;
            seen |= *p == '.';
        }
        total += (minus ? -1 : 1) * (double)value * scale[behind & 7];
    }
    return total;
}

static void count_field(void *s, size_t n, void *fields)
{
    (void)s, (void)n;
    ++*(size_t *)fields;
}

static size_t run_libcsv(const FileMap *m)
{
    struct csv_parser p;
    size_t fields = 0;
    csv_init(&p, 0);
    for (size_t at = 0; at < m->size;) { /* in pieces, as a program would read it */
        size_t n = m->size - at < 1 << 20 ? m->size - at : 1 << 20;
        csv_parse(&p, m->at + at, n, count_field, NULL, &fields);
        at += n;
    }
    csv_free(&p);
    return fields;
}

typedef struct Limits {
    double scan, parse, libcsv; /* seconds of one core */
} Limits;

static Limits measure(const FileMap *m)
{
    static volatile double kept;
    Limits l = {0};
    kept = (double)count_delimiters(m); /* into the cache of files */
    Cost t = now();
    kept = kept + (double)count_delimiters(m);
    l.scan = since(t).processor;
    t = now();
    kept = kept + sum_numbers(m);
    l.parse = since(t).processor;
    t = now();
    kept = kept + (double)run_libcsv(m);
    l.libcsv = since(t).processor;
    return l;
}

/* ---- DuckDB ---- */

static const char script[] =
    "const { createRequire } = require('node:module'), path = require('node:path');\n"
    "const at = createRequire(path.join(path.resolve(process.argv[2]), 'x.js'));\n"
    "(async () => {\n"
    "  const { DuckDBInstance } = at('@duckdb/node-api');\n"
    "  const db = await DuckDBInstance.create(':memory:', { threads: process.argv[4] });\n"
    "  const con = await db.connect(), file = process.argv[3].replaceAll(\"'\", \"''\");\n"
    "  for (const kept of [false, true]) {\n"
    "    await con.run('DROP TABLE IF EXISTS t');\n"
    "    const cpu = process.cpuUsage(), wall = process.hrtime.bigint();\n"
    "    await con.run(`CREATE TABLE t AS SELECT * FROM read_csv('${file}', "
    "nullstr=['', 'NULL'])`);\n"
    "    const used = process.cpuUsage(cpu);\n"
    "    if (kept) console.log(Number(process.hrtime.bigint() - wall) / 1e9,\n"
    "                          (used.user + used.system) / 1e6);\n"
    "  }\n"
    "})().catch(() => process.exit(1));\n";

static bool duckdb(const char *dir, const char *csv, Cost *out)
{
    const char *modules = getenv("PEER_NODE_MODULES");
    Text path = {0}, line = {0};
    text_printf(&path, "%s/duckdb.cjs", dir);
    text_printf(&line, "node '%s' '%s' '%s' %d 2>/dev/null", text_str(&path),
                modules ? modules : "node_modules", csv, THREADS);
    FILE *f = fopen(text_str(&path), "w");
    bool ok = f && fputs(script, f) >= 0 && fclose(f) == 0;
    FILE *p = ok ? popen(text_str(&line), "r") : NULL;
    ok = p && fscanf(p, "%lf %lf", &out->wall, &out->processor) == 2;
    ok = p && pclose(p) == 0 && ok;
    text_release(&path);
    text_release(&line);
    return ok;
}

/* ---- ours ---- */

/* As DuckDB's turn: twice, the second counts, and what the first made is dropped before the clock. */
static bool ours(const char *csv, const char *dir, Pool *pool, IngestReport *report, Cost *out,
                 Error *err)
{
    IngestOptions options = {0};
    params_init(ingest_params, &options);
    bool ok = true;
    for (int kept = 0; ok && kept < 2; kept++) {
        char path[1200];
        snprintf(path, sizeof path, "%s/%s.arrow", dir, report->hash);
        unlink(path);
        ingest_report_release(report);
        Cost began = now();
        ok = ingest(csv, &options, dir, pool, NULL, NULL, NULL, report, err);
        *out = since(began);
    }
    params_release(ingest_params, &options);
    return ok;
}

static void say(const char *who, Cost c, double mb)
{
    printf("  %-8s %6.2f s of processor time (%.0f MB/s on %d idle threads), %.2f s by the wall "
           "clock\n",
           who, c.processor, mb / c.processor * THREADS, THREADS, c.wall);
}

/* Opening again, and the profile that is kept with it. */
static bool reopen(const char *dir, const char *hash, Error *err)
{
    char path[1200];
    double best = 1e9, asked = 0;
    snprintf(path, sizeof path, "%s/%s.arrow", dir, hash);
    for (int i = 0; i < 5; i++) {
        double began = clock_now();
        Dataset *d = dataset_open(path, err);
        if (!d)
            return false;
        double opened = clock_now() - began;
        const Profile *p = dataset_profile(d);
        asked = clock_now() - began - opened;
        best = p->rows && opened < best ? opened : best;
        dataset_close(d);
    }
    printf("  reopened in %.1f ms (aim: 50); the kept profile of all columns asked for: %.3f ms\n",
           best * 1e3, asked * 1e3);
    return true;
}

static bool bench(const char *csv, const char *dir, Error *err)
{
    FileMap m;
    IngestReport report = {0};
    Cost ours_at[ROUNDS], duck_at[ROUNDS];
    if (!filemap_open(&m, csv, err))
        return false;
    double mb = (double)m.size / 1e6;
    Limits limit = measure(&m);
    Pool *pool = pool_create(THREADS);
    bool ok = true, peer = true;
    for (int i = 0; ok && i < ROUNDS; i++) {
        ok = ours(csv, dir, pool, &report, &ours_at[i], err);
        peer = ok && peer && duckdb(dir, csv, &duck_at[i]);
    }
    if (ok) {
        Cost us = ranked(ours_at, 0), us_often = ranked(ours_at, ROUNDS / 2);
        printf("ingest: %.0f MB, %llu rows, to a typed, profiled, hashed dataset on disk\n", mb,
               (unsigned long long)report.rows);
        say("lathe", us, mb);
        if (peer) {
            Cost duck = ranked(duck_at, 0), duck_often = ranked(duck_at, ROUNDS / 2);
            say("DuckDB", duck, mb);
            printf("  %.2f x DuckDB's read_csv into a table without statistics, by processor time "
                   "(aim: 3); %.2f x by the wall clock; of the medians of %d turns %.2f x and "
                   "%.2f x\n",
                   duck.processor / us.processor, duck.wall / us.wall, ROUNDS,
                   duck_often.processor / us_often.processor, duck_often.wall / us_often.wall);
        } else {
            puts("  DuckDB: left out, because node or @duckdb/node-api in PEER_NODE_MODULES is "
                 "missing");
        }
        printf("  one core: delimiters found at %.0f MB/s, of which ours is %.1f %%; numbers "
               "parsed one by one at %.0f MB/s, %.0f %%; libcsv at %.0f MB/s, %.0f %%\n",
               mb / limit.scan, limit.scan / us.processor * 100, mb / limit.parse,
               limit.parse / us.processor * 100, mb / limit.libcsv,
               limit.libcsv / us.processor * 100);
        ok = reopen(dir, report.hash, err);
    }
    filemap_close(&m);
    ingest_report_release(&report);
    pool_destroy(pool);
    return ok;
}

int main(int argc, char **argv)
{
    Error err = {0};
    const char *data = getenv("PEER_DATA");
    char dir[] = "/tmp/lathe-bench-XXXXXX", path[1100];
    SampleReport made;
    bool ok = mkdtemp(dir) != NULL;
    snprintf(path, sizeof path, "%s/taxi_5m.csv", data ? data : dir);
    if (ok && argc < 2 && !file_exists(path)) {
        SampleOptions options = {.rows = MADE_ROWS, .seed = 1, .drift = 1};
        ok = sample_write(dir, &options, &made, &err);
        snprintf(path, sizeof path, "%s", ok ? made.month[0].path : "");
    }
    ok = ok && bench(argc > 1 ? argv[1] : path, dir, &err);
    if (!ok)
        fprintf(stderr, "bench_ingest: %s\n", err.text);
    dir_remove(dir, NULL);
    return !ok;
}
