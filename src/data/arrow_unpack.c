/* arrow_unpack.c -- the packed buffers of an Arrow batch: LZ4 frames and Zstandard.
 *
 * A buffer is int64 its unpacked length, then the packed bytes; length -1: the bytes are as they are.
 * Only as many bytes are made as the rows need, and no more than so many bytes can hold. */
#include "arrow_int.h"

#include <lz4frame.h>
#include <zstd.h>

#define LZ4_MOST  256 /* bytes that one packed byte can become */
#define ZSTD_MOST 32768

static bool unpack_lz4(const uint8_t *from, size_t size, uint8_t *to, size_t need)
{
    LZ4F_dctx *context;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
        return false;
    size_t made = 0, taken = 0;
    while (made < need) {
        size_t room = need - made, left = size - taken;
        size_t hint = LZ4F_decompress(context, to + made, &room, from + taken, &left, NULL);
        made += room;
        taken += left;
        if (LZ4F_isError(hint) || (!room && !left) || (hint == 0 && taken == size))
            break;
    }
    LZ4F_freeDecompressionContext(context);
    return made == need;
}

static bool unpack_zstd(const uint8_t *from, size_t size, uint8_t *to, size_t need)
{
    ZSTD_DStream *stream = ZSTD_createDStream();
    ZSTD_inBuffer in = {from, size, 0};
    ZSTD_outBuffer out = {to, need, 0};
    while (stream && out.pos < need) {
        size_t in_before = in.pos, out_before = out.pos;
        size_t hint = ZSTD_decompressStream(stream, &out, &in);
        if (ZSTD_isError(hint) || (in.pos == in_before && out.pos == out_before))
            break;
    }
    ZSTD_freeDStream(stream);
    return out.pos == need;
}

/* `need` bytes of the buffer; NULL: it has not so many. */
static const uint8_t *unpack(const uint8_t *at, size_t size, ArrowPacking packing, uint64_t need,
                             Arena *a)
{
    int64_t length;
    if (need == 0)
        return arena_alloc(a, 8);
    if (size < 8)
        return NULL;
    memcpy(&length, at, 8);
    size -= 8;
    if (length == -1)
        return size >= need ? at + 8 : NULL;
    if (length < 0 || (uint64_t)length < need ||
        need / (packing == ARROW_LZ4 ? LZ4_MOST : ZSTD_MOST) > size)
        return NULL;
    uint8_t *to = arena_alloc(a, (size_t)need);
    bool ok = packing == ARROW_LZ4 ? unpack_lz4(at + 8, size, to, (size_t)need)
                                   : unpack_zstd(at + 8, size, to, (size_t)need);
    return ok ? to : NULL;
}

/* Unpacked length of a whole buffer, as it says. */
static size_t length_of(const uint8_t *at, size_t size)
{
    int64_t length = 0;
    if (size >= 8)
        memcpy(&length, at, 8);
    return length == -1 ? size - 8 : length > 0 ? (size_t)length : 0;
}

static bool unpack_more(const ArrowPart *packed, Arena *a, ArrowPart *out)
{
    ArrowSlice *more = ARENA_NEW(a, ArrowSlice, packed->more_count + 1);
    for (size_t i = 0; i < packed->more_count; i++) {
        more[i].size = length_of(packed->more[i].at, packed->more[i].size);
        more[i].at = more[i].size > INT32_MAX ? NULL
                                              : unpack(packed->more[i].at, packed->more[i].size,
                                                       packed->packing, more[i].size, a);
        if (!more[i].at)
            return false;
    }
    out->more = more;
    return true;
}

/* The bytes of text: as many as the last offset says. */
static bool unpack_text(const ArrowField *f, const ArrowPart *packed, Arena *a, ArrowPart *out)
{
    int64_t last;
    if (f->layout == LAYOUT_I64)
        last = ((const int64_t *)(const void *)out->values)[packed->rows];
    else
        last = ((const int32_t *)(const void *)out->values)[packed->rows];
    if (last < 0 || last > INT32_MAX)
        return false;
    out->bytes_size = (size_t)last;
    out->bytes = unpack(packed->bytes, packed->bytes_size, packed->packing, (uint64_t)last, a);
    return out->bytes != NULL;
}

bool arrow_unpack(const ArrowField *f, const ArrowPart *packed, Arena *a, ArrowPart *out,
                  Error *err)
{
    size_t rows = packed->rows;
    bool plain = packed->bytes != NULL;
    *out = *packed;
    out->packing = ARROW_UNPACKED;
    if (f->layout == LAYOUT_NONE)
        return true;
    bool ok = true;
    if (packed->valid) {
        out->valid = unpack(packed->valid, packed->valid_size, packed->packing, bit_bytes(rows), a);
        ok = out->valid != NULL;
    }
    out->values = unpack(packed->values, packed->values_size, packed->packing,
                         arrow_layout_bytes(f->layout, rows + plain), a);
    ok = ok && out->values && (!plain || unpack_text(f, packed, a, out)) &&
         (!packed->more || unpack_more(packed, a, out));
    if (ok)
        return true;
    return error_set(err, ERROR_PARSE, "column %s: its packed bytes are broken", f->name);
}
