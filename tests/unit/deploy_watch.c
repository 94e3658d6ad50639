/* deploy_watch -- the watcher on a log of made-up rows: quiet when nothing changed, one alert when it did, over when it is
 * over; what came true; policies. */
#include "support/watch_world.h"

#include <sys/wait.h>

static void quiet_rows_raise_nothing(void **state)
{
    (void)state;
    world_rows((Rows){.n = 1000, .feedback = true});
    world_watch(NULL);
    world_round();
    assert_int_equal(world_count("SELECT count(*) FROM alerts"), 0);
    assert_int_equal(world_count("SELECT count(*) FROM monitor_points WHERE kind = 'rows'"), 5);
    assert_int_equal(world_count("SELECT count(*) FROM monitor_points WHERE kind = 'drift' AND \"column\" = ''"), 5);
    assert_int_equal(world_count("SELECT count(*) FROM monitor_points WHERE kind = 'drift' AND \"column\" = 'prediction'"), 5);
    assert_int_equal(world_count("SELECT count(*) FROM monitor_points WHERE kind = 'estimate' AND test = 'mae'"), 5);
    assert_int_equal(world_count("SELECT count(*) FROM monitor_points WHERE kind = 'performance' AND test = 'mae'"), 5);
    /* the noise is one dollar: mean error .8; the estimate is not far off */
    assert_int_equal(world_count("SELECT count(*) FROM monitor_points WHERE kind = 'estimate' AND test = 'mae' AND"
                                 " abs(value - truth) < 0.3 AND truth BETWEEN 0.6 AND 1.0"), 5);
    /* importance: all of it is of the inputs, and miles and minutes have nearly all */
    assert_int_equal(world_count("SELECT round(sum(weight) * 1000) FROM monitor_points WHERE kind = 'drift' AND \"column\" IN"
                                 " ('MILES', 'MINUTES', 'PAYMENT') GROUP BY first"), 1000);
}

static void a_part_of_a_chunk_waits(void **state)
{
    (void)state;
    world_rows((Rows){.n = 199});
    world_watch(NULL);
    world_round();
    assert_int_equal(world_count("SELECT count(*) FROM monitor_points"), 0);
    world_rows((Rows){.n = 2});
    world_round();
    assert_int_equal(world_count("SELECT count(*) FROM monitor_points WHERE kind = 'rows'"), 1);
    assert_int_equal(world_count("SELECT rows FROM monitor_points WHERE kind = 'rows'"), 200);
}

static void drift_is_raised_once_and_resolved(void **state)
{
    (void)state;
    world_rows((Rows){.n = 200});
    world_rows((Rows){.n = 600, .longer = 2.5});
    world_watch(NULL);
    world_round();
    assert_int_equal(world_count("SELECT count(*) FROM alerts WHERE kind = 'drift' AND subject LIKE '%inputs'"), 1);
    assert_int_equal(world_count("SELECT count FROM alerts WHERE kind = 'drift' AND subject LIKE '%inputs'"), 3);
    assert_int_equal(world_count("SELECT count(*) FROM alerts WHERE kind = 'drift' AND subject LIKE '%predictions'"), 1);
    assert_int_equal(world_count("SELECT alarm FROM monitor_points WHERE kind = 'drift' AND \"column\" = 'PAYMENT' ORDER BY id DESC"), 0);
    assert_true(world_count("SELECT count(*) FROM monitor_points WHERE kind = 'estimate' AND test = 'mae' AND alarm") > 0);
    world_rows((Rows){.n = 200});
    world_round();
    assert_int_equal(world_count("SELECT count(*) FROM alerts WHERE kind = 'drift' AND state = 'raised'"), 2); /* one fine is not enough */
    world_watch(NULL); /* another watcher remembers that one was fine */
    world_rows((Rows){.n = 200});
    world_round();
    assert_int_equal(world_count("SELECT count(*) FROM alerts WHERE state <> 'resolved'"), 0);
    assert_int_equal(world_count("SELECT count(*) FROM audit WHERE what = 'resolve' AND actor <> 'watch'"), 0);
}

