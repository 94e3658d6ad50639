/* digits.h -- up to eight decimal digits at a time, in one 64-bit word (Lemire: "Number parsing at a
 * gigabyte per second", 2021). The first character is the lowest byte. */
#ifndef LATHE_DIGITS_H
#define LATHE_DIGITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE4_1__)
#include <immintrin.h>
#endif

/* Digits with at most one point among them, n bytes that end at `end`: the number they make without
 * the point, and how many stand behind it. 16 bytes before `end` must be readable. False: too long,
 * or something else; then there are slower ways. */
#if defined(__SSE4_1__)
static inline bool digits_point(const char *end, size_t n, char point, uint64_t *value, int *behind)
{
    if (n - 1 > 15)
        return false;
    const __m128i place = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m128i text = _mm_loadu_si128((const __m128i *)(const void *)(end - 16));
    __m128i ours = _mm_cmpgt_epi8(place, _mm_set1_epi8((char)(15 - (int)n)));
    __m128i digit = _mm_sub_epi8(text, _mm_set1_epi8('0'));
    __m128i other = _mm_cmpeq_epi8(_mm_max_epu8(digit, _mm_set1_epi8(10)), digit);
    __m128i points = _mm_and_si128(_mm_cmpeq_epi8(text, _mm_set1_epi8(point)), ours);
    uint32_t at = (uint32_t)_mm_movemask_epi8(points);
    if ((uint32_t)_mm_movemask_epi8(_mm_and_si128(other, ours)) != at || (at & (at - 1)) ||
        n == (at != 0))
        return false;
    /* the digits before the point move one place up, over it */
    int before = at ? __builtin_ctz(at) : -1;
    __m128i from = _mm_add_epi8(place, _mm_cmpgt_epi8(_mm_set1_epi8((char)(before + 1)), place));
    digit = _mm_shuffle_epi8(_mm_and_si128(digit, ours), from);
    __m128i two = _mm_maddubs_epi16(digit, _mm_set1_epi16(1 << 8 | 10));
    __m128i four = _mm_madd_epi16(two, _mm_set1_epi32(1 << 16 | 100));
    __m128i eight = _mm_madd_epi16(_mm_packus_epi32(four, four), _mm_set1_epi32(1 << 16 | 10000));
    *value = (uint64_t)(uint32_t)_mm_extract_epi32(eight, 0) * 100000000u +
             (uint32_t)_mm_extract_epi32(eight, 1);
    *behind = at ? 15 - before : 0;
    return true;
}
#else
static inline bool digits_point(const char *end, size_t n, char point, uint64_t *value, int *behind)
{
    uint64_t v = 0;
    int after = -1;
    if (n - 1 > 15)
        return false;
    for (const char *s = end - n; s < end; s++) {
        unsigned digit = (unsigned)(*s - '0');
        if (*s == point && after < 0) {
            after = 0;
            continue;
        }
        if (digit > 9)
            return false;
        v = v * 10 + digit;
        after += after >= 0;
    }
    *value = v;
    *behind = after < 0 ? 0 : after;
    return n > (size_t)(after >= 0);
}
#endif

/* How many digits stand behind the point in the numbers of a column, mostly: then where they go is
 * known before they are looked at. */
typedef struct DigitsForm {
    int behind; /* 0: not known */
#if defined(__SSE4_1__)
    __m128i from; /* digits before the point move one place up, over it */
#endif
} DigitsForm;

static inline void digits_learn(DigitsForm *f, int behind)
{
    if (f->behind == behind)
        return;
    f->behind = behind;
#if defined(__SSE4_1__)
    const __m128i place = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m128i moved = _mm_cmpgt_epi8(_mm_set1_epi8((char)(16 - behind)), place);
    f->from = _mm_add_epi8(place, moved);
#endif
}

