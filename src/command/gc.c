/* gc.c -- lathe gc: what nothing in the workspace refers to, shown, and freed when asked to.
 *
 *     datasets/HASH.arrow        no dataset has that hash
 *     datasets/.dataset-XXXXXX   a writer was killed
 *     runs/ID                    no run has that number
 *     runs/ID/ckpt-STEP          the store does not name it; or, of a run that has finished, it is
 *                                neither its best nor its last, nor what a fork began with
 *     .NAME.tmp, new-ckpt-STEP,  the process that wrote it was killed
 *     .scratch-XXXXXX
 *     rows of the store          columns, rejects and drafts of datasets that are gone
 *
 * Jobs may be at work meanwhile. Nothing younger than `age` is touched, nor anything of a run whose
 * process lives: who writes a file has written to it lately, and a file that was finished but not yet
 * named in the store is young. What the store must forget it forgets before the file goes, and each
 * thing is looked at again under the store's lock, so a kill in between leaves less to free and never
 * a name without its file. */
#include "command_int.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct GcSettings { int yes; double age; } GcSettings;

typedef struct Thing {
    const char *what, *path; /* path: below the workspace */
    const char *why;
    uint64_t bytes;
    int64_t checkpoint;      /* id of the row that goes first; 0 none */
    int64_t run;             /* whose process must not live; 0 none */
    const char *hash;        /* a dataset file: still nobody's? NULL none */
} Thing;

typedef struct Gc {
    Store *store;
    Arena arena;
    double age;              /* seconds */
    VEC(Thing) things;
    uint64_t young;          /* left alone, for being written to lately */
    DatasetRow *dataset; size_t datasets;
    RunRow *run; size_t runs;
} Gc;

/* ---- files ---------------------------------------------------------------------------------------- */

typedef struct Size { uint64_t bytes; time_t newest; } Size;

/* Of a file, or of a folder and all in it. Blocks, not lengths: that is what is freed. */
static void measure(const char *path, Size *into)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return;
    into->bytes += (uint64_t)st.st_blocks * 512;
    into->newest = st.st_mtime > into->newest ? st.st_mtime : into->newest;
    DIR *d = S_ISDIR(st.st_mode) ? opendir(path) : NULL;
    for (struct dirent *e; d && (e = readdir(d));) {
        Text inner = {0};
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            text_printf(&inner, "%s/%s", path, e->d_name);
            measure(text_str(&inner), into);
        }
        text_release(&inner);
    }
    if (d)
        closedir(d);
}

static bool is_young(Gc *g, const char *path, uint64_t *bytes)
{
    Size size = {0};
    measure(store_path(g->store, &g->arena, "%s", path), &size);
    *bytes = size.bytes;
    return (double)(time_now() / 1000000 - (int64_t)size.newest) < g->age;
}

/* Notes it, if it is old enough. */
static void found(Gc *g, Thing t)
{
    if (is_young(g, t.path, &t.bytes))
        g->young++;
    else
        vec_add(&g->things, t);
}

static bool is_left_behind(const char *name)
{
    return text_starts(name, ".dataset-") || text_starts(name, SCRATCH_NAME) ||
           text_starts(name, ".predict-") || text_starts(name, "new-ckpt-") || (name[0] == '.' && text_ends(name, ".tmp"));
}

/* Calls look for each entry of a folder of the workspace; one that is not there has none. */
static void each_entry(Gc *g, const char *folder, void (*look)(Gc *g, const char *path, const char *name))
{
    DIR *d = opendir(store_path(g->store, &g->arena, "%s", folder));
    for (struct dirent *e; d && (e = readdir(d));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        const char *path = *folder ? arena_printf(&g->arena, "%s/%s", folder, e->d_name)
                                   : arena_text(&g->arena, e->d_name);
        look(g, path, arena_text(&g->arena, e->d_name));
    }
    if (d)
        closedir(d);
}

/* ---- what nothing refers to -------------------------------------------------------------------------- */

static bool is_named(const Gc *g, const char *hash)
{
    for (size_t i = 0; i < g->datasets; i++)
        if (strcmp(g->dataset[i].hash, hash) == 0)
            return true;
    return false;
}

