/* drift_report.c -- whole reports on made-up months: what drifted and what did not, roles, notes,
 * predictions and errors of a model, the same bits on any threads, JSON. */
#include "drift/drift_int.h"
#include "made_table.h"

static char dir[64];
static Dataset *january, *alike, *moved;

static int open_months(void **state)
{
    (void)state;
    made_folder(dir, sizeof dir);
    january = made_dataset(dir, &(MadeTable){.rows = 9000, .seed = 1});
    alike = made_dataset(dir, &(MadeTable){.rows = 7000, .seed = 2});
    moved = made_dataset(
        dir, &(MadeTable){.rows = 7000, .seed = 3, .shift = 1.0, .city = "K\xc3\xb6ln"});
    return 0;
}

static int close_months(void **state)
{
    (void)state;
    dataset_close(january);
    dataset_close(alike);
    dataset_close(moved);
    return dir_remove(dir, NULL) ? 0 : -1;
}

static DriftReport *must_report(const Dataset *r, const Dataset *c, const DriftOptions *o,
                                Pool *pool)
{
    Error err = {0};
    DriftReport *report = drift_report(r, c, o, pool, NULL, &err);
    if (!report)
        fail_msg("%s", err.text);
    return report;
}

static const DriftColumn *column(const DriftReport *r, const char *name)
{
    for (size_t i = 0; i < r->columns; i++)
        if (strcmp(r->column[i].name, name) == 0)
            return &r->column[i];
    return NULL;
}

static void shares_are_whole(const DriftReport *r)
{
    for (size_t i = 0; i < r->columns; i++) {
        const DriftColumn *c = &r->column[i];
        double reference = 0.0, current = 0.0;
        if (isnan(c->statistic))
            continue;
        assert_in_range(c->bins, 1, DRIFT_BINS);
        for (size_t k = 0; k < c->bins; k++) {
            reference += c->reference_share[k];
            current += c->current_share[k];
        }
        if (fabs(reference - 1.0) > 1e-9 || fabs(current - 1.0) > 1e-9)
            fail_msg("%s: shares sum to %g and %g", c->name, reference, current);
        assert_true(c->binning[0]);
    }
}

static void months_alike(void **state)
{
    (void)state;
    DriftReport *r = must_report(january, alike, &(DriftOptions){.target = "fare"}, NULL);
    assert_false(r->dataset_drifted);
    assert_int_equal(r->drifted, 0);
    static const char *const left_out[] = {"id", "driver", "at", "same", "row"};
    for (size_t i = 0; i < 5; i++)
        assert_null(column(r, left_out[i]));
    assert_int_equal(r->columns, 6);
    assert_string_equal(column(r, "fare")->role, "target");
    assert_string_equal(column(r, "miles")->role, "feature");
    assert_string_equal(column(r, "miles")->test->name, "wasserstein");
    assert_string_equal(column(r, "seats")->test->name, "jensen_shannon");
    assert_string_equal(column(r, "seats")->binning, "values");
    assert_string_equal(column(r, "city")->test->name, "jensen_shannon");
    assert_string_equal(column(r, "city")->note, "");
    assert_int_equal(column(r, "seats")->bins, 4);
    assert_int_equal(column(r, "miles")->reference_n + column(r, "miles")->reference_missing, 9000);
    assert_true(column(r, "miles")->reference_missing > 350);
    assert_string_equal(r->reference, dataset_hash(january));
    assert_int_equal(r->current_rows, 7000);
    shares_are_whole(r);
    drift_report_destroy(r);
}

static void a_month_that_moved(void **state)
{
    (void)state;
    DriftReport *r = must_report(january, moved, &(DriftOptions){.target = "fare"}, NULL);
    assert_true(column(r, "miles")->drifted);
    assert_true(column(r, "city")->drifted);
    assert_true(column(r, "fare")->drifted); /* it follows the miles */
    assert_false(column(r, "seats")->drifted);
    assert_false(column(r, "night")->drifted);
    assert_string_equal(column(r, "city")->note, "new: K\xc3\xb6ln; gone: Ulm");
    assert_true(r->column[0].drifted && !r->column[r->columns - 1].drifted);
    assert_true(r->dataset_drifted == (r->share >= 0.5));
    assert_true(r->share == (double)r->drifted / (double)r->columns);
    /* exp(normal) moved by 1: W1 is 1, the deviation of the reference sqrt((e-1) e) = 2.16 */
    assert_true(fabs(column(r, "miles")->statistic - 1.0 / 2.16) < 0.05);
    assert_true(fabs(column(r, "miles")->current_mean - column(r, "miles")->reference_mean - 1.0) <
                0.1);
    shares_are_whole(r);
    drift_report_destroy(r);
    r = must_report(january, moved, &(DriftOptions){.share = 0.2}, NULL);
    assert_true(r->dataset_drifted);
    drift_report_destroy(r);
}

