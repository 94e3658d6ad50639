/* norm.c -- the passes of batch normalisation over a matrix. */
#include "norm.h"
#include "vector.h"

#define STRIP 4 /* vectors of columns whose sums stay in registers */

void norm_moments(float *restrict mean, float *restrict square, const float *restrict x,
                          size_t rows, size_t width)
{
    const float each = 1.0f / (float)rows;
    size_t k = 0;
    for (; k + STRIP * LANES <= width; k += STRIP * LANES) {
        Vec m[STRIP] = {0}, q[STRIP] = {0};
        for (size_t i = 0; i < rows; i++) {
            UNROLL
            for (size_t v = 0; v < STRIP; v++)
                m[v] += vec_load(x + i * width + k + v * LANES);
        }
        UNROLL
        for (size_t v = 0; v < STRIP; v++)
            m[v] *= each;
        for (size_t i = 0; i < rows; i++) {
            UNROLL
            for (size_t v = 0; v < STRIP; v++) {
                Vec apart = vec_load(x + i * width + k + v * LANES) - m[v];
                q[v] += apart * apart;
            }
        }
        UNROLL
        for (size_t v = 0; v < STRIP; v++) {
            vec_store(mean + k + v * LANES, m[v]);
            vec_store(square + k + v * LANES, q[v]);
        }
    }
    for (; k < width; k++) {
        float m = 0, q = 0;
        for (size_t i = 0; i < rows; i++)
            m += x[i * width + k];
        m *= each;
        for (size_t i = 0; i < rows; i++)
            q += (x[i * width + k] - m) * (x[i * width + k] - m);
        mean[k] = m;
        square[k] = q;
    }
}

void norm_scale(float *restrict y, const float *restrict x, const float *restrict scale,
                       const float *restrict shift, bool relu, size_t rows, size_t width)
{
    for (size_t i = 0; i < rows; i++, x += width, y += width)
        if (relu)
            for (size_t k = 0; k < width; k++) {
                float z = x[k] * scale[k] + shift[k];
                y[k] = z < 0.0f ? 0.0f : z;
            }
        else
            for (size_t k = 0; k < width; k++)
                y[k] = x[k] * scale[k] + shift[k];
}

void norm_products(float *restrict sum, float *restrict product, const float *restrict dz,
                   const float *restrict x, const float *restrict mean, const float *restrict deviate,
                   size_t rows, size_t width)
{
    size_t k = 0;
    for (; k + STRIP * LANES <= width; k += STRIP * LANES) {
        Vec s[STRIP] = {0}, q[STRIP] = {0}, m[STRIP];
        UNROLL
        for (size_t v = 0; v < STRIP; v++)
            m[v] = vec_load(mean + k + v * LANES);
        for (size_t i = 0; i < rows; i++) {
            UNROLL
            for (size_t v = 0; v < STRIP; v++) {
                size_t at = i * width + k + v * LANES;
                Vec d = vec_load(dz + at);
                s[v] += d;
                q[v] += d * (vec_load(x + at) - m[v]);
            }
        }
        UNROLL
        for (size_t v = 0; v < STRIP; v++) {
            vec_store(sum + k + v * LANES, s[v]);
            vec_store(product + k + v * LANES, q[v] * vec_load(deviate + k + v * LANES));
        }
    }
    for (; k < width; k++) {
        float s = 0, q = 0;
        for (size_t i = 0; i < rows; i++) {
            s += dz[i * width + k];
            q += dz[i * width + k] * (x[i * width + k] - mean[k]);
        }
        sum[k] = s;
        product[k] = q * deviate[k];
    }
}

void norm_input(const NormBack *n, float *dx, const float *dz, const float *x, bool add, size_t rows,
                size_t width, float *scratch)
{
    const float *mean = n->mean, *deviate = mean + width, *sum = n->sum, *product = sum + width;
    /* dx = a dz + b x + c, column by column */
    float *restrict a = scratch, *restrict b = a + width, *restrict c = b + width;
    float each = 1.0f / (float)n->batch;
    for (size_t k = 0; k < width; k++) {
        a[k] = n->gamma[k] * deviate[k];
        b[k] = -a[k] * product[k] * each * deviate[k];
        c[k] = -a[k] * sum[k] * each - b[k] * mean[k];
    }
    for (size_t i = 0; i < rows; i++, x += width, dz += width, dx += width) {
        size_t k = 0;
        for (; k + LANES <= width; k += LANES) {
            Vec d = vec_load(a + k) * vec_load(dz + k) + vec_load(b + k) * vec_load(x + k) +
                    vec_load(c + k);
            vec_store(dx + k, add ? vec_load(dx + k) + d : d);
        }
        for (; k < width; k++) {
            float d = a[k] * dz[k] + b[k] * x[k] + c[k];
            dx[k] = add ? dx[k] + d : d;
        }
    }
}
