/* gbdt_split.c -- the best split of one feature, from its sums a bin.
 *
 *     score(G, H) = T(G)^2 / (H + lambda)        T: G pulled to 0 by alpha
 *     gain        = score(left) + score(right) - score(leaf)
 *
 * Numbers are cut between two bins, the missing ones tried on either side. Categories with few bins
 * are split one from the rest; with more they are sorted by G / (H + cat_smooth), which makes the best
 * set one from either end (Fisher 1958; LightGBM). Rows on a side: H itself where every h is 1, else
 * in proportion to H, as LightGBM counts. */
#include "gbdt_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WIDE 8
#define TINY 1e-15 /* added to H: nothing is divided by 0 */

static double pulled(double g, double alpha)
{
    return alpha > 0 ? copysign(fmax(fabs(g) - alpha, 0.0), g) : g;
}

double leaf_score(const GbdtParams *p, double g, double h)
{
    double t = pulled(g, p->alpha);
    return t * t / (h + p->lambda + TINY);
}

double leaf_weight(const GbdtParams *p, double g, double h)
{
    return -pulled(g, p->alpha) / (h + p->lambda + TINY);
}

/* ---- weights within bounds ------------------------------------------------------------------------ */

double leaf_within(const CutJob *job, double l2, double g, double h)
{
    GbdtParams with = *job->params;
    with.lambda += l2;
    double w = leaf_weight(&with, g, h);
    return job->bounded ? fmin(fmax(w, job->lower), job->upper) : w;
}

/* What a side of that weight gains; the same as leaf_score where nothing bounds it. */
static double score_within(const CutJob *job, double l2, double g, double h, double w)
{
    const GbdtParams *p = job->params;
    return -(2.0 * g * w + (h + p->lambda + l2 + TINY) * w * w + 2.0 * p->alpha * fabs(w));
}

/* -infinity: the column's leaves would be out of order. */
static double gain_within(const CutJob *job, double l2, double g, double h, double other_g,
                          double other_h)
{
    double left = leaf_within(job, l2, g, h), right = leaf_within(job, l2, other_g, other_h);
    if (job->slope * (right - left) < 0.0)
        return -INFINITY;
    return score_within(job, l2, g, h, left) + score_within(job, l2, other_g, other_h, right);
}

/* ---- numbers -------------------------------------------------------------------------------------- */

typedef struct Scan {
    double g[BINS_MOST], h[BINS_MOST], gain[BINS_MOST]; /* left of the cut after each bin */
} Scan;

/* gain[i] for cuts 0..n-1, below 0 where a side is too small. */
static void scan_gains(const CutJob *job, Scan *s, size_t n, double g_all, double h_all)
{
    const GbdtParams *p = job->params;
    const double lambda = p->lambda + TINY, alpha = p->alpha, least_h = p->min_hessian;
    const double per_h = job->rows / h_all, least = (double)p->min_rows - 0.5;
    const double *restrict left_g = s->g, *restrict left_h = s->h;
    double *restrict gains = s->gain;
    for (size_t i = 0; i < n; i++) {
        double g = left_g[i], h = left_h[i], other_g = g_all - g, other_h = h_all - h;
        double a = fabs(g) - alpha, b = fabs(other_g) - alpha;
        a = a > 0.0 ? a : 0.0;
        b = b > 0.0 ? b : 0.0;
        double gain = a * a / (h + lambda) + b * b / (other_h + lambda);
        double small_h = h < other_h ? h : other_h;
        gains[i] = (small_h >= least_h) & (small_h * per_h >= least) ? gain : -1.0;
    }
}

/* The same where weights are bounded. */
static void scan_within(const CutJob *job, Scan *s, size_t n, double g_all, double h_all)
{
    const GbdtParams *p = job->params;
    const double per_h = job->rows / h_all, least = (double)p->min_rows - 0.5;
    for (size_t i = 0; i < n; i++) {
        double other_h = h_all - s->h[i], small = fmin(s->h[i], other_h);
        s->gain[i] = small >= p->min_hessian && small * per_h >= least
                         ? gain_within(job, 0.0, s->g[i], s->h[i], g_all - s->g[i], other_h)
                         : -(double)INFINITY;
    }
}

