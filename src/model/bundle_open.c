/* bundle_open.c -- reading a bundle: nothing in the folder is believed before it was checked.
 *
 * Sizes and checksums of the files first, then each part against the others: recipes bind to the
 * schema and to each other, features find their columns in what the last recipe leaves, the shape
 * that was trained is the shape the features give, and the weights fit the family built from it. */
#include "bundle_int.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define JSON_MOST  (256u << 20) /* bytes of a JSON file */
#define PLANS_MOST 1000
#define BATCH_MOST 1024 /* rows that the model plans its memory for */

static bool read_json(const char *dir, const char *name, json_t **out, Error *err)
{
    Text path = {0}, bytes = {0};
    json_error_t where;
    text_printf(&path, "%s/%s", dir, name);
    bool ok = file_read(text_str(&path), &bytes, JSON_MOST, err);
    if (ok) {
        *out = json_loadb(text_str(&bytes), bytes.count, JSON_REJECT_DUPLICATES, &where);
        if (!*out)
            ok = error_set(err, ERROR_PARSE, "%s: line %d: %s", name, where.line, where.text);
    }
    text_release(&path);
    text_release(&bytes);
    return ok;
}

static bool check_file(const char *dir, const char *name, const json_t *said, Error *err)
{
    json_int_t bytes;
    const char *sum;
    if (json_unpack((json_t *)said, "{s:I, s:s}", "bytes", &bytes, "sha256", &sum))
        return error_set(err, ERROR_PARSE, "bundle.json: files: %s: no size and checksum", name);
    Text path = {0};
    FileMap map;
    uint8_t digest[32];
    char hex[65];
    text_printf(&path, "%s/%s", dir, name);
    bool ok = filemap_open(&map, text_str(&path), err);
    text_release(&path);
    if (!ok)
        return false;
    ok = bytes >= 0 && map.size == (uint64_t)bytes;
    if (!ok)
        error_set(err, ERROR_PARSE,
                  "%s: has %zu bytes, expected %" JSON_INTEGER_FORMAT ": the bundle is incomplete",
                  name, map.size, bytes);
    if (ok) {
        sha256_bytes(map.at, map.size, digest);
        sha256_hex(digest, hex);
        ok = strcmp(hex, sum) == 0 || error_set(err, ERROR_PARSE,
                                                "%s: does not have the checksum in bundle.json: "
                                                "it was changed or damaged",
                                                name);
    }
    filemap_close(&map);
    return ok;
}

static bool check_files(Bundle *b, const char *dir, const json_t *files, Error *err)
{
    for (int i = 0; i < BUNDLE_FILE_COUNT; i++) {
        const json_t *said = json_object_get(files, bundle_file_names[i]);
        if (!said && bundle_file_needed[i])
            return error_set(err, ERROR_PARSE, "bundle.json: files: %s is not listed",
                             bundle_file_names[i]);
        if (said && !check_file(dir, bundle_file_names[i], said, err))
            return false;
    }
    b->has_profile = json_object_get(files, bundle_file_names[BUNDLE_PROFILE]) != NULL;
    return true;
}

static bool open_plans(Bundle *b, const char *dir, Error *err)
{
    json_t *list = NULL;
    if (!read_json(dir, "recipes.json", &list, err))
        return false;
    size_t count = json_array_size(list);
    bool ok = json_is_array(list) && count <= PLANS_MOST;
    if (!ok)
        error_set(err, ERROR_PARSE, "recipes.json: expected a list of at most %d", PLANS_MOST);
    b->plan = mem_alloc((count + 1) * sizeof(Plan *));
    b->rules = mem_alloc((count + 1) * sizeof *b->rules);
    for (size_t i = 0; ok && i < count; i++) {
        const json_t *from = json_array_get(list, i);
        const Schema *in = i ? plan_schema(b->plan[i - 1]) : &b->schema;
        b->plan[i] = plan_from_json(from, in, err);
        ok = b->plan[i] || error_in(err, "recipes.json: recipe %zu", i + 1);
        b->plans += ok;
        Recipe *text = recipe_create();
        const char *rules = json_string_value(json_object_get(from, "recipe"));
        if (ok && rules && recipe_parse(text, rules, NULL))
            b->rules[i] = recipe_count(text);
        recipe_destroy(text);
    }
    json_decref(list);
    return ok;
}

static const Schema *cleaned_schema(const Bundle *b)
{
    return b->plans ? plan_schema(b->plan[b->plans - 1]) : &b->schema;
}

static bool open_features(Bundle *b, const char *dir, const json_t *shape, Error *err)
{
    json_t *from = NULL;
    if (!read_json(dir, "features.json", &from, err))
        return false;
    b->features = features_from_json(from, err);
    json_decref(from);
    if (!b->features)
        return error_in(err, "features.json");
    for (size_t i = 0; i < features_inputs(b->features); i++)
        if (schema_find(cleaned_schema(b), features_input(b->features, i)) == SIZE_MAX)
            return error_set(err, ERROR_PARSE,
                             "features.json: no column %s comes out of the recipes",
                             features_input(b->features, i));
    json_t *given = bundle_shape_to_json(features_shape(b->features));
    bool same = json_equal(given, shape);
    json_decref(given);
    return same ||
           error_set(err, ERROR_PARSE, "bundle.json: shape: is not the one features.json gives");
}

