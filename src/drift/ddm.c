/* ddm.c -- a share of errors that rises above the best it has been.
 *
 *     s = sqrt(p (1 - p) / n)    warning: p + s > p_min + 2 s_min    drift: p + s > p_min + 3 s_min
 *
 * p_min and s_min stem from where p + s was least, after the first 30 answers. Source: Gama, Medas,
 * Castillo and Rodrigues (2004), SBIA; defaults River's (REFERENCE.md 1.3). */
#include "drift_int.h"

#define WARM  30
#define WARN  2.0
#define ALARM 3.0

typedef struct Ddm {
    double count, share, least_share, least_deviation;
} Ddm;

static void init(void *state, uint64_t seed)
{
    (void)seed;
    *(Ddm *)state = (Ddm){.least_share = INFINITY, .least_deviation = INFINITY};
}

static DetectorState add(void *state, double x)
{
    Ddm *d = state;
    if (!isfinite(x))
        return DETECTOR_QUIET;
    d->count += 1.0;
    d->share += ((x > 0.5) - d->share) / d->count;
    double deviation = sqrt(d->share * (1.0 - d->share) / d->count), now = d->share + deviation;
    if (d->count <= WARM)
        return DETECTOR_QUIET;
    if (now <= d->least_share + d->least_deviation) {
        d->least_share = d->share;
        d->least_deviation = deviation;
    }
    if (now > d->least_share + ALARM * d->least_deviation) {
        init(state, 0);
        return DETECTOR_DRIFT;
    }
    return now > d->least_share + WARN * d->least_deviation ? DETECTOR_WARNING : DETECTOR_QUIET;
}

const Detector ddm_detector = {
    .name = "ddm",
    .title = "drift detection method",
    .about =
        "the share of errors, three deviations above its best; false alarms 0.01 an answer at most",
    .errors = true,
    .size = sizeof(Ddm),
    .init = init,
    .add = add,
};
