/* train_run -- whole runs in one process: what they learn, write, refuse; steering, forks, NaN. */
#include "train_world.h"

#include <pthread.h>

static void learns_a_number(void **state)
{
    World *w = *state;
    int64_t run =
        submit(w, "linear", "FARE", "MILES,MINUTES,TIME", "epochs=40 batch=64 patience=0");
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    RunRow r = run_of(w, run);
    assert_int_equal(r.status, RUN_FINISHED);
    assert_string_equal(r.task, "regression");
    assert_string_equal(r.message, "all 40 epochs done");
    assert_true(r.step == r.steps_total && r.epoch == 40 && r.best_step > 0);
    double rmse = last_metric(w, run, "test_rmse"); /* the noise is .5 */
    if (!(rmse > .4 && rmse < .6))
        fail_msg("test_rmse %g", rmse);
    assert_true(last_metric(w, run, "test_r2") > .98);
    assert_true(fabs(last_metric(w, run, "val_rmse") - rmse) < .15);
    assert_true(isfinite(last_metric(w, run, "epoch_train_loss")));
    assert_true(last_metric(w, run, "grad_norm") > 0);
    const char *path;
    OK(run_bundle_path(w->s, run, &w->a, &path, &w->err));
    ModelRow *m;
    size_t n;
    OK(store_models(w->s, &w->a, &m, &n, &w->err));
    assert_int_equal(n, 1);
    assert_int_equal(m[0].run, run);
    json_t *findings = json_array();
    OK(store_check(w->s, findings, &w->err));
    assert_int_equal(json_array_size(findings), 0);
    json_decref(findings);
    says(w, run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err), "has finished");
    says(w, run_command(w->s, run, "pause", "", "", &w->err), "has finished");
}

static void learns_classes(void **state)
{
    World *w = *state;
    int64_t run = submit(w, "mlp", "LONG", "MILES,MINUTES,TIME", "epochs=15 batch=64 hidden=32");
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    assert_string_equal(run_of(w, run).task, "binary");
    assert_true(last_metric(w, run, "test_accuracy") > .93);
    assert_true(last_metric(w, run, "test_auc") > .98);
    assert_true(last_metric(w, run, "test_ece") < .2);
    run = submit(w, "mlp", "ZONE", "MILES,MINUTES,TIME",
                 "epochs=15 batch=64 hidden=32 class_weight=balanced monitor=val_metric");
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    assert_string_equal(run_of(w, run).task, "multiclass");
    assert_string_equal(run_of(w, run).monitor, "val_logloss");
    assert_true(last_metric(w, run, "test_accuracy") > .9);
    assert_true(isnan(last_metric(w, run, "test_auc")));
}

static void a_recipe_goes_with_the_model(void **state)
{
    World *w = *state;
    RunSpec spec;
    run_spec_init(&spec, model_family("linear"));
    OK(run_spec_set(&spec, "batch", "32", &w->err));
    spec.dataset = "trips", spec.target = "FARE", spec.features = "MILES,MINUTES,nightly";
    spec.recipe =
        "drop where MILES < 1\nderive nightly = case when TIME = 'night' then 1 else 0 end\n";
    int64_t run = run_submit(w->s, &spec, &w->err);
    OK(run);
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    assert_true(last_metric(w, run, "test_rmse") < .7);
    run_spec_release(&spec);
}

