/* gemm.c -- the one seam all matrix products go through: y = x w + b, dx = dy w', dw = x' dy.
 *
 * Small weights take our own kernels: tiles of the result held in registers, no packing, no call
 * overhead; OpenBLAS takes the rest, single-threaded, since the batch is already spread over the
 * pool. Which of the two depends on the weights' shape alone, never on the number of rows, and in our
 * kernels a row's result does not depend on its neighbours: a row scored alone gets the same bits as
 * in a batch.
 *
 * All three products are one kernel,  c[m][n] = a[m][k] b[k][n],  with a read by two strides:
 *
 *     forward   a = x   b = w                       c = y
 *     weight    a = x'  b = dy (rows of the batch)  c = dw
 *     input     a = dy  b = w' (transposed first)   c = dx
 *
 * Each c is summed in the order of k. A c of fewer columns than a vector has lanes goes through a
 * padded copy of b. */
#include "nn_int.h"
#include "vector.h"

#include <cblas.h>

#define WEIGHT_ROWS   256         /* rows of the batch in one product of the weight gradient */
#define SMALL_WEIGHTS (256 * 256) /* numbers: what stays in the second cache level */

typedef struct Product {
    const float *restrict a;
    size_t row, col;         /* strides of a: a(i, p) = a[i * row + p * col] */
    const float *restrict b; /* [k][ldb] */
    size_t ldb;
    float *restrict c; /* [m][ldc] */
    size_t ldc;
    size_t m, n, k;
    const float *bias; /* [n] or NULL; not with add */
    bool add, relu;
} Product;

/* ---- our kernel ----------------------------------------------------------------------------------- */

#if LANES == 16
#define TILE_ROWS 8
#define TILE_VECS 3
#else
#define TILE_ROWS 4
#define TILE_VECS 2
#endif

/* c[rows][vecs * LANES] at (i, j). rows and vecs are constants where it is expanded. */
static inline __attribute__((always_inline)) void tile(const Product *t, size_t i, size_t j,
                                                       int rows, int vecs)
{
    Vec acc[TILE_ROWS][TILE_VECS];
    const float *a = t->a + i * t->row;
    const float *b = t->b + j;
    float *c = t->c + i * t->ldc + j;
    const size_t row = t->row, col = t->col, ldb = t->ldb, ldc = t->ldc;
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int v = 0; v < vecs; v++)
            acc[r][v] = t->add    ? vec_load(c + (size_t)r * ldc + v * LANES)
                        : t->bias ? vec_load(t->bias + j + v * LANES)
                                  : vec_all(0.0f);
    }
    for (size_t p = 0; p < t->k; p++) {
        Vec w[TILE_VECS];
        UNROLL
        for (int v = 0; v < vecs; v++)
            w[v] = vec_load(b + v * LANES);
        UNROLL
        for (int r = 0; r < rows; r++) {
            const Vec x = vec_all(a[(size_t)r * row]);
            UNROLL
            for (int v = 0; v < vecs; v++)
                acc[r][v] += x * w[v];
        }
        a += col;
        b += ldb;
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int v = 0; v < vecs; v++)
            vec_store(c + (size_t)r * ldc + v * LANES,
                      t->relu ? vec_max(acc[r][v], vec_all(0.0f)) : acc[r][v]);
    }
}

#define PANEL(name, vecs)                                                                          \
    static void name(const Product *t, size_t j)                                                   \
    {                                                                                              \
        size_t i = 0;                                                                              \
        for (; i + TILE_ROWS <= t->m; i += TILE_ROWS)                                              \
            tile(t, i, j, TILE_ROWS, vecs);                                                        \
        if (i + TILE_ROWS / 2 <= t->m) {                                                           \
            tile(t, i, j, TILE_ROWS / 2, vecs);                                                    \
            i += TILE_ROWS / 2;                                                                    \
        }                                                                                          \
        for (; i < t->m; i++)                                                                      \
            tile(t, i, j, 1, vecs);                                                                \
    }
PANEL(panel1, 1)
PANEL(panel2, 2)
#if TILE_VECS >= 3
PANEL(panel3, 3)
#endif

/* The last columns: b padded to a vector in scratch, c through a small buffer. */
static void narrow(const Product *t, size_t j, float *scratch)
{
    size_t rest = t->n - j;
    float *b = scratch, pad[LANES] = {0}, c[TILE_ROWS * LANES];
    for (size_t p = 0; p < t->k; p++)
        for (size_t v = 0; v < LANES; v++)
            b[p * LANES + v] = v < rest ? t->b[p * t->ldb + j + v] : 0.0f;
    for (size_t v = 0; t->bias && v < rest; v++)
        pad[v] = t->bias[j + v];
    for (size_t i = 0; i < t->m; i += TILE_ROWS) {
        size_t rows = t->m - i < TILE_ROWS ? t->m - i : TILE_ROWS;
        Product q = *t;
        q.a += i * t->row;
        q.b = b;
        q.ldb = LANES;
        q.c = c;
        q.ldc = LANES;
        q.m = rows;
        q.bias = t->bias ? pad : NULL;
        for (size_t r = 0; r < rows; r++)
            for (size_t v = 0; t->add && v < LANES; v++)
                c[r * LANES + v] = v < rest ? t->c[(i + r) * t->ldc + j + v] : 0.0f;
        panel1(&q, 0);
        for (size_t r = 0; r < rows; r++)
            memcpy(t->c + (i + r) * t->ldc + j, c + r * LANES, rest * sizeof *c);
    }
}

