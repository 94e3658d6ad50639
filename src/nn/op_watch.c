/* op_watch.c -- attention that can be read: every head looks with its own q and k, but all see the same
 * values, so that the mean of their shares says where the answer comes from (Lim et al. 2019).
 *
 *     y[i] = 1 / heads  sum over heads h and j of drop(P[h][i][j]) v[j]
 *     P[h][i] = softmax of q[i] . k[j] / sqrt(size), by j up to the place of i
 *
 * The queries are the last steps of the keys: query i may see keys up to keys - queries + i. */
#include "nn_int.h"
#include "attend.h"

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

/* Room for a head: keys or values turned, the same for a gradient, and a row of products. */
typedef struct Turned {
    float *keys, *slope, *one;
} Turned;

static Turned turned_at(const Node *n, const Pass *p)
{
    size_t most = attend_padded(n->input[KEY]->tokens);
    size_t wide = n->input[KEY]->width > n->width ? n->input[KEY]->width : n->width;
    float *at = p->scratch + 2 * n->save_width;
    return (Turned){at, at + wide * most, at + 2 * wide * most};
}

static void look(const Node *n, const Pass *p)
{
    const Watch *w = n->attr;
    size_t keys = n->input[KEY]->tokens, wide = n->input[KEY]->width, size = wide / w->heads;
    float scale = 1.0f / sqrtf((float)size), part = 1.0f / (float)w->heads;
    Turned r = turned_at(n, p);
    for (size_t i = 0; i < p->rows; i++) {
        const float *q = node_value(n->input[QUERY], p) + i * n->tokens * wide;
        const float *k = node_value(n->input[KEY], p) + i * keys * wide;
        const float *v = node_value(n->input[VALUE], p) + i * keys * n->width;
        float *share = node_save(n, p) + i * n->save_width, *at = share;
        float *y = node_value(n, p) + i * node_row(n);
        memset(share, 0, n->save_width * sizeof *share);
        for (size_t c = 0; c < wide; c += size) {
            attend_turn(r.keys, k + c, wide, keys, size);
            for (size_t t = 0; t < n->tokens; t++, at += keys) {
                attend_dots(r.one, q + t * wide + c, r.keys, scale, keys, size);
                attend_share(r.one, seen_by(n, t));
                memcpy(at, r.one, seen_by(n, t) * sizeof *at);
            }
        }
        const float *sum = dropped(n, p, i, share);
        memset(y, 0, node_row(n) * sizeof *y);
        for (size_t h = 0; h < w->heads; h++)
            for (size_t t = 0; t < n->tokens; t++, sum += keys)
                attend_mix(y + t * n->width, sum, 1, v, n->width, seen_by(n, t), n->width);
        for (size_t c = 0; c < node_row(n); c++)
            y[c] *= part;
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

/* dq += ds k scale and dk += ds' q scale of one head; ds [queries][keys] holds dP and becomes ds scaled. */
static void head_back(const Node *n, const float *share, float *ds, const float *q, const float *k,
                      float *dq, float *dk, Turned r)
{
    size_t keys = n->input[KEY]->tokens, wide = n->input[KEY]->width, padded = attend_padded(keys);
    size_t size = wide / ((const Watch *)n->attr)->heads;
    float scale = 1.0f / sqrtf((float)size);
    attend_turn(r.keys, k, wide, keys, size);
    memset(r.slope, 0, size * padded * sizeof *r.slope);
    for (size_t t = 0; t < n->tokens; t++, ds += keys, share += keys) {
        float all = row_dot(share, ds, keys);
        for (size_t j = 0; j < keys; j++)
            ds[j] = share[j] * (ds[j] - all) * scale;
        for (size_t e = 0; e < size; e++) {
            float by = q[t * wide + e], *restrict to = r.slope + e * padded;
            dq[t * wide + e] += row_dot(ds, r.keys + e * padded, keys);
            for (size_t j = 0; j < keys; j++)
                to[j] += by * ds[j];
        }
    }
    for (size_t j = 0; j < keys; j++)
        for (size_t e = 0; e < size; e++)
            dk[j * wide + e] += r.slope[e * padded + j];
}

/* dv += drop(P)' dy,  dP = drop(dy v'),  dS = P (dP - sum P dP),  dq += dS k scale,  dk += dS' q scale */
static void look_back(const Node *n, const Pass *p)
{
    const Watch *w = n->attr;
    size_t keys = n->input[KEY]->tokens, wide = n->input[KEY]->width, size = wide / w->heads;
    size_t head = n->tokens * keys;
    float rate = p->dropout * w->dropout, *slope = p->scratch + n->save_width;
    Turned r = turned_at(n, p);
    for (size_t i = 0; i < p->rows; i++) {
        const float *q = node_value(n->input[QUERY], p) + i * n->tokens * wide;
        const float *k = node_value(n->input[KEY], p) + i * keys * wide;
        const float *v = node_value(n->input[VALUE], p) + i * keys * n->width;
        const float *share = node_save(n, p) + i * n->save_width;
        float *dy = node_grad(n, p) + i * node_row(n);
        const float *sum = dropped(n, p, i, share);
        float *dv = gradient_of(n, p, VALUE, i), *dk = gradient_of(n, p, KEY, i);
        float *dq = gradient_of(n, p, QUERY, i), *at = slope;
        for (size_t c = 0; c < node_row(n); c++)
            dy[c] /= (float)w->heads;
        attend_turn(r.keys, v, n->width, keys, n->width);
        for (size_t h = 0; h < w->heads; h++, sum += head) {
            for (size_t t = 0; t < n->tokens; t++, at += keys) {
                attend_dots(r.one, dy + t * n->width, r.keys, 1.0f, keys, n->width);
                memcpy(at, r.one, keys * sizeof *at);
            }
            for (size_t j = 0; j < keys; j++)
                attend_mix(dv + j * n->width, sum + j, keys, dy, n->width, n->tokens, n->width);
        }
        if (rate > 0)
            dropout_apply(n, p, rate > 0.95f ? 0.95f : rate, slope, (p->begin + i) * n->save_width,
                          n->save_width);
        for (size_t h = 0; h < w->heads; h++)
            head_back(n, share + h * head, slope + h * head, q + h * size, k + h * size,
                      dq + h * size, dk + h * size, r);
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
    size_t most = q->width > v->width ? q->width : v->width;
    n->scratch = 2 * n->save_width + (2 * most + 1) * attend_padded(k->tokens);
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
