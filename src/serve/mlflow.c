/* mlflow.c -- the body of POST /invocations to rows. One of
 *
 *     {"dataframe_split":   {"columns": ["MILES", "TIME"], "data": [[1.5, "day"], [2, null]]}}
 *     {"dataframe_records": [{"MILES": 1.5, "TIME": "day"}, {"MILES": 2, "TIME": null}]}
 *     {"instances":         the records, or lists in the order of the model's inputs}
 *     {"inputs":            the same, or columns: {"MILES": [1.5, 2], "TIME": ["day", null]}}
 *
 * and nothing beside it but "params", an object that MLflow's clients may send and a model without parameters passes
 * over, as theirs do. Every row must have every needed column; what that is, intake.c says. */
#include "serve_int.h"

#include <string.h>

/* Columns being filled; at[i] is the field that the i-th given column is. */
typedef struct Table {
    const Intake *in;
    Arena *arena;
    size_t rows, columns;
    size_t *at;
    bool *given; /* by field */
    Column *column;
} Table;

static void table_init(Table *t, const Intake *in, Arena *a, size_t rows)
{
    size_t most = in->schema->count + 1;
    *t = (Table){.in = in,
                 .arena = a,
                 .rows = rows,
                 .at = ARENA_NEW(a, size_t, most),
                 .given = ARENA_NEW(a, bool, most),
                 .column = ARENA_NEW(a, Column, most)};
}

static bool table_add(Table *t, const char *name, Error *err)
{
    size_t at = intake_find(t->in, name, err);
    if (at == SIZE_MAX)
        return false;
    if (t->given[at])
        return error_set(err, ERROR_PARSE, "column %.80s is there twice", name);
    t->given[at] = true;
    t->at[t->columns++] = at;
    return true;
}

static const Field *field_of(const Table *t, size_t column)
{
    return &t->in->schema->field[t->at[column]];
}

static ColumnBuild *column_begin(const Table *t, size_t column)
{
    const Field *f = field_of(t, column);
    return column_build(t->arena, f->name, f->type, t->rows);
}

static void table_finish(const Table *t, Chunk *out)
{
    Chunk have = {.rows = t->rows, .columns = t->columns, .column = t->column};
    intake_complete(t->in, &have, t->arena, out);
}

static bool not_a(const char *what, const char *wanted, const json_t *found, Error *err)
{
    static const char *const names[] = {"an object", "a list", "text",  "a whole number",
                                        "a number",  "true",   "false", "null"};
    return error_set(err, ERROR_PARSE, "%s: expected %s, found %s", what, wanted,
                     found ? names[json_typeof(found)] : "nothing");
}

/* ---- lists of lists ----------------------------------------------------------------------------------- */

static bool check_widths(const Table *t, const char *what, const json_t *data, Error *err)
{
    for (size_t row = 0; row < t->rows; row++) {
        const json_t *list = json_array_get(data, row);
        if (!json_is_array(list))
            return error_set(err, ERROR_PARSE, "%s: row %zu is not a list", what, row + 1);
        if (json_array_size(list) != t->columns)
            return error_set(err, ERROR_PARSE, "%s: row %zu has %zu values for %zu columns", what,
                             row + 1, json_array_size(list), t->columns);
    }
    return true;
}

static bool fill_lists(Table *t, const char *what, const json_t *data, Error *err)
{
    if (!intake_check(t->in, t->given, err) || !check_widths(t, what, data, err))
        return false;
    for (size_t k = 0; k < t->columns; k++) {
        ColumnBuild *b = column_begin(t, k);
        for (size_t row = 0; row < t->rows; row++)
            if (!intake_cell(b, field_of(t, k), json_array_get(json_array_get(data, row), k), row,
                             err))
                return false;
        column_build_finish(b, &t->column[k]);
    }
    return true;
}

