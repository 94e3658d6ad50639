/* runs_order.c -- which runs the table shows, in which order, alone or in groups that differ by their seed;
 * and what such a group says: mean, interval, how far runs lie apart by chance. */
#include "runs_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- groups -------------------------------------------------------------------------------------------- */

/* Two-sided 95 % quantiles of Student's t by degrees of freedom. */
static double student(size_t freedom)
{
    static const double t[] = {0, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
                               2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086};
    return freedom < sizeof t / sizeof *t ? t[freedom] : 1.96 + 2.5 / (double)freedom;
}

static size_t moments(const RunsState *s, const size_t *member, size_t n, const RunField *f, double *mean,
                      double *square)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    size_t had = 0;
    *mean = *square = 0;
    for (size_t i = 0; i < n; i++) { /* Welford (1962) */
        double v = member[i] < snap->runs ? runs_number(s, &snap->run[member[i]], f) : (double)NAN;
        if (isnan(v))
            continue;
        double d = v - *mean;
        *mean += d / (double)++had;
        *square += d * (v - *mean);
    }
    return had;
}

size_t runs_mean(const RunsState *s, const RunGroup *g, const RunField *f, double *mean, double *half)
{
    double square;
    size_t n = moments(s, g->member.at, g->member.count, f, mean, &square);
    *half = n > 1 ? student(n - 1) * sqrt(square / (double)(n - 1) / (double)n) : (double)NAN;
    if (!n)
        *mean = (double)NAN;
    return n;
}

static void groups_clear(RunsState *s)
{
    for (size_t i = 0; i < s->group.count; i++)
        vec_release(&s->group.at[i].member);
    s->group.count = 0;
}

static size_t group_of(RunsState *s, uint64_t setup)
{
    for (size_t i = 0; i < s->group.count; i++)
        if (s->group.at[i].setup == setup)
            return i;
    vec_add(&s->group, (RunGroup){.setup = setup});
    return s->group.count - 1;
}

/* The deviation of a metric from seed to seed, pooled over all set-ups on the same data that were run
 * more than once. */
double runs_seed_noise(const RunsState *s, const RunRow *like, const RunField *f)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    double squares = 0, freedom = 0;
    bool *done = mem_alloc(snap->runs + 1);
    size_t *member = mem_alloc((snap->runs + 1) * sizeof *member);
    for (size_t i = 0; i < snap->runs; i++) {
        const RunFacts *a = book_find(&s->book, snap->run[i].id);
        size_t n = 0;
        if (done[i] || !a || strcmp(snap->run[i].dataset, like->dataset) != 0 ||
            strcmp(snap->run[i].target, like->target) != 0)
            continue;
        for (size_t k = i; k < snap->runs; k++) {
            const RunFacts *b = book_find(&s->book, snap->run[k].id);
            if (b && b->setup == a->setup)
                done[k] = true, member[n++] = k;
        }
        double mean, square;
        size_t had = moments(s, member, n, f, &mean, &square);
        if (had > 1)
            squares += square, freedom += (double)(had - 1);
    }
    mem_free(done);
    mem_free(member);
    return freedom > 0 ? sqrt(squares / freedom) : (double)NAN;
}

/* ---- order --------------------------------------------------------------------------------------------- */

typedef struct Sorted {
    size_t run, place;
    double number; /* NaN: unknown, last */
    char *text;
} Sorted;

static int by_field(const void *left, const void *right)
{
    const Sorted *a = left, *b = right;
    if (a->text && b->text) {
        int c = strcasecmp(a->text, b->text);
        return c ? c : (a->place > b->place) - (a->place < b->place);
    }
    if (isnan(a->number) != isnan(b->number))
        return isnan(a->number) ? 1 : -1;
    if (!isnan(a->number) && a->number != b->number)
        return a->number < b->number ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

static double sign(const RunsState *s)
{
    return s->down ? -1.0 : 1.0;
}

static void sort_runs(const RunsState *s, size_t *order, size_t n)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    const RunField *f = *s->sort ? runs_field(s, s->sort) : NULL;
    if (!f)
        return;
    Sorted *row = mem_alloc((n + 1) * sizeof *row);
    for (size_t i = 0; i < n; i++) {
        row[i] = (Sorted){.run = order[i], .place = i};
        if (f->number) {
            row[i].number = sign(s) * runs_number(s, &snap->run[order[i]], f);
        } else {
            Text text = {0};
            runs_text(s, &snap->run[order[i]], f, &text);
            text_puts(&text, "");
            row[i].text = text.at ? text_take(&text) : text_copy("");
        }
    }
    qsort(row, n, sizeof *row, by_field);
    bool turned = s->down && !f->number;
    for (size_t i = 0; i < n; i++) {
        order[turned ? n - 1 - i : i] = row[i].run;
        mem_free(row[i].text);
    }
    mem_free(row);
}

