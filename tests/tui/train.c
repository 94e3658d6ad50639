/* train.c -- tests of the Train pane: a made-up run is shown, followed, looked at and steered; no
 * training is needed, the store is all it lives from. */
#include "support/workbench.h"
#include "tui/panes/train_int.h"

#include <setjmp.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

/* Falls from 1; the validation lies a little above. */
static double loss_at(int64_t step)
{
    return 0.05 + 0.95 * exp(-(double)step / 60.0);
}

static void add_points(Store *s, int64_t run, int64_t from, int64_t to)
{
    Error err = {0};
    MetricPoint p[8];
    for (int64_t step = from; step <= to; step++) {
        double wall = 0.1 * (double)step;
        size_t n = 0;
        p[n++] = (MetricPoint){"train_loss", step, wall, loss_at(step)};
        p[n++] = (MetricPoint){"lr", step, wall, 0.001};
        p[n++] = (MetricPoint){"grad_norm", step, wall, 0.5};
        p[n++] = (MetricPoint){"samples_per_second", step, wall, 12000};
        if (step % 30 == 0) {
            p[n++] = (MetricPoint){"val_loss", step, wall, loss_at(step) * 1.1};
            p[n++] = (MetricPoint){"val_rmse", step, wall, 3 * loss_at(step)};
        }
        assert_true(store_metrics_add(s, run, p, n, &err));
    }
}

static void set_progress(Store *s, int64_t run, int64_t step)
{
    Error err = {0};
    Arena a = {0};
    RunRow row;
    assert_true(store_run_get(s, run, &a, &row, &err));
    row.step = step;
    row.steps_total = 300;
    row.epoch = step / 30;
    row.epochs_total = 10;
    row.monitor = "val_loss";
    row.best = 0.0625;
    row.best_step = 90;
    row.heartbeat = time_now();
    row.task = "regression";
    assert_true(store_run_progress(s, &row, &err));
    arena_release(&a);
}

/* A run of this very process, so that it is alive, at step 120 of 300. */
static int64_t add_run_of(Store *s, const char *name, const char *family)
{
    Error err = {0};
    ParamRow params[] = {{"lr", "0.001"}, {"batch", "256"}, {"epochs", "10"}};
    RunRow row = {.name = name, .experiment = "", .family = family, .dataset = "0123456789abcdef",
                  .dataset_name = "trips", .target = "fare", .task = "regression", .recipe = "",
                  .features = "", .split = "70/15/15", .seed = 1, .message = "", .monitor = "val_loss",
                  .note = "", .tags = "", .machine = "here", .version = "0", .best = (double)NAN,
                  .created = time_now()};
    int64_t run = store_run_add(s, &row, params, 3, &err);
    if (!run)
        fail_msg("%s", err.text);
    assert_true(store_run_claim(s, run, getpid(), &err));
    assert_true(store_event_add(s, run, 0, "start", "120 rows to train on", &err) != 0);
    add_points(s, run, 1, 120);
    CheckpointRow c = {.run = run, .step = 60, .epoch = 2, .created = time_now(), .path = "runs/1/ckpt-60"};
    assert_true(store_checkpoint_add(s, &c, &err));
    set_progress(s, run, 120);
    return run;
}

static int64_t add_run(Store *s, const char *name)
{
    return add_run_of(s, name, "mlp");
}

/* The same with a store of its own: none may be open when the workbench is forked off. */
static int64_t make_run(const char *name)
{
    Store *s = bench_store();
    int64_t run = add_run(s, name);
    store_close(s);
    return run;
}

static Term *open_at(int rows, int cols)
{
    Term *t = bench_open(&bench, rows, cols, "train", NULL);
    if (!term_wait(t, "Train", 10))
        term_print(t);
    return t;
}

