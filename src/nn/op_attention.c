/* op_attention.c -- tokens that look at each other (Vaswani et al. 2017), and gated units.
 *
 *     attention   y[i] = sum over j of drop(P[i][j]) v[j]    P = softmax of q[i] . k[j] / sqrt(size), by j
 *     gate        y = drop(a act(b))                         x = [a, b]: ReGLU, GEGLU, ... (Shazeer 2020)
 *
 * Each head has its own columns of q, k and v. A row of the batch is done on its own, in the order of
 * heads and tokens, so it has the same bits alone and among others. */
#include "nn_int.h"
#include "activation.h"
#include "attend.h"

/* ---- attention -------------------------------------------------------------------------------------- */

typedef struct Heads {
    size_t count;
    float dropout; /* of P, as a multiple of the step's rate */
} Heads;

enum { QUERY, KEY, VALUE };

/* What a row of the batch is made of; all [tokens][width] but p, [heads][queries][keys]. */
typedef struct Row {
    const float *q, *k, *v;
    float *p;
} Row;

static Row row_at(const Node *n, const Pass *p, size_t i)
{
    return (Row){.q = node_value(n->input[QUERY], p) + i * node_row(n->input[QUERY]),
                 .k = node_value(n->input[KEY], p) + i * node_row(n->input[KEY]),
                 .v = node_value(n->input[VALUE], p) + i * node_row(n->input[VALUE]),
                 .p = node_save(n, p) + i * n->save_width};
}

static float scale_of(const Node *n)
{
    return 1.0f / sqrtf((float)(n->width / ((const Heads *)n->attr)->count));
}

static void drop_row(const Node *n, const Pass *p, float *shares, size_t i)
{
    const Heads *h = n->attr;
    float rate = p->dropout * h->dropout;
    if (rate > 0)
        dropout_apply(n, p, rate > 0.95f ? 0.95f : rate, shares, (p->begin + i) * n->save_width,
                      n->save_width);
}

static void attend(const Node *n, const Pass *p)
{
    const Heads *h = n->attr;
    size_t keys = n->input[KEY]->tokens, wide = n->width, size = wide / h->count;
    float scale = scale_of(n), *dropped = p->scratch;
    float *turned = dropped + 2 * n->save_width, *one = turned + size * attend_padded(keys);
    for (size_t i = 0; i < p->rows; i++) {
        Row r = row_at(n, p, i);
        float *share = r.p, *y = node_value(n, p) + i * node_row(n);
        for (size_t c = 0; c < wide; c += size) {
            attend_turn(turned, r.k + c, wide, keys, size);
            for (size_t t = 0; t < n->tokens; t++, share += keys) {
                attend_dots(one, r.q + t * wide + c, turned, scale, keys, size);
                attend_share(one, keys);
                memcpy(share, one, keys * sizeof *one);
            }
        }
        memcpy(dropped, r.p, n->save_width * sizeof *dropped);
        drop_row(n, p, dropped, i);
        memset(y, 0, node_row(n) * sizeof *y);
        share = dropped;
        for (size_t c = 0; c < wide; c += size)
            for (size_t t = 0; t < n->tokens; t++, share += keys)
                attend_mix(y + t * wide + c, share, 1, r.v + c, wide, keys, size);
    }
}

/* dp = dy v', by heads: [heads][queries][keys] */
static void share_back(const Node *n, const Pass *p, const Row *r, const float *dy, float *dp)
{
    size_t keys = n->input[KEY]->tokens, wide = n->width;
    size_t size = wide / ((const Heads *)n->attr)->count;
    float *turned = p->scratch + 2 * n->save_width, *one = turned + size * attend_padded(keys);
    for (size_t c = 0; c < wide; c += size) {
        attend_turn(turned, r->v + c, wide, keys, size);
        for (size_t t = 0; t < n->tokens; t++, dp += keys) {
            attend_dots(one, dy + t * wide + c, turned, 1.0f, keys, size);
            memcpy(dp, one, keys * sizeof *one);
        }
    }
}

/* y = drop(P) v:  dv += drop(P)' dy,  dP = drop(dy v'),  dS = P (dP - sum P dP),
 * dq += dS k scale,  dk += dS' q scale */
