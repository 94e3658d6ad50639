/* source_pack.c -- gzip (zlib) and zstd undone on the way. Several members or frames in a row are
 * one text, as gunzip and unzstd have it. */
#include "reader_int.h"

#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define PACKED_BLOCK ((size_t)256 << 10)

typedef struct Unpack {
    Stream stream;
    char *name;
    Stream *from;
    uint8_t *in;
    size_t in_at, in_count;
    bool ended;     /* no more packed bytes */
    bool in_member; /* the packed text is not complete here */
    z_stream z;
    ZSTD_DStream *zstd;
} Unpack;

static bool refill(Unpack *u, Error *err)
{
    if (u->in_at < u->in_count || u->ended)
        return true;
    u->in_at = 0;
    if (!u->from->read(u->from, u->in, PACKED_BLOCK, &u->in_count, err))
        return false;
    u->ended = u->in_count == 0;
    u->in_member |= u->in_count > 0;
    return true;
}

static bool cut_short(const Unpack *u, const char *packing, Error *err)
{
    return error_set(err, ERROR_PARSE, "%s: the %s data ends too early; the file is cut short",
                     u->name, packing);
}

static bool gzip_read(Stream *s, uint8_t *into, size_t room, size_t *got, Error *err)
{
    Unpack *u = (Unpack *)s;
    *got = 0;
    uInt most = room > 1u << 30 ? 1u << 30 : (uInt)room;
    while (!*got) {
        if (!refill(u, err))
            return false;
        if (u->ended)
            return !u->in_member || cut_short(u, "gzip", err);
        u->z.next_in = u->in + u->in_at;
        u->z.avail_in = (uInt)(u->in_count - u->in_at);
        u->z.next_out = into;
        u->z.avail_out = most;
        int code = inflate(&u->z, Z_NO_FLUSH);
        u->in_at = u->in_count - u->z.avail_in;
        *got = most - u->z.avail_out;
        if (code == Z_STREAM_END) {
            u->in_member = u->in_at < u->in_count;
            inflateReset(&u->z);
        } else if (code != Z_OK && code != Z_BUF_ERROR) {
            return error_set(err, ERROR_PARSE, "%s: the gzip data is broken (%s)", u->name,
                             u->z.msg ? u->z.msg : "unknown reason");
        }
    }
    return true;
}

static bool zstd_read(Stream *s, uint8_t *into, size_t room, size_t *got, Error *err)
{
    Unpack *u = (Unpack *)s;
    *got = 0;
    while (!*got) {
        if (!refill(u, err))
            return false;
        if (u->ended && !u->in_member)
            return true;
        ZSTD_inBuffer in = {u->in, u->ended ? 0 : u->in_count, u->ended ? 0 : u->in_at};
        ZSTD_outBuffer out = {into, room, 0};
        size_t code = ZSTD_decompressStream(u->zstd, &out, &in);
        if (ZSTD_isError(code))
            return error_set(err, ERROR_PARSE, "%s: the zstd data is broken (%s)", u->name,
                             ZSTD_getErrorName(code));
        if (!u->ended)
            u->in_at = in.pos;
        *got = out.pos;
        u->in_member = code != 0 || u->in_at < u->in_count;
        if (u->ended && !out.pos && code != 0)
            return cut_short(u, "zstd", err);
    }
    return true;
}

static void unpack_close(Stream *s)
{
    Unpack *u = (Unpack *)s;
    if (u->zstd)
        ZSTD_freeDStream(u->zstd);
    else
        inflateEnd(&u->z);
    mem_free(u->in);
    mem_free(u->name);
    mem_free(u);
}

static Unpack *unpack_create(const char *name, Stream *from)
{
    Unpack *u = mem_alloc(sizeof *u);
    u->stream.close = unpack_close;
    u->name = text_copy(name);
    u->from = from;
    u->in = mem_alloc(PACKED_BLOCK);
    return u;
}

Stream *gzip_stream(const char *name, Stream *from)
{
    Unpack *u = unpack_create(name, from);
    u->stream.read = gzip_read;
    inflateInit2(&u->z, 15 + 16); /* 15: the largest window, 16: gzip's own wrapping */
    return &u->stream;
}

Stream *zstd_stream(const char *name, Stream *from)
{
    Unpack *u = unpack_create(name, from);
    u->stream.read = zstd_read;
    u->zstd = ZSTD_createDStream();
    return &u->stream;
}
