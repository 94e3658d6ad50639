/* monitor.c -- one whole chunk of the log judged: drift, quality, estimated performance; and what is kept of it.
 *
 * All points of a chunk and the alerts they raise or resolve are one transaction: after a kill the newest point says
 * how far the log was judged, and nothing is judged twice or left out. */
#include "watch_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is kept -------------------------------------------------------------------------------------------------- */

static Curve *curve_of(Watched *d, const MonitorPointRow *p)
{
    for (size_t i = 0; i < d->curve.count; i++) {
        Curve *c = &d->curve.at[i];
        if (c->model == p->model && strcmp(c->kind, p->kind) == 0 && strcmp(c->column, p->column) == 0 &&
            strcmp(c->test, p->test) == 0)
            return c;
    }
    vec_add(&d->curve, (Curve){.model = p->model, .kind = arena_text(&d->arena, p->kind),
                               .column = arena_text(&d->arena, p->column), .test = arena_text(&d->arena, p->test),
                               .alarm = true}); /* one fine point alone resolves nothing */
    return vec_last(&d->curve);
}

static const char *detail_of(const MonitorPointRow *p, Arena *a)
{
    json_t *j = json_pack("{s:I, s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "model", (json_int_t)p->model, "column", p->column,
                          "test", p->test, "first", (json_int_t)p->first, "last", (json_int_t)p->last, "rows",
                          (json_int_t)p->rows, "from", (json_int_t)p->time_from, "to", (json_int_t)p->time_to);
    if (j && isfinite(p->value))
        json_object_set_new(j, "value", json_real(p->value));
    char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
    const char *kept = arena_text(a, text ? text : "{}");
    free(text);
    json_decref(j);
    return kept;
}

static bool resolve(Watcher *w, const char *deployment, const char *subject, const char *kind, JudgedList *fine, Arena *a,
                    Error *err)
{
    AlertRow *open;
    size_t n;
    bool ok = store_alerts(w->store, true, 0, a, &open, &n, err);
    for (size_t i = 0; ok && i < n; i++)
        if (strcmp(open[i].deployment, deployment) == 0 && strcmp(open[i].subject, subject) == 0 &&
            strcmp(open[i].kind, kind) == 0) {
            ok = store_alert_resolve(w->store, open[i].id, "watch", err);
            vec_add(&fine->at, (Judged){.subject = subject, .text = "over"});
        }
    return ok;
}

/* Raises or resolves; news goes to `told`, for when all is written. */
static bool one_alert(Watcher *w, Watched *d, const DeploySettings *set, const Judged *j, Arena *a, JudgedList *told, Error *err)
{
    const MonitorPointRow *p = &j->point;
    Curve *c = curve_of(d, p);
    int64_t id;
    bool fresh, before = c->alarm;
    if (!j->subject)
        return true;
    if (!p->alarm)
        return before || resolve(w, d->name, j->subject, p->kind, told, a, err);
    AlertRow row = {.deployment = d->name, .subject = j->subject, .kind = p->kind, .text = j->text,
                    .detail = detail_of(p, a)};
    if (!store_alert_raise(w->store, &row, set->cool, &id, &fresh, err))
        return false;
    if (fresh)
        vec_add(&told->at, *j);
    return true;
}

bool monitor_keep(Watcher *w, Watched *d, const DeploySettings *set, JudgedList *list,
                  bool (*more)(void *context, Error *err), void *context, Error *err)
{
    Arena a = {0};
    JudgedList told = {0};
    MonitorPointRow *points = ARENA_NEW(&a, MonitorPointRow, list->at.count + 1);
    if (!store_begin(w->store, err))
        return false;
    for (size_t i = 0; i < list->at.count; i++)
        points[i] = list->at.at[i].point;
    bool ok = store_monitor_points_add(w->store, points, list->at.count, err);
    for (size_t i = 0; ok && i < list->at.count; i++)
        ok = one_alert(w, d, set, &list->at.at[i], &a, &told, err);
    ok = ok && (!more || more(context, err));
    if (!ok)
        store_rollback(w->store);
    ok = ok && store_commit(w->store, err);
    for (size_t i = 0; ok && i < list->at.count; i++) {
        const MonitorPointRow *p = &list->at.at[i].point;
        curve_of(d, p)->alarm = p->alarm;
    }
    for (size_t i = 0; ok && i < told.at.count; i++) {
        const Judged *j = &told.at.at[i];
        if (j->point.kind)
            watch_say(w, d->name, "alert", "%s", j->text);
        else
            watch_say(w, d->name, "resolved", "%s", j->subject);
    }
    vec_release(&told.at);
    arena_release(&a);
    return ok;
}

