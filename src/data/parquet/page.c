/* page.c -- the pages of a column chunk: their heads, their checksums, and what they are packed by. */
#include "parquet_int.h"

#include <lz4.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

#define PAGE_MOST ((size_t)1 << 30)

const char *parquet_codec_name(int64_t codec)
{
    static const char *const names[] = {
        [CODEC_NONE] = "uncompressed", [CODEC_SNAPPY] = "snappy",   [CODEC_GZIP] = "gzip",
        [CODEC_ZSTD] = "zstd",         [CODEC_LZ4_RAW] = "lz4_raw",
    };
    return codec >= 0 && codec < (int64_t)COUNT_OF(names) ? names[codec] : NULL;
}

/* ---- heads ---------------------------------------------------------------------------------------- */

static void parse_data(Thrift *t, int type, PageHead *h)
{
    int id = 0, inner;
    if (type != THRIFT_STRUCT)
        t->broken = true;
    while (thrift_field(t, &id, &inner))
        if (id == 1)
            h->values = thrift_int(t, inner);
        else if (id == 2)
            h->encoding = thrift_int(t, inner);
        else if (id == 3 && h->type == PAGE_DATA)
            h->level_encoding = thrift_int(t, inner);
        else
            thrift_skip(t, inner);
}

static void parse_data_v2(Thrift *t, int type, PageHead *h)
{
    int id = 0, inner;
    if (type != THRIFT_STRUCT)
        t->broken = true;
    h->level_encoding = RLE;
    while (thrift_field(t, &id, &inner))
        switch (id) {
        case 1:
            h->values = thrift_int(t, inner);
            break;
        case 4:
            h->encoding = thrift_int(t, inner);
            break;
        case 5:
            h->def_bytes = thrift_int(t, inner);
            break;
        case 6:
            h->rep_bytes = thrift_int(t, inner);
            break;
        case 7:
            h->is_packed = thrift_bool(t, inner);
            break;
        default:
            thrift_skip(t, inner);
        }
}

static bool parse_head(Thrift *t, PageHead *h)
{
    int id = 0, type;
    *h = (PageHead){.type = -1,
                    .unpacked = -1,
                    .packed = -1,
                    .values = -1,
                    .encoding = -1,
                    .level_encoding = RLE,
                    .is_packed = true};
    while (thrift_field(t, &id, &type))
        switch (id) {
        case 1:
            h->type = thrift_int(t, type);
            break;
        case 2:
            h->unpacked = thrift_int(t, type);
            break;
        case 3:
            h->packed = thrift_int(t, type);
            break;
        case 4:
            h->crc = (uint32_t)thrift_int(t, type);
            h->has_crc = true;
            break;
        case 5:
        case 7:
            parse_data(t, type, h);
            break;
        case 8:
            parse_data_v2(t, type, h);
            break;
        default:
            thrift_skip(t, type);
        }
    return !t->broken && h->packed >= 0 && h->unpacked >= 0 &&
           (uint64_t)h->packed <= (uint64_t)(t->end - t->at);
}

/* ---- unpacking ------------------------------------------------------------------------------------ */

static bool unpack_gzip(const uint8_t *from, size_t size, uint8_t *to, size_t made)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)from,
                  .avail_in = (uInt)size,
                  .next_out = to,
                  .avail_out = (uInt)made};
    if (inflateInit2(&z, 15 + 32) != Z_OK) /* gzip or zlib, by its first bytes */
        return false;
    int code = inflate(&z, Z_FINISH);
    while (code == Z_STREAM_END && z.avail_out && z.avail_in) { /* several members */
        inflateReset(&z);
        code = inflate(&z, Z_FINISH);
    }
    inflateEnd(&z);
    return code == Z_STREAM_END && z.avail_out == 0;
}

bool parquet_unpack(int codec, const uint8_t *from, size_t size, uint8_t *to, size_t made,
                    Error *err)
{
    bool ok = false;
    size_t n = 0;
    switch (codec) {
    case CODEC_SNAPPY:
        ok = snappy_uncompressed_length((const char *)from, size, &n) == SNAPPY_OK && n == made &&
             snappy_uncompress((const char *)from, size, (char *)to, &n) == SNAPPY_OK && n == made;
        break;
    case CODEC_GZIP:
        ok = unpack_gzip(from, size, to, made);
        break;
    case CODEC_ZSTD:
        ok = ZSTD_decompress(to, made, from, size) == made;
        break;
    case CODEC_LZ4_RAW:
        ok = size <= INT32_MAX &&
             LZ4_decompress_safe((const char *)from, (char *)to, (int)size, (int)made) == (int)made;
        break;
    default:
        break;
    }
    return ok ||
           error_set(err, ERROR_PARSE, "a page's %s bytes are broken", parquet_codec_name(codec));
}

/* Can so few bytes become so many? */
static bool plausible(int codec, uint64_t packed, uint64_t unpacked)
{
    static const uint32_t most[] = {[CODEC_NONE] = 1,
                                    [CODEC_SNAPPY] = 64,
                                    [CODEC_GZIP] = 1040,
                                    [CODEC_ZSTD] = 32768,
                                    [CODEC_LZ4_RAW] = 256};
    return unpacked <= PAGE_MOST && unpacked / most[codec] <= packed + 64;
}

static bool room_for(uint8_t **buffer, size_t *room, size_t size, Error *err)
{
    if (*room >= size && *buffer)
        return true;
    mem_free(*buffer);
    *room = 0;
    *buffer = mem_try(size + size / 4 + 64, err);
    if (*buffer)
        *room = size + size / 4 + 64;
    return *buffer != NULL;
}

bool page_next(const ParquetChunk *c, const uint8_t **at, uint8_t **buffer, size_t *room,
               PageHead *head, PageBytes *levels, PageBytes *values, Error *err)
{
    Thrift t = {*at, c->end, false};
    *levels = (PageBytes){0};
    if (*at >= c->end)
        return error_set(err, ERROR_PARSE, "broken file: it has fewer values than rows");
    if (!parse_head(&t, head))
        return error_set(err, ERROR_PARSE, "broken file: the head of a page makes no sense");
    const uint8_t *from = t.at;
    size_t packed = (size_t)head->packed, unpacked = (size_t)head->unpacked;
    *at = from + packed;
    if (head->has_crc && crc32(crc32(0, NULL, 0), from, (uInt)packed) != head->crc)
        return error_set(
            err, ERROR_PARSE,
            "broken file: a page has not the checksum it was written with; fetch or make "
            "it again");
    if (head->type == PAGE_DATA_V2) {
        uint64_t front = (uint64_t)head->def_bytes + (uint64_t)head->rep_bytes;
        if (head->def_bytes < 0 || head->rep_bytes < 0 || front > packed || front > unpacked)
            return error_set(err, ERROR_PARSE, "broken file: the levels of a page go beyond it");
        *levels = (PageBytes){from + head->rep_bytes, from + front};
        from += front;
        packed -= (size_t)front;
        unpacked -= (size_t)front;
    }
    if (c->codec == CODEC_NONE || (head->type == PAGE_DATA_V2 && !head->is_packed) || !packed) {
        *values = (PageBytes){from, from + packed};
        return true;
    }
    if (!plausible(c->codec, packed, unpacked))
        return error_set(err, ERROR_PARSE, "broken file: a page of %zu bytes cannot become %zu",
                         packed, unpacked);
    if (!room_for(buffer, room, unpacked, err) ||
        !parquet_unpack(c->codec, from, packed, *buffer, unpacked, err))
        return false;
    *values = (PageBytes){*buffer, *buffer + unpacked};
    return true;
}
