/* data_rows.c -- which rows the table shows, in which order: a filter and sort keys become a list of row
 * numbers by a job, while the rows before stay on the screen. The first rows that pass a filter and an
 * estimate of their number come at once; the exact list replaces them. */
#include "data_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define GLIMPSE_FROM    300000 /* rows of a dataset for which a first glimpse is worth it */
#define GLIMPSE_ROWS    4096   /* rows of it at most */
#define GLIMPSE_SECONDS 0.08
#define BATCH           32 /* chunks filtered between two questions whether to stop */

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

bool data_filtered(const DataState *s)
{
    return *s->have.filter || s->have.marked;
}

void data_rows_forget(DataState *s)
{
    rows_drop(s->rows);
    s->rows = NULL;
    s->have = s->want = (Choice){0};
    s->glimpse = false;
    data_described_drop(s);
}

/* ---- the job ------------------------------------------------------------------------------------------------- */

typedef struct RowsAsk {
    OpenDataset *data; /* held */
    Choice choice;
    uint8_t *marks; /* owned; NULL: not asked */
} RowsAsk;

typedef struct RowsAnswer {
    Choice choice;
    Rows *rows;
    double estimate; /* of a glimpse: how many will pass */
} RowsAnswer;

static void release_ask(void *p)
{
    RowsAsk *a = p;
    open_dataset_drop(a->data);
    mem_free(a->marks);
    mem_free(a);
}

static void release_answer(void *p)
{
    RowsAnswer *a = p;
    if (a)
        rows_drop(a->rows);
    mem_free(a);
}

/* One chunk of a batch: which of its rows pass. */
typedef struct Sieve {
    Arena arena;
    const uint8_t *keep; /* [rows], in the arena */
    size_t rows;
    uint64_t first;
    Error error;
} Sieve;

typedef struct Filtering {
    const Dataset *data;
    const Expr *expr;     /* NULL: all */
    const uint8_t *marks; /* NULL: all */
    size_t base;          /* first chunk of the batch */
    Sieve sieve[BATCH];
} Filtering;

static void keep_marked(const uint8_t *marks, uint64_t first, uint8_t *keep, size_t rows)
{
    for (size_t i = 0; i < rows; i++)
        keep[i] &= bit_get(marks, first + i);
}

static void sift(void *job, size_t i, size_t worker)
{
    (void)worker;
    Filtering *f = job;
    Sieve *out = &f->sieve[i];
    Chunk chunk;
    arena_reset(&out->arena);
    dataset_chunk(f->data, f->base + i, &out->arena, &chunk);
    uint8_t *keep = arena_alloc(&out->arena, chunk.rows + 1);
    if (f->expr)
        expr_filter(f->expr, &chunk, &out->arena, keep, &out->error);
    else
        memset(keep, 1, chunk.rows);
    if (f->marks)
        keep_marked(f->marks, chunk.first, keep, chunk.rows);
    out->keep = keep;
    out->rows = chunk.rows;
    out->first = chunk.first;
}

static void collect(const Sieve *from, RowSet *out)
{
    uint32_t *row = out->row + out->count;
    size_t n = 0;
    for (size_t i = 0; i < from->rows; i++) {
        row[n] = (uint32_t)(from->first + i);
        n += from->keep[i];
    }
    out->count += n;
}

/* Lets chunks through until all are done, the rows are enough, or the time is up. The room of out has a
 * place more than there are rows: collect writes before it decides. */
static bool sift_all(Filtering *f, Pool *pool, Progress *progress, uint64_t enough, double seconds,
                     RowSet *out, Error *err)
{
    size_t chunks = dataset_chunks(f->data), step = enough ? 4 : BATCH;
    double began = clock_now();
    bool ok = true;
    for (f->base = 0; f->base < chunks && ok; f->base += step) {
        size_t n = chunks - f->base < step ? chunks - f->base : step;
        pool_run(pool, n, sift, f);
        for (size_t i = 0; i < n && ok; i++) {
            if (f->sieve[i].error.kind)
                ok = error_set(err, f->sieve[i].error.kind, "%s", f->sieve[i].error.text);
            else
                collect(&f->sieve[i], out);
            progress_add(progress, f->sieve[i].rows);
        }
        if (enough && (out->count >= enough || clock_now() - began > seconds))
            break;
        if (ok && progress_stopped(progress))
            ok = error_set(err, ERROR_STOP, "filter stopped");
    }
    for (size_t i = 0; i < BATCH; i++)
        arena_release(&f->sieve[i].arena);
    return ok;
}

