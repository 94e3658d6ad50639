/* save.c -- Features as JSON and back, exact to the bit.
 *
 *     { "format": "lathe-features", "version": 1,
 *       "inputs": [ { "name", "type", "encoder", "missing", "at", "fitted": { ... } }, ... ],
 *       "target": { "name", "type", "task", "form", "mean", "scale", ... } or null,
 *       "series": { "group", "time", "step", "window", "horizon", "levels", "kinds" } where there are,
 *       "notes": [ "ZIP left out: constant", ... ] }
 *
 * Doubles are written with 17 digits, which read back the same. */
#include "feature_int.h"

#define INPUTS_MOST 100000

json_t *features_to_json(const Features *f)
{
    json_t *inputs = json_array();
    for (size_t i = 0; i < f->inputs; i++) {
        const Input *in = &f->input[i];
        json_array_append_new(inputs,
                              json_pack("{s:s, s:s, s:s, s:b, s:I, s:o}", "name", in->name, "type",
                                        column_type_name(in->type), "encoder", in->encoder->name,
                                        "missing", (int)in->missing, "at", (json_int_t)in->hint,
                                        "fitted", in->encoder->save(in)));
    }
    return json_pack("{s:s, s:i, s:o, s:o, s:o*, s:O}", "format", "lathe-features", "version", 1,
                     "inputs", inputs, "target",
                     f->target.name ? target_save(&f->target) : json_null(), "series",
                     f->series ? series_save(f->series) : NULL, "notes", f->notes);
}

static bool load_input(Input *in, const json_t *from, Error *err)
{
    const char *name, *type, *encoder;
    int missing;
    json_int_t at;
    const json_t *fitted;
    if (json_unpack((json_t *)from, "{s:s, s:s, s:s, s:b, s:I, s:o}", "name", &name, "type", &type,
                    "encoder", &encoder, "missing", &missing, "at", &at, "fitted", &fitted))
        return error_set(err, ERROR_PARSE, "a field is missing or of the wrong kind");
    in->name = text_copy(name);
    in->missing = missing != 0;
    in->hint = at < 0 ? 0 : (size_t)at;
    const Encoder *known = encoder_find(encoder);
    if (!known)
        return error_set(err, ERROR_PARSE, "%s: no encoder '%s' in this version", name, encoder);
    if (!column_type_parse(type, &in->type) || !(known->accepts & TYPE_BIT(in->type)))
        return error_set(err, ERROR_PARSE, "%s: type '%s' does not fit encoder %s", name, type,
                         encoder);
    in->encoder = known;
    return known->load(in, fitted, err) || error_in(err, "%s", name);
}

static bool load(Features *f, const json_t *from, Error *err)
{
    const json_t *inputs = json_object_get(from, "inputs");
    const json_t *target = json_object_get(from, "target");
    const json_t *notes = json_object_get(from, "notes");
    if (!text_equal(json_string_value(json_object_get(from, "format")), "lathe-features"))
        return error_set(err, ERROR_PARSE, "expected a lathe-features object");
    if (json_integer_value(json_object_get(from, "version")) != 1)
        return error_set(err, ERROR_PARSE, "written by a newer version of lathe");
    size_t count = json_array_size(inputs);
    if (!count || count > INPUTS_MOST || !json_is_array(notes) || !target)
        return error_set(err, ERROR_PARSE, "inputs, target or notes are missing");
    f->input = mem_alloc(count * sizeof *f->input);
    for (size_t i = 0; i < count; i++) {
        f->inputs++; /* so that a failed one is released too */
        if (!load_input(&f->input[i], json_array_get(inputs, i), err))
            return error_in(err, "inputs");
    }
    f->notes = json_deep_copy(notes);
    f->target.scale = 1.0;
    const json_t *series = json_object_get(from, "series");
    return (json_is_null(target) || target_load(&f->target, target, err)) &&
           (!series || series_load(f, series, err) || error_in(err, "series"));
}

Features *features_from_json(const json_t *from, Error *err)
{
    Features *f = mem_alloc(sizeof *f);
    if (!load(f, from, err)) {
        features_destroy(f);
        return NULL;
    }
    features_lay_out(f);
    return f;
}
