/* data_search.c -- finding text in the cells, forward and backward, round the end, by a job.
 *
 * Text is matched in any case, anywhere in a cell; a word of a dictionary is looked at once. From the cursor on
 * rows are looked at one by one for a moment; what is not found by then is looked for in all chunks at once, on
 * all threads, which leaves a bit a row. */
#include "data_int.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define NEAR_ROWS 20000 /* looked at one by one first */
#define BATCH     16    /* chunks between two questions whether to stop */

typedef struct SearchAsk {
    OpenDataset *data; /* held */
    Rows *rows;        /* held; NULL: all */
    uint64_t from;     /* where to begin, as they stand */
    size_t *order;     /* [columns] of the dataset, as they stand; owned */
    size_t columns, place;
    int direction;
    bool here; /* the cell under the cursor counts */
    char what[200];
} SearchAsk;

typedef struct SearchAnswer {
    bool found;
    uint64_t row;
    size_t place;
} SearchAnswer;

static void release_ask(void *p)
{
    SearchAsk *a = p;
    open_dataset_drop(a->data);
    rows_drop(a->rows);
    mem_free(a->order);
    mem_free(a);
}

/* ---- one chunk --------------------------------------------------------------------------------------------- */

typedef struct Needle {
    char low[200], high; /* in small letters; its first letter as a capital */
    size_t size;
    bool in[COLUMN_TYPE_COUNT]; /* may a value of this type hold it at all? */
    bool has_point;             /* then the digits before it end a number: */
    double whole, power;        /* they are `whole`, modulo `power` */
} Needle;

/* What the values of each type are printed with. */
static const char *const letters[COLUMN_TYPE_COUNT] = {[COLUMN_BOOL] = "truefals",
                                                       [COLUMN_INT] = "-0123456789",
                                                       [COLUMN_REAL] = "-0123456789.e+infa",
                                                       [COLUMN_TIME] = "-0123456789: .",
                                                       [COLUMN_DATE] = "-0123456789"};

static Needle needle_of(const char *what)
{
    Needle n = {.size = strlen(what), .power = 1};
    for (size_t i = 0; i < n.size; i++)
        n.low[i] = (char)tolower((unsigned char)what[i]);
    n.high = (char)toupper((unsigned char)what[0]);
    for (int type = 0; type < COLUMN_TYPE_COUNT; type++)
        n.in[type] = type == COLUMN_TEXT || strspn(n.low, letters[type]) == n.size;
    const char *point = strchr(n.low, '.');
    n.has_point = point && !strpbrk(n.low, "e+");
    for (const char *c = point; n.has_point && c-- > n.low && *c != '-';) {
        n.whole += (*c - '0') * n.power;
        n.power *= 10;
    }
    return n;
}

/* Cheaper than printing it: can this number hold the text at all? */
static bool may_hold(const Needle *n, const Column *c, size_t row)
{
    if (c->type == COLUMN_TIME)
        return !n->has_point || c->integer[row] % 1000000;
    if (c->type != COLUMN_REAL || !n->has_point)
        return true;
    double v = fabs(c->real[row]);
    return !(v < 1e15) || fmod(floor(v), n->power) == n->whole;
}

static bool holds(const Needle *n, const char *s, size_t size)
{
    for (size_t i = 0; i + n->size <= size; i++) {
        if (s[i] != n->low[0] && s[i] != n->high)
            continue;
        size_t j = 1;
        while (j < n->size && (char)tolower((unsigned char)s[i + j]) == n->low[j])
            j++;
        if (j == n->size)
            return true;
    }
    return false;
}

static bool cell_holds(const Needle *n, const Column *c, size_t row, Text *scratch)
{
    if (!n->in[c->type] || !column_has(c, row))
        return false;
    if (c->type == COLUMN_TEXT) {
        size_t size;
        const char *s = column_text(c, row, &size);
        return holds(n, s, size);
    }
    if (!may_hold(n, c, row))
        return false;
    text_reset(scratch);
    column_print(c, row, scratch);
    return holds(n, text_str(scratch), scratch->count);
}

/* Sets the bits of the rows in which the column holds it. */
static void column_bits(const Needle *n, const Column *c, Arena *a, Text *scratch, uint8_t *bit)
{
    if (c->type == COLUMN_TEXT && c->words) {
        uint8_t *word = arena_alloc(a, c->words->count + 1);
        for (size_t w = 0; w < c->words->count; w++)
            word[w] = holds(n, c->words->bytes + c->words->start[w],
                            (size_t)(c->words->start[w + 1] - c->words->start[w]));
        for (size_t row = 0; row < c->rows; row++)
            if (word[c->code[row]] && column_has(c, row))
                bit[row >> 3] |= (uint8_t)(1u << (row & 7));
        return;
    }
    if (!n->in[c->type])
        return;
    for (size_t row = 0; row < c->rows; row++)
        if (!bit_get(bit, row) && cell_holds(n, c, row, scratch))
            bit[row >> 3] |= (uint8_t)(1u << (row & 7));
}

/* ---- all chunks -------------------------------------------------------------------------------------------------- */

typedef struct Sweep {
    const SearchAsk *ask;
    Needle needle;
    size_t base;
    uint8_t *bit; /* a bit a row; a chunk begins at a whole byte */
} Sweep;

