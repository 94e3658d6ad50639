/* runs_scatter.c -- runs as dots (a hyperparameter against a metric) and as lines over parallel axes. */
#include "runs_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1000, AXES = 12, WORDS = 24 };

/* A field as places on an axis: numbers as they are, words in the order they are met. */
typedef struct Axis {
    const RunField *f;
    double low, high;
    char word[WORDS][32];
    size_t words;
    bool log;
} Axis;

static double place_of(const RunsState *s, Axis *a, const RunRow *run)
{
    if (a->f->number) {
        double v = runs_number(s, run, a->f);
        return a->log ? (v > 0 ? log10(v) : (double)NAN) : v;
    }
    Text text = {0};
    double at = (double)NAN;
    runs_text(s, run, a->f, &text);
    for (size_t i = 0; i < a->words && isnan(at); i++)
        if (strncmp(a->word[i], text_str(&text), sizeof a->word[i] - 1) == 0)
            at = (double)i;
    if (isnan(at) && a->words < WORDS) {
        snprintf(a->word[a->words], sizeof a->word[0], "%.31s", text_str(&text));
        at = (double)a->words++;
    }
    text_release(&text);
    return at;
}

static const RunRow *shown_run(const RunsState *s, size_t i)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    return s->shown.at[i] < snap->runs ? &snap->run[s->shown.at[i]] : NULL;
}

static Axis axis_of(const RunsState *s, const RunField *f)
{
    Axis a = {.f = f, .low = INFINITY, .high = -INFINITY, .log = f->log};
    for (size_t i = 0; i < s->shown.count; i++) {
        const RunRow *run = shown_run(s, i);
        double v = run ? place_of(s, &a, run) : (double)NAN;
        if (isfinite(v)) {
            a.low = fmin(a.low, v);
            a.high = fmax(a.high, v);
        }
    }
    return a;
}

static void name_of(const Axis *a, double v, Text *into)
{
    if (!a->f->number)
        text_puts(into, v >= 0 && v < (double)a->words ? a->word[(size_t)v] : "");
    else if (isfinite(v))
        chart_number(a->log ? pow(10, v) : v, into);
}

static void say_empty(const RunsState *s, const Canvas *c)
{
    const RunField *x = runs_input(s), *y = runs_metric(s);
    const char *say = !y   ? "No run has a metric yet."
                      : !x ? "All runs have the same hyperparameters: there is nothing to compare them by. "
                             "Fork one with a change (f), or set up another (3)."
                           : "No run shown here has both.";
    canvas_wrap(c, 1, 2, c->cols - 4, STYLE_DIM, say);
}

/* ---- scatter ----------------------------------------------------------------------------------------- */

typedef struct Dot {
    double x, y;
    int64_t run;
} Dot;

static int by_x(const void *a, const void *b)
{
    const Dot *l = a, *r = b;
    return (l->x > r->x) - (l->x < r->x);
}

static size_t dots_of(const RunsState *s, Axis *x, const RunField *y, Dot *out)
{
    size_t n = 0;
    for (size_t i = 0; i < s->shown.count && n < MOST; i++) {
        const RunRow *run = shown_run(s, i);
        if (!run)
            continue;
        double px = place_of(s, x, run), py = runs_number(s, run, y);
        if (isfinite(px) && isfinite(py))
            out[n++] = (Dot){x->log ? pow(10, px) : px, py, run->id};
    }
    qsort(out, n, sizeof *out, by_x);
    return n;
}

