/* replace.c -- replaces whole values: replace PAYMENT "1" "Credit", "2" "Cash".
 *
 * It is the expression case when PAYMENT = "1" then "Credit" ... else PAYMENT end. A column of
 * numbers that gets a text becomes text. */
#include "rewrite.h"

#include <string.h>

typedef struct Replace {
    Rewrite rewrite;
    size_t pairs;
    Token *value; /* [2 * pairs] old, new */
} Replace;

static bool parse(Parser *p, void *self)
{
    Replace *r = self;
    VEC(Token) list = {0};
    bool ok = parser_name(p, &r->rewrite.name);
    while (ok) {
        Token old, new;
        ok = parser_value(p, &old) && (parser_take(p, "to"), parser_value(p, &new));
        if (!ok)
            break;
        vec_add(&list, old);
        vec_add(&list, new);
        if (!parser_take(p, ","))
            break;
    }
    ok = ok && !p->failed;
    if (ok) {
        r->pairs = list.count / 2;
        r->value = ARENA_NEW(p->arena, Token, list.count);
        memcpy(r->value, list.at, list.count * sizeof *list.at);
    }
    vec_release(&list);
    return ok;
}

static Node *node_of(NodeKind kind, ColumnType type, Node *a, Node *b, Shape *s)
{
    Node *n = ARENA_NEW(s->arena, Node, 1);
    *n = (Node){.kind = kind,
                .type = type,
                .op = OP_EQ,
                .column = (b ? b : a)->column,
                .args = b ? 2 : 1,
                .arg = ARENA_NEW(s->arena, Node *, 2)};
    n->arg[0] = a;
    n->arg[1] = b;
    return n;
}

static bool becomes_text(const Replace *r, ColumnType type)
{
    bool text = type == COLUMN_TEXT;
    for (size_t i = 0; i < r->pairs && !text; i++)
        text = r->value[2 * i + 1].kind == TOKEN_STRING &&
               (type == COLUMN_INT || type == COLUMN_REAL || type == COLUMN_BOOL);
    return text;
}

/* A value as text, as it was typed: replace ZIP 20001 "x" on a column of text. */
static Node *literal(const Token *t, bool text, Shape *s)
{
    Token value = *t;
    if (text && value.kind != TOKEN_END)
        value.kind = TOKEN_STRING;
    return node_constant(s->arena, &value);
}

static bool bind(void *self, Shape *s)
{
    Replace *r = self;
    size_t field = shape_need(s, &r->rewrite.name);
    if (field == SIZE_MAX)
        return false;
    ColumnType type = s->field[field].type;
    bool text = becomes_text(r, type);
    Node *x = node_column(s->arena, r->rewrite.name.name, r->rewrite.name.column);
    Node *n = node_of(NODE_CASE, COLUMN_TEXT, x, NULL, s);
    n->args = 2 * r->pairs + 1;
    n->arg = ARENA_NEW(s->arena, Node *, n->args);
    for (size_t i = 0; i < r->pairs; i++) {
        const Token *old = &r->value[2 * i], *new = &r->value[2 * i + 1];
        n->arg[2 * i] = old->kind == TOKEN_END ? node_of(NODE_IS_NULL, COLUMN_BOOL, x, NULL, s)
                                               : node_of(NODE_BINARY, COLUMN_BOOL, x,
                                                         literal(old, type == COLUMN_TEXT, s), s);
        n->arg[2 * i + 1] = literal(new, text, s);
    }
    n->arg[n->args - 1] = text ? node_of(NODE_CAST, COLUMN_TEXT, x, NULL, s) : x;
    return rewrite_bind(&r->rewrite, n, s);
}

static bool apply(const void *self, Frame *f, Error *err)
{
    const Replace *r = self;
    return rewrite_apply(&r->rewrite, f, err);
}

const Rule replace_rule = {
    .kind = {"replace", "replace COLUMN OLD NEW [, OLD NEW ...]",
             "replaces whole values; OLD and NEW may be null, a text makes the column text",
             "replace PAYMENT \"1\" \"Credit\", \"2\" \"Cash\""},
    .size = sizeof(Replace),
    .parse = parse,
    .bind = bind,
    .apply = apply,
    .onnx = rewrite_onnx,
};
