/* recipe.c -- fuzz target: any text as a recipe. What parses prints to a text that parses to the
 * same; what binds is fitted and applied, whole and row by row, and kept as JSON. */
#include "fuzz_table.h"

#include "recipe/recipe_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void table_get(void *context, size_t i, Arena *a, Chunk *out)
{
    *out = ((const Table *)context)->chunk;
    (void)i;
    (void)a;
}

static void ignore(void *context, const char *word)
{
    *(size_t *)context += strlen(word);
}

static bool has_dedupe(const Plan *p)
{
    for (size_t i = 0; i < p->steps; i++)
        if (p->step[i].rule->ordered)
            return true;
    return false;
}

static void apply(Plan *p, Table *t)
{
    Error err = {0};
    Arena a = {0};
    Chunk whole, row, one;
    ChunkSource from = {1, TABLE_ROWS, table_get, t};
    must(plan_fit_source(p, &from, NULL, NULL, NULL, NULL, &err));
    if (!plan_apply(p, NULL, &t->chunk, &a, &whole, &err))
        must(err.kind != ERROR_NONE);
    for (size_t i = 0, at = 0; err.kind == ERROR_NONE && !has_dedupe(p) && i < TABLE_ROWS; i++) {
        chunk_slice(&t->chunk, i, 1, &a, &row);
        must(plan_apply(p, NULL, &row, &a, &one, &err));
        for (size_t k = 0; one.rows > 0 && k < one.columns; k++)
            must_be_same(&whole.column[k], at, &one.column[k], 0);
        at += one.rows;
    }
    json_t *j = plan_to_json(p);
    Plan *again = plan_from_json(j, &t->schema, &err);
    must(again != NULL);
    plan_destroy(again);
    json_decref(j);
    arena_release(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    Table t;
    Error err = {0};
    size_t words = 0;
    if (size > 4000 || !utf8_valid((const char *)bytes, size))
        return 0;
    char *text = mem_alloc(size + 1);
    memcpy(text, bytes, size);
    table_make(&t);
    Recipe *r = recipe_create(), *again = recipe_create();
    recipe_complete(text, &t.schema, ignore, &words);
    if (recipe_parse(r, text, &err)) {
        Text first = {0}, second = {0};
        recipe_print(r, &first);
        must(recipe_parse(again, text_str(&first), &err));
        recipe_print(again, &second);
        must(strcmp(text_str(&first), text_str(&second)) == 0);
        must(recipe_count(r) == recipe_count(again));
        text_release(&first);
        text_release(&second);
        Plan *p = plan_create(r, &t.schema, &err);
        if (p)
            apply(p, &t);
        plan_destroy(p);
    }
    must(err.kind == ERROR_NONE || err.text[0] != '\0');
    recipe_destroy(r);
    recipe_destroy(again);
    table_release(&t);
    mem_free(text);
    return 0;
}
