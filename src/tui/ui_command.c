/* ui_command.c -- lines of the command language, run as jobs; what their results lead to; and the workbench's
 * own words after `:`. */
#include "tui_int.h"

#include <stdio.h>
#include <string.h>

typedef struct CommandAsk {
    char *line;
    size_t width;
} CommandAsk;

typedef struct CommandAnswer {
    char *line;
    const Command *command;
    json_t *result;
    char *text;
} CommandAnswer;

static void release_ask(void *p)
{
    CommandAsk *a = p;
    mem_free(a->line);
    mem_free(a);
}

static void release_answer(void *p)
{
    CommandAnswer *a = p;
    mem_free(a->line);
    mem_free(a->text);
    json_decref(a->result);
    mem_free(a);
}

static void say_from_job(void *context, const char *line)
{
    job_say(context, line);
}

static void *run_command_line(JobContext *c, void *input, Error *err)
{
    const CommandAsk *ask = input;
    CommandCall call = {.workspace = job_workspace(c),
                        .program = job_program(c),
                        .pool = job_pool(c),
                        .progress = job_progress(c),
                        .screen = true,
                        .say = say_from_job,
                        .say_context = c};
    CommandAnswer *a = mem_alloc(sizeof *a);
    if (!command_line(&call, ask->line, &a->command, &a->result, err)) {
        release_answer(a);
        return NULL;
    }
    a->line = text_copy(ask->line);
    if (a->command && a->result) {
        Text text = {0};
        command_print(a->command, a->result, ask->width, &text);
        a->text = text_take(&text);
    }
    return a;
}

