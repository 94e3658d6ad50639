/* bars.c -- histograms, bars of words, sparks: blocks in eighths of a cell, or ASCII. */
#include "chart.h"

#include <math.h>
#include <string.h>

static double highest(const double *v, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++)
        if (v[i] > most)
            most = v[i];
    return most;
}

void chart_bar(const Canvas *c, int row, int col, int width, double share, Style full, Style rest)
{
    share = share > 0 ? share < 1 ? share : 1 : 0;
    bool unicode = canvas_unicode(c);
    int eighths = (int)lround(share * width * 8);
    if (share > 0 && eighths == 0)
        eighths = 1;
    for (int i = 0; i < width; i++) {
        int here = eighths - i * 8;
        Style style = style_on(full, rest);
        if (here >= 8)
            canvas_char(c, row, col + i, style, unicode ? 0x2588 : '#');
        else if (here > 0)
            canvas_char(c, row, col + i, style, unicode ? 0x2590u - (uint32_t)here : '=');
        else
            canvas_char(c, row, col + i, rest, unicode ? ' ' : '.');
    }
}

void chart_spark(const Canvas *c, int row, int col, int width, Style style, const double *value,
                 size_t n)
{
    if (!n || width <= 0)
        return;
    static const char ascii[] = " _.-~=+*#";
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < n; i++)
        if (isfinite(value[i])) {
            low = fmin(low, value[i]);
            high = fmax(high, value[i]);
        }
    if (low > 0 && low < high * 0.5)
        low = 0; /* counts stand on zero */
    for (int i = 0; i < width; i++) {
        size_t from = (size_t)i * n / (size_t)width, to = (size_t)(i + 1) * n / (size_t)width;
        double v = -INFINITY;
        for (size_t k = from; k < (to > from ? to : from + 1) && k < n; k++)
            if (isfinite(value[k]))
                v = fmax(v, value[k]);
        if (isinf(v))
            continue;
        double share = high > low ? (v - low) / (high - low) : 0.5;
        int level =
            v == 0 && low == 0 ? 0 : 1 + (int)(share * 6 + 0.5); /* 7 of 8: rows stay apart */
        if (level == 0)
            canvas_char(c, row, col + i, style, ' ');
        else
            canvas_char(c, row, col + i, style,
                        canvas_unicode(c) ? 0x2580u + (uint32_t)level : (uint32_t)ascii[level]);
    }
}

/* The share of bin values that fall on column i of `cols`, bins spread evenly. */
static double column_value(const double *value, size_t bins, int i, int cols)
{
    size_t from = (size_t)i * bins / (size_t)cols, to = (size_t)(i + 1) * bins / (size_t)cols;
    if (to <= from)
        return value[from < bins ? from : bins - 1];
    double sum = 0;
    for (size_t k = from; k < to; k++)
        sum = fmax(sum, value[k]);
    return sum;
}

static void upright(const Canvas *c, int col, int rows, double share, Style style, Style ground)
{
    int eighths = (int)lround(share * rows * 8);
    if (share > 0 && eighths < 1)
        eighths = 1;
    for (int r = 0; r < rows; r++) {
        int here = eighths - r * 8;
        if (here <= 0)
            break;
        Style both = ground ? style_on(style, ground) : style;
        uint32_t code = canvas_unicode(c) ? (here >= 8 ? 0x2588u : 0x2580u + (uint32_t)here) : '#';
        canvas_char(c, rows - 1 - r, col, both, code);
    }
}

/* Full where both are; above, whichever is higher is seen as shade, in its own colour. */
static void overlaid(const Canvas *c, int col, int rows, double before, double after, Style style,
                     Style style2)
{
    bool unicode = canvas_unicode(c);
    int b = (int)lround(before * rows * 8), a = (int)lround(after * rows * 8);
    if (before > 0 && b < 1)
        b = 1;
    if (after > 0 && a < 1)
        a = 1;
    for (int r = 0; r < rows; r++) {
        int hb = b - r * 8, ha = a - r * 8, y = rows - 1 - r;
        if (ha >= 8 && hb < 4) /* after alone */
            canvas_char(c, y, col, style2, unicode ? 0x2593 : '+');
        else if (ha >= 8)
            canvas_char(c, y, col, style2, unicode ? 0x2588 : '#');
        else if (ha > 0)
            canvas_char(c, y, col, style2, unicode ? 0x2580u + (uint32_t)ha : '#');
        else if (hb >= 4)
            canvas_char(c, y, col, style, unicode ? 0x2592 : ':');
        else if (hb > 0)
            canvas_char(c, y, col, style, unicode ? 0x2580u + (uint32_t)hb : '.');
    }
}

