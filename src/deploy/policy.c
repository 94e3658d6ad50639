/* policy.c -- when a deployment's model is trained anew, and how far that is: one setting of the store.
 *
 *     retrain.NAME   {"state": "rows", "reason": ..., "time": ..., "since": ...}   the table is being made
 *                    {"state": "train", "run": 7, ...}                   a run is at it
 *                    {"state": "done", "time": ..., "text": ...}         cools down
 *
 * The state is written before what it names is done, and each step may be done again: a kill between two of them costs
 * time and nothing else. The run and the state that names it are one transaction. */
#include "watch_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_AGAIN INT64_C(15000000) /* micros until a run that did not begin is started anew */
#define STARTS_MOST 5

typedef struct State {
    char state[8], reason[200], text[200];
    int64_t time, run, started, starts;
    int64_t since; /* the prediction with which the world changed; 0: that is not the reason */
} State;

/* ---- the state --------------------------------------------------------------------------------------------------------- */

static void state_read(Watcher *w, const char *deployment, State *out)
{
    Arena a = {0};
    const char *text = NULL;
    *out = (State){0};
    store_setting_get(w->store, arena_printf(&a, "retrain.%s", deployment), &a, &text, NULL);
    json_t *j = text ? json_loads(text, 0, NULL) : NULL;
    const char *state = json_string_value(json_object_get(j, "state")), *reason = json_string_value(json_object_get(j, "reason"));
    snprintf(out->state, sizeof out->state, "%s", state ? state : "");
    snprintf(out->reason, sizeof out->reason, "%s", reason ? reason : "");
    out->time = json_integer_value(json_object_get(j, "time"));
    out->run = json_integer_value(json_object_get(j, "run"));
    out->started = json_integer_value(json_object_get(j, "started"));
    out->starts = json_integer_value(json_object_get(j, "starts"));
    out->since = json_integer_value(json_object_get(j, "since"));
    json_decref(j);
    arena_release(&a);
}

static bool state_write(Watcher *w, const char *deployment, const State *s, Error *err)
{
    Arena a = {0};
    json_t *j = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "state", s->state, "reason", s->reason, "text", s->text, "time",
                          (json_int_t)s->time, "run", (json_int_t)s->run, "started", (json_int_t)s->started, "starts",
                          (json_int_t)s->starts, "since", (json_int_t)s->since);
    char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
    bool ok = store_setting_set(w->store, arena_printf(&a, "retrain.%s", deployment), text ? text : "{}", err);
    free(text);
    json_decref(j);
    arena_release(&a);
    return ok;
}

int64_t policy_last(Watcher *w, const char *deployment)
{
    State s;
    state_read(w, deployment, &s);
    return s.time;
}

void policy_wants(Watched *d, int64_t model, const char *kind, const char *fmt, ...)
{
    va_list args;
    if (d->wants.model == model)
        return;
    va_start(args, fmt);
    vsnprintf(d->wants.reason, sizeof d->wants.reason, fmt, args);
    va_end(args);
    d->wants.model = model;
    d->wants.kind = kind;
}

/* ---- alerts of policies ----------------------------------------------------------------------------------------------------- */

static bool raise_alert(Watcher *w, const DeploymentRow *row, const DeploySettings *set, const char *subject, const char *text,
                        Error *err)
{
    int64_t id;
    bool fresh;
    AlertRow alert = {.deployment = row->name, .subject = subject, .kind = "policy", .text = text, .detail = "{}"};
    bool ok = store_alert_raise(w->store, &alert, set->cool, &id, &fresh, err);
    if (ok && fresh)
        watch_say(w, row->name, "alert", "%s", text);
    return ok;
}

static bool finish(Watcher *w, Watched *d, State *s, int64_t now, const char *text, Error *err)
{
    snprintf(s->state, sizeof s->state, "done");
    snprintf(s->text, sizeof s->text, "%.190s", text);
    d->labelled = 0;
    d->labelled_since = s->time > 0 ? s->time : now;
    d->wants.model = 0;
    d->worst_estimate = d->worst_performance = (double)NAN;
    return state_write(w, d->name, s, err);
}

static bool give_up(Watcher *w, Watched *d, const DeploymentRow *row, const DeploySettings *set, State *s, int64_t now,
                    const Error *why, Error *err)
{
    char text[300];
    snprintf(text, sizeof text, "training anew failed: %.250s", why->text);
    return raise_alert(w, row, set, "retraining", text, err) && finish(w, d, s, now, text, err);
}

/* ---- training ------------------------------------------------------------------------------------------------------------- */

