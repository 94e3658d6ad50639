/* left.c -- the rows that rules have left, side by side.
 *
 * Who is alive becomes a bitmap, and every column goes through it 64 rows at a time: all of them are one
 * memcpy, none is nothing, and some are picked by the processor's own instructions where it has them
 * (AVX-512 for values, BMI2 for bits), else one by one. */
#include "recipe_int.h"

#include <string.h>

#if defined(__AVX512F__) || defined(__BMI2__)
#include <immintrin.h>
#endif

#define SPARE 64 /* bytes behind what is filled, for stores of whole vectors */

typedef struct Left {
    const uint64_t *alive; /* [words], bit i % 64 of i / 64: row i stays; 0 behind the last */
    size_t words, all, rows;
    Arena *arena;
} Left;

/* The statement for each living row of 64. */
#define EACH_ALIVE(mask, row, first, ...)                                                          \
    for (uint64_t left_ = (mask); left_; left_ &= left_ - 1) {                                     \
        size_t row = (first) + (size_t)__builtin_ctzll(left_);                                     \
        __VA_ARGS__;                                                                               \
    }

/* ---- values of eight and of four bytes ------------------------------------------------------------ */

#if defined(__AVX512F__)

/* Of the values only those of living rows are touched. */
static int64_t *pick_wide(int64_t *to, const int64_t *from, uint64_t mask)
{
    for (; mask; mask >>= 8, from += 8) {
        __mmask8 m = (__mmask8)mask;
        _mm512_storeu_si512(to, _mm512_maskz_compress_epi64(m, _mm512_maskz_loadu_epi64(m, from)));
        to += __builtin_popcount(m);
    }
    return to;
}

static int32_t *pick_narrow(int32_t *to, const int32_t *from, uint64_t mask)
{
    for (; mask; mask >>= 16, from += 16) {
        __mmask16 m = (__mmask16)mask;
        _mm512_storeu_si512(to, _mm512_maskz_compress_epi32(m, _mm512_maskz_loadu_epi32(m, from)));
        to += __builtin_popcount(m);
    }
    return to;
}

#else

static int64_t *pick_wide(int64_t *to, const int64_t *from, uint64_t mask)
{
    EACH_ALIVE(mask, row, 0, *to++ = from[row])
    return to;
}

static int32_t *pick_narrow(int32_t *to, const int32_t *from, uint64_t mask)
{
    EACH_ALIVE(mask, row, 0, *to++ = from[row])
    return to;
}

#endif

static const int64_t *copy_wide(const Left *l, const int64_t *from)
{
    int64_t *base = arena_raw(l->arena, l->rows * sizeof *base + SPARE), *to = base;
    for (size_t w = 0; w < l->words; w++, from += 64)
        if (l->alive[w] == UINT64_MAX)
            to = (int64_t *)memcpy(to, from, 64 * sizeof *to) + 64;
        else
            to = pick_wide(to, from, l->alive[w]);
    return base;
}

static const int32_t *copy_narrow(const Left *l, const int32_t *from)
{
    int32_t *base = arena_raw(l->arena, l->rows * sizeof *base + SPARE), *to = base;
    for (size_t w = 0; w < l->words; w++, from += 64)
        if (l->alive[w] == UINT64_MAX)
            to = (int32_t *)memcpy(to, from, 64 * sizeof *to) + 64;
        else
            to = pick_narrow(to, from, l->alive[w]);
    return base;
}

/* ---- bits ------------------------------------------------------------------------------------------ */

static uint64_t pick_bits(uint64_t bits, uint64_t mask)
{
#if defined(__BMI2__)
    return _pext_u64(bits, mask);
#else
    uint64_t out = 0;
    size_t n = 0;
    EACH_ALIVE(mask, row, 0, out |= (bits >> row & 1) << n++)
    return out;
#endif
}

static const uint8_t *copy_bits(const Left *l, const uint8_t *bits)
{
    if (!bits)
        return NULL;
    uint8_t *to = arena_alloc(l->arena, l->rows / 8 + SPARE);
    size_t at = 0, bytes = (l->all + 7) / 8;
    for (size_t w = 0; w < l->words; w++) {
        uint64_t some = 0, low;
        memcpy(&some, bits + 8 * w, bytes - 8 * w < 8 ? bytes - 8 * w : 8);
        some = pick_bits(some, l->alive[w]);
        memcpy(&low, to + (at >> 3), 8);
        low |= some << (at & 7);
        memcpy(to + (at >> 3), &low, 8);
        if (at & 7)
            to[(at >> 3) + 8] = (uint8_t)(some >> (64 - (at & 7)));
        at += (size_t)__builtin_popcountll(l->alive[w]);
    }
    return to;
}

/* ---- columns --------------------------------------------------------------------------------------- */

static void copy_plain(const Left *l, const Column *c, Column *out)
{
    size_t total = 0, at = 0, n = 0;
    for (size_t w = 0; w < l->words; w++)
        EACH_ALIVE(l->alive[w], row, 64 * w, total += column_span(c->start[row], c->start[row + 1]))
    int32_t *start = arena_raw(l->arena, (l->rows + 1) * sizeof *start);
    char *bytes = arena_raw(l->arena, total + 1);
    for (size_t w = 0; w < l->words; w++)
        EACH_ALIVE(l->alive[w], row, 64 * w, {
            size_t size = column_span(c->start[row], c->start[row + 1]);
            start[n++] = (int32_t)at;
            if (size > 0)
                memcpy(bytes + at, c->bytes + c->start[row], size);
            at += size;
        })
    start[n] = (int32_t)at;
    out->start = start;
    out->bytes = bytes;
}

static void copy_column(const Left *l, const Column *c, Column *out)
{
    *out = *c;
    out->rows = l->rows;
    out->valid = copy_bits(l, c->valid);
    switch (c->type) {
    case COLUMN_BOOL:
        out->bit = copy_bits(l, c->bit);
        break;
    case COLUMN_DATE:
        out->day = copy_narrow(l, c->day);
        break;
    case COLUMN_TEXT:
        if (c->words)
            out->code = copy_narrow(l, c->code);
        else
            copy_plain(l, c, out);
        break;
    default: /* eight bytes */
        out->integer = copy_wide(l, c->integer);
    }
}

static const uint64_t *copy_origin(const Left *l, const Chunk *c)
{
    uint64_t *origin = arena_raw(l->arena, (l->rows + 1) * sizeof *origin), *to = origin;
    for (size_t w = 0; w < l->words; w++)
        EACH_ALIVE(l->alive[w], row, 64 * w, *to++ = c->origin ? c->origin[row] : c->first + row)
    return origin;
}

void frame_finish(const Frame *f, bool origin, Chunk *out)
{
    Chunk all;
    frame_chunk(f, &all);
    if (f->living == f->rows) {
        *out = all;
        return;
    }
    size_t words = (f->rows + 63) / 64;
    uint64_t *alive = ARENA_NEW(f->arena, uint64_t, words + 1);
    bits_pack(f->alive, f->rows, (uint8_t *)alive);
    Left l = {alive, words, f->rows, f->living, f->arena};
    Column *column = ARENA_NEW(f->arena, Column, all.columns + 1);
    for (size_t i = 0; i < all.columns; i++)
        copy_column(&l, &all.column[i], &column[i]);
    *out = (Chunk){.rows = f->living,
                   .columns = all.columns,
                   .column = column,
                   .first = all.first,
                   .origin = origin ? copy_origin(&l, &all) : NULL};
}
