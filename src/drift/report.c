/* report.c -- reference against current: every column, the model's predictions, the verdict.
 *
 * Columns are judged in parallel, each by one thread, so the numbers do not depend on how many
 * there are. Left out unless named: ids, ignored columns, times (the current month is always
 * later), columns that are constant in both or in which no two rows agree. */
#include "drift_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define UNIQUE_ROWS 50 /* so many rows, all different: names of rows, not values */

/* ---- which columns ---- */

static void add_column(Compare *c, const Field *f, const char *target, bool named)
{
    Compared *to = &c->at[c->count++];
    *to = (Compared){.field = f, .named = named};
    copy_cut(to->column.name, sizeof to->column.name, f->name);
    to->column.role = text_equal(f->name, target) ? "target" : "feature";
    to->column.type = column_type_name(f->type);
}

static bool is_time(ColumnType t)
{
    return t == COLUMN_TIME || t == COLUMN_DATE;
}

bool compare_choose(Compare *c, const Schema *s, const DriftOptions *o, const char *target,
                    Error *err)
{
    c->at = mem_alloc((s->count + o->n + 2) * sizeof *c->at);
    size_t at = target ? schema_need(s, target, err) : 0;
    if (at == SIZE_MAX)
        return error_in(err, "target");
    for (size_t i = 0; o->columns && i < o->n; i++) {
        size_t named = schema_need(s, o->columns[i], err);
        if (named == SIZE_MAX)
            return false;
        if (named != at || !target)
            add_column(c, &s->field[named], target, true);
    }
    if (o->columns && target)
        add_column(c, &s->field[at], target, true);
    for (size_t i = 0; !o->columns && i < s->count; i++) {
        const Field *f = &s->field[i];
        bool is_target = target && i == at;
        if (is_target || (f->role != ROLE_ID && f->role != ROLE_IGNORE &&
                          f->role != ROLE_TIMELINE && !is_time(f->type)))
            add_column(c, f, target, is_target);
    }
    return true;
}

/* ---- each column ---- */

static bool all_different(const Gathered *g)
{
    if (g->n < UNIQUE_ROWS)
        return false;
    return g->numeric ? distinct_sorted(g->value, g->n, SIZE_MAX) == g->n
                      : labels_count(g->labels) == g->n;
}

bool column_says_nothing(const Compared *c, const Gathered *r, const Gathered *now)
{
    if (!r->n && !now->n)
        return true;
    if (c->named || !r->n || !now->n || r->numeric != now->numeric)
        return false;
    if (c->field->type != COLUMN_REAL && all_different(r) && all_different(now))
        return true;
    if (r->numeric)
        return r->value[0] == r->value[r->n - 1] && now->value[0] == r->value[0] &&
               now->value[now->n - 1] == r->value[0];
    size_t n;
    const char *only = labels_text(r->labels, 0, &n);
    return labels_count(r->labels) == 1 && labels_count(now->labels) == 1 &&
           labels_find(now->labels, only, n) == 0;
}

static void compare_one(void *job, size_t i, size_t worker)
{
    (void)worker;
    Compare *c = job;
    Compared *one = &c->at[i];
    Gathered r = {.in = c->scratch}, now = {.in = c->scratch};
    Arena a = {0};
    if (progress_stopped(c->progress)) {
        one->failed = !error_set(&one->error, ERROR_STOP, "stopped on request");
        return;
    }
    one->failed = !gather_column(&r, c->reference, one->field->name, &a, &one->error) ||
                  !gather_column(&now, c->current, one->field->name, &a, &one->error);
    if (!one->failed && !(one->left_out = column_says_nothing(one, &r, &now))) {
        column_judge(&one->column, &r, &now, &c->wanted, NULL);
        if (schema_find(dataset_schema(c->current), one->field->name) == SIZE_MAX)
            snprintf(one->column.note, sizeof one->column.note, "no such column in current");
    }
    gathered_release(&r);
    gathered_release(&now);
    arena_release(&a);
    progress_add(c->progress, 1);
}

/* ---- the verdict ---- */

/* How far beyond its threshold, comparable between tests: distances as multiples of it, p values
 * by powers of ten. Above 1 is drift. */
static double severity(const DriftColumn *c)
{
    if (isnan(c->statistic))
        return INFINITY;
    if (c->test->p_value)
        return 1.0 + log10(c->threshold / fmax(c->statistic, 1e-300));
    return c->statistic / c->threshold;
}

static int most_drifted_first(const void *left, const void *right)
{
    const DriftColumn *a = left, *b = right;
    if (a->drifted != b->drifted)
        return a->drifted ? -1 : 1;
    double x = severity(a), y = severity(b);
    if (x != y)
        return x > y ? -1 : 1;
    return strcmp(a->name, b->name);
}

