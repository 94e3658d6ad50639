/* page_hinkley.c -- the sum of what values had above their mean, when it grows too high.
 *
 *     S = max(0, alpha S + x - mean - delta)        drift at S >= lambda, from the 30th value on
 *
 * It sees rises, not falls. Lambda is in the units of x: with values of deviation 1/4 a false
 * alarm comes once in some million values (Siegmund's approximation), with larger ones much more
 * often; give it scaled values. Source: Page (1954), Biometrika 41; defaults River's
 * (REFERENCE.md 1.3). */
#include "drift_int.h"

#define LEAST  30
#define DELTA  0.005
#define LAMBDA 50.0
#define ALPHA  0.9999

typedef struct PageHinkley {
    double count, mean, sum;
} PageHinkley;

static void init(void *state, uint64_t seed)
{
    (void)seed;
    *(PageHinkley *)state = (PageHinkley){.count = 0.0};
}

static DetectorState add(void *state, double x)
{
    PageHinkley *p = state;
    if (!isfinite(x))
        return DETECTOR_QUIET;
    p->count += 1.0;
    p->mean += (x - p->mean) / p->count;
    p->sum = fmax(0.0, ALPHA * p->sum + x - p->mean - DELTA);
    if (p->count + 1.0 < LEAST || p->sum < LAMBDA)
        return DETECTOR_QUIET;
    init(state, 0);
    return DETECTOR_DRIFT;
}

const Detector page_hinkley_detector = {
    .name = "page_hinkley",
    .title = "Page-Hinkley test",
    .about = "the sum of what values had above their mean; sees rises",
    .deviation = 0.25,
    .size = sizeof(PageHinkley),
    .init = init,
    .add = add,
};
