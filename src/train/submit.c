/* submit.c -- a run is written down only if it can be begun: every name is checked against the
 * dataset's schema first, each mistake with one line. And forks: a run that begins where another
 * was. */
#include "train_int.h"

#include <lathe/nn.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#define MOST_ROWS 128

static const char *or_empty(const char *t)
{
    return t ? t : "";
}

/* ---- checks --------------------------------------------------------------------------------------- */

typedef struct Check {
    Store *store;
    const RunSpec *spec;
    Arena arena;
    DatasetRow from;
    Dataset *dataset;
    Schema schema; /* with the roles of the store */
    Recipe *recipe;
    Plan *plan;
    const Schema *cleaned; /* what the features are taken from */
    const char *target;
    Origin origin; /* from=; empty: none */
} Check;

static bool check_dataset(Check *c, Error *err)
{
    const char *name = or_empty(c->spec->dataset);
    if (!*name)
        return error_set(err, ERROR_USAGE, "which dataset? data=NAME; `lathe data` lists them");
    if (!store_dataset_find(c->store, name, &c->arena, &c->from, err))
        return false;
    char *path = store_path(c->store, &c->arena, "datasets/%s.arrow", c->from.hash);
    c->dataset = dataset_open(path, err);
    if (!c->dataset)
        return error_in(err, "dataset %s", c->from.name);
    if (dataset_rows(c->dataset) == 0)
        return error_set(err, ERROR_SHAPE, "dataset %s has no rows", c->from.name);
    return run_schema(c->store, c->from.hash, &c->schema, err);
}

static bool check_recipe(Check *c, Error *err)
{
    c->cleaned = &c->schema;
    if (!*or_empty(c->spec->recipe))
        return true;
    c->recipe = recipe_create();
    if (!recipe_parse(c->recipe, c->spec->recipe, err))
        return error_in(err, "recipe");
    c->plan = plan_create(c->recipe, &c->schema, err);
    if (!c->plan)
        return error_in(err, "recipe");
    c->cleaned = plan_schema(c->plan);
    return true;
}

static bool role_target(Check *c, Error *err)
{
    for (size_t i = 0; i < c->cleaned->count; i++)
        if (c->cleaned->field[i].role == ROLE_TARGET) {
            c->target = c->cleaned->field[i].name;
            return true;
        }
    return error_set(err, ERROR_USAGE, "which column of %s is the target? target=COLUMN",
                     c->from.name);
}

static bool check_constant(Check *c, Error *err)
{
    const ColumnProfile *p = profile_find(dataset_profile(c->dataset), c->target);
    if (!p || c->plan) /* a recipe may have changed it: the run will see */
        return true;
    if (p->missing == p->count)
        return error_set(err, ERROR_SHAPE, "target %s has no values in %s", c->target,
                         c->from.name);
    bool constant = p->numeric ? p->least == p->most : p->tops == 1 && p->distinct < 1.5;
    if (constant)
        return error_set(
            err, ERROR_SHAPE,
            "target %s has the same value in all rows of %s: there is nothing to learn", c->target,
            c->from.name);
    return true;
}

static bool check_target(Check *c, Error *err)
{
    c->target = or_empty(c->spec->target);
    if (!*c->target)
        return role_target(c, err) && check_constant(c, err);
    if (schema_need(c->cleaned, c->target, err) == SIZE_MAX)
        return error_in(err, "target");
    return check_constant(c, err);
}

static bool check_features(Check *c, Error *err)
{
    Arena a = {0};
    bool ok = true;
    for (const char *at = or_empty(c->spec->features); ok && *at;) {
        size_t n = strcspn(at, ",");
        char *name = arena_printf(&a, "%.*s", (int)n, at);
        if (text_equal(name, c->target))
            ok = error_set(err, ERROR_USAGE, "features: %s is the target, not an input", name);
        else if (schema_need(c->cleaned, name, err) == SIZE_MAX)
            ok = error_in(err, "features");
        at += n + (at[n] == ',');
    }
    arena_release(&a);
    return ok;
}

