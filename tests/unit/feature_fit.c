/* feature_fit.c -- fitting on a table: which columns, only training rows, the same bits on any
 * number of threads, through JSON, for one row and for all. */
#include "feature/feature_int.h"
#include "made_table.h"

static char dir[64];
static Dataset *trips;
static const Split split = {.share = {0.7, 0.15, 0.15}, .seed = 5};

static int open_trips(void **state)
{
    (void)state;
    made_folder(dir, sizeof dir);
    trips = made_dataset(dir, &(MadeTable){.rows = 150000, .seed = 1, .fare_missing = 0.01});
    return 0;
}

static int close_trips(void **state)
{
    (void)state;
    dataset_close(trips);
    return dir_remove(dir, NULL) ? 0 : -1;
}

static void normal_options(FeatureOptions *o)
{
    memset(o, 0, sizeof *o);
    params_init(feature_params, o);
}

static Features *must_fit(const Dataset *d, const char *target, const FeatureOptions *o, Pool *pool)
{
    Error err = {0};
    Features *f = features_fit(d, NULL, &split, target, NULL, 0, o, pool, NULL, &err);
    if (!f)
        fail_msg("%s", err.text);
    return f;
}

static char *json_text(const Features *f)
{
    json_t *json = features_to_json(f);
    assert_non_null(json);
    char *text = json_dumps(json, JSON_SORT_KEYS);
    json_decref(json);
    return text;
}

static void columns_are_chosen(void **state)
{
    (void)state;
    FeatureOptions o;
    normal_options(&o);
    o.onehot_most = 2;
    Features *f = must_fit(trips, "fare", &o, NULL);
    const ModelShape *s = features_shape(f);
    static const char *const inputs[] = {"miles", "seats", "city", "at", "night", "tip"};
    assert_int_equal(features_inputs(f), 6);
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(features_input(f, i), inputs[i]);
    /* miles and its indicator, seats, at: three cycles and days, night, tip: two words */
    static const char *const dense[] = {
        "miles",          "miles missing",  "seats",        "at hour sin",  "at hour cos",
        "at weekday sin", "at weekday cos", "at month sin", "at month cos", "at days",
        "night",          "tip = yes",      "tip = no"};
    assert_int_equal(s->dense, 13);
    for (size_t i = 0; i < 11; i++)
        assert_string_equal(s->dense_name[i], dense[i]);
    assert_int_equal(s->codes, 1);
    assert_int_equal(s->cardinality[0], 5);
    assert_int_equal(s->task, TASK_REGRESSION);
    assert_int_equal(s->outputs, 1);
    json_t *notes = features_notes(f);
    char *told = json_dumps(notes, 0);
    assert_non_null(strstr(told, "same left out: constant"));
    assert_non_null(strstr(told, "id left out: its role is id"));
    assert_non_null(strstr(told, "driver left out: more than 5000 different words"));
    assert_non_null(strstr(told, "row left out: it counts the rows"));
    free(told);
    json_decref(notes);
    features_destroy(f);
}

/* The training part comes out with mean 0 and deviation 1; the others only nearly so. */
static void fitted_on_training_rows_only(void **state)
{
    (void)state;
    FeatureOptions o;
    normal_options(&o);
    o.numbers = NUMBERS_STANDARD;
    Features *f = must_fit(trips, "fare", &o, NULL);
    FeatureTable t;
    Error err = {0};
    assert_true(feature_table_create(&t, f, trips, NULL, &split, NULL, NULL, &err));
    uint64_t total = t.dropped;
    for (int p = 0; p < PART_COUNT; p++) {
        const Batch *b = &t.part[p];
        size_t width = features_shape(f)->dense;
        double seats = 0.0, target = 0.0, squares = 0.0;
        for (size_t i = 0; i < b->rows; i++) {
            seats += (double)b->dense[i * width + 2];
            target += (double)b->target[i];
            squares += (double)b->target[i] * (double)b->target[i];
            assert_int_equal(split_part(&split, t.row[p][i]), p);
            assert_true(i == 0 || t.row[p][i] > t.row[p][i - 1]);
        }
        seats /= (double)b->rows;
        target /= (double)b->rows;
        total += b->rows;
        if (p == PART_TRAIN) {
            assert_true(fabs(seats) < 1e-5 && fabs(target) < 1e-5);
            assert_true(fabs(squares / (double)b->rows - 1.0) < 1e-4);
        } else {
            assert_true(fabs(seats) > 1e-5 && fabs(target) > 1e-5);
        }
    }
    assert_true(t.dropped > 1000 && t.dropped < 2000);
    assert_int_equal(total, 150000);
    assert_true(fabs((double)t.part[PART_TRAIN].rows / 148500.0 - 0.7) < 0.01);
    feature_table_release(&t);
    features_destroy(f);
}

static void assert_same_batch(const Batch *a, const Batch *b, const ModelShape *s)
{
    assert_int_equal(a->rows, b->rows);
    assert_memory_equal(a->dense, b->dense, a->rows * s->dense * sizeof(float));
    if (s->codes)
        assert_memory_equal(a->code, b->code, a->rows * s->codes * sizeof(int32_t));
    assert_memory_equal(a->target, b->target, a->rows * sizeof(float));
}

