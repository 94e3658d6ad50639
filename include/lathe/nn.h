/* nn.h -- static graphs of float32 tensors: built once, planned once, then stepped.
 *
 * A Graph is a list of nodes, each made by one registered operator (src/nn/op_*.c) from earlier
 * nodes. graph_plan lays everything out for the largest batch; after it a step allocates nothing,
 * takes no lock and makes no system call (with products=own; the libraries lock and allocate inside).
 *
 *     Graph *g = graph_create(seed);
 *     Node *x = graph_input(g, 16);
 *     x = graph_dense(g, "hidden.0", x, 128, (Tail){.act = ACT_RELU, .dropout = true});
 *     x = graph_dense(g, "head", x, 1, (Tail){0});
 *     GraphPlan plan = {.loss = LOSS_SQUARED, .optimizer = OPTIMIZER_ADAMW, .rows_most = 256};
 *     if (!graph_plan(g, x, &plan, &err))
 *         die(&err);
 *     graph_step(g, &feed, &knobs, &stats);        // forward, backward, update
 *     graph_predict(g, &feed, out);                // [rows][outputs]
 *     graph_destroy(g);
 *
 * How a step runs. The rows of a batch are cut into shards; how many depends on the number of rows
 * alone. The shards of a stage run on the pool, each with its own block of gradients; the blocks are
 * added in the order of the shards while the optimiser's update is made. Operators that need all
 * rows (batch normalisation) end a stage: every shard leaves its part, the parts are joined in
 * order, the next stage goes on. Dropout masks are a hash of (seed, step, layer, element). So a seed
 * gives the same bits on any number of threads, and nothing but the step count, the tensors and the
 * moments has to be saved for the next step to be the same bits.
 *
 *     batch   | shard 0 | shard 1 | ... |          stage 1: forward .. batchnorm's sums
 *                  \        /                      join
 *             | shard 0 | shard 1 | ... |          stage 2: forward .. loss .. backward ..
 *                  \        /
 *     gradient   sum in order -> norm -> update    in pieces of the parameter block
 *
 * A chain of dense layers, normalised over the batch or not, steps small batches another way: each of two
 * halves has half of the columns of every layer, with the gradient and the moments of its weights, and what
 * it sends the other is activations (src/nn/halves.c). The net's shape and the rows decide which way a step
 * is made, never the threads.
 *
 * A value is [rows][tokens][width], row-major without padding; tokens is 1 outside of sequences.
 * Weights of a dense layer are [in][out]: the forward product and the weight gradient both run
 * along a row.
 */
#ifndef LATHE_NN_H
#define LATHE_NN_H

#include <lathe/base.h>

typedef struct Graph Graph;
typedef struct Node Node; /* owned by its graph */

/* ---- lists ------------------------------------------------------------------------------------ */

#define ACTIVATIONS(X) /* enum, name */ \
    X(NONE, "none")                     \
    X(RELU, "relu")                     \
    X(GELU, "gelu")                     \
    X(SILU, "silu")                     \
    X(TANH, "tanh")                     \
    X(ELU, "elu")                       \
    X(LEAKY, "leaky-relu")              \
    X(SIGMOID, "sigmoid")
#define AS_ENUM(name, text) ACT_##name,
typedef enum Activation { ACTIVATIONS(AS_ENUM) ACT_COUNT } Activation;
#undef AS_ENUM
extern const char *const activation_names[]; /* NULL-ended, by Activation */

/* Each row of a loss has a weight w (row weight times class weight); the loss of a batch is
 * sum(w l) / sum(w). */
