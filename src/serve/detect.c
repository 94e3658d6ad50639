/* detect.c -- detectors on the stream of what a model is asked and says (drift.h), fed by the journal's thread.
 *
 * Each number among the needed columns and the prediction go through ADWIN, the errors that feedback tells of
 * through DDM and HDDM_A where there are classes, through ADWIN (the size of the error) where there are none. They
 * see the logged rows, at most SEEN a turn: what a second has more of than that tells them little. What they find
 * is an alert of the deployment, once an hour, and a number in /metrics. */
#include "serve_int.h"

#include <lathe/drift.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define COOL 3600.0 /* s */
#define AROUND                                                                                     \
    128 /* an alert is about so many values at least before it, and at most twice as many */

typedef struct Sensor {
    const Detector *kind;
    void *state;
    const char *column; /* the traffic's; "prediction", "error" */
    _Atomic int now;    /* DetectorState */
    _Atomic uint64_t drifts, warnings, seen;
    int64_t mark[2];     /* rows of the last two values whose number AROUND divides */
    int64_t first, last; /* rows of what is told */
} Sensor;

struct Detect {
    size_t count, inputs; /* the first `inputs` are columns, then the prediction, then errors */
    Sensor sensor[DETECT_COLUMNS + 3];
};

static void add(Detect *d, const char *column, const char *kind)
{
    Sensor *s = &d->sensor[d->count++];
    s->kind = detector(kind);
    s->column = column;
    s->state = mem_alloc(s->kind->size);
    s->kind->init(s->state, 1);
}

Detect *detect_create(char *const *column, size_t columns, bool classes)
{
    Detect *d = mem_alloc(sizeof *d);
    for (size_t i = 0; i < columns; i++)
        add(d, column[i], "adwin");
    d->inputs = columns;
    add(d, "prediction", "adwin");
    add(d, "error", classes ? "ddm" : "adwin");
    if (classes)
        add(d, "error", "hddm_a");
    return d;
}

void detect_destroy(Detect *d)
{
    for (size_t i = 0; d && i < d->count; i++)
        mem_free(d->sensor[i].state);
    mem_free(d);
}

static void feed(Sensor *s, double x, int64_t id)
{
    if (!isfinite(x))
        return;
    DetectorState now = s->kind->add(s->state, x);
    if (s->seen++ % AROUND == 0) {
        s->mark[0] = s->seen > 1 ? s->mark[1] : id;
        s->mark[1] = id;
    }
    if (now == DETECTOR_DRIFT) { /* feedback comes in any order */
        s->first = s->mark[0] < id ? s->mark[0] : id;
        s->last = s->mark[0] < id ? id : s->mark[0];
    }
    s->drifts += now == DETECTOR_DRIFT;
    s->warnings += now == DETECTOR_WARNING;
    /* a drift is shown until the journal has told of it */
    if (s->now != DETECTOR_DRIFT)
        s->now = (int)now;
}

void detect_row(Detect *d, const double *input, double output, int64_t id)
{
    for (size_t i = 0; i < d->inputs; i++)
        feed(&d->sensor[i], input[i], id);
    feed(&d->sensor[d->inputs], output, id);
}

void detect_error(Detect *d, double error, int64_t id)
{
    for (size_t i = d->inputs + 1; i < d->count; i++)
        feed(&d->sensor[i], error, id);
}

/* Alerts for what was found since; the store is opened only then. */
void detect_tell(Detect *d, const char *dir, const char *deployment, int64_t model,
                 const char *label, Log *log)
{
    Store *store = NULL;
    Error err = {0};
    for (size_t i = 0; i < d->count; i++) {
        Sensor *s = &d->sensor[i];
        char subject[160], text[400], detail[128];
        int64_t id;
        bool fresh = false;
        if (s->now != DETECTOR_DRIFT)
            continue;
        s->now = DETECTOR_QUIET;
        snprintf(subject, sizeof subject, "%s of %s", s->column, label);
        snprintf(text, sizeof text, "%s saw %s of %s change, after %" PRIu64 " values",
                 s->kind->title, s->column, label, (uint64_t)s->seen);
        /* with the model, it is over when that answers no more */
        snprintf(detail, sizeof detail,
                 "{\"model\":%" PRId64 ",\"first\":%" PRId64 ",\"last\":%" PRId64 "}", model,
                 s->first, s->last);
        if (!store)
            store = store_open(dir, STORE_WRITE, &err);
        AlertRow row = {.deployment = deployment,
                        .subject = subject,
                        .kind = "detector",
                        .text = text,
                        .detail = detail};
        if (!store || !store_alert_raise(store, &row, COOL, &id, &fresh, &err))
            log_line(log, LOG_WARN, "no alert could be raised: %s: %s", text, err.text);
        else if (fresh)
            log_line(log, LOG_WARN, "%s: %s", deployment, text);
    }
    store_close(store);
}

void detect_print(const Detect *d, const char *label, bool warnings, Text *into)
{
    for (size_t i = 0; i < d->count; i++) {
        const Sensor *s = &d->sensor[i];
        text_printf(into, "lathe_detector_%s_total{model=", warnings ? "warnings" : "drifts");
        put_json_text(label, into); /* escapes as Prometheus wants them */
        text_puts(into, ",column=");
        put_json_text(s->column, into);
        text_printf(into, ",detector=\"%s\"} %" PRIu64 "\n", s->kind->name,
                    (uint64_t)(warnings ? s->warnings : s->drifts));
    }
}
