/* main.c -- words from the shell -> a command; its result as text or JSON; no words -> the workbench.
 *
 * Only this file and the screen print, exit and catch signals. Exit status: 0 done, 1 failed,
 * 2 wrong usage. Errors are one line on standard error: what, where, what to do.               */
#include <lathe/command.h>

#include "plain.h"

#include "tui/tui.h"

#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

typedef struct Options {
    const char *workspace;
    bool json, plain, version, help;
    size_t words;
    const char **word;
} Options;

/* A signal handler can reach nothing else: the stop flag of the command that runs. */
static Progress *signalled;

static void on_signal(int number)
{
    (void)number;
    if (signalled)
        stop_ask(&signalled->stop);
}

/* The first Ctrl-C asks the command to end properly; a second one ends the program. */
static void catch_signals(Progress *progress)
{
    struct sigaction ask = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    signalled = progress;
    sigaction(SIGINT, &ask, NULL);
    sigaction(SIGTERM, &ask, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a quota is an error like a full disk, not an end */
}

/* A server takes SIGHUP as "look anew": held back in every thread, from the first on, until it asks. */
static void hold_hangup(void)
{
    sigset_t hangup;
    sigemptyset(&hangup);
    sigaddset(&hangup, SIGHUP);
    sigprocmask(SIG_BLOCK, &hangup, NULL);
}

static bool read_options(Options *o, int argc, char **argv, Error *err)
{
    const char *set = getenv("LATHE_WORKSPACE");
    o->workspace = set && *set ? set : ".lathe";
    o->word = mem_alloc(sizeof *o->word * (size_t)(argc + 1));
    bool verb = false; /* global flags may also follow the verb */
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "-w") && i + 1 < argc && !verb)
            o->workspace = argv[++i];
        else if (!strcmp(argv[i], "-w") && !verb)
            return error_set(err, ERROR_USAGE, "-w: the folder is missing; see lathe --help");
        else if (!strcmp(argv[i], "--json"))
            o->json = true;
        else if (!strcmp(argv[i], "--plain"))
            o->plain = true;
        else if (!verb && !strcmp(argv[i], "--version"))
            o->version = true;
        else if (!verb && (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")))
            o->help = true;
        else if (!verb && argv[i][0] == '-' && argv[i][1])
            return error_set(err, ERROR_USAGE, "no option %s; see lathe --help", argv[i]);
        else {
            verb = true;
            o->word[o->words++] = argv[i];
        }
    }
    return true;
}

static size_t line_width(void)
{
    struct winsize size;
    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
        return size.ws_col;
    return isatty(STDOUT_FILENO) ? 80 : 200;
}

static void say(void *context, const char *line)
{
    const Options *o = context;
    FILE *to = o->json ? stderr : stdout; /* --json keeps standard output for the document */
    fprintf(to, "%s\n", line);
    fflush(to);
}

static bool flush_output(Error *err)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    return error_set(err, ERROR_IO, "could not write to standard output: %s", strerror(errno));
}

/* What a verb writes while it finds it. */
static bool write_answer(void *context, const char *bytes, size_t n, Error *err)
{
    (void)context;
    fwrite(bytes, 1, n, stdout);
    return flush_output(err);
}

static bool print(const Options *o, const Command *c, const json_t *result, Error *err)
{
    const char *out = json_string_value(json_object_get(result, "out"));
    FILE *to = out && !strcmp(out, "-") ? stderr : stdout; /* out=-: the rows are there already */
    if (!result) /* so is all of it */
        return true;
    if (o->json) {
        json_dumpf(result, to, JSON_INDENT(2) | JSON_REAL_PRECISION(12) | JSON_ENCODE_ANY);
        fputc('\n', to);
    } else {
        Text text = {0};
        command_print(c, result, line_width(), &text);
        fwrite(text_str(&text), 1, text.count, to);
        text_release(&text);
    }
    return flush_output(err);
}

static void program_path(char out[PATH_MAX], const char *argv0)
{
    ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);
    if (n > 0)
        out[n] = 0;
    else
        snprintf(out, PATH_MAX, "%s", argv0);
}

static bool run_command_words(const Options *o, const char *program, Error *err)
{
    Progress progress = {0};
    const Command *command = NULL;
    json_t *result = NULL;
    catch_signals(&progress);
    if (o->words && !strcmp(o->word[0], "serve"))
        hold_hangup();
    Pool *pool = pool_create(0);
    CommandCall call = {.workspace = o->workspace,
                        .program = program,
                        .pool = pool,
                        .progress = &progress,
                        .say = say,
                        .say_context = (void *)(uintptr_t)o,
                        .write = write_answer,
                        .json = o->json,
                        .width = line_width()};
    bool ok = command_run(&call, o->words, o->word, &command, &result, err);
    const char *macro = json_string_value(json_object_get(result, "replay"));
    if (ok && macro)
        ok = tui_main(&(TuiOptions){.workspace = o->workspace, .program = program, .replay = macro}, err);
    else if (ok || result) /* what was found may be why it failed: a gate's table */
        ok = print(o, command, result, ok ? err : &(Error){0}) && ok;
    json_decref(result);
    pool_destroy(pool);
    signalled = NULL;
    return ok;
}

static bool open_workbench(const Options *o, const char *program, Error *err)
{
    const char *term = getenv("TERM");
    if (o->plain || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || !term || !*term || !strcmp(term, "dumb"))
        return plain_main(o->workspace, err);
    TuiOptions options = {.workspace = o->workspace, .program = program};
    return tui_main(&options, err);
}

static bool run(const Options *o, const char *program, Error *err)
{
    if (o->version) {
        printf("lathe %s\n", LATHE_VERSION);
        return flush_output(err);
    }
    if (o->help || (!o->words && o->json)) {
        Text text = {0};
        command_help(NULL, NULL, &text);
        fputs(text_str(&text), stdout);
        text_release(&text);
        return flush_output(err);
    }
    return o->words ? run_command_words(o, program, err) : open_workbench(o, program, err);
}

int main(int argc, char **argv)
{
    Error err = {0};
    Options options = {0};
    char program[PATH_MAX];
    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C"); /* numbers are written one way everywhere */
    program_path(program, argv[0]);
    bool ok = read_options(&options, argc, argv, &err) && run(&options, program, &err);
    mem_free(options.word);
    if (!ok && err.kind)
        fprintf(stderr, "lathe: %s\n", err.text);
    return ok ? 0 : err.kind == ERROR_USAGE ? 2 : 1;
}
