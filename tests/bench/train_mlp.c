/* train_mlp.c -- how fast an mlp trains: samples/s of whole steps (gather, forward, backward, Adam).
 *
 *     bench_train_mlp [seconds a case] [threads]
 *
 * The net of the target, 16-128-128-1, on made-up rows that are gathered through a permutation
 * as a run does it. GFLOP/s counts the matrix products only (no input gradient in the first layer).
 * Beside it, measured in the same run on the same threads: the most multiply-adds the processor does
 * out of registers, OpenBLAS's rate at large products (its 0.3.21 takes newer Xeons for an old one
 * unless OPENBLAS_CORETYPE=SkylakeX is set), and the same training written as plain loops, one after
 * the other, without shards. */
#include <lathe/nn.h>
#include "nn/vector.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 1 << 18, IN = 16, HIDDEN = 128 };

typedef struct Data {
    float *x, *y;
    uint32_t *order;
} Data;

static Data make_data(void)
{
    Data d = {mem_alloc(sizeof(float) * ROWS * IN), mem_alloc(sizeof(float) * ROWS),
              mem_alloc(sizeof(uint32_t) * ROWS)};
    Rng rng;
    rng_seed(&rng, 1, 0);
    for (size_t i = 0; i < ROWS; i++) {
        float *x = d.x + i * IN;
        for (size_t k = 0; k < IN; k++)
            x[k] = (float)rng_normal(&rng);
        d.y[i] = sinf(x[0]) + x[1] * x[2] + 0.3f * x[3] + 0.1f * (float)rng_normal(&rng);
        d.order[i] = (uint32_t)i;
    }
    rng_shuffle(&rng, d.order, ROWS);
    return d;
}

static double products_per_sample(void)
{
    return 2.0 * (3 * HIDDEN * HIDDEN + 3 * HIDDEN + 2 * IN * HIDDEN);
}

/* ---- the machine ---------------------------------------------------------------------------------- */

enum { SIDE = 1024 };

static void one_product(void *job, size_t i, size_t worker)
{
    float *const *m = job;
    (void)worker;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, SIDE, SIDE, SIDE, 1, m[0], SIDE, m[1],
                SIDE, 0, m[2] + i * SIDE * SIDE, SIDE);
}

static double sgemm_rate(Pool *pool, double seconds)
{
    size_t threads = pool_threads(pool);
    float *m[3] = {mem_alloc(sizeof(float) * SIDE * SIDE), mem_alloc(sizeof(float) * SIDE * SIDE),
                   mem_alloc(sizeof(float) * SIDE * SIDE * threads)};
    for (size_t i = 0; i < SIDE * SIDE; i++)
        m[0][i] = m[1][i] = (float)(i % 17) * 0.1f;
    double best = 0;
    for (double begin = clock_now(); clock_now() - begin < seconds;) {
        double t = clock_now();
        pool_run(pool, threads, one_product, m);
        best = fmax(best, 2.0 * SIDE * SIDE * SIDE * (double)threads / (clock_now() - t) / 1e9);
    }
    for (size_t i = 0; i < 3; i++)
        mem_free(m[i]);
    return best;
}

enum { CHAINS = 16, ROUNDS = 1 << 19 };

static void multiply_add(void *job, size_t i, size_t worker)
{
    Vec sum[CHAINS], x = vec_all(0.999f), y = vec_all(1e-3f);
    float *out = job;
    (void)worker;
    for (int k = 0; k < CHAINS; k++)
        sum[k] = vec_all((float)k);
    for (int r = 0; r < ROUNDS; r++) {
        UNROLL
        for (int k = 0; k < CHAINS; k++)
            sum[k] = sum[k] * x + y;
    }
    for (int k = 0; k < CHAINS; k++)
        out[i] += vec_sum(sum[k]);
}

static double peak_rate(Pool *pool, double seconds)
{
    size_t threads = pool_threads(pool);
    float *out = mem_alloc(sizeof *out * threads);
    double best = 0;
    for (double begin = clock_now(); clock_now() - begin < seconds;) {
        double t = clock_now();
        pool_run(pool, threads, multiply_add, out);
        best =
            fmax(best, 2.0 * LANES * CHAINS * ROUNDS * (double)threads / (clock_now() - t) / 1e9);
    }
    mem_free(out);
    return best;
}

/* ---- ours ------------------------------------------------------------------------------------------ */

