/* kind.c -- what a Parquet column becomes: from physical and logical type to how its values are read. */
#include "parquet_int.h"

#include <math.h>

#define JULIAN_1970 2440588 /* the Julian day of 1970-01-01 */
#define DAY_MICROS  INT64_C(86400000000)

enum {
    LOGICAL_STRING = 1,
    LOGICAL_MAP,
    LOGICAL_LIST,
    LOGICAL_ENUM,
    LOGICAL_DECIMAL,
    LOGICAL_DATE,
    LOGICAL_TIME,
    LOGICAL_TIMESTAMP,
    LOGICAL_INTEGER = 10,
    LOGICAL_NULL,
    LOGICAL_JSON,
    LOGICAL_BSON,
    LOGICAL_UUID,
    LOGICAL_FLOAT16
};
enum {
    CONVERTED_UTF8,
    CONVERTED_ENUM = 4,
    CONVERTED_DECIMAL,
    CONVERTED_DATE,
    CONVERTED_TIME_MS,
    CONVERTED_TIME_US,
    CONVERTED_STAMP_MS,
    CONVERTED_STAMP_US,
    CONVERTED_UINT8,
    CONVERTED_UINT64 = 14,
    CONVERTED_INT8,
    CONVERTED_INT64 = 18,
    CONVERTED_JSON,
    CONVERTED_BSON,
    CONVERTED_INTERVAL
};

ColumnType parquet_type(ParquetKind k)
{
#define AS_TYPE(name, type) COLUMN_##type,
    static const ColumnType types[] = {KINDS(AS_TYPE)};
#undef AS_TYPE
    return types[k];
}

/* Older files say by ConvertedType what newer ones say by LogicalType. */
static int logical_of(const SchemaElement *e, int64_t *unit)
{
    *unit = e->unit;
    if (e->logical || e->converted < 0)
        return e->logical;
    switch (e->converted) {
    case CONVERTED_UTF8:
        return LOGICAL_STRING;
    case CONVERTED_ENUM:
        return LOGICAL_ENUM;
    case CONVERTED_DECIMAL:
        return LOGICAL_DECIMAL;
    case CONVERTED_DATE:
        return LOGICAL_DATE;
    case CONVERTED_TIME_MS:
    case CONVERTED_TIME_US:
        return LOGICAL_TIME;
    case CONVERTED_STAMP_MS:
    case CONVERTED_STAMP_US:
        *unit = e->converted == CONVERTED_STAMP_MS ? 1 : 2;
        return LOGICAL_TIMESTAMP;
    case CONVERTED_JSON:
        return LOGICAL_JSON;
    case CONVERTED_BSON:
        return LOGICAL_BSON;
    default:
        return e->converted >= CONVERTED_UINT8 && e->converted <= CONVERTED_INT64 ? LOGICAL_INTEGER
                                                                                  : 0;
    }
}

static bool is_unsigned(const SchemaElement *e)
{
    if (e->logical == LOGICAL_INTEGER)
        return !e->is_signed;
    return e->converted >= CONVERTED_UINT8 && e->converted <= CONVERTED_UINT64;
}

static bool refused(const SchemaElement *e, const char *what, Error *err)
{
    return error_set(
        err, ERROR_PARSE,
        "column %s: Parquet type %s is not supported; cast it or leave it out in the tool "
        "that wrote it, or write CSV",
        e->name, what);
}

static bool stamp_kind(const SchemaElement *e, int64_t unit, ParquetColumn *out, Error *err)
{
    static const int64_t times[] = {1, 1000, 1, 1}, over[] = {1, 1, 1, 1000};
    if (unit < 1 || unit > 3)
        return refused(e, "timestamp of an unknown unit", err);
    out->kind = KIND_TIME;
    out->times = times[unit];
    out->over = over[unit];
    return true;
}

static bool decimal_kind(const SchemaElement *e, ParquetColumn *out, Error *err)
{
    if (e->scale < 0 || e->scale > 38)
        return refused(e, "decimal of an odd scale", err);
    out->scale = (int)e->scale;
    out->kind = e->type == PARQUET_INT32   ? KIND_DEC32
                : e->type == PARQUET_INT64 ? KIND_DEC64
                                           : KIND_DECIMAL;
    return e->type != PARQUET_BYTES && (out->kind != KIND_DECIMAL || out->width <= 16)
               ? true
               : refused(e, "decimal of more than 38 digits or as byte_array", err);
}

