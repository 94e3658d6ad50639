/* ft_transformer.c -- a transformer whose tokens are the columns (Gorishniy et al. 2021).
 *
 *     tokens   one a number (x w + b), one a category (its vector + b), and CLS, a learnt one, in front
 *     block    x += attention(layernorm(x));  x += dense(gate(dense(layernorm(x))))
 *     head     dense(relu(layernorm(CLS)))
 *
 * The first block's attention has no norm; in the last block CLS alone asks. */
#include "model_int.h"

#include <stdio.h>

typedef struct FtParams {
    int width, blocks, heads;
    double factor, attention_dropout;
    int activation;
} FtParams;

static const Param params[] = {
    /*          field                        name                 default, range             unit      help */
    // clang-format off
    PARAM_INT (FtParams, width,             "width",             192, 1, 8192,              "units",  "numbers a token; a multiple of heads"),
    PARAM_INT (FtParams, blocks,            "blocks",            3, 1, 64,                  "blocks", "blocks of attention and gated layer"),
    PARAM_INT (FtParams, heads,             "heads",             8, 1, 256,                 "heads",  "ways in which tokens look at each other"),
    PARAM_REAL(FtParams, factor,            "factor",            1.3333333333333333, .1, 16, "",      "width of the gated layer, in widths"),
    PARAM_PICK(FtParams, activation,        "activation",        ACT_RELU, activation_names,          "of the gate: relu is ReGLU, gelu is GEGLU"),
    PARAM_REAL(FtParams, attention_dropout, "attention_dropout", 2, 0, 10,                  "",       "dropout of the attention, as a multiple of dropout"),
    // clang-format on
    PARAM_END,
};

static Node *tokens(Graph *g, const ModelShape *shape, size_t width)
{
    Node *parts[2];
    size_t n = 0;
    if (shape->dense)
        parts[n++] = graph_token(g, "number", graph_input(g, shape->dense), width);
    if (shape->codes)
        parts[n++] = net_embedding(g, shape, (int)width);
    return graph_sequence(g, "token", parts, n, width, true);
}

static void *create(const void *settings, const ModelShape *shape, const ModelSetup *setup,
                    Error *err)
{
    const FtParams *p = settings;
    const NetBlock block = {.heads = (size_t)p->heads,
                            .factor = p->factor,
                            .gate = (Activation)p->activation,
                            .attention_dropout = p->attention_dropout};
    if (!net_block_check(&block, (size_t)p->width, err))
        return NULL;
    Graph *g = graph_create(setup->seed);
    Node *x = tokens(g, shape, (size_t)p->width);
    for (int i = 0; i < p->blocks; i++) {
        NetBlock b = block;
        b.norm_first = i > 0;
        b.queries = i + 1 == p->blocks ? 1 : 0;
        x = net_block(g, i, x, &b);
    }
    x = graph_slice(g, x, 0, 1, true);
    x = graph_layernorm(g, "norm", x, (Tail){.act = (Activation)p->activation});
    return net_create(g, graph_dense(g, "head", x, shape->outputs, (Tail){0}), shape, setup, err);
}

const ModelFamily ft_transformer_family = {
    .name = "ft_transformer",
    .title = "FT-Transformer",
    .about = "Columns as tokens that look at each other; slower than an mlp, often better.",
    .source = "Gorishniy et al. 2021, arXiv:2106.11959",
    .params = params,
    .params_size = sizeof(FtParams),
    .normals = "lr=0.0001 batch=256 epochs=100 patience=16 optimizer=adamw weight_decay=0.00001 "
               "dropout=0.1 schedule=constant numbers=normal",
    .create = create,
    NET_CALLBACKS,
};
