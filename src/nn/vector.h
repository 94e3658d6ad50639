/* vector.h -- a handful of floats at once, in the compiler's own vector types, so that one source
 * serves every processor: 16 lanes where there is AVX-512, else 8. */
#ifndef NN_VECTOR_H
#define NN_VECTOR_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __AVX__
#include <immintrin.h>
#endif
#ifdef __AVX512F__
#define LANES 16
#else
#define LANES 8
#endif

#ifdef __clang__
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* Numbers below 1e-38 count as zero while kernels run: a moment that fades away (a dead unit's) would
 * otherwise slow each step tenfold. The mode is the thread's, so every body that is handed to the pool
 * sets it and puts back what was there. */
#if defined(__SSE__)
#include <xmmintrin.h>
static inline unsigned tiny_off(void)
{
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040u); /* flush to zero, denormals are zero */
    return before;
}
static inline void tiny_restore(unsigned before)
{
    _mm_setcsr(before);
}
#else
static inline unsigned tiny_off(void)
{
    return 0;
}
static inline void tiny_restore(unsigned before)
{
    (void)before;
}
#endif

typedef float Vec __attribute__((vector_size(LANES * sizeof(float))));
typedef int32_t VecBits __attribute__((vector_size(LANES * sizeof(int32_t))));

static inline Vec vec_load(const float *p)
{
    Vec v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline void vec_store(float *p, Vec v)
{
    memcpy(p, &v, sizeof v);
}

/* Past the caches, for what another core reads next: writing lines that it has read is several times
 * slower than that. p: aligned to a vector. Before the other is told, vec_settle. */
static inline void vec_stream(float *p, Vec v)
{
#if defined(__AVX512F__)
    _mm512_stream_ps(p, (__m512)v);
#elif defined(__AVX__)
    _mm256_stream_ps(p, (__m256)v);
#else
    vec_store(p, v);
#endif
}

static inline void vec_settle(void)
{
#if defined(__SSE__)
    _mm_sfence();
#endif
}

static inline bool vec_aligned(const float *p)
{
    return (uintptr_t)p % sizeof(Vec) == 0;
}

static inline Vec vec_all(float x)
{
    return x - (Vec){0};
}

/* Correctly rounded, as sqrtf is, from 1e-30 up (below, perhaps off by the last bit): an estimate of 14
 * bits, made better twice by fused multiply-adds. That takes a third of the time of the instruction, which
 * is not pipelined. Of infinity: NaN. */
static inline Vec vec_sqrt(Vec x)
{
#ifdef __AVX512F__
    const Vec half = vec_all(0.5f);
    Vec y = (Vec)_mm512_maskz_rsqrt14_ps(_mm512_cmp_ps_mask((__m512)x, _mm512_setzero_ps(), _CMP_NEQ_UQ),
                                         (__m512)x); /* 0 of 0 */
    Vec root = x * y, h = half * y;
    Vec rest = (Vec)_mm512_fnmadd_ps((__m512)root, (__m512)h, (__m512)half);
    root = (Vec)_mm512_fmadd_ps((__m512)root, (__m512)rest, (__m512)root);
    h = (Vec)_mm512_fmadd_ps((__m512)h, (__m512)rest, (__m512)h);
    rest = (Vec)_mm512_fnmadd_ps((__m512)root, (__m512)root, (__m512)x);
    return (Vec)_mm512_fmadd_ps((__m512)rest, (__m512)h, (__m512)root);
#else
    for (int i = 0; i < LANES; i++)
        x[i] = sqrtf(x[i]);
    return x;
#endif
}

/* NaN in a stays NaN. */
static inline Vec vec_max(Vec a, Vec b)
{
    VecBits less = a < b;
    return (Vec)(((VecBits)b & less) | ((VecBits)a & ~less));
}

/* By halves. */
static inline float vec_sum(Vec v)
{
#ifdef __AVX512F__
    __m256 w = _mm256_add_ps(_mm512_castps512_ps256((__m512)v),
                             _mm256_castpd_ps(_mm512_extractf64x4_pd((__m512d)v, 1)));
    __m128 x = _mm_add_ps(_mm256_castps256_ps128(w), _mm256_extractf128_ps(w, 1));
    x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
#else
    float part[LANES];
    memcpy(part, &v, sizeof part);
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            part[i] += part[i + half];
    return part[0];
#endif
}

/* v where gate is above 0, else 0 */
static inline Vec vec_gate(Vec v, Vec gate)
{
    VecBits open = gate > vec_all(0.0f);
    return (Vec)((VecBits)v & open);
}

/* Sums along a row, in lanes: the same order for the same length, wherever it lies. */
static inline float row_sum(const float *x, size_t n)
{
    Vec sum = vec_all(0.0f);
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        sum += vec_load(x + i);
    float s = vec_sum(sum);
    for (; i < n; i++)
        s += x[i];
    return s;
}

static inline float row_dot(const float *x, const float *y, size_t n)
{
    Vec sum = vec_all(0.0f);
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        sum += vec_load(x + i) * vec_load(y + i);
    float s = vec_sum(sum);
    for (; i < n; i++)
        s += x[i] * y[i];
    return s;
}

#endif
