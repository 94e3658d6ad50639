/* expr_types.c -- which types meet in which, and what to say when they do not. */
#include "check_int.h"

static bool type_is_number(ColumnType t)
{
    return t == COLUMN_INT || t == COLUMN_REAL;
}

bool type_is_moment(ColumnType t)
{
    return t == COLUMN_TIME || t == COLUMN_DATE;
}

const char *type_phrase(ColumnType t)
{
    return t == COLUMN_BOOL    ? "true or false"
           : type_is_number(t) ? "a number"
           : t == COLUMN_DATE  ? "a date"
           : t == COLUMN_TIME  ? "a timestamp"
                               : "text";
}

const char *node_phrase(const Node *n, Arena *a)
{
    return arena_printf(a, "%s is %s", n->kind == NODE_COLUMN ? n->name : "this",
                        type_phrase(n->type));
}

Node *node_made(const Node *like, NodeKind kind, ColumnType type, size_t args, Shape *s)
{
    Node *n = ARENA_NEW(s->arena, Node, 1);
    n->kind = kind;
    n->type = type;
    n->column = like->column;
    n->args = args;
    if (args > 0)
        n->arg = ARENA_NEW(s->arena, Node *, args);
    return n;
}

Node *node_folded(Node *n, Shape *s)
{
    if (n && n->args > 0) {
        for (size_t i = 0; i < n->args; i++)
            if (n->arg[i]->kind != NODE_CONSTANT)
                return n;
        node_fold(n, s->arena);
    }
    return n;
}

Node *node_cast(Arena *a, Node *from, ColumnType to)
{
    if (from->type == to && !from->open)
        return from;
    if (from->open) {
        Node *n = ARENA_NEW(a, Node, 1);
        *n = *from;
        n->type = to;
        n->open = false;
        n->text = (Span){"", 0};
        return n;
    }
    Kernel *kernel = kernel_cast(from->type, to);
    if (!kernel)
        return NULL;
    Node *n = ARENA_NEW(a, Node, 1);
    *n = (Node){.kind = NODE_APPLY,
                .type = to,
                .column = from->column,
                .args = 1,
                .arg = ARENA_NEW(a, Node *, 1),
                .kernel = kernel};
    n->arg[0] = from;
    if (from->kind == NODE_CONSTANT)
        node_fold(n, a);
    return n;
}

Node *node_coerce(Node *n, ColumnType to, Shape *s)
{
    if (n->open || n->type == to || (n->type == COLUMN_INT && to == COLUMN_REAL) ||
        (n->type == COLUMN_DATE && to == COLUMN_TIME))
        return node_cast(s->arena, n, to);
    if (n->type == COLUMN_TEXT && n->kind == NODE_CONSTANT) {
        Node *literal = n->missing ? NULL : node_cast(s->arena, n, to);
        if (literal && !literal->missing)
            return literal;
        return fail_at(s, n, "expected %s, found \"%.60s\"", type_phrase(to), n->text.at);
    }
    if (n->type == COLUMN_TEXT)
        return fail_at(s, n, "%s, expected %s: cast it first, cast(... as %s)",
                       node_phrase(n, s->arena), type_phrase(to), column_type_name(to));
    return fail_at(s, n, "%s, expected %s", node_phrase(n, s->arena), type_phrase(to));
}

bool node_meet(const Node *a, const Node *b, ColumnType *out, Shape *s)
{
    if (a->open || b->open) {
        *out = a->open ? b->type : a->type;
        return true;
    }
    if (a->type == b->type) {
        *out = a->type;
        return true;
    }
    if (type_is_number(a->type) && type_is_number(b->type)) {
        *out = COLUMN_REAL;
        return true;
    }
    bool a_text = a->type == COLUMN_TEXT && a->kind == NODE_CONSTANT;
    bool b_text = b->type == COLUMN_TEXT && b->kind == NODE_CONSTANT;
    if ((type_is_moment(a->type) || a_text) && (type_is_moment(b->type) || b_text)) {
        *out = COLUMN_TIME;
        return true;
    }
    if (a_text || b_text) {
        const Node *literal = a_text ? a : b;
        *out = a_text ? b->type : a->type;
        int64_t whole;
        if (*out == COLUMN_INT && !text_to_int(literal->text.at, literal->text.size, &whole))
            *out = COLUMN_REAL;
        return true;
    }
    const Node *text = a->type == COLUMN_TEXT ? a : b->type == COLUMN_TEXT ? b : NULL;
    const Node *other = text == a ? b : a;
    if (text && other->kind == NODE_CONSTANT)
        return place_error(s->err, s->line, other->column,
                           "%s: write the value in quotes, or cast(... as %s)",
                           node_phrase(text, s->arena), column_type_name(other->type));
    return place_error(s->err, s->line, b->column, "%s cannot be compared or combined with %s",
                       type_phrase(a->type), type_phrase(b->type));
}

bool node_unify(Node **arg, size_t args, ColumnType *type, Shape *s)
{
    Node *so_far = NULL;
    for (size_t i = 0; i < args; i++) {
        if (!so_far || so_far->open) {
            so_far = arg[i];
            continue;
        }
        ColumnType both = COLUMN_REAL;
        if (!node_meet(so_far, arg[i], &both, s))
            return false;
        if (both != so_far->type) { /* stands for what was seen: a column of that type */
            Node *next = node_made(arg[i], NODE_COLUMN, both, 0, s);
            next->name = "this";
            so_far = next;
        }
    }
    *type = so_far->open ? COLUMN_REAL : so_far->type;
    for (size_t i = 0; i < args; i++)
        if (!(arg[i] = node_coerce(arg[i], *type, s)))
            return false;
    return true;
}
