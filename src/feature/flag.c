/* flag.c -- true and false as 1 and -1; missing lies between them, at 0. */
#include "feature_int.h"

static void fit(Input *in, const ColumnStats *s, const FeatureOptions *o)
{
    (void)s, (void)o;
    in->dense = 1;
}

static void encode(const Input *in, const Column *c, Dense dense, Codes codes, Arena *a)
{
    (void)in, (void)codes, (void)a;
    for (size_t row = 0; row < c->rows; row++) {
        double x = column_real(c, row);
        if (isfinite(x))
            dense.at[row * dense.stride] = x != 0.0 ? 1.0f : -1.0f;
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
    return true;
}

static void release(Input *in)
{
    (void)in;
}

static void say(const Input *in, Onnx *o, const char *x, const char **dense, const char **codes)
{
    (void)in, (void)codes;
    const char *none = onnx_node(o, "Equal", x, onnx_real(o, 0.0), NULL);
    const char *y = onnx_node(o, "Where", none, onnx_real(o, -1.0), onnx_real(o, 1.0), NULL);
    *dense = onnx_or_zero(o, x, y);
}

const Encoder flag_encoder = {
    .name = "flag",
    .about = "true 1, false -1",
    .types = TYPE_BIT(COLUMN_BOOL),
    .accepts = TYPE_BIT(COLUMN_BOOL) | TYPES_NUMBER,
    .fit = fit,
    .encode = encode,
    .describe = describe,
    .save = save,
    .load = load,
    .release = release,
    .onnx = say,
};
