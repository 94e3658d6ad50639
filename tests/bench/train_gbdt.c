/* train_gbdt -- boosting beside its peers: 255 bins, 63 leaves, 200 rounds, squared loss.
 *
 *     bench_train_gbdt [rounds [threads [share]]]
 *
 * Three tables: trips (1 M x 16; those of PEER_DATA's x_raw.npy and fare.npy, or made up), wide
 * (200 k x 200) and categories (500 k, eight numbers and eight columns of 4 to 250 words). share: of their
 * rows, for a quick look. For each, ours and then each peer that train_gbdt_peers.py finds
 * (LightGBM where PEER_LIGHTGBM says, XGBoost, scikit-learn) on the same file: seconds of binning
 * and of training, processor seconds, test MAE and RMSE, and how many times ours each took. Ours also says
 * cells (rows x columns x rounds) a second. Threads 0: two. PEER_PYTHON: the interpreter. */
#include <lathe/model.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct Table {
    const char *name;
    size_t rows, train, numbers, codes;
    int32_t cardinality[16];
    float *x, *y; /* [rows][numbers + codes] */
} Table;

typedef struct Result {
    double binning, training, cpu, mae, rmse;
} Result;

/* ---- tables --------------------------------------------------------------------------------------- */

static Table table_of(const char *name, size_t rows, size_t numbers, size_t codes)
{
    return (Table){name,
                   rows,
                   rows / 6 * 5,
                   numbers,
                   codes,
                   {0},
                   mem_try(rows * (numbers + codes) * sizeof(float), NULL),
                   mem_try(rows * sizeof(float), NULL)};
}

static Table make_trips(double share)
{
    Table t = table_of("trips", (size_t)(1200000 * share), 16, 0);
    static const uint64_t few[6] = {6, 7, 12, 2, 4, 8};
    Rng rng;
    rng_seed(&rng, 1, 0);
    for (size_t i = 0; i < t.rows; i++) {
        float *x = t.x + i * 16;
        for (size_t k = 0; k < 16; k++)
            x[k] = k >= 10 ? (float)rng_below(&rng, few[k - 10]) : (float)rng_normal(&rng);
        float miles = expf(0.8f * x[0]), far = fabsf(x[1] - x[2]) + fabsf(x[3] - x[4]);
        t.y[i] = 3.25f + 2.16f * miles + 1.5f * far + (x[13] > 0 ? 8.0f : 0.0f) +
                 0.3f * x[11] * sinf(x[5]) + (float)rng_normal(&rng);
        if (rng_below(&rng, 500) == 0)
            t.y[i] += 100.0f * (float)rng_unit(&rng);
    }
    return t;
}

static Table make_wide(double share)
{
    Table t = table_of("wide", (size_t)(240000 * share), 200, 0);
    Rng rng;
    rng_seed(&rng, 2, 0);
    for (size_t i = 0; i < t.rows; i++) {
        float *x = t.x + i * 200, common = (float)rng_normal(&rng);
        for (size_t k = 0; k < 200; k++)
            x[k] = (float)rng_normal(&rng) + 0.3f * common;
        t.y[i] = (float)rng_normal(&rng);
        for (size_t k = 0; k < 20; k++)
            t.y[i] += 0.5f * sinf(2.0f * x[k * 7]) + 0.3f * x[k * 9] * x[k * 9 + 1];
    }
    return t;
}

static Table make_categories(double share)
{
    Table t = table_of("categories", (size_t)(600000 * share), 8, 8);
    static const int32_t words[8] = {4, 9, 12, 24, 50, 100, 180, 250};
    static float effect[8][256];
    Rng rng;
    rng_seed(&rng, 3, 0);
    memcpy(t.cardinality, words, sizeof words);
    for (size_t k = 0; k < 8 * 256; k++)
        effect[k / 256][k % 256] = (float)rng_normal(&rng);
    for (size_t i = 0; i < t.rows; i++) {
        float *x = t.x + i * 16;
        t.y[i] = (float)rng_normal(&rng);
        for (size_t k = 0; k < 8; k++)
            x[k] = (float)rng_normal(&rng);
        for (size_t k = 0; k < 8; k++) {
            size_t word = (size_t)(rng_unit(&rng) * rng_unit(&rng) * (double)words[k]);
            x[8 + k] = (float)word;
            t.y[i] += effect[k][word] * (1.0f + 0.3f * x[k]);
        }
    }
    return t;
}

