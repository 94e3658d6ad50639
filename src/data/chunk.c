/* chunk.c -- chunks: finding a column, cutting a stretch, taking single rows. */
#include "data_int.h"

#include <assert.h>

const Column *chunk_find(const Chunk *c, const char *name)
{
    for (size_t i = 0; i < c->columns; i++)
        if (c->column[i].name[0] == name[0] && strcmp(c->column[i].name, name) == 0)
            return &c->column[i];
    return NULL;
}

const Column *chunk_find_next(const Chunk *c, const char *name, size_t *next)
{
    const char *there = *next < c->columns ? c->column[*next].name : NULL;
    bool here = there && (there == name || strcmp(there, name) == 0);
    const Column *found = here ? &c->column[*next] : chunk_find(c, name);
    if (found)
        *next = (size_t)(found - c->column) + 1;
    return found;
}

uint64_t chunk_origin(const Chunk *c, size_t row)
{
    assert(row < c->rows);
    return c->origin ? c->origin[row] : c->first + row;
}

void chunk_slice(const Chunk *c, size_t from, size_t rows, Arena *a, Chunk *out)
{
    assert(from <= c->rows && rows <= c->rows - from);
    Column *column = ARENA_NEW(a, Column, c->columns);
    for (size_t i = 0; i < c->columns; i++)
        column_slice(&c->column[i], from, rows, a, &column[i]);
    *out = (Chunk){.rows = rows,
                   .columns = c->columns,
                   .column = column,
                   .first = c->first + from,
                   .origin = c->origin ? c->origin + from : NULL};
}

/* ---- all of it -------------------------------------------------------------------------------- */

static void *keep(const void *from, size_t n, Arena *a)
{
    void *to = arena_alloc(a, n + 8);
    if (n)
        memcpy(to, from, n);
    return to;
}

static const Words *keep_words(const Words *w, Arena *a)
{
    Words *to = ARENA_NEW(a, Words, 1);
    size_t bytes = column_span(0, w->start[w->count]);
    to->count = w->count;
    to->start = keep(w->start, (w->count + 1) * sizeof *w->start, a);
    to->bytes = keep(w->bytes, bytes, a);
    return to;
}

static void keep_plain(const Column *c, Arena *a, Column *out)
{
    size_t from = (size_t)c->start[0], n = column_span(c->start[0], c->start[c->rows]);
    int32_t *start = ARENA_NEW(a, int32_t, c->rows + 1);
    for (size_t i = 0; i <= c->rows; i++)
        start[i] = (int32_t)column_span((int32_t)from, c->start[i]);
    out->start = start;
    out->bytes = keep(c->bytes + from, n, a);
}

static void keep_column(const Column *c, Arena *a, Column *out)
{
    *out = *c;
    out->name = arena_text(a, c->name);
    out->valid = c->valid ? keep(c->valid, bit_bytes(c->rows), a) : NULL;
    if (c->type == COLUMN_TEXT && !c->words) {
        keep_plain(c, a, out);
        return;
    }
    if (c->words)
        out->words = keep_words(c->words, a);
    out->integer =
        keep(c->integer,
             c->type == COLUMN_BOOL ? bit_bytes(c->rows) : c->rows * column_width(c->type), a);
}

void chunk_copy(const Chunk *c, Arena *a, Chunk *out)
{
    Column *column = ARENA_NEW(a, Column, c->columns + 1);
    for (size_t i = 0; i < c->columns; i++)
        keep_column(&c->column[i], a, &column[i]);
    *out = *c;
    out->column = column;
    if (c->origin)
        out->origin = keep(c->origin, c->rows * sizeof *c->origin, a);
}

/* ---- single rows ------------------------------------------------------------------------------ */

