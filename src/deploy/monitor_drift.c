/* monitor_drift.c -- a chunk's inputs and predictions against the reference: column by column, then all together.
 *
 * The table drifts when the columns that did are worth a share of the model's importance. A distance has Evidently's
 * limit, or what chunks of the reference itself reach where that is more: in few rows chance alone is far. With NannyML's
 * thresholds (mean and three deviations of the reference's own chunks) two tests over all columns are added: how
 * badly principal components bring rows back, and whether a booster can tell chunk and reference apart. */
#include "watch_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SMALL_REFERENCE 1000 /* drift/tests.c has the same */
#define DOMAIN_LOW  0.45
#define DOMAIN_HIGH 0.65

static void add(JudgedList *out, MonitorPointRow p, const char *subject, const char *text)
{
    vec_add(&out->at, (Judged){.point = p, .subject = subject, .text = text});
}

/* What the model said, as the reference has it. */
static void said_column(const WatchModel *m, const PredictionRow *rows, size_t n, Arena *a, Column *out)
{
    bool words = m->shape->task == TASK_MULTICLASS;
    ColumnBuild *b = column_build(a, m->prediction, words ? COLUMN_TEXT : COLUMN_REAL, n);
    for (size_t i = 0; i < n; i++) {
        if (isnan(rows[i].output))
            column_build_missing(b);
        else if (words)
            column_build_text(b, rows[i].said, strlen(rows[i].said));
        else
            column_build_real(b, rows[i].output);
    }
    column_build_finish(b, out);
}

