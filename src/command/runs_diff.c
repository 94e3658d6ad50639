/* runs_diff.c -- lathe runs diff: only what differs, and how the results compare. Each run is a column of
 * both tables, called a, b, c ... in the order they were named. */
#include "command_int.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

extern const Command runs_diff_verb;

#define SIDES_MOST 6 /* as many as the Runs pane puts side by side */

typedef struct Side {
    RunRow row;
    ParamRow *param;
    size_t params;
    MetricPoint *metric;
    size_t metrics;
} Side;

static bool load(Side *side, Store *s, const char *name, Arena *a, Error *err)
{
    return store_run_find(s, name, a, &side->row, err) &&
           store_run_params(s, side->row.id, a, &side->param, &side->params, err) &&
           store_metrics_last(s, side->row.id, a, &side->metric, &side->metrics, err);
}

typedef struct Sides {
    Side at[SIDES_MOST];
    size_t count;
} Sides;

static const char *letter(size_t side)
{
    static const char *const name[SIDES_MOST] = {"a", "b", "c", "d", "e", "f"};
    return name[side];
}

/* A row of the table, unless all have the same. */
static void differ(json_t *table, const char *what, const char *const *value, size_t sides)
{
    json_t *row = json_object();
    bool same = true;
    result_text(row, "what", what);
    for (size_t i = 0; i < sides; i++) {
        same = same && strcmp(value[i] ? value[i] : "", value[0] ? value[0] : "") == 0;
        result_text(row, letter(i), value[i] ? value[i] : "");
    }
    if (!same)
        json_array_append(table, row);
    json_decref(row);
}

/* Where a run comes from and how it was set up, a row a fact: one list for the difference. */
static void differ_facts(json_t *table, const Sides *s)
{
    static const struct {
        const char *what;
        size_t at; /* of a text in RunRow */
    } fact[] = {{"family", offsetof(RunRow, family)},       {"dataset", offsetof(RunRow, dataset_name)},
                {"dataset_hash", offsetof(RunRow, dataset)}, {"target", offsetof(RunRow, target)},
                {"features", offsetof(RunRow, features)},    {"recipe", offsetof(RunRow, recipe)},
                {"split", offsetof(RunRow, split)},          {"version", offsetof(RunRow, version)},
                {"machine", offsetof(RunRow, machine)}};
    const char *value[SIDES_MOST];
    char seed[SIDES_MOST][24];
    for (size_t i = 0; i < sizeof fact / sizeof *fact; i++) {
        for (size_t k = 0; k < s->count; k++)
            value[k] = *(const char *const *)((const char *)&s->at[k].row + fact[i].at);
        differ(table, fact[i].what, value, s->count);
    }
    for (size_t k = 0; k < s->count; k++) {
        snprintf(seed[k], sizeof seed[k], "%lld", (long long)s->at[k].row.seed);
        value[k] = seed[k];
    }
    differ(table, "seed", value, s->count);
    for (size_t k = 0; k < s->count; k++)
        value[k] = run_status_name(s->at[k].row.status);
    differ(table, "status", value, s->count);
}

static const char *param_of(const Side *side, const char *key)
{
    for (size_t i = 0; i < side->params; i++)
        if (strcmp(side->param[i].key, key) == 0)
            return side->param[i].value;
    return NULL;
}

/* Each of a side's that no side before it has. */
static void differ_params(json_t *table, const Sides *s)
{
    for (size_t from = 0; from < s->count; from++)
        for (size_t i = 0; i < s->at[from].params; i++) {
            const char *key = s->at[from].param[i].key, *value[SIDES_MOST];
            bool told = false;
            for (size_t k = 0; k < s->count; k++) {
                value[k] = param_of(&s->at[k], key);
                told = told || (k < from && value[k]);
            }
            if (!told)
                differ(table, key, value, s->count);
        }
}

static const MetricPoint *metric_of(const Side *side, const char *key)
{
    for (size_t i = 0; i < side->metrics; i++)
        if (strcmp(side->metric[i].key, key) == 0)
            return &side->metric[i];
    return NULL;
}

/* What all were measured by. */
static json_t *compare_metrics(const Sides *s)
{
    json_t *table = json_array();
    for (size_t i = 0; i < s->at[0].metrics; i++) {
        const MetricPoint *first = &s->at[0].metric[i], *m = first;
        json_t *row = json_object();
        result_text(row, "metric", first->key);
        for (size_t k = 0; m && k < s->count; k++)
            if ((m = metric_of(&s->at[k], first->key)))
                result_real(row, letter(k), m->value);
        if (m && s->count == 2)
            result_real(row, "difference", m->value - first->value);
        if (m)
            json_array_append(table, row);
        json_decref(row);
    }
    return table;
}

static bool run(CommandCall *call, json_t **result, Error *err)
{
    Arena arena = {0};
    Sides sides = {.count = call->words};
    if (call->words > SIDES_MOST)
        return error_set(err, ERROR_USAGE, "runs diff: %zu runs; it compares at most %d", call->words, SIDES_MOST);
    Store *s = call_store(call, STORE_READ, err);
    bool ok = s != NULL;
    for (size_t i = 0; ok && i < sides.count; i++)
        ok = load(&sides.at[i], s, call->word[i], &arena, err);
    if (ok) {
        json_t *differs = json_array();
        *result = json_object();
        for (size_t i = 0; i < sides.count; i++)
            json_object_set_new(*result, letter(i), json_integer((json_int_t)sides.at[i].row.id));
        differ_facts(differs, &sides);
        differ_params(differs, &sides);
        json_object_set_new(*result, "differs", differs);
        json_object_set_new(*result, "metrics", compare_metrics(&sides));
    }
    store_close(s);
    arena_release(&arena);
    return ok;
}

static const Arg args[] = {{.name = "A", .kind = ARG_RUN, .about = "a run"},
                           {.name = "B", .kind = ARG_RUN, .about = "the run to compare it with"},
                           {.name = "MORE", .kind = ARG_RUN, .optional = true, .many = true, .about = "up to four more"},
                           ARG_END};

const Command runs_diff_verb = {
    .name = "diff",
    .about = "what differs between two to six runs, and how their results compare",
    .args = args,
    .example = "lathe runs diff 1 2",
    .run = run,
};
