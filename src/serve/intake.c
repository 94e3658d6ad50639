/* intake.c -- which columns a request must bring, and one JSON value as a value of a column.
 *
 * A column of the raw table is needed when a feature is made of it or a recipe speaks of it. The rest
 * may be sent or not; sent columns must be known and of their type, so that a typing error is told.
 *
 *     type of the column   JSON                                  CSV
 *     bool                 true, false                           true, false, yes, no, ...
 *     int64                1, 1.0                                1
 *     float64              1, 1.5                                1.5
 *     timestamp            "2019-01-31T11:19:29", with a zone    the same, or a space for the T
 *     date                 "2019-01-31"                          2019-01-31
 *     text                 "Cash"                                Cash
 *     missing              null                                  nothing between the commas  */
#include "serve_int.h"

#include <math.h>
#include <string.h>

/* ---- which columns ------------------------------------------------------------------------------- */

static void list_inputs(Intake *in)
{
    in->inputs = 0;
    for (size_t i = 0; i < in->schema->count; i++)
        if (in->needed[i])
            in->input[in->inputs++] = i;
}

void intake_init(Intake *in, const Schema *schema)
{
    size_t n = schema->count + 1;
    *in = (Intake){.schema = schema,
                   .needed = mem_alloc(n * sizeof *in->needed),
                   .name = mem_alloc(n * sizeof *in->name),
                   .size = mem_alloc(n * sizeof *in->size),
                   .key_end = mem_alloc(n * sizeof *in->key_end),
                   .input = mem_alloc(n * sizeof *in->input)};
    for (size_t i = 0; i < schema->count; i++) {
        in->name[i] = schema->field[i].name;
        in->size[i] = strlen(in->name[i]);
        put_json_text(in->name[i], &in->key);
        text_putc(&in->key, ':');
        in->key_end[i] = in->key.count;
        in->needed[i] = schema->field[i].role != ROLE_TARGET;
    }
    list_inputs(in);
}

void intake_release(Intake *in)
{
    mem_free(in->needed);
    mem_free(in->name);
    mem_free(in->size);
    text_release(&in->key);
    mem_free(in->key_end);
    mem_free(in->input);
    *in = (Intake){0};
}

/* A rule may speak of all columns by naming none, and choosing columns needs no values. */
static bool names_none(const char *line)
{
    return !strcmp(line, "dedupe") || !strcmp(line, "drop missing");
}

static bool chooses_columns(const char *line)
{
    return text_starts(line, "drop column") || text_starts(line, "keep column");
}

/* Names are looked for as bare text: one too many is asked for at worst, none too few. */
static void mark_mentioned(const Intake *in, const char *line, bool *needed)
{
    if (chooses_columns(line))
        return;
    for (size_t i = 0; i < in->schema->count; i++)
        if (names_none(line) || strcasestr(line, in->name[i]))
            needed[i] = true;
}

static void mark_plan(const Intake *in, const Plan *p, bool *needed)
{
    json_t *saved = plan_to_json(p);
    char *text = text_copy(json_string_value(json_object_get(saved, "recipe")));
    char *rest = text, *line;
    while (rest && (line = strsep(&rest, "\n"))) {
        size_t n = strlen(line);
        while (n && (line[n - 1] == ' ' || line[n - 1] == '\t' || line[n - 1] == '\r'))
            line[--n] = 0;
        mark_mentioned(in, line + strspn(line, " \t"), needed);
    }
    mem_free(text);
    json_decref(saved);
}

/* Of series the time, what names them and their past targets; a recipe may make them of other columns. */
static bool mark_series(const Intake *in, const Features *f, bool *needed)
{
    if (!features_time(f))
        return false;
    const char *group = features_group(f);
    for (size_t i = 0; i < in->schema->count; i++) {
        const char *name = in->schema->field[i].name;
        size_t n = strlen(name);
        if (text_equal(name, features_time(f)) || text_equal(name, features_target(f)))
            needed[i] = true;
        for (const char *at = group; *at; at += strcspn(at, ","), at += *at == ',')
            if (strcspn(at, ",") == n && !strncmp(at, name, n))
                needed[i] = true;
    }
    return true;
}

void intake_narrow(Intake *in, const Bundle *b)
{
    bool *needed = mem_alloc((in->schema->count + 1) * sizeof *needed);
    const Features *f = bundle_features(b);
    for (size_t i = 0; i < features_inputs(f); i++) {
        size_t at = schema_find(in->schema, features_input(f, i));
        if (at != SIZE_MAX)
            needed[at] = true;
    }
    for (size_t i = 0; i < bundle_plans(b); i++)
        mark_plan(in, bundle_plan(b, i), needed);
    bool series = mark_series(in, f, needed);
    for (size_t i = 0; i < in->schema->count; i++)
        in->needed[i] = needed[i] && (series || in->schema->field[i].role != ROLE_TARGET);
    mem_free(needed);
    list_inputs(in);
}

