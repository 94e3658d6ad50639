/* The booster against plain oracles: every split of a small tree against all there are, a tree against
 * a grower that knows nothing of bins, missing values, categories, losses, and the same bits on any
 * threads and after a load. */
#include "model/gbdt_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 600, DENSE = 4, CODES = 2, MOST = 4000 };
static const int32_t cardinality[CODES] = {4, 30};

typedef struct Table {
    float dense[MOST * DENSE], target[MOST];
    int32_t code[MOST * CODES];
    Batch batch;
    ModelShape shape;
} Table;

static void make_table(Table *t, TaskKind task, size_t rows, double missing)
{
    Rng rng;
    rng_seed(&rng, 4, (uint64_t)task);
    for (size_t i = 0; i < rows; i++) {
        float *x = t->dense + i * DENSE;
        for (size_t k = 0; k < DENSE; k++)
            x[k] = (float)rng_normal(&rng);
        x[1] = rintf(x[1] * 2);
        t->code[i * CODES] = (int32_t)rng_below(&rng, 4);
        t->code[i * CODES + 1] = (int32_t)rng_below(&rng, 30);
        float y = x[0] - 0.5f * x[1] * x[2] + 0.4f * (float)t->code[i * CODES] - 0.6f +
                  (t->code[i * CODES + 1] % 3 == 1 ? 0.7f : 0.0f) + 0.3f * (float)rng_normal(&rng);
        if (rng_unit(&rng) < missing) {
            x[0] = NAN;
            y += 2.0f;
        }
        t->target[i] = task == TASK_REGRESSION ? y
                       : task == TASK_BINARY   ? (float)(y > 0)
                                               : (float)((y > -0.5f) + (y > 0.5f));
    }
    t->batch = (Batch){.rows = rows, .dense = t->dense, .code = t->code, .target = t->target};
    t->shape = (ModelShape){.dense = DENSE,
                            .codes = CODES,
                            .cardinality = cardinality,
                            .task = task,
                            .classes = task == TASK_REGRESSION ? 0
                                       : task == TASK_BINARY   ? 2
                                                               : 3,
                            .missing = missing > 0,
                            .outputs = task == TASK_MULTICLASS ? 3 : 1};
}

static Model *make_model(const Table *t, const ModelSetup *setup, const char *const *changes)
{
    Error err = {0};
    const ModelFamily *f = model_family("gbdt");
    void *settings = mem_alloc(f->params_size);
    params_init(f->params, settings);
    for (; changes && changes[0]; changes += 2)
        assert_true(params_set(f->params, settings, changes[0], changes[1], &err));
    Model *m = model_create(f, settings, &t->shape, setup, &err);
    assert_non_null(m);
    params_release(f->params, settings);
    mem_free(settings);
    return m;
}

static double step(Model *m, const Table *t, double lr)
{
    Error err = {0};
    StepStats stats;
    assert_true(model_step(m, &t->batch, &(Knobs){.lr = lr}, &stats, &err));
    assert_true(stats.finite);
    return stats.loss;
}

/* A tensor of the model, copied out of its saved form. */
static float *tensor(Model *m, const char *name, size_t *n)
{
    const TensorRow *rows;
    size_t weights, count = m->family->tensors(m->impl, &rows, &weights);
    for (size_t i = 0; i < count; i++)
        if (text_equal(rows[i].name, name)) {
            *n = rows[i].shape[0];
            return rows[i].at;
        }
    fail();
    return NULL;
}

static void near(double a, double b, double share)
{
    if (!(fabs(a - b) <= share * fmax(fabs(b), 1e-3))) {
        printf("%.9g where %.9g was expected\n", a, b);
        fail();
    }
}

/* ---- the plain grower: sorts, cuts between any two values, sums in double --------------------------- */

typedef struct Plain {
    const Table *t;
    double mean;
    size_t least;
} Plain;

typedef struct PlainSplit {
    double gain;
    size_t feature, below; /* codes: the one that goes left */
    float threshold;
    bool missing_left;
} PlainSplit;

