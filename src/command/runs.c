/* runs.c -- lathe runs: list, show, steer, fork and tidy runs; one row a verb. The difference of
 * some runs stands in runs_diff.c. */
#include "command_int.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern const Command runs_diff_verb;

typedef struct Found { Store *store; Arena arena; RunRow row; } Found;

static bool find(Found *f, const CommandCall *call, StoreMode mode, Error *err)
{
    f->store = call_store(call, mode, err);
    if (!f->store)
        return false;
    if (mode == STORE_WRITE)
        run_reap(f->store, NULL);
    return store_run_find(f->store, call->word[0], &f->arena, &f->row, err);
}

static void found_release(Found *f)
{
    store_close(f->store);
    arena_release(&f->arena);
}

/* Every steering verb ends with the run as it now is. */
static bool give(Found *f, bool ok, json_t **result, Error *err)
{
    RunRow now;
    ok = ok && store_run_get(f->store, f->row.id, &f->arena, &now, err);
    if (ok)
        *result = result_run(&now);
    found_release(f);
    return ok;
}

/* Looking, too, says of a run whose process is gone that it is; where nothing can be written it stays
 * as it was stored. */
static void notice_gone(const CommandCall *call)
{
    Arena arena = {0};
    Error ignored = {0};
    bool there = file_exists(arena_printf(&arena, "%s/lathe.db", call->workspace));
    Store *s = there ? call_store(call, STORE_WRITE, &ignored) : NULL;
    if (s)
        run_reap(s, &ignored);
    store_close(s);
    arena_release(&arena);
}

/* ---- looking ------------------------------------------------------------------------------------- */

static bool run_list(CommandCall *call, json_t **result, Error *err)
{
    Arena arena = {0};
    RunRow *rows;
    size_t n;
    notice_gone(call);
    Store *s = call_store(call, STORE_READ, err);
    bool ok = s && store_runs(s, &arena, &rows, &n, err);
    json_t *table = json_array();
    for (size_t i = 0; ok && i < n; i++)
        json_array_append_new(table, result_run(&rows[i]));
    if (ok)
        *result = json_pack("{s:O}", "runs", table);
    json_decref(table);
    store_close(s);
    arena_release(&arena);
    return ok;
}

static bool add_params(Store *s, int64_t run, json_t *into, Error *err)
{
    Arena arena = {0};
    ParamRow *rows;
    size_t n;
    bool ok = store_run_params(s, run, &arena, &rows, &n, err);
    json_t *o = json_object();
    for (size_t i = 0; ok && i < n; i++)
        result_text(o, rows[i].key, rows[i].value);
    json_object_set_new(into, "params", o);
    arena_release(&arena);
    return ok;
}

static bool add_events(Store *s, int64_t run, json_t *into, Error *err)
{
    Arena arena = {0};
    EventRow *rows;
    size_t n;
    int64_t cursor = 0;
    bool ok = store_events_since(s, run, &cursor, &arena, &rows, &n, err);
    json_t *table = json_array();
    for (size_t i = 0; ok && i < n; i++) {
        json_t *o = json_object();
        result_time(o, "time", rows[i].time);
        result_int(o, "step", rows[i].step);
        result_text(o, "kind", rows[i].kind);
        char *line = arena_printf(&arena, "%.*s", (int)strcspn(rows[i].text, "\n"), rows[i].text);
        result_text(o, "text", line); /* what follows is for `runs layers` */
        json_array_append_new(table, o);
    }
    json_object_set_new(into, "events", table);
    arena_release(&arena);
    return ok;
}

/* What the run's bundle says of its columns, if it is there and says so. */
static void add_importance(Store *s, int64_t run, json_t *into)
{
    Arena arena = {0};
    const char *path;
    if (run_bundle_path(s, run, &arena, &path, NULL)) {
        json_t *bundle =
            json_load_file(arena_printf(&arena, "%s/bundle.json", path), 0, NULL);
        json_t *list = json_object_get(json_object_get(bundle, "about"), "importance");
        if (json_is_array(list))
            json_object_set(into, "importance", list);
        json_decref(bundle);
    }
    arena_release(&arena);
}