#define LOSSES(X) /* enum, name, what it fits, formula for output o and target y */            \
    X(SQUARED, "squared", LOSS_FITS_NUMBER, "(o - y)^2")                                         \
    X(ABSOLUTE, "absolute", LOSS_FITS_NUMBER, "|o - y|")                                         \
    X(HUBER, "huber", LOSS_FITS_NUMBER, "(o - y)^2 / 2 within delta, else linear")               \
    X(QUANTILE, "quantile", LOSS_FITS_NUMBER, "max(q (y - o), (q - 1) (y - o))")                 \
    X(LOGISTIC, "logistic", LOSS_FITS_TWO, "log(1 + exp(-o)) for y = 1, log(1 + exp(o)) for 0")  \
    X(SOFTMAX, "softmax", LOSS_FITS_CLASSES, "-log softmax(o)[y]")                               \
    X(POISSON, "poisson", LOSS_FITS_RATE, "e^o - y o")                                           \
    X(GAMMA, "gamma", LOSS_FITS_RATE, "y e^-o + o")                                              \
    X(TWEEDIE, "tweedie", LOSS_FITS_RATE, "e^((2-p) o) / (2-p) - y e^((1-p) o) / (1-p)") \
    X(QUANTILES, "quantiles", LOSS_FITS_SERIES, "mean over targets and levels of max(q (y - o), (q - 1) (y - o))")
/* RATE: a number from 0 up, whose mean the output is the logarithm of. SERIES: several targets a row, each
 * with an output a level q. */
typedef enum LossFits { LOSS_FITS_NUMBER = 1, LOSS_FITS_TWO = 2, LOSS_FITS_CLASSES = 4, LOSS_FITS_RATE = 8,
                        LOSS_FITS_SERIES = 16 } LossFits;
#define AS_ENUM(name, text, fits, about) LOSS_##name,
typedef enum LossKind { LOSSES(AS_ENUM) LOSS_COUNT } LossKind;
#undef AS_ENUM

#define OPTIMIZERS(X) /* enum, name, moments kept a weight */ \
    X(SGD, "sgd", 1)     /* momentum; weight decay in the gradient */ \
    X(ADAM, "adam", 2)   /* Kingma and Ba 2015; weight decay in the gradient */ \
    X(ADAMW, "adamw", 2) /* Loshchilov and Hutter 2019: decay of the weight itself */
#define AS_ENUM(name, text, moments) OPTIMIZER_##name,
typedef enum OptimizerKind { OPTIMIZERS(AS_ENUM) OPTIMIZER_COUNT } OptimizerKind;
#undef AS_ENUM

/* Who multiplies matrices. One choice for all products of a graph with more than one column, made by the
 * user and never by timing, since it decides the bits: within one choice they are the same on any number of
 * threads. Only the own kernels give a row scored alone the bits it has among others. */
#define PRODUCTS(X) /* enum, name */ \
    X(OWN, "own")           /* kernels of this room */ \
    X(OPENBLAS, "openblas") \
    X(ONEDNN, "onednn")     /* where it was found when lathe was built */
#define AS_ENUM(name, text) PRODUCTS_##name,
typedef enum Products { PRODUCTS(AS_ENUM) PRODUCTS_COUNT } Products;
#undef AS_ENUM
extern const char *const products_names[]; /* NULL-ended, by Products */

/* What products are multiplied in. bf16: both sides rounded to 8 bits of mantissa, summed in float32;
 * weights, moments and all else stay float32. */
#define PRECISIONS(X) X(FLOAT32, "float32") X(BF16, "bf16")
#define AS_ENUM(name, text) PRECISION_##name,
typedef enum Precision { PRECISIONS(AS_ENUM) PRECISION_COUNT } Precision;
#undef AS_ENUM
extern const char *const precision_names[];

bool products_there(Products p, Precision as, Error *err); /* false: one line says what is missing */
void products_about(Products p, Precision as, Text *into); /* version, and what it takes the processor for */
/* GFLOP/s measured: the best of products of `side` cubed, one a thread, over so many seconds. */
double products_rate(Products p, Precision as, size_t side, double seconds, Pool *pool);

/* ---- losses on their own ------------------------------------------------------------------------ */

