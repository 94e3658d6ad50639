/* deploy_policy -- when a model is trained anew, and on which rows: every reason, the cool-down, the least labels, the
 * window; and that what the new model has learnt is no drift any more. The clock is given to the watcher. */
#include "support/watch_world.h"

#define SECOND INT64_C(1000000)

static int64_t runs(void)
{
    return world_count("SELECT count(*) FROM runs WHERE status = 'FINISHED'") - 1; /* beside the first */
}

static int64_t why(const char *like)
{
    char sql[300];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM settings WHERE key = 'retrain.fares' AND value LIKE '%%%s%%'", like);
    return world_count(sql);
}

/* The deployment is as old as that at `now`. */
static void made_before(int64_t now, double seconds)
{
    char sql[200];
    snprintf(sql, sizeof sql, "UPDATE deployments SET created = %lld", (long long)(now - (int64_t)(seconds * 1e6)));
    assert_int_equal(sqlite3_exec(store_handle(world.s), sql, NULL, NULL, NULL), SQLITE_OK);
}

static int begin(void **state)
{
    if (world_begin(state))
        return -1;
    world_set("automation", "assisted"); /* it trains, and nothing moves */
    world_set("retrain_labels_least", "100");
    return 0;
}

static void by_schedule(void **state)
{
    (void)state;
    int64_t now = time_now();
    world_set("retrain_every", "5000");
    world_set("retrain_cool", "0");
    made_before(now, 5000);
    world_rows((Rows){.n = 150, .feedback = true});
    world_watch(NULL);
    world_round_at(now - SECOND);
    assert_int_equal(runs(), 0);
    world_round_at(now);
    assert_int_equal(runs(), 1);
    assert_int_equal(why("the schedule"), 1);
    world_rows((Rows){.n = 150, .feedback = true});
    world_round_at(now + 4999 * SECOND);
    assert_int_equal(runs(), 1);
    world_watch(NULL); /* another watcher knows when it was */
    world_round_at(now + 4999 * SECOND);
    assert_int_equal(runs(), 1);
    world_round_at(now + 5000 * SECOND);
    assert_int_equal(runs(), 2);
}

/* Due, but too little is known of what came true. */
static void labels_are_awaited(void **state)
{
    (void)state;
    int64_t now = time_now();
    world_set("retrain_every", "5000");
    made_before(now, 9000);
    world_rows((Rows){.n = 99, .feedback = true});
    world_rows((Rows){.n = 300});
    world_watch(NULL);
    world_round_at(now);
    assert_int_equal(runs(), 0);
    world_rows((Rows){.n = 1, .feedback = true});
    world_round_at(now);
    assert_int_equal(runs(), 1);
}

static void by_rows_with_a_cool_down(void **state)
{
    (void)state;
    int64_t now = time_now();
    world_set("retrain_rows", "300");
    world_set("retrain_cool", "600");
    world_rows((Rows){.n = 299, .feedback = true});
    world_watch(NULL);
    world_round_at(now);
    assert_int_equal(runs(), 0);
    world_rows((Rows){.n = 1, .feedback = true});
    world_round_at(now);
    assert_int_equal(runs(), 1);
    assert_int_equal(why("300 new rows with feedback"), 1);
    world_rows((Rows){.n = 400, .feedback = true});
    world_round_at(now + 599 * SECOND);
    assert_int_equal(runs(), 1);
    world_round_at(now + 600 * SECOND);
    assert_int_equal(runs(), 2);
}

/* Longer trips: the estimate says it at once, nothing else is asked. */
static void by_the_estimate(void **state)
{
    (void)state;
    int64_t now = time_now() + 10 * SECOND;
    world_set("retrain_estimate", "0.1");
    world_rows((Rows){.n = 400, .feedback = true});
    world_watch(NULL);
    world_round_at(now);
    assert_int_equal(runs(), 0);
    world_rows((Rows){.n = 200, .longer = 2.5});
    world_round_at(now);
    assert_int_equal(runs(), 1);
    assert_int_equal(why("the estimate is"), 1);
}

/* A dearer tariff: neither inputs nor the estimate tell, feedback does. */
static void by_what_came_true(void **state)
{
    (void)state;
    int64_t now = time_now() + 10 * SECOND;
    world_set("retrain_estimate", "0.5");
    world_set("retrain_drift", "yes");
    world_set("retrain_performance", "0.5");
    world_rows((Rows){.n = 200, .feedback = true});
    world_watch(NULL);
    world_round_at(now);
    assert_int_equal(runs(), 0);
    world_rows((Rows){.n = 200, .dearer = 1.5, .feedback = true});
    world_round_at(now);
    assert_int_equal(runs(), 1);
    assert_int_equal(why("feedback is"), 1);
    /* only the rows of the new tariff */
    assert_int_equal(world_count("SELECT rows FROM datasets WHERE name = 'trips_fares'"), 200);
}

