/* alert_tell.c -- an alert told to others: a line of the log, a command of the user, a webhook.
 *
 * Both get the alert as one JSON object: the command on its standard input, the hook as the body of a POST. What
 * stands in an alert comes from data and is never part of a command line: the command is the user's own setting,
 * for /bin/sh, and beside its input it has a few words in its environment:
 *
 *     LATHE_ALERT  LATHE_DEPLOYMENT  LATHE_SUBJECT  LATHE_KIND  LATHE_STATE  LATHE_TEXT
 *
 * A command that does not end in time is killed with all that it started. Between fork and exec only
 * async-signal-safe calls are made. */
#include "watch_int.h"

#include <lathe/remote.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* ---- as JSON ------------------------------------------------------------------------------------------ */

static void set_time(json_t *o, const char *key, int64_t micros)
{
    Text t = {0};
    if (micros)
        time_format(micros, &t);
    json_object_set_new(o, key, micros ? json_string(text_str(&t)) : json_null());
    text_release(&t);
}

static json_t *word(const char *s)
{
    json_t *j = json_string(s ? s : "");
    return j ? j : json_string("(not UTF-8)");
}

json_t *alert_json(const AlertRow *r)
{
    json_t *o = json_object();
    json_object_set_new(o, "id", json_integer(r->id));
    json_object_set_new(o, "deployment", word(r->deployment));
    json_object_set_new(o, "subject", word(r->subject));
    json_object_set_new(o, "kind", word(r->kind));
    json_object_set_new(o, "state", word(r->state));
    json_object_set_new(o, "text", word(r->text));
    set_time(o, "raised", r->raised);
    set_time(o, "last", r->last);
    json_object_set_new(o, "count", json_integer(r->count));
    set_time(o, "acknowledged", r->acknowledged);
    set_time(o, "resolved", r->resolved);
    json_object_set_new(o, "actor", word(r->actor));
    json_t *detail = r->detail && *r->detail ? json_loads(r->detail, 0, NULL) : NULL;
    json_object_set_new(o, "detail", detail ? detail : json_object());
    return o;
}

/* ---- a command ---------------------------------------------------------------------------------------- */

static char **environment(const AlertRow *r, Arena *a)
{
    size_t n = 0, kept = 0;
    while (environ && environ[n])
        n++;
    char **out = ARENA_NEW(a, char *, n + 8);
    for (size_t i = 0; i < n; i++)
        out[kept++] = environ[i];
    out[kept++] = arena_printf(a, "LATHE_ALERT=%lld", (long long)r->id);
    out[kept++] = arena_printf(a, "LATHE_DEPLOYMENT=%s", r->deployment);
    out[kept++] = arena_printf(a, "LATHE_SUBJECT=%s", r->subject);
    out[kept++] = arena_printf(a, "LATHE_KIND=%s", r->kind);
    out[kept++] = arena_printf(a, "LATHE_STATE=%s", r->state);
    out[kept++] = arena_printf(a, "LATHE_TEXT=%s", r->text);
    return out;
}

static void become(int in, const char *command, char **env)
{
    static const char shell[] = "/bin/sh", flag[] = "-c";
    char *argv[] = {(char *)(uintptr_t)shell, (char *)(uintptr_t)flag, (char *)(uintptr_t)command,
                    NULL};
    sigset_t none;
    setpgid(0, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int sig = 1; sig < 32; sig++)
        signal(sig, SIG_DFL);
    int out = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
        _exit(126);
    close_range(3, ~0U, 0);
    execve(shell, argv, env);
    _exit(127);
}

/* A file in memory, at its beginning: what reads it may open it anew, and nobody waits for a pipe. */
static int input_of(const char *text, Error *err)
{
    size_t n = strlen(text);
    int fd = memfd_create("alert", MFD_CLOEXEC);
    if (fd >= 0 && write(fd, text, n) == (ssize_t)n && lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    error_set(err, ERROR_IO, "cannot hand over the alert: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool ended(int status, const char *command, Error *err)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (WIFSIGNALED(status))
        return error_set(err, ERROR_IO, "the command '%.80s' was ended by signal %d", command,
                         WTERMSIG(status));
    return error_set(err, ERROR_IO, "the command '%.80s' ended with %d", command,
                     WEXITSTATUS(status));
}

static bool wait_for(pid_t child, const AlertSinks *to, Error *err)
{
    double until = clock_now() + to->seconds;
    int status;
    for (;;) {
        pid_t got = waitpid(child, &status, WNOHANG);
        if (got == child)
            return ended(status, to->command, err);
        if (got < 0 && errno != EINTR)
            return error_set(err, ERROR_IO, "the command '%.80s': %s", to->command,
                             strerror(errno));
        if (clock_now() >= until || progress_stopped(to->progress))
            break;
        nanosleep(&(struct timespec){0, 5000000}, NULL);
    }
    kill(-child, SIGKILL);
    kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return error_set(err, ERROR_IO, "the command '%.80s' did not end within %g s: killed",
                     to->command, to->seconds);
}

static bool run_command_of(const AlertSinks *to, const AlertRow *r, const char *json, Error *err)
{
    Arena a = {0};
    char **env = environment(r, &a);
    int in = input_of(json, err);
    bool ok = in >= 0;
    pid_t child = ok ? fork() : -1;
    if (child == 0)
        become(in, to->command, env);
    if (ok && child < 0)
        ok = error_set(err, ERROR_IO, "cannot start the command '%.80s': %s", to->command,
                       strerror(errno));
    if (child > 0)
        setpgid(child, child); /* in both, so that it is done when either goes on */
    ok = ok && wait_for(child, to, err);
    if (in >= 0)
        close(in);
    arena_release(&a);
    return ok;
}

/* ---- all of them --------------------------------------------------------------------------------------- */

bool alert_tell(const AlertSinks *to, const AlertRow *r, Error *err)
{
    json_t *o = alert_json(r);
    char *text = json_dumps(o, JSON_COMPACT);
    RemoteSetup patience = {
        .connect_seconds = 3, .stall_seconds = 5, .tries = 3, .progress = to->progress};
    Error first = {0}, second = {0};
    bool ok = true;
    log_line(to->log, LOG_WARN, "alert %lld: %s: %s: %s", (long long)r->id, r->deployment,
             r->subject, r->text);
    if (text && to->command && *to->command)
        ok = run_command_of(to, r, text, &first);
    if (text && to->webhook && *to->webhook &&
        !fetch_post(to->webhook, "application/json", text, strlen(text), &patience, to->seconds,
                    &second)) {
        first = ok ? second : first;
        ok = false;
    }
    if (!ok) {
        log_line(to->log, LOG_ERROR, "alert %lld: %s", (long long)r->id, first.text);
        if (err)
            *err = first;
    }
    free(text);
    json_decref(o);
    return ok;
}
