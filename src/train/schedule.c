/* schedule.c -- the learning rate of a step as lr times a factor: one row a schedule.
 *
 * The factor depends only on how far the run is, in epochs and steps, so a live change of lr or
 * batch and a resumed run need no memory beyond what the checkpoint keeps. */
#include "train_int.h"

#include <math.h>

#define ONE_CYCLE_RISE  0.3  /* share of the run in which the rate rises (Smith 2018; as PyTorch) */
#define ONE_CYCLE_START 0.04 /* 1 / div_factor 25 */
#define ONE_CYCLE_END   4e-6 /* start / final_div_factor 1e4 */

static double half_cosine(double from, double to, double share)
{
    return to + (from - to) * 0.5 * (1.0 + cos(3.14159265358979323846 * share));
}

static double constant(const Pace *p, const RunParams *o)
{
    (void)p, (void)o;
    return 1.0;
}

static double step(const Pace *p, const RunParams *o)
{
    return pow(o->step_factor, floor(p->epoch / (double)o->step_every));
}

static double cosine(const Pace *p, const RunParams *o)
{
    return half_cosine(1.0, o->lr_least, fmin(p->epoch / (double)o->epochs, 1.0));
}

static double one_cycle(const Pace *p, const RunParams *o)
{
    double t = fmin(p->epoch / (double)o->epochs, 1.0);
    if (t < ONE_CYCLE_RISE)
        return half_cosine(ONE_CYCLE_START, 1.0, t / ONE_CYCLE_RISE);
    return half_cosine(1.0, ONE_CYCLE_END, (t - ONE_CYCLE_RISE) / (1.0 - ONE_CYCLE_RISE));
}

static double plateau(const Pace *p, const RunParams *o)
{
    return fmax(pow(o->step_factor, (double)p->cuts), o->lr_least);
}

#define AS_ROW(name, text) [SCHEDULE_##name] = name,
static double (*const factors[])(const Pace *, const RunParams *) = {RUN_SCHEDULES(AS_ROW)};

double run_lr(const Pace *p, const RunParams *o)
{
    double lr = o->lr * factors[o->schedule](p, o);
    if (o->warmup > 0 && p->step < o->warmup)
        lr *= (double)(p->step + 1) / (double)o->warmup;
    return lr;
}
