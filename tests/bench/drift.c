/* drift.c -- how long a drift report takes: 14 columns (11 numbers, 3 categories), 500,000 rows
 * against 500,000, made up; for the default tests, each of scipy's alone, and all of scipy's in one report (numbers: ks,
 * wasserstein, psi over deciles; categories: chi-square, psi), beside scipy with the same tests on the same values, in
 * turns. The tables lie in the page cache, as after an ingest; four numbers have all their digits, seven few decimals.
 *
 * PEER_PYTHON: the python that has scipy, else /usr/bin/python3; without it only our own figures are printed. */
#include <lathe/drift.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { ROWS = 500000, NUMBERS = 11, WORDS = 3, ROUNDS = 5 };

static void fill(const Schema *s, uint64_t seed, uint64_t first, size_t rows, Arena *a, Chunk *out)
{
    static const char *const words[] = {"Credit", "Cash", "Mobile", "Dispute", "Uber", "Account"};
    Column *c = ARENA_NEW(a, Column, s->count);
    for (size_t k = 0; k < s->count; k++) {
        ColumnBuild *b = column_build(a, s->field[k].name, s->field[k].type, rows);
        Rng rng;
        rng_seed(&rng, seed, first * 100 + k);
        for (size_t row = 0; row < rows; row++) {
            double z = rng_normal(&rng) + 0.02 * (double)seed;
            if (k >= NUMBERS) {
                const char *word = words[rng_below(&rng, 6)];
                column_build_text(b, word, strlen(word));
            } else if (k < 4) {
                column_build_real(b, 38.9 + 0.05 * z); /* coordinates */
            } else if (k < 6) {
                column_build_real(b, (double)rng_below(&rng, k == 4 ? 6 : 24)); /* riders, hour */
            } else {
                column_build_real(b, rint(100.0 * exp(2.0 + 0.8 * z)) / 100.0); /* money, miles */
            }
        }
        column_build_finish(b, &c[k]);
    }
    *out = (Chunk){.rows = rows, .columns = s->count, .column = c, .first = first};
}

static Dataset *make(const char *dir, uint64_t seed, Error *err)
{
    Schema s = {0};
    Arena a = {0};
    char name[16], hash[65], path[256];
    for (int k = 0; k < NUMBERS + WORDS; k++) {
        snprintf(name, sizeof name, "c%d", k);
        schema_add(&s, name, k < NUMBERS ? COLUMN_REAL : COLUMN_TEXT, ROLE_FEATURE);
    }
    DatasetWriter *w = dataset_writer_create(dir, &s, NULL, err);
    bool ok = w != NULL;
    for (uint64_t row = 0; ok && row < ROWS; row += 50000) {
        Chunk c;
        fill(&s, seed, row, 50000, &a, &c);
        ok = dataset_writer_add(w, &c, err);
        arena_reset(&a);
    }
    ok = ok && dataset_writer_finish(w, hash, err);
    dataset_writer_destroy(w);
    schema_release(&s);
    arena_release(&a);
    snprintf(path, sizeof path, "%s/%s.arrow", dir, ok ? hash : "");
    return ok ? dataset_open(path, err) : NULL;
}

typedef struct Spent {
    double wall, processor;
} Spent;

