/* group_codes.c -- the values of keys as codes. */
#include "group_int.h"

#include <math.h>

#define DAY INT64_C(86400000000)

static inline int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* ---- parts of a time ----------------------------------------------------------------------------- */

static void take_civil(GroupPart part, int64_t *v, size_t n)
{
    int64_t last_day = INT64_MIN, last = 0;
    for (size_t i = 0; i < n; i++) {
        if (v[i] != last_day) { /* rows of one day often follow each other */
            int year, month, day;
            last_day = v[i];
            date_civil(v[i], &year, &month, &day);
            last = part == GROUP_YEAR ? year : part == GROUP_MONTH ? month : day;
        }
        v[i] = last;
    }
}

/* v[i] / unit towards the past, and what is left (rest may be NULL), without a division of integers:
 * below 2^52 doubles hold the numbers, their quotient is at most one off, and the rest, exact, says so. */
static void divide(int64_t *restrict v, size_t n, int64_t unit, int64_t *restrict rest)
{
    double over = 1.0 / (double)unit, times = (double)unit;
    int64_t far = 0;
    for (size_t i = 0; i < n; i++)
        far |= v[i] ^ v[i] >> 63; /* magnitudes */
    for (size_t i = 0; far >> 52 && i < n; i++) {
        int64_t q = floor_div(v[i], unit);
        if (rest)
            rest[i] = v[i] - q * unit;
        v[i] = q;
    }
    for (size_t i = 0; !(far >> 52) && i < n; i++) {
        double x = (double)v[i], q = floor(x * over), left = x - q * times;
        q = left < 0 ? q - 1 : left >= times ? q + 1 : q;
        if (rest)
            rest[i] = (int64_t)(x - q * times);
        v[i] = (int64_t)q;
    }
}

static void modulo(int64_t *restrict v, size_t n, int64_t unit)
{
    int64_t rest[BLOCK];
    divide(v, n, unit, rest);
    memcpy(v, rest, n * sizeof *v);
}

static void take_part(const KeyCode *key, int64_t *v, size_t n)
{
    bool time = key->type == COLUMN_TIME;
    switch (key->part) {
    case GROUP_VALUE:
    case GROUP_BIN:
        return;
    case GROUP_HOUR:
        divide(v, n, DAY / 24, NULL);
        modulo(v, n, 24);
        if (!time) /* a date has no hour but its first */
            memset(v, 0, n * sizeof *v);
        return;
    default:
        if (time)
            divide(v, n, DAY, NULL);
    }
    if (key->part == GROUP_WEEKDAY) {
        for (size_t i = 0; i < n; i++)
            v[i] += 3; /* 1970-01-01 was a Thursday, number 3 */
        modulo(v, n, 7);
    } else if (key->part != GROUP_DATE) {
        take_civil(key->part, v, n);
    }
}

/* ---- codes ----------------------------------------------------------------------------------------- */

static void code_bins(const KeyCode *key, const Piece *p, size_t at, size_t n, uint64_t *code)
{
    double v[BLOCK];
    load_reals(p, key->k, at, n, v);
    for (size_t i = 0; i < n; i++) {
        double bin = key->width > 0 ? (v[i] - key->low) / key->width : 0;
        bin = fmin(fmax(bin, 0), key->bins - 1);
        code[i] = isfinite(v[i]) ? (uint64_t)bin : key->size - 1;
    }
}

static void code_reals(const KeyCode *key, const Piece *p, size_t at, size_t n, uint64_t *code,
                       uint8_t *missing)
{
    double v[BLOCK];
    load_reals(p, key->k, at, n, v);
    for (size_t i = 0; i < n; i++) {
        bool none = isnan(v[i]);
        missing[i] = none;
        code[i] = none ? 0 : order_real(v[i]);
    }
}

static void code_texts(const KeyCode *key, const Piece *p, size_t at, size_t n, Intern *words,
                       uint64_t *code, uint8_t *missing)
{
    Span text[BLOCK];
    uint8_t has[BLOCK];
    load_texts(p, key->k, at, n, text, has);
    for (size_t i = 0; i < n; i++) {
        missing[i] = !has[i];
        code[i] = has[i] ? intern(words, text[i]) : 0;
    }
}

static void code_ints(Grouping *g, const KeyCode *key, const Piece *p, size_t at, size_t n,
                      uint64_t *code, uint8_t *missing)
{
    int64_t *v = (int64_t *)code;
    uint8_t has[BLOCK];
    load_ints(p, key->k, at, n, v, has);
    take_part(key, v, n);
    if (!key->size) {
        for (size_t i = 0; i < n; i++) {
            missing[i] = !has[i];
            code[i] = has[i] ? order_int(v[i]) : 0;
        }
        return;
    }
    uint64_t none = key->size - 1, least = (uint64_t)key->least, wrong = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t one = has[i] ? (uint64_t)v[i] - least : none;
        wrong |= one > none ? 1 : has[i] & (one == none);
        code[i] = one < none ? one : none;
    }
    if (wrong)
        atomic_store(&g->wrong, true);
}

void group_codes(Grouping *g, const KeyCode *key, const Piece *p, size_t at, size_t n,
                 Intern *words, uint64_t *code, uint8_t *missing)
{
    memset(missing, 0, n);
    if (key->part == GROUP_BIN)
        code_bins(key, p, at, n, code);
    else if (key->type == COLUMN_REAL)
        code_reals(key, p, at, n, code, missing);
    else if (key->plain)
        code_texts(key, p, at, n, words, code, missing);
    else
        code_ints(g, key, p, at, n, code, missing);
}

/* ---- plain text -------------------------------------------------------------------------------------- */

static void grow(Intern *t)
{
    size_t slots = t->slots ? 2 * t->slots : 256;
    mem_free(t->slot);
    t->slot = mem_alloc(slots * sizeof *t->slot);
    t->slots = slots;
    for (size_t i = 0; i < t->count; i++) {
        size_t at = hash_bytes(t->text[i].at, t->text[i].n, 0) & (slots - 1);
        while (t->slot[at])
            at = (at + 1) & (slots - 1);
        t->slot[at] = (uint32_t)(i + 1);
    }
}

uint64_t intern(Intern *t, Span text)
{
    if (2 * t->count >= t->slots)
        grow(t);
    size_t at = hash_bytes(text.at, text.n, 0) & (t->slots - 1);
    for (; t->slot[at]; at = (at + 1) & (t->slots - 1)) {
        Span one = t->text[t->slot[at] - 1];
        if (one.n == text.n && memcmp(one.at, text.at, text.n) == 0)
            return t->slot[at] - 1;
    }
    if (t->count == t->room) {
        t->room = t->room ? 2 * t->room : 256;
        t->text = mem_resize(t->text, t->room * sizeof *t->text);
    }
    t->text[t->count++] = text;
    t->slot[at] = (uint32_t)t->count;
    return t->count - 1;
}

void intern_release(Intern *t)
{
    mem_free(t->text);
    mem_free(t->slot);
    *t = (Intern){0};
}
