/* ranking.c -- metrics of the order of the scores: areas under the ROC curve, and under precision and recall.
 *
 * Rows are gone through from the highest score down, equal scores as one step, in memory that does not
 * grow with them: stretches of the scale that hold at most so many rows are gathered and sorted one after
 * the other, and where those are is found by counting. Few rows are one stretch. */
#include "train_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PARTS_BITS 12
#define PARTS      ((size_t)1 << PARTS_BITS) /* of a stretch that holds too many */

typedef struct Ranked {
    uint64_t key;
    double truth;
} Ranked;

typedef struct Ranking {
    const double *value, *truth;
    size_t n, most;
    Ranked *some; /* [most] */
    /* what is added up */
    bool precision;
    double positive, tp, fp, area;
} Ranking;

/* As unsigned in the order of the doubles; -0 is 0. */
static uint64_t key_of(double v)
{
    uint64_t bits;
    v += 0.0;
    memcpy(&bits, &v, sizeof bits);
    return bits ^ ((uint64_t)((int64_t)bits >> 63) | UINT64_C(1) << 63);
}

/* One step: so many of class 1 and of class 0 have the next score.
 *
 * ROC: trapezoids, P(score of a 1 > score of a 0), ties half. Precision and recall: interpolated as in
 * Davis and Goadrich (2006), as XGBoost does: between two thresholds false positives grow in proportion to
 * true ones. */
static void step(Ranking *r, double up, double across)
{
    if (!r->precision) {
        r->area += across * (r->tp + up / 2.0);
    } else if (up > 0.0) {
        double h = across / up, a = 1.0 + h, b = (r->fp - h * r->tp) / r->positive;
        double from = r->tp / r->positive, to = (r->tp + up) / r->positive;
        r->area += b != 0.0 ? (to - from - b / a * (log(a * to + b) - log(a * from + b))) / a
                            : (to - from) / a;
    }
    r->tp += up;
    r->fp += across;
}

static int descending(const void *left, const void *right)
{
    uint64_t a = ((const Ranked *)left)->key, b = ((const Ranked *)right)->key;
    return (a < b) - (a > b);
}

/* Keys from low to high, of which there are at most `most`. */
static void walk_few(Ranking *r, uint64_t low, uint64_t high)
{
    size_t count = 0;
    for (size_t i = 0; i < r->n; i++) {
        uint64_t key = key_of(r->value[i]);
        if (key >= low && key <= high)
            r->some[count++] = (Ranked){key, r->truth[i]};
    }
    qsort(r->some, count, sizeof *r->some, descending);
    for (size_t i = 0; i < count;) {
        double up = 0.0, across = 0.0;
        for (uint64_t key = r->some[i].key; i < count && r->some[i].key == key; i++) {
            up += r->some[i].truth;
            across += 1.0 - r->some[i].truth;
        }
        step(r, up, across);
    }
}

/* Any number of rows with this very score. */
static void walk_one(Ranking *r, uint64_t key)
{
    double up = 0.0, across = 0.0;
    for (size_t i = 0; i < r->n; i++)
        if (key_of(r->value[i]) == key) {
            up += r->truth[i];
            across += 1.0 - r->truth[i];
        }
    step(r, up, across);
}

/* Keys from low on, 2^bits of them. */
static void walk(Ranking *r, uint64_t low, unsigned bits)
{
    unsigned shift = bits > PARTS_BITS ? bits - PARTS_BITS : 0;
    size_t parts = (size_t)1 << (bits - shift), *count = mem_alloc(parts * sizeof *count);
    for (size_t i = 0; i < r->n; i++) {
        uint64_t at = key_of(r->value[i]) - low;
        if (bits == 64 || at >> bits == 0)
            count[at >> shift]++;
    }
    for (size_t part = parts; part-- > 0;) {
        uint64_t first = low + ((uint64_t)part << shift);
        size_t rows = count[part], top = part;
        if (rows > r->most && shift == 0)
            walk_one(r, first);
        else if (rows > r->most)
            walk(r, first, shift);
        if (rows == 0 || rows > r->most)
            continue;
        while (part > 0 && rows + count[part - 1] <= r->most) /* neighbours go along */
            rows += count[--part];
        walk_few(r, low + ((uint64_t)part << shift), low + ((uint64_t)top << shift) + ((UINT64_C(1) << shift) - 1));
    }
    mem_free(count);
}

static void rank(Ranking *r)
{
    for (size_t i = 0; i < r->n; i++)
        r->positive += r->truth[i];
    r->some = mem_alloc((r->n < r->most ? r->n : r->most) * sizeof *r->some + 1);
    if (r->n <= r->most)
        walk_few(r, 0, UINT64_MAX);
    else
        walk(r, 0, 64);
    mem_free(r->some);
}

double ranking_auc(const double *value, const double *truth, size_t n, size_t most)
{
    Ranking r = {.value = value, .truth = truth, .n = n, .most = most};
    rank(&r);
    double negative = (double)n - r.positive;
    return r.positive > 0.0 && negative > 0.0 ? r.area / (r.positive * negative) : (double)NAN;
}

double ranking_aucpr(const double *value, const double *truth, size_t n, size_t most)
{
    Ranking r = {.value = value, .truth = truth, .n = n, .most = most, .precision = true};
    rank(&r);
    return r.positive > 0.0 && r.positive < (double)n ? r.area : (double)NAN;
}
