/* tube.h -- what the benchmarks of the screen share: the workbench in a pseudo-terminal, seen through libvterm as the
 * one who looks at it sees it.
 *
 * A paint is complete with the last byte before the output rests for QUIET_MS. What changes in the line of tabs and in
 * the status line alone is no answer to a key. "Of its own" is without the time in which the screen's thread, or this
 * program, was ready but other work had the processor (/proc/PID/schedstat): what a machine with a core for the screen
 * would show. */
#ifndef BENCH_TUBE_H
#define BENCH_TUBE_H

#include <lathe/base.h>

#include <fcntl.h>
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

enum { QUIET_MS = 12 };

typedef struct Tube {
    int fd, rows, columns;
    pid_t child;
    VTerm *term;
    VTermScreen *screen;
    bool painted; /* outside the tabs and the status line, since it was asked last */
} Tube;

static inline const char *bench_program(void)
{
    const char *said = getenv("LATHE_BENCH_PROGRAM");
    return said ? said : LATHE_PROGRAM;
}

/* A command to its end, silently: its exit status. */
static inline int bench_run(const char *const *args)
{
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(null, 1);
        execv(args[0], (char *const *)(uintptr_t)args);
        _exit(127);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline pid_t bench_screen(int *fd, const char *workspace, int rows, int columns)
{
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    const char *lathe = bench_program();
    pid_t child = forkpty(fd, NULL, NULL, &size);
    if (child == 0) {
        setenv("TERM", "xterm-256color", 1);
        execl(lathe, lathe, "-w", workspace, (char *)NULL);
        _exit(127);
    }
    return child;
}

static inline int tube_damaged(VTermRect rect, void *context)
{
    Tube *t = context;
    for (int row = rect.start_row; row < rect.end_row; row++)
        t->painted |= row != 0 && row != t->rows - 2;
    return 1;
}

/* Starts the workbench; t stays where it is until tube_close. */
static inline void tube_open(Tube *t, const char *workspace, int rows, int columns)
{
    static const VTermScreenCallbacks callbacks = {.damage = tube_damaged};
    *t = (Tube){.rows = rows, .columns = columns};
    t->child = bench_screen(&t->fd, workspace, rows, columns);
    t->term = vterm_new(rows, columns);
    vterm_set_utf8(t->term, 1);
    t->screen = vterm_obtain_screen(t->term);
    vterm_screen_set_callbacks(t->screen, &callbacks, t);
    vterm_screen_set_damage_merge(t->screen, VTERM_DAMAGE_CELL);
    vterm_screen_enable_altscreen(t->screen, 1);
    vterm_screen_reset(t->screen, 1);
}

static inline void tube_close(Tube *t)
{
    kill(t->child, SIGTERM);
    waitpid(t->child, NULL, 0);
    close(t->fd);
    vterm_free(t->term);
}

static inline bool tube_type(Tube *t, const char *keys)
{
    return write(t->fd, keys, strlen(keys)) == (ssize_t)strlen(keys);
}

static inline bool tube_shows(const Tube *t, const char *text)
{
    char row[4096];
    for (int i = 0; i < t->rows; i++) {
        VTermRect line = {.start_row = i, .end_row = i + 1, .end_col = t->columns};
        size_t n = vterm_screen_get_text(t->screen, row, sizeof row - 1, line);
        row[n] = 0;
        if (strstr(row, text))
            return true;
    }
    return false;
}

/* Reads until the output rests; ms from `began` to the last byte of what was painted, or -1 when nothing was. */
static inline double tube_settle(Tube *t, double began, int wait_ms)
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

/* Milliseconds that a process's first thread was ready and did not run. */
static inline double waited(pid_t pid)
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

/* Presses it; *took in ms by the clock, -1: nothing was painted; *own without the waiting. */
static inline bool tube_press(Tube *t, const char *key, double *took, double *own)
{
    double pressed = clock_now(), ready = waited(t->child) + waited(getpid());
    if (!tube_type(t, key))
        return false;
    *took = tube_settle(t, pressed, 300);
    *own = fmax(0, *took - (waited(t->child) + waited(getpid()) - ready));
    return true;
}

static inline int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of numbers that are then in their order: 0.5 the median, 1 the greatest. */
static inline double share_of(double *v, size_t n, double share)
{
    qsort(v, n, sizeof *v, by_size);
    return n ? v[(size_t)((double)(n - 1) * share)] : -1;
}

#endif
