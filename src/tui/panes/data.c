/* data.c -- pane 1, Data: the datasets of the workspace, and the chosen one seen in many ways: as a table, as
 * a schema, column by column, row by row. Here are its keys and what the views have in common. */
#include "data_keys.h"

#include <stdio.h>

#define AS_TEXT(name, text) text,
static const char *const need_text[] = {NEEDS(AS_TEXT)};
#undef AS_TEXT

static void ingest_prompt(DataState *s, Ui *ui)
{
    (void)s;
    ui_prompt(ui, "ingest ");
}

static void show_schema(DataState *s, Ui *ui)
{
    if (s->view == VIEW_SCHEMA)
        data_view_back(s);
    else
        data_show(s, VIEW_SCHEMA, ui);
}

static void show_describe(DataState *s, Ui *ui)
{
    if (s->view == VIEW_DESCRIBE)
        data_view_back(s);
    else
        data_show(s, VIEW_DESCRIBE, ui);
}

static void show_column(DataState *s, Ui *ui)
{
    data_show(s, VIEW_COLUMN, ui);
}

static void show_row(DataState *s, Ui *ui)
{
    data_show(s, VIEW_FORM, ui);
}

static void show_rejects(DataState *s, Ui *ui)
{
    s->in_list = false;
    data_show(s, VIEW_REJECTS, ui);
}

static void clean_this(DataState *s, Ui *ui)
{
    const DatasetRow *d = data_under_cursor(s, ui);
    if (s->in_list && d)
        ui_choose_dataset(ui, d->hash);
    ui_go(ui, "clean");
}

static void describe_up(DataState *s, Ui *ui)
{
    (void)ui;
    data_describe_sort(s, false);
}

static void describe_down(DataState *s, Ui *ui)
{
    (void)ui;
    data_describe_sort(s, true);
}

#define NO_FRAME(...)
// clang-format off
#define AS_ROW(id, name, keys, hint, help, modes, handler, need) {DATA_##id, name, keys, hint, help, modes},
#define AS_FRAME(id, name, keys, hint, help, modes) {id, name, keys, hint, help, modes},
static const KeyRow keys[] = {DATA_KEYS(AS_ROW, AS_FRAME){0}};
#undef AS_ROW
#undef AS_FRAME
// clang-format on

typedef struct Action {
    void (*run)(DataState *s, Ui *ui);
    Need need;
} Action;
#define AS_ACTION(id, name, keys, hint, help, modes, handler, need) {handler, NEED_##need},
static const Action actions[] = {DATA_KEYS(AS_ACTION, NO_FRAME)};
#undef AS_ACTION

/* ---- taking in what is new -------------------------------------------------------------------------------------- */

static void drop_views(DataState *s)
{
    data_groups_drop(s);
    data_scatter_drop(s);
    data_correlation_drop(s);
}

static void take_dataset(DataState *s, Ui *ui)
{
    OpenDataset *now = ui_dataset(ui);
    bool same_data = s->data && now && text_equal(s->data->row.hash, now->row.hash);
    open_dataset_drop(s->data);
    s->data = open_dataset_hold(now);
    if (same_data) {
        data_head_make(s); /* another role; the place stays */
        return;
    }
    data_rows_forget(s);
    marks_release(&s->marks);
    reject_list_destroy(s->reject_list);
    s->reject_list = NULL;
    sought_destroy(s->sought);
    s->sought = NULL;
    s->table = (Table){.cells = true, .row_numbers = true};
    s->schema = s->rejects = s->form = (Table){0};
    s->describe = (Table){.cells = true, .frozen = 1};
    s->view = VIEW_TABLE;
    s->trail_count = 0;
    s->came.on = false;
    s->focus = 0;
    drop_views(s);
    data_columns_make(s);
    if (s->data)
        data_session_restore(s, ui);
}

static void follow_choice(DataState *s, const Ui *ui)
{
    const Snapshot *snapshot = ui_snapshot(ui);
    for (size_t i = 0; i < snapshot->datasets; i++)
        if (text_equal(snapshot->dataset[i].hash, ui_dataset_hash(ui)))
            s->list.at = i;
}

