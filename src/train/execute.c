/* execute.c -- a run from claim to end, or from where a kill left it. */
#include "train_int.h"

#include <lathe/nn.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool begin(Job *j, Error *err)
{
    bool found = false;
    char text[160];
    const RunParams *p = &j->spec.params;
    j->record.every = p->record_every ? p->record_every : (int64_t)(j->planned / 2500) + 1;
    j->row.task = task_name(features_shape(j->features)->task);
    j->row.monitor = validate_watches(j);
    if (!job_model(j, (size_t)p->batch, err) || !checkpoint_restore(j, &found, err) ||
        (!found && !origin_weights(j, err)) || !team_state(j, err) ||
        !commands_load(j, err) ||
        !store_metrics_cut(j->store, j->row.id, found ? j->loop.step : -1, err))
        return false;
    j->row.epochs_total = p->epochs + j->pretrain;
    j->row.steps_total = (int64_t)j->planned;
    j->started = j->checkpointed = j->record.speed_since = clock_now();
    snprintf(text, sizeof text, "%zu training, %zu validation, %zu test rows; %zu weights",
             j->rows, j->table.part[PART_VALID].rows,
             j->table.part[PART_TEST].rows, model_weights(j->model));
    if (found)
        snprintf(text, sizeof text, "goes on from step %lld", (long long)j->loop.step);
    return record_flush(j, err) && job_news(j, found ? "resume" : "start", text, true, err);
}

static bool left_out(Job *j, Error *err)
{
    json_t *notes = features_notes(j->features), *note;
    size_t i;
    bool ok = true;
    json_array_foreach(notes, i, note) ok =
        ok && job_news(j, "note", json_string_value(note), true, err);
    json_decref(notes);
    return ok;
}

static bool suspend(Job *j, Error *err)
{
    return checkpoint_write(j, err) && job_news(j, "abort", j->loop.why, true, err) &&
           store_run_status(j->store, j->row.id, RUN_KILLED, j->loop.why, err);
}

static bool go(Job *j, Error *err)
{
    if (j->spec.params.find_lr)
        return begin(j, err) && find_lr(j, err);
    if (!begin(j, err) || (j->loop.step == 0 && !left_out(j, err)) || !loop_run(j, err))
        return false;
    if (j->loop.step == 0)
        return error_set(err, ERROR_STOP, "stopped by request before the first step");
    return j->aborted ? suspend(j, err) : finish_run(j, err);
}

/* Another process is gone: what was learnt up to the last whole step is written, and the run can go on
 * from there, with as many processes as one likes. */
static void keep_for_later(Job *j, Error *err)
{
    size_t n = strlen(err->text);
    if (checkpoint_write(j, NULL) && j->loop.step > 0)
        snprintf(err->text + n, sizeof err->text - n, "; step %lld is kept: lathe runs resume %lld",
                 (long long)j->loop.step, (long long)j->row.id);
}

static void forget_commands(Store *s, int64_t run)
{
    Arena a = {0};
    CommandRow *c;
    size_t n;
    store_commands_take(s, run, &a, &c, &n, NULL);
    arena_release(&a);
}

/* The reason is stored as well; what was learnt up to the last good step is kept. */
static void fail(Job *j, Store *s, int64_t run, Error *err)
{
    bool asked = err->kind == ERROR_STOP || team_lost(j->team);
    if (j->model && team_lost(j->team))
        keep_for_later(j, err);
    else if (j->model) {
        record_flush(j, NULL);
        bool kept = checkpoint_write_best(j, NULL) && j->loop.best_step >= 0;
        size_t n = strlen(err->text);
        if (kept && err->kind == ERROR_SHAPE)
            snprintf(err->text + n, sizeof err->text - n,
                     "; its best weights are kept: fork it at step %lld",
                     (long long)j->loop.best_step);
    }
    if (err->kind == ERROR_STOP && j->loop.step == 0) /* a stop that it has obeyed, not for the next time */
        forget_commands(s, run);
    store_run_status(s, run, asked ? RUN_KILLED : RUN_FAILED, err->text, NULL);
    if (j->store)
        job_news(j, "fail", err->text, true, NULL);
}

/* Before the run is claimed, so that it stays as it is until the library is there. */
static bool can_multiply(Store *s, int64_t run, Error *err)
{
    Arena a = {0};
    RunSpec spec;
    bool ok = true;
    if (run_spec_load(&spec, s, run, &a, NULL)) {
        ok = products_there((Products)spec.params.products, (Precision)spec.params.precision, err) ||
             error_in(err, "run %lld", (long long)run);
        run_spec_release(&spec);
    }
    arena_release(&a);
    return ok;
}

bool run_execute_team(Team *team, Store *s, int64_t run, Pool *pool, OnRunNews on_news, void *context,
                      const Stop *stop, Error *err)
{
    Error why = {0};
    if (!can_multiply(s, run, err) || !store_run_claim(s, run, getpid(), err))
        return false;
    Job *j = mem_alloc(sizeof *j);
    j->team = team;
    j->on_news = on_news;
    j->context = context;
    j->stop = stop;
    job_look_begin(j);
    bool ok = job_open(j, s, run, pool, &why) && job_look_end(j, &why) && go(j, &why);
    if (!ok) {
        fail(j, s, run, &why);
        if (err)
            *err = why;
    }
    job_close(j);
    mem_free(j);
    return ok;
}

bool run_execute(Store *s, int64_t run, Pool *pool, OnRunNews on_news, void *context,
                 const Stop *stop, Error *err)
{
    return run_execute_team(NULL, s, run, pool, on_news, context, stop, err);
}

bool run_bundle_path(Store *s, int64_t run, Arena *a, const char **path, Error *err)
{
    RunRow r;
    if (!store_run_get(s, run, a, &r, err))
        return false;
    *path = store_path(s, a, "runs/%lld/bundle", (long long)run);
    if (file_exists(arena_printf(a, "%s/bundle.json", *path)))
        return true;
    if (store_run_alive(&r))
        return error_set(err, ERROR_USAGE,
                         "run %lld is still training; its model is there when it"
                         " ends (or stop it)",
                         (long long)run);
    return error_set(err, ERROR_USAGE, "run %lld has no model: it is %s%s%s", (long long)run,
                     run_status_name(r.status), *r.message ? ": " : "", r.message);
}
