/* whatif_score.c -- one row, as it is and as it was changed, scored by the run's bundle as any later row is; and
 * what each column does to it: exactly (SHAP) where the family can say, else by swaps, the prediction against its
 * mean with the column taken from other rows. */
#include "whatif_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void whatif_ask_free(void *ask)
{
    WhatifAsk *a = ask;
    for (size_t i = 0; i < a->changes; i++)
        mem_free(a->change[i].value);
    mem_free(a);
}

void whatif_answer_free(void *answer)
{
    WhatifAnswer *a = answer;
    if (a)
        arena_release(&a->arena);
    mem_free(a);
}

/* A value as people write it, as a cell; empty is missing. */
static bool add_cell(ColumnBuild *b, const Field *f, const char *text, Error *err)
{
    size_t n = strlen(text);
    double real;
    int64_t whole;
    if (n == 0) {
        column_build_missing(b);
        return true;
    }
    switch (f->type) {
    case COLUMN_TEXT:
        column_build_text(b, text, n);
        return true;
    case COLUMN_REAL:
        if (!text_to_real(text, n, &real))
            return error_set(err, ERROR_USAGE, "%s: expected a number, found '%s'", f->name, text);
        column_build_real(b, real);
        return true;
    case COLUMN_BOOL:
        whole = strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0 || strcasecmp(text, "yes") == 0;
        break;
    case COLUMN_INT:
        if (!text_to_int(text, n, &whole))
            return error_set(err, ERROR_USAGE, "%s: expected a whole number, found '%s'", f->name, text);
        break;
    default:
        if (!time_parse(text, n, &whole))
            return error_set(err, ERROR_USAGE, "%s: expected a date or time, found '%s'", f->name, text);
        if (f->type == COLUMN_DATE)
            whole = (whole - (whole < 0 ? 86399999999 : 0)) / 86400000000;
    }
    column_build_int(b, whole);
    return true;
}

/* Row `row` of the table as texts, a column each. */
static bool read_row(const Dataset *d, uint64_t row, Arena *a, const char **out, Error *err)
{
    uint64_t first = 0;
    for (size_t c = 0; c < dataset_chunks(d); first += dataset_chunk_rows(d, c++)) {
        if (row >= first + dataset_chunk_rows(d, c))
            continue;
        Chunk chunk;
        if (!dataset_read(d, c, a, &chunk, err))
            return false;
        for (size_t i = 0; i < chunk.columns; i++) {
            Text text = {0};
            column_print(&chunk.column[i], row - first, &text);
            out[i] = arena_text(a, text_str(&text));
            text_release(&text);
        }
        return true;
    }
    return error_set(err, ERROR_USAGE, "the table has no row %llu", (unsigned long long)row + 1);
}

/* value[row][column] as a chunk. */
static bool make_chunk(const Schema *s, const char *const *value, size_t rows, Arena *a, Chunk *out, Error *err)
{
    Column *column = ARENA_NEW(a, Column, s->count);
    for (size_t c = 0; c < s->count; c++) {
        ColumnBuild *build = column_build(a, s->field[c].name, s->field[c].type, rows);
        for (size_t r = 0; r < rows; r++)
            if (!add_cell(build, &s->field[c], value[r * s->count + c], err))
                return false;
        column_build_finish(build, &column[c]);
    }
    *out = (Chunk){.rows = rows, .columns = s->count, .column = column};
    return true;
}

static bool score(Bundle *b, const Schema *s, const char *const *value, size_t rows, Arena *a, Prediction **out, Error *err)
{
    Chunk chunk;
    return make_chunk(s, value, rows, a, &chunk, err) && bundle_score(b, &chunk, 0, a, out, err);
}

/* ---- what the columns do ------------------------------------------------------------------------------------ */

/* A column that a rule made stands after those of the table. */
static void add_made(WhatifAnswer *out, const Chunk *clean, const char *name, double effect)
{
    const Column *c = chunk_find(clean, name);
    Text text = {0};
    if (c)
        column_print(c, 0, &text);
    out->name[out->all] = arena_text(&out->arena, name);
    out->now[out->all] = arena_text(&out->arena, text_str(&text));
    out->effect[out->all++] = effect;
    text_release(&text);
}

