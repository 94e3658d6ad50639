/* sql_save.c -- what a statement finds, kept: as a dataset of the workspace, or as a CSV file. */
#include "command_int.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int asked_to_stop(void *progress)
{
    return progress_stopped(progress);
}

static bool step_failed(sqlite3_stmt *row, int code, Error *err)
{
    if (code == SQLITE_INTERRUPT)
        return error_set(err, ERROR_STOP, "sql: stopped on request");
    return error_set(err, ERROR_PARSE, "sql: %s", sqlite3_errmsg(sqlite3_db_handle(row)));
}

/* Opens the workspace and prepares; NULL with nothing left open on failure. */
static sqlite3_stmt *ask(const char *dir, const char *text, Progress *progress, WorkspaceSql **q,
                         Error *err)
{
    *q = workspace_sql_open(dir, err);
    sqlite3_stmt *row = *q ? workspace_sql_prepare(*q, text, NULL, err) : NULL;
    if (!row) {
        workspace_sql_close(*q);
        return NULL;
    }
    if (progress)
        sqlite3_progress_handler(workspace_sql_handle(*q), 10000, asked_to_stop, progress);
    return row;
}

/* ---- types: two passes, since a column is what all its values are ------------------------------------ */

enum { SEEN_INT = 1, SEEN_REAL = 2, SEEN_DATE = 4, SEEN_TIME = 8, SEEN_TEXT = 16 };

static unsigned text_kind(const char *s, size_t n)
{
    int64_t micros;
    if (n < 10 || s[4] != '-' || !time_parse(s, n, &micros))
        return SEEN_TEXT;
    return n == 10 ? SEEN_DATE : SEEN_TIME;
}

static bool look(sqlite3_stmt *row, int i, unsigned *seen, Error *err)
{
    int type = sqlite3_column_type(row, i);
    if (type == SQLITE_BLOB)
        return error_set(err, ERROR_SHAPE, "sql: column %s holds bytes, which a dataset cannot keep",
                         sqlite3_column_name(row, i));
    if (type == SQLITE_INTEGER)
        *seen |= SEEN_INT;
    else if (type == SQLITE_FLOAT)
        *seen |= SEEN_REAL;
    else if (type == SQLITE_TEXT && !(*seen & SEEN_TEXT)) {
        const char *s = (const char *)sqlite3_column_text(row, i);
        *seen |= text_kind(s, (size_t)sqlite3_column_bytes(row, i));
    }
    return true;
}

static ColumnType type_of(unsigned seen)
{
    if (seen == SEEN_INT)
        return COLUMN_INT;
    if (seen && !(seen & ~(unsigned)(SEEN_INT | SEEN_REAL)))
        return COLUMN_REAL;
    if (seen == SEEN_DATE)
        return COLUMN_DATE;
    if (seen && !(seen & ~(unsigned)(SEEN_DATE | SEEN_TIME)))
        return COLUMN_TIME;
    return COLUMN_TEXT;
}

/* Names must differ: a second "n" becomes "n_2". */
static void name_columns(sqlite3_stmt *row, const unsigned *seen, Schema *into)
{
    for (int i = 0; i < sqlite3_column_count(row); i++) {
        const char *name = sqlite3_column_name(row, i);
        Text own = {0};
        text_puts(&own, *name ? name : "column");
        for (int k = 2; schema_find(into, text_str(&own)) != SIZE_MAX; k++) {
            text_reset(&own);
            text_printf(&own, "%s_%d", *name ? name : "column", k);
        }
        schema_add(into, text_str(&own), type_of(seen[i]), ROLE_FEATURE);
        into->field[i].nullable = true;
        text_release(&own);
    }
}

static bool find_types(sqlite3_stmt *row, Progress *progress, Schema *into, uint64_t *rows, Error *err)
{
    int columns = sqlite3_column_count(row), code = SQLITE_DONE;
    unsigned *seen = mem_alloc(sizeof *seen * (size_t)columns);
    bool ok = true;
    progress_begin(progress, "finding types", "rows", 0);
    for (*rows = 0; ok && (code = sqlite3_step(row)) == SQLITE_ROW; ++*rows) {
        for (int i = 0; ok && i < columns; i++)
            ok = look(row, i, &seen[i], err);
        progress_add(progress, 1);
    }
    ok = ok && (code == SQLITE_DONE || step_failed(row, code, err));
    if (ok)
        name_columns(row, seen, into);
    mem_free(seen);
    return ok;
}

