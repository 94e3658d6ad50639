/* expect.c -- lathe expect: tests of a dataset, as the expect rules of a recipe, without making another of it. Exit
 * status 0 or 1, for any CI and as a step of a pipeline. */
#include "command_int.h"

#include <string.h>

typedef struct ExpectSettings {
    char *rules;
} ExpectSettings;

/* A line a test; the word expect in front may be left out, as it is where tests are parted by ; on one line. */
static bool read_tests(const char *rules, Text *into, Error *err)
{
    Text text = {0};
    bool file = file_exists(rules);
    bool ok = !file || file_read(rules, &text, 1 << 20, err);
    for (const char *at = file ? text_str(&text) : rules; ok && *at;) {
        size_t n = strcspn(at, file ? "\n" : "\n;"), blank = strspn(at, " \t\r");
        bool said = blank >= n || at[blank] == '#' || text_starts(at + blank, "expect ");
        text_printf(into, "%s%.*s\n", said ? "" : "expect ", (int)(n - (blank < n ? blank : 0)), at + (blank < n ? blank : 0));
        at += n + (at[n] != 0);
    }
    text_release(&text);
    return ok;
}

static bool parse(const char *rules, Recipe *r, Error *err)
{
    Text text = {0};
    bool ok = read_tests(rules, &text, err) && recipe_parse(r, text_str(&text), err);
    text_release(&text);
    return (ok && (recipe_count(r) > 0 || error_set(err, ERROR_USAGE, "there is no test in it"))) ||
           error_in(err, "%s", file_exists(rules) ? rules : "rules");
}

/* One test. *passed false: the reason is in `why`. */
static bool check(const CommandCall *call, const Dataset *d, const Schema *schema, const char *test,
                  bool *passed, json_t *row, Error *err)
{
    Recipe *r = recipe_create();
    ApplyReport *report = mem_alloc(sizeof *report);
    Error why = {0};
    Plan *plan = NULL;
    bool ok = recipe_parse(r, test, err) && (plan = plan_create(r, schema, err)) != NULL &&
              plan_fit(plan, d, NULL, call->pool, call->progress, err);
    *passed = ok && plan_measure(plan, d, call->pool, call->progress, report, &why);
    if (ok && !*passed && why.kind != ERROR_PARSE) /* not the test: reading the rows */
        ok = error_set(err, why.kind, "%s", why.text);
    if (ok) {
        const char *said = strstr(why.text, "' holds for ");
        result_text(row, "test", test + strlen("expect "));
        result_text(row, "passed", *passed ? "yes" : "NO");
        result_int(row, "rows", (int64_t)report->rows_in);
        result_int(row, "failed", (int64_t)report->effect[0].failed);
        result_text(row, "note", said ? said + 2 : "");
    }
    plan_destroy(plan);
    mem_free(report);
    recipe_destroy(r);
    return ok;
}

static bool check_all(const CommandCall *call, const Dataset *d, const Schema *schema,
                      const Recipe *r, json_t *table, size_t *failed, Error *err)
{
    for (size_t i = 0; i < recipe_count(r); i++) {
        const char *test = recipe_rule(r, i);
        bool passed = true;
        json_t *row = json_object();
        json_array_append_new(table, row);
        if (!text_starts(test, "expect "))
            return error_set(err, ERROR_USAGE,
                             "rule %zu: '%.60s' is no test; what changes rows is for lathe clean",
                             i + 1, test);
        if (!check(call, d, schema, test, &passed, row, err))
            return error_in(err, "test %zu", i + 1);
        *failed += !passed;
    }
    return true;
}

static bool run(CommandCall *call, json_t **result, Error *err)
{
    const ExpectSettings *set = call->settings;
    Arena a = {0};
    Schema schema = {0};
    DatasetRow row;
    size_t failed = 0;
    Recipe *r = recipe_create();
    json_t *table = json_array();
    Store *s = parse(set->rules, r, err) ? call_store(call, STORE_READ, err) : NULL;
    Dataset *d = s ? workspace_dataset(s, call_word(call, 0), &a, &row, err) : NULL;
    bool ok = d && workspace_schema(s, d, &schema, err) &&
              check_all(call, d, &schema, r, table, &failed, err);
    if (ok) {
        *result = json_object();
        result_text(*result, "dataset", row.name);
        result_text(*result, "hash", row.hash);
        json_object_set_new(*result, "passed", json_boolean(!failed));
        json_object_set(*result, "tests", table);
    }
    if (ok && failed)
        ok = error_set(err, ERROR_SHAPE, "expect: %zu of %zu tests of %s failed", failed,
                       recipe_count(r), row.name);
    json_decref(table);
    schema_release(&schema);
    dataset_close(d);
    store_close(s);
    recipe_destroy(r);
    arena_release(&a);
    return ok;
}

static const Arg args[] = {
    {.name = "NAME", .kind = ARG_DATASET, .about = "the dataset; it stays as it is"}, ARG_END};
static const Param params[] = {PARAM_TEXT(ExpectSettings, rules, "rules", "",
                                          "a file of expect rules, one a line (man lathe-recipe), "
                                          "or the tests themselves separated by ;",
                                          .required = true),
                               PARAM_END};

const Command expect_command = {
    .name = "expect",
    .about = "tests the rows of a dataset: exit status 0 or 1, and a table",
    .details =
        "A test is a condition with the share of the rows for which it must hold, all if that is "
        "not said:\n"
        "  PAYMENT in (\"Credit\", \"Cash\") mostly 0.99\n"
        "  FARE > 0\n"
        "Rows for which the condition is missing do not count. The word expect may stand in "
        "front, as it does in a\n"
        "recipe; any other rule is refused. Every test is made, and a test that fails makes the "
        "exit status 1.",
    .example = "lathe expect trips_jan rules=\"FAREAMOUNT is not null mostly 0.5\"",
    .args = args,
    .params = params,
    .params_size = sizeof(ExpectSettings),
    .verdict = true,
    .run = run,
};
