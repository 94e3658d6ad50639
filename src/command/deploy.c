/* deploy.c -- lathe deploy: makes a deployment, moves it, sets it; deployments and audit list what there is. */
#include "command_int.h"

#include <lathe/deploy.h>

#include <string.h>

typedef struct DeployCall {
    char *model;
    DeploySettings set;
} DeployCall;

static const char *model_text(Store *s, int64_t id, Arena *a)
{
    ModelRow m;
    Error ignored = {0};
    if (!id)
        return "";
    return store_model_get(s, id, a, &m, &ignored)
               ? arena_printf(a, "%s/%lld", m.name, (long long)m.version)
               : arena_printf(a, "%lld (deleted)", (long long)id);
}

static json_t *result_deployment(Store *s, const DeploymentRow *r)
{
    Arena a = {0};
    json_t *o = json_object();
    result_text(o, "deployment", r->name);
    result_text(o, "state", r->state);
    result_text(o, "model", model_text(s, r->model, &a));
    result_text(o, "candidate", model_text(s, r->candidate, &a));
    result_real(o, "percent", r->percent);
    result_int(o, "step", r->step);
    result_int(o, "passed", r->passed);
    result_int(o, "failed", r->failed);
    result_text(o, "previous", model_text(s, r->previous, &a));
    result_time(o, "changed", r->changed);
    result_int(o, "revision", r->revision);
    arena_release(&a);
    return o;
}

/* ---- one deployment ----------------------------------------------------------------------------------------- */

static bool find_move(const char *word, DeployMove *out, Error *err)
{
    const char *names[MOVE_COUNT + 3];
    for (int m = 0; m < MOVE_COUNT; m++) {
        names[m] = deploy_move_name((DeployMove)m);
        *out = (DeployMove)m;
        if (text_equal(names[m], word))
            return true;
    }
    names[MOVE_COUNT] = "check";
    names[MOVE_COUNT + 1] = "remove";
    const char *near = text_nearest(word, names, MOVE_COUNT + 2);
    return error_set(
        err, ERROR_USAGE,
        "deploy: no move '%.40s'%s%s%s; there are shadow, canary, step, green, promote,"
        " back, stop, start, check, remove",
        word, near ? ", did you mean " : "", near ? near : "", near ? "?" : "");
}

static bool remove_it(Store *s, const DeploymentRow *row, Error *err)
{
    if (!text_equal(row->state, "stopped"))
        return error_set(err, ERROR_USAGE, "deploy: %s is %s; stop it first", row->name,
                         row->state);
    return store_deployment_remove(s, row, call_actor(), err);
}

static bool check_it(CommandCall *call, Store *s, const char *name, json_t *result, Error *err)
{
    StepReport r;
    if (!deployment_step(s, name, call->pool, call_actor(), &r, err))
        return false;
    result_text(result, "check", r.text);
    if (r.checked)
        json_object_set_new(result, "check_passed", json_boolean(r.passed));
    if (r.moved)
        result_text(result, "moved", deploy_move_name(r.move));
    return true;
}

static bool set_given(CommandCall *call, Store *s, const char *name, Error *err)
{
    const DeployCall *c = call->settings;
    bool ok = true;
    for (const Param *row = deploy_params; ok && row->kind != PARAM_KIND_END; row++) {
        if (!command_given(call, row->name))
            continue;
        Text value = {0};
        param_get(row, &c->set, &value);
        ok = deployment_set(s, name, row->name, text_str(&value), call_actor(), err);
        text_release(&value);
    }
    return ok;
}

/* The line that sets again what is about to be set; moves have their own way back. A webhook is a secret. */
static bool way_back(CommandCall *call, const DeploymentRow *row, json_t *result, Error *err)
{
    DeploySettings was;
    Text line = {0}, word = {0};
    bool any = false;
    if (!deploy_settings(row, &was, err))
        return false;
    text_puts(&line, "deploy");
    command_add_word(&line, row->name);
    for (const Param *p = deploy_params; p->kind != PARAM_KIND_END; p++) {
        if (!command_given(call, p->name) || text_equal(p->name, "webhook"))
            continue;
        text_reset(&word);
        text_printf(&word, "%s=", p->name);
        param_get(p, &was, &word);
        command_add_word(&line, text_str(&word));
        any = true;
    }
    if (any)
        result_text(result, "undo", text_str(&line));
    params_release(deploy_params, &was);
    text_release(&line);
    text_release(&word);
    return true;
}

