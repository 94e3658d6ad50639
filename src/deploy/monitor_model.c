/* monitor_model.c -- what a deployed model is judged against: rows of the table it came from.
 *
 * The reference of drift is a sample of the raw table the model was trained on, with what the model says of each
 * row; where that table is gone, the profile in the bundle stands in for it, column by column. A column weighs
 * what it matters to the model: the gain of a booster's splits, else how much worse the model gets when the column
 * is dealt out anew; what a recipe computes gives its weight to the columns it is computed from. */
#include "watch_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REFERENCE_ROWS 10000
#define WORDS_MOST     1000  /* of a text column, for tests over several columns */
#define WEIGHT_ROWS    1000  /* for permutation importance */

/* ---- datasets without a name --------------------------------------------------------------------------------- */

static Schema schema_of(const Chunk *c, const Column *more)
{
    Schema s = {0};
    for (size_t i = 0; i < c->columns; i++)
        schema_add(&s, c->column[i].name, c->column[i].type, ROLE_FEATURE);
    if (more)
        schema_add(&s, more->name, more->type, ROLE_FEATURE);
    return s;
}

Dataset *watch_dataset(Store *store, const Chunk *c, const Column *more, Pool *pool, Error *err)
{
    Arena a = {0};
    char hash[65];
    const char *dir = store_path(store, &a, "watch");
    Schema s = schema_of(c, more);
    Column *column = ARENA_NEW(&a, Column, c->columns + 2);
    for (size_t i = 0; i < c->columns; i++)
        column[i] = c->column[i];
    if (more)
        column[c->columns] = *more;
    Chunk all = {.rows = c->rows, .columns = c->columns + (more != NULL), .column = column};
    Dataset *d = NULL;
    DatasetWriter *w = dir_create(dir, err) ? dataset_writer_create(dir, &s, pool, err) : NULL;
    if (w && dataset_writer_add(w, &all, err) && dataset_writer_finish(w, hash, err)) {
        const char *path = arena_printf(&a, "%s/%s.arrow", dir, hash);
        d = dataset_open(path, err);
        unlink(path); /* mapped it stays until it is closed */
    }
    dataset_writer_destroy(w);
    schema_release(&s);
    arena_release(&a);
    return d;
}

/* ---- which columns, and what they weigh ------------------------------------------------------------------------ */

static bool is_input(const Field *f, const char *target)
{
    return f->role != ROLE_ID && f->role != ROLE_IGNORE && f->role != ROLE_TIMELINE && f->type != COLUMN_TIME &&
           f->type != COLUMN_DATE && !text_equal(f->name, target);
}

static void list_inputs(WatchModel *m)
{
    const Schema *s = bundle_schema(m->bundle);
    m->input = ARENA_NEW(&m->arena, WatchInput, s->count + 1);
    for (size_t i = 0; i < s->count; i++)
        if (is_input(&s->field[i], m->target))
            m->input[m->inputs++] = (WatchInput){.name = s->field[i].name, .type = s->field[i].type};
}

const WatchInput *watch_input(const WatchModel *m, const char *name)
{
    for (size_t i = 0; i < m->inputs; i++)
        if (strcmp(m->input[i].name, name) == 0)
            return &m->input[i];
    return NULL;
}

/* Does the word stand in the line, not as a part of a longer one? */
static bool mentions(const char *line, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = line; (at = strcasestr(at, word)); at++) {
        char before = at == line ? ' ' : at[-1], after = at[n];
        bool joins_before = before == '_' || (before >= '0' && before <= '9') || ((before | 32) >= 'a' && (before | 32) <= 'z');
        bool joins_after = after == '_' || (after >= '0' && after <= '9') || ((after | 32) >= 'a' && (after | 32) <= 'z');
        if (!joins_before && !joins_after)
            return true;
    }
    return false;
}

/* What a model gained by a column goes to the raw inputs it is made of: itself, or those that stand in a rule
 * beside it. */
static void give_weight(WatchModel *m, const char *column, double weight)
{
    WatchInput *itself = (WatchInput *)(uintptr_t)watch_input(m, column);
    if (itself) {
        itself->weight += weight;
        return;
    }
    bool *part = mem_alloc((m->inputs + 1) * sizeof *part);
    size_t parts = 0;
    for (size_t i = 0; i < bundle_plans(m->bundle); i++) {
        json_t *saved = plan_to_json(bundle_plan(m->bundle, i));
        char *text = text_copy(json_string_value(json_object_get(saved, "recipe"))), *rest = text, *line;
        while (rest && (line = strsep(&rest, "\n")))
            for (size_t k = 0; k < m->inputs; k++)
                if (!part[k] && mentions(line, column) && mentions(line, m->input[k].name)) {
                    part[k] = true;
                    parts++;
                }
        mem_free(text);
        json_decref(saved);
    }
    for (size_t k = 0; k < m->inputs; k++)
        if (part[k])
            m->input[k].weight += weight / (double)parts;
    mem_free(part);
}

