/* serve_http.c -- the server on a free port of loopback: both protocols, every error, slow clients and
 * cut ones, many at once with the bits of bundle_score, and an end that loses no request. */
#include "series_world.h"

#include "serve_world.h"

#include <pthread.h>

/* By a recipe that looks at MINUTES, which is no feature, and drops what is far. */
static const char *trained_with_recipe(World *w)
{
    RunSpec spec;
    const char *path;
    run_spec_init(&spec, model_family("linear"));
    spec.dataset = "trips";
    spec.target = "FARE";
    spec.features = "MILES";
    spec.recipe = "drop column SAME\ndrop missing FARE\nkeep MILES between 0 and 8\n"
                  "keep MINUTES < 25\n";
    OK(run_spec_set(&spec, "epochs", "1", &w->err));
    int64_t run = run_submit(w->s, &spec, &w->err);
    run_spec_release(&spec);
    OK(run);
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    OK(run_bundle_path(w->s, run, &w->a, &path, &w->err));
    return path;
}

static int setup(void **state)
{
    Served *v = calloc(1, sizeof *v);
    void *world;
    if (world_setup(&world) != 0)
        return -1;
    v->w = world;
    v->bundle = trained(v->w, "linear", "FARE", "MILES,MINUTES,TIME", "epochs=2");
    *state = v;
    return serve(v, v->bundle, "") ? 0 : -1;
}

static int teardown(void **state)
{
    Served *v = *state;
    void *world = v->w;
    end(v);
    world_teardown(&world);
    free(v);
    return 0;
}

/* ---- what it must say ---------------------------------------------------------------------------------------- */

/* bundle_score of one row, for comparison. */
static double truth(Bundle *b, double miles, double minutes, const char *time, Arena *a)
{
    Column c[3];
    Error err = {0};
    Prediction *p;
    ColumnBuild *build[] = {column_build(a, "MILES", COLUMN_REAL, 1),
                            column_build(a, "MINUTES", COLUMN_REAL, 1),
                            column_build(a, "TIME", COLUMN_TEXT, 1)};
    column_build_real(build[0], miles);
    column_build_real(build[1], minutes);
    column_build_text(build[2], time, strlen(time));
    for (int i = 0; i < 3; i++)
        column_build_finish(build[i], &c[i]);
    if (!bundle_score(b, &(Chunk){.rows = 1, .columns = 3, .column = c}, 0, a, &p, &err))
        fail_msg("%s", err.text);
    return p->value;
}

static Bundle *must_open(const char *path)
{
    Error err = {0};
    Bundle *b = bundle_open(path, NULL, &err);
    if (!b)
        fail_msg("%s", err.text);
    return b;
}

static void same(double a, double b)
{
    if (memcmp(&a, &b, sizeof a) != 0)
        fail_msg("%.17g, expected %.17g", a, b);
}

static void every_form_scores_the_same(void **state)
{
    Served *v = *state;
    static const char *const bodies[] = {
        "{\"dataframe_split\": {\"columns\": [\"TIME\", \"MILES\", \"MINUTES\"], \"data\": "
        "[[\"night\", 2.25, 10]]}}",
        "{\"dataframe_records\": [{\"MILES\": 2.25, \"MINUTES\": 10, \"TIME\": \"night\"}]}",
        "{\"instances\": [{\"MILES\": 2.25, \"MINUTES\": 10, \"TIME\": \"night\", \"SAME\": 1}]}",
        "{\"instances\": [[2.25, 10, \"night\"]]}",
        "{\"inputs\": {\"MILES\": [2.25], \"MINUTES\": [10], \"TIME\": [\"night\"]}}",
        "{\"params\": {\"method\": \"mean\"}, \"instances\": [[2.25, 10, \"night\"]]}",
        "{\"instances\": [[2.25, 10, \"night\"]], \"params\": null}",
    };
    Arena a = {0};
    Bundle *b = must_open(v->bundle);
    double expected = truth(b, 2.25, 10, "night", &a);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        json_t *o = expect_json(v, "/invocations", bodies[i]);
        json_t *list = json_object_get(o, "predictions");
        assert_int_equal(json_object_size(o), 1);
        assert_int_equal(json_array_size(list), 1);
        same(json_real_value(json_array_get(list, 0)), expected);
        json_decref(o);
    }
    Text reply = {0};
    const char *csv = "MILES,TIME,MINUTES\r\n2.25,night,10\r\n1,day,\r\n";
    assert_int_equal(ask(v, "POST", "/invocations", "text/csv; charset=utf-8", csv, &reply), 200);
    json_t *o = json_loads(body_of(&reply), 0, NULL);
    assert_int_equal(json_array_size(json_object_get(o, "predictions")), 2);
    same(json_real_value(json_array_get(json_object_get(o, "predictions"), 0)), expected);
    json_decref(o);
    text_release(&reply);
    o = expect_json(
        v, "/v2/models/taxi/versions/3/infer",
        "{\"id\": \"q\", \"inputs\": ["
        "{\"name\": \"MILES\", \"shape\": [1], \"datatype\": \"FP64\", \"data\": [2.25]},"
        "{\"name\": \"MINUTES\", \"shape\": [1], \"datatype\": \"INT64\", \"data\": [10]},"
        "{\"name\": \"TIME\", \"shape\": [1, 1], \"datatype\": \"BYTES\", \"data\": "
        "[\"night\"]}]}");
    json_t *out = json_array_get(json_object_get(o, "outputs"), 0);
    assert_string_equal(json_string_value(json_object_get(o, "id")), "q");
    assert_string_equal(json_string_value(json_object_get(o, "model_name")), "taxi");
    assert_string_equal(json_string_value(json_object_get(out, "name")), "FARE");
    assert_string_equal(json_string_value(json_object_get(out, "datatype")), "FP64");
    same(json_real_value(json_array_get(json_object_get(out, "data"), 0)), expected);
    json_decref(o);
    bundle_close(b);
    arena_release(&a);
}

