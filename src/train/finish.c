/* finish.c -- after the last step: the bundle, and the test metrics as the bundle scores raw rows.
 *
 * The model that is tested is the one that is served: the bundle is written, opened again from
 * disk, and given the raw test rows. */
#include "train_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what the bundle says of itself ------------------------------------------------------------------ */

/* [{"column", "gain": share of all, "splits", "cover": share}], or NULL. */
static json_t *importance_json(const Model *m)
{
    size_t n;
    double gain = 0.0, cover = 0.0;
    Importance *all = model_importance(m, &n);
    json_t *list = all ? json_array() : NULL;
    for (size_t i = 0; i < n; i++) {
        gain += all[i].gain;
        cover += all[i].cover;
    }
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:f, s:I, s:f}", "column", all[i].name, "gain",
                                        all[i].gain / gain, "splits", (json_int_t)all[i].splits,
                                        "cover", all[i].cover / cover));
    mem_free(all);
    return list;
}

static json_t *about_json(Job *j, const Chain *chain, const json_t *metrics_json)
{
    json_t *a =
        json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:I, s:s}", "run",
                  (json_int_t)j->row.id, "name", j->row.name, "family", j->row.family, "dataset",
                  j->from.hash, "dataset_name", j->from.name, "source", j->from.source, "target",
                  j->row.target, "split", j->row.split, "recipe", j->row.recipe, "seed",
                  (json_int_t)j->row.seed, "root", chain->root, "step",
                  (json_int_t)(j->loop.best_step >= 0 ? j->loop.best_step : j->loop.step),
                  "version", LATHE_VERSION);
    json_object_set_new(a, "params", run_spec_json(&j->spec));
    json_t *importance = importance_json(j->model);
    if (importance)
        json_object_set_new(a, "importance", importance);
    json_object_set(a, "metrics", (json_t *)(uintptr_t)metrics_json);
    return a;
}

/* ---- the reference: raw training rows ------------------------------------------------------------------ */

/* Row numbers of a part that lie in a chunk, as rows of the chunk. Rows of the part ascend. */
static size_t rows_in(const Job *j, Part part, const Chunk *c, size_t *at, uint32_t *out)
{
    const FeatureTable *t = &j->table;
    size_t n = 0, rows = part == PART_TRAIN ? j->rows : t->part[part].rows;
    for (; *at < rows && t->row[part][*at] < c->first + c->rows; ++*at)
        out[n++] = (uint32_t)(t->row[part][*at] - c->first);
    return n;
}

static void profile_training_rows(Job *j, Profile *out)
{
    Arena a = {0};
    size_t at = 0;
    Profiler *p = profiler_create(dataset_schema(j->dataset));
    for (size_t i = 0; i < dataset_chunks(j->dataset); i++) {
        Chunk c, part;
        dataset_chunk(j->dataset, i, &a, &c);
        uint32_t *rows = ARENA_NEW(&a, uint32_t, c.rows + 1);
        size_t n = rows_in(j, PART_TRAIN, &c, &at, rows);
        if (n > 0) {
            chunk_gather(&c, rows, n, &a, &part);
            profiler_add(p, &part);
        }
        arena_reset(&a);
    }
    profiler_finish(p, out);
    arena_release(&a);
}

/* Of a derived dataset the raw rows are those of its root, all of them: which of them became
 * training rows is not known there. */
static bool root_profile(Job *j, const Chain *chain, Dataset **root, Error *err)
{
    *root = dataset_open(store_path(j->store, &j->arena, "datasets/%s.arrow", chain->root), err);
    return *root || error_in(err, "the raw dataset");
}

/* ---- saving -------------------------------------------------------------------------------------------- */

static bool save(Job *j, const Chain *chain, const Profile *profile, const json_t *numbers,
                 Error *err)
{
    const Plan **plans = ARENA_NEW(&j->arena, const Plan *, chain->plans + 1);
    size_t n = chain->plans;
    for (size_t i = 0; i < n; i++)
        plans[i] = chain->plan[i];
    if (j->plan)
        plans[n++] = j->plan;
    json_t *about = about_json(j, chain, numbers);
    BundleParts parts = {.schema = &chain->raw,
                         .plan = plans,
                         .plans = n,
                         .features = j->features,
                         .model = j->model,
                         .params = j->spec.model_params,
                         .profile = profile,
                         .about = about};
    char *dir = arena_printf(&j->arena, "%s/bundle", j->dir);
    bool ok = (!file_exists(dir) || dir_remove(dir, err)) && bundle_save(dir, &parts, err);
    json_decref(about);
    return ok;
}

/* ---- testing ------------------------------------------------------------------------------------------- */

typedef struct Scored {
    double *value, *truth;
    size_t n, classes;
    size_t dropped; /* by a rule, now that they came alone (dedupe knows no others) */
} Scored;

static void take_predictions(const Job *j, const Prediction *p, const float *target, size_t n,
                             Scored *s)
{
    bool number = features_shape(j->features)->task == TASK_REGRESSION;
    for (size_t i = 0; i < n; i++) {
        if (!p[i].kept) {
            s->dropped++;
            continue;
        }
        if (s->classes > 2)
            for (size_t c = 0; c < s->classes; c++)
                s->value[s->n * s->classes + c] = (double)p[i].share[c];
        else
            s->value[s->n] = p[i].value;
        s->truth[s->n++] =
            number ? features_target_value(j->features, (double)target[i]) : (double)target[i];
    }
}

