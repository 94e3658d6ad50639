/* time.c -- clocks, and civil time in the proleptic Gregorian calendar, always UTC. */
#include <lathe/base.h>

#include <time.h>

#define SECOND 1000000
#define DAY    (86400 * (int64_t)SECOND)

double clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int64_t time_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * SECOND + t.tv_nsec / 1000;
}

/* Both after Howard Hinnant, "chrono-compatible low-level date algorithms": years begin in March,
 * so that the leap day is the last; an era has 400 years of 146,097 days. */
int64_t date_days(int year, int month, int day)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void date_civil(int64_t days, int *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t m = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

static void add_date(int64_t days, Text *into)
{
    int year, month, day;
    date_civil(days, &year, &month, &day);
    text_printf(into, "%04d-%02d-%02d", year, month, day);
}

void date_format(int32_t days, Text *into)
{
    add_date(days, into);
}

void time_format(int64_t micros, Text *into)
{
    int64_t days = micros / DAY, rest = micros % DAY;
    if (rest < 0) {
        days--;
        rest += DAY;
    }
    add_date(days, into);
    int seconds = (int)(rest / SECOND), fraction = (int)(rest % SECOND);
    text_printf(into, " %02d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if (fraction)
        text_printf(into, ".%06d", fraction);
}

/* ---- parsing -------------------------------------------------------------------------------- */

typedef struct Cursor {
    const char *at, *end;
} Cursor;

static bool take(Cursor *c, char want)
{
    if (c->at == c->end || *c->at != want)
        return false;
    c->at++;
    return true;
}

/* Exactly so many digits, a number from least to most. */
static bool number(Cursor *c, int digits, int least, int most, int *out)
{
    int value = 0;
    if (c->end - c->at < digits)
        return false;
    for (int i = 0; i < digits; i++, c->at++) {
        if (*c->at < '0' || *c->at > '9')
            return false;
        value = value * 10 + (*c->at - '0');
    }
    *out = value;
    return value >= least && value <= most;
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* .f to .fffffffff; what is finer than a microsecond is dropped. */
static bool fraction(Cursor *c, int64_t *micros)
{
    int digits = 0;
    for (int64_t unit = SECOND / 10; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
        *micros += unit * (*c->at - '0');
        unit /= 10;
        digits++;
    }
    return digits >= 1 && digits <= 9;
}

/* Z, +hh, +hhmm, +hh:mm or nothing; what remains must be nothing. */
static bool zone(Cursor *c, int64_t *micros)
{
    int hours = 0, minutes = 0;
    if (c->at == c->end)
        return true;
    if (take(c, 'Z') || take(c, 'z'))
        return c->at == c->end;
    bool west = *c->at == '-';
    if (!take(c, '+') && !take(c, '-'))
        return false;
    if (!number(c, 2, 0, 23, &hours))
        return false;
    if (c->at < c->end) {
        take(c, ':');
        if (!number(c, 2, 0, 59, &minutes))
            return false;
    }
    int64_t shift = (int64_t)(hours * 60 + minutes) * 60 * SECOND;
    *micros += west ? shift : -shift;
    return c->at == c->end;
}

/* YYYY-MM-DD or YYYY/MM/DD, then optionally T or a space, hh:mm[:ss[.f]] and a zone. */
bool time_parse(const char *s, size_t n, int64_t *micros)
{
    Cursor c = {s, s + n};
    int year, month, day, hour, minute, second = 0;
    if (!number(&c, 4, 0, 9999, &year) || c.at == c.end)
        return false;
    char mark = *c.at;
    if ((mark != '-' && mark != '/') || !take(&c, mark) || !number(&c, 2, 1, 12, &month) ||
        !take(&c, mark) || !number(&c, 2, 1, month_days(year, month), &day))
        return false;
    int64_t value = date_days(year, month, day) * DAY;
    if (c.at < c.end) {
        if (!take(&c, 'T') && !take(&c, ' ') && !take(&c, 't'))
            return false;
        if (!number(&c, 2, 0, 23, &hour) || !take(&c, ':') || !number(&c, 2, 0, 59, &minute))
            return false;
        int64_t part = 0;
        if (take(&c, ':')) {
            if (!number(&c, 2, 0, 59, &second))
                return false;
            if ((take(&c, '.') || take(&c, ',')) && !fraction(&c, &part))
                return false;
        }
        value += ((int64_t)hour * 3600 + minute * 60 + second) * SECOND + part;
        if (!zone(&c, &value))
            return false;
    }
    *micros = value;
    return true;
}
