/* store_rows -- every noun of the store: what goes in comes out, in the promised order. */
#include "store_place.h"

#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void datasets(void **state)
{
    Place *p = *state;
    ColumnRow c[] = {{.name = "FARE",
                      .type = "float64",
                      .role = "feature",
                      .nullable = true,
                      .distinct = 12.5,
                      .missing = 3,
                      .least = "0",
                      .most = "99"},
                     {.name = "CITY", .type = "text", .role = "feature", .distinct = (double)NAN}};
    DatasetRow d = {.hash = "aaaaaa11",
                    .name = "trips_jan",
                    .source = "jan.csv",
                    .source_tag = "t",
                    .parent = "",
                    .recipe = "",
                    .plan = "",
                    .sniffed = "{}",
                    .rows = 10,
                    .columns = 2,
                    .bytes = 1000,
                    .rejects = 1};
    OK(store_dataset_add(p->s, &d, c, 2, &p->err));
    d.hash = "aaaaab22", d.rows = 20;
    OK(store_dataset_add(p->s, &d, c, 2, &p->err));
    DatasetRow out;
    OK(store_dataset_find(p->s, "trips_jan", &p->a, &out, &p->err));
    assert_string_equal(out.hash, "aaaaab22"); /* the newest of the name */
    assert_int_equal(out.rows, 20);
    assert_true(out.created > 0);
    OK(store_dataset_find(p->s, "AAAAAA", &p->a, &out, &p->err));
    assert_string_equal(out.hash, "aaaaaa11");
    d.hash = "aaaaaa99", d.name = "other";
    OK(store_dataset_add(p->s, &d, c, 2, &p->err));
    says(p, store_dataset_find(p->s, "aaaaaa", &p->a, &out, &p->err), "several hashes");
    says(p, store_dataset_find(p->s, "trips_jam", &p->a, &out, &p->err),
         "no dataset trips_jam, did you mean trips_jan?");
    DatasetRow *all;
    size_t n;
    OK(store_datasets(p->s, &p->a, &all, &n, &p->err));
    assert_int_equal(n, 3);
    assert_string_equal(all[0].name, "other");
    /* the same content again: it is now the newest of its name, and once */
    d.hash = "aaaaaa11", d.name = "trips_jan";
    OK(store_dataset_add(p->s, &d, c, 2, &p->err));
    OK(store_dataset_find(p->s, "trips_jan", &p->a, &out, &p->err));
    assert_string_equal(out.hash, "aaaaaa11");
    OK(store_datasets(p->s, &p->a, &all, &n, &p->err));
    assert_int_equal(n, 3);
    OK(store_dataset_rename(p->s, "other", "another", &p->err));
    OK(store_dataset_find(p->s, "another", &p->a, &out, &p->err));
}

static DatasetRow made_of(Place *p, const char *name, const char *hash, const char *parent)
{
    DatasetRow d = {.hash = hash, .name = name, .source = "", .source_tag = "", .parent = parent, .recipe = "", .plan = "",
                    .sniffed = "{}"}, out = {0};
    OK(store_dataset_add(p->s, &d, NULL, 0, &p->err));
    OK(store_dataset_find(p->s, name, &p->a, &out, &p->err));
    return out;
}

static void the_line_up_to_the_source(void **state)
{
    Place *p = *state;
    DatasetRow up, *line;
    size_t n;
    made_of(p, "trips", "aaaaaa11", "");
    /* a recipe that changes nothing: the same table under another name, made of the first */
    DatasetRow same = made_of(p, "trips_same", "aaaaaa11", "aaaaaa11");
    OK(store_dataset_parent(p->s, &same, &p->a, &up, &p->err));
    assert_string_equal(up.name, "trips");
    assert_string_equal(up.parent, "");
    DatasetRow orphan = made_of(p, "orphan", "cccccc11", "dddddd11");
    says(p, store_dataset_parent(p->s, &orphan, &p->a, &up, &p->err), "its parent dddddd11 is not");
    DatasetRow child = made_of(p, "child", "eeeeee11", "cccccc11");
    says(p, store_dataset_line(p->s, &child, &p->a, &line, &n, &p->err), "its parent dddddd11 is not");
    assert_int_equal(n, 2); /* what is known of it */
    assert_string_equal(line[1].name, "orphan");
    DatasetRow whole = made_of(p, "whole", "ffffff11", "aaaaaa11");
    OK(store_dataset_line(p->s, &whole, &p->a, &line, &n, &p->err));
    assert_int_equal(n, 2);
    OK(store_dataset_root(p->s, &whole, &p->a, &up, &p->err));
    assert_string_equal(up.name, line[1].name);
    assert_string_equal(up.hash, "aaaaaa11");
}

