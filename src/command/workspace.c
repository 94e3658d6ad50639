/* workspace.c -- what joins the store with tables: names, opening, cleaning, SQL over everything. */
#include "command_int.h"

#include <ctype.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

char *workspace_name_of(const char *source, Arena *a)
{
    char *whole = arena_text(a, source); /* of s3://bucket/trips/ the last folder */
    for (size_t end = strlen(whole); end > 1 && whole[end - 1] == '/';)
        whole[--end] = 0;
    const char *base = strrchr(whole, '/');
    base = base ? base + 1 : whole;
    char *name = arena_alloc(a, strlen(base) + 8);
    size_t n = 0;
    for (; *base && *base != '.' && *base != '?' && n < 60; base++) {
        bool plain = isalnum((unsigned char)*base) || *base == '_' || (*base & 0x80);
        if (plain)
            name[n++] = (char)tolower((unsigned char)*base);
        else if (n && name[n - 1] != '_')
            name[n++] = '_';
    }
    while (n && name[n - 1] == '_')
        n--;
    name[n] = 0;
    if (!n || isdigit((unsigned char)name[0])) {
        memmove(name + 2, name, n + 1);
        memcpy(name, "t_", 2);
    }
    return n ? name : arena_text(a, "table");
}

bool workspace_name_check(const char *name, Error *err)
{
    if (!*name || strlen(name) > 64 || strchr(name, '/') || strchr(name, '"'))
        return error_set(err, ERROR_USAGE,
                         "'%.70s' is no good name for a dataset: 1 to 64 characters without / or \"",
                         name);
    return true;
}

Dataset *workspace_dataset(Store *s, const char *name, Arena *a, DatasetRow *row, Error *err)
{
    DatasetRow found;
    if (!store_dataset_find(s, name, a, &found, err))
        return NULL;
    Dataset *d = dataset_open(store_path(s, a, "datasets/%s.arrow", found.hash), err);
    if (!d)
        error_in(err, "dataset %s", found.name);
    if (row)
        *row = found;
    return d;
}

bool workspace_schema(Store *s, const Dataset *d, Schema *into, Error *err)
{
    Arena arena = {0};
    ColumnRow *columns;
    size_t n;
    bool ok = store_dataset_columns(s, dataset_hash(d), &arena, &columns, &n, err);
    if (ok)
        schema_copy(into, dataset_schema(d));
    for (size_t i = 0; ok && i < n; i++) {
        size_t at = schema_find(into, columns[i].name);
        if (at == SIZE_MAX)
            continue;
        role_parse(columns[i].role, &into->field[at].role);
        into->field[at].private = columns[i].private;
    }
    arena_release(&arena);
    return ok;
}

/* ---- clean ------------------------------------------------------------------------------------------ */

static bool clean_register(Store *s, const DatasetRow *parent, const Recipe *r, const Plan *plan,
                           const char *as, const ApplyReport *report, Error *err)
{
    Text text = {0};
    recipe_print(r, &text);
    json_t *fitted = plan_to_json(plan);
    char *plan_text = json_dumps(fitted, JSON_COMPACT);
    DatasetRow row = {.hash = report->hash,
                      .name = as,
                      .source = parent->source,
                      .source_tag = parent->source_tag,
                      .parent = parent->hash,
                      .recipe = text_str(&text),
                      .plan = plan_text ? plan_text : "",
                      .sniffed = parent->sniffed};
    bool ok = run_dataset_enter(s, &row, NULL, 0, err);
    free(plan_text);
    json_decref(fitted);
    text_release(&text);
    return ok;
}

bool workspace_clean(Store *s, const char *dataset, const Recipe *r, const char *as, Pool *pool,
                     Progress *progress, ApplyReport *out, Error *err)
{
    Arena arena = {0};
    Schema schema = {0};
    DatasetRow parent;
    Plan *plan = NULL;
    Dataset *d = workspace_name_check(as, err) ? workspace_dataset(s, dataset, &arena, &parent, err)
                                               : NULL;
    bool ok = d && workspace_schema(s, d, &schema, err) &&
              (plan = plan_create(r, &schema, err)) != NULL &&
              plan_fit(plan, d, NULL, pool, progress, err) &&
              plan_apply_dataset(plan, d, store_path(s, &arena, "datasets"), pool, progress, out, err) &&
              clean_register(s, &parent, r, plan, as, out, err);
    plan_destroy(plan);
    schema_release(&schema);
    dataset_close(d);
    arena_release(&arena);
    return ok;
}

