/* Steps of small batches by halves of the columns: against the same steps by rows, on any number of threads,
 * between steps of the other kind, taken up again, and where something breaks. */
#include "nn/halves.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { ROWS = 300, INPUT = 9, LAYERS_MOST = 32 };

typedef struct Shape {
    size_t hidden[4], outputs; /* hidden: 0 ends it */
    Activation act;
    LossKind loss;
    OptimizerKind optimizer;
    bool norm;
    double dropout;
} Shape;

static const Shape shapes[] = {
    {{64}, 1, ACT_RELU, LOSS_SQUARED, OPTIMIZER_SGD, false, 0},
    {{128, 128}, 1, ACT_RELU, LOSS_SQUARED, OPTIMIZER_ADAM, false, 0},
    {{128, 64}, 3, ACT_TANH, LOSS_SOFTMAX, OPTIMIZER_ADAMW, false, 0},
    {{64, 192, 64}, 1, ACT_RELU, LOSS_LOGISTIC, OPTIMIZER_ADAMW, false, 0},
    {{64, 64, 128}, 5, ACT_NONE, LOSS_SOFTMAX, OPTIMIZER_ADAM, false, 0},
    /* the gradient of a bias before a norm is noise, of which Adam would make steps */
    {{128, 128}, 1, ACT_RELU, LOSS_SQUARED, OPTIMIZER_SGD, true, 0},
    {{128, 256, 128}, 3, ACT_TANH, LOSS_SOFTMAX, OPTIMIZER_SGD, true, 0},
    {{64}, 1, ACT_RELU, LOSS_SQUARED, OPTIMIZER_SGD, false, 0.5},
    {{128, 128}, 1, ACT_RELU, LOSS_SQUARED, OPTIMIZER_ADAM, false, 0.1},
    {{128, 64}, 3, ACT_TANH, LOSS_SOFTMAX, OPTIMIZER_ADAMW, false, 0.2},
    {{64, 192, 64}, 1, ACT_ELU, LOSS_LOGISTIC, OPTIMIZER_ADAMW, false, 0.2},
    {{64, 64, 128}, 5, ACT_NONE, LOSS_SOFTMAX, OPTIMIZER_ADAM, false, 0.3},
    {{128, 128}, 1, ACT_RELU, LOSS_SQUARED, OPTIMIZER_SGD, true, 0.2},
    {{128, 256, 128}, 3, ACT_TANH, LOSS_SOFTMAX, OPTIMIZER_SGD, true, 0.2},
};
enum { SHAPES = sizeof shapes / sizeof *shapes, DROPS = 8 }; /* DROPS: shapes[1] with dropout */

typedef struct Data {
    float dense[ROWS * INPUT], target[ROWS], weight[ROWS];
} Data;

static Data data_for(const Shape *s)
{
    Data d;
    Rng rng;
    rng_seed(&rng, 3, 1);
    for (size_t i = 0; i < ROWS * INPUT; i++)
        d.dense[i] = (float)rng_normal(&rng);
    for (size_t i = 0; i < ROWS; i++) {
        bool classes = losses[s->loss].fits & (LOSS_FITS_TWO | LOSS_FITS_CLASSES);
        uint64_t most = s->outputs > 1 ? s->outputs : 2;
        d.target[i] = classes ? (float)rng_below(&rng, most) : d.dense[i * INPUT] - d.dense[i * INPUT + 1];
        d.weight[i] = 0.5f + (float)rng_unit(&rng);
    }
    return d;
}

static GraphFeed feed_of(const Data *d, size_t rows)
{
    return (GraphFeed){.rows = rows, .dense = d->dense, .target = d->target, .weight = d->weight};
}

