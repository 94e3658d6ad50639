/* data_jobs.c -- what the Data pane has done on other threads: search, filter and sort, reading rejects,
 * renaming. */
#include "data_int.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void rowset_destroy(void *rows)
{
    RowSet *r = rows;
    if (r)
        mem_free(r->row);
    mem_free(r);
}

void reject_list_destroy(void *list)
{
    RejectList *r = list;
    if (r)
        arena_release(&r->arena);
    mem_free(r);
}

/* ---- search ----------------------------------------------------------------------------------------------- */

typedef struct SearchAsk {
    OpenDataset *data;   /* held */
    uint32_t *row;       /* a copy of the rows shown, NULL: all */
    uint64_t rows, from; /* where to begin, in shown rows */
    size_t from_column;
    int direction;
    bool here; /* the cell under the cursor counts */
    char what[200];
} SearchAsk;

typedef struct SearchAnswer {
    bool found;
    uint64_t row;
    size_t column;
} SearchAnswer;

static void search_release(void *p)
{
    SearchAsk *a = p;
    open_dataset_drop(a->data);
    mem_free(a->row);
    mem_free(a);
}

static bool holds(const char *s, size_t n, const char *what, size_t k)
{
    for (size_t i = 0; i + k <= n; i++) {
        size_t j = 0;
        while (j < k && tolower((unsigned char)s[i + j]) == tolower((unsigned char)what[j]))
            j++;
        if (j == k)
            return true;
    }
    return false;
}

static bool cell_holds(const Column *c, size_t row, const char *what, size_t k, bool digits,
                       Text *scratch)
{
    if (!column_has(c, row))
        return false;
    if (c->type == COLUMN_TEXT) {
        size_t n;
        const char *s = column_text(c, row, &n);
        return holds(s, n, what, k);
    }
    if (!digits && c->type != COLUMN_BOOL)
        return false;
    text_reset(scratch);
    column_print(c, row, scratch);
    return holds(text_str(scratch), scratch->count, what, k);
}

/* The first column at or after (before) `column` in which the row matches. */
static bool row_holds(const Chunk *chunk, size_t row, const SearchAsk *a, size_t column,
                      bool from_edge, Text *scratch, size_t *found)
{
    size_t k = strlen(a->what), n = chunk->columns;
    bool digits = strcspn(a->what, "0123456789") < k || !strcmp(a->what, "-");
    for (size_t step = 0; step < n; step++) {
        size_t i = a->direction > 0 ? (from_edge ? step : column + step)
                                    : (from_edge ? n - 1 - step : column - step);
        if (i >= n)
            return false;
        if (cell_holds(&chunk->column[i], row, a->what, k, digits, scratch)) {
            *found = i;
            return true;
        }
    }
    return false;
}

static void *search(JobContext *c, void *input, Error *err)
{
    const SearchAsk *a = input;
    const Dataset *d = a->data->data;
    Arena arena = {0};
    Text scratch = {0};
    Chunk chunk = {0};
    size_t have = SIZE_MAX;
    SearchAnswer answer = {0};
    bool stopped = false;
    progress_begin(job_progress(c), "searching", "rows", a->rows);
    for (uint64_t step = 0; step <= a->rows && !answer.found && a->rows; step++) {
        uint64_t shown = a->direction > 0 ? (a->from + step) % a->rows
                                          : (a->from + a->rows - step % a->rows) % a->rows;
        uint64_t row = a->row ? a->row[shown] : shown;
        size_t in_chunk, index = dataset_locate(d, row, &in_chunk);
        if (index != have) {
            arena_reset(&arena);
            dataset_chunk(d, index, &arena, &chunk);
            have = index;
        }
        if (step % 4096 == 4095) {
            progress_add(job_progress(c), 4096);
            if ((stopped = job_stopped(c)))
                break;
        }
        size_t column = a->from_column + (step || a->here    ? 0u
                                          : a->direction > 0 ? 1u
                                                             : (size_t)-1);
        if (step == 0 && column >= chunk.columns)
            continue;
        if (row_holds(&chunk, in_chunk, a, column, step > 0, &scratch, &answer.column)) {
            answer.found = true;
            answer.row = shown;
        }
    }
    arena_release(&arena);
    text_release(&scratch);
    if (stopped) {
        error_set(err, ERROR_STOP, "search for '%s' stopped", a->what);
        return NULL;
    }
    return mem_copy(&answer, sizeof answer);
}

