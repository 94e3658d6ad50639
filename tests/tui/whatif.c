/* whatif.c -- a row of the Data pane as a form: a real model's prediction moves with its values. */
#include "support/workbench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static void train(const char *family)
{
    pid_t child = fork();
    if (child == 0) {
        freopen("/dev/null", "w", stdout);
        freopen("/dev/null", "w", stderr);
        execl(LATHE_PROGRAM, LATHE_PROGRAM, "-w", bench.workspace, "train", family, "data=trips", "target=fare",
              "epochs=3", (char *)NULL);
        _exit(127);
    }
    int status = -1;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

static void a_row_is_asked_of_a_model(void **state)
{
    (void)state;
    bench_make(&bench);
    bench_dataset(&bench, "trips", 2000);
    Term *t = bench_open(&bench, 40, 140, "data", NULL);
    see("row 1 of 2,000");
    term_press(t, "w");
    see("no finished run learnt from trips");
    train("gbdt");
    term_press(t, "5");
    see("gbdt-1");
    term_press(t, "1");
    command("row 7");
    see("row 7 of 2,000");
    term_press(t, "w");
    see("What if: run 1, row 7");
    see("SHAP, exact: the prediction is"); /* what each column does, and how that was found */
    see("not used");                       /* the target's own column */
    term_press(t, "j j + + +"); /* more miles */
    see("\xe2\x86\x92"); /* from one prediction to another */
    term_press(t, "Esc");
    see("row 7 of 2,000");
    train("linear");
    term_press(t, "5");
    see("linear-2");
    gone("scheduled"); /* the list may be of a moment when it was not finished */
    gone("running");
    term_press(t, "g"); /* the newest is the one that is asked */
    see("Run 2 linear-2");
    term_press(t, "1");
    see("row 7 of 2,000");
    term_press(t, "w");
    see("run 2, row 7");
    see("by swaps (no SHAP of linear)");
    term_press(t, "Esc");
    see("row 7 of 2,000");
    assert_int_equal(bench_close(&bench), 0);
    bench = (Bench){0};
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_row_is_asked_of_a_model)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
