/* explain.c -- a finished run's model with the rows it is explained on.
 *
 * The rows are those of the run's test part, as its recipe leaves them; of more than asked for, a sample
 * drawn by a hash of the row's number. They are encoded once: to ask what a column does is then to
 * overwrite its few floats and codes. */
#include "explain_int.h"

#include <math.h>
#include <string.h>

#define BLOCK 4096 /* rows predicted at once */

/* ---- reading the rows -------------------------------------------------------------------------------- */

/* Which cleaned rows of a chunk are wanted. */
static size_t wanted(const Explainer *e, const Chunk *c, double share, uint32_t *out)
{
    size_t n = 0;
    for (size_t i = 0; i < c->rows; i++) {
        uint64_t row = chunk_origin(c, i);
        if (split_part(&e->split, row) == e->part &&
            (share >= 1.0 || (double)(hash_bytes(&row, sizeof row, 17) >> 11) * 0x1p-53 < share))
            out[n++] = (uint32_t)i;
    }
    return n;
}

static void keep_rows(Explainer *e, const Chunk *c, const Batch *b)
{
    const ModelShape *s = features_shape(e->features);
    for (size_t i = 0; i < b->rows; i++) {
        if (isnan(b->target[i]))
            continue;
        vec_add(&e->number, chunk_origin(c, i));
        vec_add(&e->target, b->target[i]);
        for (size_t k = 0; k < s->dense; k++)
            vec_add(&e->dense, b->dense[i * s->dense + k]);
        for (size_t k = 0; k < s->codes; k++)
            vec_add(&e->code, b->code[i * s->codes + k]);
        e->rows++;
    }
}

/* Every chunk through the recipe, in order. */
static bool each_chunk(Explainer *e,
                       bool (*take)(Explainer *, const Chunk *, void *, Arena *, Error *),
                       void *context, Progress *progress, Error *err)
{
    Arena a = {0};
    PlanState *state = e->plan ? plan_state_create(e->plan) : NULL;
    bool ok = true;
    for (size_t i = 0; ok && i < dataset_chunks(e->dataset); i++) {
        Chunk raw, c;
        dataset_chunk(e->dataset, i, &a, &raw);
        c = raw;
        ok = (!e->plan || plan_apply(e->plan, state, &raw, &a, &c, err)) &&
             take(e, &c, context, &a, err);
        progress_add(progress, raw.rows);
        if (ok && progress_stopped(progress))
            ok = error_set(err, ERROR_STOP, "stopped by request");
        arena_reset(&a);
    }
    plan_state_destroy(state);
    arena_release(&a);
    return ok;
}

static bool take_rows(Explainer *e, const Chunk *c, void *context, Arena *a, Error *err)
{
    Chunk part;
    Batch b;
    uint32_t *row = ARENA_NEW(a, uint32_t, c->rows + 1);
    size_t n = wanted(e, c, *(const double *)context, row);
    if (!n)
        return true;
    chunk_gather(c, row, n, a, &part);
    if (!features_encode(e->features, &part, true, a, &b, err))
        return false;
    keep_rows(e, &part, &b);
    return true;
}

typedef struct Fetch {
    const char *name;
    size_t at; /* in e->number */
    ColumnBuild *into;
} Fetch;

static void add_value(ColumnBuild *to, const Column *c, size_t row)
{
    size_t n;
    if (!column_has(c, row))
        column_build_missing(to);
    else if (c->type == COLUMN_TEXT) {
        const char *text = column_text(c, row, &n);
        column_build_text(to, text, n);
    } else if (c->type == COLUMN_REAL)
        column_build_real(to, c->real[row]);
    else
        column_build_int(to, c->type == COLUMN_DATE   ? c->day[row]
                             : c->type == COLUMN_BOOL ? bit_get(c->bit, row)
                                                      : c->integer[row]);
}

static bool take_column(Explainer *e, const Chunk *c, void *context, Arena *a, Error *err)
{
    Fetch *f = context;
    const Column *from = chunk_find(c, f->name);
    (void)a;
    if (!from)
        return error_set(err, ERROR_SHAPE, "no column %s in the cleaned rows", f->name);
    for (size_t i = 0; i < c->rows && f->at < e->rows; i++)
        if (chunk_origin(c, i) == e->number.at[f->at]) {
            add_value(f->into, from, i);
            f->at++;
        }
    return true;
}

bool explainer_column(Explainer *e, const char *name, Arena *a, Column *out, Error *err)
{
    size_t input;
    if (!explainer_input(e, name, &input, err))
        return false;
    ColumnType type = features_input_type(e->features, input);
    const Schema *s = e->plan ? plan_schema(e->plan) : dataset_schema(e->dataset);
    size_t field = schema_find(s, name);
    if (field != SIZE_MAX)
        type = s->field[field].type;
    Fetch fetch = {.name = name, .into = column_build(a, name, type, e->rows + 1)};
    if (!each_chunk(e, take_column, &fetch, NULL, err))
        return false;
    column_build_finish(fetch.into, out);
    return true;
}

/* ---- asking the model ---------------------------------------------------------------------------------- */

Batch explainer_batch(const Explainer *e)
{
    return (Batch){
        .rows = e->rows, .dense = e->dense.at, .code = e->code.at, .target = e->target.at};
}