static Node *layers_of(Graph *g, const Shape *s)
{
    static const char *const names[] = {"a", "b", "c", "d"}, *const norms[] = {"na", "nb", "nc", "nd"};
    const Tail tail = {s->act, s->dropout > 0};
    Node *x = graph_input(g, INPUT);
    for (size_t i = 0; s->hidden[i]; i++) {
        x = graph_dense(g, names[i], x, s->hidden[i], s->norm ? (Tail){0} : tail);
        if (s->norm)
            x = graph_batchnorm(g, norms[i], x, tail);
    }
    return graph_dense(g, "head", x, s->outputs, (Tail){0});
}

static Graph *net(const Shape *s, Pool *pool)
{
    Error err = {0};
    Graph *g = graph_create(7);
    GraphPlan p = {.loss = s->loss, .optimizer = s->optimizer, .rows_most = ROWS, .pool = pool};
    assert_true(graph_plan(g, layers_of(g, s), &p, &err));
    assert_non_null(g->halves);
    return g;
}

/* The same, all of whose steps are by rows. */
static Graph *by_rows(const Shape *s)
{
    Graph *g = net(s, NULL);
    halves_destroy(g->halves);
    g->halves = NULL;
    return g;
}

/* Each fifth step is without dropout: it may change while a run goes on. */
static void steps(Graph *g, const Shape *s, const Data *d, size_t from, size_t to, const size_t rows[2],
                  double clip)
{
    GraphKnobs knobs = {.lr = 1e-2, .weight_decay = 1e-2, .momentum = 0.5, .clip = clip};
    for (size_t i = from; i < to; i++) {
        knobs.dropout = i % 5 < 4 ? s->dropout : 0;
        GraphFeed feed = feed_of(d, rows[i % 2]);
        GraphStats stats;
        graph_step(g, &feed, &knobs, &stats);
        assert_true(stats.finite && stats.grad_norm > 0);
    }
}

/* By the length of what is apart: of a step of Adam single weights can be noise. */
static void assert_near(const float *a, const float *b, size_t n, double part)
{
    double whole = 0, apart = 0;
    for (size_t i = 0; i < n; i++) {
        whole += (double)a[i] * (double)a[i];
        apart += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    }
    assert_true(whole > 0 && sqrt(apart) <= part * sqrt(whole));
}

static void gradient_is_that_of_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHAPES; i++) {
        Data d = data_for(&shapes[i]);
        Graph *halves = net(&shapes[i], NULL), *whole = by_rows(&shapes[i]);
        size_t n = graph_block_size(whole), most = halves->halves->rows_most;
        const size_t rows[] = {1 + shapes[i].norm, 7, 48, most};
        float *found = mem_alloc(n * sizeof *found), *expected = mem_alloc(n * sizeof *expected);
        for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
            GraphFeed feed = feed_of(&d, rows[k]);
            double loss = graph_gradient(halves, &feed, shapes[i].dropout, found);
            assert_true(halves->halves->made);
            assert_true(fabs(loss / graph_gradient(whole, &feed, shapes[i].dropout, expected) - 1) < 1e-6);
            assert_near(expected, found, n, shapes[i].norm ? 1e-5 : 1e-6);
        }
        mem_free(found);
        mem_free(expected);
        graph_destroy(halves);
        graph_destroy(whole);
    }
}

/* Small batches between large ones, clipped and not: after twenty steps weights and moments are as by rows. */
static void steps_are_those_of_rows(void **state)
{
    (void)state;
    static const size_t rows[2] = {48, ROWS};
    for (size_t i = 0; i < SHAPES; i++)
        for (int clip = 0; clip < 2; clip++) {
            Data d = data_for(&shapes[i]);
            Graph *halves = net(&shapes[i], NULL), *whole = by_rows(&shapes[i]);
            steps(halves, &shapes[i], &d, 0, 20, rows, clip ? 0.05 : 0);
            steps(whole, &shapes[i], &d, 0, 20, rows, clip ? 0.05 : 0);
            assert_near(graph_block(whole), graph_block(halves), graph_block_size(whole), 1e-4);
            for (size_t m = 0; m < graph_moments(whole); m++)
                assert_near(graph_moment(whole, m), graph_moment(halves, m), whole->learnt, 1e-4);
            assert_int_equal(graph_steps(halves), 20);
            graph_destroy(halves);
            graph_destroy(whole);
        }
}

