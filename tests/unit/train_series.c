/* train_series -- whole runs of the family of series: learnt, tested by its bundle, steered, forked, killed
 * and gone on with; and what the bundle says comes next. */
#include "series_world.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#define SMALL "time=when group=shop known=promo window=24 horizon=6 quantiles=0.1,0.5,0.9 batch=32 "

static int64_t submit_sales(World *w, const char *settings)
{
    RunSpec spec;
    char copy[512], *save = NULL;
    run_spec_init(&spec, model_family("tft"));
    spec.dataset = "sales", spec.target = "sales", spec.seed = 3;
    snprintf(copy, sizeof copy, "%s", settings);
    for (char *pair = strtok_r(copy, " ", &save); pair; pair = strtok_r(NULL, " ", &save)) {
        char *eq = strchr(pair, '=');
        *eq = 0;
        OK(run_spec_set(&spec, pair, eq + 1, &w->err));
    }
    int64_t run = run_submit(w->s, &spec, &w->err);
    run_spec_release(&spec);
    return run;
}

static Bundle *open_bundle(World *w, int64_t run)
{
    const char *path;
    OK(run_bundle_path(w->s, run, &w->a, &path, &w->err));
    Bundle *b = bundle_open(path, NULL, &w->err);
    OK(b);
    return b;
}

static double worse_of(const Permutation *p, const char *column)
{
    for (size_t i = 0; i < p->columns; i++)
        if (text_equal(p->column[i].column, column))
            return p->column[i].worse;
    fail_msg("no column %s", column);
    return 0;
}

/* The promotion is worth 6, the rain nothing; weights of each kind add up to 1. */
static void explains(World *w, int64_t run)
{
    Explainer *e = explainer_open(w->s, run, 0, w->pool, NULL, &w->err);
    Permutation p;
    Weights looks;
    Dependence d;
    Shap shap;
    OK(e);
    OK(explainer_permutation(e, "mae", 2, 1, NULL, &w->a, &p, &w->err));
    double tested = last_metric(w, run, "test_mae");
    assert_true(fabs(p.base - tested) < 1e-6 * tested);
    assert_true(worse_of(&p, "promo") > 1 && fabs(worse_of(&p, "rain")) < .1);
    assert_true(worse_of(&p, "sales") > -.1); /* its own past is a column too */
    OK(explainer_weights(e, &w->a, &looks, &w->err));
    double past = 0, ahead = 0, fixed = 0, steps = 0, rain = 0, promo = 0;
    for (size_t i = 0; i < looks.columns; i++) {
        const WeightRow *row = &looks.column[i];
        *(row->kind[0] == 'p' ? &past : row->kind[0] == 'a' ? &ahead : &fixed) += row->share;
        rain += text_equal(row->column, "rain") ? row->share : 0;
        promo += text_equal(row->column, "promo") && row->kind[0] == 'a' ? row->share : 0;
        assert_true(row->share >= 0 && row->share <= 1 + 1e-9);
    }
    for (size_t i = 0; i < looks.steps; i++)
        steps += looks.step[i];
    assert_true(fabs(past - 1) < 1e-5 && fabs(ahead - 1) < 1e-5 && fabs(fixed - 1) < 1e-5);
    assert_true(fabs(steps - 1) < 1e-5 && looks.steps == 30 && looks.first == -23);
    printf("promo ahead %.3f, rain %.3f\n", promo, rain);
    says(w, explainer_dependence(e, "promo", NULL, 5, NULL, &w->a, &d, &w->err), "what=weights");
    says(w, explainer_shap(e, NULL, NULL, &w->a, &shap, &w->err), "gbdt can");
    explainer_close(e);
    e = explainer_open(w->s, run, 60, w->pool, NULL, &w->err); /* ten windows */
    OK(e);
    assert_int_equal(explainer_rows(e), 10);
    explainer_close(e);
}

/* The noise has deviation .5 (mean absolute .4); last value and the horizon before know neither the hour nor
 * the promotion. */
