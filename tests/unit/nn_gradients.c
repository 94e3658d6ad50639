/* Every operator, activation, loss and optimiser of the registries: gradients against central
 * differences, kernels against plain loops, bits against the number of threads. */
#include "nn/nn_int.h"
#include "nn/vector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>

enum { ROWS = 70, WIDTH = 7, CODES = 2 };

typedef struct Data {
    float dense[ROWS * WIDTH], target[ROWS], weight[ROWS];
    int32_t code[ROWS * CODES];
} Data;

static Data make_data(bool classes)
{
    Data d;
    Rng rng;
    rng_seed(&rng, 5, 0);
    for (size_t i = 0; i < ROWS * WIDTH; i++)
        d.dense[i] = (float)rng_normal(&rng);
    for (size_t i = 0; i < ROWS; i++) {
        d.target[i] = classes ? (float)rng_below(&rng, 2) : (float)rng_normal(&rng);
        d.weight[i] = 0.5f + (float)rng_unit(&rng);
        d.code[i * CODES] = (int32_t)rng_below(&rng, 3);
        d.code[i * CODES + 1] = (int32_t)rng_below(&rng, 5);
    }
    return d;
}

static GraphFeed feed_of(const Data *d)
{
    return (GraphFeed){
        .rows = ROWS, .dense = d->dense, .code = d->code, .target = d->target, .weight = d->weight};
}

/* Compares along each tensor: the slope in a random direction, and the largest single elements. */
static void check_gradient(Graph *g, const GraphFeed *feed, double dropout, const char *what)
{
    float *gradient = mem_alloc(graph_block_size(g) * sizeof *gradient);
    float *unused = mem_alloc(graph_block_size(g) * sizeof *unused);
    float *w = graph_block(g);
    graph_gradient(g, feed, dropout, gradient);
    const GraphTensor *rows;
    size_t n = graph_tensors(g, &rows);
    double scale = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; rows[i].learnt && k < rows[i].count; k++)
            scale = fmax(scale, fabs((double)gradient[rows[i].offset + k]));
    assert_true(scale > 1e-6);
    for (size_t i = 0; i < n; i++) {
        if (!rows[i].learnt)
            continue;
        for (size_t k = 0; k < rows[i].count; k += 1 + rows[i].count / 40) {
            size_t at = rows[i].offset + k;
            float before = w[at];
            double step = 4e-3;
            w[at] = before + (float)step;
            double above = graph_gradient(g, feed, dropout, unused);
            w[at] = before - (float)step;
            double below = graph_gradient(g, feed, dropout, unused);
            w[at] = before;
            double found = (double)gradient[at], expected = (above - below) / (2 * step);
            double apart = fabs(found - expected);
            if (apart > 1e-2 * fabs(expected) + 2e-3 * scale) {
                printf("%s: %s[%zu]: gradient %g, difference %g (largest %g)\n", what, rows[i].name,
                       k, found, expected, scale);
                fail();
            }
        }
    }
    mem_free(gradient);
    mem_free(unused);
}

static void plan(Graph *g, Node *out, LossKind loss, Pool *pool)
{
    Error err = {0};
    GraphPlan p = {.loss = loss, .rows_most = ROWS, .optimizer = OPTIMIZER_ADAM, .pool = pool};
    assert_true(graph_plan(g, out, &p, &err));
}

static void every_operator(void **state)
{
    (void)state;
    Data d = make_data(false);
    GraphFeed feed = feed_of(&d);
    for (size_t i = 0; ops[i]; i++) {
        Graph *g = graph_create(3 + i);
        Node *x = graph_dense(g, "below", graph_input(g, WIDTH), 6, (Tail){.act = ACT_TANH});
        Node *y = ops[i]->sample(g, x);
        plan(g, graph_dense(g, "head", y, 1, (Tail){0}), LOSS_SQUARED, NULL);
        check_gradient(g, &feed, 0, ops[i]->name);
        check_gradient(g, &feed, 0.25, ops[i]->name);
        graph_destroy(g);
    }
}

