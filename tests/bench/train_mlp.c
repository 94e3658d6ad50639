/* train_mlp.c -- how fast an mlp trains: samples/s of whole steps (gather, forward, backward, Adam), beside
 * PyTorch and beside what the machine can do, all in one run.
 *
 *     bench_train_mlp [seconds a turn] [threads]
 *
 * The net of the target, 16-128-128-1, on made-up rows. PyTorch trains the same net on the same rows
 * (train_mlp_peers.py; left out where it is missing): on its fastest data path on one and on all threads,
 * the better counts, and by an ordinary DataLoader. Everybody has his turn three times, the best counts, so
 * that other work on the machine does no harm to one alone. GFLOP/s counts the matrix products only (no
 * input gradient in the first layer); the share is of the best rate that any library multiplies large
 * matrices at, on as many threads. Then 16-1024-1024-1, by each library, and what a second thread gives
 * beside what it gives to plain products. */
#include <lathe/nn.h>
#include "nn/vector.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROWS = 1 << 18, IN = 16, HIDDEN = 128, WIDE = 1024, TURNS = 3 };

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

static double flops_a_sample(size_t hidden)
{
    double h = (double)hidden;
    return 2.0 * (3 * h * h + 3 * h + 2 * IN * h);
}

/* ---- the machine ---------------------------------------------------------------------------------- */

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
        out[i * 16] += vec_sum(sum[k]);
}

/* Out of registers: nothing multiplies faster. */
static double peak_rate(Pool *pool, double seconds)
{
    size_t threads = pool_threads(pool);
    float *out = mem_alloc(sizeof *out * 16 * threads);
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

typedef struct Machine {
    double peak[2], rate[PRODUCTS_COUNT][2], best[2], half; /* on one thread, on all */
} Machine;

static double large_rate(Products p, Precision as, double seconds, Pool *pool)
{
    return fmax(products_rate(p, as, 1024, seconds, pool),
                products_rate(p, as, 2048, seconds, pool));
}

/* The threads in turns too: a ratio of two is of the same minute. */
static Machine measure(Pool *pool, double seconds)
{
    Machine m = {0};
    Pool *const pools[2] = {NULL, pool};
    for (int turn = 0; turn < TURNS; turn++)
        for (int t = 0; t < 2; t++) {
            m.peak[t] = fmax(m.peak[t], peak_rate(pools[t], seconds / 2));
            for (int p = 0; p < PRODUCTS_COUNT; p++) {
                double rate = large_rate((Products)p, PRECISION_FLOAT32, seconds / 4, pools[t]);
                m.rate[p][t] = fmax(m.rate[p][t], rate);
                m.best[t] = fmax(m.best[t], rate);
            }
        }
    m.half = large_rate(PRODUCTS_ONEDNN, PRECISION_BF16, seconds / 2, pool);
    return m;
}

static void say_machine(const Machine *m, size_t threads)
{
    printf("%-34s %9s %9s %8s\n", "GFLOP/s on threads", "1", threads == 2 ? "2" : "all", "ratio");
    printf("%-34s %9.1f %9.1f %7.2fx\n", "multiply-adds out of registers", m->peak[0], m->peak[1],
           m->peak[1] / m->peak[0]);
    for (int p = 0; p < PRODUCTS_COUNT; p++) {
        Text about = {0};
        char name[64];
        products_about((Products)p, PRECISION_FLOAT32, &about);
        snprintf(name, sizeof name, "%s: %.40s", products_names[p], text_str(&about));
        printf("%-34.34s %9.1f %9.1f %7.2fx\n", name, m->rate[p][0], m->rate[p][1],
               m->rate[p][0] > 0 ? m->rate[p][1] / m->rate[p][0] : 0);
        text_release(&about);
    }
    printf("%-34s %9s %9.1f\n\n", "onednn in bf16", "", m->half);
}

/* ---- ours ------------------------------------------------------------------------------------------ */

static Graph *make_net(bool norm, size_t batch, size_t hidden, Products products, Precision as,
                       Pool *pool)
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
    GraphPlan plan = {.loss = LOSS_SQUARED,
                      .optimizer = OPTIMIZER_ADAM,
                      .rows_most = batch,
                      .pool = pool,
                      .products = products,
                      .precision = as};
    if (!graph_plan(g, x, &plan, &err)) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    return g;
}