static void learns_and_forecasts(void **state)
{
    World *w = *state;
    dataset_close(add_sales(w, "sales", 500));
    int64_t run = submit_sales(w, SMALL "epochs=25 patience=0 lr=0.01");
    OK(run);
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    double mae = last_metric(w, run, "test_mae"), coverage = last_metric(w, run, "test_coverage");
    printf("mae %.3f, last %.3f, before %.3f, coverage %.3f\n", mae,
           last_metric(w, run, "test_mae_last"), last_metric(w, run, "test_mae_before"), coverage);
    assert_true(mae > .3 && mae < .9);
    assert_true(mae < .25 * last_metric(w, run, "test_mae_last"));
    assert_true(mae < .25 * last_metric(w, run, "test_mae_before"));
    assert_true(coverage > .6 && coverage < .97);
    assert_true(fabs(last_metric(w, run, "test_coverage_expected") - .8) < 1e-6);
    assert_true(last_metric(w, run, "test_quantile_loss") < mae);
    assert_true(fabs(last_metric(w, run, "val_mae") - mae) < .4);

    Bundle *b = open_bundle(w, run);
    Forecaster *f = forecaster_create(b, &w->err);
    Chunk c;
    ForecastRow *row;
    size_t n, promoted = 0;
    OK(f);
    sales_chunk(500, 6, &w->a, &c); /* with the promotions to come */
    OK(forecaster_add(f, &c, 0, &w->err));
    OK(forecaster_next(f, &w->a, &row, &n, &w->err));
    assert_int_equal(n, 12);
    double off = 0;
    for (size_t i = 0; i < n; i++) {
        int promo, hour = (int)lround(row[i].time / 3.6e9);
        double rain, sales = sales_at(row[i].group[0] == 'b', hour, &promo, &rain);
        assert_int_equal(hour, 499 + (int)row[i].step);
        assert_true(isnan(row[i].truth) && row[i].row < c.rows);
        assert_true(row[i].quantile[0] <= row[i].value && row[i].value <= row[i].quantile[2]);
        off += fabs(row[i].value - sales) / (double)n;
        promoted += promo;
    }
    assert_true(off < 1.2);
    forecaster_destroy(f);
    /* the past alone: the horizon is made */
    f = forecaster_create(b, &w->err);
    sales_chunk(500, 0, &w->a, &c);
    OK(forecaster_add(f, &c, 0, &w->err));
    OK(forecaster_next(f, &w->a, &row, &n, &w->err));
    assert_int_equal(n, 12);
    for (size_t i = 0; i < n; i++)
        assert_true(isfinite(row[i].value) && row[i].row == UINT64_MAX);
    forecaster_destroy(f);
    Prediction *p;
    says(w, bundle_score(b, &c, 0, &w->a, &p, &w->err), "lathe predict");
    bundle_close(b);
    explains(w, run);
}

static void is_steered_and_forked(void **state)
{
    World *w = *state;
    dataset_close(add_sales(w, "sales", 300));
    Ride r = {.w = w, .run = submit_sales(w, SMALL "epochs=10000 patience=0 record_every=1")};
    pthread_t thread;
    OK(r.run);
    pthread_create(&thread, NULL, ride, &r);
    wait_step(w, r.run, 15);
    OK(run_command(w->s, r.run, "set", "lr", "0.0005", &w->err));
    OK(run_command(w->s, r.run, "set", "batch", "50", &w->err)); /* more than was planned for */
    OK(run_command(w->s, r.run, "pause", "", "", &w->err));
    double end = clock_now() + 60;
    while (run_of(w, r.run).status != RUN_PAUSED && clock_now() < end)
        usleep(3000);
    int64_t at = run_of(w, r.run).step;
    OK(run_command(w->s, r.run, "resume", "", "", &w->err));
    wait_step(w, r.run, at + 15);
    OK(run_command(w->s, r.run, "layers", "", "", &w->err));
    OK(run_command(w->s, r.run, "checkpoint", "", "", &w->err));
    for (end = clock_now() + 60; !events_of(w, r.run, "layers", NULL) && clock_now() < end;)
        usleep(3000);
    OK(run_command(w->s, r.run, "stop", "", "", &w->err));
    pthread_join(thread, NULL);
    if (!r.ok)
        fail_msg("%s", r.err.text);
    assert_int_equal(events_of(w, r.run, "change", NULL), 2);
    assert_int_equal(events_of(w, r.run, "layers", NULL), 1);
    assert_true(isfinite(last_metric(w, r.run, "test_mae")));
    StepRow *rows;
    size_t n;
    int64_t weights;
    OK(run_losses_of_step(w->s, r.run, 5, NULL, &w->a, &rows, &n, &weights, &w->err));
    assert_true(n == 32 && weights >= 0 && rows[0].loss >= rows[n - 1].loss &&
                isfinite(rows[0].loss));
    ParamRow less[] = {{"epochs", "20000"}, {"lr", "0.0001"}};
    int64_t fork = run_fork(w->s, r.run, -1, less, 2, &w->err);
    OK(fork);
    Ride f = {.w = w, .run = fork};
    int64_t begin = run_of(w, fork).parent_step;
    pthread_create(&thread, NULL, ride, &f);
    wait_step(w, fork, begin + 5);
    OK(run_command(w->s, fork, "stop", "", "", &w->err));
    pthread_join(thread, NULL);
    if (!f.ok)
        fail_msg("%s", f.err.text);
    assert_true(run_of(w, fork).parent == r.run);
}

