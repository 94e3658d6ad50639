/* pull_model.c -- a model from a remote: the files of its bundle, then its run, then its name.
 *
 * The files are fetched into runs/.pull-HASH, each held to its SHA-256, and the whole is opened as a
 * bundle. Then the run is entered as one that has no model; the bundle gets its place runs/ID/bundle;
 * and one transaction enters the points, the model, and the run's true end. A kill between the two
 * leaves a run that says so, and the next pull goes on with it. */
#include "exchange_int.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char unfinished[] = "pulled halfway; pull it again";

/* ---- what is here ------------------------------------------------------------------------------------------ */

static const RunRow *find_run(const RunRow *rows, size_t n, int64_t id)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].id == id)
            return &rows[i];
    return NULL;
}

/* The same model of the same run, whatever it is called here. */
static const ModelRow *find_model(const PulledRun *p, const ModelRow *models, size_t n,
                                  const RunRow *runs, size_t m)
{
    for (size_t i = 0; i < n; i++) {
        const RunRow *run = find_run(runs, m, models[i].run);
        if (text_equal(models[i].hash, p->model.hash) && run && run->created == p->run.created)
            return &models[i];
    }
    return NULL;
}

static bool name_taken(const RunRow *runs, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (text_equal(runs[i].name, name) && !text_equal(runs[i].message, unfinished))
            return true;
    return false;
}

/* ---- the files ------------------------------------------------------------------------------------------------ */

static bool fetch_file(Exchange *x, const char *dir, const BundleFile *f, Error *err)
{
    const char *key = exchange_file_key(x, f->sha256);
    const char *path = arena_printf(&x->arena, "%s/%s", dir, f->name);
    char hex[65];
    int64_t bytes;
    if (file_exists(path) && file_sha256(path, hex, &bytes, NULL) && text_equal(hex, f->sha256))
        return true; /* of a pull that was interrupted */
    if (!exchange_object(x, key))
        return error_set(err, ERROR_IO,
                         "%s/%s: no such object, though its manifest is there; push it again",
                         remote_name(x->remote), key);
    if (!remote_get(x->remote, key, path, x->call->progress, err) ||
        !file_sha256(path, hex, &bytes, err))
        return false;
    if (!text_equal(hex, f->sha256)) {
        unlink(path);
        return error_set(err, ERROR_PARSE,
                         "%s/%s: is damaged, not taken; push it again from where it is whole",
                         remote_name(x->remote), key);
    }
    x->moved++;
    x->bytes += bytes;
    return true;
}

static bool fetch_bundle(Exchange *x, const char *dir, const PulledRun *p, Error *err)
{
    bool ok = dir_create(dir, err);
    for (size_t i = 0; ok && i < p->files; i++)
        ok = fetch_file(x, dir, &p->file[i], err);
    Bundle *b = ok ? bundle_open(dir, x->call->pool, err) : NULL;
    if (ok && !b)
        error_in(err, "%s: model %s", remote_name(x->remote), p->model.name);
    ok = b != NULL;
    bundle_close(b);
    return ok && dir_flush(dir, err);
}

/* ---- the rows --------------------------------------------------------------------------------------------------- */

/* The number that a run has here which was made at that moment under that name, or came as another; 0. */
static int64_t find_origin(const PulledOrigin *from, const RunRow *runs, size_t n)
{
    int64_t found = 0;
    for (size_t i = 0; *from->name && i < n; i++)
        if (runs[i].created == from->created && (!found || text_equal(runs[i].name, from->name)))
            found = runs[i].id;
    return found;
}

/* The run, without a model yet; 0: failed. */
static int64_t enter_run(Exchange *x, const PulledRun *p, const RunRow *runs, size_t n,
                         const char *name, Error *err)
{
    for (size_t i = 0; i < n; i++)
        if (text_equal(runs[i].message, unfinished) && runs[i].created == p->run.created)
            return runs[i].id;
    RunRow row = p->run;
    row.name = name;
    row.status = RUN_KILLED;
    row.message = unfinished;
    row.parent = find_origin(&p->origin, runs, n);
    row.parent_step = p->origin.step;
    return store_run_add(x->store, &row, p->param, p->params, err);
}

static bool add_events(Exchange *x, const PulledRun *p, int64_t run, Error *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < p->events; i++) {
        EventRow e = p->event[i];
        e.run = run;
        ok = store_event_put(x->store, &e, err);
    }
    return ok;
}

