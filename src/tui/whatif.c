/* whatif.c -- a row as a form over the panes: values at the left, the prediction and what each column does to it at
 * the right; both move with every change. */
#include "chart.h"
#include "whatif_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct Whatif {
    Overlay overlay;
    Ui *ui;
    WhatifAsk ask; /* changes are the overlay's */
    WhatifAnswer *answer;
    char trouble[300];
    size_t at, top;
    int rows;
} Whatif;

enum { SLOT_WHATIF = 1, ZONE_FIELD = 1 };
enum { WHATIF_EDIT = PANE_COMMANDS, WHATIF_MORE, WHATIF_LESS, WHATIF_RESET, WHATIF_NEXT, WHATIF_BEFORE, WHATIF_LEAVE };
static const KeyRow keys[] = {{WHATIF_EDIT, "edit", "Enter", "change", "type another value", 0},
                              {WHATIF_MORE, "more", "+ l Right", "more", "a tenth more", 0},
                              {WHATIF_LESS, "less", "- h Left", "less", "a tenth less", 0},
                              {WHATIF_RESET, "reset", "u", "as it was", "the value of the table again", 0},
                              {WHATIF_NEXT, "next-row", "n", "next row", "the next row of the table", 0},
                              {WHATIF_BEFORE, "row-before", "N", NULL, "the row before", 0},
                              {UI_DOWN, "down", "j Down", NULL, "the next column", 0},
                              {UI_UP, "up", "k Up", NULL, "the column before", 0},
                              {WHATIF_LEAVE, "leave", "Esc q", "close", "back to the pane", 0},
                              {0}};

static void scored(void *owner, void *result, const Error *err, Ui *ui)
{
    Whatif *w = owner;
    if (result) {
        whatif_answer_free(w->answer);
        w->answer = result;
        *w->trouble = 0;
    } else if (err->kind != ERROR_STOP) {
        snprintf(w->trouble, sizeof w->trouble, "%.299s", err->text);
    }
    ui_draw(ui);
}

static void score(Whatif *w)
{
    WhatifAsk *ask = mem_copy(&w->ask, sizeof w->ask);
    for (size_t i = 0; i < ask->changes; i++)
        ask->change[i].value = text_copy(w->ask.change[i].value);
    ui_job(w->ui, (Job){.owner = w, .slot = SLOT_WHATIF, .what = "scoring", .run = whatif_score, .input = ask,
                        .release_input = whatif_ask_free, .done = scored, .release = whatif_answer_free, .quiet = true,
                        .urgent = true});
}

static void forget(Whatif *w, size_t column)
{
    size_t k = 0;
    for (size_t i = 0; i < w->ask.changes; i++)
        if (w->ask.change[i].column == column)
            mem_free(w->ask.change[i].value);
        else
            w->ask.change[k++] = w->ask.change[i];
    w->ask.changes = k;
}

static void change(Whatif *w, size_t column, const char *value)
{
    forget(w, column);
    if (w->ask.changes < WHATIF_MOST && w->answer && strcmp(w->answer->value[column], value) != 0)
        w->ask.change[w->ask.changes++] = (WhatifChange){column, text_copy(value)};
    score(w);
}

static void typed(void *owner, const char *text, Ui *ui)
{
    Whatif *w = owner;
    (void)ui;
    if (w->answer && w->at < w->answer->columns)
        change(w, w->at, text);
}

static void edit(Whatif *w, Ui *ui)
{
    const WhatifAnswer *a = w->answer;
    if (a && w->at >= a->columns)
        ui_say(ui, STYLE_INFO, "%s is made by the recipe: change what it is made of", a->name[w->at]);
    else if (a)
        ui_ask(ui, &(Ask){.title = "What if it were", .label = a->name[w->at], .initial = a->now[w->at], .owner = w,
                          .about = "empty: missing", .done = typed});
}

static void nudge(Whatif *w, double by)
{
    const WhatifAnswer *a = w->answer;
    double v;
    char text[40];
    if (!a || w->at >= a->columns || !text_to_real(a->now[w->at], strlen(a->now[w->at]), &v))
        return;
    bool whole = strspn(a->value[w->at], "-0123456789") == strlen(a->value[w->at]);
    double step = fabs(v) * 0.1 > 0 ? fabs(v) * 0.1 : 1;
    step = whole && step < 1 ? 1 : step;
    snprintf(text, sizeof text, whole ? "%.0f" : "%.6g", v + by * step);
    change(w, w->at, text);
}

/* ---- drawing ------------------------------------------------------------------------------------------- */

static void whatif_layout(Overlay *o, const Ui *ui, int rows, int cols)
{
    Whatif *w = (Whatif *)o;
    (void)ui;
    (void)cols;
    w->rows = rows - 9 > 3 ? rows - 9 : 3;
    if (w->at < w->top)
        w->top = w->at;
    if (w->at >= w->top + (size_t)w->rows)
        w->top = w->at - (size_t)w->rows + 1;
}

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

static void draw_prediction(const Whatif *w, const WhatifAnswer *a, const Canvas *c)
{
    int col = 1 + canvas_printf(c, 0, 1, STYLE_ROLE_TARGET, "%s ", a->target);
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
    if (isfinite(a->truth))
        print_figure(c, 0, col + 3 + canvas_put(c, 0, col + 3, STYLE_DIM, "in the table "), STYLE_DIM, a->truth);
}

