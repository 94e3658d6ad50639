/* show.c -- text over the panes, to scroll, search and copy: results of commands, help. */
#include "tui_int.h"

#include <stdio.h>
#include <string.h>

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
    row = row ? row : key_find(ui->keymap.frame, key, 1, false);
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
