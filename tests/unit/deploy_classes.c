/* deploy_classes -- the watcher on models of two and of three classes: the estimate without labels (CBPE) is near what
 * comes true and falls with it when rows become harder; time chunks; rules of a recipe. */
#include "support/watch_world.h"

#include "deploy/watch_int.h"

static size_t classes;

static const char *const kind[3] = {"bus", "tram", "walk"};

/* Of a place between the classes: how likely each is. */
static void likely(double x, double y, double share[3])
{
    double sum = 0, score[3] = {2.5 * x, 2.5 * y, 0};
    for (size_t k = 0; k < classes; k++)
        sum += share[k] = exp(score[classes == 2 ? 2 * k : k]);
    for (size_t k = 0; k < classes; k++)
        share[k] /= sum;
}

static const char *draw(double x, double y, Rng *rng)
{
    double share[3], u = rng_unit(rng);
    likely(x, y, share);
    for (size_t k = 0; k + 1 < classes; k++)
        if ((u -= share[k]) < 0)
            return kind[k];
    return kind[classes - 1];
}

static int make_world(size_t of)
{
    char path[200], line[400];
    Text t = {0};
    Rng r;
    classes = of;
    strcpy(world.root, "/tmp/lathe-watch-classes-XXXXXX");
    assert_non_null(mkdtemp(world.root));
    snprintf(world.base, sizeof world.base, "%s/base", world.root);
    snprintf(path, sizeof path, "%s/ways.csv", world.root);
    world.pool = pool_create(2);
    rng_seed(&r, 4, of);
    text_puts(&t, "X,Y,DAY,KIND\n");
    for (int i = 0; i < 6000; i++) {
        double x = rng_normal(&r), y = rng_normal(&r);
        text_printf(&t, "%.4f,%.4f,%d,%s\n", x, y, i % 7, draw(x, y, &r));
    }
    OK(file_write(path, t.at, t.count, &world.err));
    text_release(&t);
    snprintf(line, sizeof line, "ingest %s as=ways", path);
    world_line(world.base, line);
    snprintf(path, sizeof path, "%s/ways.recipe", world.root);
    OK(file_write(path, "derive SUM = X + Y\nexpect DAY between 0 and 6\n", 46, &world.err));
    snprintf(line, sizeof line, "clean ways recipe=%s as=clean", path);
    world_line(world.base, line);
    world_line(world.base, "train gbdt data=clean target=KIND epochs=30 leaves=7 name=fares");
    Store *s = store_open(world.base, STORE_WRITE, &world.err);
    OK(s && deployment_create(s, "fares", "fares", "test", &world.err));
    OK(deployment_set(s, "fares", "chunk", "400", "test", &world.err));
    OK(deployment_set(s, "fares", "cool", "0", "test", &world.err));
    store_close(s);
    return 0;
}

static int make_two(void **state)
{
    (void)state;
    return make_world(2);
}

static int make_three(void **state)
{
    (void)state;
    return make_world(3);
}

/* n rows as the model answers them, with what came true; near: how near to the borders of the classes; day: NULL any. */
static void ask(size_t n, double near, const char *day)
{
    Arena a = {0};
    const char *path;
    Chunk raw;
    Prediction *p;
    size_t known = 0;
    PredictionRow *row = ARENA_NEW(&a, PredictionRow, n);
    OK(deployment_bundle(world.s, 1, &a, &path, &world.err));
    Bundle *b = bundle_open(path, world.pool, &world.err);
    OK(b);
    for (size_t i = 0; i < n; i++) {
        double x = near * rng_normal(&world.rng), y = near * rng_normal(&world.rng);
        world.time += 1000000;
        row[i] = (PredictionRow){.id = world.time << 12, .time = world.time, .deployment = "fares", .model = 1, .role = "live",
                                 .said = "", .latency = 0.001, .truth = (double)NAN};
        row[i].truth_said = draw(x, y, &world.rng);
        row[i].inputs = day ? arena_printf(&a, "{\"X\":%.4f,\"Y\":%.4f,\"DAY\":%s}", x, y, day)
                            : arena_printf(&a, "{\"X\":%.4f,\"Y\":%.4f,\"DAY\":%d}", x, y, (int)(i % 7));
    }
    OK(watch_rows_chunk(bundle_schema(b), "KIND", row, n, false, &a, &raw, NULL, &world.err));
    OK(bundle_score(b, &raw, 0, &a, &p, &world.err));
    for (size_t i = 0; i < n; i++) {
        row[i].output = p[i].value;
        if (classes > 2)
            row[i].said = features_class(bundle_features(b), (size_t)p[i].class);
    }
    OK(prediction_log_add(world.log, row, n, &world.err));
    OK(prediction_log_feedback(world.log, row, n, &known, &world.err) && known == n);
    bundle_close(b);
    arena_release(&a);
}

