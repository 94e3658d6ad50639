/* gbdt_bins.c -- numbers and category codes as bins, a byte a cell.
 *
 * Where a number's bins end is drawn from up to 200,000 rows: each distinct value its own bin while
 * there are few, else bins of about the same number of rows, values with many rows alone (LightGBM's
 * GreedyFindBin). Bounds lie halfway between two values. The most frequent codes of a category get a
 * bin each; the others share bin 0 with what was never seen. */
#include "gbdt_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLE_ROWS 200000
#define BIN_LEAST   3 /* sampled rows in a bin (min_data_in_bin) */
#define TILE_ROWS   2048
#define WIDE        16

/* ---- sorting floats: three passes over eleven bits each -------------------------------------------- */

static void radix_pass(uint32_t *to, const uint32_t *from, size_t n, unsigned shift)
{
    size_t place[2048] = {0}, at = 0;
    for (size_t i = 0; i < n; i++)
        place[from[i] >> shift & 2047]++;
    for (size_t k = 0; k < 2048; k++) {
        size_t count = place[k];
        place[k] = at;
        at += count;
    }
    for (size_t i = 0; i < n; i++)
        to[place[from[i] >> shift & 2047]++] = from[i];
}

void sort_floats(float *at, float *scratch, size_t n)
{
    uint32_t *key = (uint32_t *)(void *)at, *other = (uint32_t *)(void *)scratch;
    for (size_t i = 0; i < n; i++) {
        uint32_t k = float_order(at[i] + 0.0f); /* -0 is 0 */
        memcpy(&key[i], &k, sizeof k);
    }
    radix_pass(other, key, n, 0);
    radix_pass(key, other, n, 11);
    radix_pass(other, key, n, 22);
    for (size_t i = 0; i < n; i++) {
        float x = float_ordered(other[i]);
        memcpy(&at[i], &x, sizeof x);
    }
}

/* ---- where bins end ---------------------------------------------------------------------------------- */

static float halfway(float low, float high)
{
    float middle = (float)((double)low / 2.0 + (double)high / 2.0);
    return middle < high ? middle : low;
}

typedef struct Distinct {
    float *value;
    size_t *count;
    size_t n, total;
} Distinct;

static void few_bins(BinFeature *f, const Distinct *d)
{
    size_t rows = 0;
    for (size_t i = 0; i + 1 < d->n; i++) {
        rows += d->count[i];
        if (rows < BIN_LEAST && d->total > BINS_MOST) /* a tiny table may use all there is */
            continue;
        f->upper[f->values++] = halfway(d->value[i], d->value[i + 1]);
        rows = 0;
    }
}

static void even_bins(BinFeature *f, const Distinct *d, size_t most)
{
    size_t bins = most < d->total / BIN_LEAST ? most : d->total / BIN_LEAST;
    bins = bins ? bins : 1;
    double rest = (double)d->total, rest_bins = (double)bins;
    double mean = (double)d->total / (double)bins;
    const double heavy = mean;
    for (size_t i = 0; i < d->n; i++)
        if ((double)d->count[i] >= heavy) {
            rest -= (double)d->count[i];
            rest_bins--;
        }
    mean = rest_bins > 0 ? rest / rest_bins : heavy;
    double rows = 0;
    for (size_t i = 0; i + 1 < d->n && f->values + 1 < bins; i++) {
        bool alone = (double)d->count[i] >= heavy, next = (double)d->count[i + 1] >= heavy;
        rest -= alone ? 0 : (double)d->count[i];
        rows += (double)d->count[i];
        if (!alone && rows < mean && !(next && rows >= fmax(1.0, mean / 2)))
            continue;
        f->upper[f->values++] = halfway(d->value[i], d->value[i + 1]);
        rows = 0;
        if (!alone && --rest_bins > 0)
            mean = rest / rest_bins;
    }
}

typedef struct Make {
    Bins *bins;
    const Batch *batch;
    const Stretch *stretch;
    const ModelShape *shape;
    size_t most, samples;
    uint32_t *sample; /* [samples] rows, of all */
    float *sampled;   /* team: [samples][numbers] of them; NULL: as the batch has them */
    uint64_t *seen;   /* team: how often each code is there, column after column; NULL: to be counted */
    float *room;      /* [threads][3 * samples] */
    size_t *counts;   /* [threads][samples] */
    bool *missing;    /* [tiles][numbers] */
    Progress *progress;
} Make;

/* Before each tile. */
static bool go_on(const Make *m, size_t worker)
{
    if (worker == 0)
        progress_look(m->progress);
    return !progress_stopped(m->progress);
}

