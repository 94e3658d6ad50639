/* runs_ask.c -- what the Runs pane asks before it acts: which runs to show, whether one is to go, where to plot */
#include "runs_int.h"

#include <stdio.h>
#include <string.h>

static void deleted(void *owner, const json_t *result, const Error *err, Ui *ui)
{
    (void)owner;
    if (!result)
        ui_error(ui, err);
    ui_refresh(ui);
}

static void delete_it(void *owner, Ui *ui)
{
    RunsState *s = owner;
    char line[64];
    snprintf(line, sizeof line, "runs delete %lld", (long long)s->steer.run);
    ui_command(ui, line, s, deleted);
}

void runs_confirm_delete(RunsState *s, const RunRow *run)
{
    char question[160];
    s->steer.run = run->id;
    snprintf(question, sizeof question, "Delete run %lld %.80s?", (long long)run->id, run->name);
    ui_confirm(s->ui, question, "Its metrics, checkpoints and model go for good.", delete_it, s);
}

void runs_find_set(void *owner, const char *text, Ui *ui)
{
    RunsState *s = owner;
    snprintf(s->find, sizeof s->find, "%s", text);
    runs_arrange(s);
    ui_draw(ui);
}

static bool filter_check(void *owner, const char *text, Error *err)
{
    return runs_filter_check(owner, text, err);
}

void runs_filter_set(void *owner, const char *text, Ui *ui)
{
    RunsState *s = owner;
    snprintf(s->filter, sizeof s->filter, "%s", text + strspn(text, " "));
    s->filter_known = true;
    ui_set_setting(ui, "runs-filter", s->filter);
    runs_arrange(s);
    ui_draw(ui);
}

static void filter_complete(void *owner, const char *text, void (*add)(void *, const char *word), void *context)
{
    runs_filter_complete(owner, text, add, context);
}

void runs_ask_filter(RunsState *s)
{
    ui_ask(s->ui, &(Ask){.title = "Show runs by an expression", .label = "where", .initial = s->filter, .owner = s,
                         .about = "val_rmse < 3 and family = gbdt and has:note; Tab completes; empty shows all",
                         .check = filter_check, .complete = filter_complete, .done = runs_filter_set});
}

void runs_ask_plot(RunsState *s)
{
    int64_t runs[RUN_SIDES];
    size_t n = ui_marked_runs(s->ui, runs, RUN_SIDES);
    const RunRow *run = runs_here(s);
    char line[256] = "plot";
    if (!n && run)
        runs[n++] = run->id;
    for (size_t i = 0; i < n; i++)
        snprintf(line + strlen(line), sizeof line - strlen(line), " %lld", (long long)runs[i]);
    snprintf(line + strlen(line), sizeof line - strlen(line), " out=loss.png");
    ui_prompt(s->ui, line);
}
