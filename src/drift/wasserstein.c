/* wasserstein.c -- the Wasserstein distance in deviations of the reference.
 *
 *     W = integral |F_reference(x) - F_current(x)| dx / max(deviation of the reference, 0.001)
 *
 * How far, on average, a value had to be carried to turn one sample into the other. Deviation with
 * n, not n-1 (REFERENCE.md 1.2). */
#include "drift_int.h"

#define LEAST_DEVIATION 0.001

static double score(const DriftSample *s)
{
    DriftWalk walk = drift_walk(s);
    return walk.area / fmax(walk.deviation, LEAST_DEVIATION);
}

const DriftTest wasserstein_test = {
    .name = "wasserstein",
    .title = "Wasserstein distance",
    .about = "how far a value was carried on average, in deviations of the reference",
    .kinds = DRIFT_KIND_NUMBER,
    .threshold = 0.1,
    .score = score,
};
