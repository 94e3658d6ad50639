/* data_split.c -- parts by the order of a column: as sorting all values says, whatever they are. */
#include <lathe/data.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 30000, CHUNKS = 3, ROWS = CHUNK * CHUNKS, COLUMNS = 3 };
static char dir[64];
static Dataset *table;
static double value[COLUMNS][ROWS]; /* NaN: missing */

/* Reals of both signs with ties, missing and infinite ones; whole numbers; days with few values. */
static double made(int column, Rng *rng)
{
    uint64_t u = rng_below(rng, 1000);
    switch (column) {
    case 0:
        return u < 10   ? (double)NAN
               : u < 15 ? (double)INFINITY
               : u < 20 ? -(double)INFINITY
               : u < 60 ? -0.0
               : u < 90 ? 1.5
                        : rng_normal(rng) * exp(20 * rng_normal(rng));
    case 1:
        return u < 30 ? (double)NAN : (double)((int64_t)rng_below(rng, 1u << 20) - (1 << 19));
    default:
        return (double)rng_below(rng, 7);
    }
}

static int set_up(void **state)
{
    (void)state;
    static const ColumnType types[] = {COLUMN_REAL, COLUMN_INT, COLUMN_DATE};
    static const char *const names[] = {"real", "whole", "day"};
    Error err = {0};
    Schema schema = {0};
    Rng rng;
    char hash[65], path[160];
    strcpy(dir, "/tmp/lathe-split-XXXXXX");
    assert_non_null(mkdtemp(dir));
    rng_seed(&rng, 3, 0);
    for (int c = 0; c < COLUMNS; c++) {
        schema_add(&schema, names[c], types[c], ROLE_FEATURE);
        schema.field[c].nullable = true;
    }
    DatasetWriter *out = dataset_writer_create(dir, &schema, NULL, &err);
    assert_non_null(out);
    for (int k = 0; k < CHUNKS; k++) {
        Arena a = {0};
        Column column[COLUMNS];
        for (int c = 0; c < COLUMNS; c++) {
            ColumnBuild *b = column_build(&a, names[c], types[c], CHUNK);
            for (int i = 0; i < CHUNK; i++) {
                double x = value[c][k * CHUNK + i] = made(c, &rng);
                if (isnan(x))
                    column_build_missing(b);
                else if (types[c] == COLUMN_REAL)
                    column_build_real(b, x);
                else
                    column_build_int(b, (int64_t)x);
            }
            column_build_finish(b, &column[c]);
        }
        assert_true(dataset_writer_add(out, &(Chunk){.rows = CHUNK, .columns = COLUMNS, .column = column}, &err));
        arena_release(&a);
    }
    assert_true(dataset_writer_finish(out, hash, &err));
    dataset_writer_destroy(out);
    schema_release(&schema);
    snprintf(path, sizeof path, "%s/%s.arrow", dir, hash);
    table = dataset_open(path, &err);
    return table ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    dataset_close(table);
    return dir_remove(dir, NULL) ? 0 : -1;
}

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double cut(const double *sorted, size_t n, double share)
{
    double at = floor(share * (double)n + 0.5);
    return at < (double)n ? sorted[(size_t)at] : (double)INFINITY;
}

static void parts_are_those_of_sorting(void **state)
{
    (void)state;
    static const char *const splits[] = {"70/15/15@", "80/20/0@", "1/1/98@", "100/0/0@", "98/1/1@"};
    static const char *const names[] = {"real", "whole", "day"};
    double *sorted = malloc(ROWS * sizeof *sorted);
    for (int c = 0; c < COLUMNS; c++) {
        size_t n = 0;
        for (size_t i = 0; i < ROWS; i++)
            if (isfinite(value[c][i]))
                sorted[n++] = value[c][i];
        qsort(sorted, n, sizeof *sorted, ascending);
        for (size_t k = 0; k < sizeof splits / sizeof *splits; k++) {
            char text[40];
            Error err = {0};
            Split s = {0};
            size_t seen[PART_COUNT] = {0};
            snprintf(text, sizeof text, "%s%s", splits[k], names[c]);
            assert_true(split_parse(text, &s, &err));
            assert_true(split_bind(&s, table, &err));
            double valid = cut(sorted, n, s.share[PART_TRAIN]);
            double test = s.share[PART_TEST] > 0 ? cut(sorted, n, s.share[PART_TRAIN] + s.share[PART_VALID])
                                                 : (double)INFINITY;
            for (size_t i = 0; i < ROWS; i++) {
                double x = value[c][i];
                Part expected = x >= test ? PART_TEST : x >= valid ? PART_VALID : PART_TRAIN;
                assert_int_equal(split_part(&s, i), expected);
                seen[expected]++;
            }
            assert_true(seen[PART_TRAIN] > 0 || c == 2); /* of seven days the first may be in no part but test */
            split_release(&s);
        }
    }
    free(sorted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(parts_are_those_of_sorting)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
