/* data_rows_make.c -- the rows of a choice, on a job's thread: the filter, then the sort;
 * and the first glimpse of a filter. */
#include "data_int.h"

#include <stdio.h>

#define GLIMPSE_ROWS    4096 /* rows of a glimpse at most */
#define GLIMPSE_SECONDS 0.08

void rows_ask_release(void *p)
{
    RowsAsk *a = p;
    open_dataset_drop(a->data);
    mem_free(a->marks);
    mem_free(a);
}

void rows_answer_release(void *p)
{
    RowsAnswer *a = p;
    if (a)
        rows_drop(a->rows);
    mem_free(a);
}

static bool room_for(uint64_t rows, RowSet *out, Error *err)
{
    if (rows > UINT32_MAX)
        return error_set(err, ERROR_SPACE,
                         "more than 4,294,967,295 rows cannot be filtered on screen; use :sql");
    out->row = mem_try((rows + 1) * sizeof *out->row, err);
    return out->row != NULL;
}

static void *answer_with(RowSet *set, const Choice *choice, double estimate)
{
    RowsAnswer answer = {.choice = *choice, .rows = rows_take(set), .estimate = estimate};
    return mem_copy(&answer, sizeof answer);
}

/* ---- exactly ------------------------------------------------------------------------------------------------------ */

static bool take_marked(const RowsAsk *a, RowSet *out, Error *err)
{
    uint64_t n = dataset_rows(a->data->data), count = 0;
    for (uint64_t i = 0; i < (n + 7) / 8; i++)
        count += (uint64_t)__builtin_popcount(a->marks[i]);
    if (!room_for(count, out, err))
        return false;
    for (uint64_t row = 0; row < n; row++)
        if (bit_get(a->marks, row))
            out->row[out->count++] = (uint32_t)row;
    return true;
}

static bool filter(const RowsAsk *a, const RowSet *from, Pool *pool, Progress *progress,
                   RowSet *out, Error *err)
{
    Expr *e;
    if (!data_expression(a->choice.filter, &a->data->schema, &e, err))
        return false;
    bool ok = expr_rows(e, a->data->data, from, pool, progress, out, err);
    expr_destroy(e);
    return ok;
}

static bool choose(const RowsAsk *a, Pool *pool, Progress *progress, RowSet *out, Error *err)
{
    RowSet marked = {0};
    const RowSet *from = a->marks ? &marked : NULL;
    bool ok = !a->marks || take_marked(a, &marked, err);
    if (ok && *a->choice.filter)
        ok = filter(a, from, pool, progress, out, err);
    else if (ok && !a->marks)
        ok = rowset_all(a->data->data, out, err);
    else if (ok) {
        *out = marked;
        marked = (RowSet){0};
    }
    rowset_release(&marked);
    return ok;
}

void *rows_make_run(JobContext *c, void *input, Error *err)
{
    const RowsAsk *a = input;
    RowSet set = {0};
    bool ok = choose(a, job_pool(c), job_progress(c), &set, err);
    if (ok && a->choice.keys) {
        char scratch[4200];
        snprintf(scratch, sizeof scratch, "%s/scratch", job_workspace(c));
        ok = dir_create(scratch, err) &&
             scan_sort(a->data->data, a->choice.key, a->choice.keys, &set, 0, scratch, job_pool(c),
                       job_progress(c), err);
    }
    if (ok)
        return answer_with(&set, &a->choice, (double)set.count);
    rowset_release(&set);
    return NULL;
}

/* ---- a glimpse: the first rows that pass, and about how many there will be -------------------------------------- */

typedef struct Glimpse {
    Expr *expr;
    Arena arena;
    RowSet set;
    uint64_t seen; /* rows looked at */
} Glimpse;

static bool look_at(Glimpse *g, const RowsAsk *a, size_t chunk_number, Error *err)
{
    Chunk chunk;
    arena_reset(&g->arena);
    dataset_chunk(a->data->data, chunk_number, &g->arena, &chunk);
    uint8_t *keep = arena_alloc(&g->arena, chunk.rows + 1);
    if (expr_filter(g->expr, &chunk, &g->arena, keep, err) == SIZE_MAX)
        return false;
    for (size_t i = 0; i < chunk.rows; i++)
        if (keep[i] && (!a->marks || bit_get(a->marks, chunk.first + i)))
            g->set.row[g->set.count++] = (uint32_t)(chunk.first + i);
    g->seen += chunk.rows;
    return true;
}

void *rows_glimpse_run(JobContext *c, void *input, Error *err)
{
    const RowsAsk *a = input;
    const Dataset *d = a->data->data;
    Glimpse g = {0};
    double until = clock_now() + GLIMPSE_SECONDS;
    bool ok = data_expression(a->choice.filter, &a->data->schema, &g.expr, err) &&
              room_for(GLIMPSE_ROWS + CHUNK_ROWS, &g.set, err);
    for (size_t i = 0; ok && i < dataset_chunks(d) && g.set.count < GLIMPSE_ROWS; i++)
        if (job_stopped(c) || (i && clock_now() > until))
            break;
        else
            ok = look_at(&g, a, i, err);
    expr_destroy(g.expr);
    arena_release(&g.arena);
    if (!ok || !g.seen) {
        rowset_release(&g.set);
        return NULL;
    }
    double estimate = (double)g.set.count * (double)dataset_rows(d) / (double)g.seen;
    return answer_with(&g.set, &a->choice, estimate);
}

/* ---- a sample --------------------------------------------------------------------------------------------------------- */

bool rows_sample(const Dataset *d, const RowSet *of, uint64_t most, RowSet *out, Error *err)
{
    uint64_t n = of ? of->count : dataset_rows(d), k = n < most ? n : most;
    if (!room_for(k, out, err))
        return false;
    for (uint64_t i = 0; i < k; i++) {
        uint64_t at = i * n / k;
        out->row[i] = of ? of->row[at] : (uint32_t)at;
    }
    out->count = k;
    return true;
}
