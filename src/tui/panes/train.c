/* train.c -- 4 Train: a run while it trains, and after: its curves, live, and the hands on it. */
#include "train_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ZONE_CHART = 1, ZONE_EVENTS };
#define POLL_SECONDS 0.12

// clang-format off
static const KeyRow keys[] = {
    STEER_KEYS,
    {TRAIN_ROWS,      "rows-of-step",   "Enter", "rows",     "the rows of the step under the crosshair, largest loss first", 0},
    {TRAIN_SMOOTH,    "smooth",         "s",     "smooth",   "smooth the noisy curves: none, light, strong", 0},
    {TRAIN_LOG,       "log-axis",       "L",     "log",      "logarithmic values in the active chart, or not", 0},
    {TRAIN_AXIS,      "axis",           "a",     "axis",     "the axis: step, epoch, seconds since its start, time of day", 0},
    {TRAIN_LAYERS,    "layers",         "v",     "layers",   "the outputs and gradients of its layers in the next step", 0},
    {TRAIN_CHOOSE,    "choose-run",     "r",     "runs",     "watch another run", 0},
    {TRAIN_ZOOM_IN,   "zoom-in",        "+ =",   "zoom",     "zoom in on the crosshair, or on the end", 0},
    {TRAIN_ZOOM_OUT,  "zoom-out",       "-",     NULL,       "zoom out", 0},
    {TRAIN_EARLIER,   "pan-left",       "<",     NULL,       "earlier part of the curve", 0},
    {TRAIN_LATER,     "pan-right",      ">",     NULL,       "later part of the curve", 0},
    {TRAIN_ALL,       "zoom-all",       "0",     NULL,       "the whole curve again", 0},
    {TRAIN_X_LOG,     "log-steps",      "X",     NULL,       "logarithmic axis, or not: what the first steps did", 0},
    {TRAIN_BEST,      "to-best",        "b",     "best",     "crosshair to the best step", 0},
    {TRAIN_OTHERS,    "other-runs",     "o",     "others",   "draw marked runs and forks with it, or not", 0},
    {TRAIN_MARK,      "mark-this-run",  "m",     "mark",     "mark this run: it stays on the chart when another is watched", 0},
    {TRAIN_PLOT,      "plot-run",       "w",     "write",    "write the curves to a file (PNG, SVG, PDF)", 0},
    {0}};
// clang-format on

/* ---- state ------------------------------------------------------------------------------------------------------ */

static const char *setting_at(const void *owner, int64_t run, const char *key, int64_t step)
{
    return curves_setting(train_curves(owner, run), key, step);
}

/* At the crosshair, else at the end: the last checkpoint before, or the first there is. */
static int64_t fork_step(const void *owner, int64_t run)
{
    const TrainState *s = owner;
    const Curves *c = train_curves(s, run);
    int64_t step = curves_checkpoint(c, s->has_cross ? train_cross_step(s) : INT64_MAX);
    return step < 0 && c && c->checkpoint.count ? c->checkpoint.at[0] : step;
}

static void create(void *state, Ui *ui)
{
    TrainState *s = state;
    s->ui = ui;
    s->steer = (Steer){.ui = ui, .owner = s, .setting = setting_at, .fork_step = fork_step};
    s->others = true;
    s->smooth = 1;
    s->event_at = -1;
    train_charts(s);
}

static void destroy(void *state)
{
    TrainState *s = state;
    for (size_t i = 0; i < TRAIN_RUNS; i++)
        curves_release(&s->curves[i]);
}

static bool tick(void *state, Ui *ui)
{
    TrainState *s = state;
    const Snapshot *snap = ui_snapshot(ui);
    bool news = snap->number != s->seen;
    if (!ui_visible(ui, state))
        return false;
    int64_t before = s->shows ? s->shown[0] : 0;
    s->seen = snap->number;
    train_gather(s);
    const RunRow *run = train_run(s);
    if (news || before != (run ? run->id : 0))
        train_charts(s);
    if (run && run->status == RUN_RUNNING)
        ui_animate(ui, 0.5);
    if (news || ui_now(ui) - s->asked >= POLL_SECONDS)
        train_read(s);
    train_machine_read(s);
    return news || before != (run ? run->id : 0) || (run && run->status == RUN_RUNNING);
}

/* ---- layout ----------------------------------------------------------------------------------- */

static void layout(void *state, int rows, int cols, Ui *ui)
{
    TrainState *s = state;
    for (size_t i = 0; i < s->shows; i++)
        for (size_t k = 0; k < TRAIN_RUNS; k++)
            if (s->curves[k].run == s->shown[i])
                curves_derive(&s->curves[k], s->axis, s->smooth);
    s->rows = rows;
    s->cols = cols;
    s->places = 0;
    train_follow(s);
    int top = rows >= 28 ? 3 : 2;
    s->notice_row = top;
    s->notice_rows = train_notice_rows(s, rows);
    top += s->notice_rows;
    bool one = ui_maximised(ui);
    s->events_rows = !one && rows >= 44 ? 9 : !one && rows >= 36 ? 6 : 0;
    s->values_row = rows - s->events_rows - 1;
    bool strip = s->machine.time > 0 && rows >= 24 && train_run(s) && train_run(s)->status == RUN_RUNNING;
    s->machine_row = strip ? s->values_row - 1 : -1;
    s->events_row = rows - s->events_rows;
    train_place(s, top, s->values_row - top - strip, one);
    train_hold(s);
}

