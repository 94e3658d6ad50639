/* chi_square.c -- Pearson's chi-square test of the current counts against the reference's shares.
 *
 *     X2 = sum (c - e)^2 / e             e = reference count * n_current / n_reference
 *
 * The score is the p value with (labels - 1) degrees of freedom. A label the reference never had
 * makes it 0. */
#include "drift_int.h"

static double score(const DriftSample *sample)
{
    Shares s;
    double sum = 0.0, scale = (double)sample->current_n / (double)sample->reference_n;
    shares_count(&s, sample);
    for (size_t i = 0; i < s.bins; i++) {
        double expected = s.reference[i] * scale, gap = s.current[i] - expected;
        if (expected > 0.0)
            sum += gap * gap / expected;
        else if (s.current[i] > 0.0)
            sum = INFINITY;
    }
    double p = s.bins < 2 ? 1.0 : chi_square_tail(sum, (double)(s.bins - 1));
    shares_release(&s);
    return p;
}

const DriftTest chi_square_test = {
    .name = "chi_square",
    .title = "chi-square test",
    .about = "p value: are the current counts what the reference lets expect?",
    .kinds = DRIFT_KIND_NUMBER | DRIFT_KIND_LABEL,
    .threshold = 0.05,
    .p_value = true,
    .score = score,
};
