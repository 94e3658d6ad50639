/* split.c -- which rows train, validate and test: a seeded hash of the row's number, or the order of a
 * column. */
#include "data_int.h"

#include <math.h>
#include <string.h>

static const char *const part_names[] = {"train", "valid", "test"};

const char *part_name(Part p)
{
    return part_names[p];
}

/* Splitmix64's finaliser (Steele, Lea and Flood 2014) over seed and row: written down here because
 * a dataset's split must stay the same for ever. */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

Part split_part(const Split *s, uint64_t row)
{
    if (s->part)
        return row < s->rows ? (Part)s->part[row] : PART_TEST;
    double u = (double)(mix(mix(s->seed) ^ row) >> 11) * 0x1p-53;
    if (u < s->share[PART_TRAIN])
        return PART_TRAIN;
    return u < s->share[PART_TRAIN] + s->share[PART_VALID] || s->share[PART_TEST] <= 0 ? PART_VALID
                                                                                       : PART_TEST;
}

bool split_parse(const char *text, Split *out, Error *err)
{
    double share[PART_COUNT], sum = 0;
    const char *s = text, *by = strchr(text, '@');
    for (int i = 0; i < PART_COUNT; i++) {
        const char *end = i < PART_COUNT - 1 ? strchr(s, '/') : by ? by : s + strlen(s);
        if (!end || !text_to_real(s, (size_t)(end - s), &share[i]) || !(share[i] >= 0) ||
            !isfinite(share[i]))
            return error_set(err, ERROR_USAGE,
                             "split: expected train/valid/test such as 70/15/15, found '%s'", text);
        sum += share[i];
        s = end + 1;
    }
    if (fabs(sum - 100) > 1e-6 && fabs(sum - 1) > 1e-6)
        return error_set(err, ERROR_USAGE, "split: the shares of '%s' sum to %g, expected 100",
                         text, sum);
    if (share[PART_TRAIN] <= 0)
        return error_set(err, ERROR_USAGE, "split: '%s' leaves no rows to train on", text);
    if (by && !by[1])
        return error_set(err, ERROR_USAGE, "split: by the order of which column? 70/15/15@COLUMN");
    for (int i = 0; i < PART_COUNT; i++)
        out->share[i] = share[i] / sum;
    out->by = by ? by + 1 : NULL;
    out->part = NULL;
    out->rows = 0;
    return true;
}

/* ---- by the order of a column ------------------------------------------------------------------- */

/* Where parts begin is asked of the values themselves, 16 bits at a time, in four passes: sorting them would
 * take 16 bytes a row, and the table may be larger than the memory there is. */
#define DIGITS 65536

typedef struct Cut {
    double share;     /* of the values before it */
    uint64_t rank;    /* of its value among those that begin with the same bits */
    uint64_t prefix;  /* those bits */
    bool beyond;      /* no value is in the part */
    uint64_t *digits; /* [DIGITS] */
} Cut;

/* Whole numbers of the same order. */
static uint64_t order_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static double value_of(uint64_t order)
{
    double x;
    uint64_t bits = order >> 63 ? order & ~(UINT64_C(1) << 63) : ~order;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static void count_digits(const Dataset *d, size_t column, Cut *cut, size_t cuts, unsigned shift)
{
    Arena a = {0};
    for (size_t k = 0; k < cuts; k++)
        memset(cut[k].digits, 0, DIGITS * sizeof *cut[k].digits);
    for (size_t i = 0; i < dataset_chunks(d); i++) {
        Column c;
        dataset_column(d, i, column, &a, &c);
        for (size_t row = 0; row < c.rows; row++) {
            double x = column_real(&c, row);
            uint64_t order = order_of(x);
            for (size_t k = 0; k < cuts && isfinite(x); k++)
                if (shift == 48 || order >> (shift + 16) == cut[k].prefix)
                    cut[k].digits[order >> shift & (DIGITS - 1)]++;
        }
        arena_reset(&a);
    }
    arena_release(&a);
}

static void begin_cut(Cut *c)
{
    uint64_t n = 0;
    for (size_t i = 0; i < DIGITS; i++)
        n += c->digits[i];
    double at = floor(c->share * (double)n + 0.5);
    c->beyond = !(at < (double)n);
    c->rank = c->beyond ? 0 : (uint64_t)at;
}

static void take_digit(Cut *c)
{
    uint64_t digit = 0;
    for (; digit + 1 < DIGITS && c->rank >= c->digits[digit]; digit++)
        c->rank -= c->digits[digit];
    c->prefix = c->prefix << 16 | digit;
}

static void find_cuts(const Dataset *d, size_t column, Cut *cut, size_t cuts)
{
    for (unsigned shift = 48; shift <= 48; shift -= 16) { /* wraps around behind 0 */
        count_digits(d, column, cut, cuts, shift);
        for (size_t k = 0; k < cuts; k++) {
            if (shift == 48)
                begin_cut(&cut[k]);
            if (!cut[k].beyond)
                take_digit(&cut[k]);
        }
    }
}

static void deal(Split *s, const Dataset *d, size_t column, double valid, double test)
{
    Arena a = {0};
    uint64_t at = 0;
    for (size_t i = 0; i < dataset_chunks(d); i++) {
        Column c;
        dataset_column(d, i, column, &a, &c);
        for (size_t row = 0; row < c.rows; row++) {
            double x = column_real(&c, row);
            s->part[at++] = x >= test ? PART_TEST : x >= valid ? PART_VALID : PART_TRAIN;
        }
        arena_reset(&a);
    }
    arena_release(&a);
}

bool split_bind(Split *s, const Dataset *d, Error *err)
{
    if (!s->by)
        return true;
    size_t column = schema_need(dataset_schema(d), s->by, err), rows = (size_t)dataset_rows(d);
    if (column == SIZE_MAX)
        return error_in(err, "split");
    if (dataset_schema(d)->field[column].type == COLUMN_TEXT)
        return error_set(err, ERROR_USAGE,
                         "split: %s is text; the order of numbers and times is meant", s->by);
    s->part = mem_try(rows + 1, err);
    if (!s->part)
        return false;
    bool tests = s->share[PART_TEST] > 0;
    Cut cut[] = {{.share = s->share[PART_TRAIN]},
                 {.share = s->share[PART_TRAIN] + s->share[PART_VALID]}};
    uint64_t *digits = mem_alloc(2 * DIGITS * sizeof *digits);
    cut[0].digits = digits;
    cut[1].digits = digits + DIGITS;
    find_cuts(d, column, cut, tests ? 2 : 1);
    mem_free(digits);
    s->rows = rows;
    deal(s, d, column, cut[0].beyond ? (double)INFINITY : value_of(cut[0].prefix),
         !tests || cut[1].beyond ? (double)INFINITY : value_of(cut[1].prefix));
    return true;
}

void split_release(Split *s)
{
    mem_free(s->part);
    s->part = NULL;
}
