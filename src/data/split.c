/* split.c -- which rows train, validate and test: a seeded hash of the row's number. */
#include "data_int.h"

#include <math.h>

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
    double u = (double)(mix(mix(s->seed) ^ row) >> 11) * 0x1p-53;
    if (u < s->share[PART_TRAIN])
        return PART_TRAIN;
    return u < s->share[PART_TRAIN] + s->share[PART_VALID] || s->share[PART_TEST] <= 0 ? PART_VALID
                                                                                       : PART_TEST;
}

bool split_parse(const char *text, Split *out, Error *err)
{
    double share[PART_COUNT], sum = 0;
    const char *s = text;
    for (int i = 0; i < PART_COUNT; i++) {
        const char *end = i < PART_COUNT - 1 ? strchr(s, '/') : s + strlen(s);
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
    for (int i = 0; i < PART_COUNT; i++)
        out->share[i] = share[i] / sum;
    return true;
}
