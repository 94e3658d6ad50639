/* safetensors.c -- fuzz target: a file of tensors read, every byte of it touched, and loaded into a
 * small model, which must then still be whole. */
#include "model/model_int.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static volatile uint8_t sink;

static void read_all(const uint8_t *bytes, size_t size)
{
    SafeFile f;
    Error err = {0};
    if (!safetensors_read(&f, bytes, size, &err))
        return;
    for (size_t i = 0; i < f.count; i++)
        for (size_t k = 0; k < f.tensor[i].size; k++)
            sink = f.tensor[i].at[k];
    safetensors_release(&f);
}

static void load(const uint8_t *bytes, size_t size)
{
    ModelShape shape = {.dense = 2, .task = TASK_REGRESSION, .outputs = 1};
    ModelSetup setup = {.batch_most = 1};
    Error err = {0};
    Model *m = model_create(model_family("linear"), NULL, &shape, &setup, &err);
    float x[2] = {0}, out = 1;
    if (!m)
        abort();
    if (!model_state_load(m, bytes, size, &err) && !err.text[0])
        abort(); /* refused without a reason */
    model_predict(m, &(Batch){.rows = 1, .dense = x}, &out);
    model_destroy(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    read_all(bytes, size);
    load(bytes, size);
    return 0;
}
