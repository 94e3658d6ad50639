/* data.c -- pane 1, Data: the datasets of the workspace, and the chosen one as a table, as a schema, as one
 * column, and what of its source could not be read. The pane to copy for a new one. */
#include "data_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    MODE_LIST = 1,
    MODE_TABLE = 2,
    MODE_SCHEMA = 4,
    MODE_COLUMN = 8,
    MODE_REJECTS = 16,
    MODE_TYPING = 32
};
#define MODE_COLUMNS (MODE_TABLE | MODE_SCHEMA | MODE_COLUMN)

enum {
    DATA_INGEST = PANE_COMMANDS,
    DATA_SCHEMA,
    DATA_COLUMN,
    DATA_ROLE,
    DATA_TARGET,
    DATA_REJECTS,
    DATA_FILTER,
    DATA_SORT_UP,
    DATA_SORT_DOWN,
    DATA_GO,
    DATA_CLEAN,
    DATA_RENAME,
    DATA_ACCEPT,
    DATA_LEAVE,
    DATA_COMPLETE
};

static const KeyRow keys[] = {
    {UI_OPEN, "open-dataset", "Enter", "open", "work on the dataset under the cursor", MODE_LIST},
    {DATA_INGEST, "open-source", "o", "open file",
     "read a file or an http(s) address into a dataset", MODE_LIST | MODE_COLUMNS | MODE_REJECTS},
    {DATA_RENAME, "rename-dataset", "R", "rename", "give the dataset under the cursor another name",
     MODE_LIST},
    {DATA_ACCEPT, "accept", "Enter", "accept", "search or filter with this text", MODE_TYPING},
    {DATA_COMPLETE, "complete", "Tab", "complete", "columns and functions that may follow",
     MODE_TYPING},
    {DATA_LEAVE, "leave", "Esc Ctrl-C", "leave", "leave the table as it was", MODE_TYPING},
    {DATA_COLUMN, "column-detail", "I Enter", "column",
     "all that is known of the column under the cursor", MODE_TABLE | MODE_SCHEMA},
    {DATA_SCHEMA, "schema", "s", "schema", "from the table to its schema and back",
     MODE_COLUMNS | MODE_REJECTS},
    {DATA_ROLE, "set-role", "r", "role", "feature, target, time, id, or ignore the column",
     MODE_COLUMNS},
    {DATA_TARGET, "set-target", "t", "target", "predict this column", MODE_COLUMNS},
    {UI_SEARCH, "search", "/", "search", "find text in the cells (n and N go on)", MODE_TABLE},
    {DATA_FILTER, "filter", "&", "filter", "show rows by an expression: fare > 10 and paid",
     MODE_TABLE},
    {DATA_SORT_UP, "sort-up", "<", NULL, "sort by this column, smallest first", MODE_TABLE},
    {DATA_SORT_DOWN, "sort-down", ">", "sort", "sort by this column, largest first", MODE_TABLE},
    {DATA_GO, "go-to-row", "#", NULL, "to the row with a number", MODE_TABLE},
    {DATA_REJECTS, "rejects", "x", "rejects", "the lines of the source that could not be taken",
     MODE_LIST | MODE_COLUMNS},
    {DATA_CLEAN, "clean-this", "c", "clean", "write cleaning rules for this dataset",
     MODE_LIST | MODE_COLUMNS},
    {UI_BACK, "back", "Esc q", "back", "out of the view, the filter, to the list",
     MODE_COLUMNS | MODE_REJECTS},
    {UI_NEXT_PART, "other-part", "Tab", "list/table", "between the list of datasets and the table",
     0},
    {0}};

/* ---- taking in what is new -------------------------------------------------------------------------------------- */

static void forget_rows(DataState *s)
{
    rowset_destroy(s->rows);
    s->rows = NULL;
    s->filter[0] = s->sort[0] = 0;
}

