/* watch_tables.c -- the tables of the Watch pane: curves, alerts, rows of the log. */
#include "watch_int.h"

#include <math.h>
#include <string.h>

static void when(double seconds, Text *into)
{
    Text t = {0};
    time_format((int64_t)(seconds * 1e6) / 1000000 * 1000000, &t);
    text_puts(into, text_str(&t) + (t.count > 5 ? 5 : 0)); /* without the year */
    text_release(&t);
}

static void number(double v, Text *into)
{
    if (isfinite(v))
        chart_figure(v, 4, into);
}

/* ---- curves ----------------------------------------------------------------------------------------------------------- */

enum { CURVE_KIND, CURVE_COLUMN, CURVE_TEST, CURVE_VALUE, CURVE_LIMIT, CURVE_SPARK, CURVE_MODEL, CURVE_COUNT };
static const TableColumn curve_columns[CURVE_COUNT] = {
    [CURVE_KIND] = {.title = "What", .width = 11},
    [CURVE_COLUMN] = {.title = "Column", .width = 14},
    [CURVE_TEST] = {.title = "Measure", .width = 14},
    [CURVE_VALUE] = {.title = "Now", .width = 8, .align = ALIGN_RIGHT},
    [CURVE_LIMIT] = {.title = "Usual", .width = 15, .align = ALIGN_RIGHT},
    [CURVE_SPARK] = {.title = "Time", .width = 12},
    [CURVE_MODEL] = {.title = "Model", .width = 8, .stretch = true},
};

static void limit_of(const WatchCurve *k, Text *into)
{
    double low = k->n ? k->low[k->n - 1] : (double)NAN, high = k->n ? k->high[k->n - 1] : (double)NAN;
    bool below = isfinite(high), above = isfinite(low);
    text_puts(into, below && above ? "" : below ? "< " : above ? "> " : "");
    if (above)
        chart_figure(low, 3, into);
    text_puts(into, below && above ? " .. " : "");
    if (below)
        chart_figure(high, 3, into);
}

static void curve_cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    const WatchState *s = context;
    const WatchCurve *k = &s->data->curve[row];
    switch (column) {
    case CURVE_KIND:
        text_puts(out->text, k->kind);
        out->style = k->alarm ? STYLE_BAD : STYLE_PLAIN;
        break;
    case CURVE_COLUMN:
        text_puts(out->text, *k->column ? k->column : "(all)");
        out->style = *k->column ? STYLE_PLAIN : STYLE_DIM;
        break;
    case CURVE_TEST:
        text_puts(out->text, k->test);
        out->style = STYLE_DIM;
        break;
    case CURVE_VALUE:
        number(k->n ? k->value[k->n - 1] : (double)NAN, out->text);
        out->style = k->alarm ? STYLE_BAD : STYLE_NUMBER;
        break;
    case CURVE_LIMIT:
        limit_of(k, out->text);
        out->style = STYLE_DIM;
        break;
    case CURVE_SPARK:
        break;
    default:
        text_puts(out->text, k->model);
        out->style = STYLE_DIM;
    }
}

static bool curve_paint(const void *context, uint64_t row, size_t column, const Canvas *cell, Style ground)
{
    const WatchState *s = context;
    const WatchCurve *k = &s->data->curve[row];
    if (column != CURVE_SPARK || !k->n)
        return false;
    size_t n = k->n < (size_t)cell->cols ? k->n : (size_t)cell->cols;
    canvas_fill(cell, ground);
    chart_spark(cell, 0, 0, cell->cols, style_on(k->alarm ? STYLE_BAD : STYLE_BAR, ground), k->value + k->n - n, n);
    return true;
}

/* ---- alerts --------------------------------------------------------------------------------------------------------------- */

enum { ALERT_ID, ALERT_STATE, ALERT_WHEN, ALERT_COUNT_, ALERT_KIND, ALERT_TEXT, ALERT_COLUMNS };
static const TableColumn alert_columns[ALERT_COLUMNS] = {
    [ALERT_ID] = {.title = "No", .width = 4, .align = ALIGN_RIGHT},
    [ALERT_STATE] = {.title = "State", .width = 12},
    [ALERT_WHEN] = {.title = "Raised", .width = 14},
    [ALERT_COUNT_] = {.title = "Times", .width = 5, .align = ALIGN_RIGHT},
    [ALERT_KIND] = {.title = "Kind", .width = 11},
    [ALERT_TEXT] = {.title = "What", .width = 20, .stretch = true},
};

