/* csv_index.c -- where the bytes that matter lie: delimiters, quotes and line ends of a block.
 *
 * 64 bytes at a time are compared with the four bytes and become one 64-bit mask, whose set bits
 * are written out as places. One plain version is the oracle of the vector ones. */
#include "reader_int.h"

#include <string.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#define SPARE 80 /* whole vectors are written, and the end of the source may be one place more */

static void make_room(CsvIndex *x, size_t bytes)
{
    x->places = x->stops = 0;
    if (x->room >= bytes + SPARE)
        return;
    csv_index_release(x);
    x->room = bytes + SPARE;
    x->place = mem_resize(NULL, x->room * sizeof *x->place);
    x->stop = mem_resize(NULL, x->room * sizeof *x->stop);
}

void csv_index_release(CsvIndex *x)
{
    mem_free(x->place);
    mem_free(x->stop);
    *x = (CsvIndex){0};
}

void csv_index_plain(CsvIndex *x, const char *bytes, size_t from, size_t to, char delimiter,
                     char quote)
{
    char all = 0;
    make_room(x, to - from);
    for (size_t i = from; i < to; i++) {
        char c = bytes[i];
        all |= c;
        if (c == quote || c == '\n' || c == '\r')
            x->stop[x->stops++] = (uint32_t)x->places;
        if (c == delimiter || c == quote || c == '\n' || c == '\r')
            x->place[x->places++] = (uint32_t)i;
    }
    x->ascii = !(all & 0x80);
}

#if defined(__SSE2__)

/* Of 64 bytes, a bit each: what was looked for, which of that is no delimiter, what is no ASCII. */
typedef struct Masks {
    uint64_t any, stop, high;
} Masks;

#if defined(__AVX512BW__)

typedef struct Needles {
    __m512i delimiter, quote, lf, cr;
} Needles;

static inline Needles needles(char delimiter, char quote)
{
    return (Needles){_mm512_set1_epi8(delimiter), _mm512_set1_epi8(quote), _mm512_set1_epi8('\n'),
                     _mm512_set1_epi8('\r')};
}

static inline Masks masks(const char *p, const Needles *n)
{
    __m512i v = _mm512_loadu_si512(p);
    uint64_t stop = _mm512_cmpeq_epi8_mask(v, n->quote) | _mm512_cmpeq_epi8_mask(v, n->lf) |
                    _mm512_cmpeq_epi8_mask(v, n->cr);
    return (Masks){_mm512_cmpeq_epi8_mask(v, n->delimiter) | stop, stop, _mm512_movepi8_mask(v)};
}

#elif defined(__AVX2__)

typedef struct Needles {
    __m256i delimiter, quote, lf, cr;
} Needles;

static inline Needles needles(char delimiter, char quote)
{
    return (Needles){_mm256_set1_epi8(delimiter), _mm256_set1_epi8(quote), _mm256_set1_epi8('\n'),
                     _mm256_set1_epi8('\r')};
}

static inline Masks masks(const char *p, const Needles *n)
{
    Masks m = {0};
    for (int i = 0; i < 64; i += 32) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(p + i));
        __m256i lines = _mm256_or_si256(_mm256_cmpeq_epi8(v, n->lf), _mm256_cmpeq_epi8(v, n->cr));
        __m256i stop = _mm256_or_si256(lines, _mm256_cmpeq_epi8(v, n->quote));
        __m256i any = _mm256_or_si256(stop, _mm256_cmpeq_epi8(v, n->delimiter));
        m.any |= (uint64_t)(uint32_t)_mm256_movemask_epi8(any) << i;
        m.stop |= (uint64_t)(uint32_t)_mm256_movemask_epi8(stop) << i;
        m.high |= (uint64_t)(uint32_t)_mm256_movemask_epi8(v) << i;
    }
    return m;
}

#else

typedef struct Needles {
    __m128i delimiter, quote, lf, cr;
} Needles;

static inline Needles needles(char delimiter, char quote)
{
    return (Needles){_mm_set1_epi8(delimiter), _mm_set1_epi8(quote), _mm_set1_epi8('\n'),
                     _mm_set1_epi8('\r')};
}

static inline Masks masks(const char *p, const Needles *n)
{
    Masks m = {0};
    for (int i = 0; i < 64; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        __m128i lines = _mm_or_si128(_mm_cmpeq_epi8(v, n->lf), _mm_cmpeq_epi8(v, n->cr));
        __m128i stop = _mm_or_si128(lines, _mm_cmpeq_epi8(v, n->quote));
        __m128i any = _mm_or_si128(stop, _mm_cmpeq_epi8(v, n->delimiter));
        m.any |= (uint64_t)(uint32_t)_mm_movemask_epi8(any) << i;
        m.stop |= (uint64_t)(uint32_t)_mm_movemask_epi8(stop) << i;
        m.high |= (uint64_t)(uint32_t)_mm_movemask_epi8(v) << i;
    }
    return m;
}

#endif

#if defined(__AVX512VBMI2__)

