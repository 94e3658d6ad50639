/* train_slices.c -- the validation error by the values of a column, after each epoch. */
#include "train_world.h"

typedef struct Curve {
    double at[64];
    size_t n;
} Curve;

static Curve curve(World *w, int64_t run, const char *key)
{
    Curve c = {.n = 0};
    MetricPoint *p;
    size_t n;
    int64_t cursor = 0;
    OK(store_metrics_since(w->s, run, NULL, &cursor, &w->a, &p, &n, &w->err));
    for (size_t i = 0; i < n; i++)
        if (text_equal(p[i].key, key) && c.n < 64)
            c.at[c.n++] = p[i].value;
    return c;
}

/* The squares of the slices' errors, weighed by their shares, are that of all rows: the share that follows from one
 * epoch is that of every other. */
static void slices_make_up_the_whole(void **state)
{
    World *w = *state;
    int64_t run =
        submit(w, "linear", "FARE", "MILES,MINUTES", "epochs=8 batch=64 patience=0 slice=TIME");
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    Curve all = curve(w, run, "val_rmse"), day = curve(w, run, "val_slice day"),
          night = curve(w, run, "val_slice night");
    assert_int_equal(all.n, 8);
    assert_int_equal(day.n, 8);
    assert_int_equal(night.n, 8);
    double first = 0;
    for (size_t i = 0; i < 8; i++) {
        double d = day.at[i] * day.at[i], n = night.at[i] * night.at[i], v = all.at[i] * all.at[i];
        if (fabs(d - n) < 1e-3 * v) /* alike: any share fits */
            continue;
        double share = (v - n) / (d - n);
        assert_true(share > 0 && share < 1);
        if (first > 0 && fabs(share - first) > 1e-6)
            fail_msg("share %.9g in epoch %zu, %.9g before", share, i, first);
        first = share;
    }
    assert_true(first > 0);
}

static void numbers_are_cut_into_quarters(void **state)
{
    World *w = *state;
    int64_t run =
        submit(w, "linear", "FARE", "MINUTES", "epochs=5 batch=64 patience=0 slice=MILES");
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    MetricPoint *p;
    size_t n, slices = 0;
    int64_t cursor = 0;
    double squares = 0, all = last_metric(w, run, "val_rmse");
    char first[64] = "", last[64] = "";
    OK(store_metrics_since(w->s, run, NULL, &cursor, &w->a, &p, &n, &w->err));
    for (size_t i = 0; i < n; i++)
        if (text_starts(p[i].key, "val_slice ") && p[i].step == run_of(w, run).step) {
            squares += p[i].value * p[i].value;
            if (!slices++)
                snprintf(first, sizeof first, "%s", p[i].key);
            snprintf(last, sizeof last, "%s", p[i].key);
        }
    assert_int_equal(slices, 4);
    assert_true(text_starts(first, "val_slice below "));
    assert_true(text_starts(last, "val_slice from "));
    assert_true(fabs(squares / 4 / (all * all) - 1) <
                .02); /* quarters have equally many rows, up to one */
}

static void classes_have_slices_too(void **state)
{
    World *w = *state;
    int64_t run =
        submit(w, "mlp", "ZONE", "MILES,MINUTES,TIME", "epochs=3 batch=64 hidden=16 slice=TIME");
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    double all = last_metric(w, run, "val_logloss"), day = last_metric(w, run, "val_slice day"),
           night = last_metric(w, run, "val_slice night");
    assert_true(fmin(day, night) <= all && all <= fmax(day, night));
}

static void a_column_that_is_not_there_is_refused(void **state)
{
    World *w = *state;
    RunSpec spec;
    run_spec_init(&spec, model_family("linear"));
    OK(run_spec_set(&spec, "slice", "TIMES", &w->err));
    spec.dataset = "trips", spec.target = "FARE";
    says(w, run_submit(w->s, &spec, &w->err) != 0, "did you mean TIME?");
    run_spec_release(&spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(slices_make_up_the_whole, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(numbers_are_cut_into_quarters, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(classes_have_slices_too, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_column_that_is_not_there_is_refused, world_setup,
                                        world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
