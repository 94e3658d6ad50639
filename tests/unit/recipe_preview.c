/* recipe_preview.c -- the reach of one rule: counts, shares and histograms that can be checked. */
#include "recipe_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ROWS 200000

static char dir[] = "/tmp/lathe-preview-XXXXXX";
static Dataset *dataset;
static Pool *pool;
static Recipe *recipe;

/* FARE 0..99 over and over, each tenth missing; KIND "a" (3 of 4) and "b"; ID the row. */
static int make(void **state)
{
    (void)state;
    Error err = {0};
    Table t;
    char hash[65], path[200];
    table_begin(&t, ROWS);
    ColumnBuild *fare = table_column(&t, "FARE", COLUMN_REAL);
    ColumnBuild *kind = table_column(&t, "KIND", COLUMN_TEXT),
                *id = table_column(&t, "ID", COLUMN_INT);
    for (size_t i = 0; i < ROWS; i++) {
        if (i % 10 == 9)
            column_build_missing(fare);
        else
            column_build_real(fare, (double)(i % 100));
        column_build_text(kind, i % 4 == 3 ? "b" : "a", 1);
        column_build_int(id, (int64_t)i);
    }
    table_done(&t, fare);
    table_done(&t, kind);
    table_done(&t, id);
    if (!mkdtemp(dir))
        return 1;
    pool = pool_create(2);
    DatasetWriter *w = dataset_writer_create(dir, &t.schema, pool, &err);
    bool ok = w && dataset_writer_add(w, &t.chunk, &err) && dataset_writer_finish(w, hash, &err);
    dataset_writer_destroy(w);
    table_end(&t);
    if (!ok)
        return 1;
    snprintf(path, sizeof path, "%s/%s.arrow", dir, hash);
    dataset = dataset_open(path, &err);
    recipe = recipe_create();
    return dataset && recipe_parse(recipe,
                                   "drop ID % 2 = 1\n"
                                   "clip FARE 10 49\n"
                                   "# off: impute FARE mean\n"
                                   "replace KIND \"a\" \"A\"\n"
                                   "derive twice = FARE * 2\n"
                                   "keep FARE < 30 or KIND = 'b'\n"
                                   "drop outliers FARE iqr 0.5\n"
                                   "rename FARE to fare\n"
                                   "cast KIND float64\n"
                                   "expect twice < 50\n",
                                   &err)
               ? 0
               : 1;
}

static int unmake(void **state)
{
    (void)state;
    Error err = {0};
    recipe_destroy(recipe);
    dataset_close(dataset);
    pool_destroy(pool);
    return dir_remove(dir, &err) ? 0 : 1;
}

static void show(size_t rule, uint64_t sample, const Split *split, Preview *out)
{
    Error err = {0};
    if (!recipe_preview(recipe, rule, dataset, NULL, split, sample, pool, NULL, out, &err))
        fail_msg("rule %zu: %s", rule, err.text);
}

static double sum(const double *share, size_t n)
{
    double s = 0;
    for (size_t i = 0; i < n; i++)
        s += share[i];
    return s;
}

static void test_drop(void **state)
{
    (void)state;
    Preview p;
    Split split = {.share = {0.5, 0.25, 0.25}, .seed = 5};
    show(0, 0, &split, &p);
    assert_true(p.exact);
    assert_int_equal(p.rows_seen, ROWS);
    assert_int_equal(p.rows_total, ROWS);
    assert_int_equal(p.rows_in, ROWS);
    assert_int_equal(p.rows_out, ROWS / 2);
    assert_int_equal(p.touched, 0);
    for (int part = 0; part < PART_COUNT; part++)
        assert_true(fabs(p.part_share[part] - 0.5) < 0.01);
    assert_int_equal(p.columns, 1);
    assert_string_equal(p.column[0].name, "ID");
    assert_true(p.column[0].low == 0 && p.column[0].high == ROWS - 1);
    assert_true(p.column[0].mean_before == (ROWS - 1) / 2.0);
    assert_true(p.column[0].mean_after == (ROWS - 2) / 2.0);
    assert_true(fabs(sum(p.column[0].after, PREVIEW_BINS) - 1) < 1e-9);
}

static void test_clip(void **state)
{
    (void)state;
    Preview p;
    show(1, 0, NULL, &p);
    const PreviewColumn *c = &p.column[0];
    assert_int_equal(p.rows_in, ROWS / 2);
    assert_int_equal(p.rows_out, ROWS / 2);
    /* even fares 0..98, none missing (9, 19 ... are odd): 0..8 and 50..98 move, 30 of 50 */
    assert_int_equal(p.touched, ROWS / 2 * 30 / 50);
    assert_true(fabs(p.part_share[PART_TRAIN] - 0.6) < 1e-12);
    assert_true(p.part_share[PART_TEST] == 0);
    assert_string_equal(c->name, "FARE");
    assert_true(c->numeric && c->low == 0 && c->high == 98);
    assert_true(fabs(c->mean_before - 49) < 1e-9);
    assert_true(fabs(c->mean_after - (5 * 10 + 25 * 49 + 580) / 50.0) < 1e-9);
    assert_true(fabs(c->after[(size_t)(49 * 40 / 98.0)] - 0.5) < 1e-9);
    assert_true(c->after[0] == 0 && c->before[0] > 0);
}

