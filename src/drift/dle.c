/* dle.c -- how wrong a regression is, as another model learnt it from its errors (direct loss
 * estimation).
 *
 *     a booster on features and prediction learns |v - t|, one (v - t)^2, one |v - t| / |t|
 *
 * Errors have no direction here, so this can be learnt where the error itself cannot: it sees rows of
 * which the model was never sure. It sees no change of what rows mean. Source: NannyML (REFERENCE.md
 * 1.2), with LightGBM's defaults for the boosters. */
#include "drift_int.h"

#define LEAST  50     /* rows to fit to */
#define FITTED 100000 /* at most; more are thinned out evenly */
#define LOSSES 3      /* absolute, squared, relative */

struct Dle {
    size_t rows;
    Booster *booster[LOSSES];               /* NULL: no row had this loss */
    double scale[LOSSES];                   /* their targets were divided by it */
    double mean[LOSSES], deviation[LOSSES]; /* of the losses of the reference */
};

static double loss_of(size_t kind, double value, double truth)
{
    double gap = fabs(value - truth);
    if (kind == 0)
        return gap;
    if (kind == 1)
        return gap * gap;
    return truth != 0.0 ? gap / fabs(truth) : (double)NAN;
}

/* Chosen rows of a matrix, on the heap. */
typedef struct Chosen {
    DriftMatrix m;
    const double **column;
    double *value;
    float *loss;
} Chosen;

static void chosen_release(Chosen *c)
{
    for (size_t k = 0; c->column && k < c->m.columns; k++)
        mem_free((void *)(uintptr_t)c->column[k]);
    mem_free(c->column);
    mem_free(c->value);
    mem_free(c->loss);
}

static void choose(Chosen *c, const DriftMatrix *all, const double *value, const double *loss,
                   size_t n)
{
    size_t stride = (n + FITTED - 1) / FITTED, at = 0, seen = 0;
    uint32_t *row = mem_alloc((n / stride + 2) * sizeof *row);
    for (size_t i = 0; i < all->rows; i++)
        if (isfinite(loss[i]) && seen++ % stride == 0)
            row[at++] = (uint32_t)i;
    *c = (Chosen){.m = {.rows = at, .columns = all->columns, .label = all->label},
                  .column = mem_alloc((all->columns + 1) * sizeof *c->column),
                  .value = mem_alloc((at + 1) * sizeof *c->value),
                  .loss = mem_alloc((at + 1) * sizeof *c->loss)};
    for (size_t k = 0; k < all->columns; k++) {
        double *to = mem_alloc((at + 1) * sizeof *to);
        for (size_t i = 0; i < at; i++)
            to[i] = all->column[k][row[i]];
        c->column[k] = to;
    }
    for (size_t i = 0; i < at; i++) {
        c->value[i] = value[row[i]];
        c->loss[i] = (float)loss[row[i]];
    }
    c->m.column = c->column;
    mem_free(row);
}

/* loss: of every row, NaN where it has none. */
static bool fit_loss(Dle *d, size_t kind, const DriftMatrix *m, const double *value, double *loss,
                     uint64_t seed, Pool *pool, Error *err)
{
    double sum = 0.0, squares = 0.0, n = 0.0;
    for (size_t i = 0; i < m->rows; i++)
        if (isfinite(loss[i])) {
            sum += loss[i];
            n += 1.0;
        }
    d->mean[kind] = n > 0.0 ? sum / n : (double)NAN;
    d->deviation[kind] = d->mean[kind];
    if (n < LEAST)
        return true;
    d->scale[kind] = d->mean[kind] > 0.0 ? d->mean[kind] : 1.0;
    for (size_t i = 0; i < m->rows; i++)
        if (isfinite(loss[i])) {
            squares += (loss[i] - d->mean[kind]) * (loss[i] - d->mean[kind]);
            loss[i] /= d->scale[kind];
        }
    d->deviation[kind] = sqrt(squares / n);
    Chosen c;
    choose(&c, m, value, loss, (size_t)n);
    d->booster[kind] = booster_fit(&c.m, c.value, c.loss, TASK_REGRESSION, seed + kind, pool, err);
    chosen_release(&c);
    return d->booster[kind] != NULL;
}

