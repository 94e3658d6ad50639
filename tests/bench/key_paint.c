/* key_paint.c -- from a key to the complete paint, through a pseudo-terminal, while a run trains and a
 * large dataset is open: median and 99th percentile in ms, beside the same keys with nothing going on.
 *
 *     LATHE_BENCH_ROWS=10000000 bench_key_paint          (or bench_key_paint ROWS; 1 million otherwise)
 *
 * LATHE_BENCH_WORKSPACE=FOLDER takes a workspace with a dataset "taxi" (gen_taxi.py's columns) as it is;
 * LATHE_BENCH_KEEP=FOLDER makes the table in FOLDER the first time and leaves it there for the next;
 * LATHE_BENCH_ONLY=TEXT measures only where the name of what is measured has the text.
 *
 * A paint is complete with the last byte before the output rests for QUIET_MS. What changes in the line of
 * tabs and in the status line alone (the spinner and the share of a run, ten times a second) is no answer to
 * a key, and a key without another is not counted. Where a training draws by itself, only keys are pressed
 * that always change the picture: one that does not would be answered by the training's next frame. Such a
 * frame may still fall into the time and be counted: the numbers err on the high side. "Of its own"
 * is without the time in which the screen's thread, or this program, was ready but other work had the
 * processor (/proc/PID/schedstat): what a machine with a core for the screen would show.           */
#include <lathe/base.h>

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vterm.h>

#define QUIET_MS 12
#define ROWS     36
#define COLUMNS  120
#define PRESSES  400

static const char *lathe, *workspace;

