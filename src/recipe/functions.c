/* functions.c -- the functions of expressions as one list, and those short for other forms.
 *
 * A function is one row in functions_number.c, functions_text.c, functions_date.c or below. */
#include "recipe_int.h"

#include <string.h>
#include <strings.h>

static const Function *const tables[] = {number_functions, text_functions, date_functions,
                                         logic_functions};
#define TABLES (sizeof tables / sizeof *tables)

/* if(c, a, b) is CASE WHEN c THEN a ELSE b END */
static Node *expand_if(Arena *a, Node *call)
{
    call->kind = NODE_CASE;
    (void)a;
    return call;
}

static Node *expand_coalesce(Arena *a, Node *call)
{
    call->kind = NODE_COALESCE;
    (void)a;
    return call;
}

/* nullif(a, b) is CASE WHEN a = b THEN null ELSE a END */
static Node *expand_nullif(Arena *a, Node *call)
{
    Node *equal = ARENA_NEW(a, Node, 1);
    *equal = (Node){.kind = NODE_BINARY,
                    .op = OP_EQ,
                    .column = call->column,
                    .args = 2,
                    .arg = ARENA_NEW(a, Node *, 2)};
    equal->arg[0] = call->arg[0];
    equal->arg[1] = call->arg[1];
    Node **arg = ARENA_NEW(a, Node *, 3);
    arg[0] = equal;
    arg[1] = node_constant(a, &(Token){.kind = TOKEN_END, .column = call->column});
    arg[2] = call->arg[0];
    call->kind = NODE_CASE;
    call->args = 3;
    call->arg = arg;
    return call;
}

// clang-format off
const Function logic_functions[] = {
    {{"coalesce", "coalesce(A, B, ...)", "the first that is not missing"}, "AA*", 'A',
     .expand = expand_coalesce, .example = "coalesce(TIP, 0)"},
    {{"ifnull", "ifnull(A, B)", "A, or B where A is missing"}, "AA", 'A',
     .expand = expand_coalesce, .example = "ifnull(TIP, 0)"},
    {{"nullif", "nullif(A, B)", "A, but missing where it equals B"}, "AA", 'A',
     .expand = expand_nullif, .example = "nullif(MILES, 0)"},
    {{"if", "if(CONDITION, A, B)", "A where the condition holds, else B"}, "AAA", 'A',
     .expand = expand_if, .example = "if(MILES > 10, \"far\", \"near\")"},
    {.kind = {0}},
};
// clang-format on

const Function *function_at(size_t at)
{
    for (size_t t = 0; t < TABLES; t++)
        for (const Function *f = tables[t]; f->kind.name; f++)
            if (at-- == 0)
                return f;
    return NULL;
}

const Function *function_find(const char *name)
{
    const Function *f;
    for (size_t i = 0; (f = function_at(i)); i++)
        if (strcasecmp(f->kind.name, name) == 0)
            return f;
    return NULL;
}

const Function *function_nearest(const char *name)
{
    const char *names[128];
    size_t n = 0;
    for (const Function *f; n < 128 && (f = function_at(n)); n++)
        names[n] = f->kind.name;
    const char *near = text_nearest(name, names, n);
    return near ? function_find(near) : NULL;
}

size_t function_least(const Function *f)
{
    size_t letters = strcspn(f->takes, "?*");
    return f->takes[letters] == '?' ? letters - 1 : letters;
}

size_t function_most(const Function *f)
{
    size_t letters = strcspn(f->takes, "?*");
    return f->takes[letters] == '*' ? SIZE_MAX : letters;
}

size_t function_kinds(void)
{
    size_t n = 0;
    while (function_at(n))
        n++;
    return n;
}

const FunctionKind *function_kind(size_t i)
{
    return &function_at(i)->kind;
}
