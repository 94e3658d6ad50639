/* data.c -- tests the Data pane: the table, its keys, search, filter, sort, schema, column, roles, rejects. */
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
    return bench_start(70000, 30, 110, "data", "row 1 of 70,000");
}

static void shows_rows_as_they_are(void **state)
{
    (void)state;
    see("Datasets");
    see("city");
    int row, col;
    assert_true(term_find(bench.term, "miles", &row, &col));
    term_press(bench.term, "G");
    see("row 70,000 of 70,000");
    see("70000"); /* the id of the last row */
    term_press(bench.term, "g");
    see("row 1 of 70,000");
    term_press(bench.term, "PgDn j j l l");
    term_press(bench.term, "k");
    see("float64");
}

static void goes_to_a_row(void **state)
{
    (void)state;
    term_press(bench.term, "#");
    see("Go to row");
    term_type(bench.term, "65540");
    term_press(bench.term, "Enter");
    see("row 65,540 of 70,000");
    see("65540");
    term_press(bench.term, "#");
    term_type(bench.term, "many");
    term_press(bench.term, "Enter");
    see("expected a row number");
    term_press(bench.term, "#");
    term_type(bench.term, "50%");
    term_press(bench.term, "Enter");
    see("row 35,000 of 70,000");
    term_press(bench.term, ":");
    term_type(bench.term, "row 12\r");
    see("row 12 of 70,000");
}

static void searches_on_and_back(void **state)
{
    (void)state;
    term_press(bench.term, "/");
    term_type(bench.term, "69999");
    term_press(bench.term, "Enter");
    see("row 69,999 of 70,000");
    term_press(bench.term, "g /");
    term_type(bench.term, "dupont");
    term_press(bench.term, "Enter");
    see("city text");
    term_press(bench.term, "n n N");
    term_press(bench.term, "/");
    term_type(bench.term, "zebra");
    term_press(bench.term, "Enter");
    see("'zebra' is nowhere in trips");
}

static void filters_by_expression(void **state)
{
    (void)state;
    term_press(bench.term, "&");
    term_type(bench.term, "id <= 25 and nothing");
    see("nothing"); /* the mistake is said while it is typed */
    term_press(bench.term, "Ctrl-U");
    term_type(bench.term, "id <= 25 and miles is null");
    term_press(bench.term, "Enter");
    see("row 1 of 3 / 70,000");
    term_press(bench.term, "Esc");
    see("row 4 of 70,000"); /* the row under the cursor stays there */
    term_press(bench.term, "&");
    term_type(bench.term, "fare + 1");
    term_press(bench.term, "Enter");
    see("true or false");
    term_press(bench.term, "Esc");
}

static void completes_columns_in_a_filter(void **state)
{
    (void)state;
    term_press(bench.term, "&");
    term_type(bench.term, "mi\t");
    see("& mi");
    term_type(bench.term, "l\t");
    see("& miles");
    term_press(bench.term, "Esc");
}

static void sorts_both_ways(void **state)
{
    (void)state;
    term_press(bench.term, ">");
    term_wait(bench.term, "70000 ", 8);
    see("▾ id");
    int row, col;
    see("row 1 of 70,000");
    assert_true(term_find(bench.term, "70000", &row, &col));
    term_press(bench.term, "<");
    see("▴ id");
    term_press(bench.term, "Esc");
    assert_true(term_wait_gone(bench.term, "▴ id", 3));
}

static void schema_and_column(void **state)
{
    (void)state;
    term_press(bench.term, "s");
    see("trips · schema");
    see("distribution");
    see("10%"); /* of miles is missing */
    term_press(bench.term, "j j Enter");
    see("trips · miles");
    see("deviation");
    see("median");
    term_press(bench.term, "l");
    see("most frequent");
    see("Anacostia");
    term_press(bench.term, "Esc");
    see("trips · schema");
    term_press(bench.term, "s");
    see("row 1 of 70,000");
}

static void roles_are_kept(void **state)
{
    (void)state;
    term_press(bench.term, "l l t");
    see("miles is what is predicted");
    see("float64 target");
    term_press(bench.term, "r");
    see("Role of miles");
    term_type(bench.term, "ign");
    term_press(bench.term, "Enter");
    see("float64 ignore");
    assert_int_equal(term_close(bench.term), 0);
    bench_open(&bench, 30, 110, "data", NULL);
    see("row 1 of 70,000");
    see("float64 ignore"); /* the cursor is where it was left */
}

static void rejects_are_listed(void **state)
{
    (void)state;
    term_press(bench.term, "x");
    see("rejected lines");
    see("expected 6 fields, found 5");
    term_press(bench.term, "Esc");
    see("row 1 of");
}

