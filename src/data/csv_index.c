/* csv_index.c -- where the bytes that matter lie: delimiters, quotes and line ends of a block.
 *
 * 64 bytes at a time are compared with the four bytes and become one 64-bit mask, whose set bits
 * are written out as places. One plain version is the oracle of the vector ones. */
#include "reader_int.h"

#include <string.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

size_t csv_index_plain(const char *bytes, size_t from, size_t to, char delimiter, char quote,
                       uint32_t *into, bool *ascii)
{
    size_t count = 0;
    char all = 0;
    for (size_t i = from; i < to; i++) {
        char c = bytes[i];
        all |= c;
        if (c == delimiter || c == quote || c == '\n' || c == '\r')
            into[count++] = (uint32_t)i;
    }
    *ascii = !(all & 0x80);
    return count;
}

#if defined(__SSE2__)

/* The bytes looked for, in every lane. */
typedef struct Needles {
#if defined(__AVX2__)
    __m256i delimiter, quote, lf, cr;
#else
    __m128i delimiter, quote, lf, cr;
#endif
} Needles;

#if defined(__AVX2__)
static inline Needles needles(char delimiter, char quote)
{
    return (Needles){_mm256_set1_epi8(delimiter), _mm256_set1_epi8(quote), _mm256_set1_epi8('\n'),
                     _mm256_set1_epi8('\r')};
}

static inline uint32_t mask32(const char *p, const Needles *n, uint32_t *high)
{
    __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)p);
    __m256i a = _mm256_or_si256(_mm256_cmpeq_epi8(v, n->delimiter), _mm256_cmpeq_epi8(v, n->quote));
    __m256i b = _mm256_or_si256(_mm256_cmpeq_epi8(v, n->lf), _mm256_cmpeq_epi8(v, n->cr));
    *high = (uint32_t)_mm256_movemask_epi8(v);
    return (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(a, b));
}
#else
static inline Needles needles(char delimiter, char quote)
{
    return (Needles){_mm_set1_epi8(delimiter), _mm_set1_epi8(quote), _mm_set1_epi8('\n'),
                     _mm_set1_epi8('\r')};
}

static inline uint32_t mask16(const char *p, const Needles *n, uint32_t *high)
{
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i a = _mm_or_si128(_mm_cmpeq_epi8(v, n->delimiter), _mm_cmpeq_epi8(v, n->quote));
    __m128i b = _mm_or_si128(_mm_cmpeq_epi8(v, n->lf), _mm_cmpeq_epi8(v, n->cr));
    *high = (uint32_t)_mm_movemask_epi8(v);
    return (uint32_t)_mm_movemask_epi8(_mm_or_si128(a, b));
}

static inline uint32_t mask32(const char *p, const Needles *n, uint32_t *high)
{
    uint32_t high0, high1;
    uint32_t low = mask16(p, n, &high0), up = mask16(p + 16, n, &high1);
    *high = high0 | high1 << 16;
    return low | up << 16;
}
#endif

static inline uint64_t mask64(const char *p, const Needles *n, uint64_t *high)
{
    uint32_t high0, high1;
    uint64_t low = mask32(p, n, &high0), up = mask32(p + 32, n, &high1);
    *high = high0 | (uint64_t)high1 << 32;
    return low | up << 32;
}

/* Writes the places of the set bits; four at a time, so up to three too many are written. */
static inline uint32_t *spread(uint64_t mask, uint32_t base, uint32_t *into)
{
    int count = __builtin_popcountll(mask);
    uint32_t *out = into;
    for (int done = 0; done < count; done += 4) {
        for (int k = 0; k < 4; k++) {
            out[k] = base + (uint32_t)(mask ? __builtin_ctzll(mask) : 0);
            mask &= mask - 1;
        }
        out += 4;
    }
    return into + count;
}

size_t csv_index(const char *bytes, size_t from, size_t to, char delimiter, char quote,
                 uint32_t *into, bool *ascii)
{
    Needles n = needles(delimiter, quote);
    uint32_t *out = into;
    uint64_t any = 0, high;
    size_t at = from;
    for (; at + 64 <= to; at += 64) {
        uint64_t mask = mask64(bytes + at, &n, &high);
        any |= high;
        out = spread(mask, (uint32_t)at, out);
    }
    if (at < to) {
        char last[64] = {0};
        memcpy(last, bytes + at, to - at);
        uint64_t keep = ((uint64_t)1 << (to - at)) - 1;
        uint64_t mask = mask64(last, &n, &high) & keep;
        any |= high;
        out = spread(mask, (uint32_t)at, out);
    }
    *ascii = !any;
    return (size_t)(out - into);
}

#else

size_t csv_index(const char *bytes, size_t from, size_t to, char delimiter, char quote,
                 uint32_t *into, bool *ascii)
{
    return csv_index_plain(bytes, from, to, delimiter, quote, into, ascii);
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
