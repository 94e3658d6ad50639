/* bundle_save.c -- writing a bundle: all files into a folder of another name, flushed, renamed. */
#include "bundle_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AS_NAME(name, file, needed)   file,
#define AS_NEEDED(name, file, needed) needed,
const char *const bundle_file_names[] = {BUNDLE_FILES(AS_NAME)};
const bool bundle_file_needed[] = {BUNDLE_FILES(AS_NEEDED)};

json_t *bundle_shape_to_json(const ModelShape *s)
{
    json_t *cardinality = json_array();
    for (size_t i = 0; i < s->codes; i++)
        json_array_append_new(cardinality, json_integer(s->cardinality[i]));
    return json_pack("{s:I, s:I, s:o, s:s, s:I, s:I}", "dense", (json_int_t)s->dense, "codes",
                     (json_int_t)s->codes, "cardinality", cardinality, "task", task_name(s->task),
                     "classes", (json_int_t)s->classes, "outputs", (json_int_t)s->outputs);
}

json_t *bundle_params_to_json(const ModelFamily *f, const void *params)
{
    json_t *to = json_object();
    Text value = {0};
    for (const Param *row = f->params; row && row->kind != PARAM_KIND_END; row++) {
        text_reset(&value);
        param_get(row, params, &value);
        json_object_set_new(to, row->name, json_stringn(text_str(&value), value.count));
    }
    text_release(&value);
    return to;
}

static json_t *plans_to_json(const BundleParts *p)
{
    json_t *list = json_array();
    for (size_t i = 0; i < p->plans; i++)
        json_array_append_new(list, plan_to_json(p->plan[i]));
    return list;
}

/* The raw rows' schema with the target marked, so that rules that depend on it are known as such. */
static json_t *target_schema_to_json(const BundleParts *p)
{
    Schema s = {0};
    schema_copy(&s, p->schema);
    const char *target = features_target(p->features);
    size_t at = target ? schema_find(&s, target) : SIZE_MAX;
    if (at != SIZE_MAX)
        s.field[at].role = ROLE_TARGET;
    json_t *to = schema_to_json(&s);
    schema_release(&s);
    return to;
}

/* Takes the JSON. NULL (a value that JSON cannot hold) is our own mistake, told like the world's. */
static bool print_json(json_t *from, Text *into, Error *err)
{
    char *text = from ? json_dumps(from, JSON_INDENT(1)) : NULL;
    json_decref(from);
    text_reset(into);
    if (!text)
        return error_set(err, ERROR_PARSE, "a number in it is not finite");
    text_puts(into, text);
    text_putc(into, '\n');
    free(text);
    return true;
}

static bool print_file(const BundleParts *p, BundleFile which, Text *into, Error *err)
{
    switch (which) {
    case BUNDLE_RECIPES:
        return print_json(plans_to_json(p), into, err);
    case BUNDLE_FEATURES:
        return print_json(features_to_json(p->features), into, err);
    case BUNDLE_WEIGHTS:
        text_reset(into);
        return model_state_save(p->model, true, into, err);
    case BUNDLE_PROFILE:
        return print_json(profile_to_json(p->profile), into, err);
    default:
        return true;
    }
}

static bool write_file(const char *dir, const char *name, const Text *bytes, Error *err)
{
    Text path = {0};
    text_printf(&path, "%s/%s", dir, name);
    bool ok = file_write(text_str(&path), text_str(bytes), bytes->count, err);
    text_release(&path);
    return ok;
}

static json_t *checksum(const Text *bytes)
{
    uint8_t digest[32];
    char hex[65];
    sha256_bytes(text_str(bytes), bytes->count, digest);
    sha256_hex(digest, hex);
    return json_pack("{s:I, s:s}", "bytes", (json_int_t)bytes->count, "sha256", hex);
}

static bool write_files(const char *dir, const BundleParts *p, Error *err)
{
    Text bytes = {0};
    json_t *files = json_object();
    const ModelFamily *family = model_family_of(p->model);
    bool ok = true;
    for (int i = 0; ok && i < BUNDLE_FILE_COUNT; i++) {
        if (i == BUNDLE_PROFILE && !p->profile)
            continue;
        ok = print_file(p, (BundleFile)i, &bytes, err) &&
             write_file(dir, bundle_file_names[i], &bytes, err);
        if (!ok)
            error_in(err, "%s", bundle_file_names[i]);
        else
            json_object_set_new(files, bundle_file_names[i], checksum(&bytes));
    }
    json_t *bundle =
        json_pack("{s:s, s:i, s:s, s:s, s:o, s:o, s:o, s:I, s:o*, s:O}", "format", BUNDLE_FORMAT,
                  "version", BUNDLE_VERSION, "program", LATHE_VERSION, "family", family->name,
                  "params", bundle_params_to_json(family, p->params), "schema", target_schema_to_json(p),
                  "shape", bundle_shape_to_json(features_shape(p->features)), "weights",
                  (json_int_t)model_weights(p->model), "about",
                  p->about ? json_deep_copy(p->about) : json_object(), "files", files);
    json_decref(files);
    if (!ok)
        json_decref(bundle);
    ok = ok && print_json(bundle, &bytes, err) && write_file(dir, "bundle.json", &bytes, err);
    text_release(&bytes);
    return ok && dir_flush(dir, err);
}

/* An older bundle of the name is exchanged in one step, then removed. */
static bool put_in_place(const char *from, const char *to, Error *err)
{
    bool there = file_exists(to);
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, there ? RENAME_EXCHANGE : 0) != 0)
        return error_set(err, ERROR_IO, "%s: cannot put the bundle in place: %s", to,
                         strerror(errno));
    Text parent = {0};
    const char *slash = strrchr(to, '/');
    text_add(&parent, slash ? to : ".", slash ? (size_t)(slash - to) : 1);
    bool ok = dir_flush(parent.count ? text_str(&parent) : "/", err);
    text_release(&parent);
    return ok && (!there || dir_remove(from, err));
}

bool bundle_save(const char *dir, const BundleParts *parts, Error *err)
{
    Text temporary = {0};
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/')
        n--;
    text_add(&temporary, dir, n);
    char *place = text_copy(text_str(&temporary));
    text_printf(&temporary, ".%ld.new", (long)getpid());
    const char *fresh = text_str(&temporary);
    Error ignored;
    bool ok = (!file_exists(fresh) || dir_remove(fresh, err)) && dir_create(fresh, err) &&
              write_files(fresh, parts, err) && put_in_place(fresh, place, err);
    if (!ok && file_exists(fresh))
        dir_remove(fresh, &ignored);
    mem_free(place);
    text_release(&temporary);
    return ok;
}
