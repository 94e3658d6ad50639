/* data_draw.c -- how the Data pane looks: the list of datasets with what is known of one, the main part, the
 * welcome of an empty workspace. */
#include "data_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const TableColumn list_columns[] = {{.title = "name", .width = 12, .stretch = true},
                                           {.title = "rows", .width = 6, .align = ALIGN_RIGHT}};

static void add_short_count(Text *t, double n)
{
    if (n < 100000)
        text_printf(t, "%.0f", n);
    else
        chart_number(n < 1e6 ? round(n / 1e3) * 1e3 : round(n / 1e5) * 1e5, t);
}

static void list_cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    const ListContext *l = context;
    const DatasetRow *d = &l->snapshot->dataset[row];
    bool chosen = text_equal(d->hash, l->chosen);
    if (column == 0) {
        text_puts(out->text, chosen ? (l->unicode ? "● " : "* ") : "  ");
        text_puts(out->text, d->name);
        out->style = chosen ? STYLE_STRONG : STYLE_PLAIN;
    } else {
        add_short_count(out->text, (double)d->rows);
        out->style = STYLE_DIM;
    }
}

static TableSource list_source(const ListContext *l)
{
    return (TableSource){.context = l,
                         .rows = l->snapshot->datasets,
                         .columns = 2,
                         .column = list_columns,
                         .cell = list_cell,
                         .empty = "none yet"};
}

TableSource data_list_source(const Ui *ui, ListContext *l)
{
    *l = (ListContext){ui_snapshot(ui), ui_dataset_hash(ui), true};
    return list_source(l);
}

const DatasetRow *data_under_cursor(const DataState *s, const Ui *ui)
{
    const Snapshot *snapshot = ui_snapshot(ui);
    return s->list.at < snapshot->datasets ? &snapshot->dataset[s->list.at] : NULL;
}

static void add_age(int64_t micros, Text *t)
{
    double seconds = (double)(time_now() - micros) / 1e6;
    if (seconds < 60)
        text_puts(t, "just now");
    else if (seconds < 3600)
        text_printf(t, "%.0f min ago", seconds / 60);
    else if (seconds < 48 * 3600)
        text_printf(t, "%.0f h ago", seconds / 3600);
    else
        text_printf(t, "%.0f days ago", seconds / 86400);
}

static void draw_details(const DatasetRow *d, const Canvas *c)
{
    Text t = {0};
    int row = 0;
    canvas_hline(c, row++, 0, c->cols, STYLE_BORDER);
    canvas_field(c, row++, 1, c->cols - 2, ALIGN_LEFT, STYLE_TITLE, d->name);
    text_add_count(&t, (double)d->rows);
    text_printf(&t, " %s %lld", glyph(c, GLYPH_TIMES), (long long)d->columns);
    canvas_field(c, row++, 1, c->cols - 2, ALIGN_LEFT, STYLE_PLAIN, text_str(&t));
    text_reset(&t);
    if (d->bytes > 0) {
        text_add_bytes(&t, (double)d->bytes);
        text_puts(&t, ", ");
    }
    add_age(d->created, &t);
    canvas_field(c, row++, 1, c->cols - 2, ALIGN_LEFT, STYLE_DIM, text_str(&t));
    text_reset(&t);
    text_printf(&t, "hash %.12s", d->hash);
    canvas_field(c, row++, 1, c->cols - 2, ALIGN_LEFT, STYLE_DIM, text_str(&t));
    text_reset(&t);
    if (d->rejects) {
        text_add_count(&t, (double)d->rejects);
        text_puts(&t, d->rejects == 1 ? " line rejected" : " lines rejected");
        canvas_field(c, row++, 1, c->cols - 2, ALIGN_LEFT, STYLE_WARN, text_str(&t));
        text_reset(&t);
    }
    if (*d->parent)
        text_printf(&t, "from %.8s by a recipe", d->parent);
    else {
        const char *slash = strrchr(d->source, '/');
        text_printf(&t, "%s", slash && slash[1] ? slash + 1 : d->source);
    }
    canvas_field(c, row++, 1, c->cols - 2, ALIGN_LEFT, STYLE_DIM, text_str(&t));
    text_release(&t);
}

