/* ui.c -- what panes may ask of the frame. See ui.h. */
#include "tui_int.h"

#include <stdio.h>
#include <string.h>

enum { SLOT_DATASET = 1, SLOT_ROLE, SLOT_SESSION, SLOT_SAVE, SLOT_COMMAND };

/* ---- the workspace, what is chosen ------------------------------------------------------------------- */

const Snapshot *ui_snapshot(const Ui *ui)
{
    return ui->snapshot ? ui->snapshot : &ui->none;
}

void ui_refresh(Ui *ui)
{
    watch_look(ui->watch);
}

OpenDataset *open_dataset_hold(OpenDataset *d)
{
    if (d)
        atomic_fetch_add(&d->holders, 1);
    return d;
}

void open_dataset_drop(OpenDataset *d)
{
    if (!d || atomic_fetch_sub(&d->holders, 1) > 1)
        return;
    dataset_close(d->data);
    schema_release(&d->schema);
    arena_release(&d->arena);
    mem_free(d);
}

OpenDataset *ui_dataset(const Ui *ui)
{
    return ui->dataset;
}

const char *ui_dataset_hash(const Ui *ui)
{
    return ui->dataset_hash;
}

static void release_open(void *result)
{
    open_dataset_drop(result);
}

static void *open_dataset(JobContext *c, void *input, Error *err)
{
    Store *store = job_store(c, err);
    if (!store)
        return NULL;
    OpenDataset *d = mem_alloc(sizeof *d);
    atomic_store(&d->holders, 1);
    d->data = workspace_dataset(store, input, &d->arena, &d->row, err);
    if (!d->data || !workspace_schema(store, d->data, &d->schema, err)) {
        open_dataset_drop(d);
        return NULL;
    }
    return d;
}

static void news_for_all(Ui *ui)
{
    for (size_t i = 0; i < ui->pane_count; i++)
        ui->fresh[i] = true;
    ui->dirty = true;
}

static void dataset_opened(void *owner, void *result, const Error *err, Ui *ui)
{
    (void)owner;
    (void)err;
    OpenDataset *d = result;
    if (!d) {
        if (!ui->dataset)
            ui->dataset_hash[0] = 0;
        else
            snprintf(ui->dataset_hash, sizeof ui->dataset_hash, "%s", ui->dataset->row.hash);
    } else {
        open_dataset_drop(ui->dataset);
        ui->dataset = d;
        snprintf(ui->dataset_hash, sizeof ui->dataset_hash, "%s", d->row.hash);
        ui_set_setting(ui, "dataset", d->row.name);
    }
    news_for_all(ui);
}

static void open_by_name(Ui *ui, const char *name)
{
    ui_job(ui, (Job){.owner = ui,
                     .slot = SLOT_DATASET,
                     .what = "opening",
                     .run = open_dataset,
                     .input = text_copy(name),
                     .done = dataset_opened,
                     .release = release_open,
                     .urgent = true});
}

void ui_choose_dataset(Ui *ui, const char *hash_or_name)
{
    if (!hash_or_name || !*hash_or_name)
        return;
    const DatasetRow *row = snapshot_dataset(ui_snapshot(ui), hash_or_name);
    const char *hash = row ? row->hash : hash_or_name;
    if (text_equal(hash, ui->dataset_hash))
        return;
    snprintf(ui->dataset_hash, sizeof ui->dataset_hash, "%s", hash);
    open_by_name(ui, hash);
    ui->dirty = true;
}

bool ui_dataset_opening(const Ui *ui)
{
    return jobs_running(ui->jobs, ui, SLOT_DATASET);
}

typedef struct RoleAsk {
    char hash[65], column[200];
    const char *role;
} RoleAsk;

static void *set_role(JobContext *c, void *input, Error *err)
{
    const RoleAsk *a = input;
    Store *store = job_store(c, err);
    if (!store || !store_column_role(store, a->hash, a->column, a->role, err))
        return NULL;
    return text_copy(a->hash);
}