/* TreeSHAP of the changed row, the inputs that are made of one column added up. */
static bool exact_effects(Bundle *b, const Schema *s, size_t class, WhatifAnswer *out, Error *err)
{
    const Features *f = bundle_features(b);
    const ModelShape *shape = features_shape(f);
    Arena *a = &out->arena;
    Chunk row, clean;
    Batch batch;
    Contributions c;
    if (!make_chunk(s, out->now, 1, a, &row, err) || !bundle_clean(b, &row, 0, a, &clean, err))
        return false;
    if (clean.rows == 0)
        return true;
    if (!features_encode(f, &clean, false, a, &batch, err) || !bundle_contributions(b, &batch, a, &c, err))
        return false;
    const double *at = c.at + (shape->task == TASK_MULTICLASS ? class : 0) * (c.inputs + 1);
    out->base = at[c.inputs];
    out->score = shape->task == TASK_MULTICLASS ? arena_printf(a, "score of %s", features_class(f, class))
                 : shape->task == TASK_BINARY   ? arena_printf(a, "logit of %s", features_class(f, 1))
                 : c.raw                        ? "logarithm of the prediction, standardised"
                                                : "prediction";
    for (size_t i = 0; i < features_inputs(f); i++) {
        InputSpan span = features_span(f, i);
        double sum = 0;
        for (size_t k = 0; k < span.dense; k++)
            sum += at[span.dense_at + k];
        for (size_t k = 0; k < span.codes; k++)
            sum += at[shape->dense + span.code_at + k];
        size_t field = schema_find(s, features_input(f, i));
        if (field == SIZE_MAX)
            add_made(out, &clean, features_input(f, i), sum);
        else
            out->effect[field] = sum;
    }
    return true;
}

/* The changed row with each column of others in turn. */
static bool swapped_effects(Bundle *b, const Dataset *d, WhatifAnswer *out, Error *err)
{
    const Schema *s = dataset_schema(d);
    Arena *a = &out->arena;
    size_t n = s->count, rows = n * WHATIF_OTHERS;
    const char **value = ARENA_NEW(a, const char *, rows * n + 1), **others = ARENA_NEW(a, const char *, WHATIF_OTHERS * n + 1);
    Prediction *p;
    Rng rng;
    rng_seed(&rng, 5, 0);
    for (size_t k = 0; k < WHATIF_OTHERS; k++)
        if (!read_row(d, rng_below(&rng, dataset_rows(d)), a, others + k * n, err))
            return false;
    for (size_t c = 0; c < n; c++)
        for (size_t k = 0; k < WHATIF_OTHERS; k++) {
            const char **to = value + (c * WHATIF_OTHERS + k) * n;
            memcpy(to, out->now, n * sizeof *value);
            to[c] = others[k * n + c];
        }
    if (!score(b, s, value, rows, a, &p, err))
        return false;
    for (size_t c = 0; c < n; c++) {
        double sum = 0;
        size_t had = 0;
        for (size_t k = 0; k < WHATIF_OTHERS; k++)
            if (p[c * WHATIF_OTHERS + k].kept && isfinite(p[c * WHATIF_OTHERS + k].value))
                sum += p[c * WHATIF_OTHERS + k].value, had++;
        out->effect[c] = had ? out->after - sum / (double)had : 0;
    }
    return true;
}

/* The row as it was and as it is, and what each of its columns does. */
static bool answer(const WhatifAsk *ask, Bundle *b, const Dataset *d, WhatifAnswer *out, Error *err)
{
    const Schema *s = dataset_schema(d);
    Arena *a = &out->arena;
    size_t n = s->count, all = n + features_inputs(bundle_features(b));
    const char **value = ARENA_NEW(a, const char *, n + all + 1);
    Prediction *p;
    if (!read_row(d, ask->row, a, value, err))
        return false;
    memcpy(value + n, value, n * sizeof *value);
    for (size_t i = 0; i < ask->changes; i++)
        if (ask->change[i].column < n)
            value[n + ask->change[i].column] = arena_text(a, ask->change[i].value);
    if (!score(b, s, value, 2, a, &p, err))
        return false;
    out->columns = out->all = n;
    out->rows = dataset_rows(d);
    out->value = value;
    out->now = value + n;
    out->before = p[0].kept ? p[0].value : (double)NAN;
    out->after = p[1].kept ? p[1].value : (double)NAN;
    out->truth = p[0].truth;
    out->dropped_by = p[1].kept ? 0 : p[1].dropped_by;
    out->family = arena_text(a, bundle_family(b)->name);
    out->exact = bundle_family(b)->contributions != NULL;
    out->effect = ARENA_NEW(a, double, all + 1);
    out->name = ARENA_NEW(a, const char *, all + 1);
    for (size_t c = 0; c < n; c++) {
        out->name[c] = arena_text(a, s->field[c].name);
        out->effect[c] = (double)NAN;
    }
    return out->exact ? exact_effects(b, s, p[1].class, out, err) : swapped_effects(b, d, out, err);
}

void *whatif_score(JobContext *c, void *input, Error *err)
{
    const WhatifAsk *ask = input;
    WhatifAnswer *out = mem_alloc(sizeof *out);
    RunRow run;
    const char *path;
    Store *s = job_store(c, err);
    Bundle *b = NULL;
    Dataset *d = NULL;
    bool ok = s && store_run_get(s, ask->run, &out->arena, &run, err) &&
              run_bundle_path(s, ask->run, &out->arena, &path, err) && (b = bundle_open(path, job_pool(c), err)) &&
              (d = workspace_dataset(s, run.dataset, &out->arena, NULL, err)) && answer(ask, b, d, out, err);
    if (ok)
        out->target = arena_text(&out->arena, run.target);
    bundle_close(b);
    dataset_close(d);
    if (!ok) {
        whatif_answer_free(out);
        return NULL;
    }
    return out;
}
