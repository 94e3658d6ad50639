/* watch_load.c -- what the Watch pane knows of a deployment, read by a job: points, alerts, traffic, rows of the log. */
#include "watch_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOT_LOAD = 1, ROWS_LEAST = 100, ROWS_MOST = 2000, POINTS_MOST = 400 };
#define DAY INT64_C(86400000000)

typedef struct LoadAsk {
    char deployment[128];
    int64_t alert, first, last, model;
    bool more, log;              /* log: the pane is looked at, traffic and rows are wanted */
} LoadAsk;

typedef struct Curves { VEC(WatchCurve) at; Arena *a; } Curves;

const char *watch_model_name(const WatchData *d, int64_t model)
{
    for (size_t i = 0; i < d->models; i++)
        if (d->models_known[i].id == model)
            return arena_printf((Arena *)(uintptr_t)&d->arena, "%s/%lld", d->models_known[i].name,
                                (long long)d->models_known[i].version);
    return model ? arena_printf((Arena *)(uintptr_t)&d->arena, "model %lld", (long long)model) : "";
}

/* ---- curves ------------------------------------------------------------------------------------------------------------ */

static WatchCurve *curve_of(Curves *c, const char *kind, const char *column, const char *test, const char *model)
{
    for (size_t i = 0; i < c->at.count; i++) {
        WatchCurve *k = &c->at.at[i];
        if (strcmp(k->test, test) == 0 && strcmp(k->column, column) == 0 && strcmp(k->kind, kind) == 0 &&
            strcmp(k->model, model) == 0)
            return k;
    }
    vec_add(&c->at, (WatchCurve){.kind = kind, .column = column, .test = test, .model = model, .detail = "",
                                 .x = arena_raw(c->a, POINTS_MOST * sizeof(double)),
                                 .value = arena_raw(c->a, POINTS_MOST * sizeof(double)),
                                 .low = arena_raw(c->a, POINTS_MOST * sizeof(double)),
                                 .high = arena_raw(c->a, POINTS_MOST * sizeof(double)),
                                 .truth = arena_raw(c->a, POINTS_MOST * sizeof(double))});
    return vec_last(&c->at);
}

/* Of very many the oldest goes. */
static void add_point(WatchCurve *k, double x, double value, double low, double high, double truth)
{
    if (k->n == POINTS_MOST) {
        double *all[] = {k->x, k->value, k->low, k->high, k->truth};
        for (size_t i = 0; i < 5; i++)
            memmove(all[i], all[i] + POINTS_MOST / 4, (POINTS_MOST - POINTS_MOST / 4) * sizeof(double));
        k->n -= POINTS_MOST / 4;
    }
    if (k->n && x <= k->x[k->n - 1])
        x = k->x[k->n - 1] + 1e-3;
    k->x[k->n] = x;
    k->value[k->n] = value;
    k->low[k->n] = low;
    k->high[k->n] = high;
    k->truth[k->n++] = truth;
}

static bool read_points(Store *s, WatchData *d, const char *deployment, Curves *c, Error *err)
{
    MonitorPointRow *p;
    size_t n;
    int64_t cursor = 0;
    if (!store_monitor_points_since(s, deployment, &cursor, &d->arena, &p, &n, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(p[i].kind, "rows") == 0)
            continue;
        WatchCurve *k = curve_of(c, p[i].kind, p[i].column, p[i].test, watch_model_name(d, p[i].model));
        add_point(k, (double)p[i].time_to / 1e6, p[i].value, p[i].low, p[i].high, p[i].truth);
        k->weight = p[i].weight;
        k->alarm = p[i].alarm;
        k->alarms += p[i].alarm;
        k->detail = p[i].detail;
    }
    return true;
}

