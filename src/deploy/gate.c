/* gate.c -- the rules that a model must pass before it is let on: read, measured, kept.
 *
 *     rmse <= 3.2              absolute; also < > >=
 *     rmse better 0.01         than the incumbent's by at least so much
 *     rmse better 2%           relative to the incumbent's; -1%: at most so much worse
 *     rmse significant 0.05    better by more than chance: significance.c
 *     latency <= 5ms           of one row, p99, measured here; s, ms, us
 *     drift <= 0.3             share of columns that drifted from the candidate's training rows
 *     quantile_loss <= 1.5     of a model of series, as its test measures it: absolute, better and better %
 */
#include "deploy_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- reading ------------------------------------------------------------------------------------------------- */

typedef struct Line {
    const char *word[4];
    size_t size[4], words;
} Line;

static bool cut(const char *at, size_t n, Line *l)
{
    *l = (Line){0};
    for (size_t i = 0; i < n;) {
        size_t from = i;
        while (i < n && !strchr(" \t\r", at[i]))
            i++;
        if (i > from && l->words == 4)
            return false;
        if (i > from) {
            l->word[l->words] = at + from;
            l->size[l->words++] = i - from;
        }
        i += i < n;
    }
    return true;
}

static bool is(const Line *l, size_t i, const char *word)
{
    return l->size[i] == strlen(word) && strncmp(l->word[i], word, l->size[i]) == 0;
}

static bool take_metric(const Line *l, GateRule *r, Error *err)
{
    char name[40];
    const char *names[40];
    size_t n = 0;
    snprintf(name, sizeof name, "%.*s", (int)(l->size[0] < 39 ? l->size[0] : 39), l->word[0]);
    if (text_equal(name, "latency") || text_equal(name, "drift")) {
        r->kind = text_equal(name, "drift") ? GATE_DRIFT : GATE_LATENCY;
        return true;
    }
    r->metric =
        text_equal(name, quantile_loss_metric.name) ? &quantile_loss_metric : metric_find(name);
    if (r->metric)
        return true;
    for (size_t i = 0; metrics[i]; i++)
        names[n++] = metrics[i]->name;
    names[n++] = quantile_loss_metric.name;
    names[n++] = "latency";
    names[n++] = "drift";
    const char *near = text_nearest(name, names, n);
    return error_set(err, ERROR_USAGE, "no metric %s%s%s%s", name, near ? ", did you mean " : "",
                     near ? near : "",
                     near ? "?" : "; there are rmse, mae, auc, ..., latency and drift");
}

/* The number, its unit cut off: 5ms is 0.005, 2% is 0.02. */
static bool take_bound(const Line *l, GateRule *r, bool *percent, Error *err)
{
    static const struct {
        const char *unit;
        double scale;
    } units[] = {{"ms", 1e-3}, {"us", 1e-6}, {"s", 1.0}, {"%", 0.01}};
    size_t n = l->size[2];
    double scale = 1.0;
    for (size_t i = 0; i < 4; i++) {
        size_t u = strlen(units[i].unit);
        if (n > u && strncmp(l->word[2] + n - u, units[i].unit, u) == 0 &&
            (i == 3) == (r->kind != GATE_LATENCY)) {
            n -= u;
            scale = units[i].scale;
            *percent = i == 3;
            break;
        }
    }
    if (!text_to_real(l->word[2], n, &r->bound) || !isfinite(r->bound))
        return error_set(err, ERROR_USAGE, "expected a number%s, found '%.*s'",
                         r->kind == GATE_LATENCY ? " with ms, us or s" : "", (int)l->size[2],
                         l->word[2]);
    if (r->kind == GATE_LATENCY && scale == 1.0 && l->word[2][l->size[2] - 1] != 's')
        return error_set(err, ERROR_USAGE, "latency: say its unit, like 5ms");
    r->bound *= scale;
    return true;
}

static bool take_word(const Line *l, GateRule *r, Error *err)
{
    static const struct {
        const char *word;
        char sign;
    } signs[] = {{"<=", '['}, {">=", ']'}, {"<", '<'}, {">", '>'}};
    for (size_t i = 0; i < 4; i++)
        if (is(l, 1, signs[i].word))
            r->sign = signs[i].sign;
    if (!r->sign && r->metric && is(l, 1, "better"))
        r->kind = GATE_BETTER;
    else if (!r->sign && r->metric && is(l, 1, "significant"))
        r->kind = GATE_SIGNIFICANT;
    else if (!r->sign)
        return error_set(err, ERROR_USAGE, "expected %s, found '%.*s'",
                         r->metric ? "<=, >=, better or significant" : "<= or >=", (int)l->size[1],
                         l->word[1]);
    return true;
}

