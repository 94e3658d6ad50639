/* sort.c -- doubles in ascending order, by their bits.
 *
 * The bits of a double, sign flipped for positives and all flipped for negatives, sort as unsigned
 * numbers. Of the bits in which the values differ at all (least key subtracted), the upper
 * PASSES * DIGIT are sorted by counting, least digit first; the counts of all passes come from one
 * reading. What is still equal then lies side by side: mostly nothing or a pair, sorted by
 * insertion; a longer run is sorted the same way again, by its own lower bits.
 *
 * Most numbers of tables were written with few decimals: k / 100 of whole k that lie near each other. Those are not
 * sorted at all but counted, and written out again. */
#include "drift_int.h"

#define DIGIT  8
#define PASSES 4
#define VALUES (1u << DIGIT)
#define FEW    48 /* so few are sorted by insertion */

static uint64_t key_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits ^ ((uint64_t)((int64_t)bits >> 63) | 1ull << 63);
}

static void sort_few(double *at, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        double x = at[i];
        size_t k = i;
        for (; k > 0 && at[k - 1] > x; k--)
            at[k] = at[k - 1];
        at[k] = x;
    }
}

/* What is left of a key: from the least on, without the bits that are not looked at. */
typedef struct View {
    uint64_t least;
    unsigned shift;
} View;

static inline uint32_t digit_of(double x, View v, unsigned pass)
{
    return (uint32_t)((key_of(x) - v.least) >> v.shift >> (pass * DIGIT)) & (VALUES - 1);
}

static View look(const double *at, size_t n)
{
    uint64_t least = UINT64_MAX, most = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t key = key_of(at[i]);
        least = key < least ? key : least;
        most = key > most ? key : most;
    }
    unsigned bits = most > least ? 64 - (unsigned)__builtin_clzll(most - least) : 0;
    return (View){least, bits > PASSES * DIGIT ? bits - PASSES * DIGIT : 0};
}

static void count(const double *at, size_t n, View v, uint32_t (*counts)[VALUES])
{
    memset(counts, 0, PASSES * sizeof *counts);
    for (size_t i = 0; i < n; i++) {
        uint32_t key = (uint32_t)((key_of(at[i]) - v.least) >> v.shift);
        for (unsigned pass = 0; pass < PASSES; pass++)
            counts[pass][key >> (pass * DIGIT) & (VALUES - 1)]++;
    }
}

static void move(const double *from, double *to, size_t n, View v, unsigned pass, uint32_t *counts)
{
    uint32_t sum = 0;
    for (size_t d = 0; d < VALUES; d++) {
        uint32_t here = counts[d];
        counts[d] = sum;
        sum += here;
    }
    for (size_t i = 0; i < n; i++)
        to[counts[digit_of(from[i], v, pass)]++] = from[i];
}

void sort_reals(double *at, size_t n, double *spare)
{
    if (n <= FEW) {
        sort_few(at, n);
        return;
    }
    uint32_t counts[PASSES][VALUES];
    View v = look(at, n);
    double *from = at, *to = spare;
    count(at, n, v, counts);
    for (unsigned pass = 0; pass < PASSES; pass++) {
        if (counts[pass][digit_of(from[0], v, pass)] == n)
            continue; /* all have the same digit */
        move(from, to, n, v, pass, counts[pass]);
        double *other = from;
        from = to;
        to = other;
    }
    if (from != at)
        memcpy(at, from, n * sizeof *at);
    if (!v.shift)
        return;
    for (size_t i = 0; i < n;) { /* runs that agree in all bits looked at */
        uint64_t upper = (key_of(at[i]) - v.least) >> v.shift;
        size_t end = i + 1;
        while (end < n && (key_of(at[end]) - v.least) >> v.shift == upper)
            end++;
        if (end - i > 1)
            sort_reals(at + i, end - i, spare);
        i = end;
    }
}

/* ---- numbers of few decimals ---- */

#define DECIMALS_MOST 6
#define TRIED         64         /* values that say how many decimals there are */
#define SPAN_MOST     (1u << 20) /* whole numbers counted, */
#define SPAN_SHARE    4          /* and so many times the values at most */
#define SPLIT         1024 /* up to here in four tables: one waits less for its own last count */
#define WHOLE_MOST    0x1p50

typedef struct Decimals {
    double scale; /* 100: two decimals */
    int64_t least;
    size_t span; /* whole numbers from the least to the largest */
} Decimals;

static bool is_decimal(double x, double scale)
{
    return fabs(x * scale) < WHOLE_MOST && rint(x * scale) / scale == x;
}

static bool find_decimals(const double *at, size_t n, Decimals *d)
{
    double least = INFINITY, most = -INFINITY;
    int decimals = 0;
    d->scale = 1.0;
    for (size_t i = 0; i < TRIED; i++) {
        while (!is_decimal(at[i * (n / TRIED)], d->scale)) {
            if (++decimals > DECIMALS_MOST)
                return false;
            d->scale *= 10.0;
        }
    }
    for (size_t i = 0; i < n; i++) {
        least = at[i] < least ? at[i] : least;
        most = at[i] > most ? at[i] : most;
    }
    if (!(fabs(least * d->scale) < WHOLE_MOST && fabs(most * d->scale) < WHOLE_MOST))
        return false;
    d->least = (int64_t)rint(least * d->scale);
    d->span = (size_t)((int64_t)rint(most * d->scale) - d->least) + 1;
    return d->span <= SPAN_MOST && d->span / SPAN_SHARE <= n;
}

/* False: one of them has more decimals. */
static bool count_decimals(const double *at, size_t n, const Decimals *d, uint32_t *counts)
{
    size_t apart = d->span <= SPLIT ? d->span : 0;
    double scale = d->scale;
    bool all = true;
    for (size_t i = 0; i < n; i++) {
        double whole = rint(at[i] * scale);
        if (whole / scale != at[i])
            all = false;
        counts[(size_t)((int64_t)whole - d->least) + (i & 3) * apart]++;
    }
    for (size_t k = 0; apart && k < d->span; k++)
        counts[k] += counts[k + apart] + counts[k + 2 * apart] + counts[k + 3 * apart];
    return all;
}

bool sort_decimals(double *at, size_t n)
{
    Decimals d;
    if (n < TRIED || n > UINT32_MAX || !find_decimals(at, n, &d))
        return false;
    uint32_t *counts = mem_alloc((d.span <= SPLIT ? 4 : 1) * d.span * sizeof *counts);
    bool ok = count_decimals(at, n, &d, counts);
    for (size_t k = 0; ok && k < d.span; k++) {
        double x = (double)((int64_t)k + d.least) / d.scale;
        for (uint32_t i = 0; i < counts[k]; i++)
            *at++ = x;
    }
    mem_free(counts);
    return ok;
}
