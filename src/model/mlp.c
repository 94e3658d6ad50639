/* mlp.c -- the multi-layer perceptron: [dense -> (batch norm) -> activation -> dropout] x layers ->
 * dense, with categories as embeddings beside the numbers. */
#include "model_int.h"

#include <stdio.h>

typedef struct MlpParams {
    ParamSizes hidden;
    int activation;
    bool batchnorm;
    int embedding;
} MlpParams;

static const Param params[] = {
    /*          field                  name         default, range           unit       help */
    // clang-format off
    PARAM_SIZES(MlpParams, hidden,     "hidden",     "256,256", 1, 8192,     "units",   "widths of the hidden layers, from the input on"),
    PARAM_PICK (MlpParams, activation, "activation", ACT_RELU, activation_names,        "what bends the line between layers"),
    PARAM_BOOL (MlpParams, batchnorm,  "batchnorm",  false,                             "normalise each layer over the batch"),
    PARAM_INT  (MlpParams, embedding,  "embedding",  0, 0, 1024,             "numbers", "numbers a category becomes; 0: by how many categories there are"),
    // clang-format on
    PARAM_END,
};

static void *create(const void *settings, const ModelShape *shape, const ModelSetup *setup,
                    Error *err)
{
    const MlpParams *p = settings;
    Graph *g = graph_create(setup->seed);
    Node *x = net_inputs(g, shape, p->embedding);
    const Tail tail = {.act = (Activation)p->activation, .dropout = true};
    for (int i = 0; i < p->hidden.count; i++) {
        char name[32];
        snprintf(name, sizeof name, "hidden.%d", i);
        x = graph_dense(g, name, x, (size_t)p->hidden.at[i], p->batchnorm ? (Tail){0} : tail);
        snprintf(name, sizeof name, "norm.%d", i);
        if (p->batchnorm)
            x = graph_batchnorm(g, name, x, tail);
    }
    return net_create(g, graph_dense(g, "head", x, shape->outputs, (Tail){0}), shape, setup, err);
}

const ModelFamily mlp_family = {
    .name = "mlp",
    .title = "Multi-layer perceptron",
    .about = "Dense layers one after the other; categories as embeddings. The usual first net.",
    .source = "Gorishniy et al. 2021, arXiv:2106.11959",
    .params = params,
    .params_size = sizeof(MlpParams),
    .normals = "lr=0.002 batch=256 epochs=100 patience=16 optimizer=adamw weight_decay=0.0001 "
               "dropout=0.1 schedule=cosine",
    .create = create,
    NET_CALLBACKS,
};
