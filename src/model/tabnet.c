/* tabnet.c -- steps that each look at a few columns, and say which (Arik and Pfister 2019):
 *
 *     x = batchnorm(inputs);   [d, a] = transform(x);   prior = 1
 *     each step:  mask = sparsemax(prior * norm(dense(a)));   prior *= gamma - mask
 *                 [d, a] = transform(mask * x);   sum += relu(d)
 *     dense(sum)
 *
 * transform: gated dense layers, the first ones with weights that all steps share, each behind the
 * first added to what it was given and scaled by sqrt(1/2). Norms are over ghost batches.
 *
 * Pre-training (pretrain=EPOCHS) hides a share of the inputs and learns to fill them in from what the steps
 * decide, without labels; the layers up to there are then where training begins:
 *
 *     x = batchnorm(inputs);   S = 1 where hidden;   encode (1 - S) x with prior 1 - S
 *     guess = dense(sum of transform(relu(d)));      loss: mean of (guess - x)^2 where hidden */
#include "model_int.h"

#include <math.h>
#include <stdio.h>

typedef struct TabnetParams {
    int decision, attention, steps, shared, own;
    double gamma, sparsity;
    int embedding, pretrain;
    double hide;
} TabnetParams;

static const Param params[] = {
    /*          field                      name         default, range            unit       help */
    // clang-format off
    PARAM_INT (TabnetParams, decision,    "decision",   8, 1, 1024,              "units",   "width of what a step decides with (n_d)"),
    PARAM_INT (TabnetParams, attention,   "attention",  8, 1, 1024,              "units",   "width of what chooses the next step's columns (n_a)"),
    PARAM_INT (TabnetParams, steps,       "steps",      3, 1, 16,                "steps",   "looks at the columns, one after the other"),
    PARAM_INT (TabnetParams, shared,      "shared",     2, 1, 8,                 "layers",  "gated layers whose weights all steps share"),
    PARAM_INT (TabnetParams, own,         "own",        2, 0, 8,                 "layers",  "gated layers of each step's own"),
    PARAM_REAL(TabnetParams, gamma,       "gamma",      1.3, 1, 2,               "",        "how freely a column is looked at again; 1: in one step only"),
    PARAM_REAL(TabnetParams, sparsity,    "sparsity",   0.001, 0, 1,             "",        "weight of the masks' entropy in the loss; more: fewer columns a step"),
    PARAM_INT (TabnetParams, embedding,   "embedding",  1, 0, 1024,              "numbers", "numbers a category becomes; 0: by how many categories there are"),
    PARAM_INT (TabnetParams, pretrain,    "pretrain",   0, 0, 100000,            "epochs",  "learns first, without labels, to fill in hidden inputs; rows without a target take part"),
    PARAM_REAL(TabnetParams, hide,        "hide",       .2, .01, .95,            "",        "pretrain: share of the inputs that is hidden"),
    // clang-format on
    PARAM_END,
};

typedef struct Builder {
    Graph *g;
    const TabnetParams *p;
    const char *prefix; /* of the layers' names */
    Node *shared[8];    /* the dense layers whose weights are used again */
} Builder;

#define STEPS_MOST 16

typedef struct Name {
    char text[40];
} Name;

static Name name_of(const Builder *b, int step, const char *part, int layer)
{
    Name n;
    if (step < 0)
        snprintf(n.text, sizeof n.text, "%sfirst.%s.%d", b->prefix, part, layer);
    else
        snprintf(n.text, sizeof n.text, "%sstep.%d.%s.%d", b->prefix, step, part, layer);
    return n;
}

/* gate(norm(dense(x))), the dense layer shared by all steps or the step's own */
static Node *gated(Builder *b, int step, int layer, Node *x)
{
    size_t width = 2 * (size_t)(b->p->decision + b->p->attention);
    Node *y;
    if (layer >= b->p->shared)
        y = graph_dense(b->g, name_of(b, step, "dense", layer).text, x, width, (Tail){0});
    else if (b->shared[layer])
        y = graph_dense_again(b->g, b->shared[layer], x, (Tail){0});
    else
        y = b->shared[layer] =
            graph_dense(b->g, name_of(b, -1, "shared", layer).text, x, width, (Tail){0});
    y = graph_ghostnorm(b->g, name_of(b, step, "norm", layer).text, y);
    return graph_gate(b->g, y, ACT_SIGMOID, false);
}

static Node *transform(Builder *b, int step, Node *x)
{
    x = gated(b, step, 0, x);
    for (int i = 1; i < b->p->shared + b->p->own; i++)
        x = graph_affine(b->g, graph_add(b->g, x, gated(b, step, i, x)), sqrt(0.5), 0);
    return x;
}

