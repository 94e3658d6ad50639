/* bundle_int.h -- what bundle_save.c, bundle_open.c and bundle_score.c share.
 *
 * The folder, every file a JSON text but the weights:
 *
 *     bundle.json        { "format": "lathe-bundle", "version": 1, "program": "0.1.0",
 *                          "family": "mlp", "params": { "hidden": "128,128", ... },
 *                          "schema": [ ... ], "shape": { "dense", "codes", "cardinality",
 *                          "task", "classes", "outputs" }, "weights": 12345, "about": { ... },
 *                          "files": { "features.json": { "bytes": n, "sha256": "hex" }, ... } }
 *     recipes.json       [ plan, ... ] with fitted state, in the order they are applied
 *     features.json      see src/feature/save.c
 *     model.safetensors  the weights
 *     profile.json       of the raw training rows; absent if none was given */
#ifndef LATHE_BUNDLE_INT_H
#define LATHE_BUNDLE_INT_H

#include <lathe/model.h>

#define BUNDLE_VERSION 1
#define BUNDLE_FORMAT  "lathe-bundle"

#define BUNDLE_FILES(X) /* name, must be there */ \
    X(RECIPES,  "recipes.json",      true)        \
    X(FEATURES, "features.json",     true)        \
    X(WEIGHTS,  "model.safetensors", true)        \
    X(PROFILE,  "profile.json",      false)
#define AS_ENUM(name, file, needed) BUNDLE_##name,
typedef enum BundleFile { BUNDLE_FILES(AS_ENUM) BUNDLE_FILE_COUNT } BundleFile;
#undef AS_ENUM
extern const char *const bundle_file_names[];
extern const bool bundle_file_needed[];

struct Bundle {
    Schema schema;
    Plan **plan;
    size_t *rules;          /* [plans] in each recipe, those switched off counted */
    size_t plans;
    Features *features;
    const ModelFamily *family;
    void *params;
    Model *model;
    Profile profile;
    bool has_profile;
    json_t *about;
};

/* A regression whose raw units are its score times scale plus shift. */
bool bundle_is_linear(const Bundle *b, double *scale, double *shift);
/* Does a recipe make or change what the features read? */
bool bundle_recipes_write(const Bundle *b);
json_t *bundle_shape_to_json(const ModelShape *s);
json_t *bundle_params_to_json(const ModelFamily *f, const void *params);

#endif
