/* data_search.c -- finding text in the cells, forward and backward, round the end, by a job.
 *
 * Text is matched in any case, anywhere in a cell; a word of a dictionary is looked at once. From the cursor on
 * rows are looked at one by one for a moment; what is not found by then is looked for in many chunks at once, on
 * all threads, which leaves a bit a row: from the cursor's chunk on, until a row is found or the search is
 * stopped. The bits (Sought) are kept for the next n or N, which goes on with the chunks that are not swept yet.
 * They wander: the pane gives them to the job, which gives them back with its answer. */
#include "data_int.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define NEAR_ROWS 20000 /* looked at one by one first */
#define BATCH     16    /* chunks between two questions whether to stop */

struct Sought {
    OpenDataset *data; /* held */
    char what[200];
    size_t *order, columns;
    uint8_t *bit;   /* a bit a row; a chunk begins at a whole byte */
    uint8_t *swept; /* [chunks] */
    size_t chunks;  /* swept */
    uint64_t rows;  /* swept */
    uint64_t found; /* rows that hold it */
};

typedef struct SearchAsk {
    OpenDataset *data; /* held */
    Sought *sought;    /* owned; NULL: nothing is known yet */
    Rows *rows;        /* held; NULL: all */
    uint64_t from;     /* where to begin, as they stand */
    size_t *order;     /* [columns] of the dataset, as they stand; owned */
    size_t columns, place;
    int direction;
    bool here; /* the cell under the cursor counts */
    char what[200];
} SearchAsk;

typedef struct SearchAnswer {
    bool found, stopped;
    uint64_t row;
    size_t place;
    Sought *sought; /* owned; NULL: it was found at once */
} SearchAnswer;

void sought_destroy(Sought *k)
{
    if (!k)
        return;
    open_dataset_drop(k->data);
    mem_free(k->order);
    mem_free(k->bit);
    mem_free(k->swept);
    mem_free(k);
}

static void release_answer(void *p)
{
    SearchAnswer *a = p;
    sought_destroy(a->sought);
    mem_free(a);
}

