/* csv.c -- the fields of a block of CSV, as places.
 *
 * libcsv defines what a field is. A row with a quote in it is parsed by libcsv; a row without one
 * is split along the index of csv_index.c, which gives the same answer: blanks around an unquoted
 * field do not belong to it, lines without a field are no rows, CR and LF both end a row. A
 * differential test holds the two together. */
#include "reader_int.h"

#include <assert.h>
#include <string.h>

void grid_bad(Grid *g, size_t at, size_t end, RowFault fault, size_t detail)
{
    vec_add(&g->bad, (BadRow){{(uint32_t)at, (uint32_t)(end - at)}, fault, (uint32_t)detail});
}

static inline bool is_blank(char c, char delimiter)
{
    return (c == ' ' || c == '\t') && c != delimiter;
}

static inline Span trimmed(const char *base, size_t at, size_t end, char delimiter)
{
    while (at < end && is_blank(base[at], delimiter))
        at++;
    while (end > at && is_blank(base[end - 1], delimiter))
        end--;
    return (Span){(uint32_t)at, (uint32_t)(end - at)};
}

Span grid_trimmed(const Grid *g, Span s)
{
    return trimmed(g->base, s.at, s.at + s.size, g->delimiter);
}

/* ---- rows along the index ---- */

Span *grid_odd_row(Grid *g)
{
    if (g->odd_room < (g->odds + 1) * g->columns) {
        g->odd_room = 2 * (g->odds + 1) * g->columns;
        g->odd = mem_resize(g->odd, g->odd_room * sizeof *g->odd);
    }
    return g->odd + g->odds * g->columns;
}

void grid_spread(Grid *g)
{
    for (size_t row = 0; row < g->rows; row++) {
        if (g->first[row] & ROW_ODD)
            continue;
        Span *to = grid_odd_row(g);
        for (size_t c = 0; c < g->columns; c++)
            to[c] = grid_span(g, c, row);
        g->first[row] = ROW_ODD | (uint32_t)g->odds++;
    }
}

/* Is the row at place k, whose next stop is s, plain and of the right width? Then it is in the
 * grid: the first place that is no delimiter is its line end. */
static inline bool plain_row(Grid *g, size_t at, size_t k, size_t s)
{
    const CsvIndex *x = &g->index;
    size_t last = k + g->columns - 1;
    if (s == x->stops || x->stop[s] != last)
        return false;
    size_t end = x->place[last];
    if (!csv_ends_row(g->base[end]) || end - at > ROW_MOST)
        return false;
    if (g->columns == 1 && !trimmed(g->base, at, end, g->delimiter).size)
        return false; /* a blank line */
    g->row[g->rows] = (Span){(uint32_t)at, (uint32_t)(end - at)};
    g->first[g->rows] = (uint32_t)k;
    g->rows++;
    return true;
}

/* How the row at place k really is: with a quote, blank, or of another width. */
typedef struct RowLook {
    bool quote, end;
    size_t fields, last;
} RowLook;
static RowLook look(const Grid *g, const CsvRules *rules, size_t k)
{
    RowLook r = {.fields = 1, .last = k};
    for (; r.last < g->index.places; r.last++) {
        char c = g->base[g->index.place[r.last]];
        if (csv_ends_row(c)) {
            r.end = true;
            break;
        }
        if (c == rules->quote) {
            r.quote = true;
            break;
        }
        r.fields++;
    }
    return r;
}

static void make_parser(Grid *g, const CsvRules *rules)
{
    if (!g->csv) {
        g->csv = mem_alloc(sizeof *g->csv);
        csv_init(g->csv, 0);
        csv_set_blk_size(g->csv, 4096);
    }
    csv_set_delim(g->csv, (unsigned char)rules->delimiter);
    csv_set_quote(g->csv, (unsigned char)rules->quote);
}

static void make_rows(Grid *g)
{
    /* each row ends at a stop of the index, but the last of a source without a line end; a row in
     * quotes has stops within; the row being tried needs room too */
    g->room = g->index.stops + 2;
    if (g->row_room < g->room) {
        mem_free(g->row);
        mem_free(g->first);
        g->row_room = g->room;
        g->row = mem_resize(NULL, g->row_room * sizeof *g->row);
        g->first = mem_resize(NULL, g->row_room * sizeof *g->first);
    }
}

void grid_pad(Grid *g)
{
    static const char nothing[PADDING];
    size_t count = g->side.count;
    text_add(&g->side, nothing, PADDING);
    g->side.count = count;
}

