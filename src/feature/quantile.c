/* quantile.c -- a number by its rank among the training rows, as a normal deviate.
 *
 *     z = Phi^-1(share of training rows at or below x)
 *
 * Outliers end at the rim and a skewed column becomes bell-shaped. The ranks are kept as at most
 * 1,000 reference values and read off linearly; where values repeat, halfway between the first and
 * the last rank (scikit-learn's QuantileTransformer, the transform of the papers in REFERENCE.md
 * 2.2). Phi^-1 is Wichura's algorithm AS 241 (1988), good to 16 digits. */
#include "feature_int.h"

#include <stdlib.h>

#define REFERENCES_MOST 1000
#define RIM             1e-7 /* nearest to 0 and 1 a share may come: z within +-5.2 */

typedef struct Quantile {
    size_t count;
    double value[REFERENCES_MOST]; /* ascending */
} Quantile;

static double ratio(const double *top, const double *bottom, double r)
{
    double a = top[7], b = bottom[7];
    for (int i = 6; i >= 0; i--) {
        a = a * r + top[i];
        b = b * r + bottom[i];
    }
    return a / b;
}

/* AS 241: numerator and denominator within .425 of the middle, then near and far from it. */
static const double normal_terms[6][8] = {
    {3.3871328727963666080, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
     45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727},
    {1.0, 42.313330701600911252, 687.18700749205790830, 5394.1960214247511077,
     21213.794301586595867, 39307.895800092710610, 28729.085735721942674, 5226.4952788528545610},
    {1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504,
     1.27045825245236838258, 0.241780725177450611770, 0.0227238449892691845833,
     7.74545014278341407640e-4},
    {1.0, 2.05319162663775882187, 1.67638483018380384940, 0.689767334985100004550,
     0.148103976427480074590, 0.0151986665636164571966, 5.47593808499534494600e-4,
     1.05075007164441684324e-9},
    {6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580,
     0.296560571828504891230, 0.0265321895265761230930, 1.24266094738807843860e-3,
     2.71155556874348757815e-5, 2.01033439929228813265e-7},
    {1.0, 0.599832206555887937690, 0.136929880922735805310, 0.0148753612908506148525,
     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
     2.04426310338993978564e-15},
};

double normal_inverse(double p)
{
    const double(*k)[8] = normal_terms;
    double q = p - 0.5;
    if (fabs(q) <= 0.425)
        return q * ratio(k[0], k[1], 0.180625 - q * q);
    double r = sqrt(-log(q < 0.0 ? p : 1.0 - p));
    double z = r <= 5.0 ? ratio(k[2], k[3], r - 1.6) : ratio(k[4], k[5], r - 5.0);
    return q < 0.0 ? -z : z;
}

double sorted_quantile(const double *sorted, size_t n, double share)
{
    double at = share * (double)(n - 1);
    size_t below = (size_t)at;
    if (below + 1 >= n)
        return sorted[n - 1];
    return sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below]);
}

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void fit(Input *in, const ColumnStats *s, const FeatureOptions *o)
{
    (void)o;
    size_t n = s->sample.count;
    double *sorted = mem_copy(s->sample.at, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, ascending);
    Quantile *q = mem_alloc(sizeof *q);
    size_t count = n / 30 < 10 ? 10 : n / 30;
    q->count = count < REFERENCES_MOST ? count : REFERENCES_MOST;
    for (size_t i = 0; i < q->count; i++)
        q->value[i] = sorted_quantile(sorted, n, (double)i / (double)(q->count - 1));
    q->value[0] = s->least; /* the sample may have missed them */
    q->value[q->count - 1] = s->most;
    mem_free(sorted);
    in->state = q;
    in->dense = 1;
}

/* Where runs of equal references end: one beyond the last that equals the one at i. */
static void find_ends(const Quantile *q, uint16_t *end)
{
    for (size_t i = q->count; i-- > 0;)
        end[i] =
            i + 1 < q->count && q->value[i + 1] == q->value[i] ? end[i + 1] : (uint16_t)(i + 1);
}

