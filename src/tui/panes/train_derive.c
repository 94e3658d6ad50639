/* train_derive.c -- what is drawn of a run's points: their places on the axis in use, the smoothed values, and
 * for long curves the least and the most of each block, in levels (a pyramid).
 *
 * All of it grows with the points and is made anew only when the question changes, by plain loops over
 * arrays: eight runs of 100,000 points are on another axis in some milliseconds. */
#include "train_int.h"

#include <math.h>
#include <string.h>

/* ---- forgetting ---------------------------------------------------------------------------------------- */

static void forget_thin(Thin *level, size_t points)
{
    size_t below = points;
    for (int i = 0; i < THIN_LEVELS; i++) {
        size_t whole = below / (i ? 2 * THIN_BLOCK : THIN_BLOCK);
        level[i].blocks = level[i].blocks < whole ? level[i].blocks : whole;
        below = 2 * level[i].blocks;
    }
}

void series_forget_smooth(Series *s)
{
    s->smooth.count = 0;
    s->ema = s->weight = 0.0;
    forget_thin(s->thin[1], 0);
}

void series_forget_x(Series *s, size_t i)
{
    if (i >= s->x.count)
        return;
    s->x.count = i;
    forget_thin(s->thin[0], i);
    forget_thin(s->thin[1], i);
}

/* n elements, those after the ones there were undefined */
static double *stretched(Reals *v, size_t n)
{
    if (n > v->room) {
        v->room = n > 2 * v->room ? n : 2 * v->room;
        v->at = mem_resize(v->at, v->room * sizeof *v->at);
    }
    v->count = n;
    return v->at;
}

/* ---- places on the axis ---------------------------------------------------------------------------------- */

static void epochs(const Curves *c, const Series *s, size_t from, double *x)
{
    const Series *v = curves_find(c, "val_loss");
    size_t n = v ? v->step.count : 0, at = from && n ? series_near(&v->step, s->step.at[from]) : 0;
    at -= at > 0; /* steps ascend, and with them the validations */
    for (size_t i = from; i < s->step.count; i++) {
        while (at < n && v->step.at[at] < s->step.at[i])
            at++;
        x[i] = curves_epoch_in(c, v, at, s->step.at[i]);
    }
}

static void derive_x(const Curves *c, Series *s)
{
    size_t from = s->x.count, n = s->step.count;
    if (from == n)
        return;
    double *x = stretched(&s->x, n), begin = c->axis == AXIS_CLOCK ? c->began : 0.0;
    if (c->axis == AXIS_STEP)
        memcpy(x + from, s->step.at + from, (n - from) * sizeof *x);
    else if (c->axis == AXIS_EPOCH)
        epochs(c, s, from, x);
    else
        for (size_t i = from; i < n; i++)
            x[i] = begin + s->wall.at[i];
    for (size_t i = from ? from : 1; i < n; i++)
        if (x[i] < x[i - 1])
            x[i] = x[i - 1]; /* a chart wants its x ascending */
}

/* ---- smoothing --------------------------------------------------------------------------------------------- */

/* Points the running mean looks back over, as a share of all: what is noise depends on how much of
 * the run is seen at once. In powers of two, so that a growing curve seldom changes its past. */
static double look_back(size_t points, int smooth)
{
    double all = 512;
    while (all < (double)points)
        all *= 2;
    return smooth == 0 ? 1.0 : all / (smooth == 1 ? 128.0 : 32.0);
}

/* Exponential, from the raw points, freed of the pull to 0 at the start. */
static void derive_smooth(Series *s, int smooth)
{
    double back = look_back(s->value.count, smooth), share = 1.0 - 1.0 / back;
    if (back != s->back)
        series_forget_smooth(s);
    s->back = back;
    size_t from = s->smooth.count, n = s->value.count;
    if (from == n)
        return;
    double *out = stretched(&s->smooth, n), ema = s->ema, weight = s->weight;
    for (size_t i = from; i < n; i++) {
        double v = s->value.at[i];
        if (isfinite(v)) {
            ema = share * ema + (1.0 - share) * v;
            weight = share * weight + (1.0 - share);
            v = ema / weight;
        }
        out[i] = v;
    }
    s->ema = ema;
    s->weight = weight;
}

