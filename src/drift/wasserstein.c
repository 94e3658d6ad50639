/* wasserstein.c -- the Wasserstein distance in deviations of the reference.
 *
 *     W = integral |F_reference(x) - F_current(x)| dx / max(deviation of the reference, 0.001)
 *
 * How far, on average, a value had to be carried to turn one sample into the other. Deviation with
 * n, not n-1 (REFERENCE.md 1.2). */
#include "drift_int.h"

#define LEAST_DEVIATION 0.001

/* Ties need no care: between equal values lies no area. So both sides advance without a branch. */
static double score(const DriftSample *s)
{
    const double *r = s->reference, *c = s->current;
    size_t n = s->reference_n, m = s->current_n, i = 0, k = 0;
    double area = 0.0, n_share = 1.0 / (double)n, m_share = 1.0 / (double)m;
    double last = r[0] < c[0] ? r[0] : c[0], mean, deviation;
    while (i < n && k < m) {
        double x = r[i], y = c[k], next = x < y ? x : y;
        area += fabs((double)i * n_share - (double)k * m_share) * (next - last);
        last = next;
        i += x <= y;
        k += y <= x;
    }
    for (; i < n; last = r[i++])
        area += fabs((double)i * n_share - (double)k * m_share) * (r[i] - last);
    for (; k < m; last = c[k++])
        area += fabs((double)i * n_share - (double)k * m_share) * (c[k] - last);
    moments(r, n, &mean, &deviation);
    return area / fmax(deviation, LEAST_DEVIATION);
}

const DriftTest wasserstein_test = {
    .name = "wasserstein",
    .title = "Wasserstein distance",
    .about = "how far a value was carried on average, in deviations of the reference",
    .kinds = DRIFT_KIND_NUMBER,
    .threshold = 0.1,
    .score = score,
};
