/* model.c -- a model of any family: creating, stepping, scoring */
#include "model_int.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define AS_NAME(name, text, ...) text,
const char *const loss_names[] = {"auto", LOSSES(AS_NAME) NULL};
const char *const optimizer_names[] = {OPTIMIZERS(AS_NAME) NULL};

/* ---- shapes and losses ------------------------------------------------------------------------------ */

static LossFits fits_of(const ModelShape *s)
{
    return s->series                    ? LOSS_FITS_SERIES
           : s->log_link                ? LOSS_FITS_RATE
           : s->task == TASK_REGRESSION ? LOSS_FITS_NUMBER
           : s->task == TASK_BINARY     ? LOSS_FITS_TWO
                                        : LOSS_FITS_CLASSES;
}

/* Where a number fits, so does a rate: its loss has the target prepared for it. */
static void loss_names_of(LossFits fits, Text *into)
{
    unsigned any = fits == LOSS_FITS_NUMBER ? fits | LOSS_FITS_RATE : fits;
    for (int i = 0; i < LOSS_COUNT; i++)
        if (losses[i].fits & any)
            text_printf(into, "%s%s", into->count ? ", " : "", losses[i].name);
}

bool loss_choose(const ModelShape *shape, int loss, LossKind *out, Error *err)
{
    LossFits fits = fits_of(shape);
    for (int i = 0; i < LOSS_COUNT; i++)
        if (losses[i].fits & fits && (loss == 0 || loss == i + 1)) {
            *out = (LossKind)i; /* auto: the first that fits */
            return true;
        }
    Text fitting = {0};
    loss_names_of(fits, &fitting);
    error_set(err, ERROR_USAGE, "loss=%s does not fit a %s target%s; these do: %s",
              loss_names[loss], task_name(shape->task),
              shape->series     ? " of a series"
              : shape->log_link ? " with transform_target=mean"
                                : "",
              text_str(&fitting));
    text_release(&fitting);
    return false;
}

bool model_takes_loss(const ModelShape *shape, int loss, Error *err)
{
    LossKind kind;
    return loss_choose(shape, loss, &kind, err);
}

size_t shape_classes(const ModelShape *shape)
{
    return shape->task == TASK_REGRESSION ? 0 : shape->classes;
}

static const SeriesShape *copy_series(Arena *a, const SeriesShape *from)
{
    SeriesShape *s = ARENA_NEW(a, SeriesShape, 1);
    SeriesInput *input = ARENA_NEW(a, SeriesInput, from->inputs + 1);
    float *level = ARENA_NEW(a, float, from->levels + 1);
    *s = *from;
    for (size_t i = 0; i < from->inputs; i++) {
        input[i] = from->input[i];
        input[i].name = arena_text(a, from->input[i].name);
    }
    memcpy(level, from->level, from->levels * sizeof *level);
    s->input = input;
    s->level = level;
    return s;
}

static void copy_shape(Model *m, const ModelShape *from)
{
    m->shape = *from;
    int32_t *cardinality = ARENA_NEW(&m->arena, int32_t, from->codes + 1);
    if (from->codes)
        memcpy(cardinality, from->cardinality, from->codes * sizeof *cardinality);
    m->shape.cardinality = cardinality;
    const char **names[2] = {NULL, NULL};
    const char *const *given[2] = {from->dense_name, from->code_name};
    size_t counts[2] = {from->dense, from->codes};
    for (size_t k = 0; k < 2; k++) {
        if (!given[k])
            continue;
        names[k] = ARENA_NEW(&m->arena, const char *, counts[k] + 1);
        for (size_t i = 0; i < counts[k]; i++)
            names[k][i] = arena_text(&m->arena, given[k][i]);
    }
    m->shape.dense_name = names[0];
    m->shape.code_name = names[1];
    if (from->series)
        m->shape.series = copy_series(&m->arena, from->series);
}

/* ---- life --------------------------------------------------------------------------------------------- */