static bool goes_left(const Table *t, const PlainSplit *s, size_t row)
{
    if (s->feature >= DENSE)
        return t->code[row * CODES + s->feature - DENSE] == (int32_t)s->below;
    float x = t->dense[row * DENSE + s->feature];
    return isnan(x) ? s->missing_left : x <= s->threshold;
}

static double gain_of(const Plain *p, const PlainSplit *s, const size_t *rows, size_t n)
{
    double g[2] = {0}, h[2] = {0};
    for (size_t i = 0; i < n; i++) {
        int side = !goes_left(p->t, s, rows[i]);
        g[side] += p->mean - (double)p->t->target[rows[i]];
        h[side]++;
    }
    if (h[0] < (double)p->least || h[1] < (double)p->least)
        return 0;
    return g[0] * g[0] / h[0] + g[1] * g[1] / h[1] - pow(g[0] + g[1], 2) / (h[0] + h[1]);
}

static PlainSplit plain_best(const Plain *p, const size_t *rows, size_t n)
{
    PlainSplit best = {0};
    for (size_t f = 0; f < DENSE; f++)
        for (size_t i = 0; i < n; i++)
            for (int side = 0; side < 2; side++) {
                PlainSplit s = {0, f, 0, p->t->dense[rows[i] * DENSE + f], side != 0};
                if (isnan(s.threshold))
                    continue;
                s.gain = gain_of(p, &s, rows, n);
                if (s.gain > best.gain * (1 + 1e-9))
                    best = s;
            }
    for (size_t code = 0; code < 4;
         code++) { /* the column with few categories: one from the rest */
        PlainSplit s = {0, DENSE, code, 0, false};
        s.gain = gain_of(p, &s, rows, n);
        if (s.gain > best.gain * (1 + 1e-9))
            best = s;
    }
    return best;
}

/* The gains of the splits of a tree of so many leaves, best leaf first, largest first. */
static size_t plain_tree(const Plain *p, size_t leaves, double *gains, float *value)
{
    static size_t rows[64][ROWS];
    static size_t count[64];
    PlainSplit best[64];
    size_t n = 1, splits = 0;
    count[0] = p->t->batch.rows;
    for (size_t i = 0; i < count[0]; i++)
        rows[0][i] = i;
    best[0] = plain_best(p, rows[0], count[0]);
    while (n < leaves) {
        size_t at = 0;
        for (size_t i = 1; i < n; i++)
            at = best[i].gain > best[at].gain ? i : at;
        if (best[at].gain <= 0)
            break;
        gains[splits++] = best[at].gain;
        size_t left = 0;
        count[n] = 0;
        for (size_t i = 0; i < count[at]; i++) {
            size_t row = rows[at][i];
            if (goes_left(p->t, &best[at], row))
                rows[at][left++] = row;
            else
                rows[n][count[n]++] = row;
        }
        count[at] = left;
        best[at] = plain_best(p, rows[at], left);
        best[n] = plain_best(p, rows[n], count[n]);
        n++;
    }
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t k = 0; k < count[i]; k++)
            sum += (double)p->t->target[rows[i][k]];
        for (size_t k = 0; k < count[i]; k++)
            value[rows[i][k]] = (float)(sum / (double)count[i]);
    }
    return splits;
}

/* As many bins as values: then a tree of ours is the tree of a grower without bins. */
static void a_tree_as_without_bins(void **state)
{
    (void)state;
    static Table t;
    static float expected[ROWS], out[ROWS];
    const char *const changes[] = {"leaves", "12",  "min_rows", "7",   "cat_most", "1",
                                   "bins",   "256", "cat_rows", "900", NULL};
    for (int missing = 0; missing < 2; missing++) {
        size_t rows = 240, n; /* fewer than bins */
        double gains[64];
        make_table(&t, TASK_REGRESSION, rows, missing ? 0.15 : 0.0);
        ModelSetup setup = {.seed = 1, .batch_most = rows};
        Model *m = make_model(&t, &setup, changes);
        step(m, &t, 1.0);
        Plain p = {.t = &t, .least = 7, .mean = (double)tensor(m, "bias", &n)[0]};
        size_t splits = plain_tree(&p, 12, gains, expected);
        model_predict(m, &t.batch, out);
        for (size_t i = 0; i < rows; i++)
            near((double)out[i], (double)expected[i], 1e-4);
        const float *gain = tensor(m, "node.gain", &n);
        assert_int_equal(n, 2 * splits + 1);
        double ours = 0, theirs = 0;
        for (size_t i = 0; i < n; i++)
            ours += (double)gain[i];
        for (size_t i = 0; i < splits; i++)
            theirs += gains[i];
        near(ours, theirs, 1e-5);
        near((double)gain[0], gains[0], 1e-5);
        model_destroy(m);
    }
}

