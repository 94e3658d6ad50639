/* profile_column.c -- what is in a column, in one pass.
 *
 * Values are taken in blocks that stay in the cache: gathered without the missing ones, then once
 * through the moments, once through the table of counts. While that table is exact, everything else
 * (distinct, quantiles, bins) follows from it at the end. When more values are distinct than it
 * has room for, HyperLogLog and the quantile sketch take over from the table, which then only looks at
 * a sample for the values that are frequent. */
#include "profile_int.h"

#include <math.h>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#define SAMPLE 16 /* from 2^17 rows on, counts of many values come from a sample */
#define FINER  3  /* of several parts, eight times as many */

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
    sort_weighted(all, *n);
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
    quantile_expect(&p->quantile, p->expected);
    quantile_add_weighted(&p->quantile, all, n);
    mem_free(all);
}

bool profile_expect(ColumnProfiler *const *part, size_t parts, uint64_t rows)
{
    Frequent all = {.most = parts ? part[0]->frequent.most : 0};
    const size_t most = frequent_most(&all);
    if (parts == 0 || part[0]->type == COLUMN_TEXT || part[0]->type == COLUMN_BOOL)
        return false;
    for (size_t k = 0; k < parts && all.used <= most; k++) {
        const Frequent *f = &part[k]->frequent;
        for (size_t i = 0; i < f->slots && all.used <= most; i++)
            if (f->slot[i].count)
                frequent_add(&all, f->slot[i].key, 1);
    }
    bool many = all.purged || all.used > most;
    frequent_release(&all);
    for (size_t k = 0; many && k < parts; k++) {
        part[k]->expected = rows;
        if (!part[k]->hll)
            profile_begin_sketches(part[k]);
    }
    return many;
}

/* How many rows one sampled row stands for, as a power of two. */
static unsigned sample_shift(const ColumnProfiler *p)
{
    uint64_t rows = p->count > p->expected >> FINER ? p->count : p->expected >> FINER;
    return rows >> SAMPLE ? (unsigned)(63 - __builtin_clzll(rows >> SAMPLE)) : 0;
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

/* The values of up to 64 rows whose bit is set, side by side. Returns how many. May write as far as
 * the rows reach. */
#if defined(__AVX512F__)
static inline size_t pick(uint64_t *restrict to, const uint64_t *restrict v, uint64_t word,
                          size_t rows)
{
    size_t n = 0;
    for (size_t i = 0; i < rows; i += 8) {
        size_t left = rows - i < 8 ? rows - i : 8;
        __mmask8 there = (__mmask8)((1u << left) - 1), some = (__mmask8)(word >> i & there);
        __m512i x = _mm512_maskz_loadu_epi64(there, v + i);
        _mm512_mask_storeu_epi64(to + n, there, _mm512_maskz_compress_epi64(some, x));
        n += (size_t)__builtin_popcount(some);
    }
    return n;
}
#else
static inline size_t pick(uint64_t *restrict to, const uint64_t *restrict v, uint64_t word,
                          size_t rows)
{
    size_t n = 0;
    for (size_t i = 0; i < rows; i++) {
        to[n] = v[i];
        n += word >> i & 1;
    }
    return n;
}
#endif

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
        n += pick(to + n, v + at, word, rows - at < 64 ? rows - at : 64);
    }
    return n;
}

static void drop_nans(ProfileBlock *b)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->n; i++) {
        b->v[kept] = b->v[i];
        kept += !isnan(b->v[i]);
    }
    b->nans = b->n - kept;
    b->n = kept;
}

static void load_real(const Column *c, size_t from, size_t rows, ProfileBlock *b)
{
    const double *v = c->real + from;
    b->n = rows;
    if (c->valid) {
        b->n = gather(b->room, (const uint64_t *)(const void *)v, c->valid, from, rows);
        v = (const double *)(const void *)b->room;
    }
    b->finite = profile_copy_reals(b->v, v, b->n);
    if (!b->finite)
        drop_nans(b);
    b->bits = (const ProfileBits *)(const void *)b->v;
}

static void load_integer(const Column *c, size_t from, size_t rows, ProfileBlock *b)
{
    uint64_t wide[PROFILE_BLOCK];
    const uint64_t *at = wide;
    b->n = rows;
    if (c->type == COLUMN_DATE)
        for (size_t i = 0; i < rows; i++)
            wide[i] = (uint64_t)(int64_t)c->day[from + i];
    else
        at = (const uint64_t *)(const void *)(c->integer + from);
    if (c->valid) {
        b->n = gather(b->room, at, c->valid, from, rows);
        at = b->room;
    } else if (at == wide) {
        memcpy(b->room, wide, rows * sizeof *wide);
        at = b->room;
    }
    for (size_t i = 0; i < b->n; i++)
        b->v[i] = (double)(int64_t)at[i];
    b->finite = true;
    b->bits = (const ProfileBits *)at;
}

void profile_load(const Column *c, size_t from, size_t rows, ProfileBlock *b)
{
    b->nans = 0;
    if (c->type == COLUMN_REAL)
        load_real(c, from, rows, b);
    else
        load_integer(c, from, rows, b);
}

/* One block without missing values and NaN. */
static void add_numbers(ColumnProfiler *p, const ProfileBlock *b)
{
    uint64_t key[PROFILE_BLOCK];
    double some[PROFILE_BLOCK];
    const double *finite = b->v;
    size_t n = b->n, finites = n;
    for (size_t i = 0; i < n; i++)
        key[i] = mix64(b->bits[i]);
    if (!b->finite) {
        finites = finite_only(some, b->v, n);
        finite = some;
        for (size_t i = 0; i < n; i++)
            p->negatives += isinf(b->v[i]) && b->v[i] < 0;
    }
    profile_add_moments(p, finite, finites);
    size_t at = p->hll ? 0 : count_exactly(p, key, n);
    if (at == n)
        return;
    if (!p->hll) {
        profile_begin_sketches(p);
        finites = finite_only(some, b->v + at, n - at);
        finite = some;
    }
    count_distinct(p, key + at, n - at);
    count_sampled(p, key + at, n - at);
    quantile_add(&p->quantile, finite, finites);
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
        ProfileBlock block;
        for (size_t from = 0; from < c->rows; from += PROFILE_BLOCK) {
            profile_load(c, from, c->rows - from < PROFILE_BLOCK ? c->rows - from : PROFILE_BLOCK,
                         &block);
            p->nans += block.nans;
            add_numbers(p, &block);
        }
    }
}
