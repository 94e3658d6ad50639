/* sql.c -- pane 7, SQL: the workspace as one database. An editor with history and completion, rows as one
 * scrolls to them, and what a statement finds kept as a file or a dataset. */
#include "sql_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CURSOR_SECONDS 20 /* an open statement holds the log of the store back: not for longer */

enum {
    SQL_EDIT = PANE_COMMANDS,
    SQL_ENTER,
    SQL_RUN,
    SQL_AGAIN,
    SQL_NEWLINE,
    SQL_COMPLETE,
    SQL_LEAVE,
    SQL_STOP,
    SQL_VIEW,
    SQL_INSERT,
    SQL_OPEN_QUERY,
    SQL_LIST,
    SQL_SAVE,
    SQL_WRITE,
    SQL_OLDER,
    SQL_NEWER,
    SQL_EXAMPLE_A,
    SQL_EXAMPLE_B,
    SQL_EXAMPLE_C,
    SQL_CLEAR
};
enum { IN_QUERY = 1, IN_EDIT = 2, IN_RESULT = 4, IN_TABLES = 8 };

// clang-format off
static const KeyRow keys[] = {
    {SQL_ENTER,      "run-typed",     "Enter",         "run",      "run it (in the last line; before it: a new line)", IN_EDIT},
    {SQL_COMPLETE,   "complete",      "Tab",           "complete", "tables, columns, keywords that may follow", IN_EDIT},
    {SQL_NEWLINE,    "new-line",      "Alt-Enter Ctrl-O", "new line", "another line of the statement", IN_EDIT},
    {SQL_LEAVE,      "leave-query",   "Esc",           "leave",    "out of the editor; the text stays", IN_EDIT},
    {SQL_STOP,       "stop-query",    "Ctrl-C",        NULL,       "stop the statement that runs", IN_EDIT},
    {SQL_OPEN_QUERY, "open-query",    "Enter",         NULL,       "type in the editor", IN_QUERY},
    {SQL_SAVE,       "save-result",   "Enter S",       "save",     "keep all rows as a dataset", IN_RESULT},
    {SQL_VIEW,       "view-value",    "v",             "view",     "the whole value under the cursor", IN_RESULT},
    {SQL_INSERT,     "insert-name",   "Enter",         "insert",   "the name into the query", IN_TABLES},
    {SQL_EDIT,       "edit-query",    "i e",           "edit",     "type in the editor; Up brings earlier statements", IN_QUERY | IN_RESULT | IN_TABLES},
    {SQL_AGAIN,      "run-query",     "x",             "run",      "run the statement again", IN_QUERY | IN_RESULT | IN_TABLES},
    {SQL_RUN,        "run",           "F5 Ctrl-Enter", NULL,       "run the statement", IN_EDIT | IN_QUERY | IN_RESULT | IN_TABLES},
    {SQL_SAVE,       "keep-result",   "S",             "save",     "keep all rows of the result as a dataset", IN_QUERY | IN_TABLES},
    {SQL_WRITE,      "write-result",  "w",             "write",    "write all rows to a CSV, Arrow or Parquet file", 0},
    {SQL_LIST,       "tables",        "t",             "tables",   "the tables with their columns; Space opens one", 0},
    {SQL_OLDER,      "older-query",   "<",             "older",    "the statement before", 0},
    {SQL_NEWER,      "newer-query",   ">",             NULL,       "the statement after", 0},
    {SQL_CLEAR,      "clear-query",   "Ctrl-N",             NULL,       "an empty editor, and the examples again", 0},
    {SQL_EXAMPLE_A,  "example-a",     "a",             NULL,       "run the first example", 0},
    {SQL_EXAMPLE_B,  "example-b",     "b",             NULL,       "run the second example", 0},
    {SQL_EXAMPLE_C,  "example-c",     "c",             NULL,       "run the third example", 0},
    {0}};
// clang-format on

static void stop_query(SqlState *s)
{
    ui_job_cancel(s->ui, s, SQL_SLOT_ROWS);
    s->result.stopped = true;
}

static Reply tables_command(SqlState *s, int command)
{
    TableSource list = sql_list(s);
    if (s->list.at < s->rows.count &&
        (command == UI_MARK || command == UI_LEFT || command == UI_RIGHT)) {
        bool open = s->tables->table.at[s->rows.at[s->list.at].table].open;
        sql_open_table(s, command == UI_MARK ? !open : command == UI_RIGHT);
        return REPLY_DRAW;
    }
    if (command == UI_BACK) {
        s->part = s->result.column ? SQL_RESULT : SQL_QUERY;
        return REPLY_DRAW;
    }
    return table_command(&s->list, &list, command);
}

/* ---- the pane ------------------------------------------------------------------------------------------------------ */

static void create(void *state, Ui *ui)
{
    SqlState *s = state;
    s->ui = ui;
    s->where = SIZE_MAX;
}

