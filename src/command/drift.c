/* drift.c -- lathe drift: has a table moved away from another? */
#include "drift_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct DriftSettings {
    char *target, *run, *test, *chunk, *time;
    int thresholds;
    double share;
    char *by;
    int rows;
} DriftSettings;

static const char *const threshold_names[] = {"evidently", "nannyml", NULL};

static bool add_parts(Store *s, const DriftSettings *set, const Dataset *reference, const Dataset *current,
                      const DriftOptions *options, const CommandCall *call, json_t *into, Error *err)
{
    Arena a = {0};
    DriftParts parts = {.reference = text_equal(call->word[0], call->word[1]) ? NULL : reference,
                        .current = current, .by = set->by, .rows = (uint64_t)set->rows,
                        .scratch = store_path(s, &a, "scratch/parts-%ld-%lld", (long)getpid(), (long long)time_now()),
                        .options = *options};
    bool ok = (!*set->by && !set->rows) || drift_parts_add(&parts, call, into, err);
    arena_release(&a);
    return ok;
}

/* A part that drifted is an alert, too, whatever the table is like as a whole. */
static bool any_part_drifted(const json_t *report)
{
    size_t i;
    json_t *part;
    json_array_foreach(json_object_get(json_object_get(report, "parts"), "part"), i, part) {
        if (json_is_true(json_object_get(part, "drifted")))
            return true;
    }
    return false;
}

static bool keep_report(Store *s, const DriftReport *r, const json_t *report, Error *err)
{
    char *text = json_dumps(report, JSON_COMPACT);
    DriftRow row = {.created = time_now(),
                    .reference = r->reference,
                    .current = r->current,
                    .report = text ? text : "{}",
                    .drifted = r->dataset_drifted || any_part_drifted(report)};
    bool ok = store_drift_add(s, &row, err) != 0;
    free(text);
    return ok;
}

static bool open_bundle(Store *s, const char *run, const CommandCall *call, Arena *a, Bundle **out,
                        Error *err)
{
    RunRow row;
    const char *path;
    if (!*run)
        return true;
    *out = store_run_find(s, run, a, &row, err) && run_bundle_path(s, row.id, a, &path, err)
               ? bundle_open(path, call->pool, err)
               : NULL;
    return *out != NULL;
}

/* ---- chunks ----------------------------------------------------------------------------------------- */