/* A file of numpy's: float32, rows one after the other. */
static float *read_npy(const char *dir, const char *name, size_t *n)
{
    char path[4096];
    Error err;
    FileMap m;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (!filemap_open(&m, path, &err))
        return NULL;
    const uint8_t *at = m.at;
    size_t head = m.size > 10 ? 10u + at[8] + 256u * at[9] : m.size;
    *n = (m.size - head) / sizeof(float);
    float *own = mem_try(*n * sizeof *own + 1, NULL);
    memcpy(own, at + head, *n * sizeof *own);
    filemap_close(&m);
    return own;
}

static Table trips(double share)
{
    const char *dir = getenv("PEER_DATA");
    size_t cells = 0, rows = 0;
    float *x = dir ? read_npy(dir, "x_raw.npy", &cells) : NULL;
    float *y = x ? read_npy(dir, "fare.npy", &rows) : NULL;
    if (!x || !y || cells != rows * 16)
        return make_trips(share);
    rows = (size_t)((double)rows * share);
    return (Table){"trips", rows, rows / 6 * 5, 16, 0, {0}, x, y};
}

static void write_npy(const char *dir, const char *name, const float *at, size_t rows,
                      size_t columns)
{
    char path[4096], head[128], shape[64];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    snprintf(shape, sizeof shape, columns ? "(%zu, %zu)" : "(%zu,)", rows, columns);
    int n = snprintf(head, sizeof head, "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }",
                     shape);
    FILE *f = fopen(path, "wb");
    static const unsigned char magic[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, 118, 0};
    bool ok =
        f && fwrite(magic, 1, 10, f) == 10 && fprintf(f, "%s%*s\n", head, 117 - n, "") == 118 &&
        fwrite(at, sizeof *at, rows * (columns ? columns : 1), f) == rows * (columns ? columns : 1);
    if (!f || fclose(f) != 0 || !ok) {
        fprintf(stderr, "%s: could not write\n", path);
        exit(1);
    }
}

static void write_number(const char *dir, const char *name, size_t n)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    if (!f || fprintf(f, "%zu\n", n) < 0 || fclose(f) != 0)
        exit(1);
}

/* ---- ours ------------------------------------------------------------------------------------------ */