static bool read_split(const Intake *in, const json_t *from, Arena *a, Chunk *out, Error *err)
{
    static const char what[] = "dataframe_split";
    const json_t *columns = json_object_get(from, "columns"), *data = json_object_get(from, "data");
    Table t;
    if (!json_is_object(from))
        return not_a(what, "an object with columns and data", from, err);
    if (!json_is_array(columns))
        return not_a("dataframe_split.columns", "a list of names", columns, err);
    if (!json_is_array(data))
        return not_a("dataframe_split.data", "a list of rows", data, err);
    table_init(&t, in, a, json_array_size(data));
    for (size_t i = 0; i < json_array_size(columns); i++) {
        const json_t *name = json_array_get(columns, i);
        if (!json_is_string(name))
            return not_a("dataframe_split.columns", "names as text", name, err);
        if (!table_add(&t, json_string_value(name), err))
            return error_in(err, what);
    }
    if (!fill_lists(&t, "dataframe_split.data", data, err))
        return false;
    table_finish(&t, out);
    return true;
}

static bool read_lists(const Intake *in, const char *what, const json_t *data, Arena *a, Chunk *out,
                       Error *err)
{
    Table t;
    table_init(&t, in, a, json_array_size(data));
    for (size_t i = 0; i < in->inputs; i++)
        table_add(&t, in->name[in->input[i]], NULL);
    if (!fill_lists(&t, what, data, err))
        return false;
    table_finish(&t, out);
    return true;
}

/* ---- records ------------------------------------------------------------------------------------------ */

static bool find_keys(Table *t, const char *what, const json_t *records, Error *err)
{
    for (size_t row = 0; row < t->rows; row++) {
        const json_t *record = json_array_get(records, row);
        if (!json_is_object(record))
            return error_set(err, ERROR_PARSE, "%s: row %zu is not an object", what, row + 1);
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)(uintptr_t)record, key, value)
        {
            size_t at = intake_find(t->in, key, err);
            if (at == SIZE_MAX)
                return error_in(err, "%s: row %zu", what, row + 1);
            if (!t->given[at])
                table_add(t, key, NULL);
        }
    }
    return true;
}

static bool record_cell(const Table *t, size_t k, ColumnBuild *b, const json_t *record, size_t row,
                        Error *err)
{
    const Field *f = field_of(t, k);
    const json_t *value = json_object_get(record, f->name);
    if (value)
        return intake_cell(b, f, value, row, err);
    if (t->in->needed[t->at[k]])
        return error_set(err, ERROR_PARSE, "row %zu: column %.80s is missing", row + 1, f->name);
    column_build_missing(b);
    return true;
}

static bool read_records(const Intake *in, const char *what, const json_t *records, Arena *a,
                         Chunk *out, Error *err)
{
    Table t;
    if (!json_is_array(records))
        return not_a(what, "a list of rows", records, err);
    table_init(&t, in, a, json_array_size(records));
    if (!find_keys(&t, what, records, err) || (t.rows && !intake_check(in, t.given, err)))
        return false;
    for (size_t k = 0; k < t.columns; k++) {
        ColumnBuild *b = column_begin(&t, k);
        for (size_t row = 0; row < t.rows; row++)
            if (!record_cell(&t, k, b, json_array_get(records, row), row, err))
                return false;
        column_build_finish(b, &t.column[k]);
    }
    table_finish(&t, out);
    return true;
}

static bool read_instances(const Intake *in, const char *what, const json_t *from, Arena *a,
                           Chunk *out, Error *err)
{
    bool lists = json_is_array(json_array_get(from, 0));
    return lists ? read_lists(in, what, from, a, out, err)
                 : read_records(in, what, from, a, out, err);
}

/* ---- columns --------------------------------------------------------------------------------------------- */

static bool fill_column(Table *t, size_t k, const json_t *list, Error *err)
{
    ColumnBuild *b = column_begin(t, k);
    for (size_t row = 0; row < t->rows; row++)
        if (!intake_cell(b, field_of(t, k), json_array_get(list, row), row, err))
            return false;
    column_build_finish(b, &t->column[k]);
    return true;
}

