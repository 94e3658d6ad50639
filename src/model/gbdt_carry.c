/* gbdt_carry.c -- squared loss: gradients kept as whole numbers from round to round.
 *
 *     g = o - y, h = 1             a tree adds its leaf's value to g, and nothing else changes
 *
 * So where all rows take part and count alike, gradients are rounded once, at the beginning, and a
 * round adds to each row the leaf's value in the same units. Then the sums of the next root are known
 * without reading a row: to each bin's sum of g comes the leaf's change times how many of the leaf's rows
 * are in the bin (grower_carry), exact like all sums of pairs. It saves a third of the reading.
 *
 * Sums of |g| stay below sqrt(n sum g^2), which falls from round to round, unless the rate is above 2;
 * should it double, the rounds go on in the ordinary way. A unit is at most 2^-16 of the first loss's
 * root, or carry_begin refuses (beyond some four million rows). */
#include "gbdt_int.h"

#include <math.h>

#define BLOCK_ROWS 8192
#define FINE       16 /* bits of the root of the mean g^2, at least */

typedef struct CarryBlocks {
    const Target *t;
    Slopes *s;
    double bias, scale;
    double *square;  /* [blocks] */
    __int128 *whole; /* [blocks] the same in units */
    Pair *sum;
} CarryBlocks;

static size_t block_end(const CarryBlocks *c, size_t i)
{
    size_t to = (i + 1) * BLOCK_ROWS;
    return to < c->t->rows ? to : c->t->rows;
}

static void square_block(void *job, size_t i, size_t worker)
{
    (void)worker;
    const CarryBlocks *c = job;
    for (size_t row = i * BLOCK_ROWS; row < block_end(c, i); row++)
        c->square[i] += (c->bias - (double)c->t->y[row]) * (c->bias - (double)c->t->y[row]);
}

static void begin_block(void *job, size_t i, size_t worker)
{
    (void)worker;
    const CarryBlocks *c = job;
    for (size_t row = i * BLOCK_ROWS; row < block_end(c, i); row++) {
        int64_t g = llrint((c->bias - (double)c->t->y[row]) * c->scale);
        c->s->pair[row] = pair_of(g, 1, c->s->shift);
        c->whole[i] += (__int128)g * g;
        c->sum[i] += c->s->pair[row];
    }
}

bool carry_begin(const Target *t, double bias, Slopes *s, Pool *pool)
{
    size_t blocks = (t->rows + BLOCK_ROWS - 1) / BLOCK_ROWS;
    CarryBlocks c = {.t = t, .s = s, .bias = bias};
    c.square = mem_alloc(sizeof *c.square * blocks);
    pool_run(pool, blocks, square_block, &c);
    double square = 0;
    for (size_t i = 0; i < blocks; i++)
        square += c.square[i];
    mem_free(c.square);
    stretch_sum_reals(t->stretch, &square, 1);
    const size_t all = t->stretch->all;
    s->shift = pair_shift(all);
    double room = ldexp(1.0, 61 - (int)s->shift), size = sqrt(square * (double)all);
    if (!isfinite(size) || !(size > 0.0) || room / (double)all < ldexp(1.0, FINE) ||
        fabs(log2(room / size)) > 200.0)
        return false;
    c.scale = ldexp(1.0, (int)floor(log2(room / size)));
    c.whole = mem_alloc(sizeof *c.whole * blocks);
    c.sum = mem_alloc(sizeof *c.sum * blocks);
    pool_run(pool, blocks, begin_block, &c);
    s->g_unit = 1.0 / c.scale;
    s->h_unit = 1.0;
    s->sum = 0;
    s->square = 0;
    for (size_t i = 0; i < blocks; i++) {
        s->sum += c.sum[i];
        s->square += c.whole[i];
    }
    mem_free(c.whole);
    mem_free(c.sum);
    stretch_sum_slopes(t->stretch, s);
    return true;
}

/* sum (g + d)^2 = sum g^2 + d (2 sum g + n d) */
int64_t carry_change(Slopes *s, float value, Pair sum)
{
    int64_t d = llrint((double)value / s->g_unit), n = (int64_t)pair_h(sum, s->shift);
    s->square += (__int128)d * (2 * (__int128)pair_g(sum, s->shift) + (__int128)n * d);
    s->sum += ((Pair)d << s->shift) * (Pair)n;
    return d;
}

void carry_tree(Slopes *s, const float *value, size_t rows)
{
    for (size_t i = 0; i < rows; i++)
        s->pair[i] += (Pair)carry_change(s, value[i], s->pair[i]) << s->shift;
}

bool carry_sums(const Slopes *s, size_t rows, SlopeSums *out)
{
    double square = (double)s->square * s->g_unit * s->g_unit, n = (double)rows;
    *out = (SlopeSums){.loss = square, .weight = n, .square = square};
    return sqrt((double)s->square) * sqrt(n) < ldexp(1.0, 62 - (int)s->shift);
}
