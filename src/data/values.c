/* values.c -- one field as a value: what it can be, and what it is.
 *
 * The same functions guess a type from a sample and read it afterwards, so a guess and its reading
 * cannot disagree. Text with leading zeros (007, 02139) is no number unless one was asked for. */
#include "reader_int.h"

#include "digits.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#define AS_TYPE(name, type, text) [READ_##name] = COLUMN_##type,
static const ColumnType types[READ_COUNT] = {READ_KINDS(AS_TYPE)};
#define AS_NAME(name, type, text) [READ_##name] = text,
static const char *const names[READ_COUNT] = {READ_KINDS(AS_NAME)};

ColumnType read_type(ReadAs r)
{
    return types[r];
}

const char *read_name(ReadAs r)
{
    return names[r];
}

/* The word's number in TRUTHS, whatever its case; -1: no truth value. */
int value_truth(const char *s, size_t n)
{
    static const char *const words[] = {"false", "true", "no", "yes", "f", "t", "n", "y", "0", "1"};
    static const uint8_t sizes[] = {5, 4, 2, 3, 1, 1, 1, 1, 1, 1};
    for (int i = 0; n <= 5 && i < (int)sizeof sizes; i++)
        if (sizes[i] == n && (*s | 0x20) == (*words[i] | 0x20) && !strncasecmp(s, words[i], n))
            return i;
    return -1;
}

bool value_bool(const char *s, size_t n, bool lenient, bool *out)
{
    int truth = value_truth(s, n);
    *out = truth & 1;
    return truth >= 0 && (lenient || truth < TRUTH_ASKED);
}

/* ---- numbers ---- */

/* Digits from s up to end: their value behind *out (modulo 2^64 beyond 19 of them). */
static inline const char *digits(const char *s, const char *end, uint64_t *out)
{
    static const uint32_t scale[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    uint64_t value = *out;
    size_t count;
    do {
        uint64_t raw = digits_load(s);
        count = digits_count(raw);
        if (count > (size_t)(end - s))
            count = (size_t)(end - s);
        if (!count)
            break;
        value = value * scale[count] + digits_value(raw, count);
        s += count;
    } while (count == 8);
    *out = value;
    return s;
}

/* 5.0 where an int was asked for. */
static bool whole_real(const char *s, size_t n, int64_t *out)
{
    double real;
    if (!text_to_real(s, n, &real) || real != trunc(real) || fabs(real) > 9007199254740992.0)
        return false;
    *out = (int64_t)real;
    return true;
}

bool value_int(const char *s, size_t n, bool lenient, int64_t *out)
{
    if (digits_int(s, n, lenient, out))
        return true;
    const char *end = s + n, *p = s;
    bool minus = n && *p == '-';
    p += minus || (lenient && n && *p == '+');
    if (p == end)
        return false;
    size_t count = (size_t)(end - p);
    if (!lenient && *p == '0' && (count > 1 || minus))
        return false;
    uint64_t value = 0;
    if (count > 18 || digits(p, end, &value) != end) {
        if (count > 18 && text_to_int(s, n, out))
            return true;
        return lenient && whole_real(s, n, out);
    }
    *out = minus ? -(int64_t)value : (int64_t)value;
    return true;
}

/* Rare forms: exponents far out, more than 19 digits, inf; correctly rounded by base. */
static bool slow_real(const char *s, size_t n, char decimal, double *out)
{
    char copy[128];
    if (decimal == '.' || n >= sizeof copy)
        return decimal == '.' && text_to_real(s, n, out);
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '.')
            return false;
        copy[i] = s[i] == decimal ? '.' : s[i];
    }
    return text_to_real(copy, n, out);
}