static long long number_of(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static void say_ingested(Ui *ui, const json_t *r)
{
    const json_t *sniffed = json_object_get(r, "sniffed");
    long long rejects = number_of(r, "rejects");
    Text t = {0};
    text_printf(&t, "%s: ", text_of(r, "dataset"));
    text_add_count(&t, (double)number_of(r, "rows"));
    text_printf(&t, " rows, %lld columns", number_of(r, "columns"));
    if (rejects)
        text_printf(&t, ", %lld line%s rejected (x shows why)", rejects, rejects == 1 ? "" : "s");
    const char *delimiter = text_of(sniffed, "delimiter");
    if (*delimiter)
        text_printf(&t, "; delimiter %s, header %s, %s",
                    *delimiter == '\t'  ? "tab"
                    : *delimiter == ',' ? "comma"
                                        : delimiter,
                    text_of(sniffed, "header"), text_of(sniffed, "encoding"));
    ui_say(ui, rejects ? STYLE_WARN : STYLE_GOOD, "%s", text_str(&t));
    text_release(&t);
}

/* What a command made becomes what is worked on; its pane shows the rest. */
static bool follow_result(Ui *ui, const CommandAnswer *a)
{
    const char *verb = a->command ? a->command->name : "", *hash = text_of(a->result, "hash");
    long long run = number_of(a->result, "run");
    if (run > 0 && (text_equal(verb, "train") || text_equal(verb, "fork"))) {
        ui_say(ui, STYLE_GOOD, "%s is run %lld", text_of(a->result, "name"), run);
        ui_choose_run(ui, run);
        ui_go(ui, "train");
        return true;
    }
    if (!text_equal(verb, "ingest") && !text_equal(verb, "clean"))
        return false;
    ui_choose_dataset(ui, *hash ? hash : text_of(a->result, "dataset"));
    ui_go(ui, "data");
    if (text_equal(verb, "ingest"))
        say_ingested(ui, a->result);
    return text_equal(verb, "ingest");
}

typedef struct CommandFor {
    void *owner;
    void (*done)(void *owner, const json_t *result, const Error *err, Ui *ui);
    UndoFor undo;
} CommandFor;

/* Whoever asked for it: the open dataset is seen as it now is, and `u` knows the way back. true: there is one. */
static bool take_change(Ui *ui, const CommandFor *f, const CommandAnswer *a)
{
    const char *undo = text_of(a->result, "undo"), *hash = text_of(a->result, "hash");
    const char *verb = a->command ? a->command->name : "";
    bool of_data = *hash && text_equal(hash, ui->dataset_hash) && (text_equal(verb, "role") || text_equal(verb, "rename"));
    if (of_data)
        open_by_name(ui, hash);
    if (*undo)
        undo_take(ui, &f->undo, undo);
    return *undo != 0;
}

static void show_answer(Ui *ui, const CommandAnswer *a)
{
    const char *text = a->text ? a->text : "";
    size_t n = strlen(text);
    while (n && text[n - 1] == '\n')
        n--;
    if (!n)
        ui_say(ui, STYLE_GOOD, "%s: done", a->line);
    else if (!memchr(text, '\n', n))
        ui_say(ui, STYLE_GOOD, "%.*s", (int)n, text);
    else
        viewer_open(ui, a->line, text);
}

static void command_done(void *owner, void *result, const Error *err, Ui *ui)
{
    CommandFor *f = owner; /* see ui_command_for: a place of its own */
    CommandAnswer *a = result;
    (void)err;
    watch_look(ui->watch);
    if (a && take_change(ui, f, a))
        ui_say(ui, STYLE_GOOD, "%s: done; u takes it back", a->line);
    else if (a && !follow_result(ui, a))
        show_answer(ui, a);
    if (a)
        release_answer(a);
    mem_free(f);
}

static void command_done_for(void *owner, void *result, const Error *err, Ui *ui)
{
    CommandFor *f = owner;
    CommandAnswer *a = result;
    watch_look(ui->watch);
    if (a)
        take_change(ui, f, a);
    f->done(f->owner, a ? a->result : NULL, err, ui);
    if (a)
        release_answer(a);
    mem_free(f);
}

void ui_command_titled(Ui *ui, const char *title, const char *line, void *owner,
                       void (*done)(void *owner, const json_t *result, const Error *err, Ui *ui))
{
    UndoFor undo = undo_for(ui, title);
    ui_command_for(ui, line, owner, done, &undo);
}

void ui_command_for(Ui *ui, const char *line, void *owner,
                    void (*done)(void *owner, const json_t *result, const Error *err, Ui *ui), const UndoFor *undo)
{
    CommandAsk ask = {.line = text_copy(line), .width = (size_t)(screen_cols(ui->screen) - 8)};
    Job job = {.slot = SLOT_COMMAND,
               .run = run_command_line,
               .input = mem_copy(&ask, sizeof ask),
               .release_input = release_ask,
               .release = release_answer};
    snprintf(job.what_text, sizeof job.what_text, "%.*s", (int)utf8_fit(undo->what, strlen(undo->what), 40),
             undo->what);
    CommandFor *f =
        mem_alloc(sizeof *f); /* also a place of its own: commands do not replace each other */
    *f = (CommandFor){owner, done, *undo};
    job.owner = f;
    job.done = done ? command_done_for : command_done;
    job.quiet = done != NULL;
    ui_job(ui, job);
}

void ui_command(Ui *ui, const char *line, void *owner,
                void (*done)(void *owner, const json_t *result, const Error *err, Ui *ui))
{
    ui_command_titled(ui, line, line, owner, done);
}

/* ---- the workbench's own words after `:` ---------------------------------------------------------------------------- */

static const char *after_word(const char *line, const char *word)
{
    size_t n = strlen(word);
    if (strncmp(line, word, n) || (line[n] && line[n] != ' '))
        return NULL;
    return line + n + strspn(line + n, " ");
}

static bool do_by_name(Ui *ui, const char *name)
{
    const KeyRow *tables[] = {ui_pane(ui)->keys, frame_commands};
    for (size_t t = 0; t < 2; t++)
        for (const KeyRow *r = tables[t]; r && r->command; r++)
            if (text_equal(r->name, name)) {
                ui_do(ui, r->command);
                return true;
            }
    return false;
}

/* "row 50%": a command of the pane, with words it takes. */
static bool do_with_words(Ui *ui, const char *line)
{
    const Pane *pane = ui_pane(ui);
    void *state = ui->state[ui->at];
    const char *words;
    for (const KeyRow *r = pane->on_words ? pane->keys : NULL; r && r->command; r++) {
        if (!(words = after_word(line, r->name)) || !*words)
            continue;
        const char *why = pane_why_not(pane, state, r->command, ui);
        if (why)
            ui_say(ui, STYLE_WARN, "%s", why);
        if (why || pane->on_words(state, r->command, words, ui) != REPLY_IGNORED) {
            ui_draw(ui);
            return true;
        }
    }
    return false;
}

void ui_line(Ui *ui, const char *typed)
{
    const char *rest;
    char line[4096];
    snprintf(line, sizeof line, "%s", typed + strspn(typed, " :"));
    for (size_t n = strlen(line); n && line[n - 1] == ' '; n--)
        line[n - 1] = 0;
    if (!*line)
        return;
    UndoFor undo = undo_for(ui, line);
    if (text_equal(line, "q") || text_equal(line, "q!") || text_equal(line, "wq"))
        ui_do(ui, UI_QUIT);
    else if ((rest = after_word(line, "set")))
        set_line(ui, rest, &undo);
    else if ((rest = after_word(line, "write-view")) && *rest && !write_view_why_not(ui))
        write_view_to(ui, rest);
    else if ((rest = after_word(line, "record")))
        macro_record(ui, rest);
    else if ((rest = after_word(line, "replay")) && *rest)
        replay_start(ui, rest, false);
    else if ((rest = after_word(line, "theme")) && !*rest)
        theme_choose(ui);
    else if ((rest = after_word(line, "theme")) && *rest)
        theme_line(ui, rest, &undo);
    else if ((rest = after_word(line, "go")) && *rest)
        ui_go(ui, rest);
    else if ((rest = after_word(line, "open")) && *rest)
        ui_choose_dataset(ui, rest);
    else if (!do_by_name(ui, line) && !do_with_words(ui, line))
        ui_command(ui, line, NULL, NULL);
}

/* Passes on what begins with the word typed so far. */
typedef struct Adding {
    void (*add)(void *, const char *, const char *);
    void *context;
    const char *word;
} Adding;

static void add_theme(void *context, const char *name, const char *about)
{
    Adding *a = context;
    if (text_starts(name, a->word))
        a->add(a->context, name, about);
}

static void add_rows(const Adding *a, const KeyRow *rows)
{
    for (const KeyRow *r = rows; r && r->command; r++)
        if (text_starts(r->name, a->word))
            a->add(a->context, r->name, r->help);
}

void ui_line_complete(Ui *ui, const char *line, void (*add)(void *, const char *, const char *),
                      void *context)
{
    const char *rest;
    Adding a = {add, context, line};
    if ((rest = strchr(line, ' ')) == NULL) {
        if (text_starts("theme", line))
            add(context, "theme", "choose the colours");
        if (text_starts("set", line))
            add(context, "set", "a setting of the screen");
        if (text_starts("go", line))
            add(context, "go", "to a pane");
        add_rows(&a, ui_pane(ui)->keys);
        if (strlen(line) > 1)
            add_rows(&a, frame_commands);
    } else if ((rest = after_word(line, "theme"))) {
        a.word = rest;
        theme_list(add_theme, &a);
    } else if ((rest = after_word(line, "set"))) {
        set_complete(rest, add, context);
    } else if ((rest = after_word(line, "go"))) {
        for (size_t i = 0; i < ui->pane_count; i++)
            if (text_starts(panes[i]->name, rest))
                add(context, panes[i]->name, panes[i]->title);
    }
}
