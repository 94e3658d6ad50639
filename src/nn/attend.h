/* attend.h -- the small products inside attention, a head of one row at a time: too small for the seam of
 * matrix products, so they are kept in registers here. Bits are those of the row alone.
 *
 * Keys are turned once a head, so that one query's products with 8 or 16 keys are one vector. */
#ifndef NN_ATTEND_H
#define NN_ATTEND_H

#include "activation.h"
#include "vector.h"

#include <stddef.h>

typedef float Half __attribute__((vector_size(8 * sizeof(float))));

static inline size_t attend_padded(size_t keys)
{
    return (keys + LANES - 1) / LANES * LANES;
}

/* Floats of scratch for a head: keys turned, and products with them. */
static inline size_t attend_scratch(size_t keys, size_t size)
{
    return (size + 1) * attend_padded(keys);
}

/* to [size][padded] = x [keys][size]', a row of x beginning every `wide` floats; 0 behind the last key */
static inline void attend_turn(float *restrict to, const float *restrict x, size_t wide,
                               size_t keys, size_t size)
{
    size_t padded = attend_padded(keys);
    for (size_t k = 0; k < size; k++)
        memset(to + k * padded + padded - LANES, 0, LANES * sizeof *to);
    for (size_t j = 0; j < keys; j++)
        for (size_t k = 0; k < size; k++)
            to[k * padded + j] = x[j * wide + k];
}

/* out [padded] = scale times x [size] . each of the turned keys */
static inline void attend_dots(float *restrict out, const float *restrict x, const float *turned,
                               float scale, size_t keys, size_t size)
{
    size_t padded = attend_padded(keys);
    for (size_t j = 0; j < keys; j += LANES) {
        Vec even = vec_all(0.0f), odd = vec_all(0.0f);
        size_t k = 0;
        for (; k + 2 <= size; k += 2) {
            even += vec_all(x[k]) * vec_load(turned + k * padded + j);
            odd += vec_all(x[k + 1]) * vec_load(turned + (k + 1) * padded + j);
        }
        if (k < size)
            even += vec_all(x[k]) * vec_load(turned + k * padded + j);
        vec_store(out + j, (even + odd) * vec_all(scale));
    }
}

/* x [padded] becomes shares of the first n, by softmax; 0 behind them. A NaN stays. */
static inline void attend_share(float *restrict x, size_t n)
{
    float most = x[0], sum = 0;
    for (size_t j = 1; j < n; j++)
        most = x[j] > most ? x[j] : most;
    for (size_t j = 0; j < n; j += LANES)
        for (size_t l = 0; l < LANES; l++)
            x[j + l] = exp_near(x[j + l] - most);
    for (size_t j = 0; j < n; j++)
        sum += x[j];
    float each = 1.0f / sum;
    for (size_t j = 0; j < n; j++)
        x[j] *= each;
    for (size_t j = n; j < attend_padded(n); j++)
        x[j] = 0;
}

/* y [size] += sum over j of share[j * step] x[j], a row of x beginning every `wide` floats */
static inline void attend_mix(float *restrict y, const float *restrict share, size_t step,
                              const float *restrict x, size_t wide, size_t n, size_t size)
{
    size_t c = 0;
    for (; c + LANES <= size; c += LANES) {
        Vec sum = vec_load(y + c);
        for (size_t j = 0; j < n; j++)
            sum += vec_all(share[j * step]) * vec_load(x + j * wide + c);
        vec_store(y + c, sum);
    }
    for (; c + 8 <= size; c += 8) {
        Half sum;
        memcpy(&sum, y + c, sizeof sum);
        for (size_t j = 0; j < n; j++) {
            Half v;
            memcpy(&v, x + j * wide + c, sizeof v);
            sum += (share[j * step] - (Half){0}) * v;
        }
        memcpy(y + c, &sum, sizeof sum);
    }
    for (; c < size; c++)
        for (size_t j = 0; j < n; j++)
            y[c] += share[j * step] * x[j * wide + c];
}

#endif
