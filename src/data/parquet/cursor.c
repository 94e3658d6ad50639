/* cursor.c -- the pages of one column chunk as rows, in order, so many at a time.
 *
 * Values are decoded densely, as pages have them, then spread over the rows that have one. Text whose
 * pages all have a dictionary stays words and codes; at the first page without, it turns plain. */
#include "parquet_int.h"

#include <inttypes.h>

struct Cursor {
    ParquetColumn column;
    const ParquetChunk *chunk;
    const uint8_t *at; /* the next page */
    /* the page */
    uint8_t *buffer;
    size_t room, left; /* values left, nulls included */
    int64_t encoding;
    Hybrid levels, codes;
    const uint8_t *values, *end;
    bool begun;
    uint64_t bit; /* PLAIN booleans */
    Delta delta, suffixes;
    size_t split, splits; /* BYTE_STREAM_SPLIT: next value, values in all */
    Text last;            /* DELTA_BYTE_ARRAY: the value before */
    /* the dictionary */
    bool has_dictionary;
    size_t entries;
    void *fixed; /* [entries] converted */
    WordTable table;
    Words words;
    int32_t *map; /* [entries] -> word; NULL: the same */
    /* scratch */
    void *scratch;
    size_t scratch_room;
};

typedef struct Rows { /* the column being made */
    Arena *arena;
    size_t rows, done;
    uint8_t *valid;
    uint8_t *values; /* BOOL: bits */
    int32_t *code, *start;
    char *bytes;
    size_t used, room;
    bool plain;
} Rows;

static bool broken(Error *err, const char *why)
{
    return error_set(err, ERROR_PARSE, "broken file: %s", why);
}

static void *scratch(Cursor *c, size_t size)
{
    if (c->scratch_room < size) {
        mem_free(c->scratch);
        c->scratch = mem_alloc(size);
        c->scratch_room = size;
    }
    return c->scratch;
}

static size_t unit(const Cursor *c) /* bytes of one value of ours */
{
    return parquet_type(c->column.kind) == COLUMN_DATE ? 4 : 8;
}

static bool is_text(const Cursor *c)
{
    return parquet_type(c->column.kind) == COLUMN_TEXT;
}

/* ---- plain values of text ------------------------------------------------------------------------- */

/* The next string of a PLAIN page or dictionary; NULL: it goes beyond the bytes. */
static const uint8_t *next_string(const ParquetColumn *c, const uint8_t **at, const uint8_t *end,
                                  size_t *n)
{
    uint32_t size = (uint32_t)c->width;
    if (c->kind == KIND_TEXT) {
        if (end - *at < 4)
            return NULL;
        memcpy(&size, *at, 4);
        *at += 4;
    }
    if (size > (size_t)(end - *at))
        return NULL;
    const uint8_t *s = *at;
    *at += size;
    *n = size;
    return s;
}

static bool text_room(Rows *r, size_t more, Error *err)
{
    if (more > INT32_MAX - r->used)
        return error_set(err, ERROR_SPACE, "more than 2 GB of text in %zu rows; leave it out",
                         r->rows);
    if (r->used + more <= r->room)
        return true;
    size_t room = 2 * (r->used + more) + 256;
    char *bytes = arena_alloc(r->arena, room);
    if (r->used)
        memcpy(bytes, r->bytes, r->used);
    r->bytes = bytes;
    r->room = room;
    return true;
}

static bool put_text(const Cursor *c, Rows *r, const uint8_t *s, size_t n, size_t row, Error *err)
{
    char uuid[37];
    if (c->column.kind == KIND_UUID && n == 16) {
        parquet_text(&c->column, s, uuid);
        s = (const uint8_t *)uuid;
        n = 36;
    }
    if (r->used + n > r->room && !text_room(r, n, err))
        return false;
    memcpy(r->bytes + r->used, s, n);
    r->used += n;
    r->start[row + 1] = (int32_t)r->used;
    return true;
}

