/* sql.c -- tests of the SQL pane: typing, completing, errors with their place, rows as one scrolls, stopping,
 * history, and an answer kept as CSV or as a dataset. */
#include "support/workbench.h"

#include <lathe/command.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static Term *open_pane(int rows, int cols)
{
    Term *t = bench_open(&bench, rows, cols, "sql", NULL);
    see("Try one");
    return t;
}

/* Counts beyond what fits in the first block. */
static const char many[] = "with recursive n(i) as (select 1 union all select i + 1 from n where i < %d) "
                           "select i as number, 'row ' || i as word from n";

static void ask(Term *t, const char *text)
{
    term_press(t, "i Ctrl-E Ctrl-U");
    term_type(t, text);
    term_press(t, "Enter");
}

static void a_statement_is_typed_and_answered(void **state)
{
    (void)state;
    bench_dataset(&bench, "trips", 1000);
    Term *t = open_pane(24, 80);
    ask(t, "select city, count(*) as n, null as gap from trips group by 1 order by 1");
    see("5 rows, ");
    see("Anacostia");
    see("NULL");
    term_press(t, "v"); /* the value */
    see("city");
    term_press(t, "Esc");
    term_press(t, "y");
    term_settle(t);
    assert_string_equal(term_clipboard(t), "QW5hY29zdGlh"); /* Anacostia */
}

static void examples_run_by_key(void **state)
{
    (void)state;
    bench_dataset(&bench, "trips", 1000);
    Term *t = open_pane(30, 120);
    see("groups of the dataset");
    term_press(t, "c");
    see("Brookland");
    see("average");
    term_press(t, "a");
    see("No rows match");
    see("best_step");
}

static void errors_name_their_place(void **state)
{
    (void)state;
    bench_dataset(&bench, "trips", 100);
    Term *t = open_pane(24, 80);
    ask(t, "select fale from trips");
    see("line 1, column 8: no such column: fale");
    see("did you mean fare?");
    term_press(t, "i Ctrl-E Ctrl-U"); /* the cursor was put at the error */
    term_type(t, "delete from runs\r");
    see("only reading is allowed");
}

static void words_are_completed(void **state)
{
    (void)state;
    bench_dataset(&bench, "trips", 100);
    Term *t = open_pane(30, 120);
    see("miles"); /* the list of tables has been read */
    term_press(t, "i");
    term_type(t, "select * from tri");
    term_press(t, "Tab");
    see("select * from trips ");
    term_type(t, "x where x.mi");
    term_press(t, "Tab");
    see("x where x.miles");
    term_type(t, "> 5 ord");
    term_press(t, "Tab");
    see("> 5 order");
}

static void rows_come_as_one_scrolls(void **state)
{
    (void)state;
    char text[300];
    Term *t = open_pane(24, 80);
    snprintf(text, sizeof text, many, 30000);
    ask(t, text);
    see("200 rows so far");
    assert_false(term_has(t, "row 201"));
    for (int i = 0; i < 17; i++)
        term_press(t, "PgDn");
    see("2,200 rows");
    term_press(t, "G");
    see("30,000 rows, ");
    see("row 30000");
    term_press(t, "g");
    see("row 1 ");
}

static void a_long_one_is_stopped(void **state)
{
    (void)state;
    char text[300];
    Term *t = open_pane(24, 80);
    snprintf(text, sizeof text, "with recursive n(i) as (select 1 union all select i + 1 from n where i < %d) "
                                "select count(*) as c from n", 2000000000);
    for (int i = 0; i < 2; i++) { /* by either key */
        ask(t, text);
        see("Esc stops it");
        term_press(t, i ? "Esc" : "Ctrl-C");
        see("stopped");
        term_press(t, "i Ctrl-E Ctrl-U");
    }
    term_type(t, "select 41 + 1 as answer\r");
    see("1 row, ");
    see("42");
}

static void history_outlives_the_session(void **state)
{
    (void)state;
    Term *t = open_pane(24, 80);
    ask(t, "select 11 as first_one");
    see("1 row, ");
    ask(t, "select 22 as second_one");
    see("second_one");
    term_press(t, "i Up Up");
    see("select 11 as first_one");
    term_press(t, "Esc");
    see("x run");
    term_press(t, "Q");
    assert_true(term_wait_end(t, 10));
    term_close(t);
    t = bench_open(&bench, 24, 80, "sql", NULL);
    see("Try one");
    term_settle(t);
    term_press(t, "< <");
    see("select 11 as first_one");
}

static void several_lines(void **state)
{
    (void)state;
    Term *t = open_pane(24, 80);
    term_press(t, "i");
    term_paste(t, "select 6 * 7\nas\nanswer");
    see("answer");
    term_press(t, "Up Up Home");
    term_press(t, "Del Del Del");
    term_type(t, "sel");
    term_settle(t);
    term_press(t, "Esc");
    see("x run");
    term_press(t, "x");
    see("42");
}

