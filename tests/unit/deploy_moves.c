/* deploy_moves -- a deployment through all its moves: from where each may be made, what it leaves behind,
 * two movers at once, and a mover that is killed. */
#define TRIPS 600
#include "train_world.h"

#include <lathe/deploy.h>

#include <signal.h>
#include <sys/wait.h>

static int64_t model(World *w, const char *name, const char *settings)
{
    int64_t run = submit(w, "linear", "FARE", "MILES,MINUTES", settings);
    OK(store_run_rename(w->s, run, name, &w->err));
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    ModelRow m;
    OK(store_model_find(w->s, name, &w->a, &m, &w->err));
    return m.id;
}

static DeploymentRow row_of(World *w)
{
    DeploymentRow r;
    OK(store_deployment_find(w->s, "fares", &w->a, &r, &w->err));
    return r;
}

static void is(World *w, const char *state, int64_t model_id, int64_t candidate, double percent)
{
    DeploymentRow r = row_of(w);
    assert_string_equal(r.state, state);
    assert_int_equal(r.model, model_id);
    assert_int_equal(r.candidate, candidate);
    assert_true(r.percent == percent);
}

#define MOVE(which, model) OK(deployment_move(w->s, "fares", which, model, "anna", &w->err))
#define REFUSED(which, model, words)                                                               \
    says(w, deployment_move(w->s, "fares", which, model, "anna", &w->err), words)

static int64_t with_alias(World *w, const char *name)
{
    ModelRow m;
    Error none = {0};
    return store_model_find(w->s, name, &w->a, &m, &none) ? m.id : 0;
}

/* Every second of the last minute model 1 answers four, the candidate 2 four as a shadow or one as a canary. */
static void a_shadow_is_no_traffic(void **state)
{
    enum { SECONDS = 60 };
    const int64_t second = 1000000, now = 1000 * second;
    TrafficRow row[2 * SECONDS];
    DeployMinute m;
    (void)state;
    for (int i = 0; i < SECONDS; i++) { /* a shadow for 40 s, then a canary */
        bool shadow = i < 40;
        row[2 * i] = (TrafficRow){.time = now - (SECONDS - i) * second + 1,
                                  .model = 1,
                                  .requests = shadow ? 4 : 3,
                                  .p50 = 0.001,
                                  .p99 = 0.002};
        row[2 * i + 1] = row[2 * i];
        row[2 * i + 1].model = 2;
        row[2 * i + 1].requests = shadow ? 4 : 1;
        row[2 * i + 1].p99 = shadow ? 0.5 : 0.003;
        row[2 * i + 1].shadow = shadow;
    }
    DeploymentRow d = {
        .state = "shadow", .model = 1, .candidate = 2, .step_since = now - 60 * second};
    deployment_minute(&d, row, 80, now - 20 * second, &m);
    assert_int_equal(m.requests, 160);
    assert_true(isnan(m.candidate) && m.p99 == 0.002);
    d.state = "canary";
    d.step = 1;
    d.step_since = now - 20 * second;
    deployment_minute(&d, row, 120, now, &m);
    assert_int_equal(m.requests, 160 + 80);
    assert_true(m.candidate == 0.25 && m.p99 == 0.003);
    assert_true(m.each[0] == 4 && m.each[59] == 4);
    d.step_since = now - 10 * second; /* the step before was a canary's, too */
    deployment_minute(&d, row, 120, now, &m);
    assert_int_equal(m.requests, 160 + 80);
    assert_true(m.candidate == 0.25);
    d.state =
        "live"; /* taken back: what it answered as a canary was given, what it answered as a shadow was not */
    d.candidate = 0;
    deployment_minute(&d, row, 120, now, &m);
    assert_int_equal(m.requests, 160 + 80);
    assert_true(m.p99 == 0.003);
    deployment_minute(&d, row, 0, now, &m);
    assert_true(m.requests == 0 && isnan(m.candidate) && isnan(m.p50));
}

