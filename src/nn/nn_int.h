/* nn_int.h -- what the files of this room share: the node, the operator's descriptor, a pass over a
 * shard, and the kernels. Public words are in <lathe/nn.h>. */
#ifndef NN_INT_H
#define NN_INT_H

#include <lathe/nn.h>

#include <assert.h>
#include <math.h>
#include <string.h>

#define SHARDS_MOST 8  /* blocks of gradients; fixed, or the bits would depend on the machine */
#define SHARD_LEAST 32 /* rows worth a shard of their own, for two of them */
#define SHARD_USUAL 64 /* rows a shard before there are SHARDS_MOST */
#define BLOCK_ALIGN 16 /* floats: every tensor begins on a cache line */
#define NODE_PARAMS 4
#define NORM_APART  8    /* doubles: what two threads write lies on lines of its own */
#define APART       2048 /* floats between what two threads write again and again: two pages, since a
                          * core fetches ahead beyond the end of what it reads, and each line that it
                          * takes so costs its owner as much as a hundred multiplications */
#define ADD_BLOCK   512  /* floats in the cache between summing, norm and update */
#define HOMES_MOST  64   /* threads that have a home */
#define HOME_LEARNT (1 << 16) /* floats: of a larger block little would stay in a core's cache anyway */

/* One shard of one batch on its way through the graph. */
typedef struct Pass {
    size_t begin, rows; /* this shard's rows of the batch */
    size_t shard, shards, batch;
    float *gradient; /* the shard's block, laid out as the parameters */
    float *scratch;  /* the worker's own, as large as the hungriest node asked for */
    size_t worker;
    const GraphFeed *feed;
    float dropout; /* 0 when predicting */
    uint64_t key;  /* of the step's dropout masks: seed and step */
    bool learns;   /* a step: running statistics move */
    bool fresh;    /* op->whole: nothing was added yet */
} Pass;

/* The i-th shard of a whole batch. */
Pass pass_shard(const Pass *whole, size_t i);

/* The graph while it is said in ONNX. A value of one token is [rows][width], of more
 * [rows][tokens][width]. */
typedef struct OnnxPass {
    Onnx *onnx;
    const char *dense, *codes; /* the feed: float [rows][dense], int64 [rows][codes] */
} OnnxPass;

/* An operator. Callbacks work on the rows of the pass; `join`s run once, between stages, alone. */
typedef struct Op {
    const char *name, *about;
    void (*prepare)(Node *n); /* once the plan is known, before memory is laid out: what scratch it takes */
    void (*forward)(const Node *n, const Pass *p);
    void (*backward)(const Node *n, const Pass *p); /* adds into parameter gradients */
    /* Operators over all rows: the shards' parts, joined before `forward`; the same backwards. */
    void (*gather)(const Node *n, const Pass *p);
    void (*join)(const Node *n, const Pass *whole);
    void (*gather_back)(const Node *n, const Pass *p);
    void (*join_back)(const Node *n, const Pass *whole);
    void (*infer)(const Node *n, const Pass *p); /* predicting, where it differs from forward */
    /* Parameter gradients made by one task a table over all rows, instead of in `backward`. */
    void (*whole)(const Node *n, const Pass *whole, size_t table);
    bool in_place; /* backward can write the gradient of its one input over its own */
    Node *(*sample)(Graph *g, Node *x); /* a small use of it, for the tests */
    /* What `infer` or `forward` does, as ONNX nodes; x: the inputs' values. NULL: it cannot be said */
    const char *(*onnx)(const Node *n, const OnnxPass *p, const char *const *x);
} Op;