static void the_small_endpoints(void **state)
{
    Served *v = *state;
    expect(v, "GET", "/ping", NULL, NULL, 200, "\r\n\r\n\n");
    expect(v, "GET", "/health", NULL, NULL, 200, "\r\n\r\n");
    expect(v, "HEAD", "/health", NULL, NULL, 200, "\r\n\r\n");
    expect(v, "GET", "/version", NULL, NULL, 200, LATHE_VERSION);
    expect(v, "GET", "/v2", NULL, NULL, 200, "\"name\":\"lathe\"");
    expect(v, "GET", "/v2/", NULL, NULL, 200, "\"name\":\"lathe\"");
    expect(v, "GET", "/v2/health/live", NULL, NULL, 200, "{\"live\":true}");
    expect(v, "GET", "/v2/health/ready", NULL, NULL, 200, "{\"ready\":true}");
    expect(v, "GET", "/v2/models/taxi/ready", NULL, NULL, 200, "{\"ready\":true}");
    expect(v, "GET", "/v2/models/taxi/versions/3/ready", NULL, NULL, 200, "{\"ready\":true}");
    expect(v, "GET", "/v2/models/taxi/versions/3", NULL, NULL, 200, "\"versions\":[\"3\"]");
    json_t *o = expect_json(v, "/v2/models/taxi", NULL);
    json_t *inputs = json_object_get(o, "inputs");
    assert_int_equal(json_array_size(inputs), 3);
    assert_string_equal(json_string_value(json_object_get(json_array_get(inputs, 2), "datatype")),
                        "BYTES");
    json_decref(o);
}

#define RECORD     "{\"MILES\": 1, \"MINUTES\": 2, \"TIME\": \"day\"}"
#define RECORDS(r) "{\"dataframe_records\": [" r "]}"

