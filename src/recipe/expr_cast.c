/* expr_cast.c -- from one type to another, a block at a time; what cannot be read as the new type
 * is missing. Between numbers and timestamps the number is seconds since 1970. */
#include "recipe_int.h"

#include <string.h>
#include <strings.h>

#define UNUSED(x)  ((void)(x))
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
