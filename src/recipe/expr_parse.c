/* expr_parse.c -- an expression as text becomes a tree; columns and types are not looked at.
 *
 *     or:    and  { OR and }
 *     and:   not  { AND not }
 *     not:   [NOT] test
 *     test:  sum  [ = == != <> < <= > >= sum | [NOT] BETWEEN sum AND sum | [NOT] IN ( or, ... )
 *                 | [NOT] LIKE sum | IS [NOT] NULL ]
 *     sum:   product  { + - || product }
 *     product: sign  { * / % sign }
 *     sign:  - sign | + sign | value
 *     value: number | text | TRUE | FALSE | NULL | column | function ( or, ... ) | ( or )
 *          | CASE [or] WHEN or THEN or ... [ELSE or] END | CAST ( or AS type ) */
#include "recipe_int.h"

#include <string.h>
#include <strings.h>

#define DEPTH_MOST 200u

static Node *parse_or(Parser *p);

static Node *node_new(Arena *a, NodeKind kind, uint32_t column, size_t args)
{
    Node *n = ARENA_NEW(a, Node, 1);
    n->kind = kind;
    n->column = column;
    n->args = args;
    if (args > 0)
        n->arg = ARENA_NEW(a, Node *, args);
    return n;
}

static Node *node_with(Parser *p, NodeKind kind, uint32_t column, Node *a, Node *b)
{
    if (p->failed || !a)
        return NULL;
    Node *n = node_new(p->arena, kind, column, b ? 2 : 1);
    n->arg[0] = a;
    if (b)
        n->arg[1] = b;
    return n;
}

Node *node_column(Arena *a, const char *name, uint32_t column)
{
    Node *n = node_new(a, NODE_COLUMN, column, 0);
    n->name = name;
    return n;
}

Node *node_call(Arena *a, const char *function, Node *argument)
{
    Node *n = node_new(a, NODE_CALL, argument->column, 1);
    n->name = function;
    n->arg[0] = argument;
    return n;
}

Node *node_constant(Arena *a, const Token *value)
{
    Node *n = node_new(a, NODE_CONSTANT, value->column, 0);
    switch (value->kind) {
    case TOKEN_NUMBER:
        n->type = value->whole ? COLUMN_INT : COLUMN_REAL;
        if (value->whole)
            n->integer = value->integer;
        else
            n->real = value->real;
        break;
    case TOKEN_STRING:
        n->type = COLUMN_TEXT;
        n->text = (Span){value->text, value->size};
        break;
    case TOKEN_NAME:
        n->type = COLUMN_BOOL;
        n->integer = strcasecmp(value->text, "true") == 0;
        break;
    default:
        n->missing = n->open = true;
        n->text = (Span){"", 0};
    }
    return n;
}

/* Things between commas up to the closing parenthesis; `first`, if any, goes in front. */
static Node *parse_list(Parser *p, NodeKind kind, uint32_t column, Node *first)
{
    VEC(Node *) list = {0};
    if (first)
        vec_add(&list, first);
    if (!parser_is(p, ")") || first) {
        do {
            Node *item = parse_or(p);
            vec_add(&list, item);
        } while (!p->failed && parser_take(p, ","));
    }
    Node *n = NULL;
    if (parser_need(p, ")")) {
        n = node_new(p->arena, kind, column, list.count);
        if (list.count > 0)
            memcpy(n->arg, list.at, list.count * sizeof *list.at);
    }
    vec_release(&list);
    return n;
}

