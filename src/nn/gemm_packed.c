/* gemm_packed.c -- products with large weights, block by block, as the caches like them (Goto and van de
 * Geijn, "Anatomy of high-performance matrix multiplication", 2008).
 *
 * A block of b is copied into slivers as wide as a tile, which the kernel then reads from end to end.
 * a is read where it lies if its rows do (forward and input gradient); across (the weight gradient) it
 * is packed too. Blocks of one product are of even size: 1,024 columns are one block, not 960 and 64. */
#include "gemm_int.h"

#define BLOCK_K 352 /* a sliver of b: 66 KB */
#define BLOCK_M                                                                                    \
    (12 * TILE_ROWS) /* rows of a that stay in the second cache level with the block of b */
#define BLOCK_N (22 * TILE_COLS)

/* `whole` in the fewest blocks of at most `most`, all of one size but the last, multiples of step. */
static size_t even(size_t whole, size_t most, size_t step)
{
    size_t blocks = (whole + most - 1) / most;
    return ((whole + blocks - 1) / blocks + step - 1) / step * step;
}

/* into[p * side + x] = from[x * across + p], squares of LANES at a time */
static void pack_turned(float *restrict into, const float *restrict from, size_t across,
                        size_t have, size_t count, size_t side)
{
    size_t x = 0;
#ifndef __clang__
    for (; x + LANES <= have; x += LANES) {
        size_t p = 0;
        for (; p + LANES <= count; p += LANES) {
            Vec r[LANES];
            UNROLL
            for (int i = 0; i < LANES; i++)
                r[i] = vec_load(from + (x + (size_t)i) * across + p);
            transpose_square(r);
            UNROLL
            for (int i = 0; i < LANES; i++)
                vec_store(into + (p + (size_t)i) * side + x, r[i]);
        }
        for (; p < count; p++)
            for (size_t i = 0; i < LANES; i++)
                into[p * side + x + i] = from[(x + i) * across + p];
    }
#endif
    for (; x < have; x++)
        for (size_t p = 0; p < count; p++)
            into[p * side + x] = from[x * across + p];
}

/* into[slivers][count][side]: of `width` rows or columns side by side, zero beyond; (x, p) lies at
 * from[x * across + p * along], and one of the two is 1. */
static void pack(float *restrict into, const float *restrict from, size_t across, size_t along,
                 size_t width, size_t count, size_t side)
{
    for (size_t x0 = 0; x0 < width; x0 += side, into += count * side) {
        size_t have = gemm_least(side, width - x0);
        const float *at = from + x0 * across;
        if (have < side)
            memset(into, 0, count * side * sizeof *into);
        if (across != 1)
            pack_turned(into, at, across, have, count, side);
        else if (have == side)
            for (size_t p = 0; p < count; p++)
                memcpy(into + p * side, at + p * along, side * sizeof *into);
        else
            for (size_t p = 0; p < count; p++)
                memcpy(into + p * side, at + p * along, have * sizeof *into);
    }
}

/* Whole rows of tiles, of one, two or three vectors; then row by row. */
static void tiles(const Product *t, size_t rows, size_t vecs)
{
    if (rows == TILE_ROWS && vecs == TILE_VECS)
        tile(t, 0, 0, TILE_ROWS, TILE_VECS);
    else if (rows == TILE_ROWS && vecs == 2)
        tile(t, 0, 0, TILE_ROWS, 2);
    else if (rows == TILE_ROWS)
        tile(t, 0, 0, TILE_ROWS, 1);
    else
        for (size_t r = 0; r < rows; r++)
            for (size_t v = 0; v < vecs; v++)
                tile(t, r, v * LANES, 1, 1);
}