/* Groups by their means, as runs by their values. */
static void sort_groups(RunsState *s)
{
    const RunField *f = *s->sort ? runs_field(s, s->sort) : NULL;
    size_t n = s->group.count;
    double half;
    if (!f || !f->number || !n)
        return;
    Sorted *row = mem_alloc(n * sizeof *row);
    RunGroup *was = mem_copy(s->group.at, n * sizeof *was);
    for (size_t i = 0; i < n; i++) {
        row[i] = (Sorted){.run = i, .place = i};
        runs_mean(s, &was[i], f, &row[i].number, &half);
        row[i].number *= sign(s);
    }
    qsort(row, n, sizeof *row, by_field);
    for (size_t i = 0; i < n; i++)
        s->group.at[i] = was[row[i].run];
    mem_free(row);
    mem_free(was);
}

/* ---- lines ---------------------------------------------------------------------------------------------- */

static bool has_text(const RunsState *s, const RunRow *r)
{
    char all[640];
    snprintf(all, sizeof all, "%lld %s %s %s %s %s %s", (long long)r->id, r->name, r->family, r->dataset_name,
             run_status_name(r->status), r->tags, r->note);
    return !*s->find || strcasestr(all, s->find) != NULL;
}

static size_t runs_shown(const RunsState *s, size_t *order)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    Error ignored = {0}; /* it was checked when it was typed; a field may have gone since: all are shown */
    uint8_t *keep = mem_alloc(snap->runs + 1);
    bool filtered = *s->filter && runs_filter(s, s->filter, keep, &ignored);
    size_t n = 0;
    for (size_t i = 0; i < snap->runs; i++)
        if (has_text(s, &snap->run[i]) && (!filtered || keep[i]))
            order[n++] = i;
    mem_free(keep);
    sort_runs(s, order, n);
    return n;
}

static void add_lines(RunsState *s, const size_t *order, size_t n)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    uint64_t *open = mem_alloc((s->group.count + 1) * sizeof *open);
    size_t opened = 0;
    for (size_t i = 0; i < s->group.count; i++)
        if (s->group.at[i].open)
            open[opened++] = s->group.at[i].setup;
    groups_clear(s);
    for (size_t i = 0; i < n && s->grouped; i++) {
        const RunFacts *f = book_find(&s->book, snap->run[order[i]].id);
        size_t g = group_of(s, f ? f->setup : (uint64_t)snap->run[order[i]].id);
        vec_add(&s->group.at[g].member, order[i]);
    }
    sort_groups(s);
    for (size_t i = 0; i < n && !s->grouped; i++)
        vec_add(&s->line, (RunLine){.run = order[i], .group = SIZE_MAX});
    for (size_t g = 0; g < s->group.count; g++) {
        RunGroup *group = &s->group.at[g];
        for (size_t k = 0; k < opened; k++)
            group->open |= open[k] == group->setup;
        bool many = group->member.count > 1;
        vec_add(&s->line, (RunLine){.run = group->member.at[0], .group = g, .head = many});
        for (size_t k = 0; many && group->open && k < group->member.count; k++)
            vec_add(&s->line, (RunLine){.run = group->member.at[k], .group = g});
    }
    mem_free(open);
}

void runs_arrange(RunsState *s)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    const RunRow *at = runs_here(s);
    int64_t kept = at ? at->id : 0;
    bool head = at && s->line.at[s->table.at].head;
    s->shown.count = 0;
    for (size_t i = 0; i < snap->runs; i++)
        vec_add(&s->shown, i);
    if (snap->runs)
        s->shown.count = runs_shown(s, s->shown.at);
    s->line.count = 0;
    add_lines(s, s->shown.at, s->shown.count);
    for (size_t i = 0; i < s->line.count; i++)
        if (snap->run[s->line.at[i].run].id == kept && s->line.at[i].head == head)
            s->table.at = i;
    if (s->table.at >= s->line.count)
        s->table.at = s->line.count ? s->line.count - 1 : 0;
}

void runs_group(RunsState *s)
{
    s->grouped = !s->grouped;
    groups_clear(s);
    runs_arrange(s);
}

const RunRow *runs_at(const RunsState *s, uint64_t row)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    return row < s->line.count && s->line.at[row].run < snap->runs ? &snap->run[s->line.at[row].run] : NULL;
}

const RunRow *runs_here(const RunsState *s)
{
    return runs_at(s, s->table.at);
}