static void read_traffic(PredictionLog *log, WatchData *d, const char *deployment, Curves *c)
{
    Error none = {0};
    TrafficRow *t;
    size_t n;
    if (!prediction_log_traffic_since(log, deployment, time_now() - DAY, &d->arena, &t, &n, &none) || !n)
        return;
    int64_t minute = t[n - 1].time - WATCH_MINUTE;
    double errors = 0, seconds = 0, weight = 0, last = 0;
    d->asked = t[n - 1].time;
    d->requests = d->p50 = d->p99 = 0;
    for (size_t i = 0; i < n; i++) {
        const char *model = watch_model_name(d, t[i].model);
        double x = (double)t[i].time / 1e6, r = (double)t[i].requests;
        add_point(curve_of(c, "traffic", "", "requests/s", model), x, r, (double)NAN, (double)NAN, (double)NAN);
        add_point(curve_of(c, "traffic", "", "errors/s", model), x, (double)t[i].errors, (double)NAN, (double)NAN, (double)NAN);
        WatchCurve *latency = curve_of(c, "traffic", "", "latency ms", model);
        add_point(latency, x, t[i].p99 * 1000, (double)NAN, (double)NAN, t[i].p50 * 1000);
        if (t[i].time <= minute || t[i].shadow) /* a shadow's are given to nobody */
            continue;
        d->requests += r;
        errors += (double)t[i].errors;
        seconds += (double)t[i].time != last;
        last = (double)t[i].time;
        if (isfinite(t[i].p50) && isfinite(t[i].p99)) {
            d->p50 += t[i].p50 * r;
            d->p99 = fmax(d->p99, t[i].p99);
            weight += r;
        }
    }
    d->errors = d->requests > 0 ? errors / d->requests : 0;
    d->requests = seconds > 0 ? d->requests / seconds : 0;
    d->p50 = weight > 0 ? d->p50 / weight : (double)NAN;
    d->p99 = weight > 0 ? d->p99 : (double)NAN;
}

static int rank(const WatchCurve *k)
{
    static const char *const order[] = {"estimate", "performance", "drift", "traffic", "detector", "quality"};
    int n = 0;
    while (n < 6 && strcmp(order[n], k->kind) != 0)
        n++;
    return strcmp(k->kind, "drift") == 0 && !*k->column ? 0 : n + 1; /* the table's drift before all */
}

static int most_telling_first(const void *left, const void *right)
{
    const WatchCurve *a = left, *b = right;
    if (a->place != b->place)
        return a->place - b->place;
    if (rank(a) != rank(b))
        return rank(a) - rank(b);
    if (a->weight != b->weight)
        return a->weight > b->weight ? -1 : 1;
    int order = strcmp(a->column, b->column);
    order = order ? order : strcmp(a->test, b->test);
    return order ? order : strcmp(b->model, a->model);
}

/* ---- rows and alerts ------------------------------------------------------------------------------------------------------ */

static void newest_rows(PredictionLog *log, WatchData *d, const char *deployment)
{
    int64_t now = time_now();
    Error none = {0};
    for (int64_t span = 2000000; span < 1000 * DAY; span *= 4) {
        int64_t cursor = (now - span) << 12;
        PredictionRow *rows;
        size_t n;
        if (!prediction_log_since(log, deployment, &cursor, ROWS_MOST, &d->arena, &rows, &n, &none))
            return;
        d->row = rows;
        d->rows = n;
        if (n >= ROWS_LEAST)
            return;
    }
}

static void rows_of_alert(PredictionLog *log, WatchData *d, const char *deployment, const LoadAsk *ask)
{
    int64_t cursor = ask->first - 1;
    PredictionRow *rows;
    size_t n;
    Error none = {0};
    if (!prediction_log_since(log, deployment, &cursor, ROWS_MOST, &d->arena, &rows, &n, &none))
        return;
    d->row = rows;
    for (size_t i = 0; i < n; i++)
        if (rows[i].id <= ask->last && (!ask->model || rows[i].model == ask->model))
            d->row[d->rows++] = rows[i];
}

static void newest_first(WatchData *d)
{
    for (size_t i = 0; i < d->rows / 2; i++) {
        PredictionRow swap = d->row[i];
        d->row[i] = d->row[d->rows - 1 - i];
        d->row[d->rows - 1 - i] = swap;
    }
}

static bool read_alerts(Store *s, WatchData *d, const char *deployment, bool more, Error *err)
{
    AlertRow *all;
    size_t n;
    if (!store_alerts(s, !more, 500, &d->arena, &all, &n, err))
        return false;
    d->alert = ARENA_NEW(&d->arena, AlertRow, n + 1);
    for (int open = 1; open >= 0; open--)
        for (size_t i = 0; i < n; i++)
            if (strcmp(all[i].deployment, deployment) == 0 && (strcmp(all[i].state, "resolved") != 0) == open)
                d->alert[d->alerts++] = all[i];
    return true;
}

