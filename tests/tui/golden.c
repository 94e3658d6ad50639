/* golden.c -- whole screens as they were once looked at and found good, at three sizes. LATHE_GOLDEN=write stores
 * them anew in tests/golden/screens; the difference is then read like code. */
#include "support/workbench.h"

#include <ctype.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const int sizes[][2] = {{24, 80}, {36, 120}, {60, 200}};

/* Another at every run: times of day with their dates, and how long something has been. Their digits become 0. */
static void without_times(char *row)
{
    for (char *c = strchr(row, ':'); c; c = strchr(c + 1, ':')) {
        char *from = c, *to = c + 1;
        if (c - row < 2 || !isdigit((unsigned char)c[-1]) || !isdigit((unsigned char)c[1]))
            continue;
        while (from > row && strchr("0123456789- :", from[-1]) && !(from[-1] == ' ' && from - 1 > row && from[-2] == ' '))
            from--;
        while (*to && strchr("0123456789:", *to))
            to++;
        for (; from < to; from++)
            *from = isdigit((unsigned char)*from) ? '0' : *from;
    }
    char *since = strstr(row, "canary for ");
    for (char *c = since ? since + strlen("canary for ") : row + strlen(row); *c && !(*c == ' ' && c[1] == ' '); c++)
        *c = isdigit((unsigned char)*c) ? '0' : *c;
}

/* Without the line of tabs: it is another with every pane that comes. */
static char *screen_now(Term *t, int rows)
{
    Text all = {0};
    for (int i = 1; i < rows; i++) {
        char *row = text_copy(term_row(t, i));
        without_times(row);
        text_printf(&all, "%s\n", row);
        mem_free(row);
    }
    return text_take(&all);
}

static const char *without_tabs(const char *stored)
{
    const char *end = strchr(stored, '\n');
    return end && (text_starts(stored, " lathe  1 Data") || text_starts(stored, " 1 Data")) ? end + 1 : stored;
}

/* Work goes on behind a screen: it has ten seconds to become what is stored. */
static void compare(const char *name, int rows, int cols)
{
    char path[300];
    Text stored = {0};
    Error err = {0};
    const char *write = getenv("LATHE_GOLDEN");
    snprintf(path, sizeof path, "%s/tests/golden/screens/%s_%dx%d.txt", LATHE_SOURCE_DIR, name, cols, rows);
    if (write && strcmp(write, "write") == 0) {
        usleep(2000000);
        term_settle(bench.term);
        char *now = screen_now(bench.term, rows);
        assert_true(dir_create(LATHE_SOURCE_DIR "/tests/golden/screens", &err) &&
                    file_write(path, now, strlen(now), &err));
        mem_free(now);
        return;
    }
    if (!file_read(path, &stored, 1 << 20, &err))
        fail_msg("%s", err.text);
    bool same = false;
    for (double end = clock_now() + 10; !same && clock_now() < end;) {
        term_settle(bench.term);
        char *now = screen_now(bench.term, rows);
        same = strcmp(now, without_tabs(text_str(&stored))) == 0;
        mem_free(now);
    }
    if (!same) {
        term_print(bench.term);
        fail_msg("the screen is not as stored in %s", path);
    }
    text_release(&stored);
}

static void add_runs(void)
{
    Error err = {0};
    Store *s = store_open(bench.workspace, STORE_WRITE, &err);
    for (int i = 0; i < 3; i++) {
        char name[24], lr[24];
        snprintf(name, sizeof name, "try-%d", i + 1);
        snprintf(lr, sizeof lr, "0.00%d", i + 1);
        ParamRow params[] = {{"lr", lr}, {"batch", "256"}};
        RunRow row = {.name = name, .experiment = "", .family = "mlp", .dataset = "0123456789abcdef",
                      .dataset_name = "trips", .target = "fare", .task = "regression", .recipe = "",
                      .features = "", .split = "70/15/15", .seed = 1, .message = "", .monitor = "val_loss",
                      .note = "", .tags = "", .machine = "here", .version = "0", .created = 1000000};
        int64_t run = store_run_add(s, &row, params, 2, &err);
        MetricPoint p[] = {{"val_rmse", 90, 9.0, 3.0 - i}, {"test_rmse", 90, 9.0, 3.5 - i}};
        assert_true(run && store_metrics_add(s, run, p, 2, &err) &&
                    store_run_status(s, run, RUN_FINISHED, "", &err));
    }
    store_close(s);
}