static void columns_and_roles(void **state)
{
    Place *p = *state;
    ColumnRow c[] = {{.name = "FARE",
                      .type = "float64",
                      .role = "feature",
                      .nullable = true,
                      .distinct = 12.5,
                      .missing = 3,
                      .least = "0",
                      .most = "99"},
                     {.name = "CITY", .type = "text", .role = "feature", .distinct = (double)NAN}};
    DatasetRow d = {.hash = "aaaaaa11", .name = "t"};
    OK(store_dataset_add(p->s, &d, c, 2, &p->err));
    OK(store_column_role(p->s, "aaaaaa11", "FARE", "target", &p->err));
    says(p, store_column_role(p->s, "aaaaaa11", "FAR", "target", &p->err), "did you mean FARE?");
    OK(store_dataset_add(p->s, &d, c, 2, &p->err)); /* keeps the role that was given */
    ColumnRow *out;
    size_t n;
    OK(store_dataset_columns(p->s, "aaaaaa11", &p->a, &out, &n, &p->err));
    assert_int_equal(n, 2);
    assert_string_equal(out[0].name, "FARE");
    assert_string_equal(out[0].role, "target");
    assert_true(out[0].nullable && !out[1].nullable);
    assert_true(out[0].distinct == 12.5 && isnan(out[1].distinct));
    assert_int_equal(out[0].missing, 3);
    assert_string_equal(out[0].most, "99");
    assert_string_equal(out[1].least, "");
}

static void rejects_and_drafts(void **state)
{
    Place *p = *state;
    RejectRow r[] = {{7, "3 fields, expected 5", "a|b|c"}, {2, "bad quote", "\"x"}};
    OK(store_rejects_add(p->s, "h", r, 2, &p->err));
    RejectRow *out;
    size_t n;
    OK(store_rejects(p->s, "h", SIZE_MAX, &p->a, &out, &n, &p->err));
    assert_int_equal(n, 2);
    assert_int_equal(out[0].line, 2);
    assert_string_equal(out[1].text, "a|b|c");
    OK(store_rejects(p->s, "h", 1, &p->a, &out, &n, &p->err));
    assert_int_equal(n, 1);
    const char *text;
    OK(store_draft_get(p->s, "h", &p->a, &text, &p->err));
    assert_string_equal(text, "");
    OK(store_draft_set(p->s, "h", "drop missing A", &p->err));
    OK(store_draft_set(p->s, "h", "drop missing B", &p->err));
    OK(store_draft_get(p->s, "h", &p->a, &text, &p->err));
    assert_string_equal(text, "drop missing B");
}

static int64_t a_run(Place *p, const char *name)
{
    ParamRow params[] = {{"lr", "0.001"}, {"epochs", "20"}};
    RunRow r = {.name = name,
                .family = "mlp",
                .dataset = "h",
                .dataset_name = "t",
                .target = "FARE",
                .split = "70/15/15",
                .seed = 7,
                .best = (double)NAN,
                .monitor = "val_loss"};
    int64_t id = store_run_add(p->s, &r, params, 2, &p->err);
    OK(id);
    return id;
}

