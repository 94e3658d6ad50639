/* pipeline_print.c -- the journey that led to a run, as a file that makes it again: from the source to the last
 * hyperparameter. What the file means is in src/command/pipeline.c. */
#include "deploy_int.h"

#include <string.h>

typedef struct Printing {
    Store *store;
    Arena *arena;
    Text *into;
    size_t texts;
} Printing;

/* One word of a command line, quoted as its reader takes quotes. */
static void add_word(Text *into, const char *key, const char *value)
{
    bool plain = *value && !strpbrk(value, " \t'\"\\$#\n");
    text_printf(into, " %s%s", key ? key : "", key ? "=" : "");
    if (plain) {
        text_puts(into, value);
        return;
    }
    text_putc(into, '"');
    for (const char *p = value; *p; p++) {
        if (strchr("\"\\$", *p))
            text_putc(into, '\\');
        text_putc(into, *p);
    }
    text_putc(into, '"');
}

/* A recipe stands in the file as a text of its own; returns its name. */
static const char *add_text(Printing *p, const char *what, const char *text)
{
    const char *name = arena_printf(p->arena, "%s%zu", what, ++p->texts);
    text_printf(p->into, "text %s\n", name);
    for (const char *at = text; *at;) {
        size_t n = strcspn(at, "\n");
        text_printf(p->into, "    %.*s\n", (int)n, at);
        at += n + (at[n] != 0);
    }
    return name;
}

/* ---- tables -------------------------------------------------------------------------------------------------------- */

static void print_options(Printing *p, const DatasetRow *row)
{
    json_t *sniffed = json_loads(row->sniffed, 0, NULL), *v;
    const char *key;
    json_object_foreach(json_object_get(sniffed, "options"), key, v)
    {
        if (json_is_string(v))
            add_word(p->into, key, json_string_value(v));
    }
    json_decref(sniffed);
}

static void print_role(Printing *p, const char *column, const char *role)
{
    text_puts(p->into, "data role $data");
    add_word(p->into, NULL, column);
    text_printf(p->into, " %s\n", role);
}

static bool print_roles(Printing *p, const DatasetRow *row, Error *err)
{
    ColumnRow *c;
    size_t n;
    if (!store_dataset_columns(p->store, row->hash, p->arena, &c, &n, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!text_equal(c[i].role, role_name(ROLE_FEATURE)))
            print_role(p, c[i].name, c[i].role);
        if (c[i].private)
            print_role(p, c[i].name, "private");
    }
    return true;
}

static bool print_source(Printing *p, const DatasetRow *row, Error *err)
{
    if (text_starts(row->source, "sql: ")) {
        if (strlen(row->source) >= 4000)
            return error_set(err, ERROR_USAGE,
                             "dataset %s: its statement was too long to be kept whole", row->name);
        text_puts(p->into, "sql");
        add_word(p->into, NULL, row->source + 5);
        add_word(p->into, "as", row->name);
    } else if (!*row->source || text_equal(row->source, "-") || text_equal(row->source, "made")) {
        return error_set(err, ERROR_USAGE,
                         "dataset %s came from nowhere that can be read again (%s)", row->name,
                         *row->source ? row->source : "no source");
    } else {
        text_printf(p->into, "let 1 = %s\ningest $1", row->source);
        add_word(p->into, "as", row->name);
        print_options(p, row);
    }
    text_putc(p->into, '\n');
    return true;
}

static bool print_dataset(Printing *p, const char *hash, int depth, Error *err)
{
    DatasetRow row;
    if (depth > 100 || !store_dataset_find(p->store, hash, p->arena, &row, err))
        return depth <= 100
                   ? false
                   : error_set(err, ERROR_PARSE, "dataset %s: its parents go in a circle", hash);
    if (!*row.parent)
        return print_source(p, &row, err) && print_roles(p, &row, err);
    if (!print_dataset(p, row.parent, depth + 1, err))
        return false;
    const char *name = add_text(p, "recipe", row.recipe);
    text_printf(p->into, "clean $data recipe=$%s", name);
    add_word(p->into, "as", row.name);
    text_putc(p->into, '\n');
    return print_roles(p, &row, err);
}

/* ---- the run ---------------------------------------------------------------------------------------------------------- */