static void create(void *state, Ui *ui)
{
    (void)ui;
    DataState *s = state;
    s->cache = mem_alloc(sizeof *s->cache);
    s->in_list = true;
    s->describe_key = SIZE_MAX;
    s->table = (Table){.cells = true, .row_numbers = true};
}

static void destroy(void *state)
{
    DataState *s = state;
    data_rows_forget(s);
    marks_release(&s->marks);
    drop_views(s);
    data_columns_release(s);
    reject_list_destroy(s->reject_list);
    sought_destroy(s->sought);
    open_dataset_drop(s->data);
    line_release(&s->line);
    mem_free(s->cache);
}

static bool tick(void *state, Ui *ui)
{
    DataState *s = state;
    const Snapshot *snapshot = ui_snapshot(ui);
    if (s->data != ui_dataset(ui)) {
        take_dataset(s, ui);
        follow_choice(s, ui);
        s->in_list = false;
    } else if (s->snapshot != snapshot->number) {
        follow_choice(s, ui);
    }
    s->snapshot = snapshot->number;
    if (s->data)
        data_take_found(s, ui);
    if (s->data)
        data_session_keep(s, ui);
    return true;
}

/* ---- commands --------------------------------------------------------------------------------------------------------- */

static unsigned mode(const void *state)
{
    const DataState *s = state;
    return s->typing ? MODE_TYPING : s->in_list ? MODE_LIST : 4u << s->view;
}

static bool has(const DataState *s, Need need, const Ui *ui)
{
    switch (need) {
    case NEED_NOTHING:
        return true;
    case NEED_DATA:
        return s->data != NULL || (s->in_list && data_under_cursor(s, ui));
    case NEED_ROW:
        return data_rows(s) > 0;
    case NEED_LISTED:
        return ui_snapshot(ui)->datasets > 0;
    case NEED_REJECTS:
        return s->data && s->data->row.rejects > 0;
    case NEED_FOUND:
        return *s->find != 0;
    case NEED_HIDDEN:
        return s->shown < s->columns;
    case NEED_MARKED:
        return s->marks.count > 0 || s->have.marked;
    }
    return true;
}

static const char *why_not(const void *state, int command, const Ui *ui)
{
    const DataState *s = state;
    Need need = command >= PANE_COMMANDS           ? actions[command - PANE_COMMANDS].need
                : command == UI_OPEN && s->in_list ? NEED_LISTED
                : command == UI_NEXT || command == UI_PREVIOUS ? NEED_FOUND
                : command == UI_SEARCH || command == UI_MARK   ? NEED_DATA
                                                               : NEED_NOTHING;
    if (need != NEED_NOTHING && need != NEED_LISTED && !has(s, NEED_DATA, ui))
        need = NEED_DATA;
    return has(s, need, ui) ? NULL : need_text[need];
}

/* A view that is as it was left. */
static void back_to(DataState *s, DataView view)
{
    s->trail_count = 0;
    s->trail[s->trail_count++] = VIEW_TABLE;
    s->view = view;
}

static Reply go_back(DataState *s, Ui *ui)
{
    if (s->in_list)
        return REPLY_IGNORED;
    if (data_view_back(s) || data_rows_stop(s, ui))
        return REPLY_DRAW;
    if (s->came.on) {
        s->came.on = false;
        s->want = s->came.choice;
        data_rows_make(s, ui);
        back_to(s, s->came.view);
        return REPLY_DRAW;
    }
    if (s->have.keys || *s->have.filter || s->have.marked || s->glimpse) {
        s->want = s->have; /* the sorting first, then the filter */
        if (s->want.keys)
            s->want.keys = 0;
        else
            s->want = (Choice){0};
        data_rows_make(s, ui);
    } else if (ui_maximised(ui))
        return REPLY_IGNORED;
    else
        s->in_list = true;
    return REPLY_DRAW;
}

