/* data_rows_make.c -- the rows of a choice, on a job's thread: a filter over all chunks on all threads, then the sort;
 * and the first glimpse of a filter. */
#include "data_int.h"

#include <stdio.h>
#include <string.h>

#define GLIMPSE_ROWS    4096 /* rows of a glimpse at most */
#define GLIMPSE_SECONDS 0.08
#define BATCH           32 /* chunks filtered between two questions whether to stop */

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

/* One chunk of a batch: which of its rows pass. */
typedef struct Sieve {
    Arena arena;
    const uint8_t *keep; /* [rows], in the arena */
    size_t rows;
    uint64_t first;
    Error error;
} Sieve;

typedef struct Filtering {
    const Dataset *data;
    const Expr *expr;     /* NULL: all */
    const uint8_t *marks; /* NULL: all */
    size_t base;          /* first chunk of the batch */
    Sieve sieve[BATCH];
} Filtering;

static void keep_marked(const uint8_t *marks, uint64_t first, uint8_t *keep, size_t rows)
{
    for (size_t i = 0; i < rows; i++)
        keep[i] &= bit_get(marks, first + i);
}

static void sift(void *job, size_t i, size_t worker)
{
    (void)worker;
    Filtering *f = job;
    Sieve *out = &f->sieve[i];
    Chunk chunk;
    arena_reset(&out->arena);
    dataset_chunk(f->data, f->base + i, &out->arena, &chunk);
    uint8_t *keep = arena_alloc(&out->arena, chunk.rows + 1);
    if (f->expr)
        expr_filter(f->expr, &chunk, &out->arena, keep, &out->error);
    else
        memset(keep, 1, chunk.rows);
    if (f->marks)
        keep_marked(f->marks, chunk.first, keep, chunk.rows);
    out->keep = keep;
    out->rows = chunk.rows;
    out->first = chunk.first;
}

static void collect(const Sieve *from, RowSet *out)
{
    uint32_t *row = out->row + out->count;
    size_t n = 0;
    for (size_t i = 0; i < from->rows; i++) {
        row[n] = (uint32_t)(from->first + i);
        n += from->keep[i];
    }
    out->count += n;
}

/* Lets chunks through until all are done, the rows are enough, or the time is up. The room of out has a
 * place more than there are rows: collect writes before it decides. */
static bool sift_all(Filtering *f, Pool *pool, Progress *progress, uint64_t enough, double seconds,
                     RowSet *out, Error *err)
{
    size_t chunks = dataset_chunks(f->data), step = enough ? 4 : BATCH;
    double began = clock_now();
    bool ok = true;
    for (f->base = 0; f->base < chunks && ok; f->base += step) {
        size_t n = chunks - f->base < step ? chunks - f->base : step;
        pool_run(pool, n, sift, f);
        for (size_t i = 0; i < n && ok; i++) {
            if (f->sieve[i].error.kind)
                ok = error_set(err, f->sieve[i].error.kind, "%s", f->sieve[i].error.text);
            else
                collect(&f->sieve[i], out);
            progress_add(progress, f->sieve[i].rows);
        }
        if (enough && (out->count >= enough || clock_now() - began > seconds))
            break;
        if (ok && progress_stopped(progress))
            ok = error_set(err, ERROR_STOP, "filter stopped");
    }
    for (size_t i = 0; i < BATCH; i++)
        arena_release(&f->sieve[i].arena);
    return ok;
}

static bool filter(const RowsAsk *a, Pool *pool, Progress *progress, uint64_t enough, RowSet *out,
                   Error *err)
{
    Filtering *f = mem_alloc(sizeof *f);
    Expr *e = NULL;
    f->data = a->data->data;
    f->marks = a->marks;
    bool ok = !*a->choice.filter || data_expression(a->choice.filter, &a->data->schema, &e, err);
    f->expr = e;
    if (ok) {
        progress_begin(progress, "filtering", "rows", dataset_rows(f->data));
        ok = sift_all(f, pool, progress, enough, GLIMPSE_SECONDS, out, err);
    }
    expr_destroy(e);
    mem_free(f);
    return ok;
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

void *rows_make_run(JobContext *c, void *input, Error *err)
{
    const RowsAsk *a = input;
    const Dataset *d = a->data->data;
    RowSet set = {0};
    Progress *progress = job_progress(c);
    bool ok =
        *a->choice.filter || a->choice.marked
            ? room_for(dataset_rows(d), &set, err) && filter(a, job_pool(c), progress, 0, &set, err)
            : rowset_all(d, &set, err);
    if (ok && set.count < dataset_rows(d) / 2)
        set.row = mem_resize(set.row, (set.count + 1) * sizeof *set.row);
    if (ok && a->choice.keys) {
        char scratch[4200];
        snprintf(scratch, sizeof scratch, "%s/scratch", job_workspace(c));
        ok = dir_create(scratch, err) && scan_sort(d, a->choice.key, a->choice.keys, &set, 0,
                                                   scratch, job_pool(c), progress, err);
    }
    if (ok)
        return answer_with(&set, &a->choice, (double)set.count);
    rowset_release(&set);
    return NULL;
}

/* The first rows that pass, and about how many there will be. */
void *rows_glimpse_run(JobContext *c, void *input, Error *err)
{
    const RowsAsk *a = input;
    RowSet set = {0};
    if (!room_for(dataset_rows(a->data->data), &set, err))
        return NULL;
    Progress *progress = job_progress(c);
    if (!filter(a, job_pool(c), progress, GLIMPSE_ROWS, &set, err)) {
        rowset_release(&set);
        return NULL;
    }
    double seen = (double)atomic_load(&progress->done), all = (double)dataset_rows(a->data->data);
    double estimate = seen > 0 ? (double)set.count * all / seen : 0;
    set.count = set.count < GLIMPSE_ROWS ? set.count : GLIMPSE_ROWS;
    set.row = mem_resize(set.row, (set.count + 1) * sizeof *set.row);
    return answer_with(&set, &a->choice, estimate);
}

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
