/* frame.c -- what surrounds a pane: tabs above, the status line and the hints below, dialogs over it;
 * and the way of a key: dialog, pane, frame. */
#include "tui_int.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define LEAST_ROWS 16
#define LEAST_COLS 60

const Pane *ui_pane(const Ui *ui)
{
    return panes[ui->at];
}

unsigned pane_mode(const Pane *p, const void *state)
{
    return p->mode ? p->mode(state) : 1;
}

bool pane_text_mode(const Pane *p, const void *state)
{
    return (p->text_modes & pane_mode(p, state)) != 0;
}

const char *pane_why_not(const Pane *p, const void *state, int command, const Ui *ui)
{
    return p->why_not ? p->why_not(state, command, ui) : NULL;
}

bool frame_fits(const Ui *ui)
{
    return screen_rows(ui->screen) >= LEAST_ROWS && screen_cols(ui->screen) >= LEAST_COLS;
}

void frame_body(const Ui *ui, int *rows, int *cols)
{
    *rows = screen_rows(ui->screen) - 3;
    *cols = screen_cols(ui->screen);
}

/* ---- overlays -------------------------------------------------------------------------------------------- */

void *overlay_open(Ui *ui, const OverlayKind *kind)
{
    Overlay *o = mem_alloc(kind->size);
    o->kind = kind;
    o->below = ui->overlay;
    ui->overlay = o;
    ui->dirty = true;
    return o;
}

void overlay_close(Ui *ui, void *overlay)
{
    for (Overlay **at = &ui->overlay; *at; at = &(*at)->below)
        if (*at == overlay) {
            Overlay *o = *at;
            *at = o->below;
            jobs_forget_owner(ui->jobs, o);
            if (o->kind->destroy)
                o->kind->destroy(o);
            mem_free(o);
            ui->dirty = true;
            return;
        }
}

Canvas overlay_box(const Canvas *screen, int rows, int cols, const char *title, const char *note)
{
    if (rows > screen->rows - 2)
        rows = screen->rows - 2;
    if (cols > screen->cols - 4)
        cols = screen->cols - 4;
    Canvas box =
        canvas_part(screen, (screen->rows - rows) / 2, (screen->cols - cols) / 2, rows, cols);
    canvas_fill(&box, STYLE_POPUP);
    return canvas_box(&box, STYLE_POPUP_BORDER, title, note);
}

/* ---- tabs ------------------------------------------------------------------------------------------------- */

static int draw_tab(const Ui *ui, const Canvas *bar, size_t i, int col, bool titles)
{
    const Pane *p = panes[i];
    bool active = i == ui->at;
    Style ground = active ? STYLE_TAB_ACTIVE : STYLE_TAB;
    Text badge = {0};
    Style badge_style = STYLE_ACCENT;
    if (p->badge)
        p->badge(ui->state[i], ui, &badge, &badge_style);
    int from = col;
    col += canvas_put(bar, 0, col, ground, " ");
    col += canvas_printf(bar, 0, col, active ? STYLE_TAB_ACTIVE : STYLE_TAB_KEY, "%zu", i + 1);
    if (titles || active)
        col += canvas_printf(bar, 0, col, ground, " %s", p->title);
    if (badge.count) {
        col += canvas_put(bar, 0, col, ground, " ");
        col += canvas_put(bar, 0, col, active ? STYLE_TAB_ACTIVE : style_on(badge_style, ground),
                          text_str(&badge));
    }
    col += canvas_put(bar, 0, col, ground, " ");
    canvas_zone(bar, 0, from, 1, col - from, ZONE_TAB, (int64_t)i);
    text_release(&badge);
    return col;
}

static int draw_tabs_from(const Ui *ui, const Canvas *bar, bool titles)
{
    canvas_fill(bar, STYLE_TAB);
    int col = canvas_put(bar, 0, 0, style_on(STYLE_ACCENT, STYLE_TAB), " lathe ");
    for (size_t i = 0; i < ui->pane_count; i++)
        col = draw_tab(ui, bar, i, col, titles);
    return col;
}

