/* A step of a run is quiet (quiet.h), of every family: rows gathered, forward, backward, update, points to the
 * recorder; a round of boosting as well. Not in it: what the run does between steps a few times a second. */
#include "quiet.h"

#include "series_world.h"
#include "train/train_int.h"

typedef struct Case {
    const char *family, *target, *settings;
} Case;

/* Batches by rows and, where small, by halves (mlp); every loss that leads to other code. */
static const Case cases[] = {
    {"mlp", "FARE", "batch=32 dropout=0"},
    {"mlp", "LONG", "batch=32 dropout=0 batchnorm=yes"},
    {"mlp", "ZONE", "batch=700 dropout=.2 clip=1 batchnorm=yes optimizer=sgd momentum=.9"},
    {"mlp", "FARE", "batch=700 hidden=512,512"},
    {"tabnet", "FARE", "pretrain=2"},
    {"gbdt", "LONG", ""},
    {"gbdt", "ZONE", ""},
    {"gbdt", "FARE", "loss=absolute"},
    {"gbdt", "FARE", "loss=quantile row_share=.5 column_share=.7"},
    {"gbdt", "FARE", "loss=huber goss=yes lr=.5"},
    {"gbdt", "FARE", "growth=depth depth=6 leaves=0 monotone=MILES:+"},
};

static bool set(RunSpec *spec, const char *settings, Error *err)
{
    char copy[256], *save = NULL;
    bool ok = true;
    snprintf(copy, sizeof copy, "%s", settings);
    for (char *pair = strtok_r(copy, " ", &save); ok && pair; pair = strtok_r(NULL, " ", &save)) {
        char *eq = strchr(pair, '=');
        *eq = 0;
        ok = run_spec_set(spec, pair, eq + 1, err);
    }
    return ok;
}

static int64_t submit_case(Store *s, const Case *c, Error *err)
{
    RunSpec spec;
    bool series = model_family(c->family)->series;
    run_spec_init(&spec, model_family(c->family));
    spec.dataset = series ? "sales" : "trips";
    spec.target = c->target;
    bool ok = set(&spec, series ? "time=when group=shop known=promo window=12 horizon=3" : "", err) &&
              set(&spec, c->settings, err);
    int64_t run = ok ? run_submit(s, &spec, err) : 0;
    run_spec_release(&spec);
    return run;
}

static const char *folder; /* of the workspace; the child opens it for itself */

static void *make(const void *what, Pool *pool)
{
    static Job job;
    Error err = {0};
    Store *s = store_open(folder, STORE_WRITE, &err);
    int64_t run = s ? submit_case(s, what, &err) : 0;
    if (!run || !job_open(&job, s, run, pool ? pool : pool_create(1), &err) ||
        !job_model(&job, (size_t)job.spec.params.batch, &err)) {
        printf("%s\n", err.text);
        return NULL;
    }
    job.record.every = 1;
    return &job;
}

static bool steps(void *made)
{
    Job *j = made;
    Error err = {0};
    bool ok = true;
    for (int i = 0; ok && i < 8; i++) {
        if (sampler_epoch_over(&j->sampler, (size_t)j->spec.params.batch))
            sampler_epoch_next(&j->sampler);
        ok = loop_step(j, &err);
    }
    return ok;
}

static void check(const World *w, const Case *c)
{
    static const Quiet quiet = {make, steps};
    char name[160];
    folder = w->dir;
    snprintf(name, sizeof name, "%s %s %s", c->family, c->target, c->settings);
    for (size_t threads = 1; threads <= 2; threads++)
        assert_quiet(name, &quiet, c, threads);
}

static void every_family_is_quiet(void **state)
{
    World *w = *state;
    dataset_close(add_sales(w, "sales", 200));
    for (size_t i = 0; model_families[i]; i++)
        check(w, &(Case){model_families[i]->name, model_families[i]->series ? "sales" : "FARE", ""});
}

static void whatever_its_settings(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(*state, &cases[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_family_is_quiet, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(whatever_its_settings, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
