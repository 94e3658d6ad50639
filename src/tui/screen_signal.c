/* screen_signal.c -- signals as bytes on a pipe for the loop, and the way out of a crash. */
#include "screen_curses.h"

#include <term.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* A handler may only write to a pipe; it needs to find it. */
static int signal_pipe[2] = {-1, -1}; /* set once before the handlers are */
static struct termios sane;           /* the terminal as it was found */
static char way_out[128];             /* the bytes that undo the rest */
static volatile sig_atomic_t terminal_taken;

static const int handled[] = {SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGTSTP, SIGCONT};
static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGQUIT};

static void on_signal(int number)
{
    int saved = errno;
    unsigned char byte = (unsigned char)number;
    ssize_t n = write(signal_pipe[1], &byte, 1);
    (void)n; /* full: it is awake already */
    errno = saved;
}

static void on_crash(int number)
{
    if (terminal_taken) {
        terminal_taken = 0;
        ssize_t n = write(STDOUT_FILENO, way_out, strlen(way_out));
        (void)n;
        tcsetattr(STDIN_FILENO, TCSANOW, &sane);
    }
    signal(number, SIG_DFL);
    raise(number);
}

static void append_capability(const char *name)
{
    const char *s = tigetstr(name);
    if (s && s != (const char *)-1 && strlen(way_out) + strlen(s) < sizeof way_out - 40 &&
        !strchr(s, '$'))
        strcat(way_out, s);
}

void screen_signals_begin(void)
{
    tcgetattr(STDIN_FILENO, &sane);
    if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) < 0)
        signal_pipe[0] = signal_pipe[1] = -1;
}

void screen_signals_end(void)
{
    close(signal_pipe[0]);
    close(signal_pipe[1]);
}

void screen_taken(bool taken)
{
    terminal_taken = taken;
}

void screen_signals_take(Screen *s)
{
    struct sigaction act = {.sa_handler = on_signal};
    for (size_t i = 0; i < sizeof handled / sizeof *handled; i++)
        sigaction(handled[i], &act, &s->old[handled[i]]);
    act.sa_handler = on_crash;
    act.sa_flags = (int)SA_RESETHAND;
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        sigaction(crashes[i], &act, &s->old[crashes[i]]);
    filemap_guard(); /* a table that was cut while it is shown is no crash */
    way_out[0] = 0;
    append_capability("sgr0");
    append_capability("op");
    if (s->depth == DEPTH_PALETTE)
        append_capability("oc");
    append_capability("cnorm");
    append_capability("rmkx");
    append_capability("rmcup");
    strcat(way_out, "\033[?1006l\033[?1000l\033[?2004l");
}

void screen_signals_give(Screen *s)
{
    for (size_t i = 0; i < sizeof handled / sizeof *handled; i++)
        sigaction(handled[i], &s->old[handled[i]], NULL);
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        sigaction(crashes[i], &s->old[crashes[i]], NULL);
}

int screen_signals(const Screen *s)
{
    (void)s;
    return signal_pipe[0];
}

void screen_stop_here(void)
{
    kill(0, SIGTSTP); /* the whole job */
}
