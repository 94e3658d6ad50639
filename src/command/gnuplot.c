/* gnuplot.c -- pictures by gnuplot through a pipe: a PNG, SVG or PDF file that is there whole or not at all. */
#include "command_int.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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

static bool draw(const Text *commands_text, Error *err)
{
    FILE *pipe = popen("exec gnuplot 2>/dev/null", "w");
    if (!pipe)
        return error_set(err, ERROR_IO, "could not start gnuplot: %s", strerror(errno));
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGPIPE, &ignore, &before);
    fwrite(text_str(commands_text), 1, commands_text->count, pipe);
    int status = pclose(pipe);
    sigaction(SIGPIPE, &before, NULL);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return error_set(err, ERROR_IO, "gnuplot is not installed; apt-get install gnuplot-nox");
    return status == 0 || error_set(err, ERROR_IO, "gnuplot could not draw this");
}

bool gnuplot_picture(const char *out, int width, int height, const Text *body, Error *err)
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
    bool ok = draw(&text, err) && ((stat(temp, &made) == 0 && made.st_size > 0) ||
                                   error_set(err, ERROR_IO, "%s: cannot write there", out));
    if (ok && rename(temp, out) != 0)
        ok = error_set(err, ERROR_IO, "%s: %s", out, strerror(errno));
    if (!ok)
        unlink(temp);
    text_release(&text);
    arena_release(&arena);
    return ok;
}
