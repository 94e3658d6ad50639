/* train_pretrain -- tabnet that first learns to fill in what is hidden: its own curve, rows without a target
 * taken too, a run that goes on from there with the same bits, and a fork. */
#include "train_world.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

/* GIVEN is FARE by night, else missing: half of the rows have no target. */
#define GIVEN "derive GIVEN = case when TIME = 'night' then FARE else null end\n"

static int64_t submit_given(World *w, const char *settings)
{
    RunSpec spec;
    char copy[512], *save = NULL;
    run_spec_init(&spec, model_family("tabnet"));
    spec.dataset = "trips", spec.target = "GIVEN";
    spec.features =
        strstr(settings, "from=") ? "" : "MILES,MINUTES,LONG,ZONE"; /* those of its source */
    spec.recipe = GIVEN, spec.seed = 3;
    snprintf(copy, sizeof copy, "%s", settings);
    for (char *pair = strtok_r(copy, " ", &save); pair; pair = strtok_r(NULL, " ", &save)) {
        char *eq = strchr(pair, '=');
        *eq = 0;
        OK(run_spec_set(&spec, pair, eq + 1, &w->err));
    }
    int64_t run = run_submit(w->s, &spec, &w->err);
    OK(run);
    run_spec_release(&spec);
    return run;
}

static size_t points(World *w, int64_t run, const char *key, double *first, int64_t *step)
{
    MetricPoint *p;
    size_t n, found = 0;
    int64_t from = 0;
    OK(store_metrics_since(w->s, run, NULL, &from, &w->a, &p, &n, &w->err));
    for (size_t i = 0; i < n; i++)
        if (text_equal(p[i].key, key)) {
            if (found++ == 0 && first)
                *first = p[i].value;
            *step = p[i].step;
        }
    return found;
}

static void has_a_curve_of_its_own(void **state)
{
    World *w = *state;
    int64_t run = submit_given(w, "pretrain=8 epochs=4 batch=128 patience=0 record_every=1"), last,
            step;
    double first;
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    assert_int_equal(points(w, run, "val_pretrain_loss", &first, &step), 8);
    double missed = last_metric(w, run, "val_pretrain_loss");
    printf("missed %.3f, then %.3f\n", first, missed);
    assert_true(missed < .8 * first && missed < .9); /* of a variance of 1 */
    assert_int_equal(points(w, run, "val_loss", NULL, &last), 4);
    assert_int_equal(events_of(w, run, "pretrained", NULL), 1);
    /* some 2,100 training rows, of which half have a target: 16 or 17 steps of 128, then 8 or 9 */
    size_t without = points(w, run, "pretrain_loss", NULL, &step),
           with = points(w, run, "train_loss", NULL, &last);
    assert_true(without >= 8 * 16 && without <= 8 * 17 && with >= 4 * 7 && with <= 4 * 9);
    assert_true((size_t)step == without && (size_t)last == without + with);
    assert_int_equal(run_of(w, run).epochs_total, 12);
    uint64_t *rows;
    size_t n;
    OK(run_rows_of_step(w->s, run, 3, NULL, &w->a, &rows, &n, &w->err));
    assert_int_equal(n, 128);
    for (size_t i = 0; i < n; i++)
        assert_true(rows[i] < TRIPS);
    StepRow *losses;
    int64_t weights;
    OK(run_losses_of_step(w->s, run, 3, NULL, &w->a, &losses, &n, &weights, &w->err));
    assert_true(n == 128 && weights >= 0 && isfinite(losses[0].loss));
    ParamRow more = {"epochs", "6"};
    int64_t fork = run_fork(w->s, run, -1, &more, 1, &w->err);
    OK(fork);
    OK(run_execute(w->s, fork, w->pool, NULL, NULL, NULL, &w->err));
    assert_true(isfinite(last_metric(w, fork, "test_rmse")));
    /* what it learnt is where another run begins, with a head of its own */
    char from[160];
    snprintf(from, sizeof from, "from=%lld renew=head epochs=1 batch=128", (long long)run);
    int64_t next = submit_given(w, from);
    OK(run_execute(w->s, next, w->pool, NULL, NULL, NULL, &w->err));
    EventRow note = {0};
    assert_true(events_of(w, next, "note", &note) > 0);
}

/* Killed in the first phase and, aborted, in the second: the same curves and weights. */
static void goes_on_after_a_kill(void **state)
{
    World *w = *state;
    const char *settings = "pretrain=40 epochs=20 batch=64 patience=0 checkpoint_seconds=0.02";
    int64_t whole = submit_given(w, settings), torn = submit_given(w, settings);
    OK(run_execute(w->s, whole, w->pool, NULL, NULL, NULL, &w->err));
    int kills = 0;
    for (int64_t at = 100; run_of(w, torn).status != RUN_FINISHED;
         at += 1150) { /* 1,320 steps without */
        pid_t child = fork();
        if (child == 0) {
            Error err = {0};
            Store *s = store_open(w->dir, STORE_WRITE, &err);
            Pool *pool = pool_create(1);
            run_execute(s, torn, pool, NULL, NULL, NULL, &err);
            _exit(0);
        }
        double end = clock_now() + 60;
        int ended = 0;
        while (run_of(w, torn).step < at && clock_now() < end &&
               !(ended = waitpid(child, NULL, WNOHANG) != 0))
            usleep(300);
        if (!ended) {
            kill(child, SIGKILL);
            waitpid(child, NULL, 0);
            kills++;
        }
        OK(run_reap(w->s, &w->err) >= 0);
    }
    printf("killed %d times\n", kills);
    assert_true(kills > 0);
    same_curves(w, whole, torn);
    same_file(w, whole, torn, "bundle/model.safetensors");
}

int main(void)
{
#define EACH(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {EACH(has_a_curve_of_its_own), EACH(goes_on_after_a_kill)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