/* A tile over the edge of c, where the last vector is not full: computed beside it. */
static void edge(const Product *t, size_t rows, size_t cols)
{
    float c[TILE_ROWS * TILE_COLS] = {0}, bias[TILE_COLS] = {0};
    Product q = *t;
    q.c = c;
    q.ldc = TILE_COLS;
    q.gate = NULL;
    q.bias = t->bias ? bias : NULL;
    if (t->bias)
        memcpy(bias, t->bias, cols * sizeof *bias);
    for (size_t r = 0; t->add && r < rows; r++)
        memcpy(c + r * TILE_COLS, t->c + r * t->ldc, cols * sizeof *c);
    tiles(&q, rows, (cols + LANES - 1) / LANES);
    for (size_t r = 0; r < rows; r++)
        for (size_t x = 0; x < cols; x++)
            t->c[r * t->ldc + x] =
                !t->gate || t->gate[r * t->ldc + x] > 0.0f ? c[r * TILE_COLS + x] : 0.0f;
}

/* The next tile of c is on its way while this one is computed. */
static inline void soon(const float *c, size_t ldc)
{
    for (size_t r = 0; r < TILE_ROWS; r++)
        for (size_t v = 0; v < TILE_COLS; v += 16)
            __builtin_prefetch(c + r * ldc + v, 1);
}

/* c[m][n] = or += a b; a as t says or, if given, packed; b packed. */
static void block(const Product *t, const float *a, const float *b)
{
    Product q = *t;
    q.row = a ? 1 : t->row;
    q.col = a ? TILE_ROWS : t->col;
    q.ldb = TILE_COLS;
    for (size_t j = 0; j < t->n; j += TILE_COLS)
        for (size_t i = 0; i < t->m; i += TILE_ROWS) {
            q.a = a ? a + i * t->k : t->a + i * t->row;
            q.b = b + j * t->k;
            q.c = t->c + i * t->ldc + j;
            q.gate = t->gate ? t->gate + i * t->ldc + j : NULL;
            q.bias = t->bias ? t->bias + j : NULL;
            if (i + TILE_ROWS < t->m)
                soon(q.c + TILE_ROWS * t->ldc, t->ldc);
            size_t rows = gemm_least(TILE_ROWS, t->m - i), cols = gemm_least(TILE_COLS, t->n - j);
            if (cols % LANES == 0)
                tiles(&q, rows, cols / LANES);
            else
                edge(&q, rows, cols);
        }
}

/* One block of b against all rows of a. */
static void rows_of(const Product *t, float *packed_a, const float *b)
{
    Product q = *t;
    for (size_t i = 0; i < t->m; i += BLOCK_M) {
        q.m = gemm_least(BLOCK_M, t->m - i);
        q.c = t->c + i * t->ldc;
        q.gate = t->gate ? t->gate + i * t->ldc : NULL;
        q.a = t->a + i * t->row;
        if (t->col != 1)
            pack(packed_a, q.a, t->row, t->col, q.m, q.k, TILE_ROWS);
        block(&q, t->col != 1 ? packed_a : NULL, b);
    }
}

size_t gemm_packed_scratch(void)
{
    return BLOCK_M * BLOCK_K + BLOCK_N * BLOCK_K;
}

void gemm_packed(const Product *t, float *scratch)
{
    float *a = scratch, *b = scratch + BLOCK_M * BLOCK_K;
    size_t n = even(t->n, BLOCK_N, TILE_COLS), k = even(t->k, BLOCK_K, LANES);
    for (size_t j = 0; j < t->n; j += n)
        for (size_t p = 0; p < t->k; p += k) {
            Product q = *t;
            q.n = gemm_least(n, t->n - j);
            q.k = gemm_least(k, t->k - p);
            q.a = t->a + p * t->col;
            q.c = t->c + j;
            q.add = t->add || p > 0;
            q.bias = p == 0 && t->bias ? t->bias + j : NULL;
            q.relu = t->relu && p + q.k == t->k;
            q.gate = t->gate && p + q.k == t->k ? t->gate + j : NULL;
            pack(b, t->b + p * t->ldb + j * t->step, t->step, t->ldb, q.n, q.k, TILE_COLS);
            rows_of(&q, a, b);
        }
}