static bool run_show(CommandCall *call, json_t **result, Error *err)
{
    Found f = {0};
    notice_gone(call);
    bool ok = find(&f, call, STORE_READ, err);
    if (ok) {
        json_t *o = *result = result_run(&f.row);
        result_text(o, "task", f.row.task);
        result_text(o, "split", f.row.split);
        result_int(o, "seed", f.row.seed);
        result_text(o, "dataset_hash", f.row.dataset);
        result_text(o, "recipe", f.row.recipe);
        result_text(o, "features", f.row.features);
        result_text(o, "note", f.row.note);
        result_text(o, "machine", f.row.machine);
        result_text(o, "version", f.row.version);
        if (f.row.parent) {
            result_int(o, "parent", f.row.parent);
            result_int(o, "parent_step", f.row.parent_step);
        }
        json_t *last = json_object();
        ok = result_run_metrics(f.store, f.row.id, last, err);
        json_object_set_new(o, "metrics", last);
        add_importance(f.store, f.row.id, o);
        ok = ok && add_params(f.store, f.row.id, o, err) && add_events(f.store, f.row.id, o, err);
    }
    found_release(&f);
    return ok;
}

/* ---- steering ------------------------------------------------------------------------------------- */

static bool run_set(CommandCall *call, json_t **result, Error *err)
{
    Found f = {0};
    bool ok = find(&f, call, STORE_WRITE, err);
    if (ok && !call->extras)
        ok = error_set(err, ERROR_USAGE, "set: nothing to change; write KEY=VALUE, as in lr=3e-4");
    for (size_t i = 0; ok && i < call->extras; i++)
        ok = run_command(f.store, f.row.id, "set", call->extra[i].key, call->extra[i].value, err);
    return give(&f, ok, result, err);
}

/* pause, stop and checkpoint are the commands of those names */
static bool run_steer(CommandCall *call, json_t **result, Error *err)
{
    Found f = {0};
    bool ok = find(&f, call, STORE_WRITE, err) &&
              run_command(f.store, f.row.id, call->command->name, "", "", err);
    return give(&f, ok, result, err);
}

/* The newest event "layers" behind `after`: its step and what stands behind its first line. */
static bool newest_layers(Found *f, int64_t after, int64_t *id, json_t **layers, int64_t *step, Error *err)
{
    EventRow *e;
    size_t n;
    int64_t cursor = after;
    if (!store_events_since(f->store, f->row.id, &cursor, &f->arena, &e, &n, err))
        return false;
    for (size_t i = n; i-- > 0;)
        if (strcmp(e[i].kind, "layers") == 0) {
            const char *json = strchr(e[i].text, '\n');
            *layers = json ? json_loads(json + 1, 0, NULL) : json_array();
            *step = e[i].step;
            break;
        }
    *id = cursor;
    return true;
}

#define LAYERS_WAIT 10.0 /* seconds for the next step */

/* Of a run that trains, the statistics of its next step; of another, the last that were asked for. */
static bool run_layers(CommandCall *call, json_t **result, Error *err)
{
    Found f = {0};
    json_t *layers = NULL;
    int64_t seen = 0, step = 0;
    bool ok = find(&f, call, STORE_WRITE, err);
    const ModelFamily *family = ok ? model_family(f.row.family) : NULL;
    if (family && !family->layers)
        ok = error_set(err, ERROR_USAGE, "a %s has no layers; lathe runs show %lld tells what each column gains",
                       family->name, (long long)f.row.id);
    ok = ok && newest_layers(&f, 0, &seen, &layers, &step, err);
    if (ok && store_run_alive(&f.row) && f.row.status == RUN_RUNNING) {
        json_decref(layers);
        layers = NULL;
        ok = run_command(f.store, f.row.id, "layers", "", "", err);
        double until = clock_now() + LAYERS_WAIT;
        while (ok && !layers && clock_now() < until &&
               !(call->progress && progress_stopped(call->progress))) {
            usleep(20000);
            ok = newest_layers(&f, seen, &seen, &layers, &step, err);
        }
    }
    if (ok && !layers)
        ok = error_set(err, ERROR_USAGE, "run %lld has not told of its layers; they are asked for while it trains",
                       (long long)f.row.id);
    if (ok)
        *result = json_pack("{s:I, s:I, s:O}", "run", (json_int_t)f.row.id, "step", (json_int_t)step,
                            "layers", layers);
    json_decref(layers);
    found_release(&f);
    return ok;
}

