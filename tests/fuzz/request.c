/* request.c -- fuzz target: the body of a scoring request, first byte for the protocol. What is taken
 * must be a chunk of the schema's types with every needed column, finite numbers and valid text;
 * what is refused must say why in one line. */
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
    table_make(&table);
    intake_init(&in, &table.schema);
    for (size_t i = 3; i < table.schema.count; i++)
        in.needed[i] = false;
    const char *body = (const char *)bytes + 1;
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