static void moves(void **state)
{
    World *w = *state;
    int64_t one = model(w, "taxi", "epochs=1"), two = model(w, "taxi", "epochs=2");
    says(w, deployment_create(w->s, "a b", "taxi/1", "anna", &w->err), "expected letters");
    says(w, deployment_create(w->s, "fares", "taxo", "anna", &w->err), "did you mean taxi?");
    OK(deployment_create(w->s, "fares", "taxi/1", "anna", &w->err));
    is(w, "live", one, 0, 0);
    assert_int_equal(with_alias(w, "taxi@champion"), one);
    /* what cannot be done now says why and changes nothing */
    REFUSED(MOVE_STEP, NULL, "only a canary has steps");
    REFUSED(MOVE_PROMOTE, NULL, "nothing is rolled out");
    REFUSED(MOVE_BACK, NULL, "no model before");
    REFUSED(MOVE_START, NULL, "not stopped");
    REFUSED(MOVE_SHADOW, NULL, "no candidate");
    REFUSED(MOVE_SHADOW, "taxi/1", "the model there already");
    REFUSED(MOVE_STOP, "taxi/2", "takes no model");
    assert_int_equal(row_of(w).revision, 1);

    MOVE(MOVE_SHADOW, "taxi/2");
    is(w, "shadow", one, two, 0);
    assert_int_equal(with_alias(w, "taxi@challenger"), two);
    OK(deployment_set(w->s, "fares", "plan", "10 50", "anna", &w->err));
    says(w, deployment_set(w->s, "fares", "plan", "50 10", "anna", &w->err), "percents that grow");
    says(w, deployment_set(w->s, "fares", "plon", "50", "anna", &w->err), "plon");
    says(w, deployment_set(w->s, "fares", "rules", "rmsee <= 3", "anna", &w->err),
         "did you mean rmse?");
    MOVE(MOVE_CANARY, NULL);
    is(w, "canary", one, two, 10);
    REFUSED(MOVE_CANARY, NULL, "has begun already");
    MOVE(MOVE_STEP, NULL);
    is(w, "canary", one, two, 50);
    MOVE(MOVE_BACK, NULL); /* rolled back: the candidate is kept, for another try */
    is(w, "live", one, two, 0);
    assert_int_equal(with_alias(w, "taxi@challenger"), 0);
    assert_int_equal(with_alias(w, "taxi@champion"), one);
    MOVE(MOVE_CANARY, NULL);
    MOVE(MOVE_STEP, NULL);
    MOVE(MOVE_STEP, NULL); /* beyond the plan: promoted */
    is(w, "live", two, 0, 0);
    assert_int_equal(row_of(w).previous, one);
    assert_int_equal(with_alias(w, "taxi@champion"), two);
    /* blue-green: there, and back, one move each */
    MOVE(MOVE_BACK, NULL);
    is(w, "live", one, 0, 0);
    assert_int_equal(with_alias(w, "taxi@champion"), one);
    MOVE(MOVE_GREEN, "taxi/2");
    is(w, "green", one, two, 100);
    MOVE(MOVE_BACK, NULL);
    is(w, "live", one, two, 0);
    MOVE(MOVE_GREEN, NULL);
    MOVE(MOVE_PROMOTE, NULL);
    is(w, "live", two, 0, 0);
    MOVE(MOVE_STOP, NULL);
    REFUSED(MOVE_CANARY, "taxi/1", "start it first");
    MOVE(MOVE_START, NULL);
    is(w, "live", two, 0, 0);
    /* another target does not stand behind the same name */
    int64_t run = submit(w, "linear", "MINUTES", "MILES", "epochs=1");
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    REFUSED(MOVE_SHADOW, "last", "predicts MINUTES");
    /* every move has its line, with who made it */
    AuditRow *line;
    size_t n;
    OK(store_audit(w->s, "deployment fares", 100, &w->a, &line, &n, &w->err));
    assert_int_equal(n, 16); /* create, plan, 14 moves */
    assert_int_equal(row_of(w).revision, 16);
    assert_string_equal(line[0].what, "start");
    assert_string_equal(line[0].actor, "anna");
}

/* A model of another name becomes the champion: the old one's alias goes with it. */
static void another_name(void **state)
{
    World *w = *state;
    int64_t one = model(w, "taxi", "epochs=1"), two = model(w, "cab", "epochs=2");
    OK(deployment_create(w->s, "fares", "taxi", "anna", &w->err));
    MOVE(MOVE_GREEN, "cab");
    MOVE(MOVE_PROMOTE, NULL);
    assert_int_equal(with_alias(w, "@champion"), two);
    assert_int_equal(with_alias(w, "taxi@champion"), 0);
    MOVE(MOVE_BACK, NULL);
    assert_int_equal(with_alias(w, "@champion"), one);
}

