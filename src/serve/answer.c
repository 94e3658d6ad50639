/* answer.c -- predictions as the two protocols say them.
 *
 *     {"predictions": [12.5, null], "dropped_by": [0, 3]}
 *     {"predictions": ["yes"], "classes": ["no", "yes"], "probabilities": [[0.2, 0.8]]}
 *
 * null is a row that a rule of the recipe dropped; dropped_by, which is there only if some row was,
 * has the rule's number, 0 where the row was kept. v2 says the same as tensors named after the
 * target, "probabilities" and "dropped_by". Numbers have all digits. */
#include "serve_int.h"

#include <math.h>

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

json_t *answer_mlflow(const Scorer *s)
{
    json_t *o = json_pack("{s:o}", "predictions", all_said(s));
    size_t classes = classes_of(s);
    if (classes) {
        json_t *names = json_array(), *shares = json_array();
        for (size_t k = 0; k < classes; k++)
            json_array_append_new(names, name_of(bundle_features(s->bundle), k));
        for (size_t i = 0; i < s->said.count; i++) {
            json_t *row = json_array();
            for (size_t k = 0; k < classes; k++)
                json_array_append_new(row, share_of(&s->said.at[i], k));
            json_array_append_new(shares, row);
        }
        json_object_set_new(o, "classes", names);
        json_object_set_new(o, "probabilities", shares);
    }
    json_t *drops = dropped(s);
    if (drops)
        json_object_set_new(o, "dropped_by", drops);
    return o;
}

static void add_tensor(json_t *outputs, const char *name, const char *type, size_t rows,
                       size_t columns, json_t *data)
{
    json_t *shape = columns ? json_pack("[I,I]", (json_int_t)rows, (json_int_t)columns)
                            : json_pack("[I]", (json_int_t)rows);
    json_array_append_new(outputs, json_pack("{s:s, s:o, s:s, s:o}", "name", name, "shape", shape,
                                             "datatype", type, "data", data));
}

json_t *answer_infer(const Scorer *s, const ServeModel *m, json_t *id)
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
    json_t *o = json_pack("{s:s, s:s, s:o}", "model_name", m->name, "model_version", m->version,
                          "outputs", outputs);
    if (id)
        json_object_set(o, "id", id);
    return o;
}

json_t *answer_metadata(const Bundle *b, const Intake *in, const ServeModel *m)
{
    const Features *f = bundle_features(b);
    bool number_out = features_shape(f)->task == TASK_REGRESSION;
    json_t *inputs = json_array(), *outputs = json_array();
    for (size_t i = 0; i < in->inputs; i++) {
        const Field *field = &in->schema->field[in->input[i]];
        json_array_append_new(inputs, json_pack("{s:s, s:s, s:[i]}", "name", field->name,
                                                "datatype", infer_type(field->type), "shape", -1));
    }
    json_array_append_new(outputs,
                          json_pack("{s:s, s:s, s:[i]}", "name", features_target(f), "datatype",
                                    number_out ? "FP64" : "BYTES", "shape", -1));
    if (!number_out)
        json_array_append_new(
            outputs,
            json_pack(
                "{s:s, s:s, s:[i,i]}", "name", "probabilities", "datatype", "FP64", "shape", -1,
                (int)(features_shape(f)->task == TASK_BINARY ? 2 : features_shape(f)->classes)));
    return json_pack("{s:s, s:[s], s:s, s:o, s:o}", "name", m->name, "versions", m->version,
                     "platform", "lathe", "inputs", inputs, "outputs", outputs);
}
