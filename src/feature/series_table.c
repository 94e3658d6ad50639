/* series_table.c -- the windows of a table of series, part by part, for training.
 *
 * A window is whole: so many known steps of one series, and the horizon after them. It belongs to the part
 * in which all rows of its horizon lie; one that reaches from one part into the next is nobody's. Its past
 * may lie in an earlier part: that is what is known when it is asked. */
#include "feature_int.h"

#include <stdlib.h>

typedef struct Window {
    uint32_t place;
    uint64_t row; /* of its last known step */
} Window;
typedef VEC(Window) Windows;

static bool take_chunk(Series *s, const Dataset *d, const Plan *plan, PlanState *state, size_t i,
                       Arena *a, Error *err)
{
    Chunk raw, c;
    if (!dataset_read(d, i, a, &raw, err))
        return false;
    c = raw;
    return (!plan || plan_apply(plan, state, &raw, a, &c, err)) && series_add(s, &c, err);
}

static Series *read_series(const Features *f, const Dataset *d, const Plan *plan, Progress *progress,
                           Error *err)
{
    Arena a = {0};
    Series *s = series_create(f);
    PlanState *state = plan ? plan_state_create(plan) : NULL;
    bool ok = true;
    progress_begin(progress, "encoding", "rows", dataset_rows(d));
    for (size_t i = 0; ok && i < dataset_chunks(d); i++) {
        progress_look(progress);
        ok = !progress_stopped(progress) || error_set(err, ERROR_STOP, "stopped on request");
        ok = ok && take_chunk(s, d, plan, state, i, &a, err);
        progress_add(progress, dataset_chunk_rows(d, i));
        arena_reset(&a);
    }
    ok = ok && series_finish(s, false, err);
    plan_state_destroy(state);
    arena_release(&a);
    if (ok)
        return s;
    series_destroy(s);
    return NULL;
}

/* The one part of a window's horizon; PART_COUNT: it has several, or nothing that is known. */
static Part part_of(const Series *s, uint32_t place, size_t horizon, const Split *split)
{
    Part part = PART_COUNT;
    for (uint32_t at = place + 1; at <= place + horizon; at++) {
        SeriesPlace p = series_place(s, at);
        if (isnan(p.target))
            continue;
        Part own = split ? split_part(split, p.row) : PART_TRAIN;
        if (part != PART_COUNT && own != part)
            return PART_COUNT;
        part = own;
    }
    return part;
}

static void find_windows(const Series *s, const SeriesShape *shape, const Split *split,
                         size_t stride, Windows *out)
{
    for (uint32_t at = 0; at < series_places(s); at++) {
        SeriesPlace p = series_place(s, at);
        if (at + 1 - p.begin < shape->window || at + shape->horizon >= p.end || isnan(p.target))
            continue;
        Part part = part_of(s, at, shape->horizon, split);
        bool taken = part == PART_TEST || (at - p.begin) % stride == 0;
        if (part != PART_COUNT && taken)
            vec_add(&out[part], (Window){at, p.row});
    }
}

static int by_row(const void *left, const void *right)
{
    const Window *a = left, *b = right;
    return (a->row > b->row) - (a->row < b->row);
}

static bool fill_part(FeatureTable *t, Part part, const Windows *from, const SeriesShape *shape,
                      Error *err)
{
    size_t n = from->count, floats = series_floats(shape);
    Batch *b = &t->part[part];
    uint32_t *at = scratch_take(t->scratch, (n + 1) * sizeof *at, err);
    b->at = at;
    t->row[part] = at ? scratch_take(t->scratch, (n + 1) * sizeof(uint64_t), err) : NULL;
    float *target = t->row[part]
                        ? scratch_take(t->scratch, (n * shape->horizon + 1) * sizeof(float), err)
                        : NULL;
    b->target = target;
    if (!target)
        return error_in(err, "windows of the series");
    float *unused = mem_alloc(floats * sizeof *unused);
    b->rows = n;
    b->series = t->series;
    for (size_t i = 0; i < n; i++) {
        at[i] = from->at[i].place;
        t->row[part][i] = from->at[i].row;
        series_gather(t->series, &at[i], 1, unused, target + i * shape->horizon);
    }
    mem_free(unused);
    return true;
}

bool feature_table_series(FeatureTable *out, Scratch *scratch, const Features *f, size_t stride,
                          const Dataset *d, const Plan *plan, const Split *split, Pool *pool,
                          Progress *progress, Error *err)
{
    (void)pool;
    Windows window[PART_COUNT] = {{0}};
    const SeriesShape *shape = f->shape.series;
    *out = (FeatureTable){.scratch = scratch, .series = read_series(f, d, plan, progress, err)};
    bool ok = out->series != NULL;
    if (ok)
        find_windows(out->series, shape, split, stride ? stride : 1, window);
    if (ok && window[PART_TRAIN].count == 0)
        ok = error_set(
            err, ERROR_SHAPE,
            "no training windows: no series has window=%zu and horizon=%zu steps before the "
            "rows that validate begin",
            shape->window, shape->horizon);
    for (int p = 0; p < PART_COUNT; p++) {
        if (window[p].count)
            qsort(window[p].at, window[p].count, sizeof *window[p].at, by_row);
        ok = ok && fill_part(out, (Part)p, &window[p], shape, err);
        vec_release(&window[p]);
    }
    if (!ok)
        feature_table_release(out);
    return ok;
}
