/* sql.c -- pane 7, SQL: the workspace as one database. An editor with history and completion, rows as one
 * scrolls to them, and what a statement finds kept as a file or a dataset. */
#include "sql_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HISTORY_MOST 100
#define CURSOR_SECONDS 20 /* an open statement holds the log of the store back: not for longer */

enum { SQL_EDIT = PANE_COMMANDS, SQL_ENTER, SQL_RUN, SQL_AGAIN, SQL_NEWLINE, SQL_COMPLETE, SQL_LEAVE,
       SQL_STOP, SQL_VIEW, SQL_INSERT, SQL_OPEN_QUERY, SQL_LIST, SQL_SAVE, SQL_WRITE, SQL_OLDER,
       SQL_NEWER, SQL_EXAMPLE_A, SQL_EXAMPLE_B, SQL_EXAMPLE_C, SQL_CLEAR };
enum { IN_QUERY = 1, IN_EDIT = 2, IN_RESULT = 4, IN_TABLES = 8 };

// clang-format off
static const KeyRow keys[] = {
    {SQL_ENTER,      "run-typed",     "Enter",         "run",      "run the statement (in the last line; before it: a new line)", IN_EDIT},
    {SQL_COMPLETE,   "complete",      "Tab",           "complete", "tables, columns, keywords that may follow", IN_EDIT},
    {SQL_NEWLINE,    "new-line",      "Alt-Enter Ctrl-O", "new line", "another line of the statement", IN_EDIT},
    {SQL_LEAVE,      "leave-query",   "Esc",           "leave",    "out of the editor; the text stays", IN_EDIT},
    {SQL_STOP,       "stop-query",    "Ctrl-C",        NULL,       "stop the statement that runs", IN_EDIT},
    {SQL_OPEN_QUERY, "open-query",    "Enter",         NULL,       "type in the editor", IN_QUERY},
    {SQL_VIEW,       "view-value",    "Enter",         "view",     "the whole value under the cursor", IN_RESULT},
    {SQL_INSERT,     "insert-name",   "Enter",         "insert",   "the name into the query", IN_TABLES},
    {SQL_EDIT,       "edit-query",    "i e",           "edit",     "type in the editor; Up and Down bring earlier statements", IN_QUERY | IN_RESULT | IN_TABLES},
    {SQL_AGAIN,      "run-query",     "x",             "run",      "run the statement again", IN_QUERY | IN_RESULT | IN_TABLES},
    {SQL_RUN,        "run",           "F5 Ctrl-Enter", NULL,       "run the statement", IN_EDIT | IN_QUERY | IN_RESULT | IN_TABLES},
    {SQL_SAVE,       "save-result",   "S",             "save",     "keep all rows as a dataset", 0},
    {SQL_WRITE,      "write-result",  "w",             "csv",      "write all rows to a CSV file", 0},
    {SQL_LIST,       "tables",        "t",             "tables",   "the tables with their columns; Space opens one", 0},
    {SQL_OLDER,      "older-query",   "<",             "older",    "the statement before", 0},
    {SQL_NEWER,      "newer-query",   ">",             NULL,       "the statement after", 0},
    {SQL_CLEAR,      "clear-query",   "Ctrl-N",             NULL,       "an empty editor, and the examples again", 0},
    {SQL_EXAMPLE_A,  "example-a",     "a",             NULL,       "run the first example", 0},
    {SQL_EXAMPLE_B,  "example-b",     "b",             NULL,       "run the second example", 0},
    {SQL_EXAMPLE_C,  "example-c",     "c",             NULL,       "run the third example", 0},
    {0}};
// clang-format on

bool sql_running(const SqlState *s)
{
    return ui_job_running(s->ui, s, SQL_SLOT_ROWS);
}

/* ---- history, in the workspace's settings ------------------------------------------------------------ */

static void know_history(SqlState *s)
{
    if (s->history_known)
        return;
    const char *kept = ui_setting(s->ui, "sql.history");
    json_t *list = kept ? json_loads(kept, 0, NULL) : NULL, *text;
    size_t i;
    s->history_known = true;
    json_array_foreach(list, i, text)
        if (json_is_string(text))
            vec_add(&s->history, text_copy(json_string_value(text)));
    json_decref(list);
    s->history_at = s->history.count;
}

