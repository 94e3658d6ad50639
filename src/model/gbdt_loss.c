/* gbdt_loss.c -- what a round descends: first scores, gradients, and whole numbers for them.
 *
 *     squared    g = o - y               h = 1         (of half the square, as is usual)
 *     absolute   g = sign(o - y)         h = 1         leaves then take the median
 *     huber      g = o - y within delta  h = 1
 *     quantile   g = 1 - q above, -q     h = 1         leaves then take the quantile
 *     logistic   g = p - y               h = p (1 - p)
 *     poisson    g = m - y               h = m e^0.7   m = e^o; steadied as XGBoost and LightGBM do
 *     gamma      g = 1 - y / m           h = y / m
 *     tweedie    g = m^(2-p) - y m^(1-p) h = (2-p) m^(2-p) - (1-p) y m^(1-p)
 *     softmax    g = p - [y]             h = p (1 - p) K / (K - 1)     (Friedman 2001)
 *
 * Loops are over sixteen rows at a time, each lane with its own sums, joined in order: the same bits
 * on any number of threads, and code that a compiler turns into vectors. */
#include "gbdt_int.h"

#include <math.h>
#include <string.h>

#define WIDE       16
#define BLOCK_ROWS 8192
#define H_LEAST    1e-16f

bool target_constant_h(const Target *t)
{
    return !t->weight && (losses[t->loss].fits & LOSS_FITS_NUMBER);
}

bool target_renews(const Target *t)
{
    return t->loss == LOSS_ABSOLUTE || t->loss == LOSS_QUANTILE;
}

/* ---- e^x and ln(1 + x), as polynomials ------------------------------------------------------------------ */

static inline float exp_fast(float x)
{
    x = x > 87.0f ? 87.0f : x < -87.0f ? -87.0f : x;
    float n = rintf(x * 1.44269504f), r = x - n * 0.693145752f - n * 1.42860677e-6f;
    float p =
        1.0f +
        r * (1.0f + r * (0.5f + r * (0.16666667f + r * (4.1666638e-2f +
                                                        r * (8.3334519e-3f + r * 1.3888889e-3f)))));
    int32_t bits = ((int32_t)n + 127) << 23;
    float scale;
    memcpy(&scale, &bits, sizeof scale);
    return p * scale;
}

static inline float log1p_fast(float t) /* 0 <= t <= 1 */
{
    float s = t / (2.0f + t), q = s * s;
    return 2.0f * s *
           (1.0f +
            q * (0.33333333f +
                 q * (0.2f + q * (0.14285714f +
                                  q * (0.11111111f + q * (9.0909091e-2f + q * 7.6923077e-2f))))));
}

/* ---- one row --------------------------------------------------------------------------------------------- */

typedef struct Slope {
    float g, h, loss;
} Slope;

#define POINT __attribute__((always_inline)) static inline Slope
POINT squared_at(float o, float y, float delta, float q)
{
    (void)delta, (void)q;
    float e = o - y;
    return (Slope){e, 1.0f, e * e};
}
POINT absolute_at(float o, float y, float delta, float q)
{
    (void)delta, (void)q;
    float e = o - y;
    return (Slope){e > 0 ? 1.0f : e < 0 ? -1.0f : 0.0f, 1.0f, fabsf(e)};
}
POINT huber_at(float o, float y, float delta, float q)
{
    (void)q;
    float e = o - y, a = fabsf(e);
    return (Slope){e > delta    ? delta
                   : e < -delta ? -delta
                                : e,
                   1.0f, a <= delta ? 0.5f * e * e : delta * (a - 0.5f * delta)};
}
POINT quantile_at(float o, float y, float delta, float q)
{
    (void)delta;
    float e = o - y;
    return (Slope){e < 0 ? -q : 1.0f - q, 1.0f, e < 0 ? -q * e : (1.0f - q) * e};
}
POINT logistic_at(float o, float y, float delta, float q)
{
    (void)delta, (void)q;
    float small = exp_fast(-fabsf(o)), p = 1.0f / (1.0f + small);
    p = o < 0 ? 1.0f - p : p;
    float loss = (o > 0 ? o : 0.0f) + log1p_fast(small) - y * o;
    return (Slope){p - y, p * (1.0f - p), loss};
}

