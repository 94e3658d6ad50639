/* train_walk -- the parts of the loop that need no model: schedules, the sampler, the settings. */
#include "train/train_int.h"

#include <lathe/nn.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

static double lr_at(const RunParams *p, double epoch, int64_t step, int cuts)
{
    Pace pace = {.step = step, .epoch = epoch, .cuts = cuts};
    return run_lr(&pace, p);
}

static RunParams with(const char *schedule)
{
    RunParams p;
    Error err = {0};
    params_init(run_params, &p);
    if (!params_set(run_params, &p, "schedule", schedule, &err))
        fail_msg("%s", err.text);
    params_release(run_params, &p); /* the words; schedules look at the numbers */
    p.lr = .1;
    p.epochs = 10;
    return p;
}

static void near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-12 * fmax(1, fabs(b))))
        fail_msg("expected %.15g, found %.15g", b, a);
}

static void schedules(void **state)
{
    (void)state;
    RunParams p = with("constant");
    near(lr_at(&p, 7.3, 999, 2), .1);
    p.warmup = 4;
    near(lr_at(&p, 0, 0, 0), .025);
    near(lr_at(&p, 0, 3, 0), .1);
    p = with("step");
    p.step_every = 3, p.step_factor = .5;
    near(lr_at(&p, 2.99, 1, 0), .1);
    near(lr_at(&p, 3, 1, 0), .05);
    near(lr_at(&p, 9, 1, 0), .0125);
    p = with("cosine");
    near(lr_at(&p, 0, 0, 0), .1);
    near(lr_at(&p, 5, 1, 0), .05);
    assert_true(lr_at(&p, 10, 1, 0) < 1e-12);
    p.lr_least = .1;
    near(lr_at(&p, 10, 1, 0), .01);
    near(lr_at(&p, 12, 1, 0), .01);
    p = with("one-cycle");
    near(lr_at(&p, 0, 0, 0), .004);
    near(lr_at(&p, 3, 1, 0), .1);
    near(lr_at(&p, 10, 1, 0), 4e-7);
    p = with("plateau");
    p.step_factor = .1, p.lr_least = .005;
    near(lr_at(&p, 4, 1, 0), .1);
    near(lr_at(&p, 4, 1, 1), .01);
    near(lr_at(&p, 4, 1, 5), .0005);
}

/* Every row once an epoch but for the tail, another order each epoch, the same for the same seed. */
static void sampler_takes_each_row_once(void **state)
{
    (void)state;
    for (size_t rows = 1; rows < 70; rows++)
        for (size_t batch = 1; batch < 20; batch++) {
            Sampler s, again;
            assert_true(sampler_init(&s, 9, rows, false, NULL, NULL));
            assert_true(sampler_init(&again, 9, rows, false, NULL, NULL));
            for (int epoch = 0; epoch < 2; epoch++) {
                uint8_t seen[70] = {0};
                size_t steps = 0, taken = 0;
                do {
                    const uint32_t *order, *other;
                    size_t n = sampler_next(&s, batch, &order);
                    assert_int_equal(sampler_next(&again, batch, &other), n);
                    assert_memory_equal(order, other, n * sizeof *order);
                    for (size_t i = 0; i < n; i++)
                        seen[order[i]]++;
                    assert_true(n <= batch && n > 0);
                    taken += n;
                    steps++;
                } while (!sampler_epoch_over(&s, batch));
                assert_int_equal(steps, sampler_steps(&s, batch));
                assert_true(rows - taken < batch && 2 * (rows - taken) < batch + 1);
                for (size_t i = 0; i < rows; i++)
                    assert_true(seen[i] <= 1);
                assert_int_equal(s.epoch, epoch);
            }
            sampler_release(&s);
            sampler_release(&again);
        }
}

