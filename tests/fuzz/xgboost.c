/* xgboost.c -- fuzz target: a booster's JSON taken into a small model, which must then still predict and say
 * what its columns add; what is refused is refused with a reason. */
#include "model/model_int.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char *const names[] = {"a", "b"};

static void take(TaskKind task, bool rate, const uint8_t *bytes, size_t size)
{
    size_t outputs = task == TASK_MULTICLASS ? 3 : 1;
    ModelShape shape = {.dense = 2, .task = task, .outputs = outputs, .dense_name = names, .missing = true, .log_link = rate,
                        .classes = task == TASK_REGRESSION ? 0 : outputs == 1 ? 2 : 3};
    Error err = {0};
    Text said = {0};
    const ModelFamily *f = model_family("gbdt");
    void *settings = mem_alloc(f->params_size);
    params_init(f->params, settings);
    Model *m = model_create(f, settings, &shape, &(ModelSetup){.batch_most = 2}, &err);
    float x[4] = {0.5f, NAN, -3.0f, 7.0f}, out[6] = {0};
    double part[2 * 3 * 3];
    if (!m)
        abort();
    Batch rows = {.rows = 2, .dense = x};
    if (model_weights_take(m, bytes, size, "", 1.0, &said, &err)) {
        model_predict(m, &rows, out);
        if (!model_contributions(m, &rows, part, &err))
            abort();
    } else if (!err.text[0])
        abort(); /* refused without a reason */
    text_release(&said);
    model_destroy(m);
    params_release(f->params, settings);
    mem_free(settings);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    Error err = {0};
    if (size == 0 || *bytes != '{')
        return 0;
    json_t *settings = xgboost_settings(bytes, size, &err);
    if (!settings && !err.text[0])
        abort();
    json_decref(settings);
    take(TASK_REGRESSION, false, bytes, size);
    take(TASK_REGRESSION, true, bytes, size);
    take(TASK_BINARY, false, bytes, size);
    take(TASK_MULTICLASS, false, bytes, size);
    return 0;
}
