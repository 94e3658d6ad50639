/* train.c -- lathe train: one training of one family; and `work`, the process behind a detached run. */
#include "command_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct TrainSettings {
    char *data, *target, *recipe, *features, *split, *name, *experiment, *steer;
    int seed, detach;
} TrainSettings;

/* ---- news as lines ------------------------------------------------------------------------------ */

static void say_news(void *context, const RunNews *news)
{
    const CommandCall *call = context;
    Text line = {0};
    text_printf(&line, "run %lld  step %lld  %s", (long long)news->run, (long long)news->step,
                news->kind);
    if (news->text && *news->text)
        text_printf(&line, "  %s", news->text);
    for (size_t i = 0; i < news->count; i++)
        text_printf(&line, "  %s %.6g", news->metrics[i].key, news->metrics[i].value);
    call_say(call, "%s", text_str(&line));
    text_release(&line);
}

/* ---- what the words mean -------------------------------------------------------------------------- */

/* An index into task-specific families is looked up once, with help for a slip. */
static const ModelFamily *need_family(const char *name, Error *err)
{
    const ModelFamily *f = model_family(name);
    const char *names[32];
    size_t n = 0;
    for (const ModelFamily *const *m = model_families; *m && n < 32; m++)
        names[n++] = (*m)->name;
    if (!f) {
        Text all = {0};
        for (size_t i = 0; i < n; i++)
            text_printf(&all, "%s%s", i ? ", " : "", names[i]);
        error_set(err, ERROR_USAGE, "train: no model family '%s'; there are %s", name, text_str(&all));
        text_release(&all);
    }
    return f;
}

/* The target named, or the column whose role is target. */
static const char *target_of(Store *s, const TrainSettings *set, Arena *a, Error *err)
{
    if (*set->target)
        return set->target;
    DatasetRow row;
    ColumnRow *columns;
    size_t n;
    if (!store_dataset_find(s, set->data, a, &row, err) ||
        !store_dataset_columns(s, row.hash, a, &columns, &n, err))
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (strcmp(columns[i].role, role_name(ROLE_TARGET)) == 0)
            return columns[i].name;
    error_set(err, ERROR_USAGE, "train: target= is missing and no column of %s has the role target",
              row.name);
    return NULL;
}

static bool fill_spec(RunSpec *spec, Store *s, const CommandCall *call, Arena *a, Error *err)
{
    const TrainSettings *set = call->settings;
    Recipe *r = recipe_create();
    Text text = {0};
    bool ok = !*set->recipe || recipe_read(r, set->recipe, err);
    if (ok && *set->recipe)
        recipe_print(r, &text);
    spec->name = set->name;
    spec->experiment = set->experiment;
    spec->dataset = set->data;
    spec->recipe = arena_text(a, text_str(&text));
    spec->features = set->features;
    spec->split = set->split;
    spec->seed = set->seed;
    ok = ok && (spec->target = target_of(s, set, a, err)) != NULL;
    for (size_t i = 0; ok && i < call->extras; i++) /* what it brings is overruled by what is said */
        if (text_equal(call->extra[i].key, "from") && *call->extra[i].value)
            ok = run_spec_from(spec, s, call->extra[i].value, err) || error_in(err, "train");
    for (size_t i = 0; ok && i < call->extras; i++)
        if (!text_equal(call->extra[i].key, "from"))
            ok = run_spec_set(spec, call->extra[i].key, call->extra[i].value, err) ||
                 error_in(err, "train");
    text_release(&text);
    recipe_destroy(r);
    return ok;
}

static bool give_result(Store *s, int64_t run, json_t **result, Error *err)
{
    Arena arena = {0};
    RunRow row;
    bool ok = store_run_get(s, run, &arena, &row, err);
    if (ok) {
        *result = result_run(&row);
        ok = result_run_metrics(s, run, *result, err);
    }
    arena_release(&arena);
    return ok;
}

static const Stop *stop_of(const CommandCall *call)
{
    return call->progress ? &call->progress->stop : NULL;
}

/* A run is there with what it will be asked, or it is not. */
static int64_t submit(Store *s, const RunSpec *spec, const char *steer, Error *err)
{
    if (!store_begin(s, err))
        return 0;
    int64_t run = run_submit(s, spec, err);
    if (run && run_steer_later(s, run, steer, err))
        return store_commit(s, err) ? run : 0;
    store_rollback(s);
    return 0;
}

static bool lead(CommandCall *call, Team *team, json_t **result, Error *err)
{
    const TrainSettings *set = call->settings;
    Arena arena = {0};
    RunSpec spec = {0};
    const ModelFamily *family = need_family(call->word[0], err);
    Store *s = family ? call_store(call, STORE_WRITE, err) : NULL;
    if (family)
        run_spec_init(&spec, family);
    int64_t run = s && fill_spec(&spec, s, call, &arena, err) ? submit(s, &spec, set->steer, err) : 0;
    bool ok = run != 0;
    if (ok && !team && (set->detach || call->screen))
        ok = run_spawn(call->program, call->workspace, run, err);
    else if (ok)
        ok = run_execute_team(team, s, run, call->pool, say_news, call, stop_of(call), err);
    ok = ok && give_result(s, run, result, err);
    run_spec_release(&spec);
    store_close(s);
    arena_release(&arena);
    return ok;
}

