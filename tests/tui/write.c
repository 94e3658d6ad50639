/* write.c -- what panes show as files: Ctrl-E, or `:write-view FILE`, in each of them. */
#include "support/workbench.h"

#include <lathe/data.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static Text file;

static void write_to(const char *name)
{
    char path[160], line[200];
    Error err = {0};
    snprintf(path, sizeof path, "%s/%s", bench.dir, name);
    snprintf(line, sizeof line, "write-view %s", path);
    command(line);
    for (int i = 0; i < 400 && !file_exists(path); i++)
        usleep(50000);
    term_settle(bench.term);
    text_reset(&file);
    if (!file_read(path, &file, 1 << 24, &err)) {
        term_print(bench.term);
        fail_msg("%s", err.text);
    }
}

static bool has(const char *text)
{
    return strstr(text_str(&file), text) != NULL;
}

static size_t lines(void)
{
    size_t n = 0;
    for (const char *c = text_str(&file); *c; c++)
        n += *c == '\n';
    return n;
}

static int begin(void **state)
{
    (void)state;
    return bench_start(120000, 36, 140, "data", "row 1 of 120,000");
}

static int end(void **state)
{
    text_release(&file);
    return bench_end(state);
}

static void all_rows_as_they_are_shown(void **state)
{
    (void)state;
    Term *t = bench.term;
    write_to("all.csv");
    assert_int_equal(lines(), 120001);
    assert_true(text_starts(text_str(&file), "id,fare,miles,city,day,paid\n1,"));
    assert_true(has("\n4,")); /* its miles are missing */
    term_press(t, "-"); /* without id */
    command("filter city = 'Dupont' and miles > 8");
    see(" / 120,000");
    term_press(t, ">");
    see("miles"); /* sorted by the column under the cursor */
    term_settle(t);
    write_to("some.csv");
    assert_true(text_starts(text_str(&file), "fare,miles,city,day,paid\n"));
    assert_true(lines() > 10 && lines() < 5000);
    assert_true(!has("Brookland") && has(",Dupont,"));
    double last = 1e9, fare; /* largest first */
    for (const char *c = strchr(text_str(&file), '\n') + 1; *c; c = strchr(c, '\n') + 1) {
        size_t n = strcspn(c, ",");
        assert_true(text_to_real(c, n, &fare) && fare <= last);
        last = fare;
    }
    term_press(t, "Esc"); /* unsorted */
    term_settle(t);
    write_to("some.parquet");
    assert_true(memcmp(text_str(&file), "PAR1", 4) == 0);
}

static void views_of_the_data(void **state)
{
    (void)state;
    Term *t = bench.term;
    term_press(t, "I");
    see("describe");
    write_to("describe.csv");
    assert_int_equal(lines(), 7);
    assert_true(has("miles"));
    term_press(t, "s");
    term_settle(t);
    write_to("schema.md");
    assert_true(has("| fare") || has("fare |"));
    term_press(t, "Esc Esc l i");
    see("fare");
    write_to("fare.svg");
    assert_true(has("<svg") && has("fare of trips"));
    write_to("fare-bins.csv");
    assert_true(text_starts(text_str(&file), "series,fare,value\nall rows,"));
    term_press(t, "Esc l l F");
    see("Anacostia");
    write_to("cities.csv");
    assert_int_equal(lines(), 6);
    assert_true(has("Eckington"));
}

static void rules_and_settings(void **state)
{
    (void)state;
    Term *t = bench.term;
    term_press(t, "2 a");
    term_settle(t);
    term_type(t, "keep fare between 4 and 20");
    term_press(t, "Enter");
    see("rows"); /* measured */
    for (double until = clock_now() + 20; clock_now() < until;) {
        write_to("rules.csv");
        if (has(",yes,120000,"))
            break;
        usleep(200000);
    }
    assert_true(text_starts(text_str(&file), "rule,text,on,rows_in,rows_out,touched,failed\n1,keep fare between 4 and 20,yes,120000,"));
    write_to("rule.svg");
    assert_true(has("<svg") && has("before") && has("after"));
    term_press(t, "3");
    see("fare");
    write_to("params.csv");
    assert_true(text_starts(text_str(&file), "name,value,default,unit,group,help\nfamily,"));
    assert_true(has("\ntarget,fare,") && has("\nlr,"));
}

static void answers_of_sql(void **state)
{
    (void)state;
    Term *t = bench.term;
    command("go sql");
    see("Try one");
    term_press(t, "i Ctrl-E Ctrl-U");
    term_type(t, "select city, count(*) as n from trips group by city order by city");
    term_press(t, "Enter");
    see("5 rows, ");
    write_to("answer.csv");
    assert_int_equal(lines(), 6);
    assert_true(text_starts(text_str(&file), "city,n\nAnacostia,"));
    write_to("answer.md");
    assert_true(has("| city | n |"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_rows_as_they_are_shown, begin, end),
        cmocka_unit_test_setup_teardown(views_of_the_data, begin, end),
        cmocka_unit_test_setup_teardown(rules_and_settings, begin, end),
        cmocka_unit_test_setup_teardown(answers_of_sql, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
