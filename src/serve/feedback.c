/* feedback.c -- the body of POST /feedback to rows: what was true, by the id of the prediction.
 *
 *     {"id": 7290213846528000, "truth": 12.5}     or a list of such, or {"feedback": [...]}, or, as
 *     application/x-ndjson, one such a line. An id may be text: JSON's numbers lose its last digits in
 *     languages whose only number is a double. The truth of a class is its name.                     */
#include "serve_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static bool read_id(const json_t *v, size_t at, int64_t *id, Error *err)
{
    if (json_is_integer(v))
        *id = json_integer_value(v);
    else if (!json_is_string(v) || !text_to_int(json_string_value(v), json_string_length(v), id))
        return error_set(err, ERROR_PARSE,
                         "feedback %zu, id: expected a whole number, or one as text%s", at + 1,
                         v ? "" : ", found nothing");
    return *id > 0 ||
           error_set(err, ERROR_PARSE, "feedback %zu, id: expected an id above 0", at + 1);
}

/* The name of a class as JSON may have it: "yes", 1, true. */
static void name_of(const json_t *v, Text *into)
{
    if (json_is_string(v))
        text_puts(into, json_string_value(v));
    else if (json_is_integer(v))
        text_printf(into, "%lld", (long long)json_integer_value(v));
    else if (json_is_real(v))
        text_add_real(into, json_real_value(v));
    else if (json_is_boolean(v))
        text_puts(into, json_is_true(v) ? "true" : "false");
}

static bool read_class(const TruthKind *kind, const json_t *v, size_t at, Arena *a,
                       PredictionRow *out, Error *err)
{
    Text name = {0};
    size_t k = 0;
    name_of(v, &name);
    while (k < kind->classes && !text_equal(kind->name[k], text_str(&name)))
        k++;
    bool ok = k < kind->classes;
    if (ok) {
        out->truth = (double)k;
        out->truth_said = arena_text(a, kind->name[k]);
    } else {
        const char *near = text_nearest(text_str(&name), kind->name, kind->classes);
        error_set(err, ERROR_PARSE, "feedback %zu, truth: %s knows no class '%.80s'%s%.80s%s",
                  at + 1, kind->target, text_str(&name), near ? ", did you mean " : "",
                  near ? near : "", near ? "?" : "");
    }
    text_release(&name);
    return ok;
}

static bool read_truth(const TruthKind *kind, const json_t *v, size_t at, Arena *a,
                       PredictionRow *out, Error *err)
{
    out->truth_said = "";
    if (!v)
        return error_set(err, ERROR_PARSE, "feedback %zu: truth is missing", at + 1);
    if (kind->classes)
        return read_class(kind, v, at, a, out, err);
    out->truth = json_number_value(v);
    return (json_is_number(v) && isfinite(out->truth)) ||
           error_set(err, ERROR_PARSE, "feedback %zu, truth: expected a number (%s)", at + 1,
                     kind->target);
}

static bool read_one(const TruthKind *kind, const json_t *from, size_t at, Arena *a,
                     PredictionRow *out, Error *err)
{
    const char *key;
    json_t *value;
    *out = (PredictionRow){0};
    if (!json_is_object(from))
        return error_set(err, ERROR_PARSE, "feedback %zu: expected {\"id\": ..., \"truth\": ...}",
                         at + 1);
    json_object_foreach((json_t *)(uintptr_t)from, key, value)
    {
        if (strcmp(key, "id") != 0 && strcmp(key, "truth") != 0)
            return error_set(err, ERROR_PARSE,
                             "feedback %zu: no field %.80s; expected id and truth", at + 1, key);
    }
    return read_id(json_object_get(from, "id"), at, &out->id, err) &&
           read_truth(kind, json_object_get(from, "truth"), at, a, out, err);
}

static bool read_list(const TruthKind *kind, const json_t *list, Arena *a, PredictionRow **out,
                      size_t *rows, Error *err)
{
    *rows = json_array_size(list);
    *out = ARENA_NEW(a, PredictionRow, *rows + 1);
    for (size_t i = 0; i < *rows; i++)
        if (!read_one(kind, json_array_get(list, i), i, a, &(*out)[i], err))
            return false;
    return true;
}

static bool read_json(const TruthKind *kind, const char *body, size_t n, Arena *a,
                      PredictionRow **out, size_t *rows, Error *err)
{
    json_error_t why;
    json_t *root = json_loadb(body, n, JSON_REJECT_DUPLICATES, &why);
    if (!root)
        return error_set(err, ERROR_PARSE, "not JSON: line %d, column %d: %.120s", why.line,
                         why.column, why.text);
    json_t *list = json_is_array(root) ? root : json_object_get(root, "feedback");
    bool ok;
    if (json_is_array(list)) {
        ok = read_list(kind, list, a, out, rows, err);
    } else {
        *rows = 1;
        *out = ARENA_NEW(a, PredictionRow, 1);
        ok = read_one(kind, root, 0, a, *out, err);
    }
    json_decref(root);
    return ok;
}

static bool is_blank(const char *s, const char *end)
{
    while (s < end && (*s == ' ' || *s == '\t' || *s == '\r'))
        s++;
    return s == end;
}

static bool read_lines(const TruthKind *kind, const char *body, size_t n, Arena *a,
                       PredictionRow **out, size_t *rows, Error *err)
{
    VEC(PredictionRow) all = {0};
    bool ok = true;
    size_t line = 0;
    for (const char *at = body, *end = body + n, *stop; ok && at < end; at = stop + 1) {
        json_error_t why;
        stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        line++;
        if (is_blank(at, stop))
            continue;
        json_t *one = json_loadb(at, (size_t)(stop - at), JSON_REJECT_DUPLICATES, &why);
        ok = one ? read_one(kind, one, line - 1, a, vec_slot(&all), err)
                 : error_set(err, ERROR_PARSE, "line %zu: not JSON: column %d: %.120s", line,
                             why.column, why.text);
        json_decref(one);
    }
    *rows = all.count;
    *out = ARENA_NEW(a, PredictionRow, all.count + 1);
    if (all.count)
        memcpy(*out, all.at, all.count * sizeof *all.at);
    vec_release(&all);
    return ok;
}

TruthKind truth_kind(const Features *f, Arena *a)
{
    const ModelShape *shape = features_shape(f);
    TruthKind kind = {.target = arena_text(a, features_target(f))};
    if (shape->task == TASK_REGRESSION)
        return kind;
    kind.classes = shape->task == TASK_BINARY ? 2 : shape->classes;
    const char **name = ARENA_NEW(a, const char *, kind.classes + 1);
    for (size_t k = 0; k < kind.classes; k++)
        name[k] = features_class(f, k) ? features_class(f, k) : "";
    kind.name = name;
    return kind;
}

bool feedback_rows(const TruthKind *kind, const char *body, size_t n, bool lines, Arena *a,
                   PredictionRow **out, size_t *rows, Error *err)
{
    *rows = 0;
    return lines ? read_lines(kind, body, n, a, out, rows, err)
                 : read_json(kind, body, n, a, out, rows, err);
}