Dle *dle_fit(const DriftMatrix *features, const double *value, const double *truth, uint64_t seed,
             Pool *pool, Error *err)
{
    size_t rows = 0, n = features->rows;
    for (size_t i = 0; i < n; i++)
        rows += isfinite(value[i]) && isfinite(truth[i]);
    if (rows < LEAST) {
        error_set(
            err, ERROR_SHAPE,
            "estimating errors needs %d reference rows with a prediction and the truth, found %zu",
            LEAST, rows);
        return NULL;
    }
    Dle *d = mem_alloc(sizeof *d);
    double *loss = mem_try((n + 1) * sizeof *loss, err);
    bool ok = loss != NULL;
    d->rows = rows;
    for (size_t kind = 0; ok && kind < LOSSES; kind++) {
        for (size_t i = 0; i < n; i++)
            loss[i] = isfinite(value[i]) && isfinite(truth[i]) ? loss_of(kind, value[i], truth[i])
                                                               : (double)NAN;
        ok = fit_loss(d, kind, features, value, loss, seed, pool, err);
    }
    mem_free(loss);
    if (ok)
        return d;
    dle_destroy(d);
    return NULL;
}

void dle_destroy(Dle *d)
{
    if (!d)
        return;
    for (size_t kind = 0; kind < LOSSES; kind++)
        booster_destroy(d->booster[kind]);
    mem_free(d);
}

/* The mean of what rows are expected to lose; NaN without a row that has a prediction. */
static double expected(const Dle *d, size_t kind, const DriftMatrix *m, const double *value,
                       float *score)
{
    double sum = 0.0, n = 0.0;
    if (!d->booster[kind])
        return NAN;
    booster_score(d->booster[kind], m, value, score);
    for (size_t i = 0; i < m->rows; i++)
        if (isfinite(value[i])) {
            sum += fmax(0.0, (double)score[i]) * d->scale[kind];
            n += 1.0;
        }
    return n > 0.0 ? sum / n : (double)NAN;
}

DleOut dle_estimate(const Dle *d, const DriftMatrix *features, const double *value)
{
    float *score = mem_alloc((features->rows + 1) * sizeof *score);
    DleOut out = {.mae = expected(d, 0, features, value, score),
                  .rmse = sqrt(expected(d, 1, features, value, score)),
                  .mape = expected(d, 2, features, value, score)};
    mem_free(score);
    return out;
}

DleOut dle_true(const double *value, const double *truth, size_t n)
{
    double sum[LOSSES] = {0}, count[LOSSES] = {0};
    for (size_t i = 0; i < n; i++)
        for (size_t kind = 0; kind < LOSSES; kind++) {
            double loss = loss_of(kind, value[i], truth[i]);
            if (isfinite(loss)) {
                sum[kind] += loss;
                count[kind] += 1.0;
            }
        }
    for (size_t kind = 0; kind < LOSSES; kind++)
        sum[kind] = count[kind] > 0.0 ? sum[kind] / count[kind] : (double)NAN;
    return (DleOut){.mae = sum[0], .rmse = sqrt(sum[1]), .mape = sum[2]};
}

/* Of means of n losses; of a root of such a mean by its slope there. */
DleOut dle_deviations(const Dle *d, size_t n)
{
    double root = n ? 1.0 / sqrt((double)n) : (double)NAN, rmse = sqrt(d->mean[1]);
    return (DleOut){.mae = d->deviation[0] * root,
                    .rmse = rmse > 0.0 ? d->deviation[1] * root / (2.0 * rmse) : 0.0,
                    .mape = d->deviation[2] * root};
}

double dle_deviation(const Dle *d, size_t n)
{
    return dle_deviations(d, n).mae;
}
