/* functions_date.c -- functions of timestamps and dates, in UTC. */
#include "recipe_int.h"

#define MICROS INT64_C(1000000)
#define DAY    (86400 * MICROS)

static inline int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static inline int64_t part_of_day(int64_t t, int64_t unit)
{
    int64_t in_day = t % DAY;
    return (in_day < 0 ? in_day + DAY : in_day) / unit;
}

/* Civil date of a day (proleptic Gregorian), after Hinnant, "chrono-compatible low-level date
 * algorithms": years begin in March, so that the leap day is the last. */
static inline void civil(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
    int64_t z = days + 719468, era = floor_div(z, 146097), doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    *day = doy - (153 * mp + 2) / 5 + 1;
    *month = mp < 10 ? mp + 3 : mp - 9;
    *year = yoe + era * 400 + (*month <= 2);
}

static inline int64_t civil_year(int64_t t)
{
    int64_t y, m, d;
    civil(floor_div(t, DAY), &y, &m, &d);
    return y;
}

static inline int64_t civil_month(int64_t t)
{
    int64_t y, m, d;
    civil(floor_div(t, DAY), &y, &m, &d);
    return m;
}

static inline int64_t civil_day(int64_t t)
{
    int64_t y, m, d;
    civil(floor_div(t, DAY), &y, &m, &d);
    return d;
}

static inline int64_t civil_yearday(int64_t t)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t y, m, d;
    civil(floor_div(t, DAY), &y, &m, &d);
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    return before[m - 1] + d + (leap && m > 2);
}

#define PART(name, expression)                                                                     \
    static void name(const Vector *arg, size_t args, size_t n, Vector *out, Arena *mem)            \
    {                                                                                              \
        const int64_t *restrict t = arg[0].integer;                                                \
        int64_t *restrict r = out->buffer;                                                         \
        for (size_t i = 0; i < n; i++)                                                             \
            r[i] = (expression);                                                                   \
        out->integer = r;                                                                          \
        (void)args;                                                                                \
        (void)mem;                                                                                 \
    }
PART(part_year, civil_year(t[i]))
PART(part_month, civil_month(t[i]))
PART(part_day, civil_day(t[i]))
PART(part_hour, part_of_day(t[i], 3600 * MICROS))
PART(part_minute, part_of_day(t[i], 60 * MICROS) % 60)
PART(part_second, part_of_day(t[i], MICROS) % 60)
/* 1970-01-01 was a Thursday, number 3 */
PART(part_weekday, ((floor_div(t[i], DAY) + 3) % 7 + 7) % 7)
PART(part_yearday, civil_yearday(t[i]))
PART(part_date, floor_div(t[i], DAY))

static void between(const Vector *arg, size_t n, Vector *out, double unit)
{
    double *r = out->buffer;
    for (size_t i = 0; i < n; i++)
        r[i] = ((double)arg[1].integer[i] - (double)arg[0].integer[i]) / unit;
    out->real = r;
}

static void seconds_between(const Vector *arg, size_t args, size_t n, Vector *out, Arena *mem)
{
    between(arg, n, out, (double)MICROS);
    (void)args;
    (void)mem;
}

static void date_diff(const Vector *arg, size_t args, size_t n, Vector *out, Arena *mem)
{
    between(arg, n, out, (double)DAY);
    (void)args;
    (void)mem;
}

// clang-format off
const Function date_functions[] = {
    {{"year", "year(T)", "the year"}, "M", 'I', part_year, .example = "year(PICKUP)"},
    {{"month", "month(T)", "1 to 12"}, "M", 'I', part_month, .example = "month(PICKUP)"},
    {{"day", "day(T)", "day of the month, 1 to 31"}, "M", 'I', part_day, .example = "day(PICKUP)"},
    {{"hour", "hour(T)", "0 to 23"}, "M", 'I', part_hour, .example = "hour(PICKUP)"},
    {{"minute", "minute(T)", "0 to 59"}, "M", 'I', part_minute, .example = "minute(PICKUP)"},
    {{"second", "second(T)", "0 to 59"}, "M", 'I', part_second, .example = "second(PICKUP)"},
    {{"weekday", "weekday(T)", "0 Monday to 6 Sunday"}, "M", 'I', part_weekday, .example = "weekday(PICKUP)"},
    {{"yearday", "yearday(T)", "day of the year, 1 to 366"}, "M", 'I', part_yearday, .example = "yearday(PICKUP)"},
    {{"date", "date(T)", "the day without its time"}, "M", 'D', part_date, .example = "date(PICKUP)"},
    {{"date_diff", "date_diff(FROM, TO)", "days from one to the other, with fractions"}, "MM", 'R',
     date_diff, .example = "date_diff(PICKUP, DROPOFF)"},
    {{"seconds_between", "seconds_between(FROM, TO)", "seconds from one to the other"}, "MM", 'R',
     seconds_between, .example = "seconds_between(PICKUP, DROPOFF)"},
    {.kind = {0}},
};
// clang-format on
