/* pipeline.c -- lathe pipeline: a whole journey as a file of command lines, made again on new data.
 *
 *     # comment
 *     let 1 = sample-data/taxi.csv          $1, unless the caller says 1=OTHER
 *     text recipe1                          the indented lines that follow, as a file: $recipe1
 *         drop missing FARE
 *     ingest $1 as=trips                    any line of the shell, without "lathe"
 *     clean $data recipe=$recipe1 as=clean  $data: the dataset of the step before
 *     train mlp data=$data target=FARE      $run: the run that was trained last
 *     expect $data rules="FARE > 0"         fails, or not, like a gate
 *     evaluate $run data=$data              says its metrics
 *     gate $run rules="rmse <= 3"           fails: the journey ends there, with its exit status
 *     deploy fares canary model=$run
 *
 * A step's key is a SHA-256 over the program's version, its line with all names filled in, and what it reads:
 * datasets by hash with their roles, models by hash, files by content. A clean, expect, train, evaluate or gate
 * whose key was done before is skipped and its result taken, if that is still there. Ingest asks its source whether it changed.
 *
 * Each step is written down when it begins and when it ends. A training is a process of its own whose number is
 * written down, so it lives on when the journey is killed; the journey that is begun again waits for it, or resumes
 * it from its last checkpoint. */
#include "pipeline_int.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- what a step reads -------------------------------------------------------------------------------------------- */

static void add_key(Runner *r, const char *what, const char *value)
{
    sha256_add(r->hash, what, strlen(what) + 1);
    sha256_add(r->hash, value, strlen(value) + 1);
}

static bool add_dataset(Runner *r, const char *word)
{
    DatasetRow row;
    ColumnRow *c;
    size_t n;
    Error none = {0};
    if (!store_dataset_find(r->store, word, &r->arena, &row, &none))
        return false;
    add_key(r, "dataset", row.hash);
    if (store_dataset_columns(r->store, row.hash, &r->arena, &c, &n, &none))
        for (size_t i = 0; i < n; i++)
            add_key(r, "role",
                    c[i].private ? arena_printf(&r->arena, "%s private", c[i].role) : c[i].role);
    return true;
}

static bool add_model(Runner *r, const char *word)
{
    ModelRow m;
    Error none = {0};
    if (!store_model_find(r->store, word, &r->arena, &m, &none))
        return false;
    add_key(r, "model", arena_printf(&r->arena, "%lld %s", (long long)m.id, m.hash));
    return true;
}

static bool add_file(Runner *r, const char *word)
{
    FileMap m;
    uint8_t digest[32];
    char hex[65];
    Error none = {0};
    if (!file_exists(word) || !filemap_open(&m, word, &none))
        return false;
    sha256_bytes(m.at, m.size, digest);
    filemap_close(&m);
    sha256_hex(digest, hex);
    add_key(r, "file", hex);
    return true;
}

static bool names_content(const char *key, size_t n)
{
    static const char *const keys[] = {"data", "recipe", "rules", "against", "from"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strlen(keys[i]) == n && strncmp(keys[i], key, n) == 0)
            return true;
    return false;
}

/* A word may name anything that has a content: that counts, the name alone does not say it. The path of one of
 * our own texts is no part of the key, its content is. */
static void add_word(Runner *r, const char *word, bool models)
{
    const char *eq = strchr(word, '='), *value = eq ? eq + 1 : word;
    bool own = strstr(value, "/pipelines/") && text_ends(value, ".txt");
    add_key(r, "word",
            own ? arena_printf(&r->arena, "%.*s", (int)(eq ? eq - word : 0), word) : word);
    if (!*value || strlen(value) > 1000 || (eq && !names_content(word, (size_t)(eq - word))))
        return;
    if (models && add_model(r, value))
        return;
    if (!add_file(r, value))
        add_dataset(r, value);
}

/* Verbs whose outcome depends on nothing but their line and what it names: done once, they are skipped. */
static bool is_kept(const char *verb)
{
    static const char *const kept[] = {"clean", "expect", "train", "evaluate", "gate"};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (text_equal(verb, kept[i]))
            return true;
    return false;
}

static void make_key(Runner *r, const LineWords *w, char hex[65])
{
    uint8_t digest[32];
    bool models = text_equal(w->at[0], "gate") || text_equal(w->at[0], "evaluate"),
         reads = models || is_kept(w->at[0]);
    r->hash = sha256_create();
    add_key(r, "lathe", LATHE_VERSION);
    for (size_t i = 0; i < w->count; i++)
        if (reads && i > 0)
            add_word(r, w->at[i], models);
        else
            add_key(r, "word", w->at[i]);
    sha256_finish(r->hash, digest);
    r->hash = NULL;
    sha256_hex(digest, hex);
}

