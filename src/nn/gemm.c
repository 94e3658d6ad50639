/* gemm.c -- the one seam all matrix products go through: y = x w + b, dx = dy w', dw = x' dy.
 *
 * All three are one product,  c[m][n] = a[m][k] b[k][n],  with a and b read by two strides each:
 *
 *     forward   a = x   b = w                       c = y
 *     weight    a = x'  b = dy (rows of the batch)  c = dw
 *     input     a = dy  b = w'                      c = dx
 *
 * Our kernel holds a tile of c in registers and walks along k. Small weights are multiplied where
 * they lie, without packing and without the overhead of a call; large ones in blocks packed for the
 * caches. Either way each c is summed in the order of k, one after the other, whatever its
 * neighbours: a row scored alone gets the same bits as in a batch, and so on any number of threads.
 *
 * Where the graph asks for a library (products=openblas, onednn), it takes all products of more than one
 * column; bias and relu are done here, before and behind it. The batch is already spread over the pool,
 * so a library runs single-threaded inside: bits are those of the shards, whatever the threads.
 *
 * Where the compiler may not use fused multiply-add (built without LATHE_NATIVE), OpenBLAS takes the large
 * products of gradients: it brings kernels for every processor. Not those of the forward pass, or a row
 * scored alone would have other bits than among others. */
#include "gemm_int.h"

#define SMALL_WEIGHTS (256 * 256)      /* numbers: multiplied where they lie */
#define FEW_ROWS      16               /* not worth packing the weights for */
#define STRIP_ROWS    (12 * TILE_ROWS) /* of c, at a time */
#define WEIGHT_ROWS   256              /* rows of the batch in one product of the weight gradient */

#if defined(__AVX512F__) || defined(__FMA__)
#define OWN_LARGE 1
#else
#define OWN_LARGE 0
#endif

/* ---- where they lie --------------------------------------------------------------------------------- */

/* All rows of the product for so many vectors of columns from j on. */
static inline __attribute__((always_inline)) void panel(const Product *t, size_t j, int vecs, bool away)
{
    size_t i = 0;
    for (; i + TILE_ROWS <= t->m; i += TILE_ROWS)
        tile_to(t, i, j, TILE_ROWS, vecs, away);
    if (i + TILE_ROWS / 2 <= t->m) {
        tile_to(t, i, j, TILE_ROWS / 2, vecs, away);
        i += TILE_ROWS / 2;
    }
    for (; i < t->m; i++)
        tile_to(t, i, j, 1, vecs, away);
}

static void gate_row(float *restrict c, const float *restrict gate, size_t n)
{
    for (size_t k = 0; k < n; k++)
        c[k] = gate[k] > 0.0f ? c[k] : 0.0f;
}

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
    Product q = *t;
    q.b = b;
    q.ldb = LANES;
    q.c = c;
    q.ldc = LANES;
    q.bias = t->bias ? pad : NULL;
    q.gate = NULL;
    for (size_t i = 0; i < t->m; i += TILE_ROWS) {
        q.m = t->m - i < TILE_ROWS ? t->m - i : TILE_ROWS;
        q.a = t->a + i * t->row;
        for (size_t r = 0; t->add && r < q.m; r++)
            for (size_t v = 0; v < LANES; v++)
                c[r * LANES + v] = v < rest ? t->c[(i + r) * t->ldc + j + v] : 0.0f;
        panel(&q, 0, 1, false);
        for (size_t r = 0; r < q.m; r++)
            memcpy(t->c + (i + r) * t->ldc + j, c + r * LANES, rest * sizeof *c);
    }
    for (size_t i = 0; t->gate && i < t->m; i++)
        gate_row(t->c + i * t->ldc + j, t->gate + i * t->ldc + j, rest);
}

