/* serve_deploy.c -- a deployment behind the server: its states, its log, feedback, and changes of the routing
 * under load without one request that fails. */
#include "serve_world.h"

#include <lathe/command.h>

#include <sqlite3.h>

typedef struct Place {
    Served v;
    int64_t model[3]; /* of runs that learnt 1, 2 and 3 epochs */
    char label[3][80];
    PredictionLog *log;
} Place;

static void nap(double seconds)
{
    nanosleep(
        &(struct timespec){(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)},
        NULL);
}

static int64_t trained_model(World *w, const char *target, const char *settings)
{
    ModelRow row;
    char name[24];
    int64_t run = submit(w, "linear", target, "MILES,MINUTES,TIME", settings);
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    snprintf(name, sizeof name, "%lld", (long long)run);
    OK(store_model_find(w->s, name, &w->a, &row, &w->err));
    return row.id;
}

static void deploy(World *w, const char *settings, int64_t model)
{
    DeploymentRow row = {.name = "fares", .state = "live", .model = model, .settings = settings};
    OK(store_deployment_add(w->s, &row, "anna", &w->err));
}

static void change(World *w, const char *state, int64_t candidate, double percent,
                   const char *settings)
{
    DeploymentRow row;
    OK(store_deployment_find(w->s, "fares", &w->a, &row, &w->err));
    row.state = state;
    row.candidate = candidate;
    row.percent = percent;
    if (settings)
        row.settings = settings;
    OK(store_deployment_change(w->s, &row, "anna", state, "", &w->err));
}

static int setup(void **state)
{
    Place *p = calloc(1, sizeof *p);
    void *world;
    static const char *const epochs[] = {"epochs=1", "epochs=2", "epochs=3"};
    if (world_setup(&world) != 0)
        return -1;
    World *w = p->v.w = world;
    for (int i = 0; i < 3; i++) {
        ModelRow row;
        p->model[i] = trained_model(w, "FARE", epochs[i]);
        OK(store_model_get(w->s, p->model[i], &w->a, &row, &w->err));
        snprintf(p->label[i], sizeof p->label[i], "%s/%lld", row.name, (long long)row.version);
    }
    deploy(w, "{\"mask\": \"TIME\", \"key\": \"\"}", p->model[0]);
    *state = p;
    if (!start(&p->v, NULL, "fares", ""))
        return -1;
    p->log = prediction_log_open(w->dir, STORE_READ, &w->err);
    return p->log ? 0 : -1;
}

static int teardown(void **state)
{
    Place *p = *state;
    void *world = p->v.w;
    prediction_log_close(p->log);
    if (p->v.server)
        end(&p->v);
    world_teardown(&world);
    free(p);
    return 0;
}

static const char one_row[] =
    "{\"instances\": [{\"MILES\": 3, \"MINUTES\": 4, \"TIME\": \"day\"}]}";

typedef struct Answer {
    int code;
    char model[80];
    int64_t id;
    double value;
} Answer;

static Answer score(const Place *p, const char *body)
{
    Answer a = {0};
    Text reply = {0};
    char id[32];
    a.code = ask(&p->v, "POST", "/invocations", "application/json", body, &reply);
    header_of(&reply, "X-Lathe-Model", a.model, sizeof a.model);
    header_of(&reply, "X-Lathe-Prediction", id, sizeof id);
    a.id = atoll(id);
    json_t *o = json_loads(body_of(&reply), 0, NULL);
    a.value = json_real_value(json_array_get(json_object_get(o, "predictions"), 0));
    json_decref(o);
    text_release(&reply);
    return a;
}

/* Until the server follows: it looks ten times a second. */
static Answer wait_for(const Place *p, int code, const char *label)
{
    Answer a = {0};
    for (int i = 0; i < 200; i++) {
        a = score(p, one_row);
        if (a.code == code && (!label || !strcmp(a.model, label)))
            return a;
        nap(0.05);
    }
    fail_msg("the server does not follow: %d %s, expected %d %s", a.code, a.model, code,
             label ? label : "");
    return a;
}

