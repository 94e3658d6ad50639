/* push.c -- lathe push: datasets and models to a remote, with all they came from.
 *
 * Nothing is sent before it is known what: the plan is made from the listing of the remote, so a name
 * that means another table there is refused before the first byte. Then parents before children, objects
 * before the manifest that names them. */
#include "exchange_int.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct PushSettings {
    bool force;
    int part;
} PushSettings;

/* What is to go, parents first. */
typedef struct PushPlan {
    VEC(DatasetRow) dataset;
    VEC(ModelRow) model;
} PushPlan;

/* ---- what to send --------------------------------------------------------------------------------------- */

static bool planned(const PushPlan *p, const DatasetRow *row)
{
    for (size_t i = 0; i < p->dataset.count; i++)
        if (text_equal(p->dataset.at[i].hash, row->hash) &&
            text_equal(p->dataset.at[i].name, row->name))
            return true;
    return false;
}

static bool plan_dataset(Exchange *x, PushPlan *p, const DatasetRow *row, int depth, Error *err)
{
    DatasetRow parent;
    Error gone = {0};
    if (planned(p, row))
        return true;
    if (*row->parent && depth < 1000 &&
        store_dataset_find(x->store, row->parent, &x->arena, &parent, &gone) &&
        !plan_dataset(x, p, &parent, depth + 1, err))
        return false;
    vec_add(&p->dataset, *row);
    return true;
}

/* The dataset of a run under the name it had there, unless it goes already under any. */
static bool plan_dataset_of(Exchange *x, PushPlan *p, const RunRow *run, Error *err)
{
    DatasetRow *rows, *found = NULL;
    size_t n;
    for (size_t i = 0; i < p->dataset.count; i++)
        if (text_equal(p->dataset.at[i].hash, run->dataset))
            return true;
    if (!store_datasets(x->store, &x->arena, &rows, &n, err))
        return false;
    for (size_t i = 0; i < n; i++)
        if (text_equal(rows[i].hash, run->dataset) &&
            (!found || text_equal(rows[i].name, run->dataset_name)))
            found = &rows[i];
    return !found || plan_dataset(x, p, found, 0, err);
}

/* False, without an error: it has none. */
static bool newest_of(Exchange *x, int64_t run, ModelRow *out)
{
    ModelRow *models;
    size_t n, i = 0;
    if (!store_models(x->store, &x->arena, &models, &n, NULL))
        return false;
    while (i < n && models[i].run != run)
        i++;
    if (i < n)
        *out = models[i];
    return i < n;
}

/* Behind the model of the run that its own was forked from. */
static bool plan_model(Exchange *x, PushPlan *p, const ModelRow *model, int depth, Error *err)
{
    RunRow run;
    ModelRow before;
    for (size_t i = 0; i < p->model.count; i++)
        if (p->model.at[i].id == model->id)
            return true;
    if (!store_run_get(x->store, model->run, &x->arena, &run, err) ||
        !plan_dataset_of(x, p, &run, err))
        return false;
    if (run.parent && depth < 1000 && newest_of(x, run.parent, &before) &&
        !plan_model(x, p, &before, depth + 1, err))
        return false;
    vec_add(&p->model, *model);
    return true;
}

static bool plan_all(Exchange *x, PushPlan *p, Error *err)
{
    DatasetRow *rows;
    ModelRow *models;
    size_t n, m;
    bool ok = store_datasets(x->store, &x->arena, &rows, &n, err) &&
              store_models(x->store, &x->arena, &models, &m, err);
    for (size_t i = ok ? n : 0; ok && i-- > 0;)
        ok = plan_dataset(x, p, &rows[i], 0, err);
    for (size_t i = ok ? m : 0; ok && i-- > 0;)
        ok = plan_model(x, p, &models[i], 0, err);
    return ok && (p->dataset.count || p->model.count ||
                  error_set(err, ERROR_USAGE, "push: the workspace is empty"));
}

