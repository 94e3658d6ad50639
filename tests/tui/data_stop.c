/* data_stop.c -- work over all rows of a large table, stopped while it goes on: what is known stays, and the pane
 * says so. */
#include "support/workbench.h"

#include <lathe/base.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define ROWS 2000000

static int begin(void **state)
{
    (void)state;
    return bench_start(ROWS, 36, 140, "data", "row 1 of 2,000,000");
}

/* Types the line, Enter, and Ctrl-C so many milliseconds later. */
static void start_and_stop(const char *key, const char *line, unsigned ms)
{
    term_press(bench.term, key);
    term_settle(bench.term);
    term_type(bench.term, line);
    term_settle(bench.term);
    term_send(bench.term, "\r", 1);
    usleep(ms * 1000);
    term_send(bench.term, "\x03", 1);
}

/* Digits that no row has, so that every number of every row is printed and looked at. The machine may be quick or
 * slow: other digits and another moment are tried until the stop falls into the search. What is said names the digits:
 * the line of the search before may still stand there. */
static void a_search_that_is_stopped_goes_on_with_n(void **state)
{
    (void)state;
    Term *t = bench.term;
    bool stopped = false;
    char digits[24], cut[64], nowhere[64];
    for (unsigned i = 0; !stopped && i < 12; i++) {
        snprintf(digits, sizeof digits, "%u77777777", 11 + i);
        snprintf(cut, sizeof cut, "'%s' stopped after", digits);
        snprintf(nowhere, sizeof nowhere, "'%s' is nowhere in trips", digits);
        start_and_stop("/", digits, i % 2 ? 40 : 250);
        for (double end = clock_now() + 20; !stopped && clock_now() < end; term_settle(t)) {
            stopped = term_has(t, cut);
            if (term_has(t, nowhere))
                break;
        }
    }
    assert_true(stopped);
    see("of 2,000,000 rows; n and N go on");
    see("row 1 of 2,000,000"); /* the place is as it was */
    term_press(t, "n");
    see(nowhere);
}

static void what_n_knows_is_true(void **state)
{
    (void)state;
    Term *t = bench.term;
    term_press(t, "/");
    term_type(t, "1999999");
    term_press(t, "Enter");
    see("row 1,999,999 of");
    term_press(t, "n"); /* round the end: it is the only one */
    term_settle(t);
    see("row 1,999,999 of");
    term_press(t, "g");
    see("row 1 of 2,000,000");
    term_press(t, "N");
    see("row 1,999,999 of");
    term_press(t, "-"); /* the column with it is hidden: it is nowhere now */
    term_press(t, "n");
    see("'1999999' is nowhere in trips");
}

static void a_filter_that_is_stopped_keeps_its_first_rows(void **state)
{
    (void)state;
    Term *t = bench.term;
    bool stopped = false;
    char line[160];
    for (unsigned i = 0; !stopped && i < 12; i++) {
        snprintf(line, sizeof line,
                 "contains(upper(city), 'DUPONT') or sin(fare) * cos(miles) > 0.%u and "
                 "exp(sin(fare * miles)) > 1.2",
                 50 + i);
        start_and_stop("&", line, i % 2 ? 60 : 220);
        for (double end = clock_now() + 20; !stopped && clock_now() < end; term_settle(t)) {
            stopped = term_has(t, "stopped: these are the first");
            if (term_has(t, " / 2,000,000") && !term_has(t, "~"))
                break; /* it was quicker */
            if (term_has(t, "the rows stay as they were"))
                break; /* before the first glimpse */
        }
        if (!stopped)
            term_press(t, "Esc");
        term_settle(t);
    }
    if (!stopped)
        term_print(t);
    assert_true(stopped);
    see("stopped: the first rows of");
    see("row 1 of ");
    term_press(t, "Esc"); /* takes the filter away */
    gone("stopped: the first rows of");
    see(" of 2,000,000"); /* the row under the cursor stays there */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_search_that_is_stopped_goes_on_with_n, begin, bench_end),
        cmocka_unit_test_setup_teardown(what_n_knows_is_true, begin, bench_end),
        cmocka_unit_test_setup_teardown(a_filter_that_is_stopped_keeps_its_first_rows, begin,
                                        bench_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
