/* runs_fields.c -- the fields of runs: facts of their rows, hyperparameters, metrics; each by name. */
#include "runs_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    bool number;
} facts[] = {
#define AS_ROW(id, name, title, width, number, help) {name, number},
    RUN_FACTS(AS_ROW)
#undef AS_ROW
};
const char *const run_fact_help[] = {
#define AS_HELP(id, name, title, width, number, help) help,
    RUN_FACTS(AS_HELP)
#undef AS_HELP
};

Style runs_status_style(RunStatus status)
{
    switch (status) {
    case RUN_RUNNING:  return STYLE_ACCENT;
    case RUN_PAUSED:   return STYLE_WARN;
    case RUN_FINISHED: return STYLE_GOOD;
    case RUN_FAILED:   return STYLE_BAD;
    default:           return STYLE_DIM;
    }
}

/* "val_rmse" is judged as rmse; a loss is better when smaller; the rest is not judged. */
int metric_better(const char *key)
{
    const char *name = strchr(key, '_');
    const Metric *m = name ? metric_find(name + 1) : NULL;
    if (m)
        return m->larger_is_better ? 1 : -1;
    return strstr(key, "loss") ? -1 : 0;
}

/* ---- which there are --------------------------------------------------------------------------------- */

const RunField *runs_field(const RunsState *s, const char *name)
{
    for (size_t i = 0; i < s->field.count; i++)
        if (strcasecmp(s->field.at[i].name, name) == 0)
            return &s->field.at[i];
    return NULL;
}

static bool is_number(const char *text)
{
    double v;
    return text_to_real(text, strlen(text), &v);
}

static const char *text_of_key(const RunFacts *f, const char *key)
{
    for (size_t i = 0; i < f->params; i++)
        if (strcmp(f->param[i].key, key) == 0)
            return f->param[i].value;
    return "";
}

static void add_field(RunsState *s, FieldKind kind, const char *key, const RunRow *run)
{
    for (size_t i = 0; i < s->field.count; i++)
        if (s->field.at[i].kind == kind && strcmp(s->field.at[i].key, key) == 0)
            return;
    RunField f = {.kind = kind, .number = true};
    snprintf(f.key, sizeof f.key, "%s", key);
    snprintf(f.name, sizeof f.name, "%s", key);
    if (kind == FIELD_METRIC && runs_field(s, key))
        snprintf(f.name, sizeof f.name, "last_%.50s", key); /* lr: the setting, and where it came to */
    if (runs_field(s, f.name))
        return; /* a hyperparameter that is a fact too: seed */
    if (kind == FIELD_PARAM && run) {
        const ModelFamily *family = model_family(run->family);
        const Param *row = family ? param_find(family->params, key) : NULL;
        row = row ? row : param_find(run_params, key);
        f.log = row && row->log;
    }
    f.better = kind == FIELD_METRIC ? metric_better(key) : 0;
    vec_add(&s->field, f);
}

/* Numbers or words; the same in all, or not. */
static void look_at_values(RunsState *s, RunField *f)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    Text first = {0}, text = {0};
    bool any = false;
    for (size_t i = 0; i < snap->runs; i++) {
        const RunFacts *facts_of = book_find(&s->book, snap->run[i].id);
        const char *raw = f->kind == FIELD_PARAM && facts_of ? text_of_key(facts_of, f->key) : "";
        if (f->kind == FIELD_PARAM && *raw && !is_number(raw))
            f->number = false;
        text_reset(&text);
        runs_text(s, &snap->run[i], f, &text);
        if (!text.count && f->kind == FIELD_PARAM)
            continue; /* another family, which has no such thing */
        if (any && strcmp(text_str(&first), text_str(&text)) != 0)
            f->differs = true;
        if (!any)
            text_puts(&first, text_str(&text));
        any = true;
    }
    text_release(&first);
    text_release(&text);
}

void runs_fields(RunsState *s)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    s->field.count = 0;
    for (int i = 0; i < RUN_FACT_COUNT; i++) {
        RunField f = {.kind = FIELD_FACT, .fact = (RunFact)i, .number = facts[i].number};
        snprintf(f.name, sizeof f.name, "%s", facts[i].name);
        snprintf(f.key, sizeof f.key, "%s", facts[i].name);
        for (size_t k = 0; (i == RUN_FACT_VALID || i == RUN_FACT_TEST) && k < s->book.of.count; k++)
            f.better = s->book.of.at[k]->main->larger_is_better ? 1 : -1;
        vec_add(&s->field, f);
    }
    for (int metrics_now = 0; metrics_now < 2; metrics_now++)
        for (size_t i = snap->runs; i-- > 0;) {
            const RunFacts *f = book_find(&s->book, snap->run[i].id);
            for (size_t k = 0; f && !metrics_now && k < f->params; k++)
                add_field(s, FIELD_PARAM, f->param[k].key, &snap->run[i]);
            for (size_t k = 0; f && metrics_now && k < f->metrics; k++)
                add_field(s, FIELD_METRIC, f->metric[k].key, NULL);
        }
    for (size_t i = 0; i < s->field.count; i++)
        look_at_values(s, &s->field.at[i]);
}