static void look_top(Gc *g, const char *path, const char *name)
{
    if (is_left_behind(name))
        found(g, (Thing){.what = "file", .path = path, .why = "its writer was killed"});
}

static void look_dataset(Gc *g, const char *path, const char *name)
{
    look_top(g, path, name);
    if (strlen(name) != 64 + strlen(".arrow") || !text_ends(name, ".arrow"))
        return;
    char *hash = arena_printf(&g->arena, "%.64s", name);
    if (strspn(hash, "0123456789abcdef") == 64 && !is_named(g, hash))
        found(g, (Thing){.what = "dataset", .path = path, .hash = hash, .why = "no dataset has this hash"});
}

static const RunRow *run_of(const Gc *g, const char *name)
{
    for (size_t i = 0; i < g->runs; i++)
        if (g->run[i].id == strtoll(name, NULL, 10))
            return &g->run[i];
    return NULL;
}

static const CheckpointRow *row_at(const CheckpointRow *c, size_t n, const char *path)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(c[i].path, path) == 0)
            return &c[i];
    return NULL;
}

static bool is_origin(const Gc *g, int64_t run, int64_t step)
{
    for (size_t i = 0; i < g->runs; i++)
        if (g->run[i].parent == run && g->run[i].parent_step == step)
            return true;
    return false;
}

/* Kept of a run that has finished: its best, its last, and what forks of it began with. */
static const char *why_free(const Gc *g, const RunRow *r, const CheckpointRow *c, size_t n, const char *path)
{
    const CheckpointRow *row = row_at(c, n, path);
    if (!row)
        return "the store does not name it";
    bool last = row == &c[n - 1]; /* by step */
    bool kept = r->status != RUN_FINISHED || row->best || last || is_origin(g, r->id, row->step);
    return kept ? NULL : "its run has finished, and it is neither the best nor the last";
}

static bool look_run(Gc *g, const RunRow *r, const char *folder, Error *err)
{
    CheckpointRow *c;
    size_t n;
    if (!store_checkpoints(g->store, r->id, &g->arena, &c, &n, err))
        return false;
    DIR *d = opendir(store_path(g->store, &g->arena, "%s", folder));
    for (struct dirent *e; d && (e = readdir(d));) {
        const char *path = arena_printf(&g->arena, "%s/%s", folder, e->d_name);
        bool checkpoint = text_starts(e->d_name, "ckpt-");
        const char *why = is_left_behind(e->d_name) ? "its writer was killed"
                          : checkpoint              ? why_free(g, r, c, n, path)
                                                    : NULL;
        const CheckpointRow *row = checkpoint ? row_at(c, n, path) : NULL;
        if (why)
            found(g, (Thing){.what = checkpoint ? "checkpoint" : "file",
                             .path = path,
                             .why = why,
                             .checkpoint = row ? row->id : 0,
                             .run = r->id});
    }
    if (d)
        closedir(d);
    return true;
}

static bool look_runs(Gc *g, Error *err)
{
    bool ok = true;
    DIR *d = opendir(store_path(g->store, &g->arena, "runs"));
    for (struct dirent *e; ok && d && (e = readdir(d));) {
        if (!*e->d_name || strspn(e->d_name, "0123456789") != strlen(e->d_name))
            continue;
        const char *path = arena_printf(&g->arena, "runs/%s", e->d_name);
        const RunRow *r = run_of(g, e->d_name);
        if (!r)
            found(g, (Thing){.what = "run", .path = path, .why = "no run has this number"});
        else if (!store_run_alive(r))
            ok = look_run(g, r, path, err);
    }
    if (d)
        closedir(d);
    return ok;
}

static bool look(Gc *g, Error *err)
{
    if (!store_datasets(g->store, &g->arena, &g->dataset, &g->datasets, err) ||
        !store_runs(g->store, &g->arena, &g->run, &g->runs, err))
        return false;
    each_entry(g, "", look_top);
    each_entry(g, "datasets", look_dataset);
    return look_runs(g, err);
}

/* ---- freeing ----------------------------------------------------------------------------------------- */