void explainer_predict(Explainer *e, const Batch *b)
{
    const ModelShape *s = features_shape(e->features);
    bool number = s->task == TASK_REGRESSION;
    size_t wide = s->series ? series_floats(s->series) : s->dense;
    for (size_t from = 0; from < b->rows; from += BLOCK) {
        size_t n = b->rows - from < BLOCK ? b->rows - from : BLOCK;
        Batch part = {.rows = n,
                      .dense = b->dense ? b->dense + from * wide : NULL,
                      .code = b->code ? b->code + from * s->codes : NULL};
        bundle_predict(e->bundle, &part, e->out + from * s->outputs);
    }
    if (s->series) {
        explainer_series_values(e, b->rows);
        return;
    }
    model_scores_to_outputs(s, e->out, b->rows);
    for (size_t i = 0; i < b->rows * s->outputs; i++)
        e->value[i] =
            number ? features_target_value(e->features, (double)e->out[i]) : (double)e->out[i];
}

bool explainer_input(const Explainer *e, const char *column, size_t *input, Error *err)
{
    size_t n = features_inputs(e->features);
    const char **names = mem_alloc(sizeof *names * (n + 1));
    for (*input = 0; *input < n; ++*input) {
        names[*input] = features_input(e->features, *input);
        if (text_equal(names[*input], column))
            break;
    }
    if (*input == n) {
        const char *near = text_nearest(column, names, n);
        error_set(err, ERROR_USAGE, "the model reads no column %s%s%s%s", column,
                  near ? ", did you mean " : "", near ? near : "", near ? "?" : "");
    }
    mem_free(names);
    return *input < n;
}

/* ---- life ------------------------------------------------------------------------------------------------- */

static bool open_parts(Explainer *e, Store *s, int64_t run, Error *err)
{
    DatasetRow from;
    const char *path;
    if (!store_run_get(s, run, &e->arena, &e->row, err) ||
        !run_bundle_path(s, run, &e->arena, &path, err) ||
        !store_dataset_find(s, e->row.dataset, &e->arena, &from, err))
        return false;
    e->split.seed = (uint64_t)e->row.seed;
    e->bundle = bundle_open(path, e->pool, err);
    e->dataset = e->bundle
                     ? dataset_open(store_path(s, &e->arena, "datasets/%s.arrow", from.hash), err)
                     : NULL;
    if (!e->dataset || !split_parse(e->row.split, &e->split, err))
        return false;
    e->features = bundle_features(e->bundle);
    if (features_time(e->features)) /* series are parted by their time */
        e->split.by = features_time(e->features);
    if (!split_bind(&e->split, e->dataset, err))
        return false;
    if (*e->row.recipe && bundle_plans(e->bundle))
        e->plan = bundle_plan(e->bundle, bundle_plans(e->bundle) - 1);
    return true;
}

static bool read_rows(Explainer *e, uint64_t rows_most, Progress *progress, Error *err)
{
    static const Part parts[] = {PART_TEST, PART_VALID, PART_TRAIN};
    if (features_time(e->features))
        return explainer_read_series(e, rows_most, err);
    uint64_t all = dataset_rows(e->dataset);
    for (size_t i = 0; i < 3 && !e->rows; i++) {
        e->part = parts[i];
        double expected = (double)all * e->split.share[e->part];
        double share =
            rows_most && expected > (double)rows_most ? (double)rows_most / expected : 1.0;
        progress_begin(progress, "reading", "rows", all);
        if (e->split.share[e->part] > 0.0 && !each_chunk(e, take_rows, &share, progress, err))
            return false;
    }
    return e->rows > 0 || error_set(err, ERROR_SHAPE, "no rows are left to explain the model on");
}

static bool make_room(Explainer *e, Error *err)
{
    const ModelShape *s = features_shape(e->features);
    size_t n = e->rows * s->outputs + 1;
    e->value = mem_try(n * sizeof *e->value, err);
    e->truth = e->value ? mem_try((e->target.count + 1) * sizeof *e->truth, err) : NULL;
    e->out = e->truth ? mem_try(n * sizeof *e->out, err) : NULL;
    for (size_t i = 0; e->out && i < e->target.count; i++)
        if (!isnan(e->target.at[i])) /* a step of a series may not be known */
            e->truth[e->values++] =
                s->task == TASK_REGRESSION
                    ? features_target_value(e->features, (double)e->target.at[i])
                    : (double)e->target.at[i];
    return e->out != NULL;
}

Explainer *explainer_open(Store *s, int64_t run, uint64_t rows_most, Pool *pool, Progress *progress,
                          Error *err)
{
    Explainer *e = mem_alloc(sizeof *e);
    e->pool = pool;
    if (open_parts(e, s, run, err) && read_rows(e, rows_most, progress, err) && make_room(e, err))
        return e;
    error_in(err, "run %lld", (long long)run);
    explainer_close(e);
    return NULL;
}

void explainer_close(Explainer *e)
{
    if (!e)
        return;
    bundle_close(e->bundle);
    split_release(&e->split);
    dataset_close(e->dataset);
    vec_release(&e->number);
    vec_release(&e->dense);
    vec_release(&e->target);
    vec_release(&e->code);
    mem_free(e->value);
    mem_free(e->truth);
    mem_free(e->out);
    arena_release(&e->arena);
    mem_free(e);
}

const Features *explainer_features(const Explainer *e)
{
    return e->features;
}

size_t explainer_rows(const Explainer *e)
{
    return e->rows;
}

const char *explainer_part(const Explainer *e)
{
    return e->part == PART_TEST ? "test" : e->part == PART_VALID ? "validation" : "training";
}
