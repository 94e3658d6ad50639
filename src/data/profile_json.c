/* profile_json.c -- a profile as JSON and back. A number there is none of (the mean of nothing) is
 * null; the keys are the fields of ColumnProfile. */
#include "data_int.h"

#include <math.h>

json_t *json_text(const char *s, size_t n)
{
    if (utf8_valid(s, n))
        return json_stringn(s, n);
    Text repaired = {0};
    const char *end = s + n;
    while (s < end) {
        const char *from = s;
        uint32_t c = utf8_next(&s, end);
        if (c == 0xfffd)
            text_puts(&repaired, "\xef\xbf\xbd");
        else
            text_add(&repaired, from, (size_t)(s - from));
    }
    json_t *text = json_stringn(text_str(&repaired), repaired.count);
    text_release(&repaired);
    return text;
}

static json_t *number(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

static void set_count(json_t *to, const char *key, uint64_t v)
{
    json_object_set_new(to, key, json_integer((json_int_t)v));
}

static void add_numbers(json_t *to, const ColumnProfile *c)
{
    json_t *quantiles = json_array(), *bins = json_array();
    json_object_set_new(to, "least", number(c->least));
    json_object_set_new(to, "most", number(c->most));
    json_object_set_new(to, "mean", number(c->mean));
    json_object_set_new(to, "deviation", number(c->deviation));
    set_count(to, "zeros", c->zeros);
    set_count(to, "negatives", c->negatives);
    set_count(to, "nans", c->nans);
    for (int i = 0; i < PROFILE_QUANTILES; i++)
        json_array_append_new(quantiles, number(c->quantile[i]));
    for (int i = 0; i < PROFILE_BINS; i++)
        json_array_append_new(bins, json_integer((json_int_t)c->bin[i]));
    json_object_set_new(to, "quantiles", quantiles);
    json_object_set_new(to, "bins", bins);
}

static json_t *column_to_json(const ColumnProfile *c)
{
    json_t *to = json_object(), *tops = json_array();
    json_object_set_new(to, "name", json_text(c->name, strlen(c->name)));
    json_object_set_new(to, "type", json_string(column_type_name(c->type)));
    set_count(to, "count", c->count);
    set_count(to, "missing", c->missing);
    json_object_set_new(to, "distinct", number(c->distinct));
    if (c->numeric) {
        add_numbers(to, c);
    } else {
        set_count(to, "shortest", c->shortest);
        set_count(to, "longest", c->longest);
    }
    for (size_t i = 0; i < c->tops; i++) {
        json_t *pair = json_array();
        json_array_append_new(pair, json_text(c->top[i].value, strlen(c->top[i].value)));
        json_array_append_new(pair, json_integer((json_int_t)c->top[i].count));
        json_array_append_new(tops, pair);
    }
    json_object_set_new(to, "top", tops);
    return to;
}

json_t *profile_to_json(const Profile *p)
{
    json_t *to = json_object(), *columns = json_array();
    set_count(to, "rows", p->rows);
    for (size_t i = 0; i < p->columns; i++)
        json_array_append_new(columns, column_to_json(&p->column[i]));
    json_object_set_new(to, "columns", columns);
    return to;
}

/* ---- back ---------------------------------------------------------------------------------------- */

static double get_number(const json_t *from, const char *key)
{
    const json_t *v = json_object_get(from, key);
    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

static uint64_t get_count(const json_t *from, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(from, key));
}

static bool column_from_json(ColumnProfile *c, const json_t *from, Arena *a)
{
    const char *name = json_string_value(json_object_get(from, "name"));
    const char *type = json_string_value(json_object_get(from, "type"));
    const json_t *quantiles = json_object_get(from, "quantiles");
    const json_t *bins = json_object_get(from, "bins"), *tops = json_object_get(from, "top");
    if (!name || !type || !column_type_parse(type, &c->type))
        return false;
    c->name = arena_text(a, name);
    c->numeric = c->type != COLUMN_TEXT;
    c->count = get_count(from, "count");
    c->missing = get_count(from, "missing");
    c->distinct = get_number(from, "distinct");
    c->least = get_number(from, "least");
    c->most = get_number(from, "most");
    c->mean = get_number(from, "mean");
    c->deviation = get_number(from, "deviation");
    c->zeros = get_count(from, "zeros");
    c->negatives = get_count(from, "negatives");
    c->nans = get_count(from, "nans");
    c->shortest = get_count(from, "shortest");
    c->longest = get_count(from, "longest");
    for (size_t i = 0; i < PROFILE_QUANTILES; i++) {
        const json_t *v = json_array_get(quantiles, i);
        c->quantile[i] = json_is_number(v) ? json_number_value(v) : (double)NAN;
    }
    for (size_t i = 0; i < PROFILE_BINS; i++)
        c->bin[i] = (uint64_t)json_integer_value(json_array_get(bins, i));
    for (size_t i = 0; i < json_array_size(tops) && i < PROFILE_TOP; i++) {
        const json_t *pair = json_array_get(tops, i);
        const char *value = json_string_value(json_array_get(pair, 0));
        if (!value)
            return false;
        c->top[c->tops].value = arena_text(a, value);
        c->top[c->tops++].count = (uint64_t)json_integer_value(json_array_get(pair, 1));
    }
    return true;
}

bool profile_from_json(Profile *into, const json_t *from, Error *err)
{
    const json_t *columns = json_object_get(from, "columns");
    Profile made = {.rows = get_count(from, "rows"), .columns = json_array_size(columns)};
    if (!json_is_array(columns))
        return error_set(err, ERROR_PARSE, "profile: expected an object with columns");
    made.column = ARENA_NEW(&made.arena, ColumnProfile, made.columns + 1);
    for (size_t i = 0; i < made.columns; i++)
        if (!column_from_json(&made.column[i], json_array_get(columns, i), &made.arena)) {
            profile_release(&made);
            return error_set(err, ERROR_PARSE, "profile: column %zu makes no sense", i + 1);
        }
    *into = made;
    return true;
}