/* ---- drawing --------------------------------------------------------------------------------------------------------- */

int data_list_width(int cols)
{
    return cols >= 180 ? 38 : cols >= 110 ? 32 : 22;
}

/* The schema wants the width more than the list does. */
bool data_list_shown(const DataState *s, const Ui *ui, int cols)
{
    if (s->data && !s->in_list && s->view == VIEW_SCHEMA && cols < 150)
        return false;
    return !ui_maximised(ui) || (s->in_list && !s->data);
}

static void draw_list(const DataState *s, const Canvas *c, const Ui *ui)
{
    ListContext l = {ui_snapshot(ui), ui_dataset_hash(ui), canvas_unicode(c)};
    TableSource list = list_source(&l);
    Canvas in = canvas_box(c, s->in_list ? STYLE_BORDER_ACTIVE : STYLE_BORDER, "Datasets", NULL);
    Canvas upper = canvas_part(&in, 0, 0, in.rows - 8, in.cols);
    table_draw(&s->list, &list, &upper, s->in_list, DATA_ZONE_LIST);
    const DatasetRow *d = data_under_cursor(s, ui);
    Canvas lower = canvas_part(&in, in.rows - 8, 0, 8, in.cols);
    if (d)
        draw_details(d, &lower);
}

static void draw_welcome(const Canvas *c, const Ui *ui)
{
    static const char *const lines[][2] = {
        {"o", "open a CSV file or an http(s):// address"},
        {":", "commands, as in the shell: sample months"},
        {"^P", "find any command by a few of its letters"},
        {"?", "what every key does"},
    };
    int row = c->rows / 2 - 5, col = c->cols > 84 ? (c->cols - 76) / 2 : 3;
    row = row < 1 ? 1 : row;
    const char *title =
        ui_dataset_opening(ui) ? "Opening ..." : "There is no data in this workspace yet.";
    canvas_put(c, row, col, STYLE_TITLE, title);
    if (ui_dataset_opening(ui))
        return;
    for (size_t i = 0; i < 4; i++) {
        canvas_field(c, row + 2 + (int)i, col, 4, ALIGN_LEFT, STYLE_HINT_KEY, lines[i][0]);
        canvas_field(c, row + 2 + (int)i, col + 4, c->cols - col - 5, ALIGN_LEFT, STYLE_PLAIN,
                     lines[i][1]);
    }
    canvas_wrap(
        c, row + 7, col, c->cols - col - 3, STYLE_DIM,
        "What is read becomes a dataset: typed columns, named by its content, never changed.");
}

static void draw_typing(const DataState *s, const Canvas *c, int row)
{
    bool filter = s->typing == TYPING_FILTER;
    canvas_fill_part(c, row, 0, 1, c->cols, STYLE_INPUT);
    int x = canvas_put(c, row, 0, style_on(STYLE_ACCENT, STYLE_INPUT), filter ? " & " : " / ");
    int note = filter && s->line_error.kind != ERROR_NONE ? c->cols / 2 : 0;
    line_draw(&s->line, c, row, x, c->cols - x - note - 1, STYLE_INPUT, SIZE_MAX);
    if (note)
        canvas_field(c, row, c->cols - note, note - 1, ALIGN_LEFT,
                     style_on(STYLE_WARN, STYLE_INPUT), s->line_error.text);
    line_popup(&s->line, c, row, x);
}

