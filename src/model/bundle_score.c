/* bundle_score.c -- raw rows to predictions: recipes, features, model, and back to raw units.
 *
 * The one function that scores: a chunk after training, a file in `predict`, a request, a form on
 * screen. What it does to a row does not depend on the rows beside it. */
#include "bundle_int.h"
#include "model_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows on their way through the recipes: at[i] is the place of row i in what was asked. */
typedef struct Way {
    Chunk chunk;
    uint32_t *at;
    size_t rules; /* of the recipes behind us */
    bool no_target;
} Way;

/* A recipe gives rows without the target a column of missing values in its place. The next recipe
 * must see that it is not there, or its rules on the target would drop every row. */
static void forget_target(Chunk *c, const Schema *s, Arena *a)
{
    Column *rest = ARENA_NEW(a, Column, c->columns + 1);
    size_t n = 0;
    for (size_t i = 0; i < c->columns; i++) {
        size_t at = schema_find(s, c->column[i].name);
        if (at == SIZE_MAX || s->field[at].role != ROLE_TARGET)
            rest[n++] = c->column[i];
    }
    c->column = rest;
    c->columns = n;
}

static bool lacks_target(const Chunk *c, const Schema *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->field[i].role == ROLE_TARGET && !chunk_find(c, s->field[i].name))
            return true;
    return false;
}

static bool apply_plan(const Bundle *b, size_t plan, Way *way, Prediction *out, Arena *a,
                       Error *err)
{
    Chunk next;
    size_t kept = 0;
    uint16_t *reason = ARENA_NEW(a, uint16_t, way->chunk.rows + 1);
    uint32_t *at = ARENA_NEW(a, uint32_t, way->chunk.rows + 1);
    if (!plan_apply_traced(b->plan[plan], NULL, &way->chunk, a, &next, reason, err))
        return false;
    for (size_t row = 0; row < way->chunk.rows; row++) {
        if (reason[row])
            out[way->at[row]].dropped_by = (uint16_t)(way->rules + reason[row]);
        else
            at[kept++] = way->at[row];
    }
    if (kept != next.rows)
        return error_set(err, ERROR_SHAPE, "recipe %zu: kept %zu rows but gave %zu", plan + 1, kept,
                         next.rows);
    if (way->no_target)
        forget_target(&next, plan_schema(b->plan[plan]), a);
    way->chunk = next;
    way->at = at;
    way->rules += b->rules[plan];
    return true;
}

/* The target is read along where the rows have it in a form that can be compared. */
static bool has_truth(const Bundle *b, const Chunk *c)
{
    const char *target = features_target(b->features);
    const Column *column = target ? chunk_find(c, target) : NULL;
    return column &&
           (features_shape(b->features)->task != TASK_REGRESSION || column->type != COLUMN_TEXT);
}

static int32_t most_likely(const float *share, size_t classes)
{
    size_t best = 0;
    for (size_t i = 1; i < classes; i++)
        if (share[i] > share[best])
            best = i;
    return (int32_t)best;
}

static void fill(const Bundle *b, const float *out, float target, Prediction *p)
{
    const ModelShape *s = features_shape(b->features);
    p->kept = true;
    switch (s->task) {
    case TASK_BINARY:
        p->class = out[0] >= 0.5f;
        p->value = (double)out[0];
        break;
    case TASK_MULTICLASS:
        p->class = most_likely(out, s->classes);
        p->value = (double)out[p->class];
        p->share = out;
        break;
    default:
        p->value = features_target_value(b->features, (double)out[0]);
        p->truth = features_target_value(b->features, (double)target); /* NaN stays NaN */
        return;
    }
    p->truth = (double)target;
}

static bool score_cleaned(Bundle *b, const Way *way, Prediction *out, Arena *a, Error *err)
{
    const ModelShape *s = features_shape(b->features);
    Batch batch;
    bool truth = has_truth(b, &way->chunk);
    if (!features_encode(b->features, &way->chunk, truth, a, &batch, err))
        return false;
    const float *target = batch.target;
    batch.target = NULL;
    float *scores = ARENA_NEW(a, float, batch.rows * s->outputs + 1);
    model_predict(b->model, &batch, scores);
    model_scores_to_outputs(s, scores, batch.rows);
    for (size_t row = 0; row < batch.rows; row++)
        fill(b, scores + row * s->outputs, target ? target[row] : NAN, &out[way->at[row]]);
    return true;
}

