/* save.c -- a drift report as JSON and back.
 *
 *     { "reference": "hash", "current": "hash", "reference_rows": n, "current_rows": n,
 *       "drifted": true, "drifted_columns": n, "share": x, "threshold": x,
 *       "error": { "metric": "rmse", "reference": x, "current": x } or null,
 *       "columns": [ { "column", "role", "type", "test", "statistic", "threshold", "drifted",
 *                      "reference_n", ..., "binning", "edges": [], "labels": [],
 *                      "reference_share": [], "current_share": [], "note", "importance" }, ... ],
 *       "weighted_share": x }      importance and weighted_share: only where a model said so
 *
 * A column that several tests were asked for has "also": [ { "test", "statistic", "threshold", "drifted" } ].
 * A statistic that could not be computed is null. */
#include "drift_int.h"

#include <stdio.h>

#define COLUMNS_MOST 100000

static json_t *real(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *reals(const double *at, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, real(at[i]));
    return list;
}

static json_t *more_to_json(const DriftColumn *c)
{
    json_t *list = json_array();
    for (size_t i = 0; i < c->more; i++)
        json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:b}", "test", c->also[i].test->name,
                                              "statistic", real(c->also[i].statistic), "threshold",
                                              real(c->also[i].threshold), "drifted",
                                              (int)c->also[i].drifted));
    return list;
}

static json_t *column_to_json(const DriftColumn *c)
{
    json_t *labels = json_array();
    for (size_t i = 0; i < c->bins && c->label[i][0]; i++)
        json_array_append_new(labels, json_string(c->label[i]));
    json_t *to = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:b, s:b}", "column", c->name, "role",
                           c->role, "type", c->type, "test", c->test->name, "statistic",
                           real(c->statistic), "threshold", real(c->threshold), "drifted",
                           (int)c->drifted, "p_value", (int)c->test->p_value);
    json_object_set_new(to, "reference_n", json_integer((json_int_t)c->reference_n));
    json_object_set_new(to, "current_n", json_integer((json_int_t)c->current_n));
    json_object_set_new(to, "reference_missing", json_integer((json_int_t)c->reference_missing));
    json_object_set_new(to, "current_missing", json_integer((json_int_t)c->current_missing));
    json_object_set_new(to, "reference_mean", real(c->reference_mean));
    json_object_set_new(to, "current_mean", real(c->current_mean));
    json_object_set_new(to, "reference_deviation", real(c->reference_deviation));
    json_object_set_new(to, "current_deviation", real(c->current_deviation));
    json_object_set_new(to, "binning", json_string(c->binning));
    json_object_set_new(to, "edges", reals(c->edge, c->bins ? c->bins + 1 : 0));
    json_object_set_new(to, "labels", labels);
    json_object_set_new(to, "reference_share", reals(c->reference_share, c->bins));
    json_object_set_new(to, "current_share", reals(c->current_share, c->bins));
    json_object_set_new(to, "note", json_string(c->note));
    if (isfinite(c->importance))
        json_object_set_new(to, "importance", json_real(c->importance));
    if (c->more)
        json_object_set_new(to, "also", more_to_json(c));
    return to;
}

json_t *drift_report_to_json(const DriftReport *r)
{
    json_t *columns = json_array();
    for (size_t i = 0; i < r->columns; i++)
        json_array_append_new(columns, column_to_json(&r->column[i]));
    json_t *wrong = r->has_error
                        ? json_pack("{s:s, s:o, s:o}", "metric", r->metric, "reference",
                                    real(r->reference_error), "current", real(r->current_error))
                        : json_null();
    json_t *to =
        json_pack("{s:s, s:s, s:I, s:I, s:b, s:I, s:o, s:o, s:o, s:o}", "reference", r->reference,
                  "current", r->current, "reference_rows", (json_int_t)r->reference_rows,
                  "current_rows", (json_int_t)r->current_rows, "drifted", (int)r->dataset_drifted,
                  "drifted_columns", (json_int_t)r->drifted, "share", real(r->share), "threshold",
                  real(r->threshold), "error", wrong, "columns", columns);
    if (isfinite(r->weighted_share))
        json_object_set_new(to, "weighted_share", json_real(r->weighted_share));
    return to;
}

/* ---- reading ---- */

static void copy_text(const json_t *from, char *to, size_t room)
{
    const char *text = json_string_value(from);
    copy_cut(to, room, text ? text : "");
}

static double number(const json_t *from)
{
    return json_is_number(from) ? json_number_value(from) : (double)NAN;
}

static uint64_t whole(const json_t *from)
{
    json_int_t n = json_integer_value(from);
    return n > 0 ? (uint64_t)n : 0;
}

static size_t read_reals(const json_t *list, double *at, size_t most)
{
    size_t n = json_array_size(list);
    for (size_t i = 0; i < n && i < most; i++)
        at[i] = number(json_array_get(list, i));
    return n;
}

/* Roles and types are constants of ours: the report points at them, not into the JSON. */
static const char *known_role(const char *name)
{
    static const char *const roles[] = {"feature", "target", "prediction", "table"};
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (text_equal(name, roles[i]))
            return roles[i];
    return NULL;
}

