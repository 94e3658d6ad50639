/* deploy_gate -- rules read and judged; significance beside known values; the check of a step. */
#define TRIPS 1500
#include "train_world.h"

#include "../../src/deploy/deploy_int.h"

static int64_t model(World *w, const char *family, const char *target, const char *features,
                     const char *settings)
{
    int64_t run = submit(w, family, target, features, settings);
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    return run;
}

static ModelRow of_run(World *w, int64_t run)
{
    ModelRow m;
    OK(store_model_find(w->s, arena_printf(&w->a, "%lld", (long long)run), &w->a, &m, &w->err));
    return m;
}

static void parses(void **state)
{
    World *w = *state;
    Gate g;
    OK(gate_parse("# what must hold\n\nrmse <= 3.2 # dollars\n  mae better 2%\nlatency < 5ms;r2 "
                  "significant 0.05\ndrift <= 0.3\n",
                  &g, &w->err));
    assert_int_equal(g.rules, 5);
    assert_int_equal(g.rule[0].kind, GATE_ABSOLUTE);
    assert_string_equal(g.rule[0].text, "rmse <= 3.2");
    assert_int_equal(g.rule[1].kind, GATE_RELATIVE);
    assert_true(fabs(g.rule[1].bound - 0.02) < 1e-15);
    assert_int_equal(g.rule[2].kind, GATE_LATENCY);
    assert_true(fabs(g.rule[2].bound - 0.005) < 1e-15);
    assert_int_equal(g.rule[3].kind, GATE_SIGNIFICANT);
    assert_int_equal(g.rule[4].kind, GATE_DRIFT);
    gate_alone(&g);
    assert_int_equal(g.rules, 3);
    gate_release(&g);
    OK(gate_parse("", &g, &w->err));
    assert_int_equal(g.rules, 0);
    static const char *const wrong[][2] = {
        {"rmse <= 3\nrmze <= 4", "line 2: no metric rmze, did you mean rmse?"},
        {"rmse", "expected METRIC WORD NUMBER"},
        {"rmse <= 3 4", "expected METRIC WORD NUMBER"},
        {"rmse about 3", "expected <=, >=, better or significant"},
        {"rmse <= three", "expected a number"},
        {"rmse <= nan", "expected a number"},
        {"latency <= 5", "say its unit"},
        {"latency better 5ms", "expected <= or >="},
        {"rmse significant 5", "level between 0 and 1"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        says(w, gate_parse(wrong[i][0], &g, &w->err), wrong[i][1]);
}

/* Exact: sums of binomials. With correction: the example of 121 and 59 in the literature on McNemar's test
 * (Edwards' chi-square 20.67), and chi-square 2.025; their upper tails for one degree of freedom. */
static void mcnemar(void **state)
{
    (void)state;
    assert_true(fabs(mcnemar_p(2, 8) - 0.109375) < 1e-12);
    assert_true(fabs(mcnemar_p(8, 2) - 0.109375) < 1e-12);
    assert_true(fabs(mcnemar_p(0, 5) - 0.0625) < 1e-12);
    assert_true(fabs(mcnemar_p(6, 16) - 2 * 110056.0 / 4194304.0) < 1e-12);
    assert_true(mcnemar_p(3, 3) == 1.0 && mcnemar_p(0, 0) == 1.0);
    assert_true(fabs(mcnemar_p(121, 59) - 5.450094825427e-06) < 1e-15);
    assert_true(fabs(mcnemar_p(15, 25) - 0.154728923485379) < 1e-9);
}

/* Chance alone passes 5 % of the time and rarely more; a real difference is seen. */
static void bootstrap(void **state)
{
    World *w = *state;
    enum { N = 200, TIMES = 120 };
    double value[N], other[N], truth[N];
    size_t fired = 0;
    Rng r;
    rng_seed(&r, 3, 0);
    GateScores g = {
        .task = TASK_REGRESSION, .n = N, .each = 1, .value = value, .other = other, .truth = truth};
    for (int t = 0; t < TIMES; t++) {
        for (int i = 0; i < N; i++) {
            truth[i] = rng_normal(&r);
            value[i] = truth[i] + rng_normal(&r);
            other[i] = truth[i] + rng_normal(&r);
        }
        fired += bootstrap_p(metric_find("rmse"), &g, w->pool, &w->a) <= 0.05;
    }
    if (fired > 15) /* 6 expected; 15 is beyond 3.5 deviations */
        fail_msg("%zu of %d differences by chance were called significant", fired, TIMES);
    for (int i = 0; i < N; i++)
        other[i] = truth[i] + 1.5 * (value[i] - truth[i]) + 0.1 * rng_normal(&r);
    double p = bootstrap_p(metric_find("rmse"), &g, w->pool, &w->a);
    assert_true(p < 0.01);
    assert_true(p == bootstrap_p(metric_find("rmse"), &g, NULL, &w->a)); /* whatever the threads */
    g.value = other, g.other = value;
    assert_true(bootstrap_p(metric_find("rmse"), &g, w->pool, &w->a) > 0.99);
}

static const GateCheckRow *check(GateReport *r, size_t i)
{
    assert_true(i < r->n);
    return &r->check[i];
}

static void judges(void **state)
{
    World *w = *state;
    int64_t good = model(w, "linear", "FARE", "MILES,MINUTES,TIME", "epochs=25 lr=0.05");
    int64_t poor = model(w, "linear", "FARE", "MINUTES", "epochs=4 lr=0.05");
    ModelRow a = of_run(w, good), b = of_run(w, poor);
    Gate g;
    GateReport r;
    OK(gate_parse(
        "rmse <= 100; rmse < 0.001; rmse better 0.5; rmse better 10%; rmse significant 0.05;"
        " latency <= 1s; latency <= 0.001us; r2 better 0.1",
        &g, &w->err));
    OK(gate_run(w->s, &g, "fares", &a, &b, NULL, w->pool, NULL, &w->a, &r, &w->err));
    static const bool expected[] = {true, false, true, true, true, true, false, true};
    for (size_t i = 0; i < 8; i++)
        if (check(&r, i)->passed != expected[i])
            fail_msg("%s: %d, value %g, other %g, p %g", r.check[i].rule, r.check[i].passed,
                     r.check[i].value, r.check[i].other, r.check[i].p);
    assert_false(r.passed);
    /* its test rows, as the run itself measured them */
    assert_true(fabs(check(&r, 0)->value - last_metric(w, good, "test_rmse")) < 1e-9);
    assert_true(fabs(check(&r, 0)->other - last_metric(w, poor, "test_rmse")) < 1e-9);
    GateCheckRow *kept;
    size_t n;
    OK(store_gate_checks(w->s, "fares", 100, &w->a, &kept, &n, &w->err));
    assert_int_equal(n, 8);
    assert_int_equal(kept[0].gate, r.gate);
    assert_int_equal(kept[4].against, b.id);
    gate_release(&g);
    /* the other way round nothing is better */
    OK(gate_parse("rmse better 0; rmse significant 0.05", &g, &w->err));
    OK(gate_run(w->s, &g, NULL, &b, &a, NULL, w->pool, NULL, &w->a, &r, &w->err));
    assert_false(check(&r, 0)->passed);
    assert_false(check(&r, 1)->passed);
    says(w, gate_run(w->s, &g, NULL, &a, NULL, NULL, w->pool, NULL, &w->a, &r, &w->err),
         "nothing to compare with");
    gate_release(&g);
    OK(gate_parse("auc >= 0.5", &g, &w->err));
    says(w, gate_run(w->s, &g, NULL, &a, NULL, NULL, w->pool, NULL, &w->a, &r, &w->err),
         "regression, which has no auc");
    gate_release(&g);
}

static void classes(void **state)
{
    World *w = *state;
    ModelRow a = of_run(w, model(w, "linear", "ZONE", "MILES,MINUTES,TIME", "epochs=20 lr=0.05"));
    ModelRow b = of_run(w, model(w, "linear", "ZONE", "TIME", "epochs=2"));
    ModelRow c = of_run(w, model(w, "linear", "LONG", "MILES", "epochs=2"));
    Gate g;
    GateReport r;
    OK(gate_parse("accuracy significant 0.01; accuracy better 5%; logloss better 0", &g, &w->err));
    OK(gate_run(w->s, &g, NULL, &a, &b, NULL, w->pool, NULL, &w->a, &r, &w->err));
    assert_true(r.passed);
    assert_non_null(strstr(check(&r, 0)->note, "McNemar"));
    says(w, gate_run(w->s, &g, NULL, &a, &c, NULL, w->pool, NULL, &w->a, &r, &w->err),
         "do not predict the same");
    gate_release(&g);
}

/* ---- the check of a step ------------------------------------------------------------------------------------ */

static DeploymentRow row_of(World *w)
{
    DeploymentRow r;
    OK(store_deployment_find(w->s, "fares", &w->a, &r, &w->err));
    return r;
}

/* As the server counts it: the candidate's are a shadow's while it is one. */
static void traffic(World *w, int64_t model_id, int64_t requests, int64_t errors, double p99)
{
    DeploymentRow d = row_of(w);
    PredictionLog *log = prediction_log_open(w->dir, STORE_WRITE, &w->err);
    OK(log);
    TrafficRow t = {.time = time_now(),
                    .deployment = "fares",
                    .model = model_id,
                    .requests = requests,
                    .errors = errors,
                    .rows = requests,
                    .p50 = p99 / 2,
                    .p99 = p99,
                    .shadow = d.candidate == model_id && strcmp(d.state, "shadow") == 0};
    OK(prediction_log_traffic(log, &t, 1, &w->err));
    prediction_log_close(log);
    usleep(2000); /* a row of the same moment is the same row */
}

static StepReport step(World *w)
{
    StepReport r;
    OK(deployment_step(w->s, "fares", w->pool, "watch", &r, &w->err));
    return r;
}

static void set(World *w, const char *key, const char *value)
{
    OK(deployment_set(w->s, "fares", key, value, "anna", &w->err));
}

static void roll_out(World *w, int64_t *good, int64_t *poor)
{
    int64_t one = model(w, "linear", "FARE", "MILES,MINUTES,TIME", "epochs=25 lr=0.05");
    int64_t two = model(w, "linear", "FARE", "MINUTES", "epochs=1");
    *good = of_run(w, one).id;
    *poor = of_run(w, two).id;
    OK(deployment_create(w->s, "fares", arena_printf(&w->a, "%lld", (long long)two), "anna",
                         &w->err));
    set(w, "interval", "0");
    set(w, "rows_least", "50");
    set(w, "plan", "20 100");
    set(w, "automation", "full");
    set(w, "threshold", "2");
    OK(deployment_move(w->s, "fares", MOVE_SHADOW, arena_printf(&w->a, "%lld", (long long)one),
                       "anna", &w->err));
}

static void steps(void **state)
{
    World *w = *state;
    int64_t good, poor;
    roll_out(w, &good, &poor);
    StepReport r = step(w);
    assert_false(r.checked);
    assert_non_null(strstr(r.text, "waits"));
    traffic(w, poor, 500, 0, 0.001); /* the other's requests count for nothing */
    assert_false(step(w).checked);
    traffic(w, good, 100, 0, 0.001);
    r = step(w);
    assert_true(r.checked && r.passed && r.moved);
    assert_int_equal(r.move, MOVE_CANARY);
    assert_string_equal(row_of(w).state, "canary");
    assert_true(row_of(w).percent == 20);
    /* what was asked as a shadow and is scored only now is no canary's */
    TrafficRow late = {.time = time_now(),
                       .deployment = "fares",
                       .model = good,
                       .requests = 400,
                       .rows = 400,
                       .errors = 400,
                       .p50 = 2,
                       .p99 = 2,
                       .shadow = true};
    PredictionLog *log = prediction_log_open(w->dir, STORE_WRITE, &w->err);
    OK(log && prediction_log_traffic(log, &late, 1, &w->err));
    prediction_log_close(log);
    assert_false(step(w).checked);
    traffic(w, good, 1000, 9, 0.001); /* 99.1 % */
    r = step(w);
    assert_true(r.moved && row_of(w).percent == 100);
    traffic(w, good, 1000, 11, 0.001); /* 98.9 % */
    r = step(w);
    assert_true(r.checked && !r.passed && !r.moved);
    assert_int_equal(row_of(w).failed, 1);
    traffic(w, good, 1000, 0, 0.7); /* 700 ms */
    r = step(w);
    assert_true(!r.passed && r.moved);
    assert_int_equal(r.move, MOVE_BACK);
    assert_string_equal(row_of(w).state, "live");
    assert_int_equal(row_of(w).model, poor);
    AuditRow *line;
    size_t n;
    OK(store_audit(w->s, "deployment fares", 2, &w->a, &line, &n, &w->err));
    assert_string_equal(line[0].what, "back");
    assert_string_equal(line[0].actor, "watch");
    assert_string_equal(line[1].what, "check");
    GateCheckRow *kept;
    OK(store_gate_checks(w->s, "fares", 2, &w->a, &kept, &n, &w->err));
    assert_false(kept[1].passed);
    assert_true(fabs(kept[1].value - 0.7) < 1e-12);
}

static void manual_and_assisted(void **state)
{
    World *w = *state;
    int64_t good, poor;
    roll_out(w, &good, &poor);
    set(w, "automation", "manual");
    traffic(w, good, 100, 0, 0.001);
    StepReport r = step(w);
    assert_true(r.checked && r.passed && !r.moved);
    assert_string_equal(row_of(w).state, "shadow");
    assert_int_equal(row_of(w).passed, 1);
    set(w, "automation", "assisted");
    traffic(w, good, 100, 0, 0.001);
    r = step(w);
    assert_true(r.passed && !r.moved);
    AlertRow *alert;
    size_t n;
    OK(store_alerts(w->s, true, 10, &w->a, &alert, &n, &w->err));
    assert_int_equal(n, 1);
    assert_non_null(strstr(alert[0].text, "lathe deploy fares canary"));
    OK(deployment_move(w->s, "fares", MOVE_CANARY, NULL, "anna", &w->err)); /* as it was told */
    OK(store_alerts(w->s, true, 10, &w->a, &alert, &n, &w->err));
    assert_int_equal(n, 0);
}

/* Rules are asked of rows whose truth came in; without enough of them they wait. */
static void feedback(void **state)
{
    World *w = *state;
    int64_t good, poor, ids[60];
    roll_out(w, &good, &poor);
    set(w, "rules", "rmse better 10%; rmse significant 0.05");
    traffic(w, good, 100, 0, 0.001);
    StepReport r = step(w);
    assert_false(r.checked);
    assert_non_null(strstr(r.text, "rows with feedback"));
    PredictionLog *log = prediction_log_open(w->dir, STORE_WRITE, &w->err);
    OK(log);
    Rng g;
    rng_seed(&g, 9, 0);
    PredictionRow p[60], f[60];
    for (int i = 0; i < 60; i++) {
        double miles = 10 * rng_unit(&g), minutes = 30 * rng_unit(&g);
        bool night = rng_below(&g, 2) != 0;
        ids[i] = (time_now() << 12) + i;
        p[i] =
            (PredictionRow){.id = ids[i],
                            .time = time_now(),
                            .deployment = "fares",
                            .model = good,
                            .role = i % 2 ? "live" : "shadow",
                            .output = 10,
                            .said = "",
                            .latency = 0.001,
                            .inputs = arena_printf(
                                &w->a, "{\"MILES\": %.17g, \"MINUTES\": %.17g, \"TIME\": \"%s\"}",
                                miles, minutes, night ? "night" : "day")};
        f[i] = (PredictionRow){.id = ids[i],
                               .truth = 3 + 2 * miles + .5 * minutes + 4 * (double)night,
                               .truth_said = ""};
    }
    p[0].inputs = "{\"MILES\": \"***\", \"MINUTES\": 3, \"TIME\": \"day\"}"; /* masked: of no use */
    size_t known;
    OK(prediction_log_add(log, p, 60, &w->err));
    OK(prediction_log_feedback(log, f, 60, &known, &w->err));
    assert_int_equal(known, 60);
    prediction_log_close(log);
    r = step(w);
    if (!r.checked || !r.passed || !r.moved)
        fail_msg("expected it to move on: %s", r.text);
    GateCheckRow *kept;
    size_t n;
    OK(store_gate_checks(w->s, "fares", 4, &w->a, &kept, &n, &w->err));
    assert_int_equal(n, 4);
    assert_string_equal(kept[2].rule, "rmse better 10%");
    assert_true(kept[2].value < kept[2].other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(parses, world_setup, world_teardown),
        cmocka_unit_test(mcnemar),
        cmocka_unit_test_setup_teardown(bootstrap, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(judges, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(classes, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(steps, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(manual_and_assisted, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(feedback, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
