/* params.c -- 3 Params: what will be trained, on what, and how; shown as the command that does it. */
#include "params_int.h"

#include <stdio.h>
#include <string.h>

enum { MODE_BROWSE = 1, MODE_TYPE = 2 };
enum {
    PARAMS_LAUNCH = PANE_COMMANDS,
    PARAMS_MORE,
    PARAMS_LESS,
    PARAMS_DEFAULT,
    PARAMS_DEFAULTS,
    PARAMS_PRESET,
    PARAMS_EDIT_LINE,
    PARAMS_FAMILY,
    PARAMS_TARGET,
    PARAMS_DATASET,
    PARAMS_ALL,
    PARAMS_FIND_LR
};

// clang-format off
static const KeyRow keys[] = {
    {PARAMS_LAUNCH,    "launch",        "x",   "launch",  "train it: a process of its own, watched in the Train pane", 0},
    {PARAMS_MORE,      "more",          "+",   "more",    "the next larger or next value (1, 2, 5, 10 where that fits)", 0},
    {PARAMS_LESS,      "less",          "-",   "less",    "the next smaller or previous value", 0},
    {PARAMS_DEFAULT,   "default-value", "=",   "default", "the value under the cursor back to its default", 0},
    {PARAMS_DEFAULTS,  "all-defaults",  "Z",   NULL,      "all hyperparameters of this family back to their defaults", 0},
    {PARAMS_PRESET,    "preset",        "P",   "preset",  "set up as an earlier run was", 0},
    {PARAMS_FAMILY,    "choose-family", "f",   "family",  "which family of models", 0},
    {PARAMS_TARGET,    "choose-target", "t",   "target",  "which column is predicted", 0},
    {PARAMS_DATASET,   "train-on",      "d",   "dataset", "which dataset is trained on", 0},
    {PARAMS_ALL,       "all-inputs",    "a",   NULL,      "every fitting column is an input again, or none", 0},
    {PARAMS_FIND_LR,   "find-lr",       "R",   "find lr", "a short sweep over learning rates with this set-up; it says which one suits", 0},
    {PARAMS_EDIT_LINE, "edit-command",  "E",   NULL,      "the command in the : line, to edit before it is launched", 0},
    {0}};
// clang-format on

/* ---- state ------------------------------------------------------------------------------------------------ */

static void create(void *state, Ui *ui)
{
    ParamsState *s = state;
    s->ui = ui;
    s->seed = 1;
    snprintf(s->split, sizeof s->split, "70/15/15");
    while (model_families[s->families] && s->families < SETUP_FAMILIES)
        family_form_create(s, s->families++);
    for (size_t i = 0; i < s->families;
         i++) /* the usual first net, until the user says otherwise */
        if (strcmp(model_families[i]->name, "mlp") == 0)
            s->family = i;
}

static void destroy(void *state)
{
    ParamsState *s = state;
    for (size_t i = 0; i < s->families; i++)
        family_form_destroy(s->form[i]);
    vec_release(&s->column);
    check_answer_free(s->answer);
    text_release(&s->line);
}

/* A role says so; else what was predicted last from a dataset of this name. */
static void guess_target(ParamsState *s, const OpenDataset *d)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    for (size_t i = 0; i < d->schema.count && !*s->target; i++)
        if (d->schema.field[i].role == ROLE_TARGET)
            snprintf(s->target, sizeof s->target, "%s", d->schema.field[i].name);
    for (size_t i = 0; i < snap->runs && !*s->target; i++)
        if (text_equal(snap->run[i].dataset_name, d->row.name) &&
            schema_find(&d->schema, snap->run[i].target) != SIZE_MAX)
            snprintf(s->target, sizeof s->target, "%s", snap->run[i].target);
}

/* Another dataset: its own target, columns and choices. */
static void take_dataset(ParamsState *s, const OpenDataset *d)
{
    snprintf(s->dataset, sizeof s->dataset, "%s", d->row.hash);
    check_answer_free(s->answer);
    s->answer = NULL;
    s->target[0] = s->recipe_path[0] = 0;
    s->recipe = RECIPE_NONE;
    s->recipe_chosen = false;
    s->column.count = 0;
    guess_target(s, d);
    setup_columns(s, &d->schema);
    setup_recall(s);
    setup_columns(s, &d->schema);
    setup_check(s);
}