/* "5000" rows; "1d", "1w", "6h", "30m", "90s"; "day", "week"; "month", "quarter", "year" of the calendar. */
static bool read_chunk(const char *text, DriftChunks *into, Error *err)
{
    static const struct {
        char unit;
        double seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
    static const struct {
        const char *word;
        double seconds;
        int months;
    } periods[] = {{"hour", 3600, 0}, {"day", 86400, 0}, {"week", 7 * 86400, 0}, {"month", 0, 1}, {"quarter", 0, 3}, {"year", 0, 12}};
    size_t n = strlen(text);
    int64_t rows;
    double count;
    for (size_t i = 0; i < sizeof periods / sizeof *periods; i++)
        if (text_equal(text, periods[i].word)) {
            into->seconds = periods[i].seconds;
            into->months = periods[i].months;
            return true;
        }
    if (text_to_int(text, n, &rows) && rows > 0) {
        into->rows = (uint64_t)rows;
        return true;
    }
    for (size_t i = 0; n > 1 && i < sizeof units / sizeof *units; i++)
        if (text[n - 1] == units[i].unit && text_to_real(text, n - 1, &count) && count > 0 &&
            count <= 1e6) {
            into->seconds = count * units[i].seconds;
            return true;
        }
    return error_set(err, ERROR_USAGE,
                     "chunk: expected rows, or a time like 6h, 1d, week, month, quarter; found '%s'", text);
}

/* The column that orders the rows: as told, by its role, or the first that is a time. */
static const char *time_of(const DriftSettings *set, const Schema *s)
{
    if (*set->time)
        return set->time;
    for (int role = 1; role >= 0; role--)
        for (size_t i = 0; i < s->count; i++) {
            ColumnType t = s->field[i].type;
            if ((t == COLUMN_TIME || t == COLUMN_DATE) &&
                (!role || s->field[i].role == ROLE_TIMELINE))
                return s->field[i].name;
        }
    return NULL;
}

static json_t *number_or_null(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *moment(double seconds)
{
    Text text = {0};
    time_format((int64_t)(seconds * 1e6), &text);
    json_t *out = json_string(text_str(&text));
    text_release(&text);
    return out;
}

static json_t *worst_columns(const DriftReport *r)
{
    Text text = {0};
    size_t told = 0;
    for (size_t i = 0; i < r->columns && told < 3; i++)
        if (r->column[i].drifted)
            text_printf(&text, "%s%s", told++ ? ", " : "", r->column[i].name);
    json_t *out = json_string(text_str(&text));
    text_release(&text);
    return out;
}

static json_t *chunk_json(const DriftChunk *c, bool timed)
{
    json_t *o = json_object();
    json_object_set_new(o, "from", timed ? moment(c->from) : json_integer((json_int_t)c->first));
    json_object_set_new(o, "rows", json_integer((json_int_t)c->rows));
    json_object_set_new(o, "drifted", json_boolean(c->report->dataset_drifted));
    json_object_set_new(o, "drifted_columns", json_integer((json_int_t)c->report->drifted));
    json_object_set_new(o, "share", number_or_null(c->report->share));
    if (isfinite(c->report->weighted_share))
        json_object_set_new(o, "weighted_share", json_real(c->report->weighted_share));
    if (c->report->has_error)
        json_object_set_new(o, c->report->metric, number_or_null(c->report->current_error));
    json_object_set_new(o, "most_drifted", worst_columns(c->report));
    json_object_set_new(o, "report", drift_report_to_json(c->report));
    return o;
}

static bool run_chunks(CommandCall *call, const Dataset *reference, const Dataset *current,
                       const DriftOptions *o, json_t **result, Error *err)
{
    const DriftSettings *set = call->settings;
    DriftChunks how = {.nannyml = o->nannyml};
    DriftChunk *chunk = NULL;
    size_t n = 0, drifted = 0;
    if (!read_chunk(set->chunk, &how, err))
        return false;
    if ((how.seconds > 0 || how.months) && !(how.time = time_of(set, dataset_schema(current))))
        return error_set(
            err, ERROR_USAGE,
            "chunk=%s: the table has no column of times; name one with time=", set->chunk);
    if (!drift_chunks(reference, current, o, &how, call->pool, call->progress, &chunk, &n, err))
        return false;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        drifted += chunk[i].report->dataset_drifted;
        json_array_append_new(list, chunk_json(&chunk[i], how.time != NULL));
    }
    *result = json_pack("{s:s, s:s, s:I, s:I, s:o}", "reference", dataset_hash(reference),
                        "current", dataset_hash(current), "chunk_count", (json_int_t)n,
                        "drifted_chunks", (json_int_t)drifted, "chunks", list);
    if (how.time)
        result_text(*result, "time", how.time);
    drift_chunks_free(chunk, n);
    return true;
}

static bool run_report(CommandCall *call, Store *s, const Dataset *reference,
                       const Dataset *current, const DriftOptions *o, json_t **result, Error *err)
{
    DriftReport *report = drift_report(reference, current, o, call->pool, call->progress, err);
    if (!report)
        return false;
    *result = drift_report_to_json(report);
    bool ok = add_parts(s, call->settings, reference, current, o, call, *result, err) &&
              keep_report(s, report, *result, err);
    drift_report_destroy(report);
    return ok;
}

static bool run(CommandCall *call, json_t **result, Error *err)
{
    const DriftSettings *set = call->settings;
    Arena arena = {0};
    Bundle *bundle = NULL;
    DatasetRow rows[2];
    Store *s = call_store(call, STORE_WRITE, err);
    Dataset *reference = s ? workspace_dataset(s, call->word[0], &arena, &rows[0], err) : NULL;
    Dataset *current =
        reference ? workspace_dataset(s, call->word[1], &arena, &rows[1], err) : NULL;
    bool ok = current && open_bundle(s, set->run, call, &arena, &bundle, err);
    Scratch *scratch = ok ? scratch_create(store_dir(s), 0) : NULL;
    DriftOptions options = {.scratch = scratch,
                            .target = set->target,
                            .test = set->test,
                            .share = set->share,
                            .bundle = bundle,
                            .nannyml = set->thresholds == 1};
    ok = ok && (*set->chunk ? run_chunks(call, reference, current, &options, result, err)
                            : run_report(call, s, reference, current, &options, result, err));
    if (ok) {
        result_text(*result, "reference_name", rows[0].name);
        result_text(*result, "current_name", rows[1].name);
    }
    scratch_destroy(scratch);
    bundle_close(bundle);
    dataset_close(current);
    dataset_close(reference);
    store_close(s);
    arena_release(&arena);
    return ok;
}

/* A line a part: what is in it, and how many of its columns drifted. */
static void print_parts(const json_t *result, size_t width, Text *into)
{
    json_t *list = json_object_get(json_object_get(result, "parts"), "part"), *table = json_array(), *part;
    size_t i;
    json_array_foreach(list, i, part) {
        json_t *row = json_copy(part);
        json_object_del(row, "columns");
        json_array_append_new(table, row);
    }
    if (json_array_size(table)) {
        text_putc(into, '\n');
        command_print(NULL, table, width, into);
    }
    json_decref(table);
}

/* "wasserstein 0.02, psi 0.31!": what further tests say of a column. */
static json_t *also_text(const json_t *list)
{
    Text text = {0};
    size_t i;
    json_t *one;
    json_array_foreach(list, i, one)
        text_printf(&text, "%s%s %.3g%s", i ? ", " : "", json_string_value(json_object_get(one, "test")),
                    json_number_value(json_object_get(one, "statistic")),
                    json_is_true(json_object_get(one, "drifted")) ? "!" : "");
    json_t *out = json_string(text_str(&text));
    text_release(&text);
    return out;
}

/* The rows of a list without what is too long for a table: the histograms, the reports of chunks. */
static json_t *rows_of(const json_t *list, const char *const *shown, size_t n)
{
    json_t *table = json_array(), *from;
    size_t i;
    json_array_foreach((json_t *)(uintptr_t)list, i, from)
    {
        json_t *row = json_object();
        for (size_t k = 0; k < n; k++) {
            json_t *v = json_object_get(from, shown[k]);
            if (json_is_array(v))
                json_object_set_new(row, shown[k], also_text(v));
            else if (v)
                json_object_set(row, shown[k], v);
        }
        json_array_append_new(table, row);
    }
    return table;
}

static void print(const json_t *result, size_t width, Text *into)
{
    static const char *const columns[] = {"column",       "role",    "test",       "statistic",
                                          "threshold",    "drifted", "importance", "reference_mean",
                                          "current_mean", "also", "note"};
    static const char *const chunks[] = {
        "from",           "rows", "drifted", "drifted_columns", "share",
        "weighted_share", "rmse", "logloss", "most_drifted"};
    const json_t *list = json_object_get(result, "chunks");
    json_t *table = list ? rows_of(list, chunks, sizeof chunks / sizeof *chunks)
                         : rows_of(json_object_get(result, "columns"), columns,
                                   sizeof columns / sizeof *columns);
    json_t *brief = json_object();
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)(uintptr_t)result, key, v)
    {
        if (!json_is_array(v) && !json_is_object(v))
            json_object_set(brief, key, v);
    }
    command_print(NULL, brief, width, into);
    text_putc(into, '\n');
    command_print(NULL, table, width, into);
    print_parts(result, width, into);
    json_decref(brief);
    json_decref(table);
}