/* Writes the places of the set bits, 16 at a time: up to 15 too many are written. */
static inline size_t spread(uint64_t mask, uint32_t base, uint32_t *into)
{
    static const uint8_t bit[64] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                    16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
                                    32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
                                    48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
    __m512i found = _mm512_maskz_compress_epi8(mask, _mm512_loadu_si512(bit));
    __m512i begin = _mm512_set1_epi32((int)base);
    size_t count = (size_t)__builtin_popcountll(mask);
    for (size_t done = 0; done < count; done += 16) {
        __m512i some = _mm512_cvtepu8_epi32(_mm512_castsi512_si128(found));
        _mm512_storeu_si512(into + done, _mm512_add_epi32(some, begin));
        found = _mm512_alignr_epi64(found, found, 2);
    }
    return count;
}

#else

/* Writes the places of the set bits; four at a time, so up to three too many are written. */
static inline size_t spread(uint64_t mask, uint32_t base, uint32_t *into)
{
    size_t count = (size_t)__builtin_popcountll(mask);
    for (size_t done = 0; done < count; done += 4)
        for (int k = 0; k < 4; k++) {
            into[done + (size_t)k] = base + (uint32_t)(mask ? __builtin_ctzll(mask) : 0);
            mask &= mask - 1;
        }
    return count;
}

#endif

/* Where the stops are among the places: one is written even where there is none. */
static inline void note(CsvIndex *x, const Masks *m, uint32_t at)
{
    uint64_t stop = m->stop;
    do {
        uint64_t before = stop ? (stop & -stop) - 1 : 0;
        x->stop[x->stops] = (uint32_t)x->places + (uint32_t)__builtin_popcountll(m->any & before);
        x->stops += stop != 0;
        stop &= stop - 1;
    } while (stop);
    x->places += spread(m->any, at, x->place + x->places);
}

void csv_index(CsvIndex *x, const char *bytes, size_t from, size_t to, char delimiter, char quote)
{
    Needles n = needles(delimiter, quote);
    uint64_t high = 0;
    size_t at = from;
    make_room(x, to - from);
    CsvIndex y = *x; /* in registers */
    for (; at + 64 <= to; at += 64) {
        Masks m = masks(bytes + at, &n);
        high |= m.high;
        note(&y, &m, (uint32_t)at);
    }
    if (at < to) {
        char last[64] = {0};
        memcpy(last, bytes + at, to - at);
        Masks m = masks(last, &n);
        uint64_t keep = ((uint64_t)1 << (to - at)) - 1;
        m.any &= keep;
        m.stop &= keep;
        high |= m.high & keep;
        note(&y, &m, (uint32_t)at);
    }
    *x = y;
    x->ascii = !high;
}

#else

void csv_index(CsvIndex *x, const char *bytes, size_t from, size_t to, char delimiter, char quote)
{
    csv_index_plain(x, bytes, from, to, delimiter, quote);
}

#endif

static uint64_t lines_plain(const char *bytes, size_t from, size_t n)
{
    uint64_t lines = 0;
    for (size_t i = from; i < n; i++)
        lines += bytes[i] == '\n' || (bytes[i] == '\r' && (i + 1 == n || bytes[i + 1] != '\n'));
    return lines;
}

#if defined(__AVX2__)

static uint64_t lines_vector(const char *bytes, size_t n, size_t *done)
{
    const __m256i lf = _mm256_set1_epi8('\n'), cr = _mm256_set1_epi8('\r');
    uint64_t lines = 0;
    size_t i = 0;
    for (; i + 33 <= n; i += 32) { /* one more byte: what follows a CR */
        __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(bytes + i));
        __m256i next = _mm256_loadu_si256((const __m256i *)(const void *)(bytes + i + 1));
        __m256i lone = _mm256_andnot_si256(_mm256_cmpeq_epi8(next, lf), _mm256_cmpeq_epi8(v, cr));
        __m256i ends = _mm256_or_si256(_mm256_cmpeq_epi8(v, lf), lone);
        lines += (uint64_t)__builtin_popcount((uint32_t)_mm256_movemask_epi8(ends));
    }
    *done = i;
    return lines;
}

#elif defined(__SSE2__)

static uint64_t lines_vector(const char *bytes, size_t n, size_t *done)
{
    const __m128i lf = _mm_set1_epi8('\n'), cr = _mm_set1_epi8('\r');
    uint64_t lines = 0;
    size_t i = 0;
    for (; i + 17 <= n; i += 16) { /* one more byte: what follows a CR */
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(bytes + i));
        __m128i next = _mm_loadu_si128((const __m128i *)(const void *)(bytes + i + 1));
        __m128i lone = _mm_andnot_si128(_mm_cmpeq_epi8(next, lf), _mm_cmpeq_epi8(v, cr));
        __m128i ends = _mm_or_si128(_mm_cmpeq_epi8(v, lf), lone);
        lines += (uint64_t)__builtin_popcount((uint32_t)_mm_movemask_epi8(ends));
    }
    *done = i;
    return lines;
}

#else

static uint64_t lines_vector(const char *bytes, size_t n, size_t *done)
{
    (void)bytes, (void)n;
    *done = 0;
    return 0;
}

#endif

uint64_t csv_lines(const char *bytes, size_t n)
{
    size_t done;
    uint64_t lines = lines_vector(bytes, n, &done);
    return lines + lines_plain(bytes, done, n);
}
