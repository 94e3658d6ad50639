/* pull.c -- lathe pull: datasets and models from a remote, usable at once.
 *
 * An object is fetched under a name of its own, its hash computed anew, and only then does it get the
 * name of its content; the row of the store that names it comes last. A name that means something else
 * here stays as it is: what comes is NAME_HASH then, unless it is a newer version of what is here. */
#include "exchange_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MANIFEST_MOST ((size_t)1 << 30)
#define STALE_SECONDS (7 * 86400)

typedef struct PullSettings {
    bool show;
} PullSettings;

char *pull_other_name(const char *name, const char *hash, Arena *a)
{
    return arena_printf(a, "%.57s_%.6s", name, hash);
}

json_t *pull_manifest(Exchange *x, ManifestKind kind, const Entry *e, Error *err)
{
    char *scratch = store_path(x->store, &x->arena, ".pull-%d.json", (int)getpid());
    Text text = {0};
    json_t *body = NULL;
    if (remote_get(x->remote, e->key, scratch, NULL, err) &&
        file_read(scratch, &text, MANIFEST_MOST, err)) {
        body = manifest_read(kind, text.at ? text.at : "", text.count, err);
        if (!body)
            error_in(err, "%s/%s", remote_name(x->remote), e->key);
    }
    unlink(scratch);
    text_release(&text);
    return body;
}

/* ---- one dataset -------------------------------------------------------------------------------------------- */

static bool verify(Exchange *x, const char *path, const char *hash, const char *key, Error *err)
{
    Error why = {0};
    Dataset *d = dataset_open(path, &why);
    bool ok = d && dataset_verify(d, x->call->pool, &why);
    if (ok && !text_equal(dataset_hash(d), hash))
        ok = error_set(&why, ERROR_PARSE, "its content is that of %.12s", dataset_hash(d));
    dataset_close(d);
    if (ok)
        return true;
    const char *cause = strstr(why.text, path) == why.text ? why.text + strlen(path) : why.text;
    return error_set(err, ERROR_PARSE,
                     "%s/%s: is damaged, not taken (%.200s); push it again from where it is "
                     "whole",
                     remote_name(x->remote), key, cause + strspn(cause, ": "));
}

static bool fetch_object(Exchange *x, const char *hash, Error *err)
{
    const char *key = exchange_dataset_key(x, hash);
    const char *path = store_path(x->store, &x->arena, "datasets/%s.arrow", hash);
    const char *dir = store_path(x->store, &x->arena, "datasets");
    const char *part = store_path(x->store, &x->arena, "datasets/.pull-%s", hash);
    struct stat st;
    if (file_exists(path)) {
        x->there++;
        return true;
    }
    if (!exchange_object(x, key))
        return error_set(err, ERROR_IO,
                         "%s/%s: no such object, though its manifest is there; push it again",
                         remote_name(x->remote), key);
    bool some = file_exists(part); /* of a pull that was interrupted */
    if (!dir_create(dir, err) || !remote_get_on(x->remote, key, part, x->call->progress, err))
        return false;
    bool ok = verify(x, part, hash, key, some ? NULL : err);
    if (!ok && some) /* perhaps its beginning was of something else */
        ok = unlink(part) == 0 && remote_get_on(x->remote, key, part, x->call->progress, err) &&
             verify(x, part, hash, key, err);
    if (ok && (stat(part, &st) || rename(part, path)))
        ok = error_set(err, ERROR_IO, "%s: cannot rename: %s", path, strerror(errno));
    if (!ok)
        unlink(part);
    else
        x->moved++, x->bytes += st.st_size;
    return ok && dir_flush(dir, err);
}

/* Is what the name means here an older version of what it means there? */
static bool older_there(const Exchange *x, const Entry *e, const char *hash)
{
    for (size_t i = 0; i < x->kind[MANIFEST_DATASET].count; i++) {
        const Entry *other = &x->kind[MANIFEST_DATASET].at[i];
        if (text_equal(other->name, e->name) && text_equal(other->hash, hash) &&
            other->made <= e->made)
            return true;
    }
    return false;
}

static bool has_row(const DatasetRow *rows, size_t n, const char *hash, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (text_equal(rows[i].hash, hash) && text_equal(rows[i].name, name))
            return true;
    return false;
}

static const char *meaning(const DatasetRow *rows, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) /* newest first */
        if (text_equal(rows[i].name, name))
            return rows[i].hash;
    return NULL;
}

