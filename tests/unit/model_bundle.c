/* model_bundle.c -- the bundle: scoring is the training path, one row is many, damage is told. */
#include "made_table.h"

#include <lathe/model.h>

static char dir[64];
static Dataset *trips;
static const Split split = {.share = {0.7, 0.15, 0.15}, .seed = 3};

static int open_trips(void **state)
{
    (void)state;
    made_folder(dir, sizeof dir);
    trips = made_dataset(dir, &(MadeTable){.rows = 8000, .seed = 2, .fare_missing = 0.01});
    return 0;
}

static int close_trips(void **state)
{
    (void)state;
    dataset_close(trips);
    return dir_remove(dir, NULL) ? 0 : -1;
}

/* Everything a bundle is made of, trained for a moment. */
typedef struct Trained {
    Plan *plan[2];
    Features *features;
    void *params;
    Model *model;
    char path[128];
} Trained;

static const char *const recipes[] = {
    "keep miles between 0 and 8\nimpute miles median\n",
    "drop missing fare\nderive far = miles * 2 + seats\ndrop where seats = 4\n",
};

static Plan *must_plan(const char *text, const Schema *in)
{
    Error err = {0};
    Recipe *r = recipe_create();
    Plan *p = recipe_parse(r, text, &err) ? plan_create(r, in, &err) : NULL;
    recipe_destroy(r);
    if (!p)
        fail_msg("%s", err.text);
    return p;
}

/* The second recipe is fitted by nothing; the first needs a median of the training rows. */
static void make_plans(Trained *t)
{
    Error err = {0};
    t->plan[0] = must_plan(recipes[0], dataset_schema(trips));
    if (!plan_fit(t->plan[0], trips, &split, NULL, NULL, &err))
        fail_msg("%s", err.text);
    t->plan[1] = must_plan(recipes[1], plan_schema(t->plan[0]));
}

/* The table after the first recipe, as `clean` leaves it. */
static Dataset *cleaned_table(const Plan *p)
{
    Error err = {0};
    Arena a = {0};
    char hash[65], path[256];
    DatasetWriter *w = dataset_writer_create(dir, plan_schema(p), NULL, &err);
    for (size_t i = 0; i < dataset_chunks(trips); i++) {
        Chunk raw, clean;
        dataset_chunk(trips, i, &a, &raw);
        assert_true(plan_apply(p, NULL, &raw, &a, &clean, &err));
        assert_true(dataset_writer_add(w, &clean, &err));
        arena_reset(&a);
    }
    assert_true(dataset_writer_finish(w, hash, &err));
    dataset_writer_destroy(w);
    arena_release(&a);
    snprintf(path, sizeof path, "%s/%s.arrow", dir, hash);
    Dataset *d = dataset_open(path, &err);
    assert_non_null(d);
    return d;
}

#define STEPS 6 /* enough that weights and moments are not those it began with */

static void train(Trained *t, const char *family, const char *target, Pool *pool)
{
    Error err = {0};
    FeatureTable table;
    *t = (Trained){0};
    make_plans(t);
    snprintf(t->path, sizeof t->path, "%s/bundle-%s-%s", dir, family, target);
    Dataset *cleaned = cleaned_table(t->plan[0]);
    t->features =
        features_fit(cleaned, t->plan[1], &split, target, NULL, 0, NULL, pool, NULL, &err);
    if (!t->features)
        fail_msg("%s", err.text);
    assert_true(
        feature_table_create(&table, t->features, cleaned, t->plan[1], &split, pool, NULL, &err));
    const ModelFamily *f = model_family(family);
    assert_non_null(f);
    t->params = mem_alloc(f->params_size);
    params_init(f->params, t->params);
    ModelSetup setup = {.seed = 1,
                        .batch_most = 64,
                        .optimizer = 1,
                        .beta1 = 0.9,
                        .beta2 = 0.999,
                        .epsilon = 1e-8,
                        .pool = pool};
    t->model = model_create(f, t->params, features_shape(t->features), &setup, &err);
    if (!t->model)
        fail_msg("%s", err.text);
    const ModelShape *s = features_shape(t->features);
    const Batch *all = &table.part[PART_TRAIN];
    for (size_t at = 0; at + 64 <= all->rows && at < 64 * STEPS; at += 64) {
        Batch b = batch_slice(all, s, at, 64);
        StepStats stats;
        assert_true(model_step(t->model, &b, &(Knobs){.lr = 0.01, .momentum = 0.9}, &stats, &err));
    }
    feature_table_release(&table);
    dataset_close(cleaned);
}

