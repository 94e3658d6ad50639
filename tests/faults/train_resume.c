/* train_resume -- kill -9 a run at random moments: what goes on from its last checkpoint ends with
 * the same curves, the same weights, the same test metrics as a run nobody touched. */
#include "unit/train_world.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* In a process of its own, as `lathe work ID` is. */
static pid_t start(World *w, int64_t run)
{
    pid_t child = fork();
    if (child == 0) {
        Error err = {0};
        Store *s = store_open(w->dir, STORE_WRITE, &err);
        Pool *pool = pool_create(2);
        bool ok = s && run_execute(s, run, pool, NULL, NULL, NULL, &err);
        if (!ok)
            fprintf(stderr, "%s\n", err.text);
        _exit(ok ? 0 : 1);
    }
    assert_true(child > 0);
    return child;
}

static bool has_ended(pid_t child)
{
    int status;
    if (waitpid(child, &status, WNOHANG) == 0)
        return false;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    return true;
}

static size_t beginnings(World *w, int64_t run)
{
    return events_of(w, run, "start", NULL) + events_of(w, run, "resume", NULL);
}

/* Kills it once it trains, each time a little later, until it gets through; returns how often. */
static int torment(World *w, int64_t run, unsigned seed)
{
    srand(seed);
    for (int kills = 0;; kills++) {
        size_t begun = beginnings(w, run);
        pid_t child = start(w, run);
        double wait = (.06 + .04 * kills) * rand() / RAND_MAX, end = clock_now() + 120;
        bool trains = false;
        while (clock_now() < end) {
            if (has_ended(child))
                return kills;
            if (!trains && beginnings(w, run) > begun) {
                trains = true;
                end = clock_now() + wait;
            }
            usleep(1000);
        }
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        OK(run_reap(w->s, &w->err) >= 0);
        if (run_of(w, run).status == RUN_FINISHED) /* killed on its way out */
            return kills;
    }
}

static void compare(World *w, const char *family, const char *target, const char *settings,
                    int least_kills)
{
    int64_t whole = submit(w, family, target, "MILES,MINUTES,TIME", settings);
    int64_t torn = submit(w, family, target, "MILES,MINUTES,TIME", settings);
    OK(run_execute(w->s, whole, w->pool, NULL, NULL, NULL, &w->err));
    int kills = torment(w, torn, 5);
    if (kills < least_kills)
        fail_msg("killed only %d times: the run is too short for this test", kills);
    assert_int_equal(run_of(w, torn).status, RUN_FINISHED);
    assert_string_equal(run_of(w, torn).message, run_of(w, whole).message);
    same_curves(w, whole, torn);
    same_file(w, whole, torn, "bundle/model.safetensors");
    json_t *findings = json_array();
    OK(store_check(w->s, findings, &w->err));
    assert_int_equal(json_array_size(findings), 0);
    json_decref(findings);
}

static void a_net_with_everything(void **state)
{
    compare(*state, "mlp", "FARE",
            "epochs=40 batch=8 hidden=64,64 dropout=0.2 clip=1 warmup=40 patience=0"
            " checkpoint_seconds=0.05",
            1);
}

static void early_stopping_counts_on(void **state)
{
    compare(*state, "mlp", "LONG",
            "epochs=300 batch=5 hidden=64,64 patience=12 lr=0.002 schedule=plateau step_every=3"
            " checkpoint_seconds=0.05",
            1);
}

static void checkpoints_far_apart(void **state)
{
    compare(*state, "linear", "FARE",
            "epochs=200 batch=8 patience=0 optimizer=sgd lr=0.001 checkpoint_seconds=0.1", 1);
}

/* Whatever the family, made small: what it needs to go on is in its state. */
static void every_family(void **state)
{
    static const char *const small[][2] = {
        {"hidden", "64,32"}, {"width", "32"}, {"blocks", "2"}, {"heads", "4"}, {"steps", "2"}};
    for (size_t i = 0; model_families[i]; i++) {
        const ModelFamily *f = model_families[i];
        if (f->series) /* train_series.c */
            continue;
        Text settings = {0};
        text_puts(&settings, "patience=0 checkpoint_seconds=0.05");
        text_puts(&settings, f->whole_batch ? " epochs=150" : " epochs=5 batch=64 dropout=0.1");
        for (size_t k = 0; k < sizeof small / sizeof *small; k++)
            if (param_find(f->params, small[k][0]))
                text_printf(&settings, " %s=%s", small[k][0], small[k][1]);
        compare(*state, f->name, "ZONE", text_str(&settings), 0);
        text_release(&settings);
    }
}

