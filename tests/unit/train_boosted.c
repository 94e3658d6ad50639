/* Runs of the booster: stopped and gone on, forked, refused, with missing values and categories. */
#include "train_world.h"

#include <math.h>

typedef struct Watch {
    World *w;
    int64_t run;
    bool asked;
} Watch;

static void abort_at_ten(void *context, const RunNews *news)
{
    Watch *watch = context;
    if (watch->asked || news->step < 10)
        return;
    watch->asked = true;
    World *w = watch->w;
    OK(run_command(w->s, watch->run, "abort", "", "", &w->err));
}

static void goes_on_to_the_same_bits(void **state)
{
    World *w = *state;
    const char *settings = "epochs=1200 leaves=15 patience=0 row_share=0.8 min_rows=5";
    int64_t run = submit(w, "gbdt", "FARE", "", settings);
    int64_t whole = submit(w, "gbdt", "FARE", "", settings);
    Watch watch = {.w = w, .run = run};
    OK(run_execute(w->s, run, w->pool, abort_at_ten, &watch, NULL, &w->err));
    RunRow row = run_of(w, run);
    assert_int_equal(row.status, RUN_KILLED);
    assert_true(row.step >= 10 && row.step < 1200);
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    OK(run_execute(w->s, whole, w->pool, NULL, NULL, NULL, &w->err));
    same_curves(w, whole, run);
    same_file(w, whole, run, "bundle/model.safetensors");
}

/* A fork with more rounds is the run that had them from the start. */
static void a_fork_adds_rounds(void **state)
{
    World *w = *state;
    int64_t run = submit(w, "gbdt", "FARE", "", "epochs=12 leaves=7 patience=0");
    int64_t whole = submit(w, "gbdt", "FARE", "", "epochs=30 leaves=7 patience=0");
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    ParamRow more = {"epochs", "30"};
    int64_t fork = run_fork(w->s, run, -1, &more, 1, &w->err);
    OK(fork);
    OK(run_execute(w->s, fork, w->pool, NULL, NULL, NULL, &w->err));
    OK(run_execute(w->s, whole, w->pool, NULL, NULL, NULL, &w->err));
    same_file(w, whole, fork, "bundle/model.safetensors");
}

static void learns_classes_and_stops(void **state)
{
    World *w = *state;
    int64_t run =
        submit(w, "gbdt", "ZONE", "MILES,MINUTES,TIME", "patience=5 class_weight=balanced");
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    RunRow row = run_of(w, run);
    assert_true(row.best_step > 0 && row.best_step <= row.step && row.step <= 500);
    assert_true(isfinite(last_metric(w, run, "test_logloss")));
}

/* A class that counts more is said more often; what does not fit is refused. */
static void weighs_classes(void **state)
{
    World *w = *state;
    static const char *const settings[] = {"epochs=3", "epochs=3 class_weight=yes:1,no:1",
                                           "epochs=3 class_weight=no:9"};
    double loss[3];
    for (size_t i = 0; i < 3; i++) {
        int64_t run = submit(w, "gbdt", "LONG", "MINUTES,TIME", settings[i]);
        OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
        loss[i] = last_metric(w, run, "test_logloss");
    }
    assert_true(loss[0] == loss[1] && loss[2] > loss[0]);
    static const char *const bad[][3] = {
        {"LONG", "epochs=1 class_weight=ye:2", "did you mean yes?"},
        {"LONG", "epochs=1 class_weight=yes", "CLASS:WEIGHT"},
        {"LONG", "epochs=1 class_weight=yes:0", "above 0"}};
    for (size_t i = 0; i < 3; i++) {
        int64_t run = submit(w, "gbdt", bad[i][0], "MILES,MINUTES", bad[i][1]);
        assert_false(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
        if (!strstr(w->err.text, bad[i][2]))
            fail_msg("%s: %s", bad[i][1], w->err.text);
        w->err = (Error){0};
    }
}

static void refuses(World *w, const char *target, const char *key, const char *value, const char *words)
{
    RunSpec spec;
    run_spec_init(&spec, model_family("gbdt"));
    spec.dataset = "trips";
    spec.target = target;
    OK(run_spec_set(&spec, key, value, &w->err));
    says(w, run_submit(w->s, &spec, &w->err), words);
    run_spec_release(&spec);
}

static void goss_is_the_one_to_draw_rows(void **state)
{
    World *w = *state;
    int64_t run = submit(w, "gbdt", "FARE", "MINUTES", "epochs=2 goss=yes row_share=0.5");
    says(w, run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err), "leave row_share=0.5 out");
    run = submit(w, "gbdt", "FARE", "MINUTES", "epochs=2 goss=yes goss_top=0.9 goss_other=0.5");
    says(w, run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err), "together at most 1, not 1.4");
    run = submit(w, "gbdt", "FARE", "MINUTES", "epochs=2 goss=yes goss_top=0.7 goss_other=0.3");
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
}

static void no_run_is_written_down_whose_loss_does_not_fit(void **state)
{
    World *w = *state;
    RunRow *rows;
    size_t n;
    refuses(w, "FARE", "loss", "logistic",
            "loss=logistic does not fit a regression target; these do: squared, absolute, huber, quantile, poisson, "
            "gamma, tweedie");
    refuses(w, "FARE", "loss", "quantiles", "does not fit a regression target; these do: squared");
    refuses(w, "LONG", "loss", "poisson", "loss=poisson does not fit a binary target; these do: logistic");
    refuses(w, "FARE", "class_weight", "balanced", "task=classification");
    OK(store_runs(w->s, &w->a, &rows, &n, &w->err));
    assert_int_equal(n, 0);
    OK(submit(w, "gbdt", "LONG", "MINUTES", "loss=softmax")); /* how many classes train is seen there */
    OK(submit(w, "gbdt", "FARE", "MINUTES", "loss=tweedie"));
}

static void raw_numbers_are_for_trees(void **state)
{
    World *w = *state;
    int64_t run = submit(w, "mlp", "FARE", "MILES,MINUTES", "epochs=1 numbers=raw");
    assert_false(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    assert_non_null(strstr(w->err.text, "numbers=auto"));
}

int main(void)
{
#define EACH(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {EACH(goes_on_to_the_same_bits), EACH(a_fork_adds_rounds),
                                       EACH(learns_classes_and_stops), EACH(weighs_classes),
                                       EACH(no_run_is_written_down_whose_loss_does_not_fit),
                                       EACH(goss_is_the_one_to_draw_rows),
                                       EACH(raw_numbers_are_for_trees)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
