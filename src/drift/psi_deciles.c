/* psi_deciles.c -- the population stability index over ten parts of the reference with as many values each, as
 * credit scoring has it.
 *
 *     PSI = sum (c - r) ln(c / r)        r, c: shares + 0.000001 between the reference's deciles, tails open
 *
 * Labels: over each of them. Deciles as numpy.quantile has them, straight between two values; equal ones are one. */
#include "drift_int.h"

#define PARTS 10
#define EPS   1e-6

static double quantile(const double *sorted, size_t n, double share)
{
    double at = share * (double)(n - 1), low = floor(at);
    size_t i = (size_t)low, next = i + 1 < n ? i + 1 : i;
    return sorted[i] + (at - low) * (sorted[next] - sorted[i]);
}

static size_t deciles(const DriftSample *s, double *edge)
{
    size_t n = 0;
    for (size_t i = 0; i <= PARTS; i++) {
        double x = quantile(s->reference, s->reference_n, (double)i / PARTS);
        if (!n || x > edge[n - 1])
            edge[n++] = x;
    }
    if (n == 1)
        edge[n++] = INFINITY;
    edge[0] = -INFINITY;
    edge[n - 1] = INFINITY;
    return n - 1;
}

static double score(const DriftSample *s)
{
    double edge[PARTS + 2], shares[2][PARTS + 1], sum = 0.0;
    const double *r = s->reference_count, *c = s->current_count;
    size_t bins = s->labels;
    if (s->numeric) {
        bins = deciles(s, edge);
        histogram_sorted(s->reference, s->reference_n, edge, bins, shares[0]);
        histogram_sorted(s->current, s->current_n, edge, bins, shares[1]);
        r = shares[0];
        c = shares[1];
    }
    for (size_t i = 0; i < bins; i++) {
        double p = r[i] / (double)s->reference_n + EPS, q = c[i] / (double)s->current_n + EPS;
        sum += (q - p) * log(q / p);
    }
    return sum;
}

const DriftTest psi_deciles_test = {
    .name = "psi_deciles",
    .title = "population stability index over deciles",
    .about = "how far the shares of the reference's ten equal parts moved",
    .kinds = DRIFT_KIND_NUMBER | DRIFT_KIND_LABEL,
    .threshold = 0.1,
    .score = score,
};