static void take_dataset(DataState *s, Ui *ui)
{
    OpenDataset *now = ui_dataset(ui);
    bool same_data = s->data && now && text_equal(s->data->row.hash, now->row.hash);
    open_dataset_drop(s->data);
    s->data = open_dataset_hold(now);
    data_columns_make(s);
    if (same_data)
        return; /* another role; the place stays */
    forget_rows(s);
    reject_list_destroy(s->reject_list);
    s->reject_list = NULL;
    s->table = (Table){.cells = true, .row_numbers = true};
    s->schema = s->rejects = (Table){0};
    s->view = VIEW_TABLE;
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
    s->table = (Table){.cells = true, .row_numbers = true};
}

static void destroy(void *state)
{
    DataState *s = state;
    forget_rows(s);
    data_columns_release(s);
    reject_list_destroy(s->reject_list);
    open_dataset_drop(s->data);
    line_release(&s->line);
    mem_free(s->cache);
}

static bool tick(void *state, Ui *ui)
{
    DataState *s = state;
    if (s->data != ui_dataset(ui)) {
        bool first = s->data == NULL;
        take_dataset(s, ui);
        follow_choice(s, ui);
        if (first || s->in_list)
            s->in_list = false;
    } else if (s->snapshot != ui_snapshot(ui)->number) {
        follow_choice(s, ui);
    }
    s->snapshot = ui_snapshot(ui)->number;
    return true;
}

static void layout(void *state, int rows, int cols, Ui *ui)
{
    DataState *s = state;
    ListContext l;
    TableSource list = data_list_source(ui, &l);
    int left = data_list_shown(s, ui, cols) ? data_list_width(cols) : 0;
    s->list.no_header = true;
    table_layout(&s->list, &list, rows - 2 - 8, left - 2);
    int height = rows - 2 - 2 - (s->typing ? 1 : 0), width = cols - left - 2;
    TableSource table = data_table_source(s), schema = data_schema_source(s),
                rejects = data_rejects_source(s);
    table_layout(&s->table, &table, height, width);
    table_layout(&s->schema, &schema, rows - 2, width);
    table_layout(&s->rejects, &rejects, rows - 2, width);
}

/* ---- commands --------------------------------------------------------------------------------------------------------- */

static unsigned mode(const void *state)
{
    const DataState *s = state;
    static const unsigned modes[] = {MODE_TABLE, MODE_SCHEMA, MODE_COLUMN, MODE_REJECTS};
    return s->typing ? MODE_TYPING : s->in_list ? MODE_LIST : modes[s->view];
}

static const char *why_not(const void *state, int command, const Ui *ui)
{
    const DataState *s = state;
    switch (command) {
    case UI_OPEN:
        return s->in_list && !ui_snapshot(ui)->datasets ? "no dataset here yet: o opens a file"
                                                        : NULL;
    case DATA_RENAME:
        return !ui_snapshot(ui)->datasets ? "no dataset here yet: o opens a file" : NULL;
    case DATA_REJECTS:
        return !s->data               ? "no dataset is open"
               : s->data->row.rejects ? NULL
                                      : "every line of the source was taken";
    case DATA_SCHEMA:
    case DATA_COLUMN:
    case DATA_ROLE:
    case DATA_TARGET:
    case DATA_FILTER:
    case DATA_SORT_UP:
    case DATA_SORT_DOWN:
    case DATA_GO:
    case DATA_CLEAN:
    case UI_SEARCH:
        return s->data ? NULL : "no dataset is open: o opens a file";
    case UI_NEXT:
    case UI_PREVIOUS:
        return *s->find ? NULL : "nothing to look for yet: / searches";
    }
    return NULL;
}

static void role_picked(void *owner, size_t item, Ui *ui)
{
    DataState *s = owner;
    if (s->data && s->table.col < s->columns)
        ui_set_role(ui, s->data->schema.field[s->table.col].name, (Role)item);
}

