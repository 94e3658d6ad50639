/* series_fit.c -- what features must know of a table's series: the usual step of its time, and which inputs
 * are static, known ahead, or known only of the past.
 *
 * An input is static when it is the same in all rows of each group, and there are several groups. Known
 * ahead are the time itself and the inputs that the user names. */
#include "feature_int.h"

#include <stdlib.h>

#define STEPS_MOST 1000000 /* window, horizon */

/* ---- reading the rows ------------------------------------------------------------------------------- */

typedef struct Sight { /* a row, as far as the fit looks at it */
    uint32_t group;
    double time;
} Sight;

typedef struct Look {
    Features *features;
    size_t wide;
    Batch *batch; /* [slots] */
    Chunk *chunk; /* [slots] */
    Lexicon groups;
    VEC(Sight) row;
    VEC(float) first; /* [groups][wide]: its first row, encoded */
    bool *changes;    /* [wide] somewhere within a group */
} Look;

static bool work(void *job, size_t slot, const Chunk *c, Arena *a, Error *err)
{
    Look *l = job;
    l->chunk[slot] = *c;
    return features_encode(l->features, c, false, a, &l->batch[slot], err);
}

static bool print_group(const Features *f, const Chunk *c, size_t row, Text *into, Error *err)
{
    text_reset(into);
    for (const char *at = f->series->group; *at;) {
        char name[256];
        size_t len = strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)len, at);
        const Column *column = chunk_find(c, name);
        if (!column)
            return error_set(err, ERROR_USAGE, "group: no column %s in the table", name);
        text_puts(into, into->count ? ", " : "");
        column_print(column, row, into);
        at += len + (at[len] == ',');
    }
    return true;
}

static void compare(Look *l, size_t group, const float *row)
{
    const float *first = l->first.at + group * l->wide;
    for (size_t k = 0; k < l->wide; k++)
        l->changes[k] |= row[k] != first[k];
}

static bool join(void *job, size_t slot, Error *err)
{
    Look *l = job;
    const Chunk *c = &l->chunk[slot];
    const Column *time = chunk_find(c, l->features->series->time);
    Text name = {0};
    bool ok = time || error_set(err, ERROR_USAGE, "time: no column %s in the table",
                                l->features->series->time);
    if (ok && time->type == COLUMN_TEXT)
        ok = error_set(err, ERROR_USAGE, "time: %s is text; a date, a time or a number orders rows",
                       l->features->series->time);
    for (size_t i = 0; ok && i < c->rows; i++) {
        double at = column_real(time, i);
        ok = print_group(l->features, c, i, &name, err);
        if (!ok || !isfinite(at))
            continue;
        size_t known = l->groups.word.count;
        size_t group = lexicon_add(&l->groups, text_str(&name), name.count, 1);
        const float *row = l->batch[slot].dense + i * l->wide;
        for (size_t k = 0; group == known && k < l->wide; k++)
            vec_add(&l->first, row[k]);
        compare(l, group, row);
        vec_add(&l->row, (Sight){(uint32_t)group, at});
    }
    text_release(&name);
    return ok;
}

/* ---- the step ----------------------------------------------------------------------------------------- */

static int in_order(const void *left, const void *right)
{
    const Sight *a = left, *b = right;
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    return (a->time > b->time) - (a->time < b->time);
}

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The median distance of two rows of a group that follow each other. */
static bool find_step(Look *l, double *step, Error *err)
{
    size_t n = l->row.count, found = 0;
    double *apart = mem_try((n + 1) * sizeof *apart, err);
    if (!apart)
        return false;
    qsort(l->row.at, n, sizeof *l->row.at, in_order);
    for (size_t i = 1; i < n; i++)
        if (l->row.at[i].group == l->row.at[i - 1].group &&
            l->row.at[i].time > l->row.at[i - 1].time)
            apart[found++] = l->row.at[i].time - l->row.at[i - 1].time;
    qsort(apart, found, sizeof *apart, ascending);
    *step = found ? apart[found / 2] : 0;
    mem_free(apart);
    return found > 0 || error_set(err, ERROR_SHAPE, "time: no group has two rows with different %s",
                                  l->features->series->time);
}

