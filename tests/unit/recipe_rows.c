/* recipe_rows.c -- expr_rows against asking every chunk, on any threads, of all rows and of some. */
#include "data_table.h"

#include <lathe/recipe.h>
#include <lathe/scan.h>

#define ROWS (CHUNK_ROWS + 3000)

static void test_rows(void **state)
{
    static const char *const texts[] = {"count > 100 and amount < 5000",
                                        "city = 'Oslo' or flag",
                                        "city like '%o%'",
                                        "day is null",
                                        "count > 100000",
                                        "weekday(day) between 3 and 5 and id % 7 = 2"};
    char dir[64], hash[65];
    Error err = {0};
    Rng rng;
    RowSet some;
    temp_dir(dir);
    char *path = table_write(dir, ROWS, 0, true, 0, hash);
    Dataset *d = dataset_open(path, &err);
    assert_true(d && rowset_all(d, &some, &err));
    rng_seed(&rng, 9, 9);
    rng_shuffle(&rng, some.row, some.count);
    some.count /= 2;
    Pool *pool[] = {NULL, pool_create(2), pool_create(3)};
    uint8_t *keep = mem_alloc(ROWS);
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
        Expr *e = expr_parse(texts[t], dataset_schema(d), &err);
        if (!e)
            fail_msg("%s", err.text);
        for (size_t i = 0; i < dataset_chunks(d); i++) {
            Arena a = {0};
            Chunk c;
            dataset_chunk(d, i, &a, &c);
            assert_true(expr_filter(e, &c, &a, keep + c.first, &err) != SIZE_MAX);
            arena_release(&a);
        }
        for (int way = 0; way < 6; way++) {
            RowSet out;
            const RowSet *from = way < 3 ? NULL : &some;
            uint64_t at = 0, n = from ? from->count : ROWS;
            assert_true(expr_rows(e, d, from, pool[way % 3], NULL, &out, &err));
            for (uint64_t i = 0; i < n; i++) {
                uint32_t row = from ? from->row[i] : (uint32_t)i;
                if (keep[row])
                    assert_true(at < out.count && out.row[at++] == row);
            }
            assert_int_equal(at, out.count);
            rowset_release(&out);
        }
        expr_destroy(e);
    }
    Expr *number = expr_parse("count + 1", dataset_schema(d), &err);
    RowSet out;
    assert_false(expr_rows(number, d, NULL, NULL, NULL, &out, &err));
    assert_int_equal(err.kind, ERROR_USAGE);
    Progress stop = {0};
    Expr *e = expr_parse("count > 1", dataset_schema(d), &err);
    stop_ask(&stop.stop);
    err = (Error){0};
    assert_false(expr_rows(e, d, NULL, pool[1], &stop, &out, &err));
    assert_int_equal(err.kind, ERROR_STOP);
    expr_destroy(e);
    expr_destroy(number);
    mem_free(keep);
    mem_free(path);
    rowset_release(&some);
    pool_destroy(pool[1]);
    pool_destroy(pool[2]);
    dataset_close(d);
    dir_remove(dir, NULL);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