static void runs(void **state)
{
    Place *p = *state;
    int64_t one = a_run(p, ""), two = a_run(p, "wide");
    RunRow r;
    OK(store_run_find(p->s, "mlp-1", &p->a, &r, &p->err));
    assert_int_equal(r.id, one);
    assert_string_equal(r.experiment, "default");
    assert_int_equal(r.status, RUN_SCHEDULED);
    assert_int_equal(r.seed, 7);
    assert_true(isnan(r.best));
    OK(store_run_find(p->s, "last", &p->a, &r, &p->err));
    assert_int_equal(r.id, two);
    OK(store_run_find(p->s, "1", &p->a, &r, &p->err));
    assert_int_equal(r.id, one);
    says(p, store_run_find(p->s, "wids", &p->a, &r, &p->err), "no run wids, did you mean wide?");
    says(p, store_run_get(p->s, 99, &p->a, &r, &p->err), "no run 99");
    ParamRow *params;
    size_t n;
    OK(store_run_param_set(p->s, one, "lr", "0.01", &p->err));
    OK(store_run_params(p->s, one, &p->a, &params, &n, &p->err));
    assert_int_equal(n, 2);
    assert_string_equal(params[0].key, "lr");
    assert_string_equal(params[0].value, "0.01");
    OK(store_run_rename(p->s, one, "first", &p->err));
    OK(store_run_note(p->s, one, "a note", &p->err));
    OK(store_run_tag(p->s, one, "good", true, &p->err));
    OK(store_run_tag(p->s, one, "fast", true, &p->err));
    OK(store_run_tag(p->s, one, "good", true, &p->err));
    OK(store_run_get(p->s, one, &p->a, &r, &p->err));
    assert_string_equal(r.tags, "fast good");
    OK(store_run_tag(p->s, one, "fast", false, &p->err));
    OK(store_run_get(p->s, one, &p->a, &r, &p->err));
    assert_string_equal(r.tags, "good");
    assert_string_equal(r.note, "a note");
    says(p, store_run_tag(p->s, one, "two words", true, &p->err), "expected one word");
    r.step = 12, r.steps_total = 100, r.epoch = 1, r.best = .5, r.best_step = 10, r.heartbeat = 5;
    OK(store_run_progress(p->s, &r, &p->err));
    OK(store_run_get(p->s, one, &p->a, &r, &p->err));
    assert_int_equal(r.step, 12);
    assert_true(r.best == .5);
}

static void claims(void **state)
{
    Place *p = *state;
    int64_t run = a_run(p, "");
    RunRow r;
    OK(store_run_claim(p->s, run, getpid(), &p->err));
    OK(store_run_get(p->s, run, &p->a, &r, &p->err));
    assert_int_equal(r.status, RUN_RUNNING);
    assert_true(store_run_alive(&r));
    assert_true(r.started > 0);
    says(p, store_run_claim(p->s, run, getppid(), &p->err), "is being trained by process");
    says(p, store_run_delete(p->s, run, &p->err), "stop it first");
    r.born++; /* the pid was used again by another process */
    assert_false(store_run_alive(&r));
    OK(store_run_status(p->s, run, RUN_KILLED, "gone", &p->err));
    OK(store_run_get(p->s, run, &p->a, &r, &p->err));
    assert_int_equal(r.pid, 0);
    assert_true(r.ended > 0);
    OK(store_run_claim(p->s, run, getpid(), &p->err));
    OK(store_run_status(p->s, run, RUN_FINISHED, "", &p->err));
    says(p, store_run_claim(p->s, run, getpid(), &p->err), "has finished");
}

