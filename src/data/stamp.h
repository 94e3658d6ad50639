/* stamp.h -- the usual form of dates and times, YYYY-MM-DD and YYYY-MM-DD HH:MM:SS, without a branch
 * a character. Inline, for the loops over whole columns; any other form is for values_time.c. */
#ifndef LATHE_STAMP_H
#define LATHE_STAMP_H

#include "digits.h"

/* Where the separators stand in YYYY-MM- and HH:MM:SS. They are turned into zeros, so that one
 * look for eight digits is enough. */
#define STAMP_AT(byte, place) ((uint64_t)(byte) << (8 * (place)))
#define STAMP_DASHES          (STAMP_AT('-', 4) | STAMP_AT('-', 7))
#define STAMP_COLONS          (STAMP_AT(':', 2) | STAMP_AT(':', 5))
#define STAMP_DASH_PLACES     (STAMP_AT(0xff, 4) | STAMP_AT(0xff, 7))
#define STAMP_COLON_PLACES    (STAMP_AT(0xff, 2) | STAMP_AT(0xff, 5))
#define STAMP_ZEROS           0x3030303030303030u

/* Days since 1970 of a day that there is; false: there is none. */
static inline bool stamp_days(uint32_t year, uint32_t month, uint32_t day, int64_t *days)
{
    static const uint8_t length[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0, 0, 0};
    static const uint16_t before[] = {0,   0,   31,  59,  90,  120, 151, 181,
                                      212, 243, 273, 304, 334, 0,   0,   0};
    if (month > 12 || day - 1 >= length[month] || !year)
        return false;
    if (month == 2 && day == 29 && (year % 4 || (year % 100 == 0 && year % 400)))
        return false;
    uint32_t y = year - (month < 3); /* the leap day of this year counts from March on */
    *days = (int64_t)year * 365 + y / 4 - y / 100 + y / 400 + before[month] + day - 719528;
    return true;
}

static inline bool stamp_date(const char *s, int64_t *days)
{
    uint64_t raw = digits_load(s);
    if ((raw & STAMP_DASH_PLACES) != STAMP_DASHES)
        return false;
    raw = (raw & ~STAMP_DASH_PLACES) | (STAMP_ZEROS & STAMP_DASH_PLACES);
    uint32_t tens = (uint32_t)(s[8] - '0'), ones = (uint32_t)(s[9] - '0');
    if (digits_count(raw) != 8 || tens > 3 || ones > 9)
        return false;
    uint32_t value = digits_value(raw, 8); /* YYYY0MM0 */
    return stamp_days(value / 10000, value % 10000 / 10, tens * 10 + ones, days);
}

#if defined(__SSE4_1__)

/* All behind the year at once: each pair of digits is one of five numbers. */
static inline bool stamp_clocked(const char *s, int64_t *micros)
{
    const __m128i marks = _mm_setr_epi8(0, '-', 0, 0, '-', 0, 0, 0, 0, 0, ':', 0, 0, ':', 0, 0);
    const __m128i pairs = _mm_setr_epi8(2, 3, 5, 6, 8, 9, 11, 12, 14, 15, -1, -1, -1, -1, -1, -1);
    const __m128i most = _mm_setr_epi16(12, 31, 23, 59, 59, 0, 0, 0);
    const __m128i weight = _mm_setr_epi16(0, 0, 3600, 60, 1, 0, 0, 0);
    __m128i text = _mm_loadu_si128((const __m128i *)(const void *)(s + 3));
    uint32_t marked = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(text, marks));
    __m128i digit = _mm_shuffle_epi8(_mm_sub_epi8(text, _mm_set1_epi8('0')), pairs);
    __m128i number = _mm_maddubs_epi16(digit, _mm_set1_epi16(1 << 8 | 10));
    __m128i wrong =
        _mm_or_si128(_mm_subs_epu8(digit, _mm_set1_epi8(9)), _mm_cmpgt_epi16(number, most));
    uint32_t year;
    memcpy(&year, s, 4);
    uint32_t other = ((year + 0x46464646u) | (year - 0x30303030u)) & 0x80808080u;
    if ((marked & 0x2412) != 0x2412 || !_mm_testz_si128(wrong, wrong) || other ||
        (s[10] != ' ' && s[10] != 'T'))
        return false;
    year -= 0x30303030u;
    year = year * 10 + (year >> 8);
    year = (year & 0xff) * 100 + (year >> 16 & 0xff);
    uint32_t date = (uint32_t)_mm_cvtsi128_si32(number);
    int64_t days;
    if (!stamp_days(year, date & 0xffff, date >> 16, &days))
        return false;
    __m128i clock = _mm_madd_epi16(number, weight);
    int64_t seconds = _mm_extract_epi32(clock, 1) + _mm_extract_epi32(clock, 2);
    *micros = (days * 86400 + seconds) * 1000000;
    return true;
}

#else

static inline bool stamp_clock(const char *s, int64_t *micros)
{
    uint64_t raw = digits_load(s);
    if ((raw & STAMP_COLON_PLACES) != STAMP_COLONS)
        return false;
    raw = (raw & ~STAMP_COLON_PLACES) | (STAMP_ZEROS & STAMP_COLON_PLACES);
    if (digits_count(raw) != 8)
        return false;
    uint32_t value = digits_value(raw, 8); /* HH0MM0SS */
    uint32_t hour = value / 1000000, minute = value / 1000 % 1000, second = value % 1000;
    *micros = (int64_t)(hour * 3600 + minute * 60 + second) * 1000000;
    return hour < 24 && minute < 60 && second < 60;
}

static inline bool stamp_clocked(const char *s, int64_t *micros)
{
    int64_t days, clock;
    if (!stamp_date(s, &days) || (s[10] != ' ' && s[10] != 'T') || !stamp_clock(s + 11, &clock))
        return false;
    *micros = days * 86400000000 + clock;
    return true;
}

#endif

/* False: another form, or no date. */
static inline bool stamp_usual(const char *s, size_t n, int64_t *micros)
{
    if (n == 19)
        return stamp_clocked(s, micros);
    if (n != 10 || !stamp_date(s, micros))
        return false;
    *micros *= 86400000000;
    return true;
}

#endif