static void draw_tabs(const Ui *ui, const Canvas *bar)
{
    int col = draw_tabs_from(ui, bar, true);
    if (col > bar->cols)
        col = draw_tabs_from(ui, bar, false);
    const char *slash = strrchr(ui->workspace, '/');
    const char *name = slash && slash[1] ? slash + 1 : ui->workspace;
    int w = (int)utf8_width(name, strlen(name));
    if (col + w + 4 < bar->cols)
        canvas_put(bar, 0, bar->cols - w - 1, STYLE_TAB, name);
}

/* ---- status line ---------------------------------------------------------------------------------------------- */

static int left_of(const Canvas *c, int col, int room)
{
    return c->cols - col - room;
}

static int draw_dataset(const Ui *ui, const Canvas *c, int col)
{
    const OpenDataset *d = ui_dataset(ui);
    if (!d) {
        const char *said = ui_dataset_opening(ui) ? " opening a dataset " : " no dataset yet ";
        return col + canvas_put(c, 0, col, STYLE_STATUS_DIM, said);
    }
    Text size = {0};
    text_add_count(&size, (double)d->row.rows);
    text_printf(&size, " %s %lld", glyph(c, GLYPH_TIMES), (long long)d->row.columns);
    col += canvas_put(c, 0, col, STYLE_STATUS, " ");
    int w = (int)utf8_width(d->row.name, strlen(d->row.name));
    int most = c->cols / 3;
    col +=
        canvas_field(c, 0, col, w < most ? w : most, ALIGN_LEFT, STYLE_STATUS_STRONG, d->row.name);
    col += canvas_put(c, 0, col, STYLE_STATUS, " ");
    col += canvas_put(c, 0, col, STYLE_STATUS_DIM, text_str(&size));
    col += canvas_put(c, 0, col, STYLE_STATUS, " ");
    text_release(&size);
    return col;
}

static double run_share(const RunRow *r)
{
    return r->steps_total > 0 ? (double)r->step / (double)r->steps_total : 0;
}

/* The chosen run if it is active, else the newest active one. */
static const RunRow *active_run(const Ui *ui, size_t *count)
{
    const Snapshot *s = ui_snapshot(ui);
    const RunRow *found = NULL;
    *count = 0;
    for (size_t i = 0; i < s->runs; i++)
        if (run_is_active(&s->run[i])) {
            ++*count;
            if (!found || s->run[i].id == ui->run)
                found = &s->run[i];
        }
    return found;
}

static int draw_run(const Ui *ui, const Canvas *c, int col)
{
    size_t count;
    const RunRow *r = active_run(ui, &count);
    if (!r || left_of(c, col, 0) < 40)
        return col;
    double share = run_share(r);
    col += canvas_put(c, 0, col, STYLE_STATUS_DIM, glyph(c, GLYPH_BAR));
    col += canvas_put(c, 0, col, STYLE_STATUS, " ");
    col += canvas_put(c, 0, col, style_on(run_style(r->id), STYLE_STATUS),
                      r->status == RUN_PAUSED ? glyph(c, GLYPH_PAUSE) : glyph_spinner(c, ui->now));
    col += canvas_printf(c, 0, col, STYLE_STATUS, " %.24s ", r->name);
    if (left_of(c, col, 0) > 30) {
        int width = c->cols >= 110 ? 16 : 8;
        int full = (int)(share * width * 8 + 0.5);
        for (int i = 0; i < width; i++) {
            int eighths = full - i * 8;
            uint32_t code = eighths >= 8  ? 0x2588u
                            : eighths > 0 ? 0x2590u - (uint32_t)eighths
                                          : ' ';
            canvas_char(c, 0, col + i, style_on(STYLE_BAR, STYLE_BAR_BACK), code);
        }
        col += width;
    }
    col += canvas_printf(c, 0, col, STYLE_STATUS, " %.0f%%", share * 100);
    double gone = r->started ? (double)(time_now() - r->started) / 1e6 : 0;
    double made = (double)(r->step - r->parent_step); /* by this run: a fork began later */
    if (r->status == RUN_RUNNING && share > 0.02 && share < 1 && made > 0 &&
        left_of(c, col, 0) > 16) {
        Text left = {0};
        text_add_seconds(&left, gone * (double)(r->steps_total - r->step) / made);
        col += canvas_printf(c, 0, col, STYLE_STATUS_DIM, "  %s left", text_str(&left));
        text_release(&left);
    }
    if (count > 1)
        col += canvas_printf(c, 0, col, STYLE_STATUS_DIM, "  +%zu", count - 1);
    return col + canvas_put(c, 0, col, STYLE_STATUS, " ");
}

