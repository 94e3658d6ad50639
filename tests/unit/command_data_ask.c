/* command_data_ask.c -- lathe data describe, freq, pivot, correlate on a table small enough to count. */
#include <lathe/command.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const char table[] = "city,fare,at,miles\n"
                            "Bonn,10,2019-01-07 08:10:00,1\n"
                            "Bonn,20,2019-01-07 09:20:00,2\n"
                            "Kiel,30,2019-01-08 08:30:00,3\n"
                            "Kiel,,2019-01-08 09:40:00,4\n"
                            "Bonn,50,2019-01-08 08:50:00,5\n"
                            ",60,2019-01-09 23:00:00,6\n";

typedef struct World {
    char dir[64];
    CommandCall call;
} World;

static json_t *ask(World *w, const char *line)
{
    const Command *c = NULL;
    json_t *result = NULL;
    Error err = {0};
    if (!command_line(&w->call, line, &c, &result, &err))
        fail_msg("%s: %s", line, err.text);
    Text text = {0};
    command_print(c, result, 100, &text); /* must not fail on any of them */
    assert_true(text.count > 0);
    text_release(&text);
    return result;
}

static void refused(World *w, const char *line, const char *why)
{
    const Command *c = NULL;
    json_t *result = NULL;
    Error err = {0};
    assert_false(command_line(&w->call, line, &c, &result, &err));
    if (!strstr(err.text, why))
        fail_msg("%s: %s", line, err.text);
    json_decref(result);
}