static bool enter(Exchange *x, const Entry *e, DatasetRow *row, const ColumnRow *columns, size_t n,
                  const RejectRow *rejects, size_t bad, const char **state, Error *err)
{
    DatasetRow *rows;
    size_t count;
    if (!store_datasets(x->store, &x->arena, &rows, &count, err))
        return false;
    const char *now = meaning(rows, count, row->name);
    bool known = false;
    for (size_t i = 0; i < count; i++)
        known |= text_equal(rows[i].hash, row->hash);
    if (has_row(rows, count, row->hash, row->name)) {
        *state = "there already";
        return true;
    }
    if (now && !older_there(x, e, now)) {
        row->name = pull_other_name(row->name, row->hash, &x->arena);
        *state =
            arena_printf(&x->arena, "fetched as %s: the name means another table here", row->name);
        if (has_row(rows, count, row->hash, row->name)) {
            *state = arena_printf(&x->arena, "there already as %s", row->name);
            return true;
        }
    } else {
        *state = now ? "fetched: a newer version" : "fetched";
    }
    if (!store_begin(x->store, err))
        return false;
    if (store_dataset_add(x->store, row, columns, n, err) &&
        (known || !bad || store_rejects_add(x->store, row->hash, rejects, bad, err)))
        return store_commit(x->store, err);
    store_rollback(x->store);
    return false;
}

static bool pull_to_depth(Exchange *x, const Entry *e, int depth, Error *err)
{
    DatasetRow row;
    ColumnRow *columns;
    RejectRow *rejects;
    size_t n, bad;
    const char *state = "";
    if (json_object_get(x->seen, e->key))
        return true;
    json_object_set_new(x->seen, e->key, json_true());
    json_t *body = pull_manifest(x, MANIFEST_DATASET, e, err);
    bool ok = body != NULL;
    if (ok && (!manifest_to_dataset(body, &x->arena, &row, &columns, &n, &rejects, &bad, err) ||
               (!text_equal(row.hash, e->hash) &&
                !error_set(err, ERROR_PARSE, "is of another dataset")) ||
               !workspace_name_check(row.name, err)))
        ok = error_in(err, "%s/%s", remote_name(x->remote), e->key);
    json_decref(body);
    const Entry *parent =
        ok && *row.parent ? exchange_by_hash(x, MANIFEST_DATASET, row.parent) : NULL;
    if (parent && depth < 1000)
        ok = pull_to_depth(x, parent, depth + 1, err);
    ok = ok && fetch_object(x, e->hash, err) &&
         enter(x, e, &row, columns, n, rejects, bad, &state, err);
    if (ok)
        exchange_note(x, "dataset", e->name, e->hash, state);
    return ok;
}

bool pull_dataset(Exchange *x, const Entry *e, Error *err)
{
    return pull_to_depth(x, e, 0, err);
}

/* ---- what to fetch --------------------------------------------------------------------------------------------- */

static bool no_such(const Exchange *x, const char *word, Error *err)
{
    VEC(const char *) names = {0};
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < x->kind[k].count; i++)
            vec_add(&names, x->kind[k].at[i].name);
    const char *near = text_nearest(word, names.at, names.count);
    error_set(err, ERROR_USAGE, "pull: %s has no dataset or model %s%s%s%s", remote_name(x->remote),
              word, near ? ", did you mean " : "; lathe pull REMOTE show=yes lists what it has",
              near ? near : "", near ? "?" : "");
    vec_release(&names);
    return false;
}

static bool pull_word(Exchange *x, const char *word, Error *err)
{
    bool as_model = text_starts(word, "model:"), as_dataset = text_starts(word, "dataset:");
    const char *name = word + (as_model ? 6 : as_dataset ? 8 : 0);
    const Entry *dataset = as_model ? NULL : exchange_newest(x, MANIFEST_DATASET, name);
    const Entry *model = as_dataset ? NULL : exchange_newest(x, MANIFEST_MODEL, name);
    if (dataset && model)
        return error_set(err, ERROR_USAGE,
                         "pull: %s is a dataset and a model; say dataset:%s or model:%s", name,
                         name, name);
    if (!dataset && !model) {
        dataset = as_model ? NULL : exchange_by_hash(x, MANIFEST_DATASET, name);
        model = as_dataset || dataset ? NULL : exchange_by_hash(x, MANIFEST_MODEL, name);
    }
    if (dataset)
        return pull_dataset(x, dataset, err);
    return model ? pull_model(x, model, err) : no_such(x, name, err);
}

