/* data_profile.c -- numbers of a profile as people read them: values, shares, frequent words, a distribution, and
 * the line that says what the column in focus is like. */
#include "data_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The share of the values in each of PROFILE_BINS bins, and the range they cover. A few far outliers would
 * press all others into one bin: then the range is from the 1 % to the 99 % quantile, and the shares come
 * from the quantiles. Returns true in that case. */
bool data_distribution(const ColumnProfile *p, double *value, double *low, double *high)
{
    const double *q = p->quantile;
    bool inner = q[99] > q[1] && p->most - p->least > 4 * (q[99] - q[1]);
    *low = inner ? q[1] : p->least;
    *high = inner ? q[99] : p->most;
    for (size_t i = 0; i < PROFILE_BINS; i++)
        value[i] = inner ? 0 : (double)p->bin[i];
    for (size_t i = 1; i < 99 && inner; i++) { /* 1 % of the values lies between two quantiles */
        double from = (q[i] - *low) / (*high - *low) * PROFILE_BINS,
               to = (q[i + 1] - *low) / (*high - *low) * PROFILE_BINS;
        size_t first = (size_t)from < PROFILE_BINS ? (size_t)from : PROFILE_BINS - 1;
        if (to - from < 1e-9) {
            value[first] += 1;
            continue;
        }
        for (size_t b = first; b < PROFILE_BINS && (double)b < to; b++)
            value[b] += (fmin(to, (double)b + 1) - fmax(from, (double)b)) / (to - from);
    }
    return inner;
}

const ColumnProfile *data_profile_of(const DataState *s, size_t column)
{
    const Profile *p = dataset_profile(s->data->data);
    return p ? profile_find(p, s->data->schema.field[column].name) : NULL;
}

void data_add_value(const ColumnProfile *p, double v, Text *into)
{
    if (p->type == COLUMN_TIME) {
        Text t = {0};
        time_format((int64_t)v, &t);
        text_add(into, text_str(&t), t.count > 10 ? 10 : t.count);
        text_release(&t);
    } else if (p->type == COLUMN_DATE) {
        date_format((int32_t)v, into);
    } else {
        chart_number(v, into);
    }
}

/* 2,000,000,001: large whole numbers are mostly numbers of something, and 2G is another. */
#define WHOLE_FROM 1e9
static void add_whole(double v, Text *into)
{
    char digits[32];
    int n = snprintf(digits, sizeof digits, "%.0f", fabs(v));
    if (v < 0)
        text_putc(into, '-');
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            text_putc(into, ',');
        text_putc(into, digits[i]);
    }
}

void data_add_exact(const ColumnProfile *p, double v, bool between, Text *into)
{
    if (p->type == COLUMN_INT && !between && fabs(v) >= WHOLE_FROM && fabs(v) < 9e15)
        add_whole(v, into);
    else
        data_add_value(p, v, into);
}

void data_add_share(double share, Text *into)
{
    if (share == 0)
        text_puts(into, "0");
    else if (share < 0.001)
        text_puts(into, "<0.1%");
    else
        text_printf(into, share >= 0.0995 ? "%.0f%%" : "%.1f%%", share * 100);
}

void data_add_tops(const ColumnProfile *p, Text *into)
{
    uint64_t have = p->count - p->missing;
    for (size_t i = 0; i < p->tops && i < 5; i++) {
        if (p->top[i].count * 100 < have)
            break;
        text_printf(into, "%s%s %.0f%%", i ? "  " : "", p->top[i].value,
                    have ? 100.0 * (double)p->top[i].count / (double)have : 0.0);
    }
}

void data_paint_spark(const ColumnProfile *p, const Canvas *cell, Style ground)
{
    canvas_fill(cell, ground);
    if (!p)
        return;
    double value[PROFILE_BINS], low, high;
    size_t n = 0;
    if (p->numeric && p->most > p->least) {
        data_distribution(p, value, &low, &high);
        for (; n < PROFILE_BINS; n++)
            value[n] = sqrt(value[n]); /* the eye wants to see the small ones too */
    } else {
        for (; n < p->tops; n++)
            value[n] = (double)p->top[n].count;
    }
    int width = p->numeric || (int)n > cell->cols ? cell->cols : (int)n;
    chart_spark(cell, 0, 0, width, style_on(STYLE_BAR, ground), value, n);
}

