/* terminals.c -- what goes to other terminals: nothing but lines to TERM=dumb, and sequences wrapped for tmux and
 * GNU screen. */
#include "support/workbench.h"

#include <setjmp.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static int run_lathe(void *context)
{
    (void)context;
    execl(LATHE_PROGRAM, LATHE_PROGRAM, "-w", bench.workspace, (char *)NULL);
    return 127;
}

/* Lines, no sequence of any kind, and a good end: there is nothing to wait for. */
static void a_dumb_terminal_gets_lines(void **state)
{
    (void)state;
    bench_make(&bench);
    bench_dataset(&bench, "trips", 500);
    bench.term = term_open(24, 80, run_lathe, NULL, (const char *const[]){"TERM=dumb", NULL});
    see("dataset trips: 500 rows, 6 columns");
    assert_true(term_wait_end(bench.term, 20));
    assert_false(term_sent(bench.term, "\033"));
    assert_false(term_altscreen(bench.term));
    assert_int_equal(bench_close(&bench), 0);
    bench = (Bench){0};
}

static int64_t add_run(Store *s)
{
    Error err = {0};
    RunRow row = {.name = "wrapped", .experiment = "", .family = "mlp", .dataset = "0123456789abcdef",
                  .dataset_name = "trips", .target = "fare", .task = "regression", .recipe = "", .features = "",
                  .split = "70/15/15", .seed = 1, .message = "", .monitor = "val_loss", .note = "", .tags = "",
                  .machine = "here", .version = "0", .best = (double)NAN, .created = time_now()};
    int64_t run = store_run_add(s, &row, NULL, 0, &err);
    assert_true(run && store_run_claim(s, run, getpid(), &err));
    return run;
}

/* What the workbench runs in, and how "1" is copied and the news of a run is told there. */
typedef struct Host {
    const char *const *env;
    const char *copied, *told;
    bool mouse;
} Host;

static void copies_and_news(const Host *h)
{
    Error err = {0};
    bench_make(&bench);
    bench_dataset(&bench, "trips", 500);
    Store *s = bench_store();
    int64_t run = add_run(s);
    store_close(s); /* none may be open when the workbench is forked off */
    bench_open(&bench, 24, 80, "data", h->env);
    see("row 1 of 500");
    see("wrapped");
    assert_int_equal(term_mouse(bench.term), h->mouse);
    term_press(bench.term, "y");
    see("copied");
    assert_true(term_sent(bench.term, h->copied));
    assert_int_equal(term_sent(bench.term, "\033P"), strstr(h->copied, "\033P") != NULL);
    s = bench_store();
    assert_true(store_run_status(s, run, RUN_FAILED, "no luck", &err));
    store_close(s);
    see("wrapped failed");
    assert_true(term_sent(bench.term, h->told));
    assert_int_equal(bench_close(&bench), 0);
    bench = (Bench){0};
}

/* tmux hands on what stands between its own marks, where every Esc is doubled. */
static void sequences_go_through_tmux(void **state)
{
    (void)state;
    copies_and_news(&(Host){.env = (const char *const[]){"TMUX=/tmp/tmux-0/default,1,0", NULL},
                            .copied = "\033]52;c;MQ==\a\033Ptmux;\033\033]52;c;MQ==\a\033\\",
                            .told = "\033Ptmux;\033\033]9;wrapped",
                            .mouse = true});
}

/* GNU screen between others; it is not asked for the mouse, since it would hold an Esc back. */
static void and_through_screen(void **state)
{
    (void)state;
    copies_and_news(&(Host){.env = (const char *const[]){"STY=1.tty.here", NULL},
                            .copied = "\033P\033]52;c;MQ==\a\033\\",
                            .told = "\033P\033]9;wrapped"});
}

static void and_bare_to_others(void **state)
{
    (void)state;
    copies_and_news(&(Host){.copied = "\033]52;c;MQ==\a",
                            .told = "\033]9;wrapped",
                            .mouse = true});
}

/* The Linux console's fonts have no braille: curves are halves of cells there, and what :set charts says. */
static void curves_are_made_of_what_there_is(void **state)
{
    Error err = {0};
    (void)state;
    bench_make(&bench);
    bench_dataset(&bench, "trips", 500);
    Store *s = bench_store();
    int64_t run = add_run(s);
    MetricPoint p[40];
    for (int i = 0; i < 40; i++)
        p[i] = (MetricPoint){"train_loss", i + 1, i, 1.0 / (i + 1)};
    assert_true(store_metrics_add(s, run, p, 40, &err) && store_run_status(s, run, RUN_FINISHED, "", &err));
    store_close(s);
    bench_open(&bench, 24, 80, "train", (const char *const[]){"TERM=linux", "LANG=C.UTF-8", NULL});
    see("train 0.025");
    see("\xe2\x96\x84\xe2\x96\x84"); /* lower halves in a row */
    command("set charts braille");
    gone("\xe2\x96\x84\xe2\x96\x84");
    command("set charts ascii");
    see("**");
    command("set charts auto");
    see("\xe2\x96\x84\xe2\x96\x84");
    command("set charts crayons");
    see("expected auto | braille | block | ascii");
    assert_int_equal(bench_close(&bench), 0);
    bench = (Bench){0};
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dumb_terminal_gets_lines),
        cmocka_unit_test(sequences_go_through_tmux),
        cmocka_unit_test(and_through_screen),
        cmocka_unit_test(and_bare_to_others),
        cmocka_unit_test(curves_are_made_of_what_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
