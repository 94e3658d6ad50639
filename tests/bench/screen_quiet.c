/* screen_quiet.c -- what the workbench costs while nothing is typed, through a pseudo-terminal: how soon it is
 * there, what it writes and takes of a processor when nothing happens, and on the wire while a run trains.
 *
 *     bench_screen_quiet [SECONDS]         (of each measurement; 10 otherwise)
 *
 * Times are of the processor (user and system, of the process with its threads) where they are shares; the first
 * paint is by the clock, the best and the middle of ten. */
#include "tube.h"

#include <sys/resource.h>

enum { TIMES = 10 };

static const char *lathe;
static char workspace[300];

static double used(int who)
{
    struct rusage r;
    getrusage(who, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + 1e-6 * (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

/* Seconds of the processor a running process has had. */
static double used_by(pid_t pid)
{
    char path[64], text[600] = "";
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f)
        fclose(f);
    text[n] = 0;
    const char *after = strrchr(text, ')');
    if (after)
        sscanf(after + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static pid_t start(int *fd)
{
    return bench_screen(fd, workspace, 36, 120);
}

/* Bytes that came in so many seconds. */
static size_t listen_for(int fd, double seconds)
{
    char bytes[65536];
    size_t all = 0;
    for (double end = clock_now() + seconds; clock_now() < end;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int ms = (int)((end - clock_now()) * 1e3) + 1;
        if (poll(&p, 1, ms) <= 0)
            continue;
        ssize_t n = read(fd, bytes, sizeof bytes);
        if (n <= 0)
            break;
        all += (size_t)n;
    }
    return all;
}

static void stop(pid_t child, int fd)
{
    kill(child, SIGTERM);
    listen_for(fd, 0.3);
    waitpid(child, NULL, 0);
    close(fd);
}

static void version(void)
{
    double ms[TIMES], before = used(RUSAGE_CHILDREN);
    for (int i = 0; i < TIMES; i++) {
        double began = clock_now();
        bench_run((const char *const[]){lathe, "--version", NULL});
        ms[i] = (clock_now() - began) * 1e3;
    }
    qsort(ms, TIMES, sizeof *ms, by_size);
    printf("--version: best %.1f, median %.1f ms; %.1f ms of the processor (asked: under 10)\n", ms[0], ms[TIMES / 2],
           (used(RUSAGE_CHILDREN) - before) * 1e3 / TIMES);
}

static void first_paint(void)
{
    double ms[TIMES];
    for (int i = 0; i < TIMES; i++) {
        int fd;
        char bytes[65536];
        double began = clock_now();
        pid_t child = start(&fd);
        ms[i] = -1;
        for (size_t all = 0; all < 1500;) { /* the whole frame, not the switching of the screen */
            ssize_t n = read(fd, bytes, sizeof bytes);
            if (n <= 0)
                break;
            all += (size_t)n;
            ms[i] = (clock_now() - began) * 1e3;
        }
        stop(child, fd);
    }
    qsort(ms, TIMES, sizeof *ms, by_size);
    printf("start to first paint: best %.0f, median %.0f ms (asked: under 60)\n", ms[0], ms[TIMES / 2]);
}

static void measure(const char *what, const char *keys, double settle, double seconds, const char *asked)
{
    int fd;
    pid_t child = start(&fd);
    listen_for(fd, 2);
    for (const char *k = keys; *k; k++) {
        if (write(fd, k, 1) < 0)
            return;
        listen_for(fd, *k == '\x1b' ? 1.2 : 0.1);
    }
    listen_for(fd, settle);
    double began = clock_now(), before = used_by(child);
    size_t bytes = listen_for(fd, seconds);
    double took = clock_now() - began;
    printf("%s: %.0f bytes a second on the wire, %.2f %% of a processor (asked: %s)\n", what, (double)bytes / took,
           100 * (used_by(child) - before) / took, asked);
    fflush(stdout);
    stop(child, fd);
}

static bool prepare(const char *dir)
{
    char csv[300];
    snprintf(csv, sizeof csv, "%s/table.csv", dir);
    FILE *f = fopen(csv, "w");
    Rng r;
    rng_seed(&r, 1, 0);
    if (!f)
        return false;
    fputs("x,y,z,target\n", f);
    for (int i = 0; i < 20000; i++) {
        double x = rng_normal(&r), y = rng_normal(&r);
        fprintf(f, "%.4f,%.4f,%.4f,%.4f\n", x, y, rng_unit(&r), 2 * x - y);
    }
    fclose(f);
    snprintf(workspace, sizeof workspace, "%s/ws", dir);
    return bench_run((const char *const[]){lathe, "-w", workspace, "ingest", csv, "as=table", NULL}) == 0;
}

int main(int argc, char **argv)
{
    char dir[] = "/tmp/lathe-bench-XXXXXX";
    double seconds = argc > 1 ? atof(argv[1]) : 10;
    lathe = bench_program();
    if (!mkdtemp(dir) || !prepare(dir)) {
        fprintf(stderr, "bench_screen_quiet: could not set up\n");
        return 1;
    }
    version();
    first_paint();
    measure("idle", "1", 3, seconds, "no bytes, under 0.2 %");
    bool ok = bench_run((const char *const[]){lathe, "-w", workspace, "train", "mlp", "data=table", "target=target", "name=live",
                                        "epochs=2000", "patience=0", "record_every=5", "detach=yes", NULL}) == 0;
    if (ok) {
        sleep(2);
        measure("a live chart", "\x1b" "4", 20, seconds, "under 4000 bytes");
        measure("a live chart with :set bandwidth 2k", "\x1b" "4:set bandwidth 2k\r", 3, seconds, "under 2000 bytes");
        bench_run((const char *const[]){lathe, "-w", workspace, "runs", "stop", "live", NULL});
        sleep(2);
    }
    dir_remove(dir, NULL);
    return !ok;
}
