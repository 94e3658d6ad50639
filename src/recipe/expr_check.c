/* expr_check.c -- gives every node of a tree its type and its kernel, before anything runs.
 *
 * Numbers widen from int64 to float64, dates to timestamps, where two meet. A text literal beside
 * a timestamp, date, number or bool is read as one ("2015-01-01", "1", "Y"); a text column is not:
 * that needs a cast, and the error says so. What is constant is computed here, once. */
#include "recipe_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static Node *check(Node *n, Shape *s);

#define fail_at(s, n, ...) (place_error((s)->err, (s)->line, (n)->column, __VA_ARGS__), NULL)

static bool is_number(ColumnType t)
{
    return t == COLUMN_INT || t == COLUMN_REAL;
}

static bool is_moment(ColumnType t)
{
    return t == COLUMN_TIME || t == COLUMN_DATE;
}

static const char *type_phrase(ColumnType t)
{
    return t == COLUMN_BOOL   ? "true or false"
           : is_number(t)     ? "a number"
           : t == COLUMN_DATE ? "a date"
           : t == COLUMN_TIME ? "a timestamp"
                              : "text";
}

/* "FARE (text)", "this (text)" */
static const char *node_phrase(const Node *n, Arena *a)
{
    return arena_printf(a, "%s is %s", n->kind == NODE_COLUMN ? n->name : "this",
                        type_phrase(n->type));
}

static Node *made(const Node *like, NodeKind kind, ColumnType type, size_t args, Shape *s)
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

static Node *folded(Node *n, Shape *s)
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

/* n as a value of type `to`, where that needs no guessing; else the error. */
static Node *coerce(Node *n, ColumnType to, Shape *s)
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