static void refuses_up_front(void **state)
{
    World *w = *state;
    RunSpec spec;
    run_spec_init(&spec, model_family("linear"));
    spec.dataset = "tripz", spec.target = "FARE";
    says(w, run_submit(w->s, &spec, &w->err), "did you mean trips?");
    spec.dataset = "";
    says(w, run_submit(w->s, &spec, &w->err), "which dataset?");
    spec.dataset = "trips", spec.target = "FAREE";
    says(w, run_submit(w->s, &spec, &w->err), "did you mean FARE?");
    spec.target = "";
    says(w, run_submit(w->s, &spec, &w->err), "which column of trips is the target?");
    spec.target = "SAME";
    says(w, run_submit(w->s, &spec, &w->err), "nothing to learn");
    spec.target = "FARE", spec.features = "MILES,MINUTS";
    says(w, run_submit(w->s, &spec, &w->err), "did you mean MINUTES?");
    spec.features = "MILES,FARE";
    says(w, run_submit(w->s, &spec, &w->err), "is the target");
    spec.features = "", spec.split = "banana";
    says(w, run_submit(w->s, &spec, &w->err), "banana");
    spec.split = "", spec.recipe = "clip MILE 0 60";
    says(w, run_submit(w->s, &spec, &w->err), "did you mean MILES?");
    spec.recipe = "frobnicate";
    says(w, run_submit(w->s, &spec, &w->err), "recipe");
    spec.recipe = "";
    says(w, run_spec_set(&spec, "lr", "fast", &w->err), "'fast'");
    says(w, run_spec_set(&spec, "epoch", "3", &w->err), "did you mean epochs?");
    spec.family = NULL;
    says(w, run_submit(w->s, &spec, &w->err), "which model family?");
    spec.family = model_family("linear");
    RunRow *rows;
    size_t n;
    OK(store_runs(w->s, &w->a, &rows, &n, &w->err));
    assert_int_equal(n, 0); /* nothing was written for any of them */
    run_spec_release(&spec);
}

static void the_target_by_its_role(void **state)
{
    World *w = *state;
    DatasetRow d;
    OK(store_dataset_find(w->s, "trips", &w->a, &d, &w->err));
    OK(store_column_role(w->s, d.hash, "FARE", "target", &w->err));
    OK(store_column_role(w->s, d.hash, "LONG", "ignore", &w->err));
    OK(store_column_role(w->s, d.hash, "ZONE", "ignore", &w->err));
    int64_t run = submit(w, "linear", "", "", "epochs=3");
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    assert_string_equal(run_of(w, run).target, "FARE");
    assert_true(last_metric(w, run, "test_rmse") > .4); /* ZONE and LONG would have told */
}

static void divergence_is_named(void **state)
{
    World *w = *state;
    int64_t run =
        submit(w, "mlp", "FARE", "MILES,MINUTES", "epochs=9 lr=1e6 optimizer=sgd hidden=8");
    assert_false(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    RunRow r = run_of(w, run);
    assert_int_equal(r.status, RUN_FAILED);
    assert_string_equal(r.message, w->err.text);
    assert_non_null(strstr(r.message, "step "));
    assert_non_null(strstr(r.message, "rows ("));
    assert_non_null(strstr(r.message, "lower lr (now 1e+06) or set clip=1"));
    uint64_t *rows;
    size_t n;
    char first[40];
    OK(run_rows_of_step(w->s, run, r.step, NULL, &w->a, &rows, &n, &w->err));
    snprintf(first, sizeof first, "rows (%llu, %llu, ", (unsigned long long)rows[0] + 1, (unsigned long long)rows[1] + 1);
    assert_non_null(strstr(r.message, first)); /* as the screen counts them */
    EventRow e = {0};
    assert_int_equal(events_of(w, run, "fail", &e), 1);
    says(w, run_bundle_path(w->s, run, &w->a, &(const char *){NULL}, &w->err), "has no model");
    w->err = (Error){0};
}

/* The rows that trained were fine: of those that did not the one that breaks the loss is told. */
static void a_validation_row_that_breaks_the_loss_is_named(void **state)
{
    World *w = *state;
    DatasetRow d;
    RunSpec spec;
    Chunk c;
    size_t worst = 0, below = 0;
    char words[80], recipe[120];
    OK(store_dataset_find(w->s, "trips", &w->a, &d, &w->err));
    Dataset *data = dataset_open(store_path(w->s, &w->a, "datasets/%s.arrow", d.hash), &w->err);
    OK(data);
    dataset_chunk(data, 0, &w->a, &c);
    const Column *miles = chunk_find(&c, "MILES");
    for (size_t i = 0; i < c.rows; i++) /* the row with the most MILES below 8 is of the 70th to the 85th of 100 */
        if (column_real(miles, i) < 8 && (!below++ || column_real(miles, i) > column_real(miles, worst)))
            worst = i;
    assert_true((double)below > .72 * (double)c.rows && (double)below < .83 * (double)c.rows);
    run_spec_init(&spec, model_family("mlp"));
    spec.dataset = "trips", spec.target = "FARE", spec.features = "ODD,MINUTES", spec.split = "70/15/15@MILES";
    snprintf(recipe, sizeof recipe, "derive ODD = case when MILES >= %.17g and MILES < 8 then 1e300 else MILES end\n",
             column_real(miles, worst));
    spec.recipe = recipe;
    OK(run_spec_set(&spec, "epochs", "2", &w->err));
    int64_t run = run_submit(w->s, &spec, &w->err);
    OK(run);
    snprintf(words, sizeof words, "the validation loss is not a finite number at rows (%zu) of trips; look", worst + 1);
    says(w, run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err), words);
    run_spec_release(&spec);
    dataset_close(data);
}

