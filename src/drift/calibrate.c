/* calibrate.c -- shares as a model says them, made what they say: isotonic regression.
 *
 * Neighbours that fall are pooled until the means only rise (Ayer et al. 1955; Zadrozny and Elkan
 * 2002 for probabilities). Whether it is worth it is asked as NannyML does: in ten stratified splits
 * the curve is fitted to nine tenths, and over all the tenths put together the calibration error
 * (Naeini et al. 2015, ten bins of equal counts) must be less with it than without. */
#include "drift_int.h"

#include <stdlib.h>

#define SPLITS    10
#define TEST_PART 10 /* one in so many rows tests */
#define BINS      10
#define CERTAIN   0.999 /* an area above it: nothing to gain */

double curve_at(const Curve *c, double share)
{
    if (!c->points)
        return share;
    if (!(share > c->x[0]))
        return c->y[0];
    if (share >= c->x[c->points - 1])
        return c->y[c->points - 1];
    size_t low = 0, high = c->points - 1; /* x[low] < share < x[high] or equal */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (c->x[middle] <= share)
            low = middle;
        else
            high = middle;
    }
    double part = (share - c->x[low]) / (c->x[high] - c->x[low]);
    return c->y[low] + part * (c->y[high] - c->y[low]);
}

void curve_release(Curve *c)
{
    mem_free(c->x);
    mem_free(c->y);
    *c = (Curve){0};
}

typedef struct Block { /* rows from one share to another that have one mean */
    double from, to, sum, count;
} Block;

static size_t pool_falling(Block *block, const double *share, const double *truth, size_t n)
{
    size_t blocks = 0;
    for (size_t i = 0; i < n;) {
        Block b = {share[i], share[i], 0.0, 0.0};
        for (; i < n && share[i] == b.from; i++, b.count += 1.0)
            b.sum += truth[i];
        for (; blocks && block[blocks - 1].sum * b.count >= b.sum * block[blocks - 1].count;
             blocks--) {
            b.from = block[blocks - 1].from;
            b.sum += block[blocks - 1].sum;
            b.count += block[blocks - 1].count;
        }
        block[blocks++] = b;
    }
    return blocks;
}

void curve_fit(Curve *c, const double *share, const double *truth, size_t n)
{
    Block *block = mem_alloc((n + 1) * sizeof *block);
    size_t blocks = pool_falling(block, share, truth, n);
    *c = (Curve){.x = mem_alloc((2 * blocks + 1) * sizeof(double)),
                 .y = mem_alloc((2 * blocks + 1) * sizeof(double))};
    for (size_t i = 0; i < blocks; i++)
        for (int end = 0; end < 1 + (block[i].to > block[i].from); end++) {
            c->x[c->points] = end ? block[i].to : block[i].from;
            c->y[c->points++] = block[i].sum / block[i].count;
        }
    mem_free(block);
}

/* Marks which rows test, the same part of both kinds. */
static void split(uint8_t *tests, const double *truth, size_t n, uint64_t seed)
{
    uint32_t *order = mem_alloc((n + 1) * sizeof *order);
    Rng rng;
    rng_seed(&rng, 42, seed);
    memset(tests, 0, n);
    for (int kind = 0; kind < 2; kind++) {
        size_t count = 0;
        for (size_t i = 0; i < n; i++)
            if ((truth[i] > 0.5) == kind)
                order[count++] = (uint32_t)i;
        rng_shuffle(&rng, order, count);
        for (size_t i = 0; i < (count + TEST_PART / 2) / TEST_PART; i++)
            tests[order[i]] = 1;
    }
    mem_free(order);
}

/* A row that tests: as it was said, as a curve of the others says, and as it came true. */
typedef struct Tried {
    size_t place;
    double said, mended, truth;
} Tried;

static int by_said(const void *left, const void *right)
{
    const Tried *a = left, *b = right;
    if (a->said != b->said)
        return a->said < b->said ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

/* In bins of equal counts: how far what came true is from what was said. */
static double calibration_error(const Tried *t, size_t n, bool mended)
{
    size_t bins = n <= 2 * BINS ? n / 2 : BINS;
    double sum = 0.0;
    for (size_t b = 0; b < bins; b++) {
        double gap = 0.0;
        for (size_t i = b * n / bins; i < (b + 1) * n / bins; i++)
            gap += (mended ? t[i].mended : t[i].said) - t[i].truth;
        sum += fabs(gap);
    }
    return sum / (double)n;
}

static size_t try_split(Tried *out, const double *share, const double *truth, size_t n,
                        uint64_t seed)
{
    uint8_t *tests = mem_alloc(n + 1);
    double *x = mem_alloc((n + 1) * sizeof *x), *y = mem_alloc((n + 1) * sizeof *y);
    size_t kept = 0, found = 0;
    Curve curve;
    split(tests, truth, n, seed);
    for (size_t i = 0; i < n; i++)
        if (!tests[i]) {
            x[kept] = share[i];
            y[kept++] = truth[i];
        }
    curve_fit(&curve, x, y, kept);
    for (size_t i = 0; i < n; i++)
        if (tests[i])
            out[found++] = (Tried){i, share[i], curve_at(&curve, share[i]), truth[i]};
    curve_release(&curve);
    mem_free(tests);
    mem_free(x);
    mem_free(y);
    return found;
}

bool curve_helps(const double *share, const double *truth, size_t n)
{
    double area = area_under(share, truth, NULL, n);
    if (!(area <= CERTAIN)) /* one kind alone, or told apart already */
        return false;
    Tried *tried = mem_alloc((n * SPLITS + 1) * sizeof *tried);
    size_t found = 0;
    for (uint64_t s = 0; s < SPLITS; s++)
        found += try_split(tried + found, share, truth, n, s);
    qsort(tried, found, sizeof *tried, by_said); /* curves rise: the order is theirs as well */
    bool helps = found >= 4 &&
                 calibration_error(tried, found, true) < calibration_error(tried, found, false);
    mem_free(tried);
    return helps;
}
