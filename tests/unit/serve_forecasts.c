/* serve_forecasts.c -- forecasts of a deployment in the log: each as the row that is yet to come, the rows that were sent
 * once a request, what is private nowhere; a shadow's beside them; feedback by id. */
#include "serve_world.h"
#include "series_world.h"

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
}

static int64_t trained_series(World *w)
{
    ModelRow row;
    char name[24];
    snprintf(name, sizeof name, "%lld", (long long)sales_run(w));
    OK(store_model_find(w->s, name, &w->a, &row, &w->err));
    return row.id;
}

/* Twenty hours of one shop, and the promotion of the one after them. */
static void compose_past(Text *json)
{
    text_puts(json,
              "{\"dataframe_split\":{\"columns\":[\"when\",\"shop\",\"size\",\"promo\",\"rain\","
              "\"sales\"],\"data\":[");
    for (int hour = 0; hour <= 20; hour++) {
        text_printf(json, "%s[\"1970-01-01 %02d:00:00\",\"secret shop\",1,%d,0.5,", hour ? "," : "",
                    hour, hour % 2);
        text_printf(json, hour < 20 ? "%d]" : "null]", 10 + hour % 5);
    }
    text_puts(json, "]}}");
}

static bool find_row(World *w, PredictionLog *log, int64_t id, PredictionRow *out)
{
    for (int i = 0; i < 100; i++, nap())
        if (prediction_log_get(log, id, &w->a, out, NULL))
            return true;
    return false;
}

static double number_of(const json_t *o, const char *key)
{
    return json_number_value(json_object_get(o, key));
}

static const char *text_of(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

/* The three steps of one request, as they were told and as the log has them. */
static void same_in_log(World *w, PredictionLog *log, const json_t *told, int64_t first,
                        int64_t model)
{
    for (size_t i = 0; i < 3; i++) {
        PredictionRow r;
        const json_t *one = json_array_get(told, i);
        assert_true(find_row(w, log, first + (int64_t)i, &r));
        assert_float_equal(r.output, number_of(one, "prediction"), 0);
        assert_int_equal(r.model, model);
        assert_string_equal(r.role, "live");
        assert_true(r.latency > 0 && r.latency < 20);
        json_t *inputs = json_loads(r.inputs, 0, NULL), *said = json_loads(r.said, 0, NULL);
        assert_non_null(inputs);
        assert_non_null(said);
        assert_string_equal(text_of(inputs, "when"), text_of(one, "time"));
        assert_string_equal(text_of(inputs, "shop"), "***");
        assert_int_equal(json_integer_value(json_object_get(said, "step")), i + 1);
        assert_float_equal(number_of(said, "q0.9"), number_of(one, "q0.9"), 0);
        const json_t *past = json_object_get(inputs, "past rows");
        if (i == 0) { /* a row was sent for it, and all that were sent stand here */
            assert_true(json_is_integer(json_object_get(inputs, "promo")));
            assert_int_equal(json_array_size(past), 21);
            assert_float_equal(number_of(json_array_get(past, 3), "sales"), 13, 0);
            assert_string_equal(text_of(json_array_get(past, 3), "shop"), "***");
        } else {
            assert_null(json_object_get(inputs, "promo"));
            assert_int_equal(json_integer_value(past), i);
        }
        assert_null(strstr(r.inputs, "secret"));
        assert_null(strstr(r.said, "secret"));
        json_decref(inputs);
        json_decref(said);
    }
}

static void told_and_logged(World *w, Served *v, PredictionLog *log, const char *body,
                            int64_t model, int64_t *first)
{
    Text reply = {0};
    char id[32];
    assert_int_equal(ask_with(v, "X-Lathe-Ids: yes\r\n", "POST", "/invocations", "application/json",
                              body, &reply),
                     200);
    header_of(&reply, "X-Lathe-Prediction", id, sizeof id);
    *first = atoll(id);
    assert_true(*first > 0);
    json_t *o = json_loads(body_of(&reply), 0, NULL);
    const json_t *told = json_object_get(o, "predictions"),
                 *ids = json_object_get(o, "prediction_ids");
    assert_int_equal(json_array_size(told), 3);
    assert_int_equal(json_array_size(ids), 3);
    assert_int_equal(atoll(json_string_value(json_array_get(ids, 2))), *first + 2);
    same_in_log(w, log, told, *first, model);
    json_decref(o);
    text_release(&reply);
}

static void forecasts_are_logged(void **state)
{
    World *w = *state;
    Served v = {.w = w};
    Text body = {0};
    PredictionRow r;
    char truth[80];
    int64_t first;
    dataset_close(add_sales(w, "sales", 200));
    int64_t model = trained_series(w), other = trained_series(w);
    DeploymentRow row = {
        .name = "shops", .state = "live", .model = model, .settings = "{\"mask\": \"shop\"}"};
    OK(store_deployment_add(w->s, &row, "anna", &w->err));
    assert_true(start(&v, NULL, "shops", ""));
    PredictionLog *log = prediction_log_open(w->dir, STORE_READ, &w->err);
    OK(log);
    compose_past(&body);
    told_and_logged(w, &v, log, text_str(&body), model, &first);
    snprintf(truth, sizeof truth, "{\"id\": %lld, \"truth\": 11.5}", (long long)first + 1);
    expect(&v, "POST", "/feedback", "application/json", truth, 200, "\"known\":1");
    assert_true(find_row(w, log, first + 1, &r));
    assert_float_equal(r.truth, 11.5, 0);

    OK(store_deployment_find(w->s, "shops", &w->a, &row, &w->err));
    row.state = "shadow", row.candidate = other;
    OK(store_deployment_change(w->s, &row, "anna", "shadow", "", &w->err));
    bool beside = false;
    for (int i = 0; i < 100 && !beside; i++, nap()) {
        told_and_logged(w, &v, log, text_str(&body), model, &first);
        nap();
        beside = prediction_log_get(log, first + 2 + PREDICTION_SHADOW, &w->a, &r, NULL);
    }
    assert_true(beside);
    assert_string_equal(r.role, "shadow");
    assert_int_equal(r.model, other);
    prediction_log_close(log);
    end(&v);
    text_release(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(forecasts_are_logged, world_setup, world_teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