static void fit_number(void *job, size_t i, size_t worker)
{
    Make *m = job;
    BinFeature *f = &m->bins->feature[i];
    float *value = m->room + 3 * m->samples * worker, *scratch = value + m->samples;
    Distinct d = {.value = scratch + m->samples, .count = m->counts + m->samples * worker};
    const float *dense = m->sampled ? m->sampled : m->batch->dense;
    for (size_t k = 0; k < m->samples; k++) {
        float x = dense[(m->sampled ? k : m->sample[k]) * m->shape->dense + i];
        if (!isnan(x))
            value[d.total++] = x;
    }
    sort_floats(value, scratch, d.total);
    for (size_t k = 0; k < d.total; k++) {
        if (k == 0 || value[k] != value[k - 1]) {
            d.value[d.n] = value[k];
            d.count[d.n++] = 0;
        }
        d.count[d.n - 1]++;
    }
    size_t most = m->most - f->missing;
    if (d.n <= most)
        few_bins(f, &d);
    else
        even_bins(f, &d, most);
    for (size_t k = f->values++; k < BINS_MOST; k++)
        f->upper[k] = INFINITY;
    f->bins = f->values + f->missing;
}

/* Which columns have missing values is asked of all rows: one that the sample lacks still counts. */
static void look_for_missing(void *job, size_t tile, size_t worker)
{
    Make *m = job;
    if (!go_on(m, worker))
        return;
    size_t width = m->shape->dense, from = tile * TILE_ROWS, to = from + TILE_ROWS;
    to = to < m->batch->rows ? to : m->batch->rows;
    bool *missing = m->missing + tile * width;
    for (size_t row = from; row < to; row++)
        for (size_t i = 0; i < width; i++)
            missing[i] |= isnan(m->batch->dense[row * width + i]) != 0;
    progress_add(m->progress, to - from);
}

typedef struct CodeCount {
    size_t count;
    int32_t code;
} CodeCount;

static int more_first(const void *a, const void *b)
{
    const CodeCount *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return (x->code > y->code) - (x->code < y->code);
}

static void fit_category(void *job, size_t i, size_t worker)
{
    (void)worker;
    Make *m = job;
    BinFeature *f = &m->bins->feature[m->shape->dense + i];
    size_t n = (size_t)m->shape->cardinality[i], before = 0;
    CodeCount *seen = mem_alloc(sizeof *seen * (n + 1));
    for (size_t k = 0; k < i; k++)
        before += (size_t)m->shape->cardinality[k];
    for (size_t k = 0; k < n; k++)
        seen[k] = (CodeCount){m->seen ? (size_t)m->seen[before + k] : 0, (int32_t)k};
    for (size_t row = 0; !m->seen && row < m->batch->rows; row++)
        seen[m->batch->code[row * m->shape->codes + i]].count++;
    seen[0].count = 0; /* code 0 has bin 0 anyway */
    qsort(seen, n, sizeof *seen, more_first);
    f->bins = 1;
    for (size_t k = 0; k < n && seen[k].count && f->bins < m->most; k++) {
        f->code[f->bins] = seen[k].code;
        f->bin_of[seen[k].code] = (uint8_t)f->bins++;
    }
    mem_free(seen);
}

/* ---- filling ------------------------------------------------------------------------------------------- */

/* The first bin with x <= upper, by halving: eight steps without a branch, many rows at once. */
static void bin_numbers(const BinFeature *f, const float *x, uint8_t *bin, size_t n)
{
    const float *restrict upper = f->upper;
    uint32_t missing = (uint32_t)(f->missing ? f->values : 0);
    for (size_t from = 0; from < n; from += WIDE) { /* both have room to a whole WIDE */
        int32_t at[WIDE] = {0};
        for (int32_t step = BINS_MOST / 2; step; step /= 2)
            for (size_t k = 0; k < WIDE; k++)
                at[k] += upper[at[k] + step - 1] < x[from + k] ? step : 0;
        for (size_t k = 0; k < WIDE; k++)
            bin[from + k] = (uint8_t)(x[from + k] == x[from + k] ? (uint32_t)at[k] : missing);
    }
}

