/* op_lstm.c -- a layer with a memory, step after step (Hochreiter and Schmidhuber 1997, as PyTorch has it):
 *
 *     [i, f, g, o] = x[t] w + h[t-1] u + b     i, f, o through sigmoid, g through tanh
 *     c[t] = f c[t-1] + i g                    h[t] = o tanh(c[t])
 *
 * A step's value is [h, c]. The products with x are made for all steps at once; those with h for some rows
 * of the batch at a time. Each number is summed in the same order whatever rows stand beside it. */
#include "nn_int.h"
#include "activation.h"

#define ROWS_AT_ONCE 16

enum { INPUT_WEIGHT, HIDDEN_WEIGHT, BIAS };
enum { STEPS, BEGIN }; /* inputs; BEGIN, [1][h, c], may be left out: zeros */

static Way way_of(const Node *n)
{
    return (Way){.products = n->graph->plan.products, .precision = n->graph->plan.precision};
}

static void prepare(Node *n)
{
    size_t size = n->width / 2, in = gemm_scratch(way_of(n), n->input[STEPS]->width, 4 * size);
    size_t own = gemm_scratch(way_of(n), size, 4 * size);
    n->scratch = 7 * ROWS_AT_ONCE * size + (in > own ? in : own) + BLOCK_ALIGN;
}

typedef struct Lstm {
    size_t rows, steps, in, d;
    const float *begin;            /* [rows][2d] or NULL */
    float *gate, *value;           /* [rows][steps][4d], [rows][steps][2d] */
    float *state, *sums, *scratch; /* [ROWS_AT_ONCE][d], [ROWS_AT_ONCE][4d], the products' */
} Lstm;

static Lstm lstm_of(const Node *n, const Pass *p)
{
    Lstm l = {.rows = p->rows, .steps = n->tokens, .in = n->input[STEPS]->width, .d = n->width / 2};
    l.begin = n->inputs > BEGIN ? node_value(n->input[BEGIN], p) : NULL;
    l.gate = node_save(n, p);
    l.value = node_value(n, p);
    l.state = p->scratch;
    l.sums = l.state + 2 * ROWS_AT_ONCE * l.d;
    l.scratch = l.sums + ROWS_AT_ONCE * 4 * l.d;
    return l;
}

/* [h, c] of the step before, of a row; NULL: zeros */
static const float *before(const Lstm *l, size_t row, size_t t)
{
    if (t > 0)
        return l->value + (row * l->steps + t - 1) * 2 * l->d;
    return l->begin ? l->begin + row * 2 * l->d : NULL;
}

/* to [n][d]: h of the step before */
static void gather_h(const Lstm *l, size_t first, size_t n, size_t t, float *to)
{
    for (size_t i = 0; i < n; i++) {
        const float *h = before(l, first + i, t);
        if (h)
            memcpy(to + i * l->d, h, l->d * sizeof *to);
        else
            memset(to + i * l->d, 0, l->d * sizeof *to);
    }
}

static void one_step(const Lstm *l, size_t row, size_t t, const float *restrict sums)
{
    size_t d = l->d;
    float *restrict gate = l->gate + (row * l->steps + t) * 4 * d;
    float *restrict y = l->value + (row * l->steps + t) * 2 * d;
    const float *was = before(l, row, t);
    for (size_t k = 0; k < 4 * d; k++)
        gate[k] += sums[k];
    for (size_t k = 0; k < 2 * d; k++)
        gate[k] = sigmoid_near(gate[k]);
    for (size_t k = 2 * d; k < 3 * d; k++)
        gate[k] = tanh_near(gate[k]);
    for (size_t k = 3 * d; k < 4 * d; k++)
        gate[k] = sigmoid_near(gate[k]);
    for (size_t k = 0; k < d; k++)
        y[d + k] = gate[k] * gate[2 * d + k] + (was ? gate[d + k] * was[d + k] : 0.0f);
    for (size_t k = 0; k < d; k++)
        y[k] = gate[3 * d + k] * tanh_near(y[d + k]);
}

static void forward(const Node *n, const Pass *p)
{
    Lstm l = lstm_of(n, p);
    gemm_forward(way_of(n), l.gate, node_value(n->input[STEPS], p), node_weights(n, INPUT_WEIGHT),
                 node_weights(n, BIAS), false, l.rows * l.steps, l.in, 4 * l.d, l.scratch);
    for (size_t first = 0; first < l.rows; first += ROWS_AT_ONCE) {
        size_t rows = l.rows - first < ROWS_AT_ONCE ? l.rows - first : ROWS_AT_ONCE;
        for (size_t t = 0; t < l.steps; t++) {
            gather_h(&l, first, rows, t, l.state);
            gemm_forward(way_of(n), l.sums, l.state, node_weights(n, HIDDEN_WEIGHT), NULL, false,
                         rows, l.d, 4 * l.d, l.scratch);
            for (size_t i = 0; i < rows; i++)
                one_step(&l, first + i, t, l.sums + i * 4 * l.d);
        }
    }
}

/* One step of a row back. The gates become the gradient before their activations; dh and dc [d] come from
 * the step after, and leave as dc of the step before. */
