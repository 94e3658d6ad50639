/* features.c -- fitting: from the training rows of a table to a Features object, and the object.
 *
 * One pass over the chunks, through the plan: of the rows whose part is train (by their number in
 * the source table) and that have a target, statistics of each candidate column and the target;
 * then the columns are chosen, the encoders fitted, and every float and code gets its place. */
#include "feature_int.h"

#include <inttypes.h>

#define SAMPLE_ROWS 200000 /* about so many training rows make the quantiles */

static const char *const numbers_names[] = {"auto", "standard", "quantile", "raw", "normal", NULL};
static const char *const categories_names[] = {"embed", "onehot", NULL};
static const char *const transform_names[] = {"auto", "none", "standard", "log", "mean", NULL};
static const char *const want_names[] = {"auto", "regression", "classification", NULL};

// clang-format off
const Param feature_params[] = {
    PARAM_PICK(FeatureOptions, numbers, "numbers", NUMBERS_AUTO, numbers_names,
               "numbers by deviation, by quantiles to normal, or raw (trees); auto: quantiles for "
               "outliers, and a category beside the number where one value stands out; normal: as auto, all others by quantiles"),
    PARAM_PICK(FeatureOptions, categories, "categories", CATEGORIES_EMBED, categories_names,
               "categories as learnt vectors or as one float a word"),
    PARAM_INT(FeatureOptions, onehot_most, "onehot_most", 4, 0, 1000, "words",
              "categories of at most so many words are one float a word even so"),
    PARAM_INT(FeatureOptions, words_most, "words_most", 5000, 1, 1000000, "words",
              "text with more distinct words is left out"),
    PARAM_INT(FeatureOptions, words_least, "words_least", 2, 1, 1000000, "rows",
              "a word in fewer training rows counts as never seen"),
    PARAM_PICK(FeatureOptions, transform_target, "transform_target", TRANSFORM_AUTO,
               transform_names, "how a number is prepared as target; auto: standard, for the losses poisson, gamma "
               "and tweedie mean: a multiple of its mean, whose logarithm is learnt"),
    PARAM_PICK(FeatureOptions, task, "task", WANT_AUTO, want_names,
               "what kind of prediction; auto: text, bool and two values are classes"),
    PARAM_END
};
// clang-format on

/* ---- which columns may be inputs ---- */

typedef struct Candidate {
    const Field *field;
    size_t at;
    bool named;
    StatsWish wish;
} Candidate;

typedef struct Fit {
    const FeatureOptions *options;
    const Split *split;
    const Field *target; /* NULL: none */
    size_t target_at;
    StatsWish target_wish;
    Candidate *candidate;
    size_t candidates;
    uint64_t sample_below;    /* a row is sampled when the hash of its number is below */
    size_t columns;           /* candidates, then the target if there is one */
    ColumnStats *total;       /* [columns] */
    ColumnStats *part;        /* [slots][columns] */
    uint64_t rows, no_target; /* training rows; those without a target */
    uint64_t *part_rows, *part_no_target; /* [slots] */
} Fit;

static bool usable_role(Role r)
{
    return r == ROLE_FEATURE || r == ROLE_TIMELINE || r == ROLE_TARGET;
}

static void add_candidate(Fit *fit, const Schema *s, size_t at, bool named)
{
    fit->candidate[fit->candidates++] = (Candidate){
        .field = &s->field[at],
        .at = at,
        .named = named,
        .wish = choose_wish(s->field[at].type, fit->options),
    };
}

static bool choose_named(Fit *fit, const Schema *s, const char *const *columns, size_t n,
                         Error *err)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = schema_need(s, columns[i], err);
        if (at == SIZE_MAX)
            return error_in(err, "features");
        if (&s->field[at] == fit->target)
            return error_set(err, ERROR_USAGE, "features: %s is the target, not an input",
                             columns[i]);
        for (size_t k = 0; k < fit->candidates; k++)
            if (fit->candidate[k].at == at)
                return error_set(err, ERROR_USAGE, "features: %s is named twice", columns[i]);
        add_candidate(fit, s, at, true);
    }
    return true;
}

static void choose_fitting(Fit *fit, const Schema *s, json_t *notes)
{
    for (size_t i = 0; i < s->count; i++) {
        if (&s->field[i] == fit->target)
            continue;
        if (usable_role(s->field[i].role)) {
            add_candidate(fit, s, i, false);
            continue;
        }
        Text text = {0};
        text_printf(&text, "%s left out: its role is %s", s->field[i].name,
                    role_name(s->field[i].role));
        json_array_append_new(notes, json_stringn(text_str(&text), text.count));
        text_release(&text);
    }
}

/* ---- the pass ---- */

