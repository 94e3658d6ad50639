/* table.c -- rows and columns seen through functions: nothing is read but what is on the screen. */
#include "widgets.h"

#include <stdio.h>
#include <string.h>

static int title_width(const TableColumn *c)
{
    int w = (int)utf8_width(c->title, strlen(c->title));
    return w + (c->glyph ? 2 : 0);
}

static int column_width(const TableColumn *c)
{
    return c->width > 0 ? c->width : title_width(c);
}

static int number_width(const Table *t, const TableSource *s)
{
    if (!t->row_numbers)
        return 0;
    int w = 2;
    for (uint64_t n = s->rows; n >= 10; n /= 10)
        w++;
    return w;
}

/* Columns of cells from `left` on that fit whole in `room`; at least one. */
static size_t columns_that_fit(const TableSource *s, size_t left, int room)
{
    size_t n = 0;
    for (size_t i = left; i < s->columns; i++, n++) {
        int w = column_width(&s->column[i]);
        if (n && w > room)
            break;
        room -= w + 2;
    }
    return n ? n : 1;
}

static int frozen_width(const Table *t, const TableSource *s)
{
    int w = number_width(t, s);
    for (size_t i = 0; i < t->frozen && i < s->columns; i++)
        w += column_width(&s->column[i]) + 2;
    return w;
}

void table_layout(Table *t, const TableSource *s, int rows, int cols)
{
    t->rows = rows - (t->no_header ? 0 : 1);
    if (t->rows < 1)
        t->rows = 1;
    uint64_t shown = (uint64_t)t->rows;
    if (t->at >= s->rows)
        t->at = s->rows ? s->rows - 1 : 0;
    if (t->at < t->top)
        t->top = t->at;
    if (t->at >= t->top + shown)
        t->top = t->at - shown + 1;
    if (t->top + shown > s->rows)
        t->top = s->rows > shown ? s->rows - shown : 0;
    if (t->col >= s->columns)
        t->col = s->columns ? s->columns - 1 : 0;
    if (t->left < t->frozen)
        t->left = t->frozen;
    if (t->left >= s->columns)
        t->left = s->columns ? s->columns - 1 : 0;
    if (t->cells && t->col >= t->frozen) {
        int room = cols - frozen_width(t, s);
        if (t->col < t->left)
            t->left = t->col;
        while (t->left < t->col && t->left + columns_that_fit(s, t->left, room) <= t->col)
            t->left++;
    }
}

static void draw_header(const Table *t, const TableSource *s, const Canvas *c, size_t i, int x,
                        int w, int gap)
{
    const TableColumn *column = &s->column[i];
    Style style = column->header ? column->header : STYLE_HEADER;
    bool here = t->cells && i == t->col;
    Canvas head = canvas_part(c, 0, x, 1, w + gap);
    int indent = 0;
    int need = title_width(column);
    if (column->align == ALIGN_RIGHT && need < w)
        indent = w - need;
    if (column->glyph) {
        indent += canvas_put(&head, 0, indent, style, glyph(c, (Glyph)(column->glyph - 1)));
        indent += canvas_put(&head, 0, indent, style, " ");
    }
    canvas_field(&head, 0, indent, w - indent, ALIGN_LEFT, style, column->title);
    if (here)
        canvas_restyle(&head, 0, 0, w, style_on(STYLE_STRONG, STYLE_CURSOR_IDLE));
}

static void draw_cell(const Table *t, const TableSource *s, const Canvas *c, uint64_t row, size_t i,
                      int y, int x, int w, bool active)
{
    bool under = row == t->at;
    Style ground = STYLE_PLAIN;
    if (under)
        ground = t->cells && i == t->col && active ? STYLE_CELL
                 : active                          ? STYLE_CURSOR
                                                   : STYLE_CURSOR_IDLE;
    Canvas cell = canvas_part(c, y, x, 1, w);
    if (s->paint && s->paint(s->context, row, i, &cell, ground))
        return;
    Text text = {0};
    Cell out = {&text, STYLE_PLAIN};
    s->cell(s->context, row, i, &out);
    Style style =
        under ? (ground == STYLE_CELL ? STYLE_CELL : style_on(out.style, ground)) : out.style;
    canvas_field_n(&cell, 0, 0, w, s->column[i].align, style, text_str(&text), text.count);
    text_release(&text);
}

/* The columns on the screen, with their places. */
typedef struct Placed {
    size_t column;
    int x, width;
} Placed;

static size_t place(const Table *t, const TableSource *s, int cols, Placed *out, size_t most)
{
    int x = number_width(t, s);
    size_t n = 0;
    for (size_t i = 0; i < s->columns && n < most; i++) {
        if (i >= t->frozen && i < t->left)
            continue;
        if (x >= cols)
            break;
        int w = column_width(&s->column[i]);
        if (w > cols - x) { /* a piece of a column is worth its room from five letters on */
            if (n && cols - x < 5)
                break;
            w = cols - x;
        }
        out[n++] = (Placed){i, x, w};
        x += w + 2;
    }
    int spare = cols - (n ? out[n - 1].x + out[n - 1].width : 0);
    for (size_t k = 0; k < n && spare > 0; k++)
        if (s->column[out[k].column].stretch) {
            out[k].width += spare;
            for (size_t m = k + 1; m < n; m++)
                out[m].x += spare;
            break;
        }
    return n;
}

