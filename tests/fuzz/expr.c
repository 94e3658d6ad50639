/* expr.c -- fuzz target: any text as an expression. What parses is computed, over the whole table
 * and row by row, and the two must agree. */
#include "fuzz_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void compute(const Expr *e, const Table *t)
{
    Arena a = {0};
    Error err = {0};
    Column whole = {.name = "r"};
    must(expr_eval(e, &t->chunk, &a, &whole, &err));
    must(whole.rows == TABLE_ROWS && whole.type == expr_type(e));
    for (size_t i = 0; i < TABLE_ROWS; i++) {
        Chunk row;
        Column one = {.name = "r"};
        chunk_slice(&t->chunk, i, 1, &a, &row);
        must(expr_eval(e, &row, &a, &one, &err));
        must_be_same(&whole, i, &one, 0);
    }
    uint8_t keep[TABLE_ROWS];
    if (expr_type(e) == COLUMN_BOOL) {
        expr_filter(e, &t->chunk, &a, keep, &err);
        for (size_t i = 0; i < TABLE_ROWS; i++)
            must(keep[i] == (column_has(&whole, i) && bit_get(whole.bit, i)));
    }
    arena_release(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    Table t;
    Error err = {0};
    char *text = mem_alloc(size + 1);
    memcpy(text, bytes, size);
    table_make(&t);
    Expr *e = size < 2000 ? expr_parse(text, &t.schema, &err) : NULL;
    if (e)
        compute(e, &t);
    else
        must(size >= 2000 || (err.kind != ERROR_NONE && err.text[0] != '\0'));
    expr_destroy(e);
    table_release(&t);
    mem_free(text);
    return 0;
}
