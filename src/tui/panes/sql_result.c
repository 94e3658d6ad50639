/* sql_result.c -- the rows of an answer as far as they were read, and the table that shows them. */
#include "sql_int.h"

#include <string.h>

#define WIDTH_MOST 40

void result_reset(SqlResult *r)
{
    for (size_t i = 0; i < r->block.count; i++)
        sql_block_free(r->block.at[i]);
    vec_release(&r->block);
    for (size_t i = 0; i < r->columns; i++)
        mem_free((void *)(uintptr_t)r->column[i].title);
    mem_free(r->column);
    mem_free(r->text);
    *r = (SqlResult){0};
}

static void print_cell(const SqlCell *cell, const SqlBlock *b, Text *into)
{
    switch (cell->kind) {
    case CELL_NULL:
        break;
    case CELL_INT:
        text_printf(into, "%lld", (long long)cell->integer);
        break;
    case CELL_REAL:
        text_add_real(into, cell->real);
        break;
    case CELL_TEXT:
        text_add(into, b->bytes.at + cell->text, cell->size);
        break;
    case CELL_BYTES:
        text_printf(into, "(%u bytes)", cell->size);
        break;
    }
}

/* Many decimals hide the number: the table shows nine digits, the viewer all. */
static void print_short(const SqlCell *cell, const SqlBlock *b, Text *into)
{
    if (cell->kind == CELL_REAL) {
        text_add_real(into, cell->real);
        if (into->count > 12) {
            text_reset(into);
            text_printf(into, "%.9g", cell->real);
        }
        return;
    }
    print_cell(cell, b, into);
}

void result_measure(SqlAnswer *a)
{
    const SqlBlock *b = a->block;
    Text text = {0};
    a->width = ARENA_NEW(&a->arena, int, a->columns);
    a->number = ARENA_NEW(&a->arena, bool, a->columns);
    for (size_t i = 0; i < a->columns; i++) {
        size_t width = 4;
        bool numbers = false, words = false;
        for (size_t row = 0; row < b->rows; row++) {
            const SqlCell *cell = &b->cell.at[row * a->columns + i];
            text_reset(&text);
            print_short(cell, b, &text);
            size_t w = text.count ? utf8_width(text_str(&text), text.count) : 0;
            width = w > width ? w : width;
            numbers |= cell->kind == CELL_INT || cell->kind == CELL_REAL;
            words |= cell->kind == CELL_TEXT || cell->kind == CELL_BYTES;
        }
        a->width[i] = (int)(width < WIDTH_MOST ? width : WIDTH_MOST);
        a->number[i] = numbers && !words;
    }
    text_release(&text);
}

/* A column of numbers stands to the right; later blocks only widen. */
static void fit_columns(SqlResult *r, const SqlAnswer *a, bool first)
{
    for (size_t i = 0; i < r->columns; i++) {
        TableColumn *c = &r->column[i];
        if (first) {
            size_t title = utf8_width(c->title, strlen(c->title));
            c->width = (int)(title < WIDTH_MOST ? title : WIDTH_MOST);
            c->align = a->number[i] ? ALIGN_RIGHT : ALIGN_LEFT;
        }
        c->width = a->width[i] > c->width ? a->width[i] : c->width;
    }
}

void result_take(SqlResult *r, SqlAnswer *a)
{
    bool first = !r->column;
    if (first) {
        r->columns = a->columns;
        r->column = mem_alloc(sizeof *r->column * (a->columns + 1));
        for (size_t i = 0; i < a->columns; i++)
            r->column[i] = (TableColumn){.title = text_copy(a->name[i])};
    }
    fit_columns(r, a, first);
    r->rows += a->block->rows;
    vec_add(&r->block, a->block);
    a->block = NULL;
    r->end = a->end;
    r->stopped = a->error.kind == ERROR_STOP;
    r->seconds += a->seconds;
}

const SqlCell *result_cell(const SqlResult *r, uint64_t row, size_t column, const SqlBlock **block)
{
    size_t low = 0, high = r->block.count;
    while (low + 1 < high) {
        size_t mid = (low + high) / 2;
        if (r->block.at[mid]->first <= row)
            low = mid;
        else
            high = mid;
    }
    if (row >= r->rows || column >= r->columns)
        return NULL;
    *block = r->block.at[low];
    return &(*block)->cell.at[(row - (*block)->first) * r->columns + column];
}

void result_print(const SqlResult *r, uint64_t row, size_t column, Text *into)
{
    const SqlBlock *b;
    const SqlCell *cell = result_cell(r, row, column, &b);
    if (cell)
        print_cell(cell, b, into);
}

static void draw_cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    const SqlBlock *b;
    const SqlCell *cell = result_cell(context, row, column, &b);
    if (!cell)
        return;
    if (cell->kind == CELL_NULL) {
        text_puts(out->text, "NULL");
        out->style = STYLE_MISSING;
        return;
    }
    print_short(cell, b, out->text);
    out->style = cell->kind == CELL_TEXT    ? STYLE_TEXT
                 : cell->kind == CELL_BYTES ? STYLE_DIM
                                            : STYLE_NUMBER;
}

TableSource result_source(const SqlResult *r)
{
    return (TableSource){.context = r,
                         .rows = r->rows,
                         .columns = r->columns,
                         .column = r->column,
                         .cell = draw_cell,
                         .empty = "No rows match."};
}

void result_note(const SqlResult *r, bool running, Text *into)
{
    text_add_count(into, (double)r->rows);
    text_puts(into, r->rows == 1 && r->end ? " row" : " rows");
    if (running || (!r->end && !r->stopped))
        text_puts(into, r->rows >= SQL_MOST ? " shown" : " so far");
    if (r->stopped)
        text_puts(into, ", stopped");
    text_puts(into, ", ");
    text_add_seconds(into, r->seconds);
    if (!running && !r->end && !r->stopped)
        text_puts(into, r->rows >= SQL_MOST ? "; w and S keep all" : "; scroll for more");
}