static void tile_column(const Make *m, const BinFeature *f, size_t from, size_t n)
{
    const ModelShape *s = m->shape;
    size_t i = (size_t)(f - m->bins->feature);
    uint8_t *column = m->bins->by_column + f->column * m->bins->rows + from, bin[TILE_ROWS];
    float x[TILE_ROWS];
    if (f->category)
        for (size_t k = 0; k < n; k++)
            bin[k] = f->bin_of[m->batch->code[(from + k) * s->codes + (i - s->dense)]];
    else {
        for (size_t k = 0; k < n; k++)
            x[k] = m->batch->dense[(from + k) * s->dense + i];
        bin_numbers(f, x, bin, n);
    }
    for (size_t k = 0; k < n; k++)
        column[k] = (uint8_t)(column[k] + bin[k] * f->stride);
}

/* Rows of the blocks, from the columns. */
static void fill_blocks(const Bins *b, size_t from, size_t n)
{
    for (size_t k = 0; k < b->blocks; k++) {
        const BinBlock *block = &b->block[k];
        for (size_t c = 0; c < block->width; c++) {
            const uint8_t *column = b->by_column + (block->first + c) * b->rows + from;
            uint8_t *to = block->at + from * block->width + c;
            for (size_t row = 0; row < n; row++)
                to[row * block->width] = column[row];
        }
    }
}

static void fill_tile(void *job, size_t tile, size_t worker)
{
    Make *m = job;
    Bins *b = m->bins;
    if (!go_on(m, worker))
        return;
    size_t from = tile * TILE_ROWS, n = b->rows - from < TILE_ROWS ? b->rows - from : TILE_ROWS;
    for (size_t i = 0; i < b->features; i++)
        if (b->feature[i].bins > 1)
            tile_column(m, &b->feature[i], from, n);
    fill_blocks(b, from, n);
    progress_add(m->progress, n);
}

/* ---- columns and blocks --------------------------------------------------------------------------------- */

/* The features of most bins first, each into the first byte that has room for it. */
static void place_columns(Bins *b)
{
    size_t *product = mem_alloc(sizeof *product * (b->features + 1));
    for (size_t bins = BINS_MOST; bins > 1; bins--)
        for (size_t i = 0; i < b->features; i++) {
            BinFeature *f = &b->feature[i];
            if (f->bins != bins)
                continue;
            f->column = bins > BINS_MOST / 2 ? b->columns : 0;
            while (f->column < b->columns && product[f->column] * bins > BINS_MOST)
                f->column++;
            if (f->column == b->columns)
                product[b->columns++] = 1;
            f->stride = product[f->column];
            product[f->column] *= bins;
        }
    mem_free(product);
}

static void place_blocks(Bins *b)
{
    b->blocks = (b->columns + BLOCK_MOST - 1) / BLOCK_MOST;
    b->block = ARENA_NEW(&b->arena, BinBlock, b->blocks + 1);
    for (size_t k = 0; k < b->blocks; k++) {
        size_t first = b->columns * k / b->blocks, end = b->columns * (k + 1) / b->blocks;
        b->block[k] = (BinBlock){first, end - first, b->bytes + first * b->rows};
    }
}

static void draw_sample(Make *m, uint64_t seed)
{
    Rng rng;
    size_t rows = m->stretch->all;
    rng_seed(&rng, seed, 0x62696e73);
    for (size_t i = 0; i < m->samples; i++) {
        double at = rows == m->samples
                        ? (double)i
                        : ((double)i + rng_unit(&rng)) * (double)rows / (double)m->samples;
        m->sample[i] = (uint32_t)at < rows ? (uint32_t)at : (uint32_t)rows - 1;
    }
}

/* What the others have to say on where bins end. */
static void ask_team(Make *m)
{
    const ModelShape *s = m->shape;
    size_t codes = 0;
    if (!m->stretch->team)
        return;
    m->sampled = stretch_sample(m->stretch, m->batch, s->dense, m->sample, m->samples);
    for (size_t i = 0; i < s->codes; i++)
        codes += (size_t)s->cardinality[i];
    m->seen = mem_alloc(sizeof *m->seen * (codes + 1));
    for (size_t i = 0, at = 0; i < s->codes; at += (size_t)s->cardinality[i++])
        for (size_t row = 0; row < m->batch->rows; row++)
            m->seen[at + (size_t)m->batch->code[row * s->codes + i]]++;
    stretch_sum_pairs(m->stretch, m->seen, codes);
}

