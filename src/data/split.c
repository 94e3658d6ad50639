/* split.c -- which rows train, validate and test: a seeded hash of the row's number, or the order of a
 * column. */
#include "data_int.h"

#include <math.h>
#include <stdlib.h>
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

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void read_values(const Dataset *d, size_t column, double *into)
{
    Arena a = {0};
    uint64_t at = 0;
    for (size_t i = 0; i < dataset_chunks(d); i++) {
        Column c;
        dataset_column(d, i, column, &a, &c);
        for (size_t row = 0; row < c.rows; row++)
            into[at++] = column_real(&c, row);
        arena_reset(&a);
    }
    arena_release(&a);
}

/* The value at which a part begins; beyond the last one: infinity. */
static double cut(const double *sorted, uint64_t n, double share)
{
    double at = floor(share * (double)n + 0.5);
    return at < (double)n ? sorted[(uint64_t)at] : (double)INFINITY;
}

static void deal(Split *s, const double *value, double valid, double test)
{
    for (uint64_t i = 0; i < s->rows; i++)
        s->part[i] = value[i] >= test ? PART_TEST : value[i] >= valid ? PART_VALID : PART_TRAIN;
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
    double *value = mem_try((rows + 1) * sizeof *value, err), *sorted = NULL;
    s->part = value ? mem_try(rows + 1, err) : NULL;
    sorted = s->part ? mem_try((rows + 1) * sizeof *sorted, err) : NULL;
    if (sorted) {
        uint64_t n = 0;
        read_values(d, column, value);
        for (size_t i = 0; i < rows; i++)
            if (isfinite(value[i]))
                sorted[n++] = value[i];
        qsort(sorted, n, sizeof *sorted, ascending);
        s->rows = rows;
        deal(s, value, cut(sorted, n, s->share[PART_TRAIN]),
             s->share[PART_TEST] > 0 ? cut(sorted, n, s->share[PART_TRAIN] + s->share[PART_VALID])
                                     : (double)INFINITY);
    }
    mem_free(value);
    mem_free(sorted);
    return sorted != NULL;
}

void split_release(Split *s)
{
    mem_free(s->part);
    s->part = NULL;
}
