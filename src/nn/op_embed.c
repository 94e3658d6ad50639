/* op_embed.c -- category codes through tables of numbers.
 *
 *     concatenated   y = [E0[c0], E1[c1], ...]      embeddings
 *     summed         y = E0[c0] + E1[c1] + ...      a linear model's one-hot weights
 *
 * A table may be large and a batch touches few of its rows, so its gradient is not kept once a shard:
 * one task a table walks the batch in order after the shards are done. */
#include "nn_int.h"

#include <stdio.h>

typedef struct Tables {
    size_t codes;
    const int32_t *cardinality; /* [codes] */
    const size_t *size;         /* [codes] numbers a code */
    const size_t *at;           /* [codes] first column of y; all 0 when summed */
    bool sum;
} Tables;

static const float *table(const Node *n, size_t i)
{
    return n->graph->params + n->graph->tensor.at[n->param[0] + i].offset;
}

static void forward(const Node *n, const Pass *p)
{
    const Tables *t = n->attr;
    const int32_t *code = p->feed->code + p->begin * t->codes;
    float *y = node_value(n, p);
    for (size_t row = 0; row < p->rows; row++, y += n->width, code += t->codes) {
        if (t->sum)
            memset(y, 0, n->width * sizeof *y);
        for (size_t i = 0; i < t->codes; i++) {
            assert(code[i] >= 0 && code[i] < t->cardinality[i]);
            const float *e = table(n, i) + (size_t)code[i] * t->size[i];
            float *to = y + t->at[i];
            if (!t->sum)
                memcpy(to, e, t->size[i] * sizeof *to);
            else
                for (size_t k = 0; k < t->size[i]; k++)
                    to[k] += e[k];
        }
    }
}

/* y[at..] = E[c]:  dE[c] += dy[at..], row after row */
static void whole(const Node *n, const Pass *batch, size_t i)
{
    const Tables *t = n->attr;
    const GraphTensor *tensor = &n->graph->tensor.at[n->param[0] + i];
    float *gradient = n->graph->gradient + tensor->offset;
    memset(gradient, 0, tensor->count * sizeof *gradient);
    const int32_t *code = batch->feed->code + i;
    const float *dy = n->grad + t->at[i];
    for (size_t row = 0; row < batch->batch; row++, code += t->codes, dy += n->width) {
        float *e = gradient + (size_t)*code * t->size[i];
        for (size_t k = 0; k < t->size[i]; k++)
            e[k] += dy[k];
    }
}

static Node *embed(Graph *g, const char *name, const int32_t *cardinality, const size_t *size,
                   size_t codes, size_t sum_width)
{
    assert(g->codes == 0 || g->codes == codes);
    Tables *t = ARENA_NEW(&g->arena, Tables, 1);
    int32_t *cards = ARENA_NEW(&g->arena, int32_t, codes);
    size_t *sizes = ARENA_NEW(&g->arena, size_t, codes), *at = ARENA_NEW(&g->arena, size_t, codes);
    size_t width = 0;
    for (size_t i = 0; i < codes; i++) {
        cards[i] = cardinality[i];
        sizes[i] = sum_width ? sum_width : size[i];
        at[i] = sum_width ? 0 : width;
        width += sizes[i];
    }
    *t = (Tables){
        .codes = codes, .cardinality = cards, .size = sizes, .at = at, .sum = sum_width > 0};
    Node *n = graph_node(g, &embed_op, name, NULL, 0, sum_width ? sum_width : width);
    n->attr = t;
    n->tables = codes;
    g->codes = codes;
    for (size_t i = 0; i < codes; i++) {
        char what[40];
        snprintf(what, sizeof what, "%zu.weight", i);
        float bound = 1.0f / sqrtf((float)sizes[i]);
        node_param(n, what, (size_t)cards[i], sizes[i], true, sum_width ? INIT_ZERO : INIT_UNIFORM,
                   bound);
    }
    return n;
}

Node *graph_embed(Graph *g, const char *name, const int32_t *cardinality, const size_t *size,
                  size_t codes)
{
    return embed(g, name, cardinality, size, codes, 0);
}

Node *graph_embed_sum(Graph *g, const char *name, const int32_t *cardinality, size_t codes,
                      size_t width)
{
    return embed(g, name, cardinality, NULL, codes, width);
}

static void nothing(const Node *n, const Pass *p)
{
    (void)n;
    (void)p;
}

static Node *sample(Graph *g, Node *x)
{
    static const int32_t cardinality[] = {3, 5};
    static const size_t size[] = {2, 4};
    Node *apart = graph_embed(g, "apart", cardinality, size, 2);
    Node *sum = graph_embed_sum(g, "sum", cardinality, 2, 3);
    return graph_concat(g, (Node *[]){apart, x, sum}, 3);
}

const Op embed_op = {
    .name = "embed",
    .about = "y = [E0[c0], E1[c1], ...] or their sum",
    .forward = forward,
    .backward = nothing,
    .whole = whole,
    .sample = sample,
};
