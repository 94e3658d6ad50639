/* whatif_draw.c -- the form of a what-if on the screen: the prediction, and a line a column with what it does. */
#include "chart.h"
#include "whatif_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* With its sign. */
static int print_change(const Canvas *c, int row, int col, int width, Style style, double v)
{
    Text t = {0};
    text_puts(&t, v > 0 ? "+" : "");
    chart_figure(v, fabs(v) < 1e-3 ? 3 : 4, &t);
    int wide = (int)utf8_width(text_str(&t), t.count);
    canvas_put(c, row, width > wide ? col + width - wide : col, style, text_str(&t));
    text_release(&t);
    return wide;
}

static int print_figure(const Canvas *c, int row, int col, Style style, double v)
{
    Text t = {0};
    chart_figure(v, 5, &t);
    col = canvas_put(c, row, col, style, text_str(&t));
    text_release(&t);
    return col;
}

/* What was said before and what is said now, and what the table has. */
static void draw_prediction(const Whatif *w, const WhatifAnswer *a, const Canvas *c)
{
    int col = 1 + canvas_printf(c, 0, 1, STYLE_ROLE_TARGET, "%s ", a->target);
    if (a->class)
        col += canvas_printf(c, 0, col, STYLE_STRONG, "%s ", a->class);
    if (w->ask.changes) {
        col += print_figure(c, 0, col, STYLE_BEFORE, a->before) + 1;
        col += canvas_printf(c, 0, col, STYLE_DIM, "%s ", glyph(c, GLYPH_ARROW));
    }
    if (isnan(a->after))
        col += canvas_printf(c, 0, col, STYLE_WARN, "rule %u of the recipe drops such a row", a->dropped_by);
    else
        col += print_figure(c, 0, col, STYLE_AFTER, a->after);
    if (w->ask.changes && isfinite(a->after - a->before))
        col += 2 + print_change(c, 0, col + 2, 0, STYLE_STRONG, a->after - a->before);
    if (a->was)
        col += 2 + canvas_printf(c, 0, col + 2, STYLE_BEFORE, "was %s", a->was);
    if (a->truth_class || isfinite(a->truth))
        col += 3 + canvas_put(c, 0, col + 3, STYLE_DIM, "in the table ");
    if (a->truth_class)
        canvas_put(c, 0, col, STYLE_DIM, a->truth_class);
    else
        print_figure(c, 0, col, STYLE_DIM, a->truth);
}

/* How the effects were found: they mean different things. */
static void draw_method(const WhatifAnswer *a, const Canvas *c)
{
    char text[200];
    Text base = {0};
    chart_figure(a->base, 5, &base);
    if (a->exact && a->score)
        snprintf(text, sizeof text, "SHAP, exact: the %s is %s plus what each column adds", a->score, text_str(&base));
    else
        snprintf(text, sizeof text, "by swaps (no SHAP of %s): against the values of %d other rows",
                 a->family, WHATIF_OTHERS);
    if (!a->exact || a->score)
        canvas_field(c, 1, 1, c->cols - 2, ALIGN_LEFT, STYLE_DIM, text);
    text_release(&base);
}

static const char *const says_nothing[] = {
    [WHATIF_UNUSED] = "not used", [WHATIF_RECIPE] = "in a rule", [WHATIF_INPUT] = "-"};

static void draw_effect(const WhatifAnswer *a, size_t i, const Canvas *c, int row, int from, double most)
{
    if (isnan(a->effect[i])) {
        canvas_field(c, row, c->cols - 10, 9, ALIGN_RIGHT, STYLE_DIM, says_nothing[isnan(a->after) ? WHATIF_INPUT : a->use[i]]);
        return;
    }
    int room = (c->cols - from - 11) / 2, mid = from + room;
    double share = most > 0 ? fabs(a->effect[i]) / most : 0;
    int wide = (int)lround(share * room);
    Style style = a->effect[i] < 0 ? STYLE_MINUS_1 : STYLE_PLUS_1;
    for (int k = 0; k < wide; k++)
        canvas_char(c, row, a->effect[i] < 0 ? mid - 1 - k : mid + k, style_on(style, STYLE_PLAIN), canvas_unicode(c) ? 0x2586 : '#');
    print_change(c, row, c->cols - 10, 9, share > 0.01 ? STYLE_NUMBER : STYLE_DIM, a->effect[i]);
}

/* Numbers in the digits that count; the field for another value has all of them. */
static void draw_value(const WhatifAnswer *a, size_t i, const Canvas *c, int row, int col, int width)
{
    bool changed = i < a->columns && strcmp(a->now[i], a->value[i]) != 0;
    Text text = {0};
    double v;
    if (a->type[i] == COLUMN_REAL && text_to_real(a->now[i], strlen(a->now[i]), &v) && isfinite(v))
        chart_figure(v, 6, &text);
    else
        text_puts(&text, *a->now[i] ? a->now[i] : "missing");
    canvas_field(c, row, col, width, ALIGN_LEFT, changed ? STYLE_MARK : !*a->now[i] ? STYLE_MISSING : a->use[i] ? STYLE_PLAIN : STYLE_DIM,
                 text_str(&text));
    text_release(&text);
}

void whatif_draw(const Overlay *o, const Canvas *screen, const Ui *ui)
{
    const Whatif *w = (const Whatif *)o;
    const WhatifAnswer *a = w->answer;
    char title[120];
    (void)ui;
    snprintf(title, sizeof title, "What if: run %lld, row %llu", (long long)w->ask.run, (unsigned long long)w->ask.row + 1);
    Canvas in = overlay_box(screen, screen->rows - 2, 130, title, "n N row, Enter + - change");
    canvas_fill(&in, STYLE_PLAIN);
    if (!a) {
        canvas_wrap(&in, 1, 2, in.cols - 4, *w->trouble ? STYLE_BAD : STYLE_DIM, *w->trouble ? w->trouble : "Scoring ...");
        return;
    }
    draw_prediction(w, a, &in);
    int name = in.cols / 4, value = in.cols / 5;
    double most = 0;
    draw_method(a, &in);
    for (size_t i = 0; i < a->all; i++)
        most = isnan(a->effect[i]) ? most : fmax(most, fabs(a->effect[i]));
    canvas_field(&in, 2, 1, name - 2, ALIGN_LEFT, STYLE_HEADER, "column");
    canvas_field(&in, 2, name, value, ALIGN_LEFT, STYLE_HEADER, "value");
    canvas_field(&in, 2, name + value + 1, in.cols - name - value - 12, ALIGN_CENTRE, STYLE_HEADER, "takes off   adds");
    for (size_t line = w->top; line < a->all && (int)(line - w->top) < in.rows - 4; line++) {
        int row = 3 + (int)(line - w->top);
        size_t i = a->order[line];
        canvas_field(&in, row, 1, name - 2, ALIGN_LEFT, i >= a->columns ? STYLE_KEYWORD : a->use[i] ? STYLE_PLAIN : STYLE_DIM,
                     a->name[i]);
        draw_value(a, i, &in, row, name, value);
        draw_effect(a, i, &in, row, name + value + 1, most);
        if (line == w->at)
            canvas_restyle(&in, row, 0, name + value, STYLE_CURSOR);
        canvas_zone(&in, row, 0, 1, in.cols, ZONE_FIELD, (int64_t)line);
    }
    if (*w->trouble)
        canvas_field(&in, in.rows - 1, 1, in.cols - 2, ALIGN_LEFT, STYLE_BAD, w->trouble);
}
