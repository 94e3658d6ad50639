/* ks.c -- the two-sample Kolmogorov-Smirnov test.
 *
 *     D = max |F_reference(x) - F_current(x)|
 *
 * The score is the p value of D: exact up to 10,000 rows, from the one-sample distribution beyond,
 * as scipy.stats.ks_2samp. */
#include "drift_int.h"

static double score(const DriftSample *s)
{
    return smirnov_tail(s->reference_n, s->current_n, drift_walk(s).gap);
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
