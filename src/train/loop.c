/* loop.c -- the steps of a run, one after the other.
 *
 *     while training is not over:
 *         is the epoch over?  validate, keep the best, decide whether to stop
 *         commands            of this step again (resumed), or new ones
 *         checkpoint          if one is due
 *         step                gather rows, forward, backward, update; points to the recorder
 *
 * All that happens at a step happens in this order, so a checkpoint taken there says everything.
 * A step allocates nothing, takes no lock and makes no system call but reading the clock
 * (tests/unit/train_quiet_step.c shows it), unless products=onednn: that library allocates. */
#include "train_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIVERGED                                                                                   \
    1e9 /* times the first loss (at least 1): far beyond what a sane run recovers from */
#define PREFETCH     8 /* rows ahead */
#define GATHER_ROWS  128 /* by one thread; a smaller batch is not worth waking another */
#define PAGES_A_ROW  2 /* of the table: one of numbers, and now and then one of targets or codes */
#define PAGE         4096
#define BEST_SECONDS 2.0 /* a new best is written at once if the last write is longer ago */

/* ---- a step ------------------------------------------------------------------------------------------ */

/* Windows of a series are laid out by the model; here they are their places and targets. */
static void gather_windows(Job *j, const uint32_t *order, size_t n, Batch *out)
{
    const Batch *from = &j->table.part[PART_TRAIN];
    size_t targets = shape_targets(features_shape(j->features));
    for (size_t i = 0; i < n; i++) {
        j->at[i] = from->at[order[i]];
        memcpy(j->target + i * targets, from->target + order[i] * targets, targets * sizeof(float));
    }
    *out = (Batch){.rows = n, .series = from->series, .at = j->at, .target = j->target};
}

typedef struct Gather {
    Job *job;
    const uint32_t *order;
    size_t rows;
} Gather;

/* A row without a target: pre-training alone. */
static void gather_bare(Job *j, const ModelShape *s, size_t bare, size_t i)
{
    memcpy(j->dense + i * s->dense, j->bare.dense + bare * s->dense, s->dense * sizeof(float));
    if (s->codes)
        memcpy(j->code + i * s->codes, j->bare.code + bare * s->codes, s->codes * sizeof(int32_t));
    j->target[i] = NAN;
    if (j->table.part[PART_TRAIN].weight)
        j->weight[i] = 1.0f;
}

static void gather_block(void *job, size_t block, size_t worker)
{
    const Gather *g = job;
    Job *j = g->job;
    const uint32_t *order = g->order;
    const Batch *from = &j->table.part[PART_TRAIN];
    const ModelShape *s = features_shape(j->features);
    size_t begin = block * GATHER_ROWS, end = begin + GATHER_ROWS;
    end = end < g->rows ? end : g->rows;
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        size_t row = order[i];
        if (row >= from->rows) {
            gather_bare(j, s, row - from->rows, i);
            continue;
        }
        if (i + PREFETCH < g->rows) {
            size_t next = order[i + PREFETCH] < from->rows ? order[i + PREFETCH] : 0;
            __builtin_prefetch(from->dense + next * s->dense);
            __builtin_prefetch(from->target + next);
        }
        memcpy(j->dense + i * s->dense, from->dense + row * s->dense, s->dense * sizeof(float));
        if (s->codes)
            memcpy(j->code + i * s->codes, from->code + row * s->codes, s->codes * sizeof(int32_t));
        j->target[i] = from->target[row];
        if (from->weight)
            j->weight[i] = from->weight[row];
    }
}

static void need_rows(void *context, size_t row, size_t rows)
{
    const Job *j = context;
    const Batch *from = &j->table.part[PART_TRAIN];
    const ModelShape *s = features_shape(j->features);
    if (row >= from->rows)
        return; /* bare: on the heap */
    rows = from->rows - row < rows ? from->rows - row : rows;
    scratch_soon(j->scratch, from->dense + row * s->dense, rows * s->dense * sizeof(float));
    scratch_soon(j->scratch, from->code + row * s->codes, rows * s->codes * sizeof(int32_t));
    scratch_soon(j->scratch, from->target + row, rows * sizeof(float));
}

