/* train_sampler.c -- the order of the rows: every row once an epoch, the same order for the same seed, and of
 * very many rows an order whose rows are near each other on the disk, told of before they are taken. */
#include "train/train_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1024, BATCH = 8192 };
static const size_t large = LARGE_ROWS + 12345;

static void check_permutation(const uint32_t *order, size_t rows)
{
    uint8_t *seen = calloc(rows, 1);
    for (size_t i = 0; i < rows; i++) {
        assert_true(order[i] < rows);
        assert_int_equal(seen[order[i]]++, 0);
    }
    free(seen);
}

static void every_row_once(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 1000, 70001};
    for (size_t i = 0; i < 3; i++) {
        uint32_t *order = calloc(sizes[i], sizeof *order), *again = calloc(sizes[i], sizeof *again);
        sampler_shuffle(4, 1, order, sizes[i]);
        check_permutation(order, sizes[i]);
        sampler_shuffle(4, 1, again, sizes[i]);
        assert_memory_equal(order, again, sizes[i] * sizeof *order);
        free(order);
        free(again);
    }
}

static size_t blocks_of(const uint32_t *order, size_t n)
{
    uint8_t *seen = calloc(large / BLOCK + 1, 1);
    size_t blocks = 0;
    for (size_t i = 0; i < n; i++) {
        blocks += !seen[order[i] / BLOCK];
        seen[order[i] / BLOCK] = 1;
    }
    free(seen);
    return blocks;
}

/* A batch is of some 512 blocks, each with about as many rows, in no order; the next epoch is another. */
static void many_rows_come_by_blocks(void **state)
{
    (void)state;
    uint32_t *order = calloc(large, sizeof *order), *other = calloc(large, sizeof *other);
    assert_false(sampler_by_blocks(LARGE_ROWS - 1));
    assert_true(sampler_by_blocks(large));
    sampler_shuffle(4, 1, order, large);
    check_permutation(order, large);
    size_t places = blocks_of(order, BATCH), group = blocks_of(order, (size_t)512 * BLOCK);
    assert_in_range(places, 500, 512);
    assert_int_equal(group, 512);
    size_t up = 0, near = 0;
    for (size_t i = 1; i < BATCH; i++) {
        up += order[i] > order[i - 1];
        near += order[i] / BLOCK == order[i - 1] / BLOCK;
    }
    assert_in_range(up, BATCH * 45 / 100, BATCH * 55 / 100);
    assert_true(near < BATCH / 100);
    sampler_shuffle(4, 2, other, large);
    size_t same = 0;
    for (size_t i = 0; i < BATCH; i++)
        same += order[i] == other[i];
    assert_true(same < BATCH / 100);
    free(order);
    free(other);
}

typedef struct Told {
    uint8_t *block; /* told of in this epoch */
    size_t rows;
} Told;

static void tell(void *context, size_t row, size_t rows)
{
    Told *t = context;
    assert_int_equal(row % BLOCK, 0);
    assert_int_equal(t->block[row / BLOCK]++, 0);
    t->rows += rows;
}

static void blocks_are_told_of_in_time(void **state)
{
    (void)state;
    Error err = {0};
    Sampler s;
    const uint32_t *order;
    assert_true(sampler_init(&s, 3, large, false, NULL, &err));
    for (int epoch = 0; epoch < 2; epoch++) {
        Told told = {.block = calloc(large / BLOCK + 1, 1)};
        while (!sampler_epoch_over(&s, BATCH)) {
            size_t n = sampler_next(&s, BATCH, &order);
            sampler_ahead(&s, tell, &told);
            for (size_t i = 0; i < n; i++)
                assert_int_equal(told.block[order[i] / BLOCK], 1);
        }
        assert_int_equal(told.rows, large);
        free(told.block);
        sampler_epoch_next(&s);
    }
    sampler_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_once),
        cmocka_unit_test(many_rows_come_by_blocks),
        cmocka_unit_test(blocks_are_told_of_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
