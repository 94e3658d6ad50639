/* export.c -- lathe export: a run's model as files that others can read. */
#include "command_int.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef struct ExportSettings { char *out; } ExportSettings;

static bool copy_file(const char *from, const char *to, Error *err)
{
    FileMap m;
    if (!filemap_open(&m, from, err))
        return false;
    bool ok = file_write(to, m.at, m.size, err);
    filemap_close(&m);
    return ok;
}

/* Into a folder beside the wanted one, then renamed: whole or not at all. */
static bool copy_bundle(const char *from, const char *to, json_t *files, Error *err)
{
    Arena arena = {0};
    char *temp = arena_printf(&arena, "%s.part", to);
    DIR *dir = opendir(from);
    bool ok = dir || error_set(err, ERROR_IO, "%s: %s", from, strerror(errno));
    if (ok && file_exists(to))
        ok = error_set(err, ERROR_USAGE, "export: %s is there already; name a new folder", to);
    ok = ok && dir_create(temp, err);
    for (struct dirent *e; ok && (e = readdir(dir));)
        if (e->d_name[0] != '.') {
            ok = copy_file(arena_printf(&arena, "%s/%s", from, e->d_name),
                           arena_printf(&arena, "%s/%s", temp, e->d_name), err);
            json_array_append_new(files, json_string(e->d_name));
        }
    if (ok && rename(temp, to) != 0)
        ok = error_set(err, ERROR_IO, "%s: %s", to, strerror(errno));
    if (!ok && file_exists(temp))
        dir_remove(temp, NULL);
    if (dir)
        closedir(dir);
    arena_release(&arena);
    return ok;
}

static bool run(CommandCall *call, json_t **result, Error *err)
{
    const ExportSettings *set = call->settings;
    Arena arena = {0};
    RunRow row;
    const char *path;
    json_t *files = json_array();
    Store *s = call_store(call, STORE_READ, err);
    bool ok = s && store_run_find(s, call->word[0], &arena, &row, err) &&
              run_bundle_path(s, row.id, &arena, &path, err) &&
              copy_bundle(path, set->out, files, err);
    if (ok)
        *result = json_pack("{s:I, s:s, s:O}", "run", (json_int_t)row.id, "out", set->out, "files",
                            files);
    json_decref(files);
    store_close(s);
    arena_release(&arena);
    return ok;
}

static const Arg args[] = {{.name = "RUN", .kind = ARG_RUN, .about = "the run whose model to export"}, ARG_END};
static const Param params[] = {
    PARAM_TEXT(ExportSettings, out, "out", "", "a new folder for the model", .required = true), PARAM_END};

const Command export_command = {
    .name = "export",
    .about = "writes a run's model to a folder: safetensors and JSON",
    .example = "lathe export last out=fare-model",
    .args = args,
    .params = params,
    .params_size = sizeof(ExportSettings),
    .run = run,
};
