/* op_norm.c -- batch normalisation over the rows of the batch, layer normalisation over a row.
 *
 *     xhat = (x - mean) / sqrt(var + 1e-5)     y = tail(gamma xhat + beta)
 *
 * Batch normalisation needs all rows: every shard leaves mean and squared deviations of its own rows,
 * joined in order by Chan's formula (Chan, Golub, LeVeque 1983); backwards it leaves its two sums.
 * Prediction uses running statistics (momentum 0.1, variance with n - 1), as PyTorch does. */
#include "norm.h"
#include "vector.h"

/* ---- batch normalisation -------------------------------------------------------------------------- */

/* part of shard s: [2][width]; behind them what was joined: forward, then backward */
static float *part_of(const Node *n, size_t i)
{
    return n->part + i * n->part_width;
}
#define JOINED      SHARDS_MOST       /* mean, 1 / deviation */
#define JOINED_BACK (SHARDS_MOST + 1) /* sum of dz, sum of dz xhat */

#define ROWS_IN_CACHE 32 /* rows read twice: for their sum, then around their mean */

/* Mean and squares of the shard, its blocks joined as the shards are. */
static void gather(const Node *n, const Pass *p)
{
    size_t width = n->width;
    const float *x = node_value(n->input[0], p);
    float *restrict mean = part_of(n, p->shard), *restrict square = mean + width;
    float *restrict m = p->scratch, *restrict q = m + width;
    for (size_t from = 0, rows; from < p->rows; from += rows) {
        rows = p->rows - from < ROWS_IN_CACHE ? p->rows - from : ROWS_IN_CACHE;
        if (from == 0) {
            norm_moments(mean, square, x, rows, width);
            continue;
        }
        norm_moments(m, q, x + from * width, rows, width);
        float share = (float)rows / (float)(from + rows), both = share * (float)from;
        for (size_t k = 0; k < width; k++) {
            float apart = m[k] - mean[k];
            mean[k] += apart * share;
            square[k] += q[k] + apart * apart * both;
        }
    }
}

#define COLUMNS 64 /* joined side by side */

/* The shards' means and squares of columns k .. k + count, in order. */
static void join_columns(const Node *n, const Pass *p, size_t k, size_t count,
                         double mean[COLUMNS], double square[COLUMNS])
{
    double rows = 0;
    for (size_t s = 0; s < p->shards; s++) {
        const float *restrict m = part_of(n, s) + k, *restrict q = m + n->width;
        double more = (double)(shard_begin(p->batch, p->shards, s + 1) -
                               shard_begin(p->batch, p->shards, s));
        double share = more / (rows + more), both = share * rows;
        for (size_t i = 0; i < count; i++) {
            double apart = (double)m[i] - mean[i];
            square[i] += (double)q[i] + apart * apart * both;
            mean[i] += apart * share;
        }
        rows += more;
    }
}

static void join(const Node *n, const Pass *p)
{
    float *mean_out = part_of(n, JOINED), *scale_out = mean_out + n->width;
    float *running_mean = node_weights(n, RUNNING_MEAN),
          *running_var = node_weights(n, RUNNING_VAR);
    bool frozen = n->graph->tensor.at[n->param[RUNNING_MEAN]].frozen;
    double rows = (double)p->batch;
    for (size_t from = 0; from < n->width; from += COLUMNS) {
        size_t count = n->width - from < COLUMNS ? n->width - from : COLUMNS;
        double mean[COLUMNS] = {0}, square[COLUMNS] = {0};
        join_columns(n, p, from, count, mean, square);
        for (size_t i = 0; i < count; i++) {
            mean_out[from + i] = (float)mean[i];
            scale_out[from + i] = (float)(1.0 / sqrt(square[i] / rows + (double)NORM_EPSILON));
        }
        for (size_t i = 0; p->learns && !frozen && i < count; i++) {
            norm_move(&running_mean[from + i], mean[i]);
            norm_move(&running_var[from + i], square[i] / (rows > 1 ? rows - 1 : 1));
        }
    }
}

static void normalise(const Node *n, const Pass *p, const float *mean, const float *deviate)
{
    float *scale = p->scratch, *shift = p->scratch + n->width;
    const float *gamma = node_weights(n, GAMMA), *beta = node_weights(n, BETA);
    for (size_t k = 0; k < n->width; k++) {
        scale[k] = gamma[k] * deviate[k];
        shift[k] = beta[k] - mean[k] * scale[k];
    }
    float *y = node_value(n, p);
    bool only_relu = n->tail.act == ACT_RELU && !(n->tail.dropout && p->dropout > 0.0f);
    norm_scale(y, node_value(n->input[0], p), scale, shift, only_relu, p->rows, n->width);
    if (!only_relu)
        tail_forward(n, p, y, NULL);
}

