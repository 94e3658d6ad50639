/* recipe.c -- benchmark: filters in values/s and a recipe of ten rules in rows/s, one thread, by
 * its processor time; then the recipe over a whole dataset of 5 million rows, on two threads:
 * applied to every chunk, and written as a dataset of its own. LATHE_BENCH_DATASET and
 * LATHE_BENCH_RECIPE name another table and its rules. */
#include <lathe/recipe.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS      100
#define TABLE_ROWS  5000000
#define WANTED      5e6 /* rows/s on two threads */
#define TEN_RULES                                                                                  \
    "drop missing FARE, MILES\n"                                                                   \
    "keep FARE between 3 and 200\n"                                                                \
    "derive hour = hour(PICKUP)\n"                                                                 \
    "derive speed = MILES / MINUTES * 60\n"                                                        \
    "clip MILES 0 60\n"                                                                            \
    "impute MINUTES 20\n"                                                                          \
    "replace PAYMENT \"1\" \"Credit\", \"2\" \"Cash\"\n"                                             \
    "drop PAYMENT = \"4\"\n"                                                                       \
    "derive far = MILES > 5 and hour < 6\n"                                                        \
    "expect PAYMENT in (\"Credit\", \"Cash\") mostly 0.1\n"

/* Of this thread alone, so that a busy machine does not blur the numbers. */
static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct Table {
    Arena arena;
    Schema schema;
    Chunk chunk;
    Column column[16];
} Table;

static void add_reals(Table *t, const char *name, double mean, double spread, Rng *rng)
{
    ColumnBuild *b = column_build(&t->arena, name, COLUMN_REAL, CHUNK_ROWS);
    schema_add(&t->schema, name, COLUMN_REAL, ROLE_FEATURE);
    for (size_t i = 0; i < CHUNK_ROWS; i++)
        if (rng_below(rng, 50) == 0)
            column_build_missing(b);
        else
            column_build_real(b, mean + spread * rng_normal(rng));
    column_build_finish(b, &t->column[t->chunk.columns++]);
}

static void add_words(Table *t, const char *name, uint64_t words, Rng *rng)
{
    ColumnBuild *b = column_build(&t->arena, name, COLUMN_TEXT, CHUNK_ROWS);
    schema_add(&t->schema, name, COLUMN_TEXT, ROLE_FEATURE);
    for (size_t i = 0; i < CHUNK_ROWS; i++) {
        char word[24];
        int n = snprintf(word, sizeof word, "%u", (unsigned)rng_below(rng, words));
        column_build_text(b, word, (size_t)n);
    }
    column_build_finish(b, &t->column[t->chunk.columns++]);
}

static void add_times(Table *t, const char *name, Rng *rng)
{
    ColumnBuild *b = column_build(&t->arena, name, COLUMN_TIME, CHUNK_ROWS);
    schema_add(&t->schema, name, COLUMN_TIME, ROLE_TIMELINE);
    for (size_t i = 0; i < CHUNK_ROWS; i++)
        column_build_int(b, (INT64_C(1546300800) + (int64_t)rng_below(rng, 2678400)) * 1000000);
    column_build_finish(b, &t->column[t->chunk.columns++]);
}

static void make(Table *t)
{
    Rng rng;
    memset(t, 0, sizeof *t);
    rng_seed(&rng, 1, 0);
    t->chunk.rows = CHUNK_ROWS;
    t->chunk.column = t->column;
    add_reals(t, "FARE", 15, 8, &rng);
    add_reals(t, "MILES", 4, 2, &rng);
    add_reals(t, "MINUTES", 20, 9, &rng);
    add_reals(t, "LAT1", 38.9, 0.05, &rng);
    add_reals(t, "LON1", -77.0, 0.05, &rng);
    add_reals(t, "LAT2", 38.9, 0.05, &rng);
    add_reals(t, "LON2", -77.0, 0.05, &rng);
    add_words(t, "PAYMENT", 5, &rng);
    add_words(t, "BLOCK", 4000, &rng);
    add_times(t, "PICKUP", &rng);
}

static void bench_filter(const Table *t, const char *text)
{
    Error err = {0};
    Arena a = {0};
    static uint8_t keep[CHUNK_ROWS];
    Expr *e = expr_parse(text, &t->schema, &err);
    double begin = 0;
    for (int round = -2; round < ROUNDS; round++) { /* two to warm up */
        if (round == 0)
            begin = cpu_seconds();
        arena_reset(&a);
        expr_filter(e, &t->chunk, &a, keep, &err);
    }
    double rate = ROUNDS * (double)CHUNK_ROWS / (cpu_seconds() - begin);
    printf("filter  %-44s %8.0f M values/s\n", text, rate / 1e6);
    expr_destroy(e);
    arena_release(&a);
}

