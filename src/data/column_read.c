/* column_read.c -- the fields of a grid as Arrow columns in arena memory.
 *
 * One loop a kind, eight rows at a time where that is possible (eights.h). The columns take turns over
 * TILE rows, whose text stays in the nearest cache. A field that is neither a value nor a null word is
 * a misfit: it becomes missing here, and the caller decides (widen the column, reject the row). Text:
 * column_read_text.c. */
#include "reader_int.h"

#include "eights.h"
#include "stamp.h"

#include <math.h>
#include <string.h>

#define TILE 128

/* What one column's loop carries. */
typedef struct Reading Reading;
struct Reading {
    void (*read)(Reading *r, size_t from, size_t to);
    void *out;
    DigitsForm form;
    const Plan *plan;
    const ColumnPlan *column;
    const Grid *grid;
    Cells cells;
    Arena *arena;
    Misfit *misfit;
    uint32_t **bad;
    uint32_t number; /* of the column, from 1 */
    uint32_t gone_size;
    uint64_t gone;  /* the last null word that is no value, of up to eight bytes */
    uint8_t *valid; /* NULL until a value is missing */
};

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

static inline uint64_t short_word(const char *s, size_t n) /* 1 to 8 bytes */
{
    return digits_load(s) << (64 - 8 * n);
}

/* Missing: what stands there then. */
static inline int gone(Reading *r, size_t row)
{
    column_miss(&r->valid, r->arena, r->grid->rows, row);
    return 0;
}

/* Not a value of its column: missing, or a misfit. What stands there then. */
static int no_value(Reading *r, size_t row)
{
    Span span = cells_span(&r->cells, row);
    const char *s = grid_text(r->grid, span);
    size_t n = span.size;
    gone(r, row);
    if (nullwords_has(r->plan->null, s, n)) {
        if (n && n <= 8) {
            r->gone = short_word(s, n);
            r->gone_size = span.size;
        }
        return 0;
    }
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
    return 0;
}

static void read_bools(Reading *r, size_t from, size_t to)
{
    uint8_t *bits = r->out;
    for (size_t row = from; row < to; row++) {
        Span s = cells_span(&r->cells, row);
        bool value = false;
        if (!value_bool(grid_text(r->grid, s), s.size, r->column->fixed, &value))
            no_value(r, row);
        bits[row >> 3] |= (uint8_t)(value << (row & 7));
    }
}

/* Is it missing for sure, as an empty field and the null word of an earlier row are? */
static inline bool is_gone(const Reading *r, const char *s, size_t n)
{
    return !n || (n == r->gone_size && short_word(s, n) == r->gone);
}

/* In the loops below the usual form is read where it stands; what is not of that form may have
 * blanks around it and is looked at again without them. */

static bool odd_int(const Reading *r, size_t row, int64_t *out)
{
    Span s = cells_span(&r->cells, row);
    return value_int(grid_text(r->grid, s), s.size, r->column->fixed, out);
}

static inline void read_int(Reading *r, const Cells *cells, size_t row, bool lenient, int64_t *out)
{
    size_t n;
    const char *s = cells_raw(cells, row, &n);
    if (digits_int(s, n, lenient, &out[row]))
        return;
    if (is_gone(r, s, n))
        out[row] = gone(r, row);
    else if (!odd_int(r, row, &out[row]))
        out[row] = no_value(r, row);
}

/* The rows that eight of them at once left alone, in order. */
#define EACH_LEFT(left, i)                                                                         \
    for (uint32_t left_ = (left), i; left_ && (i = (uint32_t)__builtin_ctz(left_), true);          \
         left_ &= left_ - 1)

