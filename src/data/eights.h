/* eights.h -- the usual forms of numbers and times in eight rows of a column at once, where the
 * processor has AVX-512. What a row gives is what digits.h and stamp.h give, bit by bit; rows that
 * are not of the usual form are said and left to them. Without AVX-512 there is none of this, and
 * all rows are theirs.
 *
 * The last 16 bytes of each field lie in one lane of a vector, those of the even rows in one and of
 * the odd rows in another: then both come together in the order of the rows where the digits of a
 * lane have become one number. */
#ifndef LATHE_EIGHTS_H
#define LATHE_EIGHTS_H

#include "reader_int.h"

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#define EIGHTS 1
#include <immintrin.h>

#define EIGHT_LANES(bits) (UINT64_C(0x0001000100010001) * (bits)) /* the same 16 bits a lane */
/* Sets of rows are kept in eight bits: of wider variables gcc 12 may leave the others unset. */
#define EIGHT_ALL 0xff

typedef struct Eight {
    __m512i end, size; /* [8] where the fields end, how long they are */
    __m512i text[2];   /* 16 bytes a row: of the even rows, of the odd ones */
    uint64_t ours[2];  /* which of these bytes are the field's */
} Eight;

static inline __m512i eight_place(void)
{
    return _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

/* The fields of rows with quotes, as far as they lie in the block; of no size where they do not. */
static inline void eight_odd(const Cells *c, size_t row, uint32_t odd, uint64_t end[8],
                             uint64_t size[8])
{
    for (; odd; odd &= odd - 1) {
        size_t i = (size_t)__builtin_ctz(odd);
        Span s = *grid_odd(c->grid, c->column, row + i);
        bool side = s.at & SPAN_SIDE;
        size[i] = side ? 0 : s.size;
        end[i] = side ? 0 : s.at + s.size;
    }
}

/* Rows [row, row + 8), those of other sizes are said in *left; false: none of them is usual. */
static inline bool eight_load(const Cells *c, size_t row, size_t least, size_t most, Eight *e,
                              uint8_t *left)
{
    _Alignas(64) uint64_t end[8], size[8];
    __m256i first = _mm256_loadu_si256((const __m256i *)(const void *)(c->first + row));
    const __m512i low = _mm512_set1_epi64(0xffffffff);
    uint32_t odd = (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(first)); /* ROW_ODD */
    first = _mm256_maskz_mov_epi32((__mmask8)~odd, first);
    if (c->column) { /* what ends the field before stands beside what ends this one */
        __m512i both = _mm512_i32gather_epi64(first, (const void *)(c->place - 1), 4);
        e->end = _mm512_srli_epi64(both, 32);
        e->size = _mm512_sub_epi64(_mm512_add_epi64(e->end, _mm512_set1_epi64(-1)),
                                   _mm512_and_si512(both, low));
    } else {
        __m512i at = _mm512_and_si512(_mm512_loadu_si512(c->row + row), low);
        e->end = _mm512_cvtepu32_epi64(_mm256_i32gather_epi32((const void *)c->place, first, 4));
        e->size = _mm512_sub_epi64(e->end, at);
    }
    if (odd) {
        _mm512_store_si512(end, e->end);
        _mm512_store_si512(size, e->size);
        eight_odd(c, row, odd, end, size);
        e->end = _mm512_load_si512(end);
        e->size = _mm512_load_si512(size);
    }
    *left = _mm512_cmpgt_epu64_mask(_mm512_sub_epi64(e->size, _mm512_set1_epi64((int64_t)least)),
                                    _mm512_set1_epi64((int64_t)(most - least)));
    if (*left == EIGHT_ALL)
        return false;
    const char *to = c->base - 16;
    __m512i front = _mm512_i64gather_epi64(e->end, (const void *)to, 1);
    __m512i back = _mm512_i64gather_epi64(e->end, (const void *)(to + 8), 1);
    e->text[0] = _mm512_unpacklo_epi64(front, back);
    e->text[1] = _mm512_unpackhi_epi64(front, back);
    for (int k = 0; k < 2; k++) { /* of 16 bytes, as many as the size at the end */
        __m512i sizes = _mm512_shuffle_epi8(e->size, _mm512_set1_epi8((char)(8 * k)));
        __m512i reach = _mm512_add_epi8(eight_place(), sizes);
        e->ours[k] = _mm512_cmpgt_epi8_mask(reach, _mm512_set1_epi8(15));
    }
    return true;
}

/* From bits of the bytes to bits of the rows that have any. */
static inline uint8_t eight_rows(const uint64_t bytes[2])
{
    __m512i even = _mm512_movm_epi8(bytes[0]), odd = _mm512_movm_epi8(bytes[1]);
    __m512i any =
        _mm512_or_si512(_mm512_unpacklo_epi64(even, odd), _mm512_unpackhi_epi64(even, odd));
    return _mm512_test_epi64_mask(any, any);
}

static inline uint64_t eight_is(const Eight *e, int k, char c)
{
    return e->ours[k] & _mm512_cmpeq_epi8_mask(e->text[k], _mm512_set1_epi8(c));
}

/* The lowest bit of each lane. */
static inline uint64_t eight_lowest(uint64_t bits)
{
    return bits & ~(bits << 1 & ~EIGHT_LANES(1));
}

/* Digits, zeros in front, as [8] numbers. */
static inline __m512i eight_numbers(const __m512i digit[2])
{
    __m512i four[2];
    for (int k = 0; k < 2; k++) {
        __m512i two = _mm512_maddubs_epi16(digit[k], _mm512_set1_epi16(1 << 8 | 10));
        four[k] = _mm512_madd_epi16(two, _mm512_set1_epi32(1 << 16 | 100));
    }
    __m512i eight = _mm512_madd_epi16(_mm512_packus_epi32(four[0], four[1]),
                                      _mm512_set1_epi32(1 << 16 | 10000));
    return _mm512_add_epi64(_mm512_mul_epu32(eight, _mm512_set1_epi64(100000000)),
                            _mm512_srli_epi64(eight, 32));
}

/* Signs off: digits of the fields and zeros. `wrong` are bytes that no number has. */
static inline void eight_digits(const Eight *e, uint64_t minus[2], uint64_t wrong[2],
                                __m512i digit[2])
{
    for (int k = 0; k < 2; k++) {
        minus[k] = eight_is(e, k, '-');
        wrong[k] = minus[k] & ~eight_lowest(e->ours[k]);
        digit[k] = _mm512_maskz_sub_epi8(e->ours[k] & ~minus[k], e->text[k], _mm512_set1_epi8('0'));
    }
}

/* Whole numbers as digits_int reads them. Returns the rows it left alone, a bit each. */
static inline uint8_t eight_ints(const Cells *c, size_t row, bool lenient, int64_t *out)
{
    Eight e;
    uint8_t left;
    uint64_t minus[2], wrong[2];
    __m512i digit[2];
    if (!eight_load(c, row, 1, 16, &e, &left))
        return EIGHT_ALL;
    eight_digits(&e, minus, wrong, digit);
    for (int k = 0; k < 2; k++) {
        uint64_t lead = eight_lowest(e.ours[k] & ~minus[k]);
        uint64_t alone = EIGHT_LANES(1 << 15) & ~(minus[k] << 1); /* a digit on its own */
        uint64_t zero = lenient ? 0 : lead & ~alone & _mm512_testn_epi8_mask(digit[k], digit[k]);
        wrong[k] |= zero | (minus[k] & EIGHT_LANES(1 << 15)) |
                    _mm512_cmpgt_epu8_mask(digit[k], _mm512_set1_epi8(9));
    }
    if (wrong[0] | wrong[1])
        left |= eight_rows(wrong);
    __m512i value = eight_numbers(digit);
    if (minus[0] | minus[1])
        value = _mm512_mask_sub_epi64(value, (__mmask8)eight_rows(minus), _mm512_setzero_si512(),
                                      value);
    _mm512_mask_storeu_epi64(out + row, (__mmask8)~left, value);
    return left;
}

/* The point of each row, as its place from 1 on; 0: there is none. Of several their sum. */
static inline __m512i eight_points(const uint64_t point[2])
{
    __m512i sum[2], from1 = _mm512_add_epi8(eight_place(), _mm512_set1_epi8(1));
    for (int k = 0; k < 2; k++)
        sum[k] = _mm512_sad_epu8(_mm512_maskz_mov_epi8(point[k], from1), _mm512_setzero_si512());
    return _mm512_add_epi64(_mm512_unpacklo_epi64(sum[0], sum[1]),
                            _mm512_unpackhi_epi64(sum[0], sum[1]));
}

/* Numbers with or without a point as digits_real reads them. Returns the rows it left alone. */
static inline uint8_t eight_reals(const Cells *c, size_t row, char decimal, bool lenient,
                                  double *out)
{
    const __m512d power[2] = {_mm512_setr_pd(1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7),
                              _mm512_setr_pd(1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15)};
    Eight e;
    uint8_t left;
    uint64_t minus[2], wrong[2], point[2], zero[2];
    __m512i digit[2];
    if (!eight_load(c, row, 1, 16, &e, &left))
        return EIGHT_ALL;
    eight_digits(&e, minus, wrong, digit);
    for (int k = 0; k < 2; k++)
        point[k] = eight_is(&e, k, decimal);
    __m512i points = eight_points(point);
    for (int k = 0; k < 2; k++) { /* the digits before a point move one place up, over it */
        __m512i upto = _mm512_shuffle_epi8(points, _mm512_set1_epi8((char)(8 * k)));
        uint64_t before = _mm512_cmplt_epi8_mask(eight_place(), upto);
        uint64_t lead = eight_lowest(e.ours[k] & ~minus[k]);
        __m512i from =
            _mm512_mask_sub_epi8(eight_place(), before, eight_place(), _mm512_set1_epi8(1));
        zero[k] = lead & ~EIGHT_LANES(1 << 15) & _mm512_testn_epi8_mask(digit[k], digit[k]);
        digit[k] = _mm512_shuffle_epi8(digit[k], from);
        wrong[k] |= (minus[k] & EIGHT_LANES(1 << 15)) |
                    _mm512_cmpgt_epu8_mask(digit[k], _mm512_set1_epi8(9));
    }
    /* without a point 16 digits may be too many, and zeros in front are none of a number's */
    uint8_t whole = _mm512_testn_epi64_mask(points, points);
    left |= _mm512_cmpgt_epu64_mask(points, _mm512_set1_epi64(15));
    if (whole)
        left |= whole & (_mm512_cmpeq_epi64_mask(e.size, _mm512_set1_epi64(16)) |
                         (lenient ? 0 : eight_rows(zero)));
    if (wrong[0] | wrong[1])
        left |= eight_rows(wrong);
    __m512i behind = _mm512_sub_epi64(_mm512_set1_epi64(16), points); /* only the last bits count */
    __m512d value = _mm512_div_pd(_mm512_cvtepi64_pd(eight_numbers(digit)),
                                  _mm512_permutex2var_pd(power[0], behind, power[1]));
    if (minus[0] | minus[1])
        value = _mm512_mask_xor_pd(value, (__mmask8)eight_rows(minus), value, _mm512_set1_pd(-0.0));
    _mm512_mask_storeu_pd(out + row, (__mmask8)~left, value);
    return left;
}

/* ---- times ---- */

/* Years of four digits in the 32 bits of each row; the others are said in *left. */
static inline __m512i eight_years(const Eight *e, const char *base, uint8_t *left)
{
    __m512i at = _mm512_sub_epi64(e->end, _mm512_set1_epi64(19));
    __m256i text = _mm512_i64gather_epi32(at, (const void *)base, 1);
    __m256i digit = _mm256_sub_epi8(text, _mm256_set1_epi8('0'));
    __m256i other = _mm256_subs_epu8(digit, _mm256_set1_epi8(9));
    __m256i two = _mm256_maddubs_epi16(digit, _mm256_set1_epi16(1 << 8 | 10));
    __m256i year = _mm256_madd_epi16(two, _mm256_set1_epi32(1 << 16 | 100));
    *left |= _mm256_test_epi32_mask(other, other) | _mm256_testn_epi32_mask(year, year);
    return _mm512_cvtepu32_epi64(year);
}

/* Days since 1970, as stamp_days; a 29th of February is left to that. */
static inline __m512i eight_days(__m512i year, __m512i month, __m512i day, uint8_t *left)
{
    const __m512i length =
        _mm512_setr_epi32(0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0, 0, 0);
    const __m512i passed =
        _mm512_setr_epi32(0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 0, 0, 0);
    __m512i one = _mm512_set1_epi64(1), from0 = _mm512_sub_epi64(day, one);
    *left |= _mm512_cmpge_epu64_mask(from0, _mm512_permutexvar_epi32(month, length)) |
             (_mm512_cmpeq_epi64_mask(month, _mm512_set1_epi64(2)) &
              _mm512_cmpeq_epi64_mask(day, _mm512_set1_epi64(29)));
    __mmask8 early = _mm512_cmplt_epu64_mask(month, _mm512_set1_epi64(3));
    __m512i y = _mm512_mask_sub_epi64(year, early, year, one);
    /* y / 100 of four digits */
    __m512i century = _mm512_srli_epi64(_mm512_mul_epu32(y, _mm512_set1_epi64(5243)), 19);
    __m512i days =
        _mm512_add_epi64(_mm512_mul_epu32(year, _mm512_set1_epi64(365)), _mm512_srli_epi64(y, 2));
    days = _mm512_add_epi64(_mm512_sub_epi64(days, century), _mm512_srli_epi64(century, 2));
    days = _mm512_add_epi64(days, _mm512_permutexvar_epi32(month, passed));
    return _mm512_add_epi64(days, _mm512_sub_epi64(day, _mm512_set1_epi64(719528)));
}

/* YYYY-MM-DD HH:MM:SS as stamp_clocked reads it. Returns the rows it left alone. */
static inline uint8_t eight_times(const Cells *c, size_t row, int64_t *out)
{
    /* without the year's first three digits: 5-01-15 19:05:39 */
    const __m512i marks = _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, '-', 0, 0, '-', 0, 0, 0, 0, 0, ':', 0, 0, ':', 0, 0));
    const __m512i pairs = _mm512_broadcast_i32x4(
        _mm_setr_epi8(2, 3, 5, 6, 8, 9, 11, 12, 14, 15, -1, -1, -1, -1, -1, -1));
    const __m512i most = _mm512_set1_epi64((int64_t)59 << 48 | (int64_t)23 << 32 | 31 << 16 | 12);
    const __m512i weight = _mm512_set1_epi64((int64_t)60 << 48 | (int64_t)3600 << 32);
    const uint64_t marked = EIGHT_LANES(0x2412), between = EIGHT_LANES(1 << 7);
    Eight e;
    uint8_t left;
    uint64_t wrong[2];
    __m512i number[2];
    if (!eight_load(c, row, 19, 19, &e, &left))
        return EIGHT_ALL;
    for (int k = 0; k < 2; k++) {
        __m512i text = e.text[k];
        __m512i digit = _mm512_shuffle_epi8(_mm512_sub_epi8(text, _mm512_set1_epi8('0')), pairs);
        uint64_t gap = _mm512_cmpeq_epi8_mask(text, _mm512_set1_epi8(' ')) |
                       _mm512_cmpeq_epi8_mask(text, _mm512_set1_epi8('T'));
        wrong[k] = (marked & ~_mm512_cmpeq_epi8_mask(text, marks)) | (between & ~gap) |
                   _mm512_cmpgt_epu8_mask(digit, _mm512_set1_epi8(9));
        number[k] = _mm512_maddubs_epi16(digit, _mm512_set1_epi16(1 << 8 | 10));
    }
    if (wrong[0] | wrong[1])
        left |= eight_rows(wrong);
    /* month, day, hour, minute of each row; its second */
    __m512i four = _mm512_unpacklo_epi64(number[0], number[1]);
    __m512i second = _mm512_unpackhi_epi64(number[0], number[1]);
    __m512i over = _mm512_or_si512(_mm512_subs_epu16(four, most),
                                   _mm512_subs_epu16(second, _mm512_set1_epi64(59)));
    left |= _mm512_test_epi64_mask(over, over);
    const __m512i low = _mm512_set1_epi64(0xffff);
    __m512i month = _mm512_and_si512(four, low);
    __m512i day = _mm512_and_si512(_mm512_srli_epi64(four, 16), low);
    __m512i clock = _mm512_srli_epi64(_mm512_madd_epi16(four, weight), 32);
    __m512i year = eight_years(&e, c->base, &left), days = eight_days(year, month, day, &left);
    __m512i seconds = _mm512_add_epi64(_mm512_mullo_epi64(days, _mm512_set1_epi64(86400)),
                                       _mm512_add_epi64(clock, second));
    _mm512_mask_storeu_epi64(out + row, (__mmask8)~left,
                             _mm512_mullo_epi64(seconds, _mm512_set1_epi64(1000000)));
    return left;
}

#else
#define EIGHTS 0
static inline uint8_t eight_ints(const Cells *c, size_t row, bool lenient, int64_t *out)
{
    (void)c, (void)row, (void)lenient, (void)out;
    return 0xff;
}
static inline uint8_t eight_reals(const Cells *c, size_t row, char decimal, bool lenient,
                                  double *out)
{
    (void)c, (void)row, (void)decimal, (void)lenient, (void)out;
    return 0xff;
}
static inline uint8_t eight_times(const Cells *c, size_t row, int64_t *out)
{
    (void)c, (void)row, (void)out;
    return 0xff;
}
#endif
#endif
