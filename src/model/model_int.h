/* model_int.h -- what the files of this room share: the open model, nets, and tensors as bytes. */
#ifndef MODEL_INT_H
#define MODEL_INT_H

#include <lathe/model.h>
#include <lathe/nn.h>

struct Model {
    const ModelFamily *family;
    void *impl;       /* the family's */
    ModelShape shape; /* own copy */
    ModelSetup setup; /* own copy of class_weight; the pool is borrowed */
    Arena arena;
};

/* auto becomes the task's usual loss; one that does not fit the task is an error. */
bool loss_choose(const ModelShape *shape, int loss, LossKind *out, Error *err);
bool model_xgboost(const Model *m, const BoosterUnits *u, Text *into, Error *err);
size_t shape_classes(const ModelShape *shape); /* entries of class_weight; 0 for regression */

/* ---- net.c: what families built on a Graph have in common ----------------------------------------- */

/* A family's create builds a graph and hands it over with its output; the rest of its callbacks are
 * the net_ functions as they stand. NET_CALLBACKS fills them in. */
typedef struct Net Net;
void *net_create(Graph *takes, Node *output, const ModelShape *shape, const ModelSetup *setup,
                 Error *err);
/* The inputs side by side: dense part and embeddings; rule 0: min(600, round(1.6 n^0.56)) numbers. */
Node *net_inputs(Graph *g, const ModelShape *shape, int embedding);
/* Its second half alone: the codes through a table each. */
Node *net_embedding(Graph *g, const ModelShape *shape, int embedding);
/* A transformer's block: x += attention(norm(x)); x += dense(gate(dense(norm(x)))). net_block.c */
typedef struct NetBlock {
    size_t heads;
    double factor;            /* width of the gated layer, in widths */
    Activation gate;
    double attention_dropout; /* as a multiple of the step's rate */
    bool norm_first;          /* before the attention too */
    size_t queries;           /* only so many of the first tokens ask, and remain; 0: all */
} NetBlock;
bool net_block_check(const NetBlock *b, size_t width, Error *err);
Node *net_block(Graph *g, int number, Node *x, const NetBlock *b);
void net_destroy(void *net);
bool net_step(void *net, const Batch *b, const Knobs *k, StepStats *out, Error *err);
void net_predict(void *net, const Batch *b, float *out);
size_t net_tensors(void *net, const TensorRow **rows, size_t *weights);
json_t *net_state(const void *net);
bool net_restore(void *net, const json_t *state, Error *err);
size_t net_layers(const void *net, size_t rows, LayerStats *out, size_t most);
/* What nodes of the graph look at for these rows, their mean (see graph_shares); a node that is not there
 * leaves 1 in sum[0]: it had one thing to look at. */
typedef struct NetShare { const char *node; double *sum; size_t count; } NetShare;
void net_shares(void *net, const Batch *b, const NetShare *want, size_t n);
const char *net_onnx(void *net, Onnx *o, const char *dense, const char *codes, Error *err);
/* ---- net_pretrain.c: a net, and another over the same layers that learns before it, without labels ---- */

typedef struct NetPair NetPair;
NetPair *net_pair_create(void *takes_net, void *takes_before, size_t batch_most);
void net_pair_destroy(void *pair);
bool net_pair_step(void *pair, const Batch *b, const Knobs *k, StepStats *out, Error *err);
void net_pair_predict(void *pair, const Batch *b, float *out);
size_t net_pair_tensors(void *pair, const TensorRow **rows, size_t *weights);
json_t *net_pair_state(const void *pair);
bool net_pair_restore(void *pair, const json_t *state, Error *err);
size_t net_pair_layers(const void *pair, size_t rows, LayerStats *out, size_t most);
const char *net_pair_onnx(void *pair, Onnx *o, const char *dense, const char *codes, Error *err);
bool net_pair_pretrain(void *pair, const Batch *b, const Knobs *k, StepStats *out, Error *err);
double net_pair_missed(void *pair, const Batch *b);
void net_pair_pretrained(void *pair);
#define NET_PAIR_CALLBACKS                                                                         \
    .destroy = net_pair_destroy, .step = net_pair_step, .predict = net_pair_predict,               \
    .tensors = net_pair_tensors, .state = net_pair_state, .restore = net_pair_restore,             \
    .onnx = net_pair_onnx, .layers = net_pair_layers, .pretrain = net_pair_pretrain,               \
    .missed = net_pair_missed, .pretrained = net_pair_pretrained

/* What the graph's input takes: floats of a row, or of a window of a series. */
size_t net_floats(const ModelShape *shape);
#define NET_CALLBACKS                                                                              \
    .destroy = net_destroy, .step = net_step, .predict = net_predict, .tensors = net_tensors,      \
    .state = net_state, .restore = net_restore, .onnx = net_onnx, .layers = net_layers

/* ---- safetensors.c ---------------------------------------------------------------------------------- */

typedef struct SafeTensor {
    const char *name;  /* borrowed from the SafeFile */
    const char *dtype; /* "F32" */
    size_t rank, shape[8];
    const uint8_t *at; /* inside the bytes that were read; any alignment */
    size_t size;       /* bytes */
} SafeTensor;

typedef struct SafeFile {
    json_t *header;
    const json_t *metadata; /* borrowed; NULL if there is none */
    SafeTensor *tensor;
    size_t count;
} SafeFile;

/* metadata: an object of strings, or NULL. */
bool safetensors_write(const TensorRow *rows, size_t n, const json_t *metadata, Text *into,
                       Error *err);
bool safetensors_read(SafeFile *into, const void *bytes, size_t n,
                      Error *err); /* bytes: borrowed */
void safetensors_release(SafeFile *f);
const SafeTensor *safetensors_find(const SafeFile *f, const char *name);

#endif