static void remember(SqlState *s, const char *text)
{
    know_history(s);
    for (size_t i = 0; i < s->history.count; i++)
        if (!strcmp(s->history.at[i], text) || s->history.count >= HISTORY_MOST) {
            mem_free(s->history.at[i]);
            memmove(&s->history.at[i], &s->history.at[i + 1],
                    (s->history.count - i - 1) * sizeof *s->history.at);
            s->history.count--;
            break;
        }
    vec_add(&s->history, text_copy(text));
    s->history_at = s->history.count;
    json_t *list = json_array();
    for (size_t i = 0; i < s->history.count; i++)
        json_array_append_new(list, json_string(s->history.at[i]));
    char *kept = json_dumps(list, JSON_COMPACT);
    if (kept)
        ui_set_setting(s->ui, "sql.history", kept);
    free(kept);
    json_decref(list);
}

static bool walk_history(SqlState *s, int by)
{
    know_history(s);
    if ((by < 0 && !s->history_at) || (by > 0 && s->history_at >= s->history.count))
        return false;
    if (s->history_at == s->history.count) {
        mem_free(s->typed);
        s->typed = text_copy(line_text(&s->edit.line));
    }
    s->history_at = by < 0 ? s->history_at - 1 : s->history_at + 1;
    bool typed = s->history_at == s->history.count;
    line_set(&s->edit.line, !typed ? s->history.at[s->history_at] : s->typed ? s->typed : "");
    s->error = (Error){0};
    return true;
}

/* ---- asking ---------------------------------------------------------------------------------------------- */

static void answered(void *owner, void *result, const Error *err, Ui *ui);

static void read_more(SqlState *s, uint64_t most)
{
    SqlAsk *ask = mem_alloc(sizeof *ask);
    *ask = (SqlAsk){.cursor = s->cursor, .text = text_copy(s->result.text), .from = s->result.rows,
                    .most = most};
    s->cursor = NULL;
    ui_job(s->ui, (Job){.owner = s, .slot = SQL_SLOT_ROWS, .what = "sql", .run = sql_ask_run,
                        .input = ask, .release_input = sql_ask_free, .done = answered,
                        .release = sql_answer_free, .quiet = true});
    ui_animate(s->ui, 0.5);
}

/* Reads on when the cursor comes near the last row that is there. */
static void want_rows(SqlState *s)
{
    const SqlResult *r = &s->result;
    uint64_t near = s->table.at + (uint64_t)(s->table.rows > 0 ? s->table.rows : 1) * 2;
    uint64_t goal = near > s->goal ? near : s->goal;
    goal = goal < SQL_MOST ? goal : SQL_MOST;
    if (!r->column || r->end || r->stopped || r->rows >= goal || sql_running(s))
        return;
    uint64_t most = goal - r->rows > SQL_MORE * 5 ? SQL_MORE * 5 : SQL_MORE;
    read_more(s, SQL_MOST - r->rows < most ? SQL_MOST - r->rows : most);
}

static void failed(SqlState *s, const SqlAnswer *a)
{
    s->error = a->error;
    s->where = strcmp(line_text(&s->edit.line), s->result.text) == 0 ? a->where : SIZE_MAX;
    result_reset(&s->result);
    s->part = SQL_QUERY;
    if (s->where != SIZE_MAX && !s->editing)
        s->edit.line.at = s->where;
}

static void answered(void *owner, void *result, const Error *err, Ui *ui)
{
    SqlState *s = owner;
    SqlAnswer *a = result;
    ui_draw(ui);
    s->read_at = ui_now(ui);
    if (!a) { /* stopped before it began */
        if (err->kind == ERROR_STOP)
            s->result.stopped = true;
        return;
    }
    s->cursor = a->cursor;
    a->cursor = NULL;
    if (a->error.kind && a->error.kind != ERROR_STOP) {
        failed(s, a);
    } else if (a->block) {
        bool first = !s->result.column;
        result_take(&s->result, a);
        if (first && s->part == SQL_QUERY && !s->editing)
            s->part = SQL_RESULT;
        want_rows(s);
        if (s->goal) { /* on its way to the end */
            s->table.at = s->result.rows ? s->result.rows - 1 : 0;
            if (s->result.end || s->result.stopped || s->result.rows >= SQL_MOST)
                s->goal = 0;
        }
    }
    sql_answer_free(a);
}

static void close_cursor(SqlState *s)
{
    if (!s->cursor)
        return;
    SqlAsk *ask = mem_alloc(sizeof *ask);
    ask->cursor = s->cursor;
    s->cursor = NULL;
    ui_job(s->ui, (Job){.owner = s, .slot = SQL_SLOT_CLOSE, .run = sql_close_run, .input = ask,
                        .release_input = sql_ask_free, .quiet = true});
}

