/* find_lr.c -- the learning-rate finder (Smith 2017, "Cyclical learning rates"): a short run whose rate
 * rises exponentially from far too small to far too large.
 *
 *     lr(k) = 1e-7 (10 / 1e-7)^(k / (steps - 1))
 *
 * After each step the loss of the same rows is taken (probe_loss), without the noise of which rows the
 * batch had. The sweep ends when it is four times its least, or no number. Suggested is the rate where
 * it falls fastest by log lr, and never more than a tenth of where it diverges. The sweep is a run of
 * its own: its curve is drawn like any other, and it leaves no model. */
#include "train_int.h"

#include <math.h>
#include <stdio.h>

#define STEPS    200
#define LEAST    1e-7
#define MOST     10.0
#define SETTLE   30   /* steps at the least rate first: running statistics come to what they are */
#define PROBE    1024 /* rows */
#define DIVERGED 4.0
#define BEGIN    10 /* steps before anything is judged */
#define SPAN     8  /* steps on either side that a slope is taken over */

typedef struct Sweep {
    double lr[STEPS], probe[STEPS];
    size_t n;
    Batch rows;      /* the probe's */
    float *out;      /* [PROBE][outputs] */
    double least;    /* probe_loss */
    double diverged; /* at this rate; NaN: it did not */
} Sweep;

static bool step(Job *j, Sweep *s, bool settles, Error *err)
{
    Batch batch;
    const uint32_t *order;
    StepStats stats = {.finite = true};
    Knobs knobs = loop_knobs(j);
    knobs.lr = LEAST * pow(MOST / LEAST, (double)s->n / (STEPS - 1));
    if (sampler_epoch_over(&j->sampler, (size_t)j->spec.params.batch))
        sampler_epoch_next(&j->sampler);
    loop_batch(j, &knobs, &order, &batch);
    if (!model_step(j->model, &batch, &knobs, &stats, err))
        return error_in(err, "step %lld", (long long)j->loop.step + 1);
    j->loop.step++;
    j->record.speed_rows += (double)batch.rows;
    if (settles)
        return stats.finite || error_set(err, ERROR_SHAPE,
                                         "the loss is no number before anything was learnt"
                                         " (layer %s); look at the data",
                                         stats.layer);
    model_predict(j->model, &s->rows, s->out);
    double probe = model_loss(j->model, &s->rows, s->out);
    if (!stats.finite || !isfinite(stats.loss) || !isfinite(probe)) {
        s->diverged = knobs.lr;
        return true;
    }
    record_add(j, "train_loss", stats.loss);
    record_add(j, "probe_loss", probe);
    record_add(j, "lr", knobs.lr);
    record_add(j, "grad_norm", stats.grad_norm);
    s->lr[s->n] = knobs.lr;
    s->probe[s->n++] = probe;
    s->least = fmin(s->least, probe);
    if (s->n > BEGIN && probe > DIVERGED * s->least)
        s->diverged = knobs.lr;
    return true;
}

/* Index of the rate where the loss falls fastest; of its least where it never falls. */
static size_t steepest(const Sweep *s)
{
    size_t best = 0, lowest = 0;
    double slope = 0.0;
    for (size_t i = 0; i < s->n; i++)
        lowest = s->probe[i] < s->probe[lowest] ? i : lowest;
    for (size_t i = BEGIN; i + SPAN < s->n && i <= lowest; i++) {
        double falls = s->probe[i + SPAN] - s->probe[i < SPAN ? 0 : i - SPAN];
        if (falls < slope) {
            slope = falls;
            best = i;
        }
    }
    return best ? best : lowest;
}

static bool finish(Job *j, const Sweep *s, Error *err)
{
    char text[160];
    size_t at = steepest(s);
    double lr = s->lr[at], most = isnan(s->diverged) ? MOST : s->diverged;
    bool held = lr > most / 10.0;
    lr = held ? most / 10.0 : lr;
    int n = snprintf(text, sizeof text, "lr=%.2g: ", lr);
    n += snprintf(text + n, sizeof text - (size_t)n,
                  held ? "a tenth of where" : "the loss falls fastest there;");
    if (isnan(s->diverged))
        snprintf(text + n, sizeof text - (size_t)n, " it did not diverge up to %g", MOST);
    else
        snprintf(text + n, sizeof text - (size_t)n, " it diverges at %.2g", s->diverged);
    record_add(j, "lr_found", lr);
    if (!isnan(s->diverged))
        record_add(j, "lr_diverged", s->diverged);
    snprintf(j->loop.why, sizeof j->loop.why, "%s", text);
    if (!record_flush(j, err) || !store_begin(j->store, err))
        return false;
    if (store_event_add(j->store, j->row.id, SETTLE + (int64_t)at + 1, "suggest", text, err) &&
        store_run_status(j->store, j->row.id, RUN_FINISHED, text, err) &&
        store_event_add(j->store, j->row.id, j->loop.step, "end", text, err) &&
        store_commit(j->store, err))
        return job_news(j, "end", text, false, err);
    store_rollback(j->store);
    return false;
}

bool find_lr(Job *j, Error *err)
{
    Sweep s = {.diverged = (double)NAN, .least = (double)INFINITY};
    s.rows = j->table.part[PART_TRAIN];
    s.rows.rows = s.rows.rows < PROBE ? s.rows.rows : PROBE;
    s.out = mem_alloc(s.rows.rows * features_shape(j->features)->outputs * sizeof *s.out);
    bool ok = true;
    j->row.steps_total = SETTLE + STEPS;
    while (ok && s.n < STEPS && isnan(s.diverged)) {
        ok = step(j, &s, j->loop.step < SETTLE, err) && record_due(j, clock_now(), err) &&
             commands_poll(j, err);
        if (ok && (stop_asked(j->stop) || j->loop.over))
            ok = error_set(err, ERROR_STOP, "stopped by request at step %lld",
                           (long long)j->loop.step);
    }
    if (ok && s.n < 2 * BEGIN)
        ok = error_set(err, ERROR_SHAPE,
                       "the loss diverges from the first steps on; look at the data and the loss");
    ok = ok && finish(j, &s, err);
    mem_free(s.out);
    return ok;
}
