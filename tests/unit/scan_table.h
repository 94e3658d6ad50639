/* scan_table.h -- tables that scans are tried on: the small one of all types with pools of several sizes,
 * and large ones made row by row. */
#ifndef SCAN_TABLE_H
#define SCAN_TABLE_H

#include "data_table.h"

#include <lathe/scan.h>

#define SCAN_ROWS (2 * CHUNK_ROWS + 3000)

typedef struct ScanTable {
    char dir[64];
    Dataset *d;
    Pool *pool[3]; /* none, two threads, three */
} ScanTable;

static inline void scan_table_make(ScanTable *t)
{
    char hash[65];
    Error err = {0};
    temp_dir(t->dir);
    char *path = table_write(t->dir, SCAN_ROWS, 0, true, 0, hash);
    t->d = dataset_open(path, &err);
    mem_free(path);
    assert_non_null(t->d);
    t->pool[0] = NULL;
    t->pool[1] = pool_create(2);
    t->pool[2] = pool_create(3);
}

static inline void scan_table_drop(ScanTable *t)
{
    dataset_close(t->d);
    dir_remove(t->dir, NULL);
    pool_destroy(t->pool[1]);
    pool_destroy(t->pool[2]);
}

/* A table of so many rows, each filled in; in a new folder, whose name goes to dir. */
static inline Dataset *scan_table_large(char dir[64], const char *const *name, const ColumnType *type,
                                        size_t columns, uint64_t rows,
                                        void (*fill)(ColumnBuild **b, uint64_t row))
{
    Schema s = {0};
    Arena a = {0};
    Error err = {0};
    char hash[65] = "", path[512];
    temp_dir(dir);
    for (size_t c = 0; c < columns; c++)
        schema_add(&s, name[c], type[c], ROLE_FEATURE);
    DatasetWriter *w = dataset_writer_create(dir, &s, NULL, &err);
    for (uint64_t at = 0; at < rows; at += CHUNK_ROWS) {
        size_t n = rows - at < CHUNK_ROWS ? (size_t)(rows - at) : CHUNK_ROWS;
        arena_reset(&a);
        ColumnBuild **b = ARENA_NEW(&a, ColumnBuild *, columns);
        Column *column = ARENA_NEW(&a, Column, columns);
        for (size_t c = 0; c < columns; c++)
            b[c] = column_build(&a, name[c], type[c], n);
        for (size_t i = 0; i < n; i++)
            fill(b, at + i);
        for (size_t c = 0; c < columns; c++)
            column_build_finish(b[c], &column[c]);
        Chunk chunk = {.rows = n, .columns = columns, .column = column};
        assert_true(dataset_writer_add(w, &chunk, &err));
    }
    assert_true(dataset_writer_finish(w, hash, &err));
    dataset_writer_destroy(w);
    schema_release(&s);
    arena_release(&a);
    snprintf(path, sizeof path, "%s/%s.arrow", dir, hash);
    Dataset *d = dataset_open(path, &err);
    assert_non_null(d);
    return d;
}

static inline uint64_t scan_dice(uint64_t row)
{
    uint64_t z = row * 0x9e3779b97f4a7c15u + 0x2545f4914f6cdd1du;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

#endif
