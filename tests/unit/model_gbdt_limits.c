/* Monotone columns and groups of columns: what the trees may not do, they do not; and what is asked in the
 * wrong way is refused. */
#include "model/gbdt_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 3000, DENSE = 5, CODES = 1 };

static const char *const dense_names[DENSE] = {"up", "down", "free", "at month", "at hour"};
static const char *const code_names[CODES] = {"kind"};
static const int32_t cardinality[CODES] = {6};

typedef struct World {
    float dense[ROWS * DENSE], target[ROWS];
    int32_t code[ROWS];
    ModelShape shape;
    Batch batch;
} World;

static World *make_world(TaskKind task)
{
    World *w = mem_alloc(sizeof *w);
    Rng rng;
    rng_seed(&rng, 6, 0);
    for (size_t i = 0; i < ROWS; i++) {
        float *x = w->dense + i * DENSE;
        for (size_t k = 0; k < DENSE; k++)
            x[k] = (float)rng_normal(&rng);
        if (rng_below(&rng, 10) == 0)
            x[0] = NAN;
        w->code[i] = (int32_t)rng_below(&rng, 6);
        float up = isnan(x[0]) ? 0.3f : x[0];
        float y = up + sinf(4 * up) - x[1] * (x[2] > 0 ? 1.5f : 0.5f) + cosf(5 * x[1]) +
                  x[2] * x[3] + (float)(w->code[i] % 2) + 0.5f * (float)rng_normal(&rng);
        w->target[i] = task == TASK_BINARY ? (float)(y > 0) : y;
    }
    w->shape = (ModelShape){.dense = DENSE,
                            .codes = CODES,
                            .cardinality = cardinality,
                            .task = task,
                            .classes = task == TASK_BINARY ? 2 : 0,
                            .outputs = 1,
                            .missing = true,
                            .dense_name = dense_names,
                            .code_name = code_names};
    w->batch = (Batch){.rows = ROWS, .dense = w->dense, .code = w->code, .target = w->target};
    return w;
}

static Model *make(const World *w, int loss, const char *const *changes, Error *err)
{
    const ModelFamily *f = model_family("gbdt");
    ModelSetup setup = {.seed = 3, .batch_most = ROWS, .loss = loss};
    void *p = mem_alloc(f->params_size);
    params_init(f->params, p);
    for (; changes[0]; changes += 2)
        assert_true(params_set(f->params, p, changes[0], changes[1], err));
    Model *m = model_create(f, p, &w->shape, &setup, err);
    params_release(f->params, p);
    mem_free(p);
    return m;
}

static void train(World *w, Model *m, int rounds)
{
    Error err = {0};
    StepStats stats;
    for (int i = 0; i < rounds; i++)
        assert_true(model_step(m, &w->batch, &(Knobs){.lr = 0.3}, &stats, &err));
}

/* The largest step of the score in the wrong way, along one column at 200 rows. */
static double worst_step(World *w, Model *m, size_t column, double slope)
{
    enum { STEPS = 60 };
    float rows[STEPS * DENSE], out[STEPS];
    int32_t codes[STEPS];
    double worst = 0;
    for (size_t i = 0; i < 200; i++) {
        for (size_t k = 0; k < STEPS; k++) {
            memcpy(rows + k * DENSE, w->dense + i * DENSE, DENSE * sizeof *rows);
            rows[k * DENSE + column] = -3.0f + 6.0f * (float)k / STEPS;
            codes[k] = w->code[i];
        }
        model_predict(m, &(Batch){.rows = STEPS, .dense = rows, .code = codes}, out);
        for (size_t k = 1; k < STEPS; k++)
            worst = fmax(worst, -slope * (double)(out[k] - out[k - 1]));
    }
    return worst;
}

