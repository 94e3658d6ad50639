/* menu.c -- one of a list, filtered by typing. */
#include "tui_int.h"

#include <string.h>

enum { ZONE_ROWS = 1 };

typedef struct Menu {
    Overlay overlay;
    char *title;
    size_t n;
    MenuItem *item; /* texts owned */
    LineEdit filter;
    size_t *shown, shown_count; /* items that match, the best first */
    size_t at, top;
    int rows;
    void (*picked)(void *owner, size_t item, Ui *ui);
    void *owner;
} Menu;

enum { MENU_PICK = PANE_COMMANDS, MENU_LEAVE };
static const KeyRow menu_keys[] = {{MENU_PICK, "pick", "Enter", "choose", "take this one", 0},
                                   {MENU_LEAVE, "leave", "Esc", "leave", "take none", 0},
                                   {0}};

/* What was typed chooses, and puts what fits it best on top: there Enter takes it. */
static void menu_filter(Menu *m)
{
    const char *want = line_text(&m->filter);
    int *score = mem_alloc((m->n + 1) * sizeof *score);
    m->shown_count = 0;
    for (size_t i = 0; i < m->n; i++) {
        int fits = *want ? fuzzy_score(want, m->item[i].label) : 0;
        size_t k = m->shown_count;
        if (fits < 0)
            continue;
        for (; k > 0 && score[k - 1] < fits; k--) {
            score[k] = score[k - 1];
            m->shown[k] = m->shown[k - 1];
        }
        score[k] = fits;
        m->shown[k] = i;
        m->shown_count++;
    }
    mem_free(score);
    if (*want || m->at >= m->shown_count)
        m->at = 0;
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
