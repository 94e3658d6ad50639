/* expr_check.c -- gives every node of a tree its type and its kernel, before anything runs.
 *
 * Numbers widen from int64 to float64, dates to timestamps, where two meet. A text literal beside
 * a timestamp, date, number or bool is read as one ("2015-01-01", "1", "Y"); a text column is not:
 * that needs a cast, and the error says so. What is constant is computed here, once. */
#include "check_int.h"

#include <string.h>

static Node *check(Node *n, Shape *s);

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
    if (!a || !b || !node_meet(a, b, &type, s))
        return NULL;
    a = node_coerce(a, type, s);
    b = a ? node_coerce(b, type, s) : NULL;
    if (!b)
        return NULL;
    Node *n = node_made(at, NODE_APPLY, COLUMN_BOOL, 2, s);
    n->kernel = kernel_compare(op, a->type);
    n->arg[0] = a;
    n->arg[1] = b;
    return node_folded(n, s);
}

static Node *check_binary(Node *n, Shape *s)
{
    Node *a = check(n->arg[0], s), *b = a ? check(n->arg[1], s) : NULL;
    if (!b)
        return NULL;
    if (n->op >= OP_EQ)
        return compared(n, n->op, a, b, s);
    if (type_is_moment(a->type) || type_is_moment(b->type))
        return fail_at(s, n,
                       "times are not added or subtracted: use seconds_between(from, to) or "
                       "date_diff(from, to)");
    bool whole =
        n->op != OP_DIV && a->type == COLUMN_INT && b->type == COLUMN_INT && !a->open && !b->open;
    ColumnType type = whole ? COLUMN_INT : COLUMN_REAL;
    a = node_coerce(a, type, s);
    b = a ? node_coerce(b, type, s) : NULL;
    if (!b)
        return NULL;
    Node *out = node_made(n, NODE_APPLY, type, 2, s);
    out->kernel = kernel_arithmetic(n->op, type);
    out->arg[0] = a;
    out->arg[1] = b;
    return node_folded(out, s);
}

static Node *check_negate(Node *n, Shape *s)
{
    Node *a = check(n->arg[0], s);
    if (!a)
        return NULL;
    ColumnType type = a->type == COLUMN_INT && !a->open ? COLUMN_INT : COLUMN_REAL;
    a = node_coerce(a, type, s);
    if (!a)
        return NULL;
    Node *out = node_made(n, NODE_APPLY, type, 1, s);
    out->kernel = kernel_negate(type);
    out->arg[0] = a;
    return node_folded(out, s);
}

/* AND, OR, NOT and IS NULL over checked arguments. */
static Node *logic(const Node *at, NodeKind kind, Node *a, Node *b, Shape *s)
{
    if (kind != NODE_IS_NULL) {
        a = a ? node_coerce(a, COLUMN_BOOL, s) : NULL;
        if (kind != NODE_NOT)
            b = a && b ? node_coerce(b, COLUMN_BOOL, s) : NULL;
    } else if (a && a->open) {
        a = node_cast(s->arena, a, COLUMN_BOOL);
    }
    bool two = kind == NODE_AND || kind == NODE_OR;
    if (!a || (two && !b))
        return NULL;
    Node *n = node_made(at, kind, COLUMN_BOOL, two ? 2 : 1, s);
    n->arg[0] = a;
    if (two)
        n->arg[1] = b;
    return node_folded(n, s);
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
        ok = ok && node_meet(x, it, &both, s);
        if (both != x->type)
            type = both;
        vec_add(&item, it);
    }
    Node *out = NULL;
    if (ok && constant) {
        out = node_made(n, NODE_IN, COLUMN_BOOL, item.count + 1, s);
        out->null_item = null_item;
        out->arg[0] = node_coerce(x, x->open ? COLUMN_BOOL : type, s);
        ok = out->arg[0] != NULL;
        for (size_t i = 0; ok && i < item.count; i++)
            ok = (out->arg[i + 1] = node_coerce(item.at[i], out->arg[0]->type, s)) != NULL;
        out->kernel = ok ? kernel_in(out->arg[0]->type) : NULL;
        out = ok ? node_folded(out, s) : NULL;
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
    a = b ? node_coerce(a, COLUMN_TEXT, s) : NULL;
    b = a ? node_coerce(b, COLUMN_TEXT, s) : NULL;
    if (!b)
        return NULL;
    Node *out = node_made(n, NODE_APPLY, COLUMN_BOOL, 2, s);
    out->kernel = kernel_like;
    out->arg[0] = a;
    out->arg[1] = b;
    return node_folded(out, s);
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

static Node *check_case(Node *n, Shape *s)
{
    Node *out = node_made(n, NODE_CASE, COLUMN_REAL, n->args, s);
    for (size_t i = 0; i < n->args; i++) {
        Node *a = check(n->arg[i], s);
        if (a && i % 2 == 0 && i + 1 < n->args)
            a = node_coerce(a, COLUMN_BOOL, s);
        if (!(out->arg[i] = a))
            return NULL;
    }
    /* the results: every odd argument, and the last */
    VEC(Node *) result = {0};
    for (size_t i = 1; i < n->args; i += 2)
        vec_add(&result, out->arg[i]);
    vec_add(&result, out->arg[n->args - 1]);
    bool ok = node_unify(result.at, result.count, &out->type, s);
    for (size_t i = 0; ok && i + 1 < result.count; i++)
        out->arg[2 * i + 1] = result.at[i];
    if (ok)
        out->arg[n->args - 1] = result.at[result.count - 1];
    vec_release(&result);
    return ok ? node_folded(out, s) : NULL;
}

static Node *check_coalesce(Node *n, Shape *s)
{
    Node *out = node_made(n, NODE_COALESCE, COLUMN_REAL, n->args, s);
    for (size_t i = 0; i < n->args; i++)
        if (!(out->arg[i] = check(n->arg[i], s)))
            return NULL;
    return node_unify(out->arg, out->args, &out->type, s) ? node_folded(out, s) : NULL;
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
    return node_coerce(a, want, s);
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
    Node *out = node_made(n, NODE_APPLY, COLUMN_REAL, n->args, s);
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
    return node_folded(out, s);
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