static void attend_back(const Node *n, const Pass *p)
{
    const Heads *h = n->attr;
    size_t keys = n->input[KEY]->tokens, wide = n->width, size = wide / h->count;
    float scale = scale_of(n), *dropped = p->scratch, *dp = dropped + n->save_width;
    for (size_t i = 0; i < p->rows; i++) {
        Row r = row_at(n, p, i);
        const float *dy = node_grad(n, p) + i * node_row(n);
        float *d[3];
        for (size_t k = 0; k < 3; k++) {
            const Node *x = n->input[k];
            d[k] = node_grad(x, p) + i * node_row(x);
            if (n->fresh[k])
                memset(d[k], 0, node_row(x) * sizeof *d[k]);
        }
        memcpy(dropped, r.p, n->save_width * sizeof *dropped);
        drop_row(n, p, dropped, i);
        share_back(n, p, &r, dy, dp);
        drop_row(n, p, dp, i);
        size_t at = 0, head = n->tokens * keys;
        for (size_t c = 0; c < wide; c += size, at += head) {
            float *ds = dp + at;
            for (size_t t = 0; t < n->tokens; t++, ds += keys) {
                const float *share = r.p + at + t * keys;
                float sum = row_dot(share, ds, keys);
                for (size_t j = 0; j < keys; j++)
                    ds[j] = share[j] * (ds[j] - sum) * scale;
                attend_mix(d[QUERY] + t * wide + c, ds, 1, r.k + c, wide, keys, size);
            }
            for (size_t j = 0; j < keys; j++) {
                attend_mix(d[KEY] + j * wide + c, dp + at + j, keys, r.q + c, wide, n->tokens,
                           size);
                attend_mix(d[VALUE] + j * wide + c, dropped + at + j, keys, dy + c, wide, n->tokens,
                           size);
            }
        }
    }
}

Node *graph_attention(Graph *g, const char *name, Node *q, Node *k, Node *v, size_t heads,
                      double dropout)
{
    assert(q->width == k->width && k->width == v->width && k->tokens == v->tokens);
    assert(heads > 0 && q->width % heads == 0);
    assert(q->needs_grad && k->needs_grad && v->needs_grad);
    Node *n = graph_node(g, &attention_op, name, (Node *[]){q, k, v}, 3, q->width);
    Heads *h = ARENA_NEW(&g->arena, Heads, 1);
    *h = (Heads){.count = heads, .dropout = (float)dropout};
    n->attr = h;
    n->save_width = heads * q->tokens * k->tokens;
    n->scratch = 2 * n->save_width + attend_scratch(k->tokens, q->width / heads);
    return n;
}

/* x [rows][tokens][heads * size] -> [rows][heads][tokens][size], or the last two swapped */
static const char *by_heads(const OnnxPass *p, const char *x, size_t tokens, size_t heads,
                            size_t size, bool swapped)
{
    const char *y = onnx_reshape(
        p->onnx, x, (int64_t[]){-1, (int64_t)tokens, (int64_t)heads, (int64_t)size}, 4);
    y = onnx_node(p->onnx, "Transpose", y, NULL);
    onnx_set_wholes(p->onnx, "perm", swapped ? (int64_t[]){0, 2, 3, 1} : (int64_t[]){0, 2, 1, 3},
                    4);
    return y;
}

static const char *say_attention(const Node *n, const OnnxPass *p, const char *const *x)
{
    Onnx *o = p->onnx;
    size_t heads = ((const Heads *)n->attr)->count, size = n->width / heads;
    size_t keys = n->input[KEY]->tokens;
    const char *q = by_heads(p, x[QUERY], n->tokens, heads, size, false);
    const char *k = by_heads(p, x[KEY], keys, heads, size, true);
    const char *v = by_heads(p, x[VALUE], keys, heads, size, false);
    const char *y =
        onnx_node(o, "Mul", onnx_node(o, "MatMul", q, k, NULL), onnx_float(o, scale_of(n)), NULL);
    y = onnx_node(o, "Softmax", y, NULL);
    onnx_set_whole(o, "axis", -1);
    y = onnx_node(o, "Transpose", onnx_node(o, "MatMul", y, v, NULL), NULL);
    onnx_set_wholes(o, "perm", (int64_t[]){0, 2, 1, 3}, 4);
    return onnx_shape(p, y, n->tokens, n->width);
}