/* Waits for a live command to arrive in the store, as the run would take it. */
static void must_command(Store *s, int64_t run, const char *verb, const char *key, const char *value)
{
    Error err = {0};
    for (int tries = 0; tries < 200; tries++) {
        Arena a = {0};
        CommandRow *c;
        size_t n;
        assert_true(store_commands_take(s, run, &a, &c, &n, &err));
        if (n > 0) {
            assert_string_equal(c[0].verb, verb);
            assert_string_equal(c[0].key, key);
            assert_string_equal(c[0].value, value);
            arena_release(&a);
            return;
        }
        arena_release(&a);
        usleep(50000);
    }
    term_print(bench.term);
    fail_msg("no command %s came", verb);
}

/* ---- shown ---------------------------------------------------------------------------------------- */

static void says_what_to_do_without_a_run(void **state)
{
    (void)state;
    store_close(bench_store());
    open_at(24, 80);
    see("No training run yet");
    see("3 sets one up");
}

static void shows_a_run_at_every_size(void **state)
{
    (void)state;
    static const int sizes[][3] = {{24, 80, 1}, {36, 120, 3}, {60, 200, 5}};
    static const char *const titles[] = {"─ Loss", "─ Validation rmse", "─ Learning rate", "─ Gradient norm",
                                         "─ Rows a second"};
    make_run("calm");
    for (size_t i = 0; i < 3; i++) {
        Term *t = open_at(sizes[i][0], sizes[i][1]);
        see("Run 1 calm");
        see("epoch 4/10");
        see("validation 0.19"); /* 1.1 x (0.05 + 0.95 exp(-2)) = 0.196 */
        assert_true(term_has(t, "running"));
        assert_true(term_has(t, "40%"));
        for (int k = 0; k < 5; k++)
            assert_int_equal(term_has(t, titles[k]), k < sizes[i][2]);
        assert_int_equal(term_has(t, "What happened"), i == 2);
        term_close(t);
        bench.term = NULL;
    }
}

/* 180 steps to go at ten a second: the head and the status line say the same, whatever the clock says of the start. */
static void the_time_left_is_said_once(void **state)
{
    (void)state;
    make_run("calm");
    open_at(36, 120);
    see("left 18 s");
    see("  18 s left");
}

static void follows_what_the_run_writes(void **state)
{
    (void)state;
    Error err = {0};
    int64_t run = make_run("calm");
    open_at(60, 200);
    Store *s = bench_store();
    see("epoch 4/10");
    add_points(s, run, 121, 180);
    set_progress(s, run, 180);
    see("epoch 6/10");
    see("train 0.0973"); /* 0.05 + 0.95 exp(-3) */
    assert_true(store_event_add(s, run, 180, "change", "lr 0.001 -> 0.0005", &err) != 0);
    set_progress(s, run, 181);
    see("lr 0.001 -> 0.0005");
    store_close(s);
}

/* After a resume the steps beyond the checkpoint are written anew: the old ones must not stay. */
static void a_resumed_run_takes_back_its_points(void **state)
{
    (void)state;
    Error err = {0};
    int64_t run = make_run("calm");
    open_at(36, 120);
    Store *s = bench_store();
    see("train 0.17");
    assert_true(store_metrics_cut(s, run, 60, &err));
    assert_true(store_event_add(s, run, 60, "resume", "from step 60", &err) != 0);
    MetricPoint p = {"train_loss", 61, 6.1, 0.7777};
    assert_true(store_metrics_add(s, run, &p, 1, &err));
    set_progress(s, run, 61);
    see("train 0.778");
    store_close(s);
}

