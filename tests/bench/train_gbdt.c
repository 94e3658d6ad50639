/* train_gbdt -- boosting on 1 M rows of 16 columns: 255 bins, 63 leaves, 200 rounds.
 *
 *     bench_train_gbdt [rounds [threads [rows [columns]]]]
 *
 * Columns as in a table of trips: ten of many values, six of few. Prints the seconds of binning (the
 * first round less an ordinary one) and of all rounds, rows x columns x rounds a second, and the bytes
 * of bins and gradients that histograms read as a share of what memory gives two threads. */
#include <lathe/model.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Table {
    size_t rows, columns;
    float *x, *y;
} Table;

static Table make_table(size_t rows, size_t columns)
{
    Table t = {rows, columns, mem_try(rows * columns * sizeof(float), NULL),
               mem_try(rows * sizeof(float), NULL)};
    static const uint64_t few[6] = {6, 7, 12, 2, 4, 8};
    Rng rng;
    rng_seed(&rng, 1, 0);
    for (size_t i = 0; i < rows; i++) {
        float *x = t.x + i * columns;
        for (size_t k = 0; k < columns; k++)
            x[k] =
                k % 16 >= 10 ? (float)rng_below(&rng, few[k % 16 - 10]) : (float)rng_normal(&rng);
        float miles = expf(0.8f * x[0]), far = fabsf(x[1] - x[2]) + fabsf(x[3] - x[4]);
        t.y[i] = 3.25f + 2.16f * miles + 1.5f * far + (x[13] > 0 ? 8.0f : 0.0f) +
                 0.3f * x[11] * sinf(x[5]) + (float)rng_normal(&rng);
        if (rng_below(&rng, 500) == 0)
            t.y[i] += 100.0f * (float)rng_unit(&rng);
    }
    return t;
}

typedef struct Read {
    const float *at;
    size_t each;
    double sum[64];
} Read;

static void read_piece(void *job, size_t i, size_t worker)
{
    Read *r = job;
    const float *at = r->at + i * r->each;
    float lane[64] = {0};
    for (size_t k = 0; k + 64 <= r->each; k += 64)
        for (size_t l = 0; l < 64; l++)
            lane[l] += at[k + l];
    for (size_t l = 0; l < 64; l++)
        r->sum[worker % 64] += (double)lane[l];
}

static double read_rate(Pool *pool)
{
    size_t floats = (size_t)64 << 20;
    float *at = mem_try(floats * sizeof *at, NULL);
    memset(at, 1, floats * sizeof *at);
    double best = 0;
    for (int run = 0; run < 4; run++) {
        Read r = {.at = at, .each = floats / 64};
        double begin = clock_now();
        pool_run(pool, 64, read_piece, &r);
        best = fmax(best, (double)(floats * sizeof *at) / (clock_now() - begin));
    }
    mem_free(at);
    return best;
}

/* Blocks of 4,096 rows on all threads, and rows one by one. */
static void measure_scoring(Model *m, const Table *t, size_t rounds)
{
    enum { BLOCK = 4096, SINGLE = 20000 };
    static float out[BLOCK];
    size_t blocks = t->rows / BLOCK < 50 ? t->rows / BLOCK : 50;
    size_t single = t->rows < SINGLE ? t->rows : SINGLE;
    double begin = clock_now();
    for (size_t i = 0; i < blocks; i++)
        model_predict(m, &(Batch){.rows = BLOCK, .dense = t->x + i * BLOCK * t->columns}, out);
    double many = clock_now() - begin;
    begin = clock_now();
    for (size_t i = 0; i < single; i++)
        model_predict(m, &(Batch){.rows = 1, .dense = t->x + i * t->columns}, out);
    double one = clock_now() - begin;
    printf("%-10s scoring by %zu trees: %.2f M rows/s in blocks of %d, %.2f microseconds a single "
           "row\n",
           "", rounds, blocks ? (double)(blocks * BLOCK) / many / 1e6 : 0.0, BLOCK,
           1e6 * one / (double)single);
}

static void measure(const Table *t, TaskKind task, size_t rounds, Pool *pool, double limit)
{
    const ModelFamily *f = model_family("gbdt");
    Error err = {0};
    float *y = mem_try(t->rows * sizeof *y, NULL);
    for (size_t i = 0; i < t->rows; i++)
        y[i] = task == TASK_BINARY ? (float)(t->y[i] > 10.0f) : t->y[i];
    ModelShape shape = {
        .dense = t->columns, .task = task, .outputs = 1, .classes = task == TASK_BINARY ? 2 : 0};
    ModelSetup setup = {.seed = 1, .batch_most = t->rows, .pool = pool};
    Batch batch = {.rows = t->rows, .dense = t->x, .target = y};
    void *p = mem_alloc(f->params_size);
    params_init(f->params, p);
    params_set(f->params, p, "leaves", "63", &err);
    Model *m = model_create(f, p, &shape, &setup, &err);
    StepStats stats = {0};
    double begin = clock_now(), first = 0, last = begin;
    for (size_t i = 0; i < rounds; i++) {
        if (!model_step(m, &batch, &(Knobs){.lr = 0.1}, &stats, &err)) {
            fprintf(stderr, "%s\n", err.text);
            exit(1);
        }
        if (i == 0)
            first = clock_now() - begin;
        last = clock_now();
    }
    double round = (last - begin - first) / (double)(rounds - 1), all = round * (double)rounds;
    double rate = (double)t->rows * (double)t->columns / round;
    /* at least the root's rows and, level by level, the smaller halves: some three times the table */
    double bytes = 3.0 * (double)t->rows * ((double)t->columns + 8.0) / round;
    printf("%-10s binning %5.2f s  training %6.2f s  %6.2f ms a round  %6.2f G cells/s  some "
           "%2.0f%% of"
           " memory's %.0f GB/s  loss %.4f\n",
           task_name(task), fmax(first - round, 0), all, 1e3 * round, rate / 1e9,
           100 * bytes / limit, limit / 1e9, stats.loss);
    fflush(stdout);
    measure_scoring(m, t, rounds);
    model_destroy(m);
    params_release(f->params, p);
    mem_free(p);
    mem_free(y);
}

static size_t argument(int argc, char **argv, int i, size_t normal)
{
    return argc > i ? (size_t)strtoull(argv[i], NULL, 10) : normal;
}

int main(int argc, char **argv)
{
    size_t rounds = argument(argc, argv, 1, 200);
    Pool *pool = pool_create(argument(argc, argv, 2, 0));
    Table t = make_table(argument(argc, argv, 3, 1000000), argument(argc, argv, 4, 16));
    double limit = read_rate(pool);
    printf("boosting %zu x %zu, 255 bins, 63 leaves, %zu rounds, %zu threads\n", t.rows, t.columns,
           rounds, pool_threads(pool));
    measure(&t, TASK_REGRESSION, rounds, pool, limit);
    measure(&t, TASK_BINARY, rounds, pool, limit);
    mem_free(t.x);
    mem_free(t.y);
    pool_destroy(pool);
    return 0;
}
