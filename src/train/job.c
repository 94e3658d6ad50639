/* job.c -- from a run's row to a model before its first step: dataset, recipe, features, table.
 *
 * What is fitted (recipe, features) is kept as DIR/runs/ID/plan.json and features.json before the
 * first step, and read from there when the run goes on, so a resumed run stands on the same. */
#include "train_int.h"

#include <lathe/nn.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define FITTED_MOST (1u << 30)

/* ---- news ------------------------------------------------------------------------------------------ */

bool job_news(Job *j, const char *kind, const char *text, bool store, Error *err)
{
    if (store && text_equal(kind, "note") && /* a resumed run fits the same features */
        !store_event_once(j->store, j->row.id, j->loop.step, kind, text, err))
        return false;
    if (store && !text_equal(kind, "note") &&
        !store_event_add(j->store, j->row.id, j->loop.step, kind, text, err))
        return false;
    RunNews news = {.run = j->row.id,
                    .step = j->loop.step,
                    .epoch = j->sampler.epoch,
                    .kind = kind,
                    .text = text};
    if (j->on_news)
        j->on_news(j->context, &news);
    return true;
}

double job_wall(const Job *j)
{
    return j->loop.wall + (clock_now() - j->started);
}

uint64_t job_row(const Job *j, size_t at)
{
    size_t labelled = j->table.part[PART_TRAIN].rows;
    return at < labelled ? j->table.row[PART_TRAIN][at] : j->bare_row[at - labelled];
}

/* ---- fitted once ------------------------------------------------------------------------------------- */

static json_t *fitted_read(Job *j, const char *name, Error *err)
{
    Text text = {0};
    json_error_t where;
    json_t *json = NULL;
    char *path = arena_printf(&j->arena, "%s/%s", j->dir, name);
    if (file_read(path, &text, FITTED_MOST, err)) {
        json = json_loadb(text_str(&text), text.count, 0, &where);
        if (!json)
            error_set(err, ERROR_PARSE, "%s: line %d: %s", path, where.line, where.text);
    }
    text_release(&text);
    return json;
}

static bool fitted_write(Job *j, const char *name, json_t *json, Error *err)
{
    char *path = arena_printf(&j->arena, "%s/%s", j->dir, name);
    char *text = json_dumps(json, JSON_REAL_PRECISION(17) | JSON_COMPACT);
    bool ok = text ? file_write(path, text, strlen(text), err)
                   : error_set(err, ERROR_SHAPE, "%s: cannot be written as JSON", path);
    free(text);
    json_decref(json);
    return ok;
}

static bool is_fitted(Job *j)
{
    return file_exists(arena_printf(&j->arena, "%s/features.json", j->dir));
}

/* ---- steps of the way ---------------------------------------------------------------------------------- */

/* A family of series says which columns make them. */
static bool job_series(Job *j, Error *err)
{
    const ModelFamily *f = j->spec.family;
    return !f->series || f->series(j->spec.model_params, &j->series, err);
}

/* Series are parted by their time: what trains lies before what validates, and that before the test. */
static bool by_time(Job *j, Error *err)
{
    if (!j->series.time)
        return true;
    if (j->split.by && !text_equal(j->split.by, j->series.time))
        return error_set(err, ERROR_USAGE, "split=%s: series are parted by their time, %s", j->row.split,
                         j->series.time);
    j->split.by = j->series.time;
    return true;
}

/* The run's seed also draws its split: runs of one seed are tested on the same rows, and the spread
 * over seeds is the whole spread, that of the split included. */
static bool open_dataset(Job *j, Error *err)
{
    j->split.seed = (uint64_t)j->row.seed;
    if (!job_series(j, err) || !store_dataset_find(j->store, j->row.dataset, &j->arena, &j->from, err))
        return false;
    j->dataset =
        dataset_open(store_path(j->store, &j->arena, "datasets/%s.arrow", j->from.hash), err);
    return (j->dataset || error_in(err, "dataset %s", j->from.name)) &&
           run_schema(j->store, j->from.hash, &j->schema, err) &&
           split_parse(j->row.split, &j->split, err) && by_time(j, err) &&
           split_bind(&j->split, j->dataset, err);
}

