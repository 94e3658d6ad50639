/* feature_series -- rows as windows of series: what each is fed and asked, what is static and known, gaps,
 * parts by time, what is to come. */
#include "series_world.h"

enum { HOURS = 120, WINDOW = 10, HORIZON = 4 };

static Split by_time(World *w, const Dataset *d)
{
    Split s;
    OK(split_parse("60/20/20@when", &s, &w->err));
    OK(split_bind(&s, d, &w->err));
    return s;
}

static const SeriesInput *input(const SeriesShape *s, const char *name)
{
    for (size_t i = 0; i < s->inputs; i++)
        if (text_equal(s->input[i].name, name))
            return &s->input[i];
    fail_msg("no input %s", name);
    return NULL;
}

static int hour_of(const SeriesPlace *p)
{
    return (int)lround(p->time / 3.6e9);
}

static void a_split_by_time(void **state)
{
    World *w = *state;
    Dataset *d = add_sales(w, "sales", HOURS);
    Split s = by_time(w, d);
    size_t count[PART_COUNT] = {0};
    for (uint64_t row = 0; row < dataset_rows(d); row++)
        count[split_part(&s, row)]++;
    /* the first rows are the latest; hours are not parted */
    assert_int_equal(split_part(&s, 0), PART_TEST);
    assert_int_equal(split_part(&s, 1), PART_TEST);
    assert_int_equal(split_part(&s, dataset_rows(d) - 1), PART_TRAIN);
    for (int p = 0; p < PART_COUNT; p++)
        assert_true(fabs((double)count[p] / (double)dataset_rows(d) - s.share[p]) < .02);
    Part last = PART_TEST;
    for (uint64_t row = 0; row < dataset_rows(d); row++) {
        assert_true(split_part(&s, row) <= last);
        last = split_part(&s, row);
    }
    Split other;
    OK(split_parse("60/20/20@whe", &other, &w->err));
    says(w, split_bind(&other, d, &w->err), "did you mean when?");
    OK(split_parse("60/20/20@shop", &other, &w->err));
    says(w, split_bind(&other, d, &w->err), "is text");
    says(w, split_parse("60/20/20@", &other, &w->err), "which column");
    split_release(&s);
    dataset_close(d);
}

static void what_is_known_of_inputs(void **state)
{
    World *w = *state;
    Dataset *d = add_sales(w, "sales", HOURS);
    Split split = by_time(w, d);
    Features *f = sales_features(w, d, &split, WINDOW, HORIZON, 3);
    json_t *json = features_to_json(f);
    Features *again = features_from_json(json, &w->err);
    OK(again);
    const Features *both[] = {f, again};
    for (int i = 0; i < 2; i++) {
        const SeriesShape *s = features_shape(both[i])->series;
        assert_int_equal(input(s, "size")->kind, SERIES_STATIC);
        assert_int_equal(input(s, "shop")->kind, SERIES_STATIC);
        assert_int_equal(input(s, "promo")->kind, SERIES_KNOWN);
        assert_int_equal(input(s, "when")->kind, SERIES_KNOWN);
        assert_int_equal(input(s, "rain")->kind, SERIES_PAST);
        assert_int_equal(features_shape(both[i])->outputs, HORIZON * 3);
        assert_int_equal(s->fixed, input(s, "size")->width + input(s, "shop")->width);
        assert_int_equal(s->known, 1 + input(s, "promo")->width + input(s, "when")->width);
        assert_int_equal(s->past, s->known + 1 + input(s, "rain")->width);
        assert_true(features_time_step(both[i]) == 3.6e9);
        assert_string_equal(features_time(both[i]), "when");
    }
    json_decref(json);
    features_destroy(again);
    features_destroy(f);
    split_release(&split);
    dataset_close(d);
}

/* Every window of every part: what it is fed is the rows of its hours and nothing of later ones; what it is
 * asked lies in its part alone. */
