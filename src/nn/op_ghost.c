/* op_ghost.c -- batch normalisation over a piece of the batch (Hoffer, Hubara, Soudry 2017): each
 * ghost batch of some 128 rows has a mean and deviation of its own, which is noise that regularises.
 *
 *     xhat = (x - mean) / sqrt(var + 1e-5)     y = gamma xhat + beta
 *
 * Ghost batches lie within a shard, so only the running statistics join: they move towards the mean of
 * the step's ghost batches as far as one move each (momentum 0.02) would have led. */
#include "nn_int.h"

#define GHOST_ROWS     128
#define GHOST_MOMENTUM 0.02
#define GHOST_EPSILON  1e-5f

enum { GAMMA, BETA, RUNNING_MEAN, RUNNING_VAR };

static size_t ghosts(size_t rows)
{
    size_t n = (rows + GHOST_ROWS / 2) / GHOST_ROWS;
    return n ? n : 1;
}

/* One ghost batch of the shard: its rows; its statistics lie at its first row. */
typedef struct Ghost {
    size_t first, rows;
    float *mean, *deviate; /* [width] each; deviate: 1 / deviation */
} Ghost;

static Ghost ghost_of(const Node *n, const Pass *p, size_t i, size_t count)
{
    size_t first = p->rows * i / count, end = p->rows * (i + 1) / count;
    float *at = node_save(n, p) + first * n->save_width;
    return (Ghost){first, end - first, at, at + n->width};
}

/* mean [width], square [width]: the sum of squared deviations */
static void statistics(const float *restrict x, size_t rows, size_t width, float *restrict mean,
                       float *restrict square)
{
    column_sums(mean, x, rows, width, false);
    for (size_t k = 0; k < width; k++)
        mean[k] /= (float)rows;
    memset(square, 0, width * sizeof *square);
    for (size_t i = 0; i < rows; i++, x += width)
        for (size_t k = 0; k < width; k++)
            square[k] += (x[k] - mean[k]) * (x[k] - mean[k]);
}

static void gather(const Node *n, const Pass *p)
{
    size_t width = n->width, count = ghosts(p->rows);
    float *restrict part = n->part + p->shard * n->part_width;
    memset(part, 0, 2 * width * sizeof *part);
    for (size_t i = 0; i < count; i++) {
        Ghost g = ghost_of(n, p, i, count);
        statistics(node_value(n->input[0], p) + g.first * width, g.rows, width, g.mean, g.deviate);
        float less = g.rows > 1 ? (float)(g.rows - 1) : 1.0f;
        for (size_t k = 0; k < width; k++) {
            part[k] += g.mean[k];
            part[width + k] += g.deviate[k] / less;
            g.deviate[k] = 1.0f / sqrtf(g.deviate[k] / (float)g.rows + GHOST_EPSILON);
        }
    }
}

static void join(const Node *n, const Pass *p)
{
    float *mean = node_weights(n, RUNNING_MEAN), *var = node_weights(n, RUNNING_VAR);
    size_t count = 0;
    for (size_t s = 0; s < p->shards; s++)
        count +=
            ghosts(shard_begin(p->batch, p->shards, s + 1) - shard_begin(p->batch, p->shards, s));
    bool frozen = n->graph->tensor.at[n->param[RUNNING_MEAN]].frozen;
    float move = (float)(1.0 - pow(1.0 - GHOST_MOMENTUM, (double)count));
    for (size_t k = 0; p->learns && !frozen && k < 2 * n->width; k++) {
        float sum = 0, *to = k < n->width ? mean + k : var + k - n->width;
        for (size_t s = 0; s < p->shards; s++)
            sum += n->part[s * n->part_width + k];
        if (isfinite(sum)) /* a batch with a NaN ends the run, but must not spoil the model */
            *to += move * (sum / (float)count - *to);
    }
}

static void normalise(const Node *n, float *restrict y, const float *restrict x, size_t rows,
                      const float *restrict mean, const float *restrict deviate)
{
    const float *restrict gamma = node_weights(n, GAMMA), *restrict beta = node_weights(n, BETA);
    for (size_t i = 0; i < rows; i++, x += n->width, y += n->width)
        for (size_t k = 0; k < n->width; k++)
            y[k] = (x[k] - mean[k]) * deviate[k] * gamma[k] + beta[k];
}

static void forward(const Node *n, const Pass *p)
{
    size_t count = ghosts(p->rows);
    for (size_t i = 0; i < count; i++) {
        Ghost g = ghost_of(n, p, i, count);
        normalise(n, node_value(n, p) + g.first * n->width,
                  node_value(n->input[0], p) + g.first * n->width, g.rows, g.mean, g.deviate);
    }
}

