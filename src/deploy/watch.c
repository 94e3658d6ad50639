/* watch.c -- the watcher: round after round it looks at what is new in the log and the store, and does what follows.
 *
 * One process watches a workspace: it holds a lock on DIR/watch.lock, which goes with the process however it ends. All
 * that a round decides is in the store before it is told; told is at least once, with the alert's number. */
#include "watch_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define TELL_SECONDS 10

void watch_say(Watcher *w, const char *deployment, const char *kind, const char *fmt, ...)
{
    char text[600];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    log_line(w->lines, strcmp(kind, "error") == 0 ? LOG_ERROR : LOG_INFO, "watch: %s: %s: %s", deployment, kind, text);
    if (w->on_news)
        w->on_news(w->context, &(WatchNews){deployment, kind, text});
}

/* ---- opening ---------------------------------------------------------------------------------------------------------- */

static bool take_lock(Watcher *w, Error *err)
{
    Arena a = {0};
    char pid[32] = "";
    const char *path = store_path(w->store, &a, "watch.lock");
    w->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    bool ok = w->lock >= 0 || error_set(err, ERROR_IO, "%s: %s", path, strerror(errno));
    if (ok && flock(w->lock, LOCK_EX | LOCK_NB) != 0) {
        ssize_t n = read(w->lock, pid, sizeof pid - 1);
        pid[n > 0 ? n : 0] = 0;
        pid[strcspn(pid, "\n")] = 0;
        ok = error_set(err, ERROR_STOP, "%s is watched already, by process %s", w->dir, *pid ? pid : "(unknown)");
    }
    if (ok) {
        int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
        ok = (ftruncate(w->lock, 0) == 0 && pwrite(w->lock, pid, (size_t)n, 0) == n) ||
             error_set(err, ERROR_IO, "%s: %s", path, strerror(errno));
    }
    arena_release(&a);
    return ok;
}

Watcher *watcher_open(const char *workspace, const char *program, Pool *pool, OnWatchNews on_news, void *context, Error *err)
{
    Arena a = {0};
    Watcher *w = mem_alloc(sizeof *w);
    *w = (Watcher){.dir = text_copy(workspace), .program = text_copy(program), .lock = -1, .pool = pool, .on_news = on_news,
                   .context = context, .log_seen = -1};
    w->store = store_open(workspace, STORE_WRITE, err);
    bool ok = w->store && take_lock(w, err);
    if (ok) {
        const char *scratch = store_path(w->store, &a, "watch");
        ok = !file_exists(scratch) || dir_remove(scratch, err); /* of one that was killed */
        w->lines = log_open(store_path(w->store, &a, "lathe.log"), LOG_INFO, NULL);
    }
    arena_release(&a);
    if (ok)
        return w;
    watcher_close(w);
    return NULL;
}

void watcher_close(Watcher *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->watched.count; i++)
        watched_close(w->watched.at[i]);
    vec_release(&w->watched);
    prediction_log_close(w->log);
    store_close(w->store);
    log_close(w->lines);
    if (w->lock >= 0)
        close(w->lock); /* the lock goes with it */
    mem_free(w->dir);
    mem_free(w->program);
    mem_free(w);
}

/* ---- telling --------------------------------------------------------------------------------------------------------------- */

static bool settings_of(const DeploymentRow *rows, size_t n, const char *name, DeploySettings *out)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(rows[i].name, name) == 0)
            return deploy_settings(&rows[i], out, NULL);
    return false;
}

static void tell_one(Watcher *w, const AlertRow *alert, const DeploymentRow *rows, size_t n, Progress *progress)
{
    DeploySettings set;
    Error why = {0};
    if (!settings_of(rows, n, alert->deployment, &set))
        return;
    AlertSinks to = {.command = set.command, .webhook = set.webhook, .seconds = TELL_SECONDS, .log = w->lines, .progress = progress};
    if (!alert_tell(&to, alert, &why))
        watch_say(w, alert->deployment, "error", "alert %lld could not be told: %s", (long long)alert->id, why.text);
    params_release(deploy_params, &set);
}

/* Alerts whoever raised them, in their order; how far is remembered after each. */
static bool tell(Watcher *w, const DeploymentRow *rows, size_t n, bool *busy, Progress *progress, Error *err)
{
    Arena a = {0};
    AlertRow *alert;
    size_t alerts;
    const char *text = NULL;
    bool ok = store_alerts(w->store, false, 1000, &a, &alert, &alerts, err) &&
              store_setting_get(w->store, "watch.told", &a, &text, err);
    int64_t told = text ? strtoll(text, NULL, 10) : 0;
    for (size_t i = alerts; ok && i-- > 0;) {
        if (alert[i].id <= told || progress_stopped(progress))
            continue;
        tell_one(w, &alert[i], rows, n, progress);
        ok = store_setting_set(w->store, "watch.told", arena_printf(&a, "%lld", (long long)alert[i].id), err);
        *busy = true;
    }
    arena_release(&a);
    return ok;
}