static void windows(void **state)
{
    World *w = *state;
    Dataset *d = add_sales(w, "sales", HOURS);
    Split split = by_time(w, d);
    Features *f = sales_features(w, d, &split, WINDOW, HORIZON, 3);
    const SeriesShape *s = features_shape(f)->series;
    FeatureTable t;
    OK(feature_table_series(&t, NULL, f, 1, d, NULL, &split, w->pool, NULL, &w->err));
    size_t floats = series_floats(s), fillers = 0, all = 0;
    float *x = mem_alloc(floats * sizeof *x), y[HORIZON];
    for (int part = 0; part < PART_COUNT; part++) {
        const Batch *b = &t.part[part];
        assert_true(b->rows > 10 && b->series == t.series);
        for (size_t i = 0; i < b->rows; i++, all++) {
            SeriesPlace p = series_place(t.series, b->at[i]);
            int hour = hour_of(&p), shop = p.group[0] == 'b', promo;
            double rain;
            assert_true(p.has_row && p.row == t.row[part][i] &&
                        (i == 0 || t.row[part][i - 1] < p.row));
            series_gather(t.series, &b->at[i], 1, x, y);
            assert_memory_equal(y, b->target + i * HORIZON, sizeof y);
            for (int h = 1; h <= HORIZON; h++) {
                double sales = sales_at(shop, hour + h, &promo, &rain);
                SeriesPlace to = series_place(t.series, b->at[i] + (uint32_t)h);
                if (sales_gap(shop, hour + h)) {
                    assert_true(isnan(y[h - 1]) && !to.has_row);
                    fillers++;
                    continue;
                }
                assert_int_equal(split_part(&split, to.row), part);
                assert_int_equal(hour_of(&to), hour + h);
                assert_true(fabs(features_target_value(f, (double)y[h - 1]) - sales) < 1e-4);
                /* of the step ahead: its place, then inputs known ahead in the order of the columns */
                const float *ahead =
                    x + s->fixed + s->window * s->past + (size_t)(h - 1) * s->known;
                assert_true(fabsf(ahead[0] - (float)h / (WINDOW + HORIZON)) < 1e-6f);
                float known = ahead[1 + input(s, "when")->width];
                assert_int_equal(known > 0, promo);
            }
            for (int back = 0; back < WINDOW; back++) {
                int then = hour - back;
                const float *step = x + s->fixed + (size_t)(WINDOW - 1 - back) * s->past;
                while (sales_gap(shop, then)) /* it repeats the row before */
                    then--;
                double sales = sales_at(shop, then, &promo, &rain);
                assert_true(fabsf(step[0] + (float)back / (WINDOW + HORIZON)) < 1e-6f);
                assert_true(fabs(features_target_value(f, (double)step[1]) - sales) < 1e-4);
            }
        }
    }
    /* each shop: whole windows of one part, 72 + 24 + 24 hours */
    assert_int_equal(t.part[PART_TRAIN].rows, (72 - WINDOW - HORIZON + 1) * 2 - 3);
    assert_int_equal(t.part[PART_VALID].rows, (24 - HORIZON + 1) * 2);
    assert_int_equal(t.part[PART_TEST].rows, (24 - HORIZON + 1) * 2);
    assert_true(fillers > 0 && all > 0);
    FeatureTable few;
    OK(feature_table_series(&few, NULL, f, 5, d, NULL, &split, w->pool, NULL, &w->err));
    assert_true(few.part[PART_TRAIN].rows * 4 < t.part[PART_TRAIN].rows);
    assert_int_equal(few.part[PART_TEST].rows, t.part[PART_TEST].rows);
    feature_table_release(&few);
    mem_free(x);
    feature_table_release(&t);
    features_destroy(f);
    split_release(&split);
    dataset_close(d);
}

/* Steps ahead that were given are used, the others are made: time and statics, no more. */
static void what_is_to_come(void **state)
{
    World *w = *state;
    Dataset *d = add_sales(w, "sales", HOURS);
    Features *f = sales_features(w, d, NULL, WINDOW, HORIZON, 3);
    Chunk c;
    Arena a = {0};
    sales_chunk(HOURS, 2, &a, &c);
    Series *s = series_create(f);
    OK(series_add(s, &c, &w->err));
    OK(series_finish(s, true, &w->err));
    size_t given = 0, made = 0;
    for (uint32_t at = 0; at < series_places(s); at++) {
        SeriesPlace p = series_place(s, at);
        int hour = hour_of(&p);
        assert_true(hour < HOURS + HORIZON);
        assert_int_equal(isnan(p.target) != 0,
                         hour >= HOURS || (!p.has_row && sales_gap(p.group[0] == 'b', hour + 1)) ||
                             (!p.has_row && hour < HOURS));
        given += hour >= HOURS && p.has_row;
        made += hour >= HOURS && !p.has_row;
    }
    assert_int_equal(given, 4);
    assert_int_equal(made, 4);
    series_destroy(s);
    /* two rows of one hour cannot be told apart without the group */
    json_t *json = features_to_json(f);
    json_object_set_new(json_object_get(json, "series"), "group", json_string(""));
    Features *alone = features_from_json(json, &w->err);
    OK(alone);
    s = series_create(alone);
    OK(series_add(s, &c, &w->err));
    says(w, series_finish(s, false, &w->err), "group=COLUMN says which rows are one series");
    series_destroy(s);
    features_destroy(alone);
    json_decref(json);
    arena_release(&a);
    features_destroy(f);
    dataset_close(d);
}

static void refuses(void **state)
{
    World *w = *state;
    Dataset *d = add_sales(w, "sales", HOURS);
    Split split = by_time(w, d);
    Features *f = features_fit(d, NULL, &split, "sales", NULL, 0, NULL, w->pool, NULL, &w->err);
    OK(f);
    SeriesOptions o = {
        .group = "", .time = "when", .known = "promos", .window = 4, .horizon = 2, .levels = 1};
    says(w, features_series(f, &o, d, NULL, w->pool, NULL, &w->err), "did you mean promo?");
    o.known = "";
    o.time = "wen";
    says(w, features_series(f, &o, d, NULL, w->pool, NULL, &w->err), "no column wen");
    o.time = "shop";
    says(w, features_series(f, &o, d, NULL, w->pool, NULL, &w->err), "is text");
    features_destroy(f);
    f = sales_features(w, d, &split, 200, 4, 1);
    FeatureTable t;
    says(w, feature_table_series(&t, NULL, f, 1, d, NULL, &split, w->pool, NULL, &w->err),
         "no training windows");
    features_destroy(f);
    split_release(&split);
    dataset_close(d);
}

int main(void)
{
#define EACH(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {EACH(a_split_by_time), EACH(what_is_known_of_inputs),
                                       EACH(windows), EACH(what_is_to_come), EACH(refuses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
