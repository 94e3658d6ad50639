/* drift_time.c -- drift over time: the score of the column under the cursor in every report against the same
 * reference, with the limit; and alerts that were acknowledged. */
#include "drift_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOT_TIME = 2, REPORTS_MOST = 200 };

typedef struct TimeAsk {
    size_t n;
    char reference[65];
    int64_t created[REPORTS_MOST];
    char *report[REPORTS_MOST]; /* JSON, owned */
} TimeAsk;

static void free_ask(void *ask)
{
    TimeAsk *a = ask;
    for (size_t i = 0; i < a->n; i++)
        mem_free(a->report[i]);
    mem_free(a);
}

void drift_times_free(void *times)
{
    DriftTimes *t = times;
    if (!t)
        return;
    for (size_t i = 0; i < t->n; i++)
        drift_report_destroy(t->report[i]);
    mem_free(t);
}

static void *read_times(JobContext *c, void *input, Error *err)
{
    const TimeAsk *ask = input;
    DriftTimes *out = mem_alloc(sizeof *out);
    (void)err;
    progress_begin(job_progress(c), NULL, "reports", ask->n);
    for (size_t i = 0; i < ask->n && !job_stopped(c); i++) {
        progress_add(job_progress(c), 1);
        Error broken = {0}; /* a damaged report is left out */
        json_t *doc = json_loads(ask->report[i], 0, NULL);
        DriftReport *r = doc ? drift_report_from_json(doc, &broken) : NULL;
        json_decref(doc);
        if (r) {
            out->created[out->n] = (double)ask->created[i] / 1e6;
            out->report[out->n++] = r;
        }
    }
    return out;
}

static void times_read(void *owner, void *result, const Error *err, Ui *ui)
{
    DriftState *s = owner;
    (void)err;
    drift_times_free(s->times);
    s->times = result;
    ui_draw(ui);
}

/* Oldest first; of very many the newest. */
void drift_times_ask(DriftState *s)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    if (!snap->drifts || s->report_at >= snap->drifts)
        return;
    TimeAsk *ask = mem_alloc(sizeof *ask);
    const char *reference = snap->drift[s->report_at].reference;
    size_t all = 0;
    for (size_t i = 0; i < snap->drifts; i++)
        all += strcmp(snap->drift[i].reference, reference) == 0;
    for (size_t i = snap->drifts; i-- > 0;) {
        if (strcmp(snap->drift[i].reference, reference) != 0 || all-- > REPORTS_MOST)
            continue;
        ask->created[ask->n] = snap->drift[i].created;
        ask->report[ask->n++] = text_copy(snap->drift[i].report);
    }
    ui_job(s->ui, (Job){.owner = s, .slot = SLOT_TIME, .what = "reading the reports", .run = read_times, .input = ask, .release_input = free_ask,
                        .done = times_read, .release = drift_times_free, .quiet = true});
}

static const DriftColumn *column_of(const DriftReport *r, const char *name)
{
    for (size_t i = 0; i < r->columns; i++)
        if (strcmp(r->column[i].name, name) == 0)
            return &r->column[i];
    return NULL;
}

bool drift_times_some(const DriftState *s)
{
    return s->times && s->times->n > 1;
}

void drift_times_draw(const DriftState *s, const DriftColumn *d, const Canvas *c)
{
    double x[REPORTS_MOST], y[REPORTS_MOST], limit[REPORTS_MOST];
    size_t n = 0;
    for (size_t i = 0; s->times && i < s->times->n && d->test; i++) {
        const DriftColumn *then = column_of(s->times->report[i], d->name);
        if (!then || then->test != d->test)
            continue;
        x[n] = (double)n + 1;
        y[n] = then->statistic;
        limit[n++] = then->threshold;
    }
    ChartSeries series[] = {{.name = d->test && d->test->p_value ? "p value" : "score", .style = STYLE_AFTER, .x = x, .y = y,
                             .n = n, .dots = n < 3, .mark = n < 3 ? 0x25cfu : 0},
                            {.name = "limit", .style = STYLE_BAD, .x = x, .y = limit, .n = n}};
    chart_draw(c, &(Chart){.series = series, .count = 2, .x_name = "report", .y_zero = true,
                           .empty = "compare again and again with x: the score over the reports shows here"});
}

/* ---- alerts ------------------------------------------------------------------------------------------------ */

int64_t drift_acknowledged(const Ui *ui)
{
    const char *text = ui_setting(ui, "drift-seen");
    return text ? strtoll(text, NULL, 10) : 0;
}

size_t drift_alerts(const Ui *ui)
{
    const Snapshot *snap = ui_snapshot(ui);
    size_t n = 0;
    for (size_t i = 0; i < snap->drifts; i++)
        n += snap->drift[i].drifted && snap->drift[i].id > drift_acknowledged(ui);
    return n;
}

void drift_acknowledge(Ui *ui)
{
    const Snapshot *snap = ui_snapshot(ui);
    size_t n = drift_alerts(ui);
    char id[32];
    snprintf(id, sizeof id, "%lld", (long long)(snap->drifts ? snap->drift[0].id : 0));
    ui_set_setting(ui, "drift-seen", id);
    ui_say(ui, STYLE_GOOD, "%zu alert%s acknowledged", n, n == 1 ? "" : "s");
}