static void sampler_goes_on_from_a_position(void **state)
{
    (void)state;
    Sampler s, again;
    const uint32_t *order, *other;
    assert_true(sampler_init(&s, 4, 100, false, NULL, NULL));
    for (int i = 0; i < 23; i++)
        sampler_next(&s, 7, NULL);
    assert_true(sampler_init(&again, 4, 100, false, NULL, NULL));
    again.epoch = s.epoch;
    again.position = s.position;
    for (int i = 0; i < 40; i++) {
        size_t n = sampler_next(&s, 9, &order);
        assert_int_equal(sampler_next(&again, 9, &other), n);
        assert_memory_equal(order, other, n * sizeof *order);
    }
    sampler_release(&s);
    sampler_release(&again);
    assert_true(sampler_init(&s, 4, 100, true, NULL, NULL)); /* whole batches: a step an epoch */
    assert_int_equal(sampler_next(&s, 7, &order), 100);
    assert_true(sampler_epoch_over(&s, 7));
    assert_int_equal(sampler_next(&s, 7, &order), 100);
    assert_int_equal(s.epoch, 1);
    sampler_release(&s);
}

static void picks_are_the_model_rooms(void **state)
{
    (void)state;
    const Param *loss = param_find(run_params, "loss"),
                *optimizer = param_find(run_params, "optimizer");
    for (size_t i = 0; loss->picks[i] || loss_names[i]; i++)
        assert_string_equal(loss->picks[i], loss_names[i]);
    for (size_t i = 0; optimizer->picks[i] || optimizer_names[i]; i++)
        assert_string_equal(optimizer->picks[i], optimizer_names[i]);
    const Param *products = param_find(run_params, "products"),
                *precision = param_find(run_params, "precision");
    for (size_t i = 0; products->picks[i] || products_names[i]; i++)
        assert_string_equal(products->picks[i], products_names[i]);
    for (size_t i = 0; precision->picks[i] || precision_names[i]; i++)
        assert_string_equal(precision->picks[i], precision_names[i]);
}

/* What says nothing to a family is not among its rows, and setting it is refused. */
static void settings_that_say_nothing(void **state)
{
    (void)state;
    RunSpec spec;
    Error err = {0};
    SpecRow rows[128];
    run_spec_init(&spec, model_family("gbdt"));
    for (size_t i = 0, n = run_spec_rows(&spec, rows, 128); i < n; i++)
        assert_string_not_equal(rows[i].row->name, "batch");
    assert_true(run_spec_set(&spec, "batch", "256", &err)); /* runs of older programs have it */
    assert_true(run_spec_meant(&spec, &err));
    assert_true(run_spec_set(&spec, "dropout", "0.5", &err));
    assert_false(run_spec_meant(&spec, &err));
    assert_non_null(strstr(err.text, "dropout says nothing to a gbdt"));
    run_spec_release(&spec);
}

/* Each family's settings: defaults fit, every row has help, every value survives text. */
static void settings_of_every_family(void **state)
{
    (void)state;
    for (size_t f = 0; model_families[f]; f++) {
        RunSpec spec, copy;
        Error err = {0};
        SpecRow rows[128], others[128];
        run_spec_init(&spec, model_families[f]);
        run_spec_init(&copy, model_families[f]);
        size_t n = run_spec_rows(&spec, rows, 128);
        assert_int_equal(run_spec_rows(&copy, others, 128), n);
        assert_true(n > 20 && n < 128);
        for (size_t i = 0; i < n; i++) {
            Text a = {0}, b = {0};
            assert_true(strlen(rows[i].row->help) > 4);
            for (size_t k = 0; k < i; k++)
                assert_string_not_equal(rows[i].row->name, rows[k].row->name);
            param_get(rows[i].row, rows[i].settings, &a);
            if (!run_spec_set(&copy, rows[i].row->name, text_str(&a), &err))
                fail_msg("%s %s", model_families[f]->name, err.text);
            param_get(others[i].row, others[i].settings, &b);
            assert_string_equal(text_str(&a), text_str(&b));
            text_release(&a);
            text_release(&b);
        }
        assert_false(run_spec_set(&spec, "lrr", "1", &err));
        assert_non_null(strstr(err.text, "did you mean lr?"));
        assert_false(run_spec_set(&spec, "lr", "fast", &err));
        assert_non_null(strstr(err.text, "'fast'"));
        run_spec_release(&spec);
        run_spec_release(&copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schedules),
        cmocka_unit_test(sampler_takes_each_row_once),
        cmocka_unit_test(sampler_goes_on_from_a_position),
        cmocka_unit_test(picks_are_the_model_rooms),
        cmocka_unit_test(settings_of_every_family),
        cmocka_unit_test(settings_that_say_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