static void every_activation_with_dropout(void **state)
{
    (void)state;
    Data d = make_data(false);
    GraphFeed feed = feed_of(&d);
    for (int act = 0; act < ACT_COUNT; act++) {
        if (act == ACT_RELU || act == ACT_LEAKY)
            continue; /* their kinks: below, on values that stay clear of them */
        for (int norm = 0; norm < 2; norm++) {
            Graph *g = graph_create(11);
            Tail tail = {.act = (Activation)act, .dropout = true};
            Node *x = graph_dense(g, "a", graph_input(g, WIDTH), 9, norm ? (Tail){0} : tail);
            if (norm)
                x = graph_layernorm(g, "norm", x, tail);
            plan(g, graph_dense(g, "head", x, 1, (Tail){0}), LOSS_SQUARED, NULL);
            check_gradient(g, &feed, 0.3, activation_names[act]);
            graph_destroy(g);
        }
    }
}

/* Nets that are stepped by halves of their columns. */
static void halves_with_dropout(void **state)
{
    (void)state;
    static const Activation acts[] = {ACT_NONE, ACT_TANH, ACT_ELU, ACT_SIGMOID};
    Data d = make_data(false);
    GraphFeed feed = feed_of(&d);
    for (size_t i = 0; i < 2 * sizeof acts / sizeof *acts; i++) {
        const bool norm = i % 2;
        const Tail tail = {acts[i / 2], true};
        Graph *g = graph_create(11);
        Node *x = graph_dense(g, "a", graph_input(g, WIDTH), 128, norm ? (Tail){0} : tail);
        if (norm)
            x = graph_batchnorm(g, "norm", x, tail);
        x = graph_dense(g, "b", x, 128, tail);
        plan(g, graph_dense(g, "head", x, 1, (Tail){0}), LOSS_SQUARED, NULL);
        assert_non_null(g->halves);
        check_gradient(g, &feed, 0.3, activation_names[tail.act]);
        graph_destroy(g);
    }
}

/* With weights drawn apart from zero, a small step changes no sign but for a few rows. */
static void kinked_activations(void **state)
{
    (void)state;
    float dense[ROWS] = {0}, target[ROWS];
    for (size_t i = 0; i < ROWS; i++) {
        dense[i] = (i % 2 ? 1.0f : -1.0f) * (1.0f + (float)i / ROWS);
        target[i] = (float)(i % 5);
    }
    GraphFeed feed = {.rows = ROWS, .dense = dense, .target = target};
    for (int act = 0; act < ACT_COUNT; act++) {
        if (act != ACT_RELU && act != ACT_LEAKY)
            continue;
        Graph *g = graph_create(2);
        Node *x = graph_dense(g, "a", graph_input(g, 1), 16, (Tail){(Activation)act, true});
        plan(g, graph_dense(g, "head", x, 1, (Tail){0}), LOSS_SQUARED, NULL);
        float *w = graph_block(g);
        for (size_t k = 0; k < 16; k++) {
            w[k] = k % 2 ? 0.7f : -0.6f; /* weights, then biases: |w x| >= 0.6 > |b| + step */
            w[16 + k] = 0.1f;
        }
        check_gradient(g, &feed, 0.25, activation_names[act]);
        graph_destroy(g);
    }
}

