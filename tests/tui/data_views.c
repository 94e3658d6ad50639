/* data_views.c -- tests the views of the Data pane: groups, describe, scatter, correlation, one row; columns that are
 * hidden, pinned, moved; marks; rules made from what is seen; what a session remembers. */
#include "support/workbench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static int setup(void **state)
{
    (void)state;
    return bench_start(70000, 30, 120, "data", "row 1 of 70,000");
}

/* ---- columns ---------------------------------------------------------------------------------------------------- */

static void columns_hide_and_come_back(void **state)
{
    (void)state;
    term_press(bench.term, "l -");
    see("fare is hidden");
    see("1 hidden");
    term_press(bench.term, "+");
    gone("1 hidden");
    term_press(bench.term, "- - +");
    see("Bring columns back");
    term_press(bench.term, "Enter");
    gone("hidden · row");
}

static void the_last_column_stays(void **state)
{
    (void)state;
    term_press(bench.term, "- - - - -");
    see("5 hidden");
    term_press(bench.term, "-");
    see("this is the last column that is shown");
}

static void columns_move_and_stay_at_the_left(void **state)
{
    (void)state;
    int row, fare, miles;
    term_press(bench.term, "l L");
    assert_true(term_find(bench.term, "fare", &row, &fare));
    assert_true(term_find(bench.term, "miles", &row, &miles));
    assert_true(miles < fare);
    term_press(bench.term, "H");
    assert_true(term_find(bench.term, "fare", &row, &fare));
    assert_true(term_find(bench.term, "miles", &row, &miles));
    assert_true(fare < miles);
    term_press(bench.term, "l !");
    see("miles stays at the left");
    assert_true(term_find(bench.term, "fare", &row, &fare));
    assert_true(term_find(bench.term, "miles", &row, &miles));
    assert_true(miles < fare);
    term_press(bench.term, "L");
    see("pinned columns stay together");
    term_press(bench.term, "!");
    see("miles moves with the others again");
}

/* ---- order and filter --------------------------------------------------------------------------------------------- */

static void sorts_by_several_columns(void **state)
{
    (void)state;
    term_press(bench.term, "l l l <");
    see("▴ city");
    see("row 1 of 70,000");
    term_press(bench.term, "0 }");
    see("▴ city ▾ id");
    int row, col;
    assert_true(term_find(bench.term, "Anacostia", &row, &col));
    term_press(bench.term, "Esc");
    gone("▴ city");
}

static void a_filter_is_counted_while_it_is_typed(void **state)
{
    (void)state;
    term_press(bench.term, "&");
    term_type(bench.term, "id <= 35000");
    see("~");
    see("rows, ");
    term_press(bench.term, "Enter");
    see("row 1 of 35,000 / 70,000");
    term_press(bench.term, ">");
    see("▾ id");
    term_press(bench.term, "Esc");
    gone("▾ id");
    see("/ 70,000"); /* the sorting goes first, the filter stays */
    term_press(bench.term, "Esc");
    see("row 1 of 70,000");
}

static void filters_from_the_command_line(void **state)
{
    (void)state;
    command("filter id > 69990");
    see("row 1 of 10 / 70,000");
    command("filter nothing > 1");
    see("no column nothing");
}

static void search_goes_both_ways_in_sorted_rows(void **state)
{
    (void)state;
    term_press(bench.term, ">");
    see("▾ id");
    term_press(bench.term, "/");
    term_type(bench.term, "69321");
    term_press(bench.term, "Enter");
    see("row 680 of 70,000");
    term_press(bench.term, "/");
    term_type(bench.term, "12345");
    term_press(bench.term, "Enter");
    see("row 57,656 of 70,000"); /* far away: by a sweep of all chunks */
    term_press(bench.term, "g N");
    see("row 57,656 of 70,000");
}

static void search_knows_numbers_and_dates(void **state)
{
    (void)state;
    command("search 13.23");
    see("row 4 of 70,000");
    see("fare float64");
    command("search 2016-09-07");
    see("row 7 of 70,000");
    see("day date");
    command("search 98765.4321");
    see("'98765.4321' is nowhere in trips");
    command("search DUPONT");
    see("city text");
}

/* ---- views ---------------------------------------------------------------------------------------------------------- */

static void frequency_of_a_column(void **state)
{
    (void)state;
    term_press(bench.term, "l l l F");
    see("groups of 70,000 rows");
    see("Anacostia");
    see("share");
    term_press(bench.term, "Enter");
    see("city = \"");
    see("/ 70,000");
    term_press(bench.term, "Esc"); /* back to the groups, and the rows are all again */
    see("groups of 70,000 rows");
    term_press(bench.term, "Space Space");
    see("2 marked");
    term_press(bench.term, "Enter");
    see("city in (\"");
    term_press(bench.term, "Esc Esc");
    see("of 70,000");
}