/* Roles may have been changed in the Data pane; a draft in the Clean pane. */
static void look_again(ParamsState *s, const OpenDataset *d)
{
    guess_target(s, d);
    setup_columns(s, &d->schema);
    setup_check(s);
}

static bool tick(void *state, Ui *ui)
{
    ParamsState *s = state;
    const OpenDataset *d = ui_dataset(ui);
    bool visible = ui_visible(ui, state), shown = visible && !s->was_visible;
    s->was_visible = visible;
    if (!visible)
        return false;
    if (d && strcmp(d->row.hash, s->dataset) != 0) {
        take_dataset(s, d);
        return true;
    }
    if (!d && *s->dataset && !ui_dataset_opening(ui) && !*ui_dataset_hash(ui)) {
        s->dataset[0] = 0;
        return true;
    }
    if (shown && d)
        look_again(s, d);
    uint64_t number = ui_snapshot(ui)->number;
    bool news = number != s->seen;
    s->seen = number;
    return shown || news;
}

static void layout(void *state, int rows, int cols, Ui *ui)
{
    (void)ui;
    params_layout(state, rows, cols);
}

static void draw(const void *state, const Canvas *c, const Ui *ui)
{
    (void)ui;
    params_draw(state, c);
}

static unsigned mode(const void *state)
{
    const ParamsState *s = state;
    return s->part == PART_FORM && setup_form(s)->form.editing ? MODE_TYPE : MODE_BROWSE;
}

/* ---- commands --------------------------------------------------------------------------------------------- */

/* A value that decides what the model looks like is tried again. */
static bool shapes_model(const ParamsState *s)
{
    const FamilyForm *f = setup_form(s);
    return f->count && !text_equal(f->field[f->form.at].group, "training");
}

static Reply nudge(ParamsState *s, int direction)
{
    FamilyForm *f = setup_form(s);
    if (s->part == PART_SETUP)
        return setup_nudge(s, direction);
    if (s->part != PART_FORM)
        return REPLY_IGNORED;
    if (form_nudge(&f->form, f->field, f->count, direction))
        setup_changed(s, shapes_model(s));
    return REPLY_DRAW;
}

static Reply to_default(ParamsState *s)
{
    FamilyForm *f = setup_form(s);
    if (s->part != PART_FORM)
        return REPLY_STAY;
    form_reset(&f->form, f->field, f->count);
    setup_changed(s, shapes_model(s));
    return REPLY_DRAW;
}

static void all_defaults(void *owner, Ui *ui)
{
    ParamsState *s = owner;
    FamilyForm *f = setup_form(s);
    size_t at = f->form.at;
    for (f->form.at = 0; f->form.at < f->count; f->form.at++)
        form_reset(&f->form, f->field, f->count);
    f->form.at = at;
    setup_changed(s, true);
    ui_draw(ui);
}

static Reply switch_column(ParamsState *s)
{
    if (s->table.at >= s->column.count)
        return REPLY_STAY;
    ColumnChoice *c = &s->column.at[s->table.at];
    if (strcmp(c->name, s->target) == 0) {
        ui_say(s->ui, STYLE_WARN, "%s is what is predicted; it cannot be an input", c->name);
        return REPLY_DRAW;
    }
    c->on = !c->on;
    setup_changed(s, true);
    table_go(&s->table, &(TableSource){.rows = s->column.count},
             s->table.at + (s->table.at + 1 < s->column.count));
    return REPLY_DRAW;
}

static Reply all_columns(ParamsState *s)
{
    bool natural = setup_all_natural(s);
    for (size_t i = 0; i < s->column.count; i++)
        s->column.at[i].on = !natural && s->column.at[i].natural;
    setup_changed(s, true);
    return REPLY_DRAW;
}

/* ---- finding a field or a column by its name ------------------------------------------------------------------ */

static bool find_from(ParamsState *s, size_t from, int direction)
{
    FamilyForm *f = setup_form(s);
    size_t n = s->part == PART_FEATURES ? s->column.count : f->count;
    for (size_t k = 0; k < n; k++) {
        size_t i = (from + (direction > 0 ? k : n * 2 - k)) % n;
        const char *name = s->part == PART_FEATURES ? s->column.at[i].name : f->field[i].row->name;
        if (!strcasestr(name, s->find))
            continue;
        if (s->part == PART_FEATURES)
            s->table.at = i;
        else
            f->form.at = i;
        return true;
    }
    return false;
}