typedef struct Gather {
    const Data *d;
    size_t from, rows;
    float *x, *y;
} Gather;

enum { GATHER_ROWS = 128 };

/* As a run does: src/train/loop.c. */
static void gather_block(void *job, size_t block, size_t worker)
{
    const Gather *g = job;
    const Data *d = g->d;
    size_t end = (block + 1) * GATHER_ROWS;
    (void)worker;
    for (size_t i = block * GATHER_ROWS; i < end && i < g->rows; i++) {
        size_t row = d->order[(g->from + i) % ROWS], soon = d->order[(g->from + i + 8) % ROWS];
        __builtin_prefetch(d->x + soon * IN);
        __builtin_prefetch(d->y + soon);
        memcpy(g->x + i * IN, d->x + row * IN, IN * sizeof *g->x);
        g->y[i] = d->y[row];
    }
}

static double processor_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* One net in training, a turn at a time. */
typedef struct Ours {
    Graph *g;
    const Data *d;
    Pool *pool;
    size_t batch, steps;
    float *x, *y;
    double best, busy, loss; /* samples a second by the clock and of processor time */
    long sleeps;
} Ours;

static Ours ours_begin(const Data *d, Graph *g, size_t batch, Pool *pool)
{
    return (Ours){.g = g,
                  .d = d,
                  .pool = pool,
                  .batch = batch,
                  .x = mem_try(sizeof(float) * batch * IN, NULL),
                  .y = mem_try(sizeof(float) * batch, NULL)};
}

static void ours_steps(Ours *o, size_t n)
{
    GraphFeed feed = {.rows = o->batch, .dense = o->x, .target = o->y};
    GraphStats stats = {0};
    for (size_t i = 0; i < n; i++) {
        Gather rows = {o->d, o->steps++ * o->batch, o->batch, o->x, o->y};
        pool_run_near(o->pool, (o->batch + GATHER_ROWS - 1) / GATHER_ROWS, gather_block, &rows);
        graph_step(o->g, &feed, &(GraphKnobs){.lr = 1e-3}, &stats);
    }
    o->loss = stats.loss;
}

static void ours_turn(Ours *o, double seconds)
{
    struct rusage before, after;
    double spent;
    ours_steps(o, 2);
    getrusage(RUSAGE_SELF, &before);
    spent = processor_seconds();
    size_t first = o->steps;
    double begin = clock_now();
    while (o->steps == first || clock_now() - begin < seconds)
        ours_steps(o, o->batch < 512 ? 16 : 1);
    double samples = (double)((o->steps - first) * o->batch),
           rate = samples / (clock_now() - begin);
    o->busy = fmax(o->busy, samples / (processor_seconds() - spent));
    getrusage(RUSAGE_SELF, &after);
    if (rate > o->best) {
        o->best = rate;
        o->sleeps = 1000 * (after.ru_nvcsw - before.ru_nvcsw) / (long)(o->steps - first);
    }
}

static void ours_end(Ours *o)
{
    mem_free(o->x);
    mem_free(o->y);
    graph_destroy(o->g);
}

/* ---- PyTorch: a process that answers "BATCH HIDDEN NORM PATH SECONDS" with samples/s ------------------ */

typedef struct Peer {
    FILE *to, *from;
    pid_t pid;
} Peer;

