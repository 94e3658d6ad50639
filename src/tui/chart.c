/* chart.c -- curves: dots of braille (2 x 4 a cell), halves of a cell, or ASCII. */
#include "chart_int.h"
#include "screen.h"

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
    else if (a < 999.95e9)
        snprintf(t, sizeof t, "%.4gG", v / 1e9);
    else if (a < 1e16)
        snprintf(t, sizeof t, "%.4gT", v / 1e12);
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

void chart_figure(double v, int digits, Text *into)
{
    double a = fabs(v);
    if (isnan(v))
        return;
    if (a >= 9999999.5)
        chart_number(v, into);
    else if (a >= pow(10, digits) - 0.5)
        text_printf(into, "%.0f", v);
    else
        text_printf(into, "%.*g", digits, v);
}

void chart_seconds_left(double v, Text *into)
{
    double known = v < 20 ? 1 : v < 600 ? 5 : 60;
    text_add_seconds(into, known * ceil(v / known));
}

/* ---- the frame of a plot: ranges and place ------------------------------------------------------------------ */

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
    bool given = chart->y_low != 0 || chart->y_high != 0;
    p->y0 = INFINITY, p->y1 = -INFINITY;
    for (size_t s = 0; s < chart->count; s++)
        for (size_t i = 0; i < chart->series[s].n && !(given && p->any); i++) {
            double x = to_axis(chart->series[s].x[i], chart->x_log);
            double y = to_axis(chart->series[s].y[i], chart->y_log);
            if (x >= p->x0 && x <= p->x1 && isfinite(y)) {
                widen(&p->y0, &p->y1, y);
                p->any = true;
            }
        }
    if (given) {
        p->y0 = to_axis(chart->y_low, chart->y_log);
        p->y1 = to_axis(chart->y_high, chart->y_log);
    } else if (chart->y_zero && !chart->y_log) {
        widen(&p->y0, &p->y1, 0);
    }
    if (p->y1 - p->y0 < 1e-12 * (1 + fabs(p->y0))) {
        double room = p->y0 != 0 ? fabs(p->y0) * 0.1 : 1;
        p->y0 -= room;
        p->y1 += room;
    } else if (!given) {
        double room = (p->y1 - p->y0) * 0.04;
        p->y1 += room;
        if (!(chart->y_zero && p->y0 == 0))
            p->y0 -= room;
    }
}

static Plot plot_make(const Canvas *c, const Chart *chart)
{
    Plot p = {.chart = chart};
    int dots = c->screen ? canvas_dots(c) : DOTS_ASCII; /* asked for places only, there is no screen */
    p.dx = dots == DOTS_BRAILLE ? 2 : 1;
    p.dy = dots == DOTS_BRAILLE ? 4 : dots == DOTS_BLOCK ? 2 : 1;
    p.top = chart->title || !chart->no_legend ? 1 : 0;
    p.left = PLOT_LABELS + 1;
    p.rows = c->rows - p.top - 1;
    p.cols = c->cols - p.left - 1;
    if (chart->bare)
        p.top = p.left = 0, p.rows = c->rows, p.cols = c->cols;
    range_x(chart, &p.x0, &p.x1);
    range_y(&p);
    if (p.x1 <= p.x0) {
        p.x0 -= 0.5;
        p.x1 = p.x0 + 1;
    }
    return p;
}

double plot_x(const Plot *p, double x) /* in dots, fractional */
{
    return (to_axis(x, p->chart->x_log) - p->x0) / (p->x1 - p->x0) * (p->cols * p->dx - 1);
}