/* How the effects were found: they mean different things. */
static void draw_method(const WhatifAnswer *a, const Canvas *c)
{
    char text[200];
    Text base = {0};
    chart_figure(a->base, 5, &base);
    if (a->exact && a->score)
        snprintf(text, sizeof text, "SHAP, exact: the %s is %s, as in every row, and what the columns add", a->score, text_str(&base));
    else
        snprintf(text, sizeof text, "by swaps (no SHAP of %s): the prediction less its mean with the values of %d other rows",
                 a->family, WHATIF_OTHERS);
    if (!a->exact || a->score)
        canvas_field(c, 1, 1, c->cols - 2, ALIGN_LEFT, STYLE_DIM, text);
    text_release(&base);
}

static void draw_effect(const WhatifAnswer *a, size_t i, const Canvas *c, int row, int from, double most)
{
    if (isnan(a->effect[i])) {
        canvas_field(c, row, c->cols - 10, 9, ALIGN_RIGHT, STYLE_DIM, isnan(a->after) ? "-" : "not used");
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

static void whatif_draw(const Overlay *o, const Canvas *screen, const Ui *ui)
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
    canvas_field(&in, 2, name + value + 1, in.cols - name - value - 2, ALIGN_LEFT, STYLE_HEADER,
                 "takes off, or adds");
    for (size_t i = w->top; i < a->all && (int)(i - w->top) < in.rows - 4; i++) {
        int row = 3 + (int)(i - w->top);
        bool made = i >= a->columns, changed = !made && strcmp(a->now[i], a->value[i]) != 0;
        canvas_field(&in, row, 1, name - 2, ALIGN_LEFT, made ? STYLE_KEYWORD : STYLE_PLAIN, a->name[i]);
        canvas_field(&in, row, name, value, ALIGN_LEFT, changed ? STYLE_MARK : *a->now[i] ? STYLE_PLAIN : STYLE_MISSING,
                     *a->now[i] ? a->now[i] : "missing");
        draw_effect(a, i, &in, row, name + value + 1, most);
        if (i == w->at)
            canvas_restyle(&in, row, 0, name + value, STYLE_CURSOR);
        canvas_zone(&in, row, 0, 1, in.cols, ZONE_FIELD, (int64_t)i);
    }
    if (*w->trouble)
        canvas_field(&in, in.rows - 1, 1, in.cols - 2, ALIGN_LEFT, STYLE_BAD, w->trouble);
}

/* ---- keys ------------------------------------------------------------------------------------------------ */

static void go_to_row(Whatif *w, int by)
{
    uint64_t rows = w->answer ? w->answer->rows : 0;
    if (!rows)
        return;
    w->ask.row = (w->ask.row + rows + (by > 0 ? 1 : rows - 1)) % rows;
    while (w->ask.changes)
        forget(w, w->ask.change[0].column);
    score(w);
}

static void whatif_key(Overlay *o, Key key, Ui *ui)
{
    Whatif *w = (Whatif *)o;
    size_t n = w->answer ? w->answer->all : 0;
    const KeyRow *row = key_find(keys, key, 1, false);
    switch (row ? row->command : key == (KEY_CTRL | 'c') ? WHATIF_LEAVE : 0) {
    case UI_DOWN:
        w->at += w->at + 1 < n;
        break;
    case UI_UP:
        w->at -= w->at > 0;
        break;
    case WHATIF_EDIT:
        edit(w, ui);
        break;
    case WHATIF_MORE:
    case WHATIF_LESS:
        nudge(w, row->command == WHATIF_MORE ? 1 : -1);
        break;
    case WHATIF_RESET:
        forget(w, w->at);
        score(w);
        break;
    case WHATIF_NEXT:
    case WHATIF_BEFORE:
        go_to_row(w, row->command == WHATIF_NEXT ? 1 : -1);
        break;
    case WHATIF_LEAVE:
        overlay_close(ui, w);
        break;
    }
}

static void whatif_mouse(Overlay *o, const Mouse *m, Ui *ui)
{
    Whatif *w = (Whatif *)o;
    if (m->kind >= MOUSE_WHEEL_UP)
        whatif_key(o, m->kind == MOUSE_WHEEL_UP ? NKEY_UP : NKEY_DOWN, ui);
    else if (m->id == ZONE_FIELD)
        w->at = (size_t)m->index;
    if (m->id == ZONE_FIELD && m->kind == MOUSE_DOUBLE)
        edit(w, ui);
}

static void whatif_destroy(Overlay *o)
{
    Whatif *w = (Whatif *)o;
    while (w->ask.changes)
        forget(w, w->ask.change[0].column);
    whatif_answer_free(w->answer);
}

static const OverlayKind whatif_kind = {.name = "what-if",
                                        .size = sizeof(Whatif),
                                        .layout = whatif_layout,
                                        .draw = whatif_draw,
                                        .on_key = whatif_key,
                                        .on_mouse = whatif_mouse,
                                        .destroy = whatif_destroy,
                                        .keys = keys};

void ui_whatif(Ui *ui, int64_t run, uint64_t row)
{
    Whatif *w = overlay_open(ui, &whatif_kind);
    w->ui = ui;
    w->ask.run = run;
    w->ask.row = row;
    score(w);
}