/* A bar of letters for the bins: none, few, ... most. */
static void add_bins(const json_t *bins, Text *into)
{
    static const char levels[] = " .:-=+*#%@";
    json_int_t most = 1;
    for (size_t i = 0; i < json_array_size(bins); i++) {
        json_int_t n = json_integer_value(json_array_get(bins, i));
        most = n > most ? n : most;
    }
    for (size_t i = 0; i < json_array_size(bins); i++) {
        json_int_t n = json_integer_value(json_array_get(bins, i));
        text_putc(into, levels[n ? 1 + n * 8 / most : 0]);
    }
}

/* Of the names, so that what is told of a layer begins as far left as it can. */
static int widest_layer(const json_t *list)
{
    const json_t *one;
    size_t i, most = strlen("layer");
    json_array_foreach(list, i, one)
    {
        size_t n = json_string_length(json_object_get(one, "layer"));
        most = n > most ? n : most;
    }
    return (int)most;
}

static void print_layers(const json_t *result, size_t width, Text *into)
{
    const json_t *list = json_object_get(result, "layers"), *one;
    int names = widest_layer(list);
    size_t i;
    (void)width;
    text_printf(into, "run %lld, step %lld\n\n%-*s %-8s %10s %10s %6s  %-16s %10s %10s\n",
                (long long)json_integer_value(json_object_get(result, "run")),
                (long long)json_integer_value(json_object_get(result, "step")), names, "layer", "what", "mean",
                "deviation", "zero", "histogram", "least", "most");
    json_array_foreach(list, i, one)
    {
        text_printf(into, "%-*s %-8s %10.4g %10.4g %5.1f%%  ", names,
                    json_string_value(json_object_get(one, "layer")),
                    json_string_value(json_object_get(one, "what")),
                    json_real_value(json_object_get(one, "mean")),
                    json_real_value(json_object_get(one, "deviation")),
                    100 * json_real_value(json_object_get(one, "zero")));
        add_bins(json_object_get(one, "histogram"), into);
        text_printf(into, " %10.4g %10.4g", json_real_value(json_object_get(one, "least")),
                    json_real_value(json_object_get(one, "most")));
        long long broken = json_integer_value(json_object_get(one, "broken"));
        if (broken)
            text_printf(into, "  %lld no number", broken);
        text_putc(into, '\n');
    }
}

/* A paused run goes on; one whose process is gone starts again from its last checkpoint. */
static bool run_resume(CommandCall *call, json_t **result, Error *err)
{
    Found f = {0};
    bool ok = find(&f, call, STORE_WRITE, err);
    bool living = f.row.status == RUN_PAUSED || f.row.status == RUN_RUNNING;
    if (ok && f.row.status == RUN_FINISHED)
        ok = error_set(err, ERROR_USAGE, "run %lld has finished; fork it to go on with changes",
                       (long long)f.row.id);
    else if (ok && living)
        ok = run_command(f.store, f.row.id, "resume", "", "", err);
    else if (ok)
        ok = run_spawn(call->program, call->workspace, f.row.id, err);
    return give(&f, ok, result, err);
}

typedef struct ForkSettings { int step; int detach; } ForkSettings;