static void every_loss(void **state)
{
    (void)state;
    const float class_weight[] = {0.7f, 1.9f}, level[] = {0.1f, 0.75f};
    for (int loss = 0; loss < LOSS_COUNT; loss++) {
        bool rate = losses[loss].fits == LOSS_FITS_RATE;
        bool series = losses[loss].fits == LOSS_FITS_SERIES;
        bool classes = !rate && !series && losses[loss].fits != LOSS_FITS_NUMBER;
        Data d = make_data(classes);
        for (size_t i = 0; rate && i < ROWS; i++)
            d.target[i] = fabsf(d.target[i]) + 0.1f;
        float out[ROWS * 2], grad[ROWS * 2];
        Rng rng;
        rng_seed(&rng, 9, 0);
        size_t width = series || losses[loss].fits == LOSS_FITS_CLASSES ? 2 : 1;
        for (size_t i = 0; i < ROWS * width; i++)
            out[i] = (float)rng_normal(&rng) * 2;
        LossJob job = {.out = out,
                       .target = d.target,
                       .weight = d.weight,
                       .rows = ROWS,
                       .width = width,
                       .class_weight = classes ? class_weight : NULL,
                       .delta = 0.8f,
                       .quantile = 0.9f,
                       .power = 1.3f,
                       .level = level,
                       .levels = series ? 2 : 0,
                       .scale = 1.0f,
                       .grad = grad};
        losses[loss].sum(&job);
        for (size_t i = 0; i < ROWS * width; i++) {
            float before = out[i];
            LossJob value = job;
            value.grad = NULL;
            out[i] = before + 1e-2f;
            double above = losses[loss].sum(&value);
            out[i] = before - 1e-2f;
            double below = losses[loss].sum(&value);
            out[i] = before;
            double expected = (above - below) / 2e-2;
            double e = (double)before - (double)d.target[i / width];
            bool kink = series || loss == LOSS_ABSOLUTE || loss == LOSS_QUANTILE ? fabs(e) < 0.02
                        : loss == LOSS_HUBER                           ? fabs(fabs(e) - 0.8) < 0.02
                                                                       : false;
            if (!kink && fabs(expected - (double)grad[i]) > 2e-3 * (1 + fabs(expected))) {
                printf("%s: row %zu: %g against %g\n", losses[loss].name, i, (double)grad[i],
                       expected);
                fail();
            }
        }
    }
}

/* XGBoost's own checks: gradients at -2 -1 0 1 for y = 0. */
static void poisson_known_values(void **state)
{
    (void)state;
    const float out[] = {-2, -1, 0, 1}, target[4] = {0};
    const double expected[] = {.14, .37, 1, 2.71};
    float grad[4];
    LossJob job = {.out = out, .target = target, .rows = 4, .width = 1, .scale = 1, .grad = grad};
    losses[LOSS_POISSON].sum(&job);
    for (size_t i = 0; i < 4; i++)
        assert_true(fabs((double)grad[i] - expected[i]) < 0.01);
}

/* XGBoost's own checks: gradients at 0 .1 .9 1 for y = 0. */
static void logistic_known_values(void **state)
{
    (void)state;
    const float out[] = {0, 0.1f, 0.9f, 1}, target[4] = {0};
    const double expected[] = {.5, .52, .71, .73};
    float grad[4];
    LossJob job = {.out = out, .target = target, .rows = 4, .width = 1, .scale = 1, .grad = grad};
    losses[LOSS_LOGISTIC].sum(&job);
    for (size_t i = 0; i < 4; i++)
        assert_true(fabs((double)grad[i] - expected[i]) < 0.006);
}

