/* data_column.c -- one column in full: its numbers, its distribution, its frequent values; of the rows that pass
 * the filter beside all rows. */
#include "data_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define FACTS 34

static int fact(const Canvas *c, int row, const char *name, const char *value, Style style)
{
    canvas_field(c, row, 0, 11, ALIGN_LEFT, STYLE_DIM, name);
    canvas_field(c, row, 11, c->cols - 11, ALIGN_LEFT, style, value);
    return row + 1;
}

static int number_fact(const Canvas *c, int row, const char *name, const ColumnProfile *p, double v)
{
    Text t = {0};
    if (p->type == COLUMN_TIME && strcmp(name, "deviation"))
        time_format((int64_t)v, &t);
    else if (p->type == COLUMN_DATE && strcmp(name, "deviation"))
        date_format((int32_t)v, &t);
    else if (p->type == COLUMN_TIME)
        chart_number(v / 1e6, &t);
    else
        data_add_exact(p, v, !strcmp(name, "deviation"), &t);
    row = fact(c, row, name, text_str(&t), STYLE_NUMBER);
    text_release(&t);
    return row;
}

static int count_fact(const Canvas *c, int row, const char *name, double count, double of)
{
    Text t = {0};
    text_add_count(&t, count);
    if (of > 0 && count > 0) {
        text_puts(&t, "  ");
        data_add_share(count / of, &t);
    }
    row = fact(c, row, name, text_str(&t), count > 0 ? STYLE_NUMBER : STYLE_DIM);
    text_release(&t);
    return row;
}

static void draw_facts(const ColumnProfile *p, const Field *f, const Canvas *c)
{
    int row = fact(c, 0, "type", column_type_name(f->type), data_style(f->type));
    row = fact(c, row, "role", role_name(f->role),
               f->role == ROLE_FEATURE ? STYLE_ROLE_FEATURE : role_style(f->role));
    row = count_fact(c, row, "rows", (double)p->count, 0);
    row = count_fact(c, row, "missing", (double)p->missing, (double)p->count);
    row = count_fact(c, row, "distinct", round(p->distinct), 0);
    row++;
    if (p->numeric) {
        row = number_fact(c, row, "mean", p, p->mean);
        row = number_fact(c, row, "deviation", p, p->deviation);
        static const struct {
            const char *name;
            int at;
        } quantiles[] = {{"min", 0},   {"5 %", 5},   {"25 %", 25}, {"median", 50},
                         {"75 %", 75}, {"95 %", 95}, {"max", 100}};
        for (size_t i = 0; i < 7; i++)
            row = number_fact(c, row, quantiles[i].name, p, p->quantile[quantiles[i].at]);
        if (p->type == COLUMN_INT || p->type == COLUMN_REAL) {
            row = count_fact(c, row, "zeros", (double)p->zeros, (double)p->count);
            row = count_fact(c, row, "negative", (double)p->negatives, (double)p->count);
        }
    } else {
        char t[60];
        snprintf(t, sizeof t, "%llu to %llu bytes", (unsigned long long)p->shortest,
                 (unsigned long long)p->longest);
        fact(c, row, "length", t, STYLE_NUMBER);
    }
}

static double share_of(const ColumnProfile *p, const char *value)
{
    double have = (double)(p->count - p->missing);
    for (size_t i = 0; i < p->tops && have > 0; i++)
        if (!strcmp(p->top[i].value, value))
            return (double)p->top[i].count / have;
    return 0;
}

static void draw_tops(const ColumnProfile *all, const ColumnProfile *seen, const Canvas *c)
{
    const char *names[PROFILE_TOP];
    double before[PROFILE_TOP], after[PROFILE_TOP];
    for (size_t i = 0; i < all->tops; i++) {
        names[i] = all->top[i].value;
        before[i] = share_of(all, names[i]);
        after[i] = seen ? share_of(seen, names[i]) : 0;
    }
    canvas_put(c, 0, 0, STYLE_HEADER, "most frequent");
    Canvas bars = canvas_part(c, 1, 0, c->rows - 1, c->cols);
    chart_words(&bars, &(WordBars){.count = all->tops,
                                   .name = names,
                                   .value = before,
                                   .value2 = seen ? after : NULL});
}

static void draw_legend(const Canvas *c, int col)
{
    Canvas part = canvas_part(c, 0, col, 1, c->cols - col);
    int x = canvas_put(&part, 0, 0, STYLE_BEFORE, glyph(c, GLYPH_BLOCK));
    x += canvas_put(&part, 0, x, STYLE_DIM, " all  ");
    x += canvas_put(&part, 0, x, STYLE_AFTER, glyph(c, GLYPH_BLOCK));
    canvas_put(&part, 0, x, STYLE_DIM, " shown");
}

