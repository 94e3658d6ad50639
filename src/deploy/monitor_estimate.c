/* monitor_estimate.c -- how well a model does on rows whose truth nobody knows yet.
 *
 * CBPE for classes, DLE for numbers (drift.h), fitted on rows of the run's test and validation parts, which the
 * model did not learn from. The band is what the true metric does on chunks of such rows, drawn by a fixed seed:
 * mean and three deviations; an estimate beyond its bad end alarms. */
#include "watch_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define FIT_ROWS   6000
#define FIT_LEAST  100
#define BAND_TRIES 30

/* ---- rows with predictions and truth --------------------------------------------------------------------------- */

typedef struct Fit {
    Arena a;
    size_t n, classes;
    double *value, *share, *truth; /* share: [n][classes] of several classes */
    DriftMatrix x;
    Chunk rows;
} Fit;

static void take_prediction(Fit *f, const Prediction *p)
{
    f->value[f->n] = p->value;
    for (size_t c = 0; p->share && c < f->classes; c++)
        f->share[f->n * f->classes + c] = (double)p->share[c];
    f->truth[f->n++] = p->truth;
}

/* Rows of one chunk that are of the wanted parts, scored; those without a truth are left out. */
static bool take_chunk(Fit *f, WatchModel *m, const Split *split, double share, const Chunk *c, Chunk *kept, Error *err)
{
    uint32_t *row = ARENA_NEW(&f->a, uint32_t, c->rows + 1), *known = ARENA_NEW(&f->a, uint32_t, c->rows + 1);
    Prediction *p;
    Chunk part;
    size_t n = 0, left = 0;
    for (size_t i = 0; i < c->rows; i++) {
        uint64_t number = c->first + i;
        if (split_part(split, number) != PART_TRAIN &&
            (share >= 1 || (double)(hash_bytes(&number, sizeof number, 31) >> 11) * 0x1p-53 < share))
            row[n++] = (uint32_t)i;
    }
    *kept = (Chunk){0};
    if (!n)
        return true;
    chunk_gather(c, row, n, &f->a, &part);
    if (!bundle_score(m->bundle, &part, m->first_plan, &f->a, &p, err))
        return false;
    for (size_t i = 0; i < n && f->n < FIT_ROWS; i++)
        if (p[i].kept && isfinite(p[i].truth) && isfinite(p[i].value)) {
            take_prediction(f, &p[i]);
            known[left++] = (uint32_t)i;
        }
    chunk_gather(&part, known, left, &f->a, kept);
    return true;
}

/* The matrices of several chunks, one below the other. */
static void join(Fit *f, const WatchModel *m, const Chunk *part, size_t parts)
{
    double **column = ARENA_NEW(&f->a, double *, m->dle_inputs + 1);
    size_t at = 0;
    for (size_t k = 0; k < m->dle_inputs; k++)
        column[k] = ARENA_NEW(&f->a, double, f->n + 1);
    for (size_t i = 0; i < parts; i++) {
        DriftMatrix x;
        if (!part[i].rows)
            continue;
        watch_matrix(m, &part[i], m->seen, m->dle_inputs, &f->a, &x);
        for (size_t k = 0; k < m->dle_inputs; k++)
            memcpy(column[k] + at, x.column[k], part[i].rows * sizeof(double));
        at += part[i].rows;
        f->x.label = x.label;
    }
    f->x.rows = f->n;
    f->x.columns = m->dle_inputs;
    f->x.column = (const double *const *)column;
}

static void choose_inputs(WatchModel *m, const Schema *s)
{
    m->seen = ARENA_NEW(&m->arena, size_t, m->inputs + 1);
    for (size_t i = 0; i < m->inputs; i++)
        if (schema_find(s, m->input[i].name) != SIZE_MAX)
            m->seen[m->dle_inputs++] = i;
}