static void one_step_back(const Lstm *l, size_t row, size_t t, const float *restrict dy,
                          const float *restrict dh, float *restrict dc)
{
    size_t d = l->d;
    float *restrict z = l->gate + (row * l->steps + t) * 4 * d;
    const float *c = l->value + (row * l->steps + t) * 2 * d + d, *was = before(l, row, t);
    for (size_t k = 0; k < d; k++) {
        float i = z[k], f = z[d + k], g = z[2 * d + k], o = z[3 * d + k], bent = tanh_near(c[k]);
        float dk = dy[k] + dh[k], sum = dy[d + k] + dc[k] + dk * o * (1.0f - bent * bent);
        z[k] = sum * g * i * (1.0f - i);
        z[d + k] = was ? sum * was[d + k] * f * (1.0f - f) : 0.0f;
        z[2 * d + k] = sum * i * (1.0f - g * g);
        z[3 * d + k] = dk * bent * o * (1.0f - o);
        dc[k] = sum * f;
    }
}

static void begin_back(const Node *n, const Pass *p, size_t row, const float *dh, const float *dc)
{
    size_t d = n->width / 2;
    if (n->inputs <= BEGIN || !n->input[BEGIN]->needs_grad)
        return;
    float *to = node_grad(n->input[BEGIN], p) + row * 2 * d;
    for (size_t k = 0; k < d; k++) {
        to[k] = n->fresh[BEGIN] ? dh[k] : to[k] + dh[k];
        to[d + k] = n->fresh[BEGIN] ? dc[k] : to[d + k] + dc[k];
    }
}

/* z = x w + h u + b:  dw += x' dz,  du += h' dz,  db += dz,  dx += dz w',  dh before += dz u' */
static void backward(const Node *n, const Pass *p)
{
    Lstm l = lstm_of(n, p);
    const Node *x = n->input[STEPS];
    size_t d = l.d, all = l.rows * l.steps;
    float *dh = l.state, *dc = dh + ROWS_AT_ONCE * d, *h = l.scratch;
    float *scratch = h + ROWS_AT_ONCE * d, *du = node_gradient(n, p, HIDDEN_WEIGHT);
    memset(du, 0, d * 4 * d * sizeof *du);
    for (size_t first = 0; first < l.rows; first += ROWS_AT_ONCE) {
        size_t rows = l.rows - first < ROWS_AT_ONCE ? l.rows - first : ROWS_AT_ONCE;
        memset(dh, 0, 2 * ROWS_AT_ONCE * d * sizeof *dh);
        for (size_t t = l.steps; t-- > 0;) {
            for (size_t i = 0; i < rows; i++) {
                size_t at = (first + i) * l.steps + t;
                one_step_back(&l, first + i, t, node_grad(n, p) + at * 2 * d, dh + i * d,
                              dc + i * d);
                memcpy(l.sums + i * 4 * d, l.gate + at * 4 * d, 4 * d * sizeof *l.sums);
            }
            gather_h(&l, first, rows, t, h);
            gemm_weight(way_of(n), du, h, l.sums, true, rows, d, 4 * d, scratch);
            gemm_input(way_of(n), dh, l.sums, node_weights(n, HIDDEN_WEIGHT), NULL, false, rows, d,
                       4 * d, scratch);
        }
        for (size_t i = 0; i < rows; i++)
            begin_back(n, p, first + i, dh + i * d, dc + i * d);
    }
    gemm_weight(way_of(n), node_gradient(n, p, INPUT_WEIGHT), node_value(x, p), l.gate, false, all,
                l.in, 4 * d, scratch);
    column_sums(node_gradient(n, p, BIAS), l.gate, all, 4 * d, false);
    if (x->needs_grad)
        gemm_input(way_of(n), node_grad(x, p), l.gate, node_weights(n, INPUT_WEIGHT), NULL,
                   !n->fresh[STEPS], all, l.in, 4 * d, scratch);
}

Node *graph_lstm(Graph *g, const char *name, Node *x, Node *begin, size_t size)
{
    assert(!begin || (begin->tokens == 1 && begin->width == 2 * size));
    Node *n = graph_node(g, &lstm_op, name, (Node *[]){x, begin}, begin ? 2 : 1, 2 * size);
    float bound = 1.0f / sqrtf((float)size);
    node_param(n, "input", x->width, 4 * size, true, INIT_UNIFORM, bound);
    node_param(n, "hidden", size, 4 * size, true, INIT_UNIFORM, bound);
    node_param(n, "bias", 4 * size, 0, false, INIT_UNIFORM, bound);
    n->tokens = x->tokens;
    n->save_width = n->tokens * 4 * size;
    return n;
}

static Node *sample(Graph *g, Node *x)
{
    Node *y = graph_sequence(g, "sample.steps", &x, 1, 2, false); /* three steps of two */
    y = graph_lstm(g, "sample", y, NULL, 3);
    Node *last = graph_slice(g, y, 2, 1, false);
    Node *again = graph_lstm(g, "again", graph_part(g, y, 0, 3), last, 3);
    return graph_slice(g, again, 0, 3, true);
}

const Op lstm_op = {
    .name = "lstm",
    .about = "[h, c] step by step, from those of the step before",
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .sample = sample,
};
