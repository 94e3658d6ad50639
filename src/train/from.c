/* from.c -- training that begins with weights from elsewhere: a run's model, a safetensors file, or a
 * booster in XGBoost's JSON.
 *
 * At submission the weights become DIR/runs/ID/from.safetensors, with all that their source says of
 * itself, and the run stands on that copy. encoders=keep takes over the features the weights were
 * learnt with: columns are standardised by the old means, words keep their codes and new words count
 * as unseen, the target keeps its scale. encoders=fit fits them anew; layers whose shapes follow from
 * the columns must then be named in renew=. */
#include "train_int.h"

#include <string.h>

#define ORIGIN_MOST ((size_t)1 << 40)

static bool read_run(Origin *o, Store *s, const char *from, Arena *a, Error *err)
{
    RunRow row;
    const char *path;
    if (!store_run_find(s, from, a, &row, err) || !run_bundle_path(s, row.id, a, &path, err))
        return false;
    o->name = arena_printf(a, "%lld", (long long)row.id);
    Bundle *b = bundle_open(path, NULL, err);
    bool ok = b && bundle_safetensors(b, &o->bytes, err);
    bundle_close(b);
    return ok;
}

static bool is_file(const char *from)
{
    return text_ends(from, ".safetensors") || text_ends(from, ".json") ||
           strchr(from, '/') || (strchr(from, '.') && file_exists(from));
}

bool origin_read(Origin *o, Store *s, const char *from, Arena *a, Error *err)
{
    bool ok;
    if (is_file(from)) {
        o->name = arena_text(a, from);
        ok = file_read(from, &o->bytes, ORIGIN_MOST, err);
    } else
        ok = read_run(o, s, from, a, err);
    return ok || error_in(err, "from");
}

/* ---- what the source says of itself ------------------------------------------------------------------ */

/* Of XGBoost's, which says nothing of a family here; safetensors begin with a length. */
static bool is_json(const Origin *o)
{
    return o->bytes.count && o->bytes.at[0] == '{';
}

static bool same_family(const Origin *o, const RunSpec *spec, Error *err)
{
    Error why = {0};
    if (is_json(o) && !spec->family->take_json)
        return error_set(err, ERROR_USAGE, "from=%s: a booster in JSON is nothing for a %s", o->name,
                         spec->family->name);
    json_t *family = safetensors_about(o->bytes.at, o->bytes.count, "family", &why);
    const char *name = json_string_value(family);
    bool ok = !why.kind || error_set(err, why.kind, "from=%s: %s", o->name, why.text);
    if (ok && name && !text_equal(name, spec->family->name))
        ok = error_set(err, ERROR_USAGE, "from=%s: weights of a %.40s, not of a %s", o->name, name,
                       spec->family->name);
    json_decref(family);
    return ok;
}

bool run_spec_from(RunSpec *spec, Store *s, const char *from, Error *err)
{
    Origin o = {0};
    Arena a = {0};
    json_t *params = NULL, *value;
    const char *key;
    bool ok = origin_read(&o, s, from, &a, err) && same_family(&o, spec, err) &&
              run_spec_set(spec, "from", o.name, err);
    if (ok && is_json(&o)) {
        params = xgboost_settings(o.bytes.at, o.bytes.count, err);
        ok = params || error_in(err, "from=%s", o.name);
        json_object_foreach(params, key, value) if (ok && json_is_string(value)) ok =
            run_spec_set(spec, key, json_string_value(value), err);
    } else if (ok) {
        params = safetensors_about(o.bytes.at, o.bytes.count, "params", err);
        json_object_foreach(params, key, value) if (ok && json_is_string(value)) ok =
            params_set(spec->family->params, spec->model_params, key, json_string_value(value), err);
    }
    json_decref(params);
    text_release(&o.bytes);
    arena_release(&a);
    return ok;
}

/* ---- at submission ------------------------------------------------------------------------------------- */

static bool check_inputs(const Origin *o, const Features *f, const RunSpec *spec,
                         const Schema *cleaned, const char *target, Error *err)
{
    for (size_t i = 0; i < features_inputs(f); i++)
        if (schema_find(cleaned, features_input(f, i)) == SIZE_MAX)
            return error_set(
                err, ERROR_USAGE,
                "from=%s: it reads column %s, which is not there; make it by a recipe, or "
                "set encoders=fit",
                o->name, features_input(f, i));
    if (!text_equal(features_target(f), target))
        return error_set(
            err, ERROR_USAGE,
            "from=%s: it predicts %s, not %s; encoders=fit renew=head learns another target",
            o->name, features_target(f), target);
    if (spec->features && *spec->features)
        return error_set(err, ERROR_USAGE,
                         "from=%s: its columns are kept; leave features= out, or set encoders=fit",
                         o->name);
    return true;
}

static Features *features_in(const Text *bytes, Error *err)
{
    json_t *said = safetensors_about(bytes->at, bytes->count, "features", err);
    Features *f = said ? features_from_json(said, err) : NULL;
    json_decref(said);
    return f;
}