double plot_y(const Plot *p, double y)
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
    int bit = d->dx == 2 ? braille[y % 4][x % 2] : d->dy == 2 ? 1 << y % 2 : 1;
    d->bits[cell] = (uint8_t)(d->bits[cell] | bit);
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
    double wide = (p->cols * p->dx - 1) / (p->x1 - p->x0), tall = (p->rows * p->dy - 1) / (p->y1 - p->y0);
    for (size_t i = 0; i < s->n; i++) {
        double x = (to_axis(s->x[i], p->chart->x_log) - p->x0) * wide;
        double y = (p->y1 - to_axis(s->y[i], p->chart->y_log)) * tall;
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

/* Points as characters, over the curves; the first series lies on top. */
static void draw_marks(const Plot *p, const Canvas *c)
{
    for (size_t s = p->chart->count; s-- > 0;) {
        const ChartSeries *one = &p->chart->series[s];
        for (size_t i = 0; one->mark && i < one->n; i++) {
            double x = plot_x(p, one->x[i]), y = plot_y(p, one->y[i]);
            if (isfinite(x) && isfinite(y) && x >= 0 && y >= 0 && x < p->cols * p->dx && y < p->rows * p->dy)
                canvas_char(c, p->top + (int)y / p->dy, p->left + (int)x / p->dx, one->style,
                            canvas_unicode(c) ? one->mark : '*');
        }
    }
}

static void draw_dots(const Plot *p, const Canvas *c)
{
    static const char marks[] = "*+ox#@%&";
    static const uint32_t halves[] = {0, 0x2580, 0x2584, 0x2588}; /* upper, lower, both */
    size_t cells = (size_t)p->rows * (size_t)p->cols;
    Dots d = {.cols = p->cols * p->dx, .rows = p->rows * p->dy, .dx = p->dx, .dy = p->dy};
    d.bits = mem_alloc(cells + 1);
    d.style = mem_alloc((cells + 1) * sizeof *d.style);
    d.faint = mem_alloc((cells + 1) * sizeof *d.faint);
    for (int faint = 1; faint >= 0; faint--) {
        d.is_faint = faint == 1;
        for (size_t s = p->chart->count; s-- > 0;) /* the first series lies on top */
            if (p->chart->series[s].faint == d.is_faint && !p->chart->series[s].mark)
                draw_series(p, &d, &p->chart->series[s]);
    }
    PlotLine *line = mem_alloc(((size_t)p->cols + 1) * sizeof *line);
    plot_lines(p, line);
    for (size_t i = 0; i < cells; i++) {
        PlotLine over = line[i % (size_t)p->cols];
        if (!d.bits[i] || over == LINE_CROSS || (over == LINE_TICK && d.faint[i]))
            continue; /* behind a curtain of raw points a tick could not be seen */
        int row = p->top + (int)(i / (size_t)p->cols), col = p->left + (int)(i % (size_t)p->cols);
        uint32_t code = p->dx == 2 ? 0x2800u + d.bits[i] : p->dy == 2 ? halves[d.bits[i] & 3] : (uint32_t)marks[0];
        for (size_t s = 0; p->dy == 1 && s < p->chart->count; s++)
            if (p->chart->series[s].style == d.style[i])
                code = (uint32_t)marks[s % (sizeof marks - 1)];
        canvas_char(c, row, col, d.style[i], code);
    }
    draw_marks(p, c);
    mem_free(line);
    mem_free(d.bits);
    mem_free(d.style);
    mem_free(d.faint);
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

void chart_draw(const Canvas *c, const Chart *chart)
{
    Plot p = plot_make(c, chart);
    if (p.rows < 2 || p.cols < 8)
        return;
    if (!chart->bare)
        plot_legend(&p, c);
    if (!p.any) {
        const char *say = chart->empty ? chart->empty : "no points yet";
        int w = (int)utf8_width(say, strlen(say));
        canvas_put(c, p.top + p.rows / 2, c->cols > w ? (c->cols - w) / 2 : 0, STYLE_DIM, say);
        return;
    }
    if (!chart->bare)
        plot_axes(&p, c);
    plot_ticks(&p, c);
    plot_cross(&p, c);
    draw_dots(&p, c);
    plot_tick_words(&p, c);
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