static void small_references_are_tested(void **state)
{
    (void)state;
    Dataset *few = made_dataset(dir, &(MadeTable){.rows = 800, .seed = 4});
    /* the chi-square rule takes the reference for the truth: it should not be the smaller one */
    Dataset *fewer = made_dataset(
        dir, &(MadeTable){.rows = 300, .seed = 5, .shift = 1.0, .city = "K\xc3\xb6ln"});
    DriftReport *r = must_report(few, fewer, &(DriftOptions){0}, NULL);
    assert_string_equal(column(r, "miles")->test->name, "ks");
    assert_string_equal(column(r, "seats")->test->name, "chi_square");
    assert_string_equal(column(r, "night")->test->name, "z_proportion");
    assert_true(column(r, "miles")->drifted && column(r, "miles")->statistic < 1e-20);
    assert_true(column(r, "city")->statistic == 0.0); /* a label the reference never had */
    assert_false(column(r, "seats")->drifted);
    drift_report_destroy(r);
    dataset_close(few);
    dataset_close(fewer);
}

static void a_test_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; drift_tests[i] && drift_tests[i]->kinds != DRIFT_KIND_TABLE; i++) {
        DriftReport *r =
            must_report(january, alike, &(DriftOptions){.test = drift_tests[i]->name}, NULL);
        assert_ptr_equal(column(r, "miles")->test, drift_tests[i]);
        bool fits = drift_tests[i]->kinds & DRIFT_KIND_LABEL;
        assert_string_equal(column(r, "city")->test->name,
                            fits ? drift_tests[i]->name : "jensen_shannon");
        shares_are_whole(r);
        if (drift_tests[i]->binned)
            assert_true(text_starts(column(r, "miles")->binning, "Sturges, 15 bins"));
        drift_report_destroy(r);
    }
}

static void named_columns_only(void **state)
{
    (void)state;
    const char *const names[] = {"at", "seats"};
    DriftReport *r = must_report(january, moved,
                                 &(DriftOptions){.columns = names, .n = 2, .target = "fare"}, NULL);
    assert_int_equal(r->columns, 3);
    assert_non_null(column(r, "at"));
    assert_string_equal(column(r, "fare")->role, "target");
    drift_report_destroy(r);
}

static void a_vanished_column(void **state)
{
    (void)state;
    Dataset *lost = made_dataset(dir, &(MadeTable){.rows = 500, .seed = 5, .no_miles = true});
    DriftReport *r = must_report(january, lost, &(DriftOptions){0}, NULL);
    assert_string_equal(r->column[0].name, "miles");
    assert_true(isnan(r->column[0].statistic) && r->column[0].drifted);
    assert_string_equal(r->column[0].note, "no values in current");
    json_t *json = drift_report_to_json(r);
    const json_t *first = json_array_get(json_object_get(json, "columns"), 0);
    assert_true(json_is_null(json_object_get(first, "statistic")));
    json_decref(json);
    drift_report_destroy(r);
    dataset_close(lost);
}

/* Thousands of labels, a few rows each: chance alone would look like drift. */
static void rare_labels_are_taken_together(void **state)
{
    (void)state;
    Gathered g[2];
    const char *name[3000];
    double count[2][3000];
    Rng rng;
    rng_seed(&rng, 6, 0);
    for (int i = 0; i < 3000; i++) {
        name[i] = text_copy(((char[16]){'l', (char)('a' + i % 26), (char)('a' + i / 26 % 26),
                                        (char)('a' + i / 676), 0}));
        count[0][i] = count[1][i] = 0.0;
    }
    for (int side = 0; side < 2; side++) {
        for (int row = 0; row < 9000; row++)
            count[side][rng_below(&rng, 3000)]++;
        gather_labels(&g[side], name, count[side], 3000, 0);
    }
    DriftColumn c = {0};
    column_judge(&c, &g[0], &g[1], NULL, NULL);
    assert_false(c.drifted);
    assert_true(text_starts(c.binning, "89 labels, 2"));
    count[1][0] += 900; /* one label that really grew is still seen */
    gathered_release(&g[1]);
    gather_labels(&g[1], name, count[1], 3000, 0);
    c = (DriftColumn){0};
    column_judge(&c, &g[0], &g[1], NULL, NULL);
    assert_true(c.drifted);
    for (int side = 0; side < 2; side++)
        gathered_release(&g[side]);
    for (int i = 0; i < 3000; i++)
        mem_free((char *)name[i]);
}

static char *json_text(const DriftReport *r)
{
    json_t *json = drift_report_to_json(r);
    assert_non_null(json);
    char *text = json_dumps(json, JSON_SORT_KEYS);
    json_decref(json);
    return text;
}