static double spent(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
           1e-6 * (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

/* A table as our features give it: numbers and codes apart, the target standardised. */
typedef struct Own {
    float *dense, *target;
    int32_t *code, cardinality[16];
    double mean, scale;
} Own;

static Own own_of(const Table *t)
{
    Own o = {.dense = mem_try(t->rows * t->numbers * sizeof(float), NULL),
             .target = mem_try(t->rows * sizeof(float), NULL),
             .code = mem_try((t->rows * t->codes + 1) * sizeof(int32_t), NULL)};
    size_t width = t->numbers + t->codes;
    double square = 0;
    for (size_t i = 0; i < t->train; i++)
        o.mean += (double)t->y[i] / (double)t->train;
    for (size_t i = 0; i < t->train; i++)
        square += pow((double)t->y[i] - o.mean, 2);
    o.scale = sqrt(square / (double)t->train);
    for (size_t k = 0; k < t->codes; k++)
        o.cardinality[k] = t->cardinality[k] + 1; /* 0: never seen */
    for (size_t i = 0; i < t->rows; i++) {
        o.target[i] = (float)(((double)t->y[i] - o.mean) / o.scale);
        memcpy(o.dense + i * t->numbers, t->x + i * width, t->numbers * sizeof(float));
        for (size_t k = 0; k < t->codes; k++)
            o.code[i * t->codes + k] = (int32_t)t->x[i * width + t->numbers + k] + 1;
    }
    return o;
}

static void test(const Table *t, const Own *o, Model *m, Result *r)
{
    size_t n = t->rows - t->train;
    float *out = mem_try(n * sizeof *out, NULL);
    model_predict(m,
                  &(Batch){.rows = n,
                           .dense = o->dense + t->train * t->numbers,
                           .code = o->code + t->train * t->codes},
                  out);
    for (size_t i = 0; i < n; i++) {
        double e = (double)out[i] * o->scale + o->mean - (double)t->y[t->train + i];
        r->mae += fabs(e) / (double)n;
        r->rmse += e * e / (double)n;
    }
    r->rmse = sqrt(r->rmse);
    mem_free(out);
}

static Result ours(const Table *t, size_t rounds, Pool *pool)
{
    const ModelFamily *f = model_family("gbdt");
    Error err = {0};
    Own o = own_of(t);
    ModelShape shape = {.dense = t->numbers,
                        .codes = t->codes,
                        .cardinality = o.cardinality,
                        .task = TASK_REGRESSION,
                        .outputs = 1};
    ModelSetup setup = {.seed = 1, .batch_most = t->train, .pool = pool};
    Batch batch = {.rows = t->train, .dense = o.dense, .code = o.code, .target = o.target};
    void *p = mem_alloc(f->params_size);
    params_init(f->params, p);
    params_set(f->params, p, "leaves", "63", &err);
    Model *m = model_create(f, p, &shape, &setup, &err);
    StepStats stats = {0};
    Result r = {.cpu = spent()};
    double begin = clock_now(), first = 0;
    for (size_t i = 0; i < rounds; i++) {
        if (!model_step(m, &batch, &(Knobs){.lr = 0.1}, &stats, &err)) {
            fprintf(stderr, "%s\n", err.text);
            exit(1);
        }
        if (i == 0)
            first = clock_now() - begin;
    }
    double all = clock_now() - begin, round = (all - first) / (double)(rounds - 1);
    r.cpu = spent() - r.cpu;
    r.binning = fmax(first - round, 0);
    r.training = all - r.binning;
    test(t, &o, m, &r);
    model_destroy(m);
    params_release(f->params, p);
    mem_free(p);
    mem_free(o.dense);
    mem_free(o.code);
    mem_free(o.target);
    return r;
}

/* ---- beside the peers ---------------------------------------------------------------------------------- */

static bool peer(const char *name, const char *dir, size_t rounds, size_t threads, Result *r)
{
    const char *python = getenv("PEER_PYTHON");
    char line[8192];
    snprintf(line, sizeof line, "%s %s/tests/bench/train_gbdt_peers.py %s %zu %zu %s 2>/dev/null",
             python ? python : "/usr/bin/python3", LATHE_SOURCE_DIR, dir, threads, rounds, name);
    FILE *f = popen(line, "r");
    bool ok = f && fscanf(f, "%lf %lf %lf %lf %lf", &r->binning, &r->training, &r->cpu, &r->mae,
                          &r->rmse) == 5;
    return f && pclose(f) == 0 && ok;
}

static void print_line(const char *who, const Result *r, const Result *own)
{
    printf("  %-9s %5.2f + %6.2f s  %6.1f s of processor  MAE %.5f  RMSE %.5f", who, r->binning,
           r->training, r->cpu, r->mae, r->rmse);
    if (own)
        printf("  ours: %.2f x the speed, %.2f x by processor time",
               (r->binning + r->training) / (own->binning + own->training), r->cpu / own->cpu);
    printf("\n");
    fflush(stdout);
}

static void measure(const Table *t, size_t rounds, Pool *pool)
{
    static const char *const peers[] = {"lightgbm", "xgboost", "sklearn"};
    char dir[] = "/tmp/lathe-bench-gbdt-XXXXXX";
    Error err;
    size_t columns = t->numbers + t->codes;
    printf("%s: %zu x %zu (%zu of them categories), %zu rounds, %zu threads\n", t->name, t->train,
           columns, t->codes, rounds, pool_threads(pool));
    if (!mkdtemp(dir))
        exit(1);
    write_npy(dir, "x.npy", t->x, t->rows, columns);
    write_npy(dir, "y.npy", t->y, t->rows, 0);
    write_number(dir, "train.txt", t->train);
    write_number(dir, "categories.txt", t->codes);
    Result own = ours(t, rounds, pool);
    print_line("lathe", &own, NULL);
    printf("  %-9s %.2f G cells/s\n", "",
           (double)(t->train * columns * rounds) / own.training / 1e9);
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
        Result r = {0};
        if (peer(peers[i], dir, rounds, pool_threads(pool), &r))
            print_line(peers[i], &r, &own);
        else
            printf("  %-9s not found\n", peers[i]);
    }
    dir_remove(dir, &err);
    mem_free(t->x);
    mem_free(t->y);
}

int main(int argc, char **argv)
{
    size_t rounds = argc > 1 ? (size_t)strtoull(argv[1], NULL, 10) : 200;
    size_t threads = argc > 2 ? (size_t)strtoull(argv[2], NULL, 10) : 0;
    double share = argc > 3 ? strtod(argv[3], NULL) : 1.0;
    Pool *pool = pool_create(threads ? threads : 2);
    Table t = trips(share);
    measure(&t, rounds, pool);
    t = make_wide(share);
    measure(&t, rounds, pool);
    t = make_categories(share);
    measure(&t, rounds, pool);
    pool_destroy(pool);
    return 0;
}
