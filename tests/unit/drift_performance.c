/* drift_performance.c -- performance without labels: known values, calibration, and on the real tables split by
 * time whether the true performance lies in the band of the estimate (NannyML's: three sampling errors). */
#include "drift/drift_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static void near(double found, double expected, double within, const char *what)
{
    if (!(fabs(found - expected) <= within))
        fail_msg("%s: found %.9g, expected %.9g", what, found, expected);
}

static Cbpe *raw(const char *text)
{
    Error err = {0};
    json_t *j = json_loads(text, 0, NULL);
    Cbpe *c = cbpe_from_json(j, &err);
    json_decref(j);
    return c;
}

/* ---- known values ---------------------------------------------------------------------------------- */

static void known_values(void **state) /* REFERENCE 1.4 */
{
    (void)state;
    const double p[] = {.9, .8, .3, .2}, said[] = {1, 1, 0, 0}, truth[] = {1, 0, 0, 0};
    Cbpe *c = raw(
        "{\"classes\": 2, \"rows\": 100, \"curves\": [null], \"deviations\": {\"accuracy\": 0.4}}");
    CbpeOut o = cbpe_estimate(c, p, said, 4);
    near(o.accuracy, .8, 1e-12, "accuracy");
    near(o.f1, .809524, 5e-7, "f1");
    near(o.auc, .828283, 5e-7, "auc");
    near(o.precision, 1.7 / 2, 1e-12, "precision");
    near(o.recall, 1.7 / 2.2, 1e-12, "recall");
    CbpeOut likeliest = cbpe_estimate(c, p, NULL, 4);
    assert_memory_equal(&o, &likeliest, sizeof o);
    near(cbpe_deviation(c, 16), 0.1, 1e-12, "deviation");
    assert_true(isnan(cbpe_deviations(c, 16).auc));
    o = cbpe_true(p, said, truth, 4, 2);
    near(o.accuracy, .75, 1e-12, "true accuracy");
    near(o.f1, 2. / 3, 1e-12, "true f1");
    near(o.auc, 1, 1e-12, "true auc");
    o = cbpe_estimate(c, p, said, 0);
    assert_true(isnan(o.accuracy) && isnan(o.auc));
    cbpe_destroy(c);
}

/* Three classes by hand: accuracy the mean share of what was said, the others macro means. */
static void several_classes(void **state)
{
    (void)state;
    const double p[] = {.7, .2, .1, .1, .6, .3, .2, .2, .6, .5, .4, .1};
    Cbpe *c = raw("{\"classes\": 3, \"rows\": 100, \"curves\": [null, null, null]}");
    CbpeOut o = cbpe_estimate(c, p, NULL, 4); /* said 0 1 2 0 */
    near(o.accuracy, (.7 + .6 + .6 + .5) / 4, 1e-12, "accuracy");
    near(o.precision, (1.2 / 2 + .6 + .6) / 3, 1e-12, "precision");
    near(o.recall, (1.2 / 1.5 + .6 / 1.4 + .6 / 1.1) / 3, 1e-12, "recall");
    near(o.f1, (1.2 / 1.75 + .6 / 1.2 + .6 / 1.05) / 3, 1e-12, "f1");
    const double truth[] = {0, 1, 2, 1};
    o = cbpe_true(p, NULL, truth, 4, 3);
    near(o.accuracy, .75, 1e-12, "true accuracy");
    near(o.auc, 1, 1e-12, "true auc");
    cbpe_destroy(c);
}

