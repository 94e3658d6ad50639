/* gbdt_quick.h -- what both ways down a forest that was laid out share: a node's word (see gbdt_quick.c), and how
 * values become bins */
#ifndef LATHE_GBDT_QUICK_H
#define LATHE_GBDT_QUICK_H

#include "gbdt_int.h"

#ifdef __AVX512VBMI__
#include <immintrin.h>
#endif

#define RANKS         256
#define NODE_MISSING  (1u << 14)
#define NODE_SET      (1u << 15)
#define NODE_IS_LEAF(word) (((word) & 255u) == 255u)

#ifdef __AVX512VBMI__
static inline __m512i quick_lanes(void)
{
    return _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
}

/* How many of the thresholds from `base` on are below x, sixteen times, by halving. A NaN is above none. */
static inline __m512i quick_bins(const Quick *q, __m512 x, __m512i base)
{
    __m512i bin = _mm512_setzero_si512();
    int first = 1;
    while ((size_t)first * 2 <= q->most)
        first *= 2;
    for (int step = first; step; step /= 2) {
        __m512i at = _mm512_add_epi32(_mm512_add_epi32(base, bin), _mm512_set1_epi32(step - 1));
        __m512 t = _mm512_i32gather_ps(at, q->upper, 4);
        bin = _mm512_mask_add_epi32(bin, _mm512_cmp_ps_mask(x, t, _CMP_GT_OQ), bin, _mm512_set1_epi32(step));
    }
    return bin;
}
#endif

#endif
