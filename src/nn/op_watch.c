/* op_watch.c -- attention that can be read: every head looks with its own q and k, but all see the same
 * values, so that the mean of their shares says where the answer comes from (Lim et al. 2019).
 *
 *     y[i] = 1 / heads  sum over heads h and j of drop(P[h][i][j]) v[j]
 *     P[h][i] = softmax of q[i] . k[j] / sqrt(size), by j up to the place of i
 *
 * The queries are the last steps of the keys: query i may see keys up to keys - queries + i. */
#include "nn_int.h"
#include "activation.h"
#include "vector.h"

typedef struct Watch {
    size_t heads;
    float dropout; /* of P, as a multiple of the step's rate */
} Watch;

enum { QUERY, KEY, VALUE };

static size_t seen_by(const Node *n, size_t query)
{
    return n->input[KEY]->tokens - n->tokens + query + 1;
}

/* Shares of row i as the values are summed with: [heads][queries][keys] */
static const float *dropped(const Node *n, const Pass *p, size_t i, const float *share)
{
    const Watch *w = n->attr;
    float rate = p->dropout * w->dropout, *copy = p->scratch;
    if (rate <= 0)
        return share;
    memcpy(copy, share, n->save_width * sizeof *copy);
    dropout_apply(n, p, rate > 0.95f ? 0.95f : rate, copy, (p->begin + i) * n->save_width,
                  n->save_width);
    return copy;
}

static void look(const Node *n, const Pass *p)
{
    const Watch *w = n->attr;
    size_t keys = n->input[KEY]->tokens, wide = n->input[KEY]->width, size = wide / w->heads;
    float scale = 1.0f / sqrtf((float)size), part = 1.0f / (float)w->heads;
    for (size_t i = 0; i < p->rows; i++) {
        const float *q = node_value(n->input[QUERY], p) + i * n->tokens * wide;
        const float *k = node_value(n->input[KEY], p) + i * keys * wide;
        const float *v = node_value(n->input[VALUE], p) + i * keys * n->width;
        float *share = node_save(n, p) + i * n->save_width, *at = share;
        float *y = node_value(n, p) + i * node_row(n);
        memset(share, 0, n->save_width * sizeof *share);
        for (size_t c = 0; c < wide; c += size)
            for (size_t t = 0; t < n->tokens; t++, at += keys) {
                for (size_t j = 0; j < seen_by(n, t); j++)
                    at[j] = row_dot(q + t * wide + c, k + j * wide + c, size) * scale;
                softmax_near(at, seen_by(n, t));
            }
        const float *sum = dropped(n, p, i, share);
        memset(y, 0, node_row(n) * sizeof *y);
        for (size_t h = 0; h < w->heads; h++)
            for (size_t t = 0; t < n->tokens; t++, sum += keys)
                for (size_t j = 0; j < seen_by(n, t); j++)
                    for (size_t c = 0; c < n->width; c++)
                        y[t * n->width + c] += part * sum[j] * v[j * n->width + c];
    }
}

/* Into the gradient of input x of row i; cleared by who comes first. */
static float *gradient_of(const Node *n, const Pass *p, size_t which, size_t i)
{
    const Node *x = n->input[which];
    float *d = node_grad(x, p) + i * node_row(x);
    if (n->fresh[which])
        memset(d, 0, node_row(x) * sizeof *d);
    return d;
}

/* dv += drop(P)' dy,  dP = drop(dy v'),  dS = P (dP - sum P dP),  dq += dS k scale,  dk += dS' q scale */
static void look_back(const Node *n, const Pass *p)
{
    const Watch *w = n->attr;
    size_t keys = n->input[KEY]->tokens, wide = n->input[KEY]->width, size = wide / w->heads;
    float scale = 1.0f / sqrtf((float)size), part = 1.0f / (float)w->heads;
    float rate = p->dropout * w->dropout, *slope = p->scratch + n->save_width;
    for (size_t i = 0; i < p->rows; i++) {
        const float *q = node_value(n->input[QUERY], p) + i * n->tokens * wide;
        const float *k = node_value(n->input[KEY], p) + i * keys * wide;
        const float *v = node_value(n->input[VALUE], p) + i * keys * n->width;
        const float *share = node_save(n, p) + i * n->save_width,
                    *dy = node_grad(n, p) + i * node_row(n);
        const float *sum = dropped(n, p, i, share);
        float *dv = gradient_of(n, p, VALUE, i), *dk = gradient_of(n, p, KEY, i);
        float *dq = gradient_of(n, p, QUERY, i), *at = slope;
        memset(slope, 0, n->save_width * sizeof *slope);
        for (size_t h = 0; h < w->heads; h++)
            for (size_t t = 0; t < n->tokens; t++, at += keys, sum += keys)
                for (size_t j = 0; j < seen_by(n, t); j++) {
                    const float *from = dy + t * n->width, *value = v + j * n->width;
                    at[j] = part * row_dot(from, value, n->width);
                    for (size_t c = 0; c < n->width; c++)
                        dv[j * n->width + c] += part * sum[j] * from[c];
                }
        if (rate > 0)
            dropout_apply(n, p, rate > 0.95f ? 0.95f : rate, slope, (p->begin + i) * n->save_width,
                          n->save_width);
        at = slope;
        for (size_t c = 0; c < wide; c += size)
            for (size_t t = 0; t < n->tokens; t++, at += keys, share += keys) {
                float all = row_dot(share, at, keys);
                for (size_t j = 0; j < seen_by(n, t); j++) {
                    float ds = share[j] * (at[j] - all) * scale;
                    for (size_t e = c; e < c + size; e++) {
                        dq[t * wide + e] += ds * k[j * wide + e];
                        dk[j * wide + e] += ds * q[t * wide + e];
                    }
                }
            }
    }
}

Node *graph_watch(Graph *g, const char *name, Node *q, Node *k, Node *v, size_t heads,
                  double dropout)
{
    assert(q->width == k->width && k->tokens == v->tokens && q->tokens <= k->tokens);
    assert(heads > 0 && q->width % heads == 0 && q != k && k != v && q != v);
    assert(q->needs_grad && k->needs_grad && v->needs_grad);
    Node *n = graph_node(g, &watch_op, name, (Node *[]){q, k, v}, 3, v->width);
    Watch *w = ARENA_NEW(&g->arena, Watch, 1);
    *w = (Watch){.heads = heads, .dropout = (float)dropout};
    n->attr = w;
    n->save_width = heads * q->tokens * k->tokens;
    n->scratch = 2 * n->save_width;
    return n;
}

static Node *sample(Graph *g, Node *x)
{
    Node *y = graph_sequence(g, "sample.steps", &x, 1, 2, false); /* three steps of two */
    Node *q = graph_dense(g, "sample.q", graph_slice(g, y, 1, 2, false), 4, (Tail){0});
    Node *k = graph_dense(g, "sample.k", y, 4, (Tail){0});
    Node *v = graph_dense(g, "sample.v", y, 3, (Tail){0});
    y = graph_watch(g, "sample", q, k, v, 2, 1.0);
    return graph_slice(g, y, 0, y->tokens, true);
}

const Op watch_op = {
    .name = "watch",
    .about = "y = mean over heads of softmax(q k') v, up to each query's place",
    .forward = look,
    .backward = look_back,
    .sample = sample,
};
