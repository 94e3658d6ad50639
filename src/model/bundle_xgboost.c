/* bundle_xgboost.c -- a bundle's booster as XGBoost's model file: its trees, and in the attribute "lathe" how the
 * inputs are made of columns. What the file cannot say is noted. */
#include "bundle_int.h"
#include "model_int.h"

#include <stdlib.h>

static void note(json_t *notes, const char *text)
{
    json_array_append_new(notes, json_string(text));
}

/* A setting of the run that trained it; NULL where the bundle does not say. */
static const char *setting(const Bundle *b, const char *key)
{
    return json_string_value(json_object_get(json_object_get(b->about, "params"), key));
}

static double number(const Bundle *b, const char *key, double otherwise)
{
    const char *text = setting(b, key);
    return text ? strtod(text, NULL) : otherwise;
}

static int loss_of(const Bundle *b)
{
    const char *name = setting(b, "loss");
    for (int i = 0; name && loss_names[i]; i++)
        if (text_equal(loss_names[i], name))
            return i;
    return 0;
}

static void add_notes(const Bundle *b, int loss, json_t *notes)
{
    if (bundle_recipes_write(b))
        note(notes, "the recipe is not part of it: the inputs are made of columns as the recipe leaves them");
    if (loss == LOSS_QUANTILE + 1)
        note(notes, "XGBoost 1.7 has no quantile loss: it predicts the same, and would go on by squared errors");
}

bool bundle_xgboost(const Bundle *b, Text *into, json_t *notes, Error *err)
{
    const ModelShape *s = features_shape(b->features);
    BoosterUnits u = {.scale = 1.0,
                      .loss = loss_of(b),
                      .delta = number(b, "huber_delta", 1.0),
                      .power = number(b, "tweedie_power", 1.5)};
    if (!b->family->xgboost)
        return error_set(err, ERROR_USAGE, "XGBoost has no %s; gbdt can be written for it",
                         b->family->name);
    if (s->task == TASK_REGRESSION && !bundle_is_linear(b, &u.scale, &u.shift) && !s->log_link)
        return error_set(
            err, ERROR_USAGE,
            "the target was transformed by a logarithm, which XGBoost's file cannot say;"
            " train with transform_target=none");
    if (s->log_link)
        u.scale = features_target_scale(b->features);
    json_t *features = features_to_json(b->features);
    char *about = json_dumps(features, JSON_COMPACT | JSON_REAL_PRECISION(17));
    u.about = about ? about : "";
    bool ok = model_xgboost(b->model, &u, into, err);
    if (ok)
        add_notes(b, u.loss, notes);
    free(about);
    json_decref(features);
    return ok;
}
