/* monitor_traffic.c -- latency and errors of a deployment, a point a window, from what its servers counted. */
#include "watch_int.h"

#include <math.h>

#define GRACE INT64_C(2500000) /* micros: servers tell of a second when it is over */
#define LEAST 10               /* requests that say something */

typedef struct Window { int64_t requests, errors, rows; double p50, p99; } Window; /* p: sums weighted by requests */

static int64_t window_length(const DeploySettings *set)
{
    double seconds = set->chunk == 0 && set->chunk_seconds > 0 && set->chunk_seconds < 60 ? set->chunk_seconds : 60;
    return (int64_t)(seconds * 1e6);
}

static MonitorPointRow point(const Watched *d, int64_t model, const char *test, int64_t from, int64_t to, const Window *w)
{
    return (MonitorPointRow){.deployment = d->name, .model = model, .kind = "traffic", .column = "", .test = test,
                             .time_from = from, .time_to = to, .rows = w->requests, .low = (double)NAN,
                             .high = (double)NAN, .truth = (double)NAN, .weight = 1, .detail = ""};
}

static void judge(const Watched *d, const DeploySettings *set, int64_t model, int64_t from, int64_t to, const Window *w,
                  Arena *a, JudgedList *out)
{
    double n = (double)w->requests, success = 1 - (double)w->errors / n, p99 = w->p99 / n * 1000;
    MonitorPointRow latency = point(d, model, "p99", from, to, w), fine = point(d, model, "success", from, to, w);
    latency.value = p99;
    fine.value = success;
    if (set->latency_ms > 0) {
        latency.high = set->latency_ms;
        latency.alarm = w->requests >= LEAST && p99 > set->latency_ms;
    }
    if (set->success > 0) {
        fine.low = set->success;
        fine.alarm = w->requests >= LEAST && success < set->success;
    }
    vec_add(&out->at, (Judged){.point = latency, .subject = arena_printf(a, "model %lld: latency", (long long)model),
                               .text = arena_printf(a, "p99 of %.3g ms, limit %.3g ms", p99, set->latency_ms)});
    vec_add(&out->at, (Judged){.point = fine, .subject = arena_printf(a, "model %lld: errors", (long long)model),
                               .text = arena_printf(a, "%.2f%% of %lld requests succeeded, at least %.2f%% should",
                                                    success * 100, (long long)w->requests, set->success * 100)});
}

static void sum(const TrafficRow *rows, size_t n, int64_t model, int64_t from, int64_t to, Window *out)
{
    *out = (Window){0};
    for (size_t i = 0; i < n; i++) {
        if (rows[i].model != model || rows[i].time <= from || rows[i].time > to)
            continue;
        double weight = (double)rows[i].requests;
        out->requests += rows[i].requests;
        out->errors += rows[i].errors;
        out->rows += rows[i].rows;
        out->p50 += isfinite(rows[i].p50) ? rows[i].p50 * weight : 0;
        out->p99 += isfinite(rows[i].p99) ? rows[i].p99 * weight : 0;
    }
}

bool monitor_traffic(Watcher *w, Watched *d, const DeploymentRow *row, const DeploySettings *set, int64_t now, bool *busy,
                     Error *err)
{
    int64_t length = window_length(set), end = (now - GRACE) / length * length;
    Arena a = {0};
    TrafficRow *rows;
    size_t n;
    JudgedList list = {0};
    if (d->traffic < row->created)
        d->traffic = row->created / length * length;
    if (end <= d->traffic)
        return true;
    bool ok = prediction_log_traffic_since(w->log, d->name, d->traffic, &a, &rows, &n, err);
    int64_t from = ok && n ? rows[0].time / length * length : end; /* windows without requests are passed over */
    for (from = from > d->traffic ? from : d->traffic; ok && from < end; from += length) {
        const int64_t model[2] = {row->model, row->candidate};
        for (int k = 0; k < 2; k++) {
            Window of;
            sum(rows, n, model[k], from, from + length, &of);
            if (model[k] && of.requests)
                judge(d, set, model[k], from, from + length, &of, &a, &list);
        }
    }
    ok = ok && (!list.at.count || monitor_keep(w, d, set, &list, NULL, NULL, err));
    if (ok) {
        d->traffic = end;
        *busy = *busy || list.at.count;
    }
    vec_release(&list.at);
    arena_release(&a);
    return ok;
}
