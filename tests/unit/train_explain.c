/* train_explain.c -- explanations of made-up trips whose law is known: FARE = 3 + 2 MILES + .5 MINUTES + 4 at
 * night. A column dealt out anew adds twice its own share of the variance to the squared error. */
#include "train_world.h"

static int64_t trained(World *w, const char *family, const char *target, const char *settings)
{
    int64_t run = submit(w, family, target, "MILES,MINUTES,TIME", settings);
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    return run;
}

static Explainer *explain(World *w, int64_t run, uint64_t rows)
{
    Explainer *e = explainer_open(w->s, run, rows, w->pool, NULL, &w->err);
    OK(e);
    return e;
}

static void near(const char *what, double found, double expected, double share)
{
    if (!(fabs(found - expected) <= share * fabs(expected)))
        fail_msg("%s is %g, expected %g", what, found, expected);
}

static void a_known_law(void **state)
{
    World *w = *state;
    Permutation p, again, other;
    Explainer *e = explain(w, trained(w, "linear", "FARE", "epochs=60 lr=0.05"), 0);
    assert_string_equal(explainer_part(e), "test");
    assert_in_range(explainer_rows(e), 350, 550);
    OK(explainer_permutation(e, NULL, 20, 1, NULL, &w->a, &p, &w->err));
    assert_string_equal(p.metric, "rmse");
    near("base", p.base, .5, .15);
    assert_int_equal(p.columns, 3);
    const char *const order[] = {"MILES", "MINUTES", "TIME"};
    const double variance[] = {4 * 100 / 12., .25 * 900 / 12., 16 * .25};
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(p.column[i].column, order[i]);
        near(order[i], p.column[i].worse, sqrt(.25 + 2 * variance[i]) - .5, .08);
        assert_true(p.column[i].low < p.column[i].worse && p.column[i].worse < p.column[i].high);
    }
    OK(explainer_permutation(e, NULL, 20, 1, NULL, &w->a, &again, &w->err));
    OK(explainer_permutation(e, NULL, 20, 2, NULL, &w->a, &other, &w->err));
    assert_memory_equal(&again.column[0].worse, &p.column[0].worse, sizeof(double));
    assert_true(other.column[0].worse != p.column[0].worse);
    Dependence d;
    OK(explainer_dependence(e, "MILES", NULL, 11, NULL, &w->a, &d, &w->err));
    assert_string_equal(d.predicts, "FARE");
    assert_int_equal(d.points, 11);
    for (size_t i = 1; i < d.points; i++) {
        double step = d.point[i].at - d.point[i - 1].at;
        near("slope", (d.point[i].mean - d.point[i - 1].mean) / step, 2, .05);
        for (size_t q = 0; q < ICE_QUANTILES; q++) /* no interaction: parallel curves */
            near("ice", (d.point[i].quantile[q] - d.point[i - 1].quantile[q]) / step, 2, .05);
    }
    OK(explainer_dependence(e, "TIME", NULL, 5, NULL, &w->a, &d, &w->err));
    assert_int_equal(d.points, 2);
    double night = strcmp(d.point[0].text, "night") == 0 ? d.point[0].mean - d.point[1].mean
                                                         : d.point[1].mean - d.point[0].mean;
    near("night", night, 4, .1);
    near("shares", d.point[0].share + d.point[1].share, 1, 1e-9);
    explainer_close(e);
}

