/* scan.c -- benchmark: questions to a whole table, on two threads, beside what the machine can read
 * and beside the plain way on one thread, in turns in one run.
 *
 *     bench_scan [FILE.csv|FILE.arrow [WORD]]     only the questions with this word
 *
 * Without a file 5 million trips are made up. With FILE.csv it is ingested to a folder of its own
 * first; its columns must be called as gen_taxi.py calls them (payment_type, pickup_datetime,
 * fare_amount, mileage). With PEER_NODE_MODULES (the folder that holds @duckdb/node-api) and a CSV, the
 * file or LATHE_PEER_CSV, DuckDB is asked for the same groups in turns. */
#include <lathe/recipe.h>
#include <lathe/scan.h>

#include "bench/trips.h"

#include <sys/wait.h>
#include <unistd.h>

#define MADE_ROWS 5000000
#define ROUNDS    5

/* ---- a table ------------------------------------------------------------------------------------- */

static Dataset *get_table(const char *file, const char *dir, Pool *pool, Error *err)
{
    IngestOptions options = {0};
    IngestReport report = {0};
    char path[512];
    if (!file)
        return make_trips(dir, MADE_ROWS, pool, err);
    if (strstr(file, ".arrow"))
        return dataset_open(file, err);
    params_init(ingest_params, &options);
    bool ok = ingest(file, &options, dir, pool, NULL, NULL, NULL, &report, err);
    params_release(ingest_params, &options);
    snprintf(path, sizeof path, "%s/%s.arrow", dir, report.hash);
    ingest_report_release(&report);
    return ok ? dataset_open(path, err) : NULL;
}

/* ---- what the machine can do ------------------------------------------------------------------------ */

typedef struct Reading {
    const uint64_t *at;
    size_t words, parts;
    uint64_t sum[256];
} Reading;

static void read_part(void *job, size_t i, size_t worker)
{
    Reading *r = job;
    uint64_t sum = 0;
    size_t end = (i + 1) * r->words / r->parts;
    for (size_t k = i * r->words / r->parts; k < end; k++)
        sum += r->at[k];
    r->sum[i] = sum;
    (void)worker;
}

/* Seconds to read 40 MB (a column of 5 million numbers) that lie in memory, on the pool. */
static double read_seconds(Pool *pool)
{
    static Reading r = {.words = 20000000, .parts = 256};
    if (!r.at) {
        uint64_t *fill = mem_alloc(r.words * sizeof *fill);
        for (size_t i = 0; i < r.words; i++)
            fill[i] = i;
        r.at = fill;
    }
    double began = clock_now();
    pool_run(pool, r.parts, read_part, &r);
    return (clock_now() - began) / (double)r.words * 5000000;
}

/* ---- one question ----------------------------------------------------------------------------------- */

typedef struct World {
    const Dataset *d;
    Pool *pool;
    size_t pay, when, fare, miles;
    Expr *filter, *fares;
    RowSet rows;
    const char *only;
} World;

typedef bool Question(World *w, Error *err);

typedef struct Clock {
    double wall[ROUNDS], cpu[ROUNDS];
} Clock;

static double middle(const double *v)
{
    return middle_of(v, ROUNDS);
}

static double least(const double *v)
{
    double m = v[0];
    for (int i = 1; i < ROUNDS; i++)
        m = fmin(m, v[i]);
    return m;
}

static bool ask(World *w, Question *q, int round, Clock *c)
{
    Error err = {0};
    double wall = clock_now(), cpu = cpu_now();
    if (!q(w, &err)) {
        printf("%s\n", err.text);
        return false;
    }
    c->wall[round] = clock_now() - wall;
    c->cpu[round] = cpu_now() - cpu;
    return true;
}

/* Ours and (if any) the plain way, in turns; columns: how many of 8 bytes are read at the least. */
static void compare(World *w, const char *name, Question *ours, Question *plain, double columns)
{
    Clock a = {0}, b = {0};
    double read[ROUNDS];
    if (w->only && !strstr(name, w->only))
        return;
    if (!ask(w, ours, 0, &a) || (plain && !ask(w, plain, 0, &b)))
        return;
    for (int i = 0; i < ROUNDS; i++) {
        ask(w, ours, i, &a);
        if (plain)
            ask(w, plain, i, &b);
        read[i] = read_seconds(w->pool);
    }
    double rows = (double)dataset_rows(w->d);
    printf("%-34s %8.1f ms (best %.1f, processor %.1f)  %7.0f M rows/s  %5.1f %% of reading", name,
           1e3 * middle(a.wall), 1e3 * least(a.wall), 1e3 * middle(a.cpu),
           rows / middle(a.wall) / 1e6, 100 * columns * rows / 5e6 * middle(read) / middle(a.wall));
    if (plain)
        printf("  plain %.1f ms: %.1f x (%.1f x by processor)", 1e3 * middle(b.wall),
               middle(b.wall) / middle(a.wall), middle(b.cpu) / middle(a.cpu));
    printf("\n");
    fflush(stdout);
}

