/* runs_explain.c -- what a run's model makes of its columns: how much each matters, and what one does. */
#include "runs_int.h"

#include "../chart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void run_explain_release(RunExplain *e)
{
    json_decref(e->columns);
    json_decref(e->points);
    *e = (RunExplain){.ui = e->ui};
}

static const json_t *rows_of(const RunExplain *e)
{
    return json_object_get(e->columns, "columns");
}

static double number(const json_t *row, const char *key)
{
    const json_t *v = json_object_get(row, key);
    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

static const char *column_at(const RunExplain *e, size_t i)
{
    const char *name = json_string_value(json_object_get(json_array_get(rows_of(e), i), "column"));
    return name ? name : "";
}

/* ---- asking ------------------------------------------------------------------------------------------ */

static bool ours(const RunExplain *e, const json_t *result)
{
    return json_integer_value(json_object_get(result, "run")) == e->run;
}

/* Both rankings may be under way; the one asked for last is wanted. */
static bool wanted(const RunExplain *e, const json_t *result)
{
    return ours(e, result) && (json_object_get(result, "explains") != NULL) == e->shap;
}

static void dependence_read(void *owner, const json_t *result, const Error *err, Ui *ui)
{
    RunExplain *e = owner;
    if (!result)
        snprintf(e->trouble, sizeof e->trouble, "%.199s", err->text);
    else if (ours(e, result)) {
        json_decref(e->points);
        e->points = json_incref((json_t *)(uintptr_t)result);
        *e->trouble = 0;
    }
    ui_draw(ui);
}

static void importance_read(void *owner, const json_t *result, const Error *err, Ui *ui)
{
    RunExplain *e = owner;
    if (!result)
        snprintf(e->trouble, sizeof e->trouble, "%.199s", err->text);
    else if (wanted(e, result)) {
        json_decref(e->columns);
        e->columns = json_incref((json_t *)(uintptr_t)result);
        *e->trouble = 0;
        run_explain_column(e);
    }
    ui_draw(ui);
}

void run_explain_ask(RunExplain *e, int64_t run, bool shap)
{
    char line[64];
    run_explain_release(e);
    e->run = run;
    e->shap = shap;
    snprintf(line, sizeof line, "explain %lld what=%s", (long long)run, shap ? "shap" : "permutation");
    ui_command(e->ui, line, e, importance_read);
}

void run_explain_column(RunExplain *e)
{
    Text line = {0};
    const char *column = column_at(e, e->at);
    if (!*column)
        return;
    text_printf(&line, "explain %lld what=dependence points=24 rows=2000 'column=%s'",
                (long long)e->run, column);
    ui_command(e->ui, text_str(&line), e, dependence_read);
    text_release(&line);
}

Reply run_explain_move(RunExplain *e, int64_t step)
{
    int64_t n = (int64_t)json_array_size(rows_of(e)), to = (int64_t)e->at + step;
    e->at = (size_t)(to < 0 || n == 0 ? 0 : to >= n ? n - 1 : to);
    return REPLY_DRAW;
}

bool runs_can_shap(const RunsState *s)
{
    const RunRow *run = snapshot_run(ui_snapshot(s->ui), s->explain.run);
    const ModelFamily *family = run ? model_family(run->family) : NULL;
    return family && family->contributions;
}

/* ---- drawing ------------------------------------------------------------------------------------------- */

static void draw_bars(const RunExplain *e, const Canvas *c)
{
    size_t n = json_array_size(rows_of(e)), room = c->rows > 1 ? (size_t)c->rows - 1 : 0;
    size_t top = e->at >= room && room ? e->at - room + 1 : 0;
    const char *key = e->shap ? "size" : "worse";
    double most = number(json_array_get(rows_of(e), 0), key);
    bool narrow = c->cols < 50; /* the intervals leave their room to the bars */
    int name = c->cols * 2 / 5, value = narrow ? 9 : 20, bar = c->cols - name - value - 2;
    if (e->shap)
        canvas_printf(c, 0, 0, STYLE_HEADER, "SHAP: what it adds to %s, mean size",
                      json_string_value(json_object_get(e->columns, "explains")));
    else
        canvas_printf(c, 0, 0, STYLE_HEADER, "%s lost without it (now %.5g)",
                      json_string_value(json_object_get(e->columns, "metric")), number(e->columns, "value"));
    for (size_t i = top; i < n && i < top + room; i++) {
        const json_t *row = json_array_get(rows_of(e), i);
        double worse = number(row, key), half = number(row, "high") - worse;
        int at = (int)(i - top) + 1;
        canvas_field(c, at, 0, name, ALIGN_LEFT, STYLE_PLAIN, column_at(e, i));
        if (bar > 2)
            chart_bar(c, at, name + 1, bar, most > 0 && worse > 0 ? worse / most : 0, STYLE_BAR,
                      STYLE_PLAIN);
        Text text = {0};
        chart_figure(worse, 4, &text);
        if (isfinite(half) && !narrow) {
            text_printf(&text, " %s ", glyph(c, GLYPH_PLUSMINUS));
            chart_figure(half, 2, &text);
        }
        canvas_put(c, at, name + 2 + (bar > 0 ? bar : 0), STYLE_NUMBER, text_str(&text));
        text_release(&text);
        if (i == e->at)
            canvas_restyle(c, at, 0, c->cols, STYLE_CURSOR);
    }
}

static void draw_words(const json_t *points, bool shares, const Canvas *c)
{
    size_t n = json_array_size(points);
    const char *name[64];
    double mean[64];
    n = n < 64 ? n : 64;
    for (size_t i = 0; i < n; i++) {
        name[i] = json_string_value(json_object_get(json_array_get(points, i), "value"));
        name[i] = name[i] ? name[i] : "";
        mean[i] = number(json_array_get(points, i), "mean");
    }
    chart_words(c, &(WordBars){.count = n, .name = name, .value = mean, .figures = !shares});
}

/* The mean, and faint the quantiles of the rows' own curves. Times, which are text here, by their order. */
static void draw_curve(const json_t *points, bool numbers, const Canvas *c)
{
    enum { MOST = 256 };
    static const char *const keys[] = {"q10", "q90", "mean"};
    double x[MOST], y[3][MOST];
    size_t n = json_array_size(points);
    ChartSeries series[3];
    n = n < MOST ? n : MOST;
    for (size_t i = 0; i < n; i++) {
        x[i] = numbers ? number(json_array_get(points, i), "value") : (double)i;
        for (size_t k = 0; k < 3; k++)
            y[k][i] = number(json_array_get(points, i), keys[k]);
    }
    for (size_t k = 0; k < 3; k++)
        series[k] = (ChartSeries){.name = k == 2 ? "mean" : NULL,
                                  .style = k == 2 ? STYLE_ACCENT : STYLE_DIM,
                                  .x = x,
                                  .y = y[k],
                                  .n = n,
                                  .faint = k < 2};
    chart_draw(c, &(Chart){.series = series, .count = 3, .no_legend = true, .empty = "no values"});
}

static void draw_dependence(const RunExplain *e, const Canvas *c)
{
    const json_t *points = json_object_get(e->points, "points"), *first = json_array_get(points, 0);
    const char *column = json_string_value(json_object_get(e->points, "column"));
    if (!column || strcmp(column, column_at(e, e->at)) != 0) {
        canvas_field(c, 0, 0, c->cols, ALIGN_LEFT, STYLE_DIM, "Enter: what this column does");
        return;
    }
    const char *predicts = json_string_value(json_object_get(e->points, "predicts"));
    Canvas below = canvas_part(c, 1, 0, c->rows - 1, c->cols);
    bool numbers = json_is_number(json_object_get(first, "value"));
    const char *text = json_string_value(json_object_get(first, "value"));
    bool time = text && strlen(text) >= 10 && text[4] == '-' && text[7] == '-';
    bool curve = numbers || time;
    canvas_printf(c, 0, 0, STYLE_HEADER, "%s by %s, mean%s", predicts, column,
                  curve && c->cols >= 50 ? " and 10 to 90 % of rows" : "");
    if (curve)
        draw_curve(points, numbers, &below);
    else
        draw_words(points, text_starts(predicts ? predicts : "", "p("), &below);
}

void run_explain_draw(const RunExplain *e, const Canvas *c)
{
    if (*e->trouble)
        canvas_wrap(c, 0, 0, c->cols, STYLE_BAD, e->trouble);
    else if (!e->columns)
        canvas_put(c, 0, 0, STYLE_DIM, e->shap ? "What each column adds to the rows ... Ctrl-C ends it"
                                               : "Dealing out one column after the other ... Ctrl-C ends it");
    else {
        int left = c->cols >= 70 ? c->cols / 2 : c->cols;
        Canvas bars = canvas_part(c, 0, 0, c->rows, left - 1);
        draw_bars(e, &bars);
        Canvas curve = canvas_part(c, 0, left + 1, c->rows, c->cols - left - 1);
        if (left < c->cols)
            draw_dependence(e, &curve);
    }
}
