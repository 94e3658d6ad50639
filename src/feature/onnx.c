/* onnx.c -- the features as ONNX nodes: each encoder says its own, side by side as encode lays them. */
#include "feature_int.h"

const char *onnx_lacks(Onnx *o, const char *x)
{
    return onnx_node(o, "IsNaN", onnx_node(o, "Sub", x, x, NULL), NULL); /* inf - inf is NaN too */
}

const char *onnx_or_zero(Onnx *o, const char *x, const char *y)
{
    y = onnx_node(o, "Where", onnx_lacks(o, x), onnx_real(o, 0.0), y, NULL);
    return onnx_cast(o, y, ONNX_FLOAT);
}

const char *onnx_less_by(Onnx *o, const char *x, double mean, double scale)
{
    x = onnx_node(o, "Sub", x, onnx_real(o, mean), NULL);
    return onnx_node(o, "Div", x, onnx_real(o, scale), NULL);
}

const char *onnx_lexicon(Onnx *o, const Lexicon *t, const char *x)
{
    size_t n = t->word.count;
    const char **text = mem_alloc(sizeof *text * (n + 1));
    size_t *size = mem_alloc(sizeof *size * (n + 1));
    int64_t *code = mem_alloc(sizeof *code * (n + 1));
    for (size_t i = 0; i < n; i++) {
        text[i] = t->word.at[i].text;
        size[i] = t->word.at[i].size;
        code[i] = (int64_t)i + 1;
    }
    if (n == 0) { /* it must have one */
        text[n] = "";
        size[n] = 0;
        code[n++] = 0;
    }
    const char *y = onnx_node(o, "ml.LabelEncoder", x, NULL);
    onnx_set_texts(o, "keys_strings", text, size, n);
    onnx_set_wholes(o, "values_int64s", code, n);
    onnx_set_whole(o, "default_int64", 0);
    mem_free(text);
    mem_free(size);
    mem_free(code);
    return y;
}

bool features_onnx(const Features *f, Onnx *o, const char *const *column, const char **dense,
                   const char **codes, Error *err)
{
    const char **floats = mem_alloc(sizeof *floats * (2 * f->inputs + 1));
    const char **whole = mem_alloc(sizeof *whole * (f->inputs + 1));
    size_t n = 0, m = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < f->inputs; i++) {
        const Input *in = &f->input[i];
        const char *d = NULL, *c = NULL;
        ok = in->encoder->onnx ||
             error_set(err, ERROR_USAGE, "column %s: %s cannot be said in ONNX yet", in->name,
                       in->encoder->about);
        const char *x = column[i];
        if (in->type == COLUMN_TIME) /* days, as the encoders count */
            x = onnx_node(o, "Div", x, onnx_real(o, 86400.0), NULL);
        if (ok)
            in->encoder->onnx(in, o, x, &d, &c);
        if (d)
            floats[n++] = d;
        if (in->missing)
            floats[n++] = onnx_cast(o, onnx_lacks(o, x), ONNX_FLOAT);
        if (c)
            whole[m++] = c;
    }
    *dense = n ? onnx_join(o, floats, n) : NULL;
    *codes = m ? onnx_join(o, whole, m) : NULL;
    mem_free(floats);
    mem_free(whole);
    return ok;
}

const char *features_target_onnx(const Features *f, Onnx *o, const char *z)
{
    const Target *t = &f->target;
    z = onnx_cast(o, z, ONNX_REAL);
    if (t->form == TARGET_MEAN) /* the model has its logarithm */
        z = onnx_node(o, "Exp", z, NULL);
    const char *y = onnx_node(o, "Mul", z, onnx_real(o, t->scale), NULL);
    y = onnx_node(o, "Add", y, onnx_real(o, t->mean), NULL);
    if (t->form == TARGET_LOG)
        y = onnx_node(o, "Sub", onnx_node(o, "Exp", y, NULL), onnx_real(o, 1.0), NULL);
    return onnx_cast(o, y, ONNX_FLOAT);
}