static int make(void **state)
{
    World *w = mem_alloc(sizeof *w);
    char path[128], line[256];
    Error err = {0};
    strcpy(w->dir, "/tmp/lathe-test-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(path, sizeof path, "%s/trips.csv", w->dir);
    assert_true(file_write(path, table, sizeof table - 1, &err));
    char *workspace = mem_alloc(128);
    snprintf(workspace, 128, "%s/work", w->dir);
    w->call = (CommandCall){.workspace = workspace, .program = "lathe"};
    snprintf(line, sizeof line, "ingest %s", path);
    json_decref(ask(w, line));
    *state = w;
    return 0;
}

static int drop(void **state)
{
    World *w = *state;
    dir_remove(w->dir, NULL);
    mem_free((void *)(uintptr_t)w->call.workspace);
    mem_free(w);
    return 0;
}

/* what was guessed of a CSV is said, for it may be wrong; what has a format of its own says that */
static void test_told(void **state)
{
    World *w = *state;
    const Command *c = NULL;
    json_t *result = NULL;
    Error err = {0};
    Text text = {0};
    char line[256];
    snprintf(line, sizeof line, "ingest %s/trips.csv as=again again=yes", w->dir);
    assert_true(command_line(&w->call, line, &c, &result, &err));
    command_print(c, result, 100, &text);
    assert_non_null(strstr(text_str(&text), "delimiter ,"));
    assert_null(strstr(text_str(&text), "format"));
    text_release(&text);
    json_decref(result);
}

static double number(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

static const char *word(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "(none)";
}

static void test_freq(void **state)
{
    json_t *r = ask(*state, "data freq trips city"), *rows = json_object_get(r, "frequency");
    assert_int_equal(json_array_size(rows), 3);
    const json_t *first = json_array_get(rows, 0);
    assert_string_equal(word(first, "city"), "Bonn");
    assert_true(number(first, "count") == 3 && number(first, "share") == 0.5);
    assert_true(json_is_null(json_object_get(json_array_get(rows, 2), "city")));
    assert_true(number(json_array_get(rows, 2), "cumulative") == 1);
    json_decref(r);
    r = ask(*state, "data freq trips city,hour(at) where=\"fare < 55\" limit=1");
    assert_true(number(r, "rows") == 4 && number(r, "distinct") == 3);
    first = json_array_get(json_object_get(r, "frequency"), 0);
    assert_string_equal(word(first, "city"), "Bonn");
    assert_true(number(first, "hour_at") == 8 && number(first, "count") == 2);
    assert_true(json_is_true(json_object_get(r, "truncated")));
    json_decref(r);
    r = ask(*state, "data freq trips \"bin(miles;5)\"");
    assert_int_equal(json_array_size(json_object_get(r, "frequency")), 5);
    json_decref(r);
    refused(*state, "data freq trips town", "no column town");
    refused(*state, "data freq trips hours(at)", "no part 'hours'");
    refused(*state, "data freq trips hour(city)", "needs a timestamp");
    refused(*state, "data freq trips city where=\"fare <\"", "where");
}

static void test_pivot(void **state)
{
    json_t *r = ask(*state, "data pivot trips rows=hour(at) columns=city value=mean:fare");
    const json_t *rows = json_object_get(r, "pivot"), *heads = json_object_get(r, "headings");
    assert_int_equal(json_array_size(heads), 3);
    assert_string_equal(json_string_value(json_array_get(heads, 0)), "Bonn");
    assert_string_equal(json_string_value(json_array_get(heads, 2)), "(missing)");
    assert_int_equal(json_array_size(rows), 3);
    const json_t *eight = json_array_get(rows, 0), *nine = json_array_get(rows, 1);
    assert_true(number(eight, "hour_at") == 8 && number(eight, "Bonn") == 30);
    assert_true(number(eight, "Kiel") == 30 && isnan(number(eight, "(missing)")));
    assert_true(number(nine, "Bonn") == 20 && isnan(number(nine, "Kiel")));
    assert_true(number(json_array_get(rows, 2), "(missing)") == 60);
    json_decref(r);
    r = ask(*state, "data pivot trips rows=city where=\"miles >= 2\"");
    rows = json_object_get(r, "pivot");
    assert_true(number(json_array_get(rows, 0), "count") == 2);
    json_decref(r);
    refused(*state, "data pivot trips rows=city value=average:fare", "no measure");
    refused(*state, "data pivot trips rows=city value=mean", "of which column");
    refused(*state, "data pivot trips rows=city value=mean:city", "it is text");
}

static void test_describe(void **state)
{
    json_t *r = ask(*state, "data describe trips"), *columns = json_object_get(r, "columns");
    assert_int_equal(json_array_size(columns), 4);
    const json_t *fare = json_array_get(columns, 1);
    assert_true(number(fare, "missing") == 1 && number(fare, "mean") == 34);
    json_decref(r);
    r = ask(*state, "data describe trips columns=fare where=\"city = 'Bonn'\"");
    columns = json_object_get(r, "columns");
    assert_int_equal(json_array_size(columns), 1);
    fare = json_array_get(columns, 0);
    assert_true(number(fare, "min") == 10 && number(fare, "max") == 50 &&
                number(fare, "median") == 20);
    assert_int_equal(json_array_size(json_object_get(r, "histogram")), 40);
    assert_int_equal(json_array_size(json_object_get(r, "top")), 3);
    json_decref(r);
    refused(*state, "data describe trips columns=fares", "did you mean fare");
}

static void test_sql_parts(void **state)
{
    static const struct {
        const char *ours, *plain;
        size_t rows;
    } same[] = {
        {"sql \"select hour(at) h, count(*) n, avg(fare) f from trips group by 1 order by 1\"",
         "sql \"select cast(strftime('%H', at) as integer) h, count(*) n, avg(fare) f from trips "
         "group by 1 order by 1\"",
         3},
        {"sql \"select t.city c, Weekday( t.at ) w from trips t where hour(at) = 8 order by "
         "miles\"",
         "sql \"select city c, (strftime('%w', at) + 6) % 7 w from trips where strftime('%H', at) "
         "= '08' order by miles\"",
         3},
        {"sql \"select 'hour(at)' s, hour('2019-01-01 05:00:00') h, hour(x) g from (select at x "
         "from trips) limit 1\"",
         "sql \"select 'hour(at)' s, 5 h, 8 g\"", 1},
        {"sql \"select hour(city) h, hour(miles) m from trips limit 1\"",
         "sql \"select null h, null m\"", 1},
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        json_t *a = ask(*state, same[i].ours), *b = ask(*state, same[i].plain);
        assert_int_equal(json_array_size(json_object_get(a, "rows")), same[i].rows);
        if (!json_equal(json_object_get(a, "rows"), json_object_get(b, "rows")))
            fail_msg("%s: %s", same[i].ours, json_dumps(a, 0));
        json_decref(a);
        json_decref(b);
    }
    json_t *r = ask(*state, "sql \"select hour(at), count(*) from trips group by hour(at)\"");
    assert_string_equal(json_string_value(json_array_get(json_object_get(r, "columns"), 0)),
                        "hour(at)");
    json_decref(r);
}

static void test_correlate(void **state)
{
    json_t *r = ask(*state, "data correlate trips where=\"city is not null\"");
    const json_t *rows = json_object_get(r, "correlation");
    assert_int_equal(json_array_size(rows), 3);
    /* fares 10 20 30 50 with miles 1 2 3 5 */
    assert_true(fabs(number(json_array_get(rows, 0), "miles") - 1) < 1e-12);
    assert_string_equal(word(json_array_get(rows, 2), "column"), "miles");
    json_decref(r);
    r = ask(*state, "data correlate trips method=spearman");
    rows = json_object_get(r, "correlation");
    assert_true(number(json_array_get(rows, 0), "miles") == 1);
    json_decref(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_freq),      cmocka_unit_test(test_pivot),
        cmocka_unit_test(test_describe),  cmocka_unit_test(test_sql_parts),
        cmocka_unit_test(test_correlate), cmocka_unit_test(test_told),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