static bool fit_plan(Job *j, Error *err)
{
    Recipe *r = recipe_create();
    bool ok = recipe_parse(r, j->row.recipe, err) && (j->plan = plan_create(r, &j->schema, err)) &&
              plan_fit(j->plan, j->dataset, &j->split, j->pool, j->progress, err) &&
              fitted_write(j, "plan.json", plan_to_json(j->plan), err);
    recipe_destroy(r);
    return ok || error_in(err, "recipe");
}

static bool load_plan(Job *j, Error *err)
{
    json_t *json = fitted_read(j, "plan.json", err);
    if (json)
        j->plan = plan_from_json(json, &j->schema, err);
    json_decref(json);
    return j->plan != NULL;
}

/* Names from features=A,B; or, where roles given by the user say so, from the roles; NULL: let the
 * features choose by the dataset's own roles. */
static const char **wanted_columns(Job *j, size_t *n)
{
    const Schema *s = j->plan ? plan_schema(j->plan) : &j->schema;
    const char **names = ARENA_NEW(&j->arena, const char *, s->count + strlen(j->row.features) + 1);
    *n = 0;
    for (const char *at = j->row.features; *at;) {
        size_t len = strcspn(at, ",");
        names[(*n)++] = arena_printf(&j->arena, "%.*s", (int)len, at);
        at += len + (at[len] == ',');
    }
    if (*n > 0)
        return names;
    bool given = false;
    const Schema *own = dataset_schema(j->dataset);
    for (size_t i = 0; i < j->schema.count && i < own->count; i++)
        given |= j->schema.field[i].role != own->field[i].role;
    if (!given)
        return NULL;
    for (size_t i = 0; i < s->count; i++) {
        Role r = s->field[i].role;
        bool usable = r == ROLE_FEATURE || r == ROLE_TIMELINE || r == ROLE_TARGET;
        if (usable && !text_equal(s->field[i].name, j->row.target))
            names[(*n)++] = s->field[i].name;
    }
    return names;
}

static bool fit_features(Job *j, Error *err)
{
    size_t n;
    if (task_has_rates(&j->spec) &&
        !params_set(feature_params, &j->spec.feature, "transform_target", "mean", err))
        return false;
    if (!origin_features(j, err))
        return false;
    const char **names = wanted_columns(j, &n);
    if (!j->features)
        j->features = features_fit(j->dataset, j->plan, &j->split, j->row.target, names, n,
                                   &j->spec.feature, j->pool, j->progress, err);
    if (j->features && j->series.time && !features_time(j->features) &&
        !features_series(j->features, &j->series, j->dataset, j->plan, j->pool, j->progress, err))
        return false;
    return j->features && fitted_write(j, "features.json", features_to_json(j->features), err);
}

static bool load_features(Job *j, Error *err)
{
    json_t *json = fitted_read(j, "features.json", err);
    if (json)
        j->features = features_from_json(json, err);
    json_decref(json);
    return j->features != NULL;
}

static bool fit_or_load(Job *j, Error *err)
{
    bool recipe = *j->row.recipe != 0;
    if (!dir_create(j->dir, err))
        return false;
    if (is_fitted(j))
        return (!recipe || load_plan(j, err)) && load_features(j, err);
    return (!recipe || fit_plan(j, err)) && fit_features(j, err);
}

static bool make_table(Job *j, Error *err)
{
    j->scratch = scratch_create(j->dir, (uint64_t)j->spec.params.memory << 20);
    TableShare share = {team_rank(j->team), team_size(j->team)};
    bool made = j->series.time
                    ? feature_table_series(&j->table, j->scratch, j->features, j->series.stride,
                                           j->dataset, j->plan, &j->split, j->pool, j->progress,
                                           err)
                    : feature_table_create_share(&j->table, share, j->scratch, j->features, j->dataset,
                                                 j->plan, &j->split, j->pool, j->progress,
                                                 err);
    if (!made)
        return false;
    size_t rows = j->table.part[PART_TRAIN].rows;
    if (rows == 0 && !j->team)
        return error_set(err, ERROR_SHAPE,
                         "no training rows are left of %s; look at the recipe, at"
                         " missing targets and at split=%s",
                         j->from.name, j->row.split);
    int loss = j->spec.params.loss;
    for (size_t i = 0; loss == LOSS_GAMMA + 1 && i < rows; i++)
        if (!(j->table.part[PART_TRAIN].target[i] > 0.0f))
            return error_set(err, ERROR_SHAPE,
                             "target %s: loss=gamma needs values above 0, row %llu has none;"
                             " loss=tweedie takes 0",
                             j->row.target, (unsigned long long)j->table.row[PART_TRAIN][i] + 1);
    return true;
}

