/* data.c -- pane 1, Data: the datasets of the workspace, and the chosen one seen in many ways: as a table, as
 * a schema, column by column, row by row. Here are its keys and what the views have in common. */
#include "data_int.h"

#include <stdio.h>

/* What a command needs, and what is said where that is not there. */
#define NEEDS(X)                                                                                   \
    X(NOTHING, "")                                                                                 \
    X(DATA, "no dataset is open: o opens a file")                                                  \
    X(ROW, "there is no row here")                                                                 \
    X(LISTED, "no dataset here yet: o opens a file")                                               \
    X(REJECTS, "every line of the source was taken")                                               \
    X(FOUND, "nothing to look for yet: / searches")                                                \
    X(HIDDEN, "no column is hidden: - hides one")                                                  \
    X(MARKED, "no row is marked: Space marks one, | by an expression")
#define AS_ENUM(name, text) NEED_##name,
typedef enum Need { NEEDS(AS_ENUM) } Need;
#undef AS_ENUM
#define AS_TEXT(name, text) text,
static const char *const need_text[] = {NEEDS(AS_TEXT)};
#undef AS_TEXT

enum { MODE_LIST = 1, MODE_TYPING = 2 };
#define IN(view)   (4u << VIEW_##view)
#define IN_VIEWS   (~(unsigned)(MODE_LIST | MODE_TYPING))
#define IN_COLUMNS (IN(TABLE) | IN(SCHEMA) | IN(DESCRIBE) | IN(COLUMN) | IN(FORM))
#define IN_ROWS    (IN(TABLE) | IN(FORM))

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

/* The one table of keys: OWN are the pane's commands (enum, name, keys, hint, help, modes, handler, need),
 * FRAME words of the frame that mean something more exact here. Its order is that of the hints. */
