/* ks.c -- the two-sample Kolmogorov-Smirnov test.
 *
 *     D = max |F_reference(x) - F_current(x)|
 *
 * The score is the p value of D: exact up to 10,000 rows, from the one-sample distribution beyond,
 * as scipy.stats.ks_2samp. */
#include "drift_int.h"

/* The gap is looked at where the next value is larger than the last: all ties are behind then.
 * Both sides are advanced without a branch, which the processor could not guess. */
static double score(const DriftSample *s)
{
    const double *r = s->reference, *c = s->current;
    size_t n = s->reference_n, m = s->current_n, i = 0, k = 0;
    double most = 0.0, last = -INFINITY, n_share = 1.0 / (double)n, m_share = 1.0 / (double)m;
    while (i < n && k < m) {
        double x = r[i], y = c[k], next = x < y ? x : y;
        double gap = fabs((double)i * n_share - (double)k * m_share);
        gap = next > last ? gap : 0.0;
        most = gap > most ? gap : most;
        last = next;
        i += x <= y;
        k += y <= x;
    }
    while (i < n && r[i] == last)
        i++;
    while (k < m && c[k] == last)
        k++;
    return smirnov_tail(n, m, fmax(most, fabs((double)i * n_share - (double)k * m_share)));
}

const DriftTest ks_test = {
    .name = "ks",
    .title = "Kolmogorov-Smirnov test",
    .about = "p value: could both samples come from one distribution?",
    .kinds = DRIFT_KIND_NUMBER,
    .threshold = 0.05,
    .p_value = true,
    .score = score,
};
