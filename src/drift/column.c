/* column.c -- one column judged: which test, its score, the shares for the chart, and a note. */
#include "drift_int.h"

#include <stdio.h>

#define CHART_BINS   30
#define RIM          0.005 /* share of the values left to the first and the last bin of a chart */
#define WORTH_NOTING 0.005 /* share of the rows a new or vanished label needs to be named */
#define MISSING_GAP  0.05  /* a change of the share of missing values that is noted */

/* ---- notes ---- */

size_t copy_cut(char *to, size_t room, const char *from)
{
    size_t n = strlen(from);
    if (n >= room)
        for (n = room - 1; n > 0 && ((uint8_t)from[n] & 0xC0) == 0x80; n--)
            ; /* a byte that goes on where the cut would be */
    memcpy(to, from, n);
    to[n] = '\0';
    return n;
}

static void add_note(DriftColumn *c, const char *text)
{
    size_t used = strlen(c->note), room = sizeof c->note - used;
    if (used)
        used += copy_cut(c->note + used, room, "; ");
    room = sizeof c->note - used;
    if (strlen(text) < room) {
        copy_cut(c->note + used, room, text);
    } else if (room > 4) {
        used += copy_cut(c->note + used, room - 3, text);
        copy_cut(c->note + used, 4, "...");
    }
}

static void note_labels(DriftColumn *c, const Pair *p, int there, const char *what)
{
    Text text = {0};
    size_t found = 0, rows = there ? p->sample.current_n : p->sample.reference_n;
    for (size_t i = 0; i < p->sample.labels; i++) {
        if (p->count[there][i] < WORTH_NOTING * (double)rows || p->count[1 - there][i] > 0.0)
            continue;
        text_printf(&text, "%s%s", found ? ", " : what, p->label[i]);
        if (++found == 5)
            break;
    }
    if (found)
        add_note(c, text_str(&text));
    text_release(&text);
}

static void note_missing(DriftColumn *c, const Gathered *r, const Gathered *now)
{
    double before = (double)r->missing / fmax(1.0, (double)(r->n + r->missing));
    double after = (double)now->missing / fmax(1.0, (double)(now->n + now->missing));
    char text[64];
    if (fabs(after - before) < MISSING_GAP)
        return;
    snprintf(text, sizeof text, "missing %.0f%% -> %.0f%%", 100.0 * before, 100.0 * after);
    add_note(c, text);
}

/* ---- charts ---- */

static void copy_shares(DriftColumn *c, const Shares *s)
{
    c->bins = s->bins;
    for (size_t i = 0; i < s->bins; i++) {
        c->reference_share[i] = s->reference[i];
        c->current_share[i] = s->current[i];
        c->edge[i] = s->edge[i];
        if (!s->equal) {
            Text text = {0};
            text_add_real(&text, s->edge[i]);
            snprintf(c->label[i], sizeof c->label[i], "%s", text_str(&text));
            text_release(&text);
        }
    }
    c->edge[s->bins] = s->bins ? s->edge[s->equal ? s->bins : s->bins - 1] : 0.0;
}

static double at_share(const double *sorted, size_t n, double share)
{
    return sorted[(size_t)(share * (double)(n - 1) + 0.5)];
}

/* Equal bins over where the values are; the first and the last take what lies beyond. */
static void chart_numbers(DriftColumn *c, const DriftSample *s)
{
    double low =
        fmin(at_share(s->reference, s->reference_n, RIM), at_share(s->current, s->current_n, RIM));
    double high = fmax(at_share(s->reference, s->reference_n, 1.0 - RIM),
                       at_share(s->current, s->current_n, 1.0 - RIM));
    double edge[CHART_BINS + 1];
    if (!(low < high)) {
        low = fmin(s->reference[0], s->current[0]);
        high = fmax(s->reference[s->reference_n - 1], s->current[s->current_n - 1]);
    }
    for (size_t i = 0; i <= CHART_BINS; i++) {
        double t = (double)i / CHART_BINS;
        c->edge[i] = edge[i] = low * (1.0 - t) + high * t;
    }
    edge[0] = -INFINITY;
    edge[CHART_BINS] = INFINITY;
    c->bins = CHART_BINS;
    histogram_sorted(s->reference, s->reference_n, edge, CHART_BINS, c->reference_share);
    histogram_sorted(s->current, s->current_n, edge, CHART_BINS, c->current_share);
    for (size_t i = 0; i < CHART_BINS; i++) {
        c->reference_share[i] /= (double)s->reference_n;
        c->current_share[i] /= (double)s->current_n;
    }
    snprintf(c->binning, sizeof c->binning, "%d bins, tails at the rims", CHART_BINS);
}

/* The bins the test used where it did, else bins that show most. */
static void chart(DriftColumn *c, const Pair *p)
{
    const DriftSample *s = &p->sample;
    Shares shares = {0};
    bool values = s->distinct <= STURGES_ABOVE;
    if ((c->test->binned || values) && !s->nannyml) {
        shares_init(&shares, s);
        if (shares.bins <= DRIFT_BINS) {
            copy_shares(c, &shares);
            if (shares.equal)
                snprintf(c->binning, sizeof c->binning, "Sturges, %zu bins", shares.bins);
            else
                snprintf(c->binning, sizeof c->binning, "values");
            shares_release(&shares);
            return;
        }
        shares_release(&shares);
    }
    chart_numbers(c, s);
}

