/* runs_diff.c -- lathe runs diff A B: only what differs, and how the results compare. */
#include "command_int.h"

#include <stdio.h>
#include <string.h>

extern const Command runs_diff_verb;

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

static void differ(json_t *table, const char *what, const char *a, const char *b)
{
    a = a ? a : "";
    b = b ? b : "";
    if (strcmp(a, b) == 0)
        return;
    json_t *row = json_object();
    result_text(row, "what", what);
    result_text(row, "a", a);
    result_text(row, "b", b);
    json_array_append_new(table, row);
}

static const char *param_of(const Side *side, const char *key)
{
    for (size_t i = 0; i < side->params; i++)
        if (strcmp(side->param[i].key, key) == 0)
            return side->param[i].value;
    return NULL;
}

static void differ_params(json_t *table, const Side *a, const Side *b)
{
    for (size_t i = 0; i < a->params; i++)
        differ(table, a->param[i].key, a->param[i].value, param_of(b, a->param[i].key));
    for (size_t i = 0; i < b->params; i++)
        if (!param_of(a, b->param[i].key))
            differ(table, b->param[i].key, NULL, b->param[i].value);
}

/* Where a run comes from and how it was set up, a row a fact: one list for the difference. */
static void differ_facts(json_t *table, const RunRow *a, const RunRow *b)
{
    char seed[2][24];
    snprintf(seed[0], sizeof seed[0], "%lld", (long long)a->seed);
    snprintf(seed[1], sizeof seed[1], "%lld", (long long)b->seed);
    differ(table, "family", a->family, b->family);
    differ(table, "dataset", a->dataset_name, b->dataset_name);
    differ(table, "dataset_hash", a->dataset, b->dataset);
    differ(table, "target", a->target, b->target);
    differ(table, "features", a->features, b->features);
    differ(table, "recipe", a->recipe, b->recipe);
    differ(table, "split", a->split, b->split);
    differ(table, "seed", seed[0], seed[1]);
    differ(table, "status", run_status_name(a->status), run_status_name(b->status));
    differ(table, "version", a->version, b->version);
    differ(table, "machine", a->machine, b->machine);
}

static json_t *compare_metrics(const Side *a, const Side *b)
{
    json_t *table = json_array();
    for (size_t i = 0; i < a->metrics; i++)
        for (size_t k = 0; k < b->metrics; k++) {
            if (strcmp(a->metric[i].key, b->metric[k].key) != 0)
                continue;
            json_t *row = json_object();
            result_text(row, "metric", a->metric[i].key);
            result_real(row, "a", a->metric[i].value);
            result_real(row, "b", b->metric[k].value);
            result_real(row, "difference", b->metric[k].value - a->metric[i].value);
            json_array_append_new(table, row);
        }
    return table;
}

static bool run(CommandCall *call, json_t **result, Error *err)
{
    Arena arena = {0};
    Side a = {0}, b = {0};
    Store *s = call_store(call, STORE_READ, err);
    bool ok = s && load(&a, s, call->word[0], &arena, err) && load(&b, s, call->word[1], &arena, err);
    if (ok) {
        json_t *differs = json_array();
        differ_facts(differs, &a.row, &b.row);
        differ_params(differs, &a, &b);
        *result = json_pack("{s:I, s:I, s:o, s:o}", "a", (json_int_t)a.row.id, "b",
                            (json_int_t)b.row.id, "differs", differs, "metrics",
                            compare_metrics(&a, &b));
    }
    store_close(s);
    arena_release(&arena);
    return ok;
}

static const Arg args[] = {{.name = "A", .kind = ARG_RUN, .about = "a run"},
                           {.name = "B", .kind = ARG_RUN, .about = "the run to compare it with"},
                           ARG_END};

const Command runs_diff_verb = {
    .name = "diff",
    .about = "what differs between two runs, and how their results compare",
    .args = args,
    .example = "lathe runs diff 1 2",
    .run = run,
};
