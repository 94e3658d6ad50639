/* drift_chunks.c -- drift by chunk: the same as a report on each chunk alone; periods of time; NannyML's rules;
 * and the tests that judge all features together. */
#include "drift/drift_int.h"
#include "made_table.h"

static char dir[64];
static Dataset *january, *year;
static const MadeTable part[] = {{.rows = 2000, .seed = 2},
                                 {.rows = 2000, .seed = 3},
                                 {.rows = 2000, .seed = 4, .shift = 1.0, .city = "Jena"},
                                 {.rows = 1500, .seed = 5, .no_miles = true}};
enum { PARTS = 4 };

/* The parts one after the other. */
static Dataset *joined(void)
{
    Schema s;
    Error err = {0};
    Arena a = {0};
    char hash[65], path[256];
    made_schema(&s);
    DatasetWriter *w = dataset_writer_create(dir, &s, NULL, &err);
    assert_non_null(w);
    for (size_t i = 0; i < PARTS; i++) {
        Chunk c;
        made_chunk(&part[i], &s, 0, (size_t)part[i].rows, &a, &c);
        assert_true(dataset_writer_add(w, &c, &err));
        arena_reset(&a);
    }
    assert_true(dataset_writer_finish(w, hash, &err));
    dataset_writer_destroy(w);
    schema_release(&s);
    arena_release(&a);
    snprintf(path, sizeof path, "%s/%s.arrow", dir, hash);
    Dataset *d = dataset_open(path, &err);
    assert_non_null(d);
    return d;
}

static int setup(void **state)
{
    (void)state;
    made_folder(dir, sizeof dir);
    january = made_dataset(dir, &(MadeTable){.rows = 6000, .seed = 1});
    year = joined();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    dataset_close(january);
    dataset_close(year);
    return dir_remove(dir, NULL) ? 0 : -1;
}

static const DriftColumn *column(const DriftReport *r, const char *name)
{
    for (size_t i = 0; i < r->columns; i++)
        if (strcmp(r->column[i].name, name) == 0)
            return &r->column[i];
    fail_msg("no column %s", name);
    return NULL;
}

static DriftChunk *chunks(const DriftOptions *o, const DriftChunks *how, Pool *pool, size_t *n)
{
    Error err = {0};
    DriftChunk *out;
    if (!drift_chunks(january, year, o, how, pool, NULL, &out, n, &err))
        fail_msg("%s", err.text);
    return out;
}

/* What a report on the chunk alone says, to the bit. */
static void as_alone(void **state)
{
    (void)state;
    static const char *const tests[] = {"", "ks", "psi", "hellinger", "chi_square"};
    Pool *pool = pool_create(3);
    for (size_t t = 0; t < 5; t++) {
        size_t n;
        DriftOptions o = {.test = tests[t], .target = "fare"};
        DriftChunk *c = chunks(&o, &(DriftChunks){.rows = 2000}, pool, &n);
        assert_int_equal(n, PARTS);
        for (size_t i = 0; i < n; i++) {
            Error err = {0};
            Dataset *alone = made_dataset(dir, &part[i]);
            DriftReport *r = drift_report(january, alone, &o, pool, NULL, &err);
            assert_non_null(r);
            assert_int_equal(c[i].rows, part[i].rows);
            assert_int_equal(c[i].first, 2000 * i);
            snprintf(r->current, sizeof r->current, "%s", c[i].report->current);
            json_t *a = drift_report_to_json(r), *b = drift_report_to_json(c[i].report);
            char *x = json_dumps(a, JSON_SORT_KEYS | JSON_INDENT(1)),
                 *y = json_dumps(b, JSON_SORT_KEYS | JSON_INDENT(1));
            assert_string_equal(x, y);
            free(x);
            free(y);
            json_decref(a);
            json_decref(b);
            drift_report_destroy(r);
            dataset_close(alone);
        }
        drift_chunks_free(c, n);
    }
    pool_destroy(pool);
}

static void newest_rows(void **state)
{
    (void)state;
    size_t n;
    DriftChunk *c = chunks(&(DriftOptions){0}, &(DriftChunks){.rows = 1000, .most = 3}, NULL, &n);
    assert_int_equal(n, 3);
    assert_int_equal(c[0].first, 5000); /* 7,500 rows are 8 chunks, the last of 500 */
    assert_int_equal(c[2].first, 7000);
    assert_int_equal(c[2].rows, 500);
    drift_chunks_free(c, n);
    c = chunks(&(DriftOptions){0}, &(DriftChunks){.rows = 3400}, NULL, &n);
    assert_int_equal(n, 2); /* 700 left are too few for one of their own */
    assert_int_equal(c[1].rows, 4100);
    drift_chunks_free(c, n);
}

