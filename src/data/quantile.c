/* quantile.c -- quantiles of a stream from sorted runs; see data_int.h for the idea.
 *
 * When the runs span more than SPAN levels, fresh values are sampled: one of every 2^shift stands
 * for all. So a value costs a sort while there are few and next to nothing when there are many. */
#include "data_int.h"

#include <assert.h>

#define SPAN 5

static uint64_t roll(Quantile *q) /* splitmix64: the same stream gives the same sketch */
{
    q->dice += 0x9e3779b97f4a7c15u;
    return mix64(q->dice);
}

/* ---- sorting ----------------------------------------------------------------------------------- */

static inline uint64_t ordered(uint64_t bits) /* as unsigned in the order of the doubles */
{
    return bits ^ ((uint64_t)((int64_t)bits >> 63) | UINT64_C(1) << 63);
}

static inline uint64_t unordered(uint64_t key)
{
    return key ^ (~(uint64_t)((int64_t)key >> 63) | UINT64_C(1) << 63);
}

static inline uint64_t bits_of(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

/* Radix sort by bytes, lowest first; bytes that are the same everywhere cost nothing. */
void sort_real(double *v, size_t n)
{
    uint32_t count[8][256] = {{0}};
    uint64_t *from = mem_alloc(2 * n * sizeof *from + 1), *to = from + n, *base = from;
    memcpy(from, v, n * sizeof *from);
    for (size_t i = 0; i < n; i++) {
        from[i] = ordered(from[i]);
        for (int b = 0; b < 8; b++)
            count[b][from[i] >> 8 * b & 255]++;
    }
    for (int b = 0; b < 8; b++) {
        if (n == 0 || count[b][from[0] >> 8 * b & 255] == n)
            continue;
        uint32_t place[256], sum = 0;
        for (int d = 0; d < 256; d++) {
            place[d] = sum;
            sum += count[b][d];
        }
        for (size_t i = 0; i < n; i++)
            to[place[from[i] >> 8 * b & 255]++] = from[i];
        uint64_t *swap = from;
        from = to;
        to = swap;
    }
    for (size_t i = 0; i < n; i++)
        from[i] = unordered(from[i]);
    memcpy(v, from, n * sizeof *from);
    mem_free(base);
}

void sort_weighted(Weighted *v, size_t n)
{
    uint32_t count[8][256] = {{0}};
    Weighted *from = v, *to = mem_alloc((n + 1) * sizeof *to), *room = to;
    for (size_t i = 0; i < n; i++) {
        uint64_t key = ordered(bits_of(v[i].value));
        for (int b = 0; b < 8; b++)
            count[b][key >> 8 * b & 255]++;
    }
    for (int b = 0; b < 8; b++) {
        if (n == 0 || count[b][ordered(bits_of(from[0].value)) >> 8 * b & 255] == n)
            continue;
        uint32_t place[256], sum = 0;
        for (int d = 0; d < 256; d++) {
            place[d] = sum;
            sum += count[b][d];
        }
        for (size_t i = 0; i < n; i++)
            to[place[ordered(bits_of(from[i].value)) >> 8 * b & 255]++] = from[i];
        Weighted *swap = from;
        from = to;
        to = swap;
    }
    if (from != v)
        memcpy(v, from, n * sizeof *v);
    mem_free(room);
}

/* ---- runs -------------------------------------------------------------------------------------- */

/* Every second value of the two runs together, beginning with the first or the second. */
static void halve(double *restrict to, const double *a, const double *b, size_t skip)
{
    size_t i = 0, k = 0;
    for (size_t n = 0; n < 2 * QUANTILE_RUN; n++) {
        bool first = k == QUANTILE_RUN || (i < QUANTILE_RUN && a[i] <= b[k]);
        double v = first ? a[i] : b[k];
        i += first;
        k += !first;
        if (n % 2 == skip)
            to[n / 2] = v;
    }
}

/* Takes a sorted run into its level. */
static void carry(Quantile *q, double *run, unsigned level)
{
    while (q->run[level]) {
        double *both = mem_alloc(QUANTILE_RUN * sizeof *both);
        halve(both, q->run[level], run, roll(q) >> 63);
        mem_free(run);
        mem_free(q->run[level]);
        q->run[level] = NULL;
        run = both;
        assert(level + 1 < QUANTILE_LEVELS);
        level++;
    }
    q->run[level] = run;
    while (level > q->shift + SPAN)
        q->shift++; /* `fresh` is empty here */
}

static bool is_sorted(const double *v, size_t n)
{
    size_t i = 1;
    while (i < n && v[i - 1] <= v[i])
        i++;
    return i >= n;
}

static void add_one(Quantile *q, double v)
{
    if (!q->fresh)
        q->fresh = mem_alloc(QUANTILE_RUN * sizeof *q->fresh);
    q->fresh[q->fill++] = v;
    if (q->fill < QUANTILE_RUN)
        return;
    double *run = q->fresh;
    q->fresh = NULL;
    q->fill = 0;
    if (!is_sorted(run, QUANTILE_RUN))
        sort_real(run, QUANTILE_RUN);
    carry(q, run, q->shift);
}

/* ---- adding ------------------------------------------------------------------------------------- */

/* Four times as many are taken as the runs will tell apart in the end. */
void quantile_expect(Quantile *q, uint64_t rows)
{
    for (q->shift = 0; rows >> q->shift > (uint64_t)QUANTILE_RUN << (SPAN + 2);)
        q->shift++;
}

void quantile_add(Quantile *q, const double *v, size_t n)
{
    size_t i = 0;
    while (i < n) {
        unsigned shift = q->shift;
        size_t step = (size_t)1 << shift;
        if (n - i >= step) {
            add_one(q, v[i + (shift ? roll(q) >> (64 - shift) : 0)]);
            i += step;
        } else { /* the rest stands for itself with its share of a chance */
            size_t pick = roll(q) >> (64 - shift);
            if (pick < n - i)
                add_one(q, v[i + pick]);
            i = n;
        }
    }
}

void quantile_add_weighted(Quantile *q, const Weighted *sorted, size_t n)
{
    uint64_t sum = 0, at = 0;
    for (size_t i = 0; i < n; i++)
        sum += sorted[i].weight;
    while (q->fill == 0 && sum >> q->shift > (uint64_t)QUANTILE_RUN << SPAN)
        q->shift++;
    uint64_t next = q->shift ? roll(q) >> (64 - q->shift) : 0;
    for (size_t i = 0; i < n; i++) {
        at += sorted[i].weight;
        for (; next < at; next += UINT64_C(1) << q->shift)
            add_one(q, sorted[i].value);
    }
}

void quantile_merge(Quantile *into, const Quantile *from)
{
    for (unsigned level = 0; level < QUANTILE_LEVELS; level++) {
        if (!from->run[level])
            continue;
        if (level < into->shift) { /* below what is still told apart */
            for (size_t i = 0; i < QUANTILE_RUN; i++)
                if (roll(into) >> (64 - (into->shift - level)) == 0)
                    add_one(into, from->run[level][i]);
            continue;
        }
        /* `fresh` may hold values of the old weight: a raised shift must not reweigh them */
        unsigned shift = into->shift;
        carry(into, mem_copy(from->run[level], QUANTILE_RUN * sizeof(double)), level);
        if (into->shift != shift && into->fill) {
            size_t keep = 0;
            for (size_t i = 0; i < into->fill; i++)
                if (roll(into) >> (64 - (into->shift - shift)) == 0)
                    into->fresh[keep++] = into->fresh[i];
            into->fill = keep;
        }
    }
    for (size_t i = 0; i < from->fill; i++) {
        if (from->shift >= into->shift) {
            for (uint64_t k = 0; k < UINT64_C(1) << (from->shift - into->shift); k++)
                add_one(into, from->fresh[i]);
        } else if (roll(into) >> (64 - (into->shift - from->shift)) == 0) {
            add_one(into, from->fresh[i]);
        }
    }
}

/* ---- asking -------------------------------------------------------------------------------------- */

Weighted *quantile_sorted(const Quantile *q, size_t *n)
{
    size_t count = q->fill;
    for (unsigned level = 0; level < QUANTILE_LEVELS; level++)
        count += q->run[level] ? QUANTILE_RUN : 0;
    Weighted *all = mem_alloc((count + 1) * sizeof *all);
    size_t at = 0;
    for (size_t i = 0; i < q->fill; i++)
        all[at++] = (Weighted){q->fresh[i], UINT64_C(1) << q->shift};
    for (unsigned level = 0; level < QUANTILE_LEVELS; level++)
        for (size_t i = 0; q->run[level] && i < QUANTILE_RUN; i++)
            all[at++] = (Weighted){q->run[level][i], UINT64_C(1) << level};
    sort_weighted(all, count);
    *n = count;
    return all;
}

void quantile_release(Quantile *q)
{
    for (unsigned level = 0; level < QUANTILE_LEVELS; level++)
        mem_free(q->run[level]);
    mem_free(q->fresh);
    *q = (Quantile){0};
}
