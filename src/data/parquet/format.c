/* format.c -- Parquet files as a source of the reader: a part is a row group. */
#include "parquet_int.h"

static bool is_parquet(const uint8_t *head, size_t n)
{
    return n >= 4 && memcmp(head, PARQUET_MAGIC, 4) == 0;
}

static bool open_parquet(ColumnFile *f, Error *err)
{
    ParquetFile *file = arena_alloc(&f->arena, sizeof *file);
    f->inside = file;
    if (!parquet_parse(file, f->at, f->size, &f->arena, err))
        return false;
    for (size_t k = 0; k < file->columns; k++)
        schema_add(&f->schema, file->column[k].name, parquet_type(file->column[k].kind),
                   ROLE_FEATURE);
    f->parts = file->groups;
    f->part_rows = file->rows;
    return true;
}

static void drop(void *state)
{
    cursor_destroy(state);
}

static bool read_parquet(const ColumnTask *t)
{
    const ParquetFile *file = t->file->inside;
    ParquetColumn column = file->column[t->column];
    if (column.kind == KIND_U64 && t->as == COLUMN_REAL)
        column.kind = KIND_U64_REAL;
    if (!*t->state)
        *t->state = cursor_create(&column, &file->chunk[t->part * file->columns + t->column]);
    return cursor_read(*t->state, t->rows, t->arena, t->out, t->err) ||
           error_in(t->err, "column %s: row group %zu", column.name, t->part + 1);
}

static void close_parquet(ColumnFile *f)
{
    (void)f; /* all of it is in the arena */
}

const ColumnFormat parquet_format = {
    .name = "parquet",
    .is = is_parquet,
    .open = open_parquet,
    .read = read_parquet,
    .drop = drop,
    .close = close_parquet,
};
