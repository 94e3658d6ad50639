/* params_check.c -- tries a set-up on its rows before it is launched: recipe, target, features, size of the
 * model; on a job's thread. */
#include "params_int.h"

#include <string.h>

#define CHECK_ROWS_MOST 2000000 /* a larger table is looked at by the run itself */

/* ---- the recipe ---------------------------------------------------------------------------------------- */

/* The Clean pane's draft becomes a file, so that the command that launches the run can name it. */
static bool write_draft(JobContext *c, const CheckAsk *ask, CheckAnswer *out, Error *err)
{
    Text now = {0};
    const char *draft = "";
    Error none = {0};
    Store *s = job_store(c, err);
    if (!s || !store_draft_get(s, ask->data->row.hash, &out->arena, &draft, err))
        return false;
    Recipe *r = recipe_create();
    bool ok = recipe_parse(r, draft, err);
    for (size_t i = 0; ok && i < recipe_count(r); i++)
        out->draft_rules += recipe_is_on(r, i);
    recipe_destroy(r);
    out->draft_path = "";
    if (!ok || !out->draft_rules)
        return ok;
    const char *dir = arena_printf(&out->arena, "%s/recipes", job_workspace(c));
    out->draft_path = arena_printf(&out->arena, "%s/%s.recipe", dir, ask->data->row.name);
    bool same = file_exists(out->draft_path) && file_read(out->draft_path, &now, 1 << 20, &none) &&
                text_equal(text_str(&now), draft);
    text_release(&now);
    if (same || ask->recipe != RECIPE_DRAFT)
        return true;
    return dir_create(dir, err) && file_write(out->draft_path, draft, strlen(draft), err);
}

/* NULL without an error: there is no recipe. */
static Plan *plan_of(const CheckAsk *ask, const CheckAnswer *out, Error *err)
{
    const char *path = ask->recipe == RECIPE_FILE    ? ask->recipe_path
                       : ask->recipe == RECIPE_DRAFT ? out->draft_path
                                                     : "";
    if (!*path)
        return NULL;
    Recipe *r = recipe_create();
    Plan *plan = recipe_read(r, path, err) ? plan_create(r, &ask->data->schema, err) : NULL;
    recipe_destroy(r);
    return plan;
}

/* ---- features and model ------------------------------------------------------------------------------------ */

static bool roles_given(const OpenDataset *d)
{
    const Schema *own = dataset_schema(d->data);
    for (size_t i = 0; i < own->count && i < d->schema.count; i++)
        if (own->field[i].role != d->schema.field[i].role)
            return true;
    return false;
}

/* The columns a run would take: those named, or by roles that were given; else NULL. */
static const char **wanted(const CheckAsk *ask, const Schema *s, Arena *a, size_t *n)
{
    *n = 0;
    if (ask->features) {
        const char **names = ARENA_NEW(a, const char *, strlen(ask->features) + 1);
        for (const char *at = ask->features; *at;) {
            size_t length = strcspn(at, ",");
            names[(*n)++] = arena_printf(a, "%.*s", (int)length, at);
            at += length + (at[length] == ',');
        }
        return names;
    }
    if (!roles_given(ask->data))
        return NULL;
    const char **names = ARENA_NEW(a, const char *, s->count + 1);
    for (size_t i = 0; i < s->count; i++) {
        Role r = s->field[i].role;
        if ((r == ROLE_FEATURE || r == ROLE_TIMELINE || r == ROLE_TARGET) &&
            !text_equal(s->field[i].name, ask->target))
            names[(*n)++] = s->field[i].name;
    }
    return names;
}

static void take_features(const Features *f, CheckAnswer *out)
{
    const ModelShape *shape = features_shape(f);
    json_t *notes = features_notes(f), *one;
    size_t i;
    out->inputs = features_inputs(f);
    out->dense = shape->dense;
    out->codes = shape->codes;
    out->outputs = shape->outputs;
    out->classes = shape->classes;
    out->task = shape->task;
    out->note = ARENA_NEW(&out->arena, const char *, json_array_size(notes) + 1);
    json_array_foreach(notes, i, one) out->note[out->notes++] =
        arena_text(&out->arena, json_string_value(one));
    json_decref(notes);
}

