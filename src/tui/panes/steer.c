/* steer.c -- what is asked of a run: each is the command a user would type. */
#include "steer.h"

#include "../whatif.h"

#include <stdio.h>
#include <string.h>

static const RunRow *run_of(const Steer *s)
{
    return snapshot_run(ui_snapshot(s->ui), s->run);
}

static const char *setting(const Steer *s, const char *key, int64_t step)
{
    return s->setting ? s->setting(s->owner, s->run, key, step) : NULL;
}

/* The answer is the run's row, which the panes show anyway: what was asked is said instead. */
static void verb_done(void *owner, const json_t *result, const Error *err, Ui *ui)
{
    Steer *s = owner;
    if (result)
        ui_say(ui, STYLE_INFO, "%s", s->said);
    else
        ui_error(ui, err);
    ui_refresh(ui);
}

static void ask(Steer *s, const char *verb, const char *rest, const char *say)
{
    char line[400];
    snprintf(line, sizeof line, "runs %s %lld%s%s", verb, (long long)s->run, *rest ? " " : "", rest);
    snprintf(s->said, sizeof s->said, "Run %lld: %s", (long long)s->run, say);
    ui_command(s->ui, line, s, verb_done);
}

static void pause_it(Steer *s, const RunRow *run)
{
    bool pause = run->status == RUN_RUNNING;
    ask(s, pause ? "pause" : "resume", "", pause ? "pauses after this step" : "goes on");
}

static void stop_it(void *owner, Ui *ui)
{
    (void)ui;
    ask(owner, "stop", "", "ends after this step; then come best weights and test metrics");
}

static void confirm_stop(Steer *s, const RunRow *run)
{
    char question[200];
    snprintf(question, sizeof question, "Stop run %lld %s?", (long long)run->id, run->name);
    ui_confirm(s->ui, question, "It keeps its best weights, is tested and can be used; it cannot go on.",
               stop_it, s);
}

/* ---- a live hyperparameter ------------------------------------------------------------------------------ */

/* The rows that may be changed while a run trains, of the run and of its family. */
static const Param *live_row(const RunRow *run, const char *key)
{
    const ModelFamily *family = model_family(run->family);
    const Param *row = family ? param_find(family->params, key) : NULL;
    row = row ? row : param_find(run_params, key);
    return row && row->live && model_family_takes(family, row) ? row : NULL;
}

static bool check_value(void *owner, const char *text, Error *err)
{
    Steer *s = owner;
    const RunRow *run = run_of(s);
    RunSpec spec;
    if (!run || !*text)
        return error_set(err, ERROR_USAGE, "type the new value of %s", s->key);
    run_spec_init(&spec, model_family(run->family));
    bool ok = run_spec_set(&spec, s->key, text, err);
    run_spec_release(&spec);
    return ok;
}

static void set_value(void *owner, const char *text, Ui *ui)
{
    Steer *s = owner;
    char rest[300], say[200];
    (void)ui;
    snprintf(rest, sizeof rest, "%s=%s", s->key, text);
    snprintf(say, sizeof say, "%.40s is %.100s from its next step on", s->key, text);
    ask(s, "set", rest, say);
}

static void picked(void *owner, size_t item, Ui *ui)
{
    Steer *s = owner;
    const RunRow *run = run_of(s);
    const Param *row = run && item < s->lives ? live_row(run, s->live[item]->name) : NULL;
    if (!row)
        return;
    const char *now = setting(s, row->name, INT64_MAX);
    char title[120];
    Text about = {0};
    snprintf(s->key, sizeof s->key, "%s", row->name);
    snprintf(title, sizeof title, "Change %s of run %lld while it trains", row->name, (long long)s->run);
    text_printf(&about, "%s; ", row->help);
    param_range(row, &about);
    ui_ask(ui, &(Ask){.title = title, .label = s->key, .initial = now ? now : "", .owner = s,
                      .about = text_str(&about), .done = set_value, .check = check_value});
    text_release(&about);
}

static void add_live(Steer *s, const ModelFamily *family, const Param *rows, const Param *hidden_by)
{
    for (; rows && rows->kind != PARAM_KIND_END && s->lives < STEER_LIVE; rows++)
        if (rows->live && model_family_takes(family, rows) &&
            !(hidden_by && param_find(hidden_by, rows->name)))
            s->live[s->lives++] = rows;
}