static void monotone_columns_stay_so(void **state)
{
    (void)state;
    static const int ways[][2] = {{TASK_REGRESSION, 0},
                                  {TASK_REGRESSION, LOSS_ABSOLUTE + 1},
                                  {TASK_REGRESSION, LOSS_HUBER + 1},
                                  {TASK_BINARY, 0}};
    for (size_t i = 0; i < 4; i++)
        for (int depth = 0; depth < 2; depth++) {
            Error err = {0};
            World *w = make_world((TaskKind)ways[i][0]);
            const char *growth = depth ? "depth" : "leaf";
            Model *m = make(w, ways[i][1],
                            (const char *[]){"monotone", "up:+,down:-1", "growth", growth, "alpha",
                                             "0.5", "lambda", "1", NULL},
                            &err);
            Model *any = make(w, ways[i][1], (const char *[]){NULL}, &err);
            assert_non_null(m);
            train(w, m, 25);
            train(w, any, 25);
            assert_true(worst_step(w, m, 0, 1.0) <= 1e-6);
            assert_true(worst_step(w, m, 1, -1.0) <= 1e-6);
            assert_true(worst_step(w, any, 0, 1.0) > 0.05); /* the data would have it otherwise */
            assert_true(worst_step(w, m, 2, 1.0) > 0.05 && worst_step(w, m, 2, -1.0) > 0.05);
            model_destroy(m);
            model_destroy(any);
            mem_free(w);
        }
}

static const TensorRow *field(Model *m, const char *name)
{
    const TensorRow *rows;
    size_t weights, n = m->family->tensors(m->impl, &rows, &weights);
    for (size_t i = 0; i < n; i++)
        if (text_equal(rows[i].name, name))
            return &rows[i];
    fail();
    return NULL;
}

/* Every set of columns above a leaf lies in one group, or is one column. */
static void check_way(Model *m, size_t root, size_t node, unsigned above, const unsigned *groups,
                      size_t *met)
{
    float feature = field(m, "node.feature")->at[node];
    bool ok = (above & (above - 1)) == 0;
    for (size_t i = 0; groups[i]; i++)
        ok |= (above & ~groups[i]) == 0;
    assert_true(ok);
    *met += (above & (above - 1)) != 0;
    if (feature < 0)
        return;
    above |= 1u << (unsigned)feature;
    check_way(m, root, root + (size_t)field(m, "node.left")->at[node], above, groups, met);
    check_way(m, root, root + (size_t)field(m, "node.right")->at[node], above, groups, met);
}

static void columns_meet_in_groups_only(void **state)
{
    (void)state;
    static const unsigned groups[] = {1u << 0 | 1u << 2, 1u << 2 | 1u << 3 | 1u << 4, 0};
    Error err = {0};
    World *w = make_world(TASK_REGRESSION);
    Model *m = make(w, 0, (const char *[]){"interact", "up+free,free+at", NULL}, &err);
    size_t met = 0, root = 0;
    assert_non_null(m);
    train(w, m, 10);
    for (size_t tree = 0; tree < field(m, "tree.nodes")->shape[0]; tree++) {
        check_way(m, root, root, 0, groups, &met);
        root += (size_t)field(m, "tree.nodes")->at[tree];
    }
    assert_true(met > 10);
    model_destroy(m);
    mem_free(w);
}

static void slips_are_told(void **state)
{
    (void)state;
    static const char *const slips[][3] = {{"monotone", "upp:+", "did you mean up?"},
                                           {"monotone", "up:3", "expected COLUMN:+"},
                                           {"monotone", "up", "expected COLUMN:+"},
                                           {"monotone", "kind:+", "has no order"},
                                           {"interact", "up+fre", "did you mean free?"}};
    World *w = make_world(TASK_REGRESSION);
    for (size_t i = 0; i < 5; i++) {
        Error err = {0};
        assert_null(make(w, 0, (const char *[]){slips[i][0], slips[i][1], NULL}, &err));
        if (!strstr(err.text, slips[i][2]))
            fail_msg("%s", err.text);
    }
    mem_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(monotone_columns_stay_so),
        cmocka_unit_test(columns_meet_in_groups_only),
        cmocka_unit_test(slips_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
