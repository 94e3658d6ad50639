/* sort.c -- doubles in ascending order, by their bits.
 *
 * The bits of a double, sign flipped for positives and all flipped for negatives, sort as unsigned
 * numbers. Six passes of 11 bits, least first; the counts of all passes come from one reading, and
 * a pass in which every value has the same digit is left out (few digits, a narrow range). */
#include "drift_int.h"

#define DIGIT  11
#define DIGITS 6
#define VALUES (1u << DIGIT)
#define FEW    64 /* below, insertion is quicker */

static uint64_t key_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits ^ ((uint64_t)((int64_t)bits >> 63) | 1ull << 63);
}

static void sort_few(double *at, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        double x = at[i];
        size_t k = i;
        for (; k > 0 && at[k - 1] > x; k--)
            at[k] = at[k - 1];
        at[k] = x;
    }
}

static void move(const double *from, double *to, size_t n, unsigned shift, uint32_t *place)
{
    for (size_t i = 0; i < n; i++)
        to[place[(key_of(from[i]) >> shift) & (VALUES - 1)]++] = from[i];
}

void sort_reals(double *at, size_t n, double *spare)
{
    if (n < FEW) {
        sort_few(at, n);
        return;
    }
    uint32_t(*count)[VALUES] = mem_alloc(DIGITS * sizeof *count);
    for (size_t i = 0; i < n; i++) {
        uint64_t key = key_of(at[i]);
        for (unsigned d = 0; d < DIGITS; d++)
            count[d][(key >> (d * DIGIT)) & (VALUES - 1)]++;
    }
    double *from = at, *to = spare;
    for (unsigned d = 0; d < DIGITS; d++) {
        if (count[d][(key_of(from[0]) >> (d * DIGIT)) & (VALUES - 1)] == n)
            continue;
        uint32_t sum = 0;
        for (size_t v = 0; v < VALUES; v++) {
            uint32_t here = count[d][v];
            count[d][v] = sum;
            sum += here;
        }
        move(from, to, n, d * DIGIT, count[d]);
        double *other = from;
        from = to;
        to = other;
    }
    if (from != at)
        memcpy(at, from, n * sizeof *at);
    mem_free(count);
}
