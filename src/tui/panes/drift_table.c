/* drift_table.c -- the columns of a drift report as a table. */
#include "drift_int.h"

#include <math.h>
#include <string.h>

enum { COL_COLUMN, COL_ROLE, COL_TEST, COL_STATISTIC, COL_THRESHOLD, COL_DRIFTED, COL_CHANGE, COL_NOTE,
       COL_COUNT };
static const TableColumn columns[COL_COUNT] = {
    [COL_COLUMN] = {.title = "Column", .width = 24},
    [COL_ROLE] = {.title = "Role", .width = 10},
    [COL_TEST] = {.title = "Test", .width = 14},
    [COL_STATISTIC] = {.title = "Score", .width = 9, .align = ALIGN_RIGHT},
    [COL_THRESHOLD] = {.title = "Limit", .width = 7, .align = ALIGN_RIGHT},
    [COL_DRIFTED] = {.title = "Drifted", .width = 7},
    [COL_CHANGE] = {.title = "Mean", .width = 18},
    [COL_NOTE] = {.title = "Note", .width = 10, .stretch = true},
};

const DriftColumn *drift_column_at(const DriftState *s, uint64_t row)
{
    return s->report && row < s->order.count ? &s->report->column[s->order.at[row]] : NULL;
}

static bool is_number(const DriftColumn *d)
{
    return strcmp(d->type, "text") != 0 && isfinite(d->reference_mean) && isfinite(d->current_mean) &&
           (d->reference_deviation > 0 || d->current_deviation > 0);
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
    switch (column) {
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
            text_printf(out->text, "%.5g \u2192 %.5g", d->reference_mean, d->current_mean);
        out->style = STYLE_NUMBER;
        break;
    default:
        text_puts(out->text, d->note);
        out->style = STYLE_WARN;
    }
}

TableSource drift_source(const DriftState *s)
{
    return (TableSource){.context = s, .rows = s->order.count, .columns = COL_COUNT, .column = columns,
                         .cell = cell, .empty = "No column could be compared."};
}

/* The report comes most drifted first; by name it is easier to look a column up. */
void drift_arrange(DriftState *s)
{
    s->order.count = 0;
    for (size_t i = 0; s->report && i < s->report->columns; i++) {
        vec_add(&s->order, i);
        size_t k = s->order.count - 1;
        for (; s->by_name && k > 0 && strcasecmp(s->report->column[i].name,
               s->report->column[s->order.at[k - 1]].name) < 0; k--)
            s->order.at[k] = s->order.at[k - 1];
        s->order.at[k] = i;
    }
    if (s->table.at >= s->order.count)
        s->table.at = 0;
}
