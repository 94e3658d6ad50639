/* model_tft -- the family of series: gradients, the same bits on any threads and after a load, one window
 * as many, and that nothing after a step is seen from it. */
#include "series_world.h"
#include "model/model_int.h"

enum { WINDOW = 6, HORIZON = 3, LEVELS = 3, ROWS = 70 };

typedef struct Set {
    Dataset *d;
    Features *f;
    FeatureTable t;
    Batch batch;
} Set;

static void open_set(World *w, Set *s)
{
    s->d = add_sales(w, "sales", 80);
    s->f = sales_features(w, s->d, NULL, WINDOW, HORIZON, LEVELS);
    OK(feature_table_series(&s->t, NULL, s->f, 1, s->d, NULL, NULL, w->pool, NULL, &w->err));
    assert_true(s->t.part[PART_TRAIN].rows >= ROWS);
    s->batch = batch_slice(&s->t.part[PART_TRAIN], features_shape(s->f), 0, ROWS);
}

static void close_set(Set *s)
{
    feature_table_release(&s->t);
    features_destroy(s->f);
    dataset_close(s->d);
}

static Model *make_model(World *w, const Set *s, const ModelSetup *setup, const char *width)
{
    const ModelFamily *f = model_family("tft");
    void *settings = mem_alloc(f->params_size);
    params_init(f->params, settings);
    OK(params_set(f->params, settings, "width", width, &w->err));
    OK(params_set(f->params, settings, "heads", "2", &w->err));
    Model *m = model_create(f, settings, features_shape(s->f), setup, &w->err);
    OK(m);
    params_release(f->params, settings);
    mem_free(settings);
    return m;
}

static double step(World *w, Model *m, const Set *s, const Knobs *k)
{
    StepStats stats;
    OK(model_step(m, &s->batch, k, &stats, &w->err));
    assert_true(stats.finite);
    return stats.loss;
}

static size_t numbers(const TensorRow *row)
{
    size_t n = 1;
    for (size_t i = 0; i < row->rank; i++)
        n *= row->shape[i];
    return n;
}

/* A step of plain descent with rate 1 moves each weight by its gradient. The quantile loss bends where a
 * prediction passes a target, so a few single differences are off: all but those, and the direction. */
static void gradients(void **state)
{
    World *w = *state;
    Set s;
    open_set(w, &s);
    ModelSetup setup = {.seed = 3, .batch_most = ROWS};
    Model *m = make_model(w, &s, &setup, "4");
    const TensorRow *rows;
    size_t weights, checked = 0, off = 0;
    m->family->tensors(m->impl, &rows, &weights);
    Text before = {0};
    OK(model_state_save(m, true, &before, &w->err));
    step(w, m, &s, &(Knobs){.lr = 1});
    float **after = mem_alloc(weights * sizeof *after);
    for (size_t k = 0; k < weights; k++)
        after[k] = mem_copy(rows[k].at, numbers(&rows[k]) * sizeof(float));
    OK(model_state_load(m, before.at, before.count, &w->err));
    double both = 0, own = 0, other = 0;
    for (size_t k = 0; k < weights; k++)
        for (size_t j = 0; j < numbers(&rows[k]); j += 3) {
            float *at = &rows[k].at[j], was = *at, by = 2e-3f;
            *at = was + by;
            double above = step(w, m, &s, &(Knobs){.lr = 0});
            *at = was - by;
            double below = step(w, m, &s, &(Knobs){.lr = 0});
            *at = was;
            double gradient = (double)was - (double)after[k][j];
            double expected = (above - below) / (2 * (double)by);
            both += gradient * expected;
            own += gradient * gradient;
            other += expected * expected;
            checked++;
            if (fabs(gradient - expected) > 1e-3 + 3e-2 * fabs(expected)) {
                off++;
                printf("%s[%zu]: %g, difference %g\n", rows[k].name, j, gradient, expected);
            }
        }
    printf("%zu of %zu off, cosine %.5f\n", off, checked, both / sqrt(own * other));
    assert_true(checked > 400 && off * 50 < checked && both / sqrt(own * other) > 0.999);
    for (size_t k = 0; k < weights; k++)
        mem_free(after[k]);
    mem_free(after);
    text_release(&before);
    model_destroy(m);
    close_set(&s);
}

