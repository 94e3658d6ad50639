/* sampler.c -- which training rows a step takes: a seeded permutation an epoch, walked through.
 *
 * The order of an epoch depends on seed, epoch and rows alone; a step takes the next `batch` rows of it.
 *
 * Of very many rows, whose encoded form no memory holds, an order without any pattern would read a page of
 * a file for every row. So from LARGE_ROWS on (whatever memory there is: the same order everywhere) blocks of
 * BLOCK_ROWS rows that stand together are shuffled, then the rows within groups of GROUP_BLOCKS blocks: a
 * batch is of rows from 512 places of the table, drawn without pattern, and a block is read once an epoch.
 *
 * A tail of less than half a batch is left out (other rows are, next epoch): tiny batches make
 * noisy steps. So epoch, position and batch say everything, and the rows of any step of the past
 * can be computed again.
 *
 * The epochs before `first` (pre-training) go through `bare` more rows, numbered behind the others: those
 * without a target. */
#include "train_int.h"

#define SAMPLER_STREAM 0x5a3d17ULL /* keeps these numbers apart from others of the same seed */
#define BLOCK_ROWS     1024
#define GROUP_BLOCKS   512

static size_t rows_now(const Sampler *s)
{
    return s->rows + (s->epoch < s->first ? s->bare : 0);
}

bool sampler_init(Sampler *s, uint64_t seed, size_t rows, bool whole, Scratch *in, Error *err)
{
    *s = (Sampler){.seed = seed, .rows = rows, .whole = whole, .shuffled = -1, .scratch = in};
    if (!whole)
        s->order = scratch_take(in, rows * sizeof *s->order, err);
    return whole || s->order;
}

bool sampler_begin_with(Sampler *s, int64_t first, size_t bare, Error *err)
{
    s->first = first;
    s->bare = bare;
    if (s->whole || bare == 0)
        return true;
    scratch_give(s->scratch, s->order);
    s->order = scratch_take(s->scratch, (s->rows + bare) * sizeof *s->order, err);
    return s->order != NULL;
}

void sampler_release(Sampler *s)
{
    scratch_give(s->scratch, s->order);
    *s = (Sampler){0};
}

static void shuffle_blocks(Rng *rng, uint32_t *order, size_t rows)
{
    size_t whole = rows / BLOCK_ROWS, blocks = whole + (rows % BLOCK_ROWS > 0), n = 0;
    uint32_t *block = mem_alloc(sizeof *block * blocks);
    for (size_t i = 0; i < blocks; i++)
        block[i] = (uint32_t)i;
    rng_shuffle(rng, block, whole); /* one that is not whole stays last: groups are of equal length */
    for (size_t from = 0; from < blocks; from += GROUP_BLOCKS) {
        size_t begin = n;
        for (size_t i = from; i < blocks && i < from + GROUP_BLOCKS; i++)
            for (size_t k = (size_t)block[i] * BLOCK_ROWS, end = k + BLOCK_ROWS; k < end && k < rows; k++)
                order[n++] = (uint32_t)k;
        rng_shuffle(rng, order + begin, n - begin);
    }
    mem_free(block);
}

bool sampler_by_blocks(size_t rows)
{
    return rows >= LARGE_ROWS;
}

void sampler_shuffle(uint64_t seed, int64_t epoch, uint32_t *order, size_t rows)
{
    Rng rng;
    rng_seed(&rng, seed, SAMPLER_STREAM + (uint64_t)epoch);
    if (sampler_by_blocks(rows)) {
        shuffle_blocks(&rng, order, rows);
        return;
    }
    for (size_t i = 0; i < rows; i++)
        order[i] = (uint32_t)i;
    rng_shuffle(&rng, order, rows);
}

static void shuffle(Sampler *s)
{
    sampler_shuffle(s->seed, s->epoch, s->order, rows_now(s));
    s->shuffled = s->epoch;
    s->ahead = 0;
}

static void need_group(const Sampler *s, size_t from, size_t end, void (*need)(void *, size_t, size_t),
                       void *context)
{
    size_t rows = rows_now(s);
    uint8_t *seen = mem_alloc(rows / BLOCK_ROWS + 1);
    for (size_t i = from; i < end; i++) {
        size_t block = s->order[i] / BLOCK_ROWS, row = block * BLOCK_ROWS;
        if (!seen[block])
            need(context, row, rows - row < BLOCK_ROWS ? rows - row : BLOCK_ROWS);
        seen[block] = 1;
    }
    mem_free(seen);
}

void sampler_ahead(Sampler *s, void (*need)(void *context, size_t row, size_t rows), void *context)
{
    const size_t group = (size_t)GROUP_BLOCKS * BLOCK_ROWS;
    size_t rows = rows_now(s);
    if (s->whole || !sampler_by_blocks(rows) || s->shuffled != s->epoch)
        return;
    if (s->ahead == 0) /* what an earlier process took */
        s->ahead = s->position / group * group;
    while (s->ahead < rows && s->ahead < s->position + group) {
        size_t end = rows - s->ahead < group ? rows : s->ahead + group;
        need_group(s, s->ahead, end, need, context);
        s->ahead = end;
    }
}

/* Rows of a step at `position`; 0: the epoch is over. */
static size_t step_rows(const Sampler *s, size_t batch)
{
    size_t rows = rows_now(s), left = rows - s->position;
    if (s->whole || rows < batch)
        return s->position == 0 ? rows : 0;
    return left >= batch ? batch : 2 * left >= batch ? left : 0;
}

size_t sampler_steps(const Sampler *s, size_t batch)
{
    size_t rows = rows_now(s);
    if (s->whole || rows < batch)
        return 1;
    return rows / batch + (2 * (rows % batch) >= batch && rows % batch > 0);
}

void sampler_epoch_next(Sampler *s)
{
    s->epoch++;
    s->position = 0;
}

size_t sampler_next(Sampler *s, size_t batch, const uint32_t **order)
{
    size_t n = step_rows(s, batch);
    if (n == 0) {
        sampler_epoch_next(s);
        n = step_rows(s, batch);
    }
    if (order && !s->whole) {
        if (s->shuffled != s->epoch)
            shuffle(s);
        *order = s->order + s->position;
    }
    s->position += n;
    return n;
}

bool sampler_epoch_over(const Sampler *s, size_t batch)
{
    return s->position > 0 && step_rows(s, batch) == 0;
}