static void by_weeks(void **state)
{
    (void)state;
    size_t n;
    double week = 7 * 86400.0;
    uint64_t rows = 0;
    DriftChunk *c =
        chunks(&(DriftOptions){0}, &(DriftChunks){.time = "at", .seconds = week}, NULL, &n);
    assert_in_range(n, 13, 14); /* of ninety days */
    for (size_t i = 0; i < n; i++) {
        rows += c[i].rows;
        assert_true(c[i].to == c[i].from + week);
        assert_true(fmod(c[i].from - 4 * 86400.0, week) == 0.0); /* Mondays */
        assert_true(i == 0 || c[i].from > c[i - 1].from);
        assert_int_equal(c[i].report->current_rows, c[i].rows);
        const DriftColumn *m = column(c[i].report, "seats");
        assert_int_equal(m->current_n + m->current_missing, c[i].rows);
    }
    assert_int_equal(rows, 7500);
    drift_chunks_free(c, n);
    c = chunks(&(DriftOptions){0}, &(DriftChunks){.time = "at", .seconds = week, .most = 2}, NULL,
               &n);
    assert_int_equal(n, 2);
    drift_chunks_free(c, n);
    Error err = {0};
    assert_false(drift_chunks(january, year, &(DriftOptions){0},
                              &(DriftChunks){.time = "city", .seconds = 9}, NULL, NULL, &c, &n,
                              &err));
    assert_int_equal(err.kind, ERROR_USAGE);
    err = (Error){0};
    assert_false(drift_chunks(january, year, &(DriftOptions){0},
                              &(DriftChunks){.time = "att", .seconds = 9}, NULL, NULL, &c, &n,
                              &err));
    err = (Error){0};
    assert_false(drift_chunks(january, year, &(DriftOptions){0}, &(DriftChunks){.rows = 0}, NULL,
                              NULL, &c, &n, &err));
}

/* Months and quarters of the calendar and days: whole, one after the other, every row in its own. */
static void by_the_calendar(void **state)
{
    (void)state;
    static const int lengths[] = {0, 1, 3, 12};
    for (size_t k = 0; k < 4; k++) {
        int months = lengths[k];
        size_t n;
        uint64_t rows = 0;
        DriftChunks how = {.time = "at", .seconds = 86400.0, .months = months};
        DriftChunk *c = chunks(&(DriftOptions){0}, &how, NULL, &n);
        for (size_t i = 0; i < n; i++) {
            int y, m, day, later;
            date_civil((int64_t)(c[i].from / 86400.0), &y, &m, &day);
            rows += c[i].rows;
            assert_true(fmod(c[i].from, 86400.0) == 0.0);
            assert_true(i == 0 || c[i].from >= c[i - 1].to);
            assert_true(months == 0 || (day == 1 && (m - 1) % months == 0));
            m = m - 1 + months;
            later = y + m / 12;
            assert_true(c[i].to == (months ? 86400.0 * (double)date_days(later, m % 12 + 1, 1)
                                           : c[i].from + 86400.0));
        }
        assert_int_equal(rows, 7500);
        assert_true(months ? n <= 4 : n >= 85); /* of ninety days */
        drift_chunks_free(c, n);
    }
}

static void nannyml(void **state)
{
    (void)state;
    size_t n;
    size_t alarms = 0;
    DriftChunk *c =
        chunks(&(DriftOptions){0}, &(DriftChunks){.rows = 500, .nannyml = true}, NULL, &n);
    assert_int_equal(n, 15);
    for (size_t i = 0; i < n; i++) {
        const DriftColumn *miles = column(c[i].report, "miles");
        assert_string_equal(miles->test->name, "jensen_shannon");
        if (i < 8) { /* as january was; twelve chunks of it say what is usual */
            assert_true(text_starts(miles->note, "usual "));
            alarms += miles->drifted + column(c[i].report, "city")->drifted;
        } else {
            assert_true(miles->drifted); /* moved, then gone */
            assert_true(i >= 12 || column(c[i].report, "city")->drifted);
        }
    }
    print_message("%zu alarms in 16 without a change\n", alarms);
    assert_true(alarms <= 1);
    drift_chunks_free(c, n);
    Error err = {0};
    Dataset *moved = made_dataset(dir, &part[2]);
    DriftReport *r = drift_report(
        january, moved, &(DriftOptions){.nannyml = true, .test = "hellinger"}, NULL, NULL, &err);
    assert_non_null(r);
    assert_string_equal(column(r, "miles")->test->name, "hellinger");
    assert_true(column(r, "miles")->drifted);
    assert_false(column(r, "seats")->drifted);
    drift_report_destroy(r);
    dataset_close(moved);
}

/* ---- all features together ---------------------------------------------------------------------------- */

