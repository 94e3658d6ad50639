/* kswin.c -- the newest 30 values against 30 drawn from the 70 before them.
 *
 *     drift where the two-sample Kolmogorov-Smirnov test has p <= 0.005 and D > 0.1
 *
 * It sees any change of the distribution, not only of the mean, and forgets after 100 values.
 * Source: Raab, Heusinger and Schleif (2020), Neurocomputing 416; defaults River's
 * (REFERENCE.md 1.3). */
#include "drift_int.h"

#define ALPHA  0.005
#define WINDOW 100
#define NEW    30
#define OLD    (WINDOW - NEW)
#define LEAST  0.1  /* distance */
#define FAR    0.34 /* p is 0.07 at a third: nearer ones need no look at the exact tail */

typedef struct Kswin {
    Rng rng;
    size_t count, at;     /* values in the window; where the next one goes */
    double value[WINDOW]; /* a ring */
} Kswin;

static void init(void *state, uint64_t seed)
{
    Kswin *k = state;
    *k = (Kswin){.count = 0};
    rng_seed(&k->rng, seed, 0);
}

static void sort(double *at, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        double x = at[i];
        size_t k = i;
        for (; k > 0 && at[k - 1] > x; k--)
            at[k] = at[k - 1];
        at[k] = x;
    }
}

/* The ring from its oldest on; of the old ones NEW without repetition, then the newest. */
static void draw(Kswin *k, double *old, double *new)
{
    double all[WINDOW];
    for (size_t i = 0; i < WINDOW; i++)
        all[i] = k->value[(k->at + i) % WINDOW];
    for (size_t i = 0; i < NEW; i++) {
        size_t pick = i + (size_t)rng_below(&k->rng, OLD - i);
        old[i] = all[pick];
        all[pick] = all[i];
    }
    memcpy(new, all + OLD, NEW * sizeof *new);
    sort(old, NEW);
    sort(new, NEW);
}

static double distance(const double *a, const double *b)
{
    size_t i = 0, k = 0, most = 0;
    while (i < NEW && k < NEW) {
        double x = fmin(a[i], b[k]);
        for (; i < NEW && a[i] == x; i++)
            ;
        for (; k < NEW && b[k] == x; k++)
            ;
        size_t gap = i > k ? i - k : k - i;
        most = gap > most ? gap : most;
    }
    return (double)most / NEW;
}

static DetectorState add(void *state, double x)
{
    Kswin *k = state;
    double old[NEW], new[NEW];
    if (!isfinite(x))
        return DETECTOR_QUIET;
    k->value[k->at] = x;
    k->at = (k->at + 1) % WINDOW;
    k->count += k->count < WINDOW;
    if (k->count < WINDOW)
        return DETECTOR_QUIET;
    draw(k, old, new);
    double d = distance(old, new);
    if (!(d > fmax(LEAST, FAR)) || smirnov_tail(NEW, NEW, d) > ALPHA)
        return DETECTOR_QUIET;
    k->count = 0;
    return DETECTOR_DRIFT;
}

const Detector kswin_detector = {
    .name = "kswin",
    .title = "Kolmogorov-Smirnov windows",
    .about = "the newest 30 values against the 70 before; false alarms 0.005 a value at most",
    .size = sizeof(Kswin),
    .init = init,
    .add = add,
};
