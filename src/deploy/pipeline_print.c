/* pipeline_print.c -- the journey that led to a run, as a file that makes it again: from the source to the last
 * hyperparameter and what was changed while it trained. What the file means is in src/command/pipeline.c. */
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

static bool print_datasets(Printing *p, const DatasetRow *last, Error *err)
{
    DatasetRow *row;
    size_t n;
    bool ok = store_dataset_line(p->store, last, p->arena, &row, &n, err) && print_source(p, &row[n - 1], err);
    for (size_t i = n; ok && i-- > 0;) {
        if (i < n - 1) {
            const char *name = add_text(p, "recipe", row[i].recipe);
            text_printf(p->into, "clean $data recipe=$%s", name);
            add_word(p->into, "as", row[i].name);
            text_putc(p->into, '\n');
        }
        ok = print_roles(p, &row[i], err);
    }
    return ok;
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

/* ---- what was asked of it while it trained --------------------------------------------------------------------------- */

typedef struct Steer {
    int64_t step;
    const char *key, *value; /* key "": stop */
} Steer;
typedef struct Steered {
    VEC(Steer) at;
} Steered;

static const SpecRow *row_of(const SpecRow *rows, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (text_equal(rows[i].row->name, key))
            return &rows[i];
    return NULL;
}

/* What a run was asked and took; what it refused did nothing. */
static bool add_commands(Printing *p, int64_t run, RunSpec *spec, Steered *to, Error *err)
{
    SpecRow rows[160];
    CommandRow *c;
    size_t n, count = run_spec_rows(spec, rows, 160);
    if (!store_commands_taken(p->store, run, -1, p->arena, &c, &n, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        const SpecRow *row = text_equal(c[i].verb, "set") ? row_of(rows, count, c[i].key) : NULL;
        Error refused = {0};
        if (text_equal(c[i].verb, "stop"))
            vec_add(&to->at, (Steer){c[i].step, "", ""});
        else if (row && row->row->live && param_set(row->row, row->settings, c[i].value, &refused))
            vec_add(&to->at, (Steer){c[i].step, c[i].key, c[i].value});
    }
    return true;
}

/* What a fork changed at its step, as something asked of the run it came from. spec: as that one was by then. */
static bool add_changes(Printing *p, const RunRow *run, RunSpec *spec, Steered *to, Error *err)
{
    RunSpec own = {0};
    SpecRow was[160], is[160];
    if (!run_spec_load(&own, p->store, run->id, p->arena, err))
        return false;
    size_t n = run_spec_rows(spec, was, 160), m = run_spec_rows(&own, is, 160);
    bool ok = true;
    for (size_t i = 0; ok && i < m; i++) {
        Text before = {0}, after = {0};
        const SpecRow *old = row_of(was, n, is[i].row->name);
        param_get(is[i].row, is[i].settings, &after);
        if (old)
            param_get(old->row, old->settings, &before);
        bool same = old && text_equal(text_str(&before), text_str(&after));
        if (!same && (!old || !is[i].row->live))
            ok = error_set(err, ERROR_USAGE,
                           "run %lld was forked from run %lld at step %lld with %s=%.60s, which "
                           "cannot change while a run trains: no file makes it to the bit; print "
                           "run %lld and fork what that makes",
                           (long long)run->id, (long long)run->parent, (long long)run->parent_step,
                           is[i].row->name, text_str(&after), (long long)run->parent);
        else if (!same && param_set(old->row, old->settings, text_str(&after), err))
            vec_add(&to->at, (Steer){run->parent_step, is[i].row->name,
                                     arena_text(p->arena, text_str(&after))});
        text_release(&before);
        text_release(&after);
    }
    run_spec_release(&own);
    return ok;
}

/* A fork is the run it came from up to its step, and then what it was asked there and later. root: where that
 * begins; spec: as `run` is at its end. */
static bool add_journey(Printing *p, const RunRow *run, int depth, RunSpec *spec, RunRow *root,
                        Steered *to, Error *err)
{
    RunRow parent;
    if (!run->parent) {
        *root = *run;
        return run_spec_load(spec, p->store, run->id, p->arena, err) &&
               add_commands(p, run->id, spec, to, err);
    }
    if (depth > 100 || !store_run_get(p->store, run->parent, p->arena, &parent, err))
        return error_in(err, "run %lld was forked from run %lld", (long long)run->id,
                        (long long)run->parent);
    size_t before = 0;
    if (!add_journey(p, &parent, depth + 1, spec, root, to, err))
        return false;
    run_spec_release(spec);
    if (!run_spec_load(spec, p->store, root->id, p->arena, err))
        return false;
    SpecRow rows[160];
    size_t n = run_spec_rows(spec, rows, 160);
    for (size_t i = 0; i < to->at.count; i++) {
        const Steer *s = &to->at.at[i];
        const SpecRow *row = row_of(rows, n, s->key);
        if (s->step > run->parent_step || !row) /* it went on where that one stopped */
            continue;
        if (!param_set(row->row, row->settings, s->value, err))
            return false;
        to->at.at[before++] = *s;
    }
    to->at.count = before;
    return add_changes(p, run, spec, to, err) && add_commands(p, run->id, spec, to, err);
}

static void print_steered(Printing *p, const Steered *list)
{
    Text text = {0};
    for (size_t i = 0; i < list->at.count; i++) {
        const Steer *s = &list->at.at[i];
        text_printf(&text, "%s%lld %s", i ? "; " : "", (long long)s->step,
                    *s->key ? "set" : "stop");
        if (*s->key)
            text_printf(&text, " %s %s", s->key, s->value);
    }
    if (text.count)
        add_word(p->into, "steer", text_str(&text));
    text_release(&text);
}

static bool print_run(Printing *p, const RunRow *run, Error *err)
{
    RunSpec spec = {0}, end = {0};
    RunRow root;
    Steered steered = {0};
    bool ok = add_journey(p, run, 0, &end, &root, &steered, err) &&
              run_spec_load(&spec, p->store, root.id, p->arena, err);
    if (ok) {
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
        print_steered(p, &steered);
        text_putc(p->into, '\n');
    }
    vec_release(&steered.at);
    run_spec_release(&spec);
    run_spec_release(&end);
    return ok;
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

bool pipeline_print(Store *s, int64_t run, Text *into, Error *err)
{
    Arena a = {0};
    RunRow row;
    ModelRow model;
    DatasetRow from;
    Error none = {0};
    Printing p = {.store = s, .arena = &a, .into = into};
    bool ok = store_run_get(s, run, &a, &row, err);
    bool made =
        ok && store_model_find(s, arena_printf(&a, "%lld", (long long)run), &a, &model, &none);
    if (ok)
        text_printf(into,
                    "# The journey of run %lld, %s: lathe pipeline FILE makes it again,\n"
                    "# lathe pipeline FILE 1=SOURCE on other data.\n",
                    (long long)run, row.name);
    if (made)
        text_printf(into, "# Its model: %s\n", model.hash);
    ok = ok && store_dataset_find(s, row.dataset, &a, &from, err) &&
         print_datasets(&p, &from, err) && print_run(&p, &row, err) &&
         (!made || (print_gate(&p, &model, err) && print_deploy(&p, &model, err)));
    arena_release(&a);
    return ok;
}