static void searched(void *owner, void *result, const Error *err, Ui *ui)
{
    (void)err;
    DataState *s = owner;
    SearchAnswer *a = result;
    if (a && a->found) {
        TableSource source = data_table_source(s);
        table_go(&s->table, &source, a->row);
        s->table.col = a->column;
        s->view = VIEW_TABLE;
        s->in_list = false;
    } else if (a) {
        ui_say(ui, STYLE_WARN, "'%s' is nowhere in %s", s->find,
               s->data ? s->data->row.name : "the data");
    }
    mem_free(a);
    ui_draw(ui);
}

void data_search(DataState *s, int direction, bool from_here, Ui *ui)
{
    if (!s->data || !*s->find)
        return;
    SearchAsk a = {.data = open_dataset_hold(s->data),
                   .rows = data_rows(s),
                   .from = s->table.at,
                   .from_column = s->table.col,
                   .direction = direction,
                   .here = from_here};
    if (s->rows)
        a.row = mem_copy(s->rows->row, (s->rows->count + 1) * sizeof *a.row);
    snprintf(a.what, sizeof a.what, "%s", s->find);
    Job job = {.owner = s,
               .slot = DATA_SEARCH_SLOT,
               .run = search,
               .input = mem_copy(&a, sizeof a),
               .release_input = search_release,
               .done = searched};
    snprintf(job.what_text, sizeof job.what_text, "searching %.30s", s->find);
    ui_job(ui, job);
}

/* ---- filter and sort ------------------------------------------------------------------------------------------- */

typedef struct RowsAsk {
    OpenDataset *data; /* held */
    char filter[400], sort[130];
    bool down;
} RowsAsk;

static void rows_release(void *p)
{
    RowsAsk *a = p;
    open_dataset_drop(a->data);
    mem_free(a);
}

static bool pass_filter(JobContext *c, const RowsAsk *a, RowSet *out, Error *err)
{
    const Dataset *d = a->data->data;
    Expr *e = expr_parse(a->filter, &a->data->schema, err);
    if (!e)
        return false;
    bool ok = true;
    Arena arena = {0};
    progress_begin(job_progress(c), "filtering", "rows", dataset_rows(d));
    for (size_t i = 0; i < dataset_chunks(d) && ok; i++) {
        Chunk chunk;
        Error trouble = {0};
        arena_reset(&arena);
        dataset_chunk(d, i, &arena, &chunk);
        uint8_t *keep = arena_alloc(&arena, chunk.rows + 1);
        expr_filter(e, &chunk, &arena, keep, &trouble);
        if (trouble.kind != ERROR_NONE)
            ok = error_set(err, trouble.kind, "%s", trouble.text);
        for (size_t r = 0; r < chunk.rows && ok; r++)
            if (keep[r])
                out->row[out->count++] = (uint32_t)(chunk.first + r);
        progress_add(job_progress(c), chunk.rows);
        if (ok && job_stopped(c))
            ok = error_set(err, ERROR_STOP, "filter stopped");
    }
    arena_release(&arena);
    expr_destroy(e);
    return ok;
}

typedef struct SortKey {
    double number;
    const char *text; /* in the mapped file */
    uint32_t size, row;
    bool missing;
} SortKey;