/* ---- kinds -------------------------------------------------------------------------------------------- */

static bool is_named(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = list; *at;) {
        size_t len = strcspn(at, ",");
        if (len == n && memcmp(at, name, n) == 0)
            return true;
        at += len + (at[len] == ',');
    }
    return false;
}

static bool check_named(const Features *f, const char *list, Error *err)
{
    const char **names = mem_alloc((f->inputs + 1) * sizeof *names);
    bool ok = true;
    for (size_t i = 0; i < f->inputs; i++)
        names[i] = f->input[i].name;
    for (const char *at = list; ok && *at;) {
        char name[256];
        size_t len = strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)len, at);
        bool found = false;
        for (size_t i = 0; i < f->inputs; i++)
            found |= text_equal(names[i], name);
        const char *near = found ? NULL : text_nearest(name, names, f->inputs);
        if (!found)
            ok = error_set(err, ERROR_USAGE, "known: %s is not among the inputs%s%s%s", name,
                           near ? ", did you mean " : "", near ? near : "", near ? "?" : "");
        at += len + (at[len] == ',');
    }
    mem_free(names);
    return ok;
}

static void name_kinds(Look *l, const SeriesOptions *o, SeriesInput *input)
{
    const Features *f = l->features;
    for (size_t i = 0; i < f->inputs; i++) {
        const Input *in = &f->input[i];
        bool changes = l->groups.word.count < 2;
        for (size_t k = 0; k < in->dense + in->missing; k++)
            changes |= l->changes[in->dense_at + k];
        bool known = is_named(o->known, in->name) || text_equal(in->name, o->time);
        input[i].kind = !changes ? SERIES_STATIC : known ? SERIES_KNOWN : SERIES_PAST;
    }
}

void series_lay_out(Features *f)
{
    SeriesShape *s = &f->series->shape;
    SeriesInput *input = (SeriesInput *)s->input;
    s->fixed = 0;
    s->past = 2; /* place, target */
    s->known = 1;
    for (size_t i = 0; i < s->inputs; i++) {
        const Input *in = &f->input[i];
        input[i].name = in->name;
        input[i].at = in->dense_at;
        input[i].width = in->dense + in->missing;
        s->fixed += input[i].kind == SERIES_STATIC ? input[i].width : 0;
        s->past += input[i].kind != SERIES_STATIC ? input[i].width : 0;
        s->known += input[i].kind == SERIES_KNOWN ? input[i].width : 0;
    }
    f->shape.series = s;
    f->shape.outputs = s->horizon * s->levels;
}

static SeriesPlan *plan_create_in(Features *f, const SeriesOptions *o)
{
    SeriesPlan *p = ARENA_NEW(&f->arena, SeriesPlan, 1);
    float *level = ARENA_NEW(&f->arena, float, o->levels + 1);
    memcpy(level, o->level, o->levels * sizeof *level);
    p->group = arena_text(&f->arena, o->group);
    p->time = arena_text(&f->arena, o->time);
    p->shape = (SeriesShape){.window = o->window,
                             .horizon = o->horizon,
                             .inputs = f->inputs,
                             .input = ARENA_NEW(&f->arena, SeriesInput, f->inputs + 1),
                             .levels = o->levels,
                             .level = level};
    return p;
}

static bool fits_series(const Features *f, Error *err)
{
    if (f->target.task != TASK_REGRESSION)
        return error_set(err, ERROR_USAGE, "a series is of numbers; %s is a %s target",
                         f->target.name, task_name(f->target.task));
    if (f->shape.log_link)
        return error_set(err, ERROR_USAGE, "transform_target=mean is not for series");
    for (size_t i = 0; i < f->inputs; i++)
        if (f->input[i].codes)
            return error_set(
                err, ERROR_USAGE,
                "%s: a series takes categories as one float a word (categories=onehot, "
                "numbers=standard or quantile)",
                f->input[i].name);
    return true;
}