static void estimates_follow_the_truth(void **state)
{
    (void)state;
    const char *const test[] = {"accuracy", "f1", "auc"};
    char sql[400];
    ask(2000, 1, NULL);
    world_watch(NULL);
    world_round();
    for (int k = 0; k < (classes == 2 ? 3 : 2); k++) { /* five chunks, as near as chance lets them be: 3 in 20 deviations */
        snprintf(sql, sizeof sql, "SELECT count(*) FROM monitor_points WHERE kind = 'estimate' AND test = '%s' AND abs(value - truth) < 0.09"
                                  " AND truth > 0.6", test[k]);
        assert_int_equal(world_count(sql), 5);
        snprintf(sql, sizeof sql, "SELECT count(*) FROM monitor_points WHERE kind = 'performance' AND test = '%s'", test[k]);
        assert_int_equal(world_count(sql), 5);
    }
    assert_int_equal(world_count("SELECT count(*) FROM alerts WHERE kind IN ('estimate', 'performance')"), 0);
    ask(800, 0.2, NULL); /* hard to tell: the estimate knows before anyone says */
    world_round();
    assert_int_equal(world_count("SELECT count(*) FROM alerts WHERE kind = 'estimate' AND subject LIKE '%accuracy'"), 1);
    assert_int_equal(world_count("SELECT count(*) FROM alerts WHERE kind = 'performance' AND subject LIKE '%accuracy'"), 1);
    assert_int_equal(world_count("SELECT count(*) FROM monitor_points WHERE kind = 'estimate' AND test = 'accuracy' AND alarm"
                                 " AND abs(value - truth) < 0.1"), 2);
}

/* Chunks by time: rows come one a second; those of a period are judged when it is over, and cut at its end. */
static void chunks_of_time(void **state)
{
    (void)state;
    world_set("chunk", "0");
    world_set("chunk_seconds", "600");
    world.time = (time_now() / INT64_C(600000000) - 4) * INT64_C(600000000); /* a period begins */
    int64_t first = world.time;
    ask(1500, 1, NULL); /* two and a half */
    world_watch(NULL);
    world_round_at(first + 1500 * INT64_C(1000000));
    assert_int_equal(world_count("SELECT count(*) FROM monitor_points WHERE kind = 'rows'"), 2);
    assert_int_equal(world_count("SELECT count(*) FROM monitor_points WHERE kind = 'rows' AND rows BETWEEN 599 AND 600"
                                 " AND time_from / 600000000 = time_to / 600000000"), 2);
    world_round_at(first + 1803 * INT64_C(1000000)); /* the third is over, half full */
    assert_int_equal(world_count("SELECT count(*) FROM monitor_points WHERE kind = 'rows'"), 3);
    assert_int_equal(world_count("SELECT sum(rows) FROM monitor_points WHERE kind = 'rows'"), 1500);
    assert_int_equal(world_count("SELECT count(*) FROM monitor_points WHERE kind = 'estimate' AND test = 'accuracy'"), 3);
}

/* The recipe's `expect` goes on after the deployment. */
static void expectations_are_watched(void **state)
{
    (void)state;
    ask(400, 1, NULL);
    world_watch(NULL);
    world_round();
    assert_int_equal(world_count("SELECT count(*) FROM monitor_points WHERE kind = 'quality' AND test = 'expect' AND \"column\" LIKE '%DAY%' AND NOT alarm"), 1);
    assert_int_equal(world_count("SELECT count(*) FROM alerts WHERE kind = 'quality'"), 0);
    ask(400, 1, "9");
    world_round();
    assert_int_equal(world_count("SELECT count(*) FROM monitor_points WHERE kind = 'quality' AND test = 'expect' AND alarm"), 1);
    assert_int_equal(world_count("SELECT count(*) FROM alerts WHERE kind = 'quality' AND text LIKE '%DAY%'"), 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

int main(void)
{
    const struct CMUnitTest two[] = {T(estimates_follow_the_truth), T(chunks_of_time), T(expectations_are_watched)};
    const struct CMUnitTest three[] = {T(estimates_follow_the_truth)};
    int failed = cmocka_run_group_tests_name("two classes", two, make_two, world_destroy);
    return failed + cmocka_run_group_tests_name("three classes", three, make_three, world_destroy);
}