/* How many references are below x; halving without a branch. */
static size_t count_below(const Quantile *q, double x)
{
    const double *at = q->value;
    for (size_t n = q->count; n > 1; n -= n / 2)
        at += at[n / 2 - 1] < x ? n / 2 : 0;
    return (size_t)(at - q->value) + (*at < x);
}

static double share_of(const Quantile *q, const uint16_t *end, double x)
{
    size_t below = count_below(q, x);
    double last = (double)(q->count - 1);
    if (below < q->count && q->value[below] == x) /* x is a reference, perhaps several times */
        return ((double)below + (double)(end[below] - 1)) / 2.0 / last;
    if (below == 0 || below == q->count)
        return below ? 1.0 : 0.0;
    double left = q->value[below - 1], right = q->value[below];
    return ((double)(below - 1) + (x - left) / (right - left)) / last;
}

static void encode(const Input *in, const Column *c, Dense dense, Codes codes, Arena *a)
{
    (void)codes;
    const Quantile *q = in->state;
    uint16_t *end = ARENA_NEW(a, uint16_t, q->count + 1);
    find_ends(q, end);
    for (size_t row = 0; row < c->rows; row++) {
        double x = column_real(c, row);
        if (isfinite(x))
            dense.at[row * dense.stride] =
                (float)normal_inverse(fmin(fmax(share_of(q, end, x), RIM), 1.0 - RIM));
    }
}

static void describe(const Input *in, size_t i, Text *name)
{
    (void)in, (void)i, (void)name;
}

static json_t *save(const Input *in)
{
    const Quantile *q = in->state;
    json_t *list = json_array();
    for (size_t i = 0; i < q->count; i++)
        json_array_append_new(list, json_real(q->value[i]));
    return json_pack("{s:o}", "quantiles", list);
}

static bool load(Input *in, const json_t *from, Error *err)
{
    const json_t *list = json_object_get(from, "quantiles");
    size_t count = json_array_size(list);
    if (count < 2 || count > REFERENCES_MOST)
        return error_set(err, ERROR_PARSE, "quantiles: expected 2 to %d numbers, found %zu",
                         REFERENCES_MOST, count);
    Quantile *q = mem_alloc(sizeof *q);
    in->state = q;
    for (q->count = 0; q->count < count; q->count++) {
        const json_t *item = json_array_get(list, q->count);
        q->value[q->count] = json_number_value(item);
        if (!json_is_number(item) || (q->count && q->value[q->count] < q->value[q->count - 1]))
            return error_set(err, ERROR_PARSE, "quantiles: expected numbers that ascend");
    }
    in->dense = 1;
    return true;
}

static void release(Input *in)
{
    mem_free(in->state);
}

/* ---- the same as ONNX nodes -------------------------------------------------------------------- */

static const char *both(Onnx *o, const char *op, const char *a, const char *b)
{
    return onnx_node(o, op, a, b, NULL);
}

/* int64 [rows][1]: how many references stand in that relation to x. */
static const char *say_count(Onnx *o, const Quantile *q, const char *op, const char *x)
{
    const char *is = both(o, op, x, onnx_reals(o, q->value, q->count, 0));
    return both(o, "ReduceSum", onnx_cast(o, is, ONNX_WHOLE), onnx_wholes(o, (int64_t[]){1}, 1));
}

static const char *say_reference(Onnx *o, const Quantile *q, const char *at)
{
    at = both(o, "Max", at, onnx_wholes(o, (int64_t[]){0}, 1));
    at = both(o, "Min", at, onnx_wholes(o, (int64_t[]){(int64_t)q->count - 1}, 1));
    return both(o, "Gather", onnx_reals(o, q->value, q->count, 0), at);
}