static void batch_forward(const Node *n, const Pass *p)
{
    const float *mean = part_of(n, JOINED);
    normalise(n, p, mean, mean + n->width);
}

static void batch_infer(const Node *n, const Pass *p)
{
    float *deviate = p->scratch + 2 * n->width;
    const float *var = node_weights(n, RUNNING_VAR);
    for (size_t k = 0; k < n->width; k++)
        deviate[k] = 1.0f / sqrtf(var[k] + NORM_EPSILON);
    normalise(n, p, node_weights(n, RUNNING_MEAN), deviate);
}

static void gather_back(const Node *n, const Pass *p)
{
    const float *mean = part_of(n, JOINED);
    float *sum = part_of(n, p->shard), *dz = node_grad(n, p);
    tail_backward(n, p, dz);
    norm_products(sum, sum + n->width, dz, node_value(n->input[0], p), mean, mean + n->width, p->rows,
                  n->width);
}

static void join_back(const Node *n, const Pass *p)
{
    float *restrict sum = part_of(n, JOINED_BACK);
    memcpy(sum, part_of(n, 0), 2 * n->width * sizeof *sum);
    for (size_t s = 1; s < p->shards; s++) {
        const float *more = part_of(n, s);
        for (size_t k = 0; k < 2 * n->width; k++)
            sum[k] += more[k];
    }
}

/* y = tail(gamma xhat + beta):  dgamma += sum dz xhat,  dbeta += sum dz,
 * dx += gamma / deviation (dz - mean(dz) - xhat mean(dz xhat)) */
static void batch_backward(const Node *n, const Pass *p)
{
    Node *input = n->input[0];
    size_t width = n->width;
    memcpy(node_gradient(n, p, BETA), part_of(n, p->shard), width * sizeof(float));
    memcpy(node_gradient(n, p, GAMMA), part_of(n, p->shard) + width, width * sizeof(float));
    if (!input->needs_grad)
        return;
    const NormBack back = {.mean = part_of(n, JOINED),
                           .sum = part_of(n, JOINED_BACK),
                           .gamma = node_weights(n, GAMMA),
                           .batch = p->batch};
    /* where dz lies, or elsewhere: op->in_place */
    norm_input(&back, node_grad(input, p), node_grad(n, p), node_value(input, p), !n->fresh[0], p->rows, width,
               p->scratch);
}

Node *graph_batchnorm(Graph *g, const char *name, Node *x, Tail tail)
{
    assert(x->tokens == 1);
    Node *n = graph_node(g, &batchnorm_op, name, &x, 1, x->width);
    node_param(n, "weight", x->width, 0, false, INIT_ONE, 0);
    node_param(n, "bias", x->width, 0, false, INIT_ZERO, 0);
    node_statistic(n, "running_mean", x->width, INIT_ZERO);
    node_statistic(n, "running_var", x->width, INIT_ONE);
    n->tail = tail;
    n->save_width = tail_saves(tail) ? node_row(n) : 0;
    n->part_width = 2 * x->width;
    n->scratch = 3 * x->width;
    return n;
}

static Node *batch_sample(Graph *g, Node *x)
{
    return graph_batchnorm(g, "sample", x, (Tail){.act = ACT_TANH});
}

/* ---- layer normalisation ---------------------------------------------------------------------------- */

/* Of each row of the shard, behind what the tail saves: mean, 1 / deviation. */
static float *row_statistics(const Node *n, const Pass *p)
{
    return node_save(n, p) + (tail_saves(n->tail) ? p->rows * node_row(n) : 0);
}

static void layer_forward(const Node *n, const Pass *p)
{
    size_t width = n->width;
    const float *x = node_value(n->input[0], p);
    const float *restrict gamma = node_weights(n, GAMMA), *restrict beta = node_weights(n, BETA);
    float *y = node_value(n, p), *at = row_statistics(n, p), *restrict out = y;
    for (size_t i = 0; i < p->rows * n->tokens; i++, x += width, out += width, at += 2) {
        float mean = row_sum(x, width) / (float)width;
        for (size_t k = 0; k < width; k++)
            out[k] = x[k] - mean;
        float deviate = 1.0f / sqrtf(row_dot(out, out, width) / (float)width + NORM_EPSILON);
        for (size_t k = 0; k < width; k++)
            out[k] = out[k] * deviate * gamma[k] + beta[k];
        at[0] = mean;
        at[1] = deviate;
    }
    tail_forward(n, p, y, NULL);
}

