/* test_series.c -- the test of a family of series: what the bundle would have said after each row of the
 * test part, against what came.
 *
 *     test_rmse, test_mae ...  the middle quantile, over all steps of all horizons
 *     test_quantile_loss       mean over steps and levels of max(q (y - o), (q - 1) (y - o))
 *     test_coverage            share of truths from the lowest to the highest quantile
 *     test_coverage_expected   what the levels promise
 *     test_mae_last            of saying the last known value for all steps
 *     test_mae_before          of saying the horizon before once more: for 24 hours, yesterday */
#include "train_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static bool add_rows(Job *j, Forecaster *f, size_t first_plan, Error *err)
{
    Arena a = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < dataset_chunks(j->dataset); i++) {
        Chunk c;
        ok = dataset_read(j->dataset, i, &a, &c, err) && forecaster_add(f, &c, first_plan, err);
        arena_reset(&a);
    }
    arena_release(&a);
    return ok && dataset_sound(j->dataset, err);
}

static void put(Job *j, const char *name, double value, json_t *numbers)
{
    const char *key = arena_printf(&j->arena, "test_%s", name);
    if (!isfinite(value))
        return;
    record_add(j, key, value);
    json_object_set_new(numbers, key, json_real(value));
}

static double quantile_loss(const SeriesShape *s, const ForecastRow *r)
{
    double sum = 0;
    for (size_t k = 0; k < s->levels; k++) {
        double e = r->truth - r->quantile[k], q = (double)s->level[k];
        sum += fmax(q * e, (q - 1) * e);
    }
    return sum / (double)s->levels;
}

/* The quantiles against what came. */
static void put_quantiles(Job *j, const ForecastRow *row, size_t n, json_t *numbers)
{
    const SeriesShape *s = features_shape(j->features)->series;
    double loss = 0, inside = 0, known = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(row[i].truth))
            continue;
        loss += quantile_loss(s, &row[i]);
        inside +=
            row[i].truth >= row[i].quantile[0] && row[i].truth <= row[i].quantile[s->levels - 1];
        known++;
    }
    put(j, "quantile_loss", loss / known, numbers);
    put(j, "coverage", inside / known, numbers);
    put(j, "coverage_expected", (double)(s->level[s->levels - 1] - s->level[0]), numbers);
}

/* What needs no model, on the same windows. */
static void put_plain(Job *j, json_t *numbers)
{
    const Batch *test = &j->table.part[PART_TEST];
    const SeriesShape *s = features_shape(j->features)->series;
    double last = 0, before = 0, known = 0;
    for (size_t i = 0; i < test->rows; i++) {
        double now = features_target_value(j->features,
                                           (double)series_place(test->series, test->at[i]).target);
        for (size_t h = 1; h <= s->horizon; h++) {
            float target = test->target[i * s->horizon + h - 1];
            size_t back = s->horizon - h; /* from the last known step */
            SeriesPlace was =
                series_place(test->series, test->at[i] - (uint32_t)(back < test->at[i] ? back : 0));
            if (isnan(target) || isnan(was.target))
                continue;
            double truth = features_target_value(j->features, (double)target);
            last += fabs(now - truth);
            before += fabs(features_target_value(j->features, (double)was.target) - truth);
            known++;
        }
    }
    put(j, "mae_last", last / known, numbers);
    put(j, "mae_before", before / known, numbers);
}

static bool measure(Job *j, const ForecastRow *row, size_t n, json_t *numbers, Error *err)
{
    double *value = mem_try((n + 1) * sizeof *value, err), *truth = NULL;
    truth = value ? mem_try((n + 1) * sizeof *truth, err) : NULL;
    size_t known = 0;
    for (size_t i = 0; truth && i < n; i++) {
        if (isnan(row[i].truth))
            continue;
        value[known] = row[i].value;
        truth[known++] = row[i].truth;
    }
    if (truth) {
        finish_metrics(j, value, truth, known, numbers);
        put_quantiles(j, row, n, numbers);
        put_plain(j, numbers);
    }
    mem_free(value);
    mem_free(truth);
    return truth != NULL;
}

bool test_series(Job *j, Bundle *b, size_t first_plan, json_t *numbers, Error *err)
{
    Arena a = {0};
    ForecastRow *row;
    size_t n;
    Forecaster *f = forecaster_create(b, err);
    bool ok = f && add_rows(j, f, first_plan, err) &&
              forecaster_test(f, j->table.row[PART_TEST], j->table.part[PART_TEST].rows, &a, &row,
                              &n, err) &&
              measure(j, row, n, numbers, err);
    forecaster_destroy(f);
    arena_release(&a);
    return ok;
}
