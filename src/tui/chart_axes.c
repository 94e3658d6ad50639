/* chart_axes.c -- what is round the curves: axes with numbers people read, ticks, crosshair, legend. */
#include "chart_int.h"

#include <math.h>
#include <string.h>

/* 1, 2, 5 and their tens */
static double nice_step(double span, int most)
{
    double raw = span / (most > 1 ? most : 1), power = pow(10, floor(log10(raw))), m = raw / power;
    return (m <= 1 ? 1 : m <= 2 ? 2 : m <= 5 ? 5 : 10) * power;
}

/* Seconds, minutes, hours that people count by. */
static double clock_step(double span, int most)
{
    static const double steps[] = {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400};
    size_t i = 0;
    while (i + 1 < sizeof steps / sizeof *steps && span / steps[i] > most)
        i++;
    return steps[i];
}

static void y_tick(const Plot *p, const Canvas *c, double value, double shown, int *last_row)
{
    int row = p->top + (int)lround((p->y1 - value) / (p->y1 - p->y0) * (p->rows - 1));
    if (row < p->top || row >= p->top + p->rows || row == *last_row)
        return;
    *last_row = row;
    Text label = {0};
    chart_number(shown, &label);
    canvas_field(c, row, 0, PLOT_LABELS, ALIGN_RIGHT, STYLE_AXIS, text_str(&label));
    text_release(&label);
    canvas_char(c, row, PLOT_LABELS, STYLE_AXIS, canvas_unicode(c) ? 0x2524 : '+');
    if (!p->chart->no_grid && canvas_unicode(c))
        for (int i = 0; i < p->cols; i++)
            canvas_char(c, row, p->left + i, STYLE_GRID, 0x2504);
}

static void draw_y_axis(const Plot *p, const Canvas *c)
{
    canvas_vline(c, p->top, PLOT_LABELS, p->rows, STYLE_AXIS);
    int last = -1;
    if (p->chart->y_log && p->y1 - p->y0 >= 1 && p->y1 - p->y0 < p->rows / 6.0) {
        static const double marks[] = {1, 2, 5}; /* room for more than the decades */
        for (double e = floor(p->y0); e <= p->y1; e++)
            for (int i = 0; i < 3; i++)
                if (e + log10(marks[i]) >= p->y0)
                    y_tick(p, c, e + log10(marks[i]), marks[i] * pow(10, e), &last);
        return;
    }
    if (p->chart->y_log && p->y1 - p->y0 >= 1) {
        double by = ceil((p->y1 - p->y0) / (p->rows / 2.0 > 1 ? p->rows / 2.0 : 1));
        for (double e = ceil(p->y0); e <= p->y1; e += by)
            y_tick(p, c, e, pow(10, e), &last);
        return;
    }
    if (p->chart->y_log) { /* less than a decade: even numbers at their logarithmic places */
        double low = pow(10, p->y0), high = pow(10, p->y1),
               step = nice_step(high - low, p->rows / 3 + 1);
        for (double v = ceil(low / step) * step; v <= high; v += step)
            y_tick(p, c, log10(v), v, &last);
        return;
    }
    double step = nice_step(p->y1 - p->y0, p->rows / 3 + 1);
    for (double v = ceil(p->y0 / step) * step; v <= p->y1 + step * 1e-9; v += step)
        y_tick(p, c, v, fabs(v) < step * 1e-9 ? 0 : v, &last);
}

/* A number, or the time of day. */
static void add_place(const Plot *p, double v, Text *into)
{
    if (!p->chart->x_clock) {
        chart_number(v, into);
        return;
    }
    Text when = {0};
    time_format((int64_t)llround(v) * 1000000, &when);
    text_puts(into, when.count >= 19 ? text_str(&when) + 11 : text_str(&when));
    text_release(&when);
}

/* The place under the crosshair, in a box below it. Its width, or 0 if it is not in sight. */
static int cross_label(const Plot *p, Text *label, int *from)
{
    double x = plot_x(p, p->chart->cross);
    if (!p->chart->has_cross || !isfinite(x) || x < 0 || x > p->cols * p->dx - 1)
        return 0;
    text_putc(label, ' ');
    add_place(p, p->chart->cross, label);
    text_putc(label, ' ');
    int w = (int)label->count, at = p->left + (int)(lround(x) / p->dx) - w / 2;
    *from = at < p->left ? p->left : at + w > p->left + p->cols ? p->left + p->cols - w : at;
    return w;
}

static void draw_x_axis(const Plot *p, const Canvas *c)
{
    int row = p->top + p->rows, last_end = p->left, cross = 0;
    Text under = {0};
    int cross_width = cross_label(p, &under, &cross); /* numbers that it would cut give way to it */
    text_release(&under);
    const char *name = p->chart->x_name ? p->chart->x_name : "";
    int name_width = (int)utf8_width(name, strlen(name));
    double low = p->x0, high = p->x1;
    double step = p->chart->x_log ? fmax(1, ceil((high - low) / (p->cols / 10.0 + 1)))
                  : p->chart->x_clock ? clock_step(high - low, p->cols / 12 + 1)
                                  : nice_step(high - low, p->cols / 10 + 1);
    bool whole = true; /* steps and epochs have no halves */
    for (size_t s = 0; s < p->chart->count && whole; s++)
        for (size_t i = 0; i < p->chart->series[s].n && i < 50 && whole; i++)
            whole = p->chart->series[s].x[i] == floor(p->chart->series[s].x[i]);
    if (whole && !p->chart->x_log && step < 1)
        step = 1;
    for (double v = ceil(low / step) * step; v <= high + step * 1e-9; v += step) {
        Text label = {0};
        add_place(p, p->chart->x_log ? pow(10, v) : fabs(v) < step * 1e-9 ? 0 : v, &label);
        int w = (int)label.count,
            at = p->left + (int)lround((v - low) / (high - low) * (p->cols - 1));
        int from = at - w / 2;
        from = from < p->left ? p->left : from;
        if (from + w > p->left + p->cols)
            from = p->left + p->cols - w;
        bool fits = from >= last_end && from + w + 1 + name_width < p->left + p->cols + 1 &&
                    (!cross_width || from + w <= cross || from >= cross + cross_width);
        if (fits) {
            canvas_put(c, row, from, STYLE_AXIS, text_str(&label));
            last_end = from + w + 2;
        }
        text_release(&label);
    }
    int at = p->left + p->cols - name_width;
    if (!cross_width || cross + cross_width < at)
        canvas_put(c, row, at, STYLE_AXIS, name);
}