static void metrics(void **state)
{
    Place *p = *state;
    int64_t one = a_run(p, ""), two = a_run(p, "");
    MetricPoint points[300];
    for (int i = 0; i < 300; i++)
        points[i] =
            (MetricPoint){i % 3 ? "train_loss" : "lr", i, i * .5, i % 7 ? i * .25 : (double)NAN};
    OK(store_metrics_add(p->s, one, points, 200, &p->err));
    OK(store_metrics_add(p->s, two, points, 300, &p->err));
    OK(store_metrics_add(p->s, one, points + 200, 100, &p->err));
    MetricPoint *out;
    size_t n;
    int64_t cursor = 0;
    OK(store_metrics_since(p->s, one, NULL, &cursor, &p->a, &out, &n, &p->err));
    assert_int_equal(n, 300);
    for (int i = 0; i < 300; i++) {
        assert_string_equal(out[i].key, points[i].key);
        assert_int_equal(out[i].step, i);
        assert_true(out[i].wall == points[i].wall);
        assert_true(out[i].value == points[i].value || (isnan(out[i].value) && i % 7 == 0));
    }
    OK(store_metrics_since(p->s, one, NULL, &cursor, &p->a, &out, &n, &p->err));
    assert_int_equal(n, 0);
    /* what is cut does not come back under the same number */
    OK(store_metrics_cut(p->s, one, 249, &p->err));
    OK(store_metrics_add(p->s, one, points + 250, 5, &p->err));
    OK(store_metrics_since(p->s, one, NULL, &cursor, &p->a, &out, &n, &p->err));
    assert_int_equal(n, 5);
    assert_int_equal(out[0].step, 250);
    cursor = 0;
    OK(store_metrics_since(p->s, one, "lr", &cursor, &p->a, &out, &n, &p->err));
    assert_int_equal(n, 85);
    OK(store_metrics_last(p->s, one, &p->a, &out, &n, &p->err));
    assert_int_equal(n, 2);
    assert_string_equal(out[0].key, "lr");
    assert_int_equal(out[0].step, 252);
    assert_int_equal(out[1].step, 254);
    OK(store_metrics_last(p->s, 77, &p->a, &out, &n, &p->err));
    assert_int_equal(n, 0);
    says(p, store_metrics_add(p->s, 77, points, 1, &p->err), "no run 77");
    OK(store_run_delete(p->s, one, &p->err));
    cursor = 0;
    OK(store_metrics_since(p->s, one, NULL, &cursor, &p->a, &out, &n, &p->err));
    assert_int_equal(n, 0);
    cursor = 0;
    OK(store_metrics_since(p->s, two, NULL, &cursor, &p->a, &out, &n, &p->err));
    assert_int_equal(n, 300);
}

/* A second a step at first, ten steps a second in the last third. */
static void the_pace_is_that_of_late(void **state)
{
    Place *p = *state;
    int64_t run = a_run(p, "");
    assert_true(isnan(store_run_pace(p->s, run)));
    for (int i = 1; i <= 90; i++) {
        MetricPoint point = {i <= 20 ? "pretrain_loss" : "train_loss", i, i <= 60 ? i : 60 + .1 * (i - 60), 1};
        OK(store_metrics_add(p->s, run, &point, 1, &p->err));
        double pace = store_run_pace(p->s, run);
        if (i == 1)
            assert_true(isnan(pace)); /* one point is no pace */
        else if (i == 20)
            assert_true(fabs(pace - 1) < 1e-9);
    }
    for (int i = 91; i <= 180; i++) {
        MetricPoint point = {"train_loss", i, 60 + .1 * (i - 60), 1};
        OK(store_metrics_add(p->s, run, &point, 1, &p->err));
    }
    assert_true(fabs(store_run_pace(p->s, run) - 10) < 1e-9);
}