static void release_ask(void *p)
{
    SearchAsk *a = p;
    sought_destroy(a->sought);
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

/* ---- many chunks ------------------------------------------------------------------------------------------------- */

static Sought *sought_create(const SearchAsk *a, Error *err)
{
    const Dataset *d = a->data->data;
    Sought *k = mem_alloc(sizeof *k);
    k->data = open_dataset_hold(a->data);
    k->order = mem_copy(a->order, (a->columns + 1) * sizeof *k->order);
    k->columns = a->columns;
    memcpy(k->what, a->what, sizeof k->what);
    k->bit = mem_try(dataset_rows(d) / 8 + 8, err);
    k->swept = mem_try(dataset_chunks(d) + 1, err);
    if (k->bit && k->swept)
        return k;
    sought_destroy(k);
    return NULL;
}

static bool sought_fits(const Sought *k, const SearchAsk *a)
{
    return k && k->data->data == a->data->data && text_equal(k->what, a->what) &&
           k->columns == a->columns &&
           memcmp(k->order, a->order, k->columns * sizeof *k->order) == 0;
}

typedef struct Sweep {
    const SearchAsk *ask;
    Needle needle;
    Sought *into;
    size_t chunk[BATCH];
    uint64_t rows[BATCH], found[BATCH];
} Sweep;

static void sweep_chunk(void *job, size_t i, size_t worker)
{
    (void)worker;
    Sweep *w = job;
    Arena arena = {0};
    Text scratch = {0};
    Chunk chunk;
    dataset_chunk(w->ask->data->data, w->chunk[i], &arena, &chunk);
    uint8_t *bit = w->into->bit + chunk.first / 8;
    for (size_t k = 0; k < w->ask->columns; k++)
        column_bits(&w->needle, &chunk.column[w->ask->order[k]], &arena, &scratch, bit);
    w->rows[i] = chunk.rows;
    w->found[i] = 0;
    for (size_t byte = 0; byte < (chunk.rows + 7) / 8; byte++)
        w->found[i] += (uint64_t)__builtin_popcount(bit[byte]);
    text_release(&scratch);
    arena_release(&arena);
}

/* The next chunks that are not swept, from `at` on in the direction. Says whether one of them holds it. */
static bool sweep(JobContext *c, const SearchAsk *a, Sought *k, size_t at)
{
    size_t chunks = dataset_chunks(a->data->data), n = 0;
    uint64_t found = k->found;
    Sweep w = {.ask = a, .needle = needle_of(a->what), .into = k};
    for (size_t step = 0; step < chunks && n < BATCH; step++) {
        size_t i = a->direction > 0 ? (at + step) % chunks : (at + chunks - step) % chunks;
        if (!k->swept[i])
            w.chunk[n++] = i;
    }
    pool_run(job_pool(c), n, sweep_chunk, &w);
    for (size_t i = 0; i < n; i++) {
        k->swept[w.chunk[i]] = 1;
        k->rows += w.rows[i];
        k->found += w.found[i];
        progress_add(job_progress(c), w.rows[i]);
    }
    k->chunks += n;
    return k->found > found;
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

/* Steps from `from` up to `to` rows away; bits NULL: every row is looked at. Rows of chunks that are not swept end
 * the walk: *at is where. */
static bool walk(Walk *w, const SearchAsk *a, uint64_t from, uint64_t to, const Sought *bits,
                 uint64_t *stands, SearchAnswer *out)
{
    uint64_t rows = rows_of(a);
    for (uint64_t step = from; step <= to && rows; step++) {
        uint64_t at =
            a->direction > 0 ? (a->from + step) % rows : (a->from + rows - step % rows) % rows;
        uint64_t row = a->rows ? a->rows->set.row[at] : at;
        *stands = step;
        if (bits && !bits->swept[row / CHUNK_ROWS])
            return false;
        if ((bits && !bit_get(bits->bit, row)) || !row_holds(w, a, row, step == 0, &out->place))
            continue;
        out->found = true;
        out->row = at;
        return true;
    }
    *stands = to + 1;
    return false;
}

static size_t chunk_at(const SearchAsk *a, uint64_t step)
{
    uint64_t rows = rows_of(a), at = a->direction > 0 ? (a->from + step) % rows
                                                      : (a->from + rows - step % rows) % rows;
    return (size_t)((a->rows ? a->rows->set.row[at] : at) / CHUNK_ROWS);
}

/* From the nearby rows on: chunks are swept until a row is found, all are, or it is stopped. */
static void search_far(JobContext *c, const SearchAsk *a, Walk *w, uint64_t near, SearchAnswer *out)
{
    Sought *k = out->sought;
    uint64_t rows = rows_of(a), step = near;
    size_t chunks = dataset_chunks(a->data->data);
    progress_begin(job_progress(c), "searching", "rows", dataset_rows(a->data->data));
    progress_add(job_progress(c), k->rows);
    while (k->chunks < chunks && !job_stopped(c)) {
        bool more = sweep(c, a, k, chunk_at(a, step));
        if ((more || k->found) && walk(w, a, step, rows, k, &step, out))
            return;
        if (step > rows)
            return;
    }
    out->stopped = k->chunks < chunks;
    if (!out->stopped && k->found)
        walk(w, a, step, rows, k, &step, out);
}

static void *search(JobContext *c, void *input, Error *err)
{
    SearchAsk *a = input;
    Walk w = {.have = SIZE_MAX, .needle = needle_of(a->what)};
    SearchAnswer answer = {.sought = sought_fits(a->sought, a) ? a->sought : NULL};
    uint64_t rows = rows_of(a), near = rows < NEAR_ROWS ? rows : NEAR_ROWS, stands;
    bool ok = true;
    if (answer.sought)
        a->sought = NULL;
    if ((!answer.sought || answer.sought->found) && !walk(&w, a, 0, near, NULL, &stands, &answer) &&
        near < rows) {
        if (!answer.sought)
            answer.sought = sought_create(a, err);
        ok = answer.sought != NULL;
        if (ok)
            search_far(c, a, &w, near, &answer);
    } else if (answer.sought && !answer.found && rows) {
        search_far(c, a, &w, 0, &answer);
    }
    arena_release(&w.arena);
    text_release(&w.scratch);
    return ok ? mem_copy(&answer, sizeof answer) : NULL;
}

static void say_not_found(const DataState *s, const SearchAnswer *a, Ui *ui)
{
    Text rows = {0};
    if (!a->stopped) {
        ui_say(ui, STYLE_WARN, "'%s' is nowhere in %s", s->find,
               s->data ? s->data->row.name : "the data");
        return;
    }
    data_add_grouped(a->sought->rows, &rows);
    text_puts(&rows, " of ");
    data_add_grouped((uint64_t)s->data->row.rows, &rows);
    ui_say(ui, STYLE_WARN, "search for '%s' stopped after %s rows; n and N go on", s->find,
           text_str(&rows));
    text_release(&rows);
}

static void searched(void *owner, void *result, const Error *err, Ui *ui)
{
    (void)err;
    DataState *s = owner;
    SearchAnswer *a = result;
    s->searching = false;
    sought_destroy(s->sought);
    s->sought = a ? a->sought : NULL; /* kept for the next */
    if (a && a->found && a->row < data_rows(s) && a->place < s->shown) {
        TableSource source = data_table_source(s);
        data_show(s, VIEW_TABLE, ui);
        table_go(&s->table, &source, a->row);
        data_focus(s, s->order[a->place]);
    } else if (a) {
        say_not_found(s, a, ui);
    }
    mem_free(a);
    ui_draw(ui);
}

void data_search(DataState *s, int direction, bool from_here, Ui *ui)
{
    if (!s->data || !*s->find)
        return;
    SearchAsk a = {.data = open_dataset_hold(s->data),
                   .sought = s->sought,
                   .rows = rows_hold(s->rows),
                   .from = s->table.at,
                   .order = mem_copy(s->order, (s->columns + 1) * sizeof *s->order),
                   .columns = s->shown,
                   .place = s->table.col,
                   .direction = direction,
                   .here = from_here};
    snprintf(a.what, sizeof a.what, "%s", s->find);
    s->sought = NULL;
    Job job = {.owner = s,
               .slot = DATA_SEARCH_SLOT,
               .run = search,
               .input = mem_copy(&a, sizeof a),
               .release_input = release_ask,
               .release = release_answer,
               .done = searched};
    snprintf(job.what_text, sizeof job.what_text, "searching %.30s", s->find);
    s->searching = true;
    ui_job(ui, job);
}
