/* profile.c -- the profile of one column over some rows: strips are profiled side by side, then put
 * together in their order; then the most frequent of many numbers are counted again, exactly. */
#include "scan_int.h"

#define STRIPS     16
#define COUNT_MOST 16384
#define STRIP_ROWS                                                                                 \
    (1 << 19) /* what each strip begins with (tables, registers) should be little to it */

typedef struct Profiling {
    View view;
    const RowSet *rows;
    Schema schema; /* of the one column */
    size_t pieces, strips;
    Profiler **part;   /* [strips] */
    Recount **recount; /* [strips] */
    size_t from, to;   /* which rows of each strip are looked at now */
    Progress *progress;
} Profiling;

/* ---- the values of rows anywhere as a column of their own ------------------------------------------ */

static void gather_text(const Piece *p, Column *c, Arena *a)
{
    Span *text = ARENA_NEW(a, Span, p->rows + BLOCK);
    uint8_t *has = arena_alloc(a, p->rows + BLOCK);
    size_t total = 0;
    for (size_t at = 0; at < p->rows; at += BLOCK)
        load_texts(p, 0, at, p->rows - at < BLOCK ? p->rows - at : BLOCK, text + at, has + at);
    for (size_t i = 0; i < p->rows; i++)
        total += text[i].n;
    if (total > INT32_MAX) { /* the builder makes words of it */
        ColumnBuild *b = column_build(a, c->name, COLUMN_TEXT, p->rows);
        for (size_t i = 0; i < p->rows; i++)
            if (has[i])
                column_build_text(b, text[i].at, text[i].n);
            else
                column_build_missing(b);
        column_build_finish(b, c);
        return;
    }
    int32_t *start = ARENA_NEW(a, int32_t, p->rows + 1);
    char *bytes = arena_alloc(a, total + 1);
    for (size_t i = 0; i < p->rows; i++) {
        memcpy(bytes + start[i], text[i].at, text[i].n);
        start[i + 1] = start[i] + (int32_t)text[i].n;
    }
    c->start = start;
    c->bytes = bytes;
}

static void gather_valid(const Piece *p, Column *c, Arena *a)
{
    uint8_t *valid = arena_alloc(a, p->rows / 8 + 1);
    size_t present = 0;
    for (size_t i = 0; i < p->rows; i++) {
        size_t chunk = view_chunk(p->view, p->row[i]);
        bool has =
            column_has(view_column(p->view, 0, chunk), (size_t)(p->row[i] - p->view->first[chunk]));
        valid[i / 8] = (uint8_t)(valid[i / 8] | (unsigned)has << i % 8);
        present += has;
    }
    c->valid = present < p->rows ? valid : NULL;
}

static void gather_numbers(const Piece *p, Column *c, Arena *a)
{
    int64_t whole[BLOCK], *integer = NULL;
    uint8_t has[BLOCK], *bit = NULL;
    double *real = NULL;
    int32_t *narrow = NULL;
    if (c->type == COLUMN_REAL)
        c->real = real = ARENA_NEW(a, double, p->rows);
    else if (c->type == COLUMN_BOOL)
        c->bit = bit = arena_alloc(a, p->rows / 8 + 1);
    else if (c->type == COLUMN_INT || c->type == COLUMN_TIME)
        c->integer = integer = ARENA_NEW(a, int64_t, p->rows);
    else
        c->day = narrow = ARENA_NEW(a, int32_t, p->rows); /* or code */
    for (size_t at = 0; at < p->rows; at += BLOCK) {
        size_t n = p->rows - at < BLOCK ? p->rows - at : BLOCK;
        if (real) {
            load_reals(p, 0, at, n, real + at);
            continue;
        }
        load_ints(p, 0, at, n, whole, has);
        for (size_t i = 0; i < n; i++)
            if (integer)
                integer[at + i] = whole[i];
            else if (narrow)
                narrow[at + i] = (int32_t)whole[i];
            else
                bit[(at + i) / 8] =
                    (uint8_t)(bit[(at + i) / 8] | (unsigned)whole[i] << (at + i) % 8);
    }
}

static void gather(const Piece *p, Arena *a, Column *out)
{
    const Column *like = view_column(p->view, 0, 0);
    *out = (Column){.name = like->name, .type = like->type, .rows = p->rows, .words = like->words};
    gather_valid(p, out, a);
    if (like->type == COLUMN_TEXT && !like->words)
        gather_text(p, out, a);
    else
        gather_numbers(p, out, a);
}

/* ---- strips ---------------------------------------------------------------------------------------- */

/* The first rows of each strip say whether the values are few enough to be counted one by one: asked
 * after each of these many, and twice as many, and so on. */
#define PROBE_FIRST 16384
#define PROBE_MOST  65536

