/* traffic.c -- what one model answered in a second: how much, and how long it took.
 *
 * Times are counted in steps of an eighth of an octave from 0.1 us on (bounds are then known to within
 * 13 %, and a quantile, as the middle of its step, to within 7 %). Any thread counts; one takes. */
#include "serve_int.h"

#include <math.h>

#define UNIT 1e7 /* steps count tenths of microseconds */

static size_t step_of(double seconds)
{
    uint64_t t = seconds > 0 ? (uint64_t)(seconds * UNIT) : 0;
    if (t < 16)
        return (size_t)t;
    unsigned top = 63u - (unsigned)__builtin_clzll(t); /* 4 or more */
    size_t step = 16 + (size_t)(top - 4) * 8 + (size_t)((t >> (top - 3)) & 7);
    return step < TRAFFIC_STEPS ? step : TRAFFIC_STEPS - 1;
}

static double middle_of(size_t step)
{
    if (step < 16)
        return ((double)step + 0.5) / UNIT;
    double octave = ldexp(1, (int)((step - 16) / 8 + 4));
    return octave * (1 + ((double)((step - 16) % 8) + 0.5) / 8) / UNIT;
}

void traffic_count(TrafficCount *c, double seconds, size_t rows, bool error)
{
    c->requests++;
    if (error)
        c->errors++;
    c->rows += rows;
    c->step[step_of(seconds)]++;
}

static double quantile(const uint32_t *step, uint64_t sum, double share)
{
    uint64_t seen = 0, want = (uint64_t)ceil((double)sum * share);
    for (size_t i = 0; i < TRAFFIC_STEPS; i++)
        if ((seen += step[i]) >= want)
            return middle_of(i);
    return (double)NAN;
}

bool traffic_take(Traffic *t, bool shadow, TrafficRow *out)
{
    TrafficCount *c = shadow ? &t->shadow : &t->given;
    uint32_t step[TRAFFIC_STEPS];
    uint64_t sum = 0;
    *out = (TrafficRow){.model = t->model,
                        .shadow = shadow,
                        .requests = (int64_t)atomic_exchange(&c->requests, 0),
                        .errors = (int64_t)atomic_exchange(&c->errors, 0),
                        .rows = (int64_t)atomic_exchange(&c->rows, 0),
                        .dropped = (int64_t)atomic_exchange(&c->dropped, 0)};
    if (!out->requests && !out->dropped)
        return false;
    for (size_t i = 0; i < TRAFFIC_STEPS; i++)
        sum += step[i] = atomic_exchange(&c->step[i], 0);
    out->p50 = sum ? quantile(step, sum, 0.5) : (double)NAN;
    out->p99 = sum ? quantile(step, sum, 0.99) : (double)NAN;
    return true;
}