static bool check_split(Check *c, Error *err)
{
    Split split;
    const char *text = or_empty(c->spec->split);
    if (!split_parse(*text ? text : "70/15/15", &split, err))
        return false;
    if (!(split.share[PART_TRAIN] > 0.0))
        return error_set(err, ERROR_USAGE, "split %s leaves no rows to train on", text);
    if (split.by && schema_need(&c->schema, split.by, err) == SIZE_MAX)
        return error_in(err, "split");
    return true;
}

static bool check_slice(Check *c, Error *err)
{
    const char *slice = or_empty(c->spec->params.slice);
    return !*slice || schema_need(&c->schema, slice, err) != SIZE_MAX || error_in(err, "slice");
}

static bool check_family(Check *c, Error *err)
{
    if (c->spec->family)
        return true;
    Text names = {0};
    for (size_t i = 0; model_families[i]; i++)
        text_printf(&names, "%s%s", i ? ", " : "", model_families[i]->name);
    error_set(err, ERROR_USAGE, "which model family? One of %s", text_str(&names));
    text_release(&names);
    return false;
}

/* A fork has what its parent had. */
static bool check_settings(Check *c, Error *err)
{
    return c->spec->parent || run_spec_meant(c->spec, err);
}

/* A recipe may have changed the target, weights to begin with may know it otherwise: the run will see. */
static bool check_task(Check *c, Error *err)
{
    const RunParams *p = &c->spec->params;
    bool open = c->plan || (*or_empty(p->from) && p->encoders == ENCODERS_KEEP);
    return c->spec->parent ||
           task_fits(c->spec, open ? NULL : profile_find(dataset_profile(c->dataset), c->target), err);
}

static bool check_products(Check *c, Error *err)
{
    const RunParams *p = &c->spec->params;
    return products_there((Products)p->products, (Precision)p->precision, err);
}

static bool need_columns(const Schema *s, const char *list, const char *what, Error *err)
{
    for (const char *at = list; *at;) {
        char name[256];
        size_t n = strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)n, at);
        if (schema_need(s, name, err) == SIZE_MAX)
            return error_in(err, "%s", what);
        at += n + (at[n] == ',');
    }
    return true;
}

/* The split needs the time before the recipe, the windows need it after. */
static bool check_series(Check *c, Error *err)
{
    SeriesOptions o;
    const ModelFamily *f = c->spec->family;
    if (!f->series)
        return true;
    return f->series(c->spec->model_params, &o, err) && need_columns(&c->schema, o.time, "time", err) &&
           need_columns(c->cleaned, o.time, "time", err) && need_columns(c->cleaned, o.group, "group", err) &&
           need_columns(c->cleaned, o.known, "known", err);
}

static bool check_origin(Check *c, Error *err)
{
    const char *from = or_empty(c->spec->params.from);
    if (!*from && *or_empty(c->spec->params.renew))
        return error_set(err, ERROR_USAGE,
                         "renew=%s: says which layers do not begin with the weights of from=, "
                         "which is not there",
                         c->spec->params.renew);
    bool own = *from && !c->spec->parent; /* a fork has its checkpoint */
    return (!own || (origin_read(&c->origin, c->store, from, &c->arena, err) &&
                     origin_check(&c->origin, c->spec, c->cleaned, c->target, err))) &&
           origin_freezes(&c->origin, c->spec, c->cleaned->count, err);
}

static void check_release(Check *c)
{
    text_release(&c->origin.bytes);
    plan_destroy(c->plan);
    recipe_destroy(c->recipe);
    schema_release(&c->schema);
    dataset_close(c->dataset);
    arena_release(&c->arena);
}

/* ---- the row ----------------------------------------------------------------------------------------- */

static const char *machine(Arena *a)
{
    char host[256] = "?";
    gethostname(host, sizeof host - 1);
    return arena_printf(a, "%s, %ld cores", host, sysconf(_SC_NPROCESSORS_ONLN));
}

/* Every hyperparameter as text, defaults too: a later default must not change an old run. */
static size_t param_rows(RunSpec *spec, Arena *a, ParamRow *out)
{
    SpecRow rows[MOST_ROWS];
    size_t n = run_spec_rows(spec, rows, MOST_ROWS);
    for (size_t i = 0; i < n; i++) {
        Text value = {0};
        param_get(rows[i].row, rows[i].settings, &value);
        out[i] = (ParamRow){rows[i].row->name, arena_text(a, text_str(&value))};
        text_release(&value);
    }
    return n;
}

