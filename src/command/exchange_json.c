/* exchange_json.c -- rows of the store as manifests, and back. A table of fields for each kind of row
 * serves both directions. */
#include "exchange_int.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define MANIFEST_VERSION 1
#define REJECTS_MOST     100000

typedef enum FieldKind { FIELD_TEXT, FIELD_INT, FIELD_REAL, FIELD_BOOL, FIELD_MARK, FIELD_END } FieldKind;
typedef struct RowField {
    const char *name;
    FieldKind kind;
    size_t at;
} RowField;
#define TEXT(row, f)                                                                               \
    {                                                                                              \
#f, FIELD_TEXT, offsetof(row, f)                                                           \
    }
#define INT(row, f)                                                                                \
    {                                                                                              \
#f, FIELD_INT, offsetof(row, f)                                                            \
    }
#define REAL(row, f)                                                                               \
    {                                                                                              \
#f, FIELD_REAL, offsetof(row, f)                                                           \
    }
#define BOOL(row, f)                                                                               \
    {                                                                                              \
#f, FIELD_BOOL, offsetof(row, f)                                                           \
    }
/* true, or not said: files that others wrote before it was known do not have it */
#define MARK(row, f)                                                                               \
    {                                                                                              \
#f, FIELD_MARK, offsetof(row, f)                                                           \
    }
#define END                                                                                        \
    {                                                                                              \
        NULL, FIELD_END, 0                                                                         \
    }

static const RowField dataset_fields[] = {TEXT(DatasetRow, hash),   TEXT(DatasetRow, name),
                                          TEXT(DatasetRow, source), TEXT(DatasetRow, source_tag),
                                          TEXT(DatasetRow, parent), TEXT(DatasetRow, recipe),
                                          TEXT(DatasetRow, plan),   TEXT(DatasetRow, sniffed),
                                          INT(DatasetRow, rows),    INT(DatasetRow, columns),
                                          INT(DatasetRow, bytes),   INT(DatasetRow, rejects),
                                          INT(DatasetRow, created), END};
static const RowField column_fields[] = {
    TEXT(ColumnRow, name),     TEXT(ColumnRow, type),     TEXT(ColumnRow, role),
    BOOL(ColumnRow, nullable), REAL(ColumnRow, distinct), INT(ColumnRow, missing),
    TEXT(ColumnRow, least),    TEXT(ColumnRow, most),     MARK(ColumnRow, private),  END};
static const RowField reject_fields[] = {INT(RejectRow, line), TEXT(RejectRow, reason),
                                         TEXT(RejectRow, text), END};
static const RowField model_fields[] = {TEXT(ModelRow, name),   INT(ModelRow, version),
                                        TEXT(ModelRow, hash),   TEXT(ModelRow, alias),
                                        INT(ModelRow, created), END};
static const RowField param_fields[] = {TEXT(ParamRow, key), TEXT(ParamRow, value), END};
static const RowField event_fields[] = {INT(EventRow, step), INT(EventRow, time),
                                        TEXT(EventRow, kind), TEXT(EventRow, text), END};
/* Of the run that a run was forked from: its model, "" if it has none, and the step. */
static const RowField origin_fields[] = {TEXT(PulledOrigin, name), TEXT(PulledOrigin, model),
                                         INT(PulledOrigin, created), INT(PulledOrigin, step), END};
/* Not its number, process or the number of its parent: those mean something only where it was made. */
static const RowField run_fields[] = {
    TEXT(RunRow, name),        TEXT(RunRow, experiment),   TEXT(RunRow, family),
    TEXT(RunRow, dataset),     TEXT(RunRow, dataset_name), TEXT(RunRow, target),
    TEXT(RunRow, task),        TEXT(RunRow, recipe),       TEXT(RunRow, features),
    TEXT(RunRow, split),       INT(RunRow, seed),          TEXT(RunRow, message),
    INT(RunRow, created),      INT(RunRow, started),       INT(RunRow, ended),
    INT(RunRow, step),         INT(RunRow, steps_total),   INT(RunRow, epoch),
    INT(RunRow, epochs_total), TEXT(RunRow, monitor),      REAL(RunRow, best),
    INT(RunRow, best_step),    TEXT(RunRow, note),         TEXT(RunRow, tags),
    TEXT(RunRow, machine),     TEXT(RunRow, version),      END};
static const RowField file_fields[] = {TEXT(BundleFile, name), TEXT(BundleFile, sha256),
                                       INT(BundleFile, bytes), END};