/* A dot a run; the run under the cursor lies on top. x: of the words on the axis. */
static bool scatter_of(const RunsState *s, Arena *a, Axis *x, Chart *out, char title[160])
{
    const RunField *fx = runs_input(s), *fy = runs_metric(s);
    const RunRow *here = runs_here(s);
    Dot *dot = ARENA_NEW(a, Dot, MOST);
    *x = fx ? axis_of(s, fx) : (Axis){0};
    size_t n = fx && fy ? dots_of(s, x, fy, dot) : 0, first = 0;
    if (!n)
        return false;
    ChartSeries *series = ARENA_NEW(a, ChartSeries, n);
    for (size_t i = 0; i < n; i++) {
        bool mine = here && dot[i].run == here->id;
        const RunRow *run = snapshot_run(ui_snapshot(s->ui), dot[i].run);
        series[i] = (ChartSeries){.name = run ? arena_text(a, run->name) : NULL, .style = run_style(dot[i].run),
                                  .x = &dot[i].x, .y = &dot[i].y, .n = 1, .dots = true,
                                  .mark = mine ? 0x25c6u : 0x25cfu};
        first = mine ? i : first;
    }
    ChartSeries top = series[first];
    series[first] = series[0];
    series[0] = top;
    double room = x->log ? 0 : (x->high - x->low) * 0.04 + (x->high == x->low);
    snprintf(title, 160, "%s by %s", fy->name, fx->name);
    *out = (Chart){.x_name = arena_text(a, fx->name), .series = series, .count = n, .x_log = x->log,
                   .x_low = x->log ? pow(10, x->low - 0.1) : x->low - room,
                   .x_high = x->log ? pow(10, x->high + 0.1) : x->high + room, .no_legend = true};
    return true;
}

bool runs_scatter_chart(const RunsState *s, Arena *a, Chart *out, char title[160])
{
    Axis x;
    return scatter_of(s, a, &x, out, title);
}

void runs_scatter_draw(const RunsState *s, const Canvas *c)
{
    Arena a = {0};
    Axis x;
    Chart chart;
    char title[160];
    if (scatter_of(s, &a, &x, &chart, title)) {
        Canvas plot = canvas_part(c, 0, 0, c->rows - (x.words ? 1 : 0), c->cols);
        chart_draw(&plot, &chart);
        int col = 8;
        for (size_t i = 0; i < x.words; i++) /* words stand for numbers on the axis */
            col += canvas_printf(c, c->rows - 1, col, STYLE_DIM, "%zu %s  ", i, x.word[i]);
    } else {
        say_empty(s, c);
    }
    arena_release(&a);
}

/* ---- parallel axes --------------------------------------------------------------------------------------- */

/* Hyperparameters that differ, then the metric. */
static size_t axes_of(const RunsState *s, Axis *out, size_t most)
{
    const RunField *y = runs_metric(s);
    size_t n = 0;
    for (size_t i = 0; i < s->field.count && n + 1 < most; i++) {
        const RunField *f = &s->field.at[i];
        bool fact = f->kind == FIELD_FACT && (f->fact == RUN_FACT_FAMILY || f->fact == RUN_FACT_DATASET);
        if (f->differs && (f->kind == FIELD_PARAM || fact)) {
            out[n] = axis_of(s, f);
            n += out[n].low < out[n].high;
        }
    }
    if (y && n)
        out[n++] = axis_of(s, y);
    return n;
}

/* The best third, the middle, the worst, by the metric: the colour says how a line ends. */
static Style quality(const Axis *metric, double v)
{
    double share = (v - metric->low) / (metric->high - metric->low);
    if (metric->f->better > 0)
        share = 1 - share;
    return !isfinite(share) ? STYLE_DIM : share < 1 / 3.0 ? STYLE_GOOD : share < 2 / 3.0 ? STYLE_WARN : STYLE_BAD;
}

/* Those at the two ends take no more room than they need: what stands beside them is centred. */
static void label(const Canvas *c, int row, size_t i, size_t n, Style style, const char *text)
{
    int room = c->cols / (int)n, wide = (int)utf8_width(text, strlen(text));
    int mid = (int)lround((double)i / (double)(n - 1) * (c->cols - 1));
    if (i > 0 && i + 1 < n)
        canvas_field(c, row, mid - room / 2 + 1, room - 1, ALIGN_CENTRE, style, text);
    else
        canvas_field(c, row, i && wide < room ? c->cols - wide : i ? c->cols - room : 0, wide < room ? wide : room, ALIGN_LEFT,
                     style, text);
}

