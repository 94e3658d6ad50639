/* block.c -- one block of the source as a chunk: split, checked, read column by column.
 *
 * Bad rows leave the grid before columns are built, so the columns have no holes. A value that
 * does not fit a column that was asked for is only found while building: then the rows are dropped
 * and the columns built again, which is rare. */
#include "reader_int.h"

#include <string.h>

/* ---- encoding ---- */

/* Windows-1252 in 0x80..0x9f, as the web reads Latin-1. */
static const uint16_t upper[32] = {0x20ac, 0x81,   0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
                                   0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8d,   0x017d, 0x8f,
                                   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                   0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d,   0x017e, 0x0178};

void latin1_add(Text *into, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned c = (uint8_t)s[i];
        if (c < 0x80) {
            text_putc(into, s[i]);
            continue;
        }
        unsigned code = c < 0xa0 ? upper[c - 0x80] : c;
        if (code >= 0x800)
            text_putc(into, (char)(0xe0 | code >> 12));
        text_putc(into, (char)(code >= 0x800 ? 0x80 | (code >> 6 & 63) : 0xc0 | code >> 6));
        text_putc(into, (char)(0x80 | (code & 63)));
    }
}

static bool is_ascii(const char *s, size_t n)
{
    unsigned char all = 0;
    for (size_t i = 0; i < n; i++)
        all |= (unsigned char)s[i];
    return all < 0x80;
}

/* Latin-1 fields move to the side text as UTF-8. */
static void to_utf8(Grid *g, const Plan *p)
{
    Text made = {0}; /* the side text may not move while it is read */
    grid_spread(g);
    for (size_t c = 0; c < p->columns; c++) {
        if (p->column[c].from == SIZE_MAX)
            continue;
        for (size_t row = 0; row < g->rows; row++) {
            Span *span = grid_odd(g, p->column[c].from, row);
            const char *s = grid_text(g, *span);
            size_t n = span->size;
            if (is_ascii(s, n))
                continue;
            text_reset(&made);
            latin1_add(&made, s, n);
            *span = (Span){(uint32_t)g->side.count | SPAN_SIDE, (uint32_t)made.count};
            text_add(&g->side, made.at, made.count);
        }
    }
    text_release(&made);
    grid_pad(g);
}

static void drop_rows(Grid *g, Arena *a, RowFault fault, bool (*is_bad)(const char *, size_t))
{
    uint32_t *bad = NULL;
    for (size_t row = 0; row < g->rows; row++)
        if (is_bad(g->base + g->row[row].at, g->row[row].size)) {
            if (!bad)
                bad = ARENA_NEW(a, uint32_t, g->rows);
            bad[row] = 1;
        }
    if (bad)
        grid_drop(g, bad, fault);
}

static bool not_utf8(const char *s, size_t n)
{
    return !utf8_valid(s, n);
}

static bool has_nul(const char *s, size_t n)
{
    return memchr(s, 0, n) != NULL;
}

static void check_bytes(Grid *g, const Plan *p, Arena *a, size_t from)
{
    const char *bytes = g->base + from;
    size_t n = g->end - from;
    if (memchr(bytes, 0, n))
        drop_rows(g, a, FAULT_NUL, has_nul);
    /* a quoted row may reach behind the indexed part */
    bool ascii = g->index.ascii &&
                 (!g->rows || is_ascii(g->base + g->row[g->rows - 1].at, g->row[g->rows - 1].size));
    if (ascii)
        return;
    if (p->latin1)
        to_utf8(g, p);
    else if (!utf8_valid(bytes, n))
        drop_rows(g, a, FAULT_ENCODING, not_utf8);
}

/* ---- columns ---- */

static uint32_t *read_columns(Block *b, const Plan *p)
{
    uint32_t *bad = NULL;
    Column *column = ARENA_NEW(&b->arena, Column, p->columns);
    bool misfits = false;
    b->misfit = ARENA_NEW(&b->arena, Misfit, p->columns);
    columns_read(p, &b->grid, &b->arena, b->misfit, &bad, column);
    for (size_t c = 0; c < p->columns; c++)
        misfits |= b->misfit[c].count != 0;
    if (!misfits)
        b->misfit = NULL;
    b->chunk = (Chunk){.rows = b->grid.rows, .columns = plan_shown(p), .column = column};
    return bad;
}

static int by_place(const void *a, const void *b)
{
    const BadRow *x = a, *y = b;
    return (x->row.at > y->row.at) - (x->row.at < y->row.at);
}

void block_parse(Block *b, const Plan *p, const char *bytes, size_t from, size_t stop, size_t size,
                 bool final)
{
    Grid *g = &b->grid;
    arena_reset(&b->arena);
    grid_fill(g, &p->rules, bytes, from, stop, size, final);
    b->lines = grid_lines(g, stop);
    check_bytes(g, p, &b->arena, from);
    uint32_t *bad = read_columns(b, p);
    if (bad) {
        Misfit *kept = b->misfit;
        grid_drop(g, bad, FAULT_VALUE);
        read_columns(b, p);
        b->misfit = p->widen ? kept : NULL;
    }
    if (g->bad.count > 1)
        qsort(g->bad.at, g->bad.count, sizeof *g->bad.at, by_place);
}

static void add_value(Text *into, const char *s, size_t n)
{
    size_t shown = n > 40 ? utf8_fit(s, n, 40) : n;
    text_putc(into, '\'');
    text_add(into, s, shown);
    text_puts(into, shown < n ? "...'" : "'");
}

void block_reason(const BadRow *bad, const Plan *p, const char *row, Text *into)
{
#define AS_TEXT(name, text) text,
    static const char *const texts[] = {ROW_FAULTS(AS_TEXT)};
#undef AS_TEXT
    if (bad->fault == FAULT_COUNT) {
        text_printf(into, "%u field%s instead of %zu", bad->detail, bad->detail == 1 ? "" : "s",
                    p->rules.columns);
    } else if (bad->fault == FAULT_VALUE) {
        const ColumnPlan *c = &p->column[bad->detail];
        Arena scratch = {0};
        const char **field;
        size_t fields;
        sniff_row(&p->rules, row, 0, bad->row.size, &scratch, &field, &fields);
        text_printf(into, "%s: ", c->name);
        if (c->from < fields)
            add_value(into, field[c->from], strlen(field[c->from]));
        text_printf(into, " is no %s", column_type_name(read_type(c->as)));
        arena_release(&scratch);
    } else {
        text_puts(into, texts[bad->fault]);
    }
}

void block_release(Block *b)
{
    grid_release(&b->grid);
    arena_release(&b->arena);
    mem_free(b->buffer);
    *b = (Block){0};
}