static void sweep_chunk(void *job, size_t i, size_t worker)
{
    (void)worker;
    Sweep *w = job;
    Arena arena = {0};
    Text scratch = {0};
    Chunk chunk;
    dataset_chunk(w->ask->data->data, w->base + i, &arena, &chunk);
    for (size_t k = 0; k < w->ask->columns; k++)
        column_bits(&w->needle, &chunk.column[w->ask->order[k]], &arena, &scratch,
                    w->bit + chunk.first / 8);
    text_release(&scratch);
    arena_release(&arena);
}

static uint8_t *sweep(JobContext *c, const SearchAsk *a, Error *err)
{
    const Dataset *d = a->data->data;
    size_t chunks = dataset_chunks(d);
    Sweep w = {.ask = a, .needle = needle_of(a->what)};
    w.bit = mem_try(dataset_rows(d) / 8 + 8, err);
    progress_begin(job_progress(c), "searching", "rows", dataset_rows(d));
    for (w.base = 0; w.bit && w.base < chunks; w.base += BATCH) {
        size_t n = chunks - w.base < BATCH ? chunks - w.base : BATCH;
        pool_run(job_pool(c), n, sweep_chunk, &w);
        progress_add(job_progress(c), n * CHUNK_ROWS);
        if (job_stopped(c)) {
            error_set(err, ERROR_STOP, "search for '%s' stopped", a->what);
            mem_free(w.bit);
            return NULL;
        }
    }
    return w.bit;
}

/* ---- walking from the cursor --------------------------------------------------------------------------------- */

typedef struct Walk {
    Arena arena;
    Text scratch;
    Chunk chunk;
    size_t have;
    Needle needle;
} Walk;

/* The first column as they stand, in the direction, in which the row holds it. */
static bool row_holds(Walk *w, const SearchAsk *a, uint64_t row, bool first, size_t *place)
{
    size_t in_chunk, index = dataset_locate(a->data->data, row, &in_chunk);
    if (index != w->have) {
        arena_reset(&w->arena);
        dataset_chunk(a->data->data, index, &w->arena, &w->chunk);
        w->have = index;
    }
    size_t by = a->direction > 0 ? 1u : (size_t)-1;
    size_t i = first ? a->place + (a->here ? 0 : by) : a->direction > 0 ? 0 : a->columns - 1;
    for (; i < a->columns; i += by)
        if (cell_holds(&w->needle, &w->chunk.column[a->order[i]], in_chunk, &w->scratch)) {
            *place = i;
            return true;
        }
    return false;
}

static uint64_t rows_of(const SearchAsk *a)
{
    return a->rows ? a->rows->set.count : dataset_rows(a->data->data);
}

/* Steps from `from` up to `to` rows away; bit NULL: every row is looked at. */
static bool walk(Walk *w, const SearchAsk *a, uint64_t from, uint64_t to, const uint8_t *bit,
                 SearchAnswer *out)
{
    uint64_t rows = rows_of(a);
    for (uint64_t step = from; step <= to && rows; step++) {
        uint64_t at =
            a->direction > 0 ? (a->from + step) % rows : (a->from + rows - step % rows) % rows;
        uint64_t row = a->rows ? a->rows->set.row[at] : at;
        if ((bit && !bit_get(bit, row)) || !row_holds(w, a, row, step == 0, &out->place))
            continue;
        out->found = true;
        out->row = at;
        return true;
    }
    return false;
}

static void *search(JobContext *c, void *input, Error *err)
{
    const SearchAsk *a = input;
    Walk w = {.have = SIZE_MAX, .needle = needle_of(a->what)};
    SearchAnswer answer = {0};
    uint64_t rows = rows_of(a), near = rows < NEAR_ROWS ? rows : NEAR_ROWS;
    bool ok = true;
    if (!walk(&w, a, 0, near, NULL, &answer) && near < rows) {
        uint8_t *bit = sweep(c, a, err);
        ok = bit != NULL;
        if (ok)
            walk(&w, a, near, rows, bit, &answer);
        mem_free(bit);
    }
    arena_release(&w.arena);
    text_release(&w.scratch);
    return ok ? mem_copy(&answer, sizeof answer) : NULL;
}

static void searched(void *owner, void *result, const Error *err, Ui *ui)
{
    (void)err;
    DataState *s = owner;
    SearchAnswer *a = result;
    if (a && a->found && a->row < data_rows(s) && a->place < s->shown) {
        TableSource source = data_table_source(s);
        data_show(s, VIEW_TABLE, ui);
        table_go(&s->table, &source, a->row);
        data_focus(s, s->order[a->place]);
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
                   .rows = rows_hold(s->rows),
                   .from = s->table.at,
                   .order = mem_copy(s->order, (s->columns + 1) * sizeof *s->order),
                   .columns = s->shown,
                   .place = s->table.col,
                   .direction = direction,
                   .here = from_here};
    snprintf(a.what, sizeof a.what, "%s", s->find);
    Job job = {.owner = s,
               .slot = DATA_SEARCH_SLOT,
               .run = search,
               .input = mem_copy(&a, sizeof a),
               .release_input = release_ask,
               .done = searched};
    snprintf(job.what_text, sizeof job.what_text, "searching %.30s", s->find);
    ui_job(ui, job);
}
