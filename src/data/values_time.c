/* values_time.c -- dates and times as people write them.
 *
 *     2011-01-31   2011/1/31   31.01.2011   31/01/2011   1/31/2011
 *     DATE 11:19   DATE 11:19:29.5   DATET11:19:29Z   DATE 11:19:29+02:00   DATE 1:05 PM
 *
 * The order of day and month is given; whether it is right is for the evidence of the column. */
#include "reader_int.h"

#include "stamp.h"

#include <string.h>

typedef struct Cursor {
    const char *at, *end;
} Cursor;

/* From least to most digits. */
static bool number(Cursor *c, int least, int most, int *out)
{
    int value = 0, count = 0;
    for (; c->at < c->end && count < most; c->at++, count++) {
        unsigned digit = (unsigned)(*c->at - '0');
        if (digit > 9)
            break;
        value = value * 10 + (int)digit;
    }
    *out = value;
    return count >= least;
}

static bool take(Cursor *c, char expected)
{
    if (c->at >= c->end || *c->at != expected)
        return false;
    c->at++;
    return true;
}

static bool days_of(int year, int month, int day, int64_t *out)
{
    static const uint8_t length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (month < 1 || month > 12 || day < 1 || year < 1 ||
        day > length[month - 1] + (month == 2 && leap))
        return false;
    *out = date_days(year, month, day);
    return true;
}

static bool date_part(Cursor *c, DateOrder order, int64_t *days)
{
    int part[3];
    bool year_first = order == ORDER_YMD;
    if (!number(c, year_first ? 4 : 1, year_first ? 4 : 2, &part[0]) || c->at >= c->end)
        return false;
    char between = *c->at;
    if ((between != '-' && between != '/' && between != '.') || !take(c, between) ||
        !number(c, 1, 2, &part[1]) || !take(c, between) ||
        !number(c, year_first ? 1 : 4, year_first ? 2 : 4, &part[2]))
        return false;
    if (year_first)
        return days_of(part[0], part[1], part[2], days);
    bool day_first = order == ORDER_DMY;
    return days_of(part[2], part[day_first ? 1 : 0], part[day_first ? 0 : 1], days);
}

static bool fraction(Cursor *c, int64_t *micros)
{
    int64_t value = 0;
    int count = 0;
    for (; c->at < c->end && (unsigned)(*c->at - '0') < 10; c->at++, count++)
        if (count < 6)
            value = value * 10 + (*c->at - '0');
    for (int i = count; i < 6; i++)
        value *= 10;
    *micros = value;
    return count > 0 && count <= 9;
}

/* Z, UTC, +02:00, +0200, +02 */
static bool zone_part(Cursor *c, int64_t *seconds)
{
    *seconds = 0;
    if (c->at == c->end || (c->end - c->at == 1 && take(c, 'Z')))
        return true;
    if (c->end - c->at == 4 && !memcmp(c->at, " UTC", 4)) {
        c->at = c->end;
        return true;
    }
    char sign = *c->at;
    int hours, minutes = 0;
    if ((sign != '+' && sign != '-') || !take(c, sign) || !number(c, 2, 2, &hours))
        return false;
    if (c->at < c->end) {
        take(c, ':');
        if (!number(c, 2, 2, &minutes))
            return false;
    }
    *seconds = (sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return hours < 24 && minutes < 60;
}

static bool noon_part(Cursor *c, int *hour)
{
    Cursor p = *c;
    take(&p, ' ');
    if (p.end - p.at != 2 || (p.at[1] | 32) != 'm' ||
        ((p.at[0] | 32) != 'a' && (p.at[0] | 32) != 'p'))
        return true;
    if (*hour < 1 || *hour > 12)
        return false;
    *hour = *hour % 12 + ((p.at[0] | 32) == 'p' ? 12 : 0);
    c->at = c->end;
    return true;
}

static bool clock_part(Cursor *c, int64_t *micros)
{
    int hour, minute, second = 0;
    int64_t part = 0, zone = 0;
    if (!number(c, 1, 2, &hour) || !take(c, ':') || !number(c, 2, 2, &minute))
        return false;
    if (take(c, ':') && !number(c, 2, 2, &second))
        return false;
    if (take(c, '.') && !fraction(c, &part))
        return false;
    if (!noon_part(c, &hour) || !zone_part(c, &zone) || hour > 23 || minute > 59 || second > 59)
        return false;
    *micros = ((int64_t)hour * 3600 + minute * 60 + second - zone) * 1000000 + part;
    return true;
}

bool value_stamp(const char *s, size_t n, DateOrder order, int64_t *micros, bool *has_time)
{
    int64_t days, clock = 0;
    if (n < 8)
        return false;
    if (order == ORDER_YMD && stamp_usual(s, n, micros)) {
        *has_time = n == 19;
        return true;
    }
    Cursor c = {s, s + n};
    if (!date_part(&c, order, &days))
        return false;
    *has_time = c.at < c.end;
    if (*has_time && ((!take(&c, ' ') && !take(&c, 'T')) || !clock_part(&c, &clock)))
        return false;
    *micros = days * 86400000000 + clock;
    return c.at == c.end;
}
