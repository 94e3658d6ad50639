/* answer.c -- predictions as the two protocols say them.
 *
 *     {"predictions": [12.5, null], "dropped_by": [0, 3]}
 *     {"predictions": ["yes"], "classes": ["no", "yes"], "probabilities": [[0.2, 0.8]]}
 *
 * null is a row that a rule of the recipe dropped; dropped_by, which is there only if some row was,
 * has the rule's number, 0 where the row was kept. v2 says the same as tensors named after the
 * target, "probabilities" and "dropped_by". Numbers have all digits. Who asks
 * for them is given the ids of the predictions as text ("prediction_ids"), for /feedback. The first form is
 * written by hand: it is the one that is asked for thousands of times a second.
 *
 * A model of series says what comes after the rows it was sent: as many predictions as groups times steps,
 *
 *     {"predictions": [{"group": "a", "time": "2019-02-01 00:00:00", "step": 1, "prediction": 7.5, "q0.1": 5.1, ...}]}
 *
 * in v2 the tensors "group", "time", "step", the target, and "quantiles" [rows][levels]. */
#include "serve_int.h"

#include <math.h>
#include <stdlib.h>

const char *answer_said(const Scorer *s, const Prediction *p)
{
    const Features *f = bundle_features(s->bundle);
    if (!p->kept || features_shape(f)->task == TASK_REGRESSION)
        return "";
    const char *name = features_class(f, (size_t)p->class);
    return name ? name : "";
}

static json_t *number(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

static json_t *name_of(const Features *f, size_t class)
{
    json_t *text = json_string(features_class(f, class));
    return text ? text : json_null();
}

static json_t *said(const Scorer *s, const Prediction *p)
{
    const Features *f = bundle_features(s->bundle);
    if (!p->kept)
        return json_null();
    if (features_shape(f)->task == TASK_REGRESSION)
        return number(p->value);
    return name_of(f, (size_t)p->class);
}

static json_t *share_of(const Prediction *p, size_t class)
{
    if (!p->kept)
        return json_null();
    return number(p->share ? (double)p->share[class] : class ? p->value : 1 - p->value);
}

static size_t classes_of(const Scorer *s)
{
    const ModelShape *shape = features_shape(bundle_features(s->bundle));
    return shape->task == TASK_REGRESSION ? 0 : shape->task == TASK_BINARY ? 2 : shape->classes;
}

/* NULL when every row was kept. */
static json_t *dropped(const Scorer *s)
{
    json_t *list = json_array();
    bool any = false;
    for (size_t i = 0; i < s->said.count; i++) {
        any = any || !s->said.at[i].kept;
        json_array_append_new(list, json_integer(s->said.at[i].dropped_by));
    }
    if (any)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *all_said(const Scorer *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->said.count; i++)
        json_array_append_new(list, said(s, &s->said.at[i]));
    return list;
}

static json_t *all_forecast(const Scorer *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->rows; i++)
        json_array_append_new(list, forecast_json(s->bundle, &s->row[i]));
    return list;
}

static double share_value(const Prediction *p, size_t class)
{
    return p->share ? (double)p->share[class] : class ? p->value : 1 - p->value;
}

static void put_said(const Scorer *s, const Prediction *p, bool number, Text *into)
{
    if (!p->kept)
        text_puts(into, "null");
    else if (number)
        put_json_number(p->value, into);
    else
        put_json_text(answer_said(s, p), into);
}

static void put_classes(const Scorer *s, size_t classes, Text *into)
{
    const Features *f = bundle_features(s->bundle);
    text_puts(into, ",\"classes\":[");
    for (size_t k = 0; k < classes; k++) {
        const char *name = features_class(f, k);
        if (k)
            text_putc(into, ',');
        put_json_text(name ? name : "", into);
    }
    text_puts(into, "],\"probabilities\":[");
    for (size_t i = 0; i < s->said.count; i++) {
        const Prediction *p = &s->said.at[i];
        text_puts(into, i ? ",[" : "[");
        for (size_t k = 0; k < classes; k++) {
            if (k)
                text_putc(into, ',');
            put_json_number(p->kept ? share_value(p, k) : (double)NAN, into);
        }
        text_putc(into, ']');
    }
    text_putc(into, ']');
}

static void put_dropped(const Scorer *s, Text *into)
{
    bool any = false;
    for (size_t i = 0; i < s->said.count; i++)
        any = any || !s->said.at[i].kept;
    if (!any)
        return;
    text_puts(into, ",\"dropped_by\":[");
    for (size_t i = 0; i < s->said.count; i++)
        text_printf(into, i ? ",%u" : "%u", (unsigned)s->said.at[i].dropped_by);
    text_putc(into, ']');
}

/* As text: many programs read JSON's numbers as doubles. */
static json_t *all_ids(const Scorer *s, int64_t first)
{
    json_t *ids = json_array();
    for (size_t i = 0; i < s->said.count; i++)
        json_array_append_new(ids, json_sprintf("%lld", (long long)(first + (int64_t)i)));
    return ids;
}

static void put_forecast(const Scorer *s, int64_t first, Text *into)
{
    json_t *o = json_pack("{s:o}", "predictions", all_forecast(s));
    if (first)
        json_object_set_new(o, "prediction_ids", all_ids(s, first));
    char *text = json_dumps(o, JSON_COMPACT);
    text_puts(into, text ? text : "{}");
    free(text);
    json_decref(o);
}

