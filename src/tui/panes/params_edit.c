/* params_edit.c -- changing the set-up of a run, trying it, launching it. */
#include "params_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOT_CHECK = 1, SLOT_PRESET };

/* ---- tried on the rows -------------------------------------------------------------------------------- */

bool setup_checking(const ParamsState *s)
{
    return *s->dataset && (!s->answer || s->answer->number != s->asked);
}

static void checked(void *owner, void *result, const Error *err, Ui *ui)
{
    ParamsState *s = owner;
    CheckAnswer *answer = result;
    if (!answer) {
        if (err->kind != ERROR_STOP)
            s->launch_wanted = false;
        return;
    }
    if (answer->number != s->asked) {
        check_answer_free(answer);
        return;
    }
    check_answer_free(s->answer);
    s->answer = answer;
    RecipeChoice natural = answer->draft_rules ? RECIPE_DRAFT : RECIPE_NONE;
    if (!s->recipe_chosen && s->recipe != natural) { /* who wrote rules wants them used */
        s->recipe = natural;
        setup_changed(s, true);
    }
    setup_columns(s, &answer->schema);
    setup_take_notes(s);
    if (s->launch_wanted)
        setup_launch(s);
    if (ui_visible(ui, s))
        ui_draw(ui);
}

void setup_check(ParamsState *s)
{
    OpenDataset *data = ui_dataset(s->ui);
    Text text = {0};
    if (!data || strcmp(ui_dataset_hash(s->ui), s->dataset) != 0)
        return;
    CheckAsk *ask = mem_alloc(sizeof *ask);
    ask->data = open_dataset_hold(data);
    ask->number = ++s->asked;
    ask->recipe = s->recipe;
    snprintf(ask->family, sizeof ask->family, "%s", setup_form(s)->family->name);
    snprintf(ask->target, sizeof ask->target, "%s", s->target);
    snprintf(ask->split, sizeof ask->split, "%s", s->split);
    snprintf(ask->recipe_path, sizeof ask->recipe_path, "%s", s->recipe_path);
    setup_changes(setup_form(s), "\n", &text);
    ask->changes = text_copy(text_str(&text));
    if (!setup_all_natural(s)) {
        text_reset(&text);
        setup_features(s, &text);
        ask->features = text_copy(text_str(&text));
    }
    text_release(&text);
    ui_job(s->ui, (Job){.owner = s,
                        .slot = SLOT_CHECK,
                        .what = "trying the set-up",
                        .run = check_run,
                        .input = ask,
                        .done = checked,
                        .release = check_answer_free,
                        .release_input = check_ask_free,
                        .quiet = true});
}

void setup_changed(ParamsState *s, bool check)
{
    OpenDataset *data = ui_dataset(s->ui);
    if (s->answer && s->answer->number == s->asked && s->answer->schema.count)
        setup_columns(s, &s->answer->schema);
    else if (data)
        setup_columns(s, &data->schema);
    setup_take_notes(s);
    setup_remember(s);
    if (check)
        setup_check(s);
}

/* ---- the rows of the set-up, one picker each ------------------------------------------------------------ */

static void dataset_picked(void *owner, size_t item, Ui *ui)
{
    const Snapshot *snap = ui_snapshot(ui);
    (void)owner;
    if (item < snap->datasets)
        ui_choose_dataset(ui, snap->dataset[item].hash);
}

static void pick_dataset(ParamsState *s)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    MenuItem *item = mem_alloc((snap->datasets + 1) * sizeof *item);
    Arena a = {0};
    size_t at = 0;
    for (size_t i = 0; i < snap->datasets; i++) {
        const DatasetRow *d = &snap->dataset[i];
        Text rows = {0};
        text_add_count(&rows, (double)d->rows);
        at = strcmp(d->hash, s->dataset) == 0 ? i : at;
        item[i] = (MenuItem){.label = d->name,
                             .note = arena_printf(&a, "%s rows, %lld columns, %.8s",
                                                  text_str(&rows), (long long)d->columns, d->hash)};
        text_release(&rows);
    }
    ui_menu(s->ui, "Train on which dataset?", item, snap->datasets, at, dataset_picked, s);
    mem_free(item);
    arena_release(&a);
}

static void target_picked(void *owner, size_t item, Ui *ui)
{
    ParamsState *s = owner;
    if (item < s->column.count)
        snprintf(s->target, sizeof s->target, "%s", s->column.at[item].name);
    setup_changed(s, true);
    ui_draw(ui);
}

static void pick_target(ParamsState *s)
{
    MenuItem *item = mem_alloc((s->column.count + 1) * sizeof *item);
    Arena a = {0};
    size_t at = 0;
    for (size_t i = 0; i < s->column.count; i++) {
        const ColumnChoice *c = &s->column.at[i];
        at = strcmp(c->name, s->target) == 0 ? i : at;
        item[i] = (MenuItem){
            .label = c->name,
            .note = arena_printf(&a, "%s, %s", column_type_name(c->type), role_name(c->role)),
            .style = c->role == ROLE_TARGET ? STYLE_ROLE_TARGET : 0};
    }
    ui_menu(s->ui, "Predict which column?", item, s->column.count, at, target_picked, s);
    mem_free(item);
    arena_release(&a);
}