struct Node {
    const Op *op;
    Graph *graph;
    char name[48];
    uint32_t number; /* place in the graph; keys its dropout mask */
    Node **input;
    size_t inputs;
    bool *fresh;          /* [inputs]: backward is the first to write the input's gradient */
    size_t tokens, width; /* a row is [tokens][width] */
    Tail tail;
    bool reached, needs_grad;  /* leads to the output; has parameters at or below it */
    const Node *lent;          /* the one user, in whose place the gradient lies; or NULL */
    bool gated;                /* a relu whose one user, a dense layer, can take its slope along */
    size_t param[NODE_PARAMS]; /* tensors, by the operator's own order */
    size_t params;
    size_t tables;    /* tasks of op->whole */
    const void *attr; /* the operator's own, in the graph's arena */
    /* filled by the plan; [rows_most] rows each */
    float *value, *grad; /* [rows][tokens][width], of each shard `apart` floats behind the one before */
    size_t apart;
    float *save;         /* what backward needs besides, [rows][save_width]; NULL: none */
    size_t save_width;
    float *part; /* [shards + 2][part_width]: parts of the shards, then joined */
    size_t part_width;
    size_t scratch; /* floats a worker needs */
    size_t kept_size; /* floats a worker keeps from shard to shard of a gradient: node_kept */
    float *kept;      /* [threads][BLOCK_ALIGN + kept_size + APART]; NULL: none */
};

typedef struct Work {
    void (*run)(const Node *n, const Pass *p);
    const Node *node;
} Work;
typedef struct Stage {   /* run over the shards, then joined */
    size_t first, count; /* of the program's work */
    void (*join)(const Node *n, const Pass *whole);
    const Node *node;
} Stage;
typedef struct Program {
    VEC(Work) work;
    VEC(Stage) stage;
} Program;

typedef struct Piece {
    size_t offset, count;
    bool decay, whole;
} Piece; /* of the parameter block */
typedef struct UpdateTask {
    size_t first, count;
} UpdateTask; /* pieces */

/* How a tensor begins. */
typedef enum InitKind { INIT_ZERO, INIT_ONE, INIT_UNIFORM } InitKind;
typedef struct TensorPlan {
    InitKind init;
    float bound;
    bool whole;
    size_t last; /* number of the last node that uses it: the first to write its gradient */
} TensorPlan;

typedef struct Halves Halves;

struct Graph {
    uint64_t seed, steps;
    Arena arena;
    VEC(Node *) node;
    VEC(GraphTensor) tensor;
    VEC(TensorPlan) tensor_plan;
    Node *input, *output;
    size_t codes; /* columns of codes in the feed */
    GraphPlan plan;
    size_t learnt, block; /* floats of the learnt part of the block, with padding; of all */
    float *params;        /* [block] */
    float *moments;       /* [moments][learnt] */
    float *gradient;      /* [SHARDS_MOST][gradient_size], learnt of them */
    size_t gradient_size;
    float *memory;        /* values, gradients, saves, parts */
    float *scratch;       /* [threads][scratch_size] */
    uint64_t gradients;   /* made so far: what was kept of an earlier one is old */
    size_t scratch_size;
    Program train, infer;
    VEC(Piece) piece;
    VEC(UpdateTask) task;
    VEC(Work) whole; /* nodes with op->whole */
    double shard_loss[SHARDS_MOST];
    bool summed; /* the last step's gradients lie summed in the first shard's block */
    double *task_norm; /* [tasks][NORM_APART] squares of the gradient in the first */
    float *kept;       /* of workers, see node_kept */
    size_t home[HOMES_MOST + 1], homes; /* thread i updates the floats home[i] .. home[i + 1] */
    float *before;     /* team: running statistics before the step */
    Halves *halves;    /* steps small batches; NULL: nobody */
};

#define OPS(X)                                                                                    \
    X(input) X(dense) X(batchnorm) X(layernorm) X(activate) X(concat) X(add) X(embed) X(token)     \
    X(sequence) X(places) X(slice) X(attention) X(gate) X(affine) X(product) X(part) X(sparsemax)          \
    X(entropy) X(ghostnorm) X(variables) X(turn) X(select) X(spread) X(chain) X(each) X(addnorm)   \
    X(lstm) X(watch) X(hidden) X(missed)
#define AS_EXTERN(name) extern const Op name##_op;
OPS(AS_EXTERN)
#undef AS_EXTERN
extern const Op *const ops[]; /* NULL-ended */