static int run(const char *const *args)
{
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(null, 1);
        execv(lathe, (char *const *)(uintptr_t)args);
        _exit(127);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

typedef struct Tube { /* the program's terminal, as the one who looks at it has it */
    int fd;
    VTerm *term;
    bool painted; /* something outside the tabs and the status line, since it was asked last */
} Tube;

static int damaged(VTermRect rect, void *context)
{
    Tube *t = context;
    for (int row = rect.start_row; row < rect.end_row; row++)
        if (row != 0 && row != ROWS - 2)
            t->painted = true;
    return 1;
}

static bool shows(const Tube *t, const char *text)
{
    char row[COLUMNS * 8];
    for (int i = 0; i < ROWS; i++) {
        VTermRect line = {.start_row = i, .end_row = i + 1, .end_col = COLUMNS};
        size_t n = vterm_screen_get_text(vterm_obtain_screen(t->term), row, sizeof row - 1, line);
        row[n] = 0;
        if (strstr(row, text))
            return true;
    }
    return false;
}

static void tube_open(Tube *t)
{
    static const VTermScreenCallbacks callbacks = {.damage = damaged};
    t->term = vterm_new(ROWS, COLUMNS);
    vterm_set_utf8(t->term, 1);
    VTermScreen *screen = vterm_obtain_screen(t->term);
    vterm_screen_set_callbacks(screen, &callbacks, t);
    vterm_screen_set_damage_merge(screen, VTERM_DAMAGE_CELL);
    vterm_screen_enable_altscreen(screen, 1);
    vterm_screen_reset(screen, 1);
}

/* Reads until the output rests; returns ms from `began` to the last byte, or -1 when nothing was painted. */
static double settle(Tube *t, double began, int wait_ms)
{
    char bytes[65536];
    double last = -1, now = 0;
    struct pollfd p = {.fd = t->fd, .events = POLLIN};
    t->painted = false;
    while (last >= 0 || now < wait_ms) {
        if (poll(&p, 1, last < 0 ? (int)(wait_ms - now) : QUIET_MS) <= 0)
            break;
        ssize_t n = read(t->fd, bytes, sizeof bytes);
        if (n <= 0)
            break;
        now = (clock_now() - began) * 1e3;
        bool before = t->painted;
        t->painted = false;
        vterm_input_write(t->term, bytes, (size_t)n);
        if (t->painted)
            last = now;
        t->painted = t->painted || before;
    }
    return last;
}

/* Milliseconds that a process's first thread was ready and did not run. */
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

static double median_of(double *v, size_t n, double share)
{
    qsort(v, n, sizeof *v, by_size);
    return n ? v[(size_t)((double)(n - 1) * share)] : -1;
}

static pid_t start(int *fd)
{
    struct winsize size = {.ws_row = ROWS, .ws_col = COLUMNS};
    pid_t child = forkpty(fd, NULL, NULL, &size);
    if (child == 0) {
        setenv("TERM", "xterm-256color", 1);
        execl(lathe, lathe, "-w", workspace, (char *)NULL);
        _exit(127);
    }
    return child;
}

typedef struct Pressed {
    double ms[PRESSES], own[PRESSES];
    size_t count;
    double worst;
    const char *worst_key;
} Pressed;

static bool press_key(Tube *t, pid_t child, const char *key, Pressed *p)
{
    double pressed = clock_now(), ready = waited(child) + waited(getpid());
    if (write(t->fd, key, strlen(key)) < 0)
        return false;
    double took = settle(t, pressed, 300);
    if (took < 0) /* nothing to paint */
        return true;
    double own = took - (waited(child) + waited(getpid()) - ready);
    own = own > 0 ? own : 0;
    if (own > p->worst || !p->worst_key) {
        p->worst = own;
        p->worst_key = key;
    }
    p->ms[p->count] = took;
    p->own[p->count++] = own;
    return true;
}

/* `before` is typed first and given up to ten seconds: the way to where the keys are pressed. */
static void press(const char *what, const char *before, const char *const *keys, size_t n)
{
    Tube tube = {0}, *t = &tube;
    if (getenv("LATHE_BENCH_ONLY") && !strstr(what, getenv("LATHE_BENCH_ONLY")))
        return;
    pid_t child = start(&tube.fd);
    tube_open(t);
    double began = clock_now(), first = settle(t, began, 3000);
    settle(t, clock_now(), 300);
    if (shows(t, "While you were away") && write(t->fd, "\x1b", 1) == 1)
        settle(t, clock_now(), 1500);
    for (const char *k = before; *k; k++) {
        if (write(t->fd, k, 1) < 0)
            break;
        settle(t, clock_now(), 300);
    }
    /* The dataset opens; work was asked for: until nothing is drawn for a while, or a training draws for ever. */
    for (double until = clock_now() + 10; clock_now() < until && settle(t, clock_now(), 700) >= 0;)
        ;
    for (double until = clock_now() + 60; clock_now() < until && shows(t, "waiting for the first points");)
        settle(t, clock_now(), 300);
    Pressed p = {0};
    for (size_t i = 0; i < PRESSES; i++)
        if (!press_key(t, child, keys[i % n], &p))
            break;
        else if (getenv("LATHE_BENCH_KEYS") && p.count)
            fprintf(stderr, "%zu %s %.1f %.1f\n", i % n, keys[i % n], p.ms[p.count - 1],
                    p.own[p.count - 1]);
    double middle = median_of(p.ms, p.count, 0.5), late = median_of(p.ms, p.count, 0.99);
    double own_middle = median_of(p.own, p.count, 0.5), own_late = median_of(p.own, p.count, 0.99);
    char key[8] = "";
    for (const char *k = p.worst_key ? p.worst_key : ""; *k && strlen(key) < 6; k++)
        snprintf(key + strlen(key), sizeof key - strlen(key), *k < ' ' ? "^%c" : "%c",
                 *k < ' ' ? *k + 64 : *k);
    printf("key to paint, %s: median %.1f ms, p99 %.1f ms; of its own median %.1f, p99 %.1f, worst "
           "%.1f ms (%s) "
           "of %zu keys; start to first paint %.0f ms\n",
           what, middle, late, own_middle, own_late, p.worst, key, p.count, first);
    fflush(stdout);
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
    close(t->fd);
    vterm_free(t->term);
}

static bool make_table(const char *path, long rows)
{
    FILE *f = fopen(path, "w");
    Rng r;
    rng_seed(&r, 1, 0);
    if (!f)
        return false;
    fputs("id,x,y,z,word,target\n", f);
    static const char *const words[] = {"cash", "credit", "uber", "voucher"};
    for (long i = 0; i < rows; i++) {
        double x = rng_normal(&r), y = rng_normal(&r), z = rng_unit(&r);
        fprintf(f, "%ld,%.4f,%.4f,%.4f,%s,%.4f\n", i, x, y, z, words[i & 3], 2 * x - y * z);
    }
    return fclose(f) == 0;
}

/* Keys that ask for work over all rows, and others while it goes on. */
static const char *const views[] = {
    "F", "?", "q", "q", "I",  "?", "q", "q", "C", "?", "q", "q", ".", "\r",
    "?", "q", "q", "W", "\r", "?", "q", "q", "l", ">", "j", "l", "h", "\x06",
    "G", "g", "<", "j", "l",  "h", "j", "i", "?", "q", "q", "l",
};
static const char *const searches[] = {"/", "z", "z", "9", "\r", "j", "j", "l",    "n",
                                       "j", "l", "&", "m", "i",  "l", "e", "\x1b", "j",
                                       "#", "5", "0", "%", "\r", "j", "h", "h"};

static int start_run(const char *name, const char *data, const char *target)
{
    char named[40];
    snprintf(named, sizeof named, "name=bench-%ld-%s", (long)getpid(), name);
    return run((const char *const[]){lathe, "-w", workspace, "train", "mlp", data, target, named, "epochs=200", "record_every=20",
                                     "patience=0", "detach=yes", NULL});
}

static void stop_run(const char *name)
{
    char named[40];
    snprintf(named, sizeof named, "bench-%ld-%s", (long)getpid(), name);
    run((const char *const[]){lathe, "-w", workspace, "runs", "stop", named, NULL});
}

static bool prepare(const char *dir, char *ws, long rows)
{
    char csv[300];
    snprintf(csv, sizeof csv, "%s/table.csv", dir);
    snprintf(ws, 300, "%s/ws", dir);
    workspace = ws;
    if (access(ws, F_OK) == 0)
        return true;
    return make_table(csv, rows) &&
           run((const char *const[]){lathe, "-w", ws, "ingest", csv, "as=table", NULL}) == 0;
}

int main(int argc, char **argv)
{
    char dir[] = "/tmp/lathe-bench-XXXXXX", ws[300];
    const char *asked = argc > 1 ? argv[1] : getenv("LATHE_BENCH_ROWS");
    const char *data = "data=table", *target = "target=target";
    if (!mkdtemp(dir))
        return 2;
    lathe = getenv("LATHE_BENCH_PROGRAM") ? getenv("LATHE_BENCH_PROGRAM") : LATHE_PROGRAM;
    thread_prompt(); /* this is the terminal, and the one who looks at it */
    workspace = getenv("LATHE_BENCH_WORKSPACE");
    const char *keep = getenv("LATHE_BENCH_KEEP");
    bool given = workspace != NULL;
    bool ok = given || prepare(keep ? keep : dir, ws, asked ? atol(asked) : 1000000);
    if (given) {
        data = "data=taxi";
        target = "target=fare_amount";
    }
    static const char *const moves[] = {"j", "j", "l", "k", "\x06", "h", "G", "g"};
    static const char *const panes[] = {"2", "5", "1", "3", "4", "6"};
    static const char *const lists[] = {"j", "k", "G", "g", "?", "q", "O", "O"};
    static const char *const charts[] = {"l", "h", "+", "-", "?", "q", "O", "O", "s", "L", "a", "\t"};
    static const char *const round[] = {"j", "k", "l", "h", "$", "0"};
    if (ok) {
        press("browsing, idle", "1", moves, 8);
        press("browsing sorted rows, idle", "1l>", moves, 8);
        press("browsing filtered rows, idle", given ? "1&fare_amount > 9\r" : "1&x > 0.5\r", moves,
              8);
        press("every view, working", "1", views, sizeof views / sizeof *views);
        press("search and filter, working", "1", searches, sizeof searches / sizeof *searches);
        ok = start_run("a", data, target) == 0;
    }
    if (ok) {
        press("browsing while a run trains", "1", moves, 8);
        press("browsing sorted rows while a run trains", "1l>", moves, 8);
        press("in the statistics while a run trains", "1I", round, 6);
        press("in the groups of a column while a run trains", "1llllF", round, 4);
        press("in the correlations while a run trains", "1C", round, 6);
        press("changing panes while a run trains", "1", panes, 6);
        ok = start_run("b", data, target) == 0;
    }
    if (ok) {
        press("every view while two runs train", "1", views, sizeof views / sizeof *views);
        press("search and filter while two runs train", "1", searches,
              sizeof searches / sizeof *searches);
        press("changing panes while two runs train", "1", panes, 6);
        press("Clean while two runs train", "2", lists, sizeof lists / sizeof *lists);
        press("Params while two runs train", "3", lists, sizeof lists / sizeof *lists);
        press("Train while two runs train", "4", charts, sizeof charts / sizeof *charts);
        press("Runs while two runs train", "5", lists, sizeof lists / sizeof *lists);
        press("Drift while two runs train", "6", lists, sizeof lists / sizeof *lists);
        press("Deploy while two runs train", "7", lists, sizeof lists / sizeof *lists);
        press("Watch while two runs train", "8", lists, sizeof lists / sizeof *lists);
        press("SQL while two runs train", "9", lists, sizeof lists / sizeof *lists);
        stop_run("a");
        stop_run("b");
        sleep(3);
    }
    dir_remove(dir, NULL);
    if (!ok)
        fprintf(stderr, "bench_key_paint: could not set up\n");
    return !ok;
}
