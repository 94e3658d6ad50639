/* Boosters to XGBoost and back, with XGBoost 1.7 itself: what it says of a file of ours, its own SHAP
 * values of it, and what we say of a file of its. Skipped where python3-xgboost is not installed. */
#include "model/model_int.h"

#include <lathe/model.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROWS = 1500, DENSE = 4, CODES = 2, INPUTS = DENSE + CODES, CLASSES = 3 };
static const char *const dense_names[DENSE] = {"miles", "at hour", "few", "a<b"};
static const char *const code_names[CODES] = {"city", "kind"};
static const int32_t cardinality[CODES] = {4, 40};

static const char script[] =
    "import sys, struct, numpy as np\n"
    "try:\n"
    "    import xgboost as xgb\n"
    "except ImportError:\n"
    "    sys.exit(77)\n"
    "d, what, n, m = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])\n"
    "x = np.fromfile(d + '/x.bin', np.float32).reshape(n, m)\n"
    "if what == 'score':\n"
    "    b = xgb.Booster(model_file=d + '/ours.json')\n"
    "    import json\n"
    "    assert json.loads(b.attr('lathe'))['said'] == 1\n"
    "    o = json.loads(b.save_config())['learner']['objective']\n"
    "    assert o['name'] == sys.argv[5], o\n"
    "    n = [v for k, v in o.items() if k != 'name'] + [{}]\n"
    "    assert len(sys.argv) < 7 or [float(v) for v in n[0].values()] == [float(sys.argv[6])], o\n"
    "    q = xgb.DMatrix(x, feature_names=b.feature_names, feature_types=b.feature_types, "
    "enable_categorical=True)\n"
    "    b.predict(q).astype(np.float32).tofile(d + '/out.bin')\n"
    "    b.predict(q, pred_contribs=True).astype(np.float32).tofile(d + '/shap.bin')\n"
    "else:\n"
    "    y = np.fromfile(d + '/y.bin', np.float32)\n"
    "    p = {'tree_method': 'hist', 'max_depth': 5, 'eta': .3, 'objective': what, 'gamma': .05}\n"
    "    if what.startswith('multi'):\n"
    "        p['num_class'] = 3\n"
    "    if what == 'binary:logistic':\n"
    "        p['base_score'] = .3\n"
    "    names = ['few', 'miles', 'at hour'] if len(sys.argv) > 5 else None\n"
    "    q = xgb.DMatrix(x[:, [2, 0, 1]] if names else x, y, feature_names=names)\n"
    "    b = xgb.train(p, q, 15)\n"
    "    b.save_model(d + '/theirs.json')\n"
    "    b.predict(q).astype(np.float32).tofile(d + '/out.bin')\n";

typedef struct World {
    char dir[64];
    size_t codes, outputs;
    float dense[ROWS * DENSE], target[ROWS];
    int32_t code[ROWS * CODES];
    ModelShape shape;
    Batch batch;
} World;

static bool found; /* XGBoost, by set_up; only read afterwards */

static void write_floats(const char *dir, const char *name, const float *at, size_t n)
{
    char path[128];
    Error err;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_true(file_write(path, at, n * sizeof *at, &err));
}

static float *read_floats(const char *dir, const char *name, size_t n)
{
    char path[128];
    Error err;
    Text bytes = {0};
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_true(file_read(path, &bytes, SIZE_MAX / 2, &err));
    assert_int_equal(bytes.count, n * sizeof(float));
    float *own = mem_copy(bytes.at, bytes.count);
    text_release(&bytes);
    return own;
}