/* ---- rows ------------------------------------------------------------------------------------------------ */

static json_t *row_to_json(const RowField *fields, const void *row)
{
    json_t *o = json_object();
    for (const RowField *f = fields; f->kind != FIELD_END; f++) {
        const char *at = (const char *)row + f->at;
        if (f->kind == FIELD_TEXT)
            result_text(o, f->name, *(const char *const *)at ? *(const char *const *)at : "");
        else if (f->kind == FIELD_INT)
            result_int(o, f->name, *(const int64_t *)at);
        else if (f->kind == FIELD_REAL)
            result_real(o, f->name, *(const double *)at);
        else if (f->kind == FIELD_BOOL || *(const bool *)at)
            json_object_set_new(o, f->name, json_boolean(*(const bool *)at));
    }
    return o;
}

static bool row_from_json(const RowField *fields, const json_t *from, Arena *a, void *row,
                          Error *err)
{
    for (const RowField *f = fields; f->kind != FIELD_END; f++) {
        const json_t *v = json_object_get(from, f->name);
        char *at = (char *)row + f->at;
        if (f->kind == FIELD_MARK && !v)
            continue; /* the row is zeroed */
        bool ok = f->kind == FIELD_TEXT   ? json_is_string(v)
                  : f->kind == FIELD_INT  ? json_is_integer(v)
                  : f->kind == FIELD_REAL ? json_is_number(v) || json_is_null(v)
                                          : json_is_boolean(v);
        if (!ok)
            return error_set(err, ERROR_PARSE, "%s is missing or of the wrong kind", f->name);
        if (f->kind == FIELD_TEXT)
            *(const char **)at = arena_text(a, json_string_value(v));
        else if (f->kind == FIELD_INT)
            *(int64_t *)at = json_integer_value(v);
        else if (f->kind == FIELD_REAL)
            *(double *)at = json_is_null(v) ? (double)NAN : json_number_value(v);
        else
            *(bool *)at = json_is_true(v);
    }
    return true;
}

static json_t *rows_to_json(const RowField *fields, const void *rows, size_t n, size_t size)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, row_to_json(fields, (const char *)rows + i * size));
    return list;
}

static bool rows_from_json(const RowField *fields, const json_t *body, const char *name,
                           size_t size, Arena *a, void *out, size_t *n, Error *err)
{
    const json_t *list = json_object_get(body, name);
    if (!json_is_array(list))
        return error_set(err, ERROR_PARSE, "%s is missing", name);
    *n = json_array_size(list);
    char *rows = arena_alloc(a, (*n + 1) * size);
    *(void **)out = rows;
    for (size_t i = 0; i < *n; i++)
        if (!row_from_json(fields, json_array_get(list, i), a, rows + i * size, err))
            return error_in(err, "%s %zu", name, i + 1);
    return true;
}

/* ---- datasets ---------------------------------------------------------------------------------------------- */

json_t *manifest_of_dataset(Store *s, const DatasetRow *row, Arena *a, Error *err)
{
    ColumnRow *columns;
    RejectRow *rejects;
    size_t n, bad;
    if (!store_dataset_columns(s, row->hash, a, &columns, &n, err) ||
        !store_rejects(s, row->hash, REJECTS_MOST, a, &rejects, &bad, err))
        return NULL;
    json_t *body = row_to_json(dataset_fields, row);
    json_object_set_new(body, "schema", rows_to_json(column_fields, columns, n, sizeof *columns));
    json_object_set_new(body, "bad_rows",
                        rows_to_json(reject_fields, rejects, bad, sizeof *rejects));
    return body;
}

bool manifest_to_dataset(const json_t *body, Arena *a, DatasetRow *row, ColumnRow **columns,
                         size_t *n, RejectRow **rejects, size_t *bad, Error *err)
{
    *row = (DatasetRow){0};
    return row_from_json(dataset_fields, body, a, row, err) &&
           rows_from_json(column_fields, body, "schema", sizeof **columns, a, columns, n, err) &&
           rows_from_json(reject_fields, body, "bad_rows", sizeof **rejects, a, rejects, bad, err);
}

/* ---- runs ---------------------------------------------------------------------------------------------------- */

