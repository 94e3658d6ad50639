/* runs.c -- tests of the Runs and Drift panes on made-up runs and a made-up drifted table: what is
 * listed, compared, sorted, searched, and what every key says when it cannot be done. */
#include "support/workbench.h"
#include "tui/pane.h"

#include <lathe/command.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static void add_run(Store *s, const char *name, const char *lr, double rmse, RunStatus status)
{
    Error err = {0};
    ParamRow params[] = {{"lr", lr}, {"batch", "256"}};
    RunRow row = {.name = name, .experiment = "", .family = "mlp", .dataset = "0123456789abcdef",
                  .dataset_name = "trips", .target = "fare", .task = "regression", .recipe = "",
                  .features = "", .split = "70/15/15", .seed = 1, .message = "", .monitor = "val_loss",
                  .note = "", .tags = "", .machine = "here", .version = "0", .created = time_now()};
    int64_t run = store_run_add(s, &row, params, 2, &err);
    MetricPoint points[] = {{"val_rmse", 90, 9.0, rmse}, {"test_rmse", 90, 9.0, rmse + 0.5}};
    assert_true(run && store_metrics_add(s, run, points, 2, &err));
    assert_true(store_run_status(s, run, status, "", &err));
}

static Term *open_pane(const char *pane, int rows, int cols)
{
    Term *t = bench_open(&bench, rows, cols, pane, NULL);
    assert_true(term_wait(t, "Runs", 10));
    return t;
}

static void three_runs(void)
{
    Error err = {0};
    Store *s = store_open(bench.workspace, STORE_WRITE, &err);
    assert_non_null(s);
    add_run(s, "first-try", "0.01", 3.25, RUN_FINISHED);
    add_run(s, "slow-one", "0.0001", 4.75, RUN_FINISHED);
    add_run(s, "broken", "10", 9.125, RUN_FAILED);
    store_close(s);
}

static void runs_are_listed_and_compared(void **state)
{
    (void)state;
    three_runs();
    Term *t = open_pane("runs", 30, 120);
    see("first-try");
    see("3.25");       /* validation */
    see("5.25");       /* the test of slow-one */
    see("failed");
    term_press(t, "G Space k Space");
    see("2 runs compared");
    see("what differs");
    see("0.0001");
    see("settings are the same");
    assert_false(term_has(t, "batch"));
    term_press(t, "U");
    see("Run 2 slow-one");
    see("batch");
}

static void the_baseline_shows_differences(void **state)
{
    (void)state;
    three_runs();
    Term *t = open_pane("runs", 30, 120);
    see("5.25");
    term_press(t, "G b");
    see("base");
    see("+40.0%"); /* 5.25 after 3.75 */
}

static void runs_are_sorted_and_searched(void **state)
{
    (void)state;
    three_runs();
    Term *t = open_pane("runs", 30, 120);
    int first, other, col;
    see("3.25");
    assert_true(term_find(t, "broken", &first, &col) && term_find(t, "first-try", &other, &col));
    assert_true(first < other); /* newest first */
    term_press(t, "s s s");
    see("by validation");
    assert_true(term_find(t, " broken ", &first, &col) && term_find(t, "first-try", &other, &col));
    assert_true(first > other);
    term_press(t, "/");
    see("Search runs");
    term_type(t, "slow\r");
    assert_true(term_wait_gone(t, "first-try", 5));
    assert_true(term_has(t, "slow-one"));
    term_press(t, "Esc");
    see("first-try");
}

static void keys_say_why_not(void **state)
{
    (void)state;
    Term *t = open_pane("runs", 24, 80);
    see("No runs yet");
    term_press(t, "x");
    see("there is no run yet");
    term_press(t, "6 x");
    see("two datasets are needed");
}

static void a_finished_run_is_not_stopped(void **state)
{
    (void)state;
    three_runs();
    Term *t = open_pane("runs", 24, 80);
    see("first-try");
    term_press(t, "G x");
    see("not running");
    term_press(t, "D");
    see("Delete run 1");
    term_press(t, "y");
    assert_true(term_wait_gone(t, "first-try", 10));
}

/* Two months of made-up trips, compared by key. */
static void drift_by_keys(void **state)
{
    (void)state;
    char line[256];
    Error err = {0};
    SampleReport made;
    assert_true(sample_write(bench.dir, &(SampleOptions){.rows = 2000, .seed = 3, .drift = 1}, &made, &err));
    for (int i = 0; i < 2; i++) {
        json_t *result = NULL;
        CommandCall call = {.workspace = bench.workspace, .program = "/nonexistent"};
        snprintf(line, sizeof line, "ingest \"%.160s\" as=month_%d", made.month[i].path, i + 1);
        if (!command_line(&call, line, NULL, &result, &err))
            fail_msg("%s", err.text);
        json_decref(result);
    }
    Term *t = open_pane("drift", 36, 120);
    see("month_1");
    see("month_2");
    term_press(t, "x");
    see("columns drifted  (");
    see("PAYMENTTYPE");
    see("Jensen-Shannon distance");
    see("reference 19"); /* some rows of 2,000 lack the value */
    term_press(t, "s");
    see("by name");
    int airport, payment, col;
    assert_true(term_find(t, "AIRPORT", &airport, &col) && term_find(t, "DURATION", &payment, &col));
    assert_true(airport < payment);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(runs_are_listed_and_compared, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(the_baseline_shows_differences, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(runs_are_sorted_and_searched, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(keys_say_why_not, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(a_finished_run_is_not_stopped, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(drift_by_keys, bench_begin, bench_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
