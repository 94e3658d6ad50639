/* profile.c -- what is in a column, in one pass.
 *
 * Values are taken in blocks that stay in the cache: gathered without the missing ones, then once
 * through the moments, once through the table of counts. While that table is exact, everything else
 * (distinct, quantiles, bins) follows from it at the end. When more than FREQUENT_MOST values are
 * distinct, HyperLogLog and the quantile sketch take over from the table, which then only looks at
 * a sample for the values that are frequent. */
#include "data_int.h"

#include <math.h>
#include <stdlib.h>

#define BLOCK  2048
#define SAMPLE 18 /* from 2^18 rows on, counts of many values come from a sample */

struct ColumnProfiler {
    ColumnType type;
    uint64_t count, missing;
    uint64_t zeros, negatives, nans, trues;
    uint64_t finite; /* behind mean and squares */
    double least, most, mean, squares;
    uint64_t shortest, longest;
    Frequent frequent; /* keys: mix64 of the bits, word_hash of the text */
    Hll *hll;          /* once `frequent` is not exact any more */
    Quantile quantile;
    uint64_t dice;
};

ColumnProfiler *column_profiler_create(ColumnType type)
{
    ColumnProfiler *p = mem_alloc(sizeof *p);
    p->type = type;
    p->least = INFINITY;
    p->most = -INFINITY;
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

static double key_real(ColumnType type, uint64_t key)
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

/* The finite values of the exact table, ascending; the caller frees. */
static Weighted *table_sorted(const ColumnProfiler *p, size_t *n)
{
    Weighted *all = mem_alloc((p->frequent.used + 1) * sizeof *all);
    *n = 0;
    for (size_t i = 0; i < p->frequent.slots; i++) {
        const FrequentSlot *s = &p->frequent.slot[i];
        double v = s->count ? key_real(p->type, s->key) : (double)NAN;
        if (isfinite(v))
            all[(*n)++] = (Weighted){v, s->count};
    }
    qsort(all, *n, sizeof *all, by_value);
    return all;
}

/* ---- the table and the sketches --------------------------------------------------------------- */

/* Called before the table would lose a value: the sketches begin with all it holds. */
static void begin_sketches(ColumnProfiler *p)
{
    p->hll = mem_alloc(sizeof *p->hll);
    for (size_t i = 0; i < p->frequent.slots; i++)
        if (p->frequent.slot[i].count)
            hll_add(p->hll, p->frequent.slot[i].key);
    if (p->type == COLUMN_TEXT)
        return;
    size_t n;
    Weighted *all = table_sorted(p, &n);
    quantile_add_weighted(&p->quantile, all, n);
    mem_free(all);
}

static bool is_full(const ColumnProfiler *p, size_t more)
{
    return !p->hll && p->frequent.used + more > FREQUENT_MOST;
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

/* ---- moments ----------------------------------------------------------------------------------- */

typedef double Lanes __attribute__((vector_size(64), aligned(8), may_alias));
typedef int64_t Masks __attribute__((vector_size(64)));
#define LANES 8

static Lanes lanes_pick(Masks which, Lanes yes, Lanes no)
{
    return (Lanes)(((Masks)yes & which) | ((Masks)no & ~which));
}

static double lanes_sum(Lanes v)
{
    return ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]));
}

/* Whether all are finite: x - x is NaN for what is not. */
static bool all_finite(const double *v, size_t n)
{
    Lanes sum = {0};
    double rest = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        Lanes x = *(const Lanes *)(v + i);
        sum += x - x;
    }
    for (; i < n; i++)
        rest += v[i] - v[i];
    return lanes_sum(sum) + rest == 0;
}