/* ---- sorting ------------------------------------------------------------------------------------------- */

static bool sort_by(World *w, size_t column, size_t second, Error *err)
{
    SortKey key[2] = {{column, false}, {second, true}};
    rowset_release(&w->rows);
    return rowset_all(w->d, &w->rows, err) && scan_sort(w->d, key, second == SIZE_MAX ? 1 : 2,
                                                        &w->rows, 0, "/tmp", w->pool, NULL, err);
}

static bool sort_fare(World *w, Error *err)
{
    return sort_by(w, w->fare, SIZE_MAX, err);
}

static bool sort_time(World *w, Error *err)
{
    return sort_by(w, w->when, SIZE_MAX, err);
}

static bool sort_word(World *w, Error *err)
{
    return sort_by(w, w->pay, SIZE_MAX, err);
}

static bool sort_two(World *w, Error *err)
{
    return sort_by(w, w->pay, w->fare, err);
}

static bool sort_outside(World *w, Error *err)
{
    SortKey key = {w->fare, false};
    rowset_release(&w->rows);
    return rowset_all(w->d, &w->rows, err) &&
           scan_sort(w->d, &key, 1, &w->rows, 8 << 20, "/tmp", w->pool, NULL, err);
}

typedef struct Valued {
    double v;
    uint32_t row;
} Valued;

static int by_valued(const void *x, const void *y)
{
    const Valued *a = x, *b = y;
    if (isnan(a->v) || isnan(b->v))
        return isnan(a->v) != isnan(b->v) ? (isnan(a->v) ? 1 : -1)
                                          : (a->row > b->row) - (a->row < b->row);
    return a->v != b->v ? (a->v > b->v ? 1 : -1) : (a->row > b->row) - (a->row < b->row);
}

static bool sort_plain(World *w, Error *err) /* qsort of value and row */
{
    size_t rows = (size_t)dataset_rows(w->d), n = 0;
    Valued *all = mem_try((rows + 1) * sizeof *all, err);
    Arena a = {0};
    for (size_t c = 0; all && c < dataset_chunks(w->d); c++) {
        Column column;
        dataset_column(w->d, c, w->fare, &a, &column);
        for (size_t i = 0; i < column.rows; i++, n++)
            all[n] = (Valued){column_real(&column, i), (uint32_t)n};
    }
    if (all)
        qsort(all, n, sizeof *all, by_valued);
    mem_free(all);
    arena_release(&a);
    return all != NULL;
}

/* ---- groups ------------------------------------------------------------------------------------------------ */

static GroupSpec pivot_of(const World *w)
{
    return (GroupSpec){2,
                       {{w->pay, GROUP_VALUE, 0}, {w->when, GROUP_HOUR, 0}},
                       2,
                       {{AGGREGATE_COUNT, SIZE_MAX}, {AGGREGATE_MEAN, w->fare}}};
}

static bool group_all(World *w, Error *err)
{
    Arena a = {0};
    Chunk out;
    GroupSpec spec = pivot_of(w);
    bool ok = scan_group(w->d, &spec, NULL, 0, w->pool, NULL, &a, &out, err);
    arena_release(&a);
    return ok;
}

static bool group_some(World *w,
                       Error *err) /* where fare_amount between 3 and 200, as the peer's */
{
    Arena a = {0};
    Chunk out;
    RowSet rows = {0};
    GroupSpec spec = pivot_of(w);
    bool ok = expr_rows(w->fares, w->d, NULL, w->pool, NULL, &rows, err) &&
              scan_group(w->d, &spec, &rows, 0, w->pool, NULL, &a, &out, err);
    rowset_release(&rows);
    arena_release(&a);
    return ok;
}