static void infer(const Node *n, const Pass *p)
{
    const float *var = node_weights(n, RUNNING_VAR);
    for (size_t k = 0; k < n->width; k++)
        p->scratch[k] = 1.0f / sqrtf(var[k] + GHOST_EPSILON);
    normalise(n, node_value(n, p), node_value(n->input[0], p), p->rows,
              node_weights(n, RUNNING_MEAN), p->scratch);
}

/* dx = or += gamma / deviation (dy - mean(dy) - xhat mean(dy xhat)), over one ghost batch */
static void ghost_back(const Node *n, const Ghost *g, const float *x, const float *dy, float *dx,
                       float *restrict sum, float *restrict product)
{
    size_t w = n->width;
    const float *gamma = node_weights(n, GAMMA);
    memset(sum, 0, w * sizeof *sum);
    memset(product, 0, w * sizeof *product);
    for (size_t i = 0; i < g->rows; i++)
        for (size_t k = 0; k < w; k++) {
            sum[k] += dy[i * w + k];
            product[k] += dy[i * w + k] * (x[i * w + k] - g->mean[k]) * g->deviate[k];
        }
    float each = 1.0f / (float)g->rows;
    for (size_t i = 0; dx && i < g->rows; i++)
        for (size_t k = 0; k < w; k++) {
            float xhat = (x[i * w + k] - g->mean[k]) * g->deviate[k];
            float d =
                gamma[k] * g->deviate[k] * (dy[i * w + k] - each * (sum[k] + xhat * product[k]));
            dx[i * w + k] = n->fresh[0] ? d : dx[i * w + k] + d;
        }
}

static void backward(const Node *n, const Pass *p)
{
    Node *input = n->input[0];
    size_t w = n->width, count = ghosts(p->rows);
    float *sum = p->scratch, *product = sum + w;
    float *dgamma = node_gradient(n, p, GAMMA), *dbeta = node_gradient(n, p, BETA);
    memset(dgamma, 0, w * sizeof *dgamma);
    memset(dbeta, 0, w * sizeof *dbeta);
    for (size_t i = 0; i < count; i++) {
        Ghost g = ghost_of(n, p, i, count);
        ghost_back(n, &g, node_value(input, p) + g.first * w, node_grad(n, p) + g.first * w,
                   input->needs_grad ? node_grad(input, p) + g.first * w : NULL, sum, product);
        for (size_t k = 0; k < w; k++) {
            dgamma[k] += product[k];
            dbeta[k] += sum[k];
        }
    }
}

Node *graph_ghostnorm(Graph *g, const char *name, Node *x)
{
    assert(x->tokens == 1);
    Node *n = graph_node(g, &ghostnorm_op, name, &x, 1, x->width);
    node_param(n, "weight", x->width, 0, false, INIT_ONE, 0);
    node_param(n, "bias", x->width, 0, false, INIT_ZERO, 0);
    node_statistic(n, "running_mean", x->width, INIT_ZERO);
    node_statistic(n, "running_var", x->width, INIT_ONE);
    n->save_width = 2 * x->width; /* touched at the first row of each ghost batch only */
    n->part_width = 2 * x->width;
    n->scratch = 2 * x->width;
    return n;
}

/* y = x scale + shift, both from the running statistics: infer */
static const char *say(const Node *n, const OnnxPass *p, const char *const *x)
{
    float *scale = mem_alloc(2 * sizeof *scale * n->width), *shift = scale + n->width;
    const float *mean = node_weights(n, RUNNING_MEAN), *var = node_weights(n, RUNNING_VAR);
    for (size_t k = 0; k < n->width; k++) {
        scale[k] = node_weights(n, GAMMA)[k] / sqrtf(var[k] + GHOST_EPSILON);
        shift[k] = node_weights(n, BETA)[k] - mean[k] * scale[k];
    }
    const char *y = onnx_node(p->onnx, "Mul", x[0], onnx_floats(p->onnx, scale, n->width, 0), NULL);
    y = onnx_node(p->onnx, "Add", y, onnx_floats(p->onnx, shift, n->width, 0), NULL);
    mem_free(scale);
    return y;
}

static Node *sample(Graph *g, Node *x)
{
    return graph_ghostnorm(g, "sample", x);
}

const Op ghostnorm_op = {
    .name = "ghostnorm",
    .about = "y = gamma xhat + beta, xhat over some 128 rows",
    .gather = gather,
    .join = join,
    .forward = forward,
    .infer = infer,
    .backward = backward,
    .sample = sample,
    .onnx = say,
};