bool parquet_kind(const SchemaElement *e, ParquetColumn *out, Error *err)
{
    static const size_t widths[] = {0, 4, 8, 12, 4, 8, 0, 0};
    int64_t unit;
    int logical = logical_of(e, &unit);
    out->physical = (int)e->type;
    out->width = e->type == PARQUET_FIXED ? (size_t)e->width : widths[e->type];
    out->times = out->over = 1;
    if (e->type == PARQUET_FIXED && (e->width < 1 || e->width > INT16_MAX))
        return refused(e, "fixed_len_byte_array of an odd length", err);
    if (e->converted == CONVERTED_INTERVAL)
        return refused(e, "interval", err);
    if (logical == LOGICAL_TIME)
        return refused(e, "time", err);
    if (logical == LOGICAL_BSON)
        return refused(e, "bson", err);
    if (logical > LOGICAL_FLOAT16 || logical == LOGICAL_MAP || logical == LOGICAL_LIST)
        return refused(e, "variant, geometry, map or list", err);
    if (logical == LOGICAL_DECIMAL && e->type != PARQUET_BOOLEAN)
        return decimal_kind(e, out, err);
    switch (e->type) {
    case PARQUET_BOOLEAN:
        out->kind = KIND_BOOL;
        return true;
    case PARQUET_INT32:
        out->kind = logical == LOGICAL_DATE ? KIND_DAY : is_unsigned(e) ? KIND_U32 : KIND_I32;
        return true;
    case PARQUET_INT64:
        if (logical == LOGICAL_TIMESTAMP)
            return stamp_kind(e, unit, out, err);
        out->kind = is_unsigned(e) ? KIND_U64 : KIND_I64;
        return true;
    case PARQUET_INT96:
        out->kind = KIND_TIME96;
        return true;
    case PARQUET_FLOAT:
        out->kind = KIND_F32;
        return true;
    case PARQUET_DOUBLE:
        out->kind = KIND_F64;
        return true;
    case PARQUET_BYTES: /* without a logical type it may be text all the same: that is checked */
        out->kind = KIND_TEXT;
        return true;
    default:
        out->kind = logical == LOGICAL_FLOAT16 && out->width == 2 ? KIND_F16
                    : logical == LOGICAL_UUID && out->width == 16 ? KIND_UUID
                                                                  : KIND_FIXED_TEXT;
        return true;
    }
}

/* ---- values --------------------------------------------------------------------------------------- */

static double decimal(__int128 v, int scale)
{
    double real;
    bool minus = v < 0;
    unsigned __int128 digits = minus ? -(unsigned __int128)v : (unsigned __int128)v;
    if (digits >> 63 || !decimal_real((uint64_t)digits, scale, &real))
        real = (double)((long double)digits / powl(10, scale));
    return minus ? -real : real;
}

static __int128 big_endian(const uint8_t *at, size_t n) /* two's complement */
{
    unsigned __int128 v = at[0] & 128 ? ~(unsigned __int128)0 : 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | at[i];
    return (__int128)v;
}

static double half(const uint8_t *at)
{
    int h = at[0] | at[1] << 8, exponent = h >> 10 & 31, fraction = h & 1023;
    double v = exponent == 0    ? ldexp(fraction, -24)
               : exponent == 31 ? (fraction ? (double)NAN : (double)INFINITY)
                                : ldexp(1024 + fraction, exponent - 25);
    return h >> 15 ? -v : v;
}

static int64_t scaled(int64_t v, int64_t times, int64_t over)
{
    v = (int64_t)((uint64_t)v * (uint64_t)times); /* what overflows is out of any calendar */
    return v / over - (v % over < 0);
}

static int64_t stamp96(const uint8_t *at) /* int64 nanoseconds of the day, int32 Julian day */
{
    int64_t nanos;
    int32_t day;
    memcpy(&nanos, at, 8);
    memcpy(&day, at + 8, 4);
    return (int64_t)((uint64_t)(day - (int64_t)JULIAN_1970) * (uint64_t)DAY_MICROS) +
           scaled(nanos, 1, 1000);
}

/* to[i] = expression over v, which is the i-th value of type T. */
#define EACH(T, O, expression)                                                                     \
    for (size_t i = 0; i < m; i++) {                                                               \
        T v;                                                                                       \
        memcpy(&v, from + i * sizeof v, sizeof v);                                                 \
        ((O *)to)[i] = (expression);                                                               \
    }

bool parquet_convert(const ParquetColumn *c, const uint8_t *from, size_t m, void *to)
{
    uint64_t all = 0;
    switch (c->kind) {
    case KIND_I32:
        EACH(int32_t, int64_t, v)
        break;
    case KIND_U32:
        EACH(uint32_t, int64_t, v)
        break;
    case KIND_U64:
        EACH(uint64_t, uint64_t, (all |= v, v))
        break;
    case KIND_U64_REAL:
        EACH(uint64_t, double, (double)v)
        break;
    case KIND_F32:
        EACH(float, double, (double)v)
        break;
    case KIND_I64:
    case KIND_F64:
        memcpy(to, from, 8 * m);
        break;
    case KIND_DAY:
        memcpy(to, from, 4 * m);
        break;
    case KIND_TIME:
        if (c->times == 1 && c->over == 1)
            memcpy(to, from, 8 * m);
        else
            EACH(int64_t, int64_t, scaled(v, c->times, c->over))
        break;
    case KIND_TIME96:
        for (size_t i = 0; i < m; i++)
            ((int64_t *)to)[i] = stamp96(from + 12 * i);
        break;
    case KIND_F16:
        for (size_t i = 0; i < m; i++)
            ((double *)to)[i] = half(from + 2 * i);
        break;
    case KIND_DEC32:
        EACH(int32_t, double, decimal(v, c->scale))
        break;
    case KIND_DEC64:
        EACH(int64_t, double, decimal(v, c->scale))
        break;
    case KIND_DECIMAL:
        for (size_t i = 0; i < m; i++)
            ((double *)to)[i] = decimal(big_endian(from + c->width * i, c->width), c->scale);
        break;
    default:
        return false;
    }
    return !(all >> 63);
}

void parquet_text(const ParquetColumn *c, const uint8_t *from, char uuid[37])
{
    static const char hex[] = "0123456789abcdef";
    size_t n = 0;
    for (size_t i = 0; i < c->width && i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            uuid[n++] = '-';
        uuid[n++] = hex[from[i] >> 4];
        uuid[n++] = hex[from[i] & 15];
    }
    uuid[n] = 0;
}
