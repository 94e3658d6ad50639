/* onnx.c -- a planned graph as ONNX nodes: each operator says its own, in order. */
#include "nn_int.h"

const char *onnx_param(const Node *n, const OnnxPass *p, size_t i)
{
    const GraphTensor *t = &n->graph->tensor.at[n->param[0] + i];
    return onnx_floats(p->onnx, n->graph->params + t->offset, t->shape[0],
                       t->rank == 2 ? t->shape[1] : 0);
}

const char *onnx_shape(const OnnxPass *p, const char *x, size_t tokens, size_t width)
{
    return tokens > 1
               ? onnx_reshape(p->onnx, x, (int64_t[]){-1, (int64_t)tokens, (int64_t)width}, 3)
               : onnx_reshape(p->onnx, x, (int64_t[]){-1, (int64_t)width}, 2);
}

const char *onnx_part(const OnnxPass *p, const char *x, int64_t axis, size_t from, size_t to)
{
    Onnx *o = p->onnx;
    return onnx_node(o, "Slice", x, onnx_wholes(o, (int64_t[]){(int64_t)from}, 1),
                     onnx_wholes(o, (int64_t[]){(int64_t)to}, 1), onnx_wholes(o, &axis, 1), NULL);
}

/* 0.5 x (1 + erf(x / sqrt 2)): Gelu itself came with later operators */
static const char *gelu(Onnx *o, const char *x)
{
    const char *y =
        onnx_node(o, "Erf", onnx_node(o, "Mul", x, onnx_float(o, 0.70710678f), NULL), NULL);
    y = onnx_node(o, "Mul", x, onnx_node(o, "Add", y, onnx_float(o, 1.0f), NULL), NULL);
    return onnx_node(o, "Mul", y, onnx_float(o, 0.5f), NULL);
}

const char *onnx_activation(Activation act, const OnnxPass *p, const char *x)
{
    static const char *const names[ACT_COUNT] = {
        [ACT_RELU] = "Relu",    [ACT_TANH] = "Tanh",       [ACT_ELU] = "Elu",
        [ACT_SILU] = "Sigmoid", [ACT_LEAKY] = "LeakyRelu", [ACT_SIGMOID] = "Sigmoid"};
    Onnx *o = p->onnx;
    if (act == ACT_NONE)
        return x;
    if (act == ACT_GELU)
        return gelu(o, x);
    const char *y = onnx_node(o, names[act], x, NULL);
    if (act == ACT_LEAKY)
        onnx_set_float(o, "alpha", 0.01f);
    return act == ACT_SILU ? onnx_node(o, "Mul", x, y, NULL) : y;
}

const char *onnx_tail(const Node *n, const OnnxPass *p, const char *y)
{
    return onnx_activation(n->tail.act, p, y); /* dropout is for training alone */
}

const char *graph_onnx(const Graph *g, Onnx *o, const char *dense, const char *codes, Error *err)
{
    const OnnxPass pass = {.onnx = o, .dense = dense, .codes = codes};
    const char **value = mem_alloc(sizeof *value * g->node.count), *out = NULL;
    bool ok = true;
    halves_settle(g->halves);
    for (size_t i = 0; ok && i < g->node.count; i++) {
        const Node *n = g->node.at[i];
        if (!n->reached)
            continue;
        const char **x = mem_alloc(sizeof *x * (n->inputs + 1));
        for (size_t k = 0; k < n->inputs; k++)
            x[k] = value[n->input[k]->number];
        value[i] = n->op->onnx ? n->op->onnx(n, &pass, x) : NULL;
        ok = value[i] || error_set(err, ERROR_USAGE, "layer %s: a %s cannot be said in ONNX yet",
                                   n->name, n->op->name);
        mem_free(x);
        if (n == g->output)
            out = value[i];
    }
    mem_free(value);
    return ok ? out : NULL;
}
