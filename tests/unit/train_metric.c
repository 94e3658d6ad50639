/* train_metric -- metrics at values known from XGBoost's own tests (REFERENCE.md section 2), from
 * scikit-learn's documentation, and from their definitions. */
#include "train/train_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

typedef struct Case {
    const char *metric;
    double value[8], truth[8];
    size_t n, classes;
    double expected, within;
} Case;

static void known_values(void **state)
{
    (void)state;
    const Case cases[] = {
        {"rmse", {.1, .9, .1, .9}, {0, 0, 1, 1}, 4, 0, .6403, 1e-4},
        {"mae", {.1, .9, .1, .9}, {0, 0, 1, 1}, 4, 0, .5, 1e-9},
        {"logloss", {.1, .9, .1, .9}, {0, 0, 1, 1}, 4, 2, 1.2039, 1e-4},
        {"aucpr", {.1, .9, .1, .9}, {0, 0, 1, 1}, 4, 2, .5, 1e-9},
        {"error", {.1, .9, .1, .9}, {0, 0, 1, 1}, 4, 2, .5, 1e-9},
        {"rmsle", {.1, .2, .4, .8, 1.6}, {1, 1, 1, 1, 1}, 5, 0, .4063, 1e-4},
        {"auc", {1, 0, 0}, {0, 0, 1}, 3, 2, .25, 1e-9},
        {"auc", {.1, .4, .35, .8}, {0, 0, 1, 1}, 4, 2, .75, 1e-9}, /* scikit-learn */
        {"auc", {0, 0, 1, 1}, {0, 0, 1, 1}, 4, 2, 1, 1e-9},
        {"auc", {1, 1, 1, 1}, {0, 0, 1, 1}, 4, 2, .5, 1e-9},
        {"aucpr", {0, 0, 1, 1}, {0, 0, 1, 1}, 4, 2, 1, 1e-9},
        {"r2", {2.5, 0, 2, 8}, {3, -.5, 2, 7}, 4, 0, .9486081, 1e-6}, /* scikit-learn */
        {"mape", {2, 1}, {1, 2}, 2, 0, .75, 1e-9},
        {"mape", {2, 5}, {1, 0}, 2, 0, 1, 1e-9}, /* a truth of 0 is left out */
        {"poisson_deviance",
         {.5, .5, 2, 2},
         {2, 0, 1, 4},
         4,
         0,
         1.4260151,
         1e-6}, /* scikit-learn */
        {"tweedie_deviance", {.5, .5, 2, 2}, {2, 0, 1, 4}, 4, 0, 1.7781746, 1e-6},
        {"gamma_deviance", {.5, .5, 2, 2}, {2, .5, 1, 4}, 4, 0, 1.0568528, 1e-6},
        {"brier", {.1, .9, .8, .3}, {0, 1, 1, 0}, 4, 2, .0375, 1e-9}, /* scikit-learn */
        {"accuracy", {.1, .9, .4, .6}, {0, 1, 1, 1}, 4, 2, .75, 1e-9},
        {"f1", {.9, .9, .1, .1}, {1, 0, 1, 0}, 4, 2, .5, 1e-9},
        {"ece", {.25, .25, .25, .25}, {1, 0, 0, 0}, 4, 2, 0, 1e-9},
        {"ece", {.9, .9}, {0, 0}, 2, 2, .9, 1e-9},
        /* three classes, rows of shares */
        {"accuracy", {.7, .2, .1, .1, .3, .6}, {0, 1}, 2, 3, .5, 1e-9},
        {"logloss", {.5, .25, .25, .25, .5, .25}, {0, 1}, 2, 3, .693147, 1e-6},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const Case *c = &cases[i];
        double v = metric_find(c->metric)->score(c->value, c->truth, c->n, c->classes);
        if (!(fabs(v - c->expected) <= c->within))
            fail_msg("%s, case %zu: expected %g, found %g", c->metric, i, c->expected, v);
    }
}

static void undefined_is_nan(void **state)
{
    (void)state;
    double v[2] = {.5, .5}, ones[2] = {1, 1}, minus[2] = {-2, 1};
    assert_true(isnan(metric_find("auc")->score(v, ones, 2, 2)));
    assert_true(isnan(metric_find("r2")->score(v, ones, 2, 0)));
    assert_true(isnan(metric_find("rmsle")->score(v, minus, 2, 0)));
    for (size_t i = 0; metrics[i]; i++)
        assert_true(isnan(metrics[i]->score(v, ones, 0, 2)));
}

/* AUC against its definition, and under a monotone change of the scores, on many random ties. */
/* However few rows are sorted at a time, the sums are the same: ties, zeros of both signs, one score
 * that most rows have, scores side by side in their last bits. */
static void order_in_little_memory(void **state)
{
    (void)state;
    enum { N = 5000 };
    static double v[N], t[N];
    Rng r;
    for (uint64_t kind = 0; kind < 5; kind++) {
        rng_seed(&r, 31, kind);
        for (size_t i = 0; i < N; i++) {
            double x = rng_normal(&r);
            v[i] = kind == 0   ? x
                   : kind == 1 ? floor(3 * x) / 3
                   : kind == 2 ? (rng_below(&r, 4) ? .25 : x)
                   : kind == 3 ? (i % 2 ? 0.0 : -0.0)
                               : 1 + 0x1p-52 * (double)rng_below(&r, 300);
            t[i] = rng_unit(&r) < 1 / (1 + exp(-x));
        }
        double auc = ranking_auc(v, t, N, N), pr = ranking_aucpr(v, t, N, N);
        assert_true(auc > .4 && auc < 1 && pr > .3 && pr < 1);
        for (size_t most = 1; most < N; most = most * 5 + 2) {
            assert_true(ranking_auc(v, t, N, most) == auc);
            assert_true(ranking_aucpr(v, t, N, most) == pr);
        }
    }
}

static void auc_is_the_share_of_ordered_pairs(void **state)
{
    (void)state;
    Rng r;
    rng_seed(&r, 5, 1);
    for (int round = 0; round < 50; round++) {
        double v[60], t[60], w[60], pairs = 0, won = 0;
        for (int i = 0; i < 60; i++) {
            v[i] = (double)rng_below(&r, 12) / 12;
            w[i] = exp(3 * v[i]);
            t[i] = (double)rng_below(&r, 2);
        }
        for (int i = 0; i < 60; i++)
            for (int k = 0; k < 60; k++)
                if (t[i] > t[k]) {
                    pairs++;
                    won += v[i] > v[k] ? 1 : v[i] == v[k] ? .5 : 0;
                }
        assert_true(fabs(metric_find("auc")->score(v, t, 60, 2) - won / pairs) < 1e-12);
        assert_true(fabs(metric_find("auc")->score(w, t, 60, 2) - won / pairs) < 1e-12);
    }
}

static void the_table_is_whole(void **state)
{
    (void)state;
    for (size_t i = 0; metrics[i]; i++) {
        assert_true(strlen(metrics[i]->about) > 8);
        assert_true(metrics[i]->tasks != 0);
        assert_ptr_equal(metric_find(metrics[i]->name), metrics[i]);
    }
    assert_null(metric_find("rmsee"));
    for (int t = 0; t < TASK_COUNT; t++)
        assert_true(metric_main((TaskKind)t)->tasks & 1u << t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(undefined_is_nan),
        cmocka_unit_test(order_in_little_memory),
        cmocka_unit_test(auc_is_the_share_of_ordered_pairs),
        cmocka_unit_test(the_table_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