static void says_how_it_ended(void **state)
{
    (void)state;
    Error err = {0};
    Store *s = bench_store();
    int64_t run = add_run(s, "calm");
    MetricPoint p[] = {{"test_rmse", 120, 12, 0.6543}, {"test_mae", 120, 12, 0.4321}};
    assert_true(store_metrics_add(s, run, p, 2, &err));
    assert_true(store_run_status(s, run, RUN_FINISHED, "all 10 epochs done", &err));
    store_close(s);
    Term *t = open_at(24, 80);
    see("finished");
    see("rmse 0.6543");
    term_resize(t, 36, 120);
    see("all 10 epochs done");
    s = bench_store();
    assert_true(store_run_status(s, run, RUN_FAILED, "the loss is NaN at step 121, layer hidden.0", &err));
    see("the loss is NaN at step 121, layer hidden.0");
    see("R goes on from its checkpoint at step 60");
    store_close(s);
}

/* A process that is not there any more: the run says RUNNING, the screen does not believe it. */
static void a_lost_process_is_noticed(void **state)
{
    (void)state;
    int status;
    pid_t child = fork();
    if (child == 0) {
        make_run("calm");
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    open_at(24, 80);
    see("at step 120");
    see("R goes on from its checkpoint at step 60");
}

static void a_click_sets_the_crosshair(void **state)
{
    (void)state;
    make_run("calm");
    Term *t = open_at(36, 120);
    see("train 0.17");
    term_click(t, 12, 60);
    see("step 61 "); /* what stands under that column */
    term_click(t, 28, 80);  /* the small chart at the right becomes the active one */
    term_settle(t);
    term_press(t, "O");
    assert_true(term_wait_gone(t, "─ Loss", 5));
    assert_true(term_has(t, "─ Learning rate"));
}

/* ---- looked at ---------------------------------------------------------------------------------------- */

static void a_crosshair_walks_over_the_steps(void **state)
{
    (void)state;
    make_run("calm");
    Term *t = open_at(36, 120);
    see("epoch 4/10");
    see("train 0.1");
    term_press(t, "g");
    see("step 1 ");
    see("train 0.9843"); /* 0.05 + 0.95 exp(-1/60) */
    term_press(t, "G");
    see("step 120");
    term_press(t, "b");
    see("step 90");
    see("epoch 3 ");
    term_press(t, "Esc");
    assert_true(term_wait_gone(t, "epoch 3 ", 5));
}

static void axis_scale_and_smoothing_turn(void **state)
{
    (void)state;
    make_run("calm");
    Term *t = open_at(24, 80);
    see("log  light smoothing");
    see("step │");
    term_press(t, "L");
    assert_true(term_wait_gone(t, "log  light", 5));
    term_press(t, "s");
    see("strong smoothing");
    term_press(t, "a");
    see("epoch │");
    term_press(t, "a");
    see("seconds │");
    term_press(t, "a");
    see("clock │"); /* time of day */
    term_press(t, "a X");
    see("logarithmic step");
    term_press(t, "X a a");
    see("seconds │");
    term_press(t, "+");
    see("zoomed");
    term_press(t, "0");
    assert_true(term_wait_gone(t, "zoomed", 5));
    term_press(t, "Tab");
    see("Validation rmse");
}

static void the_machine_is_watched_while_a_run_trains(void **state)
{
    (void)state;
    make_run("busy");
    open_at(36, 140);
    see("memory");
    see("this run");
    see("processor"); /* from the second look on */
    see("disk");
}

/* Two cards, and a third that tells nothing. */
static void a_gpu_is_watched_where_there_is_one(void **state)
{
    (void)state;
    char dir[120], tool[140], path[400];
    static const char script[] = "#!/bin/sh\necho '30, 2048, 8192'\necho '50, 1024, 8192'\necho '[N/A], [N/A], [N/A]'\n";
    Error err = {0};
    make_run("heated");
    snprintf(dir, sizeof dir, "%s/bin", bench.dir);
    snprintf(tool, sizeof tool, "%s/nvidia-smi", dir);
    snprintf(path, sizeof path, "PATH=%s:%s", dir, getenv("PATH"));
    assert_true(dir_create(dir, &err) && file_write(tool, script, strlen(script), &err));
    assert_int_equal(chmod(tool, 0755), 0);
    bench_open(&bench, 36, 160, "train", (const char *const[]){path, NULL});
    see("GPU");
    see("40%");
    see("3.2 GB"); /* of both */
    term_resize(bench.term, 36, 120);
    see("disk");
    see("GPU 40% 3.2 GB"); /* the bars have made room for it */
}

static void slices_stand_in_one_chart(void **state)
{
    (void)state;
    Error err = {0};
    Store *s = bench_store();
    int64_t run = add_run(s, "sliced");
    for (int64_t step = 30; step <= 120; step += 30) {
        MetricPoint p[] = {{"val_slice Brookland", step, 0.1 * (double)step, 4 * loss_at(step)},
                           {"val_slice Dupont", step, 0.1 * (double)step, 2 * loss_at(step)}};
        assert_true(store_metrics_add(s, run, p, 2, &err));
    }
    store_close(s);
    Term *t = open_at(50, 160);
    see("train 0.17");
    see("Validation rmse by slice");
    term_press(t, "Tab Tab O");
    see("Brookland");
    see("Dupont");
    assert_false(term_has(t, "val_slice"));
}

/* What is under the pointer goes along: after a drag to the right earlier steps are in sight. */
static void a_drag_pans(void **state)
{
    (void)state;
    make_run("calm");
    Term *t = open_at(36, 120);
    see("train 0.17");
    term_click(t, 12, 60);
    see("step 61 ");
    term_press(t, "+ +");
    see("zoomed");
    term_click(t, 12, 60);
    see("step 60 "); /* nearer: the same column is a step beside it */
    term_drag(t, 12, 60, 12, 80);
    term_settle(t);
    term_click(t, 12, 80);
    see("step 60 ");
    term_drag(t, 12, 80, 12, 40);
    term_settle(t);
    term_click(t, 12, 40);
    see("step 60 ");
}

/* The made-up run stops early: its last step is marked. */
static void an_early_stop_is_marked(void **state)
{
    (void)state;
    Error err = {0};
    int64_t run = make_run("patient");
    Store *s = bench_store();
    assert_true(store_event_add(s, run, 110, "end", "stopped early at step 110: no better val_loss for 5 epochs", &err));
    assert_true(store_run_status(s, run, RUN_FINISHED, "", &err));
    store_close(s);
    open_at(36, 120);
    see("early stop");
    see("best");
    see(" 40%"); /* finished, and not all of it done */
}

/* A sweep has no test results, nothing to score with and nothing to fork. */
static void a_found_learning_rate_is_the_result(void **state)
{
    (void)state;
    Error err = {0};
    int64_t run = make_run("sweep");
    Store *s = bench_store();
    const char *said = "lr=0.003: the loss falls fastest there; it diverges at 0.11";
    assert_true(store_metrics_add(s, run, &(MetricPoint){"lr_found", 110, 11, .003}, 1, &err) &&
                store_event_add(s, run, 70, "suggest", said, &err) && store_run_status(s, run, RUN_FINISHED, said, &err));
    store_close(s);
    open_at(36, 120);
    see("Learning rate finder");
    see(said);
    see("\342\224\212lr=0.003"); /* and where on the curve */
    gone("Test results");
    gone("scores rows");
}

static void other_runs_are_drawn_with_it(void **state)
{
    (void)state;
    make_run("calm");
    make_run("eager");
    Term *t = open_at(36, 120);
    see("Run 2 eager");
    term_press(t, "m n");
    see("Run 1 calm");
    see("2 validation");
    term_press(t, "o");
    assert_true(term_wait_gone(t, "2 validation", 5));
}

/* ---- steered ------------------------------------------------------------------------------------------- */

static void keys_become_commands_of_the_run(void **state)
{
    (void)state;
    int64_t run = make_run("calm");
    Term *t = open_at(24, 80);
    Store *s = bench_store();
    see("running");
    see("train 0.1");
    term_press(t, "p");
    must_command(s, run, "pause", "", "");
    term_press(t, ".");
    must_command(s, run, "set", "lr", "0.002");
    term_press(t, "c");
    must_command(s, run, "checkpoint", "", "");
    term_press(t, "e");
    see("Change while it trains");
    term_type(t, "batch");
    term_settle(t);
    term_press(t, "Enter");
    see("Change batch of run 1");
    term_press(t, "Ctrl-U");
    term_type(t, "fast");
    see("expected a");
    term_press(t, "Ctrl-U");
    term_type(t, "512");
    term_settle(t);
    term_press(t, "Enter");
    must_command(s, run, "set", "batch", "512");
    term_press(t, "x");
    see("Stop run 1");
    term_press(t, "y");
    must_command(s, run, "stop", "", "");
    store_close(s);
}

static void a_fork_begins_at_a_checkpoint(void **state)
{
    (void)state;
    make_run("calm");
    Term *t = open_at(24, 80);
    see("train 0.1");
    see("\342\224\212checkpoint"); /* its line says what it is */
    term_press(t, "b f"); /* the best step is 90; the checkpoint before it is 60 */
    see("runs fork 1 step=60 lr=0.001");
}

/* What was changed after the checkpoint is no part of it. */
static void a_fork_offers_what_was_set_then(void **state)
{
    (void)state;
    Error err = {0};
    int64_t run = make_run("calm");
    Store *s = bench_store();
    int64_t change = store_command_add(s, run, "set", "lr", "0.5", &err);
    Arena a = {0};
    CommandRow *c;
    size_t n;
    assert_true(change && store_commands_take(s, run, &a, &c, &n, &err) && store_command_step(s, change, 80, &err));
    CheckpointRow later = {.run = run, .step = 110, .epoch = 3, .created = time_now(), .path = "runs/1/ckpt-110"};
    assert_true(store_checkpoint_add(s, &later, &err));
    arena_release(&a);
    store_close(s);
    Term *t = open_at(36, 120);
    see("train 0.1");
    term_press(t, "f");
    see("runs fork 1 step=110 lr=0.5");
    term_press(t, "Esc b f");
    see("runs fork 1 step=60 lr=0.001");
}

static void what_a_run_cannot_do_is_no_hint(void **state)
{
    (void)state;
    Error err = {0};
    int64_t run = make_run("calm");
    Store *s = bench_store();
    assert_true(store_checkpoint_remove(s, 1, &err) && store_run_status(s, run, RUN_FAILED, "torn", &err));
    store_close(s);
    Term *t = open_at(36, 120);
    see("R begins anew");
    gone("f fork  ");
    gone("v layers");
    term_press(t, "Esc f"); /* Esc: what happened while one was away */
    see("it has no checkpoint to fork from");
    term_press(t, "v");
    see("its layers were not asked for");
}

static void trees_are_not_asked_for_layers(void **state)
{
    (void)state;
    Store *s = bench_store();
    add_run_of(s, "forest", "gbdt");
    store_close(s);
    Term *t = open_at(36, 120);
    see("Run 1 forest");
    see("a axis");
    gone("v layers");
    term_press(t, "v");
    see("trees have no layers");
    term_press(t, ":");
    term_type(t, "runs layers 1");
    term_press(t, "Enter");
    see("a gbdt has no layers");
}

/* One key for both: its word says which of them it does. */
static void a_paused_run_is_offered_to_go_on(void **state)
{
    (void)state;
    Error err = {0};
    int64_t run = make_run("calm");
    open_at(24, 80);
    Store *s = bench_store();
    see("p pause");
    assert_true(store_run_status(s, run, RUN_PAUSED, "", &err));
    see("p resume");
    gone("p pause");
    gone("R resume");
    assert_true(store_run_status(s, run, RUN_RUNNING, "", &err));
    see("p pause");
    store_close(s);
}

/* Three steps of four hundred are far off: over steps they leave the picture, over their logarithm they are why one looks. */
static void a_logarithmic_axis_shows_the_first_steps(void **state)
{
    (void)state;
    Error err = {0};
    int64_t run = make_run("leap");
    Store *s = bench_store();
    for (int64_t step = 121; step <= 500; step++) {
        MetricPoint p = {"grad_norm", step, .1 * (double)step, step < 124 ? 5e6 : .5 + .01 * (double)(step % 7)};
        assert_true(store_metrics_add(s, run, &p, 1, &err));
    }
    assert_true(store_run_status(s, run, RUN_FINISHED, "", &err));
    store_close(s);
    Term *t = open_at(24, 80);
    see("epoch 4/10");
    term_press(t, "Esc Tab Tab Tab s s");
    see("Gradient norm");
    see("no smoothing");
    gone("1M\342\224\244");
    term_press(t, "X");
    see("1M\342\224\244");
}

/* From top to bottom, whatever curve is there. */
static void a_crosshair_stands_over_the_curves(void **state)
{
    (void)state;
    make_run("calm");
    Term *t = open_at(24, 80);
    int top = 0, col = 0;
    see("train mean");
    assert_true(term_find(t, "train mean", &top, &col));
    term_click(t, 12, 14);
    see("step 10 ");
    term_settle(t);
    for (int row = top + 1; row <= top + 10; row++) {
        int bars = 0; /* two of the box, the axis where it has no number, the crosshair */
        for (const char *at = term_row(t, row); (at = strstr(at, "\342\224\202")); at++)
            bars++;
        if (bars < 3)
            term_print(t);
        assert_true(bars >= 3);
    }
}

static void the_zoom_outlives_the_session(void **state)
{
    (void)state;
    make_run("calm");
    Term *t = open_at(36, 120);
    see("train 0.1");
    term_press(t, "+ +");
    see("zoomed");
    term_press(t, "Q");
    assert_true(term_wait_end(t, 10));
    term_close(t);
    t = open_at(36, 120);
    see("zoomed");
    term_press(t, "0");
    gone("zoomed");
}

static void figures_are_written_out(void **state)
{
    (void)state;
    static const struct { double v; int digits; const char *text; } said[] = {
        {41647.3, 4, "41647"}, {-14321.7, 4, "-14322"}, {1.57614, 4, "1.576"}, {0.0004, 3, "0.0004"},
        {1e4, 3, "10000"}, {12180000, 5, "12.18M"}, {9999.96, 4, "10000"}, {(double)NAN, 4, ""},
    };
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        Text t = {0};
        chart_figure(said[i].v, said[i].digits, &t);
        assert_string_equal(text_str(&t), said[i].text);
        text_release(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(says_what_to_do_without_a_run, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(shows_a_run_at_every_size, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(the_time_left_is_said_once, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(follows_what_the_run_writes, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(a_resumed_run_takes_back_its_points, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(says_how_it_ended, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(a_lost_process_is_noticed, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(a_click_sets_the_crosshair, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(a_crosshair_walks_over_the_steps, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(axis_scale_and_smoothing_turn, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(the_machine_is_watched_while_a_run_trains, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(a_gpu_is_watched_where_there_is_one, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(slices_stand_in_one_chart, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(a_drag_pans, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(an_early_stop_is_marked, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(other_runs_are_drawn_with_it, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(a_found_learning_rate_is_the_result, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(keys_become_commands_of_the_run, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(a_fork_begins_at_a_checkpoint, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(a_fork_offers_what_was_set_then, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(what_a_run_cannot_do_is_no_hint, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(a_paused_run_is_offered_to_go_on, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(trees_are_not_asked_for_layers, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(a_logarithmic_axis_shows_the_first_steps, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(a_crosshair_stands_over_the_curves, bench_begin, bench_end),
        cmocka_unit_test_setup_teardown(the_zoom_outlives_the_session, bench_begin, bench_end),
        cmocka_unit_test(figures_are_written_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
