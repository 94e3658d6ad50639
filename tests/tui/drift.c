/* drift.c -- tests of the Drift pane: a table judged chunk by chunk, alerts acknowledged. */
#include "support/workbench.h"

#include <lathe/data.h>
#include <lathe/drift.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* 20,000 rows; in the last three tenths, by `at`, `x` moves away; `y` never. */
static void add_table(void)
{
    Text csv = {0};
    Rng r;
    rng_seed(&r, 3, 0);
    text_puts(&csv, "at,x,y\n");
    for (int i = 0; i < 20000; i++) {
        int at = (i * 7919) % 20000; /* not in order */
        text_printf(&csv, "%d,%.4f,%.4f\n", at, rng_normal(&r) + (at >= 14000 ? 2 : 0), rng_normal(&r));
    }
    bench_ingest("moved", &csv);
    see("moved");
}

static void a_table_is_judged_chunk_by_chunk(void **state)
{
    (void)state;
    Term *t = bench_open(&bench, 50, 170, "data", NULL);
    see("There is no data");
    add_table();
    see("row 1 of 20,000");
    term_press(t, "6");
    see("Drift compares two datasets");
    term_press(t, "c"); /* no dataset is compared with itself */
    see("there is no other dataset to choose");
    term_press(t, "r");
    see("there is no other dataset to choose");
    term_press(t, "x");
    see("two datasets are needed");
    term_press(t, "X");
    see("Drift chunk by chunk");
    term_type(t, "at");
    term_press(t, "Enter");
    see("of 10 chunks drifted");
    term_press(t, "s g"); /* as in the table */
    see("─ x ");
    see("3 of 10 chunks drifted; last 18000 → 19999 of at");
    term_press(t, "j");
    see("─ y ");
    see("0 of 10 chunks drifted");
    see("1 alert, a acknowledges");
    see("6 Drift !1"); /* an alert, until it is acknowledged */
    term_press(t, "a");
    gone("6 Drift !1");
    term_press(t, "X");
    see("Drift chunk by chunk");
    term_press(t, "Ctrl-U");
    term_type(t, "5000");
    term_press(t, "Enter");
    see("of 4 chunks");
    term_press(t, "X");
    see("Drift chunk by chunk");
    term_press(t, "Ctrl-U");
    term_type(t, "4000 at"); /* so many rows, in the order of a column */
    term_press(t, "Enter");
    see("of 5 chunks");
}

/* A report as a model's importances weigh it: `little` drifted most, `much` matters most. */
static void add_weighed(const char *reference, const char *current)
{
    static const struct {
        const char *name;
        double importance, statistic;
    } columns[] = {{"little", 0.5, 0.9}, {"much", 9, 0.2}, {"never", 0.5, 0.01}};
    Error err = {0};
    DriftColumn column[3] = {0};
    DriftReport r = {.columns = 3, .column = column, .drifted = 2, .share = 0.66, .threshold = 0.5, .dataset_drifted = true,
                     .weighted_share = 0.95};
    for (size_t i = 0; i < 3; i++) {
        column[i] = (DriftColumn){.role = "feature", .type = "float64", .test = drift_test("psi"), .threshold = 0.1,
                                  .statistic = columns[i].statistic, .drifted = columns[i].statistic > 0.1,
                                  .importance = columns[i].importance};
        snprintf(column[i].name, sizeof column[i].name, "%s", columns[i].name);
    }
    snprintf(r.reference, sizeof r.reference, "%s", reference);
    snprintf(r.current, sizeof r.current, "%s", current);
    json_t *doc = drift_report_to_json(&r);
    char *text = json_dumps(doc, JSON_COMPACT);
    DriftRow row = {.created = time_now(), .reference = r.reference, .current = r.current, .report = text, .drifted = true};
    Store *s = store_open(bench.workspace, STORE_WRITE, &err);
    assert_true(s && store_drift_add(s, &row, &err));
    store_close(s);
    free(text);
    json_decref(doc);
}

static int line_of(const char *text)
{
    int row = -1;
    see(text);
    assert_true(term_find(bench.term, text, &row, NULL));
    return row;
}

static void columns_go_by_importance_times_drift(void **state)
{
    (void)state;
    char one[65], two[65];
    snprintf(one, sizeof one, "%s", bench_dataset(&bench, "one", 300));
    snprintf(two, sizeof two, "%s", bench_dataset(&bench, "two", 400));
    add_weighed(one, two);
    Term *t = bench_open(&bench, 40, 150, "drift", NULL);
    see("by importance x drift");
    assert_true(line_of("│much ") < line_of("│little ") && line_of("│little ") < line_of("│never "));
    see("90%");
    term_press(t, "s");
    see("most drifted first");
    assert_true(line_of("│little ") < line_of("│much "));
    term_press(t, "s");
    see("by name");
    term_press(t, "s");
    see("by importance x drift");
    term_press(t, "c"); /* the other of the two is no choice */
    see("Current: what to judge");
    assert_true(term_has(t, "300 rows") != term_has(t, "400 rows"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_table_is_judged_chunk_by_chunk, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(columns_go_by_importance_times_drift, bench_begin, bench_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
