/* op_tokens.c -- numbers and category vectors as a sequence of tokens, and the way back.
 *
 *     token      y[t] = x[t] w[t]                    a number becomes a vector
 *     sequence   y = [0, x0, x1, ...] + b            tokens one after the other, a vector b[t] a place;
 *                                                    with the 0 in front, b[0] is a token of its own
 *     places     y[t] = [x[t], p[t]]                 beside each token a vector of its place
 *     slice      y = x[first .. first + count]       some tokens of it, side by side if `flat` */
#include "nn_int.h"

/* ---- token ------------------------------------------------------------------------------------------ */

/* x [rows][tokens]   w [tokens][size]   y [rows][tokens][size] */
static void token(const Node *n, const Pass *p)
{
    const float *x = node_value(n->input[0], p), *w = node_weights(n, 0);
    float *restrict y = node_value(n, p);
    for (size_t i = 0; i < p->rows; i++)
        for (size_t t = 0; t < n->tokens; t++, x++, y += n->width)
            for (size_t k = 0; k < n->width; k++)
                y[k] = *x * w[t * n->width + k];
}

/* y[t] = x[t] w[t]:  dw[t] += x[t] dy[t],  dx[t] += dy[t] . w[t] */
static void token_back(const Node *n, const Pass *p)
{
    Node *input = n->input[0];
    size_t size = n->width;
    const float *x = node_value(input, p), *w = node_weights(n, 0), *dy = node_grad(n, p);
    float *dx = input->needs_grad ? node_grad(input, p) : NULL;
    float *dw = node_gradient(n, p, 0);
    memset(dw, 0, node_row(n) * sizeof *dw);
    for (size_t i = 0; i < p->rows; i++)
        for (size_t t = 0; t < n->tokens; t++, x++, dy += size) {
            float *restrict to = dw + t * size;
            float sum = 0;
            for (size_t k = 0; k < size; k++)
                to[k] += *x * dy[k];
            for (size_t k = 0; dx && k < size; k++)
                sum += dy[k] * w[t * size + k];
            if (dx) {
                *dx = n->fresh[0] ? sum : *dx + sum;
                dx++;
            }
        }
}

Node *graph_token(Graph *g, const char *name, Node *x, size_t size)
{
    assert(x->tokens == 1);
    Node *n = graph_node(g, &token_op, name, &x, 1, size);
    n->tokens = x->width;
    node_param(n, "weight", x->width, size, false, INIT_UNIFORM, 1.0f / sqrtf((float)size));
    return n;
}

static const char *say_token(const Node *n, const OnnxPass *p, const char *const *x)
{
    const char *y = onnx_reshape(p->onnx, x[0], (int64_t[]){-1, (int64_t)n->tokens, 1}, 3);
    y = onnx_node(p->onnx, "Mul", y, onnx_param(n, p, 0), NULL);
    return onnx_shape(p, y, n->tokens, n->width);
}

static Node *sample_token(Graph *g, Node *x)
{
    Node *y = graph_token(g, "sample", x, 5);
    return graph_slice(g, y, 0, y->tokens, true);
}

/* ---- sequence --------------------------------------------------------------------------------------- */

static void sequence(const Node *n, const Pass *p)
{
    size_t row = node_row(n), at = *(const size_t *)n->attr;
    const float *restrict bias = node_weights(n, 0);
    float *y = node_value(n, p);
    for (size_t i = 0; i < p->rows; i++)
        memset(y + i * row, 0, at * sizeof *y);
    for (size_t k = 0; k < n->inputs; at += node_row(n->input[k++])) {
        const float *x = node_value(n->input[k], p);
        size_t part = node_row(n->input[k]);
        for (size_t i = 0; i < p->rows; i++)
            memcpy(y + i * row + at, x + i * part, part * sizeof *y);
    }
    for (size_t i = 0; i < p->rows; i++, y += row)
        for (size_t k = 0; k < row; k++)
            y[k] += bias[k];
}

/* y = [0, x0, x1, ...] + b:  db += sum of rows of dy,  dx0 += its place in dy, ... */
static void sequence_back(const Node *n, const Pass *p)
{
    size_t row = node_row(n), at = *(const size_t *)n->attr;
    column_sums(node_gradient(n, p, 0), node_grad(n, p), p->rows, row, false);
    for (size_t k = 0; k < n->inputs; at += node_row(n->input[k++])) {
        const Node *x = n->input[k];
        if (!x->needs_grad)
            continue;
        size_t part = node_row(x);
        float *dx = node_grad(x, p);
        const float *dy = node_grad(n, p) + at;
        for (size_t i = 0; i < p->rows; i++, dy += row, dx += part)
            for (size_t j = 0; j < part; j++)
                dx[j] = n->fresh[k] ? dy[j] : dx[j] + dy[j];
    }
}

