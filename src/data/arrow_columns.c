/* arrow_columns.c -- Arrow files and streams as a source: views of the mapping where the types are
 * ours and nothing is packed. */
#include "arrow_int.h"
#include "columns_int.h"

typedef struct Unpacked { /* the buffers of one column of one batch */
    Arena arena;
    ArrowPart part;
} Unpacked;

static bool is_arrow(const uint8_t *head, size_t n)
{
    static const uint8_t stream[4] = {0xff, 0xff, 0xff, 0xff};
    return (n >= 6 && !memcmp(head, ARROW_MAGIC, 6)) || (n >= 4 && !memcmp(head, stream, 4)) ||
           (n >= 4 && !memcmp(head, "FEA1", 4));
}

static bool open_arrow(ColumnFile *f, Error *err)
{
    ArrowFile *file = arena_alloc(&f->arena, sizeof *file);
    f->inside = file;
    if (!arrow_parse(file, f->at, f->size, err))
        return false;
    for (size_t k = 0; k < file->fields; k++)
        schema_add(&f->schema, file->field[k].name, file->field[k].type, ROLE_FEATURE);
    f->parts = file->batches;
    f->part_rows = ARENA_NEW(&f->arena, uint64_t, f->parts + 1);
    for (size_t i = 0; i < f->parts; i++)
        f->part_rows[i] = file->batch[i].rows;
    return true;
}

static void drop(void *state)
{
    Unpacked *u = state;
    if (u)
        arena_release(&u->arena);
    mem_free(u);
}

static const ArrowPart *unpacked(const ColumnTask *t, const ArrowField *field,
                                 const ArrowPart *part)
{
    Unpacked *u = *t->state;
    if (part->packing == ARROW_UNPACKED)
        return part;
    if (!u) {
        *t->state = u = mem_alloc(sizeof *u);
        if (!arrow_unpack(field, part, &u->arena, &u->part, t->err))
            return NULL;
    }
    return &u->part;
}

static bool read_arrow(const ColumnTask *t)
{
    const ArrowFile *file = t->file->inside;
    ArrowField field = file->field[t->column];
    const ArrowPart *part = unpacked(t, &field, &file->batch[t->part].part[t->column]);
    bool bad = false;
    if (!part)
        return false;
    if (field.layout == LAYOUT_U64 && t->as == COLUMN_REAL)
        field.type = COLUMN_REAL;
    arrow_column(&field, part, (size_t)t->from, t->rows, t->arena, t->out, &bad);
    if (bad && field.layout == LAYOUT_U64)
        return error_set(
            t->err, ERROR_PARSE,
            "column %s: record batch %zu has a value beyond int64; read it as a number "
            "with types=%s:float64",
            field.name, t->part + 1, field.name);
    return !bad || error_set(t->err, ERROR_PARSE,
                             "column %s: record batch %zu leads beyond its words or bytes",
                             field.name, t->part + 1);
}

static void close_arrow(ColumnFile *f)
{
    arrow_release(f->inside);
}

const ColumnFormat arrow_format = {
    .name = "arrow",
    .is = is_arrow,
    .open = open_arrow,
    .read = read_arrow,
    .drop = drop,
    .close = close_arrow,
};
