/* column_read.c -- the fields of one column of a grid as an Arrow column in arena memory.
 *
 * One loop a kind. A field that is neither a value nor a null word is a misfit: it becomes missing
 * here, and the caller decides (widen the column, reject the row). Text: column_read_text.c. */
#include "reader_int.h"

#include "stamp.h"

#include <math.h>
#include <string.h>

/* What one column's loop carries. */
typedef struct Reading {
    const Plan *plan;
    const ColumnPlan *column;
    const Grid *grid;
    Cells cells;
    Arena *arena;
    Misfit *misfit;
    uint32_t **bad;
    uint32_t number; /* of the column, from 1 */
    uint8_t *valid;  /* NULL until a value is missing */
} Reading;

void column_miss(uint8_t **valid, Arena *a, size_t rows, size_t row)
{
    if (!*valid) {
        size_t bytes = (rows + 7) / 8;
        *valid = arena_alloc(a, bytes);
        memset(*valid, 0xff, bytes);
        if (rows & 7) /* no bits behind the last row */
            (*valid)[bytes - 1] = (uint8_t)((1 << (rows & 7)) - 1);
    }
    (*valid)[row >> 3] &= (uint8_t) ~(1 << (row & 7));
}

/* Not a value of its column: missing, or a misfit. */
static void no_value(Reading *r, size_t row)
{
    Span span = cells_span(&r->cells, row);
    const char *s = grid_text(r->grid, span);
    size_t n = span.size;
    column_miss(&r->valid, r->arena, r->grid->rows, row);
    if (nullwords_has(r->plan->null, s, n))
        return;
    Misfit *m = r->misfit;
    unsigned kinds = r->column->fixed ? 0 : value_kinds(s, n, r->plan->decimal);
    if (!m->count) {
        m->at = r->grid->row[row].at;
        m->kinds = kinds;
    }
    m->kinds &= kinds;
    m->count++;
    if (!r->plan->widen || r->column->fixed) {
        if (!*r->bad)
            *r->bad = ARENA_NEW(r->arena, uint32_t, r->grid->rows);
        if (!(*r->bad)[row])
            (*r->bad)[row] = r->number;
    }
}

static const uint8_t *read_bools(Reading *r)
{
    uint8_t *bits = arena_alloc(r->arena, (r->grid->rows + 7) / 8);
    for (size_t row = 0; row < r->grid->rows; row++) {
        Span s = cells_span(&r->cells, row);
        bool value = false;
        if (!value_bool(grid_text(r->grid, s), s.size, r->column->fixed, &value))
            no_value(r, row);
        bits[row >> 3] |= (uint8_t)(value << (row & 7));
    }
    return bits;
}

/* In the loops below the usual form is read where it stands; what is not of that form may have
 * blanks around it and is looked at again without them. */

static bool odd_int(const Reading *r, size_t row, int64_t *out)
{
    Span s = cells_span(&r->cells, row);
    return value_int(grid_text(r->grid, s), s.size, r->column->fixed, out);
}

static const int64_t *read_ints(Reading *r)
{
    int64_t *out = ARENA_NEW(r->arena, int64_t, r->grid->rows);
    bool lenient = r->column->fixed;
    Cells cells = r->cells;
    for (size_t row = 0; row < cells.grid->rows; row++) {
        size_t n;
        const char *s = cells_raw(&cells, row, &n);
        if (!digits_int(s, n, lenient, &out[row]) && !odd_int(r, row, &out[row]))
            no_value(r, row);
    }
    return out;
}

static bool odd_real(const Reading *r, size_t row, double *out)
{
    Span s = cells_span(&r->cells, row);
    const char *text = grid_text(r->grid, s);
    char point = r->plan->decimal;
    bool amounts = r->column->as == READ_AMOUNT;
    if (!value_real(text, s.size, point, r->column->fixed && !amounts, out) &&
        !(amounts && value_amount(text, s.size, point, out)))
        return false;
    return !isnan(*out) || !nullwords_has(r->plan->null, text, s.size);
}