static void draw_distribution(const ColumnProfile *all, const ColumnProfile *seen, const Canvas *c)
{
    double before[PROFILE_BINS], after[PROFILE_BINS], low, high;
    bool inner = data_distribution(all, before, &low, &high);
    int x = canvas_put(c, 0, 0, STYLE_HEADER, "distribution");
    if (inner)
        x += 2 + canvas_put(c, 0, x + 2, STYLE_DIM, "1 % to 99 %");
    if (seen) {
        data_shares(all, low, high, before);
        data_shares(seen, low, high, after);
        draw_legend(c, x + 3);
    }
    Canvas plot = canvas_part(c, 1, 0, c->rows - 1, c->cols);
    bool dates = all->type == COLUMN_TIME || all->type == COLUMN_DATE;
    if (dates)
        plot = canvas_part(c, 1, 0, c->rows - 2, c->cols);
    chart_histogram(&plot, &(Histogram){.value = before,
                                        .value2 = seen ? after : NULL,
                                        .bins = PROFILE_BINS,
                                        .low = dates ? 0 : low,
                                        .high = dates ? 0 : high});
    if (!dates)
        return;
    Text from = {0}, to = {0};
    data_add_value(all, low, &from);
    data_add_value(all, high, &to);
    canvas_put(c, c->rows - 1, 0, STYLE_AXIS, text_str(&from));
    int wide = c->cols > PROFILE_BINS ? c->cols / PROFILE_BINS * PROFILE_BINS : c->cols;
    if (wide > (int)(from.count + to.count + 1))
        canvas_put(c, c->rows - 1, wide - (int)to.count, STYLE_AXIS, text_str(&to));
    text_release(&from);
    text_release(&to);
}

static void draw_pictures(const ColumnProfile *all, const ColumnProfile *seen, const Canvas *c)
{
    if (!all->numeric || all->most <= all->least) {
        draw_tops(all, seen, c);
        return;
    }
    bool frequent =
        all->tops && (double)all->top[0].count >= 0.02 * (double)(all->count - all->missing);
    int rows = !frequent      ? (c->rows > 30 ? 30 : c->rows)
               : c->rows > 24 ? c->rows * 3 / 5
               : c->rows > 14 ? c->rows - 6
                              : c->rows;
    Canvas upper = canvas_part(c, 0, 0, rows, c->cols);
    draw_distribution(all, seen, &upper);
    if (frequent && c->rows - rows >= 4) {
        Canvas lower = canvas_part(c, rows + 1, 0, c->rows - rows - 1, c->cols);
        draw_tops(all, seen, &lower);
    }
}

/* ---- the view ------------------------------------------------------------------------------------------------------- */

static void title(const DataState *s, const Canvas *c, Text *title_text, Text *note)
{
    text_printf(title_text, " %s %s", glyph(c, GLYPH_DOT), s->column[s->focus].title);
    if (data_filtered(s)) {
        data_add_filter(s, c, title_text);
        data_add_grouped(data_rows(s), note);
        text_puts(note, " of ");
    }
    data_add_grouped(dataset_rows(s->data->data), note);
    text_puts(note, " rows");
}

static void layout(DataState *s, int rows, int cols)
{
    (void)s;
    (void)rows;
    (void)cols;
}

static void draw(const DataState *s, const Canvas *in, bool active, const Ui *ui)
{
    (void)active;
    (void)ui;
    const ColumnProfile *all = data_profile_of(s, s->focus);
    if (!all) {
        canvas_put(in, 1, 2, STYLE_DIM, "no profile of this column");
        return;
    }
    const ColumnProfile *seen = data_filtered(s) ? data_profile_seen(s, s->focus) : NULL;
    Canvas facts = canvas_part(in, 0, 1, in->rows, FACTS - 2);
    draw_facts(seen ? seen : all, &s->data->schema.field[s->focus], &facts);
    Canvas right = canvas_part(in, 0, FACTS + 1, in->rows, in->cols - FACTS - 2);
    draw_pictures(all, seen, &right);
}

static void enter(DataState *s, Ui *ui)
{
    data_describe_column(s, s->focus, ui);
}

/* The neighbours as they stand in the table. */
static Reply command(DataState *s, int what, Ui *ui)
{
    size_t at = data_place(s, s->focus);
    at = at == SIZE_MAX ? 0 : at;
    if ((what == UI_LEFT || what == UI_UP) && at > 0)
        at--;
    else if ((what == UI_RIGHT || what == UI_DOWN) && at + 1 < s->shown)
        at++;
    else if (what == UI_TOP || what == UI_FIRST)
        at = 0;
    else if (what == UI_BOTTOM || what == UI_LAST)
        at = s->shown - 1;
    else
        return what <= UI_LAST ? REPLY_DRAW : REPLY_IGNORED;
    data_focus(s, s->order[at]);
    enter(s, ui);
    return REPLY_DRAW;
}

const ViewKind data_column_view = {
    .title = title, .layout = layout, .draw = draw, .command = command, .enter = enter, .chart = data_column_chart};
