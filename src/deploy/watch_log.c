/* watch_log.c -- the log of a deployment, read on from where it was and cut into whole chunks, one model at a time.
 *
 * Rows of the last moments are left for the next round: several threads log them, and one with a lower number may
 * still be on its way. What is no whole chunk yet stays in memory and is read again after a kill. */
#include "watch_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define GRACE      INT64_C(1500000)  /* micros: later rows are not taken yet */
#define BLOCK      4096
#define TRY_AGAIN  INT64_C(60000000) /* micros until a model that could not be opened is tried again */
#define TIMED_MOST 200000            /* rows in a chunk by time at most: then it is cut */

/* ---- a deployment ------------------------------------------------------------------------------------------------- */

void watched_open(Watched *d, const char *name)
{
    *d = (Watched){.cursor = -1, .worst_estimate = (double)NAN, .worst_performance = (double)NAN};
    snprintf(d->name, sizeof d->name, "%s", name);
}

static void gather_release(Gather *g)
{
    watch_model_close(g->of);
    vec_release(&g->row);
    arena_release(&g->arena);
}

void watched_close(Watched *d)
{
    for (size_t i = 0; i < d->gather.count; i++)
        gather_release(&d->gather.at[i]);
    vec_release(&d->gather);
    vec_release(&d->curve);
    vec_release(&d->awaited);
    arena_release(&d->arena);
    mem_free(d);
}

Gather *watched_gather(Watched *d, int64_t model)
{
    for (size_t i = 0; i < d->gather.count; i++)
        if (d->gather.at[i].model == model)
            return &d->gather.at[i];
    vec_add(&d->gather, (Gather){.model = model});
    return vec_last(&d->gather);
}

/* The relative loss of the newest chunk, from the point and the reference it names. */
static void recall_loss(Watched *d, const MonitorPointRow *p)
{
    bool larger = strcmp(p->test, "accuracy") == 0;
    json_t *j = json_loads(p->detail, 0, NULL);
    double reference = json_number_value(json_object_get(j, "reference"));
    WatchMetric m = {.larger = larger, .reference = reference};
    if (larger || strcmp(p->test, "mae") == 0) {
        d->judged_model = p->model;
        *(p->kind[0] == 'e' ? &d->worst_estimate : &d->worst_performance) = watch_relative_loss(&m, p->value);
    }
    json_decref(j);
}

static void recall_point(Watched *d, const MonitorPointRow *p)
{
    Gather *g = watched_gather(d, p->model);
    if (strcmp(p->kind, "rows") == 0) {
        g->last = p->last > g->last ? p->last : g->last;
        vec_add(&d->awaited, (Awaited){.model = p->model, .first = p->first, .last = p->last, .rows = p->rows,
                                       .time_from = p->time_from, .time_to = p->time_to});
    } else if (strcmp(p->kind, "traffic") == 0) {
        d->traffic = p->time_to > d->traffic ? p->time_to : d->traffic;
    } else if (strcmp(p->kind, "performance") == 0) {
        for (size_t i = 0; i < d->awaited.count; i++)
            if (d->awaited.at[i].model == p->model && d->awaited.at[i].first == p->first)
                d->awaited.at[i] = d->awaited.at[--d->awaited.count];
    }
    if (strcmp(p->kind, "estimate") == 0 || strcmp(p->kind, "performance") == 0)
        recall_loss(d, p);
    size_t known = d->curve.count;
    for (size_t i = 0; i < known; i++) {
        Curve *c = &d->curve.at[i];
        if (c->model == p->model && strcmp(c->kind, p->kind) == 0 && strcmp(c->column, p->column) == 0 &&
            strcmp(c->test, p->test) == 0) {
            c->alarm = p->alarm;
            return;
        }
    }
    vec_add(&d->curve, (Curve){.model = p->model, .kind = arena_text(&d->arena, p->kind),
                               .column = arena_text(&d->arena, p->column), .test = arena_text(&d->arena, p->test),
                               .alarm = p->alarm});
}

bool watched_recall(Watcher *w, Watched *d, Error *err)
{
    Arena a = {0};
    MonitorPointRow *p;
    size_t n;
    int64_t cursor = 0;
    bool ok = store_monitor_points_since(w->store, d->name, &cursor, &a, &p, &n, err);
    d->labelled_since = policy_last(w, d->name);
    for (size_t i = 0; ok && i < n; i++)
        recall_point(d, &p[i]);
    for (size_t i = 0; ok && i < n; i++)
        if (strcmp(p[i].kind, "drift") == 0 && !*p[i].column && strcmp(p[i].test, "share") == 0 && p[i].alarm &&
            p[i].time_to > d->labelled_since)
            policy_wants(d, p[i].model, "drift", "%.0f%% of the inputs have drifted", p[i].value * 100);
    d->answers = d->labelled_since;
    for (size_t i = 0; i < d->awaited.count; i++)
        if (d->awaited.at[i].time_from < d->answers)
            d->answers = d->awaited.at[i].time_from;
    arena_release(&a);
    return ok;
}

/* ---- reading ------------------------------------------------------------------------------------------------------- */