/* What is told to be changed can be: trees know no clip, and who has one may have less. */
static void what_calms_a_run_is_its_own(void **state)
{
    World *w = *state;
    int64_t trees = submit(w, "gbdt", "FARE", "MILES,MINUTES", "epochs=9 lr=1e6 loss=tweedie");
    assert_false(run_execute(w->s, trees, w->pool, NULL, NULL, NULL, &w->err));
    assert_null(strstr(w->err.text, "layer")); /* nor layers */
    assert_non_null(strstr(w->err.text, "lower lr (now 1e+06)"));
    assert_null(strstr(w->err.text, "clip"));
    w->err = (Error){0};
    int64_t net = submit(w, "mlp", "FARE", "MILES,MINUTES", "epochs=9 lr=1e6 optimizer=sgd hidden=8 clip=1e6");
    says(w, run_execute(w->s, net, w->pool, NULL, NULL, NULL, &w->err), "lower lr (now 1e+06) or clip (now 1e+06)");
}

/* A run that was fine until its rate was set too high keeps what it had; a fork goes on from there. */
static void divergence_keeps_the_best(void **state)
{
    World *w = *state;
    const char *settings =
        "epochs=20 batch=50 hidden=8 schedule=constant patience=0 optimizer=sgd lr=0.01";
    int64_t run = submit(w, "mlp", "FARE", "MILES,MINUTES", settings), id;
    CommandRow *c;
    size_t n;
    OK(id = store_command_add(w->s, run, "set", "lr", "1e6", &w->err));
    OK(store_commands_take(w->s, run, &w->a, &c, &n, &w->err));
    OK(store_command_step(w->s, id, 130, &w->err)); /* some three epochs in */
    assert_false(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    RunRow r = run_of(w, run);
    assert_int_equal(r.status, RUN_FAILED);
    char words[64];
    snprintf(words, sizeof words, "fork it at step %lld", (long long)r.best_step);
    if (r.best_step < 40 || !strstr(r.message, words))
        fail_msg("%s", r.message);
    ParamRow lower = {"lr", "0.01"};
    int64_t fork = run_fork(w->s, run, r.best_step, &lower, 1, &w->err);
    OK(fork);
    OK(run_execute(w->s, fork, w->pool, NULL, NULL, NULL, &w->err));
    assert_true(last_metric(w, fork, "test_rmse") < 3);
}

/* The rows named for a step are the rows it took: with batch=1 and a dataset whose target is the
 * row's number this would be circular, so the walk is checked against the sampler's promise: each
 * training row once in the steps of an epoch. */
static void rows_of_steps(void **state)
{
    World *w = *state;
    int64_t run = submit(w, "linear", "FARE", "MILES", "epochs=2 batch=500 patience=0");
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    RunRow r = run_of(w, run);
    Split split = {.seed = 7};
    OK(split_parse("70/15/15", &split, &w->err));
    uint8_t *seen = calloc(TRIPS, 1);
    size_t all = 0;
    for (int64_t step = 1; step <= r.step / 2; step++) {
        uint64_t *rows;
        size_t n;
        OK(run_rows_of_step(w->s, run, step, NULL, &w->a, &rows, &n, &w->err));
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(split_part(&split, rows[i]), PART_TRAIN);
            assert_int_equal(seen[rows[i]], 0);
            seen[rows[i]] = 1;
        }
        all += n;
    }
    assert_true(all > 1500);
    free(seen);
    uint64_t *rows;
    size_t n;
    says(w, run_rows_of_step(w->s, run, r.step + 1, NULL, &w->a, &rows, &n, &w->err), "has steps 1 to");
}