static bool run_fork_verb(CommandCall *call, json_t **result, Error *err)
{
    const ForkSettings *set = call->settings;
    Found f = {0};
    int64_t forked = 0;
    bool ok = find(&f, call, STORE_WRITE, err) &&
              (forked = run_fork(f.store, f.row.id, set->step, call->extra, call->extras, err)) != 0;
    if (ok)
        f.row.id = forked;
    if (ok && (set->detach || call->screen))
        ok = run_spawn(call->program, call->workspace, forked, err);
    else if (ok)
        ok = run_execute(f.store, forked, call->pool, NULL, NULL,
                         call->progress ? &call->progress->stop : NULL, err);
    return give(&f, ok, result, err);
}

/* ---- tidying --------------------------------------------------------------------------------------- */

static char *rest_of(const CommandCall *call, Arena *a)
{
    Text text = {0};
    for (size_t i = 1; i < call->words; i++)
        text_printf(&text, "%s%s", i > 1 ? " " : "", call->word[i]);
    char *kept = arena_text(a, text_str(&text));
    text_release(&text);
    return kept;
}

static bool run_rename_verb(CommandCall *call, json_t **result, Error *err)
{
    Found f = {0};
    bool ok = find(&f, call, STORE_WRITE, err) &&
              store_run_rename(f.store, f.row.id, call->word[1], err);
    char id[24], *was = ok ? text_copy(f.row.name) : NULL;
    snprintf(id, sizeof id, "%lld", (long long)f.row.id);
    ok = give(&f, ok, result, err);
    if (ok)
        result_undo(*result, "runs rename", id, was, NULL);
    mem_free(was);
    return ok;
}

/* The words that take back what `tag` changes. */
static void untag(const CommandCall *call, const RunRow *was, Text *line)
{
    for (size_t i = 1; i < call->words; i++) {
        const char *tag = call->word[i];
        bool away = *tag == '-';
        if (text_has_word(was->tags, tag + away) != away)
            continue; /* it was so before */
        if (!line->count)
            text_printf(line, "runs tag %lld", (long long)was->id);
        text_puts(line, away ? " " : " -");
        text_puts(line, tag + away);
    }
}

/* "tag ID good -slow": a tag with a minus in front is taken away */
static bool run_tag(CommandCall *call, json_t **result, Error *err)
{
    Found f = {0};
    bool ok = find(&f, call, STORE_WRITE, err);
    for (size_t i = 1; ok && i < call->words; i++) {
        const char *tag = call->word[i];
        ok = store_run_tag(f.store, f.row.id, tag + (*tag == '-'), *tag != '-', err);
    }
    Text back = {0};
    if (ok)
        untag(call, &f.row, &back);
    ok = give(&f, ok, result, err);
    if (ok && back.count)
        result_text(*result, "undo", text_str(&back));
    text_release(&back);
    return ok;
}

static bool run_note(CommandCall *call, json_t **result, Error *err)
{
    Found f = {0};
    bool ok = find(&f, call, STORE_WRITE, err) &&
              store_run_note(f.store, f.row.id, rest_of(call, &f.arena), err);
    if (ok)
        *result = json_pack("{s:I, s:s}", "run", (json_int_t)f.row.id, "note",
                            rest_of(call, &f.arena));
    char id[24];
    snprintf(id, sizeof id, "%lld", (long long)f.row.id);
    if (ok)
        result_undo(*result, "runs note", id, f.row.note, NULL);
    found_release(&f);
    return ok;
}

static bool run_delete(CommandCall *call, json_t **result, Error *err)
{
    Found f = {0};
    bool ok = find(&f, call, STORE_WRITE, err);
    if (ok && (f.row.status == RUN_RUNNING || f.row.status == RUN_PAUSED))
        ok = error_set(err, ERROR_USAGE, "run %lld is still going; stop it first",
                       (long long)f.row.id);
    const char *dir = ok ? store_path(f.store, &f.arena, "runs/%lld", (long long)f.row.id) : "";
    ok = ok && store_run_delete(f.store, f.row.id, err) &&
         (!file_exists(dir) || dir_remove(dir, err));
    if (ok)
        *result = json_pack("{s:I}", "deleted", (json_int_t)f.row.id);
    found_release(&f);
    return ok;
}

