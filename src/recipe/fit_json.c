/* fit_json.c -- fitted statistics as JSON: a list with an entry a rule, null where there are none.
 *
 *     [null, [{"column": "DURATION", "count": 13791, "q25": 420.0, "median": 600.0, "q75": 901.0}]]
 */
#include "recipe_int.h"

#include <math.h>
#include <string.h>

static json_t *need_to_json(const Need *n)
{
    if (!n->fitted)
        return json_null();
    json_t *o = json_pack("{s:s, s:I}", "column", n->name, "count", (json_int_t)n->count);
    if (n->count == 0)
        return o;
    switch (n->kind) {
    case NEED_MOMENTS:
        json_object_set_new(o, "mean", json_real(n->mean));
        json_object_set_new(o, "deviation", json_real(n->deviation));
        break;
    case NEED_QUARTILES:
        json_object_set_new(o, "q25", json_real(n->low));
        json_object_set_new(o, "median", json_real(n->middle));
        json_object_set_new(o, "q75", json_real(n->high));
        break;
    case NEED_MODE:
        json_object_set_new(o, "mode",
                            n->type == COLUMN_TEXT ? json_stringn(n->word.at, n->word.size)
                                                   : json_real(n->number));
    }
    return o;
}

json_t *fit_to_json(const Plan *p)
{
    json_t *list = json_array();
    for (size_t i = 0; i < p->steps; i++) {
        Need *need;
        size_t n = step_needs(&p->step[i], &need);
        json_t *of_step = n > 0 ? json_array() : json_null();
        for (size_t k = 0; k < n; k++)
            json_array_append_new(of_step, need_to_json(&need[k]));
        json_array_append_new(list, of_step);
    }
    return list;
}

static bool take_number(const json_t *o, const char *key, double *out)
{
    const json_t *v = json_object_get(o, key);
    *out = json_number_value(v);
    return json_is_number(v) && isfinite(*out);
}

static bool need_from_json(Need *n, const json_t *o, Arena *a)
{
    if (json_is_null(o))
        return true;
    const char *name = json_string_value(json_object_get(o, "column"));
    const json_t *count = json_object_get(o, "count"), *mode = json_object_get(o, "mode");
    if (!name || strcmp(name, n->name) != 0 || !json_is_integer(count) ||
        json_integer_value(count) < 0)
        return false;
    n->fitted = true;
    n->count = (uint64_t)json_integer_value(count);
    if (n->count == 0)
        return true;
    switch (n->kind) {
    case NEED_MOMENTS:
        return take_number(o, "mean", &n->mean) && take_number(o, "deviation", &n->deviation);
    case NEED_QUARTILES:
        return take_number(o, "q25", &n->low) && take_number(o, "median", &n->middle) &&
               take_number(o, "q75", &n->high);
    case NEED_MODE:
        if (n->type != COLUMN_TEXT)
            return take_number(o, "mode", &n->number);
        if (!json_is_string(mode))
            return false;
        n->word = (Span){arena_text(a, json_string_value(mode)), json_string_length(mode)};
        return true;
    }
    return false;
}

bool fit_from_json(Plan *p, const json_t *from, Error *err)
{
    if (json_array_size(from) != p->steps)
        return error_set(err, ERROR_PARSE, "fitted: expected a list of %zu entries, a rule each",
                         p->steps);
    for (size_t i = 0; i < p->steps; i++) {
        const json_t *of_step = json_array_get(from, i);
        Need *need;
        size_t n = step_needs(&p->step[i], &need);
        bool ok = n == 0 || json_array_size(of_step) == n;
        for (size_t k = 0; ok && k < n; k++)
            ok = need_from_json(&need[k], json_array_get(of_step, k), &p->arena);
        if (!ok)
            return error_set(err, ERROR_PARSE, "fitted: entry %zu does not fit its rule '%.60s'",
                             i + 1, p->step[i].text);
    }
    plan_note_fitted(p);
    return true;
}
