/* hellinger.c -- drift as the Hellinger distance between two histograms. The test to copy.
 *
 *     H = sqrt(1 - sum sqrt(r c))        r, c: shares over the same bins
 *
 * From 0 (same shares) to 1 (no bin in common). Unlike the divergences it needs no filling of
 * empty bins. Source: Hellinger (1909), J. reine angew. Math. 136. */
#include "drift_int.h"

static double score(const DriftSample *sample)
{
    Shares s;
    double overlap = 0.0; /* Bhattacharyya coefficient */
    shares_init(&s, sample);
    for (size_t i = 0; i < s.bins; i++)
        overlap += sqrt(s.reference[i] * s.current[i]);
    shares_release(&s);
    return sqrt(fmax(0.0, 1.0 - overlap)); /* rounding can leave overlap above 1 */
}

const DriftTest hellinger_test = {
    .name = "hellinger",
    .title = "Hellinger distance",
    .about = "distance between the two sets of shares, 0 to 1",
    .kinds = DRIFT_KIND_NUMBER | DRIFT_KIND_LABEL,
    .threshold = 0.1,
    .binned = true,
    .score = score,
};