static void commands_and_events(void **state)
{
    Place *p = *state;
    int64_t run = a_run(p, "");
    assert_false(store_commands_pending(p->s, run));
    Store *viewer = store_open(p->dir, STORE_WRITE, &p->err);
    int64_t seen = store_version_seen(p->s);
    OK(store_command_add(viewer, run, "set", "lr", "0.1", &p->err));
    OK(store_command_add(viewer, run, "pause", "", "", &p->err));
    OK(store_command_add(viewer, run + 1, "stop", "", "", &p->err));
    assert_int_not_equal(store_version_seen(p->s), seen);
    assert_true(store_commands_pending(p->s, run));
    CommandRow *c;
    size_t n;
    OK(store_commands_take(p->s, run, &p->a, &c, &n, &p->err));
    assert_int_equal(n, 2);
    assert_string_equal(c[0].key, "lr");
    assert_string_equal(c[1].verb, "pause");
    assert_int_equal(c[0].step, -1);
    assert_false(store_commands_pending(p->s, run));
    OK(store_command_step(p->s, c[0].id, 40, &p->err));
    OK(store_command_step(p->s, c[1].id, 60, &p->err));
    OK(store_commands_take(p->s, run, &p->a, &c, &n, &p->err));
    assert_int_equal(n, 0);
    OK(store_commands_taken(p->s, run, 40, &p->a, &c, &n, &p->err));
    assert_int_equal(n, 1);
    assert_string_equal(c[0].verb, "pause");
    assert_int_equal(c[0].step, 60);
    int64_t cursor = 0;
    EventRow *e;
    OK(store_event_add(p->s, run, 40, "change", "lr 0.1", &p->err));
    OK(store_event_add(p->s, run + 1, 0, "start", "", &p->err));
    OK(store_events_since(p->s, run, &cursor, &p->a, &e, &n, &p->err));
    assert_int_equal(n, 1);
    assert_string_equal(e[0].text, "lr 0.1");
    OK(store_events_since(p->s, 0, &cursor, &p->a, &e, &n, &p->err));
    assert_int_equal(n, 1);
    assert_string_equal(e[0].kind, "start");
    store_close(viewer);
}

static void checkpoints_models_drift(void **state)
{
    Place *p = *state;
    int64_t run = a_run(p, "");
    CheckpointRow c = {
        .run = run, .step = 200, .epoch = 2, .path = "runs/1/ckpt-200", .value = .25};
    OK(store_checkpoint_add(p->s, &c, &p->err));
    c.step = 100, c.best = true;
    OK(store_checkpoint_add(p->s, &c, &p->err));
    OK(store_checkpoint_add(p->s, &c, &p->err)); /* again after a resume: still one */
    CheckpointRow *out;
    size_t n;
    OK(store_checkpoints(p->s, run, &p->a, &out, &n, &p->err));
    assert_int_equal(n, 2);
    assert_int_equal(out[0].step, 100);
    assert_true(out[0].best && !out[1].best);
    OK(store_checkpoint_remove(p->s, out[0].id, &p->err));
    OK(store_checkpoints(p->s, run, &p->a, &out, &n, &p->err));
    assert_int_equal(n, 1);

    ModelRow m = {
        .run = run, .name = "fares", .hash = "h", .path = "runs/1/bundle", .alias = "champion"};
    OK(store_model_add(p->s, &m, &p->err));
    OK(store_model_add(p->s, &m, &p->err));
    ModelRow *models;
    OK(store_models(p->s, &p->a, &models, &n, &p->err));
    assert_int_equal(n, 2);
    assert_int_equal(models[0].version, 2);
    assert_string_equal(models[1].alias, "champion");

    DriftRow d = {.reference = "a",
                  .current = "b",
                  .drifted = true,
                  .report =
                      "{\"columns\": [{\"column\": \"FARE\", \"test\": \"ks\", \"statistic\": 0.25,"
                      " \"threshold\": 0.1, \"drifted\": true}]}"};
    OK(store_drift_add(p->s, &d, &p->err));
    DriftRow *drifts;
    OK(store_drifts(p->s, &p->a, &drifts, &n, &p->err));
    assert_int_equal(n, 1);
    assert_true(drifts[0].drifted);
    sqlite3_stmt *q;
    assert_int_equal(sqlite3_prepare_v2(store_handle(p->s),
                                        "SELECT statistic, drifted FROM drift_columns"
                                        " WHERE \"column\" = 'FARE'",
                                        -1, &q, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    assert_true(sqlite3_column_double(q, 0) == .25);
    sqlite3_finalize(q);
    d.report = "{broken";
    says(p, store_drift_add(p->s, &d, &p->err), "drift report: line 1");
}

int main(void)
{
#define EACH(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        EACH(datasets),
        EACH(the_line_up_to_the_source),
        EACH(columns_and_roles),
        EACH(rejects_and_drafts),
        EACH(runs),
        EACH(claims),
        EACH(metrics),
        EACH(the_pace_is_that_of_late),
        EACH(commands_and_events),
        EACH(checkpoints_models_drift),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
