/* dialogs.c -- what is asked and shown over the panes: confirm, ask, menu, text viewer, messages. */
#include "tui_int.h"

#include <stdio.h>
#include <string.h>

enum { ZONE_ROWS = 1, ZONE_YES, ZONE_NO };

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

/* ---- menu ------------------------------------------------------------------------------------------------------- */

typedef struct Menu {
    Overlay overlay;
    char *title;
    size_t n;
    MenuItem *item; /* texts owned */
    LineEdit filter;
    size_t *shown, shown_count; /* items that match, in order */
    size_t at, top;
    int rows;
    void (*picked)(void *owner, size_t item, Ui *ui);
    void *owner;
} Menu;

enum { MENU_PICK = PANE_COMMANDS, MENU_LEAVE };
static const KeyRow menu_keys[] = {{MENU_PICK, "pick", "Enter", "choose", "take this one", 0},
                                   {MENU_LEAVE, "leave", "Esc", "leave", "take none", 0},
                                   {0}};

static void menu_filter(Menu *m)
{
    m->shown_count = 0;
    const char *want = line_text(&m->filter);
    for (size_t i = 0; i < m->n; i++)
        if (fuzzy_score(want, m->item[i].label) >= 0)
            m->shown[m->shown_count++] = i;
    if (m->at >= m->shown_count)
        m->at = m->shown_count ? m->shown_count - 1 : 0;
}

static void menu_layout(Overlay *o, const Ui *ui, int rows, int cols)
{
    (void)ui;
    (void)cols;
    Menu *m = (Menu *)o;
    m->rows = (int)m->n < rows - 8 ? (int)m->n : rows - 8;
    m->rows = m->rows < 3 ? 3 : m->rows;
    size_t shown = (size_t)m->rows;
    if (m->at < m->top)
        m->top = m->at;
    if (m->at >= m->top + shown)
        m->top = m->at - shown + 1;
}

static void menu_draw(const Overlay *o, const Canvas *screen, const Ui *ui)
{
    (void)ui;
    const Menu *m = (const Menu *)o;
    int label = 12, note = 0;
    for (size_t i = 0; i < m->n; i++) {
        int w = (int)utf8_width(m->item[i].label, strlen(m->item[i].label));
        label = w > label ? w : label;
        w = m->item[i].note ? (int)utf8_width(m->item[i].note, strlen(m->item[i].note)) : 0;
        note = w > note ? w : note;
    }
    label = label > 40 ? 40 : label;
    int cols = label + (note ? note + 3 : 0) + 6;
    Canvas in = overlay_box(screen, m->rows + 4, cols < 40 ? 40 : cols, m->title, NULL);
    int x = canvas_put(&in, 0, 1, style_on(STYLE_ACCENT, STYLE_POPUP), "/");
    line_draw(&m->filter, &in, 0, x + 2, in.cols - x - 3, STYLE_INPUT, SIZE_MAX);
    for (int r = 0; r < m->rows && m->top + (size_t)r < m->shown_count; r++) {
        size_t i = m->top + (size_t)r;
        const MenuItem *item = &m->item[m->shown[i]];
        Style ground = i == m->at ? STYLE_POPUP_CURSOR : STYLE_POPUP;
        canvas_fill_part(&in, r + 2, 0, 1, in.cols, ground);
        canvas_field(&in, r + 2, 1, label, ALIGN_LEFT,
                     i == m->at ? ground : style_on(item->style, ground), item->label);
        if (item->note)
            canvas_field(&in, r + 2, label + 3, in.cols - label - 4, ALIGN_LEFT,
                         i == m->at ? ground : style_on(STYLE_POPUP_DIM, ground), item->note);
        canvas_zone(&in, r + 2, 0, 1, in.cols, ZONE_ROWS, (int64_t)i);
    }
    if (!m->shown_count)
        canvas_put(&in, 2, 1, STYLE_POPUP_DIM, "nothing matches");
}

static void menu_pick(Menu *m, Ui *ui)
{
    if (!m->shown_count)
        return;
    size_t item = m->shown[m->at];
    void (*picked)(void *, size_t, Ui *) = m->picked;
    void *owner = m->owner;
    overlay_close(ui, m);
    picked(owner, item, ui);
}

static void menu_move(Menu *m, int by)
{
    if (m->shown_count)
        m->at =
            by > 0 ? (m->at + 1) % m->shown_count : (m->at + m->shown_count - 1) % m->shown_count;
}

