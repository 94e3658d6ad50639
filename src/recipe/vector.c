/* vector.c -- between a Column's bits and a Vector's bytes, and text columns from spans. */
#include "recipe_int.h"

#include <string.h>

size_t type_size(ColumnType t)
{
    return t == COLUMN_BOOL ? 1 : t == COLUMN_TEXT ? sizeof(Span) : 8;
}

/* Eight bits to eight bytes of 0 or 1, the lowest bit first (little-endian machines). */
static inline uint64_t spread(uint8_t bits)
{
    uint64_t t = (bits * UINT64_C(0x0101010101010101)) & UINT64_C(0x8040201008040201);
    return ((t + UINT64_C(0x7f7f7f7f7f7f7f7f)) >> 7) & UINT64_C(0x0101010101010101);
}

static inline uint8_t collect(uint64_t bytes)
{
    return (uint8_t)((bytes * UINT64_C(0x0102040810204080)) >> 56);
}

void bits_unpack(const uint8_t *bits, size_t from, size_t n, uint8_t *bytes)
{
    size_t i = 0;
    if ((from & 7) == 0)
        for (; i + 8 <= n; i += 8) {
            uint64_t eight = spread(bits[(from + i) >> 3]);
            memcpy(bytes + i, &eight, 8);
        }
    for (; i < n; i++)
        bytes[i] = bit_get(bits, from + i);
}

void bits_pack(const uint8_t *bytes, size_t n, uint8_t *bits)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t eight;
        memcpy(&eight, bytes + i, 8);
        bits[i >> 3] = collect(eight);
    }
    if (i < n)
        bits[i >> 3] = 0;
    for (; i < n; i++)
        bits[i >> 3] |= (uint8_t)(bytes[i] << (i & 7));
}

uint8_t *vector_has(Vector *v, size_t n)
{
    if (v->has == v->has_buffer && v->has)
        return v->has_buffer;
    if (v->has)
        memcpy(v->has_buffer, v->has, n);
    else
        memset(v->has_buffer, 1, n);
    v->has = v->has_buffer;
    return v->has_buffer;
}

void column_valid(const uint8_t *has, size_t rows, Arena *a, Column *out)
{
    out->valid = NULL;
    if (!has || (rows > 0 && !memchr(has, 0, rows)))
        return;
    uint8_t *bits = arena_alloc(a, (rows + 7) / 8 + 8);
    bits_pack(has, rows, bits);
    out->valid = bits;
}

void column_missing(ColumnType type, size_t rows, Arena *a, Column *out)
{
    const char *name = out->name;
    *out = (Column){.name = name, .type = type, .rows = rows};
    out->valid = arena_alloc(a, rows / 8 + 8);
    if (type == COLUMN_TEXT) {
        out->start = arena_alloc(a, (rows + 1) * sizeof(int32_t));
        out->bytes = "";
    } else {
        out->integer = arena_alloc(a, (rows + 1) * sizeof(int64_t)); /* wide enough for all kinds */
    }
}

/* ---- words --------------------------------------------------------------------------------- */

/* Spans numbered in the order they appear. */
typedef struct Numbering {
    int32_t *slot;  /* [mask + 1] number of a word + 1, 0 = free */
    uint32_t *hash; /* [room] of each word */
    Span *word;     /* [room] */
    size_t mask, count;
    size_t bytes;
} Numbering;

static void numbering_begin(Numbering *t, size_t most, Arena *a)
{
    size_t size = 16;
    while (size < most * 2)
        size *= 2;
    *t = (Numbering){.slot = ARENA_NEW(a, int32_t, size),
                     .hash = ARENA_NEW(a, uint32_t, most + 1),
                     .word = ARENA_NEW(a, Span, most + 1),
                     .mask = size - 1};
}

static int32_t numbering_add(Numbering *t, Span s)
{
    uint32_t hash = (uint32_t)hash_bytes(s.at, s.size, 0);
    size_t at = hash & t->mask;
    for (; t->slot[at] != 0; at = (at + 1) & t->mask) {
        int32_t w = t->slot[at] - 1;
        if (t->hash[w] == hash && t->word[w].size == s.size &&
            (s.size == 0 || memcmp(t->word[w].at, s.at, s.size) == 0))
            return w;
    }
    t->hash[t->count] = hash;
    t->word[t->count] = s;
    t->bytes += s.size;
    t->slot[at] = (int32_t)++t->count;
    return (int32_t)t->count - 1;
}

