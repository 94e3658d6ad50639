/* write_page.c -- rows of a column as one Parquet data page, and the words of a group as its dictionary.
 *
 * Text that has words becomes codes, as long as the group's dictionary is small; everything else is
 * PLAIN. A page is levels (one bit a row), then the values there are, packed together. */
#include "write_int.h"

#include <lz4.h>
#include <math.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

#define DICTIONARY_BYTES ((size_t)1 << 20)
#define STATS_TEXT       128 /* longer text is left out of the statistics */

/* ---- packing -------------------------------------------------------------------------------------- */

static size_t pack_gzip(const Text *raw, char *to, size_t room)
{
    z_stream z = {0};
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return 0;
    z.next_in = (Bytef *)raw->at;
    z.avail_in = (uInt)raw->count;
    z.next_out = (Bytef *)to;
    z.avail_out = (uInt)room;
    int code = deflate(&z, Z_FINISH);
    size_t n = code == Z_STREAM_END ? z.total_out : 0;
    deflateEnd(&z);
    return n;
}

static size_t most_packed(int codec, size_t n)
{
    switch (codec) {
    case CODEC_SNAPPY:
        return snappy_max_compressed_length(n);
    case CODEC_ZSTD:
        return ZSTD_compressBound(n);
    case CODEC_LZ4_RAW:
        return (size_t)LZ4_compressBound((int)n);
    case CODEC_GZIP:
        return n + n / 500 + 256;
    default:
        return n;
    }
}

static bool pack(int codec, const Text *raw, Text *to)
{
    size_t room = most_packed(codec, raw->count), n = room;
    *to = (Text){.at = mem_alloc(room + 1), .room = room + 1};
    switch (codec) {
    case CODEC_SNAPPY:
        if (snappy_compress(raw->at, raw->count, to->at, &n) != SNAPPY_OK)
            n = 0;
        break;
    case CODEC_ZSTD:
        n = ZSTD_compress(to->at, room, raw->at, raw->count, 1);
        n = ZSTD_isError(n) ? 0 : n;
        break;
    case CODEC_LZ4_RAW:
        n = (size_t)LZ4_compress_default(raw->at, to->at, (int)raw->count, (int)room);
        break;
    case CODEC_GZIP:
        n = pack_gzip(raw, to->at, room);
        break;
    default:
        if (n)
            memcpy(to->at, raw->at, n);
    }
    to->count = n;
    return n > 0 || codec == CODEC_NONE;
}

/* The raw bytes as a page behind those there are. */
static void put_page(OutColumn *o, Text *into, int type, uint64_t values, int encoding)
{
    Text packed;
    if (o->raw.count > INT32_MAX / 2) {
        o->why = "more than 1 GB in one page; leave it out";
        return;
    }
    if (!pack(o->codec, &o->raw, &packed))
        o->why = "cannot be packed";
    size_t before = into->count;
    put_page_head(into, type, o->raw.count, &packed, values, encoding);
    o->unpacked += into->count - before + o->raw.count;
    text_add(into, packed.at, packed.count);
    text_release(&packed);
}

/* ---- least and most ------------------------------------------------------------------------------- */

static int compare_text(const Text *a, const char *s, size_t n)
{
    size_t least = a->count < n ? a->count : n;
    int order = least ? memcmp(a->at, s, least) : 0;
    return order ? order : (a->count > n) - (a->count < n);
}

static void set_text(Text *t, const char *s, size_t n)
{
    text_reset(t);
    text_add(t, s, n);
}

static void see_text(WrittenStats *w, const char *s, size_t n)
{
    bool low = !w->some || compare_text(&w->least_text, s, n) > 0;
    bool high = !w->some || compare_text(&w->most_text, s, n) < 0;
    w->lost |= (low || high) && n > STATS_TEXT;
    if (w->lost)
        return;
    if (low)
        set_text(&w->least_text, s, n);
    if (high)
        set_text(&w->most_text, s, n);
    w->some = true;
}

static void see_int(WrittenStats *w, int64_t v)
{
    w->least_int = !w->some || v < w->least_int ? v : w->least_int;
    w->most_int = !w->some || v > w->most_int ? v : w->most_int;
    w->some = true;
}

