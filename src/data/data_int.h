/* data_int.h -- what the files of the data room share, and nobody else.
 *
 * Bits of bitmaps, the table of words that dictionaries are built with, and the parts of the
 * profile that the dataset writer drives itself. The Arrow file has its own arrow_int.h. */
#ifndef LATHE_DATA_INT_H
#define LATHE_DATA_INT_H

#include <lathe/data.h>

#include <string.h>

#define COUNT_OF(a) (sizeof(a) / sizeof *(a))

/* ---- bitmaps (LSB first, as Arrow has them) --------------------------------------------------- */

static inline size_t bit_bytes(size_t bits)
{
    return bits / 8 + (bits % 8 != 0);
}

static inline void bit_set(uint8_t *bits, size_t i)
{
    bits[i >> 3] = (uint8_t)(bits[i >> 3] | 1u << (i & 7));
}

static inline void bit_clear(uint8_t *bits, size_t i)
{
    bits[i >> 3] = (uint8_t)(bits[i >> 3] & ~(1u << (i & 7)));
}

/* The 64 bits from bit `at` on; bits at and behind `end` read as 0. */
uint64_t bits_word(const uint8_t *bits, size_t at, size_t end);
size_t bits_count(const uint8_t *bits, size_t from, size_t n); /* how many are set */
/* to[to_at ...] = from[from_at ...], n bits; the other bits of `to` stay. */
void bits_copy(uint8_t *to, size_t to_at, const uint8_t *from, size_t from_at, size_t n);
void bits_fill(uint8_t *to, size_t at, size_t n); /* sets n bits */

/* ---- words ------------------------------------------------------------------------------------ */

/* A 64-bit mix of a short text; in memory only, it may change between versions. */
static inline uint64_t word_mix(uint64_t a, uint64_t b)
{
    __uint128_t m = (__uint128_t)a * b;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline uint64_t word_load(const char *s, size_t n) /* n <= 8 bytes, no byte beyond */
{
    uint64_t v = 0;
    if (n >= 4) {
        uint32_t a, b;
        memcpy(&a, s, 4);
        memcpy(&b, s + n - 4, 4);
        v = (uint64_t)a << 32 | b;
    } else if (n > 0) {
        v = (uint64_t)(uint8_t)s[0] << 16 | (uint64_t)(uint8_t)s[n >> 1] << 8 | (uint8_t)s[n - 1];
    }
    return v;
}

static inline uint64_t word_hash(const char *s, size_t n)
{
    uint64_t seed = 0x9e3779b97f4a7c15u ^ n;
    while (n > 16) {
        uint64_t a, b;
        memcpy(&a, s, 8);
        memcpy(&b, s + 8, 8);
        seed = word_mix(a ^ 0xa0761d6478bd642fu, b ^ seed);
        s += 16;
        n -= 16;
    }
    size_t half = n < 8 ? n : 8;
    uint64_t a = word_load(s, half), b = word_load(s + half, n - half);
    return word_mix(a ^ 0xe7037ed1a0b428dbu, b ^ seed ^ 0x8ebc6af09c88c6e3u);
}

/* Distinct words in order of appearance, and the way from a word to its number. {0} with or
 * without an arena is an empty table; without one it lives on the heap until released. */
typedef struct WordTable {
    Arena *arena;         /* NULL: the heap */
    size_t count, room;   /* words; words there is room for */
    int32_t *start;       /* [count+1] into bytes */
    char *bytes;
    size_t bytes_room;
    uint64_t *slot;       /* [slots] upper half: of the hash, lower half: number + 1; 0 free */
    size_t slots;         /* a power of two */
} WordTable;

#define WORD_NONE (-1) /* the table would pass 2 GB of text */
int32_t wordtable_code(WordTable *t, const char *s, size_t n); /* adds a new word */
int32_t wordtable_find(const WordTable *t, const char *s, size_t n); /* WORD_NONE if absent */
void wordtable_words(const WordTable *t, Words *out); /* borrowed until the next change */
void wordtable_release(WordTable *t);

static inline const char *words_get(const Words *w, size_t code, size_t *n)
{
    *n = (size_t)(w->start[code + 1] - w->start[code]);
    return w->bytes + w->start[code];
}

/* ---- columns ---------------------------------------------------------------------------------- */

static inline size_t column_width(ColumnType t) /* bytes a value takes; 0: BOOL, and TEXT has 4 */
{
    return t == COLUMN_BOOL ? 0 : t == COLUMN_DATE || t == COLUMN_TEXT ? 4 : 8;
}

void column_slice(const Column *c, size_t from, size_t rows, Arena *a, Column *out);

#endif
