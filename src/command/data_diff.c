/* data_diff.c -- lathe data diff: what differs between two datasets: columns, rows, distributions. */
#include "data_diff.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct DiffSettings {
    char *key;
    int examples;
} DiffSettings;

extern const Command data_diff_verb;

/* ---- columns -------------------------------------------------------------------------------------- */

static void add_change(json_t *table, const char *column, const char *change, const char *from, const char *to)
{
    json_t *row = json_object();
    result_text(row, "column", column);
    result_text(row, "change", change);
    result_text(row, "from", from);
    result_text(row, "to", to);
    json_array_append_new(table, row);
}

static json_t *schema_changes(const Schema *a, const Schema *b)
{
    json_t *table = json_array();
    for (size_t i = 0; i < a->count; i++) {
        const Field *f = &a->field[i];
        size_t at = schema_find(b, f->name);
        const Field *g = at == SIZE_MAX ? NULL : &b->field[at];
        if (!g)
            add_change(table, f->name, "removed", column_type_name(f->type), NULL);
        if (g && f->type != g->type)
            add_change(table, f->name, "type", column_type_name(f->type), column_type_name(g->type));
        if (g && f->role != g->role)
            add_change(table, f->name, "role", role_name(f->role), role_name(g->role));
    }
    for (size_t i = 0; i < b->count; i++)
        if (schema_find(a, b->field[i].name) == SIZE_MAX)
            add_change(table, b->field[i].name, "added", NULL, column_type_name(b->field[i].type));
    return table;
}

/* ---- distributions -------------------------------------------------------------------------------- */

static bool can_drift(const Schema *a, const Schema *b, const Dataset *d, const Dataset *e, size_t i, size_t k)
{
    const ColumnProfile *p = &dataset_profile(d)->column[i], *q = &dataset_profile(e)->column[k];
    bool when = a->field[i].type == COLUMN_TIME || a->field[i].type == COLUMN_DATE;
    bool used = a->field[i].role != ROLE_ID && a->field[i].role != ROLE_IGNORE;
    bool varies = p->distinct > 1.5 || q->distinct > 1.5;
    bool repeats = p->distinct < .9 * (double)(p->count - p->missing) || p->count < 100;
    return used && !when && varies && repeats && a->field[i].type == b->field[k].type &&
           p->count > p->missing && q->count > q->missing;
}

static const DriftColumn *drift_of(const DriftReport *r, const char *name)
{
    for (size_t i = 0; r && i < r->columns; i++)
        if (strcmp(r->column[i].name, name) == 0)
            return &r->column[i];
    return NULL;
}

static void add_numbers(json_t *row, const ColumnProfile *p, const ColumnProfile *q)
{
    static const struct { const char *a, *b; int at; } quantiles[] = {
        {"p5_a", "p5_b", 5}, {"median_a", "median_b", 50}, {"p95_a", "p95_b", 95}};
    bool plain = p->numeric && q->numeric && p->type != COLUMN_TIME && p->type != COLUMN_DATE &&
                 q->type != COLUMN_TIME && q->type != COLUMN_DATE;
    result_real(row, "mean_a", plain && p->count > p->missing ? p->mean : (double)NAN);
    result_real(row, "mean_b", plain && q->count > q->missing ? q->mean : (double)NAN);
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++) {
        result_real(row, quantiles[i].a, plain ? p->quantile[quantiles[i].at] : (double)NAN);
        result_real(row, quantiles[i].b, plain ? q->quantile[quantiles[i].at] : (double)NAN);
    }
}

static double share_missing(const ColumnProfile *p)
{
    return p->count ? (double)p->missing / (double)p->count : (double)NAN;
}

static json_t *column_changes(const DiffSide *a, const DiffSide *b, const DriftReport *drift)
{
    json_t *table = json_array();
    for (size_t i = 0; i < a->schema->count; i++) {
        size_t k = schema_find(b->schema, a->schema->field[i].name);
        if (k == SIZE_MAX)
            continue;
        const ColumnProfile *p = &dataset_profile(a->dataset)->column[i];
        const ColumnProfile *q = &dataset_profile(b->dataset)->column[k];
        const DriftColumn *d = drift_of(drift, a->schema->field[i].name);
        json_t *row = json_object();
        result_text(row, "column", a->schema->field[i].name);
        result_real(row, "missing_a", share_missing(p));
        result_real(row, "missing_b", share_missing(q));
        add_numbers(row, p, q);
        result_text(row, "test", d ? d->test->name : NULL);
        result_real(row, "statistic", d ? d->statistic : (double)NAN);
        result_real(row, "threshold", d ? d->threshold : (double)NAN);
        json_object_set_new(row, "drifted", d ? json_boolean(d->drifted) : json_null());
        json_array_append_new(table, row);
    }
    return table;
}

