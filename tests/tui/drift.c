/* drift.c -- tests of the Drift pane: a table judged part by part, alerts acknowledged. */
#include "support/workbench.h"

#include <lathe/data.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* 20,000 rows; in the last three tenths, by `at`, `x` moves away; `y` never. */
static void add_table(void)
{
    Error err = {0};
    Text csv = {0};
    char path[160], line[200];
    Rng r;
    rng_seed(&r, 3, 0);
    text_puts(&csv, "at,x,y\n");
    for (int i = 0; i < 20000; i++) {
        int at = (i * 7919) % 20000; /* not in order */
        text_printf(&csv, "%d,%.4f,%.4f\n", at, rng_normal(&r) + (at >= 14000 ? 2 : 0), rng_normal(&r));
    }
    snprintf(path, sizeof path, "%s/moved.csv", bench.dir);
    assert_true(file_write(path, text_str(&csv), csv.count, &err));
    text_release(&csv);
    snprintf(line, sizeof line, "ingest %s as=moved", path);
    command(line);
    see("moved");
}

static void a_table_is_judged_part_by_part(void **state)
{
    (void)state;
    Term *t = bench_open(&bench, 50, 170, "data", NULL);
    see("There is no data");
    add_table();
    see("row 1 of 20,000");
    term_press(t, "6");
    see("Drift compares two datasets");
    term_press(t, "X");
    see("Drift part by part");
    term_type(t, "at");
    term_press(t, "Enter");
    see("of 10 parts by at drifted");
    term_press(t, "s g"); /* as in the table */
    see("─ x ");
    see("3 of 10 parts by at drifted; last 18000 → 19999");
    term_press(t, "j");
    see("─ y ");
    see("0 of 10 parts by at drifted");
    see("6 Drift !1"); /* an alert, until it is acknowledged */
    term_press(t, "a");
    gone("6 Drift !1");
    term_press(t, "X");
    see("Drift part by part");
    term_press(t, "Ctrl-U");
    term_type(t, "5000");
    term_press(t, "Enter");
    see("of 4 parts");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_table_is_judged_part_by_part, bench_begin, bench_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
