/* drift_known.c -- the tests' scores against known values: REFERENCE 1.4, and scipy's. */
#include "drift/drift_int.h"
#include "golden/drift_known.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static DriftSample labels(const double *r, const double *c, size_t n)
{
    DriftSample s = {.labels = n, .reference_count = r, .current_count = c, .distinct = n};
    for (size_t i = 0; i < n; i++) {
        s.reference_n += (size_t)r[i];
        s.current_n += (size_t)c[i];
    }
    return s;
}

static double score(const char *test, const DriftSample *s)
{
    const DriftTest *t = drift_test(test);
    assert_non_null(t);
    return t->score(s);
}

static void near(double found, double expected, double relative, const char *what)
{
    if (!(fabs(found - expected) <= relative * fabs(expected) + 1e-300))
        fail_msg("%s: found %.17g, expected %.17g", what, found, expected);
}

static void reference_values(void **state)
{
    (void)state;
    const double r[] = {16, 18, 16, 14, 12, 12}, c[] = {16, 16, 16, 16, 16, 8};
    DriftSample s = labels(r, c, 6);
    near(score("chi_square", &s), 0.67309, 1e-5, "chi-square");
    near(score("hellinger", &s), 0.0681, 1e-3, "hellinger");
    const double twice[] = {32, 36, 32, 28, 24, 24};
    s = labels(twice, c, 6);
    near(score("chi_square", &s), 0.67309, 1e-5, "chi-square, reference doubled");
    const double z_r[] = {1, 3}, z_c[] = {3, 1}; /* 1,1,0,1 against 0,0,0,1 */
    s = labels(z_r, z_c, 2);
    near(score("z_proportion", &s), 0.157, 2e-3, "two-proportion Z");
    const double abc[] = {2, 2, 2, 0}, abcd[] = {2, 2, 2, 1};
    s = labels(abc, abcd, 4);
    near(score("l_infinity", &s), 0.14, 0.03, "L-infinity with d");
    near(score("l_infinity", &s), 1.0 / 7.0, 1e-12, "L-infinity with d");
    const double only_b[] = {0, 5, 0, 0};
    s = labels(abc, only_b, 4);
    near(score("l_infinity", &s), 2.0 / 3.0, 1e-12, "L-infinity, b only");
}

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The samples of tests/golden/drift_scipy.py. */
static double *make(size_t n, uint64_t a, uint64_t b, uint64_t c, uint64_t m, double shift,
                    double step)
{
    double *at = mem_alloc(n * sizeof *at);
    for (uint64_t i = 0; i < n; i++) {
        at[i] = (double)((a * i * i + b * i + c) % m) / 10.0 + shift;
        if (step > 0.0)
            at[i] = floor(at[i] / step) * step;
    }
    qsort(at, n, sizeof *at, ascending);
    return at;
}

static void scipy_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const struct Known *k = &known[i];
        double *r = make(k->n, 31, 7, 0, 1009, 0.0, k->step);
        double *c = make(k->m, 29, 11, 3, 997, k->shift, k->step);
        DriftSample s = {
            .numeric = true, .reference_n = k->n, .current_n = k->m, .reference = r, .current = c};
        near(score("ks", &s), k->ks, 1e-9, k->name);
        near(score("wasserstein", &s), k->wasserstein, 1e-11, k->name);
        near(score("jensen_shannon", &s), k->jensen_shannon, 1e-11, k->name);
        near(score("psi", &s), k->psi, 1e-11, k->name);
        near(score("kl", &s), k->kl, 1e-11, k->name);
        near(score("hellinger", &s), k->hellinger, 1e-11, k->name);
        near(score("l_infinity", &s), k->l_infinity, 1e-11, k->name);
        near(score("total_variation", &s), k->total_variation, 1e-11, k->name);
        near(score("chi_square", &s), k->chi_square, 1e-10, k->name);
        mem_free(r);
        mem_free(c);
    }
}

static void nannyml_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof doane / sizeof *doane; i++) {
        const double *k = doane[i];
        size_t n = (size_t)k[0], m = (size_t)k[1];
        double *r = make(n, 31, 7, 0, 1009, 0.0, k[3]), *c = make(m, 29, 11, 3, 997, k[2], k[3]);
        DriftSample s = {.numeric = true,
                         .nannyml = true,
                         .reference_n = n,
                         .current_n = m,
                         .reference = r,
                         .current = c};
        Shares shares;
        shares_init(&shares, &s);
        assert_int_equal(shares.bins, (size_t)k[4]);
        shares_release(&shares);
        near(score("jensen_shannon", &s), k[5], 1e-10, "Jensen-Shannon, base 2");
        near(score("hellinger", &s), k[6], 1e-10, "Hellinger by Doane's bins");
        near(score("l_infinity", &s), k[7], 1e-10, "L-infinity by Doane's bins");
        mem_free(r);
        mem_free(c);
    }
}