static void destroy(void *state)
{
    SqlState *s = state;
    sql_cursor_close(s->cursor);
    result_reset(&s->result);
    line_release(&s->edit.line);
    for (size_t i = 0; i < s->history.count; i++)
        mem_free(s->history.at[i]);
    vec_release(&s->history);
    mem_free(s->typed);
    for (size_t i = 0; i < SQL_EXAMPLES; i++)
        text_release(&s->example[i]);
    sql_tables_free(s->tables);
    vec_release(&s->rows);
}

static bool tick(void *state, Ui *ui)
{
    SqlState *s = state;
    bool shown = ui_visible(ui, state);
    if (s->cursor && ui_now(ui) - s->read_at > CURSOR_SECONDS)
        sql_close_cursor(s);
    if (!shown)
        return false;
    sql_examples(s);
    if (sql_running(s))
        ui_animate(ui, 0.5);
    if (ui_snapshot(ui)->number != s->seen || !s->tables) {
        s->seen = ui_snapshot(ui)->number;
        sql_load_tables(s);
    }
    sql_open_chosen(s);
    return true;
}

static void layout(void *state, int rows, int cols, Ui *ui)
{
    (void)ui;
    sql_layout(state, rows, cols);
}

static void draw(const void *state, const Canvas *c, const Ui *ui)
{
    (void)ui;
    sql_draw(state, c);
}

static unsigned mode(const void *state)
{
    const SqlState *s = state;
    return s->editing              ? IN_EDIT
           : s->part == SQL_QUERY  ? IN_QUERY
           : s->part == SQL_RESULT ? IN_RESULT
                                   : IN_TABLES;
}

static void view_value(SqlState *s)
{
    Text value = {0};
    const SqlBlock *b;
    const SqlCell *cell = result_cell(&s->result, s->table.at, s->table.col, &b);
    result_print(&s->result, s->table.at, s->table.col, &value);
    if (cell)
        ui_view(s->ui, s->result.column[s->table.col].title,
                cell->kind == CELL_NULL ? "NULL" : text_str(&value));
    text_release(&value);
}

static Reply result_command(SqlState *s, int command)
{
    TableSource src = result_source(&s->result);
    if (command == UI_COPY) {
        Text value = {0};
        result_print(&s->result, s->table.at, s->table.col, &value);
        ui_copy(s->ui, text_str(&value));
        text_release(&value);
        return REPLY_DRAW;
    }
    if (command == UI_BOTTOM && !s->result.end)
        s->goal = SQL_MOST;
    else if (command == UI_UP || command == UI_TOP || command == UI_PAGE_UP)
        s->goal = 0;
    Reply reply = table_command(&s->table, &src, command);
    sql_want_rows(s);
    return reply;
}

static void next_part(SqlState *s, int by)
{
    do
        s->part = (SqlPart)(((int)s->part + by + SQL_PARTS) % SQL_PARTS);
    while (s->part == SQL_RESULT && !s->result.column);
}

static void complete(void *owner, const char *text, void (*add)(void *, const char *),
                     void *context)
{
    const SqlState *s = owner;
    if (s->tables)
        sql_complete(s->tables, text, add, context);
}

static Reply edit_command(SqlState *s, int command)
{
    LineEdit *line = &s->edit.line;
    bool open = line->open;
    switch (command) {
    case SQL_ENTER:
        if (open || s->edit.pasting)
            edit_key(&s->edit, NKEY_ENTER);
        else if (!edit_last_line(&s->edit))
            edit_insert(&s->edit, "\n");
        else
            sql_run_query(s);
        return REPLY_DRAW;
    case SQL_NEWLINE:
        edit_insert(&s->edit, "\n");
        return REPLY_DRAW;
    case SQL_COMPLETE:
        if (open || s->edit.pasting)
            edit_key(&s->edit, NKEY_TAB);
        else
            line_complete(line, complete, s);
        return REPLY_DRAW;
    case SQL_LEAVE:
        if (open)
            line_close(line);
        else
            s->editing = false;
        return REPLY_DRAW;
    case SQL_STOP:
        stop_query(s);
        return REPLY_DRAW;
    }
    return REPLY_IGNORED;
}