static int64_t add_curve(Store *s, const char *name, int64_t parent, int64_t from, int64_t to, double by)
{
    Error err = {0};
    ParamRow params[] = {{"lr", "0.002"}, {"batch", "256"}};
    RunRow row = {.name = name, .experiment = "", .family = "mlp", .dataset = "0123456789abcdef",
                  .dataset_name = "trips", .target = "fare", .task = "regression", .recipe = "",
                  .features = "", .split = "70/15/15", .seed = 1, .message = "", .monitor = "val_loss",
                  .note = "", .tags = "", .machine = "here", .version = "0", .created = 1000000,
                  .parent = parent, .parent_step = parent ? from - 1 : 0, .best = (double)NAN, .best_step = -1};
    int64_t run = store_run_add(s, &row, params, 2, &err);
    bool ok = run != 0;
    for (int64_t step = from; ok && step <= to; step++) {
        double loss = by / (1 + (double)step / 16), nothing = step >= 88 && step < 96 ? (double)NAN : 0;
        MetricPoint p[] = {{"train_loss", step, .1 * (double)step, loss * (double)(step % 3 + 9) / 10 + nothing},
                           {"lr", step, .1 * (double)step, step < 80 ? 0.002 : 0.001},
                           {"grad_norm", step, .1 * (double)step, 0.4 + 0.1 * (double)(step % 2)},
                           {"samples_per_second", step, .1 * (double)step, 12000},
                           {"val_loss", step, .1 * (double)step, loss * 1.2},
                           {"val_rmse", step, .1 * (double)step, loss * 3}};
        ok = store_metrics_add(s, run, p, step % 8 ? 4 : 6, &err);
    }
    row.id = run;
    row.step = to;
    row.steps_total = 160;
    row.epoch = to / 8;
    row.epochs_total = 20;
    row.best = by * 1.2 / 7;
    row.best_step = 96;
    if (!ok || !store_run_progress(s, &row, &err))
        fail_msg("%s", err.text);
    return run;
}

/* A run and its fork, which was steered, saw no number for some steps, and stopped early. */
static void add_curves(void)
{
    Error err = {0};
    Store *s = store_open(bench.workspace, STORE_WRITE, &err);
    int64_t base = add_curve(s, "base", 0, 1, 100, 1.1), fork = add_curve(s, "steered", base, 49, 128, 1);
    CheckpointRow c = {.run = fork, .step = 48, .epoch = 6, .created = 1000000, .path = "runs/2/ckpt-48"};
    CheckpointRow later = {.run = fork, .step = 64, .epoch = 8, .created = 1000000, .path = "runs/2/ckpt-64"};
    MetricPoint test[] = {{"test_rmse", 128, 12.8, 0.5}, {"test_mae", 128, 12.8, 0.25}};
    bool ok = store_metrics_add(s, fork, test, 2, &err) && store_checkpoint_add(s, &c, &err) &&
              store_checkpoint_add(s, &later, &err) && store_event_add(s, fork, 48, "resume", "goes on from step 48", &err) &&
              store_event_add(s, fork, 80, "change", "lr 0.002 -> 0.001", &err) &&
              store_event_add(s, fork, 96, "best", "best so far at step 96", &err) &&
              store_event_add(s, fork, 128, "end", "stopped early at step 128: no better val_loss for 4 epochs", &err) &&
              store_run_status(s, base, RUN_FINISHED, "", &err) &&
              store_run_status(s, fork, RUN_FINISHED, "stopped early at step 128: no better val_loss for 4 epochs", &err);
    if (!ok)
        fail_msg("%s", err.text);
    store_close(s);
}

/* Two versions of a model, a quarter of the requests to the second; drift of it, measured at fixed times.
 * No value lies between two heights of a curve, where the last bit of a product would decide. */
