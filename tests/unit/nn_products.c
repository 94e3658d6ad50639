/* Every way matrices are multiplied: against plain loops, the same bits on any threads, and bf16 learning
 * as well as float32. Ways that this build or processor has not are refused in one line. */
#include "nn/nn_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct Named {
    Way way;
    const char *name;
} Named;

/* Those that are there. */
static size_t ways(Named *out)
{
    size_t n = 0;
    for (int p = 0; p < PRODUCTS_COUNT; p++)
        for (int as = 0; as < PRECISION_COUNT; as++)
            if (products_there((Products)p, (Precision)as, NULL))
                out[n++] = (Named){{.products = (Products)p, .precision = (Precision)as},
                                   as == PRECISION_BF16 ? "bf16" : products_names[p]};
    return n;
}

static float *numbers(size_t n, Rng *rng)
{
    float *x = mem_alloc((n + 1) * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(rng_unit(rng) - 0.5);
    return x;
}

/* apart: of a sum of k products of numbers up to 1/2 */
static void compare(const char *what, double found, double expected, size_t k, bool half)
{
    double apart = (half ? 4e-3 : 1e-6) * sqrt((double)k) + 1e-5;
    if (!(fabs(found - expected) <= apart))
        fail_msg("%s: %.9g, expected %.9g", what, found, expected);
}

static void against_plain(void **state)
{
    (void)state;
    static const size_t shapes[][3] = {{1, 16, 128},   {33, 7, 9},     {64, 16, 1},
                                       {12, 48, 64},   {40, 300, 250}, {3, 257, 257},
                                       {1100, 40, 33}, {1, 300, 300}};
    Named way[2 * PRODUCTS_COUNT];
    size_t n = ways(way);
    assert_true(n >= 2);
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (size_t w = 0; w < 2 * n; w++) {
            const Named *by = &way[w / 2];
            bool add = w % 2, half = by->way.precision == PRECISION_BF16;
            size_t m = shapes[s][0], in = shapes[s][1], out = shapes[s][2];
            Rng rng;
            rng_seed(&rng, s, 0);
            float *x = numbers(m * in, &rng), *v = numbers(in * out, &rng),
                  *dy = numbers(m * out, &rng);
            float *bias = numbers(out, &rng), *y = numbers(m * out, &rng);
            float *dx = numbers(m * in, &rng), *dw = numbers(in * out, &rng);
            float *dx0 = mem_copy(dx, m * in * sizeof *dx),
                  *dw0 = mem_copy(dw, in * out * sizeof *dw);
            float *scratch = mem_alloc((gemm_scratch(by->way, in, out) + 16) * sizeof *scratch);
            products_begin(by->way.products);
            gemm_forward(by->way, y, x, v, bias, add, m, in, out, scratch);
            gemm_input(by->way, dx, dy, v, add ? NULL : x, add, m, in, out, scratch);
            gemm_weight(by->way, dw, x, dy, add, m, in, out, scratch);
            for (size_t i = 0; i < m; i += 1 + m / 50)
                for (size_t j = 0; j < out; j++) {
                    double sum = (double)bias[j];
                    for (size_t k = 0; k < in; k++)
                        sum += (double)x[i * in + k] * (double)v[k * out + j];
                    compare(by->name, (double)y[i * out + j], add ? fmax(sum, 0) : sum, in, half);
                }
            for (size_t i = 0; i < m; i += 1 + m / 50)
                for (size_t k = 0; k < in; k++) {
                    double sum = add ? (double)dx0[i * in + k] : 0;
                    for (size_t j = 0; j < out; j++)
                        sum += (double)dy[i * out + j] * (double)v[k * out + j];
                    compare(by->name, (double)dx[i * in + k], add || x[i * in + k] > 0.0f ? sum : 0.0, out,
                            half);
                }
            for (size_t k = 0; k < in; k += 1 + in / 50)
                for (size_t j = 0; j < out; j++) {
                    double sum = add ? (double)dw0[k * out + j] : 0;
                    for (size_t i = 0; i < m; i++)
                        sum += (double)x[i * in + k] * (double)dy[i * out + j];
                    compare(by->name, (double)dw[k * out + j], sum, m, half);
                }
            float *all[] = {x, v, dy, bias, y, dx, dw, dx0, dw0, scratch};
            for (size_t i = 0; i < sizeof all / sizeof *all; i++)
                mem_free(all[i]);
        }
}

/* ---- training by each of them ------------------------------------------------------------------------ */

enum { ROWS = 640, WIDTH = 12 };

typedef struct Data {
    float dense[ROWS * WIDTH], target[ROWS];
} Data;

static void make_data(Data *d)
{
    Rng rng;
    rng_seed(&rng, 4, 4);
    for (size_t i = 0; i < ROWS; i++) {
        float *x = d->dense + i * WIDTH;
        for (size_t k = 0; k < WIDTH; k++)
            x[k] = (float)rng_normal(&rng);
        d->target[i] = sinf(x[0]) + x[1] * x[2] + 0.5f * x[3] + 0.1f * (float)rng_normal(&rng);
    }
}

static Graph *net(Way way, size_t wide, Pool *pool)
{
    Graph *g = graph_create(7);
    Node *x = graph_dense(g, "a", graph_input(g, WIDTH), wide, (Tail){.act = ACT_RELU});
    x = graph_batchnorm(g, "norm", x, (Tail){0});
    x = graph_dense(g, "b", x, wide, (Tail){.act = ACT_RELU});
    GraphPlan p = {.rows_most = ROWS,
                   .optimizer = OPTIMIZER_ADAMW,
                   .pool = pool,
                   .products = way.products,
                   .precision = way.precision};
    Error err = {0};
    assert_true(graph_plan(g, graph_dense(g, "head", x, 1, (Tail){0}), &p, &err));
    return g;
}

static double train(Graph *g, const Data *d, int steps)
{
    double loss = 0;
    for (int i = 0; i < steps; i++) {
        GraphFeed feed = {.rows = i % 2 ? 333 : ROWS, .dense = d->dense, .target = d->target};
        GraphStats stats;
        graph_step(g, &feed, &(GraphKnobs){.lr = 3e-3}, &stats);
        assert_true(stats.finite);
        loss = stats.loss;
    }
    return loss;
}

static void same_bits_on_any_threads(void **state)
{
    (void)state;
    static Data d;
    Named way[2 * PRODUCTS_COUNT];
    make_data(&d);
    for (size_t w = 0, n = ways(way); w < n; w++) {
        float *first = NULL;
        for (size_t threads = 1; threads <= 3; threads++) {
            Pool *pool = pool_create(threads);
            Graph *g = net(way[w].way, 272, pool); /* beyond what own multiplies in place */
            train(g, &d, 4);
            size_t bytes = graph_block_size(g) * sizeof(float);
            if (!first)
                first = mem_copy(graph_block(g), bytes);
            if (memcmp(first, graph_block(g), bytes) != 0)
                fail_msg("%s: other bits on %zu threads", way[w].name, threads);
            graph_destroy(g);
            pool_destroy(pool);
        }
        mem_free(first);
    }
}

#ifdef LATHE_SANITIZED
enum { STEPS = 60 };
#else
enum { STEPS = 400 };
#endif

static void all_learn_alike(void **state)
{
    (void)state;
    static Data d;
    static float out[ROWS];
    Named way[2 * PRODUCTS_COUNT];
    double first = 0;
    make_data(&d);
    for (size_t w = 0, n = ways(way); w < n; w++) {
        Graph *g = net(way[w].way, 64, NULL);
        train(g, &d, STEPS);
        graph_predict(g, &(GraphFeed){.rows = ROWS, .dense = d.dense}, out);
        double sum = 0;
        for (size_t i = 0; i < ROWS; i++)
            sum += ((double)out[i] - (double)d.target[i]) * ((double)out[i] - (double)d.target[i]);
        sum = sqrt(sum / ROWS);
        first = w ? first : sum;
        printf("%s: rmse %.4f after %d steps\n", way[w].name, sum, STEPS);
        assert_true(sum < 0.8);
        assert_true(sum < first * 1.1 + 0.01); /* noise of rounding, not of learning */
        graph_destroy(g);
    }
}

static void what_is_missing_is_said(void **state)
{
    (void)state;
    int there = 0;
    for (int p = 0; p < PRODUCTS_COUNT; p++)
        for (int as = 0; as < PRECISION_COUNT; as++) {
            Error err = {0};
            bool ok = products_there((Products)p, (Precision)as, &err);
            assert_int_equal(ok, err.text[0] == 0);
            assert_null(strchr(err.text, '\n'));
            assert_true(ok || strstr(err.text, "onednn") || strstr(err.text, "bf16"));
            double rate = products_rate((Products)p, (Precision)as, 96, 0, NULL);
            assert_true(ok ? rate > 0 : rate == 0);
            there += ok;
        }
    assert_true(there >= 2);
    assert_false(products_there(PRODUCTS_OWN, PRECISION_BF16, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(against_plain),
        cmocka_unit_test(same_bits_on_any_threads),
        cmocka_unit_test(all_learn_alike),
        cmocka_unit_test(what_is_missing_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