/* The type in which two values meet; false with the error when there is none. */
static bool meet(const Node *a, const Node *b, ColumnType *out, Shape *s)
{
    if (a->open || b->open) {
        *out = a->open ? b->type : a->type;
        return true;
    }
    if (a->type == b->type) {
        *out = a->type;
        return true;
    }
    if (is_number(a->type) && is_number(b->type)) {
        *out = COLUMN_REAL;
        return true;
    }
    bool a_text = a->type == COLUMN_TEXT && a->kind == NODE_CONSTANT;
    bool b_text = b->type == COLUMN_TEXT && b->kind == NODE_CONSTANT;
    if ((is_moment(a->type) || a_text) && (is_moment(b->type) || b_text)) {
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

static Node *check_column(Node *n, Shape *s)
{
    NameAt name = {n->name, n->column, SIZE_MAX};
    n->field = shape_need(s, &name);
    if (n->field == SIZE_MAX)
        return NULL;
    n->type = s->field[n->field].type;
    shape_read(s, n->field);
    return n;
}

static Node *compared(const Node *at, Op op, Node *a, Node *b, Shape *s)
{
    ColumnType type = COLUMN_REAL;
    if (!a || !b || !meet(a, b, &type, s))
        return NULL;
    a = coerce(a, type, s);
    b = a ? coerce(b, type, s) : NULL;
    if (!b)
        return NULL;
    Node *n = made(at, NODE_APPLY, COLUMN_BOOL, 2, s);
    n->kernel = kernel_compare(op, a->type);
    n->arg[0] = a;
    n->arg[1] = b;
    return folded(n, s);
}

static Node *check_binary(Node *n, Shape *s)
{
    Node *a = check(n->arg[0], s), *b = a ? check(n->arg[1], s) : NULL;
    if (!b)
        return NULL;
    if (n->op >= OP_EQ)
        return compared(n, n->op, a, b, s);
    if (is_moment(a->type) || is_moment(b->type))
        return fail_at(s, n,
                       "times are not added or subtracted: use seconds_between(from, to) or "
                       "date_diff(from, to)");
    bool whole =
        n->op != OP_DIV && a->type == COLUMN_INT && b->type == COLUMN_INT && !a->open && !b->open;
    ColumnType type = whole ? COLUMN_INT : COLUMN_REAL;
    a = coerce(a, type, s);
    b = a ? coerce(b, type, s) : NULL;
    if (!b)
        return NULL;
    Node *out = made(n, NODE_APPLY, type, 2, s);
    out->kernel = kernel_arithmetic(n->op, type);
    out->arg[0] = a;
    out->arg[1] = b;
    return folded(out, s);
}

static Node *check_negate(Node *n, Shape *s)
{
    Node *a = check(n->arg[0], s);
    if (!a)
        return NULL;
    ColumnType type = a->type == COLUMN_INT && !a->open ? COLUMN_INT : COLUMN_REAL;
    a = coerce(a, type, s);
    if (!a)
        return NULL;
    Node *out = made(n, NODE_APPLY, type, 1, s);
    out->kernel = kernel_negate(type);
    out->arg[0] = a;
    return folded(out, s);
}

/* AND, OR, NOT and IS NULL over checked arguments. */
static Node *logic(const Node *at, NodeKind kind, Node *a, Node *b, Shape *s)
{
    if (kind != NODE_IS_NULL) {
        a = a ? coerce(a, COLUMN_BOOL, s) : NULL;
        if (kind != NODE_NOT)
            b = a && b ? coerce(b, COLUMN_BOOL, s) : NULL;
    } else if (a && a->open) {
        a = node_cast(s->arena, a, COLUMN_BOOL);
    }
    bool two = kind == NODE_AND || kind == NODE_OR;
    if (!a || (two && !b))
        return NULL;
    Node *n = made(at, kind, COLUMN_BOOL, two ? 2 : 1, s);
    n->arg[0] = a;
    if (two)
        n->arg[1] = b;
    return folded(n, s);
}

static Node *check_logic(Node *n, Shape *s)
{
    Node *a = check(n->arg[0], s);
    Node *b = a && n->args > 1 ? check(n->arg[1], s) : NULL;
    return a && (n->args == 1 || b) ? logic(n, n->kind, a, b, s) : NULL;
}

static Node *check_between(Node *n, Shape *s)
{
    Node *x = check(n->arg[0], s);
    Node *low = x ? check(n->arg[1], s) : NULL;
    Node *high = low ? check(n->arg[2], s) : NULL;
    if (!high)
        return NULL;
    Node *a = compared(n, OP_GE, x, low, s);
    Node *b = a ? compared(n, OP_LE, x, high, s) : NULL;
    return b ? logic(n, NODE_AND, a, b, s) : NULL;
}

/* x in (a, b, null): one kernel over constants; otherwise a chain of = and OR. */
static Node *check_in(Node *n, Shape *s)
{
    Node *x = check(n->arg[0], s);
    if (!x)
        return NULL;
    VEC(Node *) item = {0};
    ColumnType type = x->type;
    bool ok = true, constant = true, null_item = false;
    for (size_t i = 1; ok && i < n->args; i++) {
        Node *it = check(n->arg[i], s);
        ok = it != NULL;
        if (ok && it->kind == NODE_CONSTANT && it->missing) {
            null_item = true;
            continue;
        }
        constant = constant && ok && it->kind == NODE_CONSTANT;
        ColumnType both = type;
        ok = ok && meet(x, it, &both, s);
        if (both != x->type)
            type = both;
        vec_add(&item, it);
    }
    Node *out = NULL;
    if (ok && constant) {
        out = made(n, NODE_IN, COLUMN_BOOL, item.count + 1, s);
        out->null_item = null_item;
        out->arg[0] = coerce(x, x->open ? COLUMN_BOOL : type, s);
        ok = out->arg[0] != NULL;
        for (size_t i = 0; ok && i < item.count; i++)
            ok = (out->arg[i + 1] = coerce(item.at[i], out->arg[0]->type, s)) != NULL;
        out->kernel = ok ? kernel_in(out->arg[0]->type) : NULL;
        out = ok ? folded(out, s) : NULL;
    } else if (ok) {
        for (size_t i = 0; ok && i < item.count; i++) {
            Node *equal = compared(n, OP_EQ, x, item.at[i], s);
            out = !equal ? NULL : out ? logic(n, NODE_OR, out, equal, s) : equal;
            ok = out != NULL;
        }
        if (ok && null_item) {
            Node *null = node_constant(s->arena, &(Token){.kind = TOKEN_END, .column = n->column});
            out = logic(n, NODE_OR, out, null, s);
        }
    }
    vec_release(&item);
    return out;
}

static Node *check_like(Node *n, Shape *s)
{
    Node *a = check(n->arg[0], s), *b = a ? check(n->arg[1], s) : NULL;
    a = b ? coerce(a, COLUMN_TEXT, s) : NULL;
    b = a ? coerce(b, COLUMN_TEXT, s) : NULL;
    if (!b)
        return NULL;
    Node *out = made(n, NODE_APPLY, COLUMN_BOOL, 2, s);
    out->kernel = kernel_like;
    out->arg[0] = a;
    out->arg[1] = b;
    return folded(out, s);
}

static Node *check_cast(Node *n, Shape *s)
{
    Node *a = check(n->arg[0], s);
    if (!a)
        return NULL;
    Node *out = node_cast(s->arena, a, n->type);
    if (!out)
        return fail_at(s, n, "%s and cannot become %s", node_phrase(a, s->arena),
                       type_phrase(n->type));
    return out;
}

/* All of args[first], args[first+step] ... to one type. */
static bool unify(Node **arg, size_t args, size_t first, size_t step, ColumnType *type, Shape *s)
{
    Node *so_far = NULL;
    for (size_t i = first; i < args; i += step) {
        if (!so_far || so_far->open) {
            so_far = arg[i];
            continue;
        }
        ColumnType both = COLUMN_REAL;
        if (!meet(so_far, arg[i], &both, s))
            return false;
        if (both != so_far->type) { /* stands for what was seen: a column of that type */
            Node *next = made(arg[i], NODE_COLUMN, both, 0, s);
            next->name = "this";
            so_far = next;
        }
    }
    *type = so_far->open ? COLUMN_REAL : so_far->type;
    for (size_t i = first; i < args; i += step)
        if (!(arg[i] = coerce(arg[i], *type, s)))
            return false;
    return true;
}

static Node *check_case(Node *n, Shape *s)
{
    Node *out = made(n, NODE_CASE, COLUMN_REAL, n->args, s);
    for (size_t i = 0; i < n->args; i++) {
        Node *a = check(n->arg[i], s);
        if (a && i % 2 == 0 && i + 1 < n->args)
            a = coerce(a, COLUMN_BOOL, s);
        if (!(out->arg[i] = a))
            return NULL;
    }
    /* the results: every odd argument, and the last */
    VEC(Node *) result = {0};
    for (size_t i = 1; i < n->args; i += 2)
        vec_add(&result, out->arg[i]);
    vec_add(&result, out->arg[n->args - 1]);
    bool ok = unify(result.at, result.count, 0, 1, &out->type, s);
    for (size_t i = 0; ok && i + 1 < result.count; i++)
        out->arg[2 * i + 1] = result.at[i];
    if (ok)
        out->arg[n->args - 1] = result.at[result.count - 1];
    vec_release(&result);
    return ok ? folded(out, s) : NULL;
}

static Node *check_coalesce(Node *n, Shape *s)
{
    Node *out = made(n, NODE_COALESCE, COLUMN_REAL, n->args, s);
    for (size_t i = 0; i < n->args; i++)
        if (!(out->arg[i] = check(n->arg[i], s)))
            return NULL;
    return unify(out->arg, out->args, 0, 1, &out->type, s) ? folded(out, s) : NULL;
}

static char letter_of(const Function *f, size_t i)
{
    size_t letters = strcspn(f->takes, "?*");
    return f->takes[i < letters ? i : letters - 1];
}

static Node *check_argument(const Function *f, size_t i, ColumnType number, Node *a, Shape *s)
{
    ColumnType want;
    switch (letter_of(f, i)) {
    case 'T':
        want = COLUMN_TEXT;
        break;
    case 'M':
        want = COLUMN_TIME;
        break;
    case 'N':
        want = number;
        break;
    case 'S':
        return node_cast(s->arena, a, COLUMN_TEXT);
    default:
        want = COLUMN_REAL;
        break;
    }
    bool fits = a->open || a->type == want || (want == COLUMN_REAL && a->type == COLUMN_INT) ||
                (want == COLUMN_TIME && a->type == COLUMN_DATE) || a->kind == NODE_CONSTANT;
    if (!fits)
        return fail_at(s, a, "%s takes %s here, %s%s", f->kind.name, type_phrase(want),
                       node_phrase(a, s->arena),
                       a->type == COLUMN_TEXT
                           ? arena_printf(s->arena, ": cast(... as %s)", column_type_name(want))
                           : "");
    return coerce(a, want, s);
}

static Node *check_call(Node *n, Shape *s)
{
    const Function *f = function_find(n->name);
    if (!f) {
        const Function *near = function_nearest(n->name);
        return fail_at(s, n, "no function %.60s%s%s%s", n->name, near ? ", did you mean " : "",
                       near ? near->kind.name : "", near ? "?" : "");
    }
    if (n->args < function_least(f) || n->args > function_most(f))
        return fail_at(s, n, "%s has %zu argument%s here: write %s", f->kind.name, n->args,
                       n->args == 1 ? "" : "s", f->kind.usage);
    if (f->expand)
        return check(f->expand(s->arena, n), s);
    Node *out = made(n, NODE_APPLY, COLUMN_REAL, n->args, s);
    bool whole = true;
    for (size_t i = 0; i < n->args; i++) {
        if (!(out->arg[i] = check(n->arg[i], s)))
            return NULL;
        if (letter_of(f, i) == 'N' && (out->arg[i]->type != COLUMN_INT || out->arg[i]->open))
            whole = false;
    }
    ColumnType number = whole ? COLUMN_INT : COLUMN_REAL;
    for (size_t i = 0; i < n->args; i++)
        if (!(out->arg[i] = check_argument(f, i, number, out->arg[i], s)))
            return NULL;
    out->type = f->gives == 'T'   ? COLUMN_TEXT
                : f->gives == 'I' ? COLUMN_INT
                : f->gives == 'B' ? COLUMN_BOOL
                : f->gives == 'D' ? COLUMN_DATE
                : f->gives == 'N' ? number
                                  : COLUMN_REAL;
    out->kernel = f->gives == 'N' && whole ? f->whole : f->kernel;
    return folded(out, s);
}

static Node *check_concat(Node *n, Shape *s)
{
    n->kind = NODE_CALL;
    n->name = "concat";
    return check_call(n, s);
}

static Node *check_new(Node *n, Shape *s)
{
    switch (n->kind) {
    case NODE_CONSTANT:
        return n;
    case NODE_COLUMN:
        return check_column(n, s);
    case NODE_BINARY:
        return check_binary(n, s);
    case NODE_NEGATE:
        return check_negate(n, s);
    case NODE_AND:
    case NODE_OR:
    case NODE_NOT:
    case NODE_IS_NULL:
        return check_logic(n, s);
    case NODE_BETWEEN:
        return check_between(n, s);
    case NODE_IN:
        return check_in(n, s);
    case NODE_LIKE:
        return check_like(n, s);
    case NODE_CONCAT:
        return check_concat(n, s);
    case NODE_CAST:
        return check_cast(n, s);
    case NODE_CASE:
        return check_case(n, s);
    case NODE_COALESCE:
        return check_coalesce(n, s);
    case NODE_CALL:
        return check_call(n, s);
    case NODE_APPLY:
    case NODE_EVAL_END:
        break;
    }
    return n;
}

static Node *check(Node *n, Shape *s)
{
    if (!n->checked)
        n->checked = check_new(n, s);
    return n->checked;
}

static void number_nodes(Node *n, Expr *e, size_t *room, Arena *a)
{
    if (n->numbered)
        return;
    for (size_t i = 0; i < n->args; i++)
        number_nodes(n->arg[i], e, room, a);
    n->numbered = true;
    n->slot = e->nodes;
    if (e->nodes == *room) {
        size_t wider = *room ? *room * 2 : 8;
        Node **next = ARENA_NEW(a, Node *, wider);
        if (e->nodes > 0)
            memcpy(next, e->node, e->nodes * sizeof *next);
        e->node = next;
        *room = wider;
    }
    e->node[e->nodes++] = n;
}

Expr *expr_bind(Node *tree, Shape *s)
{
    Node *root = tree ? check(tree, s) : NULL;
    if (!root)
        return NULL;
    if (root->open) /* a bare null */
        root = node_cast(s->arena, root, COLUMN_REAL);
    Expr *e = ARENA_NEW(s->arena, Expr, 1);
    size_t room = 0;
    e->root = root;
    number_nodes(root, e, &room, s->arena);
    return e;
}

bool expr_bind_bool(Node *tree, Shape *s, const char *who, Expr **out)
{
    Expr *e = expr_bind(tree, s);
    if (!e)
        return false;
    if (e->root->type != COLUMN_BOOL)
        return place_error(s->err, s->line, tree->column,
                           "%s wants a condition (true or false), %s", who,
                           node_phrase(e->root, s->arena));
    *out = e;
    return true;
}

Expr *expr_parse(const char *text, const Schema *schema, Error *err)
{
    Error local = {0};
    Arena arena = {0};
    Parser p;
    if (strlen(text) > TEXT_MOST) {
        error_set(err, ERROR_PARSE, "the expression is longer than %d bytes", TEXT_MOST);
        return NULL;
    }
    parser_begin(&p, text, 0, &arena, &local);
    Node *tree = expr_parse_tree(&p);
    Expr *bound = NULL;
    if (parser_end(&p) && tree) {
        Shape s = {.arena = &arena, .err = &local};
        for (size_t i = 0; schema && i < schema->count; i++)
            shape_add(&s, arena_text(&arena, schema->field[i].name), schema->field[i].type,
                      schema->field[i].role);
        bound = expr_bind(tree, &s);
        vec_release(&s.reads);
        vec_release(&s.writes);
    }
    Expr *e = NULL;
    if (bound) {
        e = mem_alloc(sizeof *e);
        *e = *bound;
        e->arena = arena;
    } else {
        error_set(err, local.kind, "%s", local.text);
        arena_release(&arena);
    }
    return e;
}

void expr_destroy(Expr *e)
{
    if (!e)
        return;
    arena_release(&e->arena);
    mem_free(e);
}

ColumnType expr_type(const Expr *e)
{
    return e->root->type;
}
