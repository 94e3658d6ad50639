/* drift.c -- lathe drift: has a table moved away from another? */
#include "command_int.h"

#include <stdlib.h>

typedef struct DriftSettings {
    char *target, *run, *test;
    double share;
} DriftSettings;

static bool keep_report(Store *s, const DriftReport *r, const json_t *report, Error *err)
{
    char *text = json_dumps(report, JSON_COMPACT);
    DriftRow row = {.created = time_now(),
                    .reference = r->reference,
                    .current = r->current,
                    .report = text ? text : "{}",
                    .drifted = r->dataset_drifted};
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

static bool run(CommandCall *call, json_t **result, Error *err)
{
    const DriftSettings *set = call->settings;
    Arena arena = {0};
    Bundle *bundle = NULL;
    DriftReport *report = NULL;
    DatasetRow rows[2];
    Store *s = call_store(call, STORE_WRITE, err);
    Dataset *reference = s ? workspace_dataset(s, call->word[0], &arena, &rows[0], err) : NULL;
    Dataset *current = reference ? workspace_dataset(s, call->word[1], &arena, &rows[1], err) : NULL;
    bool ok = current && open_bundle(s, set->run, call, &arena, &bundle, err);
    Scratch *scratch = ok ? scratch_create(store_dir(s), 0) : NULL;
    DriftOptions options = {
        .scratch = scratch, .target = set->target, .test = set->test, .share = set->share, .bundle = bundle};
    ok = ok && (report = drift_report(reference, current, &options, call->pool, call->progress,
                                      err)) != NULL;
    if (ok) {
        *result = drift_report_to_json(report);
        ok = keep_report(s, report, *result, err);
        result_text(*result, "reference_name", rows[0].name);
        result_text(*result, "current_name", rows[1].name);
    }
    drift_report_destroy(report);
    scratch_destroy(scratch);
    bundle_close(bundle);
    dataset_close(current);
    dataset_close(reference);
    store_close(s);
    arena_release(&arena);
    return ok;
}

/* The table without the histograms, which are for the screen and for JSON. */
static void print(const json_t *result, size_t width, Text *into)
{
    static const char *const shown[] = {"column", "role",      "test",   "statistic",
                                        "threshold", "drifted", "reference_mean", "current_mean", "note"};
    json_t *table = json_array(), *column;
    size_t i;
    json_array_foreach(json_object_get(result, "columns"), i, column) {
        json_t *row = json_object();
        for (size_t k = 0; k < sizeof shown / sizeof *shown; k++) {
            json_t *v = json_object_get(column, shown[k]);
            if (v)
                json_object_set(row, shown[k], v);
        }
        json_array_append_new(table, row);
    }
    json_t *brief = json_object();
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)(uintptr_t)result, key, v) {
        if (!json_is_array(v))
            json_object_set(brief, key, v);
    }
    command_print(NULL, brief, width, into);
    text_putc(into, '\n');
    command_print(NULL, table, width, into);
    json_decref(brief);
    json_decref(table);
}

static const Arg args[] = {
    {.name = "REFERENCE", .kind = ARG_DATASET, .about = "the dataset a model learnt from"},
    {.name = "CURRENT", .kind = ARG_DATASET, .about = "the dataset to judge"},
    ARG_END};
static const Param params[] = {
    PARAM_TEXT(DriftSettings, target, "target", "", "the target column: its drift is named so"),
    PARAM_TEXT(DriftSettings, run, "run", "", "a run: adds drift of its predictions, and its error where the target is"),
    PARAM_TEXT(DriftSettings, test, "test", "", "a test for all columns it fits; chosen per column when not given"),
    PARAM_REAL(DriftSettings, share, "share", 0.5, 0.01, 1, "", "the dataset has drifted when this share of columns has"),
    PARAM_END};

const Command drift_command = {
    .name = "drift",
    .about = "says which columns drifted from a reference, and how",
    .example = "lathe drift trips_jan trips_feb target=FAREAMOUNT",
    .args = args,
    .params = params,
    .params_size = sizeof(DriftSettings),
    .run = run,
    .print = print,
};