static const double *read_reals(Reading *r)
{
    double *out = ARENA_NEW(r->arena, double, r->grid->rows);
    char point = r->plan->decimal;
    bool lenient = r->column->fixed && r->column->as != READ_AMOUNT;
    DigitsForm form = {0};
    Cells cells = r->cells;
    for (size_t row = 0; row < cells.grid->rows; row++) {
        size_t n;
        const char *s = cells_raw(&cells, row, &n);
        if (!digits_real_like(&form, s, n, point, lenient, &out[row]) &&
            !odd_real(r, row, &out[row]))
            no_value(r, row);
    }
    return out;
}

static DateOrder order_of(ReadAs as)
{
    return (DateOrder)(as >= READ_TIME_YMD ? as - READ_TIME_YMD : as - READ_DATE_YMD);
}

static const int32_t *read_dates(Reading *r)
{
    int32_t *out = ARENA_NEW(r->arena, int32_t, r->grid->rows);
    DateOrder order = order_of(r->column->as);
    for (size_t row = 0; row < r->grid->rows; row++) {
        Span s = cells_span(&r->cells, row);
        int64_t micros;
        bool clock;
        if (value_stamp(grid_text(r->grid, s), s.size, order, &micros, &clock) && !clock)
            out[row] = (int32_t)(micros / 86400000000);
        else
            no_value(r, row);
    }
    return out;
}

static bool odd_time(const Reading *r, size_t row, DateOrder order, int64_t *out)
{
    Span s = cells_span(&r->cells, row);
    bool clock;
    return value_stamp(grid_text(r->grid, s), s.size, order, out, &clock);
}

static const int64_t *read_times(Reading *r)
{
    int64_t *out = ARENA_NEW(r->arena, int64_t, r->grid->rows);
    DateOrder order = order_of(r->column->as);
    bool usual = order == ORDER_YMD;
    Cells cells = r->cells;
    for (size_t row = 0; row < cells.grid->rows; row++) {
        size_t n;
        const char *s = cells_raw(&cells, row, &n);
        if (!(usual && stamp_usual(s, n, &out[row])) && !odd_time(r, row, order, &out[row]))
            no_value(r, row);
    }
    return out;
}

/* A column that never had a value: text without any. */
static void read_none(Reading *r, Column *out)
{
    for (size_t row = 0; row < r->grid->rows; row++)
        no_value(r, row);
    out->start = ARENA_NEW(r->arena, int32_t, r->grid->rows + 1);
    out->bytes = "";
}

static void all_missing(const Grid *g, Arena *a, Column *out)
{
    out->valid = arena_alloc(a, (g->rows + 7) / 8);
    out->integer = ARENA_NEW(a, int64_t, g->rows + 1); /* as wide as any */
    out->bytes = out->type == COLUMN_TEXT ? "" : NULL;
}

void column_read(const Plan *p, size_t column, const Grid *g, Arena *a, Misfit *m, uint32_t **bad,
                 Column *out)
{
    const ColumnPlan *c = &p->column[column];
    *out = (Column){.name = c->name, .type = read_type(c->as), .rows = g->rows};
    if (c->from == SIZE_MAX) {
        all_missing(g, a, out);
        return;
    }
    if (c->as == READ_TEXT) {
        column_read_text(p, column, g, a, out);
        return;
    }
    Reading r = {.plan = p,
                 .column = c,
                 .grid = g,
                 .cells = grid_cells(g, c->from),
                 .arena = a,
                 .misfit = m,
                 .bad = bad,
                 .number = (uint32_t)column + 1};
    switch (out->type) {
    case COLUMN_BOOL:
        out->bit = read_bools(&r);
        break;
    case COLUMN_INT:
        out->integer = read_ints(&r);
        break;
    case COLUMN_REAL:
        out->real = read_reals(&r);
        break;
    case COLUMN_DATE:
        out->day = read_dates(&r);
        break;
    case COLUMN_TIME:
        out->integer = read_times(&r);
        break;
    default:
        read_none(&r, out);
        break;
    }
    out->valid = r.valid;
}
