/* onnx.c -- what recipes make of raw columns, as ONNX nodes.
 *
 * A column is asked for by name; the last rule that writes it says its value, from columns as they are
 * before that rule, and so on up to the model's inputs. What nobody asks for is not said. Numbers, truths
 * and moments are float64 with NaN for missing (dates in days, times in seconds), text is "" where it is
 * missing. What ONNX has no word for (text functions, the calendar, statistics over rows) ends the way: the
 * caller is told which rule it was. */
#include "rewrite.h"

#include <math.h>
#include <string.h>

typedef struct Made { /* a column before a step; input: step 0 of plan 0 */
    size_t plan, step;
    const char *name, *value;
} Made;

struct PlanOnnx {
    Onnx *onnx;
    const Plan *const *plan;
    size_t plans;
    PlanInput *input;
    const char *stuck; /* the rule that cannot be said */
    VEC(Made) made;
};

/* Where an expression stands. */
struct OnnxAt {
    PlanOnnx *p;
    size_t plan, step;
};

static const char *two(const OnnxAt *at, const char *op, const char *a, const char *b)
{
    return onnx_node(at->p->onnx, op, a, b, NULL);
}

static const char *one(const OnnxAt *at, const char *op, const char *a)
{
    return onnx_node(at->p->onnx, op, a, NULL);
}

static const char *real(const OnnxAt *at, double v)
{
    return onnx_real(at->p->onnx, v);
}

static const char *choose(const OnnxAt *at, const char *when, const char *a, const char *b)
{
    return onnx_node(at->p->onnx, "Where", when, a, b, NULL);
}

static const char *truth(const OnnxAt *at, const char *boolean)
{
    return onnx_cast(at->p->onnx, boolean, ONNX_REAL);
}

/* y, but missing where x is; y where x has a value. */
static const char *beside(const OnnxAt *at, const char *y, const char *x)
{
    return two(at, "Add", y, two(at, "Mul", x, real(at, 0.0)));
}

/* Infinite is missing: y + (y - y) */
static const char *bounded(const OnnxAt *at, const char *y)
{
    return two(at, "Add", y, two(at, "Sub", y, y));
}

/* 1 for these words, NaN where the text is missing, else `other`. */
static const char *among(const OnnxAt *at, const char *x, const char *const *word, size_t n,
                         float other)
{
    Onnx *o = at->p->onnx;
    const char **key = mem_alloc(sizeof *key * (n + 1));
    float *value = mem_alloc(sizeof *value * (n + 1));
    key[0] = "";
    value[0] = NAN;
    for (size_t i = 0; i < n; i++) {
        key[i + 1] = word[i];
        value[i + 1] = 1.0f;
    }
    const char *y = onnx_node(o, "ml.LabelEncoder", x, NULL);
    onnx_set_texts(o, "keys_strings", key, NULL, n + 1);
    onnx_set_floats(o, "values_floats", value, n + 1);
    onnx_set_float(o, "default_float", other);
    mem_free(key);
    mem_free(value);
    return onnx_cast(o, y, ONNX_REAL);
}

static const char *is_missing(const OnnxAt *at, const char *x, ColumnType type)
{
    return one(at, "IsNaN", type == COLUMN_TEXT ? among(at, x, NULL, 0, 0.0f) : x);
}

static const char *text_of(const OnnxAt *at, const char *word)
{
    Onnx *o = at->p->onnx;
    const char *y = onnx_node(o, "ml.LabelEncoder", onnx_wholes(o, (int64_t[]){0}, 1), NULL);
    onnx_set_wholes(o, "keys_int64s", (int64_t[]){0}, 1);
    onnx_set_texts(o, "values_strings", &word, NULL, 1);
    return y;
}

static const char *value_of(const OnnxAt *at, ColumnType type, double number, const char *word)
{
    return type == COLUMN_TEXT ? text_of(at, word) : real(at, number);
}

static const char *say_constant(const OnnxAt *at, const Node *n)
{
    double v = n->type == COLUMN_REAL   ? n->real
               : n->type == COLUMN_TIME ? (double)n->integer / 1e6
                                        : (double)n->integer;
    bool text = n->type == COLUMN_TEXT;
    return value_of(at, n->type, n->missing || text ? (double)NAN : v,
                    text && !n->missing ? n->text.at : "");
}