static void job_numbers(const JobItem *item, double now, Text *into)
{
    uint64_t done = atomic_load(&item->progress.done), total = atomic_load(&item->progress.total);
    const char *unit = atomic_load(&item->progress.unit);
    double seconds = now - item->started;
    bool bytes = unit && !strcmp(unit, "bytes");
    if (total && done <= total)
        text_printf(into, " %.0f%%", 100.0 * (double)done / (double)total);
    if (done && seconds > 0.5 && unit) {
        text_putc(into, ' ');
        if (bytes)
            text_add_bytes(into, (double)done / seconds);
        else
            text_add_count(into, (double)done / seconds);
        text_printf(into, "%s%s/s", bytes ? "" : " ", bytes ? "" : unit);
    }
    if (total && done && done < total && seconds > 2) {
        text_putc(into, ' ');
        text_add_seconds(into, seconds * (double)(total - done) / (double)done);
    }
}

/* At the right: the newest task that takes long enough to be noticed. Returns where it begins. */
static int draw_tasks(const Ui *ui, const Canvas *c, int from)
{
    const JobItem *shown = NULL;
    size_t more = 0;
    for (size_t i = 0; i < jobs_count(ui->jobs); i++) {
        const JobItem *item = jobs_at(ui->jobs, i);
        if (item->stale || !job_title(item) || ui->now - item->started < 0.2)
            continue;
        more += shown != NULL;
        shown = item;
    }
    if (!shown)
        return c->cols;
    Text text = {0};
    const char *what = atomic_load(&shown->progress.what);
    text_printf(&text, "%s %s", glyph_spinner(c, ui->now), job_title(shown));
    if (what && c->cols > 100)
        text_printf(&text, " %s %s", glyph(c, GLYPH_DOT), what);
    job_numbers(shown, ui->now, &text);
    if (more)
        text_printf(&text, " +%zu", more);
    int w = (int)utf8_width(text_str(&text), text.count), room = c->cols - from - 2;
    w = w < room ? w : room;
    int col = c->cols - w - 1;
    if (w > 4)
        canvas_field(c, 0, col, w, ALIGN_LEFT, style_on(STYLE_ACCENT, STYLE_STATUS),
                     text_str(&text));
    text_release(&text);
    return w > 4 ? col - 1 : c->cols;
}

static void draw_status(const Ui *ui, const Canvas *c)
{
    canvas_fill(c, STYLE_STATUS);
    double stays = ui->said_style == STYLE_BAD ? 12 : 6;
    bool said = *ui->said && ui->now - ui->said_at < stays;
    int need = said ? (int)utf8_width(ui->said, strlen(ui->said)) : 0;
    int col = draw_dataset(ui, c, 0);
    if (said && need > c->cols - col - 4)
        col = 0; /* a long message takes the line */
    else
        col = draw_run(ui, c, col);
    int right = draw_tasks(ui, c, col);
    int room = right - col - 1;
    if (said && need > room) {
        col = 0;
        room = right - 1;
    }
    if (said && room > 8) {
        Style mark = ui->said_style == STYLE_BAD    ? STYLE_BAD
                     : ui->said_style == STYLE_WARN ? STYLE_WARN
                     : ui->said_style == STYLE_GOOD ? STYLE_GOOD
                                                    : STYLE_INFO;
        canvas_fill_part(c, 0, col, 1, room, STYLE_STATUS);
        canvas_put(c, 0, col, style_on(mark, STYLE_STATUS),
                   mark == STYLE_BAD    ? glyph(c, GLYPH_CROSS)
                   : mark == STYLE_GOOD ? glyph(c, GLYPH_CHECK)
                                        : glyph(c, GLYPH_BULLET));
        int width = need < room - 2 ? need : room - 2;
        canvas_field(
            c, 0, col + 2, width, ALIGN_LEFT,
            style_on(mark == STYLE_INFO || mark == STYLE_GOOD ? STYLE_PLAIN : mark, STYLE_STATUS),
            ui->said);
    }
}

/* ---- hints: from the key tables, as many as fit ------------------------------------------------------------------ */

