/* What sparsemax and the entropy penalty give, against values by hand and against differences; ghost
 * batches against plain batch normalisation of each piece. */
#include "nn/nn_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define WIDTH 3

/* head(f(x w + b)) with w the unit matrix, b zero and head 1, 2, 3. */
typedef struct Small {
    Graph *g;
    Node *masked;
    float *weight, *bias;
    size_t bias_at;
} Small;

static Small small(double entropy)
{
    Small s = {.g = graph_create(1)};
    Error err = {0};
    Node *x = graph_dense(s.g, "below", graph_input(s.g, WIDTH), WIDTH, (Tail){0});
    s.masked = graph_entropy(s.g, graph_sparsemax(s.g, x), entropy);
    GraphPlan p = {.loss = LOSS_ABSOLUTE, .rows_most = 4, .optimizer = OPTIMIZER_ADAM};
    assert_true(graph_plan(s.g, graph_dense(s.g, "head", s.masked, 1, (Tail){0}), &p, &err));
    const GraphTensor *t;
    size_t n = graph_tensors(s.g, &t);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < t[i].count; k++) {
            bool below = t[i].name[0] == 'b', weight = t[i].rank == 2;
            graph_block(s.g)[t[i].offset + k] = !weight ? 0.0f
                                                : below ? (float)(k / WIDTH == k % WIDTH)
                                                        : (float)(k + 1);
        }
    s.bias_at = t[1].offset;
    return s;
}

static void sparsemax_by_hand(void **state)
{
    (void)state;
    static const float x[] = {1, .5f, -1, 0, 0, 0, 5, 1, 1},
                       y[] = {.75f, .25f, 0, 1.f / 3, 1.f / 3, 1.f / 3, 1, 0, 0};
    static const float target[3] = {-100, -100, -100};
    /* over the support: 1, 2 less 1.5; then 1, 2, 3 less 2; then one alone */
    static const float slope[] = {-.5f - 1, .5f + 0, 0 + 1};
    Small s = small(0);
    float *all = mem_alloc(graph_block_size(s.g) * sizeof *all);
    GraphFeed feed = {.rows = 3, .dense = x, .target = target};
    graph_gradient(s.g, &feed, 0, all);
    for (size_t i = 0; i < 9; i++)
        assert_float_equal(s.masked->value[i], y[i], 1e-6);
    for (size_t i = 0; i < WIDTH; i++)
        assert_float_equal(all[s.bias_at + i], slope[i] / 3, 1e-6);
    mem_free(all);
    graph_destroy(s.g);
}

static double mean_entropy(const Small *s, const GraphFeed *feed, float *unused)
{
    double sum = 0;
    graph_gradient(s->g, feed, 0, unused);
    for (size_t i = 0; i < feed->rows * WIDTH; i++) {
        double m = (double)s->masked->value[i];
        sum -= m > 0 ? m * log(m) : 0;
    }
    return sum / (double)feed->rows;
}

static void entropy_against_differences(void **state)
{
    (void)state;
    static const float x[] = {.3f, .5f, .1f, 0, .2f, -.1f}, target[2] = {-100, -100};
    const double rate = 0.7;
    Small with = small(rate), without = small(0);
    GraphFeed feed = {.rows = 2, .dense = x, .target = target};
    float *a = mem_alloc(graph_block_size(with.g) * sizeof *a);
    float *b = mem_alloc(graph_block_size(with.g) * sizeof *b);
    float *unused = mem_alloc(graph_block_size(with.g) * sizeof *unused);
    graph_gradient(with.g, &feed, 0, a);
    graph_gradient(without.g, &feed, 0, b);
    for (size_t k = 0; k < WIDTH; k++) {
        float *w = graph_block(with.g) + with.bias_at + k;
        *w = 1e-3f;
        double above = mean_entropy(&with, &feed, unused);
        *w = -1e-3f;
        double below = mean_entropy(&with, &feed, unused);
        *w = 0;
        double found = (double)(a[with.bias_at + k] - b[with.bias_at + k]);
        assert_float_equal((float)found, (float)(rate * (above - below) / 2e-3), 2e-3);
    }
    mem_free(a);
    mem_free(b);
    mem_free(unused);
    graph_destroy(with.g);
    graph_destroy(without.g);
}

/* 512 rows are shards of 64 rows, each a ghost batch: mean 0 and deviation 1 in every one of them. */
static void ghosts_are_normal_one_by_one(void **state)
{
    (void)state;
    enum { ROWS = 512 };
    Graph *g = graph_create(4);
    Error err = {0};
    Node *y = graph_ghostnorm(g, "norm", graph_input(g, 2));
    GraphPlan p = {.loss = LOSS_SQUARED, .rows_most = ROWS, .optimizer = OPTIMIZER_ADAM};
    assert_true(graph_plan(g, graph_dense(g, "head", y, 1, (Tail){0}), &p, &err));
    float *x = mem_alloc(sizeof(float) * ROWS * 2), *t = mem_alloc(sizeof(float) * ROWS);
    Rng rng;
    rng_seed(&rng, 3, 0);
    for (size_t i = 0; i < ROWS * 2; i++)
        x[i] = (float)(rng_normal(&rng) * 3 + (double)(i / 128)); /* the mean wanders */
    float *unused = mem_alloc(graph_block_size(g) * sizeof *unused);
    graph_gradient(g, &(GraphFeed){.rows = ROWS, .dense = x, .target = t}, 0, unused);
    for (size_t from = 0; from < ROWS; from += 64)
        for (size_t k = 0; k < 2; k++) {
            double sum = 0, square = 0;
            for (size_t i = from; i < from + 64; i++) {
                sum += (double)y->value[i * 2 + k];
                square += pow((double)y->value[i * 2 + k], 2);
            }
            assert_float_equal((float)(sum / 64), 0, 1e-5);
            assert_float_equal((float)(square / 64), 1, 1e-4);
        }
    mem_free(x);
    mem_free(t);
    mem_free(unused);
    graph_destroy(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sparsemax_by_hand),
        cmocka_unit_test(entropy_against_differences),
        cmocka_unit_test(ghosts_are_normal_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
