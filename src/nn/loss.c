/* loss.c -- the losses: value and gradient by the outputs, one function and one row each.
 *
 * w is the row's weight times its class's weight; each function returns the sum of w l over its rows,
 * in order and in double, and writes the gradient times job->scale. */
#include "nn_int.h"

static double weight_of(const LossJob *job, size_t i)
{
    double w = job->weight ? (double)job->weight[i] : 1.0;
    return job->class_weight ? w * (double)job->class_weight[(size_t)job->target[i]] : w;
}

double loss_weight_sum(const LossJob *job)
{
    if (!job->weight && !job->class_weight)
        return (double)job->rows;
    double sum = 0;
    for (size_t i = 0; i < job->rows; i++)
        sum += weight_of(job, i);
    return sum > 0 ? sum : 1.0; /* a batch of rows without weight has no gradient */
}

/* A loss of one number: e = o - y; value l and slope d. Outputs beyond the first share the target
 * (quantile heads). */
#define POINTWISE(name, value, slope)                                                              \
    static double name##_sum(const LossJob *job)                                                   \
    {                                                                                              \
        double sum = 0;                                                                            \
        const double delta = (double)job->delta, q = (double)job->quantile;                        \
        const double p = (double)job->power;                                                       \
        (void)delta;                                                                               \
        (void)p;                                                                                   \
        (void)q;                                                                                   \
        for (size_t i = 0; i < job->rows; i++) {                                                   \
            double w = weight_of(job, i);                                                          \
            for (size_t k = 0; k < job->width; k++) {                                              \
                double o = (double)job->out[i * job->width + k];                                   \
                double y = (double)job->target[i], e = o - y;                                      \
                (void)e;                                                                           \
                sum += w * (value);                                                                \
                if (job->grad)                                                                     \
                    job->grad[i * job->width + k] = (float)(w * (slope) * (double)job->scale);     \
            }                                                                                      \
        }                                                                                          \
        return sum;                                                                                \
    }

/* ln(1 + e^o) without overflow */
static double softplus(double o)
{
    return fmax(o, 0.0) + log1p(exp(-fabs(o))) + (o != o ? o : 0.0);
}

POINTWISE(squared, e *e, 2.0 * e)
POINTWISE(absolute, fabs(e), e > 0 ? 1.0 : e < 0 ? -1.0 : e)
POINTWISE(huber, fabs(e) <= delta ? 0.5 * e * e : delta * (fabs(e) - 0.5 * delta),
          e > delta    ? delta
          : e < -delta ? -delta
                       : e)
POINTWISE(quantile, e < 0 ? -q * e : (1.0 - q) * e, e<0 ? -q : e> 0 ? 1.0 - q : e)
POINTWISE(logistic, softplus(o) - y * o, 1.0 / (1.0 + exp(-o)) - y)

/* The last three: o is the logarithm of the mean. */
POINTWISE(poisson, exp(o) - y * o, exp(o) - y)
POINTWISE(gamma, y *exp(-o) + o, 1.0 - y * exp(-o))
POINTWISE(tweedie, exp((2.0 - p) * o) / (2.0 - p) - y * exp((1.0 - p) * o) / (1.0 - p),
          exp((2.0 - p) * o) - y * exp((1.0 - p) * o))

static double softmax_sum(const LossJob *job)
{
    double sum = 0;
    for (size_t i = 0; i < job->rows; i++) {
        const float *o = job->out + i * job->width;
        size_t y = (size_t)job->target[i];
        assert(y < job->width);
        double w = weight_of(job, i), most = (double)o[0], total = 0;
        for (size_t k = 1; k < job->width; k++)
            most = fmax(most, (double)o[k]);
        for (size_t k = 0; k < job->width; k++)
            total += exp((double)o[k] - most);
        sum += w * (most + log(total) - (double)o[y]);
        for (size_t k = 0; job->grad && k < job->width; k++) {
            double p = exp((double)o[k] - most) / total - (k == y ? 1.0 : 0.0);
            job->grad[i * job->width + k] = (float)(w * p * (double)job->scale);
        }
    }
    return sum;
}

/* A row's loss is the mean over its targets and levels; a target that is not known adds nothing. */
static double quantiles_sum(const LossJob *job)
{
    double sum = 0;
    size_t targets = job->width / job->levels;
    for (size_t i = 0; i < job->rows; i++) {
        double w = weight_of(job, i) / (double)job->width, row = 0;
        for (size_t k = 0; k < job->width; k++) {
            double y = (double)job->target[i * targets + k / job->levels];
            double e = (double)job->out[i * job->width + k] - y, q = (double)job->level[k % job->levels];
            double slope = e < 0 ? -q : e > 0 ? 1.0 - q : e;
            row += isnan(y) ? 0.0 : e * slope;
            if (job->grad)
                job->grad[i * job->width + k] = isnan(y) ? 0.0f : (float)(w * slope * (double)job->scale);
        }
        sum += w * row;
    }
    return sum;
}

#define AS_ROW(NAME, text, fitting, formula)                                                       \
    [LOSS_##NAME] = {.name = text, .about = formula, .fits = fitting, .sum = LOSS_SUM_##NAME},
#define LOSS_SUM_SQUARED  squared_sum
#define LOSS_SUM_ABSOLUTE absolute_sum
#define LOSS_SUM_HUBER    huber_sum
#define LOSS_SUM_QUANTILE quantile_sum
#define LOSS_SUM_LOGISTIC logistic_sum
#define LOSS_SUM_SOFTMAX  softmax_sum
#define LOSS_SUM_POISSON  poisson_sum
#define LOSS_SUM_GAMMA    gamma_sum
#define LOSS_SUM_TWEEDIE  tweedie_sum
#define LOSS_SUM_QUANTILES quantiles_sum
const Loss losses[LOSS_COUNT] = {LOSSES(AS_ROW)};
