/* gnuplot.c -- pictures by gnuplot through a pipe: a PNG, SVG or PDF file that is there whole or not at all. */
#include "command_int.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* file ending -> gnuplot terminal; sizes in pixels, which pdf wants as inches */
typedef struct Format { const char *ending, *terminal; double per_unit; } Format;
static const Format formats[] = {
    {".png", "pngcairo noenhanced font 'sans,11' size %g,%g", 1},
    {".svg", "svg noenhanced font 'sans,12' size %g,%g background '#ffffff'", 1},
    {".pdf", "pdfcairo noenhanced font 'sans,9' size %gin,%gin", 100},
};

static const Format *format_of(const char *out, Error *err)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (text_ends(out, formats[i].ending))
            return &formats[i];
    error_set(err, ERROR_USAGE, "out=%s: the name must end in .png, .svg or .pdf", out);
    return NULL;
}

bool gnuplot_can(const char *out, Error *err)
{
    return format_of(out, err) != NULL;
}

/* gnuplot's single quotes: doubled inside, line ends gone */
void gnuplot_quote(const char *s, Text *into)
{
    text_putc(into, '\'');
    for (; *s; s++) {
        if (*s == '\'')
            text_putc(into, '\'');
        text_putc(into, *s == '\n' || *s == '\r' ? ' ' : *s);
    }
    text_putc(into, '\'');
}

static bool start(pid_t *pid, int *to, Error *err)
{
    int ends[2];
    char name[] = "gnuplot", *const words[] = {name, NULL};
    posix_spawn_file_actions_t files;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_set(err, ERROR_IO, "could not start gnuplot: %s", strerror(errno));
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, ends[0], STDIN_FILENO);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    int failed = posix_spawnp(pid, name, &files, NULL, words, environ);
    posix_spawn_file_actions_destroy(&files);
    close(ends[0]);
    *to = ends[1];
    if (!failed)
        return true;
    close(ends[1]);
    return error_set(err, ERROR_IO, failed == ENOENT ? "gnuplot is not installed; apt-get install gnuplot-nox"
                                                     : "could not start gnuplot: %s", strerror(failed));
}

/* As fast as gnuplot reads, which draws on the way: that is how far it is. */
static void feed(int to, const Text *commands_text, Progress *progress)
{
    fcntl(to, F_SETFL, O_NONBLOCK);
    for (size_t at = 0; at < commands_text->count && !progress_stopped(progress);) {
        ssize_t n = write(to, commands_text->at + at, commands_text->count - at);
        if (n < 0 && errno == EAGAIN)
            poll(&(struct pollfd){.fd = to, .events = POLLOUT}, 1, 100);
        else if (n < 0 && errno != EINTR)
            return; /* it has ended: its status says why */
        at += n > 0 ? (size_t)n : 0;
        progress_add(progress, n > 0 ? (uint64_t)n : 0);
    }
}

/* Its status; stopped on the way, it is ended. */
static int wait_for(pid_t pid, Progress *progress)
{
    int status = 0;
    bool ended = false;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (progress_stopped(progress) && !ended)
            ended = kill(pid, SIGTERM) == 0;
        usleep(2000);
    }
    return status;
}

static bool draw(const Text *commands_text, Progress *progress, Error *err)
{
    pid_t pid;
    int to = -1;
    if (!start(&pid, &to, err))
        return false;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGPIPE, &ignore, &before);
    progress_begin(progress, "drawing", "bytes", commands_text->count);
    feed(to, commands_text, progress);
    close(to);
    int status = wait_for(pid, progress);
    sigaction(SIGPIPE, &before, NULL);
    if (progress_stopped(progress))
        return error_set(err, ERROR_STOP, "stopped; there is no picture");
    return status == 0 || error_set(err, ERROR_IO, "gnuplot could not draw this");
}

bool gnuplot_picture(const char *out, int width, int height, const Text *body, Progress *progress,
                     Error *err)
{
    const Format *f = format_of(out, err);
    if (!f)
        return false;
    Arena arena = {0};
    Text text = {0};
    struct stat made;
    char line[200], *temp = arena_printf(&arena, "%s.part%s", out, f->ending);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(line, sizeof line, f->terminal, width / f->per_unit, height / f->per_unit);
#pragma GCC diagnostic pop
    text_printf(&text, "set terminal %s\nset output ", line);
    gnuplot_quote(temp, &text);
    text_putc(&text, '\n');
    text_add(&text, text_str(body), body->count);
    bool ok = draw(&text, progress, err) && ((stat(temp, &made) == 0 && made.st_size > 0) ||
                                   error_set(err, ERROR_IO, "%s: cannot write there", out));
    if (ok && rename(temp, out) != 0)
        ok = error_set(err, ERROR_IO, "%s: %s", out, strerror(errno));
    if (!ok)
        unlink(temp);
    text_release(&text);
    arena_release(&arena);
    return ok;
}
