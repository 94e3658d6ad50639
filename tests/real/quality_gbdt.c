/* quality_gbdt -- what the booster's defaults reach on data no one here wrote (../shared/data; skipped
 * without). Means of three seeds:
 *
 *     California housing, 64/16/20, median_house_value    test RMSE 47,000 or better
 *     Adult, income, the published test file              accuracy 0.870, AUC 0.923 or better */
#include "quality.h"

static void boosted_california(void **state)
{
    World *w = *state;
    double sum = 0;
    ingest_as(w, "california_housing.csv", "housing");
    for (int64_t seed = 1; seed <= 3; seed++)
        sum += seeded(w, "gbdt", "housing", "median_house_value", "", "", "64/16/20", "test_rmse", seed);
    printf("housing gbdt: mean test_rmse %.0f\n", sum / 3);
    assert_true(sum / 3 <= 47000);
}

static const char *last_column(World *w, const char *data)
{
    DatasetRow d;
    ColumnRow *c;
    size_t n;
    OK(store_dataset_find(w->s, data, &w->a, &d, &w->err));
    OK(store_dataset_columns(w->s, d.hash, &w->a, &c, &n, &w->err));
    assert_int_equal(n, 15);
    assert_int_equal(d.rows, 32561); /* no header line */
    return c[14].name;
}

static int64_t adult_run(World *w, int64_t seed, const char *target)
{
    RunSpec spec;
    run_spec_init(&spec, model_family("gbdt"));
    spec.dataset = "adult", spec.target = target, spec.split = "85/15/0", spec.seed = seed;
    int64_t run = run_submit(w->s, &spec, &w->err);
    OK(run);
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    run_spec_release(&spec);
    return run;
}

/* The published test file, whose labels end in a dot, through the bundle. */
static void score_published(World *w, int64_t run, const char *target, double *accuracy,
                            double *auc)
{
    const char *path;
    DatasetRow row;
    double value[16281], truth[16281], right = 0;
    size_t n = 0;
    OK(run_bundle_path(w->s, run, &w->a, &path, &w->err));
    OK(store_dataset_find(w->s, "published", &w->a, &row, &w->err));
    Bundle *b = bundle_open(path, w->pool, &w->err);
    Dataset *d = dataset_open(store_path(w->s, &w->a, "datasets/%s.arrow", row.hash), &w->err);
    OK(b && d && dataset_rows(d) == 16281);
    for (size_t i = 0; i < dataset_chunks(d); i++) {
        Chunk c;
        Prediction *p;
        dataset_chunk(d, i, &w->a, &c);
        OK(bundle_score(b, &c, 0, &w->a, &p, &w->err));
        const Column *label = chunk_find(&c, target);
        for (size_t k = 0; k < c.rows; k++, n++) {
            size_t length;
            truth[n] = *column_text(label, k, &length) == '>';
            value[n] = p[k].value;
            right += p[k].class == (truth[n] > 0);
        }
    }
    double area = metric_find("auc")->score(value, truth, n, 2);
    printf("adult gbdt: accuracy %.4f, auc %.4f  (%lld steps)\n", right / (double)n, area,
           (long long)run_of(w, run).step);
    *accuracy += right / (double)n;
    *auc += area;
    bundle_close(b);
    dataset_close(d);
}

static void boosted_adult(void **state)
{
    World *w = *state;
    double accuracy = 0, auc = 0;
    ingest_as(w, "adult_train.csv", "adult");
    ingest_as(w, "adult_test.csv", "published");
    const char *target = last_column(w, "adult");
    for (int64_t seed = 1; seed <= 3; seed++)
        score_published(w, adult_run(w, seed, target), target, &accuracy, &auc);
    printf("adult gbdt: mean test_accuracy %.4f, test_auc %.4f\n", accuracy / 3, auc / 3);
    assert_true(accuracy / 3 >= .870 && auc / 3 >= .923);
}

int main(void)
{
    if (!file_exists(LATHE_REAL_DATA "/california_housing.csv"))
        return 77;
#define EACH(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {EACH(boosted_california), EACH(boosted_adult)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