/* Adds a block of finite values: sums in lanes, then one step of Chan, Golub and LeVeque (1979). */
static void add_moments(ColumnProfiler *p, const double *v, size_t n)
{
    if (n == 0)
        return;
    Lanes sum = {0}, least, most, zero = {0};
    Masks zeros = {0}, negatives = {0};
    least = zero + INFINITY;
    most = zero - INFINITY;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        Lanes x = *(const Lanes *)(v + i);
        sum += x;
        least = lanes_pick((Masks)(x < least), x, least);
        most = lanes_pick((Masks)(x > most), x, most);
        zeros -= (Masks)(x == zero);
        negatives -= (Masks)(x < zero);
    }
    double total = lanes_sum(sum), low = p->least, high = p->most;
    for (int k = 0; k < LANES; k++) {
        low = least[k] < low ? least[k] : low;
        high = most[k] > high ? most[k] : high;
        p->zeros += (uint64_t)zeros[k];
        p->negatives += (uint64_t)negatives[k];
    }
    for (; i < n; i++) {
        total += v[i];
        low = v[i] < low ? v[i] : low;
        high = v[i] > high ? v[i] : high;
        p->zeros += v[i] == 0;
        p->negatives += v[i] < 0;
    }
    p->least = low;
    p->most = high;

    double mean = total / (double)n, squares = 0;
    Lanes around = zero + mean, square = {0};
    for (i = 0; i + LANES <= n; i += LANES) {
        Lanes x = *(const Lanes *)(v + i) - around;
        square += x * x;
    }
    for (; i < n; i++)
        squares += (v[i] - mean) * (v[i] - mean);
    squares += lanes_sum(square);
    double before = (double)p->finite, now = before + (double)n, gap = mean - p->mean;
    p->mean += gap * (double)n / now;
    p->squares += squares + gap * gap * before * (double)n / now;
    p->finite += n;
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
    if (!all_finite(v, n)) {
        finites = finite_only(some, v, n);
        finite = some;
        for (size_t i = 0; i < n; i++)
            p->negatives += isinf(v[i]) && v[i] < 0;
    }
    add_moments(p, finite, finites);
    size_t at = 0;
    if (!p->hll) { /* exact as far as it goes */
        for (; at < n && !is_full(p, 1); at++)
            frequent_add(&p->frequent, key[at], 1);
        if (at == n)
            return;
        begin_sketches(p);
        finites = finite_only(some, v + at, n - at);
        finite = some;
    }
    for (size_t i = at; i < n; i++)
        hll_add(p->hll, key[i]);
    count_sampled(p, key + at, n - at);
    quantile_add(&p->quantile, finite, finites);
}

static void load_real(ColumnProfiler *p, const Column *c, size_t from, size_t rows)
{
    double v[BLOCK];
    uint64_t bits[BLOCK];
    size_t n = 0;
    const double *x = c->real + from;
    if (!c->valid) {
        for (size_t i = 0; i < rows; i++) {
            v[n] = x[i] + 0.0; /* -0 is 0 */
            n += !isnan(x[i]);
        }
        p->nans += rows - n;
    } else {
        for (size_t i = 0; i < rows; i++) {
            bool has = bit_get(c->valid, from + i), nan = isnan(x[i]) != 0;
            v[n] = x[i] + 0.0;
            n += has && !nan;
            p->nans += has && nan;
        }
    }
    memcpy(bits, v, n * sizeof *bits);
    add_numbers(p, v, bits, n);
}