static void mark_rows(const Fit *fit, const Chunk *c, const Target *t, Arena *a, StatsRows *rows,
                      uint64_t *no_target)
{
    uint32_t *row = ARENA_NEW(a, uint32_t, c->rows + 1);
    uint32_t *sampled = ARENA_NEW(a, uint32_t, c->rows + 1);
    *rows = (StatsRows){.row = row, .sampled = sampled};
    for (size_t i = 0; i < c->rows; i++) {
        uint64_t number = chunk_origin(c, i);
        if (fit->split && split_part(fit->split, number) != PART_TRAIN)
            continue;
        if (fit->target && !target_present(t, &c->column[fit->target_at], i)) {
            ++*no_target;
            continue;
        }
        row[rows->rows++] = (uint32_t)i;
        if (hash_bytes(&number, sizeof number, 1) <= fit->sample_below)
            sampled[rows->samples++] = (uint32_t)i;
    }
}

static bool work(void *job, size_t slot, const Chunk *c, Arena *a, Error *err)
{
    (void)err;
    Fit *fit = job;
    ColumnStats *part = fit->part + slot * fit->columns;
    StatsRows rows;
    Target t = {.type = fit->target ? fit->target->type : COLUMN_REAL};
    mark_rows(fit, c, &t, a, &rows, &fit->part_no_target[slot]);
    fit->part_rows[slot] = rows.rows;
    for (size_t i = 0; i < fit->candidates; i++)
        stats_add(&part[i], &c->column[fit->candidate[i].at], &rows, &fit->candidate[i].wish);
    if (fit->target)
        stats_add(&part[fit->candidates], &c->column[fit->target_at], &rows, &fit->target_wish);
    return true;
}

static bool join(void *job, size_t slot, Error *err)
{
    (void)err;
    Fit *fit = job;
    ColumnStats *part = fit->part + slot * fit->columns;
    for (size_t i = 0; i < fit->columns; i++)
        stats_merge(&fit->total[i], &part[i],
                    i < fit->candidates ? &fit->candidate[i].wish : &fit->target_wish);
    fit->rows += fit->part_rows[slot];
    fit->no_target += fit->part_no_target[slot];
    fit->part_rows[slot] = fit->part_no_target[slot] = 0;
    return true;
}

static bool gather(Fit *fit, const Dataset *d, const Plan *plan, Pool *pool, Progress *progress,
                   Error *err)
{
    size_t slots = walk_slots(pool);
    uint64_t total = dataset_rows(d);
    fit->sample_below =
        total <= SAMPLE_ROWS ? UINT64_MAX : UINT64_MAX / total * (uint64_t)SAMPLE_ROWS;
    fit->columns = fit->candidates + (fit->target != NULL);
    fit->total = mem_alloc((fit->columns + 1) * sizeof *fit->total);
    fit->part = mem_alloc((slots * fit->columns + 1) * sizeof *fit->part);
    fit->part_rows = mem_alloc(slots * sizeof *fit->part_rows);
    fit->part_no_target = mem_alloc(slots * sizeof *fit->part_no_target);
    progress_begin(progress, "fitting features", "rows", total);
    Walk walk = {d, plan, pool, progress, work, join, fit};
    bool ok = walk_run(&walk, err);
    for (size_t i = 0; i < slots * fit->columns; i++)
        stats_release(&fit->part[i]);
    if (ok && !fit->rows && fit->no_target)
        return error_set(err, ERROR_SHAPE, "target %s is missing in all %" PRIu64 " training rows",
                         fit->target->name, fit->no_target);
    if (ok && !fit->rows)
        return error_set(err, ERROR_SHAPE,
                         "no training rows: of %" PRIu64
                         " rows in the table none is left by the recipe and falls in the "
                         "training part",
                         total);
    return ok;
}

static void fit_release(Fit *fit)
{
    for (size_t i = 0; fit->total && i < fit->columns; i++)
        stats_release(&fit->total[i]);
    mem_free(fit->total);
    mem_free(fit->part);
    mem_free(fit->part_rows);
    mem_free(fit->part_no_target);
    mem_free(fit->candidate);
}

/* ---- the object ---- */

static void input_init(Input *in, const Candidate *c, const Encoder *e, const ColumnStats *s,
                       const FeatureOptions *o)
{
    *in = (Input){
        .name = text_copy(c->field->name),
        .type = c->field->type,
        .encoder = e,
        .missing = s->missing > 0,
        .hint = c->at,
    };
    e->fit(in, s, o);
}

static bool fit_inputs(Features *f, const Fit *fit, Error *err)
{
    f->input = mem_alloc((fit->candidates + 1) * sizeof *f->input);
    for (size_t i = 0; i < fit->candidates; i++) {
        const Candidate *c = &fit->candidate[i];
        const Encoder *e = choose_encoder(c->field->name, c->field->type, c->named, &fit->total[i],
                                          fit->options, f->notes);
        if (e)
            input_init(&f->input[f->inputs++], c, e, &fit->total[i], fit->options);
    }
    if (f->inputs)
        return true;
    const char *first = json_string_value(json_array_get(f->notes, 0));
    return error_set(err, ERROR_SHAPE, "no usable input columns%s%s", first ? ": " : "",
                     first ? first : "");
}

