/* sql_save.c -- what a statement finds, kept: as a dataset of the workspace, or as a CSV file. */
#include "sql_int.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

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

/* A column without any value is what its table says it holds: "INTEGER", "REAL", "TEXT", "DATE TEXT". */
static ColumnType type_declared(const char *as)
{
    return !as                              ? COLUMN_TEXT
           : !strcasecmp(as, "REAL")        ? COLUMN_REAL
           : !strcasecmp(as, "INTEGER")     ? COLUMN_INT
           : !strcasecmp(as, "DATE TEXT")   ? COLUMN_DATE
           : !strcasecmp(as, "TIME TEXT")   ? COLUMN_TIME
                                            : COLUMN_TEXT;
}

static ColumnType type_of(unsigned seen)
{
    if (seen == SEEN_INT)
        return COLUMN_INT;
    if (!(seen & ~(unsigned)(SEEN_INT | SEEN_REAL)))
        return COLUMN_REAL;
    if (seen == SEEN_DATE)
        return COLUMN_DATE;
    if (!(seen & ~(unsigned)(SEEN_DATE | SEEN_TIME)))
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
        ColumnType type = seen[i] ? type_of(seen[i]) : type_declared(sqlite3_column_decltype(row, i));
        schema_add(into, text_str(&own), type, ROLE_FEATURE);
        into->field[i].nullable = true;
        text_release(&own);
    }
}

