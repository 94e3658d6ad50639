/* features.c -- fuzz target: features.json of a bundle. What is taken must save to what it was read
 * from, and encode rows of the types it asks for with every code inside its range. */
#include "feature/feature_int.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void add_column(const char *name, ColumnType type, Arena *a, Column *out)
{
    static const char *const words[] = {"Credit", "", "new"};
    ColumnBuild *b = column_build(a, name, type, 4);
    for (int row = 0; row < 3; row++)
        if (type == COLUMN_TEXT)
            column_build_text(b, words[row], strlen(words[row]));
        else if (type == COLUMN_REAL)
            column_build_real(b, row * 1e300);
        else
            column_build_int(b, type == COLUMN_BOOL ? row % 2 : row * 100000);
    column_build_missing(b);
    column_build_finish(b, out);
}

static void encode(const Features *f)
{
    Arena a = {0};
    Error err = {0};
    Batch b;
    size_t columns = f->inputs + (f->target.name != NULL);
    Column *c = ARENA_NEW(&a, Column, columns + 1);
    for (size_t i = 0; i < f->inputs; i++)
        add_column(f->input[i].name, f->input[i].type, &a, &c[i]);
    if (f->target.name)
        add_column(f->target.name, f->target.type, &a, &c[f->inputs]);
    Chunk chunk = {.rows = 4, .columns = columns, .column = c};
    if (!features_encode(f, &chunk, f->target.name != NULL, &a, &b, &err)) {
        if (!err.text[0])
            abort(); /* refused without a reason */
        arena_release(&a);
        return;
    }
    for (size_t i = 0; i < b.rows * f->shape.codes; i++)
        if (b.code[i] < 0 || b.code[i] >= f->shape.cardinality[i % f->shape.codes])
            abort();
    for (size_t i = 0; b.target && f->shape.classes && i < b.rows; i++)
        if (!isnan(b.target[i]) && !(b.target[i] >= 0 && b.target[i] < (float)f->shape.classes))
            abort();
    arena_release(&a);
}

static void save(const Features *f)
{
    Error err = {0};
    json_t *first = features_to_json(f);
    Features *again = first ? features_from_json(first, &err) : NULL;
    json_t *second = again ? features_to_json(again) : NULL;
    if (!first || !second || !json_equal(first, second))
        abort();
    json_decref(first);
    json_decref(second);
    features_destroy(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    Error err = {0};
    json_t *from = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);
    if (!from)
        return 0;
    Features *f = features_from_json(from, &err);
    json_decref(from);
    if (f) {
        save(f);
        encode(f);
    } else if (!err.text[0]) {
        abort();
    }
    features_destroy(f);
    return 0;
}
