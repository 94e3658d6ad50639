/* data_ask.c -- lathe data describe, freq, pivot, correlate: questions to one dataset that are passes
 * of the engine over its columns, not SQL. */
#include "data_verbs.h"

#include <lathe/scan.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the dataset and its rows --------------------------------------------------------------------- */

typedef struct Asked {
    Store *store;
    Dataset *d;
    Arena arena;
    DatasetRow row;
    RowSet rows;
    const RowSet *where; /* NULL: all */
} Asked;

static bool ask_open(Asked *a, CommandCall *call, const char *where, Error *err)
{
    a->store = call_store(call, STORE_READ, err);
    a->d = a->store ? workspace_dataset(a->store, call->word[0], &a->arena, &a->row, err) : NULL;
    if (!a->d || !*where)
        return a->d != NULL;
    Expr *e = expr_parse(where, dataset_schema(a->d), err);
    bool ok = e && expr_rows(e, a->d, NULL, call->pool, call->progress, &a->rows, err);
    expr_destroy(e);
    a->where = &a->rows;
    return ok || error_in(err, "where");
}

static void ask_close(Asked *a)
{
    rowset_release(&a->rows);
    dataset_close(a->d);
    store_close(a->store);
    arena_release(&a->arena);
}

static uint64_t rows_asked(const Asked *a)
{
    return a->where ? a->where->count : dataset_rows(a->d);
}

static json_t *begin_result(const Asked *a, const char *where)
{
    json_t *o = json_object();
    result_text(o, "dataset", a->row.name);
    result_int(o, "rows", (int64_t)rows_asked(a));
    if (*where)
        result_text(o, "where", where);
    return o;
}

/* A value of a result's chunk as JSON: numbers and bools as such, times as text. */
static json_t *value_json(const Column *c, size_t row)
{
    if (!column_has(c, row))
        return json_null();
    double v = column_real(c, row);
    if (c->type == COLUMN_INT)
        return json_integer(c->integer[row]);
    if (c->type == COLUMN_BOOL)
        return json_boolean(v != 0);
    if (c->type == COLUMN_REAL)
        return isfinite(v) ? json_real(v) : json_null();
    Text text = {0};
    column_print(c, row, &text);
    json_t *s = json_stringn(text_str(&text), text.count);
    text_release(&text);
    return s ? s : json_string("(not UTF-8)");
}

/* ---- columns and parts of them by name --------------------------------------------------------------- */

/* "hour(PICKUP)", "bin(FARE,20)", "CITY": the column's name may have any characters but a comma. */
static bool parse_key(const Schema *s, const char *text, GroupKey *out, Error *err)
{
    const char *open = strchr(text, '(');
    size_t n = strlen(text);
    *out = (GroupKey){.bins = 20};
    if (schema_find(s, text) != SIZE_MAX || !open || text[n - 1] != ')') {
        out->column = schema_need(s, text, err);
        return out->column != SIZE_MAX;
    }
    Arena a = {0};
    char *part = arena_printf(&a, "%.*s", (int)(open - text), text);
    char *name = arena_printf(&a, "%.*s", (int)(n - 2 - (size_t)(open - text)), open + 1);
    char *bins = strrchr(name, ';');
    if (bins) {
        *bins = 0;
        out->bins = atoi(bins + 1);
    }
    bool ok =
        group_part_parse(part, &out->part) ||
        error_set(err, ERROR_USAGE,
                  "no part '%s' of a column: hour, weekday, day, month, year, date or bin", part);
    ok = ok && (out->column = schema_need(s, name, err)) != SIZE_MAX;
    arena_release(&a);
    return ok;
}

static bool parse_keys(const Schema *s, const char *text, GroupSpec *into, Error *err)
{
    Text one = {0};
    bool ok = true;
    while (ok && *text) {
        size_t n = strcspn(text, ",");
        text_reset(&one);
        text_add(&one, text, n);
        text += n + (text[n] == ',');
        if (into->keys == sizeof into->key / sizeof *into->key)
            ok = error_set(err, ERROR_USAGE, "at most %zu columns can be grouped by", into->keys);
        else
            ok = parse_key(s, text_str(&one), &into->key[into->keys], err);
        into->keys += ok;
    }
    text_release(&one);
    return ok;
}