static bool submit(Watcher *w, const DeploymentRow *row, const char *hash, State *s, Error *err)
{
    Arena a = {0};
    ModelRow model;
    RunSpec spec;
    bool ok = store_model_get(w->store, row->model, &a, &model, err) && run_spec_load(&spec, w->store, model.run, &a, err);
    if (!ok) {
        arena_release(&a);
        return false;
    }
    spec.dataset = hash;
    spec.name = model.name; /* its next version */
    spec.parent = spec.parent_step = 0;
    ok = store_begin(w->store, err);
    if (ok) {
        snprintf(s->state, sizeof s->state, "train");
        s->run = run_submit(w->store, &spec, err);
        s->started = s->starts = 0;
        ok = s->run && state_write(w, row->name, s, err);
        if (!ok)
            store_rollback(w->store);
        else
            ok = store_commit(w->store, err);
    }
    run_spec_release(&spec);
    arena_release(&a);
    return ok;
}

static bool start(Watcher *w, const char *deployment, State *s, int64_t now, Progress *progress, Error *err)
{
    s->started = now;
    s->starts++;
    if (!state_write(w, deployment, s, err))
        return false;
    watch_say(w, deployment, "train", "run %lld", (long long)s->run);
    if (w->program)
        return run_spawn(w->program, w->dir, s->run, err);
    return run_execute(w->store, s->run, w->pool, NULL, NULL, progress ? &progress->stop : NULL, err);
}

/* The table, the run, its start. */
static bool begin(Watcher *w, Watched *d, const DeploymentRow *row, const DeploySettings *set, State *s, int64_t now,
                  Progress *progress, Error *err)
{
    Arena a = {0};
    Error why = {0};
    const char *hash;
    int64_t added;
    Gather *g = watch_opened(w, d, row->model, set, now, progress);
    PolicyWindow window = {.since = s->since, .least = set->retrain_labels_least, .rows = set->retrain_window};
    bool ok = g && g->of && policy_rows(w, row, g->of, &window, &a, &hash, &added, progress, &why) && submit(w, row, hash, s, &why);
    if (ok)
        watch_say(w, d->name, "rows", "%lld rows with feedback join the table: %.12s", (long long)added, hash);
    ok = ok && start(w, d->name, s, now, progress, &why);
    arena_release(&a);
    if (ok || why.kind == ERROR_STOP) {
        if (!ok && err)
            *err = why;
        return ok;
    }
    return give_up(w, d, row, set, s, now, &why, err);
}

/* ---- the new model -------------------------------------------------------------------------------------------------------- */

static bool model_of_run(Store *s, int64_t run, Arena *a, ModelRow *out, Error *err)
{
    ModelRow *rows;
    size_t n;
    if (!store_models(s, a, &rows, &n, err))
        return false;
    for (size_t i = 0; i < n; i++)
        if (rows[i].run == run) {
            *out = rows[i];
            return true;
        }
    return error_set(err, ERROR_SHAPE, "run %lld has no model", (long long)run);
}

static bool hand_over(Watcher *w, Watched *d, const DeploymentRow *row, const DeploySettings *set, State *s, int64_t now, Error *err)
{
    Arena a = {0};
    ModelRow m = {0};
    Error why = {0};
    bool ok = model_of_run(w->store, s->run, &a, &m, err);
    const char *name = ok ? arena_printf(&a, "%s/%lld", m.name, (long long)m.version) : "";
    ok = ok && store_begin(w->store, err);
    if (!ok) {
        arena_release(&a);
        return false;
    }
    if (set->automation == AUTOMATION_FULL && deployment_move(w->store, row->name, MOVE_SHADOW, name, "watch", &why)) {
        watch_say(w, d->name, "shadow", "%s answers beside the model (%s)", name, s->reason);
        ok = finish(w, d, s, now, arena_printf(&a, "%s is tried as a shadow", name), err);
    } else {
        const char *text = arena_printf(&a, "%s was trained anew (%s)%s%s; `lathe deploy %s shadow model=%s` tries it", name, s->reason,
                                        *why.text ? ": " : "", why.text, row->name, name);
        ok = raise_alert(w, row, set, "retraining", text, err) && finish(w, d, s, now, text, err);
    }
    if (!ok)
        store_rollback(w->store);
    else
        ok = store_commit(w->store, err);
    arena_release(&a);
    return ok;
}

static bool follow(Watcher *w, Watched *d, const DeploymentRow *row, const DeploySettings *set, State *s, int64_t now, bool *busy,
                   Progress *progress, Error *err)
{
    Arena a = {0};
    RunRow run;
    Error why = {0};
    bool ok = store_run_get(w->store, s->run, &a, &run, err);
    bool alive = ok && store_run_alive(&run);
    if (ok && run.status == RUN_FINISHED) {
        *busy = true;
        ok = hand_over(w, d, row, set, s, now, err);
    } else if (ok && (run.status == RUN_FAILED || s->starts >= STARTS_MOST) && !alive) {
        error_set(&why, ERROR_SHAPE, "run %lld: %s", (long long)s->run, *run.message ? run.message : "it does not start");
        ok = give_up(w, d, row, set, s, now, &why, err);
    } else if (ok && !alive && (now - s->started > START_AGAIN || run.status == RUN_KILLED || run.status == RUN_RUNNING)) {
        ok = run_reap(w->store, err) >= 0;
        if (ok && !start(w, d->name, s, now, progress, &why) && why.kind == ERROR_STOP)
            ok = error_set(err, ERROR_STOP, "%s", why.text);
        *busy = true;
    }
    arena_release(&a);
    return ok;
}

