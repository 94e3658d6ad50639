/* sql.c -- lathe sql: the workspace as one database, read-only. */
#include "command_int.h"

#include <sqlite3.h>
#include <string.h>

typedef struct SqlSettings { int limit; char *as, *out; } SqlSettings;

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

/* A second column of the same name gets a number, as JSON keys must differ. */
static const char *column_key(sqlite3_stmt *row, int i, Arena *a)
{
    const char *name = sqlite3_column_name(row, i);
    int same = 1;
    for (int k = 0; k < i; k++)
        same += strcmp(sqlite3_column_name(row, k), name) == 0;
    return same > 1 ? arena_printf(a, "%s_%d", name, same) : arena_text(a, name);
}

/* SQLite asks every so many operations whether to go on: the place to see a raised stop. */
static int asked_to_stop(void *progress)
{
    return progress_stopped(progress);
}

static bool fetch(sqlite3_stmt *row, const SqlSettings *set, json_t *out, Error *err)
{
    Arena arena = {0};
    int columns = sqlite3_column_count(row), rc = SQLITE_DONE;
    const char **key = ARENA_NEW(&arena, const char *, columns + 1);
    json_t *rows = json_array(), *names = json_array();
    for (int i = 0; i < columns; i++) {
        key[i] = column_key(row, i, &arena);
        json_array_append_new(names, json_string(key[i]));
    }
    bool more = false;
    while (!more && (rc = sqlite3_step(row)) == SQLITE_ROW) {
        more = set->limit && json_array_size(rows) >= (size_t)set->limit;
        json_t *o = more ? NULL : json_object();
        for (int i = 0; o && i < columns; i++)
            json_object_set_new(o, key[i], cell(row, i));
        if (o)
            json_array_append_new(rows, o);
    }
    json_object_set_new(out, "columns", names);
    json_object_set_new(out, "rows", rows);
    if (more)
        json_object_set_new(out, "truncated", json_true());
    arena_release(&arena);
    if (rc == SQLITE_INTERRUPT)
        return error_set(err, ERROR_STOP, "sql: stopped on request");
    return rc == SQLITE_DONE || rc == SQLITE_ROW ||
           error_set(err, ERROR_PARSE, "sql: %s", sqlite3_errmsg(sqlite3_db_handle(row)));
}

static bool save_file(CommandCall *call, const char *text, const char *out, uint64_t *rows, Error *err)
{
    if (table_named(out) && !text_ends(out, ".csv"))
        return workspace_sql_table(call->workspace, text, out, call->pool, call->progress, rows, err);
    return workspace_sql_csv(call->workspace, text, out, call->progress, rows, err);
}

/* The whole answer as a dataset or a file; what it became is the result. */
static bool save(CommandCall *call, const char *text, json_t **result, Error *err)
{
    const SqlSettings *set = call->settings;
    uint64_t rows = 0;
    bool ok = (!*set->as || workspace_sql_dataset(call->workspace, text, set->as, call->pool,
                                                  call->progress, &rows, err)) &&
              (!*set->out || save_file(call, text, set->out, &rows, err));
    if (!ok)
        return false;
    *result = json_object();
    if (*set->as)
        result_text(*result, "dataset", set->as);
    if (*set->out)
        result_text(*result, "file", set->out);
    result_int(*result, "count", (int64_t)rows);
    return true;
}

static bool query(CommandCall *call, const char *text, json_t **result, Error *err)
{
    WorkspaceSql *q = workspace_sql_open(call->workspace, err);
    sqlite3_stmt *row = q ? workspace_sql_prepare(q, text, NULL, err) : NULL;
    bool ok = row != NULL;
    if (ok && call->progress)
        sqlite3_progress_handler(workspace_sql_handle(q), 10000, asked_to_stop, call->progress);
    if (ok) {
        *result = json_object();
        ok = fetch(row, call->settings, *result, err);
    }
    sqlite3_finalize(row);
    workspace_sql_close(q);
    return ok;
}

static bool run(CommandCall *call, json_t **result, Error *err)
{
    const SqlSettings *set = call->settings;
    Text text = {0}; /* quotes are often forgotten: the words together are the statement */
    for (size_t i = 0; i < call->words; i++)
        text_printf(&text, "%s%s", i ? " " : "", call->word[i]);
    bool ok = *set->as || *set->out ? save(call, text_str(&text), result, err)
                                    : query(call, text_str(&text), result, err);
    text_release(&text);
    return ok;
}

static void print(const json_t *result, size_t width, Text *into)
{
    const json_t *rows = json_object_get(result, "rows");
    size_t n = json_array_size(rows);
    if (!rows) {
        command_print(NULL, result, width, into);
        return;
    }
    if (n)
        command_print(NULL, rows, width, into);
    text_printf(into, n == 1 ? "(%zu row%s)\n" : "(%zu rows%s)\n", n,
                json_object_get(result, "truncated") ? ", more left out; limit=0 gives all" : "");
}

static const Arg args[] = {
    {.name = "SELECT", .kind = ARG_SQL, .many = true, .about = "a statement over datasets, columns, runs, params, metrics, events, ..."},
    ARG_END};
static const Param params[] = {
    PARAM_INT(SqlSettings, limit, "limit", 10000, 0, 1e9, "rows", "most rows to give; 0 for all"),
    PARAM_TEXT(SqlSettings, as, "as", "", "keep all rows as a dataset of this name"),
    PARAM_TEXT(SqlSettings, out, "out", "", "write all rows to this file: CSV, or .csv.gz, .arrow, .arrows, .parquet"),
    PARAM_END};

const Command sql_command = {
    .name = "sql",
    .about = "asks the workspace in SQL: datasets beside runs and metrics, read-only",
    .details = "Each dataset is a table of its name (quote odd names with \"\"), beside the tables datasets,\n"
               "columns, rejects, runs, params, metrics(run, key, step, wall, value), events, models and drift_reports.\n"
               "hour(T), weekday(T) (0 Monday), day(T), month(T) and year(T) are functions of times and dates.",
    .example = "lathe sql \"select PAYMENTTYPE, count(*), avg(MILEAGE) from trips_jan group by 1\"",
    .args = args,
    .params = params,
    .params_size = sizeof(SqlSettings),
    .run = run,
    .print = print,
};