static void begin(Grid *g, const CsvRules *rules, const char *bytes)
{
    g->base = bytes;
    g->delimiter = rules->delimiter;
    g->columns = rules->columns;
    g->rows = 0;
    g->bad.count = 0;
    g->odds = 0;
    g->open = false;
    g->endless_from = g->endless_to = 0;
    text_reset(&g->side);
    grid_pad(g);
    g->side.count = PADDING; /* in front too */
    make_parser(g, rules);
}

typedef struct Walk {
    size_t at, k, s; /* the next byte, place, stop */
} Walk;

static void quoted_row(Grid *g, const CsvRules *rules, size_t size, bool final, Walk *w)
{
    const CsvIndex *x = &g->index;
    size_t behind = w->at;
    g->open = grid_quoted_row(g, rules, w->at, size, final, &behind) == ROW_OPEN;
    w->at = behind;
    while (w->k < x->places && x->place[w->k] < behind)
        w->k++;
}

/* Through libcsv, or bad, or blank; leaves the grid open where it is not whole. */
static void odd_row(Grid *g, const CsvRules *rules, size_t size, bool final, Walk *w)
{
    const CsvIndex *x = &g->index;
    RowLook r = look(g, rules, w->k);
    if (r.quote && grid_neat_row(g, rules, w->at, &w->k)) {
        w->at = x->place[w->k - 1] + 1;
    } else if (r.quote) {
        quoted_row(g, rules, size, final, w);
    } else if (!r.end) {
        g->open = true;
    } else {
        size_t end = x->place[r.last];
        if (r.fields > 1 || trimmed(g->base, w->at, end, rules->delimiter).size)
            grid_bad(g, w->at, end, end - w->at > ROW_MOST ? FAULT_LONG : FAULT_COUNT, r.fields);
        w->k = r.last + 1;
        w->at = end + 1;
    }
    while (w->s < x->stops && x->stop[w->s] < w->k)
        w->s++;
}

void grid_fill(Grid *g, const CsvRules *rules, const char *bytes, size_t from, size_t stop,
               size_t size, bool final)
{
    assert(stop <= size && size < SPAN_SIDE && rules->columns);
    begin(g, rules, bytes);
    /* rows that begin before stop may reach behind it only inside quotes, but a stop in the
     * middle of a line (the end of a window) has none of its own */
    CsvIndex *x = &g->index;
    csv_index(x, bytes, from, stop, rules->delimiter, rules->quote);
    if (final && stop == size) { /* bytes[size] is '\n' */
        x->stop[x->stops++] = (uint32_t)x->places;
        x->place[x->places++] = (uint32_t)size;
    }
    make_rows(g);
    Walk w = {.at = from};
    while (w.at < stop && !g->open) {
        if (plain_row(g, w.at, w.k, w.s)) {
            w.k += g->columns;
            w.at = x->place[w.k - 1] + 1;
            w.s++;
        } else {
            odd_row(g, rules, size, final, &w);
            if (g->open)
                break;
        }
        if (w.at < size && bytes[w.at] == '\n' && bytes[w.at - 1] == '\r') {
            bool indexed = w.k < x->places && x->place[w.k] == w.at;
            w.k += indexed;
            w.s += indexed;
            w.at++;
        }
    }
    g->end = w.at < size ? w.at : size;
    grid_pad(g);
}

uint64_t grid_lines(const Grid *g, size_t stop)
{
    const CsvIndex *x = &g->index;
    uint64_t lines = 0;
    for (size_t i = 0; i < x->stops && x->place[x->stop[i]] < g->end; i++) {
        const char *c = g->base + x->place[x->stop[i]];
        lines += *c == '\n' || (*c == '\r' && (c + 1 == g->base + g->end || c[1] != '\n'));
    }
    if (g->end <= stop)
        return lines;
    return lines + csv_lines(g->base + stop, g->end - stop); /* a quoted row went on */
}

void grid_drop(Grid *g, const uint32_t *bad, RowFault fault)
{
    size_t kept = 0;
    for (size_t r = 0; r < g->rows; r++) {
        if (bad[r]) {
            vec_add(&g->bad, (BadRow){g->row[r], fault, bad[r] - 1});
            continue;
        }
        if (kept != r) {
            g->row[kept] = g->row[r];
            g->first[kept] = g->first[r];
        }
        kept++;
    }
    g->rows = kept;
}

void grid_release(Grid *g)
{
    if (g->csv)
        csv_free(g->csv);
    mem_free(g->csv);
    csv_index_release(&g->index);
    mem_free(g->odd);
    mem_free(g->row);
    mem_free(g->first);
    text_release(&g->side);
    vec_release(&g->bad);
    *g = (Grid){0};
}