static RunRow run_row(const RunSpec *spec, const DatasetRow *from, const char *target, Arena *a)
{
    return (RunRow){
        .name = or_empty(spec->name),
        .experiment = or_empty(spec->experiment),
        .family = spec->family->name,
        .dataset = from->hash,
        .dataset_name = from->name,
        .target = target,
        .recipe = or_empty(spec->recipe),
        .features = or_empty(spec->features),
        .split = *or_empty(spec->split) ? spec->split : "70/15/15",
        .seed = spec->seed,
        .parent = spec->parent,
        .parent_step = spec->parent_step,
        .epochs_total = spec->params.epochs,
        .best = (double)NAN,
        .best_step = -1,
        .monitor = "val_loss",
        .machine = machine(a),
        .version = LATHE_VERSION,
    };
}

static int64_t write_row(Check *c, Error *err)
{
    ParamRow params[MOST_ROWS];
    RunSpec copy = *c->spec; /* run_spec_rows hands out writable settings; they are only read */
    size_t n = param_rows(&copy, &c->arena, params);
    for (size_t i = 0; i < n; i++)
        if (c->origin.name && text_equal(params[i].key, "from"))
            params[i].value = c->origin.name; /* "last" would be another one tomorrow */
    RunRow row = run_row(c->spec, &c->from, c->target, &c->arena);
    int64_t run = store_run_add(c->store, &row, params, n, err);
    if (run && c->origin.name && !origin_keep(&c->origin, c->store, run, err)) {
        store_run_delete(c->store, run, NULL);
        return 0;
    }
    return run;
}

int64_t run_submit(Store *s, const RunSpec *spec, Error *err)
{
    Check c = {.store = s, .spec = spec};
    int64_t run = 0;
    if (check_family(&c, err) && check_dataset(&c, err) && check_recipe(&c, err) &&
        check_target(&c, err) && check_features(&c, err) && check_split(&c, err) && check_slice(&c, err) &&
        check_settings(&c, err) && check_products(&c, err) && check_series(&c, err) && check_task(&c, err) &&
        check_origin(&c, err))
        run = write_row(&c, err);
    check_release(&c);
    return run;
}

/* ---- forks -------------------------------------------------------------------------------------------- */

/* What would not fit the weights and moments that are taken over. */
static bool may_change(const RunSpec *spec, const char *key, Error *err)
{
    static const char *const fixed[] = {"optimizer", "loss", "class_weight", "from", "renew", "find_lr",
                                        "encoders"};
    bool own = spec->family->params && param_find(spec->family->params, key);
    bool ok = param_find(run_params, key) && !own;
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        ok = ok && !text_equal(fixed[i], key);
    if (ok)
        return true;
    if (!own && !param_find(run_params, key) && !param_find(feature_params, key)) {
        RunSpec probe;
        run_spec_init(&probe, spec->family);
        run_spec_set(&probe, key, "", err); /* fails, and says what is near */
        run_spec_release(&probe);
        return false;
    }
    return error_set(err, ERROR_USAGE,
                     "%s cannot change in a fork: the weights it goes on with were"
                     " learnt with it; start a new run",
                     key);
}

static bool take_live(RunSpec *spec, const json_t *state, Error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach(
        json_object_get(state, "live"), key,
        value) if (!run_spec_set(spec, key, json_string_value(value), err)) return false;
    return true;
}

static bool find_checkpoint(Store *s, int64_t run, int64_t step, Arena *a, CheckpointRow *out,
                            Error *err)
{
    CheckpointRow *rows;
    size_t n;
    if (!store_checkpoints(s, run, a, &rows, &n, err))
        return false;
    if (n == 0)
        return error_set(err, ERROR_USAGE, "run %lld has no checkpoint to fork from yet",
                         (long long)run);
    *out = rows[n - 1];
    for (size_t i = 0; step >= 0 && i < n; i++)
        if (rows[i].step == step) {
            *out = rows[i];
            return true;
        }
    if (step < 0)
        return true;
    Text steps = {0};
    for (size_t i = 0; i < n; i++)
        text_printf(&steps, "%s%lld", i ? ", " : "", (long long)rows[i].step);
    error_set(err, ERROR_USAGE, "run %lld has no checkpoint at step %lld; there are %s",
              (long long)run, (long long)step, text_str(&steps));
    text_release(&steps);
    return false;
}

