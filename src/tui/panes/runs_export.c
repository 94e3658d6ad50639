/* runs_export.c -- the table of runs as it is shown, as CSV or Markdown. */
#include "runs_int.h"

#include <string.h>

static void csv_field(const char *text, Text *into)
{
    if (!strpbrk(text, ",\"\n\r")) {
        text_puts(into, text);
        return;
    }
    text_putc(into, '"');
    for (; *text; text++) {
        if (*text == '"')
            text_putc(into, '"');
        text_putc(into, *text);
    }
    text_putc(into, '"');
}

static void markdown_field(const char *text, Text *into)
{
    for (; *text; text++) {
        if (*text == '|')
            text_putc(into, '\\');
        text_putc(into, *text == '\n' ? ' ' : *text);
    }
}

static void add(bool markdown, size_t column, size_t columns, const char *text, Text *into)
{
    text_puts(into, markdown ? (column ? " | " : "| ") : column ? "," : "");
    if (markdown)
        markdown_field(text, into);
    else
        csv_field(text, into);
    if (column + 1 == columns)
        text_puts(into, markdown ? " |\n" : "\n");
}

/* Numbers as exactly as they are known in CSV, as they are shown in Markdown. */
static void add_cell(const RunsState *s, size_t row, size_t column, bool markdown, Text *cell)
{
    const RunField *f = runs_column_field(s, column);
    const RunRow *run = runs_at(s, row);
    double v = run && f && f->number ? runs_number(s, run, f) : 0.0;
    text_reset(cell);
    if (!f || !run)
        return;
    if (f->number && !markdown && !s->line.at[row].head) {
        if (v == v)
            text_add_real(cell, v);
        return;
    }
    runs_cell(s, row, column, &(Cell){.text = cell});
}

bool runs_export(const RunsState *s, const char *path, Error *err)
{
    bool markdown = text_ends(path, ".md");
    size_t n = s->column.count;
    if (!markdown && !text_ends(path, ".csv"))
        return error_set(err, ERROR_USAGE, "%s: the name must end in .csv or .md", path);
    Text out = {0}, cell = {0};
    for (size_t i = 0; i < n; i++)
        add(markdown, i, n, markdown ? s->heads.at[i].title : s->column.at[i].name, &out);
    for (size_t i = 0; i < n && markdown; i++) {
        const RunField *f = runs_column_field(s, i);
        add(true, i, n, f && f->number ? "---:" : "---", &out);
    }
    for (size_t row = 0; row < s->line.count; row++)
        for (size_t i = 0; i < n; i++) {
            add_cell(s, row, i, markdown, &cell);
            add(markdown, i, n, text_str(&cell), &out);
        }
    bool ok = file_write(path, text_str(&out), out.count, err);
    text_release(&out);
    text_release(&cell);
    return ok;
}
