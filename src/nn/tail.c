/* tail.c -- what is fused behind an operator: bias, activation, dropout, and their way back.
 *
 * Dropout keeps an element with probability 1 - p and scales it by 1 / (1 - p). The mask is a hash of
 * the step's key, the node's number and the element's place in the batch, so it needs no memory, no
 * generator and does not depend on the shards: backward computes it again.
 *
 * In the formulas of activation.h the slope is taken at z, the value before the activation, or at the
 * value itself where that suffices; then nothing is saved. */
#include "nn_int.h"
#include "activation.h"

#define AS_NAME(name, text) text,
const char *const activation_names[] = {ACTIVATIONS(AS_NAME) NULL};

#define AS_SLOPE(name, value, slope, from) from,
static const bool slope_from_z[ACT_COUNT] = {ACTIVATION_FORMULAS(AS_SLOPE)};

/* ---- activations over [n] ------------------------------------------------------------------------- */

#define AS_FORWARD(name, value, slope, from)                                                       \
    static void forward_##name(float *restrict y, size_t n)                                        \
    {                                                                                              \
        for (size_t i = 0; i < n; i++) {                                                           \
            float z = y[i];                                                                        \
            y[i] = value;                                                                          \
        }                                                                                          \
    }
/* at: z or the value, as the slope asks */
#define AS_BACKWARD(name, value, slope, from)                                                      \
    static void backward_##name(float *restrict dy, const float *restrict at, size_t n)            \
    {                                                                                              \
        for (size_t i = 0; i < n; i++) {                                                           \
            float z = at[i];                                                                       \
            (void)z;                                                                               \
            dy[i] *= slope;                                                                        \
        }                                                                                          \
    }
ACTIVATION_FORMULAS(AS_FORWARD)
ACTIVATION_FORMULAS(AS_BACKWARD)

#define AS_FORWARD_ENTRY(name, value, slope, from)  forward_##name,
#define AS_BACKWARD_ENTRY(name, value, slope, from) backward_##name,
static void (*const forwards[ACT_COUNT])(float *restrict,
                                         size_t) = {ACTIVATION_FORMULAS(AS_FORWARD_ENTRY)};
static void (*const backwards[ACT_COUNT])(float *restrict, const float *restrict,
                                          size_t) = {ACTIVATION_FORMULAS(AS_BACKWARD_ENTRY)};

void activation_forward(Activation act, float *y, size_t n)
{
    forwards[act](y, n);
}

void activation_backward(Activation act, float *dy, const float *z, const float *y, size_t n)
{
    backwards[act](dy, slope_from_z[act] ? z : y, n);
}

/* ---- dropout --------------------------------------------------------------------------------------- */

/* 32 well mixed bits of an element (the finaliser of MurmurHash3 over a keyed counter). */
static inline uint32_t element_bits(uint32_t i, uint32_t key, uint32_t key2)
{
    uint32_t h = i * 0x9E3779B1u + key;
    h ^= h >> 16;
    h *= 0x85EBCA6Bu;
    h ^= (h >> 13) ^ key2;
    h *= 0xC2B2AE35u;
    return h ^ (h >> 16);
}

void dropout_apply(const Node *n, const Pass *p, float rate, float *restrict y, size_t first,
                   size_t count)
{
    uint64_t key = (p->key + n->number + 1) * 0x9E3779B97F4A7C15u;
    uint32_t key1 = (uint32_t)key, key2 = (uint32_t)(key >> 32);
    uint32_t below = (uint32_t)((double)rate * 4294967295.0);
    float scale = 1.0f / (1.0f - rate);
    uint32_t begin = (uint32_t)first;
    for (uint32_t i = 0; i < (uint32_t)count; i++) {
        float keep = element_bits(begin + i, key1, key2) >= below ? scale : 0.0f;
        y[i] *= keep;
    }
}

/* ---- the tail --------------------------------------------------------------------------------------- */

bool tail_saves(Tail tail)
{
    /* dropout scales the value, so a slope read from it would be wrong; relu's and none's are not */
    bool plain = tail.act == ACT_NONE || tail.act == ACT_RELU;
    return slope_from_z[tail.act] || (tail.dropout && !plain);
}

void tail_forward(const Node *n, const Pass *p, float *y, const float *bias)
{
    size_t width = n->width, rows = p->rows * n->tokens, count = rows * width;
    bool drops = n->tail.dropout && p->dropout > 0.0f;
    float *save = tail_saves(n->tail) ? node_save(n, p) : NULL;
    size_t first = p->begin * node_row(n);
    for (size_t at = 0; bias && at < count; at += width)
        for (size_t i = 0; i < width; i++)
            y[at + i] += bias[i];
    if (save && slope_from_z[n->tail.act])
        memcpy(save, y, count * sizeof *y);
    if (n->tail.act != ACT_NONE)
        forwards[n->tail.act](y, count);
    if (save && !slope_from_z[n->tail.act])
        memcpy(save, y, count * sizeof *y);
    if (drops)
        dropout_apply(n, p, p->dropout, y, first, count);
}

void tail_backward(const Node *n, const Pass *p, float *dy)
{
    size_t count = p->rows * node_row(n);
    if (tail_gated(n, p))
        return;
    if (n->tail.dropout && p->dropout > 0.0f)
        dropout_apply(n, p, p->dropout, dy, p->begin * node_row(n), count);
    if (n->tail.act != ACT_NONE)
        backwards[n->tail.act](dy, tail_saves(n->tail) ? node_save(n, p) : node_value(n, p), count);
}
