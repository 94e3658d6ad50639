/* left.c -- the rows that rules have left, copied stretch by stretch.
 *
 * Rules mostly leave long stretches between the rows that they drop. A stretch is one memcpy a
 * column, and eight bytes of a bitmap at a time, instead of a look-up a row. Where stretches are
 * short (a rule keeps few rows, or every other one), chunk_gather is as good. */
#include "recipe_int.h"

#include <string.h>

#define STRETCH_LEAST 6 /* rows in the average stretch that is worth a memcpy */

typedef struct Stretch {
    uint32_t from, rows;
} Stretch;

typedef struct Stretches {
    Stretch *at;
    size_t count, rows;
    Arena *arena;
} Stretches;

/* [from, until) of rows that are all alive, or all dead, from `row` on. */
static size_t end_of(const uint8_t *alive, size_t row, size_t rows)
{
    uint8_t what = alive[row];
    uint64_t eight, same = what * UINT64_C(0x0101010101010101);
    while (row + 8 <= rows && (memcpy(&eight, alive + row, 8), eight == same))
        row += 8;
    while (row < rows && alive[row] == what)
        row++;
    return row;
}

static size_t count_stretches(const Frame *f)
{
    size_t count = f->rows > 0 && f->alive[0];
    for (size_t i = 1; i < f->rows; i++)
        count += f->alive[i] & (f->alive[i - 1] ^ 1);
    return count;
}

static void list_stretches(const Frame *f, Stretches *s)
{
    for (size_t row = 0; row < f->rows;) {
        size_t until = end_of(f->alive, row, f->rows);
        if (f->alive[row])
            s->at[s->count++] = (Stretch){(uint32_t)row, (uint32_t)(until - row)};
        row = until;
    }
}

/* ---- bits ------------------------------------------------------------------------------------ */

/* n bits (at most 57) from bit `at` on; reads no byte that holds none of them. */
static uint64_t bits_load(const uint8_t *bits, size_t at, size_t n)
{
    uint64_t word = 0;
    size_t bytes = ((at & 7) + n + 7) / 8;
    memcpy(&word, bits + (at >> 3), bytes);
    return word >> (at & 7) & ((UINT64_C(1) << n) - 1);
}

/* Behind `to` there are eight bytes to spare; bits from `at` on are 0. */
static void bits_store(uint8_t *to, size_t at, uint64_t word)
{
    uint64_t old;
    memcpy(&old, to + (at >> 3), 8);
    old |= word << (at & 7);
    memcpy(to + (at >> 3), &old, 8);
}

static const uint8_t *copy_bits(const Stretches *s, const uint8_t *bits)
{
    if (!bits)
        return NULL;
    uint8_t *to = arena_alloc(s->arena, s->rows / 8 + 16);
    size_t at = 0;
    for (size_t i = 0; i < s->count; i++)
        for (size_t row = s->at[i].from, left = s->at[i].rows; left > 0;) {
            size_t n = left < 57 ? left : 57;
            bits_store(to, at, bits_load(bits, row, n));
            at += n;
            row += n;
            left -= n;
        }
    return to;
}

/* ---- columns --------------------------------------------------------------------------------- */

static void *copy_values(const Stretches *s, const void *values, size_t size)
{
    char *to = arena_alloc(s->arena, (s->rows + 1) * size), *at = to;
    for (size_t i = 0; i < s->count; i++) {
        size_t bytes = s->at[i].rows * size;
        memcpy(at, (const char *)values + s->at[i].from * size, bytes);
        at += bytes;
    }
    return to;
}

static void copy_plain(const Stretches *s, const Column *c, Column *out)
{
    size_t total = 0, at = 0, row = 0;
    for (size_t i = 0; i < s->count; i++)
        total += column_span(c->start[s->at[i].from], c->start[s->at[i].from + s->at[i].rows]);
    int32_t *start = ARENA_NEW(s->arena, int32_t, s->rows + 1);
    char *bytes = arena_alloc(s->arena, total + 1);
    for (size_t i = 0; i < s->count; i++) {
        const int32_t *from = c->start + s->at[i].from;
        size_t n = column_span(from[0], from[s->at[i].rows]);
        if (n > 0)
            memcpy(bytes + at, c->bytes + from[0], n);
        for (size_t k = 0; k < s->at[i].rows; k++) {
            size_t before = column_span(from[0], from[k]);
            start[row++] = (int32_t)(at + (before < n ? before : n));
        }
        at += n;
    }
    start[row] = (int32_t)at;
    out->start = start;
    out->bytes = bytes;
}

static void copy_column(const Stretches *s, const Column *c, Column *out)
{
    *out = *c;
    out->rows = s->rows;
    out->valid = copy_bits(s, c->valid);
    switch (c->type) {
    case COLUMN_BOOL:
        out->bit = copy_bits(s, c->bit);
        break;
    case COLUMN_DATE:
        out->day = copy_values(s, c->day, sizeof *c->day);
        break;
    case COLUMN_TEXT:
        if (c->words)
            out->code = copy_values(s, c->code, sizeof *c->code);
        else
            copy_plain(s, c, out);
        break;
    default: /* eight bytes */
        out->integer = copy_values(s, c->integer, sizeof *c->integer);
    }
}

static const uint64_t *copy_origin(const Stretches *s, const Chunk *c)
{
    if (c->origin)
        return copy_values(s, c->origin, sizeof *c->origin);
    uint64_t *origin = ARENA_NEW(s->arena, uint64_t, s->rows + 1), *at = origin;
    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 0; k < s->at[i].rows; k++)
            *at++ = c->first + s->at[i].from + k;
    return origin;
}

static void copy_stretches(const Frame *f, const Chunk *all, size_t count, Chunk *out)
{
    Stretches s = {
        .at = ARENA_NEW(f->arena, Stretch, count + 1), .rows = f->living, .arena = f->arena};
    Column *column = ARENA_NEW(f->arena, Column, all->columns + 1);
    list_stretches(f, &s);
    for (size_t i = 0; i < all->columns; i++)
        copy_column(&s, &all->column[i], &column[i]);
    *out = (Chunk){.rows = f->living,
                   .columns = all->columns,
                   .column = column,
                   .first = all->first,
                   .origin = copy_origin(&s, all)};
}

static void copy_rows(const Frame *f, const Chunk *all, Chunk *out)
{
    uint32_t *row = ARENA_NEW(f->arena, uint32_t, f->living + 1);
    size_t n = 0;
    for (size_t i = 0; i < f->rows; i++) {
        row[n] = (uint32_t)i;
        n += f->alive[i];
    }
    chunk_gather(all, row, f->living, f->arena, out);
}

void frame_finish(const Frame *f, Chunk *out)
{
    Chunk all;
    frame_chunk(f, &all);
    if (f->living == f->rows) {
        *out = all;
        return;
    }
    size_t stretches = count_stretches(f);
    if (stretches * STRETCH_LEAST <= f->living)
        copy_stretches(f, &all, stretches, out);
    else
        copy_rows(f, &all, out);
}
