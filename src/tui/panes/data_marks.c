/* data_marks.c -- chosen rows, a bit each: one by one, by the value of a cell, by an expression. */
#include "data_int.h"

#include <stdio.h>
#include <string.h>

void marks_release(Marks *m)
{
    mem_free(m->bit);
    *m = (Marks){0};
}

bool marks_has(const Marks *m, uint64_t row)
{
    return m->bit && bit_get(m->bit, row);
}

static bool make_room(DataState *s, Ui *ui)
{
    Error err = {0};
    if (!s->marks.bit)
        s->marks.bit = mem_try(dataset_rows(s->data->data) / 8 + 8, &err);
    if (!s->marks.bit)
        ui_error(ui, &err);
    return s->marks.bit != NULL;
}

void marks_add(DataState *s, uint64_t row, Ui *ui)
{
    if (row >= dataset_rows(s->data->data) || marks_has(&s->marks, row) || !make_room(s, ui))
        return;
    s->marks.bit[row >> 3] |= (uint8_t)(1u << (row & 7));
    s->marks.count++;
}

void data_mark(DataState *s, Ui *ui)
{
    if (!data_rows(s) || !make_room(s, ui))
        return;
    uint64_t row = data_row(s, s->table.at);
    bool on = marks_has(&s->marks, row);
    s->marks.bit[row >> 3] ^= (uint8_t)(1u << (row & 7));
    s->marked_by[0] = 0; /* no expression says which these are */
    s->marks.count += on ? (uint64_t)-1 : 1;
    TableSource table = data_table_source(s);
    if (s->view == VIEW_TABLE) /* on to the next, as one marks several */
        table_command(&s->table, &table, UI_DOWN);
    if (!s->marks.count)
        marks_release(&s->marks);
}

void data_unmark(DataState *s, Ui *ui)
{
    marks_release(&s->marks);
    s->marked_by[0] = 0;
    ui_say(ui, STYLE_INFO, "no row is marked any more");
    if (s->have.marked || s->want.marked) {
        s->want.marked = false;
        data_rows_make(s, ui);
    }
}

void data_only_marked(DataState *s, Ui *ui)
{
    s->want = s->have;
    s->want.marked = !s->have.marked;
    data_rows_make(s, ui);
}

/* ---- by an expression: a job over all chunks -------------------------------------------------------------------- */

typedef struct MarkAsk {
    OpenDataset *data; /* held */
    char text[FILTER_MOST];
} MarkAsk;

static void release_ask(void *p)
{
    MarkAsk *a = p;
    open_dataset_drop(a->data);
    mem_free(a);
}

static void release_marks(void *p)
{
    if (p)
        marks_release(p);
    mem_free(p);
}

static bool mark_all(JobContext *c, const MarkAsk *a, const Expr *e, Marks *out, Error *err)
{
    RowSet rows = {0};
    if (!expr_rows(e, a->data->data, NULL, job_pool(c), job_progress(c), &rows, err))
        return false;
    for (uint64_t i = 0; i < rows.count; i++)
        out->bit[rows.row[i] >> 3] |= (uint8_t)(1u << (rows.row[i] & 7));
    out->count = rows.count;
    rowset_release(&rows);
    return true;
}

static void *make_marks(JobContext *c, void *input, Error *err)
{
    const MarkAsk *a = input;
    Expr *e;
    if (!data_expression(a->text, &a->data->schema, &e, err))
        return NULL;
    Marks *m = mem_alloc(sizeof *m);
    m->bit = mem_try(dataset_rows(a->data->data) / 8 + 8, err);
    bool ok = m->bit && mark_all(c, a, e, m, err);
    expr_destroy(e);
    if (ok)
        return m;
    release_marks(m);
    return NULL;
}

/* Rows that were marked stay so. */
static void join(Marks *into, const Marks *more, uint64_t rows)
{
    into->count = 0;
    for (uint64_t i = 0; i < (rows + 7) / 8; i++) {
        into->bit[i] |= more->bit[i];
        into->count += (uint64_t)__builtin_popcount(into->bit[i]);
    }
}

static void marked(void *owner, void *result, const Error *err, Ui *ui)
{
    (void)err;
    DataState *s = owner;
    Marks *m = result;
    if (m && make_room(s, ui)) {
        Text count = {0};
        ui_change_begins(ui);
        join(&s->marks, m, dataset_rows(s->data->data));
        text_add_count(&count, (double)m->count);
        ui_say(ui, STYLE_INFO, "%s rows marked; \" shows only them, e makes a rule of them",
               text_str(&count));
        text_release(&count);
        if (!s->marks.count)
            marks_release(&s->marks);
        ui_change_ends(ui, "marking rows");
    }
    release_marks(m);
    ui_draw(ui);
}

/* What was marked before and this together, as one expression; "" where there is none. */
static void add_marked_by(DataState *s, const char *expression)
{
    Text both = {0};
    if (s->marks.count && *s->marked_by)
        text_printf(&both, "(%s) or (%s)", s->marked_by, expression);
    else if (!s->marks.count)
        text_puts(&both, expression);
    snprintf(s->marked_by, sizeof s->marked_by, "%s",
             both.count < sizeof s->marked_by ? text_str(&both) : "");
    text_release(&both);
}

void data_mark_rows(DataState *s, const char *expression, Ui *ui)
{
    MarkAsk a = {.data = open_dataset_hold(s->data)};
    snprintf(a.text, sizeof a.text, "%s", expression);
    add_marked_by(s, expression);
    ui_job(ui, (Job){.owner = s,
                     .slot = DATA_MARK_SLOT,
                     .what = "marking",
                     .run = make_marks,
                     .input = mem_copy(&a, sizeof a),
                     .release_input = release_ask,
                     .release = release_marks,
                     .done = marked});
}

void data_mark_equal(DataState *s, Ui *ui)
{
    Text t = {0};
    data_add_condition(s, data_row(s, s->table.at), s->focus, &t);
    data_mark_rows(s, text_str(&t), ui);
    text_release(&t);
}

/* ---- rows found elsewhere ----------------------------------------------------------------------------------------- */

/* They are marked, and shown alone in the order they came in: U makes them rows like all others. */
void data_take_found(DataState *s, Ui *ui)
{
    FoundRows *found = ui_take_rows(ui, s->data->row.hash);
    if (!found)
        return;
    uint64_t all = dataset_rows(s->data->data), count = 0;
    marks_release(&s->marks);
    s->marked_by[0] = 0;
    if (make_room(s, ui)) {
        for (uint64_t i = 0; i < found->count; i++)
            if (found->row[i] < all) {
                found->row[count++] = found->row[i];
                s->marks.bit[found->row[i] >> 3] |= (uint8_t)(1u << (found->row[i] & 7));
            }
        for (uint64_t i = 0; i < (all + 7) / 8; i++)
            s->marks.count += (uint64_t)__builtin_popcount(s->marks.bit[i]);
        RowSet set = {.row = found->row, .count = count};
        found->row = NULL;
        data_rows_given(s, &set, ui);
        data_show(s, VIEW_TABLE, ui);
        ui_say(ui, STYLE_INFO, "%s are marked; \" shows all rows again", found->what);
    }
    found_rows_destroy(found);
}
