/* news.c -- what happened is said, notified, listed, and leads to where it can be seen; what is shown is written
 * to files; the screen keeps to a budget of bytes. */
#include "support/workbench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static int64_t add_run(Store *s, const char *name, double best)
{
    Error err = {0};
    ParamRow params[] = {{"lr", "0.001"}};
    RunRow row = {.name = name, .experiment = "", .family = "mlp", .dataset = "0123456789abcdef",
                  .dataset_name = "trips", .target = "fare", .task = "regression", .recipe = "",
                  .features = "", .split = "70/15/15", .seed = 1, .message = "", .monitor = "val_rmse",
                  .note = "", .tags = "", .machine = "here", .version = "0", .created = time_now()};
    int64_t run = store_run_add(s, &row, params, 1, &err);
    assert_true(run && store_run_claim(s, run, getpid(), &err));
    for (int step = 1; step <= 100; step++) {
        MetricPoint p[] = {{"train_loss", step, 0.1 * step, 1.0 / step}, {"val_rmse", step, 0.1 * step, 3.0 / step}};
        assert_true(store_metrics_add(s, run, p, 2, &err));
    }
    Arena a = {0};
    assert_true(store_run_get(s, run, &a, &row, &err));
    row.step = row.steps_total = 100;
    row.best = best;
    row.best_step = 90;
    row.heartbeat = time_now();
    assert_true(store_run_progress(s, &row, &err));
    arena_release(&a);
    return run;
}

static void end_run(Store *s, int64_t run, RunStatus status)
{
    Error err = {0};
    assert_true(store_run_status(s, run, status, status == RUN_FAILED ? "NaN in layer hidden.0" : "", &err));
}

static bool kept(Store *s, const char *key, const char *value)
{
    Arena a = {0};
    const char *text = NULL;
    bool same = store_setting_get(s, key, &a, &text, NULL) && text_equal(text, value);
    arena_release(&a);
    return same;
}

static void an_end_is_notified_and_leads_there(void **state)
{
    (void)state;
    Error err = {0};
    Store *s = bench_store();
    int64_t first = add_run(s, "early-bird", 3.5), second = add_run(s, "second-one", 2.5);
    (void)first;
    Term *t = bench_open(&bench, 30, 120, "data", NULL);
    see("second-one"); /* the status line follows a run */
    end_run(s, second, RUN_FINISHED);
    see("second-one finished: best val_rmse 2.5, better than any before");
    assert_true(term_sent(t, "\033]9;second-one finished"));
    assert_true(term_sent(t, "\033]777;notify;lathe;second-one finished"));
    term_press(t, "M");
    see("Messages, newest first");
    see("run 2");
    term_press(t, "Enter");
    see("Run 2 second-one"); /* in the Train pane */
    command("set notify off");
    see("notify is off");
    end_run(s, first, RUN_FAILED);
    see("early-bird failed: NaN in layer hidden.0");
    assert_false(term_sent(t, "\033]9;early-bird"));
    command("set notfy off");
    see("did you mean notify?");
    command("set bandwidth lots");
    see("expected bytes a second");
    command("set escdelay 2000");
    see("expected ms, 0 to 1000");
    command("set escdelay 40");
    see("escdelay is 40");
    command("set nice 7"); /* for the runs that begin from now on, wherever they are begun */
    see("nice is 7");
    for (double end = clock_now() + 20; !kept(s, "nice", "7") && clock_now() < end;)
        usleep(20000);
    assert_true(kept(s, "nice", "7"));
    (void)err;
    store_close(s);
}

static void alert(Store *s, const char *deployment, const char *text)
{
    Error err = {0};
    int64_t id;
    bool fresh;
    AlertRow row = {.deployment = deployment, .subject = text, .kind = "drift", .text = text, .detail = "{}"};
    assert_true(store_alert_raise(s, &row, 0, &id, &fresh, &err));
}

static void an_alert_is_said_and_leads_there(void **state)
{
    (void)state;
    Store *s = bench_store();
    Term *t = bench_open(&bench, 30, 120, "data", NULL);
    see("Data");
    term_settle(t);
    alert(s, "fares", "miles drifted far");
    see("fares: miles drifted far");
    alert(s, "fares", "hours drifted too");
    see("fares: hours drifted too");
    term_press(t, "M Enter");
    see("nothing is deployed yet"); /* the Watch pane */
    store_close(s);
}

