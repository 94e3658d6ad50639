/* raw.c -- a number as it is, missing as NaN: for families that cut numbers rather than add them up. */
#include "feature_int.h"

static void fit(Input *in, const ColumnStats *s, const FeatureOptions *o)
{
    (void)s, (void)o;
    in->dense = 1;
    in->missing = false; /* NaN says it */
    in->nan = true;
}

static void encode(const Input *in, const Column *c, Dense dense, Codes codes, Arena *a)
{
    (void)in, (void)codes, (void)a;
    for (size_t row = 0; row < c->rows; row++) {
        double x = column_real(c, row);
        bool there = column_has(c, row) && isfinite(x);
        dense.at[row * dense.stride] = there ? (float)x : NAN;
    }
}

static void describe(const Input *in, size_t i, Text *name)
{
    (void)in, (void)i, (void)name;
}

static json_t *save(const Input *in)
{
    (void)in;
    return json_object();
}

static bool load(Input *in, const json_t *from, Error *err)
{
    (void)from, (void)err;
    in->dense = 1;
    in->nan = true;
    return true;
}

static void release(Input *in)
{
    (void)in;
}

static void say(const Input *in, Onnx *o, const char *x, const char **dense, const char **codes)
{
    (void)in, (void)codes;
    const char *y = onnx_node(o, "Where", onnx_lacks(o, x), onnx_real(o, (double)NAN), x, NULL);
    *dense = onnx_cast(o, y, ONNX_FLOAT);
}

const Encoder raw_encoder = {
    .name = "raw",
    .about = "a number as it is, missing as NaN",
    .types = TYPES_NUMBER | TYPE_BIT(COLUMN_BOOL),
    .accepts = TYPES_NUMBER | TYPE_BIT(COLUMN_BOOL),
    .fit = fit,
    .encode = encode,
    .describe = describe,
    .save = save,
    .load = load,
    .release = release,
    .onnx = say,
};
