/* encode.c -- a chunk of cleaned rows as floats and codes: for training, for one row, for all. */
#include "feature_int.h"

const Column *features_column(const Chunk *c, const char *name, size_t hint, Error *err)
{
    if (hint < c->columns && text_equal(c->column[hint].name, name))
        return &c->column[hint];
    const Column *found = chunk_find(c, name);
    if (!found)
        error_set(err, ERROR_SHAPE, "no column %s in the rows to encode", name);
    return found;
}

static void mark_missing(const Input *in, const Column *c, float *at, size_t stride)
{
    bool times = TYPE_BIT(in->type) & TYPES_TIME;
    for (size_t row = 0; row < c->rows; row++)
        at[row * stride] =
            !column_has(c, row) || (!times && !isfinite(column_real(c, row))) ? 1.0f : 0.0f;
}

static bool encode_input(const Input *in, const ModelShape *s, const Chunk *c, float *dense,
                         int32_t *code, Arena *a, Error *err)
{
    const Column *column = features_column(c, in->name, in->hint, err);
    if (!column)
        return false;
    if (!(TYPE_BIT(column->type) & in->encoder->accepts))
        return error_set(err, ERROR_SHAPE, "column %s: expected %s, found %s", in->name,
                         column_type_name(in->type), column_type_name(column->type));
    in->encoder->encode(in, column, (Dense){dense + in->dense_at, s->dense},
                        (Codes){code + in->code_at, s->codes}, a);
    if (in->missing)
        mark_missing(in, column, dense + in->dense_at + in->dense, s->dense);
    return true;
}

InputSpan features_span(const Features *f, size_t input)
{
    const Input *in = &f->input[input];
    return (InputSpan){in->dense_at, in->dense + in->missing, in->code_at, in->codes};
}

bool features_encode_input(const Features *f, size_t input, const Column *c, Arena *a, float *dense,
                           int32_t *code, Error *err)
{
    const Input *in = &f->input[input];
    InputSpan span = features_span(f, input);
    if (!(TYPE_BIT(c->type) & in->encoder->accepts))
        return error_set(err, ERROR_SHAPE, "column %s: expected %s, found %s", in->name,
                         column_type_name(in->type), column_type_name(c->type));
    in->encoder->encode(in, c, (Dense){dense, span.dense}, (Codes){code, span.codes}, a);
    if (in->missing)
        mark_missing(in, c, dense + in->dense, span.dense);
    return true;
}

static bool encode_target(const Target *t, const Chunk *c, float *out, Error *err)
{
    const Column *column = t->name ? features_column(c, t->name, t->hint, err) : NULL;
    if (!column)
        return t->name ? error_in(err, "target")
                       : error_set(err, ERROR_USAGE, "these features have no target");
    if (t->task == TASK_REGRESSION && column->type == COLUMN_TEXT)
        return error_set(err, ERROR_SHAPE, "target %s: expected %s, found text", t->name,
                         column_type_name(t->type));
    for (size_t row = 0; row < c->rows; row++)
        if (!target_value(t, column, row, &out[row]))
            out[row] = NAN;
    return true;
}

bool features_encode(const Features *f, const Chunk *c, bool want_target, Arena *a, Batch *out,
                     Error *err)
{
    const ModelShape *s = &f->shape;
    float *dense = ARENA_NEW(a, float, c->rows * s->dense + 1);
    int32_t *code = ARENA_NEW(a, int32_t, c->rows * s->codes + 1);
    float *target = want_target ? ARENA_NEW(a, float, c->rows + 1) : NULL;
    for (size_t i = 0; i < f->inputs; i++)
        if (!encode_input(&f->input[i], s, c, dense, code, a, err))
            return false;
    if (want_target && !encode_target(&f->target, c, target, err))
        return false;
    *out = (Batch){.rows = c->rows, .dense = dense, .code = code, .target = target};
    return true;
}