/* Rows 0 1 2 3 | 10 11 12 13 with targets around 0 and 10: by hand, G = -+20, gain 100. */
static void a_gain_by_hand(void **state)
{
    (void)state;
    static Table t;
    t.shape = (ModelShape){.dense = 1, .task = TASK_REGRESSION, .outputs = 1};
    for (size_t i = 0; i < 8; i++) {
        t.dense[i] = (float)(i < 4 ? i : i + 6);
        t.target[i] = i < 4 ? 0.0f : 10.0f;
    }
    t.batch = (Batch){.rows = 8, .dense = t.dense, .target = t.target};
    const char *const plain[] = {"min_rows", "1", "leaves", "2", NULL};
    const char *const drawn[] = {"min_rows", "1", "leaves", "2", "lambda", "4", "alpha", "4", NULL};
    size_t n;
    for (int pull = 0; pull < 2; pull++) {
        ModelSetup setup = {.seed = 1, .batch_most = 8};
        Model *m = make_model(&t, &setup, pull ? drawn : plain);
        near(step(m, &t, 0.5), 25.0, 1e-6);
        near((double)tensor(m, "bias", &n)[0], 5.0, 1e-6);
        near((double)tensor(m, "node.gain", &n)[0], pull ? 2 * 16 * 16 / 8.0 : 200.0, 1e-6);
        near((double)tensor(m, "node.threshold", &n)[0], 6.5, 1e-6); /* halfway between 3 and 10 */
        near((double)tensor(m, "node.value", &n)[1], pull ? -0.5 * 2 : -0.5 * 5, 1e-6);
        assert_true(n == 3 && tensor(m, "node.rows", &n)[1] == 4.0f);
        model_destroy(m);
    }
}

/* Missing values that mean much go to the side they resemble, also when none of the others do. */
static void missing_goes_to_the_better_side(void **state)
{
    (void)state;
    static Table t;
    for (int high = 0; high < 2; high++) {
        t.shape = (ModelShape){.dense = 1, .task = TASK_REGRESSION, .outputs = 1, .missing = true};
        for (size_t i = 0; i < 300; i++) {
            bool gone = i % 3 == 0;
            t.dense[i] = gone ? NAN : (float)(i % 7);
            t.target[i] = gone ? (high ? 5.0f : -1.0f) : i % 7 > 3 ? 5.0f : -1.0f;
        }
        t.batch = (Batch){.rows = 300, .dense = t.dense, .target = t.target};
        ModelSetup setup = {.seed = 1, .batch_most = 300};
        Model *m = make_model(&t, &setup, (const char *const[]){"leaves", "2", NULL});
        step(m, &t, 1.0);
        size_t n;
        assert_true(tensor(m, "node.missing_left", &n)[0] == (high ? 0.0f : 1.0f));
        float out[300];
        model_predict(m, &t.batch, out);
        for (size_t i = 0; i < 300; i++)
            near((double)out[i], (double)t.target[i], 1e-4);
        model_destroy(m);
    }
}

