/* tail.c -- what is fused behind an operator: bias, activation, dropout, and their way back.
 *
 * Dropout keeps an element with probability 1 - p and scales it by 1 / (1 - p). The mask is a hash of
 * the step's key, the node's number and the element's place in the batch, so it needs no memory, no
 * generator and does not depend on the shards: backward computes it again, but for relu, whose value is
 * above 0 where both let it through.
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

static float dropout_scale(float rate)
{
    return 1.0f / (1.0f - rate);
}

typedef struct Mask {
    uint32_t key, key2, below;
    float scale;
} Mask;

static Mask mask_of(const Node *n, const Pass *p, float rate)
{
    uint64_t key = (p->key + n->number + 1) * 0x9E3779B97F4A7C15u;
    return (Mask){.key = (uint32_t)key,
                  .key2 = (uint32_t)(key >> 32),
                  .below = (uint32_t)((double)rate * 4294967295.0),
                  .scale = dropout_scale(rate)};
}

static inline void mask_apply(Mask m, float *restrict y, size_t first, size_t count)
{
    uint32_t begin = (uint32_t)first;
    for (uint32_t i = 0; i < (uint32_t)count; i++) {
        float keep = element_bits(begin + i, m.key, m.key2) >= m.below ? m.scale : 0.0f;
        y[i] *= keep;
    }
}

void dropout_apply(const Node *n, const Pass *p, float rate, float *restrict y, size_t first,
                   size_t count)
{
    mask_apply(mask_of(n, p, rate), y, first, count);
}

void dropout_columns(const Node *n, const Pass *p, float *y, size_t first, size_t columns)
{
    const Mask m = mask_of(n, p, p->dropout);
    for (size_t i = 0; i < p->rows; i++)
        mask_apply(m, y + i * columns, (p->begin + i) * n->width + first, columns);
}

void dropout_relu_backward(float rate, float *restrict dy, const float *restrict y, size_t count)
{
    const float scale = dropout_scale(rate);
    for (size_t i = 0; i < count; i++)
        dy[i] *= y[i] > 0.0f ? scale : 0.0f;
}

/* ---- the tail --------------------------------------------------------------------------------------- */

bool tail_saves(Tail tail)
{
    /* dropout scales the value, so a slope read from it would be wrong; relu's and none's are not */
    bool plain = tail.act == ACT_NONE || tail.act == ACT_RELU;
    return slope_from_z[tail.act] || (tail.dropout && !plain);
}

void tail_bend(Activation act, float *y, float *save, size_t count)
{
    if (save && slope_from_z[act])
        memcpy(save, y, count * sizeof *y);
    if (act != ACT_NONE)
        forwards[act](y, count);
    if (save && !slope_from_z[act])
        memcpy(save, y, count * sizeof *y);
}

void tail_forward(const Node *n, const Pass *p, float *y, const float *bias)
{
    size_t width = n->width, rows = p->rows * n->tokens, count = rows * width;
    bool drops = n->tail.dropout && p->dropout > 0.0f;
    size_t first = p->begin * node_row(n);
    for (size_t at = 0; bias && at < count; at += width)
        for (size_t i = 0; i < width; i++)
            y[at + i] += bias[i];
    tail_bend(n->tail.act, y, tail_saves(n->tail) ? node_save(n, p) : NULL, count);
    if (drops)
        dropout_apply(n, p, p->dropout, y, first, count);
}

void tail_backward(const Node *n, const Pass *p, float *dy)
{
    size_t count = p->rows * node_row(n);
    bool drops = n->tail.dropout && p->dropout > 0.0f;
    if (tail_gated(n, p))
        return;
    if (drops && n->tail.act == ACT_RELU) {
        dropout_relu_backward(p->dropout, dy, node_value(n, p), count);
        return;
    }
    if (drops)
        dropout_apply(n, p, p->dropout, dy, p->begin * node_row(n), count);
    if (n->tail.act != ACT_NONE)
        backwards[n->tail.act](dy, tail_saves(n->tail) ? node_save(n, p) : node_value(n, p), count);
}
