/* request.c -- fuzz target: the body of a request, first byte for what it is: 2 for Open Inference, f and l for
 * feedback (JSON, JSON lines), else MLflow. What is taken must be a chunk of the schema's types with every
 * needed column, finite numbers and valid text; what is refused must say why in one line; and the reader of
 * usual bodies must give the rows that the reader of all bodies gives. */
#include "serve/serve_int.h"

#include "fuzz_table.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_values(const Column *c)
{
    for (size_t row = 0; row < c->rows; row++) {
        size_t n = 0;
        if (!column_has(c, row))
            continue;
        if (c->type == COLUMN_REAL)
            must(isfinite(c->real[row]));
        const char *s = c->type == COLUMN_TEXT ? column_text(c, row, &n) : "";
        must(utf8_valid(s, n));
    }
}

static void check_chunk(const Intake *in, const Chunk *c)
{
    for (size_t i = 0; i < in->schema->count; i++) {
        const Column *column = chunk_find(c, in->schema->field[i].name);
        if (!column) {
            must(!in->needed[i] && in->schema->field[i].role == ROLE_TARGET);
            continue;
        }
        must(column->type == in->schema->field[i].type && column->rows == c->rows);
        check_values(column);
    }
    must(c->columns <= in->schema->count);
}

static void same_column(const Column *x, const Column *y)
{
    must(x && y && x->type == y->type && x->rows == y->rows);
    for (size_t row = 0; row < x->rows; row++) {
        size_t n = 0, m = 0;
        must(column_has(x, row) == column_has(y, row));
        if (!column_has(x, row))
            continue;
        if (x->type == COLUMN_TEXT) {
            const char *s = column_text(x, row, &n), *t = column_text(y, row, &m);
            must(n == m && !memcmp(s, t, n));
        } else if (x->type == COLUMN_REAL) {
            must(!memcmp(&x->real[row], &y->real[row], sizeof *x->real));
        } else {
            must(column_real(x, row) == column_real(y, row));
        }
    }
}

static void compare(const Intake *in, const char *body, size_t n)
{
    Arena a = {0};
    Chunk fast, tree;
    Error err = {0};
    if (mlflow_fast(in, body, n, &a, &fast)) {
        must(mlflow_tree(in, body, n, &a, &tree, &err));
        must(fast.rows == tree.rows && fast.columns == tree.columns);
        for (size_t i = 0; i < fast.columns; i++)
            same_column(&fast.column[i], chunk_find(&tree, fast.column[i].name));
    }
    arena_release(&a);
}

static void feedback(const char *body, size_t n, bool lines, bool classes)
{
    static const char *const names[] = {"no", "yes", "1", "true"};
    TruthKind kind = {"T", classes ? 4 : 0, names};
    Arena a = {0};
    PredictionRow *row;
    size_t rows;
    Error err = {0};
    if (feedback_rows(&kind, body, n, lines, &a, &row, &rows, &err)) {
        for (size_t i = 0; i < rows; i++)
            must(row[i].id > 0 && isfinite(row[i].truth) && row[i].truth_said &&
                 (!classes || (row[i].truth < 4 && *row[i].truth_said)));
    } else {
        must(err.kind && err.text[0] && !strchr(err.text, '\n'));
    }
    arena_release(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    Table table;
    Intake in;
    Arena a = {0};
    Chunk rows;
    Error err = {0};
    json_t *id = NULL;
    if (!size)
        return 0;
    if (bytes[0] == 'f' || bytes[0] == 'l') {
        feedback((const char *)bytes + 1, size - 1, bytes[0] == 'l', false);
        feedback((const char *)bytes + 1, size - 1, bytes[0] == 'l', true);
        return 0;
    }
    table_make(&table);
    intake_init(&in, &table.schema);
    for (size_t i = 3; i < table.schema.count; i++)
        in.needed[i] = false;
    const char *body = (const char *)bytes + 1;
    if (bytes[0] != '2')
        compare(&in, body, size - 1);
    bool ok = bytes[0] == '2' ? infer_rows(&in, body, size - 1, &a, &rows, &id, &err)
                              : mlflow_rows(&in, body, size - 1, &a, &rows, &err);
    if (ok)
        check_chunk(&in, &rows);
    else
        must(err.kind && err.text[0] && !strchr(err.text, '\n'));
    must(ok || !id);
    json_decref(id);
    arena_release(&a);
    intake_release(&in);
    table_release(&table);
    return 0;
}
