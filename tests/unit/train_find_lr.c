/* train_find_lr.c -- the learning-rate finder: what it suggests learns well, it leaves a curve and no
 * model, the same seed gives the same sweep. */
#include "train_world.h"

static int64_t sweep(World *w, const char *family, const char *settings)
{
    int64_t run = submit(w, family, "FARE", "MILES,MINUTES,TIME", settings);
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    return run;
}

static double trained(World *w, double lr)
{
    int64_t run = submit(w, "mlp", "FARE", "MILES,MINUTES,TIME",
                         arena_printf(&w->a, "epochs=15 batch=64 hidden=32 schedule=constant lr=%g", lr));
    Error why = {0};
    return run_execute(w->s, run, w->pool, NULL, NULL, NULL, &why)
               ? last_metric(w, run, "test_rmse")
               : (double)INFINITY;
}

static void what_it_suggests_learns(void **state)
{
    World *w = *state;
    int64_t run = sweep(w, "mlp", "hidden=32 find_lr=yes batch=64");
    double lr = last_metric(w, run, "lr_found"), most = last_metric(w, run, "lr_diverged");
    if (!(lr > 1e-5 && lr < 1 && !(most < 10 * lr)))
        fail_msg("found %g, diverges at %g", lr, most);
    double good = trained(w, lr), slow = trained(w, lr / 1000);
    if (!(good < .5 * slow))
        fail_msg("rmse %g with lr %g, %g with a thousandth", good, lr, slow);
    RunRow r = run_of(w, run);
    assert_int_equal(r.status, RUN_FINISHED);
    assert_true(text_starts(r.message, "lr="));
    EventRow suggest = {0};
    assert_int_equal(events_of(w, run, "suggest", &suggest), 1);
    assert_true(suggest.step > 30);
    MetricPoint *p;
    size_t n;
    int64_t from = 0;
    OK(store_metrics_since(w->s, run, "lr", &from, &w->a, &p, &n, &w->err));
    assert_true(n > 50);
    for (size_t i = 1; i < n; i++)
        assert_true(p[i].value > p[i - 1].value);
    const char *path;
    says(w, run_bundle_path(w->s, run, &w->a, &path, &w->err), "has no model");
}

static void the_same_again(void **state)
{
    World *w = *state;
    const char *settings = "find_lr=yes width=16 blocks=1 dropout=.2";
    same_curves(w, sweep(w, "resnet", settings),
                sweep(w, "resnet", "find_lr=yes width=16 blocks=1 dropout=.2 threads=1"));
}

static void trees_have_none(void **state)
{
    World *w = *state;
    RunSpec spec;
    run_spec_init(&spec, model_family("gbdt"));
    spec.dataset = "trips";
    spec.target = "FARE";
    OK(run_spec_set(&spec, "find_lr", "yes", &w->err));
    says(w, run_submit(w->s, &spec, &w->err), "find_lr");
    run_spec_release(&spec);
}

int main(void)
{
#define EACH(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {EACH(what_it_suggests_learns), EACH(the_same_again),
                                       EACH(trees_have_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
