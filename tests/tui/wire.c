/* wire.c -- what the screen sends: the same picture with fewer bytes, and no more of them than the user allows. */
#include "support/workbench.h"
#include "tui/budget.h"
#include "tui/screen_wire.h"

#include <setjmp.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <vterm.h>

enum { ROWS = 6, COLS = 20 };

/* ---- looks ---------------------------------------------------------------------------------------------------- */

static void thins_to(const char *bytes, const char *expected)
{
    Wire w = {0};
    wire_thin(&w, bytes, strlen(bytes));
    assert_string_equal(text_str(&w.out), expected);
    text_release(&w.out);
}

static void a_look_in_force_is_not_sent_again(void **state)
{
    (void)state;
    thins_to("\033[31m\033[44ma\033[39;49m\033(B\033[m", "\033[31;44ma\033[0m");
    thins_to("\033[31m\033[44ma\033[2;3H\033[32m\033[44mb\033[m", "\033[31;44ma\033[2;3H\033[32mb\033[0m");
    thins_to("\033(B\033[0;1m\033[38;5;9mx\033(B\033[0m\033[38;5;9my\033[m", "\033[1;38;5;9mx\033[0;38;5;9my\033[0m");
    thins_to("\033[38:2::1:2:3ma\033[48;2;1;2;3mb\033[22;49mc\033[m",
             "\033[38:2::1:2:3ma\033[48;2;1;2;3mb\033[0;38:2::1:2:3mc\033[0m");
    thins_to("\033[0;10m\033[31ma\033[0;10m\033[m", "\033[31ma\033[0m");
    thins_to("\033[31m\033[m", "");                           /* nothing was painted */
    thins_to("\033[44m\033[K\033[m", "\033[44m\033[K\033[0m"); /* to the end of the line, in the colour of the ground */
    thins_to("\033[44m\033[?25l\033]0;a\a\033[m", "\033[?25l\033]0;a\a");
}

static void what_is_not_known_goes_through(void **state)
{
    (void)state;
    thins_to("\033[53mx", "\033[53m\033[0mx");
    thins_to("\033[>4;1mx\033#8", "\033[>4;1mx\033#8");
    thins_to("x\033[3", "x\033[3"); /* cut */
}

static VTerm *terminal(VTermScreen **screen)
{
    VTerm *t = vterm_new(ROWS, COLS);
    vterm_set_utf8(t, 1);
    *screen = vterm_obtain_screen(t);
    vterm_screen_reset(*screen, 1);
    return t;
}

/* One of the things curses does. */
static void add_random(Text *t, Rng *r)
{
    static const char *const looks[] = {"\033[m", "\033(B\033[0;1m", "\033[7m", "\033[4;3m", "\033[39;49m", "\033[22m",
                                        "\033[27;24m", "\033[0;1;31m", "\033[97m", "\033[103m"};
    switch (rng_below(r, 8)) {
    case 0:
        text_puts(t, looks[rng_below(r, sizeof looks / sizeof *looks)]);
        return;
    case 1:
        text_printf(t, "\033[%d;5;%dm", rng_below(r, 2) ? 38 : 48, (int)rng_below(r, 256));
        return;
    case 2:
        text_printf(t, "\033[3%dm\033[4%dm", (int)rng_below(r, 8), (int)rng_below(r, 8));
        return;
    case 3:
        text_printf(t, "\033[%d;%dH", (int)rng_below(r, ROWS) + 1, (int)rng_below(r, COLS) + 1);
        return;
    case 4:
        text_printf(t, "\033[%d%c", (int)rng_below(r, 3), "KJX@P"[rng_below(r, 5)]);
        return;
    default:
        text_puts(t, rng_below(r, 2) ? "\xe2\xa3\xbf" : "ab");
    }
}

