/* explain_depend.c -- partial dependence: all rows get the same value in one column, one value after the
 * other, and the predictions are averaged; their quantiles say how far the rows agree. */
#include "explain_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double ice_share[ICE_QUANTILES] = {.1, .25, .5, .75, .9};

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double quantile(const double *sorted, size_t n, double share)
{
    double at = share * (double)(n - 1);
    size_t below = (size_t)at;
    return below + 1 >= n
               ? sorted[n - 1]
               : sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below]);
}

/* ---- at which values ------------------------------------------------------------------------------------ */

/* Each value of the grid as one row of a column of the input's type. */
typedef struct Grid {
    size_t points;
    DependencePoint *point;
    Column column;
} Grid;

static double number_at(const Column *c, size_t row)
{
    switch (c->type) {
    case COLUMN_TIME:
        return (double)c->integer[row];
    case COLUMN_DATE:
        return (double)c->day[row];
    default:
        return column_real(c, row);
    }
}

static void add_number(ColumnBuild *to, ColumnType type, double v)
{
    if (type == COLUMN_REAL)
        column_build_real(to, v);
    else
        column_build_int(to, (int64_t)llround(v));
}

#define RIM .01 /* of the rows at either end: what lies there says little and stretches the axis */

/* Few distinct values: each; else at even quantiles between the rims, the same one once. */
static void grid_of_numbers(Grid *g, const Column *c, size_t most, Arena *a)
{
    double *v = ARENA_NEW(a, double, c->rows + 1), *pick = ARENA_NEW(a, double, c->rows + most + 1);
    size_t n = 0, picks = 0;
    for (size_t i = 0; i < c->rows; i++)
        if (column_has(c, i) && isfinite(number_at(c, i)))
            v[n++] = number_at(c, i);
    qsort(v, n, sizeof *v, ascending);
    for (size_t i = 0; i < n; i++)
        if (!picks || v[i] > pick[picks - 1])
            pick[picks++] = v[i];
    if (picks > most)
        for (size_t i = picks = 0; i < most; i++) {
            double share = RIM + (1.0 - 2.0 * RIM) * (double)i / (double)(most - 1);
            double q = v[(size_t)(share * (double)(n - 1))];
            if (!picks || q > pick[picks - 1])
                pick[picks++] = q;
        }
    ColumnBuild *b = column_build(a, c->name, c->type, picks + 1);
    g->point = ARENA_NEW(a, DependencePoint, picks + 1);
    for (size_t i = 0, upto = 0; i < picks; i++) {
        while (upto < n && v[upto] <= pick[i])
            upto++;
        add_number(b, c->type, pick[i]);
        g->point[i] = (DependencePoint){.at = pick[i], .share = (double)upto / (double)c->rows};
    }
    g->points = picks;
    column_build_finish(b, &g->column);
}

typedef struct WordSeen {
    const char *text;
    size_t size, seen;
} WordSeen;

static int by_bytes(const void *left, const void *right)
{
    const WordSeen *a = left, *b = right;
    int order = memcmp(a->text, b->text, a->size < b->size ? a->size : b->size);
    return order ? order : (a->size > b->size) - (a->size < b->size);
}

static int by_seen(const void *left, const void *right)
{
    const WordSeen *a = left, *b = right;
    return a->seen != b->seen ? (a->seen < b->seen) - (a->seen > b->seen) : by_bytes(a, b);
}

static void grid_of_words(Grid *g, const Column *c, size_t most, Arena *a)
{
    WordSeen *w = ARENA_NEW(a, WordSeen, c->rows + 1);
    size_t n = 0, words = 0;
    for (size_t i = 0; i < c->rows; i++)
        if (column_has(c, i)) {
            w[n].text = column_text(c, i, &w[n].size);
            w[n++].seen = 1;
        }
    qsort(w, n, sizeof *w, by_bytes);
    for (size_t i = 0; i < n; i++) {
        if (words && by_bytes(&w[words - 1], &w[i]) == 0)
            w[words - 1].seen++;
        else
            w[words++] = w[i];
    }
    qsort(w, words, sizeof *w, by_seen);
    g->points = words < most ? words : most;
    g->point = ARENA_NEW(a, DependencePoint, g->points + 1);
    ColumnBuild *b = column_build(a, c->name, c->type, g->points + 1);
    for (size_t i = 0; i < g->points; i++) {
        column_build_text(b, w[i].text, w[i].size);
        g->point[i] =
            (DependencePoint){.at = (double)i, .share = (double)w[i].seen / (double)c->rows};
    }
    column_build_finish(b, &g->column);
}