/* ---- values ---------------------------------------------------------------------------------------------- */

/* The difference to the baseline's test result (validation while there is none), in percent. */
static double delta(const RunsState *s, const RunRow *run)
{
    const RunFacts *base = book_find(&s->book, s->baseline), *mine = book_find(&s->book, run->id);
    if (!base || !mine || base == mine || base->main != mine->main)
        return (double)NAN;
    bool tested = isfinite(base->test) && isfinite(mine->test);
    double from = tested ? base->test : base->valid, to = tested ? mine->test : mine->valid;
    return isfinite(from) && isfinite(to) && from != 0.0 ? (to - from) / fabs(from) * 100 : (double)NAN;
}

static double took(const RunRow *run)
{
    int64_t end = run->ended ? run->ended : run_is_active(run) ? time_now() : run->heartbeat;
    return run->started && end > run->started ? (double)(end - run->started) / 1e6 : (double)NAN;
}

static double fact_number(const RunsState *s, const RunRow *run, RunFact fact)
{
    const RunFacts *f = book_find(&s->book, run->id);
    switch (fact) {
    case RUN_FACT_RUN:       return (double)run->id;
    case RUN_FACT_EPOCH:     return (double)run->epoch;
    case RUN_FACT_VALID:     return f ? f->valid : (double)NAN;
    case RUN_FACT_TEST:      return f ? f->test : (double)NAN;
    case RUN_FACT_DELTA:     return delta(s, run);
    case RUN_FACT_TOOK:      return took(run);
    case RUN_FACT_SEED:      return (double)run->seed;
    case RUN_FACT_STEP:      return (double)run->step;
    case RUN_FACT_BEST:      return run->best;
    case RUN_FACT_BEST_STEP: return run->best_step ? (double)run->best_step : (double)NAN;
    case RUN_FACT_PARENT:    return run->parent ? (double)run->parent : (double)NAN;
    default:                 return (double)NAN;
    }
}

double runs_number(const RunsState *s, const RunRow *run, const RunField *f)
{
    const RunFacts *known = book_find(&s->book, run->id);
    double v;
    if (f->kind == FIELD_FACT)
        return fact_number(s, run, f->fact);
    for (size_t i = 0; f->kind == FIELD_METRIC && known && i < known->metrics; i++)
        if (strcmp(known->metric[i].key, f->key) == 0)
            return known->metric[i].value;
    const char *text = f->kind == FIELD_PARAM && known ? text_of_key(known, f->key) : "";
    return *text && text_to_real(text, strlen(text), &v) ? v : (double)NAN;
}

static void add_words(const RunsState *s, const RunRow *run, RunFact fact, Text *into)
{
    const RunFacts *f = book_find(&s->book, run->id);
    switch (fact) {
    case RUN_FACT_NAME:       text_puts(into, run->name); break;
    case RUN_FACT_FAMILY:     text_puts(into, run->family); break;
    case RUN_FACT_DATASET:    text_puts(into, run->dataset_name); break;
    case RUN_FACT_TAGS:       text_puts(into, run->tags); break;
    case RUN_FACT_NOTE:       text_puts(into, run->note); break;
    case RUN_FACT_TARGET:     text_puts(into, run->target); break;
    case RUN_FACT_TASK:       text_puts(into, run->task); break;
    case RUN_FACT_METRIC:     text_puts(into, f ? f->main->name : ""); break;
    case RUN_FACT_FEATURES:   text_puts(into, run->features); break;
    case RUN_FACT_SPLIT:      text_puts(into, run->split); break;
    case RUN_FACT_DATA:       text_printf(into, "%.12s", run->dataset); break;
    case RUN_FACT_MACHINE:    text_puts(into, run->machine); break;
    case RUN_FACT_VERSION:    text_puts(into, run->version); break;
    case RUN_FACT_EXPERIMENT: text_puts(into, run->experiment); break;
    case RUN_FACT_STATUS:
        for (const char *c = run_status_name(run->status); *c; c++)
            text_putc(into, (char)(*c | 0x20));
        break;
    case RUN_FACT_RECIPE:
        for (const char *c = run->recipe; *c; c++)
            text_putc(into, *c == '\n' ? ';' : *c);
        break;
    default:
        break;
    }
}

