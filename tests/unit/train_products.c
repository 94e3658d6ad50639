/* Who multiplies matrices is recorded with the run, kept over a kill, and refused in one line where it is
 * missing; bf16 learns the trips as well as float32. */
#include "train_world.h"
#include "train/train_int.h"

#include <lathe/nn.h>

#define FEATURES "MILES,MINUTES,TIME"

static const char *recorded(World *w, int64_t run, const char *key)
{
    ParamRow *p;
    size_t n;
    OK(store_run_params(w->s, run, &w->a, &p, &n, &w->err));
    for (size_t i = 0; i < n; i++)
        if (text_equal(p[i].key, key))
            return p[i].value;
    return "";
}

static void ask_abort(void *context, const RunNews *news)
{
    World *w = context;
    if (text_equal(news->kind, "epoch") && news->epoch == 3)
        OK(run_command(w->s, news->run, "abort", "", "", &w->err));
}

static void kept_over_an_abort(void **state)
{
    World *w = *state;
    for (int p = 0; p < PRODUCTS_COUNT; p++) {
        if (!products_there((Products)p, PRECISION_FLOAT32, NULL))
            continue;
        int64_t run[2];
        char settings[120];
        snprintf(settings, sizeof settings,
                 "epochs=150 batch=50 hidden=64,64 patience=0 products=%s", products_names[p]);
        for (int i = 0; i < 2; i++) {
            run[i] = submit(w, "mlp", "FARE", FEATURES, settings);
            OK(run_execute(w->s, run[i], w->pool, i ? ask_abort : NULL, w, NULL, &w->err));
        }
        assert_int_equal(run_of(w, run[1]).status, RUN_KILLED);
        assert_string_equal(recorded(w, run[1], "products"), products_names[p]);
        OK(run_execute(w->s, run[1], w->pool, NULL, NULL, NULL, &w->err));
        same_curves(w, run[0], run[1]);
        same_file(w, run[0], run[1], "bundle/model.safetensors");
    }
}

static void missing_is_refused(void **state)
{
    World *w = *state;
    RunSpec spec;
    run_spec_init(&spec, model_family("mlp"));
    spec.dataset = "trips", spec.target = "FARE", spec.features = FEATURES;
    OK(run_spec_set(&spec, "precision", "bf16", &w->err));
    says(w, run_submit(w->s, &spec, &w->err), "precision=bf16 needs products=onednn");
    OK(run_spec_set(&spec, "precision", "float32", &w->err));
    OK(run_spec_set(&spec, "products", "onednn", &w->err));
    if (!products_there(PRODUCTS_ONEDNN, PRECISION_FLOAT32, NULL))
        says(w, run_submit(w->s, &spec, &w->err), "built without oneDNN");
    run_spec_release(&spec);
    /* written where it was there, gone on with where it is not: the run stays as it is */
    int64_t run = submit(w, "mlp", "FARE", FEATURES, "epochs=2");
    ParamRow *p;
    size_t n;
    OK(store_run_params(w->s, run, &w->a, &p, &n, &w->err));
    for (size_t i = 0; i < n; i++)
        if (text_equal(p[i].key, "precision"))
            p[i].value = "bf16";
    RunRow row = run_of(w, run);
    int64_t other = store_run_add(w->s, &row, p, n, &w->err);
    OK(other);
    says(w, run_execute(w->s, other, w->pool, NULL, NULL, NULL, &w->err), "precision=bf16 needs");
    assert_int_equal(run_of(w, other).status, RUN_SCHEDULED);
}

static void bf16_learns_as_well(void **state)
{
    World *w = *state;
    static const char *const settings[] = {
        "epochs=15 batch=64 hidden=64,64 patience=0 lr=0.003 products=onednn",
        "epochs=15 batch=64 hidden=64,64 patience=0 lr=0.003 products=onednn precision=bf16"};
    double rmse[2];
    if (!products_there(PRODUCTS_ONEDNN, PRECISION_BF16, NULL))
        skip();
    for (int i = 0; i < 2; i++) {
        int64_t run = submit(w, "mlp", "FARE", FEATURES, settings[i]);
        OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
        assert_string_equal(recorded(w, run, "precision"), i ? "bf16" : "float32");
        rmse[i] = last_metric(w, run, "test_rmse");
    }
    printf("test rmse float32 %.4f, bf16 %.4f (noise of the trips: .5)\n", rmse[0], rmse[1]);
    assert_true(rmse[0] < 0.9);
    assert_true(rmse[1] < rmse[0] * 1.05);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        EACH(kept_over_an_abort),
        EACH(missing_is_refused),
        EACH(bf16_learns_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