/* "PAYMENT=Cash", "PICKUP hour": an input of the model -> the column it was made of. */
static const char *column_of(const WatchModel *m, const char *input)
{
    const Features *f = bundle_features(m->bundle);
    const char *best = input;
    size_t longest = 0;
    for (size_t i = 0; i < features_inputs(f); i++) {
        const char *name = features_input(f, i);
        if (text_starts(input, name) && strlen(name) > longest) {
            best = name;
            longest = strlen(name);
        }
    }
    return best;
}

static bool weigh_by_gain(WatchModel *m)
{
    const json_t *list = json_object_get(bundle_about(m->bundle), "importance"), *row;
    size_t i;
    json_array_foreach(list, i, row)
    {
        double gain = json_number_value(json_object_get(row, "gain"));
        const char *name = json_string_value(json_object_get(row, "column"));
        if (name && gain > 0)
            give_weight(m, column_of(m, name), gain);
    }
    return json_array_size(list) > 0;
}

static void weigh_by_permutation(WatchModel *m, Store *s, Pool *pool, Progress *progress)
{
    Error none = {0};
    Arena a = {0};
    Permutation p;
    int64_t run = json_integer_value(json_object_get(bundle_about(m->bundle), "run"));
    Explainer *e = explainer_open(s, run, WEIGHT_ROWS, pool, progress, &none);
    if (e && explainer_permutation(e, NULL, 2, 1, progress, &a, &p, &none))
        for (size_t i = 0; i < p.columns; i++)
            give_weight(m, p.column[i].column, fmax(p.column[i].worse, 0));
    explainer_close(e);
    arena_release(&a);
}

static void weigh(WatchModel *m, Store *s, Pool *pool, Progress *progress)
{
    double sum = 0;
    if (!weigh_by_gain(m))
        weigh_by_permutation(m, s, pool, progress);
    for (size_t i = 0; i < m->inputs; i++)
        sum += m->input[i].weight;
    for (size_t i = 0; i < m->inputs; i++)
        m->input[i].weight = sum > 0 ? m->input[i].weight / sum : 1.0 / (double)m->inputs;
}

/* ---- the reference ---------------------------------------------------------------------------------------------- */

/* What the model says of rows as a column: a number, or the class's name. */
static bool predictions_column(const WatchModel *m, const Prediction *p, size_t n, const char *name, Arena *a, Column *out)
{
    const Features *f = bundle_features(m->bundle);
    bool words = m->shape->task == TASK_MULTICLASS;
    ColumnBuild *b = column_build(a, name, words ? COLUMN_TEXT : COLUMN_REAL, n);
    for (size_t i = 0; i < n; i++) {
        if (!p[i].kept)
            column_build_missing(b);
        else if (words) {
            const char *said = features_class(f, (size_t)p[i].class);
            column_build_text(b, said, strlen(said));
        } else
            column_build_real(b, p[i].value);
    }
    column_build_finish(b, out);
    return true;
}