static void alert_cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    const WatchState *s = context;
    const AlertRow *a = &s->data->alert[row];
    switch (column) {
    case ALERT_ID:
        text_printf(out->text, "%lld", (long long)a->id);
        break;
    case ALERT_STATE:
        text_puts(out->text, a->state);
        out->style = strcmp(a->state, "raised") == 0 ? STYLE_BAD : strcmp(a->state, "resolved") == 0 ? STYLE_GOOD : STYLE_WARN;
        break;
    case ALERT_WHEN:
        when((double)a->raised / 1e6, out->text);
        out->style = STYLE_TIME;
        break;
    case ALERT_COUNT_:
        text_printf(out->text, "%lld", (long long)a->count);
        out->style = STYLE_DIM;
        break;
    case ALERT_KIND:
        text_puts(out->text, a->kind);
        out->style = STYLE_DIM;
        break;
    default:
        text_puts(out->text, a->text);
    }
}

/* ---- rows -------------------------------------------------------------------------------------------------------------------- */

enum { ROW_TIME, ROW_ROLE, ROW_MODEL, ROW_SAID, ROW_TRUTH, ROW_LATENCY, ROW_INPUTS, ROW_COLUMNS };
static const TableColumn row_columns[ROW_COLUMNS] = {
    [ROW_TIME] = {.title = "Time", .width = 14},
    [ROW_ROLE] = {.title = "Role", .width = 6},
    [ROW_MODEL] = {.title = "Model", .width = 10},
    [ROW_SAID] = {.title = "Said", .width = 10, .align = ALIGN_RIGHT},
    [ROW_TRUTH] = {.title = "Came true", .width = 10, .align = ALIGN_RIGHT},
    [ROW_LATENCY] = {.title = "ms", .width = 6, .align = ALIGN_RIGHT},
    [ROW_INPUTS] = {.title = "Inputs", .width = 20, .stretch = true},
};

static void row_cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    const WatchState *s = context;
    const PredictionRow *r = &s->data->row[row];
    switch (column) {
    case ROW_TIME:
        when((double)r->time / 1e6, out->text);
        out->style = STYLE_TIME;
        break;
    case ROW_ROLE:
        text_puts(out->text, r->role);
        out->style = strcmp(r->role, "live") ? STYLE_INFO : STYLE_PLAIN;
        break;
    case ROW_MODEL:
        for (size_t i = 0; i < s->data->models; i++)
            if (s->data->models_known[i].id == r->model)
                text_printf(out->text, "%s/%lld", s->data->models_known[i].name, (long long)s->data->models_known[i].version);
        out->style = STYLE_DIM;
        break;
    case ROW_SAID:
        if (isnan(r->output))
            text_puts(out->text, "dropped");
        else if (*r->said)
            text_puts(out->text, r->said);
        else
            number(r->output, out->text);
        out->style = isnan(r->output) ? STYLE_WARN : STYLE_NUMBER;
        break;
    case ROW_TRUTH:
        if (r->truth_time && *r->truth_said)
            text_puts(out->text, r->truth_said);
        else
            number(r->truth, out->text);
        out->style = STYLE_NUMBER;
        break;
    case ROW_LATENCY:
        if (isfinite(r->latency))
            text_printf(out->text, "%.2f", r->latency * 1000);
        out->style = STYLE_DIM;
        break;
    default:
        text_puts(out->text, r->inputs);
    }
}

TableSource watch_source(const WatchState *s, WatchView view)
{
    const WatchData *d = s->data;
    switch (view) {
    case WATCH_CURVES:
        return (TableSource){.context = s, .rows = d ? d->curves : 0, .columns = CURVE_COUNT, .column = curve_columns,
                             .cell = curve_cell, .paint = curve_paint,
                             .empty = "No points yet. `lathe watch` beside `lathe serve` makes them, a chunk of rows at a time."};
    case WATCH_ALERTS:
        return (TableSource){.context = s, .rows = d ? d->alerts : 0, .columns = ALERT_COLUMNS, .column = alert_columns,
                             .cell = alert_cell, .empty = "No open alerts. u shows those that are over, too."};
    default:
        return (TableSource){.context = s, .rows = d ? d->rows : 0, .columns = ROW_COLUMNS, .column = row_columns,
                             .cell = row_cell, .empty = "No rows in the log of predictions."};
    }
}