POINT poisson_at(float o, float y, float delta, float q)
{
    (void)delta, (void)q;
    float m = exp_fast(o);
    return (Slope){m - y, m * 2.0137527f, m - y * o};
}
POINT gamma_at(float o, float y, float delta, float q)
{
    (void)delta, (void)q;
    float r = y * exp_fast(-o);
    return (Slope){1.0f - r, r, r + o};
}
/* q: the power */
POINT tweedie_at(float o, float y, float delta, float q)
{
    (void)delta;
    float a = y * exp_fast((1.0f - q) * o), b = exp_fast((2.0f - q) * o);
    return (Slope){b - a, (2.0f - q) * b - (1.0f - q) * a, b / (2.0f - q) - a / (1.0f - q)};
}

typedef struct SlopeJob {
    const Target *t;
    const float *score;
    Slopes *slopes;
} SlopeJob;

typedef struct Lanes {
    double loss[WIDE], weight[WIDE], square[WIDE];
} Lanes;

/* n rows, at most WIDE; a constant where it matters. */
#define PASS(name)                                                                                 \
    __attribute__((always_inline)) static inline void name##_lanes(                                \
        const Target *t, const float *restrict o, const float *restrict y,                         \
        const float *restrict w, float *restrict g, float *restrict h, Lanes *lanes,               \
        const size_t n)                                                                            \
    {                                                                                              \
        const float delta = (float)t->delta, q = (float)t->quantile;                               \
        for (size_t k = 0; k < n; k++) {                                                           \
            Slope s = name##_at(o[k], y[k], delta, q);                                             \
            float by = w ? w[k] : 1.0f;                                                            \
            g[k] = s.g * by;                                                                       \
            if (h)                                                                                 \
                h[k] = s.h * by;                                                                   \
            lanes->loss[k] += (double)(s.loss * by);                                               \
            lanes->weight[k] += (double)by;                                                        \
            lanes->square[k] += (double)(s.g * s.g * by);                                          \
        }                                                                                          \
    }                                                                                              \
    static void name##_rows(const SlopeJob *j, size_t from, size_t to, Lanes *lanes)               \
    {                                                                                              \
        const Target *t = j->t;                                                                    \
        Slopes *s = j->slopes;                                                                     \
        size_t i = from;                                                                           \
        for (; i + WIDE <= to; i += WIDE)                                                          \
            name##_lanes(t, j->score + i, t->y + i, t->weight ? t->weight + i : NULL, s->g + i,    \
                         s->h ? s->h + i : NULL, lanes, WIDE);                                     \
        name##_lanes(t, j->score + i, t->y + i, t->weight ? t->weight + i : NULL, s->g + i,        \
                     s->h ? s->h + i : NULL, lanes, to - i);                                       \
    }
PASS(squared)
PASS(absolute)
PASS(huber)
PASS(quantile)
PASS(logistic)
PASS(poisson)
PASS(gamma)
PASS(tweedie)

/* score: [classes][rows] */
static void softmax_rows(const SlopeJob *j, size_t from, size_t to, Lanes *lanes)
{
    const Target *t = j->t;
    size_t n = t->rows, k = t->classes;
    float factor = (float)k / (float)(k - 1);
    for (size_t i = from; i < to; i++) {
        float most = j->score[i], total = 0.0f, by = t->weight ? t->weight[i] : 1.0f;
        size_t y = (size_t)t->y[i];
        double square = 0;
        for (size_t c = 1; c < k; c++)
            most = fmaxf(most, j->score[c * n + i]);
        for (size_t c = 0; c < k; c++)
            total += j->slopes[c].g[i] = exp_fast(j->score[c * n + i] - most);
        for (size_t c = 0; c < k; c++) {
            float p = j->slopes[c].g[i] / total, g = p - (c == y ? 1.0f : 0.0f);
            j->slopes[c].g[i] = g * by;
            j->slopes[c].h[i] = fmaxf(p * (1.0f - p) * factor, H_LEAST) * by;
            square += (double)(g * g);
        }
        lanes->loss[i % WIDE] +=
            (double)by * (log((double)total) + (double)most - (double)j->score[y * n + i]);
        lanes->weight[i % WIDE] += (double)by;
        lanes->square[i % WIDE] += square * (double)by;
    }
}