void answer_mlflow(const Scorer *s, int64_t first, Text *into)
{
    if (scorer_forecasts(s)) {
        put_forecast(s, first, into);
        return;
    }
    size_t classes = classes_of(s);
    text_puts(into, "{\"predictions\":[");
    for (size_t i = 0; i < s->said.count; i++) {
        if (i)
            text_putc(into, ',');
        put_said(s, &s->said.at[i], !classes, into);
    }
    text_putc(into, ']');
    if (classes)
        put_classes(s, classes, into);
    put_dropped(s, into);
    for (size_t i = 0; first && i < s->said.count; i++) {
        text_puts(into, i ? ",\"" : ",\"prediction_ids\":[\"");
        text_add_int(into, first + (int64_t)i);
        text_putc(into, '"');
    }
    text_puts(into, first && s->said.count ? "]}" : "}");
}

static void add_tensor(json_t *outputs, const char *name, const char *type, size_t rows,
                       size_t columns, json_t *data)
{
    json_t *shape = columns ? json_pack("[I,I]", (json_int_t)rows, (json_int_t)columns)
                            : json_pack("[I]", (json_int_t)rows);
    json_array_append_new(outputs, json_pack("{s:s, s:o, s:s, s:o}", "name", name, "shape", shape,
                                             "datatype", type, "data", data));
}

/* One key of every forecast as a tensor. */
static void add_key(const json_t *all, json_t *outputs, const char *name, const char *key,
                    const char *type)
{
    json_t *data = json_array();
    for (size_t i = 0; i < json_array_size(all); i++)
        json_array_append(data, json_object_get(json_array_get(all, i), key));
    add_tensor(outputs, name, type, json_array_size(all), 0, data);
}

static void add_ids(const Scorer *s, int64_t first, json_t *outputs)
{
    if (first)
        add_tensor(outputs, "prediction_ids", "BYTES", s->said.count, 0, all_ids(s, first));
}

static json_t *forecast_tensors(const Scorer *s)
{
    const Features *f = bundle_features(s->bundle);
    size_t levels = features_shape(f)->series->levels;
    json_t *all = all_forecast(s), *outputs = json_array(), *quantiles = json_array();
    if (*features_group(f))
        add_key(all, outputs, "group", "group", "BYTES");
    add_key(all, outputs, "time", "time", "BYTES");
    add_key(all, outputs, "step", "step", "INT64");
    add_key(all, outputs, features_target(f), "prediction", "FP64");
    for (size_t i = 0; i < s->rows; i++)
        for (size_t k = 0; k < levels; k++)
            json_array_append_new(quantiles, number(s->row[i].quantile[k]));
    add_tensor(outputs, "quantiles", "FP64", s->rows, levels, quantiles);
    json_decref(all);
    return outputs;
}

static json_t *score_tensors(const Scorer *s)
{
    json_t *outputs = json_array(), *drops = dropped(s);
    size_t classes = classes_of(s), rows = s->said.count;
    add_tensor(outputs, features_target(bundle_features(s->bundle)), classes ? "BYTES" : "FP64",
               rows, 0, all_said(s));
    if (classes) {
        json_t *shares = json_array();
        for (size_t i = 0; i < rows; i++)
            for (size_t k = 0; k < classes; k++)
                json_array_append_new(shares, share_of(&s->said.at[i], k));
        add_tensor(outputs, "probabilities", "FP64", rows, classes, shares);
    }
    if (drops)
        add_tensor(outputs, "dropped_by", "UINT16", rows, 0, drops);
    return outputs;
}

json_t *answer_infer(const Scorer *s, const ServeModel *m, int64_t first, json_t *id)
{
    json_t *outputs = scorer_forecasts(s) ? forecast_tensors(s) : score_tensors(s);
    add_ids(s, first, outputs);
    json_t *o = json_pack("{s:s, s:s, s:o}", "model_name", m->name, "model_version", m->version,
                          "outputs", outputs);
    if (id)
        json_object_set(o, "id", id);
    return o;
}

static void describe(json_t *outputs, const char *name, const char *type, size_t columns)
{
    json_t *shape = columns ? json_pack("[i,I]", -1, (json_int_t)columns) : json_pack("[i]", -1);
    json_array_append_new(
        outputs, json_pack("{s:s, s:s, s:o}", "name", name, "datatype", type, "shape", shape));
}

static void describe_outputs(const Features *f, json_t *outputs)
{
    const ModelShape *shape = features_shape(f);
    bool number_out = shape->task == TASK_REGRESSION;
    if (shape->series) {
        if (*features_group(f))
            describe(outputs, "group", "BYTES", 0);
        describe(outputs, "time", "BYTES", 0);
        describe(outputs, "step", "INT64", 0);
    }
    describe(outputs, features_target(f), number_out ? "FP64" : "BYTES", 0);
    if (shape->series)
        describe(outputs, "quantiles", "FP64", shape->series->levels);
    if (!number_out)
        describe(outputs, "probabilities", "FP64", shape->task == TASK_BINARY ? 2 : shape->classes);
}

json_t *answer_metadata(const Bundle *b, const Intake *in, const ServeModel *m)
{
    json_t *inputs = json_array(), *outputs = json_array();
    for (size_t i = 0; i < in->inputs; i++) {
        const Field *field = &in->schema->field[in->input[i]];
        json_array_append_new(inputs, json_pack("{s:s, s:s, s:[i]}", "name", field->name,
                                                "datatype", infer_type(field->type), "shape", -1));
    }
    describe_outputs(bundle_features(b), outputs);
    return json_pack("{s:s, s:[s], s:s, s:o, s:o}", "name", m->name, "versions", m->version,
                     "platform", "lathe", "inputs", inputs, "outputs", outputs);
}
