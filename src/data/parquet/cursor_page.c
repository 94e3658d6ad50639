/* cursor_page.c -- the pages of one column chunk: the dictionary, levels, and how a page's values lie. */
#include "cursor_int.h"

bool cursor_broken(Error *err, const char *why)
{
    return error_set(err, ERROR_PARSE, "broken file: %s", why);
}

void *cursor_scratch(Cursor *c, size_t size)
{
    if (c->scratch_room < size) {
        mem_free(c->scratch);
        c->scratch = mem_alloc(size);
        c->scratch_room = size;
    }
    return c->scratch;
}

size_t cursor_unit(const Cursor *c) /* bytes of one value of ours */
{
    return parquet_type(c->column.kind) == COLUMN_DATE ? 4 : 8;
}

bool cursor_is_text(const Cursor *c)
{
    return parquet_type(c->column.kind) == COLUMN_TEXT;
}

bool cursor_unknown(const Cursor *c, Error *err)
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

/* ---- dictionaries --------------------------------------------------------------------------------- */

static bool take_dictionary(Cursor *c, const PageHead *h, PageBytes p, Error *err)
{
    if (c->has_dictionary)
        return cursor_broken(err, "it has two dictionaries");
    if (h->encoding != PLAIN && h->encoding != PLAIN_DICTIONARY)
        return cursor_broken(err, "its dictionary is of an unknown encoding");
    size_t bytes = (size_t)(p.end - p.at), least = c->column.width ? c->column.width : 4;
    if (c->column.kind == KIND_BOOL || h->values < 0 || (uint64_t)h->values > bytes / least)
        return cursor_broken(err, "its dictionary is shorter than it says");
    c->entries = (size_t)h->values;
    c->has_dictionary = true;
    if (cursor_is_text(c))
        return cursor_text_dictionary(c, p, err);
    c->fixed = mem_alloc(c->entries * cursor_unit(c) + 8);
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
            return cursor_broken(err, "the levels of a page go beyond it");
        levels = (PageBytes){values->at + 4, values->at + 4 + n};
        values->at = levels.end;
    }
    if (c->column.optional)
        hybrid_begin(&c->levels, levels.at, levels.end, 1);
    return true;
}

bool cursor_next_page(Cursor *c, Error *err)
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
                return cursor_broken(err, "the head of a page makes no sense");
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

static bool begin_codes(Cursor *c, Error *err)
{
    if (!c->has_dictionary)
        return cursor_broken(err, "its dictionary is missing");
    if (c->values == c->end || *c->values > 32)
        return cursor_broken(err, "a page of codes makes no sense");
    hybrid_begin(&c->codes, c->values + 1, c->end, *c->values);
    return true;
}

static bool begin_deltas(Cursor *c, Error *err)
{
    if (!delta_begin(&c->delta, c->values, c->end))
        return cursor_broken(err, "a page of deltas makes no sense");
    if (c->encoding == DELTA_BINARY_PACKED)
        return true;
    c->values = delta_end(&c->delta);
    if (c->values && c->encoding == DELTA_BYTE_ARRAY) {
        text_reset(&c->last);
        if (!delta_begin(&c->suffixes, c->values, c->end))
            return cursor_broken(err, "a page of deltas makes no sense");
        c->values = delta_end(&c->suffixes);
    }
    return c->values != NULL || cursor_broken(err, "a page of deltas makes no sense");
}

bool cursor_begin_values(Cursor *c, Error *err)
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
            return cursor_unknown(c, err);
        hybrid_begin(&c->codes, c->values + 4, c->end, 1);
        return true;
    case DELTA_BINARY_PACKED:
        return whole ? begin_deltas(c, err) : cursor_unknown(c, err);
    case DELTA_LENGTH_BYTE_ARRAY:
        return c->column.kind == KIND_TEXT ? begin_deltas(c, err) : cursor_unknown(c, err);
    case DELTA_BYTE_ARRAY:
        return bytes ? begin_deltas(c, err) : cursor_unknown(c, err);
    case BYTE_STREAM_SPLIT:
        if (!c->column.width)
            return cursor_unknown(c, err);
        c->split = 0;
        c->splits = (size_t)(c->end - c->values) / c->column.width;
        return true;
    default:
        return cursor_unknown(c, err);
    }
}

bool cursor_codes(Cursor *c, uint32_t *code, size_t m, Error *err)
{
    uint32_t most = 0;
    if (!hybrid_take(&c->codes, code, m))
        return cursor_broken(err, "a page has fewer codes than values");
    for (size_t i = 0; i < m; i++)
        most = code[i] > most ? code[i] : most;
    return !m || most < c->entries || cursor_broken(err, "a code leads beyond the dictionary");
}

bool cursor_prefixed(Cursor *c, Error *err)
{
    int64_t prefix, suffix;
    if (!delta_take(&c->delta, &prefix, 1) || !delta_take(&c->suffixes, &suffix, 1) || prefix < 0 ||
        (uint64_t)prefix > c->last.count || suffix < 0 || suffix > c->end - c->values)
        return cursor_broken(err, "a page of prefixes goes beyond its bytes");
    c->last.count = (size_t)prefix;
    text_add(&c->last, (const char *)c->values, (size_t)suffix);
    c->values += suffix;
    return true;
}
