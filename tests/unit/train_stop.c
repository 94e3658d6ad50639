/* train_stop.c -- a run that is stopped before its first step, or within a long one: it ends as stopped and
 * says so, leaves nothing half-made, and goes on when resumed as if nothing had been. */
#include "model/gbdt_int.h"

#include "train_world.h"

typedef struct Meddle { /* at a piece of news someone asks for a stop */
    World *w;
    const char *at;   /* what the news says then */
    const char *verb; /* asked through the store; NULL: as a signal does */
    int64_t run;
    Stop stop;
    bool done;
} Meddle;

static void meddle(void *context, const RunNews *news)
{
    Meddle *m = context;
    World *w = m->w;
    if (m->done || !news->text || !strstr(news->text, m->at))
        return;
    m->done = true;
    if (m->verb)
        OK(run_command(w->s, m->run, m->verb, "", "", &w->err));
    else
        stop_ask(&m->stop);
}

static int64_t submit_run(World *w, const char *family, const char *settings)
{
    RunSpec spec;
    run_spec_init(&spec, model_family(family));
    spec.dataset = "trips";
    spec.target = "FARE";
    spec.recipe = "impute MILES mean\nclip MINUTES 0 25\n";
    spec.seed = 7;
    OK(run_spec_set(&spec, "epochs", "3", &w->err));
    if (settings)
        OK(run_spec_set(&spec, "batch", settings, &w->err));
    int64_t run = run_submit(w->s, &spec, &w->err);
    OK(run);
    run_spec_release(&spec);
    return run;
}

static bool there(World *w, int64_t run, const char *name)
{
    return file_exists(store_path(w->s, &w->a, "runs/%lld/%s", (long long)run, name));
}

static void stop_at(World *w, const char *family, const char *at, const char *verb, bool fitted)
{
    int64_t plain = submit_run(w, family, NULL), run = submit_run(w, family, NULL);
    Meddle m = {.w = w, .at = at, .verb = verb, .run = run};
    char words[80];
    snprintf(words, sizeof words, "stopped by request while %s", at);
    bool ok = run_execute(w->s, run, w->pool, meddle, &m, &m.stop, &w->err);
    assert_true(m.done);
    assert_int_equal(w->err.kind, ERROR_STOP);
    says(w, ok, words);
    RunRow row = run_of(w, run);
    assert_int_equal(row.status, RUN_KILLED);
    assert_non_null(strstr(row.message, words));
    assert_non_null(strstr(row.message, "lathe runs resume"));
    assert_int_equal(there(w, run, "plan.json"), fitted);
    assert_int_equal(there(w, run, "features.json"), fitted);
    assert_false(there(w, run, "bundle"));
    assert_false(store_commands_pending(w->s, run)); /* the wish is fulfilled: */
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    OK(run_execute(w->s, plain, w->pool, NULL, NULL, NULL, &w->err));
    assert_int_equal(run_of(w, run).status, RUN_FINISHED);
    assert_string_equal(run_of(w, run).message, run_of(w, plain).message);
    same_curves(w, run, plain);
}

static void while_the_plan_is_fitted(void **state)
{
    stop_at(*state, "mlp", "fitting recipe and features", NULL, false);
    stop_at(*state, "mlp", "fitting recipe and features", "stop", false);
}

static void while_rows_are_encoded(void **state)
{
    stop_at(*state, "mlp", "encoding the rows", NULL, true);
    stop_at(*state, "gbdt", "encoding the rows", "stop", true);
    stop_at(*state, "gbdt", "encoding the rows", "abort", true);
}

/* ---- in the middle of a table --------------------------------------------------------------------------- */

typedef struct Counter {
    Progress progress;
    int looks, most; /* at so many looks a stop is asked for */
} Counter;

static void count_look(void *context)
{
    Counter *c = context;
    if (++c->looks == c->most)
        stop_ask(&c->progress.stop);
}