static void areas(void **state)
{
    (void)state;
    Rng rng;
    rng_seed(&rng, 3, 0);
    for (int round = 0; round < 50; round++) {
        double score[40], share[40], weight[40], pairs = 0, all = 0;
        size_t n = 2 + (size_t)rng_below(&rng, 38);
        for (size_t i = 0; i < n; i++) {
            score[i] = (double)(i / 3) +
                       (round % 2 ? 0.1 * (double)(i % 3) : 0); /* with ties and without */
            share[i] = rng_unit(&rng);
            weight[i] = (double)rng_below(&rng, 4);
        }
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k < n; k++) {
                double w = weight[i] * share[i] * weight[k] * (1 - share[k]);
                /* A row is no pair of itself, but the sums say it is half a one. */
                pairs += w * (score[i] > score[k] ? 1 : score[i] == score[k] ? 0.5 : 0);
                all += w;
            }
        if (all > 0)
            near(area_under(score, share, weight, n), pairs / all, 1e-9, "area");
        else
            assert_true(isnan(area_under(score, share, weight, n)));
    }
}

/* ---- calibration ----------------------------------------------------------------------------------- */

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Isotonic regression is the rising sequence nearest in squares: no other that rises is nearer. */
static void isotonic(void **state)
{
    (void)state;
    const double x[] = {1, 2, 3, 4, 5, 5, 6}, y[] = {0, 1, 0, 1, 0, 1, 1};
    Curve c;
    curve_fit(&c, x, y, 7);
    near(curve_at(&c, 1), 0, 1e-12, "first");
    near(curve_at(&c, 2), .5, 1e-12, "pooled");
    near(curve_at(&c, 2.7), .5, 1e-12, "between");
    near(curve_at(&c, 4), 2. / 3, 1e-12, "pooled with a tie"); /* 1, 0, 1 */
    near(curve_at(&c, 3.5), (.5 + 2. / 3) / 2, 1e-12, "straight between");
    near(curve_at(&c, -9), 0, 1e-12, "below");
    near(curve_at(&c, 9), 1, 1e-12, "above");
    curve_release(&c);
    Rng rng;
    rng_seed(&rng, 5, 0);
    for (int round = 0; round < 200; round++) {
        double at[30], truth[30], best = 0;
        for (int i = 0; i < 30; i++) {
            at[i] = i;
            truth[i] = rng_unit(&rng) < 0.2 + 0.02 * i;
        }
        curve_fit(&c, at, truth, 30);
        for (int i = 0; i < 30; i++)
            best += pow(curve_at(&c, at[i]) - truth[i], 2);
        for (int other = 0; other < 50; other++) {
            double guess[30], sum = 0;
            for (int i = 0; i < 30; i++) /* near the best, where it could be beaten */
                guess[i] = curve_at(&c, at[i]) + 0.05 * rng_normal(&rng);
            qsort(guess, 30, sizeof *guess, ascending);
            for (int i = 0; i < 30; i++)
                sum += pow(guess[i] - truth[i], 2);
            assert_true(sum >= best - 1e-12);
        }
        curve_release(&c);
    }
}

/* Shares that are the square of what they should be: the curve finds it, the estimate is the truth's. */
static void calibrates(void **state)
{
    (void)state;
    size_t n = 20000;
    double *p = mem_alloc(2 * n * sizeof *p), *truth = p + n;
    Error err = {0};
    Rng rng;
    rng_seed(&rng, 8, 0);
    for (int squared = 0; squared < 2; squared++) {
        for (size_t i = 0; i < n; i++) {
            double share = rng_unit(&rng);
            truth[i] = rng_unit(&rng) < share;
            p[i] = squared ? share * share : share;
        }
        Cbpe *c = cbpe_fit(p, truth, n / 2, 2, &err);
        assert_non_null(c);
        CbpeOut e = cbpe_estimate(c, p + n / 2, NULL, n / 2),
                t = cbpe_true(p + n / 2, NULL, truth + n / 2, n / 2, 2);
        CbpeOut d = cbpe_deviations(c, n / 2);
        print_message("squared %d: accuracy %.4f, true %.4f; auc %.4f, %.4f; f1 %.4f, %.4f\n",
                      squared, e.accuracy, t.accuracy, e.auc, t.auc, e.f1, t.f1);
        near(e.accuracy, t.accuracy, 3 * d.accuracy, "accuracy");
        near(e.auc, t.auc, 3 * d.auc, "auc");
        near(e.f1, t.f1, 3 * d.f1, "f1");
        near(e.precision, t.precision, 3 * d.precision, "precision");
        near(e.recall, t.recall, 3 * d.recall, "recall");
        near(d.accuracy, sqrt(t.accuracy * (1 - t.accuracy) / ((double)n / 2)), 0.2 * d.accuracy,
             "its deviation");
        json_t *j = cbpe_to_json(c);
        if (squared) /* the curve was kept, and near the root */
            assert_true(json_is_object(json_array_get(json_object_get(j, "curves"), 0)));
        Cbpe *again = cbpe_from_json(j, &err);
        assert_non_null(again);
        CbpeOut o = cbpe_estimate(again, p + n / 2, NULL, n / 2);
        assert_memory_equal(&o, &e, sizeof o);
        json_decref(j);
        cbpe_destroy(again);
        cbpe_destroy(c);
    }
    mem_free(p);
}