static void role_set(void *owner, void *result, const Error *err, Ui *ui)
{
    (void)owner;
    (void)err;
    if (result && text_equal(result, ui->dataset_hash))
        open_by_name(ui, result); /* the schema anew */
    mem_free(result);
}

void ui_set_role(Ui *ui, const char *column, Role role)
{
    if (!ui->dataset)
        return;
    RoleAsk a = {.role = role_name(role)};
    snprintf(a.hash, sizeof a.hash, "%s", ui->dataset->row.hash);
    snprintf(a.column, sizeof a.column, "%s", column);
    ui_job(ui, (Job){.owner = ui,
                     .slot = SLOT_ROLE + 100 + (int)(hash_bytes(column, strlen(column), 1) % 10000),
                     .run = set_role,
                     .input = mem_copy(&a, sizeof a),
                     .done = role_set,
                     .urgent = true});
    ui->dirty = true;
}

int64_t ui_run(const Ui *ui)
{
    return ui->run;
}

void ui_choose_run(Ui *ui, int64_t run)
{
    if (ui->run != run) {
        char id[32];
        snprintf(id, sizeof id, "%lld", (long long)run);
        ui_set_setting(ui, "run", id);
        ui->run = run;
        news_for_all(ui);
    }
}

bool ui_run_marked(const Ui *ui, int64_t run)
{
    for (size_t i = 0; i < ui->marked.count; i++)
        if (ui->marked.at[i] == run)
            return true;
    return false;
}

void ui_mark_run(Ui *ui, int64_t run, bool on)
{
    if (on == ui_run_marked(ui, run))
        return;
    if (on) {
        vec_add(&ui->marked, run);
    } else {
        size_t k = 0;
        for (size_t i = 0; i < ui->marked.count; i++)
            if (ui->marked.at[i] != run)
                ui->marked.at[k++] = ui->marked.at[i];
        ui->marked.count = k;
    }
    news_for_all(ui);
}

size_t ui_marked_runs(const Ui *ui, int64_t *out, size_t most)
{
    for (size_t i = 0; i < ui->marked.count && i < most; i++)
        out[i] = ui->marked.at[i];
    return ui->marked.count < most ? ui->marked.count : most;
}

Style run_style(int64_t run)
{
    return style_series((uint64_t)(run > 0 ? run - 1 : 0));
}

/* ---- saying ------------------------------------------------------------------------------------------- */

void ui_draw(Ui *ui)
{
    ui->dirty = true;
}

void ui_animate(Ui *ui, double seconds)
{
    if (ui->now + seconds > ui->animate_until)
        ui->animate_until = ui->now + seconds;
}

double ui_now(const Ui *ui)
{
    return ui->now;
}

static void say(Ui *ui, Style style, const char *text)
{
    snprintf(ui->said, sizeof ui->said, "%s", text);
    for (char *s = ui->said; *s; s++)
        if (*s == '\n' || *s == '\t')
            *s = ' ';
    ui->said_style = style;
    ui->said_at = ui->now;
    if (ui->messages.count == 500) {
        mem_free(ui->messages.at[0].text);
        memmove(ui->messages.at, ui->messages.at + 1, 499 * sizeof *ui->messages.at);
        ui->messages.count--;
    }
    vec_add(&ui->messages, (Message){time_now(), style, text_copy(ui->said)});
    ui_animate(ui, style == STYLE_BAD ? 12.5 : 6.5);
    ui->dirty = true;
}

void ui_say(Ui *ui, Style style, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    say(ui, style, text);
}

void ui_error(Ui *ui, const Error *err)
{
    say(ui, err->kind == ERROR_STOP ? STYLE_WARN : STYLE_BAD, err->text);
}

static void add_base64(Text *into, const uint8_t *s, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)s[i] << 16 | (i + 1 < n ? (uint32_t)s[i + 1] << 8 : 0u) |
                     (i + 2 < n ? s[i + 2] : 0u);
        text_putc(into, digits[v >> 18]);
        text_putc(into, digits[v >> 12 & 63]);
        text_putc(into, i + 1 < n ? digits[v >> 6 & 63] : '=');
        text_putc(into, i + 2 < n ? digits[v & 63] : '=');
    }
}