/* Of a table of several chunks: some are done, and then no more. */
static void between_two_chunks(void **state)
{
    World *w = *state;
    enum { CHUNKS = 6, ROWS = 65536 };
    Schema schema = {0};
    char hash[65];
    const char *dir = store_path(w->s, &w->a, "wide");
    schema_add(&schema, "X", COLUMN_REAL, ROLE_FEATURE);
    schema_add(&schema, "Y", COLUMN_REAL, ROLE_TARGET);
    OK(dir_create(dir, &w->err));
    DatasetWriter *out = dataset_writer_create(dir, &schema, NULL, &w->err);
    OK(out);
    for (int chunk = 0; chunk < CHUNKS; chunk++) {
        Arena a = {0};
        Column c[2];
        ColumnBuild *b[2];
        for (int i = 0; i < 2; i++) {
            b[i] = column_build(&a, i ? "Y" : "X", COLUMN_REAL, ROWS);
            for (int row = 0; row < ROWS; row++)
                column_build_real(b[i], (double)(row % 1000 + i));
            column_build_finish(b[i], &c[i]);
        }
        OK(dataset_writer_add(out, &(Chunk){.rows = ROWS, .columns = 2, .column = c}, &w->err));
        arena_release(&a);
    }
    OK(dataset_writer_finish(out, hash, &w->err));
    dataset_writer_destroy(out);
    Dataset *d = dataset_open(arena_printf(&w->a, "%s/%s.arrow", dir, hash), &w->err);
    OK(d);
    assert_int_equal(dataset_chunks(d), CHUNKS);
    Recipe *r = recipe_create();
    OK(recipe_parse(r, "impute X mean", &w->err));
    for (int threads = 0; threads < 2; threads++) {
        Pool *pool = threads ? w->pool : NULL;
        FeatureTable table;
        Plan *plan = plan_create(r, &schema, &w->err);
        OK(plan);
        Counter c = {.most = 3};
        c.progress.look = count_look;
        c.progress.context = &c;
        says(w, plan_fit(plan, d, NULL, pool, &c.progress, &w->err), "stopped on request");
        assert_true(plan_needs_fit(plan));
        assert_true(atomic_load(&c.progress.done) < CHUNKS * ROWS);
        OK(plan_fit(plan, d, NULL, pool, NULL, &w->err));
        Features *f = features_fit(d, plan, NULL, "Y", NULL, 0, NULL, pool, NULL, &w->err);
        OK(f);
        c.looks = 0;
        atomic_store(&c.progress.stop.asked, false);
        says(w, feature_table_create(&table, f, d, plan, NULL, pool, &c.progress, &w->err), "stopped on request");
        assert_true(atomic_load(&c.progress.done) < CHUNKS * ROWS);
        assert_null(table.part[PART_TRAIN].dense);
        Stop other = {0};
        Progress also = {.also = &other};
        stop_ask(&other);
        says(w, feature_table_create(&table, f, d, plan, NULL, pool, &also, &w->err), "stopped on request");
        features_destroy(f);
        plan_destroy(plan);
    }
    recipe_destroy(r);
    dataset_close(d);
    schema_release(&schema);
}

/* ---- in the middle of a round ---------------------------------------------------------------------------- */

enum { ROUND_ROWS = 6000, ROUNDS = 4 };

typedef struct Rows {
    float dense[ROUND_ROWS * 2], target[ROUND_ROWS], out[ROUND_ROWS];
} Rows;

static Model *make_model(World *w, Progress *progress, bool quantile)
{
    const ModelFamily *f = model_family("gbdt");
    ModelShape shape = {.dense = 2, .task = TASK_REGRESSION, .outputs = 1};
    ModelSetup setup = {.seed = 3, .batch_most = ROUND_ROWS, .pool = w->pool, .progress = progress};
    void *p = mem_alloc(f->params_size);
    params_init(f->params, p);
    setup.loss = quantile ? 2 : 0; /* not carried */
    Model *m = model_create(f, p, &shape, &setup, &w->err);
    OK(m);
    params_release(f->params, p);
    mem_free(p);
    return m;
}

/* However late in a round it is stopped: the trees are those of the rounds before, and go on as they would. */
static void within_a_round(void **state)
{
    World *w = *state;
    Rows *x = mem_alloc(sizeof *x);
    Rng rng;
    rng_seed(&rng, 5, 0);
    for (size_t i = 0; i < ROUND_ROWS; i++) {
        x->dense[2 * i] = (float)rng_normal(&rng);
        x->dense[2 * i + 1] = (float)rng_normal(&rng);
        x->target[i] = x->dense[2 * i] * x->dense[2 * i + 1] + 0.1f * (float)rng_normal(&rng);
    }
    Batch b = {.rows = ROUND_ROWS, .dense = x->dense, .target = x->target};
    for (int quantile = 0; quantile < 2; quantile++) {
        float expected[8];
        Counter c = {0};
        c.progress.look = count_look;
        c.progress.context = &c;
        Model *plain = make_model(w, NULL, quantile), *m = make_model(w, &c.progress, quantile);
        StepStats stats;
        for (int i = 0; i < ROUNDS; i++)
            OK(model_step(plain, &b, &(Knobs){.lr = 0.2}, &stats, &w->err));
        model_predict(plain, &b, x->out);
        memcpy(expected, x->out, sizeof expected);
        int stopped = 0;
        for (int i = 0, most = 1; i < ROUNDS; most += 3) {
            c.looks = 0;
            c.most = most;
            if (model_step(m, &b, &(Knobs){.lr = 0.2}, &stats, &w->err)) {
                i++;
                continue;
            }
            assert_int_equal(w->err.kind, ERROR_STOP);
            w->err = (Error){0};
            atomic_store(&c.progress.stop.asked, false);
            stopped++;
        }
        assert_true(stopped > 2);
        model_predict(m, &b, x->out);
        for (size_t i = 0; i < 8; i++)
            assert_true(fabsf(x->out[i] - expected[i]) <= 1e-5f);
        model_destroy(plain);
        model_destroy(m);
    }
    mem_free(x);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        EACH(while_the_plan_is_fitted),
        EACH(while_rows_are_encoded),
        EACH(between_two_chunks),
        EACH(within_a_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