/* share_of */
static const char *say_share(Onnx *o, const Quantile *q, const char *x)
{
    const char *one = onnx_wholes(o, (int64_t[]){1}, 1),
               *last = onnx_real(o, (double)(q->count - 1));
    const char *below = say_count(o, q, "Greater", x), *upto = say_count(o, q, "GreaterOrEqual", x);
    const char *under = both(o, "Sub", below, one);
    const char *at = onnx_cast(o, both(o, "Add", below, both(o, "Sub", upto, one)), ONNX_REAL);
    at = both(o, "Div", at, onnx_real(o, 2.0 * (double)(q->count - 1)));
    const char *left = say_reference(o, q, under), *right = say_reference(o, q, below);
    const char *between = both(o, "Div", both(o, "Sub", x, left), both(o, "Sub", right, left));
    between = both(o, "Add", onnx_cast(o, under, ONNX_REAL), between);
    between = both(o, "Div", between, last);
    const char *above = both(o, "Equal", below, onnx_wholes(o, (int64_t[]){(int64_t)q->count}, 1));
    const char *first = both(o, "Equal", below, onnx_wholes(o, (int64_t[]){0}, 1));
    const char *out = onnx_node(o, "Where", above, onnx_real(o, 1.0), between, NULL);
    out = onnx_node(o, "Where", first, onnx_real(o, 0.0), out, NULL);
    return onnx_node(o, "Where", both(o, "Greater", upto, below), at, out, NULL);
}

/* ratio: the powers of r times both columns of coefficients, the one by the other */
static const char *say_ratio(Onnx *o, const double *top, const double *bottom, const char *r)
{
    double power[8], table[16];
    for (size_t i = 0; i < 8; i++) {
        power[i] = (double)i;
        table[2 * i] = top[i];
        table[2 * i + 1] = bottom[i];
    }
    const char *y = both(o, "MatMul", both(o, "Pow", r, onnx_reals(o, power, 8, 0)),
                         onnx_reals(o, table, 8, 2));
    const char *side[2];
    for (int64_t i = 0; i < 2; i++) {
        side[i] = both(o, "Gather", y, onnx_wholes(o, &i, 1));
        onnx_set_whole(o, "axis", 1);
    }
    return both(o, "Div", side[0], side[1]);
}

/* normal_inverse */
static const char *say_normal(Onnx *o, const char *p)
{
    const char *q = both(o, "Sub", p, onnx_real(o, 0.5)), *zero = onnx_real(o, 0.0);
    const char *low = both(o, "Less", q, zero);
    const char *middle = both(o, "Sub", onnx_real(o, 0.180625), both(o, "Mul", q, q));
    middle = both(o, "Mul", q, say_ratio(o, normal_terms[0], normal_terms[1], middle));
    const char *r = onnx_node(o, "Where", low, p, both(o, "Sub", onnx_real(o, 1.0), p), NULL);
    r = onnx_node(o, "Sqrt", onnx_node(o, "Neg", onnx_node(o, "Log", r, NULL), NULL), NULL);
    const char *z = onnx_node(
        o, "Where", both(o, "LessOrEqual", r, onnx_real(o, 5.0)),
        say_ratio(o, normal_terms[2], normal_terms[3], both(o, "Sub", r, onnx_real(o, 1.6))),
        say_ratio(o, normal_terms[4], normal_terms[5], both(o, "Sub", r, onnx_real(o, 5.0))), NULL);
    z = onnx_node(o, "Where", low, onnx_node(o, "Neg", z, NULL), z, NULL);
    const char *near = both(o, "LessOrEqual", onnx_node(o, "Abs", q, NULL), onnx_real(o, 0.425));
    return onnx_node(o, "Where", near, middle, z, NULL);
}

static void say(const Input *in, Onnx *o, const char *x, const char **dense, const char **codes)
{
    (void)codes;
    const char *share = say_share(o, in->state, x);
    share = both(o, "Min", both(o, "Max", share, onnx_real(o, RIM)), onnx_real(o, 1.0 - RIM));
    *dense = onnx_or_zero(o, x, say_normal(o, share));
}

const Encoder quantile_encoder = {
    .name = "quantile",
    .about = "a number by its rank, as a normal deviate",
    .types = TYPES_NUMBER,
    .accepts = TYPES_NUMBER | TYPE_BIT(COLUMN_BOOL),
    .fit = fit,
    .encode = encode,
    .describe = describe,
    .save = save,
    .load = load,
    .release = release,
    .onnx = say,
};
