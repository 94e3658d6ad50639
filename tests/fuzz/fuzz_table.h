/* fuzz_table.h -- a small table with every kind of column, for the targets expr and recipe. */
#ifndef LATHE_FUZZ_TABLE_H
#define LATHE_FUZZ_TABLE_H

#include <lathe/recipe.h>

#include <stdlib.h>
#include <string.h>

#define TABLE_ROWS 40

typedef struct Table {
    Arena arena;
    Schema schema;
    Chunk chunk;
    Column column[7];
} Table;

static inline void must(bool holds)
{
    if (!holds)
        abort();
}

static inline void table_plain_text(Table *t, Column *out)
{
    char *bytes = arena_alloc(&t->arena, 2 * TABLE_ROWS);
    int32_t *start = ARENA_NEW(&t->arena, int32_t, TABLE_ROWS + 1);
    for (int i = 0; i < TABLE_ROWS; i++) {
        start[i] = 2 * i;
        bytes[2 * i] = (char)('a' + i % 26);
        bytes[2 * i + 1] = (char)('0' + i % 10);
    }
    start[TABLE_ROWS] = 2 * TABLE_ROWS;
    *out = (Column){
        .name = "P", .type = COLUMN_TEXT, .rows = TABLE_ROWS, .start = start, .bytes = bytes};
}

static inline void table_make(Table *t)
{
    static const char *const names[] = {"B", "N", "X", "T", "D", "S"};
    static const char *const words[] = {"Cash", "1", "2015-01-01", "", " \xC3\x9C ", "yes"};
    Rng rng;
    memset(t, 0, sizeof *t);
    rng_seed(&rng, 1, 0);
    for (int k = 0; k < 6; k++) {
        ColumnBuild *b = column_build(&t->arena, names[k], (ColumnType)k, TABLE_ROWS);
        schema_add(&t->schema, names[k], (ColumnType)k, k == 1 ? ROLE_TARGET : ROLE_FEATURE);
        for (int i = 0; i < TABLE_ROWS; i++) {
            uint64_t r = rng_below(&rng, 6);
            if (rng_below(&rng, 5) == 0)
                column_build_missing(b);
            else if (k == COLUMN_REAL)
                column_build_real(b, rng_normal(&rng) * 100);
            else if (k == COLUMN_TEXT)
                column_build_text(b, words[r], strlen(words[r]));
            else if (k == COLUMN_TIME)
                column_build_int(b, (int64_t)r * INT64_C(100000000000000) - INT64_C(1000000000000));
            else
                column_build_int(b, k == COLUMN_BOOL ? (int64_t)r % 2 : (int64_t)r - 2);
        }
        column_build_finish(b, &t->column[k]);
    }
    table_plain_text(t, &t->column[6]);
    schema_add(&t->schema, "P", COLUMN_TEXT, ROLE_FEATURE);
    t->chunk = (Chunk){.rows = TABLE_ROWS, .columns = 7, .column = t->column};
}

static inline void table_release(Table *t)
{
    schema_release(&t->schema);
    arena_release(&t->arena);
}

static inline void must_be_same(const Column *a, size_t i, const Column *b, size_t j)
{
    Text x = {0}, y = {0};
    must(a->type == b->type && column_has(a, i) == column_has(b, j));
    if (column_has(a, i)) {
        column_print(a, i, &x);
        column_print(b, j, &y);
        must(strcmp(text_str(&x), text_str(&y)) == 0);
    }
    text_release(&x);
    text_release(&y);
}

#endif