static bool open_params(Bundle *b, const json_t *params, Error *err)
{
    const char *name;
    json_t *value;
    b->params = mem_alloc(b->family->params_size ? b->family->params_size : 1);
    params_init(b->family->params, b->params);
    if (!json_is_object(params))
        return error_set(err, ERROR_PARSE, "bundle.json: params: expected an object");
    json_object_foreach((json_t *)params, name, value)
    {
        const char *text = json_string_value(value);
        if (!text)
            return error_set(err, ERROR_PARSE, "bundle.json: params: %s: expected text", name);
        if (!params_set(b->family->params, b->params, name, text, err))
            return error_in(err, "bundle.json: params");
    }
    return true;
}

static bool open_model(Bundle *b, const char *dir, json_int_t weights, Pool *pool, Error *err)
{
    bool series = features_shape(b->features)->series != NULL; /* a row of which is a whole window */
    ModelSetup setup = {.batch_most = series ? 1 : BATCH_MOST, .pool = pool, .scores = true};
    b->model = model_create(b->family, b->params, features_shape(b->features), &setup, err);
    if (!b->model)
        return error_in(err, "bundle.json: family %s", b->family->name);
    Text path = {0};
    FileMap map;
    text_printf(&path, "%s/model.safetensors", dir);
    bool ok = filemap_open(&map, text_str(&path), err);
    text_release(&path);
    if (!ok)
        return false;
    ok = (model_state_load(b->model, map.at, map.size, err) || error_in(err, "model.safetensors")) &&
         filemap_whole(&map, "model.safetensors", err);
    filemap_close(&map);
    if (ok && (json_int_t)model_weights(b->model) != weights)
        return error_set(err, ERROR_PARSE,
                         "bundle.json: weights: says %" JSON_INTEGER_FORMAT
                         ", but the model has %zu",
                         weights, model_weights(b->model));
    return ok;
}

static bool open_profile(Bundle *b, const char *dir, Error *err)
{
    json_t *from = NULL;
    if (!b->has_profile)
        return true;
    if (!read_json(dir, "profile.json", &from, err))
        return false;
    bool ok = profile_from_json(&b->profile, from, err) || error_in(err, "profile.json");
    json_decref(from);
    return ok;
}

static bool open_parts(Bundle *b, const char *dir, const json_t *from, Pool *pool, Error *err)
{
    const char *format, *family;
    int version;
    json_int_t weights;
    json_t *params, *schema, *shape, *files, *about;
    if (json_unpack((json_t *)from, "{s:s, s:i}", "format", &format, "version", &version) ||
        strcmp(format, BUNDLE_FORMAT) != 0)
        return error_set(err, ERROR_PARSE, "bundle.json: is not a description of a model");
    if (version > BUNDLE_VERSION)
        return error_set(err, ERROR_PARSE,
                         "bundle.json: version %d, written by a newer lathe; "
                         "this one reads up to %d",
                         version, BUNDLE_VERSION);
    if (json_unpack((json_t *)from, "{s:s, s:o, s:o, s:o, s:o, s:o, s:I}", "family", &family,
                    "params", &params, "schema", &schema, "shape", &shape, "files", &files, "about",
                    &about, "weights", &weights))
        return error_set(err, ERROR_PARSE,
                         "bundle.json: a part is missing or of the wrong kind "
                         "(family, params, schema, shape, files, about, weights)");
    b->family = model_family(family);
    if (!b->family)
        return error_set(err, ERROR_PARSE, "bundle.json: no family '%s' in this version", family);
    if (!schema_from_json(&b->schema, schema, err))
        return error_in(err, "bundle.json: schema");
    b->about = json_incref(about);
    return check_files(b, dir, files, err) && open_plans(b, dir, err) &&
           open_features(b, dir, shape, err) && open_params(b, params, err) &&
           open_model(b, dir, weights, pool, err) && open_profile(b, dir, err);
}

Bundle *bundle_open(const char *dir, Pool *pool, Error *err)
{
    json_t *from = NULL;
    if (!read_json(dir, "bundle.json", &from, err)) {
        error_in(err, "%s", dir);
        return NULL;
    }
    Bundle *b = mem_alloc(sizeof *b);
    bool ok = open_parts(b, dir, from, pool, err);
    json_decref(from);
    if (ok)
        return b;
    error_in(err, "%s", dir);
    bundle_close(b);
    return NULL;
}

void bundle_close(Bundle *b)
{
    if (!b)
        return;
    model_destroy(b->model);
    if (b->params)
        params_release(b->family->params, b->params);
    mem_free(b->params);
    features_destroy(b->features);
    for (size_t i = 0; i < b->plans; i++)
        plan_destroy(b->plan[i]);
    mem_free(b->plan);
    mem_free(b->rules);
    profile_release(&b->profile);
    schema_release(&b->schema);
    json_decref(b->about);
    mem_free(b);
}

const Schema *bundle_schema(const Bundle *b)
{
    return &b->schema;
}

const Features *bundle_features(const Bundle *b)
{
    return b->features;
}

const Profile *bundle_profile(const Bundle *b)
{
    return b->has_profile ? &b->profile : NULL;
}

const json_t *bundle_about(const Bundle *b)
{
    return b->about;
}

const ModelFamily *bundle_family(const Bundle *b)
{
    return b->family;
}

size_t bundle_plans(const Bundle *b)
{
    return b->plans;
}

const Plan *bundle_plan(const Bundle *b, size_t i)
{
    return b->plan[i];
}