void ui_copy(Ui *ui, const char *text)
{
    Text out = {0};
    bool tmux = getenv("TMUX") != NULL; /* passes it on only when wrapped */
    text_puts(&out, tmux ? "\033Ptmux;\033\033]52;c;" : "\033]52;c;");
    add_base64(&out, (const uint8_t *)text, strlen(text));
    text_puts(&out, tmux ? "\a\033\\" : "\a");
    screen_raw(ui->screen, text_str(&out), out.count);
    text_release(&out);
    ui_say(ui, STYLE_GOOD, "copied %.*s%s", (int)utf8_fit(text, strlen(text), 48), text,
           utf8_width(text, strlen(text)) > 48 ? " ..." : "");
}

/* ---- jobs and commands ----------------------------------------------------------------------------------- */

void ui_job(Ui *ui, Job job)
{
    jobs_add(ui->jobs, job, clock_now());
}

bool ui_job_running(const Ui *ui, const void *owner, int slot)
{
    return jobs_running(ui->jobs, owner, slot);
}

void ui_job_cancel(Ui *ui, void *owner, int slot)
{
    jobs_cancel(ui->jobs, owner, slot);
}

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

static void command_done(void *owner, void *result, const Error *err, Ui *ui)
{
    mem_free(owner); /* see ui_command: a place of its own */
    (void)err;
    CommandAnswer *a = result;
    watch_look(ui->watch);
    if (!a)
        return;
    if (follow_result(ui, a)) {
        release_answer(a);
        return;
    }
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
    release_answer(a);
}

typedef struct CommandFor {
    void *owner;
    void (*done)(void *owner, const json_t *result, const Error *err, Ui *ui);
} CommandFor;

static void command_done_for(void *owner, void *result, const Error *err, Ui *ui)
{
    CommandFor *f = owner;
    CommandAnswer *a = result;
    watch_look(ui->watch);
    f->done(f->owner, a ? a->result : NULL, err, ui);
    if (a)
        release_answer(a);
    mem_free(f);
}

void ui_command(Ui *ui, const char *line, void *owner,
                void (*done)(void *owner, const json_t *result, const Error *err, Ui *ui))
{
    CommandAsk ask = {.line = text_copy(line), .width = (size_t)(screen_cols(ui->screen) - 8)};
    Job job = {.slot = SLOT_COMMAND,
               .run = run_command_line,
               .input = mem_copy(&ask, sizeof ask),
               .release_input = release_ask,
               .release = release_answer};
    snprintf(job.what_text, sizeof job.what_text, "%.*s", (int)utf8_fit(line, strlen(line), 40),
             line);
    CommandFor *f =
        mem_alloc(sizeof *f); /* also a place of its own: commands do not replace each other */
    *f = (CommandFor){owner, done};
    job.owner = f;
    job.done = done ? command_done_for : command_done;
    job.quiet = done != NULL;
    ui_job(ui, job);
}

/* ---- panes ---------------------------------------------------------------------------------------------------- */

void ui_go(Ui *ui, const char *pane)
{
    for (size_t i = 0; i < ui->pane_count; i++)
        if (text_equal(panes[i]->name, pane) && ui->at != i) {
            ui->at = i;
            ui->fresh[i] = true;
            ui->dirty = true;
            ui_set_setting(ui, "pane", pane);
        }
}

bool ui_visible(const Ui *ui, const void *state)
{
    return ui->state[ui->at] == state;
}

bool ui_maximised(const Ui *ui)
{
    return ui->maximised;
}

void ui_prompt(Ui *ui, const char *initial)
{
    prompt_open(ui, initial);
}

void ui_view(Ui *ui, const char *title, const char *text)
{
    viewer_open(ui, title, text);
}