static void numpy_deciles(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof deciles / sizeof *deciles; i++) {
        const double *k = deciles[i];
        size_t n = (size_t)k[0], m = (size_t)k[1];
        double *r = make(n, 31, 7, 0, 1009, 0.0, k[3]), *c = make(m, 29, 11, 3, 997, k[2], k[3]);
        DriftSample s = {
            .numeric = true, .reference_n = n, .current_n = m, .reference = r, .current = c};
        near(score("psi_deciles", &s), k[4], 1e-9, "psi over deciles");
        mem_free(r);
        mem_free(c);
    }
}

/* One walk for all tests says what looking at every value says. */
static void walking(void **state)
{
    (void)state;
    Rng rng;
    rng_seed(&rng, 12, 0);
    for (int round = 0; round < 3000; round++) {
        double r[60], c[60], gap = 0.0, area = 0.0, all[120];
        size_t n = 1 + (size_t)rng_below(&rng, 59), m = 1 + (size_t)rng_below(&rng, 59);
        double values = 1.0 + (double)rng_below(&rng, 40), shift = (double)rng_below(&rng, 50);
        for (size_t i = 0; i < n; i++) /* mostly ties, overlapping a little, much or not at all */
            all[i] = r[i] = floor(values * rng_unit(&rng));
        for (size_t i = 0; i < m; i++)
            all[n + i] = c[i] = floor(values * rng_unit(&rng)) + shift - 25.0;
        qsort(r, n, sizeof *r, ascending);
        qsort(c, m, sizeof *c, ascending);
        qsort(all, n + m, sizeof *all, ascending);
        for (size_t i = 0; i < n + m; i++) {
            double below[2] = {0.0, 0.0};
            for (size_t k = 0; k < n; k++)
                below[0] += r[k] <= all[i];
            for (size_t k = 0; k < m; k++)
                below[1] += c[k] <= all[i];
            double here = fabs(below[0] / (double)n - below[1] / (double)m);
            gap = fmax(gap, here);
            area += i + 1 < n + m ? here * (all[i + 1] - all[i]) : 0.0;
        }
        DriftWalk w = drift_walk(&(DriftSample){
            .numeric = true, .reference_n = n, .current_n = m, .reference = r, .current = c});
        near(w.gap, gap, 1e-12, "gap");
        assert_true(fabs(w.area - area) < 1e-9);
    }
}

static void scipy_proportions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof proportions / sizeof *proportions; i++) {
        DriftSample s = labels(proportions[i], proportions[i] + 2, 2);
        near(score("z_proportion", &s), proportions[i][4], 1e-10, "two-proportion Z");
    }
    for (size_t i = 0; i < sizeof thirty / sizeof *thirty; i++)
        near(smirnov_tail(30, 30, thirty[i][0] / 30.0), thirty[i][1], 1e-9, "two samples of 30");
}

static void numpy_reconstruction(void **state)
{
    (void)state;
    double column[4][400];
    Error err = {0};
    for (uint64_t i = 0; i < 400; i++) {
        column[0][i] = (double)((31 * i * i + 7 * i) % 1009) / 10.0;
        column[2][i] = (double)((29 * i * i + 11 * i + 3) % 997) / 10.0;
        column[1][i] = 0.5 * column[0][i] + 0.1 * column[2][i];
        column[3][i] = (double)(i * i % 5);
    }
    const bool label[] = {false, false, false, true};
    const double *first[4], *later[4];
    for (size_t k = 0; k < 4; k++) {
        first[k] = column[k];
        later[k] = column[k] + 200;
    }
    DriftMatrix reference = {200, 4, first, label}, chunk = {200, 4, later, label};
    PcaDrift *p = pca_drift_fit(&reference, 0.0, &err);
    assert_non_null(p);
    near(pca_drift_score(p, &reference), reconstruction[0], 1e-9,
         "reconstruction of the reference");
    near(pca_drift_score(p, &chunk), reconstruction[1], 1e-9, "reconstruction of a chunk");
    pca_drift_destroy(p);
}

static void scipy_tails(void **state)
{
    (void)state;
    char what[64];
    for (size_t i = 0; i < sizeof kolmogorov / sizeof *kolmogorov; i++) {
        snprintf(what, sizeof what, "kolmogorov n %g d %g", kolmogorov[i][0], kolmogorov[i][1]);
        near(kolmogorov_tail(kolmogorov[i][0], kolmogorov[i][1]), kolmogorov[i][2], 1e-8, what);
    }
    for (size_t i = 0; i < sizeof chi_tail / sizeof *chi_tail; i++) {
        snprintf(what, sizeof what, "chi-square %g of %g", chi_tail[i][0], chi_tail[i][1]);
        near(chi_square_tail(chi_tail[i][0], chi_tail[i][1]), chi_tail[i][2], 1e-11, what);
    }
}

