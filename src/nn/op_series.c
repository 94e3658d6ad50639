/* op_series.c -- operators for rows that are windows of a series: what a step holds as vectors, and steps
 * rearranged. A value is [groups x steps][width], all steps of a group one after the other.
 *
 *     variables  y[j][t] = x[its floats at step t] w[j] + b[j]     a vector a variable and step
 *     turn       y[t] = [x[0][t], x[1][t], ...]                    the groups of a step side by side
 *     select     y[t] = sum over j of softmax(s[t])[j] x[j][t]     which variable counts at a step
 *     spread     y[t] = x                                          one vector for all steps
 *     chain      y = x0, x1, ...                                   steps one after the other */
#include "nn_int.h"
#include "activation.h"

/* ---- variables -------------------------------------------------------------------------------------- */

typedef struct VariablesAttr {
    size_t count, steps;
    GraphVariable at[];
} VariablesAttr;

/* x [rows][wide]   w [all their floats][size]   b [count][size]   y [rows][count][steps][size] */
static void variables(const Node *n, const Pass *p)
{
    const VariablesAttr *a = n->attr;
    size_t size = n->width;
    const float *x = node_value(n->input[0], p), *bias = node_weights(n, 1);
    float *restrict y = node_value(n, p);
    for (size_t i = 0; i < p->rows; i++, x += n->input[0]->width) {
        const float *w = node_weights(n, 0);
        for (size_t j = 0; j < a->count; w += a->at[j++].width * size)
            for (size_t t = 0; t < a->steps; t++, y += size) {
                const float *from = x + a->at[j].at + t * a->at[j].stride;
                memcpy(y, bias + j * size, size * sizeof *y);
                for (size_t k = 0; k < a->at[j].width; k++) {
                    if (from[k] == 0.0f) /* most floats of a word's */
                        continue;
                    for (size_t c = 0; c < size; c++)
                        y[c] += from[k] * w[k * size + c];
                }
            }
    }
}

/* y = x w + b:  dw += x' dy,  db += dy,  dx += dy w' */
static void variables_back(const Node *n, const Pass *p)
{
    const VariablesAttr *a = n->attr;
    Node *input = n->input[0];
    size_t size = n->width, wide = input->width;
    const float *x = node_value(input, p), *dy = node_grad(n, p);
    float *dx = input->needs_grad ? node_grad(input, p) : NULL;
    float *first = node_gradient(n, p, 0), *db = node_gradient(n, p, 1);
    memset(first, 0, n->graph->tensor.at[n->param[0]].count * sizeof *first);
    memset(db, 0, a->count * size * sizeof *db);
    if (dx && n->fresh[0])
        memset(dx, 0, p->rows * wide * sizeof *dx);
    for (size_t i = 0; i < p->rows; i++, x += wide, dx = dx ? dx + wide : NULL) {
        size_t at = 0;
        for (size_t j = 0; j < a->count; at += a->at[j++].width * size)
            for (size_t t = 0; t < a->steps; t++, dy += size) {
                size_t place = a->at[j].at + t * a->at[j].stride;
                for (size_t c = 0; c < size; c++)
                    db[j * size + c] += dy[c];
                for (size_t k = 0; k < a->at[j].width; k++) {
                    float v = x[place + k], *restrict dw = first + at + k * size;
                    for (size_t c = 0; v != 0.0f && c < size; c++)
                        dw[c] += v * dy[c];
                    const float *w = node_weights(n, 0) + at + k * size;
                    for (size_t c = 0; dx && c < size; c++)
                        dx[place + k] += dy[c] * w[c];
                }
            }
    }
}

Node *graph_variables(Graph *g, const char *name, Node *x, const GraphVariable *v, size_t count,
                      size_t steps, size_t size)
{
    assert(x->tokens == 1 && count > 0 && steps > 0);
    Node *n = graph_node(g, &variables_op, name, &x, 1, size);
    VariablesAttr *a = (VariablesAttr *)arena_alloc(&g->arena, sizeof *a + count * sizeof *v);
    size_t floats = 0;
    *a = (VariablesAttr){.count = count, .steps = steps};
    for (size_t i = 0; i < count; i++) {
        assert(v[i].width > 0 && v[i].at + (steps - 1) * v[i].stride + v[i].width <= x->width);
        a->at[i] = v[i];
        floats += v[i].width;
    }
    n->attr = a;
    n->tokens = count * steps;
    float bound = 1.0f / sqrtf((float)floats / (float)count);
    node_param(n, "weight", floats, size, true, INIT_UNIFORM, bound);
    node_param(n, "bias", count, size, false, INIT_UNIFORM, bound);
    return n;
}

static Node *flat(Graph *g, Node *x)
{
    return graph_slice(g, x, 0, x->tokens, true);
}

static Node *sample_variables(Graph *g, Node *x)
{
    static const GraphVariable two[] = {{0, 1, 2}, {3, 0, 3}};
    return flat(g, graph_variables(g, "sample", x, two, 2, 3, 4));
}