/* Its process dies after the first epoch that has a checkpoint behind it. */
static void die_in_the_middle(void *context, const RunNews *news)
{
    bool *kept = context;
    *kept |= text_equal(news->kind, "checkpoint");
    if (*kept && text_equal(news->kind, "epoch"))
        raise(SIGKILL);
}

/* Killed in the middle, gone on with: the same curves and the same bits of weights. */
static void goes_on_after_a_kill(void **state)
{
    World *w = *state;
    const char *settings = SMALL "epochs=6 patience=0 dropout=0.2 checkpoint_seconds=0.02";
    dataset_close(add_sales(w, "sales", 300));
    int64_t whole = submit_sales(w, settings), torn = submit_sales(w, settings);
    OK(run_execute(w->s, whole, w->pool, NULL, NULL, NULL, &w->err));
    pid_t child = fork();
    if (child == 0) {
        Error err = {0};
        bool kept = false;
        Store *s = store_open(w->dir, STORE_WRITE, &err);
        Pool *pool = pool_create(1);
        run_execute(s, torn, pool, die_in_the_middle, &kept, NULL, &err);
        _exit(0);
    }
    int ended;
    waitpid(child, &ended, 0);
    assert_true(WIFSIGNALED(ended));
    OK(run_reap(w->s, &w->err) >= 0);
    OK(run_execute(w->s, torn, w->pool, NULL, NULL, NULL, &w->err));
    assert_int_equal(events_of(w, torn, "resume", NULL), 1);
    same_curves(w, whole, torn);
    same_file(w, whole, torn, "bundle/model.safetensors");
}

static void refuses_up_front(void **state)
{
    World *w = *state;
    dataset_close(add_sales(w, "sales", 100));
    says(w, submit_sales(w, "window=4"), "time=COLUMN");
    says(w, submit_sales(w, "time=whe"), "did you mean when?");
    says(w, submit_sales(w, "time=when group=shops"), "did you mean shop?");
    says(w, submit_sales(w, "time=when group=shop known=prom"), "known: no column prom, did you mean promo?");
    says(w, submit_sales(w, "time=when loss=poisson"), "loss=poisson does not fit a regression target of a series");
    int64_t run = submit_sales(w, "time=when group=shop window=200");
    OK(run);
    says(w, run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err), "no training windows");
    run = submit_sales(w, "time=when window=4 horizon=2");
    OK(run);
    says(w, run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err), "group=COLUMN");
    run = submit_sales(w, "time=when group=shop window=4 horizon=2 categories=embed onehot_most=0");
    OK(run);
    says(w, run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err), "categories=onehot");
}

static void refuses_to_freeze(World *w, const char *settings, const char *words)
{
    RunRow *rows;
    size_t n;
    says(w, submit_sales(w, settings), words);
    OK(store_runs(w->s, &w->a, &rows, &n, &w->err));
    assert_int_equal(n, 0);
}

/* Whatever the window: to be asked for its layers a model is made of the smallest. */
static void no_run_is_written_down_that_freezes_what_is_not_there(void **state)
{
    World *w = *state;
    dataset_close(add_sales(w, "sales", 100));
#define LONG "time=when window=10000 horizon=10000 "
    refuses_to_freeze(w, LONG "freeze=hidden.0",
                      "freeze: no layer hidden.0; there are past, ahead, encoder, decoder, recurrent, enrich, "
                      "attention, forward, output, head");
    refuses_to_freeze(w, LONG "freeze=static", "freeze: no layer static"); /* a single series */
    refuses_to_freeze(w, LONG "group=shop freeze=fixed", "freeze: no layer fixed; there are static, context, past");
    refuses_to_freeze(w, LONG "group=shop freeze=all", "nothing to learn");
    int64_t run = submit_sales(w, SMALL "epochs=1 freeze=past.select,encoder,context");
    OK(run);
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    says(w, submit_sales(w, SMALL "from=1 freeze=encode"), "freeze: no layer encode; there are");
    OK(submit_sales(w, SMALL "from=1 freeze=encoder"));
}

int main(void)
{
#define EACH(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {EACH(learns_and_forecasts), EACH(is_steered_and_forked),
                                       EACH(goes_on_after_a_kill), EACH(refuses_up_front),
                                       EACH(no_run_is_written_down_that_freezes_what_is_not_there)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
