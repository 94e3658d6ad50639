/* score -- raw rows through a whole bundle: recipe, features, model, and back to raw units.
 *
 *     bench_score [threads]
 *
 * A table of 15 numbers goes through a recipe of three rules (one derives the sixteenth) and standard or
 * raw features to gbdt (200 trees of 63 leaves) and mlp (16-128-128-1). Printed: microseconds of a
 * single row (median of 20,000), rows a second in chunks of 4,096, processor microseconds a row in
 * them, and the model's own share of a single row. Beside it, without any preprocessing, XGBoost (200
 * trees of depth 6), LightGBM (63 leaves; PEER_LIGHTGBM) and TorchScript on the same table (score_peers.py),
 * and how many times ours is as fast. */
#include <lathe/model.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { ROWS = 120000, INPUTS = 15, BLOCK = 4096, SINGLES = 20000 };

static const char recipe_text[] = "keep c0 between -50 and 50\n"
                                  "impute c1 median\n"
                                  "derive sum = c2 + 2 * c3\n";

typedef struct World {
    char dir[64];
    Dataset *raw, *cleaned;
    Plan *plan;
    Pool *pool;
    Split split;
    Arena arena;
    float *x, *y; /* [ROWS][16]: what the peers see */
} World;

typedef struct Result {
    double single, rate, cpu,
        model; /* microseconds, rows a second, microseconds a row, microseconds */
} Result;