static bool more_from_json(DriftColumn *c, const json_t *list, Error *err)
{
    size_t i;
    json_t *from;
    json_array_foreach(list, i, from)
    {
        const char *name = json_string_value(json_object_get(from, "test"));
        const DriftTest *t = drift_test(name ? name : "");
        if (!t || c->more == DRIFT_MORE)
            return error_set(err, ERROR_PARSE, "%s: also: %s", c->name,
                             t ? "too many tests" : "no such test in this version");
        c->also[c->more++] =
            (DriftScore){.test = t,
                         .statistic = number(json_object_get(from, "statistic")),
                         .threshold = number(json_object_get(from, "threshold")),
                         .drifted = json_is_true(json_object_get(from, "drifted"))};
    }
    return true;
}

static bool column_from_json(DriftColumn *c, const json_t *from, Error *err)
{
    const char *name, *role, *type, *test;
    int drifted;
    ColumnType kind;
    if (json_unpack((json_t *)from, "{s:s, s:s, s:s, s:s, s:b}", "column", &name, "role", &role,
                    "type", &type, "test", &test, "drifted", &drifted))
        return error_set(err, ERROR_PARSE, "column, role, type, test or drifted is missing");
    copy_cut(c->name, sizeof c->name, name);
    c->role = known_role(role);
    c->test = drift_test(test);
    if (!c->role || !column_type_parse(type, &kind))
        return error_set(err, ERROR_PARSE, "%s: unknown role or type", name);
    if (!c->test)
        return error_set(err, ERROR_PARSE, "%s: no drift test '%s' in this version", name, test);
    c->type = column_type_name(kind);
    c->drifted = drifted != 0;
    c->statistic = number(json_object_get(from, "statistic"));
    c->threshold = number(json_object_get(from, "threshold"));
    c->reference_n = whole(json_object_get(from, "reference_n"));
    c->current_n = whole(json_object_get(from, "current_n"));
    c->reference_missing = whole(json_object_get(from, "reference_missing"));
    c->current_missing = whole(json_object_get(from, "current_missing"));
    c->reference_mean = number(json_object_get(from, "reference_mean"));
    c->current_mean = number(json_object_get(from, "current_mean"));
    c->reference_deviation = number(json_object_get(from, "reference_deviation"));
    c->current_deviation = number(json_object_get(from, "current_deviation"));
    copy_text(json_object_get(from, "binning"), c->binning, sizeof c->binning);
    copy_text(json_object_get(from, "note"), c->note, sizeof c->note);
    c->importance = number(json_object_get(from, "importance"));
    const json_t *labels = json_object_get(from, "labels");
    size_t edges = read_reals(json_object_get(from, "edges"), c->edge, DRIFT_BINS + 1);
    c->bins = read_reals(json_object_get(from, "reference_share"), c->reference_share, DRIFT_BINS);
    size_t other = read_reals(json_object_get(from, "current_share"), c->current_share, DRIFT_BINS);
    if (c->bins > DRIFT_BINS || other != c->bins || edges != (c->bins ? c->bins + 1 : 0) ||
        json_array_size(labels) > c->bins)
        return error_set(err, ERROR_PARSE, "%s: shares, edges and labels do not fit", name);
    for (size_t i = 0; i < json_array_size(labels); i++)
        copy_text(json_array_get(labels, i), c->label[i], sizeof c->label[i]);
    return more_from_json(c, json_object_get(from, "also"), err);
}

static bool read_report(DriftReport *r, const json_t *from, Error *err)
{
    const json_t *columns = json_object_get(from, "columns");
    const json_t *wrong = json_object_get(from, "error");
    size_t count = json_array_size(columns);
    if (!json_is_array(columns) || count > COLUMNS_MOST)
        return error_set(err, ERROR_PARSE, "drift report: no columns");
    copy_text(json_object_get(from, "reference"), r->reference, sizeof r->reference);
    copy_text(json_object_get(from, "current"), r->current, sizeof r->current);
    r->reference_rows = whole(json_object_get(from, "reference_rows"));
    r->current_rows = whole(json_object_get(from, "current_rows"));
    r->drifted = whole(json_object_get(from, "drifted_columns"));
    r->share = number(json_object_get(from, "share"));
    r->threshold = number(json_object_get(from, "threshold"));
    r->weighted_share = number(json_object_get(from, "weighted_share"));
    r->dataset_drifted = json_is_true(json_object_get(from, "drifted"));
    r->has_error = json_is_object(wrong);
    if (r->has_error) {
        copy_text(json_object_get(wrong, "metric"), r->metric, sizeof r->metric);
        r->reference_error = number(json_object_get(wrong, "reference"));
        r->current_error = number(json_object_get(wrong, "current"));
    }
    r->column = mem_alloc((count + 1) * sizeof *r->column);
    for (; r->columns < count; r->columns++)
        if (!column_from_json(&r->column[r->columns], json_array_get(columns, r->columns), err))
            return error_in(err, "drift report");
    return true;
}

DriftReport *drift_report_from_json(const json_t *from, Error *err)
{
    DriftReport *r = mem_alloc(sizeof *r);
    if (read_report(r, from, err))
        return r;
    drift_report_destroy(r);
    return NULL;
}
