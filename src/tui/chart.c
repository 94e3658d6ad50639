/* chart.c -- curves: dots of braille (2 x 4 a cell) or ASCII, axes with numbers people read. */
#include "chart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void chart_number(double v, Text *into)
{
    char t[40];
    double a = fabs(v);
    if (isnan(v))
        snprintf(t, sizeof t, "-");
    else if (isinf(v))
        snprintf(t, sizeof t, v > 0 ? "inf" : "-inf");
    else if (a == 0)
        snprintf(t, sizeof t, "0");
    else if (a < 1e-3)
        snprintf(t, sizeof t, "%.2g", v);
    else if (a < 9999.5)
        snprintf(t, sizeof t, "%.4g", v);
    else if (a < 999950)
        snprintf(t, sizeof t, "%.4gk", v / 1e3);
    else if (a < 999.95e6)
        snprintf(t, sizeof t, "%.4gM", v / 1e6);
    else if (a < 1e13)
        snprintf(t, sizeof t, "%.4gG", v / 1e9);
    else
        snprintf(t, sizeof t, "%.2e", v);
    char *e = strchr(t, 'e'); /* 1e-05 -> 1e-5 */
    if (e && (e[1] == '-' || e[1] == '+')) {
        char *digits = e + 2;
        size_t zeros = strspn(digits, "0");
        if (digits[zeros] == 0)
            zeros--;
        memmove(digits, digits + zeros, strlen(digits + zeros) + 1);
        if (e[1] == '+')
            memmove(e + 1, e + 2, strlen(e + 2) + 1);
    }
    text_puts(into, t);
}

/* ---- the frame of a plot: ranges and place ------------------------------------------------------------------ */

typedef struct Plot {
    const Chart *chart;
    double x0, x1, y0, y1;     /* in the space of the axes: logs if they are logarithmic */
    int top, left, rows, cols; /* cells of the plot in the canvas */
    int dx, dy;                /* dots in a cell */
    bool any;
} Plot;

static double to_axis(double v, bool log_scale)
{
    return !log_scale ? v : v > 0 ? log10(v) : (double)NAN;
}

static void widen(double *low, double *high, double v)
{
    if (!isfinite(v))
        return;
    if (v < *low)
        *low = v;
    if (v > *high)
        *high = v;
}

static void range_x(const Chart *chart, double *x0, double *x1)
{
    *x0 = INFINITY, *x1 = -INFINITY;
    if (chart->x_low != 0 || chart->x_high != 0) {
        *x0 = to_axis(chart->x_low, chart->x_log);
        *x1 = to_axis(chart->x_high, chart->x_log);
        if (!isfinite(*x0))
            *x0 = *x1 - 3;
        return;
    }
    for (size_t s = 0; s < chart->count; s++)
        for (size_t i = 0; i < chart->series[s].n; i++)
            widen(x0, x1, to_axis(chart->series[s].x[i], chart->x_log));
}

static void range_y(Plot *p)
{
    const Chart *chart = p->chart;
    p->y0 = INFINITY, p->y1 = -INFINITY;
    for (size_t s = 0; s < chart->count; s++)
        for (size_t i = 0; i < chart->series[s].n; i++) {
            double x = to_axis(chart->series[s].x[i], chart->x_log);
            double y = to_axis(chart->series[s].y[i], chart->y_log);
            if (x >= p->x0 && x <= p->x1 && isfinite(y)) {
                widen(&p->y0, &p->y1, y);
                p->any = true;
            }
        }
    if (chart->y_low != 0 || chart->y_high != 0) {
        p->y0 = to_axis(chart->y_low, chart->y_log);
        p->y1 = to_axis(chart->y_high, chart->y_log);
    } else if (chart->y_zero && !chart->y_log) {
        widen(&p->y0, &p->y1, 0);
    }
    if (p->y1 - p->y0 < 1e-12 * (1 + fabs(p->y0))) {
        double room = p->y0 != 0 ? fabs(p->y0) * 0.1 : 1;
        p->y0 -= room;
        p->y1 += room;
    } else if (chart->y_low == 0 && chart->y_high == 0) {
        double room = (p->y1 - p->y0) * 0.04;
        p->y1 += room;
        if (!(chart->y_zero && p->y0 == 0))
            p->y0 -= room;
    }
}

#define LABEL_COLUMNS 7

