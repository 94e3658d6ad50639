/* booster.c -- a gbdt of the model room on rows of a DriftMatrix: what the domain classifier and the
 * estimate of losses are made of. */
#include "drift_int.h"

#include <float.h>

#define TREES     100
#define RATE      0.1
#define PREDICTED 16384 /* rows encoded at a time */

struct Booster {
    Model *model;
    size_t dense, codes, columns;
    int32_t *cardinality; /* [codes]; 0 is missing or never seen */
    float *numbers;       /* [PREDICTED][dense]: rows being scored */
    int32_t *code;
};

/* ---- rows as a model takes them ------------------------------------------------------------------- */

static float as_float(double x)
{
    return isfinite(x) ? (float)fmin(fmax(x, (double)-FLT_MAX), (double)FLT_MAX) : NAN;
}

static void encode(const Booster *b, const DriftMatrix *m, const double *extra, size_t from,
                   size_t rows, float *dense, int32_t *code)
{
    size_t at = 0, word = 0;
    for (size_t k = 0; k < m->columns; k++) {
        const double *column = m->column[k] + from;
        if (m->label[k]) {
            int32_t most = b->cardinality[word];
            for (size_t i = 0; i < rows; i++) {
                bool known = column[i] >= 0.0 && column[i] + 1.0 < most;
                code[i * b->codes + word] = known ? (int32_t)column[i] + 1 : 0;
            }
            word++;
        } else {
            for (size_t i = 0; i < rows; i++)
                dense[i * b->dense + at] = as_float(column[i]);
            at++;
        }
    }
    for (size_t i = 0; extra && i < rows; i++)
        dense[i * b->dense + at] = as_float(extra[from + i]);
}

static void look(Booster *b, const DriftMatrix *m, bool extra)
{
    b->columns = m->columns;
    b->dense = extra;
    b->cardinality = mem_alloc((m->columns + 1) * sizeof *b->cardinality);
    for (size_t k = 0; k < m->columns; k++) {
        double most = -1.0;
        for (size_t i = 0; m->label[k] && i < m->rows; i++)
            most = m->column[k][i] > most ? m->column[k][i] : most;
        if (m->label[k])
            b->cardinality[b->codes++] = (int32_t)fmin(most, 1e6) + 2;
        else
            b->dense++;
    }
}

/* ---- fitting -------------------------------------------------------------------------------------- */

static Model *make_model(const Booster *b, TaskKind task, uint64_t seed, size_t rows, Pool *pool,
                         Error *err)
{
    const ModelFamily *family = model_family("gbdt");
    ModelShape shape = {.dense = b->dense,
                        .codes = b->codes,
                        .cardinality = b->cardinality,
                        .task = task,
                        .classes = task == TASK_BINARY ? 2 : 0,
                        .outputs = 1,
                        .missing = true};
    ModelSetup setup = {.seed = seed, .batch_most = rows, .pool = pool};
    void *params = mem_alloc(family->params_size);
    params_init(family->params, params);
    Model *m = model_create(family, params, &shape, &setup, err);
    params_release(family->params, params);
    mem_free(params);
    return m;
}

static bool grow(Model *m, const Batch *batch, Error *err)
{
    StepStats stats;
    bool ok = true;
    for (int tree = 0; ok && tree < TREES; tree++)
        ok = model_step(m, batch, &(Knobs){.lr = RATE}, &stats, err);
    return ok;
}

/* The trees alone, without what they were grown from. */
static Model *lean(const Booster *b, Model *grown, TaskKind task, uint64_t seed, Pool *pool,
                   Error *err)
{
    Text bytes = {0};
    Model *m = NULL;
    if (model_state_save(grown, true, &bytes, err) &&
        (m = make_model(b, task, seed, PREDICTED, pool, err)) != NULL &&
        !model_state_load(m, bytes.at, bytes.count, err)) {
        model_destroy(m);
        m = NULL;
    }
    text_release(&bytes);
    return m;
}

Booster *booster_fit(const DriftMatrix *rows, const double *extra, const float *target,
                     TaskKind task, uint64_t seed, Pool *pool, Error *err)
{
    Booster *b = mem_alloc(sizeof *b);
    look(b, rows, extra != NULL);
    float *dense = mem_try((rows->rows * b->dense + 1) * sizeof *dense, err);
    int32_t *code = dense ? mem_try((rows->rows * b->codes + 1) * sizeof *code, err) : NULL;
    Model *grown = code ? make_model(b, task, seed, rows->rows, pool, err) : NULL;
    if (grown) {
        encode(b, rows, extra, 0, rows->rows, dense, code);
        Batch batch = {.rows = rows->rows, .dense = dense, .code = code, .target = target};
        if (grow(grown, &batch, err))
            b->model = lean(b, grown, task, seed, pool, err);
        model_destroy(grown);
    }
    mem_free(dense);
    mem_free(code);
    if (b->model) {
        b->numbers = mem_alloc((PREDICTED * b->dense + 1) * sizeof *b->numbers);
        b->code = mem_alloc((PREDICTED * b->codes + 1) * sizeof *b->code);
        return b;
    }
    booster_destroy(b);
    return NULL;
}

void booster_destroy(Booster *b)
{
    if (!b)
        return;
    model_destroy(b->model);
    mem_free(b->cardinality);
    mem_free(b->numbers);
    mem_free(b->code);
    mem_free(b);
}

void booster_score(const Booster *b, const DriftMatrix *rows, const double *extra, float *out)
{
    for (size_t from = 0; from < rows->rows; from += PREDICTED) {
        size_t n = rows->rows - from < PREDICTED ? rows->rows - from : PREDICTED;
        encode(b, rows, extra, from, n, b->numbers, b->code);
        Batch batch = {.rows = n, .dense = b->numbers, .code = b->code};
        model_predict(b->model, &batch, out + from);
    }
}