/* A step's rows lie anywhere; families that take all rows read them in order. */
static bool make_sampler(Job *j, Error *err)
{
    const Batch *b = &j->table.part[PART_TRAIN];
    bool whole = j->spec.family->whole_batch;
    void *const at[] = {(float *)b->dense, (int32_t *)b->code, (float *)b->target};
    for (size_t i = 0; i < 3 && !whole && !b->series; i++)
        scratch_random(j->scratch, at[i]);
    if (j->rows > UINT32_MAX)
        return error_set(err, ERROR_SPACE, "%zu training rows; a run holds at most %u", j->rows,
                         UINT32_MAX);
    if (!sampler_init(&j->sampler, (uint64_t)j->row.seed, j->rows, whole, j->scratch, err) ||
        !sampler_begin_with(&j->sampler, j->pretrain, j->bare.rows, err))
        return false;
    if (scratch_in_files(j->scratch) == 0)
        return true;
    Text text = {0};
    text_puts(&text, "the encoded rows are kept in files: ");
    text_add_bytes(&text, (double)scratch_in_files(j->scratch));
    bool ok = job_news(j, "prepare", text_str(&text), false, err);
    text_release(&text);
    return ok;
}

bool job_rows(Job *j, bool ok, Error *err)
{
    ok = ok && make_table(j, err);
    if (!team_rows(j, ok, err))
        return false;
    ok = job_class_weights(j, err) && pretrain_open(j, err) && make_sampler(j, err);
    return team_agree(j->team, ok, err);
}

/* Nothing is learnt yet: a stop ends the run as one that can be begun again. */
static bool go_on(Job *j, const char *what, Error *err)
{
    if (progress_stopped(j->progress))
        return error_set(err, ERROR_STOP, "stopped on request");
    return job_news(j, "prepare", what, false, err);
}

/* "stopped by request while encoding the rows, before the first step" */
static bool say_stopped(Job *j, const char *what, Error *err)
{
    if (err && err->kind == ERROR_STOP && j->progress == &j->own && progress_stopped(j->progress))
        error_set(err, ERROR_STOP,
                  "stopped by request while %s, before a step was taken; lathe runs resume %lld begins"
                  " again",
                  what, (long long)j->row.id);
    return false;
}

bool job_open(Job *j, Store *s, int64_t run, Pool *pool, Error *err)
{
    j->store = s;
    j->pool = pool;
    j->progress = j->progress ? j->progress : &j->own;
    j->dir = store_path(s, &j->arena, "runs/%lld", (long long)run);
    j->loop = (LoopState){.first_loss = (double)NAN, .best = (double)NAN, .best_step = -1};
    if (!store_run_get(s, run, &j->arena, &j->row, err) ||
        !run_spec_load(&j->spec, s, run, &j->arena, err))
        return false;
    int threads = j->spec.params.threads;
    if (!pool || (threads > 0 && pool_threads(pool) != (size_t)threads)) {
        j->pool = pool_create((size_t)threads);
        j->own_pool = true;
    }
    const char *what = "fitting recipe and features";
    if (!open_dataset(j, err) || !go_on(j, what, err) || !fit_or_load(j, err))
        return say_stopped(j, what, err);
    what = "encoding the rows";
    if (!go_on(j, what, err) || !team_begin(j, err) || !job_rows(j, true, err) || !slices_open(j, err))
        return say_stopped(j, what, err);
    what = "building the model";
    if (!go_on(j, what, err))
        return say_stopped(j, what, err);
    j->planned =
        ((size_t)j->pretrain + (size_t)j->spec.params.epochs) * sampler_steps(&j->sampler, (size_t)j->spec.params.batch);
    return true;
}