/* -1: out of sight */
static int tick_column(const Plot *p, const ChartTick *t)
{
    double x = plot_x(p, t->x);
    bool seen = isfinite(x) && x >= 0 && x <= p->cols * p->dx - 1;
    return seen ? p->left + (int)(lround(x) / p->dx) : -1;
}

void plot_ticks(const Plot *p, const Canvas *c)
{
    for (size_t i = 0; i < p->chart->tick_count; i++) {
        const ChartTick *t = &p->chart->ticks[i];
        int col = tick_column(p, t);
        for (int r = 0; col >= 0 && r < p->rows; r++)
            canvas_char(c, p->top + r, col, t->style ? t->style : STYLE_EVENT,
                        canvas_unicode(c) ? 0x250a : ':');
    }
}

/* Where the word of a tick stands: right of its line, at the right end before it. Its width, or 0. */
static int tick_word(const Plot *p, const ChartTick *t, int *at)
{
    int col = tick_column(p, t), w = col >= 0 && t->label ? (int)utf8_width(t->label, strlen(t->label)) : 0;
    *at = col + 1 + w <= p->left + p->cols ? col + 1 : col - w;
    return *at >= p->left ? w : 0;
}

/* Over everything else: a word that a curve runs through cannot be read. Checkpoints (STYLE_GRID) come last: their
 * word stands where the others leave room. */
void plot_tick_words(const Plot *p, const Canvas *c)
{
    int last_end = p->left - 1, at, other;
    for (size_t i = 0; i < p->chart->tick_count; i++) {
        const ChartTick *t = &p->chart->ticks[i];
        int w = t->style == STYLE_GRID ? 0 : tick_word(p, t, &at);
        if (w && at > last_end) {
            canvas_put(c, p->top, at, t->style ? t->style : STYLE_EVENT, t->label);
            last_end = at + w;
        }
    }
    last_end = p->left - 1;
    for (size_t i = 0; i < p->chart->tick_count; i++) {
        const ChartTick *t = &p->chart->ticks[i];
        int w = t->style == STYLE_GRID ? tick_word(p, t, &at) : 0;
        bool fits = w && at > last_end;
        for (size_t k = 0; fits && k < p->chart->tick_count; k++) {
            int others = p->chart->ticks[k].style == STYLE_GRID ? 0 : tick_word(p, &p->chart->ticks[k], &other);
            fits = !others || at > other + others || at + w < other;
        }
        if (fits) {
            canvas_put(c, p->top, at, STYLE_DIM, t->label);
            last_end = at + w;
        }
    }
}

void plot_cross(const Plot *p, const Canvas *c)
{
    Text label = {0};
    int from = 0;
    if (cross_label(p, &label, &from)) {
        int col = p->left + (int)(lround(plot_x(p, p->chart->cross)) / p->dx);
        canvas_vline(c, p->top, col, p->rows, STYLE_CROSS);
        canvas_put(c, p->top + p->rows, from, style_on(STYLE_STRONG, STYLE_CURSOR), text_str(&label));
    }
    text_release(&label);
}

void plot_lines(const Plot *p, PlotLine *line)
{
    ChartTick cross = {.x = p->chart->cross};
    int col;
    for (size_t i = 0; i < p->chart->tick_count; i++)
        if ((col = tick_column(p, &p->chart->ticks[i])) >= p->left)
            line[col - p->left] = LINE_TICK;
    if (p->chart->has_cross && (col = tick_column(p, &cross)) >= p->left)
        line[col - p->left] = LINE_CROSS;
}

void plot_axes(const Plot *p, const Canvas *c)
{
    draw_y_axis(p, c);
    draw_x_axis(p, c);
}

static double last_value(const ChartSeries *s)
{
    for (size_t i = s->n; i-- > 0;)
        if (isfinite(s->y[i]))
            return s->y[i];
    return NAN;
}

void plot_legend(const Plot *p, const Canvas *c)
{
    int col = 0;
    if (p->chart->title) {
        col = canvas_put(c, 0, 0, STYLE_TITLE, p->chart->title);
        if (p->chart->y_log)
            col += canvas_put(c, 0, col, STYLE_DIM, " log");
        col += 2;
    }
    for (size_t s = 0; !p->chart->no_legend && s < p->chart->count; s++) {
        const ChartSeries *one = &p->chart->series[s];
        if (!one->name)
            continue;
        Text value = {0};
        chart_number(p->chart->has_cross ? chart_value_at(one, p->chart->cross) : last_value(one),
                     &value);
        int need = 4 + (int)utf8_width(one->name, strlen(one->name)) + (int)value.count;
        if (col + need <= c->cols) {
            col += canvas_put(c, 0, col, one->style, canvas_unicode(c) ? "━" : "=");
            col += canvas_printf(c, 0, col, STYLE_DIM, " %s ", one->name);
            col += canvas_put(c, 0, col, one->style, text_str(&value)) + 2;
        }
        text_release(&value);
    }
}