typedef struct LossJob {
    const float *out, *target, *weight; /* [rows][width], [rows], [rows] or NULL */
    const float *class_weight;          /* [classes] by target, or NULL */
    size_t rows, width;
    float delta, quantile, power;       /* huber, quantile, tweedie */
    const float *level; size_t levels;  /* quantiles: then target is [rows][width / levels], NaN: none */
    float scale;                        /* of the gradient: 1 / sum of weights */
    float *grad;                        /* [rows][width], overwritten; NULL: value only */
} LossJob;

typedef struct Loss {
    const char *name, *about;
    unsigned fits;                      /* LossFits */
    double (*sum)(const LossJob *job);  /* sum of w l over the rows, in order */
} Loss;
extern const Loss losses[LOSS_COUNT];
double loss_weight_sum(const LossJob *job); /* sum of w */

/* ---- building ------------------------------------------------------------------------------------ */

/* What may be fused behind an operator: activation, then dropout (at the step's rate). */
typedef struct Tail { Activation act; bool dropout; } Tail;

Graph *graph_create(uint64_t seed);
void   graph_destroy(Graph *g);

/* The names of parameters are NAME.weight, NAME.bias, ...; a name is used once. */
Node *graph_input(Graph *g, size_t width);                   /* the feed's dense part; made once */
Node *graph_dense(Graph *g, const char *name, Node *x, size_t out, Tail tail); /* x w + b */
Node *graph_dense_again(Graph *g, const Node *first, Node *x, Tail tail); /* the weights of another dense */
Node *graph_batchnorm(Graph *g, const char *name, Node *x, Tail tail);  /* over all rows of the batch */
Node *graph_ghostnorm(Graph *g, const char *name, Node *x);  /* the same over some 128 rows each */
Node *graph_layernorm(Graph *g, const char *name, Node *x, Tail tail);  /* over the width */
Node *graph_activate(Graph *g, Node *x, Tail tail);
Node *graph_concat(Graph *g, Node *const *x, size_t n);      /* along the width */
Node *graph_add(Graph *g, Node *a, Node *b);                 /* same shape */
/* The feed's codes through one table a column: [E0[c0], E1[c1], ...], column i of size[i] numbers. */
Node *graph_embed(Graph *g, const char *name, const int32_t *cardinality, const size_t *size, size_t codes);
/* The same, added up: sum of Ei[ci], each of `width` numbers, which begin at zero. */
Node *graph_embed_sum(Graph *g, const char *name, const int32_t *cardinality, size_t codes, size_t width);
/* A number a pair of codes: of each two columns that make at most `pairs_most` pairs, a table by both
 * codes, summed as above. NULL if there are no such two columns. */
Node *graph_embed_pairs(Graph *g, const char *name, const int32_t *cardinality, size_t codes,
                        size_t width, size_t pairs_most);
/* Tokens. A number times a vector of its own: [width] -> [width tokens][size], no bias. */
Node *graph_token(Graph *g, const char *name, Node *x, size_t size);
/* Tokens of `size` numbers one after the other, each with a bias of its place: whole rows of the x are
 * cut into tokens. front: a token that is its bias alone comes first (CLS). */
Node *graph_sequence(Graph *g, const char *name, Node *const *x, size_t n, size_t size, bool front);
/* Beside each token a vector of its place: [width] -> [width + size]. */
Node *graph_places(Graph *g, const char *name, Node *x, size_t size);
/* `count` tokens from `first` on, as tokens or, flat, side by side as one. */
Node *graph_slice(Graph *g, Node *x, size_t first, size_t count, bool flat);
/* softmax(q k' / sqrt(width / heads)) v by heads; dropout of the softmax at `dropout` times the step's
 * rate. q may have other tokens than k and v. */
Node *graph_attention(Graph *g, const char *name, Node *q, Node *k, Node *v, size_t heads,
                      double dropout);
