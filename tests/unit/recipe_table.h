/* recipe_table.h -- small tables made by hand, for the tests of the recipe room. */
#ifndef LATHE_TESTS_RECIPE_TABLE_H
#define LATHE_TESTS_RECIPE_TABLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <lathe/recipe.h>

#include "recipe/recipe_int.h"

#include <string.h>

typedef struct Table {
    Arena arena;
    Schema schema;
    Chunk chunk;
    Column column[32];
} Table;

static inline void table_begin(Table *t, size_t rows)
{
    memset(t, 0, sizeof *t);
    t->chunk.rows = rows;
    t->chunk.column = t->column;
}

static inline void table_end(Table *t)
{
    schema_release(&t->schema);
    arena_release(&t->arena);
}

/* has: a '0' for each row without a value; NULL: every row has one. */
static inline ColumnBuild *table_column(Table *t, const char *name, ColumnType type)
{
    schema_add(&t->schema, name, type, ROLE_FEATURE);
    return column_build(&t->arena, name, type, t->chunk.rows);
}

static inline void table_done(Table *t, ColumnBuild *b)
{
    column_build_finish(b, &t->column[t->chunk.columns++]);
}

#define TABLE_COLUMN(kind, type, value_type, put)                                                  \
    static inline void table_##kind(Table *t, const char *name, const value_type *value,           \
                                    const char *has)                                               \
    {                                                                                              \
        ColumnBuild *b = table_column(t, name, type);                                              \
        for (size_t i = 0; i < t->chunk.rows; i++)                                                 \
            if (has && has[i] == '0')                                                              \
                column_build_missing(b);                                                           \
            else                                                                                   \
                put;                                                                               \
        table_done(t, b);                                                                          \
    }

static inline int64_t table_micros(const char *s)
{
    int64_t micros = 0;
    assert_true(time_parse(s, strlen(s), &micros));
    return micros;
}

TABLE_COLUMN(int, COLUMN_INT, int64_t, column_build_int(b, value[i]))
TABLE_COLUMN(real, COLUMN_REAL, double, column_build_real(b, value[i]))
TABLE_COLUMN(text, COLUMN_TEXT, char *const, column_build_text(b, value[i], strlen(value[i])))
TABLE_COLUMN(time, COLUMN_TIME, char *const, column_build_int(b, table_micros(value[i])))
TABLE_COLUMN(date, COLUMN_DATE, char *const,
             column_build_int(b, table_micros(value[i]) / INT64_C(86400000000)))

/* '1', '0' and '-' for missing. */
static inline void table_bool(Table *t, const char *name, const char *value)
{
    ColumnBuild *b = table_column(t, name, COLUMN_BOOL);
    for (size_t i = 0; i < t->chunk.rows; i++)
        if (value[i] == '-')
            column_build_missing(b);
        else
            column_build_int(b, value[i] == '1');
    table_done(t, b);
}

static inline Column table_plain(Arena *a, const char *name, size_t rows, Rng *rng)
{
    Text text = {0};
    int32_t *start = ARENA_NEW(a, int32_t, rows + 1);
    uint8_t *valid = (uint8_t *)arena_alloc(a, rows / 8 + 8);
    for (size_t i = 0; i < rows; i++) {
        if (rng_below(rng, 9) > 0) {
            valid[i / 8] |= (uint8_t)(1u << (i % 8));
            text_printf(&text, "p%u", (unsigned)rng_below(rng, 100000));
        }
        start[i + 1] = (int32_t)text.count;
    }
    Column c = {.name = name,
                .type = COLUMN_TEXT,
                .rows = rows,
                .valid = valid,
                .start = start,
                .bytes = arena_text(a, text_str(&text))};
    text_release(&text);
    return c;
}

/* N int64, X float64, S text with words, P plain text, B bool, T timestamp; a tenth missing. */
static inline void table_random(Table *t, size_t rows, uint64_t seed)
{
    Rng rng;
    rng_seed(&rng, seed, 0);
    table_begin(t, rows);
    ColumnBuild *n = table_column(t, "N", COLUMN_INT), *x = table_column(t, "X", COLUMN_REAL);
    ColumnBuild *s = table_column(t, "S", COLUMN_TEXT), *b = table_column(t, "B", COLUMN_BOOL);
    ColumnBuild *time = table_column(t, "T", COLUMN_TIME);
    for (size_t i = 0; i < rows; i++) {
        char word[16];
        snprintf(word, sizeof word, "W%u", (unsigned)rng_below(&rng, 7));
        word[0] = rng_below(&rng, 2) ? 'W' : 'w';
        rng_below(&rng, 10) ? column_build_int(n, (int64_t)rng_below(&rng, 100))
                            : column_build_missing(n);
        rng_below(&rng, 10) ? column_build_real(x, rng_normal(&rng) * 10) : column_build_missing(x);
        rng_below(&rng, 10) ? column_build_text(s, word, strlen(word)) : column_build_missing(s);
        rng_below(&rng, 10) ? column_build_int(b, (int64_t)rng_below(&rng, 2))
                            : column_build_missing(b);
        rng_below(&rng, 10) ? column_build_int(time, (int64_t)rng_below(&rng, 1u << 31) * 1000000)
                            : column_build_missing(time);
    }
    table_done(t, n);
    table_done(t, x);
    table_done(t, s);
    table_done(t, b);
    table_done(t, time);
    schema_add(&t->schema, "P", COLUMN_TEXT, ROLE_FEATURE);
    t->column[t->chunk.columns++] = table_plain(&t->arena, "P", rows, &rng);
}

static inline bool same_value(const Column *a, size_t i, const Column *b, size_t j)
{
    Text x = {0}, y = {0};
    bool same = a->type == b->type && column_has(a, i) == column_has(b, j);
    if (same && column_has(a, i)) {
        column_print(a, i, &x);
        column_print(b, j, &y);
        same = strcmp(text_str(&x), text_str(&y)) == 0;
    }
    text_release(&x);
    text_release(&y);
    return same;
}

#endif
