/* resnet.c -- a residual net for tables (Gorishniy et al. 2021):
 *
 *     x = dense(inputs);   blocks times:  x += drop(dense(drop(act(dense(batchnorm(x))))));
 *     head(act(batchnorm(x))) */
#include "model_int.h"

#include <stdio.h>

typedef struct ResnetParams {
    int width, blocks;
    double factor;
    int activation;
    bool residual_dropout;
    int embedding;
} ResnetParams;

static const Param params[] = {
    /*          field                           name                default, range            unit      help */
    // clang-format off
    PARAM_INT (ResnetParams, width,             "width",            192, 1, 8192,             "units",   "numbers a row is carried in from block to block"),
    PARAM_INT (ResnetParams, blocks,            "blocks",           3, 1, 64,                 "blocks",  "residual blocks, one after the other"),
    PARAM_REAL(ResnetParams, factor,            "factor",           2, .1, 16,                "",        "width inside a block, in widths"),
    PARAM_PICK(ResnetParams, activation,        "activation",       ACT_RELU, activation_names,          "what bends the line inside a block"),
    PARAM_BOOL(ResnetParams, residual_dropout,  "residual_dropout", false,                               "dropout also of what a block adds"),
    PARAM_INT (ResnetParams, embedding,         "embedding",        0, 0, 1024,               "numbers", "numbers a category becomes; 0: by how many categories there are"),
    // clang-format on
    PARAM_END,
};

static Node *block(Graph *g, int number, Node *x, const ResnetParams *p)
{
    char name[32];
    size_t width = node_width(x), inside = (size_t)((double)width * p->factor + 0.5);
    snprintf(name, sizeof name, "block.%d.norm", number);
    Node *y = graph_batchnorm(g, name, x, (Tail){0});
    snprintf(name, sizeof name, "block.%d.in", number);
    y = graph_dense(g, name, y, inside ? inside : 1, (Tail){(Activation)p->activation, true});
    snprintf(name, sizeof name, "block.%d.out", number);
    y = graph_dense(g, name, y, width, (Tail){.dropout = p->residual_dropout});
    return graph_add(g, x, y);
}

static void *create(const void *settings, const ModelShape *shape, const ModelSetup *setup,
                    Error *err)
{
    const ResnetParams *p = settings;
    Graph *g = graph_create(setup->seed);
    Node *x = net_inputs(g, shape, p->embedding);
    x = graph_dense(g, "first", x, (size_t)p->width, (Tail){0});
    for (int i = 0; i < p->blocks; i++)
        x = block(g, i, x, p);
    x = graph_batchnorm(g, "norm", x, (Tail){.act = (Activation)p->activation});
    return net_create(g, graph_dense(g, "head", x, shape->outputs, (Tail){0}), shape, setup, err);
}

const ModelFamily resnet_family = {
    .name = "resnet",
    .title = "Residual net",
    .about =
        "Blocks of two dense layers that add to what they were given; deep without getting stuck.",
    .source = "Gorishniy et al. 2021, arXiv:2106.11959",
    .params = params,
    .params_size = sizeof(ResnetParams),
    .normals = "lr=0.001 batch=256 epochs=100 patience=16 optimizer=adamw weight_decay=0.00001 "
               "dropout=0.2 schedule=cosine",
    .create = create,
    NET_CALLBACKS,
};
