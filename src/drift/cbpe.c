/* cbpe.c -- how good a classifier is, from its own shares (confidence-based performance estimation).
 *
 *     TP = sum p where class 1 was said    FP = sum 1 - p where it was    FN = sum p where it was not
 *
 * p is the calibrated share. The area under the curve is that of expected pairs: every row is a
 * positive with weight p and a negative with 1 - p. With the truth as p the same sums are the true
 * performance. More classes: one against the rest each, the mean over those that occur (macro);
 * accuracy: mean p of the class that was said. Source: NannyML (REFERENCE.md 1.2); Bialek et al.,
 * arXiv:2401.08348. */
#include "drift_int.h"

#include <stdlib.h>

#define LEAST     10   /* rows to fit to */
#define RESAMPLES 60   /* for the deviations */
#define RESAMPLED 5000 /* rows of which each is drawn */
#define MEASURES  5

struct Cbpe {
    size_t classes, rows;
    Curve *curve;               /* [1] of class 1; more classes: [classes] */
    double deviation[MEASURES]; /* of a chunk of one row, so to say: over sqrt(n) that of n rows */
};

static const char *const measure_name[MEASURES] = {"accuracy", "f1", "auc", "precision", "recall"};

static double *measure_at(CbpeOut *o, size_t i)
{
    return i == 0   ? &o->accuracy
           : i == 1 ? &o->f1
           : i == 2 ? &o->auc
           : i == 3 ? &o->precision
                    : &o->recall;
}

/* ---- measures ------------------------------------------------------------------------------------- */

double area_under(const double *score, const double *share, const double *weight, size_t n)
{
    double positives = 0.0, negatives = 0.0, pairs = 0.0;
    for (size_t i = 0; i < n;) {
        double more[2] = {0.0, 0.0}, at = score[i];
        for (; i < n && score[i] == at; i++) {
            double w = weight ? weight[i] : 1.0;
            more[1] += w * share[i];
            more[0] += w * (1.0 - share[i]);
        }
        pairs += more[1] * (negatives + 0.5 * more[0]);
        positives += more[1];
        negatives += more[0];
    }
    double all = positives * negatives;
    return all > 0.0 ? pairs / all : (double)NAN;
}

/* One class against the rest, its rows sorted by its share. */
typedef struct Rows {
    size_t n;
    double *score, *share, *said; /* as the model said; p; 1 where the class was said */
    uint32_t *row;                /* where each stood */
} Rows;

static double ratio(double part, double whole)
{
    return whole > 0.0 ? part / whole : (double)NAN;
}

static CbpeOut measure(const Rows *r, const double *weight)
{
    double hit = 0.0, wrong = 0.0, missed = 0.0, passed = 0.0;
    for (size_t i = 0; i < r->n; i++) {
        double w = weight ? weight[i] : 1.0, p = w * r->share[i], said = r->said[i];
        hit += said * p;
        wrong += said * (w - p);
        missed += (1.0 - said) * p;
        passed += (1.0 - said) * (w - p);
    }
    return (CbpeOut){.accuracy = ratio(hit + passed, hit + passed + wrong + missed),
                     .f1 = ratio(hit, hit + 0.5 * (wrong + missed)),
                     .auc = area_under(r->score, r->share, weight, r->n),
                     .precision = ratio(hit, hit + wrong),
                     .recall = ratio(hit, hit + missed)};
}

/* ---- rows of a class ------------------------------------------------------------------------------ */

typedef struct Ordered {
    double score;
    uint32_t row;
} Ordered;