static bool find_row(const Place *p, int64_t id, PredictionRow *out)
{
    World *w = p->v.w;
    for (int i = 0; i < 100; i++) {
        if (prediction_log_get(p->log, id, &w->a, out, NULL))
            return true;
        nap(0.05);
    }
    return false;
}

static void a_prediction_is_logged(void **state)
{
    Place *p = *state;
    World *w = p->v.w;
    PredictionRow r;
    Answer a = score(p, one_row);
    assert_int_equal(a.code, 200);
    assert_true(a.id > 0);
    assert_true(find_row(p, a.id, &r));
    assert_float_equal(r.output, a.value, 0);
    assert_string_equal(r.deployment, "fares");
    assert_string_equal(r.role, "live");
    assert_int_equal(r.model, p->model[0]);
    assert_string_equal(r.inputs, "{\"MILES\":3.0,\"MINUTES\":4.0,\"TIME\":\"***\"}");
    assert_true(r.latency > 0 && r.latency < 5);
    assert_true(llabs(time_now() - (r.id >> 12)) < 60000000);

    /* rows of a request have ids in a row, in the header, in the body, and in the log */
    Text reply = {0};
    char id[32];
    static const char three[] = "{\"instances\": [[1, 2, \"day\"], [2, 2, \"day\"], [3, 2, null]]}";
    assert_int_equal(ask_with(&p->v, "X-Lathe-Ids: yes\r\n", "POST", "/invocations",
                              "application/json", three, &reply),
                     200);
    header_of(&reply, "X-Lathe-Prediction", id, sizeof id);
    json_t *o = json_loads(body_of(&reply), 0, NULL), *ids = json_object_get(o, "prediction_ids");
    assert_int_equal(json_array_size(ids), 3);
    for (int i = 0; i < 3; i++) {
        int64_t at = atoll(json_string_value(json_array_get(ids, (size_t)i)));
        assert_int_equal(at, atoll(id) + i);
        assert_true(find_row(p, at, &r));
    }
    assert_string_equal(r.inputs, "{\"MILES\":3.0,\"MINUTES\":2.0,\"TIME\":\"***\"}");
    json_decref(o);

    /* text/csv too */
    assert_int_equal(
        ask(&p->v, "POST", "/invocations", "text/csv", "MILES,MINUTES,TIME\n1,,day\n", &reply),
        200);
    header_of(&reply, "X-Lathe-Prediction", id, sizeof id);
    assert_true(find_row(p, atoll(id), &r));
    assert_string_equal(r.inputs, "{\"MILES\":1.0,\"MINUTES\":null,\"TIME\":\"***\"}");
    text_release(&reply);

    WorkspaceSql *q = workspace_sql_open(w->dir, &w->err);
    OK(q);
    sqlite3_stmt *sql = workspace_sql_prepare(
        q, "SELECT count(*) FROM predictions JOIN models ON models.id = predictions.model", NULL,
        &w->err);
    OK(sql);
    assert_int_equal(sqlite3_step(sql), SQLITE_ROW);
    assert_true(sqlite3_column_int64(sql, 0) >= 5);
    sqlite3_finalize(sql);
    workspace_sql_close(q);

    TrafficRow *t;
    size_t n = 0;
    for (int i = 0; i < 60 && !n; i++, nap(0.05))
        OK(prediction_log_traffic_since(p->log, "fares", 0, &w->a, &t, &n, &w->err));
    assert_true(n > 0 && t[0].requests > 0 && t[0].p99 > 0 && t[0].p99 < 5);
}

