/* sql_ask.c -- the SQL pane's work on other threads: reading rows in blocks, keeping a whole answer. */
#include "sql_int.h"

#include <sqlite3.h>
#include <string.h>

struct SqlCursor {
    WorkspaceSql *sql;
    sqlite3_stmt *row;
    uint64_t at;
};

void sql_cursor_close(SqlCursor *c)
{
    if (!c)
        return;
    sqlite3_finalize(c->row);
    workspace_sql_close(c->sql);
    mem_free(c);
}

void sql_block_free(SqlBlock *b)
{
    if (!b)
        return;
    vec_release(&b->cell);
    text_release(&b->bytes);
    mem_free(b);
}

void sql_ask_free(void *ask)
{
    SqlAsk *a = ask;
    if (!a)
        return;
    sql_cursor_close(a->cursor);
    mem_free(a->text);
    mem_free(a);
}

void sql_answer_free(void *answer)
{
    SqlAnswer *a = answer;
    if (!a)
        return;
    sql_cursor_close(a->cursor);
    sql_block_free(a->block);
    arena_release(&a->arena);
    mem_free(a);
}

/* In an empty folder the workspace is made now; one that can only be read is read. */
static SqlCursor *cursor_open(JobContext *context, const char *text, size_t *where, Error *err)
{
    SqlCursor *c = mem_alloc(sizeof *c);
    Error none = {0};
    job_store(context, &none);
    c->sql = workspace_sql_open(job_workspace(context), err);
    c->row = c->sql ? workspace_sql_prepare(c->sql, text, where, err) : NULL;
    if (c->row)
        return c;
    sql_cursor_close(c);
    return NULL;
}

static void add_cell(sqlite3_stmt *row, int i, SqlBlock *b)
{
    SqlCell cell = {.kind = CELL_NULL};
    size_t n;
    switch (sqlite3_column_type(row, i)) {
    case SQLITE_INTEGER:
        cell.kind = CELL_INT;
        cell.integer = sqlite3_column_int64(row, i);
        break;
    case SQLITE_FLOAT:
        cell.kind = CELL_REAL;
        cell.real = sqlite3_column_double(row, i);
        break;
    case SQLITE_TEXT:
        cell.kind = CELL_TEXT;
        cell.text = b->bytes.count;
        n = (size_t)sqlite3_column_bytes(row, i);
        cell.size = (uint32_t)(n < SQL_CELL_MOST ? n : SQL_CELL_MOST);
        text_add(&b->bytes, (const char *)sqlite3_column_text(row, i), cell.size);
        break;
    case SQLITE_BLOB:
        cell.kind = CELL_BYTES;
        cell.size = (uint32_t)sqlite3_column_bytes(row, i);
        break;
    }
    vec_add(&b->cell, cell);
}

/* Rows up to from + most; those before `from` (of a statement begun anew) are passed over. */
static void read_rows(SqlCursor *c, const SqlAsk *ask, Progress *progress, SqlAnswer *out)
{
    SqlBlock *b = out->block;
    int columns = sqlite3_column_count(c->row), code = SQLITE_ROW;
    progress_begin(progress, "reading", "rows", 0);
    while (c->at < ask->from + ask->most && (code = sqlite3_step(c->row)) == SQLITE_ROW) {
        progress_add(progress, 1);
        if (c->at++ < ask->from)
            continue;
        for (int i = 0; i < columns; i++)
            add_cell(c->row, i, b);
        b->rows++;
    }
    out->end = code == SQLITE_DONE;
    if (code == SQLITE_INTERRUPT)
        error_set(&out->error, ERROR_STOP, "stopped on request");
    else if (code != SQLITE_DONE && code != SQLITE_ROW)
        error_set(&out->error, ERROR_PARSE, "%s", sqlite3_errmsg(workspace_sql_handle(c->sql)));
}

void *sql_ask_run(JobContext *context, void *input, Error *err)
{
    SqlAsk *ask = input;
    SqlAnswer *out = mem_alloc(sizeof *out);
    SqlCursor *c = ask->cursor;
    double began = clock_now();
    (void)err; /* an error is an answer too: it has a place in the text */
    ask->cursor = NULL;
    out->where = SIZE_MAX;
    if (!c)
        c = cursor_open(context, ask->text, &out->where, &out->error);
    if (!c)
        return out;
    out->block = mem_alloc(sizeof *out->block);
    out->block->first = ask->from;
    out->columns = (size_t)sqlite3_column_count(c->row);
    out->name = ARENA_NEW(&out->arena, const char *, out->columns);
    for (size_t i = 0; i < out->columns; i++)
        out->name[i] = arena_text(&out->arena, sqlite3_column_name(c->row, (int)i));
    sql_watch(workspace_sql_handle(c->sql), job_progress(context));
    read_rows(c, ask, job_progress(context), out);
    sql_watch(workspace_sql_handle(c->sql), NULL); /* the progress goes with this job */
    result_measure(out);
    if (out->end || out->error.kind)
        sql_cursor_close(c);
    else
        out->cursor = c;
    out->seconds = clock_now() - began;
    return out;
}

void *sql_close_run(JobContext *context, void *input, Error *err)
{
    SqlAsk *ask = input;
    (void)context;
    (void)err;
    sql_cursor_close(ask->cursor);
    ask->cursor = NULL;
    return NULL;
}

/* ---- keeping ---------------------------------------------------------------------------------------------- */

void sql_keep_free(void *keep)
{
    SqlKeep *k = keep;
    mem_free(k->text);
    mem_free(k->to);
    mem_free(k);
}

void sql_kept_free(void *kept)
{
    SqlKept *k = kept;
    mem_free(k->to);
    mem_free(k);
}

void *sql_keep_run(JobContext *c, void *input, Error *err)
{
    const SqlKeep *k = input;
    uint64_t rows = 0;
    bool ok = k->file ? workspace_sql_file(job_workspace(c), k->text, k->to, job_pool(c), job_progress(c),
                                           &rows, err)
                      : workspace_sql_dataset(job_workspace(c), k->text, k->to, job_pool(c),
                                              job_progress(c), &rows, err);
    if (!ok)
        return NULL;
    SqlKept *kept = mem_alloc(sizeof *kept);
    *kept = (SqlKept){.to = text_copy(k->to), .file = k->file, .rows = rows};
    return kept;
}
