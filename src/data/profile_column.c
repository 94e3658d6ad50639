/* profile_column.c -- what is in a column, in one pass.
 *
 * Values are taken in blocks that stay in the cache: gathered without the missing ones, then once
 * through the moments, once through the table of counts. While that table is exact, everything else
 * (distinct, quantiles, bins) follows from it at the end. When more than FREQUENT_MOST values are
 * distinct, HyperLogLog and the quantile sketch take over from the table, which then only looks at
 * a sample for the values that are frequent. */
#include "profile_int.h"

#include <math.h>
#include <stdlib.h>

#define BLOCK  2048
#define SAMPLE 16 /* from 2^17 rows on, counts of many values come from a sample */

ColumnProfiler *column_profiler_create(ColumnType type)
{
    ColumnProfiler *p = mem_alloc(sizeof *p);
    p->type = type;
    p->least = (double)INFINITY;
    p->most = -(double)INFINITY;
    p->shortest = UINT64_MAX;
    p->frequent.has_text = type == COLUMN_TEXT;
    return p;
}

void column_profiler_destroy(ColumnProfiler *p)
{
    if (!p)
        return;
    frequent_release(&p->frequent);
    quantile_release(&p->quantile);
    mem_free(p->hll);
    mem_free(p);
}

/* ---- from bits to numbers ------------------------------------------------------------------------ */

double profile_key_real(ColumnType type, uint64_t key)
{
    uint64_t bits = unmix64(key);
    double v;
    if (type != COLUMN_REAL)
        return (double)(int64_t)bits;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static int by_value(const void *a, const void *b)
{
    double x = ((const Weighted *)a)->value, y = ((const Weighted *)b)->value;
    return (x > y) - (x < y);
}

Weighted *profile_table_sorted(const ColumnProfiler *p, size_t *n)
{
    Weighted *all = mem_alloc((p->frequent.used + 1) * sizeof *all);
    *n = 0;
    for (size_t i = 0; i < p->frequent.slots; i++) {
        const FrequentSlot *s = &p->frequent.slot[i];
        double v = s->count ? profile_key_real(p->type, s->key) : (double)NAN;
        if (isfinite(v))
            all[(*n)++] = (Weighted){v, s->count};
    }
    qsort(all, *n, sizeof *all, by_value);
    return all;
}

/* ---- the table and the sketches --------------------------------------------------------------- */

void profile_begin_sketches(ColumnProfiler *p)
{
    p->hll = mem_alloc(sizeof *p->hll);
    for (size_t i = 0; i < p->frequent.slots; i++)
        if (p->frequent.slot[i].count)
            hll_add(p->hll, p->frequent.slot[i].key);
    if (p->type == COLUMN_TEXT)
        return;
    size_t n;
    Weighted *all = profile_table_sorted(p, &n);
    quantile_add_weighted(&p->quantile, all, n);
    mem_free(all);
}

/* How many rows one sampled row stands for, as a power of two. */
static unsigned sample_shift(const ColumnProfiler *p)
{
    return p->count >> SAMPLE ? (unsigned)(63 - __builtin_clzll(p->count >> SAMPLE)) : 0;
}

static uint64_t roll(ColumnProfiler *p)
{
    return mix64(p->dice += 0x9e3779b97f4a7c15u);
}

static void count_sampled(ColumnProfiler *p, const uint64_t *key, size_t n)
{
    unsigned shift = sample_shift(p);
    if (shift == 0) {
        for (size_t i = 0; i < n; i++)
            frequent_add(&p->frequent, key[i], 1);
        return;
    }
    uint64_t dice = roll(p);
    for (size_t i = dice & ((1u << shift) - 1); i < n;) {
        frequent_add(&p->frequent, key[i], UINT64_C(1) << shift);
        dice = dice * 6364136223846793005u + 1442695040888963407u;
        size_t stride = (i >> shift) + 1; /* one of every stretch of 2^shift */
        i = (stride << shift) + (dice >> 33 & ((1u << shift) - 1));
    }
}

/* Counts as long as the table keeps every value; returns how many it took. */
static size_t count_exactly(ColumnProfiler *p, const uint64_t *key, size_t n)
{
    size_t at = 0;
    if (!profile_is_full(p, n))
        for (; at < n; at++)
            frequent_add(&p->frequent, key[at], 1);
    else
        for (; at < n && !profile_is_full(p, 1); at++)
            frequent_add(&p->frequent, key[at], 1);
    return at;
}

/* The finite values of a block; returns how many. */
static size_t finite_only(double *restrict to, const double *restrict v, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        to[kept] = v[i];
        kept += isfinite(v[i]) != 0;
    }
    return kept;
}

