/* bundle_weights.c -- a bundle as one safetensors file.
 *
 * The tensors are the model's, by their names. The metadata holds what the other files of the bundle
 * say, each as a JSON text: family, params, schema, recipes, features, about; so the file stands alone
 * and can be the beginning of another training (from=FILE). */
#include "bundle_int.h"
#include "model_int.h"

#include <stdlib.h>

static void set_text(json_t *into, const char *key, json_t *takes)
{
    char *text = json_dumps(takes, JSON_COMPACT | JSON_ENCODE_ANY);
    if (text)
        json_object_set_new(into, key, json_string(text));
    free(text);
    json_decref(takes);
}

bool bundle_safetensors(Bundle *b, Text *into, Error *err)
{
    const TensorRow *rows;
    size_t weights;
    b->family->tensors(b->model->impl, &rows, &weights);
    json_t *recipes = json_array();
    for (size_t i = 0; i < b->plans; i++)
        json_array_append_new(recipes, plan_to_json(b->plan[i]));
    json_t *metadata = json_pack("{s:s, s:s}", "format", "lathe", "family", b->family->name);
    set_text(metadata, "params", bundle_params_to_json(b->family, b->params));
    set_text(metadata, "shape", bundle_shape_to_json(features_shape(b->features)));
    set_text(metadata, "schema", schema_to_json(&b->schema));
    set_text(metadata, "recipes", recipes);
    set_text(metadata, "features", features_to_json(b->features));
    set_text(metadata, "about", json_incref(b->about));
    bool ok = safetensors_write(rows, weights, metadata, into, err);
    json_decref(metadata);
    return ok;
}