static void groups_with_measures(void **state)
{
    (void)state;
    term_press(bench.term, "l l l F");
    see("groups of 70,000 rows");
    term_press(bench.term, "m");
    see("Measure which column");
    term_type(bench.term, "fare");
    term_press(bench.term, "Enter");
    see("What of fare?");
    term_press(bench.term, "Enter");
    see("mean_fare");
    term_press(bench.term, "a");
    see("Group by another column too");
    term_type(bench.term, "paid");
    term_press(bench.term, "Enter");
    see("city, paid");
    term_press(bench.term, "W");
    see("city across paid");
    term_press(bench.term, "W");
    see("city, paid");
    term_press(bench.term, "l d");
    gone("city, paid");
    term_press(bench.term, "$ >");
    see("▾ mean_fare");
    term_press(bench.term, "<");
    see("▴ mean_fare");
}

static void a_time_in_parts(void **state)
{
    (void)state;
    term_press(bench.term, "l l l l F");
    see("groups of 70,000 rows");
    term_press(bench.term, "b");
    see("Group by which part of it?");
    term_type(bench.term, "weekday");
    term_press(bench.term, "Enter");
    see("7 groups of 70,000 rows");
    term_press(bench.term, "Enter");
    see("weekday(day) = ");
    see("/ 70,000");
}

static void a_value_becomes_a_rule(void **state)
{
    (void)state;
    term_press(bench.term, "l l l F");
    see("groups of 70,000 rows");
    term_press(bench.term, "e");
    see("replace city");
    see("drop where city =");
    term_type(bench.term, "drop");
    term_press(bench.term, "Enter");
    see("Recipe for trips");
    see("Blast radius");
    see("while you type");
    see("drop where city =");
    term_press(bench.term, "Enter");
    see("1 rule");
}

static void describe_sorts_and_leads_to_the_column(void **state)
{
    (void)state;
    term_press(bench.term, "I");
    see("trips · describe");
    see("75 %");
    term_press(bench.term, "l l >"); /* missing */
    see("▾ missing");
    int row, col;
    assert_true(term_find(bench.term, "miles", &row, &col));
    assert_int_equal(row, 3); /* the only one with missing values comes first */
    term_press(bench.term, "Enter");
    see("trips · miles");
    term_press(bench.term, "Esc");
    see("trips · describe");
    term_press(bench.term, "Esc");
    see("row 1 of 70,000");
}

static void statistics_of_the_filtered_rows(void **state)
{
    (void)state;
    command("filter id <= 700");
    see("row 1 of 700 / 70,000");
    term_press(bench.term, "I");
    see("700 rows");
    see("350"); /* the median of id */
    term_press(bench.term, "i");
    see(" shown");
    see("700 of 70,000 rows");
}

static void one_row_as_a_form(void **state)
{
    (void)state;
    term_press(bench.term, "j j Enter");
    see("trips · row 3");
    see("above");
    see("float64");
    term_press(bench.term, "l");
    see("trips · row 4");
    term_press(bench.term, "Space");
    see("row 4, marked");
    term_press(bench.term, "j Esc");
    see("1 marked · row 4 of 70,000");
}

static void scatter_and_back(void **state)
{
    (void)state;
    term_press(bench.term, "l .");
    see("fare to the right, and upward:");
    term_type(bench.term, "miles");
    term_press(bench.term, "Enter");
    see("trips · miles by fare");
    see("rows a cell");
    term_press(bench.term, "l");
    see("×");
    term_press(bench.term, "+");
    term_settle(bench.term);
    term_press(bench.term, "- A X");
    see("trips · fare by miles");
    see("rows a cell");
    term_press(bench.term, "l Enter");
    see("miles >= ");
    term_press(bench.term, "Esc");
    see("trips · fare by miles");
}

static void text_has_no_scatter(void **state)
{
    (void)state;
    term_press(bench.term, "l l l .");
    see("city is text");
}

static void correlation_leads_to_a_scatter(void **state)
{
    (void)state;
    term_press(bench.term, "C");
    see("trips · correlation");
    see("pearson");
    term_press(bench.term, "p");
    see("spearman");
    see("of ranks, sampled");
    term_press(bench.term, "Enter");
    see("rows a cell");
    term_press(bench.term, "Esc");
    see("trips · correlation");
}

/* ---- marks and rules --------------------------------------------------------------------------------------------------- */