/* y = tail(gamma xhat + beta), xhat over the row:  dgamma += sum dz xhat,  dbeta += sum dz,
 * dx += (g - mean(g) - xhat mean(g xhat)) / deviation  with  g = dz gamma */
static void layer_backward(const Node *n, const Pass *p)
{
    Node *input = n->input[0];
    size_t width = n->width, rows = p->rows * n->tokens;
    const float *restrict gamma = node_weights(n, GAMMA);
    float *restrict dgamma = node_gradient(n, p, GAMMA), *restrict dbeta =
                                                             node_gradient(n, p, BETA);
    float *restrict xhat = p->scratch, *restrict g = p->scratch + width;
    const float *x = node_value(input, p), *at = row_statistics(n, p);
    float *dz = node_grad(n, p), *dx = input->needs_grad ? node_grad(input, p) : NULL;
    tail_backward(n, p, dz);
    memset(dgamma, 0, width * sizeof *dgamma);
    memset(dbeta, 0, width * sizeof *dbeta);
    for (size_t i = 0; i < rows; i++, x += width, dz += width, at += 2) {
        for (size_t k = 0; k < width; k++) {
            xhat[k] = (x[k] - at[0]) * at[1];
            g[k] = dz[k] * gamma[k];
            dgamma[k] += dz[k] * xhat[k];
            dbeta[k] += dz[k];
        }
        if (!dx)
            continue;
        float mean = row_sum(g, width) / (float)width,
              product = row_dot(g, xhat, width) / (float)width;
        for (size_t k = 0; k < width; k++) {
            float d = (g[k] - mean - xhat[k] * product) * at[1];
            dx[k] = n->fresh[0] ? d : dx[k] + d;
        }
        dx += width;
    }
}

Node *graph_layernorm(Graph *g, const char *name, Node *x, Tail tail)
{
    Node *n = graph_node(g, &layernorm_op, name, &x, 1, x->width);
    node_param(n, "weight", x->width, 0, false, INIT_ONE, 0);
    node_param(n, "bias", x->width, 0, false, INIT_ZERO, 0);
    n->tail = tail;
    n->save_width = (tail_saves(tail) ? node_row(n) : 0) + 2 * n->tokens;
    n->scratch = 2 * x->width;
    return n;
}

static Node *layer_sample(Graph *g, Node *x)
{
    return graph_layernorm(g, "sample", x, (Tail){.act = ACT_GELU});
}

/* y = tail(x scale + shift), both from the running statistics: batch_infer */
static const char *say_batch(const Node *n, const OnnxPass *p, const char *const *x)
{
    float *scale = mem_alloc(2 * sizeof *scale * n->width), *shift = scale + n->width;
    const float *gamma = node_weights(n, GAMMA), *beta = node_weights(n, BETA);
    const float *mean = node_weights(n, RUNNING_MEAN), *var = node_weights(n, RUNNING_VAR);
    for (size_t k = 0; k < n->width; k++) {
        scale[k] = gamma[k] * (1.0f / sqrtf(var[k] + NORM_EPSILON));
        shift[k] = beta[k] - mean[k] * scale[k];
    }
    const char *y = onnx_node(p->onnx, "Mul", x[0], onnx_floats(p->onnx, scale, n->width, 0), NULL);
    y = onnx_node(p->onnx, "Add", y, onnx_floats(p->onnx, shift, n->width, 0), NULL);
    mem_free(scale);
    return onnx_tail(n, p, y);
}

static const char *say_layer(const Node *n, const OnnxPass *p, const char *const *x)
{
    const char *y = onnx_node(p->onnx, "LayerNormalization", x[0], onnx_param(n, p, GAMMA),
                              onnx_param(n, p, BETA), NULL);
    onnx_set_float(p->onnx, "epsilon", NORM_EPSILON);
    return onnx_tail(n, p, y);
}

const Op batchnorm_op = {
    .name = "batchnorm",
    .about = "y = tail(gamma xhat + beta), xhat over the rows of the batch",
    .gather = gather,
    .join = join,
    .forward = batch_forward,
    .infer = batch_infer,
    .gather_back = gather_back,
    .join_back = join_back,
    .backward = batch_backward,
    .in_place = true,
    .sample = batch_sample,
    .onnx = say_batch,
};

const Op layernorm_op = {
    .name = "layernorm",
    .about = "y = tail(gamma xhat + beta), xhat over the width",
    .forward = layer_forward,
    .backward = layer_backward,
    .sample = layer_sample,
    .onnx = say_layer,
};
