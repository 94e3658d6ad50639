/* expr_ops.c -- the operators as loops over one block: arithmetic, comparison, in, like.
 *
 * Every kernel is a plain loop over rows that have a value or not; `has` is merged outside. What a
 * kernel cannot compute (an overflow of int64) it makes missing. */
#include "recipe_int.h"

#include <math.h>
#include <string.h>

#define UNUSED(x) ((void)(x))

/* ---- arithmetic: y = a op b ---------------------------------------------------------------- */

#define REAL_OP(name, expression)                                                                  \
    static void name(const Vector *arg, size_t args, size_t n, Vector *out, Arena *mem)            \
    {                                                                                              \
        const double *restrict x = arg[0].real, *restrict y = arg[1].real;                         \
        double *restrict r = out->buffer;                                                          \
        for (size_t i = 0; i < n; i++)                                                             \
            r[i] = (expression);                                                                   \
        out->real = r;                                                                             \
        UNUSED(args);                                                                              \
        UNUSED(mem);                                                                               \
    }
REAL_OP(add_real, x[i] + y[i])
REAL_OP(sub_real, x[i] - y[i])
REAL_OP(mul_real, x[i] * y[i])
REAL_OP(div_real, x[i] / y[i]) /* by zero: not finite, so missing */
REAL_OP(mod_real, fmod(x[i], y[i]))

#define INT_OP(name, builtin)                                                                      \
    static void name(const Vector *arg, size_t args, size_t n, Vector *out, Arena *mem)            \
    {                                                                                              \
        const int64_t *x = arg[0].integer, *y = arg[1].integer;                                    \
        int64_t *r = out->buffer;                                                                  \
        out->integer = r;                                                                          \
        bool over = false;                                                                         \
        for (size_t i = 0; i < n; i++)                                                             \
            over |= builtin(x[i], y[i], &r[i]);                                                    \
        if (over) {                                                                                \
            uint8_t *has = vector_has(out, n);                                                     \
            for (size_t i = 0; i < n; i++)                                                         \
                if (builtin(x[i], y[i], &r[i]))                                                    \
                    has[i] = 0;                                                                    \
        }                                                                                          \
        UNUSED(args);                                                                              \
        UNUSED(mem);                                                                               \
    }
INT_OP(add_int, __builtin_add_overflow)
INT_OP(sub_int, __builtin_sub_overflow)
INT_OP(mul_int, __builtin_mul_overflow)

static void mod_int(const Vector *arg, size_t args, size_t n, Vector *out, Arena *mem)
{
    const int64_t *x = arg[0].integer, *y = arg[1].integer;
    int64_t *r = out->buffer;
    uint8_t *has = vector_has(out, n);
    for (size_t i = 0; i < n; i++) {
        bool ok = y[i] != 0;
        r[i] = ok && y[i] != -1 ? x[i] % y[i] : 0;
        has[i] &= ok;
    }
    out->integer = r;
    UNUSED(args);
    UNUSED(mem);
}

static void neg_real(const Vector *arg, size_t args, size_t n, Vector *out, Arena *mem)
{
    double *r = out->buffer;
    for (size_t i = 0; i < n; i++)
        r[i] = -arg[0].real[i];
    out->real = r;
    UNUSED(args);
    UNUSED(mem);
}

static void neg_int(const Vector *arg, size_t args, size_t n, Vector *out, Arena *mem)
{
    int64_t *r = out->buffer;
    out->integer = r;
    for (size_t i = 0; i < n; i++)
        if (__builtin_sub_overflow((int64_t)0, arg[0].integer[i], &r[i]))
            vector_has(out, n)[i] = 0;
    UNUSED(args);
    UNUSED(mem);
}

Kernel *kernel_arithmetic(Op op, ColumnType type)
{
    static Kernel *const real[] = {add_real, sub_real, mul_real, div_real, mod_real};
    static Kernel *const whole[] = {add_int, sub_int, mul_int, NULL, mod_int};
    return type == COLUMN_INT ? whole[op] : real[op];
}

Kernel *kernel_negate(ColumnType type)
{
    return type == COLUMN_INT ? neg_int : neg_real;
}

/* ---- comparison ---------------------------------------------------------------------------- */

