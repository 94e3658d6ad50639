/* spec.c -- what is to be trained: every hyperparameter by name, from three tables of rows.
 *
 * A family's row hides the run's row of the same name, so a family may say more about one. */
#include "train_int.h"

#include <assert.h>
#include <string.h>

#define MOST_ROWS 128

static bool set_normals(RunSpec *spec, const char *normals, Error *err)
{
    char pair[128];
    for (const char *at = normals ? normals : ""; *at;) {
        size_t n = strcspn(at, " ");
        char *eq;
        if (n > 0 && n < sizeof pair) {
            memcpy(pair, at, n);
            pair[n] = 0;
            eq = strchr(pair, '=');
            if (!eq)
                return error_set(err, ERROR_USAGE, "%s: expected KEY=VALUE", pair);
            *eq = 0;
            if (!run_spec_set(spec, pair, eq + 1, err))
                return false;
        }
        at += n + (at[n] == ' ');
    }
    return true;
}

void run_spec_init(RunSpec *spec, const ModelFamily *family)
{
    Error err = {0};
    *spec = (RunSpec){.family = family, .split = "70/15/15"};
    params_init(run_params, &spec->params);
    params_init(feature_params, &spec->feature);
    if (!family)
        return;
    spec->model_params = mem_alloc(family->params_size ? family->params_size : 1);
    params_init(family->params, spec->model_params);
    bool ok = set_normals(spec, family->normals, &err);
    assert(ok && "a family's normals fit the rows");
    (void)ok;
}

void run_spec_release(RunSpec *spec)
{
    if (spec->family && spec->model_params)
        params_release(spec->family->params, spec->model_params);
    mem_free(spec->model_params);
    params_release(feature_params, &spec->feature);
    params_release(run_params, &spec->params);
    *spec = (RunSpec){0};
}

static void add_rows(const Param *rows, void *settings, const char *group, const Param *hidden_by,
                     SpecRow *out, size_t most, size_t *n)
{
    for (const Param *row = rows; row && row->kind != PARAM_KIND_END; row++) {
        if (hidden_by && param_find(hidden_by, row->name))
            continue;
        if (*n < most)
            out[*n] = (SpecRow){row, settings, group};
        ++*n;
    }
}

/* Those too that say nothing to the family: runs of older programs have them. */
static size_t all_rows(RunSpec *spec, SpecRow *out, size_t most)
{
    size_t n = 0;
    const Param *own = spec->family ? spec->family->params : NULL;
    add_rows(run_params, &spec->params, "training", own, out, most, &n);
    add_rows(own, spec->model_params, spec->family ? spec->family->name : "", NULL, out, most, &n);
    add_rows(feature_params, &spec->feature, "features", own, out, most, &n);
    return n < most ? n : most;
}

size_t run_spec_rows(RunSpec *spec, SpecRow *out, size_t most)
{
    SpecRow all[MOST_ROWS];
    size_t n = 0, every = all_rows(spec, all, MOST_ROWS);
    for (size_t i = 0; i < every && n < most; i++)
        if (model_family_takes(spec->family, all[i].row))
            out[n++] = all[i];
    return n;
}

static bool same_value(const SpecRow *a, const SpecRow *b)
{
    Text x = {0}, y = {0};
    param_get(a->row, a->settings, &x);
    param_get(b->row, b->settings, &y);
    bool same = strcmp(text_str(&x), text_str(&y)) == 0;
    text_release(&x);
    text_release(&y);
    return same;
}

bool run_spec_meant(const RunSpec *spec, Error *err)
{
    SpecRow row[MOST_ROWS], usual[MOST_ROWS];
    RunSpec copy = *spec, normal; /* all_rows hands out writable settings; they are only read */
    run_spec_init(&normal, spec->family);
    size_t n = all_rows(&copy, row, MOST_ROWS);
    all_rows(&normal, usual, MOST_ROWS);
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++)
        if (!model_family_takes(spec->family, row[i].row) && !same_value(&row[i], &usual[i]))
            ok = error_set(err, ERROR_USAGE,
                           "%s says nothing to a %s, whose every step takes all rows; leave it out",
                           row[i].row->name, spec->family->name);
    run_spec_release(&normal);
    return ok;
}

json_t *run_spec_json(const RunSpec *spec)
{
    SpecRow rows[MOST_ROWS];
    RunSpec copy = *spec; /* run_spec_rows hands out writable settings; they are only read */
    size_t n = run_spec_rows(&copy, rows, MOST_ROWS);
    json_t *all = json_object();
    for (size_t i = 0; i < n; i++) {
        Text value = {0};
        param_get(rows[i].row, rows[i].settings, &value);
        json_object_set_new(all, rows[i].row->name, json_string(text_str(&value)));
        text_release(&value);
    }
    return all;
}

bool run_spec_set(RunSpec *spec, const char *key, const char *value, Error *err)
{
    SpecRow rows[MOST_ROWS];
    const char *names[MOST_ROWS];
    size_t n = all_rows(spec, rows, MOST_ROWS);
    for (size_t i = 0; i < n; i++) {
        if (text_equal(rows[i].row->name, key))
            return param_set(rows[i].row, rows[i].settings, value, err);
        names[i] = rows[i].row->name;
    }
    const char *near = text_nearest(key, names, n);
    const char *family = spec->family ? spec->family->name : "the run";
    if (near)
        return error_set(err, ERROR_USAGE, "no hyperparameter %s, did you mean %s?", key, near);
    return error_set(err, ERROR_USAGE, "no hyperparameter %s; `lathe train %s --help` lists them",
                     key, family);
}

/* Rows a newer program added keep their defaults; rows it no longer has are an error that says so. */
static bool set_stored(RunSpec *spec, const ParamRow *p, size_t n, Error *err)
{
    for (size_t i = 0; i < n; i++)
        if (!run_spec_set(spec, p[i].key, p[i].value, err))
            return false;
    return true;
}

bool run_spec_load(RunSpec *spec, Store *s, int64_t run, Arena *a, Error *err)
{
    RunRow r;
    ParamRow *p;
    size_t n;
    if (!store_run_get(s, run, a, &r, err) || !store_run_params(s, run, a, &p, &n, err))
        return false;
    const ModelFamily *family = model_family(r.family);
    if (!family)
        return error_set(err, ERROR_USAGE, "run %lld: no model family %s in this program",
                         (long long)run, r.family);
    run_spec_init(spec, family);
    spec->name = r.name;
    spec->experiment = r.experiment;
    spec->dataset = r.dataset;
    spec->target = r.target;
    spec->recipe = r.recipe;
    spec->features = r.features;
    spec->split = r.split;
    spec->seed = r.seed;
    spec->parent = r.parent;
    spec->parent_step = r.parent_step;
    if (set_stored(spec, p, n, err))
        return true;
    error_in(err, "run %lld", (long long)run);
    run_spec_release(spec);
    return false;
}