static void same_bits_on_any_number_of_threads(void **state)
{
    (void)state;
    static const size_t rows[2] = {48, 51};
    for (size_t i = 0; i < SHAPES; i++)
        for (int clip = 0; clip < 2; clip++) {
            Data d = data_for(&shapes[i]);
            float *first = NULL;
            LayerStats seen[LAYERS_MOST] = {0}, now[LAYERS_MOST] = {0};
            for (size_t threads = 1; threads <= 3; threads++) {
                Pool *pool = pool_create(threads);
                Graph *g = net(&shapes[i], pool);
                steps(g, &shapes[i], &d, 0, 12, rows, clip ? 0.05 : 0);
                size_t bytes = graph_block_size(g) * sizeof(float);
                size_t layers = graph_layers(g, rows[1], now, LAYERS_MOST);
                assert_true(layers > 3 && layers <= LAYERS_MOST && now[0].count > 0);
                if (!first) {
                    first = mem_copy(graph_block(g), bytes);
                    memcpy(seen, now, sizeof now);
                }
                assert_memory_equal(first, graph_block(g), bytes);
                assert_memory_equal(seen, now, sizeof now);
                graph_destroy(g);
                pool_destroy(pool);
            }
            mem_free(first);
        }
}

/* Weights, moments and the count of steps are all there is. */
static void goes_on_with_the_same_bits(void **state)
{
    (void)state;
    static const size_t rows[2] = {48, 48};
    for (size_t i = 0; i < SHAPES; i++) {
        Data d = data_for(&shapes[i]);
        Graph *whole = net(&shapes[i], NULL), *first = net(&shapes[i], NULL),
              *second = net(&shapes[i], NULL);
        steps(whole, &shapes[i], &d, 0, 10, rows, 0);
        steps(first, &shapes[i], &d, 0, 5, rows, 0);
        size_t bytes = graph_block_size(whole) * sizeof(float);
        memcpy(graph_block(second), graph_block(first), bytes);
        for (size_t m = 0; m < graph_moments(first); m++)
            memcpy(graph_moment(second, m), graph_moment(first, m), first->learnt * sizeof(float));
        graph_set_steps(second, graph_steps(first));
        steps(second, &shapes[i], &d, 5, 10, rows, 0);
        steps(first, &shapes[i], &d, 5, 10, rows, 0); /* looked at, and went on */
        assert_memory_equal(graph_block(whole), graph_block(second), bytes);
        assert_memory_equal(graph_block(whole), graph_block(first), bytes);
        graph_destroy(whole);
        graph_destroy(first);
        graph_destroy(second);
    }
}

/* What is predicted between steps is by the weights of the last one. */
static void predicts_with_the_last_weights(void **state)
{
    (void)state;
    static const size_t rows[2] = {48, 48};
    Data d = data_for(&shapes[1]);
    Graph *g = net(&shapes[1], NULL), *same = by_rows(&shapes[1]);
    GraphFeed feed = feed_of(&d, ROWS);
    float before[ROWS], after[ROWS], expected[ROWS];
    graph_predict(g, &feed, before);
    steps(g, &shapes[1], &d, 0, 3, rows, 0);
    graph_predict(g, &feed, after);
    assert_memory_not_equal(before, after, sizeof after);
    memcpy(graph_block(same), graph_block(g), graph_block_size(g) * sizeof(float));
    graph_predict(same, &feed, expected);
    assert_memory_equal(expected, after, sizeof after);
    graph_destroy(g);
    graph_destroy(same);
}

