/* significance.c -- is a model better than another by more than chance? Both scored the same rows.
 *
 * Any metric: paired bootstrap (Efron and Tibshirani 1993, chapter 16; Koehn 2004): rows are drawn with
 * replacement, both models are measured on the same draw; p is the share of draws in which the candidate is
 * not better, counted as (k + 1) / (draws + 1) so that it is never 0.
 *
 * Right or wrong: McNemar's test (1947) on the rows that only one of the two has right. Below 25 such rows
 * exact (binomial, two-sided), else chi-square with Edwards' continuity correction (1948),
 *
 *     x = (|b - c| - 1)^2 / (b + c),     p = erfc(sqrt(x / 2))
 *
 * The same numbers as statsmodels' mcnemar(exact=...) gives. */
#include "deploy_int.h"

#include <math.h>
#include <string.h>

#define DRAWS       1000
#define DRAWS_LEAST 200
#define ROWS_DRAWN  50000000.0 /* in all draws together, about a second */
#define SEED        20261122

typedef struct Bootstrap {
    const Metric *metric;
    const GateScores *g;
    double **at;  /* [threads] room for one draw: values, the other's, truths */
    bool *better; /* [draws] */
} Bootstrap;

static void draw(void *job, size_t i, size_t worker)
{
    Bootstrap *b = job;
    const GateScores *g = b->g;
    double *value = b->at[worker], *other = value + g->n * g->each, *truth = other + g->n * g->each;
    Rng r;
    rng_seed(&r, SEED, i);
    for (size_t k = 0; k < g->n; k++) {
        size_t row = (size_t)rng_below(&r, g->n);
        memcpy(value + k * g->each, g->value + row * g->each, g->each * sizeof *value);
        memcpy(other + k * g->each, g->other + row * g->each, g->each * sizeof *other);
        truth[k] = g->truth[row];
    }
    double mine = b->metric->score(value, truth, g->n, g->classes);
    double theirs = b->metric->score(other, truth, g->n, g->classes);
    b->better[i] =
        b->metric->larger_is_better ? mine > theirs : mine < theirs; /* NaN: not better */
}

double bootstrap_p(const Metric *m, const GateScores *g, Pool *pool, Arena *a)
{
    double most = ROWS_DRAWN / (double)(g->n ? g->n : 1);
    size_t draws = most > DRAWS ? DRAWS : most < DRAWS_LEAST ? DRAWS_LEAST : (size_t)most;
    size_t threads = pool ? pool_threads(pool) : 1, worse = 0;
    Bootstrap b = {.metric = m,
                   .g = g,
                   .at = ARENA_NEW(a, double *, threads),
                   .better = ARENA_NEW(a, bool, draws)};
    for (size_t t = 0; t < threads; t++)
        b.at[t] = mem_alloc((g->n * (2 * g->each + 1) + 1) * sizeof(double));
    pool_run(pool, draws, draw, &b);
    for (size_t i = 0; i < draws; i++)
        worse += !b.better[i];
    for (size_t t = 0; t < threads; t++)
        mem_free(b.at[t]);
    return (double)(worse + 1) / (double)(draws + 1);
}

/* ---- right or wrong ---------------------------------------------------------------------------------------- */

size_t gate_right(const GateScores *g, const double *value, size_t row)
{
    size_t said = 0;
    if (g->each == 1)
        said = value[row] >= 0.5;
    for (size_t c = 1; g->each > 1 && c < g->each; c++)
        if (value[row * g->each + c] > value[row * g->each + said])
            said = c;
    return (double)said == g->truth[row];
}

/* 2 P(X <= least), X binomial(n, 1/2), at most 1 */
static double exact(size_t least, size_t n)
{
    double term = exp2(-(double)n), sum = 0.0;
    for (size_t k = 0; k <= least; k++) {
        sum += term;
        term *= (double)(n - k) / (double)(k + 1);
    }
    return fmin(1.0, 2.0 * sum);
}

double mcnemar_p(size_t better, size_t worse)
{
    size_t n = better + worse, least = better < worse ? better : worse;
    if (n == 0)
        return 1.0;
    if (n < 25)
        return exact(least, n);
    double apart = fabs((double)better - (double)worse) - 1.0;
    apart = fmax(apart, 0.0);
    return erfc(sqrt(apart * apart / (double)n / 2.0));
}
