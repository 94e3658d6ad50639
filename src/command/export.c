/* export.c -- lathe export: a run's model, or a dataset, as files that others can read. */
#include "export_table.h"

#include <string.h>

typedef struct ExportSettings {
    char *out, *format, *compress, *columns, *where;
} ExportSettings;

/* Which of model_format_names; -1: a table. */
static int model_format(const ExportSettings *set)
{
    for (int i = 0; model_format_names[i]; i++)
        if (strcmp(model_format_names[i], *set->format ? set->format : "auto") == 0)
            return i == 0 && table_named(set->out) ? -1 : i;
    return -1;
}

static bool export_dataset(CommandCall *call, json_t **result, Error *err)
{
    const ExportSettings *set = call->settings;
    ExportTable table = {.out = set->out,
                         .format = set->format,
                         .compress = set->compress,
                         .columns = set->columns,
                         .where = set->where};
    *result = json_object();
    if (export_table(call, call->word[0], &table, *result, err))
        return true;
    json_decref(*result);
    *result = NULL;
    return false;
}

static bool export_run(CommandCall *call, json_t **result, Error *err)
{
    const ExportSettings *set = call->settings;
    Arena arena = {0};
    RunRow row;
    const char *path;
    json_t *made = json_object();
    Store *s = call_store(call, STORE_READ, err);
    bool ok = s && store_run_find(s, call->word[0], &arena, &row, err) &&
              run_bundle_path(s, row.id, &arena, &path, err) &&
              export_model(path, (size_t)model_format(set), set->out, call->pool, made, err);
    if (ok) {
        *result = json_pack("{s:I, s:s}", "run", (json_int_t)row.id, "out", set->out);
        json_object_update(*result, made);
    }
    json_decref(made);
    store_close(s);
    arena_release(&arena);
    return ok;
}

static bool run(CommandCall *call, json_t **result, Error *err)
{
    const ExportSettings *set = call->settings;
    if (model_format(set) < 0)
        return export_dataset(call, result, err);
    if (*set->compress || *set->columns || *set->where)
        return error_set(err, ERROR_USAGE,
                         "export: compress, columns and where are for datasets; end out in .csv, .arrow, "
                         ".arrows or .parquet, or say format=");
    return export_run(call, result, err);
}

static const Arg args[] = {
    {.name = "RUN|DATASET", .kind = ARG_DATASET, .about = "the run whose model to export, or a dataset"}, ARG_END};
static const Param params[] = {
    PARAM_TEXT(ExportSettings, out, "out", "", "a file, for a bundle a new folder; a dataset also to s3://BUCKET/KEY", .required = true),
    PARAM_TEXT(ExportSettings, format, "format", "", "bundle, onnx, safetensors, xgboost; csv, arrow, arrows, parquet; by the ending of out, else a bundle"),
    PARAM_TEXT(ExportSettings, compress, "compress", "", "how a table is packed: none, gzip, zstd, lz4, snappy as its format has them"),
    PARAM_TEXT(ExportSettings, columns, "columns", "", "of a dataset: only these, in this order, between commas"),
    PARAM_TEXT(ExportSettings, where, "where", "", "of a dataset: only rows for which this expression is true"),
    PARAM_END};

const Command export_command = {
    .name = "export",
    .about = "writes a run's model or a dataset as files that others can read",
    .details = "A dataset becomes CSV (.csv, .csv.gz, .csv.zst), an Arrow file (.arrow) or stream (.arrows) or\n"
               "Parquet (.parquet: snappy, zstd, gzip, lz4 or none), beside out and then renamed.\n\n"
               "bundle: the folder that lathe itself scores with, safetensors and JSON.\n\n"
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