static void add_deployment(void)
{
    Error err = {0};
    Store *s = store_open(bench.workspace, STORE_WRITE, &err);
    char dir[160], path[200];
    snprintf(dir, sizeof dir, "%s/runs/1/bundle", bench.workspace);
    snprintf(path, sizeof path, "%s/bundle.json", dir);
    bool ok = s && dir_create(dir, &err) && file_write(path, "{}", 2, &err);
    for (int i = 0; ok && i < 2; i++) {
        ModelRow m = {.run = 100 + i, .name = "fares", .hash = "h", .path = "runs/1/bundle", .alias = ""};
        ok = store_model_add(s, &m, &err);
    }
    DeploymentRow row = {.name = "trips", .state = "canary", .model = 1, .candidate = 2, .percent = 25, .step = 2, .step_since = 1000000, .settings = "{}",
                         .created = 1000000, .changed = 1000000};
    ok = ok && store_deployment_add(s, &row, "test", &err);
    double none = (double)NAN;
    for (int i = 0; ok && i < 12; i++) {
        int64_t at = INT64_C(1546300800000000) + i * INT64_C(3600000000);
        MonitorPointRow p[] = {
            {.deployment = "trips", .model = 1, .time_from = at, .time_to = at, .kind = "drift", .column = "MILES",
             .test = "wasserstein", .value = 0.24 * (i + 1.3) / 12.3, .low = none, .high = 0.1, .truth = none, .weight = 0.7,
             .alarm = i > 4, .rows = 500, .detail = ""},
            {.deployment = "trips", .model = 1, .time_from = at, .time_to = at, .kind = "estimate", .column = "", .test = "mae",
             .value = 0.9 + 0.05 * i, .low = 0.8, .high = 1.2, .truth = none, .weight = none, .alarm = i > 6, .rows = 500,
             .detail = ""}};
        ok = store_monitor_points_add(s, p, 2, &err);
    }
    AlertRow alert = {.deployment = "trips", .subject = "fares/1: inputs", .kind = "drift", .text = "MILES has drifted",
                      .detail = "{}"};
    int64_t id;
    bool fresh;
    if (!ok || !store_alert_raise(s, &alert, 0, &id, &fresh, &err))
        fail_msg("%s", err.text);
    store_close(s);
}

/* Runs that never began: nothing on the screen depends on the time of day. */
static void screens(const char *pane, const char *name, const char *ready)
{
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        bench_make(&bench);
        bench_dataset(&bench, "trips", 3000);
        if (strcmp(pane, "runs") == 0)
            add_runs();
        if (strcmp(name, "train_curves") == 0)
            add_curves();
        if (text_starts(name, "deploy_") || text_starts(name, "watch_"))
            add_deployment();
        bench_open(&bench, sizes[i][0], sizes[i][1], pane, NULL);
        see(ready);
        compare(name, sizes[i][0], sizes[i][1]);
        assert_int_equal(bench_close(&bench), 0);
    }
}

static void data_is_as_stored(void **state)
{
    (void)state;
    screens("data", "data", "row 1 of 3,000");
}

static void params_is_as_stored(void **state)
{
    (void)state;
    screens("params", "params", "Launch this run");
}

static void sql_is_as_stored(void **state)
{
    (void)state;
    screens("sql", "sql", "Try one");
}

static void clean_is_as_stored(void **state)
{
    (void)state;
    screens("clean", "clean", "No rules yet");
}

static void train_is_as_stored(void **state)
{
    (void)state;
    screens("train", "train", "No training run yet");
    screens("train", "train_curves", "early stop");
}

static void drift_is_as_stored(void **state)
{
    (void)state;
    screens("drift", "drift_chunks", "Drift compares two datasets");
}

static void runs_are_as_stored(void **state)
{
    (void)state;
    screens("runs", "runs", "try-3");
}

static void deploy_is_as_stored(void **state)
{
    (void)state;
    screens("deploy", "deploy", "No deployment yet");
    screens("deploy", "deploy_canary", "fares/2");
}

static void watch_is_as_stored(void **state)
{
    (void)state;
    screens("watch", "watch", "othing is deployed yet");
    screens("watch", "watch_curves", "wasserstein");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_is_as_stored),
        cmocka_unit_test(clean_is_as_stored),
        cmocka_unit_test(params_is_as_stored),
        cmocka_unit_test(sql_is_as_stored),
        cmocka_unit_test(train_is_as_stored),
        cmocka_unit_test(runs_are_as_stored),
        cmocka_unit_test(drift_is_as_stored),
        cmocka_unit_test(deploy_is_as_stored),
        cmocka_unit_test(watch_is_as_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
