/* gbdt_predict.c -- rows down the trees.
 *
 * A row's score is the bias and then each tree's leaf, added in float32 in the order of the trees: the
 * same bits whether rows come alone or in thousands, and whether trees come at once or round by
 * round. */
#include "gbdt_int.h"

#include <math.h>

#define ROWS_AT_ONCE 512

static float walk(const Forest *f, uint32_t node, const float *dense, const int32_t *code)
{
    const WalkNode *w = &f->walk.at[node];
    while (w->feature != WALK_LEAF) {
        bool left;
        uint32_t i = w->feature & WALK_LEAF;
        if (w->feature & WALK_CATEGORY) {
            const uint32_t *set = f->set.at + w->set;
            uint32_t c = (uint32_t)code[i];
            left = c / 32 < set[0] && (set[1 + c / 32] >> (c % 32) & 1);
        } else
            left = w->feature & WALK_MISSING ? !(dense[i] > w->at) : dense[i] <= w->at;
        w = &f->walk.at[left ? w->left : w->right];
    }
    return w->at;
}

typedef struct Add {
    const Forest *f;
    const Batch *b;
    size_t from, to;
    const uint32_t *row;
    float *out;
} Add;

static void add_rows(void *job, size_t i, size_t worker)
{
    (void)worker;
    const Add *a = job;
    const Forest *f = a->f;
    size_t first = i * ROWS_AT_ONCE, end = first + ROWS_AT_ONCE, codes = f->features - f->numbers;
    end = end < a->b->rows ? end : a->b->rows;
    for (size_t tree = a->from; tree < a->to; tree++) {
        uint32_t root = f->root.at[tree];
        size_t class = tree % f->outputs;
        for (size_t row = first; row < end; row++)
            a->out[row * f->outputs + class] +=
                walk(f, root, a->b->dense + row * f->numbers, a->b->code + row * codes);
    }
}

void forest_add(const Forest *f, const Batch *b, size_t from, size_t to, float *out, Pool *pool)
{
    Add a = {.f = f, .b = b, .from = from, .to = to, .out = out};
    size_t blocks = (b->rows + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE;
    pool_run(pool, blocks, add_rows, &a);
}

static void add_tree_rows(void *job, size_t i, size_t worker)
{
    (void)worker;
    const Add *a = job;
    const Forest *f = a->f;
    size_t first = i * ROWS_AT_ONCE, end = first + ROWS_AT_ONCE, codes = f->features - f->numbers;
    end = end < a->b->rows ? end : a->b->rows;
    for (size_t k = first; k < end; k++) {
        size_t row = a->row ? a->row[k] : k;
        a->out[k] +=
            walk(f, f->root.at[a->from], a->b->dense + row * f->numbers, a->b->code + row * codes);
    }
}

void forest_add_tree(const Forest *f, const Batch *b, const uint32_t *row, size_t tree,
                     float *score, Pool *pool)
{
    Add a = {.f = f, .b = b, .from = tree, .row = row, .out = score};
    pool_run(pool, (b->rows + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE, add_tree_rows, &a);
}