static bool parse_rule(const char *at, size_t n, GateRule *r, Error *err)
{
    Line l;
    bool percent = false;
    *r = (GateRule){0};
    while (n && strchr(" \t\r", at[n - 1]))
        n--;
    if (!cut(at, n, &l) || l.words != 3 || n >= sizeof r->text)
        return error_set(err, ERROR_USAGE,
                         "expected METRIC WORD NUMBER, like rmse <= 3.2, found '%.*s'",
                         (int)(n < 60 ? n : 60), at);
    snprintf(r->text, sizeof r->text, "%.*s %.*s %.*s", (int)l.size[0], l.word[0], (int)l.size[1],
             l.word[1], (int)l.size[2], l.word[2]);
    if (!take_metric(&l, r, err) || !take_word(&l, r, err) || !take_bound(&l, r, &percent, err))
        return false;
    if (percent && r->kind == GATE_BETTER)
        r->kind = GATE_RELATIVE;
    if (r->kind == GATE_SIGNIFICANT && (r->bound <= 0.0 || r->bound >= 1.0))
        return error_set(err, ERROR_USAGE,
                         "significant: expected a level between 0 and 1, like 0.05");
    return true;
}

bool gate_parse(const char *text, Gate *out, Error *err)
{
    VEC(GateRule) rules = {0};
    int line = 1;
    bool ok = true;
    for (const char *at = text; ok && *at;) {
        size_t n = strcspn(at, ";\n");
        const char *mark = memchr(at, '#', n);
        if (mark)
            n = strcspn(at, "\n"); /* a comment goes to the end of its line */
        size_t used = mark ? (size_t)(mark - at) : n, blank = strspn(at, " \t\r");
        if (blank < used) {
            GateRule r;
            ok = parse_rule(at + blank, used - blank, &r, err) || error_in(err, "line %d", line);
            if (ok)
                vec_add(&rules, r);
        }
        line += at[n] == '\n';
        at += n + (at[n] != 0);
    }
    *out = (Gate){.rule = rules.at, .rules = rules.count};
    if (!ok)
        gate_release(out);
    return ok;
}

void gate_release(Gate *g)
{
    mem_free(g->rule);
    *g = (Gate){0};
}

void gate_alone(Gate *g)
{
    size_t n = 0;
    for (size_t i = 0; i < g->rules; i++)
        if (g->rule[i].kind == GATE_ABSOLUTE || !g->rule[i].metric)
            g->rule[n++] = g->rule[i];
    g->rules = n;
}

/* ---- measuring ------------------------------------------------------------------------------------------------- */

typedef struct Measuring {
    Store *store;
    Pool *pool;
    Arena *arena;
    Progress *progress;
    const ModelRow *model;
    const Dataset *rows;
    GateScores scores;
} Measuring;

static bool holds(const GateRule *r, double v)
{
    switch (r->sign) {
    case '<':
        return v < r->bound;
    case '>':
        return v > r->bound;
    case '[':
        return v <= r->bound;
    default:
        return v >= r->bound;
    }
}

static double measure(const Measuring *w, const GateRule *r, const double *value)
{
    const GateScores *g = &w->scores;
    if (r->metric == &quantile_loss_metric)
        return g->quantile_loss[value != g->value];
    return value ? r->metric->score(value, g->truth, g->n, g->classes) : (double)NAN;
}

/* How much better than the incumbent; NaN stays NaN and passes nothing. */
static double gain(const GateRule *r, const GateCheckRow *c)
{
    return r->metric->larger_is_better ? c->value - c->other : c->other - c->value;
}

static void judge_significance(const Measuring *w, const GateRule *r, GateCheckRow *c)
{
    const GateScores *g = &w->scores;
    if (!text_equal(r->metric->name, "accuracy") && !text_equal(r->metric->name, "error")) {
        c->p = bootstrap_p(r->metric, g, w->pool, w->arena);
        c->note = "paired bootstrap";
    } else {
        size_t better = 0, worse = 0;
        for (size_t i = 0; i < g->n; i++) {
            size_t a = gate_right(g, g->value, i), b = gate_right(g, g->other, i);
            better += a > b;
            worse += b > a;
        }
        c->p = mcnemar_p(better, worse);
        c->note = arena_printf(w->arena, "McNemar%s, %zu against %zu rows",
                               better + worse < 25 ? " (exact)" : "", better, worse);
    }
    c->passed = gain(r, c) > 0.0 && c->p <= r->bound;
}

