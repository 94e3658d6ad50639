/* meta.c -- the footer of a Parquet file: its columns, and where the pages of each lie. */
#include "parquet_int.h"

#include <inttypes.h>

typedef struct Meta {
    ParquetFile *file;
    const uint8_t *at; /* of the whole file */
    size_t size, groups_room;
    Arena *arena;
    Error *err;
    int64_t rows;
    bool failed; /* err is set */
} Meta;

static const char *name_of(Thrift *t, int type, Arena *a)
{
    size_t n;
    const uint8_t *s = thrift_binary(t, type, &n);
    return arena_printf(a, "%.*s", (int)(n < 1024 ? n : 1024), s ? (const char *)s : "");
}

/* ---- schema --------------------------------------------------------------------------------------- */

static void parse_unit(Thrift *t, int type, SchemaElement *e) /* a union: which field is there */
{
    int id = 0, inner;
    if (type != THRIFT_STRUCT)
        t->broken = true;
    while (thrift_field(t, &id, &inner)) {
        e->unit = id;
        thrift_skip(t, inner);
    }
}

static void parse_logical(Thrift *t, int type, SchemaElement *e)
{
    int id = 0, inner, sub, part;
    if (type != THRIFT_STRUCT)
        t->broken = true;
    while (thrift_field(t, &id, &inner)) {
        e->logical = id;
        if (inner != THRIFT_STRUCT) {
            t->broken = true;
            return;
        }
        sub = 0;
        while (thrift_field(t, &sub, &part)) {
            if ((id == 7 || id == 8) && sub == 2)
                parse_unit(t, part, e);
            else if (id == 5 && sub == 1)
                e->scale = thrift_int(t, part);
            else if (id == 10 && sub == 1)
                e->bits = thrift_int(t, part);
            else if (id == 10 && sub == 2)
                e->is_signed = thrift_bool(t, part);
            else
                thrift_skip(t, part);
        }
    }
}

static void parse_element(Thrift *t, Arena *a, SchemaElement *e)
{
    int id = 0, type;
    *e = (SchemaElement){.name = "", .type = -1, .width = -1, .repetition = -1, .converted = -1};
    while (thrift_field(t, &id, &type))
        switch (id) {
        case 1:
            e->type = thrift_int(t, type);
            break;
        case 2:
            e->width = thrift_int(t, type);
            break;
        case 3:
            e->repetition = thrift_int(t, type);
            break;
        case 4:
            e->name = name_of(t, type, a);
            break;
        case 5:
            e->children = thrift_int(t, type);
            break;
        case 6:
            e->converted = thrift_int(t, type);
            break;
        case 7:
            e->scale = thrift_int(t, type);
            break;
        case 10:
            parse_logical(t, type, e);
            break;
        default:
            thrift_skip(t, type);
        }
}

static bool nested(const SchemaElement *e, Error *err)
{
    return error_set(
        err, ERROR_PARSE,
        "column %s: is %s; only flat tables can be read: unnest it or leave it out in the "
        "tool that wrote it",
        e->name, e->children > 0 ? "nested (a list, map or struct)" : "repeated");
}

static bool add_column(Meta *m, const SchemaElement *e)
{
    ParquetFile *f = m->file;
    ParquetColumn *c = &f->column[f->columns];
    if (e->children > 0 || e->repetition == 2)
        return nested(e, m->err);
    if (e->type < 0 || e->type >= PARQUET_PHYSICALS)
        return error_set(m->err, ERROR_PARSE, "column %s: of no known type", e->name);
    for (size_t i = 0; i < f->columns; i++)
        if (strcmp(f->column[i].name, e->name) == 0)
            return error_set(m->err, ERROR_PARSE, "two columns are named %s", e->name);
    c->name = e->name;
    c->optional = e->repetition == 1;
    f->columns++;
    return parquet_kind(e, c, m->err);
}

static void parse_schema(Meta *m, Thrift *t, int type)
{
    int item;
    size_t count = thrift_list(t, type, &item);
    SchemaElement e;
    if (count > COLUMNS_MOST + 1) {
        m->failed = !error_set(m->err, ERROR_PARSE, "%zu columns, %d are the most", count - 1,
                               COLUMNS_MOST);
        return;
    }
    m->file->column = ARENA_NEW(m->arena, ParquetColumn, count + 1);
    for (size_t i = 0; i < count && !t->broken && !m->failed; i++) {
        parse_element(t, m->arena, &e);
        if (i > 0 && !t->broken) /* the first is the root */
            m->failed = !add_column(m, &e);
    }
}

/* ---- row groups ----------------------------------------------------------------------------------- */

static void parse_chunk_meta(Meta *m, Thrift *t, int type, const ParquetColumn *column,
                             ParquetChunk *c)
{
    int id = 0, inner;
    int64_t physical = -1, data = 0, dictionary = 0, bytes = -1, values = -1;
    if (type != THRIFT_STRUCT)
        t->broken = true;
    while (thrift_field(t, &id, &inner))
        switch (id) {
        case 1:
            physical = thrift_int(t, inner);
            break;
        case 4:
            c->codec = (int)thrift_int(t, inner);
            break;
        case 5:
            values = thrift_int(t, inner);
            break;
        case 7:
            bytes = thrift_int(t, inner);
            break;
        case 9:
            data = thrift_int(t, inner);
            break;
        case 11:
            dictionary = thrift_int(t, inner);
            break;
        default:
            thrift_skip(t, inner);
        }
    int64_t from = dictionary > 0 && dictionary < data ? dictionary : data;
    if (t->broken || m->failed)
        return;
    if (physical != column->physical || values < 0 || from < 4 || bytes < 0 ||
        (uint64_t)from > m->size || (uint64_t)bytes > m->size - (uint64_t)from)
        m->failed =
            !error_set(m->err, ERROR_PARSE,
                       "broken file: row group %zu, column %s: its bytes do not lie in the file",
                       m->file->groups + 1, column->name);
    else if (!parquet_codec_name(c->codec))
        m->failed =
            !error_set(m->err, ERROR_PARSE,
                       "column %s: packed by codec %d (lzo, brotli or old lz4), which is not "
                       "supported; write it with snappy, zstd, gzip or lz4_raw",
                       column->name, c->codec);
    if (m->failed)
        return;
    c->values = (uint64_t)values;
    c->at = m->at + from;
    c->end = c->at + bytes;
}