/* A checkpoint never changes once it has its name, so a hard link is a copy. */
static bool copy_file(const char *from, const char *to, Error *err)
{
    if (link(from, to) == 0)
        return true;
    Text bytes = {0};
    bool ok =
        file_read(from, &bytes, SIZE_MAX / 2, err) && file_write(to, bytes.at, bytes.count, err);
    text_release(&bytes);
    return ok;
}

static bool copy_checkpoint(Store *s, const CheckpointRow *c, int64_t to, Arena *a, Error *err)
{
    static const char *const files[] = {"state.json", "model.safetensors"};
    char *part = store_path(s, a, "runs/%lld/new-ckpt-%lld", (long long)to, (long long)c->step);
    char *dir = store_path(s, a, "runs/%lld/ckpt-%lld", (long long)to, (long long)c->step);
    if (!dir_create(part, err))
        return false;
    for (size_t i = 0; i < 2; i++)
        if (!copy_file(store_path(s, a, "%s/%s", c->path, files[i]),
                       arena_printf(a, "%s/%s", part, files[i]), err))
            return false;
    if (!dir_flush(part, err))
        return false;
    if (rename(part, dir) != 0)
        return error_set(err, ERROR_IO, "%s: cannot rename to %s", part, dir);
    CheckpointRow row = *c;
    row.run = to;
    row.path = arena_printf(a, "runs/%lld/ckpt-%lld", (long long)to, (long long)c->step);
    return dir_flush(store_path(s, a, "runs/%lld", (long long)to), err) &&
           store_checkpoint_add(s, &row, err);
}

/* The best weights so far lie in a checkpoint of their own, which the fork needs too. */
static bool copy_best(Store *s, int64_t run, const json_t *state, const CheckpointRow *from,
                      int64_t to, Arena *a, Error *err)
{
    CheckpointRow best;
    int64_t step = json_integer_value(json_object_get(state, "best_step"));
    if (step < 0 || step == from->step)
        return true;
    return find_checkpoint(s, run, step, a, &best, err) && copy_checkpoint(s, &best, to, a, err);
}

static bool fork_spec(Store *s, int64_t run, const json_t *state, const ParamRow *changes, size_t n,
                      Arena *a, RunSpec *spec, Error *err)
{
    if (!run_spec_load(spec, s, run, a, err))
        return false;
    bool ok = take_live(spec, state, err);
    for (size_t i = 0; ok && i < n; i++)
        ok = may_change(spec, changes[i].key, err) &&
             run_spec_set(spec, changes[i].key, changes[i].value, err);
    int64_t epoch = json_integer_value(json_object_get(state, "epoch"));
    if (ok && spec->family->pretrains)
        epoch -= spec->family->pretrains(spec->model_params);
    if (ok && epoch >= spec->params.epochs)
        ok = error_set(err, ERROR_USAGE,
                       "run %lld has done all its %d epochs there; fork with more"
                       " (epochs=%d) or from an earlier checkpoint",
                       (long long)run, spec->params.epochs, 2 * spec->params.epochs);
    return ok;
}

int64_t run_fork(Store *s, int64_t run, int64_t step, const ParamRow *changes, size_t n, Error *err)
{
    Arena a = {0};
    RunSpec spec = {0};
    CheckpointRow from;
    int64_t id = 0;
    json_t *state = NULL;
    bool ok = find_checkpoint(s, run, step, &a, &from, err) &&
              (state = checkpoint_state(s, run, from.step, err)) &&
              fork_spec(s, run, state, changes, n, &a, &spec, err);
    if (ok) {
        spec.name = arena_printf(&a, "%s-fork", spec.name);
        spec.parent = run;
        spec.parent_step = from.step;
        id = run_submit(s, &spec, err);
        if (id && !(copy_best(s, run, state, &from, id, &a, err) &&
                    copy_checkpoint(s, &from, id, &a, err))) {
            store_run_delete(s, id, NULL);
            id = 0;
        }
    }
    json_decref(state);
    run_spec_release(&spec);
    arena_release(&a);
    return id;
}