bool origin_check(const Origin *o, const RunSpec *spec, const Schema *cleaned, const char *target,
                  Error *err)
{
    Error why = {0};
    if (!same_family(o, spec, err))
        return false;
    if (spec->params.encoders == ENCODERS_FIT)
        return true;
    Features *f = features_in(&o->bytes, &why);
    bool ok = !why.kind || error_set(err, why.kind, "from=%s: %s", o->name, why.text);
    ok = ok && (!f || check_inputs(o, f, spec, cleaned, target, err));
    features_destroy(f);
    return ok;
}

/* A model made up to be asked for its layers: of the inputs it is known to read, else of more of each kind than
 * there will be. */
static bool freezes(const RunSpec *spec, const ModelShape *shape, Error *err)
{
    ModelSetup setup = {.batch_most = 1, .freeze = spec->params.freeze, .scores = true};
    Model *m = model_create(spec->family, spec->model_params, shape, &setup, err);
    bool ok = m != NULL;
    model_destroy(m);
    return ok;
}

static bool freezes_rows(const RunSpec *spec, size_t columns, Error *err)
{
    int32_t *two = mem_alloc((columns + 1) * sizeof *two);
    for (size_t i = 0; i < columns; i++)
        two[i] = 2;
    ModelShape most = {
        .dense = columns, .codes = columns, .cardinality = two, .task = TASK_REGRESSION, .outputs = 1};
    bool ok = freezes(spec, &most, err);
    mem_free(two);
    return ok;
}

/* Two of each kind have all layers that more have, whatever the steps; a single series has nothing static. */
static bool freezes_series(const RunSpec *spec, Error *err)
{
    SeriesOptions o;
    static const SeriesInput input[] = {
        {"ahead", SERIES_KNOWN, 0, 1},   {"ahead too", SERIES_KNOWN, 1, 1},
        {"past", SERIES_PAST, 2, 1},     {"past too", SERIES_PAST, 3, 1},
        {"fixed", SERIES_STATIC, 4, 1}, {"fixed too", SERIES_STATIC, 5, 1},
    };
    if (!spec->family->series(spec->model_params, &o, err))
        return false;
    size_t fixed = *o.group ? 2 : 0;
    SeriesShape series = {.window = 1, .horizon = 1, .inputs = 4 + fixed, .input = input, .fixed = fixed,
                          .past = 2 + 4, .known = 1 + 2, .levels = o.levels, .level = o.level};
    ModelShape most = {
        .dense = series.inputs, .task = TASK_REGRESSION, .outputs = series.levels, .series = &series};
    return freezes(spec, &most, err);
}

bool origin_freezes(const Origin *o, const RunSpec *spec, size_t columns, Error *err)
{
    const RunParams *p = &spec->params;
    if (!*p->freeze)
        return true;
    bool kept = o->name && p->encoders == ENCODERS_KEEP;
    Features *known = kept ? features_in(&o->bytes, NULL) : NULL;
    bool ok = known                    ? freezes(spec, features_shape(known), err)
              : spec->family->series ? freezes_series(spec, err)
                                     : freezes_rows(spec, columns, err);
    features_destroy(known);
    return ok;
}

bool origin_keep(const Origin *o, Store *s, int64_t run, Error *err)
{
    Arena a = {0};
    char *dir = store_path(s, &a, "runs/%lld", (long long)run);
    bool ok = dir_create(dir, err) && file_write(arena_printf(&a, "%s/from.safetensors", dir),
                                                 o->bytes.at, o->bytes.count, err);
    arena_release(&a);
    return ok;
}

/* ---- in the run ------------------------------------------------------------------------------------------ */

static bool read_kept(Job *j, Text *bytes, Error *err)
{
    return file_read(arena_printf(&j->arena, "%s/from.safetensors", j->dir), bytes, ORIGIN_MOST,
                     err);
}

bool origin_features(Job *j, Error *err)
{
    Text bytes = {0};
    Error why = {0};
    if (!*j->spec.params.from || j->spec.params.encoders == ENCODERS_FIT)
        return true;
    bool ok = read_kept(j, &bytes, err);
    if (ok)
        j->features = features_in(&bytes, &why);
    ok =
        ok && (!why.kind || error_set(err, why.kind, "from=%s: %s", j->spec.params.from, why.text));
    text_release(&bytes);
    return ok;
}

bool origin_weights(Job *j, Error *err)
{
    Text bytes = {0}, said = {0};
    const RunParams *p = &j->spec.params;
    if (!*p->from)
        return true;
    text_printf(&said, "begins with from=%s: ", p->from);
    bool ok = read_kept(j, &bytes, err) &&
              (model_weights_take(j->model, bytes.at, bytes.count, p->renew,
                                  features_target_scale(j->features), &said, err) ||
               error_in(err, "from=%s", p->from));
    if (*p->renew)
        text_printf(&said, "; anew: %s", p->renew);
    if (*p->freeze)
        text_printf(&said, "; frozen: %s", p->freeze);
    text_printf(&said, "; encoders %s", p->encoders == ENCODERS_FIT ? "fitted anew" : "kept");
    ok = ok && job_news(j, "note", text_str(&said), true, err);
    text_release(&bytes);
    text_release(&said);
    return ok;
}