/* A column alone as a report, so that its shares can be drawn later. */
static const char *detail_of(const DriftReport *r, const DriftColumn *c, Arena *a)
{
    DriftReport one = *r;
    one.column = (DriftColumn *)(uintptr_t)c;
    one.columns = 1;
    one.drifted = c->drifted;
    one.has_error = false;
    json_t *j = drift_report_to_json(&one);
    char *text = j ? json_dumps(j, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
    const char *kept = arena_text(a, text ? text : "");
    free(text);
    json_decref(j);
    return kept;
}

/* With a small reference Evidently's are tests of significance, and one in twenty of them alarms without a reason: too
 * many where every chunk is tested. Distances have the limit that chunks of the reference itself reach. */
const char *monitor_drift_test(const WatchModel *m, const DeploySettings *set)
{
    if (set->thresholds)
        return "jensen_shannon";
    return dataset_rows(m->reference) <= SMALL_REFERENCE ? "wasserstein,jensen_shannon" : "";
}

static void limits(const WatchModel *m, const DeploySettings *set, const WatchInput *in, DriftColumn *c, MonitorPointRow *p)
{
    Band b = m->bands ? m->bands[in ? (size_t)(in - m->input) : m->inputs] : (Band){(double)NAN, (double)NAN};
    if (c->test->p_value && !set->thresholds) {
        p->low = c->threshold;
        return;
    }
    if (isfinite(b.high) && (set->thresholds || b.high > c->threshold)) {
        c->threshold = b.high;
        c->drifted = c->statistic > b.high;
    }
    p->high = c->threshold;
    if (set->thresholds)
        p->low = b.low;
}

static bool was_sent(const WatchModel *m, const bool *sent, const char *name)
{
    size_t at = schema_find(bundle_schema(m->bundle), name);
    return at != SIZE_MAX && sent[at];
}

typedef struct Drifted {
    double weight, all; /* of the drifted columns; of all that were judged */
    size_t columns, of;
    Text names;
} Drifted;

static void judge_column(const WatchModel *m, const DeploySettings *set, const DriftReport *r, DriftColumn *c, Arena *a, JudgedList *out, Drifted *sum)
{
    bool is_output = strcmp(c->name, m->prediction) == 0;
    const WatchInput *in = is_output ? NULL : watch_input(m, c->name);
    MonitorPointRow p = {.kind = "drift", .column = is_output ? "prediction" : arena_text(a, c->name),
                         .test = c->test->name, .value = c->statistic, .low = (double)NAN, .high = (double)NAN,
                         .truth = (double)NAN, .weight = in ? in->weight : 0};
    limits(m, set, in, c, &p);
    p.alarm = c->drifted;
    p.detail = detail_of(r, c, a);
    if (in) {
        sum->all += in->weight;
        sum->of++;
        if (c->drifted) {
            sum->weight += in->weight;
            sum->columns++;
            text_printf(&sum->names, "%s%s", sum->names.count ? ", " : "", c->name);
        }
    }
    add(out, p, is_output ? arena_printf(a, "%s: predictions", m->label) : NULL,
        is_output ? arena_printf(a, "what %s says has moved: %s %.4g, limit %.4g", m->label, c->test->title, c->statistic,
                                 c->threshold)
                  : "");
}

static void judge_table(const WatchModel *m, const DeploySettings *set, const Drifted *sum, Arena *a, JudgedList *out)
{
    double share = sum->all > 0 ? sum->weight / sum->all : sum->of ? (double)sum->columns / (double)sum->of : 0;
    MonitorPointRow p = {.kind = "drift", .column = "", .test = "share", .value = share, .low = (double)NAN,
                         .high = set->share, .truth = (double)NAN, .weight = 1,
                         .alarm = sum->columns && share >= set->share};
    json_t *detail = json_pack("{s:i, s:i, s:s}", "drifted", (int)sum->columns, "columns", (int)sum->of, "names",
                               text_str(&sum->names));
    char *text = json_dumps(detail, JSON_COMPACT);
    p.detail = arena_text(a, text ? text : "");
    free(text);
    json_decref(detail);
    add(out, p, arena_printf(a, "%s: inputs", m->label),
        arena_printf(a, "%.0f%% of what matters to %s has drifted: %.200s", share * 100, m->label, text_str(&sum->names)));
}

/* ---- all columns together -------------------------------------------------------------------------------------------- */

static bool together(Watcher *w, const WatchModel *m, const DeploySettings *set, const Chunk *raw, Arena *a, JudgedList *out)
{
    DriftMatrix now, reference;
    Chunk all;
    Error none = {0};
    double auc;
    if (!set->thresholds || m->inputs < 2 || !dataset_read(m->reference, 0, a, &all, &none))
        return true;
    watch_matrix(m, raw, NULL, 0, a, &now);
    watch_matrix(m, &all, NULL, 0, a, &reference);
    if (m->pca) {
        double v = pca_drift_score(m->pca, &now);
        add(out, (MonitorPointRow){.kind = "drift", .column = "", .test = "pca", .value = v, .low = m->pca_band.low,
                                   .high = m->pca_band.high, .truth = (double)NAN, .weight = 1, .detail = "",
                                   .alarm = isfinite(v) && (v < m->pca_band.low || v > m->pca_band.high)},
            arena_printf(a, "%s: inputs together (pca)", m->label),
            arena_printf(a, "rows no longer look as they did to %s: reconstruction error %.4g, expected %.4g to %.4g",
                         m->label, v, m->pca_band.low, m->pca_band.high));
    }
    if (domain_classifier(&reference, &now, 1, w->pool, &auc, &none))
        add(out, (MonitorPointRow){.kind = "drift", .column = "", .test = "domain", .value = auc, .low = DOMAIN_LOW,
                                   .high = DOMAIN_HIGH, .truth = (double)NAN, .weight = 1, .detail = "",
                                   .alarm = auc < DOMAIN_LOW || auc > DOMAIN_HIGH},
            arena_printf(a, "%s: inputs together (domain)", m->label),
            arena_printf(a, "a classifier tells these rows from those of %s: AUC %.3f", m->label, auc));
    return true;
}

/* Only what was sent, and what the reference has. */
static void watched_columns(const WatchModel *m, const Chunk *raw, const bool *sent, Arena *a, Chunk *out)
{
    Column *column = ARENA_NEW(a, Column, raw->columns + 1);
    const Schema *have = dataset_schema(m->reference);
    size_t n = 0;
    for (size_t i = 0; i < raw->columns; i++)
        if (watch_input(m, raw->column[i].name) && was_sent(m, sent, raw->column[i].name) &&
            schema_find(have, raw->column[i].name) != SIZE_MAX)
            column[n++] = raw->column[i];
    *out = (Chunk){.rows = raw->rows, .columns = n, .column = column};
}

bool monitor_drift(Watcher *w, const WatchModel *m, const DeploySettings *set, const PredictionRow *rows, size_t n,
                   const Chunk *raw, const bool *sent, Arena *a, JudgedList *out, Error *err)
{
    Column said;
    Chunk inputs;
    Drifted sum = {0};
    if (!m->reference)
        return true;
    watched_columns(m, raw, sent, a, &inputs);
    said_column(m, rows, n, a, &said);
    if (!inputs.columns && !m->has_predictions)
        return true;
    Dataset *d = watch_dataset(w->store, &inputs, m->has_predictions ? &said : NULL, w->pool, err);
    DriftOptions o = {.test = monitor_drift_test(m, set), .share = set->share};
    DriftReport *r = d ? drift_report(m->reference, d, &o, w->pool, NULL, err) : NULL;
    for (size_t i = 0; r && i < r->columns; i++)
        if (strcmp(r->column[i].name, m->prediction) == 0 || was_sent(m, sent, r->column[i].name))
            judge_column(m, set, r, &r->column[i], a, out, &sum);
    if (r)
        judge_table(m, set, &sum, a, out);
    bool ok = r != NULL && together(w, m, set, raw, a, out);
    text_release(&sum.names);
    drift_report_destroy(r);
    dataset_close(d);
    return ok;
}