/* ---- which rows ------------------------------------------------------------------------------------------------------ */

static int64_t rows_of_table(const char *window, const char *reason, const char *value)
{
    world_set("retrain_window", window);
    world_set(reason, value);
    world_watch(NULL);
    world_round_at(time_now() + 10 * SECOND);
    assert_int_equal(runs(), 1);
    return world_count("SELECT rows FROM datasets WHERE name = 'trips_fares'");
}

static void without_a_change_it_is_as_long_as_before(void **state)
{
    (void)state;
    world_rows((Rows){.n = 400, .feedback = true});
    assert_int_equal(rows_of_table("0", "retrain_rows", "300"), 3000);
    assert_int_equal(world_count("SELECT count(*) FROM datasets WHERE source LIKE 'the newest 2600 rows of % and 400 predictions%'"), 1);
}

static void all_can_be_kept(void **state)
{
    (void)state;
    world_rows((Rows){.n = 400, .longer = 2.5, .feedback = true});
    assert_int_equal(rows_of_table("-1", "retrain_drift", "yes"), 3400);
}

static void a_number_is_a_number(void **state)
{
    (void)state;
    world_rows((Rows){.n = 400, .feedback = true});
    assert_int_equal(rows_of_table("250", "retrain_rows", "300"), 250);
    assert_int_equal(world_count("SELECT count(*) FROM datasets WHERE source LIKE '250 predictions%'"), 1);
}

/* Two chunks as ever, then one that is not: only that one is of the world as it is, and too little is filled up. */
static void after_a_change_it_is_what_came_since(void **state)
{
    (void)state;
    world_rows((Rows){.n = 400, .feedback = true});
    world_rows((Rows){.n = 200, .longer = 2.5, .feedback = true});
    assert_int_equal(rows_of_table("0", "retrain_drift", "yes"), 200);
}

static void too_few_are_filled_up(void **state)
{
    (void)state;
    world_set("retrain_labels_least", "500");
    world_rows((Rows){.n = 400, .feedback = true});
    world_rows((Rows){.n = 200, .longer = 2.5, .feedback = true});
    assert_int_equal(rows_of_table("0", "retrain_drift", "yes"), 500);
}

/* ---- after it ---------------------------------------------------------------------------------------------------------- */

/* The new model's reference is what it learnt: the same rows are no drift to it, and alerts about the old one are over. */
static void promotion_moves_the_reference(void **state)
{
    (void)state;
    world_set("automation", "full");
    world_set("retrain_drift", "yes");
    world_rows((Rows){.n = 1600, .longer = 2.5, .feedback = true});
    world_watch(NULL);
    world_round();
    assert_int_equal(runs(), 1);
    assert_int_equal(world_count("SELECT count(*) FROM alerts WHERE kind = 'drift' AND state <> 'resolved'"), 2);
    assert_int_equal(world_count("SELECT count(*) FROM deployments WHERE state = 'shadow' AND candidate = 2"), 1);
    OK(deployment_move(world.s, "fares", MOVE_PROMOTE, NULL, "test", &world.err));
    world.time = time_now(); /* after the model was made */
    world_rows((Rows){.n = 600, .longer = 2.5, .feedback = true, .model = 2});
    world_round_at(world.time + 10 * SECOND);
    assert_int_equal(world_count("SELECT count(*) FROM monitor_points WHERE model = 2 AND kind = 'drift' AND test = 'share'"), 3);
    assert_int_equal(world_count("SELECT count(*) FROM monitor_points WHERE model = 2 AND kind = 'drift' AND test = 'share' AND alarm"), 0);
if (getenv("WATCH_SAY")) { char l[200]; snprintf(l, 200, "sqlite3 %s/lathe.db \"select kind,subject,state,text from alerts\"", world.dir); (void)!system(l);}
    assert_int_equal(world_count("SELECT count(*) FROM alerts WHERE kind <> 'policy' AND state <> 'resolved'"), 0);
    /* and what was usual before would be a change now */
    world_rows((Rows){.n = 200, .feedback = true, .model = 2});
    world_round_at(world.time + 10 * SECOND);
    assert_int_equal(world_count("SELECT alarm FROM monitor_points WHERE model = 2 AND kind = 'drift' AND test = 'share' ORDER BY id DESC"), 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(by_schedule),
        T(labels_are_awaited),
        T(by_rows_with_a_cool_down),
        T(by_the_estimate),
        T(by_what_came_true),
        T(without_a_change_it_is_as_long_as_before),
        T(all_can_be_kept),
        T(a_number_is_a_number),
        T(after_a_change_it_is_what_came_since),
        T(too_few_are_filled_up),
        T(promotion_moves_the_reference),
    };
    return cmocka_run_group_tests(tests, world_make, world_destroy);
}
