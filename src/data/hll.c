/* hll.c -- how many distinct values: HyperLogLog (Flajolet et al. 2007) with the estimator of
 * Ertl (2017), "New cardinality estimation algorithms for HyperLogLog sketches", algorithm 6,
 * which needs no tables for small and large counts. */
#include "data_int.h"

#include <math.h>

uint64_t unmix64(uint64_t x)
{
    x = (x ^ x >> 33) * 0x9cb4b2f8129337dbu; /* the inverses modulo 2^64 */
    x = (x ^ x >> 33) * 0x4f74430c22a54005u;
    return x ^ x >> 33;
}

unsigned hll_floor(const Hll *h)
{
    uint8_t low = h->rank[0];
    for (size_t i = 1; i < COUNT_OF(h->rank); i++)
        low = h->rank[i] < low ? h->rank[i] : low;
    return low;
}

void hll_merge(Hll *into, const Hll *from)
{
    for (size_t i = 0; i < COUNT_OF(into->rank); i++)
        if (from->rank[i] > into->rank[i])
            into->rank[i] = from->rank[i];
}

static double sigma(double x)
{
    if (x == 1)
        return (double)INFINITY;
    double y = 1, z = x, last;
    do {
        x *= x;
        last = z;
        z += x * y;
        y += y;
    } while (z > last);
    return z;
}

static double tau(double x)
{
    if (x == 0 || x == 1)
        return 0;
    double y = 1, z = 1 - x, last;
    do {
        x = sqrt(x);
        last = z;
        y *= 0.5;
        z -= (1 - x) * (1 - x) * y;
    } while (z < last);
    return z / 3;
}

double hll_estimate(const Hll *h)
{
    const double m = COUNT_OF(h->rank);
    const int most = 64 - HLL_BITS;
    uint32_t with[66] = {0};
    for (size_t i = 0; i < COUNT_OF(h->rank); i++)
        with[h->rank[i]]++;
    double z = m * tau(1 - with[most + 1] / m);
    for (int k = most; k >= 1; k--)
        z = 0.5 * (z + with[k]);
    z += m * sigma(with[0] / m);
    return m * m / (2 * log(2)) / z;
}
