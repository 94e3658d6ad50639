/* deployment.c -- the moves of a deployment: one table, one way to make any of them.
 *
 * A move is a function from a row to the next row. The row, the aliases and the line of the audit are
 * written in one transaction under the revision that was read, so a process that is killed leaves the
 * state before or the state after, and of two movers one wins. */
#include "deploy_int.h"

#include <stdlib.h>
#include <string.h>

typedef struct Moving {
    Store *store;
    Arena *arena;
    DeploymentRow row;
    double plan[PLAN_MOST];
    size_t steps;
} Moving;

/* ---- what each move makes of the row --------------------------------------------------------------------- */

static void enter(DeploymentRow *r, const char *state, int64_t step, double percent)
{
    r->state = state;
    r->step = step;
    r->percent = percent;
    r->step_since = time_now();
    r->failed = r->passed = 0;
}

static void to_shadow(Moving *m)
{
    enter(&m->row, "shadow", 0, 0.0);
}

static void to_canary(Moving *m)
{
    enter(&m->row, "canary", 1, m->plan[0]);
}

static void to_green(Moving *m)
{
    enter(&m->row, "green", 0, 100.0);
}

static void promote(Moving *m)
{
    m->row.previous = m->row.model;
    m->row.model = m->row.candidate;
    m->row.candidate = 0;
    enter(&m->row, "live", 0, 0.0);
}

static void step_on(Moving *m)
{
    if ((size_t)m->row.step >= m->steps)
        promote(m);
    else
        enter(&m->row, "canary", m->row.step + 1, m->plan[m->row.step]);
}

/* The candidate stays, so that the way on is one move as well. */
static void go_back(Moving *m)
{
    if (text_equal(m->row.state, "live")) {
        int64_t was = m->row.model;
        m->row.model = m->row.previous;
        m->row.previous = was;
    }
    enter(&m->row, "live", 0, 0.0);
}

static void halt(Moving *m)
{
    enter(&m->row, "stopped", 0, 0.0);
}

static void start(Moving *m)
{
    enter(&m->row, "live", 0, 0.0);
}

#define AS_PLACE(name, from, about) [MOVE_##name] = {from, about},
static const struct {
    const char *from, *about;
} place[] = {DEPLOY_MOVES(AS_PLACE)};
static const struct {
    const char *name;
    bool takes; /* a candidate may be named with it */
    void (*make)(Moving *m);
} move[MOVE_COUNT] = {
    [MOVE_SHADOW] = {"shadow", true, to_shadow},  [MOVE_CANARY] = {"canary", true, to_canary},
    [MOVE_STEP] = {"step", false, step_on},       [MOVE_GREEN] = {"green", true, to_green},
    [MOVE_PROMOTE] = {"promote", false, promote}, [MOVE_BACK] = {"back", false, go_back},
    [MOVE_STOP] = {"stop", false, halt},          [MOVE_START] = {"start", false, start},
};

const char *deploy_move_name(DeployMove m)
{
    return move[m].name;
}

const char *deploy_move_about(DeployMove m)
{
    return place[m].about;
}

static const char *wrong_state(const DeploymentRow *row, DeployMove m)
{
    if (text_equal(row->state, "stopped"))
        return "it is stopped: start it first";
    if (m == MOVE_START)
        return "it is not stopped";
    if (m == MOVE_STEP)
        return "only a canary has steps: begin one first";
    if (m == MOVE_PROMOTE)
        return "nothing is rolled out: begin a shadow, a canary or green first";
    return text_equal(row->state, "green")
               ? "all requests go to the candidate already: promote it or go back"
               : "the canary has begun already: step on or go back";
}

const char *deploy_move_why_not(const DeploymentRow *row, DeployMove m)
{
    if (!text_has_word(place[m].from, row->state))
        return wrong_state(row, m);
    if (m == MOVE_BACK && text_equal(row->state, "live") && !row->previous)
        return "there is no model before this one";
    if (m == MOVE_BACK && text_equal(row->state, "live") && row->previous == row->model)
        return "the model before is this one";
    return NULL;
}

/* ---- models -------------------------------------------------------------------------------------------------- */

bool deployment_bundle(Store *s, int64_t model, Arena *a, const char **path, Error *err)
{
    ModelRow row;
    if (!store_model_get(s, model, a, &row, err))
        return false;
    *path = store_path(s, a, "%s", row.path);
    return file_exists(arena_printf(a, "%s/bundle.json", *path)) ||
           error_set(err, ERROR_IO, "model %s/%lld: its bundle %s is gone", row.name,
                     (long long)row.version, *path);
}

