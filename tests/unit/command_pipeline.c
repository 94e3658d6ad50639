/* command_pipeline -- a journey printed, replayed to the same bits, skipped where nothing changed, stopped by a gate,
 * and gone on with after it was killed at each of its steps. */
#include "train_world.h"

#include <lathe/command.h>

#include <signal.h>
#include <sys/wait.h>

static void write_csv(const char *path, int seed)
{
    Rng r;
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    rng_seed(&r, (uint64_t)seed, 0);
    fputs("MILES,MINUTES,FARE\n", f);
    for (int i = 0; i < 2000; i++) {
        double miles = 10 * rng_unit(&r), minutes = 30 * rng_unit(&r);
        fprintf(f, "%.3f,%.3f,%.2f\n", miles, minutes,
                3 + 2 * miles + .5 * minutes + .5 * rng_normal(&r));
    }
    fclose(f);
}

/* Exit status, or -1 when it was killed after `micros`. What it prints goes to out. */
static int lathe_for(World *w, useconds_t micros, Text *out, const char *const *argv)
{
    const char *all[24] = {"lathe", "-w", w->dir};
    size_t n = 3;
    char buffer[4096];
    int ends[2], status = 0;
    for (; *argv; argv++)
        all[n++] = *argv;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 1);
        dup2(ends[1], 2);
        close(ends[0]);
        close(ends[1]);
        execv(LATHE_PROGRAM, (char *const *)(uintptr_t)all);
        _exit(127);
    }
    close(ends[1]);
    if (micros) {
        usleep(micros);
        kill(child, SIGKILL);
    }
    /* a training that lives on has no part in the pipe: its words go to its log */
    for (ssize_t got; (got = read(ends[0], buffer, sizeof buffer)) > 0;)
        text_add(out, buffer, (size_t)got);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define LATHE(out, ...) lathe_for(w, 0, out, (const char *const[]){__VA_ARGS__, NULL})

static void must_say(const Text *t, const char *words)
{
    if (!strstr(text_str(t), words))
        fail_msg("expected '%s' in:\n%s", words, text_str(t));
}

static ModelRow newest(World *w)
{
    ModelRow *m;
    size_t n;
    OK(store_models(w->s, &w->a, &m, &n, &w->err));
    assert_true(n > 0);
    return m[0];
}

static size_t models(World *w)
{
    ModelRow *m;
    size_t n;
    OK(store_models(w->s, &w->a, &m, &n, &w->err));
    return n;
}

static char *file_of(World *w, const char *name, const char *text)
{
    char *path = arena_printf(&w->a, "%s/%s", w->dir, name);
    OK(file_write(path, text, strlen(text), &w->err));
    return path;
}

static char *csv_of(World *w, const char *name, int seed)
{
    char *path = arena_printf(&w->a, "%s/%s", w->dir, name);
    write_csv(path, seed);
    return path;
}

static void same_bits(void **state)
{
    World *w = *state;
    Text out = {0};
    char *csv = csv_of(w, "jan.csv", 1), *other = csv_of(w, "feb.csv", 2);
    char *recipe = file_of(w, "trips.recipe",
                           "# short ones\ndrop missing FARE\nkeep MILES > 0.5\nderive speed = "
                           "MILES / (MINUTES + 1)\n");
    char *after = file_of(w, "after.recipe", "clip speed 0 4\n");
    assert_int_equal(LATHE(&out, "ingest", csv, "as=jan", "types=MINUTES:float64"), 0);
    assert_int_equal(
        LATHE(&out, "clean", "jan", arena_printf(&w->a, "recipe=%s", recipe), "as=clean"), 0);
    assert_int_equal(LATHE(&out, "data", "role", "clean", "MINUTES", "ignore"), 0);
    assert_int_equal(LATHE(&out, "train", "mlp", "data=clean", "target=FARE", "epochs=3",
                           "hidden=8,4", "lr=0.003", "seed=5", "name=taxi",
                           arena_printf(&w->a, "recipe=%s", after), "split=60/20/20"),
                     0);
    ModelRow one = newest(w);
    /* the file of the journey, in a workspace that knows nothing of it */
    text_reset(&out);
    assert_int_equal(LATHE(&out, "pipeline", "taxi"), 0);
    must_say(&out, "types=MINUTES:float64");
    must_say(&out, "hidden=8,4");
    must_say(&out, "data role $data MINUTES ignore");
    char *file = file_of(w, "taxi.pipeline", text_str(&out));
    World fresh = {0};
    strcpy(fresh.dir, "/tmp/lathe-pipe-XXXXXX");
    assert_non_null(mkdtemp(fresh.dir));
    World *was = w;
    w = &fresh;
    text_reset(&out);
    if (LATHE(&out, "pipeline", file) != 0)
        fail_msg("%s", text_str(&out));
    w->s = store_open(w->dir, STORE_WRITE, &w->err);
    assert_non_null(w->s);
    assert_string_equal(newest(w).hash, one.hash);
    assert_int_equal(models(w), 1);
    /* again: nothing is done twice */
    text_reset(&out);
    assert_int_equal(LATHE(&out, "pipeline", file), 0);
    must_say(&out, "step 2  skip  clean");
    must_say(&out, "step 4  skip  train");
    assert_int_equal(models(w), 1);
    /* other data: another model; then the first data again, whose model is still there */
    text_reset(&out);
    assert_int_equal(LATHE(&out, "pipeline", file, arena_printf(&was->a, "1=%s", other)), 0);
    must_say(&out, "step 4  done  train");
    assert_int_equal(models(w), 2);
    assert_string_not_equal(newest(w).hash, one.hash);
    text_reset(&out);
    assert_int_equal(LATHE(&out, "pipeline", file), 0);
    must_say(&out, "step 4  skip  train");
    assert_int_equal(models(w), 2);
    store_close(w->s);
    arena_release(&w->a);
    dir_remove(w->dir, NULL);
    text_release(&out);
}

