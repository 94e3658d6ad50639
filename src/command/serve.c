/* serve.c -- lathe serve: a run's model behind a port of this machine, until it is told to end. */
#include "command_int.h"

#include <lathe/serve.h>

typedef struct ServeSettings {
    char *run, *deployment;
    ServeOptions options;
} ServeSettings;

static void say_start(const CommandCall *call, const Server *s)
{
    call_say(call, "%s answers on %s://%s -- Ctrl-C ends it", server_about(s),
             server_secure(s) ? "https" : "http", server_address(s));
}

static bool run(CommandCall *call, json_t **result, Error *err)
{
    const ServeSettings *set = call->settings;
    ServeSource source = {call->workspace, set->run, set->deployment};
    ServeCounts c;
    if (!call->progress)
        return error_set(err, ERROR_USAGE, "serve: nobody could stop it here");
    if (*set->deployment && command_given(call, "run"))
        return error_set(err, ERROR_USAGE, "serve: either run=ID or deployment=NAME, not both");
    Server *s = server_start(&source, &set->options, err);
    if (!s)
        return false;
    *result = json_object();
    result_text(*result, *set->deployment ? "deployment" : "run",
                *set->deployment ? set->deployment : set->run);
    result_text(*result, "address", server_address(s));
    say_start(call, s);
    server_watch(s, call->progress);
    server_close(s, &c);
    result_int(*result, "requests", (int64_t)c.requests);
    result_int(*result, "errors", (int64_t)c.errors);
    result_int(*result, "rows", (int64_t)c.rows);
    result_int(*result, "dropped", (int64_t)c.dropped);
    return true;
}

static const Param params[] = {
    PARAM_TEXT(ServeSettings, run, "run", "last", "the run whose model answers"),
    PARAM_TEXT(ServeSettings, deployment, "deployment", "",
               "the deployment that answers, in place of a run; its changes are followed"),
    PARAM_END};

const Command serve_command = {
    .name = "serve",
    .about = "answers requests over HTTP with a run's model, or a deployment's",
    .details =
        "MLflow's protocol (POST /invocations with dataframe_split, "
        "dataframe_records,\n"
        "instances, inputs or text/csv; GET /ping, /health, /version), Open Inference v2 "
        "under /v2, and\n"
        "POST /feedback, GET /metrics for Prometheus. Rows are raw: the model carries its recipe. "
        "Columns "
        "that neither\n"
        "recipe nor features look at may be left out; GET /v2/models/NAME lists those that "
        "may not.\n"
        "A model of series (tft) is sent the past of each group, and rows without the target that say what is"
         " known ahead; it answers with a prediction a group and step.\n"
         "A row that a rule drops is answered with null and the rule's number. SIGTERM and "
        "Ctrl-C end\n"
        "the server when the requests under way are answered; SIGHUP looks up the run anew.\n"
        "Every prediction is logged (predictions in lathe sql), sample= of them, in log_mb= at "
        "most; "
        "the header\n"
        "X-Lathe-Prediction has the id of the first row's, by which POST /feedback takes the "
        "truth. "
        "Beyond\n"
        "loopback cert=, key= and a token (lathe token add NAME) are needed. See lathe-serve(7).",
    .example = "lathe serve run=last listen=127.0.0.1:8808",
    .params = params,
    .params_size = sizeof(ServeSettings),
    .shared = serve_params,
    .shared_at = offsetof(ServeSettings, options),
    .run = run,
};
