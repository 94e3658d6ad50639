/* train_from.c -- training that begins with other weights: taken by name and shape, layers frozen to the
 * bit, features kept or fitted anew, resumed bit for bit, mismatches named. */
#include "train_world.h"

static void train(World *w, int64_t run)
{
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
}

/* One tensor's bytes of a run's model; the run's whole file is left in `bytes`. */
static const float *tensor(World *w, int64_t run, const char *name, Text *bytes, size_t *n)
{
    text_reset(bytes);
    OK(file_read(store_path(w->s, &w->a, "runs/%lld/bundle/model.safetensors", (long long)run),
                 bytes, 1 << 28, &w->err));
    uint64_t length;
    memcpy(&length, bytes->at, 8);
    json_t *header = json_loadb(bytes->at + 8, length, 0, NULL);
    json_t *at = json_object_get(json_object_get(header, name), "data_offsets");
    size_t from = (size_t)json_integer_value(json_array_get(at, 0));
    *n = (size_t)json_integer_value(json_array_get(at, 1)) - from;
    assert_true(*n > 0);
    json_decref(header);
    return (const float *)(const void *)(bytes->at + 8 + length + from);
}

static bool same_tensor(World *w, int64_t one, int64_t two, const char *name)
{
    Text a = {0}, b = {0};
    size_t n, m;
    const float *x = tensor(w, one, name, &a, &n), *y = tensor(w, two, name, &b, &m);
    bool same = n == m && memcmp(x, y, n) == 0;
    text_release(&a);
    text_release(&b);
    return same;
}

static const char *const columns = "MILES,MINUTES,TIME";

static int64_t parent(World *w, const char *family, const char *settings)
{
    int64_t run = submit(w, family, "FARE", columns, settings);
    train(w, run);
    return run;
}

static void frozen_layers_keep_their_bits(void **state)
{
    World *w = *state;
    int64_t old = parent(w, "mlp", "epochs=6 hidden=16,8 batchnorm=yes");
    int64_t new = submit(w, "mlp", "FARE", "",
                         "from=last epochs=3 hidden=16,8 batchnorm=yes freeze=all,-head");
    train(w, new);
    const char *const kept[] = {"hidden.0.weight", "hidden.0.bias", "norm.0.weight",
                                "norm.1.running_mean", "hidden.1.weight"};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        assert_true(same_tensor(w, old, new, kept[i]));
    assert_false(same_tensor(w, old, new, "head.weight"));
    ParamRow *p;
    size_t n;
    OK(store_run_params(w->s, new, &w->a, &p, &n, &w->err));
    char id[24];
    snprintf(id, sizeof id, "%lld", (long long)old);
    bool told = false;
    for (size_t i = 0; i < n; i++)
        told |= text_equal(p[i].key, "from") && text_equal(p[i].value, id);
    assert_true(told); /* "last" by its number */
    EventRow note = {0};
    events_of(w, new, "note", &note);
    assert_non_null(strstr(note.text, "frozen: all,-head"));
    assert_non_null(strstr(note.text, "encoders kept"));
}

/* Weights that were good stay good: the first loss of the child is near the last of the parent. */
static void begins_where_the_other_ended(void **state)
{
    World *w = *state;
    int64_t old = parent(w, "mlp", "epochs=20 hidden=32 lr=0.01");
    int64_t new =
        submit(w, "mlp", "FARE", "", "from=last epochs=1 hidden=32 lr=1e-6 schedule=constant");
    train(w, new);
    double then = last_metric(w, old, "test_rmse"), now = last_metric(w, new, "test_rmse");
    if (fabs(then - now) > .01 * then)
        fail_msg("test_rmse %g after %g", now, then);
    same_file(w, old, new, "features.json");
}

