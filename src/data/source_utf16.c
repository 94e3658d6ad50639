/* source_utf16.c -- UTF-16 with a byte order mark, as spreadsheets save it, as UTF-8 on the way. The
 * mark becomes that of UTF-8; a half of a pair alone becomes U+FFFD. */
#include "reader_int.h"

#include <string.h>

typedef struct Utf16 {
    Stream stream;
    Stream *from;
    bool big, ended;
    uint8_t in[16384];
    size_t in_at, in_count;
    uint8_t out[4];
    size_t out_at, out_count;
} Utf16;

/* At least two bytes, if there are. */
static bool refill(Utf16 *u, Error *err)
{
    while (u->in_count - u->in_at < 4 && !u->ended) { /* a pair takes four */
        size_t got, left = u->in_count - u->in_at;
        memmove(u->in, u->in + u->in_at, left);
        u->in_at = 0;
        u->in_count = left;
        if (!u->from->read(u->from, u->in + left, sizeof u->in - left, &got, err))
            return false;
        u->ended = got == 0;
        u->in_count += got;
    }
    return true;
}

static uint32_t unit_at(const Utf16 *u, size_t at)
{
    uint32_t a = u->in[at], b = u->in[at + 1];
    return u->big ? a << 8 | b : b << 8 | a;
}

static uint32_t next_character(Utf16 *u)
{
    uint32_t c = unit_at(u, u->in_at);
    u->in_at += 2;
    if (c < 0xd800 || c > 0xdfff)
        return c;
    if (c > 0xdbff || u->in_count - u->in_at < 2)
        return 0xfffd;
    uint32_t low = unit_at(u, u->in_at);
    if (low < 0xdc00 || low > 0xdfff)
        return 0xfffd;
    u->in_at += 2;
    return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
}

static size_t put_utf8(uint32_t c, uint8_t *out)
{
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (uint8_t)(0x80 | (c & 63));
    out[0] = (uint8_t)(lead[n] | c);
    return n;
}

static bool utf16_read(Stream *s, uint8_t *into, size_t room, size_t *got, Error *err)
{
    Utf16 *u = (Utf16 *)s;
    *got = 0;
    while (*got < room) {
        if (u->out_at < u->out_count) {
            into[(*got)++] = u->out[u->out_at++];
            continue;
        }
        if (u->in_count - u->in_at < 4 && !u->ended && (*got || !refill(u, err)))
            return *got > 0;
        if (u->in_count - u->in_at < 2)
            return true; /* the end, or half a character there */
        u->out_at = 0;
        u->out_count = put_utf8(next_character(u), u->out);
    }
    return true;
}

static void utf16_close(Stream *s)
{
    mem_free(s); /* from is the source's */
}

Stream *utf16_stream(Stream *from, bool big_endian)
{
    Utf16 *u = mem_alloc(sizeof *u);
    u->stream = (Stream){.read = utf16_read, .close = utf16_close};
    u->from = from;
    u->big = big_endian;
    return &u->stream;
}
