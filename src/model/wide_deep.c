/* wide_deep.c -- a linear model and a net side by side, their outputs added (Cheng et al. 2016).
 *
 *     wide   a weight a number, a number a category and a number a pair of categories
 *     deep   numbers and embeddings -> [dense -> activation -> dropout] x layers -> dense
 *
 * The wide half remembers which pair of words means what; the deep half finds what is general. */
#include "model_int.h"

#include <stdio.h>

typedef struct WideDeepParams {
    ParamSizes hidden;
    int activation;
    int crosses;
    int embedding;
} WideDeepParams;

static const Param params[] = {
    /*          field                       name          default, range           unit       help */
    // clang-format off
    PARAM_SIZES(WideDeepParams, hidden,     "hidden",     "200,100", 1, 8192,     "units",   "widths of the deep half's layers, from the input on"),
    PARAM_PICK (WideDeepParams, activation, "activation", ACT_RELU, activation_names,        "what bends the line between layers"),
    PARAM_INT  (WideDeepParams, crosses,    "crosses",    1000, 0, 10000000,      "pairs",   "two columns that make at most so many pairs of categories get a number a pair"),
    PARAM_INT  (WideDeepParams, embedding,  "embedding",  0, 0, 1024,             "numbers", "numbers a category becomes; 0: by how many categories there are"),
    // clang-format on
    PARAM_END,
};

static Node *add_to(Graph *g, Node *sum, Node *x)
{
    return sum ? graph_add(g, sum, x) : x;
}

static Node *wide(Graph *g, Node *numbers, const ModelShape *shape, int crosses)
{
    Node *sum = NULL;
    if (numbers)
        sum = graph_dense(g, "wide", numbers, shape->outputs, (Tail){0});
    if (shape->codes == 0)
        return sum;
    sum = add_to(g, sum,
                 graph_embed_sum(g, "category", shape->cardinality, shape->codes, shape->outputs));
    Node *pairs = graph_embed_pairs(g, "pair", shape->cardinality, shape->codes, shape->outputs,
                                    (size_t)crosses);
    return pairs ? add_to(g, sum, pairs) : sum;
}

static void *create(const void *settings, const ModelShape *shape, const ModelSetup *setup,
                    Error *err)
{
    const WideDeepParams *p = settings;
    Graph *g = graph_create(setup->seed);
    Node *numbers = shape->dense ? graph_input(g, shape->dense) : NULL, *parts[2];
    size_t n = 0;
    if (numbers)
        parts[n++] = numbers;
    if (shape->codes)
        parts[n++] = net_embedding(g, shape, p->embedding);
    Node *x = n == 1 ? parts[0] : graph_concat(g, parts, n);
    for (int i = 0; i < p->hidden.count; i++) {
        char name[32];
        snprintf(name, sizeof name, "hidden.%d", i);
        x = graph_dense(g, name, x, (size_t)p->hidden.at[i],
                        (Tail){.act = (Activation)p->activation, .dropout = true});
    }
    x = graph_dense(g, "head", x, shape->outputs, (Tail){0});
    return net_create(g, graph_add(g, wide(g, numbers, shape, p->crosses), x), shape, setup, err);
}

const ModelFamily wide_deep_family = {
    .name = "wide_deep",
    .title = "Wide and deep",
    .about =
        "A linear model that also sees pairs of categories, beside a net; their outputs add up.",
    .source = "Cheng et al. 2016, arXiv:1606.07792",
    .params = params,
    .params_size = sizeof(WideDeepParams),
    .normals = "lr=0.001 batch=256 epochs=100 patience=16 optimizer=adamw weight_decay=0.0001 "
               "dropout=0.1 schedule=cosine",
    .create = create,
    NET_CALLBACKS,
};
