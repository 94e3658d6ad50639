/* gbdt_onnx.c -- the forest as a TreeEnsembleRegressor of ai.onnx.ml.
 *
 * A node of numbers is BRANCH_LEQ as it stands. A node of categories asks a number of its own that is 0
 * for the codes that go left and 1 for the others, looked up by the row's code in a table with one
 * column a node:  x <= 0.5 goes left. So sets of any size are one step, as here. */
#include "gbdt_int.h"

#include <math.h>

/* Tables of one column of codes, [cardinality][nodes that ask it], column after column. */
typedef struct Asked {
    size_t nodes; /* so far */
    float *table;
} Asked;

typedef struct Lists {
    VEC(int64_t) tree, node, feature, yes, no, missing, leaf_tree, leaf_node, leaf_class;
    VEC(float) value, weight;
    VEC(const char *) mode;
} Lists;

static void release(Lists *l)
{
    vec_release(&l->tree);
    vec_release(&l->node);
    vec_release(&l->feature);
    vec_release(&l->yes);
    vec_release(&l->no);
    vec_release(&l->missing);
    vec_release(&l->leaf_tree);
    vec_release(&l->leaf_node);
    vec_release(&l->leaf_class);
    vec_release(&l->value);
    vec_release(&l->weight);
    vec_release(&l->mode);
}

static bool set_has(const Forest *f, uint32_t at, size_t code)
{
    const uint32_t *set = f->set.at + at;
    return code / 32 < set[0] && (set[1 + code / 32] >> (code % 32) & 1);
}

/* How many nodes ask each column of codes. */
static void count_asked(const Forest *f, Asked *asked, size_t codes)
{
    for (size_t i = 0; i < f->walk.count; i++)
        if (f->walk.at[i].feature & WALK_CATEGORY)
            asked[f->walk.at[i].feature & WALK_INDEX].nodes++;
    for (size_t c = 0; c < codes; c++)
        asked[c].table =
            mem_alloc(sizeof(float) * (size_t)f->cardinality[c] * (asked[c].nodes + 1));
}

/* The numbers the trees ask: [numbers | one a node of the first column of codes | ...], and where the
 * ones of each column begin. */
static const char *all_inputs(const Forest *f, Onnx *o, const char *dense, const char *codes,
                              Asked *asked, const size_t *width)
{
    size_t n = 0, count = f->features - f->numbers;
    const char **part = mem_alloc(sizeof *part * (count + 1));
    if (dense)
        part[n++] = dense;
    for (size_t c = 0; c < count; c++) {
        if (!width[c])
            continue;
        const char *code = onnx_node(o, "Gather", codes, onnx_whole(o, (int64_t)c), NULL);
        onnx_set_whole(o, "axis", 1);
        const char *table = onnx_floats(o, asked[c].table, (size_t)f->cardinality[c], width[c]);
        part[n++] = onnx_node(o, "Gather", table, code, NULL);
    }
    const char *x = n ? onnx_join(o, part, n) : NULL;
    mem_free(part);
    return x;
}

static void add_node(const Forest *f, Lists *l, size_t tree, size_t node, Asked *asked,
                     const size_t *width, const size_t *begin)
{
    const WalkNode *w = &f->walk.at[node];
    size_t root = f->root.at[tree], feature = w->feature & WALK_INDEX;
    bool leaf = w->feature & WALK_LEAF, set = !leaf && w->feature & WALK_CATEGORY;
    vec_add(&l->tree, (int64_t)tree);
    vec_add(&l->node, (int64_t)(node - root));
    vec_add(&l->mode, leaf ? "LEAF" : "BRANCH_LEQ");
    vec_add(&l->yes, leaf ? 0 : (int64_t)(w->child[0] - root));
    vec_add(&l->no, leaf ? 0 : (int64_t)(w->child[1] - root));
    vec_add(&l->missing, !leaf && !set && w->feature & WALK_MISSING ? 1 : 0);
    vec_add(&l->value, leaf ? 0.0f : set ? 0.5f : w->at);
    if (leaf) {
        vec_add(&l->leaf_tree, (int64_t)tree);
        vec_add(&l->leaf_node, (int64_t)(node - root));
        vec_add(&l->leaf_class, (int64_t)(tree % f->outputs));
        vec_add(&l->weight, w->at);
    }
    if (set) {
        size_t column = asked[feature].nodes++;
        for (size_t code = 0; code < (size_t)f->cardinality[feature]; code++)
            asked[feature].table[code * width[feature] + column] =
                set_has(f, w->set, code) ? 0.0f : 1.0f;
        vec_add(&l->feature, (int64_t)(begin[feature] + column));
    } else
        vec_add(&l->feature, leaf ? 0 : (int64_t)feature);
}

