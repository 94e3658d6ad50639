/* export.c -- lathe export: a run's model as files that others can read. */
#include "command_int.h"

typedef struct ExportSettings {
    char *out;
    int format;
} ExportSettings;

static bool run(CommandCall *call, json_t **result, Error *err)
{
    const ExportSettings *set = call->settings;
    Arena arena = {0};
    RunRow row;
    const char *path;
    json_t *made = json_object();
    Store *s = call_store(call, STORE_READ, err);
    bool ok = s && store_run_find(s, call->word[0], &arena, &row, err) &&
              run_bundle_path(s, row.id, &arena, &path, err) &&
              export_model(path, (size_t)set->format, set->out, call->pool, made, err);
    if (ok) {
        *result = json_pack("{s:I, s:s}", "run", (json_int_t)row.id, "out", set->out);
        json_object_update(*result, made);
    }
    json_decref(made);
    store_close(s);
    arena_release(&arena);
    return ok;
}

static const Arg args[] = {{.name = "RUN", .kind = ARG_RUN, .about = "the run whose model to export"}, ARG_END};
static const Param params[] = {
    PARAM_TEXT(ExportSettings, out, "out", "", "a new file or, for a bundle, a new folder", .required = true),
    PARAM_PICK(ExportSettings, format, "format", 0, model_format_names, "auto: by the ending of out, .onnx, .safetensors or .json (xgboost), else a bundle"),
    PARAM_END};

const Command export_command = {
    .name = "export",
    .about = "writes a run's model as files that others can read",
    .details = "bundle: the folder that lathe itself scores with, safetensors and JSON.\n\n"
               "onnx: the whole way from raw rows to predictions in raw units, one input a column, [N,1]:"
               " numbers as double with NaN for missing, text with \"\" for missing, times in seconds and"
               " dates in days since 1970. A part of a recipe that ONNX cannot say is left out, and the"
               " result and the file's metadata say so.\n\n"
               "safetensors: the weights by their names in one file, with schema, recipes and features as"
               " JSON in its metadata; lathe train from=FILE can go on from it.\n\n"
               "xgboost: a gbdt as XGBoost 1.7 reads it; its inputs are the model's, numbers as they are, then"
               " categories as codes, whose words are in attributes.lathe. lathe train gbdt from=FILE.json goes on"
               " from XGBoost's own, if it has no categories.",
    .example = "lathe export last out=fare.onnx",
    .args = args,
    .params = params,
    .params_size = sizeof(ExportSettings),
    .run = run,
};
