/* infer.c -- the body of POST /v2/models/M/infer to rows: a tensor of shape [n] or [n, 1] a column.
 *
 *     {"id": "7", "inputs": [{"name": "MILES", "shape": [2], "datatype": "FP64", "data": [1.5, 2]},
 *                            {"name": "TIME", "shape": [2], "datatype": "BYTES", "data": ["day", "?"]}]}
 *
 * Numbers may come in any width of their kind; times and dates are BYTES with ISO text. */
#include "serve_int.h"

#include <string.h>

const char *infer_type(ColumnType t)
{
    switch (t) {
    case COLUMN_BOOL:
        return "BOOL";
    case COLUMN_INT:
        return "INT64";
    case COLUMN_REAL:
        return "FP64";
    default:
        return "BYTES";
    }
}

/* A column of whole numbers takes the integer types, one of numbers these and the floating ones. */
static bool type_fits(ColumnType t, const char *given)
{
    bool whole = text_starts(given, "INT") || text_starts(given, "UINT");
    switch (t) {
    case COLUMN_BOOL:
        return !strcmp(given, "BOOL");
    case COLUMN_INT:
        return whole;
    case COLUMN_REAL:
        return whole || !strcmp(given, "FP64") || !strcmp(given, "FP32") || !strcmp(given, "FP16");
    default:
        return !strcmp(given, "BYTES");
    }
}

static bool column_error(const Field *f, const char *what, Error *err)
{
    return error_set(err, ERROR_PARSE, "input %.80s: %s", f->name, what);
}

static bool shape_rows(const Field *f, const json_t *shape, size_t *rows, Error *err)
{
    size_t rank = json_array_size(shape);
    json_int_t n = json_integer_value(json_array_get(shape, 0));
    bool one = rank == 1 || (rank == 2 && json_integer_value(json_array_get(shape, 1)) == 1);
    if (!one || !json_is_integer(json_array_get(shape, 0)) || n < 0)
        return column_error(f, "shape: expected [rows] or [rows, 1]", err);
    *rows = (size_t)n;
    return true;
}

static bool read_tensor(const Field *f, const json_t *tensor, size_t rows, Arena *a, Column *out,
                        Error *err)
{
    const char *type = json_string_value(json_object_get(tensor, "datatype"));
    const json_t *data = json_object_get(tensor, "data");
    if (!type || !type_fits(f->type, type))
        return error_set(err, ERROR_PARSE, "input %.80s: datatype: expected %s, found %.40s",
                         f->name, infer_type(f->type), type ? type : "none");
    if (!json_is_array(data) || json_array_size(data) != rows)
        return error_set(err, ERROR_PARSE, "input %.80s: data: expected a list of %zu values",
                         f->name, rows);
    ColumnBuild *b = column_build(a, f->name, f->type, rows);
    for (size_t i = 0; i < rows; i++) {
        const json_t *v = json_array_get(data, i);
        if (json_is_array(v) && json_array_size(v) == 1)
            v = json_array_get(v, 0); /* [n, 1], nested */
        if (!intake_cell(b, f, v, i, err))
            return false;
    }
    column_build_finish(b, out);
    return true;
}

typedef struct Inputs {
    Column *column;
    bool *given;
    size_t columns, rows;
} Inputs;

static bool add_input(const Intake *in, Inputs *t, const json_t *tensor, Arena *a, Error *err)
{
    const char *name = json_string_value(json_object_get(tensor, "name"));
    size_t rows = 0, at = name ? intake_find(in, name, err) : SIZE_MAX;
    if (!name)
        return error_set(err, ERROR_PARSE, "inputs: each needs a name");
    if (at == SIZE_MAX)
        return error_in(err, "inputs");
    const Field *f = &in->schema->field[at];
    if (t->given[at])
        return column_error(f, "is there twice", err);
    if (!shape_rows(f, json_object_get(tensor, "shape"), &rows, err))
        return false;
    if (t->columns && rows != t->rows)
        return error_set(err, ERROR_PARSE, "input %.80s: has %zu rows, others %zu", name, rows,
                         t->rows);
    t->rows = rows;
    t->given[at] = true;
    return read_tensor(f, tensor, rows, a, &t->column[t->columns++], err);
}

static bool read_all(const Intake *in, const json_t *list, Arena *a, Chunk *out, Error *err)
{
    size_t most = in->schema->count + 1;
    Inputs t = {.column = ARENA_NEW(a, Column, most), .given = ARENA_NEW(a, bool, most)};
    if (!json_is_array(list))
        return error_set(err, ERROR_PARSE, "inputs: expected a list of tensors");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!add_input(in, &t, json_array_get(list, i), a, err))
            return false;
    if (!intake_check(in, t.given, err))
        return false;
    Chunk have = {.rows = t.rows, .columns = t.columns, .column = t.column};
    intake_complete(in, &have, a, out);
    return true;
}

bool infer_rows(const Intake *in, const char *body, size_t n, Arena *a, Chunk *out, json_t **id,
                Error *err)
{
    *id = NULL;
    json_t *root = body_json(body, n, err);
    json_t *name = json_object_get(root, "id");
    bool ok =
        root && (!name || json_is_string(name) || error_set(err, ERROR_PARSE, "id: expected text"));
    ok = ok && read_all(in, json_object_get(root, "inputs"), a, out, err);
    if (ok)
        *id = json_incref(name);
    json_decref(root);
    return ok;
}
