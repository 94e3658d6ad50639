/* runs_write.c -- the views of the Runs pane as files: the table of runs, or the bars of the view below it; the
 * scatter, the parallel axes and the bars as charts. */
#include "runs_int.h"

#include "../chart.h"

#include <math.h>
#include <stdio.h>

/* ---- what matters: of hyperparameters, of columns ---------------------------------------------------------- */

enum { WRITE_NAME, WRITE_WORSE, WRITE_MORE, WRITE_COLUMNS };
static const TableColumn weights[WRITE_COLUMNS] = {
    [WRITE_NAME] = {.title = "hyperparameter"},
    [WRITE_WORSE] = {.title = "error_gained_without", .align = ALIGN_RIGHT},
    [WRITE_MORE] = {.title = "rank_correlation", .align = ALIGN_RIGHT},
};
static const TableColumn columns[WRITE_COLUMNS] = {
    [WRITE_NAME] = {.title = "column"},
    [WRITE_WORSE] = {.title = "lost_without", .align = ALIGN_RIGHT},
    [WRITE_MORE] = {.title = "half_interval", .align = ALIGN_RIGHT},
};

static const TableColumn adds[WRITE_COLUMNS] = {
    [WRITE_NAME] = {.title = "column"},
    [WRITE_WORSE] = {.title = "adds_mean_size", .align = ALIGN_RIGHT},
    [WRITE_MORE] = {.title = "adds_mean", .align = ALIGN_RIGHT},
};

static bool weighed(const RunsState *s)
{
    return s->view == RUN_VIEW_IMPORTANCE && s->importance && !*s->importance->trouble;
}

static void add_real(double v, Text *into)
{
    if (isfinite(v))
        text_add_real(into, v);
}

static void weight_cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    const RunImportance *r = context;
    if (column == WRITE_NAME)
        text_puts(out->text, r->name[row]);
    else
        add_real(column == WRITE_WORSE ? r->worse[row] : r->rank[row], out->text);
}

static const json_t *explained(const RunsState *s)
{
    const json_t *rows =
        s->view == RUN_VIEW_EXPLAIN ? json_object_get(s->explain.columns, "columns") : NULL;
    return json_array_size(rows) ? rows : NULL;
}

static double number(const json_t *row, const char *key)
{
    return json_number_value(json_object_get(row, key));
}

static void column_cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    const json_t *line = json_array_get(context, (size_t)row);
    const char *name = json_string_value(json_object_get(line, "column"));
    if (column == WRITE_NAME)
        text_puts(out->text, name ? name : "");
    else
        add_real(column == WRITE_WORSE ? number(line, "worse")
                                       : number(line, "high") - number(line, "worse"),
                 out->text);
}

static void adds_cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    const json_t *line = json_array_get(context, (size_t)row);
    if (column == WRITE_NAME)
        column_cell(context, row, column, out);
    else
        add_real(number(line, column == WRITE_WORSE ? "size" : "mean"), out->text);
}

bool runs_table_shown(const void *state, TableSource *out)
{
    const RunsState *s = state;
    const json_t *rows = explained(s);
    bool shap = s->explain.shap;
    *out = runs_source(s);
    if (weighed(s))
        *out = (TableSource){.context = s->importance,
                             .rows = s->importance->inputs,
                             .columns = WRITE_COLUMNS,
                             .column = weights,
                             .cell = weight_cell};
    else if (rows)
        *out = (TableSource){.context = rows,
                             .rows = json_array_size(rows),
                             .columns = WRITE_COLUMNS,
                             .column = shap ? adds : columns,
                             .cell = shap ? adds_cell : column_cell};
    return out->columns > 0;
}

/* ---- charts -------------------------------------------------------------------------------------------------- */

/* A bar a row of a table of names and numbers. */
static bool bars(const TableSource *t, Arena *a, Chart *out)
{
    size_t n = (size_t)t->rows;
    double *x = ARENA_NEW(a, double, n + 1), *y = ARENA_NEW(a, double, n + 1);
    const char **word = ARENA_NEW(a, const char *, n + 1);
    ChartSeries *series = ARENA_NEW(a, ChartSeries, 1);
    Text text = {0};
    for (size_t i = 0; i < n; i++) {
        text_reset(&text);
        t->cell(t->context, i, WRITE_NAME, &(Cell){.text = &text});
        word[i] = arena_text(a, text_str(&text));
        text_reset(&text);
        t->cell(t->context, i, WRITE_WORSE, &(Cell){.text = &text});
        x[i] = (double)i;
        y[i] = 0;
        if (text.count && text_to_real(text_str(&text), text.count, &y[i]))
            y[i] = fmax(0, y[i]);
    }
    text_release(&text);
    series[0] = (ChartSeries){
        .name = t->column[WRITE_WORSE].title, .style = STYLE_BAR, .x = x, .y = y, .n = n};
    *out = (Chart){.series = series, .count = 1, .words = word, .word_count = n, .bars = true};
    return n > 0;
}

bool runs_chart_shown(const void *state, Arena *a, Chart *out, char title[160])
{
    const RunsState *s = state;
    TableSource t;
    if (s->view == RUN_VIEW_SCATTER)
        return runs_scatter_chart(s, a, out, title);
    if (s->view == RUN_VIEW_PARALLEL)
        return runs_parallel_chart(s, a, out, title);
    if (!(weighed(s) || explained(s)) || !runs_table_shown(s, &t) || !bars(&t, a, out))
        return false;
    if (weighed(s))
        snprintf(title, 160, "what matters for %s", s->importance->metric);
    else
        snprintf(title, 160, "what run %lld makes of its columns", (long long)s->explain.run);
    return true;
}
