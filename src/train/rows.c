/* rows.c -- from a step on the curve to the rows of its batch: the walk is taken again. */
#include "train_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Where the walk begins: step 0, or the checkpoint a fork began with. */
static bool begin(Job *j, Error *err)
{
    if (!j->row.parent)
        return true;
    json_t *state = checkpoint_state(j->store, j->row.id, j->row.parent_step, err);
    if (!state)
        return false;
    j->loop.step = json_integer_value(json_object_get(state, "step"));
    j->loop.command = json_integer_value(json_object_get(state, "command"));
    j->sampler.epoch = json_integer_value(json_object_get(state, "epoch"));
    j->sampler.position = (size_t)json_integer_value(json_object_get(state, "position"));
    json_decref(state);
    return true;
}

/* The batch size as the commands taken before this step left it; the order is that of loop.c. */
static size_t batch_at(Job *j)
{
    for (; j->replayed < j->replays && j->replay[j->replayed].step <= j->loop.step; j->replayed++) {
        const CommandRow *c = &j->replay[j->replayed];
        if (text_equal(c->verb, "set") && text_equal(c->key, "batch"))
            params_set(run_params, &j->spec.params, "batch", c->value, NULL);
    }
    return (size_t)j->spec.params.batch;
}

static const uint32_t *walk(Job *j, int64_t step, size_t *n)
{
    const uint32_t *order = NULL;
    while (j->loop.step < step) {
        if (sampler_epoch_over(&j->sampler, (size_t)j->spec.params.batch))
            sampler_epoch_next(&j->sampler);
        size_t batch = batch_at(j);
        bool last = j->loop.step + 1 == step;
        *n = sampler_next(&j->sampler, batch, last ? &order : NULL);
        j->loop.step++;
    }
    return order;
}

static bool go_to(Job *j, int64_t step, const uint32_t **order, size_t *n, Error *err)
{
    if (!begin(j, err) || !commands_load(j, err))
        return false;
    if (step <= j->loop.step || step > j->row.step)
        return error_set(err, ERROR_USAGE, "run %lld has steps %lld to %lld, not %lld",
                         (long long)j->row.id, (long long)j->loop.step + 1, (long long)j->row.step,
                         (long long)step);
    *order = walk(j, step, n);
    return true;
}

static bool look(Job *j, int64_t step, Arena *a, uint64_t **rows, size_t *n, Error *err)
{
    const uint32_t *order;
    if (!go_to(j, step, &order, n, err))
        return false;
    *rows = ARENA_NEW(a, uint64_t, *n + 1);
    for (size_t i = 0; i < *n; i++)
        (*rows)[i] = job_row(j, order ? order[i] : i);
    return true;
}

static int larger_loss(const void *left, const void *right)
{
    const StepRow *a = left, *b = right;
    if (a->loss != b->loss) /* one that is no number first: it is what one looks for */
        return !(a->loss <= b->loss) && !(isnan(b->loss) && !isnan(a->loss)) ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

/* Each row alone: its loss is what the row adds to the batch's. */
static bool weigh(Job *j, const uint32_t *order, StepRow *rows, size_t n, Error *err)
{
    const Batch *all = &j->table.part[PART_TRAIN];
    const ModelShape *s = features_shape(j->features);
    float *out = mem_try((s->outputs + 1) * sizeof *out, err);
    progress_begin(j->progress, "weighing the rows", "rows", n);
    for (size_t i = 0; out && i < n && !progress_stopped(j->progress); i++) {
        size_t at = order ? order[i] : i;
        size_t labelled = all->rows;
        Batch one = batch_slice(at < labelled ? all : &j->bare, s, at < labelled ? at : at - labelled, 1);
        double loss = (double)NAN;
        if (pretrain_now(j))
            loss = model_missed(j->model, &one);
        else {
            model_predict(j->model, &one, out);
            loss = model_loss(j->model, &one, out);
        }
        rows[i] = (StepRow){job_row(j, at), loss};
        progress_add(j->progress, 1);
    }
    mem_free(out);
    return out && (!progress_stopped(j->progress) || error_set(err, ERROR_STOP, "stopped on request"));
}

static bool look_deeper(Job *j, int64_t step, Arena *a, StepRow **rows, size_t *n,
                        int64_t *weights_of, Error *err)
{
    const uint32_t *order;
    if (!go_to(j, step, &order, n, err))
        return false;
    *rows = ARENA_NEW(a, StepRow, *n + 1);
    for (size_t i = 0; i < *n; i++)
        (*rows)[i] = (StepRow){job_row(j, order ? order[i] : i), (double)NAN};
    if (!job_model(j, 1, err) || !checkpoint_load_near(j, step, weights_of, err))
        return false;
    if (*weights_of < 0)
        return true;
    if (!weigh(j, order, *rows, *n, err))
        return false;
    qsort(*rows, *n, sizeof **rows, larger_loss);
    return true;
}

/* A run that is only asked: its rows are found as it found them. */
static Job *ask(Store *s, int64_t run, Progress *progress, Error *err)
{
    Job *j = mem_alloc(sizeof *j);
    j->progress = progress;
    if (job_open(j, s, run, NULL, err))
        return j;
    job_close(j);
    mem_free(j);
    return NULL;
}

bool run_losses_of_step(Store *s, int64_t run, int64_t step, Progress *progress, Arena *a, StepRow **rows, size_t *n,
                        int64_t *weights_of, Error *err)
{
    Job *j = ask(s, run, progress, err);
    bool ok = j && look_deeper(j, step, a, rows, n, weights_of, err);
    if (j)
        job_close(j);
    mem_free(j);
    return ok;
}

bool run_rows_of_step(Store *s, int64_t run, int64_t step, Progress *progress, Arena *a, uint64_t **rows, size_t *n,
                      Error *err)
{
    Job *j = ask(s, run, progress, err);
    bool ok = j && look(j, step, a, rows, n, err);
    if (j)
        job_close(j);
    mem_free(j);
    return ok;
}