static void refuses(void **state)
{
    (void)state;
    static const char *const broken[] = {
        "{}",
        "[]",
        "3",
        "{\"classes\": 1, \"rows\": 9, \"curves\": []}",
        "{\"classes\": 2, \"rows\": 9, \"curves\": [null, null]}",
        "{\"classes\": 2, \"rows\": 9, \"curves\": [{\"x\": [1, 1], \"y\": [0, 1]}]}",
        "{\"classes\": 2, \"rows\": 9, \"curves\": [{\"x\": [0, 1], \"y\": [0.5, 0.4]}]}",
        "{\"classes\": 2, \"rows\": 9, \"curves\": [{\"x\": [0, 1], \"y\": [0.5]}]}",
        "{\"classes\": 2, \"rows\": 9, \"curves\": [{\"x\": [0, \"a\"], \"y\": [0, 1]}]}",
        "{\"classes\": 2, \"rows\": 9, \"curves\": [null], \"deviations\": {\"auc\": -1}}"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        Error err = {0};
        json_t *j = json_loads(broken[i], JSON_DECODE_ANY, NULL);
        assert_non_null(j);
        assert_null(cbpe_from_json(j, &err));
        assert_int_equal(err.kind, ERROR_PARSE);
        json_decref(j);
    }
    double p[20] = {0}, truth[20];
    Error err = {0};
    for (int i = 0; i < 20; i++)
        truth[i] = NAN;
    assert_null(cbpe_fit(p, truth, 20, 2, &err));
    assert_int_equal(err.kind, ERROR_SHAPE);
    truth[0] = 0;
    const double *column[] = {p};
    const bool label[] = {false};
    DriftMatrix m = {20, 1, column, label};
    assert_null(dle_fit(&m, p, truth, 1, NULL, &err));
    /* One class only, no number among the shares of some: nothing to calibrate, and no area. */
    for (int i = 0; i < 20; i++)
        truth[i] = 0;
    p[3] = NAN;
    Cbpe *c = cbpe_fit(p, truth, 20, 2, &err);
    assert_non_null(c);
    assert_true(isnan(cbpe_true(p, NULL, truth, 20, 2).auc));
    near(cbpe_estimate(c, p, NULL, 20).accuracy, 1, 1e-12, "sure of it");
    cbpe_destroy(c);
}

/* ---- errors of a regression -------------------------------------------------------------------------- */

/* NannyML's own example of DLE: noise as wide as x; on the lower half it estimates 0.203 where 0.201 is true, on
 * the upper 0.598 of 0.610. */