static void who_asks_for_rows_sees_how_far_it_is_and_may_stop(void **state)
{
    World *w = *state;
    int64_t run = submit(w, "linear", "FARE", "MILES", "epochs=1 batch=500"), of;
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    Progress p = {0};
    StepRow *rows;
    size_t n;
    OK(run_losses_of_step(w->s, run, 2, &p, &w->a, &rows, &n, &of, &w->err));
    assert_int_equal(n, 500);
    assert_string_equal(atomic_load(&p.what), "weighing the rows");
    assert_int_equal(atomic_load(&p.done), 500);
    assert_int_equal(atomic_load(&p.total), 500);
    assert_true(atomic_load(&p.since) > 0 && atomic_load(&p.since) <= clock_now());
    stop_ask(&p.stop);
    assert_false(run_losses_of_step(w->s, run, 2, &p, &w->a, &rows, &n, &of, &w->err));
    assert_int_equal(w->err.kind, ERROR_STOP);
    assert_null(strstr(w->err.text, "resume")); /* the run has ended: it is the question that is stopped */
}

/* No validation rows: the training loss is watched; no test rows: no test metrics; more batch than
 * rows: one step an epoch. */
static void odd_splits(void **state)
{
    World *w = *state;
    const char *splits[] = {"100/0/0", "80/0/20", "80/20/0", "1/49/50"};
    for (size_t i = 0; i < 4; i++) {
        RunSpec spec;
        run_spec_init(&spec, model_family("linear"));
        OK(run_spec_set(&spec, "epochs", "3", &w->err));
        OK(run_spec_set(&spec, "batch", "1000", &w->err));
        spec.dataset = "trips", spec.target = "FARE", spec.features = "MILES",
        spec.split = splits[i];
        int64_t run = run_submit(w->s, &spec, &w->err);
        OK(run);
        OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
        RunRow r = run_of(w, run);
        assert_int_equal(r.status, RUN_FINISHED);
        assert_string_equal(r.monitor, i < 2 ? "epoch_train_loss" : "val_loss");
        assert_int_equal(isfinite(last_metric(w, run, "test_rmse")) != 0, i == 1 || i == 3);
        if (i == 3)
            assert_int_equal(r.step, 3);
        run_spec_release(&spec);
    }
}

/* ---- lineage: a dataset made by a recipe, and a run with one more ------------------------------------- */

static void derive(World *w, const char *from, const char *to, const char *text)
{
    DatasetRow d;
    OK(store_dataset_find(w->s, from, &w->a, &d, &w->err));
    Dataset *raw = dataset_open(store_path(w->s, &w->a, "datasets/%s.arrow", d.hash), &w->err);
    OK(raw);
    Recipe *r = recipe_create();
    OK(recipe_parse(r, text, &w->err));
    Plan *p = plan_create(r, dataset_schema(raw), &w->err);
    OK(p);
    OK(plan_fit(p, raw, NULL, NULL, NULL, &w->err));
    ApplyReport *report = calloc(1, sizeof *report);
    OK(plan_apply_dataset(p, raw, store_path(w->s, &w->a, "datasets"), NULL, NULL, report,
                          &w->err));
    json_t *fitted = plan_to_json(p);
    char *plan = json_dumps(fitted, JSON_REAL_PRECISION(17));
    const Schema *s = plan_schema(p);
    ColumnRow *c = ARENA_NEW(&w->a, ColumnRow, s->count);
    for (size_t i = 0; i < s->count; i++)
        c[i] = (ColumnRow){.name = s->field[i].name,
                           .type = column_type_name(s->field[i].type),
                           .role = role_name(s->field[i].role)};
    DatasetRow row = {
        .hash = report->hash, .name = to, .parent = d.hash, .recipe = text, .plan = plan};
    OK(store_dataset_add(w->s, &row, c, s->count, &w->err));
    free(plan);
    json_decref(fitted);
    free(report);
    plan_destroy(p);
    recipe_destroy(r);
    dataset_close(raw);
}