/* ---- a round ------------------------------------------------------------------------------------------------------------------ */

static bool watched_of(Watcher *w, const char *name, Watched **out, Error *err)
{
    for (size_t i = 0; i < w->watched.count; i++)
        if (strcmp(w->watched.at[i]->name, name) == 0) {
            *out = w->watched.at[i];
            return true;
        }
    *out = mem_alloc(sizeof **out);
    watched_open(*out, name);
    if (!watched_recall(w, *out, err)) {
        watched_close(*out);
        return false;
    }
    vec_add(&w->watched, *out);
    return true;
}

/* Does a candidate answer? After a way back it is still named, for the next move. */
static bool rolls_out(const DeploymentRow *row)
{
    return row->candidate && strcmp(row->state, "live") != 0 && strcmp(row->state, "stopped") != 0;
}

/* What was raised about models that no longer answer is over. */
static bool resolve_gone(Watcher *w, const DeploymentRow *row, Error *err)
{
    Arena a = {0};
    AlertRow *open;
    size_t n;
    bool ok = store_alerts(w->store, true, 0, &a, &open, &n, err);
    for (size_t i = 0; ok && i < n; i++) {
        if (strcmp(open[i].deployment, row->name) != 0)
            continue;
        json_t *detail = json_loads(open[i].detail, 0, NULL);
        int64_t model = json_integer_value(json_object_get(detail, "model"));
        json_decref(detail);
        if (model && model != row->model && !(rolls_out(row) && model == row->candidate))
            ok = store_alert_resolve(w->store, open[i].id, "watch", err);
    }
    arena_release(&a);
    return ok;
}

static bool step(Watcher *w, const DeploymentRow *row, bool *busy, Error *err)
{
    StepReport r = {0};
    if (!rolls_out(row))
        return true;
    if (!deployment_step(w->store, row->name, w->pool, "watch", &r, err))
        return err && err->kind == ERROR_STOP; /* someone else moved it meanwhile */
    if (r.checked)
        watch_say(w, row->name, r.moved ? deploy_move_name(r.move) : r.passed ? "check" : "failed", "%s", r.text);
    *busy = *busy || r.checked;
    return true;
}

/* Forecasts are not judged: what the model is asked about is a course, which the log has, not the columns of a row, and
 * how well it did depends on the step. Their traffic is. */
static void look_for_series(Watcher *w, Watched *d, const DeploymentRow *row)
{
    Arena a = {0};
    Error none = {0};
    const char *path;
    if (!row->model || d->looked_at == row->model)
        return;
    d->looked_at = row->model;
    Bundle *b = deployment_bundle(w->store, row->model, &a, &path, &none) ? bundle_open(path, w->pool, &none) : NULL;
    d->series = b && features_shape(bundle_features(b))->series;
    if (d->series)
        watch_say(w, d->name, "note", "its model forecasts series: they are logged, but of them only traffic is watched");
    bundle_close(b);
    arena_release(&a);
}

static bool one_deployment(Watcher *w, const DeploymentRow *row, int64_t now, bool *busy, Progress *progress, Error *err)
{
    Watched *d;
    DeploySettings set;
    if (!deploy_settings(row, &set, err))
        return false;
    bool ok = watched_of(w, row->name, &d, err) && resolve_gone(w, row, err);
    if (ok)
        look_for_series(w, d, row);
    if (ok && w->log)
        ok = (d->series || (watched_read(w, d, row, &set, now, busy, progress, err) &&
                            monitor_truth(w, d, row, &set, now, busy, progress, err))) &&
             monitor_traffic(w, d, row, &set, now, busy, err);
    ok = ok && step(w, row, busy, err) && (d->series || policy_round(w, d, row, &set, now, busy, progress, err));
    params_release(deploy_params, &set);
    return ok || error_in(err, "deployment %s", row->name);
}

bool watcher_round(Watcher *w, int64_t now, bool *busy, Progress *progress, Error *err)
{
    Arena a = {0};
    DeploymentRow *rows;
    size_t n;
    bool any = false;
    Error first = {0};
    if (!w->log)
        w->log = prediction_log_open(w->dir, STORE_READ, NULL);
    bool ok = store_deployments(w->store, &a, &rows, &n, err);
    for (size_t i = 0; ok && i < n && !progress_stopped(progress); i++) {
        Error why = {0};
        if (one_deployment(w, &rows[i], now, &any, progress, &why) || why.kind == ERROR_STOP)
            continue;
        first = *first.text ? first : why; /* one that fails does not keep the others */
    }
    ok = ok && tell(w, rows, n, &any, progress, err);
    arena_release(&a);
    *busy = any;
    if (ok && *first.text && err)
        *err = first;
    return ok && !*first.text;
}
