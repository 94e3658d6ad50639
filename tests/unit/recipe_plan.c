/* recipe_plan.c -- plans: chunked == whole == row by row, fitted on training rows only, kept as
 * JSON, traced, without a target, over whole datasets. */
#include "recipe_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ROWS 150000 /* three chunks */
#define SOME 6000

static Table table;
static char dir[] = "/tmp/lathe-plan-XXXXXX";
static Dataset *dataset; /* the same rows */
static Pool *pool;

static const char recipe[] = "drop missing T\n"
                             "derive y = X * 2 + N\n"
                             "impute N median\n"
                             "impute S mode\n"
                             "lower S\n"
                             "# off: keep false\n"
                             "clip X -15 15\n"
                             "impute X mean\n"
                             "drop outliers y zscore 2\n"
                             "derive h = hour(T) + length(S)\n"
                             "replace S \"w1\" \"one\", \"w2\" \"two\"\n"
                             "impute y median\n"
                             "cast B int64\n"
                             "drop P like '%77%'\n"
                             "rename h to hours\n";

static int make(void **state)
{
    (void)state;
    Error err = {0};
    char hash[65], path[200];
    table_random(&table, ROWS, 7);
    pool = pool_create(3);
    if (!mkdtemp(dir))
        return 1;
    DatasetWriter *w = dataset_writer_create(dir, &table.schema, pool, &err);
    Arena a = {0};
    for (size_t from = 0; w && from < ROWS; from += 1000) {
        Chunk part;
        chunk_slice(&table.chunk, from, 1000, &a, &part);
        if (!dataset_writer_add(w, &part, &err))
            return 1;
    }
    if (!w || !dataset_writer_finish(w, hash, &err))
        return 1;
    dataset_writer_destroy(w);
    arena_release(&a);
    snprintf(path, sizeof path, "%s/%s.arrow", dir, hash);
    dataset = dataset_open(path, &err);
    return dataset ? 0 : 1;
}

static int unmake(void **state)
{
    (void)state;
    Error err = {0};
    dataset_close(dataset);
    pool_destroy(pool);
    table_end(&table);
    return dir_remove(dir, &err) ? 0 : 1;
}

static void one_chunk(void *context, size_t i, Arena *a, Chunk *out)
{
    *out = *(const Chunk *)context;
    (void)i;
    (void)a;
}

static Plan *plan_of(const char *text, const Schema *s)
{
    Error err = {0};
    Recipe *r = recipe_create();
    if (!recipe_parse(r, text, &err))
        fail_msg("%s", err.text);
    Plan *p = plan_create(r, s, &err);
    if (!p)
        fail_msg("%s", err.text);
    recipe_destroy(r);
    return p;
}

static Plan *fitted(const char *text, const Split *split)
{
    Error err = {0};
    Plan *p = plan_of(text, &table.schema);
    if (!plan_fit(p, dataset, split, pool, NULL, &err))
        fail_msg("%s", err.text);
    assert_false(plan_needs_fit(p));
    return p;
}

static void assert_same_rows(const Chunk *a, size_t i, const Chunk *b, size_t j)
{
    assert_int_equal(a->columns, b->columns);
    assert_int_equal(chunk_origin(a, i), chunk_origin(b, j));
    for (size_t k = 0; k < a->columns; k++) {
        assert_string_equal(a->column[k].name, b->column[k].name);
        if (!same_value(&a->column[k], i, &b->column[k], j))
            fail_msg("column %s of row %zu differs", a->column[k].name, i);
    }
}

static void check_in_parts(const Plan *p, size_t size)
{
    Error err = {0};
    Arena a = {0};
    Chunk first, whole;
    size_t at = 0;
    chunk_slice(&table.chunk, 0, SOME, &a, &first);
    assert_true(plan_apply(p, NULL, &first, &a, &whole, &err));
    for (size_t from = 0; from < SOME; from += size) {
        Chunk part, out;
        chunk_slice(&table.chunk, from, from + size > SOME ? SOME - from : size, &a, &part);
        assert_true(plan_apply(p, NULL, &part, &a, &out, &err));
        for (size_t i = 0; i < out.rows; i++)
            assert_same_rows(&whole, at++, &out, i);
    }
    assert_int_equal(at, whole.rows);
    arena_release(&a);
}

static void test_parts_agree(void **state)
{
    (void)state;
    Plan *p = fitted(recipe, NULL);
    check_in_parts(p, 1777);
    check_in_parts(p, 64);
    check_in_parts(p, 1);
    plan_destroy(p);
}