static double *score_all(World *w, Bundle *b, const char *name, size_t first, size_t *n)
{
    DatasetRow d;
    OK(store_dataset_find(w->s, name, &w->a, &d, &w->err));
    Dataset *data = dataset_open(store_path(w->s, &w->a, "datasets/%s.arrow", d.hash), &w->err);
    OK(data);
    double *v = ARENA_NEW(&w->a, double, dataset_rows(data));
    *n = 0;
    for (size_t i = 0; i < dataset_chunks(data); i++) {
        Arena a = {0};
        Chunk c;
        Prediction *p;
        dataset_chunk(data, i, &a, &c);
        OK(bundle_score(b, &c, first, &a, &p, &w->err));
        for (size_t k = 0; k < c.rows; k++)
            if (p[k].kept)
                v[(*n)++] = p[k].value;
        arena_release(&a);
    }
    dataset_close(data);
    return v;
}

static void lineage(void **state)
{
    World *w = *state;
    derive(w, "trips", "some", "drop where MILES < 2\nderive twice = MILES * 2\n");
    derive(w, "some", "fewer", "drop where MINUTES < 3\n");
    RunSpec spec;
    run_spec_init(&spec, model_family("linear"));
    spec.dataset = "fewer", spec.target = "FARE", spec.features = "twice,MINUTES,nightly";
    spec.recipe = "derive nightly = case when TIME = 'night' then 1 else 0 end\n";
    int64_t run = run_submit(w->s, &spec, &w->err);
    OK(run);
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    const char *path;
    OK(run_bundle_path(w->s, run, &w->a, &path, &w->err));
    Bundle *b = bundle_open(path, NULL, &w->err);
    OK(b);
    assert_int_equal(bundle_plans(b), 3);
    const char *names[] = {"trips", "some", "fewer"};
    double *v[3];
    size_t n[3];
    for (size_t i = 0; i < 3; i++) /* raw rows through all recipes, cleaned ones through the rest */
        v[i] = score_all(w, b, names[i], i, &n[i]);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(n[i], n[2]);
        assert_memory_equal(v[i], v[2], n[2] * sizeof(double));
    }
    assert_string_equal(json_string_value(json_object_get(bundle_about(b), "dataset_name")),
                        "fewer");
    assert_true(
        json_is_number(json_object_get(json_object_get(bundle_about(b), "metrics"), "test_rmse")));
    bundle_close(b);
    run_spec_release(&spec);
}

/* ---- steering: the run is on a second thread ------------------------------------------------------------ */

static void wait_status(World *w, int64_t run, RunStatus status)
{
    double end = clock_now() + 60;
    while (run_of(w, run).status != status) {
        if (clock_now() > end)
            fail_msg("%s was not reached: %s", run_status_name(status),
                     run_status_name(run_of(w, run).status));
        usleep(5000);
    }
}

