/* train_steer.c -- what is asked of the run that is watched: each is the command a user would type. */
#include "train_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOT_ROWS = 2 };

/* The answer is the run's row, which the pane shows anyway: what was asked is said instead. */
static void verb_done(void *owner, const json_t *result, const Error *err, Ui *ui)
{
    TrainState *s = owner;
    (void)result;
    if (err && err->kind != ERROR_NONE)
        ui_error(ui, err);
    else
        ui_say(ui, STYLE_INFO, "%s", s->said);
    ui_refresh(ui);
}

void train_verb(TrainState *s, const char *verb, const char *rest, const char *say)
{
    char line[400];
    const RunRow *run = train_run(s);
    if (!run)
        return;
    snprintf(line, sizeof line, "runs %s %lld%s%s", verb, (long long)run->id, *rest ? " " : "",
             rest);
    snprintf(s->said, sizeof s->said, "Run %lld: %s", (long long)run->id, say);
    ui_command(s->ui, line, s, verb_done);
}

void train_pause(TrainState *s)
{
    const RunRow *run = train_run(s);
    bool pause = run && run->status == RUN_RUNNING;
    train_verb(s, pause ? "pause" : "resume", "", pause ? "pauses after this step" : "goes on");
}

static void stop_it(void *owner, Ui *ui)
{
    (void)ui;
    train_verb(owner, "stop", "", "ends after this step; then come best weights and test metrics");
}

void train_stop(TrainState *s)
{
    char question[200];
    const RunRow *run = train_run(s);
    snprintf(question, sizeof question, "Stop run %lld %s?", (long long)run->id, run->name);
    ui_confirm(s->ui, question,
               "It keeps its best weights, is tested and can be used; it cannot go on.", stop_it,
               s);
}

/* ---- a live hyperparameter ------------------------------------------------------------------------------ */

/* The rows that may be changed while a run trains, of the run and of its family. */
static const Param *live_row(const RunRow *run, const char *key)
{
    const ModelFamily *family = model_family(run->family);
    const Param *row = family ? param_find(family->params, key) : NULL;
    row = row ? row : param_find(run_params, key);
    return row && row->live ? row : NULL;
}

static bool check_value(void *owner, const char *text, Error *err)
{
    TrainState *s = owner;
    const RunRow *run = train_run(s);
    RunSpec spec;
    if (!run || !*text)
        return error_set(err, ERROR_USAGE, "type the new value of %s", s->set_key);
    const ModelFamily *family = model_family(run->family);
    run_spec_init(&spec, family);
    bool ok = run_spec_set(&spec, s->set_key, text, err);
    run_spec_release(&spec);
    return ok;
}

static void set_value(void *owner, const char *text, Ui *ui)
{
    TrainState *s = owner;
    char rest[300];
    (void)ui;
    char say[200];
    snprintf(rest, sizeof rest, "%s=%s", s->set_key, text);
    snprintf(say, sizeof say, "%.40s is %.100s from its next step on", s->set_key, text);
    train_verb(s, "set", rest, say);
}

static void ask_value(TrainState *s, const char *key)
{
    const RunRow *run = train_run(s);
    const Param *row = run ? live_row(run, key) : NULL;
    const char *now = run ? curves_setting(train_curves(s, run->id), key) : NULL;
    char title[120];
    Text about = {0};
    if (!row)
        return;
    snprintf(s->set_key, sizeof s->set_key, "%s", key);
    snprintf(title, sizeof title, "Change %s of run %lld while it trains", key, (long long)run->id);
    text_printf(&about, "%s; ", row->help);
    param_range(row, &about);
    ui_ask(s->ui, &(Ask){.title = title,
                         .label = s->set_key,
                         .initial = now ? now : "",
                         .owner = s,
                         .about = text_str(&about),
                         .done = set_value,
                         .check = check_value});
    text_release(&about);
}

static void picked(void *owner, size_t item, Ui *ui)
{
    TrainState *s = owner;
    (void)ui;
    if (item < s->lives)
        ask_value(s, s->live[item]->name);
}

static void add_live(TrainState *s, const Param *rows, const Param *hidden_by)
{
    for (; rows && rows->kind != PARAM_KIND_END && s->lives < TRAIN_LIVE; rows++)
        if (rows->live && !(hidden_by && param_find(hidden_by, rows->name)))
            s->live[s->lives++] = rows;
}

void train_edit(TrainState *s)
{
    const RunRow *run = train_run(s);
    const ModelFamily *family = run ? model_family(run->family) : NULL;
    const Curves *c = run ? train_curves(s, run->id) : NULL;
    MenuItem item[TRAIN_LIVE];
    char label[TRAIN_LIVE][64];
    if (!family)
        return;
    s->lives = 0;
    add_live(s, run_params, family->params);
    add_live(s, family->params, NULL);
    for (size_t i = 0; i < s->lives; i++) {
        const char *now = curves_setting(c, s->live[i]->name);
        snprintf(label[i], sizeof label[i], "%-14s %s", s->live[i]->name, now ? now : "");
        item[i] = (MenuItem){.label = label[i], .note = s->live[i]->help};
    }
    ui_menu(s->ui, "Change while it trains", item, s->lives, 0, picked, s);
}

/* ---- quick ones ---------------------------------------------------------------------------------------- */

void train_scale_lr(TrainState *s, double by)
{
    const RunRow *run = train_run(s);
    const char *now = run ? curves_setting(train_curves(s, run->id), "lr") : NULL;
    double lr;
    char rest[64], say[120];
    if (!now || !text_to_real(now, strlen(now), &lr))
        return;
    snprintf(rest, sizeof rest, "lr=%.6g", lr * by);
    snprintf(say, sizeof say, "lr %.20s %s %.20s from its next step on", now, by > 1 ? "up to" : "down to", rest + 3);
    train_verb(s, "set", rest, say);
}

/* At the crosshair, else at the end: from the last checkpoint before, with a first change to edit. */
void train_fork(TrainState *s)
{
    const RunRow *run = train_run(s);
    const Curves *c = run ? train_curves(s, run->id) : NULL;
    const char *lr = curves_setting(c, "lr");
    char line[160];
    int64_t at = s->has_cross ? train_cross_step(s) : INT64_MAX, step = curves_checkpoint(c, at);
    if (step < 0 && c && c->checkpoint.count)
        step = c->checkpoint.at[0];
    if (!run || step < 0) {
        ui_say(s->ui, STYLE_WARN, "This run has no checkpoint to fork from yet; c writes one.");
        return;
    }
    snprintf(line, sizeof line, "runs fork %lld step=%lld lr=%s", (long long)run->id,
             (long long)step, lr ? lr : "");
    ui_prompt(s->ui, line);
}

/* ---- from a step to its rows ------------------------------------------------------------------------------ */

static void rows_read(void *owner, void *result, const Error *err, Ui *ui)
{
    (void)owner;
    (void)err; /* the frame has said it */
    if (result)
        ui_show_rows(ui, result);
}

void train_rows(TrainState *s)
{
    const RunRow *run = train_run(s);
    if (!run)
        return;
    if (!s->has_cross) {
        ui_say(s->ui, STYLE_INFO,
               "h and l move a crosshair; Enter then shows the rows of that step.");
        return;
    }
    RowsAsk ask = {.run = run->id, .step = train_cross_step(s)};
    ui_job(s->ui, (Job){.owner = s,
                        .slot = SLOT_ROWS,
                        .what = "finding the rows of a step",
                        .run = train_rows_load,
                        .input = mem_copy(&ask, sizeof ask),
                        .done = rows_read,
                        .release = found_rows_destroy,
                        .urgent = true});
}