/* "count", "mean:FARE" */
static bool parse_measure(const Schema *s, const char *text, GroupMeasure *out, Error *err)
{
    const char *colon = strchr(text, ':');
    char name[32] = "";
    size_t n = colon ? (size_t)(colon - text) : strlen(text);
    *out = (GroupMeasure){AGGREGATE_COUNT, SIZE_MAX};
    if (n < sizeof name)
        memcpy(name, text, n);
    if (!aggregate_parse(name, &out->what))
        return error_set(err, ERROR_USAGE,
                         "no measure '%s': count, sum, mean, min, max or stddev, as mean:COLUMN",
                         text);
    if (!colon)
        return out->what == AGGREGATE_COUNT ||
               error_set(err, ERROR_USAGE, "%s of which column? as %s:COLUMN", name, name);
    out->column = schema_need(s, colon + 1, err);
    return out->column != SIZE_MAX;
}

/* ---- describe ------------------------------------------------------------------------------------------ */

typedef struct DescribeSettings {
    char *columns, *where;
} DescribeSettings;

static json_t *tops_json(const ColumnProfile *p)
{
    json_t *all = json_array();
    for (size_t i = 0; i < p->tops; i++) {
        json_t *o = json_object();
        result_text(o, "value", p->top[i].value);
        result_int(o, "count", (int64_t)p->top[i].count);
        json_array_append_new(all, o);
    }
    return all;
}

static json_t *describe_json(const Field *f, const ColumnProfile *p)
{
    static const struct {
        const char *name;
        int at;
    } quantiles[] = {{"p1", 1}, {"p25", 25}, {"p75", 75}, {"p99", 99}};
    json_t *o = data_column_json(f, p);
    bool when = p->type == COLUMN_TIME || p->type == COLUMN_DATE;
    if (p->numeric && !when && p->count > p->missing) {
        for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
            result_real(o, quantiles[i].name, p->quantile[quantiles[i].at]);
        result_int(o, "zeros", (int64_t)p->zeros);
    }
    return o;
}

/* Of one column alone: its most frequent values and its histogram, too. */
static void add_details(json_t *o, const ColumnProfile *p)
{
    json_object_set_new(o, "top", tops_json(p));
    if (!p->numeric)
        return;
    json_t *bins = json_array();
    double width = (p->most - p->least) / PROFILE_BINS;
    for (int i = 0; i < PROFILE_BINS; i++) {
        json_t *bin = json_object();
        result_real(bin, "from", p->least + i * width);
        result_int(bin, "count", (int64_t)p->bin[i]);
        json_array_append_new(bins, bin);
    }
    json_object_set_new(o, "histogram", bins);
}

/* details: NULL when there are several columns. */
static bool describe_column(const Asked *a, CommandCall *call, const Field *f, size_t i,
                            json_t *details, json_t *into, Error *err)
{
    Profile some = {0};
    const ColumnProfile *p = &dataset_profile(a->d)->column[i];
    if (a->where && !scan_profile(a->d, i, a->where, call->pool, call->progress, &some, err))
        return false;
    p = a->where ? some.column : p;
    json_array_append_new(into, describe_json(f, p));
    if (details)
        add_details(details, p);
    profile_release(&some);
    return true;
}

static bool is_named(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = list; *at;) {
        size_t m = strcspn(at, ",");
        if (m == n && memcmp(at, name, n) == 0)
            return true;
        at += m + (at[m] == ',');
    }
    return !*list;
}

static bool check_names(const Schema *s, const char *list, Error *err)
{
    Text one = {0};
    bool ok = true;
    for (const char *at = list; ok && *at;) {
        size_t n = strcspn(at, ",");
        text_reset(&one);
        text_add(&one, at, n);
        ok = schema_need(s, text_str(&one), err) != SIZE_MAX;
        at += n + (at[n] == ',');
    }
    text_release(&one);
    return ok;
}

