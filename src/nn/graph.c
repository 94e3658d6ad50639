/* graph.c -- building a graph: nodes, their parameters, and looking at the tables. */
#include "nn_int.h"

#include <stdio.h>

Graph *graph_create(uint64_t seed)
{
    Graph *g = mem_alloc(sizeof *g);
    g->seed = seed;
    return g;
}

void graph_destroy(Graph *g)
{
    if (!g)
        return;
    mem_free(g->params);
    mem_free(g->moments);
    mem_free(g->gradient);
    mem_free(g->memory);
    mem_free(g->scratch);
    mem_free(g->task_norm);
    mem_free(g->kept);
    mem_free(g->before);
    halves_destroy(g->halves);
    Program *programs[] = {&g->train, &g->infer};
    for (size_t i = 0; i < 2; i++) {
        vec_release(&programs[i]->work);
        vec_release(&programs[i]->stage);
    }
    vec_release(&g->piece);
    vec_release(&g->task);
    vec_release(&g->whole);
    vec_release(&g->node);
    vec_release(&g->tensor);
    vec_release(&g->tensor_plan);
    arena_release(&g->arena);
    mem_free(g);
}

Node *graph_node(Graph *g, const Op *op, const char *name, Node *const *x, size_t n, size_t width)
{
    assert(!g->params && "a planned graph takes no more nodes");
    Node *node = ARENA_NEW(&g->arena, Node, 1);
    node->op = op;
    node->graph = g;
    node->number = (uint32_t)g->node.count;
    if (name)
        snprintf(node->name, sizeof node->name, "%s", name);
    else
        snprintf(node->name, sizeof node->name, "%s.%u", op->name, node->number);
    node->input = ARENA_NEW(&g->arena, Node *, n ? n : 1);
    node->fresh = ARENA_NEW(&g->arena, bool, n ? n : 1);
    node->inputs = n;
    node->tokens = n ? x[0]->tokens : 1;
    node->width = width;
    for (size_t i = 0; i < n; i++) {
        node->input[i] = x[i];
        node->needs_grad |= x[i]->needs_grad;
    }
    vec_add(&g->node, node);
    return node;
}

static void add_tensor(Node *n, const char *what, size_t rank, size_t rows, size_t cols,
                       GraphTensor row, TensorPlan plan)
{
    Graph *g = n->graph;
    assert(n->params < NODE_PARAMS || n->op->whole);
    snprintf(row.name, sizeof row.name, "%.40s.%.20s", n->name, what);
    for (size_t i = 0; i < g->tensor.count; i++)
        assert(!text_equal(g->tensor.at[i].name, row.name) && "a layer's name is used once");
    row.rank = rank;
    row.shape[0] = rows;
    row.shape[1] = cols;
    row.count = rank == 2 ? rows * cols : rows;
    if (n->params == 0)
        n->param[0] = g->tensor.count;
    if (n->params < NODE_PARAMS)
        n->param[n->params] = g->tensor.count;
    n->params++;
    vec_add(&g->tensor, row);
    vec_add(&g->tensor_plan, plan);
}

void node_param(Node *n, const char *what, size_t rows, size_t cols, bool decay, InitKind init,
                float bound)
{
    add_tensor(n, what, cols ? 2 : 1, rows, cols, (GraphTensor){.learnt = true, .decay = decay},
               (TensorPlan){.init = init, .bound = bound, .whole = n->op->whole != NULL});
    n->needs_grad = true;
}

void node_statistic(Node *n, const char *what, size_t count, InitKind init)
{
    add_tensor(n, what, 1, count, 0, (GraphTensor){.learnt = false}, (TensorPlan){.init = init});
}

size_t node_width(const Node *n)
{
    return n->width;
}

size_t graph_tensors(const Graph *g, const GraphTensor **rows)
{
    *rows = g->tensor.at;
    return g->tensor.count;
}

size_t graph_learnt(const Graph *g)
{
    size_t n = 0;
    for (size_t i = 0; i < g->tensor.count; i++)
        n += g->tensor.at[i].learnt ? g->tensor.at[i].count : 0;
    return n;
}

float *graph_block(Graph *g)
{
    halves_settle(g->halves);
    return g->params;
}

size_t graph_block_size(const Graph *g)
{
    return g->block;
}

size_t graph_moments(const Graph *g)
{
    return g->plan.predicts ? 0 : optimizer_moments[g->plan.optimizer];
}

float *graph_moment(Graph *g, size_t which)
{
    assert(which < graph_moments(g));
    halves_settle(g->halves);
    return g->moments + which * g->learnt;
}

uint64_t graph_steps(const Graph *g)
{
    return g->steps;
}

void graph_set_steps(Graph *g, uint64_t steps)
{
    g->steps = steps;
}

/* ---- freezing ---------------------------------------------------------------------------------- */

static bool is_below(const char *tensor, const char *layer, size_t n)
{
    return strncmp(tensor, layer, n) == 0 && (tensor[n] == 0 || tensor[n] == '.');
}

bool layers_have(const char *layers, const char *tensor)
{
    bool has = false;
    for (const char *at = layers ? layers : ""; *at;) {
        size_t n = strcspn(at, ",");
        bool not = *at == '-';
        const char *layer = at + not ;
        size_t size = n - not ;
        if ((size == 3 && memcmp(layer, "all", 3) == 0) || is_below(tensor, layer, size))
            has = !not ;
        at += n + (at[n] == ',');
    }
    return has;
}

static bool was_named(const Graph *g, size_t node, const char *part, size_t n)
{
    bool was = false;
    for (size_t i = 0; i < node; i++)
        was |= g->node.at[i]->params && is_below(g->node.at[i]->name, part, n);
    return was;
}

/* Of each node that learns; parts: only what stands before the first dot, once. */
static void layer_names(const Graph *g, bool parts, Text *into)
{
    for (size_t i = 0; i < g->node.count; i++) {
        const char *name = g->node.at[i]->name;
        size_t n = parts ? strcspn(name, ".") : strlen(name);
        if (g->node.at[i]->params && !(parts && was_named(g, i, name, n)))
            text_printf(into, "%s%.*s", into->count ? ", " : "", (int)n, name);
    }
}

#define NAMES_MOST 150 /* characters; of more the parts are told, or the line would be cut off */

static bool known_layer(const Graph *g, const char *layer, size_t n, Error *err)
{
    bool found = n == 3 && memcmp(layer, "all", 3) == 0;
    for (size_t i = 0; i < g->tensor.count; i++)
        found |= is_below(g->tensor.at[i].name, layer, n);
    if (found)
        return true;
    Text names = {0};
    layer_names(g, false, &names);
    if (names.count > NAMES_MOST) {
        text_reset(&names);
        layer_names(g, true, &names);
    }
    error_set(err, ERROR_USAGE, "no layer %.*s; there are %s", (int)n, layer, text_str(&names));
    text_release(&names);
    return false;
}

bool graph_freeze(Graph *g, const char *layers, Error *err)
{
    for (const char *at = layers ? layers : ""; *at;) {
        size_t n = strcspn(at, ",");
        bool not = *at == '-';
        if (!known_layer(g, at + not, n - not, err))
            return false;
        at += n + (at[n] == ',');
    }
    bool learns = false;
    for (size_t i = 0; i < g->tensor.count; i++) {
        GraphTensor *t = &g->tensor.at[i];
        t->frozen = layers_have(layers, t->name);
        learns |= t->learnt && !t->frozen;
    }
    return learns ||
           error_set(err, ERROR_USAGE, "every layer is frozen: there is nothing to learn");
}