static void gates_and_goes_live(void **state)
{
    World *w = *state;
    Text out = {0};
    char *csv = csv_of(w, "jan.csv", 1);
    static const char steps[] = "let 1 = none.csv\n"
                                "text rules\n    rmse <= %s\n    rmse better 1%%\n"
                                "ingest $1 as=jan\n"
                                "train linear data=$data target=FARE name=taxi epochs=%d lr=0.05\n"
                                "gate $run rules=$rules against=taxi@champion first=yes\n"
                                "deploy fares model=$run\n";
    char *data = arena_printf(&w->a, "1=%s", csv);
    char *hard = file_of(w, "hard.pipeline", arena_printf(&w->a, steps, "0.0001", 20));
    assert_int_equal(LATHE(&out, "pipeline", hard, data), 1);
    must_say(&out, "step 3  fail  gate");
    must_say(&out, "1 of 1 rules failed");
    DeploymentRow d;
    says(w, store_deployment_find(w->s, "fares", &w->a, &d, &w->err), "no deployment fares");
    char *fair = file_of(w, "fair.pipeline", arena_printf(&w->a, steps, "100", 20));
    text_reset(&out);
    if (LATHE(&out, "pipeline", fair, data) != 0)
        fail_msg("%s", text_str(&out));
    must_say(&out, "step 2  skip  train"); /* that step is the same in both files */
    OK(store_deployment_find(w->s, "fares", &w->a, &d, &w->err));
    assert_int_equal(d.model, newest(w).id);
    text_reset(&out);
    assert_int_equal(LATHE(&out, "pipeline", fair, data), 0);
    must_say(&out, "step 4  skip  deploy");
    /* one that learnt next to nothing is not better than the champion */
    char *poor = file_of(w, "poor.pipeline", arena_printf(&w->a, steps, "100", 1));
    text_reset(&out);
    assert_int_equal(LATHE(&out, "pipeline", poor, data), 1);
    must_say(&out, "1 of 2 rules failed");
    /* slips are named with their line */
    text_reset(&out);
    assert_int_equal(LATHE(&out, "pipeline", file_of(w, "a.pipeline", "ingest $2\n"), data), 2);
    must_say(&out, "line 1: $2 is not known");
    text_reset(&out);
    assert_int_equal(LATHE(&out, "pipeline", file_of(w, "b.pipeline", "\n\ningest 'x\n")), 2);
    must_say(&out, "line 3: the quote ' is not closed");
    text_reset(&out);
    assert_int_equal(LATHE(&out, "pipeline", "nosuch"), 2);
    must_say(&out, "no run nosuch");
    text_release(&out);
}

