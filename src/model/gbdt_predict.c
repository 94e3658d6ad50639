/* gbdt_predict.c -- rows down the trees.
 *
 * A row's score is the bias and then each tree's leaf, added in float32 in the order of the trees: the
 * same bits whether rows come alone or in thousands, and whether trees come at once or round by
 * round.
 *
 * A step down waits for three loads in a row, so many walks go side by side: a block of rows down one
 * tree, or a row that comes alone down many trees. Sixteen walks take a step at once; those that have
 * come to a leaf leave the list, so a deep leaf keeps nobody waiting. */
#include "gbdt_int.h"

#include <math.h>
#ifdef __AVX512F__
#include <immintrin.h>
#endif

#define ROWS_AT_ONCE   256
#define FEW_ROWS       8
#define WALK_WIDE_MOST (1u << 29) /* nodes: the number of a word fits in 31 bits */

/* Walks side by side: walk i is in node[i], its row begins at dense + i * dense_step and
 * code + i * code_step (0: all walk with the same row). Its leaf's value comes to value[i]. */
typedef struct Walks {
    const Forest *f;
    const float *dense;
    const int32_t *code;
    size_t dense_step, code_step, count;
    uint32_t node[ROWS_AT_ONCE + 16];
    float value[ROWS_AT_ONCE + 16];
} Walks;

static bool set_has(const Forest *f, uint32_t at, int32_t code)
{
    const uint32_t *set = f->set.at + at;
    uint32_t c = (uint32_t)code;
    return c / 32 < set[0] && (set[1 + c / 32] >> (c % 32) & 1);
}

static bool goes_left(const Forest *f, const WalkNode *w, const float *dense, const int32_t *code)
{
    uint32_t i = w->feature & WALK_INDEX;
    if (w->feature & WALK_CATEGORY)
        return set_has(f, w->set, code[i]);
    return w->feature & WALK_MISSING ? !(dense[i] > w->at) : dense[i] <= w->at;
}

bool forest_goes_left(const Forest *f, size_t node, const float *dense, const int32_t *code)
{
    return goes_left(f, &f->walk.at[node], dense, code);
}

static float walk_one(const Forest *f, uint32_t node, const float *dense, const int32_t *code)
{
    const WalkNode *w = &f->walk.at[node];
    while (!(w->feature & WALK_LEAF))
        w = &f->walk.at[w->child[!goes_left(f, w, dense, code)]];
    return w->at;
}

static void walk_each(Walks *w)
{
    for (size_t i = 0; i < w->count; i++)
        w->value[i] =
            walk_one(w->f, w->node[i], w->dense + i * w->dense_step, w->code + i * w->code_step);
}

#ifdef __AVX512F__
/* Where lanes have come to a category, they are asked one by one. */
static __mmask16 ask_sets(const Walks *w, __mmask16 sets, __m512i walk, __m512i node, __m512i i)
{
    uint32_t number[16], at[16], column[16], left = 0;
    _mm512_storeu_si512(number, walk);
    _mm512_storeu_si512(at, node);
    _mm512_storeu_si512(column, i);
    for (unsigned rest = sets; rest; rest &= rest - 1) {
        unsigned k = (unsigned)__builtin_ctz(rest);
        int32_t code = w->code[number[k] * w->code_step + column[k]];
        left |= (uint32_t)set_has(w->f, w->f->walk.at[at[k]].set, code) << k;
    }
    return (__mmask16)left;
}

/* Sixteen walks one step on, or out of the list; returns those that go on. */
static __mmask16 step_down(Walks *w, __mmask16 here, __m512i walk, __m512i *node)
{
    const int *base = (const int *)(const void *)w->f->walk.at;
    const __m512i zero = _mm512_setzero_si512();
    __m512i word = _mm512_slli_epi32(*node, 2); /* a node is four */
    __m512i feature = _mm512_mask_i32gather_epi32(
        zero, here, _mm512_add_epi32(word, _mm512_set1_epi32(1)), base, 4);
    __m512 at = _mm512_castsi512_ps(_mm512_mask_i32gather_epi32(zero, here, word, base, 4));
    __mmask16 leaf = _mm512_mask_test_epi32_mask(here, feature, _mm512_set1_epi32(WALK_LEAF));
    _mm512_mask_i32scatter_ps(w->value, leaf, walk, at, 4);
    __mmask16 on = (__mmask16)(here & ~leaf);
    __m512i i = _mm512_and_si512(feature, _mm512_set1_epi32(WALK_INDEX));
    __mmask16 sets =
        _mm512_mask_test_epi32_mask(on, feature, _mm512_set1_epi32((int)WALK_CATEGORY));
    __m512i place =
        _mm512_add_epi32(_mm512_mullo_epi32(walk, _mm512_set1_epi32((int)w->dense_step)), i);
    __m512 x =
        _mm512_mask_i32gather_ps(_mm512_setzero_ps(), (__mmask16)(on & ~sets), place, w->dense, 4);
    __mmask16 left = _mm512_cmp_ps_mask(x, at, _CMP_LE_OQ);
    left = (__mmask16)(left | (_mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q) &
                               _mm512_test_epi32_mask(feature, _mm512_set1_epi32(WALK_MISSING))));
    if (sets)
        left = (__mmask16)((left & ~sets) | ask_sets(w, sets, walk, *node, i));
    __m512i child = _mm512_mask_add_epi32(_mm512_add_epi32(word, _mm512_set1_epi32(3)), left, word,
                                          _mm512_set1_epi32(2));
    *node = _mm512_mask_i32gather_epi32(zero, on, child, base, 4);
    return on;
}