static void the_same_has_not_drifted(void **state)
{
    (void)state;
    double *r = make(5000, 31, 7, 0, 1009, 0.0, 0.0);
    DriftSample s = {
        .numeric = true, .reference_n = 5000, .current_n = 5000, .reference = r, .current = r};
    for (size_t i = 0; drift_tests[i]; i++) {
        if (!drift_tests[i]->score)
            continue; /* of whole tables */
        double x = drift_tests[i]->score(&s);
        near(drift_tests[i]->p_value ? x : 1.0 + x, 1.0, 1e-7, drift_tests[i]->name);
        assert_true(drift_tests[i]->p_value ? x > drift_tests[i]->threshold
                                            : x < drift_tests[i]->threshold);
    }
    mem_free(r);
}

static void defaults(void **state)
{
    (void)state;
    static const struct {
        size_t rows, distinct;
        bool number;
        const char *test;
    } rows[] = {
        {1000, 6, true, "ks"},
        {1001, 6, true, "wasserstein"},
        {1000, 5, true, "chi_square"},
        {1000, 3, true, "chi_square"},
        {1000, 2, true, "z_proportion"},
        {1001, 5, true, "jensen_shannon"},
        {1000, 40, false, "chi_square"},
        {1000, 2, false, "z_proportion"},
        {1001, 40, false, "jensen_shannon"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        DriftSample s = {
            .reference_n = rows[i].rows, .current_n = 10, .distinct = rows[i].distinct};
        assert_string_equal(drift_test_default(&s, rows[i].number)->name, rows[i].test);
    }
}

/* Every row of the registry can be found by name, says what it is, and has a threshold. */
static void registry(void **state)
{
    (void)state;
    size_t count = 0;
    for (; drift_tests[count]; count++) {
        const DriftTest *t = drift_tests[count];
        assert_ptr_equal(drift_test(t->name), t);
        assert_true(t->title && *t->title && t->about && *t->about && t->kinds);
        assert_true(t->threshold > 0.0 && t->threshold <= 1.0);
        assert_true((t->kinds == DRIFT_KIND_TABLE) == !t->score);
    }
    assert_int_equal(count, 13); /* the twelve, and psi over deciles */
    assert_null(drift_test("nonsense"));
}

static void sorting(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 63, 64, 65, 1000, 70000};
    Rng rng;
    rng_seed(&rng, 11, 0);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t n = sizes[i];
        double *a = mem_alloc((n + 1) * sizeof *a), *b = mem_alloc((n + 1) * sizeof *b);
        double *spare = mem_alloc((n + 1) * sizeof *spare);
        for (size_t k = 0; k < n; k++)
            a[k] = i % 2 ? rng_normal(&rng) * pow(10.0, (double)rng_below(&rng, 600) - 300.0)
                         : (double)rng_below(&rng, 7) - 3.0;
        memcpy(b, a, n * sizeof *a);
        sort_reals(a, n, spare);
        qsort(b, n, sizeof *b, ascending);
        for (size_t k = 0; k < n; k++)
            assert_true(a[k] == b[k]);
        mem_free(a);
        mem_free(b);
        mem_free(spare);
    }
}

/* What was written with few decimals is counted and comes out to the bit; anything else is left as it was. */
static void counting(void **state)
{
    (void)state;
    enum { N = 5000 };
    double *a = mem_alloc(2 * N * sizeof *a), *b = a + N;
    Rng rng;
    rng_seed(&rng, 13, 0);
    for (int round = 0; round < 60; round++) {
        int decimals = round % 8;
        double scale = pow(10.0, decimals), span = round % 3 ? 15000.0 : 30.0;
        for (size_t i = 0; i < N; i++) {
            char text[40]; /* as a table has it */
            snprintf(text, sizeof text, "%.*f", decimals,
                     (floor(span * rng_unit(&rng)) + (round % 2 ? -77.0 * scale : 0.0)) / scale);
            a[i] = b[i] = strtod(text, NULL);
        }
        if (round >= 40)
            a[N - 1] = b[N - 1] = round % 4 ? 0.1 + 0.2 : 1e300; /* seen late, or far away */
        bool counted = sort_decimals(a, N);
        assert_int_equal(counted, decimals <= 6 && round < 40);
        if (counted)
            qsort(b, N, sizeof *b, ascending);
        for (size_t i = 0; i < N; i++)
            assert_true(a[i] == b[i]);
    }
    mem_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_values),
        cmocka_unit_test(scipy_values),
        cmocka_unit_test(scipy_tails),
        cmocka_unit_test(the_same_has_not_drifted),
        cmocka_unit_test(defaults),
        cmocka_unit_test(registry),
        cmocka_unit_test(sorting),
        cmocka_unit_test(nannyml_values),
        cmocka_unit_test(numpy_deciles),
        cmocka_unit_test(walking),
        cmocka_unit_test(counting),
        cmocka_unit_test(scipy_proportions),
        cmocka_unit_test(numpy_reconstruction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