static int python(const char *dir, const char *what, size_t columns, const char *more)
{
    char line[512];
    snprintf(line, sizeof line,
             "OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE timeout 300 /usr/bin/python3 %s/script.py "
             "%s %s %d %zu %s 2>%s/said",
             dir, dir, what, ROWS, columns, more, dir);
    int status = system(line);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static World *make_world(TaskKind task, size_t codes, bool rate)
{
    World *w = mem_alloc(sizeof *w);
    Rng rng;
    Error err;
    rng_seed(&rng, 21, (uint64_t)task);
    snprintf(w->dir, sizeof w->dir, "/tmp/lathe_test_XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    char path[128];
    snprintf(path, sizeof path, "%s/script.py", w->dir);
    assert_true(file_write(path, script, strlen(script), &err));
    w->codes = codes;
    float x[ROWS * INPUTS];
    for (size_t i = 0; i < ROWS; i++) {
        float *d = w->dense + i * DENSE;
        for (size_t k = 0; k < DENSE; k++)
            d[k] = (float)rng_normal(&rng);
        d[2] = rintf(d[2]);
        for (size_t k = 0; k < codes; k++)
            w->code[i * codes + k] = (int32_t)rng_below(&rng, (uint64_t)cardinality[k]);
        float y = d[0] * d[1] + d[2] + 0.2f * (float)rng_normal(&rng);
        for (size_t k = 0; k < codes; k++)
            y += w->code[i * codes + k] % 3 == 1 ? 0.8f : 0.0f;
        for (size_t k = 0; k < DENSE; k++)
            if (rng_below(&rng, 10) == 0)
                d[k] = NAN;
        w->target[i] = task == TASK_MULTICLASS ? (float)((y > -0.5f) + (y > 0.8f))
                       : task == TASK_BINARY   ? (float)(y > 0.3f)
                       : rate                  ? floorf(expf(0.4f * y))
                                               : y;
        memcpy(x + i * (DENSE + codes), d, DENSE * sizeof *d);
        for (size_t k = 0; k < codes; k++)
            x[i * (DENSE + codes) + DENSE + k] = (float)w->code[i * codes + k];
    }
    write_floats(w->dir, "x.bin", x, ROWS * (DENSE + codes));
    write_floats(w->dir, "y.bin", w->target, ROWS);
    w->outputs = task == TASK_MULTICLASS ? CLASSES : 1;
    w->shape = (ModelShape){.dense = DENSE,
                            .codes = codes,
                            .cardinality = cardinality,
                            .task = task,
                            .classes = task == TASK_BINARY       ? 2
                                       : task == TASK_MULTICLASS ? CLASSES
                                                                 : 0,
                            .outputs = w->outputs,
                            .missing = true,
                            .log_link = rate,
                            .dense_name = dense_names,
                            .code_name = code_names};
    w->batch = (Batch){.rows = ROWS, .dense = w->dense, .code = w->code, .target = w->target};
    return w;
}

static void end_world(World *w)
{
    Error err;
    assert_true(dir_remove(w->dir, &err));
    mem_free(w);
}

static Model *make(const World *w)
{
    Error err = {0};
    const ModelFamily *f = model_family("gbdt");
    void *p = mem_alloc(f->params_size);
    params_init(f->params, p);
    Model *m = model_create(f, p, &w->shape, &(ModelSetup){.seed = 2, .batch_most = ROWS}, &err);
    assert_non_null(m);
    params_release(f->params, p);
    mem_free(p);
    return m;
}

static void train(World *w, Model *m, int rounds)
{
    Error err = {0};
    StepStats stats;
    for (int i = 0; i < rounds; i++)
        assert_true(model_step(m, &w->batch, &(Knobs){.lr = 0.2}, &stats, &err));
}

static void same(const char *what, const float *theirs, const float *ours, size_t n, double within)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)theirs[i] - (double)ours[i]) <= within * (1.0 + fabs((double)ours[i]))))
            fail_msg("%s: number %zu is %.9g, ours is %.9g", what, i, (double)theirs[i],
                     (double)ours[i]);
}

/* What XGBoost predicts by a file of ours, and the contributions it finds; more: the objective it is to see,
 * and the number beside it. */
static void check_written(TaskKind task, size_t codes, int loss, double scale, double shift, const char *more)
{
    bool rate = loss >= LOSS_POISSON + 1;
    BoosterUnits units = {.scale = scale, .shift = shift, .loss = loss, .delta = 0.5, .power = 1.25,
                          .about = "{\"said\": 1}"};
    Error err = {0};
    Text text = {0};
    char path[128];
    World *w = make_world(task, codes, rate);
    Model *m = make(w);
    size_t n = ROWS * w->outputs, width = DENSE + codes + 1;
    train(w, m, 12);
    if (!model_xgboost(m, &units, &text, &err))
        fail_msg("%s", err.text);
    snprintf(path, sizeof path, "%s/ours.json", w->dir);
    assert_true(file_write(path, text.at, text.count, &err));
    if (python(w->dir, "score", DENSE + codes, more) != 0) {
        Text said = {0};
        snprintf(path, sizeof path, "%s/said", w->dir);
        file_read(path, &said, 1 << 20, &err);
        fail_msg("%s", text_str(&said));
    }
    float *out = mem_alloc(n * sizeof *out), *theirs = read_floats(w->dir, "out.bin", n);
    double *part = mem_alloc(n * width * sizeof *part);
    model_predict(m, &w->batch, out);
    model_scores_to_outputs(&w->shape, out, ROWS);
    for (size_t i = 0; i < n && task == TASK_REGRESSION; i++)
        out[i] = (float)((double)out[i] * scale + shift);
    same(task_name(task), theirs, out, n, 2e-5);
    mem_free(theirs);
    assert_true(model_contributions(m, &w->batch, part, &err));
    theirs = read_floats(w->dir, "shap.bin", n * width);
    float *ours = mem_alloc(n * width * sizeof *ours);
    bool linear = task == TASK_REGRESSION && !rate;
    for (size_t i = 0; i < n * width; i++) {
        bool base = i % width == width - 1;
        double base_more = rate ? log(scale) : shift;
        /* several classes there begin at 0.5 each */
        double add = !base                     ? 0.0
                     : task == TASK_MULTICLASS ? 0.5
                     : task == TASK_REGRESSION ? base_more
                                               : 0.0;
        ours[i] = (float)(part[i] * (linear ? scale : 1.0) + add);
    }
    same("contributions", theirs, ours, n * width, 2e-4);
    mem_free(ours);
    mem_free(part);
    mem_free(out);
    mem_free(theirs);
    text_release(&text);
    model_destroy(m);
    end_world(w);
}

