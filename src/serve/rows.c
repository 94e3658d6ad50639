/* rows.c -- rows as JSON objects, one by one: {"MILES": 1.5, "TIME": "day"} is a row of a chunk. */
#include "serve_int.h"

#include <string.h>

struct RowIntake {
    Intake in;
    VEC(json_t *) row; /* each checked */
    Arena scratch;     /* of one check */
};

RowIntake *row_intake_create(const Bundle *b)
{
    RowIntake *r = mem_alloc(sizeof *r);
    intake_init(&r->in, bundle_schema(b));
    intake_narrow(&r->in, b);
    return r;
}

static void forget(RowIntake *r)
{
    for (size_t i = 0; i < r->row.count; i++)
        json_decref(r->row.at[i]);
    r->row.count = 0;
}

void row_intake_destroy(RowIntake *r)
{
    if (!r)
        return;
    forget(r);
    vec_release(&r->row);
    intake_release(&r->in);
    arena_release(&r->scratch);
    mem_free(r);
}

/* A key of the object that is nearly the column's name: what was meant. */
static const char *near_key(const json_t *row, const char *name, Arena *a)
{
    const char **keys = ARENA_NEW(a, const char *, json_object_size(row) + 1), *key;
    json_t *value;
    size_t n = 0;
    json_object_foreach((json_t *)(uintptr_t)row, key, value) keys[n++] = key;
    return text_nearest(name, keys, n);
}

/* Each value as one of its column: the same as a request's, before anything is kept. */
static bool check(RowIntake *r, const json_t *row, Error *err)
{
    const Schema *s = r->in.schema;
    arena_reset(&r->scratch);
    for (size_t i = 0; i < s->count; i++) {
        const Field *f = &s->field[i];
        const json_t *v = json_object_get(row, f->name);
        const char *near = !v && r->in.needed[i] ? near_key(row, f->name, &r->scratch) : NULL;
        if (!v && r->in.needed[i])
            return error_set(err, ERROR_PARSE, "column %.80s is missing%s%.80s%s", f->name,
                             near ? "; it has " : "", near ? near : "",
                             near ? ": was that meant?" : "");
        if (v &&
            !intake_cell(column_build(&r->scratch, f->name, f->type, 1), f, v, r->row.count, err))
            return false;
    }
    return true;
}

bool row_intake_add(RowIntake *r, const char *json, size_t n, Error *err)
{
    json_error_t why;
    json_t *row = json_loadb(json, n, JSON_REJECT_DUPLICATES, &why);
    bool ok = row != NULL;
    if (!ok)
        error_set(err, ERROR_PARSE, "no JSON: column %d: %s", why.column, why.text);
    else if (!json_is_object(row))
        ok = error_set(err, ERROR_PARSE, "expected an object: {\"COLUMN\": value, ...}");
    ok = ok && check(r, row, err);
    if (ok)
        vec_add(&r->row, row);
    else
        json_decref(row);
    return ok;
}

size_t row_intake_count(const RowIntake *r)
{
    return r->row.count;
}

static bool anyone_has(const RowIntake *r, const char *name)
{
    for (size_t i = 0; i < r->row.count; i++)
        if (json_object_get(r->row.at[i], name))
            return true;
    return false;
}

static void take_column(const RowIntake *r, const Field *f, Arena *a, Column *out)
{
    ColumnBuild *b = column_build(a, f->name, f->type, r->row.count);
    for (size_t i = 0; i < r->row.count; i++) {
        const json_t *v = json_object_get(r->row.at[i], f->name);
        if (v)
            intake_cell(b, f, v, i, NULL); /* it was checked */
        else
            column_build_missing(b);
    }
    column_build_finish(b, out);
}

void row_intake_take(RowIntake *r, Arena *a, Chunk *out)
{
    const Schema *s = r->in.schema;
    Column *column = ARENA_NEW(a, Column, s->count + 1);
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++)
        if (anyone_has(r, s->field[i].name))
            take_column(r, &s->field[i], a, &column[n++]);
    Chunk have = {.rows = r->row.count, .columns = n, .column = column};
    intake_complete(&r->in, &have, a, out);
    forget(r);
}
