/* z_proportion.c -- the two-proportion Z test: did the share of one of two labels change?
 *
 *     z = (p - q) / sqrt(P (1 - P) (1/n + 1/m))      P: the share in both together
 *
 * The score is the two-sided p value. With more than two labels it asks for the first against the
 * rest, as Evidently does. */
#include "drift_int.h"

static double score(const DriftSample *sample)
{
    Shares s;
    shares_count(&s, sample);
    double n = (double)sample->reference_n, m = (double)sample->current_n;
    double p = 1.0 - s.reference[0] / n, q = 1.0 - s.current[0] / m;
    double both = (p * n + q * m) / (n + m);
    double spread = sqrt(both * (1.0 - both) * (1.0 / n + 1.0 / m));
    size_t labels = s.bins;
    shares_release(&s);
    if (labels < 2 || !(spread > 0.0))
        return 1.0;
    return erfc(fabs(p - q) / spread / sqrt(2.0));
}

const DriftTest z_proportion_test = {
    .name = "z_proportion",
    .title = "two-proportion Z test",
    .about = "p value: is the share of one of two labels the same?",
    .kinds = DRIFT_KIND_NUMBER | DRIFT_KIND_LABEL,
    .threshold = 0.05,
    .p_value = true,
    .score = score,
};
