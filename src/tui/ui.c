/* ui.c -- what panes may ask of the frame. See ui.h. */
#include "tui_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void open_by_name(Ui *ui, const char *name)
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

static void role_set(void *owner, const json_t *result, const Error *err, Ui *ui)
{
    (void)owner;
    if (!result)
        ui_error(ui, err); /* else the schema is read anew: see ui_command.c */
}

void ui_set_role(Ui *ui, const char *column, Role role)
{
    Text line = {0};
    if (!ui->dataset)
        return;
    text_printf(&line, "data role %.12s", ui->dataset->row.hash);
    command_add_word(&line, column);
    command_add_word(&line, role_name(role));
    ui_command(ui, text_str(&line), NULL, role_set);
    text_release(&line);
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

void ui_marks_keep(const Ui *ui, Text *into)
{
    for (size_t i = 0; i < ui->marked.count; i++)
        text_printf(into, " %lld", (long long)ui->marked.at[i]);
}

void ui_marks_put(Ui *ui, const char *kept)
{
    ui->marked.count = 0;
    for (char *end; *kept; kept = end) {
        long long run = strtoll(kept, &end, 10);
        if (end == kept)
            break;
        vec_add(&ui->marked, run);
    }
    news_for_all(ui);
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

static void say(Ui *ui, Style style, const char *text, const char *pane, int64_t run)
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
    Message m = {.time = time_now(), .style = style, .text = text_copy(ui->said), .run = run};
    snprintf(m.pane, sizeof m.pane, "%s", pane);
    vec_add(&ui->messages, m);
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
    say(ui, style, text, ui_pane(ui)->name, 0);
}

void ui_news(Ui *ui, Style style, const char *pane, int64_t run, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    say(ui, style, text, pane, run);
}

void ui_error(Ui *ui, const Error *err)
{
    say(ui, err->kind == ERROR_STOP ? STYLE_WARN : STYLE_BAD, err->text, ui_pane(ui)->name, 0);
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

/* tmux passes a sequence on only when it is wrapped, with every Esc doubled; GNU screen when it is wrapped, in pieces
 * of some hundred bytes. */
void ui_escape(Ui *ui, const char *bytes, size_t n)
{
    Text out = {0};
    bool tmux = getenv("TMUX") != NULL, wrapped = tmux || getenv("STY");
    size_t piece = wrapped && !tmux ? 200 : n;
    for (size_t i = 0; i < n; i++) {
        if (wrapped && i % piece == 0)
            text_puts(&out, tmux ? "\033Ptmux;" : "\033P");
        if (tmux && bytes[i] == '\033')
            text_putc(&out, '\033');
        text_putc(&out, bytes[i]);
        if (wrapped && ((i + 1) % piece == 0 || i + 1 == n))
            text_puts(&out, "\033\\");
    }
    screen_raw(ui->screen, text_str(&out), out.count);
    text_release(&out);
}

void ui_copy(Ui *ui, const char *text)
{
    Text out = {0};
    text_puts(&out, "\033]52;c;");
    add_base64(&out, (const uint8_t *)text, strlen(text));
    text_puts(&out, "\a");
    if (getenv("TMUX")) /* bare for set-clipboard on, wrapped for allow-passthrough on: who has neither gets none */
        screen_raw(ui->screen, text_str(&out), out.count);
    ui_escape(ui, text_str(&out), out.count);
    text_release(&out);
    ui_say(ui, STYLE_GOOD, "copied %.*s%s", (int)utf8_fit(text, strlen(text), 48), text,
           utf8_width(text, strlen(text)) > 48 ? " ..." : "");
}

/* ---- jobs ----------------------------------------------------------------------------------- */

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
    reload_watch(ui);
    ui_set_setting(ui, "theme", name);
    ui->dirty = true;
}

void ui_offer_rule(Ui *ui, const char *rule)
{
    mem_free(ui->offered_rule);
    ui->offered_rule = text_copy(rule);
}

char *ui_take_rule(Ui *ui)
{
    char *rule = ui->offered_rule;
    ui->offered_rule = NULL;
    return rule;
}

void found_rows_destroy(void *rows)
{
    FoundRows *r = rows;
    if (r)
        mem_free(r->row);
    mem_free(r);
}

void ui_show_rows(Ui *ui, FoundRows *rows)
{
    found_rows_destroy(ui->found_rows);
    ui->found_rows = rows;
    ui_choose_dataset(ui, rows->hash);
    ui_go(ui, "data");
}

FoundRows *ui_take_rows(Ui *ui, const char *hash)
{
    FoundRows *rows = ui->found_rows;
    if (!rows || !text_equal(rows->hash, hash))
        return NULL;
    ui->found_rows = NULL;
    return rows;
}