static void open_role_menu(DataState *s, Ui *ui)
{
#define AS_ITEM(name, text, about) {text, about, STYLE_PLAIN},
    static const MenuItem items[] = {ROLES(AS_ITEM)};
#undef AS_ITEM
    const Field *f = &s->data->schema.field[s->table.col];
    char title[160];
    snprintf(title, sizeof title, "Role of %s", f->name);
    ui_menu(ui, title, items, ROLE_COUNT, f->role, role_picked, s);
}

/* Only one column is predicted: the one that was is a feature again. */
static void set_target(DataState *s, Ui *ui)
{
    for (size_t i = 0; i < s->columns; i++)
        if (s->data->schema.field[i].role == ROLE_TARGET && i != s->table.col)
            ui_set_role(ui, s->data->schema.field[i].name, ROLE_FEATURE);
    const Field *f = &s->data->schema.field[s->table.col];
    ui_set_role(ui, f->name, ROLE_TARGET);
    ui_say(ui, STYLE_GOOD, "%s is what is predicted", f->name);
}

static void row_asked(void *owner, const char *text, Ui *ui)
{
    DataState *s = owner;
    int64_t row;
    TableSource table = data_table_source(s);
    if (text_to_int(text, strlen(text), &row) && row >= 1)
        table_go(&s->table, &table, (uint64_t)row - 1);
    else
        ui_say(ui, STYLE_WARN, "expected a row number from 1 to %llu, found '%s'",
               (unsigned long long)table.rows, text);
}

static void name_asked(void *owner, const char *text, Ui *ui)
{
    DataState *s = owner;
    const DatasetRow *d = data_under_cursor(s, ui);
    if (d && *text && !text_equal(d->name, text))
        data_rename(s, d->name, text, ui);
}

static void start_typing(DataState *s, int what)
{
    s->typing = what;
    s->line_error = (Error){0};
    line_set(&s->line, what == TYPING_FILTER ? s->filter : "");
}

static void accept_typing(DataState *s, Ui *ui)
{
    const char *text = line_text(&s->line);
    if (s->typing == TYPING_SEARCH) {
        s->typing = TYPING_NONE;
        snprintf(s->find, sizeof s->find, "%s", text);
        data_search(s, 1, true, ui);
        return;
    }
    Error err = {0};
    Expr *e = *text ? expr_parse(text, &s->data->schema, &err) : NULL;
    if (*text && e && expr_type(e) != COLUMN_BOOL)
        error_set(&err, ERROR_PARSE, "expected something that is true or false, like fare > 10");
    expr_destroy(e);
    if (err.kind != ERROR_NONE) {
        s->line_error = err;
        ui_say(ui, STYLE_WARN, "%s", err.text);
        return;
    }
    s->typing = TYPING_NONE;
    snprintf(s->filter, sizeof s->filter, "%s", text);
    data_rows_make(s, ui);
}

static void sort_by(DataState *s, bool down, Ui *ui)
{
    snprintf(s->sort, sizeof s->sort, "%s", s->data->schema.field[s->table.col].name);
    s->sort_down = down;
    data_rows_make(s, ui);
}

static void copy_cell(const DataState *s, Ui *ui)
{
    if (!data_rows(s) || s->table.col >= s->columns)
        return;
    size_t row;
    Text text = {0};
    const Chunk *chunk = data_chunk_of(s, data_row(s, s->table.at), &row);
    column_print(&chunk->column[s->table.col], row, &text);
    ui_copy(ui, text_str(&text));
    text_release(&text);
}

static Reply go_back(DataState *s, Ui *ui)
{
    if (s->in_list)
        return REPLY_IGNORED;
    if (s->view == VIEW_COLUMN && s->column_from_schema)
        s->view = VIEW_SCHEMA;
    else if (s->view != VIEW_TABLE)
        s->view = VIEW_TABLE;
    else if (*s->filter || *s->sort) {
        forget_rows(s);
        data_rows_make(s, ui);
    } else if (ui_maximised(ui))
        return REPLY_IGNORED;
    else
        s->in_list = true;
    return REPLY_DRAW;
}

/* The row of the schema under the cursor is the column that is worked on. */
static Reply with_column(DataState *s, Reply reply)
{
    s->table.col = s->schema.at < s->columns ? (size_t)s->schema.at : 0;
    return reply;
}