static void draw_table(const DataState *s, const Canvas *in, bool active, const Ui *ui)
{
    TableSource table = data_table_source(s);
    int below = 2 + (s->typing ? 1 : 0);
    Canvas upper = canvas_part(in, 0, 0, in->rows - below, in->cols);
    table_draw(&s->table, &table, &upper, active, DATA_ZONE_MAIN);
    canvas_hline(in, in->rows - below, 0, in->cols, STYLE_BORDER);
    Canvas info = canvas_part(in, in->rows - below + 1, 0, 1, in->cols);
    data_draw_info(s, &info, ui);
    if (s->typing)
        draw_typing(s, in, in->rows - 1);
}

/* 5,000,000: which row it is must be said to the last digit. */
static void add_grouped(uint64_t n, Text *t)
{
    char digits[24];
    int k = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    for (int i = 0; i < k; i++) {
        if (i && (k - i) % 3 == 0)
            text_putc(t, ',');
        text_putc(t, digits[i]);
    }
}

static void make_title(const DataState *s, const Canvas *c, Text *title, Text *note)
{
    const OpenDataset *d = s->data;
    text_puts(title, d->row.name);
    if (s->view == VIEW_SCHEMA)
        text_printf(title, " %s schema", glyph(c, GLYPH_DOT));
    if (s->view == VIEW_REJECTS)
        text_printf(title, " %s rejected lines", glyph(c, GLYPH_DOT));
    if (s->view == VIEW_COLUMN)
        text_printf(title, " %s %s", glyph(c, GLYPH_DOT),
                    s->table.col < s->columns ? d->schema.field[s->table.col].name : "");
    if (s->view == VIEW_TABLE && *s->filter)
        text_printf(title, " %s %s", glyph(c, GLYPH_DOT), s->filter);
    if (s->view == VIEW_TABLE && *s->sort)
        text_printf(title, " %s %s", glyph(c, s->sort_down ? GLYPH_DOWN : GLYPH_UP), s->sort);
    if (s->view == VIEW_TABLE) {
        text_puts(note, "row ");
        add_grouped(data_rows(s) ? s->table.at + 1 : 0, note);
        text_puts(note, " of ");
        add_grouped(data_rows(s), note);
        if (*s->filter) {
            text_puts(note, " / ");
            add_grouped((uint64_t)d->row.rows, note);
        }
    } else if (s->view == VIEW_SCHEMA) {
        text_printf(note, "%zu columns", s->columns);
    }
}

static void draw_main(const DataState *s, const Canvas *c, const Ui *ui)
{
    bool active = !s->in_list;
    if (!s->data) {
        Canvas in = canvas_box(c, active ? STYLE_BORDER_ACTIVE : STYLE_BORDER, NULL, NULL);
        draw_welcome(&in, ui);
        return;
    }
    Text title = {0}, note = {0};
    make_title(s, c, &title, &note);
    Canvas in = canvas_box(c, active ? STYLE_BORDER_ACTIVE : STYLE_BORDER, text_str(&title),
                           text_str(&note));
    text_release(&title);
    text_release(&note);
    TableSource schema = data_schema_source(s), rejects = data_rejects_source(s);
    switch (s->view) {
    case VIEW_TABLE:
        draw_table(s, &in, active, ui);
        break;
    case VIEW_SCHEMA:
        table_draw(&s->schema, &schema, &in, active, DATA_ZONE_MAIN);
        break;
    case VIEW_COLUMN:
        data_draw_column(s, &in);
        break;
    case VIEW_REJECTS:
        table_draw(&s->rejects, &rejects, &in, active, DATA_ZONE_MAIN);
        break;
    }
}

void data_draw(const void *state, const Canvas *c, const Ui *ui)
{
    const DataState *s = state;
    int left = data_list_shown(s, ui, c->cols) ? data_list_width(c->cols) : 0;
    if (left) {
        Canvas list = canvas_part(c, 0, 0, c->rows, left);
        draw_list(s, &list, ui);
    }
    Canvas main = canvas_part(c, 0, left, c->rows, c->cols - left);
    draw_main(s, &main, ui);
}
