/* op_mask.c -- operators that choose among numbers: affine, product, part, sparsemax, and the penalty
 * on a mask that has not made up its mind. */
#include "nn_int.h"

/* dst[i] = or += what */
#define PUT(dst, i, fresh, what) ((dst)[i] = (fresh) ? (what) : (dst)[i] + (what))

/* ---- affine: y = scale x + shift ------------------------------------------------------------------- */

typedef struct AffineAttr {
    float scale, shift;
} AffineAttr;

static void affine(const Node *n, const Pass *p)
{
    const AffineAttr *a = n->attr;
    const float *restrict x = node_value(n->input[0], p);
    float *restrict y = node_value(n, p);
    for (size_t i = 0; i < p->rows * node_row(n); i++)
        y[i] = a->scale * x[i] + a->shift;
}

/* y = scale x + shift:  dx += scale dy */
static void affine_back(const Node *n, const Pass *p)
{
    const AffineAttr *a = n->attr;
    Node *x = n->input[0];
    const float *dy = node_grad(n, p);
    float *dx = x->needs_grad ? node_grad(x, p) : NULL;
    for (size_t i = 0; dx && i < p->rows * node_row(n); i++)
        PUT(dx, i, n->fresh[0], a->scale * dy[i]);
}

Node *graph_affine(Graph *g, Node *x, double scale, double shift)
{
    Node *n = graph_node(g, &affine_op, NULL, &x, 1, x->width);
    AffineAttr *a = ARENA_NEW(&g->arena, AffineAttr, 1);
    *a = (AffineAttr){(float)scale, (float)shift};
    n->attr = a;
    return n;
}

static const char *say_affine(const Node *n, const OnnxPass *p, const char *const *x)
{
    const AffineAttr *a = n->attr;
    const char *y = onnx_node(p->onnx, "Mul", x[0], onnx_float(p->onnx, a->scale), NULL);
    return onnx_node(p->onnx, "Add", y, onnx_float(p->onnx, a->shift), NULL);
}

static Node *sample_affine(Graph *g, Node *x)
{
    return graph_affine(g, x, -1.5, 0.3);
}

/* ---- product: y = a b ------------------------------------------------------------------------------- */

static void product(const Node *n, const Pass *p)
{
    const float *a = node_value(n->input[0], p), *b = node_value(n->input[1], p);
    float *restrict y = node_value(n, p);
    for (size_t i = 0; i < p->rows * node_row(n); i++)
        y[i] = a[i] * b[i];
}

/* y = a b:  da += b dy,  db += a dy */
static void product_back(const Node *n, const Pass *p)
{
    const float *dy = node_grad(n, p);
    for (size_t k = 0; k < 2; k++) {
        const float *other = node_value(n->input[1 - k], p);
        float *d = n->input[k]->needs_grad ? node_grad(n->input[k], p) : NULL;
        for (size_t i = 0; d && i < p->rows * node_row(n); i++)
            PUT(d, i, n->fresh[k], other[i] * dy[i]);
    }
}

Node *graph_product(Graph *g, Node *a, Node *b)
{
    assert(a->width == b->width && a->tokens == b->tokens);
    return graph_node(g, &product_op, NULL, (Node *[]){a, b}, 2, a->width);
}

static const char *say_product(const Node *n, const OnnxPass *p, const char *const *x)
{
    (void)n;
    return onnx_node(p->onnx, "Mul", x[0], x[1], NULL);
}

static Node *sample_product(Graph *g, Node *x)
{
    return graph_product(g, x, graph_activate(g, x, (Tail){.act = ACT_SILU}));
}

/* ---- part: y = some columns of x ---------------------------------------------------------------------- */

typedef struct PartAttr {
    size_t first;
} PartAttr;

static void part(const Node *n, const Pass *p)
{
    const Node *x = n->input[0];
    const float *from = node_value(x, p) + ((const PartAttr *)n->attr)->first;
    float *y = node_value(n, p);
    for (size_t i = 0; i < p->rows * n->tokens; i++, from += x->width, y += n->width)
        memcpy(y, from, n->width * sizeof *y);
}

