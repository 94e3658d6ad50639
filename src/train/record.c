/* record.c -- points of the curves, gathered in memory and written a few times a second.
 *
 * Step curves keep one step in `every`, fixed by the planned number of steps and not by the clock,
 * so that a resumed run records the same points. samples_per_second is the only key that depends on
 * the clock. */
#include "train_int.h"

#define FLUSH_SECONDS 0.2
#define SPEED_SECONDS 0.5

void record_add(Job *j, const char *key, double value)
{
    Record *r = &j->record;
    if (r->count == RECORD_ROOM) /* flushed long before; a full disk must not end in a crash */
        return;
    r->point[r->count++] = (MetricPoint){key, j->loop.step, job_wall(j), value};
}

bool record_flush(Job *j, Error *err)
{
    Record *r = &j->record;
    j->row.step = j->loop.step;
    j->row.epoch = j->sampler.epoch;
    j->row.best = j->loop.best;
    j->row.best_step = j->loop.best_step;
    j->row.heartbeat = time_now();
    if (!store_metrics_add(j->store, j->row.id, r->point, r->count, err) ||
        !store_run_progress(j->store, &j->row, err))
        return false;
    r->count = 0;
    r->flushed = clock_now();
    return true;
}

void record_speed(Job *j, double now)
{
    Record *r = &j->record;
    if (r->speed_rows <= 0.0 || now <= r->speed_since)
        return;
    record_add(j, "samples_per_second", r->speed_rows / (now - r->speed_since));
    r->speed_since = now;
    r->speed_rows = 0.0;
}

bool record_due(Job *j, double now, Error *err)
{
    Record *r = &j->record;
    if (now - r->speed_since >= SPEED_SECONDS)
        record_speed(j, now);
    if (now - r->flushed < FLUSH_SECONDS && r->count < RECORD_ROOM - 64)
        return true;
    return record_flush(j, err);
}