static bool make_grid(Explainer *e, const char *column, size_t most, Arena *a, Grid *g, Error *err)
{
    Column c;
    Text text = {0};
    if (!explainer_column(e, column, a, &c, err))
        return false;
    if (c.type == COLUMN_TEXT)
        grid_of_words(g, &c, most, a);
    else
        grid_of_numbers(g, &c, most, a);
    for (size_t i = 0; i < g->points; i++) {
        text_reset(&text);
        column_print(&g->column, i, &text);
        g->point[i].text = arena_text(a, text_str(&text));
    }
    text_release(&text);
    return g->points > 0 || error_set(err, ERROR_SHAPE, "column %s has no value in the %s rows",
                                      column, explainer_part(e));
}

/* ---- asking ------------------------------------------------------------------------------------------------ */

static bool class_of(const Explainer *e, const char *name, size_t *out, Error *err)
{
    const ModelShape *s = features_shape(e->features);
    *out = s->task == TASK_BINARY ? 1 : 0;
    if (!name || !*name)
        return true;
    for (size_t i = 0; i < s->classes; i++)
        if (text_equal(features_class(e->features, i), name)) {
            *out = i;
            return true;
        }
    return error_set(err, ERROR_USAGE, "the target has no class %s", name);
}

/* Puts one encoded value into every row. */
static void fill(const Explainer *e, InputSpan span, const float *dense, const int32_t *code,
                 float *to, int32_t *to_code)
{
    const ModelShape *s = features_shape(e->features);
    for (size_t i = 0; i < e->rows; i++) {
        if (span.dense)
            memcpy(to + i * s->dense + span.dense_at, dense, span.dense * sizeof *to);
        if (span.codes)
            memcpy(to_code + i * s->codes + span.code_at, code, span.codes * sizeof *to_code);
    }
}

static void sum_up(Explainer *e, size_t class, double *sorted, DependencePoint *out)
{
    const ModelShape *s = features_shape(e->features);
    double sum = 0.0;
    for (size_t i = 0; i < e->rows; i++) {
        double v = s->task == TASK_MULTICLASS ? e->value[i * s->outputs + class] : e->value[i];
        sorted[i] = s->task == TASK_BINARY && class == 0 ? 1.0 - v : v;
        sum += sorted[i];
    }
    qsort(sorted, e->rows, sizeof *sorted, ascending);
    out->mean = sum / (double)e->rows;
    for (size_t q = 0; q < ICE_QUANTILES; q++)
        out->quantile[q] = quantile(sorted, e->rows, ice_share[q]);
}

static bool ask(Explainer *e, size_t input, size_t class, Grid *g, Progress *progress, Arena *a,
                Error *err)
{
    InputSpan span = features_span(e->features, input);
    float *dense = ARENA_NEW(a, float, g->points *span.dense + 1);
    int32_t *code = ARENA_NEW(a, int32_t, g->points * span.codes + 1);
    double *sorted = mem_try(e->rows * sizeof *sorted, err);
    float *all = sorted ? mem_try((e->dense.count + 1) * sizeof *all, err) : NULL;
    int32_t *codes = all ? mem_try((e->code.count + 1) * sizeof *codes, err) : NULL;
    bool ok = codes && features_encode_input(e->features, input, &g->column, a, dense, code, err);
    if (ok && e->dense.count)
        memcpy(all, e->dense.at, e->dense.count * sizeof *all);
    if (ok && e->code.count)
        memcpy(codes, e->code.at, e->code.count * sizeof *codes);
    Batch b = {.rows = e->rows, .dense = all, .code = codes};
    progress_begin(progress, "predicting", "values", g->points);
    for (size_t i = 0; ok && i < g->points; i++) {
        fill(e, span, dense + i * span.dense, code + i * span.codes, all, codes);
        explainer_predict(e, &b);
        sum_up(e, class, sorted, &g->point[i]);
        progress_add(progress, 1);
        if (progress_stopped(progress))
            ok = error_set(err, ERROR_STOP, "stopped by request");
    }
    mem_free(sorted);
    mem_free(all);
    mem_free(codes);
    return ok;
}

bool explainer_dependence(Explainer *e, const char *column, const char *class, int points,
                          Progress *progress, Arena *a, Dependence *out, Error *err)
{
    if (features_time(e->features))
        return error_set(err, ERROR_USAGE,
                         "a row of a series has no value of its own to set: what=weights or permutation");
    size_t input, k;
    Grid g = {0};
    if (!explainer_input(e, column, &input, err) || !class_of(e, class, &k, err) ||
        !make_grid(e, column, (size_t)points, a, &g, err) ||
        !ask(e, input, k, &g, progress, a, err))
        return false;
    bool number = features_shape(e->features)->task == TASK_REGRESSION;
    *out =
        (Dependence){.column = arena_text(a, column),
                     .predicts = number ? arena_text(a, features_target(e->features))
                                        : arena_printf(a, "p(%s)", features_class(e->features, k)),
                     .type = g.column.type,
                     .points = g.points,
                     .point = g.point};
    return true;
}