static bool collect(DriftReport *r, const Compare *c, Error *err)
{
    r->column = mem_alloc((c->count + 2) * sizeof *r->column);
    for (size_t i = 0; i < c->count; i++) {
        if (c->at[i].failed) {
            if (err)
                *err = c->at[i].error;
            return false;
        }
        if (!c->at[i].left_out)
            r->column[r->columns++] = c->at[i].column;
    }
    return r->columns || error_set(err, ERROR_SHAPE,
                                   "no columns to compare: all are ids, times, "
                                   "ignored, constant or empty");
}

void report_conclude(DriftReport *r)
{
    qsort(r->column, r->columns, sizeof *r->column, most_drifted_first);
    for (size_t i = 0; i < r->columns; i++)
        r->drifted += r->column[i].drifted;
    r->share = (double)r->drifted / (double)r->columns;
    r->dataset_drifted = r->share >= r->threshold;
}

static bool no_such_test(const char *name, Error *err)
{
    const char *names[64];
    size_t n = 0;
    for (; drift_tests[n] && n < 64; n++)
        names[n] = drift_tests[n]->name;
    const char *near = text_nearest(name, names, n);
    return error_set(err, ERROR_USAGE, "no drift test '%s'%s%s%s", name,
                     near ? ", did you mean " : "; there are ks, wasserstein, psi and others",
                     near ? near : "", near ? "?" : "");
}

bool wants_whole(const Wanted *w)
{
    return w->n && w->at[0]->kinds == DRIFT_KIND_TABLE;
}

/* "ks, wasserstein, psi" */
static bool read_wanted(const char *text, bool nannyml, Wanted *w, Error *err)
{
    char name[64];
    bool whole = false;
    for (const char *at = text + strspn(text, ", "); *at; at += strspn(at, ", ")) {
        size_t n = strcspn(at, ", ");
        snprintf(name, sizeof name, "%.*s", (int)(n < 63 ? n : 63), at);
        const DriftTest *t = drift_test(name);
        if (!t)
            return no_such_test(name, err);
        if (w->n == DRIFT_MORE)
            return error_set(err, ERROR_USAGE, "test: at most %d at a time", DRIFT_MORE);
        whole = whole || t->kinds == DRIFT_KIND_TABLE;
        w->at[w->n++] = t;
        at += n;
    }
    if (w->n > 1 && (whole || nannyml))
        return error_set(err, ERROR_USAGE, "test: %s takes one test alone",
                         nannyml ? "thresholds=nannyml" : "a test of all columns together");
    return true;
}

bool drift_check(const Dataset *reference, const Dataset *current, const DriftOptions *o,
                 Wanted *wanted, Error *err)
{
    if (!dataset_rows(reference) || !dataset_rows(current))
        return error_set(err, ERROR_SHAPE, "the %s table has no rows",
                         dataset_rows(reference) ? "current" : "reference");
    if (!(o->share >= 0.0 && o->share <= 1.0))
        return error_set(err, ERROR_USAGE, "share: expected 0 to 1, found %g", o->share);
    return read_wanted(o->test ? o->test : "", o->nannyml, wanted, err);
}

const char *drift_target(const DriftOptions *o, const Schema *s)
{
    if (o->target && *o->target)
        return o->target;
    const char *of_bundle = o->bundle ? features_target(bundle_features(o->bundle)) : NULL;
    return of_bundle && schema_find(s, of_bundle) != SIZE_MAX ? of_bundle : NULL;
}

DriftReport *drift_report(const Dataset *reference, const Dataset *current, const DriftOptions *o,
                          Pool *pool, Progress *progress, Error *err)
{
    Wanted wanted = {0};
    if (!drift_check(reference, current, o, &wanted, err))
        return NULL;
    if (o->nannyml || wants_whole(&wanted))
        return report_of_whole(reference, current, o, pool, progress, err);
    const Schema *s = dataset_schema(reference);
    DriftReport *r = mem_alloc(sizeof *r);
    Compare c = {reference, current, wanted, progress, 0, NULL, o->scratch};
    snprintf(r->reference, sizeof r->reference, "%s", dataset_hash(reference));
    snprintf(r->current, sizeof r->current, "%s", dataset_hash(current));
    r->reference_rows = dataset_rows(reference);
    r->current_rows = dataset_rows(current);
    r->threshold = o->share > 0.0 ? o->share : DRIFT_SHARE;
    bool ok = compare_choose(&c, s, o, drift_target(o, s), err);
    if (ok) {
        progress_begin(progress, "comparing", "columns", c.count);
        pool_run(pool, c.count, compare_one, &c);
        ok = collect(r, &c, err);
    }
    mem_free(c.at);
    if (ok && o->bundle)
        ok = predictions_add(r, reference, current, &wanted, o->bundle, progress, err);
    if (ok) {
        report_weigh(r, o->bundle);
        report_conclude(r);
        return r;
    }
    drift_report_destroy(r);
    return NULL;
}

void drift_report_destroy(DriftReport *r)
{
    if (!r)
        return;
    mem_free(r->column);
    mem_free(r);
}
