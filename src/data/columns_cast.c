/* columns_cast.c -- a column that was typed by someone else as the type that is wanted here. */
#include "columns_int.h"

#include <inttypes.h>
#include <math.h>

#define DAY_MICROS INT64_C(86400000000)

typedef struct Cast {
    const Column *from;
    ColumnType to;
    uint64_t first;
    Error *err;
} Cast;

static bool cannot(const Cast *c, size_t row)
{
    Text value = {0};
    column_print(c->from, row, &value);
    error_set(c->err, ERROR_PARSE, "column %s: row %" PRIu64 ": '%.40s' is no %s", c->from->name,
              c->first + row + 1, text_str(&value), column_type_name(c->to));
    text_release(&value);
    return false;
}

static int64_t floor_div(int64_t v, int64_t by)
{
    return v / by - (v % by < 0);
}

/* One number, time, day or bool as an integer of the wanted type. */
static bool whole(const Cast *c, size_t row, int64_t *out)
{
    const Column *f = c->from;
    double v;
    switch (f->type) {
    case COLUMN_BOOL:
        *out = bit_get(f->bit, row);
        return c->to == COLUMN_INT || c->to == COLUMN_BOOL;
    case COLUMN_INT:
        *out = f->integer[row];
        return c->to == COLUMN_INT || (c->to == COLUMN_BOOL && (*out == 0 || *out == 1));
    case COLUMN_REAL:
        v = f->real[row];
        *out = fabs(v) < 0x1p63 ? (int64_t)v : 0;
        return (double)*out == v &&
               (c->to == COLUMN_INT || (c->to == COLUMN_BOOL && (*out == 0 || *out == 1)));
    case COLUMN_DATE:
        *out = c->to == COLUMN_TIME ? f->day[row] * DAY_MICROS : f->day[row];
        return c->to == COLUMN_TIME || c->to == COLUMN_DATE;
    case COLUMN_TIME:
        *out = c->to == COLUMN_DATE ? floor_div(f->integer[row], DAY_MICROS) : f->integer[row];
        return c->to == COLUMN_TIME || (c->to == COLUMN_DATE && f->integer[row] % DAY_MICROS == 0);
    default:
        return false;
    }
}

/* Text, as a field of a CSV file would be read. */
static bool from_text(const Cast *c, size_t row, int64_t *i, double *real, bool *missing)
{
    size_t n;
    bool yes, has_time;
    char field[128] = {0};
    const char *s = column_text(c->from, row, &n);
    for (; n && *s == ' '; s++)
        n--;
    while (n && s[n - 1] == ' ')
        n--;
    *missing = !n;
    if (!n || n > sizeof field - 64)
        return !n;
    memcpy(field + 32, s, n); /* the parsers look 16 bytes around */
    s = field + 32;
    switch (c->to) {
    case COLUMN_BOOL:
        return value_bool(s, n, true, &yes) ? (*i = yes, true) : false;
    case COLUMN_INT:
        return value_int(s, n, true, i);
    case COLUMN_REAL:
        return value_real(s, n, '.', true, real);
    case COLUMN_DATE:
        return value_stamp(s, n, ORDER_YMD, i, &has_time) && !has_time
                   ? (*i = floor_div(*i, DAY_MICROS), true)
                   : false;
    default:
        return value_stamp(s, n, ORDER_YMD, i, &has_time);
    }
}

static void to_text(const Cast *c, ColumnBuild *b)
{
    Text value = {0};
    for (size_t row = 0; row < c->from->rows; row++) {
        text_reset(&value);
        column_print(c->from, row, &value);
        if (column_has(c->from, row))
            column_build_text(b, text_str(&value), value.count);
        else
            column_build_missing(b);
    }
    text_release(&value);
}

static bool cast_row(const Cast *c, size_t row, ColumnBuild *b)
{
    int64_t i = 0;
    double real = 0;
    bool missing = !column_has(c->from, row), ok = true;
    if (!missing && c->from->type == COLUMN_TEXT)
        ok = from_text(c, row, &i, &real, &missing);
    else if (!missing && c->to == COLUMN_REAL)
        real = column_real(c->from, row), ok = c->from->type <= COLUMN_REAL;
    else if (!missing)
        ok = whole(c, row, &i);
    if (!ok)
        return cannot(c, row);
    if (missing)
        column_build_missing(b);
    else if (c->to == COLUMN_REAL)
        column_build_real(b, real);
    else
        column_build_int(b, i);
    return true;
}

bool column_cast(const Column *c, ColumnType to, uint64_t first, Arena *a, Column *out, Error *err)
{
    Cast cast = {c, to, first, err};
    bool ok = true;
    *out = *c;
    if (c->type == to)
        return true;
    ColumnBuild *b = column_build(a, c->name, to, c->rows);
    if (to == COLUMN_TEXT)
        to_text(&cast, b);
    for (size_t row = 0; to != COLUMN_TEXT && row < c->rows && ok; row++)
        ok = cast_row(&cast, row, b);
    if (ok)
        column_build_finish(b, out);
    return ok;
}

/* ---- UTF-8 ----------------------------------------------------------------------------------------- */

static bool is_ascii(const char *s, size_t n)
{
    uint64_t all = 0, word;
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        memcpy(&word, s + i, 8);
        all |= word;
    }
    for (; i < n; i++)
        all |= (uint64_t)(uint8_t)s[i];
    return !(all & UINT64_C(0x8080808080808080));
}

bool column_check_text(const Column *c, uint64_t first, Error *err)
{
    const Words *w = c->words;
    if (w) {
        size_t count = w->count, n;
        if (!count || is_ascii(w->bytes + w->start[0], (size_t)(w->start[count] - w->start[0])))
            return true;
        for (size_t i = 0; i < count; i++) {
            const char *s = words_get(w, i, &n);
            if (!utf8_valid(s, n))
                return error_set(err, ERROR_PARSE,
                                 "column %s: word %zu of its dictionary is not UTF-8; write it as "
                                 "text in the tool it comes from",
                                 c->name, i + 1);
        }
        return true;
    }
    if (!c->rows || is_ascii(c->bytes + c->start[0], column_span(c->start[0], c->start[c->rows])))
        return true;
    for (size_t i = 0; i < c->rows; i++)
        if (column_has(c, i) &&
            !utf8_valid(c->bytes + c->start[i], column_span(c->start[i], c->start[i + 1])))
            return error_set(err, ERROR_PARSE,
                             "column %s: row %" PRIu64
                             " is not UTF-8; write it as text in the tool "
                             "it comes from",
                             c->name, first + i + 1);
    return true;
}