Model *model_create(const ModelFamily *f, const void *params, const ModelShape *shape,
                    const ModelSetup *setup, Error *err)
{
    if (shape->dense + shape->codes == 0) {
        error_set(err, ERROR_SHAPE, "a model needs at least one input column");
        return NULL;
    }
    if ((shape->series != NULL) != (f->series != NULL)) {
        error_set(err, ERROR_SHAPE,
                  shape->series ? "a %s knows no series" : "a %s needs rows of series", f->name);
        return NULL;
    }
    if (shape->missing && !f->takes_missing) {
        error_set(err, ERROR_USAGE,
                  "numbers=raw leaves missing values as they are, which a %s cannot take;"
                  " use numbers=auto",
                  f->name);
        return NULL;
    }
    if (setup->freeze && *setup->freeze && f->whole_batch) {
        error_set(err, ERROR_USAGE,
                  "freeze: a %s has no layers; new trees leave the others as they are", f->name);
        return NULL;
    }
    Model *m = mem_alloc(sizeof *m);
    m->family = f;
    copy_shape(m, shape);
    m->setup = *setup;
    if (m->setup.batch_most == 0)
        m->setup.batch_most = 1;
    size_t classes = shape_classes(shape);
    if (setup->class_weight && classes) {
        float *own = ARENA_NEW(&m->arena, float, classes);
        memcpy(own, setup->class_weight, classes * sizeof *own);
        m->setup.class_weight = own;
    }
    m->impl = f->create(params, &m->shape, &m->setup, err);
    if (m->impl)
        return m;
    model_destroy(m);
    return NULL;
}

void model_destroy(Model *m)
{
    if (!m)
        return;
    if (m->impl)
        m->family->destroy(m->impl);
    arena_release(&m->arena);
    mem_free(m);
}

const ModelFamily *model_family_of(const Model *m)
{
    return m->family;
}

bool model_step(Model *m, const Batch *b, const Knobs *k, StepStats *out, Error *err)
{
    return m->family->step(m->impl, b, k, out, err);
}

bool model_pretrain(Model *m, const Batch *b, const Knobs *k, StepStats *out, Error *err)
{
    return m->family->pretrain(m->impl, b, k, out, err);
}

double model_missed(Model *m, const Batch *b)
{
    return m->family->missed(m->impl, b);
}

void model_pretrained(Model *m)
{
    m->family->pretrained(m->impl);
}

void model_predict(Model *m, const Batch *b, float *out)
{
    if (b->rows)
        m->family->predict(m->impl, b, out);
}

size_t model_predict_more(Model *m, const Batch *b, size_t from, float *out)
{
    if (m->family->predict_more)
        return m->family->predict_more(m->impl, b, from, out);
    model_predict(m, b, out);
    return 0;
}

static int gained_more(const void *a, const void *b)
{
    const Importance *x = a, *y = b;
    if (x->gain != y->gain)
        return x->gain > y->gain ? -1 : 1;
    return strcmp(x->name, y->name);
}

Importance *model_importance(const Model *m, size_t *n)
{
    const ModelShape *s = &m->shape;
    *n = 0;
    if (!m->family->importance)
        return NULL;
    Importance *all = mem_alloc(sizeof *all * (s->dense + s->codes));
    m->family->importance(m->impl, all);
    for (size_t i = 0; i < s->dense + s->codes; i++) {
        if (!all[i].splits)
            continue;
        all[*n] = all[i];
        all[(*n)++].name = model_input(m, i);
    }
    qsort(all, *n, sizeof *all, gained_more);
    return all;
}

#define LAYERS_MOST 512

json_t *model_layers(const Model *m, size_t rows)
{
    if (!m->family->layers)
        return NULL;
    LayerStats *s = mem_alloc(sizeof *s * LAYERS_MOST);
    size_t n = m->family->layers(m->impl, rows, s, LAYERS_MOST);
    json_t *list = json_array();
    for (size_t i = 0; i < n && i < LAYERS_MOST; i++) {
        json_t *bins = json_array();
        for (size_t k = 0; k < LAYER_BINS; k++)
            json_array_append_new(bins, json_integer(s[i].bin[k]));
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:f, s:f, s:f, s:f, s:f, s:I, s:o}", "layer",
                                        s[i].name, "what", s[i].gradient ? "gradient" : "output",
                                        "mean", s[i].mean, "deviation", s[i].deviation, "zero",
                                        s[i].zero, "least", s[i].least, "most", s[i].most, "broken",
                                        (json_int_t)s[i].broken, "histogram", bins));
    }
    mem_free(s);
    return list;
}

