/* sql.c -- lathe sql: the workspace as one database, read-only. */
#include "sql_int.h"

#include <string.h>

typedef struct SqlSettings { int limit; char *as, *out; } SqlSettings;

/* The rows as the verb's result: for the screen, and for who calls the verb without a place to write. */
static json_t *collect(SqlRows *r, uint64_t limit, Error *err)
{
    Arena arena = {0};
    const char **key = sql_rows_keys(r, &arena);
    json_t *out = json_object(), *rows = json_array(), *names = json_array();
    bool ok = true, more = false;
    for (int i = 0; i < r->columns; i++)
        json_array_append_new(names, json_string(key[i]));
    while (!more && sql_rows_next(r, &ok, err)) {
        more = limit && json_array_size(rows) >= limit;
        if (!more)
            json_array_append_new(rows, sql_json_row(r, key));
    }
    json_object_set_new(out, "columns", names);
    json_object_set_new(out, "rows", rows);
    if (more)
        json_object_set_new(out, "truncated", json_true());
    arena_release(&arena);
    if (ok)
        return out;
    json_decref(out);
    return NULL;
}

/* out=-: standard output gets the rows, and the report goes elsewhere. */
static bool write_out(CommandCall *call, const char *text, uint64_t *rows, Error *err)
{
    SqlRows r;
    if (!call->write)
        return error_set(err, ERROR_USAGE, "sql: out=- needs a shell; name a file");
    if (!sql_rows_open(&r, call->workspace, text, call->progress, err))
        return false;
    bool ok = sql_write_csv(call, &r, rows, err);
    sql_rows_close(&r);
    return ok;
}

static bool save_out(CommandCall *call, const char *text, const char *out, uint64_t *rows, Error *err)
{
    if (strcmp(out, "-") == 0)
        return write_out(call, text, rows, err);
    return workspace_sql_file(call->workspace, text, out, call->pool, call->progress, rows, err);
}

/* The whole answer as a dataset or a file; what it became is the result. */
static bool save(CommandCall *call, const char *text, json_t **result, Error *err)
{
    const SqlSettings *set = call->settings;
    uint64_t rows = 0;
    bool ok = (!*set->as || workspace_sql_dataset(call->workspace, text, set->as, call->pool,
                                                  call->progress, &rows, err)) &&
              (!*set->out || save_out(call, text, set->out, &rows, err));
    if (!ok)
        return false;
    *result = json_object();
    if (*set->as)
        result_text(*result, "dataset", set->as);
    if (*set->out)
        result_text(*result, strcmp(set->out, "-") ? "file" : "out", set->out);
    result_int(*result, "count", (int64_t)rows);
    return true;
}

/* Rows as they come where there is a place for them, else all of them as the result. */
static bool query(CommandCall *call, const char *text, json_t **result, Error *err)
{
    const SqlSettings *set = call->settings;
    SqlRows r;
    if (!sql_rows_open(&r, call->workspace, text, call->progress, err))
        return false;
    bool ok = call->write ? sql_write_shown(call, &r, (uint64_t)set->limit, err)
                          : (*result = collect(&r, (uint64_t)set->limit, err)) != NULL;
    sql_rows_close(&r);
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
    PARAM_TEXT(SqlSettings, out, "out", "", "write all rows to this file: CSV, or .csv.gz, .arrow, .arrows, .parquet; - is standard output"),
    PARAM_END};

const Command sql_command = {
    .name = "sql",
    .about = "asks the workspace in SQL: datasets beside runs and metrics, read-only",
    .details = "Each dataset is a table of its name (quote odd names with \"\"), beside the tables datasets,\n"
               "columns, rejects, runs, params, metrics(run, key, step, wall, value), events, models and drift_reports.\n"
               "hour(T), weekday(T) (0 Monday), day(T), month(T) and year(T) are functions of times and dates.\n"
               "Rows are written as they are found; the first thousand say how wide the columns are.",
    .example = "lathe sql \"select PAYMENTTYPE, count(*), avg(MILEAGE) from trips_jan group by 1\"",
    .args = args,
    .params = params,
    .params_size = sizeof(SqlSettings),
    .run = run,
    .print = print,
};