static bool judge_drift(const Measuring *w, const GateRule *r, GateCheckRow *c, Error *err)
{
    RunRow run;
    DatasetRow from, root;
    if (!w->rows)
        return error_set(err, ERROR_USAGE, "%s: say which rows with data=", r->text);
    if (!store_run_get(w->store, w->model->run, w->arena, &run, err) ||
        !store_dataset_find(w->store, run.dataset, w->arena, &from, err) ||
        !store_dataset_root(w->store, &from, w->arena, &root, err)) /* raw beside raw rows */
        return false;
    Dataset *d = dataset_open(store_path(w->store, w->arena, "datasets/%s.arrow", root.hash), err);
    Scratch *scratch = d ? scratch_create(store_dir(w->store), 0) : NULL;
    DriftOptions o = {.scratch = scratch, .target = run.target, .test = ""};
    DriftReport *report = d ? drift_report(d, w->rows, &o, w->pool, w->progress, err) : NULL;
    if (report) {
        c->value = report->columns ? (double)report->drifted / (double)report->columns : 0.0;
        c->passed = holds(r, c->value);
        c->note = arena_printf(w->arena, "%zu of %zu columns", report->drifted, report->columns);
    }
    bool ok = report != NULL;
    drift_report_destroy(report);
    scratch_destroy(scratch);
    dataset_close(d);
    return ok;
}

/* What a model of series cannot be asked, and what only it can. */
static bool fits_series(const Measuring *w, const GateRule *r, Error *err)
{
    bool series = w->scores.series;
    if (series && r->kind == GATE_SIGNIFICANT)
        return error_set(err, ERROR_USAGE,
                         "%s: horizons of a series overlap, its rows are no independent pairs; "
                         "say %s better N or N%%",
                         r->text, r->metric->name);
    if (series && r->kind == GATE_LATENCY)
        return error_set(
            err, ERROR_USAGE,
            "%s: a model of series says horizons, not rows; their time is not measured", r->text);
    return series || r->metric != &quantile_loss_metric ||
           error_set(err, ERROR_USAGE, "%s: the model scores rows, it says no quantiles", r->text);
}

static bool judge_one(const Measuring *w, const GateRule *r, GateCheckRow *c, Error *err)
{
    if (!fits_series(w, r, err))
        return false;
    if (r->kind == GATE_LATENCY) {
        c->value = w->scores.latency;
        c->passed = holds(r, c->value);
        return true;
    }
    if (r->kind == GATE_DRIFT)
        return judge_drift(w, r, c, err);
    if (!(r->metric->tasks & 1u << w->scores.task))
        return error_set(err, ERROR_USAGE, "%s: the model's task is %s, which has no %s", r->text,
                         task_name(w->scores.task), r->metric->name);
    c->value = measure(w, r, w->scores.value);
    c->other = measure(w, r, w->scores.other);
    c->note = w->scores.note;
    if (r->kind == GATE_ABSOLUTE)
        c->passed = holds(r, c->value);
    else if (!w->scores.other)
        return error_set(err, ERROR_USAGE,
                         "%s: there is nothing to compare with; say against=", r->text);
    else if (r->kind == GATE_SIGNIFICANT)
        judge_significance(w, r, c);
    else
        c->passed = gain(r, c) >= (r->kind == GATE_RELATIVE ? r->bound * fabs(c->other) : r->bound);
    return true;
}

static bool wants(const Gate *g, GateKind kind)
{
    for (size_t i = 0; i < g->rules; i++)
        if (g->rule[i].kind == kind)
            return true;
    return false;
}

/* Latency and drift alone need no rows with the target, but a gate of them alone is rare. */
bool gate_judge(Store *s, const Gate *g, const char *deployment, const ModelRow *model,
                const ModelRow *against, const Dataset *rows, Pool *pool, Progress *progress,
                Arena *a, GateReport *out, Error *err)
{
    Measuring w = {
        .store = s, .pool = pool, .arena = a, .progress = progress, .model = model, .rows = rows};
    *out = (GateReport){.passed = true, .check = ARENA_NEW(a, GateCheckRow, g->rules + 1)};
    bool ok = gate_scores(s, model, against, rows, wants(g, GATE_LATENCY), pool, progress, a,
                          &w.scores, err);
    for (size_t i = 0; ok && i < g->rules; i++) {
        GateCheckRow *c = &out->check[out->n++];
        *c = (GateCheckRow){.time = time_now(),
                            .deployment = deployment ? deployment : "",
                            .model = model->id,
                            .against = against ? against->id : 0,
                            .rule = arena_text(a, g->rule[i].text),
                            .value = (double)NAN,
                            .other = (double)NAN,
                            .bound = g->rule[i].bound,
                            .p = (double)NAN,
                            .note = ""};
        ok = judge_one(&w, &g->rule[i], c, err);
        out->passed = out->passed && c->passed;
        c->note = arena_text(a, c->note);
    }
    return ok;
}

bool gate_run(Store *s, const Gate *g, const char *deployment, const ModelRow *model,
              const ModelRow *against, const Dataset *rows, Pool *pool, Progress *progress,
              Arena *a, GateReport *out, Error *err)
{
    if (!gate_judge(s, g, deployment, model, against, rows, pool, progress, a, out, err))
        return false;
    return !out->n || (out->gate = store_gate_add(s, out->check, out->n, err)) != 0;
}