/* Several at a time: the first that fits decides, and each says what it says alone. */
static void several_tests(void **state)
{
    (void)state;
    DriftReport *all =
        must_report(january, moved,
                    &(DriftOptions){.test = "ks, chi_square,wasserstein,psi_deciles,psi"}, NULL);
    size_t compared = 0;
    for (size_t i = 0; drift_tests[i]; i++) {
        if (!drift_tests[i]->score)
            continue;
        DriftReport *one =
            must_report(january, moved, &(DriftOptions){.test = drift_tests[i]->name}, NULL);
        for (size_t k = 0; k < all->columns; k++) {
            const DriftColumn *c = &all->column[k], *alone = column(one, c->name);
            for (size_t j = 0; j <= c->more; j++) {
                const DriftTest *t = j ? c->also[j - 1].test : c->test;
                if (t != drift_tests[i])
                    continue;
                compared++;
                assert_true((j ? c->also[j - 1].statistic : c->statistic) == alone->statistic);
                assert_int_equal(j ? c->also[j - 1].drifted : c->drifted, alone->drifted);
            }
        }
        drift_report_destroy(one);
    }
    assert_string_equal(column(all, "fare")->test->name, "ks");
    assert_int_equal(column(all, "fare")->more, 3); /* counts of single values say nothing of it */
    assert_string_equal(column(all, "city")->test->name, "chi_square");
    assert_int_equal(column(all, "city")->more, 2);
    assert_true(compared > 10);
    char *text = json_text(all);
    json_t *json = json_loads(text, 0, NULL);
    Error err = {0};
    DriftReport *again = drift_report_from_json(json, &err);
    assert_non_null(again);
    char *second = json_text(again);
    assert_string_equal(text, second);
    json_decref(json);
    free(text);
    free(second);
    drift_report_destroy(again);
    drift_report_destroy(all);
}

static void json_round_trip(void **state)
{
    (void)state;
    DriftReport *r =
        must_report(january, moved, &(DriftOptions){.target = "fare", .test = "psi"}, NULL);
    char *text = json_text(r);
    json_t *json = json_loads(text, 0, NULL);
    Error err = {0};
    DriftReport *again = drift_report_from_json(json, &err);
    if (!again)
        fail_msg("%s", err.text);
    char *second = json_text(again);
    assert_string_equal(text, second);
    for (size_t i = 0; i < r->columns; i++)
        assert_true(r->column[i].statistic == again->column[i].statistic);
    json_t *columns = json_object_get(json, "columns");
    json_object_set_new(json_array_get(columns, 1), "test", json_string("nonsense"));
    assert_null(drift_report_from_json(json, &err));
    assert_non_null(strstr(err.text, "no drift test 'nonsense'"));
    json_object_del(json, "columns");
    assert_null(drift_report_from_json(json, &err));
    json_decref(json);
    free(text);
    free(second);
    drift_report_destroy(r);
    drift_report_destroy(again);
}

static void same_bits_on_any_threads(void **state)
{
    (void)state;
    Pool *pool = pool_create(3);
    DriftReport *one = must_report(january, moved, &(DriftOptions){0}, NULL);
    DriftReport *three = must_report(january, moved, &(DriftOptions){0}, pool);
    char *a = json_text(one), *b = json_text(three);
    assert_string_equal(a, b);
    free(a);
    free(b);
    drift_report_destroy(one);
    drift_report_destroy(three);
    pool_destroy(pool);
}

static void expect_error(const Dataset *r, const Dataset *c, const DriftOptions *o,
                         const char *message)
{
    Error err = {0};
    assert_null(drift_report(r, c, o, NULL, NULL, &err));
    if (!strstr(err.text, message))
        fail_msg("expected '%s' in '%s'", message, err.text);
}

static void clear_errors(void **state)
{
    (void)state;
    Dataset *empty = made_dataset(dir, &(MadeTable){.rows = 0});
    const char *const wrong[] = {"mile"};
    expect_error(january, alike, &(DriftOptions){.test = "psy"}, "did you mean psi?");
    expect_error(january, alike, &(DriftOptions){.test = "ks,psy"}, "did you mean psi?");
    expect_error(january, alike, &(DriftOptions){.test = "ks,psi", .nannyml = true},
                 "one test alone");
    expect_error(january, alike, &(DriftOptions){.test = "ks,domain_classifier"}, "one test alone");
    expect_error(january, alike, &(DriftOptions){.target = "farre"}, "did you mean fare?");
    expect_error(january, alike, &(DriftOptions){.columns = wrong, .n = 1}, "did you mean miles?");
    expect_error(january, alike, &(DriftOptions){.share = 1.5}, "expected 0 to 1");
    expect_error(january, empty, &(DriftOptions){0}, "the current table has no rows");
    expect_error(empty, alike, &(DriftOptions){0}, "the reference table has no rows");
    dataset_close(empty);
    Progress p = {0};
    Error err = {0};
    stop_ask(&p.stop);
    assert_null(drift_report(january, alike, &(DriftOptions){0}, NULL, &p, &err));
    assert_int_equal(err.kind, ERROR_STOP);
}