/* Some rows of a table, drawn by a hash of their number, as one chunk. */
static bool sample_rows(const Dataset *d, size_t most, Arena *a, Chunk *out, Error *err)
{
    double share = (double)most / (double)(dataset_rows(d) ? dataset_rows(d) : 1);
    size_t n = 0, at = 0, columns = dataset_schema(d)->count;
    Chunk *part = ARENA_NEW(a, Chunk, dataset_chunks(d) + 1);
    for (size_t i = 0; i < dataset_chunks(d); i++) {
        Chunk c;
        if (!dataset_read(d, i, a, &c, err))
            return false;
        uint32_t *row = ARENA_NEW(a, uint32_t, c.rows + 1);
        size_t taken = 0;
        for (size_t k = 0; k < c.rows; k++) {
            uint64_t number = c.first + k;
            if (share >= 1 || (double)(hash_bytes(&number, sizeof number, 29) >> 11) * 0x1p-53 < share)
                row[taken++] = (uint32_t)k;
        }
        if (taken)
            chunk_gather(&c, row, taken, a, &part[at++]);
        n += taken;
    }
    Column *column = ARENA_NEW(a, Column, columns + 1);
    for (size_t k = 0; k < columns; k++) {
        const Field *f = &dataset_schema(d)->field[k];
        ColumnBuild *b = column_build(a, f->name, f->type, n);
        for (size_t i = 0; i < at; i++) {
            const Column *c = &part[i].column[k];
            for (size_t row = 0; row < part[i].rows; row++) {
                size_t size;
                if (!column_has(c, row))
                    column_build_missing(b);
                else if (c->type == COLUMN_TEXT) {
                    const char *s = column_text(c, row, &size);
                    column_build_text(b, s, size);
                } else if (c->type == COLUMN_REAL)
                    column_build_real(b, c->real[row]);
                else
                    column_build_int(b, c->type == COLUMN_DATE   ? c->day[row]
                                        : c->type == COLUMN_BOOL ? bit_get(c->bit, row)
                                                                 : c->integer[row]);
            }
        }
        column_build_finish(b, &column[k]);
    }
    *out = (Chunk){.rows = n, .columns = columns, .column = column};
    return dataset_sound(d, err);
}

/* Only the inputs, and, as a chunk without the target, what the model says of them. */
static void inputs_of(const WatchModel *m, const Chunk *c, Arena *a, Chunk *out)
{
    Column *column = ARENA_NEW(a, Column, m->inputs + 1);
    size_t n = 0;
    for (size_t i = 0; i < m->inputs; i++) {
        const Column *from = chunk_find(c, m->input[i].name);
        if (from)
            column[n++] = *from;
    }
    *out = (Chunk){.rows = c->rows, .columns = n, .column = column};
}

static bool reference_of_table(WatchModel *m, Store *s, const Dataset *d, Pool *pool, Error *err)
{
    Arena a = {0};
    Chunk rows, inputs;
    Column said;
    Prediction *p;
    size_t dropped = 0;
    bool ok = sample_rows(d, REFERENCE_ROWS, &a, &rows, err);
    if (ok && (ok = bundle_score(m->bundle, &rows, 0, &a, &p, NULL))) {
        for (size_t i = 0; i < rows.rows; i++)
            dropped += !p[i].kept;
        m->dropped = (double)dropped / (double)(rows.rows ? rows.rows : 1);
        m->has_predictions = dropped < rows.rows;
        predictions_column(m, p, rows.rows, m->prediction, &a, &said);
    }
    if (ok)
        inputs_of(m, &rows, &a, &inputs);
    m->reference = ok ? watch_dataset(s, &inputs, m->has_predictions ? &said : NULL, pool, err) : NULL;
    arena_release(&a);
    return m->reference;
}

