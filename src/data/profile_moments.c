/* profile_moments.c -- mean, deviation, extremes of a block of numbers, in eight lanes whatever the
 * processor has, so that the sums are the same everywhere. */
#include "profile_int.h"

#include <math.h>

typedef double Lanes __attribute__((vector_size(64), aligned(8), may_alias));
typedef int64_t Masks __attribute__((vector_size(64)));
#define LANES 8

static Lanes lanes_pick(Masks which, Lanes yes, Lanes no)
{
    return (Lanes)(((Masks)yes & which) | ((Masks)no & ~which));
}

static double lanes_sum(Lanes v)
{
    return ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]));
}

/* x - x is NaN for what is not finite. */
bool profile_copy_reals(double *restrict to, const double *restrict from, size_t n)
{
    Lanes sum = {0}, zero = {0};
    double rest = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        Lanes x = *(const Lanes *)(from + i) + zero;
        *(Lanes *)(to + i) = x;
        sum += x - x;
    }
    for (; i < n; i++) {
        to[i] = from[i] + 0.0;
        rest += to[i] - to[i];
    }
    return lanes_sum(sum) + rest == 0;
}

/* Adds a block of finite values: sums in lanes, then one step of Chan, Golub and LeVeque (1979). */
void profile_add_moments(ColumnProfiler *p, const double *v, size_t n)
{
    if (n == 0)
        return;
    Lanes sum = {0}, least, most, zero = {0};
    Masks zeros = {0}, negatives = {0};
    least = zero + (double)INFINITY;
    most = zero - (double)INFINITY;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        Lanes x = *(const Lanes *)(v + i);
        sum += x;
        least = lanes_pick((Masks)(x < least), x, least);
        most = lanes_pick((Masks)(x > most), x, most);
        zeros -= (Masks)(x == zero);
        negatives -= (Masks)(x < zero);
    }
    double total = lanes_sum(sum), low = p->least, high = p->most;
    for (int k = 0; k < LANES; k++) {
        low = least[k] < low ? least[k] : low;
        high = most[k] > high ? most[k] : high;
        p->zeros += (uint64_t)zeros[k];
        p->negatives += (uint64_t)negatives[k];
    }
    for (; i < n; i++) {
        total += v[i];
        low = v[i] < low ? v[i] : low;
        high = v[i] > high ? v[i] : high;
        p->zeros += v[i] == 0;
        p->negatives += v[i] < 0;
    }
    p->least = low;
    p->most = high;

    double mean = total / (double)n, squares = 0;
    Lanes around = zero + mean, square = {0};
    for (i = 0; i + LANES <= n; i += LANES) {
        Lanes x = *(const Lanes *)(v + i) - around;
        square += x * x;
    }
    for (; i < n; i++)
        squares += (v[i] - mean) * (v[i] - mean);
    squares += lanes_sum(square);
    double before = (double)p->finite, now = before + (double)n, gap = mean - p->mean;
    p->mean += gap * (double)n / now;
    p->squares += squares + gap * gap * before * (double)n / now;
    p->finite += n;
}