static bool gather(Fit *f, WatchModel *m, const Dataset *d, Error *err)
{
    const json_t *about = bundle_about(m->bundle);
    const char *text = json_string_value(json_object_get(about, "split"));
    Split split = {0};
    bool ok = split_parse(text ? text : "70/15/15", &split, err);
    split.seed = (uint64_t)json_integer_value(json_object_get(about, "seed"));
    ok = ok && split_bind(&split, d, err);
    double rest = 1 - split.share[PART_TRAIN], rows = (double)dataset_rows(d) * (rest > 0 ? rest : 1);
    Chunk *part = ARENA_NEW(&f->a, Chunk, dataset_chunks(d) + 1);
    f->classes = m->shape->classes;
    f->value = ARENA_NEW(&f->a, double, FIT_ROWS + 1);
    f->truth = ARENA_NEW(&f->a, double, FIT_ROWS + 1);
    f->share = ARENA_NEW(&f->a, double, (FIT_ROWS + 1) * (f->classes + 1));
    for (size_t i = 0; ok && i < dataset_chunks(d); i++) {
        Chunk c;
        ok = dataset_read(d, i, &f->a, &c, err) && take_chunk(f, m, &split, FIT_ROWS / rows, &c, &part[i], err);
    }
    if (ok)
        join(f, m, part, dataset_chunks(d));
    split_release(&split);
    return ok;
}

/* ---- what is estimated -------------------------------------------------------------------------------------------- */

static void name_metrics(WatchModel *m)
{
    static const char *const of_numbers[] = {"mae", "rmse"}, *const of_classes[] = {"accuracy", "f1", "auc"};
    bool numbers = m->shape->task == TASK_REGRESSION;
    m->metrics = numbers ? 2 : m->shape->task == TASK_BINARY ? 3 : 2;
    for (size_t i = 0; i < m->metrics; i++)
        m->metric[i] = (WatchMetric){.name = numbers ? of_numbers[i] : of_classes[i],
                                     .larger = !numbers,
                                     .reference = (double)NAN,
                                     .band = {(double)NAN, (double)NAN}};
}

static void spread(const CbpeOut *o, double out[WATCH_METRICS])
{
    out[0] = o->accuracy;
    out[1] = o->f1;
    out[2] = o->auc;
}

bool estimate_of(const WatchModel *m, const double *value, const DriftMatrix *x, const double *share, size_t n,
                 double out[WATCH_METRICS])
{
    out[0] = out[1] = out[2] = (double)NAN;
    if (m->dle) {
        DleOut o = dle_estimate(m->dle, x, value);
        out[0] = o.mae;
        out[1] = o.rmse;
    } else if (m->cbpe) {
        CbpeOut o = cbpe_estimate(m->cbpe, m->shape->classes > 2 ? share : value, NULL, n);
        spread(&o, out);
    }
    return m->dle || m->cbpe;
}

void truth_of(const WatchModel *m, const double *value, const double *share, const double *truth, size_t n,
              double out[WATCH_METRICS])
{
    double absolute = 0, square = 0;
    out[0] = out[1] = out[2] = (double)NAN;
    if (!n)
        return;
    if (m->shape->task != TASK_REGRESSION) {
        CbpeOut o = cbpe_true(m->shape->classes > 2 ? share : value, NULL, truth, n, m->shape->classes);
        spread(&o, out);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        absolute += fabs(value[i] - truth[i]);
        square += (value[i] - truth[i]) * (value[i] - truth[i]);
    }
    out[0] = absolute / (double)n;
    out[1] = sqrt(square / (double)n);
}

/* The true metric of chunks of so many rows, drawn with replacement. */
static void bands(WatchModel *m, const Fit *f, size_t rows)
{
    double got[WATCH_METRICS][BAND_TRIES], whole[WATCH_METRICS], one[WATCH_METRICS];
    double *value = mem_alloc((rows + 1) * sizeof *value), *truth = mem_alloc((rows + 1) * sizeof *truth);
    double *share = mem_alloc((rows + 1) * (f->classes + 1) * sizeof *share);
    Rng rng;
    rng_seed(&rng, 11, 0);
    for (size_t t = 0; t < BAND_TRIES; t++) {
        for (size_t i = 0; i < rows; i++) {
            size_t at = (size_t)rng_below(&rng, f->n);
            value[i] = f->value[at];
            truth[i] = f->truth[at];
            if (f->classes > 2)
                memcpy(share + i * f->classes, f->share + at * f->classes, f->classes * sizeof *share);
        }
        truth_of(m, value, share, truth, rows, one);
        for (size_t k = 0; k < m->metrics; k++)
            got[k][t] = one[k];
    }
    truth_of(m, f->value, f->share, f->truth, f->n, whole);
    for (size_t k = 0; k < m->metrics; k++) {
        m->metric[k].reference = whole[k];
        m->metric[k].band = band_of(got[k], BAND_TRIES, 0, m->metric[k].larger ? 1 : INFINITY);
    }
    mem_free(value);
    mem_free(truth);
    mem_free(share);
}

