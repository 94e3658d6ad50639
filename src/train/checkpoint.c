/* checkpoint.c -- DIR/runs/ID/ckpt-STEP/: what a run needs to go on as if nothing had happened.
 *
 *     model.safetensors   the model's whole state: weights, moments, running statistics, generator
 *     state.json          step, epoch, position in it, sums of the epoch, early stopping, the live
 *                         settings as text, the last command that took effect; the SHA-256 of
 *                         model.safetensors, and of itself without that line
 *
 * Written to new-ckpt-STEP, flushed, renamed, the folder flushed, and only then named in the store.
 * The best weights are a checkpoint like any other: kept in memory when they are found, written at
 * the latest before the next one, so a checkpoint on disk always finds its best beside it.
 *
 * A folder ckpt-STEP that the store names holds the same bits already (the same run, the same step)
 * and is left alone; one it does not name is what a kill left, and is written again. */
#include "train_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT     "lathe-checkpoint"
#define STATE_MOST (1u << 20)
#define MODEL_MOST ((size_t)1 << 40)

/* ---- state as JSON -------------------------------------------------------------------------------- */

static json_t *real_or_null(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

static json_t *live_settings(const Job *j)
{
    json_t *live = json_object();
    for (const Param *p = run_params; p->kind != PARAM_KIND_END; p++)
        if (p->live) {
            Text value = {0};
            param_get(p, &j->spec.params, &value);
            json_object_set_new(live, p->name, json_string(text_str(&value)));
            text_release(&value);
        }
    return live;
}

static json_t *state_of(const Job *j)
{
    const LoopState *l = &j->loop;
    json_t *s = json_object();
    json_object_set_new(s, "format", json_string(FORMAT));
    json_object_set_new(s, "version", json_integer(1));
    json_object_set_new(s, "step", json_integer(l->step));
    json_object_set_new(s, "epoch", json_integer(j->sampler.epoch));
    json_object_set_new(s, "position", json_integer((json_int_t)j->sampler.position));
    json_object_set_new(s, "epoch_loss", real_or_null(l->epoch_loss));
    json_object_set_new(s, "epoch_rows", real_or_null(l->epoch_rows));
    json_object_set_new(s, "first_loss", real_or_null(l->first_loss));
    json_object_set_new(s, "best", real_or_null(l->best));
    json_object_set_new(s, "best_step", json_integer(l->best_step));
    json_object_set_new(s, "bad", json_integer(l->bad));
    json_object_set_new(s, "plateau_bad", json_integer(l->plateau_bad));
    json_object_set_new(s, "cuts", json_integer(l->cuts));
    json_object_set_new(s, "command", json_integer(l->command));
    json_object_set_new(s, "wall", real_or_null(job_wall(j)));
    json_object_set_new(s, "over", json_boolean(l->over && !j->aborted));
    json_object_set_new(s, "why", json_string(l->why));
    json_object_set_new(s, "live", live_settings(j));
    return s;
}

static int64_t whole(const json_t *s, const char *key)
{
    return json_integer_value(json_object_get(s, key));
}

static double real(const json_t *s, const char *key)
{
    const json_t *v = json_object_get(s, key);
    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

static bool take_live(Job *j, const json_t *s, Error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(s, "live"), key,
                        value) if (!params_set(run_params, &j->spec.params, key,
                                               json_string_value(value), err)) return false;
    return true;
}

/* The step a fork begins with: its own settings count, and patience begins anew. */
static bool is_origin(const Job *j, int64_t step)
{
    return j->row.parent != 0 && j->row.parent_step == step;
}

static bool take_state(Job *j, const json_t *s, Error *err)
{
    LoopState *l = &j->loop;
    bool origin = is_origin(j, whole(s, "step"));
    *l = (LoopState){
        .step = whole(s, "step"),
        .epoch_loss = real(s, "epoch_loss"),
        .epoch_rows = real(s, "epoch_rows"),
        .first_loss = real(s, "first_loss"),
        .best = real(s, "best"),
        .best_step = whole(s, "best_step"),
        .bad = origin ? 0 : (int)whole(s, "bad"),
        .plateau_bad = origin ? 0 : (int)whole(s, "plateau_bad"),
        .cuts = (int)whole(s, "cuts"),
        .command = whole(s, "command"),
        .wall = origin ? 0.0 : real(s, "wall"),
        .over = !origin && json_is_true(json_object_get(s, "over")),
    };
    const char *why = json_string_value(json_object_get(s, "why"));
    snprintf(l->why, sizeof l->why, "%s", l->over && why ? why : "");
    j->sampler.epoch = whole(s, "epoch");
    j->sampler.position = (size_t)whole(s, "position");
    if (l->step < 0 || j->sampler.epoch < 0 || j->sampler.position > j->sampler.rows + j->sampler.bare)
        return error_set(err, ERROR_PARSE, "state.json: a number is out of its range");
    return origin || take_live(j, s, err);
}

/* SHA-256 of the state as compact text with sorted keys, itself left out. */
static void seal_of(json_t *s, char hex[65])
{
    uint8_t digest[32];
    json_object_del(s, "sha256");
    char *text = json_dumps(s, JSON_REAL_PRECISION(17) | JSON_SORT_KEYS | JSON_COMPACT);
    sha256_bytes(text ? text : "", text ? strlen(text) : 0, digest);
    sha256_hex(digest, hex);
    free(text);
}

static bool check_state(json_t *s, const char *path, Error *err)
{
    char found[65], expected[65];
    if (!text_equal(json_string_value(json_object_get(s, "format")), FORMAT) ||
        whole(s, "version") != 1)
        return error_set(err, ERROR_PARSE, "%s: expected format %s, version 1", path, FORMAT);
    const char *seal = json_string_value(json_object_get(s, "sha256"));
    snprintf(expected, sizeof expected, "%s", seal ? seal : "");
    seal_of(s, found);
    return text_equal(found, expected) ||
           error_set(err, ERROR_PARSE, "%s: damaged: its SHA-256 is another than it says", path);
}

static json_t *read_state(const char *path, Error *err)
{
    Text text = {0};
    json_error_t where;
    json_t *s = NULL;
    if (file_read(path, &text, STATE_MOST, err)) {
        s = json_loadb(text_str(&text), text.count, 0, &where);
        if (!s)
            error_set(err, ERROR_PARSE, "%s: line %d: %s", path, where.line, where.text);
    }
    text_release(&text);
    if (s && check_state(s, path, err))
        return s;
    json_decref(s);
    return NULL;
}

json_t *checkpoint_state(Store *s, int64_t run, int64_t step, Error *err)
{
    Arena a = {0};
    json_t *state = read_state(
        store_path(s, &a, "runs/%lld/ckpt-%lld/state.json", (long long)run, (long long)step), err);
    arena_release(&a);
    return state;
}

/* ---- writing ----------------------------------------------------------------------------------------- */

static bool write_files(const char *dir, json_t *state, const Text *model, Error *err)
{
    char path[4300], hex[65];
    uint8_t digest[32];
    sha256_bytes(model->at, model->count, digest);
    sha256_hex(digest, hex);
    json_object_set_new(state, "model_sha256", json_string(hex));
    seal_of(state, hex);
    json_object_set_new(state, "sha256", json_string(hex));
    char *text = json_dumps(state, JSON_REAL_PRECISION(17) | JSON_INDENT(1));
    snprintf(path, sizeof path, "%s/state.json", dir);
    bool ok = text && file_write(path, text, strlen(text), err);
    free(text);
    snprintf(path, sizeof path, "%s/model.safetensors", dir);
    return ok && file_write(path, model->at, model->count, err) && dir_flush(dir, err);
}

static bool is_named(Job *j, int64_t step)
{
    Arena a = {0};
    CheckpointRow *c;
    size_t n;
    bool named = false;
    if (store_checkpoints(j->store, j->row.id, &a, &c, &n, NULL))
        for (size_t i = 0; i < n; i++)
            named |= c[i].step == step;
    arena_release(&a);
    return named;
}

static bool remove_if_there(const char *dir, Error *err)
{
    return !file_exists(dir) || dir_remove(dir, err);
}

static bool write_folder(Job *j, int64_t step, json_t *state, const Text *model, Error *err)
{
    char part[4200], dir[4200];
    snprintf(part, sizeof part, "%s/new-ckpt-%lld", j->dir, (long long)step);
    snprintf(dir, sizeof dir, "%s/ckpt-%lld", j->dir, (long long)step);
    if (file_exists(dir) && is_named(j, step))
        return true;
    if (!remove_if_there(dir, err) || !remove_if_there(part, err) || !dir_create(part, err) ||
        !write_files(part, state, model, err))
        return false;
    if (rename(part, dir) != 0)
        return error_set(err, ERROR_IO, "%s: cannot rename to %s", part, dir);
    return dir_flush(j->dir, err);
}

/* All but the best, the newest `keep` and the one a fork began with. The row goes first: a row
 * without its files would be an error, files without a row only waste room. */
static bool prune(Job *j, Error *err)
{
    Arena a = {0};
    CheckpointRow *c;
    size_t n, keep = (size_t)j->spec.params.keep;
    bool ok = store_checkpoints(j->store, j->row.id, &a, &c, &n, err);
    for (size_t i = 0; ok && i + keep < n; i++) {
        if (c[i].step == j->loop.best_step || is_origin(j, c[i].step))
            continue;
        ok = store_checkpoint_remove(j->store, c[i].id, err) &&
             dir_remove(store_path(j->store, &a, "%s", c[i].path), err);
    }
    arena_release(&a);
    return ok;
}

static bool name_it(Job *j, int64_t step, int64_t epoch, bool best, Error *err)
{
    char path[64], text[96];
    snprintf(path, sizeof path, "runs/%lld/ckpt-%lld", (long long)j->row.id, (long long)step);
    snprintf(text, sizeof text, "%s at step %lld", best ? "best so far" : "checkpoint",
             (long long)step);
    CheckpointRow row = {.run = j->row.id,
                         .step = step,
                         .epoch = epoch,
                         .path = path,
                         .value = best ? j->loop.best : (double)NAN,
                         .best = best};
    if (!store_begin(j->store, err))
        return false;
    if (store_checkpoint_add(j->store, &row, err) &&
        store_event_once(j->store, j->row.id, step, best ? "best" : "checkpoint", text, err) &&
        store_commit(j->store, err))
        return job_news(j, best ? "best" : "checkpoint", text, false, err);
    store_rollback(j->store);
    return false;
}

void checkpoint_remember_best(Job *j)
{
    json_decref(j->best_state);
    text_reset(&j->best);
    j->best_state = state_of(j);
    model_state_save(j->model, false, &j->best, NULL);
}

bool checkpoint_write_best(Job *j, Error *err)
{
    if (!j->best_state)
        return true;
    if (!record_flush(j, err) || /* its points come first: see store.h on power cuts */
        !write_folder(j, j->loop.best_step, j->best_state, &j->best, err) ||
        !name_it(j, j->loop.best_step, whole(j->best_state, "epoch"), true, err))
        return false;
    json_decref(j->best_state);
    j->best_state = NULL;
    return true;
}

bool checkpoint_write(Job *j, Error *err)
{
    Text model = {0};
    j->checkpointed = clock_now();
    j->checkpoint_asked = false;
    if (!checkpoint_write_best(j, err))
        return false;
    if (j->loop.best_step == j->loop.step)
        return prune(j, err); /* it is the present one, too */
    json_t *state = state_of(j);
    bool ok = record_flush(j, err) && model_state_save(j->model, false, &model, err) &&
              write_folder(j, j->loop.step, state, &model, err) &&
              name_it(j, j->loop.step, j->sampler.epoch, false, err) && prune(j, err);
    json_decref(state);
    text_release(&model);
    return ok;
}

/* ---- going back --------------------------------------------------------------------------------------- */

static bool load_model(Job *j, const char *dir, const json_t *state, Error *err)
{
    Text bytes = {0};
    char path[4300], hex[65];
    uint8_t digest[32];
    snprintf(path, sizeof path, "%s/model.safetensors", dir);
    bool ok = file_read(path, &bytes, MODEL_MOST, err);
    if (ok) {
        sha256_bytes(bytes.at, bytes.count, digest);
        sha256_hex(digest, hex);
        ok = text_equal(hex, json_string_value(json_object_get(state, "model_sha256"))) ||
             error_set(err, ERROR_PARSE, "%s: damaged: its SHA-256 is another than state.json says",
                       path);
    }
    if (ok && !model_state_load(j->model, bytes.at, bytes.count, err))
        ok = error_in(err, "%s", path);
    text_release(&bytes);
    return ok;
}

static json_t *state_in(const char *dir, Error *err)
{
    char path[4300];
    snprintf(path, sizeof path, "%s/state.json", dir);
    return read_state(path, err);
}

bool checkpoint_load_best(Job *j, Error *err)
{
    if (j->loop.best_step < 0)
        return true; /* no epoch was finished: the present weights are all there are */
    if (j->best_state)
        return model_state_load(j->model, j->best.at, j->best.count, err);
    char dir[4200];
    snprintf(dir, sizeof dir, "%s/ckpt-%lld", j->dir, (long long)j->loop.best_step);
    json_t *state = state_in(dir, err);
    bool ok = state && load_model(j, dir, state, err);
    json_decref(state);
    return ok;
}

bool checkpoint_load_near(Job *j, int64_t step, int64_t *found, Error *err)
{
    CheckpointRow *c;
    size_t n;
    const CheckpointRow *at = NULL;
    *found = -1;
    if (!store_checkpoints(j->store, j->row.id, &j->arena, &c, &n, err))
        return false;
    for (size_t i = 0; i < n; i++) /* ascending: the last before the step, else the first after it */
        if (!at || c[i].step <= step)
            at = &c[i];
    if (!at)
        return true;
    char *dir = store_path(j->store, &j->arena, "%s", at->path);
    json_t *state = state_in(dir, err);
    bool ok = state && load_model(j, dir, state, err);
    json_decref(state);
    *found = at->step;
    return ok;
}

/* The best it speaks of is read first: what cannot be finished is better not begun. */
static bool restore(Job *j, const CheckpointRow *c, Error *err)
{
    Arena a = {0};
    char *dir = store_path(j->store, &a, "%s", c->path);
    json_t *state = state_in(dir, err);
    bool ok = state && take_state(j, state, err);
    size_t batch = (size_t)j->spec.params.batch;
    ok = ok && (batch <= j->batch_most || job_model(j, batch, err)) &&
         checkpoint_load_best(j, err) && load_model(j, dir, state, err);
    json_decref(state);
    arena_release(&a);
    return ok;
}

/* The run will come by its step again, and write it whole. The files go first: a row without files
 * is damaged and comes here again. */
static bool discard(Job *j, const CheckpointRow *c, Error *err)
{
    return remove_if_there(store_path(j->store, &j->arena, "%s", c->path), err) &&
           store_checkpoint_remove(j->store, c->id, err);
}

/* From the newest back: one that cannot be read is told and passed over. */
bool checkpoint_restore(Job *j, bool *found, Error *err)
{
    CheckpointRow *c;
    size_t n, i;
    *found = false;
    if (!store_checkpoints(j->store, j->row.id, &j->arena, &c, &n, err))
        return false;
    if (n == 0 && j->row.parent)
        return error_set(err, ERROR_IO, "run %lld: the checkpoint it was forked from is gone",
                         (long long)j->row.id);
    Error why = {0};
    for (i = n; i > 0 && !*found; i--) {
        why = (Error){0};
        *found = restore(j, &c[i - 1], &why);
        if (!*found && !job_news(j, "damaged", why.text, true, err))
            return false;
    }
    if (n > 0 && !*found)
        return error_set(err, ERROR_IO, "run %lld: none of its checkpoints can be read: %s",
                         (long long)j->row.id, why.text);
    for (i++; i < n; i++)
        if (!discard(j, &c[i], err))
            return false;
    return true;
}