static void steering(void **state)
{
    World *w = *state;
    Ride r = {.w = w,
              .run = submit(
                  w, "mlp", "FARE", "MILES,MINUTES,TIME",
                  "epochs=100000 batch=32 hidden=64 patience=0 schedule=constant record_every=1")};
    says(w, run_command(w->s, r.run, "set", "hidden", "9", &w->err),
         "can change while a run trains");
    says(w, run_command(w->s, r.run, "set", "optimizer", "sgd", &w->err),
         "cannot change while a run");
    says(w, run_command(w->s, r.run, "set", "lr", "fast", &w->err), "'fast'");
    says(w, run_command(w->s, r.run, "paus", "", "", &w->err), "did you mean pause?");
    pthread_t thread;
    pthread_create(&thread, NULL, ride, &r);
    wait_step(w, r.run, 50);
    OK(run_command(w->s, r.run, "set", "lr", "0.0005", &w->err));
    OK(run_command(w->s, r.run, "set", "batch", "200", &w->err)); /* more than was planned for */
    OK(run_command(w->s, r.run, "pause", "", "", &w->err));
    wait_status(w, r.run, RUN_PAUSED);
    int64_t at = run_of(w, r.run).step;
    usleep(300000);
    assert_int_equal(run_of(w, r.run).step, at);
    OK(run_command(w->s, r.run, "resume", "", "", &w->err));
    wait_step(w, r.run, at + 50);
    assert_true(last_metric(w, r.run, "lr") == .0005);
    OK(run_command(w->s, r.run, "checkpoint", "", "", &w->err));
    OK(run_command(w->s, r.run, "stop", "", "", &w->err));
    pthread_join(thread, NULL);
    if (!r.ok)
        fail_msg("%s", r.err.text);
    RunRow row = run_of(w, r.run);
    assert_int_equal(row.status, RUN_FINISHED);
    assert_non_null(strstr(row.message, "stopped by request at step"));
    assert_true(isfinite(last_metric(w, r.run, "test_rmse")));
    EventRow change = {0};
    assert_int_equal(events_of(w, r.run, "change", &change), 2);
    assert_string_equal(change.text, "batch 32 -> 200");
    assert_true(change.step >= 50 && change.step <= at);
    assert_int_equal(events_of(w, r.run, "pause", NULL), 1);
    assert_int_equal(events_of(w, r.run, "continue", NULL), 1);
    /* the rows of a step after the change are 200, before it 32 */
    uint64_t *rows;
    size_t n;
    OK(run_rows_of_step(w->s, r.run, change.step, NULL, &w->a, &rows, &n, &w->err));
    assert_true(n <= 32);
    OK(run_rows_of_step(w->s, r.run, at + 2, NULL, &w->a, &rows, &n, &w->err));
    assert_true(n > 32);
}

static void abort_then_on(void **state)
{
    World *w = *state;
    Ride r = {.w = w,
              .run = submit(w, "mlp", "FARE", "MILES,MINUTES,TIME",
                            "epochs=60 batch=8 hidden=128,128 patience=0")};
    int64_t whole = submit(w, "mlp", "FARE", "MILES,MINUTES,TIME",
                           "epochs=60 batch=8 hidden=128,128 patience=0");
    pthread_t thread;
    pthread_create(&thread, NULL, ride, &r);
    wait_step(w, r.run, 100);
    OK(run_command(w->s, r.run, "abort", "", "", &w->err));
    pthread_join(thread, NULL);
    if (!r.ok)
        fail_msg("%s", r.err.text);
    RunRow row = run_of(w, r.run);
    assert_int_equal(row.status, RUN_KILLED);
    assert_true(row.step < row.steps_total && row.step >= 100);
    OK(run_execute(w->s, r.run, w->pool, NULL, NULL, NULL, &w->err));
    assert_int_equal(run_of(w, r.run).status, RUN_FINISHED);
    OK(run_execute(w->s, whole, w->pool, NULL, NULL, NULL, &w->err));
    same_curves(w, whole, r.run);
    same_file(w, whole, r.run, "bundle/model.safetensors");
}

/* ---- forks ---------------------------------------------------------------------------------------------- */