/* Adds weight to the bins between two values. */
static void pour(double *value, double low, double high, double from, double to, double weight)
{
    double width = (high - low) / PROFILE_BINS;
    if (width <= 0 || to < low || from > high)
        return;
    if (to - from < width * 1e-6) {
        size_t b = (size_t)((from - low) / width);
        value[b < PROFILE_BINS ? b : PROFILE_BINS - 1] += weight;
        return;
    }
    for (size_t b = 0; b < PROFILE_BINS; b++) {
        double left = low + (double)b * width, right = left + width;
        double both = fmin(right, to) - fmax(left, from);
        if (both > 0)
            value[b] += weight * both / (to - from);
    }
}

void data_shares(const ColumnProfile *p, double low, double high, double *value)
{
    memset(value, 0, PROFILE_BINS * sizeof *value);
    double have = (double)(p->count - p->missing), width = (p->most - p->least) / PROFILE_BINS;
    bool coarse =
        width > 2 * (high - low) / PROFILE_BINS; /* its quantiles say more than its bins */
    for (size_t i = 0; i < PROFILE_BINS && have > 0 && !coarse; i++)
        pour(value, low, high, p->least + (double)i * width, p->least + (double)(i + 1) * width,
             (double)p->bin[i] / have);
    for (size_t i = 0; i + 1 < PROFILE_QUANTILES && coarse; i++)
        pour(value, low, high, p->quantile[i], p->quantile[i + 1], 0.01);
}

/* ---- the column in focus in one line -------------------------------------------------------------------------------- */

static int piece(const Canvas *c, int col, const char *name, const char *value)
{
    int need = (int)utf8_width(name, strlen(name)) + (int)utf8_width(value, strlen(value)) + 3;
    if (!*value || col + need > c->cols)
        return col;
    col += canvas_put(c, 0, col, STYLE_DIM, name);
    col += canvas_put(c, 0, col + 1, STYLE_NUMBER, value) + 1;
    return col + 2;
}

void data_draw_info(const DataState *s, const Canvas *c)
{
    if (!s->data || s->focus >= s->columns)
        return;
    const Field *f = &s->data->schema.field[s->focus];
    const ColumnProfile *p = data_profile_of(s, s->focus);
    int col = 1;
    col += canvas_put(c, 0, col, role_style(f->role), role_glyph(c, f->role));
    col += canvas_put(c, 0, col + 1, STYLE_STRONG, f->name) + 2;
    col += canvas_put(c, 0, col, data_style(f->type), column_type_name(f->type)) + 1;
    col += canvas_put(c, 0, col, f->role == ROLE_FEATURE ? STYLE_ROLE_FEATURE : role_style(f->role),
                      role_name(f->role)) +
           2;
    if (!p)
        return;
    Text t = {0};
    if (p->missing) {
        data_add_share((double)p->missing / (double)p->count, &t);
        col = piece(c, col, "missing", text_str(&t));
        text_reset(&t);
    }
    text_add_count(&t, round(p->distinct));
    col = piece(c, col, "distinct", text_str(&t));
    text_reset(&t);
    if (p->numeric) {
        static const char *const names[] = {"min", "mean", "max"};
        double value[] = {p->least, p->mean, p->most};
        for (int i = 0; i < 3; i++) {
            text_reset(&t);
            data_add_exact(p, value[i], i == 1, &t);
            col = piece(c, col, names[i], text_str(&t));
        }
        if (c->cols - col > 12 && p->most > p->least) {
            double bins[PROFILE_BINS], low, high;
            data_distribution(p, bins, &low, &high);
            for (size_t i = 0; i < PROFILE_BINS; i++)
                bins[i] = sqrt(bins[i]);
            int width = c->cols - col - 1 < 20 ? c->cols - col - 1 : 20;
            chart_spark(c, 0, col, width, STYLE_BAR, bins, PROFILE_BINS);
        }
    } else {
        data_add_tops(p, &t);
        if (c->cols - col > 10)
            canvas_field(c, 0, col, c->cols - col - 1, ALIGN_LEFT, STYLE_DIM, text_str(&t));
    }
    text_release(&t);
}
