/* sql_rows.c -- a statement over the workspace, row by row, until it is asked to stop. */
#include "sql_int.h"

#include <string.h>

bool sql_rows_open(SqlRows *r, const char *dir, const char *text, Progress *progress, Error *err)
{
    *r = (SqlRows){.sql = workspace_sql_open(dir, err)};
    r->row = r->sql ? workspace_sql_prepare(r->sql, text, NULL, err) : NULL;
    if (!r->row) {
        sql_rows_close(r);
        return false;
    }
    r->columns = sqlite3_column_count(r->row);
    sql_watch(workspace_sql_handle(r->sql), progress);
    return true;
}

bool sql_rows_next(SqlRows *r, bool *ok, Error *err)
{
    int code = sqlite3_step(r->row);
    if (code == SQLITE_INTERRUPT)
        *ok = error_set(err, ERROR_STOP, "sql: stopped on request");
    else if (code != SQLITE_ROW && code != SQLITE_DONE)
        *ok = error_set(err, ERROR_PARSE, "sql: %s", sqlite3_errmsg(sqlite3_db_handle(r->row)));
    return code == SQLITE_ROW;
}

void sql_rows_close(SqlRows *r)
{
    sqlite3_finalize(r->row);
    workspace_sql_close(r->sql);
    *r = (SqlRows){0};
}

const char **sql_rows_keys(const SqlRows *r, Arena *a)
{
    const char **key = ARENA_NEW(a, const char *, r->columns + 1);
    for (int i = 0; i < r->columns; i++) {
        const char *name = sqlite3_column_name(r->row, i);
        int same = 1;
        for (int k = 0; k < i; k++)
            same += strcmp(sqlite3_column_name(r->row, k), name) == 0;
        key[i] = same > 1 ? arena_printf(a, "%s_%d", name, same) : arena_text(a, name);
    }
    return key;
}

/* ---- CSV ---------------------------------------------------------------------------------------------- */

static void end_line(size_t from, Text *into)
{
    if (into->count == from)
        text_puts(into, "\"\""); /* a line without a field would be no row */
    text_putc(into, '\n');
}

void sql_csv_names(const SqlRows *r, Text *into)
{
    size_t from = into->count;
    for (int i = 0; i < r->columns; i++) {
        const char *name = sqlite3_column_name(r->row, i);
        text_puts(into, i ? "," : "");
        csv_print_field(name, strlen(name), ',', into);
    }
    end_line(from, into);
}

/* NULL is no field, empty text a quoted one. */
void sql_csv_row(const SqlRows *r, Text *into)
{
    size_t from = into->count;
    for (int i = 0; i < r->columns; i++) {
        int type = sqlite3_column_type(r->row, i);
        text_puts(into, i ? "," : "");
        if (type == SQLITE_INTEGER) {
            text_printf(into, "%lld", (long long)sqlite3_column_int64(r->row, i));
        } else if (type == SQLITE_FLOAT) {
            text_add_real(into, sqlite3_column_double(r->row, i));
        } else if (type != SQLITE_NULL) {
            size_t n = (size_t)sqlite3_column_bytes(r->row, i);
            const char *s = (const char *)sqlite3_column_text(r->row, i);
            text_puts(into, n ? "" : "\"\"");
            csv_print_field(s ? s : "", s ? n : 0, ',', into);
        }
    }
    end_line(from, into);
}

/* ---- JSON --------------------------------------------------------------------------------------------- */

static json_t *cell(sqlite3_stmt *row, int i)
{
    json_t *v = NULL;
    switch (sqlite3_column_type(row, i)) {
    case SQLITE_INTEGER:
        v = json_integer(sqlite3_column_int64(row, i));
        break;
    case SQLITE_FLOAT:
        v = json_real(sqlite3_column_double(row, i)); /* NULL for an infinity */
        break;
    case SQLITE_TEXT:
        v = json_string((const char *)sqlite3_column_text(row, i));
        break;
    case SQLITE_BLOB:
        v = json_string("(bytes)");
        break;
    default:
        break;
    }
    return v ? v : json_null();
}

json_t *sql_json_row(const SqlRows *r, const char *const *key)
{
    json_t *o = json_object();
    for (int i = 0; i < r->columns; i++)
        json_object_set_new(o, key[i], cell(r->row, i));
    return o;
}
