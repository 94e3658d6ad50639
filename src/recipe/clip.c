/* clip.c -- moves values beyond a bound to the bound; what is missing stays missing. */
#include "rewrite.h"

typedef struct Clip {
    Rewrite rewrite;
    Token low, high;
} Clip;

static bool parse(Parser *p, void *self)
{
    Clip *c = self;
    return parser_name(p, &c->rewrite.name) && parser_value(p, &c->low) &&
           parser_value(p, &c->high);
}

/* A bound; for dates a date, so that the column stays one. NULL: it is none. */
static Node *bound(const Token *t, ColumnType type, Arena *a)
{
    Node *n = node_constant(a, t);
    if (type != COLUMN_DATE)
        return n;
    n = n->type == COLUMN_TEXT ? node_cast(a, n, COLUMN_DATE) : NULL;
    return n && !n->missing ? n : NULL;
}

static Node *pair(Arena *a, NodeKind kind, Op op, Node *x, Node *y)
{
    Node *n = ARENA_NEW(a, Node, 1);
    *n = (Node){
        .kind = kind, .op = op, .column = y->column, .args = 2, .arg = ARENA_NEW(a, Node *, 2)};
    n->arg[0] = x;
    n->arg[1] = y;
    return n;
}

/* Numbers: clamp(x, low, high).
 * Others:  case when x < low then low when x > high then high else x end */
static Node *clip_tree(const Clip *c, ColumnType type, Arena *a)
{
    Node *x = node_column(a, c->rewrite.name.name, c->rewrite.name.column);
    Node *low = bound(&c->low, type, a), *high = bound(&c->high, type, a);
    bool number = type == COLUMN_INT || type == COLUMN_REAL;
    Node *n = number ? node_call(a, "clamp", x) : pair(a, NODE_CASE, OP_COUNT, x, x);
    n->args = number ? 3 : 5;
    n->arg = ARENA_NEW(a, Node *, n->args);
    if (number) {
        n->arg[0] = x;
        n->arg[1] = low;
        n->arg[2] = high;
        return n;
    }
    n->arg[0] = pair(a, NODE_BINARY, OP_LT, x, low);
    n->arg[1] = low;
    n->arg[2] = pair(a, NODE_BINARY, OP_GT, x, high);
    n->arg[3] = high;
    n->arg[4] = x;
    return n;
}

static bool bind(void *self, Shape *s)
{
    Clip *c = self;
    size_t field = shape_need(s, &c->rewrite.name);
    if (field == SIZE_MAX)
        return false;
    ColumnType type = s->field[field].type;
    if (type == COLUMN_BOOL || type == COLUMN_TEXT)
        return place_error(s->err, s->line, c->rewrite.name.column,
                           "%.80s is %s, clip wants a number or a time%s", c->rewrite.name.name,
                           column_type_name(type), type == COLUMN_TEXT ? ": cast it first" : "");
    if (c->low.kind == TOKEN_NUMBER && c->high.kind == TOKEN_NUMBER && c->low.real > c->high.real)
        return place_error(s->err, s->line, c->low.column, "the low bound is above the high one");
    for (const Token *t = &c->low; type == COLUMN_DATE && t; t = t == &c->low ? &c->high : NULL)
        if (!bound(t, type, s->arena))
            return place_error(s->err, s->line, t->column, "expected a date, found '%.60s'",
                               t->text);
    return rewrite_bind(&c->rewrite, clip_tree(c, type, s->arena), s);
}

static bool apply(const void *self, Frame *f, Error *err)
{
    const Clip *c = self;
    return rewrite_apply(&c->rewrite, f, err);
}

const Rule clip_rule = {
    .kind = {"clip", "clip COLUMN LOW HIGH", "moves values outside the range to its nearer end",
             "clip MILES 0 60"},
    .size = sizeof(Clip),
    .parse = parse,
    .bind = bind,
    .apply = apply,
    .onnx = rewrite_onnx,
};