/* Two to 16 bytes of digits with a point where the form has it. False: something else. */
#if defined(__SSE4_1__)
static inline bool digits_formed(const DigitsForm *f, const char *end, size_t n, char point,
                                 uint64_t *value)
{
    static const uint8_t keep[32] = {0,    0,    0,    0,    0,    0,    0,    0,
                                     0,    0,    0,    0,    0,    0,    0,    0,
                                     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    size_t behind = (size_t)f->behind;
    if (n - 2 > 14 || behind - 1 >= n - 1 || end[-1 - f->behind] != point)
        return false;
    __m128i text = _mm_loadu_si128((const __m128i *)(const void *)(end - 16));
    __m128i digit = _mm_shuffle_epi8(_mm_sub_epi8(text, _mm_set1_epi8('0')), f->from);
    digit = _mm_and_si128(digit, _mm_loadu_si128((const __m128i *)(const void *)(keep + n - 1)));
    __m128i other = _mm_subs_epu8(digit, _mm_set1_epi8(9));
    __m128i two = _mm_maddubs_epi16(digit, _mm_set1_epi16(1 << 8 | 10));
    __m128i four = _mm_madd_epi16(two, _mm_set1_epi32(1 << 16 | 100));
    __m128i eight = _mm_madd_epi16(_mm_packus_epi32(four, four), _mm_set1_epi32(1 << 16 | 10000));
    uint64_t halves = (uint64_t)_mm_cvtsi128_si64(eight);
    *value = (halves & 0xffffffffu) * 100000000u + (halves >> 32);
    return _mm_testz_si128(other, other);
}
#else
static inline bool digits_formed(const DigitsForm *f, const char *end, size_t n, char point,
                                 uint64_t *value)
{
    (void)f, (void)end, (void)n, (void)point, (void)value;
    return false;
}
#endif

/* -12.34 and the like, up to 16 digits; not lenient: no zeros in front of a whole number. Both
 * numbers that are divided are exact, so the result is rounded once (Clinger 1990). */
static inline bool digits_real_like(DigitsForm *form, const char *s, size_t n, char point,
                                    bool lenient, double *out)
{
    static const double power[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    uint64_t value;
    int behind = form->behind;
    size_t minus = n && *s == '-';
    if (!digits_formed(form, s + n, n - minus, point, &value)) {
        if (!digits_point(s + n, n - minus, point, &value, &behind) || value > (uint64_t)1 << 53 ||
            (!lenient && !behind && s[minus] == '0' && n - minus > 1))
            return false;
        digits_learn(form, behind);
    }
    double real = (double)(int64_t)value / power[behind];
    *out = minus ? -real : real;
    return true;
}

static inline bool digits_real(const char *s, size_t n, char point, bool lenient, double *out)
{
    DigitsForm none = {0};
    return digits_real_like(&none, s, n, point, lenient, out);
}

static inline uint64_t digits_load(const char *s)
{
    uint64_t raw;
    memcpy(&raw, s, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    raw = __builtin_bswap64(raw);
#endif
    return raw;
}

/* Digits at the beginning of the word. A carry only reaches bytes behind the first other byte. */
static inline size_t digits_count(uint64_t raw)
{
    uint64_t other =
        ((raw + 0x4646464646464646u) | (raw - 0x3030303030303030u)) & 0x8080808080808080u;
    return other ? (size_t)__builtin_ctzll(other) >> 3 : 8;
}

/* The value of the first count digits, count from 1 to 8. */
static inline uint32_t digits_value(uint64_t raw, size_t count)
{
    uint64_t v = (raw - 0x3030303030303030u) << (64 - 8 * count); /* zeros in front */
    v = v * 10 + (v >> 8);
    return (uint32_t)(((v & 0x000000FF000000FFu) * 0x000F424000000064u +
                       ((v >> 16) & 0x000000FF000000FFu) * 0x0000271000000001u) >>
                      32);
}

/* Whole numbers of up to 16 digits; not lenient: without zeros in front. */
static inline bool digits_int(const char *s, size_t n, bool lenient, int64_t *out)
{
    static const uint32_t scale[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    size_t minus = n && *s == '-', count = n - minus;
    const char *p = s + minus;
    if (count - 1 > 15 || (!lenient && *p == '0' && n > 1))
        return false;
    size_t first = count < 8 ? count : 8;
    uint64_t raw = digits_load(p);
    if (digits_count(raw) < first)
        return false;
    uint64_t value = digits_value(raw, first);
    if (count > 8) {
        raw = digits_load(p + 8);
        if (digits_count(raw) < count - 8)
            return false;
        value = value * scale[count - 8] + digits_value(raw, count - 8);
    }
    *out = minus ? -(int64_t)value : (int64_t)value;
    return true;
}

#endif