static Reply move(DataState *s, int command, Ui *ui)
{
    ListContext l;
    TableSource list = data_list_source(ui, &l), table = data_table_source(s);
    TableSource schema = data_schema_source(s), rejects = data_rejects_source(s);
    if (s->in_list) {
        if (command == UI_RIGHT && s->data) {
            s->in_list = false;
            return REPLY_DRAW;
        }
        return table_command(&s->list, &list, command);
    }
    switch (s->view) {
    case VIEW_TABLE:
        return table_command(&s->table, &table, command);
    case VIEW_SCHEMA:
        return with_column(s, table_command(&s->schema, &schema, command));
    case VIEW_REJECTS:
        return table_command(&s->rejects, &rejects, command);
    case VIEW_COLUMN: /* the neighbours */
        if ((command == UI_LEFT || command == UI_UP) && s->table.col > 0)
            s->table.col--;
        if ((command == UI_RIGHT || command == UI_DOWN) && s->table.col + 1 < s->columns)
            s->table.col++;
        s->schema.at = s->table.col;
        return command <= UI_LAST ? REPLY_DRAW : REPLY_IGNORED;
    }
    return REPLY_IGNORED;
}

static void complete_filter(void *owner, const char *text, void (*add)(void *, const char *),
                            void *context)
{
    const DataState *s = owner;
    size_t n = strlen(text), from = n;
    while (from && (text[from - 1] == '_' || (text[from - 1] & 0x80) ||
                    strchr("0123456789", text[from - 1]) ||
                    ((text[from - 1] | 32) >= 'a' && (text[from - 1] | 32) <= 'z')))
        from--;
    const char *word = text + from;
    for (size_t i = 0; i < s->columns; i++)
        if (!strncasecmp(s->data->schema.field[i].name, word, n - from))
            add(context, s->data->schema.field[i].name);
    for (size_t i = 0; i < function_kinds() && *word; i++)
        if (!strncasecmp(function_kind(i)->name, word, n - from))
            add(context, function_kind(i)->name);
}

/* While candidates are shown these three keys are theirs. */
static bool typing_popup(DataState *s, int command)
{
    if (!s->line.open)
        return false;
    line_key(&s->line,
             command == DATA_ACCEPT  ? NKEY_ENTER
             : command == DATA_LEAVE ? NKEY_ESC
                                     : NKEY_TAB,
             NULL);
    return true;
}

