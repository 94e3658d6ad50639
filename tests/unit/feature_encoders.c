/* feature_encoders.c -- each encoder on hand-made columns: known values, missing, unseen, saving. */
#include "feature/feature_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const FeatureOptions options = {.onehot_most = 0, .words_most = 100, .words_least = 1};

static void fit_on(Input *in, const char *encoder, const Column *c, const FeatureOptions *o)
{
    Arena a = {0};
    ColumnStats s = {0};
    uint32_t *row = ARENA_NEW(&a, uint32_t, c->rows + 1);
    for (size_t i = 0; i < c->rows; i++)
        row[i] = (uint32_t)i;
    StatsRows rows = {row, c->rows, row, c->rows};
    StatsWish wish = {.values_most = 100, .words_most = 100, .sample = true};
    stats_add(&s, c, &rows, &wish);
    *in = (Input){.name = c->name, .type = c->type, .encoder = encoder_find(encoder)};
    in->missing = s.missing > 0;
    assert_non_null(in->encoder);
    in->encoder->fit(in, &s, o);
    stats_release(&s);
    arena_release(&a);
}

static Column numbers(Arena *a, const double *at, size_t n)
{
    Column c;
    ColumnBuild *b = column_build(a, "x", COLUMN_REAL, n);
    for (size_t i = 0; i < n; i++)
        if (isnan(at[i]))
            column_build_missing(b);
        else
            column_build_real(b, at[i]);
    column_build_finish(b, &c);
    return c;
}

static Column words(Arena *a, const char *const *at, size_t n)
{
    Column c;
    ColumnBuild *b = column_build(a, "w", COLUMN_TEXT, n);
    for (size_t i = 0; i < n; i++)
        if (!at[i])
            column_build_missing(b);
        else
            column_build_text(b, at[i], strlen(at[i]));
    column_build_finish(b, &c);
    return c;
}

static Column whole(Arena *a, ColumnType type, const int64_t *at, size_t n)
{
    Column c;
    ColumnBuild *b = column_build(a, "t", type, n);
    for (size_t i = 0; i < n; i++)
        column_build_int(b, at[i]);
    column_build_finish(b, &c);
    return c;
}

static const float *dense_of(const Input *in, const Column *c, Arena *a)
{
    float *out = ARENA_NEW(a, float, c->rows * in->dense + 1);
    in->encoder->encode(in, c, (Dense){out, in->dense}, (Codes){NULL, 0}, a);
    return out;
}

static const int32_t *codes_of(const Input *in, const Column *c, Arena *a)
{
    int32_t *out = ARENA_NEW(a, int32_t, c->rows + 1);
    in->encoder->encode(in, c, (Dense){NULL, 0}, (Codes){out, 1}, a);
    return out;
}

static void forget(Input *in)
{
    in->encoder->release(in);
}

/* Through JSON text and back, the encoder has to give the same bits. */
static void reload(Input *in)
{
    json_t *saved = in->encoder->save(in);
    char *text = json_dumps(saved, 0);
    json_t *read = json_loads(text, 0, NULL);
    Input again = {.name = in->name, .type = in->type, .encoder = in->encoder};
    Error err = {0};
    if (!again.encoder->load(&again, read, &err))
        fail_msg("%s: %s in %s", in->encoder->name, err.text, text);
    assert_int_equal(again.dense, in->dense);
    assert_int_equal(again.codes, in->codes);
    json_t *second = again.encoder->save(&again);
    assert_true(json_equal(saved, second));
    forget(in);
    again.missing = in->missing;
    *in = again;
    json_decref(saved);
    json_decref(read);
    json_decref(second);
    free(text);
}

