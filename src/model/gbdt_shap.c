/* gbdt_shap.c -- what each input adds to a row's score: SHAP values of trees (Lundberg, Erion and Lee
 * 2018, "Consistent individualized feature attribution for tree ensembles", algorithm 2).
 *
 * An input that is not known lets a row go down both sides, in proportion to the curvature (cover) of the
 * training rows that did. Shapley values of that game, exact, in time leaves x depth^2 a tree: the path
 * keeps for every number of known inputs on it the share of all orders that have it. In double;
 * a row's values and the base add up to its score. */
#include "gbdt_int.h"

#include <string.h>

typedef struct PathStep {
    int32_t input;
    double zero, one; /* shares of rows that go on: input unknown, known */
    double weight;    /* of the orders with as many known inputs as this step's place */
} PathStep;

typedef struct TreeShap {
    const Forest *f;
    size_t root;      /* of the tree, in the fields */
    size_t walk_root; /* the same in walk */
    const float *dense;
    const int32_t *code;
    double *out; /* [inputs + 1] */
} TreeShap;

static float field_of(const Forest *f, NodeField field, size_t node)
{
    return f->field[field].at[node];
}

static size_t child_of(const TreeShap *t, size_t node, bool right)
{
    return t->root + (size_t)field_of(t->f, right ? NODE_RIGHT : NODE_LEFT, node);
}

/* The share of a node's rows that went left, by cover, which need not add up to the parent's exactly. */
static double left_share(const TreeShap *t, size_t node)
{
    double left = (double)field_of(t->f, NODE_COVER, child_of(t, node, false));
    double right = (double)field_of(t->f, NODE_COVER, child_of(t, node, true));
    return left + right > 0.0 ? left / (left + right) : 0.5;
}

static void path_extend(PathStep *path, size_t depth, double zero, double one, int32_t input)
{
    path[depth] = (PathStep){input, zero, one, depth == 0 ? 1.0 : 0.0};
    double all = (double)depth + 1.0;
    for (size_t i = depth; i-- > 0;) {
        path[i + 1].weight += one * path[i].weight * ((double)i + 1.0) / all;
        path[i].weight = zero * path[i].weight * (double)(depth - i) / all;
    }
}

/* Undoes path_extend for the step at `at`. */
static void path_unwind(PathStep *path, size_t depth, size_t at)
{
    double one = path[at].one, zero = path[at].zero, next = path[depth].weight;
    double all = (double)depth + 1.0;
    for (size_t i = depth; i-- > 0;) {
        if (one != 0.0) {
            double before = path[i].weight;
            path[i].weight = next * all / (((double)i + 1.0) * one);
            next = before - path[i].weight * zero * (double)(depth - i) / all;
        } else
            path[i].weight = path[i].weight * all / (zero * (double)(depth - i));
    }
    for (size_t i = at; i < depth; i++) {
        path[i].input = path[i + 1].input;
        path[i].zero = path[i + 1].zero;
        path[i].one = path[i + 1].one;
    }
}

/* The sum of the weights if the step at `at` were undone. */
static double unwound_sum(const PathStep *path, size_t depth, size_t at)
{
    double one = path[at].one, zero = path[at].zero, next = path[depth].weight, sum = 0;
    double all = (double)depth + 1.0;
    for (size_t i = depth; i-- > 0;) {
        if (one != 0.0) {
            double w = next * all / (((double)i + 1.0) * one);
            sum += w;
            next = path[i].weight - w * zero * (double)(depth - i) / all;
        } else
            sum += path[i].weight * all / (zero * (double)(depth - i));
    }
    return sum;
}

