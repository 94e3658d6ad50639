/* expr_rows.c -- the rows of a dataset for which an expression holds, in their order, over a pool.
 *
 * Every chunk writes the rows it keeps to where its first row would go; then the gaps are closed.
 * Of a list of rows those are kept that hold; they stay in the order of the list. */
#include "recipe_int.h"

#include <lathe/scan.h>

#include <string.h>

typedef struct Filter {
    const Expr *e;
    const Dataset *d;
    const bool *used; /* [columns] those of the expression */
    uint32_t *row;    /* NULL: bits are wanted */
    uint64_t *first;  /* [chunks + 1] */
    uint8_t *keep;    /* [rows] with bits wanted, a byte each */
    size_t *kept;     /* [chunks] */
    Arena *arena;     /* [workers] */
    Error *err;       /* [chunks] */
    Progress *progress;
} Filter;

/* Only columns that are used are opened; the others are there by name. */
static void open_chunk(const Filter *f, size_t i, Arena *a, Chunk *out)
{
    const Schema *s = dataset_schema(f->d);
    Column *column = ARENA_NEW(a, Column, s->count + 1);
    for (size_t k = 0; k < s->count; k++)
        if (f->used[k])
            dataset_column(f->d, i, k, a, &column[k]);
        else
            column[k] = (Column){.name = s->field[k].name, .type = s->field[k].type};
    *out = (Chunk){.rows = dataset_chunk_rows(f->d, i),
                   .columns = s->count,
                   .column = column,
                   .first = f->first[i]};
}

static size_t take_kept(const uint8_t *restrict keep, size_t n, uint32_t first,
                        uint32_t *restrict to)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        to[kept] = first + (uint32_t)i;
        kept += keep[i];
    }
    return kept;
}

static void filter_chunk(void *job, size_t i, size_t worker)
{
    const Filter *f = job;
    Arena *a = &f->arena[worker];
    Chunk chunk;
    if (progress_stopped(f->progress))
        return;
    arena_reset(a);
    open_chunk(f, i, a, &chunk);
    uint8_t *keep = f->keep ? f->keep + chunk.first : arena_alloc(a, chunk.rows + 1);
    if (expr_filter(f->e, &chunk, a, keep, &f->err[i]) == SIZE_MAX)
        return;
    if (f->row)
        f->kept[i] = take_kept(keep, chunk.rows, (uint32_t)chunk.first, f->row + chunk.first);
    progress_add(f->progress, chunk.rows);
}

static bool filter_all(Filter *f, Pool *pool, Error *err)
{
    size_t chunks = dataset_chunks(f->d), columns = dataset_schema(f->d)->count;
    size_t workers = pool_threads(pool);
    bool *used = mem_alloc((columns + 1) * sizeof *used), ok = true;
    for (size_t i = 0; i < f->e->nodes; i++)
        if (f->e->node[i]->kind == NODE_COLUMN && f->e->node[i]->field < columns)
            used[f->e->node[i]->field] = true;
    f->used = used;
    f->kept = mem_alloc((chunks + 1) * sizeof *f->kept);
    f->err = mem_alloc((chunks + 1) * sizeof *f->err);
    f->arena = mem_alloc(workers * sizeof *f->arena);
    f->first = mem_alloc((chunks + 1) * sizeof *f->first);
    for (size_t i = 0; i < chunks; i++)
        f->first[i + 1] = f->first[i] + dataset_chunk_rows(f->d, i);
    progress_begin(f->progress, "filtering", "rows", dataset_rows(f->d));
    pool_run(pool, chunks, filter_chunk, f);
    for (size_t i = 0; ok && i < chunks; i++)
        if (f->err[i].kind != ERROR_NONE) {
            *err = f->err[i];
            ok = false;
        }
    for (size_t i = 0; i < workers; i++)
        arena_release(&f->arena[i]);
    mem_free(used);
    mem_free(f->err);
    mem_free(f->arena);
    if (ok && progress_stopped(f->progress))
        ok = error_set(err, ERROR_STOP, "stopped on request");
    return ok;
}

static void filter_release(Filter *f)
{
    mem_free(f->kept);
    mem_free(f->first);
}

static bool rows_of_all(Filter *f, Pool *pool, RowSet *out, Error *err)
{
    f->row = mem_try(((size_t)dataset_rows(f->d) + 1) * sizeof *f->row, err);
    if (!f->row)
        return false;
    bool ok = filter_all(f, pool, err);
    for (size_t i = 0; ok && i < dataset_chunks(f->d); i++) {
        if (out->count != f->first[i])
            memmove(f->row + out->count, f->row + f->first[i], f->kept[i] * sizeof *f->row);
        out->count += f->kept[i];
    }
    out->row = f->row;
    return ok;
}

static bool rows_of_some(Filter *f, const RowSet *from, Pool *pool, RowSet *out, Error *err)
{
    out->row = mem_try(((size_t)from->count + 1) * sizeof *out->row, err);
    f->keep = out->row ? mem_try((size_t)dataset_rows(f->d) + 1, err) : NULL;
    bool ok = f->keep && filter_all(f, pool, err);
    for (size_t i = 0; ok && i < from->count; i++) {
        out->row[out->count] = from->row[i];
        out->count += f->keep[from->row[i]];
    }
    mem_free(f->keep);
    return ok;
}

bool expr_rows(const Expr *e, const Dataset *d, const RowSet *from, Pool *pool, Progress *progress,
               RowSet *out, Error *err)
{
    Filter f = {.e = e, .d = d, .progress = progress};
    *out = (RowSet){0};
    if (expr_type(e) != COLUMN_BOOL)
        return error_set(err, ERROR_USAGE, "a filter wants a condition (true or false)");
    if (dataset_rows(d) > UINT32_MAX)
        return error_set(err, ERROR_SPACE, "%.2f billion rows: lists of rows go up to 4.29 billion",
                         (double)dataset_rows(d) / 1e9);
    bool ok = from ? rows_of_some(&f, from, pool, out, err) : rows_of_all(&f, pool, out, err);
    filter_release(&f);
    if (!ok)
        rowset_release(out);
    return ok;
}
