/* cursor_text.c -- values of text out of a column chunk: words and codes as long as all pages have the
 * dictionary; at the first page without, what was codes so far turns plain. */
#include "cursor_int.h"

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

bool cursor_text_dictionary(Cursor *c, PageBytes p, Error *err)
{
    bool same = true;
    char uuid[37];
    c->map = mem_alloc((c->entries + 1) * sizeof *c->map);
    for (size_t i = 0; i < c->entries; i++) {
        size_t n;
        const uint8_t *s = next_string(&c->column, &p.at, p.end, &n);
        if (!s)
            return cursor_broken(err, "its dictionary is shorter than it says");
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

bool cursor_text_values(Cursor *c, Rows *r, size_t m, Error *err)
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
            ok = s ? put_text(c, r, s, n, row, err)
                   : cursor_broken(err, "a page of text ends too early");
            break;
        case DELTA_LENGTH_BYTE_ARRAY:
            if (!delta_take(&c->delta, &size, 1) || size < 0 || size > c->end - c->values)
                return cursor_broken(err, "a page of text ends too early");
            ok = put_text(c, r, c->values, (size_t)size, row, err);
            c->values += size;
            break;
        case DELTA_BYTE_ARRAY:
            ok = cursor_prefixed(c, err) &&
                 put_text(c, r, (const uint8_t *)c->last.at, c->last.count, row, err);
            break;
        default:
            return cursor_unknown(c, err);
        }
    return ok;
}

bool cursor_text_codes(Cursor *c, Rows *r, size_t m, Error *err)
{
    uint32_t *code = r->plain ? cursor_scratch(c, m * 4) : (uint32_t *)r->code + r->done;
    if (!cursor_codes(c, code, m, err))
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
