/* column.c -- one column of one chunk: its type, one value of it, a stretch of it. */
#include "data_int.h"

#include <assert.h>
#include <math.h>

/* ---- names ------------------------------------------------------------------------------------ */

#define AS_NAME(id, name, about) name,
static const char *const type_names[] = {COLUMN_TYPES(AS_NAME)};
static const char *const role_names[] = {ROLES(AS_NAME)};
#undef AS_NAME

/* What people and other tools call the types. */
static const struct {
    const char *name;
    ColumnType type;
} type_aliases[] = {
    {"boolean", COLUMN_BOOL}, {"logical", COLUMN_BOOL},  {"int", COLUMN_INT},
    {"integer", COLUMN_INT},  {"bigint", COLUMN_INT},    {"long", COLUMN_INT},
    {"float", COLUMN_REAL},   {"real", COLUMN_REAL},     {"double", COLUMN_REAL},
    {"number", COLUMN_REAL},  {"time", COLUMN_TIME},     {"datetime", COLUMN_TIME},
    {"string", COLUMN_TEXT},  {"str", COLUMN_TEXT},      {"utf8", COLUMN_TEXT},
    {"varchar", COLUMN_TEXT}, {"category", COLUMN_TEXT},
};

const char *column_type_name(ColumnType t)
{
    assert(t < COLUMN_TYPE_COUNT);
    return type_names[t];
}

bool column_type_parse(const char *name, ColumnType *out)
{
    for (size_t i = 0; i < COUNT_OF(type_names); i++)
        if (strcasecmp(type_names[i], name) == 0)
            return *out = (ColumnType)i, true;
    for (size_t i = 0; i < COUNT_OF(type_aliases); i++)
        if (strcasecmp(type_aliases[i].name, name) == 0)
            return *out = type_aliases[i].type, true;
    return false;
}

const char *role_name(Role r)
{
    assert(r < ROLE_COUNT);
    return role_names[r];
}

bool role_parse(const char *name, Role *out)
{
    for (size_t i = 0; i < COUNT_OF(role_names); i++)
        if (strcasecmp(role_names[i], name) == 0)
            return *out = (Role)i, true;
    return false;
}

/* ---- one value -------------------------------------------------------------------------------- */

double column_real(const Column *c, size_t row)
{
    assert(row < c->rows);
    if (!column_has(c, row))
        return (double)NAN;
    switch (c->type) {
    case COLUMN_BOOL:
        return bit_get(c->bit, row);
    case COLUMN_INT:
    case COLUMN_TIME:
        return (double)c->integer[row];
    case COLUMN_REAL:
        return c->real[row];
    case COLUMN_DATE:
        return c->day[row];
    default:
        return (double)NAN;
    }
}

const char *column_text(const Column *c, size_t row, size_t *n)
{
    assert(c->type == COLUMN_TEXT && row < c->rows);
    *n = 0;
    if (!column_has(c, row))
        return "";
    if (c->words)
        return words_get(c->words, (size_t)c->code[row], n);
    *n = column_span(c->start[row], c->start[row + 1]);
    return c->bytes + c->start[row];
}

static void print_int(int64_t v, Text *into)
{
    char digits[24], *end = digits + sizeof digits, *p = end;
    uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;
    do
        *--p = (char)('0' + u % 10);
    while (u /= 10);
    if (v < 0)
        *--p = '-';
    text_add(into, p, (size_t)(end - p));
}

void column_print(const Column *c, size_t row, Text *into)
{
    size_t n;
    const char *s;
    if (!column_has(c, row))
        return;
    switch (c->type) {
    case COLUMN_BOOL:
        text_puts(into, bit_get(c->bit, row) ? "true" : "false");
        break;
    case COLUMN_INT:
        print_int(c->integer[row], into);
        break;
    case COLUMN_REAL:
        text_add_real(into, c->real[row]);
        break;
    case COLUMN_TIME:
        time_format(c->integer[row], into);
        break;
    case COLUMN_DATE:
        date_format(c->day[row], into);
        break;
    default:
        s = column_text(c, row, &n);
        text_add(into, s, n);
    }
}

/* ---- a stretch -------------------------------------------------------------------------------- */

static const uint8_t *slice_bits(const uint8_t *bits, size_t from, size_t rows, Arena *a)
{
    if (!bits || from % 8 == 0)
        return bits ? bits + from / 8 : NULL;
    uint8_t *copy = arena_alloc(a, bit_bytes(rows));
    bits_copy(copy, 0, bits, from, rows);
    return copy;
}

void column_slice(const Column *c, size_t from, size_t rows, Arena *a, Column *out)
{
    assert(from <= c->rows && rows <= c->rows - from);
    *out = *c;
    out->rows = rows;
    out->valid = slice_bits(c->valid, from, rows, a);
    switch (c->type) {
    case COLUMN_BOOL:
        out->bit = slice_bits(c->bit, from, rows, a);
        break;
    case COLUMN_INT:
    case COLUMN_TIME:
        out->integer = c->integer + from;
        break;
    case COLUMN_REAL:
        out->real = c->real + from;
        break;
    case COLUMN_DATE:
        out->day = c->day + from;
        break;
    default:
        out->code = c->code + from; /* or start: both int32_t */
    }
}