/* ---- drawing -------------------------------------------------------------------------------------------------------- */

static void draw_empty(const Canvas *c)
{
    int row = c->rows / 3;
    const char *lines[] = {"No training run yet", "",
                           "3 sets one up with a form; x there launches it and comes back here.",
                           "Or type  :train mlp data=NAME target=COLUMN  in any pane."};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        canvas_field(c, row + (int)i, 0, c->cols, ALIGN_CENTRE, i ? STYLE_DIM : STYLE_TITLE,
                     lines[i]);
}

static void draw(const void *state, const Canvas *c, const Ui *ui)
{
    const TrainState *s = state;
    (void)ui;
    if (!train_run(s)) {
        draw_empty(c);
        return;
    }
    train_draw_head(s, c);
    Canvas notice = canvas_part(c, s->notice_row, 0, s->notice_rows, c->cols);
    train_draw_notice(s, &notice);
    for (size_t i = 0; i < s->places; i++) {
        const Place *p = &s->place[i];
        train_chart_draw(s, p, c, p->chart == s->active);
        canvas_zone(c, p->row, p->col, p->rows, p->cols, ZONE_CHART, (int64_t)i);
    }
    if (s->machine_row > 0) {
        Canvas strip = canvas_part(c, s->machine_row, 0, 1, c->cols);
        train_draw_machine(s, &strip);
    }
    Canvas values = canvas_part(c, s->values_row, 0, 1, c->cols);
    if (s->trouble.kind != ERROR_NONE)
        canvas_field(&values, 0, 1, c->cols - 2, ALIGN_LEFT, STYLE_BAD, s->trouble.text);
    else
        train_draw_values(s, &values);
    if (s->events_rows > 0) {
        Canvas events = canvas_part(c, s->events_row, 0, s->events_rows, c->cols);
        train_draw_events(s, &events);
        canvas_zone(&events, 0, 0, events.rows, events.cols, ZONE_EVENTS, 0);
    }
}

/* ---- commands ----------------------------------------------------------------------------------- */

static void plot(TrainState *s)
{
    char line[256] = "plot";
    for (size_t i = 0; i < s->shows; i++)
        snprintf(line + strlen(line), sizeof line - strlen(line), " %lld", (long long)s->shown[i]);
    snprintf(line + strlen(line), sizeof line - strlen(line), " out=loss.png");
    ui_prompt(s->ui, line);
}

/* Its table comes in the viewer. */
static void layers(TrainState *s, const RunRow *run)
{
    char line[64];
    snprintf(line, sizeof line, "runs layers %lld", (long long)run->id);
    ui_command(s->ui, line, s, NULL);
}

static Reply do_more(TrainState *s, int command, Ui *ui)
{
    const RunRow *run = train_run(s);
    switch (command) {
    case TRAIN_ROWS:
        train_rows(s);
        return REPLY_DRAW;
    case TRAIN_LAYERS:
        layers(s, run);
        return REPLY_DRAW;
    case TRAIN_PLOT:
        plot(s);
        return REPLY_DRAW;
    case TRAIN_CHOOSE:
        train_choose(s);
        return REPLY_DRAW;
    case TRAIN_MARK:
    case UI_MARK:
        ui_mark_run(ui, run->id, !ui_run_marked(ui, run->id));
        ui_say(ui, STYLE_INFO, "Run %lld is %s", (long long)run->id,
               ui_run_marked(ui, run->id) ? "marked: it is drawn beside the others" : "not marked");
        return REPLY_DRAW;
    }
    return steer_command(&s->steer, command, run->id);
}

static void copy_values(const TrainState *s, Ui *ui)
{
    const RunRow *run = train_run(s);
    const Curves *c = train_curves(s, run->id);
    double at = s->has_cross ? s->cross : (double)INFINITY;
    Text text = {0};
    text_printf(&text, "run %lld %s", (long long)run->id, run->name);
    if (s->has_cross)
        text_printf(&text, " step %lld", (long long)train_cross_step(s));
    for (size_t i = 0; c && i < c->series.count; i++)
        text_printf(&text, " %s=%.6g", c->series.at[i].key, curves_at(c, c->series.at[i].key, at));
    ui_copy(ui, text_str(&text));
    text_release(&text);
}

/* For the next session. Not the window that a run at work pushes on: what a key made of it. */
static void remember_zoom(TrainState *s)
{
    char text[100] = "";
    if (s->low < s->high)
        snprintf(text, sizeof text, "%lld %d %.9g %.9g", (long long)train_run(s)->id, (int)s->axis, s->low, s->high);
    s->zoom_known = true;
    ui_set_setting(s->ui, "train-zoom", text);
}

