/* train_load.c -- reads what is new of runs; on a job's thread. */
#include "train_int.h"

#include <stdio.h>

/* ---- what is new ----------------------------------------------------------------------------------- */

static bool load_run(Store *s, Arena *a, size_t most, RunDelta *d, Error *err)
{
    RunRow row;
    if (!store_run_get(s, d->run, a, &row, err))
        return false;
    d->alive = store_run_alive(&row);
    bool ok = store_metrics_part(s, d->run, &d->points, most, a, &d->point, &d->count, err);
    d->more = ok && d->count == most;
    return ok &&
           store_events_since(s, d->run, &d->events, a, &d->event, &d->happened, err) &&
           store_run_params(s, d->run, a, &d->param, &d->params, err) &&
           store_commands_taken(s, d->run, -1, a, &d->command, &d->commands, err) &&
           store_checkpoints(s, d->run, a, &d->checkpoint, &d->checkpoints, err);
}

void *train_load(JobContext *c, void *input, Error *err)
{
    const TrainAsk *ask = input;
    TrainDelta *out = mem_alloc(sizeof *out);
    Store *s = job_store(c, err);
    bool ok = s != NULL;
    size_t room = TRAIN_PART;
    for (size_t i = 0; ok && i < ask->n && room && !job_stopped(c); i++) {
        RunDelta *d = &out->at[out->n++];
        *d = (RunDelta){.run = ask->at[i].run,
                        .from = ask->at[i].points,
                        .points = ask->at[i].points,
                        .events = ask->at[i].events};
        ok = load_run(s, &out->arena, room, d, err);
        room -= d->count;
    }
    if (ok)
        return out;
    train_delta_free(out);
    return NULL;
}

void train_delta_free(void *delta)
{
    TrainDelta *d = delta;
    if (!d)
        return;
    arena_release(&d->arena);
    mem_free(d);
}
