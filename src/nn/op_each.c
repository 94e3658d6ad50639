/* op_each.c -- layers with weights of their own for each group of steps.
 *
 *     each       y[j][t] = tail(x[j][t] w[j] + b[j])
 *     addnorm    y[j][t] = gamma[j] xhat + beta[j]        xhat: a + b, normed over the width
 *
 * A value is [groups][steps][width]; with one group they are a dense layer and a layer norm. */
#include "nn_int.h"
#include "vector.h"

typedef struct EachAttr {
    size_t groups;
} EachAttr;

static size_t groups_of(const Node *n)
{
    return ((const EachAttr *)n->attr)->groups;
}

static void set_groups(Node *n, size_t groups)
{
    EachAttr *a = ARENA_NEW(&n->graph->arena, EachAttr, 1);
    assert(groups > 0 && n->tokens % groups == 0);
    a->groups = groups;
    n->attr = a;
}

static Way way_of(const Node *n)
{
    return (Way){.products = n->graph->plan.products, .precision = n->graph->plan.precision};
}

static void prepare_each(Node *n)
{
    n->scratch = gemm_scratch(way_of(n), n->input[0]->width, n->width);
}

/* ---- each ----------------------------------------------------------------------------------------- */

/* x [rows][groups][steps][in]   w [groups][in][out]   b [groups][out]   y [rows][groups][steps][out] */
static void each(const Node *n, const Pass *p)
{
    size_t groups = groups_of(n), steps = n->tokens / groups, in = n->input[0]->width,
           out = n->width;
    const float *x = node_value(n->input[0], p);
    float *y = node_value(n, p);
    for (size_t i = 0; i < p->rows; i++)
        for (size_t j = 0; j < groups; j++, x += steps * in, y += steps * out)
            gemm_forward(way_of(n), y, x, node_weights(n, 0) + j * in * out,
                         node_weights(n, 1) + j * out, false, steps, in, out, p->scratch);
    tail_forward(n, p, node_value(n, p), NULL);
}

/* y = tail(x w + b):  dz = tail'(dy),  dw += x' dz,  db += sum of dz,  dx += dz w' */
static void each_back(const Node *n, const Pass *p)
{
    Node *input = n->input[0];
    size_t groups = groups_of(n), steps = n->tokens / groups, in = input->width, out = n->width;
    tail_backward(n, p, node_grad(n, p));
    for (size_t i = 0; i < p->rows; i++)
        for (size_t j = 0; j < groups; j++) {
            size_t at = (i * groups + j) * steps;
            const float *dz = node_grad(n, p) + at * out;
            gemm_weight(way_of(n), node_gradient(n, p, 0) + j * in * out,
                        node_value(input, p) + at * in, dz, i > 0, steps, in, out, p->scratch);
            column_sums(node_gradient(n, p, 1) + j * out, dz, steps, out, i > 0);
            if (input->needs_grad)
                gemm_input(way_of(n), node_grad(input, p) + at * in, dz,
                           node_weights(n, 0) + j * in * out, NULL, !n->fresh[0], steps, in, out,
                           p->scratch);
        }
}

Node *graph_each(Graph *g, const char *name, Node *x, size_t groups, size_t out, Tail tail)
{
    Node *n = graph_node(g, &each_op, name, &x, 1, out);
    set_groups(n, groups);
    float bound = 1.0f / sqrtf((float)x->width);
    node_param(n, "weight", groups * x->width, out, true, INIT_UNIFORM, bound);
    node_param(n, "bias", groups, out, false, INIT_UNIFORM, bound);
    n->tail = tail;
    n->save_width = tail_saves(tail) ? node_row(n) : 0;
    return n;
}

static Node *sample_each(Graph *g, Node *x)
{
    Node *y = graph_sequence(g, "sample.steps", &x, 1, 1, false); /* six steps of one */
    y = graph_each(g, "sample.wide", y, 3, 3, (Tail){.act = ACT_ELU, .dropout = true});
    y = graph_each(g, "sample", y, 2, 2, (Tail){0});
    return graph_slice(g, y, 0, y->tokens, true);
}

/* ---- addnorm -------------------------------------------------------------------------------------- */

#define EPSILON 1e-5f

