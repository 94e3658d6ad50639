/* data_rows.c -- which rows the table shows, in which order: a filter and sort keys become a list of row
 * numbers by a job, while the rows before stay on the screen. The first rows that pass a filter and an
 * estimate of their number come at once; the exact list replaces them. */
#include "data_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define GLIMPSE_FROM 300000 /* rows of a dataset for which a first glimpse is worth it */

/* ---- lists of rows ----------------------------------------------------------------------------------------- */

Rows *rows_take(RowSet *set)
{
    Rows *r = mem_alloc(sizeof *r);
    atomic_init(&r->holders, 1);
    r->set = *set;
    *set = (RowSet){0};
    return r;
}

Rows *rows_hold(Rows *r)
{
    if (r)
        atomic_fetch_add(&r->holders, 1);
    return r;
}

void rows_drop(void *rows)
{
    Rows *r = rows;
    if (!r || atomic_fetch_sub(&r->holders, 1) != 1)
        return;
    rowset_release(&r->set);
    mem_free(r);
}

uint64_t data_rows(const DataState *s)
{
    return !s->data ? 0 : s->rows ? s->rows->set.count : dataset_rows(s->data->data);
}

uint64_t data_row(const DataState *s, uint64_t at)
{
    return s->rows ? s->rows->set.row[at] : at;
}

bool data_rows_awaited(const DataState *s)
{
    return s->glimpse && !s->partial;
}

bool data_filtered(const DataState *s)
{
    return *s->have.filter || s->have.marked;
}

void data_rows_forget(DataState *s)
{
    rows_drop(s->rows);
    s->rows = NULL;
    s->have = s->want = (Choice){0};
    s->glimpse = s->partial = false;
    data_described_drop(s);
}

/* ---- on the screen --------------------------------------------------------------------------------------------- */

static bool same_rows(const Choice *a, const Choice *b)
{
    return text_equal(a->filter, b->filter) && a->marked == b->marked;
}

static void take_rows(DataState *s, RowsAnswer *a, bool glimpse)
{
    bool other = !same_rows(&s->have, &a->choice),
         went_on = s->glimpse && same_rows(&s->have, &a->choice);
    rows_drop(s->rows);
    s->rows = a->rows;
    a->rows = NULL;
    s->have = a->choice;
    s->estimate = a->estimate;
    if (!went_on || a->choice.keys) /* the first rows of a glimpse are the first of all */
        s->table.at = s->table.top = 0;
    s->glimpse = glimpse;
    s->partial = false;
    if (other)
        data_described_drop(s);
}

/* Marked rows in an order of their own. */
void data_rows_given(DataState *s, RowSet *set, Ui *ui)
{
    ui_job_cancel(ui, s, DATA_ROWS_SLOT);
    ui_job_cancel(ui, s, DATA_GLIMPSE_SLOT);
    RowsAnswer given = {.choice = {.marked = true}, .rows = rows_take(set)};
    take_rows(s, &given, false);
    s->want = s->have;
    s->came.on = false;
}

/* What a filter had found by then stays. */
static void say_stopped(DataState *s, Ui *ui)
{
    Text rows = {0};
    s->partial = s->glimpse;
    if (!s->glimpse) {
        ui_say(ui, STYLE_WARN, "stopped; the rows stay as they were");
        return;
    }
    data_add_grouped(s->rows->set.count, &rows);
    text_puts(&rows, " rows that pass, of about ");
    text_add_count(&rows, s->estimate);
    ui_say(ui, STYLE_WARN, "stopped: these are the first %s", text_str(&rows));
    text_release(&rows);
}

static void rows_made(void *owner, void *result, const Error *err, Ui *ui)
{
    DataState *s = owner;
    ui_job_cancel(ui, s, DATA_GLIMPSE_SLOT);
    if (result) {
        take_rows(s, result, false);
        TableSource table = data_table_source(s);
        if (s->go_to)
            table_go(&s->table, &table, s->go_to);
        s->go_to = 0;
    } else {
        if (err->kind != ERROR_STOP)
            ui_error(ui, err);
        if (err->kind != ERROR_STOP && s->glimpse)
            data_rows_forget(s);
        s->want = s->have;
        if (err->kind == ERROR_STOP)
            say_stopped(s, ui);
    }
    rows_answer_release(result);
    ViewKind const *view = data_view(s);
    if (view->enter)
        view->enter(s, ui); /* what it shows was of other rows */
    ui_draw(ui);
}

static void glimpsed(void *owner, void *result, const Error *err, Ui *ui)
{
    (void)err;
    DataState *s = owner;
    if (result)
        take_rows(s, result, true);
    rows_answer_release(result);
    ui_draw(ui);
}

static void *ask_for(const DataState *s, bool glimpse)
{
    RowsAsk a = {.data = open_dataset_hold(s->data), .choice = s->want};
    if (glimpse)
        a.choice.keys = 0;
    if (a.choice.marked)
        a.marks = mem_copy(s->marks.bit, (dataset_rows(s->data->data) + 7) / 8);
    return mem_copy(&a, sizeof a);
}

