/* key_paint.c -- from a key to the complete paint, through a pseudo-terminal, while a run trains and a
 * large dataset is open: median and 99th percentile in ms, beside the same keys with nothing going on.
 *
 *     LATHE_BENCH_ROWS=10000000 bench_key_paint          (or bench_key_paint ROWS; 1 million otherwise)
 *
 * A paint is complete with the last byte before the output rests for QUIET_MS. A frame drawn by the
 * running training may fall into that time and be counted: the numbers err on the high side.       */
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

#define QUIET_MS 12
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

/* Reads until the output rests; returns ms from `began` to the last byte, or -1 when none came. */
static double settle(int fd, double began, int wait_ms)
{
    char bytes[65536];
    double last = -1;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (poll(&p, 1, last < 0 ? wait_ms : QUIET_MS) > 0 && read(fd, bytes, sizeof bytes) > 0)
        last = (clock_now() - began) * 1e3;
    return last;
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

/* `before` is typed first and given up to ten seconds: the way to where the keys are pressed. */
static void press(const char *what, const char *before, const char *const *keys, size_t n)
{
    struct winsize size = {.ws_row = 36, .ws_col = 120};
    int fd;
    pid_t child = forkpty(&fd, NULL, NULL, &size);
    if (child == 0) {
        setenv("TERM", "xterm-256color", 1);
        execl(lathe, lathe, "-w", workspace, (char *)NULL);
        _exit(127);
    }
    double began = clock_now(), first = settle(fd, began, 3000), ms[PRESSES];
    settle(fd, began, 300);
    size_t count = 0;
    for (const char *k = before; *k; k++) {
        if (write(fd, k, 1) < 0)
            break;
        settle(fd, clock_now(), 300);
    }
    if (before
            [1]) /* work was asked for: until nothing is drawn for a while, or a training draws for ever */
        for (double until = clock_now() + 10;
             clock_now() < until && settle(fd, clock_now(), 700) >= 0;)
            ;
    for (size_t i = 0; i < PRESSES; i++) {
        double pressed = clock_now();
        if (write(fd, keys[i % n], strlen(keys[i % n])) < 0)
            break;
        double took = settle(fd, pressed, 200);
        if (took >= 0)
            ms[count++] = took;
    }
    double middle = median_of(ms, count, 0.5), late = median_of(ms, count, 0.99);
    printf(
        "key to paint, %s: median %.1f ms, p99 %.1f ms of %zu keys; start to first paint %.0f ms\n",
        what, middle, late, count, first);
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
    close(fd);
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

int main(int argc, char **argv)
{
    char dir[] = "/tmp/lathe-bench-XXXXXX", csv[64], ws[64];
    const char *asked = argc > 1 ? argv[1] : getenv("LATHE_BENCH_ROWS");
    long rows = asked ? atol(asked) : 1000000;
    if (!mkdtemp(dir))
        return 2;
    snprintf(csv, sizeof csv, "%s/table.csv", dir);
    snprintf(ws, sizeof ws, "%s/ws", dir);
    lathe = LATHE_PROGRAM;
    workspace = ws;
    bool ok = make_table(csv, rows) &&
              run((const char *const[]){lathe, "-w", ws, "ingest", csv, "as=table", NULL}) == 0;
    static const char *const moves[] = {"j", "j", "l", "k", "\x06", "h", "G", "g"};
    static const char *const panes[] = {"2", "5", "1", "3", "4", "6"};
    static const char *const round[] = {"j", "k", "l", "h", "$", "0"};
    if (ok) {
        press("browsing, idle", "1", moves, 8);
        press("browsing sorted rows, idle", "1l>", moves, 8);
        press("browsing filtered rows, idle", "1&x > 0.5\r", moves, 8);
        ok = run((const char *const[]){lathe, "-w", ws, "train", "mlp", "data=table",
                                       "target=target", "epochs=100000", "patience=0", "detach=yes",
                                       NULL}) == 0;
    }
    if (ok) {
        press("browsing while a run trains", "1", moves, 8);
        press("browsing sorted rows while a run trains", "1l>", moves, 8);
        press("in the statistics while a run trains", "1I", round, 6);
        press("in the groups of a column while a run trains", "1llllF", round, 4);
        press("in the correlations while a run trains", "1C", round, 6);
        press("changing panes while a run trains", "1", panes, 6);
        run((const char *const[]){lathe, "-w", ws, "runs", "stop", "last", NULL});
        sleep(2);
    }
    dir_remove(dir, NULL);
    if (!ok)
        fprintf(stderr, "bench_key_paint: could not set up\n");
    return !ok;
}