static double largest(const double *v, size_t n)
{
    double lane[WIDE], most = -INFINITY;
    for (size_t k = 0; k < WIDE; k++)
        lane[k] = -INFINITY;
    size_t i = 0;
    for (; i + WIDE <= n; i += WIDE)
        for (size_t k = 0; k < WIDE; k++)
            lane[k] = v[i + k] > lane[k] ? v[i + k] : lane[k];
    for (; i < n; i++)
        most = v[i] > most ? v[i] : most;
    for (size_t k = 0; k < WIDE; k++)
        most = lane[k] > most ? lane[k] : most;
    return most;
}

static void scan_numbers(const CutJob *job, const BinFeature *f, const Pair *sums,
                         bool missing_left, Cut *best)
{
    Scan s;
    size_t cuts = f->values - !f->missing; /* the cut after the last value: against the missing */
    Pair pair[BINS_MOST], sum = missing_left ? sums[f->values] : 0;
    if (missing_left)
        cuts = f->values - 1;
    for (size_t i = 0; i < cuts; i++)
        pair[i] = sum += sums[i];
    const unsigned shift = job->shift;
    for (size_t i = 0; i < cuts; i++) {
        s.g[i] = (double)pair_g(pair[i], shift) * job->g_unit;
        s.h[i] = (double)(int64_t)pair_h(pair[i], shift) * job->h_unit;
    }
    double g_all = (double)pair_g(job->sum, shift) * job->g_unit;
    double h_all = (double)pair_h(job->sum, shift) * job->h_unit;
    if (job->bounded)
        scan_within(job, &s, cuts, g_all, h_all);
    else
        scan_gains(job, &s, cuts, g_all, h_all);
    double most = largest(s.gain, cuts);
    if (!(most > best->gain))
        return;
    size_t at = 0;
    while (s.gain[at] != most)
        at++;
    best->gain = most;
    best->bin = at;
    best->left = pair[at];
    best->missing_left = missing_left;
}

static void put(uint32_t *set, size_t bin)
{
    set[bin / 32] |= 1u << (bin % 32);
}

static void find_number(const CutJob *job, const BinFeature *f, const Pair *sums, Cut *best)
{
    double before = best->gain;
    scan_numbers(job, f, sums, false, best);
    if (f->missing)
        scan_numbers(job, f, sums, true, best);
    if (best->gain <= before)
        return;
    memset(best->set, 0, sizeof best->set);
    for (size_t i = 0; i <= best->bin; i++)
        put(best->set, i);
    if (!f->missing) { /* none to learn from: to the larger side */
        best->missing_left = pair_h(best->left, job->shift) >= pair_h(job->sum, job->shift) / 2;
    } else if (best->missing_left)
        put(best->set, f->values);
}

/* ---- categories -------------------------------------------------------------------------------------- */

typedef struct Ranked {
    double rank;
    Pair sum;
    size_t bin;
} Ranked;

static int by_rank(const void *a, const void *b)
{
    const Ranked *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return (x->bin > y->bin) - (x->bin < y->bin);
}

/* The gain of a set with sums `left`, or -1. */
static double set_gain(const CutJob *job, Pair left, double more_l2)
{
    const GbdtParams *p = job->params;
    GbdtParams with = *p;
    with.lambda += more_l2;
    Pair right = job->sum - left;
    double h = (double)pair_h(left, job->shift) * job->h_unit,
           other = (double)pair_h(right, job->shift) * job->h_unit;
    double small = fmin(h, other),
           per_h = job->rows / ((double)pair_h(job->sum, job->shift) * job->h_unit);
    if (small < p->min_hessian || small * per_h < (double)p->min_rows - 0.5)
        return -INFINITY;
    if (job->bounded)
        return gain_within(job, more_l2, (double)pair_g(left, job->shift) * job->g_unit, h,
                           (double)pair_g(right, job->shift) * job->g_unit, other);
    return leaf_score(&with, (double)pair_g(left, job->shift) * job->g_unit, h) +
           leaf_score(&with, (double)pair_g(right, job->shift) * job->g_unit, other);
}

