/* walk.c -- two sorted samples walked together, once, for every test of their cumulated shares.
 *
 * The gap is looked at where the next value is larger than the last: all ties are behind then. For the area ties need
 * no care, between equal values lies none. Both sides advance without a branch, which the processor could not guess.
 * A step waits for the one before it, so two walks go at a time: one from the least value, one from the median of the
 * reference on. */
#include "drift_int.h"

typedef struct Leg {
    const double *r, *c;       /* the whole samples */
    size_t i, k, r_end, c_end; /* how many are behind; where the leg ends */
    double last, gap, area;
} Leg;

static inline void step(Leg *l, double n_share, double m_share)
{
    double x = l->r[l->i], y = l->c[l->k], next = x < y ? x : y;
    double gap = fabs((double)l->i * n_share - (double)l->k * m_share);
    l->area += gap * (next - l->last);
    gap = next > l->last ? gap : 0.0;
    l->gap = gap > l->gap ? gap : l->gap;
    l->last = next;
    l->i += x <= y;
    l->k += y <= x;
}

/* What one side has left when the other is at its end. */
static void finish(Leg *l, double n_share, double m_share)
{
    while (l->i < l->r_end && l->k < l->c_end)
        step(l, n_share, m_share);
    while (l->i < l->r_end || l->k < l->c_end) {
        double next = l->i < l->r_end ? l->r[l->i] : l->c[l->k];
        double gap = fabs((double)l->i * n_share - (double)l->k * m_share);
        l->area += gap * (next - l->last);
        l->gap = next > l->last && gap > l->gap ? gap : l->gap;
        l->last = next;
        *(l->i < l->r_end ? &l->i : &l->k) += 1;
    }
}

static size_t below(const double *sorted, size_t n, double x)
{
    size_t low = 0;
    while (n) {
        size_t half = n / 2;
        bool right = sorted[low + half] < x;
        low = right ? low + half + 1 : low;
        n = right ? n - half - 1 : half;
    }
    return low;
}

static void walk(const DriftSample *s, DriftWalk *out)
{
    const double *r = s->reference, *c = s->current;
    size_t n = s->reference_n, m = s->current_n;
    double middle = r[n / 2], n_share = 1.0 / (double)n, m_share = 1.0 / (double)m;
    size_t i = below(r, n, middle), k = below(c, m, middle);
    double least = r[0] < c[0] ? r[0] : c[0];
    Leg one = {r, c, 0, 0, i, k, least, 0.0, 0.0}, two = {r, c, i, k, n, m, middle, 0.0, 0.0};
    while (one.i < i && one.k < k && two.i < n && two.k < m) {
        step(&one, n_share, m_share);
        step(&two, n_share, m_share);
    }
    finish(&one, n_share, m_share);
    finish(&two, n_share, m_share);
    double gap = fabs((double)i * n_share - (double)k * m_share); /* between both */
    one.area += gap * (middle - one.last);
    out->gap = fmax(gap, fmax(one.gap, two.gap));
    out->area = one.area + two.area;
    out->walked = true;
}

DriftWalk drift_walk(const DriftSample *s)
{
    DriftWalk own = {0};
    double mean;
    if (s->walk && s->walk->walked)
        return *s->walk;
    if (s->walk)
        own = *s->walk;
    else
        moments(s->reference, s->reference_n, &mean, &own.deviation);
    walk(s, &own);
    if (s->walk)
        *s->walk = own;
    return own;
}
