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

/* Not cut off at the end of a line, and not among the events that a narrow screen leaves out. */
static void a_failed_run_says_why(void **state)
{
    (void)state;
    Error err = {0};
    Store *s = store_open(bench.workspace, STORE_WRITE, &err);
    assert_non_null(s);
    add_run(s, "broken", "10", 9.125, RUN_RUNNING);
    assert_true(store_run_status(s, 1, RUN_FAILED, "step 4 (epoch 0): not a number in layer head; lower lr (now 10)", &err));
    store_close(s);
    open_pane("runs", 24, 80);
    see("not a number in");
    see("(now 10)");
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
    see("settings and results are the same");
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
    term_press(t, "l l l l s"); /* the column of validation */
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
    see("this run has finished");
    term_press(t, "D");
    see("Delete run 1");
    term_press(t, "y");
    assert_true(term_wait_gone(t, "first-try", 10));
}

/* Twelve runs whose rmse follows lr, three seeds of each; forks, tags and notes. */
static void many_runs(void)
{
    static const char *const lrs[] = {"0.0001", "0.001", "0.01", "0.1"};
    Error err = {0};
    Store *s = store_open(bench.workspace, STORE_WRITE, &err);
    assert_non_null(s);
    for (int i = 0; i < 12; i++) {
        char name[24];
        double rmse = 2 + i / 3 + 0.01 * (i % 3);
        snprintf(name, sizeof name, "try-%d", i + 1);
        ParamRow params[] = {{"lr", lrs[i / 3]}, {"batch", "256"}};
        RunRow row = {.name = name, .experiment = "", .family = i < 6 ? "mlp" : "gbdt", .dataset = "0123456789abcdef",
                      .dataset_name = "trips", .target = "fare", .task = "regression", .recipe = "",
                      .features = "", .split = "70/15/15", .seed = i % 3 + 1, .message = "", .monitor = "val_loss",
                      .note = i == 4 ? "the good one" : "", .tags = i < 2 ? "old" : "", .machine = "here",
                      .version = "0", .created = time_now(), .parent = i == 7 ? 1 : 0, .parent_step = i == 7 ? 40 : 0};
        int64_t run = store_run_add(s, &row, params, 2, &err);
        MetricPoint points[] = {{"val_rmse", 90, 9.0, rmse}, {"test_rmse", 90, 9.0, rmse + 0.5}};
        assert_true(run && store_metrics_add(s, run, points, 2, &err));
        assert_true(store_run_status(s, run, RUN_FINISHED, "", &err));
        if (i == 4)
            assert_true(store_run_note(s, run, "the good one", &err));
        if (i < 2)
            assert_true(store_run_tag(s, run, "old", true, &err));
    }
    store_close(s);
}

static void only(const char *filter, const char *count)
{
    term_press(bench.term, "& Ctrl-U");
    term_settle(bench.term);
    term_type(bench.term, filter);
    term_press(bench.term, "Enter");
    see(count);
}

static void runs_are_filtered_by_expressions(void **state)
{
    (void)state;
    many_runs();
    Term *t = open_pane("runs", 40, 140);
    see("try-12");
    see("5.51"); /* the facts of all were read */
    only("val_rmse < 3 and family = mlp", "3 of 12");
    only("has:note", "1 of 12");
    assert_true(term_has(t, "the good one"));
    only("has:old or name = try-12", "3 of 12");
    only("lr >= 0.01 and test between 4 and 5", "3 of 12");
    term_press(t, "& Ctrl-U");
    term_type(t, "lr <");
    term_press(t, "Enter");
    see("expected");
    term_press(t, "Ctrl-U");
    term_type(t, "val_rmsee < 3");
    term_press(t, "Enter");
    see("did you mean");
    term_press(t, "Esc Esc");
    gone("of 12  by");
    command("filter-runs seed = 2");
    see("4 of 12");
}

