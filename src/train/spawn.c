/* spawn.c -- a run as a process of its own, which outlives the terminal; and runs whose process is
 * gone.
 *
 * The process is started twice removed (fork, setsid, fork, exec), so it has no terminal and nobody
 * must wait for it; its words go to DIR/runs/ID/log. If exec fails, the reason comes back through a
 * pipe that closes on exec. It is a patient process: a thread that answers a key goes before it, and with the
 * workspace's setting `nice` (`:set nice 5`) other programs do, too. Between fork and exec only async-signal-safe calls are made. */
#include "train_int.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPORT_FD 3

typedef struct Spawn {
    const char *program, *log;
    char *const *argv;
    int report; /* write end */
    int nice;   /* how far it stands back */
} Spawn;

static void give_up(int to)
{
    int code = errno;
    ssize_t n = write(to, &code, sizeof code);
    _exit(n == sizeof code ? 127 : 126);
}

static void become(const Spawn *s)
{
    sigset_t none;
    thread_patient(s->nice);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int sig = 1; sig < 32; sig++)
        signal(sig, SIG_DFL);
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int out = open(s->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
        give_up(s->report);
    if (s->report != REPORT_FD && dup2(s->report, REPORT_FD) < 0)
        give_up(s->report);
    fcntl(REPORT_FD, F_SETFD, FD_CLOEXEC);
    close_range(REPORT_FD + 1, ~0U, 0);
    execvp(s->program, s->argv);
    give_up(REPORT_FD);
}

/* In the first child. */
static void detach(const Spawn *s)
{
    setsid();
    pid_t child = fork();
    if (child < 0)
        give_up(s->report);
    if (child > 0)
        _exit(0);
    become(s);
}

static bool start(const Spawn *s, int listen, Error *err)
{
    int code = 0;
    pid_t child = fork();
    if (child == 0)
        detach(s);
    close(s->report);
    if (child < 0)
        return error_set(err, ERROR_IO, "%s: cannot start a process: %s", s->program,
                         strerror(errno));
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    ssize_t n;
    while ((n = read(listen, &code, sizeof code)) < 0 && errno == EINTR)
        ;
    return n != sizeof code ||
           error_set(err, ERROR_IO, "%s: cannot start it: %s", s->program, strerror(code));
}

/* The workspace's setting `nice`; what cannot be read is 0. */
static int niceness(const char *workspace)
{
    Arena a = {0};
    const char *text = NULL;
    int64_t nice = 0;
    Store *s = store_open(workspace, STORE_READ, NULL);
    if (s && store_setting_get(s, "nice", &a, &text, NULL) && text && !text_to_int(text, strlen(text), &nice))
        nice = 0;
    store_close(s);
    arena_release(&a);
    return nice < 0 ? 0 : nice > 19 ? 19 : (int)nice;
}

bool run_spawn(const char *program, const char *workspace, int64_t run, Error *err)
{
    char log[4300], dir[4200], id[32];
    snprintf(dir, sizeof dir, "%s/runs/%lld", workspace, (long long)run);
    snprintf(log, sizeof log, "%s/log", dir);
    snprintf(id, sizeof id, "%lld", (long long)run);
    int ends[2];
    if (!dir_create(dir, err))
        return false;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_set(err, ERROR_IO, "%s: cannot start it: %s", program, strerror(errno));
    char *argv[] = {(char *)(uintptr_t)program,
                    (char *)(uintptr_t) "-w",
                    (char *)(uintptr_t)workspace,
                    (char *)(uintptr_t) "work",
                    id,
                    NULL};
    Spawn s = {.program = program, .log = log, .argv = argv, .report = ends[1], .nice = niceness(workspace)};
    bool ok = start(&s, ends[0], err);
    close(ends[0]);
    return ok;
}

/* ---- reaping --------------------------------------------------------------------------------------- */

static bool is_orphan(const RunRow *r)
{
    return (r->status == RUN_RUNNING || r->status == RUN_PAUSED) && !store_run_alive(r);
}

static bool mark(Store *s, const RunRow *r, Error *err)
{
    char text[96];
    snprintf(text, sizeof text, "its process is gone (step %lld); it goes on when resumed",
             (long long)r->step);
    return store_run_status(s, r->id, RUN_KILLED, text, err) &&
           store_event_add(s, r->id, r->step, "killed", text, err) != 0;
}

static int mark_orphans(Store *s, bool only_count, Error *err)
{
    Arena a = {0};
    RunRow *rows;
    size_t n;
    int found = store_runs(s, &a, &rows, &n, err) ? 0 : -1;
    for (size_t i = 0; found >= 0 && i < n; i++)
        if (is_orphan(&rows[i]))
            found = only_count || mark(s, &rows[i], err) ? found + 1 : -1;
    arena_release(&a);
    return found;
}

int run_reap(Store *s, Error *err)
{
    int found = mark_orphans(s, true, err);
    if (found <= 0)
        return found;
    if (!store_begin(s, err)) /* looked at again inside: another may have resumed it meanwhile */
        return -1;
    found = mark_orphans(s, false, err);
    if (found >= 0 && store_commit(s, err))
        return found;
    store_rollback(s);
    return -1;
}