/* ---- SQL -------------------------------------------------------------------------------------------- */

struct WorkspaceSql {
    Store *store;
    VEC(Dataset *) open;
    Arena arena;
};

/* A name means its newest version, as everywhere; a file that cannot be opened is left out. */
static bool add_tables(WorkspaceSql *q, Error *err)
{
    DatasetRow *rows;
    size_t n;
    VEC(const char *) seen = {0};
    bool ok = store_datasets(q->store, &q->arena, &rows, &n, err);
    for (size_t i = 0; ok && i < n; i++) {
        bool known = false;
        for (size_t k = 0; k < seen.count; k++)
            known |= strcmp(seen.at[k], rows[i].name) == 0;
        if (known)
            continue;
        vec_add(&seen, rows[i].name);
        Error skipped = {0};
        Dataset *d = dataset_open(store_path(q->store, &q->arena, "datasets/%s.arrow", rows[i].hash),
                                  &skipped);
        if (!d)
            continue;
        vec_add(&q->open, d);
        ok = sql_add_dataset(store_handle(q->store), rows[i].name, d, err);
    }
    vec_release(&seen);
    return ok;
}

/* The log of predictions is a file of its own; its tables predictions, feedback and traffic stand beside the
 * others. Where there is none, or it cannot be read, they are not there. */
static void attach_log(WorkspaceSql *q)
{
    sqlite3_stmt *s = NULL;
    Text uri = {0};
    if (!file_exists(store_path(q->store, &q->arena, "predictions.db")))
        return;
    text_puts(&uri, "file:");
    for (const char *p = store_dir(q->store); *p; p++)
        text_printf(&uri, strchr("?#%", *p) ? "%%%02X" : "%c", (unsigned char)*p);
    text_puts(&uri, "/predictions.db?mode=ro");
    if (sqlite3_prepare_v2(store_handle(q->store), "ATTACH ?1 AS log", -1, &s, NULL) == SQLITE_OK) {
        sqlite3_bind_text(s, 1, text_str(&uri), -1, SQLITE_STATIC);
        sqlite3_step(s);
    }
    sqlite3_finalize(s);
    text_release(&uri);
}

WorkspaceSql *workspace_sql_open(const char *dir, Error *err)
{
    WorkspaceSql *q = mem_alloc(sizeof *q);
    q->store = store_open(dir, STORE_READ, err);
    if (!q->store || !add_tables(q, err)) {
        workspace_sql_close(q);
        return NULL;
    }
    attach_log(q);
    return q;
}

struct sqlite3 *workspace_sql_handle(WorkspaceSql *q)
{
    return store_handle(q->store);
}

struct sqlite3_stmt *workspace_sql_prepare(WorkspaceSql *q, const char *text, size_t *where, Error *err)
{
    sqlite3 *db = workspace_sql_handle(q);
    sqlite3_stmt *row = NULL;
    const char *rest = NULL;
    size_t none;
    where = where ? where : &none;
    *where = SIZE_MAX;
    bool ok = sql_prepare(db, text, &row, &rest) == SQLITE_OK;
    if (!ok) {
        int offset = sqlite3_error_offset(db);
        *where = offset < 0 ? SIZE_MAX : (size_t)offset;
        error_set(err, ERROR_PARSE, "sql: %s", sqlite3_errmsg(db));
    }
    ok = ok && (row || error_set(err, ERROR_USAGE, "sql: an empty statement"));
    ok = ok && ((sqlite3_stmt_readonly(row) && sqlite3_column_count(row)) ||
                error_set(err, ERROR_USAGE, "sql: only reading is allowed; datasets never change and "
                                            "runs have their own verbs"));
    ok = ok && (!rest || !rest[strspn(rest, " \t\r\n;")] ||
                error_set(err, ERROR_USAGE, "sql: one statement at a time, please"));
    if (ok)
        return row;
    sqlite3_finalize(row);
    return NULL;
}

void workspace_sql_close(WorkspaceSql *q)
{
    if (!q)
        return;
    store_close(q->store);
    for (size_t i = 0; i < q->open.count; i++)
        dataset_close(q->open.at[i]);
    vec_release(&q->open);
    arena_release(&q->arena);
    mem_free(q);
}