static void chart_labels(DriftColumn *c, const Pair *p)
{
    const DriftSample *s = &p->sample;
    if (p->all_labels > s->labels)
        snprintf(c->binning, sizeof c->binning, "%zu labels, %zu rare as one", s->labels - 1,
                 p->all_labels - s->labels + 1);
    else
        snprintf(c->binning, sizeof c->binning, "%zu labels", s->labels);
    c->bins = s->labels < DRIFT_BINS ? s->labels : DRIFT_BINS;
    for (size_t i = 0; i < s->labels; i++) {
        size_t bin = i < c->bins ? i : c->bins - 1;
        c->reference_share[bin] += p->count[0][i] / (double)s->reference_n;
        c->current_share[bin] += p->count[1][i] / (double)s->current_n;
        if (i >= c->bins)
            continue;
        copy_cut(c->label[i], sizeof c->label[i], p->label[i]);
    }
    if (s->labels > c->bins)
        snprintf(c->label[c->bins - 1], sizeof c->label[0], "%zu others", s->labels - c->bins + 1);
}

/* ---- judging ---- */

static bool fits(const DriftTest *t, bool numeric)
{
    return t->kinds & (numeric ? DRIFT_KIND_NUMBER : DRIFT_KIND_LABEL);
}

static void cannot_judge(DriftColumn *c, const char *why)
{
    c->statistic = NAN;
    c->drifted = true;
    add_note(c, why);
}

static const DriftTest *test_for(const Wanted *wanted, const DriftSample *s, bool numeric,
                                 bool nannyml)
{
    for (size_t i = 0; wanted && i < wanted->n; i++)
        if (fits(wanted->at[i], numeric))
            return wanted->at[i];
    return nannyml ? drift_test("jensen_shannon") : drift_test_default(s, numeric);
}

Band column_usual(const Gathered *reference, const Gathered *chunk, size_t chunks,
                  const Wanted *wanted)
{
    double *score = mem_alloc((chunks + 1) * sizeof *score);
    size_t n = 0;
    for (size_t i = 0; i < chunks; i++) {
        if (!chunk[i].n)
            continue;
        Pair p;
        pair_init(&p, reference, &chunk[i]);
        p.sample.nannyml = true;
        score[n++] = test_for(wanted, &p.sample, reference->numeric, true)->score(&p.sample);
        pair_release(&p);
    }
    Band b = band_of(score, n, 0.0, INFINITY);
    mem_free(score);
    return b;
}

/* Counts of single values say nothing of a number that has many of them. */
static bool is_of_use(const DriftTest *t, const DriftSample *s)
{
    bool counts = t->p_value && (t->kinds & DRIFT_KIND_LABEL);
    return fits(t, s->numeric) && !(counts && s->numeric && s->distinct > STURGES_ABOVE);
}

static void judge_more(DriftColumn *c, const Wanted *wanted, const DriftSample *s)
{
    for (size_t i = 0; wanted && i < wanted->n; i++) {
        const DriftTest *t = wanted->at[i];
        if (t == c->test || !is_of_use(t, s))
            continue;
        DriftScore *to = &c->also[c->more++];
        *to = (DriftScore){.test = t, .statistic = t->score(s), .threshold = t->threshold};
        to->drifted = t->p_value ? to->statistic <= t->threshold : to->statistic >= t->threshold;
    }
}

static void compare_with(DriftColumn *c, const Band *usual)
{
    char text[64];
    if (!usual || c->test->p_value) {
        c->drifted = c->test->p_value ? c->statistic <= c->threshold : c->statistic >= c->threshold;
        return;
    }
    c->threshold = usual->high;
    c->drifted = c->statistic > usual->high || c->statistic < usual->low;
    snprintf(text, sizeof text, "usual %.3g to %.3g", usual->low, usual->high);
    add_note(c, text);
}

void column_judge(DriftColumn *c, const Gathered *reference, const Gathered *current,
                  const Wanted *wanted, const Band *usual)
{
    c->importance = NAN;
    c->reference_n = reference->n;
    c->current_n = current->n;
    c->reference_missing = reference->missing;
    c->current_missing = current->missing;
    c->reference_mean = reference->mean;
    c->current_mean = current->mean;
    c->reference_deviation = reference->deviation;
    c->current_deviation = current->deviation;
    bool same_kind = !current->n || !reference->n || reference->numeric == current->numeric;
    Pair p = {.sample = {.reference_n = reference->n, .distinct = 3}};
    if (reference->n && current->n && same_kind)
        pair_init(&p, reference, current);
    p.sample.nannyml = usual != NULL;
    c->test = test_for(wanted, &p.sample, reference->numeric, usual != NULL);
    c->threshold = c->test->threshold;
    if (!same_kind) {
        cannot_judge(c, reference->numeric ? "numbers became text" : "text became numbers");
    } else if (!reference->n || !current->n) {
        cannot_judge(c, reference->n ? "no values in current" : "no values in reference");
    } else {
        c->statistic = c->test->score(&p.sample);
        compare_with(c, usual);
        judge_more(c, wanted, &p.sample);
        if (p.sample.numeric) {
            chart(c, &p);
        } else {
            chart_labels(c, &p);
            note_labels(c, &p, 1, "new: ");
            note_labels(c, &p, 0, "gone: ");
        }
        note_missing(c, reference, current);
    }
    pair_release(&p);
}