static void add_number(const RunField *f, const RunRow *run, double v, Text *into)
{
    if (f->kind == FIELD_FACT && f->fact == RUN_FACT_TOOK)
        text_add_seconds(into, v);
    else if (f->kind == FIELD_FACT && f->fact == RUN_FACT_DELTA)
        text_printf(into, "%+.1f%%", v);
    else if (f->kind == FIELD_FACT && f->fact == RUN_FACT_EPOCH && run_is_active(run) && run->epochs_total)
        text_printf(into, "%.0f/%lld", v, (long long)run->epochs_total);
    else if (v == floor(v) && fabs(v) < 1e9)
        text_printf(into, "%.0f", v);
    else
        text_printf(into, fabs(v) >= 1e5 || (v != 0 && fabs(v) < 1e-3) ? "%.4g" : "%.5g", v);
}

void runs_text(const RunsState *s, const RunRow *run, const RunField *f, Text *into)
{
    const RunFacts *known = book_find(&s->book, run->id);
    if (f->kind == FIELD_PARAM) {
        text_puts(into, known ? text_of_key(known, f->key) : "");
    } else if (!f->number) {
        add_words(s, run, f->fact, into);
    } else {
        double v = runs_number(s, run, f);
        if (!isnan(v))
            add_number(f, run, v, into);
    }
}

/* ---- the two that the views look at -------------------------------------------------------------------- */

/* Numbers that judge a run, or that were set for it and differ. */
static bool is_metric(const RunField *f)
{
    return f->kind == FIELD_METRIC ||
           (f->kind == FIELD_FACT && (f->fact == RUN_FACT_TEST || f->fact == RUN_FACT_VALID ||
                                      f->fact == RUN_FACT_TOOK));
}

static bool is_input(const RunField *f)
{
    return f->differs && (f->kind == FIELD_PARAM || (f->kind == FIELD_FACT && (f->fact == RUN_FACT_SEED ||
                                                     f->fact == RUN_FACT_FAMILY || f->fact == RUN_FACT_DATASET)));
}

static const RunField *chosen(const RunsState *s, const char *name, bool (*fits)(const RunField *))
{
    const RunField *f = *name ? runs_field(s, name) : NULL;
    for (size_t i = 0; !(f && fits(f)) && i < s->field.count; i++)
        if (fits(&s->field.at[i]) && (fits == is_metric || s->field.at[i].kind == FIELD_PARAM))
            f = &s->field.at[i];
    return f && fits(f) ? f : NULL;
}

/* Where runs of several tasks are shown, "validation" is an rmse here and a logloss there, which have no axis in
 * common: then it is what the run under the cursor is judged by. */
static const RunField *usual_metric(const RunsState *s)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    const RunRow *here = runs_here(s);
    const RunFacts *mine = here ? book_find(&s->book, here->id) : NULL;
    char name[64] = "validation";
    for (size_t i = 0; mine && i < s->shown.count; i++) {
        const RunFacts *f = s->shown.at[i] < snap->runs ? book_find(&s->book, snap->run[s->shown.at[i]].id) : NULL;
        if (f && f->main != mine->main)
            snprintf(name, sizeof name, "val_%.50s", mine->main->name);
    }
    const RunField *f = runs_field(s, name);
    return f && is_metric(f) ? f : chosen(s, "validation", is_metric);
}

const RunField *runs_metric(const RunsState *s)
{
    return *s->y_field ? chosen(s, s->y_field, is_metric) : usual_metric(s);
}

const RunField *runs_input(const RunsState *s)
{
    return chosen(s, s->x_field, is_input);
}

Reply runs_turn_field(RunsState *s, bool metric, int by)
{
    const RunField *now = metric ? runs_metric(s) : runs_input(s);
    size_t n = s->field.count, at = now ? (size_t)(now - s->field.at) : 0;
    for (size_t i = 0; i < n; i++) {
        at = by > 0 ? (at + 1) % n : (at + n - 1) % n;
        if (metric ? is_metric(&s->field.at[at]) : is_input(&s->field.at[at])) {
            snprintf(metric ? s->y_field : s->x_field, sizeof s->x_field, "%s", s->field.at[at].name);
            return REPLY_DRAW;
        }
    }
    return REPLY_STAY;
}