static void wide_noise(void **state)
{
    (void)state;
    enum { N = 10000 };
    double *x = mem_alloc(3 * N * sizeof *x), *truth = x + N, *value = truth + N;
    Error err = {0};
    Rng rng;
    rng_seed(&rng, 1, 0);
    for (size_t i = 0; i < N; i++) {
        x[i] = rng_unit(&rng);
        value[i] = 2 * x[i];
        truth[i] = value[i] + x[i] * rng_normal(&rng);
    }
    const double *column[] = {x};
    const bool label[] = {false};
    DriftMatrix half = {N / 2, 1, column, label};
    Dle *d = dle_fit(&half, value, truth, 1, NULL, &err);
    assert_non_null(d);
    for (int upper = 0; upper < 2; upper++) {
        double cx[N], cv[N], ct[N];
        size_t n = 0;
        for (size_t i = N / 2; i < N; i++)
            if ((x[i] > 0.5) == upper) {
                cx[n] = x[i];
                cv[n] = value[i];
                ct[n++] = truth[i];
            }
        const double *chunk[] = {cx};
        DriftMatrix m = {n, 1, chunk, label};
        DleOut e = dle_estimate(d, &m, cv), t = dle_true(cv, ct, n), b = dle_deviations(d, n);
        if (!upper) { /* fitted anew, as the watcher does after a start: the same bits */
            Dle *anew = dle_fit(&half, value, truth, 1, NULL, &err);
            DleOut same = dle_estimate(anew, &m, cv);
            assert_memory_equal(&same, &e, sizeof e);
            dle_destroy(anew);
        }
        print_message("x %s 0.5: mae %.4f, true %.4f; rmse %.4f, %.4f; mape %.4f, %.4f\n",
                      upper ? ">" : "<", e.mae, t.mae, e.rmse, t.rmse, e.mape, t.mape);
        near(e.mae, t.mae, 3 * b.mae, "mae");
        near(e.rmse, t.rmse, 3 * b.rmse, "rmse");
        near(e.mae, (upper ? .75 : .25) * sqrt(2 / 3.14159265), 0.05 * t.mae, "mae as it must be");
    }
    dle_destroy(d);
    mem_free(x);
}

/* ---- real tables ------------------------------------------------------------------------------------- */

enum { COLUMNS = 24, ROWS = 33000 };
typedef struct Table {
    size_t rows, columns;
    bool label[COLUMNS];
    double *value[COLUMNS];
} Table;

typedef struct WordList {
    VEC(char *) at;
} WordList;

static double code_of(WordList *w, const char *s, size_t n)
{
    for (size_t i = 0; i < w->at.count; i++)
        if (strlen(w->at.at[i]) == n && memcmp(w->at.at[i], s, n) == 0)
            return (double)i;
    char *copy = mem_alloc(n + 1);
    memcpy(copy, s, n);
    vec_add(&w->at, copy);
    return (double)w->at.count - 1;
}

/* A plain table without quotes; `words` says which columns are labels ('w'), numbers ('n') or left ('-'). */
static bool read_table(Table *t, const char *file, char separator, const char *words, bool header)
{
    Text text = {0}, path = {0};
    Error err = {0};
    WordList list[COLUMNS] = {0};
    text_printf(&path, "%s/%s", LATHE_REAL_DATA, file);
    *t = (Table){.columns = strlen(words)};
    bool ok = file_read(text_str(&path), &text, 1 << 26, &err);
    for (size_t k = 0; ok && k < t->columns; k++) {
        t->label[k] = words[k] == 'w';
        t->value[k] = mem_alloc(ROWS * sizeof(double));
    }
    const char *at = ok ? text.at : "";
    if (ok && header)
        at = strchr(at, '\n') + 1;
    for (; ok && *at && t->rows < ROWS; at += *at == '\n') {
        size_t k = 0;
        for (; *at && *at != '\n'; k++) {
            while (*at == ' ')
                at++;
            const char *end = at;
            while (*end && *end != separator && *end != '\n' && *end != '\r')
                end++;
            if (k < t->columns && words[k] == 'w')
                t->value[k][t->rows] = code_of(&list[k], at, (size_t)(end - at));
            else if (k < t->columns && !text_to_real(at, (size_t)(end - at), &t->value[k][t->rows]))
                t->value[k][t->rows] = NAN;
            at = end;
            while (*at == separator || *at == '\r') {
                at++;
                if (at[-1] == separator)
                    break;
            }
        }
        t->rows += k == t->columns;
    }
    for (size_t k = 0; k < COLUMNS; k++) {
        for (size_t i = 0; i < list[k].at.count; i++)
            mem_free(list[k].at.at[i]);
        vec_release(&list[k].at);
    }
    text_release(&text);
    text_release(&path);
    return ok;
}

