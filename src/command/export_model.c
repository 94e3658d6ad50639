/* export_model.c -- how a run's model leaves the house: one function a form. */
#include "command_int.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- bundle: the folder as it is -------------------------------------------------------------------- */

static bool copy_file(const char *from, const char *to, Error *err)
{
    FileMap m;
    if (!filemap_open(&m, from, err))
        return false;
    bool ok = file_write(to, m.at, m.size, err) && filemap_whole(&m, from, err);
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

static bool write_bundle(const char *dir, const char *out, Pool *pool, json_t *result, Error *err)
{
    (void)pool;
    json_t *files = json_array();
    bool ok = copy_bundle(dir, out, files, err);
    json_object_set_new(result, "files", files);
    return ok;
}

/* ---- one file --------------------------------------------------------------------------------------- */

static bool write_whole(const char *out, const Text *bytes, json_t *result, Error *err)
{
    json_object_set_new(result, "bytes", json_integer((json_int_t)bytes->count));
    return file_write(out, text_str(bytes), bytes->count, err);
}

/* takes notes: what the file lacks */
static void give_notes(json_t *result, json_t *notes)
{
    if (json_array_size(notes))
        json_object_set(result, "notes", notes);
    json_decref(notes);
}

static bool write_onnx(const char *dir, const char *out, Pool *pool, json_t *result, Error *err)
{
    Text bytes = {0};
    json_t *notes = json_array();
    Onnx *o = onnx_create(err);
    Bundle *b = o ? bundle_open(dir, pool, err) : NULL;
    bool ok = b && bundle_onnx(b, o, notes, err) && onnx_write(o, &bytes, err) &&
              write_whole(out, &bytes, result, err);
    give_notes(result, notes);
    bundle_close(b);
    onnx_destroy(o);
    text_release(&bytes);
    return ok;
}

static bool write_safetensors(const char *dir, const char *out, Pool *pool, json_t *result,
                              Error *err)
{
    Text bytes = {0};
    Bundle *b = bundle_open(dir, pool, err);
    bool ok = b && bundle_safetensors(b, &bytes, err) && write_whole(out, &bytes, result, err);
    bundle_close(b);
    text_release(&bytes);
    return ok;
}

static bool write_xgboost(const char *dir, const char *out, Pool *pool, json_t *result, Error *err)
{
    Text bytes = {0};
    json_t *notes = json_array();
    Bundle *b = bundle_open(dir, pool, err);
    bool ok = b && bundle_xgboost(b, &bytes, notes, err) && write_whole(out, &bytes, result, err);
    give_notes(result, notes);
    bundle_close(b);
    text_release(&bytes);
    return ok;
}

/* ---- the list ----------------------------------------------------------------------------------------- */

#define MODEL_FORMATS(X) /* name, ending of the file that means it; the last: everything else */   \
    X(onnx, ".onnx")                                                                               \
    X(safetensors, ".safetensors")                                                                 \
    X(xgboost, ".json")                                                                            \
    X(bundle, "")

typedef struct ModelFormat {
    const char *ending;
    bool (*write)(const char *dir, const char *out, Pool *pool, json_t *result, Error *err);
} ModelFormat;

#define AS_FORMAT(name, ending) {ending, write_##name},
static const ModelFormat formats[] = {MODEL_FORMATS(AS_FORMAT)};
#define AS_NAME(name, ending) #name,
const char *const model_format_names[] = {"auto", MODEL_FORMATS(AS_NAME) NULL};

bool export_model(const char *dir, size_t format, const char *out, Pool *pool, json_t *result,
                  Error *err)
{
    const ModelFormat *f = formats;
    if (format)
        f = &formats[format - 1];
    else
        while (!text_ends(out, f->ending))
            f++;
    json_object_set_new(result, "format", json_string(model_format_names[f - formats + 1]));
    return f->write(dir, out, pool, result, err);
}
