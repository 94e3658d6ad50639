/* formats.c -- Parquet and Arrow in, CSV and Parquet out, beside DuckDB in one run: seconds and processor
 * seconds of both, in turns, the best of three, and the ratio (above 1: lathe is faster). Ours is a typed,
 * profiled, hashed dataset on disk; DuckDB's a table in memory.   Usage: bench_formats [FILE.csv]
 * PEER_NODE_MODULES: the folder that holds @duckdb/node-api (without it only our own figures are printed);
 * PEER_DATA: where taxi_5m.csv may lie. */
#include <lathe/data.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define THREADS 2
#define TURNS   3

typedef struct Took { double seconds, processor; } Took;

static double processor_now(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void best(Took *b, Took t)
{
    if (b->seconds == 0 || t.seconds < b->seconds)
        b->seconds = t.seconds;
    if (b->processor == 0 || t.processor < b->processor)
        b->processor = t.processor;
}

/* false: there is no DuckDB here */
static bool duckdb(const char *task, const char *from, const char *to, Took *b)
{
    char line[4096];
    Took t;
    snprintf(line, sizeof line, "node '%s/tests/bench/formats_duckdb.mjs' %s '%s' '%s' %d 2>/dev/null",
             LATHE_SOURCE_DIR, task, from, to, THREADS);
    FILE *p = getenv("PEER_NODE_MODULES") ? popen(line, "r") : NULL;
    bool ok = p && fscanf(p, "%lf %lf", &t.seconds, &t.processor) == 2;
    if (p)
        pclose(p);
    if (ok)
        best(b, t);
    return ok;
}

static bool read_in(const char *path, const char *dir, Pool *pool, IngestReport *report, Took *b, Error *err)
{
    double seconds = clock_now(), processor = processor_now();
    ingest_report_release(report);
    bool ok = ingest(path, NULL, dir, pool, NULL, NULL, NULL, report, err);
    best(b, (Took){clock_now() - seconds, processor_now() - processor});
    return ok;
}

static bool write_out(const Dataset *d, const char *path, Pool *pool, Took *b, Error *err)
{
    double seconds = clock_now(), processor = processor_now();
    Arena a = {0};
    Chunk c;
    const Words **words = mem_alloc((dataset_schema(d)->count + 1) * sizeof *words);
    dataset_chunk(d, 0, &a, &c);
    for (size_t i = 0; i < c.columns; i++)
        words[i] = c.column[i].type == COLUMN_TEXT ? c.column[i].words : NULL;
    TableWriter *w = table_writer_create(path, dataset_schema(d), &(TableOptions){.words = words}, pool, err);
    bool ok = w != NULL;
    for (size_t i = 0; i < dataset_chunks(d) && ok; i++) {
        arena_reset(&a);
        dataset_chunk(d, i, &a, &c);
        ok = table_writer_add(w, &c, err);
    }
    ok = ok && table_writer_finish(w, err);
    table_writer_destroy(w);
    mem_free(words);
    arena_release(&a);
    best(b, (Took){clock_now() - seconds, processor_now() - processor});
    return ok;
}

static void report_line(const char *what, uint64_t rows, Took ours, Took theirs)
{
    printf("formats: %-14s %5.2f s, %5.2f s of processor, %.1f M rows/s", what, ours.seconds, ours.processor,
           (double)rows / 1e6 / ours.seconds);
    if (theirs.seconds > 0)
        printf("; DuckDB %5.2f s, %5.2f s of processor; ratio %.2f, of processor %.2f", theirs.seconds,
               theirs.processor, theirs.seconds / ours.seconds, theirs.processor / ours.processor);
    printf("\n");
}

static bool bench(const char *csv, const char *dir, Error *err)
{
    char parquet[1200], theirs[1200], arrow[1200], out[1200];
    Pool *pool = pool_create(THREADS);
    IngestReport report = {0};
    Took none = {0}, made = {0}, read[2] = {{0}}, arrows = {0}, text[2] = {{0}}, write[2] = {{0}};
    snprintf(parquet, sizeof parquet, "%s/ours.parquet", dir);
    snprintf(theirs, sizeof theirs, "%s/theirs.parquet", dir);
    snprintf(arrow, sizeof arrow, "%s/ours.arrows", dir);
    snprintf(out, sizeof out, "%s/out.csv", dir);
    bool ok = read_in(csv, dir, pool, &report, &none, err);
    char file[1200];
    snprintf(file, sizeof file, "%s/%s.arrow", dir, report.hash);
    Dataset *d = ok ? dataset_open(file, err) : NULL;
    ok = d && write_out(d, arrow, pool, &none, err) && write_out(d, parquet, pool, &none, err);
    bool peer = ok && duckdb("prepare", csv, theirs, &made); /* both read the file that DuckDB wrote */
    for (int turn = 0; turn < TURNS && ok; turn++) {
        ok = read_in(peer ? theirs : parquet, dir, pool, &report, &read[0], err) &&
             read_in(arrow, dir, pool, &report, &arrows, err) && write_out(d, out, pool, &text[0], err) &&
             write_out(d, parquet, pool, &write[0], err);
        if (peer) {
            duckdb("read", theirs, "", &read[1]);
            duckdb("csv", theirs, out, &text[1]);
            duckdb("parquet", theirs, out, &write[1]);
        }
    }
    if (ok) {
        uint64_t rows = dataset_rows(d);
        report_line("parquet in", rows, read[0], read[1]);
        report_line("arrow in", rows, arrows, (Took){0});
        report_line("csv out", rows, text[0], text[1]);
        report_line("parquet out", rows, write[0], write[1]);
    }
    dataset_close(d);
    ingest_report_release(&report);
    pool_destroy(pool);
    return ok;
}

int main(int argc, char **argv)
{
    Error err = {0};
    char dir[] = "/tmp/lathe-bench-XXXXXX", path[1100] = "";
    SampleReport made;
    bool ok = mkdtemp(dir) != NULL;
    if (argc > 1)
        snprintf(path, sizeof path, "%s", argv[1]);
    else if (getenv("PEER_DATA"))
        snprintf(path, sizeof path, "%s/taxi_5m.csv", getenv("PEER_DATA"));
    if (ok && !(*path && file_exists(path))) {
        ok = sample_write(dir, &(SampleOptions){.rows = 300000, .seed = 1, .drift = 1}, &made, &err);
        snprintf(path, sizeof path, "%s", ok ? made.month[0].path : "");
    }
    ok = ok && bench(path, dir, &err);
    if (!ok)
        fprintf(stderr, "bench_formats: %s\n", err.text);
    dir_remove(dir, NULL);
    return !ok;
}