static bool score_rows(Job *j, Bundle *b, size_t first_plan, Scored *s, Error *err)
{
    Arena a = {0};
    size_t at = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < dataset_chunks(j->dataset); i++) {
        Chunk c, part;
        Prediction *p;
        dataset_chunk(j->dataset, i, &a, &c);
        uint32_t *rows = ARENA_NEW(&a, uint32_t, c.rows + 1);
        size_t begin = at, n = rows_in(j, PART_TEST, &c, &at, rows);
        if (n > 0) {
            chunk_gather(&c, rows, n, &a, &part);
            ok = dataset_sound(j->dataset, err) &&
                 bundle_score(b, &part, first_plan, &a, &p, err);
            if (ok)
                take_predictions(j, p, j->table.part[PART_TEST].target + begin, n, s);
        }
        arena_reset(&a);
    }
    arena_release(&a);
    return ok;
}

void finish_metrics(Job *j, const double *value, const double *truth, size_t n, json_t *numbers)
{
    const ModelShape *shape = features_shape(j->features);
    TaskKind task = shape->task;
    for (size_t i = 0; metrics[i]; i++) {
        if (!(metrics[i]->tasks & 1u << task))
            continue;
        double v = metrics[i]->score(value, truth, n, shape->classes);
        if (!isfinite(v))
            continue;
        const char *key = arena_printf(&j->arena, "test_%s", metrics[i]->name);
        record_add(j, key, v);
        json_object_set_new(numbers, key, json_real(v));
    }
}

static bool test(Job *j, const Chain *chain, json_t *numbers, Error *err)
{
    size_t rows = j->table.part[PART_TEST].rows;
    const ModelShape *shape = features_shape(j->features);
    size_t each = shape->classes > 2 ? shape->classes : 1;
    if (rows == 0)
        return true;
    Scored s = {.classes = shape->classes,
                .value = scratch_take(j->scratch, rows * each * sizeof(double), err),
                .truth = scratch_take(j->scratch, rows * sizeof(double), err)};
    Bundle *b = s.value && s.truth
                    ? bundle_open(arena_printf(&j->arena, "%s/bundle", j->dir), j->pool, err)
                    : NULL;
    bool ok = b && (shape->series ? test_series(j, b, chain->plans, numbers, err)
                                  : score_rows(j, b, chain->plans, &s, err));
    if (ok && !shape->series)
        finish_metrics(j, s.value, s.truth, s.n, numbers);
    bundle_close(b);
    scratch_give(j->scratch, s.value);
    scratch_give(j->scratch, s.truth);
    return ok || error_in(err, "test");
}

/* ---- the end ------------------------------------------------------------------------------------------- */

static bool model_hash(Job *j, char hex[65], Error *err)
{
    FileMap m;
    uint8_t digest[32];
    if (!filemap_open(&m, arena_printf(&j->arena, "%s/bundle/model.safetensors", j->dir), err))
        return false;
    sha256_bytes(m.at, m.size, digest);
    sha256_hex(digest, hex);
    bool ok = filemap_whole(&m, "model.safetensors", err);
    filemap_close(&m);
    return ok;
}

/* In one transaction: a kill leaves a run that is tested again, or one that has finished. */
static bool close_books(Job *j, Error *err)
{
    char hex[65];
    ModelRow model = {.run = j->row.id,
                      .name = j->row.name,
                      .hash = hex,
                      .alias = "",
                      .path = arena_printf(&j->arena, "runs/%lld/bundle", (long long)j->row.id)};
    if (!model_hash(j, hex, err) || !store_begin(j->store, err))
        return false;
    if (record_flush(j, err) && store_model_add(j->store, &model, err) &&
        store_run_status(j->store, j->row.id, RUN_FINISHED, j->loop.why, err) &&
        store_event_add(j->store, j->row.id, j->loop.step, "end", j->loop.why, err))
        return store_commit(j->store, err);
    store_rollback(j->store);
    return false;
}

static void say_end(Job *j, size_t from, size_t count)
{
    RunNews news = {.run = j->row.id,
                    .step = j->loop.step,
                    .epoch = j->sampler.epoch,
                    .kind = "end",
                    .text = j->loop.why,
                    .metrics = j->record.point + from,
                    .count = count};
    if (j->on_news)
        j->on_news(j->context, &news);
}

static bool bundle_and_test(Job *j, const Chain *chain, Error *err)
{
    Profile profile = {0};
    Dataset *root = NULL;
    json_t *numbers = json_object();
    if (isfinite(j->loop.best))
        json_object_set_new(numbers, j->row.monitor, json_real(j->loop.best));
    if (chain->plans == 0)
        profile_training_rows(j, &profile);
    bool ok = chain->plans == 0 || root_profile(j, chain, &root, err);
    const Profile *reference = root ? dataset_profile(root) : &profile;
    size_t from = j->record.count;
    ok = ok && save(j, chain, reference, numbers, err) && test(j, chain, numbers, err) &&
         save(j, chain, reference, numbers, err); /* again, now with its test metrics */
    size_t count = j->record.count - from;
    ok = ok && close_books(j, err);
    if (ok)
        say_end(j, from, count); /* record_flush leaves the points where they are */
    json_decref(numbers);
    profile_release(&profile);
    dataset_close(root);
    return ok;
}

bool finish_run(Job *j, Error *err)
{
    Chain chain = {0};
    bool ok = checkpoint_write(j, err) && checkpoint_load_best(j, err) &&
              chain_open(&chain, j->store, &j->from, err) && bundle_and_test(j, &chain, err);
    chain_close(&chain);
    return ok;
}