size_t intake_find(const Intake *in, const char *name, Error *err)
{
    size_t at = schema_find(in->schema, name);
    if (at != SIZE_MAX)
        return at;
    const char *near = text_nearest(name, in->name, in->schema->count);
    error_set(err, ERROR_PARSE, "no column %.80s%s%.80s%s", name, near ? ", did you mean " : "",
              near ? near : "", near ? "?" : "");
    return SIZE_MAX;
}

bool intake_check(const Intake *in, const bool *given, Error *err)
{
    for (size_t i = 0; i < in->schema->count; i++)
        if (in->needed[i] && !given[i])
            return error_set(err, ERROR_PARSE, "column %.80s is missing", in->name[i]);
    return true;
}

bool intake_absent(const Field *f, size_t rows, Arena *a, Column *out)
{
    if (f->role == ROLE_TARGET)
        return false;
    ColumnBuild *b = column_build(a, f->name, f->type, rows);
    for (size_t row = 0; row < rows; row++)
        column_build_missing(b);
    column_build_finish(b, out);
    return true;
}

void intake_complete(const Intake *in, const Chunk *have, Arena *a, Chunk *out)
{
    Column *column = ARENA_NEW(a, Column, in->schema->count + 1);
    size_t n = 0, next = 0;
    for (size_t i = 0; i < in->schema->count; i++) {
        const Field *f = &in->schema->field[i];
        const Column *given = chunk_find_next(have, f->name, &next);
        if (given)
            column[n++] = *given;
        else
            n += intake_absent(f, have->rows, a, &column[n]);
    }
    *out = *have;
    out->column = column;
    out->columns = n;
}

/* ---- one value -------------------------------------------------------------------------------------- */

#define DAY   INT64_C(86400000000) /* microseconds */
#define EXACT 9007199254740992.0   /* up to here a double counts whole numbers */

static bool refuse(const Field *f, const json_t *v, size_t row, Error *err)
{
    static const char *const wanted[] = {[COLUMN_BOOL] = "true or false",
                                         [COLUMN_INT] = "a whole number",
                                         [COLUMN_REAL] = "a number",
                                         [COLUMN_TIME] = "a time as text (2019-01-31T11:19:29)",
                                         [COLUMN_DATE] = "a date as text (2019-01-31)",
                                         [COLUMN_TEXT] = "text"};
    char *found = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(10));
    error_set(err, ERROR_PARSE, "row %zu, column %.80s: expected %s, found %.40s%s", row + 1,
              f->name, wanted[f->type], found ? found : "?",
              found && strlen(found) > 40 ? "..." : "");
    free(found);
    return false;
}

static bool add_whole(ColumnBuild *b, const json_t *v)
{
    double real = json_number_value(v);
    if (json_is_integer(v))
        column_build_int(b, json_integer_value(v));
    else if (json_is_real(v) && fabs(real) <= EXACT && real == floor(real))
        column_build_int(b, (int64_t)real);
    else
        return false;
    return true;
}

static bool add_time(ColumnBuild *b, const json_t *v, bool date)
{
    int64_t micros;
    if (!json_is_string(v) || !time_parse(json_string_value(v), json_string_length(v), &micros) ||
        (date && micros % DAY))
        return false;
    column_build_int(b, date ? micros / DAY : micros);
    return true;
}

bool intake_cell(ColumnBuild *b, const Field *f, const json_t *v, size_t row, Error *err)
{
    bool ok = true;
    if (json_is_null(v)) {
        column_build_missing(b);
        return true;
    }
    switch (f->type) {
    case COLUMN_BOOL:
        if ((ok = json_is_boolean(v)))
            column_build_int(b, json_is_true(v));
        break;
    case COLUMN_INT:
        ok = add_whole(b, v);
        break;
    case COLUMN_REAL:
        if ((ok = json_is_number(v) && isfinite(json_number_value(v))))
            column_build_real(b, json_number_value(v));
        break;
    case COLUMN_TIME:
    case COLUMN_DATE:
        ok = add_time(b, v, f->type == COLUMN_DATE);
        break;
    default:
        if ((ok = json_is_string(v)))
            column_build_text(b, json_string_value(v), json_string_length(v));
    }
    return ok || refuse(f, v, row, err);
}