double watch_relative_loss(const WatchMetric *metric, double value)
{
    double scale = fabs(metric->reference);
    if (!isfinite(value) || !(scale > 0))
        return (double)NAN;
    return (metric->larger ? metric->reference - value : value - metric->reference) / scale;
}

/* ---- what the reference's own chunks reach ------------------------------------------------------------------- */

static bool reference_bands(WatchModel *m, Store *s, const DeploySettings *set, size_t rows, Pool *pool,
                            Progress *progress, Error *err)
{
    enum { CHUNKS = 20 };
    size_t columns = m->inputs + 1, have = (size_t)dataset_rows(m->reference);
    double (*got)[CHUNKS] = mem_alloc(columns * sizeof *got);
    double pca[CHUNKS];
    size_t *n = mem_alloc(columns * sizeof *n), pcas = 0;
    Arena a = {0};
    Rng rng;
    bool ok = true;
    Chunk all;
    DriftMatrix x;
    rng_seed(&rng, 13, 0);
    rows = rows < have ? rows : have;
    ok = dataset_read(m->reference, 0, &a, &all, err);
    if (ok && m->inputs > 1 && set->thresholds) {
        Error none = {0};
        watch_matrix(m, &all, NULL, 0, &a, &x);
        m->pca = pca_drift_fit(&x, 0, &none);
    }
    for (size_t t = 0; ok && t < CHUNKS; t++) {
        uint32_t *row = ARENA_NEW(&a, uint32_t, rows + 1);
        Chunk part;
        for (size_t i = 0; i < rows; i++)
            row[i] = (uint32_t)rng_below(&rng, all.rows);
        chunk_gather(&all, row, rows, &a, &part);
        Dataset *d = watch_dataset(s, &part, NULL, pool, err);
        DriftReport *r = d ? drift_report(m->reference, d, &(DriftOptions){.test = monitor_drift_test(m, set)}, pool, progress, err) : NULL;
        ok = r != NULL;
        for (size_t i = 0; ok && i < r->columns; i++) {
            const WatchInput *in = watch_input(m, r->column[i].name);
            size_t k = in ? (size_t)(in - m->input) : m->inputs;
            if (isfinite(r->column[i].statistic))
                got[k][n[k]++] = r->column[i].statistic;
        }
        if (ok && m->pca) {
            watch_matrix(m, &part, NULL, 0, &a, &x);
            pca[pcas++] = pca_drift_score(m->pca, &x);
        }
        drift_report_destroy(r);
        dataset_close(d);
    }
    if (ok) {
        m->bands = ARENA_NEW(&m->arena, Band, columns);
        for (size_t k = 0; k < columns; k++)
            m->bands[k] = n[k] ? band_of(got[k], n[k], 0, INFINITY) : (Band){(double)NAN, (double)NAN};
        /* rows drawn from the reference lie round it; fresh ones and it lie both round what they are drawn from */
        double wider = sqrt(1 + (double)rows / (double)all.rows);
        for (size_t k = 0; k < columns; k++)
            m->bands[k].high *= wider;
        if (pcas)
            m->pca_band = band_of(pca, pcas, 0, INFINITY);
    }
    mem_free(got);
    mem_free(n);
    arena_release(&a);
    return ok;
}