static void forks(void **state)
{
    World *w = *state;
    int64_t run = submit(w, "mlp", "FARE", "MILES,MINUTES,TIME",
                         "epochs=10 batch=64 hidden=16 patience=0 schedule=constant");
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    ParamRow more[] = {{"epochs", "20"}, {"lr", "0.01"}}, wide = {"hidden", "32"},
             other = {"optimizer", "sgd"}, typo = {"lrr", "1"};
    says(w, run_fork(w->s, run, -1, NULL, 0, &w->err), "epochs=20");
    says(w, run_fork(w->s, run, -1, &wide, 1, &w->err), "hidden cannot change in a fork");
    says(w, run_fork(w->s, run, -1, &other, 1, &w->err), "optimizer cannot change in a fork");
    says(w, run_fork(w->s, run, -1, &typo, 1, &w->err), "did you mean lr?");
    says(w, run_fork(w->s, run, 3, more, 2, &w->err), "no checkpoint at step 3; there are");
    int64_t fork = run_fork(w->s, run, -1, more, 2, &w->err);
    OK(fork);
    OK(run_execute(w->s, fork, w->pool, NULL, NULL, NULL, &w->err));
    RunRow parent = run_of(w, run), child = run_of(w, fork);
    assert_int_equal(child.parent, run);
    assert_int_equal(child.parent_step, parent.step);
    assert_int_equal(child.status, RUN_FINISHED);
    assert_int_equal(child.epoch, 20);
    assert_int_equal(child.step, 2 * parent.step);
    MetricPoint *p;
    size_t n;
    int64_t cursor = 0;
    OK(store_metrics_since(w->s, fork, "train_loss", &cursor, &w->a, &p, &n, &w->err));
    assert_int_equal(p[0].step, parent.step + 1);
    assert_true(last_metric(w, fork, "lr") == .01);
    /* the parent may go: its fork stands on its own */
    OK(store_run_delete(w->s, run, &w->err));
    OK(dir_remove(store_path(w->s, &w->a, "runs/%lld", (long long)run), &w->err));
    uint64_t *rows;
    OK(run_rows_of_step(w->s, fork, child.parent_step + 1, NULL, &w->a, &rows, &n, &w->err));
    assert_true(n > 0);
}

/* The same bits whatever the number of threads. */
static void threads_do_not_matter(void **state)
{
    World *w = *state;
    const char *settings[] = {"epochs=4 batch=100 hidden=32,16 dropout=0.2 threads=1",
                              "epochs=4 batch=100 hidden=32,16 dropout=0.2 threads=2"};
    int64_t run[2];
    for (int i = 0; i < 2; i++) {
        run[i] = submit(w, "mlp", "FARE", "MILES,MINUTES,TIME", settings[i]);
        OK(run_execute(w->s, run[i], w->pool, NULL, NULL, NULL, &w->err));
    }
    same_curves(w, run[0], run[1]);
    same_file(w, run[0], run[1], "bundle/model.safetensors");
}

static void early_stopping_restores_the_best(void **state)
{
    World *w = *state;
    int64_t run =
        submit(w, "mlp", "FARE", "MILES,MINUTES",
               "epochs=4000 batch=32 hidden=256,256 patience=5 lr=0.003 schedule=constant");
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    RunRow r = run_of(w, run);
    assert_non_null(strstr(r.message, "stopped early"));
    assert_true(r.best_step < r.step);
    MetricPoint *p;
    size_t n;
    int64_t cursor = 0;
    double best = (double)INFINITY;
    int64_t at = 0;
    OK(store_metrics_since(w->s, run, "val_loss", &cursor, &w->a, &p, &n, &w->err));
    for (size_t i = 0; i < n; i++)
        if (p[i].value < best)
            best = p[i].value, at = p[i].step;
    assert_true(best == r.best);
    assert_int_equal(at, r.best_step);
    CheckpointRow *c;
    OK(store_checkpoints(w->s, run, &w->a, &c, &n, &w->err));
    size_t bests = 0;
    for (size_t i = 0; i < n; i++)
        if (c[i].best) {
            assert_int_equal(c[i].step, r.best_step);
            bests++;
        }
    assert_int_equal(bests, 1);
}

int main(void)
{
#define EACH(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        EACH(learns_a_number),
        EACH(learns_classes),
        EACH(a_recipe_goes_with_the_model),
        EACH(refuses_up_front),
        EACH(the_target_by_its_role),
        EACH(divergence_is_named),
        EACH(divergence_keeps_the_best), EACH(what_calms_a_run_is_its_own), EACH(a_validation_row_that_breaks_the_loss_is_named),
        EACH(rows_of_steps),
        EACH(who_asks_for_rows_sees_how_far_it_is_and_may_stop),
        EACH(odd_splits),
        EACH(lineage),
        EACH(steering),
        EACH(abort_then_on),
        EACH(forks),
        EACH(threads_do_not_matter),
        EACH(early_stopping_restores_the_best),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