static bool newest_model(Exchange *x, const RunRow *run, ModelRow *out, Error *err)
{
    if (newest_of(x, run->id, out))
        return true;
    return error_set(err, ERROR_USAGE, "push: run %s has no model to send: it is %s", run->name,
                     run_status_name(run->status));
}

static bool plan_word(Exchange *x, PushPlan *p, const char *word, Error *err)
{
    DatasetRow row;
    RunRow run;
    ModelRow model;
    Error no_dataset = {0}, no_run = {0};
    bool as_model = text_starts(word, "model:"), as_dataset = text_starts(word, "dataset:");
    const char *name = word + (as_model ? 6 : as_dataset ? 8 : 0);
    bool dataset = !as_model && store_dataset_find(x->store, name, &x->arena, &row, &no_dataset);
    bool trained = !as_dataset && store_run_find(x->store, name, &x->arena, &run, &no_run);
    if (dataset && trained)
        return error_set(err, ERROR_USAGE,
                         "push: %s is a dataset and a run; say dataset:%s or model:%s", name, name,
                         name);
    if (dataset)
        return plan_dataset(x, p, &row, 0, err);
    if (trained)
        return newest_model(x, &run, &model, err) && plan_model(x, p, &model, 0, err);
    return error_set(err, ERROR_USAGE, "push: %s", as_model ? no_run.text : no_dataset.text);
}

/* A name may get a newer version by those who know the one before, as in any version control. */
static bool check_name(Exchange *x, const DatasetRow *row, Error *err)
{
    DatasetRow known;
    Error unknown = {0};
    const Entry *there = exchange_newest(x, MANIFEST_DATASET, row->name);
    if (!there || text_equal(there->hash, row->hash) ||
        store_dataset_find(x->store, there->hash, &x->arena, &known, &unknown))
        return true;
    return error_set(
        err, ERROR_USAGE,
        "push: %s has another version of %s (%.12s), which this workspace has not; pull it "
        "first, give yours another name, or say force=yes",
        remote_name(x->remote), row->name, there->hash);
}

/* ---- sending ---------------------------------------------------------------------------------------------- */

static bool send(Exchange *x, const char *key, const char *path, int64_t bytes, Error *err)
{
    const RemoteObject *there = exchange_object(x, key);
    if (json_object_get(x->seen, key)) /* of another name, a moment ago */
        return true;
    json_object_set_new(x->seen, key, json_true());
    if (there && there->size == (uint64_t)bytes) {
        x->there++;
        return true;
    }
    if (!remote_put(x->remote, key, path, x->call->progress, err))
        return error_in(err, "push");
    x->moved++;
    x->bytes += bytes;
    return true;
}

static bool same_manifest(Exchange *x, const char *key, const char *text, const char *scratch)
{
    Text there = {0};
    bool same = exchange_object(x, key) && remote_get(x->remote, key, scratch, NULL, NULL) &&
                file_read(scratch, &there, SIZE_MAX, NULL) && there.count == strlen(text) &&
                memcmp(there.at, text, there.count) == 0;
    text_release(&there);
    return same;
}

/* Takes body. */
static bool send_manifest(Exchange *x, ManifestKind kind, const char *key, json_t *body, bool *sent,
                          Error *err)
{
    char *text = manifest_print(kind, body);
    char *scratch = store_path(x->store, &x->arena, ".push-%d.json", (int)getpid());
    *sent = text && !same_manifest(x, key, text, scratch);
    bool ok = text || error_set(err, ERROR_PARSE, "push: %s cannot be written as JSON", key);
    if (ok && *sent)
        ok = file_write(scratch, text, strlen(text), err) &&
             (remote_put(x->remote, key, scratch, NULL, err) || error_in(err, "push"));
    unlink(scratch);
    free(text);
    return ok;
}

