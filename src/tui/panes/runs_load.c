/* runs_load.c -- one run or several side by side, read on a job's thread; of several only what differs:
 * facts, hyperparameters as they are now, rules of the recipes, columns of the tables, metrics. */
#include "runs_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

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

/* A rule one has and another lacks is a row of its own; `number` counts the rules of a side. */
static void add_rules(RunCompare *c, size_t side, const char *recipe, size_t *number)
{
    while (*recipe) {
        size_t n = strcspn(recipe, "\n");
        if (n && *recipe != '#') {
            CompareRow *row = row_of(c, arena_printf(&c->arena, "rule %.*s", (int)n, recipe), false);
            row->value[side] = "yes";
            row->number[side] = (double)++*number;
        }
        recipe += n + (recipe[n] == '\n');
    }
}

/* Those that made its table, from the source on, then its own. */
static void add_recipes(RunCompare *c, Store *s, size_t side)
{
    DatasetRow last, *line;
    size_t n = 0, number = 0;
    Error gone = {0}; /* a dataset may have been dropped */
    if (store_dataset_find(s, c->run[side].dataset, &c->arena, &last, &gone))
        store_dataset_line(s, &last, &c->arena, &line, &n, &gone);
    while (n-- > 0)
        add_rules(c, side, line[n].recipe, &number);
    add_rules(c, side, c->run[side].recipe, &number);
}

static bool has_rule(const RunCompare *c, const CompareRow *row)
{
    bool all = text_starts(row->what, "rule ");
    for (size_t i = 0; i < c->sides; i++)
        all = all && isfinite(row->number[i]);
    return all;
}

/* Rules that all have are the same in all, unless they stand in another order. */
static void settle_rules(RunCompare *c)
{
    for (size_t i = 0; i < c->row.count; i++) {
        CompareRow *row = &c->row.at[i];
        size_t place[RUN_SIDES] = {0}; /* among those that all have */
        bool moved = false;
        if (!has_rule(c, row))
            continue;
        for (size_t side = 0; side < c->sides; side++)
            for (size_t k = 0; k < c->row.count; k++)
                place[side] += has_rule(c, &c->row.at[k]) && c->row.at[k].number[side] < row->number[side];
        for (size_t side = 1; side < c->sides; side++)
            moved |= place[side] != place[0];
        for (size_t side = 0; moved && side < c->sides; side++)
            row->value[side] = arena_printf(&c->arena, "as rule %.0f", row->number[side]);
    }
}

/* Columns of the table it learnt from; those that all have alike go. */
static bool add_schema(RunCompare *c, Store *s, size_t side)
{
    ColumnRow *column;
    size_t n = 0;
    Error gone = {0}; /* the dataset may have been dropped */
    if (!store_dataset_columns(s, c->run[side].dataset, &c->arena, &column, &n, &gone))
        return true;
    for (size_t i = 0; i < n; i++)
        add_fact(c, side, arena_printf(&c->arena, "column %s", column[i].name),
                 arena_printf(&c->arena, "%s %s", column[i].type, column[i].role));
    return true;
}

static void add_facts(RunCompare *c, Store *s, size_t side)
{
    const RunRow *r = &c->run[side];
    char seed[24];
    snprintf(seed, sizeof seed, "%lld", (long long)r->seed);
    add_fact(c, side, "family", r->family);
    add_fact(c, side, "dataset", r->dataset_name);
    add_fact(c, side, "data hash", arena_printf(&c->arena, "%.12s", r->dataset));
    add_fact(c, side, "target", r->target);
    add_fact(c, side, "features", *r->features ? r->features : "all");
    if (c->sides == 1)
        add_fact(c, side, "recipe", r->recipe);
    else
        add_recipes(c, s, side);
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

/* What was changed while it trained stands for what it began with. */
static bool add_changes(RunCompare *c, Store *s, size_t side, Error *err)
{
    CommandRow *taken;
    size_t n = 0;
    if (!store_commands_taken(s, c->run[side].id, -1, &c->arena, &taken, &n, err))
        return false;
    for (size_t i = 0; i < n; i++)
        if (strcmp(taken[i].verb, "set") == 0)
            add_fact(c, side, taken[i].key, arena_printf(&c->arena, "%s (from step %lld)", taken[i].value,
                                                         (long long)taken[i].step));
    return true;
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
    add_facts(c, s, side);
    for (size_t i = 0; i < n; i++)
        add_fact(c, side, params[i].key, params[i].value);
    if (!add_changes(c, s, side, err) || (c->sides > 1 && !add_schema(c, s, side)))
        return false;
    for (size_t i = 0; i < m; i++)
        row_of(c, points[i].key, true)->number[side] = points[i].value;
    return true;
}

static void judge(CompareRow *row, size_t sides)
{
    int way = metric_better(row->what);
    for (size_t i = 0; way && i < sides; i++)
        if (isfinite(row->number[i]) &&
            (row->best < 0 || way * (row->number[i] - row->number[row->best]) > 0))
            row->best = (int)i;
}

static bool is_same(const CompareRow *row, size_t sides)
{
    for (size_t i = 1; i < sides; i++) {
        double v = row->number[i], first = row->number[0];
        if (row->metric ? !(v == first || (isnan(v) && isnan(first))) : strcmp(row->value[i], row->value[0]) != 0)
            return false;
    }
    return true;
}

/* What is read first: facts, then the test's metrics, the validation's, the rest. */
static int rank_of(const CompareRow *row)
{
    return !row->metric ? 0 : text_starts(row->what, "test_") ? 1 : text_starts(row->what, "val_") ? 2 : 3;
}

/* In the order of rank_of; of several runs, what is equal goes. */
static void arrange(RunCompare *c)
{
    VEC(CompareRow) kept = {0};
    for (int rank = 0; rank < 4; rank++)
        for (size_t i = 0; i < c->row.count; i++) {
            CompareRow *row = &c->row.at[i];
            if (rank_of(row) != rank)
                continue;
            if (c->sides > 1 && is_same(row, c->sides)) {
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
    c->sides = ask->sides;
    progress_begin(job_progress(j), NULL, "runs", ask->sides);
    for (size_t i = 0; ok && i < ask->sides; i++) {
        ok = job_stopped(j) ? error_set(err, ERROR_STOP, "stopped") : add_side(c, s, i, ask->run[i], err);
        progress_add(job_progress(j), 1);
    }
    if (ok && c->sides == 1)
        ok = store_events_since(s, ask->run[0], &cursor, &c->arena, &c->event, &c->events, err);
    if (!ok) {
        run_compare_free(c);
        return NULL;
    }
    settle_rules(c);
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
