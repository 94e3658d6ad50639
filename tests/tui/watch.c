/* watch.c -- the Watch pane: curves, alerts that are acknowledged and resolved with keys, the rows of an alert, a drifted
 * column's distributions, and a prediction followed to the line of the file it is most like. */
#include "support/workbench.h"

#include <lathe/command.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static Error err;

#define OK(call)                                                                                   \
    do {                                                                                           \
        if (!(call))                                                                               \
            fail_msg("line %d: %s", __LINE__, err.text);                                           \
    } while (0)

static void line(const char *words)
{
    CommandCall call = {.workspace = bench.workspace};
    json_t *result = NULL;
    const Command *c;
    OK(command_line(&call, words, &c, &result, &err));
    json_decref(result);
}

/* From a table that a recipe made of a file with a rejected line and a field of two lines. */
static void make_model(void)
{
    static const char recipe[] = "# by hand\n\ndrop missing MILES\nderive TWICE = MILES * 2\n";
    char path[200], words[300];
    Text t = {0};
    text_puts(&t, "ID,MILES,CITY,NOTE,FARE\n7,7\n");
    for (int i = 0; i < 400; i++)
        text_printf(&t, "%d,%d.5,%s,%s,%d.25\n", i, i % 20, i % 3 ? "Oslo" : "Bergen", i ? "plain" : "\"two\nlines\"", 3 + i % 20 * 2);
    snprintf(path, sizeof path, "%s/fares.csv", bench.dir);
    OK(file_write(path, t.at, t.count, &err));
    text_release(&t);
    snprintf(words, sizeof words, "ingest %s as=fares", path);
    line(words);
    snprintf(path, sizeof path, "%s/fares.recipe", bench.dir);
    OK(file_write(path, recipe, strlen(recipe), &err));
    snprintf(words, sizeof words, "clean fares recipe=%s as=tidy", path);
    line(words);
    line("train gbdt data=tidy target=FARE features=MILES,CITY,TWICE epochs=5 name=fares");
}

/* A drifted column as the watcher keeps it. */
static const char *detail(void)
{
    return "{\"reference\":\"\",\"current\":\"\",\"reference_rows\":400,\"current_rows\":200,\"drifted\":true,\"drifted_columns\":1,"
           "\"share\":1.0,\"threshold\":0.5,\"columns\":[]}";
}

static void make_deployment(void)
{
    int64_t now = time_now();
    Store *s = store_open(bench.workspace, STORE_WRITE, &err);
    DeploymentRow row = {.name = "trips", .state = "live", .model = 1, .settings = "{}", .created = now, .changed = now};
    double none = (double)NAN;
    MonitorPointRow p = {.deployment = "trips", .model = 1, .kind = "drift", .column = "MILES", .test = "wasserstein",
                         .value = 0.25, .low = none, .high = 0.1, .truth = none, .weight = 0.9, .alarm = true, .rows = 200,
                         .detail = detail()};
    AlertRow alert = {.deployment = "trips", .subject = "fares/1: inputs", .kind = "drift", .text = "MILES has drifted far"};
    char of[200];
    int64_t id;
    bool fresh;
    OK(s && store_deployment_add(s, &row, "test", &err));
    for (int i = 0; i < 5; i++) {
        p.time_from = p.time_to = now - (5 - i) * INT64_C(60000000);
        OK(store_monitor_points_add(s, &p, 1, &err));
    }
    snprintf(of, sizeof of, "{\"model\":1,\"first\":%lld,\"last\":%lld,\"rows\":2}", (long long)((now - 2000) << 12),
             (long long)((now - 1000) << 12));
    alert.detail = of;
    OK(store_alert_raise(s, &alert, 0, &id, &fresh, &err));
    store_close(s);
    PredictionLog *log = prediction_log_open(bench.workspace, STORE_WRITE, &err);
    PredictionRow rows[] = {
        {.id = (now - 3000) << 12, .time = now - 3000, .inputs = "{\"MILES\":1.5,\"CITY\":\"Oslo\"}", .output = 5.25},
        {.id = (now - 2000) << 12, .time = now - 2000, .inputs = "{\"MILES\":4.5,\"CITY\":\"Oslo\"}", .output = 11.5},
        {.id = (now - 1000) << 12, .time = now - 1000, .inputs = "{\"ID\":399,\"MILES\":7.5,\"CITY\":\"Bergen\"}", .output = 17.75},
    };
    for (int i = 0; i < 3; i++) {
        rows[i].deployment = "trips";
        rows[i].model = 1;
        rows[i].role = "live";
        rows[i].said = rows[i].truth_said = "";
        rows[i].latency = 0.001;
    }
    OK(log && prediction_log_add(log, rows, 3, &err));
    prediction_log_close(log);
}

