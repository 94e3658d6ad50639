/* The ways down a forest that was laid out for scoring: the bits of a walk from node to node, whatever the size
 * of the trees, the number of rows at once, and where values are missing. */
#include "model/gbdt_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

enum { ROWS = 3000, DENSE = 6, OUTPUTS = 3 };
static float dense[ROWS * DENSE], target[ROWS], expected[ROWS * OUTPUTS], found[ROWS * OUTPUTS];

static Batch make_rows(TaskKind task, double missing)
{
    Rng rng;
    rng_seed(&rng, 9, 9);
    for (size_t i = 0; i < ROWS; i++) {
        float *x = dense + i * DENSE;
        for (size_t k = 0; k < DENSE; k++)
            x[k] = (float)rng_normal(&rng);
        x[1] = rintf(2 * x[1]);
        float y = x[0] - x[1] * x[2] + sinf(3 * x[3]) + 0.2f * (float)rng_normal(&rng);
        for (size_t k = 0; k < DENSE; k++)
            x[k] = rng_unit(&rng) < missing ? NAN : x[k];
        target[i] = task == TASK_REGRESSION ? y : (float)((y > -0.5f) + (y > 0.5f));
    }
    return (Batch){.rows = ROWS, .dense = dense, .target = target};
}

static Model *train(TaskKind task, const Batch *b, const char *leaves, bool missing)
{
    static ModelShape shape;
    static const ModelSetup setup = {.seed = 5, .batch_most = ROWS};
    bool classes = task == TASK_MULTICLASS;
    shape = (ModelShape){.dense = DENSE, .task = task, .classes = classes ? OUTPUTS : 0,
                         .outputs = classes ? OUTPUTS : 1, .missing = missing};
    Error err = {0};
    StepStats stats;
    const ModelFamily *f = model_family("gbdt");
    void *settings = mem_alloc(f->params_size);
    params_init(f->params, settings);
    assert_true(params_set(f->params, settings, "leaves", leaves, &err) &&
                params_set(f->params, settings, "min_rows", "3", &err));
    Model *m = model_create(f, settings, &shape, &setup, &err);
    assert_non_null(m);
    params_release(f->params, settings);
    mem_free(settings);
    for (int round = 0; round < 12; round++)
        assert_true(model_step(m, b, &(Knobs){.lr = 0.3}, &stats, &err));
    return m;
}

/* Rows from `from` on, so many at once. */
static void compare(const Forest *f, size_t from, size_t rows)
{
    Batch some = {.rows = rows, .dense = dense + from * DENSE};
    for (size_t i = 0; i < rows * f->outputs; i++)
        expected[i] = found[i] = f->bias[i % f->outputs];
    forest_add(f, &some, 0, f->nodes.count, expected, NULL);
    quick_add(f, &some, found, NULL);
    assert_memory_equal(found, expected, rows * f->outputs * sizeof *found);
}

static void every_way_has_the_same_bits(void **state)
{
    (void)state;
    static const struct {
        const char *leaves;
        bool masks;
    } size[] = {{"2", true}, {"31", true}, {"64", true}, {"65", false}, {"300", false}};
    static const size_t rows[] = {1, 11, 12, 13, 16, 63, 64, 65, 127, 1000, ROWS};
    for (int classes = 0; classes < 2; classes++)
        for (size_t i = 0; i < sizeof size / sizeof *size; i++)
            for (int missing = 0; missing < 2; missing++) {
                TaskKind task = classes ? TASK_MULTICLASS : TASK_REGRESSION;
                Batch b = make_rows(task, missing ? 0.2 : 0);
                Model *m = train(task, &b, size[i].leaves, missing);
                Forest *f = &((Gbdt *)m->impl)->forest;
                if (!forest_quick(f)) {
                    model_destroy(m);
                    skip(); /* not on this processor */
                }
                assert_int_equal(f->quick.masks.fits, size[i].masks);
                for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
                    compare(f, ROWS - rows[k] < 7 ? 0 : 7, rows[k]);
                make_rows(task, 0.5); /* missing where none was in training, too */
                compare(f, 0, ROWS);
                model_destroy(m);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_way_has_the_same_bits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
