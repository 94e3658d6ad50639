/* param.c -- reading, checking, printing one setting from its row; the field's place is in the row. */
#include <lathe/base.h>

#include <assert.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#define FIELD(row, settings)       ((void *)((char *)(settings) + (row)->offset))
#define CONST_FIELD(row, settings) ((const void *)((const char *)(settings) + (row)->offset))

static const char *const yes_words[] = {"yes", "true", "on", "1", NULL};
static const char *const no_words[] = {"no", "false", "off", "0", NULL};

static size_t list_count(const char *const *list)
{
    size_t n = 0;
    while (list[n])
        n++;
    return n;
}

static bool listed(const char *const *list, const char *word)
{
    for (; *list; list++)
        if (strcasecmp(*list, word) == 0)
            return true;
    return false;
}

const Param *param_find(const Param *rows, const char *name)
{
    for (; rows->kind != PARAM_KIND_END; rows++)
        if (text_equal(rows->name, name))
            return rows;
    return NULL;
}

/* "128,128" into sizes; spaces around the commas are fine, "" is none. */
static bool parse_sizes(const Param *row, const char *value, ParamSizes *out, const char **why)
{
    ParamSizes sizes = {0};
    const char *at = value + strspn(value, " ");
    while (*at) {
        size_t n = strcspn(at, ",");
        size_t used = n;
        while (used > 0 && at[used - 1] == ' ')
            used--;
        int64_t size;
        *why = "sizes like 128,128";
        if (!text_to_int(at, used, &size))
            return false;
        *why = "each size in its range";
        if ((double)size < row->least || (double)size > row->most)
            return false;
        *why = "at most 8 sizes";
        if (sizes.count == (int)(sizeof sizes.at / sizeof *sizes.at))
            return false;
        sizes.at[sizes.count++] = (int)size;
        at += n;
        *why = "sizes like 128,128";
        if (*at == ',') {
            at++;
            at += strspn(at, " ");
            if (!*at)
                return false;
        }
    }
    *out = sizes;
    return true;
}

void params_init(const Param *rows, void *settings)
{
    for (const Param *row = rows; row->kind != PARAM_KIND_END; row++) {
        void *field = FIELD(row, settings);
        const char *why;
        switch (row->kind) {
        case PARAM_KIND_BOOL:
            *(bool *)field = row->normal != 0;
            break;
        case PARAM_KIND_INT:
        case PARAM_KIND_PICK:
            *(int *)field = (int)row->normal;
            break;
        case PARAM_KIND_REAL:
            *(double *)field = row->normal;
            break;
        case PARAM_KIND_TEXT:
            *(char **)field = text_copy(row->text ? row->text : "");
            break;
        case PARAM_KIND_SIZES: {
            bool ok = parse_sizes(row, row->text ? row->text : "", field, &why);
            assert(ok && "a default outside its range");
            (void)ok;
            break;
        }
        case PARAM_KIND_END:
            break;
        }
    }
}

void params_release(const Param *rows, void *settings)
{
    for (const Param *row = rows; row->kind != PARAM_KIND_END; row++)
        if (row->kind == PARAM_KIND_TEXT) {
            char **field = FIELD(row, settings);
            mem_free(*field);
            *field = NULL;
        }
}

void param_range(const Param *row, Text *into)
{
    switch (row->kind) {
    case PARAM_KIND_BOOL:
        text_puts(into, "yes | no");
        break;
    case PARAM_KIND_SIZES:
        text_puts(into, "sizes "); /* fall through */
    case PARAM_KIND_INT:
    case PARAM_KIND_REAL:
        text_add_real(into, row->least);
        text_puts(into, " .. ");
        text_add_real(into, row->most);
        break;
    case PARAM_KIND_PICK:
        for (size_t i = 0; row->picks[i]; i++)
            text_printf(into, "%s%s", i ? " | " : "", row->picks[i]);
        break;
    case PARAM_KIND_TEXT:
        text_puts(into, "text");
        break;
    case PARAM_KIND_END:
        break;
    }
}

static bool fail_number(const Param *row, const char *what, const char *value, Error *err)
{
    Text range = {0};
    text_add_real(&range, row->least);
    text_puts(&range, " to ");
    text_add_real(&range, row->most);
    error_set(err, ERROR_USAGE, "%s: expected %s from %s, found '%.60s'", row->name, what,
              text_str(&range), value);
    text_release(&range);
    return false;
}