/* y = x[first ..]:  dx[first ..] += dy; who comes first clears the columns left out */
static void part_back(const Node *n, const Pass *p)
{
    Node *x = n->input[0];
    if (!x->needs_grad)
        return;
    size_t first = ((const PartAttr *)n->attr)->first;
    const float *dy = node_grad(n, p);
    float *dx = node_grad(x, p);
    for (size_t i = 0; i < p->rows * n->tokens; i++, dy += n->width, dx += x->width) {
        if (n->fresh[0])
            memset(dx, 0, x->width * sizeof *dx);
        for (size_t k = 0; k < n->width; k++)
            dx[first + k] += dy[k];
    }
}

Node *graph_part(Graph *g, Node *x, size_t first, size_t count)
{
    assert(first + count <= x->width && count > 0);
    Node *n = graph_node(g, &part_op, NULL, &x, 1, count);
    PartAttr *a = ARENA_NEW(&g->arena, PartAttr, 1);
    a->first = first;
    n->attr = a;
    return n;
}

static const char *say_part(const Node *n, const OnnxPass *p, const char *const *x)
{
    size_t first = ((const PartAttr *)n->attr)->first;
    return onnx_part(p, x[0], -1, first, first + n->width);
}

static Node *sample_part(Graph *g, Node *x)
{
    Node *y = graph_part(g, x, 1, 3), *z = graph_part(g, x, 2, 3);
    return graph_add(g, y, graph_activate(g, z, (Tail){.act = ACT_TANH}));
}

/* ---- sparsemax: the nearest point of the simplex --------------------------------------------------------- */

/* y = max(x - t, 0) with t such that y sums to 1 (Martins and Astudillo 2016). Those at or below the
 * threshold of all that are left go, until none does (Michelot 1986). */
static void sparsemax(const Node *n, const Pass *p)
{
    const float *x = node_value(n->input[0], p);
    float *y = node_value(n, p);
    for (size_t i = 0; i < p->rows * n->tokens; i++, x += n->width, y += n->width) {
        float threshold = -INFINITY;
        size_t left = n->width + 1, before;
        do {
            float sum = 0;
            before = left;
            left = 0;
            for (size_t k = 0; k < n->width; k++)
                if (x[k] > threshold) {
                    sum += x[k];
                    left++;
                }
            if (left == 0) /* rounding took the last ones, or there is a NaN */
                break;
            threshold = (sum - 1.0f) / (float)left;
        } while (left < before);
        for (size_t k = 0; k < n->width; k++)
            y[k] = x[k] <= threshold ? 0.0f : x[k] - threshold; /* NaN stays NaN */
    }
}

/* dx += dy - mean of dy, both over where y is above zero */
static void sparsemax_back(const Node *n, const Pass *p)
{
    Node *input = n->input[0];
    if (!input->needs_grad)
        return;
    const float *y = node_value(n, p), *dy = node_grad(n, p);
    float *dx = node_grad(input, p);
    size_t w = n->width;
    for (size_t i = 0; i < p->rows * n->tokens; i++, y += w, dy += w, dx += w) {
        float sum = 0, count = 0;
        for (size_t k = 0; k < w; k++)
            if (y[k] > 0) {
                sum += dy[k];
                count++;
            }
        float mean = count > 0 ? sum / count : 0.0f;
        for (size_t k = 0; k < w; k++)
            PUT(dx, k, n->fresh[0], y[k] > 0 ? dy[k] - mean : 0.0f);
    }
}

Node *graph_sparsemax(Graph *g, Node *x)
{
    return graph_node(g, &sparsemax_op, NULL, &x, 1, x->width);
}

/* Number i is above the threshold when 1 + c x[i] > s, with c and s the count and the sum of those that
 * are not below it; the threshold follows from all that are. */
