/* journey.c -- the whole way with keys alone: open two months, clean one, set a run up, watch it train,
 * change it while it trains, pause it, leave, come back to find it running, stop it, compare it with a
 * second run, and see what drifted. The run is a real process of the real program. */
#include "support/workbench.h"

#include <lathe/command.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static void leave(void)
{
    term_press(bench.term, "Q");
    assert_true(term_wait_end(bench.term, 10));
    assert_int_equal(term_close(bench.term), 0);
    bench.term = NULL;
}

/* The newest run as the store has it. */
static RunStatus status_now(int64_t *step)
{
    Error err = {0};
    Arena a = {0};
    RunRow r;
    Store *s = store_open(bench.workspace, STORE_READ, &err);
    if (!s || !store_run_find(s, "last", &a, &r, &err))
        fail_msg("%s", err.text);
    *step = r.step;
    RunStatus status = r.status;
    store_close(s);
    arena_release(&a);
    return status;
}

static bool reaches(RunStatus wanted, double seconds)
{
    int64_t step;
    for (double end = clock_now() + seconds; clock_now() < end; usleep(50000))
        if (status_now(&step) == wanted)
            return true;
    return false;
}

static bool has_steps(double seconds)
{
    int64_t step = 0;
    for (double end = clock_now() + seconds; step == 0 && clock_now() < end; usleep(50000))
        status_now(&step);
    return step > 0;
}

static void open_months(Term *t)
{
    char text[256];
    Error err = {0};
    SampleReport made;
    assert_true(sample_write(bench.dir, &(SampleOptions){.rows = 3000, .seed = 7, .drift = 1}, &made, &err));
    for (int i = 0; i < 2; i++) {
        snprintf(text, sizeof text, "ingest %.180s as=month_%d", made.month[i].path, i + 1);
        command(text);
        snprintf(text, sizeof text, "month_%d 2,", i + 1);
        term_see(t, text); /* opened, as the status line says */
    }
    term_see(t, "Datasets");
    term_see(t, "lines rejected");
}

static void clean_first(Term *t)
{
    term_press(t, "Tab G Enter"); /* the older one, at the foot of the list */
    term_see(t, "month_1 2,");
    term_press(t, "2");
    term_see(t, "Recipe for month_1");
    term_press(t, "a");
    term_settle(t);
    term_type(t, "keep FAREAMOUNT between 3 and 200");
    term_see(t, "Blast radius");
    term_press(t, "Enter");
    term_settle(t);
    term_press(t, "a");
    term_settle(t);
    term_type(t, "drop missing MILEAGE");
    term_press(t, "Enter");
    term_settle(t);
    term_see(t, "drop missing MILEAGE");
    term_press(t, "u");
    assert_true(term_wait_gone(t, "drop missing MILEAGE", 10));
    term_press(t, "Ctrl-R");
    term_see(t, "drop missing MILEAGE");
}

static void launch_and_steer(Term *t)
{
    int64_t before, after;
    command("train mlp data=month_1 target=FAREAMOUNT features=MILEAGE,DURATION epochs=100000 patience=0 name=long-one");
    term_press(t, "Esc 4");
    term_see(t, "long-one");
    term_see(t, "Loss");
    assert_true(reaches(RUN_RUNNING, 20) && has_steps(20));
    term_see(t, "running");
    term_press(t, ",");                 /* half the learning rate */
    term_see(t, "lr 0.");              /* its tick on the curve */
    term_press(t, "p");
    assert_true(reaches(RUN_PAUSED, 20));
    term_see(t, "paused");
    status_now(&before);
    usleep(300000);
    status_now(&after);
    assert_int_equal(before, after);
    term_press(t, "p");
    assert_true(reaches(RUN_RUNNING, 20));
}

static void it_goes_on_alone(void)
{
    int64_t before, after;
    leave();
    status_now(&before);
    usleep(700000);
    assert_int_equal(status_now(&after), RUN_RUNNING);
    assert_true(after > before);
    Term *t = bench_open(&bench, 36, 120, "train", NULL);
    term_see(t, "long-one");
    term_see(t, "running");
    term_press(t, "x");
    term_see(t, "Stop");
    term_press(t, "y");
    assert_true(reaches(RUN_FINISHED, 60));
    term_see(t, "Test results");
}

static void the_change_is_kept(void)
{
    Error err = {0};
    Arena a = {0};
    EventRow *e;
    size_t n, found = 0;
    int64_t cursor = 0;
    Store *s = store_open(bench.workspace, STORE_READ, &err);
    assert_true(s && store_events_since(s, 0, &cursor, &a, &e, &n, &err));
    for (size_t i = 0; i < n; i++)
        found += strcmp(e[i].kind, "change") == 0 && e[i].step > 0 && strstr(e[i].text, "lr ");
    assert_int_equal(found, 1);
    store_close(s);
    arena_release(&a);
}

static void compare_and_drift(Term *t)
{
    command("train linear data=month_1 target=FAREAMOUNT features=MILEAGE epochs=2 name=short-one");
    term_press(t, "Esc 5");
    term_see(t, "short-one");
    assert_true(reaches(RUN_FINISHED, 60));
    term_press(t, "g Space j Space");
    term_see(t, "2 runs compared");
    term_see(t, "what differs");
    term_see(t, "linear");
    term_press(t, "6 x");
    term_see(t, "columns drifted  (");
    term_see(t, "PAYMENTTYPE");
    term_see(t, "rmse");
}

static void with_keys_alone(void **state)
{
    (void)state;
    bench_make(&bench);
    Term *t = bench_open(&bench, 36, 120, NULL, NULL);
    term_see(t, "1 Data");
    open_months(t);
    clean_first(t);
    launch_and_steer(t);
    it_goes_on_alone();
    the_change_is_kept();
    compare_and_drift(bench.term);
    bench_close(&bench);
}

/* Also when a check failed on the way: no run of ours goes on in a folder that is gone. */
static int tear_down(void **state)
{
    Error err = {0};
    Arena a = {0};
    RunRow *runs;
    size_t n = 0;
    (void)state;
    Store *s = file_exists(bench.workspace) ? store_open(bench.workspace, STORE_READ, &err) : NULL;
    if (s && store_runs(s, &a, &runs, &n, &err))
        for (size_t i = 0; i < n; i++)
            if (runs[i].pid > 0 && (runs[i].status == RUN_RUNNING || runs[i].status == RUN_PAUSED))
                kill((pid_t)runs[i].pid, SIGKILL);
    store_close(s);
    arena_release(&a);
    dir_remove(bench.dir, NULL);
    memset(&bench, 0, sizeof bench);
    return 0;
}

/* Two workbenches on one workspace: what one does, the other shows. */
static void two_at_once(void **state)
{
    (void)state;
    bench_make(&bench);
    bench_dataset(&bench, "shared", 500);
    Term *one = bench_open(&bench, 30, 100, "data", NULL);
    Bench other = bench;
    Term *two = bench_open(&other, 24, 80, "data", NULL);
    term_see(one, "shared");
    term_see(two, "shared");
    command("data rename shared renamed");
    term_see(one, "renamed");
    term_see(two, "renamed");
    term_press(two, "Q");
    assert_true(term_wait_end(two, 10));
    assert_int_equal(term_close(two), 0);
    assert_true(term_has(one, "renamed"));
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(with_keys_alone, tear_down),
        cmocka_unit_test_teardown(two_at_once, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