static void save(const Trained *t)
{
    Error err = {0};
    json_t *about = json_pack("{s:i, s:s}", "run", 7, "dataset", dataset_hash(trips));
    BundleParts parts = {.schema = dataset_schema(trips),
                         .plan = (const Plan *const *)t->plan,
                         .plans = 2,
                         .features = t->features,
                         .model = t->model,
                         .params = t->params,
                         .profile = dataset_profile(trips),
                         .about = about};
    if (!bundle_save(t->path, &parts, &err))
        fail_msg("%s", err.text);
    json_decref(about);
}

static void forget(Trained *t)
{
    const ModelFamily *f = model_family_of(t->model);
    model_destroy(t->model);
    params_release(f->params, t->params);
    mem_free(t->params);
    features_destroy(t->features);
    plan_destroy(t->plan[0]);
    plan_destroy(t->plan[1]);
}

static Bundle *must_open(const char *path)
{
    Error err = {0};
    Bundle *b = bundle_open(path, NULL, &err);
    if (!b)
        fail_msg("%s", err.text);
    return b;
}

/* What the training side says of a raw chunk: plans, features, the model in memory. */
static float *training_path(const Trained *t, const Chunk *raw, Arena *a, size_t *rows,
                            const uint64_t **origin)
{
    Error err = {0};
    Chunk first, *second = ARENA_NEW(a, Chunk, 1);
    Batch b;
    const ModelShape *s = features_shape(t->features);
    if (!plan_apply(t->plan[0], NULL, raw, a, &first, &err) ||
        !plan_apply(t->plan[1], NULL, &first, a, second, &err) ||
        !features_encode(t->features, second, true, a, &b, &err))
        fail_msg("%s", err.text);
    float *out = ARENA_NEW(a, float, b.rows * s->outputs + 1);
    b.target = NULL;
    model_predict(t->model, &b, out);
    model_scores_to_outputs(s, out, b.rows);
    *rows = b.rows;
    uint64_t *number = ARENA_NEW(a, uint64_t, b.rows + 1);
    for (size_t i = 0; i < b.rows; i++)
        number[i] = chunk_origin(second, i);
    *origin = number;
    return out;
}

static bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static void assert_same(const Prediction *a, const Prediction *b, size_t classes)
{
    assert_int_equal(a->kept, b->kept);
    assert_int_equal(a->dropped_by, b->dropped_by);
    if (!a->kept)
        return;
    assert_int_equal(a->class, b->class);
    assert_true(same_bits(a->value, b->value));
    assert_true(isnan(a->truth) ? isnan(b->truth) : same_bits(a->truth, b->truth));
    assert_int_equal(a->share != NULL, b->share != NULL);
    if (a->share)
        assert_memory_equal(a->share, b->share, classes * sizeof(float));
}

/* The skew test: what the bundle says of raw rows is what the training path says, to the bit; and
 * each row alone gets the bits it gets among others. */