static void gather(Job *j, const uint32_t *order, size_t n, Batch *out)
{
    const Batch *from = &j->table.part[PART_TRAIN];
    if (from->series) {
        gather_windows(j, order, n, out);
        return;
    }
    Gather g = {.job = j, .order = order, .rows = n};
    sampler_ahead(&j->sampler, need_rows, j);
    pool_run_near(j->pool, (n + GATHER_ROWS - 1) / GATHER_ROWS, gather_block, &g);
    const ModelShape *s = features_shape(j->features);
    scratch_touched(j->scratch, sampler_by_blocks(j->rows) ? n * sizeof(float) * (s->dense + s->codes + 1)
                                                           : n * PAGES_A_ROW * PAGE);
    *out = (Batch){.rows = n,
                   .dense = j->dense,
                   .code = j->code,
                   .target = j->target,
                   .weight = from->weight ? j->weight : NULL};
}

size_t loop_batch(Job *j, const Knobs *k, const uint32_t **order, Batch *out)
{
    *order = NULL;
    *out = j->table.part[PART_TRAIN];
    size_t n = sampler_next(&j->sampler, (size_t)j->spec.params.batch, order);
    team_step(j, k, n);
    if (*order && j->team)
        team_gather(j, *order, n, out);
    else if (*order)
        gather(j, *order, n, out);
    return n;
}

/* "3, 77, 12": rows of the batch (NULL: the first) as rows of the dataset, the first being 1 as on the screen */
static void name_rows(const Job *j, const uint32_t *order, const uint32_t *which, size_t n, char *out,
                      size_t size)
{
    for (size_t i = 0, at = 0; i < n && i < 6 && at < size; i++) {
        size_t k = which ? which[i] : i;
        at += (size_t)snprintf(out + at, size - at, "%s%llu", i ? ", " : "",
                               (unsigned long long)job_row(j, order ? order[k] : k) + 1);
    }
}

void loop_calmer(const Job *j, char out[80])
{
    const RunParams *p = &j->spec.params;
    int n = snprintf(out, 80, "lower lr (now %g)", p->lr);
    if (!j->spec.family->whole_batch && p->clip > 0)
        snprintf(out + n, 80 - (size_t)n, " or clip (now %g)", p->clip);
    else if (!j->spec.family->whole_batch)
        snprintf(out + n, 80 - (size_t)n, " or set clip=1");
}

/* Not all that a model names is a layer. */
static const char *kind_of(const char *layer)
{
    bool other = text_equal(layer, "loss") || text_equal(layer, "target") || text_starts(layer, "gradient of ");
    return other ? "the " : text_starts(layer, "tree ") ? "" : "layer ";
}

/* "step 12 (epoch 0): ... in layer head at rows 77 and 2 more; batch of 256 rows (3, 77, ...) of trips" */
static bool diverged(Job *j, const StepStats *stats, const uint32_t *order, size_t n, Error *err)
{
    char rows[160] = "", bad[160] = "", where[300] = "", calmer[80];
    loop_calmer(j, calmer);
    name_rows(j, order, NULL, n, rows, sizeof rows);
    if (stats->layer[0])
        snprintf(where, sizeof where, " in %s%s", kind_of(stats->layer), stats->layer);
    if (stats->bad && stats->bad < n) {
        name_rows(j, order, stats->bad_row, stats->bad < 6 ? stats->bad : 6, bad, sizeof bad);
        snprintf(where, sizeof where, " in %s%s, of rows (%s%s)", kind_of(stats->layer), stats->layer, bad,
                 stats->bad > 6 ? ", ..." : "");
    }
    const char *what = stats->finite && isfinite(stats->loss)
                           ? "the loss has grown beyond all measure"
                           : "not a number or infinite";
    return error_set(err, ERROR_SHAPE,
                     "step %lld (epoch %lld): %s%s; batch of %zu rows (%s%s) of %s; %s",
                     (long long)j->loop.step, (long long)j->sampler.epoch, what, where, n, rows,
                     n > 6 ? ", ..." : "", j->from.name, calmer);
}