static bool push_dataset(Exchange *x, const DatasetRow *row, Error *err)
{
    char *path = store_path(x->store, &x->arena, "datasets/%s.arrow", row->hash);
    const char *key = exchange_dataset_key(x, row->hash);
    struct stat st;
    bool sent;
    if (stat(path, &st))
        return error_set(err, ERROR_IO, "push: dataset %s: %s: %s", row->name, path,
                         strerror(errno));
    const RemoteObject *there = exchange_object(x, key);
    if (!there || there->size != (uint64_t)st.st_size) { /* what is damaged here stays here */
        Dataset *d = dataset_open(path, err);
        bool whole = d && dataset_verify(d, x->call->pool, err);
        dataset_close(d);
        if (!whole)
            return error_in(err, "push: dataset %s", row->name);
    }
    json_t *body = manifest_of_dataset(x->store, row, &x->arena, err);
    if (!body || !send(x, key, path, st.st_size, err)) {
        json_decref(body);
        return false;
    }
    key = exchange_manifest_key(x, MANIFEST_DATASET, row->name, row->created, row->hash);
    if (!send_manifest(x, MANIFEST_DATASET, key, body, &sent, err))
        return false;
    exchange_note(x, "dataset", row->name, row->hash, sent ? "sent" : "there already");
    return true;
}

static bool send_file(Exchange *x, const char *dir, const char *name, json_t *files, Error *err)
{
    char hex[65];
    int64_t bytes;
    char *path = arena_printf(&x->arena, "%s/%s", dir, name);
    if (!file_sha256(path, hex, &bytes, err) ||
        !send(x, exchange_file_key(x, hex), path, bytes, err))
        return false;
    json_array_append_new(files, json_pack("{s:s, s:s, s:I}", "name", name, "sha256", hex, "bytes",
                                           (json_int_t)bytes));
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool send_bundle(Exchange *x, const char *dir, json_t *files, Error *err)
{
    VEC(const char *) name = {0};
    DIR *d = opendir(dir);
    bool ok = d || error_set(err, ERROR_IO, "%s: %s", dir, strerror(errno));
    for (struct dirent *e; ok && (e = readdir(d));)
        if (e->d_name[0] != '.')
            vec_add(&name, arena_text(&x->arena, e->d_name));
    if (name.count)
        qsort(name.at, name.count, sizeof *name.at, by_name);
    for (size_t i = 0; ok && i < name.count; i++)
        ok = send_file(x, dir, name.at[i], files, err);
    if (d)
        closedir(d);
    vec_release(&name);
    return ok;
}

static bool push_model(Exchange *x, const ModelRow *model, Error *err)
{
    RunRow run;
    bool sent = false;
    const char *path = NULL;
    json_t *files = json_array(), *body = NULL;
    bool ok = store_run_get(x->store, model->run, &x->arena, &run, err) &&
              run_bundle_path(x->store, model->run, &x->arena, &path, err);
    Bundle *b = ok ? bundle_open(path, x->call->pool, err) : NULL; /* checks every file */
    ok = b && (body = manifest_of_run(x->store, model, &run, &x->arena, err)) &&
         send_bundle(x, path, files, err);
    bundle_close(b);
    if (ok) {
        json_object_set(body, "files", files);
        ok = send_manifest(
            x, MANIFEST_MODEL,
            exchange_manifest_key(x, MANIFEST_MODEL, model->name, model->created, model->hash),
            json_incref(body), &sent, err);
    }
    if (ok)
        exchange_note(x, "model", model->name, model->hash, sent ? "sent" : "there already");
    json_decref(files);
    json_decref(body);
    return ok || error_in(err, "model %s", model->name);
}

/* ---- the verb ------------------------------------------------------------------------------------------------ */

static bool send_plan(Exchange *x, const PushPlan *p, bool force, Error *err)
{
    uint64_t bytes = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < p->dataset.count; i++) {
        ok = force || check_name(x, &p->dataset.at[i], err);
        if (!exchange_object(x, exchange_dataset_key(x, p->dataset.at[i].hash)))
            bytes += (uint64_t)p->dataset.at[i].bytes;
    }
    progress_begin(x->call->progress, "sending", "bytes", bytes);
    for (size_t i = 0; ok && i < p->dataset.count; i++)
        ok = push_dataset(x, &p->dataset.at[i], err);
    for (size_t i = 0; ok && i < p->model.count; i++)
        ok = push_model(x, &p->model.at[i], err);
    return ok;
}