static void standard_known_values(void **state)
{
    (void)state;
    Arena a = {0};
    const double train[] = {2, 4, 4, 4, 5, 5, 7, 9}; /* mean 5, deviation 2 */
    const double score[] = {5, 9, NAN, -1};
    Column c = numbers(&a, train, 8), d = numbers(&a, score, 4);
    Input in;
    fit_on(&in, "standard", &c, &options);
    reload(&in);
    const float *z = dense_of(&in, &d, &a);
    assert_true(z[0] == 0.0f && z[1] == 2.0f && z[2] == 0.0f && z[3] == -3.0f);
    forget(&in);
    arena_release(&a);
}

static void standard_survives_the_largest_doubles(void **state)
{
    (void)state;
    Arena a = {0};
    const double train[] = {-1.7e308, 1.7e308, 1.6e308, 1.5e308};
    Column c = numbers(&a, train, 4);
    Input in;
    fit_on(&in, "standard", &c, &options);
    const float *z = dense_of(&in, &c, &a);
    for (int i = 0; i < 4; i++)
        assert_true(isfinite(z[i]));
    forget(&in);
    arena_release(&a);
}

/* scipy.stats.norm.ppf at these shares */
static void inverse_normal_known_values(void **state)
{
    (void)state;
    const double known[][2] = {{0.5, 0.0},
                               {0.975, 1.959963984540054},
                               {0.1, -1.2815515655446004},
                               {0.9, 1.2815515655446004},
                               {0.001, -3.090232306167813},
                               {1e-7, -5.199337582192817},
                               {1e-12, -7.034483825301131},
                               {0.07, -1.4757910281791702}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_true(fabs(normal_inverse(known[i][0]) - known[i][1]) < 1e-12);
}

static void quantile_is_normal_and_monotone(void **state)
{
    (void)state;
    Arena a = {0};
    enum { N = 5000 };
    double *train = ARENA_NEW(&a, double, N);
    Rng rng;
    rng_seed(&rng, 7, 0);
    for (int i = 0; i < N; i++)
        train[i] = exp(3.0 * rng_normal(&rng)); /* far from normal */
    Column c = numbers(&a, train, N);
    Input in;
    fit_on(&in, "quantile", &c, &options);
    reload(&in);
    const float *z = dense_of(&in, &c, &a);
    double sum = 0.0, squares = 0.0;
    for (int i = 0; i < N; i++) {
        sum += (double)z[i];
        squares += (double)z[i] * (double)z[i];
        assert_true(fabs((double)z[i] - log(train[i]) / 3.0) < 0.6 || fabs((double)z[i]) > 2.5);
    }
    assert_true(fabs(sum / N) < 0.01);
    assert_true(fabs(squares / N - 1.0) < 0.1);
    const double score[] = {-5.0, train[0], 1e30, NAN};
    Column d = numbers(&a, score, 4);
    const float *s = dense_of(&in, &d, &a);
    assert_true(s[0] < -5.1f && s[0] > -5.3f && s[2] > 5.1f && s[2] < 5.3f && s[3] == 0.0f);
    forget(&in);
    arena_release(&a);
}

static void quantile_takes_the_middle_of_ties(void **state)
{
    (void)state;
    Arena a = {0};
    double train[100];
    for (int i = 0; i < 100; i++)
        train[i] = i < 50 ? 0.0 : i;
    Column c = numbers(&a, train, 100);
    Input in;
    fit_on(&in, "quantile", &c, &options);
    const float *z = dense_of(&in, &c, &a);
    /* zeros hold the shares 0 .. 0.5: the middle is about a quarter, Phi^-1(1/4) = -0.67 */
    assert_true(z[0] > -0.9f && z[0] < -0.6f);
    forget(&in);
    arena_release(&a);
}

static void embed_codes(void **state)
{
    (void)state;
    Arena a = {0};
    const char *const train[] = {"b", "a", "b", NULL, "c", "b", "a"};
    const char *const score[] = {"a", "zz", NULL, "c", "b", ""};
    Column c = words(&a, train, 7), d = words(&a, score, 6);
    FeatureOptions rare = options;
    rare.words_least = 2;
    Input in;
    fit_on(&in, "embed", &c, &rare);
    reload(&in);
    assert_int_equal(in.encoder->cardinality(&in), 3); /* unseen, b, a; c is too rare */
    const int32_t *code = codes_of(&in, &d, &a);
    const int32_t expect[] = {2, 0, 0, 0, 1, 0};
    assert_memory_equal(code, expect, sizeof expect);
    /* one row has the same code whether its dictionary is translated or not */
    for (size_t i = 0; i < 6; i++) {
        Chunk all = {.rows = 6, .columns = 1, .column = &d}, one;
        chunk_slice(&all, i, 1, &a, &one);
        assert_int_equal(*codes_of(&in, &one.column[0], &a), expect[i]);
    }
    forget(&in);
    arena_release(&a);
}

static void words_that_json_cannot_keep_are_unseen(void **state)
{
    (void)state;
    Arena a = {0};
    const char *const train[] = {"\xff\xfe", "a", "\xff\xfe", "a", "b"};
    Column c = words(&a, train, 5);
    Input in;
    fit_on(&in, "embed", &c, &options);
    reload(&in);
    const int32_t expect[] = {0, 1, 0, 1, 2};
    assert_memory_equal(codes_of(&in, &c, &a), expect, sizeof expect);
    forget(&in);
    arena_release(&a);
}

static void onehot_floats(void **state)
{
    (void)state;
    Arena a = {0};
    const char *const train[] = {"x", "y", "x"};
    const char *const holes[] = {"x", "y", "x", NULL};
    const char *const score[] = {"x", "y", "new"};
    Column c = words(&a, train, 3), h = words(&a, holes, 4), d = words(&a, score, 3);
    Input in;
    fit_on(&in, "onehot", &c, &options);
    reload(&in);
    assert_int_equal(in.dense, 2);
    const float whole_set[] = {1, 0, 0, 1, 0, 0};
    assert_memory_equal(dense_of(&in, &d, &a), whole_set, sizeof whole_set);
    forget(&in);
    fit_on(&in, "onehot", &h, &options); /* training rows had missing words: a float for those */
    reload(&in);
    assert_int_equal(in.dense, 3);
    const float with_other[] = {0, 1, 0, 0, 0, 1, 1, 0, 0};
    assert_memory_equal(dense_of(&in, &d, &a), with_other, sizeof with_other);
    forget(&in);
    arena_release(&a);
}

static void flags(void **state)
{
    (void)state;
    Arena a = {0};
    Column c;
    ColumnBuild *b = column_build(&a, "f", COLUMN_BOOL, 3);
    column_build_int(b, 1);
    column_build_int(b, 0);
    column_build_missing(b);
    column_build_finish(b, &c);
    Input in;
    fit_on(&in, "flag", &c, &options);
    reload(&in);
    const float expect[] = {1, -1, 0};
    assert_memory_equal(dense_of(&in, &c, &a), expect, sizeof expect);
    assert_true(in.missing);
    forget(&in);
    arena_release(&a);
}

#define HOUR 3600000000LL
#define DAY  (24 * HOUR)

static void raw_keeps_numbers_and_missing(void **state)
{
    (void)state;
    Arena a = {0};
    Input in;
    const double at[] = {3.25, NAN, -1e30, 0.0};
    Column c = numbers(&a, at, 4);
    fit_on(&in, "raw", &c, &options);
    reload(&in);
    const float *x = dense_of(&in, &c, &a);
    assert_true(in.nan && !in.missing && in.dense == 1);
    assert_true(x[0] == 3.25f && isnan(x[1]) && x[2] == -1e30f && x[3] == 0.0f);
    forget(&in);
    arena_release(&a);
}

/* 2019-03-06, a Wednesday, 18:30, and one in April. */
static void raw_times_are_plain_parts(void **state)
{
    (void)state;
    Arena a = {0};
    Input in;
    FeatureOptions raw = options;
    params_init(feature_params, &raw);
    Error err = {0};
    assert_true(params_set(feature_params, &raw, "numbers", "raw", &err));
    const int64_t march = (date_days(2019, 3, 6) * 1440 + 18 * 60 + 30) * 60000000;
    const int64_t april = date_days(2019, 4, 1) * 86400000000;
    const int64_t at[] = {march, april};
    Column c = whole(&a, COLUMN_TIME, at, 2);
    fit_on(&in, "timestamp", &c, &raw);
    reload(&in);
    assert_int_equal(in.dense, 4);
    const float *x = dense_of(&in, &c, &a);
    assert_true(in.nan && x[0] == 18.5f && x[1] == 2.0f && x[2] == 3.0f);
    assert_true(x[4] == 0.0f && x[5] == 0.0f && x[6] == 4.0f);
    assert_true(x[7] == (float)date_days(2019, 4, 1));
    forget(&in);
    arena_release(&a);
}

static void timestamp_parts(void **state)
{
    (void)state;
    Arena a = {0};
    /* Thursday 1970-01-01 00:00, Friday 06:00, Thursday a week later 18:00: one month only */
    const int64_t train[] = {0, DAY + 6 * HOUR, 7 * DAY + 18 * HOUR};
    const int64_t score[] = {6 * HOUR, 400 * DAY, -DAY};
    Column c = whole(&a, COLUMN_TIME, train, 3), d = whole(&a, COLUMN_TIME, score, 3);
    Input in;
    fit_on(&in, "timestamp", &c, &options);
    reload(&in);
    assert_int_equal(in.dense, 5); /* hour, weekday, days; no month */
    const float *z = dense_of(&in, &d, &a);
    assert_true(fabsf(z[0] - 1.0f) < 1e-6f && fabsf(z[1]) < 1e-6f); /* 6 o'clock: a quarter turn */
    assert_true(fabsf(z[2] - (float)sin(6.283185307179586 * 3 / 7)) < 1e-6f);
    const float *t = dense_of(&in, &c, &a);
    assert_true(z[5 + 4] == t[10 + 4]); /* 400 days on: held at the last training row */
    assert_true(z[10 + 4] == t[0 + 4]); /* before the first: held there */
    assert_true(t[2] == t[10 + 2]);     /* Thursdays */
    Text name = {0};
    in.encoder->describe(&in, 3, &name);
    assert_string_equal(text_str(&name), "weekday cos");
    text_release(&name);
    forget(&in);
    arena_release(&a);
}

static void dates_have_no_hour(void **state)
{
    (void)state;
    Arena a = {0};
    const int64_t train[] = {0, 40, 80, 81};
    Column c = whole(&a, COLUMN_DATE, train, 4);
    Input in;
    fit_on(&in, "timestamp", &c, &options);
    assert_int_equal(in.dense, 5); /* weekday, month, days */
    forget(&in);
    arena_release(&a);
}

/* Statistics of parts, merged in order, are those of the whole. */
static void statistics_merge(void **state)
{
    (void)state;
    Arena a = {0};
    enum { N = 1000 };
    double at[N];
    Rng rng;
    rng_seed(&rng, 3, 0);
    for (int i = 0; i < N; i++)
        at[i] = i % 17 == 0 ? (double)NAN : 1e6 + rng_normal(&rng);
    Column all = numbers(&a, at, N);
    uint32_t row[N];
    for (uint32_t i = 0; i < N; i++)
        row[i] = i;
    StatsWish wish = {.values_most = 2000, .sample = true};
    ColumnStats one = {0}, sum = {0};
    StatsRows rows = {row, N, row, N};
    stats_add(&one, &all, &rows, &wish);
    for (size_t from = 0; from < N; from += 130) {
        ColumnStats part = {0};
        size_t n = N - from < 130 ? N - from : 130;
        StatsRows some = {row + from, n, row + from, n};
        stats_add(&part, &all, &some, &wish);
        stats_merge(&sum, &part, &wish);
    }
    assert_int_equal(one.count, sum.count);
    assert_int_equal(one.missing, sum.missing);
    assert_true(one.missing == 59);
    assert_true(fabs(one.mean - sum.mean) < 1e-9 * one.mean);
    assert_true(fabs(stats_deviation(&one) - stats_deviation(&sum)) < 1e-9);
    assert_true(fabs(stats_deviation(&one) - 1.0) < 0.1);
    assert_true(one.least == sum.least && one.most == sum.most);
    assert_int_equal(one.value.count, sum.value.count);
    assert_int_equal(one.sample.count, sum.sample.count);
    stats_release(&one);
    stats_release(&sum);
    arena_release(&a);
}

static void spike_is_number_and_code(void **state)
{
    (void)state;
    Arena a = {0};
    FeatureOptions o = options;
    o.words_least = 2;
    const double train[] = {0, 0, 0, 0, 0, 0, 10, 10, 20, 20}; /* mean 6, deviation sqrt(64) */
    const double score[] = {0, 10, 20, NAN, 15, 6};
    Column c = numbers(&a, train, 10), d = numbers(&a, score, 6);
    Input in;
    fit_on(&in, "spike", &c, &o);
    reload(&in);
    assert_int_equal(in.encoder->cardinality(&in), 4);
    float z[6] = {0};
    int32_t code[6] = {0};
    in.encoder->encode(&in, &d, (Dense){z, 1}, (Codes){code, 1}, &a);
    assert_true(z[0] == -0.75f && z[1] == 0.5f && z[2] == 1.75f && z[3] == 0.0f && z[5] == 0.0f);
    const int32_t expected[] = {1, 2, 3, 0, 0, 0};
    assert_memory_equal(code, expected, sizeof code);
    forget(&in);
    arena_release(&a);
}

static void broken_json_is_refused(void **state)
{
    (void)state;
    static const char *const broken[][2] = {
        {"standard", "{\"mean\": 1}"},
        {"standard", "{\"mean\": 1, \"scale\": 0}"},
        {"standard", "[]"},
        {"quantile", "{\"quantiles\": [1]}"},
        {"quantile", "{\"quantiles\": [2, 1]}"},
        {"quantile", "{\"quantiles\": [2, \"3\"]}"},
        {"spike", "{\"mean\": 1, \"scale\": 2}"},
        {"spike", "{\"mean\": 1, \"scale\": 2, \"values\": [1, 1]}"},
        {"spike", "{\"mean\": 1, \"scale\": 0, \"values\": []}"},
        {"spike", "{\"mean\": 1, \"scale\": 2, \"values\": [\"1\"]}"},
        {"embed", "{\"words\": [\"a\", \"a\"]}"},
        {"embed", "{}"},
        {"onehot", "{\"words\": [\"a\", 7], \"unseen\": true}"},
        {"onehot", "{\"words\": [\"a\"]}"},
        {"timestamp", "{\"hour\": true}"},
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        json_t *from = json_loads(broken[i][1], 0, NULL);
        Input in = {.name = "x", .encoder = encoder_find(broken[i][0])};
        Error err = {0};
        assert_false(in.encoder->load(&in, from, &err));
        assert_true(err.text[0]);
        forget(&in);
        json_decref(from);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(standard_known_values),
        cmocka_unit_test(standard_survives_the_largest_doubles),
        cmocka_unit_test(inverse_normal_known_values),
        cmocka_unit_test(quantile_is_normal_and_monotone),
        cmocka_unit_test(quantile_takes_the_middle_of_ties),
        cmocka_unit_test(spike_is_number_and_code),
        cmocka_unit_test(embed_codes),
        cmocka_unit_test(words_that_json_cannot_keep_are_unseen),
        cmocka_unit_test(onehot_floats),
        cmocka_unit_test(flags),
        cmocka_unit_test(timestamp_parts),
        cmocka_unit_test(raw_keeps_numbers_and_missing),
        cmocka_unit_test(raw_times_are_plain_parts),
        cmocka_unit_test(dates_have_no_hour),
        cmocka_unit_test(statistics_merge),
        cmocka_unit_test(broken_json_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
