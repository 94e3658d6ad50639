/* data.c -- lathe data: the datasets; schema, profile and rejects of one. */
#include "data_verbs.h"

#include <math.h>
#include <string.h>

static json_t *dataset_json(const DatasetRow *r)
{
    json_t *o = json_object();
    result_text(o, "dataset", r->name);
    result_text(o, "hash", r->hash);
    result_int(o, "rows", r->rows);
    result_int(o, "columns", r->columns);
    result_int(o, "rejects", r->rejects);
    result_int(o, "bytes", r->bytes);
    result_time(o, "created", r->created);
    result_text(o, "source", r->source);
    return o;
}

static json_t *list(Store *s, Error *err)
{
    Arena arena = {0};
    DatasetRow *rows;
    size_t n;
    json_t *o = NULL;
    if (store_datasets(s, &arena, &rows, &n, err)) {
        json_t *table = json_array();
        for (size_t i = 0; i < n; i++) {
            json_t *row = dataset_json(&rows[i]);
            char brief[13] = {0};
            for (size_t k = 0; k < 12 && rows[i].hash[k]; k++)
                brief[k] = rows[i].hash[k];
            result_text(row, "hash", brief);
            json_array_append_new(table, row);
        }
        o = json_pack("{s:o}", "datasets", table);
    }
    arena_release(&arena);
    return o;
}

static void add_limit(json_t *row, const char *key, const ColumnProfile *p, double value)
{
    Text text = {0};
    if (p->type == COLUMN_TIME)
        time_format((int64_t)value, &text);
    else if (p->type == COLUMN_DATE)
        date_format((int32_t)value, &text);
    if (text.count)
        result_text(row, key, text_str(&text));
    else
        result_real(row, key, value);
    text_release(&text);
}

json_t *data_column_json(const Field *f, const ColumnProfile *p)
{
    json_t *o = json_object();
    result_text(o, "column", f->name);
    result_text(o, "type", column_type_name(f->type));
    char role[40];
    snprintf(role, sizeof role, "%s%s", role_name(f->role), f->private ? " private" : "");
    result_text(o, "role", role);
    result_int(o, "missing", (int64_t)p->missing);
    double present = (double)(p->count - p->missing); /* an estimate may go beyond */
    result_int(o, "distinct", (int64_t)fmin(round(p->distinct), present));
    result_text(o, "top", p->tops ? p->top[0].value : NULL);
    bool any = p->numeric && p->count > p->missing;
    bool when = p->type == COLUMN_TIME || p->type == COLUMN_DATE;
    if (any) {
        add_limit(o, "min", p, p->least);
        add_limit(o, "mean", p, when ? round(p->mean / 1e6) * 1e6 : p->mean);
        add_limit(o, "median", p, p->quantile[50]);
        add_limit(o, "max", p, p->most);
        result_real(o, "std", when ? (double)NAN : p->deviation);
    }
    return o;
}

static json_t *rejects_json(Store *s, const char *hash, Error *err)
{
    Arena arena = {0};
    RejectRow *rows;
    size_t n;
    json_t *table = NULL;
    if (store_rejects(s, hash, 10, &arena, &rows, &n, err)) {
        table = json_array();
        for (size_t i = 0; i < n; i++) {
            json_t *row = json_object();
            result_int(row, "line", rows[i].line);
            result_text(row, "reason", rows[i].reason);
            result_text(row, "text", rows[i].text);
            json_array_append_new(table, row);
        }
    }
    arena_release(&arena);
    return table;
}

/* What the source's own signs said of a column's numbers: percent. */
static void add_units(json_t *columns, const char *sniffed)
{
    json_t *all = json_loads(sniffed, 0, NULL), *column, *was;
    size_t i, k;
    json_array_foreach(columns, i, column) json_array_foreach(
        json_object_get(all, "columns"), k,
        was) if (json_object_get(was, "unit") && text_equal(json_string_value(json_object_get(column, "type")), "float64") &&
                 json_equal(json_object_get(was, "name"), json_object_get(column, "column")))
        json_object_set(column, "unit", json_object_get(was, "unit"));
    json_decref(all);
}

/* From the dataset back to the source that the first of its line was read from. */
static json_t *lineage(Store *s, const DatasetRow *of, Arena *a)
{
    json_t *table = json_array();
    DatasetRow *row;
    size_t n;
    Error gone = {0};
    bool whole = store_dataset_line(s, of, a, &row, &n, &gone);
    for (size_t i = 0; i < n; i++) {
        bool made = *row[i].parent;
        json_t *step = json_object();
        result_text(step, "dataset", row[i].name);
        result_text(step, "hash", arena_printf(a, "%.12s", row[i].hash));
        result_int(step, "rows", row[i].rows);
        result_text(step, "made_by", made ? "clean" : "ingest");
        result_text(step, "from", made ? row[i].recipe : row[i].source);
        json_array_append_new(table, step);
    }
    if (!whole)
        json_array_append_new(table, json_pack("{s:n, s:s, s:n, s:s, s:n}", "dataset", "hash",
                                               arena_printf(a, "%.12s", row[n - 1].parent), "rows", "made_by",
                                               "no longer in the workspace", "from"));
    return table;
}