static void one_breaks(const Shape *s)
{
    Data d = data_for(s);
    Graph *g = net(s, NULL);
    GraphFeed feed = feed_of(&d, 64);
    GraphStats stats;
    size_t bytes = graph_block_size(g) * sizeof(float);
    const GraphKnobs knobs = {.lr = 1e-2, .dropout = s->dropout};
    graph_step(g, &feed, &knobs, &stats);
    float *before = mem_copy(graph_block(g), bytes);
    for (size_t k = 0; k < 128; k++)
        before[3 * 128 + k] = graph_block(g)[3 * 128 + k] = 10;
    d.dense[9 * INPUT + 3] = d.dense[40 * INPUT + 3] = 3e38f; /* itself a number */
    graph_step(g, &feed, &knobs, &stats);
    assert_false(stats.finite);
    assert_true(g->halves->made);
    assert_string_equal(stats.layer, "a");
    assert_true(stats.bad == 2 && stats.bad_row[0] == 9 && stats.bad_row[1] == 40);
    assert_memory_equal(before, graph_block(g), bytes);
    assert_int_equal(graph_steps(g), 1);
    mem_free(before);
    graph_destroy(g);
}

static void names_what_broke(void **state)
{
    (void)state;
    one_breaks(&shapes[1]);
    one_breaks(&shapes[5]);
    one_breaks(&shapes[DROPS]);
}

/* Rows beyond the bound are for the other kind of step; other nets are never cut. */
static void others_are_stepped_by_rows(void **state)
{
    (void)state;
    Data d = data_for(&shapes[DROPS]);
    Graph *g = net(&shapes[DROPS], NULL);
    static const struct {
        size_t rows;
        double dropout;
        bool halves;
    } cases[] = {{64, 0, true}, {64, 0.1, true}, {127, 0.1, true}, {128, 0.1, false}, {128, 0, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        GraphFeed feed = feed_of(&d, cases[i].rows);
        GraphStats stats;
        graph_step(g, &feed, &(GraphKnobs){.lr = 1e-2, .dropout = cases[i].dropout}, &stats);
        assert_true(stats.finite);
        assert_true(g->halves->holds == cases[i].halves);
    }
    graph_destroy(g);
    static const Shape odd = {.hidden = {96, 64}, .outputs = 1, .act = ACT_RELU},
                       saves = {.hidden = {64, 64}, .outputs = 1, .act = ACT_GELU},
                       narrow = {.hidden = {128, 64}, .outputs = 1, .act = ACT_RELU, .norm = true};
    const Shape *const nets[] = {&odd, &saves, &shapes[1], &shapes[1], &narrow};
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        Error err = {0};
        g = graph_create(7);
        Node *out = layers_of(g, nets[i]);
        assert_true(i != 2 || graph_freeze(g, "b", &err));
        GraphPlan p = {.rows_most = ROWS, .predicts = i == 3};
        assert_true(graph_plan(g, out, &p, &err));
        assert_null(g->halves);
        graph_destroy(g);
    }
}

/* The default net's usual batch is one of them. */
static void bounds_are_by_shape(void **state)
{
    (void)state;
    static const struct {
        size_t hidden[4], most;
    } cases[] = {{{64}, 63}, {{128, 128}, 127}, {{128, 64}, 63}, {{256, 256}, 256}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Shape s = {.outputs = 1, .act = ACT_RELU, .dropout = 0.1};
        memcpy(s.hidden, cases[i].hidden, sizeof s.hidden);
        Graph *g = net(&s, NULL);
        assert_int_equal(g->halves->rows_most, cases[i].most);
        graph_destroy(g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_is_that_of_rows),
        cmocka_unit_test(steps_are_those_of_rows),
        cmocka_unit_test(same_bits_on_any_number_of_threads),
        cmocka_unit_test(goes_on_with_the_same_bits),
        cmocka_unit_test(predicts_with_the_last_weights),
        cmocka_unit_test(names_what_broke),
        cmocka_unit_test(others_are_stepped_by_rows),
        cmocka_unit_test(bounds_are_by_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
