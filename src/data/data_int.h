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
uint64_t bits_word_(const uint8_t *bits, size_t at, size_t end);
static inline uint64_t bits_word(const uint8_t *bits, size_t at, size_t end)
{
    uint64_t word;
    if ((at & 7) || at + 64 > end)
        return bits_word_(bits, at, end);
    memcpy(&word, bits + (at >> 3), sizeof word);
    return word;
}
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

/* ---- sketches ---------------------------------------------------------------------------------- */

/* A bijective mix (MurmurHash3's finaliser, Appleby): keys of the tables below are mixed values. */
static inline uint64_t mix64(uint64_t x)
{
    x = (x ^ x >> 33) * 0xff51afd7ed558ccdu;
    x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53u;
    return x ^ x >> 33;
}
uint64_t unmix64(uint64_t x);

/* HyperLogLog with 2^14 registers: standard error 0.8 %. Zeroed is empty. */
#define HLL_BITS 14
typedef struct Hll { uint8_t rank[1 << HLL_BITS]; } Hll;
static inline void hll_add(Hll *h, uint64_t hash)
{
    uint8_t *at = &h->rank[hash >> (64 - HLL_BITS)];
    uint64_t rest = hash << HLL_BITS | UINT64_C(1) << (HLL_BITS - 1);
    uint8_t rank = (uint8_t)(__builtin_clzll(rest) + 1);
    if (rank > *at)
        *at = rank;
}
unsigned hll_floor(const Hll *h); /* the lowest rank: hashes that have no higher change nothing */
void hll_merge(Hll *into, const Hll *from);
double hll_estimate(const Hll *h);

/* Counts of keys: exact until more than `most` are distinct, then of those that are frequent
 * (Misra and Gries 1982). {0} is empty, for FREQUENT_MOST. */
#define FREQUENT_MOST 4096
typedef struct FrequentSlot { uint64_t key, count; } FrequentSlot; /* count 0: free */
typedef struct Frequent {
    FrequentSlot *slot;
    uint32_t *text_at;      /* [slots] place in `texts`, with has_text */
    size_t slots, used;
    size_t most;            /* a power of two; 0: FREQUENT_MOST */
    uint64_t offset;        /* no count is too low by more than this */
    bool purged;            /* some keys were dropped: counts are no longer exact */
    bool has_text;
    Text texts;             /* uint16 length and the bytes, for each */
} Frequent;
void frequent_add_slow(Frequent *f, uint64_t key, uint64_t count, const char *text, size_t n);
void frequent_release(Frequent *f);
static inline size_t frequent_most(const Frequent *f)
{
    return f->most ? f->most : FREQUENT_MOST;
}
bool frequent_has(const Frequent *f, uint64_t key);
static inline void frequent_add(Frequent *f, uint64_t key, uint64_t count)
{
    for (size_t at = key, mask = f->slots - 1; f->slots; at++) {
        FrequentSlot *s = &f->slot[at & mask];
        if (!s->count)
            break;
        if (s->key == key) {
            s->count += count;
            return;
        }
    }
    frequent_add_slow(f, key, count, NULL, 0);
}
const char *frequent_text(const Frequent *f, size_t slot, size_t *n);

/* Quantiles from a stream: sorted runs of RUN values, level l stands for 2^l values each; two runs
 * of a level become one of the next (Munro and Paterson 1980; Agarwal et al. 2013 for the random
 * half). Rank error about 0.2 % of the rows. {0} is empty. */
#define QUANTILE_RUN 2048
#define QUANTILE_LEVELS 48
typedef struct Quantile {
    double *run[QUANTILE_LEVELS];
    double *fresh;          /* [QUANTILE_RUN], each stands for 2^shift values */
    size_t fill;
    unsigned shift;
    uint64_t dice;
} Quantile;
typedef struct Weighted { double value; uint64_t weight; } Weighted;
void quantile_expect(Quantile *q, uint64_t rows); /* empty still: so many values will come in all */
void quantile_add(Quantile *q, const double *v, size_t n);
void quantile_add_weighted(Quantile *q, const Weighted *sorted, size_t n);
void quantile_merge(Quantile *into, const Quantile *from);
Weighted *quantile_sorted(const Quantile *q, size_t *n); /* the caller frees */
void quantile_release(Quantile *q);
void sort_real(double *v, size_t n);                     /* ascending, no NaN */
void sort_weighted(Weighted *v, size_t n);               /* by value, the same */

/* ---- profile ----------------------------------------------------------------------------------- */

typedef struct ColumnProfiler ColumnProfiler;
ColumnProfiler *column_profiler_create(ColumnType type);
void column_profiler_destroy(ColumnProfiler *p);
void column_profiler_add(ColumnProfiler *p, const Column *c);
/* The same as adding rows of these words so often: [words->count]. */
void column_profiler_add_words(ColumnProfiler *p, const Words *words, const uint64_t *count);
void column_profiler_add_missing(ColumnProfiler *p, uint64_t rows);
void column_profiler_merge(ColumnProfiler *into, const ColumnProfiler *from);
void column_profiler_finish(const ColumnProfiler *p, const char *name, Arena *a, ColumnProfile *out);
/* The profile of a column of words whose counts are all known. */
void column_profile_words(const Words *words, const uint64_t *count, uint64_t missing,
                          const char *name, Arena *a, ColumnProfile *out);
json_t *json_text(const char *s, size_t n); /* broken UTF-8 is repaired */

/* dataset_writer_add for chunks one after the other, each column through all of them at once. */
bool dataset_writer_add_all(DatasetWriter *w, const Chunk *chunk, size_t chunks, Error *err);
/* Work that may wait until a loop runs on the pool anyway. Who takes it along runs i in [0, count)
 * and sets count to 0; where nobody does, its owner will. */
typedef struct Along {
    size_t count;
    void (*run)(void *job, size_t i, size_t worker);
    void *job;
} Along;
/* From now on full chunks are profiled, hashed and written along with someone else's loops. Lives as
 * long as the writer. */
Along *dataset_writer_along(DatasetWriter *w);

/* ---- columns ---------------------------------------------------------------------------------- */

static inline size_t column_width(ColumnType t) /* bytes a value takes; 0: BOOL, and TEXT has 4 */
{
    return t == COLUMN_BOOL ? 0 : t == COLUMN_DATE || t == COLUMN_TEXT ? 4 : 8;
}

void column_slice(const Column *c, size_t from, size_t rows, Arena *a, Column *out);

#endif