static void table_release(Table *t)
{
    for (size_t k = 0; k < t->columns; k++)
        mem_free(t->value[k]);
}

/* The rows in random order: a world that does not change. */
static void shuffle(Table *t)
{
    Rng rng;
    rng_seed(&rng, 17, 0);
    for (size_t i = t->rows; i-- > 1;) {
        size_t k = (size_t)rng_below(&rng, i + 1);
        for (size_t c = 0; c < t->columns; c++) {
            double v = t->value[c][i];
            t->value[c][i] = t->value[c][k];
            t->value[c][k] = v;
        }
    }
}

/* Rows from .. from + rows of the columns named. */
typedef struct View {
    const double *column[COLUMNS];
    bool label[COLUMNS];
    DriftMatrix m;
} View;

static void view(View *v, const Table *t, const char *use, size_t from, size_t rows)
{
    size_t n = 0;
    for (size_t k = 0; k < t->columns; k++)
        if (use[k] == 'x') {
            v->column[n] = t->value[k] + from;
            v->label[n++] = t->label[k];
        }
    v->m = (DriftMatrix){rows, n, v->column, v->label};
}

/* A child model on the first rows; what it says of all of them. */
static double *child(const Table *t, const char *use, const double *truth, size_t trained,
                     TaskKind task)
{
    Error err = {0};
    View v;
    float *target = mem_alloc(t->rows * sizeof *target);
    double *said = mem_alloc(t->rows * sizeof *said);
    for (size_t i = 0; i < t->rows; i++)
        target[i] = (float)truth[i];
    view(&v, t, use, 0, trained);
    Booster *b = booster_fit(&v.m, NULL, target, task, 5, NULL, &err);
    if (!b)
        fail_msg("%s", err.text);
    view(&v, t, use, 0, t->rows);
    booster_score(b, &v.m, NULL, target);
    for (size_t i = 0; i < t->rows; i++)
        said[i] = task == TASK_BINARY ? 1 / (1 + exp(-(double)target[i])) : (double)target[i];
    booster_destroy(b);
    mem_free(target);
    return said;
}

/* A random forest in the booster's clothes: trees grown to the end on parts of rows and columns, averaged. */
static double *forest(const Table *t, const char *use, const double *truth, size_t trained)
{
    enum { TREES = 100 };
    static const char *const settings[][2] = {
        {"leaves", "0"}, {"min_rows", "2"}, {"row_share", "0.632"}, {"column_share", "0.5"}};
    Error err = {0};
    size_t width = 0;
    float *dense = mem_alloc(t->rows * COLUMNS * sizeof *dense),
          *target = mem_alloc(t->rows * sizeof *target);
    float *out = mem_alloc(t->rows * sizeof *out);
    double *said = mem_alloc(t->rows * sizeof *said);
    for (size_t k = 0; k < t->columns; k++)
        width += use[k] == 'x';
    for (size_t i = 0; i < t->rows; i++) {
        target[i] = (float)truth[i];
        for (size_t k = 0, at = 0; k < t->columns; k++)
            if (use[k] == 'x')
                dense[i * width + at++] = (float)t->value[k][i];
    }
    const ModelFamily *family = model_family("gbdt");
    void *params = mem_alloc(family->params_size);
    params_init(family->params, params);
    for (size_t i = 0; i < 4; i++)
        assert_true(params_set(family->params, params, settings[i][0], settings[i][1], &err));
    ModelShape shape = {.dense = width, .task = TASK_REGRESSION, .outputs = 1, .missing = true};
    for (uint64_t tree = 0; tree < TREES; tree++) {
        ModelSetup setup = {.seed = tree, .batch_most = t->rows};
        Batch b = {.rows = trained, .dense = dense, .target = target};
        StepStats stats;
        Model *m = model_create(family, params, &shape, &setup, &err);
        assert_true(m && model_step(m, &b, &(Knobs){.lr = 1}, &stats, &err));
        b.rows = t->rows;
        model_predict(m, &b, out);
        for (size_t i = 0; i < t->rows; i++)
            said[i] += fmin(fmax((double)out[i], 0), 1) / TREES;
        model_destroy(m);
    }
    params_release(family->params, params);
    mem_free(params);
    mem_free(dense);
    mem_free(target);
    mem_free(out);
    return said;
}