static void must(bool ok, const Error *err)
{
    if (ok)
        return;
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static double spent(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
           1e-6 * (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

/* ---- the table --------------------------------------------------------------------------------------- */

static void make_chunk(World *w, const Schema *s, uint64_t first, size_t rows, Arena *a, Chunk *out)
{
    Column *c = ARENA_NEW(a, Column, s->count);
    ColumnBuild *b[INPUTS + 1];
    for (size_t i = 0; i <= INPUTS; i++)
        b[i] = column_build(a, s->field[i].name, COLUMN_REAL, rows);
    for (uint64_t row = first; row < first + rows; row++) {
        Rng rng;
        float *x = w->x + row * 16;
        rng_seed(&rng, 5, row);
        for (size_t i = 0; i < INPUTS; i++) {
            x[i] = (float)rng_normal(&rng);
            column_build_real(b[i], (double)x[i]);
        }
        x[INPUTS] = x[2] + 2 * x[3];
        w->y[row] = sinf(2 * x[0]) * x[1] + fabsf(x[2] - x[4]) + 0.4f * x[5] * x[6] + x[7] +
                    0.3f * (float)rng_normal(&rng);
        column_build_real(b[INPUTS], (double)w->y[row]);
    }
    for (size_t i = 0; i <= INPUTS; i++)
        column_build_finish(b[i], &c[i]);
    *out = (Chunk){.rows = rows, .columns = INPUTS + 1, .column = c, .first = first};
}

static Dataset *finish_table(World *w, DatasetWriter *out, Error *err)
{
    char hash[65];
    must(dataset_writer_finish(out, hash, err), err);
    dataset_writer_destroy(out);
    Dataset *d = dataset_open(arena_printf(&w->arena, "%s/%s.arrow", w->dir, hash), err);
    must(d != NULL, err);
    return d;
}

static void make_table(World *w)
{
    Error err;
    Schema s = {0};
    Arena a = {0};
    Chunk c;
    for (int i = 0; i < INPUTS; i++)
        schema_add(&s, arena_printf(&w->arena, "c%d", i), COLUMN_REAL, ROLE_FEATURE);
    schema_add(&s, "y", COLUMN_REAL, ROLE_TARGET);
    for (size_t i = 0; i < s.count; i++)
        s.field[i].nullable = true;
    w->x = mem_try(ROWS * 16 * sizeof(float), NULL);
    w->y = mem_try(ROWS * sizeof(float), NULL);
    DatasetWriter *raw = dataset_writer_create(w->dir, &s, NULL, &err);
    must(raw != NULL, &err);
    for (uint64_t row = 0; row < ROWS; row += 20000) {
        make_chunk(w, &s, row, 20000, &a, &c);
        must(dataset_writer_add(raw, &c, &err), &err);
        arena_reset(&a);
    }
    w->raw = finish_table(w, raw, &err);
    Recipe *r = recipe_create();
    must(recipe_parse(r, recipe_text, &err) && (w->plan = plan_create(r, &s, &err)), &err);
    recipe_destroy(r);
    must(plan_fit(w->plan, w->raw, &w->split, w->pool, NULL, &err), &err);
    schema_release(&s);
    arena_release(&a);
}

/* ---- models -------------------------------------------------------------------------------------------- */

static const char *make_bundle(World *w, const char *family)
{
    Error err;
    bool trees = text_equal(family, "gbdt");
    const ModelFamily *f = model_family(family);
    FeatureOptions o;
    FeatureTable t;
    params_init(feature_params, &o);
    must(params_set(feature_params, &o, "numbers", trees ? "raw" : "standard", &err), &err);
    Features *features =
        features_fit(w->raw, w->plan, &w->split, "y", NULL, 0, &o, w->pool, NULL, &err);
    must(features != NULL, &err);
    must(feature_table_create(&t, features, w->raw, w->plan, &w->split, w->pool, NULL, &err), &err);
    void *p = mem_alloc(f->params_size);
    params_init(f->params, p);
    must(params_set(f->params, p, trees ? "leaves" : "hidden", trees ? "63" : "128,128", &err),
         &err);
    const ModelShape *s = features_shape(features);
    const Batch *all = &t.part[PART_TRAIN];
    ModelSetup setup = {.seed = 1,
                        .batch_most = trees ? all->rows : 256,
                        .optimizer = 1,
                        .beta1 = 0.9,
                        .beta2 = 0.999,
                        .epsilon = 1e-8,
                        .pool = w->pool};
    Model *m = model_create(f, p, s, &setup, &err);
    must(m != NULL, &err);
    for (size_t i = 0; i < 200; i++) {
        StepStats stats;
        Batch b = *all;
        if (!trees)
            b = (Batch){.rows = 256,
                        .dense = all->dense + i * 256 * s->dense,
                        .target = all->target + i * 256};
        must(model_step(m, &b, &(Knobs){.lr = trees ? 0.1 : 1e-3, .momentum = 0.9}, &stats, &err),
             &err);
    }
    const Plan *plans[] = {w->plan};
    BundleParts parts = {.schema = dataset_schema(w->raw),
                         .plan = plans,
                         .plans = 1,
                         .features = features,
                         .model = m,
                         .params = p};
    char *dir = arena_printf(&w->arena, "%s/%s", w->dir, family);
    must(bundle_save(dir, &parts, &err), &err);
    model_destroy(m);
    params_release(f->params, p);
    mem_free(p);
    feature_table_release(&t);
    features_destroy(features);
    return dir;
}

/* ---- measuring ------------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void score_singles(Bundle *b, const Chunk *all, Result *r)
{
    Arena rows = {0}, a = {0};
    Error err;
    Prediction *p;
    double *took = mem_alloc(SINGLES * sizeof *took);
    for (uint32_t i = 0; i < SINGLES; i++) {
        Chunk one;
        uint32_t row = i % (uint32_t)all->rows;
        chunk_gather(all, &row, 1, &rows, &one);
        double begin = clock_now();
        must(bundle_score(b, &one, 0, &a, &p, &err), &err);
        took[i] = clock_now() - begin;
        arena_reset(&a);
        arena_reset(&rows);
    }
    qsort(took, SINGLES, sizeof *took, ascending);
    r->single = 1e6 * took[SINGLES / 2];
    mem_free(took);
    arena_release(&rows);
    arena_release(&a);
}

static void score_blocks(Bundle *b, const Chunk *blocks, size_t n, Result *r)
{
    Arena a = {0};
    Error err;
    Prediction *p;
    for (int run = 0; run < 4; run++) {
        double begin = clock_now(), cpu = spent();
        for (size_t i = 0; i < n; i++) {
            must(bundle_score(b, &blocks[i], 0, &a, &p, &err), &err);
            arena_reset(&a);
        }
        double rate = (double)(n * BLOCK) / (clock_now() - begin);
        if (rate > r->rate) {
            r->rate = rate;
            r->cpu = 1e6 * (spent() - cpu) / (double)(n * BLOCK);
        }
    }
    arena_release(&a);
}

/* The target is not among the columns of rows that are to be scored. */
static Result measure(const World *w, const char *dir)
{
    Error err;
    Arena a = {0};
    Chunk chunk, *blocks = ARENA_NEW(&a, Chunk, ROWS / BLOCK + 1);
    Bundle *b = bundle_open(dir, w->pool, &err);
    Result r = {0};
    size_t n = 0;
    must(b != NULL, &err);
    dataset_chunk(w->raw, 0, &a, &chunk);
    chunk.columns = INPUTS;
    for (size_t at = 0; at + BLOCK <= chunk.rows; at += BLOCK) {
        uint32_t *rows = ARENA_NEW(&a, uint32_t, BLOCK);
        for (size_t i = 0; i < BLOCK; i++)
            rows[i] = (uint32_t)(at + i);
        chunk_gather(&chunk, rows, BLOCK, &a, &blocks[n++]);
    }
    score_singles(b, &chunk, &r);
    score_blocks(b, blocks, n, &r);
    bundle_close(b);
    arena_release(&a);
    return r;
}

static void write_npy(const char *dir, const char *name, const float *at, size_t columns)
{
    char path[4096], head[128], shape[64];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    snprintf(shape, sizeof shape, columns > 1 ? "(%d, %zu)" : "(%d,)", ROWS, columns);
    int n = snprintf(head, sizeof head, "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }",
                     shape);
    FILE *f = fopen(path, "wb");
    static const unsigned char magic[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, 118, 0};
    bool ok = f && fwrite(magic, 1, 10, f) == 10 &&
              fprintf(f, "%s%*s\n", head, 117 - n, "") == 118 &&
              fwrite(at, sizeof *at, ROWS * columns, f) == ROWS * columns;
    if (!f || fclose(f) != 0 || !ok)
        exit(1);
}

static void print_own(const char *family, const Result *own)
{
    printf(
        "%-5s %6.2f us a row alone; %5.2f M rows/s in blocks of %d (%.2f us of processor a row)\n",
        family, own->single, own->rate / 1e6, BLOCK, own->cpu);
}

static void beside(const World *w, const char *peer, const Result *own)
{
    const char *python = getenv("PEER_PYTHON");
    char line[8192];
    Result r = {0};
    snprintf(line, sizeof line, "%s %s/tests/bench/score_peers.py %s %zu %s 2>/dev/null",
             python ? python : "/usr/bin/python3", LATHE_SOURCE_DIR, w->dir, pool_threads(w->pool),
             peer);
    FILE *f = popen(line, "r");
    bool ok = f && fscanf(f, "%lf %lf %lf", &r.single, &r.rate, &r.cpu) == 3;
    if (!f || pclose(f) != 0 || !ok)
        printf("      %s not found\n", peer);
    else
        printf("      %s %.1f us, %.2f M rows/s (%.2f us): ours %.1f x as fast alone, %.1f x in "
               "blocks, "
               "%.1f x by processor time\n",
               peer, r.single, r.rate / 1e6, r.cpu, r.single / own->single, own->rate / r.rate,
               r.cpu / own->cpu);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    size_t threads = argc > 1 ? (size_t)strtoull(argv[1], NULL, 10) : 2;
    World w = {.dir = "/tmp/lathe-bench-score-XXXXXX",
               .split = {.share = {1.0, 0.0, 0.0}, .seed = 1}};
    Error err;
    if (!mkdtemp(w.dir))
        return 1;
    w.pool = pool_create(threads);
    make_table(&w);
    write_npy(w.dir, "x.npy", w.x, 16);
    write_npy(w.dir, "y.npy", w.y, 1);
    Result trees = measure(&w, make_bundle(&w, "gbdt"));
    print_own("gbdt", &trees);
    beside(&w, "xgboost", &trees);
    beside(&w, "lightgbm", &trees);
    Result net = measure(&w, make_bundle(&w, "mlp"));
    print_own("mlp", &net);
    beside(&w, "torch-script", &net);
    plan_destroy(w.plan);
    dataset_close(w.raw);
    mem_free(w.x);
    mem_free(w.y);
    pool_destroy(w.pool);
    arena_release(&w.arena);
    return dir_remove(w.dir, &err) ? 0 : 1;
}