static bool peer_begin(Peer *p, const char *folder, size_t threads)
{
    int in[2], out[2];
    char n[24];
    const char *python = getenv("PEER_PYTHON");
    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
        return false;
    snprintf(n, sizeof n, "%zu", threads);
    p->pid = fork();
    if (p->pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        execlp(python ? python : "/usr/bin/python3", "python3",
               LATHE_SOURCE_DIR "/tests/bench/train_mlp_peers.py", folder, n, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    p->to = fdopen(in[1], "w");
    p->from = fdopen(out[0], "r");
    char line[80];
    return p->pid > 0 && fgets(line, sizeof line, p->from) && printf("PyTorch %s", line) > 0;
}

/* best: by the clock, and of processor time; NULL: not wanted */
static void peer_turn(Peer *p, size_t batch, size_t hidden, bool norm, const char *path,
                      double seconds, double *best, double *busy)
{
    double rate = 0, of_processor = 0;
    fprintf(p->to, "%zu %zu %d %s %g\n", batch, hidden, norm, path, seconds);
    fflush(p->to);
    if (fscanf(p->from, "%lf %lf", &rate, &of_processor) != 2)
        return;
    *best = fmax(*best, rate);
    if (busy)
        *busy = fmax(*busy, of_processor);
}

static void peer_end(Peer *p)
{
    if (p->to)
        fclose(p->to);
    if (p->from)
        fclose(p->from);
    if (p->pid > 0)
        waitpid(p->pid, NULL, 0);
}

/* ---- the table ------------------------------------------------------------------------------------ */

typedef struct Setting {
    const Data *d;
    const Machine *m;
    Pool *pool;
    Peer peer[2]; /* on one thread, on all */
    size_t peers;
    double seconds;
} Setting;

static void small_net(Setting *s, size_t batch, bool norm, double asked)
{
    Ours all = ours_begin(
        s->d, make_net(norm, batch, HIDDEN, PRODUCTS_OWN, PRECISION_FLOAT32, s->pool), batch,
        s->pool);
    Ours one = ours_begin(
        s->d, make_net(norm, batch, HIDDEN, PRODUCTS_OWN, PRECISION_FLOAT32, NULL), batch, NULL);
    double theirs = 0, loader = 0, busy = 0;
    for (int turn = 0; turn < TURNS; turn++) {
        ours_turn(&all, s->seconds);
        for (size_t p = 0; p < s->peers; p++)
            peer_turn(&s->peer[p], batch, HIDDEN, norm, "direct", s->seconds, &theirs, &busy);
        ours_turn(&one, s->seconds);
        for (size_t p = 0; p < s->peers && turn == 0; p++)
            peer_turn(&s->peer[p], batch, HIDDEN, norm, "loader", s->seconds, &loader, NULL);
    }
    double gflops = all.best * flops_a_sample(HIDDEN) / 1e9;
    printf("%6zu %5s %11.0f %8.1f %6.0f%% %7.2fx %7.2f", batch, norm ? "yes" : "no", all.best,
           gflops, 100 * gflops / s->m->best[1], all.best / one.best, (double)all.sleeps / 1000);
    if (theirs > 0)
        printf(" %11.0f %7.1fx %6.1fx %6.1fx %11.0f %7.1fx", theirs, all.best / theirs, asked,
               one.busy / busy, loader, all.best / loader);
    printf("\n");
    fflush(stdout);
    ours_end(&all);
    ours_end(&one);
}

static void small_nets(Setting *s)
{
    static const size_t batches[] = {64, 256, 1024, 8192};
    static const double asked[2][4] = {{8, 5, 3, 2.5}, {8, 5, 4, 3}};
    printf("\n16-128-128-1, Adam. ratio: to PyTorch's faster run; busy: of processor time, both on "
           "one "
           "thread or the thriftier; sleeps: of threads, a step\n"
           "%6s %5s %11s %8s %7s %8s %7s %11s %8s %7s %7s %11s %8s\n",
           "batch", "norm", "samples/s", "GFLOP/s", "share", "threads", "sleeps", "PyTorch",
           "ratio", "asked", "busy", "DataLoader", "ratio");
    for (int norm = 0; norm < 2; norm++)
        for (size_t i = 0; i < 4; i++)
            small_net(s, batches[i], norm, asked[norm][i]);
}

static void wide_net(Setting *s, const char *name, Products products, Precision as, double *single)
{
    size_t batch = 8192;
    if (!products_there(products, as, NULL))
        return;
    Ours all = ours_begin(s->d, make_net(false, batch, WIDE, products, as, s->pool), batch, s->pool);
    Ours one = ours_begin(s->d, make_net(false, batch, WIDE, products, as, NULL), batch, NULL);
    for (int turn = 0; turn < TURNS; turn++) {
        ours_turn(&all, s->seconds);
        ours_turn(&one, s->seconds);
    }
    double gflops = all.best * flops_a_sample(WIDE) / 1e9;
    printf("%-10s %11.0f %8.1f %6.0f%% %7.2fx %8.1f\n", name, all.best, gflops,
           100 * gflops / s->m->best[1], all.best / one.best,
           one.busy * flops_a_sample(WIDE) / 1e9);
    fflush(stdout);
    *single = fmax(*single, all.best);
    ours_end(&all);
    ours_end(&one);
}

static void wide_nets(Setting *s)
{
    double ours = 0, half = 0, theirs = 0;
    printf("\n16-1024-1024-1 at batch 8192; share: of the best rate of any library (asked: 80%%)\n"
           "%-10s %11s %8s %7s %8s %8s\n",
           "products", "samples/s", "GFLOP/s", "share", "threads", "busy");
    for (int p = 0; p < PRODUCTS_COUNT; p++)
        wide_net(s, products_names[p], (Products)p, PRECISION_FLOAT32, &ours);
    wide_net(s, "bf16", PRODUCTS_ONEDNN, PRECISION_BF16, &half);
    for (size_t p = 0; p < s->peers; p++)
        peer_turn(&s->peer[p], 8192, WIDE, false, "direct", s->seconds, &theirs, NULL);
    printf("best of float32");
    if (theirs > 0)
        printf(" %.1fx PyTorch (%.0f samples/s);", ours / theirs, theirs);
    if (half > 0)
        printf(" bf16 %.2fx float32", half / ours);
    printf("\n");
}

static void write_rows(const char *folder, const Data *d)
{
    char path[80];
    Error err = {0};
    snprintf(path, sizeof path, "%s/x", folder);
    bool ok = file_write(path, d->x, sizeof(float) * ROWS * IN, &err);
    snprintf(path, sizeof path, "%s/y", folder);
    if (!ok || !file_write(path, d->y, sizeof(float) * ROWS, &err))
        fprintf(stderr, "%s\n", err.text);
}

int main(int argc, char **argv)
{
#ifdef __AVX512F__
    /* OpenBLAS 0.3.21 takes newer Xeons for an old one; both of us shall have it at its best. */
    if (!getenv("OPENBLAS_CORETYPE")) {
        setenv("OPENBLAS_CORETYPE", "SkylakeX", 1);
        execv("/proc/self/exe", argv);
    }
#endif
    Setting s = {.seconds = argc > 1 ? atof(argv[1]) : 0.5};
    s.pool = pool_create(argc > 2 ? (size_t)atoi(argv[2]) : 0);
    size_t threads = pool_threads(s.pool);
    Data d = make_data();
    char folder[] = "/tmp/lathe-mlp-XXXXXX";
    if (!mkdtemp(folder))
        return 1;
    write_rows(folder, &d);
    s.d = &d;
    for (size_t n = threads == 1 ? 1 : 2;
         s.peers < n && peer_begin(&s.peer[s.peers], folder, s.peers ? threads : 1);)
        s.peers++;
    if (s.peers == 0)
        printf("without PyTorch: install python3-torch for the comparison\n");
    Machine m = measure(s.pool, s.seconds);
    s.m = &m;
    say_machine(&m, threads);
    small_nets(&s);
    wide_nets(&s);
    for (size_t i = 0; i < 2; i++)
        peer_end(&s.peer[i]);
    dir_remove(folder, NULL);
    mem_free(d.x);
    mem_free(d.y);
    mem_free(d.order);
    pool_destroy(s.pool);
    return 0;
}