static void truth_comes_back(void **state)
{
    Place *p = *state;
    char body[300];
    PredictionRow r;
    static const char json[] = "application/json";
    Answer a = score(p, one_row);
    snprintf(body, sizeof body, "{\"id\": %lld, \"truth\": 14.5}", (long long)a.id);
    expect(&p->v, "POST", "/feedback", json, body, 200, "{\"stored\":1,\"known\":1}");
    assert_true(find_row(p, a.id, &r)); /* acknowledged: it is there */
    assert_float_equal(r.truth, 14.5, 0);
    snprintf(body, sizeof body,
             "[{\"id\": \"%lld\", \"truth\": 15}, {\"id\": \"77\", \"truth\": 1}]",
             (long long)a.id);
    expect(&p->v, "POST", "/feedback", json, body, 200,
           "{\"stored\":2,\"known\":1,\"unknown\":[\"77\"]}");
    snprintf(body, sizeof body, "{\"id\": %lld, \"truth\": 16}\n\n{\"id\": %lld, \"truth\": 17}\n",
             (long long)a.id, (long long)a.id);
    expect(&p->v, "POST", "/feedback", "application/x-ndjson", body, 200, "\"stored\":2");
    expect(&p->v, "POST", "/feedback", json, "{\"truth\": 1}", 400, "feedback 1, id: expected");
    expect(&p->v, "POST", "/feedback", json, "{\"id\": 5}", 400, "truth is missing");
    expect(&p->v, "POST", "/feedback", json, "{\"id\": 5, \"truth\": \"x\"}", 400,
           "truth: expected a number (FARE)");
    expect(&p->v, "POST", "/feedback", json, "{\"id\": 5, \"truth\": 1, \"x\": 1}", 400,
           "no field x");
    expect(&p->v, "POST", "/feedback", json, "{\"id\": 5.5, \"truth\": 1}", 400, "id: expected");
    expect(&p->v, "POST", "/feedback", json, "[{\"id\": 5, \"truth\": 1}, 7]", 400, "feedback 2");
    expect(&p->v, "POST", "/feedback", json, "{\"id\": 5, \"truth\": NaN}", 400, "not JSON");
    expect(&p->v, "POST", "/feedback", "application/x-ndjson", "{\"id\": 5, \"truth\": 1}\n{", 400,
           "line 2: not JSON");
    expect(&p->v, "POST", "/feedback", "text/csv", "id,truth\n", 415, "application/x-ndjson");
    expect(&p->v, "GET", "/feedback", NULL, NULL, 405, "expected POST");
    expect(&p->v, "GET", "/metrics", NULL, NULL, 200, "lathe_feedback_total 5");
}

/* What the candidate answered so far was given to nobody, and is counted so. */
static void expect_shadow_traffic(const Place *p)
{
    World *w = p->v.w;
    TrafficRow *t;
    size_t n, shadows = 0;
    for (int i = 0; i < 60 && !shadows; i++, nap(0.05)) {
        OK(prediction_log_traffic_since(p->log, "fares", 0, &w->a, &t, &n, &w->err));
        for (size_t k = 0; k < n; k++) {
            assert_true(t[k].shadow == (t[k].model == p->model[1]));
            shadows += t[k].shadow;
        }
    }
    assert_true(shadows > 0);
}

static void states(void **state)
{
    Place *p = *state;
    World *w = p->v.w;
    PredictionRow r;
    Answer old = wait_for(p, 200, p->label[0]);
    change(w, "shadow", p->model[1], 0, NULL);
    Answer a;
    bool shadowed = false;
    for (int i = 0; i < 100 && !shadowed; i++, nap(0.05)) {
        a = score(p, one_row);
        assert_float_equal(a.value, old.value, 0); /* never given */
        nap(0.2);
        shadowed = prediction_log_get(p->log, a.id + PREDICTION_SHADOW, &w->a, &r, NULL);
    }
    assert_true(shadowed);
    assert_string_equal(r.role, "shadow");
    assert_int_equal(r.model, p->model[1]);
    assert_true(memcmp(&r.output, &old.value, sizeof r.output) != 0);
    double candidate = r.output;
    char body[120];
    snprintf(body, sizeof body, "{\"id\": %lld, \"truth\": 9}", (long long)a.id);
    expect(&p->v, "POST", "/feedback", "application/json", body, 200, "\"known\":1");
    assert_true(find_row(p, a.id + PREDICTION_SHADOW, &r));
    assert_float_equal(r.truth, 9, 0);
    expect_shadow_traffic(p);

    change(w, "green", p->model[1], 0, NULL);
    a = wait_for(p, 200, p->label[1]);
    assert_float_equal(a.value, candidate, 0);
    change(w, "stopped", p->model[1], 0, NULL);
    wait_for(p, 503, NULL);
    expect(&p->v, "GET", "/v2/health/ready", NULL, NULL, 503, "false");
    expect(&p->v, "GET", "/ping", NULL, NULL, 200, "");
    change(w, "live", 0, 0, NULL);
    a = wait_for(p, 200, old.model);
    assert_float_equal(a.value, old.value, 0);

    /* a model that is not there is told, and what was served goes on */
    change(w, "canary", 999, 50, NULL);
    bool told = false;
    for (int i = 0; i < 100 && !told; i++, nap(0.05)) {
        Text reply = {0};
        ask(&p->v, "GET", "/metrics", NULL, NULL, &reply);
        told = strstr(text_str(&reply), "lathe_reloads_failed_total 0") == NULL;
        text_release(&reply);
    }
    assert_true(told);
    assert_int_equal(score(p, one_row).code, 200);
    AuditRow *line;
    size_t n, failures = 0;
    OK(store_audit(w->s, "deployment fares", 100, &w->a, &line, &n, &w->err));
    for (size_t i = 0; i < n; i++)
        failures += !strcmp(line[i].what, "reload failed");
    assert_int_equal(failures, 1);
    OK(store_deployment_find(w->s, "fares", &w->a, &(DeploymentRow){0}, &w->err));
}