static void check_scores(const Trained *t, Bundle *b)
{
    Arena a = {0};
    Error err = {0};
    Chunk chunk, raw;
    Prediction *many, *one;
    const ModelShape *s = features_shape(t->features);
    dataset_chunk(trips, 0, &a, &chunk);
    chunk_slice(&chunk, 37, 700, &a, &raw);
    assert_true(bundle_score(b, &raw, 0, &a, &many, &err));
    size_t rows, at = 0, dropped[4] = {0};
    const uint64_t *origin;
    const float *out = training_path(t, &raw, &a, &rows, &origin);
    for (size_t i = 0; i < raw.rows; i++) {
        Chunk row;
        chunk_slice(&raw, i, 1, &a, &row);
        assert_true(bundle_score(b, &row, 0, &a, &one, &err));
        assert_same(&many[i], one, s->classes);
        if (!many[i].kept) {
            assert_in_range(many[i].dropped_by, 1, 5);
            dropped[many[i].dropped_by == 5 ? 2 : many[i].dropped_by == 3]++;
            continue;
        }
        assert_int_equal(origin[at], chunk_origin(&raw, i));
        const float *p = out + at * s->outputs;
        if (s->task == TASK_REGRESSION)
            assert_true(same_bits(many[i].value, features_target_value(t->features, (double)*p)));
        else if (s->task == TASK_BINARY)
            assert_true(same_bits(many[i].value, (double)*p));
        else
            assert_memory_equal(many[i].share, p, s->outputs * sizeof(float));
        assert_true(isfinite(many[i].truth));
        at++;
    }
    assert_int_equal(at, rows);
    assert_true(dropped[0] && dropped[1] && dropped[2]); /* rules 1, 3 and 5 */
    arena_release(&a);
}

static void scores_like_training(void **state)
{
    (void)state;
    static const char *const targets[] = {"fare", "tip", "city"};
    Pool *pool = pool_create(2);
    for (size_t f = 0; model_families[f]; f++)
        for (size_t k = 0; k < 3 && !model_families[f]->series; k++) {
            Trained t;
            train(&t, model_families[f]->name, targets[k], pool);
            save(&t);
            Bundle *b = must_open(t.path);
            check_scores(&t, b);
            assert_string_equal(features_target(bundle_features(b)), targets[k]);
            assert_ptr_equal(bundle_family(b), model_families[f]);
            assert_int_equal(bundle_plans(b), 2);
            assert_int_equal(json_integer_value(json_object_get(bundle_about(b), "run")), 7);
            assert_int_equal(bundle_profile(b)->rows, dataset_rows(trips));
            bundle_close(b);
            forget(&t);
        }
    pool_destroy(pool);
}

/* Rows that are to be predicted have no target: rules on it are skipped, in every recipe. */
static void scores_rows_without_the_target(void **state)
{
    (void)state;
    Trained t;
    train(&t, "linear", "fare", NULL);
    save(&t);
    Bundle *b = must_open(t.path);
    Arena a = {0};
    Error err = {0};
    Chunk chunk;
    Prediction *with, *without;
    dataset_chunk(trips, 0, &a, &chunk);
    chunk_slice(&chunk, 0, 500, &a, &chunk);
    assert_true(bundle_score(b, &chunk, 0, &a, &with, &err));
    Column *rest = ARENA_NEW(&a, Column, chunk.columns);
    size_t n = 0, judged = 0;
    for (size_t i = 0; i < chunk.columns; i++)
        if (strcmp(chunk.column[i].name, "fare") != 0)
            rest[n++] = chunk.column[i];
    Chunk unlabelled = {.rows = chunk.rows, .columns = n, .column = rest};
    if (!bundle_score(b, &unlabelled, 0, &a, &without, &err))
        fail_msg("%s", err.text);
    for (size_t i = 0; i < chunk.rows; i++) {
        assert_true(isnan(without[i].truth));
        if (with[i].kept) {
            assert_true(without[i].kept && same_bits(with[i].value, without[i].value));
            judged++;
        } else if (with[i].dropped_by == 3) { /* drop missing fare */
            assert_true(without[i].kept || without[i].dropped_by == 5);
        }
    }
    assert_true(judged > 200);
    /* rows that went through the first recipe already */
    Chunk cleaned;
    Prediction *rest_of;
    assert_true(plan_apply(t.plan[0], NULL, &chunk, &a, &cleaned, &err));
    assert_true(bundle_score(b, &cleaned, 1, &a, &rest_of, &err));
    for (size_t i = 0; i < cleaned.rows; i++)
        assert_same(&rest_of[i], &with[chunk_origin(&cleaned, i)], 0);
    assert_false(bundle_score(b, &cleaned, 3, &a, &rest_of, &err));
    arena_release(&a);
    bundle_close(b);
    forget(&t);
}

