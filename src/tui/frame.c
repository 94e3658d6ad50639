/* frame.c -- what surrounds a pane: tabs above, the status line and the hints below, dialogs over it;
 * and the way of a key: dialog, pane, frame. */
#include "tui_int.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_ROWS 16
#define LEAST_COLS 60

const Pane *ui_pane(const Ui *ui)
{
    return panes[ui->at];
}

const KeyRow *ui_keys(const Ui *ui)
{
    return ui->keymap.pane[ui->at];
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
        ui->dirty |= !screen_show(ui->screen, budget_may(&ui->budget));
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
    frame_draw_tabs(ui, &tabs);
    frame_draw_status(ui, &status);
    frame_draw_hints(ui, &hints);
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
    ui->dirty |= !screen_show(ui->screen, budget_may(&ui->budget));
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

static void stop_newest(Ui *ui)
{
    const char *what;
    if (jobs_stop_newest(ui->jobs, &what))
        ui_say(ui, STYLE_WARN, "stopping: %s", what);
    else
        ui_say(ui, STYLE_INFO, "no task is running (Q leaves; trainings are stopped in Train)");
}

static void frame_command(Ui *ui, int command)
{
    size_t n = ui->pane_count;
    switch (command) {
    case UI_MAXIMISE:
        ui->maximised = !ui->maximised;
        break;
    case UI_UNDO:
    case UI_REDO:
        undo_move(ui, command == UI_UNDO);
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
        stop_newest(ui);
        break;
    case UI_PANE_1:
    case UI_PANE_2:
    case UI_PANE_3:
    case UI_PANE_4:
    case UI_PANE_5:
    case UI_PANE_6:
    case UI_PANE_7:
    case UI_PANE_8:
    case UI_PANE_9:
        if ((size_t)(command - UI_PANE_1) < n)
            ui_go(ui, panes[command - UI_PANE_1]->name);
        break;
    case UI_NEXT_PANE:
        ui_go(ui, panes[(ui->at + 1) % n]->name);
        break;
    case UI_PREV_PANE:
        ui_go(ui, panes[(ui->at + n - 1) % n]->name);
        break;
    case UI_THEMES:
        theme_choose(ui);
        break;
    case UI_WRITE:
        write_view_ask(ui);
        break;
    case UI_RECORD:
        macro_record(ui, NULL);
        break;
    case UI_REPLAY:
        replay_start(ui, "", false);
        break;
    case UI_NEWS:
        messages_open(ui, "Messages, newest first");
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

/* For what is said when it is taken back. */
static void note_doing(Ui *ui, int command)
{
    const KeyRow *rows = command == UI_MARK ? ui->keymap.frame : ui_keys(ui);
    for (const KeyRow *r = rows; r && r->command; r++)
        if (r->command == command && (command >= PANE_COMMANDS || command == UI_MARK))
            snprintf(ui->doing, sizeof ui->doing, "%s", r->name);
}

void ui_do(Ui *ui, int command)
{
    note_doing(ui, command);
    const Pane *p = ui_pane(ui);
    void *state = ui->state[ui->at];
    const char *why = command == UI_WRITE ? write_view_why_not(ui) : pane_why_not(p, state, command, ui);
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

static void take_key(Ui *ui, Key key)
{
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
    const KeyRow *ends = key_find(ui->keymap.frame, key, 1, false);
    if (!ends || ends->command != UI_RECORD)
        macro_note(ui, key);
    if (ui->overlay) {
        ui->overlay->kind->on_key(ui->overlay, key, ui);
        return;
    }
    const Pane *p = ui_pane(ui);
    void *state = ui->state[ui->at];
    unsigned mode = pane_mode(p, state);
    bool text_mode = pane_text_mode(p, state);
    const KeyRow *row = key_find(ui_keys(ui), key, mode, text_mode);
    if (!row && text_mode) {
        if (p->on_key)
            p->on_key(state, key, ui);
        return;
    }
    if (!row)
        row = key_find(ui->keymap.frame, key, 1, false);
    if (row) {
        ui_do(ui, row->command);
    } else if (!(key == NKEY_PASTE_BEGIN || key == NKEY_PASTE_END)) {
        Text name = {0};
        key_print(key, &name);
        ui_say(ui, STYLE_DIM, "%s does nothing here (? lists the keys)", text_str(&name));
        text_release(&name);
    }
}

void frame_key(Ui *ui, Key key)
{
    ui->now = clock_now();
    undo_before(ui);
    take_key(ui, key);
    undo_after(ui);
}

/* The button is let go, far enough from where it was pressed: the pane under that place may pan. */
static void mouse_drag(Ui *ui, const ScreenMouse *m)
{
    const Pane *p = ui_pane(ui);
    int row = ui->clicked_row, col = ui->clicked_col;
    if (ui->overlay || !p->drags || (abs(m->row - row) < 2 && abs(m->col - col) < 2))
        return;
    const Zone *z = screen_zone(ui->screen, row, col);
    Mouse out = {.kind = MOUSE_DRAG, .id = z ? z->id : -1, .index = z ? z->index : 0,
                 .row = z ? row - z->row : row - 1, .col = z ? col - z->col : col, .rows = z ? z->rows : 0,
                 .cols = z ? z->cols : 0, .drag_rows = m->row - row, .drag_cols = m->col - col};
    ui->clicked_at = 0;
    if (p->on_mouse(ui->state[ui->at], &out, ui) == REPLY_DRAW)
        ui->dirty = true;
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

static void take_mouse(Ui *ui, const ScreenMouse *m)
{
    if (!frame_fits(ui))
        return;
    if (m->kind == MOUSE_DRAG) {
        mouse_drag(ui, m);
        return;
    }
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

void frame_mouse(Ui *ui, const ScreenMouse *m)
{
    ui->now = clock_now();
    undo_before(ui);
    take_mouse(ui, m);
    undo_after(ui);
}
