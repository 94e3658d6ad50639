/* eddm.c -- errors that come closer together than they did.
 *
 *     level = (mean + 2 deviation of the answers between errors) / the highest that was
 *     warning below 0.95, drift below 0.9, after 30 errors
 *
 * Meant for slow changes. It promises no level, and on errors without any change it cries wolf more
 * often than the others do: the highest level is one of the first, made of thirty errors, and the mean falls back from it.
 * That is the published algorithm's, which tests/unit/drift_detectors.c holds this one to; nothing in Lathe listens to it
 * unless told. Source: Baena-Garcia et al. (2006), IWKDDS; defaults River's
 * (REFERENCE.md 1.3). */
#include "drift_int.h"

#define WARM  30
#define WARN  0.95
#define ALARM 0.9

typedef struct Eddm {
    double count, last;           /* answers, and at which the last error was */
    double errors, mean, squares; /* of the distances: Welford's sums */
    double most;                  /* highest mean + 2 deviations */
    DetectorState state;          /* holds until the next error */
} Eddm;

static void init(void *state, uint64_t seed)
{
    (void)seed;
    *(Eddm *)state = (Eddm){.most = -1.0};
}

static DetectorState judge(Eddm *e)
{
    double deviation = e->errors > 1.0 ? sqrt(e->squares / (e->errors - 1.0)) : 0.0;
    double reach = e->mean + 2.0 * deviation;
    if (e->count <= WARM)
        return e->state;
    if (reach > e->most) {
        e->most = reach;
        return e->state;
    }
    if (e->errors <= WARM)
        return e->state;
    double level = reach / e->most;
    return level < ALARM ? DETECTOR_DRIFT : level < WARN ? DETECTOR_WARNING : DETECTOR_QUIET;
}

static DetectorState add(void *state, double x)
{
    Eddm *e = state;
    if (!isfinite(x))
        return DETECTOR_QUIET;
    e->count += 1.0;
    if (!(x > 0.5))
        return e->state;
    double distance = e->count - e->last, gap = distance - e->mean;
    e->errors += 1.0;
    e->mean += gap / e->errors;
    e->squares += gap * (distance - e->mean);
    e->last = e->count;
    e->state = judge(e);
    if (e->state != DETECTOR_DRIFT)
        return e->state;
    init(state, 0);
    return DETECTOR_DRIFT;
}

const Detector eddm_detector = {
    .name = "eddm",
    .title = "early drift detection method",
    .about = "errors that come closer together; for slow changes, promises no level",
    .errors = true,
    .size = sizeof(Eddm),
    .init = init,
    .add = add,
};
