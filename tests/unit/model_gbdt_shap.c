/* SHAP values of trees against their definition: the sum over all sets of known inputs. */
#include "model/gbdt_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 1500, DENSE = 4, CODES = 2, INPUTS = DENSE + CODES, CLASSES = 3 };
static const int32_t cardinality[CODES] = {4, 9};

typedef struct World {
    float dense[ROWS * DENSE], target[ROWS];
    int32_t code[ROWS * CODES];
    Model *model;
    Batch batch;
    size_t outputs;
} World;

static World *make_world(TaskKind task, int rounds)
{
    Error err = {0};
    World *w = mem_alloc(sizeof *w);
    Rng rng;
    rng_seed(&rng, 12, (uint64_t)task);
    for (size_t i = 0; i < ROWS; i++) {
        float *x = w->dense + i * DENSE;
        for (size_t k = 0; k < DENSE; k++)
            x[k] = (float)rng_normal(&rng);
        w->code[i * CODES] = (int32_t)rng_below(&rng, 4);
        w->code[i * CODES + 1] = (int32_t)rng_below(&rng, 9);
        float y = x[0] * x[1] + x[2] + 0.5f * (float)w->code[i * CODES] -
                  (w->code[i * CODES + 1] % 3 == 0 ? x[3] : 0.5f) + 0.1f * (float)rng_normal(&rng);
        if (rng_below(&rng, 12) == 0)
            x[2] = NAN;
        w->target[i] = task == TASK_REGRESSION ? y : (float)((y > -0.3f) + (y > 1.5f));
    }
    w->outputs = task == TASK_REGRESSION ? 1 : CLASSES;
    ModelShape shape = {.dense = DENSE,
                        .codes = CODES,
                        .cardinality = cardinality,
                        .task = task,
                        .classes = task == TASK_REGRESSION ? 0 : CLASSES,
                        .outputs = w->outputs,
                        .missing = true};
    w->batch = (Batch){.rows = ROWS, .dense = w->dense, .code = w->code, .target = w->target};
    const ModelFamily *f = model_family("gbdt");
    void *p = mem_alloc(f->params_size);
    params_init(f->params, p);
    w->model = model_create(f, p, &shape, &(ModelSetup){.seed = 1, .batch_most = ROWS}, &err);
    assert_non_null(w->model);
    params_release(f->params, p);
    mem_free(p);
    StepStats stats;
    for (int i = 0; i < rounds; i++)
        assert_true(model_step(w->model, &w->batch, &(Knobs){.lr = 0.3}, &stats, &err));
    return w;
}

static void end_world(World *w)
{
    model_destroy(w->model);
    mem_free(w);
}

static const float *field(World *w, const char *name, size_t *n)
{
    const TensorRow *rows;
    size_t weights, count = w->model->family->tensors(w->model->impl, &rows, &weights);
    for (size_t i = 0; i < count; i++)
        if (text_equal(rows[i].name, name)) {
            *n = rows[i].shape[0];
            return rows[i].at;
        }
    fail();
    return NULL;
}

/* ---- the definition ------------------------------------------------------------------------------------ */

typedef struct Trees {
    const float *nodes, *feature, *threshold, *left, *right, *missing, *value, *cover, *codes,
        *code;
    size_t trees, all;
} Trees;

static Trees trees_of(World *w)
{
    Trees t;
    size_t n;
    t.nodes = field(w, "tree.nodes", &t.trees);
    t.feature = field(w, "node.feature", &t.all);
    t.threshold = field(w, "node.threshold", &n);
    t.left = field(w, "node.left", &n);
    t.right = field(w, "node.right", &n);
    t.missing = field(w, "node.missing_left", &n);
    t.value = field(w, "node.value", &n);
    t.cover = field(w, "node.cover", &n);
    t.codes = field(w, "node.codes", &n);
    t.code = field(w, "category.code", &n);
    return t;
}

static bool goes_left(const Trees *t, size_t node, const float *x, const int32_t *code)
{
    size_t i = (size_t)t->feature[node], first = 0;
    if (i < DENSE)
        return isnan(x[i]) ? t->missing[node] > 0.5f : x[i] <= t->threshold[node];
    for (size_t k = 0; k < node; k++)
        first += (size_t)t->codes[k];
    for (size_t k = 0; k < (size_t)t->codes[node]; k++)
        if ((int32_t)t->code[first + k] == code[i - DENSE])
            return true;
    return false;
}

