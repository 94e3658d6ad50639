/* expect.c -- a test of the data: a share of the rows must fulfil a condition.
 *
 * Changes nothing. Rows for which the condition is missing do not count. Applying a recipe to a
 * whole dataset fails where an expectation does; scoring does not, it is a monitor there. */
#include "recipe_int.h"

typedef struct Expect {
    Node *tree;
    Expr *expr;
    double mostly; /* share that must hold */
} Expect;

static bool parse(Parser *p, void *self)
{
    Expect *e = self;
    Token share = {.real = 1.0};
    e->tree = expr_parse_tree(p);
    if (e->tree && parser_take(p, "mostly") && !parser_number(p, &share))
        return false;
    if (e->tree && !(share.real >= 0.0 && share.real <= 1.0))
        return parser_fail(p, share.column, "expected a share from 0 to 1, found %s", share.text);
    e->mostly = share.real;
    return e->tree != NULL;
}

static bool bind(void *self, Shape *s)
{
    Expect *e = self;
    return expr_bind_bool(e->tree, s, "expect", &e->expr);
}

static bool apply(const void *self, Frame *f, Error *err)
{
    const Expect *e = self;
    Chunk chunk;
    Column truth = {.name = ""};
    frame_chunk(f, &chunk);
    if (!expr_eval(e->expr, &chunk, f->arena, &truth, err))
        return false;
    f->fails = arena_alloc(f->arena, f->rows + 8);
    for (size_t i = 0; i < f->rows; i++) {
        if (!f->alive[i] || !column_has(&truth, i))
            continue;
        f->judged++;
        if (bit_get(truth.bit, i))
            continue;
        f->fails[i] = 1;
        if (f->failed++ == 0)
            f->first_failed = chunk_origin(f->in, i);
    }
    return true;
}

static double gate(const void *self)
{
    const Expect *e = self;
    return e->mostly;
}

const Rule expect_rule = {
    .kind = {"expect", "expect EXPRESSION [mostly SHARE]",
             "a test: so large a share of the rows (all, if not said) must fulfil the condition",
             "expect PAYMENT in (\"Credit\", \"Cash\") mostly 0.99"},
    .size = sizeof(Expect),
    .gate = gate,
    .parse = parse,
    .bind = bind,
    .apply = apply,
};