static int hint_width(const KeyRow *r)
{
    Text key = {0};
    key_short(r, &key);
    int w = (int)utf8_width(text_str(&key), key.count) + 1 +
            (int)utf8_width(r->hint, strlen(r->hint)) + 2;
    text_release(&key);
    return w;
}

static int draw_hint(const Canvas *c, int col, const KeyRow *r)
{
    Text key = {0};
    key_short(r, &key);
    int from = col;
    col += canvas_put(c, 0, col, STYLE_HINT_KEY, text_str(&key));
    col += canvas_put(c, 0, col, STYLE_HINT, " ");
    col += canvas_put(c, 0, col, STYLE_HINT, r->hint);
    canvas_zone(c, 0, from, 1, col - from, ZONE_HINT, r->command);
    text_release(&key);
    return col + 2;
}

static bool row_holds(const KeyRow *r, unsigned mode, bool text_mode)
{
    return r->hint && *r->keys && (r->modes ? (r->modes & mode) != 0 : !text_mode);
}

/* A narrow screen leaves the room to the pane: help tells the rest. */
static bool frame_hint(const KeyRow *r, int cols)
{
    return r->hint && (cols >= 100 || r->command == UI_HELP || r->command == UI_COMMAND);
}

static void draw_hints(const Ui *ui, const Canvas *c)
{
    canvas_fill(c, STYLE_HINT);
    int col = 1;
    if (ui->overlay) {
        for (const KeyRow *r = ui->overlay->kind->keys; r && r->command; r++)
            if (r->hint && col + hint_width(r) <= c->cols)
                col = draw_hint(c, col, r);
        return;
    }
    const Pane *p = ui_pane(ui);
    const void *state = ui->state[ui->at];
    unsigned mode = pane_mode(p, state);
    bool text_mode = pane_text_mode(p, state);
    int frame = 0; /* the frame's hints keep their place at the right */
    for (const KeyRow *r = frame_commands; r->command && !text_mode; r++)
        if (frame_hint(r, c->cols))
            frame += hint_width(r);
    for (const KeyRow *r = p->keys; r && r->command; r++)
        if (row_holds(r, mode, text_mode) && !pane_why_not(p, state, r->command, ui)) {
            if (col + hint_width(r) > c->cols - frame)
                break;
            col = draw_hint(c, col, r);
        }
    int at = c->cols - frame + 1;
    for (const KeyRow *r = frame_commands; r->command && !text_mode; r++)
        if (frame_hint(r, c->cols))
            at = draw_hint(c, at, r);
}

/* ---- all of it ------------------------------------------------------------------------------------------------------ */

static void draw_too_small(const Ui *ui, const Canvas *c)
{
    char text[100];
    snprintf(text, sizeof text, "lathe needs %d columns and %d rows;\nhere are %d and %d.\nQ quits",
             LEAST_COLS, LEAST_ROWS, screen_cols(ui->screen), screen_rows(ui->screen));
    canvas_wrap(c, c->rows > 4 ? c->rows / 2 - 1 : 0, c->cols > 40 ? (c->cols - 36) / 2 : 0,
                c->cols, STYLE_WARN, text);
}

void frame_draw(Ui *ui)
{
    Canvas screen = screen_begin(ui->screen);
    if (!frame_fits(ui)) {
        draw_too_small(ui, &screen);
        screen_show(ui->screen);
        return;
    }
    const Pane *p = ui_pane(ui);
    void *state = ui->state[ui->at];
    Canvas tabs = canvas_part(&screen, 0, 0, 1, screen.cols);
    Canvas body = canvas_part(&screen, 1, 0, screen.rows - 3, screen.cols);
    Canvas status = canvas_part(&screen, screen.rows - 2, 0, 1, screen.cols);
    Canvas hints = canvas_part(&screen, screen.rows - 1, 0, 1, screen.cols);
    if (p->layout)
        p->layout(state, body.rows, body.cols, ui);
    p->draw(state, &body, ui);
    draw_tabs(ui, &tabs);
    draw_status(ui, &status);
    draw_hints(ui, &hints);
    Overlay *stack[16];
    size_t n = 0;
    for (Overlay *o = ui->overlay; o && n < 16; o = o->below)
        stack[n++] = o;
    if (n)
        screen_zones_cut(ui->screen);
    while (n-- > 0) {
        if (stack[n]->kind->layout)
            stack[n]->kind->layout(stack[n], ui, screen.rows - 1, screen.cols);
        Canvas above = canvas_part(&screen, 0, 0, screen.rows - 1, screen.cols);
        stack[n]->kind->draw(stack[n], &above, ui);
    }
    screen_show(ui->screen);
}

