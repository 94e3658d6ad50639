/* evaluate.c -- how good a model is on rows with the target: every metric of its task, on what a gate measures. */
#include "deploy_int.h"

#include <math.h>

static void add(Evaluation *e, const char *metric, const char *about, double value)
{
    if (isfinite(value)) /* what is not defined for these rows is not said, as after training */
        e->row[e->n++] = (EvaluationRow){metric, about, value};
}

bool model_evaluate(Store *s, const ModelRow *model, const Dataset *rows, Pool *pool,
                    Progress *progress, Arena *a, Evaluation *out, Error *err)
{
    GateScores g;
    size_t most = 2;
    if (!gate_scores(s, model, NULL, rows, false, pool, progress, a, &g, err))
        return false;
    for (size_t i = 0; metrics[i]; i++)
        most++;
    *out =
        (Evaluation){.rows = g.n, .dropped = g.dropped, .row = ARENA_NEW(a, EvaluationRow, most)};
    for (size_t i = 0; metrics[i]; i++)
        if (metrics[i]->tasks & 1u << g.task)
            add(out, metrics[i]->name, metrics[i]->about,
                metrics[i]->score(g.value, g.truth, g.n, g.classes));
    add(out, quantile_loss_metric.name, quantile_loss_metric.about, g.quantile_loss[0]);
    add(out, "coverage", "share of truths from the lowest to the highest quantile", g.coverage[0]);
    return true;
}
