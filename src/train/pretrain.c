/* pretrain.c -- the epochs of a run that come first and need no labels: hidden inputs are filled in.
 *
 * They are epochs like the others: steps, commands, checkpoints, points of the curve, but with keys of their
 * own (pretrain_loss by step, epoch_pretrain_loss and val_pretrain_loss by epoch), and nothing is judged by
 * them. All training rows take part, those without a target too. */
#include "train_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define BLOCK 8192 /* rows looked at at once */

bool pretrain_now(const Job *j)
{
    return j->sampler.epoch < j->pretrain;
}

/* ---- rows without a target ------------------------------------------------------------------------------ */

typedef struct Bare {
    VEC(float) dense;
    VEC(int32_t) code;
    VEC(uint64_t) row;
} Bare;

static void take_bare(const Job *j, const Chunk *c, const Batch *b, Bare *into)
{
    const ModelShape *s = features_shape(j->features);
    for (size_t i = 0; i < c->rows; i++) {
        if (!isnan(b->target[i]) || split_part(&j->split, chunk_origin(c, i)) != PART_TRAIN)
            continue;
        for (size_t k = 0; k < s->dense; k++)
            vec_add(&into->dense, b->dense[i * s->dense + k]);
        for (size_t k = 0; k < s->codes; k++)
            vec_add(&into->code, b->code[i * s->codes + k]);
        vec_add(&into->row, chunk_origin(c, i));
    }
}

static bool read_bare(Job *j, Bare *into, Error *err)
{
    Arena a = {0};
    PlanState *state = j->plan ? plan_state_create(j->plan) : NULL;
    bool ok = true;
    for (size_t i = 0; ok && i < dataset_chunks(j->dataset); i++) {
        Chunk raw, c;
        Batch b;
        ok = dataset_read(j->dataset, i, &a, &raw, err);
        c = raw;
        ok = ok && (!j->plan || plan_apply(j->plan, state, &raw, &a, &c, err)) &&
             features_encode(j->features, &c, true, &a, &b, err);
        if (ok)
            take_bare(j, &c, &b, into);
        arena_reset(&a);
    }
    plan_state_destroy(state);
    arena_release(&a);
    return ok;
}

bool pretrain_open(Job *j, Error *err)
{
    const ModelFamily *f = j->spec.family;
    if (!f->pretrains || j->spec.params.find_lr)
        return true;
    j->pretrain = f->pretrains(j->spec.model_params);
    if (j->pretrain > 0 && j->team)
        return error_set(err, ERROR_USAGE, "pretrain: several processes do not learn without labels yet");
    if (j->pretrain == 0 || j->table.dropped == 0)
        return true;
    Bare bare = {0};
    if (!read_bare(j, &bare, err)) {
        vec_release(&bare.dense);
        vec_release(&bare.code);
        vec_release(&bare.row);
        return false;
    }
    j->bare_row = bare.row.at;
    j->bare = (Batch){.rows = bare.row.count, .dense = bare.dense.at, .code = bare.code.at};
    return true;
}

/* ---- steps and epochs ------------------------------------------------------------------------------------ */

bool pretrain_step(Job *j, const Batch *b, const Knobs *k, StepStats *out, Error *err)
{
    return model_pretrain(j->model, b, k, out, err);
}

/* Of the validation rows, with the same numbers hidden each time. */
static double missed(Job *j)
{
    const Batch *all = &j->table.part[PART_VALID];
    const ModelShape *s = features_shape(j->features);
    double sum = 0;
    for (size_t from = 0; from < all->rows; from += BLOCK) {
        size_t n = all->rows - from < BLOCK ? all->rows - from : BLOCK;
        Batch b = batch_slice(all, s, from, n);
        sum += model_missed(j->model, &b) * (double)n;
    }
    return sum / (double)all->rows;
}

static bool say_over(Job *j, double loss, Error *err)
{
    char text[160];
    snprintf(text, sizeof text,
             "pre-trained for %lld epochs: what is hidden is missed by %.4g of its variance",
             (long long)j->pretrain, loss);
    return job_news(j, "pretrained", text, true, err);
}

bool pretrain_epoch(Job *j, Error *err)
{
    double loss = j->loop.epoch_loss / j->loop.epoch_rows;
    size_t from = j->record.count;
    record_add(j, "epoch_pretrain_loss", loss);
    if (j->table.part[PART_VALID].rows)
        record_add(j, "val_pretrain_loss", loss = missed(j));
    if (!isfinite(loss))
        return error_set(
            err, ERROR_SHAPE,
            "step %lld (pre-training): the loss is not a finite number; lower lr (now %g) or set "
            "clip=1",
            (long long)j->loop.step, j->spec.params.lr);
    char text[64];
    snprintf(text, sizeof text, "pre-training %lld of %lld", (long long)j->sampler.epoch + 1,
             (long long)j->pretrain);
    loop_say_epoch(j, text, from);
    sampler_epoch_next(&j->sampler);
    j->loop.epoch_loss = j->loop.epoch_rows = 0.0;
    if (pretrain_now(j))
        return true;
    j->loop.first_loss = (double)NAN; /* that of the task begins */
    model_pretrained(j->model);
    return say_over(j, loss, err);
}