static void xgboost_reads_ours(void **state)
{
    (void)state;
    if (!found)
        skip();
    check_written(TASK_REGRESSION, 0, 0, 12.5, -3.0, "reg:squarederror");
    check_written(TASK_REGRESSION, CODES, LOSS_QUANTILE + 1, 1.0, 0.0, "reg:squarederror");
    check_written(TASK_REGRESSION, 0, LOSS_ABSOLUTE + 1, 2.0, 1.0, "reg:absoluteerror");
    check_written(TASK_REGRESSION, 0, LOSS_HUBER + 1, 4.0, 0.0, "reg:pseudohubererror 2");
    check_written(TASK_REGRESSION, CODES, LOSS_POISSON + 1, 4.0, 0.0, "count:poisson");
    check_written(TASK_REGRESSION, 0, LOSS_GAMMA + 1, 4.0, 0.0, "reg:gamma");
    check_written(TASK_REGRESSION, 0, LOSS_TWEEDIE + 1, 4.0, 0.0, "reg:tweedie 1.25");
    check_written(TASK_BINARY, CODES, 0, 1.0, 0.0, "binary:logistic");
    check_written(TASK_MULTICLASS, CODES, 0, 1.0, 0.0, "multi:softprob 3");
}

/* ---- the other way ---------------------------------------------------------------------------------------- */

/* scale: what a target of rates is divided by here */
static void check_read(TaskKind task, const char *objective, const char *names, double scale)
{
    Error err = {0};
    Text bytes = {0}, said = {0};
    char path[128];
    World *w = make_world(task, 0, scale > 1.0);
    Model *m = make(w);
    size_t n = ROWS * w->outputs;
    StepStats stats;
    for (size_t i = 0; i < ROWS && scale > 1.0; i++)
        w->target[i] += 1.0f; /* gamma has no zero */
    write_floats(w->dir, "y.bin", w->target, ROWS);
    for (size_t i = 0; i < ROWS && scale > 1.0; i++)
        w->target[i] = (float)((double)w->target[i] / scale);
    assert_int_equal(python(w->dir, objective, DENSE, names), 0);
    snprintf(path, sizeof path, "%s/theirs.json", w->dir);
    assert_true(file_read(path, &bytes, 1 << 26, &err));
    if (!model_weights_take(m, bytes.at, bytes.count, "", scale, &said, &err))
        fail_msg("%s", err.text);
    float *out = mem_alloc(n * sizeof *out), *theirs = read_floats(w->dir, "out.bin", n);
    model_predict(m, &w->batch, out);
    double before = model_loss(m, &w->batch, out);
    model_scores_to_outputs(&w->shape, out, ROWS);
    for (size_t i = 0; i < n && scale > 1.0; i++)
        out[i] = (float)((double)out[i] * scale);
    same(objective, theirs, out, n, 2e-5);
    assert_true(model_step(m, &w->batch, &(Knobs){.lr = 0.2}, &stats, &err));
    assert_true(fabs(stats.loss - before) <= 1e-4 * before); /* it goes on from there */
    train(w, m, 5);
    model_predict(m, &w->batch, out);
    assert_true(model_loss(m, &w->batch, out) < before);
    mem_free(out);
    mem_free(theirs);
    text_release(&bytes);
    text_release(&said);
    model_destroy(m);
    end_world(w);
}

