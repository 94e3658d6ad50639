/* gbdt_forest.c -- the trees as tensors: kept, saved, and checked when they come from a file.
 *
 *     bias            [outputs]  the score every row begins with
 *     tree.nodes      [trees]    how many nodes each has; tree i is of class i % outputs
 *     node.*          [nodes]    see NODE_FIELDS, tree after tree, children behind their parents
 *     category.code   [codes]    the codes that go left, node after node
 *
 * All as float32: whole numbers up to 2^24 are exact in it, and no tree has as many nodes. */
#include "gbdt_int.h"

#include <math.h>
#include <string.h>

#define NODES_MOST   (1u << 24)
#define ROOM_NODES   ((size_t)1 << 18) /* 15 MB */
#define CODES_A_NODE 4

static const char *const field_names[] = {
#define AS_NAME(name, tensor) tensor,
    NODE_FIELDS(AS_NAME)
#undef AS_NAME
};

void forest_init(Forest *f, const ModelShape *shape)
{
    *f = (Forest){.outputs = shape->outputs,
                  .numbers = shape->dense,
                  .features = shape->dense + shape->codes,
                  .cardinality = shape->cardinality};
    f->bias = mem_alloc(sizeof *f->bias * shape->outputs);
}

void forest_clear(Forest *f)
{
    f->nodes.count = f->code.count = f->walk.count = f->root.count = f->set.count = 0;
    f->codes_ready = 0;
    quick_release(&f->quick);
    for (int k = 0; k < NODE_FIELD_COUNT; k++)
        f->field[k].count = 0;
    memset(f->bias, 0, sizeof *f->bias * f->outputs);
}

void forest_room(Forest *f, size_t trees, size_t nodes)
{
    trees = f->nodes.count + (trees < ROOM_NODES ? trees : ROOM_NODES);
    nodes = nodes < ROOM_NODES ? nodes : ROOM_NODES;
    size_t codes = f->features > f->numbers ? f->code.count + nodes * CODES_A_NODE : 0;
    vec_reserve(&f->nodes, trees);
    vec_reserve(&f->root, trees);
    vec_reserve(&f->walk, f->walk.count + nodes);
    for (int k = 0; k < NODE_FIELD_COUNT; k++)
        vec_reserve(&f->field[k], f->field[k].count + nodes);
    vec_reserve(&f->code, codes);
    vec_reserve(&f->set, codes);
}

void forest_cut(Forest *f, size_t trees)
{
    size_t nodes = 0, codes = 0;
    for (size_t i = 0; i < trees; i++)
        nodes += (size_t)f->nodes.at[i];
    for (size_t i = 0; i < nodes; i++)
        codes += (size_t)f->field[NODE_CODES].at[i];
    f->nodes.count = f->root.count = trees;
    f->walk.count = nodes;
    f->code.count = f->codes_ready = codes;
    for (int k = 0; k < NODE_FIELD_COUNT; k++)
        f->field[k].count = nodes;
    quick_release(&f->quick);
}

void forest_release(Forest *f)
{
    vec_release(&f->nodes);
    vec_release(&f->code);
    vec_release(&f->walk);
    vec_release(&f->root);
    vec_release(&f->set);
    vec_release(&f->row);
    quick_release(&f->quick);
    for (int k = 0; k < NODE_FIELD_COUNT; k++)
        vec_release(&f->field[k]);
    mem_free(f->bias);
    *f = (Forest){0};
}

/* ---- tensors ---------------------------------------------------------------------------------------- */

static void list(Forest *f, const char *name, Floats *v)
{
    if (!v->room) { /* an empty tensor has a place, too */
        vec_add(v, 0.0f);
        v->count = 0;
    }
    vec_add(&f->row, (TensorRow){.name = name, .rank = 1, .shape = {v->count}, .at = v->at});
}

size_t forest_tensors(Forest *f, const TensorRow **rows)
{
    f->row.count = 0;
    vec_add(&f->row, (TensorRow){.name = "bias", .rank = 1, .shape = {f->outputs}, .at = f->bias});
    list(f, "tree.nodes", &f->nodes);
    for (int k = 0; k < NODE_FIELD_COUNT; k++)
        list(f, field_names[k], &f->field[k]);
    list(f, "category.code", &f->code);
    *rows = f->row.at;
    return f->row.count;
}

static size_t length_of(const TensorRow *file, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (text_equal(file[i].name, name))
            return file[i].rank == 1 ? file[i].shape[0] : SIZE_MAX;
    return SIZE_MAX;
}

static void make_room(Floats *v, size_t n)
{
    if (v->room < n) {
        v->at = mem_resize(v->at, n * sizeof *v->at);
        v->room = n;
    }
    if (n)
        memset(v->at, 0, n * sizeof *v->at);
    v->count = n;
}