static void test_off_counts_as_on(void **state)
{
    (void)state;
    Preview p;
    Recipe *r = recipe_create();
    Error err = {0};
    assert_true(recipe_parse(r, "# off: impute FARE mean\nkeep ID >= 0", &err));
    assert_true(recipe_preview(r, 0, dataset, NULL, NULL, 0, NULL, NULL, &p, &err));
    assert_int_equal(p.touched, ROWS / 10);
    assert_true(fabs(p.column[0].missing_before - 0.1) < 1e-12);
    assert_true(p.column[0].missing_after == 0);
    assert_true(fabs(p.column[0].mean_after - p.column[0].mean_before) < 1e-9);
    recipe_destroy(r);
}

static void test_text(void **state)
{
    (void)state;
    Preview p;
    show(3, 0, NULL, &p);
    const PreviewColumn *c = &p.column[0];
    assert_false(c->numeric);
    assert_int_equal(c->bins, 2); /* rows with even numbers are never "b" */
    assert_true(strcmp(c->word[0], "A") == 0 && c->before[0] == 0 && c->after[0] == 1);
    assert_true(strcmp(c->word[1], "a") == 0 && c->before[1] == 1 && c->after[1] == 0);
    assert_int_equal(p.touched, ROWS / 2);
}

static void test_others(void **state)
{
    (void)state;
    Preview p;
    show(4, 0, NULL, &p); /* derive: nothing before */
    assert_string_equal(p.column[0].name, "twice");
    assert_true(sum(p.column[0].before, PREVIEW_BINS) == 0 && p.column[0].low == 20);
    assert_true(p.column[0].mean_after > 0);
    show(5, 0, NULL, &p); /* keep: the columns it looks at */
    assert_int_equal(p.columns, 2);
    assert_string_equal(p.column[1].name, "KIND");
    assert_int_equal(p.rows_out, ROWS / 2 * 15 / 50);
    show(6, 0, NULL, &p); /* fitted within */
    assert_true(p.rows_out <= p.rows_in && p.rows_in == ROWS / 2 * 15 / 50);
    show(7, 0, NULL, &p); /* rename: nothing to see */
    assert_int_equal(p.columns, 0);
    assert_int_equal(p.touched, 0);
    show(9, 0, NULL, &p); /* expect: the rows that fail; nothing is changed */
    assert_int_equal(p.columns, 1);
    assert_int_equal(p.rows_out, p.rows_in);
    assert_true(p.touched > 0 && p.touched < p.rows_in);
    show(8, 0, NULL, &p); /* a cast that loses everything */
    assert_true(p.column[0].missing_after == 1 && p.column[0].missing_before == 0);
    assert_int_equal(p.touched, p.rows_in);
}

static void test_sample(void **state)
{
    (void)state;
    Preview exact, some;
    Split split = {.share = {0.7, 0.15, 0.15}, .seed = 1};
    for (size_t rule = 0; rule < recipe_count(recipe); rule++) {
        show(rule, 0, &split, &exact);
        double begin = clock_now();
        show(rule, 10000, &split, &some);
        assert_true(clock_now() - begin < 5.0);
        assert_false(some.exact);
        assert_int_equal(some.rows_total, ROWS);
        assert_true(some.rows_seen >= 10000 && some.rows_seen < 11000);
        assert_true(some.rows_in <= some.rows_seen && some.rows_in > 0);
        double kept = (double)some.rows_out / (double)some.rows_in;
        double kept_exact = (double)exact.rows_out / (double)exact.rows_in;
        assert_true(fabs(kept - kept_exact) < 0.05);
        assert_true(fabs(some.part_share[0] - exact.part_share[0]) < 0.05);
        assert_int_equal(some.columns, exact.columns);
    }
    show(0, 10 * ROWS, NULL, &some); /* a sample of everything is exact */
    assert_true(some.exact);
}

