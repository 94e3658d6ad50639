/* clean_write.c -- the Clean pane as files: the rules with what each does as a table, and before and after of the
 * column that the rule under the cursor touches as a chart. (The recipe itself: the pane's own key.) */
#include "clean_int.h"

#include <stdio.h>

enum {
    WRITE_RULE,
    WRITE_TEXT,
    WRITE_ON,
    WRITE_IN,
    WRITE_OUT,
    WRITE_TOUCHED,
    WRITE_FAILED,
    WRITE_COLUMNS
};
static const TableColumn columns[WRITE_COLUMNS] = {
    [WRITE_RULE] = {.title = "rule", .align = ALIGN_RIGHT},
    [WRITE_TEXT] = {.title = "text"},
    [WRITE_ON] = {.title = "on"},
    [WRITE_IN] = {.title = "rows_in", .align = ALIGN_RIGHT},
    [WRITE_OUT] = {.title = "rows_out", .align = ALIGN_RIGHT},
    [WRITE_TOUCHED] = {.title = "touched", .align = ALIGN_RIGHT},
    [WRITE_FAILED] = {.title = "failed", .align = ALIGN_RIGHT},
};

static void add_number(const RuleEffect *e, size_t column, Text *into)
{
    uint64_t v = column == WRITE_IN        ? e->rows_in
                 : column == WRITE_OUT     ? e->rows_out
                 : column == WRITE_TOUCHED ? e->touched
                                           : e->failed;
    text_printf(into, "%llu", (unsigned long long)v);
}

static void cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    const CleanState *s = context;
    const RuleEffect *e = clean_effect(s, (size_t)row);
    if (column == WRITE_RULE)
        text_printf(out->text, "%llu", (unsigned long long)row + 1);
    else if (column == WRITE_TEXT)
        text_puts(out->text, recipe_rule(s->recipe, (size_t)row));
    else if (column == WRITE_ON)
        text_puts(out->text, recipe_is_on(s->recipe, (size_t)row) ? "yes" : "no");
    else if (e)
        add_number(e, column, out->text);
}

bool clean_table_shown(const void *state, TableSource *out)
{
    const CleanState *s = state;
    if (!s->recipe || !recipe_count(s->recipe))
        return false;
    *out = (TableSource){.context = s,
                         .rows = recipe_count(s->recipe),
                         .columns = WRITE_COLUMNS,
                         .column = columns,
                         .cell = cell};
    return true;
}

static ChartSeries shares(const PreviewColumn *c, const double *share, const char *name,
                          Style style, Arena *a)
{
    size_t n = c->bins < PREVIEW_BINS ? c->bins : PREVIEW_BINS;
    double *x = ARENA_NEW(a, double, n + 1), *y = ARENA_NEW(a, double, n + 1);
    for (size_t i = 0; i < n; i++) {
        x[i] = c->numeric ? c->low + (c->high - c->low) * ((double)i + 0.5) / (double)n : (double)i;
        y[i] = share[i];
    }
    return (ChartSeries){.name = name, .style = style, .x = x, .y = y, .n = n};
}

bool clean_chart_shown(const void *state, Arena *a, Chart *out, char title[160])
{
    const CleanState *s = state;
    const Preview *p = s->preview;
    if (!p || !p->columns)
        return false;
    const PreviewColumn *c = &p->column[0];
    ChartSeries *series = ARENA_NEW(a, ChartSeries, 2);
    series[0] = shares(c, c->before, "before", STYLE_BEFORE, a);
    series[1] = shares(c, c->after, "after", STYLE_AFTER, a);
    const char **word = ARENA_NEW(a, const char *, PREVIEW_BINS);
    for (size_t i = 0; i < series[0].n && !c->numeric; i++)
        word[i] = arena_text(a, c->word[i]);
    *out = (Chart){.x_name = arena_text(a, c->name),
                   .series = series,
                   .count = 2,
                   .words = word,
                   .word_count = c->numeric ? 0 : series[0].n,
                   .bars = true};
    const char *rule =
        s->recipe && s->at < recipe_count(s->recipe) ? recipe_rule(s->recipe, s->at) : "";
    snprintf(title, 160, "%.60s: %.80s", c->name, rule);
    return series[0].n > 0;
}
