/* deploy_forecasts -- a deployment of a model of series: that only its traffic is watched is said, once. */
#include "series_world.h"

#include <lathe/deploy.h>

static int notes;

static void heard(void *context, const WatchNews *news)
{
    (void)context;
    notes += strcmp(news->kind, "note") == 0 && strstr(news->text, "only traffic is watched");
}

static void it_is_said_that_forecasts_are_not_watched(void **state)
{
    World *w = *state;
    RunSpec spec;
    static const char *const set[][2] = {
        {"time", "when"}, {"group", "shop"}, {"window", "12"}, {"horizon", "3"}, {"epochs", "1"}};
    dataset_close(add_sales(w, "sales", 120));
    run_spec_init(&spec, model_family("tft"));
    spec.dataset = "sales", spec.target = "sales", spec.name = "sales";
    for (size_t i = 0; i < sizeof set / sizeof *set; i++)
        OK(run_spec_set(&spec, set[i][0], set[i][1], &w->err));
    int64_t run = run_submit(w->s, &spec, &w->err);
    run_spec_release(&spec);
    OK(run);
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    OK(deployment_create(w->s, "shops", "sales", "test", &w->err));
    Watcher *watcher = watcher_open(store_dir(w->s), NULL, w->pool, heard, NULL, &w->err);
    OK(watcher);
    for (int i = 0; i < 3; i++) {
        bool busy;
        OK(watcher_round(watcher, time_now(), &busy, NULL, &w->err));
    }
    assert_int_equal(notes, 1);
    watcher_close(watcher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(
        it_is_said_that_forecasts_are_not_watched, world_setup, world_teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
