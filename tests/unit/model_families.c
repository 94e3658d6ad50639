/* Every family of the registry, asked the same: gradients, fit, repeat under a seed, survive save and
 * load, the same bits on any threads. Those of series are asked in model_tft.c. */
#include "model/model_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 200, DENSE = 5, CODES = 2, CLASSES = 3 };
static const int32_t cardinality[CODES] = {4, 9};

typedef struct Table {
    float dense[ROWS * DENSE], target[ROWS];
    int32_t code[ROWS * CODES];
    Batch batch;
    ModelShape shape;
} Table;

static void make_table(Table *t, TaskKind task)
{
    Rng rng;
    rng_seed(&rng, 8, (uint64_t)task);
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t k = 0; k < DENSE; k++)
            t->dense[i * DENSE + k] = (float)rng_normal(&rng);
        t->code[i * CODES] = (int32_t)rng_below(&rng, 4);
        t->code[i * CODES + 1] = (int32_t)rng_below(&rng, 9);
        const float *x = t->dense + i * DENSE;
        float y = x[0] - 0.5f * x[1] + 0.4f * (float)t->code[i * CODES] - 0.6f;
        t->target[i] = task == TASK_REGRESSION ? y
                       : task == TASK_BINARY   ? (float)(y > 0)
                                               : (float)((y > -0.5f) + (y > 0.5f));
    }
    t->batch = (Batch){.rows = ROWS, .dense = t->dense, .code = t->code, .target = t->target};
    t->shape = (ModelShape){.dense = DENSE,
                            .codes = CODES,
                            .cardinality = cardinality,
                            .task = task,
                            .classes = task == TASK_REGRESSION ? 0
                                       : task == TASK_BINARY   ? 2
                                                               : CLASSES,
                            .outputs = task == TASK_MULTICLASS ? CLASSES : 1};
}