typedef struct Tally {
    size_t chunks, inside[3];
    double truth[3], gap[3],
        move[3]; /* sums of the truth, |estimate - true|, |reference - true|: what not estimating would miss by */
    double errors[3]; /* sum of |estimate - true| in standard errors of a chunk */
} Tally;

/* How far an estimate may be off is said by NannyML in standard errors of the metric over a chunk of that size, taken from
 * the reference (docs/how_it_works/estimation_of_standard_error.rst): three of them are its confidence band. Measured in
 * the curves they publish:
 *
 *     DLE   mae   docs/_static/example_green_taxi_dle_vs_realized.svg        2.2 standard errors off on average, 11 of 16 in the band
 *     CBPE  auc   docs/_static/example_california_performance*.svg           4.9, 7 of 12 */
static const struct Published {
    double errors;
    size_t inside, chunks;
} published_dle = {2.2, 11, 16}, published_cbpe = {4.9, 7, 12};

static void within_published(const Tally *t, int k, const struct Published *p)
{
    assert_true(t->errors[k] <= p->errors * (double)t->chunks);
    assert_true(t->inside[k] * p->chunks >= p->inside * t->chunks);
}

static void tell(const char *what, const char *const *names, const Tally *t)
{
    for (int k = 0; k < 3; k++)
        print_message("%-32s %-8s %2zu of %2zu in the band; %.4g, off by %.4g (%.1f standard "
                      "errors), a constant by %.4g\n",
                      what, names[k], t->inside[k], t->chunks, t->truth[k] / (double)t->chunks,
                      t->gap[k] / (double)t->chunks, t->errors[k] / (double)t->chunks,
                      t->move[k] / (double)t->chunks);
}

static void add(Tally *t, int k, double estimate, double truth, double deviation, double before)
{
    t->inside[k] += fabs(estimate - truth) <= 3 * deviation;
    t->truth[k] += truth;
    t->gap[k] += fabs(estimate - truth);
    t->errors[k] += fabs(estimate - truth) / deviation;
    t->move[k] += fabs(before - truth);
}

/* Trained on the first rows, fitted on those after them, judged chunk by chunk on the rest. */
static Tally watch_classes(const char *what, double *p, const Table *t, const double *truth,
                           size_t trained, size_t reference, size_t chunk)
{
    static const char *const names[] = {"accuracy", "auc", "f1"};
    Error err = {0};
    Cbpe *c = cbpe_fit(p + trained, truth + trained, reference, 2, &err);
    assert_non_null(c);
    CbpeOut before = cbpe_true(p + trained, NULL, truth + trained, reference, 2),
            d = cbpe_deviations(c, chunk);
    Tally sum = {0};
    for (size_t at = trained + reference; at + chunk <= t->rows; at += chunk, sum.chunks++) {
        CbpeOut e = cbpe_estimate(c, p + at, NULL, chunk),
                r = cbpe_true(p + at, NULL, truth + at, chunk, 2);
        add(&sum, 0, e.accuracy, r.accuracy, d.accuracy, before.accuracy);
        add(&sum, 1, e.auc, r.auc, d.auc, before.auc);
        add(&sum, 2, e.f1, r.f1, d.f1, before.f1);
    }
    tell(what, names, &sum);
    cbpe_destroy(c);
    mem_free(p);
    return sum;
}