/* Only a hash with more leading zeros than the lowest register can change a register. */
static void count_distinct(ColumnProfiler *p, const uint64_t *key, size_t n)
{
    if (p->count >= p->floor_at) {
        p->floor = hll_floor(p->hll);
        p->floor_at = p->count + p->count / 2;
    }
    if (p->floor == 0) {
        for (size_t i = 0; i < n; i++)
            hll_add(p->hll, key[i]);
        return;
    }
    unsigned shift = 64 - p->floor;
    for (size_t i = 0; i < n; i++)
        if (__builtin_expect((key[i] << HLL_BITS) >> shift == 0, 0))
            hll_add(p->hll, key[i]);
}

/* ---- numbers ------------------------------------------------------------------------------------ */

/* One block without missing values and NaN. */
static void add_numbers(ColumnProfiler *p, const double *v, const uint64_t *bits, size_t n)
{
    uint64_t key[BLOCK];
    double some[BLOCK];
    const double *finite = v;
    size_t finites = n;
    for (size_t i = 0; i < n; i++)
        key[i] = mix64(bits[i]);
    if (!profile_all_finite(v, n)) {
        finites = finite_only(some, v, n);
        finite = some;
        for (size_t i = 0; i < n; i++)
            p->negatives += isinf(v[i]) && v[i] < 0;
    }
    profile_add_moments(p, finite, finites);
    size_t at = p->hll ? 0 : count_exactly(p, key, n);
    if (at == n)
        return;
    if (!p->hll) {
        profile_begin_sketches(p);
        finites = finite_only(some, v + at, n - at);
        finite = some;
    }
    count_distinct(p, key + at, n - at);
    count_sampled(p, key + at, n - at);
    quantile_add(&p->quantile, finite, finites);
}

/* The values that are there, side by side. Returns how many. */
static size_t gather(uint64_t *restrict to, const uint64_t *restrict v, const uint8_t *valid,
                     size_t from, size_t rows)
{
    size_t n = 0;
    for (size_t at = 0; at < rows; at += 64) {
        uint64_t word = bits_word(valid, from + at, from + rows);
        if (word == UINT64_MAX) {
            memcpy(to + n, v + at, 64 * sizeof *to);
            n += 64;
            continue;
        }
        for (; word; word &= word - 1)
            to[n++] = v[at + (size_t)__builtin_ctzll(word)];
    }
    return n;
}

static void load_real(ColumnProfiler *p, const Column *c, size_t from, size_t rows)
{
    double v[BLOCK];
    uint64_t bits[BLOCK];
    size_t n = rows, nans = 0;
    if (c->valid)
        n = gather(bits, (const uint64_t *)(const void *)(c->real + from), c->valid, from, rows);
    else
        memcpy(bits, c->real + from, rows * sizeof *bits);
    memcpy(v, bits, n * sizeof *v);
    for (size_t i = 0; i < n; i++) {
        v[i] += 0.0; /* -0 is 0 */
        nans += v[i] != v[i];
    }
    if (nans) {
        size_t kept = 0;
        for (size_t i = 0; i < n; i++) {
            v[kept] = v[i];
            kept += !isnan(v[i]);
        }
        n = kept;
        p->nans += nans;
    }
    memcpy(bits, v, n * sizeof *bits);
    add_numbers(p, v, bits, n);
}