static void what_happened_meanwhile_is_listed(void **state)
{
    (void)state;
    Error err = {0};
    Store *s = bench_store();
    int64_t run = add_run(s, "night-run", 3.5);
    store_close(s);
    Term *t = bench_open(&bench, 30, 120, "data", NULL);
    see("night-run");
    term_settle(t); /* it is known by now what was seen last time */
    term_press(t, "Q");
    assert_true(term_wait_end(t, 10));
    assert_int_equal(term_close(t), 0);
    s = bench_store();
    end_run(s, run, RUN_FAILED);
    DriftRow d = {.reference = "aaaa", .current = "bbbb", .drifted = true, .created = time_now(),
                  .report = "{\"columns\": []}"};
    store_drift_add(s, &d, &err);
    alert(s, "fares", "miles drifted far");
    store_close(s);
    t = bench_open(&bench, 30, 120, "data", NULL);
    see("While you were away");
    see("night-run failed: NaN in layer hidden.0");
    see("bbbb drifted from aaaa");
    see("fares: miles drifted far");
    term_press(t, "G Enter");
    see("Run 1 night-run");
    see("6 Drift !1");
    term_press(t, "6 a");
    see("1 alert acknowledged");
    gone("6 Drift !1");
}

static void read_to(const char *name, Text *into)
{
    char path[160], line[200];
    Error err = {0};
    snprintf(path, sizeof path, "%s/%s", bench.dir, name);
    snprintf(line, sizeof line, "write-view %s", path);
    command(line);
    see(name);
    for (int i = 0; i < 200 && !file_exists(path); i++)
        usleep(50000);
    text_reset(into);
    if (!file_read(path, into, 1 << 22, &err))
        fail_msg("%s", err.text);
}

static void charts_and_tables_become_files(void **state)
{
    (void)state;
    Text text = {0};
    Store *s = bench_store();
    end_run(s, add_run(s, "drawn", 3.5), RUN_FINISHED);
    store_close(s);
    Term *t = bench_open(&bench, 30, 120, "train", NULL);
    see("took");
    see("train 0.01"); /* drawn, so read */
    read_to("loss.csv", &text);
    assert_true(text_starts(text_str(&text), "series,step,value\n"));
    assert_non_null(strstr(text_str(&text), "train mean,1,1\n"));
    assert_non_null(strstr(text_str(&text), "train mean,100,"));
    read_to("loss.svg", &text);
    assert_non_null(strstr(text_str(&text), "<svg"));
    assert_non_null(strstr(text_str(&text), "Loss of run 1 drawn"));
    term_press(t, "5");
    see("Training runs");
    read_to("runs.md", &text);
    assert_non_null(strstr(text_str(&text), "| drawn | mlp |"));
    command("write-view x.gif");
    text_release(&text);
}

/* Every pane one after the other, many times: what goes over the wire stays within the budget. */
static void a_budget_of_bytes_is_kept(void **state)
{
    (void)state;
    assert_int_equal(bench_start(5000, 30, 110, "data", "row 1 of 5,000"), 0);
    Term *t = bench.term;
    command("set bandwidth 4k");
    see("bandwidth is 4k");
    term_settle(t);
    usleep(1500000);
    term_settle(t);
    size_t before = term_bytes(t);
    double began = clock_now();
    for (int i = 0; clock_now() - began < 5; i++) {
        term_send(t, i % 7 == 0 ? "]" : i % 2 ? "j" : "k", 1);
        term_wait(t, "never there", 0.05);
    }
    double most = 4000 * (clock_now() - began) + 9000; /* a frame may begin while there is any credit */
    size_t bytes = term_bytes(t) - before;
    printf("%zu bytes in %.1f s\n", bytes, clock_now() - began);
    assert_true(bytes > 2000);
    assert_true((double)bytes < most);
    term_send(t, "1", 1);
    see("row "); /* and what is shown in the end is whole */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_end_is_notified_and_leads_there, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(an_alert_is_said_and_leads_there, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(what_happened_meanwhile_is_listed, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(charts_and_tables_become_files, bench_begin, bench_end),
        cmocka_unit_test_teardown(a_budget_of_bytes_is_kept, bench_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
