/* bits.c -- bitmaps: counting, copying between places that are not whole bytes apart. */
#include "data_int.h"

uint64_t bits_word_(const uint8_t *bits, size_t at, size_t end)
{
    if (at >= end)
        return 0;
    size_t n = end - at < 64 ? end - at : 64, bytes = bit_bytes((at & 7) + n), first = at >> 3;
    uint64_t word = 0;
    memcpy(&word, bits + first, bytes < 8 ? bytes : 8);
    word >>= at & 7;
    if (bytes > 8)
        word |= (uint64_t)bits[first + 8] << (64 - (at & 7));
    return n == 64 ? word : word & ((UINT64_C(1) << n) - 1);
}

size_t bits_count(const uint8_t *bits, size_t from, size_t n)
{
    size_t sum = 0, end = from + n;
    for (size_t at = from; at < end; at += 64)
        sum += (size_t)__builtin_popcountll(bits_word(bits, at, end));
    return sum;
}

void bits_copy(uint8_t *to, size_t to_at, const uint8_t *from, size_t from_at, size_t n)
{
    size_t end = from_at + n;
    while (n && (to_at & 7)) { /* up to a whole byte of `to` */
        if (bit_get(from, from_at))
            bit_set(to, to_at);
        else
            bit_clear(to, to_at);
        to_at++, from_at++, n--;
    }
    for (; n >= 64; n -= 64, to_at += 64, from_at += 64) {
        uint64_t word = bits_word(from, from_at, end);
        memcpy(to + (to_at >> 3), &word, 8);
    }
    for (; n; n--, to_at++, from_at++)
        if (bit_get(from, from_at))
            bit_set(to, to_at);
        else
            bit_clear(to, to_at);
}

void bits_fill(uint8_t *to, size_t at, size_t n)
{
    for (; n && (at & 7); n--)
        bit_set(to, at++);
    memset(to + (at >> 3), 0xff, n >> 3);
    at += n & ~(size_t)7;
    for (n &= 7; n; n--)
        bit_set(to, at++);
}
