/* data_table.h -- made-up tables for the tests of the data room: all types, words and plain text,
 * missing values, in chunks of any size; and comparing two tables value by value. */
#ifndef DATA_TABLE_H
#define DATA_TABLE_H

#include <lathe/data.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TABLE_COLUMNS 8

static inline void table_schema(Schema *s)
{
    schema_add(s, "flag", COLUMN_BOOL, ROLE_FEATURE);
    schema_add(s, "count", COLUMN_INT, ROLE_FEATURE);
    schema_add(s, "amount", COLUMN_REAL, ROLE_TARGET);
    schema_add(s, "when", COLUMN_TIME, ROLE_TIMELINE);
    schema_add(s, "day", COLUMN_DATE, ROLE_FEATURE);
    schema_add(s, "city", COLUMN_TEXT, ROLE_FEATURE);
    schema_add(s, "note \"x\"", COLUMN_TEXT, ROLE_IGNORE);
    schema_add(s, "id", COLUMN_INT, ROLE_ID);
}

static inline uint64_t table_dice(uint64_t row, uint64_t column)
{
    uint64_t at[2] = {row, column};
    return hash_bytes(at, sizeof at, 7);
}

/* Row `row` is the same whatever chunk it comes in. */
static inline void table_row(ColumnBuild *b[TABLE_COLUMNS], uint64_t row, bool missing)
{
    static const char *const city[] = {"Ankara", "Oslo", "", "Zürich", "東京", "Washington DC"};
    char note[64];
    for (size_t c = 0; c < TABLE_COLUMNS; c++) {
        uint64_t d = table_dice(row, c);
        if (missing && c != 7 && d % 11 == 0) {
            column_build_missing(b[c]);
            continue;
        }
        switch (c) {
        case 0:
            column_build_int(b[c], d >> 20 & 1);
            break;
        case 1:
            column_build_int(b[c], (int64_t)(d >> 16) % 1000 - 500);
            break;
        case 2:
            column_build_real(b[c], d % 97 == 0   ? (double)NAN
                                    : d % 89 == 0 ? (double)INFINITY
                                                  : (double)(int64_t)(d >> 8) / 1e12);
            break;
        case 3: /* half of them whole seconds, some before 1970 */
            column_build_int(b[c], ((int64_t)(d >> 14) - 300000000000000) / (d & 1 ? 1000000 : 1) *
                                       (d & 1 ? 1000000 : 1));
            break;
        case 4:
            column_build_int(b[c], (int64_t)(d >> 32) % 30000 - 5000);
            break;
        case 5: {
            const char *s = city[(d >> 32) % 6];
            column_build_text(b[c], s, strlen(s));
            break;
        }
        case 6: {
            int n = snprintf(note, sizeof note, "note %llu of row %llu", (unsigned long long)d,
                             (unsigned long long)row);
            column_build_text(b[c], note, (size_t)n);
            break;
        }
        default:
            column_build_int(b[c], (int64_t)row);
        }
    }
}

static inline void table_chunk(const Schema *s, uint64_t first, size_t rows, bool missing, Arena *a,
                               Chunk *out)
{
    ColumnBuild *b[TABLE_COLUMNS];
    Column *column = ARENA_NEW(a, Column, TABLE_COLUMNS);
    for (size_t c = 0; c < TABLE_COLUMNS; c++)
        b[c] = column_build(a, s->field[c].name, s->field[c].type, rows);
    for (size_t i = 0; i < rows; i++)
        table_row(b, first + i, missing);
    for (size_t c = 0; c < TABLE_COLUMNS; c++)
        column_build_finish(b[c], &column[c]);
    *out = (Chunk){.rows = rows, .columns = TABLE_COLUMNS, .column = column, .first = first};
}

static inline void value_print(const Column *c, size_t row, Text *into)
{
    if (!column_has(c, row))
        text_puts(into, "<missing>");
    column_print(c, row, into);
}

static inline void assert_same_value(const Column *a, size_t i, const Column *b, size_t k)
{
    Text x = {0}, y = {0};
    value_print(a, i, &x);
    value_print(b, k, &y);
    assert_int_equal(a->type, b->type);
    assert_string_equal(text_str(&x), text_str(&y));
    text_release(&x);
    text_release(&y);
}

/* rows of `a` from `i` on equal rows of `b` from `k` on, in all columns. */
static inline void assert_same_rows(const Chunk *a, size_t i, const Chunk *b, size_t k, size_t rows)
{
    assert_int_equal(a->columns, b->columns);
    for (size_t c = 0; c < a->columns; c++) {
        assert_string_equal(a->column[c].name, b->column[c].name);
        for (size_t r = 0; r < rows; r++)
            assert_same_value(&a->column[c], i + r, &b->column[c], k + r);
    }
}

static inline void temp_dir(char path[64])
{
    strcpy(path, "/tmp/lathe-test-XXXXXX");
    assert_non_null(mkdtemp(path));
}

/* Writes rows of the table in chunks of `step` rows (0: random sizes); the path of the file. */
static inline char *table_write(const char *dir, uint64_t rows, size_t step, bool missing,
                                size_t threads, char hash[65])
{
    Error err = {0};
    Schema s = {0};
    Arena a = {0};
    Rng rng;
    table_schema(&s);
    rng_seed(&rng, rows + step, 1);
    Pool *pool = threads ? pool_create(threads) : NULL;
    DatasetWriter *w = dataset_writer_create(dir, &s, pool, &err);
    assert_non_null(w);
    for (uint64_t at = 0; at < rows;) {
        size_t n = step ? step : (size_t)rng_below(&rng, 40000) + 1;
        n = rows - at < n ? (size_t)(rows - at) : n;
        Chunk chunk;
        arena_reset(&a);
        table_chunk(&s, at, n, missing, &a, &chunk);
        if (!dataset_writer_add(w, &chunk, &err))
            fail_msg("%s", err.text);
        at += n;
    }
    if (!dataset_writer_finish(w, hash, &err))
        fail_msg("%s", err.text);
    dataset_writer_destroy(w);
    pool_destroy(pool);
    schema_release(&s);
    arena_release(&a);
    Text path = {0};
    text_printf(&path, "%s/%s.arrow", dir, hash);
    return text_take(&path);
}

#endif
