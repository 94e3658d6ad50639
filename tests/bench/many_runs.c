/* many_runs.c -- 200 runs of 100,000 points each: how long the Runs and the Train pane take to open, and each of
 * their keys to a complete paint, through a pseudo-terminal; by the clock, and without the time in which the
 * screen's thread was ready and did not run.
 *
 *     bench_many_runs [RUNS [POINTS]]
 *
 * LATHE_BENCH_KEEP=FOLDER keeps the workspace there for the next time. */
#include <lathe/store.h>

#include "tube.h"

enum { ROWS = 50, COLUMNS = 160, PRESSES = 300 };

/* ---- the workspace -------------------------------------------------------------------------------------------- */

static bool add_run(Store *s, int i, int points, Error *err)
{
    char name[24], lr[24];
    snprintf(name, sizeof name, "try-%03d", i + 1);
    snprintf(lr, sizeof lr, "%.5f", 0.0001 * pow(1.03, i));
    ParamRow params[] = {{"lr", lr}, {"batch", i % 2 ? "256" : "512"}, {"hidden", i % 3 ? "128,128" : "64"}};
    RunRow row = {.name = name, .experiment = "", .family = "mlp", .dataset = "0123456789abcdef",
                  .dataset_name = "trips", .target = "fare", .task = "regression", .recipe = "", .features = "",
                  .split = "70/15/15", .seed = i % 5, .message = "", .monitor = "val_loss", .note = "", .tags = "",
                  .machine = "here", .version = "0", .created = time_now()};
    int64_t run = store_run_add(s, &row, params, 3, err);
    enum { KEYS = 4, BLOCK = 4000 };
    static const char *const keys[KEYS] = {"train_loss", "lr", "grad_norm", "val_loss"};
    MetricPoint *p = mem_alloc(BLOCK * sizeof *p);
    bool ok = run != 0;
    for (int at = 0; ok && at < points; at += BLOCK) {
        int n = points - at < BLOCK ? points - at : BLOCK;
        for (int k = 0; k < n; k++) {
            int step = (at + k) / KEYS;
            p[k] = (MetricPoint){keys[(at + k) % KEYS], step, 0.01 * step,
                                 0.1 + exp(-step / 3000.0) + 0.05 * sin(step * 0.7 + i)};
        }
        ok = store_metrics_add(s, run, p, (size_t)n, err);
    }
    MetricPoint last[] = {{"val_rmse", points / KEYS, 1, 2 + 0.01 * i}, {"test_rmse", points / KEYS, 1, 2.1 + 0.01 * i}};
    mem_free(p);
    return ok && store_metrics_add(s, run, last, 2, err) && store_run_status(s, run, RUN_FINISHED, "", err);
}

static bool make(const char *workspace, int runs, int points, Error *err)
{
    Store *s = store_open(workspace, STORE_WRITE, err);
    bool ok = s != NULL;
    for (int i = 0; ok && i < runs; i++)
        ok = add_run(s, i, points, err);
    store_close(s);
    return ok;
}

/* ---- the keys ------------------------------------------------------------------------------------------------- */

static double until(Tube *t, const char *text, double began)
{
    while (!tube_shows(t, text) && clock_now() - began < 20)
        tube_settle(t, clock_now(), 50);
    return (clock_now() - began) * 1e3 - QUIET_MS;
}

static void press(Tube *t, const char *what, const char *const *keys, size_t n)
{
    double ms[PRESSES], own[PRESSES];
    size_t count = 0;
    for (size_t i = 0; i < PRESSES && tube_press(t, keys[i % n], &ms[count], &own[count]); i++)
        count += ms[count] >= 0;
    printf("%s: key to paint median %.1f, p99 %.1f, worst %.1f ms; of its own p99 %.1f, worst %.1f, of %zu keys\n", what,
           share_of(ms, count, 0.5), share_of(ms, count, 0.99), share_of(ms, count, 1), share_of(own, count, 0.99),
           share_of(own, count, 1), count);
    fflush(stdout);
}

/* The pane's key on an open workbench, until it shows the text; then its keys. */
static void pane(Tube *t, const char *what, const char *key, const char *text, const char *const *keys, size_t n)
{
    double began = clock_now();
    if (!tube_type(t, key))
        return;
    printf("%s: opens in %.0f ms\n", what, until(t, text, began));
    tube_settle(t, clock_now(), 500);
    press(t, what, keys, n);
}

int main(int argc, char **argv)
{
    static const char *const runs_keys[] = {"j", "j", "k", "G", "g", "\x06", " ", "j", " ", "s", "s", "l", "h"};
    static const char *const train_keys[] = {"l", "h", "+", "l", "-", "s", "L", "L", "a", "a", "a", "a", "\t", "O", "O"};
    int runs = argc > 1 ? atoi(argv[1]) : 200, points = argc > 2 ? atoi(argv[2]) : 100000;
    char dir[] = "/tmp/lathe-bench-XXXXXX", workspace[300];
    const char *keep = getenv("LATHE_BENCH_KEEP");
    Error err = {0};
    if (!mkdtemp(dir))
        return 2;
    snprintf(workspace, sizeof workspace, "%s/runs", keep ? keep : dir);
    if (access(workspace, F_OK) != 0 && !make(workspace, runs, points, &err)) {
        fprintf(stderr, "bench_many_runs: %s\n", err.text);
        return 1;
    }
    Store *s = store_open(workspace, STORE_WRITE, &err); /* nothing is remembered of an earlier look */
    bool fresh = s && store_setting_set(s, "screen", "{\"pane\": \"data\"}", &err);
    store_close(s);
    if (!fresh) {
        fprintf(stderr, "bench_many_runs: %s\n", err.text);
        return 1;
    }
    thread_prompt(); /* this is the terminal, and the one who looks at it */
    Tube t;
    char newest[24];
    snprintf(newest, sizeof newest, "try-%03d", runs);
    double began = clock_now();
    tube_open(&t, workspace, ROWS, COLUMNS);
    printf("start: first paint after %.0f ms\n", until(&t, "lathe", began));
    tube_settle(&t, clock_now(), 700);
    pane(&t, "Runs", "5", newest, runs_keys, sizeof runs_keys / sizeof *runs_keys);
    pane(&t, "Train", "4", "train 0.", train_keys, sizeof train_keys / sizeof *train_keys);
    tube_close(&t);
    dir_remove(dir, NULL);
    return 0;
}