static void one_from_rest(const CutJob *job, const BinFeature *f, const Pair *sums, Cut *best)
{
    for (size_t i = 0; i < f->bins; i++) {
        double gain = set_gain(job, sums[i], 0.0);
        if (gain <= best->gain)
            continue;
        best->gain = gain;
        best->left = sums[i];
        memset(best->set, 0, sizeof best->set);
        put(best->set, i);
    }
}

/* Sets of the first few in the order, then of the last few. */
static void from_an_end(const CutJob *job, const Ranked *r, size_t n, bool last, Cut *best)
{
    const GbdtParams *p = job->params;
    double per_h = job->rows / (double)pair_h(job->sum, job->shift), rows = 0;
    size_t most = (size_t)p->cat_most < (n + 1) / 2 ? (size_t)p->cat_most : (n + 1) / 2;
    Pair sum = 0;
    for (size_t i = 0; i < most; i++) {
        const Ranked *next = &r[last ? n - 1 - i : i];
        sum += next->sum;
        rows += (double)pair_h(next->sum, job->shift) * per_h;
        if ((double)pair_h(job->sum - sum, job->shift) * per_h < (double)p->cat_rows)
            break;
        if (rows < (double)p->cat_rows)
            continue;
        double gain = set_gain(job, sum, p->cat_l2);
        rows = 0;
        if (gain <= best->gain)
            continue;
        best->gain = gain;
        best->l2 = p->cat_l2;
        best->left = sum;
        memset(best->set, 0, sizeof best->set);
        for (size_t k = 0; k <= i; k++)
            put(best->set, r[last ? n - 1 - k : k].bin);
    }
}

static void sorted_sets(const CutJob *job, const BinFeature *f, const Pair *sums, Cut *best)
{
    const GbdtParams *p = job->params;
    Ranked r[BINS_MOST];
    size_t n = 0;
    double per_h = job->rows / (double)pair_h(job->sum, job->shift);
    for (size_t i = 0; i < f->bins; i++) {
        double g = (double)pair_g(sums[i], job->shift) * job->g_unit,
               h = (double)pair_h(sums[i], job->shift) * job->h_unit;
        if ((double)pair_h(sums[i], job->shift) * per_h >= p->cat_smooth - 0.5 &&
            pair_h(sums[i], job->shift))
            r[n++] = (Ranked){g / (h + p->cat_smooth), sums[i], i};
    }
    qsort(r, n, sizeof *r, by_rank);
    from_an_end(job, r, n, false, best);
    from_an_end(job, r, n, true, best);
}

/* Bin 0, which stands for all codes without a bin, always goes right: the list of codes that go left
 * is then whole. */
static void turn_round(const CutJob *job, const BinFeature *f, Cut *best)
{
    if (!(best->set[0] & 1u))
        return;
    best->left = job->sum - best->left;
    for (size_t i = 0; i < f->bins; i++)
        best->set[i / 32] ^= 1u << (i % 32);
}

void cut_find(const CutJob *job, const BinFeature *f, const Pair *sums, Cut *out)
{
    double g = (double)pair_g(job->sum, job->shift) * job->g_unit,
           h = (double)pair_h(job->sum, job->shift) * job->h_unit;
    double whole = leaf_score(job->params, g, h);
    if (job->bounded)
        whole = score_within(job, 0.0, g, h, leaf_within(job, 0.0, g, h));
    double least = whole + job->params->min_gain;
    *out = (Cut){.gain = least};
    if (!f->category)
        find_number(job, f, sums, out);
    else if (f->bins <= (size_t)job->params->cat_onehot)
        one_from_rest(job, f, sums, out);
    else
        sorted_sets(job, f, sums, out);
    if (out->gain <= least + fabs(least) * 1e-12) {
        out->gain = 0.0;
        return;
    }
    if (f->category)
        turn_round(job, f, out);
    out->gain -= whole;
}
