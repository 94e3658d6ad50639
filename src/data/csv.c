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

/* Is the row at place k of the index plain and of the right width? Then it is in the grid. */
static inline bool plain_row(Grid *g, const CsvRules *rules, size_t at, size_t k)
{
    size_t last = rules->columns - 1;
    if (k + last >= g->index_count)
        return false;
    const char *base = g->base;
    const uint32_t *index = g->index + k;
    char delimiter = rules->delimiter;
    char wrong = 0;
    Span *into = g->span + g->rows;
    size_t begin = at;
    for (size_t c = 0; c < last; c++, into += g->room) {
        size_t end = index[c];
        wrong |= (char)(base[end] ^ delimiter);
        Span s = {(uint32_t)begin, (uint32_t)(end - begin)};
        if (s.size && (base[begin] <= ' ' || base[end - 1] <= ' '))
            s = trimmed(base, begin, end, delimiter);
        *into = s;
        begin = end + 1;
    }
    size_t end = index[last];
    if (wrong || !csv_ends_row(base[end]) || end - at > ROW_MOST)
        return false;
    *into = trimmed(base, begin, end, delimiter);
    if (!last && !into->size)
        return false; /* a blank line */
    g->row[g->rows++] = (Span){(uint32_t)at, (uint32_t)(end - at)};
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
    for (; r.last < g->index_count; r.last++) {
        char c = g->base[g->index[r.last]];
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

static void make_room(Grid *g, const CsvRules *rules, size_t bytes)
{
    if (!g->csv) {
        g->csv = mem_alloc(sizeof *g->csv);
        csv_init(g->csv, 0);
        csv_set_blk_size(g->csv, 4096);
    }
    csv_set_delim(g->csv, (unsigned char)rules->delimiter);
    csv_set_quote(g->csv, (unsigned char)rules->quote);
    if (g->index_room < bytes + 72) {
        mem_free(g->index);
        g->index_room = bytes + 72;
        g->index = mem_resize(NULL, g->index_room * sizeof *g->index);
    }
}

static void make_spans(Grid *g, const CsvRules *rules)
{
    /* each field of a row ends at a place of the index, but the last of a source without a line
     * end; the row being tried needs room too */
    g->columns = rules->columns;
    g->room = g->index_count / rules->columns + 2;
    if (g->span_room < g->room * g->columns) {
        mem_free(g->span);
        g->span_room = g->room * g->columns;
        g->span = mem_resize(NULL, g->span_room * sizeof *g->span);
    }
    if (g->row_room < g->room) {
        mem_free(g->row);
        g->row_room = g->room;
        g->row = mem_resize(NULL, g->row_room * sizeof *g->row);
    }
}

void grid_pad(Grid *g)
{
    static const char nothing[PADDING];
    size_t count = g->side.count;
    text_add(&g->side, nothing, PADDING);
    g->side.count = count;
}

void grid_fill(Grid *g, const CsvRules *rules, const char *bytes, size_t from, size_t stop,
               size_t size, bool final)
{
    assert(stop <= size && size < SPAN_SIDE && rules->columns);
    g->base = bytes;
    g->rows = 0;
    g->bad.count = 0;
    g->open = false;
    g->endless_from = g->endless_to = 0;
    text_reset(&g->side);
    grid_pad(g);
    g->side.count = PADDING; /* in front too */
    make_room(g, rules, stop - from);
    /* rows that begin before stop may reach behind it only inside quotes, but a stop in the
     * middle of a line (the end of a window) has none of its own */
    g->index_count =
        csv_index(bytes, from, stop, rules->delimiter, rules->quote, g->index, &g->ascii);
    if (final && stop == size)
        g->index[g->index_count++] = (uint32_t)size; /* bytes[size] is '\n' */
    make_spans(g, rules);

    size_t at = from, k = 0;
    while (at < stop) {
        if (plain_row(g, rules, at, k)) {
            k += rules->columns;
            at = g->index[k - 1] + 1;
        } else {
            RowLook r = look(g, rules, k);
            if (r.quote) {
                size_t behind = at;
                if (grid_quoted_row(g, rules, at, size, final, &behind) == ROW_OPEN) {
                    g->open = true;
                    break;
                }
                at = behind;
                while (k < g->index_count && g->index[k] < at)
                    k++;
                continue;
            }
            if (!r.end) {
                g->open = true;
                break;
            }
            size_t end = g->index[r.last];
            if (r.fields > 1 || trimmed(bytes, at, end, rules->delimiter).size)
                grid_bad(g, at, end, end - at > ROW_MOST ? FAULT_LONG : FAULT_COUNT, r.fields);
            k = r.last + 1;
            at = end + 1;
        }
        if (bytes[at - 1] == '\r' && at < size && bytes[at] == '\n') {
            k += k < g->index_count && g->index[k] == at;
            at++;
        }
    }
    g->end = at < size ? at : size;
    grid_pad(g);
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
            for (size_t c = 0; c < g->columns; c++)
                g->span[c * g->room + kept] = g->span[c * g->room + r];
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
    mem_free(g->index);
    mem_free(g->span);
    mem_free(g->row);
    text_release(&g->side);
    vec_release(&g->bad);
    *g = (Grid){0};
}