static const Arg args[] = {
    {.name = "REFERENCE", .kind = ARG_DATASET, .about = "the dataset a model learnt from"},
    {.name = "CURRENT", .kind = ARG_DATASET, .about = "the dataset to judge"},
    ARG_END};
static const Param params[] = {
    PARAM_TEXT(DriftSettings, target, "target", "", "the target column: its drift is named so"),
    PARAM_TEXT(DriftSettings, run, "run", "",
               "a run: adds drift of its predictions, and its error where the target is"),
    PARAM_TEXT(DriftSettings, test, "test", "",
               "a test for all columns it fits, or several like ks,wasserstein,psi, of which the first decides; chosen per column when not given"),
    PARAM_TEXT(DriftSettings, chunk, "chunk", "",
               "judges the current table in parts: so many rows, or a time like 6h, 1d, week, month, quarter, year"),
    PARAM_TEXT(DriftSettings, time, "time", "",
               "the column of times chunks go by; the first there is when not given"),
    PARAM_PICK(DriftSettings, thresholds, "thresholds", 0, threshold_names,
               "what is drift: the tests' thresholds, or mean +- 3 deviations of the reference's "
               "own chunks"),
    PARAM_REAL(DriftSettings, share, "share", 0.5, 0.01, 1, "",
               "the dataset has drifted when this share of columns has"),
    PARAM_TEXT(DriftSettings, by, "by", "", "adds parts to the report that is kept and shown: the order of a column, a time or a number"),
    PARAM_INT(DriftSettings, rows, "rows", 0, 0, 2147483647, "rows", "adds parts to the report: rows a part; with by= a tenth of the table when not given"),
    PARAM_END};

const Command drift_command = {
    .name = "drift",
    .about = "says which columns drifted from a reference, and how",
    .details = "With by= or rows= the report that is kept also says when: CURRENT is cut into parts, in the order of a\n"
               "column or as the rows stand, and each is compared with the whole of REFERENCE, or, if that is the\n"
               "same dataset, with the first part. chunk= judges by chunks alone, with NannyML's rules if wanted.",
    .example = "lathe drift trips_jan trips_feb target=FAREAMOUNT",
    .args = args,
    .params = params,
    .params_size = sizeof(DriftSettings),
    .run = run,
    .print = print,
};