/* All names in their newest version; what they came from comes along. */
static bool pull_all(Exchange *x, Error *err)
{
    bool ok = true;
    for (int k = 0; ok && k < 2; k++)
        for (size_t i = 0; ok && i < x->kind[k].count; i++) {
            const Entry *e = &x->kind[k].at[i];
            if (e != exchange_newest(x, (ManifestKind)k, e->name))
                continue;
            ok = k == MANIFEST_DATASET ? pull_dataset(x, e, err) : pull_model(x, e, err);
        }
    return ok && (x->kind[0].count || x->kind[1].count ||
                  error_set(err, ERROR_USAGE,
                            "pull: %s holds no datasets or models; lathe push puts them there",
                            remote_name(x->remote)));
}

static void show_all(Exchange *x)
{
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < x->kind[k].count; i++) {
            const Entry *e = &x->kind[k].at[i];
            Text made = {0};
            time_format(e->made - e->made % 1000000, &made);
            bool newest = e == exchange_newest(x, (ManifestKind)k, e->name);
            exchange_note(
                x, k ? "model" : "dataset", e->name, e->hash,
                arena_printf(&x->arena, "of %s%s", text_str(&made), newest ? "" : ", older"));
            text_release(&made);
        }
}

/* What a killed pull left half-fetched, so long ago that nobody goes on with it. */
static void sweep(Exchange *x, const char *folder)
{
    char *path = store_path(x->store, &x->arena, "%s", folder);
    DIR *dir = opendir(path);
    struct stat st;
    for (struct dirent *e; dir && (e = readdir(dir));) {
        bool ours = text_starts(e->d_name, ".pull-") || text_starts(e->d_name, "..pull-");
        if (!ours || fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
            st.st_mtime > time(NULL) - STALE_SECONDS)
            continue;
        if (S_ISDIR(st.st_mode))
            dir_remove(arena_printf(&x->arena, "%s/%s", path, e->d_name), NULL);
        else
            unlinkat(dirfd(dir), e->d_name, 0);
    }
    if (dir)
        closedir(dir);
}

/* ---- the verb ------------------------------------------------------------------------------------------------------ */

static bool run(CommandCall *call, json_t **result, Error *err)
{
    const PullSettings *set = call->settings;
    Exchange x;
    bool ok = exchange_open(&x, call, call->word[0], STORE_WRITE, err);
    if (ok && set->show) {
        show_all(&x);
    } else if (ok) {
        sweep(&x, "datasets"), sweep(&x, "runs");
        progress_begin(call->progress, "fetching", "bytes", 0);
        for (size_t i = 1; ok && i < call->words; i++)
            ok = pull_word(&x, call->word[i], err);
        ok = ok && (call->words > 1 || pull_all(&x, err));
    }
    if (ok)
        *result = exchange_result(&x);
    exchange_close(&x);
    return ok;
}

static const Arg args[] = {
    {.name = "REMOTE", .kind = ARG_FILE, .about = "a folder, or s3://BUCKET/PREFIX"},
    {.name = "WHAT",
     .kind = ARG_WORD,
     .optional = true,
     .many = true,
     .about = "datasets and models by their names there or their hashes; all, in their newest "
              "versions, when "
              "none is named"},
    ARG_END};
static const Param params[] = {
    PARAM_BOOL(PullSettings, show, "show", 0, "only lists what is there"), PARAM_END};

const Command pull_command = {
    .name = "pull",
    .about = "fetches datasets and models, with what they came from, from a folder or S3",
    .details =
        "Only what is missing is fetched, and every object's hash is computed anew before it gets a\n"
        "name: what is damaged is refused. Interrupted at any moment, nothing half-fetched has a name. A\n"
        "dataset brings its parents, recipe and the roles of its columns, a model its run with params\n"
        "and metrics and its dataset. A name that means something else here is left alone, and what\n"
        "comes is called NAME_HASH; a newer version of what is here takes the name. Push says how a\n"
        "remote is laid out.",
    .example = "lathe pull ../team-models trips_jan",
    .args = args,
    .params = params,
    .params_size = sizeof(PullSettings),
    .run = run,
};
