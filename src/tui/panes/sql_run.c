/* sql_run.c -- a statement is run, its rows are read block by block as one scrolls to them. */
#include "sql_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool sql_running(const SqlState *s)
{
    return ui_job_running(s->ui, s, SQL_SLOT_ROWS);
}

static void answered(void *owner, void *result, const Error *err, Ui *ui);

static void read_more(SqlState *s, uint64_t most)
{
    SqlAsk *ask = mem_alloc(sizeof *ask);
    *ask = (SqlAsk){.cursor = s->cursor,
                    .text = text_copy(s->result.text),
                    .from = s->result.rows,
                    .most = most};
    s->cursor = NULL;
    ui_job(s->ui, (Job){.owner = s,
                        .slot = SQL_SLOT_ROWS,
                        .what = "sql",
                        .run = sql_ask_run,
                        .input = ask,
                        .release_input = sql_ask_free,
                        .done = answered,
                        .release = sql_answer_free,
                        .quiet = true});
    ui_animate(s->ui, 0.5);
}

/* Reads on when the cursor comes near the last row that is there. */
void sql_want_rows(SqlState *s)
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
        sql_want_rows(s);
        if (s->goal) { /* on its way to the end */
            s->table.at = s->result.rows ? s->result.rows - 1 : 0;
            if (s->result.end || s->result.stopped || s->result.rows >= SQL_MOST)
                s->goal = 0;
        }
    }
    sql_answer_free(a);
}

void sql_close_cursor(SqlState *s)
{
    if (!s->cursor)
        return;
    SqlAsk *ask = mem_alloc(sizeof *ask);
    ask->cursor = s->cursor;
    s->cursor = NULL;
    ui_job(s->ui, (Job){.owner = s,
                        .slot = SQL_SLOT_CLOSE,
                        .run = sql_close_run,
                        .input = ask,
                        .release_input = sql_ask_free,
                        .quiet = true});
}

void sql_run_query(SqlState *s)
{
    const char *text = line_text(&s->edit.line);
    line_close(&s->edit.line);
    if (!text[strspn(text, " \t\n;")]) {
        ui_say(s->ui, STYLE_WARN, "there is nothing to run yet");
        return;
    }
    sql_remember(s, text);
    sql_close_cursor(s);
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
