/* settings.c -- what can be said about a deployment: each setting once, as a row; and as the JSON of its row. */
#include "deploy_int.h"

#include <stdlib.h>
#include <string.h>

static const char *const automations[] = {"manual", "assisted", "full", NULL};
static const char *const thresholds[] = {"evidently", "nannyml", NULL};

// clang-format off
const Param deploy_params[] = {
    PARAM_PICK(DeploySettings, automation, "automation", 0, automations, "who moves: manual, nothing by itself; assisted, it says what it would do; full, it does it"),
    PARAM_TEXT(DeploySettings, key, "key", "", "column by which a canary is sticky; none: by request"),
    PARAM_TEXT(DeploySettings, plan, "plan", "5 25 50 100", "percent of the requests at each step of a canary"),
    PARAM_REAL(DeploySettings, interval, "interval", 60, 0, 1e9, "s", "how long a step lasts before it is checked"),
    PARAM_INT (DeploySettings, rows_least, "rows_least", 100, 0, 2000000000, "rows", "the candidate must have answered before a check"),
    PARAM_INT (DeploySettings, threshold, "threshold", 3, 1, 1000, "checks", "failed in a row until it is rolled back"),
    PARAM_TEXT(DeploySettings, rules, "rules", "", "of the gate at each check, separated by ; as lathe gate takes them"),
    PARAM_REAL(DeploySettings, success, "success", 0.99, 0, 1, "", "least share of requests without a failure of ours"),
    PARAM_REAL(DeploySettings, latency_ms, "latency_ms", 500, 0.001, 1e9, "ms", "most p99 of a request"),
    PARAM_REAL(DeploySettings, sample, "sample", 1, 0, 1, "", "share of the predictions that are logged"),
    PARAM_REAL(DeploySettings, log_mb, "log_mb", 1024, 1, 1e9, "MB", "size of the log; the oldest go first"),
    PARAM_TEXT(DeploySettings, mask, "mask", "", "private columns A,B: *** in every log and on every screen"),
    PARAM_INT (DeploySettings, chunk, "chunk", 1000, 0, 2000000000, "rows", "judged together by the monitors; 0: by time"),
    PARAM_REAL(DeploySettings, chunk_seconds, "chunk_seconds", 86400, 1, 1e9, "s", "of a chunk when chunk=0"),
    PARAM_PICK(DeploySettings, thresholds, "thresholds", 0, thresholds, "of drift: the test's own, or mean +- 3 deviations of the reference's chunks"),
    PARAM_REAL(DeploySettings, share, "share", 0.5, 0.01, 1, "", "of drifted columns, weighted by importance, that is drift"),
    PARAM_REAL(DeploySettings, cool, "cool", 3600, 0, 1e9, "s", "in which the same alert is not raised again"),
    PARAM_TEXT(DeploySettings, command, "command", "", "run for every alert, which it finds as JSON on its input"),
    PARAM_TEXT(DeploySettings, webhook, "webhook", "", "http(s) address to which every alert is posted"),
    PARAM_REAL(DeploySettings, retrain_every, "retrain_every", 0, 0, 1e9, "s", "trains anew so often; 0: never"),
    PARAM_INT (DeploySettings, retrain_rows, "retrain_rows", 0, 0, 2000000000, "rows", "trains anew after so many labelled rows; 0: never"),
    PARAM_BOOL(DeploySettings, retrain_drift, "retrain_drift", 0, "trains anew when its inputs drifted"),
    PARAM_REAL(DeploySettings, retrain_estimate, "retrain_estimate", 0, 0, 1e6, "", "trains anew when the estimated error is so much (share) above the reference; 0: never"),
    PARAM_REAL(DeploySettings, retrain_performance, "retrain_performance", 0, 0, 1e6, "", "the same by the true error; 0: never"),
    PARAM_REAL(DeploySettings, retrain_cool, "retrain_cool", 86400, 0, 1e9, "s", "between two trainings"),
    PARAM_INT (DeploySettings, retrain_window, "retrain_window", 0, -1, 2000000000, "rows", "the newest so many rows are trained on; 0: after a change those since then, else as many as before; -1: all"),
    PARAM_INT (DeploySettings, retrain_labels_least, "retrain_labels_least", 1000, 0, 2000000000, "rows", "with their truth, or nothing is trained"),
    PARAM_END};
