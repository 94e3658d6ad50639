/* gbdt_limits.c -- monotone columns, and which columns may meet in a tree, from their texts.
 *
 *     monotone=MILES:+,AGE:-          the score may not fall as MILES grows, not rise as AGE does
 *     interact=MILES+HOUR,AGE+SEX     on a way down a tree only columns of one group meet; a column in no
 *                                     group meets none; a group of one says so of itself
 *
 * Monotone: a split may only part a column's leaves in its order, and the middle between the two bounds
 * whatever grows below either (LightGBM's basic method; XGBoost's). A column of the table may be several
 * inputs of the model, as a time is: all of them are meant. */
#include "gbdt_int.h"

#include <string.h>

static const char *input_name(const ModelShape *s, size_t i)
{
    const char *const *names = i < s->dense ? s->dense_name : s->code_name;
    return names ? names[i < s->dense ? i : i - s->dense] : "";
}

/* Calls change for each input of the column; false: there is none. */
static bool each_input(const ModelShape *s, const char *name, size_t n, int8_t *slope, int8_t to,
                       uint64_t *groups, uint64_t group)
{
    bool found = false;
    for (size_t i = 0; i < s->dense + s->codes; i++) {
        const char *own = input_name(s, i);
        if (strncmp(own, name, n) != 0 || (own[n] && own[n] != ' '))
            continue;
        found = true;
        if (slope)
            slope[i] = to;
        if (groups)
            groups[i] |= group;
    }
    return found;
}

static bool unknown(const ModelShape *s, const char *setting, const char *name, size_t n,
                    Error *err)
{
    const char **names = mem_alloc(sizeof *names * (s->dense + s->codes + 1));
    char *own = mem_alloc(n + 1);
    memcpy(own, name, n);
    for (size_t i = 0; i < s->dense + s->codes; i++)
        names[i] = input_name(s, i);
    const char *near = text_nearest(own, names, s->dense + s->codes);
    error_set(err, ERROR_USAGE, "%s: the model reads no column %s%s%s%s", setting, own,
              near ? ", did you mean " : "", near ? near : "", near ? "?" : "");
    mem_free(names);
    mem_free(own);
    return false;
}

static bool read_slope(const char *text, size_t n, int8_t *out)
{
    bool one = n == 2 && text[1] == '1';
    if ((n == 1 || one) && (text[0] == '+' || text[0] == '-'))
        *out = text[0] == '+' ? 1 : -1;
    else if (n == 1 && (text[0] == '0' || text[0] == '1'))
        *out = text[0] == '1';
    else
        return false;
    return true;
}

static bool read_monotone(Limits *l, const char *text, const ModelShape *s, Error *err)
{
    l->slope = mem_alloc(s->dense + s->codes + 1);
    for (size_t n; *text; text += n + (text[n] == ',')) {
        n = strcspn(text, ",");
        const char *colon = memrchr(text, ':', n);
        int8_t slope;
        if (!colon || !read_slope(colon + 1, (size_t)(text + n - colon - 1), &slope))
            return error_set(err, ERROR_USAGE,
                             "monotone=%.*s: expected COLUMN:+ (may not fall) or COLUMN:-",
                             (int)(n < 60 ? n : 60), text);
        size_t name = (size_t)(colon - text);
        if (!each_input(s, text, name, l->slope, slope, NULL, 0))
            return unknown(s, "monotone", text, name, err);
    }
    for (size_t i = s->dense; i < s->dense + s->codes; i++)
        if (l->slope[i])
            return error_set(err, ERROR_USAGE, "monotone: %s is a category, which has no order",
                             input_name(s, i));
    return true;
}

static bool read_group(Limits *l, const char *text, size_t n, uint64_t group, const ModelShape *s,
                       Error *err)
{
    for (size_t at = 0; at < n;) {
        size_t name = strcspn(text + at, "+,");
        if (!each_input(s, text + at, name, NULL, 0, l->groups, group))
            return unknown(s, "interact", text + at, name, err);
        at += name + 1;
    }
    return true;
}

static bool read_interact(Limits *l, const char *text, const ModelShape *s, Error *err)
{
    size_t group = 0;
    l->groups = mem_alloc(sizeof *l->groups * (s->dense + s->codes + 1));
    for (size_t n; *text; text += n + (text[n] == ','), group++) {
        n = strcspn(text, ",");
        if (group == GROUPS_MOST)
            return error_set(err, ERROR_USAGE, "interact: more than %d groups", GROUPS_MOST);
        if (!read_group(l, text, n, (uint64_t)1 << group, s, err))
            return false;
    }
    return true;
}

bool limits_make(Limits *l, const GbdtParams *p, const ModelShape *shape, Error *err)
{
    *l = (Limits){0};
    bool ok = (!p->monotone || !*p->monotone || read_monotone(l, p->monotone, shape, err)) &&
              (!p->interact || !*p->interact || read_interact(l, p->interact, shape, err));
    if (!ok)
        limits_release(l);
    return ok;
}

void limits_release(Limits *l)
{
    mem_free(l->slope);
    mem_free(l->groups);
    *l = (Limits){0};
}