/* The columns that can be judged; tables without such have no report, which is no error. */
static bool judge(const DiffSide *a, const DiffSide *b, const CommandCall *call, const char *dir,
                  DriftReport **out, Error *err)
{
    const char **name = mem_alloc((a->schema->count + 1) * sizeof *name);
    size_t n = 0;
    for (size_t i = 0; i < a->schema->count; i++) {
        size_t k = schema_find(b->schema, a->schema->field[i].name);
        if (k != SIZE_MAX && can_drift(a->schema, b->schema, a->dataset, b->dataset, i, k))
            name[n++] = a->schema->field[i].name;
    }
    Scratch *scratch = scratch_create(dir, 0);
    DriftOptions options = {.target = "", .test = "", .columns = name, .n = n, .scratch = scratch};
    if (n > 0)
        *out = drift_report(a->dataset, b->dataset, &options, call->pool, call->progress, err);
    scratch_destroy(scratch);
    mem_free(name);
    return n == 0 || *out;
}

/* ---- the verb ------------------------------------------------------------------------------------- */

static json_t *side_json(const DatasetRow *r)
{
    return json_pack("{s:s, s:s, s:I, s:I}", "dataset", r->name, "hash", r->hash, "rows", (json_int_t)r->rows,
                     "columns", (json_int_t)r->columns);
}

static bool compare(CommandCall *call, Store *s, DiffSide side[2], json_t *into, Error *err)
{
    const DiffSettings *set = call->settings;
    DriftReport *drift = NULL;
    json_object_set_new(into, "schema", schema_changes(side[0].schema, side[1].schema));
    DiffRows rows = {.key = set->key, .examples = (size_t)set->examples, .pool = call->pool,
                     .progress = call->progress, .dir = store_dir(s)};
    bool ok = diff_rows(&rows, &side[0], &side[1], into, err) && judge(&side[0], &side[1], call, store_dir(s), &drift, err);
    if (ok)
        json_object_set_new(into, "distributions", column_changes(&side[0], &side[1], drift));
    drift_report_destroy(drift);
    return ok;
}

static bool run(CommandCall *call, json_t **result, Error *err)
{
    Arena arena = {0};
    DatasetRow row[2];
    Schema schema[2] = {0};
    DiffSide side[2] = {0};
    Store *s = call_store(call, STORE_READ, err);
    bool ok = s != NULL;
    for (size_t i = 0; ok && i < 2; i++) {
        side[i] = (DiffSide){.dataset = workspace_dataset(s, call->word[i], &arena, &row[i], err),
                             .schema = &schema[i]};
        ok = side[i].dataset && workspace_schema(s, side[i].dataset, &schema[i], err);
    }
    json_t *o = json_object();
    if (ok) {
        json_object_set_new(o, "a", side_json(&row[0]));
        json_object_set_new(o, "b", side_json(&row[1]));
        bool same = strcmp(row[0].hash, row[1].hash) == 0;
        json_object_set_new(o, "same", json_boolean(same));
        ok = same || compare(call, s, side, o, err);
    }
    if (ok)
        *result = json_incref(o);
    json_decref(o);
    for (size_t i = 0; i < 2; i++) {
        dataset_close((Dataset *)(uintptr_t)side[i].dataset);
        schema_release(&schema[i]);
    }
    store_close(s);
    arena_release(&arena);
    return ok;
}

static const Arg args[] = {
    {.name = "A", .kind = ARG_DATASET, .about = "the dataset that was there before"},
    {.name = "B", .kind = ARG_DATASET, .about = "the one after"},
    ARG_END};
static const Param params[] = {
    PARAM_TEXT(DiffSettings, key, "key", "", "columns that name a row, A,B,...: rows of the same key are compared; without, whole rows are"),
    PARAM_INT(DiffSettings, examples, "examples", 5, 0, 1000, "rows", "rows to show of each kind of difference"),
    PARAM_END};

const Command data_diff_verb = {
    .name = "diff",
    .about = "what differs between two datasets: columns, rows and distributions",
    .details = "Rows are compared in the columns that both have, whatever their order: without a key a changed row\n"
               "is one removed and one added. Rows of the same key (or, as often as they occur, the same rows)\n"
               "go together in file order. Distributions are judged by the drift test that fits the column.",
    .example = "lathe data diff trips_jan trips_jan_clean",
    .args = args,
    .params = params,
    .params_size = sizeof(DiffSettings),
    .run = run,
};