static bool set_pick(const Param *row, int *field, const char *value, Error *err)
{
    for (int i = 0; row->picks[i]; i++)
        if (strcasecmp(row->picks[i], value) == 0) {
            *field = i;
            return true;
        }
    Text names = {0};
    for (size_t i = 0; row->picks[i]; i++)
        text_printf(&names, "%s%s", i ? ", " : "", row->picks[i]);
    const char *near = text_nearest(value, row->picks, list_count(row->picks));
    error_set(err, ERROR_USAGE, "%s: expected one of %.200s, found '%.60s'%s%s%s", row->name,
              text_str(&names), value, near ? "; did you mean " : "", near ? near : "",
              near ? "?" : "");
    text_release(&names);
    return false;
}

bool param_set(const Param *row, void *settings, const char *value, Error *err)
{
    void *field = FIELD(row, settings);
    double real;
    const char *why;
    switch (row->kind) {
    case PARAM_KIND_BOOL:
        if (!listed(yes_words, value) && !listed(no_words, value))
            return error_set(err, ERROR_USAGE, "%s: expected yes or no, found '%.60s'", row->name,
                             value);
        *(bool *)field = listed(yes_words, value);
        return true;
    case PARAM_KIND_INT: /* 1e6 is a whole number too */
        if (!text_to_real(value, strlen(value), &real) || real != floor(real) || real < INT_MIN ||
            real > INT_MAX || real < row->least || real > row->most)
            return fail_number(row, "a whole number", value, err);
        *(int *)field = (int)real;
        return true;
    case PARAM_KIND_REAL:
        if (!text_to_real(value, strlen(value), &real) ||
            !(real >= row->least && real <= row->most))
            return fail_number(row, "a number", value, err);
        *(double *)field = real;
        return true;
    case PARAM_KIND_PICK:
        return set_pick(row, field, value, err);
    case PARAM_KIND_TEXT: {
        char *copy = text_copy(value); /* first: value may be the old text */
        mem_free(*(char **)field);
        *(char **)field = copy;
        return true;
    }
    case PARAM_KIND_SIZES:
        if (!parse_sizes(row, value, field, &why)) {
            Text range = {0};
            text_add_real(&range, row->least);
            text_puts(&range, " to ");
            text_add_real(&range, row->most);
            error_set(err, ERROR_USAGE, "%s: expected %s (%s), found '%.60s'", row->name, why,
                      text_str(&range), value);
            text_release(&range);
            return false;
        }
        return true;
    case PARAM_KIND_END:
        break;
    }
    assert(!"a row of no kind");
    return false;
}

bool params_set(const Param *rows, void *settings, const char *name, const char *value, Error *err)
{
    const Param *row = param_find(rows, name);
    if (row)
        return param_set(row, settings, value, err);
    VEC(const char *) names = {0};
    Text known = {0};
    for (row = rows; row->kind != PARAM_KIND_END; row++) {
        vec_add(&names, row->name);
        text_printf(&known, "%s%s", known.count ? ", " : "", row->name);
    }
    const char *near = text_nearest(name, names.at, names.count);
    if (near)
        error_set(err, ERROR_USAGE, "no setting '%.60s', did you mean %s?", name, near);
    else
        error_set(err, ERROR_USAGE, "no setting '%.60s'; there are: %.250s", name,
                  known.count ? text_str(&known) : "none");
    vec_release(&names);
    text_release(&known);
    return false;
}

void param_get(const Param *row, const void *settings, Text *into)
{
    const void *field = CONST_FIELD(row, settings);
    switch (row->kind) {
    case PARAM_KIND_BOOL:
        text_puts(into, *(const bool *)field ? "yes" : "no");
        break;
    case PARAM_KIND_INT:
        text_printf(into, "%d", *(const int *)field);
        break;
    case PARAM_KIND_REAL:
        text_add_real(into, *(const double *)field);
        break;
    case PARAM_KIND_PICK:
        text_puts(into, row->picks[*(const int *)field]);
        break;
    case PARAM_KIND_TEXT: {
        const char *text = *(char *const *)field;
        text_puts(into, text ? text : "");
        break;
    }
    case PARAM_KIND_SIZES: {
        const ParamSizes *sizes = field;
        for (int i = 0; i < sizes->count; i++)
            text_printf(into, "%s%d", i ? "," : "", sizes->at[i]);
        break;
    }
    case PARAM_KIND_END:
        break;
    }
}

void param_default(const Param *row, Text *into)
{
    switch (row->kind) {
    case PARAM_KIND_BOOL:
        text_puts(into, row->normal != 0 ? "yes" : "no");
        break;
    case PARAM_KIND_INT:
    case PARAM_KIND_REAL:
        text_add_real(into, row->normal);
        break;
    case PARAM_KIND_PICK:
        text_puts(into, row->picks[(int)row->normal]);
        break;
    case PARAM_KIND_TEXT:
    case PARAM_KIND_SIZES:
        text_puts(into, row->text ? row->text : "");
        break;
    case PARAM_KIND_END:
        break;
    }
}
