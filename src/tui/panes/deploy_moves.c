/* deploy_moves.c -- what is asked of a deployment: each move is confirmed and is then the command a user would
 * type, so it is made, checked and audited the same way. */
#include "deploy_int.h"

#include <stdio.h>
#include <string.h>

static void done(void *owner, const json_t *result, const Error *err, Ui *ui)
{
    DeployState *s = owner;
    const char *said = json_string_value(json_object_get(result, "check"));
    const char *state = json_string_value(json_object_get(result, "state"));
    if (!result)
        ui_error(ui, err);
    else if (said)
        ui_say(ui, STYLE_INFO, "%s: %s", s->move_name, said);
    else if (state)
        ui_say(ui, STYLE_GOOD, "%s is %s", s->move_name, state);
    s->set_revision = -1; /* what was refused is shown as it is */
    deploy_load(s);
    ui_refresh(ui);
}

/* ---- moves ------------------------------------------------------------------------------------------------------ */

static bool takes_model(DeployMove m)
{
    return m == MOVE_SHADOW || m == MOVE_CANARY || m == MOVE_GREEN;
}

static bool other_model(const DeployState *s, const DeploymentRow *row)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    for (size_t i = 0; i < snap->models; i++)
        if (snap->model[i].id != row->model)
            return true;
    return false;
}

const char *deploy_why_not(const DeployState *s, DeployMove m)
{
    const DeploymentRow *row = deploy_at(s);
    if (!row)
        return "there is no deployment yet; a makes one";
    const char *why = deploy_move_why_not(row, m);
    if (!why && takes_model(m) && !row->candidate && !other_model(s, row))
        return "there is no other model yet: train one";
    return why;
}

static void move_now(void *owner, Ui *ui)
{
    DeployState *s = owner;
    char line[400];
    (void)ui;
    snprintf(line, sizeof line, "deploy %s %s%s%s", s->move_name, deploy_move_name(s->move),
             *s->model ? " model=" : "", s->model);
    ui_command(s->ui, line, s, done);
}

static void confirm(DeployState *s)
{
    char question[400];
    snprintf(question, sizeof question, "%s: %s%s%s?", s->move_name, deploy_move_name(s->move),
             *s->model ? " with " : "", s->model);
    ui_confirm(s->ui, question, deploy_move_about(s->move), move_now, s);
}

static void model_chosen(void *owner, size_t item, Ui *ui)
{
    DeployState *s = owner;
    Text name = {0};
    (void)ui;
    if (item >= s->choice.count)
        return;
    snprintf(s->model, sizeof s->model, "%s", deploy_model_name(s, s->choice.at[item], &name));
    text_release(&name);
    confirm(s);
}

/* Every model but `without`, the newest first; `first` is where the cursor begins. */
static void choose_model(DeployState *s, const char *title, int64_t without, int64_t first,
                         void (*picked)(void *owner, size_t item, Ui *ui))
{
    const Snapshot *snap = ui_snapshot(s->ui);
    Arena a = {0};
    size_t at = 0;
    MenuItem *items = ARENA_NEW(&a, MenuItem, snap->models + 1);
    s->choice.count = 0;
    for (size_t i = 0; i < snap->models; i++) {
        const ModelRow *m = &snap->model[i];
        const RunRow *run = snapshot_run(snap, m->run);
        if (m->id == without)
            continue;
        if (m->id == first)
            at = s->choice.count;
        items[s->choice.count] =
            (MenuItem){.label = arena_printf(&a, "%s/%lld", m->name, (long long)m->version),
                       .note = arena_printf(&a, "%s%s%s %s", m->alias, *m->alias ? ", " : "",
                                            run ? run->family : "", run ? run->target : "")};
        vec_add(&s->choice, m->id);
    }
    ui_menu(s->ui, title, items, s->choice.count, at, picked, s);
    arena_release(&a);
}

void deploy_move_ask(DeployState *s, DeployMove m)
{
    const DeploymentRow *row = deploy_at(s);
    if (!row)
        return;
    s->move = m;
    s->model[0] = 0;
    snprintf(s->move_name, sizeof s->move_name, "%s", row->name);
    if (takes_model(m) && text_equal(row->state, "live"))
        choose_model(s, "Which model is the candidate?", row->model, row->candidate, model_chosen);
    else
        confirm(s);
}

/* ---- others -------------------------------------------------------------------------------------------------------- */

static void check_now(void *owner, Ui *ui)
{
    DeployState *s = owner;
    char line[200];
    (void)ui;
    snprintf(line, sizeof line, "deploy %s check", s->move_name);
    ui_command(s->ui, line, s, done);
}