static void the_filter_outlives_the_session(void **state)
{
    (void)state;
    many_runs();
    Term *t = open_pane("runs", 40, 140);
    see("5.51");
    only("val_rmse < 3 and family = mlp", "3 of 12");
    command("sort-runs test");
    see("by test");
    term_press(t, "g b"); /* the best */
    see("base");
    term_press(t, "Q");
    assert_true(term_wait_end(t, 10));
    term_close(t);
    t = bench_open(&bench, 40, 140, "runs", NULL);
    see("& val_rmse < 3 and family = mlp");
    see("3 of 12");
    see("by test");
    see("base");
    see("+0.4%"); /* 2.51 after 2.5 */
    term_press(t, "Esc"); /* and it goes with the key that always takes it away */
    gone("3 of 12");
}

static void seeds_become_one_line(void **state)
{
    (void)state;
    many_runs();
    Term *t = open_pane("runs", 40, 160);
    see("5.51");
    term_press(t, "z");
    see("4 set-ups");
    see("5.01 \302\2610.025"); /* 5.00 5.01 5.02: t = 4.303, s = 0.01, 3 runs */
    term_press(t, "g");
    assert_true(term_has(t, "3 >"));
    term_press(t, "Enter");
    see("3 v");
    term_press(t, "j j Space k Space"); /* two seeds of one set-up */
    see("within seed noise");
    term_press(t, "U z G b Space g Space");
    see("more than seed noise");
    see("lr");
    see("+120.8%");
}

static void groups_are_sorted_by_their_mean(void **state)
{
    (void)state;
    Error err = {0};
    Store *s = store_open(bench.workspace, STORE_WRITE, &err);
    assert_non_null(s);
    add_run(s, "steady", "0.01", 3.0, RUN_FINISHED);
    add_run(s, "steady", "0.01", 3.2, RUN_FINISHED);
    add_run(s, "wild", "0.1", 2.0, RUN_FINISHED); /* the best of all, in the worse set-up */
    add_run(s, "wild", "0.1", 9.0, RUN_FINISHED);
    store_close(s);
    Term *t = open_pane("runs", 40, 160);
    int steady, wild, col;
    see("2.5"); /* the test of the best */
    command("sort-runs validation");
    see("by validation");
    term_press(t, "z");
    see("2 set-ups");
    term_settle(t);
    assert_true(term_find(t, "steady", &steady, &col) && term_find(t, "wild", &wild, &col));
    assert_true(steady < wild);
}

static void the_best_of_several_is_judged(void **state)
{
    (void)state;
    many_runs();
    Term *t = open_pane("runs", 40, 160);
    see("5.51");
    term_press(t, "G Space k k k Space k k k Space"); /* three set-ups, 2.5, 3.5, 4.5 */
    see("3 runs compared");
    see("1 is ahead of 4 by 1 in test rmse: more than seed noise");
    term_press(t, "U G Space k Space g Space");
    see("1 is ahead of 2 by 0.01 in test rmse: within seed noise");
}

/* Each is asked for with what it is now, and nothing is in the way afterwards. */
static void words_are_given_to_a_run(void **state)
{
    (void)state;
    many_runs();
    Term *t = open_pane("runs", 40, 160);
    see("5.51");
    term_press(t, "G t");
    see("tags old");
    term_type(t, " fast");
    term_press(t, "Enter");
    see("old fast");
    term_press(t, "t Ctrl-U");
    term_type(t, "fast");
    term_press(t, "Enter");
    gone("old fast");
    see("fast");
    term_press(t, "i");
    see("note");
    term_type(t, "it's \"the\" one");
    term_press(t, "Enter");
    see("it's \"the\" one");
    term_press(t, "r");
    see("name try-1");
    term_type(t, " again");
    term_press(t, "Enter");
    see("Run 1 try-1 again");
}

