/* recipe_sample.c -- the recipe of the design's text and the one beside the sample months, on both
 * sample months: they bind, fit on training rows, apply, and a month's fit applies to the next. */
#include "recipe_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char dir[] = "/tmp/lathe-sample-XXXXXX";
static Dataset *month[2];
static Pool *pool;

static const char design[] =
    "drop missing FAREAMOUNT, MILEAGE\n"
    "keep FAREAMOUNT between 3 and 200\n"
    "derive distance_km = haversine(ORIGIN_BLOCK_LATITUDE, ORIGIN_BLOCK_LONGITUDE, "
    "DESTINATION_BLOCK_LATITUDE, DESTINATION_BLOCK_LONGITUDE)\n"
    "derive hour = hour(ORIGINDATETIME_TR)\n"
    "clip MILEAGE 0 60\n"
    "impute DURATION median\n"
    "replace PAYMENTTYPE \"1\" \"Credit\"\n"
    "drop outliers FAREAMOUNT iqr 3\n";

static Dataset *open_hash(const char *hash)
{
    char path[200];
    Error err = {0};
    snprintf(path, sizeof path, "%s/%s.arrow", dir, hash);
    Dataset *d = dataset_open(path, &err);
    if (!d)
        fail_msg("%s", err.text);
    return d;
}

static int make(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return 1;
    pool = pool_create(2);
    for (int i = 0; i < 2; i++) {
        Error err = {0};
        char path[400];
        IngestOptions options = {0};
        IngestReport report = {0};
        snprintf(path, sizeof path, "%s/sample-data/taxi_2019_0%d.csv", LATHE_SOURCE_DIR, i + 1);
        params_init(ingest_params, &options);
        bool ok = ingest(path, &options, dir, pool, NULL, NULL, NULL, &report, &err);
        params_release(ingest_params, &options);
        if (!ok) {
            print_error("%s\n", err.text);
            return 1;
        }
        month[i] = open_hash(report.hash);
        ingest_report_release(&report);
    }
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    Error err = {0};
    dataset_close(month[0]);
    dataset_close(month[1]);
    pool_destroy(pool);
    return dir_remove(dir, &err) ? 0 : 1;
}

static Plan *fitted(const Recipe *r, const Dataset *d)
{
    Error err = {0};
    Split split = {.share = {0.7, 0.15, 0.15}, .seed = 1};
    Plan *p = plan_create(r, dataset_schema(d), &err);
    if (!p || !plan_fit(p, d, &split, pool, NULL, &err))
        fail_msg("%s", err.text);
    return p;
}

static void check_columns(const Dataset *clean)
{
    const Profile *profile = dataset_profile(clean);
    const ColumnProfile *fare = profile_find(profile, "FAREAMOUNT");
    const ColumnProfile *km = profile_find(profile, "distance_km");
    const ColumnProfile *hour = profile_find(profile, "hour");
    const ColumnProfile *payment = profile_find(profile, "PAYMENTTYPE");
    assert_true(fare->missing == 0 && fare->least >= 3 && fare->most <= 200);
    assert_true(km->least >= 0 && km->most < 100 && km->mean > 1 && km->mean < 20);
    assert_true(hour->least == 0 && hour->most == 23);
    assert_int_equal(profile_find(profile, "DURATION")->missing, 0);
    assert_true(profile_find(profile, "MILEAGE")->most <= 60);
    bool credit = false;
    for (size_t i = 0; i < payment->tops; i++) {
        credit |= strcmp(payment->top[i].value, "Credit") == 0;
        assert_string_not_equal(payment->top[i].value, "1");
    }
    assert_true(credit);
}

static void test_design(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        Error err = {0};
        ApplyReport report;
        Recipe *r = recipe_create();
        assert_true(recipe_parse(r, design, &err));
        Plan *p = fitted(r, month[i]);
        if (!plan_apply_dataset(p, month[i], dir, pool, NULL, &report, &err))
            fail_msg("%s", err.text);
        assert_int_equal(report.rows_in, dataset_rows(month[i]));
        assert_true(report.rows_out > report.rows_in * 8 / 10 && report.rows_out < report.rows_in);
        assert_true(report.effect[5].touched > 0 && report.effect[6].touched > 0);
        Dataset *clean = open_hash(report.hash);
        check_columns(clean);
        dataset_close(clean);
        plan_destroy(p);
        /* the expectation of the design's text does not hold before the other codes have words */
        assert_true(
            recipe_insert(r, 8, "expect PAYMENTTYPE in (\"Credit\", \"Cash\") mostly 0.99", &err));
        p = fitted(r, month[i]);
        assert_false(plan_measure(p, month[i], pool, NULL, &report, &err));
        assert_true(text_starts(err.text, "line 9: 'expect PAYMENTTYPE in"));
        plan_destroy(p);
        recipe_destroy(r);
    }
}

static void test_sample_recipe(void **state)
{
    (void)state;
    Error err = {0};
    ApplyReport report;
    Recipe *r = recipe_create();
    if (!recipe_read(r, LATHE_SOURCE_DIR "/sample-data/taxi.recipe", &err))
        fail_msg("%s", err.text);
    Plan *p = fitted(r, month[0]);
    for (int i = 0; i < 2; i++) {
        if (!plan_apply_dataset(p, month[i], dir, pool, NULL, &report, &err))
            fail_msg("%s", err.text);
        Dataset *clean = open_hash(report.hash);
        check_columns(clean);
        dataset_close(clean);
    }
    plan_destroy(p);
    recipe_destroy(r);
}

/* One row scored alone is the row of the batch. */
static void test_single_rows(void **state)
{
    (void)state;
    Error err = {0};
    Arena a = {0}, one = {0};
    Recipe *r = recipe_create();
    assert_true(recipe_parse(r, design, &err));
    Plan *p = fitted(r, month[0]);
    Chunk chunk, batch;
    dataset_chunk(month[1], 0, &a, &chunk);
    assert_true(plan_apply(p, NULL, &chunk, &a, &batch, &err));
    for (size_t i = 0; i < batch.rows; i += 97) {
        Chunk row, out;
        arena_reset(&one);
        chunk_slice(&chunk, (size_t)(chunk_origin(&batch, i) - chunk.first), 1, &one, &row);
        assert_true(plan_apply(p, NULL, &row, &one, &out, &err));
        assert_int_equal(out.rows, 1);
        for (size_t k = 0; k < out.columns; k++)
            assert_true(same_value(&batch.column[k], i, &out.column[k], 0));
    }
    plan_destroy(p);
    recipe_destroy(r);
    arena_release(&one);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_design),
        cmocka_unit_test(test_sample_recipe),
        cmocka_unit_test(test_single_rows),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