/* ---- graph.c: for the operators' files -------------------------------------------------------- */

Node *graph_node(Graph *g, const Op *op, const char *name, Node *const *x, size_t n, size_t width);
/* A parameter of the node: NAME.what. rank up to 2; bias and norms are not decayed. */
void node_param(Node *n, const char *what, size_t rows, size_t cols, bool decay, InitKind init,
                float bound);
void node_statistic(Node *n, const char *what, size_t count, InitKind init); /* not learnt */
static inline float *node_weights(const Node *n, size_t i)
{
    return n->graph->params + n->graph->tensor.at[n->param[i]].offset;
}
static inline float *node_gradient(const Node *n, const Pass *p, size_t i)
{
    return p->gradient + n->graph->tensor.at[n->param[i]].offset;
}
static inline size_t node_row(const Node *n) /* numbers a row */
{
    return n->tokens * n->width;
}
static inline float *node_value(const Node *n, const Pass *p)
{
    return n->value + p->begin * node_row(n) + p->shard * n->apart;
}
static inline float *node_grad(const Node *n, const Pass *p)
{
    return n->grad + p->begin * node_row(n) + p->shard * n->apart;
}
/* What the worker keeps of this node; *made: by an earlier shard of the same gradient. */
float *node_kept(const Node *n, const Pass *p, bool *made);
static inline float *node_save(const Node *n, const Pass *p)
{
    return n->save + p->begin * n->save_width;
}

/* ---- tail.c: activation and dropout behind an operator ----------------------------------------- */

bool tail_saves(Tail tail); /* backward needs the value before the activation: save_width = row */
/* In place: y = dropout(act(y + b)); bias [width] or NULL; save gets y + b where tail_saves. */
void tail_forward(const Node *n, const Pass *p, float *y, const float *bias);
/* In place: the gradient behind the tail becomes the one before it. */
void tail_backward(const Node *n, const Pass *p, float *dy);
/* The user above has multiplied by the slope of n's relu already. */
static inline bool tail_gated(const Node *n, const Pass *p)
{
    return n->gated && !(n->tail.dropout && p->dropout > 0.0f);
}

/* y [count] = act(y), in place; save, where tail_saves, gets what the slope is read from: else NULL */
void tail_bend(Activation act, float *y, float *save, size_t count);
/* y [n] = act(y), in place; and dy [n] *= act'(z), y being act(z) */
void activation_forward(Activation act, float *y, size_t n);
void activation_backward(Activation act, float *dy, const float *z, const float *y, size_t n);
/* y [count] dropped at `rate`, in place; first: the element's number in the batch, which with the
 * node and the step makes the mask. */
void dropout_apply(const Node *n, const Pass *p, float rate, float *restrict y, size_t first,
                   size_t count);
/* The same of some columns of the pass's rows, at its rate: y [rows][columns] are those from `first` on. */
void dropout_columns(const Node *n, const Pass *p, float *y, size_t first, size_t columns);
/* dy [count] *= the slope of dropout(relu(z)), which was y */
void dropout_relu_backward(float rate, float *restrict dy, const float *restrict y, size_t count);

/* ---- kernels ------------------------------------------------------------------------------------- */

/* Matrix products, row-major without padding (gemm.c). add: onto c, else c is overwritten.
 * scratch: gemm_scratch floats. What is chosen depends on the way and the weights' shape alone. */
typedef struct Way {
    Products products;
    Precision precision;
    const float *home, *home_end; /* of gradients: what this core reads next; NULL: all */
} Way;
size_t gemm_scratch(Way way, size_t in, size_t out);
/* y[m][out] = x[m][in] w[in][out] (+ bias, then relu) */
void gemm_forward(Way way, float *restrict y, const float *restrict x, const float *restrict w,
                  const float *bias, bool relu, size_t m, size_t in, size_t out, float *scratch);