static void settings_survive(void **state)
{
    World *w = *state;
    model(w, "taxi", "epochs=1");
    OK(deployment_create(w->s, "fares", "taxi", "anna", &w->err));
    OK(deployment_set(w->s, "fares", "automation", "full", "anna", &w->err));
    OK(deployment_set(w->s, "fares", "success", "0.975", "anna", &w->err));
    OK(deployment_set(w->s, "fares", "retrain_drift", "yes", "anna", &w->err));
    OK(deployment_set(w->s, "fares", "rules", "rmse <= 3; rmse better 2%", "anna", &w->err));
    DeploymentRow r = row_of(w);
    DeploySettings set;
    OK(deploy_settings(&r, &set, &w->err));
    assert_int_equal(set.automation, 2);
    assert_true(set.success == 0.975 && set.retrain_drift && set.rows_least == 100);
    assert_string_equal(set.rules, "rmse <= 3; rmse better 2%");
    assert_string_equal(set.plan, "5 25 50 100");
    params_release(deploy_params, &set);
    r.settings = "{\"of_later\": 3, \"sample\": 0.5}"; /* what is not known is passed over */
    OK(deploy_settings(&r, &set, &w->err));
    assert_true(set.sample == 0.5);
    params_release(deploy_params, &set);
    r.settings = "{\"sample\": 7}";
    says(w, deploy_settings(&r, &set, &w->err), "sample");
    /* an address to which alerts go may be a secret: it is not told */
    OK(deployment_set(w->s, "fares", "webhook", "https://x.invalid/s3cret", "anna", &w->err));
    AuditRow *line;
    size_t n;
    OK(store_audit(w->s, NULL, 1, &w->a, &line, &n, &w->err));
    assert_null(strstr(line[0].text, "s3cret"));
}

/* A row is whole: what its state says is there. */
static void whole(World *w, int64_t one, int64_t two)
{
    DeploymentRow r = row_of(w);
    bool rolling = !text_equal(r.state, "live") && !text_equal(r.state, "stopped");
    assert_true(r.model == one || r.model == two);
    assert_true(!rolling || (r.candidate && r.candidate != r.model));
    assert_true(text_equal(r.state, "canary") == (r.step > 0));
    assert_int_equal(with_alias(w, "taxi@champion"), r.model);
    AuditRow *line;
    size_t n;
    OK(store_audit(w->s, "deployment fares", 100000, &w->a, &line, &n, &w->err));
    assert_int_equal(n, r.revision); /* as many lines as changes */
}

static void move_for_ever(const char *dir)
{
    Error err = {0};
    Store *s = store_open(dir, STORE_WRITE, &err);
    for (int i = 0; s; i++) {
        deployment_move(s, "fares", (DeployMove)(i % MOVE_COUNT), NULL, "bob", &(Error){0});
        deployment_move(s, "fares", MOVE_GREEN, i % 2 ? "taxi/1" : "taxi/2", "bob", &(Error){0});
    }
    _exit(1);
}

static void killed_while_moving(void **state)
{
    World *w = *state;
    int64_t one = model(w, "taxi", "epochs=1"), two = model(w, "taxi", "epochs=2");
    OK(deployment_create(w->s, "fares", "taxi/1", "anna", &w->err));
    Rng r;
    rng_seed(&r, 5, 0);
    for (int round = 0; round < 8; round++) {
        store_close(w->s);
        pid_t a = fork();
        if (a == 0)
            move_for_ever(w->dir);
        pid_t b = fork(); /* and another mover beside it */
        if (b == 0)
            move_for_ever(w->dir);
        usleep(20000 + (useconds_t)rng_below(&r, 120000));
        kill(a, SIGKILL);
        usleep((useconds_t)rng_below(&r, 20000));
        kill(b, SIGKILL);
        assert_int_equal(waitpid(a, NULL, 0), a);
        assert_int_equal(waitpid(b, NULL, 0), b);
        OK((w->s = store_open(w->dir, STORE_WRITE, &w->err)) != NULL);
        whole(w, one, two);
    }
    assert_true(row_of(w).revision > 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shadow_is_no_traffic),
        cmocka_unit_test_setup_teardown(moves, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(another_name, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(settings_survive, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(killed_while_moving, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
