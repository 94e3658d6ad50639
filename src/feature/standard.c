/* standard.c -- a number standardised with the training rows' mean and deviation. The one to copy.
 *
 *     z = (x - mean) / deviation         missing: 0, which is the mean
 *
 * A column that never varies but is sometimes missing keeps scale 1: all it says is in the
 * indicator. */
#include "feature_int.h"

typedef struct Standard {
    double mean, scale;
} Standard;

static void fit(Input *in, const ColumnStats *s, const FeatureOptions *o)
{
    (void)o;
    double deviation = stats_deviation(s);
    if (!isfinite(deviation) || !isfinite(s->mean)) /* near the largest double */
        deviation = fmax(fabs(s->least), fabs(s->most));
    Standard *state = mem_alloc(sizeof *state);
    state->mean = isfinite(s->mean) ? s->mean : s->least / 2.0 + s->most / 2.0;
    state->scale = s->least < s->most && deviation > 0.0 ? deviation : 1.0;
    in->state = state;
    in->dense = 1;
}

static void encode(const Input *in, const Column *c, Dense dense, Codes codes, Arena *a)
{
    (void)codes, (void)a;
    const Standard *s = in->state;
    for (size_t row = 0; row < c->rows; row++) {
        double x = column_real(c, row);
        if (isfinite(x))
            dense.at[row * dense.stride] = (float)((x - s->mean) / s->scale);
    }
}

static void describe(const Input *in, size_t i, Text *name)
{
    (void)in, (void)i, (void)name; /* the column's own name says it */
}

static json_t *save(const Input *in)
{
    const Standard *s = in->state;
    return json_pack("{s:f, s:f}", "mean", s->mean, "scale", s->scale);
}

static bool load(Input *in, const json_t *from, Error *err)
{
    Standard s;
    if (json_unpack((json_t *)from, "{s:F, s:F}", "mean", &s.mean, "scale", &s.scale) ||
        !(s.scale > 0.0))
        return error_set(err, ERROR_PARSE, "expected a mean and a scale above 0");
    in->state = mem_copy(&s, sizeof s);
    in->dense = 1;
    return true;
}

static void release(Input *in)
{
    mem_free(in->state);
}

static void say(const Input *in, Onnx *o, const char *x, const char **dense, const char **codes)
{
    (void)codes;
    const Standard *s = in->state;
    *dense = onnx_or_zero(o, x, onnx_less_by(o, x, s->mean, s->scale));
}

const Encoder standard_encoder = {
    .name = "standard",
    .about = "a number less its mean, by its deviation",
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