static void copies_a_cell(void **state)
{
    (void)state;
    term_press(bench.term, "l l l y");
    see("copied");
    assert_true(strlen(term_clipboard(bench.term)) >= 8);
}

static void mouse_moves_the_cursor(void **state)
{
    (void)state;
    int row, col;
    assert_true(term_find(bench.term, "city", &row, &col));
    term_click(bench.term, row + 6, col + 1);
    see("row 6 of 70,000");
    see("city text");
    term_wheel(bench.term, row + 6, col + 1, 1);
    see("row 9 of 70,000");
    assert_true(term_find(bench.term, "5 Runs", &row, &col));
    term_click(bench.term, row, col + 2);
    see("Training runs");
}

static void maximises_and_renames(void **state)
{
    (void)state;
    term_press(bench.term, "O");
    assert_true(term_wait_gone(bench.term, "Datasets", 3));
    term_press(bench.term, "O Tab R");
    see("Rename dataset");
    term_press(bench.term, "Ctrl-U");
    term_type(bench.term, "january");
    term_press(bench.term, "Enter");
    see("it is called january now; u takes that back");
}

static void narrow_wide_and_ascii_are_whole(void **state)
{
    (void)state;
    static const int sizes[][2] = {{24, 80}, {16, 60}, {60, 200}, {90, 300}};
    for (size_t i = 0; i < 4; i++) {
        term_resize(bench.term, sizes[i][0], sizes[i][1]);
        see("row 1 of 70,000");
        see("? help");
        term_press(bench.term, "s");
        see("column");
        term_press(bench.term, "s");
    }
}

static void ingests_from_the_prompt(void **state)
{
    (void)state;
    char path[200], line[300];
    Error err = {0};
    snprintf(path, sizeof path, "%s/little.csv", bench.dir);
    assert_true(file_write(path, "a,b\n1,x\n2,y\n3,\n", 15, &err));
    snprintf(line, sizeof line, "%s as=little", path);
    term_press(bench.term, "o");
    see(":ingest");
    term_type(bench.term, line);
    term_press(bench.term, "Enter");
    see("little: 3 rows, 2 columns");
    see("of 3");
    see("● little");
}

static void wide_and_combining_characters_line_up(void **state)
{
    (void)state;
    static const char csv[] = "id,city,note\n1,\xe6\x9d\xb1\xe4\xba\xac\xe9\x83\xbd,after\n"
                              "2,e\xcc\x81"
                              "a\xcc\x8a,after\n3,plain,after\n4,\xf0\x9f\x98\x80,after\n";
    char path[200], line[300];
    Error err = {0};
    snprintf(path, sizeof path, "%s/wide.csv", bench.dir);
    assert_true(file_write(path, csv, sizeof csv - 1, &err));
    snprintf(line, sizeof line, "%s as=wide", path);
    term_press(bench.term, "o");
    term_type(bench.term, line);
    term_press(bench.term, "Enter");
    see("row 1 of 4");
    see("\xe6\x9d\xb1\xe4\xba\xac\xe9\x83\xbd");
    see("e\xcc\x81"
        "a\xcc\x8a");
    int row, note, col;
    assert_true(term_find(bench.term, "note", &row, &note));
    for (int i = 1; i <= 4; i++) { /* the column behind it begins at the same place in every row */
        for (double end = clock_now() + 10; !strstr(term_row(bench.term, row + i), "after") && clock_now() < end;)
            term_wait(bench.term, "(never)", 0.05); /* the rows come a moment after their number */
        assert_non_null(strstr(term_row(bench.term, row + i), "after"));
    }
    unsigned ground = term_back(bench.term, row + 2, note);
    term_press(bench.term, "l l j");
    for (int i = 0; i < 5; i++)
        assert_int_equal(term_back(bench.term, row + 2, note + i),
                         term_back(bench.term, row + 2, note));
    assert_int_not_equal(term_back(bench.term, row + 2, note), ground);
    assert_true(term_find(bench.term, "after", &row, &col));
    assert_int_equal(col, note);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, bench_end)
    const struct CMUnitTest tests[] = {
        T(shows_rows_as_they_are),
        T(goes_to_a_row),
        T(searches_on_and_back),
        T(filters_by_expression),
        T(completes_columns_in_a_filter),
        T(sorts_both_ways),
        T(schema_and_column),
        T(roles_are_kept),
        T(rejects_are_listed),
        T(copies_a_cell),
        T(mouse_moves_the_cursor),
        T(maximises_and_renames),
        T(narrow_wide_and_ascii_are_whole),
        T(ingests_from_the_prompt),
        T(wide_and_combining_characters_line_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