/* ---- the model --------------------------------------------------------------------------------------- */

static bool make_buffers(Job *j, Error *err)
{
    const ModelShape *s = features_shape(j->features);
    if (j->team && !team_room(j, err))
        return false;
    size_t n = j->sampler.whole || j->team ? 1 : j->batch_most; /* all rows are where they are */
    size_t valid = j->table.part[PART_VALID].rows;
    mem_free(j->dense);
    mem_free(j->code);
    mem_free(j->target);
    mem_free(j->weight);
    mem_free(j->at);
    j->dense = mem_try((n * s->dense + 1) * sizeof(float), err);
    j->code = mem_try((n * s->codes + 1) * sizeof(int32_t), err);
    j->target = mem_try(n * shape_targets(s) * sizeof(float), err);
    j->at = mem_try((n + 1) * sizeof *j->at, err);
    j->weight = j->table.part[PART_TRAIN].weight ? mem_try(n * sizeof(float), err) : NULL;
    if (!j->out) {
        size_t each = s->outputs > 1 ? s->outputs : 1;
        j->out = scratch_take(j->scratch, (valid * each + 1) * sizeof(float), err);
        j->value = scratch_take(j->scratch, (valid * each + 1) * sizeof(double), err);
        j->truth = scratch_take(j->scratch, (valid * shape_targets(s) + 1) * sizeof(double), err);
        if (j->spec.family->predict_more)
            j->running = scratch_take(j->scratch, (valid * each + 1) * sizeof(float), err);
    }
    if (j->spec.family->predict_more && !j->running)
        return false;
    return j->dense && j->code && j->target && j->at && j->out && j->value && j->truth &&
           (j->weight || !j->table.part[PART_TRAIN].weight);
}

bool job_model(Job *j, size_t batch_most, Error *err)
{
    const RunParams *p = &j->spec.params;
    if (!team_model(j, batch_most, err))
        return false;
    size_t rows = j->rows + j->bare.rows;
    j->batch_most = j->sampler.whole || batch_most > rows ? rows : batch_most;
    ModelSetup setup = {
        .seed = (uint64_t)j->row.seed,
        .batch_most = j->batch_most,
        .loss = p->loss,
        .huber_delta = p->huber_delta,
        .quantile = p->quantile,
        .tweedie_power = p->tweedie_power,
        .optimizer = p->optimizer,
        .beta1 = p->beta1,
        .beta2 = p->beta2,
        .epsilon = p->epsilon,
        .class_weight = j->class_weight,
        .pool = j->pool,
        .progress = j->progress,
        .steps_total = j->planned,
        .pretrains = j->pretrain > 0,
        .products = p->products,
        .precision = p->precision,
        .freeze = *p->freeze ? p->freeze : NULL,
        .scratch = j->scratch,
        .team = j->team,
    };
    Text state = {0};
    bool ok = !j->model || model_state_save(j->model, false, &state, err);
    if (ok) {
        bool again = j->model != NULL;
        model_destroy(j->model);
        j->model = model_create(j->spec.family, j->spec.model_params, features_shape(j->features),
                                &setup, err);
        ok = j->model && (!again || model_state_load(j->model, state.at, state.count, err)) &&
             make_buffers(j, err);
    }
    text_release(&state);
    return ok;
}

void job_close(Job *j)
{
    model_destroy(j->model);
    slices_close(j);
    mem_free(j->dense);
    mem_free(j->code);
    mem_free(j->target);
    mem_free(j->weight);
    mem_free(j->at);
    mem_free(j->shared);
    text_release(&j->best);
    json_decref(j->best_state);
    sampler_release(&j->sampler);
    split_release(&j->split);
    mem_free((float *)j->bare.dense);
    mem_free((int32_t *)j->bare.code);
    mem_free(j->bare_row);
    feature_table_release(&j->table);
    scratch_destroy(j->scratch); /* with out, running, value, truth */
    features_destroy(j->features);
    plan_destroy(j->plan);
    schema_release(&j->schema);
    dataset_close(j->dataset);
    run_spec_release(&j->spec);
    if (j->own_pool)
        pool_destroy(j->pool);
    arena_release(&j->arena);
}