static void read_ints(Reading *r, size_t from, size_t to)
{
    int64_t *out = r->out;
    bool lenient = r->column->fixed;
    Cells cells = r->cells;
    size_t row = from;
    for (; EIGHTS && row + 8 <= to; row += 8)
        EACH_LEFT(eight_ints(&cells, row, lenient, out), i)
    read_int(r, &cells, row + i, lenient, out);
    for (; row < to; row++)
        read_int(r, &cells, row, lenient, out);
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

static inline void read_real(Reading *r, const Cells *cells, size_t row, DigitsForm *form,
                             bool lenient, double *out)
{
    size_t n;
    const char *s = cells_raw(cells, row, &n);
    if (digits_real_like(form, s, n, r->plan->decimal, lenient, &out[row]))
        return;
    if (is_gone(r, s, n))
        out[row] = gone(r, row);
    else if (!odd_real(r, row, &out[row]))
        out[row] = no_value(r, row);
}

static void read_reals(Reading *r, size_t from, size_t to)
{
    double *out = r->out;
    char point = r->plan->decimal;
    bool lenient = r->column->fixed && r->column->as != READ_AMOUNT;
    DigitsForm form = r->form;
    Cells cells = r->cells;
    size_t row = from;
    for (; EIGHTS && row + 8 <= to; row += 8)
        EACH_LEFT(eight_reals(&cells, row, point, lenient, out), i)
    read_real(r, &cells, row + i, &form, lenient, out);
    for (; row < to; row++)
        read_real(r, &cells, row, &form, lenient, out);
    r->form = form;
}

static DateOrder order_of(ReadAs as)
{
    return (DateOrder)(as >= READ_TIME_YMD ? as - READ_TIME_YMD : as - READ_DATE_YMD);
}

static void read_dates(Reading *r, size_t from, size_t to)
{
    int32_t *out = r->out;
    DateOrder order = order_of(r->column->as);
    for (size_t row = from; row < to; row++) {
        Span s = cells_span(&r->cells, row);
        int64_t micros;
        bool clock;
        if (value_stamp(grid_text(r->grid, s), s.size, order, &micros, &clock) && !clock)
            out[row] = (int32_t)(micros / 86400000000);
        else
            out[row] = no_value(r, row);
    }
}

static bool odd_time(const Reading *r, size_t row, DateOrder order, int64_t *out)
{
    Span s = cells_span(&r->cells, row);
    bool clock;
    return value_stamp(grid_text(r->grid, s), s.size, order, out, &clock);
}

static inline void read_time(Reading *r, const Cells *cells, size_t row, DateOrder order,
                             int64_t *out)
{
    size_t n;
    const char *s = cells_raw(cells, row, &n);
    if (order == ORDER_YMD && stamp_usual(s, n, &out[row]))
        return;
    if (is_gone(r, s, n))
        out[row] = gone(r, row);
    else if (!odd_time(r, row, order, &out[row]))
        out[row] = no_value(r, row);
}

static void read_times(Reading *r, size_t from, size_t to)
{
    int64_t *out = r->out;
    DateOrder order = order_of(r->column->as);
    Cells cells = r->cells;
    size_t row = from;
    for (; EIGHTS && order == ORDER_YMD && row + 8 <= to; row += 8)
        EACH_LEFT(eight_times(&cells, row, out), i)
    read_time(r, &cells, row + i, order, out);
    for (; row < to; row++)
        read_time(r, &cells, row, order, out);
}

/* A column that never had a value: text without any. */
static void read_none(Reading *r, size_t from, size_t to)
{
    for (size_t row = from; row < to; row++)
        no_value(r, row);
}

static void all_missing(const Grid *g, Arena *a, Column *out)
{
    out->valid = arena_alloc(a, (g->rows + 7) / 8);
    out->integer = ARENA_NEW(a, int64_t, g->rows + 1); /* as wide as any */
    out->bytes = out->type == COLUMN_TEXT ? "" : NULL;
}

/* What is written row by row is not zeroed first. */
static void begin(Reading *r, Column *out)
{
    size_t rows = r->grid->rows;
    switch (out->type) {
    case COLUMN_BOOL:
        r->read = read_bools;
        out->bit = r->out = arena_alloc(r->arena, (rows + 7) / 8);
        break;
    case COLUMN_INT:
        r->read = read_ints;
        out->integer = r->out = arena_raw(r->arena, rows * sizeof *out->integer);
        break;
    case COLUMN_REAL:
        r->read = read_reals;
        out->real = r->out = arena_raw(r->arena, rows * sizeof *out->real);
        break;
    case COLUMN_DATE:
        r->read = read_dates;
        out->day = r->out = arena_raw(r->arena, rows * sizeof *out->day);
        break;
    case COLUMN_TIME:
        r->read = read_times;
        out->integer = r->out = arena_raw(r->arena, rows * sizeof *out->integer);
        break;
    default:
        r->read = read_none;
        out->start = r->out = ARENA_NEW(r->arena, int32_t, rows + 1);
        out->bytes = "";
        break;
    }
}

void columns_read(const Plan *p, const Grid *g, Arena *a, Misfit *m, uint32_t **bad, Column *out)
{
    Reading *reading = ARENA_NEW(a, Reading, p->columns);
    for (size_t i = 0; i < p->columns; i++) {
        const ColumnPlan *c = &p->column[i];
        out[i] = (Column){.name = c->name, .type = read_type(c->as), .rows = g->rows};
        reading[i] = (Reading){.plan = p,
                               .column = c,
                               .grid = g,
                               .arena = a,
                               .misfit = &m[i],
                               .bad = bad,
                               .number = (uint32_t)i + 1};
        if (c->from == SIZE_MAX) {
            all_missing(g, a, &out[i]);
        } else if (c->as == READ_TEXT) {
            column_read_text(p, i, g, a, &out[i]);
        } else {
            reading[i].cells = grid_cells(g, c->from);
            begin(&reading[i], &out[i]);
        }
    }
    for (size_t from = 0; from < g->rows; from += TILE)
        for (size_t i = 0; i < p->columns; i++)
            if (reading[i].read)
                reading[i].read(&reading[i], from, g->rows - from < TILE ? g->rows : from + TILE);
    for (size_t i = 0; i < p->columns; i++)
        if (reading[i].read)
            out[i].valid = reading[i].valid;
}