/* ---- what a step left ------------------------------------------------------------------------------------------------ */

static const char *text_at(const json_t *o, const char *key)
{
    const char *t = json_string_value(json_object_get(o, key));
    return t ? t : "";
}

/* A dataset that is still there, under the name that it was given. */
static bool dataset_there(Runner *r, const json_t *result)
{
    DatasetRow row;
    Error none = {0};
    return store_dataset_find(r->store, text_at(result, "dataset"), &r->arena, &row, &none) &&
           text_equal(row.hash, text_at(result, "hash")) &&
           file_exists(store_path(r->store, &r->arena, "datasets/%s.arrow", row.hash));
}

static bool run_there(Runner *r, int64_t run)
{
    RunRow row;
    const char *path;
    Error none = {0};
    return store_run_get(r->store, run, &r->arena, &row, &none) && row.status == RUN_FINISHED &&
           run_bundle_path(r->store, run, &r->arena, &path, &none);
}

static bool still_there(Runner *r, const char *verb, const json_t *result)
{
    if (text_equal(verb, "clean"))
        return dataset_there(r, result);
    if (text_equal(verb, "train"))
        return run_there(r, json_integer_value(json_object_get(result, "run")));
    return true; /* expect, evaluate, gate: nothing but what they said */
}

static void take_result(Runner *r, const char *verb, const json_t *result)
{
    bool table = text_equal(verb, "clean") || text_equal(verb, "ingest");
    if (table && *text_at(result, "hash"))
        vars_set(&r->file, "data", text_at(result, "hash"));
    if (text_equal(verb, "train"))
        vars_set(&r->file, "run",
                 arena_printf(&r->arena, "%lld",
                              (long long)json_integer_value(json_object_get(result, "run"))));
}

/* ---- training -------------------------------------------------------------------------------------------------------- */