static bool run_describe(CommandCall *call, json_t **result, Error *err)
{
    const DescribeSettings *set = call->settings;
    Asked a = {0};
    Schema schema = {0};
    bool ok = ask_open(&a, call, set->where, err) && workspace_schema(a.store, a.d, &schema, err) &&
              check_names(&schema, set->columns, err);
    json_t *columns = json_array(), *details = json_object();
    bool one = *set->columns && !strchr(set->columns, ',');
    for (size_t i = 0; ok && i < schema.count; i++)
        if (is_named(set->columns, schema.field[i].name))
            ok = describe_column(&a, call, &schema.field[i], i, one ? details : NULL, columns, err);
    if (ok) {
        *result = begin_result(&a, set->where);
        json_object_set(*result, "columns", columns);
        json_object_update(*result, details);
    }
    json_decref(columns);
    json_decref(details);
    schema_release(&schema);
    ask_close(&a);
    return ok;
}

/* ---- freq ------------------------------------------------------------------------------------------------ */

typedef struct FreqSettings {
    char *where;
    int limit;
} FreqSettings;

static json_t *freq_rows(const Chunk *c, size_t keys, uint64_t total, int limit)
{
    json_t *rows = json_array();
    uint64_t so_far = 0;
    for (size_t r = 0; r < c->rows && (!limit || r < (size_t)limit); r++) {
        json_t *o = json_object();
        for (size_t k = 0; k < keys; k++)
            json_object_set_new(o, c->column[k].name, value_json(&c->column[k], r));
        uint64_t count = (uint64_t)c->column[keys].integer[r];
        so_far += count;
        result_int(o, "count", (int64_t)count);
        result_real(o, "share", total ? (double)count / (double)total : 0);
        result_real(o, "cumulative", total ? (double)so_far / (double)total : 0);
        json_array_append_new(rows, o);
    }
    return rows;
}

static bool run_freq(CommandCall *call, json_t **result, Error *err)
{
    const FreqSettings *set = call->settings;
    Asked a = {0};
    GroupSpec spec = {.measures = 1, .measure = {{AGGREGATE_COUNT, SIZE_MAX}}};
    Chunk out;
    bool ok = ask_open(&a, call, set->where, err);
    for (size_t i = 1; ok && i < call->words; i++)
        ok = parse_keys(dataset_schema(a.d), call->word[i], &spec, err);
    ok = ok && scan_group(a.d, &spec, a.where, 0, call->pool, call->progress, &a.arena, &out, err);
    if (ok) {
        *result = begin_result(&a, set->where);
        result_int(*result, "distinct", (int64_t)out.rows);
        json_object_set_new(*result, "frequency",
                            freq_rows(&out, spec.keys, rows_asked(&a), set->limit));
        if (set->limit && out.rows > (size_t)set->limit)
            json_object_set_new(*result, "truncated", json_true());
    }
    ask_close(&a);
    return ok;
}

/* ---- pivot ------------------------------------------------------------------------------------------------- */

typedef struct PivotSettings {
    char *rows, *columns, *value, *where;
} PivotSettings;

typedef struct Pivot {
    const Chunk *c;
    size_t from, keys, all; /* which keys are compared; the measure is column `all` */
} Pivot;

static int compare_value(const Column *c, size_t a, size_t b)
{
    bool has_a = column_has(c, a), has_b = column_has(c, b);
    if (!has_a || !has_b)
        return has_b - has_a; /* missing last */
    if (c->type != COLUMN_TEXT) {
        double x = column_real(c, a), y = column_real(c, b);
        return (x > y) - (x < y);
    }
    size_t n, m;
    const char *s = column_text(c, a, &n), *t = column_text(c, b, &m);
    int order = memcmp(s, t, n < m ? n : m);
    return order ? order : (n > m) - (n < m);
}

static int compare_groups(const void *x, const void *y, void *context)
{
    const Pivot *p = context;
    size_t a = *(const size_t *)x, b = *(const size_t *)y;
    for (size_t k = p->from; k < p->from + p->keys; k++) {
        int order = compare_value(&p->c->column[k], a, b);
        if (order)
            return order;
    }
    return (a > b) - (a < b);
}

static size_t *ordered(Pivot *p, Arena *a)
{
    size_t *at = ARENA_NEW(a, size_t, p->c->rows + 1);
    for (size_t i = 0; i < p->c->rows; i++)
        at[i] = i;
    qsort_r(at, p->c->rows, sizeof *at, compare_groups, p);
    return at;
}