static int made(void **state)
{
    if (bench_begin(state) != 0)
        return -1;
    make_model();
    make_deployment();
    bench.term = bench_open(&bench, 36, 120, "watch", NULL);
    see("wasserstein");
    return 0;
}

static const char *state_of_alert(void)
{
    static char kept[32];
    Arena a = {0};
    AlertRow *rows;
    size_t n;
    Store *s = store_open(bench.workspace, STORE_READ, &err);
    OK(s && store_alerts(s, false, 0, &a, &rows, &n, &err) && n == 1);
    snprintf(kept, sizeof kept, "%s", rows[0].state);
    store_close(s);
    arena_release(&a);
    return kept;
}

static bool becomes(const char *wanted)
{
    for (double end = clock_now() + 20; clock_now() < end;)
        if (strcmp(state_of_alert(), wanted) == 0)
            return true;
    return false;
}

static void shows_curves_and_what_is_open(void **state)
{
    (void)state;
    see("trips live");
    see("fares/1");
    see("1 alert raised");
    see("MILES has drifted far");
    see("< 0.1");
}

static void alerts_are_moved_with_keys(void **state)
{
    (void)state;
    term_press(bench.term, "v");
    see("Alerts");
    see("raised");
    term_press(bench.term, "a");
    assert_true(becomes("acknowledged"));
    see("acknowledged");
    term_press(bench.term, "r");
    assert_true(becomes("resolved"));
    see("no alert raised");
    term_press(bench.term, "A");
    see("resolved");
}

/* In the curves the keys of alerts mean the open one about the curve, and the hints say so. */
static void a_curve_leads_to_its_alert(void **state)
{
    (void)state;
    see("a acknowledge");
    see("o rows");
    term_press(bench.term, "o");
    see("of alert 1");
    see("17.75");
    term_press(bench.term, "v");
    see("< 0.1");
    term_press(bench.term, "r");
    assert_true(becomes("resolved"));
    gone("r resolve");
    term_press(bench.term, "a");
    see("there is no open alert about this");
}

static void from_an_alert_to_its_rows_to_the_bytes(void **state)
{
    (void)state;
    Term *t = bench.term;
    term_press(bench.term, "v");
    see("Alerts");
    term_press(bench.term, "Enter");
    see("of alert 1");
    see("7.5");
    see("4.5");
    assert_false(term_has(bench.term, "\"MILES\":1.5")); /* not of this alert */
    term_press(bench.term, "Enter");
    see("From the prediction to the bytes");
    see("sha256");
    term_press(t, "G g"); /* where the recipe stands is seen from the top */
    see("line 3   drop missing MILES");
    see("TWICE = 15");
    term_press(t, "G");
    see("most like it  row 28 of fares"); /* the first of 7.5 in Bergen: what the model does not see does not count */
    see("source line 31 of");             /* under the heading, a line that was rejected and a row of two */
    see("27,7.5,Bergen,plain,17.25");
    term_press(bench.term, "Esc");
    term_press(bench.term, "n");
    see("the newest");
}

#define T(name) cmocka_unit_test_setup_teardown(name, made, bench_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(shows_curves_and_what_is_open),
        T(alerts_are_moved_with_keys),
        T(a_curve_leads_to_its_alert),
        T(from_an_alert_to_its_rows_to_the_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