/* By a key: the same value meets the same model, and about its share of the values meet the candidate. */
static void canary(void **state)
{
    Place *p = *state;
    World *w = p->v.w;
    change(w, "canary", p->model[2], 30, "{\"key\": \"MILES\"}");
    int candidates = 0, switched = 0;
    bool followed = false;
    for (int i = 0; i < 200 && !followed; i++, nap(0.02)) {
        Text reply = {0};
        ask(&p->v, "GET", "/metrics", NULL, NULL, &reply);
        followed = strstr(text_str(&reply), "lathe_candidate_percent 30\n") != NULL;
        text_release(&reply);
    }
    assert_true(followed);
    for (int i = 0; i < 200; i++) {
        char body[120];
        snprintf(body, sizeof body,
                 "{\"instances\": [{\"MILES\": %d, \"MINUTES\": %d, \"TIME\": \"day\"}]}", i,
                 i % 7);
        Answer one = score(p, body), two = score(p, body);
        assert_int_equal(one.code, 200);
        switched += strcmp(one.model, two.model) != 0;
        PredictionRow r;
        if (i == 0)
            assert_true(find_row(p, two.id, &r));
        candidates += !strcmp(one.model, p->label[2]);
    }
    assert_int_equal(switched, 0);
    assert_true(candidates > 30 && candidates < 90); /* 60 +- 4.6 deviations */
    /* by request: the share is one of chance */
    change(w, "canary", p->model[2], 30, "{}");
    nap(0.5);
    candidates = 0;
    for (int i = 0; i < 200; i++)
        candidates += !strcmp(score(p, one_row).model, p->label[2]);
    assert_true(candidates > 25 && candidates < 100);
    change(w, "canary", p->model[2], 100, "{}");
    nap(0.5);
    for (int i = 0; i < 20; i++)
        candidates += strcmp(score(p, one_row).model, p->label[2]) ? 1000 : 0;
    assert_true(candidates < 1000);
}

/* ---- changes under load ------------------------------------------------------------------------------------- */

typedef struct Asker {
    const Place *p;
    atomic_bool stop;
    int asked, failed;
    pthread_t thread;
} Asker;

/* On one connection that stays open. */
static void *ask_on(void *arg)
{
    Asker *k = arg;
    Text request = {0};
    int fd = dial(&k->p->v);
    text_printf(&request,
                "POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                "Content-Length: %zu\r\n\r\n%s",
                strlen(one_row), one_row);
    while (!k->stop) {
        char reply[2048];
        size_t n = 0;
        put(fd, request.at, request.count);
        reply[0] = 0;
        while (!strstr(reply, "}")) {
            ssize_t got = recv(fd, reply + n, sizeof reply - 1 - n, 0);
            if (got <= 0)
                break;
            n += (size_t)got;
            reply[n] = 0;
        }
        k->asked++;
        k->failed +=
            strncmp(reply, "HTTP/1.1 200", 12) != 0 || !strstr(reply, "{\"predictions\":[");
    }
    close(fd);
    text_release(&request);
    return NULL;
}

