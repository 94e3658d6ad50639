/* The loss curves of mlp, resnet and ft_transformer are PyTorch's: both begin with our weights (as
 * safetensors), take the same batches, and their losses are at most 1e-4 apart over 100 steps.
 *
 * model_curves_torch.py says the nets a second time, in PyTorch's own words. Skips where it is missing. */
#include "model/model_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ROWS = 2000, DENSE = 6, CODES = 2, BATCH = 96, STEPS = 100 };
static const int32_t cardinality[CODES] = {4, 9};
#define WEIGHT_DECAY 1e-2
#define APART        1e-4

#ifdef LATHE_SANITIZED
#define SHELL "ASAN_OPTIONS=detect_leaks=0 "
#else
#define SHELL ""
#endif
#define PYTHON "/usr/bin/python3" /* Debian's, where python3-torch is */
#define SCRIPT LATHE_SOURCE_DIR "/tests/unit/model_curves_torch.py"

typedef struct Case {
    const char *name, *family;
    const char *settings[12]; /* key, value, ... NULL */
    int optimizer;            /* in optimizer_names */
    TaskKind task;
    double lr;
} Case;

/* Rates that keep rounding from growing into another curve: where a number just crosses a relu's kink in one
 * of the two, Adam makes a step of it, which shows in the fourth digit some thirty steps later. */
static const Case cases[] = {
    {"mlp", "mlp", {"hidden", "32,24"}, OPTIMIZER_ADAM, TASK_REGRESSION, 2e-3},
    {"mlp with batchnorm",
     "mlp",
     {"hidden", "32,24", "batchnorm", "yes", "activation", "gelu"},
     OPTIMIZER_ADAMW,
     TASK_BINARY,
     2e-3},
    {"mlp by sgd",
     "mlp",
     {"hidden", "32", "activation", "silu"},
     OPTIMIZER_SGD,
     TASK_REGRESSION,
     5e-3},
    {"resnet", "resnet", {"width", "24", "blocks", "2"}, OPTIMIZER_ADAMW, TASK_REGRESSION, 2e-3},
    {"ft_transformer",
     "ft_transformer",
     {"width", "16", "heads", "4", "blocks", "2"},
     OPTIMIZER_ADAMW,
     TASK_REGRESSION,
     5e-4},
    {"ft_transformer of classes",
     "ft_transformer",
     {"width", "16", "heads", "2", "blocks", "3", "activation", "gelu"},
     OPTIMIZER_ADAMW,
     TASK_BINARY,
     1e-3},
};

typedef struct Data {
    float dense[ROWS * DENSE], target[ROWS];
    int32_t code[ROWS * CODES];
} Data;

static void make_data(Data *d, TaskKind task)
{
    Rng rng;
    rng_seed(&rng, 8, 0);
    for (size_t i = 0; i < ROWS; i++) {
        float *x = d->dense + i * DENSE;
        for (size_t k = 0; k < DENSE; k++)
            x[k] = (float)rng_normal(&rng);
        d->code[i * CODES] = (int32_t)rng_below(&rng, 4);
        d->code[i * CODES + 1] = (int32_t)rng_below(&rng, 9);
        float y = sinf(2 * x[0]) + x[1] * x[2] - 0.3f * (float)d->code[i * CODES] +
                  0.2f * (float)rng_normal(&rng);
        d->target[i] = task == TASK_BINARY ? (float)(y > 0) : y;
    }
}

/* The batches are rows one after the other, beginning again at the end. */
static Batch batch_of(const Data *d, int step)
{
    size_t from = (size_t)step * BATCH % (ROWS - BATCH);
    return (Batch){.rows = BATCH,
                   .dense = d->dense + from * DENSE,
                   .code = d->code + from * CODES,
                   .target = d->target + from};
}

