/* keep.c -- keeps rows for which a condition is true. */
#include "recipe_int.h"

typedef struct Condition {
    Node *tree;
    Expr *expr;
} Condition;

static bool parse(Parser *p, void *self)
{
    Condition *c = self;
    parser_take(p, "where");
    c->tree = expr_parse_tree(p);
    return c->tree != NULL;
}

static bool bind(void *self, Shape *s)
{
    Condition *c = self;
    return expr_bind_bool(c->tree, s, "keep", &c->expr);
}

static bool apply(const void *self, Frame *f, Error *err)
{
    const Condition *c = self;
    Chunk chunk;
    uint8_t *keep = arena_alloc(f->arena, f->rows + 8);
    frame_chunk(f, &chunk);
    if (expr_filter(c->expr, &chunk, f->arena, keep, err) == SIZE_MAX)
        return false;
    frame_drop(f, keep);
    return true;
}

const Rule keep_rule = {
    .kind = {"keep", "keep [where] EXPRESSION",
             "keeps the rows for which the condition is true; false and missing go",
             "keep FARE between 3 and 200"},
    .size = sizeof(Condition),
    .drops = true,
    .parse = parse,
    .bind = bind,
    .apply = apply,
};