static Reply on_command(void *state, int command, Ui *ui)
{
    SqlState *s = state;
    if (command >= SQL_EXAMPLE_A && command <= SQL_EXAMPLE_C) {
        sql_run_example(s, (size_t)(command - SQL_EXAMPLE_A));
        return REPLY_DRAW;
    }
    switch (command) {
    case SQL_EDIT:
    case SQL_OPEN_QUERY:
        s->part = SQL_QUERY;
        s->editing = true;
        return REPLY_DRAW;
    case SQL_RUN:
    case SQL_AGAIN:
        sql_run_query(s);
        return REPLY_DRAW;
    case SQL_VIEW:
        view_value(s);
        return REPLY_DRAW;
    case SQL_INSERT:
        sql_insert_name(s);
        return REPLY_DRAW;
    case SQL_LIST:
        s->part = s->part != SQL_TABLES ? SQL_TABLES : s->result.column ? SQL_RESULT : SQL_QUERY;
        return REPLY_DRAW;
    case SQL_SAVE:
    case SQL_WRITE:
        sql_ask_keep(s, command == SQL_WRITE);
        return REPLY_DRAW;
    case SQL_OLDER:
    case SQL_NEWER:
        if (!sql_walk_history(s, command == SQL_OLDER ? -1 : 1))
            ui_say(ui, STYLE_INFO, "there is no earlier statement");
        return REPLY_DRAW;
    case SQL_CLEAR:
        ui_job_cancel(ui, s, SQL_SLOT_ROWS);
        sql_close_cursor(s);
        result_reset(&s->result);
        line_set(&s->edit.line, "");
        s->error = (Error){0};
        s->part = SQL_QUERY;
        return REPLY_DRAW;
    case UI_NEXT_PART:
    case UI_PREV_PART:
        next_part(s, command == UI_NEXT_PART ? 1 : -1);
        return REPLY_DRAW;
    }
    if (s->editing)
        return edit_command(s, command);
    if (command == UI_BACK && sql_running(s)) { /* Esc takes back what was asked for last */
        stop_query(s);
        return REPLY_DRAW;
    }
    if (s->part == SQL_TABLES)
        return tables_command(s, command);
    if (s->part == SQL_RESULT)
        return result_command(s, command);
    if (command == UI_COPY)
        ui_copy(ui, line_text(&s->edit.line));
    if (command == UI_UP || command == UI_DOWN)
        sql_walk_history(s, command == UI_UP ? -1 : 1);
    return command == UI_COPY || command == UI_UP || command == UI_DOWN ? REPLY_DRAW
                                                                        : REPLY_IGNORED;
}

static Reply on_key(void *state, Key key, Ui *ui)
{
    SqlState *s = state;
    (void)ui;
    bool open = s->edit.line.open;
    if (!open && key == NKEY_UP && !edit_up(&s->edit))
        sql_walk_history(s, -1);
    else if (!open && key == NKEY_DOWN && !edit_down(&s->edit))
        sql_walk_history(s, 1);
    if (!open && (key == NKEY_UP || key == NKEY_DOWN))
        return REPLY_DRAW;
    size_t before = s->edit.line.text.count;
    edit_key(&s->edit, key);
    if (s->edit.line.text.count != before) {
        s->error = (Error){0};
        s->where = SIZE_MAX;
    }
    return REPLY_DRAW;
}

static Reply on_mouse(void *state, const Mouse *m, Ui *ui)
{
    SqlState *s = state;
    TableSource result = result_source(&s->result), list = sql_list(s);
    (void)ui;
    bool press = m->kind <= MOUSE_DOUBLE;
    switch (m->id) {
    case SQL_ZONE_QUERY:
        s->part = SQL_QUERY;
        s->editing |= press;
        return REPLY_DRAW;
    case SQL_ZONE_RESULT:
        s->part = SQL_RESULT;
        s->editing = false;
        table_mouse(&s->table, &result, m);
        sql_want_rows(s);
        if (m->kind == MOUSE_DOUBLE)
            view_value(s);
        return REPLY_DRAW;
    case SQL_ZONE_TABLES:
        s->part = SQL_TABLES;
        s->editing = false;
        table_mouse(&s->list, &list, m);
        if (m->kind == MOUSE_DOUBLE)
            sql_insert_name(s);
        return REPLY_DRAW;
    case SQL_ZONE_EXAMPLE:
        if (press)
            sql_run_example(s, (size_t)m->index);
        return REPLY_DRAW;
    }
    return REPLY_IGNORED;
}

static const char *why_not(const void *state, int command, const Ui *ui)
{
    const SqlState *s = state;
    (void)ui;
    bool empty = !line_text(&s->edit.line)[strspn(line_text(&s->edit.line), " \t\n;")];
    if ((command == SQL_SAVE || command == SQL_WRITE) && !s->result.column)
        return "there is no result yet; run a statement first";
    if ((command == SQL_RUN || command == SQL_AGAIN) && empty)
        return "there is no statement yet; i edits one, a runs an example";
    if (command == SQL_VIEW && !s->result.rows)
        return "there are no rows";
    if (command == SQL_STOP && !sql_running(s))
        return "no statement is running";
    if (command == SQL_OLDER && s->history_known && !s->history_at)
        return "there is no earlier statement";
    if (command == SQL_NEWER && s->history_at >= s->history.count)
        return "this is the newest statement";
    return NULL;
}

const Pane sql_pane = {
    .name = "sql",
    .title = "SQL",
    .about = "the workspace as one database: datasets beside runs and metrics",
    .keys = keys,
    .state_size = sizeof(SqlState),
    .create = create,
    .destroy = destroy,
    .tick = tick,
    .layout = layout,
    .draw = draw,
    .on_command = on_command,
    .on_key = on_key,
    .on_mouse = on_mouse,
    .why_not = why_not,
    .mode = mode,
    .text_modes = IN_EDIT,
    .table = sql_table_shown,
    .write = sql_write,
    .keep = sql_keep,
    .put = sql_put,
};
