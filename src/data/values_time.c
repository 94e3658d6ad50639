/* values_time.c -- dates and times as people write them.
 *
 *     2011-01-31   2011/1/31   31.01.2011   31/01/2011   1/31/2011   31/01/11
 *     31 Jan 2011   31-JAN-11   January 31, 2011   2011-Jan-31
 *     DATE 11:19   DATE 11:19:29.5   DATET11:19:29Z   DATE 11:19:29+02:00   DATE 1:05 PM
 *
 * The order of day and month is given; whether it is right is for the evidence of the column. */
#include "reader_int.h"

#include "stamp.h"

#include <string.h>
#include <strings.h>

typedef struct Cursor {
    const char *at, *end;
} Cursor;

/* Up to most digits; how many there were. */
static int digits(Cursor *c, int most, int *out)
{
    int value = 0, count = 0;
    for (; c->at < c->end && count < most; c->at++, count++) {
        unsigned digit = (unsigned)(*c->at - '0');
        if (digit > 9)
            break;
        value = value * 10 + (int)digit;
    }
    *out = value;
    return count;
}

static bool number(Cursor *c, int least, int most, int *out)
{
    return digits(c, most, out) >= least;
}

/* Four digits, or two: 69 to 99 are of the last century, as POSIX has it. */
static bool year_part(Cursor *c, int *out)
{
    int count = digits(c, 4, out);
    if (count == 2)
        *out += *out < 69 ? 2000 : 1900;
    return count == 2 || count == 4;
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

/* An English name, whole or its first three letters. */
static bool month_part(Cursor *c, int *month)
{
    static const char *const names[] = {"january",   "february", "march",    "april",
                                        "may",       "june",     "july",     "august",
                                        "september", "october",  "november", "december"};
    size_t n = 0;
    while (c->at + n < c->end && (unsigned)((c->at[n] | 32) - 'a') < 26)
        n++;
    for (int i = 0; i < 12; i++)
        if (n >= 3 && (n == 3 || n == strlen(names[i])) && !strncasecmp(c->at, names[i], n)) {
            c->at += n;
            *month = i + 1;
            return true;
        }
    return false;
}

static bool between(Cursor *c, char *sign) /* the same sign twice */
{
    if (c->at >= c->end || (*c->at != '-' && *c->at != ' ' && *c->at != '/') ||
        (*sign && *c->at != *sign))
        return false;
    *sign = *c->at++;
    return true;
}

/* A date with the month in words, which has no order to be in doubt about. */
static bool named_part(Cursor *c, int64_t *days)
{
    int day, month, year;
    char sign = 0;
    Cursor p = *c;
    if (month_part(&p, &month)) { /* January 31, 2011 */
        if (!take(&p, ' ') || !number(&p, 1, 2, &day))
            return false;
        take(&p, ',');
        if (!take(&p, ' ') || digits(&p, 4, &year) != 4)
            return false;
    } else {
        int count = digits(&p, 4, &day);
        if (!between(&p, &sign) || !month_part(&p, &month) || !between(&p, &sign))
            return false;
        year = day;
        if (count == 4 ? !number(&p, 1, 2, &day) : count > 2 || !year_part(&p, &year))
            return false;
    }
    *c = p;
    return days_of(year, month, day, days);
}

static bool date_part(Cursor *c, DateOrder order, int64_t *days)
{
    int part[3];
    const char *begin = c->at;
    bool year_first = order == ORDER_YMD;
    if (!number(c, year_first ? 4 : 1, year_first ? 4 : 2, &part[0]) || c->at >= c->end)
        return false;
    char sign = *c->at;
    if ((sign != '-' && sign != '/' && sign != '.') || !take(c, sign) ||
        !number(c, 1, 2, &part[1]) || !take(c, sign))
        return false;
    const char *last = c->at;
    if (year_first)
        return number(c, 1, 2, &part[2]) && days_of(part[0], part[1], part[2], days);
    if (!year_part(c, &part[2]))
        return false;
    bool short_year = c->at - last == 2;
    if (short_year && sign != '/' && last - begin != 6) /* 1.2.10 is a version */
        return false;
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
    if (n < 6)
        return false;
    if (order == ORDER_YMD && stamp_usual(s, n, micros)) {
        *has_time = n == 19;
        return true;
    }
    Cursor c = {s, s + n};
    if (!date_part(&c, order, &days)) {
        c = (Cursor){s, s + n};
        if (!named_part(&c, &days))
            return false;
    }
    *has_time = c.at < c.end;
    if (*has_time && ((!take(&c, ' ') && !take(&c, 'T')) || !clock_part(&c, &clock)))
        return false;
    *micros = days * 86400000000 + clock;
    return c.at == c.end;
}