static void ours_reads_xgboost(void **state)
{
    (void)state;
    if (!found)
        skip();
    check_read(TASK_REGRESSION, "reg:squarederror", "", 1.0);
    check_read(TASK_REGRESSION, "reg:squarederror", "named", 1.0);
    check_read(TASK_REGRESSION, "reg:absoluteerror", "", 1.0);
    check_read(TASK_REGRESSION, "count:poisson", "", 2.5);
    check_read(TASK_REGRESSION, "reg:gamma", "", 2.5);
    check_read(TASK_REGRESSION, "reg:tweedie", "named", 2.5);
    check_read(TASK_BINARY, "binary:logistic", "", 1.0);
    check_read(TASK_MULTICLASS, "multi:softprob", "named", 1.0);
}

/* Without XGBoost: ours comes back as it went, and what does not fit is said. */
static void there_and_back(void **state)
{
    (void)state;
    Error err = {0};
    Text text = {0}, said = {0};
    World *w = make_world(TASK_MULTICLASS, 0, false);
    Model *m = make(w), *again = make(w);
    static float a[ROWS * CLASSES], b[ROWS * CLASSES];
    BoosterUnits units = {.scale = 1.0, .about = "quote \" and \\ and\n"};
    assert_false(model_xgboost(m, &units, &text, &err)); /* no trees */
    w->shape.dense_name = NULL;
    train(w, m, 6);
    text_reset(&text);
    assert_true(model_xgboost(m, &units, &text, &err));
    model_destroy(again);
    World *plain = make_world(TASK_MULTICLASS, 0, false);
    plain->shape.dense_name = (const char *const[]){"miles", "at hour", "few", "a_b"};
    again = make(plain);
    if (!model_weights_take(again, text.at, text.count, "", 1.0, &said, &err))
        fail_msg("%s", err.text);
    model_predict(m, &w->batch, a);
    model_predict(again, &w->batch, b);
    for (size_t i = 0; i < ROWS * CLASSES; i++)
        assert_true(fabsf(a[i] + 0.5f - b[i]) < 1e-5f); /* base_score */
    static const struct {
        const char *find, *with, *told;
    } slips[] = {{"\"gbtree\"", "\"gbline\"", "only gbtree"},
                 {"multi:softprob", "rank:ndcg/////", "is not known"},
                 {"multi:softprob", "count:poisson", "does not fit a multiclass target"},
                 {"\"gbtree\"", "\"dart\"", "its booster is dart; only gbtree"},
                 {"\"left_children\": [1", "\"left_children\": [\"1\"", "not of numbers"},
                 {"\"left_children\": [1", "\"left_children\": [1e300", "not of numbers"},
                 {"\"left_children\": [1", "\"left_children\": [1e999", "line"},
                 {"\"left_children\": [1", "\"left_children\": [1.5", "damaged"},
                 {"\"base_score\": \"0.5\"", "\"base_score\": \"0.5x\"", "base_score"},
                 {"\"base_score\": \"0.5\"", "\"base_score\": 0.5", "base_score"},
                 {"\"tree_info\": [0", "\"tree_info\": [\"0\"", "tree 0"},
                 {"\"4\", \"num_target", "\"4.5\", \"num_target", "num_feature"},
                 {"\"4\", \"num_target", "\"1e300\", \"num_target", "num_feature"},
                 {"{\"learner\"", "{L\"learner\"", "it is UBJSON"},
                 {"\"miles\"", "\"mules\"", "no number among"},
                 {"\"num_class\": \"3\"", "\"num_class\": \"4\"", "4 classes"},
                 {"\"left_children\": [1", "\"left_children\": [9999", "damaged"},
                 {"\"left_children\": [1", "\"left_children\": [0", "damaged"},
                 {"\"trees\": [", "\"trees\": {", "line"}};
    for (size_t i = 0; i < sizeof slips / sizeof *slips; i++) {
        char *at = strstr(text_str(&text), slips[i].find);
        Text bad = {0};
        assert_non_null(at);
        text_add(&bad, text.at, (size_t)(at - text.at));
        text_puts(&bad, slips[i].with);
        text_puts(&bad, at + strlen(slips[i].find));
        err = (Error){0};
        assert_false(model_weights_take(again, bad.at, bad.count, "", 1.0, &said, &err));
        if (!strstr(err.text, slips[i].told))
            fail_msg("slip %zu: %s", i, err.text);
        text_release(&bad);
    }
    text_release(&text);
    text_release(&said);
    model_destroy(m);
    model_destroy(again);
    end_world(w);
    end_world(plain);
}

int main(void)
{
    found = system("/usr/bin/python3 -c 'import xgboost, numpy' >/dev/null 2>&1") == 0;
    if (!found)
        printf("python3-xgboost is not installed: two tests are skipped\n");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(xgboost_reads_ours),
        cmocka_unit_test(ours_reads_xgboost),
        cmocka_unit_test(there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
