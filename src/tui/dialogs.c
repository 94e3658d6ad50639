/* dialogs.c -- what is asked over the panes: yes or no, and a line of text. */
#include "tui_int.h"

#include <stdio.h>
#include <string.h>

enum { ZONE_YES = 1, ZONE_NO };

/* ---- confirm ---------------------------------------------------------------------------------------------- */

typedef struct Confirm {
    Overlay overlay;
    char *question, *detail;
    void (*yes)(void *owner, Ui *ui);
    void *owner;
} Confirm;

enum { CONFIRM_YES = PANE_COMMANDS, CONFIRM_NO };
static const KeyRow confirm_keys[] = {{CONFIRM_YES, "yes", "y Enter", "yes", "do it", 0},
                                      {CONFIRM_NO, "no", "n Esc q", "no", "leave it", 0},
                                      {0}};

static void confirm_draw(const Overlay *o, const Canvas *screen, const Ui *ui)
{
    (void)ui;
    const Confirm *d = (const Confirm *)o;
    Canvas in = overlay_box(screen, 7, 64, d->question, NULL);
    canvas_wrap(&in, 1, 2, in.cols - 4, STYLE_POPUP, d->detail ? d->detail : "");
    int x = in.cols / 2 - 10;
    canvas_put(&in, in.rows - 1, x, STYLE_POPUP_CURSOR, "  y  yes  ");
    canvas_put(&in, in.rows - 1, x + 12, style_on(STYLE_PLAIN, STYLE_POPUP), "  n  no  ");
    canvas_zone(&in, in.rows - 1, x, 1, 10, ZONE_YES, 0);
    canvas_zone(&in, in.rows - 1, x + 12, 1, 9, ZONE_NO, 0);
}

static void confirm_answer(Confirm *d, bool yes, Ui *ui)
{
    void (*then)(void *, Ui *) = d->yes;
    void *owner = d->owner;
    overlay_close(ui, d);
    if (yes)
        then(owner, ui);
}

static void confirm_key(Overlay *o, Key key, Ui *ui)
{
    const KeyRow *row = key_find(confirm_keys, key, 1, false);
    if (row || key == (KEY_CTRL | 'c'))
        confirm_answer((Confirm *)o, row && row->command == CONFIRM_YES, ui);
}

static void confirm_mouse(Overlay *o, const Mouse *m, Ui *ui)
{
    if (m->kind <= MOUSE_DOUBLE && (m->id == ZONE_YES || m->id == ZONE_NO))
        confirm_answer((Confirm *)o, m->id == ZONE_YES, ui);
}

static void confirm_destroy(Overlay *o)
{
    Confirm *d = (Confirm *)o;
    mem_free(d->question);
    mem_free(d->detail);
}

static const OverlayKind confirm_kind = {.name = "confirm",
                                         .size = sizeof(Confirm),
                                         .draw = confirm_draw,
                                         .on_key = confirm_key,
                                         .on_mouse = confirm_mouse,
                                         .destroy = confirm_destroy,
                                         .keys = confirm_keys};

void ui_confirm(Ui *ui, const char *question, const char *detail, void (*yes)(void *owner, Ui *ui),
                void *owner)
{
    Confirm *d = overlay_open(ui, &confirm_kind);
    d->question = text_copy(question);
    d->detail = text_copy(detail);
    d->yes = yes;
    d->owner = owner;
}

/* ---- ask ----------------------------------------------------------------------------------------------------- */

typedef struct AskBox {
    Overlay overlay;
    Ask ask;
    char *title, *label, *about;
    LineEdit edit;
    Error error;
} AskBox;

enum { ASK_DONE = PANE_COMMANDS, ASK_LEAVE, ASK_COMPLETE };
static const KeyRow ask_keys[] = {
    {ASK_DONE, "accept", "Enter", "accept", "take the text", 0},
    {ASK_LEAVE, "leave", "Esc", "leave", "leave all as it is", 0},
    {ASK_COMPLETE, "complete", "Tab", "complete", "what may follow", 0},
    {0}};

static void ask_draw(const Overlay *o, const Canvas *screen, const Ui *ui)
{
    (void)ui;
    const AskBox *d = (const AskBox *)o;
    Canvas in = overlay_box(screen, 8, 72, d->title, NULL);
    int x = 2;
    if (d->label)
        x += canvas_put(&in, 1, 2, STYLE_POPUP, d->label) + 1;
    line_draw(&d->edit, &in, 1, x, in.cols - x - 2, STYLE_INPUT, SIZE_MAX);
    if (d->error.kind != ERROR_NONE)
        canvas_wrap(&in, 3, 2, in.cols - 4, style_on(STYLE_BAD, STYLE_POPUP), d->error.text);
    else if (d->about)
        canvas_wrap(&in, 3, 2, in.cols - 4, STYLE_POPUP_DIM, d->about);
    Canvas over = canvas_part(screen, 0, 0, screen->rows, screen->cols);
    line_popup(&d->edit, &over, in.row - screen->row + 1, in.col - screen->col + x);
}

static bool ask_check(AskBox *d)
{
    d->error = (Error){0};
    return !d->ask.check || d->ask.check(d->ask.owner, line_text(&d->edit), &d->error);
}

static void ask_key(Overlay *o, Key key, Ui *ui)
{
    AskBox *d = (AskBox *)o;
    bool changed;
    if (line_key(&d->edit, key, &changed)) {
        if (changed && d->edit.text.count)
            ask_check(d);
        return;
    }
    if (key == NKEY_TAB && d->ask.complete) {
        line_complete(&d->edit, d->ask.complete, d->ask.owner);
    } else if (key == NKEY_ESC || key == (KEY_CTRL | 'c')) {
        overlay_close(ui, d);
    } else if (key == NKEY_ENTER && ask_check(d)) {
        char *text = text_copy(line_text(&d->edit));
        Ask ask = d->ask;
        overlay_close(ui, d);
        ask.done(ask.owner, text, ui);
        mem_free(text);
    }
}

static void ask_destroy(Overlay *o)
{
    AskBox *d = (AskBox *)o;
    mem_free(d->title);
    mem_free(d->label);
    mem_free(d->about);
    line_release(&d->edit);
}

static const OverlayKind ask_kind = {.text = true,
                                     .name = "ask",
                                     .size = sizeof(AskBox),
                                     .draw = ask_draw,
                                     .on_key = ask_key,
                                     .destroy = ask_destroy,
                                     .keys = ask_keys};

void ui_ask(Ui *ui, const Ask *ask)
{
    AskBox *d = overlay_open(ui, &ask_kind);
    d->ask = *ask;
    d->title = text_copy(ask->title);
    d->label = text_copy(ask->label);
    d->about = text_copy(ask->about);
    line_set(&d->edit, ask->initial ? ask->initial : "");
}