static void see_real(WrittenStats *w, double v)
{
    if (isnan(v))
        return;
    w->least = !w->some || v < w->least ? v : w->least;
    w->most = !w->some || v > w->most ? v : w->most;
    w->some = true;
}

/* ---- values --------------------------------------------------------------------------------------- */

static void put_levels(OutColumn *o, const Column *c, size_t missing)
{
    Text run = {0};
    size_t bytes = bit_bytes(c->rows);
    if (!missing) {
        thrift_put_varint(&run, (uint64_t)c->rows << 1);
        text_putc(&run, 1);
    } else {
        uint8_t *bits = mem_alloc(bytes + 8);
        bits_copy(bits, 0, c->valid, 0, c->rows);
        thrift_put_varint(&run, (uint64_t)bytes << 1 | 1);
        text_add(&run, (const char *)bits, bytes);
        mem_free(bits);
    }
    uint32_t size = (uint32_t)run.count;
    text_add(&o->raw, (const char *)&size, 4);
    text_add(&o->raw, run.at, run.count);
    text_release(&run);
}

static void put_numbers(OutColumn *o, const Column *c, size_t missing)
{
    size_t width = column_width(c->type);
    const char *values = (const char *)c->integer;
    if (!missing)
        text_add(&o->raw, values, c->rows * width);
    for (size_t i = 0; i < c->rows; i++) {
        if (!column_has(c, i))
            continue;
        if (missing)
            text_add(&o->raw, values + i * width, width);
        if (c->type == COLUMN_REAL)
            see_real(&o->stats, c->real[i]);
        else
            see_int(&o->stats, c->type == COLUMN_DATE ? c->day[i] : c->integer[i]);
    }
}

static void put_bits(OutColumn *o, const Column *c)
{
    uint8_t *bits = mem_alloc(bit_bytes(c->rows) + 8);
    size_t m = 0;
    for (size_t i = 0; i < c->rows; i++)
        if (column_has(c, i)) {
            bool v = bit_get(c->bit, i);
            if (v)
                bit_set(bits, m);
            m++;
            see_int(&o->stats, v);
        }
    text_add(&o->raw, (const char *)bits, bit_bytes(m));
    mem_free(bits);
}

static void put_strings(OutColumn *o, const Column *c)
{
    for (size_t i = 0; i < c->rows && o->raw.count <= INT32_MAX; i++) {
        size_t n;
        if (!column_has(c, i))
            continue;
        const char *s = column_text(c, i, &n);
        uint32_t size = (uint32_t)n;
        text_add(&o->raw, (const char *)&size, 4);
        text_add(&o->raw, s, n);
        if (!o->stats.lost)
            see_text(&o->stats, s, n);
    }
}

/* The codes of the rows in the group's dictionary; false: it would grow too large. */
static bool take_codes(OutColumn *o, const Column *c, size_t *count)
{
    const Words *w = c->words;
    if (o->words != w) {
        mem_free(o->remap);
        o->remap = mem_alloc((w->count + 1) * sizeof *o->remap);
        memset(o->remap, 0xff, (w->count + 1) * sizeof *o->remap);
        o->words = w;
    }
    if (c->rows > o->codes_room) {
        mem_free(o->codes);
        o->codes = mem_alloc(c->rows * sizeof *o->codes);
        o->codes_room = c->rows;
    }
    size_t m = 0;
    for (size_t i = 0; i < c->rows; i++) {
        if (!column_has(c, i))
            continue;
        int32_t *code = &o->remap[c->code[i]];
        if (*code < 0) {
            size_t n, bytes = o->table.count ? (size_t)o->table.start[o->table.count] : 0;
            const char *s = words_get(w, (size_t)c->code[i], &n);
            if (bytes + n + 4 * o->table.count > DICTIONARY_BYTES)
                return false;
            *code = wordtable_code(&o->table, s, n);
            if (*code < 0)
                return false;
        }
        o->codes[m++] = (uint32_t)*code;
    }
    *count = m;
    return true;
}