static void change(Steer *s, const RunRow *run)
{
    const ModelFamily *family = model_family(run->family);
    MenuItem item[STEER_LIVE];
    char label[STEER_LIVE][64];
    if (!family)
        return;
    s->lives = 0;
    add_live(s, family, run_params, family->params);
    add_live(s, family, family->params, NULL);
    for (size_t i = 0; i < s->lives; i++) {
        const char *now = setting(s, s->live[i]->name, INT64_MAX);
        snprintf(label[i], sizeof label[i], "%-14s %s", s->live[i]->name, now ? now : "");
        item[i] = (MenuItem){.label = label[i], .note = s->live[i]->help};
    }
    ui_menu(s->ui, "Change while it trains", item, s->lives, 0, picked, s);
}

static void scale_lr(Steer *s, double by)
{
    const char *now = setting(s, "lr", INT64_MAX);
    double lr;
    char rest[64], say[120];
    if (!now || !text_to_real(now, strlen(now), &lr)) {
        ui_say(s->ui, STYLE_WARN, "the learning rate of run %lld is not known yet", (long long)s->run);
        return;
    }
    snprintf(rest, sizeof rest, "lr=%.6g", lr * by);
    snprintf(say, sizeof say, "lr %.20s %s %.20s from its next step on", now, by > 1 ? "up to" : "down to",
             rest + 3);
    ask(s, "set", rest, say);
}

/* ---- a run from a run --------------------------------------------------------------------------------------- */

/* A first change stands there to be edited. */
static void fork_it(Steer *s)
{
    char line[160], at[40] = "";
    int64_t step = s->fork_step ? s->fork_step(s->owner, s->run) : -2;
    const char *lr = setting(s, "lr", step >= 0 ? step : INT64_MAX);
    if (step == -1) {
        ui_say(s->ui, STYLE_WARN, "This run has no checkpoint to fork from yet.");
        return;
    }
    if (step >= 0)
        snprintf(at, sizeof at, "step=%lld ", (long long)step);
    snprintf(line, sizeof line, "runs fork %lld %slr=%s", (long long)s->run, at, lr ? lr : "");
    ui_prompt(s->ui, line);
}

Reply steer_command(Steer *s, int command, int64_t id)
{
    if (command < STEER_CHANGE || command >= STEER_END_)
        return REPLY_IGNORED;
    char line[64];
    s->run = id;
    const RunRow *run = run_of(s);
    switch (run ? command : 0) {
    case STEER_CHANGE:     change(s, run); break;
    case STEER_PAUSE:      pause_it(s, run); break;
    case STEER_STOP:       confirm_stop(s, run); break;
    case STEER_FORK:       fork_it(s); break;
    case STEER_RESUME:     ask(s, "resume", "", "goes on from its last checkpoint"); break;
    case STEER_LR_DOWN:    scale_lr(s, 0.5); break;
    case STEER_LR_UP:      scale_lr(s, 2.0); break;
    case STEER_CHECKPOINT: ask(s, "checkpoint", "", "writes a checkpoint after this step"); break;
    case STEER_WHATIF:     ui_whatif(s->ui, id, 0); break;
    case STEER_PREDICT:
        snprintf(line, sizeof line, "predict %lld ", (long long)id);
        ui_prompt(s->ui, line);
        break;
    }
    return REPLY_DRAW;
}

const char *steer_why_not(const RunRow *run, bool alive, int command)
{
    if (command < STEER_CHANGE || command >= STEER_END_)
        return NULL;
    if (!run)
        return "there is no run yet; 3 sets one up";
    bool going = run->status == RUN_RUNNING || run->status == RUN_PAUSED;
    switch (command) {
    case STEER_CHANGE: case STEER_PAUSE: case STEER_STOP: case STEER_CHECKPOINT: case STEER_LR_DOWN:
    case STEER_LR_UP:
        return run->status == RUN_FINISHED ? "this run has finished; f forks it with changes"
               : !going ? "this run is not training; R goes on from its last checkpoint"
                        : NULL;
    case STEER_RESUME:
        return run->status == RUN_FINISHED ? "this run has finished; f forks it"
               : run->status == RUN_RUNNING && alive ? "this run is training" : NULL;
    case STEER_PREDICT: case STEER_WHATIF:
        return run->status != RUN_FINISHED ? "this run has no model yet" : NULL;
    }
    return NULL;
}

/* One key pauses and goes on; a second word for going on would say that it is something else. */
const char *steer_hint(const RunRow *run, int command)
{
    if (!run || run->status != RUN_PAUSED)
        return NULL;
    return command == STEER_PAUSE ? "resume" : command == STEER_RESUME ? "" : NULL;
}