static void run_query(SqlState *s)
{
    const char *text = line_text(&s->edit.line);
    line_close(&s->edit.line);
    if (!text[strspn(text, " \t\n;")]) {
        ui_say(s->ui, STYLE_WARN, "there is nothing to run yet");
        return;
    }
    remember(s, text);
    close_cursor(s);
    result_reset(&s->result);
    s->table = (Table){.cells = true, .row_numbers = true};
    s->error = (Error){0};
    s->where = SIZE_MAX;
    s->goal = 0;
    s->editing = false;
    s->part = SQL_QUERY;
    s->result.text = text_copy(text);
    read_more(s, SQL_FIRST);
}

/* ---- examples ------------------------------------------------------------------------------------------------ */

static void example(SqlState *s, size_t i, const char *about)
{
    text_reset(&s->example[i]);
    s->example_about[i] = about;
}

/* A column of words that repeat, and a number to average: the target if it is one. */
static void group_example(const OpenDataset *d, Text *out)
{
    const Schema *schema = &d->schema;
    const Profile *profile = dataset_profile(d->data);
    size_t group = SIZE_MAX, value = SIZE_MAX;
    for (size_t i = 0; i < schema->count; i++) {
        const Field *f = &schema->field[i];
        double distinct = profile->column[i].distinct;
        if (f->type == COLUMN_TEXT && distinct > 1 && distinct < 60 && group == SIZE_MAX)
            group = i;
        bool number = f->type == COLUMN_REAL || (f->type == COLUMN_INT && f->role == ROLE_TARGET);
        if (number && (value == SIZE_MAX || f->role == ROLE_TARGET))
            value = i;
    }
    text_puts(out, "select ");
    if (group != SIZE_MAX) {
        sql_name(schema->field[group].name, out);
        text_puts(out, ", ");
    }
    text_puts(out, "count(*) as rows");
    if (value != SIZE_MAX) {
        text_puts(out, ", round(avg(");
        sql_name(schema->field[value].name, out);
        text_puts(out, "), 3) as average");
    }
    text_puts(out, "\nfrom ");
    sql_name(d->row.name, out);
    if (group != SIZE_MAX)
        text_puts(out, "\ngroup by 1 order by 2 desc");
}

void sql_examples(SqlState *s)
{
    example(s, 0, "the newest runs with the best value each has reached");
    text_puts(&s->example[0], "select id, name, family, status, monitor, best, best_step\n"
                              "from runs order by id desc limit 50");
    example(s, 1, "how far every metric of every run came");
    text_puts(&s->example[1], "select r.name, m.key, count(*) as points, min(m.value) as least,"
                              " max(m.value) as most\nfrom metrics m join runs r on r.id = m.run\n"
                              "group by r.id, m.key order by r.id desc, m.key");
    const OpenDataset *d = ui_dataset(s->ui);
    example(s, 2, d ? "groups of the dataset that is open" : "the datasets of this workspace");
    if (d)
        group_example(d, &s->example[2]);
    else
        text_puts(&s->example[2], "select name, rows, columns, bytes, source\nfrom datasets");
}

static void run_example(SqlState *s, size_t i)
{
    if (i >= SQL_EXAMPLES)
        return;
    sql_examples(s);
    line_set(&s->edit.line, text_str(&s->example[i]));
    run_query(s);
}

/* ---- keeping --------------------------------------------------------------------------------------------------- */

static void kept(void *owner, void *result, const Error *err, Ui *ui)
{
    SqlKept *k = result;
    (void)owner;
    (void)err; /* shown as a toast already */
    if (!k)
        return;
    Text rows = {0};
    text_add_count(&rows, (double)k->rows);
    ui_say(ui, STYLE_GOOD, k->csv ? "%s rows written to %s" : "%s rows kept as dataset %s", text_str(&rows),
           k->to);
    ui_refresh(ui);
    text_release(&rows);
    sql_kept_free(k);
}

static void keep(SqlState *s, const char *to, bool csv)
{
    if (!*to || !s->result.text)
        return;
    SqlKeep *k = mem_alloc(sizeof *k);
    *k = (SqlKeep){.text = text_copy(s->result.text), .to = text_copy(to), .csv = csv};
    ui_job(s->ui, (Job){.owner = s, .slot = SQL_SLOT_SAVE, .what = csv ? "writing CSV" : "keeping the rows",
                        .run = sql_keep_run, .input = k, .release_input = sql_keep_free, .done = kept,
                        .release = sql_kept_free});
}

