/* export_table.c -- a dataset as a file for other programs: some columns, some rows, chunk by chunk, to a
 * path or, from a file beside the workspace, to s3://. */
#include "export_table.h"

#include <lathe/remote.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct Export {
    const Dataset *dataset;
    Schema schema;       /* of what is written */
    size_t *from;        /* [schema.count] columns of the dataset */
    Expr *where;         /* NULL: all rows */
    TableWriter *writer;
    uint64_t rows;
} Export;

/* ---- which columns -------------------------------------------------------------------------------- */

static bool add_column(Export *x, const Schema *all, const char *name, Error *err)
{
    size_t at = schema_need(all, name, err);
    if (at == SIZE_MAX)
        return error_in(err, "columns");
    if (schema_find(&x->schema, name) != SIZE_MAX)
        return error_set(err, ERROR_USAGE, "columns: %s is named twice", name);
    x->from[x->schema.count] = at;
    schema_add(&x->schema, name, all->field[at].type, all->field[at].role);
    return true;
}

/* Names between commas; none: all columns. */
static bool choose_columns(Export *x, const char *names, Error *err)
{
    const Schema *all = dataset_schema(x->dataset);
    size_t most = all->count;
    for (const char *s = names; *s; s++)
        most += *s == ',';
    x->from = mem_alloc((most + 1) * sizeof *x->from);
    bool ok = true;
    for (size_t i = 0; !*names && i < all->count; i++)
        ok = ok && add_column(x, all, all->field[i].name, err);
    for (const char *at = names; *at && ok;) {
        size_t n = strcspn(at, ",");
        Text name = {0};
        const char *from = at, *to = at + n;
        for (; from < to && *from == ' '; from++)
            ;
        for (; to > from && to[-1] == ' '; to--)
            ;
        text_add(&name, from, (size_t)(to - from));
        ok = add_column(x, all, text_str(&name), err);
        text_release(&name);
        at += n + (at[n] == ',');
    }
    return ok;
}

/* The dictionaries that all chunks share. */
static void find_words(const Export *x, Arena *a, const Words **words)
{
    Chunk chunk;
    if (!dataset_chunks(x->dataset))
        return;
    dataset_chunk(x->dataset, 0, a, &chunk);
    for (size_t i = 0; i < x->schema.count; i++)
        if (chunk.column[x->from[i]].type == COLUMN_TEXT)
            words[i] = chunk.column[x->from[i]].words;
}

/* ---- rows ----------------------------------------------------------------------------------------- */

static bool filter(const Export *x, const Chunk *in, Arena *a, Chunk *out, Error *err)
{
    uint8_t *keep = arena_alloc(a, in->rows + 1);
    size_t kept = expr_filter(x->where, in, a, keep, err), n = 0;
    if (kept == SIZE_MAX)
        return error_in(err, "where");
    uint32_t *row = ARENA_NEW(a, uint32_t, kept + 1);
    for (size_t i = 0; i < in->rows; i++)
        if (keep[i])
            row[n++] = (uint32_t)i;
    chunk_gather(in, row, n, a, out);
    return true;
}

static bool write_chunk(Export *x, size_t i, Arena *a, Error *err)
{
    Chunk all, chunk;
    dataset_chunk(x->dataset, i, a, &all);
    Column *column = ARENA_NEW(a, Column, x->schema.count + 1);
    if (x->where) { /* the expression may use columns that are not written */
        Chunk kept;
        if (!filter(x, &all, a, &kept, err))
            return false;
        all = kept;
    }
    for (size_t k = 0; k < x->schema.count; k++)
        column[k] = all.column[x->from[k]];
    chunk = (Chunk){.rows = all.rows, .columns = x->schema.count, .column = column, .first = all.first};
    x->rows += chunk.rows;
    return table_writer_add(x->writer, &chunk, err);
}

