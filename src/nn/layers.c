/* layers.c -- statistics of the step just made: every layer's output, every tensor's gradient. */
#include "nn_int.h"

#include <stdio.h>

/* Numbers where they lie: one piece behind the other, or number by number the sum of all pieces. */
typedef struct Numbers {
    const float *piece[SHARDS_MOST];
    size_t count[SHARDS_MOST], pieces;
    bool summed;
} Numbers;

static double number_at(const Numbers *x, size_t piece, size_t i)
{
    double v = (double)x->piece[piece][i];
    for (size_t k = piece + 1; x->summed && k < x->pieces; k++)
        v += (double)x->piece[k][i];
    return v;
}

typedef struct Moments {
    double sum, squares;
    size_t zeros;
} Moments;

static void take_number(LayerStats *s, Moments *m, double v)
{
    if (!isfinite(v)) {
        s->broken++;
        return;
    }
    m->sum += v;
    m->squares += v * v;
    m->zeros += v == 0;
    s->least = v < s->least ? v : s->least;
    s->most = v > s->most ? v : s->most;
    s->count++;
}

static void bin_number(LayerStats *s, double v)
{
    double width = s->most - s->least;
    size_t bin = width > 0 ? (size_t)((v - s->least) / width * LAYER_BINS) : 0;
    s->bin[bin < LAYER_BINS ? bin : LAYER_BINS - 1]++;
}

/* One pass for the moments and the range, one for the bins. */
static void fill(LayerStats *s, const Numbers *x)
{
    Moments m = {0};
    size_t pieces = x->summed ? 1 : x->pieces;
    s->least = INFINITY, s->most = -INFINITY;
    for (size_t k = 0; k < pieces; k++)
        for (size_t i = 0; i < x->count[k]; i++)
            take_number(s, &m, number_at(x, k, i));
    for (size_t k = 0; k < pieces; k++)
        for (size_t i = 0; i < x->count[k]; i++)
            if (isfinite(number_at(x, k, i)))
                bin_number(s, number_at(x, k, i));
    double all = s->count ? (double)s->count : 1;
    s->mean = m.sum / all;
    s->deviation = sqrt(fmax(0.0, m.squares / all - s->mean * s->mean));
    s->zero = (double)m.zeros / all;
    if (!s->count)
        s->least = s->most = 0;
}

static void fill_output(LayerStats *s, const Node *n, size_t rows)
{
    const Pass batch = {.batch = rows, .shards = shard_count(rows)};
    Numbers x = {.pieces = batch.shards};
    for (size_t k = 0; k < x.pieces; k++) {
        Pass p = pass_shard(&batch, k);
        x.piece[k] = node_value(n, &p);
        x.count[k] = p.rows * node_row(n);
    }
    fill(s, &x);
}

static void fill_gradient(LayerStats *s, const Graph *g, const GraphTensor *t, size_t shards)
{
    Numbers x = {.pieces = shards, .summed = true};
    for (size_t k = 0; k < shards; k++) {
        x.piece[k] = g->gradient + k * g->gradient_size + t->offset;
        x.count[k] = t->count;
    }
    fill(s, &x);
}

static bool is_layer(const Graph *g, const Node *n)
{
    return n->reached && n->value && n != g->input &&
           (n->params > 0 || n->tail.act != ACT_NONE || n == g->output);
}

size_t graph_layers(const Graph *g, size_t rows, LayerStats *out, size_t most)
{
    halves_show(g->halves);
    size_t found = 0, shards = g->summed ? 1 : shard_count(rows);
    for (size_t i = 0; i < g->node.count; i++) {
        const Node *n = g->node.at[i];
        if (!is_layer(g, n))
            continue;
        if (found < most) {
            out[found] = (LayerStats){0};
            snprintf(out[found].name, sizeof out->name, "%s", n->name);
            fill_output(&out[found], n, rows);
        }
        found++;
    }
    for (size_t i = 0; i < g->tensor.count; i++) {
        const GraphTensor *t = &g->tensor.at[i];
        if (!t->learnt)
            continue;
        if (found < most) {
            out[found] = (LayerStats){.gradient = true};
            snprintf(out[found].name, sizeof out->name, "%s", t->name);
            fill_gradient(&out[found], g, t, g->tensor_plan.at[i].whole ? 1 : shards);
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
