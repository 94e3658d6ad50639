/* data_scatter_draw.c -- a grid of counts as colours, two cells of it in one of the screen; axes, scale, crosshair. */
#include "data_scatter_int.h"

#include <stdio.h>

#define HEATS 5

/* 1 .. HEATS, each for four times as many rows as the one before, the last up to the most there are. */
static int heat(const Scatter *p, uint64_t n)
{
    if (!n)
        return 0;
    int level = HEATS;
    for (uint64_t limit = p->most / 4; level > 1 && n <= limit; limit /= 4)
        level--;
    return level;
}

static Style heat_style(int level)
{
    return (Style)(STYLE_HEAT_1 + level - 1);
}

static void draw_pair(const Canvas *c, int row, int col, int upper, int lower)
{
    static const char ascii[] = " .:+*#";
    int both = upper > lower ? upper : lower;
    if (!both)
        return;
    if (!canvas_unicode(c)) {
        canvas_char(c, row, col, STYLE_PLAIN, (uint32_t)ascii[both]);
        return;
    }
    if (!lower)
        canvas_char(c, row, col, style_on(heat_style(upper), STYLE_PLAIN), 0x2580);
    else if (!upper)
        canvas_char(c, row, col, style_on(heat_style(lower), STYLE_PLAIN), 0x2584);
    else
        canvas_char(c, row, col, style_on(heat_style(upper), heat_style(lower)), 0x2580);
}

static void draw_cells(const Scatter *p, const Canvas *c)
{
    const Density *d = &p->shown;
    for (int row = 0; row < c->rows && row * 2 < d->height; row++)
        for (int col = 0; col < c->cols && col < d->width; col++) {
            int y = d->height - 1 - row * 2;
            int upper = heat(p, d->cell[y * d->width + col]);
            int lower = y > 0 ? heat(p, d->cell[(y - 1) * d->width + col]) : 0;
            draw_pair(c, row, col, upper, lower);
        }
}

/* Marks on both axes, and the cell itself: the rows around it stay seen. */
static void draw_cross(const Scatter *p, const Canvas *in)
{
    if (!scatter_has_cross(p))
        return;
    int row = (p->shown.height - 1 - p->at_y) / 2, col = SCATTER_LEFT + p->at_x;
    bool unicode = canvas_unicode(in);
    canvas_char(in, row, SCATTER_LEFT - 1, STYLE_CROSS, unicode ? 0x25b6 : '>');
    canvas_char(in, p->rows, col, STYLE_CROSS, unicode ? 0x25b2 : '^');
    canvas_char(in, row, col, STYLE_CELL, unicode ? 0x253c : '+');
}

static void add_axis_value(const DataState *s, size_t column, double v, Text *into)
{
    const ColumnProfile *p = data_profile_of(s, column);
    if (p)
        data_add_value(p, v, into);
    else
        chart_number(v, into);
}

static void draw_axes(const DataState *s, const Canvas *c)
{
    const Scatter *p = s->scatter;
    const Density *d = &p->shown;
    int rows = p->rows;
    Text t = {0};
    canvas_vline(c, 0, SCATTER_LEFT - 1, rows, STYLE_AXIS);
    canvas_hline(c, rows, SCATTER_LEFT - 1, p->cols + 1, STYLE_AXIS);
    for (int i = 0; i <= 2; i++) {
        text_reset(&t);
        add_axis_value(s, p->y, scatter_edge(d->y_least, d->y_most, 2 - i, 2), &t);
        canvas_field(c, i * (rows - 1) / 2, 0, SCATTER_LEFT - 1, ALIGN_RIGHT, STYLE_AXIS,
                     text_str(&t));
        text_reset(&t);
        add_axis_value(s, p->x, scatter_edge(d->x_least, d->x_most, i, 2), &t);
        int w = (int)utf8_width(text_str(&t), t.count);
        canvas_put(c, rows + 1, SCATTER_LEFT + i * p->cols / 2 - i * w / 2, STYLE_AXIS,
                   text_str(&t));
    }
    text_release(&t);
}

static void draw_scale(const Scatter *p, const Canvas *c, int row)
{
    int col = 1;
    Text t = {0};
    text_add_count(&t, (double)p->most);
    col += canvas_put(c, row, col, STYLE_DIM, "1 ");
    for (int i = 1; i <= HEATS; i++, col += 2) {
        draw_pair(c, row, col, i, i);
        draw_pair(c, row, col + 1, i, i);
    }
    col += canvas_printf(c, row, col, STYLE_DIM, " %s rows a cell", text_str(&t));
    text_reset(&t);
    if (p->shown.outside) {
        data_add_grouped(p->shown.outside, &t);
        canvas_printf(c, row, col + 3, STYLE_DIM, "%s rows beyond (- goes farther)", text_str(&t));
    }
    text_release(&t);
}

static void draw_place(const DataState *s, const Canvas *c, int row)
{
    const Scatter *p = s->scatter;
    const Density *d = &p->shown;
    if (!scatter_has_cross(p)) {
        draw_scale(p, c, row);
        return;
    }
    Text t = {0};
    add_axis_value(s, p->x, scatter_edge(d->x_least, d->x_most, p->at_x, d->width), &t);
    text_puts(&t, " .. ");
    add_axis_value(s, p->x, scatter_edge(d->x_least, d->x_most, p->at_x + 1, d->width), &t);
    text_printf(&t, "  %s  ", glyph(c, GLYPH_TIMES));
    add_axis_value(s, p->y, scatter_edge(d->y_least, d->y_most, p->at_y, d->height), &t);
    text_puts(&t, " .. ");
    add_axis_value(s, p->y, scatter_edge(d->y_least, d->y_most, p->at_y + 1, d->height), &t);
    int col = 1 + canvas_put(c, row, 1, STYLE_PLAIN, text_str(&t));
    text_reset(&t);
    if (p->sampled)
        text_putc(&t, '~');
    data_add_grouped(d->cell[p->at_y * d->width + p->at_x], &t);
    text_puts(&t, " rows");
    canvas_put(c, row, col + 3, STYLE_STRONG, text_str(&t));
    text_release(&t);
}

/* ---- the view ------------------------------------------------------------------------------------------------------- */

void scatter_title(const DataState *s, const Canvas *c, Text *title_text, Text *note)
{
    const Scatter *p = s->scatter;
    const Field *f = s->data->schema.field;
    text_printf(title_text, " %s %s by %s", glyph(c, GLYPH_DOT), f[p->y].name, f[p->x].name);
    data_add_filter(s, c, title_text);
    if (p->sampled)
        text_putc(note, '~');
    data_add_grouped(p->shown.inside, note);
    text_puts(note, " rows");
    if (p->shown.missing) {
        text_puts(note, ", ");
        text_add_count(note, (double)p->shown.missing);
        text_puts(note, " missing");
    }
}

void scatter_draw(const DataState *s, const Canvas *in, bool active, const Ui *ui)
{
    (void)active;
    (void)ui;
    const Scatter *p = s->scatter;
    if (!p->shown.width) {
        canvas_put(in, 1, 2, STYLE_DIM, "Counting ...");
        return;
    }
    draw_axes(s, in);
    Canvas plot = canvas_part(in, 0, SCATTER_LEFT, p->rows, p->cols);
    draw_cells(p, &plot);
    draw_cross(p, in);
    draw_place(s, in, p->rows + 2);
    canvas_zone(&plot, 0, 0, plot.rows, plot.cols, DATA_ZONE_MAIN, 0);
}
