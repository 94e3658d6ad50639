/* gate.c -- lathe gate: may a model be let on? Exit status 0 or 1, for any CI, and the table of why. */
#include "command_int.h"

#include <lathe/deploy.h>

typedef struct GateSettings {
    char *against, *rules, *data, *deployment;
    bool first;
} GateSettings;

static bool read_rules(const char *rules, Gate *gate, Error *err)
{
    Text text = {0};
    bool file = file_exists(rules);
    bool ok = (!file || file_read(rules, &text, 1 << 20, err)) &&
              gate_parse(file ? text_str(&text) : rules, gate, err);
    text_release(&text);
    return ok || (file ? error_in(err, "%s", rules) : error_in(err, "rules"));
}

static json_t *result_check(const GateCheckRow *c)
{
    json_t *o = json_object();
    result_text(o, "rule", c->rule);
    result_text(o, "passed", c->passed ? "yes" : "NO");
    result_real(o, "value", c->value);
    result_real(o, "incumbent", c->other);
    result_real(o, "p", c->p);
    result_text(o, "note", c->note);
    return o;
}

static size_t failed_in(const GateReport *r)
{
    size_t failed = 0;
    for (size_t i = 0; i < r->n; i++)
        failed += !r->check[i].passed;
    return failed;
}

static const char *model_text(const ModelRow *m, Arena *a)
{
    return arena_printf(a, "%s/%lld", m->name, (long long)m->version);
}

static void give(const GateReport *r, const ModelRow *model, const ModelRow *against, Arena *a,
                 json_t **result)
{
    *result = json_object();
    json_t *table = json_array();
    for (size_t i = 0; i < r->n; i++)
        json_array_append_new(table, result_check(&r->check[i]));
    result_int(*result, "gate", r->gate);
    result_text(*result, "model", model_text(model, a));
    result_text(*result, "against", against ? model_text(against, a) : NULL);
    json_object_set_new(*result, "passed", json_boolean(r->passed));
    json_object_set_new(*result, "checks", table);
}

/* first=yes: where nobody has the alias yet there is no incumbent, and only absolute rules are asked. */
static bool find_incumbent(Store *s, const GateSettings *set, Arena *a, ModelRow *out, bool *there,
                           Error *err)
{
    Error none = {0};
    *there = false;
    if (!*set->against)
        return true;
    *there = store_model_find(s, set->against, a, out, &none);
    return *there || (set->first && none.kind == ERROR_USAGE) ||
           error_set(err, none.kind, "against: %s", none.text);
}

static bool check(CommandCall *call, Store *s, Gate *gate, Arena *a, GateReport *report,
                  json_t **result, Error *err)
{
    const GateSettings *set = call->settings;
    ModelRow model, against;
    bool incumbent;
    if (!store_model_find(s, call->word[0], a, &model, err) ||
        !find_incumbent(s, set, a, &against, &incumbent, err))
        return false;
    if (incumbent && against.id == model.id && set->first)
        incumbent = false; /* it was let on before */
    if (incumbent && against.id == model.id)
        return error_set(err, ERROR_USAGE, "against: %s is the same model", set->against);
    if (!incumbent && set->first)
        gate_alone(gate);
    Dataset *d = *set->data ? workspace_dataset(s, set->data, a, NULL, err) : NULL;
    bool ok = (d || !*set->data) &&
              gate_run(s, gate, set->deployment, &model, incumbent ? &against : NULL, d, call->pool,
                       call->progress, a, report, err);
    if (ok)
        give(report, &model, incumbent ? &against : NULL, a, result);
    dataset_close(d);
    return ok;
}

static bool run(CommandCall *call, json_t **result, Error *err)
{
    const GateSettings *set = call->settings;
    Arena a = {0};
    Gate gate = {0};
    GateReport report;
    Store *s = read_rules(set->rules, &gate, err) ? call_store(call, STORE_WRITE, err) : NULL;
    bool ok = s && check(call, s, &gate, &a, &report, result, err);
    if (ok && !report.passed)
        ok = error_set(err, ERROR_SHAPE, "gate: %zu of %zu rules failed", failed_in(&report),
                       report.n);
    gate_release(&gate);
    store_close(s);
    arena_release(&a);
    return ok;
}

static const Arg args[] = {{.name = "MODEL",
                            .kind = ARG_RUN,
                            .about = "the candidate: a run, or NAME, NAME/VERSION, NAME@ALIAS"},
                           ARG_END};
static const Param params[] = {
    PARAM_TEXT(GateSettings, rules, "rules", "",
               "a file of rules, one a line, or the rules themselves separated by ;",
               .required = true),
    PARAM_TEXT(GateSettings, against, "against", "",
               "the incumbent: NAME@ALIAS, NAME/VERSION, a run; none: absolute rules only"),
    PARAM_TEXT(GateSettings, data, "data", "",
               "a dataset with the target to measure on; the test rows of the candidate's run when "
               "not given"),
    PARAM_TEXT(GateSettings, deployment, "deployment", "",
               "the deployment that the checks are kept for"),
    PARAM_BOOL(GateSettings, first, "first", 0,
               "where against= is an alias that nobody has yet, or the model itself, only absolute rules are asked"),
    PARAM_END};

const Command gate_command = {
    .name = "gate",
    .about = "says whether a model may be let on: exit status 0 or 1, and a table",
    .details =
        "Rules, one a line, # begins a comment:\n"
        "  rmse <= 3.2              absolute; any metric; also < > >=\n"
        "  rmse better 0.01         than the incumbent's by at least so much\n"
        "  rmse better 2%           relative to the incumbent's; -1%: at most so much worse\n"
        "  rmse significant 0.05    better by more than chance: paired bootstrap over the rows "
        "with a\n"
        "                           fixed seed; for accuracy and error McNemar's test (exact below "
        "25\n"
        "                           rows in which they differ, else with continuity correction)\n"
        "  latency <= 5ms           of one row, p99, measured here and now\n"
        "  drift <= 0.3             share of columns of data= that drifted from the candidate's "
        "rows\n"
        "  quantile_loss <= 1.5     of a model of series, absolute or better: mean over the steps and "
        "levels of its\n"
        "                           horizons. It has all metrics of its middle quantile; latency "
        "and significant\n"
        "                           it has not, for its horizons overlap\n"
        "Both models score the same rows; rows that a recipe of one of them drops count for none.\n"
        "Every check is kept in the table gate_checks. A rule that fails makes the exit status 1; "
        "the\n"
        "table (or with --json the document) is printed all the same.",
    .example = "lathe gate last rules=\"rmse <= 100\"",
    .args = args,
    .params = params,
    .params_size = sizeof(GateSettings),
    .verdict = true,
    .run = run,
};