static int64_t metric(const Place *p, const char *name)
{
    Text reply = {0};
    char line[80];
    assert_int_equal(ask(&p->v, "GET", "/metrics", NULL, NULL, &reply), 200);
    snprintf(line, sizeof line, "\n%s ", name);
    const char *at = strstr(text_str(&reply), line);
    int64_t value = at ? atoll(at + strlen(line)) : -1;
    text_release(&reply);
    return value;
}

static void no_request_fails(void **state)
{
    Place *p = *state;
    World *w = p->v.w;
    Asker k[3];
    for (int i = 0; i < 3; i++) {
        k[i] = (Asker){.p = p};
        assert_int_equal(pthread_create(&k[i].thread, NULL, ask_on, &k[i]), 0);
    }
    static const char *const steps[] = {"shadow", "canary", "canary", "green", "live"};
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 5; i++) {
            change(w, steps[i], p->model[1 + (round + i) % 2], i == 1 ? 10 : 60, NULL);
            nap(0.17);
        }
        server_reload(p->v.server);
    }
    int asked = 0;
    for (int i = 0; i < 3; i++) {
        k[i].stop = true;
        pthread_join(k[i].thread, NULL);
        assert_int_equal(k[i].failed, 0);
        asked += k[i].asked;
    }
    assert_true(asked > 100);
    end(&p->v);
    p->v.server = NULL;
    /* everything answered, and everything a shadow answered beside it, is in the log, or it was counted: on a slow
     * disk the pile may be full, and the shadow has no time for all */
    int64_t cursor = 0, live = 0, rows = 0, answered = 0, lost = 0;
    PredictionRow *r;
    TrafficRow *t;
    size_t n;
    do {
        OK(prediction_log_since(p->log, "fares", &cursor, 10000, &w->a, &r, &n, &w->err));
        for (size_t i = 0; i < n; i++)
            live += strcmp(r[i].role, "shadow") != 0;
        rows += (int64_t)n;
    } while (n == 10000);
    OK(prediction_log_traffic_since(p->log, "fares", 0, &w->a, &t, &n, &w->err));
    for (size_t i = 0; i < n; i++) {
        answered += t[i].rows;
        lost += t[i].dropped;
    }
    assert_true(rows <= answered && rows + lost >= answered);
    assert_true(live <= asked && live + lost >= asked);
}