typedef void Take(Profiling *job, size_t strip, const Chunk *c);

/* Rows [from, to) of a strip's pieces, as far as there are. */
static void walk_strip(Profiling *job, size_t strip, size_t from, size_t to, Take *take)
{
    Arena a = {0};
    size_t end = strip_begin(strip + 1, job->strips, job->pieces), at = 0;
    for (size_t i = strip_begin(strip, job->strips, job->pieces); i < end && at < to; i++) {
        Piece p;
        Column column;
        if (progress_stopped(job->progress))
            break;
        piece_get(&job->view, job->rows, i, &p);
        arena_reset(&a);
        size_t begin = at < from ? from - at : 0, rows = p.rows;
        at += rows;
        if (begin >= rows)
            continue;
        rows -= begin + (at > to ? at - to : 0);
        Chunk part = {.rows = rows, .columns = 1, .column = &column};
        if (p.row) {
            p.row += begin;
            p.rows = rows;
            gather(&p, &a, &column);
        } else {
            column = *view_column(&job->view, 0, p.chunk);
            chunk_slice(&(Chunk){.rows = p.rows, .columns = 1, .column = &column}, begin, rows, &a,
                        &part);
        }
        take(job, strip, &part);
    }
    arena_release(&a);
}

static void take_profile(Profiling *job, size_t strip, const Chunk *c)
{
    profiler_add(job->part[strip], c);
    progress_add(job->progress, c->rows);
}

static void take_recount(Profiling *job, size_t strip, const Chunk *c)
{
    recount_add(job->recount[strip], c);
}

static void profile_strip(void *job, size_t strip, size_t worker)
{
    Profiling *job_ = job;
    walk_strip(job_, strip, job_->from, job_->to, take_profile);
    (void)worker;
}

static void recount_strip(void *job, size_t strip, size_t worker)
{
    walk_strip(job, strip, 0, SIZE_MAX, take_recount);
    (void)worker;
}

static Profiler *profile_all(Profiling *job, Pool *pool)
{
    for (size_t i = 0; i < job->strips; i++) {
        job->part[i] = profiler_create(&job->schema);
        profiler_count_most(job->part[i], COUNT_MOST);
    }
    for (job->to = PROBE_FIRST; job->from < PROBE_MOST; job->to *= 2) {
        pool_run(pool, job->strips, profile_strip, job);
        job->from = job->to;
        if (profiler_expect(job->part, job->strips, rows_of(&job->view, job->rows)))
            break;
    }
    job->to = SIZE_MAX;
    pool_run(pool, job->strips, profile_strip, job);
    Profiler *all = job->strips ? job->part[0] : profiler_create(&job->schema);
    for (size_t i = 1; i < job->strips; i++)
        profiler_merge(all, job->part[i]);
    return all;
}

/* The counts of the most frequent values, if they are only estimates so far. */
static void count_again(Profiling *job, Profiler *all, Pool *pool)
{
    Recount *first = recount_create(all);
    if (!first)
        return;
    job->recount = mem_alloc((job->strips + 1) * sizeof(Recount *));
    for (size_t i = 0; i < job->strips; i++)
        job->recount[i] = i ? recount_create(all) : first;
    pool_run(pool, job->strips, recount_strip, job);
    for (size_t i = 1; i < job->strips; i++)
        recount_merge(first, job->recount[i]);
    recount_finish(first, all);
    mem_free(job->recount);
}

static size_t strips_for(uint64_t rows)
{
    uint64_t strips = rows / STRIP_ROWS;
    return strips < 4 ? 4 : strips > STRIPS ? STRIPS : (size_t)strips;
}

bool scan_profile(const Dataset *d, size_t column, const RowSet *rows, Pool *pool,
                  Progress *progress, Profile *out, Error *err)
{
    const Schema *s = dataset_schema(d);
    if (column >= s->count)
        return error_set(err, ERROR_USAGE, "column %zu to describe, the table has %zu", column + 1,
                         s->count);
    Profiling job = {.rows = rows, .progress = progress};
    schema_add(&job.schema, s->field[column].name, s->field[column].type, s->field[column].role);
    view_open(&job.view, d, &column, 1, pool);
    job.pieces = pieces_of(&job.view, rows);
    job.strips = strips_of(job.pieces, strips_for(rows_of(&job.view, rows)));
    job.part = mem_alloc((job.strips + 1) * sizeof(Profiler *));
    progress_begin(progress, "describing", "rows", rows_of(&job.view, rows));
    Profiler *all = profile_all(&job, pool);
    count_again(&job, all, pool);
    bool ok = !scan_stopped(progress, err);
    profiler_finish(all, out);
    if (!ok)
        profile_release(out);
    view_release(&job.view);
    schema_release(&job.schema);
    mem_free(job.part);
    return ok;
}