/* Thirty categories in two kinds: one split tells them apart; a code never seen goes right. */
static void categories_by_sets(void **state)
{
    (void)state;
    static Table t;
    static const int32_t thirty[1] = {30};
    t.shape =
        (ModelShape){.codes = 1, .cardinality = thirty, .task = TASK_REGRESSION, .outputs = 1};
    for (size_t i = 0; i < 3000; i++) {
        t.code[i] = (int32_t)(1 + i % 28); /* neither 0 nor 29 */
        t.target[i] = (t.code[i] * 7) % 5 < 2 ? 3.0f : -1.0f;
    }
    t.batch = (Batch){.rows = 3000, .code = t.code, .target = t.target};
    ModelSetup setup = {.seed = 1, .batch_most = 3000};
    Model *m = make_model(&t, &setup, (const char *const[]){"leaves", "2", "cat_l2", "0", NULL});
    step(m, &t, 1.0);
    static float out[3000];
    model_predict(m, &t.batch, out);
    for (size_t i = 0; i < 3000; i++)
        near((double)out[i], (double)t.target[i], 1e-4);
    int32_t unseen[2] = {0, 29};
    model_predict(m, &(Batch){.rows = 2, .code = unseen}, out);
    assert_true(out[0] == out[1]);
    size_t n;
    assert_true(tensor(m, "node.codes", &n)[0] > 0 && n == 3);
    model_destroy(m);
}

/* The column that makes the target gains most, one that is noise next to nothing. */
static void importance_tells_the_columns(void **state)
{
    (void)state;
    static Table t;
    static const char *const dense_name[] = {"first", "second", "third", "noise"};
    static const char *const code_name[] = {"few", "many"};
    make_table(&t, TASK_REGRESSION, 2000, 0);
    t.shape.dense_name = dense_name;
    t.shape.code_name = code_name;
    ModelSetup setup = {.seed = 1, .batch_most = 2000};
    Model *m = make_model(&t, &setup, NULL);
    size_t n, nodes, splits = 0;
    for (int i = 0; i < 10; i++)
        step(m, &t, 0.1);
    Importance *all = model_importance(m, &n);
    assert_non_null(all);
    assert_string_equal(all[0].name, "first");
    for (size_t i = 0; i < n; i++) {
        splits += all[i].splits;
        assert_true(i == 0 || all[i].gain <= all[i - 1].gain);
        if (!strcmp(all[i].name, "noise"))
            assert_true(all[i].gain < 0.05 * all[0].gain);
    }
    tensor(m, "node.feature", &nodes);
    assert_int_equal(nodes, 2 * splits + 10);
    mem_free(all);
    model_destroy(m);
}

/* Losses: the mean, the median, a quantile, the share of a class. */
static void each_loss_has_its_centre(void **state)
{
    (void)state;
    static Table t;
    static float out[MOST * 3];
    make_table(&t, TASK_REGRESSION, 2000, 0);
    for (int loss = LOSS_SQUARED; loss <= LOSS_QUANTILE; loss++) {
        ModelSetup setup = {
            .seed = 1, .batch_most = 2000, .loss = loss + 1, .quantile = 0.9, .huber_delta = 0.5};
        Model *m = make_model(&t, &setup, NULL);
        for (int i = 0; i < 150; i++)
            step(m, &t, 0.1);
        model_predict(m, &t.batch, out);
        double above = 0, e = 0;
        for (size_t i = 0; i < 2000; i++) {
            above += t.target[i] > out[i];
            e += fabs((double)(t.target[i] - out[i]));
        }
        near(above / 2000, loss == LOSS_QUANTILE ? 0.1 : 0.5, loss == LOSS_QUANTILE ? 0.3 : 0.1);
        if (loss != LOSS_QUANTILE && e / 2000 >= 0.35) {
            printf("%s: error %g\n", loss_names[loss + 1], e / 2000);
            fail();
        }
        near(model_loss(m, &t.batch, out), step(m, &t, 0.1), 1e-4); /* the nets' own formulas */
        model_destroy(m);
    }
    for (int task = TASK_BINARY; task < TASK_COUNT; task++) {
        make_table(&t, (TaskKind)task, 2000, 0.1);
        float weight[3] = {2.0f, 0.5f, 1.0f};
        ModelSetup setup = {.seed = 1, .batch_most = 2000, .class_weight = weight};
        Model *m = make_model(&t, &setup, NULL);
        double first = step(m, &t, 0.1), last = 0;
        for (int i = 0; i < 60; i++)
            last = step(m, &t, 0.1);
        assert_true(last < 0.4 * first);
        model_predict(m, &t.batch, out);
        near(model_loss(m, &t.batch, out), step(m, &t, 0.1), 1e-4);
        model_destroy(m);
    }
}

