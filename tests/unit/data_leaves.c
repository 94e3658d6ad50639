/* data_leaves.c -- what is computed of a full buffer, against the plain way: two hashes at once, the
 * least and the most of a column, the lowest register of the count of distinct values. */
#include "data_table.h"

#include "data/dataset_int.h"
#include "data/data_int.h"

/* ---- hashes ---- */

static void two_leaves_are_those_of_each(void **state)
{
    (void)state;
    enum { MOST = 5000 };
    char *bytes = mem_alloc(6 * MOST);
    Rng rng;
    rng_seed(&rng, 11, 0);
    for (size_t i = 0; i < 6 * MOST; i++)
        bytes[i] = (char)rng_below(&rng, 256);
    for (int round = 0; round < 4000; round++) {
        BufferSet set[2];
        Digest one[2], both[2];
        for (size_t s = 0; s < 2; s++) {
            set[s] = (BufferSet){.count = 2 + rng_below(&rng, 2)};
            for (size_t k = 0; k < set[s].count; k++) { /* around the borders of blocks, and any */
                size_t most = round % 3 ? 140 : MOST;
                set[s].at[k] = bytes + (3 * s + k) * MOST + rng_below(&rng, 8);
                set[s].size[k] = rng_below(&rng, most - 8);
            }
            if (round % 7 == 0)
                set[s].at[0] = NULL, set[s].size[0] = 0;
            dataset_leaf(&set[s], &one[s]);
        }
        dataset_leaves(&set[0], &both[0], &set[1], &both[1]);
        assert_memory_equal(one, both, sizeof one);
    }
    mem_free(bytes);
}

/* ---- ranges ---- */

enum { ROWS = 1000 };

typedef struct Made {
    double real[ROWS];
    int64_t integer[ROWS];
    int32_t day[ROWS];
    uint8_t bit[ROWS / 8 + 1], valid[ROWS / 8 + 1];
} Made;

/* Values of one or both signs, zeros, NaN; missing ones are zeros. */
static void make(Made *m, Rng *rng, size_t rows, uint64_t kinds, bool missing)
{
    int64_t least = kinds & 1 ? -50 : 1;
    uint64_t span = kinds & 2 ? 100 : 40;
    *m = (Made){0};
    for (size_t i = 0; i < rows; i++) {
        if (missing && rng_below(rng, 3) == 0)
            continue;
        bit_set(m->valid, i);
        int64_t v = least + (int64_t)rng_below(rng, span);
        m->integer[i] = kinds & 4 && v == 0 ? 1 : v;
        m->real[i] = kinds & 8 && rng_below(rng, 9) == 0 ? (double)NAN : (double)m->integer[i] / 2;
        m->day[i] = (int32_t)m->integer[i];
        if (v > 10)
            bit_set(m->bit, i);
    }
}

static double plain_value(const Column *c, size_t i)
{
    return c->type == COLUMN_BOOL ? bit_get(c->bit, i) : column_real(c, i);
}

static void check_range(const Column *c)
{
    Range r;
    double least = (double)INFINITY, most = -(double)INFINITY;
    for (size_t i = 0; i < c->rows; i++) {
        double v = column_has(c, i) ? plain_value(c, i) : (double)NAN;
        least = v < least ? v : least;
        most = v > most ? v : most;
    }
    range_of(c, &r);
    assert_int_equal(r.some, least <= most);
    if (!r.some)
        return;
    bool real = c->type == COLUMN_REAL;
    assert_true((real ? r.least : (double)r.least_int) == least);
    assert_true((real ? r.most : (double)r.most_int) == most);
}

static void ranges_are_those_of_a_plain_loop(void **state)
{
    (void)state;
    Rng rng;
    Made *m = mem_alloc(sizeof *m);
    rng_seed(&rng, 12, 0);
    for (int round = 0; round < 3000; round++) {
        size_t rows = round % 5 ? 1 + rng_below(&rng, 40) : 1 + rng_below(&rng, ROWS - 1);
        bool missing = round % 2;
        make(m, &rng, rows, rng_below(&rng, 16), missing);
        Column c = {.rows = rows, .valid = missing ? m->valid : NULL};
        check_range((c.type = COLUMN_REAL, c.real = m->real, &c));
        check_range((c.type = COLUMN_INT, c.integer = m->integer, &c));
        check_range((c.type = COLUMN_DATE, c.day = m->day, &c));
        check_range((c.type = COLUMN_BOOL, c.bit = m->bit, &c));
    }
    mem_free(m);
}

/* ---- registers ---- */

static void hashes_below_the_floor_change_nothing(void **state)
{
    (void)state;
    Hll *h = mem_alloc(sizeof *h), *kept = mem_alloc(sizeof *kept);
    for (uint64_t i = 0; i < 3000000; i++)
        hll_add(h, mix64(i));
    unsigned floor = hll_floor(h);
    assert_in_range(floor, 2, 10);
    *kept = *h;
    size_t below = 0;
    for (uint64_t i = 3000000; i < 3400000; i++) {
        uint64_t key = mix64(i);
        if ((key << HLL_BITS) >> (64 - floor) == 0)
            continue;
        hll_add(h, key);
        below++;
    }
    assert_true(below > 200000);
    assert_memory_equal(h, kept, sizeof *h);
    mem_free(h);
    mem_free(kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_leaves_are_those_of_each),
        cmocka_unit_test(ranges_are_those_of_a_plain_loop),
        cmocka_unit_test(hashes_below_the_floor_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