/* A value that is not of its column's type any more (random()) is missing. */
static void build(ColumnBuild *b, ColumnType type, sqlite3_stmt *row, int i)
{
    int is = sqlite3_column_type(row, i);
    int64_t micros;
    if (is == SQLITE_NULL) {
        column_build_missing(b);
        return;
    }
    if (type == COLUMN_INT && is == SQLITE_INTEGER) {
        column_build_int(b, sqlite3_column_int64(row, i));
        return;
    }
    if (type == COLUMN_REAL && is != SQLITE_TEXT) {
        column_build_real(b, sqlite3_column_double(row, i));
        return;
    }
    const char *s = (const char *)sqlite3_column_text(row, i);
    size_t n = (size_t)sqlite3_column_bytes(row, i);
    if (type == COLUMN_TEXT && s && utf8_valid(s, n))
        column_build_text(b, s, n);
    else if ((type == COLUMN_TIME || type == COLUMN_DATE) && s && time_parse(s, n, &micros))
        column_build_int(b, type == COLUMN_TIME ? micros : micros / 86400000000 - (micros % 86400000000 < 0));
    else
        column_build_missing(b);
}

/* One chunk of rows; fewer than `most`: there are no more. */
static bool next_chunk(sqlite3_stmt *row, const Schema *s, Arena *a, size_t most, Chunk *out, Error *err)
{
    ColumnBuild **b = ARENA_NEW(a, ColumnBuild *, s->count);
    Column *column = ARENA_NEW(a, Column, s->count);
    for (size_t i = 0; i < s->count; i++)
        b[i] = column_build(a, s->field[i].name, s->field[i].type, most);
    size_t rows = 0;
    int code = SQLITE_DONE;
    for (; rows < most && (code = sqlite3_step(row)) == SQLITE_ROW; rows++)
        for (size_t i = 0; i < s->count; i++)
            build(b[i], s->field[i].type, row, (int)i);
    if (rows < most && code != SQLITE_DONE)
        return step_failed(row, code, err);
    for (size_t i = 0; i < s->count; i++)
        column_build_finish(b[i], &column[i]);
    *out = (Chunk){.rows = rows, .columns = s->count, .column = column};
    return true;
}

static bool add_to_dataset(void *w, const Chunk *c, Error *err)
{
    return dataset_writer_add(w, c, err);
}

static bool add_to_table(void *w, const Chunk *c, Error *err)
{
    return table_writer_add(w, c, err);
}

static bool write_rows(sqlite3_stmt *row, const Schema *s,
                       bool (*add)(void *, const Chunk *, Error *), void *w, uint64_t rows,
                       Progress *progress, Error *err)
{
    progress_begin(progress, "writing", "rows", rows);
    bool ok = true;
    for (uint64_t at = 0; ok && at < rows;) {
        Arena a = {0};
        Chunk chunk;
        size_t most = rows - at < CHUNK_ROWS ? (size_t)(rows - at) : CHUNK_ROWS;
        ok = next_chunk(row, s, &a, most, &chunk, err);
        if (ok && !chunk.rows)
            rows = at; /* fewer than at the first time */
        chunk.first = at;
        ok = ok && (!chunk.rows || add(w, &chunk, err));
        at += ok ? chunk.rows : 0;
        progress_add(progress, ok ? chunk.rows : 0);
        arena_release(&a);
    }
    return ok;
}

static bool enter(Store *s, const char *hash, const char *text, const char *as, Error *err)
{
    Text source = {0};
    text_printf(&source, "sql: %.4000s", text);
    DatasetRow row = {.hash = hash, .name = as, .source = text_str(&source), .source_tag = "",
                      .parent = "", .recipe = "", .plan = "", .sniffed = "{}"};
    bool ok = workspace_register(s, &row, NULL, 0, err);
    text_release(&source);
    return ok;
}

/* Both passes see the same moment of the workspace: they are one transaction. */
static bool write_dataset(WorkspaceSql *q, sqlite3_stmt *row, Store *s, const char *text, const char *as,
                          Pool *pool, Progress *progress, uint64_t *rows, Error *err)
{
    Arena arena = {0};
    Schema schema = {0};
    DatasetWriter *w = NULL;
    char hash[65], *dir = store_path(s, &arena, "datasets");
    sqlite3_exec(workspace_sql_handle(q), "BEGIN", NULL, NULL, NULL);
    bool ok = find_types(row, progress, &schema, rows, err) &&
              (*rows || error_set(err, ERROR_SHAPE, "sql: no rows, so there is nothing to keep")) &&
              dir_create(dir, err) && (w = dataset_writer_create(dir, &schema, pool, err)) != NULL;
    sqlite3_reset(row);
    ok = ok && write_rows(row, &schema, add_to_dataset, w, *rows, progress, err) && dataset_writer_finish(w, hash, err);
    sqlite3_reset(row);
    sqlite3_exec(workspace_sql_handle(q), "COMMIT", NULL, NULL, NULL);
    ok = ok && enter(s, hash, text, as, err);
    dataset_writer_destroy(w);
    schema_release(&schema);
    arena_release(&arena);
    return ok;
}

