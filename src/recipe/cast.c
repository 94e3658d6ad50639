/* cast.c -- gives a column another type; values that cannot be read as one become missing. */
#include "rewrite.h"

typedef struct Cast {
    Rewrite rewrite;
    ColumnType type;
} Cast;

static bool parse(Parser *p, void *self)
{
    Cast *c = self;
    if (!parser_name(p, &c->rewrite.name))
        return false;
    if (!parser_take(p, "as"))
        parser_take(p, "to");
    if (p->now.kind != TOKEN_NAME || !column_type_parse(p->now.text, &c->type))
        return parser_expected(p, "a type (bool, int64, float64, timestamp, date or text)");
    parser_next(p);
    return !p->failed;
}

static bool bind(void *self, Shape *s)
{
    Cast *c = self;
    Node *x = node_column(s->arena, c->rewrite.name.name, c->rewrite.name.column);
    Node *n = ARENA_NEW(s->arena, Node, 1);
    *n = (Node){.kind = NODE_CAST,
                .type = c->type,
                .column = c->rewrite.name.column,
                .args = 1,
                .arg = ARENA_NEW(s->arena, Node *, 1)};
    n->arg[0] = x;
    return rewrite_bind(&c->rewrite, n, s);
}

static bool apply(const void *self, Frame *f, Error *err)
{
    const Cast *c = self;
    return rewrite_apply(&c->rewrite, f, err);
}

const Rule cast_rule = {
    .kind = {"cast", "cast COLUMN bool|int64|float64|timestamp|date|text",
             "gives a column another type; what cannot be read as one becomes missing",
             "cast FARE float64"},
    .size = sizeof(Cast),
    .parse = parse,
    .bind = bind,
    .apply = apply,
    .onnx = rewrite_onnx,
};
