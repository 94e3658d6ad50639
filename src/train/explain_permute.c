/* explain_permute.c -- permutation importance: what a metric loses when one column's values are dealt
 * out anew among the rows. All of a column moves together: its floats, its codes, its missing mark. */
#include "explain_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double score(Explainer *e, const Metric *m, const Batch *b)
{
    explainer_predict(e, b);
    return m->score(e->value, e->truth, e->values, features_shape(e->features)->classes);
}

/* Student's t, two-sided 95 %, by degrees of freedom from 1; then the normal's. */
static double student(size_t freedom)
{
    static const double t[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365,
                               2.306,  2.262, 2.228, 2.201, 2.179, 2.160, 2.145,
                               2.131,  2.120, 2.110, 2.101, 2.093, 2.086};
    size_t n = sizeof t / sizeof *t;
    return freedom == 0   ? (double)NAN
           : freedom <= n ? t[freedom - 1]
                          : 1.96 + 2.5 / (double)freedom;
}

static void deal(const Explainer *e, size_t input, const uint32_t *from, float *dense,
                 int32_t *code)
{
    const ModelShape *s = features_shape(e->features);
    if (s->series) {
        explainer_deal_series(e, input, from, dense);
        return;
    }
    InputSpan span = features_span(e->features, input);
    for (size_t i = 0; i < e->rows; i++) {
        if (span.dense)
            memcpy(dense + i * s->dense + span.dense_at,
                   e->dense.at + from[i] * s->dense + span.dense_at, span.dense * sizeof *dense);
        if (span.codes)
            memcpy(code + i * s->codes + span.code_at,
                   e->code.at + from[i] * s->codes + span.code_at, span.codes * sizeof *code);
    }
}

typedef struct Work {
    Explainer *e;
    const Metric *metric;
    double base;
    size_t repeats;
    uint64_t seed;
    float *dense;
    int32_t *code;
    uint32_t *order, *home; /* as they are dealt; as they are */
} Work;

static void permute(Work *w, size_t input, PermutationRow *out)
{
    Explainer *e = w->e;
    Batch b = {.rows = e->rows, .dense = w->dense, .code = w->code};
    double sum = 0.0, squares = 0.0, n = (double)w->repeats;
    for (size_t r = 0; r < w->repeats; r++) {
        Rng rng;
        rng_seed(&rng, w->seed, input << 16 | r);
        memcpy(w->order, w->home, e->rows * sizeof *w->order);
        rng_shuffle(&rng, w->order, e->rows);
        deal(e, input, w->order, w->dense, w->code);
        double worse = score(e, w->metric, &b) - w->base;
        worse = w->metric->larger_is_better ? -worse : worse;
        sum += worse;
        squares += worse * worse;
    }
    deal(e, input, w->home, w->dense, w->code);
    double mean = sum / n, spread = fmax(0.0, squares - n * mean * mean);
    double half = n > 1 ? student(w->repeats - 1) * sqrt(spread / (n - 1) / n) : (double)NAN;
    bool own = input == features_inputs(e->features); /* of a series, its own past */
    *out = (PermutationRow){own ? features_target(e->features) : features_input(e->features, input),
                            mean, mean - half, mean + half};
}

static int more_important(const void *left, const void *right)
{
    const PermutationRow *a = left, *b = right;
    if (a->worse != b->worse)
        return a->worse > b->worse ? -1 : 1;
    return strcmp(a->column, b->column);
}

static const Metric *metric_of(const Explainer *e, const char *name, Error *err)
{
    TaskKind task = features_shape(e->features)->task;
    const Metric *m = name && *name ? metric_find(name) : metric_main(task);
    if (m && m->tasks & 1u << task)
        return m;
    error_set(err, ERROR_USAGE, m ? "metric %s is not for a %s target" : "no metric %s%.0s", name,
              task_name(task));
    return NULL;
}

static bool take_room(Work *w, Error *err)
{
    const Explainer *e = w->e;
    w->dense = mem_try((e->dense.count + 1) * sizeof *w->dense, err);
    w->code = w->dense ? mem_try((e->code.count + 1) * sizeof *w->code, err) : NULL;
    w->order = w->code ? mem_try(2 * e->rows * sizeof *w->order, err) : NULL;
    if (!w->order)
        return false;
    w->home = w->order + e->rows;
    for (size_t i = 0; i < e->rows; i++)
        w->home[i] = (uint32_t)i;
    if (e->dense.count)
        memcpy(w->dense, e->dense.at, e->dense.count * sizeof *w->dense);
    if (e->code.count)
        memcpy(w->code, e->code.at, e->code.count * sizeof *w->code);
    return true;
}

bool explainer_permutation(Explainer *e, const char *metric, int repeats, uint64_t seed,
                           Progress *progress, Arena *a, Permutation *out, Error *err)
{
    size_t n = features_inputs(e->features) + (features_time(e->features) != NULL);
    Work w = {
        .e = e, .metric = metric_of(e, metric, err), .repeats = (size_t)repeats, .seed = seed};
    bool ok = w.metric && take_room(&w, err);
    if (ok) {
        Batch all = explainer_batch(e);
        w.base = score(e, w.metric, &all);
        *out = (Permutation){.metric = w.metric->name,
                             .base = w.base,
                             .repeats = w.repeats,
                             .columns = n,
                             .column = ARENA_NEW(a, PermutationRow, n + 1)};
    }
    progress_begin(progress, "dealing out", "columns", n);
    for (size_t i = 0; ok && i < n; i++) {
        permute(&w, i, &out->column[i]);
        out->column[i].column = arena_text(a, out->column[i].column);
        progress_add(progress, 1);
        if (progress_stopped(progress))
            ok = error_set(err, ERROR_STOP, "stopped by request");
    }
    if (ok)
        qsort(out->column, n, sizeof *out->column, more_important);
    mem_free(w.dense);
    mem_free(w.code);
    mem_free(w.order);
    return ok;
}