static Graph *make_net(bool norm, size_t batch, size_t hidden, Pool *pool)
{
    Graph *g = graph_create(1);
    Node *x = graph_input(g, IN);
    for (int i = 0; i < 2; i++) {
        char name[16];
        snprintf(name, sizeof name, "hidden.%d", i);
        x = graph_dense(g, name, x, hidden, norm ? (Tail){0} : (Tail){.act = ACT_RELU});
        snprintf(name, sizeof name, "norm.%d", i);
        if (norm)
            x = graph_batchnorm(g, name, x, (Tail){.act = ACT_RELU});
    }
    x = graph_dense(g, "head", x, 1, (Tail){0});
    Error err = {0};
    GraphPlan plan = {
        .loss = LOSS_SQUARED, .optimizer = OPTIMIZER_ADAM, .rows_most = batch, .pool = pool};
    if (!graph_plan(g, x, &plan, &err)) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    return g;
}

static void gather(const Data *d, size_t from, size_t rows, float *x, float *y)
{
    for (size_t i = 0; i < rows; i++) {
        size_t row = d->order[(from + i) % ROWS];
        memcpy(x + i * IN, d->x + row * IN, IN * sizeof *x);
        y[i] = d->y[row];
    }
}

static double our_rate(const Data *d, bool norm, size_t batch, size_t hidden, double seconds,
                       Pool *pool, double *loss)
{
    Graph *g = make_net(norm, batch, hidden, pool);
    float *x = mem_try(sizeof *x * batch * IN, NULL), *y = mem_try(sizeof *y * batch, NULL);
    GraphFeed feed = {.rows = batch, .dense = x, .target = y};
    GraphStats stats = {0};
    size_t steps = 0, warm = 20;
    double begin = clock_now();
    for (;; steps++) {
        if (steps == warm)
            begin = clock_now();
        if (steps > warm && clock_now() - begin > seconds)
            break;
        gather(d, steps * batch, batch, x, y);
        graph_step(g, &feed, &(GraphKnobs){.lr = 1e-3}, &stats);
    }
    double rate = (double)((steps - warm) * batch) / (clock_now() - begin);
    *loss = stats.loss;
    mem_free(x);
    mem_free(y);
    graph_destroy(g);
    return rate;
}

/* ---- plain loops: no shards, no fusing, no tiles ---------------------------------------------------- */

typedef struct Layer {
    size_t in, out;
    float *w, *b, *dw, *db, *mw, *mb, *vw, *vb, *y, *dy;
} Layer;

static float *numbers(size_t n)
{
    return mem_alloc(sizeof(float) * n);
}

static Layer make_layer(size_t in, size_t out, size_t batch, Rng *rng)
{
    Layer l = {in,
               out,
               numbers(in * out),
               numbers(out),
               numbers(in * out),
               numbers(out),
               numbers(in * out),
               numbers(out),
               numbers(in * out),
               numbers(out),
               numbers(batch * out),
               numbers(batch * out)};
    for (size_t i = 0; i < in * out; i++)
        l.w[i] = (float)((2 * rng_unit(rng) - 1) / sqrt((double)in));
    return l;
}

static void release_layer(Layer *l)
{
    float *all[] = {l->w, l->b, l->dw, l->db, l->mw, l->mb, l->vw, l->vb, l->y, l->dy};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        mem_free(all[i]);
}

static void plain_forward(Layer *l, const float *x, size_t n, bool relu)
{
    for (size_t i = 0; i < n; i++)
        for (size_t o = 0; o < l->out; o++) {
            float sum = l->b[o];
            for (size_t k = 0; k < l->in; k++)
                sum += x[i * l->in + k] * l->w[k * l->out + o];
            l->y[i * l->out + o] = relu && sum < 0 ? 0 : sum;
        }
}

static void plain_backward(Layer *l, const float *x, float *dx, const float *below, size_t n)
{
    memset(l->dw, 0, sizeof(float) * l->in * l->out);
    memset(l->db, 0, sizeof(float) * l->out);
    for (size_t i = 0; i < n; i++)
        for (size_t o = 0; o < l->out; o++) {
            float d = l->dy[i * l->out + o];
            l->db[o] += d;
            for (size_t k = 0; k < l->in; k++)
                l->dw[k * l->out + o] += x[i * l->in + k] * d;
        }
    for (size_t i = 0; dx && i < n; i++)
        for (size_t k = 0; k < l->in; k++) {
            float sum = 0;
            for (size_t o = 0; o < l->out; o++)
                sum += l->dy[i * l->out + o] * l->w[k * l->out + o];
            dx[i * l->in + k] = below[i * l->in + k] > 0 ? sum : 0;
        }
}

