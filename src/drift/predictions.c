/* predictions.c -- what a model says about both tables: has its output drifted, is it more wrong?
 *
 * Rows that the model's recipe drops are not predicted and count as missing. The error is the
 * root of the mean squared error in raw units, or the log loss of the true class, over the rows
 * that have the target. */
#include "drift_int.h"

#include <inttypes.h>
#include <stdio.h>

#define LEAST_SHARE 1e-15 /* a class said to be impossible does not make the loss infinite */

/* Predictions of one table. */
typedef struct Scored {
    VEC(double) value; /* regression, binary */
    double *count;     /* multiclass: [classes] */
    uint64_t dropped;  /* rows without a prediction */
    double loss;       /* summed */
    uint64_t judged;   /* rows with a prediction and the target */
} Scored;

static double loss_of(const ModelShape *s, const Prediction *p)
{
    if (s->task == TASK_REGRESSION)
        return (p->value - p->truth) * (p->value - p->truth);
    double share = s->task == TASK_BINARY ? (p->truth != 0.0 ? p->value : 1.0 - p->value)
                                          : (double)p->share[(size_t)p->truth];
    return -log(fmax(share, LEAST_SHARE));
}

static void take(Scored *to, const ModelShape *s, const Prediction *p)
{
    if (!p->kept) {
        to->dropped++;
        return;
    }
    if (s->task == TASK_MULTICLASS)
        to->count[p->class]++;
    else
        vec_add(&to->value, p->value);
    if (isfinite(p->truth)) {
        to->loss += loss_of(s, p);
        to->judged++;
    }
}

/* Into to[0], or into to[place of the row]. */
static bool score_table(Scored *to, const Places *p, Bundle *b, const Dataset *d,
                        Progress *progress, Error *err)
{
    const ModelShape *s = features_shape(bundle_features(b));
    Arena a = {0};
    bool ok = true;
    uint64_t done = 0;
    for (size_t i = 0; i < (p ? p->chunks : 1); i++)
        to[i].count = mem_alloc((s->classes + 1) * sizeof *to->count);
    for (size_t i = 0; ok && i < dataset_chunks(d); i++) {
        Chunk chunk;
        Prediction *said;
        ok = dataset_read(d, i, &a, &chunk, err) && bundle_score(b, &chunk, 0, &a, &said, err);
        for (size_t row = 0; ok && row < chunk.rows; row++) {
            uint32_t place = p ? p->of[done + row] : 0;
            if (place != NOWHERE)
                take(&to[place], s, &said[row]);
        }
        done += chunk.rows;
        progress_add(progress, chunk.rows);
        arena_reset(&a);
        if (ok && progress_stopped(progress))
            ok = error_set(err, ERROR_STOP, "stopped on request");
    }
    arena_release(&a);
    return ok;
}

static bool gather_scored(Gathered *g, const Scored *s, const Features *f, Error *err)
{
    const ModelShape *shape = features_shape(f);
    if (shape->task != TASK_MULTICLASS)
        return gather_numbers(g, s->value.at, s->value.count, s->dropped, err);
    const char **name = mem_alloc((shape->classes + 1) * sizeof *name);
    for (size_t i = 0; i < shape->classes; i++)
        name[i] = features_class(f, i);
    gather_labels(g, name, s->count, shape->classes, s->dropped);
    mem_free(name);
    return true;
}

static double error_of(const Scored *s, TaskKind task)
{
    double mean = s->loss / (double)s->judged;
    return task == TASK_REGRESSION ? sqrt(mean) : mean;
}

static void scored_release(Scored *s)
{
    vec_release(&s->value);
    mem_free(s->count);
}

