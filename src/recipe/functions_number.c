/* functions_number.c -- functions of numbers. A result that is not finite becomes missing. */
#include "recipe_int.h"

#include <math.h>

#define BODY(type, field, expression)                                                              \
    {                                                                                              \
        type *restrict r = out->buffer;                                                            \
        for (size_t i = 0; i < n; i++)                                                             \
            r[i] = (expression);                                                                   \
        out->field = r;                                                                            \
        (void)args;                                                                                \
        (void)mem;                                                                                 \
    }
#define REAL(name, expression)                                                                     \
    static void name(const Vector *arg, size_t args, size_t n, Vector *out, Arena *mem)            \
    {                                                                                              \
        const double *restrict x = arg[0].real;                                                    \
        BODY(double, real, expression)                                                             \
    }
#define REAL2(name, expression)                                                                    \
    static void name(const Vector *arg, size_t args, size_t n, Vector *out, Arena *mem)            \
    {                                                                                              \
        const double *restrict x = arg[0].real, *restrict y = arg[1].real;                         \
        BODY(double, real, expression)                                                             \
    }
#define WHOLE(name, expression)                                                                    \
    static void name(const Vector *arg, size_t args, size_t n, Vector *out, Arena *mem)            \
    {                                                                                              \
        const int64_t *restrict x = arg[0].integer;                                                \
        BODY(int64_t, integer, expression)                                                         \
    }

REAL(real_abs, fabs(x[i]))
REAL(real_floor, floor(x[i]))
REAL(real_ceil, ceil(x[i]))
REAL(real_sqrt, sqrt(x[i]))
REAL(real_exp, exp(x[i]))
REAL(real_log, log(x[i]))
REAL(real_log2, log2(x[i]))
REAL(real_log10, log10(x[i]))
REAL(real_log1p, log1p(x[i]))
REAL(real_sin, sin(x[i]))
REAL(real_cos, cos(x[i]))
REAL(real_sign, (x[i] > 0) - (x[i] < 0))
REAL2(real_pow, pow(x[i], y[i]))
REAL2(real_mod, fmod(x[i], y[i]))
WHOLE(whole_abs, x[i] < 0 ? (int64_t)(0 - (uint64_t)x[i]) : x[i])
WHOLE(whole_sign, (x[i] > 0) - (x[i] < 0))

/* Half away from zero, at so many digits behind the point (before it where negative). */
static void real_round(const Vector *arg, size_t args, size_t n, Vector *out, Arena *mem)
{
    const double *x = arg[0].real;
    double *r = out->buffer;
    for (size_t i = 0; i < n; i++) {
        double digits = args > 1 ? fmax(-300.0, fmin(300.0, trunc(arg[1].real[i]))) : 0.0;
        double scale = digits == 0.0 ? 1.0 : pow(10.0, fabs(digits));
        double scaled = digits >= 0.0 ? x[i] * scale : x[i] / scale;
        r[i] = fabs(scaled) > 0x1p52 ? x[i]
               : digits >= 0.0       ? round(scaled) / scale
                                     : round(scaled) * scale;
    }
    out->real = r;
    (void)mem;
}

static void whole_mod(const Vector *arg, size_t args, size_t n, Vector *out, Arena *mem)
{
    kernel_arithmetic(OP_MOD, COLUMN_INT)(arg, args, n, out, mem);
}

/* The least or greatest of two or more: r[i] = better(r[i], arg[k][i]). */
#define EXTREME(name, type, field, sign)                                                           \
    static void name(const Vector *arg, size_t args, size_t n, Vector *out, Arena *mem)            \
    {                                                                                              \
        type *restrict r = out->buffer;                                                            \
        for (size_t i = 0; i < n; i++)                                                             \
            r[i] = arg[0].field[i];                                                                \
        for (size_t k = 1; k < args; k++) {                                                        \
            const type *restrict x = arg[k].field;                                                 \
            for (size_t i = 0; i < n; i++)                                                         \
                r[i] = x[i] sign r[i] ? x[i] : r[i];                                               \
        }                                                                                          \
        out->field = r;                                                                            \
        (void)mem;                                                                                 \
    }
EXTREME(real_min, double, real, <)
EXTREME(real_max, double, real, >)
EXTREME(whole_min, int64_t, integer, <)
EXTREME(whole_max, int64_t, integer, >)

#define CLAMP(name, type, field)                                                                   \
    static void name(const Vector *arg, size_t args, size_t n, Vector *out, Arena *mem)            \
    {                                                                                              \
        const type *x = arg[0].field, *low = arg[1].field, *high = arg[2].field;                   \
        BODY(type, field, x[i]<low[i] ? low[i] : x[i]> high[i] ? high[i] : x[i])                   \
    }
