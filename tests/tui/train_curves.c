/* train_curves.c -- curves in memory: where epochs end, smoothing, and thinning that loses no spike. */
#include "tui/panes/train_int.h"

#include <setjmp.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static void epochs_end_where_they_were_validated(void **state)
{
    (void)state;
    Curves c = {.run = 1};
    MetricPoint p[] = {{"val_loss", 100, 1, .5}, {"val_loss", 200, 2, .4}, {"val_loss", 250, 3, .3}};
    EventRow e = {.id = 1, .run = 1, .step = 0, .kind = "start", .text = ""};
    RunDelta d = {.run = 1, .point = p, .count = 3, .event = &e, .happened = 1};
    for (int i = 1; i < 3; i++)
        p[i].key = p[0].key;
    curves_take(&c, &d);
    assert_true(fabs(curves_epoch(&c, 50) - 0.5) < 1e-12);
    assert_true(fabs(curves_epoch(&c, 100) - 1.0) < 1e-12);
    assert_true(fabs(curves_epoch(&c, 225) - 2.5) < 1e-12); /* the batch was doubled: 50 steps */
    assert_true(fabs(curves_epoch(&c, 300) - 4.0) < 1e-12);
    curves_release(&c);
}

static void smoothing_is_the_same_in_pieces_and_at_once(void **state)
{
    (void)state;
    Curves once = {.run = 1}, pieces = {.run = 1};
    MetricPoint p[50];
    for (int i = 0; i < 50; i++)
        p[i] = (MetricPoint){"train_loss", i + 1, i, i == 20 ? (double)NAN : cos(i)};
    curves_take(&once, &(RunDelta){.run = 1, .point = p, .count = 50});
    curves_derive(&once, AXIS_WALL, 2);
    for (size_t i = 0; i < 50; i += 10) {
        curves_take(&pieces, &(RunDelta){.run = 1, .point = p + i, .count = 10});
        curves_derive(&pieces, AXIS_WALL, 2);
    }
    const Series *a = curves_find(&once, "train_loss"), *b = curves_find(&pieces, "train_loss");
    assert_int_equal(a->smooth.count, 50);
    assert_int_equal(b->smooth.count, 50);
    assert_true(a->smooth.at[0] == 1.0); /* no pull to 0 at the start */
    assert_true(isnan(a->smooth.at[20]) && isfinite(a->smooth.at[21]));
    for (size_t i = 0; i < 50; i++) {
        assert_true(a->smooth.at[i] == b->smooth.at[i] || i == 20);
        assert_true(a->x.at[i] == b->x.at[i]);
    }
    curves_release(&once);
    curves_release(&pieces);
}

/* 20,000 points with one spike: every level keeps it, in fewer and fewer points and in order. */
static void a_long_curve_is_thinned_without_losing_a_spike(void **state)
{
    (void)state;
    enum { POINTS = 20000 };
    Curves c = {.run = 1};
    MetricPoint *p = mem_alloc(POINTS * sizeof *p);
    for (int i = 0; i < POINTS; i++)
        p[i] = (MetricPoint){"train_loss", i + 1, 0.01 * i, i == 12345 ? 9.0 : i == 777 ? (double)NAN : 0.5};
    for (size_t from = 0; from < POINTS; from += 5000) {
        curves_take(&c, &(RunDelta){.run = 1, .point = p + from, .count = 5000});
        curves_derive(&c, AXIS_STEP, 0);
    }
    const Series *one = curves_find(&c, "train_loss");
    size_t levels = 0, below = POINTS;
    for (; levels < THIN_LEVELS && one->thin[0][levels].blocks; levels++) {
        const Thin *t = &one->thin[0][levels];
        size_t spikes = 0;
        assert_true(t->x.count < below * 3 / 4);
        below = t->x.count;
        for (size_t i = 0; i < t->x.count; i++) {
            spikes += t->y.at[i] == 9.0 && t->x.at[i] == 12346;
            assert_true(i == 0 || t->x.at[i] >= t->x.at[i - 1]);
        }
        assert_int_equal(spikes, 1);
        assert_true(*vec_last(&t->x) == POINTS);
    }
    assert_int_equal(levels, 2);
    assert_ptr_equal(series_thin(one, false, POINTS), &one->thin[0][1]); /* 1,250 blocks of 16 */
    assert_null(series_thin(one, false, 2000));
    curves_release(&c);
    mem_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(epochs_end_where_they_were_validated),
        cmocka_unit_test(a_long_curve_is_thinned_without_losing_a_spike),
        cmocka_unit_test(smoothing_is_the_same_in_pieces_and_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
