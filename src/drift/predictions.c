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

static bool score_table(Scored *to, Bundle *b, const Dataset *d, Progress *progress, Error *err)
{
    const ModelShape *s = features_shape(bundle_features(b));
    Arena a = {0};
    bool ok = true;
    to->count = mem_alloc((s->classes + 1) * sizeof *to->count);
    for (size_t i = 0; ok && i < dataset_chunks(d); i++) {
        Chunk chunk;
        Prediction *p;
        ok = dataset_read(d, i, &a, &chunk, err) && bundle_score(b, &chunk, 0, &a, &p, err);
        for (size_t row = 0; ok && row < chunk.rows; row++)
            take(to, s, &p[row]);
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

static bool judge(DriftReport *r, DriftColumn *column, const Scored *s, const DriftTest *wanted,
                  const Features *f, Error *err)
{
    Gathered g[2] = {{0}, {0}};
    TaskKind task = features_shape(f)->task;
    bool ok = gather_scored(&g[0], &s[0], f, err) && gather_scored(&g[1], &s[1], f, err);
    if (ok) {
        const char *target = features_target(f);
        size_t n = copy_cut(column->name, sizeof column->name, "prediction of ");
        copy_cut(column->name + n, sizeof column->name - n, target ? target : "");
        column->role = "prediction";
        column->type = column_type_name(task == TASK_MULTICLASS ? COLUMN_TEXT : COLUMN_REAL);
        column_judge(column, &g[0], &g[1], wanted);
    }
    if (ok && s[0].judged && s[1].judged) {
        r->has_error = true;
        snprintf(r->metric, sizeof r->metric, "%s", task == TASK_REGRESSION ? "rmse" : "logloss");
        r->reference_error = error_of(&s[0], task);
        r->current_error = error_of(&s[1], task);
    }
    gathered_release(&g[0]);
    gathered_release(&g[1]);
    return ok;
}

bool predictions_add(DriftReport *r, DriftColumn *column, const Dataset *reference,
                     const Dataset *current, const DriftTest *wanted, Bundle *b, Progress *progress,
                     Error *err)
{
    Scored s[2] = {{{0}, 0, 0, 0, 0}, {{0}, 0, 0, 0, 0}};
    progress_begin(progress, "predicting", "rows", dataset_rows(reference) + dataset_rows(current));
    bool ok = (score_table(&s[0], b, reference, progress, err) || error_in(err, "reference")) &&
              (score_table(&s[1], b, current, progress, err) || error_in(err, "current")) &&
              judge(r, column, s, wanted, bundle_features(b), err);
    scored_release(&s[0]);
    scored_release(&s[1]);
    return ok;
}