static bool same_keys(const Pivot *p, size_t a, size_t b)
{
    for (size_t k = p->from; k < p->from + p->keys; k++)
        if (compare_value(&p->c->column[k], a, b) != 0)
            return false;
    return true;
}

static char *heading(const Pivot *p, size_t group, Arena *a)
{
    Text text = {0};
    if (p->keys == 0) /* one column, called as what it shows */
        return arena_text(a, p->c->column[p->all].name);
    for (size_t k = p->from; k < p->from + p->keys; k++) {
        const Column *c = &p->c->column[k];
        text_puts(&text, k > p->from ? " / " : "");
        if (column_has(c, group))
            column_print(c, group, &text);
        else
            text_puts(&text, "(missing)");
    }
    char *name = arena_text(a, text_str(&text));
    text_release(&text);
    return name;
}

/* A row of the table for each distinct row key, with all headings in their order. */
static json_t *pivot_rows(Pivot *p, size_t row_keys, Arena *a, json_t *headings)
{
    Pivot rows = {p->c, 0, row_keys, p->all};
    size_t *by_column = ordered(p, a), *by_row = ordered(&rows, a);
    const char **name = ARENA_NEW(a, const char *, p->c->rows + 1);
    for (size_t i = 0; i < p->c->rows; i++) {
        bool again = i > 0 && same_keys(p, by_column[i], by_column[i - 1]);
        name[by_column[i]] = again ? name[by_column[i - 1]] : heading(p, by_column[i], a);
        if (!again)
            json_array_append_new(headings, json_string(name[by_column[i]]));
    }
    json_t *table = json_array(), *o = NULL, *h;
    size_t at;
    for (size_t i = 0; i < p->c->rows; i++) {
        size_t group = by_row[i];
        if (i == 0 || !same_keys(&rows, group, by_row[i - 1])) {
            json_array_append_new(table, o = json_object());
            for (size_t k = 0; k < row_keys; k++)
                json_object_set_new(o, p->c->column[k].name, value_json(&p->c->column[k], group));
            json_array_foreach(headings, at, h)
                json_object_set_new(o, json_string_value(h), json_null());
        }
        json_object_set_new(o, name[group], value_json(&p->c->column[p->all], group));
    }
    return table;
}

static bool run_pivot(CommandCall *call, json_t **result, Error *err)
{
    const PivotSettings *set = call->settings;
    Asked a = {0};
    GroupSpec spec = {.measures = 1};
    Chunk out;
    bool ok = ask_open(&a, call, set->where, err) &&
              parse_keys(dataset_schema(a.d), set->rows, &spec, err);
    size_t row_keys = spec.keys;
    ok = ok && parse_keys(dataset_schema(a.d), set->columns, &spec, err) &&
         parse_measure(dataset_schema(a.d), set->value, &spec.measure[0], err) &&
         scan_group(a.d, &spec, a.where, 100000, call->pool, call->progress, &a.arena, &out, err);
    if (ok) {
        Pivot p = {&out, row_keys, spec.keys - row_keys, spec.keys};
        json_t *headings = json_array();
        *result = begin_result(&a, set->where);
        result_text(*result, "value", set->value);
        json_t *table = pivot_rows(&p, row_keys, &a.arena, headings);
        json_object_set_new(*result, "headings", headings);
        json_object_set_new(*result, "pivot", table);
    }
    ask_close(&a);
    return ok;
}

static void print_pivot(const json_t *result, size_t width, Text *into)
{
    command_print(NULL, json_object_get(result, "pivot"), width, into);
}

/* ---- correlate ------------------------------------------------------------------------------------------------ */

typedef struct CorrelateSettings {
    char *where;
    int method;
} CorrelateSettings;

