/* kl.c -- the Kullback-Leibler divergence of the current from the reference shares.
 *
 *     KL = sum r ln(r / c)               r, c: shares over the same bins, empty ones filled
 *
 * After filling the shares are made to sum to 1 again, as scipy.stats.entropy does. */
#include "drift_int.h"

static double score(const DriftSample *sample)
{
    Shares s;
    double r_sum = 0.0, c_sum = 0.0, sum = 0.0;
    shares_init(&s, sample);
    shares_fill_empty(&s);
    for (size_t i = 0; i < s.bins; i++) {
        r_sum += s.reference[i];
        c_sum += s.current[i];
    }
    for (size_t i = 0; i < s.bins; i++) {
        double r = s.reference[i] / r_sum, c = s.current[i] / c_sum;
        sum += r * log(r / c);
    }
    shares_release(&s);
    return fmax(0.0, sum);
}

const DriftTest kl_test = {
    .name = "kl",
    .title = "Kullback-Leibler divergence",
    .about = "what is lost when the current shares stand in for the reference",
    .kinds = DRIFT_KIND_NUMBER | DRIFT_KIND_LABEL,
    .threshold = 0.1,
    .binned = true,
    .score = score,
};
