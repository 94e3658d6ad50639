/* layers.c -- statistics of the step just made: every layer's output, every tensor's gradient. */
#include "nn_int.h"

#include <stdio.h>

/* One pass for the moments and the range, one for the bins. */
static void fill(LayerStats *s, const float *x, size_t n, const float *const *more, size_t mores)
{
    double sum = 0, squares = 0;
    size_t zeros = 0;
    s->least = INFINITY, s->most = -INFINITY;
    for (int pass = 0; pass < 2; pass++) {
        double width = s->most - s->least;
        for (size_t i = 0; i < n; i++) {
            double v = (double)x[i];
            for (size_t k = 0; k < mores; k++)
                v += (double)more[k][i];
            if (!isfinite(v)) {
                s->broken += pass == 0;
            } else if (pass == 0) {
                sum += v;
                squares += v * v;
                zeros += v == 0;
                s->least = v < s->least ? v : s->least;
                s->most = v > s->most ? v : s->most;
                s->count++;
            } else {
                size_t bin = width > 0 ? (size_t)((v - s->least) / width * LAYER_BINS) : 0;
                s->bin[bin < LAYER_BINS ? bin : LAYER_BINS - 1]++;
            }
        }
    }
    double all = s->count ? (double)s->count : 1;
    s->mean = sum / all;
    s->deviation = sqrt(fmax(0.0, squares / all - s->mean * s->mean));
    s->zero = (double)zeros / all;
    if (!s->count)
        s->least = s->most = 0;
}

static bool is_layer(const Graph *g, const Node *n)
{
    return n->reached && n->value && n != g->input &&
           (n->params > 0 || n->tail.act != ACT_NONE || n == g->output);
}

size_t graph_layers(const Graph *g, size_t rows, LayerStats *out, size_t most)
{
    size_t found = 0, shards = g->summed ? 1 : shard_count(rows);
    for (size_t i = 0; i < g->node.count; i++) {
        const Node *n = g->node.at[i];
        if (!is_layer(g, n))
            continue;
        if (found < most) {
            out[found] = (LayerStats){0};
            snprintf(out[found].name, sizeof out->name, "%s", n->name);
            fill(&out[found], n->value, rows * node_row(n), NULL, 0);
        }
        found++;
    }
    for (size_t i = 0; i < g->tensor.count; i++) {
        const GraphTensor *t = &g->tensor.at[i];
        if (!t->learnt)
            continue;
        if (found < most) {
            const float *more[SHARDS_MOST];
            size_t mores = g->tensor_plan.at[i].whole ? 1 : shards;
            for (size_t k = 1; k < mores; k++)
                more[k - 1] = g->gradient + k * g->learnt + t->offset;
            out[found] = (LayerStats){.gradient = true};
            snprintf(out[found].name, sizeof out->name, "%s", t->name);
            fill(&out[found], g->gradient + t->offset, t->count, more, mores - 1);
        }
        found++;
    }
    return found;
}

bool graph_shares(const Graph *g, const char *name, size_t rows, double *sum)
{
    for (size_t i = 0; i < g->node.count; i++) {
        const Node *n = g->node.at[i];
        if ((n->op != &select_op && n->op != &watch_op) || strcmp(n->name, name) != 0)
            continue;
        /* save: [rows][..][count] shares, of select by steps, of watch by heads and queries */
        size_t count = n->op == &select_op ? n->input[0]->width : n->input[1]->tokens;
        size_t all = rows * n->save_width;
        double each = (double)count / (double)n->save_width;
        for (size_t k = 0; k < all; k++)
            sum[k % count] += each * (double)n->save[k];
        return true;
    }
    return false;
}