static bool note(Runner *r, const char *status, const json_t *result, Error *err)
{
    char *text = result ? json_dumps(result, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    PipelineStepRow row = {.pipeline = r->pipeline,
                           .position = (int64_t)r->at,
                           .step = r->line,
                           .key = r->key,
                           .started = r->started,
                           .status = status,
                           .result = text ? text : "{}"};
    bool ok = store_pipeline_step(r->store, &row, err);
    free(text);
    return ok;
}

static bool note_run(Runner *r, int64_t run, Error *err)
{
    json_t *o = json_pack("{s:I}", "run", (json_int_t)run);
    bool ok = note(r, "run", o, err);
    json_decref(o);
    return ok;
}

/* resumed: it was KILLED a moment ago, and is until its new process has taken it. */
static bool wait_for(Runner *r, int64_t run, bool resumed, Error *err)
{
    RunRow row = {0};
    double until = resumed ? clock_now() + 20.0 : 0.0;
    for (;;) {
        run_reap(r->store, NULL);
        arena_reset(&r->waiting);
        if (!store_run_get(r->store, run, &r->waiting, &row, err))
            return false;
        bool goes =
            row.status == RUN_SCHEDULED || row.status == RUN_RUNNING || row.status == RUN_PAUSED;
        if (goes)
            until = 0.0;
        if (!goes && (row.status != RUN_KILLED || clock_now() > until))
            break;
        if (progress_stopped(r->call->progress))
            return error_set(
                err, ERROR_STOP,
                "stopped on request; run %lld trains on, the same pipeline waits for it",
                (long long)run);
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    return row.status == RUN_FINISHED ||
           error_set(err, ERROR_STOP, "run %lld is %s%s%s", (long long)run,
                     run_status_name(row.status), *row.message ? ": " : "", row.message);
}

static bool call_words(Runner *r, size_t n, const char *const *word, json_t **result, Error *err)
{
    const Command *c;
    CommandCall inner = {.workspace = r->call->workspace,
                         .program = r->call->program,
                         .pool = r->call->pool,
                         .progress = r->call->progress,
                         .screen = r->call->screen};
    return command_run(&inner, n, word, &c, result, err);
}

static const char *setting_of(const LineWords *w, const char *key)
{
    size_t n = strlen(key);
    for (size_t i = 1; i < w->count; i++)
        if (strncmp(w->at[i], key, n) == 0 && w->at[i][n] == '=')
            return w->at[i] + n + 1;
    return NULL;
}

/* A journey killed between handing a training in and writing its number down: it is the run behind `after` that is
 * what the line asks for. */
static int64_t handed_in(Runner *r, const LineWords *w, int64_t after)
{
    RunRow *runs;
    DatasetRow d;
    size_t n;
    Error none = {0};
    int64_t seed, found = 0;
    const char *data = setting_of(w, "data"), *name = setting_of(w, "name"),
               *said = setting_of(w, "seed");
    if (!data || w->count < 2 || !store_dataset_find(r->store, data, &r->arena, &d, &none) ||
        !store_runs(r->store, &r->arena, &runs, &n, &none))
        return 0;
    bool seeded = said && text_to_int(said, strlen(said), &seed);
    for (size_t i = 0; i < n && runs[i].id > after; i++)
        if (text_equal(runs[i].family, w->at[1]) && text_equal(runs[i].dataset, d.hash) &&
            (!name || text_equal(runs[i].name, name)) && (!seeded || runs[i].seed == seed))
            found = runs[i].id;
    return found;
}

/* The training that an earlier journey began under this key: 0 if there is none that can go on. */
static int64_t begun_before(Runner *r, const LineWords *w)
{
    PipelineStepRow row;
    RunRow now;
    bool found;
    Error none = {0};
    if (!store_pipeline_find(r->store, r->key, "run", &r->arena, &row, &found, &none) || !found)
        return 0;
    json_t *o = json_loads(row.result, 0, NULL), *after = json_object_get(o, "after");
    int64_t run = json_integer_value(json_object_get(o, "run"));
    if (!run && after)
        run = handed_in(r, w, json_integer_value(after));
    bool goes =
        run && store_run_get(r->store, run, &r->arena, &now, &none) && now.status != RUN_FAILED;
    json_decref(o);
    return goes ? run : 0;
}

static json_t *before_training(Runner *r, int64_t begun)
{
    RunRow *runs;
    size_t n = 0;
    Error none = {0};
    if (begun)
        return json_pack("{s:I}", "run", (json_int_t)begun);
    bool ok = store_runs(r->store, &r->arena, &runs, &n, &none);
    return json_pack("{s:I}", "after", (json_int_t)(ok && n ? runs[0].id : 0));
}

static bool go_on(Runner *r, int64_t run, Error *err)
{
    RunRow row;
    run_reap(r->store, NULL);
    if (!note_run(r, run, err) || !store_run_get(r->store, run, &r->arena, &row, err))
        return false;
    bool dead = row.status == RUN_KILLED || (row.status == RUN_SCHEDULED && !store_run_alive(&row));
    bool ok = (!dead || run_spawn(r->call->program, r->call->workspace, run, err)) &&
              wait_for(r, run, dead, err);
    bool died = !ok && !dead && store_run_get(r->store, run, &r->arena, &row, err) &&
                row.status == RUN_KILLED;
    return died ? run_spawn(r->call->program, r->call->workspace, run, err) &&
                      wait_for(r, run, true, err)
                : ok;
}

static bool begin_training(Runner *r, const LineWords *w, int64_t *run, Error *err)
{
    const char **word = ARENA_NEW(&r->arena, const char *, w->count + 1);
    json_t *result = NULL;
    memcpy(word, w->at, w->count * sizeof *word);
    word[w->count] = "detach=yes";
    bool ok = call_words(r, w->count + 1, word, &result, err);
    *run = ok ? json_integer_value(json_object_get(result, "run")) : 0;
    json_decref(result);
    return ok && note_run(r, *run, err) && wait_for(r, *run, false, err);
}

static bool train(Runner *r, const LineWords *w, int64_t run, json_t **result, Error *err)
{
    ModelRow m;
    bool ok = run ? go_on(r, run, err) : begin_training(r, w, &run, err);
    if (ok && store_model_find(r->store, arena_printf(&r->arena, "%lld", (long long)run), &r->arena,
                               &m, err))
        *result = json_pack("{s:I, s:s, s:I, s:s}", "run", (json_int_t)run, "model", m.name,
                            "version", (json_int_t)m.version, "hash", m.hash);
    return ok && *result;
}

/* ---- one step ------------------------------------------------------------------------------------------------------------ */

/* A model that answers there, or is on its way, has been deployed. */
static bool deployed(Runner *r, const LineWords *w)
{
    DeploymentRow d;
    ModelRow m;
    Error none = {0};
    const char *model = NULL;
    for (size_t i = 1; i < w->count; i++)
        if (text_starts(w->at[i], "model="))
            model = w->at[i] + 6;
    if (!model || w->count < 2 ||
        !store_deployment_find(r->store, w->at[1], &r->arena, &d, &none) ||
        !store_model_find(r->store, model, &r->arena, &m, &none))
        return false;
    return d.model == m.id ||
           (d.candidate == m.id && !text_equal(d.state, "live") && !text_equal(d.state, "stopped"));
}

static bool skips(Runner *r, const char *verb, const LineWords *w, json_t **result)
{
    PipelineStepRow row;
    bool found;
    Error none = {0};
    if (text_equal(verb, "deploy"))
        return deployed(r, w) && (*result = json_object());
    if (!is_kept(verb))
        return false;
    if (!store_pipeline_find(r->store, r->key, "done", &r->arena, &row, &found, &none) || !found)
        return false;
    *result = json_loads(row.result, 0, NULL);
    if (*result && still_there(r, verb, *result))
        return true;
    json_decref(*result);
    *result = NULL;
    return false;
}

static void tell(Runner *r, const char *status, const char *more)
{
    json_t *o = json_object();
    result_int(o, "step", (int64_t)r->at + 1);
    result_text(o, "status", status);
    result_text(o, "line", r->line);
    result_text(o, "said", more);
    json_array_append_new(r->told, o);
    size_t n = utf8_fit(r->line, strlen(r->line), 70); /* a training says much */
    call_say(r->call, "step %zu  %-4s  %.*s%s%s%s", r->at + 1, status, (int)n, r->line,
             r->line[n] ? "..." : "", *more ? "  -- " : "", more);
}

/* The first two metrics stand for all. */
static const char *metrics_brief(Runner *r, const json_t *result)
{
    const json_t *table = json_object_get(result, "metrics");
    const char *said = "";
    for (size_t i = 0; i < 2 && i < json_array_size(table); i++) {
        const json_t *m = json_array_get(table, i);
        said = arena_printf(&r->arena, "%s%s%s %.6g", said, i ? ", " : "", text_at(m, "metric"),
                            json_number_value(json_object_get(m, "value")));
    }
    return said;
}

static const char *brief(Runner *r, const char *verb, const json_t *result)
{
    if (text_equal(verb, "train"))
        return arena_printf(&r->arena, "run %lld, model %.12s",
                            (long long)json_integer_value(json_object_get(result, "run")),
                            text_at(result, "hash"));
    if (text_equal(verb, "expect"))
        return arena_printf(&r->arena, "%zu tests passed",
                            json_array_size(json_object_get(result, "tests")));
    if (text_equal(verb, "evaluate"))
        return metrics_brief(r, result);
    if (*text_at(result, "hash"))
        return arena_printf(&r->arena, "%s %.12s", text_at(result, "dataset"),
                            text_at(result, "hash"));
    return text_at(result, "state");
}

/* A sql step says no hash: its dataset is found by its name. */
static void take_table(Runner *r, const LineWords *w)
{
    DatasetRow row;
    Error none = {0};
    for (size_t i = 1; i < w->count; i++)
        if (text_starts(w->at[i], "as=") &&
            store_dataset_find(r->store, w->at[i] + 3, &r->arena, &row, &none))
            vars_set(&r->file, "data", row.hash);
}

static bool do_step(Runner *r, LineWords *w, Error *err)
{
    const char *verb = w->at[0];
    json_t *result = NULL;
    char hex[65];
    make_key(r, w, hex);
    r->key = hex;
    r->started = time_now();
    bool skip = skips(r, verb, w, &result), ok = true;
    if (!skip) {
        bool trains = text_equal(verb, "train") && r->call->program;
        int64_t before = trains ? begun_before(r, w) : 0;
        json_t *begun = trains ? before_training(r, before) : NULL;
        ok = note(r, "run", begun, err);
        json_decref(begun);
        if (ok)
            ok = trains ? train(r, w, before, &result, err)
                        : call_words(r, w->count, w->at, &result, err);
        skip = ok && json_is_true(json_object_get(result, "unchanged"));
    }
    if (ok && result) {
        take_result(r, verb, result);
        if (text_equal(verb, "sql"))
            take_table(r, w);
    }
    /* a training that was stopped, not failed, is gone on with next time: its step stays begun */
    bool stays = !ok && err->kind == ERROR_STOP && text_equal(verb, "train");
    if (!stays)
        ok = note(r, ok ? (skip ? "skip" : "done") : "fail", result, ok ? err : &(Error){0}) && ok;
    tell(r, ok ? (skip ? "skip" : "done") : "fail",
         ok ? (skip ? "unchanged" : brief(r, verb, result)) : err->text);
    json_decref(result);
    return ok || error_in(err, "step %zu, line %d", r->at + 1, r->file.step.at[r->at].line);
}

/* ---- all of it --------------------------------------------------------------------------------------------------------------- */

static bool run_steps(Runner *r, Error *err)
{
    bool ok = true;
    for (r->at = 0; ok && r->at < r->file.step.count; r->at++) {
        LineWords w = {0};
        r->line = r->file.step.at[r->at].text;
        ok = file_words(&r->file, r->line, &r->arena, &w, err) ||
             error_in(err, "line %d", r->file.step.at[r->at].line);
        ok = ok && (w.count > 0) && do_step(r, &w, err);
        if (ok && progress_stopped(r->call->progress))
            ok = error_set(err, ERROR_STOP,
                           "stopped on request; the same pipeline goes on from here");
    }
    return ok;
}

static bool run_file(CommandCall *call, const char *path, json_t **result, Error *err)
{
    Runner r = {.call = call, .told = json_array()};
    uint8_t digest[32];
    char hex[65];
    Text text = {0};
    r.store = call_store(call, STORE_WRITE, err);
    bool ok = r.store && file_read(path, &text, 1 << 22, err);
    if (ok) {
        sha256_bytes(text_str(&text), text.count, digest);
        sha256_hex(digest, hex);
        ok = file_parse(&r.file, text_str(&text), call, r.store, &r.arena, err) ||
             error_in(err, "%s", path);
    }
    ok = ok && (r.pipeline = store_pipeline_add(r.store, path, hex, text_str(&text), err)) != 0;
    if (ok) {
        ok = run_steps(&r, err);
        ok =
            store_pipeline_end(r.store, r.pipeline, ok ? "done" : "fail", ok ? err : &(Error){0}) &&
            ok;
        *result = json_pack("{s:I, s:b, s:O}", "pipeline", (json_int_t)r.pipeline, "done", ok,
                            "steps", r.told);
    }
    json_decref(r.told);
    file_release(&r.file);
    text_release(&text);
    arena_release(&r.waiting);
    arena_release(&r.arena);
    store_close(r.store);
    return ok;
}

static bool print_journey(CommandCall *call, const char *name, json_t **result, Error *err)
{
    Arena a = {0};
    RunRow run;
    Text text = {0};
    Store *s = call_store(call, STORE_READ, err);
    bool ok = s &&
              (store_run_find(s, name, &a, &run, err) || error_in(err, "%s is no file", name)) &&
              pipeline_print(s, run.id, &text, err);
    if (ok) {
        *result = json_object();
        result_text(*result, "file", text_str(&text));
    }
    text_release(&text);
    store_close(s);
    arena_release(&a);
    return ok;
}

static bool run(CommandCall *call, json_t **result, Error *err)
{
    const char *name = call->word[0];
    return file_exists(name) ? run_file(call, name, result, err)
                             : print_journey(call, name, result, err);
}

static void print(const json_t *result, size_t width, Text *into)
{
    const json_t *file = json_object_get(result, "file");
    if (file)
        text_puts(into, json_string_value(file)); /* the steps were told while they were made */
    else
        text_printf(into, "pipeline %lld %s\n",
                    (long long)json_integer_value(json_object_get(result, "pipeline")),
                    json_is_true(json_object_get(result, "done")) ? "is done"
                                                                  : "did not come to its end");
    (void)width;
}

static const Arg args[] = {
    {.name = "FILE|RUN",
     .kind = ARG_FILE,
     .about = "a file of steps, to be made; or a run, whose file is printed"},
    {.name = "N=VALUE",
     .kind = ARG_WORD,
     .optional = true,
     .many = true,
     .about = "what $N means in the file: 1=new.csv"},
    ARG_END};

const Command pipeline_command = {
    .name = "pipeline",
    .about = "makes a whole journey again: ingest, clean, expect, train, evaluate, gate, deploy; "
             "or prints a run's",
    .details =
        "A file has a step a line, as the shell takes them without lathe, and\n"
        "  # comment\n"
        "  let 1 = FILE        what $1 means unless the caller says 1=OTHER\n"
        "  text NAME           the indented lines that follow are a file: $NAME\n"
        "  $data, $run         the dataset and the run of the steps before\n"
        "A clean, expect, train, evaluate or gate whose line and whose inputs (datasets, models, "
        "files, by "
        "hash) were done\n"
        "before is skipped; an ingest asks its source whether it changed. A pipeline that "
        "was stopped or\n"
        "killed goes on when it is started again: its training is a process of its own, "
        "which is waited\n"
        "for, or resumed from its last checkpoint. An expect, in a recipe or as a step, that does "
        "not hold and a\n"
        "gate that is not passed fail the journey: exit status 1.\n"
        "lathe pipeline RUN > FILE writes the journey of any run; replaying it gives the "
        "same bits.",
    .example = "lathe pipeline last > taxi.pipeline",
    .args = args,
    .verdict = true,
    .run = run,
    .print = print,
};
