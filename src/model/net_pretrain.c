/* net_pretrain.c -- a net that first learns without labels, by another head over the same layers.
 *
 * Two graphs: one for the task, one for what comes before it. Layers of one name are the same layers:
 * when pre-training is over, what they learnt is copied from the one to the other. A checkpoint holds
 * both, the second under pretrain.*, so that a run goes on wherever it was; a bundle holds the first. */
#include "model_int.h"

#include <string.h>

struct NetPair {
    void *net, *before; /* before: NULL when there is no pre-training, or it is not this process' */
    TensorRow *rows;    /* weights of the net, the rest of it, all of the other */
    size_t count, weights;
    float *zero; /* targets of the other: what it misses should be nothing */
    size_t zeros;
    Arena arena;
};

static void list_tensors(NetPair *p)
{
    const TensorRow *own, *other = NULL;
    size_t weights, ignored, n = net_tensors(p->net, &own, &weights);
    size_t more = p->before ? net_tensors(p->before, &other, &ignored) : 0;
    p->rows = ARENA_NEW(&p->arena, TensorRow, n + more + 1);
    memcpy(p->rows, own, n * sizeof *own);
    for (size_t i = 0; i < more; i++) {
        p->rows[n + i] = other[i];
        p->rows[n + i].name = arena_printf(&p->arena, "pretrain.%s", other[i].name);
    }
    p->count = n + more;
    p->weights = weights;
}

NetPair *net_pair_create(void *takes_net, void *takes_before, size_t batch_most)
{
    NetPair *p = mem_alloc(sizeof *p);
    p->net = takes_net;
    p->before = takes_before;
    p->zeros = batch_most;
    p->zero = mem_alloc((batch_most + 1) * sizeof *p->zero);
    list_tensors(p);
    return p;
}

void net_pair_destroy(void *model)
{
    NetPair *p = model;
    if (!p)
        return;
    net_destroy(p->net);
    net_destroy(p->before);
    mem_free(p->zero);
    arena_release(&p->arena);
    mem_free(p);
}

bool net_pair_step(void *model, const Batch *b, const Knobs *k, StepStats *out, Error *err)
{
    return net_step(((NetPair *)model)->net, b, k, out, err);
}

void net_pair_predict(void *model, const Batch *b, float *out)
{
    net_predict(((NetPair *)model)->net, b, out);
}

size_t net_pair_tensors(void *model, const TensorRow **rows, size_t *weights)
{
    NetPair *p = model;
    *rows = p->rows;
    *weights = p->weights;
    return p->count;
}

json_t *net_pair_state(const void *model)
{
    const NetPair *p = model;
    json_t *state = net_state(p->net);
    if (p->before)
        json_object_set_new(state, "pretrain", net_state(p->before));
    return state;
}

bool net_pair_restore(void *model, const json_t *state, Error *err)
{
    NetPair *p = model;
    return net_restore(p->net, state, err) &&
           (!p->before || net_restore(p->before, json_object_get(state, "pretrain"), err));
}

size_t net_pair_layers(const void *model, size_t rows, LayerStats *out, size_t most)
{
    return net_layers(((const NetPair *)model)->net, rows, out, most);
}

const char *net_pair_onnx(void *model, Onnx *o, const char *dense, const char *codes, Error *err)
{
    return net_onnx(((NetPair *)model)->net, o, dense, codes, err);
}

bool net_pair_pretrain(void *model, const Batch *b, const Knobs *k, StepStats *out, Error *err)
{
    NetPair *p = model;
    Batch without = *b;
    if (!p->before || b->rows > p->zeros)
        return error_set(err, ERROR_SHAPE, "a batch of %zu rows to pre-train on, planned were %zu",
                         b->rows, p->before ? p->zeros : (size_t)0);
    without.target = p->zero;
    without.weight = NULL;
    return net_step(p->before, &without, k, out, err);
}

double net_pair_missed(void *model, const Batch *b)
{
    NetPair *p = model;
    float *out = mem_alloc((b->rows + 1) * sizeof *out);
    double sum = 0;
    net_predict(p->before, b, out);
    for (size_t i = 0; i < b->rows; i++)
        sum += (double)out[i] * (double)out[i];
    mem_free(out);
    return b->rows ? sum / (double)b->rows : 0;
}

void net_pair_pretrained(void *model)
{
    NetPair *p = model;
    const TensorRow *other;
    size_t weights;
    if (!p->before)
        return;
    net_tensors(p->before, &other, &weights);
    for (size_t i = 0; i < p->weights; i++)
        for (size_t k = 0; k < weights; k++) {
            const TensorRow *to = &p->rows[i], *from = &other[k];
            if (!text_equal(to->name, from->name))
                continue;
            size_t n = 1;
            for (size_t d = 0; d < to->rank; d++)
                n *= to->shape[d];
            memcpy(to->at, from->at, n * sizeof(float));
        }
}