/* ---- operators ------------------------------------------------------------------------------------------ */

static const char *say_compare(const OnnxAt *at, const Node *n, Op op, const char *const *x)
{
    static const char *const name[] = {
        [OP_EQ] = "Equal",       [OP_NE] = "Equal",   [OP_LT] = "Less",
        [OP_LE] = "LessOrEqual", [OP_GT] = "Greater", [OP_GE] = "GreaterOrEqual"};
    const char *y;
    if (n->arg[0]->type == COLUMN_TEXT) {
        size_t word = n->arg[0]->kind == NODE_CONSTANT ? 0 : 1;
        const Node *w = n->arg[word];
        if ((op != OP_EQ && op != OP_NE) || w->kind != NODE_CONSTANT || w->missing)
            return NULL;
        y = among(at, x[1 - word], (const char *[]){w->text.at}, 1, 0.0f);
    } else
        y = beside(at, beside(at, truth(at, two(at, name[op], x[0], x[1])), x[0]), x[1]);
    return op == OP_NE ? two(at, "Sub", real(at, 1.0), y) : y;
}

static const char *say_arithmetic(const OnnxAt *at, Op op, const char *const *x)
{
    static const char *const name[] = {
        [OP_ADD] = "Add", [OP_SUB] = "Sub", [OP_MUL] = "Mul", [OP_DIV] = "Div", [OP_MOD] = "Mod"};
    const char *y = two(at, name[op], x[0], x[1]);
    if (op == OP_MOD)
        onnx_set_whole(at->p->onnx, "fmod", 1);
    return bounded(at, y);
}

static const char *say_cast(const OnnxAt *at, ColumnType from, ColumnType to, const char *x)
{
    Onnx *o = at->p->onnx;
    if (from == COLUMN_TEXT || (to == COLUMN_TEXT && from != COLUMN_INT))
        return NULL;
    if (to == COLUMN_TEXT) {
        const char *none = one(at, "IsNaN", x);
        const char *whole = onnx_cast(o, choose(at, none, real(at, 0.0), x), ONNX_WHOLE);
        return choose(at, none, text_of(at, ""), onnx_cast(o, whole, ONNX_TEXT));
    }
    if (from == COLUMN_DATE && to == COLUMN_TIME)
        return two(at, "Mul", x, real(at, 86400.0));
    if (from == COLUMN_TIME && to == COLUMN_DATE)
        return one(at, "Floor", two(at, "Div", x, real(at, 86400.0)));
    if (from == COLUMN_TIME && to == COLUMN_INT)
        return one(at, "Floor", x);
    if (to == COLUMN_INT && from == COLUMN_REAL)
        return choose(at, two(at, "Less", x, real(at, 0.0)), one(at, "Ceil", x),
                      one(at, "Floor", x));
    if (to == COLUMN_BOOL)
        return beside(
            at, two(at, "Sub", real(at, 1.0), truth(at, two(at, "Equal", x, real(at, 0.0)))), x);
    return x; /* the same number */
}

/* ---- functions ------------------------------------------------------------------------------------------- */

typedef struct Call {
    const OnnxAt *at;
    const Node *node;
    const char *const *x;
} Call;

/* floor(x / unit) mod `most` */
static const char *say_part(const Call *c, double unit, double shift, double most)
{
    const OnnxAt *at = c->at;
    const char *y = one(at, "Floor", two(at, "Div", c->x[0], real(at, unit)));
    y = two(at, "Add", y, real(at, shift));
    const char *turns = one(at, "Floor", two(at, "Div", y, real(at, most)));
    return two(at, "Sub", y, two(at, "Mul", turns, real(at, most)));
}

static const char *say_extreme(const Call *c, const char *op)
{
    const OnnxAt *at = c->at;
    const char *y = c->x[0];
    for (size_t i = 1; i < c->node->args; i++)
        y = beside(at, beside(at, choose(at, two(at, op, c->x[i], y), c->x[i], y), c->x[i]), y);
    return y;
}

static const char *say_clamp(const Call *c)
{
    const OnnxAt *at = c->at;
    const char *x = c->x[0], *low = c->x[1], *high = c->x[2];
    const char *y = choose(at, two(at, "Greater", x, high), high, x);
    y = choose(at, two(at, "Less", x, low), low, y);
    return beside(at, beside(at, beside(at, y, x), low), high);
}

