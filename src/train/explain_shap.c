/* explain_shap.c -- what each column adds to a row's score, for families that can say so exactly. */
#include "explain_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 256 /* rows at once: between two of them it may be stopped */

static bool class_of(const Explainer *e, const char *name, size_t *class, Error *err)
{
    const ModelShape *s = features_shape(e->features);
    *class = 0;
    if (!name || !*name)
        return true;
    if (s->task != TASK_MULTICLASS)
        return error_set(err, ERROR_USAGE, "class=%s: the model has one score; it tells %s", name,
                         s->task == TASK_BINARY ? "the second class from the first" : "a number");
    for (; *class < s->classes; ++*class)
        if (text_equal(features_class(e->features, *class), name))
            return true;
    return error_set(err, ERROR_USAGE, "no class %s of %s", name, features_target(e->features));
}

static const char *told(const Explainer *e, size_t class, bool raw, Arena *a)
{
    const ModelShape *s = features_shape(e->features);
    if (s->task == TASK_MULTICLASS)
        return arena_printf(a, "score of %s", features_class(e->features, class));
    if (s->task == TASK_BINARY)
        return arena_printf(a, "logit of %s", features_class(e->features, 1));
    return arena_printf(a, raw ? "log of %s, standardised" : "%s", features_target(e->features));
}

/* One row's inputs to columns. */
static void add_up(const Explainer *e, const double *from, double *to)
{
    size_t dense = features_shape(e->features)->dense;
    for (size_t i = 0; i < features_inputs(e->features); i++) {
        InputSpan span = features_span(e->features, i);
        for (size_t k = 0; k < span.dense; k++)
            to[i] += from[span.dense_at + k];
        for (size_t k = 0; k < span.codes; k++)
            to[i] += from[dense + span.code_at + k];
    }
}

static int larger(const void *left, const void *right)
{
    const ShapColumn *a = left, *b = right;
    if (a->size != b->size)
        return a->size > b->size ? -1 : 1;
    return strcmp(a->column, b->column);
}

/* at: [rows][columns] in the order of the inputs -> in that of out->column. */
static void sort_columns(const Explainer *e, const double *at, Arena *a, Shap *out)
{
    double *sorted = ARENA_NEW(a, double, out->rows * out->columns + 1);
    out->column = ARENA_NEW(a, ShapColumn, out->columns + 1);
    for (size_t i = 0; i < out->columns; i++) {
        ShapColumn *c = &out->column[i];
        c->column = arena_text(a, features_input(e->features, i));
        for (size_t row = 0; row < out->rows; row++) {
            c->size += fabs(at[row * out->columns + i]) / (double)out->rows;
            c->mean += at[row * out->columns + i] / (double)out->rows;
        }
    }
    qsort(out->column, out->columns, sizeof *out->column, larger);
    for (size_t k = 0; k < out->columns; k++) {
        size_t i = 0;
        while (!text_equal(features_input(e->features, i), out->column[k].column))
            i++;
        for (size_t row = 0; row < out->rows; row++)
            sorted[row * out->columns + k] = at[row * out->columns + i];
    }
    out->at = sorted;
}

bool explainer_shap(Explainer *e, const char *class, Progress *progress, Arena *a, Shap *out, Error *err)
{
    const ModelShape *s = features_shape(e->features);
    size_t which, columns = features_inputs(e->features), width = s->dense + s->codes + 1;
    if (!class_of(e, class, &which, err))
        return false;
    Arena scratch = {0};
    double *at = ARENA_NEW(a, double, e->rows *columns + 1);
    bool ok = true;
    *out = (Shap){.columns = columns, .rows = e->rows, .row = e->number.at};
    progress_begin(progress, "explaining", "rows", e->rows);
    for (size_t from = 0; ok && from < e->rows; from += BLOCK) {
        Contributions c;
        Batch b = {.rows = e->rows - from < BLOCK ? e->rows - from : BLOCK,
                   .dense = s->dense ? e->dense.at + from * s->dense : NULL,
                   .code = s->codes ? e->code.at + from * s->codes : NULL};
        ok = bundle_contributions(e->bundle, &b, &scratch, &c, err);
        for (size_t i = 0; ok && i < b.rows; i++) {
            const double *row = c.at + (i * s->outputs + which) * width;
            add_up(e, row, at + (from + i) * columns);
            out->base = row[width - 1];
        }
        if (ok)
            out->predicts = told(e, which, c.raw, a);
        progress_add(progress, b.rows);
        if (ok && progress_stopped(progress))
            ok = error_set(err, ERROR_STOP, "stopped by request");
        arena_reset(&scratch);
    }
    arena_release(&scratch);
    if (ok)
        sort_columns(e, at, a, out);
    return ok;
}