void data_rows_make(DataState *s, Ui *ui)
{
    s->want.marked = s->want.marked && s->marks.bit;
    ui_job_cancel(ui, s, DATA_GLIMPSE_SLOT);
    if (!s->data || (!*s->want.filter && !s->want.keys && !s->want.marked)) {
        ui_job_cancel(ui, s, DATA_ROWS_SLOT);
        uint64_t row = data_rows(s) ? data_row(s, s->table.at) : 0;
        data_rows_forget(s);
        TableSource all = data_table_source(s);
        table_go(&s->table, &all, row); /* the row under the cursor stays there */
        return;
    }
    bool new_rows = !same_rows(&s->want, &s->have);
    if (new_rows && *s->want.filter && !s->want.keys && dataset_rows(s->data->data) >= GLIMPSE_FROM)
        ui_job(ui, (Job){.owner = s,
                         .slot = DATA_GLIMPSE_SLOT,
                         .run = rows_glimpse_run,
                         .input = ask_for(s, true),
                         .release_input = rows_ask_release,
                         .release = rows_answer_release,
                         .done = glimpsed,
                         .quiet = true,
                         .urgent = true});
    ui_job(ui, (Job){.owner = s,
                     .slot = DATA_ROWS_SLOT,
                     .what = s->want.keys ? "sorting" : "filtering",
                     .run = rows_make_run,
                     .input = ask_for(s, false),
                     .release_input = rows_ask_release,
                     .release = rows_answer_release,
                     .done = rows_made,
                     .quiet = true});
}

/* Takes back what was asked for and is not there yet. */
bool data_rows_stop(DataState *s, Ui *ui)
{
    if (!ui_job_running(ui, s, DATA_ROWS_SLOT))
        return false;
    ui_job_cancel(ui, s, DATA_ROWS_SLOT);
    ui_job_cancel(ui, s, DATA_GLIMPSE_SLOT);
    s->want = s->have;
    say_stopped(s, ui);
    return true;
}

void data_set_filter(DataState *s, const char *expression, Ui *ui)
{
    s->came.on = false;
    snprintf(s->want.filter, sizeof s->want.filter, "%s", expression);
    data_rows_make(s, ui);
}

/* From a group, a cell of a grid ... to its rows. */
void data_narrow(DataState *s, const char *condition, Ui *ui)
{
    Choice before = s->have;
    Text both = {0};
    if (*before.filter)
        text_printf(&both, "(%s) and ", before.filter);
    text_puts(&both, condition);
    if (both.count >= FILTER_MOST) {
        ui_say(ui, STYLE_WARN, "this makes a filter of more than %d letters", FILTER_MOST);
    } else {
        DataView from = s->view;
        data_show(s, VIEW_TABLE, ui);
        data_set_filter(s, text_str(&both), ui);
        s->came.on = from != VIEW_TABLE;
        s->came.view = from;
        s->came.choice = before;
    }
    text_release(&both);
}

/* ---- sorting ------------------------------------------------------------------------------------------------------ */

static void sort_by(DataState *s, bool down, bool add, Ui *ui)
{
    SortKey key = {.column = s->focus, .down = down};
    size_t i = 0;
    while (add && i < s->want.keys && s->want.key[i].column != s->focus)
        i++;
    if (i >= SORT_MOST) {
        ui_say(ui, STYLE_WARN, "rows can be sorted by %d columns", SORT_MOST);
        return;
    }
    s->want.key[i] = key;
    if (!add)
        s->want.keys = 1;
    else if (i == s->want.keys)
        s->want.keys++;
    data_rows_make(s, ui);
}

void data_sort_up(DataState *s, Ui *ui)
{
    sort_by(s, false, false, ui);
}

void data_sort_down(DataState *s, Ui *ui)
{
    sort_by(s, true, false, ui);
}

void data_sort_add_up(DataState *s, Ui *ui)
{
    sort_by(s, false, true, ui);
}

void data_sort_add_down(DataState *s, Ui *ui)
{
    sort_by(s, true, true, ui);
}

/* What is asked for is shown at once, with dots until it is there. */
void data_add_filter(const DataState *s, const Canvas *c, Text *into)
{
    bool waits = !same_rows(&s->have, &s->want);
    if (s->partial)
        text_printf(into, " %s stopped: the first rows of", glyph(c, GLYPH_DOT));
    if (s->want.marked)
        text_printf(into, " %s marked", glyph(c, GLYPH_DOT));
    if (*s->want.filter)
        text_printf(into, " %s %s", glyph(c, GLYPH_DOT), s->want.filter);
    if (waits)
        text_printf(into, " %s", glyph(c, GLYPH_ELLIPSIS));
}

static bool same_order(const Choice *a, const Choice *b)
{
    for (size_t i = 0; i < a->keys && i < b->keys; i++)
        if (a->key[i].column != b->key[i].column || a->key[i].down != b->key[i].down)
            return false;
    return a->keys == b->keys;
}

void data_add_sorting(const DataState *s, const Canvas *c, Text *into)
{
    for (size_t i = 0; i < s->want.keys; i++)
        text_printf(into, " %s %s", glyph(c, s->want.key[i].down ? GLYPH_DOWN : GLYPH_UP),
                    s->column[s->want.key[i].column].title);
    if (!same_order(&s->want, &s->have))
        text_printf(into, " %s", glyph(c, GLYPH_ELLIPSIS));
}