/* ---- the job ------------------------------------------------------------------------------------------------------------------ */

static bool read_all(JobContext *c, Store *s, const LoadAsk *ask, WatchData *d, Error *err)
{
    Error none = {0};
    Curves curves = {.a = &d->arena};
    d->requests = d->errors = d->p50 = d->p99 = (double)NAN;
    d->model = d->candidate = "";
    d->rows_what = ask->alert ? arena_printf(&d->arena, "of alert %lld", (long long)ask->alert) : "the newest";
    if (!store_deployments(s, &d->arena, &d->deployment, &d->deployments, err) ||
        !store_models(s, &d->arena, &d->models_known, &d->models, err))
        return false;
    if (!d->deployments)
        return true;
    for (size_t i = 0; i < d->deployments; i++)
        if (strcmp(d->deployment[i].name, ask->deployment) == 0)
            d->at = i;
    const DeploymentRow *row = &d->deployment[d->at];
    d->model = watch_model_name(d, row->model);
    d->candidate = watch_model_name(d, row->candidate);
    bool ok = read_points(s, d, row->name, &curves, err) && read_alerts(s, d, row->name, ask->more, err);
    PredictionLog *log = ok && ask->log && !job_stopped(c) ? prediction_log_open(job_workspace(c), STORE_READ, &none) : NULL;
    if (log) {
        read_traffic(log, d, row->name, &curves);
        if (ask->alert)
            rows_of_alert(log, d, row->name, ask);
        else
            newest_rows(log, d, row->name);
        newest_first(d);
    }
    prediction_log_close(log);
    for (size_t i = 0; i < curves.at.count; i++) {
        const char *of = curves.at.at[i].model;
        curves.at.at[i].place = strcmp(of, d->model) == 0 ? 0 : strcmp(of, d->candidate) == 0 ? 1 : 2;
    }
    if (curves.at.count)
        qsort(curves.at.at, curves.at.count, sizeof *curves.at.at, most_telling_first);
    d->curve = ARENA_NEW(&d->arena, WatchCurve, curves.at.count + 1);
    d->curves = curves.at.count;
    if (d->curves)
        memcpy(d->curve, curves.at.at, d->curves * sizeof *d->curve);
    vec_release(&curves.at);
    return ok;
}

static void *read_data(JobContext *c, void *input, Error *err)
{
    WatchData *d = mem_alloc(sizeof *d);
    Store *s = job_store(c, err);
    if (s && read_all(c, s, input, d, err))
        return d;
    watch_data_free(d);
    return NULL;
}

void watch_data_free(void *data)
{
    WatchData *d = data;
    if (!d)
        return;
    arena_release(&d->arena);
    mem_free(d);
}

static void data_read(void *owner, void *result, const Error *err, Ui *ui)
{
    WatchState *s = owner;
    (void)err;
    if (!result)
        return;
    watch_data_free(s->data);
    s->data = result;
    for (int v = 0; v < WATCH_VIEWS; v++) {
        uint64_t rows = watch_source(s, (WatchView)v).rows;
        if (s->table[v].at >= rows)
            s->table[v].at = rows ? rows - 1 : 0;
    }
    if (s->data->deployments && !*s->deployment)
        snprintf(s->deployment, sizeof s->deployment, "%s", s->data->deployment[0].name);
    ui_draw(ui);
}

void watch_load(WatchState *s)
{
    LoadAsk ask = {.alert = s->alert, .first = s->first, .last = s->last, .model = s->model, .more = s->more, .log = ui_visible(s->ui, s)};
    snprintf(ask.deployment, sizeof ask.deployment, "%s", s->deployment);
    ui_job(s->ui, (Job){.owner = s, .slot = SLOT_LOAD, .what = "reading the log", .run = read_data, .input = mem_copy(&ask, sizeof ask), .done = data_read,
                        .release = watch_data_free, .quiet = true, .urgent = true});
}