/* {"val_loss": [[step, seconds, value], ...]} in the order they were written. */
static json_t *points_to_json(const MetricPoint *p, size_t n)
{
    json_t *o = json_object();
    for (size_t i = 0; i < n; i++) {
        json_t *list = json_object_get(o, p[i].key), *point = json_array();
        if (!list)
            json_object_set_new(o, p[i].key, list = json_array());
        json_array_append_new(point, json_integer(p[i].step));
        json_array_append_new(point, isfinite(p[i].wall) ? json_real(p[i].wall) : json_null());
        json_array_append_new(point, isfinite(p[i].value) ? json_real(p[i].value) : json_null());
        json_array_append_new(list, point);
    }
    return o;
}

static bool points_from_json(const json_t *from, Arena *a, PulledRun *out, Error *err)
{
    const char *key;
    json_t *list, *point;
    size_t i, n = 0;
    if (!json_is_object(from))
        return error_set(err, ERROR_PARSE, "metrics is missing");
    json_object_foreach((json_t *)(uintptr_t)from, key, list) n += json_array_size(list);
    out->point = ARENA_NEW(a, MetricPoint, n + 1);
    json_object_foreach((json_t *)(uintptr_t)from, key, list)
    {
        const char *kept = arena_text(a, key);
        json_array_foreach(list, i, point)
        {
            const json_t *value = json_array_get(point, 2);
            if (!json_is_integer(json_array_get(point, 0)))
                return error_set(err, ERROR_PARSE, "metrics: %s: no point", key);
            out->point[out->points++] = (MetricPoint){
                .key = kept,
                .step = json_integer_value(json_array_get(point, 0)),
                .wall = json_number_value(json_array_get(point, 1)),
                .value = json_is_number(value) ? json_number_value(value) : (double)NAN};
        }
    }
    return true;
}

static json_t *body_of_run(const ModelRow *model, const RunRow *run, const PulledRun *parts)
{
    json_t *body = json_object();
    json_object_set_new(body, "model", row_to_json(model_fields, model));
    json_object_set_new(body, "run", row_to_json(run_fields, run));
    json_object_set_new(
        body, "params",
        rows_to_json(param_fields, parts->param, parts->params, sizeof *parts->param));
    json_object_set_new(body, "metrics", points_to_json(parts->point, parts->points));
    json_object_set_new(body, "events",
                        rows_to_json(event_fields, parts->event, parts->events, sizeof *parts->event));
    if (*parts->origin.name)
        json_object_set_new(body, "forked_from", row_to_json(origin_fields, &parts->origin));
    return body; /* the files are push's to add */
}

/* A parent that is gone is said by the step alone. */
static bool find_origin(Store *s, const RunRow *run, Arena *a, PulledOrigin *out, Error *err)
{
    RunRow parent;
    ModelRow *models;
    size_t n;
    Error gone = {0};
    *out = (PulledOrigin){"", "", 0, run->parent_step};
    if (!run->parent || !store_run_get(s, run->parent, a, &parent, &gone))
        return true;
    if (!store_models(s, a, &models, &n, err))
        return false;
    out->name = parent.name;
    out->created = parent.created;
    for (size_t i = n; i-- > 0;) /* the newest is the first */
        out->model = models[i].run == parent.id ? models[i].hash : out->model;
    return true;
}

json_t *manifest_of_run(Store *s, const ModelRow *model, const RunRow *run, Arena *a, Error *err)
{
    PulledRun parts = {0};
    int64_t cursor = 0, last = 0;
    if (!store_run_params(s, run->id, a, &parts.param, &parts.params, err) ||
        !store_metrics_since(s, run->id, NULL, &cursor, a, &parts.point, &parts.points, err) ||
        !store_events_since(s, run->id, &last, a, &parts.event, &parts.events, err) ||
        !find_origin(s, run, a, &parts.origin, err))
        return NULL;
    return body_of_run(model, run, &parts);
}

/* A file's name is used as one: it may lead nowhere else. */
static bool check_files(const PulledRun *out, Error *err)
{
    for (size_t i = 0; i < out->files; i++) {
        const char *name = out->file[i].name, *hash = out->file[i].sha256;
        if (!*name || *name == '.' || strchr(name, '/') || strlen(name) > 200 ||
            strlen(hash) != 64 || hash[strspn(hash, "0123456789abcdef")])
            return error_set(err, ERROR_PARSE, "files: '%.80s' is no file of a model", name);
    }
    return out->files || error_set(err, ERROR_PARSE, "files: there are none");
}

/* What manifests have not that were written before runs took these along. */
static bool lineage_from_json(const json_t *body, Arena *a, PulledRun *out, Error *err)
{
    const json_t *from = json_object_get(body, "forked_from");
    out->origin = (PulledOrigin){"", "", 0, 0};
    return (!from || row_from_json(origin_fields, from, a, &out->origin, err)) &&
           (!json_object_get(body, "events") ||
            rows_from_json(event_fields, body, "events", sizeof *out->event, a, &out->event,
                           &out->events, err));
}

