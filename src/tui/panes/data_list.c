/* data_list.c -- the datasets of the workspace, and what is known of the one under the cursor. */
#include "data_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const TableColumn list_columns[] = {{.title = "name", .width = 12, .stretch = true},
                                           {.title = "rows", .width = 6, .align = ALIGN_RIGHT}};

static void add_short_count(Text *t, double n)
{
    if (n < 100000)
        data_add_grouped((uint64_t)n, t);
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

/* Some views want the width more than the list does. */
bool data_list_shown(const DataState *s, const Ui *ui, int cols)
{
    if (s->data && !s->in_list && data_view(s)->wide && cols < 150)
        return false;
    return !ui_maximised(ui) || (s->in_list && !s->data);
}

void data_draw_list(const DataState *s, const Canvas *c, const Ui *ui)
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

/* ---- renaming --------------------------------------------------------------------------------------------------- */

static void renamed(void *owner, const json_t *result, const Error *err, Ui *ui)
{
    (void)owner;
    if (result)
        ui_say(ui, STYLE_GOOD, "it is called %s now; u takes that back",
               json_string_value(json_object_get(result, "dataset")));
    else
        ui_error(ui, err);
    ui_refresh(ui);
}

static void name_asked(void *owner, const char *text, Ui *ui)
{
    DataState *s = owner;
    const DatasetRow *d = data_under_cursor(s, ui);
    if (!d || !*text || text_equal(d->name, text))
        return;
    Text line = {0};
    text_puts(&line, "data rename");
    command_add_word(&line, d->name);
    command_add_word(&line, text);
    ui_command(ui, text_str(&line), s, renamed);
    text_release(&line);
}

void data_rename(DataState *s, Ui *ui)
{
    const DatasetRow *d = data_under_cursor(s, ui);
    if (d)
        ui_ask(ui, &(Ask){.title = "Rename dataset",
                          .label = "name",
                          .initial = d->name,
                          .owner = s,
                          .done = name_asked,
                          .about = "Older versions with the same name keep their hash."});
}