static void same_bits_on_any_threads(void **state)
{
    (void)state;
    Pool *pool = pool_create(3);
    FeatureOptions o;
    normal_options(&o);
    Features *one = must_fit(trips, "fare", &o, NULL), *three = must_fit(trips, "fare", &o, pool);
    char *a = json_text(one), *b = json_text(three);
    assert_string_equal(a, b);
    FeatureTable left, right;
    Error err = {0};
    assert_true(feature_table_create(&left, one, trips, NULL, &split, NULL, NULL, &err));
    assert_true(feature_table_create(&right, three, trips, NULL, &split, pool, NULL, &err));
    for (int p = 0; p < PART_COUNT; p++)
        assert_same_batch(&left.part[p], &right.part[p], features_shape(one));
    feature_table_release(&left);
    feature_table_release(&right);
    free(a);
    free(b);
    features_destroy(one);
    features_destroy(three);
    pool_destroy(pool);
}

/* Each kind of target and encoder: JSON text and back, then the first rows give the same bits, as a
 * chunk and one by one. */
static void round_trip(const char *target, const FeatureOptions *o)
{
    Features *f = must_fit(trips, target, o, NULL);
    char *text = json_text(f);
    json_t *json = json_loads(text, 0, NULL);
    Error err = {0};
    Features *again = features_from_json(json, &err);
    if (!again)
        fail_msg("%s", err.text);
    char *second = json_text(again);
    assert_string_equal(text, second);
    const ModelShape *s = features_shape(f);
    assert_int_equal(s->dense, features_shape(again)->dense);
    assert_int_equal(s->classes, features_shape(again)->classes);
    Arena a = {0};
    Chunk chunk, some;
    Batch left, right, row;
    dataset_chunk(trips, 1, &a, &chunk);
    chunk_slice(&chunk, 100, 300, &a, &some);
    assert_true(features_encode(f, &some, true, &a, &left, &err));
    assert_true(features_encode(again, &some, true, &a, &right, &err));
    assert_same_batch(&left, &right, s);
    for (size_t i = 0; i < some.rows; i++) {
        Chunk one;
        chunk_slice(&some, i, 1, &a, &one);
        assert_true(features_encode(f, &one, true, &a, &row, &err));
        Batch same = batch_slice(&left, s, i, 1);
        assert_same_batch(&row, &same, s);
    }
    arena_release(&a);
    json_decref(json);
    free(text);
    free(second);
    features_destroy(f);
    features_destroy(again);
}

static void json_keeps_every_bit(void **state)
{
    (void)state;
    FeatureOptions o;
    normal_options(&o);
    round_trip("fare", &o);
    round_trip("tip", &o);
    o.numbers = NUMBERS_QUANTILE;
    o.categories = CATEGORIES_ONEHOT;
    o.transform_target = TRANSFORM_LOG;
    round_trip("fare", &o);
    o.task = WANT_CLASSIFICATION;
    round_trip("seats", &o);
}

static void targets_come_back(void **state)
{
    (void)state;
    static const int forms[] = {TRANSFORM_NONE, TRANSFORM_STANDARD, TRANSFORM_LOG};
    for (size_t k = 0; k < 3; k++) {
        FeatureOptions o;
        normal_options(&o);
        o.transform_target = forms[k];
        Features *f = must_fit(trips, "fare", &o, NULL);
        Arena a = {0};
        Error err = {0};
        Chunk chunk;
        Batch b;
        dataset_chunk(trips, 0, &a, &chunk);
        assert_true(features_encode(f, &chunk, true, &a, &b, &err));
        const Column *fare = chunk_find(&chunk, "fare");
        for (size_t i = 0; i < 1000; i++) {
            double raw = column_real(fare, i);
            if (isnan(raw))
                assert_true(isnan(b.target[i]));
            else
                assert_true(fabs(features_target_value(f, (double)b.target[i]) - raw) <
                            1e-5 * (1.0 + fabs(raw)));
        }
        assert_true(features_target_scale(f) > 0.0);
        arena_release(&a);
        features_destroy(f);
    }
}

static void tasks_by_themselves(void **state)
{
    (void)state;
    static const struct {
        const char *target;
        TaskKind task;
        size_t classes;
    } rows[] = {{"fare", TASK_REGRESSION, 0},
                {"seats", TASK_REGRESSION, 0},
                {"night", TASK_BINARY, 2},
                {"tip", TASK_BINARY, 2},
                {"city", TASK_MULTICLASS, 4}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        FeatureOptions o;
        normal_options(&o);
        Features *f = must_fit(trips, rows[i].target, &o, NULL);
        const ModelShape *s = features_shape(f);
        assert_int_equal(s->task, rows[i].task);
        assert_int_equal(s->classes, rows[i].classes);
        assert_int_equal(s->outputs, s->task == TASK_MULTICLASS ? s->classes : 1);
        double n = 0.0;
        for (size_t k = 0; k < s->classes; k++)
            n += 1.0 / features_class_weight(f, k);
        if (s->classes) /* weights n / (classes n_class): their inverses sum to classes */
            assert_true(fabs(n - (double)s->classes) < 1e-9);
        if (s->task == TASK_BINARY)
            assert_string_equal(features_class(f, 1), i == 2 ? "true" : "yes");
        features_destroy(f);
    }
}