static void an_answer_becomes_a_dataset(void **state)
{
    (void)state;
    bench_dataset(&bench, "trips", 1000);
    Term *t = open_pane(30, 120);
    ask(t, "select city, day, count(*) as n, avg(fare) as fare from trips group by 1, 2");
    see("148 rows, ");
    term_press(t, "S");
    see("Save as dataset");
    term_press(t, "Ctrl-U");
    term_type(t, "by_city\r");
    see("148 rows kept as dataset by_city");
    see("+ by_city"); /* in the list of tables */
    Error err = {0};
    Arena arena = {0};
    ColumnRow *columns;
    DatasetRow row;
    size_t n;
    Store *s = store_open(bench.workspace, STORE_READ, &err);
    assert_non_null(s);
    assert_true(store_dataset_find(s, "by_city", &arena, &row, &err));
    assert_int_equal(row.rows, 148);
    assert_true(store_dataset_columns(s, row.hash, &arena, &columns, &n, &err));
    assert_int_equal(n, 4);
    assert_string_equal(columns[0].type, "text");
    assert_string_equal(columns[1].type, "date");
    assert_string_equal(columns[2].type, "int64");
    assert_string_equal(columns[3].type, "float64");
    Dataset *d = workspace_dataset(s, "by_city", &arena, NULL, &err);
    assert_non_null(d);
    Chunk chunk;
    double sum = 0;
    dataset_chunk(d, 0, &arena, &chunk);
    for (size_t i = 0; i < chunk.rows; i++)
        sum += column_real(chunk_find(&chunk, "n"), i);
    assert_true(sum == 1000);
    dataset_close(d);
    store_close(s);
    arena_release(&arena);
}

static void an_answer_becomes_csv(void **state)
{
    (void)state;
    char path[128];
    Text text = {0};
    Error err = {0};
    Term *t = open_pane(24, 80);
    ask(t, "select 1 as a, 'x, \"y\"' as b union all select null, ''");
    see("2 rows, ");
    term_press(t, "w");
    see("Write to a file");
    snprintf(path, sizeof path, "%s/out.csv", bench.dir);
    term_press(t, "Ctrl-U");
    term_type(t, path);
    term_press(t, "Enter");
    see("2 rows written to");
    assert_true(file_read(path, &text, 1000, &err));
    assert_string_equal(text_str(&text), "a,b\n1,\"x, \"\"y\"\"\"\n,\"\"\n");
    text_release(&text);
    term_press(t, "w"); /* by the ending: Parquet, which begins and ends with PAR1 */
    see("Write to a file");
    snprintf(path, sizeof path, "%s/out.parquet", bench.dir);
    term_press(t, "Ctrl-U");
    term_type(t, path);
    term_press(t, "Enter");
    see("out.parquet");
    see("2 rows written to");
    assert_true(file_read(path, &text, 100000, &err));
    assert_memory_equal(text.at, "PAR1", 4);
    assert_memory_equal(text.at + text.count - 4, "PAR1", 4);
    text_release(&text);
}

static void names_come_from_the_list(void **state)
{
    (void)state;
    bench_dataset(&bench, "odd name", 100);
    Term *t = open_pane(24, 80);
    term_press(t, "i");
    term_type(t, "select count(*) from");
    term_settle(t);
    term_press(t, "Esc");
    see("t tables");
    term_press(t, "t");
    see("odd name");
    term_press(t, "Enter");
    see("from \"odd name\"");
    term_press(t, "t x");
    see("1 row, ");
    see("100");
}

static void every_tab_is_there_at_80(void **state)
{
    (void)state;
    Term *t = open_pane(24, 80);
    const char *tabs = term_row(t, 0);
    for (char digit = '1'; digit <= '9'; digit++)
        if (!strchr(tabs, digit))
            fail_msg("no tab %c in '%s'", digit, tabs);
    assert_non_null(strstr(tabs, "9 SQL"));
    assert_non_null(strstr(tabs, "1 Data"));
    term_press(t, "1");
    assert_true(term_wait_gone(t, "Try one", 5));
    term_press(t, "9");
    see("Try one");
}

/* Badges give way before titles do. */
static void titles_stay_where_it_is_narrow(void **state)
{
    (void)state;
    bench_dataset(&bench, "trips", 100);
    Term *t = bench_open(&bench, 24, 74, "params", NULL);
    see("trips");
    term_settle(t);
    const char *tabs = term_row(t, 0);
    if (!strstr(tabs, "3 Params") || !strstr(tabs, "9 SQL") || strstr(tabs, "mlp"))
        fail_msg("tabs: '%s'", tabs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_statement_is_typed_and_answered, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(examples_run_by_key, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(errors_name_their_place, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(words_are_completed, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(rows_come_as_one_scrolls, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(a_long_one_is_stopped, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(history_outlives_the_session, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(several_lines, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(an_answer_becomes_a_dataset, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(an_answer_becomes_csv, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(names_come_from_the_list, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(every_tab_is_there_at_80, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(titles_stay_where_it_is_narrow, bench_begin, bench_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
