/* optimizer.c -- the update of a piece of weights from its gradient, one function a row of OPTIMIZERS.
 * Formulas and their order of operations are PyTorch's, so that curves can be compared. */
#include "nn_int.h"
#include "vector.h"

/* m = momentum m + (g + decay w);  w -= lr m */
static void update_sgd(const UpdateJob *job)
{
    float *restrict w = job->w, *restrict m = job->m;
    const float *restrict g = job->g;
    const float lr = job->lr, decay = job->decay, momentum = job->momentum;
    for (size_t i = 0; i < job->count; i++) {
        m[i] = momentum * m[i] + (g[i] + decay * w[i]);
        w[i] -= lr * m[i];
    }
}

/* m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;  w -= lr mhat / (sqrt(vhat) + eps) */
static inline void adam(const UpdateJob *job, float keep, float in_gradient)
{
    float *restrict w = job->w, *restrict m = job->m, *restrict v = job->v;
    const float *restrict g = job->g;
    const float b1 = job->beta1, b2 = job->beta2, eps = job->epsilon;
    const float step = job->lr * job->fix1, root = sqrtf(job->fix2);
    const bool away = job->away && vec_aligned(w);
    size_t i = 0;
    for (; i + LANES <= job->count; i += LANES) {
        Vec at = vec_load(w + i), d = vec_load(g + i) + in_gradient * at;
        Vec mean = b1 * vec_load(m + i) + (1.0f - b1) * d;
        Vec square = b2 * vec_load(v + i) + (1.0f - b2) * d * d;
        vec_store(m + i, mean);
        vec_store(v + i, square);
        at = keep * at - step * mean / (vec_sqrt(square) * root + eps);
        if (away)
            vec_stream(w + i, at);
        else
            vec_store(w + i, at);
    }
    for (; i < job->count; i++) {
        float d = g[i] + in_gradient * w[i];
        float mean = b1 * m[i] + (1.0f - b1) * d;
        float square = b2 * v[i] + (1.0f - b2) * d * d;
        m[i] = mean;
        v[i] = square;
        w[i] = keep * w[i] - step * mean / (sqrtf(square) * root + eps);
    }
}

static void update_adam(const UpdateJob *job)
{
    adam(job, 1.0f, job->decay);
}

static void update_adamw(const UpdateJob *job)
{
    adam(job, 1.0f - job->lr * job->decay, 0.0f);
}

#define UPDATE_SGD                      update_sgd
#define UPDATE_ADAM                     update_adam
#define UPDATE_ADAMW                    update_adamw
#define AS_UPDATE(name, text, moments)  UPDATE_##name,
#define AS_MOMENTS(name, text, moments) moments,
void (*const optimizer_update[OPTIMIZER_COUNT])(const UpdateJob *) = {OPTIMIZERS(AS_UPDATE)};
const size_t optimizer_moments[OPTIMIZER_COUNT] = {OPTIMIZERS(AS_MOMENTS)};