static const char *model_name(Store *s, int64_t id, Arena *a)
{
    ModelRow row;
    Error ignored = {0};
    return id && store_model_get(s, id, a, &row, &ignored)
               ? arena_printf(a, "%s/%lld", row.name, (long long)row.version)
               : "none";
}

/* Two models behind one name predict the same column. */
static bool same_target(Store *s, const ModelRow *one, int64_t other_id, Arena *a, Error *err)
{
    ModelRow other;
    RunRow run, run_other;
    Error ignored = {0};
    if (!store_model_get(s, other_id, a, &other, &ignored) ||
        !store_run_get(s, one->run, a, &run, &ignored) ||
        !store_run_get(s, other.run, a, &run_other, &ignored))
        return true; /* nothing is known of one: its bundle decides */
    return (text_equal(run.target, run_other.target) && text_equal(run.task, run_other.task)) ||
           error_set(err, ERROR_USAGE, "%s/%lld predicts %s (%s), the model there %s (%s)",
                     one->name, (long long)one->version, run.target, run.task, run_other.target,
                     run_other.task);
}

static bool take_candidate(Moving *m, const char *name, Error *err)
{
    ModelRow row;
    const char *path;
    if (!store_model_find(m->store, name, m->arena, &row, err) ||
        !deployment_bundle(m->store, row.id, m->arena, &path, err))
        return false;
    if (row.id == m->row.model)
        return error_set(err, ERROR_USAGE, "deployment %s: %s/%lld is the model there already",
                         m->row.name, row.name, (long long)row.version);
    if (m->row.candidate && row.id != m->row.candidate && !text_equal(m->row.state, "live"))
        return error_set(err, ERROR_USAGE, "deployment %s: %s is being rolled out; go back first",
                         m->row.name, model_name(m->store, m->row.candidate, m->arena));
    m->row.candidate = row.id;
    return same_target(m->store, &row, m->row.model, m->arena, err);
}

/* champion is the model, challenger the candidate; of another name the old champion loses it, unless it
 * answers elsewhere. */
static bool leaves_champion(Moving *m, int64_t old, Error *err)
{
    ModelRow was, is;
    DeploymentRow *all;
    size_t n;
    if (!old || old == m->row.model)
        return true;
    if (!store_model_get(m->store, m->row.model, m->arena, &is, err) ||
        !store_model_get(m->store, old, m->arena, &was, &(Error){0}) ||
        text_equal(was.name, is.name))
        return true;
    if (!store_deployments(m->store, m->arena, &all, &n, err))
        return false;
    for (size_t i = 0; i < n; i++)
        if (all[i].id != m->row.id && all[i].model == old)
            return true;
    return store_model_alias(m->store, old, "champion", false, err);
}

static bool set_aliases(Moving *m, const DeploymentRow *was, Error *err)
{
    bool rolling = !text_equal(m->row.state, "live") && !text_equal(m->row.state, "stopped");
    int64_t challenger = was->candidate ? was->candidate : m->row.candidate;
    Error gone = {0}; /* of a model that was deleted meanwhile nothing can be said */
    if (challenger && !rolling)
        store_model_alias(m->store, challenger, "challenger", false, &gone);
    return (!rolling || store_model_alias(m->store, m->row.candidate, "challenger", true, err)) &&
           (was->model == m->row.model ||
            (store_model_alias(m->store, m->row.model, "champion", true, err) &&
             leaves_champion(m, was->model, err)));
}

/* ---- making a move ------------------------------------------------------------------------------------------- */

static bool read_plan(Moving *m, Error *err)
{
    DeploySettings set;
    if (!deploy_settings(&m->row, &set, err))
        return false;
    bool ok = deploy_plan(set.plan, m->plan, &m->steps, err) ||
              error_in(err, "deployment %s", m->row.name);
    params_release(deploy_params, &set);
    return ok;
}

static bool may(Moving *m, DeployMove which, const char *model, Error *err)
{
    const char *why = deploy_move_why_not(&m->row, which);
    if (why)
        return error_set(err, ERROR_USAGE, "deployment %s, %s: %s", m->row.name, move[which].name,
                         why);
    if (model && *model && !move[which].takes)
        return error_set(err, ERROR_USAGE, "deployment %s, %s: takes no model", m->row.name,
                         move[which].name);
    if (model && *model && !take_candidate(m, model, err))
        return false;
    bool needs = which != MOVE_BACK && which != MOVE_STOP && which != MOVE_START;
    return !needs || m->row.candidate ||
           error_set(err, ERROR_USAGE,
                     "deployment %s, %s: no candidate; say which with model=NAME/VERSION",
                     m->row.name, move[which].name);
}