static void every_error(void **state)
{
    Served *v = *state;
    static const char json[] = "application/json", ok[] = RECORDS(RECORD);
    expect(v, "POST", "/invocations", json, "{", 400, "not JSON: line 1");
    expect(v, "POST", "/invocations", json, "", 400, "not JSON");
    expect(v, "POST", "/invocations", json, RECORDS("{\"MILES\": 1}"), 400,
           "column MINUTES is missing");
    expect(v, "POST", "/invocations", json, RECORDS("{\"MILES\": NaN}"), 400, "not JSON");
    expect(v, "POST", "/invocations", json, RECORDS("{\"MILS\": 1}"), 400,
           "no column MILS, did you mean MILES?");
    expect(v, "POST", "/invocations", json,
           RECORDS("{\"MILES\": \"x\", \"MINUTES\": 2, \"TIME\": \"day\"}"), 400,
           "row 1, column MILES: expected a number");
    expect(v, "POST", "/invocations", "text/csv", "MILES,MINUTES\n1,2\n", 400,
           "column TIME is missing");
    expect(v, "POST", "/invocations", "text/csv", "MILES,MINUTES,TOWN\n1,2,x\n", 400,
           "no column TOWN");
    expect(v, "POST", "/invocations", "text/csv", "MILES,MINUTES,TIME\n1,two,day\n", 400,
           "line 2: ");
    expect(v, "POST", "/invocations", "text/csv", "MILES,MINUTES,TIME\n1,2,day\n1,2\n", 400,
           "line 3: ");
    expect(v, "POST", "/invocations", "text/csv", "", 400, "error");
    expect(v, "POST", "/v2/models/taxi/infer", json, ok, 400, "inputs: expected a list");
    expect(v, "POST", "/invocations", NULL, ok, 415, "Content-Type");
    expect(v, "POST", "/invocations", "text/plain", ok, 415, "Content-Type");
    expect(v, "POST", "/invocations", "application/json; charset=latin-1", ok, 415, "UTF-8");
    expect(v, "POST", "/v2/models/taxi/infer", "text/csv", ok, 415, "Content-Type");
    expect(v, "GET", "/", NULL, NULL, 404, "nothing at /");
    expect(v, "GET", "/v2/models/other", NULL, NULL, 404, "the model here is taxi, version 3");
    expect(v, "GET", "/v2/models/taxi/versions/4", NULL, NULL, 404, "nothing at");
    expect(v, "GET", "/invocations", NULL, NULL, 405, "Allow: POST");
    expect(v, "POST", "/ping", json, "{}", 405, "Allow: GET");
    expect(v, "DELETE", "/v2", NULL, NULL, 405, "expected GET");
    expect(v, "POST", "/invocations", json, ok, 200, "{\"predictions\":[");
}

static void counts(void **state)
{
    Served *v = *state;
    Text before = {0}, after = {0};
    unsigned long long rows[2], fine[2], timed[2];
    static const char *const marks[] = {"\nlathe_rows_total ", "requests_total{code=\"200\"} ",
                                        "request_seconds_count "};
    ask(v, "GET", "/metrics", NULL, NULL, &before);
    expect(v, "POST", "/invocations", "application/json", RECORDS(RECORD ", " RECORD), 200,
           "predictions");
    ask(v, "GET", "/metrics", NULL, NULL, &after);
    unsigned long long *const into[] = {rows, fine, timed};
    for (int i = 0; i < 3; i++) {
        const char *one = strstr(text_str(&before), marks[i]),
                   *two = strstr(text_str(&after), marks[i]);
        assert_true(one && two);
        into[i][0] = strtoull(one + strlen(marks[i]), NULL, 10);
        into[i][1] = strtoull(two + strlen(marks[i]), NULL, 10);
    }
    assert_int_equal(rows[1] - rows[0], 2);
    assert_int_equal(fine[1] - fine[0], 2); /* the request, and the first look at the counts */
    assert_int_equal(timed[1] - timed[0], 1);
    assert_non_null(strstr(text_str(&after), "text/plain; version=0.0.4"));
    assert_non_null(strstr(text_str(&after), "_bucket{le=\"+Inf\"}"));
    text_release(&before);
    text_release(&after);
}

/* ---- many at once ---------------------------------------------------------------------------------------------- */

typedef struct Asker {
    const Served *v;
    unsigned seed;
    int wrong;
    pthread_t thread;
} Asker;

static void *ask_many(void *arg)
{
    Asker *k = arg;
    Error err = {0};
    Arena a = {0};
    Rng rng;
    Text reply = {0};
    Bundle *b = bundle_open(k->v->bundle, NULL, &err);
    rng_seed(&rng, k->seed, 0);
    for (int i = 0; i < 250; i++) {
        char body[200];
        double miles = rng_unit(&rng) * 10, minutes = rng_unit(&rng) * 30;
        snprintf(body, sizeof body, "{\"instances\": [[%.17g, %.17g, \"day\"]]}", miles, minutes);
        int code = ask(k->v, "POST", "/invocations", "application/json", body, &reply);
        json_t *o = json_loads(body_of(&reply), 0, NULL);
        double got = json_real_value(json_array_get(json_object_get(o, "predictions"), 0));
        double expected = truth(b, miles, minutes, "day", &a);
        k->wrong += code != 200 || memcmp(&got, &expected, sizeof got) != 0;
        json_decref(o);
        arena_reset(&a);
    }
    bundle_close(b);
    arena_release(&a);
    text_release(&reply);
    return NULL;
}