static const char *say_sparsemax(const Node *n, const OnnxPass *p, const char *const *x)
{
    Onnx *o = p->onnx;
    int64_t w = (int64_t)n->width;
    const char *rows = onnx_reshape(o, x[0], (int64_t[]){-1, 1, w}, 3);
    const char *own = onnx_reshape(o, x[0], (int64_t[]){-1, w, 1}, 3),
               *last = onnx_wholes(o, (int64_t[]){-1}, 1);
    const char *not_below =
        onnx_cast(o, onnx_node(o, "GreaterOrEqual", rows, own, NULL), ONNX_FLOAT);
    const char *count = onnx_node(o, "ReduceSum", not_below, last, NULL);
    const char *sum =
        onnx_node(o, "ReduceSum", onnx_node(o, "Mul", not_below, rows, NULL), last, NULL);
    const char *one = onnx_float(o, 1.0f);
    const char *top = onnx_node(o, "Add", onnx_node(o, "Mul", count, own, NULL), one, NULL);
    const char *in = onnx_cast(o, onnx_node(o, "Greater", top, sum, NULL), ONNX_FLOAT);
    const char *middle = onnx_wholes(o, (int64_t[]){1}, 1);
    const char *all = onnx_node(o, "ReduceSum", onnx_node(o, "Mul", in, own, NULL), middle, NULL);
    const char *t = onnx_node(o, "Div", onnx_node(o, "Sub", all, one, NULL),
                              onnx_node(o, "ReduceSum", in, middle, NULL), NULL);
    const char *y = onnx_node(o, "Relu", onnx_node(o, "Sub", own, t, NULL), NULL);
    return onnx_shape(p, y, n->tokens, n->width);
}

static Node *sample_sparsemax(Graph *g, Node *x)
{
    return graph_sparsemax(g, graph_affine(g, x, 0.05, 0)); /* clear of the kinks */
}

/* ---- penalty: y = x, and the loss grows by the entropy of x ------------------------------------------------ */

#define PENALTY_EPSILON 1e-15f

static void same(const Node *n, const Pass *p)
{
    memcpy(node_value(n, p), node_value(n->input[0], p), p->rows * node_row(n) * sizeof(float));
}

/* The loss shown leaves the penalty out; its gradient, rate / rows of d(-x log x), comes in here. */
static void penalty_back(const Node *n, const Pass *p)
{
    Node *input = n->input[0];
    if (!input->needs_grad)
        return;
    const float *x = node_value(n, p), *dy = node_grad(n, p);
    float *dx = node_grad(input, p);
    float rate = *(const float *)n->attr / (float)p->batch;
    for (size_t i = 0; i < p->rows * node_row(n); i++) {
        float more = logf(x[i] + PENALTY_EPSILON) + x[i] / (x[i] + PENALTY_EPSILON);
        PUT(dx, i, n->fresh[0], dy[i] - rate * more);
    }
}

Node *graph_entropy(Graph *g, Node *x, double rate)
{
    Node *n = graph_node(g, &entropy_op, NULL, &x, 1, x->width);
    float *attr = ARENA_NEW(&g->arena, float, 1);
    *attr = (float)rate;
    n->attr = attr;
    return n;
}

static const char *say_entropy(const Node *n, const OnnxPass *p, const char *const *x)
{
    (void)n, (void)p;
    return x[0];
}

static Node *sample_entropy(Graph *g, Node *x)
{
    return graph_entropy(g, graph_activate(g, x, (Tail){.act = ACT_SIGMOID}), 0);
}

const Op affine_op = {
    .name = "affine",
    .about = "y = scale x + shift, both given",
    .forward = affine,
    .backward = affine_back,
    .sample = sample_affine,
    .onnx = say_affine,
};

const Op product_op = {
    .name = "product",
    .about = "y = a b, number by number",
    .forward = product,
    .backward = product_back,
    .sample = sample_product,
    .onnx = say_product,
};

const Op part_op = {
    .name = "part",
    .about = "y = some columns of x",
    .forward = part,
    .backward = part_back,
    .sample = sample_part,
    .onnx = say_part,
};

const Op sparsemax_op = {
    .name = "sparsemax",
    .about = "y = the point nearest to x that is not negative and sums to 1",
    .forward = sparsemax,
    .backward = sparsemax_back,
    .sample = sample_sparsemax,
    .onnx = say_sparsemax,
};

const Op entropy_op = {
    .name = "entropy",
    .about = "y = x; the loss grows by a rate times the entropy of x",
    .forward = same,
    .backward = penalty_back,
    .sample = sample_entropy,
    .onnx = say_entropy,
};
