/* l_infinity.c -- the largest change of any share.
 *
 *     L = max |r - c|                    r, c: shares over the same bins */
#include "drift_int.h"

static double score(const DriftSample *sample)
{
    Shares s;
    double most = 0.0;
    shares_init(&s, sample);
    for (size_t i = 0; i < s.bins; i++)
        most = fmax(most, fabs(s.reference[i] - s.current[i]));
    shares_release(&s);
    return most;
}

const DriftTest l_infinity_test = {
    .name = "l_infinity",
    .title = "L-infinity distance",
    .about = "the largest change of any share, 0 to 1",
    .kinds = DRIFT_KIND_NUMBER | DRIFT_KIND_LABEL,
    .threshold = 0.1,
    .binned = true,
    .score = score,
};
