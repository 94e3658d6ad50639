/* gate_score.c -- a candidate and an incumbent score the same rows: what a gate's rules are measured on.
 *
 * Rows that a recipe of either drops count for none of the two, so that both are measured on the same ones. */
#include "deploy_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MOST      2000000 /* evenly taken from larger tables */
#define LATENCY_ROWS   400
#define LATENCY_WARMUP 20

typedef struct Side {
    Bundle *bundle;
    size_t first_plan;
    size_t *as; /* [classes] its class i is the candidate's as[i]; NULL: the same */
} Side;

typedef struct Scoring {
    Store *store;
    Arena *arena;
    Side mine, theirs;
    Split split;
    bool only_test;
    const char *target;
    VEC(double) value, other, truth;
    GateScores *out;
    bool latency;
} Scoring;

/* ---- what the rows are ------------------------------------------------------------------------------------- */

static size_t plans_behind(Store *s, const char *hash, const Bundle *b, Arena *a)
{
    DatasetRow row;
    Error ignored = {0};
    bool known = s && store_dataset_find(s, hash, a, &row, &ignored);
    return known ? run_plans_behind(s, &row, bundle_plans(b)) : 0;
}

static Dataset *test_rows(Scoring *w, const ModelRow *model, const ModelRow *against, Error *err)
{
    RunRow run, other;
    DatasetRow row;
    if (!store_run_get(w->store, model->run, w->arena, &run, err) ||
        !store_dataset_find(w->store, run.dataset, w->arena, &row, err))
        return NULL;
    Dataset *d = dataset_open(store_path(w->store, w->arena, "datasets/%s.arrow", row.hash), err);
    w->only_test = true;
    bool ok = d && split_parse(run.split, &w->split, err);
    const char *time = features_time(bundle_features(w->mine.bundle));
    w->split.seed = (uint64_t)run.seed;
    if (ok && time) /* series are parted by their time, as in their training */
        w->split.by = time;
    if (d && !(ok && split_bind(&w->split, d, err))) {
        dataset_close(d);
        return NULL;
    }
    Error ignored = {0};
    if (against && store_run_get(w->store, against->run, w->arena, &other, &ignored) &&
        text_equal(other.dataset, run.dataset) &&
        (other.seed != run.seed || !text_equal(other.split, run.split)))
        snprintf(w->out->note, sizeof w->out->note,
                 "the incumbent may have learnt from some of these rows");
    return d;
}

/* ---- classes ------------------------------------------------------------------------------------------------- */

static bool match_classes(Scoring *w, Error *err)
{
    const Features *mine = bundle_features(w->mine.bundle),
                   *theirs = bundle_features(w->theirs.bundle);
    const ModelShape *a = features_shape(mine), *b = features_shape(theirs);
    if (!a->series != !b->series)
        return error_set(err, ERROR_USAGE,
                         "one of the models says how series go on, the other scores rows: they "
                         "cannot be compared");
    if (a->task != b->task || a->classes != b->classes ||
        !text_equal(features_target(mine), features_target(theirs)))
        return error_set(
            err, ERROR_USAGE,
            "the models do not predict the same: %s (%s, %zu classes) and %s (%s, %zu)",
            features_target(mine), task_name(a->task), a->classes, features_target(theirs),
            task_name(b->task), b->classes);
    w->theirs.as = ARENA_NEW(w->arena, size_t, b->classes + 1);
    for (size_t i = 0; i < b->classes; i++) {
        size_t k = 0;
        while (k < a->classes && !text_equal(features_class(mine, k), features_class(theirs, i)))
            k++;
        if (k == a->classes)
            return error_set(err, ERROR_USAGE,
                             "the incumbent knows a class %.60s, the candidate does not",
                             features_class(theirs, i));
        w->theirs.as[i] = k;
    }
    return true;
}

static void add_output(const Side *side, const GateScores *g, const Prediction *p, double *into)
{
    if (g->each > 1)
        for (size_t c = 0; c < g->classes; c++)
            into[side->as ? side->as[c] : c] = (double)p->share[c];
    else
        into[0] =
            g->task == TASK_BINARY && side->as && side->as[1] == 0 ? 1.0 - p->value : p->value;
}

/* ---- scoring -------------------------------------------------------------------------------------------------- */

static void keep(Scoring *w, const Prediction *p, const Prediction *q, size_t n)
{
    GateScores *g = w->out;
    double *row = ARENA_NEW(w->arena, double, g->each);
    for (size_t i = 0; i < n; i++) {
        if (!p[i].kept || (q && !q[i].kept) || isnan(p[i].truth)) {
            g->dropped++;
            continue;
        }
        add_output(&w->mine, g, &p[i], row);
        for (size_t k = 0; k < g->each; k++)
            vec_add(&w->value, row[k]);
        if (q) {
            add_output(&w->theirs, g, &q[i], row);
            for (size_t k = 0; k < g->each; k++)
                vec_add(&w->other, row[k]);
        }
        vec_add(&w->truth, p[i].truth);
    }
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* One row after the other, as a server would; the p99 of what each took. */
static bool time_rows(Scoring *w, const Chunk *c, Error *err)
{
    double took[LATENCY_ROWS];
    Arena a = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < LATENCY_ROWS + LATENCY_WARMUP; i++) {
        Chunk one;
        Prediction *p;
        chunk_slice(c, i % c->rows, 1, &a, &one);
        double from = clock_now();
        ok = bundle_score(w->mine.bundle, &one, w->mine.first_plan, &a, &p, err);
        if (i >= LATENCY_WARMUP)
            took[i - LATENCY_WARMUP] = clock_now() - from;
        arena_reset(&a);
    }
    arena_release(&a);
    qsort(took, LATENCY_ROWS, sizeof *took, ascending);
    w->out->latency = took[LATENCY_ROWS * 99 / 100];
    return ok;
}