/* A table with the quantiles and the frequent words of the profile, as if columns knew nothing of each other. */
static bool reference_of_profile(WatchModel *m, Store *s, Pool *pool, Error *err)
{
    const Profile *p = bundle_profile(m->bundle);
    enum { ROWS = (PROFILE_QUANTILES - 1) * 20 };
    Arena a = {0};
    Column *column = ARENA_NEW(&a, Column, m->inputs + 1);
    size_t n = 0;
    for (size_t i = 0; p && i < m->inputs; i++) {
        const ColumnProfile *c = profile_find(p, m->input[i].name);
        if (!c || c->count == c->missing || (!c->numeric && !c->tops))
            continue;
        ColumnBuild *b = column_build(&a, c->name, c->numeric ? COLUMN_REAL : COLUMN_TEXT, ROWS);
        uint64_t missing = c->missing * ROWS / c->count, all = 0;
        for (size_t k = 0; k < c->tops; k++)
            all += c->top[k].count;
        for (uint64_t row = 0; row < ROWS; row++) {
            double share = ((double)(row - missing) + 0.5) / (double)(ROWS - missing);
            if (row < missing)
                column_build_missing(b);
            else if (c->numeric) {
                double at = share * (PROFILE_QUANTILES - 1), low = floor(at);
                size_t k = (size_t)low;
                column_build_real(b, c->quantile[k] + (at - low) * (c->quantile[k + 1] - c->quantile[k]));
            } else {
                uint64_t seen = 0, wanted = (uint64_t)(share * (double)all);
                size_t k = 0;
                while (k + 1 < c->tops && (seen += c->top[k].count) <= wanted)
                    k++;
                column_build_text(b, c->top[k].value, strlen(c->top[k].value));
            }
        }
        column_build_finish(b, &column[n++]);
    }
    Chunk c = {.rows = ROWS, .columns = n, .column = column};
    m->reference = n ? watch_dataset(s, &c, NULL, pool, err)
                     : (error_set(err, ERROR_SHAPE, "the model says nothing of its reference"), NULL);
    arena_release(&a);
    return m->reference;
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* The distinct words of a text column of the reference, in order; and how often nothing stands there. */
static void learn_column(WatchModel *m, WatchInput *in)
{
    size_t at = schema_find(dataset_schema(m->reference), in->name);
    VEC(char *) words = {0};
    Arena a = {0};
    uint64_t missing = 0;
    for (size_t i = 0; at != SIZE_MAX && i < dataset_chunks(m->reference); i++) {
        Column c;
        dataset_column(m->reference, i, at, &a, &c);
        for (size_t row = 0; row < c.rows; row++) {
            size_t n;
            if (!column_has(&c, row))
                missing++;
            else if (c.type == COLUMN_TEXT) {
                const char *s = column_text(&c, row, &n);
                char *word = arena_raw(&a, n + 1);
                memcpy(word, s, n);
                word[n] = 0;
                vec_add(&words, word);
            }
        }
    }
    in->missing = (double)missing / (double)dataset_rows(m->reference);
    if (words.count)
        qsort(words.at, words.count, sizeof *words.at, by_text);
    in->words.word = ARENA_NEW(&m->arena, char *, WORDS_MOST + 1);
    for (size_t i = 0; i < words.count && in->words.count < WORDS_MOST; i++)
        if (!i || strcmp(words.at[i], words.at[i - 1]) != 0)
            in->words.word[in->words.count++] = arena_text(&m->arena, words.at[i]);
    vec_release(&words);
    arena_release(&a);
}

static void find_reference(WatchModel *m, Store *s, Pool *pool)
{
    Arena a = {0};
    Error why = {0};
    const char *root = json_string_value(json_object_get(bundle_about(m->bundle), "root"));
    Dataset *d = root ? dataset_open(store_path(s, &a, "datasets/%s.arrow", root), &why) : NULL;
    if (!d || !reference_of_table(m, s, d, pool, &why)) {
        snprintf(m->why, sizeof m->why, "%.150s: judged against the profile", why.text);
        reference_of_profile(m, s, pool, &why);
    }
    for (size_t i = 0; m->reference && i < m->inputs; i++)
        learn_column(m, &m->input[i]);
    dataset_close(d);
    arena_release(&a);
}

/* ---- opening ------------------------------------------------------------------------------------------------------ */

/* How many of the bundle's recipes stand before the table the run was given. */
static size_t plans_before(const Bundle *b)
{
    const json_t *about = bundle_about(b);
    const char *recipe = json_string_value(json_object_get(about, "recipe"));
    size_t own = recipe && *recipe && bundle_plans(b) > 0;
    return bundle_plans(b) - own;
}

WatchModel *watch_model_open(Store *s, int64_t model, const DeploySettings *set, Pool *pool, Progress *progress,
                             Error *err)
{
    WatchModel *m = mem_alloc(sizeof *m);
    ModelRow row;
    const char *path;
    m->id = model;
    bool ok = store_model_get(s, model, &m->arena, &row, err) && deployment_bundle(s, model, &m->arena, &path, err) &&
              (m->bundle = bundle_open(path, pool, err)) != NULL;
    if (!ok) {
        watch_model_close(m);
        return NULL;
    }
    const Features *f = bundle_features(m->bundle);
    snprintf(m->label, sizeof m->label, "%.64s/%lld", row.name, (long long)row.version);
    m->shape = features_shape(f);
    m->target = features_target(f);
    m->first_plan = plans_before(m->bundle);
    m->prediction = schema_find(bundle_schema(m->bundle), "prediction") == SIZE_MAX ? "prediction" : "prediction of the model";
    list_inputs(m);
    if (!m->shape->series) {
        find_reference(m, s, pool);
        weigh(m, s, pool, progress);
    }
    size_t chunk = set->chunk > 0 ? (size_t)set->chunk : 500;
    if (m->reference && !estimate_fit(m, s, set, chunk, pool, progress, err)) {
        watch_model_close(m);
        return NULL;
    }
    return m;
}

void watch_model_close(WatchModel *m)
{
    if (!m)
        return;
    cbpe_destroy(m->cbpe);
    dle_destroy(m->dle);
    pca_drift_destroy(m->pca);
    dataset_close(m->reference);
    bundle_close(m->bundle);
    arena_release(&m->arena);
    mem_free(m);
}
