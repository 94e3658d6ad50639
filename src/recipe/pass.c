/* pass.c -- a plan's steps over all chunks of a source: parallel where the order does not matter.
 *
 * Chunks go in batches, an arena each. Steps between two ordered ones run on the pool; an ordered
 * step (dedupe) runs on the caller, chunk after chunk. */
#include "recipe_int.h"

#include <string.h>

typedef struct Lane {
    Arena arena;
    Chunk chunk;
    Frame frame;
    bool no_target, ok;
    Error err;
} Lane;

typedef struct Batch {
    const Pass *pass;
    const ChunkSource *from;
    Lane *lane;
    size_t first, count; /* chunks */
    size_t step, until;  /* the steps to run now */
    PlanState *state;
} Batch;

static bool lane_begin(Batch *b, size_t i)
{
    Lane *l = &b->lane[i];
    arena_reset(&l->arena);
    b->from->get(b->from->context, b->first + i, &l->arena, &l->chunk);
    return frame_begin(&l->frame, b->pass->plan, &l->chunk, &l->arena, &l->no_target, &l->err);
}

static bool lane_step(Batch *b, size_t i, size_t step)
{
    Lane *l = &b->lane[i];
    const Pass *pass = b->pass;
    return (!pass->each || pass->each(pass->context, b->first + i, step, &l->frame, &l->err)) &&
           (step == pass->until ||
            frame_step(&l->frame, pass->plan, step, b->state, l->no_target, &l->err));
}

static bool go_on(const Pass *pass, Error *err)
{
    bool stopped = stop_asked(pass->stop) || progress_stopped(pass->progress);
    return !stopped || error_set(err, ERROR_STOP, "stopped on request");
}

static void run_lane(void *job, size_t i, size_t worker)
{
    Batch *b = job;
    Lane *l = &b->lane[i];
    if (worker == 0)
        progress_look(b->pass->progress);
    if (b->step == 0)
        l->ok = go_on(b->pass, &l->err) && lane_begin(b, i);
    for (size_t s = b->step; l->ok && s < b->until; s++)
        l->ok = go_on(b->pass, &l->err) && lane_step(b, i, s);
}

static bool lanes_ok(const Batch *b, Error *err)
{
    for (size_t i = 0; i < b->count; i++)
        if (!b->lane[i].ok)
            return error_set(err, b->lane[i].err.kind, "%s", b->lane[i].err.text);
    return true;
}

static bool run_batch(Batch *b, Error *err)
{
    const Pass *pass = b->pass;
    for (size_t step = 0; step <= pass->until;) {
        bool ordered = step < pass->until && pass->plan->step[step].rule->ordered;
        size_t until = step;
        while (until <= pass->until &&
               (until == pass->until || !pass->plan->step[until].rule->ordered))
            until++;
        b->step = step;
        b->until = ordered ? step : until; /* an ordered first step: only fetch the chunks */
        if (step == 0 || !ordered)
            pool_run(pass->pool, b->count, run_lane, b);
        if (!lanes_ok(b, err))
            return false;
        for (size_t i = 0; ordered && i < b->count; i++) {
            progress_look(pass->progress);
            b->lane[i].ok = go_on(pass, &b->lane[i].err) && lane_step(b, i, step);
            if (!lanes_ok(b, err))
                return false;
        }
        step = ordered ? step + 1 : until;
    }
    return true;
}

bool pass_run(const Pass *pass, const ChunkSource *from, Error *err)
{
    size_t lanes = 2 * (pass->pool ? pool_threads(pass->pool) : 1);
    Batch b = {.pass = pass,
               .from = from,
               .lane = mem_alloc(lanes * sizeof *b.lane),
               .state = plan_state_create(pass->plan)};
    bool ok = true;
    for (size_t i = 0; i < b.state->count; i++)
        b.state->memory[i].dir = pass->dir;
    for (b.first = 0; ok && b.first < from->count; b.first += lanes) {
        b.count = from->count - b.first < lanes ? from->count - b.first : lanes;
        progress_look(pass->progress);
        ok = go_on(pass, err) && run_batch(&b, err);
        for (size_t i = 0; ok && i < b.count; i++) {
            if (pass->merge)
                ok = pass->merge(pass->context, b.first + i, &b.lane[i].frame, err);
            progress_add(pass->progress, b.lane[i].chunk.rows);
        }
    }
    for (size_t i = 0; i < lanes; i++)
        arena_release(&b.lane[i].arena);
    mem_free(b.lane);
    plan_state_destroy(b.state);
    return ok;
}