static void slopes_block(void *job, size_t i, size_t worker)
{
    (void)worker;
    static void (*const pass[LOSS_COUNT])(const SlopeJob *, size_t, size_t, Lanes *) = {
        [LOSS_SQUARED] = squared_rows,   [LOSS_ABSOLUTE] = absolute_rows,
        [LOSS_HUBER] = huber_rows,       [LOSS_QUANTILE] = quantile_rows,
        [LOSS_LOGISTIC] = logistic_rows, [LOSS_SOFTMAX] = softmax_rows,
        [LOSS_POISSON] = poisson_rows,   [LOSS_GAMMA] = gamma_rows,
        [LOSS_TWEEDIE] = tweedie_rows};
    const SlopeJob *j = job;
    Lanes lanes = {0};
    size_t from = i * BLOCK_ROWS, to = from + BLOCK_ROWS;
    pass[j->t->loss](j, from, to < j->t->rows ? to : j->t->rows, &lanes);
    BlockSums *sum = &j->slopes[0].block[i];
    *sum = (BlockSums){0};
    for (size_t k = 0; k < WIDE; k++) {
        sum->loss += lanes.loss[k];
        sum->weight += lanes.weight[k];
        sum->square += lanes.square[k];
    }
}

size_t slope_blocks(size_t rows)
{
    return (rows + BLOCK_ROWS - 1) / BLOCK_ROWS;
}

void target_slopes(const Target *t, const float *score, Slopes *slopes, Pool *pool, SlopeSums *out)
{
    size_t blocks = slope_blocks(t->rows);
    SlopeJob j = {.t = t, .score = score, .slopes = slopes};
    const BlockSums *sum = slopes[0].block;
    pool_run(pool, blocks, slopes_block, &j);
    *out = (SlopeSums){0};
    for (size_t i = 0; i < blocks; i++) {
        out->loss += sum[i].loss;
        out->weight += sum[i].weight;
        out->square += sum[i].square;
    }
    if (t->stretch->team) {
        double sums[3] = {out->loss, out->weight, out->square};
        stretch_sum_reals(t->stretch, sums, 3);
        *out = (SlopeSums){sums[0], sums[1], sums[2]};
    }
}

/* ---- whole numbers ------------------------------------------------------------------------------------- */

/* Rounded up or down by chance, in proportion, so that sums of many small numbers keep their size:
 * a thousand saturated rows of h = 1e-6 would else weigh nothing beside one of g = 1. Two numbers in
 * [0, 1) a row and round, from a hash (the finaliser of MurmurHash3). */
static inline uint32_t mixed(uint32_t x)
{
    x = (x ^ x >> 16) * 0x85ebca6bu;
    x = (x ^ x >> 13) * 0xc2b2ae35u;
    return x ^ x >> 16;
}

static inline int64_t rounded(double v, uint32_t chance)
{
    return (int64_t)floor(v + (double)chance * 0x1p-32);
}

typedef struct PackJob {
    Slopes *s;
    size_t rows;
    const uint32_t *place; /* by which chance goes; NULL: row i at i */
    const float *factor;
    double g_scale, h_scale;
    unsigned shift;
    uint32_t round;
} PackJob;

