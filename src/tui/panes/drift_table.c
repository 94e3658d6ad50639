/* drift_table.c -- the columns of a drift report as a table. */
#include "drift_int.h"

#include <math.h>
#include <string.h>

enum { COL_COLUMN, COL_IMPORTANCE, COL_STATISTIC, COL_THRESHOLD, COL_DRIFTED, COL_CHANGE, COL_TEST, COL_ROLE, COL_NOTE,
       COL_COUNT };
#define COLUMN_FIRST {.title = "Column", .width = 22} /* 80 columns hold all up to the means */
#define COLUMNS_REST                                                                                    \
    {.title = "Score", .width = 8, .align = ALIGN_RIGHT},                                               \
    {.title = "Limit", .width = 6, .align = ALIGN_RIGHT}, {.title = "Drifted", .width = 7},             \
    {.title = "Mean", .width = 17}, {.title = "Test", .width = 14}, {.title = "Role", .width = 10},     \
    {.title = "Note", .width = 10, .stretch = true}
static const TableColumn weighed[COL_COUNT] = {
    COLUMN_FIRST, {.title = "Matters", .width = 7, .align = ALIGN_RIGHT}, COLUMNS_REST};
static const TableColumn plain[COL_COUNT - 1] = {COLUMN_FIRST, COLUMNS_REST}; /* no model says what matters */

const DriftColumn *drift_column_at(const DriftState *s, uint64_t row)
{
    return s->report && row < s->order.count ? &s->report->column[s->order.at[row]] : NULL;
}

bool drift_weighed(const DriftState *s)
{
    for (size_t i = 0; s->report && i < s->report->columns; i++)
        if (isfinite(s->report->column[i].importance))
            return true;
    return false;
}

/* Without a model that says what matters, the table is without that column. */
static size_t column_of(const DriftState *s, size_t column)
{
    return column + (column >= COL_IMPORTANCE && !drift_weighed(s));
}

/* The importances are gains of any unit: shares of their sum are told. */
static double share_of(const DriftState *s, const DriftColumn *d)
{
    double all = 0;
    for (size_t i = 0; i < s->report->columns; i++)
        all += isfinite(s->report->column[i].importance) ? s->report->column[i].importance : 0;
    return all > 0 ? d->importance / all : (double)NAN;
}

/* How far beyond its limit, comparable between tests as the report has it; a p value by powers of ten. */
static double beyond(const DriftColumn *d)
{
    if (!d->test || !isfinite(d->statistic))
        return 0;
    return d->test->p_value ? fmax(0, 1 + log10(d->threshold / fmax(d->statistic, 1e-300))) : d->statistic / d->threshold;
}

static bool is_number(const DriftColumn *d)
{
    return strcmp(d->type, "text") != 0 && isfinite(d->reference_mean) && isfinite(d->current_mean) &&
           (d->reference_deviation > 0 || d->current_deviation > 0);
}

static void add_means(const DriftColumn *d, Text *into)
{
    chart_figure(d->reference_mean, 4, into);
    text_puts(into, " \u2192 ");
    chart_figure(d->current_mean, 4, into);
}

void drift_score(const DriftColumn *d, Text *into)
{
    if (d->test && d->test->p_value)
        text_printf(into, "p %.3g", d->statistic);
    else
        text_printf(into, "%.4f", d->statistic);
}

static void cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    const DriftState *s = context;
    const DriftColumn *d = drift_column_at(s, row);
    if (!d)
        return;
    switch (column_of(s, column)) {
    case COL_IMPORTANCE: {
        double share = share_of(s, d);
        if (isfinite(share))
            text_printf(out->text, share >= 0.0995 || share == 0 ? "%.0f%%" : share < 0.001 ? "<0.1%%" : "%.1f%%", share * 100);
        out->style = STYLE_NUMBER;
        break;
    }
    case COL_COLUMN:
        text_puts(out->text, d->name);
        out->style = d->drifted ? STYLE_STRONG : STYLE_PLAIN;
        break;
    case COL_ROLE:
        text_puts(out->text, d->role);
        out->style = strcmp(d->role, "feature") ? STYLE_ROLE_TARGET : STYLE_DIM;
        break;
    case COL_TEST:
        text_puts(out->text, d->test ? d->test->name : "-");
        out->style = STYLE_DIM;
        break;
    case COL_STATISTIC:
        if (d->test)
            drift_score(d, out->text);
        out->style = d->drifted ? STYLE_BAD : STYLE_NUMBER;
        break;
    case COL_THRESHOLD:
        if (d->test)
            text_printf(out->text, "%s%.3g", d->test->p_value ? "<" : ">", d->threshold);
        out->style = STYLE_DIM;
        break;
    case COL_DRIFTED:
        text_puts(out->text, !d->test ? "-" : d->drifted ? "yes" : "no");
        out->style = d->drifted ? STYLE_BAD : STYLE_GOOD;
        break;
    case COL_CHANGE:
        if (is_number(d))
            add_means(d, out->text);
        out->style = STYLE_NUMBER;
        break;
    default:
        text_puts(out->text, d->note);
        out->style = STYLE_WARN;
    }
}

TableSource drift_source(const DriftState *s)
{
    bool matters = drift_weighed(s);
    return (TableSource){.context = s, .rows = s->order.count, .columns = matters ? COL_COUNT : COL_COUNT - 1,
                         .column = matters ? weighed : plain,
                         .cell = cell, .empty = "No column could be compared."};
}

static bool stands_before(const DriftState *s, size_t a, size_t b)
{
    const DriftColumn *x = &s->report->column[a], *y = &s->report->column[b];
    if (s->sort == DRIFT_BY_NAME)
        return strcasecmp(x->name, y->name) < 0;
    if (s->sort == DRIFT_BY_SCORE)
        return a < b; /* the report comes most drifted first */
    double v = isfinite(x->importance) ? x->importance * beyond(x) : -1, w = isfinite(y->importance) ? y->importance * beyond(y) : -1;
    return v != w ? v > w : a < b;
}

const char *drift_order(const DriftState *s)
{
    static const char *const names[DRIFT_ORDERS] = {"by importance x drift", "most drifted first", "by name"};
    return names[s->sort];
}

void drift_arrange(DriftState *s)
{
    s->order.count = 0;
    if (!s->sort_chosen || (s->sort == DRIFT_BY_WEIGHT && !drift_weighed(s)))
        s->sort = drift_weighed(s) ? DRIFT_BY_WEIGHT : DRIFT_BY_SCORE;
    for (size_t i = 0; s->report && i < s->report->columns; i++) {
        vec_add(&s->order, i);
        size_t k = s->order.count - 1;
        for (; k > 0 && stands_before(s, i, s->order.at[k - 1]); k--)
            s->order.at[k] = s->order.at[k - 1];
        s->order.at[k] = i;
    }
    if (s->table.at >= s->order.count)
        s->table.at = 0;
}
