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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(same_bits, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(gates_and_goes_live, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(goes_on_after_a_kill, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
