/* undo.c -- `u` and Ctrl-R in every pane: what a key or a command changed is as it was, and is made again. */
#include "support/workbench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void add_run(Store *s, const char *name, double rmse)
{
    Error err = {0};
    ParamRow params[] = {{"lr", "0.01"}};
    RunRow row = {.name = name, .experiment = "", .family = "mlp", .dataset = "0123456789abcdef", .dataset_name = "trips",
                  .target = "fare", .task = "regression", .recipe = "", .features = "", .split = "70/15/15", .seed = 1,
                  .message = "", .monitor = "val_loss", .note = "", .tags = "", .machine = "here", .version = "0",
                  .created = time_now()};
    int64_t run = store_run_add(s, &row, params, 1, &err);
    MetricPoint points[] = {{"val_rmse", 90, 9.0, rmse}, {"val_loss", 90, 9.0, rmse}};
    assert_true(run && store_metrics_add(s, run, points, 2, &err) && store_run_status(s, run, RUN_FINISHED, "", &err));
}

static int start(const char *pane, const char *text)
{
    Error err = {0};
    bench_make(&bench);
    bench_dataset(&bench, "trips", 1000);
    Store *s = store_open(bench.workspace, STORE_WRITE, &err);
    add_run(s, "first-try", 3.25);
    add_run(s, "slow-one", 4.75);
    store_close(s);
    bench_open(&bench, 30, 130, pane, NULL);
    see(text);
    return 0;
}

/* Keys, what they bring and take from the screen; then back, again, and back. */
static void back_and_again(const char *keys, const char *comes, const char *goes)
{
    term_press(bench.term, keys);
    see(comes);
    if (goes)
        gone(goes);
    term_press(bench.term, "u");
    see(goes ? goes : "taken back");
    gone(comes);
    term_press(bench.term, "Ctrl-R");
    see(comes);
    term_press(bench.term, "u");
    gone(comes);
}

static void in_data(void **state)
{
    (void)state;
    start("data", "row 1 of 1,000");
    back_and_again("-", "1 hidden", NULL);
    back_and_again("Space Space", "2 marked", NULL); /* the second mark alone is taken back */
    term_press(bench.term, "u");
    gone("1 marked");
    term_press(bench.term, "& i d < 1 1 Enter");
    see("trips · id<11");
    term_press(bench.term, "u");
    gone("id<11");
    see("◎ fare");
    term_press(bench.term, "0 l l t"); /* two columns change their roles, by one key */
    see("◎ miles");
    gone("◎ fare");
    term_press(bench.term, "u");
    see("◎ fare");
    gone("◎ miles");
    term_press(bench.term, "u u u u u u"); /* more than there is */
    see("nothing was changed here that could be taken back");
    term_press(bench.term, "Tab R");
    see("Rename dataset");
    term_press(bench.term, "2 Enter");
    see("it is called trips2 now");
    term_press(bench.term, "u");
    gone("trips2");
}

static void in_runs(void **state)
{
    (void)state;
    start("runs", "first-try");
    back_and_again("-", "Run  Family", "Run  Name");
    back_and_again("Space", "▎", NULL);
    back_and_again("b", "   base", NULL);
    command("runs rename 1 renamed");
    see("u takes it back");
    see("renamed");
    term_press(bench.term, "u");
    see("first-try");
    term_press(bench.term, "Ctrl-R");
    gone("first-try");
    command("filter-runs val_rmse > 4");
    see("1 of 2");
    term_press(bench.term, "u");
    gone("1 of 2");
}

static void in_params(void **state)
{
    (void)state;
    start("params", "Set up");
    see("fare");
    back_and_again("G k k +", "Seed    ◂ 2", "Seed    ◂ 1");
    term_press(bench.term, "Tab Tab j j +");
    see("batchnorm=yes");
    term_press(bench.term, "u");
    gone("batchnorm=yes");
}

static void in_sql(void **state)
{
    (void)state;
    start("sql", "SQL");
    term_press(bench.term, "i s e l e c t Space 4 2 Esc");
    see("select 42");
    term_press(bench.term, "u");
    gone("select 42");
    term_press(bench.term, "Ctrl-R");
    see("select 42");
}

/* What is the screen's own is taken back in the pane where it was changed. */
static void of_the_screen(void **state)
{
    (void)state;
    start("data", "row 1 of 1,000");
    unsigned before = term_back(bench.term, 12, 30);
    term_press(bench.term, ":");
    term_type(bench.term, "set notify off");
    term_press(bench.term, "Enter");
    see("notify is off");
    term_press(bench.term, "T j");
    see("the row under the cursor");
    term_press(bench.term, "Enter");
    gone("the row under the cursor");
    unsigned after = term_back(bench.term, 12, 30);
    assert_int_not_equal(before, after);
    term_press(bench.term, "u");
    see("taken back: the theme");
    assert_int_equal(term_back(bench.term, 12, 30), before);
    term_press(bench.term, "Ctrl-R");
    see("made again: the theme");
    assert_int_equal(term_back(bench.term, 12, 30), after);
    term_press(bench.term, "u u");
    see("taken back: set notify off");
    term_press(bench.term, ":");
    term_type(bench.term, "set");
    term_press(bench.term, "Enter");
    see("notify       all");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(in_data, bench_end),
        cmocka_unit_test_teardown(in_runs, bench_end),
        cmocka_unit_test_teardown(in_params, bench_end),
        cmocka_unit_test_teardown(in_sql, bench_end),
        cmocka_unit_test_teardown(of_the_screen, bench_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