/* ---- with a model ---- */

static Bundle *train(const char *target, double *error, const Dataset *judged)
{
    static const Split all = {.share = {1.0, 0.0, 0.0}};
    Error err = {0};
    FeatureTable table;
    Features *f = features_fit(january, NULL, &all, target, NULL, 0, NULL, NULL, NULL, &err);
    assert_non_null(f);
    assert_true(feature_table_create(&table, f, january, NULL, &all, NULL, NULL, &err));
    const ModelFamily *linear = model_family("linear");
    void *params = mem_alloc(linear->params_size);
    params_init(linear->params, params);
    ModelSetup setup = {.seed = 1,
                        .batch_most = 100,
                        .optimizer = 1,
                        .beta1 = 0.9,
                        .beta2 = 0.999,
                        .epsilon = 1e-8};
    Model *m = model_create(linear, params, features_shape(f), &setup, &err);
    const ModelShape *s = features_shape(f);
    const Batch *b = &table.part[PART_TRAIN];
    for (size_t at = 0; at + 100 <= b->rows; at += 100) {
        StepStats stats;
        Batch some = batch_slice(b, s, at, 100);
        assert_true(model_step(m, &some, &(Knobs){.lr = 0.02}, &stats, &err));
    }
    feature_table_release(&table);
    /* the error on `judged`, the other way round: encoded table, loss in standardised units */
    assert_true(feature_table_create(&table, f, judged, NULL, &all, NULL, NULL, &err));
    float *out = mem_alloc(b->rows * s->outputs * sizeof *out);
    model_predict(m, b, out);
    *error = model_loss(m, b, out);
    if (s->task == TASK_REGRESSION) { /* the squared loss is half the square, or the square */
        double sum = 0.0;
        for (size_t i = 0; i < b->rows; i++)
            sum += pow((double)(out[i] - b->target[i]), 2.0);
        *error = sqrt(sum / (double)b->rows) * features_target_scale(f);
    }
    mem_free(out);
    feature_table_release(&table);
    char path[128];
    snprintf(path, sizeof path, "%s/model-%s", dir, target);
    BundleParts parts = {.schema = dataset_schema(january),
                         .features = f,
                         .model = m,
                         .params = params,
                         .profile = dataset_profile(january)};
    if (!bundle_save(path, &parts, &err))
        fail_msg("%s", err.text);
    model_destroy(m);
    params_release(linear->params, params);
    mem_free(params);
    features_destroy(f);
    Bundle *bundle = bundle_open(path, NULL, &err);
    assert_non_null(bundle);
    return bundle;
}

static void predictions_and_error(void **state)
{
    (void)state;
    static const char *const targets[] = {"fare", "night", "city"};
    static const char *const metrics[] = {"rmse", "logloss", "logloss"};
    for (size_t i = 0; i < 3; i++) {
        double error;
        Bundle *b = train(targets[i], &error, alike);
        DriftReport *r = must_report(january, alike, &(DriftOptions){.bundle = b}, NULL);
        char name[64];
        snprintf(name, sizeof name, "prediction of %s", targets[i]);
        const DriftColumn *p = column(r, name);
        assert_non_null(p);
        assert_string_equal(p->role, "prediction");
        assert_string_equal(column(r, targets[i])->role, "target");
        assert_false(p->drifted);
        assert_true(r->has_error);
        assert_string_equal(r->metric, metrics[i]);
        assert_true(fabs(r->current_error - error) < 1e-4 * error);
        assert_true(fabs(r->reference_error / r->current_error - 1.0) < 0.2);
        shares_are_whole(r);
        drift_report_destroy(r);
        bundle_close(b);
    }
    double error;
    Bundle *b = train("fare", &error, alike);
    DriftReport *r = must_report(january, moved, &(DriftOptions){.bundle = b}, NULL);
    assert_true(column(r, "prediction of fare")->drifted);
    drift_report_destroy(r);
    bundle_close(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(months_alike),
        cmocka_unit_test(a_month_that_moved),
        cmocka_unit_test(small_references_are_tested),
        cmocka_unit_test(a_test_by_name),
        cmocka_unit_test(named_columns_only),
        cmocka_unit_test(a_vanished_column),
        cmocka_unit_test(rare_labels_are_taken_together),
        cmocka_unit_test(several_tests),
        cmocka_unit_test(json_round_trip),
        cmocka_unit_test(same_bits_on_any_threads),
        cmocka_unit_test(clear_errors),
        cmocka_unit_test(predictions_and_error),
    };
    return cmocka_run_group_tests(tests, open_months, close_months);
}
