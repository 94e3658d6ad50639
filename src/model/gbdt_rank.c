/* gbdt_rank.c -- the value of a rank among values that stand nowhere: they are computed three times, and
 * counted by 11 of their 32 bits each time, so that the memory for it does not grow with the rows. */
#include "gbdt_int.h"

#define DIGIT  11
#define DIGITS (1u << DIGIT)

/* How many of the values that begin with `prefix` (all of their bits above shift + DIGIT) have which
 * next digit. */
static void count_digits(RankValue *value, const void *of, size_t n, uint32_t prefix,
                         unsigned shift, uint64_t *count)
{
    uint64_t above = shift + DIGIT < 32 ? UINT64_MAX << (shift + DIGIT) : UINT64_MAX << 32;
    for (size_t i = 0; i < n; i++) {
        uint32_t key = float_order(value(of, i) + 0.0f); /* -0 is 0 */
        if (((key ^ prefix) & above) == 0)
            count[key >> shift & (DIGITS - 1)]++;
    }
}

float rank_find(const Stretch *s, RankValue *value, const void *of, size_t n, size_t rank)
{
    static const unsigned shifts[] = {22, 11, 0}; /* 10 bits, then 11 and 11 */
    uint32_t prefix = 0;
    for (size_t k = 0; k < sizeof shifts / sizeof *shifts; k++) {
        uint64_t count[DIGITS] = {0}, below = 0;
        count_digits(value, of, n, prefix, shifts[k], count);
        stretch_sum_pairs(s, count, DIGITS);
        uint32_t digit = 0;
        while (digit + 1 < DIGITS && below + count[digit] <= rank)
            below += count[digit++];
        rank -= (size_t)below;
        prefix |= digit << shifts[k];
    }
    return float_ordered(prefix);
}
