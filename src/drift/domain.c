/* domain.c -- can rows be told to be of the chunk rather than of the reference? The domain classifier.
 *
 * A booster learns which is which on four fifths of both and says it of the last fifth, five times;
 * the area under the curve of all it said: 0.5 where nothing has changed, 1 where every row can be
 * told. Source: NannyML (REFERENCE.md 1.2). */
#include "drift_int.h"

#include <stdlib.h>

#define FOLDS 5
#define LEAST 10    /* rows on each side */
#define MOST  20000 /* rows on each side; more are thinned out evenly */

typedef struct Rows { /* of both sides, the reference's first */
    size_t n, columns;
    double **column;
    float *side; /* 0 reference, 1 chunk */
    uint8_t *fold;
    const bool *label;
} Rows;

static size_t taken(size_t rows, size_t *stride)
{
    *stride = (rows + MOST - 1) / MOST;
    return *stride ? rows / *stride : 0;
}

static void take(Rows *r, const DriftMatrix *m, size_t at, size_t n, size_t stride, float side,
                 Rng *rng)
{
    uint32_t *order = mem_alloc((n + 1) * sizeof *order);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < r->columns; k++)
            r->column[k][at + i] = m->column[k][i * stride];
        r->side[at + i] = side;
        order[i] = (uint32_t)(at + i);
    }
    rng_shuffle(rng, order, n);
    for (size_t i = 0; i < n; i++)
        r->fold[order[i]] = (uint8_t)(i % FOLDS);
    mem_free(order);
}

static void rows_init(Rows *r, const DriftMatrix *reference, const DriftMatrix *chunk,
                      uint64_t seed)
{
    size_t apart[2], n = taken(reference->rows, &apart[0]), m = taken(chunk->rows, &apart[1]);
    Rng rng;
    rng_seed(&rng, seed, 5);
    *r = (Rows){.n = n + m, .columns = reference->columns, .label = reference->label};
    r->column = mem_alloc(r->columns * sizeof *r->column);
    for (size_t k = 0; k < r->columns; k++)
        r->column[k] = mem_alloc(r->n * sizeof(double));
    r->side = mem_alloc(r->n * sizeof *r->side);
    r->fold = mem_alloc(r->n);
    take(r, reference, 0, n, apart[0], 0.0f, &rng);
    take(r, chunk, n, m, apart[1], 1.0f, &rng);
}

static void rows_release(Rows *r)
{
    for (size_t k = 0; r->column && k < r->columns; k++)
        mem_free(r->column[k]);
    mem_free(r->column);
    mem_free(r->side);
    mem_free(r->fold);
}

/* The rows of one fold, or of all but it. */
static void pick(Rows *to, const Rows *all, size_t fold, bool in)
{
    *to = (Rows){.columns = all->columns, .label = all->label};
    to->column = mem_alloc(all->columns * sizeof *to->column);
    to->side = mem_alloc((all->n + 1) * sizeof *to->side);
    for (size_t k = 0; k < all->columns; k++) {
        to->column[k] = mem_alloc((all->n + 1) * sizeof(double));
        to->n = 0;
        for (size_t i = 0; i < all->n; i++)
            if ((all->fold[i] == fold) == in) {
                to->side[to->n] = all->side[i];
                to->column[k][to->n++] = all->column[k][i];
            }
    }
}

static DriftMatrix as_matrix(const Rows *r)
{
    return (DriftMatrix){r->n, r->columns, (const double *const *)r->column, r->label};
}

typedef struct Said {
    double score, side;
} Said;

static int by_score(const void *left, const void *right)
{
    const Said *a = left, *b = right;
    if (a->score != b->score)
        return a->score < b->score ? -1 : 1;
    return (a->side > b->side) - (a->side < b->side);
}

static bool say_fold(const Rows *all, size_t fold, Said *said, size_t *n, uint64_t seed, Pool *pool,
                     Error *err)
{
    Rows learn, judge;
    pick(&learn, all, fold, false);
    pick(&judge, all, fold, true);
    DriftMatrix rows = as_matrix(&learn);
    Booster *b = booster_fit(&rows, NULL, learn.side, TASK_BINARY, seed, pool, err);
    if (b) {
        float *score = mem_alloc((judge.n + 1) * sizeof *score);
        rows = as_matrix(&judge);
        booster_score(b, &rows, NULL, score);
        for (size_t i = 0; i < judge.n; i++)
            said[(*n)++] = (Said){(double)score[i], (double)judge.side[i]};
        mem_free(score);
    }
    booster_destroy(b);
    rows_release(&learn);
    rows_release(&judge);
    return b != NULL;
}

static double pooled_area(Said *said, size_t n)
{
    double *score = mem_alloc((2 * n + 1) * sizeof *score), *side = score + n;
    qsort(said, n, sizeof *said, by_score);
    for (size_t i = 0; i < n; i++) {
        score[i] = said[i].score;
        side[i] = said[i].side;
    }
    double area = area_under(score, side, NULL, n);
    mem_free(score);
    return area;
}

bool domain_classifier(const DriftMatrix *reference, const DriftMatrix *chunk, uint64_t seed,
                       Pool *pool, double *auc, Error *err)
{
    if (reference->rows < LEAST || chunk->rows < LEAST || !reference->columns ||
        reference->columns != chunk->columns)
        return error_set(err, ERROR_SHAPE,
                         "telling rows apart needs %d rows on each side and the same columns, "
                         "found %zu and %zu rows",
                         LEAST, reference->rows, chunk->rows);
    Rows all;
    rows_init(&all, reference, chunk, seed);
    Said *said = mem_alloc((all.n + 1) * sizeof *said);
    size_t n = 0;
    bool ok = true;
    for (size_t fold = 0; ok && fold < FOLDS; fold++)
        ok = say_fold(&all, fold, said, &n, seed + fold, pool, err);
    if (ok)
        *auc = pooled_area(said, n);
    mem_free(said);
    rows_release(&all);
    return ok;
}

const DriftTest domain_classifier_test = {
    .name = "domain_classifier",
    .title = "domain classifier",
    .about =
        "area under the curve of a booster that tells both tables apart, all features together",
    .kinds = DRIFT_KIND_TABLE,
    .threshold = 0.65, /* and 0.45 from below */
};