static bool filter(const RowsAsk *a, Pool *pool, Progress *progress, uint64_t enough, RowSet *out,
                   Error *err)
{
    Filtering *f = mem_alloc(sizeof *f);
    Expr *e = NULL;
    f->data = a->data->data;
    f->marks = a->marks;
    bool ok = !*a->choice.filter || data_expression(a->choice.filter, &a->data->schema, &e, err);
    f->expr = e;
    if (ok) {
        progress_begin(progress, "filtering", "rows", dataset_rows(f->data));
        ok = sift_all(f, pool, progress, enough, GLIMPSE_SECONDS, out, err);
    }
    expr_destroy(e);
    mem_free(f);
    return ok;
}

static bool room_for(uint64_t rows, RowSet *out, Error *err)
{
    if (rows > UINT32_MAX)
        return error_set(err, ERROR_SPACE,
                         "more than 4,294,967,295 rows cannot be filtered on screen; use :sql");
    out->row = mem_try((rows + 1) * sizeof *out->row, err);
    return out->row != NULL;
}

static void *answer_with(RowSet *set, const Choice *choice, double estimate)
{
    RowsAnswer answer = {.choice = *choice, .rows = rows_take(set), .estimate = estimate};
    return mem_copy(&answer, sizeof answer);
}

static void *make_rows(JobContext *c, void *input, Error *err)
{
    const RowsAsk *a = input;
    const Dataset *d = a->data->data;
    RowSet set = {0};
    Progress *progress = job_progress(c);
    bool ok =
        *a->choice.filter || a->choice.marked
            ? room_for(dataset_rows(d), &set, err) && filter(a, job_pool(c), progress, 0, &set, err)
            : rowset_all(d, &set, err);
    if (ok && set.count < dataset_rows(d) / 2)
        set.row = mem_resize(set.row, (set.count + 1) * sizeof *set.row);
    if (ok && a->choice.keys) {
        char scratch[4200];
        snprintf(scratch, sizeof scratch, "%s/scratch", job_workspace(c));
        ok = dir_create(scratch, err) && scan_sort(d, a->choice.key, a->choice.keys, &set, 0,
                                                   scratch, job_pool(c), progress, err);
    }
    if (ok)
        return answer_with(&set, &a->choice, (double)set.count);
    rowset_release(&set);
    return NULL;
}

/* The first rows that pass, and about how many there will be. */
static void *make_glimpse(JobContext *c, void *input, Error *err)
{
    const RowsAsk *a = input;
    RowSet set = {0};
    if (!room_for(dataset_rows(a->data->data), &set, err))
        return NULL;
    Progress *progress = job_progress(c);
    if (!filter(a, job_pool(c), progress, GLIMPSE_ROWS, &set, err)) {
        rowset_release(&set);
        return NULL;
    }
    double seen = (double)atomic_load(&progress->done), all = (double)dataset_rows(a->data->data);
    double estimate = seen > 0 ? (double)set.count * all / seen : 0;
    set.count = set.count < GLIMPSE_ROWS ? set.count : GLIMPSE_ROWS;
    set.row = mem_resize(set.row, (set.count + 1) * sizeof *set.row);
    return answer_with(&set, &a->choice, estimate);
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
    if (other)
        data_described_drop(s);
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
        else
            ui_say(ui, STYLE_WARN, "stopped; the rows stay as they were");
        if (s->glimpse)
            data_rows_forget(s);
        s->want = s->have;
    }
    release_answer(result);
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
    release_answer(result);
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
    if (new_rows && !s->want.keys && dataset_rows(s->data->data) >= GLIMPSE_FROM)
        ui_job(ui, (Job){.owner = s,
                         .slot = DATA_GLIMPSE_SLOT,
                         .run = make_glimpse,
                         .input = ask_for(s, true),
                         .release_input = release_ask,
                         .release = release_answer,
                         .done = glimpsed,
                         .quiet = true,
                         .urgent = true});
    ui_job(ui, (Job){.owner = s,
                     .slot = DATA_ROWS_SLOT,
                     .what = s->want.keys ? "sorting" : "filtering",
                     .run = make_rows,
                     .input = ask_for(s, false),
                     .release_input = release_ask,
                     .release = release_answer,
                     .done = rows_made,
                     .quiet = true});
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

void data_add_filter(const DataState *s, const Canvas *c, Text *into)
{
    if (s->have.marked)
        text_printf(into, " %s marked", glyph(c, GLYPH_DOT));
    if (*s->have.filter)
        text_printf(into, " %s %s", glyph(c, GLYPH_DOT), s->have.filter);
}

void data_add_sorting(const DataState *s, const Canvas *c, Text *into)
{
    for (size_t i = 0; i < s->have.keys; i++)
        text_printf(into, " %s %s", glyph(c, s->have.key[i].down ? GLYPH_DOWN : GLYPH_UP),
                    s->column[s->have.key[i].column].title);
}
