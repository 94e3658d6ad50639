/* cursor_fixed.c -- values of a fixed width, and booleans, out of a column chunk. */
#include "cursor_int.h"

/* m values as they would lie in a PLAIN page; NULL: there are not so many. */
static const uint8_t *plain_values(Cursor *c, size_t m, Error *err)
{
    size_t width = c->column.width;
    const uint8_t *from = c->values;
    if (c->encoding == PLAIN && (size_t)(c->end - c->values) / width >= m) {
        c->values += m * width;
        return from;
    }
    uint8_t *to = cursor_scratch(c, m * (width < 8 ? 8 : width) + 8);
    if (c->encoding == BYTE_STREAM_SPLIT && c->splits - c->split >= m) {
        for (size_t k = 0; k < width; k++)
            for (size_t i = 0; i < m; i++)
                to[i * width + k] = from[k * c->splits + c->split + i];
        c->split += m;
        return to;
    }
    if (c->encoding == DELTA_BINARY_PACKED && delta_take(&c->delta, (int64_t *)(void *)to, m)) {
        const int64_t *wide = (const int64_t *)(void *)to;
        for (size_t i = 0; width == 4 && i < m; i++) {
            int64_t v = wide[i];
            memcpy(to + 4 * i, &v,
                   4); /* the lower half; what is written lies behind what is read */
        }
        return to;
    }
    if (c->encoding == DELTA_BYTE_ARRAY) {
        for (size_t i = 0; i < m; i++) {
            if (!cursor_prefixed(c, err))
                return NULL;
            if (c->last.count != width) {
                cursor_broken(err, "a value is not as long as its type");
                return NULL;
            }
            memcpy(to + i * width, c->last.at, width);
        }
        return to;
    }
    cursor_broken(err, "a page has fewer values than it says");
    return NULL;
}

bool cursor_fixed_values(Cursor *c, Rows *r, size_t m, Error *err)
{
    size_t size = cursor_unit(c);
    uint8_t *to = r->values + r->done * size;
    if (c->encoding == RLE_DICTIONARY || c->encoding == PLAIN_DICTIONARY) {
        uint32_t *code = cursor_scratch(c, m * 4);
        if (!cursor_codes(c, code, m, err))
            return false;
        if (size == 8)
            for (size_t i = 0; i < m; i++)
                ((uint64_t *)(void *)to)[i] = ((const uint64_t *)c->fixed)[code[i]];
        else
            for (size_t i = 0; i < m; i++)
                ((uint32_t *)(void *)to)[i] = ((const uint32_t *)c->fixed)[code[i]];
        return true;
    }
    const uint8_t *from = plain_values(c, m, err);
    if (!from)
        return false;
    return parquet_convert(&c->column, from, m, to) ||
           error_set(err, ERROR_PARSE,
                     "has a value beyond int64; read it as a number with types=%s:float64",
                     c->column.name);
}

bool cursor_bool_values(Cursor *c, Rows *r, size_t m, size_t take, Error *err)
{
    uint8_t *to = r->values;
    size_t at = r->done;
    if (m < take) { /* spread below */
        to = cursor_scratch(c, bit_bytes(m) + 8);
        memset(to, 0, bit_bytes(m) + 8);
        at = 0;
    }
    if (c->encoding == RLE) {
        if (!hybrid_bits(&c->codes, to, at, m))
            return cursor_broken(err, "a page has fewer values than it says");
    } else if (c->encoding != PLAIN) {
        return cursor_unknown(c, err);
    } else {
        if ((c->bit + m + 7) / 8 > (uint64_t)(c->end - c->values))
            return cursor_broken(err, "a page has fewer values than it says");
        bits_copy(to, at, c->values, (size_t)c->bit, m);
        c->bit += m;
    }
    for (size_t i = 0, j = 0; m < take && i < take; i++)
        if (bit_get(r->valid, r->done + i) && bit_get(to, j++))
            bit_set(r->values, r->done + i);
    return true;
}
