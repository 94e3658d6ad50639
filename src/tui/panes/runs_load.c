/* runs_load.c -- reads what the Runs pane shows beyond the snapshot; on a job's thread. */
#include "runs_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- results of all runs ---------------------------------------------------------------------------- */

const RunResult *run_results_find(const RunResults *r, int64_t run)
{
    for (size_t i = 0; r && i < r->count; i++)
        if (r->at[i].run == run)
            return &r->at[i];
    return NULL;
}

static TaskKind task_of(const char *name)
{
    for (int t = 0; t < TASK_COUNT; t++)
        if (strcmp(task_name((TaskKind)t), name) == 0)
            return (TaskKind)t;
    return TASK_REGRESSION;
}

static double last_of(const MetricPoint *p, size_t n, const char *part, const char *metric)
{
    char key[64];
    snprintf(key, sizeof key, "%s_%s", part, metric);
    for (size_t i = 0; i < n; i++)
        if (strcmp(p[i].key, key) == 0)
            return p[i].value;
    return (double)NAN;
}

static bool result_of(Store *s, const RunRow *run, RunResult *out, Error *err)
{
    Arena arena = {0};
    MetricPoint *points;
    size_t n = 0;
    const Metric *m = metric_main(task_of(run->task));
    bool ok = store_metrics_last(s, run->id, &arena, &points, &n, err);
    *out = (RunResult){.run = run->id, .larger_is_better = m->larger_is_better};
    snprintf(out->metric, sizeof out->metric, "%s", m->name);
    out->valid = ok ? last_of(points, n, "val", m->name) : (double)NAN;
    out->test = ok ? last_of(points, n, "test", m->name) : (double)NAN;
    arena_release(&arena);
    return ok;
}

void *run_results_load(JobContext *c, void *input, Error *err)
{
    (void)input;
    Arena arena = {0};
    RunRow *rows;
    size_t n = 0;
    Store *s = job_store(c, err);
    bool ok = s && store_runs(s, &arena, &rows, &n, err);
    RunResults *out = mem_alloc(sizeof *out);
    out->at = mem_alloc(sizeof *out->at * (n + 1));
    for (size_t i = 0; ok && i < n && !job_stopped(c); i++)
        ok = result_of(s, &rows[i], &out->at[out->count++], err);
    arena_release(&arena);
    if (ok)
        return out;
    run_results_free(out);
    return NULL;
}

void run_results_free(void *results)
{
    RunResults *r = results;
    if (r)
        mem_free(r->at);
    mem_free(r);
}

/* ---- side by side ----------------------------------------------------------------------------------- */

/* lr is a setting and a metric: two rows. */
static CompareRow *row_of(RunCompare *c, const char *what, bool metric)
{
    for (size_t i = 0; i < c->row.count; i++)
        if (c->row.at[i].metric == metric && strcmp(c->row.at[i].what, what) == 0)
            return &c->row.at[i];
    CompareRow *row = vec_slot(&c->row);
    *row = (CompareRow){.what = arena_text(&c->arena, what), .metric = metric, .best = -1};
    for (size_t i = 0; i < RUN_SIDES; i++) {
        row->value[i] = "";
        row->number[i] = (double)NAN;
    }
    return row;
}

static void add_fact(RunCompare *c, size_t side, const char *what, const char *value)
{
    row_of(c, what, false)->value[side] = value ? arena_text(&c->arena, value) : "";
}

static void add_facts(RunCompare *c, size_t side)
{
    const RunRow *r = &c->run[side];
    char seed[24];
    snprintf(seed, sizeof seed, "%lld", (long long)r->seed);
    add_fact(c, side, "family", r->family);
    add_fact(c, side, "dataset", r->dataset_name);
    add_fact(c, side, "data hash", arena_printf(&c->arena, "%.12s", r->dataset));
    add_fact(c, side, "target", r->target);
    add_fact(c, side, "features", *r->features ? r->features : "all");
    add_fact(c, side, "recipe", r->recipe);
    add_fact(c, side, "split", r->split);
    add_fact(c, side, "seed", seed);
    add_fact(c, side, "version", r->version);
    add_fact(c, side, "machine", r->machine);
    if (r->parent)
        add_fact(c, side, "forked from", arena_printf(&c->arena, "run %lld at step %lld",
                 (long long)r->parent, (long long)r->parent_step));
    if (*r->note)
        add_fact(c, side, "note", r->note);
}