bool series_noisy(const char *key)
{
    return strcmp(key, "train_loss") == 0 || strcmp(key, "grad_norm") == 0 || strcmp(key, "samples_per_second") == 0;
}

/* ---- the pyramid --------------------------------------------------------------------------------------------- */

/* NaN loses every comparison, so a block shows one only if it has nothing else. */
static void thin_block(Thin *t, const double *x, const double *y, size_t from, size_t length)
{
    size_t low = from, high = from, at = 2 * t->blocks++;
    for (size_t i = from + 1; i < from + length; i++) {
        low = y[i] < y[low] || isnan(y[low]) ? i : low;
        high = y[i] > y[high] || isnan(y[high]) ? i : high;
    }
    size_t first = low < high ? low : high, second = low < high ? high : low;
    t->x.at[at] = x[first], t->x.at[at + 1] = x[second];
    t->y.at[at] = y[first], t->y.at[at + 1] = y[second];
}

/* One level from n points below it, of which the first `whole` will not change, `length` to a block; what is
 * left over at the end stands after the blocks as it is. */
static void thin_level(Thin *t, const double *x, const double *y, size_t n, size_t whole, size_t length)
{
    size_t blocks = whole / length, rest = n - blocks * length;
    stretched(&t->x, 2 * blocks + rest);
    stretched(&t->y, 2 * blocks + rest);
    while (t->blocks < blocks)
        thin_block(t, x, y, t->blocks * length, length);
    memcpy(t->x.at + 2 * blocks, x + n - rest, rest * sizeof *x);
    memcpy(t->y.at + 2 * blocks, y + n - rest, rest * sizeof *y);
}

static void derive_thin(Series *s, int which)
{
    const double *x = s->x.at, *y = which ? s->smooth.at : s->value.at;
    size_t n = s->x.count, whole = n - (n > 0), length = THIN_BLOCK; /* the last point stands for itself */
    for (int i = 0; i < THIN_LEVELS; i++) {
        Thin *t = &s->thin[which][i];
        if (n < THIN_ENOUGH * THIN_BLOCK) {
            t->x.count = t->y.count = t->blocks = 0; /* nobody will be so far off as to look at it */
            continue;
        }
        thin_level(t, x, y, n, whole, length);
        x = t->x.at, y = t->y.at, n = t->x.count, whole = 2 * t->blocks, length = 2 * THIN_BLOCK;
    }
}

/* The coarsest level that still has blocks enough for every column; NULL: the points themselves. */
const Thin *series_thin(const Series *s, bool smooth, size_t in_sight)
{
    const Thin *found = NULL;
    size_t block = THIN_BLOCK;
    for (int i = 0; i < THIN_LEVELS && in_sight / block >= THIN_ENOUGH; i++, block *= THIN_BLOCK)
        if (s->thin[smooth][i].blocks)
            found = &s->thin[smooth][i];
    return found;
}

/* ---- all of a run ---------------------------------------------------------------------------------------------- */

/* Of the epochs' axis what lies behind the last validation known is not certain yet. */
static void forget_places(Curves *c, Axis axis)
{
    const Series *v = curves_find(c, "val_loss");
    size_t now = v ? v->step.count : 0, known = c->epochs < now ? c->epochs : now;
    bool all = c->axis != axis || (axis == AXIS_EPOCH && known == 0);
    double from = known ? v->step.at[known - 1] : 0.0;
    for (size_t i = 0; i < c->series.count; i++) {
        Series *s = &c->series.at[i];
        if (all)
            series_forget_x(s, 0);
        else if (axis == AXIS_EPOCH && s->step.count && *vec_last(&s->step) > from)
            series_forget_x(s, series_near(&s->step, from));
    }
    c->epochs = now;
    c->axis = axis;
}

/* Only what is new, except when the question changed. */
void curves_derive(Curves *c, Axis axis, int smooth)
{
    forget_places(c, axis);
    c->smooth = smooth;
    for (size_t i = 0; i < c->series.count; i++) {
        Series *s = &c->series.at[i];
        derive_x(c, s);
        derive_thin(s, 0);
        if (!smooth || !series_noisy(s->key))
            continue;
        derive_smooth(s, smooth);
        derive_thin(s, 1);
    }
}