bool manifest_to_run(const json_t *body, Arena *a, PulledRun *out, Error *err)
{
    *out = (PulledRun){0};
    return row_from_json(model_fields, json_object_get(body, "model"), a, &out->model, err) &&
           row_from_json(run_fields, json_object_get(body, "run"), a, &out->run, err) &&
           rows_from_json(param_fields, body, "params", sizeof *out->param, a, &out->param,
                          &out->params, err) &&
           rows_from_json(file_fields, body, "files", sizeof *out->file, a, &out->file, &out->files,
                          err) &&
           points_from_json(json_object_get(body, "metrics"), a, out, err) &&
           lineage_from_json(body, a, out, err) && check_files(out, err);
}

/* ---- the frame around them --------------------------------------------------------------------------------------- */

static const char *const formats[] = {"lathe dataset", "lathe model"};

static const char seal_name[] = "\"sha256\": \"";
#define SEAL_DIGITS 64

/* Where the manifest's own checksum stands: keys are sorted, so it is the last of that name. */
static char *find_seal(char *text)
{
    char *found = NULL;
    for (char *at = text; (at = strstr(at, seal_name)); at++)
        found = at + sizeof seal_name - 1;
    return found && strlen(found) > SEAL_DIGITS ? found : NULL;
}

/* The checksum of all bytes, its own digits taken as zeros. */
static void seal_of(char *text, char *seal, char hex[65])
{
    uint8_t digest[32];
    memset(seal, '0', SEAL_DIGITS);
    sha256_bytes(text, strlen(text), digest);
    sha256_hex(digest, hex);
}

char *manifest_print(ManifestKind kind, json_t *body)
{
    char hex[65], zeros[SEAL_DIGITS + 1] = "";
    memset(zeros, '0', SEAL_DIGITS);
    json_t *o = json_pack("{s:s, s:i, s:s, s:o}", "format", formats[kind], "version", MANIFEST_VERSION,
                          "sha256", zeros, "body", body);
    char *text = json_dumps(o, JSON_INDENT(1) | JSON_SORT_KEYS), *seal = text ? find_seal(text) : NULL;
    json_decref(o);
    if (seal) {
        seal_of(text, seal, hex);
        memcpy(seal, hex, SEAL_DIGITS);
    }
    return text;
}

static bool sealed(const char *bytes, size_t n)
{
    char hex[65], said[SEAL_DIGITS], *text = mem_alloc(n + 1);
    memcpy(text, bytes, n);
    char *seal = strlen(text) == n ? find_seal(text) : NULL;
    if (seal) {
        memcpy(said, seal, SEAL_DIGITS);
        seal_of(text, seal, hex);
    }
    bool ok = seal && memcmp(said, hex, SEAL_DIGITS) == 0;
    mem_free(text);
    return ok;
}

json_t *manifest_read(ManifestKind kind, const char *text, size_t n, Error *err)
{
    const char *format = NULL;
    int version = 0;
    json_t *body = NULL;
    if (!sealed(text, n)) {
        error_set(err, ERROR_PARSE, "is damaged, or no manifest of a %s", formats[kind] + strlen("lathe "));
        return NULL;
    }
    json_t *o = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
    bool ok = o && !json_unpack(o, "{s:s, s:i, s:o}", "format", &format, "version", &version, "body", &body);
    if (!ok)
        error_set(err, ERROR_PARSE, "is no manifest of a %s", formats[kind] + strlen("lathe "));
    else if (!text_equal(format, formats[kind]) || version > MANIFEST_VERSION)
        ok = error_set(err, ERROR_PARSE, "is a '%.40s' of version %d; this lathe reads '%s' up to %d", format,
                       version, formats[kind], MANIFEST_VERSION);
    body = ok ? json_incref(body) : NULL;
    json_decref(o);
    return body;
}

bool file_sha256(const char *path, char hex[65], int64_t *bytes, Error *err)
{
    FileMap m;
    uint8_t digest[32];
    if (!filemap_open(&m, path, err))
        return false;
    sha256_bytes(m.at, m.size, digest);
    sha256_hex(digest, hex);
    *bytes = (int64_t)m.size;
    bool ok = filemap_whole(&m, path, err);
    filemap_close(&m);
    return ok;
}