static const uint8_t *gather_bits(const uint8_t *bits, const uint32_t *row, size_t rows, Arena *a)
{
    if (!bits)
        return NULL;
    uint8_t *to = arena_alloc(a, bit_bytes(rows));
    for (size_t i = 0; i < rows; i++)
        to[i >> 3] = (uint8_t)(to[i >> 3] | (unsigned)bit_get(bits, row[i]) << (i & 7));
    return to;
}

static const int64_t *gather_wide(const int64_t *from, const uint32_t *row, size_t rows, Arena *a)
{
    int64_t *to = arena_raw(a, rows * sizeof *to);
    for (size_t i = 0; i < rows; i++)
        to[i] = from[row[i]];
    return to;
}

static const double *gather_real(const double *from, const uint32_t *row, size_t rows, Arena *a)
{
    double *to = arena_raw(a, rows * sizeof *to);
    for (size_t i = 0; i < rows; i++)
        to[i] = from[row[i]];
    return to;
}

static const int32_t *gather_narrow(const int32_t *from, const uint32_t *row, size_t rows, Arena *a)
{
    int32_t *to = arena_raw(a, rows * sizeof *to);
    for (size_t i = 0; i < rows; i++)
        to[i] = from[row[i]];
    return to;
}

/* Rows may repeat, so plain text can grow past what 32 bits address: then it becomes words. */
static void gather_plain(const Column *c, const uint32_t *row, size_t rows, Arena *a, Column *out)
{
    size_t bytes = 0, at = 0;
    for (size_t i = 0; i < rows; i++)
        bytes += column_span(c->start[row[i]], c->start[row[i] + 1]);
    if (bytes > INT32_MAX) {
        WordTable table = {.arena = a};
        int32_t *code = ARENA_NEW(a, int32_t, rows);
        for (size_t i = 0; i < rows; i++) {
            size_t n;
            const char *s = column_text(c, row[i], &n);
            code[i] = wordtable_code(&table, s, n);
        }
        Words *words = ARENA_NEW(a, Words, 1);
        wordtable_words(&table, words);
        out->code = code;
        out->words = words;
        return;
    }
    int32_t *start = ARENA_NEW(a, int32_t, rows + 1);
    char *to = arena_alloc(a, bytes ? bytes : 1);
    for (size_t i = 0; i < rows; i++) {
        size_t n = column_span(c->start[row[i]], c->start[row[i] + 1]);
        if (n)
            memcpy(to + at, c->bytes + c->start[row[i]], n);
        start[i] = (int32_t)at;
        at += n;
    }
    start[rows] = (int32_t)at;
    out->start = start;
    out->bytes = to;
}

static void gather(const Column *c, const uint32_t *row, size_t rows, Arena *a, Column *out)
{
    *out = *c;
    out->rows = rows;
    out->valid = gather_bits(c->valid, row, rows, a);
    switch (c->type) {
    case COLUMN_BOOL:
        out->bit = gather_bits(c->bit, row, rows, a);
        break;
    case COLUMN_INT:
    case COLUMN_TIME:
        out->integer = gather_wide(c->integer, row, rows, a);
        break;
    case COLUMN_REAL:
        out->real = gather_real(c->real, row, rows, a);
        break;
    case COLUMN_DATE:
        out->day = gather_narrow(c->day, row, rows, a);
        break;
    default:
        if (c->words)
            out->code = gather_narrow(c->code, row, rows, a);
        else
            gather_plain(c, row, rows, a, out);
    }
}

void chunk_gather(const Chunk *c, const uint32_t *row, size_t rows, Arena *a, Chunk *out)
{
    Column *column = ARENA_NEW(a, Column, c->columns);
    uint64_t *origin = arena_raw(a, rows * sizeof *origin);
    for (size_t i = 0; i < rows; i++)
        origin[i] = chunk_origin(c, row[i]);
    for (size_t i = 0; i < c->columns; i++)
        gather(&c->column[i], row, rows, a, &column[i]);
    *out = (Chunk){
        .rows = rows, .columns = c->columns, .column = column, .first = c->first, .origin = origin};
}