/* Half away from zero. */
static const char *say_round(const Call *c)
{
    const OnnxAt *at = c->at;
    const Node *digits = c->node->args > 1 ? c->node->arg[1] : NULL;
    if (digits && (digits->kind != NODE_CONSTANT || digits->missing))
        return NULL;
    double scale = pow(10.0, digits ? trunc(digits->real) : 0.0);
    const char *size = two(at, "Mul", one(at, "Abs", c->x[0]), real(at, scale));
    size = two(at, "Div", one(at, "Floor", two(at, "Add", size, real(at, 0.5))), real(at, scale));
    return choose(at, two(at, "Less", c->x[0], real(at, 0.0)), one(at, "Neg", size), size);
}

static const char *sine(const OnnxAt *at, const char *x, double scale, double shift)
{
    return one(at, "Sin", two(at, "Add", two(at, "Mul", x, real(at, scale)), real(at, shift)));
}

/* See functions_number.c; asin is said in float32, which is good for a part in ten million. */
static const char *say_haversine(const Call *c)
{
    const OnnxAt *at = c->at;
    const double radian = M_PI / 180.0;
    const char *const *x = c->x, *h[2], *far = NULL;
    for (size_t i = 0; i < 2; i++) {
        const char *s = sine(at, two(at, "Sub", x[2 + i], x[i]), radian / 2, 0.0);
        h[i] = two(at, "Mul", s, s);
    }
    const char *cosines =
        two(at, "Mul", sine(at, x[0], radian, M_PI / 2), sine(at, x[2], radian, M_PI / 2));
    const char *sum = two(at, "Add", h[0], two(at, "Mul", cosines, h[1]));
    for (size_t i = 0; i < 4; i++) {
        const char *out = two(at, "Greater", one(at, "Abs", x[i]), real(at, i % 2 ? 360.0 : 90.0));
        far = far ? two(at, "Or", far, out) : out;
    }
    const char *root =
        one(at, "Sqrt", choose(at, two(at, "Greater", sum, real(at, 1.0)), real(at, 1.0), sum));
    const char *angle = onnx_cast(
        at->p->onnx, one(at, "Asin", onnx_cast(at->p->onnx, root, ONNX_FLOAT)), ONNX_REAL);
    return choose(at, far, real(at, (double)NAN), two(at, "Mul", angle, real(at, 2 * 6371.0088)));
}

static const char *say_plain(const Call *c, const char *name)
{
    static const struct {
        const char *name, *op;
    } plain[] = {{"abs", "Abs"}, {"floor", "Floor"}, {"ceil", "Ceil"}, {"sqrt", "Sqrt"},
                 {"exp", "Exp"}, {"log", "Log"},     {"sin", "Sin"}};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (text_equal(plain[i].name, name))
            return bounded(c->at, one(c->at, plain[i].op, c->x[0]));
    return NULL;
}

static const char *say_log(const Call *c, double before, double base)
{
    const OnnxAt *at = c->at;
    const char *y = one(at, "Log", two(at, "Add", c->x[0], real(at, before)));
    return bounded(at, two(at, "Div", y, real(at, base)));
}

static const char *say_function(const Call *c, const char *name)
{
    const OnnxAt *at = c->at;
    const char *const *x = c->x;
    if (text_equal(name, "hour"))
        return say_part(c, 3600.0, 0.0, 24.0);
    if (text_equal(name, "minute"))
        return say_part(c, 60.0, 0.0, 60.0);
    if (text_equal(name, "second"))
        return say_part(c, 1.0, 0.0, 60.0);
    if (text_equal(name, "weekday"))
        return say_part(c, 86400.0, 3.0, 7.0);
    if (text_equal(name, "date"))
        return say_cast(at, COLUMN_TIME, COLUMN_DATE, x[0]);
    if (text_equal(name, "seconds_between"))
        return two(at, "Sub", x[1], x[0]);
    if (text_equal(name, "date_diff"))
        return two(at, "Div", two(at, "Sub", x[1], x[0]), real(at, 86400.0));
    if (text_equal(name, "min"))
        return say_extreme(c, "Less");
    if (text_equal(name, "max"))
        return say_extreme(c, "Greater");
    if (text_equal(name, "clamp"))
        return say_clamp(c);
    if (text_equal(name, "round"))
        return say_round(c);
    if (text_equal(name, "mod"))
        return say_arithmetic(at, OP_MOD, x);
    if (text_equal(name, "pow"))
        return beside(at, beside(at, bounded(at, two(at, "Pow", x[0], x[1])), x[0]), x[1]);
    if (text_equal(name, "log2"))
        return say_log(c, 0.0, M_LN2);
    if (text_equal(name, "log10"))
        return say_log(c, 0.0, M_LN10);
    if (text_equal(name, "log1p"))
        return say_log(c, 1.0, 1.0);
    if (text_equal(name, "cos"))
        return sine(at, x[0], 1.0, M_PI / 2);
    if (text_equal(name, "haversine"))
        return say_haversine(c);
    return say_plain(c, name);
}