/* What was codes so far becomes text. */
static bool turn_plain(Cursor *c, Rows *r, Error *err)
{
    if (r->plain)
        return true;
    r->plain = true;
    r->start = ARENA_NEW(r->arena, int32_t, r->rows + 1);
    r->bytes = arena_alloc(r->arena, 1);
    for (size_t i = 0; i < r->done; i++) {
        size_t n = 0;
        const char *s = "";
        if (!r->valid || bit_get(r->valid, i))
            s = words_get(&c->words, (size_t)r->code[i], &n);
        if (!text_room(r, n, err))
            return false;
        memcpy(r->bytes + r->used, s, n);
        r->used += n;
        r->start[i + 1] = (int32_t)r->used;
    }
    return true;
}

/* ---- dictionaries --------------------------------------------------------------------------------- */

static bool text_dictionary(Cursor *c, PageBytes p, Error *err)
{
    bool same = true;
    char uuid[37];
    c->map = mem_alloc((c->entries + 1) * sizeof *c->map);
    for (size_t i = 0; i < c->entries; i++) {
        size_t n;
        const uint8_t *s = next_string(&c->column, &p.at, p.end, &n);
        if (!s)
            return broken(err, "its dictionary is shorter than it says");
        if (c->column.kind == KIND_UUID) {
            parquet_text(&c->column, s, uuid);
            s = (const uint8_t *)uuid;
            n = 36;
        }
        c->map[i] = wordtable_code(&c->table, (const char *)s, n);
        if (c->map[i] == WORD_NONE)
            return error_set(err, ERROR_SPACE, "more than 2 GB of text in a dictionary");
        same &= c->map[i] == (int32_t)i;
    }
    if (same) {
        mem_free(c->map);
        c->map = NULL;
    }
    wordtable_words(&c->table, &c->words);
    return true;
}

static bool take_dictionary(Cursor *c, const PageHead *h, PageBytes p, Error *err)
{
    if (c->has_dictionary)
        return broken(err, "it has two dictionaries");
    if (h->encoding != PLAIN && h->encoding != PLAIN_DICTIONARY)
        return broken(err, "its dictionary is of an unknown encoding");
    size_t bytes = (size_t)(p.end - p.at), least = c->column.width ? c->column.width : 4;
    if (c->column.kind == KIND_BOOL || h->values < 0 || (uint64_t)h->values > bytes / least)
        return broken(err, "its dictionary is shorter than it says");
    c->entries = (size_t)h->values;
    c->has_dictionary = true;
    if (is_text(c))
        return text_dictionary(c, p, err);
    c->fixed = mem_alloc(c->entries * unit(c) + 8);
    return parquet_convert(&c->column, p.at, c->entries, c->fixed) ||
           error_set(err, ERROR_PARSE,
                     "has a value beyond int64; read it as a number with types=%s:float64",
                     c->column.name);
}

/* ---- pages ---------------------------------------------------------------------------------------- */

/* The definition levels of a page of the first version stand before its values. */
static bool take_levels(Cursor *c, const PageHead *h, PageBytes levels, PageBytes *values,
                        Error *err)
{
    if (h->type == PAGE_DATA && c->column.optional) {
        uint32_t n = 0;
        if (h->level_encoding != RLE)
            return error_set(err, ERROR_PARSE,
                             "its levels are bit-packed, which is deprecated; write it anew");
        if (values->end - values->at >= 4)
            memcpy(&n, values->at, 4);
        if (values->end - values->at < 4 || n > (size_t)(values->end - values->at - 4))
            return broken(err, "the levels of a page go beyond it");
        levels = (PageBytes){values->at + 4, values->at + 4 + n};
        values->at = levels.end;
    }
    if (c->column.optional)
        hybrid_begin(&c->levels, levels.at, levels.end, 1);
    return true;
}

static bool next_page(Cursor *c, Error *err)
{
    while (!c->left) {
        PageHead h;
        PageBytes levels, values;
        if (!page_next(c->chunk, &c->at, &c->buffer, &c->room, &h, &levels, &values, err))
            return false;
        if (h.type == PAGE_DICTIONARY) {
            if (!take_dictionary(c, &h, values, err))
                return false;
        } else if (h.type == PAGE_DATA || h.type == PAGE_DATA_V2) {
            if (h.values < 0 || h.values > INT32_MAX)
                return broken(err, "the head of a page makes no sense");
            if (!take_levels(c, &h, levels, &values, err))
                return false;
            c->left = (size_t)h.values;
            c->encoding = h.encoding;
            c->values = values.at;
            c->end = values.end;
            c->begun = false;
        }
    }
    return true;
}