static Reply on_command(void *state, int command, Ui *ui)
{
    DataState *s = state;
    const DatasetRow *d = data_under_cursor(s, ui);
    switch (command) {
    case UI_OPEN:
        if (!s->in_list)
            return REPLY_IGNORED;
        if (text_equal(d->hash, ui_dataset_hash(ui)))
            s->in_list = false;
        else
            ui_choose_dataset(ui, d->hash);
        return REPLY_DRAW;
    case UI_NEXT_PART:
    case UI_PREV_PART:
        s->in_list = !s->in_list;
        return REPLY_DRAW;
    case UI_BACK:
        return go_back(s, ui);
    case UI_SEARCH:
        start_typing(s, TYPING_SEARCH);
        return REPLY_DRAW;
    case UI_NEXT:
    case UI_PREVIOUS:
        data_search(s, command == UI_NEXT ? 1 : -1, false, ui);
        return REPLY_DRAW;
    case UI_COPY:
        if (!s->in_list && s->view == VIEW_TABLE)
            copy_cell(s, ui);
        else if (s->in_list && d)
            ui_copy(ui, d->name);
        return REPLY_DRAW;
    case DATA_INGEST:
        ui_prompt(ui, "ingest ");
        return REPLY_DRAW;
    case DATA_RENAME:
        ui_ask(ui, &(Ask){.title = "Rename dataset",
                          .label = "name",
                          .initial = d->name,
                          .owner = s,
                          .done = name_asked,
                          .about = "Older versions with the same name keep their hash."});
        return REPLY_DRAW;
    case DATA_SCHEMA:
        if (s->view == VIEW_SCHEMA) {
            s->view = VIEW_TABLE;
        } else {
            s->view = VIEW_SCHEMA;
            s->schema.at = s->table.col;
        }
        return REPLY_DRAW;
    case DATA_COLUMN:
        s->column_from_schema = s->view == VIEW_SCHEMA;
        s->view = VIEW_COLUMN;
        return REPLY_DRAW;
    case DATA_REJECTS:
        s->in_list = false;
        s->view = VIEW_REJECTS;
        data_rejects_load(s, ui);
        return REPLY_DRAW;
    case DATA_ROLE:
        open_role_menu(s, ui);
        return REPLY_DRAW;
    case DATA_TARGET:
        set_target(s, ui);
        return REPLY_DRAW;
    case DATA_FILTER:
        start_typing(s, TYPING_FILTER);
        return REPLY_DRAW;
    case DATA_SORT_UP:
    case DATA_SORT_DOWN:
        sort_by(s, command == DATA_SORT_DOWN, ui);
        return REPLY_DRAW;
    case DATA_GO:
        ui_ask(ui, &(Ask){.title = "Go to row", .label = "row", .owner = s, .done = row_asked});
        return REPLY_DRAW;
    case DATA_CLEAN:
        if (s->in_list && d)
            ui_choose_dataset(ui, d->hash);
        ui_go(ui, "clean");
        return REPLY_DRAW;
    case DATA_ACCEPT:
        if (!typing_popup(s, command))
            accept_typing(s, ui);
        return REPLY_DRAW;
    case DATA_LEAVE:
        if (!typing_popup(s, command))
            s->typing = TYPING_NONE;
        return REPLY_DRAW;
    case DATA_COMPLETE:
        if (!typing_popup(s, command) && s->typing == TYPING_FILTER)
            line_complete(&s->line, complete_filter, s);
        return REPLY_DRAW;
    }
    return move(s, command, ui);
}

static Reply on_key(void *state, Key key, Ui *ui)
{
    (void)ui;
    DataState *s = state;
    bool changed;
    line_key(&s->line, key, &changed);
    if (changed && s->typing == TYPING_FILTER) { /* says what is wrong while it is typed, gently */
        s->line_error = (Error){0};
        const char *text = line_text(&s->line);
        Expr *e = *text ? expr_parse(text, &s->data->schema, &s->line_error) : NULL;
        expr_destroy(e);
    }
    return REPLY_DRAW;
}

static Reply on_mouse(void *state, const Mouse *m, Ui *ui)
{
    DataState *s = state;
    ListContext l;
    TableSource list = data_list_source(ui, &l), table = data_table_source(s);
    TableSource schema = data_schema_source(s), rejects = data_rejects_source(s);
    if (m->id == DATA_ZONE_LIST) {
        s->in_list = true;
        Reply reply = table_mouse(&s->list, &list, m);
        if (m->kind <= MOUSE_DOUBLE && data_under_cursor(s, ui))
            ui_choose_dataset(ui, data_under_cursor(s, ui)->hash);
        return reply;
    }
    if (m->id != DATA_ZONE_MAIN)
        return REPLY_IGNORED;
    s->in_list = false;
    switch (s->view) {
    case VIEW_TABLE:
        return table_mouse(&s->table, &table, m);
    case VIEW_SCHEMA:
        return with_column(s, table_mouse(&s->schema, &schema, m));
    default:
        return table_mouse(&s->rejects, &rejects, m);
    }
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
    .about = "datasets as tables, schemas and columns",
    .keys = keys,
    .state_size = sizeof(DataState),
    .create = create,
    .destroy = destroy,
    .tick = tick,
    .layout = layout,
    .draw = data_draw,
    .on_command = on_command,
    .on_mouse = on_mouse,
    .why_not = why_not,
    .mode = mode,
    .text_modes = MODE_TYPING,
    .on_key = on_key,
    .badge = badge,
};
