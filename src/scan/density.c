/* density.c -- how two columns lie together: rows counted into the cells of a grid. */
#include "scan_int.h"

#include <math.h>
#include <stdlib.h>

#define SAMPLE     100000 /* rows that the range is chosen from */
#define OUTSIDE    0.005  /* share that is left out on each side of a chosen range */
#define CELLS_MOST (1 << 24)

typedef struct Counting {
    View view;
    const RowSet *rows;
    const Density *grid;
    double x_scale, y_scale; /* cells per unit */
    size_t pieces, workers;
    uint64_t *cell; /* [workers][cells + 2]: then outside and missing */
    size_t room;
    Progress *progress;
} Counting;

/* ---- the range --------------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Finite values of column k of at most SAMPLE rows, spread evenly, ascending; the caller frees. */
static double *sample_sorted(const View *v, const RowSet *rows, size_t k, const Progress *progress,
                             size_t *count)
{
    uint64_t total = rows_of(v, rows), step = total / SAMPLE + 1;
    double *value = mem_alloc((SAMPLE + 1) * sizeof *value);
    *count = 0;
    for (uint64_t at = 0; at < total && !progress_stopped(progress); at += step) {
        uint32_t row = rows ? rows->row[at] : (uint32_t)at;
        size_t chunk = rows ? view_chunk(v, row) : view_chunk(v, at);
        uint64_t number = rows ? row : at;
        double x = column_real(view_column(v, k, chunk), (size_t)(number - v->first[chunk]));
        value[*count] = x;
        *count += isfinite(x) != 0;
    }
    if (!progress_stopped(progress))
        qsort(value, *count, sizeof *value, by_value);
    return value;
}

static void choose_range(const View *v, const RowSet *rows, size_t k, const Progress *progress, double *least,
                         double *most)
{
    if (*least != *most)
        return;
    size_t n;
    double *value = sample_sorted(v, rows, k, progress, &n);
    size_t out = (size_t)(OUTSIDE * (double)n);
    *least = n ? value[out] : 0;
    *most = n ? value[n - 1 - out] : 1;
    mem_free(value);
    if (*least == *most) { /* one value: it lies in the middle */
        double room = *least != 0 ? fabs(*least) * 0.5 : 0.5;
        *least -= room;
        *most += room;
    }
}

/* ---- counting ------------------------------------------------------------------------------------------ */

static void count_block(const Counting *c, const double *x, const double *y, size_t n,
                        uint64_t *cell)
{
    const Density *g = c->grid;
    size_t cells = (size_t)g->width * (size_t)g->height;
    uint64_t outside = 0, missing = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i]) || !isfinite(y[i])) {
            missing++;
        } else if (x[i] < g->x_least || x[i] > g->x_most || y[i] < g->y_least || y[i] > g->y_most) {
            outside++;
        } else {
            int at_x = (int)((x[i] - g->x_least) * c->x_scale);
            int at_y = (int)((y[i] - g->y_least) * c->y_scale);
            at_x = at_x < g->width ? at_x : g->width - 1;
            at_y = at_y < g->height ? at_y : g->height - 1;
            cell[(size_t)at_y * (size_t)g->width + (size_t)at_x]++;
        }
    }
    cell[cells] += outside;
    cell[cells + 1] += missing;
}

static void count_piece(void *job, size_t i, size_t worker)
{
    const Counting *c = job;
    Piece p;
    double x[BLOCK], y[BLOCK];
    if (progress_stopped(c->progress))
        return;
    piece_get(&c->view, c->rows, i, &p);
    for (size_t at = 0; at < p.rows; at += BLOCK) {
        size_t n = p.rows - at < BLOCK ? p.rows - at : BLOCK;
        load_reals(&p, 0, at, n, x);
        load_reals(&p, 1, at, n, y);
        count_block(c, x, y, n, c->cell + worker * c->room);
    }
    progress_add(c->progress, p.rows);
}

static void sum_up(const Counting *c, Density *io)
{
    size_t cells = (size_t)io->width * (size_t)io->height;
    io->inside = io->outside = io->missing = 0;
    for (size_t w = 0; w < c->workers; w++) {
        const uint64_t *from = c->cell + w * c->room;
        for (size_t i = 0; i < cells; i++) {
            io->cell[i] += from[i];
            io->inside += from[i];
        }
        io->outside += from[cells];
        io->missing += from[cells + 1];
    }
}

static bool check(const Dataset *d, const Density *io, Error *err)
{
    const Schema *s = dataset_schema(d);
    size_t column[2] = {io->x_column, io->y_column};
    for (int i = 0; i < 2; i++)
        if (column[i] >= s->count)
            return error_set(err, ERROR_USAGE, "column %zu to draw, the table has %zu",
                             column[i] + 1, s->count);
        else if (s->field[column[i]].type == COLUMN_TEXT)
            return error_set(err, ERROR_SHAPE,
                             "column %s is text; a density needs numbers or times",
                             s->field[column[i]].name);
    if (io->width < 1 || io->height < 1 || io->width > CELLS_MOST / io->height)
        return error_set(err, ERROR_USAGE, "a density of %d by %d cells", io->width, io->height);
    return true;
}

bool scan_density(const Dataset *d, Density *io, const RowSet *rows, Pool *pool, Progress *progress,
                  Arena *a, Error *err)
{
    if (!check(d, io, err))
        return false;
    size_t column[2] = {io->x_column, io->y_column};
    size_t cells = (size_t)io->width * (size_t)io->height;
    Counting c = {.rows = rows, .grid = io, .workers = pool_threads(pool), .progress = progress};
    c.room = (cells + 2 + 7) / 8 * 8;
    c.cell = mem_try(c.workers * c.room * sizeof *c.cell, err);
    if (!c.cell)
        return false;
    memset(c.cell, 0, c.workers * c.room * sizeof *c.cell);
    view_open(&c.view, d, column, 2, pool);
    progress_begin(progress, "counting", "rows", rows_of(&c.view, rows));
    choose_range(&c.view, rows, 0, progress, &io->x_least, &io->x_most);
    choose_range(&c.view, rows, 1, progress, &io->y_least, &io->y_most);
    c.x_scale = io->width / (io->x_most - io->x_least);
    c.y_scale = io->height / (io->y_most - io->y_least);
    c.pieces = pieces_of(&c.view, rows);
    pool_run(pool, c.pieces, count_piece, &c);
    io->cell = ARENA_NEW(a, uint64_t, cells);
    sum_up(&c, io);
    view_release(&c.view);
    mem_free(c.cell);
    return !scan_stopped(progress, err);
}
