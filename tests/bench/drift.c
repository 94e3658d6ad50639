/* drift.c -- how long a drift report takes: 14 columns (11 numbers, 3 categories), 500,000 rows
 * against 500,000, made up; for the default tests, and for the three that scipy's peers run on each
 * number (ks, wasserstein, psi). The tables lie in the page cache, as after an ingest. */
#include <lathe/drift.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static double run(const Dataset *r, const Dataset *c, const char *test, Pool *pool, Error *err)
{
    double best = INFINITY;
    for (int i = 0; i < ROUNDS; i++) {
        double start = clock_now();
        DriftReport *report = drift_report(r, c, &(DriftOptions){.test = test}, pool, NULL, err);
        if (!report)
            return NAN;
        best = fmin(best, clock_now() - start);
        drift_report_destroy(report);
    }
    return best;
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
        double seconds = run(r, c, tests[i], pool, &err);
        sum += i ? seconds : 0.0;
        printf("drift report, 14 columns, 500k rows each, test %-12s %7.1f ms %8.1f M values/s\n",
               *tests[i] ? tests[i] : "by default", 1e3 * seconds,
               2.0 * ROWS * (NUMBERS + WORDS) / seconds / 1e6);
    }
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
