/* drift.c -- lathe drift: has a table moved away from another? */
#include "drift_when.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct DriftSettings {
    char *target, *run, *test, *chunk, *time;
    int thresholds;
    double share;
} DriftSettings;

static const char *const threshold_names[] = {"evidently", "nannyml", NULL};

static bool add_chunks(Store *s, const DriftSettings *set, const Dataset *reference, const Dataset *current,
                       const DriftOptions *options, const CommandCall *call, json_t *into, Error *err)
{
    Arena a = {0};
    DriftWhen when = {.reference = reference,
                      .current = current,
                      .itself = text_equal(dataset_hash(reference), dataset_hash(current)),
                      .chunk = set->chunk,
                      .time = set->time,
                      .scratch = store_path(s, &a, "scratch/chunks-%ld-%lld", (long)getpid(), (long long)time_now()),
                      .options = *options};
    bool ok = (!*set->chunk && !*set->time) || drift_when_add(&when, call, into, err);
    arena_release(&a);
    return ok;
}

/* A chunk that drifted is an alert, too, whatever the table is like as a whole. */
static bool is_drifted(const DriftReport *r, const json_t *report)
{
    return r->dataset_drifted || json_integer_value(json_object_get(report, "drifted_chunks")) > 0;
}

static bool keep_report(Store *s, const DriftReport *r, const json_t *report, Error *err)
{
    char *text = json_dumps(report, JSON_COMPACT);
    DriftRow row = {.created = time_now(),
                    .reference = r->reference,
                    .current = r->current,
                    .report = text ? text : "{}",
                    .drifted = is_drifted(r, report)};
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

static bool run_report(CommandCall *call, Store *s, const Dataset *reference,
                       const Dataset *current, const DriftOptions *o, json_t **result, Error *err)
{
    DriftReport *report = drift_report(reference, current, o, call->pool, call->progress, err);
    if (!report)
        return false;
    *result = drift_report_to_json(report);
    bool ok = add_chunks(s, call->settings, reference, current, o, call, *result, err) &&
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
    ok = ok && run_report(call, s, reference, current, &options, result, err);
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

/* The rows of a list without what is too long for a table: the histograms, the columns of chunks. */
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

static void print_list(const json_t *list, const char *const *shown, size_t n, size_t width, Text *into)
{
    json_t *table = rows_of(list, shown, n);
    if (json_array_size(table)) {
        text_putc(into, '\n');
        command_print(NULL, table, width, into);
    }
    json_decref(table);
}

static void print(const json_t *result, size_t width, Text *into)
{
    static const char *const columns[] = {"column",       "role",    "test",       "statistic",
                                          "threshold",    "drifted", "importance", "reference_mean",
                                          "current_mean", "also", "note"};
    static const char *const chunks[] = {"from",  "to",             "rows", "drifted", "drifted_columns",
                                         "share", "weighted_share", "rmse", "logloss", "most_drifted"};
    json_t *brief = json_object();
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)(uintptr_t)result, key, v)
    {
        if (!json_is_array(v) && !json_is_object(v))
            json_object_set(brief, key, v);
    }
    command_print(NULL, brief, width, into);
    print_list(json_object_get(result, "columns"), columns, sizeof columns / sizeof *columns, width, into);
    print_list(json_object_get(result, "chunks"), chunks, sizeof chunks / sizeof *chunks, width, into);
    json_decref(brief);
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
               "says also when: CURRENT in chunks of so many rows, or of a time like 6h, 1d, week, month, quarter, year"),
    PARAM_TEXT(DriftSettings, time, "time", "",
               "the column that chunks go by, a time or a number; for a time the first there is when not given, for "
               "rows their order in the table; alone it makes ten chunks"),
    PARAM_PICK(DriftSettings, thresholds, "thresholds", 0, threshold_names,
               "what is drift: the tests' thresholds, or mean +- 3 deviations of the reference's "
               "own chunks"),
    PARAM_REAL(DriftSettings, share, "share", 0.5, 0.01, 1, "",
               "the dataset has drifted when this share of columns has"),
    PARAM_END};

static const Gone gone[] = {{"by", "time=, the column that orders the rows"}, {"rows", "chunk=, so many rows a chunk"}, {0}};

const Command drift_command = {
    .name = "drift",
    .about = "says which columns drifted from a reference, and how",
    .details = "The report is kept, and pane Drift shows it. With chunk= or time= it also says when: each chunk of CURRENT\n"
               "is compared with the whole of REFERENCE; if that is the same dataset, with its first chunk, or, by NannyML's\n"
               "rules, with all of it. Of very many chunks the newest 200 are judged.",
    .example = "lathe drift trips_jan trips_feb target=FAREAMOUNT",
    .args = args,
    .params = params,
    .params_size = sizeof(DriftSettings),
    .gone = gone,
    .run = run,
    .print = print,
};