/* The lengths are those of a file that was read, so there is memory for them. */
bool forest_reserve(Forest *f, const TensorRow *file, size_t n, Error *err)
{
    size_t trees = length_of(file, n, "tree.nodes"), nodes = length_of(file, n, field_names[0]);
    size_t codes = length_of(file, n, "category.code");
    bool fits = trees != SIZE_MAX && nodes != SIZE_MAX && codes != SIZE_MAX &&
                length_of(file, n, "bias") == f->outputs && trees % f->outputs == 0;
    for (int k = 0; k < NODE_FIELD_COUNT; k++)
        fits = fits && length_of(file, n, field_names[k]) == nodes;
    if (!fits)
        return error_set(err, ERROR_SHAPE,
                         "the trees in the file do not fit this model: a tensor is missing or has"
                         " another length than its fellows, or there are not %zu trees a round",
                         f->outputs);
    forest_clear(f);
    make_room(&f->nodes, trees);
    for (int k = 0; k < NODE_FIELD_COUNT; k++)
        make_room(&f->field[k], nodes);
    make_room(&f->code, codes);
    return true;
}

/* ---- checking ---------------------------------------------------------------------------------------- */

static bool whole_in(float v, float least, float most)
{
    return v >= least && v <= most && v == rintf(v);
}

static bool node_is_sound(const Forest *f, size_t root, size_t node, size_t end, size_t *codes)
{
    float feature = f->field[NODE_FEATURE].at[node], own = f->field[NODE_CODES].at[node];
    if (!whole_in(feature, -1.0f, (float)f->features - 1.0f) ||
        !whole_in(own, 0.0f, (float)(f->code.count - *codes)) ||
        !isfinite(f->field[NODE_VALUE].at[node]))
        return false;
    bool category = feature >= (float)f->numbers;
    if (!category && own > 0.0f)
        return false;
    for (size_t i = 0; i < (size_t)own; i++) {
        float most = (float)f->cardinality[(size_t)feature - f->numbers] - 1.0f;
        if (!whole_in(f->code.at[*codes + i], 0.0f, most))
            return false;
    }
    *codes += (size_t)own;
    if (feature < 0.0f)
        return true;
    float after = (float)(node - root + 1), last = (float)(end - root) - 1.0f;
    return whole_in(f->field[NODE_LEFT].at[node], after, last) &&
           whole_in(f->field[NODE_RIGHT].at[node], after, last) &&
           !isnan(f->field[NODE_THRESHOLD].at[node]);
}

bool forest_settle(Forest *f, Error *err)
{
    size_t root = 0, codes = 0, tree = 0;
    f->walk.count = f->root.count = f->set.count = f->codes_ready = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < f->outputs; i++)
        ok = isfinite(f->bias[i]);
    for (; ok && tree < f->nodes.count; tree++) {
        size_t left = f->field[0].count - root;
        ok = whole_in(f->nodes.at[tree], 1.0f, (float)NODES_MOST) &&
             (size_t)f->nodes.at[tree] <= left;
        size_t end = ok ? root + (size_t)f->nodes.at[tree] : root;
        for (size_t node = root; ok && node < end; node++)
            ok = node_is_sound(f, root, node, end, &codes);
        root = end;
    }
    if (!ok || root != f->field[0].count || codes != f->code.count) {
        forest_clear(f);
        return error_set(err, ERROR_PARSE,
                         "tree %zu of the file is damaged: a number is out of"
                         " its range",
                         tree);
    }
    for (size_t i = 0; i < f->nodes.count; i++)
        forest_ready(f, i);
    quick_release(&f->quick);
    forest_quick(f);
    return true;
}

/* ---- ready to walk -------------------------------------------------------------------------------------- */

/* Its bits: how many words, then the words. */
static uint32_t add_set(Forest *f, size_t first_code, size_t n)
{
    uint32_t at = (uint32_t)f->set.count, words = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t word = (uint32_t)f->code.at[first_code + i] / 32 + 1;
        words = word > words ? word : words;
    }
    vec_add(&f->set, words);
    for (uint32_t i = 0; i < words; i++)
        vec_add(&f->set, 0u);
    for (size_t i = 0; i < n; i++) {
        uint32_t code = (uint32_t)f->code.at[first_code + i];
        f->set.at[at + 1 + code / 32] |= 1u << (code % 32);
    }
    return at;
}

void forest_ready(Forest *f, size_t tree)
{
    size_t root = f->walk.count, nodes = (size_t)f->nodes.at[tree];
    vec_add(&f->root, (uint32_t)root);
    for (size_t node = root; node < root + nodes; node++) {
        WalkNode w = {.at = f->field[NODE_VALUE].at[node], .feature = WALK_LEAF};
        w.child[0] = w.child[1] = (uint32_t)node;
        float feature = f->field[NODE_FEATURE].at[node];
        if (feature >= 0.0f) {
            size_t own = (size_t)f->field[NODE_CODES].at[node];
            w.child[0] = (uint32_t)(root + (size_t)f->field[NODE_LEFT].at[node]);
            w.child[1] = (uint32_t)(root + (size_t)f->field[NODE_RIGHT].at[node]);
            w.feature = (uint32_t)feature;
            w.at = f->field[NODE_THRESHOLD].at[node];
            if (w.feature >= f->numbers) {
                w.feature = (w.feature - (uint32_t)f->numbers) | WALK_CATEGORY;
                w.set = add_set(f, f->codes_ready, own);
            } else if (f->field[NODE_MISSING_LEFT].at[node] > 0.5f)
                w.feature |= WALK_MISSING;
            f->codes_ready += own;
        }
        vec_add(&f->walk, w);
    }
}