static Plot plot_make(const Canvas *c, const Chart *chart)
{
    Plot p = {.chart = chart};
    bool braille = c->screen && canvas_unicode(c); /* asked for places only, there is no screen */
    p.dx = braille ? 2 : 1;
    p.dy = braille ? 4 : 1;
    p.top = chart->title || !chart->no_legend ? 1 : 0;
    p.left = LABEL_COLUMNS + 1;
    p.rows = c->rows - p.top - 1;
    p.cols = c->cols - p.left - 1;
    range_x(chart, &p.x0, &p.x1);
    range_y(&p);
    if (p.x1 <= p.x0) {
        p.x0 -= 0.5;
        p.x1 = p.x0 + 1;
    }
    return p;
}

static double x_of(const Plot *p, double x) /* in dots, fractional */
{
    return (to_axis(x, p->chart->x_log) - p->x0) / (p->x1 - p->x0) * (p->cols * p->dx - 1);
}

static double y_of(const Plot *p, double y)
{
    return (p->y1 - to_axis(y, p->chart->y_log)) / (p->y1 - p->y0) * (p->rows * p->dy - 1);
}

/* ---- dots ------------------------------------------------------------------------------------------------------ */

typedef struct Dots {
    int cols, rows; /* in dots */
    int dx, dy;
    uint8_t *bits; /* [cells] */
    Style *style;  /* [cells], of the last series that set a dot */
    bool *faint;   /* [cells]: only faint series have set dots so far */
    bool is_faint; /* the series that is being drawn */
} Dots;