static bool read_columns(const Intake *in, json_t *from, Arena *a, Chunk *out, Error *err)
{
    Table t;
    const char *key;
    json_t *list;
    size_t rows = SIZE_MAX;
    json_object_foreach(from, key, list)
    {
        if (!json_is_array(list))
            return not_a("inputs", "a list for each column", list, err);
        if (rows != SIZE_MAX && rows != json_array_size(list))
            return error_set(err, ERROR_PARSE, "inputs: column %.80s has %zu values, others %zu",
                             key, json_array_size(list), rows);
        rows = json_array_size(list);
    }
    table_init(&t, in, a, rows == SIZE_MAX ? 0 : rows);
    json_object_foreach(from, key, list) if (!table_add(&t, key, err)) return error_in(err,
                                                                                       "inputs");
    if (!intake_check(in, t.given, err))
        return false;
    for (size_t k = 0; k < t.columns; k++)
        if (!fill_column(&t, k, json_object_get(from, field_of(&t, k)->name), err))
            return false;
    table_finish(&t, out);
    return true;
}

static bool read_inputs(const Intake *in, const char *what, json_t *from, Arena *a, Chunk *out,
                        Error *err)
{
    return json_is_object(from) ? read_columns(in, from, a, out, err)
                                : read_instances(in, what, from, a, out, err);
}

/* ---- the body ---------------------------------------------------------------------------------------------- */

json_t *body_json(const char *body, size_t n, Error *err)
{
    json_error_t at;
    json_t *root = json_loadb(body, n, JSON_REJECT_DUPLICATES, &at);
    if (!root) {
        Text place = {0};
        bool nan = strstr(at.text, "'NaN'") || strstr(at.text, "Infinity'");
        json_place(body, at.position > 0 && (size_t)at.position < n ? (size_t)at.position : n,
                   &place);
        error_set(err, ERROR_PARSE, "not JSON: line %d, column %d%s%s%s: %.120s%s", at.line,
                  at.column, place.count ? " (" : "", text_str(&place), place.count ? ")" : "",
                  at.text, nan ? "; a missing value is null" : "");
        text_release(&place);
    } else if (!json_is_object(root)) {
        not_a("the body", "an object", root, err);
        json_decref(root);
        root = NULL;
    }
    return root;
}

static bool read_form(const Intake *in, const char *key, json_t *value, Arena *a, Chunk *out,
                      Error *err)
{
    if (!strcmp(key, "dataframe_split"))
        return read_split(in, value, a, out, err);
    if (!strcmp(key, "dataframe_records"))
        return read_records(in, key, value, a, out, err);
    if (!strcmp(key, "instances"))
        return read_instances(in, key, value, a, out, err);
    if (!strcmp(key, "inputs"))
        return read_inputs(in, key, value, a, out, err);
    return error_set(err, ERROR_PARSE,
                     "%.80s: expected dataframe_split, dataframe_records, instances or inputs",
                     key);
}

bool mlflow_rows(const Intake *in, const char *body, size_t n, Arena *a, Chunk *out, Error *err)
{
    return mlflow_fast(in, body, n, a, out) || mlflow_tree(in, body, n, a, out, err);
}

bool mlflow_tree(const Intake *in, const char *body, size_t n, Arena *a, Chunk *out, Error *err)
{
    json_t *root = body_json(body, n, err);
    if (!root)
        return false;
    const json_t *params = json_object_get(root, "params");
    bool ok = !params || json_is_object(params) || json_is_null(params) ||
              not_a("params", "an object", params, err);
    json_object_del(root, "params");
    void *only = json_object_iter(root);
    if (ok && json_object_size(root) == 1)
        ok = read_form(in, json_object_iter_key(only), json_object_iter_value(only), a, out, err);
    else if (ok)
        ok = error_set(err, ERROR_PARSE,
                       "expected exactly one of dataframe_split, dataframe_records, instances "
                       "and inputs, found %zu keys",
                       json_object_size(root));
    json_decref(root);
    return ok;
}
