/* tab_transformer.c -- a transformer over the category columns (Huang et al. 2020, arXiv:2012.06678).
 *
 *     tokens   one a category column: the word's vector, and beside it a vector of the column itself
 *     block    x += attention(layernorm(x));  x += dense(gate(dense(layernorm(x))))
 *     head     mlp of [the tokens side by side, layernorm(numbers)], widths in multiples of its input
 *
 * What a word means comes to depend on the words beside it; numbers join only behind the blocks. A table
 * without categories is left with the mlp. */
#include "model_int.h"

#include <stdio.h>

typedef struct TabParams {
    int width, blocks, heads;
    double shared, factor;
    ParamSizes multiples;
    int activation;
} TabParams;

static const Param params[] = {
    /*          field                  name          default, range             unit      help */
    // clang-format off
    PARAM_INT  (TabParams, width,      "width",      32, 2, 8192,               "units",  "numbers a token; a multiple of heads"),
    PARAM_REAL (TabParams, shared,     "shared",     .125, 0, .9,               "",       "share of a token that is the column's own, whatever the word"),
    PARAM_INT  (TabParams, blocks,     "blocks",     6, 1, 64,                  "blocks", "blocks of attention and gated layer"),
    PARAM_INT  (TabParams, heads,      "heads",      8, 1, 256,                 "heads",  "ways in which tokens look at each other"),
    PARAM_REAL (TabParams, factor,     "factor",     4, .1, 16,                 "",       "width of the gated layer, in widths"),
    PARAM_SIZES(TabParams, multiples,  "multiples",  "4,2", 1, 64,              "inputs", "widths of the mlp's layers, in multiples of its inputs"),
    PARAM_PICK (TabParams, activation, "activation", ACT_RELU, activation_names,          "of the mlp"),
    // clang-format on
    PARAM_END,
};

static Node *tokens(Graph *g, const ModelShape *shape, const TabParams *p)
{
    size_t width = (size_t)p->width, own = (size_t)((double)p->width * p->shared + 0.5);
    if (own >= width)
        own = width - 1;
    Node *words = net_embedding(g, shape, (int)(width - own));
    Node *x = graph_sequence(g, "token", &words, 1, width - own, false);
    return own ? graph_places(g, "column", x, own) : x;
}

static Node *blocks(Graph *g, Node *x, const TabParams *p)
{
    const NetBlock block = {.heads = (size_t)p->heads,
                            .factor = p->factor,
                            .gate = ACT_GELU,
                            .attention_dropout = 1,
                            .norm_first = true};
    for (int i = 0; i < p->blocks; i++)
        x = net_block(g, i, x, &block);
    return graph_slice(g, x, 0, node_tokens(x), true);
}

static void *create(const void *settings, const ModelShape *shape, const ModelSetup *setup,
                    Error *err)
{
    const TabParams *p = settings;
    const NetBlock heads = {.heads = (size_t)p->heads};
    if (!net_block_check(&heads, (size_t)p->width, err))
        return NULL;
    Graph *g = graph_create(setup->seed);
    Node *parts[2];
    size_t n = 0;
    if (shape->codes)
        parts[n++] = blocks(g, tokens(g, shape, p), p);
    if (shape->dense)
        parts[n++] = graph_layernorm(g, "numbers", graph_input(g, shape->dense), (Tail){0});
    Node *x = n == 1 ? parts[0] : graph_concat(g, parts, n);
    size_t inputs = node_width(x);
    for (int i = 0; i < p->multiples.count; i++) {
        char name[32];
        snprintf(name, sizeof name, "hidden.%d", i);
        x = graph_dense(g, name, x, inputs * (size_t)p->multiples.at[i],
                        (Tail){.act = (Activation)p->activation, .dropout = true});
    }
    return net_create(g, graph_dense(g, "head", x, shape->outputs, (Tail){0}), shape, setup, err);
}

const ModelFamily tab_transformer_family = {
    .name = "tab_transformer",
    .title = "TabTransformer",
    .about =
        "Category columns as tokens that look at each other, then an mlp with the numbers beside.",
    .source = "Huang et al. 2020, arXiv:2012.06678",
    .params = params,
    .params_size = sizeof(TabParams),
    .normals = "lr=0.0003 batch=256 epochs=60 patience=10 optimizer=adamw weight_decay=0.00001 "
               "dropout=0.1 schedule=cosine",
    .create = create,
    NET_CALLBACKS,
};