static bool unknown(const Cursor *c, Error *err)
{
    static const char *const names[] = {
        "plain",          "group var int",       "plain dictionary",        "rle",
        "bit-packed",     "delta binary packed", "delta length byte array", "delta byte array",
        "rle dictionary", "byte stream split"};
    bool named = c->encoding >= 0 && c->encoding < (int64_t)COUNT_OF(names);
    return error_set(err, ERROR_PARSE,
                     "the encoding %s is not supported for its type; write it plain",
                     named ? names[c->encoding] : "of one page");
}

static bool begin_codes(Cursor *c, Error *err)
{
    if (!c->has_dictionary)
        return broken(err, "its dictionary is missing");
    if (c->values == c->end || *c->values > 32)
        return broken(err, "a page of codes makes no sense");
    hybrid_begin(&c->codes, c->values + 1, c->end, *c->values);
    return true;
}

static bool begin_deltas(Cursor *c, Error *err)
{
    if (!delta_begin(&c->delta, c->values, c->end))
        return broken(err, "a page of deltas makes no sense");
    if (c->encoding == DELTA_BINARY_PACKED)
        return true;
    c->values = delta_end(&c->delta);
    if (c->values && c->encoding == DELTA_BYTE_ARRAY) {
        text_reset(&c->last);
        if (!delta_begin(&c->suffixes, c->values, c->end))
            return broken(err, "a page of deltas makes no sense");
        c->values = delta_end(&c->suffixes);
    }
    return c->values != NULL || broken(err, "a page of deltas makes no sense");
}

/* How the page's values lie, looked at when the first of them is wanted. */
static bool begin_values(Cursor *c, Error *err)
{
    bool whole = c->column.physical == PARQUET_INT32 || c->column.physical == PARQUET_INT64;
    bool bytes = c->column.physical == PARQUET_BYTES || c->column.physical == PARQUET_FIXED;
    c->begun = true;
    switch (c->encoding) {
    case PLAIN:
        c->bit = 0;
        return true;
    case PLAIN_DICTIONARY:
    case RLE_DICTIONARY:
        return begin_codes(c, err);
    case RLE:
        if (c->column.kind != KIND_BOOL || c->end - c->values < 4)
            return unknown(c, err);
        hybrid_begin(&c->codes, c->values + 4, c->end, 1);
        return true;
    case DELTA_BINARY_PACKED:
        return whole ? begin_deltas(c, err) : unknown(c, err);
    case DELTA_LENGTH_BYTE_ARRAY:
        return c->column.kind == KIND_TEXT ? begin_deltas(c, err) : unknown(c, err);
    case DELTA_BYTE_ARRAY:
        return bytes ? begin_deltas(c, err) : unknown(c, err);
    case BYTE_STREAM_SPLIT:
        if (!c->column.width)
            return unknown(c, err);
        c->split = 0;
        c->splits = (size_t)(c->end - c->values) / c->column.width;
        return true;
    default:
        return unknown(c, err);
    }
}

/* ---- values --------------------------------------------------------------------------------------- */

static bool take_codes(Cursor *c, uint32_t *code, size_t m, Error *err)
{
    uint32_t most = 0;
    if (!hybrid_take(&c->codes, code, m))
        return broken(err, "a page has fewer codes than values");
    for (size_t i = 0; i < m; i++)
        most = code[i] > most ? code[i] : most;
    return !m || most < c->entries || broken(err, "a code leads beyond the dictionary");
}

/* The next DELTA_BYTE_ARRAY value is in c->last. */
static bool next_prefixed(Cursor *c, Error *err)
{
    int64_t prefix, suffix;
    if (!delta_take(&c->delta, &prefix, 1) || !delta_take(&c->suffixes, &suffix, 1) || prefix < 0 ||
        (uint64_t)prefix > c->last.count || suffix < 0 || suffix > c->end - c->values)
        return broken(err, "a page of prefixes goes beyond its bytes");
    c->last.count = (size_t)prefix;
    text_add(&c->last, (const char *)c->values, (size_t)suffix);
    c->values += suffix;
    return true;
}