static Reply in_list(DataState *s, int command, Ui *ui)
{
    ListContext l;
    TableSource list = data_list_source(ui, &l);
    const DatasetRow *d = data_under_cursor(s, ui);
    if (command == UI_OPEN && d) {
        if (text_equal(d->hash, ui_dataset_hash(ui)))
            s->in_list = false;
        else
            ui_choose_dataset(ui, d->hash);
        return REPLY_DRAW;
    }
    if (command == UI_COPY && d)
        ui_copy(ui, d->name);
    if (command == UI_RIGHT && s->data)
        s->in_list = false;
    return command == UI_RIGHT ? REPLY_DRAW : table_command(&s->list, &list, command);
}

static Reply do_command(DataState *s, int command, Ui *ui)
{
    if (command >= PANE_COMMANDS) {
        actions[command - PANE_COMMANDS].run(s, ui);
        return REPLY_DRAW;
    }
    switch (command) {
    case UI_NEXT_PART:
    case UI_PREV_PART:
        s->in_list = !s->in_list;
        return REPLY_DRAW;
    case UI_BACK:
        return go_back(s, ui);
    }
    if (s->in_list)
        return in_list(s, command, ui);
    if (!s->data)
        return REPLY_IGNORED;
    return data_view(s)->command(s, command, ui);
}

static Reply on_command(void *state, int command, Ui *ui)
{
    DataState *s = state;
    Reply reply = do_command(s, command, ui);
    if (s->data)
        data_session_keep(s, ui);
    return reply;
}

/* `:row 50%`, `:filter fare > 10` ... */
static Reply on_words(void *state, int command, const char *words, Ui *ui)
{
    DataState *s = state;
    Expr *e = NULL;
    Error err = {0};
    switch (command) {
    case DATA_GO:
        data_go(s, words, ui);
        data_session_keep(s, ui);
        return REPLY_DRAW;
    case DATA_FILTER:
    case DATA_MARK_BY:
        if (!data_expression(words, &s->data->schema, &e, &err))
            ui_error(ui, &err);
        else if (command == DATA_FILTER)
            data_set_filter(s, words, ui);
        else
            data_mark_rows(s, words, ui);
        expr_destroy(e);
        return REPLY_DRAW;
    case UI_SEARCH:
        snprintf(s->find, sizeof s->find, "%s", words);
        data_search(s, 1, true, ui);
        return REPLY_DRAW;
    }
    return REPLY_IGNORED;
}

static Reply on_mouse(void *state, const Mouse *m, Ui *ui)
{
    DataState *s = state;
    ListContext l;
    TableSource list = data_list_source(ui, &l);
    if (m->kind == MOUSE_DRAG && (m->id != DATA_ZONE_MAIN || !s->data || s->view != VIEW_SCATTER))
        return REPLY_STAY;
    if (m->id == DATA_ZONE_LIST) {
        Reply reply = table_mouse(&s->list, &list, m);
        const DatasetRow *d = data_under_cursor(s, ui);
        s->in_list = true;
        if (m->kind <= MOUSE_DOUBLE && d)
            ui_choose_dataset(ui, d->hash);
        return reply;
    }
    if (m->id != DATA_ZONE_MAIN || !s->data)
        return REPLY_IGNORED;
    s->in_list = false;
    return data_view(s)->mouse ? data_view(s)->mouse(s, m, ui) : REPLY_IGNORED;
}

static void badge(const void *state, const Ui *ui, Text *into, Style *style)
{
    (void)state;
    if (ui_dataset_opening(ui)) {
        text_puts(into, "..");
        *style = STYLE_ACCENT;
    }
}

const Pane data_pane = {
    .name = "data",
    .title = "Data",
    .about = "datasets as tables, schemas, columns and groups",
    .keys = keys,
    .state_size = sizeof(DataState),
    .create = create,
    .destroy = destroy,
    .tick = tick,
    .layout = data_layout,
    .draw = data_draw,
    .on_command = on_command,
    .on_mouse = on_mouse,
    .drags = true,
    .on_words = on_words,
    .why_not = why_not,
    .mode = mode,
    .text_modes = MODE_TYPING,
    .on_key = data_typed,
    .badge = badge,
    .table = data_table_shown,
    .chart = data_chart_shown,
    .write = data_write,
    .keep = data_keep,
    .put = data_put,
};