/* ---- keys ------------------------------------------------------------------------------------------------------------- */

static void leave(void *owner, Ui *ui)
{
    (void)owner;
    ui->quit = true;
}

static void quit(Ui *ui)
{
    for (size_t i = 0; i < jobs_count(ui->jobs); i++) {
        const JobItem *item = jobs_at(ui->jobs, i);
        if (!item->stale && job_title(item) && ui->now - item->started > 1) {
            char detail[160];
            snprintf(detail, sizeof detail,
                     "'%s' is not finished and would be stopped. Trainings go on.",
                     job_title(item));
            ui_confirm(ui, "Leave the workbench?", detail, leave, NULL);
            return;
        }
    }
    ui->quit = true;
}

static void list_one_theme(void *context, const char *name, const char *about)
{
    (void)about;
    Text *all = context;
    text_printf(all, "%s\n", name);
}

static void next_theme(Ui *ui)
{
    Text all = {0};
    theme_list(list_one_theme, &all);
    char first[64] = "", next[64] = "";
    bool take = false;
    for (const char *s = text_str(&all); *s;) {
        size_t n = strcspn(s, "\n");
        if (!*first)
            snprintf(first, sizeof first, "%.*s", (int)n, s);
        if (take) {
            snprintf(next, sizeof next, "%.*s", (int)n, s);
            break;
        }
        take = strlen(ui->theme.name) == n && !strncmp(s, ui->theme.name, n);
        s += n + 1;
    }
    text_release(&all);
    ui_theme(ui, *next ? next : first);
    ui_say(ui, STYLE_INFO, "theme %s: %s", ui->theme.name, ui->theme.about);
}

static void frame_command(Ui *ui, int command)
{
    const char *what;
    size_t n = ui->pane_count;
    switch (command) {
    case UI_MAXIMISE:
        ui->maximised = !ui->maximised;
        break;
    case UI_HELP:
        help_open(ui);
        break;
    case UI_PALETTE:
        palette_open(ui);
        break;
    case UI_COMMAND:
        prompt_open(ui, "");
        break;
    case UI_CANCEL:
        if (jobs_stop_newest(ui->jobs, &what))
            ui_say(ui, STYLE_WARN, "stopping: %s", what);
        else
            ui_say(ui, STYLE_INFO, "no task is running (Q leaves; trainings are stopped in Train)");
        break;
    case UI_PANE_1:
    case UI_PANE_2:
    case UI_PANE_3:
    case UI_PANE_4:
    case UI_PANE_5:
    case UI_PANE_6:
        if ((size_t)(command - UI_PANE_1) < n)
            ui_go(ui, panes[command - UI_PANE_1]->name);
        break;
    case UI_NEXT_PANE:
        ui_go(ui, panes[(ui->at + 1) % n]->name);
        break;
    case UI_PREV_PANE:
        ui_go(ui, panes[(ui->at + n - 1) % n]->name);
        break;
    case UI_NEXT_THEME:
        next_theme(ui);
        break;
    case UI_NEWS:
        messages_open(ui);
        break;
    case UI_REDRAW:
        screen_redraw(ui->screen);
        break;
    case UI_SUSPEND:
        screen_suspend(ui->screen);
        break;
    case UI_QUIT:
        quit(ui);
        break;
    case UI_BACK:
        if (!ui->maximised)
            ui_say(ui, STYLE_INFO,
                   "this is the outermost view; Q leaves the workbench, ? lists the keys");
        ui->maximised = false;
        break;
    default: /* motions the pane had no use for */
        return;
    }
    ui->dirty = true;
}

void ui_do(Ui *ui, int command)
{
    const Pane *p = ui_pane(ui);
    void *state = ui->state[ui->at];
    const char *why = pane_why_not(p, state, command, ui);
    if (why) {
        ui_say(ui, STYLE_WARN, "%s", why);
        return;
    }
    Reply reply = p->on_command ? p->on_command(state, command, ui) : REPLY_IGNORED;
    if (reply == REPLY_DRAW)
        ui->dirty = true;
    else if (reply == REPLY_IGNORED)
        frame_command(ui, command);
}