static void find_given(void *owner, const char *text, Ui *ui)
{
    ParamsState *s = owner;
    snprintf(s->find, sizeof s->find, "%s", text);
    if (s->part == PART_SETUP)
        s->part = PART_FORM;
    if (*text && !find_from(s, 0, 1))
        ui_say(ui, STYLE_WARN, "nothing here is called %s", text);
    ui_draw(ui);
}

static Reply find_next(ParamsState *s, int direction)
{
    size_t n = s->part == PART_FEATURES ? s->column.count : setup_form(s)->count;
    size_t at = s->part == PART_FEATURES ? (size_t)s->table.at : setup_form(s)->form.at;
    if (!*s->find || !n)
        return REPLY_STAY;
    find_from(s, (at + (direction > 0 ? 1 : n - 1)) % n, direction);
    return REPLY_DRAW;
}

/* ---- dispatch ---------------------------------------------------------------------------------------------------- */

static Reply own(ParamsState *s, int command, Ui *ui)
{
    switch (command) {
    case PARAMS_LAUNCH:
        setup_launch(s);
        return REPLY_DRAW;
    case PARAMS_FIND_LR:
        s->finds_lr = true;
        setup_launch(s);
        return REPLY_DRAW;
    case PARAMS_MORE:
        return nudge(s, 1);
    case PARAMS_LESS:
        return nudge(s, -1);
    case PARAMS_DEFAULT:
        return to_default(s);
    case PARAMS_DEFAULTS:
        ui_confirm(ui, "All hyperparameters back to their defaults?", setup_form(s)->family->title,
                   all_defaults, s);
        return REPLY_DRAW;
    case PARAMS_PRESET:
        setup_presets(s);
        return REPLY_DRAW;
    case PARAMS_EDIT_LINE:
        ui_prompt(ui, text_str(&s->line));
        return REPLY_DRAW;
    case PARAMS_ALL:
        return all_columns(s);
    case PARAMS_FAMILY:
    case PARAMS_TARGET:
    case PARAMS_DATASET:
        s->part = PART_SETUP;
        s->at = command == PARAMS_FAMILY   ? ROW_FAMILY
                : command == PARAMS_TARGET ? ROW_TARGET
                                           : ROW_DATASET;
        return setup_open(s);
    }
    return REPLY_IGNORED;
}

static Reply in_setup(ParamsState *s, int command)
{
    switch (command) {
    case UI_UP:
        s->at -= s->at > 0;
        return REPLY_DRAW;
    case UI_DOWN:
        s->at += s->at + 1 < ROW_COUNT;
        return REPLY_DRAW;
    case UI_TOP:
        s->at = 0;
        return REPLY_DRAW;
    case UI_BOTTOM:
        s->at = ROW_LAUNCH;
        return REPLY_DRAW;
    case UI_LEFT:
        return setup_nudge(s, -1);
    case UI_RIGHT:
        return setup_nudge(s, 1);
    case UI_OPEN:
        return setup_open(s);
    case UI_MARK:
        return s->at == ROW_FEATURES || s->at == ROW_LAUNCH ? REPLY_STAY : setup_nudge(s, 1);
    }
    return REPLY_IGNORED;
}

static Reply in_form(ParamsState *s, int command)
{
    FamilyForm *f = setup_form(s);
    if (command == UI_LEFT || command == UI_RIGHT)
        return nudge(s, command == UI_RIGHT ? 1 : -1);
    Reply reply = form_command(&f->form, f->field, f->count, command);
    if (command == UI_MARK)
        setup_changed(s, shapes_model(s));
    return reply;
}

static Reply in_part(ParamsState *s, int command)
{
    TableSource src = params_columns(s);
    if (s->part == PART_SETUP)
        return in_setup(s, command);
    if (s->part == PART_FORM)
        return in_form(s, command);
    if (command == UI_MARK || command == UI_OPEN)
        return switch_column(s);
    return table_command(&s->table, &src, command);
}

