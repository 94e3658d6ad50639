/* walk.c -- the chunks of a table through a plan: worked on in parallel, joined in order.
 *
 * Chunks are taken in groups of walk_slots(); a group is worked on by the pool, then joined on the
 * calling thread in the order of the chunks, so whatever join sums comes out the same for any
 * number of threads, and memory holds one group. A plan that remembers rows (dedupe) has to see
 * them in order: it is then applied on the calling thread. */
#include "feature_int.h"

size_t walk_slots(Pool *pool)
{
    size_t threads = pool ? pool_threads(pool) : 1;
    return threads > 1 ? 2 * threads : 1;
}

typedef struct Slot {
    Arena arena;
    Chunk chunk;
    bool ready, ok; /* ready: went through the plan already */
    Error error;
} Slot;

typedef struct Group {
    const Walk *walk;
    Slot *slot;
    size_t first; /* chunk of slot 0 */
} Group;

static bool prepare(const Walk *w, PlanState *state, size_t chunk, Slot *s)
{
    Chunk raw;
    if (!dataset_read(w->dataset, chunk, &s->arena, &raw, &s->error))
        return false;
    if (!w->plan)
        s->chunk = raw;
    else if (!plan_apply(w->plan, state, &raw, &s->arena, &s->chunk, &s->error))
        return false;
    progress_add(w->progress, raw.rows);
    return true;
}

static bool go_on(const Walk *w, Error *err)
{
    return !progress_stopped(w->progress) || error_set(err, ERROR_STOP, "stopped on request");
}

static void work_one(void *job, size_t i, size_t worker)
{
    Group *g = job;
    Slot *s = &g->slot[i];
    if (worker == 0)
        progress_look(g->walk->progress);
    if (!go_on(g->walk, &s->error)) {
        s->ok = false;
        return;
    }
    if (!s->ready)
        s->ok = prepare(g->walk, NULL, g->first + i, s);
    s->ok = s->ok && g->walk->work(g->walk->job, i, &s->chunk, &s->arena, &s->error);
}

static bool run_group(Group *g, PlanState *state, size_t count, Error *err)
{
    for (size_t i = 0; i < count; i++) {
        Slot *s = &g->slot[i];
        arena_reset(&s->arena);
        s->error = (Error){0};
        s->ready = state != NULL;
        progress_look(g->walk->progress);
        s->ok = !state || (go_on(g->walk, &s->error) && prepare(g->walk, state, g->first + i, s));
    }
    pool_run(g->walk->pool, count, work_one, g);
    for (size_t i = 0; i < count; i++) {
        if (!g->slot[i].ok) {
            if (err)
                *err = g->slot[i].error;
            return false;
        }
        if (!g->walk->join(g->walk->job, i, err))
            return false;
    }
    return true;
}

bool walk_run(const Walk *w, Error *err)
{
    size_t chunks = dataset_chunks(w->dataset), slots = walk_slots(w->pool);
    bool ordered = w->plan && plan_is_ordered(w->plan);
    PlanState *state = ordered ? plan_state_create(w->plan) : NULL;
    Group g = {.walk = w, .slot = mem_alloc(slots * sizeof *g.slot)};
    bool ok = true;
    for (; ok && g.first < chunks; g.first += slots) {
        size_t left = chunks - g.first;
        ok = go_on(w, err) && run_group(&g, state, left < slots ? left : slots, err);
    }
    for (size_t i = 0; i < slots; i++)
        arena_release(&g.slot[i].arena);
    mem_free(g.slot);
    plan_state_destroy(state);
    return ok;
}