static bool too_long(size_t bytes, Error *err)
{
    if (bytes <= INT32_MAX)
        return false;
    error_set(err, ERROR_SPACE, "the text of one chunk is longer than 2 GB");
    return true;
}

static const Words *numbering_words(const Numbering *t, Arena *a)
{
    Words *words = ARENA_NEW(a, Words, 1);
    int32_t *start = ARENA_NEW(a, int32_t, t->count + 1);
    char *bytes = arena_alloc(a, t->bytes + 1);
    size_t at = 0;
    for (size_t w = 0; w < t->count; w++) {
        start[w] = (int32_t)at;
        if (t->word[w].size > 0)
            memcpy(bytes + at, t->word[w].at, t->word[w].size);
        at += t->word[w].size;
    }
    start[t->count] = (int32_t)at;
    *words = (Words){t->count, start, bytes};
    return words;
}

bool column_of_codes(const int32_t *code, const Span *word, size_t words, const uint8_t *has,
                     size_t rows, Arena *a, Column *out, Error *err)
{
    Numbering t;
    numbering_begin(&t, words, a);
    int32_t *renamed = ARENA_NEW(a, int32_t, words + 1);
    for (size_t w = 0; w < words; w++)
        renamed[w] = numbering_add(&t, word[w]);
    if (too_long(t.bytes, err))
        return false;
    int32_t *codes = arena_raw(a, (rows + 1) * sizeof *codes);
    for (size_t i = 0; i < rows; i++)
        codes[i] = !has || has[i] ? renamed[code[i]] : 0;
    *out = (Column){.name = out->name,
                    .type = COLUMN_TEXT,
                    .rows = rows,
                    .code = codes,
                    .words = numbering_words(&t, a)};
    column_valid(has, rows, a, out);
    return true;
}

static bool plain_column(const Span *span, const uint8_t *has, size_t rows, Arena *a, Column *out,
                         Error *err)
{
    int32_t *start = ARENA_NEW(a, int32_t, rows + 1);
    size_t total = 0;
    for (size_t i = 0; i < rows; i++)
        total += !has || has[i] ? span[i].size : 0;
    if (too_long(total, err))
        return false;
    char *bytes = arena_alloc(a, total + 1);
    size_t at = 0;
    for (size_t i = 0; i < rows; i++) {
        start[i] = (int32_t)at;
        if ((has && !has[i]) || span[i].size == 0)
            continue;
        memcpy(bytes + at, span[i].at, span[i].size);
        at += span[i].size;
    }
    start[rows] = (int32_t)at;
    *out = (Column){
        .name = out->name, .type = COLUMN_TEXT, .rows = rows, .start = start, .bytes = bytes};
    column_valid(has, rows, a, out);
    return true;
}

bool column_of_spans(const Span *span, const uint8_t *has, size_t rows, Arena *a, Column *out,
                     Error *err)
{
    Numbering t;
    numbering_begin(&t, rows, a);
    int32_t *codes = ARENA_NEW(a, int32_t, rows + 1);
    size_t last = SIZE_MAX; /* neighbours are often the same span */
    for (size_t i = 0; i < rows; i++) {
        if (has && !has[i])
            continue;
        bool again =
            last != SIZE_MAX && span[i].at == span[last].at && span[i].size == span[last].size;
        codes[i] = again ? codes[last] : numbering_add(&t, span[i]);
        last = i;
    }
    if (rows > 64 && t.count > rows / 2)
        return plain_column(span, has, rows, a, out, err);
    if (too_long(t.bytes, err))
        return false;
    *out = (Column){.name = out->name,
                    .type = COLUMN_TEXT,
                    .rows = rows,
                    .code = codes,
                    .words = numbering_words(&t, a)};
    column_valid(has, rows, a, out);
    return true;
}