static bool add_side(RunCompare *c, Store *s, size_t side, int64_t id, Error *err)
{
    ParamRow *params;
    MetricPoint *points;
    size_t n = 0, m = 0;
    if (!store_run_get(s, id, &c->arena, &c->run[side], err) ||
        !store_run_params(s, id, &c->arena, &params, &n, err) ||
        !store_metrics_last(s, id, &c->arena, &points, &m, err))
        return false;
    add_facts(c, side);
    for (size_t i = 0; i < n; i++)
        add_fact(c, side, params[i].key, params[i].value);
    for (size_t i = 0; i < m; i++)
        row_of(c, points[i].key, true)->number[side] = points[i].value;
    return true;
}

/* "val_rmse" is judged as rmse; a loss is better when smaller; the rest is not judged. */
static int better(const char *key)
{
    const char *name = strchr(key, '_');
    const Metric *m = name ? metric_find(name + 1) : NULL;
    if (m)
        return m->larger_is_better ? 1 : -1;
    return strstr(key, "loss") ? -1 : 0;
}

static void judge(CompareRow *row, size_t sides)
{
    int way = better(row->what);
    for (size_t i = 0; way && i < sides; i++)
        if (isfinite(row->number[i]) &&
            (row->best < 0 || way * (row->number[i] - row->number[row->best]) > 0))
            row->best = (int)i;
}

static bool is_same(const CompareRow *row, size_t sides)
{
    for (size_t i = 1; i < sides; i++)
        if (strcmp(row->value[i], row->value[0]) != 0)
            return false;
    return true;
}

/* What is read first: facts, then the test's metrics, the validation's, the rest. */
static int rank_of(const CompareRow *row)
{
    return !row->metric ? 0 : text_starts(row->what, "test_") ? 1 : text_starts(row->what, "val_") ? 2 : 3;
}

/* In the order of rank_of; of several runs, equal facts go. */
static void arrange(RunCompare *c)
{
    VEC(CompareRow) kept = {0};
    for (int rank = 0; rank < 4; rank++)
        for (size_t i = 0; i < c->row.count; i++) {
            CompareRow *row = &c->row.at[i];
            if (rank_of(row) != rank)
                continue;
            if (!row->metric && c->sides > 1 && is_same(row, c->sides)) {
                c->same++;
                continue;
            }
            if (row->metric && c->sides > 1)
                judge(row, c->sides);
            vec_add(&kept, *row);
        }
    vec_release(&c->row);
    c->row.at = kept.at;
    c->row.count = kept.count;
    c->row.room = kept.room;
}

void *run_compare_load(JobContext *j, void *input, Error *err)
{
    const CompareAsk *ask = input;
    RunCompare *c = mem_alloc(sizeof *c);
    Store *s = job_store(j, err);
    bool ok = s != NULL;
    int64_t cursor = 0;
    for (size_t i = 0; ok && i < ask->sides; i++)
        ok = add_side(c, s, i, ask->run[i], err);
    c->sides = ask->sides;
    if (ok && c->sides == 1)
        ok = store_events_since(s, ask->run[0], &cursor, &c->arena, &c->event, &c->events, err);
    if (!ok) {
        run_compare_free(c);
        return NULL;
    }
    arrange(c);
    return c;
}

void run_compare_free(void *compare)
{
    RunCompare *c = compare;
    if (!c)
        return;
    vec_release(&c->row);
    arena_release(&c->arena);
    mem_free(c);
}