static bool is_file(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

/* Under the lock: is it still nobody's, and still old? */
static bool still_free(Gc *g, const Thing *t, bool *is, Error *err)
{
    Error none = {0};
    DatasetRow dataset;
    RunRow run;
    uint64_t bytes;
    *is = !is_young(g, t->path, &bytes);
    if (t->hash && store_dataset_find(g->store, t->hash, &g->arena, &dataset, &none))
        *is = false;
    if (t->run && !store_run_get(g->store, t->run, &g->arena, &run, err))
        return false;
    if (t->run && store_run_alive(&run))
        *is = false;
    return true;
}

static bool free_thing(Gc *g, const Thing *t, bool *freed, Error *err)
{
    const char *path = store_path(g->store, &g->arena, "%s", t->path);
    if (!store_begin(g->store, err))
        return false;
    bool ok = still_free(g, t, freed, err) &&
              (!*freed || !t->checkpoint || store_checkpoint_remove(g->store, t->checkpoint, err));
    if (ok && *freed && is_file(path)) /* one call: while nobody else can write to the store */
        ok = unlink(path) == 0 || errno == ENOENT ||
             error_set(err, ERROR_IO, "%s: cannot remove it: %s", path, strerror(errno));
    if (ok)
        ok = store_commit(g->store, err);
    if (!ok) {
        store_rollback(g->store);
        return false;
    }
    return !*freed || !file_exists(path) || dir_remove(path, err);
}

static int larger_first(const void *a, const void *b)
{
    const Thing *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return strcmp(x->path, y->path);
}

static json_t *thing_json(const Thing *t)
{
    json_t *o = json_object();
    result_text(o, "what", t->what);
    result_text(o, "path", t->path);
    result_int(o, "bytes", (int64_t)t->bytes);
    result_text(o, "why", t->why);
    return o;
}

static bool free_all(Gc *g, const CommandCall *call, json_t *table, uint64_t *bytes, Error *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < g->things.count; i++) {
        const Thing *t = &g->things.at[i];
        bool freed = true;
        if (progress_stopped(call->progress))
            return error_set(err, ERROR_STOP, "gc: stopped on request");
        if (((const GcSettings *)call->settings)->yes)
            ok = free_thing(g, t, &freed, err);
        if (!ok || !freed)
            continue;
        *bytes += t->bytes;
        json_array_append_new(table, thing_json(t));
    }
    return ok;
}

static bool run(CommandCall *call, json_t **result, Error *err)
{
    const GcSettings *set = call->settings;
    Gc g = {.age = set->age};
    uint64_t bytes = 0;
    int64_t rows = 0;
    json_t *table = json_array();
    g.store = call_store(call, set->yes ? STORE_WRITE : STORE_READ, err);
    bool ok = g.store && look(&g, err);
    if (ok && g.things.count > 1)
        qsort(g.things.at, g.things.count, sizeof *g.things.at, larger_first);
    ok = ok && free_all(&g, call, table, &bytes, err) && store_orphans(g.store, set->yes, &rows, err);
    if (ok) {
        *result = json_object();
        result_int(*result, set->yes ? "freed" : "to_free", (int64_t)bytes);
        result_int(*result, "things", (int64_t)json_array_size(table));
        result_int(*result, "rows", rows);
        result_int(*result, "too_young", (int64_t)g.young);
        if (!set->yes && (json_array_size(table) || rows))
            result_text(*result, "note", "nothing was freed; `lathe gc yes=yes` frees it");
        if (json_array_size(table))
            json_object_set(*result, "found", table);
    }
    json_decref(table);
    vec_release(&g.things);
    store_close(g.store);
    arena_release(&g.arena);
    return ok;
}

static const Param params[] = {
    PARAM_BOOL(GcSettings, yes, "yes", 0, "free it; without, it is only shown"),
    PARAM_REAL(GcSettings, age, "age", 3600, 0, 1e9, "s", "what was written to since is left alone: a job may be at it"),
    PARAM_END};

const Command gc_command = {
    .name = "gc",
    .about = "shows what nothing in the workspace refers to, and frees it",
    .details = "Files of datasets that were dropped, folders of runs that were deleted, what killed processes\n"
               "left half-written, checkpoints of finished runs but for the best, the last and those that forks\n"
               "began with, and rejects of datasets that are gone. Jobs may go on meanwhile.",
    .example = "lathe gc",
    .params = params,
    .params_size = sizeof(GcSettings),
    .run = run,
};
