/* sampler.c -- which training rows a step takes: a seeded permutation an epoch, walked through.
 *
 * The order of an epoch depends on seed and epoch alone; a step takes the next `batch` rows of it.
 * A tail of less than half a batch is left out (other rows are, next epoch): tiny batches make
 * noisy steps. So epoch, position and batch say everything, and the rows of any step of the past
 * can be computed again.
 *
 * The epochs before `first` (pre-training) go through `bare` more rows, numbered behind the others: those
 * without a target. */
#include "train_int.h"

#define SAMPLER_STREAM 0x5a3d17ULL /* keeps these numbers apart from others of the same seed */

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

static void shuffle(Sampler *s)
{
    Rng rng;
    for (size_t i = 0; i < rows_now(s); i++)
        s->order[i] = (uint32_t)i;
    rng_seed(&rng, s->seed, SAMPLER_STREAM + (uint64_t)s->epoch);
    rng_shuffle(&rng, s->order, rows_now(s));
    s->shuffled = s->epoch;
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