static bool text_values(Cursor *c, Rows *r, size_t m, Error *err)
{
    size_t n, row = r->done;
    const uint8_t *s;
    int64_t size;
    bool ok = turn_plain(c, r, err) &&
              (c->encoding != PLAIN || text_room(r, (size_t)(c->end - c->values), err));
    for (size_t i = 0; i < m && ok; i++, row++)
        switch (c->encoding) {
        case PLAIN:
            s = next_string(&c->column, &c->values, c->end, &n);
            ok = s ? put_text(c, r, s, n, row, err) : broken(err, "a page of text ends too early");
            break;
        case DELTA_LENGTH_BYTE_ARRAY:
            if (!delta_take(&c->delta, &size, 1) || size < 0 || size > c->end - c->values)
                return broken(err, "a page of text ends too early");
            ok = put_text(c, r, c->values, (size_t)size, row, err);
            c->values += size;
            break;
        case DELTA_BYTE_ARRAY:
            ok = next_prefixed(c, err) &&
                 put_text(c, r, (const uint8_t *)c->last.at, c->last.count, row, err);
            break;
        default:
            return unknown(c, err);
        }
    return ok;
}

static bool text_codes(Cursor *c, Rows *r, size_t m, Error *err)
{
    uint32_t *code = r->plain ? scratch(c, m * 4) : (uint32_t *)r->code + r->done;
    if (!take_codes(c, code, m, err))
        return false;
    for (size_t i = 0; c->map && i < m; i++)
        code[i] = (uint32_t)c->map[code[i]];
    for (size_t i = 0; r->plain && i < m; i++) {
        size_t n;
        const char *s = words_get(&c->words, code[i], &n);
        if (!text_room(r, n, err))
            return false;
        memcpy(r->bytes + r->used, s, n);
        r->used += n;
        r->start[r->done + i + 1] = (int32_t)r->used;
    }
    return true;
}

/* m values as they would lie in a PLAIN page; NULL: there are not so many. */
static const uint8_t *plain_values(Cursor *c, size_t m, Error *err)
{
    size_t width = c->column.width;
    const uint8_t *from = c->values;
    if (c->encoding == PLAIN && (size_t)(c->end - c->values) / width >= m) {
        c->values += m * width;
        return from;
    }
    uint8_t *to = scratch(c, m * (width < 8 ? 8 : width) + 8);
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
            if (!next_prefixed(c, err))
                return NULL;
            if (c->last.count != width) {
                broken(err, "a value is not as long as its type");
                return NULL;
            }
            memcpy(to + i * width, c->last.at, width);
        }
        return to;
    }
    broken(err, "a page has fewer values than it says");
    return NULL;
}