/* A kernel is known by its address: an operator's, a cast's or a function's. */
static const char *say_apply(const OnnxAt *at, const Node *n, const char *const *x)
{
    ColumnType type = n->arg[0]->type;
    for (Op op = OP_ADD; n->args == 2 && op <= OP_MOD; op++)
        if ((n->type == COLUMN_INT || n->type == COLUMN_REAL) &&
            kernel_arithmetic(op, n->type) == n->kernel)
            return say_arithmetic(at, op, x);
    for (Op op = OP_EQ; n->args == 2 && op <= OP_GE; op++)
        if (kernel_compare(op, type) == n->kernel)
            return say_compare(at, n, op, x);
    if (n->args == 1 && (n->type == COLUMN_INT || n->type == COLUMN_REAL) &&
        kernel_negate(n->type) == n->kernel)
        return one(at, "Neg", x[0]);
    if (n->args == 1 && kernel_cast(type, n->type) == n->kernel)
        return say_cast(at, type, n->type, x[0]);
    const Function *f;
    for (size_t i = 0; (f = function_at(i)); i++)
        if (f->kernel == n->kernel || (f->whole && f->whole == n->kernel))
            return say_function(&(Call){at, n, x}, f->kind.name);
    return NULL;
}

/* ---- forms ------------------------------------------------------------------------------------------------- */

static const char *say_in(const OnnxAt *at, const Node *n, const char *const *x)
{
    double other = n->null_item ? (double)NAN : 0.0;
    if (n->arg[0]->type == COLUMN_TEXT) {
        const char **word = mem_alloc(sizeof *word * (n->args + 1));
        for (size_t i = 1; i < n->args; i++)
            word[i - 1] = n->arg[i]->text.at;
        const char *y = among(at, x[0], word, n->args - 1, (float)other);
        mem_free(word);
        return y;
    }
    const char *any = NULL;
    for (size_t i = 1; i < n->args; i++) {
        const char *equal = two(at, "Equal", x[0], x[i]);
        any = any ? two(at, "Or", any, equal) : equal;
    }
    return any ? beside(at, choose(at, any, real(at, 1.0), real(at, other)), x[0]) : NULL;
}

static const char *is(const OnnxAt *at, const char *x, double value)
{
    return two(at, "Equal", x, real(at, value));
}

/* Three-valued: what decides it, else what arithmetic makes of missing. */
static const char *say_two(const OnnxAt *at, bool both, const char *a, const char *b)
{
    double decides = both ? 0.0 : 1.0;
    return choose(at, two(at, "Or", is(at, a, decides), is(at, b, decides)), real(at, decides),
                  two(at, both ? "Mul" : "Add", a, b));
}

static const char *say_form(const OnnxAt *at, const Node *n, const char *const *x)
{
    const char *y = n->args ? x[n->args - 1] : NULL;
    switch (n->kind) {
    case NODE_APPLY:
        return say_apply(at, n, x);
    case NODE_IN:
        return say_in(at, n, x);
    case NODE_AND:
        return say_two(at, true, x[0], x[1]);
    case NODE_OR:
        return say_two(at, false, x[0], x[1]);
    case NODE_NOT:
        return two(at, "Sub", real(at, 1.0), x[0]);
    case NODE_IS_NULL:
        return truth(at, is_missing(at, x[0], n->arg[0]->type));
    case NODE_CASE:
        for (size_t i = n->args - 1; i >= 2; i -= 2)
            y = choose(at, is(at, x[i - 2], 1.0), x[i - 1], y);
        return y;
    case NODE_COALESCE:
        for (size_t i = n->args - 1; i-- > 0;)
            y = choose(at, is_missing(at, x[i], n->type), y, x[i]);
        return y;
    default:
        return NULL;
    }
}