/* mean and variance over all rows of the batch, whatever the shards */
static void batchnorm_against_plain(void **state)
{
    (void)state;
    enum { N = 512 };
    static float dense[N * 3], target[N], out[N * 3];
    Rng rng;
    rng_seed(&rng, 1, 1);
    for (size_t i = 0; i < N * 3; i++)
        dense[i] = 5 + (float)rng_normal(&rng) * (float)(1 + i % 3);
    Graph *g = graph_create(1);
    Error err = {0};
    Node *n = graph_batchnorm(g, "norm", graph_input(g, 3), (Tail){0});
    GraphPlan p = {.loss = LOSS_SQUARED, .rows_most = N};
    assert_true(graph_plan(g, n, &p, &err));
    GraphFeed feed = {.rows = N, .dense = dense, .target = target};
    GraphStats stats;
    graph_step(g, &feed, &(GraphKnobs){0}, &stats); /* lr 0 */
    const GraphTensor *rows;
    assert_int_equal(graph_tensors(g, &rows), 4);
    for (size_t k = 0; k < 3; k++) {
        double mean = 0, square = 0;
        for (size_t i = 0; i < N; i++)
            mean += (double)dense[i * 3 + k] / N;
        for (size_t i = 0; i < N; i++)
            square += ((double)dense[i * 3 + k] - mean) * ((double)dense[i * 3 + k] - mean);
        for (size_t i = 0; i < N; i++) {
            double xhat = ((double)dense[i * 3 + k] - mean) / sqrt(square / N + 1e-5);
            assert_true(fabs(xhat - (double)n->value[i * 3 + k]) < 1e-5);
        }
        assert_true(fabs((double)graph_block(g)[rows[2].offset + k] - 0.1 * mean) < 1e-5);
        double var = 0.9 + 0.1 * square / (N - 1);
        assert_true(fabs((double)graph_block(g)[rows[3].offset + k] - var) < 1e-5);
    }
    graph_predict(g, &feed, out); /* by the running statistics now */
    double expected = ((double)dense[0] - (double)graph_block(g)[rows[2].offset]) /
                      sqrt((double)graph_block(g)[rows[3].offset] + 1e-5);
    assert_true(fabs((double)out[0] - expected) < 1e-4);
    graph_destroy(g);
}

/* Shares of softmax by head, in double; tokens and gates beside it. */
static void attention_against_plain(void **state)
{
    (void)state;
    enum { HEADS = 2, SIZE = 3, WIDE = HEADS * SIZE, TOKENS = WIDTH + 1 };
    Data d = make_data(false);
    GraphFeed feed = feed_of(&d);
    Graph *g = graph_create(21);
    Node *token = graph_token(g, "token", graph_input(g, WIDTH), WIDE);
    Node *x = graph_sequence(g, "row", &token, 1, WIDE, true);
    Node *q = graph_dense(g, "q", graph_slice(g, x, 2, 3, false), WIDE, (Tail){0});
    Node *k = graph_dense(g, "k", x, WIDE, (Tail){0}), *v = graph_dense(g, "v", x, WIDE, (Tail){0});
    Node *y = graph_attention(g, "look", q, k, v, HEADS, 1.0);
    Node *gate = graph_gate(g, y, ACT_SILU, false);
    assert_int_equal(node_tokens(x), TOKENS);
    assert_int_equal(node_tokens(gate), 3);
    plan(g, graph_dense(g, "head", graph_slice(g, gate, 0, 3, true), 1, (Tail){0}), LOSS_SQUARED,
         NULL);
    GraphStats stats;
    graph_step(g, &feed, &(GraphKnobs){0}, &stats);
    const GraphTensor *rows;
    graph_tensors(g, &rows);
    const float *w = graph_block(g) + rows[0].offset, *b = graph_block(g) + rows[1].offset;
    for (size_t r = 0; r < ROWS; r++)
        for (size_t t = 0; t < TOKENS; t++)
            for (size_t c = 0; c < WIDE; c++) {
                double of =
                    t ? (double)d.dense[r * WIDTH + t - 1] * (double)w[(t - 1) * WIDE + c] : 0;
                double found = (double)x->value[(r * TOKENS + t) * WIDE + c];
                assert_true(fabs(of + (double)b[t * WIDE + c] - found) < 1e-5);
            }
    for (size_t r = 0; r < ROWS; r++)
        for (size_t t = 0; t < 3; t++)
            for (size_t h = 0; h < HEADS; h++) {
                double share[TOKENS], sum = 0, out[SIZE] = {0};
                for (size_t j = 0; j < TOKENS; j++) {
                    double dot = 0;
                    for (size_t c = h * SIZE; c < (h + 1) * SIZE; c++)
                        dot += (double)q->value[(r * 3 + t) * WIDE + c] *
                               (double)k->value[(r * TOKENS + j) * WIDE + c];
                    sum += share[j] = exp(dot / sqrt((double)SIZE));
                }
                for (size_t j = 0; j < TOKENS; j++)
                    for (size_t c = 0; c < SIZE; c++)
                        out[c] += share[j] / sum *
                                  (double)v->value[(r * TOKENS + j) * WIDE + h * SIZE + c];
                for (size_t c = 0; c < SIZE; c++)
                    assert_true(fabs(out[c] - (double)y->value[(r * 3 + t) * WIDE + h * SIZE + c]) <
                                1e-5);
            }
    for (size_t i = 0; i < ROWS * 3; i++)
        for (size_t c = 0; c < WIDE / 2; c++) {
            double a = (double)y->value[i * WIDE + c],
                   z = (double)y->value[i * WIDE + WIDE / 2 + c];
            assert_true(fabs(a * z / (1 + exp(-z)) - (double)gate->value[i * WIDE / 2 + c]) < 1e-5);
        }
    graph_destroy(g);
}

