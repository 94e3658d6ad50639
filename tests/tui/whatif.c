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

static void lathe(const char *const *words)
{
    const char *all[16] = {LATHE_PROGRAM, "-w", bench.workspace};
    for (size_t i = 0; words[i]; i++)
        all[3 + i] = words[i];
    pid_t child = fork();
    if (child == 0) {
        freopen("/dev/null", "w", stdout);
        freopen("/dev/null", "w", stderr);
        execv(LATHE_PROGRAM, (char *const *)(uintptr_t)all);
        _exit(127);
    }
    int status = -1;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

static void train_on(const char *family, const char *data, const char *target)
{
    char from[80], to[80];
    snprintf(from, sizeof from, "data=%s", data);
    snprintf(to, sizeof to, "target=%s", target);
    lathe((const char *[]){"train", family, from, to, "epochs=3", NULL});
}

static void train(const char *family)
{
    train_on(family, "trips", "fare");
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

/* The rows of a table that a recipe made went through it already; a rule of the run's own goes on being one. */
static void a_table_made_by_a_recipe(void **state)
{
    (void)state;
    char recipe[600], word[640];
    FILE *out;
    bench_make(&bench);
    bench_dataset(&bench, "trips", 2000);
    snprintf(recipe, sizeof recipe, "%s/a.recipe", bench.workspace);
    snprintf(word, sizeof word, "recipe=%s", recipe);
    out = fopen(recipe, "w");
    assert_non_null(out);
    fputs("cast paid text\nderive third = miles / 3\nreplace paid \"true\" \"card\"\n", out);
    fclose(out);
    lathe((const char *[]){"clean", "trips", word, "as=clean", NULL});
    train_on("gbdt", "clean", "fare");
    Term *t = bench_open(&bench, 40, 140, "runs", NULL);
    see("gbdt-1");
    term_press(t, "W");
    see("What if: run 1, row 1");
    see("SHAP, exact: the prediction is");
    see("third");
    for (int digits = 0; digits < 10; digits++) { /* a third of whole miles has as many as there are; six count */
        char long_one[] = "00000000";
        memset(long_one, '0' + digits, sizeof long_one - 1);
        assert_false(term_has(t, long_one));
    }
    term_press(t, "Enter"); /* the first line is a number */
    see("What if it were");
    term_press(t, "Ctrl-U");
    term_type(t, "many");
    see("expected a number, found 'many'");
    term_press(t, "Ctrl-U");
    term_type(t, "3.5");
    term_press(t, "Enter");
    see("\xe2\x86\x92");
    assert_int_equal(bench_close(&bench), 0);
    bench = (Bench){0};
}

static void classes_are_called_by_their_names(void **state)
{
    (void)state;
    bench_make(&bench);
    bench_dataset(&bench, "trips", 2000);
    train_on("linear", "trips", "city"); /* several */
    train_on("gbdt", "trips", "paid");   /* two */
    Term *t = bench_open(&bench, 40, 140, "runs", NULL);
    see("gbdt-2");
    term_press(t, "W");
    see("What if: run 2, row 1");
    see("paid true ");
    see("SHAP, exact: the logit of true is");
    see("in the table false");
    term_press(t, "Esc");
    gone("What if");
    term_press(t, "j W");
    see("What if: run 1, row 1");
    see("in the table Eckington");
    see("by swaps (no SHAP of linear)");
    assert_int_equal(bench_close(&bench), 0);
    bench = (Bench){0};
}

/* The other view that asks a real model: its columns in the Runs pane. Means are told in the target's units. */
static void what_a_model_makes_of_its_columns(void **state)
{
    (void)state;
    bench_make(&bench);
    bench_dataset(&bench, "trips", 2000);
    train("linear");
    train("gbdt");
    Term *t = bench_open(&bench, 40, 140, "runs", NULL);
    see("gbdt-2");
    term_press(t, "E");
    see("rmse lost without it");
    see("s SHAP, E back");
    see("10 to 90 % of rows");
    term_press(t, "s");
    see("SHAP: what it adds to fare");
    see("s permutation, E back");
    term_press(t, "E j E");
    see("What run 1 makes of its columns");
    see("j k column, E back"); /* a linear model has no SHAP */
    term_press(t, "j j j j j j");
    bool there = false; /* which place the column has is the model's business */
    for (int i = 0; i < 6 && !there; i++) {
        term_press(t, i ? "k Enter" : "Enter");
        there = term_wait(t, "fare by city, mean", 1);
    }
    see("fare by city, mean");
    see("Eckington ");
    gone("%"); /* a mean fare is no share */
    assert_int_equal(bench_close(&bench), 0);
    bench = (Bench){0};
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_row_is_asked_of_a_model), cmocka_unit_test(a_table_made_by_a_recipe),
                                       cmocka_unit_test(classes_are_called_by_their_names),
                                       cmocka_unit_test(what_a_model_makes_of_its_columns)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