static int span_compare(Span a, Span b)
{
    size_t n = a.size < b.size ? a.size : b.size;
    int order = n > 0 ? memcmp(a.at, b.at, n) : 0;
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static bool span_equal(Span a, Span b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

#define COMPARE(name, type, field, expression)                                                     \
    static void name(const Vector *arg, size_t args, size_t n, Vector *out, Arena *mem)            \
    {                                                                                              \
        const type *restrict x = arg[0].field, *restrict y = arg[1].field;                         \
        uint8_t *restrict r = out->buffer;                                                         \
        for (size_t i = 0; i < n; i++)                                                             \
            r[i] = (expression);                                                                   \
        out->truth = r;                                                                            \
        UNUSED(args);                                                                              \
        UNUSED(mem);                                                                               \
    }
#define COMPARE_ALL(suffix, type, field)                                                           \
    COMPARE(eq_##suffix, type, field, x[i] == y[i])                                                \
    COMPARE(ne_##suffix, type, field, x[i] != y[i])                                                \
    COMPARE(lt_##suffix, type, field, x[i] < y[i])                                                 \
    COMPARE(le_##suffix, type, field, x[i] <= y[i])                                                \
    COMPARE(gt_##suffix, type, field, x[i] > y[i])                                                 \
    COMPARE(ge_##suffix, type, field, x[i] >= y[i])
COMPARE_ALL(real, double, real)
COMPARE_ALL(int, int64_t, integer)
COMPARE_ALL(bool, uint8_t, truth)
COMPARE(eq_text, Span, span, span_equal(x[i], y[i]))
COMPARE(ne_text, Span, span, !span_equal(x[i], y[i]))
COMPARE(lt_text, Span, span, span_compare(x[i], y[i]) < 0)
COMPARE(le_text, Span, span, span_compare(x[i], y[i]) <= 0)
COMPARE(gt_text, Span, span, span_compare(x[i], y[i]) > 0)
COMPARE(ge_text, Span, span, span_compare(x[i], y[i]) >= 0)

Kernel *kernel_compare(Op op, ColumnType type)
{
    static Kernel *const real[] = {eq_real, ne_real, lt_real, le_real, gt_real, ge_real};
    static Kernel *const whole[] = {eq_int, ne_int, lt_int, le_int, gt_int, ge_int};
    static Kernel *const truth[] = {eq_bool, ne_bool, lt_bool, le_bool, gt_bool, ge_bool};
    static Kernel *const text[] = {eq_text, ne_text, lt_text, le_text, gt_text, ge_text};
    switch (type) {
    case COLUMN_REAL:
        return real[op - OP_EQ];
    case COLUMN_BOOL:
        return truth[op - OP_EQ];
    case COLUMN_TEXT:
        return text[op - OP_EQ];
    default:
        return whole[op - OP_EQ];
    }
}

/* ---- x in (constants) ---------------------------------------------------------------------- */

#define IN_LIST(name, type, field, equal)                                                          \
    static void name(const Vector *arg, size_t args, size_t n, Vector *out, Arena *mem)            \
    {                                                                                              \
        const type *restrict x = arg[0].field;                                                     \
        uint8_t *restrict r = out->buffer;                                                         \
        memset(r, 0, n);                                                                           \
        for (size_t k = 1; n > 0 && k < args; k++) {                                               \
            const type v = arg[k].field[0];                                                        \
            for (size_t i = 0; i < n; i++)                                                         \
                r[i] |= (equal);                                                                   \
        }                                                                                          \
        out->truth = r;                                                                            \
        UNUSED(mem);                                                                               \
    }
IN_LIST(in_real, double, real, x[i] == v)
IN_LIST(in_int, int64_t, integer, x[i] == v)
IN_LIST(in_bool, uint8_t, truth, x[i] == v)
IN_LIST(in_text, Span, span, span_equal(x[i], v))

Kernel *kernel_in(ColumnType type)
{
    return type == COLUMN_REAL   ? in_real
           : type == COLUMN_BOOL ? in_bool
           : type == COLUMN_TEXT ? in_text
                                 : in_int;
}

/* A pattern without _ and with % at its ends only is a search for the text between. */
typedef struct Pattern {
    Span inner;
    bool open_left, open_right, simple;
} Pattern;

static Pattern pattern_read(Span s)
{
    Pattern p = {.inner = s};
    if (s.size > 0 && *s.at == '%') {
        p.open_left = true;
        p.inner.at++;
        p.inner.size--;
    }
    if (p.inner.size > 0 && p.inner.at[p.inner.size - 1] == '%') {
        p.open_right = true;
        p.inner.size--;
    }
    p.simple = !memchr(p.inner.at, '%', p.inner.size) && !memchr(p.inner.at, '_', p.inner.size);
    return p;
}

static bool pattern_fits(const Pattern *p, Span s)
{
    Span in = p->inner;
    if (in.size > s.size || (in.size < s.size && !p->open_left && !p->open_right))
        return false;
    if (in.size == 0)
        return true;
    if (p->open_left && p->open_right)
        return memmem(s.at, s.size, in.at, in.size) != NULL;
    return memcmp(p->open_left ? s.at + s.size - in.size : s.at, in.at, in.size) == 0;
}

void kernel_like(const Vector *arg, size_t args, size_t n, Vector *out, Arena *a)
{
    uint8_t *r = out->buffer;
    const Span *x = arg[0].span, *y = arg[1].span;
    Pattern p = {{"", 0}, false, false, false};
    if (arg[1].constant && n > 0)
        p = pattern_read(y[0]);
    for (size_t i = 0; i < n; i++) {
        if (p.simple) {
            r[i] = pattern_fits(&p, x[i]);
            continue;
        }
        const char *pattern = y[i].at; /* a constant is terminated */
        if (!arg[1].constant) {
            char *copy = arena_alloc(a, y[i].size + 1);
            if (y[i].size > 0)
                memcpy(copy, pattern, y[i].size);
            pattern = copy;
        }
        r[i] = text_like(x[i].at, x[i].size, pattern);
    }
    out->truth = r;
    UNUSED(args);
}