/* above: the path down to the parent, of `depth` steps; room for one more level lies behind it. */
static void shap_down(const TreeShap *t, size_t node, const PathStep *above, size_t depth,
                      double zero, double one, int32_t input)
{
    PathStep *path = (PathStep *)(above + depth);
    memcpy(path, above, depth * sizeof *path);
    path_extend(path, depth, zero, one, input);
    float feature = field_of(t->f, NODE_FEATURE, node);
    if (feature < 0.0f) {
        double value = (double)field_of(t->f, NODE_VALUE, node);
        for (size_t i = 1; i <= depth; i++)
            t->out[path[i].input] +=
                unwound_sum(path, depth, i) * (path[i].one - path[i].zero) * value;
        return;
    }
    int32_t own = (int32_t)feature;
    bool left = forest_goes_left(t->f, t->walk_root + (node - t->root), t->dense, t->code);
    double share = left_share(t, node), zero_before = 1.0, one_before = 1.0;
    size_t at = 1;
    while (at <= depth && path[at].input != own)
        at++;
    if (at <= depth) {
        zero_before = path[at].zero;
        one_before = path[at].one;
        path_unwind(path, depth--, at);
    }
    for (int side = 0; side < 2; side++) {
        bool goes = left == (side == 0);
        double part = side == 0 ? share : 1.0 - share;
        if (part * zero_before > 0.0 || (goes && one_before > 0.0))
            shap_down(t, child_of(t, node, side == 1), path, depth + 1, part * zero_before,
                      goes ? one_before : 0.0, own);
    }
}

/* What is expected of a row of which nothing is known; *depth becomes the deepest leaf's. */
static double mean_below(const TreeShap *t, size_t node, size_t at, size_t *depth)
{
    *depth = at > *depth ? at : *depth;
    if (field_of(t->f, NODE_FEATURE, node) < 0.0f)
        return (double)field_of(t->f, NODE_VALUE, node);
    double share = left_share(t, node);
    return share * mean_below(t, child_of(t, node, false), at + 1, depth) +
           (1.0 - share) * mean_below(t, child_of(t, node, true), at + 1, depth);
}

typedef struct ShapJob {
    const Forest *f;
    const Batch *b;
    const size_t *root; /* [trees] in the fields */
    const double *mean; /* [trees] */
    size_t deepest;
    double *out;
} ShapJob;

static void shap_row(void *job, size_t row, size_t worker)
{
    (void)worker;
    const ShapJob *j = job;
    const Forest *f = j->f;
    size_t width = f->features + 1, codes = f->features - f->numbers, levels = j->deepest + 2;
    double *out = j->out + row * f->outputs * width;
    PathStep *room = mem_alloc(sizeof *room * (levels * (levels + 3) / 2 + levels));
    memset(out, 0, f->outputs * width * sizeof *out);
    for (size_t c = 0; c < f->outputs; c++)
        out[c * width + f->features] = (double)f->bias[c];
    for (size_t tree = 0; tree < f->nodes.count; tree++) {
        TreeShap t = {.f = f,
                      .root = j->root[tree],
                      .walk_root = f->root.at[tree],
                      .dense = f->numbers ? j->b->dense + row * f->numbers : NULL,
                      .code = codes ? j->b->code + row * codes : NULL,
                      .out = out + tree % f->outputs * width};
        t.out[f->features] += j->mean[tree];
        shap_down(&t, t.root, room, 0, 1.0, 1.0, -1);
    }
    mem_free(room);
}

void forest_shap(const Forest *f, const Batch *b, double *out, Pool *pool)
{
    size_t trees = f->nodes.count, *root = mem_alloc(sizeof *root * (trees + 1));
    double *mean = mem_alloc(sizeof *mean * (trees + 1));
    ShapJob j = {.f = f, .b = b, .root = root, .mean = mean, .out = out};
    for (size_t tree = 0, at = 0; tree < trees; tree++) {
        root[tree] = at;
        mean[tree] = mean_below(&(TreeShap){.f = f, .root = at}, at, 0, &j.deepest);
        at += (size_t)f->nodes.at[tree];
    }
    pool_run(pool, b->rows, shap_row, &j);
    mem_free(root);
    mem_free(mean);
}
