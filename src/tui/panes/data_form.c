/* data_form.c -- one row as a form: every column of it (hidden ones too), with its place among the others. */
#include "data_int.h"

#include <stdio.h>

enum { FORM_NAME, FORM_TYPE, FORM_RANK, FORM_VALUE, FORM_COLUMNS };
static const TableColumn form_columns[] = {
    [FORM_NAME] = {.title = "column", .width = 20},
    [FORM_TYPE] = {.title = "type", .width = 9},
    [FORM_RANK] = {.title = "above", .width = 5, .align = ALIGN_RIGHT}, /* so many of the others */
    [FORM_VALUE] = {.title = "value", .width = 16, .stretch = true},
};

/* The share of the values of the column that are less, by its quantiles. */
static double rank_of(const ColumnProfile *p, double v)
{
    int i = 0;
    while (i < PROFILE_QUANTILES - 1 && p->quantile[i + 1] < v)
        i++;
    return (double)i / (PROFILE_QUANTILES - 1);
}

static void add_rank(const DataState *s, uint64_t row, size_t column, Cell *out)
{
    const ColumnProfile *p = data_profile_of(s, column);
    size_t in_chunk;
    const Column *c = &data_chunk_of(s, row, &in_chunk)->column[column];
    if (!p || !p->numeric || p->most <= p->least || p->type == COLUMN_BOOL)
        return;
    double share = rank_of(p, column_real(c, in_chunk));
    text_printf(out->text, "%.0f%%", share * 100);
    out->style = share >= 0.99 || share < 0.01 ? STYLE_WARN : STYLE_DIM;
}

static void cell(const void *context, uint64_t i, size_t column, Cell *out)
{
    const DataState *s = context;
    const Field *f = &s->data->schema.field[i];
    uint64_t row = data_row(s, s->table.at);
    bool missing = data_cell_missing(s, row, i);
    if (column == FORM_NAME) {
        text_puts(out->text, f->name);
        out->style = f->role == ROLE_FEATURE ? STYLE_STRONG : role_style(f->role);
    } else if (column == FORM_TYPE) {
        text_puts(out->text, column_type_name(f->type));
        out->style = STYLE_DIM;
    } else if (column == FORM_VALUE) {
        data_cell_text(s, row, i, out->text);
        out->style = missing ? STYLE_MISSING : data_style(f->type);
        if (missing)
            text_puts(out->text, "missing");
    } else if (!missing) {
        add_rank(s, row, i, out);
    }
}

static TableSource source(const DataState *s)
{
    return (TableSource){.context = s,
                         .rows = data_rows(s) ? s->columns : 0,
                         .columns = FORM_COLUMNS,
                         .column = form_columns,
                         .cell = cell,
                         .empty = "There is no row here."};
}

static void title(const DataState *s, const Canvas *c, Text *title_text, Text *note)
{
    text_printf(title_text, " %s row ", glyph(c, GLYPH_DOT));
    data_add_grouped(data_rows(s) ? data_row(s, s->table.at) + 1 : 0, title_text);
    if (data_rows(s) && marks_has(&s->marks, data_row(s, s->table.at)))
        text_puts(title_text, ", marked");
    data_add_grouped(s->table.at + 1, note);
    text_puts(note, " of ");
    data_add_grouped(data_rows(s), note);
    text_puts(note, " shown");
}

static void layout(DataState *s, int rows, int cols)
{
    TableSource form = source(s), table = data_table_source(s);
    table_layout(&s->table, &table, rows, cols); /* its rows may have become fewer */
    table_layout(&s->form, &form, rows, cols);
}

static void draw(const DataState *s, const Canvas *in, bool active, const Ui *ui)
{
    (void)ui;
    TableSource form = source(s);
    table_draw(&s->form, &form, in, active, DATA_ZONE_MAIN);
}

/* Up and down go through the columns, left and right through the rows. */
static Reply command(DataState *s, int what, Ui *ui)
{
    TableSource form = source(s), table = data_table_source(s);
    switch (what) {
    case UI_LEFT:
    case UI_RIGHT:
        return table_command(&s->table, &table, what == UI_LEFT ? UI_UP : UI_DOWN);
    case UI_FIRST:
    case UI_LAST:
        return table_command(&s->table, &table, what == UI_FIRST ? UI_TOP : UI_BOTTOM);
    case UI_COPY:
        data_copy(s, ui);
        return REPLY_DRAW;
    case UI_MARK:
        data_mark(s, ui);
        return REPLY_DRAW;
    }
    Reply reply = table_command(&s->form, &form, what);
    data_focus(s, (size_t)s->form.at);
    return reply;
}

static Reply mouse(DataState *s, const Mouse *m, Ui *ui)
{
    (void)ui;
    TableSource form = source(s);
    Reply reply = table_mouse(&s->form, &form, m);
    data_focus(s, (size_t)s->form.at);
    return reply;
}

const ViewKind data_form_view = {.title = title,
                                 .wide = true,
                                 .layout = layout,
                                 .draw = draw,
                                 .command = command,
                                 .mouse = mouse,
                                 .source = source};