static bool size_model(const RunSpec *spec, const Features *f, CheckAnswer *out, Error *err)
{
    ModelSetup setup = {.seed = 1,
                        .batch_most = 1,
                        .loss = spec->params.loss,
                        .huber_delta = spec->params.huber_delta,
                        .quantile = spec->params.quantile,
                        .optimizer = spec->params.optimizer,
                        .beta1 = .9,
                        .beta2 = .999,
                        .epsilon = 1e-8,
                        .steps_total = 1};
    Model *m = model_create(spec->family, spec->model_params, features_shape(f), &setup, err);
    if (m)
        out->weights = model_weights(m);
    model_destroy(m);
    return m != NULL;
}

static bool set_changes(RunSpec *spec, const char *changes, Error *err)
{
    bool ok = true;
    char *copy = text_copy(changes), *rest = copy;
    for (char *pair; ok && (pair = strsep(&rest, "\n"));) {
        char *value = strchr(pair, '=');
        if (!value)
            continue;
        *value++ = 0;
        ok = run_spec_set(spec, pair, value, err);
    }
    mem_free(copy);
    return ok;
}

static bool try_it(JobContext *c, const CheckAsk *ask, Plan *plan, CheckAnswer *out, Error *err)
{
    RunSpec spec;
    Split split;
    Features *f = NULL;
    size_t n;
    run_spec_init(&spec, model_family(ask->family));
    bool ok = set_changes(&spec, ask->changes, err) && split_parse(ask->split, &split, err);
    if (ok && plan && plan_needs_fit(plan))
        ok = plan_fit(plan, ask->data->data, &split, job_pool(c), job_progress(c), err);
    const char **names = wanted(ask, &out->schema, &out->arena, &n);
    if (ok)
        f = features_fit(ask->data->data, plan, &split, ask->target, names, n, &spec.feature,
                         job_pool(c), job_progress(c), err);
    if (f)
        take_features(f, out);
    ok = ok && f && size_model(&spec, f, out, err);
    out->measured = ok;
    features_destroy(f);
    run_spec_release(&spec);
    return ok;
}

void *check_run(JobContext *c, void *input, Error *err)
{
    const CheckAsk *ask = input;
    CheckAnswer *out = mem_alloc(sizeof *out);
    out->number = ask->number;
    out->draft_path = "";
    bool ok = write_draft(c, ask, out, &out->error);
    Plan *plan = ok ? plan_of(ask, out, &out->error) : NULL;
    schema_copy(&out->schema, plan ? plan_schema(plan) : &ask->data->schema);
    ok = ok && out->error.kind == ERROR_NONE;
    if (ok && !*ask->target)
        ok = error_set(&out->error, ERROR_USAGE, "choose the column to predict");
    ok = ok && (schema_need(&out->schema, ask->target, &out->error) != SIZE_MAX ||
                error_in(&out->error, "target"));
    if (ok && dataset_rows(ask->data->data) <= CHECK_ROWS_MOST)
        try_it(c, ask, plan, out, &out->error);
    plan_destroy(plan);
    if (job_stopped(c)) {
        check_answer_free(out);
        error_set(err, ERROR_STOP, "stopped");
        return NULL;
    }
    return out;
}

void check_ask_free(void *ask)
{
    CheckAsk *a = ask;
    if (!a)
        return;
    open_dataset_drop(a->data);
    mem_free(a->features);
    mem_free(a->changes);
    mem_free(a);
}

void check_answer_free(void *answer)
{
    CheckAnswer *a = answer;
    if (!a)
        return;
    schema_release(&a->schema);
    arena_release(&a->arena);
    mem_free(a);
}

/* ---- presets ------------------------------------------------------------------------------------------------- */

void *preset_load(JobContext *c, void *input, Error *err)
{
    Preset *p = mem_alloc(sizeof *p);
    int64_t run = *(int64_t *)input;
    Store *s = job_store(c, err);
    if (s && store_run_get(s, run, &p->arena, &p->run, err) &&
        store_run_params(s, run, &p->arena, &p->param, &p->params, err))
        return p;
    preset_free(p);
    return NULL;
}

void preset_free(void *preset)
{
    Preset *p = preset;
    if (!p)
        return;
    arena_release(&p->arena);
    mem_free(p);
}
