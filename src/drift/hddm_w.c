/* hddm_w.c -- a fading mean of errors that rises by more than McDiarmid's bound allows.
 *
 *     mean = 0.05 x + 0.95 mean        reach = 0.05^2 + 0.95^2 reach, from 1
 *     drift where mean_since - mean_cut > sqrt((reach_since + reach_cut) / 2 ln(1 / 0.001))
 *
 * The cut: where mean + its bound was least; `since` begins anew there. Quicker than hddm_a at sudden
 * changes. Source: Frias-Blanco et al. (2015), IEEE TKDE 27(3), the test of weighted averages. */
#include "drift_int.h"

#define ALARM 0.001
#define WARN  0.005
#define FRESH 0.05

typedef struct Fading {
    bool any;
    double mean, reach;
} Fading;

typedef struct HddmW {
    Fading all, cut, since;
    double least; /* mean + bound at the cut */
} HddmW;

static void take(Fading *f, double x)
{
    f->mean = f->any ? FRESH * x + (1.0 - FRESH) * f->mean : x;
    f->reach = FRESH * FRESH + (1.0 - FRESH) * (1.0 - FRESH) * (f->any ? f->reach : 1.0);
    f->any = true;
}

static double bound(double reach, double confidence)
{
    return sqrt(reach * log(1.0 / confidence) / 2.0);
}

static bool risen(const HddmW *h, double confidence)
{
    return h->cut.any && h->since.any &&
           h->since.mean - h->cut.mean > bound(h->since.reach + h->cut.reach, confidence);
}

static void init(void *state, uint64_t seed)
{
    (void)seed;
    *(HddmW *)state = (HddmW){.least = INFINITY};
}

static DetectorState add(void *state, double x)
{
    HddmW *h = state;
    if (!isfinite(x))
        return DETECTOR_QUIET;
    x = fmin(fmax(x, 0.0), 1.0);
    take(&h->all, x);
    double now = h->all.mean + bound(h->all.reach, ALARM);
    if (now < h->least) {
        h->least = now;
        h->cut = h->all;
        h->since = (Fading){0};
    } else {
        take(&h->since, x);
    }
    if (risen(h, ALARM)) {
        init(state, 0);
        return DETECTOR_DRIFT;
    }
    return risen(h, WARN) ? DETECTOR_WARNING : DETECTOR_QUIET;
}

const Detector hddm_w_detector = {
    .name = "hddm_w",
    .title = "Hoeffding's bound of fading averages",
    .about =
        "a fading mean of errors against its lowest before; false alarms 0.001 an answer at most",
    .errors = true,
    .size = sizeof(HddmW),
    .init = init,
    .add = add,
};