static void a_thousand_from_four_threads(void **state)
{
    Served *v = *state;
    Asker k[4];
    for (unsigned i = 0; i < 4; i++) {
        k[i] = (Asker){.v = v, .seed = i + 1};
        assert_int_equal(pthread_create(&k[i].thread, NULL, ask_many, &k[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(k[i].thread, NULL);
        assert_int_equal(k[i].wrong, 0);
    }
}

/* ---- clients that misbehave ------------------------------------------------------------------------------------- */

static void nap(double seconds)
{
    struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&t, NULL);
}

/* The watcher's thread needs the struct to stay where it is. */
#define SECOND(name, settings)                                                                     \
    Served name = {.w = v->w, .bundle = v->bundle};                                                \
    assert_true(serve(&name, v->bundle, settings))

static void too_large(void **state)
{
    Served *v = *state;
    SECOND(small, "body=0.001");
    Text reply = {0};
    char body[3000], chunked[200];
    memset(body, ' ', sizeof body);
    body[sizeof body - 1] = 0;
    expect(&small, "POST", "/invocations", "application/json", body, 413, "larger than");
    int fd = dial(&small);
    snprintf(chunked, sizeof chunked,
             "POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: "
             "application/json\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n");
    put(fd, chunked, strlen(chunked));
    put(fd, body, 0x800);
    get(fd, &reply);
    assert_int_equal(status_of(&reply), 413);
    body[900] = 0;
    expect(&small, "POST", "/invocations", "application/json", body, 400, "not JSON");
    text_release(&reply);
    assert_int_equal(end(&small).errors, 3);
}

static void long_headers_are_refused(void **state)
{
    Served *v = *state;
    Text request = {0}, reply = {0};
    char headers[9000];
    const char *body = RECORDS(RECORD);
    for (int n = 4000; n <= 8500; n += 4500) {
        snprintf(headers, sizeof headers, "X-Long: %0*d\r\n", n, 0);
        compose_with(&request, headers, "POST", "/invocations", "application/json", body);
        int fd = dial(v);
        put(fd, request.at, request.count);
        get(fd, &reply);
        assert_int_equal(status_of(&reply), n < 8192 ? 200 : 431);
    }
    text_release(&request);
    text_release(&reply);
}

static void slow_clients_are_shown_out(void **state)
{
    Served *v = *state;
    SECOND(strict, "patience=0.5");
    Text reply = {0};
    static const char head[] = "POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: "
                               "application/json\r\nContent-Length: 1000\r\n\r\n{";
    double from = clock_now();
    int fd = dial(&strict), idle = dial(&strict), drip = dial(&strict), half = dial(&strict);
    put(fd, head, strlen(head));
    put(half, head, 40); /* the line, and no more of the headers */
    for (int i = 0; i < 60 && put(drip, head + i, 1); i++) /* the headers, letter by letter */
        nap(0.05);
    get(fd, &reply);
    if (status_of(&reply) != 408)
        fail_msg("expected 408, found '%s'", text_str(&reply));
    get(half, &reply);
    assert_int_equal(status_of(&reply), 408);
    get(idle, &reply);
    assert_int_equal(reply.count, 0);
    get(drip, &reply);
    assert_true(clock_now() - from < 15);
    expect(&strict, "GET", "/ping", NULL, NULL, 200, "");
    text_release(&reply);
    end(&strict);
}

static void cut_clients_do_no_harm(void **state)
{
    Served *v = *state;
    Text request = {0};
    compose(&request, "POST", "/invocations", "application/json", RECORDS(RECORD));
    for (size_t n = 0; n <= request.count; n += 7) {
        int fd = dial(v);
        put(fd, request.at, n);
        close(fd);
    }
    text_release(&request);
    expect(v, "POST", "/invocations", "application/json", RECORDS(RECORD), 200, "predictions");
}

static void *end_it(void *arg)
{
    end(arg);
    return NULL;
}

/* A request whose second half comes after the end was asked for is answered all the same. */
static void the_end_waits_for_requests(void **state)
{
    Served *v = *state;
    SECOND(ending, "drain=10");
    Text request = {0}, reply = {0};
    compose(&request, "POST", "/invocations", "application/json", RECORDS(RECORD));
    int fd = dial(&ending), idle = dial(&ending);
    put(fd, request.at, request.count - 5);
    nap(0.3);
    pthread_t ender;
    double from = clock_now();
    assert_int_equal(pthread_create(&ender, NULL, end_it, &ending), 0);
    nap(0.4);
    put(fd, request.at + request.count - 5, 5);
    get(fd, &reply);
    assert_int_equal(status_of(&reply), 200);
    assert_non_null(strstr(text_str(&reply), "Connection: close"));
    pthread_join(ender, NULL);
    assert_true(clock_now() - from < 8);
    get(idle, &reply);
    assert_int_equal(reply.count, 0);
    text_release(&request);
    text_release(&reply);
}

/* ---- other models ------------------------------------------------------------------------------------------------ */

static void classes(void **state)
{
    Served *v = *state;
    World *w = v->w;
    Served other = {.w = w};
    assert_true(serve(&other, trained(w, "linear", "ZONE", "MILES,MINUTES,TIME", "epochs=2"), ""));
    json_t *o = expect_json(&other, "/invocations", RECORDS(RECORD));
    double sum = 0;
    json_t *shares = json_array_get(json_object_get(o, "probabilities"), 0);
    assert_int_equal(json_array_size(json_object_get(o, "classes")), 3);
    assert_int_equal(json_array_size(shares), 3);
    for (size_t i = 0; i < 3; i++)
        sum += json_real_value(json_array_get(shares, i));
    assert_true(fabs(sum - 1) < 1e-5);
    assert_true(json_is_string(json_array_get(json_object_get(o, "predictions"), 0)));
    json_decref(o);
    o = expect_json(&other, "/v2/models/taxi", NULL);
    assert_int_equal(json_array_size(json_object_get(o, "outputs")), 2);
    json_decref(o);
    end(&other);
}

static void dropped_rows(void **state)
{
    Served *v = *state;
    Served other = {.w = v->w};
    assert_true(serve(&other, trained_with_recipe(v->w), ""));
    json_t *o =
        expect_json(&other, "/invocations", "{\"instances\": [[1, 1], [9, 1], [1, 26], [2, 2]]}");
    json_t *list = json_object_get(o, "predictions"), *by = json_object_get(o, "dropped_by");
    static const int rules[] = {0, 3, 4, 0};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(json_is_null(json_array_get(list, i)), rules[i] != 0);
        assert_int_equal(json_integer_value(json_array_get(by, i)), rules[i]);
    }
    json_decref(o);
    o = expect_json(&other, "/v2/models/taxi", NULL); /* MILES and MINUTES, not SAME or TIME */
    assert_int_equal(json_array_size(json_object_get(o, "inputs")), 2);
    json_decref(o);
    expect(&other, "POST", "/invocations", "application/json", "{\"instances\": [{\"MILES\": 1}]}",
           400, "column MINUTES is missing");
    expect(&other, "POST", "/invocations", "text/csv", "MILES,MINUTES\n1,1\n9,1\n", 200,
           "\"dropped_by\":[0,3]");
    expect(&other, "POST", "/invocations", "text/csv", "MILES,MINUTES\n1,inf\n", 400, "MINUTES");
    ServeCounts c = end(&other);
    assert_int_equal(c.rows, 6);
    assert_int_equal(c.dropped, 3);
    assert_int_equal(c.errors, 2);
}

/* ---- a model of series ------------------------------------------------------------------------------------------- */

static const char *trained_series(World *w)
{
    const char *path;
    OK(run_bundle_path(w->s, sales_run(w), &w->a, &path, &w->err));
    return path;
}

/* Twenty hours of one shop, and one more without sales. */
static void compose_past(Text *csv, Text *json)
{
    text_puts(csv, "when,shop,size,promo,rain,sales\n");
    text_puts(json,
              "{\"dataframe_split\":{\"columns\":[\"when\",\"shop\",\"size\",\"promo\",\"rain\","
              "\"sales\"],\"data\":[");
    for (int hour = 0; hour <= 20; hour++) {
        char sales[8] = "", day[32];
        snprintf(day, sizeof day, "1970-01-01 %02d:00:00", hour);
        if (hour < 20)
            snprintf(sales, sizeof sales, "%d", 10 + hour % 5);
        text_printf(csv, "%s,a,1,%d,0.5,%s\n", day, hour % 2, sales);
        text_printf(json, "%s[\"%s\",\"a\",1,%d,0.5,%s]", hour ? "," : "", day, hour % 2,
                    *sales ? sales : "null");
    }
    text_puts(json, "]}}");
}

/* The rows sent are the past; what comes next is the same by every door, and what the bundle says itself. */
static void forecasts(void **state)
{
    Served *v = *state;
    World *w = v->w;
    Served other = {.w = w};
    Text csv = {0}, json = {0};
    dataset_close(add_sales(w, "sales", 200));
    assert_true(serve(&other, trained_series(w), ""));
    compose_past(&csv, &json);
    json_t *o = expect_json(&other, "/invocations", text_str(&json));
    json_t *list = json_object_get(o, "predictions"), *first = json_array_get(list, 0);
    char *said = json_dumps(o, JSON_COMPACT);
    assert_int_equal(json_array_size(list), 3);
    assert_string_equal(json_string_value(json_object_get(first, "group")), "a");
    assert_string_equal(json_string_value(json_object_get(first, "time")), "1970-01-01 20:00:00");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 2), "step")), 3);
    double low = json_real_value(json_object_get(first, "q0.1")),
           middle = json_real_value(json_object_get(first, "prediction")),
           high = json_real_value(json_object_get(first, "q0.9"));
    assert_true(low <= middle && middle <= high && low > -50 && high < 100);
    expect(&other, "POST", "/invocations", "text/csv", text_str(&csv), 200, said);
    free(said);
    json_decref(o);
    o = expect_json(&other, "/v2/models/taxi", NULL);
    assert_int_equal(json_array_size(json_object_get(o, "inputs")), 6); /* the target too */
    assert_int_equal(json_array_size(json_object_get(o, "outputs")), 5);
    json_decref(o);
    o = expect_json(
        &other, "/v2/models/taxi/infer",
        "{\"inputs\":[{\"name\":\"when\",\"shape\":[2],\"datatype\":\"BYTES\",\"data\":"
        "[\"1970-01-02 00:00:00\",\"1970-01-02 01:00:00\"]},"
        "{\"name\":\"shop\",\"shape\":[2],\"datatype\":\"BYTES\",\"data\":[\"a\",\"b\"]},"
        "{\"name\":\"size\",\"shape\":[2],\"datatype\":\"FP64\",\"data\":[1,2]},"
        "{\"name\":\"promo\",\"shape\":[2],\"datatype\":\"INT64\",\"data\":[0,1]},"
        "{\"name\":\"rain\",\"shape\":[2],\"datatype\":\"FP64\",\"data\":[0.5,0.5]},"
        "{\"name\":\"sales\",\"shape\":[2],\"datatype\":\"FP64\",\"data\":[9,21]}]}");
    list = json_object_get(o, "outputs");
    assert_int_equal(json_array_size(list), 5);
    assert_int_equal(json_array_size(json_object_get(json_array_get(list, 4), "data")), 2 * 3 * 3);
    json_decref(o);
    expect(&other, "POST", "/invocations", "text/csv", "when,shop,size,promo,rain\n", 400,
           "sales is missing");
    expect(&other, "POST", "/invocations", "text/csv",
           "when,shop,size,promo,rain,sales\n1970-01-01 00:00:00,a,1,0,0.5,\n", 400,
           "no row has sales");
    ServeCounts c = end(&other);
    assert_int_equal(c.rows, 3 + 3 + 6);
    assert_int_equal(c.errors, 2);
    text_release(&csv);
    text_release(&json);
}