Node *graph_gate(Graph *g, Node *x, Activation act, bool dropout); /* a act(b) of x = [a, b] */
/* What chooses: number by number unless said. */
Node *graph_affine(Graph *g, Node *x, double scale, double shift); /* scale x + shift */
Node *graph_product(Graph *g, Node *a, Node *b);             /* a b, same shape */
Node *graph_part(Graph *g, Node *x, size_t first, size_t count); /* columns of each token */
Node *graph_sparsemax(Graph *g, Node *x);                    /* over the width: not negative, sums to 1 */
/* x itself; each step's gradient gains that of rate times the mean entropy of a row. */
Node *graph_entropy(Graph *g, Node *x, double rate);
/* Learning without labels: 1 for a share of the numbers a row, else 0; and what a guess of those misses,
 * the root of its mean square, one number a row. No gradient goes into the truth. */
Node *graph_hidden(Graph *g, size_t width, double rate);
Node *graph_missed(Graph *g, Node *guess, Node *truth, Node *hidden_ones);
/* Rows that are windows of a series: steps are tokens, [groups][steps]. op_series.c, op_each.c. */
typedef struct GraphVariable { size_t at, stride, width; } GraphVariable; /* floats at + step stride .. */
/* A vector of `size` a variable and step: its floats times weights of its own. */
Node *graph_variables(Graph *g, const char *name, Node *x, const GraphVariable *v, size_t count, size_t steps, size_t size);
Node *graph_turn(Graph *g, Node *x, size_t groups);          /* [groups][steps][w] -> [steps][groups w] */
Node *graph_select(Graph *g, const char *name, Node *scores, Node *x); /* softmax(scores) over the groups of x */
Node *graph_spread(Graph *g, Node *x, size_t steps);         /* one token as many */
Node *graph_chain(Graph *g, Node *const *x, size_t n);       /* tokens one after the other */
/* A dense layer, and a layer norm of a + b, with weights for each group of steps. */
Node *graph_each(Graph *g, const char *name, Node *x, size_t groups, size_t out, Tail tail);
Node *graph_addnorm(Graph *g, const char *name, Node *a, Node *b, size_t groups);
/* [h, c] of each step; begin, [1][h, c], or NULL: zeros. */
Node *graph_lstm(Graph *g, const char *name, Node *x, Node *begin, size_t size);
/* Attention whose heads share the values v, averaged; the queries are the last of the keys' steps and see
 * none after their own. */
Node *graph_watch(Graph *g, const char *name, Node *q, Node *k, Node *v, size_t heads, double dropout);
size_t node_tokens(const Node *n);
size_t node_width(const Node *n);                            /* numbers a token */

/* ---- planning -------------------------------------------------------------------------------------- */

typedef struct GraphPlan {
    LossKind loss;
    float huber_delta, quantile, tweedie_power; /* 0: 1.0, 0.5 and 1.5 */
    const float *level; size_t levels; /* loss quantiles: [levels], copied */
    const float *class_weight;      /* [outputs, 2 for logistic], copied; or NULL */
    OptimizerKind optimizer;
    double beta1, beta2, epsilon;   /* all 0: 0.9, 0.999, 1e-8 */
    size_t rows_most;               /* rows of the largest batch */
    Pool *pool;                     /* borrowed; NULL: the caller alone */
    Products products;              /* that are there, see products_there */
    Precision precision;            /* of a step's products */
    Team *team;                     /* NULL: alone; see graph_step */
    bool predicts;                  /* it will make no step: no memory for gradients and moments */
} GraphPlan;

/* Steps will leave these layers as they are. layers: "hidden.0,embedding" are the tensors of these names
 * and all below them; "all"; "-head" takes some out again. Before graph_plan. An unknown layer, or
 * nothing left to learn, is an error. */
bool graph_freeze(Graph *g, const char *layers, Error *err);
bool layers_have(const char *layers, const char *tensor);
/* Lays out memory and initialises the parameters from the seed. Fails with ERROR_SPACE only. */
bool graph_plan(Graph *g, Node *output, const GraphPlan *plan, Error *err);

/* ---- running ---------------------------------------------------------------------------------------- */