static Tally watch_errors(const char *what, const Table *t, const char *use, const double *truth,
                          size_t trained, size_t reference, size_t chunk)
{
    static const char *const names[] = {"mae", "rmse", "mape"};
    Error err = {0};
    View v;
    double *said = child(t, use, truth, trained, TASK_REGRESSION);
    view(&v, t, use, trained, reference);
    Dle *d = dle_fit(&v.m, said + trained, truth + trained, 3, NULL, &err);
    assert_non_null(d);
    DleOut before = dle_true(said + trained, truth + trained, reference),
           b = dle_deviations(d, chunk);
    Tally sum = {0};
    for (size_t at = trained + reference; at + chunk <= t->rows; at += chunk, sum.chunks++) {
        view(&v, t, use, at, chunk);
        DleOut e = dle_estimate(d, &v.m, said + at), r = dle_true(said + at, truth + at, chunk);
        add(&sum, 0, e.mae, r.mae, b.mae, before.mae);
        add(&sum, 1, e.rmse, r.rmse, b.rmse, before.rmse);
        add(&sum, 2, e.mape, r.mape, b.mape, before.mape);
    }
    tell(what, names, &sum);
    dle_destroy(d);
    mem_free(said);
    return sum;
}

static void adult(void **state)
{
    (void)state;
    Table t;
    if (!read_table(&t, "adult_train.csv", ',', "nwnwnwwwwwnnnww", false))
        skip();
    double *truth = mem_alloc(t.rows * sizeof *truth);
    double poor = t.value[14][0]; /* the first row has <=50K */
    for (size_t i = 0; i < t.rows; i++)
        truth[i] = t.value[14][i] != poor;
    Tally s = watch_classes("Adult, in the order of the file",
                            child(&t, "xxxxxxxxxxxxxx-", truth, 12000, TASK_BINARY), &t, truth,
                            12000, 8000, 1500);
    assert_true(s.chunks == 8);
    for (int k = 0; k < 3; k++)
        assert_true(s.inside[k] >= 7);
    within_published(&s, 1, &published_cbpe);
    mem_free(truth);
    table_release(&t);
}

/* NannyML's own example, docs/datasets/california.rst: the order of the file as time, four months to train, four as
 * reference, twelve chunks of a month; is the value above the training rows' median? Their published curves
 * (docs/examples/california_housing.rst) are 0.039 of area apart on average, 0.139 at most, 4.9 standard errors; what the
 * forest learns by chance matters more than the estimate: with scikit-learn's forest and isotonic regression and these
 * sums it is 0.055 to 0.070 over five seeds, with ours 0.047 and 2.6. The order of this file is one of places, not of
 * time. */
static void california(void **state)
{
    (void)state;
    Table t;
    if (!read_table(&t, "california_housing.csv", ',', "nnnnnnnnnw", true))
        skip();
    double *truth = mem_alloc(t.rows * sizeof *truth), *sorted = mem_alloc(5808 * sizeof *sorted);
    memcpy(sorted, t.value[8], 5808 * sizeof *sorted);
    qsort(sorted, 5808, sizeof *sorted, ascending);
    for (size_t i = 0; i < t.rows; i++) {
        truth[i] = t.value[8][i] > (sorted[2903] + sorted[2904]) / 2;
        double homes = t.value[6][i];
        t.value[3][i] /= homes; /* their features are by household */
        t.value[4][i] /= homes;
        t.value[6][i] = t.value[5][i] / homes;
    }
    Tally s = watch_classes("California, NannyML's own split",
                            forest(&t, "xxxxxxxx--", truth, 5808), &t, truth, 5808, 5904, 744);
    assert_int_equal(s.chunks, 12);
    for (int k = 0; k < 3; k++)
        assert_true(s.gap[k] < s.move[k]);
    assert_true(s.inside[1] >= 9);
    within_published(&s, 1, &published_cbpe);
    watch_errors("California, NannyML's own split", &t, "xxxxxxxx--", t.value[8], 5808, 5904, 744);
    mem_free(truth);
    mem_free(sorted);
    table_release(&t);
}