static void mismatches_are_named(void **state)
{
    World *w = *state;
    parent(w, "mlp", "epochs=1 hidden=16");
    int64_t run = submit(w, "mlp", "FARE", "", "from=last hidden=24");
    says(w, run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err),
         "tensor hidden.0.weight: the file has F32 [4,16], this model's hyperparameters and "
         "columns make "
         "it F32 [4,24]");
    run = submit(w, "mlp", "FARE", "", "from=1 hidden=16 renew=haed epochs=1");
    says(w, run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err),
         "renew: no layer haed; the first of the model's is hidden.0.weight");
    run = submit(w, "mlp", "LONG", columns, "from=1 hidden=16 encoders=fit renew=head epochs=2");
    train(w, run); /* another target, the same trunk */
    RunSpec spec;
    run_spec_init(&spec, model_family("mlp"));
    spec.dataset = "trips";
    spec.target = "LONG";
    spec.features = "";
    OK(run_spec_set(&spec, "from", "1", &w->err));
    says(w, run_submit(w->s, &spec, &w->err), "it predicts FARE, not LONG");
    spec.target = "FARE";
    spec.features = "MILES";
    says(w, run_submit(w->s, &spec, &w->err), "its columns are kept");
    run_spec_release(&spec);
    run_spec_init(&spec, model_family("mlp"));
    spec.dataset = "trips";
    spec.target = "FARE";
    OK(run_spec_set(&spec, "renew", "head", &w->err));
    says(w, run_submit(w->s, &spec, &w->err), "weights of from=, which is not there");
    run_spec_release(&spec);
    run_spec_init(&spec, model_family("resnet"));
    says(w, run_spec_from(&spec, w->s, "1", &w->err), "weights of a mlp, not of a resnet");
    run_spec_release(&spec);
    run_spec_init(&spec, model_family("mlp"));
    OK(run_spec_from(&spec, w->s, "1", &w->err)); /* and its widths with it */
    SpecRow rows[128];
    Text hidden = {0};
    for (size_t i = 0, n = run_spec_rows(&spec, rows, 128); i < n; i++)
        if (text_equal(rows[i].row->name, "hidden"))
            param_get(rows[i].row, rows[i].settings, &hidden);
    assert_string_equal(text_str(&hidden), "16");
    text_release(&hidden);
    run_spec_release(&spec);
}

static void refuses(World *w, const char *family, const char *from, const char *freeze, const char *words)
{
    RunSpec spec;
    RunRow *rows;
    size_t before, after;
    OK(store_runs(w->s, &w->a, &rows, &before, &w->err));
    run_spec_init(&spec, model_family(family));
    spec.dataset = "trips";
    spec.target = "FARE";
    OK(run_spec_set(&spec, "from", from, &w->err));
    OK(run_spec_set(&spec, "freeze", freeze, &w->err));
    says(w, run_submit(w->s, &spec, &w->err), words);
    run_spec_release(&spec);
    OK(store_runs(w->s, &w->a, &rows, &after, &w->err));
    assert_int_equal(before, after);
}

static void no_run_is_written_down_that_freezes_what_is_not_there(void **state)
{
    World *w = *state;
    int64_t old = parent(w, "mlp", "epochs=2 hidden=16");
    refuses(w, "mlp", "1", "hiden.0", "freeze: no layer hiden.0; there are hidden.0, hidden.1, head");
    refuses(w, "mlp", "1", "all", "nothing to learn");
    refuses(w, "mlp", "1", "embedding", "freeze: no layer embedding"); /* it reads no words */
    refuses(w, "mlp", "", "hiden.0", "freeze: no layer hiden.0; there are");
    refuses(w, "linear", "", "hidden", "freeze: no layer hidden; there are");
    refuses(w, "gbdt", "", "head", "freeze says nothing to a gbdt");
    ParamRow typo = {"freeze", "hiden.0"}, meant[] = {{"freeze", "hidden.0"}, {"epochs", "4"}};
    says(w, run_fork(w->s, old, -1, &typo, 1, &w->err), "done all its 2 epochs");
    ParamRow both[] = {typo, meant[1]};
    says(w, run_fork(w->s, old, -1, both, 2, &w->err), "freeze: no layer hiden.0; there are");
    int64_t fork = run_fork(w->s, old, -1, meant, 2, &w->err);
    OK(fork);
    train(w, fork);
    int64_t words = submit(w, "mlp", "FARE", "", "epochs=1 hidden=16 onehot_most=0 freeze=embedding");
    train(w, words);
}

