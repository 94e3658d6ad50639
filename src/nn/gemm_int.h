/* gemm_int.h -- a matrix product as gemm.c and gemm_packed.c see it, and the kernel both end in: a tile of
 * c in registers that walks along k. Included where it is expanded, so that its sizes are constants. */
#ifndef NN_GEMM_INT_H
#define NN_GEMM_INT_H

#include "nn_int.h"
#include "vector.h"

#if LANES == 16
#define TILE_ROWS 8
#define TILE_VECS 3
#else
#define TILE_ROWS 6
#define TILE_VECS 2
#endif
#define TILE_COLS (TILE_VECS * LANES)

static inline size_t gemm_least(size_t a, size_t b)
{
    return a < b ? a : b;
}

typedef struct Product {
    const float *restrict a; /* a(i, p) = a[i * row + p * col] */
    size_t row, col;
    const float *restrict b; /* b(p, j) = b[p * ldb + j * step]; step is 1 but for packing */
    size_t ldb, step;
    float *restrict c; /* [m][ldc] */
    size_t ldc;
    size_t m, n, k;
    const float *bias; /* [n] or NULL; not with add */
    const float *gate; /* as c lies, or NULL: c becomes 0 where it is not above 0 */
    bool add, relu;
} Product;

/* c[rows][vecs * LANES] at (i, j). rows, vecs and away are constants where it is expanded. away: past the
 * caches, without gate and relu. */
static inline __attribute__((always_inline)) void tile_to(const Product *t, size_t i, size_t j,
                                                          int rows, int vecs, bool away)
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
        for (int v = 0; v < vecs; v++) {
            size_t at = (size_t)r * ldc + v * LANES;
            if (away) {
                vec_stream(c + at, acc[r][v]);
                continue;
            }
            if (t->gate)
                acc[r][v] = vec_gate(acc[r][v], vec_load(t->gate + i * ldc + j + at));
            vec_store(c + at, t->relu ? vec_max(acc[r][v], vec_all(0.0f)) : acc[r][v]);
        }
    }
}

static inline __attribute__((always_inline)) void tile(const Product *t, size_t i, size_t j,
                                                       int rows, int vecs)
{
    tile_to(t, i, j, rows, vecs, false);
}

#ifndef __clang__
/* Rows and lanes trade places across one bit; across all bits, r is transposed. */
static inline __attribute__((always_inline)) void trade(Vec r[LANES], const int d)
{
    VecBits upper = {0}, lower = {0};
    UNROLL
    for (int l = 0; l < LANES; l++) {
        upper[l] = l & d ? LANES + l - d : l;
        lower[l] = l & d ? LANES + l : l + d;
    }
    UNROLL
    for (int i = 0; i < LANES; i++) {
        if (i & d)
            continue;
        Vec a = r[i], b = r[i + d];
        r[i] = __builtin_shuffle(a, b, upper);
        r[i + d] = __builtin_shuffle(a, b, lower);
    }
}

static inline __attribute__((always_inline)) void transpose_square(Vec r[LANES])
{
    trade(r, 1);
    trade(r, 2);
    trade(r, 4);
#if LANES == 16
    trade(r, 8);
#endif
}
#endif

/* A library that multiplies: one file, one row in products.c. */
typedef struct Library {
    bool (*there)(Precision as, Error *err);
    void (*about)(Precision as, Text *into);
    void (*begin)(void); /* before its first product, on any thread; NULL: nothing to do */
    size_t (*scratch)(Precision as, size_t in, size_t out); /* floats; NULL: none */
    /* c = or += a b, plain or turned; bias and relu are the seam's */
    void (*product)(const Product *t, Precision as, float *scratch);
} Library;
extern const Library own_library, openblas_library, onednn_library;
extern const Library *const products_libraries[PRODUCTS_COUNT];

/* gemm_packed.c: the product block by block, b (and a where it lies across) packed for the caches */
size_t gemm_packed_scratch(void); /* floats */
void gemm_packed(const Product *t, float *scratch);

#endif