static void keep_csv(void *owner, const char *text, Ui *ui)
{
    (void)ui;
    keep(owner, text, true);
}

static void keep_dataset(void *owner, const char *text, Ui *ui)
{
    (void)ui;
    keep(owner, text, false);
}

static bool check_name(void *owner, const char *text, Error *err)
{
    const SqlState *s = owner;
    if (!*text || strlen(text) > 64 || strpbrk(text, "/\""))
        return error_set(err, ERROR_USAGE, "1 to 64 characters without / or \"");
    for (size_t i = 0; s->tables && i < s->tables->table.count; i++)
        if (!s->tables->table.at[i].dataset && !strcmp(s->tables->table.at[i].name, text))
            return error_set(err, ERROR_USAGE, "%s is a table of the workspace already", text);
    return true;
}

static void ask_keep(SqlState *s, bool csv)
{
    if (csv)
        ui_ask(s->ui, &(Ask){.title = "Write CSV", .label = "file", .initial = "result.csv", .owner = s,
                             .about = "All rows of the statement, not only those shown.", .done = keep_csv});
    else
        ui_ask(s->ui, &(Ask){.title = "Save as dataset", .label = "name", .initial = "result", .owner = s,
                             .about = "All rows of the statement become a dataset; types from the values.",
                             .done = keep_dataset, .check = check_name});
}

/* ---- tables ------------------------------------------------------------------------------------------------------ */

static void tables_loaded(void *owner, void *result, const Error *err, Ui *ui)
{
    SqlState *s = owner;
    SqlTables *now = result;
    (void)err;
    if (!now)
        return;
    for (size_t i = 0; i < now->table.count; i++) {
        SqlTable *t = &now->table.at[i];
        for (size_t k = 0; s->tables && k < s->tables->table.count; k++)
            if (!strcmp(s->tables->table.at[k].name, t->name))
                t->open = s->tables->table.at[k].open;
    }
    sql_tables_free(s->tables);
    s->tables = now;
    tables_rows(s->tables, &s->rows);
    ui_draw(ui);
}

static void load_tables(SqlState *s)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    const char *newest = snap->datasets ? snap->dataset[0].hash : "";
    if (s->tables && s->datasets == snap->datasets && !strcmp(s->newest, newest))
        return;
    s->datasets = snap->datasets;
    snprintf(s->newest, sizeof s->newest, "%s", newest);
    ui_job(s->ui, (Job){.owner = s, .slot = SQL_SLOT_TABLES, .run = sql_tables_load,
                        .done = tables_loaded, .release = sql_tables_free, .quiet = true, .urgent = true});
}

static void open_table(SqlState *s, bool open)
{
    if (s->list.at >= s->rows.count)
        return;
    size_t table = s->rows.at[s->list.at].table;
    s->tables->table.at[table].open = open;
    tables_rows(s->tables, &s->rows);
    for (size_t i = 0; i < s->rows.count; i++)
        if (s->rows.at[i].table == table && s->rows.at[i].column == SIZE_MAX && !open)
            s->list.at = i;
}

/* At first the columns of the dataset that is open are listed, as soon as both are known. */
static void open_chosen(SqlState *s)
{
    const OpenDataset *d = ui_dataset(s->ui);
    for (size_t i = 0; d && s->tables && !s->chosen_open && i < s->tables->table.count; i++)
        if (!strcmp(s->tables->table.at[i].name, d->row.name)) {
            s->chosen_open = s->tables->table.at[i].open = true;
            tables_rows(s->tables, &s->rows);
        }
}

static void insert_name(SqlState *s)
{
    if (s->list.at >= s->rows.count)
        return;
    TablesRow at = s->rows.at[s->list.at];
    const SqlTable *t = &s->tables->table.at[at.table];
    const char *text = line_text(&s->edit.line);
    size_t place = s->edit.line.at;
    Text name = {0};
    if (place && !strchr(" \n(.,", text[place - 1]))
        text_putc(&name, ' ');
    sql_name(at.column == SIZE_MAX ? t->name : t->column[at.column], &name);
    edit_insert(&s->edit, text_str(&name));
    ui_say(s->ui, STYLE_INFO, "%s is in the query (i edits it)", text_str(&name));
    text_release(&name);
    s->error = (Error){0};
}