static void sum_block(void *job, size_t i, size_t worker)
{
    (void)worker;
    PackJob *j = job;
    double g[WIDE] = {0}, h[WIDE] = {0};
    size_t from = i * BLOCK_ROWS, to = from + BLOCK_ROWS < j->rows ? from + BLOCK_ROWS : j->rows;
    const float *restrict factor = j->factor, *restrict at_g = j->s->g, *restrict at_h = j->s->h;
    size_t row = from;
    for (; row + WIDE <= to; row += WIDE)
        for (size_t k = 0; k < WIDE; k++) {
            float by = factor ? factor[row + k] : 1.0f;
            g[k] += (double)fabsf(at_g[row + k] * by);
            h[k] += at_h ? (double)(at_h[row + k] * by) : (double)by;
        }
    for (; row < to; row++) {
        float by = factor ? factor[row] : 1.0f;
        g[0] += (double)fabsf(at_g[row] * by);
        h[0] += at_h ? (double)(at_h[row] * by) : (double)by;
    }
    BlockSums *sum = &j->s->block[i];
    *sum = (BlockSums){0};
    for (size_t k = 0; k < WIDE; k++) {
        sum->g += g[k];
        sum->h += h[k];
    }
}

__attribute__((always_inline)) static inline void pack_rows(const PackJob *j, size_t i,
                                                            const uint32_t *restrict place)
{
    size_t from = i * BLOCK_ROWS, to = from + BLOCK_ROWS < j->rows ? from + BLOCK_ROWS : j->rows;
    const float *restrict g = j->s->g, *restrict h = j->s->h, *restrict factor = j->factor;
    Pair *restrict pair = j->s->pair;
    const double gs = j->g_scale, hs = j->h_scale;
    const uint32_t salt = mixed(j->round + 0x9e3779b9u);
    const unsigned shift = j->shift;
    if (!h && !factor) {
        for (size_t row = from; row < to; row++)
            pair[row] =
                pair_of(rounded((double)g[row] * gs, mixed((place ? place[row] : (uint32_t)row) ^ salt)),
                        1, shift);
    }
    for (size_t row = from; (h || factor) && row < to; row++) {
        double by = factor ? (double)factor[row] : 1.0;
        double more = h ? (double)h[row] * by : by;
        uint32_t chance = mixed((place ? place[row] : (uint32_t)row) ^ salt);
        int64_t whole_g = rounded((double)g[row] * by * gs, chance);
        pair[row] = pair_of(whole_g, (uint64_t)rounded(more * hs, mixed(chance)), shift);
    }
    Pair sum = 0;
    for (size_t row = from; row < to; row++)
        sum += pair[row];
    j->s->block[i].pair = sum;
}

static void pack_block(void *job, size_t i, size_t worker)
{
    (void)worker;
    const PackJob *j = job;
    if (j->place)
        pack_rows(j, i, j->place);
    else
        pack_rows(j, i, NULL);
}

unsigned pair_shift(size_t rows)
{
    unsigned bits = 1;
    while (rows >> bits)
        bits++;
    return bits;
}

/* The largest power of two that keeps sum * scale + rows below the bound. */
static double scale_for(double sum, double rows, double bound)
{
    if (!(sum > 0.0))
        return 1.0;
    double room = (bound - rows) / sum;
    return ldexp(1.0, room > 0 ? (int)fmax(fmin(floor(log2(room)), 200.0), -200.0) : -200);
}