/* A byte of width, then all codes as one stretch of packed bits. */
static void put_codes(OutColumn *o, size_t m)
{
    unsigned width = 1;
    while (width < 31 && o->table.count > (size_t)1 << width)
        width++;
    size_t groups = (m + 7) / 8, bytes = groups * width;
    text_putc(&o->raw, (char)width);
    thrift_put_varint(&o->raw, (uint64_t)groups << 1 | 1);
    uint8_t *bits = mem_alloc(bytes + 8);
    for (size_t i = 0, at = 0; i < m; i++, at += width) {
        uint64_t v;
        memcpy(&v, bits + (at >> 3), 8);
        v |= (uint64_t)o->codes[i] << (at & 7);
        memcpy(bits + (at >> 3), &v, 8);
    }
    text_add(&o->raw, (const char *)bits, bytes);
    mem_free(bits);
}

void out_add(OutColumn *o, const Column *c)
{
    size_t missing = c->valid ? c->rows - bits_count(c->valid, 0, c->rows) : 0, m = 0;
    text_reset(&o->raw);
    put_levels(o, c, missing);
    o->stats.missing += missing;
    o->rows += c->rows;
    bool coded = c->type == COLUMN_TEXT && c->words && !o->full;
    if (coded && !take_codes(o, c, &m)) {
        coded = false;
        o->full = true;
    }
    if (coded)
        put_codes(o, m);
    else if (c->type == COLUMN_TEXT)
        put_strings(o, c);
    else if (c->type == COLUMN_BOOL)
        put_bits(o, c);
    else
        put_numbers(o, c, missing);
    o->coded |= coded;
    o->plain |= !coded;
    put_page(o, &o->pages, PAGE_DATA, c->rows, coded ? RLE_DICTIONARY : PLAIN);
}

void out_dictionary(OutColumn *o)
{
    if (!o->coded)
        return;
    Words words;
    wordtable_words(&o->table, &words);
    text_reset(&o->raw);
    for (size_t i = 0; i < words.count; i++) {
        size_t n;
        const char *s = words_get(&words, i, &n);
        uint32_t size = (uint32_t)n;
        text_add(&o->raw, (const char *)&size, 4);
        text_add(&o->raw, s, n);
        if (!o->stats.lost)
            see_text(&o->stats, s, n);
    }
    put_page(o, &o->dictionary, PAGE_DICTIONARY, words.count, PLAIN);
}

/* ---- for write.c ---------------------------------------------------------------------------------- */

void out_range(OutColumn *o, WrittenColumn *w)
{
    const WrittenStats *s = &o->stats;
    double least = s->least == 0 ? -0.0 : s->least, most = s->most == 0 ? 0.0 : s->most;
    w->missing = s->missing;
    w->has_range = s->some && !s->lost;
    if (!w->has_range)
        return;
    size_t width = o->type == COLUMN_BOOL ? 1 : column_width(o->type);
    switch (o->type) {
    case COLUMN_TEXT:
        text_add(&w->least, s->least_text.at, s->least_text.count);
        text_add(&w->most, s->most_text.at, s->most_text.count);
        break;
    case COLUMN_REAL:
        text_add(&w->least, (const char *)&least, 8);
        text_add(&w->most, (const char *)&most, 8);
        break;
    default: /* little endian: the first bytes are those of the narrower types */
        text_add(&w->least, (const char *)&s->least_int, width);
        text_add(&w->most, (const char *)&s->most_int, width);
    }
}

void out_reset(OutColumn *o)
{
    text_reset(&o->pages);
    text_reset(&o->dictionary);
    wordtable_release(&o->table);
    o->table = (WordTable){0};
    mem_free(o->remap);
    o->remap = NULL;
    o->words = NULL;
    o->unpacked = o->rows = 0;
    o->coded = o->plain = o->full = false;
    text_release(&o->stats.least_text);
    text_release(&o->stats.most_text);
    o->stats = (WrittenStats){0};
}

void out_release(OutColumn *o)
{
    out_reset(o);
    text_release(&o->pages);
    text_release(&o->raw);
    text_release(&o->dictionary);
    mem_free(o->codes);
}
