/* drift_draw.c -- the Drift pane around its table: what was compared, one column in full. */
#include "drift_int.h"

#include <stdio.h>
#include <string.h>

/* At the right: reports that drifted and nobody has said to have seen. */
static void draw_alerts(const DriftState *s, const Canvas *c, int from)
{
    size_t n = drift_alerts(s->ui);
    char said[80];
    snprintf(said, sizeof said, "%zu alert%s, a acknowledges", n, n == 1 ? "" : "s");
    int col = c->cols - (int)strlen(said) - 1;
    if (n && col > from + 1)
        canvas_put(c, 0, col, STYLE_BAD, said);
}

void drift_draw_verdict(const DriftState *s, const Canvas *c)
{
    const DriftReport *r = s->report;
    const DatasetRow *reference = drift_reference(s), *current = drift_current(s);
    int col = canvas_printf(c, 0, 1, STYLE_DIM, "next comparison  ");
    col += canvas_put(c, 0, 1 + col, STYLE_BEFORE, reference ? reference->name : "(r: choose)") + 1;
    col += canvas_printf(c, 0, 1 + col, STYLE_DIM, "%s ", glyph(c, GLYPH_ARROW));
    col += 1 + canvas_put(c, 0, 1 + col, STYLE_AFTER, current ? current->name : ui_snapshot(s->ui)->datasets < 2 ? "(a second dataset)" : "(c: choose)");
    draw_alerts(s, c, col);
    if (!r)
        return;
    col = 1 + canvas_put(c, 1, 1, STYLE_DIM, "shown ");
    col += canvas_put(c, 1, col, STYLE_BEFORE, drift_name(s, r->reference));
    col += canvas_printf(c, 1, col, STYLE_DIM, " %s ", glyph(c, GLYPH_ARROW));
    col += canvas_put(c, 1, col, STYLE_AFTER, drift_name(s, r->current)) + 2;
    Style style = r->dataset_drifted ? STYLE_BAD : r->drifted ? STYLE_WARN : STYLE_GOOD;
    char said[80], share[80], chunks[60] = "";
    Text wrong = {0};
    snprintf(said, sizeof said, "%zu of %zu columns drifted", r->drifted, r->columns);
    snprintf(share, sizeof share, "(%.0f%%; the table counts as drifted from %.0f%%)", r->share * 100, r->threshold * 100);
    if (drift_when_some(s))
        snprintf(chunks, sizeof chunks, "%zu of %zu chunks", drift_when_alarms(s), s->loaded_from->spans);
    if (r->has_error) {
        text_printf(&wrong, "%s ", r->metric);
        chart_figure(r->reference_error, 4, &wrong);
        text_printf(&wrong, " %s ", glyph(c, GLYPH_ARROW));
        chart_figure(r->current_error, 4, &wrong);
    }
    int rest = c->cols - col - (int)utf8_width(text_str(&wrong), wrong.count) - 1 - (*chunks ? (int)strlen(chunks) + 2 : 0);
    if ((int)strlen(said) + 2 > rest) /* no half words: what matters least goes first */
        snprintf(said, sizeof said, "%zu of %zu drifted", r->drifted, r->columns);
    rest -= (int)strlen(said) + 2;
    if ((int)strlen(share) + 2 > rest)
        snprintf(share, sizeof share, "(%.0f%%)", r->share * 100);
    col += canvas_put(c, 1, col, style, said) + 2;
    if ((int)strlen(share) + 2 <= rest)
        col += canvas_put(c, 1, col, STYLE_DIM, share) + 2;
    if (*chunks)
        col += canvas_put(c, 1, col, drift_when_alarms(s) ? STYLE_BAD : STYLE_GOOD, chunks) + 2;
    if (wrong.count && rest >= -1)
        canvas_put(c, 1, col, STYLE_WARN, text_str(&wrong));
    text_release(&wrong);
}