void slopes_pack(Slopes *s, const Stretch *stretch, size_t count, const float *factor, size_t round,
                 Pool *pool)
{
    size_t blocks = slope_blocks(count), rows = stretch->all;
    PackJob j = {.s = s,
                 .rows = count,
                 .place = stretch->place,
                 .factor = factor,
                 .round = (uint32_t)round};
    pool_run(pool, blocks, sum_block, &j);
    double sum_g = 0, sum_h = 0;
    for (size_t i = 0; i < blocks; i++) {
        sum_g += s->block[i].g;
        sum_h += s->block[i].h;
    }
    if (stretch->team) {
        double sums[2] = {sum_g, sum_h};
        stretch_sum_reals(stretch, sums, 2);
        sum_g = sums[0];
        sum_h = sums[1];
    }
    bool counts = !s->h && !factor;
    s->shift = j.shift = counts ? pair_shift(rows) : 32;
    j.g_scale = scale_for(sum_g, (double)rows, 0.999999 * ldexp(1.0, 63 - (int)j.shift));
    j.h_scale = counts ? 1.0 : scale_for(sum_h, (double)rows, 4294967000.0);
    pool_run(pool, blocks, pack_block, &j);
    s->g_unit = 1.0 / j.g_scale;
    s->h_unit = 1.0 / j.h_scale;
    s->sum = 0;
    for (size_t i = 0; i < blocks; i++)
        s->sum += s->block[i].pair;
    stretch_sum_pairs(stretch, &s->sum, 1);
}

/* ---- first scores and leaves by order ---------------------------------------------------------------------- */

typedef struct Left {
    const float *y, *score;
    const uint32_t *rows;
} Left;

static float target_of(const void *of, size_t i)
{
    return ((const float *)of)[i];
}

static float left_of(const void *of, size_t i)
{
    const Left *l = of;
    return l->y[l->rows[i]] - l->score[l->rows[i]];
}

/* Linear between ranks; weights of rows are not asked. */
static double quantile_of(const Target *t, RankValue *value, const void *of, size_t n, size_t all)
{
    if (all == 0)
        return 0.0;
    double share = t->loss == LOSS_QUANTILE ? t->quantile : 0.5;
    double at = share * (double)(all - 1), part = at - floor(at);
    size_t i = (size_t)at, next = i + 1 < all ? i + 1 : i;
    double low = (double)rank_find(t->stretch, value, of, n, i);
    return low * (1.0 - part) + (double)rank_find(t->stretch, value, of, n, next) * part;
}

double target_renewed(const Target *t, const float *score, const uint32_t *rows, size_t n, size_t all)
{
    return quantile_of(t, left_of, &(Left){t->y, score, rows}, n, all);
}

typedef struct BiasJob {
    const Target *t;
    double *sums; /* of y, of weights, then of weights by class */
} BiasJob;

static void add_targets(void *job)
{
    const BiasJob *j = job;
    const Target *t = j->t;
    double sum = j->sums[0], weight = j->sums[1], *share = j->sums + 2;
    for (size_t i = 0; i < t->rows; i++) {
        double w = t->weight ? (double)t->weight[i] : 1.0;
        sum += w * (double)t->y[i];
        weight += w;
        if (t->loss == LOSS_SOFTMAX)
            share[(size_t)t->y[i]] += w;
    }
    j->sums[0] = sum;
    j->sums[1] = weight;
}

void target_bias(const Target *t, float *bias)
{
    double *sums = mem_alloc(sizeof *sums * (t->classes + 3));
    stretch_continue(t->stretch, add_targets, &(BiasJob){t, sums}, sums, t->classes + 2);
    double sum = sums[0], weight = sums[1], *share = sums + 2;
    double mean = weight > 0 ? sum / weight : 0.0;
    if (t->loss == LOSS_SOFTMAX)
        for (size_t c = 0; c < t->classes; c++)
            bias[c] = (float)log(fmax(share[c] / fmax(weight, 1e-300), 1e-15));
    else if (losses[t->loss].fits & LOSS_FITS_RATE)
        bias[0] = (float)log(fmax(mean, 1e-15));
    else if (t->loss == LOSS_LOGISTIC) {
        mean = fmin(fmax(mean, 1e-15), 1 - 1e-15);
        bias[0] = (float)log(mean / (1.0 - mean));
    } else if (target_renews(t))
        bias[0] = (float)quantile_of(t, target_of, t->y, t->rows, t->stretch->all);
    else
        bias[0] = (float)mean;
    mem_free(sums);
}