void chart_histogram(const Canvas *c, const Histogram *h)
{
    int foot = c->rows >= 3 && (h->low != 0 || h->high != 0) ? 1 : 0, rows = c->rows - foot;
    if (rows < 1 || c->cols < 1 || !h->bins)
        return;
    /* whole columns a bin, when there is room for at least two each */
    int cols = c->cols;
    if ((size_t)cols > h->bins)
        cols = cols / (int)h->bins * (int)h->bins;
    double most = highest(h->value, h->bins);
    if (h->value2)
        most = fmax(most, highest(h->value2, h->bins));
    Style style = h->style ? h->style : h->value2 ? STYLE_BEFORE : STYLE_BAR;
    Style style2 = h->style2 ? h->style2 : STYLE_AFTER;
    Canvas plot = canvas_part(c, 0, 0, rows, c->cols);
    for (int i = 0; i < cols && most > 0; i++) {
        double v = column_value(h->value, h->bins, i, cols) / most;
        if (h->value2)
            overlaid(&plot, i, rows, v, column_value(h->value2, h->bins, i, cols) / most, style,
                     style2);
        else
            upright(&plot, i, rows, v, style, 0);
    }
    if (!foot)
        return;
    Text low = {0}, high = {0};
    chart_number(h->low, &low);
    chart_number(h->high, &high);
    canvas_put(c, rows, 0, STYLE_AXIS, text_str(&low));
    if (cols > (int)(low.count + high.count + 1))
        canvas_put(c, rows, cols - (int)high.count, STYLE_AXIS, text_str(&high));
    text_release(&low);
    text_release(&high);
}

/* Beside a bar, at most seven wide. */
static void draw_value(const Canvas *c, int row, int col, double v, bool figure)
{
    Text text = {0};
    if (figure)
        chart_figure(v, 4, &text);
    else
        text_printf(&text, "%5.1f%%", v * 100);
    canvas_field(c, row, col, 7, figure ? ALIGN_RIGHT : ALIGN_LEFT, STYLE_DIM, text_str(&text));
    text_release(&text);
}

void chart_words(const Canvas *c, const WordBars *w)
{
    int name = 4;
    for (size_t i = 0; i < w->count; i++) {
        int n = (int)utf8_width(w->name[i], strlen(w->name[i]));
        name = n > name ? n : name;
    }
    if (name > c->cols / 2)
        name = c->cols / 2;
    if (name > 24)
        name = 24;
    double most = highest(w->value, w->count);
    if (w->value2)
        most = fmax(most, highest(w->value2, w->count));
    Style style = w->style ? w->style : w->value2 ? STYLE_BEFORE : STYLE_BAR;
    Style style2 = w->style2 ? w->style2 : STYLE_AFTER;
    int each = w->value2 ? 2 : 1, width = c->cols - name - 9;
    for (size_t i = 0; i < w->count && (int)i * each < c->rows; i++) {
        int y = (int)i * each;
        canvas_field(c, y, 0, name, ALIGN_LEFT, STYLE_PLAIN, w->name[i]);
        for (int k = 0; k < each && width > 2; k++) {
            double v = k ? w->value2[i] : w->value[i];
            int full = most > 0 ? (int)lround(v / most * width) : 0;
            full += v > 0 && full == 0;
            for (int x = 0; x < full; x++) /* 3/4 of a row: neighbours stay apart */
                canvas_char(c, y + k, name + 1 + x, k ? style2 : style,
                            canvas_unicode(c) ? 0x2586 : '#');
            draw_value(c, y + k, name + 2 + width, v, w->figures);
        }
    }
}
