/* task.c -- what does not fit a target, as far as that is sure before a run has read its rows
 *
 * Whether a number is learnt as such or as classes depends on the training rows: here only those count that
 * have many values. What is not sure, the run finds. */
#include "train_int.h"

#include <lathe/nn.h>

#define VALUES_MANY 64.0 /* in the table; whatever the split, more than two of them train */

static bool sure_task(const RunSpec *spec, const ColumnProfile *p, TaskKind *out)
{
    if (spec->family->series) {
        *out = TASK_REGRESSION;
        return true;
    }
    if (!p)
        return false;
    int want = spec->feature.task;
    bool words = p->type == COLUMN_TEXT || p->type == COLUMN_BOOL;
    bool classes = want == WANT_CLASSIFICATION || (want == WANT_AUTO && words);
    *out = !classes ? TASK_REGRESSION : p->distinct < 2.5 ? TASK_BINARY : TASK_MULTICLASS;
    return classes || (!words && (want == WANT_REGRESSION || p->distinct > VALUES_MANY));
}

bool task_has_rates(const RunSpec *spec)
{
    int loss = spec->params.loss;
    return loss > 0 && losses[loss - 1].fits == LOSS_FITS_RATE;
}

bool task_has_classes(const RunSpec *spec, TaskKind task, const char *target, Error *err)
{
    return task != TASK_REGRESSION ||
           error_set(err, ERROR_USAGE,
                     "class_weight=%s: %s is learnt as a number and has no classes%s", spec->params.class_weight, target,
                     spec->family->series ? "" : "; task=classification takes its values as classes");
}

static bool loss_fits(const RunSpec *spec, TaskKind task, Error *err)
{
    static const SeriesShape series;
    ModelShape shape = {.task = task,
                        .log_link = task_has_rates(spec) || spec->feature.transform_target == TRANSFORM_MEAN,
                        .series = spec->family->series ? &series : NULL};
    int loss = spec->params.loss;
    bool of_classes = loss > 0 && losses[loss - 1].fits & (LOSS_FITS_TWO | LOSS_FITS_CLASSES);
    if (task != TASK_REGRESSION && of_classes)
        return true; /* how many classes train is not sure */
    shape.log_link &= task == TASK_REGRESSION;
    return model_takes_loss(&shape, loss, err);
}

bool task_fits(const RunSpec *spec, const ColumnProfile *target, Error *err)
{
    TaskKind task;
    const char *weight = spec->params.class_weight;
    if (!sure_task(spec, target, &task))
        return true;
    bool weighs = *weight && !text_equal(weight, "none");
    return loss_fits(spec, task, err) &&
           (!weighs || task_has_classes(spec, task, target ? target->name : spec->target, err));
}
