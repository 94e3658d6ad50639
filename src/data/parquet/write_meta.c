/* write_meta.c -- the heads of Parquet pages and the footer: schema, row groups, statistics. */
#include "write_int.h"

#include <zlib.h>

enum { OPTIONAL = 1 }; /* FieldRepetitionType */

void put_page_head(Text *into, int type, size_t unpacked, const Text *packed, uint64_t values,
                   int encoding)
{
    int last = 0, inner = 0;
    uint32_t crc =
        (uint32_t)crc32(crc32(0, NULL, 0), (const Bytef *)packed->at, (uInt)packed->count);
    thrift_put_int(into, &last, 1, THRIFT_I32, type);
    thrift_put_int(into, &last, 2, THRIFT_I32, (int64_t)unpacked);
    thrift_put_int(into, &last, 3, THRIFT_I32, (int64_t)packed->count);
    thrift_put_int(into, &last, 4, THRIFT_I32, (int32_t)crc);
    thrift_put_field(into, &last, type == PAGE_DICTIONARY ? 7 : 5, THRIFT_STRUCT);
    thrift_put_int(into, &inner, 1, THRIFT_I32, (int64_t)values);
    thrift_put_int(into, &inner, 2, THRIFT_I32, encoding);
    if (type == PAGE_DATA) {
        thrift_put_int(into, &inner, 3, THRIFT_I32, RLE);
        thrift_put_int(into, &inner, 4, THRIFT_I32, RLE);
    }
    text_putc(into, THRIFT_STOP);
    text_putc(into, THRIFT_STOP);
}

/* ---- schema --------------------------------------------------------------------------------------- */

typedef struct Said {
    int physical, converted, logical;
} Said; /* -1, 0: not said */
static const Said said[COLUMN_TYPE_COUNT] = {
    [COLUMN_BOOL] = {PARQUET_BOOLEAN, -1, 0}, [COLUMN_INT] = {PARQUET_INT64, -1, 0},
    [COLUMN_REAL] = {PARQUET_DOUBLE, -1, 0},  [COLUMN_TIME] = {PARQUET_INT64, 10, 8},
    [COLUMN_DATE] = {PARQUET_INT32, 6, 6},    [COLUMN_TEXT] = {PARQUET_BYTES, 0, 1},
};

static void put_timestamp(Text *into) /* UTC, microseconds */
{
    int last = 0, unit = 0;
    thrift_put_bool(into, &last, 1, true);
    thrift_put_field(into, &last, 2, THRIFT_STRUCT);
    thrift_put_field(into, &unit, 2, THRIFT_STRUCT);
    text_putc(into, THRIFT_STOP);
    text_putc(into, THRIFT_STOP);
}

static void put_element(Text *into, const Field *f)
{
    int last = 0, which = 0;
    const Said *s = &said[f->type];
    thrift_put_int(into, &last, 1, THRIFT_I32, s->physical);
    thrift_put_int(into, &last, 3, THRIFT_I32, OPTIONAL);
    thrift_put_binary(into, &last, 4, f->name, strlen(f->name));
    if (s->converted >= 0)
        thrift_put_int(into, &last, 6, THRIFT_I32, s->converted);
    if (s->logical) {
        thrift_put_field(into, &last, 10, THRIFT_STRUCT);
        thrift_put_field(into, &which, s->logical, THRIFT_STRUCT);
        if (f->type == COLUMN_TIME)
            put_timestamp(into);
        text_putc(into, THRIFT_STOP);
        text_putc(into, THRIFT_STOP);
    }
    text_putc(into, THRIFT_STOP);
}

static void put_schema(Text *into, const Schema *s)
{
    int last = 0;
    thrift_put_binary(into, &last, 4, "schema", 6);
    thrift_put_int(into, &last, 5, THRIFT_I32, (int64_t)s->count);
    text_putc(into, THRIFT_STOP);
    for (size_t i = 0; i < s->count; i++)
        put_element(into, &s->field[i]);
}

/* ---- row groups ----------------------------------------------------------------------------------- */