static bool run(CommandCall *call, json_t **result, Error *err)
{
    const PushSettings *set = call->settings;
    Exchange x;
    PushPlan plan = {0};
    bool ok = exchange_open(&x, call, call->word[0], STORE_READ, err);
    if (ok)
        remote_setup(x.remote, &(RemoteSetup){.progress = call->progress,
                                              .part_bytes = (uint64_t)set->part << 20});
    for (size_t i = 1; ok && i < call->words; i++)
        ok = plan_word(&x, &plan, call->word[i], err);
    if (ok && call->words == 1)
        ok = plan_all(&x, &plan, err);
    ok = ok && send_plan(&x, &plan, set->force, err);
    if (ok)
        *result = exchange_result(&x);
    vec_release(&plan.dataset);
    vec_release(&plan.model);
    exchange_close(&x);
    return ok;
}

static const Arg args[] = {
    {.name = "REMOTE", .kind = ARG_FILE, .about = "a folder, or s3://BUCKET/PREFIX"},
    {.name = "WHAT",
     .kind = ARG_DATASET,
     .optional = true,
     .many = true,
     .about =
         "datasets (name or hash) and models (the run's name or number); all when none is named"},
    ARG_END};
static const Param params[] = {
    PARAM_BOOL(PushSettings, force, "force", 0,
               "sends a name although it means another table there, which this workspace has not"),
    PARAM_INT(PushSettings, part, "part", 64, 5, 5000, "MB",
              "on S3 what is larger is sent in parts of so much"),
    PARAM_END};

const Command push_command = {
    .name = "push",
    .about = "sends datasets and models, with what they came from, to a folder or S3",
    .details =
        "A dataset goes with its parents, a model with its run, params, metrics, events, dataset and the\n"
        "models of the runs that it was forked from. Everything is sent by the hash of its content, and only what is missing there. What is named there is\n"
        "whole: an interrupted push leaves objects that nothing names, and the next one goes on from\n"
        "them. The remote holds objects/datasets/HASH.arrow, objects/files/SHA256 (files of models),\n"
        "manifests/datasets/NAME/TIME-HASH.json and manifests/models/NAME/TIME-HASH.json: JSON objects\n"
        "with body, format, sha256 and version, keys sorted. sha256 is that of the manifest's own bytes\n"
        "with zeros for its 64 digits. The body of a dataset holds its row (name, hash, parent, recipe,\n"
        "plan, source ...), schema (with roles) and bad_rows; that of a model holds model, run, params,\n"
        "metrics (key to [step, seconds, value]), events, forked_from (name, model, created, step) and files (name, sha256, bytes). NAME has other bytes\n"
        "than letters, digits, - and _ as %XX; TIME is in microseconds since 1970, so the last below a\n"
        "name is its newest version.\n"
        "What goes to S3 in parts leaves none behind when it fails or is stopped; parts of a push that was\n"
        "killed are taken away when the same object is next sent, an hour or more later.\n"
        "S3 is asked with the credentials of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY\n"
        "(AWS_SESSION_TOKEN), or of the profile AWS_PROFILE in ~/.aws; AWS_REGION says where,\n"
        "AWS_ENDPOINT_URL which other store than Amazon's.",
    .example = "lathe push ../team-models trips_jan",
    .args = args,
    .params = params,
    .params_size = sizeof(PushSettings),
    .run = run,
};