static void family_picked(void *owner, size_t item, Ui *ui)
{
    ParamsState *s = owner;
    if (item < s->families)
        s->family = item;
    setup_changed(s, true);
    ui_draw(ui);
}

static void pick_family(ParamsState *s)
{
    MenuItem item[SETUP_FAMILIES];
    Arena a = {0};
    for (size_t i = 0; i < s->families; i++)
        item[i] = (MenuItem){.label = arena_printf(&a, "%-12s %s", model_families[i]->name,
                                                   model_families[i]->title),
                             .note = model_families[i]->about};
    ui_menu(s->ui, "Which family of models?", item, s->families, s->family, family_picked, s);
    arena_release(&a);
}

static void recipe_path_given(void *owner, const char *text, Ui *ui)
{
    ParamsState *s = owner;
    snprintf(s->recipe_path, sizeof s->recipe_path, "%s", text);
    s->recipe = *text ? RECIPE_FILE : RECIPE_NONE;
    s->recipe_chosen = true;
    setup_changed(s, true);
    ui_draw(ui);
}

static void recipe_picked(void *owner, size_t item, Ui *ui)
{
    ParamsState *s = owner;
    if (item == RECIPE_FILE) {
        ui_ask(
            ui,
            &(Ask){.title = "Recipe from a file",
                   .label = "path",
                   .initial = s->recipe_path,
                   .about =
                       "as the command lathe clean takes it; applied after the split, kept in the"
                       " model",
                   .owner = s,
                   .done = recipe_path_given});
        return;
    }
    s->recipe = (RecipeChoice)item;
    s->recipe_chosen = true;
    setup_changed(s, true);
    ui_draw(ui);
}

static void pick_recipe(ParamsState *s)
{
    char draft[80];
    size_t rules = s->answer ? s->answer->draft_rules : 0;
    snprintf(draft, sizeof draft, rules ? "%zu rules that are switched on" : "empty; 2 adds rules",
             rules);
    MenuItem item[] = {{.label = "none", .note = "the rows as they are"},
                       {.label = "draft of the Clean pane", .note = draft},
                       {.label = "a file ...", .note = "such as sample-data/taxi.recipe"}};
    ui_menu(s->ui, "Clean the rows on the way in?", item, 3, s->recipe, recipe_picked, s);
}

static bool split_check(void *owner, const char *text, Error *err)
{
    Split split;
    (void)owner;
    return split_parse(text, &split, err);
}

static void split_given(void *owner, const char *text, Ui *ui)
{
    ParamsState *s = owner;
    snprintf(s->split, sizeof s->split, "%s", text);
    setup_changed(s, true);
    ui_draw(ui);
}

static bool seed_check(void *owner, const char *text, Error *err)
{
    int64_t seed;
    (void)owner;
    return (text_to_int(text, strlen(text), &seed) && seed >= 0 && seed <= 2147483647) ||
           error_set(err, ERROR_USAGE, "seed: expected a whole number from 0 to 2147483647");
}

static void seed_given(void *owner, const char *text, Ui *ui)
{
    ParamsState *s = owner;
    s->seed = strtoll(text, NULL, 10);
    setup_changed(s, true);
    ui_draw(ui);
}

static void name_given(void *owner, const char *text, Ui *ui)
{
    ParamsState *s = owner;
    snprintf(s->name, sizeof s->name, "%s", text);
    ui_draw(ui);
}

Reply setup_open(ParamsState *s)
{
    char seed[24];
    snprintf(seed, sizeof seed, "%lld", (long long)s->seed);
    switch (s->at) {
    case ROW_DATASET:
        pick_dataset(s);
        break;
    case ROW_TARGET:
        pick_target(s);
        break;
    case ROW_FAMILY:
        pick_family(s);
        break;
    case ROW_FEATURES:
        s->part = PART_FEATURES;
        break;
    case ROW_RECIPE:
        pick_recipe(s);
        break;
    case ROW_SPLIT:
        ui_ask(s->ui,
               &(Ask){.title = "Split",
                      .label = "train/valid/test",
                      .initial = s->split,
                      .owner = s,
                      .about =
                          "shares of the rows that train, that choose the best weights, and that"
                          " are only looked at once, at the end",
                      .done = split_given,
                      .check = split_check});
        break;
    case ROW_SEED:
        ui_ask(s->ui,
               &(Ask){.title = "Seed",
                      .label = "seed",
                      .initial = seed,
                      .owner = s,
                      .about = "the same seed gives the same split, weights and order, bit for bit",
                      .done = seed_given,
                      .check = seed_check});
        break;
    case ROW_NAME:
        ui_ask(s->ui, &(Ask){.title = "Name of the run",
                             .label = "name",
                             .initial = s->name,
                             .owner = s,
                             .about = "empty: one is made up",
                             .done = name_given});
        break;
    default:
        setup_launch(s);
    }
    return REPLY_DRAW;
}

