/* op_dense.c -- the dense layer, y = tail(x w + b). The operator to copy. */
#include "nn_int.h"

static Way way_of(const Node *n)
{
    return (Way){.products = n->graph->plan.products, .precision = n->graph->plan.precision};
}

/* What of the weight gradient this thread will read in the update, it keeps at hand. */
static Way weight_way(const Node *n, const Pass *p)
{
    Way way = way_of(n);
    const Graph *g = n->graph;
    if (p->worker < g->homes) {
        way.home = p->gradient + g->home[p->worker];
        way.home_end = p->gradient + g->home[p->worker + 1];
    }
    return way;
}

static void prepare(Node *n)
{
    n->scratch = gemm_scratch(way_of(n), n->input[0]->width, n->width);
    n->kept_size =
        n->input[0]->needs_grad ? gemm_turned(way_of(n), n->input[0]->width, n->width) : 0;
}

/* x [rows][in]   w [in][out]   b [out]   y [rows][out] */
static void forward(const Node *n, const Pass *p)
{
    const Node *x = n->input[0];
    float *y = node_value(n, p);
    bool only_relu = n->tail.act == ACT_RELU && !(n->tail.dropout && p->dropout > 0.0f);
    gemm_forward(way_of(n), y, node_value(x, p), node_weights(n, 0), node_weights(n, 1), only_relu,
                 p->rows * n->tokens, x->width, n->width, p->scratch);
    if (!only_relu)
        tail_forward(n, p, y, NULL);
}

/* dx = or += dz w' */
static void input_gradient(const Node *n, const Pass *p, const float *dz, size_t rows)
{
    const Node *x = n->input[0];
    const float *gate = tail_gated(x, p) ? node_value(x, p) : NULL;
    if (!n->kept_size) {
        gemm_input(way_of(n), node_grad(x, p), dz, node_weights(n, 0), gate, !n->fresh[0], rows,
                   x->width, n->width, p->scratch);
        return;
    }
    bool made;
    float *turned = node_kept(n, p, &made);
    if (!made)
        gemm_turn(turned, node_weights(n, 0), x->width, n->width);
    gemm_input_turned(node_grad(x, p), dz, turned, gate, !n->fresh[0], rows, x->width, n->width,
                      p->scratch);
}

/* y = tail(x w + b):  dz = tail'(dy),  dw += x' dz,  db += sum of rows of dz,  dx += dz w' */
static void backward(const Node *n, const Pass *p)
{
    const Node *x = n->input[0];
    float *dz = node_grad(n, p);
    size_t rows = p->rows * n->tokens;
    bool add = n->graph->tensor_plan.at[n->param[0]].last != n->number; /* shared weights */
    tail_backward(n, p, dz);
    gemm_weight(weight_way(n, p), node_gradient(n, p, 0), node_value(x, p), dz, add, rows, x->width,
                n->width, p->scratch);
    column_sums(node_gradient(n, p, 1), dz, rows, n->width, add);
    if (x->needs_grad)
        input_gradient(n, p, dz, rows);
}

Node *graph_dense(Graph *g, const char *name, Node *x, size_t out, Tail tail)
{
    Node *n = graph_node(g, &dense_op, name, &x, 1, out);
    float bound = 1.0f / sqrtf((float)x->width); /* PyTorch's: uniform within 1 / sqrt(in) */
    node_param(n, "weight", x->width, out, true, INIT_UNIFORM, bound);
    node_param(n, "bias", out, 0, false, INIT_UNIFORM, bound);
    n->tail = tail;
    n->save_width = tail_saves(tail) ? node_row(n) : 0;
    return n;
}

static const char *say(const Node *n, const OnnxPass *p, const char *const *x)
{
    const char *y = onnx_node(p->onnx, "MatMul", x[0], onnx_param(n, p, 0), NULL);
    return onnx_tail(n, p, onnx_node(p->onnx, "Add", y, onnx_param(n, p, 1), NULL));
}

Node *graph_dense_again(Graph *g, const Node *first, Node *x, Tail tail)
{
    assert(first->op == &dense_op && first->input[0]->width == x->width);
    Node *n = graph_node(g, &dense_op, NULL, &x, 1, first->width);
    n->params = first->params;
    memcpy(n->param, first->param, sizeof n->param);
    n->needs_grad = true;
    n->tail = tail;
    n->save_width = tail_saves(tail) ? node_row(n) : 0;
    return n;
}

static Node *sample(Graph *g, Node *x)
{
    Node *once = graph_dense(g, "sample", x, x->width, (Tail){.act = ACT_GELU});
    return graph_add(g, once, graph_dense_again(g, once, once, (Tail){.act = ACT_TANH}));
}

const Op dense_op = {
    .name = "dense",
    .about = "y = tail(x w + b)",
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .sample = sample,
    .onnx = say,
};