static int by_number(const void *a, const void *b)
{
    const SortKey *x = a, *y = b;
    if (x->missing != y->missing)
        return x->missing - y->missing; /* missing last, up or down */
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static int by_text(const void *a, const void *b)
{
    const SortKey *x = a, *y = b;
    if (x->missing != y->missing)
        return x->missing - y->missing;
    int c = memcmp(x->text, y->text, x->size < y->size ? x->size : y->size);
    if (c || x->size != y->size)
        return c ? c : x->size < y->size ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static bool sort_rows(JobContext *c, const RowsAsk *a, RowSet *rows, Error *err)
{
    const Dataset *d = a->data->data;
    size_t column = schema_need(&a->data->schema, a->sort, err);
    if (column == SIZE_MAX)
        return false;
    SortKey *key = mem_try((rows->count + 1) * sizeof *key, err);
    if (!key)
        return false;
    Arena arena = {0};
    Chunk chunk = {0};
    size_t have = SIZE_MAX;
    bool text = a->data->schema.field[column].type == COLUMN_TEXT, stopped = false;
    progress_begin(job_progress(c), "sorting", "rows", rows->count * 2);
    for (uint64_t i = 0; i < rows->count && !stopped; i++) {
        size_t in_chunk, index = dataset_locate(d, rows->row[i], &in_chunk);
        if (index != have) {
            arena_reset(&arena);
            dataset_chunk(d, index, &arena, &chunk);
            have = index;
        }
        const Column *values = &chunk.column[column];
        size_t n = 0;
        key[i] = (SortKey){.row = rows->row[i], .missing = !column_has(values, in_chunk)};
        if (text && !key[i].missing) {
            key[i].text = column_text(values, in_chunk, &n);
            key[i].size = (uint32_t)n;
        } else if (!key[i].missing) {
            key[i].number = column_real(values, in_chunk);
            key[i].missing = isnan(key[i].number);
        }
        if (i % 65536 == 65535) {
            progress_add(job_progress(c), 65536);
            stopped = job_stopped(c);
        }
    }
    if (!stopped) {
        qsort(key, rows->count, sizeof *key, text ? by_text : by_number);
        uint64_t valid = rows->count;
        while (valid && key[valid - 1].missing)
            valid--;
        for (uint64_t i = 0; i < rows->count; i++)
            rows->row[i] = key[a->down && i < valid ? valid - 1 - i : i].row;
    }
    mem_free(key);
    arena_release(&arena);
    return !stopped || error_set(err, ERROR_STOP, "sort stopped");
}

static void *make_rows(JobContext *c, void *input, Error *err)
{
    const RowsAsk *a = input;
    uint64_t n = dataset_rows(a->data->data);
    if (n > UINT32_MAX) {
        error_set(err, ERROR_SPACE,
                  "more than 4,294,967,295 rows cannot be filtered on screen; use :sql");
        return NULL;
    }
    RowSet *rows = mem_alloc(sizeof *rows);
    rows->row = mem_try((n + 1) * sizeof *rows->row, err);
    bool ok = rows->row != NULL;
    if (ok && *a->filter) {
        ok = pass_filter(c, a, rows, err);
    } else if (ok) {
        for (uint64_t i = 0; i < n; i++)
            rows->row[i] = (uint32_t)i;
        rows->count = n;
    }
    if (ok && *a->sort)
        ok = sort_rows(c, a, rows, err);
    if (ok)
        return rows;
    rowset_destroy(rows);
    return NULL;
}

static void rows_made(void *owner, void *result, const Error *err, Ui *ui)
{
    DataState *s = owner;
    if (!result) {
        ui_error(ui, err);
        s->filter[0] = s->sort[0] = 0;
    }
    rowset_destroy(s->rows);
    s->rows = result;
    s->table.at = s->table.top = 0;
    ui_draw(ui);
}

void data_rows_make(DataState *s, Ui *ui)
{
    if (!s->data || (!*s->filter && !*s->sort)) {
        ui_job_cancel(ui, s, DATA_ROWS_SLOT);
        rowset_destroy(s->rows);
        s->rows = NULL;
        return;
    }
    RowsAsk a = {.data = open_dataset_hold(s->data), .down = s->sort_down};
    snprintf(a.filter, sizeof a.filter, "%s", s->filter);
    snprintf(a.sort, sizeof a.sort, "%s", s->sort);
    ui_job(ui, (Job){.owner = s,
                     .slot = DATA_ROWS_SLOT,
                     .what = *s->sort ? "sorting" : "filtering",
                     .run = make_rows,
                     .input = mem_copy(&a, sizeof a),
                     .release_input = rows_release,
                     .release = rowset_destroy,
                     .done = rows_made,
                     .quiet = true});
}

/* ---- rejects, renaming -------------------------------------------------------------------------------------------- */

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

void data_rejects_load(DataState *s, Ui *ui)
{
    if (s->data && s->data->row.rejects)
        ui_job(ui, (Job){.owner = s,
                         .slot = DATA_REJECTS_SLOT,
                         .run = load_rejects,
                         .input = text_copy(s->data->row.hash),
                         .release = reject_list_destroy,
                         .done = rejects_loaded,
                         .urgent = true});
}

typedef struct RenameAsk {
    char from[200], to[200];
} RenameAsk;

static void *rename_dataset(JobContext *c, void *input, Error *err)
{
    const RenameAsk *a = input;
    Store *store = job_store(c, err);
    return store && store_dataset_rename(store, a->from, a->to, err) ? mem_copy(a, sizeof *a)
                                                                     : NULL;
}

static void renamed(void *owner, void *result, const Error *err, Ui *ui)
{
    (void)owner;
    (void)err;
    const RenameAsk *a = result;
    if (a)
        ui_say(ui, STYLE_GOOD, "%s is called %s now", a->from, a->to);
    ui_refresh(ui);
    mem_free(result);
}

void data_rename(DataState *s, const char *name, const char *to, Ui *ui)
{
    RenameAsk a;
    snprintf(a.from, sizeof a.from, "%s", name);
    snprintf(a.to, sizeof a.to, "%s", to);
    ui_job(ui, (Job){.owner = s,
                     .slot = DATA_RENAME_SLOT,
                     .run = rename_dataset,
                     .input = mem_copy(&a, sizeof a),
                     .done = renamed});
}
