/* reader_test.h -- what the tests of the reading half of the data room share: a folder of their
 * own, files in it, and a whole source read into one text of cells. */
#ifndef READER_TEST_H
#define READER_TEST_H

#include <lathe/data.h>

#include "data/reader_int.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CELL_END '\x1f'
#define ROW_END  '\x1e'

typedef struct Table {
    Schema schema;
    uint64_t rows, *missing; /* [columns] */
    Text cells, rejects, types, cell;
    VEC(size_t) line; /* where each row begins in cells */
    json_t *sniffed;
} Table;

static inline int folder_make(void **state)
{
    char path[] = "/tmp/lathe-test-XXXXXX";
    if (!mkdtemp(path))
        return -1;
    *state = text_copy(path);
    return 0;
}

static inline int folder_remove(void **state)
{
    bool ok = dir_remove(*state, NULL);
    mem_free(*state);
    return ok ? 0 : -1;
}

/* A file of n bytes (0: as long as the text is, SIZE_MAX: none); its path is the caller's. */
static inline char *put(const char *dir, const char *name, const char *bytes, size_t n)
{
    Text path = {0};
    text_printf(&path, "%s/%s", dir, name);
    FILE *f = fopen(path.at, "wb");
    n = n == SIZE_MAX ? 0 : n ? n : strlen(bytes);
    if (!f || fwrite(bytes, 1, n, f) != n || fclose(f))
        abort();
    return text_take(&path);
}

static inline void keep_reject(void *context, const Reject *r)
{
    Table *t = context;
    text_printf(&t->rejects, "%" PRIu64 ": %s [", r->line, r->reason);
    text_add(&t->rejects, r->text, r->text_size);
    text_puts(&t->rejects, "]\n");
}

static inline void take_chunk(Table *t, const Chunk *c)
{
    assert_int_equal(c->first, t->rows);
    assert_true(c->rows <= CHUNK_ROWS);
    for (size_t row = 0; row < c->rows; row++) {
        vec_add(&t->line, t->cells.count);
        for (size_t i = 0; i < c->columns; i++) {
            if (i)
                text_putc(&t->cells, CELL_END);
            t->missing[i] += !column_has(&c->column[i], row);
            column_print(&c->column[i], row, &t->cells);
        }
        text_putc(&t->cells, ROW_END);
    }
    t->rows += c->rows;
}

static inline void read_with(Table *t, const char *path, const IngestOptions *o,
                             const Schema *wanted, const ReaderSetup *setup)
{
    *t = (Table){0};
    Error err = {0};
    Reader *r = reader_open_with(path, o, wanted, setup, keep_reject, t, NULL, &err);
    if (!r)
        fail_msg("%s", err.text);
    schema_copy(&t->schema, reader_schema(r));
    t->missing = mem_alloc((t->schema.count + 1) * sizeof *t->missing);
    Chunk c;
    do {
        if (!reader_next(r, &c, &err))
            fail_msg("%s", err.text);
        take_chunk(t, &c);
    } while (c.rows);
    t->sniffed = reader_sniffed(r);
    reader_close(r);
}

static inline void read_path(Table *t, const char *path, const IngestOptions *o,
                             const Schema *wanted)
{
    read_with(t, path, o, wanted, &(ReaderSetup){0});
}

static inline void read_text(const char *dir, Table *t, const char *csv, const IngestOptions *o)
{
    char *path = put(dir, "read.csv", csv, 0);
    read_path(t, path, o, NULL);
    mem_free(path);
}

/* The field as csv_print would show it, had it no quotes; until the next call. */
static inline const char *cell(Table *t, size_t row, size_t column)
{
    size_t end = row + 1 < t->line.count ? t->line.at[row + 1] : t->cells.count;
    const char *s = t->cells.at + t->line.at[row], *last = t->cells.at + end - 1;
    for (size_t i = 0; i < column; i++)
        s = (const char *)memchr(s, CELL_END, (size_t)(last - s)) + 1;
    const char *stop = memchr(s, CELL_END, (size_t)(last - s));
    if (column + 1 == t->schema.count || !stop)
        stop = last;
    text_reset(&t->cell);
    text_add(&t->cell, s, (size_t)(stop - s));
    return text_str(&t->cell);
}

static inline const char *types_of(Table *t)
{
    text_reset(&t->types);
    for (size_t i = 0; i < t->schema.count; i++)
        text_printf(&t->types, "%s%s", i ? " " : "", column_type_name(t->schema.field[i].type));
    return text_str(&t->types);
}

static inline void table_release(Table *t)
{
    schema_release(&t->schema);
    mem_free(t->missing);
    text_release(&t->cells);
    text_release(&t->rejects);
    text_release(&t->types);
    text_release(&t->cell);
    vec_release(&t->line);
    json_decref(t->sniffed);
    *t = (Table){0};
}

static inline void options_release(IngestOptions *o)
{
    mem_free(o->null_words);
    mem_free(o->types);
    mem_free(o->delimiter);
}

#endif