/* Every number of two binades, and every 97th block of the others. */
static void roots_are_exact(void **state)
{
    (void)state;
    size_t wrong = 0;
    unsigned before = tiny_off();
    for (uint32_t exponent = 28; exponent < 255; exponent++)
        for (uint32_t m = 0; m < 1u << 23; m += exponent / 2 == 63 ? LANES : 97 * LANES) {
            float x[LANES], y[LANES];
            for (uint32_t i = 0; i < LANES; i++) {
                uint32_t bits = exponent << 23 | ((m + i) & 0x7fffffu);
                memcpy(&x[i], &bits, sizeof bits);
            }
            vec_store(y, vec_sqrt(vec_load(x)));
            for (size_t i = 0; i < LANES; i++)
                wrong += y[i] != sqrtf(x[i]);
        }
    assert_int_equal(wrong, 0);
    float zero[LANES] = {0.0f, -0.0f};
    vec_store(zero, vec_sqrt(vec_load(zero)));
    for (size_t i = 0; i < LANES; i++)
        assert_true(zero[i] == 0.0f);
    tiny_restore(before);
}

/* One weight, by hand: PyTorch's formulas with y = w x, x = 1, target 0, so g = 2 w. */
static void optimisers_by_hand(void **state)
{
    (void)state;
    for (int kind = 0; kind < OPTIMIZER_COUNT; kind++) {
        double w = 0.5, m = 0, v = 0;
        float wf = 0.5f, mf = 0, vf = 0;
        for (int t = 1; t <= 20; t++) {
            double g = 2 * w, decay = 0.1, lr = 0.05;
            float gf = 2 * wf;
            UpdateJob job = {.w = &wf,
                             .m = &mf,
                             .v = &vf,
                             .g = &gf,
                             .count = 1,
                             .lr = 0.05f,
                             .decay = 0.1f,
                             .momentum = 0.9f,
                             .beta1 = 0.9f,
                             .beta2 = 0.999f,
                             .epsilon = 1e-8f,
                             .fix1 = (float)(1 / (1 - pow(.9, t))),
                             .fix2 = (float)(1 / (1 - pow(.999, t)))};
            optimizer_update[kind](&job);
            if (kind == OPTIMIZER_SGD) {
                m = 0.9 * m + g + decay * w;
                w -= lr * m;
                continue;
            }
            if (kind == OPTIMIZER_ADAM)
                g += decay * w;
            else
                w *= 1 - lr * decay;
            m = 0.9 * m + 0.1 * g;
            v = 0.999 * v + 0.001 * g * g;
            w -= lr * (m / (1 - pow(.9, t))) / (sqrt(v / (1 - pow(.999, t))) + 1e-8);
        }
        assert_true(fabs(w - (double)wf) < 1e-5);
    }
}