static Model *make_model(const Case *c, Pool *pool, Text *settings_json)
{
    const ModelFamily *f = model_family(c->family);
    ModelShape shape = {.dense = DENSE,
                        .codes = CODES,
                        .cardinality = cardinality,
                        .task = c->task,
                        .classes = c->task == TASK_BINARY ? 2 : 0,
                        .outputs = 1};
    ModelSetup setup = {.seed = 5,
                        .batch_most = BATCH,
                        .optimizer = c->optimizer,
                        .beta1 = .9,
                        .beta2 = .999,
                        .epsilon = 1e-8,
                        .pool = pool};
    Error err = {0};
    void *settings = mem_alloc(f->params_size);
    params_init(f->params, settings);
    for (const char *const *s = c->settings; *s; s += 2)
        assert_true(params_set(f->params, settings, s[0], s[1], &err));
    for (const Param *p = f->params; p->kind != PARAM_KIND_END; p++) {
        Text value = {0};
        param_get(p, settings, &value);
        text_printf(settings_json, ", \"%s\": \"%s\"", p->name, text_str(&value));
        text_release(&value);
    }
    Model *m = model_create(f, settings, &shape, &setup, &err);
    if (!m)
        fail_msg("%s", err.text);
    params_release(f->params, settings);
    mem_free(settings);
    return m;
}

static void put(const char *dir, const char *name, const void *bytes, size_t n)
{
    char path[120];
    Error err = {0};
    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (!file_write(path, bytes, n, &err))
        fail_msg("%s", err.text);
}

/* PyTorch's losses from the files in dir. */
static void ask_torch(const char *dir, double *loss)
{
    char line[400];
    snprintf(line, sizeof line, SHELL "OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE " PYTHON " %s %s",
             SCRIPT, dir);
    FILE *out = popen(line, "r");
    assert_non_null(out);
    int n = 0;
    while (n < STEPS && fscanf(out, "%lf", &loss[n]) == 1)
        n++;
    assert_int_equal(pclose(out), 0);
    assert_int_equal(n, STEPS);
}

static void one(const Case *c, const char *dir, Pool *pool)
{
    static Data d;
    Text about = {0}, weights = {0};
    Error err = {0};
    double theirs[STEPS], apart = 0, first = 0, last = 0;
    make_data(&d, c->task);
    text_printf(&about,
                "{\"family\": \"%s\", \"optimizer\": \"%s\", \"binary\": %s, \"lr\": %g, "
                "\"weight_decay\": %g,"
                " \"rows\": %d, \"dense\": %d, \"codes\": %d, \"batch\": %d, \"steps\": %d",
                c->family, optimizer_names[c->optimizer], c->task == TASK_BINARY ? "true" : "false",
                c->lr, WEIGHT_DECAY, ROWS, DENSE, CODES, BATCH, STEPS);
    Model *m = make_model(c, pool, &about);
    text_puts(&about, "}\n");
    assert_true(model_state_save(m, true, &weights, &err));
    put(dir, "about.json", about.at, about.count);
    put(dir, "weights.safetensors", weights.at, weights.count);
    put(dir, "dense", d.dense, sizeof d.dense);
    put(dir, "code", d.code, sizeof d.code);
    put(dir, "target", d.target, sizeof d.target);
    ask_torch(dir, theirs);
    for (int i = 0; i < STEPS; i++) {
        Batch b = batch_of(&d, i);
        Knobs knobs = {.lr = c->lr, .weight_decay = WEIGHT_DECAY, .momentum = 0.9};
        StepStats stats;
        if (!model_step(m, &b, &knobs, &stats, &err))
            fail_msg("%s", err.text);
        apart = fmax(apart, fabs(stats.loss - theirs[i]));
        first += i < 10 ? stats.loss / 10 : 0;
        last += i >= STEPS - 10 ? stats.loss / 10 : 0;
        if (!(fabs(stats.loss - theirs[i]) <= APART))
            fail_msg("%s: step %d: loss %.7f, PyTorch's %.7f", c->name, i + 1, stats.loss,
                     theirs[i]);
    }
    printf("%s: loss %.3f to %.3f, at most %.1e from PyTorch's\n", c->name, first, last, apart);
    assert_true(last < first * 0.95); /* it learnt something: a curve, not a line */
    text_release(&about);
    text_release(&weights);
    model_destroy(m);
}

static void the_same_curves(void **state)
{
    (void)state;
    char dir[] = "/tmp/lathe-curves-XXXXXX";
    assert_non_null(mkdtemp(dir));
    Pool *pool = pool_create(2);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        one(&cases[i], dir, pool);
    pool_destroy(pool);
    dir_remove(dir, NULL);
}

int main(void)
{
    if (system(SHELL "OMP_NUM_THREADS=1 " PYTHON " -c 'import torch' 2>/dev/null") != 0)
        return 77;
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_same_curves)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