static inline __attribute__((always_inline)) void columns(const Product *t, float *scratch, bool away)
{
    size_t j = 0;
#if TILE_VECS >= 3
    for (; t->n - j >= 3 * LANES && t->n - j != 4 * LANES; j += 3 * LANES) /* 4 is 2 and 2 */
        panel(t, j, 3, away);
#endif
    for (; t->n - j >= 2 * LANES; j += 2 * LANES)
        panel(t, j, 2, away);
    if (t->n - j >= LANES) {
        panel(t, j, 1, away);
        j += LANES;
    }
    if (j < t->n)
        narrow(t, j, scratch);
}

static void rows_of(Product *q, const Product *t, size_t i, size_t rows)
{
    q->m = rows;
    q->a = t->a + i * t->row;
    q->c = t->c + i * t->ldc;
    q->gate = t->gate ? t->gate + i * t->ldc : NULL;
}

/* Some rows at a time, so that a wide c is not walked over with strides of a page. */
static void multiply(const Product *t, float *scratch)
{
    Product q = *t;
    for (size_t i = 0; i < t->m; i += STRIP_ROWS) {
        rows_of(&q, t, i, gemm_least(STRIP_ROWS, t->m - i));
        columns(&q, scratch, false);
    }
}

/* The same, all of c past the caches. */
static void multiply_away(const Product *t, float *scratch)
{
    Product q = *t;
    for (size_t i = 0; i < t->m; i += STRIP_ROWS) {
        rows_of(&q, t, i, gemm_least(STRIP_ROWS, t->m - i));
        columns(&q, scratch, true);
    }
}

/* t[n][m] = x[m][n]' */
static void transpose(float *restrict t, const float *restrict x, size_t m, size_t n)
{
    size_t i0 = 0;
#ifndef __clang__
    for (; i0 + LANES <= m; i0 += LANES) {
        size_t j0 = 0;
        for (; j0 + LANES <= n; j0 += LANES) {
            Vec r[LANES];
            UNROLL
            for (int i = 0; i < LANES; i++)
                r[i] = vec_load(x + (i0 + (size_t)i) * n + j0);
            transpose_square(r);
            UNROLL
            for (int i = 0; i < LANES; i++)
                vec_store(t + (j0 + (size_t)i) * m + i0, r[i]);
        }
        for (size_t i = i0; i < i0 + LANES; i++)
            for (size_t j = j0; j < n; j++)
                t[j * m + i] = x[i * n + j];
    }
#endif
    for (size_t i = i0; i < m; i++)
        for (size_t j = 0; j < n; j++)
            t[j * m + i] = x[i * n + j];
}

/* ---- results of one column: dot products and outer products ----------------------------------------- */

static void forward_one(float *restrict y, const float *restrict x, const float *restrict w,
                        const float *bias, bool relu, size_t m, size_t in)
{
    for (size_t i = 0; i < m; i++, x += in) {
        float s = row_dot(x, w, in);
        s += bias ? *bias : 0.0f;
        y[i] = relu && s < 0.0f ? 0.0f : s;
    }
}

