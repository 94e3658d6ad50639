/* deploy_series.c -- gates of models of series: what they measure is what the test of the training measured, changes
 * against an incumbent are of the same steps, and what a series has not is refused with the reason. */
#include "series_world.h"

#include <lathe/deploy.h>

#define SMALL                                                                                      \
    "time=when group=shop known=promo window=24 horizon=6 quantiles=0.1,0.5,0.9 batch=32 "         \
    "patience=0 lr=0.01 "

static ModelRow trained(World *w, const char *settings)
{
    RunSpec spec;
    ModelRow row;
    char copy[512], name[24], *save = NULL;
    run_spec_init(&spec, model_family("tft"));
    spec.dataset = "sales", spec.target = "sales", spec.seed = 3;
    snprintf(copy, sizeof copy, "%s", settings);
    for (char *pair = strtok_r(copy, " ", &save); pair; pair = strtok_r(NULL, " ", &save)) {
        char *eq = strchr(pair, '=');
        *eq = 0;
        OK(run_spec_set(&spec, pair, eq + 1, &w->err));
    }
    int64_t run = run_submit(w->s, &spec, &w->err);
    OK(run);
    run_spec_release(&spec);
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    snprintf(name, sizeof name, "%lld", (long long)run);
    OK(store_model_find(w->s, name, &w->a, &row, &w->err));
    return row;
}

static double tested(World *w, const ModelRow *m, const char *key)
{
    MetricPoint *p;
    size_t n;
    OK(store_metrics_last(w->s, m->run, &w->a, &p, &n, &w->err));
    for (size_t i = 0; i < n; i++)
        if (text_equal(p[i].key, key))
            return p[i].value;
    fail_msg("no %s", key);
    return 0;
}

static bool judge(World *w, const char *rules, const ModelRow *m, const ModelRow *against,
                  const Dataset *rows, GateReport *out)
{
    Gate g;
    OK(gate_parse(rules, &g, &w->err));
    bool ok = gate_run(w->s, &g, "", m, against, rows, w->pool, NULL, &w->a, out, &w->err);
    gate_release(&g);
    return ok;
}

static void gates(void **state)
{
    World *w = *state;
    GateReport r;
    Dataset *d = add_sales(w, "sales", 400);
    ModelRow good = trained(w, SMALL "epochs=12"), poor = trained(w, SMALL "epochs=1");
    OK(judge(w, "mae <= 1000; quantile_loss <= 1000; rmse > 0", &good, NULL, NULL, &r));
    assert_true(r.passed);
    assert_float_equal(r.check[0].value, tested(w, &good, "test_mae"), 1e-9);
    assert_float_equal(r.check[1].value, tested(w, &good, "test_quantile_loss"), 1e-9);
    assert_float_equal(r.check[2].value, tested(w, &good, "test_rmse"), 1e-9);
    OK(judge(w, "quantile_loss <= 0.0001", &good, NULL, NULL, &r));
    assert_false(r.passed);
    /* against another: the same steps, so that each has what its own test had */
    OK(judge(w, "quantile_loss better 5%; mae better 0.01", &good, &poor, NULL, &r));
    assert_true(r.passed);
    assert_float_equal(r.check[0].other, tested(w, &poor, "test_quantile_loss"), 1e-9);
    assert_float_equal(r.check[1].other, tested(w, &poor, "test_mae"), 1e-9);
    OK(judge(w, "quantile_loss better 5%", &poor, &good, NULL, &r));
    assert_false(r.passed);
    /* rows of one's own: all horizons in them */
    OK(judge(w, "mae better 1%", &good, &poor, d, &r));
    assert_true(r.passed);
    /* another window and horizon: the steps both know */
    ModelRow other =
        trained(w, "time=when group=shop known=promo window=12 horizon=4 batch=32 patience=0 "
                   "lr=0.01 epochs=2 quantiles=0.5");
    OK(judge(w, "quantile_loss <= 1000; mae better -1000", &other, &good, NULL, &r));
    assert_true(r.passed);
    /* what there is not */
    says(w, judge(w, "mae significant 0.05", &good, &poor, NULL, &r), "no independent pairs");
    says(w, judge(w, "latency <= 5ms", &good, NULL, NULL, &r), "says horizons, not rows");
    int64_t run = submit(w, "linear", "FARE", "MILES", "epochs=1");
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    ModelRow rows;
    OK(store_model_find(w->s, "linear-4", &w->a, &rows, &w->err));
    says(w, judge(w, "mae better 1", &good, &rows, NULL, &r), "cannot be compared");
    says(w, judge(w, "quantile_loss <= 1", &rows, NULL, NULL, &r), "says no quantiles");
    dataset_close(d);

    Evaluation e;
    OK(model_evaluate(w->s, &good, NULL, w->pool, NULL, &w->a, &e, &w->err));
    bool loss = false, coverage = false;
    for (size_t i = 0; i < e.n; i++) {
        loss |= text_equal(e.row[i].metric, "quantile_loss");
        if (text_equal(e.row[i].metric, "coverage")) {
            coverage = true;
            assert_float_equal(e.row[i].value, tested(w, &good, "test_coverage"), 1e-9);
        }
    }
    assert_true(loss && coverage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gates, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
