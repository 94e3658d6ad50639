/* scan_same.c -- columns that say the same, of every type, with missing values, over several chunks; and values
 * beyond a range, against plain counting. */
#include "scan_table.h"

#define ROWS (2 * CHUNK_ROWS + 100)

enum { NUMBER, NUMBER_TOO, WORD, WORD_TOO, NEARLY, FLAG, FLAG_TOO, DAY, DAY_TOO, COUNT };

typedef struct Fixture {
    char dir[64];
    Dataset *d;
    Pool *pool;
} Fixture;

static double number_at(uint64_t row)
{
    return (double)(int64_t)(scan_dice(row) >> 40) - 8e6;
}

static void fill(ColumnBuild **b, uint64_t row)
{
    char text[40];
    uint64_t d = scan_dice(row);
    snprintf(text, sizeof text, "word %u", (unsigned)(d % 300));
    for (int k = 0; k < COUNT; k++)
        if (k != NEARLY && d % 13 == (uint64_t)(k > NEARLY ? k + 1 : k) / 2)
            column_build_missing(b[k]);
        else if (k == NUMBER || k == NUMBER_TOO)
            column_build_real(b[k], number_at(row));
        else if (k == WORD || k == WORD_TOO)
            column_build_text(b[k], text, strlen(text));
        else if (k == NEARLY && d % 13 == NUMBER / 2)
            column_build_missing(b[k]);
        else if (k == NEARLY) /* two rows of it have changed places, so that its profile is the same */
            column_build_real(b[k], number_at(row == ROWS - 2   ? ROWS - 1
                                              : row == ROWS - 1 ? ROWS - 2
                                                                : row));
        else
            column_build_int(b[k], (int64_t)(d >> 20 & (k >= DAY ? 1023 : 1)));
}

static int make(void **state)
{
    static const char *const names[] = {"number", "number too", "word", "word too", "nearly", "flag", "flag too", "day", "day too"};
    static const ColumnType types[] = {COLUMN_REAL, COLUMN_REAL, COLUMN_TEXT, COLUMN_TEXT, COLUMN_REAL,
                                       COLUMN_BOOL, COLUMN_BOOL, COLUMN_DATE, COLUMN_DATE};
    Fixture *f = mem_alloc(sizeof *f);
    f->d = scan_table_large(f->dir, names, types, COUNT, ROWS, fill);
    f->pool = pool_create(3);
    *state = f;
    return 0;
}

static int drop(void **state)
{
    Fixture *f = *state;
    pool_destroy(f->pool);
    dataset_close(f->d);
    dir_remove(f->dir, NULL);
    mem_free(f);
    return 0;
}

static void finds_the_same(void **state)
{
    static const SameColumn known[] = {{NUMBER_TOO, NUMBER}, {WORD_TOO, WORD}, {FLAG_TOO, FLAG}, {DAY_TOO, DAY}};
    const Fixture *f = *state;
    Error err = {0};
    SameColumn *same;
    size_t n;
    assert_true(scan_dice(ROWS - 1) % 13 != 0 && scan_dice(ROWS - 2) % 13 != 0); /* what changed places is there */
    assert_true(scan_same(f->d, f->pool, NULL, &same, &n, &err));
    assert_int_equal(n, 4);
    for (size_t i = 0; i < n; i++)
        assert_true(same[i].column == known[i].column && same[i].as == known[i].as);
    mem_free(same);
}

static void counts_beyond(void **state)
{
    const Fixture *f = *state;
    Error err = {0};
    Range r[] = {{.column = NUMBER, .low = -7e6, .high = 8e6}, {.column = DAY, .low = 0, .high = 1e12}};
    uint64_t below = 0, above = 0;
    for (uint64_t row = 0; row < ROWS; row++) {
        bool there = scan_dice(row) % 13 != NUMBER / 2;
        below += there && number_at(row) < -7e6;
        above += there && number_at(row) > 8e6;
    }
    assert_true(below > 10 && above > 10);
    assert_true(scan_beyond(f->d, r, 2, f->pool, NULL, &err));
    assert_int_equal(r[0].below, below);
    assert_int_equal(r[0].above, above);
    assert_true(r[1].below == 0 && r[1].above == 0);
}

static void stops(void **state)
{
    const Fixture *f = *state;
    Error err = {0};
    Progress p = {0};
    SameColumn *same;
    size_t n;
    Range r = {.column = NUMBER};
    stop_ask(&p.stop);
    assert_false(scan_same(f->d, f->pool, &p, &same, &n, &err));
    assert_true(err.kind == ERROR_STOP && !same && !n);
    err = (Error){0};
    assert_false(scan_beyond(f->d, &r, 1, NULL, &p, &err));
    assert_int_equal(err.kind, ERROR_STOP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_same),
        cmocka_unit_test(counts_beyond),
        cmocka_unit_test(stops),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
