/* params.c -- tests of the Params pane: the form becomes the command that launches, and it launches. */
#include "support/workbench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static Term *open_wide(void)
{
    bench_open(&bench, 60, 200, "params", NULL);
    see("Hyperparameters of mlp");
    see(" weights"); /* the set-up was tried on the rows */
    return bench.term;
}

static int setup(void **state)
{
    (void)state;
    bench_make(&bench);
    bench_dataset(&bench, "trips", 3000);
    return 0;
}

static void says_what_to_do_without_a_dataset(void **state)
{
    (void)state;
    Error err = {0};
    bench_make(&bench);
    store_close(store_open(bench.workspace, STORE_WRITE, &err));
    bench_open(&bench, 24, 80, "params", NULL);
    see("No dataset chosen");
    see(":ingest PATH");
    bench_close(&bench);
}

static void knows_target_and_inputs_by_role(void **state)
{
    (void)state;
    open_wide();
    see(":train mlp data=trips target=fare ");
    see("4 of 6 columns");
    see("names the row"); /* why id is no input */
    see("is predicted");
    see("2,100 train");
}

static void values_are_nudged_typed_and_reset(void **state)
{
    (void)state;
    Term *t = open_wide();
    term_press(t, "Tab Tab /");
    term_type(t, "lr");
    term_settle(t);
    term_press(t, "Enter");
    see("lr: learning rate");
    term_press(t, "+");
    see("target=fare lr=0.005");
    term_press(t, "=");
    gone("lr=0.005");
    term_press(t, "Enter Ctrl-U");
    term_type(t, "fast");
    term_press(t, "Enter");
    see("expected a number");
    term_press(t, "Ctrl-U");
    term_type(t, "0.03");
    term_press(t, "Enter");
    see("target=fare lr=0.03");
    see("1 changed");
}

static void inputs_are_switched(void **state)
{
    (void)state;
    Term *t = open_wide();
    term_press(t, "Tab Down Down Space"); /* id, fare, miles */
    see("features=city,day,paid");
    see("switched off");
    see("3 inputs");
    term_press(t, "a");
    gone("features=");
}

static void a_target_that_cannot_be_learnt_is_said_at_once(void **state)
{
    (void)state;
    Term *t = open_wide();
    term_press(t, "P"); /* no run yet: the key says why it does nothing */
    see("no earlier run");
    term_press(t, "t");
    see("Predict which column?");
    term_type(t, "city");
    term_settle(t);
    term_press(t, "Enter");
    see("target=city");
    see("multiclass of 5");
    term_press(t, "f");
    see("Which family of models?");
    term_type(t, "linear");
    term_settle(t);
    term_press(t, "Enter");
    see(":train linear data=trips target=city");
}

static bool run_is(Store *s, RunStatus status)
{
    Arena a = {0};
    RunRow row;
    Error err = {0};
    bool is = store_run_get(s, 1, &a, &row, &err) && row.status == status;
    arena_release(&a);
    return is;
}

static void launches_what_it_shows(void **state)
{
    (void)state;
    Error err = {0};
    Arena a = {0};
    RunRow row;
    ParamRow *params;
    size_t n, seen = 0;
    Term *t = open_wide();
    term_press(t, "Tab Tab /");
    term_type(t, "epochs");
    term_settle(t);
    term_press(t, "Enter");
    see("epochs: how often");
    term_press(t, "Enter Ctrl-U");
    term_type(t, "2");
    term_press(t, "Enter");
    see("target=fare epochs=2");
    term_press(t, "x");
    see("Run 1"); /* the Train pane */
    see("mlp on trips");
    Store *s = store_open(bench.workspace, STORE_WRITE, &err);
    assert_non_null(s);
    for (int i = 0; i < 600 && !run_is(s, RUN_FINISHED); i++)
        usleep(50000);
    assert_true(store_run_get(s, 1, &a, &row, &err));
    assert_int_equal(row.status, RUN_FINISHED);
    assert_string_equal(row.target, "fare");
    assert_int_equal(row.epochs_total, 2);
    assert_true(store_run_params(s, 1, &a, &params, &n, &err));
    for (size_t i = 0; i < n; i++)
        seen += strcmp(params[i].key, "epochs") == 0 && strcmp(params[i].value, "2") == 0;
    assert_int_equal(seen, 1);
    see("finished");
    see("Test results");
    see("━ validation"); /* the curves are there, not only their frames */
    term_press(t, "g Right");
    see("step 2"); /* the crosshair is */
    term_press(t, "Enter"); /* from a step to its rows */
    see("of run 1, largest loss"); /* ... in the Data pane */
    see("trips · marked");
    store_close(s);
    arena_release(&a);
}

static void choices_are_remembered(void **state)
{
    (void)state;
    Term *t = open_wide();
    term_press(t, "Tab Tab +"); /* hidden has no next value: nothing changes */
    term_press(t, "Down +");
    see("activation=gelu");
    term_press(t, "Tab s"); /* the set-up has the keys again */
    term_press(t, "G Up Up Right");
    see("seed=2");
    term_settle(t);
    term_press(t, "Q");
    assert_true(term_wait_end(t, 10));
    term_close(t);
    bench.term = NULL;
    open_wide();
    see("seed=2 activation=gelu");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_to_do_without_a_dataset),
        cmocka_unit_test_setup_teardown(knows_target_and_inputs_by_role, setup, bench_end),
        cmocka_unit_test_setup_teardown(values_are_nudged_typed_and_reset, setup, bench_end),
        cmocka_unit_test_setup_teardown(inputs_are_switched, setup, bench_end),
        cmocka_unit_test_setup_teardown(a_target_that_cannot_be_learnt_is_said_at_once, setup, bench_end),
        cmocka_unit_test_setup_teardown(launches_what_it_shows, setup, bench_end),
        cmocka_unit_test_setup_teardown(choices_are_remembered, setup, bench_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
