/* models.c -- lathe models: versions of models, and the aliases that go from one to another. */
#include "command_int.h"

#include <math.h>

static void add_metrics(Store *s, const ModelRow *m, json_t *into)
{
    Arena a = {0};
    MetricPoint *p;
    size_t n = 0;
    Error ignored = {0};
    if (store_metrics_last(s, m->run, &a, &p, &n, &ignored))
        for (size_t i = 0; i < n; i++) {
            bool test = text_starts(p[i].key, "test_");
            const Metric *metric = test ? metric_find(p[i].key + 5) : NULL;
            if (metric &&
                (metric == metric_main(TASK_REGRESSION) || metric == metric_main(TASK_BINARY)))
                result_real(into, p[i].key, p[i].value);
        }
    arena_release(&a);
}

static json_t *result_model(Store *s, const ModelRow *m)
{
    Arena a = {0};
    RunRow run;
    Error ignored = {0};
    json_t *o = json_object();
    result_text(o, "model", arena_printf(&a, "%s/%lld", m->name, (long long)m->version));
    result_text(o, "alias", m->alias);
    result_int(o, "run", m->run);
    if (store_run_get(s, m->run, &a, &run, &ignored)) {
        result_text(o, "family", run.family);
        result_text(o, "target", run.target);
        result_text(o, "dataset", run.dataset_name);
    }
    result_time(o, "created", m->created);
    add_metrics(s, m, o);
    result_text(o, "hash", arena_printf(&a, "%.12s", m->hash));
    arena_release(&a);
    return o;
}

static bool run_list(CommandCall *call, json_t **result, Error *err)
{
    Arena a = {0};
    ModelRow *rows;
    size_t n;
    Store *s = call_store(call, STORE_READ, err);
    bool ok = s && store_models(s, &a, &rows, &n, err);
    if (ok)
        *result = json_array();
    for (size_t i = 0; ok && i < n; i++)
        json_array_append_new(*result, result_model(s, &rows[i]));
    store_close(s);
    arena_release(&a);
    return ok;
}

/* The line that takes `change` back: the version that had the alias has it again, or none. "": nothing changes. */
static bool way_back(Store *s, const ModelRow *m, const char *alias, bool on, Text *line, Error *err)
{
    Arena a = {0};
    ModelRow *rows;
    size_t n = 0, had = SIZE_MAX;
    bool ok = store_models(s, &a, &rows, &n, err);
    for (size_t i = 0; ok && i < n; i++)
        if (text_equal(rows[i].name, m->name) && text_has_word(rows[i].alias, alias))
            had = i;
    bool mine = ok && had != SIZE_MAX && rows[had].id == m->id;
    if (ok && mine != on) {
        const ModelRow *to = on && had != SIZE_MAX ? &rows[had] : m;
        text_puts(line, on && had == SIZE_MAX ? "models unalias" : "models alias");
        command_add_word(line, arena_printf(&a, "%s/%lld", to->name, (long long)to->version));
        command_add_word(line, alias);
    }
    arena_release(&a);
    return ok;
}

static bool change(CommandCall *call, bool on, json_t **result, Error *err)
{
    Arena a = {0};
    ModelRow m;
    const char *alias = call->word[1];
    Text undo = {0};
    Store *s = call_store(call, STORE_WRITE, err);
    bool ok = s && store_begin(s, err);
    if (ok) {
        ok = store_model_find(s, call->word[0], &a, &m, err) && way_back(s, &m, alias, on, &undo, err) &&
             store_model_alias(s, m.id, alias, on, err) &&
             store_audit_add(s, call_actor(), on ? "alias" : "unalias",
                             arena_printf(&a, "model %s/%lld", m.name, (long long)m.version), alias,
                             err) &&
             store_model_get(s, m.id, &a, &m, err);
        if (ok)
            ok = store_commit(s, err);
        else
            store_rollback(s);
    }
    if (ok)
        *result = result_model(s, &m);
    if (ok && undo.count)
        result_text(*result, "undo", text_str(&undo));
    text_release(&undo);
    store_close(s);
    arena_release(&a);
    return ok;
}

static bool run_alias(CommandCall *call, json_t **result, Error *err)
{
    return change(call, true, result, err);
}

static bool run_unalias(CommandCall *call, json_t **result, Error *err)
{
    return change(call, false, result, err);
}

static const Arg alias_args[] = {
    {.name = "MODEL",
     .kind = ARG_WORD,
     .about = "NAME (its newest), NAME/VERSION, NAME@ALIAS, or a run"},
    {.name = "ALIAS", .kind = ARG_WORD, .about = "champion, challenger or any word"},
    ARG_END};
static const Command list_verb = {
    .name = "list",
    .about = "all models, newest first: version, aliases, run, test metric",
    .run = run_list};
static const Command alias_verb = {
    .name = "alias",
    .about = "gives a version an alias; the version of the same name that had it loses it",
    .args = alias_args,
    .example = "lathe models alias taxi/3 champion",
    .run = run_alias};
static const Command unalias_verb = {
    .name = "unalias", .about = "takes an alias away", .args = alias_args, .run = run_unalias};
static const Command *const verbs[] = {&list_verb, &alias_verb, &unalias_verb, NULL};

const Command models_command = {
    .name = "models",
    .about = "lists model versions, and moves their aliases",
    .details = "Each finished run is the next version of the model with the run's name: train with "
               "name=taxi\n"
               "and taxi/1, taxi/2, ... are its versions. Wherever a model is asked for, taxi is "
               "the newest,\n"
               "taxi/2 a version, taxi@champion the one with the alias; a run's number or name "
               "does as well.",
    .example = "lathe models",
    .verbs = verbs,
};