bool features_series(Features *f, const SeriesOptions *o, const Dataset *d, const Plan *plan,
                     Pool *pool, Progress *progress, Error *err)
{
    size_t slots = walk_slots(pool);
    if (!fits_series(f, err) || !check_named(f, o->known, err))
        return false;
    f->series = plan_create_in(f, o);
    Look l = {.features = f, .wide = f->shape.dense};
    l.batch = mem_alloc(slots * sizeof *l.batch);
    l.chunk = mem_alloc(slots * sizeof *l.chunk);
    l.changes = mem_alloc(l.wide + 1);
    progress_begin(progress, "fitting series", "rows", dataset_rows(d));
    Walk walk = {d, plan, pool, progress, work, join, &l};
    bool ok = walk_run(&walk, err) && find_step(&l, &f->series->step, err);
    if (ok) {
        name_kinds(&l, o, (SeriesInput *)f->series->shape.input);
        series_lay_out(f);
    }
    mem_free(l.batch);
    mem_free(l.chunk);
    mem_free(l.changes);
    vec_release(&l.row);
    vec_release(&l.first);
    lexicon_release(&l.groups);
    return ok;
}

const char *features_time(const Features *f)
{
    return f->series ? f->series->time : NULL;
}

const char *features_group(const Features *f)
{
    return f->series ? f->series->group : NULL;
}

double features_time_step(const Features *f)
{
    return f->series ? f->series->step : (double)NAN;
}

/* ---- as JSON ------------------------------------------------------------------------------------------ */

json_t *series_save(const SeriesPlan *p)
{
    json_t *levels = json_array(), *kinds = json_array();
    for (size_t i = 0; i < p->shape.levels; i++)
        json_array_append_new(levels, json_real((double)p->shape.level[i]));
    for (size_t i = 0; i < p->shape.inputs; i++)
        json_array_append_new(kinds, json_integer(p->shape.input[i].kind));
    return json_pack("{s:s, s:s, s:f, s:I, s:I, s:o, s:o}", "group", p->group, "time", p->time,
                     "step", p->step, "window", (json_int_t)p->shape.window, "horizon",
                     (json_int_t)p->shape.horizon, "levels", levels, "kinds", kinds);
}

bool series_load(Features *f, const json_t *from, Error *err)
{
    json_int_t window, horizon;
    json_t *levels, *kinds;
    double step;
    SeriesOptions o = {0};
    if (json_unpack((json_t *)from, "{s:s, s:s, s:F, s:I, s:I, s:o, s:o}", "group", &o.group,
                    "time", &o.time, "step", &step, "window", &window, "horizon", &horizon,
                    "levels", &levels, "kinds", &kinds) ||
        !(step > 0) || window < 1 || window > STEPS_MOST || horizon < 1 || horizon > STEPS_MOST)
        return error_set(err, ERROR_PARSE, "expected group, time, step, window and horizon");
    o.levels = json_array_size(levels);
    if (o.levels < 1 || o.levels > sizeof o.level / sizeof *o.level ||
        json_array_size(kinds) != f->inputs)
        return error_set(err, ERROR_PARSE, "levels or kinds are missing");
    for (size_t i = 0; i < o.levels; i++)
        o.level[i] = (float)json_number_value(json_array_get(levels, i));
    o.window = (size_t)window;
    o.horizon = (size_t)horizon;
    f->series = plan_create_in(f, &o);
    f->series->step = step;
    for (size_t i = 0; i < f->inputs; i++) {
        json_int_t kind = json_integer_value(json_array_get(kinds, i));
        if (kind < SERIES_PAST || kind > SERIES_STATIC)
            return error_set(err, ERROR_PARSE, "kinds: there is no kind %d", (int)kind);
        ((SeriesInput *)f->series->shape.input)[i].kind = (SeriesKind)kind;
    }
    return true;
}
