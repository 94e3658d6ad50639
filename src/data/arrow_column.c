/* arrow_column.c -- the bytes of one column of an Arrow batch as a Column.
 *
 * Our own types are views of the mapping. Narrower integers, single floats, other units of time,
 * wide offsets and the dictionaries of other tools are converted into the arena. */
#include "arrow_int.h"

#include <math.h>

/* One value of any fixed layout, widened. */
static inline int64_t wide(ArrowLayout layout, const uint8_t *at, size_t i)
{
    switch (layout) {
    case LAYOUT_I8:
        return ((const int8_t *)at)[i];
    case LAYOUT_I16:
        return ((const int16_t *)(const void *)at)[i];
    case LAYOUT_I32:
        return ((const int32_t *)(const void *)at)[i];
    case LAYOUT_I64:
    case LAYOUT_U64:
        return ((const int64_t *)(const void *)at)[i];
    case LAYOUT_U8:
        return at[i];
    case LAYOUT_U16:
        return ((const uint16_t *)(const void *)at)[i];
    case LAYOUT_U32:
        return ((const uint32_t *)(const void *)at)[i];
    default:
        return 0;
    }
}

static inline int64_t scaled(int64_t v, const ArrowField *f)
{
    v = (int64_t)((uint64_t)v * (uint64_t)f->times); /* what overflows is out of any calendar */
    int64_t q = v / f->over;
    return q - (v % f->over < 0); /* towards the past */
}

/* A bitmap of our own that more bits can be taken from. */
static uint8_t *own_valid(Column *c, Arena *a)
{
    uint8_t *bits = arena_alloc(a, bit_bytes(c->rows) + 1);
    if (c->valid)
        memcpy(bits, c->valid, bit_bytes(c->rows));
    else
        bits_fill(bits, 0, c->rows);
    c->valid = bits;
    return bits;
}

/* IEEE 754 half: 1 sign, 5 exponent, 10 fraction. */
static double half(uint16_t h)
{
    int exponent = h >> 10 & 31, fraction = h & 1023;
    double v = exponent == 0    ? ldexp(fraction, -24)
               : exponent == 31 ? (fraction ? (double)NAN : (double)INFINITY)
                                : ldexp(1024 + fraction, exponent - 25);
    return h >> 15 ? -v : v;
}

static double real_at(ArrowLayout layout, const uint8_t *values, size_t i)
{
    if (layout == LAYOUT_F16)
        return half(((const uint16_t *)(const void *)values)[i]);
    if (layout == LAYOUT_U64)
        return (double)((const uint64_t *)(const void *)values)[i];
    return (double)((const float *)(const void *)values)[i];
}

static void convert(const ArrowField *f, const uint8_t *values, size_t from, Arena *a, Column *out,
                    bool *bad)
{
    size_t n = out->rows;
    if (f->type == COLUMN_REAL) {
        double *to = ARENA_NEW(a, double, n);
        for (size_t i = 0; i < n; i++)
            to[i] = real_at(f->layout, values, from + i);
        out->real = to;
    } else if (f->type == COLUMN_DATE) {
        int32_t *to = ARENA_NEW(a, int32_t, n);
        for (size_t i = 0; i < n; i++)
            to[i] = (int32_t)scaled(wide(f->layout, values, from + i), f);
        out->day = to;
    } else {
        int64_t *to = ARENA_NEW(a, int64_t, n);
        for (size_t i = 0; i < n; i++)
            to[i] = scaled(wide(f->layout, values, from + i), f);
        out->integer = to;
        uint8_t *valid = NULL; /* what lies beyond int64 goes missing and is said */
        for (size_t i = 0; f->layout == LAYOUT_U64 && i < n; i++)
            if (to[i] < 0 && column_has(out, i)) {
                valid = valid ? valid : own_valid(out, a);
                bit_clear(valid, i);
                if (bad)
                    *bad = true;
            }
    }
}

/* ---- words ------------------------------------------------------------------------------------- */

static bool codes_fit(const int32_t *code, size_t n, size_t words)
{
    uint32_t most = 0;
    for (size_t i = 0; i < n; i++)
        most = (uint32_t)code[i] > most ? (uint32_t)code[i] : most;
    return most < words;
}

/* Codes through the map, or as they are; missing rows get 0, codes without a word go missing. */
static void map_codes(const ArrowField *f, const ArrowPart *p, size_t from, Arena *a, Column *c,
                      bool *bad)
{
    int32_t *code = ARENA_NEW(a, int32_t, c->rows);
    uint8_t *valid = NULL;
    size_t limit = p->map ? p->map_count : f->words->count;
    for (size_t i = 0; i < c->rows; i++) {
        if (c->valid && !bit_get(c->valid, i))
            continue;
        int64_t k = wide(f->layout, p->values, from + i);
        bool known = k >= 0 && (uint64_t)k < limit;
        int64_t to = !known ? -1 : p->map ? p->map[k] : k;
        if (!known && bad)
            *bad = true;
        if (to < 0) {
            if (!valid)
                valid = own_valid(c, a);
            bit_clear(valid, i);
        } else {
            code[i] = (int32_t)to;
        }
    }
    c->code = code;
}

static void take_words(const ArrowField *f, const ArrowPart *p, size_t from, Arena *a, Column *c,
                       bool *bad)
{
    c->words = f->words;
    c->code = (const int32_t *)(const void *)p->values + from;
    if (p->map || !f->native || c->words->count == 0 ||
        (bad && !codes_fit(c->code, c->rows, c->words->count)))
        map_codes(f, p, from, a, c, bad);
}