static void print_params(Printing *p, RunSpec *spec)
{
    SpecRow rows[160];
    size_t n = run_spec_rows(spec, rows, 160);
    for (size_t i = 0; i < n; i++) {
        Text value = {0}, usual = {0};
        param_get(rows[i].row, rows[i].settings, &value);
        param_default(rows[i].row, &usual);
        if (value.count || usual.count)
            add_word(p->into, rows[i].row->name, text_str(&value));
        text_release(&value);
        text_release(&usual);
    }
}

static bool print_run(Printing *p, const RunRow *run, Error *err)
{
    RunSpec spec = {0};
    if (!run_spec_load(&spec, p->store, run->id, p->arena, err))
        return false;
    const char *recipe = *run->recipe ? add_text(p, "recipe", run->recipe) : NULL;
    text_printf(p->into, "train %s data=$data", run->family);
    add_word(p->into, "target", run->target);
    if (recipe)
        text_printf(p->into, " recipe=$%s", recipe);
    if (*run->features)
        add_word(p->into, "features", run->features);
    add_word(p->into, "split", run->split);
    text_printf(p->into, " seed=%lld", (long long)run->seed);
    add_word(p->into, "name", run->name);
    add_word(p->into, "experiment", run->experiment);
    print_params(p, &spec);
    text_putc(p->into, '\n');
    run_spec_release(&spec);
    return true;
}

/* The rules of the newest gate that it went through, but for those of traffic, and where it answers: as comments,
 * for a replay makes the same model again, which is not better than itself, and production is for its user to say. */
static bool print_gate(Printing *p, const ModelRow *model, Error *err)
{
    GateCheckRow *c;
    size_t n;
    Text rules = {0};
    int64_t gate = 0;
    if (!store_gate_checks(p->store, NULL, 10000, p->arena, &c, &n, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (c[i].model != model->id || (gate && c[i].gate != gate) ||
            text_equal(c[i].note, "traffic"))
            continue;
        gate = c[i].gate;
        text_printf(&rules, "%s%s", rules.count ? "; " : "", c[i].rule);
    }
    if (rules.count)
        text_printf(p->into, "# gate $run rules=\"%s\" against=%s@champion first=yes\n",
                    text_str(&rules), model->name);
    text_release(&rules);
    return true;
}

static bool print_deploy(Printing *p, const ModelRow *model, Error *err)
{
    DeploymentRow *d;
    size_t n;
    if (!store_deployments(p->store, p->arena, &d, &n, err))
        return false;
    for (size_t i = 0; i < n; i++)
        if (d[i].model == model->id || d[i].candidate == model->id)
            text_printf(p->into, "# deploy %s canary model=$run\n", d[i].name);
    return true;
}

static bool steered(Printing *p, const RunRow *run, Error *err)
{
    CommandRow *c;
    size_t n, sets = 0;
    if (!store_commands_taken(p->store, run->id, -1, p->arena, &c, &n, err))
        return false;
    for (size_t i = 0; i < n; i++)
        sets += text_equal(c[i].verb, "set") || text_equal(c[i].verb, "stop");
    if (sets)
        text_printf(
            p->into,
            "# It was steered while it trained (%zu times): this file trains without that.\n",
            sets);
    return true;
}

bool pipeline_print(Store *s, int64_t run, Text *into, Error *err)
{
    Arena a = {0};
    RunRow row;
    ModelRow model;
    Error none = {0};
    Printing p = {.store = s, .arena = &a, .into = into};
    bool ok = store_run_get(s, run, &a, &row, err);
    if (ok && row.parent)
        ok = error_set(err, ERROR_USAGE,
                       "run %lld was forked from run %lld at step %lld: print that one's journey",
                       (long long)run, (long long)row.parent, (long long)row.parent_step);
    bool made =
        ok && store_model_find(s, arena_printf(&a, "%lld", (long long)run), &a, &model, &none);
    if (ok)
        text_printf(into,
                    "# The journey of run %lld, %s: lathe pipeline FILE makes it again,\n"
                    "# lathe pipeline FILE 1=SOURCE on other data.\n",
                    (long long)run, row.name);
    if (made)
        text_printf(into, "# Its model: %s\n", model.hash);
    ok = ok && steered(&p, &row, err) && print_dataset(&p, row.dataset, 0, err) &&
         print_run(&p, &row, err) &&
         (!made || (print_gate(&p, &model, err) && print_deploy(&p, &model, err)));
    arena_release(&a);
    return ok;
}