static void same_picture(VTermScreen *a, VTermScreen *b)
{
    for (int row = 0; row < ROWS; row++)
        for (int col = 0; col < COLS; col++) {
            VTermScreenCell x, y;
            VTermPos at = {row, col};
            vterm_screen_get_cell(a, at, &x);
            vterm_screen_get_cell(b, at, &y);
            for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && (i == 0 || x.chars[i - 1]); i++)
                assert_int_equal(x.chars[i], y.chars[i]);
            assert_true(vterm_color_is_equal(&x.fg, &y.fg) && vterm_color_is_equal(&x.bg, &y.bg));
            assert_true(x.attrs.bold == y.attrs.bold && x.attrs.reverse == y.attrs.reverse &&
                        x.attrs.italic == y.attrs.italic && x.attrs.underline == y.attrs.underline);
        }
}

static void the_picture_is_the_same(void **state)
{
    VTermScreen *sa, *sb;
    VTerm *a = terminal(&sa), *b = terminal(&sb);
    Wire w = {0};
    Rng r;
    size_t before = 0, after = 0;
    (void)state;
    rng_seed(&r, 17, 0);
    for (int frame = 0; frame < 3000; frame++) {
        Text t = {0};
        for (size_t n = rng_below(&r, 30); n-- > 0;)
            add_random(&t, &r);
        text_reset(&w.out);
        wire_thin(&w, text_str(&t), t.count);
        vterm_input_write(a, text_str(&t), t.count);
        vterm_input_write(b, text_str(&w.out), w.out.count);
        same_picture(sa, sb);
        before += t.count;
        after += w.out.count;
        text_release(&t);
    }
    assert_true(after < before * 9 / 10);
    text_release(&w.out);
    vterm_free(a);
    vterm_free(b);
}

/* ---- the budget ------------------------------------------------------------------------------------------------ */

/* Whoever always has more to send, and sends all he may, on a clock of its own. */
static void no_second_has_more(void **state)
{
    static const double budgets[] = {200, 500, 2000, 64e3};
    enum { MS = 20000 };
    static double sent[MS];
    Rng r;
    (void)state;
    rng_seed(&r, 3, 0);
    for (size_t k = 0; k < sizeof budgets / sizeof *budgets; k++) {
        Budget b = {0};
        double all = 0, sum = 0;
        size_t last = 0;
        for (int ms = 0; ms < MS; ms++) {
            sent[ms] = 0;
            if (rng_below(&r, 7)) /* the loop is not always there */
                continue;
            budget_reckon(&b, budgets[k], 100 + ms / 1e3, last);
            last = budget_waits(&b) <= 0 ? budget_may(&b) : 0;
            all += sent[ms] = (double)last;
        }
        for (int ms = 0; ms < MS; ms++) {
            sum += sent[ms] - (ms >= 1000 ? sent[ms - 1000] : 0);
            assert_true(sum <= budgets[k]);
        }
        assert_true(all > 0.4 * budgets[k] * MS / 1e3);
    }
}

/* What could not be cut is paid for before anything else goes. */
static void a_debt_is_paid(void **state)
{
    Budget b = {0};
    (void)state;
    budget_reckon(&b, 2000, 50, 0);
    budget_reckon(&b, 2000, 60, 0);
    assert_true(budget_waits(&b) <= 0 && budget_may(&b) == 400);
    budget_reckon(&b, 2000, 60, 8400);
    assert_true(budget_may(&b) == 0);
    assert_true(fabs(budget_waits(&b) - 8300 / 1600.0) < 1e-9);
    budget_reckon(&b, 0, 60, 0); /* no budget any more */
    assert_true(budget_waits(&b) <= 0 && budget_may(&b) == SIZE_MAX);
}

/* ---- a live chart ------------------------------------------------------------------------------------------------ */

enum { BEGUN = 30000 };
static Store *store;
static int64_t run;

