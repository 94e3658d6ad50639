/* norm.h -- the passes of batch normalisation over a matrix x [rows][width] that one core has: some rows of all
 * columns, or all rows of some (halves.c). */
#ifndef NN_NORM_H
#define NN_NORM_H

#include "nn_int.h"

#define NORM_EPSILON  1e-5f
#define NORM_MOMENTUM 0.1

enum { GAMMA, BETA, RUNNING_MEAN, RUNNING_VAR }; /* the node's tensors */

/* mean[width], and square[width]: the sums of the squares of what is around it */
void norm_moments(float *restrict mean, float *restrict square, const float *restrict x, size_t rows,
                  size_t width);
static inline void norm_move(float *running, double now)
{
    if (isfinite(now)) /* a batch with a NaN ends the run, but must not spoil the model */
        *running = (float)((1.0 - NORM_MOMENTUM) * (double)*running + NORM_MOMENTUM * now);
}
/* y = x * scale[width] + shift[width], negative ones 0 if relu */
void norm_scale(float *restrict y, const float *restrict x, const float *restrict scale,
                const float *restrict shift, bool relu, size_t rows, size_t width);
/* sum[width] of dz, product[width] of dz xhat */
void norm_products(float *restrict sum, float *restrict product, const float *restrict dz,
                   const float *restrict x, const float *restrict mean, const float *restrict deviate,
                   size_t rows, size_t width);

/* Of all rows of the batch. */
typedef struct NormBack {
    const float *mean, *sum, *gamma; /* [2][width]: mean, 1 / deviation; [2][width]: sum, product; [width] */
    size_t batch;
} NormBack;
/* dx = or += gamma / deviation (dz - mean(dz) - xhat mean(dz xhat)); dx may be dz. scratch: 3 width */
void norm_input(const NormBack *n, float *dx, const float *dz, const float *x, bool add, size_t rows,
                size_t width, float *scratch);

#endif
