/* model_state.c -- a model's tensors and state into safetensors and back, and weights that come from elsewhere */
#include "model_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- saving --------------------------------------------------------------------------------------------- */

bool model_state_save(Model *m, bool weights_only, Text *into, Error *err)
{
    const TensorRow *rows;
    size_t weights, count = m->family->tensors(m->impl, &rows, &weights);
    json_t *metadata = json_pack("{s:s, s:s}", "format", "lathe", "family", m->family->name);
    if (!weights_only && m->family->state) {
        json_t *state = m->family->state(m->impl);
        char *text = json_dumps(state, JSON_COMPACT);
        json_object_set_new(metadata, "state", json_string(text));
        free(text);
        json_decref(state);
    }
    bool ok = safetensors_write(rows, weights_only ? weights : count, metadata, into, err);
    json_decref(metadata);
    return ok;
}

static size_t row_bytes(const TensorRow *row)
{
    size_t n = sizeof(float);
    for (size_t i = 0; i < row->rank; i++)
        n *= row->shape[i];
    return n;
}

static void print_shape(size_t rank, const size_t *shape, Text *into)
{
    text_putc(into, '[');
    for (size_t i = 0; i < rank; i++)
        text_printf(into, "%s%zu", i ? "," : "", shape[i]);
    text_putc(into, ']');
}

static bool same_shape(const TensorRow *row, const SafeTensor *t, bool wide, Error *err)
{
    bool same = t->rank == row->rank &&
                (text_equal(t->dtype, "F32") || (wide && text_equal(t->dtype, "F64")));
    for (size_t i = 0; same && i < row->rank; i++)
        same = t->shape[i] == row->shape[i];
    if (same)
        return true;
    Text has = {0}, wants = {0};
    print_shape(t->rank, t->shape, &has);
    print_shape(row->rank, row->shape, &wants);
    error_set(
        err, ERROR_SHAPE,
        "tensor %s: the file has %s %s, this model's hyperparameters and columns make it F32 %s",
        row->name, t->dtype, text_str(&has), text_str(&wants));
    text_release(&has);
    text_release(&wants);
    return false;
}

/* All weights must be there and fit; the rest is there whole or not at all. */
static bool check_tensors(const SafeFile *f, const TensorRow *rows, size_t weights, size_t count,
                          Error *err)
{
    for (size_t i = 0; i < count; i++) {
        const SafeTensor *t = safetensors_find(f, rows[i].name);
        if (!t)
            return error_set(err, ERROR_SHAPE, "tensor %s is missing%s", rows[i].name,
                             i < weights ? "" : ": the state to go on training is not whole");
        if (!same_shape(&rows[i], t, false, err))
            return false;
    }
    if (f->count != count)
        return error_set(err, ERROR_SHAPE, "%zu tensors where this model has %zu", f->count, count);
    return true;
}

static bool restore_state(Model *m, const SafeFile *f, Error *err)
{
    const char *text = json_string_value(json_object_get(f->metadata, "state"));
    if (!text || !m->family->restore)
        return true; /* weights alone */
    json_error_t why;
    json_t *state = json_loads(text, JSON_REJECT_DUPLICATES, &why);
    bool ok = state ? m->family->restore(m->impl, state, err)
                    : error_set(err, ERROR_PARSE, "the state is not JSON: %.80s", why.text);
    json_decref(state);
    return ok;
}

/* A family that grows gets to see the lengths first. */
static bool make_room(Model *m, const SafeFile *f, Error *err)
{
    TensorRow *rows = mem_alloc(sizeof *rows * (f->count + 1));
    size_t n = 0;
    for (size_t i = 0; i < f->count; i++) {
        const SafeTensor *t = &f->tensor[i];
        if (t->rank > 4 || !text_equal(t->dtype, "F32"))
            continue; /* refused below */
        rows[n] = (TensorRow){.name = t->name, .rank = t->rank};
        memcpy(rows[n++].shape, t->shape, t->rank * sizeof *t->shape);
    }
    bool ok = m->family->reserve(m->impl, rows, n, err);
    mem_free(rows);
    return ok;
}

bool model_state_load(Model *m, const void *bytes, size_t n, Error *err)
{
    SafeFile f;
    if (!safetensors_read(&f, bytes, n, err))
        return false;
    const char *family = json_string_value(json_object_get(f.metadata, "family"));
    const TensorRow *rows = NULL;
    size_t weights = 0, count = 0;
    bool ok =
        !family || text_equal(family, m->family->name) ||
        error_set(err, ERROR_SHAPE, "weights of a %.40s, not of a %s", family, m->family->name);
    ok = ok && (!m->family->reserve || make_room(m, &f, err));
    if (ok)
        count = m->family->tensors(m->impl, &rows, &weights);
    if (!json_object_get(f.metadata, "state"))
        count = weights;
    ok = ok && check_tensors(&f, rows, weights, count, err) && restore_state(m, &f, err);
    for (size_t i = 0; ok && i < count; i++)
        memcpy(rows[i].at, safetensors_find(&f, rows[i].name)->at, row_bytes(&rows[i]));
    ok = ok && (!m->family->settle || m->family->settle(m->impl, err));
    safetensors_release(&f);
    return ok;
}