static Graph *deep(Pool *pool)
{
    static const int32_t cardinality[] = {3, 5};
    static const size_t size[] = {2, 4};
    Graph *g = graph_create(7);
    Node *x = graph_input(g, WIDTH);
    x = graph_concat(g, (Node *[]){x, graph_embed(g, "words", cardinality, size, CODES)}, 2);
    x = graph_dense(g, "a", x, 40, (Tail){0});
    x = graph_batchnorm(g, "norm", x, (Tail){ACT_RELU, true});
    x = graph_dense(g, "b", x, 260, (Tail){ACT_GELU, true});
    x = graph_dense(g, "c", x, 260, (Tail){ACT_RELU, true}); /* OpenBLAS's */
    x = graph_layernorm(g, "layer", x, (Tail){0});
    Error err = {0};
    GraphPlan p = {.rows_most = 600, .optimizer = OPTIMIZER_ADAMW, .pool = pool};
    assert_true(graph_plan(g, graph_dense(g, "head", x, 1, (Tail){0}), &p, &err));
    return g;
}

static void same_bits_on_any_threads(void **state)
{
    (void)state;
    enum { N = 600, STEPS = 6 };
    static float dense[N * WIDTH], target[N];
    static int32_t code[N * CODES];
    Rng rng;
    rng_seed(&rng, 4, 4);
    for (size_t i = 0; i < N * WIDTH; i++)
        dense[i] = (float)rng_normal(&rng);
    for (size_t i = 0; i < N; i++) {
        target[i] = dense[i * WIDTH];
        code[i * 2] = (int32_t)rng_below(&rng, 3);
        code[i * 2 + 1] = (int32_t)rng_below(&rng, 5);
    }
    for (int clip = 0; clip < 2; clip++) {
        float *first = NULL;
        for (size_t threads = 1; threads <= 3; threads++) {
            Pool *pool = pool_create(threads);
            Graph *g = deep(pool);
            GraphKnobs knobs = {
                .lr = 1e-2, .weight_decay = 1e-2, .dropout = 0.2, .clip = clip ? 0.5 : 0};
            double last = 0;
            for (size_t i = 0; i < STEPS; i++) {
                size_t rows = i % 2 ? N : 77;
                GraphFeed feed = {.rows = rows, .dense = dense, .code = code, .target = target};
                GraphStats stats;
                graph_step(g, &feed, &knobs, &stats);
                assert_true(stats.finite);
                last = stats.loss;
            }
            assert_true(last < 2 && last > 0);
            size_t bytes = graph_block_size(g) * sizeof(float);
            if (!first)
                first = mem_copy(graph_block(g), bytes);
            assert_memory_equal(first, graph_block(g), bytes);
            graph_destroy(g);
            pool_destroy(pool);
        }
        mem_free(first);
    }
}