static void walk_all(Walks *w)
{
    uint32_t walk[ROWS_AT_ONCE + 16];
    if (w->f->walk.count >= WALK_WIDE_MOST || w->dense_step > (1u << 22)) {
        walk_each(w);
        return;
    }
    for (uint32_t i = 0; i < ROWS_AT_ONCE; i++)
        walk[i] = i;
    for (size_t left = w->count, on = 0; left; left = on) {
        on = 0;
        for (size_t i = 0; i < left; i += 16) {
            size_t n = left - i < 16 ? left - i : 16;
            __mmask16 here = (__mmask16)((1u << n) - 1);
            __m512i who = _mm512_loadu_si512(walk + i), node = _mm512_loadu_si512(w->node + i);
            __mmask16 go = step_down(w, here, who, &node);
            _mm512_storeu_si512(walk + on, _mm512_maskz_compress_epi32(go, who));
            _mm512_storeu_si512(w->node + on, _mm512_maskz_compress_epi32(go, node));
            on += (size_t)__builtin_popcount(go);
        }
    }
}
#else
static void walk_all(Walks *w)
{
    walk_each(w);
}
#endif

/* ---- rows and trees --------------------------------------------------------------------------------- */

typedef struct Add {
    const Forest *f;
    const Batch *b;
    size_t from, to; /* trees */
    float *out;      /* [rows][outputs] */
} Add;

/* A block of rows down one tree after the other. */
static void add_block(const Add *a, size_t first, size_t end)
{
    const Forest *f = a->f;
    size_t codes = f->features - f->numbers;
    Walks w = {.f = f, .dense_step = f->numbers, .code_step = codes, .count = end - first};
    w.dense = f->numbers ? a->b->dense + first * f->numbers : NULL;
    w.code = codes ? a->b->code + first * codes : NULL;
    for (size_t tree = a->from; tree < a->to; tree++) {
        for (size_t i = 0; i < w.count; i++)
            w.node[i] = f->root.at[tree];
        walk_all(&w);
        float *out = a->out + first * f->outputs + tree % f->outputs;
        for (size_t i = 0; i < w.count; i++)
            out[i * f->outputs] += w.value[i];
    }
}

/* A row down many trees. */
static void add_row(const Add *a, size_t row)
{
    const Forest *f = a->f;
    size_t codes = f->features - f->numbers;
    Walks w = {.f = f};
    w.dense = f->numbers ? a->b->dense + row * f->numbers : NULL;
    w.code = codes ? a->b->code + row * codes : NULL;
    for (size_t tree = a->from; tree < a->to; tree += w.count) {
        w.count = a->to - tree < ROWS_AT_ONCE ? a->to - tree : ROWS_AT_ONCE;
        for (size_t i = 0; i < w.count; i++)
            w.node[i] = f->root.at[tree + i];
        walk_all(&w);
        for (size_t i = 0; i < w.count; i++)
            a->out[row * f->outputs + (tree + i) % f->outputs] += w.value[i];
    }
}

static void add_rows(void *job, size_t i, size_t worker)
{
    (void)worker;
    const Add *a = job;
    size_t first = i * ROWS_AT_ONCE, end = first + ROWS_AT_ONCE;
    end = end < a->b->rows ? end : a->b->rows;
    if (end - first < FEW_ROWS)
        for (size_t row = first; row < end; row++)
            add_row(a, row);
    else
        add_block(a, first, end);
}

void forest_add(const Forest *f, const Batch *b, size_t from, size_t to, float *out, Pool *pool)
{
    Add a = {.f = f, .b = b, .from = from, .to = to, .out = out};
    pool_run(pool, (b->rows + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE, add_rows, &a);
}

/* ---- one tree, rows in another order ------------------------------------------------------------------ */

typedef struct AddTree {
    const Forest *f;
    const Batch *b;
    const uint32_t *row;
    size_t tree;
    float *score;
} AddTree;

static void add_tree_rows(void *job, size_t i, size_t worker)
{
    (void)worker;
    const AddTree *a = job;
    const Forest *f = a->f;
    size_t first = i * ROWS_AT_ONCE, end = first + ROWS_AT_ONCE, codes = f->features - f->numbers;
    end = end < a->b->rows ? end : a->b->rows;
    for (size_t k = first; k < end; k++) {
        size_t row = a->row ? a->row[k] : k;
        a->score[k] += walk_one(f, f->root.at[a->tree], a->b->dense + row * f->numbers,
                                a->b->code + row * codes);
    }
}

void forest_add_tree(const Forest *f, const Batch *b, const uint32_t *row, size_t tree,
                     float *score, Pool *pool)
{
    AddTree a = {.f = f, .b = b, .row = row, .tree = tree, .score = score};
    pool_run(pool, (b->rows + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE, add_tree_rows, &a);
}