/* The safetensors export stands alone: its run may be gone. */
static void from_a_file(void **state)
{
    World *w = *state;
    int64_t old = parent(w, "mlp", "epochs=2 hidden=16");
    const char *dir;
    Text bytes = {0};
    OK(run_bundle_path(w->s, old, &w->a, &dir, &w->err));
    Bundle *b = bundle_open(dir, NULL, &w->err);
    OK(b);
    OK(bundle_safetensors(b, &bytes, &w->err));
    bundle_close(b);
    char *path = arena_printf(&w->a, "%s/weights.safetensors", w->dir);
    OK(file_write(path, bytes.at, bytes.count, &w->err));
    const float nan = NAN;
    memcpy(bytes.at + bytes.count - sizeof nan, &nan, sizeof nan);
    char *bad = arena_printf(&w->a, "%s/bad.safetensors", w->dir);
    OK(file_write(bad, bytes.at, bytes.count, &w->err));
    text_release(&bytes);
    int64_t none = submit(w, "mlp", "FARE", "", arena_printf(&w->a, "from=%s hidden=16", bad));
    says(w, run_execute(w->s, none, w->pool, NULL, NULL, NULL, &w->err), "has a number that is not finite");
    char *settings = arena_printf(&w->a, "from=%s hidden=16 epochs=2 freeze=hidden", path);
    int64_t new = submit(w, "mlp", "FARE", "", settings);
    unlink(path);
    train(w, new);
    assert_true(same_tensor(w, old, new, "hidden.0.weight"));
    assert_false(same_tensor(w, old, new, "head.weight"));
}

typedef struct Abort {
    World *w;
    bool done;
} Abort;

static void abort_at_epoch(void *at, const RunNews *news)
{
    Abort *a = at;
    World *w = a->w;
    if (a->done || !text_equal(news->kind, "epoch") || news->epoch < 3)
        return;
    OK(run_command(w->s, news->run, "abort", "", "", &w->err));
    a->done = true;
}

static void resumed_bit_for_bit(void **state)
{
    World *w = *state;
    parent(w, "resnet", "epochs=3 width=16 blocks=2");
    const char *settings =
        "from=1 width=16 blocks=2 epochs=40 patience=0 batch=8 dropout=.1 freeze=first,block.0";
    int64_t whole = submit(w, "resnet", "FARE", "", settings),
            part = submit(w, "resnet", "FARE", "", settings);
    train(w, whole);
    Abort abort = {.w = w};
    OK(run_execute(w->s, part, w->pool, abort_at_epoch, &abort, NULL, &w->err));
    assert_int_equal(run_of(w, part).status, RUN_KILLED);
    train(w, part);
    same_curves(w, whole, part);
    same_file(w, whole, part, "bundle/model.safetensors");
    assert_true(same_tensor(w, 1, part, "block.0.norm.running_var"));
    assert_true(same_tensor(w, 1, part, "block.0.in.weight"));
    assert_false(same_tensor(w, 1, part, "block.1.in.weight"));
}