/* Live changes come again at their steps: the run that was changed and never killed is the oracle. */
static void live_changes_come_again(void **state)
{
    World *w = *state;
    const char *settings = "epochs=60 batch=16 hidden=64,64 patience=0 checkpoint_seconds=0.05";
    int64_t torn = submit(w, "mlp", "FARE", "MILES,MINUTES,TIME", settings);
    pid_t child = start(w, torn);
    double end = clock_now() + 30;
    while (run_of(w, torn).step < 100 && clock_now() < end)
        usleep(1000);
    OK(run_command(w->s, torn, "set", "lr", "0.0003", &w->err));
    OK(run_command(w->s, torn, "set", "dropout", "0.1", &w->err));
    OK(run_command(w->s, torn, "set", "batch", "40", &w->err));
    while (store_commands_pending(w->s, torn) && clock_now() < end)
        usleep(1000);
    kill(child, SIGKILL); /* right after they took effect: no checkpoint knows of them */
    waitpid(child, NULL, 0);
    CommandRow *c;
    size_t n;
    OK(store_commands_taken(w->s, torn, -1, &w->a, &c, &n, &w->err));
    assert_int_equal(n, 3);
    assert_true(c[0].step > 0 && c[2].step >= c[0].step);
    int64_t at[3] = {c[0].step, c[1].step, c[2].step};
    OK(run_reap(w->s, &w->err) == 1);
    assert_int_equal(run_of(w, torn).status, RUN_KILLED);
    torment(w, torn, 9);

    /* the oracle: a run that was never killed, told to change at the very same steps */
    int64_t whole = submit(w, "mlp", "FARE", "MILES,MINUTES,TIME", settings);
    const char *pair[3][2] = {{"lr", "0.0003"}, {"dropout", "0.1"}, {"batch", "40"}};
    for (int i = 0; i < 3; i++)
        OK(store_command_add(w->s, whole, "set", pair[i][0], pair[i][1], &w->err));
    OK(store_commands_take(w->s, whole, &w->a, &c, &n, &w->err));
    for (int i = 0; i < 3; i++)
        OK(store_command_step(w->s, c[i].id, at[i], &w->err));
    OK(run_execute(w->s, whole, w->pool, NULL, NULL, NULL, &w->err));
    same_curves(w, whole, torn);
    same_file(w, whole, torn, "bundle/model.safetensors");
}

/* A checkpoint that was cut off is passed over for the one before it. */
static void a_torn_checkpoint(void **state)
{
    World *w = *state;
    const char *settings = "epochs=60 batch=16 hidden=64,64 patience=0 checkpoint_seconds=0.02";
    int64_t whole = submit(w, "mlp", "FARE", "MILES,MINUTES,TIME", settings);
    int64_t torn = submit(w, "mlp", "FARE", "MILES,MINUTES,TIME", settings);
    OK(run_execute(w->s, whole, w->pool, NULL, NULL, NULL, &w->err));
    pid_t child = start(w, torn);
    CheckpointRow *c;
    size_t n = 0;
    for (double end = clock_now() + 30; n < 3 && clock_now() < end; usleep(1000))
        OK(store_checkpoints(w->s, torn, &w->a, &c, &n, &w->err));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    OK(store_checkpoints(w->s, torn, &w->a, &c, &n, &w->err));
    assert_true(n >= 2);
    OK(truncate(store_path(w->s, &w->a, "%s/model.safetensors", c[n - 1].path), 1000) == 0);
    OK(run_execute(w->s, torn, w->pool, NULL, NULL, NULL, &w->err));
    assert_int_equal(events_of(w, torn, "damaged", NULL), 1);
    same_curves(w, whole, torn);
    same_file(w, whole, torn, "bundle/model.safetensors");
}

/* Any byte of a checkpoint may be wrong: it is seen, and the one before it gives the same end. */
static void flipped_bytes(void **state)
{
    World *w = *state;
    const char *settings = "epochs=30 batch=16 hidden=16 patience=0 checkpoint_seconds=0.02";
    int64_t whole = submit(w, "mlp", "FARE", "MILES,MINUTES,TIME", settings);
    OK(run_execute(w->s, whole, w->pool, NULL, NULL, NULL, &w->err));
    Rng r;
    rng_seed(&r, 3, 0);
    for (int round = 0; round < 8; round++) {
        int64_t torn = submit(w, "mlp", "FARE", "MILES,MINUTES,TIME", settings);
        CheckpointRow *c;
        size_t n = 0;
        pid_t child = start(w, torn);
        for (double end = clock_now() + 30; n < 3 && clock_now() < end; usleep(500))
            OK(store_checkpoints(w->s, torn, &w->a, &c, &n, &w->err));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        OK(store_checkpoints(w->s, torn, &w->a, &c, &n, &w->err));
        char *path = store_path(w->s, &w->a, "%s/%s", c[n - 1].path,
                                round % 2 ? "model.safetensors" : "state.json");
        Text bytes = {0};
        OK(file_read(path, &bytes, 1 << 26, &w->err));
        bytes.at[rng_below(&r, bytes.count)] ^= (char)(1 << rng_below(&r, 7));
        OK(file_write(path, bytes.at, bytes.count, &w->err));
        text_release(&bytes);
        if (run_of(w, torn).status == RUN_FINISHED)
            continue;
        OK(run_execute(w->s, torn, w->pool, NULL, NULL, NULL, &w->err));
        assert_int_equal(events_of(w, torn, "damaged", NULL), 1);
        same_curves(w, whole, torn);
        same_file(w, whole, torn, "bundle/model.safetensors");
    }
}

