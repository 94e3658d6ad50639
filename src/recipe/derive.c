/* derive.c -- makes a column from an expression, or computes a column anew. */
#include "rewrite.h"

typedef struct Derive {
    Rewrite rewrite;
    Node *tree;
} Derive;

static bool parse(Parser *p, void *self)
{
    Derive *d = self;
    if (!parser_name(p, &d->rewrite.name) || !parser_need(p, "="))
        return false;
    d->tree = expr_parse_tree(p);
    return d->tree != NULL;
}

static bool bind(void *self, Shape *s)
{
    Derive *d = self;
    return rewrite_bind(&d->rewrite, d->tree, s);
}

static bool apply(const void *self, Frame *f, Error *err)
{
    const Derive *d = self;
    return rewrite_apply(&d->rewrite, f, err);
}

const Rule derive_rule = {
    .kind = {"derive", "derive COLUMN = EXPRESSION",
             "makes a new column, or computes one anew; what cannot be computed is missing",
             "derive hour = hour(PICKUP)"},
    .size = sizeof(Derive),
    .parse = parse,
    .bind = bind,
    .apply = apply,
    .onnx = rewrite_onnx,
};