/* Counts and amounts: the mean comes out, the step's loss and slopes are the nets' own, and values
 * come near the means they were drawn around. */
static void rates_by_their_logarithm(void **state)
{
    (void)state;
    static Table t;
    static float out[MOST];
    for (int loss = LOSS_POISSON; loss <= LOSS_TWEEDIE; loss++) {
        Rng rng;
        rng_seed(&rng, 8, 1);
        make_table(&t, TASK_REGRESSION, 3000, 0.05);
        t.shape.log_link = true;
        double mean = 0, fitted = 0, off = 0;
        static float truth[MOST];
        for (size_t i = 0; i < 3000; i++) {
            truth[i] = expf(0.7f * t.dense[i * DENSE + 2]);
            double u = rng_unit(&rng), v = (double)truth[i];
            double y = loss == LOSS_GAMMA ? -v * log(1 - u) : 0; /* exponential */
            for (double p = exp(-v); loss != LOSS_GAMMA && y < 50; p *= v / ++y) {
                if (u < p)
                    break;
                u -= p;
            }
            t.target[i] = loss == LOSS_GAMMA ? (float)y + 1e-4f : (float)y;
            mean += (double)t.target[i] / 3000;
        }
        ModelSetup setup = {.seed = 1, .batch_most = 3000, .loss = loss + 1, .tweedie_power = 1.3};
        Model *m = make_model(&t, &setup, (const char *[]){"min_rows", "100", NULL});
        double first = step(m, &t, 0.1), last = 0;
        for (int i = 0; i < (loss == LOSS_POISSON ? 150 : 40); i++)
            last = step(m, &t, 0.1);
        model_predict(m, &t.batch, out);
        near(model_loss(m, &t.batch, out), step(m, &t, 0.1), 1e-4);
        model_predict(m, &t.batch, out);
        model_scores_to_outputs(&t.shape, out, 3000);
        for (size_t i = 0; i < 3000; i++) {
            fitted += (double)out[i] / 3000;
            off += fabs(log((double)out[i] / (double)truth[i])) / 3000;
        }
        assert_true(last < first);
        near(fitted, mean, loss == LOSS_POISSON ? 0.05 : 0.2); /* only its sum is kept */
        if (off > 0.35) {
            printf("%s: off by %g\n", loss_names[loss + 1], off);
            fail();
        }
        model_destroy(m);
    }
}

/* ---- the same bits ------------------------------------------------------------------------------------- */

static void bits_on_any_threads_and_after_a_load(void **state)
{
    (void)state;
    static Table t;
    static const char *const ways[][9] = {
        {"growth", "leaf", NULL},
        {"growth", "depth", "depth", "4", NULL},
        {"row_share", "0.6", "column_share", "0.5", NULL},
        {"goss", "yes", "goss_top", "0.3", NULL},
    };
    for (int task = 0; task < TASK_COUNT; task++)
        for (size_t way = 0; way < 4; way++) {
            make_table(&t, (TaskKind)task, MOST, 0.1);
            Text expected = {0};
            for (size_t threads = 1; threads <= 3; threads++)
                for (int resume = 0; resume < 2; resume++) {
                    Error err = {0};
                    Pool *pool = pool_create(threads);
                    ModelSetup setup = {.seed = 5, .batch_most = MOST, .pool = pool};
                    Model *m = make_model(&t, &setup, ways[way]);
                    Text saved = {0};
                    for (int s = 0; s < 8; s++) {
                        if (resume && s == 4) {
                            assert_true(model_state_save(m, false, &saved, &err));
                            model_destroy(m);
                            m = make_model(&t, &setup, ways[way]);
                            assert_true(model_state_load(m, saved.at, saved.count, &err));
                        }
                        step(m, &t, 0.4);
                    }
                    text_reset(&saved);
                    assert_true(model_state_save(m, false, &saved, &err));
                    if (!expected.count)
                        text_add(&expected, saved.at, saved.count);
                    assert_int_equal(saved.count, expected.count);
                    assert_memory_equal(saved.at, expected.at, saved.count);
                    text_release(&saved);
                    model_destroy(m);
                    pool_destroy(pool);
                }
            text_release(&expected);
        }
}

