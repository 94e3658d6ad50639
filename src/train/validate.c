/* validate.c -- after an epoch: loss and metrics of the validation rows, in raw units. */
#include "train_int.h"

#include <math.h>
#include <string.h>

#define BLOCK 8192 /* rows predicted at once */

const char *validate_watches(const Job *j)
{
    if (j->table.part[PART_VALID].rows == 0)
        return "epoch_train_loss";
    if (j->spec.params.monitor == 0)
        return "val_loss";
    return features_shape(j->features)->task == TASK_REGRESSION ? "val_rmse" : "val_logloss";
}

static double predict_all(Job *j, const Batch *all)
{
    const ModelShape *s = features_shape(j->features);
    double sum = 0.0;
    if (j->running)
        j->running_steps = model_predict_more(j->model, all, j->running_steps, j->running);
    for (size_t from = 0; from < all->rows; from += BLOCK) {
        size_t n = all->rows - from < BLOCK ? all->rows - from : BLOCK;
        Batch b = batch_slice(all, s, from, n);
        float *out = j->out + from * s->outputs;
        if (j->running)
            memcpy(out, j->running + from * s->outputs, n * s->outputs * sizeof *out);
        else
            model_predict(j->model, &b, out);
        sum += model_loss(j->model, &b, out) * (double)n;
        scratch_touched(j->scratch, n * sizeof(float) * (s->dense + s->codes + 8 * s->outputs));
    }
    return sum / (double)all->rows;
}

/* The middle quantiles of all steps that are known. */
static size_t series_to_raw(Job *j, const Batch *all, const ModelShape *s)
{
    size_t levels = s->series->levels, n = 0;
    for (size_t i = 0; i < all->rows * shape_targets(s); i++) {
        if (isnan(all->target[i]))
            continue;
        j->value[n] = features_target_value(j->features, (double)j->out[i * levels + levels / 2]);
        j->truth[n++] = features_target_value(j->features, (double)all->target[i]);
    }
    return n;
}

/* Values and truths; how many there are. */
static size_t to_raw(Job *j, const Batch *all)
{
    const ModelShape *s = features_shape(j->features);
    if (s->series)
        return series_to_raw(j, all, s);
    model_scores_to_outputs(s, j->out, all->rows);
    bool number = s->task == TASK_REGRESSION;
    for (size_t i = 0; i < all->rows * s->outputs; i++)
        j->value[i] =
            number ? features_target_value(j->features, (double)j->out[i]) : (double)j->out[i];
    for (size_t i = 0; i < all->rows; i++)
        j->truth[i] = number ? features_target_value(j->features, (double)all->target[i])
                             : (double)all->target[i];
    return all->rows;
}

#define NAMED 6

/* " at rows (3, 7, ...)": those whose own loss is not finite. Where all are so it is the weights: none is named. */
static void name_bad(Job *j, const Batch *all, Text *into)
{
    const ModelShape *s = features_shape(j->features);
    size_t bad = 0;
    for (size_t i = 0; i < all->rows; i++) {
        Batch one = batch_slice(all, s, i, 1);
        if (!isfinite(model_loss(j->model, &one, j->out + i * s->outputs)) && bad++ < NAMED)
            text_printf(into, "%s%llu", bad > 1 ? ", " : " at rows (",
                        (unsigned long long)j->table.row[PART_VALID][i] + 1);
    }
    text_puts(into, bad > NAMED ? ", ...)" : ")");
    if (bad == 0 || bad == all->rows)
        text_reset(into);
}

static bool broken(Job *j, const Batch *all, Error *err)
{
    char calmer[80];
    Text rows = {0};
    loop_calmer(j, calmer);
    name_bad(j, all, &rows);
    const char *of = rows.count ? " of " : "", *table = rows.count ? j->from.name : "";
    error_set(err, ERROR_SHAPE, "step %lld (epoch %lld): the validation loss is not a finite number%s%s%s; %s%s",
              (long long)j->loop.step, (long long)j->sampler.epoch, text_str(&rows), of, table,
              rows.count ? "look at them, or " : "", calmer);
    text_release(&rows);
    return false;
}

static const char *key_of(Job *j, size_t i)
{
    if (!j->key[i])
        j->key[i] = arena_printf(&j->arena, "val_%s", metrics[i]->name);
    return j->key[i];
}

bool validate(Job *j, double *loss, double *watched, Error *err)
{
    const Batch *all = &j->table.part[PART_VALID];
    const ModelShape *s = features_shape(j->features);
    if (all->rows == 0) {
        *loss = *watched = j->loop.epoch_loss / j->loop.epoch_rows;
        return true;
    }
    *loss = *watched = predict_all(j, all);
    record_add(j, "val_loss", *loss);
    if (!isfinite(*loss))
        return broken(j, all, err);
    size_t n = to_raw(j, all);
    const Metric *main = metric_main(s->task);
    for (size_t i = 0; metrics[i]; i++) {
        if (!metrics[i]->each_epoch || !(metrics[i]->tasks & 1u << s->task))
            continue;
        double v = metrics[i]->score(j->value, j->truth, n, s->classes);
        record_add(j, key_of(j, i), v);
        if (metrics[i] == main && j->spec.params.monitor != 0)
            *watched = v;
    }
    slices_record(j);
    return true;
}