/* ---- turn --------------------------------------------------------------------------------------------- */

typedef struct TurnAttr {
    size_t groups;
} TurnAttr;

static void turn(const Node *n, const Pass *p)
{
    size_t groups = ((const TurnAttr *)n->attr)->groups, width = n->input[0]->width;
    const float *x = node_value(n->input[0], p);
    float *y = node_value(n, p);
    for (size_t i = 0; i < p->rows; i++, y += node_row(n))
        for (size_t j = 0; j < groups; j++)
            for (size_t t = 0; t < n->tokens; t++, x += width)
                memcpy(y + t * n->width + j * width, x, width * sizeof *y);
}

/* y[t] = [x[0][t], ...]:  dx[j][t] += its columns of dy[t] */
static void turn_back(const Node *n, const Pass *p)
{
    Node *input = n->input[0];
    if (!input->needs_grad)
        return;
    size_t groups = ((const TurnAttr *)n->attr)->groups, width = input->width;
    const float *dy = node_grad(n, p);
    float *dx = node_grad(input, p);
    for (size_t i = 0; i < p->rows; i++, dy += node_row(n))
        for (size_t j = 0; j < groups; j++)
            for (size_t t = 0; t < n->tokens; t++, dx += width) {
                const float *from = dy + t * n->width + j * width;
                for (size_t k = 0; k < width; k++)
                    dx[k] = n->fresh[0] ? from[k] : dx[k] + from[k];
            }
}

Node *graph_turn(Graph *g, Node *x, size_t groups)
{
    assert(groups > 0 && x->tokens % groups == 0);
    Node *n = graph_node(g, &turn_op, NULL, &x, 1, x->width * groups);
    TurnAttr *a = ARENA_NEW(&g->arena, TurnAttr, 1);
    a->groups = groups;
    n->attr = a;
    n->tokens = x->tokens / groups;
    return n;
}

static Node *sample_turn(Graph *g, Node *x)
{
    Node *y = graph_sequence(g, "sample", &x, 1, 1, false); /* six steps of one */
    y = graph_turn(g, y, 2);
    return flat(g, graph_dense(g, "turned", y, 2, (Tail){0}));
}

/* ---- select ------------------------------------------------------------------------------------------- */

enum { SCORES, VALUES };

/* s [rows][steps][count]   x [rows][count][steps][width]   y [rows][steps][width]   save: softmax of s */
static void choose(const Node *n, const Pass *p)
{
    size_t count = n->input[SCORES]->width, steps = n->tokens, width = n->width;
    const float *s = node_value(n->input[SCORES], p), *x = node_value(n->input[VALUES], p);
    float *y = node_value(n, p), *share = node_save(n, p);
    for (size_t i = 0; i < p->rows; i++, x += count * steps * width)
        for (size_t t = 0; t < steps; t++, s += count, share += count, y += width) {
            memcpy(share, s, count * sizeof *share);
            softmax_near(share, count);
            memset(y, 0, width * sizeof *y);
            for (size_t j = 0; j < count; j++) {
                const float *from = x + (j * steps + t) * width;
                for (size_t k = 0; k < width; k++)
                    y[k] += share[j] * from[k];
            }
        }
}

/* y = sum P[j] x[j]:  dx[j] += P[j] dy,  dP[j] = dy . x[j],  ds = P (dP - sum P dP) */
static void choose_back(const Node *n, const Pass *p)
{
    size_t count = n->input[SCORES]->width, steps = n->tokens, width = n->width;
    const float *x = node_value(n->input[VALUES], p), *dy = node_grad(n, p);
    const float *share = node_save(n, p);
    float *ds = node_grad(n->input[SCORES], p), *dx = node_grad(n->input[VALUES], p);
    float *dp = p->scratch;
    for (size_t i = 0; i < p->rows; i++, x += count * steps * width, dx += count * steps * width)
        for (size_t t = 0; t < steps; t++, ds += count, share += count, dy += width) {
            float all = 0;
            for (size_t j = 0; j < count; j++) {
                const float *from = x + (j * steps + t) * width;
                float *restrict to = dx + (j * steps + t) * width, sum = 0;
                for (size_t k = 0; k < width; k++) {
                    sum += dy[k] * from[k];
                    to[k] = (n->fresh[VALUES] ? 0.0f : to[k]) + share[j] * dy[k];
                }
                dp[j] = sum;
                all += share[j] * sum;
            }
            for (size_t j = 0; j < count; j++) {
                float d = share[j] * (dp[j] - all);
                ds[j] = n->fresh[SCORES] ? d : ds[j] + d;
            }
        }
}