static void refused_addresses(void **state)
{
    Served *v = *state;
    World *w = v->w;
    static const char *const bad[][2] = {
        {"0.0.0.0:0", "TLS and a token"},
        {"192.168.1.7:80", "TLS and a token"},
        {"[::]:0", "TLS and a token"},
        {"8808", "expected ADDRESS:PORT"},
        {"127.0.0.1:99999", "expected ADDRESS:PORT"},
        {"here:80", "expected an address in numbers"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Served other = {.w = w};
        char setting[80];
        snprintf(setting, sizeof setting, "listen=%s", bad[i][0]);
        says(w, serve(&other, v->bundle, setting), bad[i][1]);
    }
    Served other = {.w = w};
    char taken[80];
    snprintf(taken, sizeof taken, "listen=127.0.0.1:%d", v->port);
    says(w, serve(&other, v->bundle, taken), "in use");
    says(w, serve(&other, "/tmp/no/such/bundle", ""), "bundle");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_scores_the_same),
        cmocka_unit_test(the_small_endpoints),
        cmocka_unit_test(every_error),
        cmocka_unit_test(counts),
        cmocka_unit_test(a_thousand_from_four_threads),
        cmocka_unit_test(too_large),
        cmocka_unit_test(long_headers_are_refused),
        cmocka_unit_test(slow_clients_are_shown_out),
        cmocka_unit_test(cut_clients_do_no_harm),
        cmocka_unit_test(the_end_waits_for_requests),
        cmocka_unit_test(classes),
        cmocka_unit_test(dropped_rows),
        cmocka_unit_test(forecasts),
        cmocka_unit_test(refused_addresses),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