// clang-format off
#define DATA_KEYS(OWN, FRAME) \
    FRAME(UI_OPEN, "open-dataset", "Enter", "open", "work on the dataset under the cursor", MODE_LIST) \
    OWN(RENAME, "rename-dataset", "R", "rename", "give the dataset under the cursor another name", MODE_LIST, data_rename, LISTED) \
    OWN(ACCEPT, "accept", "Enter", "accept", "search, filter or mark with this text", MODE_TYPING, data_accept, NOTHING) \
    OWN(COMPLETE, "complete", "Tab", "complete", "columns and functions that may follow", MODE_TYPING, data_complete, NOTHING) \
    OWN(LEAVE, "leave", "Esc Ctrl-C", "leave", "leave the table as it was", MODE_TYPING, data_leave, NOTHING) \
    OWN(COLUMN, "column-detail", "i Enter", "column", "all that is known of the column under the cursor", IN(SCHEMA) | IN(DESCRIBE), show_column, DATA) \
    OWN(ROW, "row-detail", "Enter", "row", "the row under the cursor as a form, every column of it", IN(TABLE), show_row, ROW) \
    OWN(COLUMN_HERE, "column-here", "i", "column", "all that is known of the column under the cursor", IN_ROWS, show_column, DATA) \
    OWN(GROUP_ROWS, "group-rows", "Enter", "rows", "the rows of the group, or of the marked groups", IN(GROUPS), data_group_rows, DATA) \
    OWN(GROUP_ADD, "group-add", "a", "add", "group by another column too", IN(GROUPS), data_group_add, DATA) \
    OWN(GROUP_MEASURE, "group-measure", "m", "measure", "sum, mean, min, max, stddev or count of a column in each group", IN(GROUPS), data_group_measure, DATA) \
    OWN(GROUP_PART, "group-part", "b", "bins", "group by bins of a number, by hour, weekday, date, month, year of a time", IN(GROUPS), data_group_part, DATA) \
    OWN(GROUP_DOWN, "group-down", ">", "sort", "sort the groups by this column, largest first", IN(GROUPS), data_group_down, DATA) \
    OWN(GROUP_UP, "group-up", "<", NULL, "sort the groups by this column, smallest first", IN(GROUPS), data_group_up, DATA) \
    OWN(GROUP_DROP, "group-drop", "d", "drop", "take this column or measure away", IN(GROUPS), data_group_drop, DATA) \
    OWN(GROUP_RULE, "group-rule", "e", "rule", "cleaning rules for this value or the marked ones: replace, drop, keep", IN(GROUPS), data_group_rule, DATA) \
    FRAME(UI_MARK, "mark-group", "Space", "mark", "mark the group, or take its mark away", IN(GROUPS)) \
    OWN(SCATTER_ROWS, "scatter-rows", "Enter", "rows", "the rows of the cell under the crosshair", IN(SCATTER), data_scatter_rows, DATA) \
    OWN(SCATTER_IN, "scatter-nearer", "+ z", "nearer", "half the range, around the crosshair", IN(SCATTER), data_scatter_in, DATA) \
    OWN(SCATTER_OUT, "scatter-farther", "- Z", "farther", "twice the range", IN(SCATTER), data_scatter_out, DATA) \
    OWN(SCATTER_ALL, "scatter-all", "A", "all", "the range that holds 99 % of the values again", IN(SCATTER), data_scatter_all, DATA) \
    OWN(SCATTER_SWAP, "scatter-swap", "X", "swap", "the axes change places", IN(SCATTER), data_scatter_swap, DATA) \
    OWN(CORRELATION_OPEN, "correlation-scatter", "Enter", "scatter", "these two columns as a scatter", IN(CORRELATION), data_correlation_open, DATA) \
    OWN(CORRELATION_KIND, "correlation-kind", "p", "ranks", "of values (Pearson) or of ranks (Spearman)", IN(CORRELATION), data_correlation_kind, DATA) \
    OWN(FILTER, "filter", "&", "filter", "show rows by an expression: fare > 10 and paid", IN_ROWS | IN(DESCRIBE), data_type_filter, DATA) \
    OWN(SORT_DOWN, "sort-down", ">", "sort", "sort by this column, largest first", IN(TABLE), data_sort_down, DATA) \
    OWN(SORT_UP, "sort-up", "<", NULL, "sort by this column, smallest first", IN(TABLE), data_sort_up, DATA) \
    OWN(SORT_ADD_DOWN, "sort-add-down", "}", NULL, "sort rows that are alike so far by this column too, largest first", IN(TABLE), data_sort_add_down, DATA) \
    OWN(SORT_ADD_UP, "sort-add-up", "{", NULL, "the same, smallest first", IN(TABLE), data_sort_add_up, DATA) \
    OWN(DESCRIBE_DOWN, "describe-down", ">", "sort", "sort the columns by this statistic, largest first", IN(DESCRIBE), describe_down, DATA) \
    OWN(DESCRIBE_UP, "describe-up", "<", NULL, "sort the columns by this statistic, smallest first", IN(DESCRIBE), describe_up, DATA) \
    FRAME(UI_SEARCH, "search", "/", "search", "find text in the cells (n and N go on)", IN(TABLE)) \
    OWN(DESCRIBE, "describe", "I", "describe", "every column with its statistics, of the rows that are shown", IN_VIEWS, show_describe, DATA) \
    OWN(SCHEMA, "schema", "s", "schema", "types and roles of the columns, and back", IN_VIEWS, show_schema, DATA) \
    OWN(ROLE, "set-role", "r", "role", "feature, target, time, id, or ignore the column", IN_COLUMNS, data_role, DATA) \
    OWN(TARGET, "set-target", "t", "target", "predict this column", IN_COLUMNS, data_target, DATA) \
    OWN(TYPE, "set-type", "~", "type", "another type for the column, as a cleaning rule", IN_COLUMNS, data_type, DATA) \
    OWN(RULE, "rule-from-here", "e", "rule", "cleaning rules that this cell or the marked rows suggest", IN_COLUMNS, data_rule, DATA) \
    FRAME(UI_MARK, "mark-row", "Space", NULL, "mark the row, or take its mark away", IN_ROWS) \
    OWN(EQUAL, "mark-equal", ",", NULL, "mark all rows with the value of this cell", IN_ROWS, data_mark_equal, ROW) \
    OWN(MARK_BY, "mark-by", "|", NULL, "mark all rows that an expression is true for", IN(TABLE), data_type_marks, DATA) \
    OWN(ONLY_MARKED, "only-marked", "\"", NULL, "show the marked rows only, and all again", IN(TABLE), data_only_marked, MARKED) \
    OWN(UNMARK, "unmark-all", "U", NULL, "take all marks away", IN_ROWS, data_unmark, MARKED) \
    OWN(VALUE, "filter-value", "=", NULL, "show the rows with the value of this cell", IN_ROWS, data_filter_value, ROW) \
    OWN(GO, "row", "#", NULL, "to the row with a number, or to a share: 50%", IN_ROWS, data_go_to_row, DATA) \
    OWN(HIDE, "hide-column", "-", "hide", "leave this column out of the table", IN(TABLE) | IN(SCHEMA) | IN(DESCRIBE), data_hide, DATA) \
    OWN(UNHIDE, "show-column", "+", NULL, "bring hidden columns back", IN(TABLE) | IN(SCHEMA) | IN(DESCRIBE), data_unhide, HIDDEN) \
    OWN(PIN, "pin-column", "!", "pin", "keep this column at the left, or let it go", IN(TABLE) | IN(SCHEMA) | IN(DESCRIBE), data_pin, DATA) \
    OWN(MOVE_LEFT, "move-left", "H", NULL, "the column changes places with the one to the left", IN(TABLE), data_move_left, DATA) \
    OWN(MOVE_RIGHT, "move-right", "L", NULL, "the column changes places with the one to the right", IN(TABLE), data_move_right, DATA) \
    OWN(FREQUENCY, "frequency", "F", "frequency", "how often each value of the column occurs", IN_COLUMNS | IN(CORRELATION), data_frequency, DATA) \
    OWN(PIVOT, "pivot", "W", NULL, "groups of one column down, of another across", IN_COLUMNS | IN(GROUPS), data_pivot, DATA) \
    OWN(SCATTER, "scatter", ".", NULL, "this column against another: where the rows are dense", IN_COLUMNS | IN(CORRELATION) | IN(SCATTER), data_scatter, DATA) \
    OWN(CORRELATION, "correlation", "C", NULL, "how the numeric columns go together, two by two", IN_VIEWS, data_correlation, DATA) \
    OWN(INGEST, "open-source", "o", "open file", "read a file or an http(s) address into a dataset", MODE_LIST | IN_VIEWS, ingest_prompt, NOTHING) \
    OWN(REJECTS, "rejects", "x", "rejects", "the lines of the source that could not be taken", MODE_LIST | IN_VIEWS, show_rejects, REJECTS) \
    OWN(CLEAN, "clean-this", "c", "clean", "write cleaning rules for this dataset", MODE_LIST | IN_COLUMNS, clean_this, DATA) \
    FRAME(UI_BACK, "back", "Esc q", "back", "out of the view, the sorting, the filter, to the list", IN_VIEWS) \
    FRAME(UI_NEXT_PART, "other-part", "Tab", "list/table", "between the list of datasets and the table", 0)