static bool run_correlate(CommandCall *call, json_t **result, Error *err)
{
    const CorrelateSettings *set = call->settings;
    Asked a = {0};
    Correlation c;
    bool ok = ask_open(&a, call, set->where, err) &&
              scan_correlation(a.d, a.where, call->pool, call->progress, &a.arena, &c, err);
    if (ok) {
        json_t *table = json_array();
        const Schema *s = dataset_schema(a.d);
        const double *matrix = set->method ? c.spearman : c.pearson;
        for (size_t i = 0; i < c.columns; i++) {
            json_t *o = json_object();
            result_text(o, "column", s->field[c.column[i]].name);
            for (size_t j = 0; j < c.columns; j++)
                result_real(o, s->field[c.column[j]].name, matrix[i * c.columns + j]);
            json_array_append_new(table, o);
        }
        *result = begin_result(&a, set->where);
        result_text(*result, "method", set->method ? "spearman" : "pearson");
        json_object_set_new(*result, "correlation", table);
    }
    ask_close(&a);
    return ok;
}

/* ---- the verbs --------------------------------------------------------------------------------------------------- */

// clang-format off
#define WHERE_HELP "only rows for which this expression holds"

static const Arg dataset_args[] = {
    {.name = "NAME", .kind = ARG_DATASET, .about = "the dataset"},
    ARG_END};
static const Param describe_params[] = {
    PARAM_TEXT(DescribeSettings, columns, "columns", "", "only these, with commas; of one alone also its histogram and top values"),
    PARAM_TEXT(DescribeSettings, where, "where", "", WHERE_HELP),
    PARAM_END};
const Command data_describe_verb = {
    .name = "describe", .about = "counts, ranges, quantiles, spread of every column, or of some rows' columns",
    .example = "lathe data describe trips_jan columns=FAREAMOUNT where=\"MILEAGE > 2\"",
    .args = dataset_args, .params = describe_params, .params_size = sizeof(DescribeSettings), .run = run_describe};

static const Arg freq_args[] = {
    {.name = "NAME", .kind = ARG_DATASET, .about = "the dataset"},
    {.name = "COLUMN", .kind = ARG_WORD, .many = true,
     .about = "columns, with commas or spaces; also hour(C), weekday(C), day(C), month(C), year(C), date(C), bin(C;20)"},
    ARG_END};
static const Param freq_params[] = {
    PARAM_TEXT(FreqSettings, where, "where", "", WHERE_HELP),
    PARAM_INT(FreqSettings, limit, "limit", 50, 0, 1e6, "rows", "most values to give; 0 for all"),
    PARAM_END};
const Command data_freq_verb = {
    .name = "freq", .about = "how often each value, or each combination of values, stands in a dataset",
    .example = "lathe data freq trips_jan PAYMENTTYPE",
    .args = freq_args, .params = freq_params, .params_size = sizeof(FreqSettings), .run = run_freq};

static const Param pivot_params[] = {
    PARAM_TEXT(PivotSettings, rows, "rows", "", "columns whose values make the rows, as in freq", .required = true),
    PARAM_TEXT(PivotSettings, columns, "columns", "", "columns whose values make the columns"),
    PARAM_TEXT(PivotSettings, value, "value", "count", "what stands in the cells: count, or sum, mean, min, max, stddev as mean:COLUMN"),
    PARAM_TEXT(PivotSettings, where, "where", "", WHERE_HELP),
    PARAM_END};
const Command data_pivot_verb = {
    .name = "pivot", .about = "a measure by rows and columns",
    .example = "lathe data pivot trips_jan rows=hour(ORIGINDATETIME_TR) columns=PAYMENTTYPE value=mean:FAREAMOUNT",
    .args = dataset_args, .params = pivot_params, .params_size = sizeof(PivotSettings), .run = run_pivot, .print = print_pivot};

static const char *const methods[] = {"pearson", "spearman", NULL};
static const Param correlate_params[] = {
    PARAM_PICK(CorrelateSettings, method, "method", 0, methods, "of the values, or of their ranks (from at most 100,000 rows)"),
    PARAM_TEXT(CorrelateSettings, where, "where", "", WHERE_HELP),
    PARAM_END};
const Command data_correlate_verb = {
    .name = "correlate", .about = "how the columns with numbers go together, two by two",
    .example = "lathe data correlate trips_jan",
    .args = dataset_args, .params = correlate_params, .params_size = sizeof(CorrelateSettings), .run = run_correlate};
// clang-format on