static void menu_key(Overlay *o, Key key, Ui *ui)
{
    Menu *m = (Menu *)o;
    bool changed;
    if (key == NKEY_UP || key == (KEY_CTRL | 'p') || key == (NKEY_TAB | KEY_SHIFT))
        menu_move(m, -1);
    else if (key == NKEY_DOWN || key == (KEY_CTRL | 'n') || key == NKEY_TAB)
        menu_move(m, 1);
    else if (key == NKEY_ENTER)
        menu_pick(m, ui);
    else if (key == NKEY_ESC || key == (KEY_CTRL | 'c'))
        overlay_close(ui, m);
    else if (line_key(&m->filter, key, &changed) && changed)
        menu_filter(m);
}

static void menu_mouse(Overlay *o, const Mouse *mouse, Ui *ui)
{
    Menu *m = (Menu *)o;
    if (mouse->kind >= MOUSE_WHEEL_UP) {
        menu_move(m, mouse->kind == MOUSE_WHEEL_UP ? -1 : 1);
    } else if (mouse->id == ZONE_ROWS && (size_t)mouse->index < m->shown_count) {
        m->at = (size_t)mouse->index;
        menu_pick(m, ui);
    }
}

static void menu_destroy(Overlay *o)
{
    Menu *m = (Menu *)o;
    for (size_t i = 0; i < m->n; i++) {
        mem_free((char *)m->item[i].label);
        mem_free((char *)m->item[i].note);
    }
    mem_free(m->item);
    mem_free(m->shown);
    mem_free(m->title);
    line_release(&m->filter);
}

static const OverlayKind menu_kind = {.text = true,
                                      .name = "menu",
                                      .size = sizeof(Menu),
                                      .layout = menu_layout,
                                      .draw = menu_draw,
                                      .on_key = menu_key,
                                      .on_mouse = menu_mouse,
                                      .destroy = menu_destroy,
                                      .keys = menu_keys};

void ui_menu(Ui *ui, const char *title, const MenuItem *items, size_t n, size_t at,
             void (*picked)(void *owner, size_t item, Ui *ui), void *owner)
{
    Menu *m = overlay_open(ui, &menu_kind);
    m->title = text_copy(title);
    m->n = n;
    m->item = mem_alloc((n + 1) * sizeof *m->item);
    m->shown = mem_alloc((n + 1) * sizeof *m->shown);
    for (size_t i = 0; i < n; i++)
        m->item[i] =
            (MenuItem){text_copy(items[i].label), text_copy(items[i].note), items[i].style};
    m->at = at;
    m->picked = picked;
    m->owner = owner;
    menu_filter(m);
}

/* ---- viewer ---------------------------------------------------------------------------------------------------------- */

typedef struct ViewerBox {
    Overlay overlay;
    char *title;
    Viewer viewer;
    bool searching;
    LineEdit search;
} ViewerBox;

enum { VIEWER_CLOSE = PANE_COMMANDS, VIEWER_SEARCH, VIEWER_COPY };
const KeyRow viewer_keys[] = {
    {VIEWER_CLOSE, "close", "Esc q Enter", "close", "back to the pane", 0},
    {UI_DOWN, "down", "j Down", "scroll", "one line down", 0},
    {VIEWER_SEARCH, "search", "/", "search", "find text", 0},
    {UI_NEXT, "next-match", "n", NULL, "to the next match", 0},
    {UI_PREVIOUS, "previous-match", "N", NULL, "to the match before", 0},
    {VIEWER_COPY, "copy", "y", "copy all", "copy the text", 0},
    {0}};

static void viewer_size(const ViewerBox *d, int rows, int cols, int *h, int *w)
{
    int longest = (int)utf8_width(d->title, strlen(d->title)) + 8;
    for (size_t i = 0; i < d->viewer.line.count && i < 5000; i++) {
        const char *s = d->viewer.text + d->viewer.line.at[i];
        int n = (int)utf8_width(s, strcspn(s, "\n"));
        longest = n > longest ? n : longest;
    }
    *w = longest + 4 < cols - 4 ? longest + 4 : cols - 4;
    *h = (int)d->viewer.line.count + 2 < rows - 2 ? (int)d->viewer.line.count + 2 : rows - 2;
    if (*h < 5)
        *h = 5;
}

static void viewer_box_layout(Overlay *o, const Ui *ui, int rows, int cols)
{
    (void)ui;
    ViewerBox *d = (ViewerBox *)o;
    int h, w;
    viewer_size(d, rows, cols, &h, &w);
    viewer_layout(&d->viewer, h - 2, w - 4);
}