#define NO_FRAME(...)
#define AS_ENUM(id, ...) DATA_##id,
#define NO_ENUM(...)
enum { DATA_BEFORE_ = PANE_COMMANDS - 1, DATA_KEYS(AS_ENUM, NO_ENUM) };
#undef AS_ENUM
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

/* ---- views -------------------------------------------------------------------------------------------------- */

const ViewKind *data_view(const DataState *s)
{
#define AS_ENTRY(name, word) &data_##word##_view,
    static const ViewKind *const views[] = {DATA_VIEWS(AS_ENTRY)};
#undef AS_ENTRY
    return views[s->view];
}

/* A view that is on the way already is gone back to: the way does not grow in circles. */
void data_show(DataState *s, DataView view, Ui *ui)
{
    s->in_list = false;
    if (view == s->view)
        return;
    size_t i = 0;
    while (i < s->trail_count && s->trail[i] != view)
        i++;
    if (view == VIEW_TABLE)
        i = 0;
    if (view == VIEW_TABLE || i < s->trail_count)
        s->trail_count = i;
    else if (s->trail_count < TRAIL_MOST)
        s->trail[s->trail_count++] = s->view;
    s->view = view;
    data_focus(s, s->focus);
    if (data_view(s)->enter)
        data_view(s)->enter(s, ui);
}

bool data_view_back(DataState *s)
{
    if (s->view == VIEW_TABLE)
        return false;
    s->view = s->trail_count ? s->trail[--s->trail_count] : VIEW_TABLE;
    data_focus(s, s->focus);
    return true;
}

void data_focus(DataState *s, size_t column)
{
    s->focus = column < s->columns ? column : 0;
    size_t place = data_place(s, s->focus);
    if (place != SIZE_MAX)
        s->table.col = place;
    s->schema.at = s->form.at = s->focus;
    for (size_t i = 0; i < s->columns; i++)
        if (s->describe_order[i] == s->focus)
            s->describe.at = i;
}

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
    if (data_view_back(s))
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
    .on_words = on_words,
    .why_not = why_not,
    .mode = mode,
    .text_modes = MODE_TYPING,
    .on_key = data_typed,
    .badge = badge,
};