typedef struct GraphFeed {
    size_t rows;                    /* at most rows_most for a step; any number for predicting */
    const float *dense;             /* [rows][width of the input] */
    const int32_t *code;            /* [rows][codes] */
    const float *target, *weight;   /* [rows] (quantiles: [rows][outputs / levels]); weight may be NULL */
} GraphFeed;

typedef struct GraphKnobs {
    double lr, weight_decay, momentum, dropout, clip; /* clip: largest gradient norm; 0: none */
} GraphKnobs;

typedef struct GraphStats {
    double loss;                    /* of the batch, before the update */
    double grad_norm;               /* before clipping */
    bool finite;
    char layer[64];                 /* where the first NaN or infinity is, "" if finite */
    size_t bad;                     /* rows of the batch that have it there; 0: all, or not of a row */
    uint32_t bad_row[8];            /* the first of them */
} GraphStats;

/* What a layer's numbers were in the step just made: its output over the batch, or the gradient of one of
 * its tensors, before clipping. */
#define LAYER_BINS 16
typedef struct LayerStats {
    char name[64];
    bool gradient;
    size_t count;                   /* numbers that are finite */
    size_t broken;                  /* others */
    double mean, deviation, zero;   /* zero: share that is exactly 0 */
    double least, most;
    uint32_t bin[LAYER_BINS];       /* from least to most, in even steps */
} LayerStats;

/* A loss that is not finite leaves the weights as they were. In a team every member is given the same
 * batch, takes its part of the shards, and all make the same update of the summed gradients; when the team
 * is lost (team_sound), everything is as it was before the step. */
void   graph_step(Graph *g, const GraphFeed *feed, const GraphKnobs *knobs, GraphStats *out);
/* After a step, before anything else is run: layers in order, outputs and gradients. Returns how many
 * there are; at most `most` are written. rows: of that step's batch. */
size_t graph_layers(const Graph *g, size_t rows, LayerStats *out, size_t most);
void   graph_predict(Graph *g, const GraphFeed *feed, float *out); /* [rows][outputs] */
/* After a prediction of `rows` rows, no more than were planned: what select or watch NAME looked at, summed over
 * the rows. sum [groups] or [keys], added to: a row adds 1 in all. false: there is no such node. */
bool   graph_shares(const Graph *g, const char *name, size_t rows, double *sum);
/* Loss and its gradient as one step would see them, nothing updated. gradient: one number a parameter
 * number, in the order of graph_tensors, each tensor from its offset on. */
double graph_gradient(Graph *g, const GraphFeed *feed, double dropout, float *gradient);

/* The graph as it predicts now, as ONNX nodes: the output's value, [rows][outputs]. dense is float
 * [rows][width], codes int64 [rows][codes]; NULL where the graph has none. NULL and the error name an
 * operator that cannot be said in ONNX. */
const char *graph_onnx(const Graph *g, Onnx *o, const char *dense, const char *codes, Error *err);

/* ---- what is kept ------------------------------------------------------------------------------------ */

/* The one table over the parameter block. Rows with `learnt` false are statistics that prediction
 * needs (running mean and variance); they stand behind the learnt ones, without moments. */
typedef struct GraphTensor {
    char name[64];
    size_t rank, shape[4];
    size_t offset, count;           /* floats from the beginning of the block */
    bool learnt, decay;             /* decay: weight decay applies (not to norms and biases) */
    bool frozen;                    /* no step changes it */
} GraphTensor;

size_t graph_tensors(const Graph *g, const GraphTensor **rows);
size_t graph_learnt(const Graph *g);        /* numbers learnt */
/* The parameter block and the moments: to be asked for again after each step, since steps may work on copies. */
float *graph_block(Graph *g);
size_t graph_block_size(const Graph *g);    /* floats */
size_t graph_moments(const Graph *g);       /* blocks of moments, by the optimiser */
float *graph_moment(Graph *g, size_t which); /* laid out as the parameter block, learnt part only */
uint64_t graph_steps(const Graph *g);       /* made so far; keys the dropout, corrects Adam's bias */
void   graph_set_steps(Graph *g, uint64_t steps);

#endif