static void columns_are_chosen_pinned_moved(void **state)
{
    (void)state;
    many_runs();
    Term *t = open_pane("runs", 40, 160);
    int row, status, name, col;
    see("5.51");
    term_press(t, "C");
    see("Show a column");
    term_type(t, "lr"); /* which goes before those in which an l and an r stand somewhere */
    term_press(t, "Enter");
    see("0.0001");
    assert_true(term_find(t, "Name", &row, &name) && term_find(t, "lr", &row, &col) && col > name);
    term_press(t, "L L !");
    see("lr stays at the left");
    term_settle(t);
    assert_true(term_find(t, "Family", &row, &status) && term_find(t, "lr", &row, &col) && col < status);
    term_press(t, "l -");
    see("family is hidden");
    term_press(t, "Q");
    assert_true(term_wait_end(t, 10));
    term_close(t);
    open_pane("runs", 40, 160); /* the workspace remembers */
    see("0.0001");
    assert_false(term_has(bench.term, "Family"));
}

static void views_show_what_hyperparameters_do(void **state)
{
    (void)state;
    many_runs();
    Term *t = open_pane("runs", 44, 140);
    see("5.51");
    term_press(t, "v");
    see("validation by lr");
    see("\342\227\217"); /* a dot */
    term_press(t, "v");
    see("Hyperparameters and validation");
    see("family");
    term_press(t, "I");
    see("What matters for validation");
    see("rises with it");
    int lr, seed, col;
    see("lr  ");
    assert_true(term_find(t, "lr   ", &lr, &col) && term_find(t, "seed   ", &seed, &col));
    assert_true(lr < seed); /* it follows lr, not the seed */
    term_press(t, "F");
    see("at step 40");
    see("lr=0.01");
    see("\342\224\224\342\224\200"); /* the only fork is the last */
    term_press(t, "V V V V");
    see("Run 12 try-12");
}

static void the_table_is_exported(void **state)
{
    (void)state;
    char path[120], line[160];
    Text csv = {0};
    Error err = {0};
    many_runs();
    open_pane("runs", 30, 120);
    see("5.51");
    snprintf(path, sizeof path, "%s/runs.csv", bench.dir);
    snprintf(line, sizeof line, "write-view %s", path);
    command(line);
    see("12 lines are in");
    assert_true(file_read(path, &csv, 1 << 20, &err));
    assert_true(text_starts(text_str(&csv), "run,name,family,status,epoch,validation,test,"));
    assert_non_null(strstr(text_str(&csv), "12,try-12,gbdt,finished,0,5.02,5.52,"));
    text_reset(&csv);
    snprintf(path, sizeof path, "%s/runs.md", bench.dir);
    snprintf(line, sizeof line, "write-view %s", path);
    command(line);
    see("runs.md");
    term_settle(bench.term);
    assert_true(file_read(path, &csv, 1 << 20, &err));
    assert_non_null(strstr(text_str(&csv), "| Run | Name |"));
    assert_non_null(strstr(text_str(&csv), "| ---: | --- |"));
    text_release(&csv);
    command("write-view runs.txt");
    see("must end in .csv or .md");
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
    term_press(t, "a");
    see("no alert is open"); /* the table as a whole did not drift */
    term_press(t, "j x"); /* a second report: the score over time, with its limit */
    term_settle(t);
    term_resize(t, 60, 200);
    see("\342\224\201 limit");
    term_resize(t, 36, 120);
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
        cmocka_unit_test_setup_teardown(a_failed_run_says_why, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(the_baseline_shows_differences, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(runs_are_sorted_and_searched, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(keys_say_why_not, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(a_finished_run_is_not_stopped, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(runs_are_filtered_by_expressions, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(the_filter_outlives_the_session, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(seeds_become_one_line, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(groups_are_sorted_by_their_mean, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(the_best_of_several_is_judged, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(words_are_given_to_a_run, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(columns_are_chosen_pinned_moved, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(views_show_what_hyperparameters_do, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(the_table_is_exported, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(drift_by_keys, bench_begin, bench_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
