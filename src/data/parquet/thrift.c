/* thrift.c -- Thrift's compact protocol, read with distrust and written, as far as Parquet uses it. */
#include "parquet_int.h"

#define DEPTH_MOST 32

static uint8_t byte(Thrift *t)
{
    if (t->broken || t->at >= t->end) {
        t->broken = true;
        return 0;
    }
    return *t->at++;
}

uint64_t thrift_varint(Thrift *t)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t b = byte(t);
        v |= (uint64_t)(b & 127) << shift;
        if (b < 128)
            return v;
    }
    t->broken = true;
    return 0;
}

static int64_t zigzag(Thrift *t)
{
    uint64_t v = thrift_varint(t);
    return (int64_t)(v >> 1 ^ (0 - (v & 1)));
}

bool thrift_field(Thrift *t, int *id, int *type)
{
    uint8_t head = byte(t);
    *type = head & 15;
    if (t->broken || *type == THRIFT_STOP)
        return false;
    int64_t next = head >> 4 ? *id + (head >> 4) : zigzag(t);
    if (next < 0 || next > INT16_MAX)
        t->broken = true;
    *id = (int)next;
    return !t->broken;
}

int64_t thrift_int(Thrift *t, int type)
{
    if (type == THRIFT_BYTE)
        return (int8_t)byte(t);
    if (type >= THRIFT_I16 && type <= THRIFT_I64)
        return zigzag(t);
    t->broken = true;
    return 0;
}

bool thrift_bool(Thrift *t, int type)
{
    if (type != THRIFT_TRUE && type != THRIFT_FALSE)
        t->broken = true;
    return type == THRIFT_TRUE;
}

const uint8_t *thrift_binary(Thrift *t, int type, size_t *n)
{
    uint64_t size = thrift_varint(t);
    *n = 0;
    if (t->broken || type != THRIFT_BINARY || size > (uint64_t)(t->end - t->at)) {
        t->broken = true;
        return NULL;
    }
    *n = (size_t)size;
    t->at += size;
    return t->at - size;
}

size_t thrift_list(Thrift *t, int type, int *item)
{
    if (type != THRIFT_LIST && type != THRIFT_SET)
        t->broken = true;
    uint8_t head = byte(t);
    uint64_t count = head >> 4 == 15 ? thrift_varint(t) : head >> 4;
    *item = head & 15;
    if (t->broken || count > (uint64_t)(t->end - t->at)) /* an item has a byte at least */
        t->broken = true;
    return t->broken ? 0 : (size_t)count;
}

static void skip(Thrift *t, int type, int depth)
{
    int item, id = 0;
    size_t n;
    if (depth > DEPTH_MOST)
        t->broken = true;
    if (t->broken)
        return;
    switch (type) {
    case THRIFT_TRUE:
    case THRIFT_FALSE:
        break;
    case THRIFT_BYTE:
        byte(t);
        break;
    case THRIFT_I16:
    case THRIFT_I32:
    case THRIFT_I64:
        thrift_varint(t);
        break;
    case THRIFT_DOUBLE:
        for (n = 0; n < 8; n++)
            byte(t);
        break;
    case THRIFT_BINARY:
        thrift_binary(t, type, &n);
        break;
    case THRIFT_LIST:
    case THRIFT_SET:
        n = thrift_list(t, type, &item);
        for (size_t i = 0; i < n && !t->broken; i++) /* a bool in a list is a byte */
            skip(t, item == THRIFT_TRUE || item == THRIFT_FALSE ? THRIFT_BYTE : item, depth + 1);
        break;
    case THRIFT_MAP:
        n = (size_t)thrift_varint(t);
        item = n ? byte(t) : 0;
        for (size_t i = 0; i < n && !t->broken; i++) {
            skip(t, item >> 4, depth + 1);
            skip(t, item & 15, depth + 1);
        }
        break;
    case THRIFT_STRUCT:
        while (thrift_field(t, &id, &item))
            skip(t, item, depth + 1);
        break;
    default:
        t->broken = true;
    }
}

void thrift_skip(Thrift *t, int type)
{
    skip(t, type, 0);
}

/* ---- writing ------------------------------------------------------------------------------------- */

void thrift_put_varint(Text *into, uint64_t v)
{
    for (; v > 127; v >>= 7)
        text_putc(into, (char)(v | 128));
    text_putc(into, (char)v);
}

void thrift_put_field(Text *into, int *last, int id, int type)
{
    text_putc(into, (char)((id - *last) << 4 | type)); /* ours lie less than 16 apart */
    *last = id;
}

static void put_zigzag(Text *into, int64_t v)
{
    thrift_put_varint(into, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

void thrift_put_int(Text *into, int *last, int id, int type, int64_t v)
{
    thrift_put_field(into, last, id, type);
    if (type == THRIFT_BYTE)
        text_putc(into, (char)v);
    else
        put_zigzag(into, v);
}

void thrift_put_binary(Text *into, int *last, int id, const void *at, size_t n)
{
    if (id)
        thrift_put_field(into, last, id, THRIFT_BINARY);
    thrift_put_varint(into, n);
    text_add(into, at, n);
}

void thrift_put_bool(Text *into, int *last, int id, bool v)
{
    thrift_put_field(into, last, id, v ? THRIFT_TRUE : THRIFT_FALSE);
}

void thrift_put_list(Text *into, int *last, int id, int item, size_t count)
{
    thrift_put_field(into, last, id, THRIFT_LIST);
    if (count < 15) {
        text_putc(into, (char)(count << 4 | (unsigned)item));
        return;
    }
    text_putc(into, (char)(15 << 4 | item));
    thrift_put_varint(into, count);
}
