/* op_hide.c -- learning to fill in what was hidden, without labels (Arik and Pfister 2019):
 *
 *     hidden    S, 1 where a number is hidden, else 0: a fixed share of them, by a hash of the step
 *     missed    y = sqrt(mean of (guess - x)^2 over what is hidden)      one number a row
 *
 * With y as output and the squared loss against 0, what is made small is the mean squared error of the
 * hidden numbers. x counts as given: no gradient goes into it, or it would be made easy to guess. */
#include "nn_int.h"

#define TINY 1e-6f /* below the root, whose slope has no end at 0 */

/* ---- hidden ----------------------------------------------------------------------------------------- */

/* S [rows][width], the same for the same step and row. Predicting, the step is none: what is hidden stays
 * the same, so that two looks at the same rows can be compared. */
static void hidden(const Node *n, const Pass *p)
{
    float *y = node_value(n, p), rate = *(const float *)n->attr;
    for (size_t i = 0; i < p->rows * node_row(n); i++)
        y[i] = 1.0f;
    dropout_apply(n, p, rate, y, p->begin * node_row(n), p->rows * node_row(n));
    for (size_t i = 0; i < p->rows * node_row(n); i++)
        y[i] = y[i] > 0.0f ? 0.0f : 1.0f;
}

static void nothing(const Node *n, const Pass *p)
{
    (void)n;
    (void)p;
}

Node *graph_hidden(Graph *g, size_t width, double rate)
{
    Node *n = graph_node(g, &hidden_op, NULL, NULL, 0, width);
    float *attr = ARENA_NEW(&g->arena, float, 1);
    *attr = (float)rate;
    n->attr = attr;
    return n;
}

static Node *sample_hidden(Graph *g, Node *x)
{
    return graph_product(g, x, graph_hidden(g, x->width, 0.3));
}

/* ---- missed ----------------------------------------------------------------------------------------- */

enum { GUESS, TRUTH, HIDDEN };

/* guess, x, S [rows][width]   y [rows]   a row of which nothing is hidden: 0 */
static void missed(const Node *n, const Pass *p)
{
    size_t width = n->input[GUESS]->width;
    const float *guess = node_value(n->input[GUESS], p), *x = node_value(n->input[TRUTH], p);
    const float *s = node_value(n->input[HIDDEN], p);
    float *y = node_value(n, p);
    for (size_t i = 0; i < p->rows; i++, guess += width, x += width, s += width) {
        float sum = 0, count = 0;
        for (size_t k = 0; k < width; k++) {
            sum += s[k] * (guess[k] - x[k]) * (guess[k] - x[k]);
            count += s[k];
        }
        y[i] = count > 0 ? sqrtf(sum / count + TINY) : 0.0f;
    }
}

/* y^2 = mean of (guess - x)^2:  dguess += dy (guess - x) / (count y) where hidden */
static void missed_back(const Node *n, const Pass *p)
{
    Node *input = n->input[GUESS];
    size_t width = input->width;
    const float *guess = node_value(input, p), *x = node_value(n->input[TRUTH], p);
    const float *s = node_value(n->input[HIDDEN], p), *y = node_value(n, p), *dy = node_grad(n, p);
    float *d = node_grad(input, p);
    if (n->fresh[TRUTH] && n->input[TRUTH]->needs_grad)
        memset(node_grad(n->input[TRUTH], p), 0, p->rows * width * sizeof *d);
    for (size_t i = 0; i < p->rows; i++, guess += width, x += width, s += width, d += width) {
        float count = 0;
        for (size_t k = 0; k < width; k++)
            count += s[k];
        for (size_t k = 0; k < width; k++) {
            float slope = count > 0 ? dy[i] * s[k] * (guess[k] - x[k]) / (count * y[i]) : 0.0f;
            d[k] = n->fresh[GUESS] ? slope : d[k] + slope;
        }
    }
}

Node *graph_missed(Graph *g, Node *guess, Node *truth, Node *hidden_ones)
{
    assert(guess->width == truth->width && guess->tokens == 1 && guess != truth &&
           guess->needs_grad);
    return graph_node(g, &missed_op, NULL, (Node *[]){guess, truth, hidden_ones}, 3, 1);
}

static Node *sample_missed(Graph *g, Node *x)
{
    Node *input =
        graph_part(g, graph_affine(g, g->input, 1, 0), 0, 4); /* given, without a gradient */
    Node *guess = graph_dense(g, "sample", x, 4, (Tail){0});
    return graph_missed(g, guess, input, graph_hidden(g, 4, 0.4));
}

const Op hidden_op = {
    .name = "hidden",
    .about = "y = 1 for a share of the numbers, by a hash of the step, else 0",
    .forward = hidden,
    .backward = nothing,
    .sample = sample_hidden,
};

const Op missed_op = {
    .name = "missed",
    .about = "y = sqrt(mean of (guess - x)^2 over what is hidden)",
    .forward = missed,
    .backward = missed_back,
    .sample = sample_missed,
};
