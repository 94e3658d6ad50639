/* values_amount.c -- numbers dressed for people: a currency sign before or behind, digits in groups of
 * three, a percent sign (which is dropped: 45% is 45, and the column is noted to be percent).
 *
 *     $1,234.50    -$5    1.234,50 â¬    1'234    1 234    45%
 *
 * Which of . and , divides groups follows from the decimal sign. Groups must be whole: 12,34 is no
 * amount. */
#include "reader_int.h"

#include <string.h>

#define DIGITS_MOST 64

typedef struct Rest {
    const char *at, *end;
} Rest;

static bool take(Rest *r, const char *text)
{
    size_t n = strlen(text);
    if ((size_t)(r->end - r->at) < n || memcmp(r->at, text, n) != 0)
        return false;
    r->at += n;
    return true;
}

static bool drop(Rest *r, const char *text)
{
    size_t n = strlen(text);
    if ((size_t)(r->end - r->at) < n || memcmp(r->end - n, text, n) != 0)
        return false;
    r->end -= n;
    return true;
}

/* Dollar, euro, pound, yen. */
static const char *const currencies[] = {"$", "\xe2\x82\xac", "\xc2\xa3", "\xc2\xa5", NULL};

/* Signs off; true if there was one that plain numbers do not have. */
static bool undress(Rest *r, bool *minus)
{
    bool dressed = false;
    *minus = take(r, "-");
    for (int i = 0; currencies[i] && !dressed; i++)
        dressed = take(r, currencies[i]);
    if (dressed) {
        take(r, " ");
        *minus = *minus || take(r, "-");
        return true;
    }
    dressed = drop(r, "%");
    for (int i = 0; currencies[i] && !dressed; i++)
        dressed = drop(r, currencies[i]);
    if (dressed && !drop(r, " "))
        drop(r, "\xc2\xa0"); /* a blank that does not break */
    return dressed;
}

static bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

/* The sign between groups: what stands behind the first one to three digits. */
static char group_sign(const Rest *r, char decimal)
{
    const char *p = r->at;
    while (p < r->end && is_digit(*p))
        p++;
    bool first = p > r->at && p - r->at <= 3 && p < r->end;
    return first && *p != decimal && strchr(",.' ", *p) ? *p : '\0';
}

/* Digits without the signs between groups; 0: the groups are not whole. */
static size_t ungroup(const Rest *r, char decimal, char group, char *out)
{
    size_t n = 0, run = 0;
    bool grouped = false, behind = false;
    for (const char *p = r->at; p < r->end; p++) {
        bool ends_group = !behind && (*p == group || *p == decimal);
        if (ends_group && (grouped ? run != 3 : run > 3 || run == 0))
            return 0;
        if (!behind && *p == group) {
            grouped = true;
            run = 0;
            continue;
        }
        if (!behind && *p == decimal)
            behind = true;
        else if (!is_digit(*p))
            return 0;
        run++;
        out[n++] = *p;
    }
    return behind || run == 3 ? n : 0;
}

bool value_amount(const char *s, size_t n, char decimal, double *out)
{
    char room[3 * PADDING], *digits = room + PADDING;
    Rest r = {s, s + n};
    bool minus, dressed = n && n < DIGITS_MOST && undress(&r, &minus);
    if (!n || n >= DIGITS_MOST || r.at == r.end || !(is_digit(*r.at) || *r.at == decimal))
        return false;
    char group = group_sign(&r, decimal);
    size_t count = (size_t)(r.end - r.at);
    if (group == ' ' && !dressed && !memchr(r.at, decimal, count))
        return false; /* 255 255 255 is three numbers */
    memset(room, 0, sizeof room);
    if (group)
        count = ungroup(&r, decimal, group, digits);
    else if (dressed)
        memcpy(digits, r.at, count);
    if ((!group && !dressed) || !count || !value_real(digits, count, decimal, false, out))
        return false;
    *out = minus ? -*out : *out;
    return true;
}