/* ---- a chunk --------------------------------------------------------------------------------------------------------- */

static void place(JudgedList *list, const Watched *d, const Gather *g, size_t n)
{
    const PredictionRow *rows = g->row.at;
    for (size_t i = 0; i < list->at.count; i++) {
        MonitorPointRow *p = &list->at.at[i].point;
        p->deployment = d->name;
        p->model = g->model;
        p->first = rows[0].id;
        p->last = rows[n - 1].id;
        p->time_from = rows[0].time;
        p->time_to = rows[n - 1].time;
        p->rows = (int64_t)n;
    }
}

static const Judged *find(const JudgedList *list, const char *kind, const char *test)
{
    for (size_t i = 0; i < list->at.count; i++) {
        const MonitorPointRow *p = &list->at.at[i].point;
        if (strcmp(p->kind, kind) == 0 && !*p->column && strcmp(p->test, test) == 0)
            return &list->at.at[i];
    }
    return NULL;
}

static void say_chunk(Watcher *w, const Watched *d, const WatchModel *m, const JudgedList *list, size_t n)
{
    const Judged *drift = find(list, "drift", "share"), *estimate = find(list, "estimate", m->metric[0].name);
    Text t = {0};
    text_printf(&t, "%s: %zu rows", m->label, n);
    if (drift)
        text_printf(&t, ", drift %.0f%%%s", drift->point.value * 100, drift->point.alarm ? " (alarm)" : "");
    if (estimate && isfinite(estimate->point.value))
        text_printf(&t, ", estimated %s %.4g%s", m->metric[0].name, estimate->point.value,
                    estimate->point.alarm ? " (alarm)" : "");
    watch_say(w, d->name, "chunk", "%s", text_str(&t));
    text_release(&t);
}

/* A point that says a chunk was there, whatever could be judged of it: the cursor. */
static void add_rows_point(JudgedList *list, size_t n)
{
    vec_add(&list->at, (Judged){.point = {.kind = "rows", .column = "", .test = "count", .value = (double)n,
                                          .low = (double)NAN, .high = (double)NAN, .truth = (double)NAN, .detail = ""}});
}

/* Rows whose truth came before the chunk was whole. */
static int64_t known_already(const Gather *g, size_t n)
{
    int64_t known = 0;
    for (size_t i = 0; i < n; i++)
        known += g->row.at[i].truth_time != 0;
    return known;
}

bool monitor_chunk(Watcher *w, Watched *d, Gather *g, const DeploySettings *set, size_t n, Error *err)
{
    Arena a = {0};
    Chunk raw;
    JudgedList list = {0};
    const WatchModel *m = g->of;
    bool *sent = ARENA_NEW(&a, bool, bundle_schema(m->bundle)->count + 1);
    bool ok = watch_rows_chunk(bundle_schema(m->bundle), m->target, g->row.at, n, false, &a, &raw, sent, err);
    ok = ok && monitor_drift(w, m, set, g->row.at, n, &raw, sent, &a, &list, err) &&
         monitor_quality(m, g->row.at, n, &raw, sent, &a, &list, err) &&
         monitor_estimate(m, g->row.at, n, &raw, &a, &list, err);
    if (ok) {
        add_rows_point(&list, n);
        place(&list, d, g, n);
        ok = monitor_keep(w, d, set, &list, NULL, NULL, err);
    }
    if (ok) {
        vec_add(&d->awaited, (Awaited){.model = g->model, .first = g->row.at[0].id, .last = g->row.at[n - 1].id,
                                       .rows = (int64_t)n, .labelled = known_already(g, n), .time_from = g->row.at[0].time, .time_to = g->row.at[n - 1].time});
        say_chunk(w, d, m, &list, n);
        const Judged *drift = find(&list, "drift", "share"), *estimate = find(&list, "estimate", m->metric[0].name);
        if (drift && drift->point.alarm)
            policy_wants(d, g->model, "drift", "%s", drift->text);
        if (estimate && (d->judged_model = g->model))
            d->worst_estimate = watch_relative_loss(&m->metric[0], estimate->point.value);
    }
    vec_release(&list.at);
    arena_release(&a);
    return ok;
}