static bool group_plain(World *w, Error *err) /* one loop over the chunks, column_real per value */
{
    static uint64_t count[64][25];
    static double sum[64][25];
    Arena a = {0};
    memset(count, 0, sizeof count);
    memset(sum, 0, sizeof sum);
    for (size_t c = 0; c < dataset_chunks(w->d); c++) {
        Column pay, when, fare;
        dataset_column(w->d, c, w->pay, &a, &pay);
        dataset_column(w->d, c, w->when, &a, &when);
        dataset_column(w->d, c, w->fare, &a, &fare);
        for (size_t i = 0; i < pay.rows; i++) {
            size_t p = column_has(&pay, i) && pay.words ? (size_t)pay.code[i] & 31 : 63;
            size_t h =
                column_has(&when, i) ? (size_t)(when.integer[i] / 3600000000 % 24 + 24) % 24 : 24;
            double v = column_real(&fare, i);
            count[p][h]++;
            if (!isnan(v))
                sum[p][h] += v;
        }
    }
    arena_release(&a);
    (void)err;
    return true;
}

static bool group_hashed(World *w, Error *err)
{
    Arena a = {0};
    Chunk out;
    GroupSpec spec = {1, {{w->fare, GROUP_VALUE, 0}}, 1, {{AGGREGATE_COUNT, SIZE_MAX}}};
    bool ok = scan_group(w->d, &spec, NULL, 0, w->pool, NULL, &a, &out, err);
    arena_release(&a);
    return ok;
}

/* ---- the others ---------------------------------------------------------------------------------------------- */

static bool filter_rows(World *w, Error *err)
{
    RowSet rows = {0};
    bool ok = expr_rows(w->filter, w->d, NULL, w->pool, NULL, &rows, err);
    rowset_release(&rows);
    return ok;
}

static bool profile_fresh(World *w, Error *err)
{
    Profile p = {0};
    bool ok = scan_profile(w->d, w->fare, NULL, w->pool, NULL, &p, err);
    profile_release(&p);
    return ok;
}

static bool profile_word(World *w, Error *err)
{
    Profile p = {0};
    bool ok = scan_profile(w->d, w->pay, NULL, w->pool, NULL, &p, err);
    profile_release(&p);
    return ok;
}

static bool profile_kept(World *w, Error *err)
{
    (void)err;
    return profile_find(dataset_profile(w->d), "fare_amount") != NULL;
}

static bool correlate(World *w, Error *err)
{
    Arena a = {0};
    Correlation out;
    bool ok = scan_correlation(w->d, NULL, w->pool, NULL, &a, &out, err);
    arena_release(&a);
    return ok;
}

static bool density(World *w, Error *err)
{
    Arena a = {0};
    Density out = {.x_column = w->miles, .y_column = w->fare, .width = 160, .height = 100};
    bool ok = scan_density(w->d, &out, NULL, w->pool, NULL, &a, err);
    arena_release(&a);
    return ok;
}

static bool find_columns(World *w, Error *err)
{
    const Schema *s = dataset_schema(w->d);
    w->pay = schema_need(s, "payment_type", err);
    w->when = schema_need(s, "pickup_datetime", err);
    w->fare = schema_need(s, "fare_amount", err);
    w->miles = schema_need(s, "mileage", err);
    w->filter = expr_parse("mileage > 2 and fare_amount < 30", s, err);
    w->fares = expr_parse("fare_amount between 3 and 200", s, err);
    return w->pay != SIZE_MAX && w->when != SIZE_MAX && w->fare != SIZE_MAX &&
           w->miles != SIZE_MAX && w->filter && w->fares;
}

/* ---- DuckDB ---------------------------------------------------------------------------------------------------- */

/* A process that answers statements (scan_duckdb.mjs). */
typedef struct Peer {
    pid_t child;
    FILE *to, *from;
} Peer;

