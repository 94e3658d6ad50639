/* evaluate.c -- lathe evaluate: how good a model is, measured anew on rows with the target. */
#include "command_int.h"

#include <lathe/deploy.h>

typedef struct EvaluateSettings {
    char *data;
} EvaluateSettings;

static json_t *metrics_json(const Evaluation *e)
{
    json_t *table = json_array();
    for (size_t i = 0; i < e->n; i++) {
        json_t *row = json_object();
        result_text(row, "metric", e->row[i].metric);
        result_real(row, "value", e->row[i].value);
        result_text(row, "about", e->row[i].about);
        json_array_append_new(table, row);
    }
    return table;
}

static bool run(CommandCall *call, json_t **result, Error *err)
{
    const EvaluateSettings *set = call->settings;
    Arena a = {0};
    ModelRow model;
    DatasetRow row;
    Evaluation e;
    Store *s = call_store(call, STORE_READ, err);
    bool ok = s && store_model_find(s, call_word(call, 0), &a, &model, err);
    Dataset *d = ok && *set->data ? workspace_dataset(s, set->data, &a, &row, err) : NULL;
    ok = ok && (d || !*set->data) &&
         model_evaluate(s, &model, d, call->pool, call->progress, &a, &e, err);
    if (ok) {
        *result = json_object();
        result_text(*result, "model",
                    arena_printf(&a, "%s/%lld", model.name, (long long)model.version));
        result_text(*result, "data", d ? row.name : "the test rows of its run");
        result_int(*result, "rows", (int64_t)e.rows);
        result_int(*result, "dropped", (int64_t)e.dropped);
        json_object_set_new(*result, "metrics", metrics_json(&e));
    }
    dataset_close(d);
    store_close(s);
    arena_release(&a);
    return ok;
}

static const Arg args[] = {
    {.name = "MODEL", .kind = ARG_RUN, .about = "a run, or NAME, NAME/VERSION, NAME@ALIAS"},
    ARG_END};
static const Param params[] = {
    PARAM_TEXT(
        EvaluateSettings, data, "data", "",
        "a dataset with the target to measure on; the test rows of the model's run when not given"),
    PARAM_END};

const Command evaluate_command = {
    .name = "evaluate",
    .about = "measures a model on rows with the target: every metric of its task",
    .details =
        "Rows are scored as lathe predict and the server score them, from the raw table through "
        "the recipes and\n"
        "features in the model's bundle. Rows that a recipe drops, or without the target, do not "
        "count. A model of\n"
        "series says after each row of the test part how its series goes on, and rows are steps of "
        "those horizons;\n"
        "quantile_loss and coverage are told beside the metrics of the middle quantile. Whether a "
        "model may be let\n"
        "on is for lathe gate.",
    .example = "lathe evaluate last",
    .args = args,
    .params = params,
    .params_size = sizeof(EvaluateSettings),
    .run = run,
};