static void judge(DriftReport *r, DriftColumn *column, const Gathered *before, const Gathered *now,
                  const Scored *then, const Scored *s, const Wanted *wanted, const Band *usual,
                  const Features *f)
{
    TaskKind task = features_shape(f)->task;
    const char *target = features_target(f);
    size_t n = copy_cut(column->name, sizeof column->name, "prediction of ");
    copy_cut(column->name + n, sizeof column->name - n, target ? target : "");
    column->role = "prediction";
    column->type = column_type_name(task == TASK_MULTICLASS ? COLUMN_TEXT : COLUMN_REAL);
    column_judge(column, before, now, wanted, usual);
    if (then->judged && s->judged) {
        r->has_error = true;
        snprintf(r->metric, sizeof r->metric, "%s", task == TASK_REGRESSION ? "rmse" : "logloss");
        r->reference_error = error_of(then, task);
        r->current_error = error_of(s, task);
    }
}

/* What is usual of predictions: those of the reference's own chunks. */
static bool usual_of(Band *out, const Gathered *before, const Scored *own, size_t n,
                     const Wanted *wanted, const Features *f, Error *err)
{
    Gathered *g = mem_alloc((n + 1) * sizeof *g);
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++)
        ok = gather_scored(&g[i], &own[i], f, err);
    if (ok)
        *out = column_usual(before, g, n, wanted);
    for (size_t i = 0; i < n; i++)
        gathered_release(&g[i]);
    mem_free(g);
    return ok;
}

/* The reference's chunks put together. */
static void put_together(Scored *all, const Scored *own, size_t n, size_t classes)
{
    all->count = mem_alloc((classes + 1) * sizeof *all->count);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < own[i].value.count; k++)
            vec_add(&all->value, own[i].value.at[k]);
        for (size_t k = 0; k < classes; k++)
            all->count[k] += own[i].count[k];
        all->dropped += own[i].dropped;
        all->loss += own[i].loss;
        all->judged += own[i].judged;
    }
}

static bool judge_placed(DriftReport *const *r, const Scored *then, const Scored *now,
                         size_t chunks, const Scored *own, size_t owns, const Wanted *wanted,
                         const Features *f, Error *err)
{
    Gathered before = {0};
    Band usual = {0};
    bool ok = gather_scored(&before, then, f, err) &&
              (!own || !before.n || usual_of(&usual, &before, own, owns, wanted, f, err));
    for (size_t i = 0; ok && i < chunks; i++) {
        Gathered g = {0};
        ok = gather_scored(&g, &now[i], f, err);
        if (ok)
            judge(r[i], &r[i]->column[r[i]->columns++], &before, &g, then, &now[i], wanted,
                  own ? &usual : NULL, f);
        gathered_release(&g);
    }
    gathered_release(&before);
    return ok;
}

bool predictions_placed(DriftReport *const *r, const Dataset *reference, const Places *own,
                        const Dataset *current, const Places *p, const Wanted *wanted, Bundle *b,
                        Progress *progress, Error *err)
{
    const Features *f = bundle_features(b);
    size_t owns = own ? own->chunks : 0;
    Scored then = {{0}, 0, 0, 0, 0}, *now = mem_alloc(p->chunks * sizeof *now),
           *before = mem_alloc((owns + 1) * sizeof *before);
    progress_begin(progress, "predicting", "rows", dataset_rows(reference) + dataset_rows(current));
    bool ok = (score_table(own ? before : &then, own, b, reference, progress, err) ||
               error_in(err, "reference")) &&
              (score_table(now, p, b, current, progress, err) || error_in(err, "current"));
    if (ok && own)
        put_together(&then, before, owns, features_shape(f)->classes);
    ok = ok && judge_placed(r, &then, now, p->chunks, own ? before : NULL, owns, wanted, f, err);
    scored_release(&then);
    for (size_t i = 0; i < owns; i++)
        scored_release(&before[i]);
    for (size_t i = 0; i < p->chunks; i++)
        scored_release(&now[i]);
    mem_free(before);
    mem_free(now);
    return ok;
}

bool predictions_add(DriftReport *r, const Dataset *reference, const Dataset *current,
                     const Wanted *wanted, Bundle *b, Progress *progress, Error *err)
{
    Places all = {0};
    bool ok = places_by_rows(&all, current, NULL, dataset_rows(current), 1, err) &&
              predictions_placed(&r, reference, NULL, current, &all, wanted, b, progress, err);
    places_release(&all);
    return ok;
}