/* dx[m][in] = dy[m][out] w[in][out]', 0 where gate[m][in] is not above 0; gate: NULL, or no add */
void gemm_input(Way way, float *restrict dx, const float *restrict dy, const float *restrict w,
                const float *gate, bool add, size_t m, size_t in, size_t out, float *scratch);
/* y[m][out] = y + x[m][in] w[in][out] (then relu), of own products with small weights */
void gemm_forward_more(float *restrict y, const float *restrict x, const float *restrict w, bool relu,
                       size_t m, size_t in, size_t out, float *scratch);
/* The weights as gemm_input multiplies by them, w' [out][in], for those who do so more than once: floats it
 * takes, 0 where gemm_input takes them as they lie; and gemm_input by them. */
size_t gemm_turned(Way way, size_t in, size_t out);
void gemm_turn(float *restrict turned, const float *restrict w, size_t in, size_t out);
void gemm_input_turned(float *restrict dx, const float *restrict dy, const float *restrict turned,
                       const float *gate, bool add, size_t m, size_t in, size_t out, float *scratch);
/* dw[in][out] = x[m][in]' dy[m][out] */
void gemm_weight(Way way, float *restrict dw, const float *restrict x, const float *restrict dy, bool add,
                 size_t m, size_t in, size_t out, float *scratch);

void products_begin(Products p); /* called by graph_plan */

/* out[n] = or += sum over rows of x[rows][n], in the order of rows */
void column_sums(float *restrict out, const float *restrict x, size_t rows, size_t n, bool add);

/* optimizer.c: one step of `count` weights; t counts from 1 */
typedef struct UpdateJob {
    float *w, *m, *v; /* moments; v unused by sgd */
    const float *g;
    size_t count;
    float lr, decay, momentum, beta1, beta2, epsilon;
    float fix1, fix2; /* 1 / (1 - beta^t) */
    bool away;        /* the weights are read next by other cores too */
} UpdateJob;
extern void (*const optimizer_update[OPTIMIZER_COUNT])(const UpdateJob *job);
extern const size_t optimizer_moments[OPTIMIZER_COUNT];

/* onnx.c: for the operators' own forms */
const char *onnx_param(const Node *n, const OnnxPass *p, size_t i); /* its i-th tensor, as it is now */
const char *onnx_tail(const Node *n, const OnnxPass *p, const char *y);
const char *onnx_activation(Activation act, const OnnxPass *p, const char *x);
/* [rows][tokens][width], or without the middle for one token */
const char *onnx_shape(const OnnxPass *p, const char *x, size_t tokens, size_t width);
const char *onnx_part(const OnnxPass *p, const char *x, int64_t axis, size_t from, size_t to);

/* halves.c, halves_step.c: steps of small batches, the layers cut by columns. graph_plan asks whether the net can
 * be cut so. take: whether this step is to be, by its rows; then weights and moments are in the halves
 * until they are settled, which whoever reads or writes the graph's blocks has to do before. NULL: nothing to do. */
bool halves_plan(Graph *g, Error *err);
void halves_destroy(Halves *h);
bool halves_take(Halves *h, size_t rows);
void halves_settle(Halves *h);
void halves_show(const Halves *h); /* values and gradient of the last step, where those of others lie */
double halves_gradient(Halves *h, const GraphFeed *feed, double dropout); /* the loss; see graph_gradient */
/* The loss; while it is finite the weights move. */
double halves_step(Halves *h, const GraphFeed *feed, const GraphKnobs *knobs, double *norm);

/* plan.c, run.c */
uint64_t graph_mask_key(const Graph *g); /* of the next step's dropout masks: Pass.key */
LossJob graph_loss_job(const Graph *g, const GraphFeed *feed);
UpdateJob graph_update_job(const Graph *g, const GraphKnobs *k); /* of the next step */
double gradient_squares(const float *g, size_t count);
size_t shard_count(size_t rows);
size_t shard_begin(size_t rows, size_t shards, size_t i);
void graph_loss_work(const Node *n, const Pass *p); /* the loss's place in the program */

#endif
