/* csv_quoted.c -- a row with a quote in it, through libcsv, which defines what its fields are, unless
 * the quotes stand neatly around whole fields.
 *
 * A quote that never ends would swallow the rest of the file; here it costs its own line: the row is
 * rejected and reading goes on with the next line. */
#include "reader_int.h"

enum { FIELD_BEGUN = 2 }; /* libcsv's state inside a field */

typedef struct RowParse {
    Grid *grid;
    size_t fields, ended, side_before;
} RowParse;

static void on_field(void *bytes, size_t size, void *context)
{
    RowParse *p = context;
    Grid *g = p->grid;
    if (p->fields < g->columns) {
        Span *s = grid_odd_row(g) + p->fields;
        *s = (Span){(uint32_t)g->side.count | SPAN_SIDE, (uint32_t)size};
        text_add(&g->side, bytes, size);
    }
    p->fields++;
}

static void on_row(int end, void *context)
{
    (void)end;
    RowParse *p = context;
    p->ended = 1;
}

static void ignore_field(void *bytes, size_t size, void *context)
{
    (void)bytes, (void)size, (void)context;
}

static void ignore_row(int end, void *context)
{
    (void)end, (void)context;
}

static size_t next_line_end(const char *bytes, size_t at, size_t size)
{
    while (at < size && !csv_ends_row(bytes[at]))
        at++;
    return at;
}

static size_t behind_line_end(const char *bytes, size_t at, size_t size)
{
    if (at < size && bytes[at] == '\r')
        at++;
    else if (at < size && bytes[at] == '\n')
        return at + 1;
    return at < size && bytes[at] == '\n' ? at + 1 : at;
}

/* libcsv over the row at `at`, line by line, until it ends, is too long, or the bytes end.
 *
 * A row that never ends is inside quotes at each line it passes. Another row that begins there and
 * passes a line end is inside quotes too, so from then on the two cannot be told apart: what the
 * first has seen need not be seen again. Else a file of open quotes would take time squared. */
static size_t follow_quotes(Grid *g, size_t at, size_t size, bool skip, RowParse *p, bool *skipped,
                            bool *endless)
{
    size_t done = at;
    *skipped = *endless = false;
    while (done < size && !*endless) {
        size_t line = next_line_end(g->base, done, size);
        size_t upto = line < size ? line + 1 : size;
        csv_parse(g->csv, g->base + done, upto - done, on_field, on_row, p);
        done = upto;
        if (p->ended)
            break;
        if (skip && !*skipped && at > g->endless_from && done < g->endless_to) {
            done = g->endless_to;
            *skipped = true;
        }
        *endless = done - at > ROW_MOST;
    }
    return done;
}

static size_t parse_quoted(Grid *g, size_t at, size_t size, bool final, RowParse *p, bool *endless)
{
    bool skipped;
    size_t done = follow_quotes(g, at, size, true, p, &skipped, endless);
    if (p->ended && skipped) { /* it does end: now with all its fields */
        g->side.count = p->side_before;
        *p = (RowParse){.grid = g, .side_before = p->side_before};
        done = follow_quotes(g, at, size, false, p, &skipped, endless);
    }
    if (!p->ended && !*endless && final) {
        *endless = g->csv->quoted && g->csv->pstate == FIELD_BEGUN;
        if (!*endless)
            csv_fini(g->csv, on_field, on_row, p);
    }
    if (!p->ended)
        csv_fini(g->csv, ignore_field, ignore_row, NULL);
    if (*endless) {
        g->endless_from = at;
        g->endless_to = done;
    }
    return done;
}

/* The end of the field that begins at `at`, as a place of the index from k on; SIZE_MAX: a quote
 * stands within, doubled or amiss, or the line ends inside quotes. */
static size_t neat_field(const Grid *g, char quote, size_t at, size_t k, Span *out)
{
    const CsvIndex *x = &g->index;
    if (k == x->places)
        return SIZE_MAX;
    if (x->place[k] != at || g->base[at] != quote) {
        *out = grid_trimmed(g, (Span){(uint32_t)at, x->place[k] - (uint32_t)at});
        return g->base[x->place[k]] == quote ? SIZE_MAX : k;
    }
    for (k++; k < x->places && g->base[x->place[k]] == g->delimiter; k++) {
    }
    if (k + 1 >= x->places || g->base[x->place[k]] != quote)
        return SIZE_MAX;
    size_t close = x->place[k++];
    *out = (Span){(uint32_t)at + 1, (uint32_t)(close - at - 1)};
    return x->place[k] != close + 1 || g->base[close + 1] == quote ? SIZE_MAX : k;
}

bool grid_neat_row(Grid *g, const CsvRules *rules, size_t at, size_t *k)
{
    const CsvIndex *x = &g->index;
    Span *to = grid_odd_row(g);
    size_t begin = at, place = *k;
    for (size_t c = 0; c < rules->columns; c++) {
        place = neat_field(g, rules->quote, begin, place, &to[c]);
        if (place == SIZE_MAX ||
            csv_ends_row(g->base[x->place[place]]) != (c + 1 == rules->columns))
            return false;
        begin = x->place[place++] + 1;
    }
    if (rules->columns == 1 || begin - 1 - at > ROW_MOST)
        return false;
    g->row[g->rows] = (Span){(uint32_t)at, (uint32_t)(begin - 1 - at)};
    g->first[g->rows++] = ROW_ODD | (uint32_t)g->odds++;
    *k = place;
    return true;
}

RowEnd grid_quoted_row(Grid *g, const CsvRules *rules, size_t at, size_t size, bool final,
                       size_t *behind)
{
    RowParse p = {.grid = g, .side_before = g->side.count};
    bool endless;
    size_t done = parse_quoted(g, at, size, final, &p, &endless);
    size_t end = done - (p.ended && csv_ends_row(g->base[done - 1]));
    bool fits = end - at <= ROW_MOST;
    if (p.ended && p.fields == rules->columns && fits) {
        g->row[g->rows] = (Span){(uint32_t)at, (uint32_t)(end - at)};
        g->first[g->rows++] = ROW_ODD | (uint32_t)g->odds++;
        *behind = behind_line_end(g->base, end, size);
        return ROW_TAKEN;
    }
    g->side.count = p.side_before;
    if (!p.ended && !endless && !final)
        return ROW_OPEN;
    if (!p.ended) /* only its own line is given up */
        end = next_line_end(g->base, at, size);
    *behind = behind_line_end(g->base, end, size);
    grid_bad(g, at, end, !p.ended ? FAULT_QUOTE : fits ? FAULT_COUNT : FAULT_LONG, p.fields);
    return ROW_BAD;
}
