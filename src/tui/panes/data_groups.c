/* data_groups.c -- rows in groups: how often each value of a column occurs, of several columns together, with
 * measures of others (a pivot), of the rows that pass the filter. */
#include "data_groups_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void data_groups_drop(DataState *s)
{
    if (s->groups)
        groups_release(s->groups);
    mem_free(s->groups);
    s->groups = NULL;
}

/* ---- sorting ------------------------------------------------------------------------------------------------------- */

static void sort_by(DataState *s, bool down)
{
    s->groups->sort = s->groups->table.col;
    s->groups->down = down;
    groups_sort(s);
}

void data_group_up(DataState *s, Ui *ui)
{
    (void)ui;
    sort_by(s, false);
}

void data_group_down(DataState *s, Ui *ui)
{
    (void)ui;
    sort_by(s, true);
}

/* ---- drawing ------------------------------------------------------------------------------------------------------- */

static void add_real(double v, double scale, Text *into)
{
    int decimals = scale >= 1e6 ? 0 : scale >= 1000 ? 1 : scale >= 10 ? 2 : scale >= 0.1 ? 4 : 6;
    text_printf(into, "%.*f", decimals, v);
}

static void cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    const DataState *s = context;
    const Groups *g = s->groups;
    const GroupColumn *c = &g->column[column];
    size_t at;
    const Column *values = groups_value(g, (size_t)row, column, &at);
    if (!values || !column_has(values, at)) {
        text_puts(out->text, c->kind == SHOW_KEY ? "missing" : "-");
        out->style = STYLE_MISSING;
        return;
    }
    out->style = c->kind == SHOW_KEY ? data_style(values->type) : STYLE_NUMBER;
    if (c->kind == SHOW_SHARE) {
        data_add_share(g->total > 0 ? column_real(values, at) / g->total : 0, out->text);
        out->style = STYLE_DIM;
    } else if (c->kind == SHOW_COUNT || (c->kind == SHOW_ACROSS && values->type == COLUMN_INT)) {
        data_add_grouped((uint64_t)column_real(values, at), out->text);
    } else if (c->kind == SHOW_KEY && values->type == COLUMN_REAL &&
               g->spec.key[c->at].part == GROUP_BIN) {
        text_printf(out->text, "%.6g", column_real(values, at));
    } else if (values->type == COLUMN_REAL && c->kind != SHOW_KEY) {
        add_real(column_real(values, at), c->scale, out->text);
    } else {
        column_print(values, at, out->text);
    }
}

static bool paint(const void *context, uint64_t row, size_t column, const Canvas *part,
                  Style ground)
{
    const DataState *s = context;
    const Groups *g = s->groups;
    if (g->column[column].kind != SHOW_BAR)
        return false;
    const Column *count = &g->chunk.column[g->spec.keys];
    double most = 0, v = column_real(count, groups_first(g, (size_t)row));
    if (g->rows) /* as they came the first is the largest */
        most = column_real(count, 0);
    canvas_fill(part, ground);
    int wide = v > 0 && most > 0 ? (int)fmax(1, round(v / most * part->cols)) : 0;
    for (int i = 0; i < wide; i++) /* not as high as the row: many rows would be one slab */
        canvas_char(part, 0, i, style_on(STYLE_BAR, ground), canvas_unicode(part) ? 0x2586 : '#');
    return true;
}

static bool is_marked(const void *context, uint64_t row)
{
    const DataState *s = context;
    return s->groups->mark[row] != 0;
}

static TableSource source(const DataState *s)
{
    const Groups *g = s->groups;
    return (TableSource){.context = s,
                         .rows = g->rows,
                         .columns = g->columns,
                         .column = g->head,
                         .cell = cell,
                         .paint = paint,
                         .marked = g->marks ? is_marked : NULL,
                         .empty = g->made ? "There are no rows to group." : "Grouping ..."};
}

static void title(const DataState *s, const Canvas *c, Text *title_text, Text *note)
{
    const Groups *g = s->groups;
    text_printf(title_text, " %s", glyph(c, GLYPH_DOT));
    for (size_t k = 0; k < g->spec.keys; k++) {
        bool across = g->across && k == g->spec.keys - 1;
        text_printf(title_text, "%s%s",
                    k == 0   ? " "
                    : across ? " across "
                             : ", ",
                    s->data->schema.field[g->spec.key[k].column].name);
    }
    if (g->across && g->made)
        text_printf(title_text, ": %s", g->chunk.column[g->chunk.columns - 1].name);
    data_add_filter(s, c, title_text);
    if (g->sort < g->columns)
        text_printf(note, "%s %s %s ", glyph(c, g->down ? GLYPH_DOWN : GLYPH_UP),
                    g->column[g->sort].title, glyph(c, GLYPH_DOT));
    if (g->marks)
        text_printf(note, "%zu marked %s ", g->marks, glyph(c, GLYPH_DOT));
    if (!g->made)
        return;
    data_add_grouped(g->rows, note);
    text_puts(note, g->rows == 1 ? " group of " : " groups of ");
    data_add_grouped((uint64_t)g->total, note);
    text_puts(note, " rows");
}

static void layout(DataState *s, int rows, int cols)
{
    TableSource all = source(s);
    table_layout(&s->groups->table, &all, rows, cols);
}

static void draw(const DataState *s, const Canvas *in, bool active, const Ui *ui)
{
    (void)ui;
    TableSource all = source(s);
    table_draw(&s->groups->table, &all, in, active, DATA_ZONE_MAIN);
}

static void copy(const DataState *s, Ui *ui)
{
    Text t = {0};
    Cell one = {&t, STYLE_PLAIN};
    if (s->groups->rows)
        cell(s, s->groups->table.at, s->groups->table.col, &one);
    ui_copy(ui, text_str(&t));
    text_release(&t);
}

static void mark(DataState *s)
{
    Groups *g = s->groups;
    TableSource all = source(s);
    if (!g->rows)
        return;
    uint8_t *m = &g->mark[g->table.at];
    g->marks += *m ? (size_t)-1 : 1;
    *m = !*m;
    table_command(&g->table, &all, UI_DOWN);
}

static void follow(DataState *s)
{
    if (s->groups->columns)
        data_focus(s, s->groups->spec.key[groups_key_at_cursor(s)].column);
}

static Reply command(DataState *s, int what, Ui *ui)
{
    TableSource all = source(s);
    if (what == UI_COPY)
        copy(s, ui);
    else if (what == UI_MARK)
        mark(s);
    if (what == UI_COPY || what == UI_MARK)
        return REPLY_DRAW;
    Reply reply = table_command(&s->groups->table, &all, what);
    follow(s);
    return reply;
}

static Reply mouse(DataState *s, const Mouse *m, Ui *ui)
{
    TableSource all = source(s);
    Reply reply = table_mouse(&s->groups->table, &all, m);
    follow(s);
    if (m->kind == MOUSE_DOUBLE)
        data_group_rows(s, ui);
    return reply;
}

/* Shown, or the rows are other ones: an answer that is missing is asked for. */
static void enter(DataState *s, Ui *ui)
{
    if (s->groups->stale)
        groups_ask(s, ui);
}

const ViewKind data_groups_view = {.title = title,
                                   .wide = true,
                                   .layout = layout,
                                   .draw = draw,
                                   .command = command,
                                   .mouse = mouse,
                                   .enter = enter,
                                   .source = source};