static bool there_is(Store *s, const char *name)
{
    Arena a = {0};
    DeploymentRow row;
    Error none = {0};
    bool there = store_deployment_find(s, name, &a, &row, &none);
    arena_release(&a);
    return there;
}

static bool do_it(CommandCall *call, Store *s, const char *name, const char *word, json_t *result,
                  Error *err)
{
    const DeployCall *c = call->settings;
    Arena a = {0};
    DeploymentRow row;
    DeployMove move = MOVE_COUNT;
    bool there = there_is(s, name), ok = true;
    bool moves = word && !text_equal(word, "remove") && !text_equal(word, "check");
    if (!there && (*c->model || word) && !(*c->model && !word))
        ok = error_set(err, ERROR_USAGE, "no deployment %s; `lathe deploy %s model=NAME` makes one",
                       name, name);
    else if (!there && *c->model)
        ok = deployment_create(s, name, c->model, call_actor(), err);
    else if (there && *c->model && !word)
        ok = error_set(err, ERROR_USAGE,
                       "deploy: %s has a model; say how the other comes: shadow, canary or green",
                       name);
    ok = ok && (!moves || find_move(word, &move, err)); /* nothing is set beside a word that is none */
    ok = ok && store_deployment_find(s, name, &a, &row, err) && (!there || word || way_back(call, &row, result, err)) &&
         set_given(call, s, name, err);
    if (ok && word && text_equal(word, "remove"))
        ok = store_deployment_find(s, name, &a, &row, err) && remove_it(s, &row, err);
    else if (ok && word && text_equal(word, "check"))
        ok = check_it(call, s, name, result, err);
    else if (ok && moves)
        ok = deployment_move(s, name, move, c->model, call_actor(), err);
    arena_release(&a);
    return ok;
}

static bool add_settings(const DeploymentRow *row, json_t *into, Error *err)
{
    DeploySettings set;
    if (!deploy_settings(row, &set, err))
        return false;
    json_t *o = json_object();
    for (const Param *p = deploy_params; p->kind != PARAM_KIND_END; p++) {
        Text value = {0};
        param_get(p, &set, &value);
        result_text(o, p->name,
                    text_equal(p->name, "webhook") && value.count ? "(set)" : text_str(&value));
        text_release(&value);
    }
    params_release(deploy_params, &set);
    json_object_set_new(into, "settings", o);
    return true;
}

static bool run(CommandCall *call, json_t **result, Error *err)
{
    Arena a = {0};
    DeploymentRow row;
    const char *name = call->word[0], *word = call_word(call, 1);
    json_t *extra = json_object();
    Store *s = call_store(call, STORE_WRITE, err);
    bool ok = s && do_it(call, s, name, word, extra, err);
    bool gone = word && text_equal(word, "remove");
    if (ok && gone)
        *result = json_pack("{s:s}", "removed", name);
    else if (ok && (ok = store_deployment_find(s, name, &a, &row, err))) {
        *result = result_deployment(s, &row);
        json_object_update(*result, extra);
        if (!word)
            ok = add_settings(&row, *result, err);
    }
    json_decref(extra);
    store_close(s);
    arena_release(&a);
    return ok;
}

static const Arg args[] = {{.name = "NAME", .kind = ARG_WORD, .about = "of the deployment"},
                           {.name = "MOVE",
                            .kind = ARG_WORD,
                            .optional = true,
                            .about = "shadow, canary, step, green, promote, back, stop, start; "
                                     "check: the step's check now; remove"},
                           ARG_END};
static const Param params[] = {PARAM_TEXT(DeployCall, model, "model", "",
                                          "NAME, NAME/VERSION, NAME@ALIAS or a run: what answers "
                                          "(a new deployment), or the candidate"),
                               PARAM_END};

static void more(Text *into)
{
    text_puts(into, "\nmoves, from which states:\n");
    for (int m = 0; m < MOVE_COUNT; m++)
        text_printf(into, "  %-10s %s\n", deploy_move_name((DeployMove)m),
                    deploy_move_about((DeployMove)m));
}