static double processor(int who)
{
    struct rusage u;
    getrusage(who, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

/* The best of some rounds; the last report is kept in *last where it is wanted. */
static Spent run(const Dataset *r, const Dataset *c, const char *test, Pool *pool,
                 DriftReport **last, Error *err)
{
    Spent best = {INFINITY, INFINITY};
    for (int i = 0; i < ROUNDS; i++) {
        double start = clock_now(), used = processor(RUSAGE_SELF);
        DriftReport *report = drift_report(r, c, &(DriftOptions){.test = test}, pool, NULL, err);
        if (!report)
            return (Spent){NAN, NAN};
        best.processor = fmin(best.processor, processor(RUSAGE_SELF) - used);
        best.wall = fmin(best.wall, clock_now() - start);
        if (last && i + 1 == ROUNDS)
            *last = report;
        else
            drift_report_destroy(report);
    }
    return best;
}

/* ---- scipy ---- */

static bool write_column(const Dataset *d, size_t k, FILE *f)
{
    Arena a = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < dataset_chunks(d); i++) {
        Column c;
        dataset_column(d, i, k, &a, &c);
        for (size_t row = 0; ok && row < c.rows; row++) {
            double x = k < NUMBERS ? c.real[row] : (double)column_text(&c, row, &(size_t){0})[1];
            ok = fwrite(&x, sizeof x, 1, f) == 1;
        }
        arena_reset(&a);
    }
    arena_release(&a);
    return ok;
}

/* All columns one after the other, numbers as they are and a letter of each word. */
static bool write_values(const Dataset *d, const char *dir, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    bool ok = f != NULL;
    for (size_t k = 0; ok && k < NUMBERS + WORDS; k++)
        ok = write_column(d, k, f);
    return (!f || fclose(f) == 0) && ok;
}

static const DriftColumn *column_named(const DriftReport *r, const char *name)
{
    for (size_t i = 0; i < r->columns; i++)
        if (strcmp(r->column[i].name, name) == 0)
            return &r->column[i];
    return NULL;
}

/* The largest difference of a psi, column by column: the same tests say the same. */
static double apart(const DriftReport *r, const double *psi)
{
    double most = 0.0;
    for (int k = 0; k < NUMBERS + WORDS; k++) {
        char name[16];
        snprintf(name, sizeof name, "c%d", k);
        const DriftColumn *c = column_named(r, name);
        for (size_t i = 0; c && i < c->more; i++)
            if (strcmp(c->also[i].test->name, "psi_deciles") == 0)
                most = fmax(most, fabs(c->also[i].statistic - psi[k]));
    }
    return most;
}

static void beside_scipy(const Dataset *r, const Dataset *c, const char *dir, Pool *pool,
                         Error *err)
{
    static const char tests[] = "ks,chi_square,wasserstein,psi_deciles";
    const char *python = getenv("PEER_PYTHON");
    char line[4096];
    double psi[NUMBERS + WORDS];
    Spent peer = {0}, numbers = {0};
    DriftReport *report = NULL;
    Spent own = run(r, c, tests, pool, &report, err);
    if (!report)
        return;
    printf("drift report, ks, wasserstein, psi over deciles; chi-square, psi: %.1f ms, %.1f ms of "
           "processor\n",
           1e3 * own.wall, 1e3 * own.processor);
    bool ok = write_values(r, dir, "r.f64") && write_values(c, dir, "c.f64");
    snprintf(line, sizeof line, "%s %s/tests/bench/drift_peers.py %s %d %d %d 2>/dev/null",
             python ? python : "/usr/bin/python3", LATHE_SOURCE_DIR, dir, ROWS, NUMBERS, WORDS);
    FILE *f = ok ? popen(line, "r") : NULL;
    ok = f && fscanf(f, "%lf %lf %lf %lf", &peer.wall, &peer.processor, &numbers.wall,
                     &numbers.processor) == 4;
    for (int k = 0; ok && k < NUMBERS + WORDS; k++)
        ok = fscanf(f, "%lf", &psi[k]) == 1;
    if (!f || pclose(f) != 0 || !ok) {
        printf("  scipy: left out, it was not found\n");
    } else {
        double most = apart(report, psi);
        drift_report_destroy(report);
        report = NULL;
        Spent again = run(r, c, tests, pool, NULL, err);
        own.wall = fmin(own.wall, again.wall);
        own.processor = fmin(own.processor, again.processor);
        printf("  scipy %.0f ms (its numbers alone %.0f ms): ours %.1f x as fast, %.1f x by "
               "processor time; psi at "
               "most %.1g apart\n",
               1e3 * peer.wall, 1e3 * numbers.wall, peer.wall / own.wall,
               peer.processor / own.processor, most);
    }
    drift_report_destroy(report);
}

int main(void)
{
    static const char *const tests[] = {"", "ks", "wasserstein", "psi"};
    char dir[] = "/tmp/lathe_bench_XXXXXX";
    Error err = {0};
    if (!mkdtemp(dir))
        return 1;
    Pool *pool = pool_create(0);
    Dataset *r = make(dir, 1, &err), *c = r ? make(dir, 2, &err) : NULL;
    double sum = 0.0;
    for (size_t i = 0; c && i < 4; i++) {
        Spent s = run(r, c, tests[i], pool, NULL, &err);
        sum += i ? s.wall : 0.0;
        printf("drift report, 14 columns, 500k rows each, test %-12s %7.1f ms (%.1f of processor) "
               "%8.1f M values/s\n",
               *tests[i] ? tests[i] : "by default", 1e3 * s.wall, 1e3 * s.processor,
               2.0 * ROWS * (NUMBERS + WORDS) / s.wall / 1e6);
    }
    if (c && !err.text[0])
        beside_scipy(r, c, dir, pool, &err);
    if (err.text[0])
        printf("%s\n", err.text);
    else
        printf("drift report, ks, wasserstein and psi one after the other %.1f ms\n", 1e3 * sum);
    dataset_close(r);
    dataset_close(c);
    pool_destroy(pool);
    dir_remove(dir, NULL);
    return err.text[0] != 0;
}