static void parse_chunk(Meta *m, Thrift *t, const ParquetColumn *column, ParquetChunk *c)
{
    int id = 0, type;
    bool elsewhere = false;
    while (thrift_field(t, &id, &type))
        if (id == 3) {
            parse_chunk_meta(m, t, type, column, c);
        } else {
            elsewhere |= id == 1 || id == 8;
            thrift_skip(t, type);
        }
    if (!t->broken && !m->failed && (elsewhere || !c->at))
        m->failed = !error_set(m->err, ERROR_PARSE,
                               "column %s: is encrypted or lies in another file", column->name);
}

static void parse_chunks(Meta *m, Thrift *t, int type, ParquetChunk *chunk)
{
    int item;
    size_t count = thrift_list(t, type, &item);
    if (!t->broken && count != m->file->columns)
        m->failed =
            !error_set(m->err, ERROR_PARSE, "broken file: row group %zu has %zu columns, not %zu",
                       m->file->groups + 1, count, m->file->columns);
    for (size_t i = 0; i < count && !t->broken && !m->failed; i++)
        parse_chunk(m, t, &m->file->column[i], &chunk[i]);
}

static void parse_group(Meta *m, Thrift *t)
{
    ParquetFile *f = m->file;
    int id = 0, type;
    ParquetChunk *chunk = &f->chunk[f->groups * f->columns];
    int64_t rows = 0;
    bool some = false;
    while (!m->failed && thrift_field(t, &id, &type))
        if (id == 1)
            parse_chunks(m, t, type, chunk), some = true;
        else if (id == 3)
            rows = thrift_int(t, type);
        else
            thrift_skip(t, type);
    for (size_t i = 0; i < f->columns && some && !t->broken && !m->failed; i++)
        if (rows < 0 || chunk[i].values != (uint64_t)rows)
            m->failed = !error_set(m->err, ERROR_PARSE,
                                   "broken file: row group %zu, column %s: %" PRIu64
                                   " values for %" PRId64 " rows",
                                   f->groups + 1, f->column[i].name, chunk[i].values, rows);
    if (!some)
        t->broken = true;
    f->rows[f->groups++] = (uint64_t)rows;
}

static void parse_groups(Meta *m, Thrift *t, int type)
{
    int item;
    size_t count = thrift_list(t, type, &item);
    if (!m->file->columns || count > (size_t)(t->end - t->at) / m->file->columns) {
        t->broken |= count > 0; /* a column has a byte at least */
        count = 0;
    }
    m->file->rows = ARENA_NEW(m->arena, uint64_t, count + 1);
    m->file->chunk = ARENA_NEW(m->arena, ParquetChunk, (count + 1) * m->file->columns + 1);
    for (size_t i = 0; i < count && !t->broken && !m->failed; i++)
        parse_group(m, t);
}

/* ---- the footer ----------------------------------------------------------------------------------- */

static bool parse_footer(Meta *m, Thrift *t)
{
    int id = 0, type;
    bool columns = false, groups = false;
    while (!m->failed && thrift_field(t, &id, &type))
        if (id == 2 && !columns) {
            parse_schema(m, t, type);
            columns = true;
        } else if (id == 4 && columns && !groups) {
            parse_groups(m, t, type);
            groups = true;
        } else if (id == 8) {
            return error_set(m->err, ERROR_PARSE, "is encrypted, which is not supported");
        } else {
            thrift_skip(t, type);
        }
    if (m->failed)
        return false;
    if (t->broken || !columns)
        return error_set(m->err, ERROR_PARSE, "broken file: its footer makes no sense");
    return m->file->columns || error_set(m->err, ERROR_PARSE, "the file has no columns");
}

bool parquet_parse(ParquetFile *f, const uint8_t *at, size_t size, Arena *a, Error *err)
{
    uint32_t length = 0;
    *f = (ParquetFile){0};
    if (size < 12 || memcmp(at, PARQUET_MAGIC, 4) != 0)
        return error_set(err, ERROR_PARSE, "not a Parquet file: it does not begin with PAR1");
    if (memcmp(at + size - 4, "PARE", 4) == 0)
        return error_set(err, ERROR_PARSE, "is encrypted, which is not supported");
    if (memcmp(at + size - 4, PARQUET_MAGIC, 4) != 0)
        return error_set(err, ERROR_PARSE,
                         "truncated: %zu bytes that do not end with PAR1; fetch or make it again",
                         size);
    memcpy(&length, at + size - 8, 4);
    if (length > size - 12)
        return error_set(err, ERROR_PARSE,
                         "broken file: its footer says %u bytes, the file has %zu", length, size);
    Thrift t = {at + size - 8 - length, at + size - 8, false};
    Meta m = {.file = f, .at = at, .size = size - 8 - length, .arena = a, .err = err};
    return parse_footer(&m, &t);
}
