/* op_simple.c -- operators without weights: input, activate, concat, add. */
#include "nn_int.h"

static void nothing(const Node *n, const Pass *p)
{
    (void)n;
    (void)p;
}

/* ---- input: the feed's dense part, read where it lies ------------------------------------------- */

Node *graph_input(Graph *g, size_t width)
{
    assert(!g->input && "one input a graph");
    g->input = graph_node(g, &input_op, "input", NULL, 0, width);
    return g->input;
}

static const char *say_input(const Node *n, const OnnxPass *p, const char *const *x)
{
    (void)n, (void)x;
    return p->dense;
}

static Node *sample_input(Graph *g, Node *x)
{
    (void)g;
    return x;
}

/* ---- activate: y = tail(x) ------------------------------------------------------------------------ */

static void activate(const Node *n, const Pass *p)
{
    float *y = node_value(n, p);
    memcpy(y, node_value(n->input[0], p), p->rows * node_row(n) * sizeof *y);
    tail_forward(n, p, y, NULL);
}

/* Adds src [rows][width] into columns from `at` of dst [rows][wide], or overwrites them. */
static void add_columns(float *restrict dst, size_t wide, size_t at, const float *restrict src,
                        size_t rows, size_t width, bool fresh)
{
    for (size_t i = 0; i < rows; i++) {
        float *to = dst + i * wide + at;
        const float *from = src + i * width;
        if (fresh)
            memcpy(to, from, width * sizeof *to);
        else
            for (size_t k = 0; k < width; k++)
                to[k] += from[k];
    }
}

/* y = tail(x):  dx += tail'(dy) */
static void activate_back(const Node *n, const Pass *p)
{
    Node *x = n->input[0];
    float *dy = node_grad(n, p);
    tail_backward(n, p, dy);
    if (x->needs_grad)
        add_columns(node_grad(x, p), node_row(n), 0, dy, p->rows, node_row(n), n->fresh[0]);
}

Node *graph_activate(Graph *g, Node *x, Tail tail)
{
    Node *n = graph_node(g, &activate_op, NULL, &x, 1, x->width);
    n->tail = tail;
    n->save_width = tail_saves(tail) ? node_row(n) : 0;
    return n;
}

static const char *say_activate(const Node *n, const OnnxPass *p, const char *const *x)
{
    return onnx_tail(n, p, x[0]);
}

static Node *sample_activate(Graph *g, Node *x)
{
    return graph_activate(g, x, (Tail){.act = ACT_SILU});
}

/* ---- concat: y = [x0, x1, ...] along the width ------------------------------------------------------ */

static void concat(const Node *n, const Pass *p)
{
    size_t at = 0, rows = p->rows * n->tokens;
    for (size_t k = 0; k < n->inputs; at += n->input[k++]->width)
        add_columns(node_value(n, p), n->width, at, node_value(n->input[k], p), rows,
                    n->input[k]->width, true);
}

/* y = [x0, x1, ...]:  dx0 += the columns of dy that came from x0, ... */
static void concat_back(const Node *n, const Pass *p)
{
    size_t at = 0, rows = p->rows * n->tokens;
    for (size_t k = 0; k < n->inputs; at += n->input[k++]->width) {
        const Node *x = n->input[k];
        if (!x->needs_grad)
            continue;
        float *dx = node_grad(x, p);
        const float *dy = node_grad(n, p) + at;
        for (size_t i = 0; i < rows; i++, dy += n->width, dx += x->width)
            for (size_t j = 0; j < x->width; j++)
                dx[j] = n->fresh[k] ? dy[j] : dx[j] + dy[j];
    }
}

Node *graph_concat(Graph *g, Node *const *x, size_t n)
{
    size_t width = 0;
    for (size_t i = 0; i < n; i++) {
        assert(x[i]->tokens == x[0]->tokens);
        width += x[i]->width;
    }
    return graph_node(g, &concat_op, NULL, x, n, width);
}

static const char *say_concat(const Node *n, const OnnxPass *p, const char *const *x)
{
    return onnx_join(p->onnx, x, n->inputs);
}

static Node *sample_concat(Graph *g, Node *x)
{
    Node *y = graph_activate(g, x, (Tail){.act = ACT_TANH});
    return graph_concat(g, (Node *[]){x, y, x}, 3);
}

/* ---- add: y = a + b ----------------------------------------------------------------------------------- */

static void add(const Node *n, const Pass *p)
{
    float *restrict y = node_value(n, p);
    const float *a = node_value(n->input[0], p), *b = node_value(n->input[1], p);
    for (size_t i = 0; i < p->rows * node_row(n); i++)
        y[i] = a[i] + b[i];
}

/* y = a + b:  da += dy,  db += dy */
static void add_back(const Node *n, const Pass *p)
{
    for (size_t k = 0; k < 2; k++)
        if (n->input[k]->needs_grad)
            add_columns(node_grad(n->input[k], p), node_row(n), 0, node_grad(n, p), p->rows,
                        node_row(n), n->fresh[k]);
}

Node *graph_add(Graph *g, Node *a, Node *b)
{
    assert(a->width == b->width && a->tokens == b->tokens);
    return graph_node(g, &add_op, NULL, (Node *[]){a, b}, 2, a->width);
}

static const char *say_add(const Node *n, const OnnxPass *p, const char *const *x)
{
    (void)n;
    return onnx_node(p->onnx, "Add", x[0], x[1], NULL);
}

static Node *sample_add(Graph *g, Node *x)
{
    return graph_add(g, x, graph_activate(g, x, (Tail){.act = ACT_ELU}));
}

const Op input_op = {
    .name = "input",
    .about = "the feed's dense part",
    .forward = nothing,
    .backward = nothing,
    .sample = sample_input,
    .onnx = say_input,
};

const Op activate_op = {
    .name = "activate",
    .about = "y = tail(x)",
    .forward = activate,
    .backward = activate_back,
    .sample = sample_activate,
    .onnx = say_activate,
};

const Op concat_op = {
    .name = "concat",
    .about = "y = [x0, x1, ...]",
    .forward = concat,
    .backward = concat_back,
    .sample = sample_concat,
    .onnx = say_concat,
};

const Op add_op = {
    .name = "add",
    .about = "y = a + b",
    .forward = add,
    .backward = add_back,
    .sample = sample_add,
    .onnx = say_add,
};