static void plain_adam(float *w, float *m, float *v, const float *g, size_t n, int t)
{
    double fix1 = 1 - pow(0.9, t), fix2 = 1 - pow(0.999, t);
    for (size_t i = 0; i < n; i++) {
        m[i] = 0.9f * m[i] + 0.1f * g[i];
        v[i] = 0.999f * v[i] + 0.001f * g[i] * g[i];
        w[i] -= 1e-3f * (float)((double)m[i] / fix1 / (sqrt((double)v[i] / fix2) + 1e-8));
    }
}

static double plain_rate(const Data *d, size_t batch, double seconds)
{
    Rng rng;
    rng_seed(&rng, 1, 0);
    Layer l[3] = {make_layer(IN, HIDDEN, batch, &rng), make_layer(HIDDEN, HIDDEN, batch, &rng),
                  make_layer(HIDDEN, 1, batch, &rng)};
    float *x = numbers(batch * IN), *y = numbers(batch);
    size_t steps = 0;
    double begin = clock_now();
    while (steps == 0 || clock_now() - begin < seconds) {
        gather(d, steps * batch, batch, x, y);
        plain_forward(&l[0], x, batch, true);
        plain_forward(&l[1], l[0].y, batch, true);
        plain_forward(&l[2], l[1].y, batch, false);
        for (size_t i = 0; i < batch; i++)
            l[2].dy[i] = 2 * (l[2].y[i] - y[i]) / (float)batch;
        plain_backward(&l[2], l[1].y, l[1].dy, l[1].y, batch);
        plain_backward(&l[1], l[0].y, l[0].dy, l[0].y, batch);
        plain_backward(&l[0], x, NULL, NULL, batch);
        steps++;
        for (size_t i = 0; i < 3; i++) {
            plain_adam(l[i].w, l[i].mw, l[i].vw, l[i].dw, l[i].in * l[i].out, (int)steps);
            plain_adam(l[i].b, l[i].mb, l[i].vb, l[i].db, l[i].out, (int)steps);
        }
    }
    double rate = (double)(steps * batch) / (clock_now() - begin);
    for (size_t i = 0; i < 3; i++)
        release_layer(&l[i]);
    mem_free(x);
    mem_free(y);
    return rate;
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 1.0;
    Pool *pool = pool_create(argc > 2 ? (size_t)atoi(argv[2]) : 0);
    openblas_set_num_threads(1);
    Data d = make_data();
    double sgemm = sgemm_rate(pool, seconds), limit = fmax(sgemm, peak_rate(pool, seconds));
    printf("training 16-128-128-1, Adam, %zu threads\n", pool_threads(pool));
    printf("multiply-adds out of registers %.0f GFLOP/s, OpenBLAS (%s) at %d x %d %.0f GFLOP/s\n",
           limit, openblas_get_corename(), SIDE, SIDE, sgemm);
    printf("%8s %6s %12s %10s %9s %12s %8s\n", "batch", "norm", "samples/s", "GFLOP/s", "of peak",
           "plain loops", "ratio");
    static const size_t batches[] = {64, 256, 1024, 8192};
    for (int norm = 0; norm < 2; norm++)
        for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
            double loss, rate = our_rate(&d, norm, batches[i], HIDDEN, seconds, pool, &loss);
            double gflops = rate * products_per_sample() / 1e9;
            printf("%8zu %6s %12.0f %10.1f %8.0f%%", batches[i], norm ? "yes" : "no", rate, gflops,
                   100 * gflops / limit);
            if (!norm) {
                double plain = plain_rate(&d, batches[i], seconds / 2);
                printf(" %12.0f %7.1fx", plain, rate / plain);
            }
            printf("\n");
            fflush(stdout);
        }
    size_t wide = 1024;
    double loss, rate = our_rate(&d, false, 8192, wide, seconds, pool, &loss);
    double gflops = rate * 2.0 *
                    (3.0 * (double)(wide * wide) + 3.0 * (double)wide + 2.0 * IN * (double)wide) /
                    1e9;
    printf("16-1024-1024-1 at batch 8192: %.0f samples/s, %.0f GFLOP/s, %.0f%% of peak\n", rate,
           gflops, 100 * gflops / limit);
    mem_free(d.x);
    mem_free(d.y);
    mem_free(d.order);
    pool_destroy(pool);
    return 0;
}