/* While one process trains a run, another may not. */
static void one_process_a_run(void **state)
{
    World *w = *state;
    int64_t run = submit(w, "mlp", "FARE", "MILES", "epochs=100000 batch=16 hidden=64 patience=0");
    pid_t child = start(w, run);
    double end = clock_now() + 30;
    while (run_of(w, run).step < 10 && clock_now() < end)
        usleep(1000);
    says(w, run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err),
         "is being trained by process");
    assert_int_equal(run_reap(w->s, &w->err), 0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(run_reap(w->s, &w->err), 1);
    says(w, run_command(w->s, run, "stop", "", "", &w->err), "not running");
}

/* A full disk (a limit on the size of files) ends the run with one clear line; with room again it
 * goes on to the same end. */
static void a_full_disk(void **state)
{
    World *w = *state;
    const char *settings = "epochs=20 batch=16 hidden=64 patience=0 record_every=1"
                           " checkpoint_seconds=0.05";
    int64_t whole = submit(w, "mlp", "FARE", "MILES,MINUTES,TIME", settings);
    int64_t torn = submit(w, "mlp", "FARE", "MILES,MINUTES,TIME", settings);
    pid_t child = fork();
    if (child == 0) {
        Error err = {0};
        struct rlimit small = {300000, 300000};
        signal(SIGXFSZ, SIG_IGN);
        Store *s = store_open(w->dir, STORE_WRITE, &err);
        setrlimit(RLIMIT_FSIZE, &small);
        bool ok = run_execute(s, torn, NULL, NULL, NULL, NULL, &err);
        _exit(!ok && strstr(err.text, "no space left") && !strchr(err.text, '\n') ? 0 : 1);
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    run_reap(w->s, &w->err); /* there may have been no room to say FAILED */
    assert_true(run_of(w, torn).status == RUN_FAILED || run_of(w, torn).status == RUN_KILLED);
    OK(run_execute(w->s, torn, w->pool, NULL, NULL, NULL, &w->err));
    OK(run_execute(w->s, whole, w->pool, NULL, NULL, NULL, &w->err));
    same_curves(w, whole, torn);
    same_file(w, whole, torn, "bundle/model.safetensors");
}

/* As a process of its own: the terminal's end is not its end, a signal is a request to stop. */
static void spawned(void **state)
{
    World *w = *state;
    says(w, run_spawn("/nowhere/lathe", w->dir, 1, &w->err), "cannot start it: No such file");
    if (!file_exists(LATHE_PROGRAM))
        skip();
    int64_t quick = submit(w, "linear", "FARE", "MILES", "epochs=3");
    int64_t slow =
        submit(w, "mlp", "FARE", "MILES", "epochs=1000000 batch=16 hidden=64 patience=0");
    OK(run_spawn(LATHE_PROGRAM, w->dir, quick, &w->err));
    OK(run_spawn(LATHE_PROGRAM, w->dir, slow, &w->err));
    double end = clock_now() + 60;
    while ((run_of(w, quick).status != RUN_FINISHED || run_of(w, slow).step < 10) &&
           clock_now() < end)
        usleep(5000);
    assert_int_equal(run_of(w, quick).status, RUN_FINISHED);
    assert_true(file_exists(store_path(w->s, &w->a, "runs/%lld/log", (long long)quick)));
    RunRow r = run_of(w, slow);
    assert_true(store_run_alive(&r));
    assert_int_equal(getsid((pid_t)r.pid) == getsid(0), 0);
    kill((pid_t)r.pid, SIGTERM);
    while (run_of(w, slow).status == RUN_RUNNING && clock_now() < end)
        usleep(5000);
    assert_int_equal(run_of(w, slow).status, RUN_FINISHED);
    assert_non_null(strstr(run_of(w, slow).message, "stopped by request"));
    assert_true(isfinite(last_metric(w, slow, "test_rmse")));
}

int main(void)
{
#define EACH(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        EACH(a_net_with_everything),
        EACH(early_stopping_counts_on),
        EACH(checkpoints_far_apart),
        EACH(every_family),
        EACH(live_changes_come_again),
        EACH(a_torn_checkpoint),
        EACH(flipped_bytes),
        EACH(one_process_a_run),
        EACH(a_full_disk),
        EACH(spawned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