static void fit_features(Make *m, Pool *pool)
{
    Bins *b = m->bins;
    const ModelShape *s = m->shape;
    size_t tiles = (b->rows + TILE_ROWS - 1) / TILE_ROWS;
    progress_begin(m->progress, "looking for missing values", "rows", b->rows);
    pool_run(pool, tiles, look_for_missing, m);
    for (size_t i = 0; i < b->features; i++) {
        BinFeature *f = &b->feature[i];
        f->category = i >= s->dense;
        if (f->category) {
            size_t n = (size_t)s->cardinality[i - s->dense];
            f->code = ARENA_NEW(&b->arena, int32_t, BINS_MOST);
            f->bin_of = ARENA_NEW(&b->arena, uint8_t, n + 1);
            continue;
        }
        f->upper = ARENA_NEW(&b->arena, float, BINS_MOST);
        for (size_t t = 0; t < tiles; t++)
            f->missing |= m->missing[t * s->dense + i];
        f->missing = stretch_sum_count(m->stretch, f->missing) > 0;
    }
    ask_team(m);
    pool_run(pool, s->dense, fit_number, m);
    pool_run(pool, s->codes, fit_category, m);
}

bool bins_make(Bins *into, const Batch *b, const Stretch *rows, const ModelShape *shape, size_t most,
               uint64_t seed, Pool *pool, Scratch *in, Progress *progress, Error *err)
{
    *into = (Bins){.rows = b->rows,
                   .features = shape->dense + shape->codes,
                   .numbers = shape->dense,
                   .in = in};
    Make m = {.bins = into,
              .batch = b,
              .stretch = rows,
              .shape = shape,
              .most = most,
              .progress = progress,
              .samples = rows->all < SAMPLE_ROWS ? rows->all : SAMPLE_ROWS};
    size_t threads = pool_threads(pool), tiles = (b->rows + TILE_ROWS - 1) / TILE_ROWS;
    into->feature = ARENA_NEW(&into->arena, BinFeature, into->features + 1);
    m.sample = mem_alloc(sizeof *m.sample * (m.samples + 1));
    m.room = mem_alloc(sizeof *m.room * (3 * m.samples * threads + 1));
    m.counts = mem_alloc(sizeof *m.counts * (m.samples * threads + 1));
    m.missing = mem_alloc(tiles * shape->dense + 1);
    draw_sample(&m, seed);
    fit_features(&m, pool);
    place_columns(into);
    size_t bytes = into->columns * into->rows + 64;
    into->by_column = scratch_take(in, bytes, err);
    into->bytes = into->by_column ? scratch_take(in, bytes, err) : NULL;
    if (into->bytes) {
        place_blocks(into);
        progress_begin(progress, "sorting into bins", "rows", into->rows);
        pool_run(pool, tiles, fill_tile, &m);
    }
    bool stopped = progress_stopped(progress);
    mem_free(m.sample);
    mem_free(m.sampled);
    mem_free(m.seen);
    mem_free(m.room);
    mem_free(m.counts);
    mem_free(m.missing);
    if (into->bytes && !stopped)
        return true;
    stopped = stopped && into->bytes;
    bins_release(into);
    return stopped ? error_set(err, ERROR_STOP, "stopped on request")
                   : error_in(err, "binning %zu rows", b->rows);
}

/* ---- another order of the rows ------------------------------------------------------------------ */

typedef struct Reorder {
    Bins *b;
    const uint32_t *row;
    uint8_t *to;
} Reorder;

static void reorder_column(void *job, size_t column, size_t worker)
{
    (void)worker;
    const Reorder *r = job;
    const uint8_t *restrict from = r->b->by_column + column * r->b->rows;
    uint8_t *restrict to = r->to + column * r->b->rows;
    for (size_t i = 0; i < r->b->rows; i++)
        to[i] = from[r->row[i]];
}

static void reorder_tile(void *job, size_t tile, size_t worker)
{
    (void)worker;
    const Reorder *r = job;
    size_t from = tile * TILE_ROWS, left = r->b->rows - from;
    fill_blocks(r->b, from, left < TILE_ROWS ? left : TILE_ROWS);
}

bool bins_reorder(Bins *b, const uint32_t *row, Pool *pool)
{
    Reorder r = {.b = b, .row = row, .to = scratch_take(b->in, b->columns * b->rows + 64, NULL)};
    if (!r.to)
        return false;
    pool_run(pool, b->columns, reorder_column, &r);
    scratch_give(b->in, b->by_column);
    b->by_column = r.to;
    pool_run(pool, (b->rows + TILE_ROWS - 1) / TILE_ROWS, reorder_tile, &r);
    return true;
}

void bins_release(Bins *b)
{
    scratch_give(b->in, b->by_column);
    scratch_give(b->in, b->bytes);
    arena_release(&b->arena);
    *b = (Bins){0};
}
