/* csv.c -- fuzz target: the splitter against libcsv, which defines what a field is. The first two
 * bytes choose delimiter and width. */
#include "data/reader_int.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

typedef struct Compare {
    const Grid *grid;
    size_t field, row, bad; /* fields of this row; rows and bad rows seen */
    bool differs;           /* this row, from the grid's */
} Compare;

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void on_field(void *text, size_t size, void *context)
{
    Compare *c = context;
    const Grid *g = c->grid;
    if (c->field < g->columns && c->row < g->rows) {
        Span s = grid_span(g, c->field, c->row);
        c->differs |= s.size != size || (size && memcmp(grid_text(g, s), text, size));
    }
    c->field++;
}

static void on_row(int end, void *context)
{
    (void)end;
    Compare *c = context;
    if (c->field == c->grid->columns) {
        must(!c->differs && c->row < c->grid->rows);
        c->row++;
    } else {
        must(c->bad < c->grid->bad.count && c->grid->bad.at[c->bad].detail == c->field);
        c->bad++;
    }
    c->field = 0;
    c->differs = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char delimiters[] = ",;\t|";
    if (size < 3)
        return 0;
    CsvRules rules = {delimiters[bytes[0] & 3], '"', 1 + bytes[1] % 5};
    size_t n = size - 2;
    char *memory = mem_alloc(n + 2 * PADDING), *text = memory + PADDING;
    memcpy(text, bytes + 2, n);
    memset(text + n, '\n', PADDING);
    Grid g = {0};
    grid_fill(&g, &rules, text, 0, n, n, true);
    Compare c = {.grid = &g};
    struct csv_parser csv;
    csv_init(&csv, 0);
    csv_set_delim(&csv, (unsigned char)rules.delimiter);
    csv_parse(&csv, text, n, on_field, on_row, &c);
    if (csv.quoted && csv.pstate == 2) { /* ends inside quotes: the grid gives up one line only */
        must(c.bad < g.bad.count && g.bad.at[c.bad].fault == FAULT_QUOTE);
    } else {
        csv_fini(&csv, on_field, on_row, &c);
        must(c.row == g.rows && c.bad == g.bad.count);
    }
    csv_free(&csv);
    grid_release(&g);
    mem_free(memory);
    return 0;
}