const char *model_onnx(Model *m, Onnx *o, const char *dense, const char *codes, Error *err)
{
    if (m->family->onnx)
        return m->family->onnx(m->impl, o, dense, codes, err);
    error_set(
        err, ERROR_USAGE,
        m->shape.series
            ? "a %s forecasts from a table's past, which an ONNX model of rows is not given: lathe "
              "serve and predict do it, format=safetensors writes the weights"
            : "a %s cannot be said in ONNX yet",
        m->family->name);
    return NULL;
}

bool model_xgboost(const Model *m, const BoosterUnits *u, Text *into, Error *err)
{
    return m->family->xgboost(m->impl, u, into, err);
}

const char *model_input(const Model *m, size_t i)
{
    const ModelShape *s = &m->shape;
    const char *const *names = i < s->dense ? s->dense_name : s->code_name;
    return names ? names[i < s->dense ? i : i - s->dense] : "";
}

bool model_shares(Model *m, const Batch *b, SeriesShares *out, Error *err)
{
    if (!m->family->shares)
        return error_set(err, ERROR_USAGE, "a %s has no weights for its inputs to show; a tft has",
                         m->family->name);
    m->family->shares(m->impl, b, m->shape.series, out);
    return true;
}

bool model_contributions(const Model *m, const Batch *b, double *out, Error *err)
{
    if (!m->family->contributions)
        return error_set(err, ERROR_USAGE, "a %s cannot say what each input adds; a gbdt can",
                         m->family->name);
    m->family->contributions(m->impl, b, out);
    return true;
}

size_t model_weights(const Model *m)
{
    const TensorRow *rows;
    size_t weights, numbers = 0;
    m->family->tensors(m->impl, &rows, &weights);
    for (size_t i = 0; i < weights; i++) {
        size_t n = 1;
        for (size_t k = 0; k < rows[i].rank; k++)
            n *= rows[i].shape[k];
        numbers += n;
    }
    return numbers;
}

double model_loss(const Model *m, const Batch *b, const float *out)
{
    LossKind kind;
    if (b->rows == 0 || !loss_choose(&m->shape, m->setup.loss, &kind, NULL))
        return (double)NAN;
    LossJob job = {.out = out,
                   .target = b->target,
                   .weight = b->weight,
                   .class_weight = shape_classes(&m->shape) ? m->setup.class_weight : NULL,
                   .rows = b->rows,
                   .width = m->shape.outputs,
                   .delta = m->setup.huber_delta > 0 ? (float)m->setup.huber_delta : 1.0f,
                   .quantile = m->setup.quantile > 0 ? (float)m->setup.quantile : 0.5f,
                   .power = m->setup.tweedie_power > 0 ? (float)m->setup.tweedie_power : 1.5f,
                   .level = m->shape.series ? m->shape.series->level : NULL,
                   .levels = m->shape.series ? m->shape.series->levels : 0};
    return losses[kind].sum(&job) / loss_weight_sum(&job);
}

void model_scores_to_outputs(const ModelShape *s, float *out, size_t rows)
{
    for (size_t i = 0; s->log_link && i < rows * s->outputs; i++)
        out[i] = expf(out[i]);
    if (s->task == TASK_BINARY)
        for (size_t i = 0; i < rows; i++)
            out[i] = (float)(1.0 / (1.0 + exp(-(double)out[i])));
    for (size_t i = 0; s->task == TASK_MULTICLASS && i < rows; i++, out += s->outputs) {
        double most = (double)out[0], total = 0;
        for (size_t k = 1; k < s->outputs; k++)
            most = fmax(most, (double)out[k]);
        for (size_t k = 0; k < s->outputs; k++)
            total += exp((double)out[k] - most);
        for (size_t k = 0; k < s->outputs; k++)
            out[k] = (float)(exp((double)out[k] - most) / total);
    }
}