static void test_errors(void **state)
{
    (void)state;
    Preview p;
    Error err = {0};
    Progress stopped = {0};
    assert_false(recipe_preview(recipe, 99, dataset, NULL, NULL, 0, NULL, NULL, &p, &err));
    assert_string_equal(err.text, "there is no rule 100");
    stop_ask(&stopped.stop);
    assert_false(recipe_preview(recipe, 1, dataset, NULL, NULL, 0, pool, &stopped, &p, &err));
    assert_int_equal(err.kind, ERROR_STOP);
    Recipe *r = recipe_create();
    assert_true(recipe_parse(r, "keep ID > 3\nclip FAER 0 1", &err));
    assert_false(recipe_preview(r, 1, dataset, NULL, NULL, 100, pool, NULL, &p, &err));
    assert_string_equal(err.text, "line 2, column 6: no column FAER, did you mean FARE?");
    assert_true(recipe_preview(r, 0, dataset, NULL, NULL, 100, pool, NULL, &p, &err)); /* not reached */
    recipe_destroy(r);
}

/* Before it, the column holds numbers: they are counted as the words they become. */
static void test_cast_to_text(void **state)
{
    (void)state;
    Preview p;
    Error err = {0};
    Recipe *r = recipe_create();
    assert_true(recipe_parse(r, "cast FARE text", &err));
    assert_true(recipe_preview(r, 0, dataset, NULL, NULL, 0, pool, NULL, &p, &err));
    assert_int_equal(p.columns, 1);
    assert_false(p.column[0].numeric);
    assert_true(sum(p.column[0].before, p.column[0].bins) > 0);
    assert_true(fabs(sum(p.column[0].before, p.column[0].bins) -
                     sum(p.column[0].after, p.column[0].bins)) < 1e-9);
    recipe_destroy(r);
}

/* FARE is the target: what is computed from it, chosen by it, or goes with it. */
static void leak_of(const char *rule, Leak leak, const char *column)
{
    Preview p;
    Error err = {0};
    Schema in = {0};
    Recipe *r = recipe_create();
    schema_copy(&in, dataset_schema(dataset));
    in.field[schema_find(&in, "FARE")].role = ROLE_TARGET;
    assert_true(recipe_parse(r, "derive other = ID % 100\nderive seen = FARE + 1", &err) &&
                recipe_insert(r, 2, rule, &err));
    assert_true(recipe_preview(r, 2, dataset, &in, NULL, 0, pool, NULL, &p, &err));
    if (p.leak != leak || strcmp(p.leaking, column) != 0)
        fail_msg("%s: leak %d of '%s'", rule, (int)p.leak, p.leaking);
    assert_string_equal(p.target, "FARE");
    assert_true(leak != LEAK_ALIKE || p.alike > 0.98);
    recipe_destroy(r);
    schema_release(&in);
}

static void test_leaks(void **state)
{
    (void)state;
    Preview p;
    leak_of("derive x = FARE / 2", LEAK_COMPUTED, "x");
    leak_of("derive x = seen * ID", LEAK_COMPUTED, "x"); /* by way of another column */
    leak_of("keep FARE > 10", LEAK_CHOSEN, "");
    leak_of("drop where seen > 10", LEAK_CHOSEN, "");
    leak_of("drop missing FARE", LEAK_NONE, "");
    leak_of("clip FARE 0 50", LEAK_NONE, ""); /* the target itself */
    leak_of("derive x = other * 3", LEAK_ALIKE, "x");
    leak_of("derive x = ID / 7", LEAK_NONE, "");
    leak_of("drop column KIND", LEAK_NONE, "");
    show(0, 0, NULL, &p); /* no target is known */
    assert_true(p.leak == LEAK_NONE && !*p.target);
    show(4, 0, NULL, &p);
    assert_int_equal(p.columns_out, p.columns_in + 1);
}

/* One value a million times the others: the bins are of the others, and it is in the last of them. */
static void test_tails(void **state)
{
    (void)state;
    Preview p;
    Error err = {0};
    Recipe *r = recipe_create();
    assert_true(recipe_parse(r, "derive far = case when ID = 777 then 1e8 else FARE end\nclip far 0 50", &err));
    assert_true(recipe_preview(r, 1, dataset, NULL, NULL, 0, pool, NULL, &p, &err));
    const PreviewColumn *c = &p.column[0];
    assert_true(c->tails && c->low >= 0 && c->low < 3 && c->high > 90 && c->high <= 100);
    assert_true(fabs(sum(c->before, PREVIEW_BINS) - 1) < 1e-9 && fabs(sum(c->after, PREVIEW_BINS) - 1) < 1e-9);
    assert_true(c->after[PREVIEW_BINS - 1] == 0 && c->before[PREVIEW_BINS - 1] > 0);
    assert_true(recipe_preview(r, 0, dataset, NULL, NULL, 0, NULL, NULL, &p, &err)); /* without a pool, too */
    assert_true(p.column[0].tails);
    recipe_destroy(r);
    show(1, 0, NULL, &p);
    assert_false(p.column[0].tails);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cast_to_text),
        cmocka_unit_test(test_drop),
        cmocka_unit_test(test_clip),
        cmocka_unit_test(test_leaks),
        cmocka_unit_test(test_tails),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_off_counts_as_on),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_sample),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
