/* net.c -- families that are a Graph: everything but building it. */
#include "model_int.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define PREDICT_ROWS    512 /* rows scored at once, however small the training batch */
#define PREDICT_WINDOWS 32  /* the same of windows, each of many rows */

struct Net {
    Graph *graph;
    size_t batch_most;
    Team *team;
    TensorRow *rows; /* [count]: the graph's table, then its moments */
    size_t count, weights;
    const SeriesShape *series; /* the model's; NULL: rows stand alone */
    float *window;             /* [rows_most][floats of a window] */
    size_t rows_most;
    Arena arena;
};

Node *net_embedding(Graph *g, const ModelShape *shape, int embedding)
{
    size_t *widths = mem_alloc(sizeof *widths * shape->codes);
    for (size_t i = 0; i < shape->codes; i++) {
        double rule = fmin(600.0, round(1.6 * pow((double)shape->cardinality[i], 0.56)));
        widths[i] = embedding > 0 ? (size_t)embedding : (size_t)fmax(1.0, rule);
    }
    Node *n = graph_embed(g, "embedding", shape->cardinality, widths, shape->codes);
    mem_free(widths);
    return n;
}

Node *net_inputs(Graph *g, const ModelShape *shape, int embedding)
{
    Node *parts[2];
    size_t n = 0;
    if (shape->dense)
        parts[n++] = graph_input(g, shape->dense);
    if (shape->codes)
        parts[n++] = net_embedding(g, shape, embedding);
    assert(n > 0);
    return n == 1 ? parts[0] : graph_concat(g, parts, n);
}

/* The table of what is kept: weights and statistics first, then the optimiser's moments. */
static void list_tensors(Net *net)
{
    const GraphTensor *table;
    size_t n = graph_tensors(net->graph, &table), moments = graph_moments(net->graph);
    net->rows = ARENA_NEW(&net->arena, TensorRow, n * (1 + moments));
    for (size_t m = 0; m <= moments; m++)
        for (size_t i = 0; i < n; i++) {
            if (m > 0 && !table[i].learnt)
                continue;
            TensorRow *row = &net->rows[net->count++];
            float *block = m ? graph_moment(net->graph, m - 1) : graph_block(net->graph);
            row->name =
                m ? arena_printf(&net->arena, "moment.%zu.%s", m, table[i].name) : table[i].name;
            row->rank = table[i].rank;
            memcpy(row->shape, table[i].shape, sizeof row->shape);
            row->at = block + table[i].offset;
            net->weights += m == 0;
        }
}

void *net_create(Graph *takes, Node *output, const ModelShape *shape, const ModelSetup *setup,
                 Error *err)
{
    LossKind loss;
    Net *net = mem_alloc(sizeof *net);
    size_t least = shape->series ? PREDICT_WINDOWS : PREDICT_ROWS;
    net->rows_most = setup->batch_most > least ? setup->batch_most : least;
    net->series = shape->series;
    net->graph = takes;
    net->batch_most = setup->batch_most;
    net->team = setup->team;
    GraphPlan plan = {.huber_delta = (float)setup->huber_delta,
                      .quantile = (float)setup->quantile,
                      .tweedie_power = (float)setup->tweedie_power,
                      .class_weight = shape_classes(shape) ? setup->class_weight : NULL,
                      .optimizer = (OptimizerKind)setup->optimizer,
                      .beta1 = setup->beta1,
                      .beta2 = setup->beta2,
                      .epsilon = setup->epsilon,
                      .level = shape->series ? shape->series->level : NULL,
                      .levels = shape->series ? shape->series->levels : 0,
                      .rows_most = net->rows_most,
                      .pool = setup->pool,
                      .team = setup->team,
                      .predicts = setup->scores,
                      .products = (Products)setup->products,
                      .precision = (Precision)setup->precision};
    if (!products_there(plan.products, plan.precision, err) ||
        !loss_choose(shape, setup->loss, &loss, err)) {
        net_destroy(net);
        return NULL;
    }
    plan.loss = loss;
    if (setup->freeze && !graph_freeze(takes, setup->freeze, err)) {
        error_in(err, "freeze");
        net_destroy(net);
        return NULL;
    }
    if (!graph_plan(takes, output, &plan, err)) {
        net_destroy(net);
        return NULL;
    }
    if (net->series) {
        net->window = mem_try(net->rows_most * net_floats(shape) * sizeof *net->window, err);
        if (!net->window) {
            net_destroy(net);
            return NULL;
        }
    }
    list_tensors(net);
    return net;
}

size_t net_floats(const ModelShape *shape)
{
    return shape->series ? series_floats(shape->series) : shape->dense;
}