static void each_family(void **state)
{
    static const struct {
        const char *family, *settings;
    } cases[] = {
        {"linear", "epochs=30 lr=0.05"},
        {"mlp", "epochs=8 hidden=32 lr=0.01 batch=64"},
        {"resnet", "epochs=8 width=32 blocks=1 lr=0.01"},
        {"wide_deep", "epochs=8 lr=0.01 batch=64"},
        {"ft_transformer", "epochs=4 width=16 blocks=1 lr=0.01"},
        {"gbdt", "epochs=30"},
    };
    World *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Explainer *e = explain(w, trained(w, cases[i].family, "LONG", cases[i].settings), 200);
        Permutation p;
        Dependence d, no;
        assert_in_range(explainer_rows(e), 120, 280);
        OK(explainer_permutation(e, NULL, 3, 1, NULL, &w->a, &p, &w->err));
        assert_string_equal(p.metric, "logloss");
        assert_string_equal(p.column[0].column, "MILES");
        assert_true(p.column[0].low > 0);
        OK(explainer_permutation(e, "accuracy", 3, 1, NULL, &w->a, &p, &w->err));
        assert_true(p.column[0].worse > 0 && p.base > .7);
        OK(explainer_dependence(e, "MILES", NULL, 9, NULL, &w->a, &d, &w->err));
        assert_string_equal(d.predicts, "p(yes)");
        if (!(d.point[d.points - 1].mean - d.point[0].mean > .3))
            fail_msg("%s: p(yes) from %g to %g", cases[i].family, d.point[0].mean,
                     d.point[d.points - 1].mean);
        OK(explainer_dependence(e, "MILES", "no", 9, NULL, &w->a, &no, &w->err));
        near("p(no)", no.point[0].mean + d.point[0].mean, 1, 1e-6);
        says(w, explainer_dependence(e, "MILE", NULL, 9, NULL, &w->a, &d, &w->err),
             "did you mean MILES?");
        says(w, explainer_dependence(e, "MILES", "maybe", 9, NULL, &w->a, &d, &w->err),
             "no class maybe");
        says(w, explainer_permutation(e, "rmse", 3, 1, NULL, &w->a, &p, &w->err),
             "not for a binary target");
        says(w, explainer_permutation(e, "rmsee", 3, 1, NULL, &w->a, &p, &w->err),
             "no metric rmsee");
        explainer_close(e);
    }
}

static void stops_and_recipes(void **state)
{
    World *w = *state;
    RunSpec spec;
    run_spec_init(&spec, model_family("linear"));
    spec.dataset = "trips";
    spec.target = "FARE";
    spec.features = "FEET,MINUTES";
    spec.recipe = "keep MINUTES > 5\nderive FEET = MILES * 5280\ndedupe";
    OK(run_spec_set(&spec, "epochs", "40", &w->err));
    OK(run_spec_set(&spec, "lr", "0.05", &w->err));
    int64_t run = run_submit(w->s, &spec, &w->err);
    OK(run);
    run_spec_release(&spec);
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    Explainer *e = explain(w, run, 0);
    Dependence d;
    OK(explainer_dependence(e, "FEET", NULL, 5, NULL, &w->a, &d, &w->err));
    near("a mile", (d.point[4].mean - d.point[0].mean) / (d.point[4].at - d.point[0].at) * 5280, 2,
         .05);
    OK(explainer_dependence(e, "MINUTES", NULL, 5, NULL, &w->a, &d, &w->err));
    assert_true(d.point[0].at > 5);
    Progress stop = {0};
    stop_ask(&stop.stop);
    Permutation p;
    says(w, explainer_permutation(e, NULL, 3, 1, &stop, &w->a, &p, &w->err), "stopped by request");
    explainer_close(e);
}

/* Each column's part of a row is near what the law gives it, and parts and base are the prediction. */
static void shap_of_a_known_law(void **state)
{
    World *w = *state;
    Shap p;
    Explainer *e = explain(w, trained(w, "gbdt", "FARE", "epochs=200 interact=MILES,MINUTES,TIME"), 0);
    OK(explainer_shap(e, NULL, NULL, &w->a, &p, &w->err));
    assert_string_equal(p.predicts, "FARE");
    assert_int_equal(p.columns, 3);
    assert_int_equal(p.rows, explainer_rows(e));
    const char *const order[] = {"MILES", "MINUTES", "TIME"};
    const double size[] = {2 * 10 / 4., .5 * 30 / 4., 4 * .5};
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(p.column[i].column, order[i]);
        near(order[i], p.column[i].size, size[i], .15);
        assert_true(fabs(p.column[i].mean) < .3 * p.column[i].size);
    }
    near("base", p.base, 3 + 2 * 5 + .5 * 15 + 4 * .5, .05);
    Progress stopped = {0};
    Error stop = {0};
    stop_ask(&stopped.stop);
    assert_false(explainer_shap(e, NULL, &stopped, &w->a, &p, &stop));
    assert_int_equal(stop.kind, ERROR_STOP);
    assert_false(explainer_shap(e, "A", NULL, &w->a, &p, &w->err));
    explainer_close(e);
    e = explain(w, trained(w, "linear", "FARE", "epochs=2"), 0);
    assert_false(explainer_shap(e, NULL, NULL, &w->a, &p, &w->err));
    assert_non_null(strstr(w->err.text, "a gbdt can"));
    explainer_close(e);
}

int main(void)
{
#define EACH(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {EACH(a_known_law), EACH(each_family),
                                       EACH(stops_and_recipes), EACH(shap_of_a_known_law)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
