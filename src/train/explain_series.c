/* explain_series.c -- a model of series with windows of its test part: laid out as the model is fed them, so that
 * a column's whole course can be dealt out anew among the windows; and what the model itself looks at. */
#include "explain_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const SeriesShape *shape_of(const Explainer *e)
{
    return features_shape(e->features)->series;
}

/* ---- the windows ---------------------------------------------------------------------------------------- */

/* Every so many of them, evenly, so that steps_most are forecast; 0: all. */
static void keep_windows(Explainer *e, const FeatureTable *t, uint64_t steps_most)
{
    const SeriesShape *s = shape_of(e);
    const Batch *b = &t->part[e->part];
    size_t floats = series_floats(s), most = (size_t)(steps_most / s->horizon);
    size_t n = b->rows;
    if (steps_most && n > most)
        n = most ? most : 1;
    float *dense = mem_alloc(floats * sizeof *dense),
          *target = mem_alloc(s->horizon * sizeof *target);
    for (size_t i = 0; i < n; i++) {
        size_t at = (size_t)((double)b->rows / (double)n * (double)i);
        series_gather(t->series, &b->at[at], 1, dense, target);
        vec_add(&e->number, t->row[e->part][at]);
        for (size_t k = 0; k < floats; k++)
            vec_add(&e->dense, dense[k]);
        for (size_t k = 0; k < s->horizon; k++)
            vec_add(&e->target, target[k]);
    }
    e->rows = n;
    mem_free(dense);
    mem_free(target);
}

bool explainer_read_series(Explainer *e, uint64_t steps_most, Error *err)
{
    static const Part parts[] = {PART_TEST, PART_VALID, PART_TRAIN};
    FeatureTable t;
    if (!feature_table_series(&t, NULL, e->features, 1, e->dataset, e->plan, &e->split, e->pool,
                              NULL, err))
        return false;
    for (size_t i = 0; i < 3 && !e->rows; i++) {
        e->part = parts[i];
        if (t.part[e->part].rows)
            keep_windows(e, &t, steps_most);
    }
    feature_table_release(&t);
    return e->rows > 0 ||
           error_set(err, ERROR_SHAPE, "no windows are left to explain the model on");
}

static int ascending(const void *left, const void *right)
{
    float a = *(const float *)left, b = *(const float *)right;
    return (a > b) - (a < b);
}

/* Of each step that is known the middle quantile, as it is said: of the sorted ones. */
size_t explainer_series_values(Explainer *e, size_t windows)
{
    const SeriesShape *s = shape_of(e);
    size_t n = 0;
    for (size_t i = 0; i < windows * s->horizon; i++) {
        if (isnan(e->target.at[i]))
            continue;
        qsort(e->out + i * s->levels, s->levels, sizeof *e->out, ascending);
        e->value[n++] =
            features_target_value(e->features, (double)e->out[i * s->levels + s->levels / 2]);
    }
    return n;
}

/* ---- where an input's floats are --------------------------------------------------------------------------- */

typedef struct Course {
    size_t at, stride, steps, width;
} Course;

/* Input i of the shape; `inputs`: the target's own past. How many: up to two, of the past and of the time to come. */
static size_t courses_of(const SeriesShape *s, size_t input, Course out[2])
{
    size_t fixed = 0, past = 2, known = 1, ahead = s->fixed + s->window * s->past;
    if (input == s->inputs) {
        out[0] = (Course){s->fixed + 1, s->past, s->window, 1};
        return 1;
    }
    for (size_t i = 0; i < input; i++) {
        const SeriesInput *in = &s->input[i];
        *(in->kind == SERIES_STATIC ? &fixed : &past) += in->width;
        known += in->kind == SERIES_KNOWN ? in->width : 0;
    }
    size_t width = s->input[input].width;
    if (s->input[input].kind == SERIES_STATIC) {
        out[0] = (Course){fixed, 0, 1, width};
        return 1;
    }
    out[0] = (Course){s->fixed + past, s->past, s->window, width};
    out[1] = (Course){ahead + known, s->known, s->horizon, width};
    return s->input[input].kind == SERIES_KNOWN ? 2 : 1;
}

void explainer_deal_series(const Explainer *e, size_t input, const uint32_t *from, float *dense)
{
    const SeriesShape *s = shape_of(e);
    Course c[2];
    size_t n = courses_of(s, input, c), floats = series_floats(s);
    for (size_t i = 0; i < e->rows; i++)
        for (size_t k = 0; k < n; k++)
            for (size_t t = 0; t < c[k].steps; t++) {
                size_t at = c[k].at + t * c[k].stride;
                memcpy(dense + i * floats + at, e->dense.at + from[i] * floats + at,
                       c[k].width * sizeof *dense);
            }
}

/* ---- what the model looks at --------------------------------------------------------------------------------- */

static int heavier(const void *left, const void *right)
{
    const WeightRow *a = left, *b = right;
    if (a->share != b->share)
        return a->share > b->share ? -1 : 1;
    return strcmp(a->column, b->column);
}

/* The rows of one kind, from its shares; `first` of them are not columns of the inputs. */
static void add_kind(const SeriesShape *s, const char *kind, const char *const *first, size_t n,
                     const double *share, Arena *a, Weights *out)
{
    size_t begin = out->columns;
    bool fixed = text_equal(kind, "static"), ahead = text_equal(kind, "ahead");
    for (size_t i = 0; i < n; i++)
        out->column[out->columns++] = (WeightRow){arena_text(a, first[i]), kind, *share++};
    for (size_t i = 0; i < s->inputs; i++) {
        const SeriesInput *in = &s->input[i];
        bool of_it = fixed ? in->kind == SERIES_STATIC
                           : in->kind == SERIES_KNOWN || (!ahead && in->kind == SERIES_PAST);
        if (of_it)
            out->column[out->columns++] = (WeightRow){arena_text(a, in->name), kind, *share++};
    }
    qsort(out->column + begin, out->columns - begin, sizeof *out->column, heavier);
}

bool explainer_weights(Explainer *e, Arena *a, Weights *out, Error *err)
{
    const SeriesShape *s = shape_of(e);
    size_t n = s ? s->inputs + 2 : 1, steps = s ? s->window + s->horizon : 1;
    SeriesShares shares = {.fixed = ARENA_NEW(a, double, n),
                           .past = ARENA_NEW(a, double, n),
                           .ahead = ARENA_NEW(a, double, n),
                           .step = ARENA_NEW(a, double, steps)};
    Batch b = {.rows = e->rows, .dense = e->dense.at};
    if (!bundle_shares(e->bundle, &b, &shares, err))
        return false;
    const char *target = features_target(e->features);
    *out = (Weights){.column = ARENA_NEW(a, WeightRow, 3 * n), .steps = steps, .step = shares.step};
    out->first = 1 - (int64_t)s->window;
    add_kind(s, "past", (const char *const[]){"(place)", target}, 2, shares.past, a, out);
    add_kind(s, "ahead", (const char *const[]){"(place)"}, 1, shares.ahead, a, out);
    add_kind(s, "static", NULL, 0, shares.fixed, a, out);
    return true;
}
