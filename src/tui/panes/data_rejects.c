/* data_rejects.c -- the lines of the source that could not be taken, with the reason. */
#include "data_int.h"

void reject_list_destroy(void *list)
{
    RejectList *r = list;
    if (r)
        arena_release(&r->arena);
    mem_free(r);
}

static void *load_rejects(JobContext *c, void *input, Error *err)
{
    Store *store = job_store(c, err);
    RejectList *list = mem_alloc(sizeof *list);
    if (store && store_rejects(store, input, 10000, &list->arena, &list->row, &list->count, err))
        return list;
    reject_list_destroy(list);
    return NULL;
}

static void rejects_loaded(void *owner, void *result, const Error *err, Ui *ui)
{
    (void)err;
    DataState *s = owner;
    reject_list_destroy(s->reject_list);
    s->reject_list = result;
    ui_draw(ui);
}

static void enter(DataState *s, Ui *ui)
{
    if (s->data && s->data->row.rejects)
        ui_job(ui, (Job){.owner = s,
                         .slot = DATA_REJECTS_SLOT,
                         .what = "reading what was left out",
                         .run = load_rejects,
                         .input = text_copy(s->data->row.hash),
                         .release = reject_list_destroy,
                         .done = rejects_loaded,
                         .urgent = true});
}

static const TableColumn reject_columns[] = {{.title = "line", .width = 9, .align = ALIGN_RIGHT},
                                             {.title = "why it was not taken", .width = 36},
                                             {.title = "text", .width = 24, .stretch = true}};

static void reject_cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    const DataState *s = context;
    const RejectRow *r = &s->reject_list->row[row];
    if (column == 0)
        text_printf(out->text, "%lld", (long long)r->line);
    else
        text_puts(out->text, column == 1 ? r->reason : r->text);
    out->style = column == 1 ? STYLE_WARN : column == 0 ? STYLE_NUMBER : STYLE_DIM;
}

static TableSource source(const DataState *s)
{
    return (TableSource){.context = s,
                         .rows = s->reject_list ? s->reject_list->count : 0,
                         .columns = 3,
                         .column = reject_columns,
                         .cell = reject_cell,
                         .empty = s->data && s->data->row.rejects
                                      ? "Reading what was rejected ..."
                                      : "Every line of the source was taken."};
}

static void title(const DataState *s, const Canvas *c, Text *title_text, Text *note)
{
    text_printf(title_text, " %s rejected lines", glyph(c, GLYPH_DOT));
    if (s->data->row.rejects)
        text_add_count(note, (double)s->data->row.rejects);
}

static void layout(DataState *s, int rows, int cols)
{
    TableSource rejects = source(s);
    table_layout(&s->rejects, &rejects, rows, cols);
}

static void draw(const DataState *s, const Canvas *in, bool active, const Ui *ui)
{
    (void)ui;
    TableSource rejects = source(s);
    table_draw(&s->rejects, &rejects, in, active, DATA_ZONE_MAIN);
}

static Reply command(DataState *s, int what, Ui *ui)
{
    TableSource rejects = source(s);
    if (what == UI_COPY && s->reject_list && s->rejects.at < s->reject_list->count) {
        ui_copy(ui, s->reject_list->row[s->rejects.at].text);
        return REPLY_DRAW;
    }
    return table_command(&s->rejects, &rejects, what);
}

static Reply mouse(DataState *s, const Mouse *m, Ui *ui)
{
    (void)ui;
    TableSource rejects = source(s);
    return table_mouse(&s->rejects, &rejects, m);
}

const ViewKind data_rejects_view = {.title = title,
                                    .layout = layout,
                                    .draw = draw,
                                    .command = command,
                                    .mouse = mouse,
                                    .enter = enter,
                                    .source = source};
