/* runs_table.c -- the cells of the table of runs: a run a line, or a group of seeds with mean and interval. */
#include "runs_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void add_plain(double v, Text *into)
{
    text_printf(into, v != 0 && (fabs(v) >= 1e5 || fabs(v) < 1e-3) ? "%.3g" : "%.4g", v);
}

/* A gap to the baseline that another seed would make as well is no gap. */
static bool is_noise(const RunsState *s, const RunRow *run)
{
    const RunFacts *base = book_find(&s->book, s->baseline), *mine = book_find(&s->book, run->id);
    if (!base || !mine)
        return false;
    bool tested = isfinite(base->test) && isfinite(mine->test);
    const RunField *f = runs_field(s, tested ? "test" : "validation");
    double noise = f ? runs_seed_noise(s, run, f) : (double)NAN;
    double gap = tested ? mine->test - base->test : mine->valid - base->valid;
    return noise > 0 && fabs(gap) < 1.96 * sqrt(2.0) * noise;
}

static void delta_cell(const RunsState *s, const RunRow *run, const RunField *f, Cell *out)
{
    const RunFacts *base = book_find(&s->book, s->baseline);
    double change = runs_number(s, run, f);
    if (run->id == s->baseline)
        text_puts(out->text, "base");
    if (isnan(change) || !base)
        return;
    bool noise = is_noise(s, run), good = base->main->larger_is_better ? change > 0 : change < 0;
    text_printf(out->text, "%s%+.1f%%", noise ? "~" : "", change);
    out->style = noise || change == 0.0 ? STYLE_DIM : good ? STYLE_GOOD : STYLE_BAD;
}

static void add_mean(const RunField *f, double mean, double half, Text *into)
{
    bool fact = f->kind == FIELD_FACT, percent = fact && f->fact == RUN_FACT_DELTA;
    if (fact && f->fact == RUN_FACT_TOOK) {
        text_add_seconds(into, mean);
        return;
    }
    if (percent)
        text_printf(into, "%+.1f%%", mean);
    else
        add_plain(mean, into);
    if (!(half > 0))
        return;
    text_puts(into, " \302\261"); /* plus-minus */
    text_printf(into, percent ? "%.1f" : half >= 100 ? "%.0f" : "%.2g", half);
}

static void group_cell(const RunsState *s, const RunGroup *g, const RunRow *first, const RunField *f, Cell *out)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    double mean, half;
    if (f->number && !(f->kind == FIELD_FACT && f->fact == RUN_FACT_SEED)) {
        if (!runs_mean(s, g, f, &mean, &half))
            return;
        add_mean(f, mean, half, out->text);
        return;
    }
    if (f->number) {
        text_printf(out->text, "%zu seeds", g->member.count);
        return;
    }
    Text other = {0};
    runs_text(s, first, f, out->text);
    bool same = true;
    for (size_t i = 1; i < g->member.count && same; i++) {
        text_reset(&other);
        if (g->member.at[i] < snap->runs)
            runs_text(s, &snap->run[g->member.at[i]], f, &other);
        same = strcmp(text_str(&other), text_str(out->text)) == 0;
    }
    text_release(&other);
    if (!same)
        text_puts(out->text, " ...");
}

void runs_cell(const RunsState *s, uint64_t row, size_t column, Cell *out)
{
    const RunRow *run = runs_at(s, row);
    const RunField *f = runs_column_field(s, column);
    if (!run || !f)
        return;
    const RunLine *line = &s->line.at[row];
    bool fact = f->kind == FIELD_FACT;
    if (line->head && fact && f->fact == RUN_FACT_RUN) {
        text_printf(out->text, "%zu %s", s->group.at[line->group].member.count,
                    s->group.at[line->group].open ? "v" : ">");
        out->style = STYLE_ACCENT;
        return;
    }
    if (line->head) {
        group_cell(s, &s->group.at[line->group], run, f, out);
        return;
    }
    if (fact && f->fact == RUN_FACT_DELTA) {
        delta_cell(s, run, f, out);
        return;
    }
    runs_text(s, run, f, out->text);
    if (!out->text->count && f->number && fact)
        text_putc(out->text, '-');
    if (fact && f->fact == RUN_FACT_RUN)
        out->style = run_style(run->id);
    else if (fact && f->fact == RUN_FACT_STATUS)
        out->style = runs_status_style(run->status);
    else if (fact && (f->fact == RUN_FACT_TAGS || f->fact == RUN_FACT_NOTE))
        out->style = STYLE_DIM;
}

static void cell(const void *context, uint64_t row, size_t column, Cell *out)
{
    runs_cell(context, row, column, out);
}

static bool marked(const void *context, uint64_t row)
{
    const RunsState *s = context;
    const RunRow *run = runs_at(s, row);
    return run && ui_run_marked(s->ui, run->id);
}

/* Numbers as exactly as they are known. */
static void exact(const void *context, uint64_t row, size_t column, Text *into)
{
    const RunsState *s = context;
    const RunRow *run = runs_at(s, row);
    const RunField *f = runs_column_field(s, column);
    if (run && f && f->number && !s->line.at[row].head) {
        double v = runs_number(s, run, f);
        if (!isnan(v))
            text_add_real(into, v);
        return;
    }
    runs_cell(s, row, column, &(Cell){.text = into});
}

TableSource runs_source(const RunsState *s)
{
    return (TableSource){.context = s,
                         .rows = s->line.count,
                         .columns = s->heads.count,
                         .column = s->heads.at,
                         .cell = cell,
                         .marked = marked,
                         .exact = exact,
                         .empty = *s->find || *s->filter
                                      ? "No run is like that. Esc shows all again."
                                      : "No runs yet. Press 3 to set one up, or : train mlp "
                                        "data=NAME target=COLUMN"};
}
