/* decimal.c -- up to 19 decimal digits with a point in them as the nearest double.
 *
 * Eisel and Lemire ("Number parsing at a gigabyte per second", 2021): the digits times a 128-bit
 * power of five give the 53 bits of the result. For powers from 5^-27 to 5^0 that is exact enough
 * for every input (their section 8), so there is no way back to take. */
#include "reader_int.h"

#include <string.h>

#define BEHIND_MOST 27

/* 5^q, scaled so that the highest bit is set: upper and lower 64 bits, rounded up for q < 0. */
static const uint64_t power5[BEHIND_MOST + 1][2] = {
    // clang-format off
    {0x9e74d1b791e07e48u, 0x775ea264cf55347eu}, /* -27 */
    {0xc612062576589ddau, 0x95364afe032a819eu}, /* -26 */
    {0xf79687aed3eec551u, 0x3a83ddbd83f52205u}, /* -25 */
    {0x9abe14cd44753b52u, 0xc4926a9672793543u}, /* -24 */
    {0xc16d9a0095928a27u, 0x75b7053c0f178294u}, /* -23 */
    {0xf1c90080baf72cb1u, 0x5324c68b12dd6339u}, /* -22 */
    {0x971da05074da7beeu, 0xd3f6fc16ebca5e04u}, /* -21 */
    {0xbce5086492111aeau, 0x88f4bb1ca6bcf585u}, /* -20 */
    {0xec1e4a7db69561a5u, 0x2b31e9e3d06c32e6u}, /* -19 */
    {0x9392ee8e921d5d07u, 0x3aff322e62439fd0u}, /* -18 */
    {0xb877aa3236a4b449u, 0x09befeb9fad487c3u}, /* -17 */
    {0xe69594bec44de15bu, 0x4c2ebe687989a9b4u}, /* -16 */
    {0x901d7cf73ab0acd9u, 0x0f9d37014bf60a11u}, /* -15 */
    {0xb424dc35095cd80fu, 0x538484c19ef38c95u}, /* -14 */
    {0xe12e13424bb40e13u, 0x2865a5f206b06fbau}, /* -13 */
    {0x8cbccc096f5088cbu, 0xf93f87b7442e45d4u}, /* -12 */
    {0xafebff0bcb24aafeu, 0xf78f69a51539d749u}, /* -11 */
    {0xdbe6fecebdedd5beu, 0xb573440e5a884d1cu}, /* -10 */
    {0x89705f4136b4a597u, 0x31680a88f8953031u}, /* -9 */
    {0xabcc77118461cefcu, 0xfdc20d2b36ba7c3eu}, /* -8 */
    {0xd6bf94d5e57a42bcu, 0x3d32907604691b4du}, /* -7 */
    {0x8637bd05af6c69b5u, 0xa63f9a49c2c1b110u}, /* -6 */
    {0xa7c5ac471b478423u, 0x0fcf80dc33721d54u}, /* -5 */
    {0xd1b71758e219652bu, 0xd3c36113404ea4a9u}, /* -4 */
    {0x83126e978d4fdf3bu, 0x645a1cac083126eau}, /* -3 */
    {0xa3d70a3d70a3d70au, 0x3d70a3d70a3d70a4u}, /* -2 */
    {0xccccccccccccccccu, 0xcccccccccccccccdu}, /* -1 */
    {0x8000000000000000u, 0x0000000000000000u}, /* 0 */
    // clang-format on
};

typedef struct Product {
    uint64_t high, low;
} Product;

static inline Product multiply(uint64_t a, uint64_t b)
{
    unsigned __int128 p = (unsigned __int128)a * b;
    return (Product){(uint64_t)(p >> 64), (uint64_t)p};
}

/* The second half of the power only matters where the bits below the 55 needed are all ones. */
static Product scaled(uint64_t digits, int q)
{
    const uint64_t *power = power5[q + BEHIND_MOST];
    Product p = multiply(digits, power[0]);
    if ((p.high & 0x1ff) == 0x1ff) {
        Product more = multiply(digits, power[1]);
        p.low += more.high;
        p.high += more.high > p.low;
    }
    return p;
}

bool decimal_real(uint64_t digits, int behind, double *out)
{
    if (behind > BEHIND_MOST)
        return false;
    if (!digits)
        return *out = 0, true;
    int zeros = __builtin_clzll(digits), q = -behind;
    Product p = scaled(digits << zeros, q);
    int upper = (int)(p.high >> 63), shift = upper + 9;
    uint64_t mantissa = p.high >> shift;
    /* 152170 / 65536 + 1: the binary logarithm of ten, for these q */
    int64_t exponent = (((152170 + 65536) * q) >> 16) + 63 + upper - zeros + 1023;
    if (p.low <= 1 && q >= -4 && (mantissa & 3) == 1 && mantissa << shift == p.high)
        mantissa &= ~(uint64_t)1; /* half way between two: to the even one */
    mantissa = (mantissa + (mantissa & 1)) >> 1;
    if (mantissa >> 53) {
        mantissa >>= 1;
        exponent++;
    }
    uint64_t bits = (mantissa & (((uint64_t)1 << 52) - 1)) | (uint64_t)exponent << 52;
    memcpy(out, &bits, sizeof bits);
    return true;
}
