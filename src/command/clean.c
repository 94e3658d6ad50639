/* clean.c -- lathe clean: a recipe makes a new dataset from an old one. */
#include "command_int.h"

typedef struct CleanSettings {
    char *recipe, *as;
    int dry;
} CleanSettings;

static json_t *effects_json(const Recipe *r, const ApplyReport *report)
{
    json_t *table = json_array();
    size_t k = 0;
    for (size_t i = 0; i < recipe_count(r) && k < report->rules; i++) {
        if (!recipe_is_on(r, i))
            continue;
        const RuleEffect *e = &report->effect[k++];
        json_t *row = json_object();
        result_text(row, "rule", recipe_rule(r, i));
        result_int(row, "rows_in", (int64_t)e->rows_in);
        result_int(row, "rows_out", (int64_t)e->rows_out);
        result_int(row, "touched", (int64_t)e->touched);
        result_int(row, "failed", (int64_t)e->failed);
        json_array_append_new(table, row);
    }
    return table;
}

static bool measure(Store *s, const char *name, const Recipe *r, const CommandCall *call,
                    ApplyReport *report, Error *err)
{
    Arena arena = {0};
    Schema schema = {0};
    Plan *plan = NULL;
    Dataset *d = workspace_dataset(s, name, &arena, NULL, err);
    bool ok = d && workspace_schema(s, d, &schema, err) &&
              (plan = plan_create(r, &schema, err)) != NULL &&
              plan_fit(plan, d, NULL, call->pool, call->progress, err) &&
              plan_measure(plan, d, call->pool, call->progress, report, err);
    plan_destroy(plan);
    schema_release(&schema);
    dataset_close(d);
    arena_release(&arena);
    return ok;
}

static bool run(CommandCall *call, json_t **result, Error *err)
{
    const CleanSettings *set = call->settings;
    Arena arena = {0};
    const char *name = call_word(call, 0);
    DatasetRow row;
    ApplyReport *report = arena_alloc(&arena, sizeof *report);
    Recipe *r = recipe_create();
    Store *s = call_store(call, set->dry ? STORE_READ : STORE_WRITE, err);
    bool ok = s && recipe_read(r, set->recipe, err) && store_dataset_find(s, name, &arena, &row, err);
    const char *as = ok && !*set->as ? arena_printf(&arena, "%s_clean", row.name) : set->as;
    Error why = {0};
    if (ok && !(set->dry ? measure(s, name, r, call, report, &why)
                         : workspace_clean(s, name, r, as, call->pool, call->progress, report, &why))) {
        if (text_starts(why.text, "line "))
            error_in(&why, "%s", set->recipe); /* the rule's place is a place in this file */
        ok = error_set(err, why.kind, "%s", why.text);
    }
    if (ok) {
        *result = json_object();
        if (!set->dry) {
            result_text(*result, "dataset", as);
            result_text(*result, "hash", report->hash);
        }
        result_text(*result, "parent", row.name);
        result_int(*result, "rows_in", (int64_t)report->rows_in);
        result_int(*result, "rows_out", (int64_t)report->rows_out);
        json_object_set_new(*result, "rules", effects_json(r, report));
    }
    store_close(s);
    recipe_destroy(r);
    arena_release(&arena);
    return ok;
}

static const Arg args[] = {
    {.name = "NAME", .kind = ARG_DATASET, .about = "the dataset to clean; it stays as it is"}, ARG_END};
static const Param params[] = {
    PARAM_TEXT(CleanSettings, recipe, "recipe", "", "the recipe file, one rule a line (man lathe-recipe)", .required = true),
    PARAM_TEXT(CleanSettings, as, "as", "", "name of the new dataset; NAME_clean when not given"),
    PARAM_BOOL(CleanSettings, dry, "dry", 0, "only count what each rule would do"),
    PARAM_END};

const Command clean_command = {
    .name = "clean",
    .about = "applies a recipe to a dataset and keeps the result as a new one",
    .example = "lathe clean trips_jan recipe=sample-data/taxi.recipe as=trips_clean",
    .args = args,
    .params = params,
    .params_size = sizeof(CleanSettings),
    .run = run,
};