void deploy_check_ask(DeployState *s)
{
    const DeploymentRow *row = deploy_at(s);
    if (!row)
        return;
    snprintf(s->move_name, sizeof s->move_name, "%s", row->name);
    char question[200];
    snprintf(question, sizeof question, "Check the step of %s now?", row->name);
    ui_confirm(s->ui, question, "With automation=full it moves on, or back, by what is found.",
               check_now, s);
}

static void remove_now(void *owner, Ui *ui)
{
    DeployState *s = owner;
    char line[200];
    (void)ui;
    snprintf(line, sizeof line, "deploy %s remove", s->move_name);
    ui_command(s->ui, line, s, done);
}

void deploy_remove_ask(DeployState *s)
{
    const DeploymentRow *row = deploy_at(s);
    char question[200];
    if (!row)
        return;
    snprintf(s->move_name, sizeof s->move_name, "%s", row->name);
    snprintf(question, sizeof question, "Remove the deployment %s?", row->name);
    ui_confirm(s->ui, question, "Its models, checks and audit stay.", remove_now, s);
}

static void name_given(void *owner, const char *text, Ui *ui)
{
    DeployState *s = owner;
    char line[400];
    (void)ui;
    snprintf(s->name, sizeof s->name, "%s", text); /* the cursor goes there when it has come */
    snprintf(s->move_name, sizeof s->move_name, "%s", text);
    snprintf(line, sizeof line, "deploy '%s' model=%s", text, s->model);
    ui_command(s->ui, line, s, done);
}

static bool name_check(void *owner, const char *text, Error *err)
{
    DeployState *s = owner;
    if (!*text ||
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") !=
            strlen(text))
        return error_set(err, ERROR_USAGE, "letters, digits, _, - and .");
    for (size_t i = 0; s->view && i < s->view->rows; i++)
        if (text_equal(s->view->row[i].name, text))
            return error_set(err, ERROR_USAGE, "there is one already");
    return true;
}

static void new_model(void *owner, size_t item, Ui *ui)
{
    DeployState *s = owner;
    Text name = {0};
    if (item >= s->choice.count)
        return;
    snprintf(s->model, sizeof s->model, "%s", deploy_model_name(s, s->choice.at[item], &name));
    text_release(&name);
    ui_ask(ui, &(Ask){.title = "A new deployment",
                      .label = "name",
                      .initial = "",
                      .about = "under which it answers: lathe serve deployment=NAME",
                      .owner = s,
                      .done = name_given,
                      .check = name_check});
}

void deploy_new_ask(DeployState *s)
{
    choose_model(s, "Which model answers?", 0, 0, new_model);
}

static void alias_given(void *owner, const char *text, Ui *ui)
{
    DeployState *s = owner;
    char line[400];
    Text name = {0};
    (void)ui;
    bool away = text[0] == '-';
    snprintf(line, sizeof line, "models %s %s '%s'", away ? "unalias" : "alias",
             deploy_model_name(s, s->model_at, &name), text + away);
    text_release(&name);
    ui_command(s->ui, line, s, done);
}

static bool alias_check(void *owner, const char *text, Error *err)
{
    (void)owner;
    const char *word = text + (text[0] == '-');
    return (*word && !strpbrk(word, " \t'\"@/")) ||
           error_set(err, ERROR_USAGE, "one word without quotes, @ and /");
}

void deploy_alias_ask(DeployState *s)
{
    const Snapshot *snap = ui_snapshot(s->ui);
    uint64_t at = s->table[DEPLOY_MODELS].at;
    char title[200];
    Text name = {0};
    if (at >= snap->models)
        return;
    s->model_at = snap->model[at].id;
    snprintf(title, sizeof title, "An alias for %s", deploy_model_name(s, s->model_at, &name));
    text_release(&name);
    ui_ask(s->ui, &(Ask){.title = title,
                         .label = "alias",
                         .initial = "",
                         .about = "champion, challenger, any word; -WORD takes it away",
                         .owner = s,
                         .done = alias_given,
                         .check = alias_check});
}

void deploy_set(DeployState *s)
{
    const FormField *f = &s->field[s->form.at];
    Text value = {0}, line = {0};
    param_get(f->row, f->settings, &value);
    snprintf(s->move_name, sizeof s->move_name, "%s", s->set_of);
    if (strchr(text_str(&value), '\''))
        ui_say(s->ui, STYLE_BAD, "%s: a value with ' is set in the shell: lathe deploy %s %s=...",
               f->row->name, s->set_of, f->row->name);
    else {
        text_printf(&line, "deploy %s '%s=%s'", s->set_of, f->row->name, text_str(&value));
        ui_command(s->ui, text_str(&line), s, done);
    }
    text_release(&value);
    text_release(&line);
}