static Reply tables_command(SqlState *s, int command)
{
    TableSource list = sql_list(s);
    if (s->list.at < s->rows.count && (command == UI_MARK || command == UI_LEFT || command == UI_RIGHT)) {
        bool open = s->tables->table.at[s->rows.at[s->list.at].table].open;
        open_table(s, command == UI_MARK ? !open : command == UI_RIGHT);
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
        close_cursor(s);
    if (!shown)
        return false;
    sql_examples(s);
    if (sql_running(s))
        ui_animate(ui, 0.5);
    if (ui_snapshot(ui)->number != s->seen || !s->tables) {
        s->seen = ui_snapshot(ui)->number;
        load_tables(s);
    }
    open_chosen(s);
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
    return s->editing                ? IN_EDIT
           : s->part == SQL_QUERY    ? IN_QUERY
           : s->part == SQL_RESULT   ? IN_RESULT
                                     : IN_TABLES;
}

static void view_value(SqlState *s)
{
    Text value = {0};
    const SqlBlock *b;
    const SqlCell *cell = result_cell(&s->result, s->table.at, s->table.col, &b);
    result_print(&s->result, s->table.at, s->table.col, &value);
    if (cell)
        ui_view(s->ui, s->result.column[s->table.col].title, cell->kind == CELL_NULL ? "NULL" : text_str(&value));
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
    want_rows(s);
    return reply;
}

static void next_part(SqlState *s, int by)
{
    do
        s->part = (SqlPart)(((int)s->part + by + SQL_PARTS) % SQL_PARTS);
    while (s->part == SQL_RESULT && !s->result.column);
}

static void complete(void *owner, const char *text, void (*add)(void *, const char *), void *context)
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
            run_query(s);
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
        ui_job_cancel(s->ui, s, SQL_SLOT_ROWS);
        s->result.stopped = true;
        return REPLY_DRAW;
    }
    return REPLY_IGNORED;
}

static Reply on_command(void *state, int command, Ui *ui)
{
    SqlState *s = state;
    if (command >= SQL_EXAMPLE_A && command <= SQL_EXAMPLE_C) {
        run_example(s, (size_t)(command - SQL_EXAMPLE_A));
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
        run_query(s);
        return REPLY_DRAW;
    case SQL_VIEW:
        view_value(s);
        return REPLY_DRAW;
    case SQL_INSERT:
        insert_name(s);
        return REPLY_DRAW;
    case SQL_LIST:
        s->part = s->part != SQL_TABLES ? SQL_TABLES : s->result.column ? SQL_RESULT : SQL_QUERY;
        return REPLY_DRAW;
    case SQL_SAVE:
    case SQL_WRITE:
        ask_keep(s, command == SQL_WRITE);
        return REPLY_DRAW;
    case SQL_OLDER:
    case SQL_NEWER:
        if (!walk_history(s, command == SQL_OLDER ? -1 : 1))
            ui_say(ui, STYLE_INFO, "there is no earlier statement");
        return REPLY_DRAW;
    case SQL_CLEAR:
        ui_job_cancel(ui, s, SQL_SLOT_ROWS);
        close_cursor(s);
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
    if (s->part == SQL_TABLES)
        return tables_command(s, command);
    if (s->part == SQL_RESULT)
        return result_command(s, command);
    if (command == UI_COPY)
        ui_copy(ui, line_text(&s->edit.line));
    if (command == UI_UP || command == UI_DOWN)
        walk_history(s, command == UI_UP ? -1 : 1);
    return command == UI_COPY || command == UI_UP || command == UI_DOWN ? REPLY_DRAW : REPLY_IGNORED;
}

static Reply on_key(void *state, Key key, Ui *ui)
{
    SqlState *s = state;
    (void)ui;
    bool open = s->edit.line.open;
    if (!open && key == NKEY_UP && !edit_up(&s->edit))
        walk_history(s, -1);
    else if (!open && key == NKEY_DOWN && !edit_down(&s->edit))
        walk_history(s, 1);
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
        want_rows(s);
        if (m->kind == MOUSE_DOUBLE)
            view_value(s);
        return REPLY_DRAW;
    case SQL_ZONE_TABLES:
        s->part = SQL_TABLES;
        s->editing = false;
        table_mouse(&s->list, &list, m);
        if (m->kind == MOUSE_DOUBLE)
            insert_name(s);
        return REPLY_DRAW;
    case SQL_ZONE_EXAMPLE:
        if (press)
            run_example(s, (size_t)m->index);
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
};