static void whole_tables(void **state)
{
    (void)state;
    static const char *const tests[] = {"pca_reconstruction", "domain_classifier"};
    for (size_t t = 0; t < 2; t++) {
        size_t n;
        const char *columns[] = {"miles", "seats", "city", "night", "tip"};
        DriftOptions o = {.test = tests[t], .columns = columns, .n = 5};
        DriftChunk *c = chunks(&o, &(DriftChunks){.rows = 2000}, NULL, &n);
        for (size_t i = 0; i < n; i++) {
            const DriftColumn *one = &c[i].report->column[0];
            assert_int_equal(c[i].report->columns, 1);
            assert_string_equal(one->role, "table");
            assert_string_equal(one->test->name, tests[t]);
            print_message("%s, part %zu: %.4f (%s)%s\n", tests[t], i, one->statistic, one->note,
                          one->drifted ? " drifted" : "");
            if (t == 1 ||
                i ==
                    2) /* a part without miles lies nearer the plane: missing is filled by the mean */
                assert_true(one->drifted == (i >= 2));
            assert_true(c[i].report->dataset_drifted == one->drifted);
            json_t *j = drift_report_to_json(c[i].report);
            Error err = {0};
            DriftReport *again = drift_report_from_json(j, &err);
            assert_non_null(again);
            json_decref(j);
            drift_report_destroy(again);
        }
        drift_chunks_free(c, n);
    }
}

static void eigenvectors(void **state)
{
    (void)state;
    enum { N = 12 };
    double a[N * N], kept[N * N], v[N * N];
    Rng rng;
    rng_seed(&rng, 4, 0);
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k <= i; k++)
            a[i * N + k] = a[k * N + i] = kept[i * N + k] = kept[k * N + i] = rng_normal(&rng);
    eigen_symmetric(a, v, N);
    for (size_t e = 0; e < N; e++)
        for (size_t i = 0; i < N; i++) { /* A v = l v, rows of length 1 square to each other */
            double turned = 0.0, with = 0.0;
            for (size_t k = 0; k < N; k++) {
                turned += kept[i * N + k] * v[e * N + k];
                with += v[e * N + k] * v[i * N + k];
            }
            assert_true(fabs(turned - a[e * N + e] * v[e * N + i]) < 1e-10);
            assert_true(fabs(with - (e == i)) < 1e-10);
        }
}

/* Two columns that rise together, then one that falls: each alone has not changed at all. */
static void together(void **state)
{
    (void)state;
    enum { ROWS = 4000 };
    double *x = mem_alloc(6 * ROWS * sizeof *x), auc;
    Rng rng;
    rng_seed(&rng, 6, 0);
    for (size_t i = 0; i < ROWS; i++) {
        double z = rng_normal(&rng);
        x[i] = z + 0.2 * rng_normal(&rng);
        x[ROWS + i] = z + 0.2 * rng_normal(&rng);
        x[2 * ROWS + i] = z + 0.2 * rng_normal(&rng);
        x[3 * ROWS + i] = -x[ROWS + i];
        x[4 * ROWS + i] = i % 7 ? (double)(i % 3) : (double)NAN; /* a label */
        x[5 * ROWS + i] = -x[2 * ROWS + i];
    }
    const bool label[] = {false, false, false, true};
    const double *first[] = {x, x + ROWS, x + 2 * ROWS, x + 4 * ROWS},
                 *later[] = {x + ROWS / 2, x + ROWS + ROWS / 2, x + 2 * ROWS + ROWS / 2,
                             x + 4 * ROWS};
    const double *turned[] = {x + ROWS / 2, x + 3 * ROWS + ROWS / 2, x + 2 * ROWS + ROWS / 2,
                              x + 4 * ROWS};
    DriftMatrix reference = {ROWS / 2, 4, first, label}, alike = {ROWS / 2, 4, later, label},
                other = {ROWS / 2, 4, turned, label};
    Error err = {0};
    PcaDrift *p = pca_drift_fit(&reference, 0, &err);
    assert_non_null(p);
    double before = pca_drift_score(p, &reference), same = pca_drift_score(p, &alike),
           now = pca_drift_score(p, &other);
    print_message("reconstruction %.4f, alike %.4f, turned %.4f\n", before, same, now);
    assert_true(fabs(same - before) < 0.03 * before && now > 1.2 * before);
    pca_drift_destroy(p);
    p = pca_drift_fit(&reference, 1.0, &err); /* all components bring everything back */
    assert_true(pca_drift_score(p, &other) < 1e-6);
    pca_drift_destroy(p);
    assert_true(domain_classifier(&reference, &alike, 1, NULL, &auc, &err));
    assert_true(auc > 0.45 && auc < 0.55);
    assert_true(domain_classifier(&reference, &other, 1, NULL, &auc, &err));
    assert_true(auc > 0.85);
    DriftMatrix none = {3, 4, first, label};
    assert_false(domain_classifier(&reference, &none, 1, NULL, &auc, &err));
    assert_null(pca_drift_fit(&(DriftMatrix){1, 4, first, label}, 0, &err));
    mem_free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_alone),     cmocka_unit_test(newest_rows),
        cmocka_unit_test(by_weeks),     cmocka_unit_test(by_the_calendar),
        cmocka_unit_test(nannyml),      cmocka_unit_test(whole_tables),
        cmocka_unit_test(eigenvectors), cmocka_unit_test(together),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