static void load_integer(ColumnProfiler *p, const Column *c, size_t from, size_t rows)
{
    double v[BLOCK];
    uint64_t bits[BLOCK], wide[BLOCK];
    const uint64_t *at = wide;
    size_t n = rows;
    if (c->type == COLUMN_DATE)
        for (size_t i = 0; i < rows; i++)
            wide[i] = (uint64_t)(int64_t)c->day[from + i];
    else
        at = (const uint64_t *)(const void *)(c->integer + from);
    if (c->valid) {
        n = gather(bits, at, c->valid, from, rows);
        at = bits;
    }
    for (size_t i = 0; i < n; i++)
        v[i] = (double)(int64_t)at[i];
    add_numbers(p, v, at, n);
}

static void add_bools(ColumnProfiler *p, const Column *c)
{
    for (size_t at = 0; at < c->rows; at += 64) {
        uint64_t bits = bits_word(c->bit, at, c->rows);
        if (c->valid)
            bits &= bits_word(c->valid, at, c->rows);
        p->trues += (uint64_t)__builtin_popcountll(bits);
    }
}

/* ---- text --------------------------------------------------------------------------------------- */

/* The hash that is good enough for a table of words has too much order for the registers. */
static uint64_t word_key(const char *s, size_t n)
{
    return mix64(word_hash(s, n));
}

static void add_text(ColumnProfiler *p, const char *s, size_t n, uint64_t times)
{
    uint64_t key = word_key(s, n);
    p->shortest = n < p->shortest ? n : p->shortest;
    p->longest = n > p->longest ? n : p->longest;
    if (profile_is_full(p, 1))
        profile_begin_sketches(p);
    if (p->hll)
        hll_add(p->hll, key);
    frequent_add_slow(&p->frequent, key, times, s, n);
}

static void add_plain(ColumnProfiler *p, const Column *c)
{
    size_t n;
    for (size_t i = 0; i < c->rows; i++) {
        if (!column_has(c, i))
            continue;
        const char *s = column_text(c, i, &n);
        if (!p->hll || sample_shift(p) == 0) {
            add_text(p, s, n, 1);
            continue;
        }
        uint64_t key = word_key(s, n), step = UINT64_C(1) << sample_shift(p);
        p->shortest = n < p->shortest ? n : p->shortest;
        p->longest = n > p->longest ? n : p->longest;
        hll_add(p->hll, key);
        p->dice = p->dice * 6364136223846793005u + 1442695040888963407u;
        if ((p->dice >> 33 & (step - 1)) == 0)
            frequent_add_slow(&p->frequent, key, step, s, n);
    }
}

void column_profiler_add_words(ColumnProfiler *p, const Words *words, const uint64_t *count)
{
    for (size_t w = 0; w < words->count; w++) {
        size_t n;
        const char *s = words_get(words, w, &n);
        if (count[w])
            add_text(p, s, n, count[w]);
        p->count += count[w];
    }
}

static void add_coded(ColumnProfiler *p, const Column *c)
{
    uint64_t *count = mem_alloc((c->words->count + 1) * sizeof *count);
    for (size_t i = 0; i < c->rows; i++)
        if (column_has(c, i))
            count[c->code[i]]++;
    column_profiler_add_words(p, c->words, count);
    mem_free(count);
}

/* ---- columns -------------------------------------------------------------------------------------- */

void column_profiler_add_missing(ColumnProfiler *p, uint64_t rows)
{
    p->count += rows;
    p->missing += rows;
}

void column_profiler_add(ColumnProfiler *p, const Column *c)
{
    uint64_t present = c->valid ? bits_count(c->valid, 0, c->rows) : c->rows;
    p->missing += c->rows - present;
    if (c->type == COLUMN_TEXT && c->words) {
        p->count += c->rows - present; /* the others are counted word by word */
        add_coded(p, c);
        return;
    }
    p->count += c->rows;
    if (c->type == COLUMN_TEXT) {
        add_plain(p, c);
    } else if (c->type == COLUMN_BOOL) {
        add_bools(p, c);
    } else {
        for (size_t from = 0; from < c->rows; from += BLOCK) {
            size_t rows = c->rows - from < BLOCK ? c->rows - from : BLOCK;
            if (c->type == COLUMN_REAL)
                load_real(p, c, from, rows);
            else
                load_integer(p, c, from, rows);
        }
    }
}