static void bikes(void **state)
{
    (void)state;
    Table t;
    if (!read_table(&t, "bike_sharing_hour.csv", ';', "n-nnnnnnnnnnnnnnn", true))
        skip();
    double *truth = mem_alloc(t.rows * sizeof *truth);
    for (size_t i = 0; i < t.rows; i++)
        truth[i] = t.value[14][i] > 0.2 * t.value[16][i]; /* more than a fifth casual riders */
    Tally s = watch_classes("bikes by time, casual riders",
                            child(&t, "--x--xxxxxxxxx---", truth, 8000, TASK_BINARY), &t, truth,
                            8000, 5000, 700);
    for (int k = 0; k < 3; k++)
        assert_true(s.inside[k] >= 4 && s.gap[k] < s.move[k]);
    within_published(&s, 1, &published_cbpe);
    s = watch_errors("bikes by time, hires an hour", &t, "--x-xxxxxxxxxx---", t.value[16], 8645,
                     5500, 700);
    for (int k = 0; k < 3; k++)
        assert_true(s.gap[k] < s.move[k]);
    /* not within the published error: 3.0 standard errors, 2 of 4 in the band. The hires grow, which no input tells */
    assert_true(s.gap[0] < 0.105 * s.truth[0] && s.errors[0] < 3.2 * (double)s.chunks);
    shuffle(&t);
    s = watch_errors("bikes, shuffled", &t, "--x-xxxxxxxxxx---", t.value[16], 8645, 5500,
                     t.rows - 14145);
    assert_true(s.gap[0] < 0.03 * s.truth[0]);
    mem_free(truth);
    table_release(&t);
}

/* NannyML's published curves of DLE (docs/examples/green_taxi.rst) are 2.9 % of the error apart on average, over weeks in
 * which what trips cost did not change. Here it does, which DLE does not see, and a chunk's own sampling error is 5 %: its
 * recipe with scikit-learn's booster (LightGBM's settings) is 13.8 % apart on these very rows and 9.5 % on the bikes', with
 * the same rows in random order and judged at once 3.1 % and 1.0 %. */
static void taxi(void **state)
{
    (void)state;
    Table t;
    if (!read_table(&t, "nyc_yellow_2015_10k.csv", ',', "n--nnnnnwnnnnnnnnnn", true))
        skip();
    Tally s =
        watch_errors("taxi fares by time", &t, "x--xxxxxxxx--------", t.value[12], 4000, 3000, 500);
    assert_true(s.inside[0] == s.chunks && s.inside[1] == s.chunks && s.gap[0] < s.move[0]);
    within_published(&s, 0, &published_dle);
    assert_true(s.gap[0] < 0.145 * s.truth[0]);
    shuffle(&t);
    s = watch_errors("taxi fares, shuffled", &t, "x--xxxxxxxx--------", t.value[12], 4000, 3000,
                     t.rows - 7000);
    assert_true(s.gap[0] < 0.05 * s.truth[0]);
    table_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values), cmocka_unit_test(several_classes),
        cmocka_unit_test(areas),        cmocka_unit_test(isotonic),
        cmocka_unit_test(calibrates),   cmocka_unit_test(refuses),
        cmocka_unit_test(wide_noise),   cmocka_unit_test(adult),
        cmocka_unit_test(california),   cmocka_unit_test(bikes),
        cmocka_unit_test(taxi),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
