/* demo_server.c -- the server of `lathe demo` as a process of its own, as it would be: lathe serve on a free port. */
#include "demo_int.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_SECONDS 30

static void become(const char *program, const char *workspace, int out)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int sig = 1; sig < 32; sig++)
        signal(sig, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* it does not outlive the demo */
    setpgid(0, 0);                    /* Ctrl-C is for the demo, which ends it in its turn */
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
        _exit(126);
    close_range(3, ~0U, 0);
    execlp(program, program, "-w", workspace, "serve", "deployment=fares", "listen=127.0.0.1:0", "ids=yes", "threads=1", (char *)NULL);
    _exit(127);
}

/* The address it says it answers on. */
static bool read_address(DemoServer *s, Error *err)
{
    double until = clock_now() + START_SECONDS;
    char said[1000] = "";
    size_t n = 0;
    while (clock_now() < until && n + 1 < sizeof said) {
        struct pollfd p = {.fd = s->out, .events = POLLIN};
        if (poll(&p, 1, 200) <= 0)
            continue;
        ssize_t got = read(s->out, said + n, sizeof said - 1 - n);
        if (got <= 0)
            break;
        said[n += (size_t)got] = 0;
        char *at = strstr(said, "http://"), *end = at ? at + strcspn(at, " \n") : NULL;
        if (at && *end) {
            snprintf(s->address, sizeof s->address, "%.*s", (int)(end - at - 7), at + 7);
            return true;
        }
    }
    said[strcspn(said, "\n")] = 0;
    return error_set(err, ERROR_IO, "the server of the demo does not begin: %.300s", said);
}

bool demo_server_open(DemoServer *s, const char *program, const char *workspace, Error *err)
{
    int ends[2];
    *s = (DemoServer){.out = -1};
    if (!program)
        return error_set(err, ERROR_USAGE, "demo: only as a command of the shell, which starts a server of its own");
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_set(err, ERROR_IO, "demo: %s", strerror(errno));
    s->pid = fork();
    if (s->pid == 0)
        become(program, workspace, ends[1]);
    close(ends[1]);
    s->out = ends[0];
    if (s->pid < 0)
        return error_set(err, ERROR_IO, "demo: %s", strerror(errno));
    return read_address(s, err);
}

void demo_server_close(DemoServer *s)
{
    int status;
    if (s->pid > 0) {
        kill(s->pid, SIGTERM);
        for (double until = clock_now() + 10; waitpid(s->pid, &status, WNOHANG) == 0;) {
            nanosleep(&(struct timespec){0, 10000000}, NULL);
            if (clock_now() > until)
                kill(s->pid, SIGKILL);
        }
    }
    if (s->out >= 0)
        close(s->out);
    *s = (DemoServer){.out = -1};
}