/* So many rows that they are put in another order: the same bits all the same. */
static void bits_of_many_rows(void **state)
{
    (void)state;
    enum { MANY = 70000 };
    Table *few = mem_alloc(sizeof *few);
    make_table(few, TASK_REGRESSION, MOST, 0.1);
    float *dense = mem_alloc(sizeof(float) * MANY * DENSE), *y = mem_alloc(sizeof(float) * MANY);
    int32_t *code = mem_alloc(sizeof(int32_t) * MANY * CODES);
    for (size_t i = 0; i < MANY; i++) {
        memcpy(dense + i * DENSE, few->dense + i % MOST * DENSE, sizeof(float) * DENSE);
        memcpy(code + i * CODES, few->code + i % MOST * CODES, sizeof(int32_t) * CODES);
        y[i] = few->target[i % MOST] + 0.001f * (float)(i % 77);
    }
    few->batch = (Batch){.rows = MANY, .dense = dense, .code = code, .target = y};
    Text first = {0}, saved = {0};
    for (int way = 0; way < 4; way++) { /* threads 1 2 3, then a load in the middle */
        Error err = {0};
        Pool *pool = pool_create(way < 3 ? (size_t)way + 1 : 2);
        ModelSetup setup = {.seed = 5, .batch_most = MANY, .pool = pool};
        Model *m = make_model(few, &setup, NULL);
        for (int s = 0; s < 6; s++) {
            if (way == 3 && s == 3) {
                text_reset(&saved);
                assert_true(model_state_save(m, false, &saved, &err));
                model_destroy(m);
                m = make_model(few, &setup, NULL);
                assert_true(model_state_load(m, saved.at, saved.count, &err));
            }
            double loss = step(m, few, 0.3);
            float *out = s == 5 ? mem_alloc(sizeof *out * MANY) : NULL;
            if (out && way == 0) { /* what it trained on is what it predicts */
                model_predict(m, &few->batch, out);
                double now = model_loss(m, &few->batch, out);
                assert_true(now < loss);
                near(now, step(m, few, 0.3), 1e-5);
            } else if (out)
                step(m, few, 0.3);
            mem_free(out);
        }
        text_reset(&saved);
        assert_true(model_state_save(m, false, &saved, &err));
        if (way == 0)
            text_add(&first, saved.at, saved.count);
        assert_int_equal(saved.count, first.count);
        assert_memory_equal(saved.at, first.at, first.count);
        model_destroy(m);
        pool_destroy(pool);
    }
    text_release(&first);
    text_release(&saved);
    mem_free(dense);
    mem_free(code);
    mem_free(y);
    mem_free(few);
}

/* Scores brought up to date round by round are those of predicting at once. */
static void running_scores_are_whole_scores(void **state)
{
    (void)state;
    static Table t;
    static float running[MOST * 3], whole[MOST * 3];
    make_table(&t, TASK_MULTICLASS, MOST, 0.1);
    ModelSetup setup = {.seed = 5, .batch_most = MOST};
    Model *m = make_model(&t, &setup, NULL);
    size_t have = 0;
    for (int s = 0; s < 9; s++) {
        step(m, &t, 0.2);
        if (s % 4 == 3)
            continue;
        have = model_predict_more(m, &t.batch, have, running);
        assert_int_equal(have, s + 1);
        model_predict(m, &t.batch, whole);
        assert_memory_equal(running, whole, sizeof whole);
    }
    model_destroy(m);
}