/* Someone locks the log for longer than a write waits for it: what was answered meanwhile is kept, and written. */
static void a_locked_log_loses_nothing(void **state)
{
    Place *p = *state;
    World *w = p->v.w;
    sqlite3 *db = NULL;
    PredictionRow r;
    Answer a[20];
    assert_true(score(p, one_row).id > 0);
    assert_int_equal(sqlite3_open(arena_printf(&w->a, "%s/predictions.db", w->dir), &db),
                     SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "PRAGMA busy_timeout=5000; BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    for (int i = 0; i < 20; i++)
        a[i] = score(p, one_row);
    for (int i = 0; i < 1200 && metric(p, "lathe_log_failures_total") == 0; i++)
        nap(0.05);
    assert_true(metric(p, "lathe_log_failures_total") > 0);
    assert_int_equal(score(p, one_row).code, 200); /* and service goes on */
    assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    for (int i = 0; i < 20; i++)
        for (int k = 0; !prediction_log_get(p->log, a[i].id, &w->a, &r, NULL); k++, nap(0.05))
            assert_true(k < 1200);
    assert_int_equal(metric(p, "lathe_log_dropped_total"), 0);
}

static void classes_by_name(void **state)
{
    World *w = *state;
    Served v = {.w = w};
    PredictionRow r;
    char body[200], id[32];
    Text reply = {0};
    int64_t run = submit(w, "linear", "ZONE", "MILES,MINUTES,TIME", "epochs=1");
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    assert_true(start(&v, "last", NULL, "ids=yes"));
    assert_int_equal(ask(&v, "POST", "/invocations", "application/json", one_row, &reply), 200);
    assert_non_null(strstr(body_of(&reply), "\"prediction_ids\":[\""));
    header_of(&reply, "X-Lathe-Prediction", id, sizeof id);
    snprintf(body, sizeof body, "{\"id\": %s, \"truth\": \"far\"}", id);
    expect(&v, "POST", "/feedback", "application/json", body, 200, "\"known\":1");
    snprintf(body, sizeof body, "{\"id\": %s, \"truth\": \"fat\"}", id);
    expect(&v, "POST", "/feedback", "application/json", body, 400,
           "truth: ZONE knows no class 'fat', did you mean far?");
    end(&v);
    PredictionLog *log = prediction_log_open(w->dir, STORE_READ, &w->err);
    OK(log);
    OK(prediction_log_get(log, atoll(id), &w->a, &r, &w->err));
    assert_string_equal(r.truth_said, "far");
    assert_true(*r.said != 0);
    assert_true(text_starts(r.deployment, "run "));
    prediction_log_close(log);
    text_release(&reply);
}

/* The stream moves away in the middle: the detectors see it, and it is an alert. */
static void what_detectors_see(void **state)
{
    Place *p = *state;
    World *w = p->v.w;
    Rng rng;
    AlertRow *alert;
    size_t n = 0;
    rng_seed(&rng, 4, 0);
    for (int i = 0; i < 60; i++) {
        Text body = {0};
        text_puts(&body, "{\"instances\": [");
        for (int k = 0; k < 40; k++)
            text_printf(&body, "%s[%.3f, %.3f, \"day\"]", k ? "," : "",
                        (i < 30 ? 1 : 9) + rng_unit(&rng) / 2, 10 * rng_unit(&rng));
        text_puts(&body, "]}");
        assert_int_equal(score(p, text_str(&body)).code, 200);
        text_release(&body);
        nap(0.05);
    }
    for (int i = 0; i < 60 && !n; i++, nap(0.1))
        OK(store_alerts(w->s, true, 10, &w->a, &alert, &n, &w->err));
    assert_true(n >= 1);
    bool miles = false;
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(alert[i].kind, "detector");
        assert_string_equal(alert[i].deployment, "fares");
        json_t *detail =
            json_loads(alert[i].detail, 0, NULL); /* whose rows it is about, and which */
        assert_int_equal(json_integer_value(json_object_get(detail, "model")), 1);
        assert_true(json_integer_value(json_object_get(detail, "first")) > 0);
        assert_true(json_integer_value(json_object_get(detail, "last")) >
                    json_integer_value(json_object_get(detail, "first")));
        json_decref(detail);
        miles = miles || text_starts(alert[i].subject, "MILES of ");
        assert_null(strstr(alert[i].subject, "MINUTES")); /* it did not move */
    }
    assert_true(miles);
    expect(&p->v, "GET", "/metrics", NULL, NULL, 200, "column=\"MINUTES\",detector=\"adwin\"} 0\n");
    expect(&p->v, "GET", "/metrics", NULL, NULL, 200,
           "# TYPE lathe_detector_warnings_total counter\nlathe_detector_warnings_total{model=");
}

static void what_cannot_be_served(void **state)
{
    World *w = *state;
    Served v = {.w = w};
    says(w, start(&v, NULL, "fares", ""), "fares");
    says(w, start(&v, "7", NULL, ""), "7");
    says(w, start(&v, "last", NULL, "mask=NOWHERE"), "no run");
    int64_t run = submit(w, "linear", "FARE", "MILES", "epochs=1");
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    says(w, start(&v, "last", NULL, "mask=NOWHERE"), "mask=NOWHERE");
    says(w, start(&v, "last", NULL, "cert=/tmp/x"), "both cert=FILE and key=FILE");
    says(w, start(&v, "last", NULL, "listen=0.0.0.0:0"), "TLS and a token");
    says(w, start(&v, "last", NULL, "tokens=yes"), "lathe token add");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_prediction_is_logged, setup, teardown),
        cmocka_unit_test_setup_teardown(truth_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(states, setup, teardown),
        cmocka_unit_test_setup_teardown(canary, setup, teardown),
        cmocka_unit_test_setup_teardown(no_request_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(a_locked_log_loses_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(what_detectors_see, setup, teardown),
        cmocka_unit_test_setup_teardown(classes_by_name, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_served, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