bool workspace_sql_dataset(const char *dir, const char *text, const char *as, Pool *pool,
                           Progress *progress, uint64_t *rows, Error *err)
{
    WorkspaceSql *q;
    uint64_t none;
    sqlite3_stmt *row = workspace_name_check(as, err) ? ask(dir, text, progress, &q, err) : NULL;
    if (!row)
        return false;
    Store *s = store_open(dir, STORE_WRITE, err);
    bool ok = s && write_dataset(q, row, s, text, as, pool, progress, rows ? rows : &none, err);
    store_close(s);
    sqlite3_finalize(row);
    workspace_sql_close(q);
    return ok;
}

/* ---- Arrow, Parquet ------------------------------------------------------------------------------------ */

static bool write_table(WorkspaceSql *q, sqlite3_stmt *row, const char *path, Pool *pool, Progress *progress,
                        uint64_t *rows, Error *err)
{
    Schema schema = {0};
    sqlite3_exec(workspace_sql_handle(q), "BEGIN", NULL, NULL, NULL);
    bool ok = find_types(row, progress, &schema, rows, err);
    TableWriter *w = ok ? table_writer_create(path, &schema, NULL, pool, err) : NULL;
    sqlite3_reset(row);
    ok = w && write_rows(row, &schema, add_to_table, w, *rows, progress, err) && table_writer_finish(w, err);
    sqlite3_reset(row);
    sqlite3_exec(workspace_sql_handle(q), "COMMIT", NULL, NULL, NULL);
    table_writer_destroy(w);
    schema_release(&schema);
    return ok;
}

bool workspace_sql_table(const char *dir, const char *text, const char *path, Pool *pool, Progress *progress,
                         uint64_t *rows, Error *err)
{
    WorkspaceSql *q;
    uint64_t none;
    sqlite3_stmt *row = ask(dir, text, progress, &q, err);
    if (!row)
        return false;
    bool ok = write_table(q, row, path, pool, progress, rows ? rows : &none, err);
    sqlite3_finalize(row);
    workspace_sql_close(q);
    return ok;
}

/* ---- CSV ------------------------------------------------------------------------------------------------ */

static void csv_field(const char *s, size_t n, Text *into)
{
    bool quote = !n || strpbrk(s, ",\"\r\n");
    if (quote)
        text_putc(into, '"');
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '"')
            text_putc(into, '"');
        text_putc(into, s[i]);
    }
    if (quote)
        text_putc(into, '"');
}

static void csv_value(sqlite3_stmt *row, int i, Text *into)
{
    int type = sqlite3_column_type(row, i);
    if (type == SQLITE_FLOAT)
        text_add_real(into, sqlite3_column_double(row, i));
    else if (type != SQLITE_NULL && sqlite3_column_text(row, i))
        csv_field((const char *)sqlite3_column_text(row, i), (size_t)sqlite3_column_bytes(row, i), into);
}

static bool csv_rows(sqlite3_stmt *row, FILE *f, Progress *progress, uint64_t *rows, Error *err)
{
    int columns = sqlite3_column_count(row), code;
    Text line = {0};
    for (int i = 0; i < columns; i++) {
        const char *name = sqlite3_column_name(row, i);
        text_puts(&line, i ? "," : "");
        csv_field(name, strlen(name), &line);
    }
    text_putc(&line, '\n');
    progress_begin(progress, "writing", "rows", 0);
    for (*rows = 0; (code = sqlite3_step(row)) == SQLITE_ROW; ++*rows) {
        fwrite(line.at, 1, line.count, f);
        text_reset(&line);
        for (int i = 0; i < columns; i++) {
            text_puts(&line, i ? "," : "");
            csv_value(row, i, &line);
        }
        text_putc(&line, '\n');
        progress_add(progress, 1);
    }
    fwrite(line.at, 1, line.count, f);
    text_release(&line);
    return code == SQLITE_DONE || step_failed(row, code, err);
}

bool workspace_sql_csv(const char *dir, const char *text, const char *path, Progress *progress,
                       uint64_t *rows, Error *err)
{
    WorkspaceSql *q;
    uint64_t none;
    sqlite3_stmt *row = ask(dir, text, progress, &q, err);
    if (!row)
        return false;
    Text part = {0};
    text_printf(&part, "%s.%ld.part", path, (long)getpid());
    FILE *f = fopen(text_str(&part), "w");
    bool ok = f || error_set(err, ERROR_IO, "%s: cannot write: %s", path, strerror(errno));
    ok = ok && csv_rows(row, f, progress, rows ? rows : &none, err);
    bool written = f && !ferror(f) && !fflush(f) && !fsync(fileno(f));
    ok = ok && (written || error_set(err, ERROR_IO, "%s: cannot write: %s", path, strerror(errno)));
    if (f)
        fclose(f);
    ok = ok && (!rename(text_str(&part), path) ||
                error_set(err, ERROR_IO, "%s: cannot write: %s", path, strerror(errno)));
    if (!ok && f)
        unlink(text_str(&part));
    text_release(&part);
    sqlite3_finalize(row);
    workspace_sql_close(q);
    return ok;
}
