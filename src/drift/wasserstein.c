/* wasserstein.c -- the Wasserstein distance in deviations of the reference.
 *
 *     W = integral |F_reference(x) - F_current(x)| dx / max(deviation of the reference, 0.001)
 *
 * How far, on average, a value had to be carried to turn one sample into the other. Deviation with
 * n, not n-1 (REFERENCE.md 1.2). */
#include "drift_int.h"

#define LEAST_DEVIATION 0.001

static double deviation(const double *at, size_t n)
{
    double mean = 0.0, squares = 0.0;
    for (size_t i = 0; i < n; i++)
        mean += at[i];
    mean /= (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (at[i] - mean) * (at[i] - mean);
    return sqrt(squares / (double)n);
}

static double score(const DriftSample *s)
{
    const double *r = s->reference, *c = s->current;
    size_t n = s->reference_n, m = s->current_n, i = 0, k = 0;
    double area = 0.0, n_share = 1.0 / (double)n, m_share = 1.0 / (double)m;
    double last = r[0] < c[0] ? r[0] : c[0];
    while (i < n || k < m) {
        double x = k == m || (i < n && r[i] < c[k]) ? r[i] : c[k];
        area += fabs((double)i * n_share - (double)k * m_share) * (x - last);
        last = x;
        while (i < n && r[i] == x)
            i++;
        while (k < m && c[k] == x)
            k++;
    }
    return area / fmax(deviation(r, n), LEAST_DEVIATION);
}

const DriftTest wasserstein_test = {
    .name = "wasserstein",
    .title = "Wasserstein distance",
    .about = "how far a value was carried on average, in deviations of the reference",
    .kinds = DRIFT_KIND_NUMBER,
    .threshold = 0.1,
    .score = score,
};