static void rows_are_marked(void **state)
{
    (void)state;
    term_press(bench.term, "Space Space");
    see("2 marked · row 3");
    term_press(bench.term, "|");
    term_type(bench.term, "id > 69990");
    term_press(bench.term, "Enter");
    see("12 marked");
    term_press(bench.term, "\"");
    see("row 1 of 12 / 70,000");
    term_press(bench.term, "\"");
    see("of 70,000");
    term_press(bench.term, "l l l ,");
    see("rows marked; \" shows only them");
    term_press(bench.term, "U");
    see("no row is marked any more");
    gone(" marked ·");
}

static void marks_by_expression_are_a_rule(void **state)
{
    (void)state;
    command("mark-by id > 69990");
    see("10 marked");
    command("mark-by id < 3");
    see("12 marked");
    term_press(bench.term, "e");
    see("drop where (id > 69990) or (id < 3)");
    term_press(bench.term, "Enter");
    see("Recipe for trips");
    see("drop where (id > 69990) or (id < 3)");
}

static void a_filter_and_hidden_columns_are_rules(void **state)
{
    (void)state;
    command("filter fare > 10");
    see("fare > 10");
    term_press(bench.term, "l l - e");
    see("keep fare > 10");
    see("drop column miles");
}

static void cells_become_rules(void **state)
{
    (void)state;
    term_press(bench.term, "Space Space 0 e");
    see("Rule for Clean from here");
    see("drop where id in (1, 2)");
    see("keep id in (1, 2)");
    term_type(bench.term, "in (1");
    term_press(bench.term, "Enter");
    see("Recipe for trips");
    see("drop where id in (1, 2)");
    term_press(bench.term, "Enter");
    see("1 rule");
}

static void another_type_is_a_rule(void **state)
{
    (void)state;
    term_press(bench.term, "~");
    see("Type of id, by a cleaning rule");
    term_type(bench.term, "text");
    term_press(bench.term, "Enter");
    see("cast id text");
}

static void a_value_is_filtered_for(void **state)
{
    (void)state;
    term_press(bench.term, "l l l =");
    see("city = \"");
    see("/ 70,000");
}

/* ---- the session ------------------------------------------------------------------------------------------------------ */

static void a_session_goes_on(void **state)
{
    (void)state;
    term_press(bench.term, "l l l ! - ");
    see("1 hidden");
    command("filter id > 100");
    see("of 69,900");
    term_press(bench.term, ">");
    see("▾");
    command("row 1000");
    see("row 1,000 of");
    assert_int_equal(term_close(bench.term), 0);
    bench_open(&bench, 30, 120, "data", NULL);
    see("1 hidden · row 1,000 of 69,900 / 70,000");
    see("▾");
}

/* ---- every size, every theme -------------------------------------------------------------------------------------------- */

static void views_are_whole_at_every_size(void **state)
{
    (void)state;
    static const int sizes[][2] = {{24, 80}, {36, 120}, {60, 200}, {16, 60}};
    for (size_t i = 0; i < 4; i++) {
        term_resize(bench.term, sizes[i][0], sizes[i][1]);
        term_press(bench.term, "I");
        see("describe");
        term_press(bench.term, "Esc l F");
        see("groups of 70,000 rows");
        term_press(bench.term, "Esc C");
        see("pearson");
        term_press(bench.term, "Enter");
        see("rows a cell");
        term_press(bench.term, "Esc Esc Enter");
        see("above");
        term_press(bench.term, "Esc 0");
        see("? help");
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, bench_end)
    const struct CMUnitTest tests[] = {
        T(columns_hide_and_come_back),
        T(the_last_column_stays),
        T(columns_move_and_stay_at_the_left),
        T(sorts_by_several_columns),
        T(a_filter_is_counted_while_it_is_typed),
        T(filters_from_the_command_line),
        T(search_goes_both_ways_in_sorted_rows),
        T(search_knows_numbers_and_dates),
        T(frequency_of_a_column),
        T(groups_with_measures),
        T(a_time_in_parts),
        T(a_value_becomes_a_rule),
        T(describe_sorts_and_leads_to_the_column),
        T(statistics_of_the_filtered_rows),
        T(one_row_as_a_form),
        T(scatter_and_back),
        T(text_has_no_scatter),
        T(correlation_leads_to_a_scatter),
        T(rows_are_marked),
        T(marks_by_expression_are_a_rule),
        T(a_filter_and_hidden_columns_are_rules),
        T(cells_become_rules),
        T(another_type_is_a_rule),
        T(a_value_is_filtered_for),
        T(a_session_goes_on),
        T(views_are_whole_at_every_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