const Command deploy_command = {
    .name = "deploy",
    .about = "makes a deployment, moves it between models, sets it",
    .details = "A deployment is a name under which a model answers (lathe serve deployment=NAME). "
               "A new model comes\n"
               "as a shadow (its answers are compared, never given), as a canary (a share of the "
               "requests, sticky\n"
               "by key=COLUMN, stepped by plan=) or green (all requests, the old model stands by), "
               "and is promoted\n"
               "or taken back; blue-green is `lathe deploy NAME green model=NAME/2` and `lathe "
               "deploy NAME back`.\n"
               "champion is the alias of the model, challenger of the candidate: they move along.\n"
               "lathe watch checks each step (success rate, latency, gate rules on rows with "
               "feedback) and, with\n"
               "automation=full, makes the move; assisted raises an alert that names it; manual "
               "only records.\n"
               "Without a move and a setting the deployment is shown.",
    .example = "lathe deploy fares canary model=taxi/2 plan=\"5 25 50 100\" automation=full",
    .args = args,
    .params = params,
    .params_size = sizeof(DeployCall),
    .shared = deploy_params,
    .shared_at = offsetof(DeployCall, set),
    .run = run,
    .more = more,
};

/* ---- all of them ---------------------------------------------------------------------------------------------- */

static void add_traffic(PredictionLog *log, const DeploymentRow *r, json_t *into)
{
    Arena a = {0};
    TrafficRow *t = NULL;
    size_t n = 0;
    int64_t now = time_now();
    DeployMinute minute;
    Error ignored = {0};
    bool ok = log && prediction_log_traffic_since(log, r->name, now - DEPLOY_SECONDS * 1000000LL,
                                                  &a, &t, &n, &ignored);
    deployment_minute(r, t, ok ? n : 0, now, &minute);
    result_int(into, "requests_1m", minute.requests);
    result_int(into, "errors_1m", minute.errors);
    result_real(into, "p99_ms", minute.p99 * 1e3);
    arena_release(&a);
}

static bool run_deployments(CommandCall *call, json_t **result, Error *err)
{
    Arena a = {0};
    DeploymentRow *rows;
    size_t n;
    Error none = {0};
    Store *s = call_store(call, STORE_READ, err);
    bool ok = s && store_deployments(s, &a, &rows, &n, err);
    PredictionLog *log = ok ? prediction_log_open(store_dir(s), STORE_READ, &none) : NULL;
    if (ok)
        *result = json_array();
    for (size_t i = 0; ok && i < n; i++) {
        json_t *o = result_deployment(s, &rows[i]);
        add_traffic(log, &rows[i], o);
        json_array_append_new(*result, o);
    }
    prediction_log_close(log);
    store_close(s);
    arena_release(&a);
    return ok;
}

const Command deployments_command = {
    .name = "deployments",
    .about = "lists the deployments: state, models, step, the last minute's traffic",
    .example = "lathe deployments",
    .run = run_deployments,
};

/* ---- who did what ------------------------------------------------------------------------------------------------ */

typedef struct AuditSettings {
    int most;
} AuditSettings;

static bool run_audit(CommandCall *call, json_t **result, Error *err)
{
    const AuditSettings *set = call->settings;
    Arena a = {0};
    AuditRow *rows;
    size_t n;
    Text subject = {0};
    for (size_t i = 0; i < call->words; i++)
        text_printf(&subject, "%s%s", i ? " " : "", call->word[i]);
    Store *s = call_store(call, STORE_READ, err);
    bool ok = s && store_audit(s, call->words ? text_str(&subject) : NULL, (size_t)set->most, &a,
                               &rows, &n, err);
    if (ok)
        *result = json_array();
    for (size_t i = 0; ok && i < n; i++) {
        json_t *o = json_object();
        result_time(o, "time", rows[i].time);
        result_text(o, "actor", rows[i].actor);
        result_text(o, "what", rows[i].what);
        result_text(o, "subject", rows[i].subject);
        result_text(o, "text", rows[i].text);
        json_array_append_new(*result, o);
    }
    text_release(&subject);
    store_close(s);
    arena_release(&a);
    return ok;
}

static const Arg audit_args[] = {
    {.name = "SUBJECT",
     .kind = ARG_WORD,
     .optional = true,
     .many = true,
     .about = "deployment fares, model taxi/3, token ci, ...; none: all"},
    ARG_END};
static const Param audit_params[] = {
    PARAM_INT(AuditSettings, most, "most", 100, 1, 1000000, "lines", "how many, the newest"),
    PARAM_END};

const Command audit_command = {
    .name = "audit",
    .about = "who did what, newest first",
    .example = "lathe audit deployment fares",
    .args = audit_args,
    .params = audit_params,
    .params_size = sizeof(AuditSettings),
    .run = run_audit,
};