static Reply on_command(void *state, int command, Ui *ui)
{
    TrainState *s = state;
    double low = s->low, high = s->high;
    if (!train_run(s))
        return REPLY_IGNORED;
    if (command == UI_NEXT || command == UI_PREVIOUS)
        return train_next(s, command == UI_NEXT ? 1 : -1);
    if (command == UI_COPY) {
        copy_values(s, ui);
        return REPLY_DRAW;
    }
    Reply reply = train_look(s, command);
    if (s->low != low || s->high != high)
        remember_zoom(s);
    return reply != REPLY_IGNORED ? reply : do_more(s, command, ui);
}

static bool told_layers(const Curves *c)
{
    for (size_t i = 0; i < c->event.count; i++)
        if (strcmp(c->event.at[i].kind, "layers") == 0)
            return true;
    return false;
}

static const char *why_not(const void *state, int command, const Ui *ui)
{
    const TrainState *s = state;
    const RunRow *run = train_run(s);
    (void)ui;
    if (!run)
        return command >= PANE_COMMANDS ? "there is no run yet; 3 sets one up" : NULL;
    const Curves *c = train_curves(s, run->id);
    const char *why = steer_why_not(run, !c || !c->loaded || c->alive, command);
    if (why)
        return why;
    if (command == TRAIN_ROWS && !s->has_cross)
        return "h and l move a crosshair first";
    if (command == TRAIN_BEST && run->best_step <= 0)
        return "it has no best step yet: nothing was validated";
    if (!c || !c->loaded)
        return NULL;
    if (command == STEER_FORK && !c->checkpoint.count)
        return run_is_active(run) ? "it has no checkpoint to fork from yet; c writes one"
                                  : "it has no checkpoint to fork from; R begins it anew";
    const ModelFamily *family = model_family(run->family);
    if (command == TRAIN_LAYERS && family && !family->layers)
        return "trees have no layers; `lathe runs show` tells what each column gains";
    if (command == TRAIN_LAYERS && !run_is_active(run) && !told_layers(c))
        return "its layers were not asked for while it trained";
    return NULL;
}

static const char *hint(const void *state, int command, const Ui *ui)
{
    (void)ui;
    return steer_hint(train_run(state), command);
}

static Reply on_mouse(void *state, const Mouse *m, Ui *ui)
{
    TrainState *s = state;
    const RunRow *run = train_run(s);
    (void)ui;
    if (!run || m->id == ZONE_EVENTS)
        return !run                          ? REPLY_IGNORED
               : m->kind == MOUSE_WHEEL_UP   ? train_event(s, -1)
               : m->kind == MOUSE_WHEEL_DOWN ? train_event(s, 1)
                                             : REPLY_STAY;
    if (m->id != ZONE_CHART || m->index < 0 || (size_t)m->index >= s->places)
        return REPLY_IGNORED;
    const Place *p = &s->place[m->index];
    s->active = p->chart;
    if (m->kind == MOUSE_DRAG)
        return train_drag(s, p, m->col - 1, m->drag_cols);
    const Series *on = train_walked(s);
    if (!on)
        return REPLY_DRAW;
    ChartBuild b;
    Canvas in = {.rows = p->rows - 2, .cols = p->cols - 2};
    train_chart(s, p->chart, &b);
    double x = chart_x_at(&in, &b.chart, m->col - 1);
    train_chart_release(&b);
    train_cross_to(s, on->step.at[series_near(&on->x, x)]);
    if (m->kind == MOUSE_WHEEL_UP || m->kind == MOUSE_WHEEL_DOWN)
        return train_zoom(s, m->kind == MOUSE_WHEEL_UP ? 0.7 : 1.4);
    if (m->kind == MOUSE_DOUBLE)
        train_rows(s);
    return REPLY_DRAW;
}

/* Of the newest run that trains, also while another pane is shown. */
static void badge(const void *state, const Ui *ui, Text *into, Style *style)
{
    const Snapshot *snap = ui_snapshot(ui);
    (void)state;
    for (size_t i = 0; i < snap->runs; i++) {
        const RunRow *run = &snap->run[i];
        if (!run_is_active(run))
            continue;
        double share = run->steps_total ? (double)run->step / (double)run->steps_total : 0;
        text_printf(into, "%s%.0f%%", run->status == RUN_PAUSED ? "‖ " : "▸ ", 100 * share);
        *style = run->status == RUN_PAUSED ? STYLE_WARN : STYLE_ACCENT;
        return;
    }
}

const Pane train_pane = {
    .name = "train",
    .title = "Train",
    .about = "a run while it trains: curves, live changes, pause, fork, the rows behind a spike",
    .keys = keys,
    .state_size = sizeof(TrainState),
    .create = create,
    .destroy = destroy,
    .tick = tick,
    .layout = layout,
    .draw = draw,
    .on_command = on_command,
    .on_mouse = on_mouse,
    .drags = true,
    .why_not = why_not,
    .hint = hint,
    .badge = badge,
    .chart = train_chart_shown,
    .keep = train_keep,
    .put = train_put,
};