static void bench_recipe(const Table *t, const char *name, const char *text)
{
    Error err = {0};
    Arena a = {0};
    Chunk out = {0};
    Recipe *r = recipe_create();
    Plan *p = recipe_parse(r, text, &err) ? plan_create(r, &t->schema, &err) : NULL;
    if (!p) {
        printf("%s: %s\n", name, err.text);
        return;
    }
    double begin = 0;
    for (int round = -2; round < ROUNDS; round++) {
        if (round == 0)
            begin = cpu_seconds();
        arena_reset(&a);
        plan_apply(p, NULL, &t->chunk, &a, &out, &err);
    }
    double rate = ROUNDS * (double)CHUNK_ROWS / (cpu_seconds() - begin);
    printf("recipe  %-44s %8.2f M rows/s\n", name, rate / 1e6);
    Chunk row;
    size_t rounds = 20000;
    chunk_slice(&t->chunk, 0, 1, &a, &row);
    Arena one = {0};
    begin = cpu_seconds();
    for (size_t i = 0; i < rounds; i++) {
        arena_reset(&one);
        plan_apply(p, NULL, &row, &one, &out, &err);
    }
    printf("recipe  %-44s %8.2f us for one row\n", name,
           (cpu_seconds() - begin) / (double)rounds * 1e6);
    plan_destroy(p);
    recipe_destroy(r);
    arena_release(&one);
    arena_release(&a);
}

/* ---- a whole dataset -------------------------------------------------------------------------- */

typedef struct Clock { double cpu, wall, waited; } Clock;

/* How long this thread was ready but others had its processor. */
static double waited_seconds(void)
{
    unsigned long long ran = 0, waited = 0;
    FILE *f = fopen("/proc/thread-self/schedstat", "r");
    if (f && fscanf(f, "%llu %llu", &ran, &waited) != 2)
        waited = 0;
    if (f)
        fclose(f);
    return 1e-9 * (double)waited;
}

static Clock clock_of_process(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (Clock){(double)t.tv_sec + 1e-9 * (double)t.tv_nsec, clock_now(), waited_seconds()};
}

static void say(const char *what, double rows, Clock since)
{
    Clock now = clock_of_process();
    double cpu = now.cpu - since.cpu, rate = rows / (cpu / 2);
    printf("dataset %-44s %8.2f M rows/s on 2 threads by processor time (%.2f times the %.0f M "
           "wanted), %.2f s by the clock, %.2f of them waiting for a processor that others had\n",
           what, rate / 1e6, rate / WANTED, WANTED / 1e6, now.wall - since.wall,
           now.waited - since.waited);
}

static bool write_table(const Table *t, const char *dir, Pool *pool, char *path, size_t room)
{
    Error err = {0};
    char hash[65] = "";
    DatasetWriter *w = dataset_writer_create(dir, &t->schema, pool, &err);
    bool ok = w != NULL;
    for (size_t rows = 0; ok && rows < TABLE_ROWS; rows += CHUNK_ROWS)
        ok = dataset_writer_add(w, &t->chunk, &err);
    ok = ok && dataset_writer_finish(w, hash, &err);
    dataset_writer_destroy(w);
    snprintf(path, room, "%s/%s.arrow", dir, hash);
    if (!ok)
        printf("table: %s\n", err.text);
    return ok;
}

static bool measure_table(const Dataset *d, const char *dir, Pool *pool, Error *err)
{
    Recipe *r = recipe_create();
    const char *file = getenv("LATHE_BENCH_RECIPE");
    double rows = (double)dataset_rows(d);
    ApplyReport *report = mem_alloc(sizeof *report);
    Plan *p = NULL;
    bool ok = (file ? recipe_read(r, file, err) : recipe_parse(r, TEN_RULES, err)) &&
              (p = plan_create(r, dataset_schema(d), err));
    bool needs = ok && plan_needs_fit(p);
    Clock since = clock_of_process();
    ok = ok && plan_fit(p, d, NULL, pool, NULL, err);
    if (ok && needs)
        say("statistics of the ten rules", rows, since);
    since = clock_of_process();
    ok = ok && plan_measure(p, d, pool, NULL, report, err);
    if (ok)
        say("ten rules applied", rows, since);
    since = clock_of_process();
    ok = ok && plan_apply_dataset(p, d, dir, pool, NULL, report, err);
    if (ok)
        say("ten rules applied, profiled, hashed, written", rows, since);
    plan_destroy(p);
    recipe_destroy(r);
    mem_free(report);
    return ok;
}

static void bench_whole(const Table *t)
{
    Error err = {0};
    char dir[] = "/tmp/lathe-bench-recipe-XXXXXX", path[200];
    const char *given = getenv("LATHE_BENCH_DATASET");
    Pool *pool = pool_create(2);
    if (mkdtemp(dir) && (given || write_table(t, dir, pool, path, sizeof path))) {
        Dataset *d = dataset_open(given ? given : path, &err);
        if (!d || !measure_table(d, dir, pool, &err))
            printf("dataset: %s\n", err.text);
        dataset_close(d);
    }
    dir_remove(dir, NULL);
    pool_destroy(pool);
}

int main(void)
{
    Table t;
    make(&t);
    bench_filter(&t, "FARE > 20");
    bench_filter(&t, "FARE between 3 and 200");
    bench_filter(&t, "FARE between 3 and 20 and MILES < 5");
    bench_filter(&t, "FARE / MILES > 2 or MINUTES is null");
    bench_filter(&t, "PAYMENT in ('1', '2')");
    bench_filter(&t, "lower(BLOCK) like '%77%'");
    bench_filter(&t, "hour(PICKUP) >= 18");
    bench_recipe(&t, "ten rules", TEN_RULES);
    bench_recipe(&t, "haversine", "derive km = haversine(LAT1, LON1, LAT2, LON2)\n");
    bench_recipe(&t, "dedupe", "dedupe on FARE, MILES, PICKUP\n");
    bench_whole(&t);
    schema_release(&t.schema);
    arena_release(&t.arena);
    return 0;
}