static void multiply(const Product *t, float *scratch)
{
    size_t j = 0;
#if TILE_VECS >= 3
    while (t->n - j >= 3 * LANES && t->n - j != 4 * LANES) { /* 4 is 2 and 2 */
        panel3(t, j);
        j += 3 * LANES;
    }
#endif
    for (; t->n - j >= 2 * LANES; j += 2 * LANES)
        panel2(t, j);
    if (t->n - j >= LANES) {
        panel1(t, j);
        j += LANES;
    }
    if (j < t->n)
        narrow(t, j, scratch);
}

/* t[n][m] = x[m][n]' */
static void transpose(float *restrict t, const float *restrict x, size_t m, size_t n)
{
    enum { SIDE = 16 };
    for (size_t i0 = 0; i0 < m; i0 += SIDE)
        for (size_t j0 = 0; j0 < n; j0 += SIDE)
            for (size_t j = j0; j < n && j < j0 + SIDE; j++)
                for (size_t i = i0; i < m && i < i0 + SIDE; i++)
                    t[j * m + i] = x[i * n + j];
}

/* ---- results of one column: dot products and outer products ----------------------------------------- */

static void forward_one(float *restrict y, const float *restrict x, const float *restrict w,
                        const float *bias, bool relu, size_t m, size_t in)
{
    for (size_t i = 0; i < m; i++, x += in) {
        float s = row_dot(x, w, in);
        s += bias ? *bias : 0.0f;
        y[i] = relu && !(s > 0.0f) && s == s ? 0.0f : s;
    }
}

static void input_one(float *restrict dx, const float *restrict dy, const float *restrict w,
                      bool add, size_t m, size_t in)
{
    for (size_t i = 0; i < m; i++, dx += in) {
        const float d = dy[i];
        if (add)
            for (size_t k = 0; k < in; k++)
                dx[k] += d * w[k];
        else
            for (size_t k = 0; k < in; k++)
                dx[k] = d * w[k];
    }
}

static void weight_one(float *restrict dw, const float *restrict x, const float *restrict dy,
                       bool add, size_t m, size_t in)
{
    if (!add)
        memset(dw, 0, in * sizeof *dw);
    for (size_t i = 0; i < m; i++, x += in) {
        const float d = dy[i];
        for (size_t k = 0; k < in; k++)
            dw[k] += d * x[k];
    }
}

/* ---- the seam ------------------------------------------------------------------------------------- */

void gemm_begin(void)
{
    openblas_set_num_threads(1); /* the batch is already spread over the pool */
}

size_t gemm_scratch(size_t in, size_t out)
{
    if (in * out > SMALL_WEIGHTS)
        return 0;
    return in * out + (in > out ? in : out) * LANES + WEIGHT_ROWS * LANES;
}

void gemm_forward(float *restrict y, const float *restrict x, const float *restrict w,
                  const float *bias, bool relu, size_t m, size_t in, size_t out, float *scratch)
{
    if (out == 1) {
        forward_one(y, x, w, bias, relu, m, in);
        return;
    }
    if (in * out <= SMALL_WEIGHTS) {
        multiply(&(Product){.a = x,
                            .row = in,
                            .col = 1,
                            .b = w,
                            .ldb = out,
                            .c = y,
                            .ldc = out,
                            .m = m,
                            .n = out,
                            .k = in,
                            .bias = bias,
                            .relu = relu},
                 scratch);
        return;
    }
    for (size_t i = 0; bias && i < m; i++)
        memcpy(y + i * out, bias, out * sizeof *y);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)m, (int)out, (int)in, 1.0f, x,
                (int)in, w, (int)out, bias ? 1.0f : 0.0f, y, (int)out);
    for (size_t i = 0; relu && i < m * out; i++)
        y[i] = y[i] < 0.0f ? 0.0f : y[i];
}

void gemm_input(float *restrict dx, const float *restrict dy, const float *restrict w, bool add,
                size_t m, size_t in, size_t out, float *scratch)
{
    if (out == 1) {
        input_one(dx, dy, w, add, m, in);
        return;
    }
    if (in * out <= SMALL_WEIGHTS) {
        transpose(scratch, w, in, out);
        multiply(&(Product){.a = dy,
                            .row = out,
                            .col = 1,
                            .b = scratch,
                            .ldb = in,
                            .c = dx,
                            .ldc = in,
                            .m = m,
                            .n = in,
                            .k = out,
                            .add = add},
                 scratch + in * out);
        return;
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)m, (int)in, (int)out, 1.0f, dy,
                (int)out, w, (int)out, add ? 1.0f : 0.0f, dx, (int)in);
}

void gemm_weight(float *restrict dw, const float *restrict x, const float *restrict dy, bool add,
                 size_t m, size_t in, size_t out, float *scratch)
{
    if (out == 1) {
        weight_one(dw, x, dy, add, m, in);
        return;
    }
    if (in * out > SMALL_WEIGHTS) {
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)in, (int)out, (int)m, 1.0f, x,
                    (int)in, dy, (int)out, add ? 1.0f : 0.0f, dw, (int)out);
        return;
    }
    for (size_t i = 0; i < m; i += WEIGHT_ROWS) {
        size_t rows = m - i < WEIGHT_ROWS ? m - i : WEIGHT_ROWS;
        multiply(&(Product){.a = x + i * in,
                            .row = 1,
                            .col = in,
                            .b = dy + i * out,
                            .ldb = out,
                            .c = dw,
                            .ldc = out,
                            .m = in,
                            .n = out,
                            .k = rows,
                            .add = add || i > 0},
                 scratch);
    }
}

void column_sums(float *restrict out, const float *restrict x, size_t rows, size_t n, bool add)
{
    if (!add)
        memset(out, 0, n * sizeof *out);
    for (size_t i = 0; i < rows; i++, x += n)
        for (size_t k = 0; k < n; k++)
            out[k] += x[k];
}
