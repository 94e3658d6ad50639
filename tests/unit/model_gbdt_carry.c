/* Gradients carried from round to round as whole numbers: the same model as by fresh gradients each
 * round, the same bits after a load at any round, and the ordinary way once a rate makes them grow. */
#include "model/gbdt_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include <string.h>

enum { ROWS = 5000, DENSE = 3, ROUNDS = 12 };

typedef struct World {
    float dense[ROWS * DENSE], target[ROWS], weight[ROWS], out[ROWS];
    double loss[ROUNDS];
    Pool *pool;
} World;

static int set_up(void **state)
{
    World *w = mem_alloc(sizeof *w);
    Rng rng;
    rng_seed(&rng, 9, 1);
    for (size_t i = 0; i < ROWS; i++) {
        float *x = w->dense + i * DENSE;
        for (size_t k = 0; k < DENSE; k++)
            x[k] = (float)rng_normal(&rng);
        w->target[i] = x[0] * x[1] + 0.5f * x[2] + 0.2f * (float)rng_normal(&rng);
        w->weight[i] = 1.0f;
    }
    w->pool = pool_create(2);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    World *w = *state;
    pool_destroy(w->pool);
    mem_free(w);
    return 0;
}

static Model *make(const World *w, const char *key, const char *value)
{
    Error err = {0};
    const ModelFamily *f = model_family("gbdt");
    ModelShape shape = {.dense = DENSE, .task = TASK_REGRESSION, .outputs = 1};
    ModelSetup setup = {.seed = 3, .batch_most = ROWS, .pool = w->pool};
    void *p = mem_alloc(f->params_size);
    params_init(f->params, p);
    assert_true(!key || params_set(f->params, p, key, value, &err));
    Model *m = model_create(f, p, &shape, &setup, &err);
    assert_non_null(m);
    params_release(f->params, p);
    mem_free(p);
    return m;
}

static void step(World *w, Model *m, bool weights, double lr, double *loss)
{
    Error err = {0};
    StepStats stats;
    Batch b = {.rows = ROWS, .dense = w->dense, .target = w->target};
    b.weight = weights ? w->weight : NULL;
    assert_true(model_step(m, &b, &(Knobs){.lr = lr}, &stats, &err));
    *loss = stats.loss;
}

/* Weights of 1 take the ordinary way, with gradients rounded afresh each round. */
static void loses_as_much_as_fresh_gradients(void **state)
{
    World *w = *state;
    for (int way = 0; way < 3; way++) {
        static const char *const keys[] = {NULL, "depth", "min_rows"}, *const values[] = {0, "3",
                                                                                          "200"};
        Model *carried = make(w, keys[way], values[way]), *fresh = make(w, keys[way], values[way]);
        for (int i = 0; i < ROUNDS; i++) {
            double a, b;
            step(w, carried, false, 0.3, &a);
            step(w, fresh, true, 0.3, &b);
            assert_true(fabs(a - b) <= 2e-3 * b);
        }
        model_destroy(carried);
        model_destroy(fresh);
    }
}

/* The loss that a step tells is that of the scores. */
static void tells_the_loss(void **state)
{
    World *w = *state;
    Model *m = make(w, NULL, NULL);
    double loss = 0;
    for (int i = 0; i < ROUNDS; i++) {
        Batch b = {.rows = ROWS, .dense = w->dense, .target = w->target};
        model_predict(m, &b, w->out);
        double seen = model_loss(m, &b, w->out);
        step(w, m, false, 0.3, &loss);
        if (i > 0)
            assert_true(fabs(loss - seen) <= 1e-5 * seen);
    }
    model_destroy(m);
}

/* With a rate of 2.6 the sum of squares grows until the pairs would not hold it. */
static void goes_on_after_a_load(void **state)
{
    World *w = *state;
    static const double rates[] = {0.3, 2.6, 6.0};
    for (size_t r = 0; r < 3; r++)
        for (int at = -1; at < ROUNDS; at++) {
            Error err = {0};
            Model *m = make(w, NULL, NULL);
            for (int i = 0; i < ROUNDS; i++) {
                double loss;
                if (i == at) {
                    Text saved = {0};
                    assert_true(model_state_save(m, false, &saved, &err));
                    model_destroy(m);
                    m = make(w, NULL, NULL);
                    assert_true(model_state_load(m, saved.at, saved.count, &err));
                    text_release(&saved);
                }
                step(w, m, false, rates[r], &loss);
                if (at < 0)
                    w->loss[i] = loss;
                assert_true(loss == w->loss[i]);
            }
            assert_true(r == 0 ? w->loss[ROUNDS - 1] < w->loss[0]
                               : w->loss[ROUNDS - 1] > w->loss[0]);
            model_destroy(m);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loses_as_much_as_fresh_gradients),
        cmocka_unit_test(tells_the_loss),
        cmocka_unit_test(goes_on_after_a_load),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