/* ---- when --------------------------------------------------------------------------------------------------------------- */

/* A reason, and the kind of the points that tell since when; NULL: it is no change of the world. */
static const char *reason_now(const Watched *d, const DeploymentRow *row, const DeploySettings *set, int64_t last, int64_t now,
                              const char **kind, Arena *a)
{
    *kind = NULL;
    if (set->retrain_every > 0 && (double)(now - (last > row->created ? last : row->created)) >= set->retrain_every * 1e6)
        return "the schedule";
    if (set->retrain_rows > 0 && d->labelled >= set->retrain_rows)
        return arena_printf(a, "%lld new rows with feedback", (long long)d->labelled);
    *kind = "drift";
    if (set->retrain_drift && d->wants.model == row->model)
        return arena_printf(a, "%s", d->wants.reason);
    if (d->judged_model != row->model)
        return NULL;
    *kind = "estimate";
    if (set->retrain_estimate > 0 && d->worst_estimate >= set->retrain_estimate)
        return arena_printf(a, "the estimate is %.0f%% worse", d->worst_estimate * 100);
    *kind = "performance";
    if (set->retrain_performance > 0 && d->worst_performance >= set->retrain_performance)
        return arena_printf(a, "feedback is %.0f%% worse", d->worst_performance * 100);
    return NULL;
}

/* Is it the curve that policies look at? */
static bool tells(const MonitorPointRow *p, int64_t model, const char *kind)
{
    bool first = strcmp(p->test, "share") == 0 || strcmp(p->test, "mae") == 0 || strcmp(p->test, "accuracy") == 0;
    return p->model == model && strcmp(p->kind, kind) == 0 && !*p->column && first;
}

/* The first prediction of the first chunk since when that curve alarms without a break; 0: it does not. */
static bool changed_since(Watcher *w, const DeploymentRow *row, const char *kind, int64_t *since, Error *err)
{
    Arena a = {0};
    MonitorPointRow *p;
    size_t n;
    int64_t cursor = 0;
    bool ok = store_monitor_points_since(w->store, row->name, &cursor, &a, &p, &n, err);
    *since = 0;
    for (size_t i = 0; ok && i < n; i++)
        if (tells(&p[i], row->model, kind))
            *since = !p[i].alarm ? 0 : *since ? *since : p[i].first;
    arena_release(&a);
    return ok;
}

static bool consider(Watcher *w, Watched *d, const DeploymentRow *row, const DeploySettings *set, int64_t now, bool *busy,
                     Progress *progress, const State *was, Error *err)
{
    Arena a = {0};
    State s = {.time = now};
    bool ok = true;
    const char *kind = NULL, *reason = row->model && strcmp(row->state, "live") == 0 && d->labelled >= set->retrain_labels_least &&
                                 (!was->time || (double)(now - was->time) >= set->retrain_cool * 1e6)
                             ? reason_now(d, row, set, was->time, now, &kind, &a)
                             : NULL;
    if (reason && kind)
        ok = changed_since(w, row, kind, &s.since, err);
    if (ok && reason) {
        *busy = true;
        snprintf(s.reason, sizeof s.reason, "%s", reason);
        snprintf(s.state, sizeof s.state, "rows");
        if (set->automation == AUTOMATION_MANUAL) {
            const char *text = arena_printf(&a, "it is time to train anew: %s", reason);
            ok = raise_alert(w, row, set, "retraining", text, err) && finish(w, d, &s, now, text, err);
        } else {
            watch_say(w, d->name, "retrain", "%s", reason);
            ok = state_write(w, d->name, &s, err) && begin(w, d, row, set, &s, now, progress, err);
        }
    }
    arena_release(&a);
    return ok;
}

bool policy_round(Watcher *w, Watched *d, const DeploymentRow *row, const DeploySettings *set, int64_t now, bool *busy,
                  Progress *progress, Error *err)
{
    State s;
    state_read(w, d->name, &s);
    if (strcmp(s.state, "train") == 0)
        return follow(w, d, row, set, &s, now, busy, progress, err);
    if (strcmp(s.state, "rows") == 0 && w->log)
        return begin(w, d, row, set, &s, now, progress, err);
    return consider(w, d, row, set, now, busy, progress, &s, err);
}
