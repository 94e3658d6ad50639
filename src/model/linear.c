/* linear.c -- the linear family, the one to copy: o = x w + b + sum of a number a category.
 *
 * Linear, logistic and multinomial regression by the task's loss, fitted by steps like every net. */
#include "model_int.h"

typedef struct LinearParams {
    int unused; /* the run's own hyperparameters are all it needs */
} LinearParams;

static const Param params[] = {PARAM_END};

static void *create(const void *settings, const ModelShape *shape, const ModelSetup *setup,
                    Error *err)
{
    (void)settings;
    Graph *g = graph_create(setup->seed);
    Node *out = NULL, *words = NULL;
    if (shape->dense)
        out = graph_dense(g, "head", graph_input(g, shape->dense), shape->outputs, (Tail){0});
    if (shape->codes)
        words = graph_embed_sum(g, "category", shape->cardinality, shape->codes, shape->outputs);
    if (out && words)
        out = graph_add(g, out, words);
    return net_create(g, out ? out : words, shape, setup, err);
}

const ModelFamily linear_family = {
    .name = "linear",
    .title = "Linear model",
    .about =
        "A weight a column and a number a category: linear, logistic or multinomial regression.",
    .source = "McCullagh and Nelder 1989, Generalized Linear Models",
    .params = params,
    .params_size = sizeof(LinearParams),
    .normals = "lr=0.01 batch=256 epochs=60 patience=10 optimizer=adam weight_decay=0 schedule=cosine",
    .create = create,
    NET_CALLBACKS,
};
