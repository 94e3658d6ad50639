/* many_runs.c -- 200 runs of 100,000 points each: how long the Runs and the Train pane take to open, and each of
 * their keys to a complete paint, through a pseudo-terminal; by the clock, and without the time in which the
 * screen's thread was ready and did not run.
 *
 *     bench_many_runs [RUNS [POINTS]]
 *
 * LATHE_BENCH_KEEP=FOLDER keeps the workspace there for the next time. */
#include <lathe/store.h>

#include <math.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vterm.h>

enum { ROWS = 50, COLUMNS = 160, PRESSES = 300, QUIET_MS = 12 };

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

/* ---- the terminal --------------------------------------------------------------------------------------------- */

typedef struct Tube {
    int fd;
    pid_t child;
    VTerm *term;
    VTermScreen *screen;
    bool painted; /* outside the tabs and the status line */
} Tube;

static int damaged(VTermRect rect, void *context)
{
    Tube *t = context;
    for (int row = rect.start_row; row < rect.end_row; row++)
        t->painted |= row != 0 && row != ROWS - 2;
    return 1;
}

static void tube_open(Tube *t, const char *lathe, const char *workspace, const char *pane)
{
    static const VTermScreenCallbacks callbacks = {.damage = damaged};
    struct winsize size = {.ws_row = ROWS, .ws_col = COLUMNS};
    (void)pane;
    t->child = forkpty(&t->fd, NULL, NULL, &size);
    if (t->child == 0) {
        setenv("TERM", "xterm-256color", 1);
        execl(lathe, lathe, "-w", workspace, (char *)NULL);
        _exit(127);
    }
    t->term = vterm_new(ROWS, COLUMNS);
    vterm_set_utf8(t->term, 1);
    t->screen = vterm_obtain_screen(t->term);
    vterm_screen_set_callbacks(t->screen, &callbacks, t);
    vterm_screen_set_damage_merge(t->screen, VTERM_DAMAGE_CELL);
    vterm_screen_enable_altscreen(t->screen, 1);
    vterm_screen_reset(t->screen, 1);
}

/* ms from `began` to the last byte of what was painted, once the output rests; -1: nothing was. */
static double settle(Tube *t, double began, int wait_ms)
{
    char bytes[65536];
    double last = -1, now = 0;
    struct pollfd p = {.fd = t->fd, .events = POLLIN};
    while (last >= 0 || now < wait_ms) {
        if (poll(&p, 1, last < 0 ? (int)(wait_ms - now) : QUIET_MS) <= 0)
            break;
        ssize_t n = read(t->fd, bytes, sizeof bytes);
        if (n <= 0)
            break;
        now = (clock_now() - began) * 1e3;
        t->painted = false;
        vterm_input_write(t->term, bytes, (size_t)n);
        last = t->painted ? now : last;
    }
    return last;
}

static bool shows(Tube *t, const char *text)
{
    char row[COLUMNS * 8];
    for (int i = 0; i < ROWS; i++) {
        size_t n = vterm_screen_get_text(t->screen, row, sizeof row - 1,
                                         (VTermRect){.start_row = i, .end_row = i + 1, .end_col = COLUMNS});
        row[n] = 0;
        if (strstr(row, text))
            return true;
    }
    return false;
}

static double until(Tube *t, const char *text, double began)
{
    while (!shows(t, text) && clock_now() - began < 20)
        settle(t, clock_now(), 50);
    return (clock_now() - began) * 1e3 - QUIET_MS;
}

static double waited(pid_t pid)
{
    char path[64];
    unsigned long long ran, wait = 0;
    snprintf(path, sizeof path, "/proc/%ld/schedstat", (long)pid);
    FILE *f = fopen(path, "r");
    if (f && fscanf(f, "%llu %llu", &ran, &wait) != 2)
        wait = 0;
    if (f)
        fclose(f);
    return 1e-6 * (double)wait;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void press(Tube *t, const char *what, const char *const *keys, size_t n)
{
    double ms[PRESSES], own[PRESSES];
    size_t count = 0;
    for (size_t i = 0; i < PRESSES; i++) {
        double began = clock_now(), ready = waited(t->child) + waited(getpid());
        if (write(t->fd, keys[i % n], strlen(keys[i % n])) < 0)
            return;
        double took = settle(t, began, 300);
        if (took < 0)
            continue;
        own[count] = fmax(0, took - (waited(t->child) + waited(getpid()) - ready));
        ms[count++] = took;
    }
    if (!count)
        return;
    qsort(ms, count, sizeof *ms, by_size);
    qsort(own, count, sizeof *own, by_size);
    printf("%s: key to paint median %.1f, p99 %.1f, worst %.1f ms; of its own p99 %.1f, worst %.1f, of %zu keys\n", what,
           ms[count / 2], ms[(count - 1) * 99 / 100], ms[count - 1], own[(count - 1) * 99 / 100], own[count - 1], count);
    fflush(stdout);
}

/* The pane's key on an open workbench, until it shows the text; then its keys. */
static void pane(Tube *t, const char *what, const char *key, const char *text, const char *const *keys, size_t n)
{
    double began = clock_now();
    if (write(t->fd, key, 1) < 0)
        return;
    printf("%s: opens in %.0f ms\n", what, until(t, text, began));
    settle(t, clock_now(), 500);
    press(t, what, keys, n);
}

int main(int argc, char **argv)
{
    static const char *const runs_keys[] = {"j", "j", "k", "G", "g", "\x06", " ", "j", " ", "s", "s", "l", "h"};
    static const char *const train_keys[] = {"l", "h", "+", "l", "-", "s", "L", "L", "a", "a", "a", "a", "\t", "O", "O"};
    int runs = argc > 1 ? atoi(argv[1]) : 200, points = argc > 2 ? atoi(argv[2]) : 100000;
    char dir[] = "/tmp/lathe-bench-XXXXXX", workspace[300];
    const char *keep = getenv("LATHE_BENCH_KEEP");
    const char *lathe = getenv("LATHE_BENCH_PROGRAM") ? getenv("LATHE_BENCH_PROGRAM") : LATHE_PROGRAM;
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
    Tube t = {0};
    double began = clock_now();
    tube_open(&t, lathe, workspace, NULL);
    printf("start: first paint after %.0f ms\n", until(&t, "lathe", began));
    settle(&t, clock_now(), 700);
    pane(&t, "Runs", "5", "try-200", runs_keys, sizeof runs_keys / sizeof *runs_keys);
    pane(&t, "Train", "4", "train 0.", train_keys, sizeof train_keys / sizeof *train_keys);
    kill(t.child, SIGTERM);
    waitpid(t.child, NULL, 0);
    vterm_free(t.term);
    dir_remove(dir, NULL);
    return 0;
}
