/* forecast.c -- how series go on, by a bundle: the rows of a table through recipes and features, windows
 * of them through the model, and quantiles back in raw units.
 *
 * After training, the test is made here too, so what is measured is what is served. */
#include "bundle_int.h"
#include "model_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT_ONCE 512 /* windows predicted between two looks at the arena */

struct Forecaster {
    Bundle *bundle;
    Series *series;
};

Forecaster *forecaster_create(Bundle *b, Error *err)
{
    if (!features_shape(b->features)->series) {
        error_set(err, ERROR_USAGE, "a %s scores rows; it knows no series", b->family->name);
        return NULL;
    }
    Forecaster *f = mem_alloc(sizeof *f);
    f->bundle = b;
    f->series = series_create(b->features);
    return f;
}

void forecaster_destroy(Forecaster *f)
{
    if (!f)
        return;
    series_destroy(f->series);
    mem_free(f);
}

bool forecaster_add(Forecaster *f, const Chunk *rows, size_t first_plan, Error *err)
{
    Arena a = {0};
    Chunk cleaned;
    bool ok = bundle_clean(f->bundle, rows, first_plan, &a, &cleaned, err) &&
              series_add(f->series, &cleaned, err);
    arena_release(&a);
    return ok;
}

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* A step's quantiles in raw units. They are learnt one by one, so that two may cross: sorted, they are
 * those of one distribution again (Chernozhukov, Fernandez-Val and Galichon 2010). */
static void fill_row(const Forecaster *f, uint32_t origin, size_t step, const float *score,
                     double *quantile, ForecastRow *out)
{
    const Features *features = f->bundle->features;
    const SeriesShape *s = features_shape(features)->series;
    SeriesPlace last = series_place(f->series, origin);
    *out = (ForecastRow){.group = last.group,
                         .time = last.time + (double)step * features_time_step(features),
                         .step = step,
                         .row = UINT64_MAX,
                         .after = last.row,
                         .truth = (double)NAN,
                         .quantile = quantile};
    if (origin + step < last.end) {
        SeriesPlace at = series_place(f->series, (uint32_t)(origin + step));
        if (at.has_row)
            out->row = at.row;
        if (!isnan(at.target))
            out->truth = features_target_value(features, (double)at.target);
    }
    for (size_t k = 0; k < s->levels; k++)
        quantile[k] = features_target_value(features, (double)score[k]);
    qsort(quantile, s->levels, sizeof *quantile, ascending);
    out->value = quantile[s->levels / 2];
}

static ColumnType time_type(const Bundle *b)
{
    size_t plans = bundle_plans(b);
    const Schema *s = plans ? plan_schema(bundle_plan(b, plans - 1)) : bundle_schema(b);
    size_t at = schema_find(s, features_time(bundle_features(b)));
    return at == SIZE_MAX ? COLUMN_REAL : s->field[at].type;
}

static void print_time(ColumnType type, double time, Text *into)
{
    if (type == COLUMN_TIME)
        time_format(llround(time), into);
    else if (type == COLUMN_DATE)
        date_format((int32_t)lround(time), into);
    else
        text_add_real(into, time);
}

static void put(json_t *o, const char *key, double value)
{
    json_object_set_new(o, key, isfinite(value) ? json_real(value) : json_null());
}

json_t *forecast_json(const Bundle *b, const ForecastRow *r)
{
    const SeriesShape *s = features_shape(b->features)->series;
    Text time = {0};
    json_t *o = json_object();
    print_time(time_type(b), r->time, &time);
    if (*features_group(b->features)) {
        json_t *group = json_string(r->group);
        json_object_set_new(o, "group", group ? group : json_string("(not UTF-8)"));
    }
    json_object_set_new(o, "time", json_string(text_str(&time)));
    json_object_set_new(o, "step", json_integer((json_int_t)r->step));
    put(o, "prediction", r->value);
    for (size_t i = 0; i < s->levels; i++) {
        char name[32];
        snprintf(name, sizeof name, "q%g", (double)s->level[i]);
        put(o, name, r->quantile[i]);
    }
    text_release(&time);
    return o;
}

static bool forecast(Forecaster *f, const uint32_t *origin, size_t count, Arena *a,
                     ForecastRow **out, size_t *n, Error *err)
{
    const SeriesShape *s = features_shape(f->bundle->features)->series;
    size_t each = s->horizon * s->levels;
    float *score = mem_try((AT_ONCE * each + 1) * sizeof *score, err);
    *n = count * s->horizon;
    *out = ARENA_NEW(a, ForecastRow, *n + 1);
    double *quantile = ARENA_NEW(a, double, count *each + 1);
    for (size_t from = 0; score && from < count; from += AT_ONCE) {
        size_t rows = count - from < AT_ONCE ? count - from : AT_ONCE;
        Batch b = {.rows = rows, .series = f->series, .at = origin + from};
        model_predict(f->bundle->model, &b, score);
        for (size_t i = 0; i < rows; i++)
            for (size_t h = 0; h < s->horizon; h++) {
                size_t at = (from + i) * s->horizon + h;
                fill_row(f, origin[from + i], h + 1, score + (i * s->horizon + h) * s->levels,
                         quantile + at * s->levels, &(*out)[at]);
            }
    }
    mem_free(score);
    return score != NULL;
}

/* The last place of each group that has a target. */
static uint32_t *last_known(const Series *s, size_t *n)
{
    size_t places = series_places(s);
    uint32_t *origin = mem_alloc((places + 1) * sizeof *origin);
    *n = 0;
    for (uint32_t at = 0; at < places; at++) {
        SeriesPlace p = series_place(s, at);
        if (isnan(p.target))
            continue;
        bool same = *n > 0 && text_equal(series_place(s, origin[*n - 1]).group, p.group);
        origin[*n - same] = at; /* a group's series stand beside each other */
        *n += !same;
    }
    return origin;
}

bool forecaster_next(Forecaster *f, Arena *a, ForecastRow **out, size_t *n, Error *err)
{
    if (!series_finish(f->series, true, err))
        return false;
    size_t count;
    uint32_t *origin = last_known(f->series, &count);
    bool ok = count > 0 || error_set(err, ERROR_SHAPE,
                                     "no row has %s: without a past there is nothing to go on from",
                                     features_target(f->bundle->features));
    ok = ok && forecast(f, origin, count, a, out, n, err);
    mem_free(origin);
    return ok;
}

static int has_row(const void *key, const void *row)
{
    uint64_t a = *(const uint64_t *)key, b = *(const uint64_t *)row;
    return (a > b) - (a < b);
}

bool forecaster_test(Forecaster *f, const uint64_t *after, size_t count, Arena *a,
                     ForecastRow **out, size_t *n, Error *err)
{
    const SeriesShape *s = features_shape(f->bundle->features)->series;
    if (!series_finish(f->series, false, err))
        return false;
    size_t places = series_places(f->series), found = 0;
    uint32_t *origin = mem_alloc((places + 1) * sizeof *origin);
    for (uint32_t at = 0; at < places; at++) {
        SeriesPlace p = series_place(f->series, at);
        if (p.has_row && at + s->horizon < p.end &&
            bsearch(&p.row, after, count, sizeof *after, has_row))
            origin[found++] = at;
    }
    bool ok = forecast(f, origin, found, a, out, n, err);
    mem_free(origin);
    return ok;
}