/* a, b, y [rows][groups][steps][width]   save: xhat, then one over the deviation a step */
static void addnorm(const Node *n, const Pass *p)
{
    size_t width = n->width, steps = n->tokens / groups_of(n);
    const float *a = node_value(n->input[0], p), *b = node_value(n->input[1], p);
    float *y = node_value(n, p);
    for (size_t i = 0; i < p->rows; i++) {
        float *restrict xhat = node_save(n, p) + i * n->save_width, *deviate = xhat + node_row(n);
        for (size_t t = 0; t < n->tokens; t++, a += width, b += width, y += width, xhat += width) {
            const float *gamma = node_weights(n, 0) + t / steps * width;
            const float *beta = node_weights(n, 1) + t / steps * width;
            for (size_t k = 0; k < width; k++)
                xhat[k] = a[k] + b[k];
            float mean = row_sum(xhat, width) / (float)width;
            for (size_t k = 0; k < width; k++)
                xhat[k] -= mean;
            deviate[t] = 1.0f / sqrtf(row_dot(xhat, xhat, width) / (float)width + EPSILON);
            for (size_t k = 0; k < width; k++) {
                xhat[k] *= deviate[t];
                y[k] = gamma[k] * xhat[k] + beta[k];
            }
        }
    }
}

/* y = gamma xhat + beta:  da, db += (g - mean(g) - xhat mean(g xhat)) / deviation,  g = dy gamma */
static void addnorm_back(const Node *n, const Pass *p)
{
    size_t width = n->width, steps = n->tokens / groups_of(n);
    float *dgamma = node_gradient(n, p, 0), *dbeta = node_gradient(n, p, 1), *g = p->scratch;
    const float *dy = node_grad(n, p);
    memset(dgamma, 0, groups_of(n) * width * sizeof *dgamma);
    memset(dbeta, 0, groups_of(n) * width * sizeof *dbeta);
    for (size_t i = 0; i < p->rows; i++) {
        const float *xhat = node_save(n, p) + i * n->save_width, *deviate = xhat + node_row(n);
        for (size_t t = 0; t < n->tokens; t++, dy += width, xhat += width) {
            size_t at = t / steps * width;
            const float *gamma = node_weights(n, 0) + at;
            for (size_t k = 0; k < width; k++) {
                g[k] = dy[k] * gamma[k];
                dgamma[at + k] += dy[k] * xhat[k];
                dbeta[at + k] += dy[k];
            }
            float mean = row_sum(g, width) / (float)width;
            float product = row_dot(g, xhat, width) / (float)width;
            for (size_t k = 0; k < width; k++)
                g[k] = (g[k] - mean - xhat[k] * product) * deviate[t];
            for (size_t x = 0; x < 2; x++) {
                if (!n->input[x]->needs_grad)
                    continue;
                float *dx = node_grad(n->input[x], p) + i * node_row(n) + t * width;
                for (size_t k = 0; k < width; k++)
                    dx[k] = n->fresh[x] ? g[k] : dx[k] + g[k];
            }
        }
    }
}

Node *graph_addnorm(Graph *g, const char *name, Node *a, Node *b, size_t groups)
{
    assert(a->tokens == b->tokens && a->width == b->width && a != b);
    Node *n = graph_node(g, &addnorm_op, name, (Node *[]){a, b}, 2, a->width);
    set_groups(n, groups);
    node_param(n, "weight", groups * a->width, 0, false, INIT_ONE, 0);
    node_param(n, "bias", groups * a->width, 0, false, INIT_ZERO, 0);
    n->save_width = node_row(n) + n->tokens;
    n->scratch = n->width;
    return n;
}

static Node *sample_addnorm(Graph *g, Node *x)
{
    Node *y = graph_sequence(g, "sample.steps", &x, 1, 3, false); /* two steps of three */
    y = graph_addnorm(g, "sample", y, graph_activate(g, y, (Tail){.act = ACT_SILU}), 2);
    return graph_slice(g, y, 0, y->tokens, true);
}

const Op each_op = {
    .name = "each",
    .about = "y[j][t] = tail(x[j][t] w[j] + b[j])",
    .prepare = prepare_each,
    .forward = each,
    .backward = each_back,
    .sample = sample_each,
};

const Op addnorm_op = {
    .name = "addnorm",
    .about = "y[j][t] = gamma[j] xhat + beta[j] of a + b",
    .forward = addnorm,
    .backward = addnorm_back,
    .sample = sample_addnorm,
};
