/* hddm_a.c -- a mean of errors that rises by more than Hoeffding's bound allows.
 *
 *     drift where mean - mean_cut >= sqrt(m / 2 ln(2 / 0.001)), warning with 0.005
 *     m = (n - n_cut) / (n_cut n)        the cut: where mean + sqrt(ln(1 / 0.001) / 2n) was least
 *
 * For values from 0 to 1. Source: Frias-Blanco et al. (2015), IEEE TKDE 27(3), the test of
 * averages; confidences REFERENCE.md 1.3. */
#include "drift_int.h"

#define ALARM 0.001
#define WARN  0.005

typedef struct HddmA {
    double count, mean, cut_count, cut_mean;
} HddmA;

static double bound(double n)
{
    return sqrt(log(1.0 / ALARM) / (2.0 * n));
}

static bool risen(const HddmA *h, double confidence)
{
    if (h->cut_count == h->count)
        return false;
    double m = (h->count - h->cut_count) / (h->cut_count * h->count);
    return h->mean - h->cut_mean >= sqrt(m / 2.0 * log(2.0 / confidence));
}

static void init(void *state, uint64_t seed)
{
    (void)seed;
    *(HddmA *)state = (HddmA){.count = 0.0};
}

static DetectorState add(void *state, double x)
{
    HddmA *h = state;
    if (!isfinite(x))
        return DETECTOR_QUIET;
    h->count += 1.0;
    h->mean += (fmin(fmax(x, 0.0), 1.0) - h->mean) / h->count;
    if (!(h->cut_count > 0.0) || h->cut_mean + bound(h->cut_count) >= h->mean + bound(h->count)) {
        h->cut_count = h->count;
        h->cut_mean = h->mean;
    }
    if (risen(h, ALARM)) {
        init(state, 0);
        return DETECTOR_DRIFT;
    }
    return risen(h, WARN) ? DETECTOR_WARNING : DETECTOR_QUIET;
}

const Detector hddm_a_detector = {
    .name = "hddm_a",
    .title = "Hoeffding's bound of averages",
    .about = "the mean of errors against its lowest before; false alarms 0.001 an answer at most",
    .errors = true,
    .size = sizeof(HddmA),
    .init = init,
    .add = add,
};