static double expected(const Trees *t, size_t root, size_t node, unsigned known, const float *x,
                       const int32_t *code)
{
    if (t->feature[node] < 0)
        return (double)t->value[node];
    size_t left = root + (size_t)t->left[node], right = root + (size_t)t->right[node];
    if (known >> (unsigned)t->feature[node] & 1)
        return expected(t, root, goes_left(t, node, x, code) ? left : right, known, x, code);
    double a = (double)t->cover[left], b = (double)t->cover[right];
    return (a * expected(t, root, left, known, x, code) +
            b * expected(t, root, right, known, x, code)) /
           (a + b);
}

static double shapley(const Trees *t, size_t root, size_t input, const float *x,
                      const int32_t *code)
{
    double sum = 0;
    for (unsigned set = 0; set < 1u << INPUTS; set++) {
        if (set >> input & 1)
            continue;
        int k = __builtin_popcount(set);
        double ways = tgamma(k + 1) * tgamma(INPUTS - k) / tgamma(INPUTS + 1);
        sum += ways * (expected(t, root, root, set | 1u << input, x, code) -
                       expected(t, root, root, set, x, code));
    }
    return sum;
}

static void as_defined(void **state)
{
    (void)state;
    for (int task = 0; task < 2; task++) {
        Error err = {0};
        World *w = make_world(task ? TASK_MULTICLASS : TASK_REGRESSION, 3);
        Trees t = trees_of(w);
        size_t width = INPUTS + 1, rows = 25;
        double *out = mem_alloc(rows * w->outputs * width * sizeof *out);
        Batch b = w->batch;
        b.rows = rows;
        assert_true(model_contributions(w->model, &b, out, &err));
        for (size_t row = 0; row < rows; row++)
            for (size_t input = 0; input < INPUTS; input++) {
                double sum[CLASSES] = {0};
                for (size_t tree = 0, root = 0; tree < t.trees; root += (size_t)t.nodes[tree++])
                    sum[tree % w->outputs] +=
                        shapley(&t, root, input, w->dense + row * DENSE, w->code + row * CODES);
                for (size_t c = 0; c < w->outputs; c++)
                    assert_true(fabs(sum[c] - out[(row * w->outputs + c) * width + input]) < 1e-9);
            }
        mem_free(out);
        end_world(w);
    }
}

/* With the base they are the score, exactly as far as double goes. */
static void adds_up(void **state)
{
    (void)state;
    for (int task = 0; task < 2; task++) {
        Error err = {0};
        World *w = make_world(task ? TASK_MULTICLASS : TASK_REGRESSION, 40);
        Trees t = trees_of(w);
        size_t width = INPUTS + 1, n;
        const float *bias = field(w, "bias", &n);
        double *out = mem_alloc(ROWS * w->outputs * width * sizeof *out);
        float *score = mem_alloc(ROWS * w->outputs * sizeof *score);
        assert_true(model_contributions(w->model, &w->batch, out, &err));
        model_predict(w->model, &w->batch, score);
        for (size_t row = 0; row < ROWS; row++)
            for (size_t c = 0; c < w->outputs; c++) {
                double sum = 0, leaves = (double)bias[c];
                for (size_t i = 0; i < width; i++)
                    sum += out[(row * w->outputs + c) * width + i];
                for (size_t tree = 0, root = 0; tree < t.trees; root += (size_t)t.nodes[tree++])
                    if (tree % w->outputs == c)
                        leaves += expected(&t, root, root, ~0u, w->dense + row * DENSE,
                                           w->code + row * CODES);
                assert_true(fabs(sum - leaves) < 1e-9);
                assert_true(fabs(sum - (double)score[row * w->outputs + c]) < 1e-4);
            }
        mem_free(score);
        mem_free(out);
        end_world(w);
    }
}

static void nets_say_that_they_cannot(void **state)
{
    (void)state;
    Error err = {0};
    const ModelFamily *f = model_family("mlp");
    void *p = mem_alloc(f->params_size);
    params_init(f->params, p);
    ModelShape shape = {.dense = 2, .task = TASK_REGRESSION, .outputs = 1};
    Model *m = model_create(f, p, &shape, &(ModelSetup){.seed = 1, .batch_most = 4}, &err);
    float x[2] = {0};
    double out[3];
    assert_false(model_contributions(m, &(Batch){.rows = 1, .dense = x}, out, &err));
    assert_non_null(strstr(err.text, "a gbdt can"));
    model_destroy(m);
    params_release(f->params, p);
    mem_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_defined),
        cmocka_unit_test(adds_up),
        cmocka_unit_test(nets_say_that_they_cannot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