static const char *say_trees(const Forest *f, const Lists *l, Onnx *o, const char *x)
{
    const char *y = onnx_node(o, "ml.TreeEnsembleRegressor", x, NULL);
    onnx_set_whole(o, "n_targets", (int64_t)f->outputs);
    onnx_set_text(o, "aggregate_function", "SUM");
    onnx_set_text(o, "post_transform", "NONE");
    onnx_set_floats(o, "base_values", f->bias, f->outputs);
    onnx_set_wholes(o, "nodes_treeids", l->tree.at, l->tree.count);
    onnx_set_wholes(o, "nodes_nodeids", l->node.at, l->node.count);
    onnx_set_wholes(o, "nodes_featureids", l->feature.at, l->feature.count);
    onnx_set_texts(o, "nodes_modes", l->mode.at, NULL, l->mode.count);
    onnx_set_floats(o, "nodes_values", l->value.at, l->value.count);
    onnx_set_wholes(o, "nodes_truenodeids", l->yes.at, l->yes.count);
    onnx_set_wholes(o, "nodes_falsenodeids", l->no.at, l->no.count);
    onnx_set_wholes(o, "nodes_missing_value_tracks_true", l->missing.at, l->missing.count);
    onnx_set_wholes(o, "target_treeids", l->leaf_tree.at, l->leaf_tree.count);
    onnx_set_wholes(o, "target_nodeids", l->leaf_node.at, l->leaf_node.count);
    onnx_set_wholes(o, "target_ids", l->leaf_class.at, l->leaf_class.count);
    onnx_set_floats(o, "target_weights", l->weight.at, l->weight.count);
    return y;
}

const char *forest_onnx(const Forest *f, Onnx *o, const char *dense, const char *codes, Error *err)
{
    if (f->root.count == 0) {
        error_set(err, ERROR_USAGE, "a model without trees cannot be said in ONNX");
        return NULL;
    }
    size_t count = f->features - f->numbers, at = f->numbers;
    Asked *asked = mem_alloc(sizeof *asked * (count + 1));
    size_t *width = mem_alloc(2 * sizeof *width * (count + 1)), *begin = width + count + 1;
    Lists lists = {0};
    count_asked(f, asked, count);
    for (size_t c = 0; c < count; c++) {
        width[c] = asked[c].nodes;
        begin[c] = at;
        at += width[c];
        asked[c].nodes = 0;
    }
    for (size_t tree = 0; tree < f->root.count; tree++)
        for (size_t i = 0; i < (size_t)f->nodes.at[tree]; i++)
            add_node(f, &lists, tree, f->root.at[tree] + i, asked, width, begin);
    const char *x = all_inputs(f, o, dense, codes, asked, width);
    const char *y = x ? say_trees(f, &lists, o, x) : NULL;
    if (!x)
        error_set(err, ERROR_USAGE, "trees that ask nothing cannot be said in ONNX");
    for (size_t c = 0; c < count; c++)
        mem_free(asked[c].table);
    mem_free(asked);
    mem_free(width);
    release(&lists);
    return y;
}
