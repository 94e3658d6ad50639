/* psi.c -- the population stability index.
 *
 *     PSI = sum (r - c) ln(r / c)        r, c: shares over the same bins, empty ones filled
 *
 * Known from credit scoring: below 0.1 stable, above 0.25 another population. */
#include "drift_int.h"

static double score(const DriftSample *sample)
{
    Shares s;
    double sum = 0.0;
    shares_init(&s, sample);
    shares_fill_empty(&s);
    for (size_t i = 0; i < s.bins; i++)
        sum += (s.reference[i] - s.current[i]) * log(s.reference[i] / s.current[i]);
    shares_release(&s);
    return sum;
}

const DriftTest psi_test = {
    .name = "psi",
    .title = "population stability index",
    .about = "how far the shares moved, weighted by their log ratio",
    .kinds = DRIFT_KIND_NUMBER | DRIFT_KIND_LABEL,
    .threshold = 0.1,
    .binned = true,
    .score = score,
};