/* Killed after ever longer times, from the first step to the last, until it comes through. */
static void goes_on_after_a_kill(void **state)
{
    World *w = *state;
    Text out = {0};
    char *csv = csv_of(w, "jan.csv", 1);
    char *file = file_of(w, "j.pipeline",
                         "text r\n    keep MILES > 0.5\n"
                         "ingest $1 as=jan\n"
                         "clean $data recipe=$r as=clean\n"
                         "train mlp data=$data target=FARE name=taxi epochs=60 hidden=32 seed=3 "
                         "checkpoint_seconds=0.1\n"
                         "gate $run rules=\"rmse <= 100\"\n"
                         "deploy fares model=$run\n");
    char *data = arena_printf(&w->a, "1=%s", csv);
    const char *const argv[] = {"pipeline", file, data, NULL};
    size_t killed = 0;
    useconds_t after = 15000;
    while (after < 20000000) {
        text_reset(&out);
        int status = lathe_for(w, after, &out, argv);
        if (status == 0)
            break;
        if (status > 0)
            fail_msg("exit %d: %s", status, text_str(&out));
        killed++;
        /* and its training with it, every second time */
        RunRow *runs;
        size_t n;
        OK(store_runs(w->s, &w->a, &runs, &n, &w->err));
        if (killed % 2 && n && runs[0].status == RUN_RUNNING && store_run_alive(&runs[0]))
            kill((pid_t)runs[0].pid, SIGKILL);
        after += after / 3;
    }
    assert_true(killed > 3);
    while (LATHE(&out, "pipeline", file, data) != 0)
        fail_msg("%s", text_str(&out));
    ModelRow m = newest(w);
    assert_int_equal(models(w), 1); /* no training was done twice to its end */
    DeploymentRow d;
    OK(store_deployment_find(w->s, "fares", &w->a, &d, &w->err));
    assert_int_equal(d.model, m.id);
    /* the same bits as without any of it */
    text_reset(&out);
    assert_int_equal(LATHE(&out, "train", "mlp", "data=clean", "target=FARE", "name=plain",
                           "epochs=60", "hidden=32", "seed=3", "checkpoint_seconds=0.1"),
                     0);
    assert_string_equal(newest(w).hash, m.hash);
    text_release(&out);
}

/* ---- a run that was steered, and a fork of it --------------------------------------------------------------------- */

static void nap(void)
{
    usleep(20000);
}

static void wait_finished(World *w, int64_t run)
{
    RunRow row = {0};
    for (int i = 0; i < 6000; i++, nap()) {
        OK(store_run_get(w->s, run, &w->a, &row, &w->err));
        if (row.status == RUN_FINISHED)
            return;
        assert_int_not_equal(row.status, RUN_FAILED);
    }
    fail_msg("run %d is %s", (int)run, run_status_name(row.status));
}

static void wait_taken(World *w, int64_t run, size_t many)
{
    CommandRow *c;
    size_t n = 0;
    for (int i = 0; i < 6000; i++, nap()) {
        OK(store_commands_taken(w->s, run, -1, &w->a, &c, &n, &w->err));
        if (n >= many)
            return;
    }
    fail_msg("run %d took %zu of %zu many", (int)run, n, many);
}

static void steered_and_forked(void **state)
{
    World *w = *state;
    Text out = {0};
    char *csv = csv_of(w, "jan.csv", 1);
    assert_int_equal(LATHE(&out, "ingest", csv, "as=jan"), 0);
    assert_int_equal(LATHE(&out, "train", "mlp", "data=jan", "target=FARE", "name=taxi", "seed=5",
                           "epochs=100000", "patience=0", "hidden=4", "lr=0.003", "detach=yes"),
                     0);
    assert_int_equal(LATHE(&out, "runs", "set", "1", "lr=0.001"), 0);
    wait_taken(w, 1, 1);
    assert_int_equal(LATHE(&out, "runs", "stop", "1"), 0);
    wait_finished(w, 1);
    assert_int_equal(LATHE(&out, "runs", "fork", "1", "lr=0.0005", "detach=yes"), 0);
    assert_int_equal(LATHE(&out, "runs", "set", "2", "weight_decay=0.02"), 0);
    wait_taken(w, 2, 1);
    assert_int_equal(LATHE(&out, "runs", "stop", "2"), 0);
    wait_finished(w, 2);
    ModelRow fork = newest(w), first;
    OK(store_model_find(w->s, "1", &w->a, &first, &w->err));
    assert_string_not_equal(fork.hash, first.hash);
    for (int i = 0; i < 2; i++) {
        text_reset(&out);
        assert_int_equal(LATHE(&out, "pipeline", i ? "2" : "1"), 0);
        must_say(&out, i ? "set weight_decay 0.02;" : "set lr 0.001;");
        char *file = file_of(w, i ? "two.pipeline" : "one.pipeline", text_str(&out));
        World *was = w, fresh = {0};
        strcpy(fresh.dir, "/tmp/lathe-pipe-XXXXXX");
        assert_non_null(mkdtemp(fresh.dir));
        w = &fresh;
        text_reset(&out);
        if (LATHE(&out, "pipeline", file) != 0)
            fail_msg("%s", text_str(&out));
        w->s = store_open(w->dir, STORE_READ, &w->err);
        assert_non_null(w->s);
        assert_string_equal(newest(w).hash, i ? fork.hash : first.hash);
        store_close(w->s);
        arena_release(&w->a);
        dir_remove(w->dir, NULL);
        w = was;
    }
    /* what only a fork can change is said, not left out */
    ParamRow change = {.key = "epochs", .value = "100001"};
    OK(run_fork(w->s, 1, -1, &change, 1, &w->err) == 3); /* it need not train for that */
    text_reset(&out);
    assert_int_equal(LATHE(&out, "pipeline", "3"), 2);
    must_say(&out, "forked from run 1");
    must_say(&out, "epochs=100001, which cannot change while a run trains");
    /* and slips */
    text_reset(&out);
    assert_int_equal(LATHE(&out, "train", "mlp", "data=jan", "target=FARE", "steer=7 set epochs 3"),
                     2);
    must_say(&out, "epochs cannot change while a run trains");
    assert_int_equal(
        LATHE(&out, "train", "mlp", "data=jan", "target=FARE", "steer=7 stop; 5 set lr 1"), 2);
    must_say(&out, "step 5 comes after step 7");
    RunRow *runs;
    size_t n;
    OK(store_runs(w->s, &w->a, &runs, &n, &w->err));
    assert_int_equal(n, 3); /* none was made */
    text_release(&out);
}