void ui_theme(Ui *ui, const char *name)
{
    Error err = {0};
    if (!theme_load(&ui->theme, name, &err)) {
        ui_error(ui, &err);
        return;
    }
    screen_theme(ui->screen, &ui->theme);
    screen_redraw(ui->screen);
    ui_set_setting(ui, "theme", name);
    ui->dirty = true;
}

/* ---- settings of the session: one JSON object in the store ------------------------------------------------------- */

const char *ui_setting(const Ui *ui, const char *key)
{
    return json_string_value(json_object_get(ui->settings, key));
}

void ui_set_setting(Ui *ui, const char *key, const char *value)
{
    if (text_equal(ui_setting(ui, key), value))
        return;
    json_object_set_new(ui->settings, key, json_string(value));
    ui->settings_changed = true;
}

static void *load_settings(JobContext *c, void *input, Error *err)
{
    (void)input;
    Arena a = {0};
    const char *value = NULL;
    Store *store = job_store(c, err);
    bool ok = store && store_setting_get(store, "screen", &a, &value, err);
    char *copy = ok ? text_copy(value ? value : "{}") : NULL;
    arena_release(&a);
    return copy;
}

static void settings_loaded(void *owner, void *result, const Error *err, Ui *ui)
{
    (void)owner;
    (void)err;
    json_t *known = result ? json_loads(result, 0, NULL) : NULL;
    if (json_is_object(known))
        json_object_update_missing(ui->settings, known); /* what was set meanwhile is newer */
    json_decref(known);
    mem_free(result);
    ui->settings_known = true;
}

void session_load(Ui *ui)
{
    ui_job(ui, (Job){.owner = ui,
                     .slot = SLOT_SESSION,
                     .run = load_settings,
                     .done = settings_loaded,
                     .quiet = true,
                     .urgent = true});
}

static void *save_settings(JobContext *c, void *input, Error *err)
{
    Store *store = job_store(c, err);
    return store && store_setting_set(store, "screen", input, err) ? text_copy("") : NULL;
}

void session_save(Ui *ui, bool now)
{
    if (!ui->settings_changed || !ui->settings_known)
        return;
    ui->settings_changed = false;
    char *text = json_dumps(ui->settings, JSON_COMPACT | JSON_SORT_KEYS);
    if (now) {
        Error err = {0};
        Store *s = store_open(ui->workspace, STORE_WRITE, &err);
        if (s)
            store_setting_set(s, "screen", text, &err);
        store_close(s);
    } else {
        ui_job(ui, (Job){.owner = ui,
                         .slot = SLOT_SAVE,
                         .run = save_settings,
                         .input = text_copy(text),
                         .quiet = true});
    }
    free(text);
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

void ui_line(Ui *ui, const char *typed)
{
    const char *rest;
    char line[4096];
    snprintf(line, sizeof line, "%s", typed + strspn(typed, " :"));
    for (size_t n = strlen(line); n && line[n - 1] == ' '; n--)
        line[n - 1] = 0;
    if (!*line)
        return;
    if (text_equal(line, "q") || text_equal(line, "q!") || text_equal(line, "wq"))
        ui_do(ui, UI_QUIT);
    else if ((rest = after_word(line, "theme")) && *rest)
        ui_theme(ui, rest);
    else if ((rest = after_word(line, "go")) && *rest)
        ui_go(ui, rest);
    else if ((rest = after_word(line, "open")) && *rest)
        ui_choose_dataset(ui, rest);
    else if (!do_by_name(ui, line))
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
        if (text_starts("go", line))
            add(context, "go", "to a pane");
        add_rows(&a, ui_pane(ui)->keys);
        if (strlen(line) > 1)
            add_rows(&a, frame_commands);
    } else if ((rest = after_word(line, "theme"))) {
        a.word = rest;
        theme_list(add_theme, &a);
    } else if ((rest = after_word(line, "go"))) {
        for (size_t i = 0; i < ui->pane_count; i++)
            if (text_starts(panes[i]->name, rest))
                add(context, panes[i]->name, panes[i]->title);
    }
}