/* 12 steps; the same with a stop at 6, saved and loaded into a fresh model; on 1, 2 and 3 threads. */
static void resumes_to_the_same_bits(void **state)
{
    World *w = *state;
    Set s;
    Text expected = {0};
    open_set(w, &s);
    for (size_t threads = 1; threads <= 3; threads++)
        for (int resume = 0; resume < 2; resume++) {
            Pool *pool = pool_create(threads);
            ModelSetup setup = {
                .seed = 5, .batch_most = ROWS, .optimizer = OPTIMIZER_ADAM, .pool = pool};
            Model *m = make_model(w, &s, &setup, "8");
            Text saved = {0};
            for (int i = 0; i < 12; i++) {
                if (resume && i == 6) {
                    OK(model_state_save(m, false, &saved, &w->err));
                    model_destroy(m);
                    m = make_model(w, &s, &setup, "8");
                    OK(model_state_load(m, saved.at, saved.count, &w->err));
                }
                step(w, m, &s, &(Knobs){.lr = 1e-2, .dropout = .2, .clip = 1});
            }
            text_reset(&saved);
            OK(model_state_save(m, false, &saved, &w->err));
            if (!expected.count)
                text_add(&expected, saved.at, saved.count);
            assert_int_equal(saved.count, expected.count);
            assert_memory_equal(saved.at, expected.at, saved.count);
            text_release(&saved);
            model_destroy(m);
            pool_destroy(pool);
        }
    text_release(&expected);
    close_set(&s);
}

static void one_window_as_many(void **state)
{
    World *w = *state;
    Set s;
    open_set(w, &s);
    ModelSetup setup = {.seed = 5, .batch_most = 8};
    Model *m = make_model(w, &s, &setup, "8");
    float all[ROWS * HORIZON * LEVELS], one[HORIZON * LEVELS];
    model_predict(m, &s.batch, all);
    for (size_t i = 0; i < ROWS; i++) {
        Batch alone = batch_slice(&s.batch, features_shape(s.f), i, 1);
        model_predict(m, &alone, one);
        assert_memory_equal(one, all + i * HORIZON * LEVELS, sizeof one);
    }
    model_destroy(m);
    close_set(&s);
}

/* What is known of a step ahead must not reach the steps before it. */
static void nothing_looks_ahead(void **state)
{
    World *w = *state;
    Set s;
    open_set(w, &s);
    ModelSetup setup = {.seed = 5, .batch_most = 8};
    Model *m = make_model(w, &s, &setup, "8");
    const SeriesShape *shape = features_shape(s.f)->series;
    float a[HORIZON * LEVELS], b[HORIZON * LEVELS];
    Chunk c;
    Arena arena = {0};
    sales_chunk(70, HORIZON, &arena, &c);
    for (int change = 0; change < 2; change++) {
        Series *series = series_create(s.f);
        if (change) { /* the promotion of the last step ahead */
            int64_t *promo = (int64_t *)(uintptr_t)chunk_find(&c, "promo")->integer;
            promo[0] = 1 - promo[0];
        }
        OK(series_add(series, &c, &w->err));
        OK(series_finish(series, true, &w->err));
        uint32_t at = 0;
        while (series_place(series, at).group[0] != 'a' ||
               !isnan(series_place(series, at + 1).target))
            at++;
        Batch one = {.rows = 1, .series = series, .at = &at};
        model_predict(m, &one, change ? b : a);
        series_destroy(series);
    }
    size_t last = (shape->horizon - 1) * LEVELS;
    assert_memory_equal(a, b, last * sizeof *a);
    assert_true(a[last] != b[last]);
    arena_release(&arena);
    model_destroy(m);
    close_set(&s);
}

static void refuses(void **state)
{
    World *w = *state;
    const ModelFamily *f = model_family("tft");
    void *settings = mem_alloc(f->params_size);
    SeriesOptions o;
    params_init(f->params, settings);
    says(w, f->series(settings, &o, &w->err), "time=COLUMN");
    OK(params_set(f->params, settings, "time", "when", &w->err));
    OK(f->series(settings, &o, &w->err));
    assert_int_equal(o.levels, 7);
    assert_int_equal(o.horizon, 24);
    OK(params_set(f->params, settings, "quantiles", "0.5,0.4", &w->err));
    says(w, f->series(settings, &o, &w->err), "ascending");
    ModelShape flat = {.dense = 3, .task = TASK_REGRESSION, .outputs = 1};
    ModelSetup setup = {.batch_most = 4};
    assert_null(model_create(f, settings, &flat, &setup, &w->err));
    assert_string_equal(w->err.text, "a tft needs rows of series");
    params_release(f->params, settings);
    mem_free(settings);
}

int main(void)
{
#define EACH(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {EACH(gradients), EACH(resumes_to_the_same_bits),
                                       EACH(one_window_as_many), EACH(nothing_looks_ahead),
                                       EACH(refuses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