static void keep_row(Gather *g, const PredictionRow *r, int64_t answers)
{
    PredictionRow row = *r;
    row.deployment = "";
    row.role = "";
    row.inputs = arena_text(&g->arena, r->inputs);
    row.said = *r->said ? arena_text(&g->arena, r->said) : "";
    row.truth_said = "";
    if (row.truth_time > answers)
        row.truth_time = 0; /* it will be told of, and is counted then */
    vec_add(&g->row, row);
}

/* The first so many are judged: the rest moves to fresh memory. */
static void drop_rows(Gather *g, size_t n)
{
    Gather rest = {.model = g->model, .last = g->row.at[n - 1].id, .of = g->of};
    for (size_t i = n; i < g->row.count; i++)
        keep_row(&rest, &g->row.at[i], INT64_MAX);
    vec_release(&g->row);
    arena_release(&g->arena);
    *g = rest;
}

/* How many of the gathered rows are a whole chunk now; 0: none. */
static size_t whole(const Gather *g, const DeploySettings *set, int64_t until)
{
    size_t n = 0;
    if (set->chunk > 0)
        return g->row.count >= (size_t)set->chunk ? (size_t)set->chunk : 0;
    double seconds = set->chunk_seconds > 0 ? set->chunk_seconds : 86400;
    int64_t length = (int64_t)(seconds * 1e6);
    if (!g->row.count)
        return 0;
    int64_t end = (g->row.at[0].time / length + 1) * length;
    while (n < g->row.count && n < TIMED_MOST && g->row.at[n].time < end)
        n++;
    return n == TIMED_MOST || until >= end ? n : 0;
}

static bool open_model(Watcher *w, Watched *d, Gather *g, const DeploySettings *set, int64_t now, Progress *progress)
{
    Error why = {0};
    if (g->of || (g->failed && now - g->failed < TRY_AGAIN))
        return g->of;
    g->of = watch_model_open(w->store, g->model, set, w->pool, progress, &why);
    g->failed = g->of ? 0 : now;
    if (!g->of && strncmp(g->why, why.text, 190) != 0)
        watch_say(w, d->name, "error", "model %lld: %s", (long long)g->model, why.text);
    snprintf(g->why, sizeof g->why, "%.190s", why.text);
    if (g->of && *g->of->why)
        watch_say(w, d->name, "note", "%s: %s", g->of->label, g->of->why);
    return g->of;
}

Gather *watch_opened(Watcher *w, Watched *d, int64_t model, const DeploySettings *set, int64_t now, Progress *progress)
{
    Gather *g = watched_gather(d, model);
    return open_model(w, d, g, set, now, progress) ? g : NULL;
}

static bool judge_whole(Watcher *w, Watched *d, Gather *g, const DeploySettings *set, int64_t now, bool *busy,
                        Progress *progress, Error *err)
{
    size_t n;
    while ((n = whole(g, set, now - GRACE)) > 0) {
        if (progress_stopped(progress))
            return error_set(err, ERROR_STOP, "stopped on request");
        if (!open_model(w, d, g, set, now, progress))
            return true;
        if (!monitor_chunk(w, d, g, set, n, err))
            return false;
        drop_rows(g, n);
        *busy = true;
    }
    return true;
}

/* Of a model that was never judged nothing stands before it was made. */
static bool begin_at(Watcher *w, Watched *d, const DeploymentRow *row, Error *err)
{
    const int64_t model[2] = {row->model, row->candidate};
    Arena a = {0};
    bool ok = true;
    d->cursor = INT64_MAX;
    for (int i = 0; ok && i < 2; i++) {
        ModelRow m;
        if (!model[i])
            continue;
        int64_t last = watched_gather(d, model[i])->last;
        if (!last) {
            ok = store_model_get(w->store, model[i], &a, &m, err);
            last = ok ? (m.created < row->created ? row->created : m.created) << 12 : 0;
        }
        d->cursor = last < d->cursor ? last : d->cursor;
    }
    if (!ok)
        d->cursor = -1;
    arena_release(&a);
    return ok;
}

bool watched_read(Watcher *w, Watched *d, const DeploymentRow *row, const DeploySettings *set, int64_t now, bool *busy,
                  Progress *progress, Error *err)
{
    int64_t until = now - GRACE, limit = until << 12;
    Arena a = {0};
    bool ok = d->cursor >= 0 || begin_at(w, d, row, err);
    for (size_t n = BLOCK; ok && n == BLOCK;) {
        PredictionRow *rows;
        int64_t cursor = d->cursor;
        ok = prediction_log_since(w->log, d->name, &cursor, BLOCK, &a, &rows, &n, err);
        for (size_t i = 0; ok && i < n && rows[i].id <= limit; i++) {
            Gather *g = watched_gather(d, rows[i].model);
            if (rows[i].id > g->last)
                keep_row(g, &rows[i], d->answers);
        }
        if (!ok)
            break;
        if (cursor > limit)
            n = 0; /* the rest is too new */
        d->cursor = cursor < limit ? cursor : limit > d->cursor ? limit : d->cursor;
        for (size_t i = 0; ok && i < d->gather.count; i++)
            ok = judge_whole(w, d, &d->gather.at[i], set, now, busy, progress, err);
        arena_reset(&a);
    }
    arena_release(&a);
    return ok;
}
