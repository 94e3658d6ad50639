/* gate_series.c -- a candidate and an incumbent of series say how the same series go on: what a gate's rules are
 * measured on.
 *
 * After each row that has a whole horizon behind it in the test part (anywhere, where rows were given), each model says
 * that horizon, as in the test of its training. Where both are asked, a step counts that both said something of: the
 * same row of the table, as many steps ahead. */
#include "deploy_int.h"

#include <math.h>
#include <stdlib.h>

#define STEPS_MOST 2000000 /* of one model; of longer tables every k-th horizon is taken */

const Metric quantile_loss_metric = {
    .name = "quantile_loss",
    .about = "mean over steps and levels of max(q (y - o), (q - 1) (y - o)); of models of series",
    .tasks = 1u << TASK_REGRESSION,
};

static bool add_rows(Forecaster *f, const SeriesSide *side, const Dataset *d, Progress *progress,
                     Error *err)
{
    Arena a = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < dataset_chunks(d); i++) {
        Chunk c;
        ok =
            dataset_read(d, i, &a, &c, err) && forecaster_add(f, &c, side->first_plan, err) &&
            (!progress_stopped(progress) || error_set(err, ERROR_STOP, "gate: stopped on request"));
        progress_add(progress, c.rows);
        arena_reset(&a);
    }
    arena_release(&a);
    return ok && dataset_sound(d, err);
}

static const SeriesShape *series_of(const SeriesSide *side)
{
    return features_shape(bundle_features(side->bundle))->series;
}

/* The rows after which a horizon is said, ascending. One in the test part may begin behind the part before. */
static uint64_t *origins(const Dataset *d, const Split *only, size_t horizon, size_t *n, Error *err)
{
    uint64_t rows = dataset_rows(d), every = rows * horizon / STEPS_MOST + 1, seen = 0;
    uint64_t *row = mem_try((rows + 1) * sizeof *row, err);
    *n = 0;
    for (uint64_t i = 0; row && i < rows; i++)
        if ((!only || split_part(only, i) != PART_TRAIN || only->share[PART_VALID] <= 0.0) &&
            seen++ % every == 0)
            row[(*n)++] = i;
    return row;
}

static bool forecast(const SeriesSide *side, const Dataset *d, const uint64_t *after, size_t count,
                     Progress *progress, Arena *a, ForecastRow **out, size_t *n, Error *err)
{
    Forecaster *f = forecaster_create(side->bundle, err);
    bool ok = f && add_rows(f, side, d, progress, err) &&
              forecaster_test(f, after, count, a, out, n, err);
    forecaster_destroy(f);
    return ok;
}

/* Horizons of which every step that is known stands in the test part. */
static size_t in_test(ForecastRow *row, size_t n, size_t horizon, const Split *only)
{
    size_t kept = 0;
    for (size_t i = 0; only && i + horizon <= n; i += horizon) {
        bool all = true;
        for (size_t h = 0; h < horizon; h++)
            all = all && (isnan(row[i + h].truth) || split_part(only, row[i + h].row) == PART_TEST);
        for (size_t h = 0; all && h < horizon; h++)
            row[kept++] = row[i + h];
    }
    return only ? kept : n;
}

/* ---- the steps that both said something of ------------------------------------------------------------------ */

static int by_place(const void *left, const void *right)
{
    const ForecastRow *a = left, *b = right;
    if (a->row != b->row)
        return (a->row > b->row) - (a->row < b->row);
    return (a->step > b->step) - (a->step < b->step);
}

/* With a truth, in order. */
static size_t known(ForecastRow *row, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (row[i].row != UINT64_MAX && !isnan(row[i].truth))
            row[kept++] = row[i];
    qsort(row, kept, sizeof *row, by_place);
    return kept;
}

static size_t pair(ForecastRow *a, size_t n, ForecastRow *b, size_t m)
{
    size_t kept = 0;
    for (size_t i = 0, k = 0; i < n; i++) {
        while (k < m && by_place(&b[k], &a[i]) < 0)
            k++;
        if (k == m || by_place(&b[k], &a[i]) != 0)
            continue;
        a[kept] = a[i];
        b[kept++] = b[k];
    }
    return kept;
}

/* ---- what is measured of them ---------------------------------------------------------------------------------- */

static void measure(const SeriesShape *s, const ForecastRow *row, size_t n, double *loss,
                    double *coverage)
{
    double sum = 0, inside = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < s->levels; k++) {
            double e = row[i].truth - row[i].quantile[k], q = (double)s->level[k];
            sum += fmax(q * e, (q - 1) * e) / (double)s->levels;
        }
        inside +=
            row[i].truth >= row[i].quantile[0] && row[i].truth <= row[i].quantile[s->levels - 1];
    }
    *loss = n ? sum / (double)n : (double)NAN;
    *coverage = n ? inside / (double)n : (double)NAN;
}

static double *values(const ForecastRow *row, size_t n, bool truths, Arena *a)
{
    double *v = ARENA_NEW(a, double, n + 1);
    for (size_t i = 0; i < n; i++)
        v[i] = truths ? row[i].truth : row[i].value;
    return v;
}

bool gate_series(const SeriesSide *mine, const SeriesSide *theirs, const Dataset *d,
                 const Split *only, Progress *progress, Arena *a, GateScores *out, Error *err)
{
    ForecastRow *row = NULL, *other = NULL;
    size_t count, n = 0, m = 0;
    uint64_t *after = origins(d, only, series_of(mine)->horizon, &count, err);
    progress_begin(progress, "forecasting", "rows", dataset_rows(d) * (theirs->bundle ? 2 : 1));
    bool ok =
        after && forecast(mine, d, after, count, progress, a, &row, &n, err) &&
        (!theirs->bundle || (forecast(theirs, d, after, count, progress, a, &other, &m, err) ||
                             error_in(err, "the incumbent")));
    mem_free(after);
    if (!ok)
        return false;
    n = known(row, in_test(row, n, series_of(mine)->horizon, only));
    if (theirs->bundle)
        n = pair(row, n, other, known(other, in_test(other, m, series_of(theirs)->horizon, only)));
    if (!n)
        return error_set(
            err, ERROR_USAGE, "there is no row with a whole horizon of %zu steps behind it%s",
            series_of(mine)->horizon, theirs->bundle ? " of which both models say something" : "");
    out->n = n;
    out->value = values(row, n, false, a);
    out->truth = values(row, n, true, a);
    measure(series_of(mine), row, n, &out->quantile_loss[0], &out->coverage[0]);
    if (theirs->bundle) {
        out->other = values(other, n, false, a);
        measure(series_of(theirs), other, n, &out->quantile_loss[1], &out->coverage[1]);
    }
    return true;
}