/* Pasted text is text: it goes where text is typed, as one line, and is never a command. */
static bool paste_drops(Ui *ui, Key *key)
{
    if (*key == NKEY_PASTE_BEGIN || *key == NKEY_PASTE_END) {
        ui->pasting = *key == NKEY_PASTE_BEGIN;
        return true;
    }
    if (!ui->pasting)
        return false;
    if (*key == NKEY_ENTER || *key == NKEY_TAB)
        *key = ' ';
    bool typed =
        ui->overlay ? ui->overlay->kind->text : pane_text_mode(ui_pane(ui), ui->state[ui->at]);
    return !typed || !key_is_text(*key);
}

void frame_key(Ui *ui, Key key)
{
    ui->now = clock_now();
    if (paste_drops(ui, &key))
        return;
    if (key == (KEY_CTRL | 'l')) {
        frame_command(ui, UI_REDRAW);
        return;
    }
    if (key == (KEY_CTRL | 'z')) {
        frame_command(ui, UI_SUSPEND);
        return;
    }
    if (!frame_fits(ui)) {
        if (key == 'Q')
            ui->quit = true;
        return;
    }
    if (ui->said_style == STYLE_BAD && ui->now - ui->said_at > 1)
        ui->said[0] = 0; /* seen */
    ui->dirty = true;
    if (ui->overlay) {
        ui->overlay->kind->on_key(ui->overlay, key, ui);
        return;
    }
    const Pane *p = ui_pane(ui);
    void *state = ui->state[ui->at];
    unsigned mode = pane_mode(p, state);
    bool text_mode = pane_text_mode(p, state);
    const KeyRow *row = key_find(p->keys, key, mode, text_mode);
    if (!row && text_mode) {
        if (p->on_key)
            p->on_key(state, key, ui);
        return;
    }
    if (!row)
        row = key_find(frame_commands, key, 1, false);
    if (row) {
        ui_do(ui, row->command);
    } else if (!(key == NKEY_PASTE_BEGIN || key == NKEY_PASTE_END)) {
        Text name = {0};
        key_print(key, &name);
        ui_say(ui, STYLE_DIM, "%s does nothing here (? lists the keys)", text_str(&name));
        text_release(&name);
    }
}

static int mouse_kind(Ui *ui, const ScreenMouse *m)
{
    if (m->kind >= MOUSE_WHEEL_UP)
        return m->kind;
    bool twice =
        ui->now - ui->clicked_at < 0.4 && m->row == ui->clicked_row && m->col == ui->clicked_col;
    ui->clicked_at = twice ? 0 : ui->now;
    ui->clicked_row = m->row;
    ui->clicked_col = m->col;
    return twice ? MOUSE_DOUBLE : MOUSE_PRESS;
}

void frame_mouse(Ui *ui, const ScreenMouse *m)
{
    ui->now = clock_now();
    if (!frame_fits(ui))
        return;
    const Zone *z = screen_zone(ui->screen, m->row, m->col);
    Mouse out = {
        .kind = (MouseKind)mouse_kind(ui, m), .id = z ? z->id : -1, .index = z ? z->index : 0};
    out.row = z ? m->row - z->row : m->row - 1;
    out.col = z ? m->col - z->col : m->col;
    out.rows = z ? z->rows : 0;
    out.cols = z ? z->cols : 0;
    ui->dirty = true;
    if (ui->overlay) {
        if (ui->overlay->kind->on_mouse)
            ui->overlay->kind->on_mouse(ui->overlay, &out, ui);
        return;
    }
    if (out.id == ZONE_TAB && out.kind <= MOUSE_DOUBLE) {
        ui_go(ui, panes[out.index]->name);
        return;
    }
    if (out.id == ZONE_HINT && out.kind <= MOUSE_DOUBLE) {
        ui_do(ui, (int)out.index);
        return;
    }
    const Pane *p = ui_pane(ui);
    Reply reply = p->on_mouse ? p->on_mouse(ui->state[ui->at], &out, ui) : REPLY_IGNORED;
    if (reply == REPLY_IGNORED && out.kind >= MOUSE_WHEEL_UP)
        for (int i = 0; i < 3; i++)
            ui_do(ui, out.kind == MOUSE_WHEEL_UP ? UI_UP : UI_DOWN);
}