static void input_one(float *restrict dx, const float *restrict dy, const float *restrict w,
                      const float *restrict gate, bool add, size_t m, size_t in)
{
    for (size_t i = 0; i < m; i++, dx += in) {
        const float d = dy[i];
        if (gate)
            for (size_t k = 0; k < in; k++)
                dx[k] = gate[i * in + k] > 0.0f ? d * w[k] : 0.0f;
        else if (add)
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

static size_t own_scratch(Precision as, size_t in, size_t out)
{
    (void)as;
    size_t most = in > out ? in : out;
    size_t small = (in * out <= SMALL_WEIGHTS ? in * out : 0) + (most + WEIGHT_ROWS) * LANES;
    size_t packed = gemm_packed_scratch();
    return in * out <= SMALL_WEIGHTS || small > packed ? small : packed;
}

size_t gemm_scratch(Way way, size_t in, size_t out)
{
    const Library *l = products_libraries[way.products];
    return l->scratch ? l->scratch(way.precision, in, out) : 0;
}

static void relu_rows(const Product *t)
{
    for (size_t i = 0; i < t->m; i++)
        for (size_t j = 0; j < t->n; j++)
            t->c[i * t->ldc + j] = t->c[i * t->ldc + j] < 0.0f ? 0.0f : t->c[i * t->ldc + j];
}

/* c begins as the bias, a relu follows. */
static void by_library(const Library *l, Precision as, const Product *t, float *scratch)
{
    Product q = *t;
    for (size_t i = 0; t->bias && i < t->m; i++)
        memcpy(t->c + i * t->ldc, t->bias, t->n * sizeof *t->c);
    q.add = t->add || t->bias;
    l->product(&q, as, scratch);
    if (t->relu)
        relu_rows(t);
    for (size_t i = 0; t->gate && i < t->m; i++)
        gate_row(t->c + i * t->ldc, t->gate + i * t->ldc, t->n);
}

static void large(const Product *t, float *scratch)
{
    if (t->step == 1 && t->col == 1 && t->m <= FEW_ROWS)
        multiply(t, scratch);
    else
        gemm_packed(t, scratch);
}

static void large_gradient(const Product *t, float *scratch)
{
    if (OWN_LARGE)
        large(t, scratch);
    else
        by_library(&openblas_library, PRECISION_FLOAT32, t, scratch);
}

/* c[m][n] = a[m][k] b[k][n], row after row */
static Product product(float *c, const float *a, const float *b, size_t m, size_t n, size_t k)
{
    return (Product){.a = a, .row = k, .col = 1, .b = b, .ldb = n, .step = 1, .c = c, .ldc = n, .m = m, .n = n, .k = k};
}

void gemm_forward(Way way, float *restrict y, const float *restrict x, const float *restrict w,
                  const float *bias, bool relu, size_t m, size_t in, size_t out, float *scratch)
{
    if (out == 1) {
        forward_one(y, x, w, bias, relu, m, in);
        return;
    }
    Product t = product(y, x, w, m, out, in);
    t.bias = bias;
    t.relu = relu;
    if (way.products != PRODUCTS_OWN) {
        by_library(products_libraries[way.products], way.precision, &t, scratch);
        return;
    }
    if (in * out <= SMALL_WEIGHTS)
        multiply(&t, scratch);
    else
        large(&t, scratch);
}

void gemm_forward_more(float *restrict y, const float *restrict x, const float *restrict w, bool relu,
                       size_t m, size_t in, size_t out, float *scratch)
{
    assert(in * out <= SMALL_WEIGHTS);
    Product t = product(y, x, w, m, out, in);
    t.add = true;
    t.relu = relu;
    multiply(&t, scratch);
}

size_t gemm_turned(Way way, size_t in, size_t out)
{
    return way.products == PRODUCTS_OWN && out > 1 && in * out <= SMALL_WEIGHTS ? in * out : 0;
}

void gemm_turn(float *restrict turned, const float *restrict w, size_t in, size_t out)
{
    transpose(turned, w, in, out);
}

void gemm_input_turned(float *restrict dx, const float *restrict dy, const float *restrict turned,
                       const float *gate, bool add, size_t m, size_t in, size_t out, float *scratch)
{
    Product t = product(dx, dy, turned, m, in, out);
    t.gate = gate;
    t.add = add;
    multiply(&t, scratch);
}

void gemm_input(Way way, float *restrict dx, const float *restrict dy, const float *restrict w,
                const float *gate, bool add, size_t m, size_t in, size_t out, float *scratch)
{
    if (out == 1) {
        input_one(dx, dy, w, gate, add, m, in);
        return;
    }
    if (gemm_turned(way, in, out)) {
        gemm_turn(scratch, w, in, out);
        gemm_input_turned(dx, dy, scratch, gate, add, m, in, out, scratch + in * out);
        return;
    }
    Product t = product(dx, dy, w, m, in, out);
    t.ldb = 1; /* w' */
    t.step = out;
    t.gate = gate;
    t.add = add;
    if (way.products != PRODUCTS_OWN) {
        by_library(products_libraries[way.products], way.precision, &t, scratch);
        return;
    }
    large_gradient(&t, scratch);
}

/* The row of dw that `at` lies in, in whole tiles. */
static size_t home_row(const float *at, const float *dw, size_t in, size_t out)
{
    size_t row = at > dw ? (size_t)(at - dw) / out / TILE_ROWS * TILE_ROWS : 0;
    return row < in ? row : in;
}

/* dw is read next by the cores whose home its rows are: only those of this one stay in its caches. */
static void multiply_home(Way way, const Product *t, float *scratch)
{
    size_t from = home_row(way.home, t->c, t->m, t->n), to = home_row(way.home_end, t->c, t->m, t->n);
    Product q = *t;
    rows_of(&q, t, 0, from);
    multiply_away(&q, scratch);
    rows_of(&q, t, from, to - from);
    multiply(&q, scratch);
    rows_of(&q, t, to, t->m - to);
    multiply_away(&q, scratch);
}

void gemm_weight(Way way, float *restrict dw, const float *restrict x, const float *restrict dy,
                 bool add, size_t m, size_t in, size_t out, float *scratch)
{
    if (out == 1) {
        weight_one(dw, x, dy, add, m, in);
        return;
    }
    Product t = product(dw, x, dy, in, out, m);
    t.row = 1; /* x' */
    t.col = in;
    t.add = add;
    if (way.products != PRODUCTS_OWN) {
        by_library(products_libraries[way.products], way.precision, &t, scratch);
        return;
    }
    if (in * out > SMALL_WEIGHTS) {
        large_gradient(&t, scratch);
        return;
    }
    for (size_t i = 0; i < m; i += WEIGHT_ROWS) {
        t.k = gemm_least(WEIGHT_ROWS, m - i);
        t.a = x + i * in;
        t.b = dy + i * out;
        if (way.home && i + WEIGHT_ROWS >= m && out % LANES == 0 && vec_aligned(dw))
            multiply_home(way, &t, scratch);
        else
            multiply(&t, scratch);
        t.add = true;
    }
}

void column_sums(float *restrict out, const float *restrict x, size_t rows, size_t n, bool add)
{
    enum { STRIP = 4 };
    size_t k = 0;
    for (; k + STRIP * LANES <= n; k += STRIP * LANES) {
        Vec sum[STRIP];
        UNROLL
        for (size_t v = 0; v < STRIP; v++)
            sum[v] = add ? vec_load(out + k + v * LANES) : vec_all(0.0f);
        for (size_t i = 0; i < rows; i++) {
            UNROLL
            for (size_t v = 0; v < STRIP; v++)
                sum[v] += vec_load(x + i * n + k + v * LANES);
        }
        UNROLL
        for (size_t v = 0; v < STRIP; v++)
            vec_store(out + k + v * LANES, sum[v]);
    }
    if (!add)
        memset(out + k, 0, (n - k) * sizeof *out);
    for (size_t i = 0; i < rows && k < n; i++)
        for (size_t j = k; j < n; j++)
            out[j] += x[i * n + j];
}

/* ---- ours, as one of the libraries ------------------------------------------------------------------ */

static bool own_there(Precision as, Error *err)
{
    return as == PRECISION_FLOAT32 ||
           error_set(err, ERROR_USAGE,
                     "precision=bf16 needs products=onednn: the own kernels are float32");
}

static void own_about(Precision as, Text *into)
{
    (void)as;
    text_printf(into, "tiles of %d x %d numbers%s", TILE_ROWS, TILE_COLS,
                OWN_LARGE
                    ? ""
                    : "; gradients of large layers by OpenBLAS: built without fused multiply-add");
}

/* For measuring: a plain product. */
static void own_product(const Product *t, Precision as, float *scratch)
{
    (void)as;
    if (t->n * t->k <= SMALL_WEIGHTS)
        multiply(t, scratch);
    else
        large(t, scratch);
}

const Library own_library = {
    .there = own_there,
    .about = own_about,
    .scratch = own_scratch,
    .product = own_product,
};