/* What is left: more than 16 digits, an exponent, odd forms. */
static __attribute__((noinline)) bool long_real(const char *s, size_t n, char decimal, bool lenient,
                                                double *out)
{
    const char *end = s + n, *p = s;
    bool minus = *p == '-';
    p += minus || *p == '+';
    uint64_t value = 0;
    const char *whole = p;
    p = digits(p, end, &value);
    size_t count = (size_t)(p - whole);
    if (p < end && *p == decimal) {
        const char *point = ++p;
        p = digits(p, end, &value);
        size_t behind = (size_t)(p - point);
        count += behind;
        if (p == end && count && count <= 19 && decimal_real(value, (int)behind, out)) {
            *out = minus ? -*out : *out;
            return true;
        }
    } else if (!lenient && p == end) {
        bool name = (count > 1 && *whole == '0') || *s == '+'; /* 007, +4930123 */
        if (name || count > 19 || value > INT64_MAX)
            return false;
    }
    return slow_real(s, n, decimal, out) || (lenient && value_amount(s, n, decimal, out));
}

bool value_real(const char *s, size_t n, char decimal, bool lenient, double *out)
{
    return digits_real(s, n, decimal, lenient, out) ||
           (n && long_real(s, n, decimal, lenient, out));
}

/* ---- kinds ---- */

static bool has_digit(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned)(s[i] - '0') < 10)
            return true;
    return false;
}

unsigned value_kinds(const char *s, size_t n, char decimal)
{
    unsigned kinds = 0;
    bool truth, clock;
    int64_t whole;
    double real;
    if (value_bool(s, n, false, &truth))
        kinds |= READ_BIT(READ_BOOL);
    if (value_int(s, n, false, &whole))
        kinds |= READ_BIT(READ_INT);
    if (value_real(s, n, decimal, false, &real))
        kinds |= READ_BIT(READ_REAL) | READ_BIT(READ_AMOUNT);
    else if (value_amount(s, n, decimal, &real))
        kinds |= READ_BIT(READ_AMOUNT);
    for (int order = 0; order < 3 && has_digit(s, n); order++)
        if (value_stamp(s, n, (DateOrder)order, &whole, &clock)) {
            kinds |= READ_BIT(READ_TIME_YMD + order);
            if (!clock)
                kinds |= READ_BIT(READ_DATE_YMD + order);
        }
    return kinds;
}

unsigned read_implies(ReadAs r)
{
    const unsigned mdy = READ_BIT(READ_TIME_MDY) | READ_BIT(READ_TIME_DMY);
    switch (r) {
    case READ_INT:
        return READ_BIT(READ_INT) | READ_BIT(READ_REAL) | READ_BIT(READ_AMOUNT);
    case READ_REAL:
        return READ_BIT(READ_REAL) | READ_BIT(READ_AMOUNT);
    case READ_DATE_YMD:
        return READ_BIT(READ_DATE_YMD) | READ_BIT(READ_TIME_YMD);
    case READ_DATE_MDY:
    case READ_DATE_DMY:
        return mdy | READ_BIT(READ_DATE_MDY) | READ_BIT(READ_DATE_DMY);
    case READ_TIME_MDY:
    case READ_TIME_DMY:
        return mdy;
    case READ_TEXT:
        return 0;
    case READ_NONE:
        return READ_ALL;
    default:
        return READ_BIT(r);
    }
}

ReadAs read_best(unsigned kinds)
{
    for (int r = 0; r < READ_TEXT; r++)
        if (kinds & READ_BIT(r))
            return (ReadAs)r;
    return READ_TEXT;
}

/* ---- missing ---- */

const char *const null_always[] = {"NULL", "null", "\\N", "N/A", "#N/A", "(null)", "<NA>", NULL};
const char *const null_evidence[] = {"NA",  "n/a", "NaN", "nan",     "None",    "none",
                                     "nil", "?",   "-",   "--",      ".",       "Null",
                                     "NAN", "na",  "#NA", "missing", "MISSING", NULL};

void nullwords_add(NullWords *n, const char *word)
{
    size_t size = strlen(word);
    if (!size || nullwords_has(n, word, size))
        return;
    vec_add(&n->word, word);
    n->first[(uint8_t)word[0]] = 1;
    n->longest = size > n->longest ? size : n->longest;
}

bool nullwords_has_(const NullWords *n, const char *s, size_t size)
{
    for (size_t i = 0; i < n->word.count; i++)
        if (strlen(n->word.at[i]) == size && !memcmp(n->word.at[i], s, size))
            return true;
    return false;
}

void nullwords_release(NullWords *n)
{
    vec_release(&n->word);
    *n = (NullWords){0};
}