static void expect_error(const Dataset *d, const Split *by, const char *target,
                         const char *const *columns, size_t n, const FeatureOptions *o,
                         const char *message)
{
    Error err = {0};
    Features *f = features_fit(d, NULL, by, target, columns, n, o, NULL, NULL, &err);
    assert_null(f);
    if (!strstr(err.text, message))
        fail_msg("expected '%s' in '%s'", message, err.text);
}

static void clear_errors(void **state)
{
    (void)state;
    FeatureOptions o;
    normal_options(&o);
    const char *const wrong[] = {"mile"}, *const twice[] = {"miles", "miles"};
    const char *const itself[] = {"fare"}, *const useless[] = {"same"};
    expect_error(trips, &split, "farre", NULL, 0, &o, "no column farre, did you mean fare?");
    expect_error(trips, &split, "same", NULL, 0, &o, "same value in all");
    expect_error(trips, &split, "at", NULL, 0, &o, "derive a number");
    expect_error(trips, &split, "fare", wrong, 1, &o, "did you mean miles?");
    expect_error(trips, &split, "fare", twice, 2, &o, "named twice");
    expect_error(trips, &split, "fare", itself, 1, &o, "is the target");
    expect_error(trips, &split, "fare", useless, 1, &o, "no usable input columns");
    expect_error(trips, &split, "driver", NULL, 0, &o, "more than 1000 classes");
    o.task = WANT_CLASSIFICATION;
    expect_error(trips, &split, "miles", NULL, 0, &o, "use task=regression");
    o.task = WANT_REGRESSION;
    expect_error(trips, &split, "city", NULL, 0, &o, "is text");
    normal_options(&o);
    Dataset *empty = made_dataset(dir, &(MadeTable){.rows = 0});
    expect_error(empty, &split, "fare", NULL, 0, &o, "no training rows");
    dataset_close(empty);
    Dataset *hollow = made_dataset(dir, &(MadeTable){.rows = 50, .fare_missing = 2.0});
    expect_error(hollow, &split, "fare", NULL, 0, &o, "missing in all");
    dataset_close(hollow);
}

static void stops_when_asked(void **state)
{
    (void)state;
    Progress progress = {0};
    Error err = {0};
    stop_ask(&progress.stop);
    FeatureOptions o;
    normal_options(&o);
    assert_null(features_fit(trips, NULL, &split, "fare", NULL, 0, &o, NULL, &progress, &err));
    assert_int_equal(err.kind, ERROR_STOP);
}

static void rows_without_a_column_are_refused(void **state)
{
    (void)state;
    FeatureOptions o;
    normal_options(&o);
    Features *f = must_fit(trips, "fare", &o, NULL);
    Arena a = {0};
    Chunk chunk;
    Batch b;
    Error err = {0};
    dataset_chunk(trips, 0, &a, &chunk);
    chunk.columns = 3; /* id, miles, seats */
    assert_false(features_encode(f, &chunk, false, &a, &b, &err));
    assert_non_null(strstr(err.text, "no column city"));
    arena_release(&a);
    features_destroy(f);
}

static void broken_features_are_refused(void **state)
{
    (void)state;
    FeatureOptions o;
    normal_options(&o);
    Features *f = must_fit(trips, "tip", &o, NULL);
    json_t *good = features_to_json(f);
    static const char *const changes[][2] = {
        {"format", "\"else\""},
        {"version", "2"},
        {"inputs", "[]"},
        {"inputs", "[{}]"},
        {"inputs", "7"},
        {"notes", "1"},
        {"target", "{}"},
        {"target", "{\"name\":\"t\",\"type\":\"text\",\"task\":\"binary\",\"form\":\"none\","
                   "\"mean\":0,\"scale\":1,\"deviation\":0,\"at\":0,\"classes\":[\"a\"],"
                   "\"weights\":[1]}"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        json_t *bad = json_deep_copy(good);
        Error err = {0};
        json_object_set_new(bad, changes[i][0], json_loads(changes[i][1], JSON_DECODE_ANY, NULL));
        assert_null(features_from_json(bad, &err));
        assert_true(err.text[0]);
        json_decref(bad);
    }
    json_decref(good);
    features_destroy(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_chosen),
        cmocka_unit_test(fitted_on_training_rows_only),
        cmocka_unit_test(same_bits_on_any_threads),
        cmocka_unit_test(json_keeps_every_bit),
        cmocka_unit_test(targets_come_back),
        cmocka_unit_test(tasks_by_themselves),
        cmocka_unit_test(clear_errors),
        cmocka_unit_test(stops_when_asked),
        cmocka_unit_test(rows_without_a_column_are_refused),
        cmocka_unit_test(broken_features_are_refused),
    };
    return cmocka_run_group_tests(tests, open_trips, close_trips);
}