/* ---- rows -------------------------------------------------------------------------------------------- */

#define RUN_ARG {.name = "ID", .kind = ARG_RUN, .about = "the run's number or name, or last"}
static const Arg one[] = {RUN_ARG, ARG_END};
static const Arg and_name[] = {RUN_ARG, {.name = "NAME", .kind = ARG_WORD, .about = "its new name"}, ARG_END};
static const Arg and_tags[] = {RUN_ARG, {.name = "TAG", .kind = ARG_WORD, .many = true, .about = "a tag to add, or -TAG to take away"}, ARG_END};
static const Arg and_note[] = {RUN_ARG, {.name = "TEXT", .kind = ARG_WORD, .optional = true, .many = true, .about = "the note; none clears it"}, ARG_END};

static const Command list_verb = {.name = "list", .about = "all runs, newest first", .run = run_list};
static const Command show_verb = {.name = "show", .about = "one run: metrics, hyperparameters, events", .args = one, .run = run_show};
static const Command set_verb = {.name = "set", .about = "changes hyperparameters while it runs", .args = one,
    .extras = "a live hyperparameter: lr=, batch=, weight_decay=, dropout=, clip=, patience=", .run = run_set,
    .example = "lathe runs set last lr=3e-4"};
static const Command pause_verb = {.name = "pause", .about = "pauses it at the next step", .args = one, .run = run_steer};
static const Command resume_verb = {.name = "resume", .about = "goes on: a paused run, or one whose process was killed", .args = one, .run = run_resume};
static const Command stop_verb = {.name = "stop", .about = "ends it properly: best weights, test metrics, model", .args = one, .run = run_steer};
static const Command checkpoint_verb = {.name = "checkpoint", .about = "writes a checkpoint now", .args = one, .run = run_steer};
static const Command layers_verb = {.name = "layers", .about = "the outputs and gradients of its layers in the next step", .args = one,
    .run = run_layers, .print = print_layers, .example = "lathe runs layers last"};
static const Param fork_params[] = {
    PARAM_INT(ForkSettings, step, "step", -1, -1, 2147483647, "step", "the step of the checkpoint to start from; -1 the newest"),
    PARAM_BOOL(ForkSettings, detach, "detach", 1, "train in a process of its own"),
    PARAM_END};
static const Command fork_verb = {.name = "fork", .about = "a new run from a checkpoint of this one, with changes", .args = one,
    .params = fork_params, .params_size = sizeof(ForkSettings), .extras = "a hyperparameter to change", .run = run_fork_verb,
    .example = "lathe runs fork last lr=1e-4 epochs=40"};
static const Command rename_verb = {.name = "rename", .about = "gives it another name", .args = and_name, .run = run_rename_verb};
static const Command tag_verb = {.name = "tag", .about = "adds tags, or takes them away", .args = and_tags, .run = run_tag};
static const Command note_verb = {.name = "note", .about = "keeps a note with it", .args = and_note, .run = run_note};
static const Command delete_verb = {.name = "delete", .about = "removes it with metrics, checkpoints and model", .args = one, .run = run_delete};

static const Command *const verbs[] = {&list_verb, &show_verb, &runs_diff_verb, &set_verb, &pause_verb, &resume_verb,
    &stop_verb, &checkpoint_verb, &layers_verb, &fork_verb, &rename_verb, &tag_verb, &note_verb, &delete_verb, NULL};

const Command runs_command = {
    .name = "runs",
    .about = "lists, shows, compares, steers, forks and tidies runs",
    .example = "lathe runs diff 1 2",
    .verbs = verbs,
};