static void dot(Dots *d, long x, long y, Style style)
{
    static const uint8_t braille[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    if (x < 0 || y < 0 || x >= d->cols || y >= d->rows)
        return;
    size_t cell = (size_t)(y / d->dy) * (size_t)(d->cols / d->dx) + (size_t)(x / d->dx);
    if (d->faint[cell] && !d->is_faint)
        d->bits[cell] = 0; /* a cell has one colour: raw points give way to the curve */
    d->faint[cell] = d->is_faint;
    d->bits[cell] |= d->dx == 2 ? braille[y % 4][x % 2] : 1;
    d->style[cell] = style;
}

static void span(Dots *d, long x, double y0, double y1, Style style)
{
    if (y0 > y1) {
        double t = y0;
        y0 = y1;
        y1 = t;
    }
    long a = lround(fmax(y0, -1)), b = lround(fmin(y1, d->rows));
    for (long y = a; y <= b; y++)
        dot(d, x, y, style);
}

/* A straight line in dots, cut to the columns there are. */
static void stroke(Dots *d, double x0, double y0, double x1, double y1, Style style)
{
    if (x1 < 0 || x0 > d->cols - 1 || x1 <= x0)
        return;
    double slope = (y1 - y0) / (x1 - x0);
    if (x0 < 0)
        y0 -= slope * x0, x0 = 0;
    if (x1 > d->cols - 1)
        y1 = y0 + slope * (d->cols - 1 - x0), x1 = d->cols - 1;
    long a = lround(x0), b = lround(x1);
    for (long x = a; x <= b; x++) {
        double from = y0 + slope * (fmax((double)x - 0.5, x0) - x0);
        double to = y0 + slope * (fmin((double)x + 0.5, x1) - x0);
        span(d, x, from, to, style);
    }
}

/* Points on one column of dots are gathered to a span, columns are joined by strokes. */
static void draw_series(const Plot *p, Dots *d, const ChartSeries *s)
{
    bool open = false;
    long column = 0;
    double low = 0, high = 0, last_x = 0, last_y = 0;
    for (size_t i = 0; i < s->n; i++) {
        double x = x_of(p, s->x[i]), y = y_of(p, s->y[i]);
        if (!isfinite(x) || !isfinite(y)) {
            if (open)
                span(d, column, low, high, s->style);
            open = false;
            continue;
        }
        long here = lround(fmax(-2, fmin(x, d->cols + 2)));
        if (open && here == column && here >= 0 && here < d->cols) {
            low = fmin(low, y);
            high = fmax(high, y);
        } else {
            if (open) {
                span(d, column, low, high, s->style);
                if (!s->dots)
                    stroke(d, last_x, last_y, x, y, s->style);
            }
            column = here;
            low = high = y;
            open = true;
        }
        last_x = x;
        last_y = y;
    }
    if (open)
        span(d, column, low, high, s->style);
}

static void draw_dots(const Plot *p, const Canvas *c)
{
    static const char marks[] = "*+ox#@%&";
    size_t cells = (size_t)p->rows * (size_t)p->cols;
    Dots d = {.cols = p->cols * p->dx, .rows = p->rows * p->dy, .dx = p->dx, .dy = p->dy};
    d.bits = mem_alloc(cells + 1);
    d.style = mem_alloc((cells + 1) * sizeof *d.style);
    d.faint = mem_alloc((cells + 1) * sizeof *d.faint);
    for (int faint = 1; faint >= 0; faint--) {
        d.is_faint = faint == 1;
        for (size_t s = p->chart->count; s-- > 0;) /* the first series lies on top */
            if (p->chart->series[s].faint == d.is_faint)
                draw_series(p, &d, &p->chart->series[s]);
    }
    for (size_t i = 0; i < cells; i++) {
        if (!d.bits[i])
            continue;
        int row = p->top + (int)(i / (size_t)p->cols), col = p->left + (int)(i % (size_t)p->cols);
        uint32_t code = p->dx == 2 ? 0x2800u + d.bits[i] : (uint32_t)marks[0];
        for (size_t s = 0; p->dx == 1 && s < p->chart->count; s++)
            if (p->chart->series[s].style == d.style[i])
                code = (uint32_t)marks[s % (sizeof marks - 1)];
        canvas_char(c, row, col, d.style[i], code);
    }
    mem_free(d.bits);
    mem_free(d.style);
    mem_free(d.faint);
}

/* ---- axes ---------------------------------------------------------------------------------------------------------- */

static double nice_step(double span, int most)
{
    double raw = span / (most > 1 ? most : 1), power = pow(10, floor(log10(raw))), m = raw / power;
    return (m <= 1 ? 1 : m <= 2 ? 2 : m <= 5 ? 5 : 10) * power;
}

static void y_tick(const Plot *p, const Canvas *c, double value, double shown, int *last_row)
{
    int row = p->top + (int)lround((p->y1 - value) / (p->y1 - p->y0) * (p->rows - 1));
    if (row < p->top || row >= p->top + p->rows || row == *last_row)
        return;
    *last_row = row;
    Text label = {0};
    chart_number(shown, &label);
    canvas_field(c, row, 0, LABEL_COLUMNS, ALIGN_RIGHT, STYLE_AXIS, text_str(&label));
    text_release(&label);
    canvas_char(c, row, LABEL_COLUMNS, STYLE_AXIS, canvas_unicode(c) ? 0x2524 : '+');
    if (!p->chart->no_grid && canvas_unicode(c))
        for (int i = 0; i < p->cols; i++)
            canvas_char(c, row, p->left + i, STYLE_GRID, 0x2504);
}

static void draw_y_axis(const Plot *p, const Canvas *c)
{
    canvas_vline(c, p->top, LABEL_COLUMNS, p->rows, STYLE_AXIS);
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

static void draw_x_axis(const Plot *p, const Canvas *c)
{
    int row = p->top + p->rows, last_end = p->left;
    const char *name = p->chart->x_name ? p->chart->x_name : "";
    int name_width = (int)utf8_width(name, strlen(name));
    double low = p->x0, high = p->x1;
    double step = p->chart->x_log ? fmax(1, ceil((high - low) / (p->cols / 10.0 + 1)))
                                  : nice_step(high - low, p->cols / 10 + 1);
    bool whole = true; /* steps and epochs have no halves */
    for (size_t s = 0; s < p->chart->count && whole; s++)
        for (size_t i = 0; i < p->chart->series[s].n && i < 50 && whole; i++)
            whole = p->chart->series[s].x[i] == floor(p->chart->series[s].x[i]);
    if (whole && !p->chart->x_log && step < 1)
        step = 1;
    for (double v = ceil(low / step) * step; v <= high + step * 1e-9; v += step) {
        Text label = {0};
        chart_number(p->chart->x_log ? pow(10, v) : fabs(v) < step * 1e-9 ? 0 : v, &label);
        int w = (int)label.count,
            at = p->left + (int)lround((v - low) / (high - low) * (p->cols - 1));
        int from = at - w / 2;
        from = from < p->left ? p->left : from;
        if (from + w > p->left + p->cols)
            from = p->left + p->cols - w;
        bool fits = from >= last_end && from + w + 1 + name_width < p->left + p->cols + 1;
        if (fits) {
            canvas_put(c, row, from, STYLE_AXIS, text_str(&label));
            last_end = from + w + 2;
        }
        text_release(&label);
    }
    canvas_put(c, row, p->left + p->cols - name_width, STYLE_AXIS, name);
}

/* -1: out of sight */
static int tick_column(const Plot *p, const ChartTick *t)
{
    double x = x_of(p, t->x);
    bool seen = isfinite(x) && x >= 0 && x <= p->cols * p->dx - 1;
    return seen ? p->left + (int)(lround(x) / p->dx) : -1;
}

static void draw_tick_lines(const Plot *p, const Canvas *c)
{
    for (size_t i = 0; i < p->chart->tick_count; i++) {
        const ChartTick *t = &p->chart->ticks[i];
        int col = tick_column(p, t);
        for (int r = 0; col >= 0 && r < p->rows; r++)
            canvas_char(c, p->top + r, col, t->style ? t->style : STYLE_EVENT,
                        canvas_unicode(c) ? 0x250a : ':');
    }
}

/* Over everything else: a word that a curve runs through cannot be read. */
static void draw_tick_words(const Plot *p, const Canvas *c)
{
    int last_end = p->left - 1;
    for (size_t i = 0; i < p->chart->tick_count; i++) {
        const ChartTick *t = &p->chart->ticks[i];
        int col = tick_column(p, t);
        int w = col >= 0 && t->label ? (int)utf8_width(t->label, strlen(t->label)) : 0;
        if (w && col + 1 > last_end && col + 1 + w <= p->left + p->cols) {
            canvas_put(c, p->top, col + 1, t->style ? t->style : STYLE_EVENT, t->label);
            last_end = col + 1 + w;
        }
    }
}

static void draw_cross(const Plot *p, const Canvas *c)
{
    double x = x_of(p, p->chart->cross);
    if (!p->chart->has_cross || !isfinite(x) || x < 0 || x > p->cols * p->dx - 1)
        return;
    int col = p->left + (int)(lround(x) / p->dx);
    canvas_vline(c, p->top, col, p->rows, STYLE_CROSS);
    Text label = {0};
    text_putc(&label, ' ');
    chart_number(p->chart->cross, &label);
    text_putc(&label, ' ');
    int w = (int)label.count, from = col - w / 2;
    from = from < p->left ? p->left : from + w > p->left + p->cols ? p->left + p->cols - w : from;
    canvas_put(c, p->top + p->rows, from, style_on(STYLE_STRONG, STYLE_CURSOR), text_str(&label));
    text_release(&label);
}

double chart_value_at(const ChartSeries *s, double x)
{
    if (!s->n)
        return NAN;
    size_t low = 0, high = s->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (s->x[mid] < x)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == s->n || (low && x - s->x[low - 1] < s->x[low] - x))
        low--;
    return s->y[low];
}

static double last_value(const ChartSeries *s)
{
    for (size_t i = s->n; i-- > 0;)
        if (isfinite(s->y[i]))
            return s->y[i];
    return NAN;
}

static void draw_legend(const Plot *p, const Canvas *c)
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

void chart_draw(const Canvas *c, const Chart *chart)
{
    Plot p = plot_make(c, chart);
    if (p.rows < 2 || p.cols < 8)
        return;
    draw_legend(&p, c);
    if (!p.any) {
        const char *say = chart->empty ? chart->empty : "no points yet";
        int w = (int)utf8_width(say, strlen(say));
        canvas_put(c, p.top + p.rows / 2, c->cols > w ? (c->cols - w) / 2 : 0, STYLE_DIM, say);
        return;
    }
    draw_y_axis(&p, c);
    draw_x_axis(&p, c);
    draw_tick_lines(&p, c);
    draw_cross(&p, c);
    draw_dots(&p, c);
    draw_tick_words(&p, c);
}

double chart_x_at(const Canvas *c, const Chart *chart, int col)
{
    Plot p = plot_make(c, chart);
    double v = p.x0 + (double)(col - p.left) / (p.cols > 1 ? p.cols - 1 : 1) * (p.x1 - p.x0);
    v = fmin(fmax(v, p.x0), p.x1);
    return chart->x_log ? pow(10, v) : v;
}

double chart_x_step(const Chart *chart, double x, int direction)
{
    double best = NAN;
    for (size_t s = 0; s < chart->count; s++)
        for (size_t i = 0; i < chart->series[s].n; i++) {
            double v = chart->series[s].x[i];
            if (!isfinite(v) || (direction > 0 && v <= x) || (direction < 0 && v >= x))
                continue;
            if (isnan(best) || fabs(v - x) < fabs(best - x))
                best = v;
        }
    return isnan(best) ? x : best;
}