static Reply on_command(void *state, int command, Ui *ui)
{
    ParamsState *s = state;
    if (!*s->dataset)
        return command == PARAMS_DATASET ? own(s, command, ui) : REPLY_IGNORED;
    switch (command) {
    case UI_NEXT_PART:
        s->part = (Part3)((s->part + 1) % PARTS);
        return REPLY_DRAW;
    case UI_PREV_PART:
        s->part = (Part3)((s->part + PARTS - 1) % PARTS);
        return REPLY_DRAW;
    case UI_COPY:
        ui_copy(ui, text_str(&s->line));
        return REPLY_DRAW;
    case UI_NEXT:
        return find_next(s, 1);
    case UI_PREVIOUS:
        return find_next(s, -1);
    case UI_SEARCH:
        ui_ask(ui,
               &(Ask){.title = s->part == PART_FEATURES ? "Find a column" : "Find a hyperparameter",
                      .label = "name",
                      .initial = s->find,
                      .owner = s,
                      .done = find_given});
        return REPLY_DRAW;
    case UI_BACK:
        if (s->part == PART_SETUP)
            return REPLY_IGNORED;
        s->part = PART_SETUP;
        return REPLY_DRAW;
    }
    return command >= PANE_COMMANDS ? own(s, command, ui) : in_part(s, command);
}

static Reply on_key(void *state, Key key, Ui *ui)
{
    ParamsState *s = state;
    FamilyForm *f = setup_form(s);
    bool set = false;
    (void)ui;
    Reply reply = form_key(&f->form, f->field, f->count, key, &set);
    if (set)
        setup_changed(s, shapes_model(s));
    return reply;
}

static Reply on_mouse(void *state, const Mouse *m, Ui *ui)
{
    ParamsState *s = state;
    FamilyForm *f = setup_form(s);
    TableSource src = params_columns(s);
    bool wheel = m->kind == MOUSE_WHEEL_UP || m->kind == MOUSE_WHEEL_DOWN;
    (void)ui;
    switch (m->id) {
    case ZONE_SETUP:
        if (wheel)
            return REPLY_STAY;
        s->part = PART_SETUP;
        s->at = (size_t)m->index;
        return m->kind == MOUSE_DOUBLE || s->at == ROW_LAUNCH ? setup_open(s) : REPLY_DRAW;
    case ZONE_COLUMNS:
        s->part = PART_FEATURES;
        table_mouse(&s->table, &src, m);
        return m->kind == MOUSE_DOUBLE ? switch_column(s) : REPLY_DRAW;
    case ZONE_FORM:
        s->part = PART_FORM;
        form_mouse(&f->form, f->field, f->count, m);
        return REPLY_DRAW;
    }
    return REPLY_IGNORED;
}

static const char *why_not(const void *state, int command, const Ui *ui)
{
    const ParamsState *s = state;
    if (command < PANE_COMMANDS || command == PARAMS_DATASET)
        return NULL;
    if (!*s->dataset)
        return "no dataset is chosen; 1 lists them";
    if (command == PARAMS_FIND_LR && setup_form((ParamsState *)(uintptr_t)s)->family->whole_batch)
        return "this family has no learning rate that could diverge";
    if (command == PARAMS_PRESET && ui_snapshot(ui)->runs == 0)
        return "there is no earlier run yet";
    if ((command == PARAMS_DEFAULT || command == PARAMS_MORE || command == PARAMS_LESS) &&
        s->part == PART_FEATURES)
        return "Space switches a column";
    bool steps = s->at == ROW_TARGET || s->at == ROW_FAMILY || s->at == ROW_RECIPE || s->at == ROW_SPLIT || s->at == ROW_SEED;
    if ((command == PARAMS_MORE || command == PARAMS_LESS) && s->part == PART_SETUP && !steps)
        return "Enter changes this one";
    if (command == PARAMS_DEFAULT && s->part == PART_SETUP)
        return "Tab goes to the hyperparameters";
    return NULL;
}

static void badge(const void *state, const Ui *ui, Text *into, Style *style)
{
    const ParamsState *s = state;
    (void)ui;
    if (*s->dataset)
        text_puts(into, setup_form(s)->family->name);
    *style = STYLE_DIM;
}

const Pane params_pane = {
    .name = "params",
    .title = "Params",
    .about = "set up a training: target, family, inputs, recipe, hyperparameters; launch it",
    .keys = keys,
    .state_size = sizeof(ParamsState),
    .create = create,
    .destroy = destroy,
    .tick = tick,
    .layout = layout,
    .draw = draw,
    .on_command = on_command,
    .on_mouse = on_mouse,
    .why_not = why_not,
    .mode = mode,
    .text_modes = MODE_TYPE,
    .on_key = on_key,
    .badge = badge,
    .table = params_table_shown,
    .keep = params_keep,
    .put = params_put,
};
