/* deploy.c -- the Deploy pane: a deployment is made, rolled out and taken back by keys; what cannot be done says why. */
#include "support/workbench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Versions of a model without anything behind them but a folder: nothing is scored here. */
static void add_models(int n)
{
    Error err = {0};
    Store *s = store_open(bench.workspace, STORE_WRITE, &err);
    char dir[160], path[200];
    snprintf(dir, sizeof dir, "%s/runs/1/bundle", bench.workspace);
    snprintf(path, sizeof path, "%s/bundle.json", dir);
    assert_true(s && dir_create(dir, &err) && file_write(path, "{}", 2, &err));
    for (int i = 0; i < n; i++) {
        ModelRow m = {
            .run = 100 + i, .name = "taxi", .hash = "h", .path = "runs/1/bundle", .alias = ""};
        assert_true(store_model_add(s, &m, &err));
    }
    store_close(s);
}

static DeploymentRow row_of(Arena *a)
{
    Error err = {0};
    DeploymentRow row = {0};
    Store *s = store_open(bench.workspace, STORE_READ, &err);
    if (!s || !store_deployment_find(s, "fares", a, &row, &err))
        fail_msg("%s", err.text);
    store_close(s);
    return row;
}

static void open_pane(int models)
{
    bench_dataset(&bench, "trips", 100);
    add_models(models);
    bench_open(&bench, 36, 120, "deploy", NULL);
    see("No deployment yet");
}

static void rolled_out_by_keys(void **state)
{
    (void)state;
    Arena a = {0};
    open_pane(2);
    Term *t = bench.term;
    term_press(t, "t");
    see("there is no deployment yet; a makes one");
    term_press(t, "a");
    see("Which model answers?");
    term_press(t, "Down Enter"); /* the older one */
    see("A new deployment");
    term_type(t, "fares");
    term_press(t, "Enter");
    see("live for");
    term_press(t, "t");
    see("only a canary has steps");
    term_press(t, "c");
    see("Which model is the candidate?");
    term_press(t, "Enter");
    see("fares: canary with taxi/2?");
    term_press(t, "n"); /* asked, and not done */
    gone("fares: canary");
    assert_string_equal(row_of(&a).state, "live");
    term_press(t, "c");
    see("Which model is the candidate?");
    term_press(t, "Enter");
    see("canary with taxi/2?");
    term_press(t, "y");
    see("canary for");
    term_press(t, "t");
    see("fares: step?");
    term_press(t, "y");
    see("fares is canary");
    for (int i = 0; i < 100 && row_of(&a).percent != 25; i++)
        term_settle(t);
    assert_true(row_of(&a).percent == 25);
    term_press(t, "r");
    see("fares: back?");
    term_press(t, "y");
    see("not rolled out taxi/2");
    assert_string_equal(row_of(&a).state, "live");
    /* a setting by its form, refused and taken */
    term_press(t, "e");
    see("Settings of fares");
    term_press(t, "j j Enter");
    term_press(t, "Ctrl-U");
    term_type(t, "50 10");
    term_press(t, "Enter");
    see("percents that grow");
    term_press(t, "Enter Ctrl-U");
    term_type(t, "10 50 100");
    term_press(t, "Enter");
    see("10%");
    term_press(t, "x");
    see("fares: stop?");
    term_press(t, "y");
    see("stopped for");
    term_press(t, "c");
    see("it is stopped: start it first");
    arena_release(&a);
}

static void nothing_to_roll_out(void **state)
{
    (void)state;
    bench_dataset(&bench, "trips", 100);
    bench_open(&bench, 24, 80, "deploy", NULL);
    see("No deployment yet");
    term_press(bench.term, "a");
    see("there is no model yet");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rolled_out_by_keys, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(nothing_to_roll_out, bench_begin, bench_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
