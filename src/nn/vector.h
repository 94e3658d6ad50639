/* vector.h -- a handful of floats at once, in the compiler's own vector types, so that one source
 * serves every processor: 16 lanes where there is AVX-512, else 8. */
#ifndef NN_VECTOR_H
#define NN_VECTOR_H

#include <stdint.h>
#include <string.h>

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

static inline Vec vec_all(float x)
{
    return x - (Vec){0};
}

/* NaN in a stays NaN. */
static inline Vec vec_max(Vec a, Vec b)
{
    VecBits less = a < b;
    return (Vec)(((VecBits)b & less) | ((VecBits)a & ~less));
}

static inline float vec_sum(Vec v)
{
    float part[LANES], sum = 0.0f;
    memcpy(part, &v, sizeof part);
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            part[i] += part[i + half];
    sum = part[0];
    return sum;
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