Knobs loop_knobs(const Job *j)
{
    const RunParams *p = &j->spec.params;
    Pace pace = {
        .step = j->loop.step,
        .cuts = j->loop.cuts,
        .epoch = pretrain_now(j) ? 0.0
                                 : (double)(j->sampler.epoch - j->pretrain) +
                                       (double)j->sampler.position / (double)j->sampler.rows,
    };
    return (Knobs){.lr = run_lr(&pace, p),
                   .weight_decay = p->weight_decay,
                   .momentum = p->momentum,
                   .dropout = p->dropout,
                   .clip = p->clip};
}

/* An event: what it is in a line, then model_layers. */
static bool tell_layers(Job *j, size_t rows, Error *err)
{
    char line[120];
    j->layers_asked = false;
    json_t *list = model_layers(j->model, rows);
    if (list)
        snprintf(line, sizeof line, "outputs and gradients of %zu layers and tensors", json_array_size(list));
    else
        snprintf(line, sizeof line, "a %s has no layers", j->spec.family->name);
    char *json = list ? json_dumps(list, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
    Text text = {0};
    text_printf(&text, "%s%s%s", line, json ? "\n" : "", json ? json : "");
    bool ok = store_event_add(j->store, j->row.id, j->loop.step, "layers", text_str(&text), err) &&
              job_news(j, "layers", line, false, err);
    text_release(&text);
    free(json);
    json_decref(list);
    return ok;
}

static bool sane(const Job *j, const StepStats *s)
{
    double first = isnan(j->loop.first_loss) ? fabs(s->loss) : fabs(j->loop.first_loss);
    return s->finite && isfinite(s->loss) && fabs(s->loss) <= DIVERGED * fmax(1.0, first);
}

static bool task_step(Job *j, const Batch *b, const Knobs *k, StepStats *out, Error *err)
{
    return model_step(j->model, b, k, out, err);
}

bool loop_step(Job *j, Error *err)
{
    const uint32_t *order;
    StepStats stats = {.finite = true};
    Batch batch;
    Knobs knobs = loop_knobs(j);
    Sampler before = j->sampler;
    size_t n = loop_batch(j, &knobs, &order, &batch);
    bool first = pretrain_now(j);
    if (!(first ? pretrain_step : task_step)(j, &batch, &knobs, &stats, err)) {
        j->sampler.epoch = before.epoch; /* the step was not made */
        j->sampler.position = before.position;
        return error_in(err, "step %lld", (long long)j->loop.step + 1);
    }
    j->loop.step++;
    j->record.speed_rows += (double)n;
    bool ok = sane(j, &stats);
    if (!ok || j->loop.step % j->record.every == 0) {
        record_add(j, first ? "pretrain_loss" : "train_loss", stats.loss);
        record_add(j, "lr", knobs.lr);
        record_add(j, "grad_norm", stats.grad_norm);
    }
    if (!ok)
        return diverged(j, &stats, order, n, err);
    if (isnan(j->loop.first_loss))
        j->loop.first_loss = stats.loss;
    j->loop.epoch_loss += stats.loss * (double)n;
    j->loop.epoch_rows += (double)n;
    /* a team's leader has run the first of its rows */
    return !j->layers_asked || tell_layers(j, n / team_size(j->team), err);
}

/* ---- the end of an epoch ------------------------------------------------------------------------------- */

static void end(Job *j, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void end(Job *j, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(j->loop.why, sizeof j->loop.why, fmt, args);
    va_end(args);
    j->loop.over = true;
}

/* True: it is the best so far. */
static bool judge(Job *j, double watched)
{
    LoopState *l = &j->loop;
    const RunParams *p = &j->spec.params;
    bool better = isnan(l->best) || watched < l->best - p->min_delta;
    if (better) {
        l->best = watched;
        l->best_step = l->step;
        l->bad = l->plateau_bad = 0;
        return true;
    }
    l->bad++;
    if (++l->plateau_bad >= p->step_every) {
        l->plateau_bad = 0;
        l->cuts++;
    }
    if (p->patience > 0 && l->bad >= p->patience)
        end(j, "stopped early at step %lld: no better %s for %d epochs", (long long)l->step,
            j->row.monitor, l->bad);
    return false;
}

void loop_say_epoch(const Job *j, const char *text, size_t from)
{
    RunNews news = {.run = j->row.id,
                    .step = j->loop.step,
                    .epoch = j->sampler.epoch + 1,
                    .kind = "epoch",
                    .text = text,
                    .metrics = j->record.point + from,
                    .count = j->record.count - from};
    if (j->on_news)
        j->on_news(j->context, &news);
}

static void say_epoch(const Job *j, size_t from)
{
    char text[64];
    snprintf(text, sizeof text, "epoch %lld of %d", (long long)(j->sampler.epoch - j->pretrain) + 1,
             j->spec.params.epochs);
    loop_say_epoch(j, text, from);
}

static bool end_epoch(Job *j, Error *err)
{
    double loss, watched;
    if (j->record.count > RECORD_ROOM / 2 && !record_flush(j, err))
        return false;
    if (pretrain_now(j))
        return pretrain_epoch(j, err);
    size_t from = j->record.count;
    record_add(j, "epoch_train_loss", j->loop.epoch_loss / j->loop.epoch_rows);
    if (!validate(j, &loss, &watched, err))
        return false;
    say_epoch(j, from);
    bool best = judge(j, watched);
    sampler_epoch_next(&j->sampler);
    j->loop.epoch_loss = j->loop.epoch_rows = 0.0;
    if (!j->loop.over && j->sampler.epoch >= j->pretrain + j->spec.params.epochs)
        end(j, "all %d epochs done", j->spec.params.epochs);
    if (!best)
        return true;
    checkpoint_remember_best(j);
    return clock_now() - j->checkpointed < BEST_SECONDS || j->loop.over || checkpoint_write(j, err);
}

/* A long step was given up, because someone wants the run to end: that is found between two steps. */
static bool given_up(Job *j, Error *err)
{
    if (j->team || !err || err->kind != ERROR_STOP || !progress_stopped(j->progress))
        return false;
    *err = (Error){0};
    atomic_store(&j->progress->stop.asked, false);
    j->polled = 0;
    return true;
}

/* ---- the loop -------------------------------------------------------------------------------------------- */

static bool checkpoint_is_due(const Job *j, double now)
{
    return j->checkpoint_asked || now - j->checkpointed >= j->spec.params.checkpoint_seconds;
}

static void expect_steps(Job *j)
{
    size_t each = sampler_steps(&j->sampler, (size_t)j->spec.params.batch);
    int64_t left = j->pretrain + (int64_t)j->spec.params.epochs - j->sampler.epoch;
    size_t done = j->sampler.position / (size_t)j->spec.params.batch;
    j->row.steps_total = j->loop.step + (left > 0 ? left * (int64_t)each - (int64_t)done : 0);
    if (j->row.steps_total < j->loop.step)
        j->row.steps_total = j->loop.step;
}

static bool between_steps(Job *j, Error *err)
{
    if (!commands_replay(j, err) || (!j->loop.over && !commands_poll(j, err)))
        return false;
    if (!j->loop.over && stop_asked(j->stop) && !team_sound(j->team, err))
        return false; /* mpirun asks, because another process is gone */
    if (!j->loop.over && stop_asked(j->stop))
        end(j, "stopped by request at step %lld", (long long)j->loop.step);
    expect_steps(j);
    return true;
}

bool loop_run(Job *j, Error *err)
{
    while (!j->loop.over) {
        if (sampler_epoch_over(&j->sampler, (size_t)j->spec.params.batch)) {
            if (!end_epoch(j, err))
                return false;
            if (j->loop.over)
                break;
        }
        if (!between_steps(j, err))
            return false;
        if (j->loop.over || sampler_epoch_over(&j->sampler, (size_t)j->spec.params.batch))
            continue; /* a larger batch may have ended the epoch */
        double now = clock_now();
        if (checkpoint_is_due(j, now) && !checkpoint_write(j, err))
            return false;
        bool ok = loop_step(j, err);
        if (j->look.shown && !job_look_end(j, ok ? err : NULL))
            return false;
        if (!ok && !given_up(j, err))
            return false;
        if (!record_due(j, now, err))
            return false;
    }
    record_speed(j, clock_now());
    return record_flush(j, err);
}