Node *graph_select(Graph *g, const char *name, Node *scores, Node *x)
{
    assert(x->tokens == scores->tokens * scores->width);
    assert(scores->needs_grad && x->needs_grad);
    Node *n = graph_node(g, &select_op, name, (Node *[]){scores, x}, 2, x->width);
    n->tokens = scores->tokens;
    n->save_width = scores->tokens * scores->width;
    n->scratch = scores->width;
    return n;
}

static Node *sample_select(Graph *g, Node *x)
{
    Node *values = graph_sequence(g, "sample.values", &x, 1, 1, false); /* three of two steps */
    Node *scores = graph_sequence(g, "sample.scores", &x, 1, 3, false); /* two steps of three */
    return flat(g, graph_select(g, "sample", scores, values));
}

/* ---- spread ------------------------------------------------------------------------------------------- */

static void spread(const Node *n, const Pass *p)
{
    const float *x = node_value(n->input[0], p);
    float *y = node_value(n, p);
    for (size_t i = 0; i < p->rows; i++, x += n->width)
        for (size_t t = 0; t < n->tokens; t++, y += n->width)
            memcpy(y, x, n->width * sizeof *y);
}

/* y[t] = x:  dx += sum over t of dy[t] */
static void spread_back(const Node *n, const Pass *p)
{
    Node *input = n->input[0];
    if (!input->needs_grad)
        return;
    const float *dy = node_grad(n, p);
    float *dx = node_grad(input, p);
    for (size_t i = 0; i < p->rows; i++, dx += n->width) {
        if (n->fresh[0])
            memset(dx, 0, n->width * sizeof *dx);
        for (size_t t = 0; t < n->tokens; t++, dy += n->width)
            for (size_t k = 0; k < n->width; k++)
                dx[k] += dy[k];
    }
}

Node *graph_spread(Graph *g, Node *x, size_t steps)
{
    assert(x->tokens == 1 && steps > 0);
    Node *n = graph_node(g, &spread_op, NULL, &x, 1, x->width);
    n->tokens = steps;
    return n;
}

static Node *sample_spread(Graph *g, Node *x)
{
    Node *y = graph_places(g, "sample", graph_spread(g, x, 3), 2);
    return flat(g, graph_activate(g, y, (Tail){.act = ACT_TANH}));
}

/* ---- chain -------------------------------------------------------------------------------------------- */

static void chain(const Node *n, const Pass *p)
{
    size_t row = node_row(n), at = 0;
    for (size_t k = 0; k < n->inputs; at += node_row(n->input[k++])) {
        size_t part = node_row(n->input[k]);
        const float *x = node_value(n->input[k], p);
        for (size_t i = 0; i < p->rows; i++)
            memcpy(node_value(n, p) + i * row + at, x + i * part, part * sizeof *x);
    }
}

/* y = x0, x1, ...:  dx0 += its steps of dy, ... */
static void chain_back(const Node *n, const Pass *p)
{
    size_t row = node_row(n), at = 0;
    for (size_t k = 0; k < n->inputs; at += node_row(n->input[k++])) {
        const Node *x = n->input[k];
        size_t part = node_row(x);
        if (!x->needs_grad)
            continue;
        for (size_t i = 0; i < p->rows; i++) {
            const float *dy = node_grad(n, p) + i * row + at;
            float *dx = node_grad(x, p) + i * part;
            for (size_t j = 0; j < part; j++)
                dx[j] = n->fresh[k] ? dy[j] : dx[j] + dy[j];
        }
    }
}

Node *graph_chain(Graph *g, Node *const *x, size_t n)
{
    Node *node = graph_node(g, &chain_op, NULL, x, n, x[0]->width);
    node->tokens = 0;
    for (size_t i = 0; i < n; i++) {
        assert(x[i]->width == x[0]->width);
        node->tokens += x[i]->tokens;
    }
    return node;
}

static Node *sample_chain(Graph *g, Node *x)
{
    Node *y = graph_activate(g, x, (Tail){.act = ACT_TANH});
    return flat(g, graph_chain(g, (Node *[]){x, y, x}, 3));
}

const Op variables_op = {
    .name = "variables",
    .about = "y[j][t] = x w[j] + b[j], a vector a variable and step",
    .forward = variables,
    .backward = variables_back,
    .sample = sample_variables,
};

const Op turn_op = {
    .name = "turn",
    .about = "y[t] = [x[0][t], x[1][t], ...]",
    .forward = turn,
    .backward = turn_back,
    .sample = sample_turn,
};

const Op select_op = {
    .name = "select",
    .about = "y[t] = sum of softmax(s[t])[j] x[j][t]",
    .forward = choose,
    .backward = choose_back,
    .sample = sample_select,
};

const Op spread_op = {
    .name = "spread",
    .about = "y[t] = x",
    .forward = spread,
    .backward = spread_back,
    .sample = sample_spread,
};

const Op chain_op = {
    .name = "chain",
    .about = "y = x0, x1, ..., step after step",
    .forward = chain,
    .backward = chain_back,
    .sample = sample_chain,
};
