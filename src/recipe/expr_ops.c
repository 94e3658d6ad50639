/* expr_ops.c -- the operators as loops over one block: arithmetic, comparison, in, like, cast.
 *
 * Every kernel is a plain loop over rows that have a value or not; `has` is merged outside. What a
 * kernel cannot compute (an overflow of int64, a text that is no number) it makes missing. */
#include "recipe_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define UNUSED(x) ((void)(x))

/* ---- arithmetic: y = a op b ------------------------------------------------------------------ */

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

/* ---- comparison ------------------------------------------------------------------------------- */

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

/* ---- x in (constants) ------------------------------------------------------------------------- */

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

void kernel_like(const Vector *arg, size_t args, size_t n, Vector *out, Arena *a)
{
    uint8_t *r = out->buffer;
    for (size_t i = 0; i < n; i++) {
        const char *pattern = arg[1].span[i].at; /* a constant is terminated */
        if (!arg[1].constant) {
            char *copy = arena_alloc(a, arg[1].span[i].size + 1);
            if (arg[1].span[i].size > 0)
                memcpy(copy, pattern, arg[1].span[i].size);
            pattern = copy;
        }
        r[i] = text_like(arg[0].span[i].at, arg[0].span[i].size, pattern);
    }
    out->truth = r;
    UNUSED(args);
}

/* ---- casts ---------------------------------------------------------------------------------- */

#define MICROS     1000000
#define DAY_MICROS (86400 * (int64_t)MICROS)

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

Span span_trim(Span s)
{
    while (s.size > 0 && (unsigned char)s.at[0] <= ' ')
        s.at++, s.size--;
    while (s.size > 0 && (unsigned char)s.at[s.size - 1] <= ' ')
        s.size--;
    return s;
}

bool text_to_bool(const char *s, size_t n, bool *out)
{
    static const char *const yes[] = {"true", "yes", "y", "t", "1", "on", NULL};
    static const char *const no[] = {"false", "no", "n", "f", "0", "off", NULL};
    for (size_t i = 0; yes[i]; i++)
        if (strlen(yes[i]) == n && strncasecmp(s, yes[i], n) == 0)
            return *out = true, true;
    for (size_t i = 0; no[i]; i++)
        if (strlen(no[i]) == n && strncasecmp(s, no[i], n) == 0)
            return *out = false, true;
    return false;
}

/* A whole number from a real one, towards zero; false where it does not fit. */
static bool real_to_int(double x, int64_t *out)
{
    bool fits = x > -9223372036854775808.0 && x < 9223372036854775808.0;
    *out = fits ? (int64_t)x : 0;
    return fits;
}

/* One value of each kind from one value of another; false: missing. */
static bool real_of_int(int64_t x, double *r)
{
    return *r = (double)x, true;
}
static bool real_of_bool(uint8_t x, double *r)
{
    return *r = x, true;
}
static bool int_of_bool(uint8_t x, int64_t *r)
{
    return *r = x, true;
}
static bool bool_of_int(int64_t x, uint8_t *r)
{
    return *r = x != 0, true;
}
static bool bool_of_real(double x, uint8_t *r)
{
    return *r = x != 0, x == x;
}
static bool time_of_date(int64_t x, int64_t *r)
{
    return !__builtin_mul_overflow(x, DAY_MICROS, r);
}
static bool date_of_time(int64_t x, int64_t *r)
{
    return *r = floor_div(x, DAY_MICROS), true;
}
static bool int_of_time(int64_t x, int64_t *r)
{
    return *r = floor_div(x, MICROS), true;
}
static bool real_of_time(int64_t x, double *r)
{
    return *r = (double)x / MICROS, true;
}
static bool time_of_int(int64_t x, int64_t *r)
{
    return !__builtin_mul_overflow(x, (int64_t)MICROS, r);
}
static bool time_of_real(double x, int64_t *r)
{
    return real_to_int(x * MICROS, r);
}

static bool real_of_text(Span s, double *r)
{
    s = span_trim(s);
    return text_to_real(s.at, s.size, r);
}

static bool int_of_text(Span s, int64_t *r)
{
    double real;
    s = span_trim(s);
    if (text_to_int(s.at, s.size, r))
        return true;
    return text_to_real(s.at, s.size, &real) && real_to_int(real, r) && (double)*r == real;
}

static bool bool_of_text(Span s, uint8_t *r)
{
    bool yes = false;
    s = span_trim(s);
    bool ok = text_to_bool(s.at, s.size, &yes);
    *r = yes;
    return ok;
}

static bool time_of_text(Span s, int64_t *r)
{
    s = span_trim(s);
    return time_parse(s.at, s.size, r);
}

static bool date_of_text(Span s, int64_t *r)
{
    int64_t micros = 0;
    bool ok = time_of_text(s, &micros);
    *r = floor_div(micros, DAY_MICROS);
    return ok;
}