static void label_axes(const Axis *axis, size_t n, const Canvas *c)
{
    for (size_t i = 0; i < n; i++) {
        Text text = {0};
        label(c, 0, i, n, i == n - 1 ? STYLE_ACCENT : STYLE_HEADER, axis[i].f->name);
        name_of(&axis[i], axis[i].high, &text);
        label(c, 1, i, n, STYLE_AXIS, text_str(&text));
        text_reset(&text);
        name_of(&axis[i], axis[i].low, &text);
        label(c, c->rows - 1, i, n, STYLE_AXIS, text_str(&text));
        text_release(&text);
        canvas_vline(c, 2, (int)lround((double)i / (double)(n - 1) * (c->cols - 1)), c->rows - 3, STYLE_GRID);
    }
}

/* A line a run over the axes, each from 0 to 1; the one under the cursor first. */
static ChartSeries *lines_of(const RunsState *s, Axis *axis, size_t n, size_t *lines, Arena *a)
{
    const RunRow *here = runs_here(s);
    ChartSeries *series = ARENA_NEW(a, ChartSeries, s->shown.count + 1);
    double *at = ARENA_NEW(a, double, (s->shown.count + 1) * n * 2);
    *lines = 0;
    for (size_t i = 0; i < s->shown.count && *lines < MOST; i++) {
        const RunRow *run = shown_run(s, i);
        double *x = at + i * n * 2, *y = x + n;
        if (!run)
            continue;
        for (size_t k = 0; k < n; k++) {
            x[k] = (double)k;
            y[k] = (place_of(s, &axis[k], run) - axis[k].low) / (axis[k].high - axis[k].low);
        }
        bool mine = here && run->id == here->id;
        double v = axis[n - 1].f->number ? runs_number(s, run, axis[n - 1].f) : (double)NAN;
        series[*lines] = (ChartSeries){.name = arena_text(a, run->name),
                                       .style = mine ? STYLE_ACCENT : quality(&axis[n - 1], v), .x = x, .y = y,
                                       .n = n, .faint = !mine};
        if (mine) {
            ChartSeries top = series[*lines];
            series[*lines] = series[0];
            series[0] = top;
        }
        ++*lines;
    }
    return series;
}

bool runs_parallel_chart(const RunsState *s, Arena *a, Chart *out, char title[160])
{
    Axis *axis = ARENA_NEW(a, Axis, AXES);
    size_t n = axes_of(s, axis, AXES), lines;
    if (n < 2)
        return false;
    const char **word = ARENA_NEW(a, const char *, n);
    for (size_t i = 0; i < n; i++) {
        Text name = {0};
        text_printf(&name, "%s ", axis[i].f->name);
        name_of(&axis[i], axis[i].low, &name);
        text_puts(&name, " .. ");
        name_of(&axis[i], axis[i].high, &name);
        word[i] = arena_text(a, text_str(&name));
        text_release(&name);
    }
    ChartSeries *series = lines_of(s, axis, n, &lines, a);
    *out = (Chart){.series = series, .count = lines, .x_low = 0, .x_high = (double)(n - 1), .words = word,
                   .word_count = n};
    snprintf(title, 160, "runs over their hyperparameters, %s at the right", axis[n - 1].f->name);
    return lines > 0;
}

void runs_parallel_draw(const RunsState *s, const Canvas *c)
{
    Arena a = {0};
    Axis *axis = ARENA_NEW(&a, Axis, AXES);
    size_t most = (size_t)(c->cols / 12) < AXES ? (size_t)(c->cols / 12) : AXES, n = axes_of(s, axis, most), lines;
    if (n < 2 || c->rows < 6) {
        say_empty(s, c);
    } else {
        ChartSeries *series = lines_of(s, axis, n, &lines, &a);
        label_axes(axis, n, c);
        Canvas plot = canvas_part(c, 2, 0, c->rows - 3, c->cols);
        chart_draw(&plot, &(Chart){.series = series, .count = lines, .x_low = 0, .x_high = (double)(n - 1),
                                   .y_low = -0.02, .y_high = 1.02, .no_legend = true, .bare = true});
    }
    arena_release(&a);
}