// clang-format on

/* ---- the plan of a canary ------------------------------------------------------------------------------ */

bool deploy_plan(const char *plan, double step[PLAN_MOST], size_t *n, Error *err)
{
    *n = 0;
    for (const char *at = plan + strspn(plan, " ,"); *at; at += strspn(at, " ,")) {
        size_t word = strcspn(at, " ,");
        double least = *n ? step[*n - 1] : 0.0, v;
        if (!text_to_real(at, word, &v) || !(v > least) || v > 100.0)
            return error_set(
                err, ERROR_USAGE,
                "plan: expected percents that grow up to 100, like 5 25 50 100, found '%.40s'",
                plan);
        if (*n == PLAN_MOST)
            return error_set(err, ERROR_USAGE, "plan: at most %d steps", PLAN_MOST);
        step[(*n)++] = v;
        at += word;
    }
    return *n > 0 ||
           error_set(err, ERROR_USAGE, "plan: expected at least one step, like 5 25 50 100");
}

static bool sensible(const char *key, const char *value, Error *err)
{
    double step[PLAN_MOST];
    size_t n;
    Gate gate;
    if (text_equal(key, "plan"))
        return deploy_plan(value, step, &n, err);
    if (!text_equal(key, "rules"))
        return true;
    bool ok = gate_parse(value, &gate, err);
    if (ok)
        gate_release(&gate);
    return ok || error_in(err, "rules");
}

bool deploy_settings_set(DeploySettings *set, const char *key, const char *value, Error *err)
{
    return params_set(deploy_params, set, key, value, err) && sensible(key, value, err);
}

/* ---- as JSON: every setting by name, typed, so that who reads it needs no defaults ------------------------ */

static json_t *value_json(const Param *row, const DeploySettings *set)
{
    const void *field = (const char *)set + row->offset;
    switch (row->kind) {
    case PARAM_KIND_BOOL:
        return json_boolean(*(const bool *)field);
    case PARAM_KIND_INT:
        return json_integer(*(const int *)field);
    case PARAM_KIND_REAL:
        return json_real(*(const double *)field);
    case PARAM_KIND_PICK:
        return json_string(row->picks[*(const int *)field]);
    default:
        return json_string(*(char *const *)field);
    }
}

bool deploy_settings_text(const DeploySettings *set, Text *into)
{
    json_t *all = json_object();
    for (const Param *row = deploy_params; row->kind != PARAM_KIND_END; row++)
        json_object_set_new(all, row->name, value_json(row, set));
    char *text = json_dumps(all, JSON_COMPACT | JSON_REAL_PRECISION(15));
    text_puts(into, text ? text : "{}");
    free(text);
    json_decref(all);
    return true;
}

static bool take(DeploySettings *into, const char *key, const json_t *v, Error *err)
{
    Text text = {0};
    const Param *row = param_find(deploy_params, key);
    if (json_is_string(v))
        text_puts(&text, json_string_value(v));
    else if (json_is_real(v))
        text_add_real(&text, json_real_value(v));
    else
        text_printf(&text, "%lld", json_is_true(v) ? 1LL : (long long)json_integer_value(v));
    bool ok =
        !row || param_set(row, into, text_str(&text), err); /* of a later version: passed over */
    text_release(&text);
    return ok;
}

bool deploy_settings(const DeploymentRow *row, DeploySettings *into, Error *err)
{
    json_error_t where;
    const char *key;
    json_t *v, *all = json_loads(*row->settings ? row->settings : "{}", 0, &where);
    bool ok =
        all || error_set(err, ERROR_PARSE, "deployment %s: settings: %s", row->name, where.text);
    *into = (DeploySettings){0};
    params_init(deploy_params, into);
    json_object_foreach(all, key, v) ok = ok && take(into, key, v, err);
    json_decref(all);
    if (!ok)
        params_release(deploy_params, into);
    return ok;
}