/* Through XGBoost's file and back: it is known by what it was trained, and predicts what it did. */
static void trees_of_rates_through_xgboost(void **state)
{
    World *w = *state;
    const char *numbers = "MILES,MINUTES";
    int64_t old = submit(w, "gbdt", "FARE", numbers, "epochs=8 loss=tweedie tweedie_power=1.3");
    train(w, old);
    const char *dir;
    Text bytes = {0};
    json_t *notes = json_array();
    OK(run_bundle_path(w->s, old, &w->a, &dir, &w->err));
    Bundle *b = bundle_open(dir, NULL, &w->err);
    OK(b);
    OK(bundle_xgboost(b, &bytes, notes, &w->err));
    bundle_close(b);
    assert_int_equal(json_array_size(notes), 0);
    json_decref(notes);
    char *path = arena_printf(&w->a, "%s/trees.json", w->dir);
    OK(file_write(path, bytes.at, bytes.count, &w->err));
    RunSpec spec;
    run_spec_init(&spec, model_family("gbdt"));
    spec.dataset = "trips", spec.target = "FARE", spec.features = numbers, spec.seed = 7; /* the same rows */
    OK(run_spec_from(&spec, w->s, path, &w->err));
    OK(run_spec_set(&spec, "lr", "1e-9", &w->err));
    OK(run_spec_set(&spec, "epochs", "1", &w->err));
    assert_true(fabs(spec.params.tweedie_power - 1.3) < 1e-6);
    int64_t new = run_submit(w->s, &spec, &w->err);
    OK(new);
    train(w, new);
    double then = last_metric(w, old, "test_rmse"), now = last_metric(w, new, "test_rmse");
    if (!(fabs(then - now) <= 1e-4 * then))
        fail_msg("test_rmse %g after %g", now, then);
    assert_true(last_metric(w, new, "test_tweedie_deviance") > 0.0);
    run_spec_release(&spec);
    run_spec_init(&spec, model_family("gbdt"));
    OK(file_write(path, bytes.at, bytes.count / 2, &w->err));
    says(w, run_spec_from(&spec, w->s, path, &w->err), "not whole JSON");
    run_spec_release(&spec);
    run_spec_init(&spec, model_family("mlp"));
    says(w, run_spec_from(&spec, w->s, path, &w->err), "nothing for a mlp");
    run_spec_release(&spec);
    text_release(&bytes);
}

/* A booster goes on: the old trees stay, new ones are added. */
static void trees_go_on(void **state)
{
    World *w = *state;
    int64_t old = parent(w, "gbdt", "epochs=5 patience=0");
    int64_t new = submit(w, "gbdt", "FARE", "", "from=last epochs=5 patience=0");
    int64_t whole = submit(w, "gbdt", "FARE", columns, "epochs=10 patience=0");
    train(w, new);
    train(w, whole);
    Text a = {0}, b = {0};
    size_t n, m;
    const float *x = tensor(w, old, "tree.nodes", &a, &n),
                *y = tensor(w, new, "tree.nodes", &b, &m);
    assert_int_equal(m, 2 * n);
    assert_memory_equal(x, y, n);
    text_release(&a);
    text_release(&b);
    double then = last_metric(w, old, "test_rmse"), now = last_metric(w, new, "test_rmse");
    assert_true(now < then);
    assert_true(fabs(now - last_metric(w, whole, "test_rmse")) < .05 * now);
    RunSpec spec;
    static const char *const nothing[] = {"freeze", "renew"};
    for (size_t i = 0; i < 2; i++) {
        run_spec_init(&spec, model_family("gbdt"));
        spec.dataset = "trips", spec.target = "FARE";
        OK(run_spec_set(&spec, nothing[i], "head", &w->err));
        says(w, run_submit(w->s, &spec, &w->err), "says nothing to a gbdt");
        run_spec_release(&spec);
    }
}

int main(void)
{
#define EACH(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        EACH(frozen_layers_keep_their_bits), EACH(begins_where_the_other_ended),
        EACH(mismatches_are_named),          EACH(from_a_file),
        EACH(no_run_is_written_down_that_freezes_what_is_not_there),
        EACH(resumed_bit_for_bit),           EACH(trees_go_on),
        EACH(trees_of_rates_through_xgboost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