static void expects_and_evaluates(void **state)
{
    World *w = *state;
    Text out = {0};
    char *csv = csv_of(w, "jan.csv", 1);
    static const char steps[] =
        "ingest $1 as=jan\n"
        "text tests\n    FARE > 0\n    # a share\n    expect MILES < %s mostly 0.7\n"
        "expect $data rules=$tests\n"
        "train linear data=$data target=FARE name=taxi epochs=10 lr=0.05\n"
        "evaluate $run data=$data\n"
        "evaluate $run\n";
    char *data = arena_printf(&w->a, "1=%s", csv);
    char *hard = file_of(w, "hard.pipeline", arena_printf(&w->a, steps, "5"));
    assert_int_equal(LATHE(&out, "pipeline", hard, data), 1);
    must_say(&out, "step 2  fail  expect");
    must_say(&out, "1 of 2 tests of jan failed");
    assert_int_equal(models(w), 0);
    char *fair = file_of(w, "fair.pipeline", arena_printf(&w->a, steps, "8"));
    text_reset(&out);
    if (LATHE(&out, "pipeline", fair, data) != 0)
        fail_msg("%s", text_str(&out));
    must_say(&out, "2 tests passed");
    must_say(&out, "step 4  done  evaluate");
    must_say(&out, "rmse ");
    text_reset(&out);
    assert_int_equal(LATHE(&out, "pipeline", fair, data), 0);
    must_say(&out, "step 2  skip  expect");
    must_say(&out, "step 5  skip  evaluate");
    /* what is measured anew on the test rows is what the training measured */
    text_reset(&out);
    assert_int_equal(LATHE(&out, "--json", "evaluate", "taxi"), 0);
    json_t *o = json_loads(text_str(&out), 0, NULL),
           *m = json_array_get(json_object_get(o, "metrics"), 0);
    MetricPoint *last;
    size_t n;
    double trained = 0;
    OK(store_metrics_last(w->s, newest(w).run, &w->a, &last, &n, &w->err));
    for (size_t i = 0; i < n; i++)
        if (text_equal(last[i].key, "test_rmse"))
            trained = last[i].value;
    assert_string_equal(json_string_value(json_object_get(m, "metric")), "rmse");
    assert_float_equal(json_real_value(json_object_get(m, "value")), trained, 1e-9);
    json_decref(o);
    /* other data: tested and measured again */
    text_reset(&out);
    char *other = csv_of(w, "feb.csv", 2);
    assert_int_equal(LATHE(&out, "pipeline", fair, arena_printf(&w->a, "1=%s", other)), 0);
    must_say(&out, "step 2  done  expect");
    must_say(&out, "step 4  done  evaluate");
    text_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(same_bits, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(gates_and_goes_live, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(goes_on_after_a_kill, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(steered_and_forked, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(expects_and_evaluates, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
