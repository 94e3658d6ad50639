/* data_drop.c -- lathe data drop: a dataset leaves the workspace, unless something refers to it. */
#include "command_int.h"

#include <string.h>

typedef struct DropSettings { int force; } DropSettings;

extern const Command data_drop_verb;

/* Is there another name for the same table? Then nothing that refers to it is lost. */
static bool has_other_name(const DatasetRow *rows, size_t n, const DatasetRow *which)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].id != which->id && strcmp(rows[i].hash, which->hash) == 0)
            return true;
    return false;
}

static bool refused_by_runs(Store *s, const DatasetRow *which, bool force, Arena *a, Error *err)
{
    RunRow *runs;
    size_t n, found = 0, last = 0;
    if (!store_runs(s, a, &runs, &n, err))
        return true;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(runs[i].dataset, which->hash) != 0)
            continue;
        if (store_run_alive(&runs[i]))
            return !error_set(err, ERROR_USAGE, "dataset %s: run %lld trains on it; stop it first",
                              which->name, (long long)runs[i].id);
        last = i;
        found++;
    }
    return found > 0 && !force &&
           !error_set(err, ERROR_USAGE,
                      "dataset %s: %zu run%s, the last of them %lld (%s), learnt from it; delete them, "
                      "or say force=yes and they can no longer be resumed, forked or drawn row by row",
                      which->name, found, found > 1 ? "s" : "", (long long)runs[last].id,
                      runs[last].name);
}

static bool refused_by_children(const DatasetRow *rows, size_t n, const DatasetRow *which, Error *err)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(rows[i].parent, which->hash) == 0)
            return !error_set(err, ERROR_USAGE,
                              "dataset %s: %s was made from it, and models of it need the way from the raw "
                              "rows; drop that first, or say force=yes",
                              which->name, rows[i].name);
    return false;
}

/* Looked at and removed in one transaction: nothing can come to refer to it in between. */
static bool drop(Store *s, const char *name, bool force, Arena *a, DatasetRow *which, Error *err)
{
    DatasetRow *rows;
    size_t n;
    if (!store_dataset_find(s, name, a, which, err) || !store_datasets(s, a, &rows, &n, err))
        return false;
    if (!has_other_name(rows, n, which) && ((!force && refused_by_children(rows, n, which, err)) ||
                                            refused_by_runs(s, which, force, a, err)))
        return false;
    return store_dataset_remove(s, which->id, which->hash, err);
}

static bool run(CommandCall *call, json_t **result, Error *err)
{
    const DropSettings *set = call->settings;
    Arena arena = {0};
    DatasetRow row;
    Store *s = call_store(call, STORE_WRITE, err);
    bool ok = s && store_begin(s, err);
    if (ok) {
        ok = drop(s, call->word[0], set->force, &arena, &row, err) && store_commit(s, err);
        if (!ok)
            store_rollback(s);
    }
    if (ok) {
        *result = json_object();
        result_text(*result, "dropped", row.name);
        result_text(*result, "hash", row.hash);
        result_int(*result, "bytes", row.bytes);
        result_text(*result, "note", "`lathe gc` frees its file");
    }
    store_close(s);
    arena_release(&arena);
    return ok;
}

static const Arg args[] = {
    {.name = "NAME", .kind = ARG_DATASET, .about = "a dataset's name, hash or the hash's beginning"},
    ARG_END};
static const Param params[] = {
    PARAM_BOOL(DropSettings, force, "force", 0, "even where runs or other datasets refer to it"),
    PARAM_END};

const Command data_drop_verb = {
    .name = "drop",
    .about = "takes a dataset out of the workspace; refused while runs or datasets refer to it",
    .details = "Its file stays until `lathe gc` frees it. Of a name that was given several times, the newest\n"
               "version goes, and the name means the one before it.",
    .example = "lathe data drop trips_jan_clean",
    .args = args,
    .params = params,
    .params_size = sizeof(DropSettings),
    .run = run,
};
