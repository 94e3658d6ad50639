/* data_schema.c -- the schema: the columns with their types and roles, and what is in them. */
#include "data_int.h"

#include <math.h>
#include <stdio.h>

enum {
    SCHEMA_NAME,
    SCHEMA_TYPE,
    SCHEMA_ROLE,
    SCHEMA_MISSING,
    SCHEMA_DISTINCT,
    SCHEMA_SPARK,
    SCHEMA_LEAST,
    SCHEMA_MEAN,
    SCHEMA_MOST,
    SCHEMA_TOP
};

static const TableColumn schema_columns[] = {
    [SCHEMA_NAME] = {.title = "column", .width = 22},
    [SCHEMA_TYPE] = {.title = "type", .width = 9},
    [SCHEMA_ROLE] = {.title = "role", .width = 8},
    [SCHEMA_MISSING] = {.title = "missing", .width = 7, .align = ALIGN_RIGHT},
    [SCHEMA_DISTINCT] = {.title = "distinct", .width = 8, .align = ALIGN_RIGHT},
    [SCHEMA_SPARK] = {.title = "distribution", .width = 14},
    [SCHEMA_LEAST] = {.title = "min", .width = 10, .align = ALIGN_RIGHT},
    [SCHEMA_MEAN] = {.title = "mean", .width = 9, .align = ALIGN_RIGHT},
    [SCHEMA_MOST] = {.title = "max", .width = 10, .align = ALIGN_RIGHT},
    [SCHEMA_TOP] = {.title = "most frequent", .width = 24, .stretch = true},
};

static void schema_cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    const DataState *s = context;
    const Field *f = &s->data->schema.field[row];
    const ColumnProfile *p = data_profile_of(s, row);
    double missing = p && p->count ? (double)p->missing / (double)p->count : 0;
    out->style = STYLE_PLAIN;
    if (column == SCHEMA_NAME) {
        text_puts(out->text, f->name);
        out->style = f->role == ROLE_FEATURE ? STYLE_STRONG : role_style(f->role);
    } else if (column == SCHEMA_TYPE) {
        text_puts(out->text, column_type_name(f->type));
        out->style = data_style(f->type);
    } else if (column == SCHEMA_ROLE) {
        text_puts(out->text, role_name(f->role));
        out->style = f->role == ROLE_FEATURE ? STYLE_ROLE_FEATURE : role_style(f->role);
    } else if (!p) {
        out->style = STYLE_MISSING;
        text_puts(out->text, "-");
    } else if (column == SCHEMA_MISSING) {
        data_add_share(missing, out->text);
        out->style = missing == 0     ? STYLE_DIM
                     : missing > 0.5  ? STYLE_BAD
                     : missing > 0.05 ? STYLE_WARN
                                      : STYLE_PLAIN;
    } else if (column == SCHEMA_DISTINCT) {
        text_add_count(out->text, round(p->distinct));
        out->style = p->distinct <= 1 ? STYLE_WARN : STYLE_PLAIN;
    } else if (column == SCHEMA_TOP) {
        data_add_tops(p, out->text);
        out->style = STYLE_DIM;
    } else if (!p->numeric ||
               (column == SCHEMA_MEAN && (p->type == COLUMN_TIME || p->type == COLUMN_DATE))) {
        out->style = STYLE_MISSING;
    } else {
        data_add_value(p,
                       column == SCHEMA_LEAST  ? p->least
                       : column == SCHEMA_MOST ? p->most
                                               : p->mean,
                       out->text);
        out->style = STYLE_NUMBER;
    }
}

static bool schema_paint(const void *context, uint64_t row, size_t column, const Canvas *cell,
                         Style ground)
{
    if (column != SCHEMA_SPARK)
        return false;
    data_paint_spark(data_profile_of(context, row), cell, ground);
    return true;
}

static TableSource source(const DataState *s)
{
    return (TableSource){.context = s,
                         .rows = s->columns,
                         .columns = sizeof schema_columns / sizeof *schema_columns,
                         .column = schema_columns,
                         .cell = schema_cell,
                         .paint = schema_paint,
                         .empty = "This dataset has no columns."};
}

static void title(const DataState *s, const Canvas *c, Text *title_text, Text *note)
{
    text_printf(title_text, " %s schema", glyph(c, GLYPH_DOT));
    text_printf(note, "%zu columns", s->columns);
}

static void layout(DataState *s, int rows, int cols)
{
    TableSource schema = source(s);
    table_layout(&s->schema, &schema, rows, cols);
}

static void draw(const DataState *s, const Canvas *in, bool active, const Ui *ui)
{
    (void)ui;
    TableSource schema = source(s);
    table_draw(&s->schema, &schema, in, active, DATA_ZONE_MAIN);
}

static Reply command(DataState *s, int what, Ui *ui)
{
    TableSource schema = source(s);
    if (what == UI_COPY) {
        ui_copy(ui, s->data->schema.field[s->focus].name);
        return REPLY_DRAW;
    }
    Reply reply = table_command(&s->schema, &schema, what);
    data_focus(s, (size_t)s->schema.at);
    return reply;
}

static Reply mouse(DataState *s, const Mouse *m, Ui *ui)
{
    TableSource schema = source(s);
    Reply reply = table_mouse(&s->schema, &schema, m);
    data_focus(s, (size_t)s->schema.at);
    if (m->kind == MOUSE_DOUBLE)
        data_show(s, VIEW_COLUMN, ui);
    return reply;
}

const ViewKind data_schema_view = {.title = title,
                                   .wide = true,
                                   .layout = layout,
                                   .draw = draw,
                                   .command = command,
                                   .mouse = mouse,
                                   .source = source};
