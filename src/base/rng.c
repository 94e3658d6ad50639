/* rng.c -- random numbers and hashes that are the same on every machine.
 *
 * Only +, -, *, / and sqrt are used, which IEEE 754 fixes to the last bit, and products are not
 * fused into sums: neither the processor nor the C library's log() can change a sequence. */
#include <lathe/base.h>

#include <assert.h>
#include <math.h>
#include <string.h>

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#else
#pragma GCC optimize("fp-contract=off")
#endif

static uint64_t rotate(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

static uint64_t splitmix(uint64_t *state) /* Steele, Lea and Flood 2014 */
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

void rng_seed(Rng *r, uint64_t seed, uint64_t stream)
{
    uint64_t from_stream = stream;
    uint64_t state = seed ^ rotate(splitmix(&from_stream), 17);
    if (stream == 0)
        state = seed;
    for (int i = 0; i < 4; i++)
        r->s[i] = splitmix(&state);
}

uint64_t rng_next(Rng *r)
{
    uint64_t *s = r->s;
    uint64_t result = rotate(s[0] + s[3], 23) + s[0], t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

double rng_unit(Rng *r)
{
    return (double)(rng_next(r) >> 11) * 0x1p-53;
}

/* ln x for 0 < x < 1, to about 1e-16: x = m 2^e with m in [sqrt(1/2), sqrt(2)), and
 * ln m = 2 (s + s^3/3 + s^5/5 + ...) with s = (m-1)/(m+1), |s| < 0.172. */
static double plain_log(double x)
{
    int e;
    double m = frexp(x, &e);
    if (m < 0.70710678118654752) {
        m *= 2.0;
        e--;
    }
    double s = (m - 1.0) / (m + 1.0), s2 = s * s, sum = 0.0;
    for (int k = 23; k >= 1; k -= 2)
        sum = sum * s2 + 1.0 / (double)k;
    return (double)e * 0.69314718055994531 + 2.0 * s * sum;
}

/* Marsaglia's polar method. The second normal of a pair is not kept: the state is the struct. */
double rng_normal(Rng *r)
{
    double u, v, q;
    do {
        u = 2.0 * rng_unit(r) - 1.0;
        v = 2.0 * rng_unit(r) - 1.0;
        q = u * u + v * v;
    } while (q >= 1.0 || q == 0.0);
    return u * sqrt(-2.0 * plain_log(q) / q);
}

uint64_t rng_below(Rng *r, uint64_t n) /* Lemire 2019, nearly without division */
{
    assert(n > 0);
    unsigned __int128 product = (unsigned __int128)rng_next(r) * n;
    if ((uint64_t)product < n) {
        uint64_t least = (0 - n) % n;
        while ((uint64_t)product < least)
            product = (unsigned __int128)rng_next(r) * n;
    }
    return (uint64_t)(product >> 64);
}

void rng_shuffle(Rng *r, uint32_t *order, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)rng_below(r, i);
        uint32_t swap = order[i - 1];
        order[i - 1] = order[j];
        order[j] = swap;
    }
}

/* ---- hash: products of 64 x 64 bits folded in half, 32 bytes a turn in two lanes ------------- */

static uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t read64(const unsigned char *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

static uint64_t read32(const unsigned char *p)
{
    uint32_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

uint64_t hash_bytes(const void *p, size_t n, uint64_t seed)
{
    /* odd, about half their bits set; the fractional digits of the square roots of 2, 3, 5, 7 */
    static const uint64_t k0 = 0x6A09E667F3BCC909u, k1 = 0xBB67AE8584CAA73Bu;
    static const uint64_t k2 = 0x3C6EF372FE94F82Bu, k3 = 0xA54FF53A5F1D36F1u;
    const unsigned char *at = p;
    uint64_t a = 0, b = 0, left = n;
    seed ^= fold(seed ^ k0, k1);
    if (left > 16) {
        uint64_t other = seed;
        for (; left > 32; left -= 32, at += 32) {
            seed = fold(read64(at) ^ k1, read64(at + 8) ^ seed);
            other = fold(read64(at + 16) ^ k2, read64(at + 24) ^ other);
        }
        if (n > 32) /* else the lanes are the same still, and the seed would be gone */
            seed ^= other;
        if (left > 16)
            seed = fold(read64(at) ^ k3, read64(at + 8) ^ seed);
        a = read64(at + left - 16); /* the last 16 bytes, overlapping what was read */
        b = read64(at + left - 8);
    } else if (left >= 8) {
        a = read64(at);
        b = read64(at + left - 8);
    } else if (left >= 4) {
        a = read32(at);
        b = read32(at + left - 4);
    } else if (left > 0) {
        a = (uint64_t)at[0] << 16 | (uint64_t)at[left / 2] << 8 | at[left - 1];
    }
    return fold(k1 ^ n, fold(a ^ k2, b ^ seed) ^ k3);
}