/* Noisy, as trainings are. */
static void add_points(int64_t from, int64_t to)
{
    Error err = {0};
    Rng r;
    rng_seed(&r, (uint64_t)from, 0);
    assert_true(store_begin(store, &err));
    for (int64_t step = from; step < to; step += 5) {
        double wall = 1e-3 * (double)step, loss = exp(-3 - (double)step / 5e4 + 0.5 * rng_normal(&r));
        MetricPoint p[] = {{"train_loss", step, wall, loss},
                           {"lr", step, wall, 1e-3 * exp(-(double)step / 1e5)},
                           {"grad_norm", step, wall, 0.1 * exp(0.3 * rng_normal(&r))},
                           {"samples_per_second", step, wall, 2e5 + 1e4 * rng_normal(&r)},
                           {"val_loss", step, wall, loss * 1.1},
                           {"val_rmse", step, wall, sqrt(loss)}};
        assert_true(store_metrics_add(store, run, p, step % 50 ? 4 : 6, &err));
    }
    RunRow row = {.id = run, .pid = getpid(), .started = time_now() - (int64_t)(to * 1000), .heartbeat = time_now(), .step = to,
                  .steps_total = 100000, .epoch = to / 50, .epochs_total = 2000, .best = 0.01, .best_step = 4000,
                  .monitor = "val_loss", .task = "regression"};
    assert_true(store_run_progress(store, &row, &err) && store_commit(store, &err));
}

static void open_live(void)
{
    Error err = {0};
    bench_make(&bench);
    bench_dataset(&bench, "trips", 500);
    bench_open(&bench, 36, 120, "train", NULL);
    store = store_open(bench.workspace, STORE_WRITE, &err);
    RunRow row = {.name = "live", .experiment = "", .family = "mlp", .dataset = "0123456789abcdef",
                  .dataset_name = "trips", .target = "fare", .task = "regression", .recipe = "", .features = "",
                  .split = "70/15/15", .seed = 1, .message = "", .monitor = "val_loss", .note = "", .tags = "",
                  .machine = "here", .version = "0", .best = (double)NAN, .created = time_now()};
    assert_true(store && (run = store_run_add(store, &row, NULL, 0, &err)) && store_run_claim(store, run, getpid(), &err));
    add_points(5, BEGUN);
    see("30,000/100,000");
    term_settle(bench.term);
}

/* Bytes a second while ten times a second there is something new, for so many of them; a slow machine has longer
 * for the same. */
static double bytes_a_second(int updates)
{
    size_t before = term_bytes(bench.term);
    double began = clock_now();
    for (int i = 0; i < updates; i++) {
        double next = began + 0.1 * (i + 1), now;
        add_points(BEGUN + 100 * i, BEGUN + 100 * (i + 1));
        while ((now = clock_now()) < next)
            term_wait(bench.term, "never there", next - now); /* reads meanwhile */
    }
    return (double)(term_bytes(bench.term) - before) / (clock_now() - began);
}

static void close_live(void)
{
    Error err = {0};
    assert_true(store_run_status(store, run, RUN_FINISHED, "", &err));
    store_close(store);
    assert_int_equal(bench_close(&bench), 0);
    bench = (Bench){0};
}

/* Among these updates is one that has the axis drawn to another scale. */
static void a_live_chart_is_small(void **state)
{
    (void)state;
    open_live();
    double rate = bytes_a_second(100);
    print_message("a live chart: %.0f bytes a second\n", rate);
    assert_true(rate > 200); /* it lives */
    assert_true(rate < 4000);
    close_live();
}

static void and_smaller_if_asked(void **state)
{
    (void)state;
    open_live();
    command("set bandwidth 1k");
    double rate = bytes_a_second(40);
    print_message("with a budget of 1000: %.0f bytes a second\n", rate);
    assert_true(rate > 100);
    assert_true(rate < 1000);
    command("set bandwidth 0"); /* what was left out comes */
    see("epoch 680/2,000");
    close_live();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_look_in_force_is_not_sent_again), cmocka_unit_test(what_is_not_known_goes_through),
        cmocka_unit_test(the_picture_is_the_same),           cmocka_unit_test(no_second_has_more),
        cmocka_unit_test(a_debt_is_paid),                    cmocka_unit_test(a_live_chart_is_small),
        cmocka_unit_test(and_smaller_if_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
