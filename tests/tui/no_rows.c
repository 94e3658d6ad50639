/* no_rows.c -- a table without rows in every pane: each view of it opens, says what it has, and closes. */
#include "support/workbench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static int setup(void **state)
{
    (void)state;
    return bench_start(0, 30, 120, "data", "This dataset has no rows");
}

static void data_views(void **state)
{
    (void)state;
    static const char *const keys[] = {"j", "k", "G", "g",     "l", "F", "Esc", "I",     "Esc",
                                       "C", "Esc", "X", "Esc", "<", ">", "Esc", "Space", "s",
                                       "Esc", "v", "Esc", "Enter", "Esc", "n", "N", "P", "Esc"};
    for (int column = 0; column < 6; column++) {
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
            term_press(bench.term, keys[i]);
            term_settle(bench.term);
        }
        see("This dataset has no rows");
        term_press(bench.term, "l");
    }
    term_press(bench.term, "/");
    term_type(bench.term, "fare > 3");
    term_press(bench.term, "Enter");
    term_settle(bench.term);
    term_press(bench.term, "Esc");
    see("This dataset has no rows");
}

static void rules_on_it(void **state)
{
    (void)state;
    term_press(bench.term, "2");
    see("trips");
    term_press(bench.term, "a");
    term_settle(bench.term);
    term_type(bench.term, "drop missing fare");
    term_press(bench.term, "Enter");
    see("drop missing fare");
    term_press(bench.term, "1");
    see("This dataset has no rows");
}

static void no_run_of_it(void **state)
{
    (void)state;
    command("train linear data=trips target=fare");
    see("has no rows");
}

static void other_panes(void **state)
{
    (void)state;
    static const char *const panes[] = {"3", "4", "5", "6", "7", "8", "9", "1"};
    for (size_t i = 0; i < sizeof panes / sizeof *panes; i++) {
        term_press(bench.term, panes[i]);
        term_settle(bench.term);
        term_press(bench.term, "j k l h G g");
        term_settle(bench.term);
    }
    see("This dataset has no rows");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(data_views, setup, bench_end),
        cmocka_unit_test_setup_teardown(rules_on_it, setup, bench_end),
        cmocka_unit_test_setup_teardown(no_run_of_it, setup, bench_end),
        cmocka_unit_test_setup_teardown(other_panes, setup, bench_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