/* ---- left and right on a row -------------------------------------------------------------------------------- */

static void nudge_target(ParamsState *s, int direction)
{
    size_t n = s->column.count, at = 0;
    for (size_t i = 0; i < n; i++)
        at = strcmp(s->column.at[i].name, s->target) == 0 ? i : at;
    if (n)
        snprintf(s->target, sizeof s->target, "%s",
                 s->column.at[(at + n + (direction > 0 ? 1 : n - 1)) % n].name);
}

static void nudge_split(ParamsState *s, int direction)
{
    static const char *const usual[] = {"70/15/15", "80/10/10", "64/16/20", "60/20/20"};
    size_t n = sizeof usual / sizeof *usual, at = 0;
    for (size_t i = 0; i < n; i++)
        at = strcmp(usual[i], s->split) == 0 ? i : at;
    snprintf(s->split, sizeof s->split, "%s", usual[(at + n + (direction > 0 ? 1 : n - 1)) % n]);
}

Reply setup_nudge(ParamsState *s, int direction)
{
    size_t n = s->families;
    switch (s->at) {
    case ROW_TARGET:
        nudge_target(s, direction);
        break;
    case ROW_FAMILY:
        s->family = (s->family + (direction > 0 ? 1 : n - 1)) % n;
        break;
    case ROW_RECIPE:
        s->recipe = s->recipe == RECIPE_NONE ? RECIPE_DRAFT : RECIPE_NONE;
        break;
    case ROW_SPLIT:
        nudge_split(s, direction);
        break;
    case ROW_SEED:
        s->seed += s->seed + direction >= 0 ? direction : 0;
        break;
    default:
        return REPLY_STAY;
    }
    setup_changed(s, true);
    return REPLY_DRAW;
}

/* ---- launching ------------------------------------------------------------------------------------------------ */

static void launched(void *owner, const json_t *result, const Error *err, Ui *ui)
{
    ParamsState *s = owner;
    int64_t run = json_integer_value(json_object_get(result, "run"));
    if (!result || !run) {
        if (err && err->kind != ERROR_NONE)
            ui_error(ui, err);
        return;
    }
    s->name[0] = 0;
    ui_say(ui, STYLE_GOOD, "Run %lld has begun", (long long)run);
    ui_choose_run(ui, run);
    ui_go(ui, "train");
    ui_refresh(ui);
}

void setup_launch(ParamsState *s)
{
    s->launch_wanted = false;
    if (!*s->dataset) {
        ui_say(s->ui, STYLE_WARN, "Choose a dataset first: 1 lists them, o there opens a file.");
        return;
    }
    if (setup_checking(s)) {
        s->launch_wanted = true; /* when the answer is here */
        return;
    }
    if (s->answer->error.kind != ERROR_NONE) {
        s->finds_lr = false;
        ui_error(s->ui, &s->answer->error);
        return;
    }
    Text line = {0};
    setup_line(s, &line);
    if (s->finds_lr && !strstr(text_str(&line), " find_lr=yes"))
        text_puts(&line, " find_lr=yes");
    s->finds_lr = false;
    setup_remember(s);
    ui_command(s->ui, text_str(&line), s, launched);
    text_release(&line);
}

/* ---- presets ------------------------------------------------------------------------------------------------------ */

static void preset_read(void *owner, void *result, const Error *err, Ui *ui)
{
    ParamsState *s = owner;
    Preset *p = result;
    (void)err; /* the frame has said it */
    if (!p)
        return;
    ui_change_begins(ui);
    setup_take_preset(s, p);
    ui_say(ui, STYLE_INFO, "Set up as run %lld %s was", (long long)p->run.id, p->run.name);
    preset_free(p);
    setup_changed(s, true);
    ui_change_ends(ui, "preset");
    ui_draw(ui);
}

static void preset_picked(void *owner, size_t item, Ui *ui)
{
    const Snapshot *snap = ui_snapshot(ui);
    if (item >= snap->runs)
        return;
    int64_t run = snap->run[item].id;
    ui_job(ui, (Job){.owner = owner,
                     .slot = SLOT_PRESET,
                     .run = preset_load,
                     .input = mem_copy(&run, sizeof run),
                     .done = preset_read,
                     .release = preset_free,
                     .urgent = true});
}

void setup_presets(ParamsState *s)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    MenuItem *item = mem_alloc((snap->runs + 1) * sizeof *item);
    Arena a = {0};
    for (size_t i = 0; i < snap->runs; i++) {
        const RunRow *r = &snap->run[i];
        item[i] = (MenuItem){
            .label = arena_printf(&a, "%lld  %s", (long long)r->id, r->name),
            .note = arena_printf(&a, "%s on %s for %s", r->family, r->dataset_name, r->target),
            .style = run_style(r->id)};
    }
    ui_menu(s->ui, "Set up as an earlier run", item, snap->runs, 0, preset_picked, s);
    mem_free(item);
    arena_release(&a);
}