Node *graph_sequence(Graph *g, const char *name, Node *const *x, size_t n, size_t size, bool front)
{
    size_t tokens = front;
    for (size_t i = 0; i < n; i++) {
        assert(node_row(x[i]) % size == 0);
        tokens += node_row(x[i]) / size;
    }
    Node *node = graph_node(g, &sequence_op, name, x, n, size);
    size_t *begin = ARENA_NEW(&g->arena, size_t, 1);
    *begin = front ? size : 0;
    node->attr = begin;
    node->tokens = tokens;
    node_param(node, "bias", tokens, size, false, INIT_UNIFORM, 1.0f / sqrtf((float)size));
    return node;
}

static const char *say_sequence(const Node *n, const OnnxPass *p, const char *const *x)
{
    Onnx *o = p->onnx;
    const char **part = mem_alloc(sizeof *part * n->inputs);
    for (size_t i = 0; i < n->inputs; i++)
        part[i] = onnx_reshape(
            o, x[i],
            (int64_t[]){-1, (int64_t)(node_row(n->input[i]) / n->width), (int64_t)n->width}, 3);
    const char *y = part[0];
    if (n->inputs > 1) {
        y = onnx_node_of(o, "Concat", part, n->inputs);
        onnx_set_whole(o, "axis", 1);
    }
    mem_free(part);
    if (*(const size_t *)n->attr) /* the token in front */
        y = onnx_node(o, "Pad", y, onnx_wholes(o, (int64_t[]){0, 1, 0, 0, 0, 0}, 6), NULL);
    y = onnx_node(o, "Add", y, onnx_param(n, p, 0), NULL);
    return n->tokens > 1 ? y : onnx_shape(p, y, 1, n->width);
}

static Node *sample_sequence(Graph *g, Node *x)
{
    Node *y = graph_activate(g, x, (Tail){.act = ACT_TANH});
    y = graph_sequence(g, "sample", (Node *[]){x, y, x}, 3, 3, true);
    return graph_slice(g, y, 0, y->tokens, true);
}

/* ---- places ----------------------------------------------------------------------------------------- */

/* x [rows][tokens][wide]   p [tokens][size]   y [rows][tokens][wide + size] */
static void places(const Node *n, const Pass *p)
{
    size_t wide = n->input[0]->width, size = n->width - wide;
    const float *x = node_value(n->input[0], p), *place = node_weights(n, 0);
    float *y = node_value(n, p);
    for (size_t i = 0; i < p->rows; i++)
        for (size_t t = 0; t < n->tokens; t++, x += wide, y += n->width) {
            memcpy(y, x, wide * sizeof *y);
            memcpy(y + wide, place + t * size, size * sizeof *y);
        }
}

/* y[t] = [x[t], p[t]]:  dx[t] += the front of dy[t],  dp[t] += the rest */
static void places_back(const Node *n, const Pass *p)
{
    Node *input = n->input[0];
    size_t wide = input->width, size = n->width - wide;
    const float *dy = node_grad(n, p);
    float *dx = input->needs_grad ? node_grad(input, p) : NULL, *dp = node_gradient(n, p, 0);
    memset(dp, 0, n->tokens * size * sizeof *dp);
    for (size_t i = 0; i < p->rows; i++)
        for (size_t t = 0; t < n->tokens; t++, dy += n->width) {
            for (size_t k = 0; k < size; k++)
                dp[t * size + k] += dy[wide + k];
            for (size_t k = 0; dx && k < wide; k++)
                dx[k] = n->fresh[0] ? dy[k] : dx[k] + dy[k];
            dx = dx ? dx + wide : NULL;
        }
}

Node *graph_places(Graph *g, const char *name, Node *x, size_t size)
{
    Node *n = graph_node(g, &places_op, name, &x, 1, x->width + size);
    node_param(n, "weight", x->tokens, size, false, INIT_UNIFORM, 1.0f / sqrtf((float)size));
    return n;
}

