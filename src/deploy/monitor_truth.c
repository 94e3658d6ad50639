/* monitor_truth.c -- what came true: the performance of chunks whose feedback has arrived, and how far the estimate
 * was off.
 *
 * A chunk is judged once: when four fifths of its rows have feedback, or, with thirty at least, when three newer
 * chunks of its model are there and nothing more can be waited for. */
#include "watch_int.h"

#include <math.h>
#include <string.h>

#define ENOUGH_SHARE 0.8
#define ENOUGH_ROWS  30
#define NEWER_CHUNKS 3
#define AWAITED_MOST 500
#define BLOCK        4096

static Awaited *awaited_of(Watched *d, const PredictionRow *r)
{
    for (size_t i = 0; i < d->awaited.count; i++) {
        Awaited *c = &d->awaited.at[i];
        if (c->model == r->model && r->id >= c->first && r->id <= c->last)
            return c;
    }
    return NULL;
}

/* A row that is no part of a whole chunk yet remembers that its truth is there. */
static void mark_gathered(Watched *d, const PredictionRow *r)
{
    Gather *g = watched_gather(d, r->model);
    size_t low = 0, high = g->row.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (g->row.at[middle].id < r->id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < g->row.count && g->row.at[low].id == r->id)
        g->row.at[low].truth_time = r->truth_time;
}

static bool count_answers(Watcher *w, Watched *d, Error *err)
{
    Arena a = {0};
    bool ok = true;
    for (size_t n = BLOCK; ok && n == BLOCK;) {
        PredictionRow *rows;
        ok = prediction_log_answers(w->log, d->name, d->answers, BLOCK, &a, &rows, &n, err);
        for (size_t i = 0; ok && i < n; i++) {
            Awaited *c = awaited_of(d, &rows[i]);
            if (c)
                c->labelled++;
            else
                mark_gathered(d, &rows[i]);
            d->labelled += rows[i].truth_time > d->labelled_since;
            d->answers = rows[i].truth_time;
        }
        n = ok ? n : 0;
        arena_reset(&a);
    }
    arena_release(&a);
    return ok;
}

static size_t newer(const Watched *d, const Awaited *c)
{
    size_t n = 0;
    for (size_t i = 0; i < d->awaited.count; i++)
        n += d->awaited.at[i].model == c->model && d->awaited.at[i].first > c->last;
    return n;
}

static bool is_ready(const Watched *d, const Awaited *c)
{
    return (double)c->labelled >= ENOUGH_SHARE * (double)c->rows ||
           (c->labelled >= ENOUGH_ROWS && newer(d, c) >= NEWER_CHUNKS);
}

/* ---- one chunk -------------------------------------------------------------------------------------------------- */

static bool read_chunk(Watcher *w, const Watched *d, const Awaited *c, Arena *a, PredictionRow **out, size_t *n, Error *err)
{
    VEC(PredictionRow) kept = {0};
    int64_t cursor = c->first - 1;
    bool ok = true;
    for (size_t got = BLOCK; ok && got == BLOCK;) {
        PredictionRow *rows;
        ok = prediction_log_since(w->log, d->name, &cursor, BLOCK, a, &rows, &got, err);
        for (size_t i = 0; ok && i < got; i++) {
            if (rows[i].id > c->last)
                got = 0;
            else if (rows[i].model == c->model)
                vec_add(&kept, rows[i]);
        }
    }
    *n = kept.count;
    *out = ARENA_NEW(a, PredictionRow, kept.count + 1);
    if (kept.count)
        memcpy(*out, kept.at, kept.count * sizeof **out);
    vec_release(&kept);
    return ok;
}

/* The class that came true; NaN: none that the model knows. */
static double class_of(const WatchModel *m, const PredictionRow *r)
{
    const Features *f = bundle_features(m->bundle);
    if (!*r->truth_said)
        return r->truth;
    for (size_t i = 0; i < m->shape->classes; i++)
        if (strcmp(features_class(f, i), r->truth_said) == 0)
            return (double)i;
    return (double)NAN;
}