/* Weights enough that each thread has a home, whose gradients and weights are stored in ways of their own. */
static void same_bits_at_home_and_away(void **state)
{
    (void)state;
    enum { N = 300, TENSORS = 6, LAYERS = 3 + TENSORS };
    static float dense[N * WIDTH], target[N];
    Rng rng;
    rng_seed(&rng, 4, 5);
    for (size_t i = 0; i < N * WIDTH; i++)
        dense[i] = (float)rng_normal(&rng);
    for (size_t i = 0; i < N; i++)
        target[i] = dense[i * WIDTH];
    float *first = NULL;
    LayerStats seen[LAYERS], now[LAYERS];
    for (size_t threads = 1; threads <= 3; threads++) {
        Pool *pool = pool_create(threads);
        Graph *g = graph_create(1);
        Node *x = graph_dense(g, "a", graph_input(g, WIDTH), 96, (Tail){.act = ACT_RELU});
        x = graph_dense(g, "b", x, 96, (Tail){.act = ACT_RELU});
        GraphPlan p = {
            .loss = LOSS_SQUARED, .optimizer = OPTIMIZER_ADAM, .rows_most = N, .pool = pool};
        Error err = {0};
        assert_true(graph_plan(g, graph_dense(g, "head", x, 1, (Tail){0}), &p, &err));
        assert_true(threads == 1 ? g->homes == 0 : g->homes == threads);
        GraphStats stats;
        for (size_t i = 0; i < 6; i++)
            graph_step(g, &(GraphFeed){.rows = i % 2 ? N : 64, .dense = dense, .target = target},
                       &(GraphKnobs){.lr = 1e-2}, &stats);
        memset(now, 0, sizeof now);
        assert_int_equal(graph_layers(g, N, now, LAYERS), LAYERS);
        size_t bytes = graph_block_size(g) * sizeof(float);
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

/* The loss goes down, and dropout keeps its expectation. */
static void learns_and_drops(void **state)
{
    (void)state;
    Data d = make_data(false);
    GraphFeed feed = feed_of(&d);
    for (size_t i = 0; i < ROWS; i++)
        d.target[i] = sinf(d.dense[i * WIDTH]) + 0.5f * d.dense[i * WIDTH + 1];
    Graph *g = graph_create(1);
    Node *x = graph_dense(g, "a", graph_input(g, WIDTH), 32, (Tail){.act = ACT_RELU});
    plan(g, graph_dense(g, "head", x, 1, (Tail){0}), LOSS_SQUARED, NULL);
    GraphStats stats;
    graph_step(g, &feed, &(GraphKnobs){.lr = 1e-2}, &stats);
    double before = stats.loss;
    for (int i = 0; i < 300; i++)
        graph_step(g, &feed, &(GraphKnobs){.lr = 1e-2}, &stats);
    assert_true(stats.loss < 0.02 * before);
    graph_destroy(g);

    g = graph_create(1);
    x = graph_dense(g, "a", graph_input(g, WIDTH), 64, (Tail){.dropout = true});
    plan(g, graph_dense(g, "head", x, 1, (Tail){0}), LOSS_SQUARED, NULL);
    float *block = graph_block(g);
    for (size_t i = 0; i < WIDTH * 64 + 64; i++)
        block[i] = i < WIDTH * 64 ? 0 : 1; /* every value is 1 before dropout */
    float *unused = mem_alloc(graph_block_size(g) * sizeof *unused);
    double sum = 0;
    size_t zero = 0, rounds = 50;
    for (size_t s = 0; s < rounds; s++) {
        graph_set_steps(g, s);
        graph_gradient(g, &feed, 0.3, unused);
        for (size_t i = 0; i < ROWS * 64; i++) {
            sum += (double)x->value[i];
            zero += x->value[i] == 0;
        }
    }
    double n = (double)(rounds * ROWS * 64);
    assert_true(fabs((double)zero / n - 0.3) < 0.005);
    assert_true(fabs(sum / n - 1) < 0.01);
    mem_free(unused);
    graph_destroy(g);
}

/* What fades becomes zero, not a subnormal number that slows every step down. */
static void moments_fade_to_zero(void **state)
{
    (void)state;
    Data d = make_data(false);
    GraphFeed feed = feed_of(&d);
    Pool *pool = pool_create(2);
    Graph *g = graph_create(1);
    Node *x = graph_dense(g, "a", graph_input(g, WIDTH), 8, (Tail){.act = ACT_RELU});
    plan(g, graph_dense(g, "head", x, 1, (Tail){0}), LOSS_SQUARED, pool);
    GraphStats stats;
    graph_step(g, &feed, &(GraphKnobs){.lr = 1e-3}, &stats);
    const GraphTensor *rows;
    graph_tensors(g, &rows);
    for (size_t i = 0; i < 8; i++)
        graph_block(g)[rows[1].offset + i] = -100; /* every unit is dead from now on */
    for (int i = 0; i < 1500; i++)
        graph_step(g, &feed, &(GraphKnobs){.lr = 1e-3}, &stats);
    for (size_t i = 0; i < rows[0].count; i++)
        assert_true(graph_moment(g, 0)[i] == 0);
    graph_destroy(g);
    pool_destroy(pool);
}

static void names_where_it_broke(void **state)
{
    (void)state;
    Data d = make_data(false);
    GraphFeed feed = feed_of(&d);
    Graph *g = graph_create(1);
    Node *x = graph_dense(g, "a", graph_input(g, WIDTH), 20, (Tail){.act = ACT_RELU});
    x = graph_dense(g, "b", x, 20, (Tail){.act = ACT_RELU});
    plan(g, graph_dense(g, "head", x, 1, (Tail){0}), LOSS_SQUARED, NULL);
    GraphStats stats;
    size_t bytes = graph_block_size(g) * sizeof(float);
    float *before = mem_copy(graph_block(g), bytes);
    d.dense[60 * WIDTH + 3] = NAN;
    graph_step(g, &feed, &(GraphKnobs){.lr = 1e-2}, &stats);
    assert_false(stats.finite);
    assert_string_equal(stats.layer, "input");
    assert_memory_equal(before, graph_block(g), bytes);
    d.dense[60 * WIDTH + 3] = 1;
    d.target[3] = INFINITY;
    graph_step(g, &feed, &(GraphKnobs){.lr = 1e-2}, &stats);
    assert_false(stats.finite);
    assert_string_equal(stats.layer, "target");
    d.target[3] = 1;
    graph_block(g)[WIDTH * 20 + 32 - (WIDTH * 20) % 16] = NAN; /* somewhere behind a's weights */
    graph_step(g, &feed, &(GraphKnobs){.lr = 1e-2}, &stats);
    assert_false(stats.finite);
    assert_string_not_equal(stats.layer, "");
    mem_free(before);
    graph_destroy(g);
}

/* A graph that only predicts has no room for steps, and says what one that learns says. */
static void predicts_without_gradients(void **state)
{
    (void)state;
    enum { N = 40, WIDE = 12 };
    static float dense[N * WIDE], said[2][N];
    Error err = {0};
    Rng rng;
    rng_seed(&rng, 4, 4);
    for (size_t i = 0; i < N * WIDE; i++)
        dense[i] = (float)rng_normal(&rng);
    for (int predicts = 0; predicts < 2; predicts++) {
        Graph *g = graph_create(9);
        Node *x = graph_dense(g, "a", graph_input(g, WIDE), 24, (Tail){ACT_GELU, true});
        x = graph_batchnorm(g, "b", x, (Tail){.act = ACT_RELU});
        x = graph_layernorm(g, "c", graph_dense(g, "d", x, 8, (Tail){ACT_RELU, false}), (Tail){0});
        GraphPlan p = {.optimizer = OPTIMIZER_ADAM, .rows_most = 16, .predicts = predicts};
        assert_true(graph_plan(g, graph_dense(g, "head", x, 1, (Tail){0}), &p, &err));
        assert_int_equal(graph_moments(g), predicts ? 0 : 2);
        for (size_t i = 1; i < g->node.count; i++)
            assert_int_equal(g->node.at[i]->grad == NULL, predicts);
        graph_predict(g, &(GraphFeed){.rows = N, .dense = dense}, said[predicts]);
        graph_destroy(g);
    }
    assert_memory_equal(said[0], said[1], sizeof said[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operator),
        cmocka_unit_test(every_activation_with_dropout),
        cmocka_unit_test(halves_with_dropout),
        cmocka_unit_test(kinked_activations),
        cmocka_unit_test(every_loss),
        cmocka_unit_test(logistic_known_values),
        cmocka_unit_test(poisson_known_values),
        cmocka_unit_test(batchnorm_against_plain),
        cmocka_unit_test(predicts_without_gradients),
        cmocka_unit_test(attention_against_plain),
        cmocka_unit_test(roots_are_exact),
        cmocka_unit_test(optimisers_by_hand),
        cmocka_unit_test(same_bits_on_any_threads),
        cmocka_unit_test(same_bits_at_home_and_away),
        cmocka_unit_test(learns_and_drops),
        cmocka_unit_test(moments_fade_to_zero),
        cmocka_unit_test(names_where_it_broke),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