/* ---- weights from elsewhere -------------------------------------------------------------------------------- */

static bool is_finite(const SafeTensor *t)
{
    bool wide = text_equal(t->dtype, "F64"), finite = true;
    for (size_t i = 0; finite && i < t->size / (wide ? sizeof(double) : sizeof(float)); i++) {
        double v = 0.0;
        float small;
        if (wide) {
            memcpy(&v, t->at + i * sizeof v, sizeof v);
        } else {
            memcpy(&small, t->at + i * sizeof small, sizeof small);
            v = (double)small;
        }
        finite = isfinite((float)v);
    }
    return finite;
}

static void take_numbers(const TensorRow *row, const SafeTensor *t)
{
    if (text_equal(t->dtype, "F32")) {
        memcpy(row->at, t->at, row_bytes(row));
        return;
    }
    for (size_t i = 0; i < t->size / sizeof(double); i++) {
        double v;
        memcpy(&v, t->at + i * sizeof v, sizeof v);
        row->at[i] = (float)v;
    }
}

/* Each layer that is to begin anew is one of the model's. */
static bool renew_known(const char *renew, const TensorRow *rows, size_t weights, Error *err)
{
    for (const char *at = renew ? renew : ""; *at;) {
        char layer[64];
        size_t n = strcspn(at, ","), sign = *at == '-';
        bool found = false;
        snprintf(layer, sizeof layer, "%.*s", (int)(n - sign), at + sign);
        for (size_t i = 0; i < weights && !found; i++)
            found = layers_have(layer, rows[i].name);
        if (!found)
            return error_set(err, ERROR_USAGE, "renew: no layer %s; the first of the model's is %s",
                             layer, weights ? rows[0].name : "none");
        at += n + (at[n] == ',');
    }
    return true;
}

static bool take_weights(Model *m, const SafeFile *f, const char *renew, Text *said, Error *err)
{
    const TensorRow *rows;
    size_t weights, taken = 0;
    m->family->tensors(m->impl, &rows, &weights);
    if (!renew_known(renew, rows, weights, err))
        return false;
    for (int pass = 0; pass < 2; pass++) /* all are looked at before the first is taken */
        for (size_t i = 0; i < weights; i++) {
            if (layers_have(renew, rows[i].name))
                continue;
            const SafeTensor *t = safetensors_find(f, rows[i].name);
            if (!t)
                return error_set(err, ERROR_SHAPE,
                                 "tensor %s is not in the file; renew=%s begins it anew",
                                 rows[i].name, rows[i].name);
            if (!same_shape(&rows[i], t, true, err))
                return false;
            if (!pass && !is_finite(t))
                return error_set(err, ERROR_PARSE, "tensor %s has a number that is not finite", rows[i].name);
            if (pass)
                take_numbers(&rows[i], t);
            taken += pass;
        }
    text_printf(said, "%zu of %zu tensors taken", taken, weights);
    if (f->count > taken)
        text_printf(said, ", %zu more in the file left", f->count - taken);
    return true;
}

bool model_weights_take(Model *m, const void *bytes, size_t n, const char *renew, double scale, Text *said,
                        Error *err)
{
    SafeFile f;
    if (renew && *renew && m->family->reserve)
        return error_set(err, ERROR_USAGE,
                         "renew: a %s has no layers; it goes on from all of its trees",
                         m->family->name);
    if (n && *(const char *)bytes == '{') { /* safetensors begin with a length */
        return m->family->take_json
                   ? m->family->take_json(m->impl, bytes, n, scale, said, err)
                   : error_set(err, ERROR_USAGE, "a booster in JSON is nothing for a %s",
                               m->family->name);
    }
    if (!safetensors_read(&f, bytes, n, err))
        return false;
    const char *family = json_string_value(json_object_get(f.metadata, "family"));
    bool ok =
        !family || text_equal(family, m->family->name) ||
        error_set(err, ERROR_SHAPE, "weights of a %.40s, not of a %s", family, m->family->name);
    if (ok && m->family->reserve) { /* it grows: all of it, as it was */
        ok = model_state_load(m, bytes, n, err);
        text_printf(said, "%zu numbers taken", ok ? model_weights(m) : 0);
    } else
        ok = ok && take_weights(m, &f, renew, said, err);
    safetensors_release(&f);
    return ok;
}

json_t *safetensors_about(const void *bytes, size_t n, const char *key, Error *err)
{
    SafeFile f;
    if (n && *(const char *)bytes == '{') /* JSON, of somebody who says nothing of it */
        return NULL;
    if (!safetensors_read(&f, bytes, n, err))
        return NULL;
    const char *text = json_string_value(json_object_get(f.metadata, key));
    json_t *said = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
    if (text && !said) /* a plain word, as the family's */
        said = json_string(text);
    safetensors_release(&f);
    return said;
}