CLAMP(real_clamp, double, real)
CLAMP(whole_clamp, int64_t, integer)

/* Great-circle distance on a sphere of 6371.0088 km (the mean radius of IUGG):
 *
 *     d = 2 R asin sqrt( sin^2(dlat/2) + cos lat1 cos lat2 sin^2(dlon/2) )
 *
 * Latitudes beyond 90 degrees or longitudes beyond 360 are no place: missing. */
static void real_haversine(const Vector *arg, size_t args, size_t n, Vector *out, Arena *mem)
{
    const double radian = 3.14159265358979323846 / 180.0, radius = 6371.0088;
    const double *lat1 = arg[0].real, *lon1 = arg[1].real, *lat2 = arg[2].real, *lon2 = arg[3].real;
    double *r = out->buffer;
    for (size_t i = 0; i < n; i++) {
        double a = sin((lat2[i] - lat1[i]) * radian / 2), b = sin((lon2[i] - lon1[i]) * radian / 2);
        double h = a * a + cos(lat1[i] * radian) * cos(lat2[i] * radian) * b * b;
        bool place = fabs(lat1[i]) <= 90 && fabs(lat2[i]) <= 90 && fabs(lon1[i]) <= 360 &&
                     fabs(lon2[i]) <= 360;
        r[i] = place ? 2 * radius * asin(fmin(1.0, sqrt(h))) : (double)NAN;
    }
    out->real = r;
    (void)args;
    (void)mem;
}

// clang-format off
const Function number_functions[] = {
    {{"abs", "abs(X)", "X without its sign"}, "N", 'N', real_abs, whole_abs, .example = "abs(MILES)"},
    {{"round", "round(X [, DIGITS])", "to so many digits, halves away from zero"}, "RR?", 'R',
     real_round, .example = "round(MILES, 1)"},
    {{"floor", "floor(X)", "the whole number below"}, "R", 'R', real_floor, .example = "floor(MILES)"},
    {{"ceil", "ceil(X)", "the whole number above"}, "R", 'R', real_ceil, .example = "ceil(MILES)"},
    {{"sqrt", "sqrt(X)", "square root; missing below 0"}, "R", 'R', real_sqrt, .example = "sqrt(MILES)"},
    {{"exp", "exp(X)", "e to the power X"}, "R", 'R', real_exp, .example = "exp(MILES / 100)"},
    {{"log", "log(X)", "natural logarithm; missing at 0 and below"}, "R", 'R', real_log,
     .example = "log(1 + MILES)"},
    {{"log2", "log2(X)", "logarithm to base 2"}, "R", 'R', real_log2, .example = "log2(MILES)"},
    {{"log10", "log10(X)", "logarithm to base 10"}, "R", 'R', real_log10, .example = "log10(MILES)"},
    {{"log1p", "log1p(X)", "log(1 + X), exact near 0"}, "R", 'R', real_log1p, .example = "log1p(MILES)"},
    {{"sin", "sin(X)", "sine of an angle in radians"}, "R", 'R', real_sin, .example = "sin(6.2832 * RIDERS / 24)"},
    {{"cos", "cos(X)", "cosine of an angle in radians"}, "R", 'R', real_cos, .example = "cos(6.2832 * RIDERS / 24)"},
    {{"pow", "pow(X, Y)", "X to the power Y"}, "RR", 'R', real_pow, .example = "pow(MILES, 2)"},
    {{"min", "min(A, B, ...)", "the least of a row's values"}, "NN*", 'N', real_min, whole_min,
     .example = "min(MILES, 60)"},
    {{"max", "max(A, B, ...)", "the greatest of a row's values"}, "NN*", 'N', real_max, whole_max,
     .example = "max(MILES, 0)"},
    {{"clamp", "clamp(X, LOW, HIGH)", "X moved into the range"}, "NNN", 'N', real_clamp, whole_clamp,
     .example = "clamp(MILES, 0, 60)"},
    {{"sign", "sign(X)", "-1, 0 or 1"}, "N", 'N', real_sign, whole_sign, .example = "sign(MILES)"},
    {{"mod", "mod(X, Y)", "remainder with the sign of X, as X % Y; missing for Y = 0"}, "NN", 'N',
     real_mod, whole_mod, .example = "mod(RIDERS, 2)"},
    {{"haversine", "haversine(LAT1, LON1, LAT2, LON2)", "kilometres between two places on Earth, in degrees"},
     "RRRR", 'R', real_haversine, .example = "haversine(38.9, -77.0, 38.8, -77.1)"},
    {.kind = {0}},
};
// clang-format on