/* A plan that was saved and read gives the same rows. */
static void test_json(void **state)
{
    (void)state;
    Error err = {0};
    Arena a = {0};
    Chunk x, y;
    Plan *p = fitted(recipe, &(Split){.share = {0.7, 0.15, 0.15}, .seed = 3});
    json_t *j = plan_to_json(p);
    char *text = json_dumps(j, 0);
    json_t *again = json_loads(text, 0, NULL);
    Plan *q = plan_from_json(again, &table.schema, &err);
    if (!q)
        fail_msg("%s", err.text);
    assert_false(plan_needs_fit(q));
    json_t *third = plan_to_json(q);
    assert_true(json_equal(j, third));
    assert_true(plan_apply(p, NULL, &table.chunk, &a, &x, &err));
    assert_true(plan_apply(q, NULL, &table.chunk, &a, &y, &err));
    assert_int_equal(x.rows, y.rows);
    for (size_t i = 0; i < x.rows; i++)
        assert_same_rows(&x, i, &y, i);
    free(text);
    json_decref(j);
    json_decref(again);
    json_decref(third);
    plan_destroy(p);
    plan_destroy(q);
    arena_release(&a);
}

static void test_broken_json(void **state)
{
    (void)state;
    static const char *const broken[] = {
        "{}",
        "[]",
        "{\"recipe\": 3}",
        "{\"recipe\": \"impute N medium\", \"fitted\": []}",
        "{\"recipe\": \"impute N median\"}",
        "{\"recipe\": \"impute N median\", \"fitted\": []}",
        "{\"recipe\": \"impute N median\", \"fitted\": [[]]}",
        "{\"recipe\": \"impute N median\", \"fitted\": [[{\"column\": \"X\", \"count\": 0}]]}",
        "{\"recipe\": \"impute N median\", \"fitted\": [[{\"column\": \"N\", \"count\": -1}]]}",
        "{\"recipe\": \"impute N median\", \"fitted\": [[{\"column\": \"N\", \"count\": 2}]]}",
        "{\"recipe\": \"impute S mode\", \"fitted\": [[{\"column\": \"S\", \"count\": 2, \"mode\": "
        "3}]]}",
        "{\"recipe\": \"impute GONE mode\", \"fitted\": [null]}",
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        Error err = {0};
        json_t *j = json_loads(broken[i], 0, NULL);
        assert_non_null(j);
        if (plan_from_json(j, &table.schema, &err))
            fail_msg("accepted %s", broken[i]);
        assert_true(text_starts(err.text, "recipe"));
        json_decref(j);
    }
}

