/* serve.c -- lathe serve: a run's model behind a port of this machine, until it is told to end. */
#include "command_int.h"

#include <lathe/serve.h>

#include <stdio.h>

typedef struct ServeSettings {
    char *run;
    ServeOptions options;
} ServeSettings;

static bool serve(CommandCall *call, const ServeOptions *o, const RunRow *row, const char *path,
                  json_t **result, Error *err)
{
    char version[24];
    snprintf(version, sizeof version, "%lld", (long long)row->id);
    const char *name = *row->name ? row->name : row->family;
    Server *s = server_open(&(ServeModel){path, name, version}, o, err);
    if (!s)
        return false;
    char address[80];
    snprintf(address, sizeof address, "%s", server_address(s));
    call_say(call, "run %s (%s) answers on http://%s -- Ctrl-C ends it", version, name, address);
    server_watch(s, call->progress);
    ServeCounts c;
    server_close(s, &c);
    *result = json_object();
    result_int(*result, "run", row->id);
    result_text(*result, "address", address);
    result_int(*result, "requests", (int64_t)c.requests);
    result_int(*result, "errors", (int64_t)c.errors);
    result_int(*result, "rows", (int64_t)c.rows);
    result_int(*result, "dropped", (int64_t)c.dropped);
    return true;
}

static bool run(CommandCall *call, json_t **result, Error *err)
{
    const ServeSettings *set = call->settings;
    Arena arena = {0};
    RunRow row;
    const char *path;
    if (!call->progress)
        return error_set(err, ERROR_USAGE, "serve: nobody could stop it here");
    Store *s = call_store(call, STORE_READ, err);
    bool ok = s && store_run_find(s, set->run, &arena, &row, err) &&
              run_bundle_path(s, row.id, &arena, &path, err);
    store_close(s);
    ok = ok && serve(call, &set->options, &row, path, result, err);
    arena_release(&arena);
    return ok;
}

static const Param params[] = {
    PARAM_TEXT(ServeSettings, run, "run", "last", "the run whose model answers"), PARAM_END};

const Command serve_command = {
    .name = "serve",
    .about = "answers requests over HTTP with a run's model",
    .details = "On loopback only. MLflow's protocol (POST /invocations with dataframe_split, "
               "dataframe_records,\n"
               "instances, inputs or text/csv; GET /ping, /health, /version), Open Inference v2 "
               "under /v2, and\n"
               "GET /metrics for Prometheus. Rows are raw: the model carries its recipe. Columns "
               "that neither\n"
               "recipe nor features look at may be left out; GET /v2/models/NAME lists those that "
               "may not.\n"
               "A model of series (tft) is sent the past of each group, and rows without the target that say what is"
               " known ahead; it answers with a prediction a group and step.\n"
               "A row that a rule drops is answered with null and the rule's number. SIGTERM and "
               "Ctrl-C end\n"
               "the server when the requests under way are answered.",
    .example = "lathe serve run=last listen=127.0.0.1:8808",
    .params = params,
    .params_size = sizeof(ServeSettings),
    .shared = serve_params,
    .shared_at = offsetof(ServeSettings, options),
    .run = run,
};