static Node *sample_attention(Graph *g, Node *x)
{
    Node *y = graph_sequence(g, "sample.tokens", &x, 1, 2, true); /* four tokens of two */
    Node *q = graph_dense(g, "sample.q", graph_slice(g, y, 1, 2, false), 6, (Tail){0});
    Node *k = graph_dense(g, "sample.k", y, 6, (Tail){0});
    Node *v = graph_dense(g, "sample.v", y, 6, (Tail){0});
    y = graph_attention(g, "sample", q, k, v, 2, 1.0);
    Node *again = graph_attention(g, "again", k, k, k, 3, 0.0); /* one node thrice */
    y = graph_slice(g, y, 0, y->tokens, true);
    return graph_concat(g, (Node *[]){y, graph_slice(g, again, 0, 1, false)}, 2);
}

/* ---- gate ------------------------------------------------------------------------------------------- */

/* x [rows][2 width] = [a, b]   y [rows][width]   the row's scratch: act(b) */
static void gate(const Node *n, const Pass *p)
{
    Activation act = *(const Activation *)n->attr;
    size_t width = n->width;
    const float *x = node_value(n->input[0], p);
    float *value = node_value(n, p), *restrict y = value;
    for (size_t i = 0; i < p->rows * n->tokens; i++, x += 2 * width, y += width) {
        memcpy(y, x + width, width * sizeof *y);
        activation_forward(act, y, width);
        for (size_t k = 0; k < width; k++)
            y[k] *= x[k];
    }
    tail_forward(n, p, value, NULL);
}

/* y = a act(b):  da += dy act(b),  db += dy a act'(b) */
static void gate_back(const Node *n, const Pass *p)
{
    Node *input = n->input[0];
    if (!input->needs_grad)
        return;
    Activation act = *(const Activation *)n->attr;
    size_t width = n->width;
    float *restrict value = p->scratch, *restrict slope = value + width;
    const float *x = node_value(input, p);
    float *dy = node_grad(n, p), *restrict dx = node_grad(input, p);
    tail_backward(n, p, dy);
    for (size_t i = 0; i < p->rows * n->tokens; i++, x += 2 * width, dx += 2 * width, dy += width) {
        memcpy(value, x + width, width * sizeof *value);
        activation_forward(act, value, width);
        for (size_t k = 0; k < width; k++)
            slope[k] = dy[k] * x[k];
        activation_backward(act, slope, x + width, value, width);
        if (n->fresh[0])
            memset(dx, 0, 2 * width * sizeof *dx);
        for (size_t k = 0; k < width; k++) {
            dx[k] += dy[k] * value[k];
            dx[width + k] += slope[k];
        }
    }
}

Node *graph_gate(Graph *g, Node *x, Activation act, bool dropout)
{
    assert(x->width % 2 == 0);
    Node *n = graph_node(g, &gate_op, NULL, &x, 1, x->width / 2);
    Activation *own = ARENA_NEW(&g->arena, Activation, 1);
    *own = act;
    n->attr = own;
    n->tail.dropout = dropout;
    n->scratch = x->width;
    return n;
}

static const char *say_gate(const Node *n, const OnnxPass *p, const char *const *x)
{
    const char *a = onnx_part(p, x[0], -1, 0, n->width);
    const char *b = onnx_part(p, x[0], -1, n->width, 2 * n->width);
    b = onnx_activation(*(const Activation *)n->attr, p, b);
    return onnx_tail(n, p, onnx_node(p->onnx, "Mul", a, b, NULL));
}

static Node *sample_gate(Graph *g, Node *x)
{
    Node *y = graph_gate(g, x, ACT_GELU, true);
    return graph_concat(g, (Node *[]){y, graph_gate(g, x, ACT_SIGMOID, false), x}, 3);
}

const Op attention_op = {
    .name = "attention",
    .about = "y = softmax(q k' / sqrt(size)) v, by heads",
    .forward = attend,
    .backward = attend_back,
    .sample = sample_attention,
    .onnx = say_attention,
};

const Op gate_op = {
    .name = "gate",
    .about = "y = a act(b), x = [a, b]",
    .forward = gate,
    .backward = gate_back,
    .sample = sample_gate,
    .onnx = say_gate,
};