static bool write_all(Export *x, Progress *progress, Error *err)
{
    bool ok = true;
    progress_begin(progress, "writing", "rows", dataset_rows(x->dataset));
    for (size_t i = 0; i < dataset_chunks(x->dataset) && ok; i++) {
        Arena arena = {0};
        ok = write_chunk(x, i, &arena, err);
        arena_release(&arena);
        progress_add(progress, CHUNK_ROWS);
        if (ok && progress_stopped(progress))
            ok = error_set(err, ERROR_STOP, "export: stopped on request");
    }
    return ok && table_writer_finish(x->writer, err);
}

/* ---- where to ------------------------------------------------------------------------------------- */

/* The folder of s3://bucket/a/b.csv is a remote, its key the rest. */
static bool put_remote(const char *path, const char *file, Progress *progress, Error *err)
{
    char *place = text_copy(path), *key = strrchr(place, '/');
    bool ok = false;
    if (!key || !key[1])
        error_set(err, ERROR_USAGE, "%s: expected s3://BUCKET/KEY", path);
    else {
        key[0] = 0;
        Text folder = {0};
        text_printf(&folder, "%s/", place);
        Remote *r = remote_open(text_str(&folder), err);
        ok = r && remote_put(r, key + 1, file, progress, err);
        remote_close(r);
        text_release(&folder);
    }
    mem_free(place);
    return ok;
}

static bool write_table(CommandCall *call, Export *x, const ExportTable *set, const char *file, Error *err)
{
    Arena arena = {0};
    const Words **words = ARENA_NEW(&arena, const Words *, x->schema.count + 1);
    find_words(x, &arena, words);
    TableOptions options = {.format = set->format, .compress = set->compress, .words = words};
    x->writer = table_writer_create(file, &x->schema, &options, call->pool, err);
    bool ok = x->writer && write_all(x, call->progress, err);
    arena_release(&arena);
    return ok;
}

static bool export_open(CommandCall *call, Store *s, Export *x, const char *dataset, const ExportTable *set,
                        Arena *a, Error *err)
{
    bool remote = text_starts(set->out, "s3://");
    const char *base = strrchr(set->out, '/');
    const char *file =
        remote ? store_path(s, a, "export-%ld-%s", (long)getpid(), base ? base + 1 : set->out) : set->out;
    x->dataset = workspace_dataset(s, dataset, a, NULL, err);
    bool ok = x->dataset && choose_columns(x, set->columns, err);
    if (ok && *set->where) {
        x->where = expr_parse(set->where, dataset_schema(x->dataset), err);
        ok = (x->where || error_in(err, "where")) &&
             (expr_type(x->where) == COLUMN_BOOL ||
              error_set(err, ERROR_USAGE, "where: expected a condition, found a %s",
                        column_type_name(expr_type(x->where))));
    }
    ok = ok && write_table(call, x, set, file, err);
    if (remote) {
        ok = ok && put_remote(set->out, file, call->progress, err);
        unlink(file);
    }
    return ok;
}

bool export_table(CommandCall *call, const char *dataset, const ExportTable *set, json_t *into, Error *err)
{
    Arena arena = {0};
    Export x = {0};
    double begun = clock_now();
    Store *s = call_store(call, STORE_READ, err);
    bool ok = s && export_open(call, s, &x, dataset, set, &arena, err);
    if (ok) {
        result_text(into, "dataset", dataset);
        result_text(into, "out", set->out);
        result_text(into, "format", table_writer_format(x.writer));
        result_int(into, "rows", (int64_t)x.rows);
        result_int(into, "columns", (int64_t)x.schema.count);
        result_int(into, "bytes", (int64_t)table_writer_bytes(x.writer));
        result_real(into, "seconds", clock_now() - begun);
    }
    table_writer_destroy(x.writer);
    expr_destroy(x.where);
    mem_free(x.from);
    schema_release(&x.schema);
    dataset_close((Dataset *)(uintptr_t)x.dataset);
    store_close(s);
    arena_release(&arena);
    return ok;
}
