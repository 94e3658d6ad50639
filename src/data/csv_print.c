/* csv_print.c -- chunks as CSV (RFC 4180): quotes only where a field needs them. */
#include <lathe/data.h>

#include <string.h>

/* A field with the delimiter, a quote, a line end or blanks at its ends would read back otherwise. */
static bool needs_quotes(const char *s, size_t n, char delimiter)
{
    if (!n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (s[i] == delimiter || s[i] == '"' || s[i] == '\n' || s[i] == '\r')
            return true;
    return s[0] == ' ' || s[0] == '\t' || s[n - 1] == ' ' || s[n - 1] == '\t';
}

void csv_print_field(const char *s, size_t n, char delimiter, Text *into)
{
    if (!needs_quotes(s, n, delimiter)) {
        text_add(into, s, n);
        return;
    }
    text_putc(into, '"');
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '"')
            text_putc(into, '"');
        text_putc(into, s[i]);
    }
    text_putc(into, '"');
}

void csv_print_header(const Chunk *c, char delimiter, Text *into)
{
    for (size_t i = 0; i < c->columns; i++) {
        if (i)
            text_putc(into, delimiter);
        csv_print_field(c->column[i].name, strlen(c->column[i].name), delimiter, into);
    }
    text_putc(into, '\n');
}

static void add_value(const Column *c, size_t row, char delimiter, Text *into)
{
    if (!column_has(c, row))
        return;
    size_t before = into->count, n;
    if (c->type == COLUMN_TEXT) {
        const char *s = column_text(c, row, &n);
        csv_print_field(s, n, delimiter, into);
        return;
    }
    column_print(c, row, into);
    if (!needs_quotes(into->at + before, into->count - before, delimiter))
        return;
    n = into->count - before; /* a delimiter that numbers or times are made of */
    char *copy = mem_copy(into->at + before, n);
    into->count = before;
    csv_print_field(copy, n, delimiter, into);
    mem_free(copy);
}

void csv_print(const Chunk *c, char delimiter, Text *into)
{
    for (size_t row = 0; row < c->rows; row++) {
        size_t before = into->count;
        for (size_t i = 0; i < c->columns; i++) {
            if (i)
                text_putc(into, delimiter);
            add_value(&c->column[i], row, delimiter, into);
        }
        if (into->count == before)
            text_puts(into, "\"\""); /* a line without a field would be no row */
        text_putc(into, '\n');
    }
}