static bool fixed_values(Cursor *c, Rows *r, size_t m, Error *err)
{
    size_t size = unit(c);
    uint8_t *to = r->values + r->done * size;
    if (c->encoding == RLE_DICTIONARY || c->encoding == PLAIN_DICTIONARY) {
        uint32_t *code = scratch(c, m * 4);
        if (!take_codes(c, code, m, err))
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

static bool bool_values(Cursor *c, Rows *r, size_t m, size_t take, Error *err)
{
    uint8_t *to = r->values;
    size_t at = r->done;
    if (m < take) { /* spread below */
        to = scratch(c, bit_bytes(m) + 8);
        memset(to, 0, bit_bytes(m) + 8);
        at = 0;
    }
    if (c->encoding == RLE) {
        if (!hybrid_bits(&c->codes, to, at, m))
            return broken(err, "a page has fewer values than it says");
    } else if (c->encoding != PLAIN) {
        return unknown(c, err);
    } else {
        if ((c->bit + m + 7) / 8 > (uint64_t)(c->end - c->values))
            return broken(err, "a page has fewer values than it says");
        bits_copy(to, at, c->values, (size_t)c->bit, m);
        c->bit += m;
    }
    for (size_t i = 0, j = 0; m < take && i < take; i++)
        if (bit_get(r->valid, r->done + i) && bit_get(to, j++))
            bit_set(r->values, r->done + i);
    return true;
}

/* ---- rows ----------------------------------------------------------------------------------------- */

/* m values lie at the first of `take` rows: each moves to its row; rows without one become 0. */
#define SPREAD(T, array)                                                                           \
    for (size_t i = take, j = m; i-- > 0;)                                                         \
        (array)[r->done + i] = bit_get(r->valid, r->done + i) ? (array)[r->done + --j] : (T)0;

static void spread(const Cursor *c, Rows *r, size_t m, size_t take)
{
    if (is_text(c) && r->plain) {
        r->start[r->done] = r->done ? r->start[r->done] : 0;
        for (size_t i = take, j = m; i > 0; i--) {
            r->start[r->done + i] = r->start[r->done + j];
            j -= bit_get(r->valid, r->done + i - 1);
        }
    } else if (is_text(c)) {
        SPREAD(int32_t, r->code)
    } else if (unit(c) == 4) {
        int32_t *v = (int32_t *)(void *)r->values;
        SPREAD(int32_t, v)
    } else {
        int64_t *v = (int64_t *)(void *)r->values;
        SPREAD(int64_t, v)
    }
}

static bool read_rows(Cursor *c, Rows *r, size_t take, Error *err)
{
    size_t m = take;
    bool coded = c->encoding == RLE_DICTIONARY || c->encoding == PLAIN_DICTIONARY, ok = true;
    if (c->column.optional) {
        if (!hybrid_bits(&c->levels, r->valid, r->done, take))
            return broken(err, "a page has fewer levels than values");
        m = bits_count(r->valid, r->done, take);
    }
    if (m && !c->begun && !begin_values(c, err))
        return false;
    if (c->column.kind == KIND_BOOL)
        return !m || bool_values(c, r, m, take, err);
    if (is_text(c) && m)
        ok = coded ? text_codes(c, r, m, err) : text_values(c, r, m, err);
    else if (m)
        ok = fixed_values(c, r, m, err);
    if (ok && m < take)
        spread(c, r, m, take);
    return ok;
}

static void finish(Cursor *c, Rows *r, Column *out)
{
    out->valid = r->valid;
    if (!is_text(c)) {
        out->bit = r->values; /* all members of the union begin there */
    } else if (r->plain) {
        out->start = r->start;
        out->bytes = r->bytes;
    } else {
        out->code = r->code;
        out->words = &c->words;
    }
    if (r->valid && bits_count(r->valid, 0, r->rows) == r->rows)
        out->valid = NULL;
}

bool cursor_read(Cursor *c, size_t rows, Arena *a, Column *out, Error *err)
{
    Rows r = {.arena = a, .rows = rows};
    *out = (Column){.name = c->column.name, .type = parquet_type(c->column.kind), .rows = rows};
    if (c->column.optional)
        r.valid = arena_alloc(a, bit_bytes(rows) + 8);
    if (is_text(c))
        r.code = ARENA_NEW(a, int32_t, rows + 1);
    else
        r.values =
            arena_alloc(a, c->column.kind == KIND_BOOL ? bit_bytes(rows) + 8 : rows * unit(c));
    for (size_t take; r.done < rows; r.done += take, c->left -= take) {
        if (!c->left && !next_page(c, err))
            return false;
        take = c->left < rows - r.done ? c->left : rows - r.done;
        if (!read_rows(c, &r, take, err))
            return false;
    }
    finish(c, &r, out);
    return true;
}

Cursor *cursor_create(const ParquetColumn *column, const ParquetChunk *chunk)
{
    Cursor *c = mem_alloc(sizeof *c);
    c->column = *column;
    c->chunk = chunk;
    c->at = chunk->at;
    wordtable_words(&c->table, &c->words);
    return c;
}

void cursor_destroy(Cursor *c)
{
    if (!c)
        return;
    mem_free(c->buffer);
    mem_free(c->fixed);
    mem_free(c->map);
    mem_free(c->scratch);
    wordtable_release(&c->table);
    text_release(&c->last);
    mem_free(c);
}
