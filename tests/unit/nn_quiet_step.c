/* A step of a graph is quiet (quiet.h): shown, not promised. The steps of a run are in train_quiet_step.c. */
#include "quiet.h"

#include <lathe/nn.h>

enum { ROWS = 256, WIDTH = 16, CODES = 1 };
static float dense[ROWS * WIDTH], target[ROWS];
static int32_t code[ROWS * CODES];

static void fill_feed(void)
{
    for (size_t i = 0; i < ROWS; i++) {
        code[i] = (int32_t)(i % 7);
        target[i] = (float)(i % 5);
        for (size_t k = 0; k < WIDTH; k++)
            dense[i * WIDTH + k] = (float)((i * 31 + k * 17) % 23) / 23.0f;
    }
}

static Node *mixed(Graph *g)
{
    static const int32_t cardinality[] = {7};
    static const size_t size[] = {3};
    Node *x = graph_input(g, WIDTH);
    x = graph_concat(g, (Node *[]){x, graph_embed(g, "words", cardinality, size, CODES)}, 2);
    x = graph_dense(g, "a", x, 128, (Tail){ACT_RELU, true});
    x = graph_batchnorm(g, "norm", x, (Tail){ACT_GELU, true});
    x = graph_dense(g, "b", x, 600, (Tail){ACT_RELU, true}); /* packed in blocks */
    return graph_layernorm(g, "layer", x, (Tail){ACT_SILU, false});
}

/* Its small batches are stepped by halves of the columns. */
static Node *chain(Graph *g)
{
    Node *x = graph_dense(g, "a", graph_input(g, WIDTH), 128, (Tail){ACT_RELU, true});
    return graph_dense(g, "b", x, 128, (Tail){ACT_TANH, true});
}

typedef struct Net {
    const char *name;
    Node *(*hidden)(Graph *g);
    double dropout;
} Net;

static const Net nets[] = {{"layers of all kinds", mixed, .1}, {"a chain", chain, 0}, {"with dropout", chain, .1}};

typedef struct Made {
    Graph *graph;
    double dropout;
} Made;

static void *make(const void *what, Pool *pool)
{
    static Made made;
    const Net *net = what;
    Error err = {0};
    made = (Made){graph_create(1), net->dropout};
    GraphPlan plan = {.optimizer = OPTIMIZER_ADAMW, .rows_most = ROWS, .pool = pool};
    Node *head = graph_dense(made.graph, "head", net->hidden(made.graph), 1, (Tail){0});
    return graph_plan(made.graph, head, &plan, &err) ? &made : NULL;
}

static bool steps(void *made)
{
    const Made *m = made;
    GraphFeed feed = {.dense = dense, .code = code, .target = target};
    GraphKnobs knobs = {.lr = 1e-3, .dropout = m->dropout, .clip = 1};
    GraphStats stats = {.finite = true};
    for (int i = 0; i < 40 && stats.finite; i++) {
        feed.rows = i % 3 ? 64 : ROWS;
        graph_step(m->graph, &feed, &knobs, &stats);
    }
    return stats.finite;
}

static void graphs_are_quiet(void **state)
{
    static const Quiet quiet = {make, steps};
    (void)state;
    fill_feed();
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++)
        for (size_t threads = 1; threads <= 2; threads++)
            assert_quiet(nets[i].name, &quiet, &nets[i], threads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(graphs_are_quiet)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