static Node *parse_case(Parser *p, uint32_t column)
{
    VEC(Node *) list = {0};
    Node *subject = parser_is(p, "when") ? NULL : parse_or(p);
    if (!p->failed && !parser_is(p, "when"))
        parser_expected(p, "'when'");
    while (parser_take(p, "when")) {
        uint32_t at = p->now.column;
        Node *when = parse_or(p);
        if (subject && when) {
            when = node_with(p, NODE_BINARY, at, subject, when);
            if (when)
                when->op = OP_EQ;
        }
        parser_need(p, "then");
        Node *then = p->failed ? NULL : parse_or(p);
        vec_add(&list, when);
        vec_add(&list, then);
    }
    Node *otherwise = parser_take(p, "else") ? parse_or(p) : NULL;
    if (!otherwise)
        otherwise = node_constant(p->arena, &(Token){.kind = TOKEN_END, .column = column});
    vec_add(&list, otherwise);
    Node *n = NULL;
    if (parser_need(p, "end")) {
        n = node_new(p->arena, NODE_CASE, column, list.count);
        memcpy(n->arg, list.at, list.count * sizeof *list.at);
    }
    vec_release(&list);
    return n;
}

static Node *parse_cast(Parser *p, uint32_t column)
{
    Node *from = parse_or(p);
    ColumnType type = COLUMN_REAL;
    if (!parser_need(p, "as"))
        return NULL;
    if (p->now.kind != TOKEN_NAME || !column_type_parse(p->now.text, &type)) {
        parser_expected(p, "a type (bool, int64, float64, timestamp, date or text)");
        return NULL;
    }
    parser_next(p);
    if (!parser_need(p, ")"))
        return NULL;
    Node *n = node_with(p, NODE_CAST, column, from, NULL);
    if (n)
        n->type = type;
    return n;
}

static Node *parse_word(Parser *p)
{
    Token t = p->now;
    bool constant = parser_is(p, "true") || parser_is(p, "false") || parser_is(p, "null");
    if (!constant && t.kind == TOKEN_NAME && !name_is_plain(t.text) && !parser_is(p, "case")) {
        parser_expected(p, "a value");
        return NULL;
    }
    bool is_case = parser_is(p, "case");
    parser_next(p);
    if (constant) {
        if (strcasecmp(t.text, "null") == 0)
            t.kind = TOKEN_END;
        return node_constant(p->arena, &t);
    }
    if (is_case)
        return parse_case(p, t.column);
    if (t.kind == TOKEN_NAME && parser_take(p, "(")) {
        if (strcasecmp(t.text, "cast") == 0)
            return parse_cast(p, t.column);
        Node *call = parse_list(p, NODE_CALL, t.column, NULL);
        if (call)
            call->name = t.text;
        return call;
    }
    return node_column(p->arena, t.text, t.column);
}

static Node *parse_value(Parser *p)
{
    Token t = p->now;
    switch (p->failed ? TOKEN_END : t.kind) {
    case TOKEN_NUMBER:
    case TOKEN_STRING:
        parser_next(p);
        return node_constant(p->arena, &t);
    case TOKEN_NAME:
    case TOKEN_QUOTED:
        return parse_word(p);
    case TOKEN_SIGN:
        if (parser_take(p, "(")) {
            Node *inside = parse_or(p);
            return parser_need(p, ")") ? inside : NULL;
        }
        break;
    case TOKEN_END:
        break;
    }
    parser_expected(p, "a value");
    return NULL;
}

static Node *parse_sign(Parser *p)
{
    uint32_t column = p->now.column;
    if (p->depth >= DEPTH_MOST) {
        parser_fail(p, column, "nested too deeply (more than %u levels)", DEPTH_MOST);
        return NULL;
    }
    p->depth++;
    Node *n = NULL;
    if (parser_take(p, "-"))
        n = node_with(p, NODE_NEGATE, column, parse_sign(p), NULL);
    else if (parser_take(p, "+"))
        n = parse_sign(p);
    else
        n = parse_value(p);
    p->depth--;
    return p->failed ? NULL : n;
}

static Node *parse_binary(Parser *p, const char *const *words, const Op *ops,
                          Node *(*below)(Parser *))
{
    Node *left = below(p);
    while (!p->failed) {
        uint32_t column = p->now.column;
        size_t i = 0;
        while (words[i] && !parser_is(p, words[i]))
            i++;
        if (!words[i])
            break;
        parser_next(p);
        bool concat = ops[i] == OP_COUNT;
        left = node_with(p, concat ? NODE_CONCAT : NODE_BINARY, column, left, below(p));
        if (left)
            left->op = ops[i];
    }
    return p->failed ? NULL : left;
}