static bool place_bundle(Exchange *x, const char *from, int64_t run, Error *err)
{
    char *dir = store_path(x->store, &x->arena, "runs/%lld", (long long)run);
    char *to = arena_printf(&x->arena, "%s/bundle", dir);
    if (!dir_create(dir, err) || (file_exists(to) && !dir_remove(to, err)))
        return false;
    if (rename(from, to))
        return error_set(err, ERROR_IO, "%s: cannot rename: %s", to, strerror(errno));
    return dir_flush(dir, err) && dir_flush(store_path(x->store, &x->arena, "runs"), err);
}

static bool alias_free(const ModelRow *models, size_t n, const char *alias)
{
    for (size_t i = 0; i < n; i++)
        if (text_equal(models[i].alias, alias))
            return false;
    return true;
}

static bool finish(Exchange *x, const PulledRun *p, int64_t run, const char *name,
                   const ModelRow *models, size_t n, Error *err)
{
    ModelRow model = p->model;
    model.run = run;
    model.name = name;
    model.path = arena_printf(&x->arena, "runs/%lld/bundle", (long long)run);
    if (!alias_free(models, n, model.alias))
        model.alias = "";
    for (size_t i = 0; i < n; i++)
        if (text_equal(models[i].name, name))
            model.version = 0; /* the next one here */
    if (!store_begin(x->store, err))
        return false;
    if (store_metrics_cut(x->store, run, -1, err) &&
        store_metrics_add(x->store, run, p->point, p->points, err) && add_events(x, p, run, err) &&
        store_model_add(x->store, &model, err) &&
        store_run_ended(x->store, run, p->run.message, p->run.ended, err))
        return store_commit(x->store, err);
    store_rollback(x->store);
    return false;
}

/* ---- all of it ----------------------------------------------------------------------------------------------------- */

static bool take(Exchange *x, const Entry *e, const PulledRun *p, Error *err)
{
    RunRow *runs;
    ModelRow *models;
    size_t n, m;
    if (!store_runs(x->store, &x->arena, &runs, &n, err) ||
        !store_models(x->store, &x->arena, &models, &m, err))
        return false;
    const ModelRow *here = find_model(p, models, m, runs, n);
    if (here) {
        exchange_note(x, "model", e->name, e->hash,
                      text_equal(here->name, e->name)
                          ? "there already"
                          : arena_printf(&x->arena, "there already as %s", here->name));
        return true;
    }
    bool taken = name_taken(runs, n, p->run.name);
    const char *name = taken ? pull_other_name(p->run.name, p->model.hash, &x->arena) : p->run.name;
    char *part = store_path(x->store, &x->arena, "runs/.pull-%s", p->model.hash);
    int64_t run = 0;
    if (!fetch_bundle(x, part, p, err) || !(run = enter_run(x, p, runs, n, name, err)) ||
        !place_bundle(x, part, run, err) || !finish(x, p, run, name, models, m, err))
        return false;
    exchange_note(
        x, "model", e->name, e->hash,
        taken ? arena_printf(&x->arena, "fetched as %s: the name means another run here", name)
              : arena_printf(&x->arena, "fetched as run %lld", (long long)run));
    return true;
}

bool pull_model(Exchange *x, const Entry *e, Error *err)
{
    PulledRun p;
    if (json_object_get(x->seen, e->key)) /* before a fork of it */
        return true;
    json_object_set_new(x->seen, e->key, json_true());
    json_t *body = pull_manifest(x, MANIFEST_MODEL, e, err);
    if (!body)
        return false;
    bool ok =
        manifest_to_run(body, &x->arena, &p, err) &&
        (text_equal(p.model.hash, e->hash) || error_set(err, ERROR_PARSE, "is of another model"));
    json_decref(body);
    if (!ok)
        return error_in(err, "%s/%s", remote_name(x->remote), e->key);
    const Entry *before =
        *p.origin.model ? exchange_by_hash(x, MANIFEST_MODEL, p.origin.model) : NULL;
    if (before && !pull_model(x, before, err))
        return false;
    const Entry *dataset = exchange_by_hash(x, MANIFEST_DATASET, p.run.dataset);
    return (!dataset || pull_dataset(x, dataset, err)) && take(x, e, &p, err);
}
