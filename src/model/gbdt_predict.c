/* gbdt_predict.c -- rows down the trees.
 *
 * A row's score is the bias and then each tree's leaf, added in float32 in the order of the trees: the
 * same bits whether rows come alone or in thousands, and whether trees come at once or round by
 * round.
 *
 * A step down waits for three loads in a row, so eight walks go side by side: eight rows of one tree,
 * or, for rows that come alone, eight trees. A leaf's children are the leaf itself: who is down first
 * waits for the others without asking. */
#include "gbdt_int.h"

#include <math.h>

#define ROWS_AT_ONCE 512
#define ABREAST      8

static const float no_numbers[1];

typedef struct Walker { /* one row on its way down one tree */
    uint32_t node;
    const float *dense;
    const int32_t *code;
} Walker;

__attribute__((always_inline)) static inline uint32_t next_node(const Forest *f, const WalkNode *w,
                                                                const Walker *at, const bool sets)
{
    uint32_t i = w->feature & WALK_INDEX;
    if (sets && w->feature & WALK_CATEGORY) {
        const uint32_t *set = f->set.at + w->set;
        uint32_t c = (uint32_t)at->code[i];
        return w->child[!(c / 32 < set[0] && (set[1 + c / 32] >> (c % 32) & 1))];
    }
    float x = at->dense[i];
    unsigned missing = (unsigned)(x != x) & (w->feature / WALK_MISSING & 1u);
    return w->child[!((unsigned)(x <= w->at) | missing)];
}

__attribute__((always_inline)) static inline void go_down(const Forest *f, Walker *walker,
                                                          const size_t n, const bool sets)
{
    const WalkNode *nodes = f->walk.at;
    for (uint32_t all = 0; !(all & WALK_LEAF);) {
        all = WALK_LEAF;
#pragma GCC unroll 8
        for (size_t k = 0; k < n; k++)
            walker[k].node = next_node(f, &nodes[walker[k].node], &walker[k], sets);
#pragma GCC unroll 8
        for (size_t k = 0; k < n; k++)
            all &= nodes[walker[k].node].feature;
    }
}

/* All n, at most ABREAST, to their leaves. */
static void walk_down(const Forest *f, Walker *walker, size_t n)
{
    bool sets = f->set.count > 0;
    if (n == ABREAST && !sets)
        go_down(f, walker, ABREAST, false);
    else if (n == ABREAST)
        go_down(f, walker, ABREAST, true);
    else
        for (size_t k = 0; k < n; k++)
            go_down(f, &walker[k], 1, sets);
}

typedef struct Add {
    const Forest *f;
    const Batch *b;
    size_t from, to;     /* trees */
    const uint32_t *row; /* NULL: all in order */
    float *out;
    size_t stride; /* of out, by row; 0: one class, [rows] */
} Add;

static Walker walker_at(const Add *a, size_t tree, size_t k)
{
    const Forest *f = a->f;
    size_t row = a->row ? a->row[k] : k;
    return (Walker){f->root.at[tree], f->numbers ? a->b->dense + row * f->numbers : no_numbers,
                    a->b->code ? a->b->code + row * (f->features - f->numbers) : NULL};
}

static float *out_at(const Add *a, size_t tree, size_t k)
{
    return a->stride ? &a->out[k * a->stride + tree % a->stride] : &a->out[k];
}

static void add_many_rows(const Add *a, size_t tree, size_t first, size_t end)
{
    Walker walker[ABREAST];
    for (size_t k = first; k < end; k += ABREAST) {
        size_t n = end - k < ABREAST ? end - k : ABREAST;
        for (size_t i = 0; i < n; i++)
            walker[i] = walker_at(a, tree, k + i);
        walk_down(a->f, walker, n);
        for (size_t i = 0; i < n; i++)
            *out_at(a, tree, k + i) += a->f->walk.at[walker[i].node].at;
    }
}

static void add_one_row(const Add *a, size_t row)
{
    Walker walker[ABREAST];
    for (size_t tree = a->from; tree < a->to; tree += ABREAST) {
        size_t n = a->to - tree < ABREAST ? a->to - tree : ABREAST;
        for (size_t i = 0; i < n; i++)
            walker[i] = walker_at(a, tree + i, row);
        walk_down(a->f, walker, n);
        for (size_t i = 0; i < n; i++)
            *out_at(a, tree + i, row) += a->f->walk.at[walker[i].node].at;
    }
}

static void add_rows(void *job, size_t i, size_t worker)
{
    (void)worker;
    const Add *a = job;
    size_t first = i * ROWS_AT_ONCE, end = first + ROWS_AT_ONCE;
    end = end < a->b->rows ? end : a->b->rows;
    if (end - first < ABREAST)
        for (size_t row = first; row < end; row++)
            add_one_row(a, row);
    else
        for (size_t tree = a->from; tree < a->to; tree++)
            add_many_rows(a, tree, first, end);
}

static void add(Add *a, Pool *pool)
{
    pool_run(pool, (a->b->rows + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE, add_rows, a);
}

void forest_add(const Forest *f, const Batch *b, size_t from, size_t to, float *out, Pool *pool)
{
    Add a = {.f = f, .b = b, .from = from, .to = to, .out = out, .stride = f->outputs};
    add(&a, pool);
}

void forest_add_tree(const Forest *f, const Batch *b, const uint32_t *row, size_t tree,
                     float *score, Pool *pool)
{
    Add a = {.f = f, .b = b, .from = tree, .to = tree + 1, .row = row, .out = score};
    add(&a, pool);
}
