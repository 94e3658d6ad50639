/* activation.h -- the activations and their slopes, as arithmetic the compiler can vectorise.
 *
 * exp and erf are near forms without tables or branches: exp to 1e-7 relative (Cephes' polynomial),
 * erf to 1.5e-7 absolute (Abramowitz and Stegun 7.1.26). NaN goes through. */
#ifndef NN_ACTIVATION_H
#define NN_ACTIVATION_H

#include <stddef.h>
#include <stdint.h>
#include <math.h>

static inline float exp_near(float x)
{
    union {
        float f;
        int32_t i;
    } shift, scale;
    float y = x > 88.0f ? 88.0f : x < -87.0f ? -87.0f : x;
    shift.f = y * 1.44269504088896341f + 12582912.0f; /* 1.5 * 2^23: rounds to whole numbers */
    float n = shift.f - 12582912.0f;
    float r = (y - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    scale.i = (int32_t)((uint32_t)(shift.i - 0x4B400000 + 127) << 23);
    return p * scale.f;
}

/* x[n] in place. A NaN stays. */
static inline void softmax_near(float *restrict x, size_t n)
{
    float most = x[0], sum = 0;
    for (size_t j = 1; j < n; j++)
        most = x[j] > most ? x[j] : most;
    for (size_t j = 0; j < n; j++)
        x[j] = exp_near(x[j] - most);
    for (size_t j = 0; j < n; j++)
        sum += x[j];
    for (size_t j = 0; j < n; j++)
        x[j] /= sum;
}

static inline float sigmoid_near(float x)
{
    return 1.0f / (1.0f + exp_near(-x));
}

static inline float tanh_near(float x)
{
    float small = x * (1.0f + x * x * (-1.0f / 3.0f + x * x * (2.0f / 15.0f)));
    float large = 2.0f / (1.0f + exp_near(-2.0f * x)) - 1.0f;
    return x * x < 0.0025f ? small : large;
}

static inline float erf_near(float x)
{
    float a = fabsf(x), t = 1.0f / (1.0f + 0.3275911f * a);
    float p = 1.061405429f;
    p = p * t - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    return copysignf(1.0f - p * t * exp_near(-a * a), x);
}

/* X(enum, value at z, slope at z, slope is read from: z or the value y) */
#define SLOPE_FROM_Y false
#define SLOPE_FROM_Z true
#define ACTIVATION_FORMULAS(X)                                                                     \
    X(NONE, z, 1.0f, SLOPE_FROM_Y)                                                                 \
    X(RELU, (z < 0.0f ? 0.0f : z), (z > 0.0f ? 1.0f : 0.0f), SLOPE_FROM_Y)                         \
    X(GELU, 0.5f * z * (1.0f + erf_near(z * 0.70710678f)),                                         \
      0.5f * (1.0f + erf_near(z * 0.70710678f)) + z * 0.39894228f * exp_near(-0.5f * z * z),       \
      SLOPE_FROM_Z)                                                                                \
    X(SILU, z *sigmoid_near(z), sigmoid_near(z) * (1.0f + z * (1.0f - sigmoid_near(z))),           \
      SLOPE_FROM_Z)                                                                                \
    X(TANH, tanh_near(z), 1.0f - z * z, SLOPE_FROM_Y)                                              \
    X(ELU, (z > 0.0f ? z : exp_near(z) - 1.0f), (z > 0.0f ? 1.0f : z + 1.0f), SLOPE_FROM_Y)        \
    X(LEAKY, (z > 0.0f ? z : 0.01f * z), (z > 0.0f ? 1.0f : 0.01f), SLOPE_FROM_Y)                  \
    X(SIGMOID, sigmoid_near(z), z *(1.0f - z), SLOPE_FROM_Y)

#endif
