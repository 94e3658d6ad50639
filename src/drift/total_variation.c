/* total_variation.c -- half the sum of all changes of shares: the part of the rows that moved.
 *
 *     TV = sum |r - c| / 2               r, c: shares over the same bins */
#include "drift_int.h"

static double score(const DriftSample *sample)
{
    Shares s;
    double sum = 0.0;
    shares_init(&s, sample);
    for (size_t i = 0; i < s.bins; i++)
        sum += fabs(s.reference[i] - s.current[i]);
    shares_release(&s);
    return sum / 2.0;
}

const DriftTest total_variation_test = {
    .name = "total_variation",
    .title = "total variation distance",
    .about = "the share of rows that would have to move, 0 to 1",
    .kinds = DRIFT_KIND_NUMBER | DRIFT_KIND_LABEL,
    .threshold = 0.1,
    .binned = true,
    .score = score,
};