static void quality_is_watched(void **state)
{
    (void)state;
    world_rows((Rows){.n = 200, .missing = 0.3, .pay = "Telephone"});
    world_watch(NULL);
    world_round();
    assert_int_equal(world_count("SELECT count(*) FROM alerts WHERE kind = 'quality' AND subject LIKE '%MINUTES missing'"), 1);
    assert_int_equal(world_count("SELECT count(*) FROM alerts WHERE kind = 'quality' AND subject LIKE '%PAYMENT new values'"
                                 " AND text LIKE '%Telephone%'"), 1);
    assert_int_equal(world_count("SELECT count(*) FROM alerts WHERE kind = 'quality' AND subject LIKE '%MILES%'"), 0);
}

/* The tariff changes: inputs look as they did, only feedback can tell. */
static void feedback_tells_what_inputs_do_not(void **state)
{
    (void)state;
    world_rows((Rows){.n = 400, .dearer = 1.5, .feedback = true});
    world_watch(NULL);
    world_round();
    assert_int_equal(world_count("SELECT count(*) FROM alerts WHERE kind = 'performance'"), 1);
    assert_int_equal(world_count("SELECT count(*) FROM alerts WHERE kind <> 'performance'"), 0);
    assert_int_equal(world_count("SELECT count(*) FROM monitor_points WHERE kind = 'performance' AND test = 'mae' AND alarm"), 2);
    assert_int_equal(world_count("SELECT count(*) FROM monitor_points WHERE kind = 'estimate' AND truth IS NULL"), 0);
}

/* What is known before a chunk is whole counts when it is. */
static void feedback_may_come_before_the_chunk_is_judged(void **state)
{
    (void)state;
    world_watch(NULL);
    world_rows((Rows){.n = 150, .feedback = true});
    world_round();
    world_rows((Rows){.n = 50, .feedback = true});
    world_round();
    assert_int_equal(world_count("SELECT count(*) FROM monitor_points WHERE kind = 'performance' AND test = 'mae' AND rows = 200"), 1);
}

static void nannyml_thresholds_come_from_the_reference(void **state)
{
    (void)state;
    world_set("thresholds", "nannyml");
    world_rows((Rows){.n = 200});
    world_rows((Rows){.n = 200, .longer = 2.5});
    world_watch(NULL);
    world_round();
    assert_int_equal(world_count("SELECT count(*) FROM monitor_points WHERE test = 'jensen_shannon' AND \"column\" = 'MILES' AND high < 0.4"
                                 " AND alarm = (value > high)"), 2);
    assert_int_equal(world_count("SELECT alarm FROM monitor_points WHERE test = 'domain' ORDER BY id DESC"), 1);
    assert_int_equal(world_count("SELECT count(*) FROM monitor_points WHERE test = 'pca'"), 2);
}

static void latency_and_errors_are_watched(void **state)
{
    (void)state;
    TrafficRow row = {.deployment = "fares", .model = 1, .requests = 100, .errors = 40, .rows = 100, .p50 = 0.001, .p99 = 2};
    for (int i = 0; i < 120; i++) {
        row.time = time_now() - INT64_C(600000000) + i * INT64_C(1000000);
        OK(prediction_log_traffic(world.log, &row, 1, &world.err));
    }
    world_watch(NULL);
    world_round();
    assert_int_equal(world_count("SELECT count(*) FROM alerts WHERE subject LIKE '%latency'"), 1);
    assert_int_equal(world_count("SELECT count(*) FROM alerts WHERE subject LIKE '%errors'"), 1);
    assert_int_equal(world_count("SELECT count(*) FROM monitor_points WHERE test = 'p99' AND abs(value - 2000) > 1"), 0);
}

static void one_watches_at_a_time(void **state)
{
    (void)state;
    world_watch(NULL);
    assert_null(watcher_open(world.dir, NULL, world.pool, NULL, NULL, &world.err));
    assert_int_equal(world.err.kind, ERROR_STOP);
    assert_non_null(strstr(world.err.text, "watched already"));
}