static void put_statistics(Text *into, const WrittenColumn *c)
{
    int last = 0;
    thrift_put_int(into, &last, 3, THRIFT_I64, (int64_t)c->missing);
    if (c->has_range) {
        thrift_put_binary(into, &last, 5, c->most.at, c->most.count);
        thrift_put_binary(into, &last, 6, c->least.at, c->least.count);
    }
    text_putc(into, THRIFT_STOP);
}

static void put_zigzag(Text *into, int64_t v)
{
    thrift_put_varint(into, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

static void put_column_meta(Text *into, const Field *f, const WrittenColumn *c, int codec)
{
    int last = 0;
    thrift_put_int(into, &last, 1, THRIFT_I32, said[f->type].physical);
    thrift_put_list(into, &last, 2, THRIFT_I32, c->coded ? 3 : 2);
    put_zigzag(into, PLAIN);
    put_zigzag(into, RLE);
    if (c->coded)
        put_zigzag(into, RLE_DICTIONARY);
    thrift_put_list(into, &last, 3, THRIFT_BINARY, 1);
    thrift_put_binary(into, NULL, 0, f->name, strlen(f->name));
    thrift_put_int(into, &last, 4, THRIFT_I32, codec);
    thrift_put_int(into, &last, 5, THRIFT_I64, c->values);
    thrift_put_int(into, &last, 6, THRIFT_I64, c->unpacked);
    thrift_put_int(into, &last, 7, THRIFT_I64, c->packed);
    thrift_put_int(into, &last, 9, THRIFT_I64, c->data_at);
    if (c->dictionary_at)
        thrift_put_int(into, &last, 11, THRIFT_I64, c->dictionary_at);
    thrift_put_field(into, &last, 12, THRIFT_STRUCT);
    put_statistics(into, c);
    text_putc(into, THRIFT_STOP);
}

static void put_group(Text *into, const Schema *s, const WrittenGroup *g, int codec)
{
    int last = 0;
    thrift_put_list(into, &last, 1, THRIFT_STRUCT, s->count);
    for (size_t i = 0; i < s->count; i++) {
        int chunk = 0;
        const WrittenColumn *c = &g->column[i];
        thrift_put_int(into, &chunk, 2, THRIFT_I64,
                       c->dictionary_at ? c->dictionary_at : c->data_at);
        thrift_put_field(into, &chunk, 3, THRIFT_STRUCT);
        put_column_meta(into, &s->field[i], c, codec);
        text_putc(into, THRIFT_STOP);
    }
    thrift_put_int(into, &last, 2, THRIFT_I64, g->bytes);
    thrift_put_int(into, &last, 3, THRIFT_I64, (int64_t)g->rows);
    thrift_put_int(into, &last, 5, THRIFT_I64, g->at);
    text_putc(into, THRIFT_STOP);
}

void put_footer(Text *into, const Schema *s, const WrittenGroup *group, size_t groups, int codec,
                uint64_t rows)
{
    static const char by[] = "lathe version " LATHE_VERSION " (build 0)";
    int last = 0;
    thrift_put_int(into, &last, 1, THRIFT_I32, 2);
    thrift_put_list(into, &last, 2, THRIFT_STRUCT, s->count + 1);
    put_schema(into, s);
    thrift_put_int(into, &last, 3, THRIFT_I64, (int64_t)rows);
    thrift_put_list(into, &last, 4, THRIFT_STRUCT, groups);
    for (size_t i = 0; i < groups; i++)
        put_group(into, s, &group[i], codec);
    thrift_put_binary(into, &last, 6, by, strlen(by));
    thrift_put_list(into, &last, 7, THRIFT_STRUCT, s->count); /* all by the order of their type */
    for (size_t i = 0; i < s->count; i++) {
        int order = 0;
        thrift_put_field(into, &order, 1, THRIFT_STRUCT);
        text_putc(into, THRIFT_STOP);
        text_putc(into, THRIFT_STOP);
    }
    text_putc(into, THRIFT_STOP);
}
