/* data_draw.c -- the frame around a view of the Data pane: its title, the line about the column in focus, the
 * line that is typed, and the welcome of an empty workspace. */
#include "data_int.h"

#include <stdio.h>
#include <string.h>

/* 5,000,000: which row it is must be said to the last digit. */
void data_add_grouped(uint64_t n, Text *t)
{
    char digits[24];
    int k = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    for (int i = 0; i < k; i++) {
        if (i && (k - i) % 3 == 0)
            text_putc(t, ',');
        text_putc(t, digits[i]);
    }
}

static void draw_welcome(const Canvas *c, const Ui *ui)
{
    static const char *const lines[][2] = {
        {"o", "open a CSV file or an http(s):// address"},
        {":", "commands, as in the shell: sample months"},
        {"^P", "find any command by a few of its letters"},
        {"?", "what every key does"},
    };
    int row = c->rows / 2 - 5, col = c->cols > 84 ? (c->cols - 76) / 2 : 3;
    row = row < 1 ? 1 : row;
    const char *title =
        ui_dataset_opening(ui) ? "Opening ..." : "There is no data in this workspace yet.";
    canvas_put(c, row, col, STYLE_TITLE, title);
    if (ui_dataset_opening(ui))
        return;
    for (size_t i = 0; i < 4; i++) {
        canvas_field(c, row + 2 + (int)i, col, 4, ALIGN_LEFT, STYLE_HINT_KEY, lines[i][0]);
        canvas_field(c, row + 2 + (int)i, col + 4, c->cols - col - 5, ALIGN_LEFT, STYLE_PLAIN,
                     lines[i][1]);
    }
    canvas_wrap(
        c, row + 7, col, c->cols - col - 3, STYLE_DIM,
        "What is read becomes a dataset: typed columns, named by its content, never changed.");
}

/* Rows under a view: a line about the column, the line that is typed. */
static int rows_below(const DataState *s)
{
    return 2 + (s->typing ? 1 : 0);
}

void data_layout(void *state, int rows, int cols, Ui *ui)
{
    DataState *s = state;
    ListContext l;
    TableSource list = data_list_source(ui, &l);
    int left = data_list_shown(s, ui, cols) ? data_list_width(cols) : 0;
    s->list.no_header = true;
    table_layout(&s->list, &list, rows - 2 - 8, left - 2);
    if (!s->data)
        return;
    data_view(s)->layout(s, rows - 2 - rows_below(s), cols - left - 2);
    if (data_view(s)->fit)
        data_view(s)->fit(s, ui);
}

static void draw_view(const DataState *s, const Canvas *c, bool active, const Ui *ui)
{
    Text title = {0}, note = {0};
    text_puts(&title, s->data->row.name);
    data_view(s)->title(s, c, &title, &note);
    Canvas in = canvas_box(c, active ? STYLE_BORDER_ACTIVE : STYLE_BORDER, text_str(&title),
                           text_str(&note));
    text_release(&title);
    text_release(&note);
    int below = rows_below(s);
    Canvas upper = canvas_part(&in, 0, 0, in.rows - below, in.cols);
    data_view(s)->draw(s, &upper, active, ui);
    canvas_hline(&in, in.rows - below, 0, in.cols, STYLE_BORDER);
    Canvas info = canvas_part(&in, in.rows - below + 1, 0, 1, in.cols);
    data_draw_info(s, &info);
    if (s->typing)
        data_draw_typing(s, &in, in.rows - 1);
}

void data_draw(const void *state, const Canvas *c, const Ui *ui)
{
    const DataState *s = state;
    int left = data_list_shown(s, ui, c->cols) ? data_list_width(c->cols) : 0;
    if (left) {
        Canvas list = canvas_part(c, 0, 0, c->rows, left);
        data_draw_list(s, &list, ui);
    }
    Canvas main = canvas_part(c, 0, left, c->rows, c->cols - left);
    if (s->data) {
        draw_view(s, &main, !s->in_list, ui);
        return;
    }
    Canvas in = canvas_box(&main, s->in_list ? STYLE_BORDER : STYLE_BORDER_ACTIVE, NULL, NULL);
    draw_welcome(&in, ui);
}
