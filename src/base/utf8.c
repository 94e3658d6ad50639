/* utf8.c -- decoding UTF-8 and measuring it in terminal columns.
 *
 * The C library's wcwidth answers only in a UTF-8 locale, which a log file or a test need not
 * have; so the ranges stand in utf8_ranges.h (Unicode 15 as glibc 2.36 sees it). */
#include <lathe/base.h>

#include "utf8_ranges.h"

/* Bytes of the well-formed sequence at s (RFC 3629: no overlong, no surrogate, <= U+10FFFF), or 0. */
static size_t sequence(const unsigned char *s, size_t n)
{
    unsigned char c = s[0];
    if (c < 0x80)
        return 1;
    size_t length = c >= 0xF0 && c <= 0xF4  ? 4
                    : c >= 0xE0 && c < 0xF0 ? 3
                    : c >= 0xC2 && c < 0xE0 ? 2
                                            : 0;
    if (length == 0 || length > n)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    bool bad = (c == 0xE0 && s[1] < 0xA0) || (c == 0xED && s[1] > 0x9F) ||
               (c == 0xF0 && s[1] < 0x90) || (c == 0xF4 && s[1] > 0x8F);
    return bad ? 0 : length;
}

uint32_t utf8_next(const char **s, const char *end)
{
    const unsigned char *at = (const unsigned char *)*s;
    if (*s >= end)
        return 0;
    size_t length = sequence(at, (size_t)(end - *s));
    *s += length ? length : 1;
    switch (length) {
    case 1:
        return at[0];
    case 2:
        return (at[0] & 0x1Fu) << 6 | (at[1] & 0x3Fu);
    case 3:
        return (at[0] & 0x0Fu) << 12 | (at[1] & 0x3Fu) << 6 | (at[2] & 0x3Fu);
    case 4:
        return (at[0] & 0x07u) << 18 | (at[1] & 0x3Fu) << 12 | (at[2] & 0x3Fu) << 6 |
               (at[3] & 0x3Fu);
    }
    return 0xFFFD;
}

bool utf8_valid(const char *s, size_t n)
{
    const unsigned char *at = (const unsigned char *)s;
    for (size_t i = 0; i < n;) {
        size_t length = at[i] < 0x80 ? 1 : sequence(at + i, n - i);
        if (length == 0)
            return false;
        i += length;
    }
    return true;
}

static bool within(const Range *ranges, size_t n, uint32_t c)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (c > ranges[mid].last)
            low = mid + 1;
        else if (c < ranges[mid].first)
            high = mid;
        else
            return true;
    }
    return false;
}

static size_t columns_of(uint32_t c)
{
    if (c < 0x20 || (c >= 0x7F && c < 0xA0))
        return 0; /* control characters take no place of their own */
    if (c < 0x300)
        return 1;
    if (within(zero_ranges, sizeof zero_ranges / sizeof *zero_ranges, c))
        return 0;
    return within(wide_ranges, sizeof wide_ranges / sizeof *wide_ranges, c) ? 2 : 1;
}

size_t utf8_width(const char *s, size_t n)
{
    const char *end = s + n;
    size_t width = 0;
    while (s < end)
        width += columns_of(utf8_next(&s, end));
    return width;
}

size_t utf8_fit(const char *s, size_t n, size_t columns)
{
    const char *at = s, *end = s + n;
    size_t width = 0;
    while (at < end) {
        const char *next = at;
        width += columns_of(utf8_next(&next, end));
        if (width > columns)
            break;
        at = next;
    }
    return (size_t)(at - s);
}
