/* whatif_score.c -- one row, as it is and as it was changed, scored by the run's bundle as any later row is; and
 * what each column does to it: exactly (SHAP) where the family can say, else by swaps, the prediction against its
 * mean with the column taken from other rows. */
#include "whatif_int.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

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
        if (!whole && strcasecmp(text, "false") != 0 && strcmp(text, "0") != 0 && strcasecmp(text, "no") != 0)
            return error_set(err, ERROR_USAGE, "%s: expected true or false, found '%s'", f->name, text);
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

bool whatif_check(const char *name, ColumnType type, const char *text, Error *err)
{
    Arena a = {0};
    bool ok = add_cell(column_build(&a, name, type, 1), &(Field){.name = name, .type = type}, text, err);
    arena_release(&a);
    return ok;
}

/* Row `row` of the table as texts, a column each. */
static bool read_row(const Dataset *d, uint64_t row, Arena *a, const char **out, Error *err)
{
    Chunk chunk;
    size_t in_chunk;
    if (row >= dataset_rows(d))
        return error_set(err, ERROR_USAGE, "the table has no row %llu", (unsigned long long)row + 1);
    if (!dataset_read(d, dataset_locate(d, row, &in_chunk), a, &chunk, err))
        return false;
    for (size_t i = 0; i < chunk.columns; i++) {
        Text text = {0};
        column_print(&chunk.column[i], in_chunk, &text);
        out[i] = arena_text(a, text_str(&text));
        text_release(&text);
    }
    return true;
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

static bool score(Bundle *b, const Schema *s, const char *const *value, size_t rows, WhatifAnswer *w, Prediction **out, Error *err)
{
    Chunk chunk;
    return make_chunk(s, value, rows, &w->arena, &chunk, err) && bundle_score(b, &chunk, w->first_plan, &w->arena, out, err);
}

static bool go_on(const Progress *progress, Error *err)
{
    return !progress_stopped(progress) || error_set(err, ERROR_STOP, "stopped on request");
}

/* ---- what the columns do ------------------------------------------------------------------------------------ */

/* A column that a rule made stands after those of the table. */
static void add_made(WhatifAnswer *out, const Chunk *clean, const char *name, double effect)
{
    const Column *c = chunk_find(clean, name);
    Text text = {0};
    if (c && clean->rows)
        column_print(c, 0, &text);
    out->name[out->all] = arena_text(&out->arena, name);
    out->type[out->all] = c ? c->type : COLUMN_TEXT;
    out->now[out->all] = arena_text(&out->arena, text_str(&text));
    out->use[out->all] = WHATIF_INPUT;
    out->effect[out->all++] = effect;
    text_release(&text);
}

/* Of a row that a rule drops: the lines stay where they are. */
static void no_effects(const Features *f, const Schema *s, const Chunk *clean, WhatifAnswer *out)
{
    for (size_t i = 0; i < features_inputs(f); i++)
        if (schema_find(s, features_input(f, i)) == SIZE_MAX)
            add_made(out, clean, features_input(f, i), (double)NAN);
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
    if (!make_chunk(s, out->now, 1, a, &row, err) || !bundle_clean(b, &row, out->first_plan, a, &clean, err))
        return false;
    if (clean.rows == 0) {
        no_effects(f, s, &clean, out);
        return true;
    }
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

/* What a prediction is looked at for: a number, or the share of one class. */
static double aspect(const Prediction *p, size_t class)
{
    return !p->kept ? (double)NAN : p->share ? (double)p->share[class] : p->value;
}

/* What the changed row has above the same with one column of others in turn; NaN: rules drop them all. */
static bool swapped_effect(Bundle *b, const Schema *s, size_t column, const char *const *others, size_t class,
                           WhatifAnswer *out, Error *err)
{
    size_t n = s->count, had = 0;
    const char **value = ARENA_NEW(&out->arena, const char *, n * WHATIF_OTHERS + 1);
    Prediction *p;
    double sum = 0;
    for (size_t k = 0; k < WHATIF_OTHERS; k++) {
        memcpy(value + k * n, out->now, n * sizeof *value);
        value[k * n + column] = others[k * n + column];
    }
    if (!score(b, s, value, WHATIF_OTHERS, out, &p, err))
        return false;
    for (size_t k = 0; k < WHATIF_OTHERS; k++) {
        double v = aspect(&p[k], class);
        if (isfinite(v))
            sum += out->after - v, had++;
    }
    out->effect[column] = had ? sum / (double)had : (double)NAN;
    return true;
}

static bool swapped_effects(Bundle *b, const Dataset *d, size_t class, WhatifAnswer *out, Progress *progress, Error *err)
{
    const Schema *s = dataset_schema(d);
    size_t n = s->count;
    const char **others = ARENA_NEW(&out->arena, const char *, WHATIF_OTHERS * n + 1);
    Rng rng;
    rng_seed(&rng, 5, 0);
    progress_begin(progress, "reading other rows", "rows", WHATIF_OTHERS);
    for (size_t k = 0; k < WHATIF_OTHERS; k++, progress_add(progress, 1))
        if (!go_on(progress, err) || !read_row(d, rng_below(&rng, dataset_rows(d)), &out->arena, others + k * n, err))
            return false;
    progress_begin(progress, "swapping columns", "columns", n);
    for (size_t c = 0; c < n; c++, progress_add(progress, 1))
        if (!go_on(progress, err) ||
            (out->use[c] != WHATIF_UNUSED && !swapped_effect(b, s, c, others, class, out, err)))
            return false;
    return true;
}

/* ---- the answer ----------------------------------------------------------------------------------------------- */

/* What a text, or a yes or no, may be changed to. */
static void find_words(const Dataset *d, WhatifAnswer *out)
{
    const Schema *s = dataset_schema(d);
    out->words = ARENA_NEW(&out->arena, WhatifWords, s->count + 1);
    for (size_t c = 0; c < s->count; c++) {
        const ColumnProfile *p = profile_find(dataset_profile(d), s->field[c].name);
        WhatifWords *w = &out->words[c];
        if (p && (s->field[c].type == COLUMN_TEXT || s->field[c].type == COLUMN_BOOL))
            for (; w->n < p->tops; w->n++)
                w->word[w->n] = arena_text(&out->arena, p->top[w->n].value);
    }
}

/* Two predictions as one sees them: a number before and after, or the share of the class that is said now. */
static void take_predictions(const Bundle *b, const Prediction *p, size_t class, WhatifAnswer *out)
{
    const Features *f = bundle_features(b);
    TaskKind task = features_shape(f)->task;
    out->before = aspect(&p[0], class);
    out->after = aspect(&p[1], class);
    out->dropped_by = p[1].kept ? 0 : p[1].dropped_by;
    out->truth = (double)NAN;
    if (task == TASK_REGRESSION) {
        out->truth = p[0].truth;
        return;
    }
    out->class = arena_text(&out->arena, features_class(f, class));
    if (task == TASK_MULTICLASS && p[0].kept && p[0].class != (int32_t)class)
        out->was = arena_text(&out->arena, features_class(f, (size_t)p[0].class));
    if (p[0].truth >= 0)
        out->truth_class = arena_text(&out->arena, features_class(f, (size_t)p[0].truth));
}

/* Is the word in the text, not as a part of a longer one? */
static bool names(const char *text, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = text; n && (at = strstr(at, word)); at += n) {
        bool begins = at == text || !(isalnum((unsigned char)at[-1]) || at[-1] == '_');
        if (begins && !isalnum((unsigned char)at[n]) && at[n] != '_')
            return true;
    }
    return false;
}

/* Who looks at a column: the model itself, or the rules on the way to it. */
static void find_uses(const Bundle *b, const Schema *s, const char *recipe, WhatifAnswer *out)
{
    const Features *f = bundle_features(b);
    for (size_t c = 0; c < s->count; c++)
        if (names(recipe, s->field[c].name))
            out->use[c] = WHATIF_RECIPE;
    for (size_t i = 0; i < features_inputs(f); i++) {
        size_t c = schema_find(s, features_input(f, i));
        if (c != SIZE_MAX)
            out->use[c] = WHATIF_INPUT;
    }
}

/* The form's lines: what the model sees, what rules see, what nobody does. */
static void order_lines(WhatifAnswer *out)
{
    size_t n = 0;
    out->order = ARENA_NEW(&out->arena, size_t, out->all + 1);
    for (int use = WHATIF_INPUT; use >= WHATIF_UNUSED; use--)
        for (size_t i = 0; i < out->all; i++)
            if ((int)out->use[i] == use)
                out->order[n++] = i;
}

static void make_room(const Bundle *b, const Schema *s, WhatifAnswer *out)
{
    Arena *a = &out->arena;
    size_t n = s->count, all = n + features_inputs(bundle_features(b));
    out->columns = out->all = n;
    out->value = ARENA_NEW(a, const char *, n + all + 1);
    out->now = out->value + n;
    out->type = ARENA_NEW(a, ColumnType, all + 1);
    out->use = ARENA_NEW(a, WhatifUse, all + 1);
    out->effect = ARENA_NEW(a, double, all + 1);
    out->name = ARENA_NEW(a, const char *, all + 1);
    for (size_t c = 0; c < n; c++) {
        out->name[c] = arena_text(a, s->field[c].name);
        out->type[c] = s->field[c].type;
        out->effect[c] = (double)NAN;
    }
}

/* The row as it was and as it is, and what each of its columns does. */
static bool answer(const WhatifAsk *ask, const RunRow *run, Bundle *b, const Dataset *d, WhatifAnswer *out, Progress *progress,
                   Error *err)
{
    const Schema *s = dataset_schema(d);
    size_t n = s->count;
    Prediction *p;
    make_room(b, s, out);
    find_uses(b, s, run->recipe, out);
    progress_begin(progress, "reading the row", "rows", 1);
    if (!read_row(d, ask->row, &out->arena, out->value, err))
        return false;
    memcpy(out->now, out->value, n * sizeof *out->now);
    for (size_t i = 0; i < ask->changes; i++)
        if (ask->change[i].column < n)
            out->now[ask->change[i].column] = arena_text(&out->arena, ask->change[i].value);
    progress_begin(progress, "scoring", "rows", 2);
    if (!go_on(progress, err) || !score(b, s, out->value, 2, out, &p, err))
        return false;
    bool binary = features_shape(bundle_features(b))->task == TASK_BINARY;
    size_t class = binary ? 1 : (size_t)p[p[1].kept].class;
    out->rows = dataset_rows(d);
    out->family = arena_text(&out->arena, bundle_family(b)->name);
    out->exact = bundle_family(b)->contributions != NULL;
    find_words(d, out);
    take_predictions(b, p, class, out);
    if (!(out->exact ? exact_effects(b, s, class, out, err) : swapped_effects(b, d, class, out, progress, err)))
        return false;
    order_lines(out);
    return true;
}

void *whatif_score(JobContext *c, void *input, Error *err)
{
    const WhatifAsk *ask = input;
    WhatifAnswer *out = mem_alloc(sizeof *out);
    RunRow run;
    DatasetRow row;
    const char *path;
    Store *s = job_store(c, err);
    Bundle *b = NULL;
    Dataset *d = NULL;
    progress_begin(job_progress(c), "opening the model", NULL, 0);
    bool ok = s && store_run_get(s, ask->run, &out->arena, &run, err) &&
              run_bundle_path(s, ask->run, &out->arena, &path, err) && (b = bundle_open(path, job_pool(c), err)) &&
              (d = workspace_dataset(s, run.dataset, &out->arena, &row, err)) && go_on(job_progress(c), err);
    if (ok)
        out->first_plan = run_plans_behind(s, &row, bundle_plans(b)); /* its rows went through the recipes that made it */
    ok = ok && answer(ask, &run, b, d, out, job_progress(c), err);
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