static Node *mask_of(Builder *b, int step, Node *asks, Node *prior, size_t width)
{
    Node *z = graph_dense(b->g, name_of(b, step, "mask", 0).text, asks, width, (Tail){0});
    z = graph_ghostnorm(b->g, name_of(b, step, "mask.norm", 0).text, z);
    if (prior)
        z = graph_product(b->g, z, prior);
    return graph_entropy(b->g, graph_sparsemax(b->g, z), b->p->sparsity / b->p->steps);
}

/* What each step decides, [decision] each. prior: which inputs may be looked at; NULL: all. */
static void encode(Builder *b, Node *x, Node *prior, Node **decided)
{
    Graph *g = b->g;
    size_t d = (size_t)b->p->decision, a = (size_t)b->p->attention;
    Node *asks = graph_part(g, transform(b, -1, x), d, a);
    for (int i = 0; i < b->p->steps; i++) {
        Node *mask = mask_of(b, i, asks, prior, node_width(x));
        Node *rest = graph_affine(g, mask, -1, b->p->gamma);
        prior = prior ? graph_product(g, prior, rest) : rest;
        Node *y = transform(b, i, graph_product(g, mask, x));
        decided[i] = graph_activate(g, graph_part(g, y, 0, d), (Tail){.act = ACT_RELU});
        asks = graph_part(g, y, d, a);
    }
}

static Node *sum_of(Graph *g, Node *const *x, int n)
{
    Node *sum = x[0];
    for (int i = 1; i < n; i++)
        sum = graph_add(g, sum, x[i]);
    return sum;
}

static Node *inputs(Builder *b, const ModelShape *shape)
{
    return graph_batchnorm(b->g, "inputs", net_inputs(b->g, shape, b->p->embedding), (Tail){0});
}

static void *net_of(const TabnetParams *p, const ModelShape *shape, const ModelSetup *setup,
                    Error *err)
{
    Builder b = {.g = graph_create(setup->seed), .p = p, .prefix = ""};
    Node *decided[STEPS_MOST];
    encode(&b, inputs(&b, shape), NULL, decided);
    Node *sum = sum_of(b.g, decided, p->steps);
    return net_create(b.g, graph_dense(b.g, "head", sum, shape->outputs, (Tail){0}), shape, setup,
                      err);
}

/* The same layers with a decoder instead of the head: a transform a step, and a dense layer of their sum. */
static void *before_of(const TabnetParams *p, const ModelShape *shape, const ModelSetup *setup,
                       Error *err)
{
    TabnetParams decoder = *p;
    decoder.shared = decoder.own = 1;
    Builder b = {.g = graph_create(setup->seed), .p = p, .prefix = ""};
    Builder back = {.g = b.g, .p = &decoder, .prefix = "decoder."};
    ModelShape without = *shape;
    ModelSetup own = *setup;
    without.task = TASK_REGRESSION;
    without.outputs = 1;
    without.classes = 0;
    without.log_link = false;
    own.loss = LOSS_SQUARED + 1;
    own.class_weight = NULL;
    own.freeze = NULL;
    Node *x = inputs(&b, shape), *decided[STEPS_MOST];
    Node *hidden = graph_hidden(b.g, node_width(x), p->hide),
         *seen = graph_affine(b.g, hidden, -1, 1);
    encode(&b, graph_product(b.g, x, seen), seen, decided);
    for (int i = 0; i < p->steps; i++)
        decided[i] = transform(&back, i, decided[i]);
    Node *guess =
        graph_dense(b.g, "decoder.out", sum_of(b.g, decided, p->steps), node_width(x), (Tail){0});
    return net_create(b.g, graph_missed(b.g, guess, x, hidden), &without, &own, err);
}

static void *create(const void *settings, const ModelShape *shape, const ModelSetup *setup,
                    Error *err)
{
    const TabnetParams *p = settings;
    void *net = net_of(p, shape, setup, err);
    bool two = setup->pretrains && p->pretrain > 0;
    void *before = net && two ? before_of(p, shape, setup, err) : NULL;
    if (net && (before || !two))
        return net_pair_create(net, before, setup->batch_most);
    net_destroy(net);
    return NULL;
}

static int pretrains(const void *settings)
{
    return ((const TabnetParams *)settings)->pretrain;
}

const ModelFamily tabnet_family = {
    .name = "tabnet",
    .title = "TabNet",
    .about = "Looks at a few columns at a time, in steps, and learns which.",
    .source = "Arik and Pfister 2019, arXiv:1908.07442",
    .params = params,
    .params_size = sizeof(TabnetParams),
    .normals = "lr=0.02 batch=512 epochs=200 patience=30 optimizer=adam weight_decay=0 "
               "dropout=0 schedule=cosine",
    .pretrains = pretrains,
    .create = create,
    NET_PAIR_CALLBACKS,
};