static bool find_types(SqlRows *r, Progress *progress, Schema *into, uint64_t *rows, Error *err)
{
    unsigned *seen = mem_alloc(sizeof *seen * (size_t)r->columns);
    bool ok = true;
    progress_begin(progress, "finding types", "rows", 0);
    for (*rows = 0; ok && sql_rows_next(r, &ok, err); ++*rows) {
        for (int i = 0; ok && i < r->columns; i++)
            ok = look(r->row, i, &seen[i], err);
        progress_add(progress, 1);
    }
    if (ok)
        name_columns(r->row, seen, into);
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
static bool next_chunk(SqlRows *r, const Schema *s, Arena *a, size_t most, Chunk *out, Error *err)
{
    ColumnBuild **b = ARENA_NEW(a, ColumnBuild *, s->count);
    Column *column = ARENA_NEW(a, Column, s->count);
    for (size_t i = 0; i < s->count; i++)
        b[i] = column_build(a, s->field[i].name, s->field[i].type, most);
    size_t rows = 0;
    bool ok = true;
    for (; rows < most && sql_rows_next(r, &ok, err); rows++)
        for (size_t i = 0; i < s->count; i++)
            build(b[i], s->field[i].type, r->row, (int)i);
    for (size_t i = 0; i < s->count; i++)
        column_build_finish(b[i], &column[i]);
    *out = (Chunk){.rows = rows, .columns = s->count, .column = column};
    return ok;
}

/* Where the rows go: a DatasetWriter or a TableWriter. */
typedef struct Keeper {
    void *writer;
    const char *to; /* the folder, or the file */
    Pool *pool;
    bool (*begin)(struct Keeper *k, const Schema *s, uint64_t rows, Error *err);
    bool (*add)(void *writer, const Chunk *c, Error *err);
} Keeper;

static bool begin_dataset(Keeper *k, const Schema *s, uint64_t rows, Error *err)
{
    (void)rows;
    k->writer = dir_create(k->to, err) ? dataset_writer_create(k->to, s, k->pool, err) : NULL;
    return k->writer != NULL;
}

static bool add_to_dataset(void *w, const Chunk *c, Error *err)
{
    return dataset_writer_add(w, c, err);
}

static bool begin_table(Keeper *k, const Schema *s, uint64_t rows, Error *err)
{
    (void)rows;
    k->writer = table_writer_create(k->to, s, NULL, k->pool, err);
    return k->writer != NULL;
}

static bool add_to_table(void *w, const Chunk *c, Error *err)
{
    return table_writer_add(w, c, err);
}

static bool write_rows(SqlRows *r, const Schema *s, const Keeper *k, uint64_t rows, Progress *progress,
                       Error *err)
{
    progress_begin(progress, "writing", "rows", rows);
    bool ok = true;
    for (uint64_t at = 0; ok && at < rows;) {
        Arena a = {0};
        Chunk chunk;
        size_t most = rows - at < CHUNK_ROWS ? (size_t)(rows - at) : CHUNK_ROWS;
        ok = next_chunk(r, s, &a, most, &chunk, err);
        if (ok && !chunk.rows)
            rows = at; /* fewer than at the first time */
        chunk.first = at;
        ok = ok && (!chunk.rows || k->add(k->writer, &chunk, err));
        at += ok ? chunk.rows : 0;
        progress_add(progress, ok ? chunk.rows : 0);
        arena_release(&a);
    }
    return ok;
}

/* Both passes see the same moment of the workspace: they are one transaction. */
static bool keep_rows(SqlRows *r, Keeper *k, Progress *progress, uint64_t *rows, Error *err)
{
    Schema schema = {0};
    sqlite3_exec(workspace_sql_handle(r->sql), "BEGIN", NULL, NULL, NULL);
    bool ok = find_types(r, progress, &schema, rows, err) && k->begin(k, &schema, *rows, err);
    sqlite3_reset(r->row);
    ok = ok && write_rows(r, &schema, k, *rows, progress, err);
    sqlite3_reset(r->row);
    sqlite3_exec(workspace_sql_handle(r->sql), "COMMIT", NULL, NULL, NULL);
    schema_release(&schema);
    return ok;
}

static bool enter(Store *s, const char *hash, const char *text, const char *as, Error *err)
{
    Text source = {0};
    text_printf(&source, "sql: %.4000s", text);
    DatasetRow row = {.hash = hash, .name = as, .source = text_str(&source), .source_tag = "",
                      .parent = "", .recipe = "", .plan = "", .sniffed = "{}"};
    bool ok = run_dataset_enter(s, &row, NULL, 0, err);
    text_release(&source);
    return ok;
}

bool workspace_sql_dataset(const char *dir, const char *text, const char *as, Pool *pool,
                           Progress *progress, uint64_t *rows, Error *err)
{
    SqlRows r;
    Arena arena = {0};
    char hash[65];
    uint64_t none;
    if (!workspace_name_check(as, err) || !sql_rows_open(&r, dir, text, progress, err))
        return false;
    Store *s = store_open(dir, STORE_WRITE, err);
    Keeper k = {.pool = pool, .begin = begin_dataset, .add = add_to_dataset};
    k.to = s ? store_path(s, &arena, "datasets") : NULL;
    bool ok = s && keep_rows(&r, &k, progress, rows ? rows : &none, err) &&
              dataset_writer_finish(k.writer, hash, err) && enter(s, hash, text, as, err);
    dataset_writer_destroy(k.writer);
    store_close(s);
    sql_rows_close(&r);
    arena_release(&arena);
    return ok;
}

/* ---- files ---------------------------------------------------------------------------------------------- */

static bool write_table(SqlRows *r, const char *path, Pool *pool, Progress *progress, uint64_t *rows, Error *err)
{
    Keeper k = {.to = path, .pool = pool, .begin = begin_table, .add = add_to_table};
    bool ok = keep_rows(r, &k, progress, rows, err) && table_writer_finish(k.writer, err);
    table_writer_destroy(k.writer);
    return ok;
}

static bool csv_rows(SqlRows *r, FILE *f, Progress *progress, uint64_t *rows, Error *err)
{
    bool ok = true;
    Text line = {0};
    progress_begin(progress, "writing", "rows", 0);
    sql_csv_names(r, &line);
    for (*rows = 0; sql_rows_next(r, &ok, err); ++*rows) {
        fwrite(line.at, 1, line.count, f);
        text_reset(&line);
        sql_csv_row(r, &line);
        progress_add(progress, 1);
    }
    fwrite(line.at, 1, line.count, f);
    text_release(&line);
    return ok;
}

/* Without types, so in one pass: SQL's values are printed as they are. */
static bool write_csv(SqlRows *r, const char *path, Progress *progress, uint64_t *rows, Error *err)
{
    Text part = {0};
    text_printf(&part, "%s.%ld.part", path, (long)getpid());
    FILE *f = fopen(text_str(&part), "w");
    bool ok = f || error_set(err, ERROR_IO, "%s: cannot write: %s", path, strerror(errno));
    ok = ok && csv_rows(r, f, progress, rows, err);
    bool written = f && !ferror(f) && !fflush(f) && !fsync(fileno(f));
    ok = ok && (written || error_set(err, ERROR_IO, "%s: cannot write: %s", path, strerror(errno)));
    if (f)
        fclose(f);
    ok = ok && (!rename(text_str(&part), path) ||
                error_set(err, ERROR_IO, "%s: cannot write: %s", path, strerror(errno)));
    if (!ok && f)
        unlink(text_str(&part));
    text_release(&part);
    return ok;
}

bool workspace_sql_file(const char *dir, const char *text, const char *path, Pool *pool, Progress *progress,
                        uint64_t *rows, Error *err)
{
    SqlRows r;
    uint64_t none;
    rows = rows ? rows : &none;
    if (!sql_rows_open(&r, dir, text, progress, err))
        return false;
    bool ok = table_named(path) && !text_ends(path, ".csv") ? write_table(&r, path, pool, progress, rows, err)
                                                            : write_csv(&r, path, progress, rows, err);
    sql_rows_close(&r);
    return ok;
}