static void gather_test(const Scoring *w, const Chunk *c, Arena *a, Chunk *out)
{
    uint32_t *row = ARENA_NEW(a, uint32_t, c->rows + 1);
    size_t n = 0;
    for (size_t i = 0; i < c->rows; i++)
        if (split_part(&w->split, c->first + i) == PART_TEST)
            row[n++] = (uint32_t)i;
    chunk_gather(c, row, n, a, out);
}

static bool score_chunk(Scoring *w, const Chunk *c, Arena *a, Error *err)
{
    Prediction *p, *q = NULL;
    if (c->rows == 0)
        return true;
    if (!chunk_find(c, w->target))
        return error_set(err, ERROR_USAGE, "the rows have no column %s, which the model predicts",
                         w->target);
    if (!bundle_score(w->mine.bundle, c, w->mine.first_plan, a, &p, err))
        return false;
    if (w->theirs.bundle && !bundle_score(w->theirs.bundle, c, w->theirs.first_plan, a, &q, err))
        return error_in(err, "the incumbent");
    keep(w, p, q, c->rows);
    return !w->latency || !isnan(w->out->latency) || time_rows(w, c, err);
}

static bool score_all(Scoring *w, const Dataset *d, Progress *progress, Error *err)
{
    Arena a = {0};
    size_t every = (size_t)(dataset_rows(d) / ROWS_MOST) + 1;
    bool ok = true;
    progress_begin(progress, "scoring", "rows", dataset_rows(d) / every);
    for (size_t i = 0; ok && i < dataset_chunks(d); i += every) {
        Chunk c, test;
        ok = dataset_read(d, i, &a, &c, err);
        if (ok && w->only_test)
            gather_test(w, &c, &a, &test);
        ok =
            ok && score_chunk(w, w->only_test ? &test : &c, &a, err) &&
            (!progress_stopped(progress) || error_set(err, ERROR_STOP, "gate: stopped on request"));
        progress_add(progress, c.rows);
        arena_reset(&a);
    }
    arena_release(&a);
    return ok && (w->truth.count > 0 ||
                  error_set(err, ERROR_USAGE,
                            "there is no row with the target that the models keep (%zu dropped)",
                            w->out->dropped));
}

static Bundle *open_side(Scoring *w, int64_t model, Pool *pool, Error *err)
{
    const char *path;
    return deployment_bundle(w->store, model, w->arena, &path, err) ? bundle_open(path, pool, err)
                                                                    : NULL;
}

static void give(Scoring *w)
{
    GateScores *g = w->out;
    g->n = w->truth.count;
    g->value = ARENA_NEW(w->arena, double, w->value.count + 1);
    g->truth = ARENA_NEW(w->arena, double, g->n + 1);
    memcpy(g->value, w->value.at, w->value.count * sizeof(double));
    memcpy(g->truth, w->truth.at, g->n * sizeof(double));
    if (!w->theirs.bundle)
        return;
    g->other = ARENA_NEW(w->arena, double, w->other.count + 1);
    memcpy(g->other, w->other.at, w->other.count * sizeof(double));
}

static bool score_series(Scoring *w, const Dataset *d, Progress *progress, Error *err)
{
    SeriesSide mine = {w->mine.bundle, w->mine.first_plan},
               theirs = {w->theirs.bundle, w->theirs.first_plan};
    return gate_series(&mine, &theirs, d, w->only_test ? &w->split : NULL, progress, w->arena,
                       w->out, err);
}

bool gate_scores(Store *s, const ModelRow *model, const ModelRow *against, const Dataset *rows,
                 bool latency, Pool *pool, Progress *progress, Arena *a, GateScores *out,
                 Error *err)
{
    *out = (GateScores){.latency = (double)NAN,
                        .quantile_loss = {(double)NAN, (double)NAN},
                        .coverage = {(double)NAN, (double)NAN}};
    Scoring w = {.store = s, .arena = a, .out = out, .latency = latency};
    Dataset *own = NULL;
    w.mine.bundle = open_side(&w, model->id, pool, err);
    bool ok =
        w.mine.bundle && (!against || (w.theirs.bundle = open_side(&w, against->id, pool, err)));
    if (ok) {
        const ModelShape *shape = features_shape(bundle_features(w.mine.bundle));
        w.target = features_target(bundle_features(w.mine.bundle));
        out->task = shape->task;
        out->classes = shape->classes;
        out->each = shape->classes > 2 ? shape->classes : 1;
        ok = (!against || match_classes(&w, err)) &&
             (rows || (own = test_rows(&w, model, against, err)));
    }
    if (ok) {
        const Dataset *d = rows ? rows : own;
        w.mine.first_plan = plans_behind(s, dataset_hash(d), w.mine.bundle, a);
        if (against)
            w.theirs.first_plan = plans_behind(s, dataset_hash(d), w.theirs.bundle, a);
        out->series = features_shape(bundle_features(w.mine.bundle))->series != NULL;
        ok = out->series ? score_series(&w, d, progress, err) : score_all(&w, d, progress, err);
    }
    if (ok && !out->series)
        give(&w);
    vec_release(&w.value);
    vec_release(&w.other);
    vec_release(&w.truth);
    split_release(&w.split);
    dataset_close(own);
    bundle_close(w.mine.bundle);
    bundle_close(w.theirs.bundle);
    return ok;
}