/* Started by mpirun: the first process leads, the others do what it says and have no result. */
static bool in_team(CommandCall *call, bool (*leader)(CommandCall *, Team *, json_t **, Error *),
                    json_t **result, Error *err)
{
    Team *team;
    if (!team_open(&team, stop_of(call), err))
        return false;
    bool leads = team_rank(team) == 0;
    bool ok = leads ? leader(call, team, result, err) : run_follow(team, call->pool, err);
    run_dismiss(team);
    team_close(team);
    if (ok && !leads)
        *result = json_object();
    return ok;
}

static bool run(CommandCall *call, json_t **result, Error *err)
{
    return in_team(call, lead, result, err);
}

/* ---- help: every hyperparameter there is ------------------------------------------------------------ */

static void list_rows(const char *title, const Param *rows, Text *into)
{
    Text normal = {0}, range = {0};
    text_printf(into, "\n%s:\n", title);
    for (const Param *row = rows; row && row->kind; row++) {
        text_reset(&normal);
        text_reset(&range);
        param_default(row, &normal);
        param_range(row, &range);
        text_printf(into, "  %-18s %s (%s)%s%s%s%s%s\n", row->name, row->help, text_str(&range),
                    normal.count ? " [" : "", text_str(&normal), normal.count ? "]" : "",
                    row->by_batch ? " -" : "", row->live ? " *" : "");
    }
    text_release(&normal);
    text_release(&range);
}

static void more(Text *into)
{
    list_rows("hyperparameters of every run (* may be changed while it trains, - not of a gbdt)", run_params, into);
    list_rows("of the features", feature_params, into);
    for (const ModelFamily *const *f = model_families; *f; f++) {
        Text title = {0};
        text_printf(&title, "family %s, %s", (*f)->name, (*f)->about);
        if ((*f)->normals && *(*f)->normals)
            text_printf(&title, " (defaults %s)", (*f)->normals);
        list_rows(text_str(&title), (*f)->params, into);
        text_release(&title);
    }
}

static const Arg args[] = {{.name = "FAMILY", .kind = ARG_FAMILY, .about = "the model family"}, ARG_END};
static const Param params[] = {
    PARAM_TEXT(TrainSettings, data, "data", "", "the dataset, by name or hash", .required = true),
    PARAM_TEXT(TrainSettings, target, "target", "", "the column to predict; the one with the role target when not given"),
    PARAM_TEXT(TrainSettings, recipe, "recipe", "", "a recipe file, applied after the split and kept in the model"),
    PARAM_TEXT(TrainSettings, features, "features", "", "columns to learn from, A,B,...; all fitting ones when not given"),
    PARAM_TEXT(TrainSettings, split, "split", "70/15/15", "shares of training, validation and test rows; 70/15/15@COLUMN: the earliest by that column train, the latest test"),
    PARAM_INT(TrainSettings, seed, "seed", 1, 0, 2147483647, "", "the same seed gives the same bits"),
    PARAM_BOOL(TrainSettings, detach, "detach", 0, "train in a process of its own and return at once"),
    PARAM_TEXT(TrainSettings, name, "name", "", "the run's name; made up when not given"),
    PARAM_TEXT(TrainSettings, experiment, "experiment", "", "the experiment it belongs to"),
    PARAM_TEXT(TrainSettings, steer, "steer", "", "what to change before which step: \"120 set lr 0.001; 300 stop\"; as a run that was steered live, to the bit"),
    PARAM_END};

const Command train_command = {
    .name = "train",
    .about = "trains a model of a family on a dataset",
    .details = "Built with cmake -DLATHE_MPI=ON, several processes train one model, on one machine or many:\n"
               "  mpirun -n 2 lathe train gbdt data=trips target=FARE\n"
               "Each has a share of the training rows and reads the dataset at the same path. The first of them\n"
               "has the workspace: it validates, writes checkpoints and takes commands. Trees are identical to\n"
               "those of one process; nets are so in two processes, in more to rounding. If a process dies, or\n"
               "is silent for LATHE_TEAM_SECONDS (300), the run ends at its last whole step as KILLED:\n"
               "  lathe runs resume 3               one process goes on\n"
               "  mpirun -n 2 lathe work 3          several do\n"
               "mpirun gives the others a second then; where a checkpoint takes longer to write, give more with\n"
               "  mpirun --mca odls_base_sigkill_timeout 60 ...\n"
               "To end it properly: lathe runs stop 3, as always.",
    .example = "lathe train mlp data=trips_jan target=FAREAMOUNT recipe=sample-data/taxi.recipe epochs=20 lr=1e-3",
    .args = args,
    .params = params,
    .params_size = sizeof(TrainSettings),
    .extras = "a hyperparameter: epochs=, batch=, lr=, hidden=128,128, ...; lathe train --help lists them",
    .run = run,
    .more = more,
};

/* ---- work ------------------------------------------------------------------------------------------ */

static bool lead_work(CommandCall *call, Team *team, json_t **result, Error *err)
{
    Store *s = call_store(call, STORE_WRITE, err);
    int64_t id = strtoll(call->word[0], NULL, 10);
    bool ok = s && run_execute_team(team, s, id, call->pool, say_news, call, stop_of(call), err) &&
              give_result(s, id, result, err);
    store_close(s);
    return ok;
}

static bool run_work(CommandCall *call, json_t **result, Error *err)
{
    return in_team(call, lead_work, result, err);
}

static const Arg work_args[] = {{.name = "RUN", .kind = ARG_RUN, .about = "the run's number"}, ARG_END};

const Command work_command = {
    .name = "work",
    .about = "carries out a submitted run in this process",
    .args = work_args,
    .hidden = true,
    .run = run_work,
};