static const char *say_move(Moving *m, const DeploymentRow *was)
{
    const char *model = model_name(m->store, m->row.model, m->arena);
    if (m->row.model != was->model)
        return arena_printf(m->arena, "%s answers instead of %s", model,
                            model_name(m->store, was->model, m->arena));
    const char *candidate = model_name(m->store, m->row.candidate, m->arena);
    if (text_equal(m->row.state, "canary"))
        return arena_printf(m->arena, "%s has %g %% of %s", candidate, m->row.percent, model);
    if (text_equal(m->row.state, "shadow") || text_equal(m->row.state, "green"))
        return arena_printf(m->arena, "%s beside %s", candidate, model);
    return text_equal(m->row.state, "live") ? arena_printf(m->arena, "%s answers", model)
                                            : "nothing answers";
}

/* What was suggested is answered by any move. */
static bool answer_suggestions(Moving *m, const char *actor, Error *err)
{
    AlertRow *alert;
    size_t n;
    bool ok = store_alerts(m->store, true, 1000, m->arena, &alert, &n, err);
    for (size_t i = 0; ok && i < n; i++)
        if (text_equal(alert[i].deployment, m->row.name) && text_equal(alert[i].kind, "rollout"))
            ok = store_alert_resolve(m->store, alert[i].id, actor, err);
    return ok;
}

bool deployment_move(Store *s, const char *name, DeployMove which, const char *model,
                     const char *actor, Error *err)
{
    Arena a = {0};
    Moving m = {.store = s, .arena = &a};
    if (!store_begin(s, err))
        return false;
    bool ok = store_deployment_find(s, name, &a, &m.row, err);
    DeploymentRow was = m.row;
    ok = ok && read_plan(&m, err) && may(&m, which, model, err);
    if (ok)
        move[which].make(&m);
    ok = ok && set_aliases(&m, &was, err) && answer_suggestions(&m, actor, err) &&
         store_deployment_change(s, &m.row, actor, move[which].name, say_move(&m, &was), err);
    arena_release(&a);
    if (ok)
        return store_commit(s, err);
    store_rollback(s);
    return false;
}

/* ---- making one, and its settings ------------------------------------------------------------------------- */

static bool name_check(const char *name, Error *err)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < n; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.", name[i]))
            n = 0;
    return (n > 0 && n <= 64) ||
           error_set(err, ERROR_USAGE, "deployment '%.60s': expected letters, digits, _, - and .",
                     name);
}

static bool insert(Store *s, const char *name, const ModelRow *model, const char *actor, Error *err)
{
    DeploySettings set = {0};
    Text text = {0};
    params_init(deploy_params, &set);
    deploy_settings_text(&set, &text);
    DeploymentRow row = {.name = name,
                         .state = "live",
                         .model = model->id,
                         .step_since = time_now(),
                         .settings = text_str(&text)};
    bool ok = store_begin(s, err);
    if (ok && !(store_deployment_add(s, &row, actor, err) &&
                store_model_alias(s, model->id, "champion", true, err))) {
        store_rollback(s);
        ok = false;
    }
    ok = ok && store_commit(s, err);
    text_release(&text);
    params_release(deploy_params, &set);
    return ok;
}

bool deployment_create(Store *s, const char *name, const char *model, const char *actor, Error *err)
{
    Arena a = {0};
    ModelRow row;
    const char *path;
    bool ok = name_check(name, err) && store_model_find(s, model, &a, &row, err) &&
              deployment_bundle(s, row.id, &a, &path, err) && insert(s, name, &row, actor, err);
    arena_release(&a);
    return ok;
}

bool deployment_set(Store *s, const char *name, const char *key, const char *value,
                    const char *actor, Error *err)
{
    Arena a = {0};
    Text text = {0};
    DeploymentRow row;
    DeploySettings set;
    if (!store_begin(s, err))
        return false;
    bool read = store_deployment_find(s, name, &a, &row, err) && deploy_settings(&row, &set, err);
    bool ok =
        read && deploy_settings_set(&set, key, value, err) && deploy_settings_text(&set, &text);
    row.settings = text_str(&text);
    bool secret = text_equal(key, "webhook"); /* its path may be one */
    const char *said = secret ? "webhook" : arena_printf(&a, "%s=%s", key, value);
    ok = ok && store_deployment_change(s, &row, actor, "set", said, err);
    if (read)
        params_release(deploy_params, &set);
    text_release(&text);
    arena_release(&a);
    if (ok)
        return store_commit(s, err);
    store_rollback(s);
    return false;
}
