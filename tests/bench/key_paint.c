/* key_paint.c -- from a key to the complete paint, through a pseudo-terminal, while a run trains and a
 * large dataset is open: median and 99th percentile in ms, beside the same keys with nothing going on.
 *
 *     LATHE_BENCH_ROWS=10000000 bench_key_paint          (or bench_key_paint ROWS; 1 million otherwise)
 *
 * LATHE_BENCH_WORKSPACE=FOLDER takes a workspace with a dataset "taxi" (gen_taxi.py's columns) as it is;
 * LATHE_BENCH_KEEP=FOLDER makes the table in FOLDER the first time and leaves it there for the next;
 * LATHE_BENCH_ONLY=TEXT measures only where the name of what is measured has the text.
 *
 * Where a training draws by itself, only keys are pressed that always change the picture: one that does not would be
 * answered by the training's next frame. Such a frame may still fall into the time and be counted: the numbers err on
 * the high side. A key without an answer is not counted. */
#include "tube.h"

#define ROWS    36
#define COLUMNS 120
#define PRESSES 400

static const char *lathe, *workspace;

/* The dataset opens; work was asked for: until nothing is drawn for a while, or a training draws for ever. */
static void come_to_rest(Tube *t)
{
    for (double until = clock_now() + 10; clock_now() < until && tube_settle(t, clock_now(), 700) >= 0;)
        ;
    for (double until = clock_now() + 60; clock_now() < until && tube_shows(t, "waiting for the first points");)
        tube_settle(t, clock_now(), 300);
}

/* As a person writes it: ^F for Ctrl-F. */
static void name_key(const char *bytes, char *into, size_t room)
{
    *into = 0;
    for (const char *k = bytes; *k && strlen(into) < room - 3; k++)
        snprintf(into + strlen(into), room - strlen(into), *k < ' ' ? "^%c" : "%c", *k < ' ' ? *k + 64 : *k);
}

/* `before` is typed first and given up to ten seconds: the way to where the keys are pressed. */
static void press(const char *what, const char *before, const char *const *keys, size_t n)
{
    Tube tube, *t = &tube;
    if (getenv("LATHE_BENCH_ONLY") && !strstr(what, getenv("LATHE_BENCH_ONLY")))
        return;
    double began = clock_now();
    tube_open(t, workspace, ROWS, COLUMNS);
    double first = tube_settle(t, began, 3000);
    tube_settle(t, clock_now(), 300);
    if (tube_shows(t, "While you were away") && tube_type(t, "\x1b"))
        tube_settle(t, clock_now(), 1500);
    for (const char *k = before; *k && tube_type(t, (char[]){*k, 0}); k++)
        tube_settle(t, clock_now(), 300);
    come_to_rest(t);
    double ms[PRESSES], own[PRESSES], took, its, worst = -1;
    char worst_key[12] = "";
    size_t count = 0;
    for (size_t i = 0; i < PRESSES && tube_press(t, keys[i % n], &took, &its); i++) {
        if (took < 0) /* nothing to paint */
            continue;
        if (its > worst)
            name_key(keys[i % n], worst_key, sizeof worst_key);
        worst = fmax(worst, its);
        ms[count] = took;
        own[count++] = its;
        if (getenv("LATHE_BENCH_KEYS"))
            fprintf(stderr, "%zu %s %.1f %.1f\n", i % n, keys[i % n], took, its);
    }
    printf("key to paint, %s: median %.1f ms, p99 %.1f ms; of its own median %.1f, p99 %.1f, worst %.1f ms (%s) of %zu "
           "keys; start to first paint %.0f ms\n",
           what, share_of(ms, count, 0.5), share_of(ms, count, 0.99), share_of(own, count, 0.5),
           share_of(own, count, 0.99), worst, worst_key, count, first);
    fflush(stdout);
    tube_close(t);
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
    return bench_run((const char *const[]){lathe, "-w", workspace, "train", "mlp", data, target, named, "epochs=200", "record_every=20",
                                     "patience=0", "detach=yes", NULL});
}

static void stop_run(const char *name)
{
    char named[40];
    snprintf(named, sizeof named, "bench-%ld-%s", (long)getpid(), name);
    bench_run((const char *const[]){lathe, "-w", workspace, "runs", "stop", named, NULL});
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
           bench_run((const char *const[]){lathe, "-w", ws, "ingest", csv, "as=table", NULL}) == 0;
}

int main(int argc, char **argv)
{
    char dir[] = "/tmp/lathe-bench-XXXXXX", ws[300];
    const char *asked = argc > 1 ? argv[1] : getenv("LATHE_BENCH_ROWS");
    const char *data = "data=table", *target = "target=target";
    if (!mkdtemp(dir))
        return 2;
    lathe = bench_program();
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