static const char *say_node(const OnnxAt *at, const Node *n)
{
    if (n->kind == NODE_CONSTANT)
        return say_constant(at, n);
    if (n->kind == NODE_COLUMN)
        return onnx_before(at, n->name);
    const char **x = mem_alloc(sizeof *x * (n->args + 1)), *y = NULL;
    bool ok = true;
    for (size_t i = 0; ok && i < n->args; i++)
        ok = (x[i] = say_node(at, n->arg[i])) != NULL;
    if (ok)
        y = say_form(at, n, x);
    mem_free(x);
    return y;
}

static bool has_column(const Node *n)
{
    bool found = n->kind == NODE_COLUMN;
    for (size_t i = 0; i < n->args && !found; i++)
        found = has_column(n->arg[i]);
    return found;
}

const char *rewrite_onnx(const void *self, const OnnxAt *at)
{
    const Node *root = ((const Rewrite *)self)->expr->root;
    return has_column(root) ? say_node(at, root) : NULL; /* a constant has no rows */
}

const char *onnx_filled(const OnnxAt *at, const char *column, ColumnType type, double number,
                        const char *word)
{
    const char *x = onnx_before(at, column);
    return x ? choose(at, is_missing(at, x, type), value_of(at, type, number, word), x) : NULL;
}

/* ---- columns ------------------------------------------------------------------------------------------------ */

static bool writes(const Step *s, const char *name)
{
    for (size_t i = 0; i < s->writes; i++)
        if (text_equal(s->write[i], name))
            return true;
    return false;
}

static const char *raw_column(PlanOnnx *p, const char *name)
{
    const Schema *in = &p->plan[0]->in;
    for (size_t i = 0; i < in->count; i++)
        if (text_equal(in->field[i].name, name))
            return p->input(p->onnx, name, in->field[i].type);
    return NULL;
}

static const char *column_at(PlanOnnx *p, size_t plan, size_t step, const char *name);

static const char *made_at(PlanOnnx *p, size_t plan, size_t step, const char *name)
{
    if (step == 0)
        return plan ? column_at(p, plan - 1, p->plan[plan - 1]->steps, name) : raw_column(p, name);
    const Step *s = &p->plan[plan]->step[step - 1];
    if (s->rule->before)
        return column_at(p, plan, step - 1, s->rule->before(s->self, name));
    if (!writes(s, name))
        return column_at(p, plan, step - 1, name);
    const OnnxAt at = {p, plan, step - 1};
    const char *value = s->rule->onnx && !s->on_target ? s->rule->onnx(s->self, &at) : NULL;
    if (!value && !p->stuck)
        p->stuck = s->text;
    return value;
}

/* The column before a step of a plan; made once. */
static const char *column_at(PlanOnnx *p, size_t plan, size_t step, const char *name)
{
    for (size_t i = 0; i < p->made.count; i++) {
        const Made *m = &p->made.at[i];
        if (m->plan == plan && m->step == step && text_equal(m->name, name))
            return m->value;
    }
    const char *value = made_at(p, plan, step, name);
    if (value)
        vec_add(&p->made, (Made){plan, step, name, value});
    return value;
}

const char *onnx_before(const OnnxAt *at, const char *name)
{
    return column_at(at->p, at->plan, at->step, name);
}

PlanOnnx *plan_onnx_create(Onnx *o, const Plan *const *plan, size_t plans, PlanInput *input)
{
    PlanOnnx *p = mem_alloc(sizeof *p);
    *p = (PlanOnnx){.onnx = o, .plan = plan, .plans = plans, .input = input};
    return p;
}

const char *plan_onnx_column(PlanOnnx *p, const char *name)
{
    return column_at(p, p->plans - 1, p->plan[p->plans - 1]->steps, name);
}

const char *plan_onnx_stuck(const PlanOnnx *p)
{
    return p->stuck;
}

void plan_onnx_destroy(PlanOnnx *p)
{
    if (!p)
        return;
    vec_release(&p->made);
    mem_free(p);
}