static json_t *show(Store *s, const char *name, Error *err)
{
    Arena arena = {0};
    Schema schema = {0};
    DatasetRow row;
    json_t *o = NULL, *rejects = NULL;
    Dataset *d = workspace_dataset(s, name, &arena, &row, err);
    if (d && workspace_schema(s, d, &schema, err) &&
        (rejects = rejects_json(s, row.hash, err)) != NULL) {
        o = dataset_json(&row);
        if (*row.parent) {
            result_text(o, "parent", row.parent);
            result_text(o, "recipe", row.recipe);
            json_object_set_new(o, "lineage", lineage(s, &row, &arena));
        }
        json_t *columns = json_array();
        for (size_t i = 0; i < schema.count; i++)
            json_array_append_new(columns,
                                  data_column_json(&schema.field[i], &dataset_profile(d)->column[i]));
        add_units(columns, row.sniffed);
        json_object_set_new(o, "schema", columns);
        if (json_array_size(rejects))
            json_object_set(o, "first_rejects", rejects);
    }
    json_decref(rejects);
    schema_release(&schema);
    dataset_close(d);
    arena_release(&arena);
    return o;
}

static bool run(CommandCall *call, json_t **result, Error *err)
{
    Store *s = call_store(call, STORE_READ, err);
    if (s)
        *result = call->words ? show(s, call->word[0], err) : list(s, err);
    store_close(s);
    return *result != NULL;
}

/* private and public are no roles but a mark beside them. */
static bool is_mark(const char *word)
{
    return text_equal(word, "private") || text_equal(word, "public");
}

static bool set_role(Store *s, const char *hash, const char *column, const char *word, Error *err)
{
    Role role;
    if (is_mark(word))
        return store_column_private(s, hash, column, text_equal(word, "private"), err);
    return (role_parse(word, &role) ||
            error_set(err, ERROR_USAGE,
                      "no role '%s': feature, target, time, id, ignore; private or public", word)) &&
           store_column_role(s, hash, column, role_name(role), err);
}

static bool run_role(CommandCall *call, json_t **result, Error *err)
{
    Arena arena = {0};
    Schema schema = {0};
    DatasetRow row;
    const char *column = call->word[1];
    Store *s = call_store(call, STORE_WRITE, err);
    Dataset *d = s ? workspace_dataset(s, call->word[0], &arena, &row, err) : NULL;
    size_t at = d ? schema_need(dataset_schema(d), column, err) : SIZE_MAX;
    bool ok = at != SIZE_MAX && workspace_schema(s, d, &schema, err);
    const char *was = !ok ? "" : !is_mark(call->word[2]) ? role_name(schema.field[at].role)
                      : schema.field[at].private ? "private" : "public";
    schema_release(&schema);
    ok = ok && set_role(s, row.hash, column, call->word[2], err) && workspace_schema(s, d, &schema, err);
    if (ok) {
        *result = json_pack("{s:s, s:s, s:s, s:s, s:b}", "dataset", row.name, "hash", row.hash, "column", column,
                            "role", role_name(schema.field[at].role), "private", schema.field[at].private);
        if (strcmp(was, call->word[2]) != 0)
            result_undo(*result, "data role", row.hash, column, was, NULL);
    }
    schema_release(&schema);
    dataset_close(d);
    store_close(s);
    arena_release(&arena);
    return ok;
}

static bool run_rename(CommandCall *call, json_t **result, Error *err)
{
    Arena arena = {0};
    DatasetRow was;
    Store *s = call_store(call, STORE_WRITE, err);
    bool ok = s && workspace_name_check(call->word[1], err) &&
              store_dataset_find(s, call->word[0], &arena, &was, err) &&
              store_dataset_rename(s, call->word[0], call->word[1], err);
    if (ok) {
        *result = json_pack("{s:s, s:s}", "dataset", call->word[1], "hash", was.hash);
        if (strcmp(was.name, call->word[1]) != 0)
            result_undo(*result, "data rename", call->word[1], was.name, NULL);
    }
    store_close(s);
    arena_release(&arena);
    return ok;
}

static const Arg show_args[] = {
    {.name = "NAME", .kind = ARG_DATASET, .optional = true, .about = "a dataset's name, hash or the hash's beginning; none lists all"},
    ARG_END};
static const Command show_verb = {
    .name = "show", .about = "lists the datasets, or shows one: schema, profile, rejects", .args = show_args, .run = run};

static const Arg role_args[] = {
    {.name = "NAME", .kind = ARG_DATASET, .about = "the dataset"},
    {.name = "COLUMN", .kind = ARG_WORD, .about = "the column"},
    {.name = "ROLE", .kind = ARG_WORD, .about = "feature, target, time, id or ignore; or private: its values are *** in every log and on the screens of production; public takes that back"},
    ARG_END};
static const Command role_verb = {
    .name = "role", .about = "says what a column is for, and whether it is private", .args = role_args, .run = run_role};

static const Arg rename_args[] = {
    {.name = "NAME", .kind = ARG_DATASET, .about = "the dataset"},
    {.name = "TO", .kind = ARG_WORD, .about = "its new name"},
    ARG_END};
static const Command rename_verb = {
    .name = "rename", .about = "gives a dataset another name", .args = rename_args, .run = run_rename};

extern const Command data_diff_verb, data_drop_verb;
static const Command *const verbs[] = {&show_verb, &data_describe_verb, &data_freq_verb,
                                       &data_pivot_verb, &data_correlate_verb, &data_diff_verb,
                                       &role_verb, &rename_verb, &data_drop_verb, NULL};

const Command data_command = {
    .name = "data",
    .about = "the datasets; schema, profile and rejects of one",
    .example = "lathe data trips_jan",
    .verbs = verbs,
};