/* ---- policies ------------------------------------------------------------------------------------------------------ */

static void by_hand_it_is_only_said(void **state)
{
    (void)state;
    world_set("retrain_drift", "yes");
    world_set("retrain_labels_least", "100");
    world_rows((Rows){.n = 400, .longer = 2.5, .feedback = true});
    world_watch(NULL);
    world_round();
    assert_int_equal(world_count("SELECT count(*) FROM alerts WHERE kind = 'policy'"), 1);
    assert_int_equal(world_count("SELECT count(*) FROM runs"), 1);
}

static void too_few_labels_train_nothing(void **state)
{
    (void)state;
    world_set("automation", "full");
    world_set("retrain_drift", "yes");
    world_set("retrain_labels_least", "500");
    world_rows((Rows){.n = 400, .longer = 2.5, .feedback = true});
    world_watch(NULL);
    world_round();
    assert_int_equal(world_count("SELECT count(*) FROM runs"), 1);
    assert_int_equal(world_count("SELECT count(*) FROM alerts WHERE kind = 'policy'"), 0);
}

static void drift_trains_anew_and_the_new_model_is_a_shadow(void **state)
{
    (void)state;
    world_set("automation", "full");
    world_set("retrain_drift", "yes");
    world_set("retrain_labels_least", "100");
    world_rows((Rows){.n = 400, .longer = 2.5, .feedback = true});
    world_watch(NULL);
    world_round();
    assert_int_equal(world_count("SELECT count(*) FROM runs WHERE status = 'FINISHED'"), 2);
    assert_int_equal(world_count("SELECT rows FROM datasets WHERE name = 'trips_fares'"), 400); /* those since the change */
    assert_int_equal(world_count("SELECT count(*) FROM datasets WHERE name = 'trips_fares' AND source LIKE '400 predictions of deployment fares with their feedback, numbers %'"), 1);
    assert_int_equal(world_count("SELECT count(*) FROM models WHERE name = 'fares' AND version = 2 AND run = 2"), 1);
    assert_int_equal(world_count("SELECT count(*) FROM deployments WHERE state = 'shadow' AND candidate = 2"), 1);
    assert_int_equal(world_count("SELECT count(*) FROM audit WHERE what = 'shadow' AND actor = 'watch'"), 1);
    /* nothing more within the cool-down, whatever drifts */
    world_rows((Rows){.n = 400, .longer = 4, .feedback = true});
    world_round();
    assert_int_equal(world_count("SELECT count(*) FROM runs"), 2);
}

static void assisted_it_trains_and_proposes(void **state)
{
    (void)state;
    world_set("automation", "assisted");
    world_set("retrain_rows", "300");
    world_set("retrain_labels_least", "100");
    world_rows((Rows){.n = 400, .feedback = true});
    world_watch(NULL);
    world_round();
    assert_int_equal(world_count("SELECT count(*) FROM runs WHERE status = 'FINISHED'"), 2);
    assert_int_equal(world_count("SELECT count(*) FROM alerts WHERE kind = 'policy' AND text LIKE '%lathe deploy fares shadow model=fares/2%'"), 1);
    assert_int_equal(world_count("SELECT count(*) FROM deployments WHERE state = 'live'"), 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(quiet_rows_raise_nothing),
        T(a_part_of_a_chunk_waits),
        T(drift_is_raised_once_and_resolved),
        T(quality_is_watched),
        T(feedback_tells_what_inputs_do_not),
        T(feedback_may_come_before_the_chunk_is_judged),
        T(nannyml_thresholds_come_from_the_reference),
        T(latency_and_errors_are_watched),
        T(one_watches_at_a_time),
        T(by_hand_it_is_only_said),
        T(too_few_labels_train_nothing),
        T(drift_trains_anew_and_the_new_model_is_a_shadow),
        T(assisted_it_trains_and_proposes),
    };
    return cmocka_run_group_tests(tests, world_make, world_destroy);
}