static Node *parse_product(Parser *p)
{
    static const char *const words[] = {"*", "/", "%", NULL};
    static const Op ops[] = {OP_MUL, OP_DIV, OP_MOD};
    return parse_binary(p, words, ops, parse_sign);
}

static Node *parse_sum(Parser *p)
{
    static const char *const words[] = {"+", "-", "||", NULL};
    static const Op ops[] = {OP_ADD, OP_SUB, OP_COUNT};
    return parse_binary(p, words, ops, parse_product);
}

static Node *parse_is_null(Parser *p, uint32_t column, Node *left)
{
    bool not = parser_take(p, "not");
    if (!parser_take(p, "missing") && !parser_need(p, "null"))
        return NULL;
    Node *n = node_with(p, NODE_IS_NULL, column, left, NULL);
    return not ? node_with(p, NODE_NOT, column, n, NULL) : n;
}

static Node *parse_between(Parser *p, uint32_t column, Node *left)
{
    Node *low = parse_sum(p);
    if (!parser_need(p, "and"))
        return NULL;
    Node *high = parse_sum(p);
    if (p->failed)
        return NULL;
    Node *n = node_new(p->arena, NODE_BETWEEN, column, 3);
    n->arg[0] = left;
    n->arg[1] = low;
    n->arg[2] = high;
    return n;
}

static Node *parse_test(Parser *p)
{
    static const char *const words[] = {"=", "==", "!=", "<>", "<", "<=", ">", ">=", NULL};
    static const Op ops[] = {OP_EQ, OP_EQ, OP_NE, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE};
    Node *left = parse_sum(p);
    uint32_t column = p->now.column;
    if (p->failed || !left)
        return NULL;
    if (parser_take(p, "is"))
        return parse_is_null(p, column, left);
    for (size_t i = 0; words[i]; i++)
        if (parser_take(p, words[i])) {
            Node *n = node_with(p, NODE_BINARY, column, left, parse_sum(p));
            if (n)
                n->op = ops[i];
            return n;
        }
    bool not = parser_take(p, "not");
    Node *n = left;
    if (parser_take(p, "between"))
        n = parse_between(p, column, left);
    else if (parser_take(p, "in"))
        n = parser_need(p, "(") ? parse_list(p, NODE_IN, column, left) : NULL;
    else if (parser_take(p, "like"))
        n = node_with(p, NODE_LIKE, column, left, parse_sum(p));
    else if (not )
        parser_expected(p, "'between', 'in' or 'like' after 'not'");
    return not ? node_with(p, NODE_NOT, column, n, NULL) : n;
}

static Node *parse_not(Parser *p)
{
    uint32_t column = p->now.column;
    if (p->depth >= DEPTH_MOST) {
        parser_fail(p, column, "nested too deeply (more than %u levels)", DEPTH_MOST);
        return NULL;
    }
    if (!parser_take(p, "not"))
        return parse_test(p);
    p->depth++;
    Node *n = node_with(p, NODE_NOT, column, parse_not(p), NULL);
    p->depth--;
    return n;
}

static Node *parse_and(Parser *p)
{
    Node *left = parse_not(p);
    while (!p->failed && parser_is(p, "and")) {
        uint32_t column = p->now.column;
        parser_next(p);
        left = node_with(p, NODE_AND, column, left, parse_not(p));
    }
    return p->failed ? NULL : left;
}

static Node *parse_or(Parser *p)
{
    Node *left = parse_and(p);
    while (!p->failed && parser_is(p, "or")) {
        uint32_t column = p->now.column;
        parser_next(p);
        left = node_with(p, NODE_OR, column, left, parse_and(p));
    }
    return p->failed ? NULL : left;
}

Node *expr_parse_tree(Parser *p)
{
    return parse_or(p);
}