static const char *say_places(const Node *n, const OnnxPass *p, const char *const *x)
{
    Onnx *o = p->onnx;
    size_t wide = n->input[0]->width, size = n->width - wide;
    const char *y = onnx_reshape(o, x[0], (int64_t[]){-1, (int64_t)n->tokens, (int64_t)wide}, 3);
    int64_t behind[6] = {0, 0, 0, 0, 0, (int64_t)size};
    y = onnx_node(o, "Pad", y, onnx_wholes(o, behind, 6), NULL);
    float *place = mem_alloc(n->tokens * n->width * sizeof *place);
    for (size_t t = 0; t < n->tokens; t++)
        memcpy(place + t * n->width + wide, node_weights(n, 0) + t * size, size * sizeof *place);
    y = onnx_node(o, "Add", y, onnx_floats(o, place, n->tokens, n->width), NULL);
    mem_free(place);
    return onnx_shape(p, y, n->tokens, n->width);
}

static Node *sample_places(Graph *g, Node *x)
{
    Node *y = graph_sequence(g, "sample", &x, 1, 2, false); /* three tokens */
    y = graph_places(g, "places", y, 3);
    return graph_slice(g, y, 0, y->tokens, true);
}

/* ---- slice ------------------------------------------------------------------------------------------ */

static void slice(const Node *n, const Pass *p)
{
    size_t part = node_row(n), row = node_row(n->input[0]);
    const float *x = node_value(n->input[0], p) + *(const size_t *)n->attr;
    float *y = node_value(n, p);
    for (size_t i = 0; i < p->rows; i++)
        memcpy(y + i * part, x + i * row, part * sizeof *y);
}

/* y = x[first ..]:  dx[first ..] += dy */
static void slice_back(const Node *n, const Pass *p)
{
    const Node *x = n->input[0];
    if (!x->needs_grad)
        return;
    size_t part = node_row(n), row = node_row(x), at = *(const size_t *)n->attr;
    const float *dy = node_grad(n, p);
    float *dx = node_grad(x, p);
    for (size_t i = 0; i < p->rows; i++, dx += row, dy += part) {
        if (n->fresh[0])
            memset(dx, 0, row * sizeof *dx);
        for (size_t k = 0; k < part; k++)
            dx[at + k] += dy[k];
    }
}

Node *graph_slice(Graph *g, Node *x, size_t first, size_t count, bool flat)
{
    assert(count > 0 && first + count <= x->tokens);
    Node *n = graph_node(g, &slice_op, NULL, &x, 1, flat ? count * x->width : x->width);
    size_t *begin = ARENA_NEW(&g->arena, size_t, 1);
    *begin = first * x->width;
    n->attr = begin;
    n->tokens = flat ? 1 : count;
    return n;
}

static const char *say_slice(const Node *n, const OnnxPass *p, const char *const *x)
{
    size_t from = *(const size_t *)n->attr, to = from + node_row(n), row = node_row(n->input[0]);
    const char *y = onnx_shape(p, x[0], 1, row);
    return onnx_shape(p, onnx_part(p, y, 1, from, to), n->tokens, n->width);
}

size_t node_tokens(const Node *n)
{
    return n->tokens;
}

static Node *sample_slice(Graph *g, Node *x)
{
    Node *y = graph_sequence(g, "sample", &x, 1, 2, false); /* three tokens */
    Node *last = graph_slice(g, y, 1, 2, true);
    return graph_concat(g, (Node *[]){last, graph_slice(g, y, 0, 1, false)}, 2);
}

const Op token_op = {
    .name = "token",
    .about = "y[t] = x[t] w[t], a vector a number",
    .forward = token,
    .backward = token_back,
    .sample = sample_token,
    .onnx = say_token,
};

const Op sequence_op = {
    .name = "sequence",
    .about = "y = [0, x0, x1, ...] + b, one token after the other",
    .forward = sequence,
    .backward = sequence_back,
    .sample = sample_sequence,
    .onnx = say_sequence,
};

const Op places_op = {
    .name = "places",
    .about = "y[t] = [x[t], p[t]], a vector of the place beside each token",
    .forward = places,
    .backward = places_back,
    .sample = sample_places,
    .onnx = say_places,
};

const Op slice_op = {
    .name = "slice",
    .about = "y = some tokens of x",
    .forward = slice,
    .backward = slice_back,
    .sample = sample_slice,
    .onnx = say_slice,
};