static bool peer_open(Peer *p, const char *file)
{
    const char *csv = getenv("LATHE_PEER_CSV");
    int to[2], from[2];
    csv = csv ? csv : file;
    if (!getenv("PEER_NODE_MODULES") || !csv || !strstr(csv, ".csv") || pipe(to) || pipe(from)) {
        printf("DuckDB: not asked (PEER_NODE_MODULES and a CSV)\n");
        return false;
    }
    fflush(stdout);
    p->child = fork();
    if (p->child == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        close(to[1]);
        close(from[0]);
        execlp("node", "node", LATHE_SOURCE_DIR "/tests/bench/scan_duckdb.mjs", csv, "2", (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    p->to = fdopen(to[1], "w");
    p->from = fdopen(from[0], "r");
    char line[64];
    if (fgets(line, sizeof line, p->from) && strcmp(line, "ready\n") == 0)
        return true;
    printf("DuckDB: cannot be run here\n");
    return false;
}

static bool peer_ask(Peer *p, const char *sql, int round, Clock *c, int *groups)
{
    char line[200];
    fprintf(p->to, "%s\n", sql);
    fflush(p->to);
    return fgets(line, sizeof line, p->from) &&
           sscanf(line, "%lf %lf %d", &c->wall[round], &c->cpu[round], groups) == 3;
}

static void peer_close(Peer *p)
{
    if (p->to)
        fclose(p->to);
    if (p->from)
        fclose(p->from);
    if (p->child > 0)
        waitpid(p->child, NULL, 0);
}

/* Ours and theirs in turns, on two threads each. */
static bool beside(World *w, Peer *p, const char *name, Question *ours, const char *sql)
{
    Clock a = {0}, b = {0};
    int groups = 0;
    bool ok = peer_ask(p, sql, 0, &b, &groups) && ask(w, ours, 0, &a);
    for (int i = 0; i < ROUNDS && ok; i++)
        ok = ask(w, ours, i, &a) && peer_ask(p, sql, i, &b, &groups);
    if (ok)
        printf("%-34s %8.1f ms (best %.1f, processor %.1f)  DuckDB %.1f ms (best %.1f, processor %.1f): "
               "%.2f x (best %.2f x, %.2f x by processor), %d groups\n",
               name, 1e3 * middle(a.wall), 1e3 * least(a.wall), 1e3 * middle(a.cpu), 1e3 * middle(b.wall),
               1e3 * least(b.wall), 1e3 * middle(b.cpu), middle(b.wall) / middle(a.wall),
               least(b.wall) / least(a.wall), middle(b.cpu) / middle(a.cpu), groups);
    fflush(stdout);
    return ok;
}

static void run_peer(World *w, const char *file)
{
    Peer p = {0};
    if (peer_open(&p, file)) {
        beside(w, &p, "payment by hour", group_all,
               "select payment_type, hour(pickup_datetime) h, count(*), avg(fare_amount) from trips group by 1, 2");
        beside(w, &p, "the same where fare in 3 .. 200", group_some,
               "select payment_type, hour(pickup_datetime) h, count(*), avg(fare_amount) from trips where "
               "fare_amount between 3 and 200 group by 1, 2");
        beside(w, &p, "each fare: count", group_hashed,
               "select fare_amount, count(*) from trips group by 1");
    }
    peer_close(&p);
}

int main(int argc, char **argv)
{
    char dir[] = "/tmp/lathe-bench-scan-XXXXXX";
    const char *file = argc > 1 ? argv[1] : NULL;
    Error err = {0};
    World w = {.pool = pool_create(2), .only = argc > 2 ? argv[2] : NULL};
    if (!mkdtemp(dir))
        return 1;
    w.d = get_table(file, dir, w.pool, &err);
    if (w.d && find_columns(&w, &err)) {
        printf("%.2f million rows, 2 threads; reading a column of numbers: %.1f ms\n",
               (double)dataset_rows(w.d) / 1e6, 1e3 * read_seconds(w.pool));
        compare(&w, "sort by fare", sort_fare, sort_plain, 1);
        compare(&w, "sort by pickup time", sort_time, NULL, 1);
        compare(&w, "sort by payment", sort_word, NULL, 0.5);
        compare(&w, "sort by payment, fare falling", sort_two, NULL, 1.5);
        compare(&w, "sort by fare in 8 MB", sort_outside, NULL, 1);
        compare(&w, "mileage > 2 and fare < 30, to rows", filter_rows, NULL, 2);
        compare(&w, "profile of fare, kept", profile_kept, NULL, 0);
        compare(&w, "profile of fare, fresh", profile_fresh, NULL, 1);
        compare(&w, "profile of payment, fresh", profile_word, NULL, 0.5);
        compare(&w, "payment by hour: count, mean fare", group_all, group_plain, 2.5);
        compare(&w, "the same where fare in 3 .. 200", group_some, NULL, 2.5);
        compare(&w, "each fare: count (hashed)", group_hashed, NULL, 1);
        compare(&w, "all correlations", correlate, NULL, 4);
        compare(&w, "density of mileage and fare", density, NULL, 2);
        run_peer(&w, file);
    } else {
        printf("%s\n", err.text);
    }
    expr_destroy(w.filter);
    expr_destroy(w.fares);
    rowset_release(&w.rows);
    dataset_close((Dataset *)(uintptr_t)w.d);
    dir_remove(dir, NULL);
    pool_destroy(w.pool);
    return err.kind != ERROR_NONE;
}