/* ---- plain text ---------------------------------------------------------------------------------- */

static void all_missing(Column *c, Arena *a)
{
    c->valid = arena_alloc(a, bit_bytes(c->rows) + 1);
    c->start = ARENA_NEW(a, int32_t, c->rows + 1);
    c->bytes = "";
}

static void take_wide_text(const ArrowPart *p, size_t from, Arena *a, Column *c, bool *bad)
{
    const int64_t *start = (const int64_t *)(const void *)p->values + from;
    int32_t *to = ARENA_NEW(a, int32_t, c->rows + 1);
    bool fits = start[0] >= 0;
    for (size_t i = 0; i < c->rows; i++)
        fits &= start[i] <= start[i + 1];
    fits =
        fits && (uint64_t)start[c->rows] <= p->bytes_size && start[c->rows] - start[0] <= INT32_MAX;
    if (!fits) {
        if (bad)
            *bad = true;
        all_missing(c, a);
        return;
    }
    for (size_t i = 0; i <= c->rows; i++)
        to[i] = (int32_t)(start[i] - start[0]);
    c->start = to;
    c->bytes = (const char *)p->bytes + start[0];
}

static void take_text(const ArrowPart *p, size_t from, Arena *a, Column *c, bool *bad)
{
    const int32_t *start = (const int32_t *)(const void *)p->values + from;
    c->start = start;
    c->bytes = (const char *)p->bytes;
    if (!bad)
        return;
    bool fits = start[0] >= 0;
    for (size_t i = 0; i < c->rows; i++)
        fits &= start[i] <= start[i + 1];
    if (!fits || (size_t)start[c->rows] > p->bytes_size) {
        *bad = true;
        all_missing(c, a);
    }
}

/* A view: int32 length; up to 12 bytes here, or 4 of them, int32 which buffer, int32 where. */
static const uint8_t *view_at(const ArrowPart *p, size_t i, size_t *n)
{
    int32_t length, place[2];
    const uint8_t *view = p->values + 16 * i;
    memcpy(&length, view, 4);
    memcpy(place, view + 8, 8);
    *n = (size_t)(uint32_t)length;
    if (length >= 0 && length <= 12)
        return view + 4;
    if (length < 0 || place[0] < 0 || (size_t)place[0] >= p->more_count || place[1] < 0)
        return NULL;
    const ArrowSlice *s = &p->more[place[0]];
    return *n <= s->size && (size_t)place[1] <= s->size - *n ? s->at + place[1] : NULL;
}

static void take_views(const ArrowPart *p, size_t from, Arena *a, Column *c, bool *bad)
{
    size_t total = 0, n;
    int32_t *start = ARENA_NEW(a, int32_t, c->rows + 1);
    bool fits = true;
    for (size_t i = 0; i < c->rows && fits; i++) {
        n = 0;
        fits = !column_has(c, i) || view_at(p, from + i, &n);
        total += n;
        fits = fits && total <= INT32_MAX;
        start[i + 1] = (int32_t)total;
    }
    if (!fits) {
        if (bad)
            *bad = true;
        all_missing(c, a);
        return;
    }
    char *bytes = arena_alloc(a, total + 1);
    for (size_t i = 0; i < c->rows; i++)
        if (column_has(c, i)) {
            const uint8_t *at = view_at(p, from + i, &n);
            memcpy(bytes + start[i], at, n);
        }
    c->start = start;
    c->bytes = bytes;
}

/* ---- any column ------------------------------------------------------------------------------------ */

static const uint8_t *bits_from(const uint8_t *bits, size_t from, size_t rows, Arena *a)
{
    if (!bits || from % 8 == 0)
        return bits ? bits + from / 8 : NULL;
    uint8_t *copy = arena_alloc(a, bit_bytes(rows) + 1);
    bits_copy(copy, 0, bits, from, rows);
    return copy;
}

void arrow_column(const ArrowField *f, const ArrowPart *p, size_t from, size_t rows, Arena *a,
                  Column *out, bool *bad)
{
    *out = (Column){.name = f->name, .type = f->type, .rows = rows};
    out->valid = bits_from(p->valid, from, rows, a);
    if (f->layout == LAYOUT_NONE)
        all_missing(out, a);
    else if (f->layout == LAYOUT_VIEW)
        take_views(p, from, a, out, bad);
    else if (f->type == COLUMN_TEXT && f->words)
        take_words(f, p, from, a, out, bad);
    else if (f->type == COLUMN_TEXT && f->layout == LAYOUT_I64)
        take_wide_text(p, from, a, out, bad);
    else if (f->type == COLUMN_TEXT)
        take_text(p, from, a, out, bad);
    else if (f->type == COLUMN_BOOL)
        out->bit = bits_from(p->values, from, rows, a);
    else if (!f->native)
        convert(f, p->values, from, a, out, bad);
    else
        switch (f->type) {
        case COLUMN_REAL:
            out->real = (const double *)(const void *)p->values + from;
            break;
        case COLUMN_DATE:
            out->day = (const int32_t *)(const void *)p->values + from;
            break;
        default:
            out->integer = (const int64_t *)(const void *)p->values + from;
        }
}

void arrow_missing(const ArrowField *f, size_t rows, Arena *a, Column *out)
{
    *out = (Column){.name = f->name, .type = f->type, .rows = rows};
    all_missing(out, a);
    if (f->type != COLUMN_TEXT)
        out->integer = ARENA_NEW(a, int64_t, rows); /* wide enough for any */
}