static void draw_shares(const DriftColumn *d, const Canvas *c)
{
    if (*d->label[0]) {
        const char *names[DRIFT_BINS];
        size_t bins = d->bins; /* the bar of all rarer labels would dwarf the rest */
        if (bins > 4 && text_ends(d->label[bins - 1], " others"))
            bins--;
        for (size_t i = 0; i < bins; i++)
            names[i] = d->label[i];
        chart_words(c, &(WordBars){.count = bins, .name = names, .value = d->reference_share,
                                   .value2 = d->current_share, .style = STYLE_BEFORE,
                                   .style2 = STYLE_AFTER});
    } else if (d->bins) {
        chart_histogram(c, &(Histogram){.value = d->reference_share, .value2 = d->current_share,
                                        .bins = d->bins, .low = d->edge[0], .high = d->edge[d->bins]});
    }
}

static int draw_facts(const DriftColumn *d, const Canvas *c)
{
    int at = 0;
    if (d->test) {
        canvas_field(c, at, 0, c->cols, ALIGN_LEFT, STYLE_PLAIN, d->test->title);
        Text score = {0};
        drift_score(d, &score);
        text_printf(&score, "  limit %.3g  %s", d->threshold, d->drifted ? "drifted" : "not drifted");
        canvas_field(c, ++at, 0, c->cols, ALIGN_LEFT, d->drifted ? STYLE_BAD : STYLE_GOOD,
                     text_str(&score));
        text_release(&score);
        at++;
    }
    int col = canvas_printf(c, at, 0, STYLE_BEFORE, "%s reference %llu rows", glyph(c, GLYPH_BLOCK),
                            (unsigned long long)d->reference_n);
    col += d->reference_missing ? canvas_printf(c, at, col, STYLE_MISSING, ", %llu missing",
                                                (unsigned long long)d->reference_missing) : 0;
    if (col + 30 > c->cols) {
        at++;
        col = -3;
    }
    col += 3 + canvas_printf(c, at, col + 3, STYLE_AFTER, "%s current %llu rows", glyph(c, GLYPH_BLOCK),
                             (unsigned long long)d->current_n);
    if (d->current_missing)
        canvas_printf(c, at, col, STYLE_MISSING, ", %llu missing", (unsigned long long)d->current_missing);
    at++;
    if (*d->note)
        at += canvas_wrap(c, at, 0, c->cols, STYLE_WARN, d->note);
    return at;
}

void drift_draw_column(const DriftState *s, const Canvas *c)
{
    const DriftColumn *d = drift_column_at(s, s->table.at);
    Canvas in = canvas_box(c, STYLE_BORDER, d ? d->name : "Column", d && *d->binning ? d->binning : NULL);
    if (!d)
        return;
    int facts = draw_facts(d, &in);
    Canvas rest = canvas_part(&in, facts + 1, 0, in.rows - facts - 1, in.cols);
    if (rest.rows >= 14 && drift_when_some(s)) {
        Canvas chunks = canvas_part(&rest, rest.rows / 2, 0, rest.rows - rest.rows / 2, rest.cols);
        drift_when_draw(s, d, &chunks);
        rest = canvas_part(&rest, 0, 0, rest.rows / 2 - 1, rest.cols);
    } else if (rest.rows >= 14 && drift_times_some(s)) {
        Canvas times = canvas_part(&rest, rest.rows - rest.rows * 2 / 5, 0, rest.rows * 2 / 5, rest.cols);
        drift_times_draw(s, d, &times);
        rest = canvas_part(&rest, 0, 0, rest.rows - rest.rows * 2 / 5 - 1, rest.cols);
    }
    if (rest.rows >= 2)
        draw_shares(d, &rest);
}

void drift_draw_empty(const DriftState *s, const Canvas *c)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    Canvas in = canvas_box(c, STYLE_BORDER_ACTIVE, "Drift", NULL);
    const char *say = snap->datasets < 2
        ? "Drift compares two datasets: the one a model learnt from, and a newer one. Ingest a second "
          "table first: press : and type ingest PATH as=NAME. X compares the chunks of the one there is."
        : s->comparing ? "Comparing ... Ctrl-C stops it."
        : drift_current(s) ? "No report yet. Press x to compare the two datasets above; r and c choose others."
        : "No report yet. Press c to choose the dataset to judge; r chooses what it is compared with.";
    canvas_wrap(&in, 1, 2, in.cols - 4, STYLE_DIM, say);
}