/* The statistics are those of the training rows as the rules before leave them: checked by hand. */
static void test_fitted_on_train(void **state)
{
    (void)state;
    Split split = {.share = {0.6, 0.2, 0.2}, .seed = 11};
    Plan *p = fitted("drop X > 5\nimpute X mean\nimpute S mode", &split);
    double sum = 0;
    size_t n = 0;
    const Column *x = chunk_find(&table.chunk, "X");
    for (size_t i = 0; i < ROWS; i++)
        if (split_part(&split, i) == PART_TRAIN && column_has(x, i) && !(x->real[i] > 5)) {
            sum += x->real[i];
            n++;
        }
    json_t *j = plan_to_json(p);
    json_t *need = json_array_get(json_array_get(json_object_get(j, "fitted"), 1), 0);
    assert_int_equal(json_integer_value(json_object_get(need, "count")), n);
    assert_true(fabs(json_number_value(json_object_get(need, "mean")) - sum / (double)n) < 1e-12);
    json_decref(j);
    plan_destroy(p);
    /* values outside the training part do not matter: change them, fit again */
    Table other;
    Arena a = {0};
    table_random(&other, ROWS, 7);
    double *changed = ARENA_NEW(&a, double, ROWS);
    for (size_t i = 0; i < ROWS; i++)
        changed[i] = split_part(&split, i) == PART_TRAIN ? x->real[i] : 1e9;
    other.column[1].real = changed;
    Plan *q[2] = {plan_of("impute X median\ndrop outliers X iqr 2", &table.schema),
                  plan_of("impute X median\ndrop outliers X iqr 2", &table.schema)};
    const Chunk *from[2] = {&table.chunk, &other.chunk};
    json_t *fit[2];
    for (int k = 0; k < 2; k++) {
        Error err = {0};
        Chunk context = *from[k];
        ChunkSource source = {1, ROWS, one_chunk, &context};
        assert_true(plan_fit_source(q[k], &source, &split, NULL, NULL, NULL, &err));
        fit[k] = plan_to_json(q[k]);
        plan_destroy(q[k]);
    }
    assert_true(json_equal(fit[0], fit[1]));
    json_decref(fit[0]);
    json_decref(fit[1]);
    arena_release(&a);
    table_end(&other);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double fitted_number(const Plan *p, size_t rule, const char *key)
{
    json_t *j = plan_to_json(p);
    json_t *need = json_array_get(json_array_get(json_object_get(j, "fitted"), rule), 0);
    double x = json_number_value(json_object_get(need, key));
    json_decref(j);
    return x;
}

/* Quartiles against sorting: random, sorted, falling, all equal, organ pipe. */
static void test_quartiles(void **state)
{
    (void)state;
    for (int shape = 0; shape < 5; shape++) {
        for (size_t n = 1; n < 3000; n = n * 3 + (size_t)shape) {
            Error err = {0};
            Table t;
            Rng rng;
            double *x = mem_alloc(n * sizeof *x);
            rng_seed(&rng, n, (uint64_t)shape);
            for (size_t i = 0; i < n; i++)
                x[i] = shape == 0   ? rng_normal(&rng)
                       : shape == 1 ? (double)i
                       : shape == 2 ? -(double)i
                       : shape == 3 ? 7.0
                                    : (double)(i < n / 2 ? i : n - i);
            table_begin(&t, n);
            table_real(&t, "X", x, NULL);
            ChunkSource from = {1, n, one_chunk, &t.chunk};
            Plan *p = plan_of("drop outliers X iqr 3", &t.schema);
            assert_true(plan_fit_source(p, &from, NULL, NULL, NULL, NULL, &err));
            qsort(x, n, sizeof *x, by_value);
            const char *const keys[] = {"q25", "median", "q75"};
            for (int q = 0; q < 3; q++) {
                double at = 0.25 * (q + 1) * (double)(n - 1);
                size_t i = (size_t)at, next = i + 1 < n ? i + 1 : i;
                double wanted = x[i] + (at - (double)i) * (x[next] - x[i]);
                assert_true(fabs(fitted_number(p, 0, keys[q]) - wanted) < 1e-12);
            }
            plan_destroy(p);
            table_end(&t);
            mem_free(x);
        }
    }
}

static void test_unfitted(void **state)
{
    (void)state;
    Error err = {0};
    Arena a = {0};
    Chunk out;
    Plan *p = plan_of("impute N mean", &table.schema);
    assert_true(plan_needs_fit(p));
    assert_false(plan_apply(p, NULL, &table.chunk, &a, &out, &err));
    assert_int_equal(err.kind, ERROR_USAGE);
    plan_destroy(p);
    p = plan_of("impute N 3", &table.schema);
    assert_false(plan_needs_fit(p));
    plan_destroy(p);
    arena_release(&a);
}

static void test_traced(void **state)
{
    (void)state;
    Error err = {0};
    Arena a = {0};
    Chunk out;
    uint16_t *reason = ARENA_NEW(&a, uint16_t, ROWS);
    Plan *p = plan_of("drop missing X\n# off: drop N > 0\nkeep N > 10\n# note\ndedupe on S",
                      &table.schema);
    assert_true(plan_apply_traced(p, NULL, &table.chunk, &a, &out, reason, &err));
    const Column *x = &table.column[1], *n = &table.column[0];
    size_t kept = 0;
    for (size_t i = 0; i < ROWS; i++) {
        if (!column_has(x, i))
            assert_int_equal(reason[i], 1);
        else if (!column_has(n, i) || n->integer[i] <= 10)
            assert_int_equal(reason[i], 3);
        else if (reason[i] != 0)
            assert_int_equal(reason[i], 4);
        else
            assert_int_equal(chunk_origin(&out, kept++), i);
    }
    assert_int_equal(kept, out.rows);
    assert_int_equal(kept, 15); /* w0..w6, W0..W6, missing */
    plan_destroy(p);
    arena_release(&a);
}

/* dedupe across chunks needs the state; with it, parts give what the whole gives. */
static void test_state(void **state)
{
    (void)state;
    Error err = {0};
    Arena a = {0};
    Plan *p = plan_of("dedupe on S, B", &table.schema);
    PlanState *memory = plan_state_create(p);
    Chunk whole, part, out;
    size_t at = 0;
    assert_true(plan_apply(p, NULL, &table.chunk, &a, &whole, &err));
    for (size_t from = 0; from < ROWS; from += 500) {
        chunk_slice(&table.chunk, from, 500, &a, &part);
        assert_true(plan_apply(p, memory, &part, &a, &out, &err));
        for (size_t i = 0; i < out.rows; i++)
            assert_same_rows(&whole, at++, &out, i);
    }
    assert_int_equal(at, whole.rows);
    plan_state_destroy(memory);
    plan_state_destroy(NULL);
    plan_destroy(p);
    arena_release(&a);
}

/* Scoring has no target: rules that would drop rows by it are skipped, others see it missing. */
static void test_no_target(void **state)
{
    (void)state;
    Error err = {0};
    Arena a = {0};
    Chunk some = table.chunk, out;
    table.schema.field[0].role = ROLE_TARGET; /* N */
    Plan *p = plan_of("keep N > 10\nderive l = log(N)\nrename l to m\ndrop missing m\ndrop X > 3",
                      &table.schema);
    table.schema.field[0].role = ROLE_FEATURE;
    some.column++;
    some.columns--;
    assert_true(plan_apply(p, NULL, &some, &a, &out, &err));
    size_t wanted = 0;
    for (size_t i = 0; i < ROWS; i++)
        wanted += !(column_has(&table.column[1], i) && table.column[1].real[i] > 3);
    assert_int_equal(out.rows, wanted);
    assert_false(column_has(chunk_find(&out, "m"), 0));
    plan_destroy(p);
    p = plan_of("keep N > 10", &table.schema); /* N is no target here */
    assert_false(plan_apply(p, NULL, &some, &a, &out, &err));
    assert_string_equal(err.text, "no column N, which the recipe was made for");
    plan_destroy(p);
    arena_release(&a);
}

static void test_foreign_types(void **state)
{
    (void)state;
    Error err = {0};
    Arena a = {0};
    Chunk out;
    Table other;
    table_begin(&other, 2);
    table_int(&other, "X", (int64_t[]){1, 2}, "10");
    Schema s = {0};
    schema_add(&s, "X", COLUMN_REAL, ROLE_FEATURE);
    Plan *p = plan_of("derive y = X / 2", &s);
    assert_true(plan_apply(p, NULL, &other.chunk, &a, &out, &err)); /* whole numbers will do */
    assert_true(chunk_find(&out, "y")->real[0] == 0.5);
    assert_false(column_has(chunk_find(&out, "y"), 1));
    table_end(&other);
    table_begin(&other, 1);
    table_text(&other, "X", (const char *[]){"1"}, NULL);
    assert_false(plan_apply(p, NULL, &other.chunk, &a, &out, &err));
    assert_string_equal(err.text, "column X is text here, the recipe was made for float64");
    table_end(&other);
    plan_destroy(p);
    schema_release(&s);
    arena_release(&a);
}

static Dataset *open_result(const char *hash)
{
    Error err = {0};
    char path[200];
    snprintf(path, sizeof path, "%s/%s.arrow", dir, hash);
    Dataset *d = dataset_open(path, &err);
    if (!d)
        fail_msg("%s", err.text);
    return d;
}

static void test_dataset(void **state)
{
    (void)state;
    Error err = {0};
    Arena a = {0};
    Chunk whole;
    ApplyReport report, measured;
    const char *with_dedupe = "drop missing T\ndedupe on N, S, B\nclip X -5 5\n# off: keep false\n"
                              "lower S\nexpect X <= 5\nexpect S = 'w1' mostly 0.01\n"
                              "impute X mean\nderive z = X + 1";
    Plan *p = fitted(with_dedupe, NULL);
    assert_true(plan_apply(p, NULL, &table.chunk, &a, &whole, &err));
    if (!plan_apply_dataset(p, dataset, dir, pool, NULL, &report, &err))
        fail_msg("%s", err.text);
    Dataset *d = open_result(report.hash);
    assert_int_equal(dataset_rows(d), whole.rows);
    for (size_t c = 0, at = 0; c < dataset_chunks(d); c++) {
        Chunk chunk;
        dataset_chunk(d, c, &a, &chunk);
        for (size_t i = 0; i < chunk.rows; i++, at++)
            for (size_t k = 0; k < chunk.columns; k++)
                assert_true(same_value(&chunk.column[k], i, &whole.column[k], at));
    }
    dataset_close(d);
    assert_int_equal(report.rules, 9);
    assert_int_equal(report.rows_in, ROWS);
    assert_int_equal(report.rows_out, whole.rows);
    assert_int_equal(report.effect[0].rows_in, ROWS);
    assert_int_equal(report.effect[1].rows_in, report.effect[0].rows_out);
    assert_int_equal(report.effect[1].rows_out, whole.rows);
    assert_int_equal(report.effect[3].rows_in, 0); /* switched off */
    size_t clipped = 0, filled = 0;
    const Column *x = &table.column[1];
    for (size_t i = 0; i < whole.rows; i++) {
        size_t from = (size_t)chunk_origin(&whole, i);
        clipped += column_has(x, from) && !(x->real[from] >= -5 && x->real[from] <= 5);
        filled += !column_has(x, from);
    }
    assert_int_equal(report.effect[2].touched, clipped);
    assert_int_equal(report.effect[7].touched, filled);
    assert_int_equal(report.effect[8].touched, whole.rows);
    assert_true(report.effect[6].failed > 0); /* mostly */
    assert_true(plan_measure(p, dataset, NULL, NULL, &measured, &err));
    assert_string_equal(measured.hash, "");
    assert_memory_equal(measured.effect, report.effect, sizeof report.effect);
    plan_destroy(p);
    arena_release(&a);
}

static size_t files_in_dir(void)
{
    char command[100], line[100];
    size_t n = 0;
    snprintf(command, sizeof command, "ls -A %s", dir);
    FILE *ls = popen(command, "r");
    while (fgets(line, sizeof line, ls))
        n++;
    pclose(ls);
    return n;
}

static void test_expectation_gates(void **state)
{
    (void)state;
    Error err = {0};
    ApplyReport report;
    Plan *p = plan_of("keep N is not null\n# note\nexpect N < 99 mostly 0.999", &table.schema);
    size_t before = files_in_dir();
    assert_false(plan_apply_dataset(p, dataset, dir, pool, NULL, &report, &err));
    assert_int_equal(err.kind, ERROR_PARSE);
    assert_true(text_starts(err.text, "line 3: 'expect N < 99 mostly 0.999' holds for 0.9"));
    assert_int_equal(files_in_dir(), before); /* nothing is left behind */
    assert_true(report.effect[1].failed > 0);
    plan_destroy(p);
}

/* Nothing may be left over, and that is a dataset too. */
static void test_no_rows(void **state)
{
    (void)state;
    Error err = {0};
    ApplyReport report;
    Plan *p = plan_of("keep N > 1000\nderive x = N + 1", &table.schema);
    if (!plan_apply_dataset(p, dataset, dir, pool, NULL, &report, &err))
        fail_msg("%s", err.text);
    Dataset *d = open_result(report.hash);
    assert_int_equal(dataset_rows(d), 0);
    assert_int_equal(dataset_schema(d)->count, table.schema.count + 1);
    dataset_close(d);
    plan_destroy(p);
}

static void test_stop(void **state)
{
    (void)state;
    Error err = {0};
    ApplyReport report;
    Progress progress = {0};
    Plan *p = plan_of("keep N > 3", &table.schema);
    stop_ask(&progress.stop);
    assert_false(plan_measure(p, dataset, pool, &progress, &report, &err));
    assert_int_equal(err.kind, ERROR_STOP);
    plan_destroy(p);
}

/* One pass or many, one thread or three: the same statistics. */
static void test_threads_agree(void **state)
{
    (void)state;
    Error err = {0};
    Plan *a = fitted(recipe, NULL), *b = plan_of(recipe, &table.schema);
    assert_true(plan_fit(b, dataset, NULL, NULL, NULL, &err));
    json_t *x = plan_to_json(a), *y = plan_to_json(b);
    assert_true(json_equal(x, y));
    json_decref(x);
    json_decref(y);
    plan_destroy(a);
    plan_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_agree),   cmocka_unit_test(test_json),
        cmocka_unit_test(test_broken_json),   cmocka_unit_test(test_fitted_on_train),
        cmocka_unit_test(test_unfitted),      cmocka_unit_test(test_quartiles),
        cmocka_unit_test(test_traced),        cmocka_unit_test(test_state),
        cmocka_unit_test(test_no_target),     cmocka_unit_test(test_foreign_types),
        cmocka_unit_test(test_dataset),       cmocka_unit_test(test_expectation_gates),
        cmocka_unit_test(test_stop),          cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_threads_agree),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
