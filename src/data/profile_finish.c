/* profile_finish.c -- from counts and sketches to the profile that is shown and kept. */
#include "profile_int.h"

#include <math.h>

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

static size_t insert_top(Top *top, size_t most, size_t tops, Top one)
{
    if (tops == most && !goes_before(&one, &top[tops - 1]))
        return tops;
    size_t at = tops < most ? tops : tops - 1;
    for (; at > 0 && goes_before(&one, &top[at - 1]); at--)
        top[at] = top[at - 1];
    top[at] = one;
    return tops < most ? tops + 1 : tops;
}

static const char *print_key(ColumnType type, uint64_t key, Arena *a)
{
    Text text = {0};
    uint64_t bits = unmix64(key);
    int64_t integer = (int64_t)bits;
    int32_t day = (int32_t)integer;
    double real = profile_key_real(COLUMN_REAL, key);
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

static size_t find_tops(const Frequent *f, Top *top, size_t most)
{
    size_t tops = 0;
    for (size_t i = 0; i < f->slots; i++) /* a count below what was taken away proves nothing */
        if (f->slot[i].count > f->offset)
            tops = insert_top(top, most, tops, (Top){f->slot[i].count + f->offset, f->slot[i].key, i});
    return tops;
}

size_t profile_estimates(const ColumnProfiler *p, uint64_t *key, size_t most, uint64_t *rows)
{
    Top top[PROFILE_RECOUNT];
    *rows = 0;
    if (!p->hll || p->frequent.has_text)
        return 0;
    size_t tops = find_tops(&p->frequent, top, most < COUNT_OF(top) ? most : COUNT_OF(top));
    for (size_t i = 0; i < tops; i++) {
        key[i] = top[i].key;
        *rows += top[i].count;
    }
    return tops;
}

void profile_set_counts(ColumnProfiler *p, const uint64_t *key, const uint64_t *count, size_t n)
{
    frequent_release(&p->frequent);
    for (size_t i = 0; i < n; i++)
        if (count[i])
            frequent_add(&p->frequent, key[i], count[i]);
}

static void fill_tops(const ColumnProfiler *p, Arena *a, ColumnProfile *out)
{
    const Frequent *f = &p->frequent;
    Top top[PROFILE_TOP];
    size_t tops = find_tops(f, top, PROFILE_TOP), n;
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
                           .least = (double)NAN,
                           .most = (double)NAN,
                           .mean = (double)NAN,
                           .deviation = (double)NAN};
    for (int i = 0; i < PROFILE_QUANTILES; i++)
        out->quantile[i] = (double)NAN;
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
    Weighted *all = p->hll ? quantile_sorted(&p->quantile, &n) : profile_table_sorted(p, &n);
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
            tops = insert_top(top, PROFILE_TOP, tops, (Top){count[w], word_hash(s, n), w});
    }
    for (size_t i = 0; i < tops; i++) {
        const char *s = words_get(words, top[i].slot, &n);
        out->top[i].value = arena_printf(a, "%.*s", (int)(n < 1024 ? n : 1024), s);
        out->top[i].count = top[i].count;
    }
    out->tops = tops;
}