static int by_score(const void *left, const void *right)
{
    const Ordered *a = left, *b = right;
    if (a->score != b->score)
        return a->score < b->score ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

/* What is given, row by row; a row counts when all of its shares and what else is given are numbers. */
typedef struct Given {
    const double *share, *said, *truth; /* said, truth: or NULL */
    size_t n, classes, width;           /* width: shares a row */
} Given;

static Given given(const double *share, const double *said, const double *truth, size_t n,
                   size_t classes)
{
    return (Given){share, said, truth, n, classes, classes > 2 ? classes : 1};
}

static bool counts(const Given *g, size_t row)
{
    for (size_t k = 0; k < g->width; k++)
        if (!isfinite(g->share[row * g->width + k]))
            return false;
    if (g->truth && !(g->truth[row] >= 0.0 && g->truth[row] < (double)g->classes))
        return false;
    return !g->said || isfinite(g->said[row]);
}

static size_t said_at(const Given *g, size_t row)
{
    const double *share = g->share + row * g->width;
    size_t most = 0;
    if (g->said)
        return (size_t)fmax(0.0, g->said[row]);
    if (g->width == 1)
        return share[0] >= 0.5;
    for (size_t k = 1; k < g->width; k++)
        most = share[k] > share[most] ? k : most;
    return most;
}

static void rows_release(Rows *r)
{
    mem_free(r->score);
    mem_free(r->row);
    *r = (Rows){0};
}

/* Sorted by what was said of class k; share and said are left to be filled. */
static void rows_init(Rows *r, const Given *g, size_t k)
{
    Ordered *order = mem_alloc((g->n + 1) * sizeof *order);
    *r = (Rows){0};
    for (size_t i = 0; i < g->n; i++)
        if (counts(g, i))
            order[r->n++] = (Ordered){g->share[i * g->width + (g->width > 1 ? k : 0)], (uint32_t)i};
    qsort(order, r->n, sizeof *order, by_score);
    r->score = mem_alloc((3 * r->n + 1) * sizeof(double));
    r->share = r->score + r->n;
    r->said = r->share + r->n;
    r->row = mem_alloc((r->n + 1) * sizeof *r->row);
    for (size_t i = 0; i < r->n; i++) {
        r->score[i] = order[i].score;
        r->row[i] = order[i].row;
        r->said[i] = said_at(g, order[i].row) == (g->width > 1 ? k : 1);
    }
    mem_free(order);
}

static void rows_truth(Rows *r, const Given *g, size_t k)
{
    for (size_t i = 0; i < r->n; i++)
        r->share[i] = (size_t)g->truth[r->row[i]] == (g->width > 1 ? k : 1);
}

/* The calibrated share of class k; of several, so that they sum to 1. */
static double calibrated(const Cbpe *c, const Given *g, size_t row, size_t k)
{
    const double *share = g->share + row * g->width;
    double sum = 0.0;
    if (g->width == 1)
        return fmin(fmax(curve_at(&c->curve[0], share[0]), 0.0), 1.0);
    for (size_t i = 0; i < g->width; i++)
        sum += fmax(0.0, curve_at(&c->curve[i], share[i]));
    return sum > 0.0 ? fmax(0.0, curve_at(&c->curve[k], share[k])) / sum : 1.0 / (double)g->width;
}

/* ---- all classes ---------------------------------------------------------------------------------- */

/* c NULL: by the truth. */
static void rows_of_class(Rows *r, const Cbpe *c, const Given *g, size_t k)
{
    rows_init(r, g, k);
    if (!c)
        rows_truth(r, g, k);
    for (size_t i = 0; c && i < r->n; i++)
        r->share[i] = calibrated(c, g, r->row[i], k);
}

/* weight: of the given rows, or NULL; spare as long. */
static CbpeOut measure_class(const Rows *r, const double *weight, double *spare)
{
    for (size_t i = 0; weight && i < r->n; i++)
        spare[i] = weight[r->row[i]];
    return measure(r, weight ? spare : NULL);
}

/* Means over the classes for which a measure can be said; accuracy: over the rows. */
static CbpeOut measure_all(const Rows *r, size_t width, const double *weight, double *spare)
{
    if (width == 1)
        return measure_class(r, weight, spare);
    CbpeOut mean = {0.0, 0.0, 0.0, 0.0, 0.0};
    double found[MEASURES] = {0}, hit = 0.0, all = 0.0;
    for (size_t k = 0; k < width; k++) {
        CbpeOut one = measure_class(&r[k], weight, spare);
        for (size_t i = 1; i < MEASURES; i++)
            if (isfinite(*measure_at(&one, i))) {
                *measure_at(&mean, i) += *measure_at(&one, i);
                found[i]++;
            }
        for (size_t i = 0; i < r[k].n; i++) {
            double w = weight ? spare[i] : 1.0;
            hit += w * r[k].said[i] * r[k].share[i];
            all += k ? 0.0 : w;
        }
    }
    for (size_t i = 1; i < MEASURES; i++)
        *measure_at(&mean, i) = ratio(*measure_at(&mean, i), found[i]);
    mean.accuracy = ratio(hit, all);
    return mean;
}

static CbpeOut measure_given(const Cbpe *c, const Given *g)
{
    Rows *r = mem_alloc(g->width * sizeof *r);
    for (size_t k = 0; k < g->width; k++)
        rows_of_class(&r[k], c, g, k);
    CbpeOut out = measure_all(r, g->width, NULL, NULL);
    for (size_t k = 0; k < g->width; k++)
        rows_release(&r[k]);
    mem_free(r);
    return out;
}

CbpeOut cbpe_estimate(const Cbpe *c, const double *share, const double *said, size_t n)
{
    Given g = given(share, said, NULL, n, c->classes);
    return measure_given(c, &g);
}

CbpeOut cbpe_true(const double *share, const double *said, const double *truth, size_t n,
                  size_t classes)
{
    Given g = given(share, said, truth, n, classes);
    return measure_given(NULL, &g);
}

/* ---- fitting -------------------------------------------------------------------------------------- */

/* Deviations of the true measures over rows drawn with repetition, from some rows evenly spread. */
static void fit_deviations(Cbpe *c, const Given *all)
{
    size_t stride = (all->n + RESAMPLED - 1) / RESAMPLED, n = all->n / stride, width = all->width;
    double *share = mem_alloc((n * (width + 3) + 1) * sizeof *share), *truth = share + n * width;
    double *weight = truth + n, *spare = weight + n, sum[MEASURES] = {0}, squares[MEASURES] = {0},
           seen[MEASURES] = {0};
    for (size_t i = 0; i < n; i++) {
        memcpy(share + i * width, all->share + i * stride * width, width * sizeof *share);
        truth[i] = all->truth[i * stride];
    }
    Given g = given(share, NULL, truth, n, c->classes);
    Rows *r = mem_alloc(width * sizeof *r);
    for (size_t k = 0; k < width; k++)
        rows_of_class(&r[k], NULL, &g, k);
    Rng rng;
    rng_seed(&rng, 17, n);
    for (int round = 0; round < RESAMPLES; round++) {
        memset(weight, 0, n * sizeof *weight);
        for (size_t i = 0; i < n; i++)
            weight[rng_below(&rng, n)] += 1.0;
        CbpeOut one = measure_all(r, width, weight, spare);
        for (size_t i = 0; i < MEASURES; i++) {
            double x = *measure_at(&one, i);
            if (!isfinite(x))
                continue;
            seen[i] += 1.0;
            sum[i] += x;
            squares[i] += x * x;
        }
    }
    for (size_t i = 0; i < MEASURES; i++) {
        double mean = ratio(sum[i], seen[i]);
        c->deviation[i] =
            sqrt(fmax(0.0, ratio(squares[i], seen[i]) - mean * mean) * (double)r[0].n);
    }
    for (size_t k = 0; k < width; k++)
        rows_release(&r[k]);
    mem_free(r);
    mem_free(share);
}

Cbpe *cbpe_fit(const double *share, const double *truth, size_t n, size_t classes, Error *err)
{
    Given g = given(share, NULL, truth, n, classes);
    size_t rows = 0;
    if (classes < 2) {
        error_set(err, ERROR_SHAPE, "estimating performance by shares needs 2 classes, found %zu",
                  classes);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        rows += counts(&g, i);
    if (rows < LEAST) {
        error_set(
            err, ERROR_SHAPE,
            "estimating performance needs %d reference rows with shares and the truth, found %zu",
            LEAST, rows);
        return NULL;
    }
    Cbpe *c = mem_alloc(sizeof *c);
    c->classes = classes;
    c->rows = rows;
    c->curve = mem_alloc(g.width * sizeof *c->curve);
    for (size_t k = 0; k < g.width; k++) {
        Rows r;
        rows_init(&r, &g, k);
        rows_truth(&r, &g, k);
        if (curve_helps(r.score, r.share, r.n))
            curve_fit(&c->curve[k], r.score, r.share, r.n);
        rows_release(&r);
    }
    fit_deviations(c, &g);
    return c;
}

void cbpe_destroy(Cbpe *c)
{
    if (!c)
        return;
    for (size_t k = 0; c->curve && k < (c->classes > 2 ? c->classes : 1); k++)
        curve_release(&c->curve[k]);
    mem_free(c->curve);
    mem_free(c);
}

CbpeOut cbpe_deviations(const Cbpe *c, size_t n)
{
    CbpeOut out;
    for (size_t i = 0; i < MEASURES; i++)
        *measure_at(&out, i) = n ? c->deviation[i] / sqrt((double)n) : (double)NAN;
    return out;
}

double cbpe_deviation(const Cbpe *c, size_t n)
{
    return cbpe_deviations(c, n).accuracy;
}

/* ---- as JSON -------------------------------------------------------------------------------------- */

static json_t *reals(const double *at, size_t n)
{
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(out, json_real(at[i]));
    return out;
}

/* {"classes": 2, "rows": 900, "curves": [{"x": [...], "y": [...]} or null, ...], "deviations": {"auc": ...}} */
json_t *cbpe_to_json(const Cbpe *c)
{
    json_t *curves = json_array(), *deviations = json_object();
    for (size_t k = 0; k < (c->classes > 2 ? c->classes : 1); k++) {
        const Curve *at = &c->curve[k];
        json_array_append_new(curves, at->points
                                          ? json_pack("{s:o,s:o}", "x", reals(at->x, at->points),
                                                      "y", reals(at->y, at->points))
                                          : json_null());
    }
    for (size_t i = 0; i < MEASURES; i++)
        if (isfinite(c->deviation[i]))
            json_object_set_new(deviations, measure_name[i], json_real(c->deviation[i]));
    return json_pack("{s:I,s:I,s:o,s:o}", "classes", (json_int_t)c->classes, "rows",
                     (json_int_t)c->rows, "curves", curves, "deviations", deviations);
}

static bool read_curve(Curve *c, const json_t *from, Error *err)
{
    const json_t *x = json_object_get(from, "x"), *y = json_object_get(from, "y");
    size_t n = json_array_size(x);
    if (json_is_null(from))
        return true;
    if (!json_is_array(x) || !json_is_array(y) || !n || json_array_size(y) != n)
        return error_set(err, ERROR_PARSE, "x and y: expected two lists of one length");
    c->x = mem_alloc(n * sizeof *c->x);
    c->y = mem_alloc(n * sizeof *c->y);
    c->points = n;
    for (size_t i = 0; i < n; i++) {
        const json_t *a = json_array_get(x, i), *b = json_array_get(y, i);
        c->x[i] = json_number_value(a);
        c->y[i] = json_number_value(b);
        bool rises = i == 0 || (c->x[i] > c->x[i - 1] && c->y[i] >= c->y[i - 1]);
        if (!json_is_number(a) || !json_is_number(b) || !rises ||
            !(c->y[i] >= 0.0 && c->y[i] <= 1.0))
            return error_set(err, ERROR_PARSE, "point %zu: expected shares that rise", i);
    }
    return true;
}

static bool read_deviations(Cbpe *c, const json_t *from, Error *err)
{
    for (size_t i = 0; i < MEASURES; i++) {
        const json_t *v = json_object_get(from, measure_name[i]);
        c->deviation[i] = v ? json_number_value(v) : (double)NAN;
        if (v && (!json_is_number(v) || !(c->deviation[i] >= 0.0)))
            return error_set(err, ERROR_PARSE, "deviation of %s: expected a number from 0 on",
                             measure_name[i]);
    }
    return true;
}

Cbpe *cbpe_from_json(const json_t *from, Error *err)
{
    json_int_t classes = json_integer_value(json_object_get(from, "classes"));
    json_int_t rows = json_integer_value(json_object_get(from, "rows"));
    const json_t *curves = json_object_get(from, "curves");
    if (classes < 2 || rows < 1 || json_array_size(curves) != (size_t)(classes > 2 ? classes : 1)) {
        error_set(err, ERROR_PARSE,
                  "no estimate of performance: classes, rows and curves do not agree");
        return NULL;
    }
    Cbpe *c = mem_alloc(sizeof *c);
    c->classes = (size_t)classes;
    c->rows = (size_t)rows;
    c->curve = mem_alloc(json_array_size(curves) * sizeof *c->curve);
    bool ok = read_deviations(c, json_object_get(from, "deviations"), err);
    for (size_t k = 0; ok && k < json_array_size(curves); k++)
        ok = read_curve(&c->curve[k], json_array_get(curves, k), err) ||
             error_in(err, "curve %zu", k);
    if (ok)
        return c;
    cbpe_destroy(c);
    return NULL;
}
