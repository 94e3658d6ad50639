/* recipe_left.c -- the rows that rules leave are the rows of the table, value for value: whatever
 * the stretches between dropped rows, and for every type of column. */
#include "recipe_table.h"

#include <stdio.h>

#define ROWS 1237 /* no multiple of 8 or 57 */

static void fill(Table *t)
{
    Rng rng;
    rng_seed(&rng, 11, 0);
    table_begin(t, ROWS);
    static const char *const names[] = {"I", "R", "T", "D", "B", "W", "P"};
    static const ColumnType types[] = {COLUMN_INT,  COLUMN_REAL, COLUMN_TIME, COLUMN_DATE,
                                       COLUMN_BOOL, COLUMN_TEXT, COLUMN_TEXT};
    for (size_t k = 0; k < 7; k++) {
        ColumnBuild *b = table_column(t, names[k], types[k]);
        for (size_t i = 0; i < ROWS; i++) {
            char word[32];
            int n = snprintf(word, sizeof word, "%.*s%llu", (int)(i % 3), "xy",
                             (unsigned long long)(k == 6 ? i : rng_below(&rng, 7)));
            if (k > 0 && rng_below(&rng, 9) == 0)
                column_build_missing(b);
            else if (types[k] == COLUMN_TEXT)
                column_build_text(b, word, (size_t)n);
            else if (types[k] == COLUMN_REAL)
                column_build_real(b, rng_normal(&rng));
            else
                column_build_int(b, k == 0                    ? (int64_t)i
                                    : types[k] == COLUMN_BOOL ? (int64_t)rng_below(&rng, 2)
                                                              : (int64_t)rng_below(&rng, 90000));
        }
        table_done(t, b);
    }
    assert_non_null(t->column[5].words);
    assert_null(t->column[6].words);
}

static void check_row(const Chunk *in, const Chunk *out, size_t row)
{
    Text a = {0}, b = {0};
    size_t from = (size_t)chunk_origin(out, row);
    for (size_t k = 0; k < in->columns; k++) {
        text_reset(&a);
        text_reset(&b);
        column_print(&in->column[k], from, &a);
        column_print(&out->column[k], row, &b);
        assert_string_equal(text_str(&b), text_str(&a));
        assert_int_equal(column_has(&out->column[k], row), column_has(&in->column[k], from));
    }
    text_release(&a);
    text_release(&b);
}

static void keeps(Table *t, const char *rule, size_t wanted)
{
    Error err = {0};
    Arena a = {0};
    Chunk out;
    Recipe *r = recipe_create();
    assert_true(recipe_parse(r, rule, &err));
    Plan *p = plan_create(r, &t->schema, &err);
    assert_non_null(p);
    assert_true(plan_apply(p, NULL, &t->chunk, &a, &out, &err));
    assert_int_equal(out.rows, wanted);
    for (size_t i = 0; i < out.rows; i++) {
        check_row(&t->chunk, &out, i);
        assert_true(i == 0 || chunk_origin(&out, i) > chunk_origin(&out, i - 1));
    }
    plan_destroy(p);
    recipe_destroy(r);
    arena_release(&a);
}

static void test_stretches(void **state)
{
    (void)state;
    Table t;
    fill(&t);
    keeps(&t, "keep I >= 0", ROWS);
    keeps(&t, "drop I = 0", ROWS - 1);
    keeps(&t, "drop I = 1236", ROWS - 1);
    keeps(&t, "drop I % 100 = 99", ROWS - 12);
    keeps(&t, "drop I % 64 = 3 or I % 57 = 0", ROWS - 42);
    keeps(&t, "keep I between 500 and 1000", 501);
    keeps(&t, "keep I % 2 = 0", 619);
    keeps(&t, "keep I = 700", 1);
    keeps(&t, "keep I < 0", 0);
    keeps(&t, "drop I between 3 and 9 or I between 70 and 200\ndrop I > 1200", ROWS - 174);
    table_end(&t);
}

/* The stretches that chance leaves, dense and thin: as many rows as chunk_gather would give. */
static void test_chance(void **state)
{
    (void)state;
    Table t;
    fill(&t);
    for (int share = 1; share < 100; share += 7) {
        char rule[80];
        size_t wanted = 0;
        snprintf(rule, sizeof rule, "keep (I * 7919) %% 101 >= %d", share);
        for (int64_t i = 0; i < ROWS; i++)
            wanted += i * 7919 % 101 >= share;
        keeps(&t, rule, wanted);
    }
    table_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_stretches),
                                       cmocka_unit_test(test_chance)};
    return cmocka_run_group_tests_name("recipe left", tests, NULL, NULL);
}