static Model *make_model(const ModelFamily *f, const Table *t, const ModelSetup *setup,
                         const char *const *changes)
{
    Error err = {0};
    void *settings = mem_alloc(f->params_size);
    params_init(f->params, settings);
    for (; changes && changes[0]; changes += 2)
        if (param_find(f->params, changes[0]))
            assert_true(params_set(f->params, settings, changes[0], changes[1], &err));
    Model *m = model_create(f, settings, &t->shape, setup, &err);
    if (!m)
        printf("%s\n", err.text);
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

static size_t numbers(const TensorRow *row)
{
    size_t n = 1;
    for (size_t i = 0; i < row->rank; i++)
        n *= row->shape[i];
    return n;
}

static double slope(Model *m, const Table *t, float *at, float by)
{
    float w = *at;
    *at = w + by;
    double above = step(m, t, 0);
    *at = w - by;
    double below = step(m, t, 0);
    *at = w;
    return (above - below) / (2 * (double)by);
}

static bool close_to(double gradient, double expected)
{
    return fabs(gradient - expected) <= 1e-3 + 1e-2 * fabs(expected);
}

#ifdef LATHE_SANITIZED
#define STRIDE 17 /* of the weights that are looked at: sanitized steps are slow */
#else
#define STRIDE 3
#endif

/* A step of plain descent with rate 1 moves each weight by its gradient. */
static void gradients(void **state)
{
    (void)state;
    const char *const smooth[] = {"hidden",   "11,6", "activation", "gelu", "batchnorm", "no",
                                  "width",    "6",    "blocks",     "2",    "heads",     "2",
                                  "sparsity", "0",    "decision",   "8",    "attention", "8",
                                  "steps",    "1",    "own",        "1",    NULL};
    const char *const normed[] = {"hidden",   "11,6", "activation", "tanh", "batchnorm", "yes",
                                  "width",    "6",    "blocks",     "1",    "heads",     "3",
                                  "sparsity", "0",    "decision",   "8",    "attention", "8",
                                  "steps",    "1",    "own",        "1",    NULL};
    const char *const *ways[] = {smooth, normed};
    static Table t;
    for (size_t i = 0; model_families[i]; i++)
        for (int task = 0; task < TASK_COUNT && !model_families[i]->whole_batch && !model_families[i]->series;
             task++)
            for (int way = 0; way < 2; way++) {
                make_table(&t, (TaskKind)task);
                ModelSetup setup = {.seed = 3, .batch_most = ROWS};
                Model *m = make_model(model_families[i], &t, &setup, ways[way]);
                const TensorRow *rows;
                size_t weights;
                m->family->tensors(m->impl, &rows, &weights);
                Text before = {0};
                Error err = {0};
                assert_true(model_state_save(m, true, &before, &err));
                step(m, &t, 1.0);
                float *after[128];
                assert_true(weights < 128);
                for (size_t k = 0; k < weights; k++)
                    after[k] = mem_copy(rows[k].at, numbers(&rows[k]) * sizeof(float));
                assert_true(model_state_load(m, before.at, before.count, &err));
                /* its sparsemax and relu bend within any step a float can take: there the direction of
                 * the whole gradient must be right, each operator alone is held in nn_gradients.c */
                bool kinked = text_equal(m->family->name, "tabnet");
                double both = 0, own = 0, other = 0;
                for (size_t k = 0; k < weights; k++)
                    for (size_t j = 0; j < numbers(&rows[k]) && !strstr(rows[k].name, "running");
                         j += STRIDE) {
                        float w = rows[k].at[j];
                        double gradient = (double)w - (double)after[k][j];
                        double expected = slope(m, &t, &rows[k].at[j], 4e-3f);
                        if (kinked)
                            expected = slope(m, &t, &rows[k].at[j], 5e-4f);
                        both += gradient * expected;
                        own += gradient * gradient;
                        other += expected * expected;
                        if (!kinked && !close_to(gradient, expected)) {
                            printf("%s %s[%zu]: %g, difference %g\n", m->family->name, rows[k].name,
                                   j, gradient, expected);
                            fail();
                        }
                    }
                if (both / sqrt(own * other) <= 0.97)
                    printf("%s: the cosine to the differences is %g\n", m->family->name,
                           both / sqrt(own * other));
                assert_true(both / sqrt(own * other) > 0.97);
                for (size_t k = 0; k < weights; k++)
                    mem_free(after[k]);
                text_release(&before);
                model_destroy(m);
            }
}

static void every_family_fits_every_task(void **state)
{
    (void)state;
    static Table t;
    for (size_t i = 0; model_families[i]; i++)
        for (int task = 0; task < TASK_COUNT && !model_families[i]->series; task++) {
            make_table(&t, (TaskKind)task);
            ModelSetup setup = {.seed = 1, .batch_most = ROWS, .optimizer = OPTIMIZER_ADAMW};
            const char *const small[] = {"width", "32", "blocks", "2", "steps", "2", NULL};
            Model *m = make_model(model_families[i], &t, &setup, small);
            double before = step(m, &t, 1e-2);
            for (int s = 0; s < 300; s++)
                step(m, &t, 1e-2);
            float out[ROWS * CLASSES];
            model_predict(m, &t.batch, out);
            double after = model_loss(m, &t.batch, out);
            assert_true(after < (text_equal(m->family->name, "tabnet") ? 0.8 : 0.55) * before);
            model_scores_to_outputs(&t.shape, out, ROWS);
            size_t right = 0;
            for (size_t r = 0; r < ROWS; r++) {
                size_t best = 0;
                for (size_t k = 1; k < t.shape.outputs; k++)
                    best = out[r * CLASSES + k] > out[r * CLASSES + best] ? k : best;
                right += task == TASK_BINARY ? (out[r] > 0.5f) == (t.target[r] > 0.5f)
                                             : (float)best == t.target[r];
            }
            if (task != TASK_REGRESSION)
                assert_true(right > ROWS * 8 / 10);
            model_destroy(m);
        }
}

/* 20 steps; the same with a stop at 10, saved and loaded into a fresh model; on 1, 2 and 3 threads. */
static void resumes_to_the_same_bits(void **state)
{
    (void)state;
    static Table t;
    const char *const changes[] = {"batchnorm", "yes",    "hidden", "64,300,300", "width",
                                   "40",        "blocks", "2",      NULL};
    for (size_t i = 0; model_families[i]; i++)
        for (int optimizer = 0; optimizer < OPTIMIZER_COUNT && !model_families[i]->series; optimizer++) {
            /* an optimizer does not know whose weights they are: one family tries them all */
            if (optimizer != OPTIMIZER_ADAMW && !text_equal(model_families[i]->name, "mlp"))
                continue;
            make_table(&t, TASK_MULTICLASS);
            Text expected = {0};
            for (size_t threads = 1; threads <= 3; threads++)
                for (int resume = 0; resume < 2; resume++) {
                    Error err = {0};
                    Pool *pool = pool_create(threads);
                    ModelSetup setup = {
                        .seed = 5, .batch_most = ROWS, .optimizer = optimizer, .pool = pool};
                    Model *m = make_model(model_families[i], &t, &setup, changes);
                    Knobs knobs = {
                        .lr = 1e-2, .momentum = 0.9, .dropout = 0.2, .weight_decay = 1e-3};
                    StepStats stats;
                    Text saved = {0};
                    for (int s = 0; s < 20; s++) {
                        if (resume && s == 10) {
                            assert_true(model_state_save(m, false, &saved, &err));
                            model_destroy(m);
                            m = make_model(model_families[i], &t, &setup, changes);
                            assert_true(model_state_load(m, saved.at, saved.count, &err));
                        }
                        assert_true(model_step(m, &t.batch, &knobs, &stats, &err));
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

/* A row alone is scored to the same bits as in a batch of any size. */
static void one_row_as_many(void **state)
{
    (void)state;
    static Table t;
    make_table(&t, TASK_MULTICLASS);
    for (size_t i = 0; model_families[i]; i++) {
        ModelSetup setup = {.seed = 5, .batch_most = 16};
        if (model_families[i]->series)
            continue;
        const char *const small[] = {"width", "64", "blocks", "2", NULL};
        Model *m = make_model(model_families[i], &t, &setup, small);
        float all[ROWS * CLASSES], one[CLASSES];
        model_predict(m, &t.batch, all);
        for (size_t r = 0; r < ROWS; r++) {
            Batch row = {.rows = 1, .dense = t.dense + r * DENSE, .code = t.code + r * CODES};
            model_predict(m, &row, one);
            assert_memory_equal(one, all + r * CLASSES, sizeof one);
        }
        model_destroy(m);
    }
}

static void refuses_what_does_not_fit(void **state)
{
    (void)state;
    static Table t;
    make_table(&t, TASK_REGRESSION);
    ModelSetup setup = {.batch_most = ROWS};
    setup.loss = LOSS_LOGISTIC + 1;
    Error err = {0};
    assert_string_equal(loss_names[setup.loss], "logistic");
    assert_null(model_create(model_family("linear"), NULL, &t.shape, &setup, &err));
    assert_non_null(strstr(err.text, "loss=logistic does not fit a regression"));

    setup.loss = 0;
    const ModelFamily *ft = model_family("ft_transformer");
    void *settings = mem_alloc(ft->params_size);
    params_init(ft->params, settings);
    assert_true(params_set(ft->params, settings, "width", "100", &err));
    err = (Error){0};
    assert_null(model_create(ft, settings, &t.shape, &setup, &err));
    assert_int_equal(err.kind, ERROR_USAGE);
    assert_string_equal(err.text, "width=100 is not a multiple of heads=8");
    params_release(ft->params, settings);
    mem_free(settings);

    const char *const small[] = {"hidden", "8", NULL}, *const other[] = {"hidden", "9", NULL};
    Model *a = make_model(model_family("mlp"), &t, &setup, small);
    Model *b = make_model(model_family("mlp"), &t, &setup, other);
    Model *c = make_model(model_family("linear"), &t, &setup, NULL);
    Text saved = {0}, after = {0}, before = {0};
    assert_true(model_state_save(a, false, &saved, &err));
    assert_true(model_state_save(b, false, &before, &err));
    err = (Error){0};
    assert_false(model_state_load(b, saved.at, saved.count, &err));
    assert_non_null(strstr(err.text, "hidden.0.weight"));
    err = (Error){0};
    assert_false(model_state_load(c, saved.at, saved.count, &err));
    assert_non_null(strstr(err.text, "mlp"));
    assert_true(model_state_save(b, false, &after, &err)); /* a refused load changes nothing */
    assert_int_equal(after.count, before.count);
    assert_memory_equal(after.at, before.at, after.count);
    StepStats stats;
    Batch large = t.batch;
    large.rows = ROWS + 1;
    err = (Error){0};
    assert_false(model_step(a, &large, &(Knobs){0}, &stats, &err));
    assert_int_equal(err.kind, ERROR_SHAPE);
    text_release(&saved);
    text_release(&after);
    text_release(&before);
    model_destroy(a);
    model_destroy(b);
    model_destroy(c);
}

static void registry_is_whole(void **state)
{
    (void)state;
    for (size_t i = 0; model_families[i]; i++) {
        const ModelFamily *f = model_families[i];
        assert_ptr_equal(model_family(f->name), f);
        assert_true(f->title && f->about && f->normals && f->params_size > 0);
        for (const Param *p = f->params; p->kind != PARAM_KIND_END; p++)
            assert_true(p->help && *p->help);
    }
    assert_null(model_family("mlpp"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registry_is_whole),
        cmocka_unit_test(gradients),
        cmocka_unit_test(every_family_fits_every_task),
        cmocka_unit_test(resumes_to_the_same_bits),
        cmocka_unit_test(one_row_as_many),
        cmocka_unit_test(refuses_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