static const char *float_name(Features *f, const Input *in, size_t i)
{
    Text part = {0};
    if (i < in->dense)
        in->encoder->describe(in, i, &part);
    else
        text_puts(&part, "missing");
    const char *name = part.count ? arena_printf(&f->arena, "%s %s", in->name, text_str(&part))
                                  : arena_text(&f->arena, in->name);
    text_release(&part);
    return name;
}

void features_lay_out(Features *f)
{
    ModelShape *s = &f->shape;
    for (size_t i = 0; i < f->inputs; i++) {
        Input *in = &f->input[i];
        in->dense_at = s->dense;
        in->code_at = s->codes;
        s->dense += in->dense + in->missing;
        s->codes += in->codes;
    }
    const char **dense_name = ARENA_NEW(&f->arena, const char *, s->dense + 1);
    const char **code_name = ARENA_NEW(&f->arena, const char *, s->codes + 1);
    int32_t *cardinality = ARENA_NEW(&f->arena, int32_t, s->codes + 1);
    for (size_t i = 0; i < f->inputs; i++) {
        const Input *in = &f->input[i];
        s->missing |= in->nan;
        for (size_t k = 0; k < in->dense + in->missing; k++)
            dense_name[in->dense_at + k] = float_name(f, in, k);
        for (size_t k = 0; k < in->codes; k++) {
            code_name[in->code_at + k] = arena_text(&f->arena, in->name);
            cardinality[in->code_at + k] = (int32_t)in->encoder->cardinality(in);
        }
    }
    s->dense_name = dense_name;
    s->code_name = code_name;
    s->cardinality = cardinality;
    s->task = f->target.task;
    s->log_link = f->target.form == TARGET_MEAN && s->task == TASK_REGRESSION;
    s->classes = s->task == TASK_REGRESSION ? 0 : f->target.classes.word.count;
    s->outputs = s->task == TASK_MULTICLASS ? s->classes : 1;
    if (f->series)
        series_lay_out(f);
}

static bool choose(Fit *fit, const Schema *s, const char *target, const char *const *columns,
                   size_t n, json_t *notes, Error *err)
{
    fit->candidate = mem_alloc((s->count + n + 1) * sizeof *fit->candidate);
    if (target && *target) {
        fit->target_at = schema_need(s, target, err);
        if (fit->target_at == SIZE_MAX)
            return error_in(err, "target");
        fit->target = &s->field[fit->target_at];
        fit->target_wish = target_wish(fit->target->type);
        fit->target_wish.sample = fit->options->transform_target == TRANSFORM_LOG;
    }
    if (columns)
        return choose_named(fit, s, columns, n, err);
    choose_fitting(fit, s, notes);
    return true;
}

static bool fit_target(Features *f, const Fit *fit, Error *err)
{
    f->target.scale = 1.0;
    if (!fit->target)
        return true;
    f->target.name = text_copy(fit->target->name);
    f->target.type = fit->target->type;
    f->target.hint = fit->target_at;
    return target_fit(&f->target, &fit->total[fit->candidates], fit->options, err);
}

Features *features_fit(const Dataset *d, const Plan *plan, const Split *split, const char *target,
                       const char *const *columns, size_t n, const FeatureOptions *options,
                       Pool *pool, Progress *progress, Error *err)
{
    FeatureOptions normal;
    params_init(feature_params, &normal);
    Features *f = mem_alloc(sizeof *f);
    f->notes = json_array();
    Fit fit = {.options = options ? options : &normal, .split = split};
    const Schema *s = plan ? plan_schema(plan) : dataset_schema(d);
    bool ok = choose(&fit, s, target, columns, n, f->notes, err) &&
              gather(&fit, d, plan, pool, progress, err) && fit_target(f, &fit, err) &&
              fit_inputs(f, &fit, err);
    fit_release(&fit);
    if (!ok) {
        features_destroy(f);
        return NULL;
    }
    features_lay_out(f);
    return f;
}

void features_destroy(Features *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->inputs; i++) {
        if (f->input[i].encoder)
            f->input[i].encoder->release(&f->input[i]);
        mem_free((char *)f->input[i].name);
    }
    mem_free(f->input);
    target_release(&f->target);
    json_decref(f->notes);
    arena_release(&f->arena);
    mem_free(f);
}

const ModelShape *features_shape(const Features *f)
{
    return &f->shape;
}

const char *features_target(const Features *f)
{
    return f->target.name;
}

size_t features_inputs(const Features *f)
{
    return f->inputs;
}

const char *features_input(const Features *f, size_t i)
{
    return f->input[i].name;
}

ColumnType features_input_type(const Features *f, size_t i)
{
    return f->input[i].type;
}

json_t *features_notes(const Features *f)
{
    return json_incref(f->notes);
}

double features_target_value(const Features *f, double standardised)
{
    return target_back(&f->target, standardised);
}

double features_target_scale(const Features *f)
{
    return f->target.form == TARGET_LOG ? f->target.deviation : f->target.scale;
}

const char *features_class(const Features *f, size_t i)
{
    return f->target.classes.word.at[i].text;
}

double features_class_weight(const Features *f, size_t i)
{
    return f->target.weight[i];
}