void net_destroy(void *model)
{
    Net *net = model;
    if (!net)
        return;
    graph_destroy(net->graph);
    mem_free(net->window);
    arena_release(&net->arena);
    mem_free(net);
}

static GraphFeed feed_of(Net *net, const Batch *b)
{
    if (b->series)
        series_gather(b->series, b->at, b->rows, net->window, NULL);
    return (GraphFeed){.rows = b->rows,
                       .dense = b->series ? net->window : b->dense,
                       .code = b->code,
                       .target = b->target,
                       .weight = b->weight};
}

bool net_step(void *model, const Batch *b, const Knobs *k, StepStats *out, Error *err)
{
    Net *net = model;
    if (b->rows == 0 || b->rows > net->batch_most)
        return error_set(err, ERROR_SHAPE, "a batch of %zu rows, planned were 1 to %zu", b->rows,
                         net->batch_most);
    GraphFeed feed = feed_of(net, b);
    GraphKnobs knobs = {.lr = k->lr,
                        .weight_decay = k->weight_decay,
                        .momentum = k->momentum,
                        .dropout = k->dropout,
                        .clip = k->clip};
    GraphStats stats;
    graph_step(net->graph, &feed, &knobs, &stats);
    if (team_lost(net->team) && !team_sound(net->team, err))
        return false;
    out->loss = stats.loss;
    out->grad_norm = stats.grad_norm;
    out->finite = stats.finite;
    memcpy(out->layer, stats.layer, sizeof out->layer);
    out->bad = stats.bad;
    memcpy(out->bad_row, stats.bad_row, sizeof out->bad_row);
    return true;
}

/* Some rows of the batch, no more than are planned for. */
static Batch batch_at(const Net *net, const Batch *b, size_t from)
{
    size_t rest = b->rows - from;
    Batch some = {.rows = rest < net->rows_most ? rest : net->rows_most, .series = b->series};
    if (b->series)
        some.at = b->at + from;
    else if (b->dense)
        some.dense = b->dense + from * series_floats(net->series);
    return some;
}

void net_predict(void *model, const Batch *b, float *out)
{
    Net *net = model;
    for (size_t from = 0; from < b->rows && b->series; from += net->rows_most) {
        Batch some = batch_at(net, b, from);
        GraphFeed feed = feed_of(net, &some);
        graph_predict(net->graph, &feed, out + from * net->series->horizon * net->series->levels);
    }
    if (b->series)
        return;
    GraphFeed feed = feed_of(net, b);
    graph_predict(net->graph, &feed, out);
}

void net_shares(void *model, const Batch *b, const NetShare *want, size_t n)
{
    Net *net = model;
    const SeriesShape *s = net->series;
    float *out = mem_alloc(net->rows_most * s->horizon * s->levels * sizeof *out);
    for (size_t k = 0; k < n; k++)
        memset(want[k].sum, 0, want[k].count * sizeof *want[k].sum);
    for (size_t from = 0; from < b->rows; from += net->rows_most) {
        Batch some = batch_at(net, b, from);
        GraphFeed feed = feed_of(net, &some);
        graph_predict(net->graph, &feed, out);
        for (size_t k = 0; k < n; k++)
            if (!graph_shares(net->graph, want[k].node, some.rows, want[k].sum))
                want[k].sum[0] += want[k].count ? (double)some.rows : 0;
    }
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < want[k].count; i++)
            want[k].sum[i] /= (double)b->rows;
    mem_free(out);
}

size_t net_tensors(void *model, const TensorRow **rows, size_t *weights)
{
    Net *net = model;
    graph_block(net->graph); /* they are read or written next */
    *rows = net->rows;
    *weights = net->weights;
    return net->count;
}

size_t net_layers(const void *model, size_t rows, LayerStats *out, size_t most)
{
    const Net *net = model;
    return graph_layers(net->graph, rows, out, most);
}

const char *net_onnx(void *model, Onnx *o, const char *dense, const char *codes, Error *err)
{
    Net *net = model;
    return graph_onnx(net->graph, o, dense, codes, err);
}

json_t *net_state(const void *model)
{
    const Net *net = model;
    return json_pack("{s:I}", "steps", (json_int_t)graph_steps(net->graph));
}

bool net_restore(void *model, const json_t *state, Error *err)
{
    Net *net = model;
    const json_t *steps = json_object_get(state, "steps");
    if (!json_is_integer(steps) || json_integer_value(steps) < 0)
        return error_set(err, ERROR_PARSE, "the state has no count of steps");
    graph_set_steps(net->graph, (uint64_t)json_integer_value(steps));
    return true;
}