static void draw_scrollbar(const Table *t, const TableSource *s, const Canvas *c, int from)
{
    int rows = c->rows - from;
    if (s->rows <= (uint64_t)rows || rows < 3)
        return;
    double span = (double)s->rows;
    int size = (int)((double)rows * (double)rows / span);
    size = size < 1 ? 1 : size;
    int at = (int)((double)t->top / (span - (double)rows) * (double)(rows - size) + 0.5);
    for (int i = 0; i < rows; i++)
        canvas_char(c, from + i, c->cols - 1, i >= at && i < at + size ? STYLE_DIM : STYLE_GRID,
                    i >= at && i < at + size ? 0x2590 : 0x2595);
}

void table_draw(const Table *t, const TableSource *s, const Canvas *c, bool active, int zone)
{
    int from = t->no_header ? 0 : 1;
    if (!s->rows && s->empty) {
        canvas_wrap(c, c->rows > 6 ? 2 : 0, 2, c->cols - 4, STYLE_DIM, s->empty);
        return;
    }
    bool bar = s->rows > (uint64_t)(c->rows - from);
    int cols = c->cols - (bar ? 1 : 0);
    Placed placed[128];
    size_t n = place(t, s, cols, placed, 128);
    int numbers = number_width(t, s);
    for (size_t k = 0; k < n && !t->no_header; k++) {
        bool last = placed[k].x + placed[k].width >= cols;
        draw_header(t, s, c, placed[k].column, placed[k].x, placed[k].width, last ? 0 : 2);
    }
    for (int y = from; y < c->rows; y++) {
        uint64_t row = t->top + (uint64_t)(y - from);
        if (row >= s->rows)
            break;
        bool under = row == t->at;
        if (under)
            canvas_fill_part(c, y, 0, 1, cols, active ? STYLE_CURSOR : STYLE_CURSOR_IDLE);
        if (numbers) {
            char text[24];
            snprintf(text, sizeof text, "%llu", (unsigned long long)row + 1);
            canvas_field(c, y, 0, numbers - 1, ALIGN_RIGHT,
                         under ? style_on(STYLE_STRONG, active ? STYLE_CURSOR : STYLE_CURSOR_IDLE)
                               : STYLE_DIM,
                         text);
        }
        for (size_t k = 0; k < n; k++)
            draw_cell(t, s, c, row, placed[k].column, y, placed[k].x, placed[k].width, active);
        if (s->marked && s->marked(s->context, row))
            canvas_put(c, y, 0, under ? style_on(STYLE_MARK, STYLE_CURSOR) : STYLE_MARK,
                       glyph(c, GLYPH_MARK));
    }
    if (bar)
        draw_scrollbar(t, s, c, from);
    canvas_zone(c, from, 0, c->rows - from, c->cols, zone, 0);
    if (!t->no_header)
        for (size_t k = 0; k < n; k++)
            canvas_zone(c, 0, placed[k].x, 1, placed[k].width, zone, 1 + (int64_t)placed[k].column);
    if (t->cells)
        for (size_t k = 0; k < n; k++)
            canvas_zone(c, from, placed[k].x, c->rows - from, placed[k].width + 1, zone,
                        1000000 + (int64_t)placed[k].column);
}

void table_go(Table *t, const TableSource *s, uint64_t row)
{
    if (row >= s->rows)
        row = s->rows ? s->rows - 1 : 0;
    uint64_t rows = t->rows > 0 ? (uint64_t)t->rows : 1;
    t->at = row;
    if (row < t->top || row >= t->top + rows)
        t->top = row > rows / 2 ? row - rows / 2 : 0;
}

Reply table_command(Table *t, const TableSource *s, int command)
{
    uint64_t page = t->rows > 1 ? (uint64_t)t->rows - 1 : 1, last = s->rows ? s->rows - 1 : 0;
    switch (command) {
    case UI_UP:
        t->at -= t->at > 0;
        return REPLY_DRAW;
    case UI_DOWN:
        t->at += t->at < last;
        return REPLY_DRAW;
    case UI_TOP:
        t->at = 0;
        return REPLY_DRAW;
    case UI_BOTTOM:
        t->at = last;
        return REPLY_DRAW;
    case UI_PAGE_UP:
        t->at = t->at > page ? t->at - page : 0;
        t->top = t->top > page ? t->top - page : 0;
        return REPLY_DRAW;
    case UI_PAGE_DOWN:
        t->at = t->at + page < last ? t->at + page : last;
        t->top += page;
        return REPLY_DRAW;
    }
    if (!t->cells)
        return REPLY_IGNORED;
    switch (command) {
    case UI_LEFT:
        t->col -= t->col > 0;
        return REPLY_DRAW;
    case UI_RIGHT:
        t->col += t->col + 1 < s->columns;
        return REPLY_DRAW;
    case UI_FIRST:
        t->col = 0;
        return REPLY_DRAW;
    case UI_LAST:
        t->col = s->columns ? s->columns - 1 : 0;
        return REPLY_DRAW;
    }
    return REPLY_IGNORED;
}

Reply table_mouse(Table *t, const TableSource *s, const Mouse *m)
{
    if (m->kind >= MOUSE_WHEEL_UP) {
        for (int i = 0; i < 3; i++)
            table_command(t, s, m->kind == MOUSE_WHEEL_UP ? UI_UP : UI_DOWN);
        return REPLY_DRAW;
    }
    if (m->index >= 1 && m->index < 1000000) { /* a header */
        t->col = (size_t)m->index - 1;
        return REPLY_DRAW;
    }
    if (m->index >= 1000000)
        t->col = (size_t)(m->index - 1000000);
    uint64_t row = t->top + (uint64_t)m->row;
    if (row < s->rows)
        t->at = row;
    return REPLY_DRAW;
}