static void viewer_box_draw(const Overlay *o, const Canvas *screen, const Ui *ui)
{
    (void)ui;
    const ViewerBox *d = (const ViewerBox *)o;
    int h, w;
    char note[40] = "";
    viewer_size(d, screen->rows, screen->cols, &h, &w);
    if (d->viewer.line.count > (size_t)(h - 2))
        snprintf(note, sizeof note, "%zu/%zu", d->viewer.top + (size_t)(h - 2),
                 d->viewer.line.count);
    Canvas in = overlay_box(screen, h, w, d->title, note);
    Canvas text = canvas_part(&in, 0, 1, in.rows, in.cols - 2);
    viewer_draw(&d->viewer, &text);
    if (d->searching) {
        canvas_fill_part(&in, in.rows - 1, 0, 1, in.cols, STYLE_INPUT);
        canvas_put(&in, in.rows - 1, 1, STYLE_INPUT, "/");
        line_draw(&d->search, &in, in.rows - 1, 2, in.cols - 3, STYLE_INPUT, SIZE_MAX);
    }
}

static void viewer_search_key(ViewerBox *d, Key key)
{
    if (line_key(&d->search, key, NULL)) {
        snprintf(d->viewer.find, sizeof d->viewer.find, "%s", line_text(&d->search));
        if (*d->viewer.find)
            viewer_find(&d->viewer, d->viewer.find, 0);
    } else if (key == NKEY_ENTER || key == NKEY_ESC) {
        d->searching = false;
        if (key == NKEY_ESC)
            d->viewer.find[0] = 0;
    }
}

static void viewer_box_key(Overlay *o, Key key, Ui *ui)
{
    ViewerBox *d = (ViewerBox *)o;
    if (d->searching) {
        viewer_search_key(d, key);
        return;
    }
    const KeyRow *row = key_find(viewer_keys, key, 1, false);
    row = row ? row : key_find(frame_commands, key, 1, false);
    if (!row && key == ' ')
        viewer_command(&d->viewer, UI_PAGE_DOWN);
    if (!row)
        return;
    switch (row->command) {
    case VIEWER_CLOSE:
    case UI_CANCEL:
        overlay_close(ui, d);
        break;
    case UI_MARK:
        viewer_command(&d->viewer, UI_PAGE_DOWN);
        break;
    case VIEWER_SEARCH:
        d->searching = true;
        line_set(&d->search, "");
        break;
    case UI_NEXT:
    case UI_PREVIOUS:
        if (*d->viewer.find)
            viewer_find(&d->viewer, d->viewer.find, row->command == UI_NEXT ? 1 : -1);
        break;
    case VIEWER_COPY:
        ui_copy(ui, d->viewer.text);
        break;
    default:
        viewer_command(&d->viewer, row->command);
    }
}

static void viewer_box_mouse(Overlay *o, const Mouse *m, Ui *ui)
{
    (void)ui;
    ViewerBox *d = (ViewerBox *)o;
    for (int i = 0; i < 3 && m->kind >= MOUSE_WHEEL_UP; i++)
        viewer_command(&d->viewer, m->kind == MOUSE_WHEEL_UP ? UI_UP : UI_DOWN);
}

static void viewer_box_destroy(Overlay *o)
{
    ViewerBox *d = (ViewerBox *)o;
    mem_free(d->title);
    viewer_release(&d->viewer);
    line_release(&d->search);
}

static const OverlayKind viewer_kind = {.name = "viewer",
                                        .size = sizeof(ViewerBox),
                                        .layout = viewer_box_layout,
                                        .draw = viewer_box_draw,
                                        .on_key = viewer_box_key,
                                        .on_mouse = viewer_box_mouse,
                                        .destroy = viewer_box_destroy,
                                        .keys = viewer_keys};

void viewer_open(Ui *ui, const char *title, const char *text)
{
    ViewerBox *d = overlay_open(ui, &viewer_kind);
    d->title = text_copy(title);
    viewer_set(&d->viewer, text);
}

void messages_open(Ui *ui)
{
    Text all = {0};
    for (size_t i = ui->messages.count; i-- > 0;) {
        Text when = {0};
        time_format(ui->messages.at[i].time, &when);
        text_printf(&all, "%.8s  %s\n", text_str(&when) + (when.count > 11 ? 11 : 0),
                    ui->messages.at[i].text);
        text_release(&when);
    }
    viewer_open(ui, "Messages, newest first",
                all.count ? text_str(&all) : "Nothing has been said yet.");
    text_release(&all);
}