static void growth_keeps_its_bounds(void **state)
{
    (void)state;
    static Table t;
    make_table(&t, TASK_REGRESSION, 2000, 0);
    ModelSetup setup = {.seed = 5, .batch_most = 2000};
    Model *m = make_model(&t, &setup,
                          (const char *const[]){"growth", "depth", "depth", "3", "leaves", "0",
                                                "min_rows", "50", NULL});
    step(m, &t, 0.2);
    size_t n;
    const float *left = tensor(m, "node.left", &n), *right = tensor(m, "node.right", &n);
    const float *feature = tensor(m, "node.feature", &n), *rows = tensor(m, "node.rows", &n);
    int depth[64] = {0};
    assert_true(n <= 15 && n > 7);
    for (size_t i = 0; i < n; i++) {
        assert_true(rows[i] >= 50.0f && depth[i] <= 3);
        if (feature[i] >= 0) {
            depth[(size_t)left[i]] = depth[(size_t)right[i]] = depth[i] + 1;
            assert_true(rows[(size_t)left[i]] + rows[(size_t)right[i]] == rows[i]);
        }
    }
    model_destroy(m);
}

/* A file with a child that points back, or a feature that is not there, is refused. */
static void damaged_trees_are_refused(void **state)
{
    (void)state;
    static Table t;
    make_table(&t, TASK_REGRESSION, 2000, 0);
    ModelSetup setup = {.seed = 5, .batch_most = 2000};
    static const struct {
        const char *name;
        float value;
    } harm[] = {{"node.left", 0.0f},      {"node.right", 1e6f},    {"node.feature", 77.0f},
                {"node.feature", 0.5f},   {"tree.nodes", 3.0f},    {"node.codes", 500.0f},
                {"node.value", INFINITY}, {"node.threshold", NAN}, {"category.code", 64.0f}};
    for (size_t k = 0; k < sizeof harm / sizeof *harm; k++) {
        Model *m = make_model(&t, &setup, NULL);
        Error err = {0};
        Text saved = {0};
        for (int s = 0; s < 3; s++)
            step(m, &t, 0.2);
        size_t n;
        float *at = tensor(m, harm[k].name, &n);
        assert_true(n > 0);
        at[0] = harm[k].value;
        assert_true(model_state_save(m, false, &saved, &err));
        Model *other = make_model(&t, &setup, NULL);
        assert_false(model_state_load(other, saved.at, saved.count, &err));
        assert_true(err.text[0] != 0);
        float out[MOST];
        model_predict(other, &t.batch, out); /* empty, and sound */
        step(other, &t, 0.1);
        text_release(&saved);
        model_destroy(m);
        model_destroy(other);
    }
}

static void sorting(void **state)
{
    (void)state;
    static float at[5000], scratch[5000];
    Rng rng;
    rng_seed(&rng, 1, 1);
    for (size_t i = 0; i < 5000; i++)
        at[i] =
            i % 50 == 0 ? -0.0f : (float)rng_normal(&rng) * powf(10.0f, (float)(i % 60) - 30.0f);
    at[7] = -INFINITY;
    at[9] = INFINITY;
    sort_floats(at, scratch, 5000);
    for (size_t i = 1; i < 5000; i++)
        assert_true(at[i - 1] <= at[i]);
    assert_true(at[0] == -INFINITY && at[4999] == INFINITY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorting),
        cmocka_unit_test(a_gain_by_hand),
        cmocka_unit_test(a_tree_as_without_bins),
        cmocka_unit_test(missing_goes_to_the_better_side),
        cmocka_unit_test(categories_by_sets),
        cmocka_unit_test(importance_tells_the_columns),
        cmocka_unit_test(each_loss_has_its_centre),
        cmocka_unit_test(rates_by_their_logarithm),
        cmocka_unit_test(growth_keeps_its_bounds),
        cmocka_unit_test(bits_on_any_threads_and_after_a_load),
        cmocka_unit_test(bits_of_many_rows),
        cmocka_unit_test(running_scores_are_whole_scores),
        cmocka_unit_test(damaged_trees_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