static void saving_again_replaces(void **state)
{
    (void)state;
    Trained t;
    train(&t, "linear", "fare", NULL);
    save(&t);
    save(&t);
    bundle_close(must_open(t.path));
    char beside[256];
    snprintf(beside, sizeof beside, "%s.%ld.new", t.path, (long)getpid());
    assert_false(file_exists(beside));
    forget(&t);
}

static void change_file(const char *folder, const char *name, const char *from, const char *to)
{
    Text text = {0}, path = {0};
    Error err = {0};
    text_printf(&path, "%s/%s", folder, name);
    assert_true(file_read(text_str(&path), &text, 1 << 24, &err));
    char *at = strstr(text_str(&text), from);
    assert_non_null(at);
    Text changed = {0};
    text_add(&changed, text_str(&text), (size_t)(at - text_str(&text)));
    text_puts(&changed, to);
    text_puts(&changed, at + strlen(from));
    assert_true(file_write(text_str(&path), changed.at, changed.count, &err));
    text_release(&text);
    text_release(&path);
    text_release(&changed);
}

static void damage_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *file, *from, *to, *message;
    } changes[] = {
        {"bundle.json", "\"lathe-bundle\"", "\"x\"", "bundle.json: is not a description"},
        {"bundle.json", "\"version\": 1", "\"version\": 9", "written by a newer lathe"},
        {"bundle.json", "\"family\": \"linear\"", "\"family\": \"liner\"", "no family 'liner'"},
        {"bundle.json", "\"dense\": ", "\"dense\": 1", "bundle.json: shape"},
        {"bundle.json", "\"weights\": ", "\"weights\": 1", "bundle.json: weights"},
        {"bundle.json", "\"params\": {", "\"params\": {\"lrr\": \"1\"", "bundle.json: params"},
        {"bundle.json", "{", "[", "bundle.json: line 2"},
        {"bundle.json", "\"recipes.json\"", "\"recipe.json\"", "recipes.json is not listed"},
        {"features.json", "\"inputs\"", "\"inputz\"", "features.json: does not have the checksum"},
        {"recipes.json", "[", "", "recipes.json: has"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        Trained t;
        Error err = {0};
        train(&t, "linear", "fare", NULL);
        save(&t);
        change_file(t.path, changes[i].file, changes[i].from, changes[i].to);
        assert_null(bundle_open(t.path, NULL, &err));
        if (!strstr(err.text, changes[i].message))
            fail_msg("expected '%s' in '%s'", changes[i].message, err.text);
        forget(&t);
    }
    Error err = {0};
    assert_null(bundle_open("/tmp/no/such/bundle", NULL, &err));
    assert_true(err.text[0]);
}

/* Cut anywhere, the weights are refused. */
static void torn_weights_are_refused(void **state)
{
    (void)state;
    Trained t;
    train(&t, "linear", "fare", NULL);
    save(&t);
    char path[256];
    Error err = {0};
    Text all = {0};
    snprintf(path, sizeof path, "%s/model.safetensors", t.path);
    assert_true(file_read(path, &all, 1 << 24, &err));
    for (size_t n = 0; n < all.count; n += 1 + all.count / 20) {
        err = (Error){0};
        assert_true(file_write(path, all.at, n, &err));
        assert_null(bundle_open(t.path, NULL, &err));
        assert_non_null(strstr(err.text, "model.safetensors"));
    }
    text_release(&all);
    forget(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_like_training),
        cmocka_unit_test(scores_rows_without_the_target),
        cmocka_unit_test(saving_again_replaces),
        cmocka_unit_test(damage_is_told),
        cmocka_unit_test(torn_weights_are_refused),
    };
    return cmocka_run_group_tests(tests, open_trips, close_trips);
}