static void load_integer(ColumnProfiler *p, const Column *c, size_t from, size_t rows)
{
    double v[BLOCK];
    uint64_t bits[BLOCK];
    size_t n = 0;
    for (size_t i = from; i < from + rows; i++) {
        bits[n] = (uint64_t)(c->type == COLUMN_DATE ? c->day[i] : c->integer[i]);
        n += column_has(c, i);
    }
    for (size_t i = 0; i < n; i++)
        v[i] = (double)(int64_t)bits[i];
    add_numbers(p, v, bits, n);
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

static void add_text(ColumnProfiler *p, const char *s, size_t n, uint64_t times)
{
    uint64_t key = word_hash(s, n);
    p->shortest = n < p->shortest ? n : p->shortest;
    p->longest = n > p->longest ? n : p->longest;
    if (is_full(p, 1))
        begin_sketches(p);
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
        uint64_t key = word_hash(s, n), step = UINT64_C(1) << sample_shift(p);
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

static void merge_moments(ColumnProfiler *into, const ColumnProfiler *from)
{
    if (!from->finite)
        return;
    double a = (double)into->finite, b = (double)from->finite, gap = from->mean - into->mean;
    into->mean += gap * b / (a + b);
    into->squares += from->squares + gap * gap * a * b / (a + b);
    into->finite += from->finite;
    into->least = fmin(into->least, from->least);
    into->most = fmax(into->most, from->most);
}

void column_profiler_merge(ColumnProfiler *into, const ColumnProfiler *from)
{
    merge_moments(into, from);
    into->count += from->count;
    into->missing += from->missing;
    into->zeros += from->zeros;
    into->negatives += from->negatives;
    into->nans += from->nans;
    into->trues += from->trues;
    into->shortest = from->shortest < into->shortest ? from->shortest : into->shortest;
    into->longest = from->longest > into->longest ? from->longest : into->longest;
    bool sketched = !into->hll && (from->hll || is_full(into, from->frequent.used));
    if (sketched)
        begin_sketches(into);
    if (from->hll) {
        hll_merge(into->hll, from->hll);
        quantile_merge(&into->quantile, &from->quantile);
    } else if (into->hll && into->type != COLUMN_TEXT) {
        size_t n;
        Weighted *all = table_sorted(from, &n);
        quantile_add_weighted(&into->quantile, all, n);
        mem_free(all);
    }
    for (size_t i = 0; i < from->frequent.slots; i++) {
        const FrequentSlot *s = &from->frequent.slot[i];
        size_t n = 0;
        const char *text =
            s->count && into->frequent.has_text ? frequent_text(&from->frequent, i, &n) : NULL;
        if (s->count && into->hll)
            hll_add(into->hll, s->key);
        if (s->count)
            frequent_add_slow(&into->frequent, s->key, s->count, text, n);
    }
    into->frequent.offset += from->frequent.offset;
    into->frequent.purged |= from->frequent.purged;
}

/* ---- the end: from counts to a profile ------------------------------------------------------------- */

/* The value at each rank of all, linear between neighbours as numpy does it. */
static void fill_quantiles(const Weighted *all, size_t n, uint64_t total, ColumnProfile *out)
{
    uint64_t sum = all[0].weight; /* ranks below it are all[i] or before */
    size_t i = 0;
    for (int q = 0; q < PROFILE_QUANTILES; q++) {
        double rank = (double)(total - 1) * q / (PROFILE_QUANTILES - 1), below = floor(rank);
        while (i + 1 < n && (double)sum <= below)
            sum += all[++i].weight;
        bool inside = i + 1 == n || (double)sum > below + 1;
        double next = inside ? all[i].value : all[i + 1].value, part = rank - below;
        out->quantile[q] = all[i].value * (1 - part) + next * part;
    }
    out->quantile[0] = out->least;
    out->quantile[PROFILE_QUANTILES - 1] = out->most;
}

/* Bins of equal width; sampled weights are scaled so that the bins sum to the finite values. */
static void fill_bins(const Weighted *all, size_t n, uint64_t total, uint64_t finite,
                      ColumnProfile *out)
{
    double width = (out->most - out->least) / PROFILE_BINS;
    uint64_t weight[PROFILE_BINS] = {0}, sum = 0, before = 0;
    for (size_t i = 0; i < n; i++) {
        double bin = width > 0 ? (all[i].value - out->least) / width : 0;
        weight[bin < PROFILE_BINS - 1 ? (bin > 0 ? (int)bin : 0) : PROFILE_BINS - 1] +=
            all[i].weight;
    }
    for (int i = 0; i < PROFILE_BINS; i++) {
        sum += weight[i];
        uint64_t upto =
            total == finite ? sum : (uint64_t)llround((double)sum / (double)total * (double)finite);
        out->bin[i] = upto - before;
        before = upto;
    }
}

typedef struct Top {
    uint64_t count, key;
    size_t slot;
} Top;

/* More often first; then by key, so that the order does not depend on the table's size. */
static bool goes_before(const Top *a, const Top *b)
{
    return a->count != b->count ? a->count > b->count : a->key < b->key;
}

static size_t insert_top(Top *top, size_t tops, Top one)
{
    if (tops == PROFILE_TOP && !goes_before(&one, &top[tops - 1]))
        return tops;
    size_t at = tops < PROFILE_TOP ? tops : tops - 1;
    for (; at > 0 && goes_before(&one, &top[at - 1]); at--)
        top[at] = top[at - 1];
    top[at] = one;
    return tops < PROFILE_TOP ? tops + 1 : tops;
}

static const char *print_key(ColumnType type, uint64_t key, Arena *a)
{
    Text text = {0};
    uint64_t bits = unmix64(key);
    int64_t integer = (int64_t)bits;
    int32_t day = (int32_t)integer;
    double real = key_real(COLUMN_REAL, key);
    Column c = {.type = type, .rows = 1};
    if (type == COLUMN_REAL)
        c.real = &real;
    else if (type == COLUMN_DATE)
        c.day = &day;
    else
        c.integer = &integer;
    column_print(&c, 0, &text);
    const char *kept = arena_text(a, text_str(&text));
    text_release(&text);
    return kept;
}

static void fill_tops(const ColumnProfiler *p, Arena *a, ColumnProfile *out)
{
    const Frequent *f = &p->frequent;
    Top top[PROFILE_TOP];
    size_t tops = 0, n;
    for (size_t i = 0; i < f->slots; i++) /* a count below what was taken away proves nothing */
        if (f->slot[i].count > f->offset)
            tops = insert_top(top, tops, (Top){f->slot[i].count + f->offset, f->slot[i].key, i});
    for (size_t i = 0; i < tops; i++) {
        const char *s = f->has_text ? frequent_text(f, top[i].slot, &n) : NULL;
        out->top[i].value =
            s ? arena_printf(a, "%.*s", (int)n, s) : print_key(p->type, top[i].key, a);
        out->top[i].count = top[i].count;
    }
    out->tops = tops;
}

static void finish_bools(const ColumnProfiler *p, ColumnProfile *out)
{
    uint64_t n = p->count - p->missing, falses = n - p->trues;
    Weighted both[2] = {{0, falses}, {1, p->trues}};
    out->zeros = falses;
    out->distinct = (falses > 0) + (p->trues > 0);
    if (n == 0)
        return;
    out->least = falses == 0;
    out->most = p->trues > 0;
    out->mean = (double)p->trues / (double)n;
    out->deviation =
        n > 1 ? sqrt(out->mean * (1 - out->mean) * (double)n / (double)(n - 1)) : (double)NAN;
    fill_quantiles(both, 2, n, out);
    fill_bins(both, 2, n, n, out);
    ProfileTop tops[2] = {{"true", p->trues}, {"false", falses}};
    bool swap = falses > p->trues;
    for (int i = 0; i < 2; i++)
        if (tops[i ^ swap].count)
            out->top[out->tops++] = tops[i ^ swap];
}

static void empty_profile(const char *name, ColumnType type, Arena *a, ColumnProfile *out)
{
    *out = (ColumnProfile){.name = arena_text(a, name),
                           .type = type,
                           .numeric = type != COLUMN_TEXT,
                           .least = NAN,
                           .most = NAN,
                           .mean = NAN,
                           .deviation = NAN};
    for (int i = 0; i < PROFILE_QUANTILES; i++)
        out->quantile[i] = NAN;
}

static void finish_numbers(const ColumnProfiler *p, ColumnProfile *out)
{
    out->zeros = p->zeros;
    out->negatives = p->negatives;
    out->nans = p->nans;
    if (!p->finite)
        return;
    out->least = p->least;
    out->most = p->most;
    out->mean = p->mean;
    out->deviation = p->finite > 1 ? sqrt(p->squares / (double)(p->finite - 1)) : (double)NAN;
    size_t n;
    uint64_t total = 0;
    Weighted *all = p->hll ? quantile_sorted(&p->quantile, &n) : table_sorted(p, &n);
    for (size_t i = 0; i < n; i++)
        total += all[i].weight;
    if (n > 0) {
        fill_quantiles(all, n, total, out);
        fill_bins(all, n, total, p->finite, out);
    }
    mem_free(all);
}

void column_profiler_finish(const ColumnProfiler *p, const char *name, Arena *a, ColumnProfile *out)
{
    empty_profile(name, p->type, a, out);
    out->count = p->count;
    out->missing = p->missing;
    if (p->type == COLUMN_BOOL) {
        finish_bools(p, out);
        return;
    }
    out->distinct = p->hll ? round(hll_estimate(p->hll)) : (double)p->frequent.used;
    fill_tops(p, a, out);
    if (p->type != COLUMN_TEXT) {
        finish_numbers(p, out);
    } else {
        out->shortest = p->shortest == UINT64_MAX ? 0 : p->shortest;
        out->longest = p->longest;
    }
}

void column_profile_words(const Words *words, const uint64_t *count, uint64_t missing,
                          const char *name, Arena *a, ColumnProfile *out)
{
    Top top[PROFILE_TOP];
    size_t tops = 0, n;
    empty_profile(name, COLUMN_TEXT, a, out);
    out->count = out->missing = missing;
    for (size_t w = 0; w < words->count; w++) {
        const char *s = words_get(words, w, &n);
        if (!count[w])
            continue;
        out->shortest = out->distinct == 0 || n < out->shortest ? n : out->shortest;
        out->longest = n > out->longest ? n : out->longest;
        out->distinct += 1;
        out->count += count[w];
        if (tops < PROFILE_TOP || count[w] >= top[tops - 1].count)
            tops = insert_top(top, tops, (Top){count[w], word_hash(s, n), w});
    }
    for (size_t i = 0; i < tops; i++) {
        const char *s = words_get(words, top[i].slot, &n);
        out->top[i].value = arena_printf(a, "%.*s", (int)(n < 1024 ? n : 1024), s);
        out->top[i].count = top[i].count;
    }
    out->tops = tops;
}

/* ---- tables ---------------------------------------------------------------------------------------- */

struct Profiler {
    size_t columns;
    char **name;
    ColumnProfiler **column;
    uint64_t rows;
};

Profiler *profiler_create(const Schema *s)
{
    Profiler *p = mem_alloc(sizeof *p);
    p->columns = s->count;
    p->name = mem_alloc((s->count + 1) * sizeof *p->name);
    p->column = mem_alloc((s->count + 1) * sizeof(ColumnProfiler *));
    for (size_t i = 0; i < s->count; i++) {
        p->name[i] = text_copy(s->field[i].name);
        p->column[i] = column_profiler_create(s->field[i].type);
    }
    return p;
}

static void destroy(Profiler *p)
{
    for (size_t i = 0; i < p->columns; i++) {
        mem_free(p->name[i]);
        column_profiler_destroy(p->column[i]);
    }
    mem_free(p->name);
    mem_free(p->column);
    mem_free(p);
}

void profiler_add(Profiler *p, const Chunk *c)
{
    p->rows += c->rows;
    for (size_t i = 0; i < p->columns && i < c->columns; i++)
        column_profiler_add(p->column[i], &c->column[i]);
}

void profiler_merge(Profiler *into, Profiler *from)
{
    into->rows += from->rows;
    for (size_t i = 0; i < into->columns; i++)
        column_profiler_merge(into->column[i], from->column[i]);
    destroy(from);
}

void profiler_finish(Profiler *p, Profile *out)
{
    *out = (Profile){.rows = p->rows, .columns = p->columns};
    out->column = ARENA_NEW(&out->arena, ColumnProfile, p->columns + 1);
    for (size_t i = 0; i < p->columns; i++)
        column_profiler_finish(p->column[i], p->name[i], &out->arena, &out->column[i]);
    destroy(p);
}

const ColumnProfile *profile_find(const Profile *p, const char *name)
{
    for (size_t i = 0; i < p->columns; i++)
        if (strcmp(p->column[i].name, name) == 0)
            return &p->column[i];
    return NULL;
}

void profile_release(Profile *p)
{
    arena_release(&p->arena);
    *p = (Profile){0};
}
