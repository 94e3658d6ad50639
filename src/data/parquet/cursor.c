/* cursor.c -- the pages of one column chunk as rows, in order, so many at a time.
 *
 * Values are decoded densely, as pages have them, then spread over the rows that have one. Text whose
 * pages all have a dictionary stays words and codes; at the first page without, it turns plain. */
#include "cursor_int.h"

/* m values lie at the first of `take` rows: each moves to its row; rows without one become 0. */
#define SPREAD(T, array)                                                                           \
    for (size_t i = take, j = m; i-- > 0;)                                                         \
        (array)[r->done + i] = bit_get(r->valid, r->done + i) ? (array)[r->done + --j] : (T)0;

static void spread(const Cursor *c, Rows *r, size_t m, size_t take)
{
    if (cursor_is_text(c) && r->plain) {
        r->start[r->done] = r->done ? r->start[r->done] : 0;
        for (size_t i = take, j = m; i > 0; i--) {
            r->start[r->done + i] = r->start[r->done + j];
            j -= bit_get(r->valid, r->done + i - 1);
        }
    } else if (cursor_is_text(c)) {
        SPREAD(int32_t, r->code)
    } else if (cursor_unit(c) == 4) {
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
            return cursor_broken(err, "a page has fewer levels than values");
        m = bits_count(r->valid, r->done, take);
    }
    if (m && !c->begun && !cursor_begin_values(c, err))
        return false;
    if (c->column.kind == KIND_BOOL)
        return !m || cursor_bool_values(c, r, m, take, err);
    if (cursor_is_text(c) && m)
        ok = coded ? cursor_text_codes(c, r, m, err) : cursor_text_values(c, r, m, err);
    else if (m)
        ok = cursor_fixed_values(c, r, m, err);
    if (ok && m < take)
        spread(c, r, m, take);
    return ok;
}

static void finish(Cursor *c, Rows *r, Column *out)
{
    out->valid = r->valid;
    if (!cursor_is_text(c)) {
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
    if (cursor_is_text(c))
        r.code = ARENA_NEW(a, int32_t, rows + 1);
    else
        r.values = arena_alloc(a, c->column.kind == KIND_BOOL ? bit_bytes(rows) + 8
                                                              : rows * cursor_unit(c));
    for (size_t take; r.done < rows; r.done += take, c->left -= take) {
        if (!c->left && !cursor_next_page(c, err))
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