bool bundle_clean(const Bundle *b, const Chunk *rows, size_t first_plan, Arena *a, Chunk *out, Error *err)
{
    Prediction *unused = ARENA_NEW(a, Prediction, rows->rows + 1);
    Way way = {.chunk = *rows, .at = ARENA_NEW(a, uint32_t, rows->rows + 1)};
    for (size_t i = 0; i < rows->rows; i++)
        way.at[i] = (uint32_t)i;
    way.no_target =
        lacks_target(rows, first_plan ? plan_schema(b->plan[first_plan - 1]) : &b->schema);
    for (size_t plan = first_plan; plan < b->plans; plan++)
        if (!apply_plan(b, plan, &way, unused, a, err))
            return false;
    *out = way.chunk;
    return true;
}

bool bundle_score(Bundle *b, const Chunk *rows, size_t first_plan, Arena *a, Prediction **out,
                  Error *err)
{
    Prediction *p = ARENA_NEW(a, Prediction, rows->rows + 1);
    Way way = {.chunk = *rows, .at = ARENA_NEW(a, uint32_t, rows->rows + 1)};
    if (features_shape(b->features)->series)
        return error_set(err, ERROR_USAGE,
                         "a %s says how series go on, not single rows: `lathe predict` forecasts with it",
                         b->family->name);
    if (first_plan > b->plans)
        return error_set(err, ERROR_USAGE, "rows after %zu recipes, but the model has %zu",
                         first_plan, b->plans);
    for (size_t i = 0; i < rows->rows; i++) {
        way.at[i] = (uint32_t)i;
        p[i].truth = NAN;
    }
    way.no_target =
        lacks_target(rows, first_plan ? plan_schema(b->plan[first_plan - 1]) : &b->schema);
    for (size_t plan = 0; plan < first_plan; plan++)
        way.rules += b->rules[plan];
    for (size_t plan = first_plan; plan < b->plans; plan++)
        if (!apply_plan(b, plan, &way, p, a, err))
            return false;
    *out = p;
    return way.chunk.rows == 0 || score_cleaned(b, &way, p, a, err);
}

bool bundle_shares(Bundle *b, const Batch *batch, SeriesShares *out, Error *err)
{
    return model_shares(b->model, batch, out, err);
}

void bundle_predict(Bundle *b, const Batch *batch, float *out)
{
    model_predict(b->model, batch, out);
}

/* Whether a raw score is a target less something, times something; then *scale and *shift. */
bool bundle_is_linear(const Bundle *b, double *scale, double *shift)
{
    const ModelShape *s = features_shape(b->features);
    if (s->task != TASK_REGRESSION || s->log_link)
        return false;
    *shift = features_target_value(b->features, 0.0);
    *scale = features_target_value(b->features, 1.0) - *shift;
    double two = features_target_value(b->features, 2.0) - *shift;
    return fabs(two - 2.0 * *scale) <= 1e-9 * fabs(two);
}

bool bundle_contributions(const Bundle *b, const Batch *rows, Arena *a, Contributions *out,
                          Error *err)
{
    const ModelShape *s = features_shape(b->features);
    size_t inputs = s->dense + s->codes, n = rows->rows * s->outputs * (inputs + 1);
    double *at = ARENA_NEW(a, double, n + 1), scale = 1.0, shift = 0.0;
    if (!model_contributions(b->model, rows, at, err))
        return false;
    bool linear = bundle_is_linear(b, &scale, &shift);
    *out = (Contributions){rows->rows, s->outputs, inputs, at, !linear};
    for (size_t i = 0; linear && i < n; i++)
        at[i] = at[i] * scale + (i % (inputs + 1) == inputs ? shift : 0.0);
    return true;
}
