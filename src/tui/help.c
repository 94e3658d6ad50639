/* help.c -- `?`: what every key does here, from the key tables; typing searches. */
#include "tui_int.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

typedef struct HelpLine {
    const char *heading; /* or a row; */
    const KeyRow *row;
    const char *text;    /* of the row's help, what stands in this line: its beginning, or what is left */
    size_t bytes;
} HelpLine;

typedef struct Help {
    Overlay overlay;
    LineEdit filter;
    VEC(HelpLine) line;
    size_t top;
    int rows, keys, room; /* columns of the keys, of the help */
    bool names;           /* of the commands: where there is room */
    const Pane *pane;
} Help;

#define HELP_COLS 116 /* at most */

enum { HELP_CLOSE = PANE_COMMANDS, HELP_SCROLL, HELP_FILTER };
static const KeyRow help_keys[] = {
    {HELP_CLOSE, "close", "Esc", "close", "back to the pane", 0},
    {HELP_SCROLL, "scroll", "Down", "scroll", "one line down", 0},
    {HELP_FILTER, "filter", "a-z", "type to search", "only what matches", 0},
    {0}};

static bool row_matches(const KeyRow *row, const char *want)
{
    return !*want || strcasestr(row->help, want) || strcasestr(row->name, want) ||
           !strcmp(row->keys, want);
}

/* Bytes of `text` that fit, up to a blank if there is one. */
static size_t line_of(const char *text, int room)
{
    size_t all = strlen(text), n = utf8_fit(text, all, (size_t)room), blank = n;
    while (n < all && blank > 0 && text[blank] != ' ')
        blank--;
    return n < all && blank ? blank : n;
}

/* Its help in as many lines as it takes. */
static void add_row(Help *h, const KeyRow *row)
{
    const char *text = row->help;
    do {
        size_t n = line_of(text, h->room);
        vec_add(&h->line, (HelpLine){.row = text == row->help ? row : NULL, .text = text, .bytes = n});
        text += n + strspn(text + n, " ");
    } while (*text);
}

static void add_rows(Help *h, const char *heading, const KeyRow *rows, unsigned mode, bool of_mode)
{
    bool said = false;
    for (const KeyRow *r = rows; r && r->command; r++) {
        bool here = !r->modes || (r->modes & mode);
        if (here != of_mode || !*r->keys || !row_matches(r, line_text(&h->filter)))
            continue;
        if (!said)
            vec_add(&h->line, (HelpLine){.heading = heading});
        said = true;
        add_row(h, r);
    }
}

static int widest_keys(const KeyRow *rows, int widest)
{
    for (const KeyRow *r = rows; r && r->command; r++) {
        int w = (int)utf8_width(r->keys, strlen(r->keys));
        widest = w > widest ? w : widest;
    }
    return widest;
}

static void measure(Help *h, const Ui *ui, int cols)
{
    int inside = (cols - 4 < HELP_COLS ? cols - 4 : HELP_COLS) - 2;
    h->keys = widest_keys(ui->keymap.frame, widest_keys(ui_keys(ui), 4));
    h->keys = h->keys > 18 ? 18 : h->keys;
    h->names = inside >= 84;
    h->room = inside - h->keys - 5 - (h->names ? 20 : 0);
}

static void collect(Help *h, const Ui *ui)
{
    const Pane *p = ui_pane(ui);
    unsigned mode = pane_mode(p, ui->state[ui->at]);
    h->line.count = 0;
    add_rows(h, p->title, ui_keys(ui), mode, true);
    add_rows(h, "Everywhere", ui->keymap.frame, ~0u, true); /* what can be pressed now comes first */
    add_rows(h, "Elsewhere in this pane", ui_keys(ui), mode, false);
}

static size_t most_top(const Help *h)
{
    size_t rows = h->rows > 0 ? (size_t)h->rows : 1;
    return h->line.count > rows ? h->line.count - rows : 0;
}

static void help_layout(Overlay *o, const Ui *ui, int rows, int cols)
{
    Help *h = (Help *)o;
    measure(h, ui, cols);
    collect(h, ui);
    h->rows = rows - 2 - 4;
    if (h->top > most_top(h))
        h->top = most_top(h);
}

static void help_draw(const Overlay *o, const Canvas *screen, const Ui *ui)
{
    const Help *h = (const Help *)o;
    char note[40];
    snprintf(note, sizeof note, "%zu lines", h->line.count);
    Canvas in = overlay_box(screen, screen->rows - 2, HELP_COLS, "Keys", note);
    int x = canvas_put(&in, 0, 1, style_on(STYLE_ACCENT, STYLE_POPUP), "/") + 2;
    line_draw(&h->filter, &in, 0, x, in.cols - x - 1, STYLE_INPUT, SIZE_MAX);
    for (int y = 0; y < in.rows - 2 && h->top + (size_t)y < h->line.count; y++) {
        const HelpLine *line = &h->line.at[h->top + (size_t)y];
        if (line->heading) {
            int w = canvas_put(&in, y + 2, 1, style_on(STYLE_TITLE, STYLE_POPUP), line->heading);
            canvas_hline(&in, y + 2, w + 2, in.cols - w - 3, style_on(STYLE_GRID, STYLE_POPUP));
            continue;
        }
        canvas_put_n(&in, y + 2, h->keys + 4, STYLE_POPUP, line->text, line->bytes);
        if (!line->row)
            continue;
        canvas_field(&in, y + 2, 2, h->keys, ALIGN_LEFT, style_on(STYLE_HINT_KEY, STYLE_POPUP), line->row->keys);
        if (h->names)
            canvas_field(&in, y + 2, in.cols - 20, 19, ALIGN_LEFT, STYLE_POPUP_DIM, line->row->name);
    }
    if (!h->line.count)
        canvas_printf(&in, 2, 2, STYLE_POPUP_DIM, "nothing matches in %s", ui_pane(ui)->title);
}

static void help_key(Overlay *o, Key key, Ui *ui)
{
    Help *h = (Help *)o;
    size_t page = h->rows > 1 ? (size_t)h->rows - 1 : 1;
    bool changed = false;
    switch (key) {
    case NKEY_UP:
        h->top -= h->top > 0;
        break;
    case NKEY_DOWN:
        h->top++;
        break;
    case NKEY_PGUP:
        h->top = h->top > page ? h->top - page : 0;
        break;
    case NKEY_PGDN:
        h->top += page;
        break;
    case NKEY_ESC:
    case NKEY_ENTER:
    case KEY_CTRL | 'c':
        overlay_close(ui, h);
        break;
    case '?':
        overlay_close(ui, h);
        break;
    default:
        if (key == 'q' && !*line_text(&h->filter))
            overlay_close(ui, h);
        else if (line_key(&h->filter, key, &changed) && changed)
            h->top = 0;
    }
}

static void help_mouse(Overlay *o, const Mouse *m, Ui *ui)
{
    if (m->kind >= MOUSE_WHEEL_UP)
        for (int i = 0; i < 3; i++)
            help_key(o, m->kind == MOUSE_WHEEL_UP ? NKEY_UP : NKEY_DOWN, ui);
}

static void help_destroy(Overlay *o)
{
    Help *h = (Help *)o;
    line_release(&h->filter);
    vec_release(&h->line);
}

static const OverlayKind help_kind = {.text = true,
                                      .name = "help",
                                      .size = sizeof(Help),
                                      .layout = help_layout,
                                      .draw = help_draw,
                                      .on_key = help_key,
                                      .on_mouse = help_mouse,
                                      .destroy = help_destroy,
                                      .keys = help_keys};

void help_open(Ui *ui)
{
    overlay_open(ui, &help_kind);
}
