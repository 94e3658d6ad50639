/* runs_words.c -- the words people give a run: its name, tags, a note; each asked for with what it is now. */
#include "runs_int.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static void given(void *owner, const json_t *result, const Error *err, Ui *ui)
{
    (void)owner;
    if (!result)
        ui_error(ui, err);
    ui_refresh(ui);
}

/* "runs VERB ID", and what follows. */
static void give(RunsState *s, const char *verb, const char *rest)
{
    Text line = {0};
    text_printf(&line, "runs %s %lld%s", verb, (long long)s->steer.run, rest);
    ui_command(s->ui, text_str(&line), s, given);
    text_release(&line);
}

static void give_quoted(RunsState *s, const char *verb, const char *words)
{
    Text rest = {0};
    text_putc(&rest, ' ');
    command_quote(words, &rest);
    give(s, verb, text_str(&rest));
    text_release(&rest);
}

static void ask(RunsState *s, const RunRow *run, const char *what, const char *initial, const char *about,
                void (*done)(void *owner, const char *text, Ui *ui))
{
    char title[80];
    s->steer.run = run->id;
    snprintf(title, sizeof title, "Run %lld", (long long)run->id);
    ui_ask(s->ui, &(Ask){.title = title, .label = what, .initial = initial, .about = about, .owner = s, .done = done});
}

static void named(void *owner, const char *text, Ui *ui)
{
    (void)ui;
    if (text[strspn(text, " ")])
        give_quoted(owner, "rename", text);
}

static void noted(void *owner, const char *text, Ui *ui)
{
    (void)ui;
    if (text[strspn(text, " ")])
        give_quoted(owner, "note", text);
    else
        give(owner, "note", "");
}

static bool has_word(const char *words, const char *word, size_t n)
{
    for (const char *at = words + strspn(words, " "); *at; at += strspn(at, " ")) {
        size_t m = strcspn(at, " ");
        if (m == n && memcmp(at, word, n) == 0)
            return true;
        at += m;
    }
    return false;
}

/* Words of `of` that are not in `than`. */
static void add_others(const char *of, const char *than, const char *before, Text *into)
{
    for (const char *at = of + strspn(of, " "); *at; at += strspn(at, " ")) {
        size_t n = strcspn(at, " ");
        if (!has_word(than, at, n))
            text_printf(into, " %s%.*s", before, (int)n, at);
        at += n;
    }
}

/* What is new is added, what is gone is taken away. */
static void tagged(void *owner, const char *text, Ui *ui)
{
    RunsState *s = owner;
    const RunRow *run = snapshot_run(ui_snapshot(ui), s->steer.run);
    Text rest = {0};
    if (run) {
        add_others(text, run->tags, "", &rest);
        add_others(run->tags, text, "-", &rest);
    }
    if (rest.count)
        give(s, "tag", text_str(&rest));
    text_release(&rest);
}

void runs_rename(RunsState *s, const RunRow *run)
{
    ask(s, run, "name", run->name, "its model keeps the name it was entered under", named);
}

void runs_tag(RunsState *s, const RunRow *run)
{
    ask(s, run, "tags", run->tags, "words with blanks between; has:WORD in the filter finds them", tagged);
}

void runs_note(RunsState *s, const RunRow *run)
{
    ask(s, run, "note", run->note, "empty: none; has:note in the filter finds runs with one", noted);
}
