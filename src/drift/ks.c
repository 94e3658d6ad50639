/* ks.c -- the two-sample Kolmogorov-Smirnov test.
 *
 *     D = max |F_reference(x) - F_current(x)|
 *
 * The score is the p value of D: exact up to 10,000 rows, from the one-sample distribution beyond,
 * as scipy.stats.ks_2samp. */
#include "drift_int.h"

static double score(const DriftSample *s)
{
    const double *r = s->reference, *c = s->current;
    size_t n = s->reference_n, m = s->current_n, i = 0, k = 0;
    double most = 0.0;
    while (i < n && k < m) {
        double x = r[i] < c[k] ? r[i] : c[k];
        while (i < n && r[i] == x)
            i++;
        while (k < m && c[k] == x)
            k++;
        most = fmax(most, fabs((double)i / (double)n - (double)k / (double)m));
    }
    return smirnov_tail(n, m, most);
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