#define CAST(name, from, field, to, out_field, one)                                                \
    static void name(const Vector *arg, size_t args, size_t n, Vector *out, Arena *mem)            \
    {                                                                                              \
        const from *x = arg[0].field;                                                              \
        to *r = out->buffer;                                                                       \
        bool all = true;                                                                           \
        for (size_t i = 0; i < n; i++)                                                             \
            all &= one(x[i], &r[i]);                                                               \
        out->out_field = r;                                                                        \
        if (!all) {                                                                                \
            uint8_t *has = vector_has(out, n);                                                     \
            for (size_t i = 0; i < n; i++)                                                         \
                if (!one(x[i], &r[i])) {                                                           \
                    has[i] = 0;                                                                    \
                    r[i] = 0;                                                                      \
                }                                                                                  \
        }                                                                                          \
        UNUSED(args);                                                                              \
        UNUSED(mem);                                                                               \
    }
CAST(cast_int_real, int64_t, integer, double, real, real_of_int)
CAST(cast_bool_real, uint8_t, truth, double, real, real_of_bool)
CAST(cast_bool_int, uint8_t, truth, int64_t, integer, int_of_bool)
CAST(cast_int_bool, int64_t, integer, uint8_t, truth, bool_of_int)
CAST(cast_real_bool, double, real, uint8_t, truth, bool_of_real)
CAST(cast_real_int, double, real, int64_t, integer, real_to_int)
CAST(cast_date_time, int64_t, integer, int64_t, integer, time_of_date)
CAST(cast_time_date, int64_t, integer, int64_t, integer, date_of_time)
CAST(cast_time_int, int64_t, integer, int64_t, integer, int_of_time)
CAST(cast_time_real, int64_t, integer, double, real, real_of_time)
CAST(cast_int_time, int64_t, integer, int64_t, integer, time_of_int)
CAST(cast_real_time, double, real, int64_t, integer, time_of_real)
CAST(cast_text_real, Span, span, double, real, real_of_text)
CAST(cast_text_int, Span, span, int64_t, integer, int_of_text)
CAST(cast_text_bool, Span, span, uint8_t, truth, bool_of_text)
CAST(cast_text_time, Span, span, int64_t, integer, time_of_text)
CAST(cast_text_date, Span, span, int64_t, integer, date_of_text)

/* As column_print writes it, so that a cast to text and the exported CSV agree. */
static void print_value(const Vector *v, size_t i, Text *into)
{
    switch (v->type) {
    case COLUMN_BOOL:
        text_puts(into, v->truth[i] ? "true" : "false");
        break;
    case COLUMN_INT:
        text_printf(into, "%lld", (long long)v->integer[i]);
        break;
    case COLUMN_REAL:
        text_add_real(into, v->real[i]);
        break;
    case COLUMN_TIME:
        time_format(v->integer[i], into);
        break;
    case COLUMN_DATE:
        date_format((int32_t)v->integer[i], into);
        break;
    default:
        break;
    }
}

static bool same_bits(const Vector *v, size_t i, size_t j)
{
    return v->type == COLUMN_BOOL ? v->truth[i] == v->truth[j] : v->integer[i] == v->integer[j];
}

static void cast_any_text(const Vector *arg, size_t args, size_t n, Vector *out, Arena *a)
{
    Span *r = out->buffer;
    Text text = {0};
    size_t last = SIZE_MAX; /* the row printed last */
    for (size_t i = 0; i < n; i++) {
        r[i] = (Span){"", 0};
        if (out->has && !out->has[i])
            continue;
        if (last != SIZE_MAX && same_bits(&arg[0], i, last)) {
            r[i] = r[last];
        } else {
            text_reset(&text);
            print_value(&arg[0], i, &text);
            r[i] = (Span){arena_text(a, text_str(&text)), text.count};
        }
        last = i;
    }
    out->span = r;
    text_release(&text);
    UNUSED(args);
}

Kernel *kernel_cast(ColumnType from, ColumnType to)
{
    static Kernel *const table[COLUMN_TYPE_COUNT][COLUMN_TYPE_COUNT] = {
        [COLUMN_INT] = {[COLUMN_REAL] = cast_int_real,
                        [COLUMN_BOOL] = cast_int_bool,
                        [COLUMN_TIME] = cast_int_time},
        [COLUMN_REAL] = {[COLUMN_INT] = cast_real_int,
                         [COLUMN_BOOL] = cast_real_bool,
                         [COLUMN_TIME] = cast_real_time},
        [COLUMN_BOOL] = {[COLUMN_INT] = cast_bool_int, [COLUMN_REAL] = cast_bool_real},
        [COLUMN_TIME] = {[COLUMN_DATE] = cast_time_date,
                         [COLUMN_INT] = cast_time_int,
                         [COLUMN_REAL] = cast_time_real},
        [COLUMN_DATE] = {[COLUMN_TIME] = cast_date_time},
        [COLUMN_TEXT] = {[COLUMN_REAL] = cast_text_real,
                         [COLUMN_INT] = cast_text_int,
                         [COLUMN_BOOL] = cast_text_bool,
                         [COLUMN_TIME] = cast_text_time,
                         [COLUMN_DATE] = cast_text_date},
    };
    if (to == COLUMN_TEXT)
        return from == COLUMN_TEXT ? NULL : cast_any_text;
    return table[from][to];
}