static bool shares_of(const WatchModel *m, const PredictionRow *rows, size_t n, Arena *a, double **share, bool *kept, Error *err)
{
    size_t classes = m->shape->classes;
    Chunk raw;
    Prediction *p;
    *share = ARENA_NEW(a, double, (n + 1) * classes);
    if (!watch_rows_chunk(bundle_schema(m->bundle), m->target, rows, n, false, a, &raw, NULL, err) ||
        !bundle_score(m->bundle, &raw, 0, a, &p, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        kept[i] = p[i].kept && p[i].share;
        for (size_t k = 0; kept[i] && k < classes; k++)
            (*share)[i * classes + k] = (double)p[i].share[k];
    }
    return true;
}

/* The rows that have both: how many. */
static size_t pairs(const WatchModel *m, const PredictionRow *rows, size_t n, const bool *kept, double *share, double *value,
                    double *truth)
{
    size_t left = 0, classes = m->shape->classes;
    for (size_t i = 0; i < n; i++) {
        double came = m->shape->task == TASK_REGRESSION ? rows[i].truth : class_of(m, &rows[i]);
        if (!rows[i].truth_time || isnan(rows[i].output) || isnan(came) || (share && !kept[i]))
            continue;
        if (share)
            memmove(share + left * classes, share + i * classes, classes * sizeof *share);
        value[left] = rows[i].output;
        truth[left++] = came;
    }
    return left;
}

typedef struct Told { Watcher *w; const Watched *d; const Awaited *c; const WatchModel *m; const double *truth; } Told;

/* The estimate of the same chunk learns how far it was off. */
static bool tell_estimate(void *context, Error *err)
{
    const Told *t = context;
    for (size_t k = 0; k < t->m->metrics; k++)
        if (!store_monitor_truth(t->w->store, t->d->name, t->c->model, t->c->first, t->m->metric[k].name, t->truth[k], err))
            return false;
    return true;
}

static bool judge(Watcher *w, Watched *d, Awaited *c, const DeploymentRow *row, const DeploySettings *set, Error *err)
{
    Arena a = {0};
    JudgedList list = {0};
    PredictionRow *rows;
    size_t n, left = 0;
    const WatchModel *m = watched_gather(d, c->model)->of;
    double got[WATCH_METRICS], *share = NULL;
    bool ok = read_chunk(w, d, c, &a, &rows, &n, err);
    double *value = ARENA_NEW(&a, double, n + 1), *truth = ARENA_NEW(&a, double, n + 1);
    bool *kept = ARENA_NEW(&a, bool, n + 1);
    if (ok && m->shape->classes > 2)
        ok = shares_of(m, rows, n, &a, &share, kept, err);
    if (ok)
        left = pairs(m, rows, n, kept, share, value, truth);
    truth_of(m, value, share, truth, left, got);
    for (size_t k = 0; ok && left && k < m->metrics; k++) {
        const WatchMetric *metric = &m->metric[k];
        MonitorPointRow p = {.deployment = d->name, .model = c->model, .kind = "performance", .column = "",
                             .test = metric->name, .time_from = c->time_from, .time_to = c->time_to, .first = c->first,
                             .last = c->last, .rows = (int64_t)left, .value = got[k], .low = metric->band.low,
                             .high = metric->band.high, .truth = got[k], .weight = 1,
                             .detail = arena_printf(&a, "{\"reference\":%.8g}",
                                                    isfinite(metric->reference) ? metric->reference : 0),
                             .alarm = metric->larger ? got[k] < metric->band.low : got[k] > metric->band.high};
        vec_add(&list.at, (Judged){.point = p, .subject = k ? NULL : arena_printf(&a, "%s: %s", m->label, metric->name),
                                   .text = arena_printf(&a, "%s of %s is %.4g by feedback; it was %.4g, and %.4g to %.4g is usual",
                                                        metric->name, m->label, got[k], metric->reference,
                                                        metric->band.low, metric->band.high)});
    }
    Told told = {w, d, c, m, got};
    if (ok && left && (ok = monitor_keep(w, d, set, &list, tell_estimate, &told, err))) {
        watch_say(w, d->name, "truth", "%s: %zu rows came true, %s %.4g", m->label, left, m->metric[0].name, got[0]);
        if (c->model == row->model) {
            d->judged_model = c->model;
            d->worst_performance = watch_relative_loss(&m->metric[0], got[0]);
        }
    }
    vec_release(&list.at);
    arena_release(&a);
    return ok;
}

bool monitor_truth(Watcher *w, Watched *d, const DeploymentRow *row, const DeploySettings *set, int64_t now, bool *busy,
                   Progress *progress, Error *err)
{
    if (!count_answers(w, d, err))
        return false;
    for (size_t i = 0; i < d->awaited.count;) {
        Awaited *c = &d->awaited.at[i];
        if (!is_ready(d, c) || !watch_opened(w, d, c->model, set, now, progress)) {
            i++;
            continue;
        }
        if (!judge(w, d, c, row, set, err))
            return false;
        *busy = true;
        memmove(c, c + 1, (--d->awaited.count - i) * sizeof *c);
    }
    while (d->awaited.count > AWAITED_MOST) /* nobody says what came true */
        memmove(d->awaited.at, d->awaited.at + 1, --d->awaited.count * sizeof *d->awaited.at);
    return true;
}