/* A model that cannot be fitted to is watched without an estimate, and it is said why. */
bool estimate_fit(WatchModel *m, Store *s, const DeploySettings *set, size_t rows, Pool *pool, Progress *progress,
                  Error *err)
{
    Fit f = {0};
    Error why = {0};
    const char *hash = json_string_value(json_object_get(bundle_about(m->bundle), "dataset"));
    name_metrics(m);
    Dataset *d = hash ? dataset_open(store_path(s, &f.a, "datasets/%s.arrow", hash), &why) : NULL;
    if (d)
        choose_inputs(m, dataset_schema(d));
    bool ok = d && gather(&f, m, d, &why);
    ok = ok && (f.n >= FIT_LEAST || error_set(&why, ERROR_SHAPE, "only %zu rows that it did not learn from", f.n));
    if (ok && m->shape->task == TASK_REGRESSION)
        m->dle = dle_fit(&f.x, f.value, f.truth, 1, pool, &why);
    else if (ok)
        m->cbpe = cbpe_fit(f.classes > 2 ? f.share : f.value, f.truth, f.n, f.classes, &why);
    if (ok)
        bands(m, &f, rows);
    if (!m->dle && !m->cbpe && !*m->why)
        snprintf(m->why, sizeof m->why, "no estimate: %.180s", why.text);
    dataset_close(d);
    arena_release(&f.a);
    return reference_bands(m, s, set, rows, pool, progress, err);
}

/* ---- a chunk ---------------------------------------------------------------------------------------------------- */

/* Of several classes the log keeps the likeliest alone: what the others have is said again by the model. */
static bool shares_again(const WatchModel *m, const Chunk *raw, Arena *a, double **share, bool *kept, Error *err)
{
    Prediction *p;
    size_t classes = m->shape->classes;
    *share = ARENA_NEW(a, double, (raw->rows + 1) * classes);
    if (!bundle_score(m->bundle, raw, 0, a, &p, err))
        return false;
    for (size_t i = 0; i < raw->rows; i++) {
        kept[i] = p[i].kept && p[i].share;
        for (size_t c = 0; kept[i] && c < classes; c++)
            (*share)[i * classes + c] = (double)p[i].share[c];
    }
    return true;
}

/* Rows without an answer are left out. */
static size_t pack(const WatchModel *m, const PredictionRow *rows, size_t n, const bool *kept, DriftMatrix *x, double *share,
                   double *value, Arena *a)
{
    double **column = ARENA_NEW(a, double *, x->columns + 1);
    size_t left = 0, classes = m->shape->classes;
    for (size_t k = 0; k < x->columns; k++)
        column[k] = ARENA_NEW(a, double, n + 1);
    for (size_t i = 0; i < n; i++) {
        if (isnan(rows[i].output) || (share && !kept[i]))
            continue;
        for (size_t k = 0; k < x->columns; k++)
            column[k][left] = x->column[k][i];
        if (share)
            memmove(share + left * classes, share + i * classes, classes * sizeof *share);
        value[left++] = rows[i].output;
    }
    x->column = (const double *const *)column;
    x->rows = left;
    return left;
}

bool monitor_estimate(const WatchModel *m, const PredictionRow *rows, size_t n, const Chunk *raw, Arena *a,
                      JudgedList *out, Error *err)
{
    double got[WATCH_METRICS], *share = NULL, *value = ARENA_NEW(a, double, n + 1);
    bool *kept = ARENA_NEW(a, bool, n + 1);
    DriftMatrix x = {0};
    if (!m->dle && !m->cbpe)
        return true;
    if (m->shape->classes > 2 && !shares_again(m, raw, a, &share, kept, err))
        return false;
    if (m->dle)
        watch_matrix(m, raw, m->seen, m->dle_inputs, a, &x);
    size_t left = pack(m, rows, n, kept, &x, share, value, a);
    if (!left || !estimate_of(m, value, &x, share, left, got))
        return true;
    for (size_t k = 0; k < m->metrics; k++) {
        const WatchMetric *metric = &m->metric[k];
        MonitorPointRow p = {.kind = "estimate", .column = "", .test = metric->name, .value = got[k],
                             .low = metric->band.low, .high = metric->band.high, .truth = (double)NAN, .weight = 1,
                             .detail = arena_printf(a, "{\"reference\":%.8g}", metric->reference),
                             .alarm = metric->larger ? got[k] < metric->band.low : got[k] > metric->band.high};
        vec_add(&out->at, (Judged){.point = p, .subject = k ? NULL : arena_printf(a, "%s: estimated %s", m->label, metric->name),
                                   .text = arena_printf(a, "%s of %s is estimated at %.4g; it was %.4g, and %.4g to %.4g is usual",
                                                        metric->name, m->label, got[k], metric->reference,
                                                        metric->band.low, metric->band.high)});
    }
    return true;
}
